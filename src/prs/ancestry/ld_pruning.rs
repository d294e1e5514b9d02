//! Variants of which no two near ones tell the same: PLINK 2's `--indep-pairwise`, with the set that it keeps.
//!
//! Source: behaviour of plink2 2.00a3.5 (`IndepPairwiseThread` in plink2_ld.cc). A window of variants moves along the
//! chromosome. In it each variant is compared with those behind it that it was not compared with before, up to the
//! first that
//! is alike; of the two the one with the less frequent minor allele goes. That is repeated until nothing goes.

use rayon::prelude::*;

use crate::formats::genotypes::calls::MISSING;

/// How variants are pruned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pruning {
    /// Variants of a window.
    pub window: usize,
    /// Variants that it moves by.
    pub step: usize,
    /// The squared correlation of copies above which two are alike.
    pub threshold: f64,
}

/// Calls of one variant as bits of people.
#[derive(Clone, Debug, Default)]
pub struct Planes {
    /// Two copies of the alternate allele.
    two: Vec<u64>,
    /// None.
    none: Vec<u64>,
    /// All whose call is known.
    known: Vec<u64>,
    whole: Moments,
    all_known: bool,
    /// The frequency of the more frequent allele.
    major: f64,
}

/// Sums over people of copies less one.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    known: i64,
    sum: i64,
    squares: i64,
}

impl Planes {
    /// Of calls that are packed, of so many people.
    pub fn of(packed: &[u8], people: usize) -> Self {
        let words = people.div_ceil(64);
        let mut planes =
            Self { two: vec![0; words], none: vec![0; words], known: vec![0; words], ..Self::default() };
        for person in 0..people {
            let code = packed.get(person / 4).map_or(MISSING, |byte| byte >> (person % 4 * 2) & 3);
            let bit = 1u64 << (person % 64);
            planes.known[person / 64] |= if code == MISSING { 0 } else { bit };
            planes.two[person / 64] |= if code == 2 { bit } else { 0 };
            planes.none[person / 64] |= if code == 0 { bit } else { 0 };
        }
        planes.whole = planes.among(&planes.known);
        planes.all_known = planes.whole.known == people as i64;
        let copies = (planes.whole.sum + planes.whole.known) as f64;
        let frequency = copies / (2 * planes.whole.known.max(1)) as f64;
        planes.major = frequency.max(1.0 - frequency);
        planes
    }

    /// Whether all that are known have the same call; PLINK leaves such variants out.
    fn is_flat(&self) -> bool {
        let Moments { known, sum, squares } = self.whole;
        squares == 0 || sum == known || sum == -known
    }

    fn among(&self, known: &[u64]) -> Moments {
        let mut moments = Moments::default();
        for ((two, none), known) in self.two.iter().zip(&self.none).zip(known) {
            let (two, none) = (i64::from((two & known).count_ones()), i64::from((none & known).count_ones()));
            moments.known += i64::from(known.count_ones());
            moments.sum += two - none;
            moments.squares += two + none;
        }
        moments
    }

    /// Whether the squared correlation among those that both know is above a threshold.
    fn is_like(&self, other: &Self, threshold: f64) -> bool {
        let mut product = 0i64;
        for ((a, b), (c, d)) in self.two.iter().zip(&self.none).zip(other.two.iter().zip(&other.none)) {
            // Both 1 or both -1, less those that are 1 and -1.
            product += i64::from((a & c | b & d).count_ones()) - i64::from((a & d | b & c).count_ones());
        }
        let one = if other.all_known { self.whole } else { self.among(&other.known) };
        let two = if self.all_known { other.whole } else { other.among(&self.known) };
        let known = match (self.all_known, other.all_known) {
            (true, _) => two.known,
            (false, true) => one.known,
            (false, false) => {
                let both = self.known.iter().zip(&other.known).map(|(a, b)| i64::from((a & b).count_ones()));
                both.sum()
            }
        };
        let spread = |of: Moments| (of.squares * known - of.sum * of.sum) as f64;
        let together = (product * known - one.sum * two.sum) as f64;
        together * together > threshold * spread(one) * spread(two)
    }
}

/// What PLINK takes for rounding: 2^-44.
const EPSILON: f64 = 5.684_341_886_080_802e-14;

/// Which variants are kept, of chromosomes that each have theirs in order.
pub fn prune(chromosomes: &[Vec<Planes>], pruning: Pruning) -> Vec<Vec<bool>> {
    chromosomes.par_iter().map(|variants| prune_chromosome(variants, pruning)).collect()
}

fn prune_chromosome(variants: &[Planes], pruning: Pruning) -> Vec<bool> {
    let mut kept = vec![true; variants.len()];
    // PLINK looks at no chromosome of one variant.
    if variants.len() < 2 {
        return kept;
    }
    kept.iter_mut().zip(variants).for_each(|(kept, variant)| *kept = !variant.is_flat());
    // The first one behind a variant that it was not compared with.
    let mut unchecked: Vec<usize> = (1..=variants.len()).collect();
    let (mut start, threshold) = (0, pruning.threshold * (1.0 + EPSILON));
    loop {
        let end = (start + pruning.window.max(2)).min(variants.len());
        while prune_window(variants, start, end, threshold, &mut kept, &mut unchecked) {}
        if end == variants.len() {
            return kept;
        }
        start += pruning.step.max(1);
    }
}

/// Goes through a window once; whether anything went.
fn prune_window(
    variants: &[Planes],
    start: usize,
    end: usize,
    threshold: f64,
    kept: &mut [bool],
    unchecked: &mut [usize],
) -> bool {
    let mut any = false;
    for first in start..end {
        if !kept[first] {
            continue;
        }
        let next = |kept: &[bool], from: usize| (from..end).find(|other| kept[*other]);
        let mut at = next(kept, unchecked[first].max(first + 1));
        while let Some(second) = at {
            let (one, other) = (&variants[first], &variants[second]);
            if !one.is_like(other, threshold) {
                at = next(kept, second + 1);
                continue;
            }
            any = true;
            if one.major > other.major * (1.0 + EPSILON) {
                kept[first] = false;
            } else {
                kept[second] = false;
                unchecked[first] = next(kept, second + 1).unwrap_or(end);
            }
            break;
        }
        if at.is_none() {
            unchecked[first] = end;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes(codes: &[u8]) -> Planes {
        let mut packed = vec![0; codes.len().div_ceil(4)];
        codes.iter().enumerate().for_each(|(at, code)| packed[at / 4] |= code << (at % 4 * 2));
        Planes::of(&packed, codes.len())
    }

    #[test]
    fn correlations_are_those_of_numpy() {
        // numpy.corrcoef squared, of the people that both know.
        for (one, other, square) in [
            ([0, 1, 2, 1, 0, 2], [0, 1, 2, 1, 0, 2], 1.0),
            ([0, 1, 2, 1, 0, 2], [2, 1, 0, 1, 1, 0], 0.794_117_647_058_823_5),
            ([0, 1, 2, 3, 0, 2], [2, 1, 0, 1, 3, 1], 0.727_272_727_272_727_3),
        ] {
            let (one, other) = (planes(&one), planes(&other));
            assert!(one.is_like(&other, square - 1e-9) && !one.is_like(&other, square + 1e-9), "{square}");
            assert!(other.is_like(&one, square - 1e-9) && !other.is_like(&one, square + 1e-9), "{square}");
        }
    }

    #[test]
    fn of_two_that_are_alike_the_rarer_goes() {
        let (common, rare) = (planes(&[0, 1, 2, 1, 0, 2]), planes(&[0, 0, 1, 0, 0, 1]));
        let pruning = Pruning { window: 10, step: 5, threshold: 0.5 };
        let flat = planes(&[1, 1, 3, 1, 1, 1]);
        let no_copies = planes(&[0, 0, 0, 0, 3, 0]);
        assert_eq!(prune_chromosome(&[rare.clone(), common.clone()], pruning), [false, true]);
        assert_eq!(
            prune_chromosome(&[common.clone(), rare, flat.clone(), no_copies], pruning),
            [true, false, false, false]
        );
        assert_eq!(prune_chromosome(&[common.clone(), common.clone()], pruning), [true, false]);
        assert_eq!(prune_chromosome(std::slice::from_ref(&flat), pruning), [true]);
    }
}
