//! What is known of the targets' positions: a row for each target, and positions by depth.
//!
//! A target that no read has reached has no row of its own, so the state of a part of a file is as small as that part.

use serde::{Deserialize, Serialize};

/// Depths above this count as this where Picard's sensitivity and histogram are made (COVERAGE_CAP).
pub const COVERAGE_CAP: usize = 200;
/// Depths above [`COVERAGE_CAP`] for which the positions that reach them are counted.
pub const DEEP: [u32; 9] = [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000];
/// Qualities have so many classes; Picard knows those up to 126.
const QUALITIES: usize = 128;

/// Figures of one target's positions, as far as they were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDepth {
    /// Sum of the depths.
    pub total: u64,
    /// Reads with a base that counts.
    pub reads: u64,
    /// Positions with a depth of at least 1.
    pub covered: u32,
    /// Least depth of those.
    pub least: u32,
    /// Greatest depth.
    pub greatest: u32,
    /// Positions whose reference base is C or G.
    pub gc: u32,
}

impl TargetDepth {
    fn merge(&mut self, next: &TargetDepth) {
        self.least = match (self.covered, next.covered) {
            (_, 0) => self.least,
            (0, _) => next.least,
            _ => self.least.min(next.least),
        };
        self.total += next.total;
        self.reads += next.reads;
        self.covered += next.covered;
        self.greatest = self.greatest.max(next.greatest);
        self.gc += next.gc;
    }
}

/// Figures of targets and of all their positions. Positions without a base are not counted: their number is what is left
/// of the territory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// Index of the target of the first row.
    first: usize,
    rows: Vec<TargetDepth>,
    /// Positions by depth of bases that count.
    depths: Vec<u64>,
    /// Positions that reach each of [`DEEP`].
    deep: Vec<u64>,
    /// Positions by depth of bases of any quality above 2.
    unfiltered: Vec<u64>,
    /// Bases of those by quality, at each position the first [`COVERAGE_CAP`] of the file.
    qualities: Vec<u64>,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            first: 0,
            rows: Vec::new(),
            depths: vec![0; COVERAGE_CAP + 1],
            deep: vec![0; DEEP.len()],
            unfiltered: vec![0; COVERAGE_CAP + 1],
            qualities: vec![0; QUALITIES],
        }
    }
}

impl Coverage {
    /// What is known of a target.
    pub fn target(&self, index: usize) -> TargetDepth {
        index.checked_sub(self.first).and_then(|at| self.rows.get(at)).copied().unwrap_or_default()
    }

    /// The same, to be changed.
    #[inline]
    pub fn target_mut(&mut self, index: usize) -> &mut TargetDepth {
        if self.rows.is_empty() {
            self.first = index;
        } else if index < self.first {
            let before = self.first - index;
            self.rows.splice(0..0, std::iter::repeat_n(TargetDepth::default(), before));
            self.first = index;
        }
        let at = index - self.first;
        if at >= self.rows.len() {
            self.rows.resize(at + 1, TargetDepth::default());
        }
        &mut self.rows[at]
    }

    /// Takes finished positions of a target: the depth of each.
    pub fn take(&mut self, index: usize, depths: &[u32]) {
        let mut row = TargetDepth { least: u32::MAX, ..TargetDepth::default() };
        for &depth in depths.iter().filter(|depth| **depth > 0) {
            row.covered += 1;
            row.total += u64::from(depth);
            row.least = row.least.min(depth);
            row.greatest = row.greatest.max(depth);
            self.depths[(depth as usize).min(COVERAGE_CAP)] += 1;
        }
        if row.covered == 0 {
            return;
        }
        if row.greatest >= DEEP[0] {
            for &depth in depths {
                let reached = DEEP.iter().take_while(|least| depth >= **least).count();
                self.deep[..reached].iter_mut().for_each(|n| *n += 1);
            }
        }
        self.target_mut(index).merge(&row);
    }

    /// Takes finished positions: the depth of bases of any quality above 2, which may stop at any number above the cap.
    pub fn take_unfiltered(&mut self, depths: &[u8]) {
        for &depth in depths.iter().filter(|depth| **depth > 0) {
            self.unfiltered[usize::from(depth).min(COVERAGE_CAP)] += 1;
        }
    }

    /// Counts a base of this quality, which is below 128.
    #[inline]
    pub fn add_quality(&mut self, quality: u8) {
        self.qualities[usize::from(quality) & (QUALITIES - 1)] += 1;
    }

    /// Takes in the coverage of the part of the file that follows.
    pub fn merge(&mut self, next: &Coverage) {
        for (i, row) in next.rows.iter().enumerate() {
            self.target_mut(next.first + i).merge(row);
        }
        for (a, b) in [
            (&mut self.depths, &next.depths),
            (&mut self.deep, &next.deep),
            (&mut self.unfiltered, &next.unfiltered),
            (&mut self.qualities, &next.qualities),
        ] {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
    }

    /// Positions by depth of bases that count, 0 to the cap, of a territory of so many positions.
    pub fn depths(&self, territory: u64) -> Vec<u64> {
        with_rest(&self.depths, territory)
    }

    /// The same for bases of any quality above 2.
    pub fn unfiltered(&self, territory: u64) -> Vec<u64> {
        with_rest(&self.unfiltered, territory)
    }

    /// Bases by quality, 0 to 126.
    pub fn qualities(&self) -> &[u64] {
        &self.qualities[..QUALITIES - 1]
    }

    /// Positions that reach a depth: one up to the cap, or one of [`DEEP`].
    pub fn reaching(&self, least: u32) -> u64 {
        match DEEP.iter().position(|deep| *deep == least) {
            Some(at) => self.deep[at],
            None => self.depths.iter().skip(least as usize).sum(),
        }
    }
}

/// The counts with the positions that were not counted as those of depth 0.
fn with_rest(counts: &[u64], territory: u64) -> Vec<u64> {
    let mut counts = counts.to_vec();
    counts[0] = territory.saturating_sub(counts.iter().sum());
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Depths of targets of 1 to 9 positions, cut anywhere, merged in order.
        #[test]
        fn pieces_merge_to_what_the_whole_is(
            targets in proptest::collection::vec(proptest::collection::vec(
                prop_oneof![4 => 0u32..5, 2 => 190u32..260, 1 => 900u32..120_000], 1..9), 1..8),
            cuts in proptest::collection::vec(0usize..60, 0..4),
        ) {
            let mut parts = vec![Coverage::default(); cuts.len() + 1];
            let mut at = 0;
            for (index, depths) in targets.iter().enumerate() {
                for &depth in depths {
                    let part = cuts.iter().filter(|cut| **cut <= at).count();
                    parts[part].take(index, &[depth]);
                    parts[part].take_unfiltered(&[depth.min(255) as u8]);
                    at += 1;
                }
            }
            let mut whole = Coverage::default();
            parts.iter().for_each(|part| whole.merge(part));
            let all: Vec<u32> = targets.iter().flatten().copied().collect();
            let count = |is: &dyn Fn(u32) -> bool| all.iter().filter(|depth| is(**depth)).count() as u64;
            for least in [0, 1, 2, 100, 200].into_iter().chain(DEEP) {
                let expected = count(&|depth| depth >= least);
                let found = if least == 0 { whole.depths(at as u64).iter().sum() } else { whole.reaching(least) };
                prop_assert_eq!(found, expected, "{}", least);
            }
            for depth in 0..=COVERAGE_CAP {
                let expected = count(&|d| (d as usize).min(COVERAGE_CAP) == depth);
                prop_assert_eq!(whole.depths(at as u64)[depth], expected);
                prop_assert_eq!(whole.unfiltered(at as u64)[depth], expected);
            }
            for (index, depths) in targets.iter().enumerate() {
                let row = whole.target(index);
                let covered = depths.iter().filter(|depth| **depth > 0);
                prop_assert_eq!(row.total, depths.iter().map(|d| u64::from(*d)).sum::<u64>());
                prop_assert_eq!(row.covered as usize, covered.clone().count());
                prop_assert_eq!(row.least, covered.min().copied().unwrap_or(0));
                prop_assert_eq!(row.greatest, depths.iter().max().copied().unwrap_or(0));
            }
        }
    }
}
