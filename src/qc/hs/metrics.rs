//! The row of figures that Picard makes of the counts.

use std::collections::BTreeMap;

use super::coverage::COVERAGE_CAP;
use super::{Counts, Hs};
use crate::picard_metrics;
use crate::qc::collector::Context;
use crate::qc::duplication::library_size;
use crate::qc::histogram::Histogram;
use crate::qc::sensitivity;

picard_metrics! {
    /// Figures of a capture. PF: passing the vendor's check; unique: no duplicates. Near a bait: in reads that come within
    /// 250 positions of it. Exclusions are shares of the PF aligned bases.
    pub struct HsMetrics("picard.analysis.directed.HsMetrics") {
        /// The baits' name.
        BAIT_SET: String,
        /// Positions of the baits.
        BAIT_TERRITORY: u64,
        /// Positions of the targets by those of the baits.
        BAIT_DESIGN_EFFICIENCY: f64,
        /// PF aligned bases on baits, duplicates included.
        ON_BAIT_BASES: u64,
        /// PF aligned bases near baits but not on them, duplicates included.
        NEAR_BAIT_BASES: u64,
        /// All other PF aligned bases.
        OFF_BAIT_BASES: u64,
        /// Share of the PF aligned bases on or near baits.
        PCT_SELECTED_BASES: f64,
        /// Share of the PF aligned bases neither on nor near baits.
        PCT_OFF_BAIT: f64,
        /// Share of the bases on or near baits that is on them.
        ON_BAIT_VS_SELECTED: f64,
        /// Mean depth of the baits, duplicates included.
        MEAN_BAIT_COVERAGE: f64,
        /// Bases on baits by PF bases.
        PCT_USABLE_BASES_ON_BAIT: f64,
        /// Bases on targets that count as depth, by PF bases.
        PCT_USABLE_BASES_ON_TARGET: f64,
        /// How much denser bases lie on baits than they would by chance.
        FOLD_ENRICHMENT: f64,
        /// Estimated number of distinct molecules in the captured part of the library; empty without duplicates.
        HS_LIBRARY_SIZE: Option<u64>,
        /// PF aligned bases for each target base and unit of depth that bring 80 % of the targets to 10x; -1: not to be reached.
        HS_PENALTY_10X: f64,
        /// PF aligned bases for each target base and unit of depth that bring 80 % of the targets to 20x; -1: not to be reached.
        HS_PENALTY_20X: f64,
        /// PF aligned bases for each target base and unit of depth that bring 80 % of the targets to 30x; -1: not to be reached.
        HS_PENALTY_30X: f64,
        /// PF aligned bases for each target base and unit of depth that bring 80 % of the targets to 40x; -1: not to be reached.
        HS_PENALTY_40X: f64,
        /// PF aligned bases for each target base and unit of depth that bring 80 % of the targets to 50x; -1: not to be reached.
        HS_PENALTY_50X: f64,
        /// PF aligned bases for each target base and unit of depth that bring 80 % of the targets to 100x; -1: not to be reached.
        HS_PENALTY_100X: f64,
        /// Positions of the targets.
        TARGET_TERRITORY: u64,
        /// Sum of the contigs' lengths.
        GENOME_SIZE: u64,
        /// Primary reads.
        TOTAL_READS: u64,
        /// PF reads.
        PF_READS: u64,
        /// Bases of the PF reads.
        PF_BASES: u64,
        /// PF unique reads.
        PF_UNIQUE_READS: u64,
        /// PF unique reads that are mapped.
        PF_UQ_READS_ALIGNED: u64,
        /// PF bases on reference bases, of supplementary alignments too.
        PF_BASES_ALIGNED: u64,
        /// PF bases on reference bases, without those of duplicates.
        PF_UQ_BASES_ALIGNED: u64,
        /// Bases on targets that count as depth.
        ON_TARGET_BASES: u64,
        /// PF reads as a share of all.
        PCT_PF_READS: f64,
        /// PF unique reads as a share of all.
        PCT_PF_UQ_READS: f64,
        /// Mapped reads as a share of the PF unique ones.
        PCT_PF_UQ_READS_ALIGNED: f64,
        /// Mean depth of the targets.
        MEAN_TARGET_COVERAGE: f64,
        /// Median depth of the targets' positions.
        MEDIAN_TARGET_COVERAGE: f64,
        /// Greatest depth of a target's position.
        MAX_TARGET_COVERAGE: u64,
        /// Least depth of a target's position.
        MIN_TARGET_COVERAGE: u64,
        /// Targets that no base covers, as a share of those listed.
        ZERO_CVG_TARGETS_PCT: f64,
        /// Share of the aligned bases that do not count because the read is a duplicate.
        PCT_EXC_DUPE: f64,
        /// Share of the aligned bases that do not count because the read begins with an adapter.
        PCT_EXC_ADAPTER: f64,
        /// Share of the aligned bases that do not count because of the mapping quality.
        PCT_EXC_MAPQ: f64,
        /// Share of the aligned bases that do not count because of the base quality.
        PCT_EXC_BASEQ: f64,
        /// Share of the aligned bases that do not count because the mate covers the position.
        PCT_EXC_OVERLAP: f64,
        /// Share of the aligned bases that do not count because they are on no target.
        PCT_EXC_OFF_TARGET: f64,
        /// How much more sequencing would bring 80 % of the targets' positions to the present mean.
        FOLD_80_BASE_PENALTY: f64,
        /// Share of the targets' positions with a depth of at least 1.
        PCT_TARGET_BASES_1X: f64,
        /// Share of the targets' positions with a depth of at least 2.
        PCT_TARGET_BASES_2X: f64,
        /// Share of the targets' positions with a depth of at least 10.
        PCT_TARGET_BASES_10X: f64,
        /// Share of the targets' positions with a depth of at least 20.
        PCT_TARGET_BASES_20X: f64,
        /// Share of the targets' positions with a depth of at least 30.
        PCT_TARGET_BASES_30X: f64,
        /// Share of the targets' positions with a depth of at least 40.
        PCT_TARGET_BASES_40X: f64,
        /// Share of the targets' positions with a depth of at least 50.
        PCT_TARGET_BASES_50X: f64,
        /// Share of the targets' positions with a depth of at least 100.
        PCT_TARGET_BASES_100X: f64,
        /// Share of the targets' positions with a depth of at least 250.
        PCT_TARGET_BASES_250X: f64,
        /// Share of the targets' positions with a depth of at least 500.
        PCT_TARGET_BASES_500X: f64,
        /// Share of the targets' positions with a depth of at least 1,000.
        PCT_TARGET_BASES_1000X: f64,
        /// Share of the targets' positions with a depth of at least 2,500.
        PCT_TARGET_BASES_2500X: f64,
        /// Share of the targets' positions with a depth of at least 5,000.
        PCT_TARGET_BASES_5000X: f64,
        /// Share of the targets' positions with a depth of at least 10,000.
        PCT_TARGET_BASES_10000X: f64,
        /// Share of the targets' positions with a depth of at least 25,000.
        PCT_TARGET_BASES_25000X: f64,
        /// Share of the targets' positions with a depth of at least 50,000.
        PCT_TARGET_BASES_50000X: f64,
        /// Share of the targets' positions with a depth of at least 100,000.
        PCT_TARGET_BASES_100000X: f64,
        /// Bases that targets of up to 50 % GC lack for their share, in percent of all.
        AT_DROPOUT: f64,
        /// Bases that targets of 50 % GC and more lack for their share, in percent of all.
        GC_DROPOUT: f64,
        /// Chance to call a heterozygous SNV on the targets, from the depths and qualities.
        HET_SNP_SENSITIVITY: f64,
        /// Chance to miss a heterozygous SNV on the targets, as a Phred score.
        HET_SNP_Q: f64,
        /// Sample, where the row is one sample's.
        SAMPLE: Option<String>,
        /// Library, where the row is one library's.
        LIBRARY: Option<String>,
        /// Read group, where the row is one read group's.
        READ_GROUP: Option<String>,
    }
}

/// What is known of all targets together.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    total: u64,
    least: u64,
    greatest: u64,
    without_base: u64,
    at_dropout: f64,
    gc_dropout: f64,
}

impl Hs {
    /// The row of figures; `None` without a design.
    pub fn metrics(&self, context: &Context) -> Option<HsMetrics> {
        let design = context.options.design.as_ref()?;
        let c = &self.counts;
        let genome: u64 = context.header.contigs.iter().map(|contig| u64::from(contig.length)).sum();
        let (baits, targets) = (design.baits.territory(), design.targets.territory());
        let depths = self.target_depths(targets);
        let totals = self.totals(context);
        let ratio = |part: u64, whole: u64| part as f64 / whole as f64;
        let (selected, placed) = (c.on_bait + c.near_bait, c.on_bait + c.near_bait + c.off_bait);
        let mean = ratio(totals.total, targets);
        let fold_80 = mean / depths.percentile(0.2).unwrap_or(0) as f64;
        let library = library_size(c.selected_pairs, c.selected_unique_pairs);
        let penalty = |goal| library.map_or(0.0, |library| penalty(goal, library, c, targets, fold_80));
        let excluded = |bases| ratio(bases, c.pf_bases_aligned);
        let reaching = |least| ratio(self.coverage.reaching(least), targets);
        let sensitivity =
            sensitivity::of_counts(&self.coverage.unfiltered(targets), self.coverage.qualities());
        Some(HsMetrics {
            BAIT_SET: design.bait_set.clone(),
            BAIT_TERRITORY: baits,
            BAIT_DESIGN_EFFICIENCY: ratio(targets, baits),
            ON_BAIT_BASES: c.on_bait,
            NEAR_BAIT_BASES: c.near_bait,
            OFF_BAIT_BASES: c.off_bait,
            PCT_SELECTED_BASES: ratio(selected, placed),
            PCT_OFF_BAIT: ratio(c.off_bait, placed),
            ON_BAIT_VS_SELECTED: ratio(c.on_bait, selected),
            MEAN_BAIT_COVERAGE: ratio(c.on_bait, baits),
            PCT_USABLE_BASES_ON_BAIT: ratio(c.on_bait, c.pf_bases),
            PCT_USABLE_BASES_ON_TARGET: ratio(c.on_target, c.pf_bases),
            FOLD_ENRICHMENT: ratio(c.on_bait, placed) / ratio(baits, genome),
            HS_LIBRARY_SIZE: library,
            HS_PENALTY_10X: penalty(10.0),
            HS_PENALTY_20X: penalty(20.0),
            HS_PENALTY_30X: penalty(30.0),
            HS_PENALTY_40X: penalty(40.0),
            HS_PENALTY_50X: penalty(50.0),
            HS_PENALTY_100X: penalty(100.0),
            TARGET_TERRITORY: targets,
            GENOME_SIZE: genome,
            TOTAL_READS: c.reads,
            PF_READS: c.pf_reads,
            PF_BASES: c.pf_bases,
            PF_UNIQUE_READS: c.pf_unique_reads,
            PF_UQ_READS_ALIGNED: c.pf_unique_aligned,
            PF_BASES_ALIGNED: c.pf_bases_aligned,
            PF_UQ_BASES_ALIGNED: c.pf_unique_bases_aligned,
            ON_TARGET_BASES: c.on_target,
            PCT_PF_READS: ratio(c.pf_reads, c.reads),
            PCT_PF_UQ_READS: ratio(c.pf_unique_reads, c.reads),
            PCT_PF_UQ_READS_ALIGNED: ratio(c.pf_unique_aligned, c.pf_unique_reads),
            MEAN_TARGET_COVERAGE: mean,
            // Of a single position Picard gives the least value that its histogram knows, which is 0.
            MEDIAN_TARGET_COVERAGE: if targets == 1 { 0.0 } else { depths.median() },
            MAX_TARGET_COVERAGE: totals.greatest,
            MIN_TARGET_COVERAGE: totals.least,
            ZERO_CVG_TARGETS_PCT: ratio(totals.without_base, design.listed as u64),
            PCT_EXC_DUPE: excluded(c.excluded.duplicate),
            PCT_EXC_ADAPTER: excluded(c.excluded.adapter),
            PCT_EXC_MAPQ: excluded(c.excluded.mapq),
            PCT_EXC_BASEQ: excluded(c.excluded.baseq),
            PCT_EXC_OVERLAP: excluded(c.excluded.overlap),
            PCT_EXC_OFF_TARGET: excluded(c.excluded.off_target),
            FOLD_80_BASE_PENALTY: fold_80,
            PCT_TARGET_BASES_1X: reaching(1),
            PCT_TARGET_BASES_2X: reaching(2),
            PCT_TARGET_BASES_10X: reaching(10),
            PCT_TARGET_BASES_20X: reaching(20),
            PCT_TARGET_BASES_30X: reaching(30),
            PCT_TARGET_BASES_40X: reaching(40),
            PCT_TARGET_BASES_50X: reaching(50),
            PCT_TARGET_BASES_100X: reaching(100),
            PCT_TARGET_BASES_250X: reaching(250),
            PCT_TARGET_BASES_500X: reaching(500),
            PCT_TARGET_BASES_1000X: reaching(1_000),
            PCT_TARGET_BASES_2500X: reaching(2_500),
            PCT_TARGET_BASES_5000X: reaching(5_000),
            PCT_TARGET_BASES_10000X: reaching(10_000),
            PCT_TARGET_BASES_25000X: reaching(25_000),
            PCT_TARGET_BASES_50000X: reaching(50_000),
            PCT_TARGET_BASES_100000X: reaching(100_000),
            AT_DROPOUT: totals.at_dropout,
            GC_DROPOUT: totals.gc_dropout,
            HET_SNP_SENSITIVITY: sensitivity,
            HET_SNP_Q: sensitivity::phred(sensitivity) as f64,
            ..HsMetrics::default()
        })
    }

    /// Positions of targets by depth, those above 200 as 200; `territory` is how many there are.
    pub fn target_depths(&self, territory: u64) -> Histogram {
        let mut histogram = Histogram::default();
        (0u64..).zip(self.coverage.depths(territory)).for_each(|(depth, n)| histogram.add_many(depth, n));
        histogram
    }

    /// Positions of targets by depth, and bases by quality, as the histograms of `.hs_metrics` have them.
    pub(super) fn histograms(&self, territory: u64) -> [(String, BTreeMap<u64, u64>); 2] {
        let depths = self.coverage.depths(territory);
        debug_assert!(depths.len() == COVERAGE_CAP + 1);
        [
            ("high_quality_coverage_count".to_owned(), (0u64..).zip(depths).collect()),
            ("unfiltered_baseq_count".to_owned(), (0u64..).zip(self.coverage.qualities().to_vec()).collect()),
        ]
    }

    /// Adds up the targets, by their GC content where there is a reference.
    fn totals(&self, context: &Context) -> Totals {
        let mut totals = Totals::default();
        let Some(design) = &context.options.design else { return totals };
        let mut by_gc = [(0u64, 0u64); 101];
        let mut least = u64::MAX;
        for (index, span) in design.targets.all().iter().enumerate() {
            let row = self.coverage.target(index);
            totals.total += row.total;
            totals.greatest = totals.greatest.max(u64::from(row.greatest));
            totals.without_base += u64::from(row.covered == 0);
            least = least.min(if row.covered < span.length() { 0 } else { u64::from(row.least) });
            let gc = f64::from(row.gc) / f64::from(span.length());
            let (positions, bases) = &mut by_gc[((gc * 100.0 + 0.5).floor() as usize).min(100)];
            *positions += u64::from(span.length());
            *bases += row.total;
        }
        totals.least = least.min(totals.greatest);
        if context.reference.is_none() {
            return totals;
        }
        let all_positions: u64 = by_gc.iter().map(|(positions, _)| positions).sum();
        for (gc, (positions, bases)) in by_gc.into_iter().enumerate() {
            let shares = (bases as f64 / totals.total as f64, positions as f64 / all_positions as f64);
            let lacking = (shares.0 - shares.1) * 100.0;
            if lacking < 0.0 {
                totals.at_dropout += if gc <= 50 { -lacking } else { 0.0 };
                totals.gc_dropout += if gc >= 50 { -lacking } else { 0.0 };
            }
        }
        totals
    }
}

/// Picard's penalty for reaching a depth: what must be sequenced for each target base and unit of depth, from the share
/// of the library that is still unread. Its way of closing in on the number of pairs decides the last digits.
fn penalty(goal: f64, library: u64, counts: &Counts, territory: u64, fold_80: f64) -> f64 {
    let (pairs, unique) = (counts.selected_pairs as f64, counts.selected_unique_pairs as f64);
    let library = library as f64;
    let mean = counts.on_target_of_pairs as f64 / territory as f64;
    let on_target = counts.on_target as f64 / counts.pf_unique_bases_aligned as f64;
    let wanted = goal / mean * fold_80;
    let seen = |times: f64| library * (1.0 - (-(times * pairs) / library).exp()) / unique;
    let (mut times, mut step, mut up) = (wanted, 1.0, wanted >= 1.0);
    for _ in 0..10_000 {
        let found = seen(times);
        if (found - wanted).abs() / wanted <= 0.001 {
            let share = (unique * wanted) / (pairs * times);
            return 1.0 / share * fold_80 * (1.0 / on_target);
        }
        if (found > wanted && up) || (found < wanted && !up) {
            step /= 2.0;
            up = !up;
        }
        times += if up { step } else { -step };
    }
    -1.0
}
