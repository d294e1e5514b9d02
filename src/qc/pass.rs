//! The one pass: reads go by, collectors observe them.
//!
//! A file is walked whole by one thread, or cut by its index into shards of equal size that are walked at once and whose
//! states merge in the file's order. Where the cuts fall depends on the file and its index alone.

use std::sync::Mutex;

use rayon::ThreadPool;
use thiserror::Error;

use super::collector::{Collector, Context, IntervalSink, Needs, Stretch};
use super::decode::{DecodeError, Decoder};
use crate::compute::ordered::for_each_ordered;
use crate::formats::alignment::{AlignmentError, AlignmentFile, Columns, Fetch, Format, RecordReader};
use crate::formats::fasta::FastaError;

/// Why a pass ended early.
#[derive(Debug, Error)]
pub enum PassError {
    /// The file cannot be read.
    #[error(transparent)]
    Alignment(#[from] AlignmentError),
    /// A record cannot be used.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] FastaError),
    /// Intervals cannot be written.
    #[error("cannot write: {0}")]
    Intervals(#[from] std::io::Error),
    /// The worker threads cannot be started.
    #[error("cannot start {0} threads: {1}")]
    Threads(usize, String),
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

/// A part of a file that one worker walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shard {
    /// Stretches, ascending.
    Stretches(Vec<Stretch>),
    /// The reads without a position.
    Unplaced,
}

/// Cuts an indexed file into shards; the last is the reads without a position. `None` without an index.
pub fn shards(file: &AlignmentFile) -> Option<Vec<Shard>> {
    let index = file.index()?;
    let lengths: Vec<u32> = file.header().contigs.iter().map(|contig| contig.length).collect();
    let mut cuts = index.cuts(&lengths, shard_bytes(file)).into_iter().peekable();
    let (mut shards, mut stretches) = (Vec::new(), Vec::new());
    for (contig, &length) in lengths.iter().enumerate() {
        let mut start = 0;
        while let Some((_, position)) = cuts.next_if(|cut| cut.0 == contig) {
            if position > start {
                stretches.push(Stretch { contig, start, end: position });
            }
            shards.push(Shard::Stretches(std::mem::take(&mut stretches)));
            start = position;
        }
        stretches.push(Stretch { contig, start, end: length });
    }
    shards.push(Shard::Stretches(stretches));
    shards.push(Shard::Unplaced);
    Some(shards)
}

/// A shard's size: small enough that 16 threads share a small file, large enough that reading the reads around a cut
/// twice does not count. CRAM decodes a whole slice for that, so its shards are larger.
fn shard_bytes(file: &AlignmentFile) -> u64 {
    let (least, most) =
        if file.format() == Format::Cram { (12 << 20, 64 << 20) } else { (4 << 20, 64 << 20) };
    (file.size().unwrap_or(0) / 256).clamp(least, most)
}

/// Walks the file from its first to its last record.
pub fn walk_whole<C: Collector>(
    file: &AlignmentFile,
    context: &Context,
    sink: &mut dyn IntervalSink,
    tick: &(dyn Fn(u64, u64) + Sync),
) -> Result<C, PassError> {
    let mut worker = Worker::new(context, C::needs(context));
    let mut reader = file.records(columns(worker.needs))?;
    let mut state = C::new(context);
    worker.whole(&mut reader, &mut state, sink, tick)?;
    Ok(state)
}

/// Walks some shards of an indexed file with the pool's threads.
pub fn walk_shards<C: Collector>(
    file: &AlignmentFile,
    context: &Context,
    shards: &[Shard],
    pool: &ThreadPool,
    sink: &mut dyn IntervalSink,
    tick: &(dyn Fn(u64, u64) + Sync),
) -> Result<C, PassError> {
    let idle: Mutex<Vec<(Worker, RecordReader)>> = Mutex::new(Vec::new());
    let needs = C::needs(context);
    let mut total = C::new(context);
    for_each_ordered(
        pool,
        shards,
        |shard| {
            let held = idle.lock().map_or(None, |mut idle| idle.pop());
            let (mut worker, mut reader) = match held {
                Some(held) => held,
                None => (Worker::new(context, needs), file.region_reader(columns(needs))?),
            };
            let mut state = C::new(context);
            worker.shard(file, &mut reader, shard, &mut state, tick)?;
            if let Ok(mut idle) = idle.lock() {
                idle.push((worker, reader));
            }
            Ok(state)
        },
        |state| {
            total.merge(state);
            Ok::<_, PassError>(total.drain(sink, false)?)
        },
    )?;
    Ok(total)
}

fn columns(needs: Needs) -> Columns {
    Columns { names: needs.name, bases: needs.bases, qualities: needs.quals, fields: needs.fields }
}

/// Reports progress after so many records.
const TICK: u64 = 1 << 14;

/// The buffers of one thread.
struct Worker<'c> {
    context: &'c Context,
    needs: Needs,
    decoder: Decoder,
}

impl<'c> Worker<'c> {
    fn new(context: &'c Context, needs: Needs) -> Self {
        Self { context, needs, decoder: Decoder::new(context, needs) }
    }

    fn whole<C: Collector>(
        &mut self,
        reader: &mut RecordReader,
        state: &mut C,
        sink: &mut dyn IntervalSink,
        tick: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<(), PassError> {
        let context = self.context;
        let contigs = &context.header.contigs;
        let stretch = |contig: usize| Stretch { contig, start: 0, end: contigs[contig].length };
        // The contig that is entered; contigs.len() once the reads without a position have come.
        let mut current: Option<usize> = None;
        let mut last = 0;
        let go_to = |state: &mut C, current: &mut Option<usize>, to: usize| -> Result<(), FastaError> {
            let mut next = 0;
            if let Some(contig) = *current {
                state.leave(context)?;
                next = contig + 1;
            }
            for contig in next..to {
                state.enter(stretch(contig), context);
                state.leave(context)?;
            }
            if to < contigs.len() {
                state.enter(stretch(to), context);
                *current = Some(to);
            }
            Ok(())
        };
        let (mut records, mut offset) = (0u64, 0);
        let mut ended = false;
        while let Some(record) = reader.next_record()? {
            let read = self.decoder.decode(record, context)?;
            if context.sorted {
                match read.contig {
                    Some(contig) => {
                        if ended
                            || current.is_some_and(|at| contig < at || (contig == at && read.start < last))
                        {
                            return Err(unsorted(context, &read, contig));
                        }
                        if current != Some(contig) {
                            go_to(state, &mut current, contig)?;
                        }
                        if read.start >= contigs[contig].length {
                            return Err(past_end(context, &read, contig));
                        }
                        last = read.start;
                    }
                    None if !ended => {
                        go_to(state, &mut current, contigs.len())?;
                        ended = true;
                    }
                    None => {}
                }
            }
            state.observe(&read);
            records += 1;
            if records == TICK {
                let now = reader.offset();
                tick(now - offset, records);
                state.drain(sink, false)?;
                (records, offset) = (0, now);
            }
        }
        if context.sorted && !ended {
            go_to(state, &mut current, contigs.len())?;
        }
        tick(reader.offset() - offset, records);
        Ok(())
    }

    fn shard<C: Collector>(
        &mut self,
        file: &AlignmentFile,
        reader: &mut RecordReader,
        shard: &Shard,
        state: &mut C,
        tick: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<(), PassError> {
        let mut records = 0;
        match shard {
            Shard::Stretches(stretches) => {
                for &stretch in stretches {
                    records += self.stretch(file, reader, stretch, state)?;
                }
            }
            Shard::Unplaced => {
                reader.fetch(file, Fetch::Unplaced)?;
                while let Some(record) = reader.next_record()? {
                    let read = self.decoder.decode(record, self.context)?;
                    if read.contig.is_none() {
                        state.observe(&read);
                        records += 1;
                    }
                }
            }
        }
        tick(shard_bytes(file), records);
        Ok(())
    }

    fn stretch<C: Collector>(
        &mut self,
        file: &AlignmentFile,
        reader: &mut RecordReader,
        stretch: Stretch,
        state: &mut C,
    ) -> Result<u64, PassError> {
        let context = self.context;
        let Stretch { contig, start, end } = stretch;
        state.enter(stretch, context);
        reader.fetch(file, Fetch::Region { contig, start, end })?;
        let (mut records, mut last) = (0, 0);
        while let Some(record) = reader.next_record()? {
            if record.ref_id() != contig as i32 {
                continue;
            }
            if record.pos() >= end as i32 {
                break;
            }
            let read = self.decoder.decode(record, context)?;
            if read.start < last {
                return Err(unsorted(context, &read, contig));
            }
            last = read.start;
            if read.start >= start {
                state.observe(&read);
                records += 1;
            } else if read.end > start && read.is_mapped() {
                state.lead_in(&read);
            }
        }
        state.leave(context)?;
        Ok(records)
    }
}

fn unsorted(context: &Context, read: &super::read::Read<'_>, contig: usize) -> PassError {
    PassError::Unsorted {
        read: String::from_utf8_lossy(read.record.name()).into_owned(),
        contig: context.header.contigs[contig].name.clone(),
        position: u64::from(read.start) + 1,
    }
}

fn past_end(context: &Context, read: &super::read::Read<'_>, contig: usize) -> PassError {
    PassError::PastEnd {
        read: String::from_utf8_lossy(read.record.name()).into_owned(),
        contig: context.header.contigs[contig].name.clone(),
        position: u64::from(read.start) + 1,
        length: context.header.contigs[contig].length,
    }
}
