//! Conditions on entries: bcftools' expressions in which `CSQ/Consequence` stands for a part of an entry.
//!
//! An expression that names parts is tested on each entry, with the values that sources have for the entry's allele; a record
//! passes where one of its entries does (so do Ensembl's filter_vep and others). Parts are tags with a dot
//! (`CSQ.Consequence`) of a record that is made for each entry.

use super::breakend::Breakend;
use super::csq::Field;
use super::listing::SourceTag;
use super::variant::Variant;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::condition::Condition;
use crate::records::pipeline::{RecordProblem, Revise};

/// An expression with parts of entries as tags, and the header that declares them.
///
/// `CSQ/NAME` outside of quoted text becomes `INFO/CSQ.NAME`, where the tag of the entries is CSQ.
pub fn prepared(text: &str, tag: &str, fields: &[String], header: &Header) -> (String, Header) {
    let mut header = header.clone();
    for field in fields {
        let (number, kind) = match kind(field) {
            Kind::Integer => ("1", "Integer"),
            Kind::Real => ("1", "Float"),
            Kind::Text => (".", "String"),
        };
        header.add(&format!(
            "##INFO=<ID={tag}.{field},Number={number},Type={kind},Description=\"of an entry\">"
        ));
    }
    let (mut out, mut rest, mut quote) = (String::with_capacity(text.len() + 16), text, None);
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
        let behind = rest.strip_prefix(tag).and_then(|rest| rest.strip_prefix('/'));
        if let (None, false, Some(behind)) = (quote, is_name(before), behind) {
            if !out.ends_with("INFO/") {
                out.push_str("INFO/");
            }
            out.push_str(tag);
            out.push('.');
            (rest, before) = (behind, '.');
            continue;
        }
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            _ => {}
        }
        out.push(letter);
        (rest, before) = (&rest[letter.len_utf8()..], letter);
    }
    (out, header)
}

/// Records of which an entry passes.
pub struct EntryFilter {
    condition: Condition,
    tag: String,
    fields: Vec<String>,
    /// Parts that the expression names, with the names of their tags.
    named: Vec<(usize, Vec<u8>)>,
    /// Tags that have a value for each allele.
    by_allele: Vec<Vec<u8>>,
    is_minimal: bool,
    only_matched: bool,
}

impl EntryFilter {
    /// Of a condition on entries with these fields under a tag. `only_matched` drops entries that do not pass. `None` where
    /// the expression names no part of an entry.
    pub fn new(
        condition: Condition,
        tag: &str,
        fields: &[String],
        sources: &[SourceTag],
        is_minimal: bool,
        only_matched: bool,
    ) -> Result<Self, Condition> {
        let name = |field: &String| format!("{tag}.{field}").into_bytes();
        let used = condition.expression().info_tags();
        let named: Vec<_> =
            fields.iter().map(name).enumerate().filter(|(_, name)| used.contains(name)).collect();
        if named.is_empty() {
            return Err(condition);
        }
        let by_allele = sources.iter().filter(|source| source.is_by_allele);
        let by_allele = by_allele.map(|source| source.name.clone().into_bytes());
        let by_allele = by_allele.filter(|name| used.contains(name)).collect();
        Ok(Self {
            named,
            by_allele,
            condition,
            tag: tag.into(),
            fields: fields.into(),
            is_minimal,
            only_matched,
        })
    }

    /// The record as an entry sees it.
    fn seen(&self, record: &Record, entry: &[&str]) -> Record {
        let mut seen = record.clone();
        for (at, name) in &self.named {
            let text = entry.get(*at).copied().unwrap_or_default();
            if let Some(value) = self.fields.get(*at).and_then(|field| value(field, text)) {
                seen.set_info(name, Some(value.as_bytes()));
            }
        }
        if let Some(number) = self.allele(record, entry) {
            for tag in &self.by_allele {
                let value = record.info(tag).and_then(|list| list.split(|byte| *byte == b',').nth(number));
                if let Some(value) = value.map(<[u8]>::to_vec) {
                    seen.set_info(tag, Some(&value));
                }
            }
        }
        seen
    }

    /// The number of the entry's allele among the alternate ones.
    fn allele(&self, record: &Record, entry: &[&str]) -> Option<usize> {
        let place = |wanted: Field| self.fields.iter().position(|field| field == wanted.name());
        let part = |wanted: Field| entry.get(place(wanted)?).copied();
        if let Some(number) = part(Field::AlleleNumber) {
            return number.parse::<usize>().ok()?.checked_sub(1);
        }
        let text = part(Field::Allele)?;
        if let Some(end) = Breakend::all(record).iter().find(|end| end.text == text) {
            return end.number.checked_sub(1);
        }
        let sequences =
            Variant::all(record.position() + 1, record.reference(), record.alternates(), self.is_minimal);
        let mut numbered = sequences.zip(record.alternates()).enumerate();
        let found = numbered.find(|(number, (variant, allele))| {
            let variant = variant.or_else(|| Variant::structural(record, *number, allele).ok());
            variant.is_some_and(|variant| variant.text() == text)
        });
        found.map(|(number, _)| number)
    }
}

impl Revise for EntryFilter {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let tag = self.tag.as_bytes();
        let Some(text) = record.info(tag) else { return self.condition.passes(record) };
        let text = String::from_utf8_lossy(text).into_owned();
        let mut kept = Vec::new();
        for entry in text.split(',') {
            let parts: Vec<&str> = entry.split('|').collect();
            if self.condition.passes(&self.seen(record, &parts))? {
                kept.push(entry);
                if !self.only_matched {
                    return Ok(true);
                }
            }
        }
        if !kept.is_empty() {
            record.set_info(tag, Some(kept.join(",").as_bytes()));
        }
        Ok(!kept.is_empty())
    }
}

enum Kind {
    Integer,
    Real,
    Text,
}

/// The type of a part by its name. Parts that others than we write are numbers where their names say so, as in bcftools'
/// split-vep.
fn kind(name: &str) -> Kind {
    match Field::parse(name) {
        Some(Field::CdnaPosition | Field::CdsPosition | Field::ProteinPosition) => Kind::Integer,
        Some(Field::Distance | Field::Strand | Field::HgvsOffset | Field::AlleleNumber) => Kind::Integer,
        Some(Field::Tsl | Field::Pick | Field::OverlapBp) => Kind::Integer,
        Some(Field::OverlapPc) => Kind::Real,
        Some(_) => Kind::Text,
        None => {
            let name = name.to_ascii_uppercase();
            let is_score = ["SCORE", "_DS_", "CADD_", "PHRED"].iter().any(|part| name.contains(part));
            if name == "AF" || name.ends_with("_AF") || is_score { Kind::Real } else { Kind::Text }
        }
    }
}

/// What stands in the tag: of a range its first number, of a list its parts.
fn value(field: &str, text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    match kind(field) {
        Kind::Integer => {
            let is_number = |letter: char| letter.is_ascii_digit();
            let sign = if text.starts_with('-') { "-" } else { "" };
            let digits: String =
                text.chars().skip_while(|c| !is_number(*c)).take_while(|c| is_number(*c)).collect();
            (!digits.is_empty()).then(|| format!("{sign}{digits}"))
        }
        Kind::Real => Some(text.to_owned()),
        Kind::Text => Some(text.replace('&', ",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_tags_but_not_in_texts() {
        let header = Header::default();
        for (text, expected) in [
            ("CSQ/IMPACT=\"HIGH\"", "INFO/CSQ.IMPACT=\"HIGH\""),
            ("INFO/CSQ/IMPACT!=\"CSQ/x\" && AF<0.1", "INFO/CSQ.IMPACT!=\"CSQ/x\" && AF<0.1"),
            ("MYCSQ/2 > 1", "MYCSQ/2 > 1"),
            ("(CSQ/Consequence~'stop'||QUAL>3)", "(INFO/CSQ.Consequence~'stop'||QUAL>3)"),
        ] {
            assert_eq!(prepared(text, "CSQ", &["IMPACT".to_owned()], &header).0, expected);
        }
    }
}
