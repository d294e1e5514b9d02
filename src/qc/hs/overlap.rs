//! Bases at a read's end that its mate covers too, as htsjdk's SAMUtils finds and clips them.
//!
//! Nothing is needed but the read's own record: the mate's start stands in it. htsjdk looks at positions alone, so a mate
//! on another contig counts like one on the same, `=` and `X` runs that the mate's start splits count whole, and bases
//! are clipped from the sequence's end, or from a soft clip that is the very last operation.

use crate::formats::bam::{Op, OpKind};
use crate::qc::read::Read;

/// The read's own part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// Bases that are left to the mate.
    pub overlap: u64,
    /// Aligned bases with an index below this one count.
    pub kept: usize,
}

/// What of a mapped read is left when the mate keeps the overlap. Only the read that starts first gives way, of two that
/// start together the second of the pair.
#[inline]
pub fn own(read: &Read<'_>) -> Own {
    let whole = Own { overlap: 0, kept: usize::MAX };
    let (flags, start, mate) = (read.flags, read.record.pos(), read.record.mate_pos());
    if !flags.is_paired() || flags.is_mate_unmapped() || mate < start || (mate == start && flags.is_first()) {
        return whole;
    }
    // No base at or behind the mate's start: the common case.
    if i64::from(mate) >= i64::from(read.end) {
        return whole;
    }
    let overlap = bases_from(read.ops, i64::from(mate) - i64::from(start));
    if overlap == 0 {
        return whole;
    }
    if mate == start {
        return Own { overlap, kept: 0 };
    }
    let soft_clip = match read.ops.last() {
        Some(op) if op.kind == OpKind::SoftClip => u64::from(op.len),
        _ => 0,
    };
    let kept = (read.record.base_count() as u64).saturating_sub(overlap).saturating_sub(soft_clip);
    Own { overlap, kept: kept as usize }
}

/// Aligned and inserted bases from `mate` on, counted from the read's start on the reference.
fn bases_from(ops: &[Op], mate: i64) -> u64 {
    let (mut at, mut bases) = (0, 0);
    for op in ops {
        let length = i64::from(op.len);
        let end = if op.kind.consumes_reference() { at + length } else { at };
        if mate < end {
            bases += match op.kind {
                OpKind::Match => end - at.max(mate),
                OpKind::Insertion | OpKind::SequenceMatch | OpKind::SequenceMismatch => length,
                _ => 0,
            };
        }
        at = end;
    }
    bases as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_counted_as_htsjdk_counts_them() {
        use OpKind::{
            Deletion, HardClip, Insertion, Match, SequenceMatch as Same, SequenceMismatch as Other, Skip,
            SoftClip,
        };
        let op = |(kind, len)| Op { kind, len };
        // Expected: by hand from the rule that SAMUtils.getNumOverlappingAlignedBasesToClip documents.
        for (ops, mate, expected) in [
            (&[(Match, 100)][..], 60, 40),
            (&[(Match, 100)], 0, 100),
            (&[(Match, 100)], 100, 0),
            (&[(SoftClip, 5), (Match, 50), (SoftClip, 9)], 40, 10),
            (&[(Match, 50), (Insertion, 3), (Match, 50)], 60, 40),
            (&[(Match, 50), (Insertion, 3), (Match, 50)], 50, 50),
            (&[(Match, 50), (Insertion, 3), (Match, 50)], 49, 54),
            (&[(Match, 50), (Deletion, 10), (Match, 50)], 55, 50),
            (&[(Match, 50), (Skip, 1000), (Match, 50)], 1080, 20),
            (&[(Same, 50), (Other, 1), (Same, 49)], 20, 100),
            (&[(Same, 50), (Other, 1), (Same, 49)], 70, 49),
            (&[(HardClip, 7), (Match, 50), (HardClip, 7)], 30, 20),
        ] {
            let ops: Vec<Op> = ops.iter().copied().map(op).collect();
            assert_eq!(bases_from(&ops, mate), expected, "{ops:?} {mate}");
        }
    }
}
