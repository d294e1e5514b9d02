//! Counts by value, and the statistics of them as htsjdk's Histogram has them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Values up to this stand in an array, others in a tree.
const DENSE: usize = 1 << 12;

/// How often each value was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    dense: Vec<u64>,
    sparse: BTreeMap<u64, u64>,
}

impl Histogram {
    /// Counts a value once.
    #[inline]
    pub fn add(&mut self, value: u64) {
        self.add_many(value, 1);
    }

    /// Counts a value `count` times.
    #[inline]
    pub fn add_many(&mut self, value: u64, count: u64) {
        if value < DENSE as u64 {
            let at = value as usize;
            if at >= self.dense.len() {
                self.dense.resize(at + 1, 0);
            }
            self.dense[at] += count;
        } else {
            *self.sparse.entry(value).or_default() += count;
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Histogram) {
        other.iter().for_each(|(value, count)| self.add_many(value, count));
    }

    /// The values that were seen, ascending, with their counts.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        let dense = self.dense.iter().enumerate().map(|(value, &count)| (value as u64, count));
        let sparse = self.sparse.iter().map(|(&value, &count)| (value, count));
        dense.chain(sparse).filter(|(_, count)| *count > 0)
    }

    /// How often a value was seen.
    pub fn get(&self, value: u64) -> u64 {
        match usize::try_from(value) {
            Ok(value) if value < DENSE => self.dense.get(value).copied().unwrap_or(0),
            _ => self.sparse.get(&value).copied().unwrap_or(0),
        }
    }

    /// All counts together.
    pub fn count(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// The sum of the values.
    pub fn sum(&self) -> u64 {
        self.iter().map(|(value, count)| value * count).sum()
    }

    /// The least value.
    pub fn min(&self) -> Option<u64> {
        self.iter().next().map(|(value, _)| value)
    }

    /// The greatest value.
    pub fn max(&self) -> Option<u64> {
        self.iter().next_back().map(|(value, _)| value)
    }

    /// The mean; not a number where nothing was seen.
    pub fn mean(&self) -> f64 {
        self.sum() as f64 / self.count() as f64
    }

    /// The standard deviation of the sample (n - 1).
    pub fn standard_deviation(&self) -> f64 {
        let mean = self.mean();
        let total = self
            .iter()
            .fold(0.0, |total, (value, count)| total + count as f64 * (value as f64 - mean).powi(2));
        (total / (self.count() as f64 - 1.0)).sqrt()
    }

    /// The median; of an even number of values the mean of the two in the middle; 0 where nothing was seen.
    pub fn median(&self) -> f64 {
        median(self.iter().map(|(value, count)| (value as f64, count)), self.count())
    }

    /// The least value that this share of the counts does not exceed; `None` where nothing was seen.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        let all = self.count() as f64;
        let mut seen = 0;
        self.iter()
            .find(|(_, count)| {
                seen += count;
                seen as f64 / all >= share
            })
            .map(|(value, _)| value)
    }

    /// The median of the distances from the median.
    pub fn median_absolute_deviation(&self) -> f64 {
        let median_value = self.median();
        let mut distances: Vec<(f64, u64)> =
            self.iter().map(|(value, count)| ((value as f64 - median_value).abs(), count)).collect();
        distances.sort_by(|a, b| a.0.total_cmp(&b.0));
        median(distances.into_iter(), self.count())
    }

    /// The value that was seen most often, the least of them.
    pub fn mode(&self) -> Option<u64> {
        let first_of_greatest = |a: (u64, u64), b: (u64, u64)| if b.1 > a.1 { b } else { a };
        self.iter().reduce(first_of_greatest).map(|(value, _)| value)
    }

    /// Without the values above `limit`.
    pub fn trimmed(&self, limit: f64) -> Histogram {
        let mut trimmed = Histogram::default();
        self.iter().filter(|(value, _)| *value as f64 <= limit).for_each(|(v, n)| trimmed.add_many(v, n));
        trimmed
    }

    /// As a map.
    pub fn to_map(&self) -> BTreeMap<u64, u64> {
        self.iter().collect()
    }
}

fn median(sorted: impl Iterator<Item = (f64, u64)>, count: u64) -> f64 {
    let (low, high) =
        if count.is_multiple_of(2) { (count / 2, count / 2 + 1) } else { (count / 2 + 1, count / 2 + 1) };
    let (mut seen, mut low_value) = (0, None);
    for (value, n) in sorted {
        seen += n;
        if low_value.is_none() && seen >= low {
            low_value = Some(value);
        }
        if seen >= high {
            return (low_value.unwrap_or(value) + value) / 2.0;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn statistics_are_those_of_the_sorted_values(mut values in proptest::collection::vec(0u64..6000, 1..60)) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|&value| histogram.add(value));
            values.sort_unstable();
            let n = values.len();
            let middle = (values[(n - 1) / 2] + values[n / 2]) as f64 / 2.0;
            prop_assert_eq!(histogram.median(), middle);
            prop_assert_eq!((histogram.min(), histogram.max()), (values.first().copied(), values.last().copied()));
            prop_assert_eq!((histogram.count(), histogram.sum()), (n as u64, values.iter().sum::<u64>()));
            let mut distances: Vec<f64> = values.iter().map(|&v| (v as f64 - middle).abs()).collect();
            distances.sort_by(f64::total_cmp);
            prop_assert_eq!(histogram.median_absolute_deviation(), (distances[(n - 1) / 2] + distances[n / 2]) / 2.0);
        }
    }
}
