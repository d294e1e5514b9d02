//! Writing a record: columns as they were read, and in their places those that were changed.

use super::{Cells, Column, Record, Span, cell};

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
