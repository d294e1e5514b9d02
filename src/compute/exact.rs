//! Sums of reals that do not depend on order: exact, rounded once at the end.
//!
//! An [`ExactSum`] is a fixed-point number wide enough for every `f64` and 2^64 of them, so that shards, threads and
//! ranks may be added in any order and any grouping with the same bits. Not for inner loops that add billions of
//! terms without need: an addition costs a few nanoseconds.
//!
//! Source of the method: R. M. Neal, "Fast exact summation using small and large superaccumulators" (2015),
//! arXiv:1505.05571.

use serde::{Deserialize, Serialize};

/// An exact sum of `f64`.
///
/// ```
/// use norn::compute::exact::ExactSum;
/// let sum: ExactSum = [1e100, 1.0, -1e100, 1e-300].into_iter().collect();
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct ExactSum {
    /// Limb `i` counts units of 2^(32 i - 1074). Between carries a limb holds more than 32 bits, or less than 0.
    limbs: [i64; LIMBS],
    /// How many values below 2^32 each limb may hold by now.
    pending: u32,
    nan: bool,
    positive_infinity: bool,
    negative_infinity: bool,
}

impl ExactSum {
    /// The sum of nothing.
    pub fn new() -> Self {
        Self { limbs: [0; LIMBS], pending: 0, nan: false, positive_infinity: false, negative_infinity: false }
    }

    /// Adds a value. Infinities and NaN are remembered and decide the value.
    pub fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            self.nan |= value.is_nan();
            self.positive_infinity |= value == f64::INFINITY;
            self.negative_infinity |= value == f64::NEG_INFINITY;
            return;
        }
        let bits = value.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as usize;
        let fraction = bits & FRACTION;
        // The value is `mantissa` units of 2^(place - 1074).
        let (mantissa, place) =
            if exponent == 0 { (fraction, 0) } else { (fraction | IMPLICIT, exponent - 1) };
        let wide = u128::from(mantissa) << (place % 32);
        let sign = if value.is_sign_negative() { -1 } else { 1 };
        let limb = place / 32;
        self.limbs[limb] += sign * i64::from(wide as u32);
        self.limbs[limb + 1] += sign * i64::from((wide >> 32) as u32);
        self.limbs[limb + 2] += sign * i64::from((wide >> 64) as u32);
        self.pending += 1;
        if self.pending == CARRY_AT {
            self.carry();
        }
    }

    /// Adds another sum: as if all its values had been observed here.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        other.carry();
        self.carry();
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            // Only the last limbs of sums of more than 2^64 values could wrap.
            *limb = limb.wrapping_add(more);
        }
        self.carry();
        self.nan |= other.nan;
        self.positive_infinity |= other.positive_infinity;
        self.negative_infinity |= other.negative_infinity;
    }

    /// The sum, rounded once, to nearest, ties to even. Zero is positive; infinite if the exact sum is out of range or
    /// an infinity was added; NaN if NaN or infinities of both signs were.
    pub fn value(&self) -> f64 {
        match (self.nan, self.positive_infinity, self.negative_infinity) {
            (true, _, _) | (_, true, true) => return f64::NAN,
            (_, true, _) => return f64::INFINITY,
            (_, _, true) => return f64::NEG_INFINITY,
            _ => {}
        }
        let mut sum = self.clone();
        sum.carry();
        if sum.limbs[LIMBS - 1] < 0 {
            sum.limbs.iter_mut().for_each(|limb| *limb = limb.wrapping_neg());
            sum.carry();
            -round(&sum.limbs)
        } else {
            round(&sum.limbs)
        }
    }

    /// Brings every limb but the last into 0..2^32. The limbs are then the same for equal sums.
    fn carry(&mut self) {
        let mut carry = 0;
        let (last, lower) = match self.limbs.split_last_mut() {
            Some(parts) => parts,
            None => return,
        };
        for limb in lower {
            let sum = *limb + carry;
            *limb = sum & LOW;
            carry = sum >> 32;
        }
        *last = last.wrapping_add(carry);
        self.pending = 1;
    }
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for ExactSum {
    /// Whether the exact sums are equal, before rounding.
    fn eq(&self, other: &Self) -> bool {
        Wire::from(self.clone()) == Wire::from(other.clone())
    }
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.observe(value));
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::new();
        sum.extend(values);
        sum
    }
}

/// 66 limbs hold every `f64` (2,098 bits); two more hold the carries of 2^64 values and the sign.
const LIMBS: usize = 68;
/// Additions after which limbs are carried, well before 63 bits are full.
const CARRY_AT: u32 = 1 << 30;
const LOW: i64 = 0xffff_ffff;
const FRACTION: u64 = (1 << 52) - 1;
const IMPLICIT: u64 = 1 << 52;

/// Rounds carried, non-negative limbs to the nearest `f64`, ties to even.
fn round(limbs: &[i64; LIMBS]) -> f64 {
    let Some(highest) = limbs.iter().rposition(|&limb| limb != 0) else { return 0.0 };
    // The last limb may hold more than 32 bits; then the sum is far out of range anyway.
    let top = highest * 32 + (63 - limbs[highest].leading_zeros() as usize);
    if top < 53 {
        // At most 53 bits from the lowest unit on: the bits of the float are the number itself.
        return f64::from_bits((limbs[1] as u64) << 32 | limbs[0] as u64);
    }
    if top > 2097 {
        return f64::INFINITY;
    }
    let bit = |place: usize| (limbs[place / 32] >> (place % 32) & 1) as u64;
    let lowest = top - 52;
    let mantissa = (lowest..=top).rev().fold(0, |bits, place| bits << 1 | bit(place));
    let half = bit(lowest - 1) == 1;
    let rest = (0..lowest - 1).any(|place| bit(place) == 1);
    let up = u64::from(half && (rest || mantissa & 1 == 1));
    // A mantissa that grows to 2^53 carries into the exponent, which is then right, also at infinity.
    let bits = ((lowest as u64 + 1) << 52) + (mantissa - IMPLICIT) + up;
    f64::from_bits(bits)
}

/// What is written and sent: carried limbs without the zeros at the end.
#[derive(PartialEq, Serialize, Deserialize)]
struct Wire {
    limbs: Vec<i64>,
    nan: bool,
    positive_infinity: bool,
    negative_infinity: bool,
}

impl From<ExactSum> for Wire {
    fn from(mut sum: ExactSum) -> Self {
        sum.carry();
        let length = sum.limbs.iter().rposition(|&limb| limb != 0).map_or(0, |last| last + 1);
        let ExactSum { limbs, nan, positive_infinity, negative_infinity, .. } = sum;
        Self { limbs: limbs[..length].to_vec(), nan, positive_infinity, negative_infinity }
    }
}

impl TryFrom<Wire> for ExactSum {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let mut sum = Self::new();
        let target = sum.limbs.get_mut(..wire.limbs.len()).ok_or("an exact sum is too long")?;
        target.copy_from_slice(&wire.limbs);
        if sum.limbs[..LIMBS - 1].iter().any(|limb| !(0..=LOW).contains(limb)) {
            return Err("an exact sum is not in its normal form");
        }
        sum.pending = 1;
        sum.nan = wire.nan;
        sum.positive_infinity = wire.positive_infinity;
        sum.negative_infinity = wire.negative_infinity;
        Ok(sum)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> f64 {
        values.iter().copied().collect::<ExactSum>().value()
    }

    #[test]
    fn sums_are_those_of_pythons_fsum() {
        // CPython's Lib/test/test_math.py, testFsum, and cases at the borders of the range made by hand.
        let tiny = f64::from_bits(1);
        let half_step = 2f64.powi(970);
        for (values, expected) in [
            (&[][..], 0.0),
            (&[-0.0], 0.0),
            (&[1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50], 1e-100),
            (&[9_007_199_254_740_992.0, -0.5, -f64::EPSILON / 4.0], 9_007_199_254_740_991.0),
            (&[9_007_199_254_740_992.0, 1.0, f64::EPSILON / 4.0], 9_007_199_254_740_994.0),
            (&[9_007_199_254_740_994.0, 1.0, f64::EPSILON / 4.0], 9_007_199_254_740_996.0),
            (&[9_007_199_254_740_992.0, 1.0], 9_007_199_254_740_992.0),
            (&[9_007_199_254_740_994.0, 1.0], 9_007_199_254_740_996.0),
            (&[f64::MAX, f64::MAX, -f64::MAX], f64::MAX),
            (&[f64::MAX, f64::MAX], f64::INFINITY),
            (&[-f64::MAX, -f64::MAX], f64::NEG_INFINITY),
            (&[f64::MAX, half_step], f64::INFINITY),
            (&[f64::MAX, half_step.next_down()], f64::MAX),
            (&[tiny, tiny], f64::from_bits(2)),
            (&[-tiny], -tiny),
            (&[f64::MIN_POSITIVE, -tiny], f64::from_bits(FRACTION)),
            (&[f64::from_bits(FRACTION), tiny], f64::MIN_POSITIVE),
            (&[2.0 * f64::MIN_POSITIVE, -tiny], f64::from_bits((2 << 52) - 1)),
            (&[f64::INFINITY, -1.0], f64::INFINITY),
            (&[f64::NEG_INFINITY, f64::MAX], f64::NEG_INFINITY),
        ] {
            assert_eq!(sum(values).to_bits(), expected.to_bits(), "{values:?}");
        }
        assert!(sum(&[f64::NAN, 1.0]).is_nan() && sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn carries_come_before_limbs_overflow() {
        let mut sum = ExactSum::new();
        sum.pending = CARRY_AT - 3;
        sum.limbs = [i64::from(CARRY_AT) * LOW; LIMBS];
        sum.limbs[60..].fill(0);
        let mut carried = sum.clone();
        carried.carry();
        for value in [1.0, 2.0, 4.0] {
            sum.observe(value);
            carried.observe(value);
        }
        assert_eq!(sum.pending, 1);
        assert!(sum == carried);
    }

    #[test]
    fn a_message_that_is_no_sum_is_refused() {
        for limbs in [vec![0; LIMBS + 1], vec![-1], vec![1 << 32]] {
            let wire = Wire { limbs, nan: false, positive_infinity: false, negative_infinity: false };
            let bytes = postcard::to_stdvec(&wire).unwrap();
            assert!(postcard::from_bytes::<ExactSum>(&bytes).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_order_and_any_split_gives_the_same_bits(
            (values, shuffled) in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 0..60)
                .prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle())),
            cuts in prop::collection::vec(1usize..20, 1..8),
        ) {
            let expected = sum(&values).to_bits();
            prop_assert_eq!(sum(&shuffled).to_bits(), expected);
            let mut parts = Vec::new();
            let mut rest = shuffled.as_slice();
            for cut in cuts.iter().cycle() {
                let (part, behind) = rest.split_at((*cut).min(rest.len()));
                parts.push(part.iter().copied().collect::<ExactSum>());
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            let forwards = parts.iter().fold(ExactSum::new(), |mut all, part| { all.merge(part); all });
            let backwards = parts.iter().rev().fold(ExactSum::new(), |mut all, part| { all.merge(part); all });
            prop_assert_eq!(forwards.value().to_bits(), expected);
            prop_assert!(forwards == backwards && forwards == values.iter().copied().collect());
            let back: ExactSum = postcard::from_bytes(&postcard::to_stdvec(&forwards).unwrap()).unwrap();
            prop_assert!(back == forwards);
        }

        #[test]
        fn a_sum_is_that_of_integers_rounded_once(values in prop::collection::vec(any::<i64>(), 1..50), scale in -900i32..900) {
            // i128 is exact, and its conversion rounds to nearest, ties to even; a power of two changes no digit.
            let power = 2f64.powi(scale);
            let halves = values.iter().flat_map(|v| [(v >> 30) as f64 * 2f64.powi(30) * power, (v & 0x3fff_ffff) as f64 * power]);
            let expected = values.iter().map(|&v| i128::from(v)).sum::<i128>() as f64 * power;
            prop_assert_eq!(halves.collect::<ExactSum>().value().to_bits(), (expected + 0.0).to_bits());
        }

        #[test]
        fn one_value_comes_back(value in any::<f64>().prop_filter("a number", |v| !v.is_nan())) {
            prop_assert_eq!(sum(&[value]), value);
            if value.is_finite() {
                prop_assert_eq!(sum(&[value, value, -value]), value);
            }
        }
    }
}
