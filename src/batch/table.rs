//! Tables that people write: the sample sheet and the consent file.
//!
//! Tabs, commas or semicolons part the cells, whichever the first line has most of. A cell that begins with a quote ends with one, in the same line, whatever
//! parts the cells; a quote in the midst of a cell is text. A quote that is left open would take the rows behind it into its cell, so it is an
//! error in the line where it opens.

use std::path::Path;

use super::problems::Problems;

/// A table's rows, without those that are empty or begin with `#`.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Names of columns, in small letters.
    pub(super) head: Vec<String>,
    /// Rows by their line, from 1.
    pub(super) rows: Vec<(u64, csv::StringRecord)>,
}

impl Table {
    /// Reads a table, none of whose `columns` may be there twice; `None` where it has no first line, or where quotes leave open what its cells are.
    pub(super) fn read(path: &Path, text: &[u8], columns: &[&str], problems: &mut Problems) -> Option<Self> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if text.contains(&0) {
            problems.file(path, "it is no text of UTF-8 (of UTF-16, maybe): save it as UTF-8");
            return None;
        }
        let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let count = |byte: u8| first.iter().filter(|&&b| b == byte).count();
        // What there is most of; of as many, tabs.
        let delimiter = *b";,\t".iter().max_by_key(|byte| count(**byte)).unwrap_or(&b'\t');
        let quotes = wrong_quotes(text, delimiter);
        for (line, what) in &quotes {
            problems.file(path, format_args!("line {line}: {what}"));
        }
        if !quotes.is_empty() {
            return None;
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text);
        let mut table: Option<Self> = None;
        for row in reader.records() {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    problems.file(path, error);
                    break;
                }
            };
            let Some(table) = &mut table else {
                table = Some(Self { head: row.iter().map(str::to_lowercase).collect(), rows: Vec::new() });
                continue;
            };
            // csv's own comments would not count as lines.
            if row.iter().any(|cell| !cell.is_empty())
                && !row.get(0).is_some_and(|cell| cell.starts_with('#'))
            {
                table.rows.push((row.position().map_or(0, csv::Position::line), row));
            }
        }
        let Some(table) = table else {
            if problems.lines().is_empty() {
                problems.file(path, "it is empty: the first line names the columns");
            }
            return None;
        };
        for name in columns {
            if table.head.iter().filter(|other| other == name).count() > 1 {
                problems.cell(path, 1, name, "it is there twice");
            }
        }
        Some(table)
    }

    /// Where a column is.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.head.iter().position(|other| other == name)
    }
}

/// Lines with a quote that does not end where its cell does, and what is wrong.
fn wrong_quotes(text: &[u8], delimiter: u8) -> Vec<(u64, &'static str)> {
    let lines = (1..).zip(text.split(|&byte| byte == b'\n'));
    // csv ends a row at either byte, and counts lines by one of them.
    let rows =
        lines.flat_map(|(number, line)| line.split(|&byte| byte == b'\r').map(move |row| (number, row)));
    rows.filter_map(|(number, row)| Some((number, wrong_quote(row, delimiter)?))).collect()
}

/// What is wrong with a row's quotes.
fn wrong_quote(mut row: &[u8], delimiter: u8) -> Option<&'static str> {
    loop {
        if let Some(mut quoted) = row.strip_prefix(b"\"") {
            // Two quotes are one that is text.
            row = loop {
                let Some(at) = quoted.iter().position(|&byte| byte == b'"') else {
                    return Some("a quote opens here that does not close in its line");
                };
                quoted = &quoted[at + 1..];
                match quoted.strip_prefix(b"\"") {
                    Some(behind) => quoted = behind,
                    None => break quoted,
                }
            };
            if row.first().is_some_and(|&byte| byte != delimiter) {
                return Some("there is text between a quote that closes and the end of its cell");
            }
        }
        row = &row[row.iter().position(|&byte| byte == delimiter)? + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_end_where_their_cell_does() {
        let open = "a quote opens here that does not close in its line";
        let behind = "there is text between a quote that closes and the end of its cell";
        // A table, and its second row's cells or what is wrong with it.
        for (text, expected) in [
            ("sample,x\n\"A\",\"b, c\"\n", Ok(&["A", "b, c"][..])),
            ("sample\tx\n\"A\"\t\"b \"\"c\"\"\"\r\n", Ok(&["A", "b \"c\""])),
            ("sample\tx\nA\t5\" tube\nB\tb\n", Ok(&["A", "5\" tube"])),
            ("sample,x\nA,5\" tube\nB,b\n", Ok(&["A", "5\" tube"])),
            ("sample\tx\nA\t\"\"\n", Ok(&["A", ""])),
            ("\u{feff}sample,x\n# it's \"\nA,b\n", Ok(&["A", "b"])),
            ("sample,x\nA,\"b\nB,b\n", Err(format!("t: line 2: {open}"))),
            ("sample\tx\nA\t\"b\nB\tb\nC\t\"c\n", Err(format!("t: line 2: {open}\nt: line 4: {open}"))),
            ("sample,x\n\"A,b\nB,\"b\"\n", Err(format!("t: line 2: {open}"))),
            ("sample,x\n\nA,\"\"\"\n", Err(format!("t: line 3: {open}"))),
            ("sample,x,y\nA,\"b,\"c\n", Err(format!("t: line 2: {behind}"))),
            ("sample,x\n# a,\"b\nA,b\n", Err(format!("t: line 2: {open}"))),
            ("sample,x,x\nA,b,c\n", Err("t: line 1, column x: it is there twice".to_owned())),
            ("", Err("t: it is empty: the first line names the columns".to_owned())),
        ] {
            let mut problems = Problems::new();
            let table = Table::read(Path::new("t"), text.as_bytes(), &["sample", "x"], &mut problems);
            let found = match problems.lines() {
                [] => Ok(table
                    .iter()
                    .flat_map(|t| &t.rows)
                    .next()
                    .map(|(_, row)| row.iter().collect::<Vec<_>>())),
                lines => Err(lines.join("\n")),
            };
            assert_eq!(found, expected.map(|cells| Some(cells.to_vec())), "{text:?}");
        }
    }
}
