//! Depth as mosdepth gives it: distribution and summary by contig, means of regions, depth of every position.
//!
//! Held to mosdepth 0.3.3. Reads that are unmapped, secondary, QC-failed or duplicates do not count, deletions do not
//! count, and where the mates of a proper pair overlap they count once; in fast mode a read counts from its start to its
//! end, whatever its CIGAR and its mate.

pub mod overlap;
pub mod regions;
pub mod runs;
pub mod text;

use std::io;

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, IntervalSink, Needs, Stretch, Track};
use super::read::Read;
use super::window::{Run, Window};
use crate::formats::fasta::FastaError;
use overlap::Mates;
use regions::Regions;
use runs::RunList;

/// Flags of reads that do not count (mosdepth's default of -F).
const EXCLUDED_FLAGS: u16 = 1796;

/// Depth of every contig, and of regions where asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Depth {
    counts: Counts,
    min_mapq: u8,
    fast_mode: bool,
    #[serde(skip)]
    walk: Walk,
}

/// What is made of the depths.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counts {
    contigs: Vec<ContigDepth>,
    regions: Option<Regions>,
    per_base: Option<RunList>,
    quantized: Option<Quantized>,
}

/// Depths of one contig.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContigDepth {
    /// Whether any record is placed on it, counted or not.
    pub found: bool,
    /// Positions by depth.
    pub histogram: Vec<u64>,
}

impl ContigDepth {
    fn add(&mut self, depth: u32, positions: u32) {
        let depth = depth as usize;
        if depth >= self.histogram.len() {
            self.histogram.resize(depth + 1, 0);
        }
        self.histogram[depth] += u64::from(positions);
    }
}

/// Classes of depth.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Quantized {
    /// Borders, ascending.
    borders: Vec<u32>,
    /// The lengths of the contigs.
    lengths: Vec<u32>,
    runs: RunList,
}

/// What is open while reads go by.
#[derive(Clone, Debug, Default)]
struct Walk {
    window: Window<i32>,
    depth: i32,
    mates: Mates,
}

impl Collector for Depth {
    fn unavailable(context: &Context) -> Option<&'static str> {
        (!context.sorted).then_some("the file is not sorted by coordinate")
    }

    fn needs(context: &Context) -> Needs {
        Needs { name: !context.options.fast_mode, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        let options = &context.options;
        let lengths = || context.header.contigs.iter().map(|contig| contig.length).collect();
        let counts = Counts {
            contigs: vec![ContigDepth::default(); context.header.contigs.len()],
            regions: options.regions.as_ref().map(|spec| Regions::new(spec.clone(), options)),
            per_base: options.per_base.then(RunList::default),
            quantized: (!options.quantize.is_empty()).then(|| Quantized {
                borders: options.quantize.clone(),
                lengths: lengths(),
                runs: RunList::default(),
            }),
        };
        Self {
            counts,
            min_mapq: options.min_mapq.unwrap_or(0),
            fast_mode: options.fast_mode,
            walk: Walk::default(),
        }
    }

    fn enter(&mut self, stretch: Stretch, _: &Context) {
        self.walk.window.enter(stretch);
        self.walk.depth = 0;
        self.walk.mates.clear();
        if let Some(regions) = &mut self.counts.regions {
            regions.enter(stretch);
        }
    }

    fn lead_in(&mut self, read: &Read<'_>) {
        self.add(read);
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        if let Some(contig) = read.contig {
            self.counts.contigs[contig].found = true;
            self.add(read);
        }
    }

    fn leave(&mut self, _: &Context) -> Result<(), FastaError> {
        let Self { counts, walk: Walk { window, depth, .. }, .. } = self;
        let contig = window.stretch().contig;
        window.leave(|start, run| counts.take(contig, start, run, depth));
        Ok(())
    }

    fn merge(&mut self, next: Self) {
        self.counts.merge(next.counts);
    }

    fn drain(&mut self, sink: &mut dyn IntervalSink, finished: bool) -> io::Result<()> {
        self.counts.drain(sink, finished)
    }
}

impl Depth {
    /// Depths by contig, in the header's order.
    pub fn contigs(&self) -> &[ContigDepth] {
        &self.counts.contigs
    }

    #[inline]
    fn add(&mut self, read: &Read<'_>) {
        let Self { counts, walk: Walk { window, depth, mates }, .. } = self;
        let contig = window.stretch().contig;
        window.advance(read.start, |start, run| counts.take(contig, start, run, depth));
        if read.flags.0 & EXCLUDED_FLAGS != 0 || read.mapq < self.min_mapq {
            return;
        }
        let mut count = |start: u32, end: u32, step: i32| {
            if let Some((start, end)) = window.clip(start, end) {
                let steps = window.values(start, end + 1);
                steps[0] += step;
                steps[(end - start) as usize] -= step;
            }
        };
        if self.fast_mode {
            count(read.start, read.end, 1);
            return;
        }
        mates.overlaps(read, |start, end| count(start, end, -1));
        for (start, end) in overlap::covered(read.ops, read.start) {
            count(start, end, 1);
        }
    }
}

impl Counts {
    fn merge(&mut self, next: Counts) {
        for (a, b) in self.contigs.iter_mut().zip(next.contigs) {
            a.found |= b.found;
            if a.histogram.len() < b.histogram.len() {
                a.histogram.resize(b.histogram.len(), 0);
            }
            a.histogram.iter_mut().zip(b.histogram).for_each(|(a, b)| *a += b);
        }
        if let (Some(a), Some(b)) = (&mut self.regions, next.regions) {
            a.merge(b);
        }
        if let (Some(a), Some(b)) = (&mut self.per_base, next.per_base) {
            a.merge(b);
        }
        if let (Some(a), Some(b)) = (&mut self.quantized, next.quantized) {
            a.runs.merge(b.runs);
        }
    }

    fn drain(&mut self, sink: &mut dyn IntervalSink, finished: bool) -> io::Result<()> {
        if let Some(runs) = &mut self.per_base {
            runs.drain(finished, |run| {
                sink.interval(Track::PerBase, run.contig, (run.start, run.end), &run.value.to_string())
            })?;
        }
        if let Some(Quantized { borders, runs, .. }) = &mut self.quantized {
            runs.drain(finished, |run| match class_name(borders, run.value as usize) {
                Some(name) => sink.interval(Track::Quantized, run.contig, (run.start, run.end), &name),
                None => Ok(()),
            })?;
        }
        match &mut self.regions {
            Some(regions) => regions.drain(sink, finished),
            None => Ok(()),
        }
    }

    /// Turns steps into runs of equal depth.
    fn take(&mut self, contig: usize, start: u32, run: Run<'_, i32>, depth: &mut i32) {
        match run {
            Run::Untouched(n) => self.take_run(contig, start, start + n, *depth),
            Run::Values(steps) => {
                let mut from = start;
                for (position, &step) in (start..).zip(steps.iter()) {
                    if step != 0 {
                        if position > from {
                            self.take_run(contig, from, position, *depth);
                        }
                        from = position;
                        *depth += step;
                    }
                }
                let end = start + steps.len() as u32;
                if end > from {
                    self.take_run(contig, from, end, *depth);
                }
            }
        }
    }

    #[inline]
    fn take_run(&mut self, contig: usize, start: u32, end: u32, depth: i32) {
        let depth = depth.max(0) as u32;
        self.contigs[contig].add(depth, end - start);
        if let Some(regions) = &mut self.regions {
            regions.take(contig, start, end, depth);
        }
        if let Some(runs) = &mut self.per_base {
            runs.push(runs::DepthRun { contig, start, end, value: depth });
        }
        if let Some(Quantized { borders, lengths, runs }) = &mut self.quantized {
            let mut value = class_of(borders, depth) as u32;
            // mosdepth does not look at a contig's last position; it goes with the one before.
            if start + 1 == lengths[contig] {
                value = runs.last().filter(|last| last.contig == contig).map_or(value, |last| last.value);
            }
            runs.push(runs::DepthRun { contig, start, end, value });
        }
    }
}

/// The class of a depth: 0 below the first border, else one more than the index of the border at or below it.
fn class_of(borders: &[u32], depth: u32) -> usize {
    borders.partition_point(|&border| border <= depth)
}

/// `from:to`; `None` for depths outside of all classes.
fn class_name(borders: &[u32], class: usize) -> Option<String> {
    let from = borders.get(class.checked_sub(1)?)?;
    let to = borders.get(class)?;
    Some(if *to == u32::MAX { format!("{from}:inf") } else { format!("{from}:{to}") })
}
