//! De novo variants: FORMAT tags with the probability that a child's variant is new, the allele, and its share of reads; what
//! bcftools' `+trio-dnm2` (1.23) writes.
//!
//! Where bcftools reads other samples' values, or drops a record, this does not: with `--force-AD` an allele behind a list's
//! end has no reads; a missing number of reads makes the share missing; each trio of a cohort has its own likelihoods at
//! sites of more than four alleles; called genotypes at such sites name the allele by its number, and know which is REF; and
//! a record that has neither QS nor AD is kept.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use super::gate::{Gate, Passing};
use super::inheritance::{Call, Calls};
use super::likelihoods::{Lines, Lists, Scratch, qualities_of_depths};
use super::pedigree::Trio;
pub use super::posterior::Score;
use super::posterior::{Weighing, log_of_phred, log_of_rest, weigh};
use super::priors::{Pattern, PriorOptions, Priors, place};
use super::settings::{Model, ParentsBy, Scale, Settings};
use super::share::percent;
use crate::formats::vcf::extent;
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::number::{write_float, write_integer};
use crate::formats::vcf::record::Record;
use crate::genome::intervals::Interval;
use crate::records::kinds::Kinds;
use crate::records::pipeline::{RecordProblem, Revise};

/// Why de novo variants cannot be looked for.
#[derive(Debug, Error)]
pub enum DenovoError {
    /// A tag is not declared, or not as integers.
    #[error("the header declares no integers of FORMAT/{0}, which {1}")]
    NoTag(&'static str, &'static str),
    /// A flag of likelihoods, or another scale of called genotypes.
    #[error("the score of called genotypes is a flag, and no other is")]
    Scale,
}

/// What a child without a new allele gets in the tag of the allele where others have one (called genotypes).
const NO_ALLELE: i64 = 255;

/// A search under one header.
#[derive(Debug)]
pub struct Denovo {
    settings: Settings,
    trios: Vec<Trio>,
    samples: usize,
    /// Of autosomes, sons' X and daughters' X.
    priors: [Priors; 3],
    has_depths: bool,
    warned: AtomicBool,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What is found at a site.
#[derive(Debug, Default)]
pub struct Findings {
    /// For each trio its score; `None` where it was not weighed.
    pub scores: Vec<Option<Score>>,
    /// For each sample the new allele's share of reads in percent; empty where no trio has one.
    shares: Vec<Option<i32>>,
}

impl Denovo {
    /// A search with these settings.
    ///
    /// # Errors
    /// The header lacks what the model needs, or the scale does not go with it.
    pub fn new(settings: Settings, trios: Vec<Trio>, header: &Header) -> Result<Self, DenovoError> {
        let is_called = settings.model == Model::Genotypes;
        if is_called != (settings.scale == Scale::Flag) {
            return Err(DenovoError::Scale);
        }
        let has = |tag: &[u8]| header.format(tag).is_some_and(|tag| tag.kind == Type::Integer);
        let has_depths = !is_called && has(b"AD");
        let needed: &[(&str, &str, bool)] = &[
            ("PL", "the model needs (--use-NAIVE takes GT)", !is_called),
            (
                "QS",
                "the model needs (--with-pAD takes AD, --with-pPL takes PL, the latter at the cost of more false positives)",
                settings.model == Model::Alleles(ParentsBy::Qualities),
            ),
            ("AD", "--with-pAD takes", settings.model == Model::Alleles(ParentsBy::Depths)),
        ];
        if let Some((tag, why, _)) =
            needed.iter().find(|(tag, _, is_needed)| *is_needed && !has(tag.as_bytes()))
        {
            return Err(DenovoError::NoTag(tag, why));
        }
        if is_called && header.format(b"GT").is_none() {
            return Err(DenovoError::NoTag("GT", "--use-NAIVE takes"));
        }
        let options = PriorOptions {
            denovogear: settings.denovogear_priors,
            strictly_novel: settings.strictly_novel,
            mutation_rate: settings.mutation_rate,
        };
        let priors = [Pattern::Autosome, Pattern::SonsX, Pattern::DaughtersX];
        let priors = priors.map(|pattern| Priors::new(pattern, options));
        let warned = AtomicBool::new(false);
        Ok(Self { settings, trios, samples: header.samples().len(), priors, has_depths, warned })
    }

    /// Whether the header declares numbers of reads, without which there are no shares.
    pub fn has_depths(&self) -> bool {
        self.has_depths
    }

    /// The header with our tags declared; what declares them already stays.
    pub fn header(&self, header: &Header) -> Header {
        let Settings { scale, score_tag, allele_tag, share_tag, .. } = &self.settings;
        let (kind, what) = match scale {
            Scale::Log => ("Float", "log scaled value (bigger value = bigger confidence)"),
            Scale::Phred => ("Integer", "phred value (bigger value = bigger confidence)"),
            Scale::Probability => ("Float", "probability"),
            Scale::Flag => ("Integer", "1 for Mendelian-incompatible genotypes"),
        };
        let mut header = header.clone();
        let mut declare = |tag: &str, kind: &str, what: &str| {
            header.add_missing(&format!("##FORMAT=<ID={tag},Number=1,Type={kind},Description=\"{what}\">"));
        };
        declare(score_tag, kind, &format!("De-novo mutation score given as {what}"));
        declare(allele_tag, "Integer", "The de-novo allele");
        if self.has_depths {
            declare(share_tag, "Integer", "The percentage of ALT reads");
        }
        header
    }

    /// Weighs the trios that pass at a site; `None` where there is nothing to weigh.
    ///
    /// # Errors
    /// The record lacks what the model needs, if that is strict.
    pub(super) fn screen(
        &self,
        record: &Record,
        passing: &Passing,
    ) -> Result<Option<Findings>, RecordProblem> {
        if *passing == Passing::None || Kinds::of(record) == Kinds::REFERENCE {
            return Ok(None);
        }
        match self.settings.model {
            Model::Genotypes => self.screen_calls(record, passing),
            Model::Alleles(parents) => self.screen_likelihoods(record, passing, Some(parents)),
            Model::DeNovoGear => self.screen_likelihoods(record, passing, None),
        }
    }

    /// Whether a score is high enough to be told.
    pub fn is_told(&self, score: &Score) -> bool {
        match self.settings.model {
            Model::Genotypes => score.phred > 0.0,
            _ => score.phred >= self.settings.least_score,
        }
    }

    /// Writes what was found.
    pub(super) fn annotate(&self, record: &mut Record, findings: &Findings) {
        let is_called = self.settings.model == Model::Genotypes;
        let is_told = |score: &&Score| self.is_told(score);
        if !findings.scores.iter().flatten().any(|score| is_told(&score)) {
            return;
        }
        let mut by_sample: Vec<Option<&Score>> = vec![None; self.samples];
        for (trio, score) in self.trios.iter().zip(&findings.scores) {
            if let Some(score) = score.as_ref().filter(|score| is_called || is_told(score)) {
                by_sample[trio.child] = Some(score);
            }
        }
        let Settings { score_tag, allele_tag, share_tag, scale, strict, .. } = &self.settings;
        let tags = [score_tag, allele_tag, share_tag].map(|tag| tag.as_bytes());
        let tags = if findings.shares.is_empty() { &tags[..2] } else { &tags[..] };
        let of = |sample: usize| by_sample.get(sample).copied().flatten();
        record.set_formats(tags, |sample, number, out| match (number, of(sample)) {
            (0, Some(score)) => write_score(*scale, score.phred, out),
            (1, Some(score)) if self.is_told(score) => write_integer(score.allele as i64, out),
            (1, Some(_)) if *strict => write_integer(NO_ALLELE, out),
            (2, _) => match findings.shares.get(sample).copied().flatten() {
                Some(share) => write_integer(i64::from(share), out),
                None => out.push(b'.'),
            },
            _ => out.push(b'.'),
        });
    }

    fn screen_likelihoods(
        &self,
        record: &Record,
        passing: &Passing,
        parents: Option<ParentsBy>,
    ) -> Result<Option<Findings>, RecordProblem> {
        let alleles = record.allele_count();
        let depths = self.depths(record, alleles)?;
        let Some(lines) = self.lines(record, alleles, parents, depths)? else { return Ok(None) };
        let levels = &self.settings.noise;
        let noise = if Kinds::of(record).meets(Kinds::INDEL) { &levels.indel } else { &levels.snv };
        let noise = parents.map(|_| noise);
        let strictly_novel = self.settings.strictly_novel;
        let weighing = match parents {
            None => Weighing::DeNovoGear,
            Some(ParentsBy::Likelihoods) => Weighing::ByGenotype { strictly_novel },
            Some(_) => Weighing::ByAllele { strictly_novel },
        };
        let is_x = self.is_x(record);
        let mut findings = Findings { scores: Vec::with_capacity(self.trios.len()), shares: Vec::new() };
        SCRATCH.with_borrow_mut(|scratch| {
            for (number, trio) in self.trios.iter().enumerate() {
                let is_read = match (passing.has(number), self.settings.strict) {
                    (false, _) => false,
                    (true, true) => {
                        lines.read(trio, noise, scratch);
                        true
                    }
                    (true, false) => lines.read_any_ploidy(trio, alleles, noise, scratch),
                };
                let priors = self.priors_of(trio, is_x);
                let score = is_read.then(|| weigh(weighing, priors, alleles, &mut scratch.evidence));
                findings.scores.push(score);
                if let (Some(score), Some(depths)) = (score, &lines.depths) {
                    self.add_shares(trio, score.allele, depths, alleles, &mut findings.shares);
                }
            }
        });
        Ok(Some(findings))
    }

    /// The numbers of reads, if there is one for each allele or that does not matter.
    fn depths<'r>(&self, record: &'r Record, alleles: usize) -> Result<Option<Lists<'r>>, RecordProblem> {
        if !self.has_depths {
            return Ok(None);
        }
        let Some(depths) = Lists::read(record, b"AD", self.samples)? else { return Ok(None) };
        if depths.width() == alleles {
            return Ok(Some(depths));
        }
        self.warn(record, "FORMAT/AD has not one number for each allele");
        Ok(self.settings.force_depths.then_some(depths))
    }

    /// What the model needs of a record; `None` where it is not there and need not be.
    fn lines<'r>(
        &self,
        record: &'r Record,
        alleles: usize,
        parents: Option<ParentsBy>,
        depths: Option<Lists<'r>>,
    ) -> Result<Option<Lines<'r>>, RecordProblem> {
        let failed = |what: String| match self.settings.strict {
            true => Err(RecordProblem::at(record, what)),
            false => Ok(None),
        };
        let Some(likelihoods) = Lists::read(record, b"PL", self.samples)? else {
            return failed("FORMAT/PL is not there".to_owned());
        };
        let (width, expected) = (likelihoods.width(), alleles * (alleles + 1) / 2);
        if self.settings.strict && width != expected {
            let what = "FORMAT/PL is not that of diploid genotypes";
            return failed(format!("{what}: {width} values, and {expected} expected of {alleles} alleles"));
        }
        // DeNovoGear's model needs to know the best alleles only where there are too many.
        let takes_qualities = parents.is_some() || alleles > 4;
        let mut qualities = None;
        if takes_qualities {
            qualities = Lists::read(record, b"QS", self.samples)?;
            match &qualities {
                Some(lists) if lists.width() != alleles => {
                    return failed(format!("FORMAT/QS has {} values for {alleles} alleles", lists.width()));
                }
                None if parents == Some(ParentsBy::Qualities) => {
                    return failed("FORMAT/QS is not there".to_owned());
                }
                None => qualities = depths.as_ref().map(qualities_of_depths),
                _ => {}
            }
        }
        let is_needed = alleles > 4 || parents == Some(ParentsBy::Depths);
        if qualities.is_none() && is_needed {
            self.warn(record, "neither FORMAT/QS nor FORMAT/AD is there, so alleles cannot be told apart");
            return Ok(None);
        }
        Ok(Some(Lines { likelihoods, qualities, depths }))
    }

    fn add_shares(
        &self,
        trio: &Trio,
        allele: usize,
        depths: &Lists<'_>,
        alleles: usize,
        shares: &mut Vec<Option<i32>>,
    ) {
        if allele >= depths.width() {
            return;
        }
        shares.resize(self.samples, None);
        let mut values = Vec::with_capacity(depths.width());
        for sample in trio.members() {
            depths.read_into(sample, &mut values);
            shares[sample] = percent(&values, allele, alleles);
        }
    }

    fn screen_calls(&self, record: &Record, passing: &Passing) -> Result<Option<Findings>, RecordProblem> {
        let Some(calls) = Calls::read(record, self.samples)? else { return Ok(None) };
        match calls.ploidy() {
            2 => {}
            0 | 1 => return Ok(None),
            _ if !self.settings.strict => return Ok(None),
            ploidy => {
                let what = format!("a genotype of {ploidy} alleles, and not more than two are understood");
                return Err(RecordProblem::at(record, what));
            }
        }
        let (alleles, is_x) = (record.allele_count(), self.is_x(record));
        let mut findings = Findings::default();
        for (number, trio) in self.trios.iter().enumerate() {
            let priors = self.priors_of(trio, is_x);
            // A son has nothing of his father's X.
            let without_father = is_x && trio.has_one_x;
            let score = match passing.has(number) {
                true => self.judge(record, trio, calls.calls(), alleles, without_father, priors)?,
                false => None,
            };
            findings.scores.push(score);
        }
        Ok(Some(findings))
    }

    /// The score of called genotypes: 1 or 0.
    fn judge(
        &self,
        record: &Record,
        trio: &Trio,
        calls: &[Call],
        alleles: usize,
        without_father: bool,
        priors: &Priors,
    ) -> Result<Option<Score>, RecordProblem> {
        let mut pairs = [[0; 2]; 3];
        let members = [(trio.father, without_father), (trio.mother, false), (trio.child, false)];
        for (pair, (sample, is_ignored)) in pairs.iter_mut().zip(members) {
            let Call { first, second } = calls[sample];
            for (to, allele) in pair.iter_mut().zip([first, second.unwrap_or(first)]) {
                *to = match allele.map(usize::from) {
                    Some(allele) if allele < alleles => allele,
                    Some(allele) => {
                        let what = format!("the genotype's allele {allele} is none of the site's {alleles}");
                        return Err(RecordProblem::at(record, what));
                    }
                    None if is_ignored => 0,
                    None => return Ok(None),
                };
            }
        }
        let Some(used) = four_alleles(pairs, alleles, self.settings.strictly_novel) else { return Ok(None) };
        let number = |allele: usize| used.iter().position(|&known| known == allele).unwrap_or(0);
        let places = pairs.map(|[a, b]| place(number(a), number(b)));
        let prior = priors.of(places[0], places[1], places[2]);
        let allele = prior.denovo.and_then(|allele| used.get(allele).copied());
        Ok(Some(Score {
            phred: if allele.is_some() { f64::INFINITY } else { 0.0 },
            allele: allele.unwrap_or(0),
        }))
    }

    fn priors_of(&self, trio: &Trio, is_x: bool) -> &Priors {
        &self.priors[if is_x { if trio.has_one_x { 1 } else { 2 } } else { 0 }]
    }

    /// Whether a record meets X; as in bcftools the base behind it belongs to it.
    fn is_x(&self, record: &Record) -> bool {
        let bound = |position: i64| u64::try_from(position).unwrap_or(0);
        let interval = Interval { start: bound(record.position()), end: bound(extent::end(record)) + 1 };
        self.settings.x.meets(record.chrom(), interval)
    }

    /// Says once what is wrong with a record that is passed over.
    fn warn(&self, record: &Record, what: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            eprintln!("norn: {} (said once)", RecordProblem::at(record, what));
        }
    }
}

/// The alleles that stand for the four of the priors, the first for REF: the site's, or where it has more those of the trio
/// in ascending order; `None` where these are more. Of genotypes the father's, the mother's and the child's.
fn four_alleles(genotypes: [[usize; 2]; 3], alleles: usize, strictly_novel: bool) -> Option<Vec<usize>> {
    if alleles <= 4 {
        return Some((0..4).collect());
    }
    let mut used = genotypes.concat();
    used.sort_unstable();
    used.dedup();
    if used.len() > 4 {
        return None;
    }
    // REF is never strictly novel; where the trio has it not, an allele of a parent stands in its place, which is not either.
    if strictly_novel && used[0] != 0 {
        if used.len() < 4 {
            used.insert(0, 0);
        } else if let Some(at) = used.iter().position(|allele| genotypes[..2].concat().contains(allele)) {
            used[..=at].rotate_right(1);
        }
    }
    Some(used)
}

/// Writes a phred score in a scale.
fn write_score(scale: Scale, phred: f64, out: &mut Vec<u8>) {
    let is_certain = phred == f64::INFINITY;
    let value = match scale {
        Scale::Flag => return write_integer(i64::from(phred > 0.0), out),
        // A score is not negative.
        Scale::Phred => return write_integer(phred.min(255.0).round() as i64, out),
        Scale::Log if is_certain => 0.0,
        Scale::Log => log_of_rest(log_of_phred(phred)),
        Scale::Probability if is_certain => 1.0,
        Scale::Probability => 1.0 - std::hint::black_box(10.0f64).powf(-0.1 * phred),
    };
    write_float(f64::from(value as f32), out);
}

/// The step of `trio-dnm2`.
#[derive(Debug)]
pub struct Screen {
    denovo: Denovo,
    gate: Gate,
}

impl Screen {
    /// Annotates the trios that the gate lets pass.
    pub fn new(denovo: Denovo, gate: Gate) -> Self {
        Self { denovo, gate }
    }
}

impl Revise for Screen {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        if Kinds::of(record) != Kinds::REFERENCE {
            let passing = self.gate.passing(record, &self.denovo.trios)?;
            if let Some(findings) = self.denovo.screen(record, &passing)? {
                self.denovo.annotate(record, &findings);
            }
        }
        Ok(true)
    }
}
