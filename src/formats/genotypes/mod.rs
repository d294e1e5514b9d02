//! Genotypes of many people at many variants, as integers: what PLINK and BGEN files are read into.
//!
//! A file is a table of sites, a list of samples and a [`Cursor`] for each thread, which reads the genotypes of one site
//! after the other, or of any. Nothing becomes a real number here: hard calls are two bits, dosages integers of a unit
//! that the file says.

pub mod bytes;
pub mod calls;
pub mod described;
pub mod sample_list;
pub mod samples;
pub mod selection;
pub mod sites;
pub mod vcf;
pub mod window;

use std::io;
use std::path::{Path, PathBuf};

use calls::{Calls, View};
use samples::SampleTable;
use sites::SiteTable;

/// The dosage of a sample whose genotype is not known.
pub const MISSING_DOSAGE: u64 = u64::MAX;

/// A set of files that holds the same samples at a number of variants.
pub trait GenotypeSource: Sync {
    /// The samples, in the order of the genotypes.
    fn samples(&self) -> &SampleTable;

    /// The variants, in the order of the file.
    fn sites(&self) -> &SiteTable;

    /// Forgets what only reading the samples needed, and shares them with a table that is the same.
    fn settle_samples(&mut self, _like: Option<&SampleTable>) {}

    /// Bytes of the genotypes, or of where they are, that it holds.
    fn held_bytes(&self) -> u64 {
        0
    }

    /// A place in the file, for one thread.
    fn cursor(&self) -> Box<dyn Cursor + '_>;
}

/// Reads genotypes of one variant at a time; fast where variants come in the order of the file.
pub trait Cursor: Send {
    /// Reads the genotypes of a variant (0-based, in the order of [`GenotypeSource::sites`]) in place of those that
    /// `into` held.
    ///
    /// # Errors
    /// There is no such variant, the file cannot be read or is damaged.
    fn read(&mut self, variant: usize, into: &mut Genotypes) -> Result<(), GenotypeError>;
}

/// Genotypes of all samples at one variant. Kept and filled again, so that memory is asked for once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Genotypes {
    /// Samples.
    pub samples: usize,
    /// Alleles with the reference: 2 or more; less only in BGEN.
    pub alleles: usize,
    /// How many copies of the contig each sample has, where the file says and they are not two for all; else empty.
    /// PLINK's files do not say: theirs are two copies always.
    pub ploidies: Vec<u8>,
    /// Hard calls: how many copies of alternate alleles. Absent in BGEN.
    pub calls: Calls,
    /// Where there are several alternate alleles, calls with others than the first.
    pub others: OtherAlleles,
    /// Dosages of the alternate alleles together; where there are none for a sample, its call is all that is known.
    pub dosages: Dosages,
    /// Phase, where it was asked for.
    pub phase: Phase,
}

/// Calls with other alternate alleles than the first, by increasing sample. Calls that are not here have the reference
/// and the first alternate only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherAlleles {
    /// Samples (0-based) with one copy of the reference: the number of the other allele, at least 2.
    pub with_reference: Vec<(u32, u32)>,
    /// Samples without the reference: the numbers of both alleles, at least 1 and in order, the second at least 2.
    pub without_reference: Vec<(u32, u32, u32)>,
}

/// Dosages as integers: `value / one` is the expected number of copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dosages {
    /// What one copy counts: 16,384 in PGEN, `2^bits - 1` in BGEN 1.2, 32,768 in BGEN 1.1.
    pub one: u64,
    /// Who has one.
    pub of: DosageOf,
    /// Samples (0-based, increasing), where only some have one.
    pub samples: Vec<u32>,
    /// Values, [`MISSING_DOSAGE`] where a genotype is missing.
    pub values: Vec<u64>,
}

/// Which samples have a dosage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DosageOf {
    /// None.
    #[default]
    Nobody,
    /// Those of [`Dosages::samples`], a value each.
    Some,
    /// All, a value each.
    All,
}

/// Which chromosome has which allele, by increasing sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// Heterozygous calls of known phase: samples (0-based), and whether the first chromosome has the higher allele.
    pub calls: Vec<(u32, bool)>,
    /// Dosages of known phase: samples (0-based), and the first chromosome's dosage less the second's, in units of
    /// [`Dosages::one`]. A phased call with a dosage that is not here has the split in which one chromosome holds 0 or 1
    /// copies, on the side that the call says.
    pub dosages: Vec<(u32, i32)>,
}

impl Genotypes {
    /// Empties all for a variant of so many samples and alleles.
    pub fn clear(&mut self, samples: usize, alleles: usize) {
        (self.samples, self.alleles) = (samples, alleles);
        self.ploidies.clear();
        self.calls.clear(samples);
        self.others.with_reference.clear();
        self.others.without_reference.clear();
        self.dosages.clear();
        self.phase.calls.clear();
        self.phase.dosages.clear();
    }

    /// Copies of one allele (0 is the reference) in the hard calls, packed as [`Calls::packed`] has them, in place of
    /// what `into` held.
    pub fn copies_of(&self, allele: u32, into: &mut Vec<u8>) {
        self.calls.packed(into);
        if allele == 0 {
            // What is no alternate allele, is the reference.
            calls::invert(into, self.samples);
            return;
        }
        if self.alleles <= 2 {
            return;
        }
        if allele > 1 {
            calls::keep_missing_only(into);
        }
        for &(sample, other) in &self.others.with_reference {
            calls::set(into, sample, u8::from(other == allele));
        }
        for &(sample, first, second) in &self.others.without_reference {
            calls::set(into, sample, u8::from(first == allele) + u8::from(second == allele));
        }
    }
}

impl Genotypes {
    /// Hard calls, packed as [`Calls::packed`] has them, in place of what `into` held. Where a file has dosages only, a call is the whole
    /// number that a dosage is at most 0.1 from, or missing (PLINK 2's `--hard-call-threshold`).
    pub fn hard_calls(&self, into: &mut Vec<u8>) {
        self.calls.packed(into);
        if self.calls.view() != View::Absent || self.dosages.one == 0 {
            return;
        }
        for (sample, value) in self.dosages.iter() {
            let copies = (value + self.dosages.one / 2) / self.dosages.one;
            let off = value.abs_diff(copies * self.dosages.one);
            let is_near = 10 * off <= self.dosages.one && copies <= 2;
            calls::set(into, sample, if is_near { copies as u8 } else { calls::MISSING });
        }
    }
}

impl Dosages {
    /// Has nobody have one.
    pub fn clear(&mut self) {
        (self.one, self.of) = (0, DosageOf::Nobody);
        self.samples.clear();
        self.values.clear();
    }

    /// Samples and their values, but for missing ones.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let all = (0u32..).take(if self.of == DosageOf::All { self.values.len() } else { 0 });
        let samples = self.samples.iter().copied().chain(all);
        samples.zip(self.values.iter().copied()).filter(|(_, value)| *value != MISSING_DOSAGE)
    }
}

/// Why genotypes could not be read; every message names its file.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct GenotypeError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: GenotypeProblem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum GenotypeProblem {
    /// The system failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file's first bytes are not as they must be, or it is cut.
    #[error("{0}")]
    File(String),
    /// A line of a text, from 1.
    #[error("line {line}: {what}")]
    Line {
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The genotypes of a variant, from 1.
    #[error("variant {variant}: {what}")]
    Variant {
        /// Its number in the file.
        variant: u64,
        /// What is wrong.
        what: String,
    },
}

impl GenotypeProblem {
    /// With the name of the file.
    pub fn of(self, path: &Path) -> GenotypeError {
        GenotypeError { path: path.to_owned(), source: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_near_whole_numbers() {
        let mut genotypes = Genotypes::default();
        genotypes.clear(6, 2);
        (genotypes.dosages.one, genotypes.dosages.of) = (100, DosageOf::All);
        genotypes.dosages.values = vec![0, 10, 89, 110, 195, MISSING_DOSAGE];
        let mut packed = Vec::new();
        genotypes.hard_calls(&mut packed);
        assert_eq!(packed, [0b0111_0000, 0b1110]);
        genotypes.calls.set_packed(&[0b1001, 0]);
        genotypes.hard_calls(&mut packed);
        assert_eq!(packed, [0b1001, 0]);
    }

    #[test]
    fn copies_of_each_allele_are_counted() {
        let mut genotypes = Genotypes::default();
        genotypes.clear(5, 4);
        // 0/1, 0/3, 2/3, missing, 0/0
        genotypes.calls.set_packed(&[0b1110_0101, 0b00]);
        genotypes.others.with_reference.push((1, 3));
        genotypes.others.without_reference.push((2, 2, 3));
        let mut copies = Vec::new();
        for (allele, expected) in
            [(0, [0b1100_0101, 0b10]), (1, [0b1100_0001, 0]), (2, [0b1101_0000, 0]), (3, [0b1101_0100, 0])]
        {
            genotypes.copies_of(allele, &mut copies);
            assert_eq!(copies, expected, "{allele}");
        }
    }
}
