//! Counts of decisions by subset, filter, type and subtype, and by score. All are sums, so parts of a genome add up.

use rustc_hash::FxHashMap;

use super::call::Zygosity;
use super::classes::{Class, Kind, ROWS};
use super::matching::Match;

/// What was decided of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Decision {
    /// A call of the truth that the query has.
    TruthPositive = 0,
    /// One that it has not.
    FalseNegative = 1,
    /// A call of the query that the truth has.
    QueryPositive = 2,
    /// One that it has not.
    FalsePositive = 3,
    /// One outside the confident regions.
    Unknown = 4,
}

/// Calls of one decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// All.
    pub total: u64,
    /// With transitions.
    pub ti: u64,
    /// With transversions.
    pub tv: u64,
    /// Heterozygous, one allele being the reference's.
    pub het: u64,
    /// Homozygous.
    pub homalt: u64,
}

impl Share {
    /// Both together.
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            total: self.total + other.total,
            ti: self.ti + other.ti,
            tv: self.tv + other.tv,
            het: self.het + other.het,
            homalt: self.homalt + other.homalt,
        }
    }

    /// What is left without a part.
    pub fn minus(&self, part: &Self) -> Self {
        Self {
            total: self.total.saturating_sub(part.total),
            ti: self.ti.saturating_sub(part.ti),
            tv: self.tv.saturating_sub(part.tv),
            het: self.het.saturating_sub(part.het),
            homalt: self.homalt.saturating_sub(part.homalt),
        }
    }
}

/// Calls of all decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    shares: [Share; 5],
    /// False positives with the right allele and another genotype (FP.gt).
    pub wrong_genotype: u64,
    /// False positives near a call of the truth (FP.al).
    pub wrong_allele: u64,
}

impl Tally {
    /// Adds a call.
    pub fn observe(&mut self, decision: Decision, class: Class, matched: Match) {
        let share = &mut self.shares[decision as usize];
        share.total += 1;
        share.ti += u64::from(class.has_transition());
        share.tv += u64::from(class.has_transversion());
        share.het += u64::from(class.zygosity == Zygosity::Het);
        share.homalt += u64::from(class.zygosity == Zygosity::HomAlt);
        if decision == Decision::FalsePositive {
            self.wrong_genotype += u64::from(matched == Match::Allele);
            self.wrong_allele += u64::from(matched == Match::Nearby);
        }
    }

    /// Adds another's calls.
    pub fn merge(&mut self, other: &Self) {
        for (share, more) in self.shares.iter_mut().zip(&other.shares) {
            *share = share.plus(more);
        }
        self.wrong_genotype += other.wrong_genotype;
        self.wrong_allele += other.wrong_allele;
    }

    /// The calls of a decision.
    pub fn share(&self, decision: Decision) -> &Share {
        &self.shares[decision as usize]
    }

    /// These calls, those of the truth without a score being found, or not, by what is left of `all`.
    pub fn above(&self, all: &Self) -> Self {
        let truth = all.share(Decision::TruthPositive).plus(all.share(Decision::FalseNegative));
        let mut tally = *self;
        tally.shares[Decision::FalseNegative as usize] = truth.minus(self.share(Decision::TruthPositive));
        tally
    }

    /// Calls of the truth.
    pub fn truth(&self) -> Share {
        self.share(Decision::TruthPositive).plus(self.share(Decision::FalseNegative))
    }

    /// Calls of the query.
    pub fn query(&self) -> Share {
        let assessed = self.share(Decision::QueryPositive).plus(self.share(Decision::FalsePositive));
        assessed.plus(self.share(Decision::Unknown))
    }
}

/// Which calls of the query count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Filter {
    /// All.
    All = 0,
    /// Those that pass their filters; the truth's calls that only others match are missed.
    Pass = 1,
}

impl Filter {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::All, Self::Pass];

    /// The value of the column Filter.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Pass => "PASS",
        }
    }

    /// What a decision is where the call's filters are looked at; `None` where it does not count.
    pub fn apply(self, decision: Decision, passes: bool) -> Option<Decision> {
        match (self, passes, decision) {
            (Self::All, ..) | (_, true, _) | (_, _, Decision::FalseNegative) => Some(decision),
            (_, _, Decision::TruthPositive) => Some(Decision::FalseNegative),
            _ => None,
        }
    }
}

/// A decision with all that it counts by.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// The decision.
    pub decision: Decision,
    /// The call's class.
    pub class: Class,
    /// How far it is matched.
    pub matched: Match,
    /// Whether it passes its filters.
    pub passes: bool,
    /// Its score's step, see [`Counts::new`].
    pub step: i64,
}

/// Rows of a type in tables.
const GROUPS: usize = Kind::ALL.len() * ROWS.len();

/// All counts.
#[derive(Clone, Debug)]
pub struct Counts {
    /// By subset, filter, type and subtype.
    tallies: Vec<Tally>,
    /// By type, filter and score, of all subsets and subtypes; the false negatives are not there.
    curves: Option<FxHashMap<(usize, i64), Tally>>,
}

impl Counts {
    /// Nothing, for so many subsets, the first of which is everything. With curves scores count, too, in steps.
    pub fn new(subsets: usize, with_curves: bool) -> Self {
        Self {
            tallies: vec![Tally::default(); subsets * Filter::BOTH.len() * GROUPS],
            curves: with_curves.then(FxHashMap::default),
        }
    }

    fn place(subset: usize, filter: Filter, kind: Kind, row: usize) -> usize {
        (subset * Filter::BOTH.len() + filter as usize) * GROUPS + kind as usize * ROWS.len() + row
    }

    /// Adds a decision to these subsets.
    pub fn observe(&mut self, subsets: &[usize], observation: &Observation) {
        let Observation { decision, class, matched, passes, step } = *observation;
        for filter in Filter::BOTH {
            let Some(decision) = filter.apply(decision, passes) else { continue };
            for &subset in subsets {
                for (row, (_, bit)) in ROWS.iter().enumerate() {
                    if bit.is_none_or(|bit| class.has(bit)) {
                        let place = Self::place(subset, filter, class.kind, row);
                        self.tallies[place].observe(decision, class, matched);
                    }
                }
            }
            if let Some(curves) = &mut self.curves
                && decision != Decision::FalseNegative
            {
                let curve = Self::curve(class.kind, filter);
                curves.entry((curve, step)).or_default().observe(decision, class, matched);
            }
        }
    }

    fn curve(kind: Kind, filter: Filter) -> usize {
        kind as usize * Filter::BOTH.len() + filter as usize
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        self.tallies.iter_mut().zip(&other.tallies).for_each(|(tally, more)| tally.merge(more));
        if let (Some(curves), Some(more)) = (&mut self.curves, &other.curves) {
            more.iter().for_each(|(key, tally)| curves.entry(*key).or_default().merge(tally));
        }
    }

    /// The counts of a row of [`ROWS`].
    pub fn tally(&self, subset: usize, filter: Filter, kind: Kind, row: usize) -> &Tally {
        &self.tallies[Self::place(subset, filter, kind, row)]
    }

    /// For each step of the score, ascending, what counts where calls of lower scores do not.
    pub fn levels(&self, kind: Kind, filter: Filter) -> Vec<(i64, Tally)> {
        let wanted = Self::curve(kind, filter);
        let curves = self.curves.iter().flatten();
        let mut steps: Vec<(i64, Tally)> = curves
            .filter(|((curve, _), _)| *curve == wanted)
            .map(|((_, step), tally)| (*step, *tally))
            .collect();
        steps.sort_unstable_by_key(|(step, _)| std::cmp::Reverse(*step));
        let all = self.tally(0, filter, kind, 0);
        let mut sum = Tally::default();
        for (_, tally) in &mut steps {
            sum.merge(tally);
            *tally = sum.above(all);
        }
        steps.reverse();
        steps
    }
}
