//! Files of loadings: what of a panel people are projected with.
//!
//! A text, BGZF compressed. Lines of `##key=value` (`norn_loadings`, the version, is the first), one of
//! `##singular_values=` with
//! commas between, then a table: `#CHROM POS ID REF ALT MEAN DEVIATION L1 L2 ...`, a variant a line in the order of the
//! genome.
//! Copies of ALT less MEAN, divided by DEVIATION, are what loadings weigh; loadings of a component have length 1.
//! Nobody's
//! genotypes are in it.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use super::call_matrix::Standard;
use super::dense::Dense;
use super::reference_panel::PanelSite;
use crate::formats::text;
use crate::prs::chromosome::Chromosome;

/// Loadings of a panel's components.
#[derive(Clone, Debug)]
pub struct Loadings {
    /// People of the panel.
    pub people: usize,
    /// Components that are coordinates; the others help to tell those of new people.
    pub reported: usize,
    /// Singular values of all components, falling.
    pub singular_values: Vec<f64>,
    /// Variants in the order of the genome, no two at one position.
    pub sites: Vec<PanelSite>,
    /// How each is standardised.
    pub standards: Vec<Standard>,
    /// A row for each variant, a column for each component.
    pub values: Dense,
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct LoadingsError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: LoadingsProblem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum LoadingsProblem {
    /// The system failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line, from 1.
    #[error("line {line}: {what}")]
    Line {
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// It ends too early, or has nothing.
    #[error("{0}")]
    Whole(&'static str),
}

const VERSION: &str = "##norn_loadings=1";
const COLUMNS: [&str; 7] = ["#CHROM", "POS", "ID", "REF", "ALT", "MEAN", "DEVIATION"];
/// Components that are read, at most.
const MOST: usize = 1000;

impl Loadings {
    /// Writes the text.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write(&self, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "{VERSION}\n##people={}\n##reported={}", self.people, self.reported)?;
        let values: Vec<String> = self.singular_values.iter().map(f64::to_string).collect();
        writeln!(output, "##singular_values={}", values.join(","))?;
        output.write_all(COLUMNS.join("\t").as_bytes())?;
        (1..=self.singular_values.len()).try_for_each(|number| write!(output, "\tL{number}"))?;
        writeln!(output)?;
        for ((site, standard), row) in self.sites.iter().zip(&self.standards).zip(0..) {
            let PanelSite { chromosome, position, id, reference, alternate } = site;
            let Standard { mean, deviation } = standard;
            let name = chromosome.name();
            write!(output, "{name}\t{position}\t{id}\t{reference}\t{alternate}\t{mean}\t{deviation}")?;
            // Ten digits: projections are off by less than 1e-9 of their size.
            self.values.row(row).iter().try_for_each(|value| write!(output, "\t{value:.9e}"))?;
            writeln!(output)?;
        }
        Ok(())
    }

    /// Reads a file, compressed or not.
    ///
    /// # Errors
    /// It cannot be read, is no such file or a damaged one.
    pub fn read(path: &Path) -> Result<Self, LoadingsError> {
        let told = |source: LoadingsProblem| LoadingsError { path: path.to_owned(), source };
        let mut reader = text::open(path).map_err(|error| told(error.into()))?;
        Self::read_text(&mut *reader).map_err(told)
    }

    fn read_text(reader: &mut dyn BufRead) -> Result<Self, LoadingsProblem> {
        let mut lines = Lines { reader, line: Vec::new(), number: 0 };
        if lines.next()?.is_none_or(|line| line != VERSION) {
            return Err(LoadingsProblem::Whole("it is no file of loadings of this version"));
        }
        let (mut people, mut reported, mut singular_values) = (None, None, Vec::new());
        let header = loop {
            let Some(line) = lines.next()? else { return Err(LoadingsProblem::Whole("it has no table")) };
            let Some((key, value)) = line.strip_prefix("##").and_then(|line| line.split_once('=')) else {
                break line.to_owned();
            };
            match key {
                "people" => people = value.parse().ok(),
                "reported" => reported = value.parse().ok(),
                "singular_values" => {
                    let values: Option<Vec<f64>> = value.split(',').map(positive).collect();
                    singular_values = values.unwrap_or_default();
                }
                _ => {}
            }
        };
        let count = singular_values.len();
        let (Some(people), Some(reported)) = (people, reported) else {
            return Err(LoadingsProblem::Whole("it does not tell people and reported components"));
        };
        if !(1..=MOST).contains(&count)
            || !(1..=count).contains(&reported)
            || !singular_values.is_sorted_by(|a, b| a >= b)
        {
            return Err(LoadingsProblem::Whole("its singular values are none that fall"));
        }
        let names: Vec<String> = (1..=count).map(|number| format!("L{number}")).collect();
        if !header.split('\t').eq(COLUMNS.into_iter().chain(names.iter().map(String::as_str))) {
            return Err(lines.wrong("its columns are not those of loadings"));
        }
        let (mut sites, mut standards, mut cells): (Vec<PanelSite>, _, Vec<f64>) =
            (Vec::new(), Vec::new(), Vec::new());
        while let Some(line) = lines.next()? {
            let row = Row::of(line, count).map_err(|what| lines.wrong(what))?;
            let place = |site: &PanelSite| (site.chromosome, site.position);
            if sites.last().is_some_and(|last| place(last) >= place(&row.site)) {
                return Err(lines.wrong("variants are not in order"));
            }
            sites.push(row.site);
            standards.push(row.standard);
            cells.extend(row.loadings);
        }
        if sites.is_empty() {
            return Err(LoadingsProblem::Whole("it has no variants"));
        }
        let values = Dense::from_rows(count, cells);
        Ok(Self { people, reported, singular_values, sites, standards, values })
    }
}

struct Lines<'r> {
    reader: &'r mut dyn BufRead,
    line: Vec<u8>,
    number: u64,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<&str>, LoadingsProblem> {
        if !text::read_line(self.reader, &mut self.line)? {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        let line = std::str::from_utf8(&self.line);
        line.map(Some).map_err(|_| LoadingsProblem::Line { line: number, what: "it is not UTF-8".into() })
    }

    fn wrong(&self, what: &str) -> LoadingsProblem {
        LoadingsProblem::Line { line: self.number, what: what.to_owned() }
    }
}

struct Row {
    site: PanelSite,
    standard: Standard,
    loadings: Vec<f64>,
}

impl Row {
    fn of(line: &str, count: usize) -> Result<Self, &'static str> {
        let mut cells = line.split('\t');
        let mut next = || cells.next().ok_or("it has too few columns");
        let (chromosome, position) = (next()?, next()?);
        let (id, reference, alternate) = (next()?.to_owned(), next()?.to_owned(), next()?.to_owned());
        let mean = next()?.parse().ok().filter(|mean| (0.0..=2.0).contains(mean));
        let deviation = positive(next()?);
        let (Some(mean), Some(deviation)) = (mean, deviation) else {
            return Err("mean or deviation are no such numbers");
        };
        let finite = |cell: &str| cell.parse().ok().filter(|value: &f64| value.is_finite());
        let loadings: Option<Vec<f64>> = cells.map(finite).collect();
        let loadings = loadings.ok_or("a loading is no number")?;
        if loadings.len() != count {
            return Err("it has not as many loadings as there are components");
        }
        let chromosome = Chromosome::of(chromosome).ok_or("a chromosome that is not known")?;
        let position =
            position.parse().ok().filter(|position| *position > 0).ok_or("a position is no number")?;
        let site = PanelSite { chromosome, position, id, reference, alternate };
        Ok(Self { site, standard: Standard { mean, deviation }, loadings })
    }
}

fn positive(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made() -> Loadings {
        let site = |position| PanelSite {
            chromosome: Chromosome::of("7").unwrap(),
            position,
            id: "v".into(),
            reference: "A".into(),
            alternate: "C".into(),
        };
        Loadings {
            people: 9,
            reported: 1,
            singular_values: vec![3.5, 0.1],
            sites: vec![site(5), site(8)],
            standards: vec![Standard { mean: 0.3, deviation: 0.5 }; 2],
            values: Dense::from_fn(2, 2, |row, column| (row as f64 - 0.25) / (column as f64 + 1.0)),
        }
    }

    fn read(text: &str) -> Result<Loadings, LoadingsProblem> {
        Loadings::read_text(&mut text.as_bytes())
    }

    #[test]
    fn what_is_written_is_read() {
        let mut text = Vec::new();
        made().write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (expected, found) = (made(), read(&text).unwrap());
        assert_eq!((found.people, found.reported), (9, 1));
        assert_eq!((found.singular_values, found.sites), (expected.singular_values, expected.sites));
        assert_eq!((found.standards, found.values), (expected.standards, expected.values));
        for (from, to, what) in [
            ("loadings=1", "loadings=2", "it is no file"),
            ("##people=9\n", "", "it does not tell people"),
            ("reported=1", "reported=3", "singular values"),
            ("3.5,0.1", "0.1,3.5", "singular values"),
            ("3.5,0.1", "3.5,nan", "singular values"),
            ("\tL2", "", "line 5: its columns"),
            ("7\t8", "7\t5", "line 7: variants are not in order"),
            ("7\t8", "z\t8", "line 7: a chromosome"),
            ("0.3\t0.5", "0.3\t0", "line 6: mean or deviation"),
            ("0.3\t0.5", "2.3\t1", "line 6: mean or deviation"),
            ("e-1\n", "e-1\t0\n", "line 6: it has not as many"),
            ("e-1\n", "e-x\n", "line 6: a loading is no number"),
            ("\tC\t0.3", "\tC", "line 6: mean or deviation"),
        ] {
            let told =
                read(&text.replacen(from, to, 1)).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(what), "{from} {to}: {told}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..400, to in any::<u8>()) {
            let _ = Loadings::read_text(&mut &bytes[..]);
            let mut text = Vec::new();
            made().write(&mut text).unwrap();
            text.truncate(cut.max(1));
            let at = cut / 2 % text.len();
            text[at] = to;
            let _ = Loadings::read_text(&mut &text[..]);
        }
    }
}
