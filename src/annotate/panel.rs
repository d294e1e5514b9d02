//! Gene panels: which genes are looked at, from a list or from PanelApp's export.
//!
//! A list has one symbol, Ensembl or HGNC identifier a line. PanelApp's export is a table with a line of names; what it is sure
//! of, it calls green (GEL_Status of 3 and more), then amber (2) and red (1).

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use crate::formats::checksum::name_and_blake3;
use crate::formats::text;

/// How sure PanelApp's reviewers are of a gene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Evidence is lacking.
    Red,
    /// Evidence is moderate.
    Amber,
    /// For diagnosis.
    Green,
}

impl Confidence {
    /// All, with their colours.
    pub const ALL: [(Self, &str); 3] = [(Self::Green, "green"), (Self::Amber, "amber"), (Self::Red, "red")];

    /// Of the number in PanelApp's column; `None` for genes that are on no list.
    fn of_status(status: u8) -> Option<Self> {
        match status {
            0 => None,
            1 => Some(Self::Red),
            2 => Some(Self::Amber),
            _ => Some(Self::Green),
        }
    }

    /// Of PanelApp's sources, among which are verdicts: `Expert Review Green`.
    fn of_sources(sources: &str) -> Option<Self> {
        let of = |source: &str| {
            let colour = source.trim().strip_prefix("Expert Review ")?.to_ascii_lowercase();
            Self::ALL.iter().find(|(_, name)| *name == colour).map(|(confidence, _)| *confidence)
        };
        sources.split(';').filter_map(of).max()
    }
}

/// Genes by symbols and identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Panel {
    /// Symbols and identifiers of genes in capitals, those of Ensembl without a version.
    names: FxHashSet<String>,
    /// HGNC's numbers.
    hgnc: FxHashSet<u32>,
    /// The files that it was read from, with their checksums.
    from: Vec<String>,
}

/// Why a panel could not be read. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// The system failed.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A line is broken.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: PanelProblem,
    },
    /// No gene is left.
    #[error("{path}: no genes{why}", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// Where genes may have gone.
        why: &'static str,
    },
}

/// What is wrong with a line of a panel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PanelProblem {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    Text,
    /// More than a word.
    #[error("{0:?} is not one symbol or identifier (a list of genes, or PanelApp's TSV export, is expected)")]
    Words(String),
    /// Too many cells, or too few: cut off?
    #[error("it has {has} cells, the line of names has {names}: is the file cut off?")]
    Cells {
        /// Of the line.
        has: usize,
        /// Of the line of names.
        names: usize,
    },
    /// A quotation without end.
    #[error("its quotation mark is never closed")]
    Quote,
    /// A status that is no number.
    #[error("GEL_Status is {0:?}, not a number")]
    Status(String),
    /// The export has neither column that tells the confidence.
    #[error("there is no column GEL_Status or Sources(; separated)")]
    Columns,
}

impl Panel {
    /// Reads a list, or PanelApp's export, of which genes of at least `least` are taken.
    ///
    /// # Errors
    /// The file cannot be read, a line is broken, or there are no genes.
    pub fn read(path: &Path, least: Confidence) -> Result<Self, PanelError> {
        let io = |source| PanelError::Io { path: path.to_owned(), source };
        let reader = text::open(path).map_err(io)?;
        let mut panel = Self::read_from(reader, path, least)?;
        panel.from.push(name_and_blake3(path).map_err(io)?);
        Ok(panel)
    }

    fn read_from(reader: Box<dyn BufRead>, path: &Path, least: Confidence) -> Result<Self, PanelError> {
        let (mut panel, mut lines) = (Self::default(), Lines { reader, path, number: 0, bytes: Vec::new() });
        let (mut columns, mut is_first) = (None, true);
        while let Some(line) = lines.next()? {
            let number = lines.number;
            if std::mem::take(&mut is_first) {
                columns = Columns::of(&line).map_err(|what| lines.problem(number, what))?;
                if columns.is_some() {
                    continue;
                }
            }
            match &columns {
                None => panel.take_word(&line).map_err(|what| lines.problem(number, what))?,
                Some(columns) => {
                    let cells = lines.cells(line)?;
                    panel.take_row(&cells, columns, least).map_err(|what| lines.problem(number, what))?;
                }
            }
        }
        if panel.is_empty() {
            let why = if columns.is_some() { " of that confidence (--panel-confidence)" } else { "" };
            return Err(PanelError::Empty { path: path.to_owned(), why });
        }
        Ok(panel)
    }

    /// Adds the genes of another panel.
    pub fn extend(&mut self, other: Self) {
        self.names.extend(other.names);
        self.hgnc.extend(other.hgnc);
        self.from.extend(other.from);
    }

    /// The line of a header that tells which files were used.
    pub fn header_line(&self) -> String {
        format!("##norn_panel=<ID=panel,From=\"{}\">", self.from.join(", "))
    }

    /// Whether it has a gene under any of its names.
    pub fn contains(&self, symbol: &str, gene: &str, hgnc: Option<u32>) -> bool {
        let has = |name: &str| !name.is_empty() && self.names.contains(capitals(name).as_ref());
        has(symbol) || has(without_version(gene)) || hgnc.is_some_and(|number| self.hgnc.contains(&number))
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.hgnc.is_empty()
    }

    fn take_word(&mut self, line: &str) -> Result<(), PanelProblem> {
        let word = line.split('#').next().unwrap_or_default().trim();
        if word.contains(char::is_whitespace) {
            return Err(PanelProblem::Words(word.to_owned()));
        }
        self.take(word);
        Ok(())
    }

    fn take_row(
        &mut self,
        cells: &[String],
        columns: &Columns,
        least: Confidence,
    ) -> Result<(), PanelProblem> {
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        if cells.len() != columns.count {
            return Err(PanelProblem::Cells { has: cells.len(), names: columns.count });
        }
        if columns.confidence(cells)?.is_some_and(|confidence| confidence >= least) {
            columns
                .genes
                .iter()
                .filter_map(|column| cells.get(*column))
                .for_each(|name| self.take(name.trim()));
        }
        Ok(())
    }

    /// Takes a symbol or identifier.
    fn take(&mut self, name: &str) {
        if let Some(number) = hgnc_number(name) {
            self.hgnc.insert(number);
        } else if !name.is_empty() {
            self.names.insert(capitals(without_version(name)).into_owned());
        }
    }
}

/// HGNC's number of `HGNC:1234`.
pub fn hgnc_number(name: &str) -> Option<u32> {
    let (prefix, number) = name.split_at_checked(5)?;
    prefix.eq_ignore_ascii_case("HGNC:").then(|| number.parse().ok())?
}

fn capitals(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|letter| letter.is_ascii_lowercase()) {
        name.to_ascii_uppercase().into()
    } else {
        name.into()
    }
}

/// An identifier of Ensembl without its version; anything else as it stands, for symbols have full stops too.
fn without_version(name: &str) -> &str {
    let Some((id, version)) = name.split_once('.') else { return name };
    let digits = id.bytes().rev().take_while(u8::is_ascii_digit).count();
    let is_versioned = !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit());
    let is_ensembl =
        digits == ENSEMBL_DIGITS && id.get(..3).is_some_and(|ens| ens.eq_ignore_ascii_case("ENS"));
    if is_ensembl && is_versioned { id } else { name }
}

/// The digits of an identifier of Ensembl.
const ENSEMBL_DIGITS: usize = 11;

/// The columns of PanelApp's export that are read.
struct Columns {
    count: usize,
    /// Symbol, Ensembl's identifiers, HGNC's.
    genes: Vec<usize>,
    status: Option<usize>,
    sources: Option<usize>,
}

impl Columns {
    /// Of a line of names; `None` where it is none.
    fn of(line: &str) -> Result<Option<Self>, PanelProblem> {
        let names: Vec<&str> = line.split('\t').map(|name| name.trim_matches('"').trim()).collect();
        let place = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        let Some(symbol) = place("Gene Symbol") else { return Ok(None) };
        let ids = ["EnsemblId(GRch37)", "EnsemblId(GRch38)", "HGNC"];
        let genes = std::iter::once(symbol).chain(ids.into_iter().filter_map(place)).collect();
        let (status, sources) = (place("GEL_Status"), place("Sources(; separated)"));
        if status.is_none() && sources.is_none() {
            return Err(PanelProblem::Columns);
        }
        Ok(Some(Self { count: names.len(), genes, status, sources }))
    }

    fn confidence(&self, cells: &[String]) -> Result<Option<Confidence>, PanelProblem> {
        let cell = |column: Option<usize>| column.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim());
        match cell(self.status) {
            "" => Ok(Confidence::of_sources(cell(self.sources))),
            status => match status.parse() {
                Ok(status) => Ok(Confidence::of_status(status)),
                Err(_) => Err(PanelProblem::Status(status.to_owned())),
            },
        }
    }
}

/// Lines of a panel with their numbers.
struct Lines<'p> {
    reader: Box<dyn BufRead>,
    path: &'p Path,
    number: u64,
    bytes: Vec<u8>,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<String>, PanelError> {
        let read = text::read_line(&mut self.reader, &mut self.bytes);
        if !read.map_err(|source| PanelError::Io { path: self.path.to_owned(), source })? {
            return Ok(None);
        }
        self.number += 1;
        let (path, line) = (self.path, self.number);
        let problem = |_| PanelError::Line { path: path.to_owned(), line, what: PanelProblem::Text };
        let line = std::str::from_utf8(&self.bytes).map_err(problem)?;
        Ok(Some(line.trim_start_matches('\u{feff}').to_owned()))
    }

    fn problem(&self, line: u64, what: PanelProblem) -> PanelError {
        PanelError::Line { path: self.path.to_owned(), line, what }
    }

    /// The cells of a row, which may be in quotation marks and then go over several lines.
    fn cells(&mut self, mut row: String) -> Result<Vec<String>, PanelError> {
        let first = self.number;
        loop {
            if let Some(cells) = split(&row) {
                return Ok(cells);
            }
            let Some(line) = self.next()?.filter(|_| row.len() < text::MAX_LINE as usize) else {
                return Err(self.problem(first, PanelProblem::Quote));
            };
            row.push('\n');
            row.push_str(&line);
        }
    }
}

/// The cells of a row; `None` where a quotation mark is open at its end.
fn split(row: &str) -> Option<Vec<String>> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = row.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' if is_quoted => is_quoted = false,
            '"' if cell.is_empty() => is_quoted = true,
            '\t' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    (!is_quoted).then_some(cells)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], least: Confidence) -> Result<Panel, PanelError> {
        Panel::read_from(Box::new(io::Cursor::new(text.to_vec())), Path::new("panel"), least)
    }

    #[test]
    fn a_list_has_symbols_and_identifiers() {
        let text = b"\xef\xbb\xbf# epilepsy\nSCN1A\r\n\n c9orf72 # a repeat\nENSG00000165125.19\nHGNC:1100\nAC012345.2\n7157\n";
        let panel = read(text, Confidence::Green).unwrap();
        for (symbol, gene, hgnc, is_there) in [
            ("SCN1A", "", None, true),
            ("scn1a", "ENSG1", None, true),
            ("C9orf72", "", None, true),
            ("", "ENSG00000165125", None, true),
            ("TRPV6", "ENSG00000165125.3", None, true),
            ("BRCA1", "ENSG00000012048", Some(1100), true),
            ("TP53", "7157", None, true),
            ("AC012345.2", "", None, true),
            ("AC012345.3", "", None, false),
            ("AC012345", "", None, false),
            ("BRCA1", "ENSG00000012048", Some(1101), false),
            ("", "", None, false),
        ] {
            assert_eq!(panel.contains(symbol, gene, hgnc), is_there, "{symbol} {gene} {hgnc:?}");
        }
    }

    const NAMES: &str = "Entity Name\tEntity type\tGene Symbol\tSources(; separated)\tPhenotypes\tGEL_Status\tEnsemblId(GRch38)\tHGNC\n";

    #[test]
    fn panelapp_gives_genes_by_colour() {
        let rows = "AARS\tgene\tAARS\tNHS GMS;Expert Review Green\t\"Epilepsy, \"\"29\"\"\nand more\"\t3\tENSG00000090861\tHGNC:20\n\
            B\tgene\tB\tExpert Review Amber\tx\t2\tENSG00000000002\tHGNC:2\n\
            C\tgene\tC\tx\tx\t1\tENSG00000000003\tHGNC:3\n\
            D\tgene\tD\tx\tx\t0\t\tHGNC:4\n\
            AR_CAG\tstr\tAR\tNHS GMS;Expert Review Green\t\t\t\t\n\
            ISCA-1\tregion\t\tExpert Review Green\tdel\"etion\"\t3\t\t\n";
        let text = format!("{NAMES}{rows}");
        for (least, symbols) in [
            (Confidence::Green, &["AARS", "AR"][..]),
            (Confidence::Amber, &["AARS", "AR", "B"]),
            (Confidence::Red, &["AARS", "AR", "B", "C"]),
        ] {
            let panel = read(text.as_bytes(), least).unwrap();
            for symbol in ["AARS", "AR", "B", "C", "D", "ISCA-1"] {
                assert_eq!(panel.contains(symbol, "", None), symbols.contains(&symbol), "{least:?} {symbol}");
            }
            assert!(panel.contains("renamed", "ENSG00000090861.7", None));
            assert!(panel.contains("renamed", "", Some(20)));
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        let no_status = "Entity Name\tGene Symbol\nA\tA\n";
        let cases: [(&str, String, &str); 6] = [
            ("words", "A\nB C\n".into(), "panel, line 2: \"B C\" is not one symbol"),
            (
                "cut",
                format!("{NAMES}A\tgene\tA\tx\n"),
                "panel, line 2: it has 4 cells, the line of names has 8",
            ),
            ("quote", format!("{NAMES}A\tgene\tA\t\"x\nB\n"), "panel, line 2: its quotation mark"),
            (
                "status",
                format!("{NAMES}A\tgene\tA\tx\tx\tgreen\t\t\n"),
                "panel, line 2: GEL_Status is \"green\"",
            ),
            ("columns", no_status.into(), "panel, line 1: there is no column GEL_Status"),
            ("none", format!("{NAMES}A\tgene\tA\tx\tx\t1\t\t\n"), "panel: no genes of that confidence"),
        ];
        for (name, text, message) in cases {
            let told = read(text.as_bytes(), Confidence::Green).unwrap_err().to_string();
            assert!(told.starts_with(message), "{name}: {told}");
        }
        assert_eq!(read(b"# nothing\n", Confidence::Green).unwrap_err().to_string(), "panel: no genes");
        assert_eq!(
            read(b"A\n\xff\n", Confidence::Green).unwrap_err().to_string(),
            "panel, line 2: it is not UTF-8"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[A-Z\t\n\"#. :0-9]{0,200}") {
            let _ = read(&bytes, Confidence::Red);
            let _ = read(text.as_bytes(), Confidence::Red);
            let _ = read(format!("{NAMES}{text}").as_bytes(), Confidence::Red);
        }
    }
}
