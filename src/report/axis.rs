//! Axes of plots: round ticks, and the texts beside them.

use super::numbers::decimal;

/// A horizontal axis has at most so many ticks,
pub const ACROSS: usize = 11;
/// and a vertical one so many.
pub const UP: usize = 6;

/// An axis: what is on it, and its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is on it, with its unit.
    pub label: String,
    /// Its lower end.
    pub from: f64,
    /// Its upper end; greater than `from`.
    pub to: f64,
    /// Names of the places 0, 1, 2, ... where the axis is one of names.
    pub names: Vec<String>,
}

impl Axis {
    /// An axis with these ends; where they are no range, one of length 1.
    pub fn new(label: &str, from: f64, to: f64) -> Self {
        let from = if from.is_finite() { from } else { 0.0 };
        let to = if to.is_finite() && to > from { to } else { from + 1.0 };
        Self { label: label.to_owned(), from, to, names: Vec::new() }
    }

    /// An axis that ends at the first round tick at or above `highest`, of about `most` ticks.
    pub fn round(label: &str, from: f64, highest: f64, most: usize) -> Self {
        let mut axis = Self::new(label, from, highest);
        let step = Step::of(axis.to - axis.from, most);
        let mut last = (axis.to / step.length()).ceil();
        // Division may round to a whole number from above.
        while step.times(last) < axis.to {
            last += 1.0;
        }
        axis.to = step.times(last);
        axis
    }

    /// An axis of names, each with a place of length 1.
    pub fn named(label: &str, names: Vec<String>) -> Self {
        Self { names: names.clone(), ..Self::new(label, -0.5, names.len() as f64 - 0.5) }
    }

    /// Where the ticks are, at most `most`, and their texts.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if !self.names.is_empty() {
            return self.names.iter().enumerate().map(|(i, name)| (i as f64, name.clone())).collect();
        }
        let step = Step::of(self.to - self.from, most);
        let first = (self.from / step.length()).ceil();
        let mut ticks = Vec::new();
        for i in 0..=most {
            let value = step.times(first + i as f64);
            if value > self.to {
                break;
            }
            ticks.push((value, decimal(value, step.decimals())));
        }
        ticks
    }
}

/// The distance between ticks: 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    digit: u8,
    exponent: i32,
}

impl Step {
    /// The least that cuts a range into fewer than `most` parts.
    fn of(range: f64, most: usize) -> Self {
        let least = range / most.saturating_sub(1).max(1) as f64;
        // The exponent from the text: a host's logarithm may round it up.
        let text = format!("{least:e}");
        let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
        let steps = [(1, exponent), (2, exponent), (5, exponent), (1, exponent + 1)];
        let steps = steps.map(|(digit, exponent)| Step { digit, exponent });
        steps.into_iter().find(|step| step.length() >= least).unwrap_or(steps[3])
    }

    fn length(self) -> f64 {
        self.times(1.0)
    }

    /// So many steps. Powers of ten below 1 divide, which rounds once.
    fn times(self, n: f64) -> f64 {
        let n = n * f64::from(self.digit);
        let power = (0..self.exponent.unsigned_abs().min(300)).fold(1.0, |power, _| power * 10.0);
        if self.exponent < 0 { n / power } else { n * power }
    }

    fn decimals(self) -> usize {
        (-self.exponent).max(0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        // Made by hand.
        for (from, to, most, expected) in [
            (0.0, 10.0, 6, "0 2 4 6 8 10"),
            (0.0, 1.0, 6, "0.0 0.2 0.4 0.6 0.8 1.0"),
            (0.0, 0.3, 4, "0.0 0.1 0.2 0.3"),
            (0.0, 58.0, 8, "0 10 20 30 40 50"),
            (1.0, 200.0, 9, "50 100 150 200"),
            (15.0, 41.0, 6, "20 30 40"),
            (0.0, 455.0, 6, "0 100 200 300 400"),
            (0.0, 1_500_000.0, 4, "0 500,000 1,000,000 1,500,000"),
            (0.0, 0.000_25, 6, "0.00000 0.00005 0.00010 0.00015 0.00020 0.00025"),
            (-1.0, 1.0, 5, "-1.0 -0.5 0.0 0.5 1.0"),
            (0.0, 1.0, 1, "0 1"),
        ] {
            let texts: Vec<String> =
                Axis::new("", from, to).ticks(most).into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts.join(" "), expected, "{from} to {to}, {most}");
        }
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (highest, end) in [
            (187.0, 200.0),
            (200.0, 200.0),
            (200.1, 250.0),
            (0.31, 0.4),
            (7.0, 8.0),
            (0.0, 1.0),
            (f64::NAN, 1.0),
        ] {
            assert_eq!(Axis::round("", 0.0, highest, 6).to, end, "{highest}");
        }
    }

    #[test]
    fn names_have_places() {
        let axis = Axis::named("contig", vec!["1".into(), "X".into()]);
        assert_eq!((axis.from, axis.to), (-0.5, 1.5));
        assert_eq!(axis.ticks(6), [(0.0, "1".to_owned()), (1.0, "X".to_owned())]);
    }

    #[test]
    fn no_range_of_numbers_breaks_an_axis() {
        for from in [0.0, -5.0, 1e300, f64::MIN, f64::INFINITY, f64::NAN] {
            for to in [0.0, 5e-324, 1e-300, 1e9, 1e308, f64::MAX, f64::INFINITY, f64::NAN] {
                let axis = Axis::round("", from, to, 6);
                assert!(axis.ticks(6).len() <= 7);
            }
        }
    }
}
