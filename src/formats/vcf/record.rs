//! A record: its line, the places of its columns, and what was changed.
//!
//! The line stays where it was read, in a batch that its records share. Changes are put into a buffer of the record's own,
//! and the places point there: an untouched column is written byte for byte as it was read, an untouched record is never
//! copied before it is written. INFO and FORMAT are taken apart only when one of their fields is changed. Nothing here knows
//! what a tag means; positions are 0-based (POS - 1), so a telomere (POS 0) is -1.

mod edit;
mod write;

use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr_iter};
use thiserror::Error;

/// The longest line that is taken: 2 GiB, so that places fit into 32 bits with room for changes.
pub const MAX_LINE: usize = 1 << 31;

/// Why a line is no record.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    /// Fewer than eight columns.
    #[error("a record needs 8 columns, this one has {0}")]
    Columns(usize),
    /// POS is no number.
    #[error("POS is no number")]
    Position,
    /// Longer than [`MAX_LINE`].
    #[error("the line is longer than 2 GiB")]
    TooLong,
}

/// A fixed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Column {
    /// CHROM.
    Chrom = 0,
    /// POS.
    Pos = 1,
    /// ID.
    Id = 2,
    /// REF.
    Ref = 3,
    /// ALT.
    Alt = 4,
    /// QUAL.
    Qual = 5,
    /// FILTER.
    Filter = 6,
    /// INFO.
    Info = 7,
    /// FORMAT; empty where there are no samples.
    Format = 8,
}

/// Where something stands: in the line, or behind its end among the changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    from: u32,
    to: u32,
}

/// One record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The batch with the line.
    batch: Arc<Vec<u8>>,
    /// Where the line begins in it.
    begin: usize,
    /// The line's length, without its end.
    length: u32,
    /// What was changed.
    changes: Vec<u8>,
    /// How often.
    change_count: u32,
    columns: [Span; 9],
    /// The samples' columns with the tabs between them.
    samples: Span,
    position: i64,
    /// The position as it was read.
    origin: i64,
    /// See [`Self::pass_over`].
    is_passed_over: bool,
    /// The fields of INFO, once one of them was changed.
    info: Option<Vec<InfoField>>,
    /// The fields of FORMAT, once one of them was changed.
    format: Option<Vec<FormatField>>,
}

/// Where the value of an INFO field stands.
#[derive(Clone, Copy, Debug)]
pub struct InfoPlace(Span);

/// A field of INFO.
#[derive(Clone, Copy, Debug)]
struct InfoField {
    key: Span,
    /// `None` for a flag.
    value: Option<Span>,
}

/// A field of FORMAT.
#[derive(Clone, Debug)]
struct FormatField {
    key: Span,
    cells: Cells,
}

/// The cells of a field.
#[derive(Clone, Debug)]
enum Cells {
    /// As read: the n-th of each sample's.
    Original(usize),
    /// One a sample.
    Changed(Vec<Span>),
}

impl Record {
    /// Takes a line, without its end.
    ///
    /// # Errors
    /// It has fewer than eight columns, or POS is no number.
    pub fn parse(line: &[u8]) -> Result<Self, RecordError> {
        Self::of_batch(&Arc::new(line.to_vec()), 0..line.len())
    }

    /// Takes a line of a batch, without its end; it is not copied.
    ///
    /// # Errors
    /// As [`Self::parse`], or the range is not within the batch.
    pub fn of_batch(batch: &Arc<Vec<u8>>, range: Range<usize>) -> Result<Self, RecordError> {
        let mut record = Self { batch: Arc::clone(batch), begin: range.start, ..Self::default() };
        record.take_apart(batch.get(range).ok_or(RecordError::Columns(0))?)?;
        Ok(record)
    }

    fn take_apart(&mut self, line: &[u8]) -> Result<(), RecordError> {
        if line.len() >= MAX_LINE {
            return Err(RecordError::TooLong);
        }
        let length = line.len() as u32;
        self.length = length;
        self.samples = Span { from: length, to: length };
        let (mut from, mut count) = (0, 0);
        for tab in memchr_iter(b'\t', line) {
            self.columns[count] = Span { from, to: tab as u32 };
            from = tab as u32 + 1;
            count += 1;
            if count == self.columns.len() {
                self.samples = Span { from, to: length };
                break;
            }
        }
        if count < self.columns.len() {
            self.columns[count] = Span { from, to: length };
            count += 1;
        }
        if count < 8 {
            return Err(RecordError::Columns(count));
        }
        self.position = parse_integer(self.column(Column::Pos)).ok_or(RecordError::Position)? - 1;
        self.origin = self.position;
        Ok(())
    }

    /// Bytes that the record holds, its changes included.
    pub fn size(&self) -> usize {
        self.length as usize + self.changes.len()
    }

    /// How often the record was changed since it was read.
    pub fn change_count(&self) -> u32 {
        self.change_count
    }

    #[inline]
    fn line(&self) -> &[u8] {
        &self.batch[self.begin..self.begin + self.length as usize]
    }

    #[inline]
    fn at(&self, span: Span) -> &[u8] {
        match span.from.checked_sub(self.length) {
            None => &self.line()[span.from as usize..span.to as usize],
            Some(from) => &self.changes[from as usize..(span.to - self.length) as usize],
        }
    }

    /// A column's text. INFO and FORMAT are as they were read until [`Self::settle`]d.
    #[inline]
    pub fn column(&self, column: Column) -> &[u8] {
        self.at(self.columns[column as usize])
    }

    /// CHROM.
    #[inline]
    pub fn chrom(&self) -> &[u8] {
        self.column(Column::Chrom)
    }

    /// POS - 1.
    #[inline]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// POS - 1 as it was read, wherever the record has moved to since.
    #[inline]
    pub fn origin(&self) -> i64 {
        self.origin
    }

    /// Takes the origin of the record of which this one was made.
    pub fn set_origin(&mut self, origin: i64) {
        self.origin = origin;
    }

    /// Has later steps of the same command leave the record as it is.
    pub fn pass_over(&mut self) {
        self.is_passed_over = true;
    }

    /// Whether the record is left as it is; from now on it is no more.
    pub fn take_passed_over(&mut self) -> bool {
        std::mem::take(&mut self.is_passed_over)
    }

    /// REF.
    #[inline]
    pub fn reference(&self) -> &[u8] {
        self.column(Column::Ref)
    }

    /// The alleles of ALT; none where it is `.` or empty.
    #[inline]
    pub fn alternates(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let alt = self.column(Column::Alt);
        let alt = if matches!(alt, b"." | b"") { None } else { Some(alt) };
        alt.into_iter().flat_map(|alt| alt.split(|&b| b == b','))
    }

    /// How many alleles there are, the reference's included.
    #[inline]
    pub fn allele_count(&self) -> usize {
        match self.column(Column::Alt) {
            b"." | b"" => 1,
            alt => 2 + memchr_iter(b',', alt).count(),
        }
    }

    /// QUAL; `None` where it is missing.
    pub fn quality(&self) -> Option<f64> {
        std::str::from_utf8(self.column(Column::Qual)).ok()?.parse().ok()
    }

    /// The filters, `PASS` included; none where FILTER is `.`.
    pub fn filters(&self) -> impl Iterator<Item = &[u8]> {
        let filter = self.column(Column::Filter);
        let filter = if filter == b"." { None } else { Some(filter) };
        filter.into_iter().flat_map(|filter| filter.split(|&b| b == b';'))
    }

    /// The fields of INFO in order: key, and value where it is no flag.
    pub fn info_fields(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let changed = self.info.as_ref();
        let raw = self.column(Column::Info);
        let raw = if changed.is_some() || raw == b"." || raw.is_empty() { None } else { Some(raw) };
        let raw = raw.into_iter().flat_map(|raw| raw.split(|&b| b == b';'));
        let raw = raw.filter(|field| !field.is_empty()).map(split_field);
        let changed = changed.into_iter().flatten();
        raw.chain(changed.map(|field| (self.at(field.key), field.value.map(|value| self.at(value)))))
    }

    /// The value of an INFO field: `None` where there is no such field, empty for a flag.
    pub fn info(&self, tag: &[u8]) -> Option<&[u8]> {
        if self.info.is_none() {
            return find_info(self.column(Column::Info), tag);
        }
        self.info_fields().find(|(key, _)| *key == tag).map(|(_, value)| value.unwrap_or_default())
    }

    /// Finds several INFO fields in one walk: for each tag the place of its value, as [`Self::info`] finds it.
    pub fn find_infos(&self, tags: &[Vec<u8>], places: &mut Vec<Option<InfoPlace>>) {
        places.clear();
        places.resize(tags.len(), None);
        let mut missing = tags.len();
        let mut note = |key: &[u8], place: Span| {
            let is_first = |(tag, found): &(&Vec<u8>, &mut Option<InfoPlace>)| {
                tag.first() == key.first() && tag.as_slice() == key && found.is_none()
            };
            if let Some((_, found)) = tags.iter().zip(places.iter_mut()).find(is_first) {
                *found = Some(InfoPlace(place));
                missing -= 1;
            }
            missing == 0
        };
        if let Some(fields) = &self.info {
            for field in fields {
                let value = field.value.unwrap_or(Span { from: field.key.to, to: field.key.to });
                if note(self.at(field.key), value) {
                    return;
                }
            }
            return;
        }
        let (base, info) = (self.columns[Column::Info as usize].from, self.column(Column::Info));
        let mut from = 0;
        for end in memchr_iter(b';', info).chain([info.len()]) {
            let field = &info[from..end];
            let key = field.iter().position(|&b| b == b'=').unwrap_or(field.len());
            let value =
                Span { from: base + (from + (key + 1).min(field.len())) as u32, to: base + end as u32 };
            if note(&field[..key], value) {
                return;
            }
            from = end + 1;
        }
    }

    /// The value at a place that [`Self::find_infos`] has found since the record was changed last.
    #[inline]
    pub fn info_at(&self, place: InfoPlace) -> &[u8] {
        self.at(place.0)
    }

    /// The keys of FORMAT in order.
    pub fn format_keys(&self) -> impl Iterator<Item = &[u8]> {
        let changed = self.format.as_ref();
        let raw = self.column(Column::Format);
        let raw = if changed.is_some() || raw.is_empty() || raw == b"." { None } else { Some(raw) };
        let raw = raw.into_iter().flat_map(|raw| raw.split(|&b| b == b':'));
        raw.chain(changed.into_iter().flatten().map(|field| self.at(field.key)))
    }

    /// The place of a tag among [`Self::format_keys`].
    pub fn format_index(&self, tag: &[u8]) -> Option<usize> {
        self.format_keys().position(|key| key == tag)
    }

    /// The cells of the n-th FORMAT field, one a sample; `.` where a sample has none.
    pub fn cells(&self, field: usize) -> impl Iterator<Item = &[u8]> + Clone {
        let source = match &self.format {
            Some(fields) => fields.get(field).map(|field| &field.cells),
            None => None,
        };
        let (original, changed) = match (source, &self.format) {
            (Some(Cells::Changed(cells)), _) => (None, Some(cells)),
            (Some(Cells::Original(number)), _) => (Some(*number), None),
            (None, None) => (Some(field), None),
            (None, Some(_)) => (None, None),
        };
        let original =
            original.into_iter().flat_map(|number| self.sample_texts().map(move |s| cell(s, number)));
        original.chain(changed.into_iter().flatten().map(|&span| self.at(span)))
    }

    /// The columns of the samples as they were read.
    pub fn sample_texts(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let samples = self.at(self.samples);
        let samples = if samples.is_empty() { None } else { Some(samples) };
        samples.into_iter().flat_map(|samples| samples.split(|&b| b == b'\t'))
    }

    /// The samples' columns with the tabs between them, as they were read; `None` once one of their fields was changed.
    pub fn unchanged_samples(&self) -> Option<&[u8]> {
        self.format.is_none().then(|| self.at(self.samples))
    }
}

/// A decimal integer with an optional sign, of up to 18 digits.
#[inline]
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (digits, negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = 10 * value + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

fn split_field(field: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr(b'=', field) {
        Some(at) => (&field[..at], Some(&field[at + 1..])),
        None => (field, None),
    }
}

/// The value of a tag in the text of INFO; empty for a flag.
fn find_info<'t>(info: &'t [u8], tag: &[u8]) -> Option<&'t [u8]> {
    let mut rest = info;
    while !rest.is_empty() {
        let end = memchr(b';', rest).unwrap_or(rest.len());
        let field = &rest[..end];
        if field.first() == tag.first()
            && let Some(value) = field.strip_prefix(tag)
        {
            match value {
                [] => return Some(value),
                [b'=', value @ ..] => return Some(value),
                _ => {}
            }
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    None
}

/// The n-th of the cells that stand between colons; `.` where there are fewer.
#[inline]
pub fn cell(sample: &[u8], number: usize) -> &[u8] {
    let mut rest = sample;
    for _ in 0..number {
        match memchr(b':', rest) {
            Some(at) => rest = &rest[at + 1..],
            None => return b".",
        }
    }
    let end = memchr(b':', rest).unwrap_or(rest.len());
    if end == 0 { b"." } else { &rest[..end] }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
