//! Genotypes set anew: bcftools' `+setGT`.
//!
//! A genotype is worked on as BCF has it: each allele as twice its number and two, 0 where it is missing, and one more
//! where it is phased. The first allele's phase is that of all others, as in htslib from 1.22 on.

mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::allele_counts;
use crate::compute::drand48::Drand48;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Record, parse_integer};
use crate::records::condition::{Choice, Condition};
use crate::records::genotype;
use crate::records::pipeline::{self, RecordProblem, Revise};
pub use words::{Comparison, CustomAllele, NewGenotype, SetGtError, Target};

/// Which samples of a record are looked at.
pub type SampleFilter = dyn Fn(&Record) -> Result<Option<Vec<bool>>, RecordProblem> + Send + Sync;

/// The samples that a condition chooses (`-t q`): with `-i` those of which the expression is true; with `-e`, the others,
/// and all where it is true of no sample.
pub fn chosen_by(condition: Condition) -> Box<SampleFilter> {
    let includes = condition.choice() == Choice::Include;
    Box::new(move |record| {
        let outcome = condition.test(record)?;
        let everybody = || vec![true; record.sample_texts().count()];
        let chosen = match (includes, outcome.samples) {
            (true, samples) => outcome.site.then(|| samples.unwrap_or_else(everybody)),
            // The site is such that the expression is true of it.
            (false, Some(samples)) if !outcome.site => {
                let others: Vec<bool> = samples.iter().map(|chosen| !chosen).collect();
                others.contains(&true).then_some(others)
            }
            (false, None) if !outcome.site => None,
            (false, _) => Some(everybody()),
        };
        Ok(chosen)
    })
}

/// Sets genotypes.
pub struct SetGt {
    target: Target,
    new: NewGenotype,
    /// Samples to be looked at, for `-t q`; `None` from it where no sample is.
    filter: Option<Box<SampleFilter>>,
    changed: AtomicU64,
}

/// A missing allele.
const MISSING: i64 = 0;

fn of_allele(allele: usize, phased: bool) -> i64 {
    (allele as i64 + 1) << 1 | i64::from(phased)
}

impl SetGt {
    /// A step.
    pub fn new(target: Target, new: NewGenotype, filter: Option<Box<SampleFilter>>) -> Self {
        Self { target, new, filter, changed: AtomicU64::new(0) }
    }

    /// The header: GT is declared.
    pub fn header(header: &Header) -> Header {
        let mut header = header.clone();
        header.add_missing("##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">");
        header
    }

    /// How many alleles have been changed so far.
    pub fn changed(&self) -> u64 {
        self.changed.load(Ordering::Relaxed)
    }

    fn is_target(&self, genotype: &[i64]) -> bool {
        let missing = genotype.iter().filter(|allele| **allele >> 1 == 0).count();
        match self.target {
            Target::All => true,
            Target::Partial => missing > 0,
            Target::AnyMissing => missing > 0 || genotype.is_empty(),
            Target::Missing => missing == genotype.len(),
            Target::Binomial { .. } => false,
        }
    }

    /// For each sample whether its genotype fails the binomial test; `None` where the record has no counts.
    fn fails_binomial(
        &self,
        record: &Record,
        genotypes: &[Vec<i64>],
    ) -> Result<Option<Vec<bool>>, RecordProblem> {
        let Target::Binomial { tag, compare, chance } = &self.target else { return Ok(None) };
        let Some(field) = record.format_index(tag.as_bytes()) else { return Ok(None) };
        let width =
            record.cells(field).map(|cell| 1 + memchr::memchr_iter(b',', cell).count()).max().unwrap_or(0);
        let mut fails = Vec::with_capacity(genotypes.len());
        for (genotype, cell) in genotypes.iter().zip(record.cells(field)) {
            let &[a, b] = &genotype[..genotype.len().min(2)] else {
                fails.push(false);
                continue;
            };
            let (a, b) = ((a >> 1) - 1, (b >> 1) - 1);
            if a < 0 || b < 0 || a == b {
                fails.push(false);
                continue;
            }
            if a.max(b) as usize >= width {
                return Err(RecordProblem::at(record, format!("FORMAT/{tag} has too few values")));
            }
            let count = |allele: i64| {
                let text = cell.split(|&b| b == b',').nth(allele as usize);
                text.and_then(parse_integer).unwrap_or(i64::from(i32::MIN))
            };
            let found = binomial_two_sided(count(a), count(b));
            fails.push(match compare {
                Comparison::Less => found < *chance,
                Comparison::LessOrEqual => found <= *chance,
                Comparison::Greater => found > *chance,
                Comparison::GreaterOrEqual => found >= *chance,
                Comparison::Equal => found == *chance,
            });
        }
        Ok(Some(fails))
    }
}

impl Revise for SetGt {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        self.set(record, &mut || true)?;
        Ok(true)
    }
}

impl SetGt {
    /// Sets the genotypes of a record, of each target those only for which `draw` says so; it is asked for every target,
    /// in the order of the samples.
    fn set(&self, record: &mut Record, draw: &mut dyn FnMut() -> bool) -> Result<(), RecordProblem> {
        let samples = record.sample_texts().count();
        let field = record.format_index(b"GT");
        let mut genotypes: Vec<Vec<i64>> = match field {
            Some(field) => record.cells(field).map(read).collect(),
            None => vec![Vec::new(); samples],
        };
        let can_be_set = field.is_some() || matches!(self.new, NewGenotype::Custom(_));
        let site = if samples > 0 && can_be_set { Site::of(record, &self.new, samples)? } else { None };
        if can_be_set && site.is_none() {
            return Ok(());
        }
        let is_diploid = genotypes.iter().any(|genotype| genotype.len() >= 2);
        let fails = if is_diploid { self.fails_binomial(record, &genotypes)? } else { None };
        let chosen = match &self.filter {
            Some(filter) => match filter(record)? {
                Some(chosen) => Some(chosen),
                None => return Ok(()),
            },
            None => None,
        };
        let mut changed = 0;
        for (sample, genotype) in genotypes.iter_mut().enumerate() {
            let is_target = match (&fails, &chosen) {
                (Some(fails), _) => fails[sample],
                (None, Some(chosen)) => chosen.get(sample).copied().unwrap_or(false),
                (None, None) => self.is_target(genotype),
            };
            if is_target
                && draw()
                && let Some(site) = &site
            {
                changed += site.set(&self.new, sample, genotype);
            }
        }
        if changed > 0 {
            self.changed.fetch_add(changed, Ordering::Relaxed);
            let (mut text, mut ends) = (Vec::new(), Vec::new());
            for genotype in &genotypes {
                write(genotype, &mut text);
                ends.push(text.len());
            }
            record.set_format(b"GT", &text, &ends);
        }
        Ok(())
    }
}

/// `r:`: of the targets a share only, drawn as bcftools draws them, so that the same seed gives the same genotypes. Draws
/// follow the records' order, so this runs on one thread.
pub struct Drawn {
    step: Arc<SetGt>,
    share: f64,
    numbers: Drand48,
}

impl Drawn {
    /// A step that sets this share of the targets, more than 0 and less than 1.
    pub fn new(step: Arc<SetGt>, share: f64, seed: i64) -> Self {
        Self { step, share, numbers: Drand48::new(seed) }
    }
}

impl pipeline::Ordered for Drawn {
    fn push(&mut self, records: Vec<Record>, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        for mut record in records {
            self.step.set(&mut record, &mut || self.numbers.next() <= self.share)?;
            out.push(record);
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<Record>) -> Result<(), RecordProblem> {
        Ok(())
    }
}

/// What a site has for the new genotypes.
struct Site {
    alleles: usize,
    major: usize,
    minor: usize,
    /// For each sample the allele with most reads.
    most_reads: Vec<Option<usize>>,
}

impl Site {
    /// `None` where the site lacks what is needed, and is passed over.
    fn of(record: &Record, new: &NewGenotype, samples: usize) -> Result<Option<Self>, RecordProblem> {
        let alleles = record.allele_count();
        let mut site = Self { alleles, major: 0, minor: 0, most_reads: Vec::new() };
        if new.needs(true) || new.needs(false) {
            let mut counts = Vec::new();
            if !allele_counts::of_genotypes(record, &mut counts)? {
                return Err(RecordProblem::at(record, "there is no GT to count alleles by"));
            }
            let most = |left_out: Option<usize>| {
                let others = (0..alleles).filter(|allele| Some(*allele) != left_out);
                others.reduce(|best, allele| if counts[allele] > counts[best] { allele } else { best })
            };
            site.major = most(None).unwrap_or(0);
            site.minor = most(Some(site.major)).unwrap_or(0);
        }
        if new.needs_reads() {
            let Some(field) = record.format_index(b"AD") else { return Ok(None) };
            let width = record.cells(field).map(|cell| 1 + memchr::memchr_iter(b',', cell).count()).max();
            if width != Some(alleles) {
                return Ok(None);
            }
            for cell in record.cells(field).take(samples) {
                let mut best: Option<(usize, i64)> = None;
                for (allele, depth) in cell.split(|&b| b == b',').enumerate() {
                    if let Some(depth) = parse_integer(depth)
                        && best.is_none_or(|(_, most)| most < depth)
                    {
                        best = Some((allele, depth));
                    }
                }
                site.most_reads.push(best.map(|(allele, _)| allele));
            }
        }
        Ok(Some(site))
    }

    /// Sets a genotype; how many alleles have changed.
    fn set(&self, new: &NewGenotype, sample: usize, genotype: &mut Vec<i64>) -> u64 {
        let most_reads = || self.most_reads.get(sample).copied().flatten();
        match new {
            NewGenotype::Missing => set_all(genotype, MISSING),
            NewGenotype::Reference { phased } => set_all(genotype, of_allele(0, *phased)),
            NewGenotype::Frequent { major, phased } => {
                set_all(genotype, of_allele(if *major { self.major } else { self.minor }, *phased))
            }
            NewGenotype::MostReads => {
                set_all(genotype, most_reads().map_or(MISSING, |allele| of_allele(allele, false)))
            }
            NewGenotype::Phased => {
                let changed = genotype.iter().filter(|allele| **allele & 1 == 0).count();
                genotype.iter_mut().for_each(|allele| *allele |= 1);
                changed as u64
            }
            NewGenotype::Unphased => {
                let changed = genotype.iter().filter(|allele| **allele & 1 == 1).count();
                genotype.iter_mut().for_each(|allele| *allele &= !1);
                genotype.sort_unstable();
                changed as u64
            }
            NewGenotype::Inverted => match genotype[..] {
                [a, b] => {
                    *genotype = vec![b & !1, (a & !1) | (b & 1)];
                    2
                }
                _ => 0,
            },
            NewGenotype::Custom(alleles) => {
                let value = |&(phased, allele): &(bool, CustomAllele)| {
                    let number = match allele {
                        CustomAllele::Number(number) => Some(number),
                        CustomAllele::Missing => None,
                        CustomAllele::Major => Some(self.major),
                        CustomAllele::Minor => Some(self.minor),
                        CustomAllele::MostReads => most_reads(),
                    };
                    number
                        .filter(|number| *number < self.alleles)
                        .map_or(MISSING, |number| of_allele(number, phased))
                };
                let wanted: Vec<i64> = alleles.iter().map(value).collect();
                let changed = u64::from(wanted != *genotype);
                *genotype = wanted;
                changed
            }
        }
    }
}

fn set_all(genotype: &mut [i64], value: i64) -> u64 {
    let changed = genotype.iter().filter(|allele| **allele != value).count();
    genotype.fill(value);
    changed as u64
}

fn read(cell: &[u8]) -> Vec<i64> {
    let mut alleles: Vec<i64> = genotype::phased_alleles(cell)
        .map(|(phased, allele)| {
            allele.map_or(MISSING | i64::from(phased), |allele| of_allele(allele, phased))
        })
        .collect();
    let is_phased = match &alleles[..] {
        [only] => *only != 0,
        [_, others @ ..] => others.iter().all(|allele| allele & 1 == 1),
        [] => false,
    };
    if let Some(first) = alleles.first_mut() {
        *first |= i64::from(is_phased);
    }
    alleles
}

fn write(genotype: &[i64], out: &mut Vec<u8>) {
    for (i, &allele) in genotype.iter().enumerate() {
        if i > 0 {
            out.push(if allele & 1 == 1 { b'|' } else { b'/' });
        }
        match allele >> 1 {
            0 => out.push(b'.'),
            number => write_integer(number - 1, out),
        }
    }
    if genotype.is_empty() {
        out.push(b'.');
    }
}

/// The chance of counts as uneven as these or more so, where both are as likely: twice the tail of the binomial.
fn binomial_two_sided(a: i64, b: i64) -> f64 {
    if a < 0 || b < 0 || a + b == 0 {
        return if a + b == 0 { 1.0 } else { f64::NAN };
    }
    if a == b {
        return 1.0;
    }
    let (few, total) = (a.min(b), a + b);
    // Sum of choose(total, k) / 2^total over k up to the smaller count, in logarithms against overflow.
    let mut term = -(total as f64) * 2f64.ln();
    let mut sum = term.exp();
    for k in 1..=few {
        term += ((total - k + 1) as f64 / k as f64).ln();
        sum += term.exp();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binomial_test_has_two_sides() {
        // Sums of rows of Pascal's triangle.
        for (a, b, expected) in
            [(0, 4, 2.0 / 16.0), (1, 4, 12.0 / 32.0), (5, 5, 1.0), (3, 2, 1.0), (9, 0, 2.0 / 512.0)]
        {
            assert!((binomial_two_sided(a, b) - expected).abs() < 1e-12, "{a} {b}");
        }
    }
}
