//! From a line of text to a BCF record.

use rustc_hash::FxHashMap;
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

/// Writes records of one header as BCF.
#[derive(Clone, Debug)]
pub struct Encoder {
    dictionary: Dictionary,
    info: FxHashMap<Vec<u8>, (usize, Type)>,
    format: FxHashMap<Vec<u8>, (usize, Type)>,
}

/// Buffers that are used again from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    integers: Vec<Option<i64>>,
    /// Where each sample's values end in `integers`.
    ends: Vec<usize>,
    /// The cells of the samples, one field after another within each.
    cells: Vec<(u32, u32)>,
}

impl Encoder {
    /// An encoder for records under this header.
    pub fn new(header: &Header) -> Self {
        let dictionary = Dictionary::new(header);
        let (mut info, mut format) = (FxHashMap::default(), FxHashMap::default());
        for (name, &number) in &dictionary.tags.numbers {
            if let Some(definition) = header.info(name) {
                info.insert(name.clone(), (number, definition.kind));
            }
            if let Some(definition) = header.format(name) {
                format.insert(name.clone(), (number, definition.kind));
            }
        }
        Self { dictionary, info, format }
    }

    /// The numbers that names have.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Appends the record with its two lengths.
    ///
    /// # Errors
    /// It has what the header does not declare, or what BCF cannot hold.
    pub fn encode(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let dictionary = &self.dictionary;
        let begin = out.len();
        out.extend_from_slice(&[0; 8]);
        let contig = number(&dictionary.contigs, record.chrom(), "contig")?;
        out.extend_from_slice(&(contig as u32).to_le_bytes());
        let position = record.position();
        let position =
            i32::try_from(position).map_err(|_| EncodeError::Position(position.saturating_add(1)))?;
        out.extend_from_slice(&position.to_le_bytes());
        let length = i32::try_from(extent::end(record) - record.position()).unwrap_or(i32::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        let quality =
            parse_float(record.column(Column::Qual)).map_or(FLOAT_MISSING, |q| (q as f32).to_bits());
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
        push_filters(record, dictionary, scratch, out)?;
        let info_count = self.push_info(record, scratch, out)?;
        let individual_at = out.len();
        let format_count = if dictionary.samples > 0 { self.push_samples(record, scratch, out)? } else { 0 };

        let alleles = u32::try_from(record.allele_count()).ok().filter(|n| *n <= 0xffff);
        let alleles = alleles.ok_or(EncodeError::TooMany("the number of alleles"))?;
        let samples = u32::try_from(dictionary.samples).ok().filter(|n| *n < 1 << 24);
        let samples = samples.ok_or(EncodeError::TooMany("the number of samples"))?;
        out[counts_at..counts_at + 4].copy_from_slice(&(info_count | alleles << 16).to_le_bytes());
        out[counts_at + 4..counts_at + 8].copy_from_slice(&(samples | format_count << 24).to_le_bytes());
        let lengths = [individual_at - begin - 8, out.len() - individual_at];
        for (i, length) in lengths.into_iter().enumerate() {
            let length =
                u32::try_from(length).map_err(|_| EncodeError::TooMany("the length of the record"))?;
            out[begin + 4 * i..begin + 4 * i + 4].copy_from_slice(&length.to_le_bytes());
        }
        Ok(())
    }

    /// INFO; how many fields there are.
    fn push_info(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<u32, EncodeError> {
        let mut count = 0u32;
        for (key, value) in record.info_fields() {
            let &(number, kind) = self.info.get(key).ok_or_else(|| undeclared("INFO", key))?;
            push_number(number, out);
            match (value, kind) {
                (None, _) => push_descriptor(0, kind::NULL, out),
                (Some(value), Type::Integer) => {
                    scratch.integers.clear();
                    scratch.integers.extend(value.split(|&b| b == b',').map(integer));
                    let end = scratch.integers.len();
                    push_integer_table(&scratch.integers, &[end], end, out);
                }
                (Some(value), Type::Float) => {
                    let floats = value.split(|&b| b == b',');
                    push_descriptor(floats.clone().count(), kind::FLOAT, out);
                    floats.for_each(|text| out.extend_from_slice(&float(text).to_le_bytes()));
                }
                (Some(value), _) => push_text(value, out),
            }
            count += 1;
        }
        if count > 0xffff {
            return Err(EncodeError::TooMany("the number of INFO fields"));
        }
        Ok(count)
    }

    /// FORMAT and the samples; how many fields there are.
    fn push_samples(
        &self,
        record: &Record,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<u32, EncodeError> {
        let fields = record.format_keys().count();
        if fields > 0xff {
            return Err(EncodeError::TooMany("the number of FORMAT fields"));
        }
        // All cells are found in one walk over the text, if that is as it was read.
        let text = record.unchanged_samples();
        scratch.cells.clear();
        if let Some(text) = text {
            find_cells(text, fields, &mut scratch.cells);
        }
        for (index, key) in record.format_keys().enumerate() {
            let &(number, kind) = self.format.get(key).ok_or_else(|| undeclared("FORMAT", key))?;
            push_number(number, out);
            let is_genotype = key == b"GT";
            match text {
                Some(text) => {
                    let Scratch { integers, ends, cells } = scratch;
                    let spans = cells.iter().skip(index).step_by(fields.max(1));
                    let cells = spans.map(|&(from, to)| &text[from as usize..to as usize]);
                    self.push_field(cells, is_genotype, kind, (integers, ends), out)?;
                }
                None => {
                    let lists = (&mut scratch.integers, &mut scratch.ends);
                    self.push_field(record.cells(index), is_genotype, kind, lists, out)?;
                }
            }
        }
        Ok(fields as u32)
    }

    fn push_field<'r>(
        &self,
        cells: impl Iterator<Item = &'r [u8]> + Clone,
        is_genotype: bool,
        kind: Type,
        (integers, ends): (&mut Vec<Option<i64>>, &mut Vec<usize>),
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let cells = cells.map(|cell| if cell.is_empty() { b"." } else { cell });
        let cells = cells.chain(std::iter::repeat(&b"."[..])).take(self.dictionary.samples);
        if is_genotype || kind == Type::Integer {
            integers.clear();
            ends.clear();
            let mut width = 1;
            for cell in cells {
                let begin = integers.len();
                if is_genotype {
                    push_genotype(cell, self.dictionary.has_first_phase, integers)
                        .ok_or_else(|| EncodeError::Genotype(String::from_utf8_lossy(cell).into_owned()))?;
                } else {
                    integers.extend(cell.split(|&b| b == b',').map(integer));
                }
                width = width.max(integers.len() - begin);
                ends.push(integers.len());
            }
            push_integer_table(integers, ends, width, out);
        } else if kind == Type::Float {
            let width =
                cells.clone().map(|cell| 1 + memchr::memchr_iter(b',', cell).count()).max().unwrap_or(1);
            push_descriptor(width, kind::FLOAT, out);
            for cell in cells {
                let floats = cell.split(|&b| b == b',').map(float);
                for bits in floats.chain(std::iter::repeat(FLOAT_END)).take(width) {
                    out.extend_from_slice(&bits.to_le_bytes());
                }
            }
        } else {
            let width = cells.clone().map(<[u8]>::len).max().unwrap_or(0);
            push_descriptor(width, kind::CHAR, out);
            for cell in cells {
                out.extend_from_slice(cell);
                out.resize(out.len() + width - cell.len(), 0);
            }
        }
        Ok(())
    }
}

/// Notes where the first `fields` cells of each sample stand; empty where a sample has fewer.
fn find_cells(text: &[u8], fields: usize, cells: &mut Vec<(u32, u32)>) {
    let (mut from, mut field) = (0, 0);
    for end in memchr::memchr2_iter(b':', b'\t', text).chain([text.len()]) {
        if field < fields {
            cells.push((from as u32, end as u32));
        }
        field += 1;
        from = end + 1;
        if text.get(end).is_none_or(|&b| b == b'\t') {
            for _ in field..fields {
                cells.push((end as u32, end as u32));
            }
            field = 0;
        }
    }
}

fn number(names: &super::Names, name: &[u8], what: &'static str) -> Result<usize, EncodeError> {
    names.numbers.get(name).copied().ok_or_else(|| undeclared(what, name))
}

fn undeclared(what: &'static str, name: &[u8]) -> EncodeError {
    EncodeError::Undeclared { what, name: String::from_utf8_lossy(name).into_owned() }
}

fn push_filters(
    record: &Record,
    dictionary: &Dictionary,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    scratch.integers.clear();
    for filter in record.filters() {
        scratch.integers.push(Some(number(&dictionary.tags, filter, "FILTER")? as i64));
    }
    match scratch.integers.len() {
        0 => push_descriptor(0, kind::NULL, out),
        count => push_integer_table(&scratch.integers, &[count], count, out),
    }
    Ok(())
}

/// Each allele as (its number + 1) * 2, 0 for a missing one, and 1 more where it is phased.
fn push_genotype(cell: &[u8], has_first_phase: bool, alleles: &mut Vec<Option<i64>>) -> Option<()> {
    if let &[a @ b'0'..=b'9', separator @ (b'/' | b'|'), b @ b'0'..=b'9'] = cell {
        let phase = i64::from(separator == b'|');
        alleles.extend([a, b].map(|digit| Some((i64::from(digit - b'0') + 1) << 1 | phase)));
        return Some(());
    }
    let begin = alleles.len();
    let (prefix, mut rest) = match cell {
        [b'|', rest @ ..] if has_first_phase => (Some(1), rest),
        [b'/', rest @ ..] if has_first_phase => (Some(0), rest),
        rest => (None, rest),
    };
    let mut phase = prefix.unwrap_or(0);
    loop {
        let end = rest.iter().position(|b| matches!(b, b'/' | b'|')).unwrap_or(rest.len());
        alleles.push(Some(match &rest[..end] {
            b"." => phase,
            number => {
                let number = parse_integer(number).filter(|n| (0..(1 << 30) - 1).contains(n))?;
                (number + 1) << 1 | phase
            }
        }));
        let Some(separator) = rest.get(end) else { break };
        phase = i64::from(*separator == b'|');
        rest = &rest[end + 1..];
    }
    // Without a prefix the first is phased if no other is unphased; a lone missing one is not.
    if prefix.is_none() {
        let (first, others) = alleles[begin..].split_first_mut()?;
        let is_phased = if others.is_empty() {
            *first != Some(0)
        } else {
            others.iter().flatten().all(|allele| allele & 1 == 1)
        };
        *first = first.map(|first| first | i64::from(is_phased));
    }
    Some(())
}

/// An integer; missing where it is none or does not fit into 32 bits less eight reserved values.
fn integer(text: &[u8]) -> Option<i64> {
    let number = parse_integer(text).or_else(|| {
        // What stands before the first character that is no digit.
        let sign = usize::from(text.first().is_some_and(|b| matches!(b, b'-' | b'+')));
        let digits = text.iter().skip(sign).take_while(|b| b.is_ascii_digit()).count();
        parse_integer(&text[..sign + digits])
    });
    number.filter(|n| (LEAST_INTEGER..=i64::from(i32::MAX)).contains(n))
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
        push_number(count, out);
    }
}

fn push_text(text: &[u8], out: &mut Vec<u8>) {
    push_descriptor(text.len(), kind::CHAR, out);
    out.extend_from_slice(text);
}

/// A single integer that is not negative.
fn push_number(number: usize, out: &mut Vec<u8>) {
    match number {
        0..=0x7f => out.extend_from_slice(&[1 << 4 | kind::INT8, number as u8]),
        _ => push_integer_table(&[Some(number as i64)], &[1], 1, out),
    }
}

/// Rows of up to `width` integers, which end at `ends`, in the narrowest type that holds them all.
fn push_integer_table(integers: &[Option<i64>], ends: &[usize], width: usize, out: &mut Vec<u8>) {
    let (mut least, mut greatest) = (0, 0);
    for &number in integers.iter().flatten() {
        (least, greatest) = (number.min(least), number.max(greatest));
    }
    let kind = if least >= i64::from(i8::MIN) + 8 && greatest <= i64::from(i8::MAX) {
        kind::INT8
    } else if least >= i64::from(i16::MIN) + 8 && greatest <= i64::from(i16::MAX) {
        kind::INT16
    } else {
        kind::INT32
    };
    push_descriptor(width, kind, out);
    match kind {
        kind::INT8 => push_rows(integers, ends, width, i64::from(i8::MIN), out, |n| (n as i8).to_le_bytes()),
        kind::INT16 => {
            push_rows(integers, ends, width, i64::from(i16::MIN), out, |n| (n as i16).to_le_bytes())
        }
        _ => push_rows(integers, ends, width, i64::from(i32::MIN), out, |n| (n as i32).to_le_bytes()),
    }
}

/// `missing` is the type's least number; the next is the end of a shorter row.
fn push_rows<const N: usize>(
    integers: &[Option<i64>],
    ends: &[usize],
    width: usize,
    missing: i64,
    out: &mut Vec<u8>,
    bytes: impl Fn(i64) -> [u8; N],
) {
    let mut begin = 0;
    for &end in ends {
        let row = &integers[begin..end];
        for number in row {
            out.extend_from_slice(&bytes(number.unwrap_or(missing)));
        }
        for _ in row.len()..width {
            out.extend_from_slice(&bytes(missing + 1));
        }
        begin = end;
    }
}
