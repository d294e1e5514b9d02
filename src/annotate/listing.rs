//! Annotated records as VEP lists them elsewhere than in VCF: a table of a line an entry (`--tab`), or JSON of a line a record
//! (`--json`).
//!
//! Columns, keys and values are those of Ensembl VEP 114. Listings are made of the records' own entries.

use serde_json::{Map, Value, json};

use super::breakend::{is_breakend, is_single};
use super::csq::Field;
use super::structural::Class;
use super::terms::{Term, Terms};
use super::variant::Variant;
use crate::formats::vcf::record::{Column as RecordColumn, Record};

/// Which listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Tabs between columns, `-` where there is nothing.
    Tab,
    /// JSON lines.
    Json,
}

/// A tag that a source adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTag {
    /// The tag.
    pub name: String,
    /// Whether it has a value for each ALT.
    pub is_by_allele: bool,
}

/// Lists records.
#[derive(Clone, Debug)]
pub struct Listing {
    form: Form,
    /// The tag that holds the entries.
    tag: String,
    /// The parts of an entry.
    fields: Vec<Field>,
    /// Those of them that are told.
    shown: Vec<Field>,
    columns: Vec<Column>,
    sources: Vec<SourceTag>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    /// ID, or else place and alleles.
    Uploaded,
    /// Contig and range.
    Location,
    /// Part of the entry by its number.
    Entry(usize, Field),
    /// Variants known at the place: VEP reads them from a cache; here sources stand for them.
    Existing,
    /// Field of a source by its number.
    Source(usize),
}

/// The columns that VEP's tables begin with; the other fields follow.
const FIRST: [Result<Field, &str>; 13] = [
    Err("Uploaded_variation"),
    Err("Location"),
    Ok(Field::Allele),
    Ok(Field::Gene),
    Ok(Field::Feature),
    Ok(Field::FeatureType),
    Ok(Field::Consequence),
    Ok(Field::CdnaPosition),
    Ok(Field::CdsPosition),
    Ok(Field::ProteinPosition),
    Ok(Field::AminoAcids),
    Ok(Field::Codons),
    Err("Existing_variation"),
];

/// The order in which VEP's tables have the others.
const REST: [Field; 25] = [
    Field::AlleleNumber,
    Field::Impact,
    Field::Distance,
    Field::Strand,
    Field::Flags,
    Field::Pick,
    Field::Symbol,
    Field::Biotype,
    Field::Canonical,
    Field::Mane,
    Field::ManeSelect,
    Field::ManePlusClinical,
    Field::Tsl,
    Field::Appris,
    Field::Ccds,
    Field::Protein,
    Field::SwissProt,
    Field::Trembl,
    Field::UniParc,
    Field::UniProtIsoform,
    Field::Exon,
    Field::Intron,
    Field::HgvsC,
    Field::HgvsP,
    Field::HgvsOffset,
];

impl Listing {
    /// Of entries with these fields under a tag: those that are to be shown, in VEP's order; then the sources' fields.
    pub fn new(form: Form, tag: &str, fields: &[Field], shown: &[Field], sources: Vec<SourceTag>) -> Self {
        let number = |wanted: Field| {
            fields.iter().position(|field| *field == wanted).filter(|_| shown.contains(&wanted))
        };
        let mut columns: Vec<Column> = FIRST
            .iter()
            .filter_map(|column| match column {
                Ok(field) => number(*field).map(|number| Column::Entry(number, *field)),
                Err(name) => Column::special(name),
            })
            .collect();
        let is_first = |field: &Field| FIRST.iter().any(|column| column.as_ref() == Ok(field));
        let rest = REST.iter().chain(fields.iter().filter(|field| !REST.contains(field) && !is_first(field)));
        columns.extend(rest.filter_map(|field| number(*field).map(|number| Column::Entry(number, *field))));
        columns.extend((0..sources.len()).map(Column::Source));
        Self { form, tag: tag.to_owned(), fields: fields.to_vec(), shown: shown.to_vec(), columns, sources }
    }

    /// The same with these columns of a table; the first that is not known is the error.
    ///
    /// # Errors
    /// There is no such column.
    pub fn with_columns<'n>(mut self, names: impl Iterator<Item = &'n str>) -> Result<Self, &'n str> {
        let column = |name: &'n str| {
            let of_entry = || {
                let field = Field::parse(name)?;
                Some(Column::Entry(self.fields.iter().position(|known| *known == field)?, field))
            };
            let of_source = || self.sources.iter().position(|source| source.name == name).map(Column::Source);
            Column::special(name).or_else(of_entry).or_else(of_source).ok_or(name)
        };
        self.columns = names.map(column).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Whether it is a name of a column that is no part of an entry.
    pub fn is_special(name: &str) -> bool {
        Column::special(name).is_some()
    }

    /// What stands above the lines; `notes` become comments of a table.
    pub fn header(&self, notes: &[String]) -> Vec<u8> {
        if self.form == Form::Json {
            return Vec::new();
        }
        let mut text: String = notes.iter().map(|note| format!("## {note}\n")).collect();
        let names: Vec<&str> = self.columns.iter().map(|column| self.name(column)).collect();
        text.push_str(&format!("#{}\n", names.join("\t")));
        text.into_bytes()
    }

    fn name<'l>(&'l self, column: &'l Column) -> &'l str {
        match column {
            Column::Uploaded => "Uploaded_variation",
            Column::Location => "Location",
            Column::Existing => "Existing_variation",
            Column::Entry(_, field) => field.name(),
            Column::Source(number) => self.sources.get(*number).map_or("", |source| &source.name),
        }
    }

    /// Adds the lines of a record.
    pub fn write(&self, record: &Record, out: &mut Vec<u8>) {
        let Some(text) = record.info(self.tag.as_bytes()) else { return };
        let text = String::from_utf8_lossy(text);
        let entries = text.split(',').map(|entry| entry.split('|').collect::<Vec<_>>());
        match self.form {
            Form::Tab => self.write_table(record, entries, out),
            Form::Json => {
                out.extend_from_slice(self.object(record, entries).to_string().as_bytes());
                out.push(b'\n');
            }
        }
    }

    fn write_table<'t>(
        &self,
        record: &Record,
        entries: impl Iterator<Item = Vec<&'t str>>,
        out: &mut Vec<u8>,
    ) {
        let (start, end) = extent(record);
        let chrom = String::from_utf8_lossy(record.chrom());
        let uploaded = match record.column(RecordColumn::Id) {
            b"." => format!("{chrom}_{start}_{}", alleles(record)),
            id => String::from_utf8_lossy(id).into_owned(),
        };
        let location = match (start.min(end), start.max(end)) {
            (first, last) if first == last => format!("{chrom}:{first}"),
            (first, last) => format!("{chrom}:{first}-{last}"),
        };
        for entry in entries {
            for (number, column) in self.columns.iter().enumerate() {
                if number > 0 {
                    out.push(b'\t');
                }
                let value = match column {
                    Column::Uploaded => uploaded.clone(),
                    Column::Location => location.clone(),
                    Column::Existing => String::new(),
                    Column::Entry(at, field) if is_list(*field) => {
                        entry.get(*at).copied().unwrap_or_default().replace('&', ",")
                    }
                    Column::Entry(at, _) => entry.get(*at).copied().unwrap_or_default().to_owned(),
                    Column::Source(number) => self.source_value(record, *number, &entry).unwrap_or_default(),
                };
                out.extend_from_slice(if value.is_empty() { b"-" } else { value.as_bytes() });
            }
            out.push(b'\n');
        }
    }

    /// What a source says of an entry's allele.
    fn source_value(&self, record: &Record, number: usize, entry: &[&str]) -> Option<String> {
        let source = self.sources.get(number)?;
        let text = record.info(source.name.as_bytes())?;
        let value = if source.is_by_allele {
            let at = self.fields.iter().position(|field| *field == Field::AlleleNumber)?;
            let allele: usize = entry.get(at)?.parse().ok()?;
            text.split(|letter| *letter == b',').nth(allele.checked_sub(1)?)?
        } else {
            text
        };
        (value != b".").then(|| String::from_utf8_lossy(value).into_owned())
    }

    fn object<'t>(&self, record: &Record, entries: impl Iterator<Item = Vec<&'t str>>) -> Value {
        let (start, end) = extent(record);
        let mut object = Map::new();
        object.insert("id".into(), text_of(record.column(RecordColumn::Id)));
        object.insert("seq_region_name".into(), text_of(record.chrom()));
        object.insert("start".into(), json!(start));
        object.insert("end".into(), json!(end));
        object.insert("strand".into(), json!(1));
        object.insert("allele_string".into(), json!(trimmed_alleles(record)));
        object.insert("assembly_name".into(), Value::Null);
        object.insert("input".into(), json!(self.input(record)));
        let (mut terms, mut lists): (Vec<Term>, [Vec<Value>; 2]) = (Vec::new(), Default::default());
        let mut custom: Map<String, Value> = Map::new();
        let mut alleles_told = Vec::new();
        for entry in entries {
            let mut part = Map::new();
            for (field, value) in self.fields.iter().zip(&entry) {
                if *field == Field::Consequence {
                    terms.extend(value.split('&').filter_map(Term::parse));
                }
                if self.shown.contains(field) {
                    insert(&mut part, *field, value);
                }
            }
            let allele = part.get("variant_allele").cloned().unwrap_or_default();
            if !alleles_told.contains(&allele) {
                for (number, source) in self.sources.iter().enumerate() {
                    if let Some(value) = self.source_value(record, number, &entry) {
                        let list = custom.entry(&source.name).or_insert_with(|| json!([]));
                        if let Value::Array(list) = list {
                            list.push(json!({ "allele": allele, "value": number_or_text(&value) }));
                        }
                    }
                }
                alleles_told.push(allele);
            }
            lists[usize::from(!part.contains_key("transcript_id"))].push(Value::Object(part));
        }
        let mut all = Terms::default();
        terms.into_iter().for_each(|term| all.insert(term));
        object.insert("most_severe_consequence".into(), json!(all.most_severe().map_or("?", Term::name)));
        for (name, list) in ["transcript_consequences", "intergenic_consequences"].into_iter().zip(lists) {
            if !list.is_empty() {
                object.insert(name.into(), Value::Array(list));
            }
        }
        if !custom.is_empty() {
            object.insert("custom_annotations".into(), Value::Object(custom));
        }
        Value::Object(object)
    }

    /// The record's line without what was added to it.
    fn input(&self, record: &Record) -> String {
        let mut record = record.clone();
        let is_added = |tag: &[u8]| {
            tag == self.tag.as_bytes() || self.sources.iter().any(|source| source.name.as_bytes() == tag)
        };
        record.retain_info(|tag| !is_added(tag));
        let mut line = Vec::new();
        record.write(&mut line);
        String::from_utf8_lossy(&line).into_owned()
    }
}

impl Column {
    fn special(name: &str) -> Option<Self> {
        match name {
            "Uploaded_variation" => Some(Self::Uploaded),
            "Location" => Some(Self::Location),
            "Existing_variation" => Some(Self::Existing),
            _ => None,
        }
    }
}

fn is_list(field: Field) -> bool {
    matches!(
        field,
        Field::Consequence
            | Field::Flags
            | Field::Mane
            | Field::Ps1
            | Field::Pm5
            | Field::ResidueOther
            | Field::SwissProt
            | Field::Trembl
            | Field::UniParc
            | Field::UniProtIsoform
    )
}

/// First and last base of a record as VEP has it: an insertion ends before it starts, breakends lie behind POS.
fn extent(record: &Record) -> (i64, i64) {
    let position = record.position() + 1;
    if record.alternates().any(is_breakend) {
        return (position + 1, position + 1);
    }
    let found = first_allele(record).map(|variant| (variant.start, variant.end));
    found.unwrap_or((position, position + record.reference().len() as i64 - 1))
}

fn first_allele(record: &Record) -> Option<Variant<'_>> {
    let sequences = Variant::all(record.position() + 1, record.reference(), record.alternates(), false);
    let mut numbered = sequences.zip(record.alternates()).enumerate();
    numbered.find_map(|(number, (variant, allele))| {
        variant.or_else(|| Variant::structural(record, number, allele).ok())
    })
}

fn alleles(record: &Record) -> String {
    let texts: Vec<_> = all_alleles(record).map(String::from_utf8_lossy).collect();
    texts.join("/")
}

fn all_alleles(record: &Record) -> impl Iterator<Item = &[u8]> {
    let is_symbolic =
        |allele: &[u8]| is_single(allele) || Class::parse(allele, record.info(b"SVTYPE")).is_some();
    let has_sequence = record.alternates().any(|allele| !is_symbolic(allele));
    has_sequence.then(|| record.reference()).into_iter().chain(record.alternates())
}

/// The alleles without what is cut off them.
fn trimmed_alleles(record: &Record) -> String {
    if let (1, Some(only)) = (record.alternates().count(), first_allele(record))
        && only.class.is_none()
    {
        let texts = [only.reference, only.alternate].map(|bases| match bases {
            [] => "-".into(),
            bases => String::from_utf8_lossy(bases),
        });
        return texts.join("/");
    }
    let has_breakend = record.alternates().any(is_breakend);
    let cut = usize::try_from(extent(record).0 - record.position() - 1).unwrap_or(0);
    let texts: Vec<_> = all_alleles(record)
        .map(|allele| match allele {
            symbolic if symbolic.starts_with(b"<") || symbolic == b"*" => String::from_utf8_lossy(symbolic),
            _ if has_breakend => String::from_utf8_lossy(allele),
            bases => match bases.get(cut..) {
                None | Some([]) => "-".into(),
                Some(rest) => String::from_utf8_lossy(rest),
            },
        })
        .collect();
    texts.join("/")
}

/// Adds a part of an entry under VEP's key, if there is anything in it.
fn insert(object: &mut Map<String, Value>, field: Field, value: &str) {
    let key = match field {
        Field::Consequence => "consequence_terms",
        Field::Gene => "gene_id",
        Field::Allele => "variant_allele",
        Field::Symbol => "gene_symbol",
        Field::Protein => "protein_id",
        Field::Feature => "transcript_id",
        Field::OverlapBp => "bp_overlap",
        Field::OverlapPc => "percentage_overlap",
        Field::FeatureType => return,
        Field::CdnaPosition | Field::CdsPosition | Field::ProteinPosition => {
            return insert_position(object, field.name(), value);
        }
        other => other.name(),
    };
    if value.is_empty() {
        return;
    }
    let value = match (field, value) {
        (field, value) if is_list(field) => value.split('&').map(Value::from).collect(),
        (Field::Gene | Field::Symbol | Field::Feature | Field::Allele, value) => json!(value),
        (_, "YES") => json!(1),
        (_, value) => number_or_text(&value.replace("%3D", "=")),
    };
    object.insert(key.to_ascii_lowercase(), value);
}

/// `12-14/300` as start and end; `?` is left out.
fn insert_position(object: &mut Map<String, Value>, name: &str, value: &str) {
    let range = value.split('/').next().unwrap_or_default();
    let (start, end) = range.split_once('-').unwrap_or((range, range));
    let what = name.split('_').next().unwrap_or_default().to_ascii_lowercase();
    // VEP gives the other end for one that is not known.
    let ends = [start, if end == "?" { start } else { end }];
    for (end, text) in ["start", "end"].iter().zip(ends) {
        if let Ok(number) = text.parse::<i64>() {
            object.insert(format!("{what}_{end}"), json!(number));
        }
    }
}

fn number_or_text(value: &str) -> Value {
    let is_number = value.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-');
    let whole = value.strip_suffix(".00").unwrap_or(value);
    match whole.parse::<i64>() {
        Ok(number) => json!(number),
        Err(_) if is_number => value.parse::<f64>().ok().map_or_else(|| json!(value), |number| json!(number)),
        Err(_) => json!(value),
    }
}

fn text_of(bytes: &[u8]) -> Value {
    json!(String::from_utf8_lossy(bytes))
}
