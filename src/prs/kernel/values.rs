//! What each code of a column counts in each score of a tile, and tables made of that.

use super::column::{DosageBytes, NOBODY, Slope};
use super::lookup::NARROW;
use super::scale::{Scale, rounded};
use crate::prs::weights::{Row, Scores};

/// How the weights of a tile's scores become units, a score a lane.
#[derive(Clone, Debug)]
pub(super) struct Lanes<const L: usize> {
    scales: [Option<Scale>; L],
    imputes: [bool; L],
    pub(super) spare_bits: [u32; L],
}

impl<const L: usize> Lanes<L> {
    /// The first `imputed` lanes count something for missing genotypes.
    pub(super) fn new(scales: &[Scale], imputed: usize) -> Self {
        let scales: [Option<Scale>; L] = std::array::from_fn(|lane| scales.get(lane).copied());
        Self {
            scales,
            imputes: std::array::from_fn(|lane| lane < imputed),
            spare_bits: scales.map(|scale| scale.map_or(0, |scale| scale.spare_bits())),
        }
    }
}

/// What a column counts where one allele is asked for in one way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// 0, 1 and 2 copies of what the column holds.
    pub(super) knots: [i64; 3],
    /// A missing genotype.
    pub(super) expected: f64,
    /// Whether all of it is halved.
    pub(super) halves: bool,
}

/// Units of a column: by code (0, 1, 2 and missing) and lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<const L: usize>(pub(super) [[i64; L]; 4]);

impl<const L: usize> Values<L> {
    pub(super) const NONE: Self = Self([[0; L]; 4]);

    /// Adds weights, which are all of the tile that begins with the score `first`.
    #[inline(always)]
    pub(super) fn add(&mut self, row: &Row, first: usize, lanes: &Lanes<L>, asked: &Asked) {
        let mut see = |lane: usize, weight: f64| {
            let Some(Some(scale)) = lanes.scales.get(lane) else { return };
            let units = scale.units(weight);
            for (value, knot) in self.0.iter_mut().zip(asked.knots) {
                value[lane] = value[lane].wrapping_add(units.wrapping_mul(knot) >> u32::from(asked.halves));
            }
            if asked.expected != 0.0 && lanes.imputes[lane] {
                // What halves has its expectation halved already.
                let imputed = rounded(units as f64 * asked.expected) as i64;
                self.0[3][lane] = self.0[3][lane].wrapping_add(imputed);
            }
        };
        match row.scores {
            Scores::From(from) => {
                let from = from as usize - first;
                row.values.iter().enumerate().for_each(|(at, weight)| see(from + at, *weight));
            }
            Scores::Listed(numbers) => {
                numbers
                    .iter()
                    .zip(row.values)
                    .for_each(|(number, weight)| see(*number as usize - first, *weight));
            }
        }
    }
}

/// Makes the table of up to four columns whose calls were put together; its rows are as many as their codes.
#[inline(always)]
pub(super) fn join_wide<const L: usize>(columns: &[Values<L>], table: &mut [[i64; L]; 256]) {
    let sum = |a: &[i64; L], b: &[i64; L]| std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]));
    join(columns, table, |values| values.0, sum);
}

/// As [`join_wide`], of what all values are multiples of, which is checked before.
#[inline(always)]
pub(super) fn join_narrow<const L: usize>(
    columns: &[Values<L>],
    spare_bits: &[u32; L],
    table: &mut [[i32; NARROW]; 256],
) {
    let cut = |values: &Values<L>| {
        let cut = |row: [i64; L]| -> [i32; NARROW] {
            std::array::from_fn(|lane| if lane < L { (row[lane] >> spare_bits[lane]) as i32 } else { 0 })
        };
        values.0.map(cut)
    };
    let sum =
        |a: &[i32; NARROW], b: &[i32; NARROW]| std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]));
    join(columns, table, cut, sum);
}

#[inline(always)]
fn join<V, R: Copy>(
    columns: &[V],
    table: &mut [R; 256],
    rows_of: impl Fn(&V) -> [R; 4],
    sum: impl Fn(&R, &R) -> R,
) {
    let pair = |a: &V, b: &V| -> [R; 16] {
        let (a, b) = (rows_of(a), rows_of(b));
        std::array::from_fn(|code| sum(&a[code & 3], &b[code >> 2]))
    };
    match columns {
        [a] => table[..4].copy_from_slice(&rows_of(a)),
        [a, b] => table[..16].copy_from_slice(&pair(a, b)),
        [a, b, c, d] => {
            let (low, high) = (pair(a, b), pair(c, d));
            for (row, high) in table.chunks_exact_mut(16).zip(&high) {
                row.iter_mut().zip(&low).for_each(|(row, low)| *row = sum(low, high));
            }
        }
        _ => {}
    }
}

/// Whether sums of one row of each column fit in 32 bits once the spare bits are gone.
#[inline(always)]
pub(super) fn are_narrow<const L: usize>(columns: &[Values<L>], spare_bits: &[u32; L]) -> bool {
    let (mut sizes, mut lost) = ([0u64; L], 0u64);
    for Values(rows) in columns {
        for lane in 0..L {
            let mut size = 0;
            for row in rows {
                let cut = row[lane] >> spare_bits[lane];
                lost |= ((cut << spare_bits[lane]) ^ row[lane]) as u64;
                size = size.max(cut.unsigned_abs());
            }
            sizes[lane] += size;
        }
    }
    lost == 0 && sizes.iter().all(|size| *size <= i32::MAX as u64)
}

/// Makes the table of a byte of dosages: the nearest units below what each half of the byte counts.
#[inline(always)]
pub(super) fn of_dosages<const L: usize>(values: &Values<L>, of: &DosageBytes, table: &mut [[i64; L]; 256]) {
    let [none, one, two, _] = &values.0;
    let (mut high, mut low) = ([[0i64; L]; 16], [[0i64; L]; 16]);
    for lane in 0..L {
        let (slope, parts) = match of.slope {
            Slope::Both => (two[lane].wrapping_sub(none[lane]), 2 * of.one),
            Slope::First => (one[lane].wrapping_sub(none[lane]), of.one),
            Slope::Second => (two[lane].wrapping_sub(one[lane]), of.one),
        };
        let parts = parts.max(1);
        let whole = i128::from(slope) << (8 * of.byte);
        let (quotient, rest) = if parts.is_power_of_two() {
            (whole >> parts.trailing_zeros(), whole & i128::from(parts - 1))
        } else {
            (whole.div_euclid(i128::from(parts)), whole.rem_euclid(i128::from(parts)))
        };
        let (quotient, rest) = (quotient as i64, rest as u64);
        let times =
            |count: u64| quotient.wrapping_mul(count as i64).wrapping_add((rest * count / parts) as i64);
        for digit in 0..16 {
            high[digit][lane] = times(16 * digit as u64);
            low[digit][lane] = times(digit as u64);
        }
        if of.is_highest && of.slope != Slope::Second {
            high.iter_mut().for_each(|row| row[lane] = row[lane].wrapping_add(none[lane]));
        }
    }
    for (rows, high) in table.chunks_exact_mut(16).zip(&high) {
        for (row, low) in rows.iter_mut().zip(&low) {
            *row = std::array::from_fn(|lane| high[lane].wrapping_add(low[lane]));
        }
    }
    if of.is_highest {
        table[usize::from(NOBODY)] = [0; L];
    }
}
