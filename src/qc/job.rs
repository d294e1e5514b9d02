//! One run of `norn qc` over one sample: inputs opened and checked, the pass, the results written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::Options;
use super::collector::{Collector, Context};
use super::outputs::{self, OutputsError, TrackWriter, Written};
use super::pass::{self, PassError};
use super::set::CollectorSet;
use super::thresholds::Status;
use crate::compute::progress::Progress;
use crate::formats::alignment::{AlignmentError, AlignmentFile};
use crate::formats::fasta::{FastaError, Reference};
use crate::formats::header::{Header, SortOrder};

/// What is run on a sample.
#[derive(Clone, Debug)]
pub struct Job {
    /// The alignment file; `-` is standard input.
    pub input: PathBuf,
    /// The reference FASTA.
    pub reference: Option<PathBuf>,
    /// Where the results go.
    pub directory: PathBuf,
    /// Worker threads.
    pub threads: usize,
    /// No progress on stderr.
    pub quiet: bool,
}

/// Why a job failed; every message names its file.
#[derive(Debug, Error)]
pub enum JobError {
    /// The alignment file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Alignment {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: AlignmentError,
    },
    /// The pass over it failed.
    #[error("{path}: {source}", path = path.display())]
    Pass {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: PassError,
    },
    /// The reference cannot be read.
    #[error(transparent)]
    Fasta(#[from] FastaError),
    /// The reference is not the one that the reads were aligned to.
    #[error("{path}: the contig {contig} has {ours} bases in the reference and {theirs} in {input}: this is another reference", path = path.display(), input = input.display())]
    OtherReference {
        /// The reference.
        path: PathBuf,
        /// The alignment file.
        input: PathBuf,
        /// The contig.
        contig: String,
        /// Its length in the reference.
        ours: u64,
        /// Its length in the header.
        theirs: u32,
    },
    /// The reference lacks a contig that has reads.
    #[error("{path}: the reference has no contig {contig}, which {input} has", path = path.display(), input = input.display())]
    MissingContig {
        /// The reference.
        path: PathBuf,
        /// The alignment file.
        input: PathBuf,
        /// The contig.
        contig: String,
    },
    /// The results cannot be written.
    #[error(transparent)]
    Outputs(#[from] OutputsError),
}

/// What a finished job gives.
#[derive(Debug)]
pub struct Done {
    /// The sample's name.
    pub sample: String,
    /// The files that were written, by what they hold.
    pub files: BTreeMap<String, PathBuf>,
    /// What could not be done, and why.
    pub warnings: Vec<String>,
    /// What the figures come to by the thresholds, where there are some.
    pub verdict: Option<Status>,
}

impl Job {
    /// Opens the input.
    pub fn open(&self) -> Result<AlignmentFile, JobError> {
        AlignmentFile::open(&self.input, self.reference.as_deref()).map_err(|source| self.alignment(source))
    }

    /// Runs the job. `options` are made by the caller from the header of the opened file.
    pub fn run(&self, file: &AlignmentFile, options: Options) -> Result<Done, JobError> {
        let header = file.header().clone();
        let sample = sample_name(&header, &self.input);
        let context = self.context(header, options)?;
        let mut warnings: Vec<String> = CollectorSet::unavailable_of(&context)
            .into_iter()
            .map(|(name, why)| format!("{}: no {name}: {why}", self.input.display()))
            .collect();
        if !context.sorted {
            warnings.push(format!(
                "{}: not sorted by coordinate: figures by position are left out",
                self.input.display()
            ));
        }
        let mut tracks = TrackWriter::new(&self.directory, &sample, &context)?;
        let state = self.walk(file, &context, &mut tracks).map_err(|source| self.pass(source))?;
        let Written { files, verdict } = outputs::write(&self.directory, &sample, &context, state, tracks)?;
        Ok(Done { sample, files, warnings, verdict })
    }

    fn walk(
        &self,
        file: &AlignmentFile,
        context: &Context,
        tracks: &mut TrackWriter<'_>,
    ) -> Result<CollectorSet, PassError> {
        let progress = Progress::new(file.size(), "norn qc", self.quiet);
        let tick = |bytes: u64, records: u64| progress.add(bytes, records);
        let shards = if self.threads > 1 && context.sorted { pass::shards(file) } else { None };
        let mut state = match shards {
            None => pass::walk_whole::<CollectorSet>(file, context, tracks, &tick)?,
            Some(shards) => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
                let pool = pool.map_err(|error| PassError::Threads(self.threads, error.to_string()))?;
                pass::walk_shards::<CollectorSet>(file, context, &shards, &pool, tracks, &tick)?
            }
        };
        progress.finish();
        state.drain(tracks, true)?;
        Ok(state)
    }

    fn context(&self, header: Header, options: Options) -> Result<Context, JobError> {
        let sorted = header.sort_order == SortOrder::Coordinate;
        let reference = self.reference.as_deref().map(Reference::open).transpose()?;
        let mut reference_contigs = Vec::new();
        for contig in &header.contigs {
            let index = reference.as_ref().and_then(|reference| reference.contig_index(&contig.name));
            if let (Some(reference), Some(path)) = (&reference, &self.reference) {
                let Some(index) = index else {
                    let (path, input, contig) = (path.clone(), self.input.clone(), contig.name.clone());
                    return Err(JobError::MissingContig { path, input, contig });
                };
                let ours = reference.contigs()[index].1;
                if ours != u64::from(contig.length) {
                    return Err(JobError::OtherReference {
                        path: path.clone(),
                        input: self.input.clone(),
                        contig: contig.name.clone(),
                        ours,
                        theirs: contig.length,
                    });
                }
            }
            reference_contigs.push(index);
        }
        Ok(Context { header, reference: reference.map(Arc::new), reference_contigs, sorted, options })
    }

    fn alignment(&self, source: AlignmentError) -> JobError {
        JobError::Alignment { path: self.input.clone(), source }
    }

    fn pass(&self, source: PassError) -> JobError {
        JobError::Pass { path: self.input.clone(), source }
    }
}

/// The sample that the read groups name; without one the file's stem.
pub fn sample_name(header: &Header, input: &Path) -> String {
    let stem =
        || input.file_stem().map_or_else(|| "stdin".into(), |stem| stem.to_string_lossy().into_owned());
    let name = header.samples().first().map_or_else(stem, |sample| (*sample).to_owned());
    // The name becomes a file's: what would lead elsewhere is replaced.
    let name: String =
        name.chars().map(|c| if c == '/' || c == '\0' || c.is_control() { '_' } else { c }).collect();
    if name.is_empty() || name == "-" || name.chars().all(|c| c == '.') { "sample".into() } else { name }
}
