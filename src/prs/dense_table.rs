//! Tables for `plink2 --score`: an identifier, an allele and a weight for each of many scores, matched by identifier and
//! allele as PLINK does.

use std::io::BufRead;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::weights::{Effect, Weights, WeightsBuilder, WeightsError};
use crate::formats::genotypes::sites::SiteTable;
use crate::formats::line_blocks::{LineBlock, LineBlocks};
use crate::formats::text;

/// A table whose rows were found among the variants.
#[derive(Clone, Debug)]
pub struct DenseTable {
    /// The weights; all scores are one group.
    pub weights: Weights,
    /// Names of the scores, from the header.
    pub names: Vec<String>,
    /// Rows that were found.
    pub matched: usize,
    /// Rows whose identifier or allele no variant has.
    pub unmatched: usize,
}

/// Why a table is not taken.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct DenseTableError {
    /// The table.
    pub path: PathBuf,
    /// The cause.
    pub source: DenseTableProblem,
}

/// What is wrong with a table of weights.
#[derive(Debug, thiserror::Error)]
pub enum DenseTableProblem {
    /// The system failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line, from 1.
    #[error("line {line}: {what}")]
    Line {
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A weight is not taken.
    #[error("line {line}: {source}")]
    Weight {
        /// The line, from 1.
        line: u64,
        /// Why.
        source: WeightsError,
    },
    /// None of the rows was found.
    #[error("no row has the identifier and an allele of a variant of the genotypes")]
    NothingMatches,
}

/// Where variants are, by their identifiers.
#[derive(Debug, Default)]
pub struct VariantsById<'s> {
    numbers: FxHashMap<&'s str, (u32, bool)>,
    files: Vec<(u32, &'s SiteTable)>,
}

impl<'s> VariantsById<'s> {
    /// Numbers the variants of files, one behind the other.
    pub fn new(files: &[&'s SiteTable]) -> Self {
        let mut all = Self::default();
        let mut first = 0;
        for sites in files {
            all.files.push((first, *sites));
            for (number, site) in (first..).zip(sites.iter()) {
                if site.id != "." {
                    let known = all.numbers.entry(site.id).or_insert((number, true));
                    known.1 = known.0 == number;
                }
            }
            first += sites.len() as u32;
        }
        all
    }

    /// The variant of that identifier, and the number of its allele.
    ///
    /// # Errors
    /// The identifier is that of several variants.
    fn find(&self, id: &str, allele: &str) -> Result<Option<(u32, u32)>, String> {
        let Some(&(variant, is_alone)) = self.numbers.get(id) else { return Ok(None) };
        if !is_alone {
            return Err(format!("several variants of the genotypes have the identifier {id}"));
        }
        let at = self.files.partition_point(|(first, _)| *first <= variant).checked_sub(1);
        let file = at.and_then(|at| self.files.get(at));
        let site = file.and_then(|(first, sites)| sites.get((variant - first) as usize));
        let place = site.and_then(|site| {
            std::iter::once(site.reference).chain(site.alternates()).position(|name| name == allele)
        });
        Ok(place.map(|place| (variant, place as u32)))
    }
}

impl DenseTable {
    /// Reads a table with a header: identifier, allele and the weights of columns, 0-based (all from the third on where
    /// there is no list). Columns are separated by tabs or blanks; plain, gzip, BGZF or Zstandard.
    ///
    /// # Errors
    /// It cannot be read, a line has fewer columns than are asked for or no number for a weight, or nothing matches.
    pub fn read(
        path: &Path,
        columns: Option<&[usize]>,
        effect: Effect,
        variants: &VariantsById,
    ) -> Result<Self, DenseTableError> {
        let read = || {
            let mut input = text::open(path)?;
            Self::parse(input.as_mut(), columns, effect, variants)
        };
        read().map_err(|source| DenseTableError { path: path.to_owned(), source })
    }

    fn parse(
        input: &mut dyn BufRead,
        columns: Option<&[usize]>,
        effect: Effect,
        variants: &VariantsById,
    ) -> Result<Self, DenseTableProblem> {
        let mut header = Vec::new();
        let is_there = text::read_line(input, &mut header)?;
        let wrong = |line: u64, what: &str| DenseTableProblem::Line { line, what: what.to_owned() };
        let header = std::str::from_utf8(&header).map_err(|_| wrong(1, "it is not UTF-8"))?;
        let fields: Vec<&str> = header.split_ascii_whitespace().collect();
        let wanted = columns.map_or_else(|| (2..fields.len()).collect(), <[usize]>::to_vec);
        let names: Option<Vec<String>> =
            wanted.iter().map(|column| fields.get(*column).map(|name| (*name).to_owned())).collect();
        let names = names.filter(|names| is_there && !names.is_empty());
        let names = names.ok_or_else(|| wrong(1, "the header has no names of the columns of weights"))?;
        let mut known = FxHashSet::default();
        if let Some(twice) = names.iter().find(|name| !known.insert(*name)) {
            return Err(wrong(1, &format!("two columns have the name {twice}")));
        }
        let of_weights = |source| DenseTableProblem::Weight { line: 1, source };
        let mut builder = WeightsBuilder::new(names.len(), 1).map_err(of_weights)?;
        let (mut line, mut matched, mut unmatched) = (2, 0, 0);
        let mut seen = FxHashSet::default();
        let mut blocks = LineBlocks::new(input);
        let (mut block, mut next) = (LineBlock::default(), LineBlock::default());
        let mut is_there = blocks.next(&mut block)?;
        while is_there {
            let row_of = |(at, place): (usize, &Range<usize>)| {
                let row = Found::of(block.line(place), &wanted, variants);
                row.map_err(|what| wrong(line + at as u64, &what))
            };
            // Reading stays on this thread: htslib's readers cannot go to another.
            let mut rows = Vec::new();
            let more = rayon::in_place_scope(|scope| {
                scope.spawn(|_| rows = block.lines().par_iter().enumerate().map(row_of).collect());
                blocks.next(&mut next)
            });
            let count = rows.len();
            for (line, row) in (line..).zip(rows) {
                let Some(found) = row? else {
                    unmatched += 1;
                    continue;
                };
                matched += 1;
                if !seen.insert((found.variant, found.allele)) {
                    return Err(wrong(line, "its variant and allele are those of a line before"));
                }
                let told = |source| DenseTableProblem::Weight { line, source };
                builder.add_row(0, found.variant, found.allele, effect, &found.weights).map_err(told)?;
                builder.count(0, found.variant, found.allele, effect).map_err(told)?;
            }
            line += count as u64;
            is_there = more?;
            std::mem::swap(&mut block, &mut next);
        }
        if matched == 0 {
            return Err(DenseTableProblem::NothingMatches);
        }
        Ok(Self { weights: builder.finish(), names, matched, unmatched })
    }
}

/// A row of a variant.
struct Found {
    variant: u32,
    allele: u32,
    weights: Vec<f64>,
}

impl Found {
    fn of(row: &[u8], wanted: &[usize], variants: &VariantsById) -> Result<Option<Self>, String> {
        let row = std::str::from_utf8(row).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut fields = Fields { row, next: 0 };
        let (Some(id), Some(allele)) = (fields.get(0), fields.get(1)) else {
            return Err("it has no identifier and allele".into());
        };
        let Some((variant, allele)) = variants.find(id, allele)? else { return Ok(None) };
        let mut weights = Vec::with_capacity(wanted.len());
        for column in wanted {
            let field = fields.get(*column).ok_or_else(|| format!("it has no column {}", column + 1))?;
            weights
                .push(field.parse().map_err(|_| format!("{field:?} in column {} is no number", column + 1))?);
        }
        Ok(Some(Self { variant, allele, weights }))
    }
}

/// Columns of a row, which are asked for in increasing order.
struct Fields<'r> {
    row: &'r str,
    next: usize,
}

impl<'r> Fields<'r> {
    fn get(&mut self, column: usize) -> Option<&'r str> {
        loop {
            let row = self.row.trim_ascii_start();
            let end = row.as_bytes().iter().position(u8::is_ascii_whitespace).unwrap_or(row.len());
            let (field, rest) = row.split_at_checked(end)?;
            if field.is_empty() {
                return None;
            }
            self.row = rest;
            self.next += 1;
            if self.next > column {
                return Some(field);
            }
        }
    }
}

/// Reads numbers of columns as PLINK's `--score-col-nums` has them, from 1 (`3-12,15`), as ranges from 0.
pub fn column_numbers(text: &str) -> Option<Vec<usize>> {
    let of = |part: &str| -> Option<Range<usize>> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        (1 <= first && first <= last && last <= 1 << 20).then(|| first - 1..last)
    };
    let numbers: Option<Vec<Range<usize>>> = text.split(',').map(of).collect();
    let numbers: Vec<usize> = numbers?.into_iter().flatten().collect();
    numbers.is_sorted_by(|a, b| a < b).then_some(numbers)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sites() -> [SiteTable; 2] {
        let mut tables = [SiteTable::default(), SiteTable::default()];
        tables[0].push("1", 1, "a", "A", "C,G").unwrap();
        tables[0].push("1", 2, "twice", "A", "C").unwrap();
        tables[1].push("2", 1, "b", "T", "G").unwrap();
        tables[1].push("2", 2, "twice", "A", "C").unwrap();
        tables
    }

    fn parse(text: &str, columns: Option<&[usize]>) -> Result<DenseTable, DenseTableProblem> {
        let sites = sites();
        let variants = VariantsById::new(&[&sites[0], &sites[1]]);
        DenseTable::parse(&mut text.as_bytes(), columns, Effect::Additive, &variants)
    }

    #[test]
    fn rows_are_matched_by_identifier_and_allele() {
        let text = "ID A1 x y z\nb\tT\t1\t2\t-3e-2\na  G 4 5 6\nc A 1 1 1\na T 0 0 0\n";
        let table = parse(text, Some(&[2, 4])).unwrap();
        assert_eq!((table.matched, table.unmatched, table.names), (2, 2, vec!["x".to_owned(), "z".into()]));
        let weights = &table.weights;
        let rows: Vec<_> = (0..weights.rows()).filter_map(|row| weights.row(row)).collect();
        let rows: Vec<_> = rows.iter().filter(|row| row.values.len() == 2).collect();
        assert_eq!((rows[0].variant, rows[0].allele, rows[0].values), (0, 2, &[4.0, 6.0][..]));
        assert_eq!((rows[1].variant, rows[1].allele, rows[1].values), (2, 0, &[1.0, -0.03][..]));
        assert_eq!(parse(text, None).unwrap().names.len(), 3);
    }

    #[test]
    fn broken_tables_are_told_with_the_line() {
        for (text, word) in [
            ("", "line 1: the header has no names"),
            ("ID A1\n", "line 1: the header has no names"),
            ("ID A1 w\nb\n", "line 2: it has no identifier and allele"),
            ("ID A1 w\nb T 1\na C\n", "line 3: it has no column 3"),
            ("ID A1 w\nb T x\n", "line 2: \"x\" in column 3 is no number"),
            ("ID A1 w\nb T NaN\n", "line 2: score 0: the weight of variant 2 is NaN"),
            ("ID A1 w\nq T 1\n", "no row has the identifier"),
            ("ID A1 w w\nb T 1 2\n", "line 1: two columns have the name w"),
            ("ID A1 w\nb T 1\nb G 1\nb T 1\n", "line 4: its variant and allele are those of a line before"),
            ("ID A1 w\ntwice A 1\n", "line 2: several variants of the genotypes have the identifier twice"),
        ] {
            let error = parse(text, None).unwrap_err().to_string();
            assert!(error.starts_with(word), "{text:?}: {error}");
        }
        assert_eq!(column_numbers("3-5,9"), Some(vec![2, 3, 4, 8]));
        for text in ["", "0", "5-3", "3,3", "x", "1-99999999"] {
            assert_eq!(column_numbers(text), None, "{text}");
        }
    }
}
