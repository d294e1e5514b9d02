//! Classes of genotypes as htslib's `bcf_gt_type` tells them apart, with the alternate alleles that they have.

use crate::records::genotype;

/// What a genotype is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// All alleles are the reference.
    ReferenceHomozygous,
    /// All are the same alternate.
    AlternateHomozygous,
    /// The reference and an alternate.
    Heterozygous,
    /// Different alternates.
    AlternateHeterozygous,
    /// Haploid, the reference.
    ReferenceHaploid,
    /// Haploid, an alternate.
    AlternateHaploid,
    /// An allele is missing.
    Missing,
}

impl Class {
    /// htslib's number of it.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::ReferenceHomozygous => 0,
            Self::AlternateHomozygous => 1,
            Self::Heterozygous => 2,
            Self::AlternateHeterozygous => 3,
            Self::ReferenceHaploid => 4,
            Self::AlternateHaploid => 5,
            Self::Missing => 6,
        }
    }
}

/// A genotype: its class and up to two alternate alleles, the smaller first; 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Genotype {
    pub(super) class: Class,
    pub(super) alleles: (usize, usize),
}

impl Genotype {
    pub(super) const MISSING: Self = Self { class: Class::Missing, alleles: (0, 0) };

    /// Of a GT cell.
    pub(super) fn of(cell: &[u8]) -> Self {
        // Nearly all are these.
        if let b"0/0" | b"0|0" = cell {
            return Self { class: Class::ReferenceHomozygous, alleles: (0, 0) };
        }
        let (mut count, mut has_reference, mut differ) = (0, false, false);
        let (mut first, mut second) = (0, 0);
        for allele in genotype::alleles(cell) {
            count += 1;
            match allele {
                None => return Self::MISSING,
                Some(0) => has_reference = true,
                Some(allele) if first == 0 => first = allele,
                Some(allele) if allele == first => {}
                Some(allele) => {
                    (first, second) = if allele < first { (allele, first) } else { (first, allele) };
                    differ = true;
                }
            }
        }
        let class = match (count, has_reference) {
            (0, _) => return Self::MISSING,
            (1, true) => Class::ReferenceHaploid,
            (1, false) => Class::AlternateHaploid,
            (_, false) if differ => Class::AlternateHeterozygous,
            (_, false) => Class::AlternateHomozygous,
            (_, true) if first == 0 => Class::ReferenceHomozygous,
            (_, true) => Class::Heterozygous,
        };
        Self { class, alleles: (first, second) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_htslib() {
        // By the rules in the comment of bcf_gt_type.
        for (cell, class, alleles) in [
            ("0/0", Class::ReferenceHomozygous, (0, 0)),
            ("0|1", Class::Heterozygous, (1, 0)),
            ("2/1", Class::AlternateHeterozygous, (1, 2)),
            ("3/3", Class::AlternateHomozygous, (3, 0)),
            ("0/2/1", Class::Heterozygous, (1, 2)),
            ("0/0/0", Class::ReferenceHomozygous, (0, 0)),
            ("0", Class::ReferenceHaploid, (0, 0)),
            ("4", Class::AlternateHaploid, (4, 0)),
            (".", Class::Missing, (0, 0)),
            ("./1", Class::Missing, (0, 0)),
            ("", Class::Missing, (0, 0)),
        ] {
            assert_eq!(Genotype::of(cell.as_bytes()), Genotype { class, alleles }, "{cell}");
        }
    }
}
