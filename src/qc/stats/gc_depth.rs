//! samtools stats' GCD: depth of 20 kb bins against their GC content.
//!
//! A bin begins at the first read that no longer fits into the one before, so where bins lie depends on every read of
//! the contig in front of them. A state that begins within a contig therefore keeps what its reads would have done (a
//! few bytes a read) until it is merged behind the state that knows the open bin.

use serde::{Deserialize, Serialize};

use super::super::collector::{Context, Stretch};
use super::super::decode::BASE_CODES;
use super::super::read::{BASE_A, BASE_C, BASE_G, BASE_T, Read};
use crate::formats::fasta::FastaError;

/// Bases of a bin (samtools' default of --GC-depth).
pub const BIN_SIZE: u32 = 20_000;

/// The bins, the last one open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GcDepth {
    by_reference: bool,
    lengths: Vec<u32>,
    bins: Vec<Bin>,
    open: Option<Open>,
    /// Whether the reads seen so far are in `bins`; else they are in `trace`.
    anchored: bool,
    trace: Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bin {
    contig: u32,
    /// Reference positions over which the GC content is taken.
    start: u32,
    end: u32,
    /// Without a reference: the sum of the reads' GC content, in single precision and in order, as samtools sums.
    gc: f32,
    /// Reads.
    depth: u32,
}

/// The contig of the open bin and the stretch of reference that samtools holds then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    contig: usize,
    start: u32,
    held: (u32, u32),
}

/// What one read does to the bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    position: u32,
    /// Reference positions that the read takes, insertions and clips counted as positions.
    span: u32,
    gc_count: u32,
    length: u32,
}

/// Steps of reads on one contig, as variable-length numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Trace {
    contig: usize,
    last: u32,
    bytes: Vec<u8>,
}

impl GcDepth {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            by_reference: context.reference.is_some(),
            lengths: context.header.contigs.iter().map(|contig| contig.length).collect(),
            bins: Vec::new(),
            open: None,
            anchored: true,
            trace: Trace::default(),
        }
    }

    pub(super) fn enter(&mut self, stretch: Stretch) {
        if stretch.start == 0 {
            self.anchored = true;
        } else if self.open.is_none_or(|open| open.contig != stretch.contig) {
            self.anchored = false;
            self.trace.contig = stretch.contig;
        }
    }

    #[inline]
    pub(super) fn observe(&mut self, read: &Read<'_>, gc_count: u32, length: u32, span: u64) {
        let Some(contig) = read.contig else { return };
        let span = span.min(u64::from(u32::MAX >> 1)) as u32;
        let step = Step { position: read.start, span, gc_count, length };
        if self.anchored { self.take(contig, step) } else { self.trace.push(step) }
    }

    /// Forgets all bins.
    pub(super) fn clear(&mut self) {
        self.bins.clear();
        self.trace = Trace::default();
    }

    /// Takes in the state of the reads that follow.
    pub(super) fn merge(&mut self, next: GcDepth) {
        if self.anchored {
            for step in next.trace.steps() {
                self.take(next.trace.contig, step);
            }
        } else {
            self.trace.contig = next.trace.contig;
            next.trace.steps().for_each(|step| self.trace.push(step));
        }
        if next.anchored {
            self.anchored = true;
            self.bins.extend(next.bins);
            self.open = next.open.or(self.open);
        }
    }

    #[inline]
    fn take(&mut self, contig: usize, step: Step) {
        let Step { position, span, .. } = step;
        let reach = position.saturating_add(span);
        let length = self.lengths[contig];
        match &mut self.open {
            Some(open) if open.contig == contig => {
                let full = if self.by_reference {
                    if open.held.1 < reach {
                        open.held = held_from(position, length);
                        true
                    } else if open.start + BIN_SIZE < reach {
                        if open.held.1 < position + BIN_SIZE {
                            open.held = held_from(position, length);
                        }
                        true
                    } else {
                        false
                    }
                } else {
                    position - open.start > BIN_SIZE
                };
                if full {
                    open.start = position;
                    let end = open.held.1.min(position + BIN_SIZE);
                    self.bins.push(Bin { contig: contig as u32, start: position, end, gc: 0.0, depth: 0 });
                }
            }
            open => {
                let held = held_from(position, length);
                *open = Some(Open { contig, start: position, held });
                self.bins.push(Bin {
                    contig: contig as u32,
                    start: position,
                    end: held.1,
                    gc: 0.0,
                    depth: 0,
                });
            }
        }
        if let Some(bin) = self.bins.last_mut() {
            bin.depth += 1;
            if !self.by_reference {
                bin.gc += step.gc_count as f32 / step.length as f32;
            }
        }
    }

    /// GC content and depth of each bin in order: the GC as a fraction of the reference bases, or the sum over reads.
    pub(super) fn values(&self, context: &Context) -> Result<Vec<(f32, u32)>, FastaError> {
        let mut text = Vec::new();
        self.bins
            .iter()
            .map(|bin| {
                let contig = bin.contig as usize;
                match (&context.reference, context.reference_contigs[contig]) {
                    (Some(reference), Some(index)) if self.by_reference => {
                        reference.fetch(index, u64::from(bin.start), u64::from(bin.end), &mut text)?;
                        Ok((gc_content(&text), bin.depth))
                    }
                    _ => Ok((bin.gc, bin.depth)),
                }
            })
            .collect()
    }

    /// Whether GC is taken from the reference.
    pub(super) fn is_by_reference(&self) -> bool {
        self.by_reference
    }
}

/// samtools reads 20 kb of reference from the read's position on (more where reads are longer than 2,000 bases, which
/// is not followed here).
fn held_from(position: u32, length: u32) -> (u32, u32) {
    (position, position.saturating_add(BIN_SIZE).min(length))
}

fn gc_content(text: &[u8]) -> f32 {
    let (mut gc, mut all) = (0u32, 0u32);
    for &letter in text {
        let code = BASE_CODES[usize::from(letter)];
        gc += u32::from(code == BASE_C || code == BASE_G);
        all += u32::from(matches!(code, BASE_A | BASE_C | BASE_G | BASE_T));
    }
    if all == 0 { 0.0 } else { gc as f32 / all as f32 }
}

impl Trace {
    fn push(&mut self, step: Step) {
        for mut number in [step.position.wrapping_sub(self.last), step.span, step.gc_count, step.length] {
            while number >= 0x80 {
                self.bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            self.bytes.push(number as u8);
        }
        self.last = step.position;
    }

    fn steps(&self) -> impl Iterator<Item = Step> {
        let mut bytes = self.bytes.iter();
        let mut last = 0u32;
        std::iter::from_fn(move || {
            let mut number = || {
                let mut number = 0u32;
                for shift in (0..35).step_by(7) {
                    let byte = *bytes.next()?;
                    number |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
                    if byte < 0x80 {
                        break;
                    }
                }
                Some(number)
            };
            let (delta, span, gc_count, length) = (number()?, number()?, number()?, number()?);
            last = last.wrapping_add(delta);
            Some(Step { position: last, span, gc_count, length })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn empty(by_reference: bool) -> GcDepth {
        let lengths = vec![500_000; 3];
        GcDepth {
            by_reference,
            lengths,
            bins: Vec::new(),
            open: None,
            anchored: true,
            trace: Trace::default(),
        }
    }

    proptest! {
        #[test]
        fn cut_anywhere_the_bins_are_the_same(
            by_reference: bool,
            mut reads in proptest::collection::vec((0usize..3, 0u32..400_000, 1u32..3000, 0u32..100), 1..200),
            mut cuts in proptest::collection::vec((0usize..3, 1u32..500_000), 0..5),
        ) {
            reads.sort_unstable();
            cuts.sort_unstable();
            let step = |r: &(usize, u32, u32, u32)| Step { position: r.1, span: r.2, gc_count: r.3, length: 100 };
            let mut whole = empty(by_reference);
            reads.iter().for_each(|r| whole.take(r.0, step(r)));

            let mut merged = empty(by_reference);
            let mut from = (0, 0);
            cuts.push((3, 0));
            for &to in &cuts {
                let mut part = empty(by_reference);
                for contig in from.0..3.min(to.0 + 1) {
                    let start = if contig == from.0 { from.1 } else { 0 };
                    part.enter(Stretch { contig, start, end: 500_000 });
                    for r in reads.iter().filter(|r| r.0 == contig && (r.0, r.1) >= from && (r.0, r.1) < to) {
                        if part.anchored { part.take(contig, step(r)) } else { part.trace.push(step(r)) }
                    }
                }
                merged.merge(part);
                from = to;
            }
            prop_assert_eq!(merged.bins, whole.bins);
        }
    }
}
