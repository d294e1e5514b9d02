//! A finished run: the state, and the rows of figures that are made from it once and used by many files.

use super::alignment::AlignmentSummaryMetrics;
use super::collector::Context;
use super::duplication::DuplicationMetrics;
use super::gc_bias::{GcBiasDetailMetrics, GcBiasSummaryMetrics};
use super::histogram::Histogram;
use super::hs::HsMetrics;
use super::insert_size::InsertSizeMetrics;
use super::quality::{self, QualityYieldMetrics};
use super::set::CollectorSet;
use super::sex::Sex;
use super::sites::contamination::Contamination;
use super::stats::text::SummaryNumber;
use super::wgs::WgsMetrics;
use crate::genome::contigs::ContigRole;

/// What a run found out about one sample. What was not collected is empty or `None`.
pub struct Results<'a> {
    /// The sample's name.
    pub sample: &'a str,
    /// Header, reference and options of the run.
    pub context: &'a Context,
    /// The collectors' state.
    pub state: &'a CollectorSet,
    /// samtools' summary numbers.
    pub summary_numbers: Vec<SummaryNumber>,
    /// Picard's alignment summary.
    pub alignment: Vec<AlignmentSummaryMetrics>,
    /// Picard's insert sizes by orientation, each with the histogram behind its mean.
    pub insert_size: Vec<(InsertSizeMetrics, Histogram)>,
    /// Picard's duplicates by library.
    pub duplication: Vec<DuplicationMetrics>,
    /// Yield by quality.
    pub quality_yield: Option<QualityYieldMetrics>,
    /// Picard's WGS metrics.
    pub wgs: Option<WgsMetrics>,
    /// Picard's figures of a capture, where targets were given.
    pub hs: Option<HsMetrics>,
    /// Picard's GC bias: by GC content, and in a few figures.
    pub gc_bias: Option<(Vec<GcBiasDetailMetrics>, GcBiasSummaryMetrics)>,
    /// Karyotypic sex by depth.
    pub sex: Option<Sex>,
    /// Contamination, where sites were given.
    pub contamination: Option<Contamination>,
}

impl<'a> Results<'a> {
    /// Makes the rows.
    pub fn new(sample: &'a str, context: &'a Context, state: &'a CollectorSet) -> Self {
        let cycles = state.cycles.as_ref();
        let header = &context.header;
        let sites = state.sites.as_ref().zip(context.options.sites.as_ref());
        Self {
            sample,
            context,
            state,
            summary_numbers: state
                .stats
                .as_ref()
                .zip(cycles)
                .map(|(stats, cycles)| stats.summary_numbers(cycles))
                .unwrap_or_default(),
            alignment: state.alignment.as_ref().map(|alignment| alignment.metrics()).unwrap_or_default(),
            insert_size: state.insert_size.as_ref().map(|sizes| sizes.metrics()).unwrap_or_default(),
            duplication: state.duplication.as_ref().map(|dup| dup.metrics(context)).unwrap_or_default(),
            quality_yield: cycles.map(quality::quality_yield),
            wgs: state.wgs.as_ref().zip(cycles).map(|(wgs, cycles)| wgs.metrics(cycles)),
            hs: state.hs.as_ref().and_then(|hs| hs.all.metrics(context)),
            gc_bias: state.gc_bias.as_ref().and_then(|gc_bias| gc_bias.metrics()),
            sex: state.depth.as_ref().map(|depth| Sex::infer(header, depth.contigs())),
            contamination: sites
                .map(|(sites, list)| Contamination::estimate(sites.counts(), list, &header.contigs)),
        }
    }

    /// The row of a category of reads.
    pub fn alignment_of(&self, category: &str) -> Option<&AlignmentSummaryMetrics> {
        self.alignment.iter().find(|row| row.CATEGORY == category)
    }

    /// Insert sizes of the orientation that most pairs have.
    pub fn main_insert_size(&self) -> Option<&InsertSizeMetrics> {
        self.insert_size
            .iter()
            .map(|(row, _)| row)
            .reduce(|a, b| if b.READ_PAIRS > a.READ_PAIRS { b } else { a })
    }

    /// All libraries' duplicates together; library sizes are added, as libraries share no molecules.
    pub fn all_duplication(&self) -> Option<DuplicationMetrics> {
        let (first, more) = self.duplication.split_first()?;
        let mut all = first.clone();
        for row in more {
            all.UNPAIRED_READS_EXAMINED += row.UNPAIRED_READS_EXAMINED;
            all.READ_PAIRS_EXAMINED += row.READ_PAIRS_EXAMINED;
            all.SECONDARY_OR_SUPPLEMENTARY_RDS += row.SECONDARY_OR_SUPPLEMENTARY_RDS;
            all.UNMAPPED_READS += row.UNMAPPED_READS;
            all.UNPAIRED_READ_DUPLICATES += row.UNPAIRED_READ_DUPLICATES;
            all.READ_PAIR_DUPLICATES += row.READ_PAIR_DUPLICATES;
            all.READ_PAIR_OPTICAL_DUPLICATES += row.READ_PAIR_OPTICAL_DUPLICATES;
            let sizes = all.ESTIMATED_LIBRARY_SIZE.zip(row.ESTIMATED_LIBRARY_SIZE);
            all.ESTIMATED_LIBRARY_SIZE = sizes.map(|(a, b)| a.saturating_add(b));
        }
        if !more.is_empty() {
            let reads = all.UNPAIRED_READS_EXAMINED + 2 * all.READ_PAIRS_EXAMINED;
            let duplicates = all.UNPAIRED_READ_DUPLICATES + 2 * all.READ_PAIR_DUPLICATES;
            all.PERCENT_DUPLICATION = if reads == 0 { 0.0 } else { duplicates as f64 / reads as f64 };
        }
        Some(all)
    }

    /// Positions of the autosomes by depth of good bases ([`super::wgs`]); `None` without autosomes.
    pub fn autosome_depths(&self) -> Option<Histogram> {
        self.state.wgs.as_ref().map(|wgs| wgs.depths(true)).filter(|depths| depths.count() > 0)
    }

    /// Positions by depth (mosdepth's), of the contigs with such roles; `None` without any of them.
    pub fn depths_of(&self, wanted: impl Fn(ContigRole) -> bool) -> Option<Vec<u64>> {
        let depth = self.state.depth.as_ref()?;
        let mut sums: Option<Vec<u64>> = None;
        for (contig, depths) in self.context.header.contigs.iter().zip(depth.contigs()) {
            if !wanted(ContigRole::of(&contig.name)) {
                continue;
            }
            let sums = sums.get_or_insert_default();
            let length = depths.histogram.len().max(sums.len());
            sums.resize(length, 0);
            sums.iter_mut().zip(&depths.histogram).for_each(|(sum, n)| *sum += n);
        }
        sums.filter(|sums| sums.iter().any(|n| *n > 0))
    }
}

/// The mean depth of positions by depth.
pub fn mean_depth(depths: &[u64]) -> f64 {
    let sum: u128 = depths.iter().enumerate().map(|(depth, &n)| depth as u128 * u128::from(n)).sum();
    sum as f64 / depths.iter().sum::<u64>() as f64
}

/// The share of positions with a depth of at least `least`.
pub fn share_at_least(depths: &[u64], least: usize) -> f64 {
    let above: u64 = depths.iter().skip(least).sum();
    above as f64 / depths.iter().sum::<u64>() as f64
}
