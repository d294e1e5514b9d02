//! From a line of text to a BCF record.

use thiserror::Error;

use super::super::extent;
use super::super::header::{Header, Type};
use super::super::number::parse_float;
use super::super::record::{Column, Record, parse_integer};
use super::{Dictionary, FLOAT_END, FLOAT_MISSING, kind};

/// Why a record cannot be written as BCF.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EncodeError {
    /// The header does not declare it.
    #[error("the header does not declare {what} {name}, and BCF needs it declared")]
    Undeclared {
        /// `contig`, `FILTER`, `INFO` or `FORMAT`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// POS does not fit into BCF's 32 bits.
    #[error("the position {0} is too great for BCF")]
    Position(i64),
    /// Counts that do not fit.
    #[error("{0} is more than BCF can hold")]
    TooMany(&'static str),
    /// A genotype that is none.
    #[error("the genotype {0:?} is none")]
    Genotype(String),
}

/// Appends the record with its two lengths.
///
/// # Errors
/// It has what the header does not declare, or what BCF cannot hold.
pub fn encode(
    record: &Record,
    header: &Header,
    dictionary: &Dictionary,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let begin = out.len();
    out.extend_from_slice(&[0; 8]);
    let contig = number(&dictionary.contigs, record.chrom(), "contig")?;
    out.extend_from_slice(&(contig as u32).to_le_bytes());
    let position = record.position();
    let position = i32::try_from(position).map_err(|_| EncodeError::Position(position.saturating_add(1)))?;
    out.extend_from_slice(&position.to_le_bytes());
    let length = i32::try_from(extent::end(record) - record.position()).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    let quality = parse_float(record.column(Column::Qual)).map_or(FLOAT_MISSING, |q| (q as f32).to_bits());
    out.extend_from_slice(&quality.to_le_bytes());
    let counts_at = out.len();
    out.extend_from_slice(&[0; 8]);
    match record.column(Column::Id) {
        b"." => push_descriptor(0, kind::CHAR, out),
        id => push_text(id, out),
    }
    push_text(record.reference(), out);
    for allele in record.alternates() {
        push_text(allele, out);
    }
    push_filters(record, dictionary, out)?;
    let mut info_count = 0u32;
    for (key, value) in record.info_fields() {
        let key_number = number(&dictionary.tags, key, "INFO")?;
        let definition = header.info(key).ok_or_else(|| undeclared("INFO", key))?;
        push_integers([key_number as i64].into_iter().map(Some), out);
        match (value, definition.kind) {
            (None, _) => push_descriptor(0, kind::NULL, out),
            (Some(value), Type::Integer) => push_integers(value.split(|&b| b == b',').map(integer), out),
            (Some(value), Type::Float) => {
                let floats = value.split(|&b| b == b',');
                push_descriptor(floats.clone().count(), kind::FLOAT, out);
                floats.for_each(|text| out.extend_from_slice(&float(text).to_le_bytes()));
            }
            (Some(value), _) => push_text(value, out),
        }
        info_count += 1;
    }
    let individual_at = out.len();
    let format_count =
        if dictionary.samples > 0 { push_samples(record, header, dictionary, out)? } else { 0 };

    if info_count > 0xffff {
        return Err(EncodeError::TooMany("the number of INFO fields"));
    }
    let alleles = u32::try_from(record.allele_count()).ok().filter(|n| *n <= 0xffff);
    let alleles = alleles.ok_or(EncodeError::TooMany("the number of alleles"))?;
    let samples = u32::try_from(dictionary.samples).ok().filter(|n| *n < 1 << 24);
    let samples = samples.ok_or(EncodeError::TooMany("the number of samples"))?;
    out[counts_at..counts_at + 4].copy_from_slice(&(info_count | alleles << 16).to_le_bytes());
    out[counts_at + 4..counts_at + 8].copy_from_slice(&(samples | format_count << 24).to_le_bytes());
    let lengths = [individual_at - begin - 8, out.len() - individual_at];
    for (i, length) in lengths.into_iter().enumerate() {
        let length = u32::try_from(length).map_err(|_| EncodeError::TooMany("the length of the record"))?;
        out[begin + 4 * i..begin + 4 * i + 4].copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

fn number(names: &super::Names, name: &[u8], what: &'static str) -> Result<usize, EncodeError> {
    names.numbers.get(name).copied().ok_or_else(|| undeclared(what, name))
}

fn undeclared(what: &'static str, name: &[u8]) -> EncodeError {
    EncodeError::Undeclared { what, name: String::from_utf8_lossy(name).into_owned() }
}

fn push_filters(record: &Record, dictionary: &Dictionary, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut numbers = Vec::new();
    for filter in record.filters() {
        numbers.push(Some(number(&dictionary.tags, filter, "FILTER")? as i64));
    }
    if numbers.is_empty() {
        push_descriptor(0, kind::NULL, out);
    } else {
        push_integers(numbers.into_iter(), out);
    }
    Ok(())
}

/// FORMAT and the samples; how many fields there are.
fn push_samples(
    record: &Record,
    header: &Header,
    dictionary: &Dictionary,
    out: &mut Vec<u8>,
) -> Result<u32, EncodeError> {
    let mut count = 0u32;
    for (index, key) in record.format_keys().enumerate() {
        let key_number = number(&dictionary.tags, key, "FORMAT")?;
        let definition = header.format(key).ok_or_else(|| undeclared("FORMAT", key))?;
        push_integers([key_number as i64].into_iter().map(Some), out);
        let cells = || {
            let cells = record.cells(index).map(|cell| if cell.is_empty() { b"." } else { cell });
            cells.chain(std::iter::repeat(&b"."[..])).take(dictionary.samples)
        };
        if key == b"GT" {
            push_genotypes(cells(), dictionary.has_first_phase, out)?;
        } else {
            let values = |cell: &[u8]| 1 + memchr::memchr_iter(b',', cell).count();
            match definition.kind {
                Type::Integer => {
                    let width = cells().map(values).max().unwrap_or(1);
                    let numbers = cells().map(|cell| cell.split(|&b| b == b',').map(integer));
                    push_integer_table(numbers, width, out);
                }
                Type::Float => {
                    let width = cells().map(values).max().unwrap_or(1);
                    push_descriptor(width, kind::FLOAT, out);
                    for cell in cells() {
                        let floats = cell.split(|&b| b == b',').map(float);
                        for bits in floats.chain(std::iter::repeat(FLOAT_END)).take(width) {
                            out.extend_from_slice(&bits.to_le_bytes());
                        }
                    }
                }
                _ => {
                    let width = cells().map(<[u8]>::len).max().unwrap_or(0);
                    push_descriptor(width, kind::CHAR, out);
                    for cell in cells() {
                        out.extend_from_slice(cell);
                        out.resize(out.len() + width - cell.len(), 0);
                    }
                }
            }
        }
        count += 1;
    }
    if count > 0xff {
        return Err(EncodeError::TooMany("the number of FORMAT fields"));
    }
    Ok(count)
}

/// Each allele as (its number + 1) * 2, 0 for a missing one, and 1 more where it is phased.
fn push_genotypes<'r>(
    cells: impl Iterator<Item = &'r [u8]>,
    has_first_phase: bool,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let (mut alleles, mut ends) = (Vec::new(), Vec::new());
    let mut width = 1;
    for cell in cells {
        let begin = alleles.len();
        push_genotype(cell, has_first_phase, &mut alleles)
            .ok_or_else(|| EncodeError::Genotype(String::from_utf8_lossy(cell).into_owned()))?;
        width = width.max(alleles.len() - begin);
        ends.push(alleles.len());
    }
    let mut begin = 0;
    let cells =
        ends.iter().map(|&end| alleles[std::mem::replace(&mut begin, end)..end].iter().map(|&n| Some(n)));
    let cells: Vec<_> = cells.collect();
    push_integer_table(cells.into_iter(), width, out);
    Ok(())
}

fn push_genotype(cell: &[u8], has_first_phase: bool, alleles: &mut Vec<i64>) -> Option<()> {
    let begin = alleles.len();
    let (prefix, mut rest) = match cell {
        [b'|', rest @ ..] if has_first_phase => (Some(1), rest),
        [b'/', rest @ ..] if has_first_phase => (Some(0), rest),
        rest => (None, rest),
    };
    let mut phase = prefix.unwrap_or(0);
    loop {
        let end = rest.iter().position(|b| matches!(b, b'/' | b'|')).unwrap_or(rest.len());
        alleles.push(match &rest[..end] {
            b"." => phase,
            number => {
                parse_integer(number).filter(|n| (0..(1 << 30) - 1).contains(n))?.wrapping_add(1) << 1 | phase
            }
        });
        let Some(separator) = rest.get(end) else { break };
        phase = i64::from(*separator == b'|');
        rest = &rest[end + 1..];
    }
    // Without a prefix the first is phased if no other is unphased; a lone missing one is not.
    if prefix.is_none() {
        let others = &alleles[begin + 1..];
        let is_phased =
            if others.is_empty() { alleles[begin] != 0 } else { others.iter().all(|a| a & 1 == 1) };
        alleles[begin] |= i64::from(is_phased);
    }
    Some(())
}

/// An integer; missing where it is none or does not fit into 32 bits less eight reserved values.
fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.iter().skip(usize::from(text.first().is_some_and(|b| matches!(b, b'-' | b'+'))));
    let length = digits.take_while(|b| b.is_ascii_digit()).count();
    let text =
        &text[..text.len().min(length + usize::from(text.first().is_some_and(|b| !b.is_ascii_digit())))];
    parse_integer(text).filter(|n| (LEAST_INTEGER..=i64::from(i32::MAX)).contains(n))
}

const LEAST_INTEGER: i64 = i32::MIN as i64 + 8;

fn float(text: &[u8]) -> u32 {
    parse_float(text).map_or(FLOAT_MISSING, |value| (value as f32).to_bits())
}

fn push_descriptor(count: usize, kind: u8, out: &mut Vec<u8>) {
    if count < 15 {
        out.push((count as u8) << 4 | kind);
    } else {
        out.push(15 << 4 | kind);
        push_integers([Some(count as i64)].into_iter(), out);
    }
}

fn push_text(text: &[u8], out: &mut Vec<u8>) {
    push_descriptor(text.len(), kind::CHAR, out);
    out.extend_from_slice(text);
}

fn push_integers(numbers: impl Iterator<Item = Option<i64>> + Clone, out: &mut Vec<u8>) {
    let width = numbers.clone().count();
    push_integer_table(std::iter::once(numbers), width, out);
}

/// Rows of up to `width` integers, in the narrowest type that holds them all.
fn push_integer_table<R: Iterator<Item = Option<i64>>>(
    rows: impl Iterator<Item = R> + Clone,
    width: usize,
    out: &mut Vec<u8>,
) {
    let (least, greatest) = rows
        .clone()
        .flatten()
        .flatten()
        .fold((0, 0), |(least, greatest): (i64, i64), n| (least.min(n), greatest.max(n)));
    let kind = if least >= i64::from(i8::MIN) + 8 && greatest <= i64::from(i8::MAX) {
        kind::INT8
    } else if least >= i64::from(i16::MIN) + 8 && greatest <= i64::from(i16::MAX) {
        kind::INT16
    } else {
        kind::INT32
    };
    push_descriptor(width, kind, out);
    for row in rows {
        let mut count = 0;
        for number in row.take(width) {
            push_integer(number, kind, 0, out);
            count += 1;
        }
        for _ in count..width {
            push_integer(None, kind, 1, out);
        }
    }
}

/// One integer, or the reserved value `reserved` above the least.
fn push_integer(number: Option<i64>, kind: u8, reserved: i64, out: &mut Vec<u8>) {
    match kind {
        kind::INT8 => out.push(number.unwrap_or(i64::from(i8::MIN) + reserved) as u8),
        kind::INT16 => {
            out.extend_from_slice(&(number.unwrap_or(i64::from(i16::MIN) + reserved) as i16).to_le_bytes());
        }
        _ => out.extend_from_slice(&(number.unwrap_or(i64::from(i32::MIN) + reserved) as i32).to_le_bytes()),
    }
}
