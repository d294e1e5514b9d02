//! BCF held against its rules (VCF specification, section 6), and what it stands for against those of text.

use std::io::{self, BufRead, Read};

use rustc_hash::FxHashMap;

use super::rules::{Report, Rule};
use super::{Judge, MAX_LINE, quoted};
use crate::formats::vcf::bcf::{self, BcfError, Dictionary, FieldOf, Kind};
use crate::formats::vcf::header::{Header, Type};

/// Holds a BCF, inflated, against the rules. Lines are those of the text that it stands for.
///
/// # Errors
/// It cannot be read.
pub(super) fn validate(reader: &mut dyn BufRead, judge: &mut Judge) -> io::Result<()> {
    judge.report.line = 1;
    let magic = take(reader, 5)?;
    if !matches!(magic.as_slice(), b"BCF\x02\x01" | b"BCF\x02\x02") {
        judge.report.add(Rule::BcfRecord, || format!("the file begins with {}", quoted(&magic)));
        return Ok(());
    }
    let Some(length) = length(reader)?.filter(|length| *length <= MAX_LINE) else {
        judge.report.add(Rule::BcfRecord, || "the file ends within its header".into());
        return Ok(());
    };
    let text = take(reader, length)?;
    if (text.len() as u64) < length {
        judge.report.add(Rule::BcfRecord, || "the file ends within its header".into());
        return Ok(());
    }
    let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
    if end + 1 < text.len() && text[end..].iter().any(|b| *b != 0) || end == text.len() {
        judge.report.add(Rule::BcfRecord, || "the header does not end with one NUL".into());
    }
    let text = &text[..end];
    for line in text.split_inclusive(|b| *b == b'\n') {
        judge.line(&without_number(line));
    }
    judge.header_ends();
    let header = match Header::parse(text) {
        Ok(header) => header,
        Err(error) => {
            judge.report.add(Rule::HeaderLine, || error.to_string());
            return Ok(());
        }
    };
    check_numbers(&header, &mut judge.report);
    let dictionary = Dictionary::new(&header);
    let (mut record, mut line) = (Vec::new(), Vec::new());
    loop {
        judge.begin_line();
        let complete = read_record(reader, &mut record)?;
        if record.is_empty() {
            judge.end_of_lines();
            return Ok(());
        }
        if !complete {
            judge.report.add(Rule::BcfRecord, || "a record's lengths are not those of its bytes".into());
            return Ok(());
        }
        check_types(&record, &dictionary, &header, &mut judge.report);
        line.clear();
        match bcf::decode(&record, &dictionary, &mut line) {
            Ok(()) => judge.record(&line),
            Err(error) => judge.report.add(rule_of(&error), || error.to_string()),
        }
    }
}

fn rule_of(error: &BcfError) -> Rule {
    match error {
        BcfError::Contig(_) | BcfError::Tag(_) => Rule::BcfDictionary,
        BcfError::Samples(..) => Rule::BcfSamples,
        BcfError::Short | BcfError::Type(_) => Rule::BcfRecord,
    }
}

/// A line without its `IDX`, which only a BCF's header has.
fn without_number(line: &[u8]) -> Vec<u8> {
    let mark = b",IDX=";
    let Some(at) = line.windows(mark.len()).rposition(|window| window == mark) else { return line.to_vec() };
    let digits = line[at + mark.len()..].iter().take_while(|b| b.is_ascii_digit()).count();
    let behind = &line[at + mark.len() + digits..];
    if digits == 0 || behind.first() != Some(&b'>') {
        return line.to_vec();
    }
    [&line[..at], behind].concat()
}

/// Each number (`IDX`) stands for one name, and each name has one.
fn check_numbers(header: &Header, report: &mut Report) {
    let mut known: FxHashMap<(bool, String), String> = FxHashMap::default();
    let mut numbers: FxHashMap<(bool, String), String> = FxHashMap::default();
    for line in header.lines() {
        let is_contig = match line.key() {
            "FILTER" | "INFO" | "FORMAT" => false,
            "contig" => true,
            _ => continue,
        };
        let (Some(id), Some(number)) = (line.get("ID"), line.get("IDX")) else { continue };
        if number.parse::<u32>().is_err() {
            report.add(Rule::BcfDictionary, || format!("IDX {number} of {id} is no number"));
        }
        let name = known.entry((is_contig, number.to_owned())).or_insert_with(|| id.to_owned());
        let of_name = numbers.entry((is_contig, id.to_owned())).or_insert_with(|| number.to_owned());
        if name != id || of_name != number {
            report.add(Rule::BcfDictionary, || format!("IDX {number} of {id} is another's, or {id} has two"));
        }
    }
}

/// The types of values are those that the header declares.
fn check_types(record: &[u8], dictionary: &Dictionary, header: &Header, report: &mut Report) {
    let mut check = |of: FieldOf, name: &[u8], kind: Kind| {
        let declared = match of {
            FieldOf::Info => header.info(name),
            FieldOf::Format => header.format(name),
        };
        let is_right = match declared.map(|declared| declared.kind) {
            _ if kind == Kind::Missing => true,
            _ if of == FieldOf::Format && name == b"GT" => kind == Kind::Integer,
            Some(Type::Integer | Type::Flag) => kind == Kind::Integer,
            Some(Type::Float) => kind == Kind::Float,
            Some(Type::Character | Type::String) => kind == Kind::Text,
            None => true,
        };
        if declared.is_none() {
            let what = || format!("{of:?} has {}, which is not declared there", quoted(name));
            report.add(Rule::BcfDictionary, what);
        } else if !is_right {
            report.add(Rule::BcfType, || format!("{of:?} {} is stored as {kind:?}", quoted(name)));
        }
    };
    // What cannot be walked is told by decoding it.
    let _ = bcf::field_kinds(record, dictionary, &mut check);
}

fn take(reader: &mut dyn BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn length(reader: &mut dyn BufRead) -> io::Result<Option<u64>> {
    let bytes = take(reader, 4)?;
    Ok(bytes.try_into().ok().map(|bytes| u64::from(u32::from_le_bytes(bytes))))
}

/// Reads a record with its two lengths; nothing at the end of the file. False where the file ends before it does, or the
/// record cannot be so long.
fn read_record(reader: &mut dyn BufRead, record: &mut Vec<u8>) -> io::Result<bool> {
    *record = take(reader, 8)?;
    let lengths: Vec<u64> =
        record.chunks_exact(4).map(|b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect();
    let [shared, individual] = lengths[..] else { return Ok(false) };
    let length = shared + individual;
    if length > MAX_LINE {
        return Ok(false);
    }
    record.append(&mut take(reader, length)?);
    Ok(record.len() as u64 == length + 8)
}
