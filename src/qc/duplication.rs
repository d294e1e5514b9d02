//! Duplicates by library from the flags, as Picard's CollectDuplicateMetrics counts them, and the library's size.
//!
//! Optical duplicates cannot be told from the flags, so their count is 0 and the size a little too small.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs};
use super::read::Read;
use crate::picard_metrics;
use crate::report::picard::MetricsFile;

const UNKNOWN_LIBRARY: &str = "Unknown Library";

picard_metrics! {
    /// Duplicates of one library.
    pub struct DuplicationMetrics("picard.sam.DuplicationMetrics") {
        /// The library (LB of the read group).
        LIBRARY: String,
        /// Mapped reads without a mapped mate.
        UNPAIRED_READS_EXAMINED: u64,
        /// Pairs with both reads mapped.
        READ_PAIRS_EXAMINED: u64,
        /// Secondary and supplementary alignments.
        SECONDARY_OR_SUPPLEMENTARY_RDS: u64,
        /// Unmapped reads.
        UNMAPPED_READS: u64,
        /// Duplicates among the unpaired reads.
        UNPAIRED_READ_DUPLICATES: u64,
        /// Duplicates among the pairs.
        READ_PAIR_DUPLICATES: u64,
        /// Always 0 here: not known from the flags.
        READ_PAIR_OPTICAL_DUPLICATES: u64,
        /// Share of the mapped reads that are duplicates (a fraction).
        PERCENT_DUPLICATION: f64,
        /// Estimated number of distinct molecules (Lander-Waterman); empty without duplicates.
        ESTIMATED_LIBRARY_SIZE: Option<u64>,
    }
}

/// Counts of one read group.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Counts {
    unpaired: u64,
    paired: u64,
    unmapped: u64,
    secondary: u64,
    unpaired_duplicates: u64,
    paired_duplicates: u64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.unpaired += other.unpaired;
        self.paired += other.paired;
        self.unmapped += other.unmapped;
        self.secondary += other.secondary;
        self.unpaired_duplicates += other.unpaired_duplicates;
        self.paired_duplicates += other.paired_duplicates;
    }
}

/// Counts by read group; the last is of reads without one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Duplication {
    groups: Vec<Counts>,
}

impl Collector for Duplication {
    fn needs(_: &Context) -> Needs {
        Needs { fields: true, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self { groups: vec![Counts::default(); context.header.read_groups.len() + 1] }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        let counts = &mut self.groups[read.read_group];
        let duplicate = u64::from(read.flags.is_duplicate());
        if read.flags.is_unmapped() {
            counts.unmapped += 1;
        } else if !read.flags.is_primary() {
            counts.secondary += 1;
        } else if !read.flags.is_paired() || read.flags.is_mate_unmapped() {
            counts.unpaired += 1;
            counts.unpaired_duplicates += duplicate;
        } else {
            counts.paired += 1;
            counts.paired_duplicates += duplicate;
        }
    }

    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        Some(self)
    }

    fn regroup(&mut self, numbers: &[usize], count: usize) {
        let mut groups = vec![Counts::default(); count];
        for (&number, counts) in numbers.iter().zip(&self.groups) {
            groups[number].add(counts);
        }
        self.groups = groups;
    }

    fn merge(&mut self, next: Self) {
        self.groups.iter_mut().zip(&next.groups).for_each(|(a, b)| a.add(b));
    }
}

impl Duplication {
    /// One row a library, by name.
    pub fn metrics(&self, context: &Context) -> Vec<DuplicationMetrics> {
        let mut libraries: BTreeMap<&str, Counts> = BTreeMap::new();
        let named = context
            .header
            .read_groups
            .iter()
            .map(|group| group.library.as_deref().unwrap_or(UNKNOWN_LIBRARY));
        for (library, counts) in named.zip(&self.groups) {
            libraries.entry(library).or_default().add(counts);
        }
        if let Some(rest) =
            self.groups.last().filter(|rest| rest.unpaired + rest.paired + rest.unmapped + rest.secondary > 0)
        {
            libraries.entry(UNKNOWN_LIBRARY).or_default().add(rest);
        }
        libraries.into_iter().map(|(library, counts)| row(library, &counts)).collect()
    }

    /// Picard's file; the histogram, of a single library, says how much more of it further sequencing would show.
    pub fn to_text(&self, context: &Context) -> String {
        let rows = self.metrics(context);
        let file = MetricsFile::new("CollectDuplicateMetrics").metrics(&rows);
        match &rows[..] {
            [
                DuplicationMetrics {
                    ESTIMATED_LIBRARY_SIZE: Some(size),
                    READ_PAIRS_EXAMINED,
                    READ_PAIR_DUPLICATES,
                    ..
                },
            ] => {
                let (pairs, unique) =
                    (*READ_PAIRS_EXAMINED as f64, (READ_PAIRS_EXAMINED - READ_PAIR_DUPLICATES) as f64);
                let size = *size as f64;
                let seen = |times: u64| size * (1.0 - (-(times as f64 * pairs) / size).exp()) / unique;
                let histogram = (1..=100).map(|times| (Times(times), seen(times))).collect();
                file.histograms("Double", "BIN", &[("CoverageMult".to_owned(), histogram)]).into_text()
            }
            _ => file.into_text(),
        }
    }
}

/// A whole number that Java prints as a double.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Times(u64);

impl crate::report::picard::Cell for Times {
    fn cell(&self) -> String {
        format!("{}.0", self.0)
    }
}

fn row(library: &str, counts: &Counts) -> DuplicationMetrics {
    let (pairs, duplicates) = (counts.paired / 2, counts.paired_duplicates / 2);
    let reads = counts.unpaired + 2 * pairs;
    let share = (counts.unpaired_duplicates + 2 * duplicates) as f64 / reads as f64;
    DuplicationMetrics {
        LIBRARY: library.to_owned(),
        UNPAIRED_READS_EXAMINED: counts.unpaired,
        READ_PAIRS_EXAMINED: pairs,
        SECONDARY_OR_SUPPLEMENTARY_RDS: counts.secondary,
        UNMAPPED_READS: counts.unmapped,
        UNPAIRED_READ_DUPLICATES: counts.unpaired_duplicates,
        READ_PAIR_DUPLICATES: duplicates,
        READ_PAIR_OPTICAL_DUPLICATES: 0,
        PERCENT_DUPLICATION: if reads == 0 { 0.0 } else { share },
        ESTIMATED_LIBRARY_SIZE: library_size(pairs, pairs - duplicates),
    }
}

/// Distinct molecules of a library of which `pairs` were read and `unique` of those were different: the x of
/// unique / x = 1 - exp(-pairs / x) (Lander and Waterman, doi:10.1016/0888-7543(88)90007-9), by 40 bisections as Picard.
pub fn library_size(pairs: u64, unique: u64) -> Option<u64> {
    if unique == 0 || unique >= pairs {
        return None;
    }
    let (c, n) = (unique as f64, pairs as f64);
    let excess = |x: f64| c / x - 1.0 + (-n / x).exp();
    if excess(c) < 0.0 {
        return None;
    }
    let (mut low, mut high) = (1.0, 100.0);
    while excess(high * c) > 0.0 && high < 1e18 {
        high *= 10.0;
    }
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        let at = excess(middle * c);
        if at == 0.0 {
            break;
        } else if at > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some((c * (low + high) / 2.0) as u64)
}
