//! Files of different samples side by side (bcftools merge).
//!
//! The walk gives positions, [`select`] and [`blocks`] make rows of them on the calling thread, and many threads write the
//! rows. A row's text is made of its records' text: what needs no new order of alleles is copied.

mod alleles;
mod blocks;
mod format;
mod info;
mod local;
mod row;
mod rules;
mod select;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::ThreadPool;

pub use self::select::Collapse;

use self::blocks::Blocks;
use self::format::FormatMerger;
use self::info::InfoMerger;
use self::row::{End, Row};
use self::rules::{InfoRule, Missing};
use self::select::{Buffer, Slot};
use super::input::{self, Contigs, Input, Sieve};
use super::pairing::{self, Pairing};
use super::walk::{Line, Position, Walk};
use super::{TogetherError, drive, headers};
use crate::formats::fasta::Reference;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, VariantWriter};
use crate::genome::intervals::Interval;
use crate::records::pipeline::RecordProblem;
use crate::variants::allele_subset::keep_alleles;
use crate::variants::output::OutputForm;

/// A row has so many alleles at most: a list with a value for each genotype then has 8 million.
const MAX_ALLELES: usize = 4096;

/// Which rows lose the allele that stands for all others (`<*>`, `<NON_REF>`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrimUnseen {
    /// None.
    #[default]
    Never,
    /// Those that have another alternate allele.
    AtVariants,
    /// All.
    Always,
}

/// What is asked of merge; bcftools' options.
#[derive(Clone, Debug, Default)]
pub struct MergeOptions {
    /// `--merge`.
    pub collapse: Collapse,
    /// `--merge ...,*`.
    pub trim_unseen: TrimUnseen,
    /// `--missing-to-ref`.
    pub missing_is_reference: bool,
    /// `--filter-logic x`: PASS of one record wins.
    pub pass_wins: bool,
    /// `--gvcf`; with a reference, if there is one.
    pub gvcf: Option<Option<PathBuf>>,
    /// `--info-rules`.
    pub info_rules: Option<String>,
    /// `--missing-rules`.
    pub missing_rules: Option<String>,
    /// `--force-samples`.
    pub force_samples: bool,
    /// `--local-alleles`: with more alternate alleles lists are of each sample's own.
    pub local_alleles: Option<usize>,
}

/// What is settled before the first record.
pub struct Merge {
    options: MergeOptions,
    headers: Vec<Header>,
    header: Header,
    info_rules: Vec<InfoRule>,
    missing_rules: Vec<(Vec<u8>, Missing)>,
    keeps_counts: bool,
}

impl Merge {
    /// Merges the headers, or takes one that is given, and reads the rules.
    ///
    /// # Errors
    /// A sample is in two files, or the rules do not fit the header.
    pub fn new(
        options: MergeOptions,
        inputs: &[Input],
        given: Option<Header>,
    ) -> Result<Self, TogetherError> {
        let files: Vec<Header> = inputs.iter().map(|input| input.header().clone()).collect();
        let samples: usize = files.iter().map(|header| header.samples().len()).sum();
        let mut header = match given {
            Some(header) if header.samples().len() != samples => {
                let what =
                    format!("--use-header has {} samples, the files {samples}", header.samples().len());
                return Err(TogetherError::Option(what));
            }
            Some(header) => header,
            None => {
                let mut header = merged_header(inputs, options.force_samples)?;
                if options.local_alleles.is_some() {
                    local::declare(&mut header);
                }
                header
            }
        };
        let has_blocks = options.gvcf.is_some();
        let info_rules = rules::info_rules(options.info_rules.as_deref(), has_blocks, &mut header)
            .map_err(TogetherError::Option)?;
        let missing_rules = rules::missing_rules(options.missing_rules.as_deref(), has_blocks, &header)
            .map_err(TogetherError::Option)?;
        let keeps_counts = info_rules.iter().any(|rule| matches!(&*rule.tag, b"AC" | b"AN"));
        Ok(Self { options, headers: files, header, info_rules, missing_rules, keeps_counts })
    }

    /// The header of the output, without our line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Merges all records.
    ///
    /// # Errors
    /// A file is damaged or not sorted, records do not go together, or the output cannot be written.
    pub fn run(
        &self,
        mut inputs: Vec<Input>,
        sieve: Sieve,
        form: &OutputForm,
        writer: &mut VariantWriter,
        pool: &ThreadPool,
    ) -> Result<(), TogetherError> {
        let sieve = Arc::new(sieve);
        let contigs = input::align(&mut inputs, &sieve)?;
        let reference = match &self.options.gvcf {
            Some(Some(path)) => Some(Reference::open(path)?),
            _ => None,
        };
        let blocks = self.options.gvcf.as_ref().map(|_| Blocks::new(inputs.len(), reference));
        let mut rows = Rows {
            walk: Walk::new(inputs, pool),
            contigs,
            sieve,
            collapse: self.options.collapse,
            blocks,
            ready: VecDeque::new(),
            is_done: false,
        };
        let work = |rows: Vec<Row>| {
            let mut text = Vec::new();
            for row in rows {
                self.write_row(row, form.header(), &mut text)?;
            }
            Ok(form.block_of_lines(text)?)
        };
        drive(pool, || rows.next(), work, |block: Block| Ok(pool.install(|| writer.write(&block))?))
    }

    fn write_row(&self, mut row: Row, header: &Header, out: &mut Vec<u8>) -> Result<(), RecordProblem> {
        row.settle();
        let first = Arc::clone(&row.parts[0].record);
        let position = row.position + 1;
        let failed = |what: String| RecordProblem {
            place: format!("{}:{position}", String::from_utf8_lossy(first.chrom())),
            what,
        };
        if row.alleles.len() > MAX_ALLELES {
            return Err(failed(format!("more than {MAX_ALLELES} alleles come together")));
        }
        let begin = out.len();
        row.write_site(self.options.pass_wins, out);
        let mut samples = Vec::new();
        let format = FormatMerger {
            headers: &self.headers,
            missing: &self.missing_rules,
            missing_is_reference: self.options.missing_is_reference,
            local_alleles: self.options.local_alleles,
        };
        let counts = format.write(&row, &mut samples).map_err(failed)?;
        let info = InfoMerger {
            headers: &self.headers,
            header,
            rules: &self.info_rules,
            keeps_counts: self.keeps_counts,
        };
        let counts = counts.as_ref().map(|counts| (counts.all, counts.alternates.as_slice()));
        info.write(&row, counts, out).map_err(failed)?;
        out.extend_from_slice(&samples);
        self.trim_unseen(&row, header, begin, out)?;
        out.push(b'\n');
        Ok(())
    }

    /// Takes `<*>` away from the row that was written last, where that is asked for.
    fn trim_unseen(
        &self,
        row: &Row,
        header: &Header,
        begin: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordProblem> {
        let least = match self.options.trim_unseen {
            TrimUnseen::Never => return Ok(()),
            TrimUnseen::AtVariants => 3,
            TrimUnseen::Always => 2,
        };
        let is_unseen = |allele: &Vec<u8>| matches!(&**allele, b"<*>" | b"<NON_REF>" | b"<X>");
        let Some(unseen) = row.alleles.iter().position(is_unseen).filter(|_| row.alleles.len() >= least)
        else {
            return Ok(());
        };
        let mut record = Record::parse(&out[begin..]).map_err(|error| RecordProblem {
            place: format!("{}", row.position + 1),
            what: error.to_string(),
        })?;
        let keep: Vec<bool> = (0..row.alleles.len()).map(|allele| allele != unseen).collect();
        keep_alleles(&mut record, header, &keep)?;
        out.truncate(begin);
        record.write(out);
        Ok(())
    }
}

/// The header of all files, with all their samples.
fn merged_header(inputs: &[Input], force: bool) -> Result<Header, TogetherError> {
    let Some(first) = inputs.first() else { return Ok(Header::default()) };
    let mut merged = headers::empty(first.header());
    for (number, input) in inputs.iter().enumerate() {
        headers::add(&mut merged, input.header());
        headers::add_samples(&mut merged, input.header(), input.path(), number + 1, force)?;
    }
    Ok(merged)
}

/// The rows of all files, in order.
struct Rows<'p> {
    walk: Walk<'p>,
    contigs: Arc<Contigs>,
    sieve: Arc<Sieve>,
    collapse: Collapse,
    /// Of gVCFs.
    blocks: Option<Blocks>,
    ready: VecDeque<Row>,
    is_done: bool,
}

impl Rows<'_> {
    fn next(&mut self) -> Result<Option<Row>, TogetherError> {
        while self.ready.is_empty() && !self.is_done {
            match self.walk.advance()? {
                Some(position) => self.take(position)?,
                None => {
                    self.is_done = true;
                    self.flush(None)?;
                }
            }
        }
        Ok(self.ready.pop_front())
    }

    /// Rows of blocks before a position.
    fn flush(&mut self, next: Option<(usize, i64)>) -> Result<(), TogetherError> {
        let Some(blocks) = &mut self.blocks else { return Ok(()) };
        let regions = self.sieve.regions.as_ref().map(|(regions, _)| regions);
        let failed = |error: blocks::BlockError| {
            TogetherError::Record(RecordProblem { place: "--gvcf".to_owned(), what: error.to_string() })
        };
        let rows = blocks.flush(next, regions).map_err(failed)?;
        self.ready.extend(rows);
        Ok(())
    }

    fn take(&mut self, position: Position) -> Result<(), TogetherError> {
        self.flush(Some((position.contig, position.position)))?;
        let name = self.contigs.name(position.contig).to_vec();
        let place = position.position;
        let failed = |what: String| {
            let place = format!("{}:{}", String::from_utf8_lossy(&name), place + 1);
            TogetherError::Record(RecordProblem { place, what })
        };
        let lines = first_row_first(position.lines);
        let rows = match &mut self.blocks {
            None => match select::simple(lines, place, End::AsItIs) {
                Ok(row) => vec![row],
                Err(lines) => {
                    let mut buffers: Vec<Buffer> = by_file(lines)
                        .into_iter()
                        .map(|(file, records)| {
                            let slot = |record| Slot::new(Arc::new(record), false);
                            Buffer::of_records(file, records.into_iter().map(slot).collect())
                        })
                        .collect();
                    select::rows(&mut buffers, self.collapse, place, End::AsItIs).map_err(failed)?
                }
            },
            Some(blocks) => {
                let staged = blocks.stage(position.contig, &name, place, by_file(lines));
                let mut buffers = staged.map_err(|error| failed(error.to_string()))?;
                let base = Buffer::base(&buffers);
                let rows = select::rows(&mut buffers, self.collapse, place, End::Gone).map_err(failed)?;
                blocks.passed(base);
                rows
            }
        };
        let Some((regions, _)) = &self.sieve.regions else {
            self.ready.extend(rows);
            return Ok(());
        };
        self.ready.extend(rows.into_iter().filter(|row| {
            let start = u64::try_from(place).unwrap_or(0);
            let mut alleles = row.alleles.clone();
            alleles::trim(&mut alleles);
            regions.meets(&name, Interval { start, end: start + (alleles[0].len() as u64).max(1) })
        }));
        Ok(())
    }
}

/// The records that the synchronised reader gives first stand before the others of their files.
fn first_row_first(lines: Vec<Line>) -> Vec<Line> {
    let has_more = lines.windows(2).any(|pair| pair[0].file == pair[1].file);
    let is_one = lines.windows(2).all(|pair| pair[0].file == pair[1].file);
    if is_one || !has_more {
        return lines;
    }
    let rows = pairing::rows(&lines, Pairing::Exact);
    let first = rows.into_iter().next().unwrap_or_default();
    let mut numbered: Vec<(usize, bool, usize, Line)> = lines
        .into_iter()
        .enumerate()
        .map(|(number, line)| (line.file, !first.contains(&number), number, line))
        .collect();
    numbered.sort_by_key(|(file, is_later, number, _)| (*file, *is_later, *number));
    numbered.into_iter().map(|(.., line)| line).collect()
}

fn by_file(lines: Vec<Line>) -> Vec<(usize, Vec<Record>)> {
    let mut files: Vec<(usize, Vec<Record>)> = Vec::new();
    for line in lines {
        match files.last_mut().filter(|(file, _)| *file == line.file) {
            Some((_, records)) => records.push(line.record),
            None => files.push((line.file, vec![line.record])),
        }
    }
    files
}
