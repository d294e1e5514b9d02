//! Weights as integers: each score has a unit, and every weight is so many units.
//!
//! The unit is `10^-d 2^-k`. Where all weights of a score are decimal numbers of few digits (as in all but the longest
//! tables), `d` is their greatest number of decimals, and every weight is exactly an integer; `d` is 0 else. `k` is as
//! great as a sum of two copies of everything allows: below 2^62 units. What is rounded then (a weight with `d = 0`, what
//! stands for a missing genotype, a dosage) is rounded to a unit, so that a sum over V variants is off by less than
//! `4 V / 2^61` of the sum of its weights' sizes: 2e-12 of it for a million variants, 1e-13 for 50,000, where f64 sums are
//! off by up to `V / 2^53`.

/// Weights of more decimals are taken as binary fractions.
const MOST_DECIMALS: usize = 15;
const POWERS: [f64; MOST_DECIMALS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// All integers below are `f64`.
const EXACT: f64 = (1u64 << 53) as f64;
/// Sums stay below two to this.
const BITS: i32 = 62;
/// What the least `f64` asks for: a weight may be 2^-1074, of which 2^10 units are made.
const MOST_BITS: i32 = 1084;
/// Decimal weights below two to this have tables of 32 bits.
const SHORT_BITS: i32 = 22;

/// What is seen of the weights of a score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survey {
    /// The sum of their sizes, in the order of the rows.
    sum: f64,
    largest: f64,
    /// How many decimals they have; `None` where one is no short decimal number.
    decimals: Option<usize>,
}

impl Default for Survey {
    fn default() -> Self {
        Self { sum: 0.0, largest: 0.0, decimals: Some(0) }
    }
}

impl Survey {
    #[inline]
    pub(super) fn see(&mut self, weight: f64) {
        let size = weight.abs();
        self.sum += size;
        self.largest = self.largest.max(size);
        while let Some(decimals) = self.decimals {
            let power = POWERS[decimals];
            let whole = rounded(size * power);
            if whole < EXACT && whole / power == size {
                break;
            }
            self.decimals = Some(decimals + 1).filter(|more| *more <= MOST_DECIMALS && whole < EXACT);
        }
    }

    pub(super) fn scale(&self) -> Scale {
        // Two copies of everything.
        let bound = 2.0 * self.sum;
        if let Some(decimals) = self.decimals {
            let whole = self.largest * POWERS[decimals];
            let bits = (BITS - exponent(bound * POWERS[decimals])).min(BITS);
            if bits >= 1 && whole < EXACT {
                return Scale { decimals: decimals as u8, bits, is_short: exponent(whole) <= SHORT_BITS };
            }
        }
        let bits = (BITS - exponent(bound)).min(MOST_BITS);
        Scale { decimals: 0, bits, is_short: false }
    }
}

/// The least `e` such that a size is below 2^e; very low for 0.
fn exponent(size: f64) -> i32 {
    let bits = size.to_bits() >> 52 & 0x7ff;
    bits as i32 - 1022
}

/// The nearest integer, ties to even; without the instruction for it, which not all processors have.
#[inline(always)]
pub(super) fn rounded(number: f64) -> f64 {
    const SHIFT: f64 = 1.5 * (1u64 << 52) as f64;
    if number.abs() < (1u64 << 51) as f64 { (number + SHIFT) - SHIFT } else { number.round_ties_even() }
}

/// A number times a power of two, also where that is no `f64`.
fn times_power(number: f64, power: i32) -> f64 {
    let half = power / 2;
    number * 2f64.powi(half) * 2f64.powi(power - half)
}

/// The unit of a score: `10^-decimals 2^-bits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(super) struct Scale {
    decimals: u8,
    bits: i32,
    /// Whether all weights are small integers of `10^-decimals`.
    is_short: bool,
}

impl Scale {
    /// A weight in units.
    #[inline]
    pub(super) fn units(&self, weight: f64) -> i64 {
        if self.decimals == 0 && !self.is_short {
            return rounded(times_power(weight, self.bits)) as i64;
        }
        (rounded(weight * self.power()) as i64) << self.bits
    }

    /// Whether tables of 32 bits are worth a trial.
    pub(super) fn is_short(&self) -> bool {
        self.is_short
    }

    /// Weights that are short are multiples of two to this, halved ones too.
    pub(super) fn spare_bits(&self) -> u32 {
        if self.is_short { self.bits as u32 - 1 } else { 0 }
    }

    /// A sum of units, rounded once, to nearest, ties to even.
    pub(super) fn value(&self, units: i64) -> f64 {
        if self.decimals == 0 || units == 0 {
            return times_power(units as f64, -self.bits);
        }
        // The quotient has 76 bits or more; what is left over decides ties.
        let size = u128::from(units.unsigned_abs());
        let shift = size.leading_zeros() - 1;
        let (dividend, divisor) = (size << shift, self.power() as u128);
        let quotient = dividend / divisor;
        let rest = u128::from(quotient * divisor != dividend);
        let value = times_power((quotient | rest) as f64, -self.bits - shift as i32);
        if units < 0 { -value } else { value }
    }

    fn power(&self) -> f64 {
        POWERS.get(usize::from(self.decimals)).copied().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(weights: &[f64]) -> Scale {
        let mut survey = Survey::default();
        weights.iter().for_each(|weight| survey.see(*weight));
        survey.scale()
    }

    #[test]
    fn decimal_weights_are_integers() {
        let scale = scale(&[0.1, -0.25, 3.0, 1e-5]);
        assert_eq!((scale.decimals, scale.is_short), (5, true));
        assert_eq!(scale.units(0.1), 10_000 << scale.bits);
        // In decimal numbers 0.1 + 0.2 is 0.3.
        assert_eq!(scale.value(scale.units(0.1) + scale.units(0.2)), 0.3);
        assert_eq!(scale.value(-scale.units(0.1)), -0.1);
        assert_eq!(scale.value(0).to_bits(), 0);
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_integer() {
        for number in
            [0.5, 1.5, -2.5, 0.49999999999999994, 2251799813685247.5, 4503599627370495.5, 1e300, -0.2]
        {
            assert_eq!(rounded(number), number.round_ties_even());
        }
    }

    #[test]
    fn weights_of_any_size_have_a_unit() {
        for weights in [
            &[0.0][..],
            &[],
            &[1e300, 1e-300],
            &[1e-300],
            &[5e-324],
            &[std::f64::consts::PI, 1e9],
            &[1e22, 1.0],
        ] {
            let scale = scale(weights);
            let sum: i128 = weights.iter().map(|weight| i128::from(scale.units(*weight))).sum();
            assert!(2 * sum.abs() <= 1 << 62, "{weights:?} {scale:?}");
            for weight in weights {
                let off = (scale.value(scale.units(*weight)) - weight).abs();
                let bound = weights.iter().map(|weight| weight.abs()).fold(1e-290, f64::max);
                assert!(off <= bound / 2f64.powi(58), "{weights:?} {weight} {off}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_sum_is_that_of_the_decimals(
            numbers in prop::collection::vec(-3_000_000i64..3_000_000, 1..50), decimals in 0usize..9,
        ) {
            let weights: Vec<f64> = numbers.iter().map(|number| *number as f64 / POWERS[decimals]).collect();
            let scale = scale(&weights);
            let units: i64 = weights.iter().map(|weight| scale.units(*weight)).sum();
            // The quotient of two integers that are f64 is rounded once.
            let expected = numbers.iter().sum::<i64>() as f64 / POWERS[decimals];
            prop_assert_eq!(scale.value(units).to_bits(), (expected + 0.0).to_bits());
        }

        #[test]
        fn a_value_is_the_nearest(units in -(1i64 << 62)..1 << 62, decimals in 0u8..16, bits in 1i32..60) {
            let scale = Scale { decimals, bits, is_short: true };
            let value = scale.value(units);
            // value = m 2^e; |units 2^-bits - value 10^d| <= half a step of value, times 10^d: in integers.
            let (size, power) = (value.abs().to_bits(), POWERS[usize::from(decimals)] as i128);
            let (mantissa, place) = (i128::from(size & ((1 << 52) - 1) | 1 << 52), (size >> 52) as i32 - 1075);
            prop_assume!(units != 0);
            let sign = i128::from(units.signum());
            // Twice over, so that half a step is an integer; times 2^-place.
            let shift = -place - bits;
            let wanted = i128::from(units) * sign * 2;
            let off = if shift >= 0 {
                prop_assume!(wanted.leading_zeros() as i32 > shift + 1);
                (wanted << shift) - 2 * mantissa * power
            } else {
                prop_assume!(-shift < 60 && (2 * mantissa * power).leading_zeros() as i32 > 2 - shift);
                wanted - ((2 * mantissa * power) << -shift)
            };
            let half = if shift >= 0 { power } else { power << -shift };
            prop_assert!(off.abs() <= half, "{off} {half}");
        }
    }
}
