//! Mendelian errors and de novo variants in one walk, and an account of each trio.

use super::denovo::{Denovo, Findings, Score};
use super::gate::{Gate, Passing};
use super::inheritance::{ErrorKind, Verdict};
use super::mendelian::{self, Counts, Judge, Modes, Site};
use super::pedigree::Trio;
use crate::compute::tallies::Tallies;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::kinds::Kinds;
use crate::records::pipeline::{RecordProblem, Revise};

/// De novo candidates of a trio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Sites whose likelihoods were weighed.
    pub weighed: u64,
    /// Candidates whose new allele is a SNV, an indel, or anything else (REF among it).
    pub by_kind: [u64; 3],
    /// Of these, where the called genotypes have a novel allele too.
    pub called: u64,
}

/// The account of all trios; that of parts of a file add up to that of the whole.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Genotypes judged by rules.
    pub counts: Counts,
    /// For each trio.
    pub candidates: Vec<Candidates>,
}

impl Account {
    /// Nothing, of so many trios.
    pub fn new(trios: usize) -> Self {
        Self { counts: Counts::new(trios), candidates: vec![Candidates::default(); trios] }
    }

    /// Adds the account of other records.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        for (candidates, more) in self.candidates.iter_mut().zip(&other.candidates) {
            candidates.weighed += more.weighed;
            candidates.by_kind.iter_mut().zip(more.by_kind).for_each(|(count, more)| *count += more);
            candidates.called += more.called;
        }
    }
}

/// The step of `trio`.
#[derive(Debug)]
pub struct Survey {
    judge: Judge,
    denovo: Denovo,
    gate: Gate,
    modes: Modes,
    /// From which score on, in phred, a child's variant is a candidate.
    least_candidate: f64,
    tallies: Tallies<Account>,
}

impl Survey {
    /// Both on the trios that the gate lets pass. A candidate is a variant that is new with this probability or more.
    pub fn new(judge: Judge, denovo: Denovo, gate: Gate, modes: Modes, candidate: f64) -> Self {
        let least_candidate = -10.0 * (1.0 - candidate).log10();
        Self { judge, denovo, gate, modes, least_candidate, tallies: Tallies::default() }
    }

    /// The header with all that the step writes.
    pub fn header(&self, header: &Header) -> Header {
        let declared = self.modes.annotates.then(|| mendelian::declare(header));
        self.denovo.header(declared.as_ref().unwrap_or(header))
    }

    /// The trios.
    pub fn trios(&self) -> &[Trio] {
        self.judge.trios()
    }

    /// The account of what has passed.
    pub fn account(&self) -> Account {
        self.tallies.total(Account::new(self.trios().len()), Account::merge)
    }

    fn observe(&self, record: &Record, site: &Site, findings: Option<&Findings>) {
        let trios = self.trios().len();
        self.tallies.add(
            || Account::new(trios),
            |account| {
                account.counts.observe(site);
                let Some(findings) = findings else { return };
                for (number, (candidates, score)) in
                    account.candidates.iter_mut().zip(&findings.scores).enumerate()
                {
                    let Some(score) = score else { continue };
                    candidates.weighed += u64::from(!score.phred.is_nan());
                    if self.is_candidate(score) {
                        candidates.by_kind[kind_of(record, score.allele)] += 1;
                        let verdict = site.verdicts.get(number).copied().flatten();
                        let is_novel = matches!(verdict, Some(Verdict::Error { kind: ErrorKind::Novel, .. }));
                        candidates.called += u64::from(is_novel);
                    }
                }
            },
        );
    }

    fn is_candidate(&self, score: &Score) -> bool {
        self.denovo.is_told(score) && score.phred >= self.least_candidate
    }
}

/// The place of an allele's kind in [`Candidates::by_kind`].
fn kind_of(record: &Record, allele: usize) -> usize {
    let alternate = allele.checked_sub(1).and_then(|number| record.alternates().nth(number));
    match alternate.map(|alternate| Kinds::of_allele(record.reference(), alternate)) {
        Some(Kinds::SNP) => 0,
        Some(Kinds::INDEL) => 1,
        _ => 2,
    }
}

impl Revise for Survey {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let passing = match Kinds::of(record) {
            Kinds::REFERENCE => Passing::None,
            _ => self.gate.passing(record, self.trios())?,
        };
        let site = self.judge.judge(record, || Ok(passing.clone()))?;
        let findings = self.denovo.screen(record, &passing)?;
        self.observe(record, &site, findings.as_ref());
        if !self.modes.keep(&site) {
            return Ok(false);
        }
        if self.modes.deletes {
            mendelian::delete(record, self.trios(), &site);
        }
        if self.modes.annotates && !site.verdicts.is_empty() {
            mendelian::annotate(record, &site);
        }
        if let Some(findings) = findings {
            self.denovo.annotate(record, &findings);
        }
        Ok(true)
    }
}
