//! Files one behind another, or the records of all in one order (bcftools concat).

use std::path::{Path, PathBuf};

use rayon::ThreadPool;
use rustc_hash::FxHashSet;

use super::input::{Input, Sieve};
use super::pairing::{self, Pairing};
use super::walk::{Position, Walk};
use super::{TogetherError, drive, headers, in_file};
use crate::compute::ordered::for_each_ordered;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::reader::{Batch, VariantReader};
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, VariantWriter};
use crate::records::pipeline::records_of;
use crate::variants::output::OutputForm;

/// The header of all files: the first one's, and what the others declare beyond it.
///
/// # Errors
/// The files have not the same samples in the same order.
pub fn header<'h>(
    files: impl Iterator<Item = (&'h Path, &'h Header)>,
    drop_genotypes: bool,
) -> Result<Header, TogetherError> {
    let mut merged: Option<Header> = None;
    for (path, header) in files {
        let mut header = header.clone();
        if drop_genotypes {
            header.set_samples(Vec::new());
            header.retain(|line| line.key() != "FORMAT");
        }
        match &mut merged {
            None => merged = Some(header),
            Some(merged) => {
                headers::same_samples(merged, &header, path)?;
                headers::add(merged, &header);
            }
        }
    }
    Ok(merged.unwrap_or_default())
}

/// A stretch of records of one contig.
struct Stretch {
    contig: Vec<u8>,
    first: i64,
    last: i64,
}

/// Writes the records of all files as they come. They must be sorted, each contig in one stretch.
///
/// # Errors
/// They are not, a file is damaged, or the output cannot be written.
pub fn one_behind_another(
    paths: &[PathBuf],
    drop_genotypes: bool,
    form: &OutputForm,
    writer: &mut VariantWriter,
    pool: &ThreadPool,
    tick: &dyn Fn(u64, u64),
) -> Result<(), TogetherError> {
    let mut paths = paths.iter();
    let mut current: Option<(&PathBuf, VariantReader, u64)> = None;
    let mut next = || -> Result<Option<(&Path, Batch, _)>, TogetherError> {
        loop {
            if let Some((path, reader, offset)) = &mut current
                && let Some(batch) = reader.next_batch()?
            {
                tick(reader.offset().saturating_sub(*offset), 0);
                *offset = reader.offset();
                return Ok(Some((path.as_path(), batch, reader.dictionary())));
            }
            let Some(path) = paths.next() else { return Ok(None) };
            current = Some((path, VariantReader::open(path)?, 0));
        }
    };
    let batches = std::iter::from_fn(|| next().transpose());
    let work = |batch: Result<(&Path, Batch, Option<_>), TogetherError>| {
        let (path, batch, dictionary) = batch?;
        let dictionary: Option<std::sync::Arc<_>> = dictionary;
        let mut records = records_of(path, batch, dictionary.as_deref())?;
        let stretches = stretches_of(path, &records, form.header())?;
        if drop_genotypes {
            records.iter_mut().for_each(|record| record.select_samples(&[]));
        }
        let block = form.block(&records).map_err(|source| in_file(path, source))?;
        Ok((path.to_owned(), block, stretches))
    };
    let mut order = Order::default();
    for_each_ordered(pool, batches, work, |(path, block, stretches): (PathBuf, Block, Vec<Stretch>)| {
        stretches.into_iter().try_for_each(|stretch| order.take(&path, stretch))?;
        Ok(pool.install(|| writer.write(&block))?)
    })
}

/// The stretches of sorted records of a batch.
fn stretches_of(path: &Path, records: &[Record], header: &Header) -> Result<Vec<Stretch>, TogetherError> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for record in records {
        let position = record.position();
        match stretches.last_mut().filter(|last| last.contig == record.chrom()) {
            Some(last) if position < last.last => return Err(unsorted(path, record.chrom(), position)),
            Some(last) => last.last = position,
            None => {
                let contig = record.chrom().to_vec();
                if header.contig_number(&contig).is_none() {
                    let contig = String::from_utf8_lossy(&contig).into_owned();
                    return Err(TogetherError::UnknownContig { path: path.to_owned(), contig });
                }
                stretches.push(Stretch { contig, first: position, last: position });
            }
        }
    }
    Ok(stretches)
}

fn unsorted(path: &Path, contig: &[u8], position: i64) -> TogetherError {
    TogetherError::Unsorted {
        path: path.to_owned(),
        place: format!("{}:{}", String::from_utf8_lossy(contig), position + 1),
        advice: " (-a takes files that overlap)",
    }
}

/// How far all files have come.
#[derive(Default)]
struct Order {
    contig: Vec<u8>,
    last: i64,
    done: FxHashSet<Vec<u8>>,
}

impl Order {
    fn take(&mut self, path: &Path, stretch: Stretch) -> Result<(), TogetherError> {
        let is_new = stretch.contig != self.contig;
        if is_new && !self.done.insert(stretch.contig.clone()) || !is_new && stretch.first < self.last {
            return Err(unsorted(path, &stretch.contig, stretch.first));
        }
        (self.contig, self.last) = (stretch.contig, stretch.last);
        Ok(())
    }
}

/// Writes the records of all files in one order; of those that go together all, or the first file's alone.
///
/// # Errors
/// A file is damaged or not sorted, or the output cannot be written.
#[allow(clippy::too_many_arguments)]
pub fn together(
    mut inputs: Vec<Input>,
    sieve: Sieve,
    pairing: Pairing,
    first_alone: bool,
    drop_genotypes: bool,
    form: &OutputForm,
    writer: &mut VariantWriter,
    pool: &ThreadPool,
) -> Result<(), TogetherError> {
    super::input::align(&mut inputs, &std::sync::Arc::new(sieve))?;
    let mut walk = Walk::new(inputs, pool);
    let work = |positions: Vec<Position>| {
        let mut records = Vec::new();
        for position in positions {
            let rows = pairing::rows(&position.lines, pairing);
            let mut lines: Vec<Option<Record>> =
                position.lines.into_iter().map(|line| Some(line.record)).collect();
            for row in rows {
                let kept = if first_alone { &row[..1] } else { &row };
                records.extend(kept.iter().filter_map(|&line| lines[line].take()));
            }
        }
        if drop_genotypes {
            records.iter_mut().for_each(|record| record.select_samples(&[]));
        }
        Ok(form.block(&records)?)
    };
    drive(pool, || walk.advance(), work, |block| Ok(pool.install(|| writer.write(&block))?))
}
