//! Genotypes of two files set against one another, at sites that both have.
//!
//! What is compared is how many alternate alleles a genotype has, not which. Dosages are 0, 1 and 2, so that all sums are
//! of integers.

use super::alleles::Alleles;
use super::genotypes::{Class, Genotype};
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::Record;
use crate::records::kinds::Kinds;

/// Homozygous for the reference, heterozygous with it, homozygous alternate, heterozygous alternate, missing.
pub(super) const CLASSES: usize = 5;

/// Pairs of genotypes: the first file's class, then the second's; and sums of their dosages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agreement {
    pub(super) pairs: [[u64; CLASSES]; CLASSES],
    pub(super) dosages: Dosages,
}

/// Sums over pairs of the dosages in the first file (y) and in the second (x).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dosages {
    pub(super) count: u64,
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) xx: u64,
    pub(super) yy: u64,
    pub(super) xy: u64,
}

impl Dosages {
    fn observe(&mut self, y: u64, x: u64) {
        self.merge(&Self { count: 1, x, y, xx: x * x, yy: y * y, xy: x * y });
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.x += other.x;
        self.y += other.y;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    /// The same with the pairs of singletons, of which bcftools 1.24 forgets the second file's dosages.
    pub(super) fn with_singletons(mut self, singletons: &Self) -> Self {
        self.merge(&Self { x: 0, ..*singletons });
        self
    }

    /// Pearson's r squared, if there is one; the operations are in bcftools' order.
    pub(super) fn r_squared(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let (n, x, y) = (self.count as f64, self.x as f64, self.y as f64);
        let spread = (self.xx as f64 - x * x / n) * (self.yy as f64 - y * y / n);
        let r = (self.xy as f64 - x * y / n) / spread.sqrt();
        (!r.is_nan()).then_some(r * r)
    }
}

impl Agreement {
    fn observe(&mut self, first: Class, second: Class) {
        self.pairs[place(first)][place(second)] += 1;
        if let (Some((y, y_is_haploid)), Some((x, x_is_haploid))) = (dosage(first), dosage(second))
            && y_is_haploid == x_is_haploid
        {
            self.dosages.observe(y, x);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (counts, more) in self.pairs.iter_mut().zip(&other.pairs) {
            super::add(counts, more);
        }
        self.dosages.merge(&other.dosages);
    }
}

/// Genotypes of both files by frequency and by sample; of SNPs, and of all else, which the report calls indels.
#[derive(Clone, Debug)]
pub(super) struct Concordance {
    pub(super) by_frequency: [Vec<Agreement>; 2],
    pub(super) by_sample: [Vec<Agreement>; 2],
}

impl Concordance {
    /// Nothing compared, with so many bins of frequencies and samples.
    pub(super) fn new(frequencies: usize, samples: usize) -> Self {
        let some = |count: usize| [vec![Agreement::default(); count], vec![Agreement::default(); count]];
        Self { by_frequency: some(frequencies), by_sample: some(samples) }
    }

    /// Compares the genotypes of the samples at a site whose alleles are those of the first file. Sites without an
    /// alternate allele are left out.
    pub(super) fn observe(&mut self, alleles: &Alleles, first: &[Genotype], second: &[Genotype]) {
        let Some(&bin) = alleles.bins.get(1) else { return };
        let kind = usize::from(!alleles.all.meets(Kinds::SNP));
        let by_frequency = &mut self.by_frequency[kind][bin];
        for ((sample, first), second) in self.by_sample[kind].iter_mut().zip(first).zip(second) {
            sample.observe(first.class, second.class);
            by_frequency.observe(first.class, second.class);
        }
    }

    /// Adds what was compared at other sites.
    pub(super) fn merge(&mut self, other: &Self) {
        let mine = self.by_frequency.iter_mut().chain(&mut self.by_sample).flatten();
        for (agreement, more) in mine.zip(other.by_frequency.iter().chain(&other.by_sample).flatten()) {
            agreement.merge(more);
        }
    }
}

/// Writes the samples that differ at a site (DBG), and what the site comes to (PSD).
pub(super) fn write_site(
    record: &Record,
    alleles: &Alleles,
    names: &[String],
    first: &[Genotype],
    second: &[Genotype],
    out: &mut Vec<u8>,
) {
    if alleles.len() < 2 {
        return;
    }
    let place = |tag: &[u8], out: &mut Vec<u8>| {
        out.extend_from_slice(tag);
        out.extend_from_slice(record.chrom());
        out.push(b'\t');
        write_integer(record.position() + 1, out);
    };
    let (mut matches, mut variants, mut mismatches) = (0u32, 0u32, 0u32);
    for ((name, first), second) in names.iter().zip(first).zip(second) {
        match (first.class, second.class) {
            (Class::Missing, _) | (_, Class::Missing) => {}
            (first, second) if first == second => {
                matches += 1;
                variants += u32::from(first != Class::ReferenceHomozygous);
            }
            (first, second) => {
                mismatches += 1;
                place(b"DBG\t", out);
                out.extend_from_slice(format!("\t{name}\t{}\t{}\n", first.code(), second.code()).as_bytes());
            }
        }
    }
    let discordance = match variants + mismatches {
        0 => 0.0,
        all => (100.0 * f64::from(mismatches) / f64::from(all)) as f32,
    };
    place(b"PSD\t", out);
    out.extend_from_slice(format!("\t{matches}\t{mismatches}\t{discordance:.6}\n").as_bytes());
}

/// The place of a class among [`CLASSES`]; haploid ones count as homozygous.
fn place(class: Class) -> usize {
    match class {
        Class::ReferenceHomozygous | Class::ReferenceHaploid => 0,
        Class::Heterozygous => 1,
        Class::AlternateHomozygous | Class::AlternateHaploid => 2,
        Class::AlternateHeterozygous => 3,
        Class::Missing => 4,
    }
}

/// How many alternate alleles a genotype has, and whether it is haploid.
fn dosage(class: Class) -> Option<(u64, bool)> {
    match class {
        Class::ReferenceHomozygous => Some((0, false)),
        Class::Heterozygous => Some((1, false)),
        Class::AlternateHomozygous | Class::AlternateHeterozygous => Some((2, false)),
        Class::ReferenceHaploid => Some((0, true)),
        Class::AlternateHaploid => Some((1, true)),
        Class::Missing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_squared_is_that_of_pearson() {
        // By hand: deviations of (0,1,2) and (0,2,1) from 1 give 1 / sqrt(2 * 2), of which the square is 1/4.
        for (pairs, expected) in [
            (&[(0, 0), (1, 2), (2, 1)][..], Some(0.25)),
            (&[(0, 0), (1, 1), (2, 2)], Some(1.0)),
            (&[(0, 2), (1, 1), (2, 0)], Some(1.0)),
            (&[(1, 1), (1, 2)], None),
            (&[], None),
        ] {
            let mut dosages = Dosages::default();
            pairs.iter().for_each(|&(y, x)| dosages.observe(y, x));
            assert_eq!(dosages.r_squared(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn haploid_and_diploid_genotypes_have_no_common_dosage() {
        let mut agreement = Agreement::default();
        agreement.observe(Class::AlternateHaploid, Class::AlternateHomozygous);
        assert_eq!((agreement.pairs[2][2], agreement.dosages.count), (1, 0));
        agreement.observe(Class::AlternateHaploid, Class::ReferenceHaploid);
        assert_eq!((agreement.pairs[2][0], agreement.dosages.count), (1, 1));
    }
}
