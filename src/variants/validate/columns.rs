//! The columns of a record up to INFO.

use rustc_hash::FxHashSet;

use super::meta::Meta;
use super::order::Order;
use super::rules::{Report, Rule};
use super::values::{are_bases, has_space, has_type, is_cigar, is_contig, is_float, is_tag};
use super::{Version, quoted, reserved, samples};
use crate::formats::vcf::header::{Definition, Number, Type};
use crate::formats::vcf::record::parse_integer;

/// Holds a record against the rules.
pub(super) fn check(line: &[u8], meta: &Meta, order: &mut Order, report: &mut Report) {
    let columns: Vec<&[u8]> = line.split(|b| *b == b'\t').collect();
    if columns.len() != meta.columns {
        report.add(Rule::ColumnCount, || format!("{} columns, not {}", columns.len(), meta.columns));
    }
    let &[chrom, position, id, reference, alt, quality, filter, info, ..] = &columns[..] else { return };
    let in_brackets = chrom.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">"));
    if !is_contig(in_brackets.unwrap_or(chrom), meta.version) {
        report.add(Rule::Chrom, || format!("CHROM {}", quoted(chrom)));
    }
    let place = parse_integer(position).filter(|place| *place >= 0 && position[0].is_ascii_digit());
    if place.is_none() {
        report.add(Rule::Pos, || format!("POS {}", quoted(position)));
    }
    if !is_list_of_names(id, |_| false) {
        report.add(Rule::Id, || format!("ID {}", quoted(id)));
    }
    if !are_bases(reference) {
        report.add(Rule::Ref, || format!("REF {}", quoted(reference)));
    }
    let alternates: Vec<&[u8]> = match alt {
        b"." => Vec::new(),
        alt => alt.split(|b| *b == b',').collect(),
    };
    if let Some(bad) = alternates.iter().find(|alt| !is_alternate(alt, meta.version)) {
        report.add(Rule::Alt, || format!("ALT {}", quoted(bad)));
    }
    if quality != b"." && (!is_float(quality) || (quality[0] == b'-' && quality.iter().any(is_digit_above_0)))
    {
        report.add(Rule::Qual, || format!("QUAL {}", quoted(quality)));
    }
    if !is_list_of_names(filter, |name| name == b"0") {
        report.add(Rule::Filter, || format!("FILTER {}", quoted(filter)));
    }
    check_info(info, alternates.len(), meta, report);
    if columns.len() > 8 {
        samples::check(columns[8], &columns[9..], alternates.len(), meta, report);
    }
    if let Some(place) = place {
        order.check((in_brackets.unwrap_or(chrom), place), reference, &alternates, report);
    }
}

fn is_digit_above_0(b: &u8) -> bool {
    matches!(b, b'1'..=b'9')
}

/// `.` alone, or names between semicolons, each once.
fn is_list_of_names(text: &[u8], is_reserved: impl Fn(&[u8]) -> bool) -> bool {
    let mut seen = FxHashSet::default();
    text == b"."
        || text.split(|b| *b == b';').all(|name| {
            !name.is_empty() && name != b"." && !has_space(name) && !is_reserved(name) && seen.insert(name)
        })
}

fn is_alternate(alt: &[u8], version: Version) -> bool {
    match alt {
        b"*" => true,
        [b'<', inner @ .., b'>'] => {
            !inner.is_empty() && !has_space(inner) && !inner.iter().any(|b| matches!(b, b'<' | b'>' | b','))
        }
        [b'.', bases @ ..] | [bases @ .., b'.'] if !bases.contains(&b'[') && !bases.contains(&b']') => {
            are_bases(bases)
        }
        alt if alt.contains(&b'[') || alt.contains(&b']') => is_breakend(alt, version),
        alt => are_bases(alt),
    }
}

/// Bases before `[contig:position[` or `]contig:position]`, or behind.
fn is_breakend(alt: &[u8], version: Version) -> bool {
    let is_bracket = |b: &u8| matches!(b, b'[' | b']');
    let Some(open) = alt.iter().position(is_bracket) else { return false };
    let Some(close) = alt.iter().rposition(is_bracket).filter(|close| *close > open) else { return false };
    let (before, mate, behind) = (&alt[..open], &alt[open + 1..close], &alt[close + 1..]);
    let are_replacement = |bases: &[u8]| are_bases(bases) || bases == b".";
    let Some(colon) = mate.iter().rposition(|b| *b == b':') else { return false };
    let (contig, position) = (&mate[..colon], &mate[colon + 1..]);
    let contig = contig.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">")).unwrap_or(contig);
    alt[open] == alt[close]
        && before.is_empty() != behind.is_empty()
        && are_replacement(if before.is_empty() { behind } else { before })
        && is_contig(contig, version)
        && parse_integer(position).is_some_and(|position| position >= 0)
}

/// How many values there are; a text in double quotes is one.
fn count_of(value: &[u8], kind: Type) -> usize {
    match value {
        [b'"', .., b'"'] if kind == Type::String => 1,
        value => value.split(|b| *b == b',').count(),
    }
}

fn check_info(info: &[u8], alternates: usize, meta: &Meta, report: &mut Report) {
    if info == b"." {
        return;
    }
    let mut seen = FxHashSet::default();
    for field in info.split(|b| *b == b';') {
        let at = field.iter().position(|b| *b == b'=');
        let (key, value) = at.map_or((field, None), |at| (&field[..at], Some(&field[at + 1..])));
        let has_bad_space = value.is_some_and(|value| {
            has_space(value) && (meta.version < Version::STRICT || value.iter().any(|b| b.is_ascii_control()))
        });
        if !is_tag(key, false, meta.version) || !seen.insert(key) || has_bad_space {
            report.add(Rule::InfoKey, || format!("INFO field {}", quoted(field)));
        }
        check_field(key, value, alternates, meta, report);
    }
}

fn check_field(key: &[u8], value: Option<&[u8]>, alternates: usize, meta: &Meta, report: &mut Report) {
    let name = || String::from_utf8_lossy(key).into_owned();
    let declared = meta.info(key);
    let Some(Definition { number, kind }) = declared else {
        if value == Some(b"") {
            report.add(Rule::InfoType, || format!("INFO/{} has an empty value", name()));
        }
        return;
    };
    if kind == Type::Flag {
        if !has_type(value.unwrap_or_default(), Type::Flag) {
            report.add(Rule::InfoType, || format!("the flag {} has a value", name()));
        }
        return;
    }
    let value = value.unwrap_or_default();
    if let Some(bad) = value.split(|b| *b == b',').find(|text| !has_type(text, kind)) {
        report.add(Rule::InfoType, || format!("INFO/{} {} is no {kind:?}", name(), quoted(bad)));
        return;
    }
    let count = count_of(value, kind);
    let expected = match number {
        Number::Count(count) => Some(count as usize),
        Number::Alternates => Some(alternates).filter(|count| *count > 0),
        Number::Alleles => Some(alternates + 1).filter(|_| alternates > 0),
        _ => None,
    };
    if let Some(expected) = expected.filter(|expected| *expected != count && value != b".") {
        report.add(Rule::InfoNumber, || format!("INFO/{} has {count} values, not {expected}", name()));
    }
    let mut values = value.split(|b| *b == b',').filter(|text| *text != b".");
    let is_bad = |text: &&[u8]| text[0] == b'-' && text.iter().any(is_digit_above_0);
    if reserved::is_not_negative(key) && values.clone().any(|text| is_bad(&text)) {
        report.add(Rule::InfoRange, || format!("INFO/{} is negative", name()));
    }
    if key == b"CIGAR" && !values.all(is_cigar) {
        report.add(Rule::InfoRange, || format!("INFO/CIGAR {} is none", quoted(value)));
    }
}
