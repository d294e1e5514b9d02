//! How far to the left a record that is yet to come can land, so that the sorting buffer holds what it must and no more.
//!
//! Let a variant at POS have alleles that differ in length by `L` at the least. Each step to the left needs the base
//! before it to be the last base of what is inserted or deleted, so after `k` steps with `k >= L` the reference over
//! those `k` bases repeats itself with period `L`. Hence a variant with `L` up to [`LONGEST`] moves by less than [`WINDOW`],
//! or the last [`WINDOW`] bases before POS have a period of at most [`LONGEST`]. In that case, by the theorem of Fine and Wilf,
//! all such periods are multiples of the smallest, and the whole tract ends where the smallest does. So the landing place
//! is bounded by the window, or by the start of the tract around POS, whatever comes.
//!
//! For variants longer than [`LONGEST`] no look at the reference gives a bound (two copies of a segment anywhere make a
//! deletion between them move), so these move by less than [`WINDOW`] or stay: see [`crate::records::align::Site::left`].

use crate::formats::bases::Bases;

/// The longest inserted or deleted sequence, in bases, that moves without any limit.
pub const LONGEST: i64 = 10_000;
/// Bases that are held back at the least when variants are aligned.
pub const WINDOW: i64 = 2 * LONGEST;

/// The leftmost position (0-based) at which a record may land whose POS - 1 is `position` or more.
pub fn leftmost(position: i64, bases: &mut Bases<'_>) -> i64 {
    let position = position.clamp(0, i64::try_from(bases.length()).unwrap_or(i64::MAX));
    let bound = position - WINDOW - 1;
    if bound <= 0 {
        return 0;
    }
    match smallest_period(bases.slice(position - WINDOW, position)) {
        Some(period) => tract_start(position - WINDOW, period as i64, bases) - 1,
        None => bound,
    }
}

/// The smallest period of a sequence, if it is at most half the sequence (Knuth, Morris and Pratt).
pub fn smallest_period(sequence: &[u8]) -> Option<usize> {
    // Nearly all sequences are refused here: a period repeats the first bases somewhere in the first half.
    let half = sequence.len() / 2;
    let probe = sequence.get(..16)?;
    memchr::memmem::find(sequence.get(1..half + 16)?, probe)?;
    let mut borders = vec![0usize; sequence.len()];
    let mut border = 0;
    for i in 1..sequence.len() {
        while border > 0 && sequence[i] != sequence[border] {
            border = borders[border - 1];
        }
        border += usize::from(sequence[i] == sequence[border]);
        borders[i] = border;
    }
    let period = sequence.len() - border;
    (period <= half).then_some(period)
}

/// Where the tract of this period begins that holds the bases from `inside` on.
fn tract_start(inside: i64, period: i64, bases: &mut Bases<'_>) -> i64 {
    let mut start = inside;
    while start > 0 && bases.at(start - 1) == bases.at(start - 1 + period) {
        start -= 1;
    }
    start
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::bases::tests::genome;
    use crate::records::align::{Sequence, Site};

    #[test]
    fn periods_are_found() {
        for (unit, times, period) in
            [("A", 40, Some(1)), ("ACG", 20, Some(3)), ("ACGTTGCAAGGTCCATGACCTAGA", 1, None)]
        {
            assert_eq!(smallest_period(unit.repeat(times).as_bytes()), period, "{unit}");
        }
        let mut almost = "ACGT".repeat(20).into_bytes();
        almost[70] = b'A';
        assert_eq!(smallest_period(&almost), None);
    }

    #[test]
    fn a_tract_is_held_back_whole() {
        let unique: Vec<u8> =
            (0..5_000u32).map(|i| b"ACGT"[(i.wrapping_mul(2_654_435_761) >> 13) as usize % 4]).collect();
        let tract = b"CAT".repeat(20_000);
        let (_directory, genome) = genome(&[&[&unique[..], &tract, &unique].concat()]);
        let leftmost = |position| genome.with(0, |bases| leftmost(position, bases)).unwrap();
        assert_eq!(leftmost(10_000), 0);
        let inside = leftmost(50_000);
        assert!((4_990..5_000).contains(&inside), "{inside}");
        assert_eq!(leftmost(69_900), 69_900 - WINDOW - 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_lands_before_the_bound(
            unit in "[AC]{1,7}", times in 1usize..9000, lead in "[ACGT]{1,300}", length in 1i64..30, back in 0i64..50,
        ) {
            let tract = unit.repeat(times);
            let text = [lead.as_bytes(), tract.as_bytes(), b"GGTTGGAATT", &[b'G'; 60]].concat();
            let (_directory, genome) = genome(&[&text]);
            let position = ((lead.len() + tract.len()) as i64 - back).max(1);
            let alleles = [Sequence::Reference(length as u64 + 1), Sequence::Reference(1)];
            let (landed, bound) = genome.with(0, |bases| {
                let site = Site { position, alleles: &alleles };
                (position + site.left(LONGEST, WINDOW, bases).offset, leftmost(position, bases))
            }).unwrap();
            prop_assert!(landed >= bound, "{landed} {bound}");
        }
    }
}
