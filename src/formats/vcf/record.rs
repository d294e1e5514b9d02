//! A record: its line, the places of its columns, and what was changed.
//!
//! The line stays where it was read, in a batch that its records share. Changes are put into a buffer of the record's own,
//! and the places point there: an untouched column is written byte for byte as it was read, an untouched record is never
//! copied before it is written. INFO and FORMAT are taken apart only when one of their fields is changed. Nothing here knows
//! what a tag means; positions are 0-based (POS - 1), so a telomere (POS 0) is -1.

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr_iter};
use thiserror::Error;

/// The longest line that is taken: 2 GiB, so that places fit into 32 bits with room for changes.
pub const MAX_LINE: usize = 1 << 31;

/// Room for the first changes of a record, so that the buffer does not grow bit by bit.
const FIRST_CHANGES: usize = 192;

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
    /// The fields of INFO, once one of them was changed.
    info: Option<Vec<InfoField>>,
    /// The fields of FORMAT, once one of them was changed.
    format: Option<Vec<FormatField>>,
}

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

    /// Where the next change will stand.
    fn end(&self) -> u32 {
        self.length + self.changes.len() as u32
    }

    /// What was put since the end was `from`.
    fn since(&mut self, from: u32) -> Span {
        self.change_count += 1;
        Span { from, to: self.end() }
    }

    /// Puts bytes among the changes.
    fn put(&mut self, bytes: &[u8]) -> Span {
        let from = self.end();
        if self.changes.capacity() == 0 {
            self.changes.reserve(FIRST_CHANGES.max(bytes.len()));
        }
        self.changes.extend_from_slice(bytes);
        self.since(from)
    }

    /// A column's text. INFO and FORMAT are as they were read until [`Self::settle`]d.
    #[inline]
    pub fn column(&self, column: Column) -> &[u8] {
        self.at(self.columns[column as usize])
    }

    /// Replaces a column.
    pub fn set_column(&mut self, column: Column, text: &[u8]) {
        self.columns[column as usize] = self.put(text);
        match column {
            Column::Info => self.info = None,
            Column::Format => self.format = None,
            _ => {}
        }
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

    /// Sets POS to this and 1.
    pub fn set_position(&mut self, position: i64) {
        if position != self.position {
            self.position = position;
            let span = self.put_display(position + 1);
            self.columns[Column::Pos as usize] = span;
        }
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

    fn put_display(&mut self, value: impl std::fmt::Display) -> Span {
        let from = self.end();
        // Writing to a vector does not fail.
        let _ = write!(self.changes, "{value}");
        self.since(from)
    }

    /// REF.
    #[inline]
    pub fn reference(&self) -> &[u8] {
        self.column(Column::Ref)
    }

    /// The alleles of ALT; none where it is `.`.
    #[inline]
    pub fn alternates(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let alt = self.column(Column::Alt);
        let alt = if alt == b"." { None } else { Some(alt) };
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

    /// Replaces ALT by these alleles, `.` where there is none.
    pub fn set_alternates<'a>(&mut self, alleles: impl IntoIterator<Item = &'a [u8]>) {
        let from = self.end();
        for (i, allele) in alleles.into_iter().enumerate() {
            if i > 0 {
                self.changes.push(b',');
            }
            self.changes.extend_from_slice(allele);
        }
        if self.end() == from {
            self.changes.push(b'.');
        }
        self.columns[Column::Alt as usize] = self.since(from);
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

    /// Sets an INFO field where it stands, or behind the others; `None` makes it a flag.
    pub fn set_info(&mut self, tag: &[u8], value: Option<&[u8]>) {
        let value = value.map(|value| self.put(value));
        let mut fields = self.take_info();
        match fields.iter_mut().find(|field| self.at(field.key) == tag) {
            Some(field) => field.value = value,
            None => {
                let key = self.put(tag);
                fields.push(InfoField { key, value });
            }
        }
        self.info = Some(fields);
    }

    /// Sets or, with `None`, removes many INFO fields in one walk: each where it stands, else behind the others in the
    /// order given. A value is never empty.
    pub fn update_info(&mut self, updates: &[(&[u8], Option<&[u8]>)]) {
        self.settle();
        let from = self.end();
        let column = self.columns[Column::Info as usize];
        let mut changes = std::mem::take(&mut self.changes);
        let added: usize =
            updates.iter().map(|(key, value)| key.len() + 2 + value.map_or(0, <[u8]>::len)).sum();
        changes.reserve((column.to - column.from) as usize + added);
        let begin = changes.len();
        let mut is_there = vec![false; updates.len()];
        // The column itself may stand among the changes, which are out of the record now.
        let text = match column.from.checked_sub(self.length) {
            None => Cow::Borrowed(&self.line()[column.from as usize..column.to as usize]),
            Some(from) => Cow::Owned(changes[from as usize..(column.to - self.length) as usize].to_vec()),
        };
        let push = |changes: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>| {
            if changes.len() > begin {
                changes.push(b';');
            }
            changes.extend_from_slice(key);
            if let Some(value) = value {
                changes.push(b'=');
                changes.extend_from_slice(value);
            }
        };
        if *text != *b"." {
            for field in text.split(|&b| b == b';').filter(|field| !field.is_empty()) {
                let (key, value) = split_field(field);
                match updates.iter().position(|(other, _)| *other == key) {
                    None => push(&mut changes, key, value),
                    Some(number) => {
                        is_there[number] = true;
                        if let Some(value) = updates[number].1 {
                            push(&mut changes, key, Some(value));
                        }
                    }
                }
            }
        }
        for ((key, value), is_there) in updates.iter().zip(is_there) {
            if !is_there && let Some(value) = value {
                push(&mut changes, key, Some(value));
            }
        }
        if changes.len() == begin {
            changes.push(b'.');
        }
        self.changes = changes;
        self.columns[Column::Info as usize] = self.since(from);
    }

    /// Keeps the INFO fields for which `keep` is true.
    pub fn retain_info(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        if self.info_fields().all(|(key, _)| keep(key)) {
            return;
        }
        let mut fields = self.take_info();
        fields.retain(|field| keep(self.at(field.key)));
        self.info = Some(fields);
    }

    /// Takes INFO apart.
    fn take_info(&mut self) -> Vec<InfoField> {
        self.change_count += 1;
        if let Some(fields) = self.info.take() {
            return fields;
        }
        let Span { mut from, to } = self.columns[Column::Info as usize];
        let mut fields = Vec::new();
        if self.column(Column::Info) == b"." {
            return fields;
        }
        while from < to {
            let rest = self.at(Span { from, to });
            let end = from + memchr(b';', rest).unwrap_or(rest.len()) as u32;
            let field = self.at(Span { from, to: end });
            let equals = memchr(b'=', field).map(|at| from + at as u32);
            if !field.is_empty() {
                fields.push(InfoField {
                    key: Span { from, to: equals.unwrap_or(end) },
                    value: equals.map(|at| Span { from: at + 1, to: end }),
                });
            }
            from = end + 1;
        }
        fields
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

    /// Sets a FORMAT field where it stands, or behind the others (`GT` in front of them), to cells that stand behind one
    /// another in `text`, each ending at one of `ends`; one a sample.
    pub fn set_format(&mut self, tag: &[u8], text: &[u8], ends: &[usize]) {
        let base = self.put(text).from;
        let mut from = base;
        let cells = ends.iter().map(|&end| {
            let span = Span { from, to: base + end as u32 };
            from = span.to;
            span
        });
        let cells = Cells::Changed(cells.collect());
        let mut fields = self.take_format();
        match fields.iter_mut().find(|field| self.at(field.key) == tag) {
            Some(field) => field.cells = cells,
            None => {
                let key = self.put(tag);
                let at = if tag == b"GT" { 0 } else { fields.len() };
                fields.insert(at, FormatField { key, cells });
            }
        }
        self.format = Some(fields);
    }

    /// Keeps the FORMAT fields for which `keep` is true.
    pub fn retain_format(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        if self.format_keys().all(&mut keep) {
            return;
        }
        let mut fields = self.take_format();
        fields.retain(|field| keep(self.at(field.key)));
        self.format = Some(fields);
    }

    /// Takes FORMAT apart.
    fn take_format(&mut self) -> Vec<FormatField> {
        self.change_count += 1;
        if let Some(fields) = self.format.take() {
            return fields;
        }
        let Span { mut from, to } = self.columns[Column::Format as usize];
        let mut fields = Vec::new();
        if self.column(Column::Format) == b"." {
            return fields;
        }
        while from < to {
            let rest = self.at(Span { from, to });
            let end = from + memchr(b':', rest).unwrap_or(rest.len()) as u32;
            let cells = Cells::Original(fields.len());
            fields.push(FormatField { key: Span { from, to: end }, cells });
            from = end + 1;
        }
        fields
    }

    /// Keeps these samples, in this order; numbers past the last are passed over. Without any, FORMAT goes too.
    pub fn select_samples(&mut self, numbers: &[usize]) {
        self.settle();
        if numbers.is_empty() {
            self.columns[Column::Format as usize] = Span::default();
            self.samples = Span::default();
            self.change_count += 1;
            return;
        }
        let mut spans = Vec::new();
        let mut from = self.samples.from;
        for text in self.sample_texts() {
            spans.push(Span { from, to: from + text.len() as u32 });
            from += text.len() as u32 + 1;
        }
        let begin = self.end();
        for (i, span) in numbers.iter().filter_map(|&number| spans.get(number)).enumerate() {
            if i > 0 {
                self.changes.push(b'\t');
            }
            match span.from.checked_sub(self.length) {
                None => {
                    let line = &self.batch[self.begin..self.begin + self.length as usize];
                    self.changes.extend_from_slice(&line[span.from as usize..span.to as usize]);
                }
                Some(from) => {
                    self.changes.extend_from_within(from as usize..(span.to - self.length) as usize)
                }
            }
        }
        self.samples = self.since(begin);
    }

    /// Makes columns of what was changed in INFO and FORMAT.
    pub fn settle(&mut self) {
        if self.info.is_some() {
            let mut text = Vec::new();
            self.write_info(&mut text);
            let span = self.put(&text);
            (self.columns[Column::Info as usize], self.info) = (span, None);
        }
        if self.format.is_some() {
            let (mut keys, mut samples) = (Vec::new(), Vec::new());
            self.write_keys(&mut keys);
            self.write_samples(&mut samples);
            let span = self.put(&keys);
            (self.columns[Column::Format as usize], self.samples) = (span, self.put(&samples));
            self.format = None;
        }
    }

    /// Writes the line, without its end.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.change_count == 0 && self.length > 0 {
            out.extend_from_slice(self.line());
            return;
        }
        for column in &self.columns[..7] {
            out.extend_from_slice(self.at(*column));
            out.push(b'\t');
        }
        self.write_info(out);
        if self.samples == Span::default() || (self.at(self.samples).is_empty() && self.format.is_none()) {
            return;
        }
        out.push(b'\t');
        self.write_keys(out);
        out.push(b'\t');
        self.write_samples(out);
    }

    fn write_info(&self, out: &mut Vec<u8>) {
        let Some(fields) = &self.info else {
            out.extend_from_slice(self.column(Column::Info));
            return;
        };
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                out.push(b';');
            }
            out.extend_from_slice(self.at(field.key));
            if let Some(value) = field.value {
                out.push(b'=');
                out.extend_from_slice(self.at(value));
            }
        }
        if fields.is_empty() {
            out.push(b'.');
        }
    }

    fn write_keys(&self, out: &mut Vec<u8>) {
        let Some(fields) = &self.format else {
            out.extend_from_slice(self.column(Column::Format));
            return;
        };
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                out.push(b':');
            }
            out.extend_from_slice(self.at(field.key));
        }
        if fields.is_empty() {
            out.push(b'.');
        }
    }

    fn write_samples(&self, out: &mut Vec<u8>) {
        let Some(fields) = &self.format else {
            out.extend_from_slice(self.at(self.samples));
            return;
        };
        for (sample, text) in self.sample_texts().enumerate() {
            if sample > 0 {
                out.push(b'\t');
            }
            for (i, field) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(b':');
                }
                out.extend_from_slice(match &field.cells {
                    Cells::Original(number) => cell(text, *number),
                    Cells::Changed(cells) => cells.get(sample).map_or(b".", |&span| self.at(span)),
                });
            }
            if fields.is_empty() {
                out.push(b'.');
            }
        }
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
        if let Some(value) = field.strip_prefix(tag) {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str =
        "chr1\t100\trs1\tA\tC,<DEL>\t9.50\tq10;s50\tDP=10;DB;AF=0.500,0.1\tGT:AD:DP\t0/1:1,2,3:6\t./.";

    fn written(record: &Record) -> String {
        let mut out = Vec::new();
        record.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_parts_are_found() {
        let record = Record::parse(LINE.as_bytes()).unwrap();
        assert_eq!((record.chrom(), record.position(), record.reference()), (&b"chr1"[..], 99, &b"A"[..]));
        assert_eq!(record.alternates().collect::<Vec<_>>(), [&b"C"[..], b"<DEL>"]);
        assert_eq!((record.allele_count(), record.quality()), (3, Some(9.5)));
        assert_eq!(record.filters().collect::<Vec<_>>(), [&b"q10"[..], b"s50"]);
        for (tag, value) in
            [("DP", Some("10")), ("DB", Some("")), ("AF", Some("0.500,0.1")), ("A", None), ("D", None)]
        {
            assert_eq!(record.info(tag.as_bytes()), value.map(str::as_bytes), "{tag}");
        }
        let index = record.format_index(b"AD").unwrap();
        assert_eq!(record.cells(index).collect::<Vec<_>>(), [&b"1,2,3"[..], b"."]);
        assert_eq!(record.format_index(b"XX"), None);
    }

    #[test]
    fn changes_stand_where_they_belong_and_the_rest_is_as_it_was() {
        type Change = fn(&mut Record);
        let cases: [(Change, &str, &str); 11] = [
            (|_| {}, "", ""),
            (|r| r.set_position(999), "\t100\t", "\t1000\t"),
            (|r| r.set_alternates([&b"T"[..]]), "C,<DEL>", "T"),
            (|r| r.set_alternates([]), "C,<DEL>", "."),
            (|r| r.set_info(b"DP", Some(b"11")), "DP=10", "DP=11"),
            (|r| r.set_info(b"AN", Some(b"4")), "0.500,0.1", "0.500,0.1;AN=4"),
            (|r| r.retain_info(|key| key != b"DB"), "DB;", ""),
            (|r| r.retain_info(|_| false), "DP=10;DB;AF=0.500,0.1", "."),
            (|r| r.set_format(b"DP", b"79", &[1, 2]), "0/1:1,2,3:6\t./.", "0/1:1,2,3:7\t./.:.:9"),
            (|r| r.retain_format(|key| key == b"GT"), "GT:AD:DP\t0/1:1,2,3:6\t./.", "GT\t0/1\t./."),
            (|r| r.select_samples(&[1]), "0/1:1,2,3:6\t./.", "./."),
        ];
        for (change, from, to) in cases {
            let mut record = Record::parse(LINE.as_bytes()).unwrap();
            change(&mut record);
            assert_eq!(written(&record), LINE.replacen(from, to, 1), "{from} -> {to}");
            record.settle();
            assert_eq!(written(&record), LINE.replacen(from, to, 1), "settled: {from} -> {to}");
        }
        let mut record = Record::parse(LINE.as_bytes()).unwrap();
        record.select_samples(&[]);
        assert_eq!(written(&record), LINE.split("\tGT").next().unwrap());
        let mut sites = Record::parse(b"1\t5\t.\tA\t.\t.\t.\t.").unwrap();
        sites.set_info(b"END", Some(b"9"));
        assert_eq!(written(&sites), "1\t5\t.\tA\t.\t.\t.\tEND=9");
    }

    #[test]
    fn many_fields_are_set_as_one_by_one() {
        for info in [".", "A=1", "B=2;A=1;C", "C;D=4;B=2"] {
            for updates in [
                vec![("A", Some("9")), ("E", Some("5")), ("C", None)],
                vec![("B", None), ("D", Some("1,2")), ("A", None)],
                vec![],
            ] {
                let line = format!("1\t1\t.\tA\tC\t.\t.\t{info}");
                let (mut at_once, mut singly) =
                    (Record::parse(line.as_bytes()).unwrap(), Record::parse(line.as_bytes()).unwrap());
                for round in 0..2 {
                    let bytes: Vec<(&[u8], Option<&[u8]>)> = updates
                        .iter()
                        .map(|(key, value)| (key.as_bytes(), value.map(str::as_bytes)))
                        .collect();
                    at_once.update_info(&bytes);
                    for (key, value) in bytes {
                        match value {
                            Some(value) => singly.set_info(key, Some(value)),
                            None => singly.retain_info(|other| other != key),
                        }
                    }
                    assert_eq!(written(&at_once), written(&singly), "{info} {updates:?}, round {round}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for (line, error) in [
            ("", RecordError::Columns(1)),
            ("1\t2\t.\tA\tC\t.\t.", RecordError::Columns(7)),
            ("1\tx\t.\tA\tC\t.\t.\t.", RecordError::Position),
            ("1\t\t.\tA\tC\t.\t.\t.", RecordError::Position),
        ] {
            assert_eq!(Record::parse(line.as_bytes()).unwrap_err(), error, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_pass_through_or_are_refused(
            columns in proptest::collection::vec("[ -~]{0,12}", 7..13), position in 0i64..5_000_000_000,
        ) {
            let mut columns = columns;
            columns.insert(1, position.to_string());
            let line = columns.join("\t");
            let mut record = Record::parse(line.as_bytes()).unwrap();
            prop_assert_eq!(record.position(), position - 1);
            let _ = (record.info(b"A"), record.alternates().count(), record.quality(), record.format_index(b"GT"));
            for field in 0..record.format_keys().count() {
                let _ = record.cells(field).count();
            }
            record.set_info(b"ZZ", None);
            record.set_format(b"ZZ", b"", &[]);
            let _ = written(&record);
            record.settle();
        }

        #[test]
        fn a_line_that_is_not_touched_is_the_same(columns in proptest::collection::vec("[ -~]{1,12}", 9..13)) {
            let mut columns = columns;
            columns[1] = "7".into();
            let line = columns.join("\t");
            let record = Record::parse(line.as_bytes()).unwrap();
            if columns.len() > 9 {
                prop_assert_eq!(written(&record), line);
            }
        }
    }
}
