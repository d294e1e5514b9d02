//! Blocks of gVCF: records that stand for a stretch of reference, cut where a record or the end of another block is.
//!
//! A block stays until its END, or until its file has another record. Between records the blocks that overlap are written
//! as rows of their own, each as long as nothing changes.

use std::sync::Arc;

use super::alleles;
use super::row::{End, Part, Row};
use super::select::{self, Buffer, Slot};
use crate::formats::fasta::{FastaError, Reference};
use crate::formats::vcf::record::Record;
use crate::formats::vcf::value::integer;
use crate::genome::intervals::Interval;
use crate::variants::regions::Regions;

/// A block under way.
#[derive(Clone, Debug)]
struct Block {
    record: Arc<Record>,
    /// REF first, its base that of where the block was cut last; `N` where nobody knows it.
    alleles: Vec<Vec<u8>>,
    /// Where it was cut last, 0-based.
    position: i64,
    /// Its last position, 0-based.
    last: i64,
}

/// Blocks of all files.
pub struct Blocks {
    blocks: Vec<Option<Block>>,
    /// Tells the base at which a block was cut.
    reference: Option<Reference>,
    /// The contig's rank and name, and the position, of the records that came last.
    place: Option<(usize, Vec<u8>, i64)>,
    /// One past the least end of a block, 0-based; 0 where there is none.
    least_end: i64,
    /// Where a record stood that is no block.
    cut: Option<i64>,
}

impl Blocks {
    /// No blocks yet of so many files.
    pub fn new(files: usize, reference: Option<Reference>) -> Self {
        Self { blocks: vec![None; files], reference, place: None, least_end: 0, cut: None }
    }

    /// The rows before the next position, or to the end of the contig. `regions` cuts them.
    ///
    /// # Errors
    /// The REFs of blocks differ, or the reference cannot be read.
    pub fn flush(
        &mut self,
        next: Option<(usize, i64)>,
        regions: Option<&Regions>,
    ) -> Result<Vec<Row>, BlockError> {
        let mut rows = Vec::new();
        let Some((contig, name, position)) = self.place.clone() else { return Ok(rows) };
        let mut until = next.filter(|(rank, _)| *rank == contig).map_or(i64::MAX, |(_, position)| position);
        let mut start = self.cut.map_or(position, |cut| cut + 1);
        if let Some(regions) = regions {
            let (mut first, mut last) = (-1, -1);
            for (i, region) in overlapping(regions, &name, start, until).enumerate() {
                if i == 0 {
                    first = region.start as i64;
                }
                last = i64::try_from(region.end).unwrap_or(i64::MAX);
            }
            start = start.max(first);
            until = until.min(if last < 0 { 0 } else { last });
        }
        while self.least_end > 0 && start < until {
            let end = self.least_end.min(until);
            if start >= end {
                break;
            }
            rows.extend(self.cut_row(&name, start, end - 1)?);
            start = end;
        }
        Ok(rows)
    }

    /// The row of the blocks from one position to another, both 0-based and within.
    fn cut_row(&mut self, contig: &[u8], start: i64, last: i64) -> Result<Option<Row>, BlockError> {
        let begins = self.blocks.iter().flatten().filter(|block| block.position == start);
        let base = begins.filter_map(|block| block.alleles[0].first().copied()).find(|base| *base != b'N');
        let base = base.unwrap_or(b'N');
        let (mut merged, mut parts) = (Vec::new(), Vec::new());
        for (file, slot) in self.blocks.iter_mut().enumerate() {
            let Some(block) = slot else { continue };
            block.position = start;
            if block.last < start {
                *slot = None;
                continue;
            }
            block.set_base(base);
            let map = if parts.is_empty() {
                merged = block.alleles.clone();
                Some((0..merged.len()).collect())
            } else {
                alleles::add(&block.alleles, &mut merged)
            };
            let map = map.ok_or(BlockError::Alleles(start))?;
            parts.push(Part { file, record: Arc::clone(&block.record), map: Arc::new(map) });
        }
        if parts.is_empty() {
            self.least_end = 0;
            return Ok(None);
        }
        if merged[0].first() == Some(&b'N')
            && let Some(base) = self.reference_base(contig, start)?
        {
            merged[0][0] = base;
        }
        let (end, past) = if last > start { (End::At(last + 1), last + 1) } else { (End::Gone, last) };
        for slot in &mut self.blocks {
            if slot.as_ref().is_some_and(|block| block.last < past) {
                *slot = None;
            }
        }
        let ends = self.blocks.iter().flatten().map(|block| block.last + 1);
        self.least_end = ends.filter(|end| *end > self.least_end).min().unwrap_or(0);
        Ok(Some(Row { position: start, alleles: merged, parts, end }))
    }

    fn reference_base(&self, contig: &[u8], position: i64) -> Result<Option<u8>, BlockError> {
        let Some(reference) = &self.reference else { return Ok(None) };
        let name = String::from_utf8_lossy(contig);
        let number = reference.contig_index(&name).ok_or_else(|| BlockError::Contig(name.into_owned()))?;
        let (mut bases, position) = (Vec::new(), u64::try_from(position).unwrap_or(0));
        reference.fetch(number, position, position + 1, &mut bases)?;
        Ok(bases.first().copied())
    }

    /// Takes the records of a position, file by file: blocks among them are kept, the rest and the blocks that span the
    /// position are given back.
    ///
    /// # Errors
    /// A block ends before it begins.
    pub fn stage(
        &mut self,
        contig: usize,
        name: &[u8],
        position: i64,
        records: Vec<(usize, Vec<Record>)>,
    ) -> Result<Vec<Buffer>, BlockError> {
        if self.place.as_ref().is_none_or(|(rank, ..)| *rank != contig) {
            self.blocks.fill(None);
        }
        self.place = Some((contig, name.to_vec(), position));
        (self.cut, self.least_end) = (None, i64::MAX);
        let mut own: Vec<Vec<Record>> = self.blocks.iter().map(|_| Vec::new()).collect();
        for (file, records) in records {
            // A block does not overlap the next record of its file.
            self.blocks[file] = None;
            own[file] = records;
        }
        let mut buffers = Vec::new();
        for (file, mut records) in own.into_iter().enumerate() {
            if self.blocks[file].as_ref().is_some_and(|block| block.last < position) {
                self.blocks[file] = None;
            }
            if let Some(end) = records.first().filter(|r| select::is_block(r)).and_then(block_end) {
                if end > position + 1 {
                    let record = Arc::new(records.swap_remove(0));
                    let alleles = select::alleles_of(&record);
                    self.blocks[file] = Some(Block { record, alleles, position, last: end - 1 });
                    records.clear();
                } else if end <= position {
                    return Err(BlockError::End(position));
                }
            }
            if !records.is_empty() {
                self.cut = Some(position);
                let slot = |record| {
                    let is_block = select::is_block(&record);
                    Slot::new(Arc::new(record), is_block)
                };
                buffers.push(Buffer::of_records(file, records.into_iter().map(slot).collect()));
            } else if let Some(block) = &self.blocks[file] {
                self.least_end = self.least_end.min(block.last + 1);
                buffers.push(Buffer::of_block(file, Arc::clone(&block.record), block.alleles.clone()));
            }
        }
        if self.least_end == i64::MAX {
            self.least_end = 0;
        }
        Ok(buffers)
    }

    /// After the rows of a position: the blocks that span it know its base now.
    pub fn passed(&mut self, base: Option<u8>) {
        let Some((_, _, position)) = self.place else { return };
        for slot in &mut self.blocks {
            if slot.as_ref().is_some_and(|block| block.last < position) {
                *slot = None;
            }
            if let (Some(block), Some(base)) = (slot, base) {
                block.set_base(base);
                block.position = position;
            }
        }
    }
}

impl Block {
    fn set_base(&mut self, base: u8) {
        if let Some(own) = self.alleles[0].first_mut() {
            *own = base;
        }
    }
}

fn block_end(record: &Record) -> Option<i64> {
    let text = record.info(b"END").filter(|text| !text.contains(&b','))?;
    integer(text).map(i64::from)
}

/// The regions of a contig that meet a stretch (0-based, both ends within).
fn overlapping<'r>(
    regions: &'r Regions,
    contig: &'r [u8],
    start: i64,
    last: i64,
) -> impl Iterator<Item = Interval> + 'r {
    let of_contig = regions.by_contig().filter(move |(name, _)| *name == contig);
    of_contig.flat_map(|(_, list)| list.iter().copied()).filter(move |region| {
        i64::try_from(region.start).is_ok_and(|from| from <= last)
            && i64::try_from(region.end).map_or(true, |end| end > start)
    })
}

/// Why blocks could not be cut. Positions are 0-based.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The REFs of blocks differ.
    #[error("the REFs of blocks at {} differ", .0 + 1)]
    Alleles(i64),
    /// END is before POS.
    #[error("the block at {} ends before it begins", .0 + 1)]
    End(i64),
    /// The reference has no such contig.
    #[error("the reference has no contig {0}")]
    Contig(String),
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] FastaError),
}
