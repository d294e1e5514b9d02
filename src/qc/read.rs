//! A read as every collector sees it: the record's view and what is derived from it once for all.

use crate::formats::bam::{Flags, Op, Record};

/// `=ACMGRSVTWYHKDBN`: the base codes of BAM.
pub const BASE_A: u8 = 1;
/// C.
pub const BASE_C: u8 = 2;
/// G.
pub const BASE_G: u8 = 4;
/// T.
pub const BASE_T: u8 = 8;
/// N.
pub const BASE_N: u8 = 15;

/// Reference bases that are held ready on both sides of a read.
pub const FLANK: u32 = 128;

/// One record with its decoded parts. Positions are 0-based.
#[derive(Clone, Copy)]
pub struct Read<'a> {
    /// The record itself.
    pub record: Record<'a>,
    /// Its flags.
    pub flags: Flags,
    /// Mapping quality.
    pub mapq: u8,
    /// Index of the contig it is placed on.
    pub contig: Option<usize>,
    /// Leftmost position (0-based); 0 where it is not placed.
    pub start: u32,
    /// One past the last reference position that its CIGAR reaches; `start` where it has none.
    pub end: u32,
    /// The CIGAR.
    pub ops: &'a [Op],
    /// The bases as BAM codes, one in a byte, in the record's (reference) orientation. Empty unless asked for in
    /// [`Needs`](super::collector::Needs).
    pub bases: &'a [u8],
    /// The qualities (Phred), in the record's orientation; all 255 where they are missing.
    pub quals: &'a [u8],
    /// Index of the read group in the header; the number of read groups where it has none that the header knows.
    pub read_group: usize,
    /// Whether the read counts in Picard's depth: mapped with its mate, of good mapping quality (20, or --min-mapq), not
    /// secondary, no duplicate, passing the vendor's check, and no adapter. False where no collector asks for it.
    pub is_good: bool,
    /// `NM`: edit distance.
    pub nm: Option<i64>,
    /// `MQ`: mapping quality of the mate.
    pub mate_mapq: Option<i64>,
    /// Whether the record has `SA`: other alignments of a chimeric read.
    pub has_supplementary: bool,
    /// Whether `XN` is 1: a noise read, as some Illumina software marks it.
    pub is_noise: bool,
    /// Whether the record has a barcode tag (BC, CR, OX or RX).
    pub has_barcode: bool,
    /// How many of the bases are C or G.
    pub gc_count: u32,
    /// How many of the bases are N.
    pub n_count: u32,
    /// The reference's codes for `start..end`, as far as the contig reaches. Empty without a reference.
    pub reference: &'a [u8],
    /// The reference's codes around the read, from this position on: at least [`FLANK`] bases on both sides, as far as
    /// the contig reaches.
    pub around: (u32, &'a [u8]),
    /// Indices of the bases that stand on another reference base (codes differ), ascending. Empty without a reference.
    pub mismatches: &'a [u32],
}

impl Read<'_> {
    /// Placed and aligned: contig, position, and flag 0x4 not set.
    #[inline]
    pub fn is_mapped(&self) -> bool {
        !self.flags.is_unmapped() && self.contig.is_some()
    }

    /// The reference's codes of `length` positions from `start` on; `None` where those are not around the read.
    #[inline]
    pub fn reference_around(&self, start: u32, length: u32) -> Option<&[u8]> {
        let from = start.checked_sub(self.around.0)? as usize;
        self.around.1.get(from..from + length as usize)
    }

    /// The runs of read bases that stand on reference bases, as (index of the first read base, reference position,
    /// length), in order.
    #[inline]
    pub fn blocks(&self) -> impl Iterator<Item = (usize, u32, u32)> {
        blocks(self.ops, self.start)
    }
}

/// The `M`, `=` and `X` runs of a CIGAR that begins at `start`: (index of the first read base, reference position,
/// length).
#[inline]
pub fn blocks(ops: &[Op], start: u32) -> impl Iterator<Item = (usize, u32, u32)> {
    let (mut at, mut position) = (0usize, start);
    ops.iter().filter_map(move |op| {
        let block = (at, position, op.len);
        if op.kind.consumes_read() {
            at += op.len as usize;
        }
        if op.kind.consumes_reference() {
            position = position.saturating_add(op.len);
        }
        op.kind.is_aligned().then_some(block)
    })
}
