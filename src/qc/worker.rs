//! One thread's part of the pass: records are decoded once and shown to all collectors.

use super::batches::Batch;
use super::collector::{Collector, Context, IntervalSink, Needs, Stretch};
use super::decode::Decoder;
use super::pass::{InputProblem, PassError};
use super::shards::Shard;
use crate::formats::alignment::Fetch;
use crate::formats::bam::Record;
use crate::formats::fasta::FastaError;
use crate::formats::merged::MergedReader;

/// Reports progress after so many records.
const TICK: u64 = 1 << 14;

/// The buffers of one thread.
pub struct Worker<'c> {
    context: &'c Context,
    decoder: Decoder,
}

impl<'c> Worker<'c> {
    /// A worker that decodes what is needed.
    pub fn new(context: &'c Context, needs: Needs) -> Self {
        Self { context, decoder: Decoder::new(context, needs) }
    }

    /// Walks all records of a reader.
    pub fn whole<C: Collector>(
        &mut self,
        reader: &mut MergedReader<'_>,
        state: &mut C,
        mut sink: Option<&mut dyn IntervalSink>,
        tick: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<(), PassError> {
        let context = self.context;
        let contigs = &context.header.contigs;
        // The contig that is entered; contigs.len() once the reads without a position have come.
        let mut current: Option<usize> = None;
        let mut last = 0;
        let (mut records, mut offset) = (0u64, 0);
        let mut ended = false;
        while let Some((file, record)) = reader.next_record()? {
            let read = self
                .decoder
                .decode(record, file, context)
                .map_err(|error| PassError::input(context, file, error.into()))?;
            if context.sorted {
                match read.contig {
                    Some(contig) => {
                        let is_late =
                            current.is_some_and(|at| contig < at || (contig == at && read.start < last));
                        let problem = |make: fn(&Record<'_>, (usize, u32), &Context) -> InputProblem| {
                            let place = (contig, read.start);
                            PassError::input(context, file, make(&read.record, place, context))
                        };
                        if ended || is_late {
                            return Err(problem(InputProblem::unsorted));
                        }
                        if current != Some(contig) {
                            go_to(context, state, &mut current, contig)?;
                        }
                        if read.start >= contigs[contig].length {
                            return Err(problem(InputProblem::past_end));
                        }
                        last = read.start;
                    }
                    None if !ended => {
                        go_to(context, state, &mut current, contigs.len())?;
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
                if let Some(sink) = &mut sink {
                    state.drain(*sink, false)?;
                }
                (records, offset) = (0, now);
            }
        }
        if context.sorted && !ended {
            go_to(context, state, &mut current, contigs.len())?;
        }
        tick(reader.offset() - offset, records);
        Ok(())
    }

    /// Walks a shard; gives the number of its records.
    pub fn shard<C: Collector>(
        &mut self,
        reader: &mut MergedReader<'_>,
        shard: &Shard,
        state: &mut C,
    ) -> Result<u64, PassError> {
        let mut records = 0;
        match shard {
            Shard::Stretches(stretches) => {
                for &stretch in stretches {
                    records += self.stretch(reader, stretch, state)?;
                }
            }
            Shard::Unplaced => {
                reader.fetch(Fetch::Unplaced)?;
                while let Some((file, record)) = reader.next_record()? {
                    if record.ref_id() == -1 {
                        self.observe(file, record, state)?;
                        records += 1;
                    }
                }
            }
        }
        Ok(records)
    }

    /// Walks a batch.
    pub fn batch<C: Collector>(&mut self, batch: &Batch, state: &mut C) -> Result<(), PassError> {
        let context = self.context;
        let mut records = batch.records.iter().peekable();
        for (number, &stretch) in batch.stretches.iter().enumerate() {
            state.enter(stretch, context);
            for (file, record) in batch.lead.iter().filter(|_| number == 0) {
                let read = self.decoder.decode(record, file, context);
                let read = read.map_err(|error| PassError::input(context, file, error.into()))?;
                if read.is_mapped() {
                    state.lead_in(&read);
                }
            }
            while let Some((file, record)) = records.next_if(|(_, r)| r.ref_id() == stretch.contig as i32) {
                self.observe(file, record, state)?;
            }
            state.leave(context)?;
        }
        for (file, record) in records {
            self.observe(file, record, state)?;
        }
        Ok(())
    }

    fn observe<C: Collector>(
        &mut self,
        file: usize,
        record: Record<'_>,
        state: &mut C,
    ) -> Result<(), PassError> {
        let context = self.context;
        let read = self.decoder.decode(record, file, context);
        state.observe(&read.map_err(|error| PassError::input(context, file, error.into()))?);
        Ok(())
    }

    fn stretch<C: Collector>(
        &mut self,
        reader: &mut MergedReader<'_>,
        stretch: Stretch,
        state: &mut C,
    ) -> Result<u64, PassError> {
        let context = self.context;
        let Stretch { contig, start, end } = stretch;
        let length = context.header.contigs[contig].length;
        state.enter(stretch, context);
        reader.fetch(Fetch::Region { contig, start, end })?;
        let (mut records, mut last) = (0, 0);
        while let Some((file, record)) = reader.next_record()? {
            if record.ref_id() != contig as i32 {
                continue;
            }
            // What lies past a contig's end goes with its last stretch, which says so.
            if record.pos() >= end as i32 && end != length {
                break;
            }
            let read = self
                .decoder
                .decode(record, file, context)
                .map_err(|error| PassError::input(context, file, error.into()))?;
            let problem = |make: fn(&Record<'_>, (usize, u32), &Context) -> InputProblem| {
                PassError::input(context, file, make(&read.record, (contig, read.start), context))
            };
            if read.start < last {
                return Err(problem(InputProblem::unsorted));
            }
            if read.start >= length {
                return Err(problem(InputProblem::past_end));
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

/// Leaves the contig that is entered, passes over those between, and enters another (one past the last: none).
fn go_to<C: Collector>(
    context: &Context,
    state: &mut C,
    current: &mut Option<usize>,
    to: usize,
) -> Result<(), FastaError> {
    let contigs = &context.header.contigs;
    let stretch = |contig: usize| Stretch { contig, start: 0, end: contigs[contig].length };
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
}
