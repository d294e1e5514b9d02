//! Databases of sources from VCF, BCF, tables and BED.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::block::{BlockBuilder, Key};
use super::intervals::{DISTANCE, Interval};
use super::normal;
use super::{ALLELES, BlockPlace, Details, Directory, INTERVALS, SourceField};
use crate::formats::bases::Genome;
use crate::formats::fasta::{FastaError, Reference};
use crate::formats::ndb::{Head, MadeFrom, NdbError, NdbWriter};
use crate::formats::text;
use crate::formats::vcf::header::{Header, Number, Type};
use crate::formats::vcf::reader::{VariantError, VariantReader};
use crate::formats::vcf::record::{Column, Record};
use crate::records::pipeline::{PipelineError, records_of};

/// The files of a source.
#[derive(Clone, Debug)]
pub enum Files {
    /// VCF or BCF.
    Vcf(Vec<PathBuf>),
    /// Tables with a line of names.
    Table(Vec<PathBuf>),
    /// BED.
    Bed(Vec<PathBuf>),
}

/// What is to be made.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The source's name.
    pub name: String,
    /// Its files.
    pub files: Files,
    /// Fields: name in the source and name in the output.
    pub fields: Vec<(String, String)>,
    /// Names of a table's columns for contig, position, REF and ALT.
    pub columns: Option<[String; 4]>,
}

/// Why a source could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file of variants cannot be read.
    #[error(transparent)]
    Variants(#[from] VariantError),
    /// A record is broken.
    #[error(transparent)]
    Record(#[from] PipelineError),
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] FastaError),
    /// The database cannot be written.
    #[error(transparent)]
    Database(#[from] NdbError),
    /// A text cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file lacks something, or is not in order.
    #[error("{path}: {what}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Makes a source. With a reference alleles are aligned to the left.
///
/// # Errors
/// A file cannot be read, lacks a field or is not sorted, or the database cannot be written.
pub fn build(
    plan: &Plan,
    reference: Option<(&Reference, &Genome)>,
    path: &Path,
) -> Result<Details, BuildError> {
    let (paths, kind) = match &plan.files {
        Files::Vcf(paths) | Files::Table(paths) => (paths, ALLELES),
        Files::Bed(paths) => (paths, INTERVALS),
    };
    let mut writer = NdbWriter::create(path)?;
    let details = match &plan.files {
        Files::Bed(_) => intervals(plan, paths, &mut writer)?,
        _ => alleles(plan, paths, reference.map(|(_, genome)| genome), &mut writer)?,
    };
    let failed =
        |error: serde_json::Error| BuildError::File { path: path.to_owned(), what: error.to_string() };
    writer.finish(Head {
        kind: kind.to_owned(),
        name: plan.name.clone(),
        norn: env!("CARGO_PKG_VERSION").to_owned(),
        made_from: paths.iter().map(|path| MadeFrom::file(path)).collect::<Result<_, _>>()?,
        contigs: reference.map_or_else(Vec::new, |(reference, _)| reference.contigs().to_vec()),
        details: serde_json::to_value(&details).map_err(failed)?,
        sections: Vec::new(),
    })?;
    Ok(details)
}

fn alleles(
    plan: &Plan,
    paths: &[PathBuf],
    genome: Option<&Genome>,
    writer: &mut NdbWriter,
) -> Result<Details, BuildError> {
    writer.begin("blocks");
    let mut fields: Vec<SourceField> = plan
        .fields
        .iter()
        .map(|(from, name)| SourceField {
            from: from.clone(),
            name: name.clone(),
            kind: String::new(),
            description: String::new(),
        })
        .collect();
    let mut sorter = Sorter::new(fields.len(), genome, writer);
    for path in paths {
        sorter.path.clone_from(path);
        match &plan.files {
            Files::Vcf(_) => read_vcf(path, &mut fields, &mut sorter)?,
            _ => read_table(path, plan, &mut sorter)?,
        }
    }
    sorter.end_contig()?;
    let Sorter { directory, count, duplicates, symbolic, kinds, .. } = sorter;
    for (field, seen) in fields.iter_mut().zip(kinds) {
        if field.kind.is_empty() {
            field.kind = seen.name().to_owned();
        }
    }
    writer.begin("directory");
    let bytes = postcard::to_stdvec(&directory)
        .map_err(|error| BuildError::File { path: paths[0].clone(), what: error.to_string() })?;
    writer.write(&bytes)?;
    Ok(Details { fields, count, duplicates, symbolic, is_aligned: genome.is_some() })
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kinds {
    are_integers: bool,
    are_reals: bool,
}

impl Kinds {
    fn note(&mut self, value: &[u8]) {
        if value.is_empty() {
            return;
        }
        let text = std::str::from_utf8(value).unwrap_or("x");
        self.are_integers &= text.parse::<i32>().is_ok();
        self.are_reals &= self.are_integers || text.parse::<f64>().is_ok();
    }

    fn name(self) -> &'static str {
        match self {
            Self { are_integers: true, .. } => "Integer",
            Self { are_reals: true, .. } => "Float",
            _ => "String",
        }
    }
}

/// Puts alleles in the order of their normal forms, which are a little left of where they stand, and writes blocks.
struct Sorter<'w> {
    path: PathBuf,
    genome: Option<&'w Genome>,
    writer: &'w mut NdbWriter,
    waiting: BTreeMap<Key, Vec<Vec<u8>>>,
    block: BlockBuilder,
    contig: Option<String>,
    done: FxHashSet<String>,
    last: i64,
    directory: Directory,
    fields: usize,
    kinds: Vec<Kinds>,
    count: u64,
    duplicates: u64,
    symbolic: u64,
}

/// Further than an allele moves.
const REACH: i64 = 10_000;

impl<'w> Sorter<'w> {
    fn new(fields: usize, genome: Option<&'w Genome>, writer: &'w mut NdbWriter) -> Self {
        Self {
            path: PathBuf::new(),
            genome,
            writer,
            waiting: BTreeMap::new(),
            block: BlockBuilder::new(fields),
            contig: None,
            done: FxHashSet::default(),
            last: 0,
            directory: Vec::new(),
            fields,
            kinds: vec![Kinds { are_integers: true, are_reals: true }; fields],
            count: 0,
            duplicates: 0,
            symbolic: 0,
        }
    }

    fn wrong(&self, what: String) -> BuildError {
        BuildError::File { path: self.path.clone(), what }
    }

    /// Adds an allele with its values; an empty one is missing.
    fn add(
        &mut self,
        contig: &[u8],
        position: i64,
        reference: &[u8],
        alternate: &[u8],
        values: Vec<Vec<u8>>,
    ) -> Result<(), BuildError> {
        let name = String::from_utf8_lossy(contig);
        if self.contig.as_deref() != Some(&name) {
            self.end_contig()?;
            if self.done.contains(name.as_ref()) {
                return Err(self.wrong(format!("records of {name} do not stand together: sort it")));
            }
            self.contig = Some(name.clone().into_owned());
            self.last = 0;
        }
        if position < self.last {
            return Err(self.wrong(format!(
                "{name}:{} stands behind {}: sort it",
                position + 1,
                self.last + 1
            )));
        }
        self.last = position;
        let (reference, alternate) = (reference.to_ascii_uppercase(), alternate.to_ascii_uppercase());
        let number = self.genome.and_then(|genome| genome.contig_like(contig));
        let key = match (self.genome, number) {
            (Some(genome), Some(number)) if reference.len() > 1 || alternate.len() > 1 => {
                genome.with(number, |bases| normal::key(position, &reference, &alternate, Some(bases)))?
            }
            _ => normal::key(position, &reference, &alternate, None),
        };
        let Some(key) = key else {
            self.symbolic += 1;
            return Ok(());
        };
        self.kinds.iter_mut().zip(&values).for_each(|(kinds, value)| kinds.note(value));
        match self.waiting.entry(key) {
            Entry::Occupied(mut first) => {
                self.duplicates += 1;
                for (known, value) in first.get_mut().iter_mut().zip(values) {
                    if known.is_empty() {
                        *known = value;
                    }
                }
            }
            Entry::Vacant(place) => {
                place.insert(values);
                self.count += 1;
            }
        }
        self.write_before(position - REACH)
    }

    fn write_before(&mut self, position: i64) -> Result<(), BuildError> {
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 < position
        {
            let (key, values) = entry.remove_entry();
            if self.block.is_full_before(key.0) {
                self.write_block()?;
            }
            self.block.push(key, &values);
        }
        Ok(())
    }

    fn write_block(&mut self) -> Result<(), BuildError> {
        let block = std::mem::replace(&mut self.block, BlockBuilder::new(self.fields));
        let (Some(first), Some(contig)) = (block.first(), &self.contig) else { return Ok(()) };
        let bytes = block.bytes();
        let offset = self.writer.write(&bytes)?;
        let place = BlockPlace { first, offset, length: bytes.len() as u64 };
        match self.directory.last_mut() {
            Some((last, places)) if last == contig => places.push(place),
            _ => self.directory.push((contig.clone(), vec![place])),
        }
        Ok(())
    }

    fn end_contig(&mut self) -> Result<(), BuildError> {
        self.write_before(i64::MAX)?;
        self.write_block()?;
        if let Some(contig) = self.contig.take() {
            self.done.insert(contig);
        }
        Ok(())
    }
}

/// How a field of VCF is shared among alleles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    Id,
    Filter,
    Flag,
    PerAlternate,
    PerAllele,
    Whole,
}

fn read_vcf(path: &Path, fields: &mut [SourceField], sorter: &mut Sorter<'_>) -> Result<(), BuildError> {
    let mut reader = VariantReader::open(path)?;
    let shares =
        fields.iter_mut().map(|field| share(path, field, reader.header())).collect::<Result<Vec<_>, _>>()?;
    while let Some(batch) = reader.next_batch()? {
        for record in records_of(path, batch, reader.dictionary().as_deref())? {
            let texts: Vec<Vec<u8>> = fields
                .iter()
                .zip(&shares)
                .map(|(field, share)| text_of(&record, &field.from, *share))
                .collect();
            for (allele, alternate) in record.alternates().enumerate() {
                let values = texts.iter().zip(&shares).map(|(text, share)| {
                    let part =
                        |number: usize| text.split(|byte| *byte == b',').nth(number).unwrap_or_default();
                    let value = match share {
                        Share::PerAlternate => part(allele),
                        Share::PerAllele => part(allele + 1),
                        _ => text,
                    };
                    clean(value)
                });
                let values = values.collect();
                sorter.add(record.chrom(), record.position(), record.reference(), alternate, values)?;
            }
        }
    }
    Ok(())
}

fn share(path: &Path, field: &mut SourceField, header: &Header) -> Result<Share, BuildError> {
    match field.from.as_str() {
        "ID" => {
            field.kind = "String".to_owned();
            return Ok(Share::Id);
        }
        "FILTER" => {
            field.kind = "String".to_owned();
            return Ok(Share::Filter);
        }
        _ => {}
    }
    let Some(definition) = header.info(field.from.as_bytes()) else {
        let what = format!("the header does not declare INFO {}", field.from);
        return Err(BuildError::File { path: path.to_owned(), what });
    };
    let line = header.lines().iter().find(|line| line.key() == "INFO" && line.get("ID") == Some(&field.from));
    if field.description.is_empty() {
        field.description =
            line.and_then(|line| line.get("Description")).unwrap_or_default().trim_matches('"').to_owned();
    }
    let share = match (definition.kind, definition.number) {
        (Type::Flag, _) => Share::Flag,
        (_, Number::Alternates) => Share::PerAlternate,
        (_, Number::Alleles) => Share::PerAllele,
        _ => Share::Whole,
    };
    let is_one = matches!(definition.number, Number::Alternates | Number::Alleles | Number::Count(1));
    field.kind = match definition.kind {
        Type::Flag => "Integer",
        Type::Integer if is_one => "Integer",
        Type::Float if is_one => "Float",
        _ => "String",
    }
    .to_owned();
    Ok(share)
}

fn text_of(record: &Record, name: &str, share: Share) -> Vec<u8> {
    match share {
        Share::Id => record.column(Column::Id).to_vec(),
        Share::Filter => record.column(Column::Filter).to_vec(),
        Share::Flag => record.info(name.as_bytes()).map_or_else(Vec::new, |_| b"1".to_vec()),
        _ => record.info(name.as_bytes()).unwrap_or_default().to_vec(),
    }
}

/// A value as it can stand in a list of INFO: empty where it is missing.
fn clean(value: &[u8]) -> Vec<u8> {
    if value == b"." {
        return Vec::new();
    }
    let letter = |byte: &u8| match byte {
        b',' | b';' => b'&',
        b'=' => b':',
        byte if byte.is_ascii_whitespace() => b'_',
        byte => *byte,
    };
    value.iter().map(letter).collect()
}

/// Names of columns, in small letters and without `#`, that tables have for contig, position, REF and ALT.
const COLUMNS: [&[&str]; 4] = [
    &["chrom", "chr", "chromosome", "contig"],
    &["pos", "position", "start", "hg38_pos", "grch38_pos", "pos(1-based)", "coordinate"],
    &["ref", "reference", "ref_allele"],
    &["alt", "alternate", "alternative", "alt_allele"],
];

fn read_table(path: &Path, plan: &Plan, sorter: &mut Sorter<'_>) -> Result<(), BuildError> {
    let io = |source| BuildError::Io { path: path.to_owned(), source };
    let mut reader = text::open(path).map_err(io)?;
    let (mut line, mut number, mut columns) = (Vec::new(), 0u64, None);
    while text::read_line(&mut reader, &mut line).map_err(io)? {
        number += 1;
        // Tables of CADD, SpliceAI and AlphaMissense have lines of words before the names.
        if line.starts_with(b"##") || line.is_empty() {
            continue;
        }
        let separator = if line.contains(&b'\t') { b'\t' } else { b',' };
        let cells: Vec<&[u8]> = line.split(|byte| *byte == separator).collect();
        let Some((places, wanted)) = &columns else {
            let found = table_columns(&cells, plan);
            match found {
                Ok(found) => columns = Some(found),
                Err(_) if line.starts_with(b"#") => {}
                Err(what) => return Err(sorter.wrong(format!("line {number}: {what}"))),
            }
            continue;
        };
        let get = |at: usize| cells.get(at).copied().unwrap_or_default();
        let [contig, position, reference, alternate] = places.map(get);
        let position =
            std::str::from_utf8(position).ok().and_then(|text| text.parse::<i64>().ok()).filter(|at| *at > 0);
        let Some(position) = position else {
            return Err(sorter.wrong(format!("line {number}: the position is no number above 0")));
        };
        let values = wanted.iter().map(|at| clean(get(*at))).collect();
        sorter.add(contig, position - 1, reference, alternate, values)?;
    }
    if columns.is_none() {
        return Err(sorter.wrong("it has no line of names".to_owned()));
    }
    Ok(())
}

/// Where the columns of place and allele are, and those of the fields.
fn table_columns(names: &[&[u8]], plan: &Plan) -> Result<([usize; 4], Vec<usize>), String> {
    let names: Vec<String> = names
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('#').trim().to_owned())
        .collect();
    let exact = |wanted: &str| names.iter().position(|name| name == wanted);
    let mut places = [0; 4];
    for (number, place) in places.iter_mut().enumerate() {
        let found = match &plan.columns {
            Some(columns) => exact(&columns[number]),
            None => {
                names.iter().position(|name| COLUMNS[number].contains(&name.to_ascii_lowercase().as_str()))
            }
        };
        let what = ["contig", "position", "REF", "ALT"][number];
        *place = found.ok_or_else(|| format!("no column for the {what} (--columns names them)"))?;
    }
    let field =
        |(from, _): &(String, String)| exact(from).ok_or_else(|| format!("there is no column {from}"));
    Ok((places, plan.fields.iter().map(field).collect::<Result<_, _>>()?))
}

fn intervals(plan: &Plan, paths: &[PathBuf], writer: &mut NdbWriter) -> Result<Details, BuildError> {
    let mut all: BTreeMap<String, Vec<Interval>> = BTreeMap::new();
    let mut kinds = vec![Kinds { are_integers: true, are_reals: true }; plan.fields.len()];
    let mut count = 0;
    for path in paths {
        let io = |source| BuildError::Io { path: path.clone(), source };
        let wrong = |what: String| BuildError::File { path: path.clone(), what };
        let columns = plan.fields.iter().map(|(from, _)| {
            // Distances are told when variants are.
            let column = if from == DISTANCE { Some(usize::MAX) } else { from.parse::<usize>().ok() };
            column.filter(|column| *column > 3).ok_or_else(|| {
                wrong(format!("fields of a BED are numbers of columns from 4 on, or {DISTANCE}, not {from}"))
            })
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut reader = text::open(path).map_err(io)?;
        let (mut line, mut number) = (Vec::new(), 0u64);
        while text::read_line(&mut reader, &mut line).map_err(io)? {
            number += 1;
            let is_other = [&b"#"[..], b"track", b"browser"].iter().any(|word| line.starts_with(word));
            if line.is_empty() || is_other {
                continue;
            }
            let cells: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
            let at = |column: usize| cells.get(column).copied().unwrap_or_default();
            let place = |column: usize| {
                std::str::from_utf8(at(column)).ok().and_then(|text| text.parse::<i64>().ok())
            };
            let (Some(start), Some(end)) = (place(1), place(2)) else {
                return Err(wrong(format!("line {number}: start and end are no numbers")));
            };
            if start < 0 || end < start {
                return Err(wrong(format!("line {number}: the end lies before the start")));
            }
            let values: Vec<Vec<u8>> =
                columns.iter().map(|column| clean(at(column.saturating_sub(1)))).collect();
            kinds.iter_mut().zip(&values).for_each(|(kinds, value)| kinds.note(value));
            let values = values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
            let contig = String::from_utf8_lossy(at(0)).into_owned();
            all.entry(contig).or_default().push(Interval { start, end, values });
            count += 1;
        }
    }
    writer.begin("intervals");
    let all: Vec<(String, Vec<Interval>)> = all.into_iter().collect();
    let bytes = postcard::to_stdvec(&all)
        .map_err(|error| BuildError::File { path: paths[0].clone(), what: error.to_string() })?;
    writer.write(&bytes)?;
    let fields = plan.fields.iter().zip(kinds).map(|((from, name), kinds)| SourceField {
        from: from.clone(),
        name: name.clone(),
        kind: kinds.name().to_owned(),
        description: if from == DISTANCE { "bases to the nearest region".into() } else { String::new() },
    });
    Ok(Details { fields: fields.collect(), count, duplicates: 0, symbolic: 0, is_aligned: false })
}
