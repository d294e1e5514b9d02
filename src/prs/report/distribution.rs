//! How the scores of many people are spread: moments in one pass, a histogram in a second.

/// Bars of a histogram.
pub const BINS: usize = 40;

/// Number, mean and deviation of some values, and their ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    squares: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0, least: f64::INFINITY, greatest: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// Adds a value (Welford, Technometrics 1962).
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let difference = value - self.mean;
        self.mean += difference / self.count as f64;
        self.squares += difference * (value - self.mean);
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    /// The standard deviation without Bessel's correction, as calibration has it.
    pub fn deviation(&self) -> f64 {
        if self.count == 0 { 0.0 } else { (self.squares / self.count as f64).max(0.0).sqrt() }
    }
}

/// Counts of values in bins of one width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Where the first bin begins.
    pub from: f64,
    /// The width of a bin.
    pub width: f64,
    /// Values of each bin.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// No values yet; bins from one value to another.
    pub fn new(from: f64, to: f64) -> Self {
        let is_range = from.is_finite() && to.is_finite() && to > from;
        let width = if is_range { (to - from) / BINS as f64 } else { 1.0 / BINS as f64 };
        Self { from: if from.is_finite() { from } else { 0.0 }, width, counts: vec![0; BINS] }
    }

    /// Adds a value; one beyond the ends counts in the bin beside it.
    pub fn add(&mut self, value: f64) {
        let bin = ((value - self.from) / self.width).clamp(0.0, BINS as f64 - 1.0);
        if let Some(count) = self.counts.get_mut(bin as usize) {
            *count += 1;
        }
    }

    /// The middle of each bin, and the share of all values in it, in percent.
    pub fn shares(&self) -> Vec<(f64, f64)> {
        let all = self.counts.iter().sum::<u64>().max(1) as f64;
        let middle = |bin: usize| self.from + (bin as f64 + 0.5) * self.width;
        self.counts
            .iter()
            .enumerate()
            .map(|(bin, count)| (middle(bin), 100.0 * *count as f64 / all))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_bins_of_a_few_values() {
        let (mut moments, mut histogram) = (Moments::default(), Histogram::new(0.0, 4.0));
        for value in [1.0, 2.0, 3.0, 4.0, -1.0, 9.0] {
            moments.add(value);
            histogram.add(value);
        }
        // By hand: mean 18 / 6, squares 112 / 6 less its square.
        assert!((moments.mean - 18.0 / 6.0).abs() < 1e-15);
        assert!((moments.deviation() - (112.0 / 6.0 - 9.0f64).sqrt()).abs() < 1e-14);
        assert_eq!((moments.count, moments.least, moments.greatest), (6, -1.0, 9.0));
        let counts = &histogram.counts;
        assert_eq!((counts[0], counts[10], counts[20], counts[30], counts[39]), (1, 1, 1, 1, 2));
        assert!((histogram.shares().iter().map(|(_, share)| share).sum::<f64>() - 100.0).abs() < 1e-9);
        assert_eq!(histogram.shares()[0].0, 0.05);
    }

    #[test]
    fn no_values_break_a_histogram() {
        for (from, to) in [(f64::INFINITY, f64::NEG_INFINITY), (1.0, 1.0), (f64::NAN, 2.0)] {
            let mut histogram = Histogram::new(from, to);
            histogram.add(1.0);
            assert_eq!(histogram.counts.iter().sum::<u64>(), 1);
        }
    }
}
