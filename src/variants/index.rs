//! The index of a file that is there already (bcftools index): `.csi` or `.tbi`.
//!
//! One thread inflates; where records lie is read by many. Of a BCF nothing is decoded but the first 12 bytes of each record.

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::ThreadPool;
use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::compute::ordered::for_each_ordered;
use crate::formats::bgzf_writer::{BgzfWriter, Level};
use crate::formats::binning::{BinningError, IndexBuilder, Scheme, TextLayout};
use crate::formats::output::{AtomicFile, OutputError};
use crate::formats::vcf::extent;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::reader::{Batch, Form, VariantError, VariantReader, bcf_records};
use crate::formats::vcf::record::Record;
use crate::records::pipeline::PipelineError;

/// The kind of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `.csi` with windows of `1 << shift` bases.
    Csi {
        /// 1 to 30.
        shift: u32,
    },
    /// `.tbi`, of text alone.
    Tbi,
}

/// Why a file could not be indexed.
#[derive(Debug, Error)]
pub enum IndexingError {
    /// The file cannot be read.
    #[error(transparent)]
    Variant(#[from] VariantError),
    /// A line is no record.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The index cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Nothing else can be sought in.
    #[error("{}: only BGZF can be indexed (norn variants view -Oz makes it)", .0.display())]
    NotBgzf(PathBuf),
    /// The numbers of a BCF's contigs are in no `.tbi`.
    #[error("{}: a BCF has no .tbi, only a .csi", .0.display())]
    TbiOfBcf(PathBuf),
    /// The last block is not the empty one.
    #[error("{}: it lacks the block that ends a file and may be truncated (-f indexes it as it is)", .0.display())]
    Truncated(PathBuf),
    /// A record is not where it must be.
    #[error("{}, {place}: {what}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Contig and position.
        place: String,
        /// What is wrong.
        what: String,
    },
}

/// The positions in a file that has no contigs' lengths are below this.
const UNKNOWN_LENGTH: u64 = 1 << 31;

/// Makes the index of a file, `-` being standard input, and writes it. A file that may be truncated is indexed with `force`
/// alone.
///
/// # Errors
/// The file is damaged, not BGZF or not sorted, or the index cannot be written.
pub fn index(
    input: &Path,
    output: &Path,
    kind: Kind,
    force: bool,
    pool: &ThreadPool,
    tick: &dyn Fn(u64, u64),
) -> Result<(), IndexingError> {
    let mut reader = VariantReader::open(input)?;
    if !reader.is_compressed() {
        return Err(IndexingError::NotBgzf(input.to_owned()));
    }
    if reader.form() == Form::Bcf && kind == Kind::Tbi {
        return Err(IndexingError::TbiOfBcf(input.to_owned()));
    }
    reader.note_blocks();
    let scheme = match kind {
        Kind::Tbi => Scheme::TBI,
        Kind::Csi { shift } => Scheme::csi(shift, longest_contig(reader.header())),
    };
    let dictionary = reader.dictionary();
    let mut indexer = Indexer::new(input, scheme, dictionary.as_ref().map(|d| d.contig_count()));
    let mut offset = 0;
    let batches = std::iter::from_fn(|| {
        let batch = reader.next_batch().transpose();
        tick(reader.offset().saturating_sub(offset), 0);
        offset = reader.offset();
        batch
    });
    let is_binary = dictionary.is_some();
    let work = |batch: Result<Batch, VariantError>| {
        let batch = batch?;
        if is_binary { binary_records(input, &batch) } else { text_records(input, batch) }
    };
    let commit = |found: Found| {
        tick(0, found.records.len() as u64);
        let name = |contig: &Contig| match contig {
            Contig::Name(name) => String::from_utf8_lossy(name).into_owned(),
            Contig::Number(number) => {
                let name = dictionary.as_ref().and_then(|dictionary| dictionary.contig(*number));
                name.map_or(number.to_string(), |name| String::from_utf8_lossy(name).into_owned())
            }
        };
        indexer.take(found, &name)
    };
    for_each_ordered(pool, batches, work, commit)?;
    if !force && !reader.ended_with_marker() {
        return Err(IndexingError::Truncated(input.to_owned()));
    }
    write(output, &indexer.bytes(kind))?;
    Ok(())
}

fn longest_contig(header: &Header) -> u64 {
    let lengths = header.contigs().iter().map(|(_, length)| length.unwrap_or(UNKNOWN_LENGTH));
    lengths.max().unwrap_or(UNKNOWN_LENGTH)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let mut writer = BgzfWriter::new(AtomicFile::create(path)?, Level::default());
    let written = writer.write_all(bytes).and_then(|()| writer.finish());
    written.map_err(|source| OutputError { path: path.to_owned(), source })?;
    writer.into_inner().commit()
}

/// A contig as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Contig {
    /// In text.
    Name(Vec<u8>),
    /// In BCF.
    Number(usize),
}

/// A record's positions, 0-based half-open, and virtual offsets.
struct Placed {
    positions: Range<u64>,
    offsets: Range<u64>,
}

/// The records of a batch.
#[derive(Default)]
struct Found {
    /// Contigs in the order of the records, each with where its records begin.
    contigs: Vec<(Contig, usize)>,
    records: Vec<Placed>,
}

impl Found {
    fn add(&mut self, contig: Contig, positions: Range<u64>, offsets: Range<u64>) {
        if self.contigs.last().is_none_or(|(last, _)| *last != contig) {
            self.contigs.push((contig, self.records.len()));
        }
        self.records.push(Placed { positions, offsets });
    }
}

/// Virtual offsets of ascending places of a batch.
struct Offsets<'b> {
    blocks: &'b [(i64, u64)],
}

impl Offsets<'_> {
    fn of(&mut self, place: usize) -> u64 {
        let place = place as i64;
        while let [_, next, ..] = self.blocks
            && next.0 <= place
        {
            self.blocks = &self.blocks[1..];
        }
        self.blocks.first().map_or(0, |(begin, offset)| offset << 16 | (place - begin) as u64)
    }
}

fn text_records(path: &Path, batch: Batch) -> Result<Found, IndexingError> {
    let bytes = Arc::new(batch.bytes);
    let mut offsets = Offsets { blocks: &batch.blocks };
    let mut found = Found::default();
    let mut from = 0;
    let ends = memchr::memchr_iter(b'\n', &bytes).map(|end| end + 1);
    for (number, end) in (batch.first..).zip(ends.chain([bytes.len()])) {
        let line = bytes[from..end].trim_ascii_end();
        if line.is_empty() || line[0] == b'#' {
            from = end;
            continue;
        }
        let record = Record::of_batch(&bytes, from..from + line.len())
            .map_err(|source| PipelineError::Line { path: path.to_owned(), line: number, source })?;
        let start = u64::try_from(record.position()).unwrap_or(0);
        let stop = u64::try_from(extent::end(&record)).unwrap_or(0).max(start + 1);
        let first = offsets.of(from);
        found.add(Contig::Name(record.chrom().to_vec()), start..stop, first..offsets.of(end));
        from = end;
    }
    Ok(found)
}

fn binary_records(path: &Path, batch: &Batch) -> Result<Found, IndexingError> {
    let mut offsets = Offsets { blocks: &batch.blocks };
    let mut found = Found::default();
    let mut from = 0;
    for (number, end) in (batch.first..).zip(bcf_records(&batch.bytes)) {
        let integer = |at: usize| {
            let bytes = batch.bytes.get(from + at..from + at + 4).filter(|_| from + at + 4 <= end)?;
            bytes.try_into().ok().map(i32::from_le_bytes)
        };
        let damaged = || IndexingError::Record {
            path: path.to_owned(),
            place: format!("record {number}"),
            what: "the BCF is damaged: its contig, position or length cannot be".into(),
        };
        let (Some(contig), Some(position), Some(length)) = (integer(8), integer(12), integer(16)) else {
            return Err(damaged());
        };
        let contig = usize::try_from(contig).map_err(|_| damaged())?;
        let start = u64::try_from(position).unwrap_or(0);
        let stop = start + u64::try_from(length).unwrap_or(0).max(1);
        let first = offsets.of(from);
        found.add(Contig::Number(contig), start..stop, first..offsets.of(end));
        from = end;
    }
    Ok(found)
}

/// The index as far as the file was read.
struct Indexer<'p> {
    path: &'p Path,
    builder: IndexBuilder,
    /// Contigs that have come, by their numbers in the index.
    numbers: FxHashMap<Contig, usize>,
    names: Vec<String>,
    current: Option<Contig>,
    /// Of a BCF, its contigs.
    contigs: Option<usize>,
}

impl<'p> Indexer<'p> {
    fn new(path: &'p Path, scheme: Scheme, contigs: Option<usize>) -> Self {
        let builder = match contigs {
            Some(contigs) => IndexBuilder::with_contigs(scheme, contigs),
            None => IndexBuilder::new(scheme),
        };
        let (numbers, names) = (FxHashMap::default(), Vec::new());
        Self { path, builder, numbers, names, current: None, contigs }
    }

    fn take(&mut self, found: Found, name: &dyn Fn(&Contig) -> String) -> Result<(), IndexingError> {
        let ends: Vec<usize> = found.contigs.iter().skip(1).map(|(_, begin)| *begin).collect();
        let ends = ends.into_iter().chain([found.records.len()]);
        let mut records = found.records.into_iter();
        for ((contig, begin), end) in found.contigs.into_iter().zip(ends) {
            let failed = |position: u64, what: String| IndexingError::Record {
                path: self.path.to_owned(),
                place: format!("{}:{}", name(&contig), position + 1),
                what,
            };
            let mut records = records.by_ref().take(end - begin).peekable();
            let position = records.peek().map_or(0, |record| record.positions.start);
            let number = match self.numbers.get(&contig) {
                Some(&number) if self.current.as_ref() == Some(&contig) => number,
                Some(_) => {
                    return Err(failed(
                        position,
                        "its contig's records are not together (norn variants sort)".into(),
                    ));
                }
                None => {
                    let number = match (&contig, self.contigs) {
                        (Contig::Number(number), Some(contigs)) if *number < contigs => {
                            self.builder.go_to_contig();
                            *number
                        }
                        (Contig::Number(_), _) => {
                            return Err(failed(position, "the header does not have its contig".into()));
                        }
                        (Contig::Name(_), _) => {
                            self.builder.begin_contig();
                            self.names.push(name(&contig));
                            self.names.len() - 1
                        }
                    };
                    self.numbers.insert(contig.clone(), number);
                    number
                }
            };
            for Placed { positions, offsets } in records {
                self.builder.check(positions.start, positions.end).map_err(|error| {
                    let what = match error {
                        BinningError::Unsorted => "the records are not sorted (norn variants sort)".into(),
                        error => error.to_string(),
                    };
                    failed(positions.start, what)
                })?;
                self.builder.add(number, positions.start, positions.end, offsets.start, offsets.end);
            }
            self.current = Some(contig);
        }
        Ok(())
    }

    fn bytes(self, kind: Kind) -> Vec<u8> {
        match kind {
            Kind::Tbi => self.builder.tbi(TextLayout::Vcf, &self.names),
            Kind::Csi { .. } => {
                self.builder.csi(self.contigs.is_none().then_some(TextLayout::Vcf), &self.names)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_virtual_offsets() {
        // By hand: the first block began 10 bytes before the batch, the next two hold it, the last is behind it.
        let mut offsets = Offsets { blocks: &[(-10, 100), (20, 200), (50, 300), (60, 400)] };
        for (place, block, within) in [(0, 100, 10), (19, 100, 29), (20, 200, 0), (55, 300, 5), (60, 400, 0)]
        {
            assert_eq!(offsets.of(place), block << 16 | within, "{place}");
        }
    }
}
