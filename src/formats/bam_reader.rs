//! Records out of a BAM file, one after another or those of a region, as views on the inflated bytes.

use std::io::{Read, Seek, SeekFrom};

use super::alignment::AlignmentError;
use super::bam::{Record, RecordError};
use super::bgzf::{BgzfError, BlockReader, MAX_BLOCK_LENGTH};
use super::header::Header;
use crate::genome::contigs::Contig;

/// No record may be longer: names, sequences and tags of the longest reads known take a few MB.
const MAX_RECORD_LENGTH: usize = 1 << 28;

/// Where the inflated bytes come from: a file, or a pipe that only goes forward.
pub(super) trait Source: Read + Send {
    /// Goes to a byte, where the source can.
    fn seek_to(&mut self, offset: u64) -> std::io::Result<u64>;
}

impl Source for std::fs::File {
    fn seek_to(&mut self, offset: u64) -> std::io::Result<u64> {
        self.seek(SeekFrom::Start(offset))
    }
}

/// What only goes forward.
struct Pipe<R>(R);

impl<R: Read> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read + Send> Source for Pipe<R> {
    fn seek_to(&mut self, _: u64) -> std::io::Result<u64> {
        Err(std::io::Error::from(std::io::ErrorKind::NotSeekable))
    }
}

struct SeekSource(Box<dyn Source>);

impl Read for SeekSource {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for SeekSource {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match to {
            SeekFrom::Start(offset) => self.0.seek_to(offset),
            _ => Err(std::io::Error::from(std::io::ErrorKind::Unsupported)),
        }
    }
}

/// A run of records between two virtual positions (compressed offset << 16 | offset within the block).
pub(super) type Chunk = (u64, u64);

/// Reads the records of a BAM file.
pub struct BamReader {
    blocks: BlockReader<SeekSource>,
    /// The unread tail of earlier blocks, then the newest block.
    slab: Vec<u8>,
    /// Index of the next record in `slab`.
    at: usize,
    /// Where the newest record stands in `slab`.
    newest: (usize, usize),
    /// Index in `slab` at which the newest block begins, and the block's compressed offset.
    block: (usize, u64),
    /// Virtual position of `slab[0]`, where it is of an earlier block.
    carried: u64,
    /// The chunks still to be read, the next one last; `None`: all of the file.
    chunks: Option<Vec<Chunk>>,
    chunk_end: u64,
}

impl BamReader {
    /// Reads a BAM that only goes forward, and decodes its header.
    ///
    /// # Errors
    /// It is no BAM, or damaged.
    pub fn of_stream(source: impl Read + Send + 'static) -> Result<(Self, Header), AlignmentError> {
        Self::new(Box::new(Pipe(source)))
    }

    /// Reads from a source that stands at the file's first byte, and decodes the header.
    pub(super) fn new(source: Box<dyn Source>) -> Result<(Self, Header), AlignmentError> {
        let mut reader = Self {
            blocks: BlockReader::new(SeekSource(source), 0),
            slab: Vec::with_capacity(4 * MAX_BLOCK_LENGTH),
            at: 0,
            newest: (0, 0),
            block: (0, 0),
            carried: 0,
            chunks: None,
            chunk_end: u64::MAX,
        };
        let header = reader.read_header()?;
        Ok((reader, header))
    }

    /// Restricts the reader to these chunks (ascending).
    pub(super) fn set_chunks(&mut self, mut chunks: Vec<Chunk>) -> Result<(), AlignmentError> {
        chunks.reverse();
        self.chunks = Some(chunks);
        self.chunk_end = 0;
        self.next_chunk().map(|_| ())
    }

    /// Compressed offset of the block read next: how far the reader has come.
    pub fn offset(&self) -> u64 {
        self.blocks.offset()
    }

    /// The next record; `None` after the last.
    #[inline]
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, AlignmentError> {
        if self.chunks.is_some() {
            while self.position() >= self.chunk_end {
                if !self.next_chunk()? {
                    return Ok(None);
                }
            }
        }
        if !self.has(4)? {
            return if self.at == self.slab.len() { self.at_end() } else { Err(self.cut_off()) };
        }
        let length = self.u32_here(0) as usize;
        if length > MAX_RECORD_LENGTH {
            return Err(
                self.bad_record(RecordError::Overrun { have: MAX_RECORD_LENGTH, need: length as u64 })
            );
        }
        if !self.has(4 + length)? {
            return Err(self.cut_off());
        }
        let from = self.at + 4;
        if let Err(error) = Record::new(&self.slab[from..from + length]) {
            return Err(self.bad_record(error));
        }
        self.at = from + length;
        self.newest = (from, self.at);
        self.newest()
    }

    /// The record that [`Self::next_record`] gave last; `None` before the first.
    #[inline]
    pub fn newest(&self) -> Result<Option<Record<'_>>, AlignmentError> {
        let (from, to) = self.newest;
        if from == to {
            return Ok(None);
        }
        Record::new(&self.slab[from..to])
            .map(Some)
            .map_err(|source| AlignmentError::Record { position: self.block.1 << 16, source })
    }

    /// Virtual position of the next record.
    #[inline]
    pub fn position(&self) -> u64 {
        if self.at >= self.block.0 {
            self.block.1 << 16 | (self.at - self.block.0) as u64
        } else {
            self.carried
        }
    }

    fn at_end(&self) -> Result<Option<Record<'_>>, AlignmentError> {
        if self.blocks.ended_with_marker() { Ok(None) } else { Err(AlignmentError::NoEofMarker) }
    }

    fn cut_off(&self) -> AlignmentError {
        AlignmentError::Bgzf(BgzfError::Truncated { offset: self.block.1 })
    }

    fn bad_record(&self, source: RecordError) -> AlignmentError {
        AlignmentError::Record { position: self.position(), source }
    }

    fn next_chunk(&mut self) -> Result<bool, AlignmentError> {
        let Some((start, end)) = self.chunks.as_mut().and_then(Vec::pop) else { return Ok(false) };
        self.blocks.seek(start >> 16)?;
        self.slab.clear();
        self.at = 0;
        self.block = (0, start >> 16);
        self.chunk_end = end;
        let within = (start & 0xffff) as usize;
        if within > 0 && (!self.has(within)? || within > self.slab.len()) {
            return Err(self.cut_off());
        }
        self.at = within;
        Ok(true)
    }

    #[inline]
    fn u32_here(&self, ahead: usize) -> u32 {
        let at = self.at + ahead;
        u32::from_le_bytes([self.slab[at], self.slab[at + 1], self.slab[at + 2], self.slab[at + 3]])
    }

    /// Makes `count` bytes stand after `at`; `false` where the file ends before.
    #[inline]
    fn has(&mut self, count: usize) -> Result<bool, AlignmentError> {
        if self.slab.len() - self.at >= count { Ok(true) } else { self.refill(count) }
    }

    #[cold]
    fn refill(&mut self, count: usize) -> Result<bool, AlignmentError> {
        while self.slab.len() - self.at < count {
            if self.at > 0 || self.slab.is_empty() {
                self.carried = self.position();
                self.slab.drain(..self.at);
                self.at = 0;
            }
            self.block = (self.slab.len(), self.blocks.offset());
            if !self.blocks.append_block(&mut self.slab)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn read_header(&mut self) -> Result<Header, AlignmentError> {
        let bad = |what: &str| AlignmentError::BadHeader(what.to_owned());
        if !self.has(8)? || &self.slab[self.at..self.at + 4] != b"BAM\x01" {
            return Err(bad("no BAM magic"));
        }
        let text_length = self.u32_here(4) as usize;
        self.at += 8;
        if text_length > MAX_RECORD_LENGTH || !self.has(text_length + 4)? {
            return Err(bad("its text reaches past the end of the file"));
        }
        let mut header = Header::parse(&self.slab[self.at..self.at + text_length])
            .map_err(|error| AlignmentError::BadHeader(error.to_string()))?;
        self.at += text_length;
        let count = self.u32_here(0);
        self.at += 4;
        let mut contigs = Vec::new();
        for _ in 0..count {
            let cut = || bad("its contig list reaches past the end of the file");
            if !self.has(4)? {
                return Err(cut());
            }
            let name_length = self.u32_here(0) as usize;
            if !(1..MAX_RECORD_LENGTH).contains(&name_length) || !self.has(8 + name_length)? {
                return Err(cut());
            }
            let name = &self.slab[self.at + 4..self.at + 3 + name_length];
            let name = String::from_utf8_lossy(name).into_owned();
            let length = self.u32_here(4 + name_length);
            if length > i32::MAX as u32 {
                return Err(bad("a contig is longer than 2^31-1"));
            }
            self.at += 8 + name_length;
            contigs.push(Contig { name, length, md5: None });
        }
        if header.contigs.is_empty() {
            header.contigs = contigs;
        } else if !header
            .contigs
            .iter()
            .map(|c| (&c.name, c.length))
            .eq(contigs.iter().map(|c| (&c.name, c.length)))
        {
            return Err(bad("its @SQ lines and its binary contig list differ"));
        }
        Ok(header)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;

    use super::*;
    use crate::formats::bgzf_writer::{BgzfWriter, Level};

    /// The contigs of a BAM with this content, and how many records it has; `None` where it is refused.
    fn read(content: &[u8]) -> Option<(Vec<Contig>, usize)> {
        let mut writer = BgzfWriter::new(Vec::new(), Level::default());
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        let (mut reader, header) = BamReader::of_stream(Cursor::new(writer.into_inner())).ok()?;
        let mut count = 0;
        while reader.next_record().ok()?.is_some() {
            count += 1;
        }
        Some((header.contigs, count))
    }

    /// Magic, text, and a binary list of contigs.
    fn header(text: &[u8], contigs: &[(&[u8], u32)]) -> Vec<u8> {
        let mut bytes = b"BAM\x01".to_vec();
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text);
        bytes.extend((contigs.len() as u32).to_le_bytes());
        for (name, length) in contigs {
            bytes.extend((name.len() as u32 + 1).to_le_bytes());
            bytes.extend(*name);
            bytes.push(0);
            bytes.extend(length.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn headers_are_read_or_refused() {
        // Expected: SAMv1 section 4.2.
        let text = b"@SQ\tSN:a\tLN:9\n";
        let lies = |at: usize, number: u32| {
            let mut bytes = header(text, &[(b"a", 9)]);
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            bytes
        };
        let count_at = 8 + text.len();
        for (bytes, expected) in [
            (header(text, &[(b"a", 9)]), Some(9)),
            (header(b"", &[(b"a", 7)]), Some(7)),
            (header(text, &[(b"a", 8)]), None),
            (header(text, &[]), None),
            (header(b"", &[(b"a", 1 << 31)]), None),
            (lies(4, u32::MAX), None),
            (lies(count_at, u32::MAX), None),
            (lies(count_at + 4, 0), None),
            (lies(count_at + 4, u32::MAX), None),
            (b"BAM\x02\0\0\0\0\0\0\0\0".to_vec(), None),
            (Vec::new(), None),
        ] {
            let found = read(&bytes).map(|(contigs, _)| contigs[0].length);
            assert_eq!(found, expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), small in proptest::collection::vec(0u8..6, 0..80)
        ) {
            let _ = read(&bytes);
            // Behind a magic, a good header, and with small numbers, which lead further.
            for tail in [&bytes, &small] {
                let _ = read(&[b"BAM\x01", &tail[..]].concat());
                let _ = read(&[&header(b"@SQ\tSN:a\tLN:9\n", &[(b"a", 9)]), &tail[..]].concat());
            }
        }

        #[test]
        fn no_text_makes_the_header_panic(text in "(@(HD|SQ|RG|CO)?[\t\n\rA-Z:0-9é]{0,20}){0,6}") {
            let _ = Header::parse(text.as_bytes());
            let _ = Header::parse(&text.as_bytes()[..text.len() / 2]);
        }
    }
}
