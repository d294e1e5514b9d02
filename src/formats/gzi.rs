//! Random access into a BGZF file by uncompressed offset, through a `.gzi` index or a walk over the block headers.
//!
//! For text that is fetched in slices (a compressed reference FASTA). Not for streaming, and not for virtual
//! positions: those belong to the alignment reader and the indexes.
//!
//! Sources: SAM specification section 4.1 (BGZF block layout); `bgzip(1)`, "GZI FORMAT".

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Why a BGZF file could not be read by offset. Offsets count bytes of the compressed file, from 0.
#[derive(Debug, thiserror::Error)]
pub enum GziError {
    /// The operating system refused a read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file that was read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is gzip without BGZF's block sizes, or not gzip at all at this offset.
    #[error("{path}: no BGZF block at byte {offset}; compress it with bgzip, not gzip", path = path.display())]
    NotBgzf {
        /// The compressed file.
        path: PathBuf,
        /// Where a block should begin.
        offset: u64,
    },
    /// A block does not inflate to what its trailer or the index says.
    #[error("{path}: corrupt BGZF block at byte {offset}: {what}", path = path.display())]
    Corrupt {
        /// The compressed file.
        path: PathBuf,
        /// Where the block begins.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The `.gzi` file contradicts itself or the file it belongs to.
    #[error("{path}: {what}; make it anew with bgzip --reindex", path = path.display())]
    BadIndex {
        /// The index file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

/// A BGZF file and the places of its blocks. Shareable between threads: every read has its own offset and buffers.
#[derive(Debug)]
pub struct BlockFile {
    file: File,
    path: PathBuf,
    /// Start of each block in the file, and the end of the last one.
    compressed: Vec<u64>,
    /// Uncompressed offset of each block, and the total length.
    uncompressed: Vec<u64>,
}

impl BlockFile {
    /// Opens a BGZF file with the `.gzi` beside it; without one, walks over the block headers (inflating nothing).
    ///
    /// # Errors
    /// The file is not BGZF, ends inside a block, or its index does not fit.
    pub fn open(path: &Path) -> Result<Self, GziError> {
        let io = |source| GziError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let (compressed, uncompressed) = read_index(path, length)?.unwrap_or((vec![0], vec![0]));
        let mut blocks = Self { file, path: path.to_owned(), compressed, uncompressed };
        blocks.walk_to_end(length)?;
        Ok(blocks)
    }

    /// Length of the uncompressed content in bytes.
    pub fn uncompressed_len(&self) -> u64 {
        self.uncompressed.last().copied().unwrap_or(0)
    }

    /// Inflates the blocks that hold uncompressed bytes `start..end` (0-based, half-open) into `out`, replacing its
    /// content, and returns where in `out` the byte `start` is. The range is clipped at the end of the content.
    ///
    /// # Errors
    /// A block is corrupt (header, length or CRC) or cannot be read.
    pub fn read_blocks(&self, start: u64, end: u64, out: &mut Vec<u8>) -> Result<usize, GziError> {
        let end = end.min(self.uncompressed_len());
        if start >= end {
            out.clear();
            return Ok(0);
        }
        let first = self.uncompressed.partition_point(|&offset| offset <= start) - 1;
        let last = self.uncompressed.partition_point(|&offset| offset < end);
        let raw_len = (self.compressed[last] - self.compressed[first]) as usize;
        let mut raw = vec![0; raw_len];
        self.file
            .read_exact_at(&mut raw, self.compressed[first])
            .map_err(|source| GziError::Io { path: self.path.clone(), source })?;
        out.resize((self.uncompressed[last] - self.uncompressed[first]) as usize, 0);

        let mut inflater = libdeflater::Decompressor::new();
        let mut target = out.as_mut_slice();
        for block in first..last {
            let at = (self.compressed[block] - self.compressed[first]) as usize;
            let size = (self.uncompressed[block + 1] - self.uncompressed[block]) as usize;
            let (piece, rest) = target.split_at_mut(size);
            let span = (self.compressed[block + 1] - self.compressed[block]) as usize;
            self.inflate(&mut inflater, &raw[at..at + span], self.compressed[block], piece)?;
            target = rest;
        }
        Ok((start - self.uncompressed[first]) as usize)
    }

    /// Adds the blocks from the last known one to the end of the file.
    fn walk_to_end(&mut self, length: u64) -> Result<(), GziError> {
        let mut at = self.compressed.last().copied().unwrap_or(0);
        let mut content = self.uncompressed_len();
        while at < length {
            let (block_len, size) = self.probe(at, length)?;
            at += block_len;
            content += size;
            self.compressed.push(at);
            self.uncompressed.push(content);
        }
        Ok(())
    }

    /// Lengths of the block at `at`: in the file and inflated.
    fn probe(&self, at: u64, length: u64) -> Result<(u64, u64), GziError> {
        let io = |source| GziError::Io { path: self.path.clone(), source };
        let mut head = [0; HEAD_MAX];
        let have = (length - at).min(HEAD_MAX as u64) as usize;
        self.file.read_exact_at(&mut head[..have], at).map_err(io)?;
        let Some((_, block_len)) = block_header(&head[..have]) else {
            return Err(GziError::NotBgzf { path: self.path.clone(), offset: at });
        };
        let block_len = block_len as u64;
        if at + block_len > length {
            return Err(self.corrupt(at, "the file ends inside it"));
        }
        let mut size = [0; 4];
        self.file.read_exact_at(&mut size, at + block_len - 4).map_err(io)?;
        let size = u64::from(u32::from_le_bytes(size));
        if size > MAX_BLOCK {
            return Err(self.corrupt(at, "it claims more than 64 KiB of content"));
        }
        Ok((block_len, size))
    }

    /// Inflates one block. `span` may hold further blocks if the index skips some; then the sizes disagree.
    fn inflate(
        &self,
        inflater: &mut libdeflater::Decompressor,
        span: &[u8],
        offset: u64,
        out: &mut [u8],
    ) -> Result<(), GziError> {
        let (header_len, block_len) =
            block_header(span).ok_or_else(|| GziError::NotBgzf { path: self.path.clone(), offset })?;
        if block_len != span.len() {
            return Err(self.corrupt(offset, "its length is not that of the index"));
        }
        let (body, trailer) = span[header_len..].split_at(block_len - header_len - TRAILER);
        let crc = u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
        match inflater.deflate_decompress(body, out) {
            Ok(written) if written != out.len() => {
                Err(self.corrupt(offset, "its content is shorter than stated"))
            }
            Ok(_) if libdeflater::crc32(out) != crc => Err(self.corrupt(offset, "the CRC differs")),
            Ok(_) => Ok(()),
            Err(_) => Err(self.corrupt(offset, "it does not inflate to the stated length")),
        }
    }

    fn corrupt(&self, offset: u64, what: &'static str) -> GziError {
        GziError::Corrupt { path: self.path.clone(), offset, what }
    }
}

/// Greatest content of one block in bytes.
const MAX_BLOCK: u64 = 1 << 16;
/// CRC and length after the deflate stream.
const TRAILER: usize = 8;
/// How much of a block is read to find its size; real headers are 18 bytes long.
const HEAD_MAX: usize = 256;

/// Length of the header and of the whole block, if `bytes` begins with a BGZF header that leaves room for a trailer.
fn block_header(bytes: &[u8]) -> Option<(usize, usize)> {
    let &[31, 139, 8, flags, _, _, _, _, _, _, x0, x1, ..] = bytes else { return None };
    if flags & 4 == 0 {
        return None;
    }
    let header_len = 12 + usize::from(u16::from_le_bytes([x0, x1]));
    let mut extra = bytes.get(12..header_len)?;
    while let &[id1, id2, l0, l1, ref rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        let value = rest.get(..length)?;
        if let (b'B', b'C', &[b0, b1]) = (id1, id2, value) {
            let block_len = usize::from(u16::from_le_bytes([b0, b1])) + 1;
            return (block_len >= header_len + TRAILER).then_some((header_len, block_len));
        }
        extra = &rest[length..];
    }
    None
}

/// Starts of blocks in the file and in the content.
type Places = (Vec<u64>, Vec<u64>);

/// Reads `FILE.gzi` if there is one, and checks it against the length of the compressed file.
fn read_index(data: &Path, length: u64) -> Result<Option<Places>, GziError> {
    let mut name = data.as_os_str().to_owned();
    name.push(".gzi");
    let path = PathBuf::from(name);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(GziError::Io { path, source }),
    };
    parse_index(&bytes, length).map(Some).map_err(|what| GziError::BadIndex { path, what })
}

fn parse_index(bytes: &[u8], length: u64) -> Result<Places, &'static str> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
    let count = words.next().ok_or("the index is empty")?;
    if !rest.is_empty() || count.checked_mul(2) != Some(words.len() as u64) {
        return Err("the index is not as long as it says");
    }
    let (mut compressed, mut uncompressed) = (vec![0], vec![0]);
    let (mut at, mut content) = (0, 0);
    while let (Some(next_at), Some(next_content)) = (words.next(), words.next()) {
        let in_order = next_at > at && next_at <= length && next_content >= content;
        if !in_order || next_at - at > MAX_BLOCK || next_content - content > MAX_BLOCK {
            return Err("the index does not fit the compressed file");
        }
        (at, content) = (next_at, next_content);
        compressed.push(at);
        uncompressed.push(content);
    }
    Ok((compressed, uncompressed))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use noodles::bgzf;
    use proptest::prelude::*;

    use super::*;

    fn compressed(content: &[u8], block: usize) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text.gz");
        let mut writer = bgzf::io::Writer::new(File::create(&path).unwrap());
        for piece in content.chunks(block) {
            writer.write_all(piece).unwrap();
            writer.flush().unwrap();
        }
        writer.finish().unwrap();
        (dir, path)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_range_reads_as_from_the_plain_text(
            content in prop::collection::vec(any::<u8>(), 1..5000), block in 1usize..900, a in 0u64..5200, b in 0u64..5200,
        ) {
            let (_dir, path) = compressed(&content, block);
            let blocks = BlockFile::open(&path).unwrap();
            prop_assert_eq!(blocks.uncompressed_len(), content.len() as u64);
            let (start, end) = (a.min(b), a.max(b));
            let mut out = vec![7; 3];
            let at = blocks.read_blocks(start, end, &mut out).unwrap();
            let expected = &content[(start as usize).min(content.len())..(end as usize).min(content.len())];
            prop_assert_eq!(&out[at..at + expected.len()], expected);
        }

        #[test]
        fn foreign_bytes_never_panic(content in prop::collection::vec(any::<u8>(), 0..400), flip in any::<u16>()) {
            let _ = parse_index(&content, 1 << 20);
            let _ = block_header(&content);
            let (_dir, path) = compressed(&content, 64);
            let mut bytes = std::fs::read(&path).unwrap();
            let at = usize::from(flip) % bytes.len();
            bytes[at] ^= 0x55;
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(blocks) = BlockFile::open(&path) {
                let _ = blocks.read_blocks(0, u64::MAX, &mut Vec::new());
            }
        }
    }

    #[test]
    fn a_flipped_bit_and_a_cut_end_are_told_with_their_place() {
        let (_dir, path) = compressed(&[b'A'; 3000], 1000);
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        bytes[20] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let error = BlockFile::open(&path).unwrap().read_blocks(0, 10, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, GziError::Corrupt { offset: 0, .. }), "{error}");
        std::fs::write(&path, &whole[..whole.len() - 30]).unwrap();
        assert!(matches!(BlockFile::open(&path), Err(GziError::Corrupt { .. })));
    }

    #[test]
    fn an_index_that_does_not_fit_is_refused() {
        let words = |words: &[u64]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>();
        for (name, bytes) in [
            ("empty", vec![]),
            ("count too great", words(&[u64::MAX, 1, 1])),
            ("half a word", vec![0; 9]),
            ("past the end", words(&[1, 500, 100])),
            ("backwards", words(&[2, 50, 100, 40, 200])),
            ("block too great", words(&[1, 50, 70_000])),
        ] {
            assert!(parse_index(&bytes, 400).is_err(), "{name}");
        }
        assert_eq!(parse_index(&words(&[1, 50, 100]), 400).unwrap(), (vec![0, 50], vec![0, 100]));
    }
}
