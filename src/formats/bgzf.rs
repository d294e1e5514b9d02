//! BGZF, read: gzip members of at most 64 KiB with their size in the header (SAMv1 section 4.1).
//!
//! [`BlockReader`] appends one inflated block after another to the caller's buffer, so that records that span blocks are
//! whole there without another copy. Inflating and the CRC are libdeflate's: as fast as `bgzip -dc`.

use std::io::{self, Read, Seek, SeekFrom};

use libdeflater::{Crc, Decompressor};
use thiserror::Error;

/// A block, inflated, is at most this long.
pub const MAX_BLOCK_LENGTH: usize = 1 << 16;

/// The empty block that ends a complete file.
pub const EOF_MARKER: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0, 0, 0, 0,
    0, 0, 0, 0,
];

const BUFFER_LENGTH: usize = 1 << 18;
const FIXED_HEADER: usize = 12;
const TRAILER: usize = 8;

/// Why a BGZF file could not be read; `offset` is the compressed offset of the block.
#[derive(Debug, Error)]
pub enum BgzfError {
    /// The file system failed.
    #[error("cannot read at byte {offset}: {source}")]
    Io {
        /// Compressed offset.
        offset: u64,
        /// The cause.
        source: io::Error,
    },
    /// No gzip header, or one without BGZF's `BC` field.
    #[error("no BGZF block at byte {offset}: the file is damaged or not BGZF")]
    NotBgzf {
        /// Compressed offset.
        offset: u64,
    },
    /// The file ends within a block.
    #[error("the file is truncated: it ends within the block at byte {offset}")]
    Truncated {
        /// Compressed offset.
        offset: u64,
    },
    /// The block does not inflate, or to another length than it says.
    #[error("the block at byte {offset} is corrupt: it does not inflate")]
    Inflate {
        /// Compressed offset.
        offset: u64,
    },
    /// The block inflates to bytes with another checksum.
    #[error("the block at byte {offset} is corrupt: its CRC-32 differs")]
    Checksum {
        /// Compressed offset.
        offset: u64,
    },
}

/// Reads BGZF blocks in order.
pub struct BlockReader<R> {
    inner: R,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    /// Compressed offset of `buffer[begin]`, the next block.
    offset: u64,
    last_was_empty: bool,
    inflater: Decompressor,
}

impl<R: Read> BlockReader<R> {
    /// Reads from `inner`, which stands at a block's first byte, the file's `offset`.
    pub fn new(inner: R, offset: u64) -> Self {
        let (begin, end) = (0, 0);
        let buffer = vec![0; BUFFER_LENGTH];
        Self { inner, buffer, begin, end, offset, last_was_empty: false, inflater: Decompressor::new() }
    }

    /// Compressed offset of the block that [`Self::append_block`] reads next.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the last block was empty, as at the end of a complete file.
    pub fn ended_with_marker(&self) -> bool {
        self.last_was_empty
    }

    /// Appends the next block's bytes to `out`. `false` at the end of the file.
    pub fn append_block(&mut self, out: &mut Vec<u8>) -> Result<bool, BgzfError> {
        let offset = self.offset;
        if !self.fill(FIXED_HEADER)? {
            return if self.begin == self.end { Ok(false) } else { Err(BgzfError::Truncated { offset }) };
        }
        let extra = {
            let head = &self.buffer[self.begin..];
            if head[..4] != EOF_MARKER[..4] {
                return Err(BgzfError::NotBgzf { offset });
            }
            usize::from(u16::from_le_bytes([head[10], head[11]]))
        };
        if !self.fill(FIXED_HEADER + extra)? {
            return Err(BgzfError::Truncated { offset });
        }
        let size = block_size(&self.buffer[self.begin + FIXED_HEADER..][..extra])
            .filter(|size| *size >= FIXED_HEADER + extra + TRAILER)
            .ok_or(BgzfError::NotBgzf { offset })?;
        if !self.fill(size)? {
            return Err(BgzfError::Truncated { offset });
        }
        let block = &self.buffer[self.begin..self.begin + size];
        let (body, trailer) = block[FIXED_HEADER + extra..].split_at(size - FIXED_HEADER - extra - TRAILER);
        let checksum = u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
        let length = u32::from_le_bytes([trailer[4], trailer[5], trailer[6], trailer[7]]) as usize;
        if length > MAX_BLOCK_LENGTH {
            return Err(BgzfError::Inflate { offset });
        }
        let at = out.len();
        out.resize(at + length, 0);
        match self.inflater.deflate_decompress(body, &mut out[at..]) {
            Ok(n) if n == length => {}
            _ => return Err(BgzfError::Inflate { offset }),
        }
        let mut crc = Crc::new();
        crc.update(&out[at..]);
        if crc.sum() != checksum {
            return Err(BgzfError::Checksum { offset });
        }
        self.last_was_empty = length == 0;
        self.begin += size;
        self.offset += size as u64;
        Ok(true)
    }

    /// Makes `wanted` bytes stand in the buffer; `false` where the file ends before.
    fn fill(&mut self, wanted: usize) -> Result<bool, BgzfError> {
        if self.end - self.begin >= wanted {
            return Ok(true);
        }
        self.buffer.copy_within(self.begin..self.end, 0);
        (self.begin, self.end) = (0, self.end - self.begin);
        while self.end < wanted {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(n) => self.end += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(BgzfError::Io { offset: self.offset, source }),
            }
        }
        Ok(true)
    }
}

impl<R: Read + Seek> BlockReader<R> {
    /// Goes to the block at this compressed offset.
    pub fn seek(&mut self, offset: u64) -> Result<(), BgzfError> {
        let ahead = offset.wrapping_sub(self.offset);
        if offset >= self.offset && ahead <= (self.end - self.begin) as u64 {
            self.begin += ahead as usize;
        } else {
            self.inner.seek(SeekFrom::Start(offset)).map_err(|source| BgzfError::Io { offset, source })?;
            (self.begin, self.end) = (0, 0);
        }
        self.offset = offset;
        Ok(())
    }
}

/// BSIZE + 1 out of the `BC` subfield of a gzip extra field.
fn block_size(mut extra: &[u8]) -> Option<usize> {
    while let Some((&[id1, id2, low, high], rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([low, high]));
        let field = rest.get(..length)?;
        if (id1, id2, length) == (b'B', b'C', 2) {
            return Some(usize::from(u16::from_le_bytes([field[0], field[1]])) + 1);
        }
        extra = &rest[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use noodles::bgzf;
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        let mut writer = bgzf::io::Writer::new(Vec::new());
        writer.write_all(bytes).expect("in memory");
        writer.finish().expect("in memory")
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>, BgzfError> {
        let mut reader = BlockReader::new(Cursor::new(bytes), 0);
        let mut out = Vec::new();
        while reader.append_block(&mut out)? {}
        Ok(out)
    }

    proptest! {
        #[test]
        fn what_noodles_writes_is_read_back(bytes in proptest::collection::vec(0u8..4, 0..300_000)) {
            prop_assert_eq!(read(&compressed(&bytes)).expect("valid"), bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
            let _ = read(&[&EOF_MARKER[..10], &bytes].concat());
        }
    }

    #[test]
    fn damage_is_named_with_its_offset() {
        let good = compressed(&vec![7; 100_000]);
        let first = usize::from(u16::from_le_bytes([good[16], good[17]])) + 1;
        let mut bad_crc = good.clone();
        bad_crc[first - 6] ^= 1;
        assert!(matches!(read(&bad_crc), Err(BgzfError::Checksum { offset: 0 })));
        assert!(
            matches!(read(&good[..first + 9]), Err(BgzfError::Truncated { offset }) if offset == first as u64)
        );
        assert!(matches!(read(&good[..first - 3]), Err(BgzfError::Truncated { offset: 0 })));
        assert!(matches!(read(b"BAM\x01 not compressed"), Err(BgzfError::NotBgzf { offset: 0 })));
    }

    #[test]
    fn the_end_marker_is_seen_and_missed() {
        let good = compressed(b"x");
        for (bytes, marker) in [(&good[..], true), (&good[..good.len() - EOF_MARKER.len()], false)] {
            let mut reader = BlockReader::new(bytes, 0);
            while reader.append_block(&mut Vec::new()).expect("valid") {}
            assert_eq!(reader.ended_with_marker(), marker);
        }
    }
}
