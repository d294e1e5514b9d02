//! The type of a variant by its alleles, as htslib tells it.

use crate::formats::vcf::record::Record;

/// A substitution of one base.
pub const SNP: u8 = 1;
/// A substitution of several bases.
pub const MNP: u8 = 2;
/// An insertion or deletion.
pub const INDEL: u8 = 4;
/// A symbolic allele, or something complex.
pub const OTHER: u8 = 8;
/// A breakend.
pub const BREAKEND: u8 = 16;
/// `*`.
pub const OVERLAP: u8 = 32;

/// The set that a word means; that of `ref` is empty.
pub fn parse(word: &[u8]) -> Option<u8> {
    Some(match word.to_ascii_lowercase().as_slice() {
        b"snp" | b"snps" => SNP,
        b"indel" | b"indels" => INDEL,
        b"mnp" | b"mnps" => MNP,
        b"other" => OTHER,
        b"bnd" => BREAKEND,
        b"overlap" => OVERLAP,
        b"ref" => 0,
        _ => return None,
    })
}

/// The types of all alternate alleles of a record; 0 where none differs from the reference.
pub fn of_record(record: &Record) -> u8 {
    let reference = record.reference();
    record.alternates().fold(0, |types, alternate| types | of_allele(reference, alternate))
}

/// The type of an allele; 0 where it is the reference, or stands for any (`<*>`, `<NON_REF>`, `<X>`).
pub fn of_allele(reference: &[u8], alternate: &[u8]) -> u8 {
    match (reference, alternate) {
        (_, b"*") => return OVERLAP,
        ([r], [a]) => return if a == r || matches!(a, b'.' | b'X') { 0 } else { SNP },
        (_, [b'<', rest @ ..]) => {
            let stands_for_any = rest.starts_with(b"X>") || rest.starts_with(b"*>") || rest == b"NON_REF>";
            return if stands_for_any { 0 } else { OTHER };
        }
        (_, [b'[' | b']', ..]) => return BREAKEND,
        _ => {}
    }
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let begin = reference.iter().zip(alternate).take_while(same).count();
    let (reference, alternate) = (&reference[begin..], &alternate[begin..]);
    let is_breakend = matches!(alternate.last(), Some(b'[' | b']'));
    match (reference, alternate) {
        ([], []) => 0,
        (_, _) if is_breakend => BREAKEND,
        ([], _) | (_, []) => INDEL,
        _ => inner(reference, alternate),
    }
}

/// The type of two alleles that begin with different bases.
fn inner(reference: &[u8], alternate: &[u8]) -> u8 {
    let (mut r, mut a) = (reference.len() - 1, alternate.len() - 1);
    while r > 0 && a > 0 && reference[r].eq_ignore_ascii_case(&alternate[a]) {
        r -= 1;
        a -= 1;
    }
    let ends_equally = reference[r].eq_ignore_ascii_case(&alternate[a]);
    match (r, a) {
        (0, 0) => SNP,
        (0, _) | (_, 0) => {
            if ends_equally {
                INDEL
            } else {
                OTHER
            }
        }
        _ if r == a => MNP,
        _ => OTHER,
    }
}

/// The names of a set, as `bcftools query` prints them.
pub fn names(types: u8) -> impl Iterator<Item = &'static str> {
    const NAMES: [(u8, &str); 6] = [
        (SNP, "SNP"),
        (MNP, "MNP"),
        (INDEL, "INDEL"),
        (OTHER, "OTHER"),
        (BREAKEND, "BND"),
        (OVERLAP, "OVERLAP"),
    ];
    let reference = (types == 0).then_some("REF");
    reference
        .into_iter()
        .chain(NAMES.into_iter().filter(move |(bit, _)| types & bit != 0).map(|(_, name)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_htslib() {
        // Expected types: bcftools query -f '%TYPE' of 1.24.
        for (reference, alternate, expected) in [
            ("A", "C", SNP),
            ("A", "a", SNP),
            ("A", "A", 0),
            ("A", "<*>", 0),
            ("A", "<NON_REF>", 0),
            ("A", "<DEL>", OTHER),
            ("A", "*", OVERLAP),
            ("AC", "A", INDEL),
            ("A", "AC", INDEL),
            ("AC", "GT", MNP),
            ("AC", "GC", SNP),
            ("AC", "AT", SNP),
            ("ACG", "TC", OTHER),
            ("A", "A[1:5[", BREAKEND),
            ("A", "]1:5]A", BREAKEND),
            ("AAC", "GC", OTHER),
            ("CAAC", "AAC", INDEL),
        ] {
            assert_eq!(
                of_allele(reference.as_bytes(), alternate.as_bytes()),
                expected,
                "{reference}>{alternate}"
            );
        }
    }
}
