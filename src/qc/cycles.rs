//! Base qualities and bases by sequencing cycle: the table behind samtools stats' FFQ, LFQ, GCC, GCT, FBC, LBC and
//! behind Picard's quality and base distributions.
//!
//! Primary records only (neither secondary nor supplementary), unmapped, duplicate and QC-failed ones included. The cycle
//! is the index in the order of sequencing, so a reverse read is turned round; its bases are not complemented here.
//!
//! This is where a third of a full pass goes, hence the narrow counters: qualities in 16 bits, so that the rows of a
//! read pair stay in the first-level cache, and bases in 8 bits, compared and added 16 or 32 at a time.

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs};
use super::read::{BASE_A, BASE_C, BASE_G, BASE_N, BASE_T, Read};
use crate::formats::bam::Flags;

/// Which end of its template a read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum End {
    /// Unpaired, or first and not last.
    First = 0,
    /// Last and not first.
    Last = 1,
    /// Paired, neither first nor last: Picard takes it for a first.
    Neither = 2,
    /// Paired, both: Picard takes it for a last.
    Both = 3,
}

impl End {
    /// The end that the flags name.
    #[inline]
    pub fn of(flags: Flags) -> End {
        match (flags.is_paired(), flags.is_first(), flags.is_last()) {
            (false, _, _) | (true, true, false) => End::First,
            (true, false, true) => End::Last,
            (true, false, false) => End::Neither,
            (true, true, true) => End::Both,
        }
    }
}

/// Bases of one cycle: A, C, G, T, N and all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BaseCounts {
    /// Counts of A, C, G, T, as read.
    pub acgt: [u64; 4],
    /// Counts of N.
    pub n: u64,
    /// `=` and the other ambiguity codes.
    pub other: u64,
}

/// The table. Qualities and bases are kept by end and by whether the read passes the vendor's quality check, bases by
/// strand too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cycles {
    qualities: Vec<QualityTable>,
    bases: Vec<BaseTable>,
}

impl Collector for Cycles {
    fn needs(_: &Context) -> Needs {
        Needs { bases: true, quals: true, ..Needs::default() }
    }

    fn new(_: &Context) -> Self {
        Self {
            qualities: vec![QualityTable::default(); 16],
            bases: (0..16).map(|i| BaseTable::new(i % 2 == 1)).collect(),
        }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        if !read.flags.is_primary() || read.bases.is_empty() {
            return;
        }
        let group = End::of(read.flags) as usize * 2 + usize::from(read.flags.is_qc_fail());
        let reverse = read.flags.is_reverse();
        let table = &mut self.qualities[group * 2 + usize::from(read.is_good)];
        table.add(read.quals, reverse);
        if read.n_count > 0 {
            for (_, &quality) in read.bases.iter().zip(read.quals).filter(|(base, _)| **base == BASE_N) {
                table.of_n[usize::from(quality)] += 1;
            }
        }
        self.bases[group * 2 + usize::from(reverse)].add(read.bases);
    }

    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        for (a, b) in self.qualities.iter_mut().zip(next.qualities) {
            a.merge(b);
        }
        for (a, b) in self.bases.iter_mut().zip(next.bases) {
            a.merge(b);
        }
    }
}

impl Cycles {
    /// Counts of each quality (0 to 255) in each cycle, over the ends and the QC states that `of` chooses.
    pub fn qualities(&self, of: impl Fn(End, bool) -> bool) -> Vec<[u64; 256]> {
        let mut rows: Vec<[u64; 256]> = Vec::new();
        for table in self.chosen(&of) {
            table.add_to(&mut rows);
        }
        rows
    }

    /// Counts of each quality over all cycles, of good reads ([`Read::is_good`]).
    pub fn qualities_of_good_reads(&self) -> [u64; 256] {
        let mut sums = [0; 256];
        for table in self.qualities.iter().skip(1).step_by(2) {
            let mut rows = Vec::new();
            table.add_to(&mut rows);
            for row in rows {
                sums.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
            }
        }
        sums
    }

    /// Counts of each quality over all cycles, N bases left out.
    pub fn qualities_of_called_bases(&self, of: impl Fn(End, bool) -> bool) -> [u64; 256] {
        let mut sums = [0; 256];
        for table in self.chosen(&of) {
            let mut rows = Vec::new();
            table.add_to(&mut rows);
            for row in rows {
                sums.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
            }
            sums.iter_mut().zip(&table.of_n).for_each(|(sum, n)| *sum -= n);
        }
        sums
    }

    /// Reads, over the QC states that `of` chooses.
    pub fn reads(&self, of: impl Fn(bool) -> bool) -> u64 {
        let chosen = self.bases.iter().enumerate().filter(|(i, _)| of(i / 2 % 2 == 1));
        chosen.map(|(_, table)| table.lengths.iter().sum::<u64>()).sum()
    }

    /// Counts of bases in each cycle as read, over the ends, QC states and strands (true: reverse) that `of` chooses.
    pub fn bases(&self, of: impl Fn(End, bool, bool) -> bool) -> Vec<BaseCounts> {
        let mut rows: Vec<BaseCounts> = Vec::new();
        for (i, table) in self.bases.iter().enumerate() {
            if of(END[i / 4], i / 2 % 2 == 1, i % 2 == 1) {
                table.add_to(&mut rows);
            }
        }
        rows
    }

    fn chosen(&self, of: &impl Fn(End, bool) -> bool) -> impl Iterator<Item = &QualityTable> {
        let chosen = self.qualities.iter().enumerate().filter(|(i, _)| of(END[i / 4], i / 2 % 2 == 1));
        chosen.map(|(_, table)| table)
    }
}

const END: [End; 4] = [End::First, End::Last, End::Neither, End::Both];

/// Columns that hold the qualities of short reads. A power of two: the index needs no check then.
const NARROW: usize = 64;

/// Counts of qualities, a row a cycle.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct QualityTable {
    /// Columns of a row: [`NARROW`], or all 256 once a quality needs them.
    width: usize,
    /// Reads counted in `recent`.
    pending: u16,
    recent: Vec<u16>,
    total: Vec<u64>,
    /// Qualities of N bases.
    of_n: Vec<u64>,
}

impl Default for QualityTable {
    fn default() -> Self {
        Self { width: NARROW, pending: 0, recent: Vec::new(), total: Vec::new(), of_n: vec![0; 256] }
    }
}

impl QualityTable {
    #[inline]
    fn add(&mut self, quals: &[u8], reverse: bool) {
        let highest = quals.iter().fold(0, |a: u8, &b| a.max(b));
        if usize::from(highest) >= self.width {
            self.widen();
        }
        if quals.len() * self.width > self.recent.len() {
            self.recent.resize(quals.len() * self.width, 0);
            self.total.resize(quals.len() * self.width, 0);
        }
        if self.pending == u16::MAX {
            self.settle();
        }
        self.pending += 1;
        if self.width == NARROW {
            let (rows, _) = self.recent.as_chunks_mut::<NARROW>();
            if reverse {
                count_qualities(rows, quals.iter().rev());
            } else {
                count_qualities(rows, quals.iter());
            }
        } else {
            let (rows, _) = self.recent.as_chunks_mut::<256>();
            if reverse {
                count_qualities(rows, quals.iter().rev());
            } else {
                count_qualities(rows, quals.iter());
            }
        }
    }

    /// Moves the recent counts to the totals.
    fn settle(&mut self) {
        for (total, recent) in self.total.iter_mut().zip(&mut self.recent) {
            *total += u64::from(std::mem::take(recent));
        }
        self.pending = 0;
    }

    #[cold]
    fn widen(&mut self) {
        self.settle();
        let rows: Vec<_> = self.total.chunks_exact(self.width).map(<[u64]>::to_vec).collect();
        let width = 256;
        self.total = vec![0; rows.len() * width];
        self.recent = vec![0; rows.len() * width];
        for (wide, row) in self.total.chunks_exact_mut(width).zip(&rows) {
            wide[..row.len()].copy_from_slice(row);
        }
        self.width = width;
    }

    fn merge(&mut self, mut next: QualityTable) {
        while self.width < next.width {
            self.widen();
        }
        while next.width < self.width {
            next.widen();
        }
        self.settle();
        next.settle();
        if next.total.len() > self.total.len() {
            self.total.resize(next.total.len(), 0);
            self.recent.resize(next.total.len(), 0);
        }
        self.total.iter_mut().zip(&next.total).for_each(|(a, b)| *a += b);
        self.of_n.iter_mut().zip(&next.of_n).for_each(|(a, b)| *a += b);
    }

    fn add_to(&self, rows: &mut Vec<[u64; 256]>) {
        let cycles = self.total.len() / self.width;
        if rows.len() < cycles {
            rows.resize(cycles, [0; 256]);
        }
        let counts = self.total.chunks_exact(self.width).zip(self.recent.chunks_exact(self.width));
        for (row, (total, recent)) in rows.iter_mut().zip(counts) {
            for (cell, (t, r)) in row.iter_mut().zip(total.iter().zip(recent)) {
                *cell += t + u64::from(*r);
            }
        }
    }
}

/// Raises one counter in each row. `N` is a power of two above every quality.
#[inline]
fn count_qualities<'a, const N: usize>(rows: &mut [[u16; N]], quals: impl Iterator<Item = &'a u8>) {
    for (row, &quality) in rows.iter_mut().zip(quals) {
        row[usize::from(quality) & (N - 1)] += 1;
    }
}

/// The bases that have counters of their own; the sixth figure of a cycle is what is left of its reads.
const COUNTED: [u8; 5] = [BASE_A, BASE_C, BASE_G, BASE_T, BASE_N];

/// Counts of bases on one strand. A forward read's base `i` is cycle `i`. A reverse read is laid at the end of the row,
/// so that its last base, the first cycle, is always the row's last.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct BaseTable {
    reverse: bool,
    /// Columns of a row.
    cycles: usize,
    /// Reads counted in `recent`.
    pending: u8,
    /// A row of cycles for each of the counted bases.
    recent: Vec<u8>,
    total: Vec<u64>,
    /// Reads of each length.
    lengths: Vec<u64>,
}

impl BaseTable {
    fn new(reverse: bool) -> Self {
        Self { reverse, cycles: 0, pending: 0, recent: Vec::new(), total: Vec::new(), lengths: Vec::new() }
    }

    #[inline]
    fn add(&mut self, bases: &[u8]) {
        if bases.len() > self.cycles {
            self.lengthen(bases.len());
        }
        if self.pending == u8::MAX {
            self.settle();
        }
        self.pending += 1;
        self.lengths[bases.len()] += 1;
        let from = if self.reverse { self.cycles - bases.len() } else { 0 };
        for (row, code) in self.recent.chunks_exact_mut(self.cycles).zip(COUNTED) {
            for (count, &base) in row[from..from + bases.len()].iter_mut().zip(bases) {
                *count += u8::from(base == code);
            }
        }
    }

    /// Moves the recent counts to the totals.
    fn settle(&mut self) {
        for (total, recent) in self.total.iter_mut().zip(&mut self.recent) {
            *total += u64::from(std::mem::take(recent));
        }
        self.pending = 0;
    }

    #[cold]
    fn lengthen(&mut self, cycles: usize) {
        self.settle();
        let old = std::mem::replace(&mut self.total, vec![0; cycles * COUNTED.len()]);
        if self.cycles > 0 {
            let shift = if self.reverse { cycles - self.cycles } else { 0 };
            for (row, old) in self.total.chunks_exact_mut(cycles).zip(old.chunks_exact(self.cycles)) {
                row[shift..shift + old.len()].copy_from_slice(old);
            }
        }
        self.recent = vec![0; cycles * COUNTED.len()];
        self.lengths.resize(cycles + 1, 0);
        self.cycles = cycles;
    }

    fn merge(&mut self, mut next: BaseTable) {
        let cycles = self.cycles.max(next.cycles);
        for table in [&mut *self, &mut next] {
            if table.cycles < cycles {
                table.lengthen(cycles);
            }
            table.settle();
        }
        self.total.iter_mut().zip(&next.total).for_each(|(a, b)| *a += b);
        self.lengths.iter_mut().zip(&next.lengths).for_each(|(a, b)| *a += b);
    }

    fn add_to(&self, rows: &mut Vec<BaseCounts>) {
        if rows.len() < self.cycles {
            rows.resize(self.cycles, BaseCounts::default());
        }
        let mut reads: u64 = self.lengths.iter().sum();
        for (cycle, row) in rows.iter_mut().enumerate().take(self.cycles) {
            let column = if self.reverse { self.cycles - 1 - cycle } else { cycle };
            let count = |base: usize| {
                let at = base * self.cycles + column;
                self.total[at] + u64::from(self.recent[at])
            };
            reads -= self.lengths[cycle];
            let acgt = [count(0), count(1), count(2), count(3)];
            row.acgt.iter_mut().zip(acgt).for_each(|(sum, n)| *sum += n);
            row.n += count(4);
            row.other += reads - acgt.iter().sum::<u64>() - count(4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Reads = Vec<(bool, Vec<(u8, u8)>)>;

    fn tables(reads: &Reads) -> (QualityTable, [BaseTable; 2]) {
        let mut qualities = QualityTable::default();
        let mut bases = [BaseTable::new(false), BaseTable::new(true)];
        for (reverse, read) in reads {
            let (b, q): (Vec<u8>, Vec<u8>) = read.iter().copied().unzip();
            qualities.add(&q, *reverse);
            bases[usize::from(*reverse)].add(&b);
        }
        (qualities, bases)
    }

    proptest! {
        #[test]
        fn the_narrow_counters_count_as_plain_ones(
            reads in proptest::collection::vec(
                (any::<bool>(), proptest::collection::vec((1u8..16, prop_oneof![9 => 0u8..48, 1 => any::<u8>()]), 1..30)),
                1..700,
            ),
            cut in 0usize..700,
        ) {
            let mut plain_q = vec![[0u64; 256]; 30];
            let mut plain_b = vec![BaseCounts::default(); 30];
            for (reverse, read) in &reads {
                for (i, &(base, quality)) in read.iter().enumerate() {
                    let cycle = if *reverse { read.len() - 1 - i } else { i };
                    plain_q[cycle][usize::from(quality)] += 1;
                    match base {
                        1 => plain_b[cycle].acgt[0] += 1,
                        2 => plain_b[cycle].acgt[1] += 1,
                        4 => plain_b[cycle].acgt[2] += 1,
                        8 => plain_b[cycle].acgt[3] += 1,
                        15 => plain_b[cycle].n += 1,
                        _ => plain_b[cycle].other += 1,
                    }
                }
            }
            let (head, tail) = reads.split_at(cut.min(reads.len()));
            let (mut qualities, [mut forward, mut reverse]) = tables(&head.to_vec());
            let (q, [f, r]) = tables(&tail.to_vec());
            qualities.merge(q);
            forward.merge(f);
            reverse.merge(r);
            let (mut rows_q, mut rows_b) = (Vec::new(), Vec::new());
            qualities.add_to(&mut rows_q);
            forward.add_to(&mut rows_b);
            reverse.add_to(&mut rows_b);
            rows_q.resize(30, [0; 256]);
            rows_b.resize(30, BaseCounts::default());
            prop_assert!(rows_q == plain_q);
            prop_assert_eq!(rows_b, plain_b);
        }
    }
}
