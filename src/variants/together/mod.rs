//! Several files of variants at once: one behind another (concat), set against one another (isec, stats), side by side
//! (merge).
//!
//! Each file has a reader and a dictionary of its own; [`walk`] goes through all of them position by position, [`pairing`]
//! says which records of a position belong together. What comes out depends on the records alone: batches are parsed
//! and rows are written by many threads, in order.

pub mod compare;
pub mod concat;
pub mod headers;
pub mod input;
pub mod intersect;
pub mod ligate;
pub mod merge;
pub mod naive;
pub mod pairing;
pub mod phase;
pub mod walk;

use std::path::{Path, PathBuf};

use rayon::ThreadPool;
use thiserror::Error;

use super::regions::RegionsError;
use crate::compute::ordered::for_each_ordered;
use crate::formats::fasta::FastaError;
use crate::formats::indexed::IndexedError;
use crate::formats::output::OutputError;
use crate::formats::vcf::reader::VariantError;
use crate::records::pipeline::{PipelineError, RecordProblem};

/// Why several files could not be worked on together.
#[derive(Debug, Error)]
pub enum TogetherError {
    /// A file cannot be read, or the output not be written.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// Regions cannot be understood.
    #[error(transparent)]
    Regions(#[from] RegionsError),
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] FastaError),
    /// Records are not in order.
    #[error("{path}, {place}: the records are not sorted{advice}", path = path.display())]
    Unsorted {
        /// The file.
        path: PathBuf,
        /// The record that comes too late.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// No header has a contig.
    #[error("{path}: no header has the contig {contig} (norn variants index makes it known)", path = path.display())]
    UnknownContig {
        /// The file.
        path: PathBuf,
        /// The contig.
        contig: String,
    },
    /// The files do not go together.
    #[error("{path}: {what}", path = path.display())]
    Unlike {
        /// The file that differs.
        path: PathBuf,
        /// In what.
        what: String,
    },
    /// An option does not fit the files.
    #[error("{0}")]
    Option(String),
    /// Records of a position cannot be worked on.
    #[error(transparent)]
    Record(#[from] RecordProblem),
}

impl From<VariantError> for TogetherError {
    fn from(error: VariantError) -> Self {
        Self::Pipeline(error.into())
    }
}

impl From<IndexedError> for TogetherError {
    fn from(error: IndexedError) -> Self {
        Self::Pipeline(error.into())
    }
}

impl From<OutputError> for TogetherError {
    fn from(error: OutputError) -> Self {
        IndexedError::from(error).into()
    }
}

/// A problem with a record of a file.
pub fn in_file(path: &Path, source: RecordProblem) -> TogetherError {
    PipelineError::Record { path: path.to_owned(), source }.into()
}

/// So many positions are worked on at a time.
const CHUNK: usize = 256;

/// Works on what `next` gives with the pool's threads, in chunks, and hands the results to `commit` in order.
pub fn drive<T: Send, R: Send>(
    pool: &ThreadPool,
    mut next: impl FnMut() -> Result<Option<T>, TogetherError>,
    work: impl Fn(Vec<T>) -> Result<R, TogetherError> + Sync,
    commit: impl FnMut(R) -> Result<(), TogetherError>,
) -> Result<(), TogetherError> {
    let mut is_done = false;
    let chunks = std::iter::from_fn(|| {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK && !is_done {
            match next() {
                Ok(Some(item)) => chunk.push(item),
                Ok(None) => is_done = true,
                Err(error) => {
                    is_done = true;
                    return Some(Err(error));
                }
            }
        }
        (!chunk.is_empty()).then_some(Ok(chunk))
    });
    for_each_ordered(pool, chunks, |chunk| chunk.and_then(&work), commit)
}
