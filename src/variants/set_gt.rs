//! Genotypes set anew: bcftools' `+setGT`.
//!
//! A genotype is worked on as BCF has it: each allele as twice its number and two, 0 where it is missing, and one more
//! where it is phased. The first allele's phase is that of all others, as in htslib from 1.22 on.

use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use super::allele_counts;
use super::filter::Condition;
use super::genotype;
use super::pipeline::{Each, RecordProblem};
use super::view::Choice;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Record, parse_integer};

/// Which genotypes are set (`-t`).
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `./.`: all alleles are missing.
    Missing,
    /// `./x`: some are.
    Partial,
    /// `.`: some or all are.
    AnyMissing,
    /// `a`: all.
    All,
    /// `b:TAG<0.01`: heterozygotes whose reads do not look like one.
    Binomial {
        /// A FORMAT tag with a count for each allele.
        tag: String,
        /// Whether the chance is such that the genotype is set.
        compare: Comparison,
        /// The chance.
        chance: f64,
    },
}

/// How a chance is compared with the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
}

/// What they are set to (`-n`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewGenotype {
    /// `.`
    Missing,
    /// `0`, with `p` phased.
    Reference {
        /// `p`
        phased: bool,
    },
    /// `M` or `m`: the most frequent or the second most frequent allele, with `p` phased.
    Frequent {
        /// `M`, not `m`.
        major: bool,
        /// `p`
        phased: bool,
    },
    /// `X`: the allele with most reads (FORMAT/AD).
    MostReads,
    /// `p`
    Phased,
    /// `u`: not phased, the alleles in order.
    Unphased,
    /// `i`: the two alleles change places.
    Inverted,
    /// `c:GT`
    Custom(Vec<(bool, CustomAllele)>),
}

/// An allele of a custom genotype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomAllele {
    /// A number; missing where the site does not have it.
    Number(usize),
    /// `.`
    Missing,
    /// `M`
    Major,
    /// `m`
    Minor,
    /// `X`
    MostReads,
}

/// A word that cannot be understood.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is none of bcftools' {1}")]
pub struct SetGtError(String, &'static str);

impl Target {
    /// Reads `-t`, all but `q` and `r:`.
    ///
    /// # Errors
    /// It is none of them.
    pub fn parse(text: &str) -> Result<Self, SetGtError> {
        Ok(match text {
            "." => Self::AnyMissing,
            "./x" => Self::Partial,
            "./." => Self::Missing,
            "a" => Self::All,
            _ => return Self::binomial(text).ok_or_else(|| SetGtError(text.to_owned(), "target genotypes")),
        })
    }

    /// The FORMAT tag that is looked at.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Binomial { tag, .. } => Some(tag),
            _ => None,
        }
    }

    fn binomial(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("b:")?;
        let at = rest.find(['<', '>', '='])?;
        let (tag, rest) = rest.split_at(at);
        let comparisons = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("==", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("=", Comparison::Equal),
        ];
        let (sign, compare) = comparisons.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
        let tag = tag.strip_prefix("FMT/").or_else(|| tag.strip_prefix("FORMAT/")).unwrap_or(tag);
        let chance = rest[sign.len()..].trim().parse().ok()?;
        Some(Self::Binomial { tag: tag.trim().to_owned(), compare, chance })
    }
}

impl NewGenotype {
    /// Reads `-n`.
    ///
    /// # Errors
    /// It is none of them.
    pub fn parse(text: &str) -> Result<Self, SetGtError> {
        let unknown = || SetGtError(text.to_owned(), "new genotypes");
        if let Some(custom) = text.strip_prefix("c:") {
            return Self::custom(custom).ok_or_else(unknown);
        }
        let has = |letter| text.contains(letter);
        let phased = has('p');
        if text.is_empty() || !text.chars().all(|c| ".0mMXpui".contains(c)) {
            return Err(unknown());
        }
        Ok(if has('u') {
            Self::Unphased
        } else if text == "p" {
            Self::Phased
        } else if has('X') {
            Self::MostReads
        } else if has('i') {
            Self::Inverted
        } else if has('m') {
            Self::Frequent { major: false, phased }
        } else if has('M') {
            Self::Frequent { major: true, phased }
        } else if has('0') {
            Self::Reference { phased }
        } else {
            Self::Missing
        })
    }

    fn custom(text: &str) -> Option<Self> {
        let mut alleles = Vec::new();
        let mut rest = text;
        let mut phased = false;
        while !rest.is_empty() {
            let end = rest.find(['/', '|']).unwrap_or(rest.len());
            let allele = match &rest[..end] {
                "." => CustomAllele::Missing,
                "m" => CustomAllele::Minor,
                "M" => CustomAllele::Major,
                "X" => CustomAllele::MostReads,
                number => CustomAllele::Number(number.parse().ok()?),
            };
            alleles.push((phased, allele));
            phased = rest[end..].starts_with('|');
            rest = rest.get(end + 1..).unwrap_or("");
        }
        (!alleles.is_empty()).then_some(Self::Custom(alleles))
    }

    fn needs(&self, major: bool) -> bool {
        let wanted = if major { CustomAllele::Major } else { CustomAllele::Minor };
        match self {
            Self::Frequent { major: is, .. } => *is == major,
            Self::Custom(alleles) => alleles.iter().any(|(_, allele)| *allele == wanted),
            _ => false,
        }
    }

    fn needs_reads(&self) -> bool {
        match self {
            Self::MostReads => true,
            Self::Custom(alleles) => alleles.iter().any(|(_, allele)| *allele == CustomAllele::MostReads),
            _ => false,
        }
    }
}

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

impl Each for SetGt {
    fn apply(&self, mut record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        let samples = record.sample_texts().count();
        let field = record.format_index(b"GT");
        let mut genotypes: Vec<Vec<i64>> = match field {
            Some(field) => record.cells(field).map(read).collect(),
            None => vec![Vec::new(); samples],
        };
        if samples == 0 || (field.is_none() && !matches!(self.new, NewGenotype::Custom(_))) {
            out.push(record);
            return Ok(());
        }
        let Some(site) = Site::of(&record, &self.new, samples)? else {
            out.push(record);
            return Ok(());
        };
        let is_diploid = genotypes.iter().any(|genotype| genotype.len() >= 2);
        let fails = if is_diploid { self.fails_binomial(&record, &genotypes)? } else { None };
        let chosen = match &self.filter {
            Some(filter) => match filter(&record)? {
                Some(chosen) => Some(chosen),
                None => {
                    out.push(record);
                    return Ok(());
                }
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
            if is_target {
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
        out.push(record);
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
    fn words_are_read() {
        assert_eq!(Target::parse("./x"), Ok(Target::Partial));
        assert_eq!(
            Target::parse("b:AD<=1e-3"),
            Ok(Target::Binomial { tag: "AD".into(), compare: Comparison::LessOrEqual, chance: 1e-3 })
        );
        assert!(Target::parse("z").is_err());
        assert_eq!(NewGenotype::parse("0p"), Ok(NewGenotype::Reference { phased: true }));
        assert_eq!(
            NewGenotype::parse("c:m|1"),
            Ok(NewGenotype::Custom(vec![(false, CustomAllele::Minor), (true, CustomAllele::Number(1))]))
        );
        assert!(NewGenotype::parse("c:m/x").is_err());
        assert!(NewGenotype::parse("q").is_err());
    }

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
