//! Writes BGZF: blocks cut every 65,280 bytes of input and where the caller says, deflated in parallel, in order,
//! by the pool that the caller is a thread of, or all threads, while the caller goes on.
//!
//! Block borders and bytes depend on the input, those cuts and the level only, never on threads or on how the input was
//! handed over; so streams that were written apart and cut at the seams are, one behind the other, the stream that one
//! writer gives. Source: SAM specification, section 4.1.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::mem;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver};

use libdeflater::{CompressionLvl, Compressor};

use crate::compute::stages;

/// Input bytes of each block but the last, as bgzip cuts them.
pub const BLOCK_CONTENT: usize = 65_280;

/// Effort of deflate, 0 (stored) to 12 (smallest).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// A level from 0 to 12; `None` above.
    pub fn new(level: u8) -> Option<Self> {
        (level <= 12).then_some(Self(level))
    }
}

impl Default for Level {
    /// 6, as in bgzip.
    fn default() -> Self {
        Self(6)
    }
}

/// A writer of BGZF over another. Must be [`finish`](Self::finish)ed: without that the last blocks and the
/// end-of-file marker are missing.
#[derive(Debug)]
pub struct BgzfWriter<W> {
    inner: W,
    level: CompressionLvl,
    /// Batches that the pool is deflating, in order.
    under_way: VecDeque<Receiver<io::Result<Deflated>>>,
    /// Content that is not compressed yet; begins at a block's border.
    pending: Vec<u8>,
    /// Where the caller has cut it.
    cuts: VecDeque<usize>,
    /// Offsets of all blocks written, and of the next: of its content, and of the block in the file.
    starts: Vec<(u64, u64)>,
    content: u64,
    finished: bool,
}

impl<W: Write> BgzfWriter<W> {
    /// A writer that has written nothing yet.
    pub fn new(inner: W, level: Level) -> Self {
        let level = CompressionLvl::new(i32::from(level.0)).unwrap_or_default();
        Self {
            inner,
            level,
            under_way: VecDeque::new(),
            pending: Vec::new(),
            cuts: VecDeque::new(),
            starts: vec![(0, 0)],
            content: 0,
            finished: false,
        }
    }

    /// What is written next begins a block.
    pub fn cut(&mut self) {
        let at = self.pending.len();
        if at > self.cuts.back().copied().unwrap_or(0) {
            self.cuts.push_back(at);
        }
    }

    /// Bytes of content taken so far: the uncompressed offset of what is written next.
    pub fn content_len(&self) -> u64 {
        self.content
    }

    /// Virtual position (block's offset in the file << 16 | offset in the block) of an uncompressed offset; `None`
    /// as long as the blocks before it and its own are not written. Behind the last byte of a block it is the next one.
    pub fn virtual_position(&self, offset: u64) -> Option<u64> {
        let behind = self.starts.partition_point(|(content, _)| *content <= offset);
        let &(content, start) = self.starts.get(behind.checked_sub(1)?)?;
        let is_written = behind < self.starts.len() || offset == content;
        is_written.then_some((start << 16) | (offset - content))
    }

    /// Takes blocks that another writer has made of this much content, as they are; both streams are cut there.
    ///
    /// # Errors
    /// Writing fails.
    pub fn append_blocks(&mut self, blocks: &[u8], content: u64) -> io::Result<()> {
        self.write_pending()?;
        self.inner.write_all(blocks)?;
        let (from, start) = self.starts.last().copied().unwrap_or_default();
        self.content = from + content;
        self.starts.push((self.content, start + blocks.len() as u64));
        Ok(())
    }

    /// Bytes written to the writer below.
    pub fn compressed_len(&self) -> u64 {
        self.starts.last().map_or(0, |(_, start)| *start)
    }

    /// Writes what is pending, so that the stream is cut here.
    ///
    /// # Errors
    /// Writing fails.
    pub fn write_pending(&mut self) -> io::Result<()> {
        self.deflate(true)?;
        self.write_deflated(0)
    }

    /// Writes what is pending and the end-of-file marker. Nothing may be written afterwards.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(&mut self) -> io::Result<()> {
        if !self.finished {
            self.write_pending()?;
            self.inner.write_all(&END_OF_FILE)?;
            self.finished = true;
        }
        Ok(())
    }

    /// The writer below, which lacks what is pending.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// The writer below; [`finish`](Self::finish) first.
    pub fn into_inner(self) -> W {
        self.inner
    }

    /// Hands whole blocks of what is pending, or all of it, to the pool.
    fn deflate(&mut self, all: bool) -> io::Result<()> {
        let pieces = self.pieces(all);
        let Some(length) = pieces.last().map(|piece| piece.end) else { return Ok(()) };
        let rest = self.pending.split_off(length);
        let content = mem::replace(&mut self.pending, rest);
        while self.cuts.front().is_some_and(|cut| *cut <= length) {
            self.cuts.pop_front();
        }
        self.cuts.iter_mut().for_each(|cut| *cut -= length);
        let level = self.level;
        if all && self.under_way.is_empty() && pieces.len() <= ALONE_TO {
            return self.write_batch(Deflated::new(&content, &pieces, level)?);
        }
        self.write_deflated(2 * rayon::current_num_threads() - 1)?;
        let (sender, receiver) = mpsc::channel();
        rayon::spawn_fifo(move || {
            // The receiver is gone only when the file was given up.
            let _ = sender.send(Deflated::new(&content, &pieces, level));
        });
        self.under_way.push_back(receiver);
        Ok(())
    }

    /// Writes what is deflated, and waits until no more than so many batches are under way.
    fn write_deflated(&mut self, limit: usize) -> io::Result<()> {
        while let Some(first) = self.under_way.front() {
            let found =
                if self.under_way.len() > limit { stages::receive(first) } else { first.try_recv().ok() };
            match found {
                Some(batch) => {
                    self.under_way.pop_front();
                    self.write_batch(batch?)?;
                }
                None if self.under_way.len() > limit => return Err(io::Error::other("deflate was given up")),
                None => break,
            }
        }
        Ok(())
    }

    fn write_batch(&mut self, batch: Deflated) -> io::Result<()> {
        self.inner.write_all(&batch.bytes)?;
        for (content, length) in batch.lengths {
            let (from, start) = self.starts.last().copied().unwrap_or_default();
            self.starts.push((from + content as u64, start + length as u64));
        }
        Ok(())
    }

    /// The content of each block that is due.
    fn pieces(&self, all: bool) -> Vec<Range<usize>> {
        let (mut pieces, mut from) = (Vec::new(), 0);
        for end in self.cuts.iter().copied().chain([self.pending.len()]) {
            let is_open = !all && !self.cuts.contains(&end);
            while from < end && (!is_open || end - from >= BLOCK_CONTENT) {
                let to = end.min(from + BLOCK_CONTENT);
                pieces.push(from..to);
                from = to;
            }
        }
        pieces
    }
}

impl<W: Write> Write for BgzfWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.finished {
            return Err(io::Error::other("the BGZF stream is finished"));
        }
        if self.pending.len() >= BATCH {
            self.deflate(false)?;
        }
        let taken = bytes.len().min(BATCH - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        self.content += taken as u64;
        Ok(taken)
    }

    /// Flushes the writer below; pending content stays, because blocks end where the bytes say and nowhere else.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Content deflated at a time: 16 blocks, 1 MB.
const BATCH: usize = 16 * BLOCK_CONTENT;
/// As many blocks that are all there is cost less than handing them over.
const ALONE_TO: usize = 4;

const HEADER_LEN: usize = 18;
const TRAILER_LEN: usize = 8;

/// An empty block, which marks that the file is whole.
const END_OF_FILE: [u8; 28] =
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Blocks one behind the other.
struct Deflated {
    bytes: Vec<u8>,
    /// Of each block its content's and its own.
    lengths: Vec<(usize, usize)>,
}

impl Deflated {
    /// The blocks of these pieces of content.
    fn new(content: &[u8], pieces: &[Range<usize>], level: CompressionLvl) -> io::Result<Self> {
        let mut compressor = Compressor::new(level);
        let (mut bytes, mut lengths) = (Vec::new(), Vec::with_capacity(pieces.len()));
        for piece in pieces {
            let from = bytes.len();
            push_block(&mut compressor, &content[piece.clone()], &mut bytes)?;
            lengths.push((piece.len(), bytes.len() - from));
        }
        Ok(Self { bytes, lengths })
    }
}

/// Adds a BGZF block with this content.
fn push_block(compressor: &mut Compressor, content: &[u8], bytes: &mut Vec<u8>) -> io::Result<()> {
    let from = bytes.len();
    let bound = compressor.deflate_compress_bound(content.len());
    bytes.resize(from + HEADER_LEN + bound + TRAILER_LEN, 0);
    let block = &mut bytes[from..];
    let deflated = compressor
        .deflate_compress(content, &mut block[HEADER_LEN..HEADER_LEN + bound])
        .map_err(|error| io::Error::other(format!("deflate: {error:?}")))?;
    let length = HEADER_LEN + deflated + TRAILER_LEN;
    let size = u16::try_from(length - 1).map_err(|_| io::Error::other("a block grew past 64 KiB"))?;
    block[..16].copy_from_slice(&END_OF_FILE[..16]);
    block[16..HEADER_LEN].copy_from_slice(&size.to_le_bytes());
    let trailer = &mut block[HEADER_LEN + deflated..length];
    trailer[..4].copy_from_slice(&libdeflater::crc32(content).to_le_bytes());
    trailer[4..].copy_from_slice(&(content.len() as u32).to_le_bytes());
    bytes.truncate(from + length);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use noodles::bgzf;
    use proptest::prelude::*;

    use super::*;

    /// Bytes that deflate neither to nothing nor not at all; a multiplicative generator.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7u32;
        let step = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 28) as u8 * 17
        };
        std::iter::repeat_with(step).take(length).collect()
    }

    fn write(content: &[u8], piece: usize, level: u8) -> BgzfWriter<Vec<u8>> {
        let mut writer = BgzfWriter::new(Vec::new(), Level::new(level).unwrap());
        for piece in content.chunks(piece) {
            writer.write_all(piece).unwrap();
            writer.flush().unwrap();
        }
        writer.finish().unwrap();
        writer
    }

    #[test]
    fn content_comes_back_at_every_length_around_a_border() {
        for length in
            [0, 1, BLOCK_CONTENT - 1, BLOCK_CONTENT, BLOCK_CONTENT + 1, BATCH, BATCH + 1, 2 * BATCH + 99]
        {
            let content = noise(length);
            let bytes = write(&content, 100_000, 1).into_inner();
            let mut back = Vec::new();
            bgzf::io::Reader::new(bytes.as_slice()).read_to_end(&mut back).unwrap();
            assert!(back == content, "{length}");
            assert!(bytes.ends_with(&END_OF_FILE));
        }
    }

    #[test]
    fn streams_that_are_cut_at_their_seams_join_to_one() {
        let content = noise(BATCH + 9 * BLOCK_CONTENT);
        for seams in [&[0, 5, 5, 70_000][..], &[BLOCK_CONTENT, BATCH, BATCH + 1], &[content.len()]] {
            let mut whole = BgzfWriter::new(Vec::new(), Level::default());
            let mut joined = BgzfWriter::new(Vec::new(), Level::default());
            let mut from = 0;
            for to in seams.iter().copied().chain([content.len()]) {
                whole.cut();
                whole.write_all(&content[from..to]).unwrap();
                let mut part = BgzfWriter::new(Vec::new(), Level::default());
                part.write_all(&content[from..to]).unwrap();
                part.write_pending().unwrap();
                joined.append_blocks(&part.into_inner(), (to - from) as u64).unwrap();
                from = to;
            }
            whole.finish().unwrap();
            joined.finish().unwrap();
            for &seam in seams {
                let position = whole.virtual_position(seam as u64).unwrap();
                assert_eq!(joined.virtual_position(seam as u64), Some(position));
                assert_eq!(position & 0xffff, 0);
            }
            assert!(whole.into_inner() == joined.into_inner(), "{seams:?}");
        }
    }

    #[test]
    fn bytes_do_not_depend_on_threads_or_pieces() {
        let content = noise(BATCH + 5 * BLOCK_CONTENT + 3);
        let expected = write(&content, content.len(), 6).into_inner();
        for (threads, piece) in [(1, 1 << 20), (2, 777), (7, 65_280)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(|| write(&content, piece, 6)).into_inner() == expected, "{threads} {piece}");
        }
    }

    #[test]
    fn what_does_not_deflate_still_fits() {
        let content: Vec<u8> = (0u64..3 * BLOCK_CONTENT as u64)
            .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(n | 1) >> 56) as u8)
            .collect();
        for level in 0..=12 {
            let bytes = write(&content, 1 << 20, level).into_inner();
            let mut back = Vec::new();
            bgzf::io::Reader::new(bytes.as_slice()).read_to_end(&mut back).unwrap();
            assert!(back == content, "{level}");
        }
        assert_eq!(Level::new(13), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_virtual_position_leads_to_its_byte(length in 1usize..400_000, part in 0.0f64..1.0) {
            let content = noise(length);
            let writer = write(&content, 1 << 20, 1);
            let at = (length as f64 * part) as usize;
            let position = writer.virtual_position(at as u64).unwrap();
            prop_assert!(writer.virtual_position(length as u64).is_some());
            let bytes = writer.into_inner();
            let mut file = io::Cursor::new(&bytes);
            file.seek(SeekFrom::Start(position >> 16)).unwrap();
            let mut back = Vec::new();
            bgzf::io::Reader::new(file).read_to_end(&mut back).unwrap();
            prop_assert!(back[(position & 0xffff) as usize..] == content[at..]);
        }
    }
}
