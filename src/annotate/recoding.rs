//! Amino acids that the code does not tell, from gene files: `transl_except` of RefSeq's CDS lines, and the lines for
//! selenocysteine of GENCODE (GFF3 and GTF) and Ensembl (GTF).
//!
//! Source: INSDC Feature Table Definition 11.3, `/transl_except`; Ensembl VEP takes the same from its caches.

use rustc_hash::FxHashMap;

use super::codons::one_letter;
use super::genes::Recoded;
use crate::formats::gff::Feature;

/// Bases of a codon, or of a part of one that introns cut, with the amino acid that they code for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The first base.
    pub start: i64,
    /// The last.
    pub end: i64,
    /// In one letter.
    pub amino_acid: u8,
}

/// Whether a line stands for a selenocysteine.
pub fn is_selenocysteine(kind: &str) -> bool {
    matches!(kind, "Selenocysteine" | "stop_codon_redefined_as_selenocysteine")
}

/// What a line tells. A stop that the messenger's tail completes (`aa:TERM`) and what has no letter (`aa:OTHER`) are nothing.
pub fn exceptions(feature: &Feature<'_>) -> Vec<Exception> {
    if is_selenocysteine(feature.kind) {
        return vec![Exception { start: feature.start, end: feature.end, amino_acid: b'U' }];
    }
    let Some(text) = feature.whole("transl_except") else { return Vec::new() };
    let mut found = Vec::new();
    for one in text.split("pos:").skip(1) {
        let Some((place, rest)) = one.split_once("aa:") else { continue };
        let name = rest.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
        let Some(amino_acid) = one_letter(name) else { continue };
        for range in place.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')) {
            let (start, end) = range.split_once("..").unwrap_or((range, range));
            if let (Ok(start), Ok(end)) = (start.parse(), end.parse()) {
                found.push(Exception { start, end, amino_acid });
            }
        }
    }
    found
}

/// The amino acids, by number; `codon_of` gives the number of a base's codon. Codons that are not whole do not count.
pub fn recoded(exceptions: &[Exception], codon_of: impl Fn(i64) -> Option<i64>) -> Vec<Recoded> {
    let mut bases: FxHashMap<Recoded, Vec<i64>> = FxHashMap::default();
    for exception in exceptions.iter().filter(|exception| exception.end - exception.start < 3) {
        for base in exception.start..=exception.end {
            if let Some(number) = codon_of(base) {
                let recoded = Recoded { number, amino_acid: exception.amino_acid };
                bases.entry(recoded).or_default().push(base);
            }
        }
    }
    let is_whole = |bases: &mut Vec<i64>| {
        bases.sort_unstable();
        bases.dedup();
        bases.len() == 3
    };
    let mut found: Vec<Recoded> = bases
        .into_iter()
        .filter_map(|(recoded, mut bases)| is_whole(&mut bases).then_some(recoded))
        .collect();
    found.sort_unstable();
    // Two amino acids of one codon contradict each other: the first letter counts, whatever the order of lines.
    found.dedup_by_key(|recoded| recoded.number);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, attributes: &str) -> Vec<(i64, i64, char)> {
        let line = format!("1\tx\t{kind}\t48\t50\t.\t+\t0\t{attributes}");
        let feature = Feature::parse(&line).ok().flatten().expect("a feature");
        exceptions(&feature).iter().map(|one| (one.start, one.end, char::from(one.amino_acid))).collect()
    }

    #[test]
    fn exceptions_are_read_in_all_forms() {
        for (kind, attributes, expected) in [
            ("CDS", "ID=a;transl_except=(pos:148..150%2Caa:Sec)", &[(148, 150, 'U')][..]),
            ("CDS", "transl_except=(pos:complement(148..150),aa:Sec)", &[(148, 150, 'U')]),
            ("CDS", "transl_except=(pos:join(5..6%2C9)%2Caa:Sec)", &[(5, 6, 'U'), (9, 9, 'U')]),
            (
                "CDS",
                "transl_except=(pos:1..3%2Caa:Met),(pos:7..9%2C aa:Pyl);x=y",
                &[(1, 3, 'M'), (7, 9, 'O')],
            ),
            ("CDS", "transl_except=(pos:8..9%2Caa:TERM),(pos:1..3%2Caa:OTHER)", &[]),
            ("CDS", "transl_except=(pos:99999999999999999999..3%2Caa:Sec)", &[]),
            ("CDS", "transl_except=aa:pos:", &[]),
            ("CDS", "ID=a", &[]),
            ("Selenocysteine", "gene_id \"G\"; transcript_id \"T\";", &[(48, 50, 'U')]),
            ("stop_codon_redefined_as_selenocysteine", "ID=s;Parent=T", &[(48, 50, 'U')]),
        ] {
            assert_eq!(of(kind, attributes), expected, "{attributes}");
        }
    }

    #[test]
    fn only_whole_codons_count() {
        let exception = |start, end, amino_acid| Exception { start, end, amino_acid };
        // Codons of three from 1 on, with an intron of 10 to 19 within the fourth: 10 stands at 20.
        let codon_of = |base: i64| match base {
            1..10 => Some((base + 2) / 3),
            20..30 => Some((base - 10 + 2) / 3),
            _ => None,
        };
        for (exceptions, expected) in [
            (&[exception(4, 6, b'U')][..], &[(2, b'U')][..]),
            (&[exception(5, 7, b'U')], &[]),
            (&[exception(4, 5, b'U')], &[]),
            (&[exception(4, 5, b'U'), exception(6, 6, b'U'), exception(6, 6, b'U')], &[(2, b'U')]),
            (&[exception(20, 22, b'U'), exception(1, 3, b'M')], &[(1, b'M'), (4, b'U')]),
            (&[exception(9, 20, b'U')], &[]),
            (&[exception(4, 6, b'U'), exception(4, 6, b'O')], &[(2, b'O')]),
        ] {
            let found: Vec<(i64, u8)> =
                recoded(exceptions, codon_of).iter().map(|one| (one.number, one.amino_acid)).collect();
            assert_eq!(found, expected, "{exceptions:?}");
        }
    }
}
