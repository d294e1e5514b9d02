//! The genotype of joined records: each chromosome's allele from the record that has it, and phase where it is known.

use crate::formats::vcf::number::write_integer;

/// An allele of a genotype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    /// `None` is `.`.
    allele: Option<usize>,
    is_phased: bool,
}

/// A genotype: its calls, and a sign before the first (VCF 4.4).
fn parse(text: &[u8]) -> (Option<u8>, Vec<Call>) {
    let (lead, mut rest) = match text {
        [sign @ (b'/' | b'|'), rest @ ..] => (Some(*sign), rest),
        rest => (None, rest),
    };
    let (mut calls, mut is_phased) = (Vec::new(), lead == Some(b'|'));
    while !rest.is_empty() {
        let end = rest.iter().position(|b| matches!(b, b'/' | b'|')).unwrap_or(rest.len());
        let allele = std::str::from_utf8(&rest[..end]).ok().and_then(|digits| digits.parse().ok());
        calls.push(Call { allele, is_phased });
        is_phased = rest.get(end) == Some(&b'|');
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    (lead, calls)
}

/// Joins the genotypes of one sample; the numbers of alleles are mapped by `maps`. Records without GT have none to give.
///
/// A call of the first record that is REF or missing takes the allele that a later one has in its place. Where both have
/// another allele, the later one goes to a place that is free, if there is one.
pub fn join(genotypes: &[Option<&[u8]>], maps: &[Vec<usize>], line: &mut Vec<u8>) {
    let (mut lead, mut calls) = parse(genotypes.first().copied().flatten().unwrap_or(b"."));
    for (genotype, map) in genotypes.iter().zip(maps).skip(1) {
        let Some(genotype) = genotype else { continue };
        let (their_lead, theirs) = parse(genotype);
        // `.` says nothing of the ploidy.
        if theirs.len() == 1 && theirs[0].allele.is_none() {
            continue;
        }
        if calls.len() == 1 && calls[0].allele.is_none() {
            calls = theirs.iter().map(|call| Call { allele: None, ..*call }).collect();
            lead = their_lead;
        }
        // Places that the other record does not have and of which nothing is known are none.
        if calls.iter().skip(theirs.len()).all(|call| call.allele.is_none()) {
            calls.truncate(theirs.len());
        }
        for (place, call) in theirs.iter().enumerate() {
            let Some(allele) = call.allele else { continue };
            while calls.len() <= place {
                calls.push(Call { allele: None, is_phased: theirs[calls.len()].is_phased });
            }
            let mine = calls[place].allele;
            if allele == 0 {
                calls[place].allele = mine.or(Some(0));
                continue;
            }
            let Some(&allele) = map.get(allele) else { continue };
            if mine.unwrap_or(0) == 0 {
                calls[place].allele = Some(allele);
            } else if let Some(free) = calls.iter_mut().find(|call| call.allele.unwrap_or(0) == 0) {
                *free = Call { allele: Some(allele), is_phased: false };
            }
        }
    }
    write(lead, &calls, line);
}

fn write(lead: Option<u8>, calls: &[Call], line: &mut Vec<u8>) {
    line.extend(lead);
    for (i, call) in calls.iter().enumerate() {
        if i > 0 {
            line.push(if call.is_phased { b'|' } else { b'/' });
        }
        match call.allele {
            Some(allele) => write_integer(allele as i64, line),
            None => line.push(b'.'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_put_together() {
        let maps = [vec![0, 1], vec![0, 2]];
        // As `bcftools norm -m+` 1.24 has it, but for the last six, by hand.
        for (first, second, joined) in [
            ("0/1", "0/0", "0/1"),
            ("0/0", "0/1", "0/2"),
            ("0|1", "1|0", "2|1"),
            ("1/0", "1/0", "1/2"),
            ("0/1", "1/0", "2/1"),
            ("1/1", "0/1", "1/1"),
            ("./.", "0/1", "0/2"),
            ("0", "1", "2"),
            (".", "0|1", "0|2"),
            ("0|1", ".", "0|1"),
            ("|0|0", "|0|1", "|0|2"),
            ("./.", "1", "2"),
            ("1", "./.", "1"),
            ("0/1/0", "0/0/1", "0/1/2"),
        ] {
            let mut line = Vec::new();
            join(&[Some(first.as_bytes()), Some(second.as_bytes())], &maps, &mut line);
            assert_eq!(String::from_utf8_lossy(&line), joined, "{first} {second}");
        }
    }
}
