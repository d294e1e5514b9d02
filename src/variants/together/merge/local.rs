//! Local alleles: of a row with many alleles each sample keeps a few, and lists of these alone (bcftools merge -L).
//!
//! LAA says which alternate alleles they are; a list `PL` of all alleles becomes `LPL` of REF and these.

use super::info::Shape;
use super::row::Row;
use crate::formats::vcf::header::{Header, Number};
use crate::formats::vcf::value::{integer, list};
use crate::variants::allele_lists::{genotype_count, genotype_place, push_list};

/// Likelihoods from here on are as good as none.
const GREATEST_LIKELIHOOD: i32 = 1023;

/// Declares LAA, and for each list of FORMAT the one of local alleles.
pub fn declare(header: &mut Header) {
    let mut lines = Vec::new();
    for line in header.lines().iter().filter(|line| line.key() == "FORMAT") {
        let Some(id) = line.get("ID") else { continue };
        let number = header.format(id.as_bytes()).map(|definition| definition.number);
        let letter = match number {
            Some(Number::Alternates) => "A",
            Some(Number::Alleles) => "R",
            Some(Number::Genotypes) => "G",
            _ => continue,
        };
        let text = String::from_utf8_lossy(line.as_bytes());
        let text = text
            .replacen(&format!("ID={id}"), &format!("ID=L{id}"), 1)
            .replacen(&format!("Number={letter}"), "Number=.", 1)
            .replacen("Description=\"", "Description=\"Localized field: ", 1);
        lines.push(text);
    }
    if lines.is_empty() {
        return;
    }
    header.add_missing(
        "##FORMAT=<ID=LAA,Number=.,Type=Integer,Description=\"Localized alleles: subset of alternate alleles relevant for each sample\">",
    );
    lines.iter().for_each(|line| header.add_missing(line));
}

/// The alleles that the samples of a row keep.
pub struct Local {
    /// Of each part.
    parts: Vec<OfPart>,
}

/// Numbers of alleles in the part's record, REF first, in the order of the row's.
enum OfPart {
    /// The same of all samples.
    All(Vec<usize>),
    /// Of each sample.
    Each(Vec<Vec<usize>>),
    /// Nothing is known of them: there is no PL.
    Unknown,
}

impl Local {
    /// Those of a row that has more than `limit` alternate alleles: all that a record has, or the most probable ones by the
    /// sample's PL. `None` where no record with more has a PL, so that lists stay whole.
    ///
    /// # Errors
    /// PL is not declared as Number=G.
    pub fn of(row: &Row, headers: &[Header], limit: usize) -> Result<Option<Self>, String> {
        let is_large = |alleles: usize| alleles > limit + 1;
        let places: Vec<Option<usize>> =
            row.parts.iter().map(|part| part.record.format_index(b"PL")).collect();
        if places.iter().all(Option::is_none) && row.parts.iter().any(|part| is_large(part.map.len())) {
            return Ok(None);
        }
        let mut parts = Vec::with_capacity(row.parts.len());
        for (part, place) in row.parts.iter().zip(places) {
            let map = &part.map[..];
            if !is_large(map.len()) {
                let mut all: Vec<usize> = (0..map.len()).collect();
                all.sort_by_key(|&allele| map[allele]);
                parts.push(OfPart::All(all));
                continue;
            }
            let Some(place) = place else {
                parts.push(OfPart::Unknown);
                continue;
            };
            let number = headers.get(part.file).and_then(|header| header.format(b"PL"));
            if number.is_none_or(|definition| definition.number != Number::Genotypes) {
                return Err("FORMAT/PL has to be declared as Number=G for local alleles".into());
            }
            let kept = |cell: &[u8]| {
                let mut kept = most_probable(cell, map.len(), limit);
                kept.sort_by_key(|&allele| map[allele]);
                kept
            };
            parts.push(OfPart::Each(part.record.cells(place).map(kept).collect()));
        }
        Ok(Some(Self { parts }))
    }

    /// The alleles of a sample of a part: numbers in its record, REF first; none where nothing is known.
    pub fn alleles(&self, part: usize, sample: usize) -> &[usize] {
        match self.parts.get(part) {
            Some(OfPart::All(alleles)) => alleles,
            Some(OfPart::Each(samples)) => samples.get(sample).map(Vec::as_slice).unwrap_or_default(),
            Some(OfPart::Unknown) | None => &[],
        }
    }
}

/// REF and the alternate alleles that are most probable by a list of PL, the first of equal ones.
fn most_probable(cell: &[u8], alleles: usize, limit: usize) -> Vec<usize> {
    let mut probabilities = vec![0.0f64; alleles];
    let mut values = list(cell);
    'all: for a in 0..alleles {
        for b in 0..=a {
            let Some(text) = values.next() else { break 'all };
            let Some(value) = integer(text) else { continue };
            let value = if value < 0 { GREATEST_LIKELIHOOD } else { value.min(GREATEST_LIKELIHOOD) };
            let probability = 10f64.powf(-0.1 * f64::from(value));
            probabilities[a] += probability;
            probabilities[b] += probability;
        }
    }
    let mut order: Vec<usize> = (1..alleles).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order.truncate(limit);
    order.insert(0, 0);
    order
}

/// Writes the values of a record's list that belong to these alleles; `count` alleles has the record.
pub fn write_list(shape: Shape, cell: &[u8], kept: &[usize], count: usize, out: &mut Vec<u8>) {
    let values: Vec<&[u8]> = list(cell).collect();
    let is_haploid = values.len() == count && count < genotype_count(count, 2);
    let places: Vec<usize> = match shape {
        _ if cell == b"." => Vec::new(),
        Shape::Alternates => kept.iter().skip(1).map(|allele| allele - 1).collect(),
        Shape::Alleles => kept.to_vec(),
        Shape::Genotypes if is_haploid => kept.to_vec(),
        Shape::Genotypes => {
            let pair = |a: usize, b: usize| genotype_place([a.min(b), a.max(b)].into_iter());
            let of =
                |(i, &a): (usize, &usize)| kept[..=i].iter().map(move |&b| pair(a, b)).collect::<Vec<_>>();
            kept.iter().enumerate().flat_map(of).collect()
        }
    };
    let begin = out.len();
    push_list(out, places.iter().filter_map(|&place| values.get(place).copied()));
    if out.len() == begin {
        out.push(b'.');
    }
}

/// Writes LAA: the row's numbers of the alternate alleles that a sample keeps.
pub fn write_alleles(kept: &[usize], map: &[usize], out: &mut Vec<u8>) {
    let numbers: Vec<String> =
        kept.iter().skip(1).filter_map(|&allele| map.get(allele)).map(usize::to_string).collect();
    push_list(out, numbers.iter().map(String::as_bytes));
    if numbers.is_empty() {
        out.push(b'.');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_to_the_alleles_that_are_kept() {
        // By hand, from the order of genotypes in section 1.6.2 of the specification: 00 01 11 02 12 22 03 13 23 33.
        for (shape, cell, kept, expected) in [
            (Shape::Genotypes, "0,1,2,3,4,5,6,7,8,9", &[0, 1][..], "0,1,2"),
            (Shape::Genotypes, "0,1,2,3,4,5,6,7,8,9", &[0, 3, 1], "0,6,9,1,7,2"),
            (Shape::Genotypes, "0,1,2,3", &[0, 2], "0,2"),
            (Shape::Genotypes, ".", &[0, 2], "."),
            (Shape::Genotypes, "0,1,2,3,4,5,6,7,8,9", &[], "."),
            (Shape::Alleles, "5,6,7,8", &[0, 3], "5,8"),
            (Shape::Alternates, "6,7,8", &[0, 3], "8"),
            (Shape::Alternates, "6,7,8", &[0], "."),
        ] {
            let mut out = Vec::new();
            write_list(shape, cell.as_bytes(), kept, 4, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{cell} {kept:?}");
        }
    }

    #[test]
    fn the_most_probable_alleles_are_kept() {
        // By hand: the genotype with PL 0 has them.
        for (cell, limit, expected) in [
            ("90,90,90,0,90,90", 1, vec![0, 2]),
            ("90,0,90,90,90,90", 1, vec![0, 1]),
            ("90,90,90,90,0,90", 2, vec![0, 1, 2]),
            (".", 1, vec![0, 1]),
        ] {
            let mut kept = most_probable(cell.as_bytes(), 3, limit);
            kept.sort_unstable();
            assert_eq!(kept, expected, "{cell}");
        }
    }
}
