//! One pass over variants: batches are read, worked on by many threads, and written in their order.
//!
//! A chain is a list of [`Part`]s. Those that look at one record at a time run on the pool; those that look at neighbours
//! see all records in order, on the calling thread. What comes out depends on the records and the chain alone.

use std::path::{Path, PathBuf};

use rayon::ThreadPool;
use thiserror::Error;

use crate::compute::stages::Stage;
use crate::formats::indexed::IndexedError;
use crate::formats::vcf::bcf::{BcfError, Dictionary};
use crate::formats::vcf::reader::{Batch, BatchProblem, VariantError, VariantReader};
use crate::formats::vcf::record::{Record, RecordError};
use crate::formats::vcf::writer::{Block, VariantWriter};

/// Work on one record at a time. Records are large, so they stay where they are.
pub trait Each: Send + Sync {
    /// Makes of a record what becomes of it; false where it is dropped. What is made beside it is put behind those of
    /// `more`, and follows it.
    ///
    /// # Errors
    /// The record is such that the command cannot go on.
    fn apply(&self, record: &mut Record, more: &mut Vec<Record>) -> Result<bool, RecordProblem>;
}

/// Work on one record that never makes several of it.
pub trait Revise: Send + Sync {
    /// Changes a record; false where it is dropped.
    ///
    /// # Errors
    /// The record is such that the command cannot go on.
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem>;
}

impl<R: Revise + ?Sized> Revise for std::sync::Arc<R> {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        (**self).revise(record)
    }
}

impl<R: Revise> Each for R {
    fn apply(&self, record: &mut Record, _: &mut Vec<Record>) -> Result<bool, RecordProblem> {
        self.revise(record)
    }
}

/// Work that needs the records in order.
pub trait Ordered: Send {
    /// Takes the records that follow and puts those that are done behind those of `out`.
    ///
    /// # Errors
    /// A record is such that the command cannot go on.
    fn push(&mut self, records: Vec<Record>, out: &mut Vec<Record>) -> Result<(), RecordProblem>;

    /// There are no more: puts the rest behind those of `out`.
    ///
    /// # Errors
    /// As [`Self::push`].
    fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem>;

    /// Whether records of different contigs have nothing to do with one another, and each contig's stand together, so
    /// that contigs can be worked on apart.
    fn is_by_contig(&self) -> bool {
        false
    }

    /// Whether [`Self::finish`] has given a part of the rest only, and is to be called again.
    fn has_more(&self) -> bool {
        false
    }
}

/// A part of a chain.
pub enum Part {
    /// One record at a time.
    Each(Box<dyn Each>),
    /// All records in order.
    Ordered(Box<dyn Ordered>),
}

/// What is wrong with a record, for messages that name its place.
#[derive(Debug, Error)]
#[error("{place}: {what}")]
pub struct RecordProblem {
    /// `contig:position`, or the line's number.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl RecordProblem {
    /// A problem with a record that was read.
    pub fn at(record: &Record, what: impl Into<String>) -> Self {
        let contig = String::from_utf8_lossy(record.chrom());
        Self { place: format!("{contig}:{}", record.position() + 1), what: what.into() }
    }
}

/// Why a pass ended early.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The input cannot be read.
    #[error(transparent)]
    Read(#[from] VariantError),
    /// A line is no record.
    #[error("{path}, line {line}: {source}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        source: RecordError,
    },
    /// A BCF record is damaged.
    #[error("{path}, record {number}: {source}", path = path.display())]
    Bcf {
        /// The file.
        path: PathBuf,
        /// The record, from 1.
        number: u64,
        /// What is wrong.
        source: BcfError,
    },
    /// A record cannot be worked on.
    #[error("{path}: {source}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: RecordProblem,
    },
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] IndexedError),
}

/// Makes output of records.
pub type Format<'f> = dyn Fn(&[Record]) -> Result<Block, RecordProblem> + Sync + 'f;

/// The records of a batch.
///
/// # Errors
/// A line is no record, or a BCF record is damaged.
pub fn records_of(
    path: &Path,
    batch: Batch,
    dictionary: Option<&Dictionary>,
) -> Result<Vec<Record>, PipelineError> {
    batch.records(dictionary).map_err(|problem| match problem {
        BatchProblem::Line { line, source } => PipelineError::Line { path: path.to_owned(), line, source },
        BatchProblem::Bcf { number, source } => PipelineError::Bcf { path: path.to_owned(), number, source },
    })
}

/// Runs a chain from a reader to a writer with the pool's threads.
///
/// Records are made and go through the steps before the first ordered part in one task, and through the steps behind the
/// last one and into their final form in another; without an ordered part, all in one.
///
/// # Errors
/// The input is bad, or the output cannot be written.
pub fn run(
    path: &Path,
    reader: &mut VariantReader,
    chain: Vec<Part>,
    format: &Format<'_>,
    writer: &mut VariantWriter,
    pool: &ThreadPool,
    tick: &dyn Fn(u64, u64),
) -> Result<(), PipelineError> {
    let (segments, mut ordered) = split(chain);
    let failed = |source| PipelineError::Record { path: path.to_owned(), source };
    let Some((last, segments)) = segments.split_last() else { return Ok(()) };
    let finish =
        |records: Vec<Record>| each(last, records).and_then(|records| format(&records)).map_err(failed);
    let dictionary = reader.dictionary();
    let read = |batch: Batch| records_of(path, batch, dictionary.as_deref());
    let limit = pool.current_num_threads() + 1;
    let mut offset = 0;
    let mut next_batch = || -> Result<Option<Batch>, PipelineError> {
        let batch = reader.next_batch()?;
        tick(reader.offset() - offset, 0);
        offset = reader.offset();
        Ok(batch)
    };
    let mut write = |block: Result<Block, PipelineError>| -> Result<(), PipelineError> {
        let block = block?;
        Ok(pool.install(|| writer.write(&block))?)
    };
    let Some((first, between)) = segments.split_first() else {
        let work = |batch: Batch| read(batch).and_then(finish);
        return pool.in_place_scope_fifo(|scope| {
            let mut stage = Stage::new(scope, 2 * limit, &work);
            while let Some(batch) = next_batch()? {
                send(&mut stage, batch, &mut write)?;
            }
            drain(&mut stage, &mut write)
        });
    };
    let begin = |batch: Batch| read(batch).and_then(|records| each(first, records).map_err(failed));
    let work: Vec<Box<Segment<'_>>> = between
        .iter()
        .map(|steps| Box::new(move |records| each(steps, records).map_err(failed)) as Box<_>)
        .collect();
    pool.in_place_scope_fifo(|scope| {
        let mut input = Stage::new(scope, limit, &begin);
        let mut middle: Vec<_> = work.iter().map(|work| Stage::new(scope, limit, &**work)).collect();
        let mut output = Stage::new(scope, limit, &finish);
        let mut is_read = false;
        // What comes out of the first stage goes through the others; each waits where the next is full.
        loop {
            while !is_read && input.has_room() {
                match next_batch()? {
                    Some(batch) => input.push(batch),
                    None => is_read = true,
                }
            }
            let Some(records) = input.pop() else { break };
            let mut records = records?;
            for (number, stage) in ordered.iter_mut().enumerate() {
                let mut done = Vec::new();
                stage.push(records, &mut done).map_err(failed)?;
                records = match middle.get_mut(number) {
                    Some(stage) => pass_through(stage, done)?,
                    None => done,
                };
            }
            send_some(&mut output, records, &mut write)?;
        }
        for number in 0..ordered.len() {
            loop {
                let mut records = Vec::new();
                ordered[number].finish(&mut records).map_err(failed)?;
                let is_last = !ordered[number].has_more();
                if let Some(stage) = middle.get_mut(number) {
                    records = pass_through(stage, records)?;
                    while is_last && let Some(more) = stage.pop() {
                        records.extend(more?);
                    }
                }
                for (behind, part) in ordered.iter_mut().enumerate().skip(number + 1) {
                    let mut done = Vec::new();
                    part.push(records, &mut done).map_err(failed)?;
                    records = match middle.get_mut(behind) {
                        Some(stage) => pass_through(stage, done)?,
                        None => done,
                    };
                }
                send_some(&mut output, records, &mut write)?;
                if is_last {
                    break;
                }
            }
        }
        drain(&mut output, &mut write)
    })
}

/// Steps between two ordered parts.
type Steps = Vec<Box<dyn Each>>;
/// Such steps as work of a stage.
type Segment<'w> = dyn Fn(Vec<Record>) -> Result<Vec<Record>, PipelineError> + Sync + 'w;
type Work<'s, 'scope> = Stage<'s, 'scope, Vec<Record>, Result<Vec<Record>, PipelineError>>;
/// A stage of which output comes.
type Last<'s, 'scope, T> = Stage<'s, 'scope, T, Result<Block, PipelineError>>;
type Write<'w> = dyn FnMut(Result<Block, PipelineError>) -> Result<(), PipelineError> + 'w;

/// Gives records to a stage and takes what is done there; waits for it only where it is full.
fn pass_through(stage: &mut Work<'_, '_>, records: Vec<Record>) -> Result<Vec<Record>, PipelineError> {
    if !records.is_empty() {
        stage.push(records);
    }
    let mut done = Vec::new();
    while let Some(records) = if stage.has_room() { stage.try_pop() } else { stage.pop() } {
        done.extend(records?);
    }
    Ok(done)
}

/// The same for records that are to be output; what is made of those before them is written.
fn send_some<'scope>(
    output: &mut Last<'_, 'scope, Vec<Record>>,
    records: Vec<Record>,
    write: &mut Write<'_>,
) -> Result<(), PipelineError> {
    if records.is_empty() { Ok(()) } else { send(output, records, write) }
}

fn send<'scope, T: Send + 'scope>(
    output: &mut Last<'_, 'scope, T>,
    item: T,
    write: &mut Write<'_>,
) -> Result<(), PipelineError> {
    output.push(item);
    while let Some(block) = if output.has_room() { output.try_pop() } else { output.pop() } {
        write(block)?;
    }
    Ok(())
}

/// Writes the rest of a stage.
fn drain<'scope, T: Send + 'scope>(
    output: &mut Last<'_, 'scope, T>,
    write: &mut Write<'_>,
) -> Result<(), PipelineError> {
    while let Some(block) = output.pop() {
        write(block)?;
    }
    Ok(())
}

/// The runs of steps between the ordered parts, one more than those.
fn split(chain: Vec<Part>) -> (Vec<Steps>, Vec<Box<dyn Ordered>>) {
    let (mut segments, mut ordered) = (vec![Vec::new()], Vec::new());
    for part in chain {
        match part {
            Part::Each(step) => {
                if let Some(segment) = segments.last_mut() {
                    segment.push(step);
                }
            }
            Part::Ordered(stage) => {
                ordered.push(stage);
                segments.push(Vec::new());
            }
        }
    }
    (segments, ordered)
}

/// Has each record go through all steps.
fn each(steps: &[Box<dyn Each>], mut records: Vec<Record>) -> Result<Vec<Record>, RecordProblem> {
    for step in steps {
        let (mut problem, mut kept) = (None, 0);
        // What is made beside records, and for each of those how many are kept before it and how many it comes to.
        let (mut more, mut places) = (Vec::new(), Vec::new());
        records.retain_mut(|record| {
            if problem.is_some() {
                // What is behind a record with a problem does not matter any more.
                return false;
            }
            let before = more.len();
            let is_kept = step.apply(record, &mut more).unwrap_or_else(|found| {
                problem = Some(found);
                false
            });
            kept += usize::from(is_kept);
            if more.len() > before {
                places.push((kept, more.len() - before));
            }
            is_kept
        });
        if let Some(problem) = problem {
            return Err(problem);
        }
        if !places.is_empty() {
            records = interleaved(records, more, &places);
        }
    }
    Ok(records)
}

/// Puts so many of `more` behind so many of `records`, again and again.
fn interleaved(records: Vec<Record>, more: Vec<Record>, places: &[(usize, usize)]) -> Vec<Record> {
    let mut all = Vec::with_capacity(records.len() + more.len());
    let (mut records, mut more, mut taken) = (records.into_iter(), more.into_iter(), 0);
    for &(kept, count) in places {
        all.extend(records.by_ref().take(kept - taken));
        all.extend(more.by_ref().take(count));
        taken = kept;
    }
    all.extend(records);
    all
}
