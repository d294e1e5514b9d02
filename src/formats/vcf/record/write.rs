//! Writing a record: columns as they were read, and in their places those that were changed.

use memchr::memchr_iter;

use super::{Cells, Column, FormatField, Record, Span, cell};

impl Record {
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

    pub(super) fn write_info(&self, out: &mut Vec<u8>) {
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

    pub(super) fn write_keys(&self, out: &mut Vec<u8>) {
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

    pub(super) fn write_samples(&self, out: &mut Vec<u8>) {
        let Some(fields) = &self.format else {
            out.extend_from_slice(self.at(self.samples));
            return;
        };
        // Fields that stand where they stood are copied together.
        let is_in_place = |(number, field): &(usize, &FormatField)| matches!(field.cells, Cells::Original(n) if n == *number);
        let first = fields.iter().enumerate().take_while(is_in_place).count();
        for (sample, text) in self.sample_texts().enumerate() {
            if sample > 0 {
                out.push(b'\t');
            }
            let copied = if first > 0 { push_first_cells(text, first, out) } else { 0 };
            for (i, field) in fields.iter().enumerate().skip(copied) {
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

/// Writes the first `count` cells of a sample if it has them all and none is empty; says how many are written.
fn push_first_cells(text: &[u8], count: usize, out: &mut Vec<u8>) -> usize {
    let (mut found, mut begin) = (0, 0);
    for end in memchr_iter(b':', text).chain([text.len()]) {
        if end == begin {
            return 0;
        }
        (found, begin) = (found + 1, end + 1);
        if found == count {
            out.extend_from_slice(&text[..end]);
            return count;
        }
    }
    0
}
