//! Changing a record: what is put among its changes, and the places that point there.

use std::borrow::Cow;
use std::io::Write;

use memchr::{memchr, memchr_iter};

use super::{Cells, Column, FormatField, InfoField, Record, Span};

/// Room for the first changes of a record, so that the buffer does not grow bit by bit.
const FIRST_CHANGES: usize = 192;
/// Room for the fields of FORMAT and some more.
const USUAL_FIELDS: usize = 12;

impl Record {
    /// Replaces a column.
    pub fn set_column(&mut self, column: Column, text: &[u8]) {
        self.columns[column as usize] = self.put(text);
        match column {
            Column::Info => self.info = None,
            Column::Format => self.format = None,
            _ => {}
        }
    }

    /// Sets POS to this and 1.
    pub fn set_position(&mut self, position: i64) {
        if position != self.position {
            self.position = position;
            let span = self.put_display(position + 1);
            self.columns[Column::Pos as usize] = span;
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
        let separate = |changes: &mut Vec<u8>| {
            if changes.len() > begin {
                changes.push(b';');
            }
        };
        let push = |changes: &mut Vec<u8>, key: &[u8], value: &[u8]| {
            separate(changes);
            changes.extend_from_slice(key);
            changes.push(b'=');
            changes.extend_from_slice(value);
        };
        // Fields that stay are copied as runs.
        let mut run: Option<(usize, usize)> = None;
        let copy = |changes: &mut Vec<u8>, run: Option<(usize, usize)>| {
            if let Some((from, to)) = run {
                separate(changes);
                changes.extend_from_slice(&text[from..to]);
            }
        };
        let mut begin_of_field = 0;
        let ends = memchr_iter(b';', &text).chain([text.len()]);
        for end in ends.filter(|_| *text != *b".") {
            let field = &text[begin_of_field..end];
            let place = std::mem::replace(&mut begin_of_field, end + 1);
            if field.is_empty() {
                copy(&mut changes, run.take());
                continue;
            }
            let length = field.iter().position(|&b| b == b'=').unwrap_or(field.len());
            let key = &field[..length];
            let is_same = |(other, _): &(&[u8], _)| {
                other.len() == length && other.first() == key.first() && *other == key
            };
            let Some(number) = updates.iter().position(is_same) else {
                run = Some((run.map_or(place, |(from, _)| from), end));
                continue;
            };
            copy(&mut changes, run.take());
            is_there[number] = true;
            if let Some(value) = updates[number].1 {
                push(&mut changes, key, value);
            }
        }
        copy(&mut changes, run.take());
        for ((key, value), is_there) in updates.iter().zip(is_there) {
            if !is_there && let Some(value) = value {
                push(&mut changes, key, value);
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

    /// Sets FORMAT fields where they stand, or behind the others in the order given: `write` writes the value, never empty,
    /// of a sample and of a tag's place in the list. None of the tags is `GT`.
    pub fn set_formats(&mut self, tags: &[&[u8]], mut write: impl FnMut(usize, usize, &mut Vec<u8>)) {
        if self.format_keys().any(|key| tags.contains(&key)) {
            let samples = self.sample_texts().count();
            for (number, tag) in tags.iter().enumerate() {
                let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(samples));
                for sample in 0..samples {
                    write(sample, number, &mut text);
                    ends.push(text.len());
                }
                self.set_format(tag, &text, &ends);
            }
            return;
        }
        // All columns are written anew at once, which is less work than fields one by one.
        self.settle();
        let fields = self.format_keys().count();
        let mut keys = self.column(Column::Format).to_vec();
        if fields == 0 {
            keys.clear();
        }
        for tag in tags {
            if !keys.is_empty() {
                keys.push(b':');
            }
            keys.extend_from_slice(tag);
        }
        let mut text = Vec::with_capacity(self.at(self.samples).len() * 3 / 2 + 64);
        for (sample, cells) in self.sample_texts().enumerate() {
            if sample > 0 {
                text.push(b'\t');
            }
            let mut count = 0;
            if fields > 0 {
                text.extend_from_slice(if cells.is_empty() { b"." } else { cells });
                count = 1 + memchr_iter(b':', cells).count();
                // Cells at the end may be left out.
                (count..fields).for_each(|_| text.extend_from_slice(b":."));
            }
            for number in 0..tags.len() {
                if count + number > 0 {
                    text.push(b':');
                }
                write(sample, number, &mut text);
            }
        }
        (self.columns[Column::Format as usize], self.samples) = (self.put(&keys), self.put(&text));
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

    fn put_display(&mut self, value: impl std::fmt::Display) -> Span {
        let from = self.end();
        // Writing to a vector does not fail.
        let _ = write!(self.changes, "{value}");
        self.since(from)
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

    /// Takes FORMAT apart.
    fn take_format(&mut self) -> Vec<FormatField> {
        self.change_count += 1;
        if let Some(fields) = self.format.take() {
            return fields;
        }
        let Span { mut from, to } = self.columns[Column::Format as usize];
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
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
}
