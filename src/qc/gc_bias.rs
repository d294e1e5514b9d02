//! Reads by the GC content of the reference where they start, as Picard's CollectGcBiasMetrics counts them.
//!
//! Every mapped record counts, whatever its flags. Its window is 100 bases from its 5' end on, as Picard indexes it: a
//! forward read's begins at its second base, and windows at a contig's ends have a content of 0.

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs, Stretch};
use super::decode::BASE_CODES;
use super::levels::{self, ByReadGroup, Level, Tally, Unit};
use super::read::{BASE_C, BASE_G, BASE_N, Read};
use crate::formats::bam::OpKind;
use crate::formats::fasta::FastaError;
use crate::picard_metrics;
use crate::report::picard::MetricsFile;

/// Bases of a window.
const WINDOW: usize = 100;
/// Windows with more N than this do not count.
const MAX_N: u32 = 4;
const BINS: usize = 101;
/// The reference is read in pieces of this many bases.
const PIECE: u32 = 1 << 20;

picard_metrics! {
    /// Reads and windows of one GC content.
    pub struct GcBiasDetailMetrics("picard.analysis.GcBiasDetailMetrics") {
        /// All Reads, Sample, Library or Read Group.
        ACCUMULATION_LEVEL: String,
        /// ALL: duplicates included.
        READS_USED: String,
        /// GC content, in percent.
        GC: u64,
        /// Windows of the reference.
        WINDOWS: u64,
        /// Reads that start in them.
        READ_STARTS: u64,
        /// Phred score of the share of mismatches, inserted and deleted bases.
        MEAN_BASE_QUALITY: u64,
        /// Reads a window, relative to the mean of all windows.
        NORMALIZED_COVERAGE: f64,
        /// One standard deviation of that, by counting statistics.
        ERROR_BAR_WIDTH: f64,
        /// Sample, where the row is one sample's.
        SAMPLE: Option<String>,
        /// Library, where the row is one library's.
        LIBRARY: Option<String>,
        /// Read group, where the row is one read group's.
        READ_GROUP: Option<String>,
    }
}

picard_metrics! {
    /// GC bias in a few figures.
    pub struct GcBiasSummaryMetrics("picard.analysis.GcBiasSummaryMetrics") {
        /// All Reads, Sample, Library or Read Group.
        ACCUMULATION_LEVEL: String,
        /// ALL: duplicates included.
        READS_USED: String,
        /// Bases of a window.
        WINDOW_SIZE: u64,
        /// Unpaired reads and first reads of pairs.
        TOTAL_CLUSTERS: u64,
        /// Mapped records.
        ALIGNED_READS: u64,
        /// Reads that windows of up to 50 % GC lack for their share, in percent of all.
        AT_DROPOUT: f64,
        /// Reads that windows of more than 50 % GC lack for their share, in percent of all.
        GC_DROPOUT: f64,
        /// Normalised coverage of windows of 0 to 19 % GC.
        GC_NC_0_19: f64,
        /// Normalised coverage of windows of 20 to 39 % GC.
        GC_NC_20_39: f64,
        /// Normalised coverage of windows of 40 to 59 % GC.
        GC_NC_40_59: f64,
        /// Normalised coverage of windows of 60 to 79 % GC.
        GC_NC_60_79: f64,
        /// Normalised coverage of windows of 80 to 100 % GC.
        GC_NC_80_100: f64,
        /// Sample, where the row is one sample's.
        SAMPLE: Option<String>,
        /// Library, where the row is one library's.
        LIBRARY: Option<String>,
        /// Read group, where the row is one read group's.
        READ_GROUP: Option<String>,
    }
}

/// Windows of the reference, and reads by read group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GcBias {
    /// Windows by GC content.
    windows: Vec<u64>,
    reads: ByReadGroup<Reads>,
    /// Lengths of the contigs.
    lengths: Vec<u32>,
    #[serde(skip)]
    stretch: Option<Stretch>,
}

/// Counts of reads, by the GC content of their windows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reads {
    starts: Vec<u64>,
    bases: Vec<u64>,
    errors: Vec<u64>,
    clusters: u64,
    aligned: u64,
}

impl Default for Reads {
    fn default() -> Self {
        let none = vec![0; BINS];
        Self { starts: none.clone(), bases: none.clone(), errors: none, clusters: 0, aligned: 0 }
    }
}

impl Tally for Reads {
    fn add(&mut self, other: &Self) {
        for (a, b) in [
            (&mut self.starts, &other.starts),
            (&mut self.bases, &other.bases),
            (&mut self.errors, &other.errors),
        ] {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
        self.clusters += other.clusters;
        self.aligned += other.aligned;
    }
}

impl Collector for GcBias {
    fn unavailable(context: &Context) -> Option<&'static str> {
        match (context.sorted, context.reference.is_some()) {
            (false, _) => Some("the file is not sorted by coordinate"),
            (_, false) => Some("it needs the reference (-r)"),
            _ => None,
        }
    }

    fn needs(context: &Context) -> Needs {
        Needs { bases: true, reference: true, fields: levels::is_split(context), ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self {
            windows: vec![0; BINS],
            reads: ByReadGroup::new(context),
            lengths: context.header.contigs.iter().map(|contig| contig.length).collect(),
            stretch: None,
        }
    }

    fn enter(&mut self, stretch: Stretch, _: &Context) {
        self.stretch = Some(stretch);
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        if read.bases.is_empty() {
            return;
        }
        let counts = self.reads.of(read.read_group);
        counts.clusters += u64::from(!read.flags.is_paired() || read.flags.is_first());
        let Some(contig) = read.contig.filter(|_| !read.flags.is_unmapped()) else { return };
        counts.aligned += 1;
        let first = if read.flags.is_reverse() {
            i64::from(read.end) - WINDOW as i64
        } else {
            i64::from(read.start) + 1
        };
        if first <= 0 {
            return;
        }
        let gc = if first < i64::from(self.lengths[contig]) - WINDOW as i64 {
            match read.reference_around(first as u32, WINDOW as u32).map(gc_of) {
                Some(Some(gc)) => gc,
                _ => return,
            }
        } else {
            0
        };
        counts.starts[gc] += 1;
        counts.bases[gc] += read.bases.len() as u64;
        let indels = read.ops.iter().filter(|op| matches!(op.kind, OpKind::Insertion | OpKind::Deletion));
        counts.errors[gc] += read.mismatches.len() as u64 + indels.map(|op| u64::from(op.len)).sum::<u64>();
    }

    fn leave(&mut self, context: &Context) -> Result<(), FastaError> {
        match self.stretch.take() {
            Some(stretch) => self.count_windows(stretch, context),
            None => Ok(()),
        }
    }

    fn join(mut self, mut other: Self) -> Option<Self> {
        // The reference's windows are the same for both.
        other.windows.fill(0);
        self.merge(other);
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        self.windows.iter_mut().zip(next.windows).for_each(|(a, b)| *a += b);
        self.reads.merge(&next.reads);
    }

    fn regroup(&mut self, numbers: &[usize], count: usize) {
        self.reads.regroup(numbers, count);
    }
}

/// GC bases of a window; `None` with too many N.
fn gc_of(codes: &[u8]) -> Option<usize> {
    let count = |is: fn(u8) -> bool| codes.iter().fold(0u8, |n, &code| n + u8::from(is(code)));
    let n = count(|code| code == BASE_N);
    (u32::from(n) <= MAX_N).then(|| usize::from(count(|code| (code == BASE_C) | (code == BASE_G))))
}

impl GcBias {
    /// Counts the windows that begin in the stretch. Picard leaves out a contig's first window, and the last two.
    fn count_windows(&mut self, stretch: Stretch, context: &Context) -> Result<(), FastaError> {
        let Some((reference, index)) =
            context.reference.as_ref().zip(context.reference_contigs[stretch.contig])
        else {
            return Ok(());
        };
        let last = self.lengths[stretch.contig].saturating_sub(WINDOW as u32);
        let (mut at, end) = (stretch.start.max(1), stretch.end.min(last));
        let (mut text, mut marks) = (Vec::new(), Vec::new());
        let mut turns = [[0u32; 128]; 4];
        while at < end {
            let to = end.min(at.saturating_add(PIECE));
            reference.fetch(index, u64::from(at), u64::from(to) + WINDOW as u64 - 1, &mut text)?;
            // The low byte of a mark is for C and G, the high one for N, so that a sum of 100 keeps them apart.
            marks.clear();
            marks.extend(text.iter().map(|&base| MARKS[usize::from(base)]));
            let mut sum: u16 = marks.iter().take(WINDOW - 1).sum();
            // Neighbouring windows are alike: they count in turns, so that one need not wait for the other.
            for (i, (leaving, &entering)) in
                marks.iter().zip(marks.get(WINDOW - 1..).unwrap_or_default()).enumerate()
            {
                sum += entering;
                let is_called = u32::from(sum >> 8) <= MAX_N;
                turns[i % 4][usize::from(sum & 0x7f)] += u32::from(is_called);
                sum -= leaving;
            }
            for turn in &mut turns {
                let counts = self.windows.iter_mut().zip(turn);
                counts.for_each(|(sum, n)| *sum += u64::from(std::mem::take(n)));
            }
            at = to;
        }
        Ok(())
    }

    /// Picard's rows of all reads; none without mapped ones.
    pub fn metrics(&self) -> Option<(Vec<GcBiasDetailMetrics>, GcBiasSummaryMetrics)> {
        rows(&self.windows, &self.reads.all())
    }

    /// `.gc_bias.detail_metrics` and `.gc_bias.summary_metrics` with the rows of all units; `None` without mapped reads.
    pub fn to_texts(&self, context: &Context) -> Option<(String, String)> {
        let (mut details, mut summaries) = (Vec::new(), Vec::new());
        for unit in levels::units(&context.header, &context.options.levels) {
            let Some((more, mut summary)) = rows(&self.windows, &self.reads.sum(&unit)) else { continue };
            summary.ACCUMULATION_LEVEL = accumulation_level(unit.level).into();
            (summary.SAMPLE, summary.LIBRARY, summary.READ_GROUP) = columns(&unit);
            summaries.push(summary);
            details.extend(more.into_iter().map(|mut row| {
                row.ACCUMULATION_LEVEL = accumulation_level(unit.level).into();
                (row.SAMPLE, row.LIBRARY, row.READ_GROUP) = columns(&unit);
                row
            }));
        }
        let file = || MetricsFile::new("CollectGcBiasMetrics");
        (!summaries.is_empty())
            .then(|| (file().metrics(&details).into_text(), file().metrics(&summaries).into_text()))
    }
}

/// How Picard calls a level here.
fn accumulation_level(level: Level) -> &'static str {
    match level {
        Level::All => "All Reads",
        Level::Sample => "Sample",
        Level::Library => "Library",
        Level::ReadGroup => "Read Group",
    }
}

/// SAMPLE, LIBRARY and READ_GROUP: here Picard fills the column of the level alone.
fn columns(unit: &Unit) -> (Option<String>, Option<String>, Option<String>) {
    let name = |level| (unit.level == level).then(|| unit.name().to_owned());
    (name(Level::Sample), name(Level::Library), name(Level::ReadGroup))
}

/// Picard's rows of some reads; none without mapped ones.
fn rows(windows_of: &[u64], counts: &Reads) -> Option<(Vec<GcBiasDetailMetrics>, GcBiasSummaryMetrics)> {
    if counts.aligned == 0 {
        return None;
    }
    let all_windows = windows_of.iter().sum::<u64>() as f64;
    let all_reads = counts.starts.iter().sum::<u64>() as f64;
    let mean = all_reads / all_windows;
    let (mut at_dropout, mut gc_dropout) = (0.0, 0.0);
    let mut details = Vec::new();
    for (gc, (&windows, &reads)) in windows_of.iter().zip(&counts.starts).enumerate() {
        let per_window = |n: f64| if windows == 0 { 0.0 } else { n / windows as f64 / mean };
        let lacking = (windows as f64 / all_windows - reads as f64 / all_reads) * 100.0;
        if lacking > 0.0 {
            *(if gc <= 50 { &mut at_dropout } else { &mut gc_dropout }) += lacking;
        }
        let phred = -10.0 * (counts.errors[gc] as f64 / counts.bases[gc] as f64).log10();
        details.push(GcBiasDetailMetrics {
            ACCUMULATION_LEVEL: "All Reads".into(),
            READS_USED: "ALL".into(),
            GC: gc as u64,
            WINDOWS: windows,
            READ_STARTS: reads,
            MEAN_BASE_QUALITY: if counts.errors[gc] > 0 { (phred + 0.5).floor().max(0.0) as u64 } else { 0 },
            NORMALIZED_COVERAGE: per_window(reads as f64),
            ERROR_BAR_WIDTH: per_window((reads as f64).sqrt()),
            ..GcBiasDetailMetrics::default()
        });
    }
    let normalised = |from: usize, to: usize| {
        let bins = || (from..=to).filter(|&gc| windows_of[gc] > 0);
        let windows: u64 = bins().map(|gc| windows_of[gc]).sum();
        let reads: u64 = bins().map(|gc| counts.starts[gc]).sum();
        if windows == 0 { 0.0 } else { reads as f64 / (windows as f64 * mean) }
    };
    let summary = GcBiasSummaryMetrics {
        ACCUMULATION_LEVEL: "All Reads".into(),
        READS_USED: "ALL".into(),
        WINDOW_SIZE: WINDOW as u64,
        TOTAL_CLUSTERS: counts.clusters,
        ALIGNED_READS: counts.aligned,
        AT_DROPOUT: at_dropout,
        GC_DROPOUT: gc_dropout,
        GC_NC_0_19: normalised(0, 19),
        GC_NC_20_39: normalised(20, 39),
        GC_NC_40_59: normalised(40, 59),
        GC_NC_60_79: normalised(60, 79),
        GC_NC_80_100: normalised(80, 100),
        ..GcBiasSummaryMetrics::default()
    };
    Some((details, summary))
}

/// What a letter of the reference adds to a window's sum.
const MARKS: [u16; 256] = {
    let mut marks = [0; 256];
    let mut letter = 0;
    while letter < 256 {
        marks[letter] = match BASE_CODES[letter] {
            BASE_C | BASE_G => 1,
            BASE_N => 1 << 8,
            _ => 0,
        };
        letter += 1;
    }
    marks
};
