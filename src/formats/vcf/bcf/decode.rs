//! From a BCF record to the line of text that it stands for.

use super::super::number::{write_float, write_integer};
use super::{BcfError, Dictionary, FLOAT_END, FLOAT_MISSING, kind};

/// Appends the line, without its end, of a record that begins with its two lengths.
///
/// # Errors
/// The record is damaged, or names what the header does not have.
pub fn decode(record: &[u8], dictionary: &Dictionary, out: &mut Vec<u8>) -> Result<(), BcfError> {
    let mut lengths = Bytes(record);
    let (shared, individual) = (lengths.u32()? as usize, lengths.u32()? as usize);
    let mut shared = Bytes(lengths.take(shared)?);
    let mut individual = Bytes(lengths.take(individual)?);

    let contig = shared.u32()? as i32;
    let position = shared.u32()? as i32;
    let _length_on_reference = shared.u32()?;
    let quality = shared.u32()?;
    let counts = shared.u32()?;
    let (info_count, allele_count) = (counts & 0xffff, counts >> 16);
    let counts = shared.u32()?;
    let (sample_count, format_count) = ((counts & 0x00ff_ffff) as usize, counts >> 24);

    let name = usize::try_from(contig).ok().and_then(|number| dictionary.contigs.name(number));
    out.extend_from_slice(name.ok_or(BcfError::Contig(contig))?);
    out.push(b'\t');
    write_integer(i64::from(position) + 1, out);
    out.push(b'\t');
    write_text(shared.value()?, out);
    out.push(b'\t');
    for allele in 0..allele_count {
        if allele > 0 {
            out.push(if allele == 1 { b'\t' } else { b',' });
        }
        write_text(shared.value()?, out);
    }
    if allele_count == 0 {
        out.push(b'.');
    }
    if allele_count < 2 {
        out.extend_from_slice(b"\t.");
    }
    out.push(b'\t');
    write_float_bits(quality, out);
    out.push(b'\t');
    write_filters(shared.value()?, dictionary, out)?;
    out.push(b'\t');
    if info_count == 0 {
        out.push(b'.');
    }
    for number in 0..info_count {
        if number > 0 {
            out.push(b';');
        }
        out.extend_from_slice(tag(&mut shared, dictionary)?);
        let value = shared.value()?;
        if value.kind != kind::NULL && value.count > 0 {
            out.push(b'=');
            write_values(value, out)?;
        }
    }
    if dictionary.samples == 0 {
        return Ok(());
    }
    if sample_count != dictionary.samples && format_count > 0 {
        return Err(BcfError::Samples(sample_count, dictionary.samples));
    }
    write_samples(&mut individual, format_count, dictionary, out)
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOf {
    /// In INFO.
    Info,
    /// In FORMAT.
    Format,
}

/// How values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No value.
    Missing,
    /// Integers of 8, 16 or 32 bits.
    Integer,
    /// Reals of 32 bits.
    Float,
    /// Characters.
    Text,
}

/// Tells for each field of a record how its values are stored.
///
/// # Errors
/// As [`decode`].
pub fn field_kinds(
    record: &[u8],
    dictionary: &Dictionary,
    tell: &mut dyn FnMut(FieldOf, &[u8], Kind),
) -> Result<(), BcfError> {
    let mut lengths = Bytes(record);
    let (shared, individual) = (lengths.u32()? as usize, lengths.u32()? as usize);
    let mut shared = Bytes(lengths.take(shared)?);
    let mut individual = Bytes(lengths.take(individual)?);
    shared.take(16)?;
    let (alleles_and_info, samples_and_format) = (shared.u32()?, shared.u32()?);
    // ID, the alleles and FILTER.
    for _ in 0..(alleles_and_info >> 16) + 2 {
        shared.value()?;
    }
    for _ in 0..alleles_and_info & 0xffff {
        let name = tag(&mut shared, dictionary)?;
        tell(FieldOf::Info, name, shared.value()?.stored()?);
    }
    let samples = (samples_and_format & 0x00ff_ffff) as usize;
    for _ in 0..samples_and_format >> 24 {
        let name = tag(&mut individual, dictionary)?;
        let (kind, count) = individual.descriptor()?;
        let width = count.checked_mul(size_of(kind)?).ok_or(BcfError::Short)?;
        let bytes = individual.take(width.checked_mul(samples).ok_or(BcfError::Short)?)?;
        tell(FieldOf::Format, name, Value { kind, count, bytes }.stored()?);
    }
    Ok(())
}

fn tag<'d>(bytes: &mut Bytes<'_>, dictionary: &'d Dictionary) -> Result<&'d [u8], BcfError> {
    let number = bytes.value()?.integers()?.next().flatten().unwrap_or(-1);
    let name = usize::try_from(number).ok().and_then(|number| dictionary.tags.name(number));
    name.ok_or(BcfError::Tag(number))
}

fn write_filters(value: Value<'_>, dictionary: &Dictionary, out: &mut Vec<u8>) -> Result<(), BcfError> {
    if value.count == 0 || value.kind == kind::NULL {
        out.push(b'.');
        return Ok(());
    }
    for (i, number) in value.integers()?.enumerate() {
        let number = number.unwrap_or(-1);
        let name = usize::try_from(number).ok().and_then(|number| dictionary.tags.name(number));
        if i > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.ok_or(BcfError::Tag(number))?);
    }
    Ok(())
}

fn write_samples(
    bytes: &mut Bytes<'_>,
    count: u32,
    dictionary: &Dictionary,
    out: &mut Vec<u8>,
) -> Result<(), BcfError> {
    out.push(b'\t');
    let mut fields = Vec::new();
    for number in 0..count {
        let name = tag(bytes, dictionary)?;
        if number > 0 {
            out.push(b':');
        }
        out.extend_from_slice(name);
        let (kind, count) = bytes.descriptor()?;
        let width = count.checked_mul(size_of(kind)?).ok_or(BcfError::Short)?;
        let cells = bytes.take(width.checked_mul(dictionary.samples).ok_or(BcfError::Short)?)?;
        fields.push((name == b"GT" && kind != kind::CHAR, kind, count, width, cells));
    }
    if fields.is_empty() {
        out.push(b'.');
    }
    for sample in 0..dictionary.samples {
        out.push(b'\t');
        for (i, &(is_genotype, kind, count, width, cells)) in fields.iter().enumerate() {
            if i > 0 {
                out.push(b':');
            }
            let value = Value { kind, count, bytes: &cells[sample * width..(sample + 1) * width] };
            if is_genotype {
                write_genotype(value, dictionary.has_first_phase, out)?;
            } else {
                write_values(value, out)?;
            }
        }
        if fields.is_empty() {
            out.push(b'.');
        }
    }
    Ok(())
}

/// Alleles with `/` or `|` before each but the first; before the first only where VCF 4.4 could not tell it from the
/// others.
fn write_genotype(value: Value<'_>, has_first_phase: bool, out: &mut Vec<u8>) -> Result<(), BcfError> {
    let begin = out.len();
    let (mut first, mut ploidy, mut any_unphased) = (0, 0, false);
    for allele in value.integers()? {
        let allele = allele.unwrap_or(0);
        if ploidy == 0 {
            first = allele;
        } else {
            out.push(if allele & 1 == 1 { b'|' } else { b'/' });
            any_unphased |= allele & 1 == 0;
        }
        match allele >> 1 {
            0 => out.push(b'.'),
            number => write_integer(number - 1, out),
        }
        ploidy += 1;
    }
    if ploidy == 0 {
        out.push(b'.');
    }
    if has_first_phase {
        let is_phased = first & 1 == 1;
        let must_be_told = match (is_phased, ploidy > 1) {
            (true, true) => any_unphased,
            (true, false) => first >> 1 == 0,
            (false, true) => !any_unphased,
            (false, false) => first != 0,
        };
        if must_be_told {
            out.insert(begin, if is_phased { b'|' } else { b'/' });
        }
    }
    Ok(())
}

/// A text, `.` where it is empty.
fn write_text(value: Value<'_>, out: &mut Vec<u8>) {
    let end = value.bytes.iter().position(|&b| b == 0).unwrap_or(value.bytes.len());
    out.extend_from_slice(if end == 0 { b"." } else { &value.bytes[..end] });
}

fn write_float_bits(bits: u32, out: &mut Vec<u8>) {
    match bits {
        FLOAT_MISSING | FLOAT_END => out.push(b'.'),
        bits => write_float(f64::from(f32::from_bits(bits)), out),
    }
}

fn write_values(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), BcfError> {
    let begin = out.len();
    match value.kind {
        kind::CHAR => write_text(value, out),
        kind::FLOAT => {
            let (floats, _) = value.bytes.as_chunks::<4>();
            for bits in floats.iter().map(|bytes| u32::from_le_bytes(*bytes)).take_while(|&b| b != FLOAT_END)
            {
                if out.len() > begin {
                    out.push(b',');
                }
                write_float_bits(bits, out);
            }
        }
        _ => {
            for number in value.integers()? {
                if out.len() > begin {
                    out.push(b',');
                }
                match number {
                    Some(number) => write_integer(number, out),
                    None => out.push(b'.'),
                }
            }
        }
    }
    if out.len() == begin {
        out.push(b'.');
    }
    Ok(())
}

/// Bytes that are taken from the front.
struct Bytes<'b>(&'b [u8]);

/// A value with its type.
#[derive(Clone, Copy)]
struct Value<'b> {
    kind: u8,
    count: usize,
    bytes: &'b [u8],
}

fn size_of(kind: u8) -> Result<usize, BcfError> {
    match kind {
        kind::NULL => Ok(0),
        kind::INT8 | kind::CHAR => Ok(1),
        kind::INT16 => Ok(2),
        kind::INT32 | kind::FLOAT => Ok(4),
        _ => Err(BcfError::Type(kind)),
    }
}

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], BcfError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BcfError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, BcfError> {
        self.take(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Type and count; a count of 15 says that the count follows as a value.
    fn descriptor(&mut self) -> Result<(u8, usize), BcfError> {
        let byte = self.take(1)?[0];
        let (kind, count) = (byte & 15, usize::from(byte >> 4));
        if count < 15 {
            return Ok((kind, count));
        }
        let byte = self.take(1)?[0];
        let value = Value { kind: byte & 15, count: 1, bytes: self.take(size_of(byte & 15)?)? };
        let count = value.integers()?.next().flatten().and_then(|count| usize::try_from(count).ok());
        Ok((kind, count.ok_or(BcfError::Short)?))
    }

    fn value(&mut self) -> Result<Value<'b>, BcfError> {
        let (kind, count) = self.descriptor()?;
        let bytes = self.take(count.checked_mul(size_of(kind)?).ok_or(BcfError::Short)?)?;
        Ok(Value { kind, count, bytes })
    }
}

impl<'b> Value<'b> {
    fn stored(self) -> Result<Kind, BcfError> {
        match self.kind {
            _ if self.count == 0 => Ok(Kind::Missing),
            kind::NULL => Ok(Kind::Missing),
            kind::INT8 | kind::INT16 | kind::INT32 => Ok(Kind::Integer),
            kind::FLOAT => Ok(Kind::Float),
            kind::CHAR => Ok(Kind::Text),
            other => Err(BcfError::Type(other)),
        }
    }

    /// The integers up to the end of a shorter vector, `None` for a missing one.
    fn integers(self) -> Result<impl Iterator<Item = Option<i64>> + use<'b>, BcfError> {
        let (width, missing, end) = match self.kind {
            kind::NULL => (1, 0, 0),
            kind::INT8 => (1, i64::from(i8::MIN), i64::from(i8::MIN) + 1),
            kind::INT16 => (2, i64::from(i16::MIN), i64::from(i16::MIN) + 1),
            kind::INT32 => (4, i64::from(i32::MIN), i64::from(i32::MIN) + 1),
            other => return Err(BcfError::Type(other)),
        };
        let numbers = self.bytes.chunks_exact(width).map(|bytes| match *bytes {
            [a] => i64::from(a as i8),
            [a, b] => i64::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            _ => 0,
        });
        Ok(numbers.take_while(move |&n| n != end).map(move |n| if n == missing { None } else { Some(n) }))
    }
}
