//! What becomes of the calls of a cluster: matched as genotypes, as alleles, near something, or not at all.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::call::{Call, Edit};
use super::search::{Member, Phase, Slice, search};
use crate::formats::bases::Bases;

/// How far a call is matched (GA4GH benchmarking, the field BK). Better ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// `gm`: both haplotypes are spelt by the other side, too.
    Genotype,
    /// `am`: one of its alternate alleles is.
    Allele,
    /// `lm`: the other side has a call nearby.
    Nearby,
    /// `.`.
    None,
}

impl Match {
    /// The value of BK.
    pub fn name(self) -> &'static str {
        match self {
            Self::Genotype => "gm",
            Self::Allele => "am",
            Self::Nearby => "lm",
            Self::None => ".",
        }
    }
}

/// How calls are compared.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether genotypes are asked for, or alleles only.
    pub by_genotype: bool,
    /// Whether phased genotypes are laid as they are written.
    pub phase: Phase,
    /// Calls with fewer bases than this between them are near one another.
    pub distance: i64,
}

impl Rules {
    /// What makes a call a true positive.
    pub fn best(&self) -> Match {
        if self.by_genotype { Match::Genotype } else { Match::Allele }
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How far it is matched.
    pub matched: Match,
    /// Where its superlocus begins: the last place before it where both sides stand on the reference.
    pub locus: i64,
}

/// How clusters were worked on; counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Clusters.
    pub clusters: u64,
    /// Those in which both sides are not written alike, so that paths were searched.
    pub searched: u64,
    /// Stretches in which too many paths lived.
    pub too_complex: u64,
    /// The calls in these, which were compared as they are written.
    pub given_up: u64,
    /// Calls with alleles too long to be searched.
    pub long: u64,
}

impl Effort {
    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        self.clusters += other.clusters;
        self.searched += other.searched;
        self.too_complex += other.too_complex;
        self.given_up += other.given_up;
        self.long += other.long;
    }
}

/// Judges the calls of a cluster, which are sorted; verdicts stand in the calls' order.
pub fn judge(
    sides: [&[Call]; 2],
    rules: Rules,
    bases: &mut Bases<'_>,
    effort: &mut Effort,
) -> [Vec<Verdict>; 2] {
    effort.clusters += 1;
    effort.long += sides.iter().flat_map(|calls| calls.iter()).filter(|call| call.is_long).count() as u64;
    let best = rules.best();
    let all = |matched: Match| {
        sides.map(|calls| calls.iter().map(|call| Verdict { matched, locus: call.start }).collect::<Vec<_>>())
    };
    if sides.iter().any(|calls| calls.is_empty()) {
        return all(Match::None);
    }
    if are_alike(sides, rules.phase) {
        return all(best);
    }
    effort.searched += 1;
    let mut verdicts = all(Match::None);
    let mut members = members_of(sides, |_, call| !call.is_long);
    let mut is_open = sides.map(|calls| vec![true; calls.len()]);
    let solve = |members: &[(usize, usize)], by_genotype: bool, bases: &mut Bases<'_>| {
        let list: Vec<Member<'_>> =
            members.iter().map(|&(side, number)| Member { side, call: &sides[side][number] }).collect();
        let span = span_of(list.iter().map(|member| member.call));
        let slice = Slice { start: span.start, bases: bases.slice(span.start, span.end + 1) };
        match by_genotype {
            true => search::<2>(&list, slice, rules.phase),
            false => search::<1>(&list, slice, rules.phase),
        }
    };
    let solution = solve(&members, rules.by_genotype, bases);
    effort.too_complex += solution.given_up;
    effort.given_up += solution.is_given_up.iter().filter(|is| **is).count() as u64;
    for (place, &(side, number)) in members.iter().enumerate() {
        let verdict = &mut verdicts[side][number];
        verdict.locus = solution.syncs[place];
        if solution.is_matched[place] {
            verdict.matched = best;
        }
        is_open[side][number] = !solution.is_matched[place] && !solution.is_given_up[place];
    }
    match_alike(sides, &mut verdicts, rules);
    if rules.by_genotype {
        members
            .retain(|&(side, number)| is_open[side][number] && verdicts[side][number].matched == Match::None);
        if members.iter().any(|(side, _)| *side == 0) && members.iter().any(|(side, _)| *side == 1) {
            let solution = solve(&members, false, bases);
            for (&(side, number), is_matched) in members.iter().zip(solution.is_matched) {
                if is_matched {
                    verdicts[side][number].matched = Match::Allele;
                }
            }
        }
    }
    match_shared(sides, &mut verdicts);
    match_nearby(sides, &mut verdicts, rules.distance);
    verdicts
}

/// Whether both sides have the same calls, none in the way of another: then each matches its like.
fn are_alike(sides: [&[Call]; 2], phase: Phase) -> bool {
    let [truth, query] = sides;
    truth.len() == query.len()
        && truth.iter().zip(query).all(|(a, b)| !a.is_long && a.form(phase) == b.form(phase))
        && truth.windows(2).all(|pair| pair[0].end <= pair[1].start)
}

/// Calls of both sides by side and number, in the order of the search.
fn members_of(sides: [&[Call]; 2], keep: impl Fn(usize, &Call) -> bool) -> Vec<(usize, usize)> {
    let numbered = |side: usize| (0..sides[side].len()).map(move |number| (side, number));
    let mut members: Vec<_> =
        numbered(0).chain(numbered(1)).filter(|&(side, number)| keep(side, &sides[side][number])).collect();
    members.sort_by(|a, b| sides[a.0][a.1].order(&sides[b.0][b.1]).then(a.cmp(b)));
    members
}

fn span_of<'c>(calls: impl Iterator<Item = &'c Call>) -> Range<i64> {
    calls
        .map(|call| call.start..call.end)
        .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
        .unwrap_or(0..0)
}

/// Matches what is left and stands in both sides in the same form: also where it contradicts its neighbours, is too long,
/// or was given up.
fn match_alike(sides: [&[Call]; 2], verdicts: &mut [Vec<Verdict>; 2], rules: Rules) {
    let mut waiting: FxHashMap<[Option<&Edit>; 2], Vec<usize>> = FxHashMap::default();
    for (number, call) in sides[1].iter().enumerate().rev() {
        if verdicts[1][number].matched == Match::None {
            waiting.entry(call.form(rules.phase)).or_default().push(number);
        }
    }
    for (number, call) in sides[0].iter().enumerate() {
        if verdicts[0][number].matched == Match::None
            && let Some(other) = waiting.get_mut(&call.form(rules.phase)).and_then(Vec::pop)
        {
            verdicts[0][number].matched = rules.best();
            verdicts[1][other].matched = rules.best();
        }
    }
}

/// Matches as alleles what is left and shares a change with what is left of the other side.
fn match_shared(sides: [&[Call]; 2], verdicts: &mut [Vec<Verdict>; 2]) {
    let mut having: FxHashMap<&Edit, [Vec<usize>; 2]> = FxHashMap::default();
    for side in 0..2 {
        for (number, call) in sides[side].iter().enumerate() {
            if verdicts[side][number].matched == Match::None {
                call.edits.iter().for_each(|edit| having.entry(edit).or_default()[side].push(number));
            }
        }
    }
    for shared in having.values().filter(|sides| sides.iter().all(|side| !side.is_empty())) {
        for side in 0..2 {
            shared[side].iter().for_each(|&number| verdicts[side][number].matched = Match::Allele);
        }
    }
}

/// Marks what is left and lies less than a distance away from any call of the other side.
fn match_nearby(sides: [&[Call]; 2], verdicts: &mut [Vec<Verdict>; 2], distance: i64) {
    for side in 0..2 {
        let others = sides[1 - side];
        // The furthest end among the calls up to each one, so that one look tells what lies before.
        let mut ends = Vec::with_capacity(others.len());
        let mut furthest = i64::MIN;
        for other in others {
            furthest = furthest.max(other.end);
            ends.push(furthest);
        }
        for (call, verdict) in sides[side].iter().zip(&mut verdicts[side]) {
            if verdict.matched != Match::None {
                continue;
            }
            let before = others.partition_point(|other| other.start < call.end.saturating_add(distance));
            if before > 0 && ends[before - 1].saturating_add(distance) > call.start {
                verdict.matched = Match::Nearby;
            }
        }
    }
}
