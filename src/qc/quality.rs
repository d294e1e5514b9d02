//! Picard's quality and base tables out of the counts by cycle: mean quality by cycle, distribution of qualities, bases
//! by cycle, and yield.

use std::collections::BTreeMap;

use super::cycles::{Cycles, End};
use crate::picard_metrics;
use crate::report::picard::MetricsFile;

/// The quality of bases that have none (`*` in SAM). Picard does not see them.
const MISSING: usize = 255;

picard_metrics! {
    /// Bases of one cycle.
    pub struct BaseDistributionByCycleMetrics("picard.analysis.BaseDistributionByCycleMetrics") {
        /// 1 or 2.
        READ_END: u64,
        /// The cycle, from 1; those of the second end follow the last of the first.
        CYCLE: u64,
        /// Share of A, in percent.
        PCT_A: f64,
        /// Share of C, in percent.
        PCT_C: f64,
        /// Share of G, in percent.
        PCT_G: f64,
        /// Share of T, in percent.
        PCT_T: f64,
        /// Share of N and all other codes, in percent.
        PCT_N: f64,
    }
}

picard_metrics! {
    /// Yield by quality; PF: reads that pass the vendor's check.
    pub struct QualityYieldMetrics("picard.analysis.CollectQualityYieldMetrics$QualityYieldMetrics") {
        /// Primary reads.
        TOTAL_READS: u64,
        /// PF reads.
        PF_READS: u64,
        /// Mean length of the reads, in bases, rounded down.
        READ_LENGTH: u64,
        /// Bases.
        TOTAL_BASES: u64,
        /// PF bases.
        PF_BASES: u64,
        /// Bases of quality 20 or more.
        Q20_BASES: u64,
        /// PF bases of quality 20 or more.
        PF_Q20_BASES: u64,
        /// Bases of quality 30 or more.
        Q30_BASES: u64,
        /// PF bases of quality 30 or more.
        PF_Q30_BASES: u64,
        /// Sum of the qualities, by 20.
        Q20_EQUIVALENT_YIELD: u64,
        /// Sum of the qualities of PF bases, by 20.
        PF_Q20_EQUIVALENT_YIELD: u64,
    }
}

/// Whether Picard counts the end as a second one.
fn is_second(end: End) -> bool {
    matches!(end, End::Last | End::Both)
}

/// Mean quality by cycle, the second end's cycles behind the first's.
pub fn mean_by_cycle(cycles: &Cycles) -> BTreeMap<u64, f64> {
    let mut means = BTreeMap::new();
    let mut first_length = 0;
    for second in [false, true] {
        let offset = first_length;
        for (i, row) in cycles.qualities(|end, _| is_second(end) == second).iter().enumerate() {
            let count: u64 = row[..MISSING].iter().sum();
            let sum: u64 = row[..MISSING].iter().enumerate().map(|(quality, n)| quality as u64 * n).sum();
            if count > 0 && (second || sum > 0) {
                let cycle = offset + i as u64 + 1;
                // Where the first end has no cycles beyond this one, Picard adds both means up.
                *means.entry(cycle).or_insert(0.0) += sum as f64 / count as f64;
                if !second {
                    first_length = cycle;
                }
            }
        }
    }
    means
}

/// `.quality_by_cycle_metrics`.
pub fn by_cycle_text(cycles: &Cycles) -> String {
    let columns = [("MEAN_QUALITY".to_owned(), mean_by_cycle(cycles))];
    MetricsFile::new("MeanQualityByCycle").histograms("Integer", "CYCLE", &columns).into_text()
}

/// How many called bases have each quality.
pub fn distribution(cycles: &Cycles) -> BTreeMap<u64, u64> {
    let counts = cycles.qualities_of_called_bases(|_, _| true);
    let seen = counts[..MISSING].iter().enumerate().filter(|(_, n)| **n > 0);
    seen.map(|(quality, n)| (quality as u64, *n)).collect()
}

/// `.quality_distribution_metrics`.
pub fn distribution_text(cycles: &Cycles) -> String {
    let columns = [("COUNT_OF_Q".to_owned(), distribution(cycles))];
    MetricsFile::new("QualityScoreDistribution").histograms("Byte", "QUALITY", &columns).into_text()
}

/// Bases by cycle of both ends.
pub fn base_distribution(cycles: &Cycles) -> Vec<BaseDistributionByCycleMetrics> {
    let mut rows = Vec::new();
    let mut first_length = 0;
    for second in [false, true] {
        let offset = first_length;
        for (i, counts) in cycles.bases(|end, _, _| is_second(end) == second).iter().enumerate() {
            let all = counts.acgt.iter().sum::<u64>() + counts.n + counts.other;
            if all == 0 {
                continue;
            }
            let percent = |n: u64| 100.0 * n as f64 / all as f64;
            let cycle = offset + i as u64 + 1;
            if !second {
                first_length = cycle;
            }
            rows.push(BaseDistributionByCycleMetrics {
                READ_END: 1 + u64::from(second),
                CYCLE: cycle,
                PCT_A: percent(counts.acgt[0]),
                PCT_C: percent(counts.acgt[1]),
                PCT_G: percent(counts.acgt[2]),
                PCT_T: percent(counts.acgt[3]),
                PCT_N: percent(counts.n + counts.other),
            });
        }
    }
    rows
}

/// `.base_distribution_by_cycle_metrics`.
pub fn base_distribution_text(cycles: &Cycles) -> String {
    MetricsFile::new("CollectBaseDistributionByCycle").metrics(&base_distribution(cycles)).into_text()
}

/// Yield of the primary reads.
pub fn quality_yield(cycles: &Cycles) -> QualityYieldMetrics {
    let [all, passed] = [false, true].map(|only_passed| {
        let rows = cycles.qualities(|_, qc_fail| !(only_passed && qc_fail));
        let above =
            |least: usize| rows.iter().map(|row| row[least..MISSING].iter().sum::<u64>()).sum::<u64>();
        let sum = rows
            .iter()
            .flat_map(|row| row[..MISSING].iter().enumerate())
            .map(|(q, n)| q as u64 * n)
            .sum::<u64>();
        let bases = rows.iter().map(|row| row.iter().sum::<u64>()).sum::<u64>();
        (cycles.reads(|qc_fail| !(only_passed && qc_fail)), bases, above(20), above(30), sum / 20)
    });
    QualityYieldMetrics {
        TOTAL_READS: all.0,
        PF_READS: passed.0,
        READ_LENGTH: all.1.checked_div(all.0).unwrap_or(0),
        TOTAL_BASES: all.1,
        PF_BASES: passed.1,
        Q20_BASES: all.2,
        PF_Q20_BASES: passed.2,
        Q30_BASES: all.3,
        PF_Q30_BASES: passed.3,
        Q20_EQUIVALENT_YIELD: all.4,
        PF_Q20_EQUIVALENT_YIELD: passed.4,
    }
}

/// `.quality_yield_metrics`.
pub fn quality_yield_text(cycles: &Cycles) -> String {
    MetricsFile::new("CollectQualityYieldMetrics").metrics(&[quality_yield(cycles)]).into_text()
}
