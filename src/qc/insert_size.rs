//! Insert sizes by the orientation of the pair, as Picard's CollectInsertSizeMetrics counts them.
//!
//! The last read of every pair whose mates are both mapped, primary and no duplicate, with an insert size other than 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs};
use super::histogram::Histogram;
use super::levels::{self, ByReadGroup, Tally};
use super::read::Read;
use crate::picard_metrics;
use crate::report::picard::MetricsFile;

/// An orientation with a smaller share of the pairs is left out (Picard's MINIMUM_PCT).
const LEAST_SHARE: f64 = 0.05;
/// The mean is of sizes up to the median plus so many median absolute deviations (Picard's DEVIATIONS).
const DEVIATIONS: f64 = 10.0;

/// How the reads of a pair lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Orientation {
    /// Towards each other.
    Inward = 0,
    /// Away from each other.
    Outward = 1,
    /// On the same strand.
    Tandem = 2,
}

impl Orientation {
    /// The orientation of a mapped read with a mapped mate, by htsjdk's rule: the 5' end of the forward read against
    /// that of the reverse read.
    pub fn of(read: &Read<'_>) -> Self {
        let record = &read.record;
        if read.flags.is_reverse() == read.flags.is_mate_reverse() {
            return Orientation::Tandem;
        }
        let start = i64::from(record.pos()) + 1;
        let (forward, reverse) = if read.flags.is_reverse() {
            (i64::from(record.mate_pos()) + 1, i64::from(read.end))
        } else {
            (start, start + i64::from(record.template_length()))
        };
        if forward < reverse { Orientation::Inward } else { Orientation::Outward }
    }
}

picard_metrics! {
    /// A row of insert size figures.
    pub struct InsertSizeMetrics("picard.analysis.InsertSizeMetrics") {
        /// Median insert size, in bases.
        MEDIAN_INSERT_SIZE: f64,
        /// Most frequent insert size, in bases.
        MODE_INSERT_SIZE: u64,
        /// Median of the distances from the median, in bases.
        MEDIAN_ABSOLUTE_DEVIATION: f64,
        /// Least insert size, in bases.
        MIN_INSERT_SIZE: u64,
        /// Greatest insert size, in bases.
        MAX_INSERT_SIZE: u64,
        /// Mean of the insert sizes up to the median plus 10 median absolute deviations, in bases.
        MEAN_INSERT_SIZE: f64,
        /// Standard deviation of the insert sizes up to the median plus 10 median absolute deviations, in bases.
        STANDARD_DEVIATION: f64,
        /// Pairs.
        READ_PAIRS: u64,
        /// FR: inward, RF: outward, TANDEM: on the same strand.
        PAIR_ORIENTATION: String,
        /// Width, in bases, of the range around the median that holds 10 % of the pairs.
        WIDTH_OF_10_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 20 % of the pairs.
        WIDTH_OF_20_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 30 % of the pairs.
        WIDTH_OF_30_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 40 % of the pairs.
        WIDTH_OF_40_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 50 % of the pairs.
        WIDTH_OF_50_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 60 % of the pairs.
        WIDTH_OF_60_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 70 % of the pairs.
        WIDTH_OF_70_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 80 % of the pairs.
        WIDTH_OF_80_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 90 % of the pairs.
        WIDTH_OF_90_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 95 % of the pairs.
        WIDTH_OF_95_PERCENT: u64,
        /// Width, in bases, of the range around the median that holds 99 % of the pairs.
        WIDTH_OF_99_PERCENT: u64,
        /// Sample, where the row is one sample's.
        SAMPLE: Option<String>,
        /// Library, where the row is one library's.
        LIBRARY: Option<String>,
        /// Read group, where the row is one read group's.
        READ_GROUP: Option<String>,
    }
}

/// Insert sizes by read group and orientation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InsertSize {
    sizes: ByReadGroup<Sizes>,
}

/// Insert sizes by orientation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sizes([Histogram; 3]);

impl Tally for Sizes {
    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| a.merge(b));
    }
}

impl Collector for InsertSize {
    fn needs(context: &Context) -> Needs {
        Needs { fields: levels::is_split(context), ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self { sizes: ByReadGroup::new(context) }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        // Paired, not unmapped, mate not unmapped, not first, primary, no duplicate.
        if read.flags.0 & (0x1 | 0x4 | 0x8 | 0x40 | 0x100 | 0x400 | 0x800) != 0x1 {
            return;
        }
        let size = read.record.template_length();
        if size != 0 {
            self.sizes.of(read.read_group).0[Orientation::of(read) as usize]
                .add(u64::from(size.unsigned_abs()));
        }
    }

    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        self.sizes.merge(&next.sizes);
    }

    fn regroup(&mut self, numbers: &[usize], count: usize) {
        self.sizes.regroup(numbers, count);
    }
}

impl InsertSize {
    /// The rows of all reads: one for each orientation that has its share, with the histogram behind its mean.
    pub fn metrics(&self) -> Vec<(InsertSizeMetrics, Histogram)> {
        self.sizes.all().rows()
    }

    /// Picard's file with the rows of all units; `None` without pairs.
    pub fn to_text(&self, context: &Context) -> Option<String> {
        let mut rows = Vec::new();
        let mut columns: Vec<(String, BTreeMap<u64, u64>)> = Vec::new();
        for unit in levels::units(&context.header, &context.options.levels) {
            for (mut row, sizes) in self.sizes.sum(&unit).rows() {
                let orientation = row.PAIR_ORIENTATION.to_lowercase();
                columns.push((format!("{}.{orientation}_count", unit.name()), sizes.to_map()));
                (row.SAMPLE, row.LIBRARY, row.READ_GROUP) = unit.columns();
                rows.push(row);
            }
        }
        let file = MetricsFile::new("CollectInsertSizeMetrics");
        (!rows.is_empty())
            .then(|| file.metrics(&rows).histograms("Integer", "insert_size", &columns).into_text())
    }
}

impl Sizes {
    fn rows(&self) -> Vec<(InsertSizeMetrics, Histogram)> {
        let all: u64 = self.0.iter().map(Histogram::count).sum();
        let named = ["FR", "RF", "TANDEM"].into_iter().zip(&self.0);
        named
            .filter(|(_, sizes)| all > 0 && sizes.count() as f64 >= all as f64 * LEAST_SHARE)
            .map(|(name, sizes)| row(name, sizes))
            .collect()
    }
}

fn row(name: &str, sizes: &Histogram) -> (InsertSizeMetrics, Histogram) {
    let median = sizes.median();
    let deviation = sizes.median_absolute_deviation();
    let (min, max) = (sizes.min().unwrap_or(0), sizes.max().unwrap_or(0));
    let trimmed = sizes.trimmed((median + DEVIATIONS * deviation).trunc());
    let widths = widths(sizes, median, min, max);
    let metrics = InsertSizeMetrics {
        MEDIAN_INSERT_SIZE: median,
        MODE_INSERT_SIZE: sizes.mode().unwrap_or(0),
        MEDIAN_ABSOLUTE_DEVIATION: deviation,
        MIN_INSERT_SIZE: min,
        MAX_INSERT_SIZE: max,
        MEAN_INSERT_SIZE: trimmed.mean(),
        STANDARD_DEVIATION: trimmed.standard_deviation(),
        READ_PAIRS: sizes.count(),
        PAIR_ORIENTATION: name.to_owned(),
        WIDTH_OF_10_PERCENT: widths[0],
        WIDTH_OF_20_PERCENT: widths[1],
        WIDTH_OF_30_PERCENT: widths[2],
        WIDTH_OF_40_PERCENT: widths[3],
        WIDTH_OF_50_PERCENT: widths[4],
        WIDTH_OF_60_PERCENT: widths[5],
        WIDTH_OF_70_PERCENT: widths[6],
        WIDTH_OF_80_PERCENT: widths[7],
        WIDTH_OF_90_PERCENT: widths[8],
        WIDTH_OF_95_PERCENT: widths[9],
        WIDTH_OF_99_PERCENT: widths[10],
        ..InsertSizeMetrics::default()
    };
    (metrics, trimmed)
}

/// Widens a range around the median by one on each side until it holds each share.
fn widths(sizes: &Histogram, median: f64, min: u64, max: u64) -> [u64; 11] {
    const SHARES: [f64; 11] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
    let total = sizes.count() as f64;
    let (mut widths, mut found, mut covered, mut distance) = ([0; 11], 0, 0, 0u64);
    while found < SHARES.len() {
        let (low, high) = (median - distance as f64, median + distance as f64);
        if low < min as f64 - 1.0 && high > max as f64 + 1.0 {
            break;
        }
        // Java's cast to int goes towards 0, so -0.5 is 0.
        let at = |value: f64| if value > -1.0 { sizes.get(value as u64) } else { 0 };
        covered += at(low);
        if distance > 0 {
            covered += at(high);
        }
        while found < SHARES.len() && covered as f64 / total >= SHARES[found] {
            widths[found] = 2 * distance + 1;
            found += 1;
        }
        distance += 1;
    }
    widths
}
