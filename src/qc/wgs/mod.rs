//! Coverage by bases of good quality in reads of good quality, as Picard's CollectWgsMetrics counts it.
//!
//! Positions whose reference base is N do not count. A base counts with a quality of 20 or more in a mapped, paired,
//! primary or supplementary read of mapping quality 20 or more that is no duplicate; of bases of one template at one
//! position the first that counts.

mod templates;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alignment::adapters;
use super::collector::{Collector, Context, Needs, Stretch};
use super::cycles::Cycles;
use super::decode::BASE_CODES;
use super::histogram::Histogram;
use super::read::{BASE_N, Read};
use super::sensitivity;
use super::window::{Run, Window};
use crate::formats::fasta::{FastaError, Reference};
use crate::genome::contigs::ContigRole;
use crate::picard_metrics;
use crate::report::picard::MetricsFile;
use templates::Templates;

/// Depths above this count as this (Picard's COVERAGE_CAP).
const COVERAGE_CAP: usize = 250;
/// Bases of this quality or less are not seen at all.
const NO_QUALITY: u8 = 2;

picard_metrics! {
    /// Coverage of a genome. Shares are fractions of the territory, exclusions of the aligned bases.
    pub struct WgsMetrics("picard.analysis.WgsMetrics") {
        /// Positions whose reference base is not N.
        GENOME_TERRITORY: u64,
        /// Mean depth, with depths above 250 taken as 250.
        MEAN_COVERAGE: f64,
        /// Standard deviation of the depth.
        SD_COVERAGE: f64,
        /// Median depth.
        MEDIAN_COVERAGE: f64,
        /// Median of the distances from the median depth.
        MAD_COVERAGE: f64,
        /// Share of the aligned bases that do not count because the read begins with an adapter.
        PCT_EXC_ADAPTER: f64,
        /// Share of the aligned bases that do not count because of the mapping quality.
        PCT_EXC_MAPQ: f64,
        /// Share of the aligned bases that do not count because the read is a duplicate.
        PCT_EXC_DUPE: f64,
        /// Share of the aligned bases that do not count because the read has no mapped mate.
        PCT_EXC_UNPAIRED: f64,
        /// Share of the aligned bases that do not count because of the base quality.
        PCT_EXC_BASEQ: f64,
        /// Share of the aligned bases that do not count because another base of the template counts there.
        PCT_EXC_OVERLAP: f64,
        /// Share of the aligned bases that do not count because the depth is above 250.
        PCT_EXC_CAPPED: f64,
        /// Share of the aligned bases that do not count, for any reason.
        PCT_EXC_TOTAL: f64,
        /// Share of the positions with a depth of at least 1.
        PCT_1X: f64,
        /// Share of the positions with a depth of at least 5.
        PCT_5X: f64,
        /// Share of the positions with a depth of at least 10.
        PCT_10X: f64,
        /// Share of the positions with a depth of at least 15.
        PCT_15X: f64,
        /// Share of the positions with a depth of at least 20.
        PCT_20X: f64,
        /// Share of the positions with a depth of at least 25.
        PCT_25X: f64,
        /// Share of the positions with a depth of at least 30.
        PCT_30X: f64,
        /// Share of the positions with a depth of at least 40.
        PCT_40X: f64,
        /// Share of the positions with a depth of at least 50.
        PCT_50X: f64,
        /// Share of the positions with a depth of at least 60.
        PCT_60X: f64,
        /// Share of the positions with a depth of at least 70.
        PCT_70X: f64,
        /// Share of the positions with a depth of at least 80.
        PCT_80X: f64,
        /// Share of the positions with a depth of at least 90.
        PCT_90X: f64,
        /// Share of the positions with a depth of at least 100.
        PCT_100X: f64,
        /// How much more sequencing would bring 80 % of the positions to the present mean.
        FOLD_80_BASE_PENALTY: f64,
        /// How much more sequencing would bring 90 % of the positions to the present mean.
        FOLD_90_BASE_PENALTY: f64,
        /// How much more sequencing would bring 95 % of the positions to the present mean.
        FOLD_95_BASE_PENALTY: f64,
        /// Chance to call a heterozygous SNV, from the depths and qualities.
        HET_SNP_SENSITIVITY: f64,
        /// Chance to miss a heterozygous SNV, as a Phred score.
        HET_SNP_Q: i64,
    }
}

/// Counts of bases that do not count as depth, each by its first reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Excluded {
    adapter: u64,
    mapq: u64,
    duplicate: u64,
    unpaired: u64,
    baseq: u64,
    overlap: u64,
    capped: u64,
}

/// The state of the collector.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wgs {
    counts: Counts,
    min_mapq: u8,
    min_baseq: u8,
    excluded: Excluded,
    qualities: Corrections,
    #[serde(skip)]
    walk: Walk,
}

/// Positions by depth.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counts {
    /// By depth of bases that count: of all contigs, and of autosomes.
    depths: [Vec<u64>; 2],
    /// By depth of bases of any quality above 2, mates counted twice.
    unfiltered: Vec<u64>,
    capped: u64,
}

/// Bases by quality that make the difference between those of all good primary reads, which [`Cycles`] holds, and those
/// that Picard sees: the first 250 of quality above 2 at each position that is not N.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Corrections {
    more: Vec<u64>,
    less: Vec<u64>,
}

impl Default for Corrections {
    fn default() -> Self {
        Self { more: vec![0; 256], less: vec![0; 256] }
    }
}

impl Corrections {
    /// A base on the reference: of a primary read, which is counted elsewhere, or of a supplementary alignment.
    fn correct(&mut self, quality: u8, is_primary: bool, is_seen: bool) {
        match (is_primary, is_seen) {
            (true, false) => self.less[usize::from(quality)] += 1,
            (false, true) => self.more[usize::from(quality)] += 1,
            _ => {}
        }
    }

    /// Bases of a primary read that stand on no position of the contig.
    #[inline]
    fn leave_out_unaligned(&mut self, read: &Read<'_>) {
        let within = (read.end - read.start) as usize == read.reference.len();
        if read.ops.len() == 1 && within {
            return;
        }
        let mut index = 0;
        let mut left_out = |from: usize, to: usize| {
            if let Some(quals) = read.quals.get(from..to) {
                quals.iter().for_each(|&quality| self.less[usize::from(quality)] += 1);
            }
        };
        for (at, position, length) in read.blocks() {
            left_out(index, at);
            let under = read.reference.len().saturating_sub((position - read.start) as usize);
            index = at + length as usize;
            left_out(at + under.min(length as usize), index);
        }
        left_out(index, read.quals.len());
    }

    fn merge(&mut self, next: &Corrections) {
        self.more.iter_mut().zip(&next.more).for_each(|(a, b)| *a += b);
        self.less.iter_mut().zip(&next.less).for_each(|(a, b)| *a += b);
    }
}

/// What is open while reads go by.
#[derive(Debug, Default)]
struct Walk {
    /// Depths of bases that count, and of bases of any quality. 16 bits: a depth above 65,535 is taken as that.
    depth: Window<u16>,
    unfiltered: Window<u16>,
    templates: Templates,
    passes: Vec<u8>,
    /// The same without bases of which an earlier record of the template counts.
    counted: Vec<u8>,
    autosome: bool,
    source: Option<(Arc<Reference>, usize)>,
    text: Vec<u8>,
    /// The first error of the reference, told when the stretch ends.
    failed: Option<FastaError>,
}

impl Collector for Wgs {
    fn unavailable(context: &Context) -> Option<&'static str> {
        match (context.sorted, context.reference.is_some()) {
            (false, _) => Some("the file is not sorted by coordinate"),
            (_, false) => Some("it needs the reference (-r)"),
            _ => None,
        }
    }

    fn needs(_: &Context) -> Needs {
        Needs { bases: true, quals: true, name: true, reference: true, goodness: true, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self {
            counts: Counts {
                depths: std::array::from_fn(|_| vec![0; COVERAGE_CAP + 1]),
                unfiltered: vec![0; COVERAGE_CAP + 1],
                capped: 0,
            },
            min_mapq: context.options.min_mapq.unwrap_or(20),
            min_baseq: context.options.min_baseq.unwrap_or(20),
            excluded: Excluded::default(),
            qualities: Corrections::default(),
            walk: Walk::default(),
        }
    }

    fn enter(&mut self, stretch: Stretch, context: &Context) {
        let walk = &mut self.walk;
        walk.depth.enter(stretch);
        walk.unfiltered.enter(stretch);
        walk.templates.clear();
        walk.autosome = ContigRole::of(&context.header.contigs[stretch.contig].name).is_autosome();
        walk.source = context.reference.clone().zip(context.reference_contigs[stretch.contig]);
    }

    fn lead_in(&mut self, read: &Read<'_>) {
        if read.is_good {
            self.add(read, false);
        }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        if read.is_good {
            self.add(read, true);
        } else if let Some(count) = reason(read, self.min_mapq, &mut self.excluded) {
            *count += read.blocks().map(|(_, _, length)| u64::from(length)).sum::<u64>();
        }
    }

    fn leave(&mut self, _: &Context) -> Result<(), FastaError> {
        self.flush(None);
        self.walk.failed.take().map_or(Ok(()), Err)
    }

    fn merge(&mut self, next: Self) {
        let pairs = self.counts.depths.iter_mut().zip(next.counts.depths);
        pairs.for_each(|(a, b)| a.iter_mut().zip(b).for_each(|(a, b)| *a += b));
        self.counts.unfiltered.iter_mut().zip(next.counts.unfiltered).for_each(|(a, b)| *a += b);
        self.counts.capped += next.counts.capped;
        self.qualities.merge(&next.qualities);
        let (a, b) = (&mut self.excluded, next.excluded);
        a.adapter += b.adapter;
        a.mapq += b.mapq;
        a.duplicate += b.duplicate;
        a.unpaired += b.unpaired;
        a.baseq += b.baseq;
        a.overlap += b.overlap;
    }
}

/// Whether the read counts: [`Read::is_good`].
pub fn is_good(read: &Read<'_>, min_mapq: u8) -> bool {
    const EXCLUDED: u16 = 0x4 | 0x8 | 0x100 | 0x200 | 0x400;
    read.flags.0 & (EXCLUDED | 0x1) == 0x1
        && read.mapq >= min_mapq
        && read.contig.is_some()
        && !adapters::is_adapter(read)
}

/// Why a read that is not good is not: the counter of its bases, or `None` where they do not count as excluded.
fn reason<'e>(read: &Read<'_>, min_mapq: u8, excluded: &'e mut Excluded) -> Option<&'e mut u64> {
    let flags = read.flags;
    if flags.is_secondary() {
        None
    } else if adapters::is_adapter(read) {
        Some(&mut excluded.adapter)
    } else if read.mapq < min_mapq {
        Some(&mut excluded.mapq)
    } else if flags.is_duplicate() {
        Some(&mut excluded.duplicate)
    } else if !flags.is_paired() || flags.is_mate_unmapped() {
        Some(&mut excluded.unpaired)
    } else {
        None
    }
}

impl Wgs {
    #[inline]
    fn add(&mut self, read: &Read<'_>, owned: bool) {
        if self.walk.depth.is_due(read.start) {
            self.flush(Some(read.start));
        }
        let Self { walk, excluded, qualities, min_baseq, .. } = self;
        let Walk { depth, unfiltered, templates, passes, counted, .. } = walk;
        let is_primary = read.flags.is_primary();
        if owned && is_primary {
            qualities.leave_out_unaligned(read);
        }
        templates.begin(read.record.name(), read.start, read.end);
        for (index, position, length) in read.blocks() {
            // Only what lies on the contig, has qualities, and belongs to the stretch.
            let offset = (position - read.start) as usize;
            let under = read.reference.get(offset..).unwrap_or_default();
            let end = index + (length as usize).min(under.len());
            let (Some(bases), Some(quals)) = (read.bases.get(index..end), read.quals.get(index..end)) else {
                break;
            };
            let under = &under[..bases.len()];

            passes.clear();
            passes.extend(bases.iter().zip(quals).map(|(&base, &quality)| {
                u8::from(quality >= *min_baseq) & u8::from(quality < 128) & u8::from(base != BASE_N)
            }));
            templates.add_block(position, passes);
            let Some((start, stop)) = depth.clip(position, position + bases.len() as u32) else { continue };
            let inside = (start - position) as usize..(stop - position) as usize;
            let (passes, quals, under) = (&passes[inside.clone()], &quals[inside.clone()], &under[inside]);

            // Bases on N of the reference do not count for anything; such reads are rare.
            let has_n = under.iter().fold(false, |any, &code| any | (code == BASE_N));
            let on_n = |i: usize| has_n && under[i] == BASE_N;

            counted.clear();
            counted.extend_from_slice(passes);
            templates.earlier(start, |first, theirs| {
                let from = start.max(first);
                let to = stop.min(first.saturating_add(theirs.len() as u32));
                for at in from..to {
                    let i = (at - start) as usize;
                    if counted[i] == 1 && theirs[(at - first) as usize] == 1 {
                        counted[i] = 0;
                        excluded.overlap += u64::from(!on_n(i));
                    }
                }
            });
            let failing = passes.len() as u64 - count_ones(passes);
            let failing_on_n =
                if has_n { (0..passes.len()).filter(|&i| on_n(i) && passes[i] == 0).count() } else { 0 };
            excluded.baseq += failing - failing_on_n as u64;

            let seen = unfiltered.values(start, stop);
            let full = seen.iter().fold(0, |a: u16, &b| a.max(b)) as usize >= COVERAGE_CAP;
            if has_n || full || !is_primary {
                for (i, (seen, &quality)) in seen.iter().zip(quals).enumerate() {
                    let is_seen = quality > NO_QUALITY && usize::from(*seen) < COVERAGE_CAP && !on_n(i);
                    qualities.correct(quality, is_primary, is_seen);
                }
            }
            for (seen, &quality) in seen.iter_mut().zip(quals) {
                *seen = seen.saturating_add(u16::from(quality > NO_QUALITY));
            }
            for (depth, &counts) in depth.values(start, stop).iter_mut().zip(&*counted) {
                *depth = depth.saturating_add(u16::from(counts));
            }
        }
        templates.end();
    }

    /// Hands finished positions to the histograms: those left of `to`, or all to the stretch's end.
    fn flush(&mut self, to: Option<u32>) {
        let Self { counts, walk: Walk { depth, unfiltered, autosome, source, text, failed, .. }, .. } = self;
        let Some((reference, contig)) = source else { return };
        let mut codes = |start: u32, length: u32, each: &mut dyn FnMut(&[u8])| {
            let mut at = start;
            while at < start + length && failed.is_none() {
                let end = (start + length).min(at + (1 << 20));
                match reference.fetch(*contig, u64::from(at), u64::from(end), text) {
                    Ok(()) => each(text),
                    Err(error) => *failed = Some(error),
                }
                at = end;
            }
        };
        let mut finish_depth = |start: u32, run: Run<'_, u16>| match run {
            Run::Untouched(n) => codes(start, n, &mut |text| {
                let positions = text.iter().filter(|base| !is_n(**base)).count() as u64;
                counts.depths[0][0] += positions;
                counts.depths[1][0] += if *autosome { positions } else { 0 };
            }),
            Run::Values(values) => codes(start, values.len() as u32, &mut |text| {
                for (&base, &depth) in text.iter().zip(&*values) {
                    if is_n(base) {
                        continue;
                    }
                    let capped = usize::from(depth).min(COVERAGE_CAP);
                    counts.depths[0][capped] += 1;
                    counts.depths[1][capped] += u64::from(*autosome);
                    counts.capped += (usize::from(depth) - capped) as u64;
                }
            }),
        };
        match to {
            Some(to) => depth.advance(to, &mut finish_depth),
            None => depth.leave(&mut finish_depth),
        }
        let mut finish_unfiltered = |start: u32, run: Run<'_, u16>| match run {
            Run::Untouched(_) => {}
            Run::Values(values) => codes(start, values.len() as u32, &mut |text| {
                for (&base, &depth) in text.iter().zip(&*values) {
                    counts.unfiltered[usize::from(depth).min(COVERAGE_CAP)] += u64::from(!is_n(base));
                }
            }),
        };
        match to {
            Some(to) => unfiltered.advance(to, &mut finish_unfiltered),
            None => unfiltered.leave(&mut finish_unfiltered),
        }
    }

    /// Positions by depth: of all contigs, or of the autosomes.
    pub fn depths(&self, autosomes: bool) -> Histogram {
        let mut histogram = Histogram::default();
        let depths = &self.counts.depths[usize::from(autosomes)];
        depths.iter().enumerate().for_each(|(depth, &n)| histogram.add_many(depth as u64, n));
        histogram
    }

    /// The row of figures; `cycles` are of the same reads.
    pub fn metrics(&self, cycles: &Cycles) -> WgsMetrics {
        let depths = self.depths(false);
        let territory = depths.count();
        let e = Excluded { capped: self.counts.capped, ..self.excluded };
        let total = depths.sum() as f64;
        let reasons = [e.duplicate, e.adapter, e.mapq, e.unpaired, e.baseq, e.overlap, e.capped];
        let aligned = total + reasons.iter().sum::<u64>() as f64;
        let share = |n: f64| if aligned == 0.0 { 0.0 } else { n / aligned };
        let at_least =
            |least: usize| self.counts.depths[0][least..].iter().sum::<u64>() as f64 / territory as f64;
        let mean = depths.mean();
        let fold = |percentile: f64| depths.percentile(percentile).map_or(0.0, |depth| mean / depth as f64);
        let sensitivity = self.sensitivity(territory, cycles);
        WgsMetrics {
            GENOME_TERRITORY: territory,
            MEAN_COVERAGE: mean,
            SD_COVERAGE: depths.standard_deviation(),
            MEDIAN_COVERAGE: depths.median(),
            MAD_COVERAGE: depths.median_absolute_deviation(),
            PCT_EXC_ADAPTER: share(e.adapter as f64),
            PCT_EXC_MAPQ: share(e.mapq as f64),
            PCT_EXC_DUPE: share(e.duplicate as f64),
            PCT_EXC_UNPAIRED: share(e.unpaired as f64),
            PCT_EXC_BASEQ: share(e.baseq as f64),
            PCT_EXC_OVERLAP: share(e.overlap as f64),
            PCT_EXC_CAPPED: share(e.capped as f64),
            PCT_EXC_TOTAL: share(aligned - total),
            PCT_1X: at_least(1),
            PCT_5X: at_least(5),
            PCT_10X: at_least(10),
            PCT_15X: at_least(15),
            PCT_20X: at_least(20),
            PCT_25X: at_least(25),
            PCT_30X: at_least(30),
            PCT_40X: at_least(40),
            PCT_50X: at_least(50),
            PCT_60X: at_least(60),
            PCT_70X: at_least(70),
            PCT_80X: at_least(80),
            PCT_90X: at_least(90),
            PCT_100X: at_least(100),
            FOLD_80_BASE_PENALTY: fold(0.2),
            FOLD_90_BASE_PENALTY: fold(0.1),
            FOLD_95_BASE_PENALTY: fold(0.05),
            HET_SNP_SENSITIVITY: sensitivity,
            HET_SNP_Q: sensitivity::phred(sensitivity),
        }
    }

    /// `.wgs_metrics`, with the row of [`Self::metrics`].
    pub fn to_text(&self, row: &WgsMetrics) -> String {
        let depths = (0u64..).zip(self.counts.depths[0].iter().copied()).collect();
        let columns = [("high_quality_coverage_count".to_owned(), depths)];
        MetricsFile::new("CollectWgsMetrics")
            .metrics(std::slice::from_ref(row))
            .histograms("Integer", "coverage", &columns)
            .into_text()
    }

    fn sensitivity(&self, territory: u64, cycles: &Cycles) -> f64 {
        // Positions without any read are not in the window's values; they have depth 0.
        let mut unfiltered = self.counts.unfiltered.clone();
        unfiltered[0] += territory - unfiltered.iter().sum::<u64>().min(territory);
        // Picard counts qualities from 3 to 126.
        let good = cycles.qualities_of_good_reads();
        let Corrections { more, less } = &self.qualities;
        let count = |quality: usize| {
            let is_seen = quality > usize::from(NO_QUALITY);
            if is_seen { good[quality] + more[quality] - less[quality] } else { 0 }
        };
        let qualities: Vec<u64> = (0..127).map(count).collect();
        sensitivity::of_counts(&unfiltered, &qualities)
    }
}

#[inline]
fn is_n(base: u8) -> bool {
    BASE_CODES[usize::from(base)] == BASE_N
}

/// Counts in bytes, 255 at a time, so that the compiler can use wide vectors.
fn count_ones(bytes: &[u8]) -> u64 {
    bytes.chunks(255).map(|part| u64::from(part.iter().sum::<u8>())).sum()
}
