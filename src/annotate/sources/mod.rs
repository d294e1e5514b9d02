//! Sources: what public files say of alleles (frequencies, classes, scores) and of regions, from databases of our own.
//!
//! [`build`] makes them, [`block`] is how alleles lie in a file, [`Sources`] adds fields to records. An allele matches in its
//! normal form: each ALT by itself, without what REF and ALT share, as far left as it goes. So it does not matter how
//! either side writes it.

pub mod block;
pub mod build;
mod intervals;
pub(super) mod normal;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::summary::Summaries;
use crate::formats::bases::Genome;
use crate::formats::fasta::Reference;
use crate::formats::ndb::{Ndb, NdbError, Section};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::{Column, Record};
use crate::genome::by_contig::ByContig;
use crate::records::pipeline::{RecordProblem, Revise};
use block::{Block, Key};
use intervals::Intervals;
use normal::Forms;

/// The kind of a database of alleles.
pub const ALLELES: &str = "alleles";
/// The kind of a database of regions.
pub const INTERVALS: &str = "intervals";

/// A field of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceField {
    /// Its name in the source.
    pub from: String,
    /// Its name in our output; `ID` is the ID column.
    pub name: String,
    /// Its type in VCF: Integer, Float or String.
    pub kind: String,
    /// What the source says of it.
    pub description: String,
}

/// What the head of a source has beside what all have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Details {
    /// The fields.
    pub fields: Vec<SourceField>,
    /// Alleles or regions.
    pub count: u64,
    /// Alleles that came again.
    pub duplicates: u64,
    /// Alleles that are no sequences.
    pub symbolic: u64,
    /// Whether alleles were aligned to the left with a reference.
    pub is_aligned: bool,
}

/// Where a block is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct BlockPlace {
    /// The position of its first allele, 0-based.
    first: i64,
    offset: u64,
    length: u64,
}

/// The blocks of a contig.
type Directory = Vec<(String, Vec<BlockPlace>)>;

/// An opened source.
pub struct Source {
    ndb: Ndb,
    details: Details,
    content: Content,
}

/// An allele of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAllele {
    /// Its place and bases.
    pub key: Key,
    /// The texts of the fields that were asked for; empty where one is missing.
    pub texts: Vec<Vec<u8>>,
}

enum Content {
    Alleles {
        /// Tells its blocks from those of others in a thread's cache.
        number: u64,
        blocks: Section,
        contigs: ByContig<Vec<BlockPlace>>,
    },
    Intervals(Intervals),
}

/// The blocks that a thread has read last, one for each source.
#[derive(Default)]
struct Cache(Vec<(u64, u64, Block)>);

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

impl Source {
    /// Opens a source that belongs to a reference.
    ///
    /// # Errors
    /// It is damaged, holds something else, or is of another build.
    pub fn open(path: &Path, reference: &Reference) -> Result<Self, NdbError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let ndb = Ndb::open(path)?;
        ndb.expect_kind(&[ALLELES, INTERVALS])?;
        ndb.expect_contigs(reference.contigs(), reference.path())?;
        let details: Details = serde_json::from_value(ndb.head().details.clone())
            .map_err(|error| ndb.damaged(format!("details: {error}")))?;
        let content = if ndb.head().kind == ALLELES {
            let directory = ndb.read_checked(ndb.section("directory")?)?;
            let directory: Directory = postcard::from_bytes(&directory)
                .map_err(|error| ndb.damaged(format!("directory: {error}")))?;
            let contigs = directory.into_iter().collect();
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            Content::Alleles { number, blocks: ndb.section("blocks")?.clone(), contigs }
        } else {
            Content::Intervals(Intervals::read(&ndb, details.fields.len())?)
        };
        Ok(Self { ndb, details, content })
    }

    /// The names that its fields have in the output.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.details.fields.iter().map(|field| field.name.as_str())
    }

    /// The number of the field that a name in the source has.
    pub fn field(&self, from: &str) -> Option<usize> {
        self.details.fields.iter().position(|field| field.from == from)
    }

    /// The database.
    pub fn ndb(&self) -> &Ndb {
        &self.ndb
    }

    /// The alleles that begin in a range (0-based, half-open), by place, with the texts of fields by their numbers; none of regions.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn alleles_within(
        &self,
        contig: &[u8],
        (start, end): (i64, i64),
        fields: &[usize],
    ) -> Result<Vec<SourceAllele>, NdbError> {
        let Content::Alleles { number, blocks, contigs } = &self.content else { return Ok(Vec::new()) };
        let places = contigs.get(contig).map_or(&[][..], Vec::as_slice);
        let first = places.partition_point(|place| place.first <= start).saturating_sub(1);
        let behind = places.partition_point(|place| place.first < end);
        let damaged = || self.ndb.damaged("a block is damaged");
        CACHE.with_borrow_mut(|cache| {
            let mut found = Vec::new();
            for place in places.get(first..behind).unwrap_or_default() {
                let block = cache.block(self, *number, blocks, place)?;
                for at in block.within(start, end) {
                    let key = block.key(at).ok_or_else(damaged)?;
                    let text = |field: &usize| block.value(at, *field).map(<[u8]>::to_vec);
                    let texts = fields.iter().map(text).collect::<Option<_>>().ok_or_else(damaged)?;
                    found.push(SourceAllele { key, texts });
                }
            }
            Ok(found)
        })
    }

    /// Whether its fields have a value for each alternate allele.
    pub fn is_by_allele(&self) -> bool {
        matches!(self.content, Content::Alleles { .. })
    }

    /// The lines that declare its fields.
    pub fn header_lines(&self) -> Vec<String> {
        let head = self.ndb.head();
        let made_from: Vec<String> =
            head.made_from.iter().map(|file| format!("{} {}", file.file, file.blake3)).collect();
        let mut lines = vec![format!("##norn_source=<ID={},From=\"{}\">", head.name, made_from.join(", "))];
        let number = if head.kind == ALLELES { "A" } else { "." };
        for SourceField { from, name, kind, description } in &self.details.fields {
            if name != "ID" {
                let what = if description.is_empty() { from } else { description };
                lines.push(format!(
                    "##INFO=<ID={name},Number={number},Type={kind},Description=\"{}: {}\">",
                    head.name,
                    what.replace('"', "'")
                ));
            }
        }
        lines
    }

    /// The values of alleles, one list a field, from the first of their forms that is there.
    fn values(&self, contig: &[u8], alleles: &[Forms], out: &mut [Vec<Vec<u8>>]) -> Result<(), NdbError> {
        let Content::Alleles { number, blocks, contigs } = &self.content else { return Ok(()) };
        let places = contigs.get(contig).map_or(&[][..], Vec::as_slice);
        let fields = self.details.fields.len();
        CACHE.with_borrow_mut(|cache| {
            for forms in alleles {
                let mut found = None;
                for (position, reference, alternate) in forms.of(self.details.is_aligned) {
                    let behind = places.partition_point(|place| place.first <= *position);
                    let Some(place) = behind.checked_sub(1).and_then(|at| places.get(at)) else { continue };
                    let block = cache.block(self, *number, blocks, place)?;
                    if let Some(at) = block.find(*position, reference, alternate) {
                        found = Some((place, at));
                        break;
                    }
                }
                let found = match found {
                    Some((place, at)) => Some((cache.block(self, *number, blocks, place)?, at)),
                    None => None,
                };
                let Some((block, at)) = found else {
                    out.iter_mut().for_each(|values| values.push(Vec::new()));
                    continue;
                };
                for (field, values) in out.iter_mut().enumerate().take(fields) {
                    let value =
                        block.value(at, field).ok_or_else(|| self.ndb.damaged("a block is damaged"))?;
                    values.push(value.to_vec());
                }
            }
            Ok(())
        })
    }
}

impl Cache {
    fn block(
        &mut self,
        source: &Source,
        number: u64,
        blocks: &Section,
        place: &BlockPlace,
    ) -> Result<&mut Block, NdbError> {
        let slot = match self.0.iter().position(|(known, ..)| *known == number) {
            Some(slot) => slot,
            None => {
                self.0.push((number, u64::MAX, Block::default()));
                self.0.len() - 1
            }
        };
        let (_, offset, block) = &mut self.0[slot];
        if *offset != place.offset {
            *offset = u64::MAX;
            let mut bytes = Vec::new();
            source.ndb.read(blocks, place.offset, place.length, &mut bytes)?;
            let is_sound = block.read(bytes, source.details.fields.len());
            is_sound.ok_or_else(|| source.ndb.damaged("a block is damaged"))?;
            *offset = place.offset;
        }
        Ok(block)
    }
}

/// Adds the fields of sources to records.
pub struct Sources {
    sources: Vec<Source>,
    genome: Genome,
    /// Where records with a value are counted, if they are.
    summaries: Option<Arc<Summaries>>,
}

impl Sources {
    /// Sources over one reference.
    pub fn new(sources: Vec<Source>, genome: Genome) -> Self {
        Self { sources, genome, summaries: None }
    }

    /// The same that counts records with a value.
    pub fn counting(self, summaries: Arc<Summaries>) -> Self {
        Self { summaries: Some(summaries), ..self }
    }

    /// The header with their fields declared.
    pub fn header(&self, header: &Header) -> Header {
        let mut header = header.clone();
        for source in &self.sources {
            let names: Vec<&String> = source.details.fields.iter().map(|field| &field.name).collect();
            header.retain(|line| {
                !(line.key() == "INFO" && names.iter().any(|name| line.get("ID") == Some(name.as_str())))
            });
            source.header_lines().iter().for_each(|line| header.add(line));
        }
        header
    }
}

impl Revise for Sources {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let failed =
            |record: &Record, error: &dyn std::fmt::Display| RecordProblem::at(record, error.to_string());
        let alleles = normal::forms(record, &self.genome).map_err(|error| failed(record, &error))?;
        let mut ids: Vec<Vec<u8>> = Vec::new();
        for source in &self.sources {
            let mut lists = vec![Vec::new(); source.details.fields.len()];
            match &source.content {
                Content::Alleles { .. } => {
                    source
                        .values(record.chrom(), &alleles, &mut lists)
                        .map_err(|error| failed(record, &error))?;
                }
                Content::Intervals(intervals) => {
                    let start = record.position();
                    let end = start + record.reference().len() as i64;
                    intervals.values(record.chrom(), start, end, &source.details.fields, &mut lists);
                }
            }
            if let Some(summaries) = &self.summaries
                && lists.iter().flatten().any(|value| !value.is_empty())
            {
                let name = &source.ndb.head().name;
                summaries.observe(|summary| *summary.sources.entry(name.clone()).or_default() += 1);
            }
            for (field, values) in source.details.fields.iter().zip(lists) {
                if values.iter().all(Vec::is_empty) {
                    continue;
                }
                if field.name == "ID" {
                    ids.extend(values.into_iter().filter(|id| !id.is_empty()));
                    continue;
                }
                let values: Vec<&[u8]> = values
                    .iter()
                    .map(|value| if value.is_empty() { b".".as_slice() } else { value })
                    .collect();
                record.set_info(field.name.as_bytes(), Some(&values.join(&b',')));
            }
        }
        if !ids.is_empty() {
            let column = record.column(Column::Id).to_vec();
            let mut all: Vec<&[u8]> = column.split(|byte| *byte == b';').filter(|id| *id != b".").collect();
            for id in &ids {
                if !all.contains(&id.as_slice()) {
                    all.push(id);
                }
            }
            let joined = all.join(&b';');
            record.set_column(Column::Id, &joined);
        }
        Ok(true)
    }
}
