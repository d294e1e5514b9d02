//! Tables of the HPO project with a line of names: genes_to_phenotype.txt and phenotype.hpoa, in their forms over the years.
//!
//! Since 2023 the line of names stands by itself (`ncbi_gene_id`, `database_id`); before, it was a comment (`#Format: entrez-gene-id
//! <tab>...`, `#DatabaseID`). Columns are known by their names, so their order and number do not matter.

use std::io::BufRead;
use std::path::Path;

use super::error::{PhenotypeError, Problem};
use super::term::{Disorder, HpoTerm};
use crate::formats::text;

/// A row of genes_to_phenotype.txt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneRow<'r> {
    /// The gene's symbol, or NCBI's number of a gene that has none.
    pub symbol: &'r str,
    /// NCBI's number, where it is told.
    pub ncbi: &'r str,
    /// What is seen.
    pub term: HpoTerm,
    /// In which disorder, where it is told.
    pub disorder: Option<Disorder>,
    /// Whether it is told that this is not seen.
    pub is_excluded: bool,
}

/// A row of phenotype.hpoa.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisorderRow {
    /// The disorder.
    pub disorder: Disorder,
    /// What is seen.
    pub term: HpoTerm,
    /// Whether it is told that this is not seen.
    pub is_excluded: bool,
}

/// Reads genes_to_phenotype.txt.
///
/// # Errors
/// The file cannot be read, has other columns or a broken row.
pub fn read_genes(path: &Path, each: impl FnMut(&GeneRow<'_>)) -> Result<(), PhenotypeError> {
    read_genes_from(text::open(path).map_err(PhenotypeError::io(path))?, path, each)
}

fn read_genes_from(
    reader: Box<dyn BufRead>,
    path: &Path,
    mut each: impl FnMut(&GeneRow<'_>),
) -> Result<(), PhenotypeError> {
    let columns = [
        Column::needed("gene_symbol", &["genesymbol", "entrezgenesymbol"]),
        Column::needed("hpo_id", &["hpoid", "hpotermid"]),
        Column::optional(&["ncbigeneid", "entrezgeneid"]),
        Column::optional(&["diseaseid", "diseaseidforlink"]),
        Column::optional(&["frequency", "frequencyraw"]),
        Column::optional(&["frequencyhpo"]),
    ];
    read(reader, path, columns, |[symbol, term, ncbi, disorder, frequency, more]| {
        // Some genes of NCBI have a number and no symbol.
        let symbol = if matches!(symbol, "" | "-") { ncbi } else { symbol };
        if symbol.is_empty() {
            return Err(Problem::NoSymbol);
        }
        let disorder = match disorder {
            "" | "-" => None,
            disorder => Some(as_disorder(disorder)?),
        };
        let is_excluded = is_never(frequency) || is_never(more);
        each(&GeneRow { symbol, ncbi, term: as_term(term)?, disorder, is_excluded });
        Ok(())
    })
}

/// Reads phenotype.hpoa.
///
/// # Errors
/// The file cannot be read, has other columns or a broken row.
pub fn read_disorders(path: &Path, each: impl FnMut(&DisorderRow)) -> Result<(), PhenotypeError> {
    read_disorders_from(text::open(path).map_err(PhenotypeError::io(path))?, path, each)
}

fn read_disorders_from(
    reader: Box<dyn BufRead>,
    path: &Path,
    mut each: impl FnMut(&DisorderRow),
) -> Result<(), PhenotypeError> {
    let columns = [
        Column::needed("database_id", &["databaseid"]),
        Column::needed("hpo_id", &["hpoid"]),
        Column::needed("qualifier", &["qualifier"]),
        Column::optional(&["frequency"]),
    ];
    read(reader, path, columns, |[disorder, term, qualifier, frequency]| {
        let is_excluded = qualifier.eq_ignore_ascii_case("NOT") || is_never(frequency);
        each(&DisorderRow { disorder: as_disorder(disorder)?, term: as_term(term)?, is_excluded });
        Ok(())
    })
}

fn as_term(text: &str) -> Result<HpoTerm, Problem> {
    HpoTerm::parse(text).ok_or_else(|| Problem::Term(text.to_owned()))
}

fn as_disorder(text: &str) -> Result<Disorder, Problem> {
    Disorder::parse(text).ok_or_else(|| Problem::Disorder(text.to_owned()))
}

/// Whether a frequency is that of what is never seen: the term Excluded, none of so many patients, no per cent.
fn is_never(frequency: &str) -> bool {
    match frequency.split_once('/') {
        Some((seen, _)) => seen == "0",
        None => {
            frequency == "HP:0040285"
                || frequency.strip_suffix('%').is_some_and(|part| part.parse() == Ok(0.0))
        }
    }
}

/// A column that is read.
struct Column {
    /// How an error calls it; `None` where the file may lack it.
    needed: Option<&'static str>,
    /// Its names, small letters and digits alone.
    names: &'static [&'static str],
}

impl Column {
    const fn needed(name: &'static str, names: &'static [&'static str]) -> Self {
        Self { needed: Some(name), names }
    }

    const fn optional(names: &'static [&'static str]) -> Self {
        Self { needed: None, names }
    }
}

/// Where columns are, and how many there are.
struct Layout<const N: usize> {
    places: [Option<usize>; N],
    count: usize,
}

impl<const N: usize> Layout<N> {
    fn of(line: &str, columns: &[Column; N]) -> Result<Self, Problem> {
        let names = line.trim_start_matches('#');
        let names = names.strip_prefix("Format:").unwrap_or(names).replace("<tab>", "\t");
        let plain = |name: &str| -> String {
            name.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|letter| letter.to_ascii_lowercase())
                .collect()
        };
        let names: Vec<String> = names.split('\t').map(plain).collect();
        let places = columns
            .each_ref()
            .map(|column| names.iter().position(|name| column.names.contains(&name.as_str())));
        for (column, place) in columns.iter().zip(places) {
            if let (Some(name), None) = (column.needed, place) {
                return Err(Problem::Column(name));
            }
        }
        Ok(Self { places, count: names.len() })
    }
}

fn read<const N: usize>(
    mut reader: Box<dyn BufRead>,
    path: &Path,
    columns: [Column; N],
    mut row: impl FnMut([&str; N]) -> Result<(), Problem>,
) -> Result<(), PhenotypeError> {
    let (mut layout, mut bytes, mut number): (Option<Layout<N>>, _, _) = (None, Vec::new(), 0);
    while text::read_line(&mut reader, &mut bytes).map_err(PhenotypeError::io(path))? {
        number += 1;
        let problem = |what| PhenotypeError::at(path, number, what);
        let line = std::str::from_utf8(&bytes).map_err(|_| problem(Problem::Text))?;
        if line.is_empty() {
            continue;
        }
        let Some(layout) = &layout else {
            match Layout::of(line, &columns) {
                Ok(found) => layout = Some(found),
                Err(_) if line.starts_with('#') => {}
                Err(what) => return Err(problem(what)),
            }
            continue;
        };
        if line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != layout.count {
            return Err(problem(Problem::Cells { has: cells.len(), names: layout.count }));
        }
        let cell =
            |place: Option<usize>| place.and_then(|place| cells.get(place)).map_or("", |cell| cell.trim());
        row(layout.places.map(cell)).map_err(problem)?;
    }
    if layout.is_none() {
        return Err(PhenotypeError::of(path, Problem::NoNames));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    type Row = (String, String, u32, Option<String>, bool);

    fn genes(text: &[u8]) -> Result<Vec<Row>, String> {
        let mut rows = Vec::new();
        let reader = Box::new(Cursor::new(text.to_vec()));
        let read = read_genes_from(reader, Path::new("genes"), |row| {
            let disorder = row.disorder.map(|disorder| disorder.to_string());
            rows.push((row.symbol.to_owned(), row.ncbi.to_owned(), row.term.0, disorder, row.is_excluded));
        });
        read.map(|()| rows).map_err(|error| error.to_string())
    }

    fn disorders(text: &[u8]) -> Result<Vec<(String, u32, bool)>, String> {
        let mut rows = Vec::new();
        let reader = Box::new(Cursor::new(text.to_vec()));
        let read = read_disorders_from(reader, Path::new("hpoa"), |row| {
            rows.push((row.disorder.to_string(), row.term.0, row.is_excluded));
        });
        read.map(|()| rows).map_err(|error| error.to_string())
    }

    const NAMES: &str = "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n";

    #[test]
    fn genes_have_terms_in_all_forms_of_the_file() {
        let now = format!("{NAMES}8192\tCLPP\tHP:0000013\tHypoplasia of the uterus\t3/4\tOMIM:614129\n");
        let before = "#Format: entrez-gene-id<tab>entrez-gene-symbol<tab>HPO-Term-ID<tab>HPO-Term-Name<tab>Frequency-Raw<tab>\
            Frequency-HPO<tab>Additional Info from G-D source<tab>G-D source<tab>disease-ID for link\n\
            8192\tCLPP\tHP:0000013\tHypoplasia of the uterus\t\t\t-\tmim2gene\tOMIM:614129\n";
        let row = ("CLPP".to_owned(), "8192".to_owned(), 13, Some("OMIM:614129".to_owned()), false);
        assert_eq!(genes(now.as_bytes()).unwrap(), std::slice::from_ref(&row));
        assert_eq!(genes(before.as_bytes()).unwrap(), std::slice::from_ref(&row));
        let first = "#Format: entrez-gene-id<tab>entrez-gene-symbol<tab>HPO-Term-Name<tab>HPO-Term-ID\n8192\tCLPP\tx\tHP:0000013\n";
        assert_eq!(genes(first.as_bytes()).unwrap(), [(row.0, row.1, row.2, None, false)]);
    }

    #[test]
    fn what_is_never_seen_is_told() {
        for (frequency, is_excluded) in [
            ("0/3", true),
            ("10/30", false),
            ("HP:0040285", true),
            ("HP:0040284", false),
            ("0%", true),
            ("10%", false),
            ("-", false),
        ] {
            let text = format!("{NAMES}1\tA\tHP:0000013\tx\t{frequency}\tORPHA:1\n");
            assert_eq!(genes(text.as_bytes()).unwrap()[0].4, is_excluded, "{frequency}");
        }
    }

    #[test]
    fn disorders_have_terms_in_both_forms_of_the_file() {
        let row = "OMIM:1\tx\tNOT\tHP:0000013\tr\tPCS\t\t\t\t\tP\tx\nORPHA:58\tx\t\tHP:0000014\tr\tPCS\t\t1/2\t\t\tP\tx\n";
        let now = "#version: x\ndatabase_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration\n";
        let before = "#description: x\n#DatabaseID\tDiseaseName\tQualifier\tHPO_ID\tReference\tEvidence\tOnset\tFrequency\tSex\tModifier\tAspect\tBiocuration\n";
        for names in [now, before] {
            let rows = disorders(format!("{names}{row}").as_bytes()).unwrap();
            assert_eq!(rows, [("OMIM:1".to_owned(), 13, true), ("ORPHA:58".to_owned(), 14, false)]);
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        for (text, message) in [
            ("a\tb\n".to_owned(), "genes, line 1: it is no line of names with the column gene_symbol"),
            ("# only this\n".to_owned(), "genes: it has no line of names"),
            (
                format!("{NAMES}1\tA\tHP:0000013\tx\n"),
                "genes, line 2: it has 4 cells, the line of names has 6",
            ),
            (format!("{NAMES}1\tA\tHP:13\tx\t-\t-\n"), "genes, line 2: \"HP:13\" is no HPO term"),
            (format!("{NAMES}1\tA\tHP:0000013\tx\t-\tOMI\n"), "genes, line 2: \"OMI\" is no disorder"),
            (format!("{NAMES}\t-\tHP:0000013\tx\t-\t-\n"), "genes, line 2: it has no gene symbol"),
        ] {
            let told = genes(text.as_bytes()).unwrap_err();
            assert!(told.starts_with(message), "{told}");
        }
        assert_eq!(genes(b"\xff\n").unwrap_err(), "genes, line 1: it is not UTF-8");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[A-Z\t\n:0-9/%]{0,200}") {
            let _ = genes(&bytes);
            let _ = disorders(&bytes);
            let _ = genes(format!("{NAMES}{text}").as_bytes());
        }
    }
}
