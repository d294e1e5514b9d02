//! BAI, CSI and CRAI: where in the file the records of a region lie, and where to cut a file into parts of equal size.

use std::path::{Path, PathBuf};

use noodles::core::Position;
use noodles::core::region::Interval;
use noodles::csi::BinningIndex;
use noodles::csi::binning_index::index::ReferenceSequence;
use noodles::csi::binning_index::index::reference_sequence::Index;
use noodles::csi::binning_index::index::reference_sequence::index::{BinnedIndex, LinearIndex};
use noodles::{bam, cram, csi};

use super::alignment::{AlignmentError, Fetch, Format};
use super::bam_reader::Chunk;

/// BAI's linear index has an entry for so many bases; no cut falls within one.
const CUT_STEP: u32 = 1 << 14;

/// An index, decoded.
pub struct AlignmentIndex {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Bai(bam::bai::Index),
    Csi(csi::Index),
    Crai(Vec<cram::crai::Record>),
}

impl AlignmentIndex {
    /// The index beside a file, as samtools names it: `x.bam.bai`, `x.bai`, `x.bam.csi`, `x.csi`, `x.cram.crai`,
    /// `x.crai`.
    pub fn beside(path: &Path, format: Format) -> Result<Option<Self>, AlignmentError> {
        let endings: &[&str] = if format == Format::Cram { &["crai"] } else { &["bai", "csi"] };
        for ending in endings {
            let mut appended = path.as_os_str().to_owned();
            appended.push(".");
            appended.push(ending);
            for candidate in [PathBuf::from(appended), path.with_extension(ending)] {
                if !candidate.is_file() {
                    continue;
                }
                let kind = match *ending {
                    "bai" => bam::bai::fs::read(&candidate).map(Kind::Bai),
                    "csi" => csi::fs::read(&candidate).map(Kind::Csi),
                    _ => cram::crai::fs::read(&candidate).map(Kind::Crai),
                };
                let kind =
                    kind.map_err(|source| AlignmentError::Index { path: candidate.clone(), source })?;
                return Ok(Some(Self { path: candidate, kind }));
            }
        }
        Ok(None)
    }

    /// Where the index stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The chunks of a BAM that hold the records asked for, in ascending order, none touching the next.
    pub(super) fn chunks(&self, what: Fetch) -> Result<Vec<Chunk>, AlignmentError> {
        let failed = |source| AlignmentError::Index { path: self.path.clone(), source };
        let index: &dyn BinningIndex = match &self.kind {
            Kind::Bai(index) => index,
            Kind::Csi(index) => index,
            Kind::Crai(_) => return Err(AlignmentError::NoIndex),
        };
        let chunks = match what {
            Fetch::Region { contig, start, end } => {
                if contig >= index.reference_sequences().count() {
                    return Ok(Vec::new());
                }
                index.query(contig, interval(start, end)).map_err(failed)?
            }
            Fetch::Unplaced => {
                // Records without a position follow the last chunk that any contig has.
                let end = index
                    .reference_sequences()
                    .filter_map(|sequence| sequence.metadata().map(|m| m.end_position()))
                    .max();
                let start = match (end, &self.kind) {
                    (Some(end), _) => u64::from(end),
                    (None, Kind::Bai(index)) => last_chunk_end(index.reference_sequences()),
                    (None, Kind::Csi(index)) => last_chunk_end(index.reference_sequences()),
                    _ => 0,
                };
                return Ok(vec![(start, u64::MAX)]);
            }
        };
        let mut merged: Vec<Chunk> = Vec::new();
        for (start, end) in chunks.iter().map(|chunk| (u64::from(chunk.start()), u64::from(chunk.end()))) {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Ok(merged)
    }

    /// Positions (contig, position) at which to cut the file, so that each part takes about `bytes` of it. Depends on
    /// the index alone. `lengths` are the contigs' lengths.
    pub fn cuts(&self, lengths: &[u32], bytes: u64) -> Vec<(usize, u32)> {
        let mut cuts = Vec::new();
        let mut last = 0;
        let mut consider = |contig: usize, position: u32, offset: u64| {
            if offset >= last + bytes {
                cuts.push((contig, position));
                last = offset;
            }
        };
        match &self.kind {
            Kind::Bai(index) => {
                for (contig, (sequence, &length)) in
                    index.reference_sequences().iter().zip(lengths).enumerate()
                {
                    let linear: &LinearIndex = sequence.index();
                    for (i, offset) in linear.iter().enumerate() {
                        let position = (i as u32).saturating_mul(CUT_STEP);
                        if position < length {
                            consider(contig, position, offset.compressed());
                        }
                    }
                }
            }
            Kind::Csi(index) => {
                let (min_shift, depth) = (index.min_shift(), index.depth());
                for (contig, (sequence, &length)) in
                    index.reference_sequences().iter().zip(lengths).enumerate()
                {
                    let binned: &BinnedIndex = sequence.index();
                    if binned.is_empty() {
                        continue;
                    }
                    for position in (0..length).step_by(CUT_STEP as usize) {
                        if let Some(start) = Position::new(position as usize + 1) {
                            consider(
                                contig,
                                position,
                                sequence.min_offset(min_shift, depth, start).compressed(),
                            );
                        }
                    }
                }
            }
            Kind::Crai(records) => {
                for record in records {
                    let (Some(contig), Some(start)) =
                        (record.reference_sequence_id(), record.alignment_start())
                    else {
                        continue;
                    };
                    let position = (usize::from(start) - 1) as u32;
                    if lengths.get(contig).is_some_and(|&length| position < length) {
                        consider(contig, position, record.offset());
                    }
                }
            }
        }
        cuts.retain(|&(contig, position)| (contig, position) != (0, 0));
        cuts.dedup();
        cuts
    }
}

fn interval(start: u32, end: u32) -> Interval {
    let at = |position: u32| Position::try_from(position.max(1) as usize).unwrap_or(Position::MIN);
    (at(start.saturating_add(1))..=at(end)).into()
}

fn last_chunk_end<I: Index>(sequences: &[ReferenceSequence<I>]) -> u64 {
    let chunks = sequences.iter().flat_map(|sequence| sequence.bins().values()).flat_map(|bin| bin.chunks());
    chunks.map(|chunk| u64::from(chunk.end())).max().unwrap_or(0)
}
