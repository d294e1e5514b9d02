//! Alignment files (BAM, CRAM, SAM) as streams of BAM records, whole or by region.
//!
//! BAM is read by our own reader, which inflates and walks the bytes once. CRAM and SAM go through htslib, whose CRAM
//! decoder is the reference one for 3.0 and 3.1; its records are laid out as BAM bytes, so that nothing above knows the
//! difference.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use thiserror::Error;

use super::alignment_index::AlignmentIndex;
use super::bam::{Record, RecordError};
use super::bam_reader::BamReader;
use super::bgzf::{BgzfError, BlockReader, EOF_MARKER, MAX_BLOCK_LENGTH};
use super::header::Header;
use super::hts_reader::HtsReader;

/// Why an alignment file could not be read.
#[derive(Debug, Error)]
pub enum AlignmentError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The compressed bytes are damaged.
    #[error(transparent)]
    Bgzf(#[from] BgzfError),
    /// Neither BAM, nor CRAM, nor SAM.
    #[error("not a BAM, CRAM or SAM file")]
    UnknownFormat,
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The header is damaged.
    #[error("the header is damaged: {0}")]
    BadHeader(String),
    /// A record is damaged.
    #[error("the record at virtual offset {position:#x} is damaged: {source}")]
    Record {
        /// Compressed offset << 16 | offset within the block.
        position: u64,
        /// What is wrong with it.
        source: RecordError,
    },
    /// The file does not end with the empty block that BAM ends with.
    #[error("the file has no end-of-file marker: it is probably truncated (copy it again)")]
    NoEofMarker,
    /// htslib could not decode a CRAM or SAM file.
    #[error("{0}")]
    Htslib(String),
    /// The index cannot be read.
    #[error("its index {path} cannot be read: {source}", path = path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A region was asked for where there is no index.
    #[error("it has no index (make one with: samtools index)")]
    NoIndex,
}

/// The format of an alignment file, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// BAM.
    Bam,
    /// CRAM.
    Cram,
    /// SAM, plain or compressed.
    Sam,
}

/// Which columns of a CRAM are decoded; BAM and SAM give all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Read names.
    pub names: bool,
    /// Bases.
    pub bases: bool,
    /// Qualities.
    pub qualities: bool,
    /// Auxiliary fields, `RG`, `NM` and `MD` among them.
    pub fields: bool,
}

/// An alignment file, opened: its header read, its index found.
pub struct AlignmentFile {
    path: PathBuf,
    format: Format,
    header: Header,
    reference: Option<PathBuf>,
    index: Option<AlignmentIndex>,
    size: Option<u64>,
    /// The reader that has decoded the header of a pipe, which cannot be opened twice.
    pipe: Mutex<Option<RecordReader>>,
}

impl AlignmentFile {
    /// Opens a file, or standard input where `path` is `-`. A named pipe is read as standard input is.
    pub fn open(path: &Path, reference: Option<&Path>) -> Result<Self, AlignmentError> {
        if path == Path::new("-") {
            return Self::open_pipe(path, io::stdin(), reference);
        }
        let mut source = File::open(path)?;
        let metadata = source.metadata()?;
        if !metadata.is_file() {
            return Self::open_pipe(path, source, reference);
        }
        let size = metadata.len();
        let format = format_of(&beginning(&mut source)?)?;
        let header = match format {
            Format::Bam => BamReader::new(Box::new(File::open(path)?))?.1,
            _ => HtsReader::header(path, reference)?,
        };
        if format == Format::Bam {
            check_eof_marker(path)?;
        }
        let index = if format == Format::Sam { None } else { AlignmentIndex::beside(path, format)? };
        let (reference, pipe) = (reference.map(Path::to_path_buf), Mutex::new(None));
        Ok(Self { path: path.into(), format, header, reference, index, size: Some(size), pipe })
    }

    /// Opens what can be read only once.
    fn open_pipe(
        path: &Path,
        mut source: impl Read + Send + 'static,
        reference: Option<&Path>,
    ) -> Result<Self, AlignmentError> {
        let beginning = beginning(&mut source)?;
        let format = format_of(&beginning)?;
        let all = io::Cursor::new(beginning).chain(source);
        let (reader, header) = match format {
            Format::Bam => {
                let (reader, header) = BamReader::of_stream(all)?;
                (RecordReader::Bam(reader), header)
            }
            _ => {
                let (reader, header) = HtsReader::pipe(all, reference)?;
                (RecordReader::Hts(reader), header)
            }
        };
        let (reference, pipe) = (reference.map(Path::to_path_buf), Mutex::new(Some(reader)));
        Ok(Self { path: path.into(), format, header, reference, index: None, size: None, pipe })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The index, where there is one beside the file.
    pub fn index(&self) -> Option<&AlignmentIndex> {
        self.index.as_ref()
    }

    /// Bytes of the file; unknown for a pipe.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// A reader of all records, in the file's order. Of a pipe there is only one.
    pub fn records(&self, columns: Columns) -> Result<RecordReader, AlignmentError> {
        match self.pipe.lock().map_or(None, |mut pipe| pipe.take()) {
            Some(RecordReader::Hts(mut reader)) => {
                reader.restrict(columns)?;
                Ok(RecordReader::Hts(reader))
            }
            Some(reader) => Ok(reader),
            None => self.open_reader(columns),
        }
    }

    /// A reader for regions; stands nowhere until [`RecordReader::fetch`] is called.
    pub fn region_reader(&self, columns: Columns) -> Result<RecordReader, AlignmentError> {
        if self.index.is_none() {
            return Err(AlignmentError::NoIndex);
        }
        match self.format {
            Format::Bam => self.open_reader(columns),
            _ => Ok(RecordReader::Hts(HtsReader::indexed(&self.path, self.reference.as_deref(), columns)?)),
        }
    }

    fn open_reader(&self, columns: Columns) -> Result<RecordReader, AlignmentError> {
        match self.format {
            Format::Bam => Ok(RecordReader::Bam(BamReader::new(Box::new(File::open(&self.path)?))?.0)),
            _ => Ok(RecordReader::Hts(HtsReader::open(&self.path, self.reference.as_deref(), columns)?)),
        }
    }
}

/// What a reader is to read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// Records that overlap the positions `start..end` (0-based, half-open) of a contig.
    Region {
        /// Index of the contig.
        contig: usize,
        /// First position.
        start: u32,
        /// One past the last.
        end: u32,
    },
    /// Records without a position, at the file's end.
    Unplaced,
}

/// Reads records, one at a time.
pub enum RecordReader {
    /// BAM.
    Bam(BamReader),
    /// CRAM and SAM.
    Hts(HtsReader),
}

impl RecordReader {
    /// The next record; `None` after the last. Records of a region may come with some that lie before it.
    #[inline]
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, AlignmentError> {
        match self {
            RecordReader::Bam(reader) => reader.next_record(),
            RecordReader::Hts(reader) => reader.next_record(),
        }
    }

    /// The record that [`Self::next_record`] gave last; `None` before the first.
    #[inline]
    pub fn newest(&self) -> Result<Option<Record<'_>>, AlignmentError> {
        match self {
            RecordReader::Bam(reader) => reader.newest(),
            RecordReader::Hts(reader) => reader.newest(),
        }
    }

    /// Goes to a region of `file`, from which this reader was made.
    pub fn fetch(&mut self, file: &AlignmentFile, what: Fetch) -> Result<(), AlignmentError> {
        match self {
            RecordReader::Bam(reader) => {
                let index = file.index.as_ref().ok_or(AlignmentError::NoIndex)?;
                reader.set_chunks(index.chunks(what)?)
            }
            RecordReader::Hts(reader) => reader.fetch(what),
        }
    }

    /// How many bytes of the file have been read, where that is known.
    pub fn offset(&self) -> u64 {
        match self {
            RecordReader::Bam(reader) => reader.offset(),
            RecordReader::Hts(_) => 0,
        }
    }
}

/// The first bytes of a source, enough for a whole BGZF block.
fn beginning(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    source.take(MAX_BLOCK_LENGTH as u64).read_to_end(&mut beginning)?;
    Ok(beginning)
}

fn format_of(beginning: &[u8]) -> Result<Format, AlignmentError> {
    match beginning {
        [] => Err(AlignmentError::Empty),
        [b'C', b'R', b'A', b'M', ..] => Ok(Format::Cram),
        [0x1f, 0x8b, ..] => Ok(compressed_format_of(beginning)),
        [b'@', a, b, b'\t', ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Format::Sam),
        _ => Err(AlignmentError::UnknownFormat),
    }
}

/// Compressed SAM begins like BAM; what the first block holds tells them apart. What is gzip but not BGZF goes to htslib
/// as SAM does.
fn compressed_format_of(beginning: &[u8]) -> Format {
    let mut first = Vec::new();
    match BlockReader::new(beginning, 0).append_block(&mut first) {
        Err(BgzfError::NotBgzf { .. }) => Format::Sam,
        Ok(_) if first.first() == Some(&b'@') => Format::Sam,
        _ => Format::Bam,
    }
}

fn check_eof_marker(path: &Path) -> Result<(), AlignmentError> {
    use std::io::{Seek, SeekFrom};
    let mut file = File::open(path)?;
    let mut tail = [0; EOF_MARKER.len()];
    let complete = file.seek(SeekFrom::End(-(EOF_MARKER.len() as i64))).is_ok()
        && file.read_exact(&mut tail).is_ok()
        && tail == EOF_MARKER;
    if complete { Ok(()) } else { Err(AlignmentError::NoEofMarker) }
}
