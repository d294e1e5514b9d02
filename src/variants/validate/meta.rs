//! Meta lines and the line of columns.

use rustc_hash::{FxHashMap, FxHashSet};

use super::reserved;
use super::rules::{Report, Rule};
use super::values::{has_space, is_contig};
use super::{Version, quoted};
use crate::formats::vcf::header::{Definition, Number, Type};

/// What the header says.
#[derive(Debug)]
pub(super) struct Meta {
    pub(super) version: Version,
    info: FxHashMap<Vec<u8>, Definition>,
    format: FxHashMap<Vec<u8>, Definition>,
    /// Declared IDs, with the kind of line before them.
    declared: FxHashSet<Vec<u8>>,
    /// How many columns a record has.
    pub(super) columns: usize,
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            // Until the file says another, the newest that is not known to need more.
            version: Version::STRICT,
            info: FxHashMap::default(),
            format: FxHashMap::default(),
            declared: FxHashSet::default(),
            columns: 8,
        }
    }
}

/// A field of a structured line.
struct Field<'l> {
    key: &'l [u8],
    value: &'l [u8],
    is_quoted: bool,
}

impl Meta {
    /// What an INFO tag holds: as declared, or as reserved.
    pub(super) fn info(&self, tag: &[u8]) -> Option<Definition> {
        let implied = || reserved::info(tag, self.version).and_then(reserved::implied);
        self.info.get(tag).copied().or_else(implied)
    }

    /// What a FORMAT tag holds.
    pub(super) fn format(&self, tag: &[u8]) -> Option<Definition> {
        let implied = || reserved::format(tag, self.version).and_then(reserved::implied);
        self.format.get(tag).copied().or_else(implied)
    }

    /// Whether a FORMAT tag is declared.
    pub(super) fn declares_format(&self, tag: &[u8]) -> bool {
        self.format.contains_key(tag)
    }

    /// Reads a line that begins with `##`.
    pub(super) fn read(&mut self, line: &[u8], is_first: bool, report: &mut Report) {
        let text = &line[2..];
        let Some(at) = text.iter().position(|b| *b == b'=').filter(|at| *at > 0 && *at + 1 < text.len())
        else {
            if is_first {
                report.add(Rule::FileFormat, || format!("the file begins with {}", quoted(line)));
            }
            report.add(Rule::MetaForm, || format!("{} is no ##key=value", quoted(line)));
            return;
        };
        let (key, value) = (&text[..at], &text[at + 1..]);
        if is_first || key == b"fileformat" {
            match Version::parse(value).filter(|_| is_first && key == b"fileformat") {
                Some(version) => self.version = version,
                None => report.add(Rule::FileFormat, || format!("{} is not known here", quoted(line))),
            }
            return;
        }
        match (key, value.first()) {
            (b"INFO" | b"FORMAT" | b"FILTER" | b"ALT" | b"contig" | b"SAMPLE" | b"META" | b"PEDIGREE", _) => {
                match fields(value) {
                    Ok(fields) => self.read_fields(key, &fields, line, report),
                    Err(what) => report.add(Rule::MetaStructure, || format!("{what} in {}", quoted(line))),
                }
            }
            (b"assembly" | b"pedigreeDB", _) if !is_url(value) => {
                report.add(Rule::MetaUrl, || format!("{} is no URL", quoted(value)));
            }
            (_, Some(b'<')) if self.version >= Version::STRICT && key != b"pedigreeDB" => {
                if let Err(what) = fields(value) {
                    report.add(Rule::MetaStructure, || format!("{what} in {}", quoted(line)));
                }
            }
            _ => {}
        }
    }

    fn read_fields(&mut self, key: &[u8], fields: &[Field<'_>], line: &[u8], report: &mut Report) {
        let is_strict = self.version >= Version::STRICT;
        let needed: &[&[u8]] = match key {
            b"INFO" | b"FORMAT" => &[b"ID", b"Number", b"Type", b"Description"],
            b"FILTER" | b"ALT" => &[b"ID", b"Description"],
            b"META" if is_strict => &[b"ID", b"Number", b"Type", b"Values"],
            b"SAMPLE" if !is_strict => &[b"ID", b"Genomes", b"Mixture", b"Description"],
            b"META" | b"PEDIGREE" if !is_strict => &[],
            _ => &[b"ID"],
        };
        let has_them =
            needed.len() <= fields.len() && needed.iter().zip(fields).all(|(name, f)| *name == f.key);
        if !has_them {
            let names =
                needed.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join(", ");
            report.add(Rule::MetaFields, || format!("{} does not begin with {names}", quoted(line)));
            return;
        }
        let get = |name: &[u8]| fields.iter().find(|field| field.key == name);
        if let Some(id) = get(b"ID").filter(|_| !needed.is_empty()) {
            self.check_id(key, id, report);
        }
        if let Some(field) = get(b"Description").filter(|field| !field.is_quoted) {
            report
                .add(Rule::MetaDescription, || format!("Description {} has no quotes", quoted(field.value)));
        }
        match key {
            b"INFO" | b"FORMAT" => self.declare(key == b"FORMAT", fields, report),
            b"META" if is_strict => check_meta(fields, report),
            b"SAMPLE" if !is_strict => {
                if let Some(field) =
                    fields.iter().find(|field| field.is_quoted && field.key != b"Description")
                {
                    let what = || format!("{} has quotes", String::from_utf8_lossy(field.key));
                    report.add(Rule::MetaStructure, what);
                }
            }
            b"PEDIGREE" => {
                let is_bad = |field: &&Field<'_>| {
                    field.value.is_empty() || has_space(field.value) || field.value.contains(&b':')
                };
                if let Some(field) = fields.iter().find(is_bad) {
                    report.add(Rule::MetaId, || format!("{} is no name of a sample", quoted(field.value)));
                }
            }
            _ => {}
        }
    }

    fn check_id(&mut self, key: &[u8], id: &Field<'_>, report: &mut Report) {
        let id = id.value;
        let is_bad = match key {
            b"contig" => !is_contig(id, self.version),
            b"ALT" => !self.is_symbol(id),
            b"FILTER" => id.is_empty() || has_space(id) || id.contains(&b';') || id == b"0",
            b"INFO" | b"FORMAT" => !super::values::is_tag(id, false, self.version),
            _ => id.is_empty() || has_space(id),
        };
        if is_bad {
            let kind = String::from_utf8_lossy(key).into_owned();
            report.add(Rule::MetaId, || format!("{} cannot be the ID of {kind}", quoted(id)));
        }
        // Contigs of 4.1 and 4.2 may be told more of in a second line.
        if key != b"contig" || self.version >= Version::STRICT {
            let identity = [key, b"=", id].concat();
            if !self.declared.insert(identity) {
                let kind = String::from_utf8_lossy(key).into_owned();
                report.add(Rule::MetaDuplicate, || format!("{kind} {} is declared twice", quoted(id)));
            }
        }
    }

    /// Whether it can be the ID of an ALT: up to 4.2 one of the kinds of structural variants with subtypes behind colons;
    /// from 4.3 any name, of which one with colons begins with such a kind.
    fn is_symbol(&self, id: &[u8]) -> bool {
        let kind = id.split(|b| *b == b':').next().unwrap_or_default();
        let is_kind = matches!(kind, b"DEL" | b"INS" | b"DUP" | b"INV" | b"CNV" | b"BND");
        let is_special = matches!(id, b"*" | b"NON_REF" | b"X");
        let is_free = self.version >= Version::STRICT && kind.len() == id.len();
        let has_bad = has_space(id) || id.iter().any(|b| matches!(b, b',' | b'<' | b'>'));
        !id.is_empty() && !has_bad && (is_kind || is_special || is_free)
    }

    fn declare(&mut self, is_format: bool, fields: &[Field<'_>], report: &mut Report) {
        let (tag, number, kind) = (fields[0].value, fields[1].value, fields[2].value);
        let name = String::from_utf8_lossy(tag).into_owned();
        let Some(number) = self.number(number, is_format) else {
            report.add(Rule::MetaNumber, || format!("{name} has Number={}", quoted(number)));
            return;
        };
        let kind = match kind {
            b"Integer" => Type::Integer,
            b"Float" => Type::Float,
            b"Flag" if !is_format => Type::Flag,
            b"Character" => Type::Character,
            b"String" => Type::String,
            _ => {
                report.add(Rule::MetaType, || format!("{name} has Type={}", quoted(kind)));
                return;
            }
        };
        let reserved =
            if is_format { reserved::format(tag, self.version) } else { reserved::info(tag, self.version) };
        if let Some((its_number, its_kind)) = reserved
            && (number != its_number || its_kind.is_some_and(|its_kind| its_kind != kind))
        {
            report.add(Rule::MetaReserved, || {
                let its_kind = its_kind.map(|kind| format!(", Type {kind:?}")).unwrap_or_default();
                format!("{name} is reserved for Number {its_number:?}{its_kind}, not {number:?}, {kind:?}")
            });
        }
        let map = if is_format { &mut self.format } else { &mut self.info };
        map.entry(tag.to_vec()).or_insert(Definition { number, kind });
    }

    fn number(&self, text: &[u8], is_format: bool) -> Option<Number> {
        Some(match text {
            b"." => Number::Unknown,
            b"A" => Number::Alternates,
            b"G" => Number::Genotypes,
            b"R" if self.version >= Version(2) => Number::Alleles,
            b"P" if is_format && self.version >= Version(4) => Number::Ploidy,
            b"LA" if is_format && self.version >= Version::LOCAL => Number::LocalAlternates,
            b"LR" if is_format && self.version >= Version::LOCAL => Number::LocalAlleles,
            b"LG" if is_format && self.version >= Version::LOCAL => Number::LocalGenotypes,
            b"M" if is_format && self.version >= Version::LOCAL => Number::Modifications,
            digits if digits.iter().all(u8::is_ascii_digit) => {
                Number::Count(std::str::from_utf8(digits).ok()?.parse().ok()?)
            }
            _ => return None,
        })
    }

    /// Reads the line that begins with `#CHROM`.
    pub(super) fn read_columns(&mut self, line: &[u8], is_first: bool, report: &mut Report) {
        const NAMES: [&[u8]; 9] =
            [b"#CHROM", b"POS", b"ID", b"REF", b"ALT", b"QUAL", b"FILTER", b"INFO", b"FORMAT"];
        if is_first {
            report.add(Rule::FileFormat, || "the file begins without ##fileformat".to_owned());
        }
        let columns: Vec<&[u8]> = line.split(|b| *b == b'\t').collect();
        self.columns = columns.len().max(8);
        let named = columns.len().min(NAMES.len());
        if columns.len() < 8 || columns.len() == 9 || columns[..named] != NAMES[..named] {
            report.add(Rule::HeaderLine, || format!("the columns are {}", quoted(line)));
        }
        let mut seen = FxHashSet::default();
        for name in columns.iter().skip(9) {
            if name.is_empty() || !seen.insert(name) {
                report.add(Rule::SampleName, || "a sample has no name, or that of another".to_owned());
            }
        }
    }
}

/// What META lines must have besides their fields.
fn check_meta(fields: &[Field<'_>], report: &mut Report) {
    let (number, kind, values) = (fields[1].value, fields[2].value, fields[3].value);
    if number != b"." && !number.iter().all(u8::is_ascii_digit) {
        report.add(Rule::MetaNumber, || format!("META has Number={}", quoted(number)));
    }
    if !matches!(kind, b"Integer" | b"Float" | b"Character" | b"String") {
        report.add(Rule::MetaType, || format!("META has Type={}", quoted(kind)));
    }
    if !(values.starts_with(b"[") && values.ends_with(b"]")) {
        report.add(Rule::MetaFields, || format!("Values {} has no square brackets", quoted(values)));
    }
}

/// The fields between `<` and `>`.
fn fields(value: &[u8]) -> Result<Vec<Field<'_>>, &'static str> {
    let inner = value.strip_prefix(b"<").and_then(|value| value.strip_suffix(b">"));
    let mut rest = inner.ok_or("< or > is missing")?;
    let mut fields = Vec::new();
    loop {
        let at = rest.iter().position(|b| *b == b'=').ok_or("there is a field without =")?;
        let key = &rest[..at];
        if key.is_empty() || key.contains(&b',') || key.contains(&b'"') {
            return Err("there is a field without a key");
        }
        rest = &rest[at + 1..];
        let (length, is_quoted) = match rest.first() {
            Some(b'"') => (quoted_length(&rest[1..]).ok_or("a quote is not closed")?, true),
            Some(b'[') => (rest.iter().position(|b| *b == b']').ok_or("[ is not closed")? + 1, false),
            _ => (rest.iter().position(|b| *b == b',').unwrap_or(rest.len()), false),
        };
        let begin = usize::from(is_quoted);
        let value = &rest[begin..begin + length];
        if !is_quoted && key != b"ID" && value.contains(&b'"') {
            return Err("there is a quote within a value");
        }
        fields.push(Field { key, value, is_quoted });
        rest = &rest[begin + length + begin..];
        match rest.split_first() {
            None => return Ok(fields),
            Some((b',', behind)) if !behind.is_empty() => rest = behind,
            Some((b',', _)) => return Err("there is a comma at the end"),
            Some(_) => return Err("there is something behind a quote"),
        }
    }
}

/// The bytes up to the closing quote; `\"` does not close.
fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    text.iter().position(|b| {
        let closes = *b == b'"' && !is_escaped;
        is_escaped = *b == b'\\' && !is_escaped;
        closes
    })
}

/// Whether it is `scheme://host...`, the host being more than a number; angle brackets around it are passed over.
fn is_url(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let is_host =
        host.bytes().any(|b| b.is_ascii_alphabetic()) || host.contains('.') || host.starts_with('[');
    let is_file = scheme == "file" && !rest.is_empty();
    !scheme.is_empty()
        && !text.bytes().any(|b| b.is_ascii_whitespace())
        && (is_file || is_host && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}
