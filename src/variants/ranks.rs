//! One pass over many ranks: each reads its share of an indexed file and makes its part of the output; rank 0 puts the
//! parts behind one another, compressed blocks as they are.
//!
//! Shares are runs of windows, cut where the output is cut into BGZF blocks too ([`crate::formats::vcf::writer`]), so the
//! bytes are those of one rank. A record belongs to the window that its POS as read lies in. Where a step looks at
//! neighbours, shares are whole contigs: then no record can leave its share, however far it moves.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rayon::ThreadPool;
use thiserror::Error;

use crate::compute::communicator::{Communicator, CommunicatorError};
use crate::formats::indexed::IndexedError;
use crate::formats::vcf::index::VariantIndex;
use crate::formats::vcf::reader::VariantReader;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{PartHead, VariantWriter, WINDOW_SHIFT};
use crate::records::pipeline::{self, Format, Part, PipelineError, RecordProblem, Revise};

/// Why a pass over ranks ended early.
#[derive(Debug, Error)]
pub enum RanksError {
    /// The pass of this rank.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The output.
    #[error(transparent)]
    Write(#[from] IndexedError),
    /// The ranks cannot talk.
    #[error(transparent)]
    Ranks(#[from] CommunicatorError),
    /// A rank's part cannot be kept while it is made.
    #[error("the part of rank {0} in the directory for temporary files: {1}")]
    Part(usize, io::Error),
    /// What a rank said is not understood.
    #[error("rank {0} says what cannot be read: {1}")]
    Message(usize, postcard::Error),
}

/// A pass: where from, through what, in which form.
pub struct Pass<'p> {
    /// The file.
    pub path: &'p Path,
    /// It, open.
    pub reader: &'p mut VariantReader,
    /// The steps.
    pub chain: Vec<Part>,
    /// Makes output of records.
    pub format: &'p Format<'p>,
    /// Whether the file may be cut into shares: not where regions of it are asked for, or a step counts over all of it.
    pub can_be_shared: bool,
    /// The threads.
    pub pool: &'p ThreadPool,
    /// Told of bytes read.
    pub tick: &'p dyn Fn(u64, u64),
}

/// Runs a pass on all ranks, or on rank 0 alone where the file cannot be cut. All ranks must call it. `create` makes the
/// output, at its own place (`None`) or at that of a part. Rank 0 gets what was written, unfinished; the others `None`.
///
/// # Errors
/// A rank's pass fails, or the ranks cannot talk.
pub fn run(
    mut pass: Pass<'_>,
    ranks: &Communicator,
    create: &dyn Fn(Option<&Path>) -> Result<VariantWriter, IndexedError>,
) -> Result<Option<VariantWriter>, RanksError> {
    let share = if ranks.size() > 1 { pass.share(ranks)? } else { None };
    let Some(share) = share else {
        if !ranks.is_root() {
            return Ok(None);
        }
        let mut writer = create(None)?;
        pass.run(&mut writer)?;
        return Ok(Some(writer));
    };
    let regions = share.iter().map(|range| (range.contig.as_slice(), vec![(range.from, range.to)]));
    pass.reader.restrict(regions).map_err(PipelineError::from)?;
    pass.chain.insert(0, Part::Each(Box::new(Owned(share))));
    if ranks.is_root() {
        let mut writer = create(None)?;
        pass.run(&mut writer)?;
        for rank in 1..ranks.size() {
            receive(rank, &mut writer, ranks)?;
        }
        return Ok(Some(writer));
    }
    let failed = |source| RanksError::Part(ranks.rank(), source);
    let directory = tempfile::tempdir().map_err(failed)?;
    let mut writer = create(Some(&directory.path().join("part")))?;
    pass.run(&mut writer)?;
    send(writer, ranks)?;
    Ok(None)
}

/// Messages are of at most so many bytes.
const PIECE: usize = 32 << 20;

fn send(mut writer: VariantWriter, ranks: &Communicator) -> Result<(), RanksError> {
    let failed = |source| RanksError::Part(ranks.rank(), source);
    let path = writer.finish_part()?;
    let mut file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let head = writer.into_head(bytes);
    let head = postcard::to_stdvec(&head).map_err(|error| RanksError::Message(ranks.rank(), error))?;
    ranks.send_bytes(0, &head)?;
    let mut piece = Vec::new();
    loop {
        piece.clear();
        Read::by_ref(&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(failed)?;
        if piece.is_empty() {
            return Ok(());
        }
        ranks.send_bytes(0, &piece)?;
    }
}

fn receive(rank: usize, writer: &mut VariantWriter, ranks: &Communicator) -> Result<(), RanksError> {
    let (_, head) = ranks.receive_bytes(Some(rank))?;
    let head: PartHead = postcard::from_bytes(&head).map_err(|error| RanksError::Message(rank, error))?;
    let mut left = head.bytes;
    let content = writer.begin_part(head)?;
    while left > 0 {
        let (_, piece) = ranks.receive_bytes(Some(rank))?;
        left = left.saturating_sub(piece.len() as u64);
        writer.append_piece(&piece, if left == 0 { content } else { 0 })?;
    }
    Ok(())
}

impl Pass<'_> {
    fn run(self, writer: &mut VariantWriter) -> Result<(), PipelineError> {
        let Self { path, reader, chain, format, pool, tick, .. } = self;
        pipeline::run(path, reader, chain, format, writer, pool, tick)
    }

    /// What this rank reads; `None` where the file cannot be cut.
    fn share(&self, ranks: &Communicator) -> Result<Option<Vec<Range>>, PipelineError> {
        let mut by_contig = false;
        for part in &self.chain {
            if let Part::Ordered(ordered) = part {
                if !ordered.is_by_contig() {
                    return Ok(None);
                }
                by_contig = true;
            }
        }
        if !self.can_be_shared || !self.reader.is_compressed() {
            return Ok(None);
        }
        let failed = |path: &Path, source| {
            PipelineError::Read(crate::formats::vcf::reader::VariantError {
                path: self.path.to_owned(),
                source: crate::formats::vcf::reader::VariantProblem::Index { path: path.to_owned(), source },
            })
        };
        let index = VariantIndex::beside(self.path).map_err(|(path, source)| failed(&path, source))?;
        let Some(index) = index else { return Ok(None) };
        let windows =
            windows(&index, self.reader, by_contig).map_err(|source| failed(&index.path, source))?;
        let size = std::fs::metadata(self.path).map_or(0, |metadata| metadata.len());
        Ok(shares(&windows, size, ranks.size()).into_iter().nth(ranks.rank()))
    }
}

/// A stretch of a contig.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    contig: Vec<u8>,
    /// 0-based half-open; up to `u64::MAX` is to the end.
    from: u64,
    to: u64,
}

/// A window, which no cut divides.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    range: Range,
    /// Where the file has it, about.
    offset: u64,
}

/// The windows of a file in its order; whole contigs, if wanted.
fn windows(index: &VariantIndex, reader: &VariantReader, by_contig: bool) -> io::Result<Vec<Window>> {
    let header = reader.header();
    let named: Vec<Vec<u8>> = match index.names() {
        [] => header.contigs().iter().map(|(name, _)| name.clone().into_bytes()).collect(),
        names => names.to_vec(),
    };
    let mut contigs = Vec::new();
    for contig in named {
        let number = header.contig_number(&contig);
        let offset_from = |from: u64| -> io::Result<Option<u64>> {
            let chunks = index.chunks(&contig, number, std::iter::once((from, u64::MAX)))?;
            Ok(chunks.first().map(|(start, _)| start >> 16))
        };
        let Some(first) = offset_from(0)? else { continue };
        let (mut windows, mut from, mut offset) = (Vec::new(), 0, first);
        let to = |from: u64| from + (1 << WINDOW_SHIFT);
        while !by_contig && let Some(next) = offset_from(to(from))? {
            windows.push(Window { range: Range { contig: contig.clone(), from, to: to(from) }, offset });
            // Long records lie under larger bins, whose chunks may begin earlier.
            (from, offset) = (to(from), next.max(offset));
        }
        windows.push(Window { range: Range { contig, from, to: u64::MAX }, offset });
        contigs.push((first, windows));
    }
    contigs.sort_by_key(|(first, _)| *first);
    Ok(contigs.into_iter().flat_map(|(_, windows)| windows).collect())
}

/// Runs of windows of about as many bytes, one a rank.
fn shares(windows: &[Window], size: u64, ranks: usize) -> Vec<Vec<Range>> {
    let mut shares: Vec<Vec<Range>> = vec![Vec::new(); ranks];
    let begin = windows.first().map_or(0, |window| window.offset);
    let length = u128::from(size.saturating_sub(begin).max(1));
    let mut rank = 0;
    for Window { range, offset } in windows {
        let place = u128::from(offset.saturating_sub(begin)) * ranks as u128 / length;
        rank = rank.max(usize::try_from(place).unwrap_or(0)).min(ranks - 1);
        match shares[rank].last_mut().filter(|last| last.contig == range.contig) {
            Some(last) => last.to = range.to,
            None => shares[rank].push(range.clone()),
        }
    }
    shares
}

/// Leaves out the records of other ranks.
struct Owned(Vec<Range>);

impl Revise for Owned {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let position = u64::try_from(record.position()).unwrap_or(0);
        let is_mine =
            |range: &Range| range.contig == record.chrom() && (range.from..range.to).contains(&position);
        Ok(self.0.iter().any(is_mine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_runs_of_whole_windows() {
        let window = |contig: &str, from: u64, to: u64, offset: u64| Window {
            range: Range { contig: contig.into(), from, to },
            offset,
        };
        let windows = [
            window("1", 0, 10, 100),
            window("1", 10, 20, 200),
            window("1", 20, u64::MAX, 390),
            window("2", 0, 10, 400),
            window("2", 10, u64::MAX, 420),
            window("3", 0, u64::MAX, 490),
        ];
        let told = |ranks| -> Vec<String> {
            let ranges = |share: &Vec<Range>| -> String {
                let text = share.iter().map(|range| {
                    format!("{}:{}-{} ", String::from_utf8_lossy(&range.contig), range.from, range.to.min(99))
                });
                text.collect()
            };
            shares(&windows, 500, ranks).iter().map(ranges).collect()
        };
        assert_eq!(told(1), ["1:0-99 2:0-99 3:0-99 "]);
        assert_eq!(told(2), ["1:0-20 ", "1:20-99 2:0-99 3:0-99 "]);
        // By hand: a rank for each hundred bytes; 390 and 400 lie in the third and fourth.
        assert_eq!(told(4), ["1:0-10 ", "1:10-20 ", "1:20-99 ", "2:0-99 3:0-99 "]);
        assert!(told(9).iter().filter(|share| !share.is_empty()).count() <= 6);
    }
}
