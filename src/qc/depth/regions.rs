//! Depth of regions: windows of one size, or those of a BED file.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::qc::Options;
use crate::qc::collector::{IntervalSink, Stretch, Track};

/// mosdepth's largest class of a window's mean depth.
const MAX_MEAN: usize = 999;

/// Which regions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RegionSpec {
    /// The length of windows; `None` where the regions are listed.
    pub window: Option<u32>,
    /// The contigs' lengths.
    pub lengths: Vec<u32>,
    /// Regions of each contig, by start: start, end (0-based, half-open) and name.
    pub listed: Vec<Vec<(u32, u32, Option<String>)>>,
}

impl RegionSpec {
    /// Number of regions on a contig.
    fn count(&self, contig: usize) -> usize {
        match self.window {
            Some(window) => (u64::from(self.lengths[contig])).div_ceil(u64::from(window.max(1))) as usize,
            None => self.listed.get(contig).map_or(0, Vec::len),
        }
    }

    /// Start and end of a region.
    fn range(&self, contig: usize, index: usize) -> (u32, u32) {
        match self.window {
            Some(window) => {
                let start = index as u32 * window;
                (start, start.saturating_add(window).min(self.lengths[contig]))
            }
            None => {
                let (start, end, _) = self.listed[contig][index];
                (start, end)
            }
        }
    }

    fn name(&self, contig: usize, index: usize) -> Option<&str> {
        self.listed.get(contig)?.get(index)?.2.as_deref()
    }

    /// The first region that starts at or after `position`, and those before it that reach past it.
    fn at(&self, contig: usize, position: u32) -> (usize, Vec<usize>) {
        match self.window {
            Some(window) => {
                let next = position.div_ceil(window.max(1)) as usize;
                (next, if position.is_multiple_of(window.max(1)) { Vec::new() } else { vec![next - 1] })
            }
            None => {
                let regions = self.listed.get(contig).map_or(&[][..], |regions| regions);
                let next = regions.partition_point(|region| region.0 < position);
                (next, (0..next).filter(|&i| regions[i].1 > position).collect())
            }
        }
    }
}

/// Figures of the positions of a contig's regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionDepth {
    /// Listed regions: positions by depth (twice where regions overlap). Windows: windows by rounded mean depth.
    pub histogram: Vec<u64>,
    /// Positions.
    pub length: u64,
    /// Sum of the depths.
    pub sum: u64,
    /// Least depth; `None` without positions.
    pub min: Option<u32>,
    /// Greatest depth.
    pub max: u32,
}

impl RegionDepth {
    fn merge(&mut self, next: RegionDepth) {
        if self.histogram.len() < next.histogram.len() {
            self.histogram.resize(next.histogram.len(), 0);
        }
        self.histogram.iter_mut().zip(next.histogram).for_each(|(a, b)| *a += b);
        self.length += next.length;
        self.sum += next.sum;
        self.min = self.min.into_iter().chain(next.min).min();
        self.max = self.max.max(next.max);
    }
}

/// A region that is begun and not finished.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    contig: usize,
    index: usize,
    range: (u32, u32),
    /// The mean so far: each position's depth by the length, added up in the order of positions as mosdepth does, so
    /// that the last bit is its too.
    mean: f64,
    /// Positions at or above each threshold.
    reached: Vec<u64>,
    /// (depth, positions) in order, where the region began in an earlier state: to be added to that one's mean.
    kept: Option<Vec<(u32, u32)>>,
    finished: bool,
}

impl Open {
    fn add(&mut self, depth: u32, positions: u32, thresholds: &[u32]) {
        match &mut self.kept {
            Some(kept) => kept.push((depth, positions)),
            None => {
                let share = f64::from(depth) / f64::from(self.range.1 - self.range.0);
                if depth > 0 {
                    (0..positions).for_each(|_| self.mean += share);
                }
                for (reached, &threshold) in self.reached.iter_mut().zip(thresholds) {
                    *reached += if depth >= threshold { u64::from(positions) } else { 0 };
                }
            }
        }
    }
}

/// The regions' depths.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Regions {
    #[serde(skip)]
    spec: Arc<RegionSpec>,
    is_windows: bool,
    thresholds: Vec<u32>,
    contigs: BTreeMap<usize, RegionDepth>,
    open: Vec<Open>,
    /// Finished regions by (contig, index): mean and positions at or above each threshold.
    rows: BTreeMap<(usize, usize), (f64, Vec<u64>)>,
    #[serde(skip)]
    next: usize,
}

impl Regions {
    pub(super) fn new(spec: Arc<RegionSpec>, options: &Options) -> Self {
        Self {
            is_windows: spec.window.is_some(),
            spec,
            thresholds: options.depth_thresholds.clone(),
            contigs: BTreeMap::new(),
            open: Vec::new(),
            rows: BTreeMap::new(),
            next: 0,
        }
    }

    /// Figures by contig.
    pub fn contigs(&self) -> &BTreeMap<usize, RegionDepth> {
        &self.contigs
    }

    /// Whether thresholds are counted.
    pub fn has_thresholds(&self) -> bool {
        !self.thresholds.is_empty()
    }

    /// Whether a contig has any region.
    pub fn lists(&self, contig: usize) -> bool {
        self.spec.count(contig) > 0
    }

    /// Whether the regions are windows of one size.
    pub fn is_windows(&self) -> bool {
        self.is_windows
    }

    pub(super) fn enter(&mut self, stretch: Stretch) {
        let Stretch { contig, start, .. } = stretch;
        let (next, reaching) = self.spec.at(contig, start);
        self.next = next;
        for index in reaching {
            self.begin(contig, index, true);
        }
    }

    fn begin(&mut self, contig: usize, index: usize, earlier: bool) {
        self.open.push(Open {
            contig,
            index,
            range: self.spec.range(contig, index),
            mean: 0.0,
            reached: vec![0; self.thresholds.len()],
            kept: earlier.then(Vec::new),
            finished: false,
        });
    }

    /// Takes a run of positions in order.
    #[inline]
    pub(super) fn take(&mut self, contig: usize, start: u32, end: u32, depth: u32) {
        while self.next < self.spec.count(contig) && self.spec.range(contig, self.next).0 < end {
            self.begin(contig, self.next, false);
            self.next += 1;
        }
        if self.open.is_empty() {
            return;
        }
        let figures = self.contigs.entry(contig).or_default();
        let mut any_finished = false;
        for open in self.open.iter_mut().filter(|open| open.contig == contig && !open.finished) {
            let (from, to) = (start.max(open.range.0), end.min(open.range.1));
            if to > from {
                open.add(depth, to - from, &self.thresholds);
                let positions = u64::from(to - from);
                figures.length += positions;
                figures.sum += positions * u64::from(depth);
                figures.min = Some(figures.min.map_or(depth, |min| min.min(depth)));
                figures.max = figures.max.max(depth);
                if !self.is_windows {
                    add_at(&mut figures.histogram, depth as usize, positions);
                }
            }
            open.finished = open.range.1 <= end;
            any_finished |= open.finished;
        }
        if any_finished {
            self.finish();
        }
    }

    /// Moves finished regions to the rows; those that began in an earlier state wait for it.
    fn finish(&mut self) {
        let Self { open, rows, contigs, is_windows, .. } = self;
        open.retain_mut(|open| {
            if !open.finished || open.kept.is_some() {
                return true;
            }
            if *is_windows {
                let class = (open.mean.round() as usize).min(MAX_MEAN);
                add_at(&mut contigs.entry(open.contig).or_default().histogram, class, 1);
            }
            rows.insert((open.contig, open.index), (open.mean, std::mem::take(&mut open.reached)));
            false
        });
    }

    pub(super) fn merge(&mut self, next: Regions) {
        for (contig, figures) in next.contigs {
            self.contigs.entry(contig).or_default().merge(figures);
        }
        self.rows.extend(next.rows);
        for mut theirs in next.open {
            let ours =
                self.open.iter_mut().find(|ours| (ours.contig, ours.index) == (theirs.contig, theirs.index));
            match (ours, theirs.kept.take()) {
                (Some(ours), Some(kept)) => {
                    kept.into_iter()
                        .for_each(|(depth, positions)| ours.add(depth, positions, &self.thresholds));
                    ours.finished = theirs.finished;
                }
                (_, kept) => self.open.push(Open { kept, ..theirs }),
            }
        }
        self.finish();
    }

    pub(super) fn drain(&mut self, sink: &mut dyn IntervalSink, finished: bool) -> io::Result<()> {
        let unfinished = self.open.iter().map(|open| (open.contig, open.index)).min();
        let keep = match unfinished {
            Some(first) if !finished => self.rows.split_off(&first),
            _ => BTreeMap::new(),
        };
        let mut columns = String::new();
        for ((contig, index), (mean, reached)) in std::mem::replace(&mut self.rows, keep) {
            let range = self.spec.range(contig, index);
            let name = self.spec.name(contig, index);
            columns.clear();
            if let Some(name) = name {
                columns.push_str(name);
                columns.push('\t');
            }
            columns.push_str(&format!("{mean:.2}"));
            sink.interval(Track::Regions, contig, range, &columns)?;
            if !self.thresholds.is_empty() {
                columns.clear();
                columns.push_str(name.unwrap_or("unknown"));
                reached.iter().for_each(|n| columns.push_str(&format!("\t{n}")));
                sink.interval(Track::Thresholds, contig, range, &columns)?;
            }
        }
        Ok(())
    }
}

fn add_at(counts: &mut Vec<u64>, at: usize, n: u64) {
    if at >= counts.len() {
        counts.resize(at + 1, 0);
    }
    counts[at] += n;
}
