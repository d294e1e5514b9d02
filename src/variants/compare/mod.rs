//! Calls against a truth, by the haplotypes that they spell and not by how they are written: what hap.py and rtg vcfeval
//! do, in one pass.
//!
//! Both files are cut into clusters between which nothing can match ([`border`]). In each the most calls of both sides are
//! sought that spell the same two haplotypes ([`search`], [`matching`]); rows and counts follow hap.py's rules ([`rows`],
//! [`counts`], [`strata`], [`tables`]).

mod border;
mod call;
mod classes;
pub mod counts;
mod matching;
mod room;
mod rows;
mod score;
mod search;
pub mod strata;
mod stretches;
pub mod tables;

use std::ops::Range;
use std::sync::Arc;

use rayon::ThreadPool;

use self::border::Before;
use self::call::Call;
pub use self::call::LeftOut;
pub use self::classes::Kind;
use self::counts::Counts;
use self::matching::Verdict;
pub use self::matching::{Effort, Match, Rules};
pub use self::rows::HEADER;
use self::rows::{Judged, genotype_of};
pub use self::score::Score;
pub use self::search::Phase;
use self::strata::Strata;
use self::stretches::{Stretch, Stretches};
use super::output::OutputForm;
use super::together::input::{self, Input, Sieve};
use super::together::walk::Walk;
use super::together::{TogetherError, in_file};
use crate::compute::ordered::for_each_ordered;
use crate::formats::bases::{Bases, Genome};
use crate::formats::fasta::Reference;
use crate::formats::vcf::writer::Block;
use crate::records::pipeline::RecordProblem;

/// What is compared, and how.
pub struct Plan {
    /// The sample of each side by number.
    pub samples: [usize; 2],
    /// Of which sides records that failed a filter are left out.
    pub only_passing: [bool; 2],
    /// How calls match.
    pub rules: Rules,
    /// Confident regions and strata.
    pub strata: Strata,
    /// The score of curves.
    pub score: Score,
    /// Scores count in steps of this.
    pub step: f64,
    /// Whether there are curves.
    pub with_curves: bool,
    /// Whether rows are made.
    pub with_rows: bool,
}

/// Records that are not compared, by side and reason ([`LeftOut`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOuts(pub [[u64; LeftOut::NAMES.len()]; 2]);

impl LeftOuts {
    fn merge(&mut self, other: &Self) {
        for (reasons, more) in self.0.iter_mut().zip(&other.0) {
            reasons.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Totals {
    /// All counts.
    pub counts: Counts,
    /// Records that were compared, by side.
    pub compared: [u64; 2],
    /// Records that were not.
    pub left_out: LeftOuts,
    /// How the work went.
    pub effort: Effort,
}

impl Totals {
    fn new(plan: &Plan) -> Self {
        Self {
            counts: Counts::new(plan.strata.count(), plan.with_curves),
            compared: [0; 2],
            left_out: LeftOuts::default(),
            effort: Effort::default(),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.compared.iter_mut().zip(other.compared).for_each(|(count, more)| *count += more);
        self.left_out.merge(&other.left_out);
        self.effort.merge(&other.effort);
    }
}

/// Compares a query (the second input) with a truth (the first). Rows are handed to `commit` in order.
///
/// # Errors
/// A file is damaged or not sorted, the reference does not fit, or the output cannot be written.
pub fn compare(
    mut inputs: Vec<Input>,
    sieve: Sieve,
    reference: Arc<Reference>,
    plan: &Plan,
    form: &OutputForm,
    pool: &ThreadPool,
    mut commit: impl FnMut(Block) -> Result<(), TogetherError>,
) -> Result<Totals, TogetherError> {
    let genome = Genome::new(reference);
    let contigs = input::align(&mut inputs, &Arc::new(sieve))?;
    let paths: Vec<_> = inputs.iter().map(|input| input.path().to_owned()).collect();
    let mut stretches = Stretches::new(Walk::new(inputs, pool), contigs, &genome, plan);
    let mut totals = Totals::new(plan);
    let work = |stretch: Result<Stretch, TogetherError>| {
        let stretch = stretch?;
        let contig = stretch.contig;
        let compared = genome.with(contig, |bases| compare_stretch(&stretch, plan, bases))?;
        let (found, text) = compared.map_err(|(side, problem)| in_file(&paths[side], problem))?;
        Ok((found, form.block_of_lines(text)?))
    };
    let items = std::iter::from_fn(|| stretches.advance().transpose());
    for_each_ordered(pool, items, work, |(found, block): (Totals, Block)| {
        totals.merge(&found);
        commit(block)
    })?;
    totals.left_out.merge(&stretches.left_out);
    for (side, path) in paths.iter().enumerate() {
        let mismatches = totals.left_out.0[side][LeftOut::ReferenceMismatch as usize];
        if mismatches > totals.compared[side] {
            let of = mismatches + totals.compared[side];
            let what = format!(
                "REF of {mismatches} of {of} records is not what {} has there: another build?",
                genome.name()
            );
            return Err(TogetherError::Unlike { path: path.clone(), what });
        }
    }
    Ok(totals)
}

/// Counts and rows of a stretch; a problem comes with the side of its record.
fn compare_stretch(
    stretch: &Stretch,
    plan: &Plan,
    bases: &mut Bases<'_>,
) -> Result<(Totals, Vec<u8>), (usize, RecordProblem)> {
    let mut totals = Totals::new(plan);
    let mut calls: [Vec<Call>; 2] = Default::default();
    for (side, records) in stretch.records.iter().enumerate() {
        for (number, record) in records.iter().enumerate() {
            let cell = genotype_of(record, plan.samples[side]).unwrap_or(b".");
            match Call::of(number, record, cell, bases).map_err(|problem| (side, problem))? {
                Ok(call) => calls[side].push(call),
                Err(reason) => totals.left_out.0[side][reason as usize] += 1,
            }
        }
        room::make(&mut calls[side]);
        totals.compared[side] = calls[side].len() as u64;
    }
    let strata = plan.strata.of_contig(&stretch.name);
    let mut lines = Vec::new();
    let mut verdicts: [Vec<Verdict>; 2] = Default::default();
    let clusters = clusters(&calls, plan.rules.distance, bases);
    for [truth, query] in &clusters {
        let sides = [&calls[0][truth.clone()], &calls[1][query.clone()]];
        let judged = matching::judge(sides, plan.rules, bases, &mut totals.effort);
        verdicts.iter_mut().zip(judged).for_each(|(all, more)| all.extend(more));
    }
    let judged = Judged { records: &stretch.records, calls: &calls, verdicts: &verdicts };
    for cluster in clusters {
        judged.finish(cluster, plan, &strata, bases, &mut totals.counts, &mut lines);
    }
    // Clusters are ordered by what changes, records by POS.
    lines.sort_by_key(|(position, _)| *position);
    Ok((totals, lines.into_iter().flat_map(|(_, line)| line).collect()))
}

/// The calls of both sides cut at borders.
fn clusters(calls: &[Vec<Call>; 2], distance: i64, bases: &mut Bases<'_>) -> Vec<[Range<usize>; 2]> {
    let (mut clusters, mut from, mut next) = (Vec::new(), [0; 2], [0; 2]);
    let mut before = Before::default();
    loop {
        let start = |side: usize| calls[side].get(next[side]).map(|call: &Call| call.start);
        let side = match (start(0), start(1)) {
            (Some(truth), Some(query)) => usize::from(query < truth),
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
            (None, None) => break,
        };
        let call = &calls[side][next[side]];
        if before.is_border(call.start, distance, bases) {
            clusters.push([from[0]..next[0], from[1]..next[1]]);
            (from, before) = (next, Before::default());
        }
        before.add(side, call.end, call.shifts());
        next[side] += 1;
    }
    if from != next {
        clusters.push([from[0]..next[0], from[1]..next[1]]);
    }
    clusters
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
