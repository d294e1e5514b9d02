//! What kind of variant an alternate allele is: SNP, MNP, indel, breakend, or something else.
//!
//! The kinds and their borders are those of htslib's `bcf_get_variant_types`, because the options `-m`, `-d` and the
//! order in which records are joined are defined by them.

use crate::formats::vcf::record::Record;

/// A set of kinds; the empty set is a site without a variant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kinds(u32);

impl Kinds {
    /// No variant: no ALT, `<*>`, `<NON_REF>`, or an ALT that is REF.
    pub const REFERENCE: Self = Self(0);
    /// One base for another.
    pub const SNP: Self = Self(1);
    /// Some bases for as many others.
    pub const MNP: Self = Self(2);
    /// A pure insertion or deletion.
    pub const INDEL: Self = Self(4);
    /// Anything else, symbolic alleles among it.
    pub const OTHER: Self = Self(8);
    /// A breakend.
    pub const BREAKEND: Self = Self(16);
    /// `*`, an allele that a deletion before this site has taken away. (The number keeps htslib's order.)
    pub const OVERLAP: Self = Self(1 << 26);

    /// The kinds of a record's alternate alleles.
    pub fn of(record: &Record) -> Self {
        let reference = record.reference();
        record.alternates().fold(Self::REFERENCE, |kinds, alt| kinds.with(Self::of_allele(reference, alt)))
    }

    /// The kind of one alternate allele.
    pub fn of_allele(reference: &[u8], alt: &[u8]) -> Self {
        Self::with_length(reference, alt).0
    }

    /// The kind of one alternate allele and its length in bases, as htslib has it: how many are inserted, or deleted
    /// (negative); 1 for a SNP, all that change for other kinds; 0 where the allele is no sequence.
    pub fn with_length(reference: &[u8], alt: &[u8]) -> (Self, i64) {
        match (reference, alt) {
            (_, b"*") => return (Self::OVERLAP, 0),
            (_, b"<X>" | b"<*>" | b"<NON_REF>") => return (Self::REFERENCE, 0),
            ([_], [b'.' | b'X']) => return (Self::REFERENCE, 0),
            ([a], [b]) => return if a == b { (Self::REFERENCE, 0) } else { (Self::SNP, 1) },
            (_, [b'<', ..]) => return (Self::OTHER, 0),
            (_, [b'[' | b']', ..] | [.., b'[' | b']']) => return (Self::BREAKEND, 0),
            _ => {}
        }
        let same = |a: &u8, b: &u8| a.eq_ignore_ascii_case(b);
        let prefix = reference.iter().zip(alt).take_while(|(a, b)| same(a, b)).count();
        let (r, a) = (&reference[prefix..], &alt[prefix..]);
        match (r, a) {
            ([], []) => return (Self::REFERENCE, 0),
            ([], _) | (_, []) => return (Self::INDEL, alt.len() as i64 - reference.len() as i64),
            _ => {}
        }
        // At least one base of each is left, so that what remains can be told apart.
        let most = r.len().min(a.len()) - 1;
        let suffix = r.iter().rev().zip(a.iter().rev()).take(most).take_while(|(a, b)| same(a, b)).count();
        let (r, a) = (&r[..r.len() - suffix], &a[..a.len() - suffix]);
        let last_is_same = same(&r[r.len() - 1], &a[a.len() - 1]);
        let (n, m) = (r.len() as i64, a.len() as i64);
        match (n, m) {
            (1, 1) => (Self::SNP, 1),
            (1, _) | (_, 1) => (if last_is_same { Self::INDEL } else { Self::OTHER }, m - n),
            _ if n == m => (Self::MNP, m),
            _ => (Self::OTHER, if n > m { -n } else { m }),
        }
    }

    /// The kind that a word means, in any case, in one or many: `snp`, `INDELS`; that of `ref` is none.
    pub fn parse(word: &[u8]) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_slice() {
            b"snp" | b"snps" => Self::SNP,
            b"indel" | b"indels" => Self::INDEL,
            b"mnp" | b"mnps" => Self::MNP,
            b"other" => Self::OTHER,
            b"bnd" => Self::BREAKEND,
            b"overlap" => Self::OVERLAP,
            b"ref" => Self::REFERENCE,
            _ => return None,
        })
    }

    /// The set as a number, a bit for each kind.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The names of the kinds, as `bcftools query` prints them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let kinds = [
            (Self::SNP, "SNP"),
            (Self::MNP, "MNP"),
            (Self::INDEL, "INDEL"),
            (Self::OTHER, "OTHER"),
            (Self::BREAKEND, "BND"),
            (Self::OVERLAP, "OVERLAP"),
        ];
        let reference = (self == Self::REFERENCE).then_some("REF");
        let names = kinds.into_iter().filter(move |(kind, _)| self.meets(*kind)).map(|(_, name)| name);
        reference.into_iter().chain(names)
    }

    /// Both sets together.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets share a kind.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_htslib() {
        // `bcftools query -f '%REF %ALT %TYPE'` of 1.24 on these pairs.
        for (reference, alt, kind) in [
            ("A", "C", Kinds::SNP),
            ("A", "*", Kinds::OVERLAP),
            ("A", "<NON_REF>", Kinds::REFERENCE),
            ("A", "<DEL>", Kinds::OTHER),
            ("A", "A[2:3[", Kinds::BREAKEND),
            ("A", "]2:3]A", Kinds::BREAKEND),
            ("A", "AT", Kinds::INDEL),
            ("AT", "A", Kinds::INDEL),
            ("AC", "GT", Kinds::MNP),
            ("ACG", "ATG", Kinds::SNP),
            ("ATG", "G", Kinds::INDEL),
            ("ACG", "TT", Kinds::OTHER),
            ("ACG", "acg", Kinds::REFERENCE),
            ("AC", "TGG", Kinds::OTHER),
        ] {
            assert_eq!(Kinds::of_allele(reference.as_bytes(), alt.as_bytes()), kind, "{reference} {alt}");
        }
    }
}
