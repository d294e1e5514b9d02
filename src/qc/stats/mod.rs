//! `samtools stats`: what it counts beside the tables by cycle that [`super::cycles`] holds.
//!
//! Held to samtools 1.16 byte for byte, quirks included; each quirk has a comment here and a case in the tests.

pub mod barcodes;
pub mod gc_depth;
pub mod text;

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs, Stretch};
use super::cycles::End;
use super::read::{BASE_N, Read};
use super::window::{Run, Window};
use crate::formats::bam::OpKind;
use crate::formats::fasta::FastaError;
use barcodes::Barcodes;
use gc_depth::GcDepth;

/// Insert sizes above this count as this (samtools' default of -i).
const MAX_INSERT_SIZE: usize = 8000;
/// Bins of read GC content (samtools' `ngc`).
const GC_BINS: usize = 200;
/// Depths above this fall into the last class (samtools' default of -c).
const MAX_DEPTH: usize = 1000;
/// samtools counts depth in a ring of 1500 positions from the read's start on; a block beyond it (after a long deletion
/// or skip) wraps round. Only while no read has reached 300 bases, which makes the ring larger.
const DEPTH_RING: u32 = 1500;

/// The counts of samtools stats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stats {
    counts: Counts,
    /// Sums, modulo 2^32, of the CRC-32 of names, packed bases, and the first half of the qualities.
    checksums: [u32; 3],
    /// Reads by length (hard-clipped bases counted): all, first, last.
    read_lengths: [Vec<u64>; 3],
    /// Longest read, supplementary alignments included: all, first, last.
    max_lengths: [usize; 3],
    /// Differences between neighbours of the GC histograms of first and last reads (modulo 2^64).
    gc_steps: [Vec<u64>; 2],
    /// Insert sizes: inward, outward, other; each pair counted twice.
    insert_sizes: [Vec<u64>; 3],
    /// Insertions and deletions by length - 1.
    indels: [Vec<u64>; 2],
    /// Indels by cycle: insertions of first and last, deletions of first and last.
    indel_cycles: [Vec<u64>; 4],
    /// Positions by depth: index 0 unused, the last is all above [`MAX_DEPTH`].
    depths: Vec<u64>,
    /// Mismatches by cycle and quality + 1 (column 0: N bases), 256 columns; empty without a reference.
    mismatches: Vec<u64>,
    gc_depth: GcDepth,
    barcodes: Barcodes,
    has_reference: bool,
    /// The first and the last mapped read's (contig, position), to see whether the file is sorted when it does not say
    /// so.
    first: Option<(i32, i32)>,
    last: (i32, i32),
    #[serde(skip)]
    window: Window<i32>,
    #[serde(skip)]
    depth: i32,
}

/// The summary numbers, named as samtools prints them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts {
    first: u64,
    last: u64,
    other: u64,
    unsorted: u64,
    mapped_single: u64,
    mapped_paired: u64,
    unmapped: u64,
    properly_paired: u64,
    paired: u64,
    duplicated: u64,
    mapq_0: u64,
    qc_failed: u64,
    secondary: u64,
    supplementary: u64,
    total_length: u64,
    total_length_first: u64,
    total_length_last: u64,
    bases_mapped: u64,
    bases_mapped_cigar: u64,
    bases_duplicated: u64,
    mismatches: u64,
    mates_elsewhere: u64,
}

impl Counts {
    fn merge(&mut self, next: &Counts) {
        let Counts {
            first,
            last,
            other,
            unsorted,
            mapped_single,
            mapped_paired,
            unmapped,
            properly_paired,
            paired,
            duplicated,
            mapq_0,
            qc_failed,
            secondary,
            supplementary,
            total_length,
            total_length_first,
            total_length_last,
            bases_mapped,
            bases_mapped_cigar,
            bases_duplicated,
            mismatches,
            mates_elsewhere,
        } = next;
        self.first += first;
        self.last += last;
        self.other += other;
        self.unsorted += unsorted;
        self.mapped_single += mapped_single;
        self.mapped_paired += mapped_paired;
        self.unmapped += unmapped;
        self.properly_paired += properly_paired;
        self.paired += paired;
        self.duplicated += duplicated;
        self.mapq_0 += mapq_0;
        self.qc_failed += qc_failed;
        self.secondary += secondary;
        self.supplementary += supplementary;
        self.total_length += total_length;
        self.total_length_first += total_length_first;
        self.total_length_last += total_length_last;
        self.bases_mapped += bases_mapped;
        self.bases_mapped_cigar += bases_mapped_cigar;
        self.bases_duplicated += bases_duplicated;
        self.mismatches = self.mismatches.wrapping_add(*mismatches);
        self.mates_elsewhere += mates_elsewhere;
    }
}

impl Collector for Stats {
    fn needs(context: &Context) -> Needs {
        let reference = context.reference.is_some();
        Needs { bases: true, quals: true, fields: true, name: true, reference, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self {
            counts: Counts::default(),
            checksums: [0; 3],
            read_lengths: Default::default(),
            max_lengths: [0; 3],
            gc_steps: [vec![0; GC_BINS + 1], vec![0; GC_BINS + 1]],
            insert_sizes: std::array::from_fn(|_| vec![0; MAX_INSERT_SIZE + 1]),
            indels: Default::default(),
            indel_cycles: Default::default(),
            depths: vec![0; MAX_DEPTH + 2],
            mismatches: Vec::new(),
            gc_depth: GcDepth::new(context),
            barcodes: Barcodes::default(),
            has_reference: context.reference.is_some(),
            first: None,
            last: (-1, -1),
            window: Window::new(),
            depth: 0,
        }
    }

    fn enter(&mut self, stretch: Stretch, _: &Context) {
        self.window.enter(stretch);
        self.depth = 0;
        self.gc_depth.enter(stretch);
    }

    fn lead_in(&mut self, read: &Read<'_>) {
        if !read.flags.is_secondary() && read.record.base_count() > 0 {
            self.add_depth(read);
        }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        let length = read.record.base_count();
        self.add_checksums(read, length);
        if read.flags.is_secondary() {
            self.counts.secondary += 1;
            return;
        }
        self.counts.supplementary += u64::from(read.flags.is_supplementary());
        if length == 0 {
            return;
        }
        if read.flags.is_duplicate() {
            self.counts.bases_duplicated += length as u64;
            self.counts.duplicated += 1;
        }
        let end = End::of(read.flags);
        let clipped: u64 =
            read.ops.iter().filter(|op| op.kind == OpKind::HardClip).map(|op| u64::from(op.len)).sum();
        let read_length = length + clipped.min(u64::from(u32::MAX)) as usize;
        self.max_lengths[0] = self.max_lengths[0].max(read_length);
        if let End::First | End::Last = end {
            let longest = &mut self.max_lengths[1 + end as usize];
            *longest = (*longest).max(read_length);
        }
        let mut gc_count = 0;
        if read.flags.is_primary() {
            gc_count = self.add_original(read, end, length, read_length);
        }
        if read.flags.is_unmapped() {
            return;
        }
        self.add_indels(read, end);
        if read.flags.is_primary() && read.flags.is_paired() && !read.flags.is_mate_unmapped() {
            self.add_insert_size(read);
        }
        self.counts.mismatches = self.counts.mismatches.wrapping_add(read.nm.unwrap_or(0) as u64);
        let mut span = length as u64;
        for op in read.ops {
            match op.kind {
                OpKind::Deletion => span += u64::from(op.len),
                kind if kind.is_aligned() || kind == OpKind::Insertion => {
                    self.counts.bases_mapped_cigar += u64::from(op.len);
                }
                _ => {}
            }
        }
        let place = (read.record.ref_id(), read.record.pos());
        self.counts.unsorted += u64::from(place.0 == self.last.0 && place.1 < self.last.1);
        self.first.get_or_insert(place);
        self.last = place;
        if self.has_reference {
            self.add_mismatches(read, read_length);
        }
        self.gc_depth.observe(read, gc_count, length as u32, span);
        self.add_depth(read);
    }

    fn leave(&mut self, _: &Context) -> Result<(), FastaError> {
        let Self { window, depth, depths, .. } = self;
        window.leave(|_, run| count_depths(run, depth, depths));
        Ok(())
    }

    /// Without coverage and GC depth, which follow from the reads of both in their order.
    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        self.depths.fill(0);
        self.gc_depth.clear();
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        self.counts.merge(&next.counts);
        self.checksums.iter_mut().zip(next.checksums).for_each(|(a, b)| *a = a.wrapping_add(b));
        self.max_lengths.iter_mut().zip(next.max_lengths).for_each(|(a, b)| *a = (*a).max(b));
        add_all(&mut self.read_lengths, next.read_lengths);
        add_all(&mut self.gc_steps, next.gc_steps);
        add_all(&mut self.insert_sizes, next.insert_sizes);
        add_all(&mut self.indels, next.indels);
        add_all(&mut self.indel_cycles, next.indel_cycles);
        add_all(&mut [&mut self.depths, &mut self.mismatches], [next.depths, next.mismatches]);
        self.gc_depth.merge(next.gc_depth);
        self.barcodes.merge(next.barcodes);
        if let Some(place) = next.first {
            self.counts.unsorted += u64::from(place.0 == self.last.0 && place.1 < self.last.1);
            self.first.get_or_insert(place);
            self.last = next.last;
        }
    }
}

impl Stats {
    #[inline]
    fn add_checksums(&mut self, read: &Read<'_>, length: usize) {
        let [names, bases, quals] = &mut self.checksums;
        *names = names.wrapping_add(libdeflater::crc32(read.record.name()));
        if length > 0 {
            let packed = read.record.packed_bases();
            *bases = bases.wrapping_add(libdeflater::crc32(packed));
            // samtools takes as many bytes of the qualities as the packed bases have: half of them.
            *quals = quals.wrapping_add(libdeflater::crc32(&read.quals[..packed.len()]));
        }
    }

    /// Counts a primary read; gives its GC count as samtools sees it.
    #[inline]
    fn add_original(&mut self, read: &Read<'_>, end: End, length: usize, read_length: usize) -> u32 {
        let flags = read.flags;
        let c = &mut self.counts;
        bump(&mut self.read_lengths[0], read_length);
        c.total_length += length as u64;
        c.qc_failed += u64::from(flags.is_qc_fail());
        c.paired += u64::from(flags.is_paired());
        let mut gc_count = 0;
        if let End::First | End::Last = end {
            gc_count = read.gc_count;
            bump(&mut self.read_lengths[1 + end as usize], read_length);
            let bin =
                |count: u64| (count * (GC_BINS as u64 - 1) / length as u64).min(GC_BINS as u64 - 1) as usize;
            let steps = &mut self.gc_steps[end as usize];
            let from = &mut steps[bin(u64::from(gc_count))];
            *from = from.wrapping_add(1);
            let to = &mut steps[bin(u64::from(gc_count) + 1)];
            *to = to.wrapping_sub(1);
        }
        match end {
            End::First => {
                if read.has_barcode {
                    self.barcodes.observe(&read.record);
                }
                c.first += 1;
                c.total_length_first += length as u64;
            }
            End::Last => {
                c.last += 1;
                c.total_length_last += length as u64;
            }
            End::Neither | End::Both => c.other += 1,
        }
        if flags.is_unmapped() {
            c.unmapped += 1;
            return gc_count;
        }
        c.bases_mapped += length as u64;
        c.mapq_0 += u64::from(read.mapq == 0);
        if flags.is_paired() && !flags.is_mate_unmapped() {
            c.mapped_paired += 1;
            c.properly_paired += u64::from(flags.is_proper_pair());
            c.mates_elsewhere += u64::from(read.record.ref_id() != read.record.mate_ref_id());
        } else {
            c.mapped_single += 1;
        }
        gc_count
    }

    #[inline]
    fn add_indels(&mut self, read: &Read<'_>, end: End) {
        if read.ops.len() == 1 {
            return;
        }
        let (length, reverse) = (read.record.base_count(), read.flags.is_reverse());
        // With an end that is neither, the indel counts by length but not by cycle.
        let by_cycle = matches!(end, End::First | End::Last);
        let mut cycle = 0usize;
        for op in read.ops {
            let n = op.len as usize;
            match op.kind {
                _ if n == 0 => {}
                OpKind::Insertion => {
                    let at = if reverse { length.saturating_sub(cycle + n) } else { cycle };
                    if by_cycle {
                        bump(&mut self.indel_cycles[end as usize], at);
                    }
                    count_indel(&mut self.indels[0], n);
                    cycle += n;
                }
                OpKind::Deletion => {
                    // A deletion before the first base has no cycle and does not count at all.
                    let at = if reverse { length.checked_sub(cycle + 1) } else { cycle.checked_sub(1) };
                    let Some(at) = at else { continue };
                    if by_cycle {
                        bump(&mut self.indel_cycles[2 + end as usize], at);
                    }
                    count_indel(&mut self.indels[1], n);
                }
                kind if kind.consumes_read() => cycle += n,
                _ => {}
            }
        }
    }

    #[inline]
    fn add_insert_size(&mut self, read: &Read<'_>) {
        let record = &read.record;
        let size = record.template_length().unsigned_abs() as usize;
        if size == 0 && record.ref_id() != record.mate_ref_id() {
            return;
        }
        let (reverse, mate_reverse) = (read.flags.is_reverse(), read.flags.is_mate_reverse());
        // The first read of an inward pair is left of its mate and forward, or right of it and reverse.
        let ahead = i64::from(record.mate_pos()) - i64::from(record.pos());
        let ahead = if read.flags.is_first() { ahead } else { -ahead };
        let kind = if reverse == mate_reverse {
            2
        } else {
            usize::from((ahead >= 0) != (read.flags.is_first() != reverse))
        };
        self.insert_sizes[kind][size.min(MAX_INSERT_SIZE)] += 1;
    }

    #[inline]
    fn add_depth(&mut self, read: &Read<'_>) {
        let Self { window, depth, depths, .. } = self;
        window.advance(read.start, |_, run| count_depths(run, depth, depths));
        let wraps = self.max_lengths[0] < 300;
        for (_, position, length) in read.blocks() {
            let offset = position - read.start;
            let position =
                if wraps && offset >= DEPTH_RING { read.start + offset % DEPTH_RING } else { position };
            if let Some((start, end)) = window.clip(position, position.saturating_add(length)) {
                let steps = window.values(start, end + 1);
                steps[0] += 1;
                steps[(end - start) as usize] -= 1;
            }
        }
    }

    fn add_mismatches(&mut self, read: &Read<'_>, read_length: usize) {
        if read.mismatches.is_empty() && read.n_count == 0 && read.ops.len() == 1 {
            return;
        }
        let hard_clip = match read.ops.first() {
            Some(op) if op.kind == OpKind::HardClip => op.len as usize,
            _ => 0,
        };
        let reverse = read.flags.is_reverse();
        let mut add = |index: usize, column: u8| {
            let cycle = index + hard_clip;
            let cycle = if reverse { (read_length - 1).saturating_sub(cycle) } else { cycle };
            let at = cycle * 256 + usize::from(column);
            if at >= self.mismatches.len() {
                self.mismatches.resize((cycle + 1) * 256, 0);
            }
            self.mismatches[at] += 1;
        };
        let is_mismatch = |over: u8, under: u8| over != under && over != 0 && under.is_power_of_two();
        let mut count = |index: usize, over: &[u8], under: &[u8]| {
            for (i, (&over, &under)) in over.iter().zip(under).enumerate() {
                if over == BASE_N {
                    add(index + i, 0);
                } else if is_mismatch(over, under) {
                    add(index + i, read.quals[index + i].wrapping_add(1));
                }
            }
        };
        let has_skip = read.ops.iter().any(|op| op.kind == OpKind::Skip);
        if has_skip || read.n_count > 0 {
            // samtools does not move along the reference over a skip: what follows one is compared where the skip begins.
            let (mut index, mut offset) = (0, 0);
            for op in read.ops {
                let length = op.len as usize;
                if op.kind.is_aligned() {
                    let over = read.bases.get(index..index + length).unwrap_or_default();
                    count(index, over, read.reference.get(offset..).unwrap_or_default());
                }
                index += if op.kind.consumes_read() { length } else { 0 };
                let moves = op.kind.consumes_reference() && op.kind != OpKind::Skip;
                offset += if moves { length } else { 0 };
            }
            return;
        }
        let mut blocks = read.blocks().peekable();
        for &index in read.mismatches {
            let index = index as usize;
            while blocks.next_if(|(at, _, length)| index >= at + *length as usize).is_some() {}
            let Some(&(at, position, _)) = blocks.peek() else { break };
            let offset = (position - read.start) as usize + index - at;
            count(index, &read.bases[index..=index], &read.reference[offset..=offset]);
        }
    }
}

/// Turns steps into depths and counts the positions of each.
fn count_depths(run: Run<'_, i32>, depth: &mut i32, depths: &mut [u64]) {
    let class = |depth: i32| (depth.max(0) as usize).min(MAX_DEPTH + 1);
    match run {
        Run::Untouched(n) => depths[class(*depth)] += u64::from(n),
        Run::Values(steps) => {
            let mut since = 0;
            for (i, &step) in steps.iter().enumerate() {
                if step != 0 {
                    depths[class(*depth)] += (i - since) as u64;
                    since = i;
                    *depth += step;
                }
            }
            depths[class(*depth)] += (steps.len() - since) as u64;
        }
    }
}

#[inline]
fn bump(counts: &mut Vec<u64>, at: usize) {
    if at >= counts.len() {
        counts.resize(at + 1, 0);
    }
    counts[at] += 1;
}

/// samtools counts indels of up to 300 bases.
fn count_indel(counts: &mut Vec<u64>, length: usize) {
    if length <= 300 {
        bump(counts, length - 1);
    }
}

fn add_all<A: AsMutVec, const N: usize>(sums: &mut [A; N], next: [Vec<u64>; N]) {
    for (sum, next) in sums.iter_mut().zip(next) {
        let sum = sum.as_mut_vec();
        if sum.len() < next.len() {
            sum.resize(next.len(), 0);
        }
        sum.iter_mut().zip(next).for_each(|(a, b)| *a = a.wrapping_add(b));
    }
}

/// A histogram, owned or borrowed.
trait AsMutVec {
    fn as_mut_vec(&mut self) -> &mut Vec<u64>;
}

impl AsMutVec for Vec<u64> {
    fn as_mut_vec(&mut self) -> &mut Vec<u64> {
        self
    }
}

impl AsMutVec for &mut Vec<u64> {
    fn as_mut_vec(&mut self) -> &mut Vec<u64> {
        self
    }
}
