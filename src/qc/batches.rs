//! A stream of records cut into batches that threads can walk at once, for files without an index and for pipes.
//!
//! A batch holds the records that start in a run of the genome, and before them those that start earlier and reach into
//! it, so that a batch is walked as a stretch of an indexed file is.

use super::collector::{Context, Stretch};
use super::pass::{InputProblem, PassError};
use super::shards::between;
use crate::formats::bam::{Op, Record};
use crate::formats::merged::MergedReader;

/// A batch takes about so many bytes of records: enough that handing it over does not count.
const BATCH_BYTES: usize = 2 << 20;

/// Records of a stream.
#[derive(Debug, Default)]
pub struct Batch {
    /// The run of the genome that the batch owns; empty for records without a position and for unsorted files.
    pub stretches: Vec<Stretch>,
    /// Records that start before the first stretch and reach into it.
    pub lead: Records,
    /// Records that start within the stretches, or have no position.
    pub records: Records,
    /// Bytes of the file that were read for it.
    pub bytes: u64,
}

/// Records laid out one behind another, each with the number of its file.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    /// File and end of each record in `bytes`.
    ends: Vec<(usize, usize)>,
}

impl Records {
    fn push(&mut self, file: usize, record: &Record<'_>) {
        self.bytes.extend_from_slice(record.as_bytes());
        self.ends.push((file, self.bytes.len()));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each record with the number of its file.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Record<'_>)> {
        let mut from = 0;
        // They were checked when they came, so all of them are here.
        self.ends.iter().filter_map(move |&(file, end)| {
            let record = Record::new(&self.bytes[from..end]).ok();
            from = end;
            record.map(|record| (file, record))
        })
    }
}

/// Cuts what a reader gives into [`Batch`]es, in order.
pub struct Batches<'r, 'f> {
    reader: &'r mut MergedReader<'f>,
    context: &'r Context,
    lengths: Vec<u32>,
    /// Where the next batch begins: contig (one past the last: no position) and position.
    from: (usize, u32),
    lead: Records,
    /// The record that the batch before ended at.
    next: Option<(Place, Records)>,
    offset: u64,
    ended: bool,
}

type Place = (usize, u32);

impl<'r, 'f> Batches<'r, 'f> {
    /// Begins at the reader's first record.
    pub fn new(reader: &'r mut MergedReader<'f>, context: &'r Context) -> Self {
        let lengths = context.header.contigs.iter().map(|contig| contig.length).collect();
        let (lead, next, offset) = (Records::default(), None, 0);
        Self { reader, context, lengths, from: (0, 0), lead, next, offset, ended: false }
    }

    fn take(&mut self) -> Result<Batch, PassError> {
        let mut batch = Batch { lead: std::mem::take(&mut self.lead), ..Batch::default() };
        let mut last = self.from;
        if let Some((place, record)) = self.next.take() {
            batch.records = record;
            last = place;
        }
        let context = self.context;
        let nowhere = self.lengths.len();
        let mut to = (nowhere, 0);
        self.ended = true;
        while let Some((file, record)) = self.reader.next_record()? {
            let contig = usize::try_from(record.ref_id()).unwrap_or(nowhere);
            let place = if contig < nowhere { (contig, record.pos().max(0) as u32) } else { (nowhere, 0) };
            let full = batch.records.bytes.len() >= BATCH_BYTES;
            if context.sorted {
                let problem = |make: fn(&Record<'_>, Place, &Context) -> InputProblem| {
                    PassError::input(context, file, make(&record, place, context))
                };
                if place < last {
                    return Err(problem(InputProblem::unsorted));
                }
                if contig < nowhere && place.1 >= self.lengths[contig] {
                    return Err(problem(InputProblem::past_end));
                }
            }
            // A batch ends between two positions, and before the first record without one.
            let ends = match context.sorted {
                true => place > last && (full || place.0 == nowhere),
                false => full,
            };
            if ends {
                let mut record_alone = Records::default();
                record_alone.push(file, &record);
                self.next = Some((place, record_alone));
                (to, self.ended) = (place, false);
                break;
            }
            last = place;
            batch.records.push(file, &record);
        }
        if context.sorted {
            batch.stretches = between(&self.lengths, self.from, to);
            self.lead = reaching(to, &[&batch.lead, &batch.records]);
            self.from = to;
        }
        let offset = self.reader.offset();
        batch.bytes = offset.saturating_sub(self.offset);
        self.offset = offset;
        Ok(batch)
    }
}

impl Iterator for Batches<'_, '_> {
    type Item = Result<Batch, PassError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended && self.next.is_none() {
            return None;
        }
        let batch = self.take();
        if batch.is_err() {
            (self.ended, self.next) = (true, None);
        }
        Some(batch)
    }
}

/// The records that start before a place and reach behind it.
fn reaching(place: Place, earlier: &[&Records]) -> Records {
    let mut reaching = Records::default();
    let mut ops: Vec<Op> = Vec::new();
    for (file, record) in earlier.iter().flat_map(|records| records.iter()) {
        if usize::try_from(record.ref_id()) != Ok(place.0) || record.cigar_into(&mut ops).is_err() {
            continue;
        }
        let length =
            ops.iter().filter(|op| op.kind.consumes_reference()).map(|op| u64::from(op.len)).sum::<u64>();
        if record.pos().max(0) as u64 + length > u64::from(place.1) {
            reaching.push(file, &record);
        }
    }
    reaching
}
