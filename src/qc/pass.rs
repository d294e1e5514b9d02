//! The one pass: reads go by, collectors observe them.
//!
//! Files are walked whole by one thread, or cut by their index into shards of equal size that threads and ranks walk at
//! once and whose states merge in the files' order; without an index, batches of the stream take the shards' place.
//! Where the cuts fall never changes a figure.

use std::path::PathBuf;
use std::sync::Mutex;

use rayon::ThreadPool;
use thiserror::Error;

use super::batches::Batches;
use super::collector::{Collector, Context, IntervalSink, Needs};
use super::decode::DecodeError;
use super::shards::Shard;
use super::worker::Worker;
use crate::compute::communicator::{Communicator, CommunicatorError};
use crate::compute::ordered::for_each_ordered;
use crate::formats::alignment::Columns;
use crate::formats::bam::Record;
use crate::formats::fasta::FastaError;
use crate::formats::merged::{MergedError, MergedFiles, MergedReader};

/// Why a pass ended early.
#[derive(Debug, Error)]
pub enum PassError {
    /// A file cannot be read.
    #[error(transparent)]
    Alignment(#[from] MergedError),
    /// A record cannot be used.
    #[error("{path}: {source}", path = path.display())]
    Input {
        /// The record's file.
        path: PathBuf,
        /// What is wrong.
        source: InputProblem,
    },
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] FastaError),
    /// Intervals cannot be written.
    #[error("cannot write: {0}")]
    Intervals(#[from] std::io::Error),
    /// The state cannot be kept.
    #[error("{0}")]
    Keep(String),
    /// The worker threads cannot be started.
    #[error("cannot start {0} threads: {1}")]
    Threads(usize, String),
    /// Ranks cannot talk to each other.
    #[error(transparent)]
    Ranks(#[from] CommunicatorError),
    /// What another rank sent is no state.
    #[error("rank {0} sent a state that cannot be read: {1}")]
    State(usize, postcard::Error),
}

/// Why a record cannot be used.
#[derive(Debug, Error)]
pub enum InputProblem {
    /// It is damaged.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A read comes before the one in front of it.
    #[error(
        "the file is not sorted by coordinate, though its header says so: the read {read} at {contig}:{position} comes \
         too late (sort it with: samtools sort)"
    )]
    Unsorted {
        /// The read's name.
        read: String,
        /// Its contig.
        contig: String,
        /// Its position (1-based).
        position: u64,
    },
    /// A read starts where its contig has ended.
    #[error("the read {read} starts at {contig}:{position}, past the contig's end at {length}")]
    PastEnd {
        /// The read's name.
        read: String,
        /// Its contig.
        contig: String,
        /// Its position (1-based).
        position: u64,
        /// The contig's length.
        length: u32,
    },
}

impl PassError {
    /// A problem with a record of a file of the context.
    pub fn input(context: &Context, file: usize, source: InputProblem) -> Self {
        Self::Input { path: context.paths.get(file).cloned().unwrap_or_default(), source }
    }
}

impl InputProblem {
    /// The read at a place (contig and 0-based position; one past the last contig: none) comes too late.
    pub fn unsorted(record: &Record<'_>, (contig, position): (usize, u32), context: &Context) -> Self {
        Self::Unsorted {
            read: String::from_utf8_lossy(record.name()).into_owned(),
            contig: context.header.contigs.get(contig).map_or_else(|| "*".into(), |c| c.name.clone()),
            position: u64::from(position) + 1,
        }
    }

    /// The read at a place starts past its contig's end.
    pub fn past_end(record: &Record<'_>, (contig, position): (usize, u32), context: &Context) -> Self {
        let contig = &context.header.contigs[contig];
        Self::PastEnd {
            read: String::from_utf8_lossy(record.name()).into_owned(),
            contig: contig.name.clone(),
            position: u64::from(position) + 1,
            length: contig.length,
        }
    }
}

/// What a pass goes over and with what.
pub struct Pass<'p> {
    /// The files.
    pub files: &'p MergedFiles,
    /// About how many bytes a shard has.
    pub shard_bytes: u64,
    /// Header, reference and options.
    pub context: &'p Context,
    /// Told how many bytes of the files and records are done.
    pub tick: &'p (dyn Fn(u64, u64) + Sync),
}

impl<'p> Pass<'p> {
    /// Walks the files from the first to the last record with this thread. Without a sink, intervals stay in the state.
    pub fn whole<C: Collector>(&self, sink: Option<&mut dyn IntervalSink>) -> Result<C, PassError> {
        let needs = C::needs(self.context);
        let mut reader = self.files.records(columns(needs))?;
        let mut state = C::new(self.context);
        Worker::new(self.context, needs).whole(&mut reader, &mut state, sink, self.tick)?;
        Ok(state)
    }

    /// Walks the files from the first to the last record: this thread reads, the pool's threads do the rest.
    pub fn batches<C: Collector>(
        &self,
        pool: &ThreadPool,
        mut sink: Option<&mut dyn IntervalSink>,
    ) -> Result<C, PassError> {
        let needs = C::needs(self.context);
        let mut reader = self.files.records(columns(needs))?;
        let idle: Mutex<Vec<Worker>> = Mutex::default();
        let mut total = C::new(self.context);
        for_each_ordered(
            pool,
            Batches::new(&mut reader, self.context),
            |batch| {
                let batch = batch?;
                let held = idle.lock().map_or(None, |mut idle| idle.pop());
                let mut worker = held.unwrap_or_else(|| Worker::new(self.context, needs));
                let mut state = C::new(self.context);
                worker.batch(&batch, &mut state)?;
                (self.tick)(batch.bytes, batch.records.len() as u64);
                if let Ok(mut idle) = idle.lock() {
                    idle.push(worker);
                }
                Ok(state)
            },
            |state| {
                total.merge(state);
                if let Some(sink) = &mut sink {
                    total.drain(*sink, false)?;
                }
                Ok::<_, PassError>(())
            },
        )?;
        Ok(total)
    }

    /// Walks shards of indexed files with the threads of all ranks: each rank takes its turn, and rank 0 gives the states
    /// to `take` in the shards' order. All ranks must call it.
    pub fn shards<C: Collector>(
        &self,
        shards: &[Shard],
        pool: &ThreadPool,
        ranks: &Communicator,
        mut take: impl FnMut(C) -> Result<(), PassError>,
    ) -> Result<(), PassError> {
        let needs = C::needs(self.context);
        let idle: Mutex<Vec<(Worker<'p>, MergedReader<'p>)>> = Mutex::default();
        let work = |shard| {
            let held = idle.lock().map_or(None, |mut idle| idle.pop());
            let (mut worker, mut reader) = match held {
                Some(held) => held,
                None => (Worker::new(self.context, needs), self.files.region_reader(columns(needs))?),
            };
            let mut state = C::new(self.context);
            let records = worker.shard(&mut reader, shard, &mut state)?;
            (self.tick)(self.shard_bytes, records);
            if let Ok(mut idle) = idle.lock() {
                idle.push((worker, reader));
            }
            Ok(state)
        };
        let mut next = 0;
        for_each_ordered(pool, shards.iter().skip(ranks.rank()).step_by(ranks.size()), work, |state| {
            if !ranks.is_root() {
                let bytes =
                    postcard::to_stdvec(&state).map_err(|error| PassError::State(ranks.rank(), error))?;
                return Ok(ranks.send_bytes(0, &bytes)?);
            }
            take(state)?;
            next += 1;
            for rank in 1..ranks.size() {
                if next < shards.len() {
                    let (_, bytes) = ranks.receive_bytes(Some(rank))?;
                    take(postcard::from_bytes(&bytes).map_err(|error| PassError::State(rank, error))?)?;
                    next += 1;
                }
            }
            Ok(())
        })
    }
}

fn columns(needs: Needs) -> Columns {
    Columns { names: needs.name, bases: needs.bases, qualities: needs.quals, fields: needs.fields }
}
