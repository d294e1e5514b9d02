//! Picard's alignment summary: reads, aligned bases, mismatches, clips and chimeras, for the first reads of pairs, the
//! second ones, both, and reads without a mate. Primary records only.
//!
//! Mismatches need the reference; without one there are none, and all other figures stand, as Picard 2.27.5 has them.

pub mod adapters;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs};
use super::histogram::Histogram;
use super::insert_size::Orientation;
use super::levels::{self, ByReadGroup, Tally};
use super::read::{BASE_N, Read};
use crate::formats::bam::OpKind;
use crate::picard_metrics;
use crate::report::picard::MetricsFile;

/// Reads and bases below these qualities are not of high quality.
const HIGH_QUALITY: u8 = 20;
/// A pair with a larger insert is a chimera (Picard's MAX_INSERT_SIZE).
const MAX_INSERT_SIZE: u32 = 100_000;
/// A cycle is bad where this share of the reads has no call or a mismatch.
const BAD_CYCLE_SHARE: f64 = 0.8;

picard_metrics! {
    /// Alignment figures of one category of reads. PF: passing the vendor's check. HQ: mapping quality of 20 or more.
    pub struct AlignmentSummaryMetrics("picard.analysis.AlignmentSummaryMetrics") {
        /// FIRST_OF_PAIR, SECOND_OF_PAIR, PAIR or UNPAIRED.
        CATEGORY: String,
        /// Primary reads.
        TOTAL_READS: u64,
        /// PF reads.
        PF_READS: u64,
        /// PF reads as a share of all.
        PCT_PF_READS: f64,
        /// PF reads that the instrument marked as noise (XN:i:1).
        PF_NOISE_READS: u64,
        /// PF reads that are mapped.
        PF_READS_ALIGNED: u64,
        /// Share of the PF reads that are mapped.
        PCT_PF_READS_ALIGNED: f64,
        /// PF bases on reference bases.
        PF_ALIGNED_BASES: u64,
        /// PF reads mapped with high quality.
        PF_HQ_ALIGNED_READS: u64,
        /// Bases of the PF reads mapped with high quality, on reference bases.
        PF_HQ_ALIGNED_BASES: u64,
        /// Bases of quality 20 or more of the PF reads mapped with high quality, on reference bases.
        PF_HQ_ALIGNED_Q20_BASES: u64,
        /// Median number of mismatches of the PF reads mapped with high quality (others count as 0).
        PF_HQ_MEDIAN_MISMATCHES: f64,
        /// Mismatches as a share of the PF aligned bases.
        PF_MISMATCH_RATE: f64,
        /// Mismatches as a share of the aligned bases of the PF reads mapped with high quality.
        PF_HQ_ERROR_RATE: f64,
        /// Insertions and deletions as a share of the PF aligned bases.
        PF_INDEL_RATE: f64,
        /// Mean read length, in bases.
        MEAN_READ_LENGTH: f64,
        /// Standard deviation of the read length, in bases.
        SD_READ_LENGTH: f64,
        /// Median read length, in bases.
        MEDIAN_READ_LENGTH: f64,
        /// Median of the distances from the median read length, in bases.
        MAD_READ_LENGTH: f64,
        /// Least read length, in bases.
        MIN_READ_LENGTH: f64,
        /// Greatest read length, in bases.
        MAX_READ_LENGTH: f64,
        /// Mean number of bases that are not clipped.
        MEAN_ALIGNED_READ_LENGTH: f64,
        /// Mapped PF reads whose mate is mapped too.
        READS_ALIGNED_IN_PAIRS: u64,
        /// Share of the mapped PF reads whose mate is mapped too.
        PCT_READS_ALIGNED_IN_PAIRS: f64,
        /// Mapped PF reads of pairs that are not proper.
        PF_READS_IMPROPER_PAIRS: u64,
        /// Share of the mapped PF reads that are of pairs that are not proper.
        PCT_PF_READS_IMPROPER_PAIRS: f64,
        /// Cycles in which 80 % of the reads have no call or a mismatch.
        BAD_CYCLES: u64,
        /// Share of the mapped PF reads on the forward strand.
        STRAND_BALANCE: f64,
        /// Share of the pairs that are chimeras: inserts over 100 kb, two contigs, or another orientation than inward.
        PCT_CHIMERAS: f64,
        /// Share of the PF reads that begin with an adapter, unmapped ones and those of mapping quality 0.
        PCT_ADAPTER: f64,
        /// Share of the PF bases that are soft-clipped, of mapped reads.
        PCT_SOFTCLIP: f64,
        /// Hard-clipped bases as a share of the PF bases.
        PCT_HARDCLIP: f64,
        /// Mean length of soft clips at the 3' end, of reads that have one, in bases.
        AVG_POS_3PRIME_SOFTCLIP_LENGTH: f64,
        /// Sample, where the row is one sample's.
        SAMPLE: Option<String>,
        /// Library, where the row is one library's.
        LIBRARY: Option<String>,
        /// Read group, where the row is one read group's.
        READ_GROUP: Option<String>,
    }
}

/// Counts by read group and category.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alignment {
    ends: ByReadGroup<Ends>,
    has_reference: bool,
}

/// Counts by category: first, second, unpaired.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Ends([Counts; 3]);

impl Tally for Ends {
    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| a.add(b));
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts {
    reads: u64,
    pf_reads: u64,
    noise: u64,
    aligned: u64,
    aligned_in_pairs: u64,
    improper: u64,
    forward: u64,
    chimeras: u64,
    chimera_candidates: u64,
    adapters: u64,
    indels: u64,
    soft_clipped: u64,
    hard_clipped: u64,
    /// Soft-clipped bases at 3' ends, and reads that have some.
    clips_3prime: [u64; 2],
    aligned_bases: u64,
    hq_reads: u64,
    hq_bases: u64,
    hq_q20_bases: u64,
    mismatches: u64,
    hq_mismatches: Histogram,
    lengths: Histogram,
    unclipped_lengths: Histogram,
    /// Bases without a call or with a mismatch, by cycle.
    bad: Vec<u64>,
}

impl Collector for Alignment {
    fn needs(context: &Context) -> Needs {
        let reference = context.reference.is_some();
        Needs { bases: true, quals: true, fields: true, reference, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self { ends: ByReadGroup::new(context), has_reference: context.reference.is_some() }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        if !read.flags.is_primary() {
            return;
        }
        let end = match (read.flags.is_paired(), read.flags.is_first()) {
            (false, _) => 2,
            (true, first) => usize::from(!first),
        };
        self.ends.of(read.read_group).0[end].observe(read, self.has_reference);
    }

    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        self.ends.merge(&next.ends);
    }

    fn regroup(&mut self, numbers: &[usize], count: usize) {
        self.ends.regroup(numbers, count);
    }
}

impl Counts {
    #[inline]
    fn observe(&mut self, read: &Read<'_>, has_reference: bool) {
        self.reads += 1;
        let (flags, mapped) = (read.flags, !read.flags.is_unmapped());
        if read.n_count > 0 && (flags.is_qc_fail() || !mapped) {
            let no_calls = read.bases.iter().enumerate().filter(|(_, base)| **base == BASE_N);
            no_calls.for_each(|(i, _)| self.add_bad(read, i));
        }
        if flags.is_qc_fail() {
            return;
        }
        self.pf_reads += 1;
        self.noise += u64::from(read.is_noise);
        self.lengths.add(read.record.base_count() as u64);
        self.adapters += u64::from(adapters::is_adapter(read));
        self.observe_clips(read, mapped);
        if !mapped {
            return;
        }
        self.aligned += 1;
        self.improper += u64::from(flags.is_paired() && !flags.is_proper_pair());
        self.forward += u64::from(!flags.is_reverse());
        let well_mapped = read.mapq >= HIGH_QUALITY;
        if flags.is_paired() && !flags.is_mate_unmapped() {
            self.aligned_in_pairs += 1;
            if read.mate_mapq.is_none_or(|mapq| mapq >= i64::from(HIGH_QUALITY) && well_mapped) {
                self.chimera_candidates += 1;
                self.chimeras += u64::from(is_chimera(read));
            }
        } else if well_mapped {
            self.chimera_candidates += 1;
            self.chimeras += u64::from(read.has_supplementary);
        }
        self.observe_bases(read, well_mapped, has_reference);
    }

    #[inline]
    fn observe_clips(&mut self, read: &Read<'_>, mapped: bool) {
        if let [op] = read.ops
            && op.kind.is_aligned()
        {
            self.unclipped_lengths.add(u64::from(op.len));
            return;
        }
        let sum = |is: fn(OpKind) -> bool| -> u64 {
            read.ops.iter().filter(|op| is(op.kind)).map(|op| u64::from(op.len)).sum()
        };
        self.unclipped_lengths.add(sum(|kind| kind.consumes_read() && kind != OpKind::SoftClip));
        self.hard_clipped += sum(|kind| kind == OpKind::HardClip);
        if mapped {
            self.soft_clipped += sum(|kind| kind == OpKind::SoftClip);
            let clip = clip_3prime(read);
            self.clips_3prime[0] += clip;
            self.clips_3prime[1] += u64::from(clip > 0);
        }
    }

    #[inline]
    fn observe_bases(&mut self, read: &Read<'_>, well_mapped: bool, has_reference: bool) {
        self.hq_reads += u64::from(well_mapped);
        let (mut aligned, mut q20) = (0, 0);
        for (index, position, length) in read.blocks() {
            // Bases past the contig's end do not count; without a reference Picard does not see the end.
            let length = if has_reference {
                let under = read.reference.len().saturating_sub((position - read.start) as usize);
                under.min(length as usize)
            } else {
                length as usize
            };
            aligned += length as u64;
            if well_mapped && let Some(quals) = read.quals.get(index..index + length) {
                q20 += count_q20(quals);
            }
        }
        let mismatches = read.mismatches.len() as u64;
        self.aligned_bases += aligned;
        self.mismatches += mismatches;
        if well_mapped {
            self.hq_bases += aligned;
            self.hq_q20_bases += q20;
        }
        self.hq_mismatches.add(if well_mapped { mismatches } else { 0 });
        if read.ops.len() > 1 {
            let is_indel = |kind| matches!(kind, OpKind::Insertion | OpKind::Deletion);
            self.indels += read.ops.iter().filter(|op| is_indel(op.kind)).count() as u64;
        }
        if mismatches > 0 || read.n_count > 0 {
            self.observe_bad(read);
        }
    }

    /// Bad bases by cycle. Picard counts the cycle from the aligned block's first base, not the read's.
    fn observe_bad(&mut self, read: &Read<'_>) {
        let mut mismatches = read.mismatches.iter().peekable();
        for (index, _, length) in read.blocks() {
            if read.n_count == 0 {
                while let Some(&at) = mismatches.next_if(|at| (**at as usize) < index + length as usize) {
                    self.add_bad(read, at as usize - index);
                }
                continue;
            }
            let Some(bases) = read.bases.get(index..index + length as usize) else { break };
            for (i, &base) in bases.iter().enumerate() {
                let is_mismatch = mismatches.next_if(|at| **at as usize == index + i).is_some();
                if is_mismatch || base == BASE_N {
                    self.add_bad(read, i);
                }
            }
        }
    }

    fn add_bad(&mut self, read: &Read<'_>, index: usize) {
        let length = read.record.base_count();
        let cycle = if read.flags.is_reverse() { length - index } else { index + 1 };
        if cycle >= self.bad.len() {
            self.bad.resize(cycle + 1, 0);
        }
        self.bad[cycle] += 1;
    }

    fn add(&mut self, other: &Counts) {
        self.reads += other.reads;
        self.pf_reads += other.pf_reads;
        self.noise += other.noise;
        self.aligned += other.aligned;
        self.aligned_in_pairs += other.aligned_in_pairs;
        self.improper += other.improper;
        self.forward += other.forward;
        self.chimeras += other.chimeras;
        self.chimera_candidates += other.chimera_candidates;
        self.adapters += other.adapters;
        self.indels += other.indels;
        self.soft_clipped += other.soft_clipped;
        self.hard_clipped += other.hard_clipped;
        self.clips_3prime[0] += other.clips_3prime[0];
        self.clips_3prime[1] += other.clips_3prime[1];
        self.aligned_bases += other.aligned_bases;
        self.hq_reads += other.hq_reads;
        self.hq_bases += other.hq_bases;
        self.hq_q20_bases += other.hq_q20_bases;
        self.mismatches += other.mismatches;
        self.hq_mismatches.merge(&other.hq_mismatches);
        self.lengths.merge(&other.lengths);
        self.unclipped_lengths.merge(&other.unclipped_lengths);
        if self.bad.len() < other.bad.len() {
            self.bad.resize(other.bad.len(), 0);
        }
        self.bad.iter_mut().zip(&other.bad).for_each(|(a, b)| *a += b);
    }

    fn row(&self, category: &str) -> AlignmentSummaryMetrics {
        let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let mut row = AlignmentSummaryMetrics {
            CATEGORY: category.to_owned(),
            TOTAL_READS: self.reads,
            PF_READS: self.pf_reads,
            PF_NOISE_READS: self.noise,
            ..AlignmentSummaryMetrics::default()
        };
        if self.reads == 0 {
            return row;
        }
        row.PCT_PF_READS = ratio(self.pf_reads, self.reads);
        row.PCT_ADAPTER = self.adapters as f64 / self.pf_reads as f64;
        row.MEAN_READ_LENGTH = self.lengths.mean();
        row.SD_READ_LENGTH = self.lengths.standard_deviation();
        row.MEDIAN_READ_LENGTH = self.lengths.median();
        row.MAD_READ_LENGTH = self.lengths.median_absolute_deviation();
        row.MIN_READ_LENGTH = self.lengths.min().unwrap_or(0) as f64;
        row.MAX_READ_LENGTH = self.lengths.max().unwrap_or(0) as f64;
        row.BAD_CYCLES =
            self.bad.iter().filter(|n| **n as f64 / self.reads as f64 >= BAD_CYCLE_SHARE).count() as u64;
        let bases = self.lengths.sum();
        row.PF_READS_ALIGNED = self.aligned;
        row.PCT_PF_READS_ALIGNED = ratio(self.aligned, self.pf_reads);
        row.PF_ALIGNED_BASES = self.aligned_bases;
        row.PF_HQ_ALIGNED_READS = self.hq_reads;
        row.PF_HQ_ALIGNED_BASES = self.hq_bases;
        row.PF_HQ_ALIGNED_Q20_BASES = self.hq_q20_bases;
        row.PF_HQ_MEDIAN_MISMATCHES = self.hq_mismatches.median();
        row.PF_MISMATCH_RATE = ratio(self.mismatches, self.aligned_bases);
        row.PF_HQ_ERROR_RATE = ratio(self.hq_mismatches.sum(), self.hq_bases);
        row.PF_INDEL_RATE = ratio(self.indels, self.aligned_bases);
        row.MEAN_ALIGNED_READ_LENGTH = self.unclipped_lengths.mean();
        row.READS_ALIGNED_IN_PAIRS = self.aligned_in_pairs;
        row.PCT_READS_ALIGNED_IN_PAIRS = ratio(self.aligned_in_pairs, self.aligned);
        row.PF_READS_IMPROPER_PAIRS = self.improper;
        row.PCT_PF_READS_IMPROPER_PAIRS = ratio(self.improper, self.aligned);
        row.STRAND_BALANCE = ratio(self.forward, self.aligned);
        row.PCT_CHIMERAS = ratio(self.chimeras, self.chimera_candidates);
        row.PCT_SOFTCLIP = ratio(self.soft_clipped, bases);
        row.PCT_HARDCLIP = ratio(self.hard_clipped, bases);
        row.AVG_POS_3PRIME_SOFTCLIP_LENGTH = ratio(self.clips_3prime[0], self.clips_3prime[1]);
        row
    }
}

impl Alignment {
    /// The rows of all reads.
    pub fn metrics(&self) -> Vec<AlignmentSummaryMetrics> {
        self.ends.all().rows()
    }

    /// `.alignment_summary_metrics`: the rows of all units, and read lengths of all reads.
    pub fn to_text(&self, context: &Context) -> String {
        let mut rows = Vec::new();
        for unit in levels::units(&context.header, &context.options.levels) {
            let ends = self.ends.sum(&unit);
            if unit.is_unknown && ends.0.iter().all(|counts| counts.reads == 0) {
                continue;
            }
            for mut row in ends.rows() {
                (row.SAMPLE, row.LIBRARY, row.READ_GROUP) = unit.columns();
                rows.push(row);
            }
        }
        let Ends([first, second, unpaired]) = &self.ends.all();
        let mut both = first.clone();
        both.add(second);
        let columns: Vec<(String, BTreeMap<u64, u64>)> = [
            ("PAIRED_TOTAL_LENGTH_COUNT", &both.lengths),
            ("PAIRED_ALIGNED_LENGTH_COUNT", &both.unclipped_lengths),
            ("UNPAIRED_TOTAL_LENGTH_COUNT", &unpaired.lengths),
            ("UNPAIRED_ALIGNED_LENGTH_COUNT", &unpaired.unclipped_lengths),
        ]
        .into_iter()
        .filter(|(_, histogram)| histogram.count() > 0)
        .map(|(name, histogram)| (name.to_owned(), histogram.to_map()))
        .collect();
        let file = MetricsFile::new("CollectAlignmentSummaryMetrics").metrics(&rows);
        if columns.is_empty() {
            file.into_text()
        } else {
            file.histograms("Integer", "READ_LENGTH", &columns).into_text()
        }
    }
}

impl Ends {
    /// The rows that Picard writes: pairs where there are any, unpaired reads where there are any or no pairs.
    fn rows(&self) -> Vec<AlignmentSummaryMetrics> {
        let [first, second, unpaired] = &self.0;
        let mut rows = Vec::new();
        if first.reads > 0 {
            let mut both = first.clone();
            both.add(second);
            rows.push(first.row("FIRST_OF_PAIR"));
            rows.push(second.row("SECOND_OF_PAIR"));
            let mut pair = both.row("PAIR");
            pair.BAD_CYCLES = rows.iter().map(|row| row.BAD_CYCLES).sum();
            rows.push(pair);
        }
        if unpaired.reads > 0 || first.reads == 0 {
            rows.push(unpaired.row("UNPAIRED"));
        }
        rows
    }
}

fn is_chimera(read: &Read<'_>) -> bool {
    read.record.template_length().unsigned_abs() > MAX_INSERT_SIZE
        || read.record.ref_id() != read.record.mate_ref_id()
        || Orientation::of(read) != Orientation::Inward
        || read.has_supplementary
}

/// Soft-clipped bases at the end of the last cycles.
fn clip_3prime(read: &Read<'_>) -> u64 {
    let is_clip = |kind| matches!(kind, OpKind::SoftClip | OpKind::HardClip);
    let sum = |ops: &mut dyn Iterator<Item = &crate::formats::bam::Op>| -> u64 {
        let (mut inside, mut clipped) = (false, 0);
        for op in ops {
            inside |= !is_clip(op.kind);
            if inside && op.kind == OpKind::SoftClip {
                clipped += u64::from(op.len);
            }
        }
        clipped
    };
    if read.flags.is_reverse() { sum(&mut read.ops.iter().rev()) } else { sum(&mut read.ops.iter()) }
}

/// Counts in bytes, 255 at a time, so that the compiler can use wide vectors. Missing qualities (255) do not count.
fn count_q20(quals: &[u8]) -> u64 {
    let is_q20 = |quality: u8| u8::from(quality.wrapping_sub(HIGH_QUALITY) < 128 - HIGH_QUALITY);
    quals.chunks(255).map(|part| u64::from(part.iter().fold(0u8, |n, &quality| n + is_q20(quality)))).sum()
}
