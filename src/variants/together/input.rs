//! One of several files: its reader, its header, and the records that come next.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::TogetherError;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::index::VariantIndex;
use crate::formats::vcf::reader::{Form, VariantReader};
use crate::formats::vcf::record::Record;
use crate::records::pipeline::records_of;
use crate::variants::regions::{Overlap, Regions};

/// Which records are looked at.
#[derive(Debug, Default)]
pub struct Sieve {
    /// Those in regions, which are sought through the indices.
    pub regions: Option<(Regions, Overlap)>,
    /// Those in targets, or outside of them.
    pub targets: Option<(Regions, Overlap, bool)>,
    /// Those with one of these filters; `.` is none.
    pub filters: Option<Vec<Vec<u8>>>,
}

impl Sieve {
    /// Whether a record is looked at.
    pub fn keeps(&self, record: &Record) -> bool {
        let in_regions = self.regions.as_ref().is_none_or(|(regions, o)| regions.contain(record, *o));
        let in_targets = self
            .targets
            .as_ref()
            .is_none_or(|(targets, overlap, outside)| targets.contain(record, *overlap) != *outside);
        in_regions && in_targets && self.filters.as_ref().is_none_or(|wanted| has_filter(record, wanted))
    }
}

fn has_filter(record: &Record, wanted: &[Vec<u8>]) -> bool {
    let mut filters = record.filters().peekable();
    if filters.peek().is_none() {
        return wanted.iter().any(|filter| filter == b".");
    }
    filters.any(|filter| wanted.iter().any(|wanted| wanted == filter))
}

/// The order of contigs in all files: that of the first, then those that only the second has, and so on.
#[derive(Debug, Default)]
pub struct Contigs {
    names: Vec<Vec<u8>>,
    ranks: FxHashMap<Vec<u8>, usize>,
}

impl Contigs {
    fn add(&mut self, name: &[u8]) {
        if !self.ranks.contains_key(name) {
            self.ranks.insert(name.to_vec(), self.names.len());
            self.names.push(name.to_vec());
        }
    }

    /// The name of a contig.
    pub fn name(&self, rank: usize) -> &[u8] {
        self.names.get(rank).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A record and its contig's rank.
#[derive(Debug)]
pub struct Queued {
    /// The contig's rank among all files'.
    pub contig: usize,
    /// The record.
    pub record: Record,
}

/// One file.
pub struct Input {
    path: PathBuf,
    reader: VariantReader,
    header: Header,
    /// The contigs that have records, as far as that is known, in the file's order.
    contigs: Vec<Vec<u8>>,
    has_index: bool,
    ranks: Arc<Contigs>,
    sieve: Arc<Sieve>,
    queue: VecDeque<Queued>,
    /// Below so many records the queue wants more.
    low: usize,
    last: (usize, i64),
    is_done: bool,
}

/// Batches of all files together take about so many bytes.
const ALL_BATCHES: usize = 8 << 20;
/// Those of one file at least so many.
const LEAST_BATCH: usize = 1 << 16;

/// Opens files; their headers have the contigs of their indices, too.
///
/// # Errors
/// One of them cannot be read.
pub fn open(paths: &[PathBuf]) -> Result<Vec<Input>, TogetherError> {
    let batch = (ALL_BATCHES / paths.len().max(1)).max(LEAST_BATCH);
    paths.iter().map(|path| Input::open(path, batch)).collect()
}

/// Takes the sieve's records alone, in one order of contigs for all files. Gives that order.
///
/// # Errors
/// A file has another order and no index, or regions are asked for and there is none.
pub fn align(inputs: &mut [Input], sieve: &Arc<Sieve>) -> Result<Arc<Contigs>, TogetherError> {
    let mut contigs = Contigs::default();
    match &sieve.regions {
        Some((regions, _)) => regions.by_contig().for_each(|(name, _)| contigs.add(name)),
        None => {
            inputs.iter().flat_map(|input| &input.contigs).for_each(|name| contigs.add(name));
            inputs
                .iter()
                .flat_map(|input| input.header.contigs())
                .for_each(|(name, _)| contigs.add(name.as_bytes()));
        }
    }
    let contigs = Arc::new(contigs);
    for input in inputs {
        input.ranks = Arc::clone(&contigs);
        input.sieve = Arc::clone(sieve);
        let mut ranks = input.contigs.iter().filter_map(|name| contigs.ranks.get(name));
        let is_in_order = ranks.clone().zip(ranks.by_ref().skip(1)).all(|(a, b)| a < b);
        if let Some((regions, _)) = &sieve.regions {
            let wanted = regions.by_contig();
            let ends = |list: &[crate::genome::intervals::Interval]| {
                list.iter().map(|interval| (interval.start, interval.end)).collect()
            };
            input.reader.restrict(wanted.map(|(name, list)| (name, ends(list))))?;
        } else if !is_in_order && input.has_index {
            input.reader.restrict(contigs.names.iter().map(|name| (name.as_slice(), vec![(0, u64::MAX)])))?;
        }
    }
    Ok(contigs)
}

impl Input {
    fn open(path: &Path, batch: usize) -> Result<Self, TogetherError> {
        let mut reader = VariantReader::open(path)?;
        reader.set_batch(batch);
        let mut header = reader.header().clone();
        let index = VariantIndex::beside(path).ok().flatten();
        let named = index.as_ref().map(|index| index.names().to_vec()).unwrap_or_default();
        for name in &named {
            header.add_missing(&format!("##contig=<ID={}>", String::from_utf8_lossy(name)));
        }
        let of_header = || header.contigs().iter().map(|(name, _)| name.as_bytes().to_vec()).collect();
        let contigs = if named.is_empty() { of_header() } else { named };
        Ok(Self {
            path: path.to_owned(),
            reader,
            header,
            contigs,
            has_index: index.is_some(),
            ranks: Arc::default(),
            sieve: Arc::default(),
            queue: VecDeque::new(),
            low: 1,
            last: (0, i64::MIN),
            is_done: false,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its header, to be completed.
    pub fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    /// Its reader.
    pub fn reader_mut(&mut self) -> &mut VariantReader {
        &mut self.reader
    }

    /// The form of its records.
    pub fn form(&self) -> Form {
        self.reader.form()
    }

    /// The next record, where one is there without reading.
    pub fn head(&self) -> Option<&Queued> {
        self.queue.front()
    }

    /// Takes the next record.
    pub fn pop(&mut self) -> Option<Queued> {
        self.queue.pop_front()
    }

    /// Whether records must be read before [`Self::head`] says what comes next.
    pub fn is_dry(&self) -> bool {
        self.queue.is_empty() && !self.is_done
    }

    /// Reads until a batch is there, or nothing is left. What is more than half full stays as it is.
    ///
    /// # Errors
    /// The file is damaged or not sorted.
    pub fn fill(&mut self) -> Result<(), TogetherError> {
        while self.queue.len() < self.low && !self.is_done {
            let Some(batch) = self.reader.next_batch()? else {
                self.is_done = true;
                break;
            };
            let records = records_of(&self.path, batch, self.reader.dictionary().as_deref())?;
            self.low = (records.len() / 2).max(1);
            for record in records {
                self.take(record)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, record: Record) -> Result<(), TogetherError> {
        if !self.sieve.keeps(&record) {
            return Ok(());
        }
        let last = self.queue.back().filter(|last| last.record.chrom() == record.chrom());
        let contig = match last {
            Some(last) => last.contig,
            None => {
                let unknown = || TogetherError::UnknownContig {
                    path: self.path.clone(),
                    contig: String::from_utf8_lossy(record.chrom()).into_owned(),
                };
                *self.ranks.ranks.get(record.chrom()).ok_or_else(unknown)?
            }
        };
        let place = (contig, record.position());
        if place < self.last {
            let contig = String::from_utf8_lossy(record.chrom());
            return Err(TogetherError::Unsorted {
                path: self.path.clone(),
                place: format!("{contig}:{}", record.position() + 1),
                advice: " as those of the other files (sort and index it)",
            });
        }
        self.last = place;
        self.queue.push_back(Queued { contig, record });
        Ok(())
    }
}
