//! VCF and BCF, plain, gzipped or BGZF, as a header and batches of whole records.
//!
//! One thread reads and inflates; what a batch holds is for the threads that work on it. Regions go through the `.tbi`
//! or `.csi` beside the file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};
use thiserror::Error;

use super::bcf::{self, BcfError, Dictionary};
use super::header::{Header, HeaderError};
use super::index::{Chunk, VariantIndex};
use super::record::{Record, RecordError};
use crate::formats::bgzf::{BgzfError, BlockReader};

/// A batch takes about so many bytes, if nobody wants another size.
const BATCH_BYTES: usize = 1 << 20;
/// A header may be this long: cohorts of 500,000 samples take 10 MB.
const MAX_HEADER: usize = 1 << 30;
/// A record may be this long.
const MAX_RECORD: usize = 1 << 31;

/// Why variants could not be read; every message names its file.
#[derive(Debug, Error)]
#[error("{path}: {source}", path = path.display())]
pub struct VariantError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: VariantProblem,
}

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum VariantProblem {
    /// The file system failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The compressed bytes are damaged.
    #[error(transparent)]
    Bgzf(#[from] BgzfError),
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The header cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// BCF's bytes are not as they must be.
    #[error("the BCF is damaged: {0}")]
    Bcf(String),
    /// The header or a record is longer than is taken.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A region was asked for where there is no index.
    #[error("regions (-r) need an index (make one with: norn variants index)")]
    NoIndex,
    /// The index cannot be read.
    #[error("its index {path} cannot be read: {source}", path = path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// The form of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines of text.
    Text,
    /// BCF 2.
    Bcf,
}

/// Whole records.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Lines with their ends, or BCF records with their two lengths.
    pub bytes: Vec<u8>,
    /// The number of the first line in the file, from 1; of BCF the number of the first record. Unknown (0) in regions.
    pub first: u64,
    /// Where BGZF blocks begin: place among the bytes (that of the first may be before them, as a number below 0), and
    /// compressed offset. The last begins behind the bytes or holds them. Empty where that was not asked for.
    pub blocks: Vec<(i64, u64)>,
}

/// What is wrong with a record of a batch.
#[derive(Debug, Error)]
pub enum BatchProblem {
    /// A line is no record.
    #[error("line {line}: {source}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        source: RecordError,
    },
    /// A BCF record is damaged.
    #[error("record {number}: {source}")]
    Bcf {
        /// The record, from 1.
        number: u64,
        /// What is wrong.
        source: BcfError,
    },
}

impl Batch {
    /// Its records; a BCF's with the file's dictionary.
    ///
    /// # Errors
    /// A line is no record, or a BCF record is damaged.
    pub fn records(self, dictionary: Option<&Dictionary>) -> Result<Vec<Record>, BatchProblem> {
        let mut records = Vec::new();
        let failed = |line, source| BatchProblem::Line { line, source };
        if let Some(dictionary) = dictionary {
            let (mut lines, mut ends, mut begin) = (Vec::with_capacity(4 * self.bytes.len()), Vec::new(), 0);
            for (number, end) in (self.first..).zip(bcf_records(&self.bytes)) {
                let decoded = bcf::decode(&self.bytes[begin..end], dictionary, &mut lines);
                decoded.map_err(|source| BatchProblem::Bcf { number, source })?;
                ends.push(lines.len());
                begin = end;
            }
            let (lines, mut begin) = (Arc::new(lines), 0);
            for (number, end) in (self.first..).zip(ends) {
                let record = Record::of_batch(&lines, begin..end);
                records.push(record.map_err(|source| failed(number, source))?);
                begin = end;
            }
            return Ok(records);
        }
        let bytes = Arc::new(self.bytes);
        let (mut begin, mut number) = (0, self.first);
        for end in memchr_iter(b'\n', &bytes).chain([bytes.len()]) {
            let line = &bytes[begin..end];
            let length = line.len() - usize::from(line.last() == Some(&b'\r'));
            if length > 0 {
                let record = Record::of_batch(&bytes, begin..begin + length);
                records.push(record.map_err(|source| failed(number, source))?);
            }
            (begin, number) = (end + 1, number + 1);
        }
        Ok(records)
    }
}

/// Reads a file from its first record on, or those of regions.
pub struct VariantReader {
    path: PathBuf,
    source: Source,
    form: Form,
    header: Header,
    /// Of a BCF.
    dictionary: Option<Arc<Dictionary>>,
    /// Inflated and not given away.
    pending: Vec<u8>,
    next: u64,
    ended: bool,
    /// A batch that was looked at and not yet given away.
    peeked: Option<Batch>,
    /// A batch takes about so many bytes.
    batch: usize,
    /// Inflated bytes that were given away.
    given: u64,
    /// Blocks that are pending: where their bytes begin among all inflated ones, and compressed offsets.
    blocks: VecDeque<(u64, u64)>,
    notes_blocks: bool,
}

enum Source {
    Bgzf(BlockReader<Seekable>),
    Plain(Box<dyn Read + Send>),
    /// Stretches of a BGZF file by virtual offsets; each begins and ends with whole records.
    Chunks {
        blocks: BlockReader<Seekable>,
        chunks: VecDeque<Chunk>,
        /// Where the stretch that is being read ends.
        end: Option<u64>,
    },
}

/// A file, or a pipe with the bytes that were looked at already.
enum Seekable {
    File(File),
    Pipe(Box<dyn Read + Send>),
}

impl Read for Seekable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Pipe(pipe) => pipe.read(buffer),
        }
    }
}

impl Seek for Seekable {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Pipe(_) => Err(io::ErrorKind::NotSeekable.into()),
        }
    }
}

impl VariantReader {
    /// Opens a file, or standard input where `path` is `-`, and reads the header.
    ///
    /// # Errors
    /// It cannot be read, or is no VCF or BCF.
    pub fn open(path: &Path) -> Result<Self, VariantError> {
        Self::open_inner(path).map_err(|source| VariantError { path: path.to_owned(), source })
    }

    fn open_inner(path: &Path) -> Result<Self, VariantProblem> {
        let source = if path == Path::new("-") {
            let mut input = BufReader::with_capacity(1 << 18, io::stdin());
            let magic = input.fill_buf()?.iter().take(18).copied().collect::<Vec<_>>();
            Source::of(&magic, Seekable::Pipe(Box::new(input)))?
        } else {
            let mut file = File::open(path)?;
            let mut magic = Vec::new();
            Read::by_ref(&mut file).take(18).read_to_end(&mut magic)?;
            if file.seek(SeekFrom::Start(0)).is_ok() {
                Source::of(&magic, Seekable::File(file))?
            } else {
                let pipe = io::Cursor::new(magic.clone()).chain(file);
                Source::of(&magic, Seekable::Pipe(Box::new(pipe)))?
            }
        };
        let mut reader = Self {
            path: path.to_owned(),
            source,
            form: Form::Text,
            header: Header::default(),
            dictionary: None,
            pending: Vec::new(),
            next: 1,
            ended: false,
            peeked: None,
            batch: BATCH_BYTES,
            given: 0,
            blocks: VecDeque::new(),
            notes_blocks: false,
        };
        reader.read_header()?;
        Ok(reader)
    }

    /// Reads only what may lie in regions from here on, through the index beside the file: for each contig by name its
    /// regions, 0-based half-open. Records near a region come too; contigs come in the order given.
    ///
    /// # Errors
    /// There is no index, or the file cannot be sought in.
    pub fn restrict<'r>(
        &mut self,
        regions: impl Iterator<Item = (&'r [u8], Vec<(u64, u64)>)>,
    ) -> Result<(), VariantError> {
        self.restrict_inner(regions).map_err(|source| VariantError { path: self.path.clone(), source })
    }

    fn restrict_inner<'r>(
        &mut self,
        regions: impl Iterator<Item = (&'r [u8], Vec<(u64, u64)>)>,
    ) -> Result<(), VariantProblem> {
        let index = VariantIndex::beside(&self.path);
        let index = index.map_err(|(path, source)| VariantProblem::Index { path, source })?;
        let index = index.ok_or(VariantProblem::NoIndex)?;
        let mut chunks = VecDeque::new();
        for (contig, regions) in regions {
            let number = self.header.contig_number(contig);
            let found = index.chunks(contig, number, regions.into_iter());
            chunks
                .extend(found.map_err(|source| VariantProblem::Index { path: index.path.clone(), source })?);
        }
        let Source::Bgzf(blocks) = std::mem::replace(&mut self.source, Source::Plain(Box::new(io::empty())))
        else {
            return Err(VariantProblem::NoIndex);
        };
        self.source = Source::Chunks { blocks, chunks, end: None };
        self.pending.clear();
        self.blocks.clear();
        (self.next, self.ended, self.peeked) = (0, false, None);
        Ok(())
    }

    /// The first batch, which [`Self::next_batch`] will give again.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn peek(&mut self) -> Result<Option<&Batch>, VariantError> {
        if self.peeked.is_none() {
            self.peeked = self.next_batch()?;
        }
        Ok(self.peeked.as_ref())
    }

    /// Has batches take about so many bytes, where many files are read at once.
    pub fn set_batch(&mut self, bytes: usize) {
        self.batch = bytes;
    }

    /// Has batches tell where BGZF blocks begin.
    pub fn note_blocks(&mut self) {
        self.notes_blocks = true;
    }

    /// Whether a BGZF file ended with the empty block that says that it is complete.
    pub fn ended_with_marker(&self) -> bool {
        matches!(&self.source, Source::Bgzf(blocks) if blocks.ended_with_marker())
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The form of the records.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Whether the file is BGZF.
    pub fn is_compressed(&self) -> bool {
        !matches!(self.source, Source::Plain(_))
    }

    /// The numbers that a BCF has for names; `None` for text.
    pub fn dictionary(&self) -> Option<Arc<Dictionary>> {
        self.dictionary.clone()
    }

    /// Compressed bytes that have been read, where that is known.
    pub fn offset(&self) -> u64 {
        match &self.source {
            Source::Bgzf(blocks) | Source::Chunks { blocks, .. } => blocks.offset(),
            Source::Plain(_) => 0,
        }
    }

    /// The next batch; `None` after the last record.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, VariantError> {
        self.next_inner().map_err(|source| VariantError { path: self.path.clone(), source })
    }

    fn next_inner(&mut self) -> Result<Option<Batch>, VariantProblem> {
        if let Some(batch) = self.peeked.take() {
            return Ok(Some(batch));
        }
        let mut wanted = self.batch;
        loop {
            self.more(wanted)?;
            if self.pending.is_empty() {
                return Ok(None);
            }
            let end = match self.form {
                Form::Text if self.ended => Some(self.pending.len()),
                Form::Text => memrchr(b'\n', &self.pending).map(|at| at + 1),
                Form::Bcf => Some(whole_bcf_records(&self.pending)).filter(|end| *end > 0),
            };
            match end {
                Some(end) => {
                    let rest = self.pending.split_off(end);
                    let bytes = std::mem::replace(&mut self.pending, rest);
                    let first = self.next;
                    if self.next > 0 {
                        self.next += match self.form {
                            Form::Text => memchr_iter(b'\n', &bytes).count() as u64,
                            Form::Bcf => bcf_records(&bytes).count() as u64,
                        };
                    }
                    let blocks = self.blocks_of(bytes.len());
                    return Ok(Some(Batch { bytes, first, blocks }));
                }
                None if self.ended => return Err(VariantProblem::Bcf("it ends within a record".into())),
                // One record is longer than all that.
                None if wanted > MAX_RECORD => {
                    return Err(VariantProblem::TooLong { what: "a record", limit: MAX_RECORD });
                }
                None => wanted *= 2,
            }
        }
    }

    fn read_header(&mut self) -> Result<(), VariantProblem> {
        self.more(5)?;
        if self.pending.is_empty() {
            return Err(VariantProblem::Empty);
        }
        if self.pending.starts_with(b"BCF\x02") {
            self.form = Form::Bcf;
            if !self.more(9)? {
                return Err(VariantProblem::Bcf("it ends within the header".into()));
            }
            let length = u32_at(&self.pending, 5) as usize;
            if length > MAX_HEADER {
                return Err(VariantProblem::TooLong { what: "the header", limit: MAX_HEADER });
            }
            if !self.more(9 + length)? {
                return Err(VariantProblem::Bcf("it ends within the header".into()));
            }
            let text = &self.pending[9..9 + length];
            let text = text.strip_suffix(b"\0").unwrap_or(text);
            self.header = Header::parse(text)?;
            self.dictionary = Some(Arc::new(Dictionary::new(&self.header)));
            Dictionary::unnumber_lines(&mut self.header);
            self.pending.drain(..9 + length);
            self.given = 9 + length as u64;
            return Ok(());
        }
        // Up to the end of the line that does not begin with ##.
        let mut at = 0;
        loop {
            let Some(end) = memchr::memchr(b'\n', &self.pending[at..]).map(|end| at + end + 1) else {
                if self.pending.len() > MAX_HEADER {
                    return Err(VariantProblem::TooLong { what: "the header", limit: MAX_HEADER });
                }
                let have = self.pending.len();
                if !self.more(have + 1)? {
                    // The last line may lack its end.
                    self.header = Header::parse(&self.pending)?;
                    self.given = self.pending.len() as u64;
                    self.pending.clear();
                    return Ok(());
                }
                continue;
            };
            let is_meta = self.pending[at..end].starts_with(b"##");
            at = end;
            self.next += 1;
            if !is_meta {
                break;
            }
        }
        self.header = Header::parse(&self.pending[..at])?;
        self.pending.drain(..at);
        self.given = at as u64;
        Ok(())
    }

    /// Has so many bytes pending; false where the file ends before.
    fn more(&mut self, wanted: usize) -> Result<bool, VariantProblem> {
        while self.pending.len() < wanted && !self.ended {
            let (offset, before) = (self.offset(), self.pending.len());
            self.ended = !self.source.append(&mut self.pending)?;
            if self.pending.len() > before {
                self.blocks.push_back((self.given + before as u64, offset));
            }
        }
        Ok(self.pending.len() >= wanted)
    }

    /// So many bytes are given away: the blocks that they come from, and the one behind them.
    fn blocks_of(&mut self, length: usize) -> Vec<(i64, u64)> {
        let (from, to) = (self.given, self.given + length as u64);
        self.given = to;
        let behind = (to + self.pending.len() as u64, self.offset());
        let mut blocks = Vec::new();
        if self.notes_blocks {
            let all = self.blocks.iter().copied().chain([behind]);
            let is_of_these = |(begin, _): &(u64, u64)| *begin <= to;
            blocks.extend(
                all.take_while(is_of_these).map(|(begin, offset)| (begin as i64 - from as i64, offset)),
            );
        }
        while self.blocks.get(1).is_some_and(|(begin, _)| *begin <= to) {
            self.blocks.pop_front();
        }
        blocks
    }
}

impl Source {
    /// By the first bytes of the file.
    fn of(magic: &[u8], input: Seekable) -> Result<Self, VariantProblem> {
        let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
        let is_bgzf =
            is_gzip && magic.get(3).is_some_and(|flags| flags & 4 != 0) && magic.get(12..14) == Some(b"BC");
        Ok(match (is_gzip, is_bgzf) {
            (_, true) => Self::Bgzf(BlockReader::new(input, 0)),
            (true, false) => Self::Plain(Box::new(flate2::read::MultiGzDecoder::new(input))),
            (false, _) => Self::Plain(Box::new(input)),
        })
    }

    /// Appends what comes next; false at the end of the file.
    fn append(&mut self, out: &mut Vec<u8>) -> Result<bool, VariantProblem> {
        match self {
            Self::Bgzf(blocks) => Ok(blocks.append_block(out)?),
            Self::Plain(input) => {
                let n = input.take(1 << 18).read_to_end(out)?;
                Ok(n > 0)
            }
            Self::Chunks { blocks, chunks, end } => {
                let mut skip = 0;
                loop {
                    let last = match *end {
                        Some(last) => last,
                        None => {
                            let Some((from, to)) = chunks.pop_front() else { return Ok(false) };
                            blocks.seek(from >> 16)?;
                            skip = (from & 0xffff) as usize;
                            *end = Some(to);
                            to
                        }
                    };
                    let (block, begin) = (blocks.offset(), out.len());
                    let is_last = block == last >> 16;
                    if block > last >> 16 || is_last && last & 0xffff == 0 || !blocks.append_block(out)? {
                        *end = None;
                        continue;
                    }
                    if is_last {
                        out.truncate(out.len().min(begin + (last & 0xffff) as usize));
                        *end = None;
                    }
                    let skipped = begin + skip.min(out.len() - begin);
                    out.drain(begin..skipped);
                    return Ok(true);
                }
            }
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// The ends of the whole BCF records at the beginning of `bytes`.
pub fn bcf_records(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        if bytes.len() < at + 8 {
            return None;
        }
        let length = u64::from(u32_at(bytes, at)) + u64::from(u32_at(bytes, at + 4)) + 8;
        let end = usize::try_from(length).ok()?.checked_add(at)?;
        at = end;
        (end <= bytes.len()).then_some(end)
    })
}

fn whole_bcf_records(bytes: &[u8]) -> usize {
    bcf_records(bytes).last().unwrap_or(0)
}
