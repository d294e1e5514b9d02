//! Tables for `plink2 --score`: an identifier, an allele, and a column of weights for each score.
//!
//! Columns are told by number and separated by blanks or tabs. Source: plink2's manual, `--score` and `--score-col-nums`.

use std::io::BufRead;
use std::path::Path;

use thiserror::Error;

use super::score_header::Header;
use super::score_problems::{RowProblem, ScoringProblem};
use super::score_variants::{EffectType, NewVariant, Variants};
use super::scoring_file::{Coordinates, Score, ScoringFile, stem, weight};
use crate::formats::text;

/// Which columns hold what, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumns {
    /// Identifiers.
    pub id: usize,
    /// Alleles whose copies are counted.
    pub allele: usize,
    /// Weights, a score each.
    pub weights: Vec<usize>,
    /// What the first line is.
    pub first_line: FirstLine,
}

/// What the first line of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstLine {
    /// A variant.
    Variant,
    /// To be left out (`header`).
    Skipped,
    /// The names of the scores (`header-read`).
    Names,
}

impl Default for TableColumns {
    /// Columns 1, 2 and 3, no line of names.
    fn default() -> Self {
        Self { id: 1, allele: 2, weights: vec![3], first_line: FirstLine::Variant }
    }
}

/// Why numbers of columns are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no list of columns such as 3-12,15 (from 1, increasing, at most 1,000,000)")]
pub struct ColumnListError(String);

/// Reads numbers of columns as `--score-col-nums` takes them: `3-12,15`.
///
/// # Errors
/// They are no increasing numbers and ranges.
pub fn column_numbers(text: &str) -> Result<Vec<usize>, ColumnListError> {
    let refused = || ColumnListError(text.to_owned());
    let number = |text: &str| text.parse().ok().filter(|number| (1..=MAX_COLUMN).contains(number));
    let mut numbers: Vec<usize> = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Some(first), Some(last)) = (number(first), number(last)) else { return Err(refused()) };
        if first > last || numbers.last().is_some_and(|before| *before >= first) {
            return Err(refused());
        }
        numbers.extend(first..=last);
    }
    Ok(numbers)
}

const MAX_COLUMN: usize = 1_000_000;

/// Reads a table.
pub(super) fn parse(
    reader: &mut dyn BufRead,
    path: &Path,
    columns: &TableColumns,
) -> Result<ScoringFile, ScoringProblem> {
    let name = stem(path);
    let mut file = ScoringFile {
        path: path.to_owned(),
        scores: unnamed(&name, columns.weights.len()),
        name,
        header: Header::default(),
        coordinates: Coordinates::Identifiers,
        build: None,
        variants: Variants::default(),
        by_dosage: Vec::new(),
        remarks: Vec::new(),
    };
    let (mut line, mut number, mut is_first) = (Vec::new(), 0, true);
    let last = columns.weights.iter().chain([&columns.id, &columns.allele]).max().copied().unwrap_or(0);
    while text::read_line(reader, &mut line)? {
        number += 1;
        let of_row = |source: RowProblem| ScoringProblem::Row { line: number, source };
        let line = std::str::from_utf8(&line).map_err(|_| of_row(RowProblem::Text))?;
        let cells: Vec<&str> = line.split_ascii_whitespace().take(last).collect();
        if cells.is_empty() || line.starts_with("##") {
            continue;
        }
        if cells.len() < last {
            return Err(of_row(RowProblem::Cells { found: cells.len(), expected: last }));
        }
        let is_variant = !std::mem::take(&mut is_first) || columns.first_line == FirstLine::Variant;
        if is_variant {
            add(&cells, columns, &mut file).map_err(of_row)?;
        } else if columns.first_line == FirstLine::Names {
            for (score, column) in file.scores.iter_mut().zip(&columns.weights) {
                score.name = cell(&cells, *column).to_owned();
            }
        }
    }
    Ok(file)
}

/// One score bears the file's name; of several, each a number, as in plink2.
fn unnamed(name: &str, count: usize) -> Vec<Score> {
    let names = (1..=count).map(|number| if count == 1 { name.to_owned() } else { format!("SCORE{number}") });
    names.map(|name| Score { name, weights: Vec::new() }).collect()
}

fn add(cells: &[&str], columns: &TableColumns, file: &mut ScoringFile) -> Result<(), RowProblem> {
    file.variants.push(NewVariant {
        contig: "",
        position: 0,
        id: Some(cell(cells, columns.id)),
        effect: cell(cells, columns.allele),
        other: "",
        effect_type: EffectType::Additive,
        complexity: None,
    })?;
    for (score, column) in file.scores.iter_mut().zip(&columns.weights) {
        score.weights.push(weight(cell(cells, *column))?);
    }
    Ok(())
}

/// The cell of a column; empty for column 0, which is none.
fn cell<'l>(cells: &[&'l str], column: usize) -> &'l str {
    column.checked_sub(1).and_then(|place| cells.get(place)).copied().unwrap_or("")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_columns_are_read() {
        assert_eq!(column_numbers("3-5,7").unwrap(), [3, 4, 5, 7]);
        for text in ["", "0", "5-3", "3,3", "3-4000000000", "-1", "a", "3,"] {
            assert!(column_numbers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tables_have_many_scores() {
        let columns =
            TableColumns { weights: vec![3, 5], first_line: FirstLine::Names, ..Default::default() };
        let table = "#ID A one other two\nrs1 a 0.5 x -0\n\nrs2\tCT\t1e-3\tx\t2\n";
        let file = parse(&mut table.as_bytes(), Path::new("t.tsv.gz"), &columns).unwrap();
        assert_eq!(file.scores[0], Score { name: "one".into(), weights: vec![0.5, 1e-3] });
        assert_eq!((file.scores[1].name.as_str(), file.name.as_str()), ("two", "t"));
        assert!(file.scores[1].weights[0].is_sign_negative());
        let row = file.variants.get(1).unwrap();
        assert_eq!((row.id, &*row.alleles.effect, row.position), (Some("rs2"), "CT", None));
        for (broken, told) in [
            ("h\nrs1 A 1 2", "line 1: it has 1 cells, not 5"),
            ("a b c d e\nrs1 A 1 2 NA", "line 2: the weight \"NA\" is no finite number"),
        ] {
            let error = parse(&mut broken.as_bytes(), Path::new("t"), &columns).unwrap_err();
            assert_eq!(error.to_string(), told);
        }
    }
}
