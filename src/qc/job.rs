//! One run of `norn qc` over one sample: inputs checked, the pass, the results written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use thiserror::Error;

use super::Options;
use super::collector::{Collector, Context};
use super::outputs::{self, OutputsError, TrackWriter, Written};
use super::pass::{Pass, PassError};
use super::set::CollectorSet;
use super::shards::{shard_bytes, shards};
use super::state::{self, Head, StateError, States};
use super::thresholds::Status;
use crate::compute::communicator::Communicator;
use crate::compute::progress::Progress;
use crate::formats::alignment::AlignmentFile;
use crate::formats::fasta::{FastaError, Reference};
use crate::formats::header::{Header, SortOrder};
use crate::formats::merged::MergedFiles;

/// What is run on a sample.
#[derive(Clone, Debug)]
pub struct Job {
    /// The reference FASTA.
    pub reference: Option<PathBuf>,
    /// Where the results go.
    pub directory: PathBuf,
    /// Worker threads.
    pub threads: usize,
    /// No progress on stderr.
    pub quiet: bool,
    /// About how many compressed bytes of the files one thread takes at a time; by their size if not given.
    pub shard_bytes: Option<u64>,
    /// Where the state is kept, if it is.
    pub state: Option<KeepState>,
}

/// Where a state is kept.
#[derive(Clone, Debug)]
pub struct KeepState {
    /// The file. If it holds a state of the same pass, the pass goes on from there.
    pub path: PathBuf,
    /// It is written anew after so long.
    pub interval: Duration,
    /// The part of the files that is walked, e.g. 2 of 5, if not all; then there are no results but the state.
    pub part: Option<(usize, usize)>,
}

/// Why a job failed; every message names its file.
#[derive(Debug, Error)]
pub enum JobError {
    /// The pass over the files failed.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// The reference cannot be read.
    #[error(transparent)]
    Fasta(#[from] FastaError),
    /// The reference is not the one that the reads were aligned to.
    #[error("{path}: {what}: {input} was aligned to another reference", path = path.display(), input = input.display())]
    OtherReference {
        /// The reference.
        path: PathBuf,
        /// The alignment file.
        input: PathBuf,
        /// Where they differ.
        what: String,
    },
    /// A part of a file without an index was asked for.
    #[error("{path}: only a file with an index has parts (make one with: samtools index)", path = path.display())]
    NoParts {
        /// The file.
        path: PathBuf,
    },
    /// States cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
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
    /// Runs the job with all ranks. `options` are made by the caller from the header of the files. What was done is known
    /// to rank 0 alone.
    ///
    /// # Errors
    /// An input is bad, or the results cannot be written.
    pub fn run(
        &self,
        files: &MergedFiles,
        options: Options,
        ranks: &Communicator,
    ) -> Result<Option<Done>, JobError> {
        let paths: Vec<PathBuf> = files.files().iter().map(|file| file.path().to_owned()).collect();
        let mut context = self.context(files.header().clone(), paths, options)?;
        context.read_groups = files.read_groups().to_vec();
        let input = context.paths[0].display().to_string();
        let sample = sample_name(&context.header, &context.paths[0]);
        let pool = self.pool()?;
        if ranks.is_root() {
            let states =
                |contig: usize| files.files().iter().find(|f| f.header().contigs[contig].md5.is_some());
            check_sequences(&context, &pool, |contig| states(contig).map(AlignmentFile::path))?;
        }
        let warnings = unavailable(&context, &input);
        let walk = Walk { job: self, files, context: &context, pool: &pool, ranks };
        if let Some(kept) = &self.state {
            let Some((set, is_all)) = walk.keep(kept, &sample)? else { return Ok(None) };
            if is_all {
                return self.write(&sample, &context, set, warnings).map(Some);
            }
            let files = BTreeMap::from([("qcstate".to_owned(), kept.path.clone())]);
            return Ok(Some(Done { sample, files, warnings, verdict: None }));
        }
        let tracks =
            if ranks.is_root() { Some(TrackWriter::new(&self.directory, &sample, &context)?) } else { None };
        let Some((state, tracks)) = walk.walk(tracks)? else { return Ok(None) };
        let Written { files, verdict } = outputs::write(&self.directory, &sample, &context, state, tracks)?;
        Ok(Some(Done { sample, files, warnings, verdict }))
    }

    /// Writes the results of kept states.
    ///
    /// # Errors
    /// The reference is missing or another one, or the results cannot be written.
    pub fn run_states(&self, states: States, options: Options) -> Result<Done, JobError> {
        let sample = states.sample().to_owned();
        let mut context = self.context(states.header().clone(), Vec::new(), options)?;
        check_sequences(&context, &self.pool()?, |_| None)?;
        let (state, lost) = states.join(&context);
        let mut warnings = Vec::new();
        if !lost.is_empty() {
            context.options.leave_out(&lost);
            warnings.push(format!(
                "states of several files: no {}, and no coverage and GC depth in stats (to have them, give the files \
                 themselves with --merge)",
                lost.join(", ")
            ));
        }
        self.write(&sample, &context, state, warnings)
    }

    fn write(
        &self,
        sample: &str,
        context: &Context,
        mut state: CollectorSet,
        warnings: Vec<String>,
    ) -> Result<Done, JobError> {
        let mut tracks = TrackWriter::new(&self.directory, sample, context)?;
        state.drain(&mut tracks, true).map_err(PassError::Intervals)?;
        let Written { files, verdict } = outputs::write(&self.directory, sample, context, state, tracks)?;
        Ok(Done { sample: sample.to_owned(), files, warnings, verdict })
    }

    fn context(&self, header: Header, paths: Vec<PathBuf>, options: Options) -> Result<Context, JobError> {
        let sorted = header.sort_order == SortOrder::Coordinate;
        let reference = self.reference.as_deref().map(Reference::open).transpose()?;
        let mut reference_contigs = Vec::new();
        for contig in &header.contigs {
            let index = reference.as_ref().and_then(|reference| reference.contig_index(&contig.name));
            if let Some(reference) = &reference {
                let name = &contig.name;
                let what = match index.map(|index| reference.contigs()[index].1) {
                    None => Some(format!("it has no contig {name}")),
                    Some(length) if length != u64::from(contig.length) => {
                        Some(format!("its contig {name} has {length} bases, not {}", contig.length))
                    }
                    Some(_) => None,
                };
                if let Some(what) = what {
                    return Err(other_reference(reference, paths.first().map(PathBuf::as_path), what));
                }
            }
            reference_contigs.push(index);
        }
        Ok(Context {
            paths,
            header,
            read_groups: Vec::new(),
            reference: reference.map(Arc::new),
            reference_contigs,
            sorted,
            options,
        })
    }

    fn pool(&self) -> Result<ThreadPool, PassError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
        pool.map_err(|error| PassError::Threads(self.threads, error.to_string()))
    }
}

/// Holds the reference's contigs against the MD5 that the header states (SAMv1 section 1.3.2). `stated_by` knows the file
/// that states it for a contig.
fn check_sequences<'f>(
    context: &Context,
    pool: &ThreadPool,
    stated_by: impl Fn(usize) -> Option<&'f Path> + Sync,
) -> Result<(), JobError> {
    let Some(reference) = &context.reference else { return Ok(()) };
    let contigs = context.header.contigs.iter().zip(&context.reference_contigs).enumerate();
    let stated: Vec<_> =
        contigs.filter_map(|(number, (c, index))| Some((number, c.md5.as_ref()?, (*index)?))).collect();
    let check = |(number, stated, index): (usize, &String, usize)| {
        if reference.md5(index)?.eq_ignore_ascii_case(stated) {
            return Ok(());
        }
        let name = &context.header.contigs[number].name;
        let what = format!("its contig {name} has another sequence (its MD5 is not the header's M5)");
        Err(other_reference(reference, stated_by(number), what))
    };
    pool.install(|| stated.into_par_iter().try_for_each(check))
}

fn other_reference(reference: &Reference, input: Option<&Path>, what: String) -> JobError {
    let input = input.unwrap_or_else(|| Path::new("the state's file")).to_owned();
    JobError::OtherReference { path: reference.path().to_owned(), input, what }
}

/// Collectors that are asked for and cannot be had, as warnings.
fn unavailable(context: &Context, input: &str) -> Vec<String> {
    let reasons = CollectorSet::unavailable_of(context).into_iter();
    let mut warnings: Vec<String> = reasons.map(|(name, why)| format!("{input}: no {name}: {why}")).collect();
    if !context.sorted {
        warnings.push(format!("{input}: not sorted by coordinate: figures by position are left out"));
    }
    warnings
}

/// A pass with all that it needs.
struct Walk<'w> {
    job: &'w Job,
    files: &'w MergedFiles,
    context: &'w Context,
    pool: &'w ThreadPool,
    ranks: &'w Communicator,
}

impl Walk<'_> {
    /// Walks all of the files; state and tracks on rank 0.
    fn walk<'t>(
        &self,
        tracks: Option<TrackWriter<'t>>,
    ) -> Result<Option<(CollectorSet, TrackWriter<'t>)>, PassError> {
        let Self { files, context, pool, ranks, .. } = *self;
        let progress = self.progress();
        let tick = |bytes: u64, records: u64| progress.add(bytes, records);
        let shard_bytes = self.shard_bytes();
        let pass = Pass { files, shard_bytes, context, tick: &tick };
        let is_alone = self.job.threads == 1 && ranks.size() == 1;
        let shards = if context.sorted && !is_alone { shards(files, shard_bytes) } else { None };
        let Some(mut tracks) = tracks else {
            // Without an index rank 0 does the work alone.
            if let Some(shards) = shards {
                pass.shards::<CollectorSet>(&shards, pool, ranks, |_| Ok(()))?;
            }
            return Ok(None);
        };
        let mut state = match shards {
            Some(shards) => {
                let mut total = CollectorSet::new(context);
                pass.shards::<CollectorSet>(&shards, pool, ranks, |state| {
                    total.merge(state);
                    Ok(total.drain(&mut tracks, false)?)
                })?;
                total
            }
            None if self.job.threads > 1 => pass.batches::<CollectorSet>(pool, Some(&mut tracks))?,
            None => pass.whole::<CollectorSet>(Some(&mut tracks))?,
        };
        progress.finish();
        state.drain(&mut tracks, true)?;
        Ok(Some((state, tracks)))
    }

    /// Walks the files, or a part of them, and keeps the state; the state on rank 0, and whether it is of all of them.
    fn keep(&self, kept: &KeepState, sample: &str) -> Result<Option<(CollectorSet, bool)>, JobError> {
        let Self { files, context, pool, ranks, .. } = *self;
        let progress = self.progress();
        let tick = |bytes: u64, records: u64| progress.add(bytes, records);
        let shard_bytes = self.shard_bytes();
        let pass = Pass { files, shard_bytes, context, tick: &tick };
        let shards = if context.sorted { shards(files, shard_bytes) } else { None };
        let Some(shards) = shards else {
            if kept.part.is_some() {
                return Err(JobError::NoParts { path: context.paths[0].clone() });
            }
            if !ranks.is_root() {
                return Ok(None);
            }
            let mut head = Head::new(sample, files, context, 0, 1);
            head.shards.1 = 1;
            let set = match self.job.threads {
                1 => pass.whole::<CollectorSet>(None)?,
                _ => pass.batches::<CollectorSet>(pool, None)?,
            };
            state::write(&kept.path, &head, &set)?;
            return Ok(Some((set, true)));
        };
        // A state is written while the pass goes on, so tracks stay in it to the end.
        let (number, of) = kept.part.unwrap_or((1, 1));
        let border = |number: usize| shards.len() * number / of;
        let (from, to) = (border(number - 1), border(number));
        // A part that begins within a contig begins with its first shard's state, not with that of a file's beginning.
        let mut total = (from == 0).then(|| CollectorSet::new(context));
        let mut head = Head::new(sample, files, context, from, shards.len());
        if ranks.is_root() && kept.path.exists() {
            let (earlier, set) = state::read(&kept.path)?;
            if !head.continues(&earlier) {
                return Err(StateError::Occupied { path: kept.path.clone() }.into());
            }
            head = earlier;
            append(&mut total, set);
        }
        let done =
            ranks.broadcast_bytes((head.shards.1 as u64).to_le_bytes().to_vec()).map_err(PassError::Ranks)?;
        let done = done.iter().rev().fold(0, |n, &byte| n << 8 | usize::from(byte));
        let mut written = Instant::now();
        pass.shards::<CollectorSet>(shards.get(done..to).unwrap_or_default(), pool, ranks, |state| {
            let total = append(&mut total, state);
            head.shards.1 += 1;
            if written.elapsed() >= kept.interval {
                state::write(&kept.path, &head, total).map_err(|error| PassError::Keep(error.to_string()))?;
                written = Instant::now();
            }
            Ok(())
        })?;
        progress.finish();
        if !ranks.is_root() {
            return Ok(None);
        }
        // Of more parts than there are shards some are empty.
        let total = total.unwrap_or_else(|| CollectorSet::new(context));
        state::write(&kept.path, &head, &total)?;
        Ok(Some((total, kept.part.is_none())))
    }

    fn shard_bytes(&self) -> u64 {
        self.job.shard_bytes.unwrap_or_else(|| shard_bytes(self.files))
    }

    /// Rank 0 shows how far it has come with its own share.
    fn progress(&self) -> Progress {
        let share = self.files.size().map(|size| size / self.ranks.size() as u64);
        Progress::new(share, "norn qc", self.job.quiet || !self.ranks.is_root())
    }
}

/// Puts a state behind what there is.
fn append(total: &mut Option<CollectorSet>, next: CollectorSet) -> &mut CollectorSet {
    match total {
        Some(total) => {
            total.merge(next);
            total
        }
        None => total.insert(next),
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
