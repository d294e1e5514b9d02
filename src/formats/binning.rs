//! Builds CSI and TBI indexes of position-sorted records.
//!
//! Fed with each record's contig, interval and virtual positions in file order; gives the bytes of the index file
//! before compression. A bin's `loffset` is the first record that overlaps the bin's first 16 kb window, wherever that
//! record is binned: a query that begins inside a long record finds it.
//!
//! Sources: CSIv1 and Tabix specifications (hts-specs); SAM specification, section 5.3 (binning).

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// How positions fall into bins: the smallest are of `1 << shift` bases, and those of each of `depth` levels above eight
/// times as wide.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Scheme {
    shift: u32,
    depth: u32,
}

/// Greatest depth of a CSI index made here: with windows of 2^14 bases, positions below 2^38.
const MAX_DEPTH: u32 = 8;

impl Scheme {
    /// That of TBI and BAI, for positions below 2^29.
    pub const TBI: Self = Self { shift: 14, depth: 5 };

    /// Windows of a CSI index where nobody wants other ones.
    pub const CSI_SHIFT: u32 = Self::TBI.shift;

    /// That of a CSI index with windows of `1 << shift` bases for contigs up to `length` bases, but 2^29 at least, as far
    /// as its depth lets it.
    pub fn csi(shift: u32, length: u64) -> Self {
        let shift = shift.clamp(1, 30);
        let of = |depth| Self { shift, depth };
        let length = length.max(Self::TBI.limit());
        (0..MAX_DEPTH).map(of).find(|scheme| length <= scheme.limit()).unwrap_or(of(MAX_DEPTH))
    }

    /// Positions an index can hold.
    fn limit(self) -> u64 {
        1 << (self.shift + 3 * self.depth)
    }

    /// The smallest bin that holds `start..end`.
    fn bin_of(self, start: u64, end: u64) -> u32 {
        let last = end - 1;
        for level in (1..=self.depth).rev() {
            let shift = self.shift + 3 * (self.depth - level);
            if start >> shift == last >> shift {
                return bin_count(level - 1) + (start >> shift) as u32;
            }
        }
        0
    }

    /// The first smallest-size window of a bin.
    fn first_window(self, bin: u32) -> usize {
        let level = (1..=self.depth).rev().find(|&level| bin >= bin_count(level - 1)).unwrap_or(0);
        let place = if level == 0 { 0 } else { bin - bin_count(level - 1) };
        (place as usize) << (3 * (self.depth - level))
    }
}

/// The text format that an index describes, for its tabix header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextLayout {
    /// BED: contig, start, end in columns 1 to 3, 0-based half-open.
    Bed,
    /// VCF: contig and 1-based position in columns 1 and 2.
    Vcf,
}

/// Why a record cannot be indexed. The caller knows which record it was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BinningError {
    /// The record begins before the last one.
    #[error("it begins before the record above it, so the output is not sorted by position")]
    Unsorted,
    /// The record's end is past what the index can hold.
    #[error(
        "it ends past {limit}, the greatest position of this index; use a CSI index with the contigs' lengths"
    )]
    TooFar {
        /// Greatest end, exclusive.
        limit: u64,
    },
}

/// An index under construction.
#[derive(Debug, Deserialize, Serialize)]
pub struct IndexBuilder {
    scheme: Scheme,
    contigs: Vec<ContigIndex>,
    last_start: u64,
}

impl IndexBuilder {
    /// An index with these bins.
    pub fn new(scheme: Scheme) -> Self {
        Self { scheme, contigs: Vec::new(), last_start: 0 }
    }

    /// An index of so many contigs, which may be empty and are gone to by [`Self::go_to_contig`].
    pub fn with_contigs(scheme: Scheme, count: usize) -> Self {
        let mut index = Self::new(scheme);
        index.contigs.resize_with(count, ContigIndex::default);
        index
    }

    /// The records of another contig of [`Self::with_contigs`] follow.
    pub fn go_to_contig(&mut self) {
        self.last_start = 0;
    }

    /// Begins the next contig; its records follow.
    pub fn begin_contig(&mut self) {
        self.contigs.push(ContigIndex::default());
        self.last_start = 0;
    }

    /// Checks that a record of the current contig may come next: `start..end`, 0-based half-open; an empty one counts
    /// as one base.
    ///
    /// # Errors
    /// It begins before the last one, or ends past what the index can hold.
    pub fn check(&mut self, start: u64, end: u64) -> Result<(), BinningError> {
        if start < self.last_start {
            return Err(BinningError::Unsorted);
        }
        let limit = self.scheme.limit();
        if start.max(end.saturating_sub(1)) >= limit {
            return Err(BinningError::TooFar { limit });
        }
        self.last_start = start;
        Ok(())
    }

    /// Adds a record that passed [`check`](Self::check) to the contig of this number (counted by
    /// [`begin_contig`](Self::begin_contig), from 0), with the virtual positions of its first byte and of the byte
    /// behind its last.
    pub fn add(&mut self, contig: usize, start: u64, end: u64, first: u64, behind: u64) {
        let scheme = self.scheme;
        if let Some(index) = self.contigs.get_mut(contig) {
            index.add(scheme, start, end.max(start + 1), first, behind);
        }
    }

    /// Whether the contig of this number has records.
    pub fn has_records(&self, number: usize) -> bool {
        self.contigs.get(number).is_some_and(|contig| contig.records > 0)
    }

    /// Adds the records of a file that follows, as the contigs of these numbers; the bytes of that file begin at `offset`,
    /// at a block's border.
    pub fn append(&mut self, other: Self, numbers: &[usize], offset: u64) {
        for (contig, &number) in other.contigs.into_iter().zip(numbers) {
            if self.contigs.len() <= number {
                self.contigs.resize_with(number + 1, ContigIndex::default);
            }
            self.contigs[number].append(contig, offset << 16);
        }
    }

    /// The index as CSI, uncompressed, with the contigs' names in order.
    pub fn csi(self, layout: Option<TextLayout>, names: &[String]) -> Vec<u8> {
        let header = layout.map(|layout| tabix_header(layout, names)).unwrap_or_default();
        let mut bytes = b"CSI\x01".to_vec();
        put_u32(&mut bytes, self.scheme.shift as usize);
        put_u32(&mut bytes, self.scheme.depth as usize);
        put_u32(&mut bytes, header.len());
        bytes.extend(header);
        put_u32(&mut bytes, self.contigs.len());
        for contig in self.contigs {
            contig.write(self.scheme, IndexFormat::Csi, &mut bytes);
        }
        put_u64(&mut bytes, 0);
        bytes
    }

    /// The index as TBI, uncompressed, with the contigs' names in order. Only for [`Scheme::TBI`].
    pub fn tbi(self, layout: TextLayout, names: &[String]) -> Vec<u8> {
        let mut bytes = b"TBI\x01".to_vec();
        put_u32(&mut bytes, self.contigs.len());
        bytes.extend(tabix_header(layout, names));
        for contig in self.contigs {
            contig.write(self.scheme, IndexFormat::Tbi, &mut bytes);
        }
        put_u64(&mut bytes, 0);
        bytes
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IndexFormat {
    Csi,
    Tbi,
}

/// Where records of a bin stand: first byte and byte behind, as virtual positions.
type Chunk = (u64, u64);

#[derive(Debug, Default, Deserialize, Serialize)]
struct ContigIndex {
    bins: FxHashMap<u32, Vec<Chunk>>,
    /// For each window the first record that overlaps it; [`NONE`] if there is none.
    windows: Vec<u64>,
    /// The bin being filled. Neighbours mostly share one, which saves the look-up.
    current: Option<(u32, Chunk)>,
    records: u64,
    /// All records of the contig.
    span: Chunk,
}

/// No record overlaps the window.
const NONE: u64 = u64::MAX;

impl ContigIndex {
    fn add(&mut self, scheme: Scheme, start: u64, end: u64, first: u64, behind: u64) {
        let bin = scheme.bin_of(start, end);
        match &mut self.current {
            Some((last, chunk)) if *last == bin => chunk.1 = behind,
            _ => {
                self.close_chunk();
                self.current = Some((bin, (first, behind)));
            }
        }
        // Records come sorted by start: a window that is set already has an earlier record.
        let (window, last) = ((start >> scheme.shift) as usize, ((end - 1) >> scheme.shift) as usize);
        if self.windows.len() <= last {
            let set = self.windows.len();
            self.windows.resize(last + 1, first);
            if set < window {
                self.windows[set..window].fill(NONE);
            }
        }
        if self.records == 0 {
            self.span.0 = first;
        }
        self.span.1 = behind;
        self.records += 1;
    }

    fn append(&mut self, mut other: Self, shift: u64) {
        self.close_chunk();
        other.close_chunk();
        if other.records == 0 {
            return;
        }
        for (bin, chunks) in other.bins {
            let chunks = chunks.into_iter().map(|(first, behind)| (first + shift, behind + shift));
            self.bins.entry(bin).or_default().extend(chunks);
        }
        if self.windows.len() < other.windows.len() {
            self.windows.resize(other.windows.len(), NONE);
        }
        for (mine, theirs) in self.windows.iter_mut().zip(other.windows) {
            if *mine == NONE && theirs != NONE {
                *mine = theirs + shift;
            }
        }
        if self.records == 0 {
            self.span.0 = other.span.0 + shift;
        }
        self.span.1 = other.span.1 + shift;
        self.records += other.records;
    }

    fn close_chunk(&mut self) {
        if let Some((bin, chunk)) = self.current.take() {
            self.bins.entry(bin).or_default().push(chunk);
        }
    }

    /// Moves the chunks of bins that span less than 64 KiB of the file into their parents, from the lowest level up,
    /// and joins chunks that share a block: a read costs a block anyway, and the index shrinks manifold.
    fn join_small_bins(&mut self, depth: u32) {
        for level in (1..=depth).rev() {
            let ids = bin_count(level - 1)..bin_count(level);
            let is_small =
                |bin: &u32, chunks: &mut Vec<Chunk>| ids.contains(bin) && file_span(chunks) < SMALL_BIN;
            let small: Vec<_> = self.bins.extract_if(is_small).collect();
            for (bin, chunks) in small {
                self.bins.entry((bin - 1) >> 3).or_default().extend(chunks);
            }
        }
        for chunks in self.bins.values_mut() {
            chunks.sort_unstable();
            chunks.dedup_by(|next, last| {
                let joins = next.0 >> 16 <= last.1 >> 16;
                if joins {
                    last.1 = last.1.max(next.1);
                }
                joins
            });
        }
    }

    fn write(mut self, scheme: Scheme, format: IndexFormat, bytes: &mut Vec<u8>) {
        self.close_chunk();
        // An empty window takes the offset of the next: nothing that overlaps it stands before that.
        let mut next = self.span.1;
        for offset in self.windows.iter_mut().rev() {
            if *offset == NONE {
                *offset = next;
            }
            next = *offset;
        }
        self.join_small_bins(scheme.depth);
        let mut bins: Vec<_> = std::mem::take(&mut self.bins).into_iter().collect();
        bins.sort_unstable();
        put_u32(bytes, bins.len() + usize::from(self.records > 0));
        for (bin, chunks) in bins {
            put_u32(bytes, bin as usize);
            if format == IndexFormat::Csi {
                let offset = self.windows.get(scheme.first_window(bin)).copied().unwrap_or(self.span.1);
                put_u64(bytes, offset);
            }
            put_chunks(bytes, &chunks);
        }
        if self.records > 0 {
            // The pseudo-bin behind all others: the contig's span, and its counts of mapped and unmapped records.
            put_u32(bytes, bin_count(scheme.depth) as usize + 1);
            if format == IndexFormat::Csi {
                put_u64(bytes, 0);
            }
            put_chunks(bytes, &[self.span, (self.records, 0)]);
        }
        if format == IndexFormat::Tbi {
            put_u32(bytes, self.windows.len());
            for offset in self.windows {
                put_u64(bytes, offset);
            }
        }
    }
}

/// Bytes of the file that a bin must span to be worth its place.
const SMALL_BIN: u64 = 1 << 16;

/// Bytes of the file from the first chunk's block to the last one's.
fn file_span(chunks: &[Chunk]) -> u64 {
    let first = chunks.iter().map(|chunk| chunk.0).min().unwrap_or(0);
    let behind = chunks.iter().map(|chunk| chunk.1).max().unwrap_or(0);
    (behind >> 16).saturating_sub(first >> 16)
}

/// Number of bins of all levels.
fn bin_count(depth: u32) -> u32 {
    ((1 << (3 * (depth + 1))) - 1) / 7
}

fn tabix_header(layout: TextLayout, names: &[String]) -> Vec<u8> {
    let (format, columns) = match layout {
        TextLayout::Bed => (0x10000, [1, 2, 3]),
        TextLayout::Vcf => (2, [1, 2, 0]),
    };
    let mut bytes = Vec::new();
    put_u32(&mut bytes, format);
    for column in columns {
        put_u32(&mut bytes, column);
    }
    put_u32(&mut bytes, usize::from(b'#'));
    put_u32(&mut bytes, 0);
    put_u32(&mut bytes, names.iter().map(|name| name.len() + 1).sum());
    for name in names {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
    }
    bytes
}

fn put_chunks(bytes: &mut Vec<u8>, chunks: &[Chunk]) {
    put_u32(bytes, chunks.len());
    for &(first, behind) in chunks {
        put_u64(bytes, first);
        put_u64(bytes, behind);
    }
}

fn put_u32(bytes: &mut Vec<u8>, value: usize) {
    bytes.extend_from_slice(&(value as u32).to_le_bytes());
}

fn put_u64(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bins_are_those_of_the_specification() {
        // SAM specification 5.3: bins 0, 1-8, 9-72, 73-584, 585-4680, 4681-37448; pseudo-bin 37450.
        for (start, end, bin) in [
            (0, 1 << 29, 0),
            (0, 1 << 26, 1),
            (1 << 26, (1 << 26) + (1 << 20), 73 + 64),
            (0, 1, 4681),
            ((1 << 29) - 1, 1 << 29, 37_448),
        ] {
            assert_eq!(Scheme::TBI.bin_of(start, end), bin, "{start}-{end}");
        }
        assert_eq!(bin_count(5) + 1, 37_450);
        let depth = |shift, length| Scheme::csi(shift, length).depth;
        let lengths = [0, 1 << 29, (1 << 29) + 1, u64::MAX];
        assert_eq!(lengths.map(|length| depth(14, length)), [5, 5, 6, 8]);
        assert_eq!([1, 8, 20, 30].map(|shift| depth(shift, 0)), [8, 7, 3, 0]);
    }

    #[test]
    fn what_cannot_be_indexed_is_refused() {
        let mut index = IndexBuilder::new(Scheme::TBI);
        index.begin_contig();
        assert_eq!(index.check(100, 200), Ok(()));
        assert_eq!(index.check(99, 200), Err(BinningError::Unsorted));
        assert_eq!(index.check(100, (1 << 29) + 1), Err(BinningError::TooFar { limit: 1 << 29 }));
        assert_eq!(index.check(100, u64::MAX), Err(BinningError::TooFar { limit: 1 << 29 }));
        assert_eq!(index.check(1 << 29, 0), Err(BinningError::TooFar { limit: 1 << 29 }));
        index.begin_contig();
        assert_eq!(index.check(0, 1 << 29), Ok(()));
    }

    proptest! {
        #[test]
        fn a_bin_begins_at_its_first_window(
            start in 0u64..1 << 29,
            length in 1u64..1 << 24,
            shift in 5u32..=20,
            depth in 5u32..=8,
        ) {
            let scheme = Scheme { shift, depth };
            let start = start.min(scheme.limit() - 1);
            let end = (start + length).min(scheme.limit());
            let window = scheme.first_window(scheme.bin_of(start, end)) as u64;
            prop_assert!(window <= start >> shift);
            prop_assert_eq!(scheme.first_window(scheme.bin_of(window << shift, end)) as u64, window);
        }
    }
}
