//! Where calls can be told apart: a stretch of reference across which nothing on its left can match anything on its right.
//!
//! Let two haplotypes, one of each side, spell the same sequence, and let `g` bases between two changes be the reference's in
//! both. In one of them these bases stand `d` further to the right, where `d` is what the changes before them add and
//! take away, at the most `D` (the sum over both sides). If `d` is 0, then what stands before the gap is the same in both, and
//! so is what stands behind it: the gap is a border. If it is not, the gap's bases equal themselves `d` further on as far as
//! they reach, so `d` is a period of the gap, or `g <= d`. Hence a gap of more than `D` bases without a period of `D` or less is a
//! border. Where no change alters the length (`D = 0`) every gap is one.

use crate::formats::bases::Bases;
use crate::variants::norm::reach::smallest_period;

/// Periods are sought in so many bases at the least.
const SHORTEST: i64 = 32;
/// Behind so many calls without a border one is made where periods of up to [`PERIOD`] bases alone are ruled out, so that a
/// cluster ends some day.
const MANY: usize = 4096;
const PERIOD: i64 = 64;

/// What stands before the gap: the calls since the last border.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before {
    end: i64,
    /// By how much the first side can be longer, and shorter, than the second.
    shifts: (i64, i64),
    count: usize,
}

impl Before {
    /// Adds a call of a side with where it ends (exclusive), and by how many bases it makes a haplotype longer and shorter.
    pub fn add(&mut self, side: usize, end: i64, (longer, shorter): (i64, i64)) {
        self.end = if self.count == 0 { end } else { self.end.max(end) };
        let (a, b) = if side == 0 { (longer, shorter) } else { (shorter, longer) };
        self.shifts = (self.shifts.0.saturating_add(a), self.shifts.1.saturating_add(b));
        self.count += 1;
    }

    /// Whether a call that begins at `start` is independent of those before, and at least `distance` bases away.
    pub fn is_border(&self, start: i64, distance: i64, bases: &mut Bases<'_>) -> bool {
        if self.count == 0 {
            return false;
        }
        let gap = start.saturating_sub(self.end);
        if gap < distance {
            return false;
        }
        let mut shift = self.shifts.0.max(self.shifts.1);
        if self.count > MANY {
            shift = shift.min(PERIOD);
        }
        let needed = SHORTEST.max(2 * shift);
        if shift == 0 {
            return true;
        }
        if gap < needed {
            return false;
        }
        // The period of a part is not greater than that of the whole.
        let part = bases.slice(self.end, self.end + gap.min(2 * needed));
        smallest_period(part).is_none_or(|period| period as i64 > shift)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::formats::bases::tests::genome;

    #[test]
    fn a_border_is_where_nothing_can_shift() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"ACGT"[(state >> 30) as usize]
        };
        let plain: Vec<u8> = (0..300).map(|_| next()).collect();
        let (_directory, genome) = genome(&[&[&plain[..], &b"CAG".repeat(100), &plain].concat()]);
        // By hand: (end of what is before, its shifts, start of what follows, distance).
        for (end, shifts, start, distance, expected) in [
            (10, (0, 0), 10, 0, true),
            (10, (0, 0), 10, 1, false),
            (10, (0, 0), 40, 30, true),
            (10, (1, 0), 20, 0, false),
            (10, (0, 1), 50, 0, true),
            (10, (20, 20), 49, 0, false),
            (10, (20, 0), 50, 0, true),
            (300, (3, 0), 500, 0, false),
            (300, (2, 0), 500, 0, true),
            (300, (3, 0), 590, 0, false),
        ] {
            let mut before = Before::default();
            before.add(0, end, shifts);
            let found = genome.with(0, |bases| before.is_border(start, distance, bases)).unwrap();
            assert_eq!(found, expected, "{end} {shifts:?} {start} {distance}");
        }
    }

    #[test]
    fn shifts_of_the_two_sides_count_against_one_another() {
        let mut before = Before::default();
        before.add(0, 5, (3, 1));
        before.add(1, 4, (10, 0));
        assert_eq!((before.end, before.shifts, before.count), (5, (3, 11), 2));
    }
}
