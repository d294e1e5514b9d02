//! From a record's bytes to a [`Read`]: each part decoded once, into buffers that are used again.

use thiserror::Error;

use super::collector::{Context, Needs};
use super::read::{BASE_C, BASE_G, BASE_N, FLANK, Read, blocks};
use super::wgs;
use crate::formats::bam::{Op, Record, RecordError, Value};
use crate::formats::fasta::FastaError;

/// So many reference bases are fetched at a time.
const REFERENCE_STEP: u32 = 1 << 20;

/// Why a record could not be used.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The record is damaged.
    #[error("the read {name} is damaged: {source}")]
    Record {
        /// Its name.
        name: String,
        /// What is wrong.
        source: RecordError,
    },
    /// The record is placed on a contig that the header does not have.
    #[error("the read {0} is placed on contig number {1}, which the header does not have")]
    Contig(String, i32),
    /// CIGAR and sequence differ in length.
    #[error("the read {0} has a CIGAR of {1} bases and a sequence of {2}")]
    Length(String, u64, usize),
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] FastaError),
}

/// Decodes records; one for each worker.
pub struct Decoder {
    needs: Needs,
    /// Least mapping quality of a good read.
    min_mapq: u8,
    no_read_group: usize,
    ops: Vec<Op>,
    bases: Vec<u8>,
    mismatches: Vec<u32>,
    reference: ReferenceWindow,
}

impl Decoder {
    /// A decoder of the parts that are needed.
    pub fn new(context: &Context, needs: Needs) -> Self {
        Self {
            needs,
            min_mapq: context.options.min_mapq.unwrap_or(20),
            no_read_group: context.header.read_groups.len(),
            ops: Vec::new(),
            bases: Vec::new(),
            mismatches: Vec::new(),
            reference: ReferenceWindow::default(),
        }
    }

    /// Decodes one record of a file (its number among the context's).
    pub fn decode<'a>(
        &'a mut self,
        record: Record<'a>,
        file: usize,
        context: &Context,
    ) -> Result<Read<'a>, DecodeError> {
        let name = || String::from_utf8_lossy(record.name()).into_owned();
        record.cigar_into(&mut self.ops).map_err(|source| DecodeError::Record { name: name(), source })?;
        let flags = record.flags();
        let contig = match record.ref_id() {
            -1 => None,
            id => match usize::try_from(id).ok().filter(|&id| id < context.header.contigs.len()) {
                Some(id) => Some(id),
                None => return Err(DecodeError::Contig(name(), id)),
            },
        };
        let start = record.pos().max(0) as u32;
        let (mut reference_length, mut read_length) = (0u64, 0u64);
        for op in &self.ops {
            if op.kind.consumes_reference() {
                reference_length += u64::from(op.len);
            }
            if op.kind.consumes_read() {
                read_length += u64::from(op.len);
            }
        }
        let base_count = record.base_count();
        if !self.ops.is_empty() && base_count > 0 && read_length != base_count as u64 {
            return Err(DecodeError::Length(name(), read_length, base_count));
        }
        let end = u32::try_from(u64::from(start) + reference_length).unwrap_or(u32::MAX);

        let (mut gc_count, mut n_count) = (0, 0);
        if self.needs.bases {
            unpack(record.packed_bases(), base_count, &mut self.bases);
            gc_count = count(&self.bases, |base| (base == BASE_C) | (base == BASE_G));
            n_count = count(&self.bases, |base| base == BASE_N);
        }
        let (mut nm, mut mate_mapq, mut read_group) = (None, None, self.no_read_group);
        let (mut has_supplementary, mut has_barcode, mut is_noise) = (false, false, false);
        if self.needs.fields {
            for (tag, value) in record.fields() {
                match (&tag, value) {
                    (b"NM", Value::Integer(n)) => nm = Some(n),
                    (b"RG", Value::String(id)) => {
                        let number = context.read_groups.get(file).and_then(|numbers| numbers.get(id));
                        read_group = number.copied().unwrap_or(self.no_read_group);
                    }
                    (b"MQ", Value::Integer(n)) => mate_mapq = Some(n),
                    (b"SA", _) => has_supplementary = true,
                    (b"XN", Value::Integer(1)) => is_noise = true,
                    (b"BC" | b"CR" | b"OX" | b"RX", _) => has_barcode = true,
                    _ => {}
                }
            }
        }
        let around: (u32, &[u8]) = match contig {
            Some(contig) if self.needs.reference && end > start => {
                let from = start.saturating_sub(FLANK);
                (from, self.reference.codes(contig, from, end.saturating_add(FLANK), context)?)
            }
            _ => (start, &[]),
        };
        let before = (start - around.0) as usize;
        let reference =
            around.1.get(before..around.1.len().min(before + (end - start) as usize)).unwrap_or_default();
        self.mismatches.clear();
        if self.needs.bases && !reference.is_empty() && !self.bases.is_empty() {
            find_mismatches(&self.bases, reference, &self.ops, &mut self.mismatches);
        }
        let mut read = Read {
            record,
            flags,
            mapq: record.mapq(),
            contig,
            start,
            end,
            ops: &self.ops,
            bases: &self.bases,
            quals: record.qualities(),
            read_group,
            is_good: false,
            nm,
            mate_mapq,
            has_supplementary,
            is_noise,
            has_barcode,
            gc_count,
            n_count,
            reference,
            around,
            mismatches: &self.mismatches,
        };
        if self.needs.goodness {
            read.is_good = wgs::is_good(&read, self.min_mapq);
        }
        Ok(read)
    }
}

/// Two bases a byte become one base a byte.
fn unpack(packed: &[u8], count: usize, out: &mut Vec<u8>) {
    out.resize(packed.len() * 2, 0);
    for (pair, &byte) in out.chunks_exact_mut(2).zip(packed) {
        pair[0] = byte >> 4;
        pair[1] = byte & 15;
    }
    out.truncate(count);
}

/// How many bases are of a kind. Counts in bytes, 255 at a time, so that the compiler can use the widest vectors.
fn count(bases: &[u8], is: impl Fn(u8) -> bool) -> u32 {
    bases.chunks(255).map(|part| u32::from(part.iter().fold(0u8, |n, &base| n + u8::from(is(base))))).sum()
}

/// Collects the indices of bases that differ from the reference under them. Whole runs are compared first: most reads
/// have none.
fn find_mismatches(bases: &[u8], reference: &[u8], ops: &[Op], out: &mut Vec<u32>) {
    const STEP: usize = 32;
    for (at, offset, length) in blocks(ops, 0) {
        let offset = offset as usize;
        let Some(under) = reference.get(offset..reference.len().min(offset + length as usize)) else { break };
        let Some(over) = bases.get(at..at + under.len()) else { break };
        for (i, (over, under)) in over.chunks(STEP).zip(under.chunks(STEP)).enumerate() {
            if over != under {
                let first = (at + i * STEP) as u32;
                out.extend(
                    (first..)
                        .zip(over.iter().zip(under))
                        .filter(|(_, (a, b))| a != b)
                        .map(|(index, _)| index),
                );
            }
        }
    }
}

/// The reference around the reads that come next, as BAM base codes.
#[derive(Default)]
struct ReferenceWindow {
    contig: Option<usize>,
    start: u32,
    codes: Vec<u8>,
    text: Vec<u8>,
}

impl ReferenceWindow {
    /// The codes of `start..end`, as far as the contig reaches; empty where the reference does not have it.
    fn codes(&mut self, contig: usize, start: u32, end: u32, context: &Context) -> Result<&[u8], FastaError> {
        let length = context.header.contigs[contig].length;
        let end = end.min(length);
        let held = self.start + self.codes.len() as u32;
        if self.contig != Some(contig) || start < self.start || end > held {
            let Some((reference, index)) = context.reference.as_ref().zip(context.reference_contigs[contig])
            else {
                return Ok(&[]);
            };
            let to = end.max(start.saturating_add(REFERENCE_STEP)).min(length);
            reference.fetch(index, u64::from(start), u64::from(to), &mut self.text)?;
            self.codes.clear();
            self.codes.extend(self.text.iter().map(|&base| BASE_CODES[usize::from(base)]));
            self.contig = Some(contig);
            self.start = start;
        }
        let from = (start - self.start) as usize;
        let to = ((end.max(start) - self.start) as usize).min(self.codes.len());
        Ok(&self.codes[from.min(to)..to])
    }
}

/// The BAM code of each letter, whatever its case; what is no letter of the code is N.
pub const BASE_CODES: [u8; 256] = {
    let mut codes = [BASE_N; 256];
    let letters = b"=ACMGRSVTWYHKDBN";
    let mut i = 0;
    while i < 16 {
        codes[letters[i] as usize] = i as u8;
        codes[letters[i].to_ascii_lowercase() as usize] = i as u8;
        i += 1;
    }
    codes
};
