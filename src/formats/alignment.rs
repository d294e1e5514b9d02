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
use super::bam_reader::{BamReader, Pipe, Source};
use super::bgzf::{BgzfError, EOF_MARKER};
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
    pipe: Mutex<Option<BamReader>>,
}

impl AlignmentFile {
    /// Opens a file, or standard input where `path` is `-` (BAM, or SAM and CRAM through htslib).
    pub fn open(path: &Path, reference: Option<&Path>) -> Result<Self, AlignmentError> {
        let is_pipe = path == Path::new("-");
        let (format, source, size) = if is_pipe { sniff_pipe()? } else { sniff_file(path)? };
        let reference = reference.map(Path::to_path_buf);
        let mut file = Self {
            path: path.into(),
            format,
            header: Header::default(),
            reference,
            index: None,
            size,
            pipe: Mutex::new(None),
        };
        match source {
            Some(source) if format == Format::Bam => {
                let (reader, header) = BamReader::new(source)?;
                file.header = header;
                file.pipe = Mutex::new(is_pipe.then_some(reader));
            }
            _ => file.header = HtsReader::header(path, file.reference.as_deref())?,
        }
        if !is_pipe && format != Format::Sam {
            if format == Format::Bam {
                check_eof_marker(path)?;
            }
            file.index = AlignmentIndex::beside(path, format)?;
        }
        Ok(file)
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
            Some(reader) => Ok(RecordReader::Bam(reader)),
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

type Sniffed = (Format, Option<Box<dyn Source>>, Option<u64>);

fn sniff_file(path: &Path) -> Result<Sniffed, AlignmentError> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(18).read_to_end(&mut magic)?;
    let format = format_of(&magic)?;
    if format == Format::Bam {
        // Compressed SAM begins like BAM; what the first block holds tells them apart.
        let mut first = Vec::new();
        super::bgzf::BlockReader::new(File::open(path)?, 0).append_block(&mut first)?;
        if first.first() == Some(&b'@') {
            return Ok((Format::Sam, None, Some(size)));
        }
        return Ok((format, Some(Box::new(File::open(path)?)), Some(size)));
    }
    Ok((format, None, Some(size)))
}

fn sniff_pipe() -> Result<Sniffed, AlignmentError> {
    use std::io::BufRead;
    let mut input = io::BufReader::with_capacity(1 << 18, io::stdin());
    let format = format_of(input.fill_buf()?)?;
    if format != Format::Bam {
        return Err(AlignmentError::Htslib("only BAM can be read from standard input".into()));
    }
    Ok((format, Some(Box::new(Pipe(input))), None))
}

fn format_of(magic: &[u8]) -> Result<Format, AlignmentError> {
    match magic {
        [] => Err(AlignmentError::Empty),
        [b'C', b'R', b'A', b'M', ..] => Ok(Format::Cram),
        [0x1f, 0x8b, ..] => Ok(Format::Bam),
        [b'@', a, b, b'\t', ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Format::Sam),
        _ => Err(AlignmentError::UnknownFormat),
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
