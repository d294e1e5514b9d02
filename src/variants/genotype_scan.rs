//! One pass over the genotypes of a record, fast where they are two single digits, as nearly all are.

use memchr::memchr;

use crate::formats::vcf::record::Record;

/// The number that stands for a missing allele in a [`Genotype::Pair`].
pub const MISSING: u8 = 10;

/// A genotype as it was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Genotype<'c> {
    /// Diploid, alleles 0 to 9 or [`MISSING`].
    Pair(u8, u8),
    /// The text of any other.
    Other(&'c [u8]),
}

/// Codes of the characters that an allele of a pair can be; 255 for others.
const CODES: [u8; 256] = {
    let mut codes = [255; 256];
    let mut digit = 0;
    while digit < 10 {
        codes[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    codes[b'.' as usize] = MISSING;
    codes
};

/// Gives each sample's genotype in order; false where the record has no GT.
#[inline]
pub fn scan(record: &Record, mut each: impl FnMut(usize, Genotype<'_>)) -> bool {
    let Some(field) = record.format_index(b"GT") else { return false };
    match record.unchanged_samples() {
        // As the specification has it, GT is the first.
        Some(samples) if field == 0 => scan_text(samples, each),
        _ => {
            for (sample, cell) in record.cells(field).enumerate() {
                each(sample, of_cell(cell));
            }
        }
    }
    true
}

fn of_cell(cell: &[u8]) -> Genotype<'_> {
    if let &[a, b'/' | b'|', b] = cell {
        let (a, b) = (CODES[usize::from(a)], CODES[usize::from(b)]);
        if a.max(b) <= MISSING {
            return Genotype::Pair(a, b);
        }
    }
    Genotype::Other(cell)
}

#[inline]
fn scan_text(text: &[u8], mut each: impl FnMut(usize, Genotype<'_>)) {
    let (mut at, mut sample) = (0, 0);
    if text.is_empty() {
        return;
    }
    loop {
        let rest = &text[at..];
        let mut length = rest.len().min(3);
        let is_whole = rest.get(3).is_none_or(|b| matches!(b, b'\t' | b':'));
        match of_cell(&rest[..length]) {
            pair @ Genotype::Pair(..) if is_whole => each(sample, pair),
            _ => {
                length = rest.iter().position(|b| matches!(b, b'\t' | b':')).unwrap_or(rest.len());
                each(sample, of_cell(&rest[..length]));
            }
        }
        sample += 1;
        at += length;
        match text.get(at) {
            None => return,
            Some(b'\t') => at += 1,
            Some(_) => match memchr(b'\t', &text[at..]) {
                Some(tab) => at += tab + 1,
                None => return,
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_met() {
        use Genotype::*;
        for (format, samples, expected) in [
            (
                "GT",
                "0/1\t.|.\t1\t10/2\t2|./0\t",
                vec![Pair(0, 1), Pair(10, 10), Other(b"1"), Other(b"10/2"), Other(b"2|./0"), Other(b"")],
            ),
            ("GT:DP", "0/1:5\t0|0\t.:3", vec![Pair(0, 1), Pair(0, 0), Other(b".")]),
            ("DP:GT", "5:0/1\t3\t.:1", vec![Pair(0, 1), Other(b"."), Other(b"1")]),
        ] {
            let line = format!("1\t1\t.\tA\tC\t.\t.\t.\t{format}\t{samples}");
            let record = Record::parse(line.as_bytes()).unwrap();
            let mut found = Vec::new();
            assert!(scan(&record, |sample, genotype| {
                assert_eq!(sample, found.len());
                found.push(match genotype {
                    Pair(a, b) => Pair(a, b),
                    Other(cell) => {
                        expected.iter().copied().find(|other| *other == Other(cell)).unwrap_or(Other(b"?"))
                    }
                });
            }));
            assert_eq!(found, expected, "{line}");
        }
        assert!(!scan(&Record::parse(b"1\t1\t.\tA\tC\t.\t.\t.\tDP\t1").unwrap(), |_, _| {}));
    }
}
