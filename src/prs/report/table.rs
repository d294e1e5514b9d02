//! Tables whose columns are found by name, row by row.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use crate::formats::text;
use crate::prs::calibration::panel::TableError;

/// A table of tabs or commas that is being read.
pub(super) struct Table {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    names: Vec<String>,
    separator: char,
}

impl Table {
    /// Opens a table, plain or compressed, and reads the names of its columns.
    pub(super) fn open(path: &Path, separator: char) -> Result<Self, TableError> {
        let io = |source| TableError::Io { path: path.to_owned(), source };
        let (mut reader, mut line) = (text::open(path).map_err(io)?, Vec::new());
        text::read_line(&mut *reader, &mut line).map_err(io)?;
        let line = String::from_utf8_lossy(&line);
        let names = line.split(separator).map(|name| name.trim_start_matches('#').to_owned()).collect();
        Ok(Self { path: path.to_owned(), reader, names, separator })
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a column, if there is one.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|found| found == name)
    }

    /// The place of a column that must be there.
    pub(super) fn place(&self, name: &str) -> Result<usize, TableError> {
        let column = || TableError::Column { path: self.path.clone(), column: name.to_owned() };
        self.find(name).ok_or_else(column)
    }

    /// Calls `take` with the cells of each row, which are as many as names.
    pub(super) fn each(
        mut self,
        mut take: impl FnMut(&[&str]) -> Result<(), String>,
    ) -> Result<(), TableError> {
        let (mut line, mut number) = (Vec::new(), 1);
        while text::read_line(&mut *self.reader, &mut line)
            .map_err(|source| TableError::Io { path: self.path.clone(), source })?
        {
            number += 1;
            let row = String::from_utf8_lossy(&line);
            if row.is_empty() {
                continue;
            }
            let quoted: Vec<String>;
            let mut cells: Vec<&str> = Vec::with_capacity(self.names.len());
            if self.separator == ',' && row.contains('"') {
                quoted = csv_cells(&row);
                cells.extend(quoted.iter().map(String::as_str));
            } else {
                cells.extend(row.split(self.separator));
            }
            let result = match cells.len() == self.names.len() {
                true => take(&cells),
                false => Err(format!("it has {} columns, not {}", cells.len(), self.names.len())),
            };
            result.map_err(|what| TableError::Line { path: self.path.clone(), line: number, what })?;
        }
        Ok(())
    }
}

/// Cells of a line, of which some are in quotation marks.
fn csv_cells(line: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => push(&mut cells, '"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            letter => push(&mut cells, letter),
        }
    }
    cells
}

fn push(cells: &mut [String], letter: char) {
    if let Some(last) = cells.last_mut() {
        last.push(letter);
    }
}

/// A finite number; `None` where the cell is empty.
pub(super) fn number(cell: &str) -> Result<Option<f64>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    let number = cell.parse().ok().filter(|number: &f64| number.is_finite());
    number.map(Some).ok_or_else(|| format!("{cell:?} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_are_read() {
        // RFC 4180.
        for (line, cells) in [
            ("a,\"b,c\",d", vec!["a", "b,c", "d"]),
            ("\"a \"\"b\"\"\",,", vec!["a \"b\"", "", ""]),
            ("\"", vec![""]),
        ] {
            assert_eq!(csv_cells(line), cells, "{line}");
        }
    }
}
