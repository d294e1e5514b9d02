//! The genotypes of a record as haplotypes.

use super::Phase;
use crate::formats::vcf::record::Record;
use crate::records::genotype::phased_alleles;

/// What stands at a place of a genotype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    Allele(usize),
    Missing,
    /// The genotype has fewer alleles than others of the record.
    End,
}

/// Genotypes of up to two alleles.
#[derive(Debug)]
pub(super) struct Genotypes {
    /// Two a sample.
    called: Vec<[Called; 2]>,
    /// Whether a `|` stands in it.
    phased: Vec<bool>,
}

/// A sample's genotype cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unphased;

impl Genotypes {
    /// Of a record; `None` where it has no GT, or one of more than two alleles.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let field = record.format_index(b"GT")?;
        let mut genotypes = Self { called: Vec::new(), phased: Vec::new() };
        for cell in record.cells(field) {
            let (mut called, mut is_phased) = ([Called::End; 2], false);
            for (number, (phased, allele)) in phased_alleles(cell).enumerate() {
                *called.get_mut(number)? = allele.map_or(Called::Missing, Called::Allele);
                is_phased |= phased;
            }
            genotypes.called.push(called);
            genotypes.phased.push(is_phased);
        }
        Some(genotypes)
    }

    /// How many samples there are.
    pub(super) fn count(&self) -> usize {
        self.called.len()
    }

    /// A haplotype's allele.
    pub(super) fn allele(&self, sample: usize, haplotype: usize) -> Option<usize> {
        match self.called.get(sample)?.get(haplotype)? {
            Called::Allele(allele) => Some(*allele),
            _ => None,
        }
    }

    /// The alleles of a sample's haplotypes; none where it is passed over.
    ///
    /// # Errors
    /// They are not phased and have to be.
    pub(super) fn haplotypes(&self, sample: usize, phase: Phase) -> Result<[Option<usize>; 2], Unphased> {
        let alleles = [self.allele(sample, 0), self.allele(sample, 1)];
        let is_phased = self.phased.get(sample).copied().unwrap_or_default();
        let Some(first) = alleles[0] else { return Ok([None; 2]) };
        let Some(second) = alleles[1].filter(|second| *second != first) else { return Ok(alleles) };
        // The first haplotype gets what is not the reference.
        let merged = [Some(if first == 0 { second } else { first }), Some(second)];
        match phase {
            Phase::Merge => Ok(merged),
            _ if is_phased => Ok(alleles),
            Phase::AsIs => Ok(alleles),
            Phase::Require => Err(Unphased),
            Phase::Skip => Ok([None; 2]),
            Phase::NonReference if second == 0 => Ok([Some(first); 2]),
            Phase::NonReference => Ok(merged),
        }
    }
}
