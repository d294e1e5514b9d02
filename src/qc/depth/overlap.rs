//! Mates that overlap: found by name, and the positions that both of them cover.

use rustc_hash::FxHashMap;

use crate::formats::bam::Op;
use crate::qc::read::Read;

/// Reads whose mates are still to come and will overlap them.
#[derive(Clone, Debug, Default)]
pub struct Mates {
    waiting: FxHashMap<Box<[u8]>, Mate>,
}

#[derive(Clone, Debug)]
struct Mate {
    start: u32,
    end: u32,
    ops: Box<[Op]>,
}

impl Mates {
    /// Forgets all reads: a new stretch begins.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Calls `each` for the ranges (0-based, half-open) that this read and a mate seen before both cover, by mosdepth's
    /// rules: only proper pairs, supplementary alignments left alone.
    #[inline]
    pub fn overlaps(&mut self, read: &Read<'_>, each: impl FnMut(u32, u32)) {
        if !read.flags.is_proper_pair() || read.flags.is_supplementary() {
            return;
        }
        let record = &read.record;
        let mate_pos = i64::from(record.mate_pos());
        let (start, end) = (i64::from(read.start), i64::from(read.end));
        let reaches_mate = record.ref_id() == record.mate_ref_id() && end > mate_pos;
        if reaches_mate && start < mate_pos
            || reaches_mate && start == mate_pos && !self.waiting.contains_key(record.name())
        {
            let mate = Mate { start: read.start, end: read.end, ops: read.ops.into() };
            self.waiting.insert(record.name().into(), mate);
        } else if !self.waiting.is_empty()
            && let Some(mate) = self.waiting.remove(record.name())
        {
            both(read, &mate, each);
        }
    }
}

/// The runs of a CIGAR that cover positions as (start, end), insertions skipped over.
pub fn covered(ops: &[Op], start: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut position = start;
    let mut ops = ops.iter().filter(|op| op.kind.consumes_reference()).peekable();
    std::iter::from_fn(move || {
        loop {
            let op = ops.next()?;
            let from = position;
            position = position.saturating_add(op.len);
            if !op.kind.is_aligned() {
                continue;
            }
            while let Some(op) = ops.next_if(|op| op.kind.is_aligned()) {
                position = position.saturating_add(op.len);
            }
            return Some((from, position));
        }
    })
}

fn both(read: &Read<'_>, mate: &Mate, mut each: impl FnMut(u32, u32)) {
    if read.ops.len() == 1 && mate.ops.len() == 1 {
        // mosdepth takes all from the later start to the mate's end here, even where the read ends before that.
        if mate.end > read.start {
            each(read.start, mate.end);
        }
        return;
    }
    let mut borders: Vec<(u32, i32)> = Vec::with_capacity(8);
    for (start, end) in covered(read.ops, read.start).chain(covered(&mate.ops, mate.start)) {
        borders.push((start, 1));
        borders.push((end, -1));
    }
    // Stable: where borders fall together, the read's come before its mate's, as in mosdepth.
    borders.sort_by_key(|border| border.0);
    let (mut depth, mut last) = (0, 0);
    for (position, step) in borders {
        if step == -1 && depth == 2 && position > last {
            each(last, position);
        }
        depth += step;
        last = position;
    }
}
