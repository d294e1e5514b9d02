//! The fields of a record as `bcftools query` prints them.

use std::io::Write;

use super::variant_key;
use super::{Field, Part, Scratch};
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::record::{Column, Record, cell};
use crate::formats::vcf::{extent, number, value};
use crate::records::expression::binomial;
use crate::records::genotype::alleles;
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;

/// A sample's number and its column.
type Sample<'s> = (usize, &'s [u8]);

/// Prints a field; a writer to memory does not fail, so what `write!` gives is dropped.
///
/// # Errors
/// An expression cannot be computed.
pub fn field(
    part: &Part,
    record: &Record,
    header: &Header,
    samples: &[usize],
    sample: Option<Sample<'_>>,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), RecordProblem> {
    let position = record.position();
    match &part.field {
        Field::Text(text) => out.extend_from_slice(text),
        Field::End | Field::Mask => {}
        Field::Chrom => out.extend_from_slice(record.chrom()),
        Field::Pos => drop(write!(out, "{}", position + 1)),
        Field::Pos0 => drop(write!(out, "{position}")),
        Field::End1 => drop(write!(out, "{}", extent::end(record))),
        Field::End0 => drop(write!(out, "{}", extent::end(record) - 1)),
        Field::Id => out.extend_from_slice(record.column(Column::Id)),
        Field::Ref => out.extend_from_slice(record.reference()),
        Field::Alt => match part.subscript {
            None => out.extend_from_slice(record.column(Column::Alt)),
            Some(number) => out.extend_from_slice(record.alternates().nth(number).unwrap_or(b".")),
        },
        Field::FirstAlt => out.extend_from_slice(record.alternates().next().unwrap_or(b".")),
        Field::Qual => quality(record, out),
        Field::Filter => out.extend_from_slice(record.column(Column::Filter)),
        Field::Type => types(record, out),
        Field::IsTransition => out.push(if is_transition(record) { b'1' } else { b'0' }),
        Field::Line => line(record, header, samples, out),
        Field::ChromPosId => match record.column(Column::Id) {
            b"." => {
                out.extend_from_slice(record.chrom());
                let _ = write!(out, ":{}", position + 1);
            }
            id => out.extend_from_slice(id),
        },
        Field::RsHex => {
            let digits = record.column(Column::Id).get(2..).unwrap_or_default();
            let number = digits.iter().take_while(|b| b.is_ascii_digit());
            let number = number.fold(0u64, |n, b| n.saturating_mul(10).saturating_add(u64::from(b - b'0')));
            let _ = write!(out, "{:08x}", number as u32);
        }
        Field::VariantKey => {
            let alternate = record.alternates().next().unwrap_or_default();
            let key =
                variant_key::encode(record.chrom(), position.max(0) as u64, record.reference(), alternate);
            let _ = write!(out, "{key:016x}");
        }
        Field::Info => info(record, header, out),
        Field::InfoTag(tag) => info_tag(record, header, tag, part.subscript, out),
        Field::Format => format(record, header, samples, out),
        Field::Undeclared => out.push(b'.'),
        Field::PassCount(expression) => {
            let verdict = expression.test(record, scratch)?;
            let passes = |sample: &&usize| match verdict.samples {
                Some(passing) => passing.get(**sample).copied().unwrap_or(false),
                None => verdict.site,
            };
            let _ = write!(out, "{}", samples.iter().filter(passes).count());
        }
        Field::Values(expression) => {
            let values = expression.values(record, scratch)?.values;
            let wanted = values.get(sample.map_or(0, |(number, _)| number)).or(values.first());
            match wanted {
                Some(value) => number::write_float(*value, out),
                None => out.push(b'.'),
            }
        }
        _ => of_sample(part, record, header, sample.unwrap_or((0, b".")), out),
    }
    Ok(())
}

/// Fields that a sample has.
fn of_sample(part: &Part, record: &Record, header: &Header, (number, column): Sample<'_>, out: &mut Vec<u8>) {
    let find = |tag: &[u8]| record.format_index(tag).map(|field| cell(column, field));
    match &part.field {
        Field::Sample => {
            out.extend_from_slice(header.samples().get(number).map_or(&b""[..], |name| name.as_bytes()));
        }
        Field::FormatTag(tag) => match (find(tag), part.subscript) {
            (None, _) => out.push(b'.'),
            (Some(text), None) => typed(kind_of(header, tag), text, out),
            (Some(text), Some(number)) => {
                typed(kind_of(header, tag), value::list(text).nth(number).unwrap_or(b"."), out);
            }
        },
        Field::Genotype => out.extend_from_slice(without_prefix(find(b"GT").unwrap_or(b"."))),
        Field::TranslatedGenotype => translated(record, find(b"GT").unwrap_or(b"."), out),
        Field::IupacGenotype => {
            let genotype = find(b"GT").unwrap_or(b".");
            match iupac(record, genotype) {
                Some(code) => out.push(code),
                None => translated(record, genotype, out),
            }
        }
        Field::Consequences { merged } => {
            consequences(record, find(b"BCSQ"), *merged, part.subscript, out);
        }
        Field::Binomial(tag) => match (find(b"GT"), find(tag)) {
            (Some(genotype), Some(counts)) => balance(genotype, counts, out),
            _ => out.push(b'.'),
        },
        _ => {}
    }
}

fn kind_of(header: &Header, tag: &[u8]) -> Type {
    if tag == b"GT" { Type::String } else { header.format(tag).map_or(Type::String, |tag| tag.kind) }
}

/// A list of values, each printed as its type is.
fn typed(kind: Type, text: &[u8], out: &mut Vec<u8>) {
    if !matches!(kind, Type::Integer | Type::Float) {
        out.extend_from_slice(if text.is_empty() { b"." } else { text });
        return;
    }
    for (number, text) in value::list(text).enumerate() {
        if number > 0 {
            out.push(b',');
        }
        match kind {
            Type::Integer => match value::integer(text) {
                Some(value) => drop(write!(out, "{value}")),
                None => out.push(b'.'),
            },
            _ => match value::real(text) {
                Some(value) => number::write_float(f64::from(value), out),
                None => out.push(b'.'),
            },
        }
    }
}

fn quality(record: &Record, out: &mut Vec<u8>) {
    match value::real(record.column(Column::Qual)) {
        Some(quality) => number::write_float(f64::from(quality), out),
        None => out.push(b'.'),
    }
}

fn types(record: &Record, out: &mut Vec<u8>) {
    for (number, name) in Kinds::of(record).names().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
    }
}

/// Whether the first bases of REF and the first ALT are two purines or two pyrimidines.
fn is_transition(record: &Record) -> bool {
    let code = |allele: &[u8]| match allele.first().map(u8::to_ascii_uppercase) {
        Some(b'A') => 0i8,
        Some(b'C') => 1,
        Some(b'G') => 2,
        Some(b'T') => 3,
        _ => -1,
    };
    let is_substitution = Kinds::of(record).meets(Kinds::SNP.with(Kinds::MNP));
    is_substitution
        && record.alternates().next().is_some_and(|alt| (code(record.reference()) - code(alt)).abs() == 2)
}

fn info(record: &Record, header: &Header, out: &mut Vec<u8>) {
    let begin = out.len();
    for (key, text) in record.info_fields() {
        if out.len() > begin {
            out.push(b';');
        }
        out.extend_from_slice(key);
        if let Some(text) = text {
            let kind = header.info(key).map_or(Type::String, |tag| tag.kind);
            // A text without bytes is printed like a flag.
            if !text.is_empty() || matches!(kind, Type::Integer | Type::Float) {
                out.push(b'=');
                typed(kind, text, out);
            }
        }
    }
    if out.len() == begin {
        out.push(b'.');
    }
}

fn info_tag(record: &Record, header: &Header, tag: &[u8], subscript: Option<usize>, out: &mut Vec<u8>) {
    let kind = header.info(tag).map_or(Type::String, |tag| tag.kind);
    match (record.info(tag), subscript) {
        (None, _) => out.push(b'.'),
        (Some(b""), _) => out.push(b'1'),
        (Some(text), None) => typed(kind, text, out),
        // One value is given for any subscript, but one of several letters.
        (Some(text), Some(_)) if is_single(kind, text) => typed(kind, text, out),
        (Some(text), Some(number)) => typed(kind, value::list(text).nth(number).unwrap_or(b"."), out),
    }
}

fn is_single(kind: Type, text: &[u8]) -> bool {
    if matches!(kind, Type::Integer | Type::Float) { !text.contains(&b',') } else { text.len() == 1 }
}

fn format(record: &Record, header: &Header, samples: &[usize], out: &mut Vec<u8>) {
    if samples.is_empty() {
        return out.push(b'.');
    }
    let keys: Vec<&[u8]> = record.format_keys().collect();
    if keys.is_empty() {
        for _ in 0..=samples.len() {
            out.extend_from_slice(b"\t.");
        }
        return;
    }
    out.extend_from_slice(&keys.join(&b':'));
    let columns: Vec<&[u8]> = record.sample_texts().collect();
    for &sample in samples {
        out.push(b'\t');
        let column = columns.get(sample).copied().unwrap_or(b".");
        for (number, key) in keys.iter().enumerate() {
            if number > 0 {
                out.push(b':');
            }
            typed(kind_of(header, key), cell(column, number), out);
        }
    }
}

fn line(record: &Record, header: &Header, samples: &[usize], out: &mut Vec<u8>) {
    for column in [Column::Chrom, Column::Pos, Column::Id, Column::Ref, Column::Alt] {
        out.extend_from_slice(record.column(column));
        out.push(b'\t');
    }
    quality(record, out);
    out.push(b'\t');
    out.extend_from_slice(record.column(Column::Filter));
    out.push(b'\t');
    info(record, header, out);
    if !header.samples().is_empty() {
        // Without keys the format begins with a tab itself.
        if record.format_keys().next().is_some() {
            out.push(b'\t');
        }
        format(record, header, samples, out);
    }
}

fn without_prefix(genotype: &[u8]) -> &[u8] {
    match genotype {
        [b'/' | b'|', rest @ ..] => rest,
        genotype => genotype,
    }
}

/// A genotype with bases for its numbers.
fn translated(record: &Record, genotype: &[u8], out: &mut Vec<u8>) {
    let genotype = without_prefix(genotype);
    let mut signs = genotype.iter().filter(|b| matches!(b, b'/' | b'|'));
    for (number, allele) in alleles(genotype).enumerate() {
        if number > 0 {
            out.push(signs.next().copied().unwrap_or(b'/'));
        }
        out.extend_from_slice(match allele {
            Some(0) => record.reference(),
            Some(allele) => record.alternates().nth(allele - 1).unwrap_or(b"."),
            None => b".",
        });
    }
}

/// The consequences of INFO/BCSQ whose bits are set: from each number 30 bits, of two for a consequence the lower is the
/// first haplotype's. Nothing is printed where none is set.
fn consequences(
    record: &Record,
    bits: Option<&[u8]>,
    merged: bool,
    haplotype: Option<usize>,
    out: &mut Vec<u8>,
) {
    let names: Vec<&[u8]> = record.info(b"BCSQ").map(|list| value::list(list).collect()).unwrap_or_default();
    let bits: Vec<u32> =
        bits.into_iter().flat_map(value::list).map(|text| value::integer(text).unwrap_or(0) as u32).collect();
    let chosen = |mask: u32| {
        let set = (0..15 * bits.len()).filter(|i| bits[i / 15] & (mask << (2 * (i % 15))) != 0);
        set.filter_map(|i| names.get(i).copied()).collect::<Vec<_>>().join(&b',')
    };
    let both = [chosen(if merged { 3 } else { 1 }), if merged { Vec::new() } else { chosen(2) }];
    let wanted = match (merged, haplotype) {
        (true, _) => &both[..1],
        (false, None) => &both[..],
        (false, Some(number)) => both.get(number.min(1)..=number.min(1)).unwrap_or_default(),
    };
    if wanted.iter().all(Vec::is_empty) {
        return;
    }
    for (number, list) in wanted.iter().enumerate() {
        if number > 0 {
            out.push(b'\t');
        }
        out.extend_from_slice(if list.is_empty() { b"." } else { list });
    }
}

/// The code of a genotype of two single bases.
fn iupac(record: &Record, genotype: &[u8]) -> Option<u8> {
    const CODES: [&[u8; 4]; 4] = [b"AMRW", b"MCSY", b"RSGK", b"WYKT"];
    let base = |allele: usize| {
        let text = if allele == 0 { record.reference() } else { record.alternates().nth(allele - 1)? };
        match text {
            [base] => b"ACGT".iter().position(|b| b.eq_ignore_ascii_case(base)),
            _ => None,
        }
    };
    let mut found = alleles(genotype);
    let (a, b) = (found.next()??, found.next()??);
    if found.next().is_some() {
        return None;
    }
    Some(CODES[base(a)?][base(b)?])
}

/// The phred-scaled probability of the counts of a genotype's two alleles.
fn balance(genotype: &[u8], counts: &[u8], out: &mut Vec<u8>) {
    let count = |allele: Option<usize>| value::list(counts).nth(allele?).and_then(value::integer);
    let mut found = alleles(genotype);
    let pair = (found.next().and_then(count), found.next().and_then(count), found.next());
    match pair {
        (Some(0), Some(0), None) => out.push(b'.'),
        (Some(a), Some(b), None) if a == b => out.push(b'0'),
        (Some(a), Some(b), None) => {
            let p = binomial(i64::from(a), i64::from(b)).unwrap_or(1.0);
            let phred = if p >= 1.0 { 0.0 } else { -4.342_944_819_03 * p.ln() };
            number::write_float(phred, out);
        }
        _ => out.push(b'.'),
    }
}
