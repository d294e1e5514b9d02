//! Reads and depth over the targets of a capture design, as Picard's CollectHsMetrics counts them.
//!
//! Where reads fall, on baits, near them or elsewhere, is counted for all reads that pass the vendor's check. Depth is of
//! bases of quality 20 or more in reads of mapping quality 20 or more that are no duplicates and no adapters; where mates
//! overlap, the one that starts first gives way ([`overlap`]).

mod coverage;
pub mod design;
mod metrics;
mod overlap;
mod targets;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
pub mod units;

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alignment::adapters;
use super::collector::{Collector, Context, Needs, Stretch};
use super::read::Read;
use super::window::{Run, Window};
use crate::formats::fasta::FastaError;
use coverage::{COVERAGE_CAP, Coverage};
use design::{Design, Span};
pub use metrics::HsMetrics;

/// A read at most so many positions from a bait is near it (Picard's NEAR_DISTANCE).
const NEAR: u32 = 250;
/// Bases of this quality or less are not seen at all.
const NO_QUALITY: u8 = 2;

/// The state of the collector.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hs {
    counts: Counts,
    coverage: Coverage,
    min_mapq: u8,
    min_baseq: u8,
    #[serde(skip)]
    walk: Walk,
}

/// Counts of reads and of aligned bases. PF: passing the vendor's check; unique: no duplicates.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts {
    reads: u64,
    pf_reads: u64,
    pf_bases: u64,
    pf_unique_reads: u64,
    pf_unique_aligned: u64,
    pf_bases_aligned: u64,
    pf_unique_bases_aligned: u64,
    /// First reads of pairs with a bait in reach.
    selected_pairs: u64,
    selected_unique_pairs: u64,
    on_bait: u64,
    near_bait: u64,
    off_bait: u64,
    on_target: u64,
    on_target_of_pairs: u64,
    excluded: Excluded,
}

/// Aligned bases that do not count as depth, each by its first reason.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Excluded {
    duplicate: u64,
    adapter: u64,
    mapq: u64,
    overlap: u64,
    baseq: u64,
    off_target: u64,
}

/// What is open while reads go by.
#[derive(Debug, Default)]
struct Walk {
    design: Arc<Design>,
    /// The targets and baits of the contig that no read has passed yet.
    targets: Range<usize>,
    baits: Range<usize>,
    /// Depth of bases that count.
    depth: Window<u32>,
    /// Depth of bases of any quality above 2; what is above 255 is taken as that.
    unfiltered: Window<u8>,
}

impl Collector for Hs {
    fn unavailable(context: &Context) -> Option<&'static str> {
        match (context.sorted, context.options.design.is_some()) {
            (_, false) => Some("it needs --targets"),
            (false, _) => Some("the file is not sorted by coordinate"),
            _ => None,
        }
    }

    fn needs(_: &Context) -> Needs {
        Needs { bases: true, quals: true, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self {
            counts: Counts::default(),
            coverage: Coverage::default(),
            min_mapq: context.options.min_mapq.unwrap_or(20),
            min_baseq: context.options.min_baseq.unwrap_or(20),
            walk: Walk { design: context.options.design.clone().unwrap_or_default(), ..Walk::default() },
        }
    }

    fn enter(&mut self, stretch: Stretch, _: &Context) {
        let walk = &mut self.walk;
        walk.depth.enter(stretch);
        walk.unfiltered.enter(stretch);
        walk.targets = walk.design.targets.on(stretch.contig);
        walk.baits = walk.design.baits.on(stretch.contig);
        walk.pass(stretch.start);
    }

    fn lead_in(&mut self, read: &Read<'_>) {
        // Secondary, not passing the vendor's check, or a duplicate.
        if read.flags.0 & (0x100 | 0x200 | 0x400) == 0
            && read.mapq >= self.min_mapq
            && !adapters::is_adapter(read)
        {
            self.add(read, false);
        }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        let flags = read.flags;
        if flags.is_secondary() {
            return;
        }
        let (counts, is_primary, is_mapped) = (&mut self.counts, flags.is_primary(), !flags.is_unmapped());
        let is_unique = !flags.is_duplicate();
        counts.reads += u64::from(is_primary);
        if flags.is_qc_fail() {
            return;
        }
        if is_primary {
            counts.pf_reads += 1;
            counts.pf_bases += read.record.base_count() as u64;
            counts.pf_unique_reads += u64::from(is_unique);
            counts.pf_unique_aligned += u64::from(is_unique && is_mapped);
        }
        if !is_mapped {
            return;
        }
        let aligned: u64 = read.blocks().map(|(_, _, length)| u64::from(length)).sum();
        counts.pf_bases_aligned += aligned;
        self.walk.pass(read.start);
        self.count_baits(read, aligned);

        let excluded = &mut self.counts.excluded;
        if !is_unique {
            excluded.duplicate += aligned;
            return;
        }
        self.counts.pf_unique_bases_aligned += aligned;
        if adapters::is_adapter(read) {
            excluded.adapter += aligned;
        } else if read.mapq < self.min_mapq {
            excluded.mapq += aligned;
        } else {
            self.add(read, true);
        }
    }

    fn leave(&mut self, context: &Context) -> Result<(), FastaError> {
        let stretch = self.walk.depth.stretch();
        self.flush(None);
        // Reads without a position follow the last stretch.
        (self.walk.targets, self.walk.baits) = (0..0, 0..0);
        self.count_gc(stretch, context)
    }

    fn merge(&mut self, next: Self) {
        self.counts.merge(&next.counts);
        self.coverage.merge(&next.coverage);
    }
}

impl Walk {
    /// Leaves behind what ends at or before `position`: targets, and baits that are not near it.
    #[inline]
    fn pass(&mut self, position: u32) {
        let Self { design, targets, baits, .. } = self;
        let spans = design.targets.all();
        while targets.start < targets.end && spans[targets.start].end <= position {
            targets.start += 1;
        }
        let spans = design.baits.all();
        while baits.start < baits.end && spans[baits.start].end.saturating_add(NEAR) <= position {
            baits.start += 1;
        }
    }
}

impl Hs {
    /// Aligned bases on baits, near them, and elsewhere, and pairs with a bait in reach.
    #[inline]
    fn count_baits(&mut self, read: &Read<'_>, aligned: u64) {
        let Self { counts, walk, .. } = self;
        let baits = &walk.design.baits.all()[walk.baits.clone()];
        // A bait is in reach if the read, from its first to its last position, comes near it.
        let is_empty = read.end <= read.start;
        let in_reach = baits.first().filter(|bait| bait.start < read.end.saturating_add(NEAR) && !is_empty);
        if in_reach.is_none() {
            counts.off_bait += aligned;
            return;
        }
        let flags = read.flags;
        if flags.is_primary() && flags.is_paired() && flags.is_first() && !flags.is_mate_unmapped() {
            counts.selected_pairs += 1;
            counts.selected_unique_pairs += u64::from(!flags.is_duplicate());
        }
        let mut on_bait = 0;
        each_shared(baits, read.blocks(), |_, _, start, end| on_bait += u64::from(end - start));
        counts.on_bait += on_bait;
        counts.near_bait += aligned - on_bait;
    }

    /// A read that counts in depth. Its own figures belong to the stretch that owns it, those of positions to the
    /// stretch that holds them.
    #[inline]
    fn add(&mut self, read: &Read<'_>, owned: bool) {
        let own = overlap::own(read);
        let blocks = || {
            // Only what has qualities and is not left to the mate.
            let most = own.kept.min(read.quals.len());
            read.blocks().filter_map(move |(index, position, length)| {
                let length = (length as usize).min(most.saturating_sub(index));
                (length > 0).then_some((index, position, length as u32))
            })
        };
        let (mut good, mut on_target) = (0, 0);
        if owned {
            let mut aligned = 0;
            for (index, _, length) in blocks() {
                aligned += u64::from(length);
                good += count_good(&read.quals[index..index + length as usize], self.min_baseq);
            }
            self.counts.excluded.overlap += own.overlap;
            self.counts.excluded.baseq += aligned - good;
        }
        let walk = &self.walk;
        let in_reach = walk.design.targets.all()[walk.targets.clone()].first();
        if in_reach.is_some_and(|target| target.start < read.end) {
            self.flush(Some(read.start));
            on_target = self.add_to_targets(read, blocks(), owned);
        }
        if owned {
            self.counts.excluded.off_target += good - on_target;
            self.counts.on_target += on_target;
            // Supplementary alignments are not of a pair.
            let of_pair = read.flags.is_paired() && !read.flags.is_mate_unmapped() && read.flags.is_primary();
            self.counts.on_target_of_pairs += if of_pair { on_target } else { 0 };
        }
    }

    /// Counts the positions of targets; returns the good bases on targets, whichever stretch holds them.
    fn add_to_targets(
        &mut self,
        read: &Read<'_>,
        blocks: impl Iterator<Item = (usize, u32, u32)>,
        owned: bool,
    ) -> u64 {
        let Self { coverage, walk: Walk { design, targets, depth, unfiltered, .. }, min_baseq, .. } = self;
        let spans = &design.targets.all()[targets.clone()];
        let (mut on_target, mut counted) = (0, None);
        each_shared(spans, blocks, |target, index, start, end| {
            let quals = &read.quals[index..index + (end - start) as usize];
            if owned {
                on_target += count_good(quals, *min_baseq);
                if counted != Some(target) && count_good(quals, (*min_baseq).max(NO_QUALITY + 1)) > 0 {
                    coverage.target_mut(targets.start + target).reads += 1;
                    counted = Some(target);
                }
            }
            let Some((from, to)) = depth.clip(start, end) else { return };
            let quals = &quals[(from - start) as usize..(to - start) as usize];
            for (depth, &quality) in depth.values(from, to).iter_mut().zip(quals) {
                *depth = depth.saturating_add(u32::from(is_seen(quality) & (quality >= *min_baseq)));
            }
            for (depth, &quality) in unfiltered.values(from, to).iter_mut().zip(quals) {
                if is_seen(quality) {
                    if usize::from(*depth) < COVERAGE_CAP {
                        coverage.add_quality(quality);
                    }
                    *depth = depth.saturating_add(1);
                }
            }
        });
        on_target
    }

    /// Hands finished positions to the coverage: those left of `to` once that is worth it, or all to the stretch's end.
    #[inline]
    fn flush(&mut self, to: Option<u32>) {
        if to.is_none_or(|to| self.walk.depth.is_due(to)) {
            self.flush_to(to);
        }
    }

    fn flush_to(&mut self, to: Option<u32>) {
        let Self { coverage, walk: Walk { design, depth, unfiltered, .. }, .. } = self;
        let on_contig = design.targets.on(depth.stretch().contig);
        let spans = &design.targets.all()[on_contig.clone()];
        let finish = |start: u32, run: Run<'_, u32>| {
            if let Run::Values(values) = run {
                each_within(spans, start, values, |target, values| {
                    coverage.take(on_contig.start + target, values);
                });
            }
        };
        match to {
            Some(to) => depth.advance(to, finish),
            None => depth.leave(finish),
        }
        let finish = |start: u32, run: Run<'_, u8>| {
            if let Run::Values(values) = run {
                each_within(spans, start, values, |_, values| coverage.take_unfiltered(values));
            }
        };
        match to {
            Some(to) => unfiltered.advance(to, finish),
            None => unfiltered.leave(finish),
        }
    }
}

impl Counts {
    fn merge(&mut self, next: &Counts) {
        let (e, f) = (&mut self.excluded, &next.excluded);
        for (a, b) in [
            (&mut self.reads, next.reads),
            (&mut self.pf_reads, next.pf_reads),
            (&mut self.pf_bases, next.pf_bases),
            (&mut self.pf_unique_reads, next.pf_unique_reads),
            (&mut self.pf_unique_aligned, next.pf_unique_aligned),
            (&mut self.pf_bases_aligned, next.pf_bases_aligned),
            (&mut self.pf_unique_bases_aligned, next.pf_unique_bases_aligned),
            (&mut self.selected_pairs, next.selected_pairs),
            (&mut self.selected_unique_pairs, next.selected_unique_pairs),
            (&mut self.on_bait, next.on_bait),
            (&mut self.near_bait, next.near_bait),
            (&mut self.off_bait, next.off_bait),
            (&mut self.on_target, next.on_target),
            (&mut self.on_target_of_pairs, next.on_target_of_pairs),
            (&mut e.duplicate, f.duplicate),
            (&mut e.adapter, f.adapter),
            (&mut e.mapq, f.mapq),
            (&mut e.overlap, f.overlap),
            (&mut e.baseq, f.baseq),
            (&mut e.off_target, f.off_target),
        ] {
            *a += b;
        }
    }
}

/// Calls `each` for all that blocks of a read (index of the first base, position, length) share with spans: the index of
/// the span, that of the first shared base, and the shared positions. Both come in ascending order.
#[inline]
fn each_shared(
    spans: &[Span],
    blocks: impl Iterator<Item = (usize, u32, u32)>,
    mut each: impl FnMut(usize, usize, u32, u32),
) {
    let mut first = 0;
    for (index, position, length) in blocks {
        let end = position.saturating_add(length);
        while spans.get(first).is_some_and(|span| span.end <= position) {
            first += 1;
        }
        for (i, span) in spans[first..].iter().enumerate().take_while(|(_, span)| span.start < end) {
            if let Some((from, to)) = span.shared(position, end) {
                each(first + i, index + (from - position) as usize, from, to);
            }
        }
    }
}

/// Calls `each` for the values of all spans within a run of positions from `start` on.
fn each_within<T>(spans: &[Span], start: u32, values: &[T], mut each: impl FnMut(usize, &[T])) {
    let end = start + values.len() as u32;
    let first = spans.partition_point(|span| span.end <= start);
    for (i, span) in spans[first..].iter().enumerate() {
        let Some((from, to)) = span.shared(start, end) else { break };
        each(first + i, &values[(from - start) as usize..(to - start) as usize]);
    }
}

/// Whether a base is seen at all. Java's bytes end at 127, so greater qualities are below 0 there.
#[inline]
fn is_seen(quality: u8) -> bool {
    (quality > NO_QUALITY) & (quality < 128)
}

/// Bases of a quality of `least` or more. Counts in bytes, 255 at a time, so that the compiler can use wide vectors.
#[inline]
fn count_good(quals: &[u8], least: u8) -> u64 {
    let is_good = |quality: u8| u8::from(quality >= least) & u8::from(quality < 128);
    quals.chunks(255).map(|part| u64::from(part.iter().fold(0u8, |n, &quality| n + is_good(quality)))).sum()
}
