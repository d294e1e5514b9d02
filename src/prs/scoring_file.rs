//! Scoring files: what a score is about, and its weights as they are written.
//!
//! The PGS Catalog's files 2.0 and tables with the same columns under other names are read here, PLINK's tables in
//! [`score_table`](super::score_table). Source: pgscatalog.org/downloads (columns), pgscatalog-utils 2.0.4 (what scores are
//! called).

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

use super::catalog_row::{ColumnNames, Columns};
use super::score_header::{Header, build_of};
use super::score_problems::{RowProblem, ScoringFileError, ScoringProblem, ScoringSetError};
use super::score_table::{self, TableColumns};
use super::score_variants::Variants;
use crate::formats::text;
use crate::genome::contigs::Build;

/// A scoring file: variants and one column of weights or more.
#[derive(Clone, Debug)]
pub struct ScoringFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What its only score, or the file as a whole, is called: `PGS000001_hmPOS_GRCh38` where positions are harmonised, else
    /// the score's identifier, else the file's name without endings.
    pub name: String,
    /// What is told in front of the table.
    pub header: Header,
    /// Where positions come from.
    pub coordinates: Coordinates,
    /// The build of the positions, where the file tells.
    pub build: Option<Build>,
    /// Variants, a row each.
    pub variants: Variants,
    /// Weights, by score.
    pub scores: Vec<Score>,
    /// Weights of 0, 1 and 2 copies, by row, for those rows that have them; only in files of one score.
    pub by_dosage: Vec<(u32, [f64; 3])>,
    /// What a user should know.
    pub remarks: Vec<Remark>,
}

/// A column of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// What the score is called.
    pub name: String,
    /// The weight of each row: finite, as written. 0 for rows with weights by dosage.
    pub weights: Vec<f64>,
}

/// Where positions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// The catalogue's `hm_chr` and `hm_pos`.
    Harmonised,
    /// The authors' `chr_name` and `chr_position`.
    AuthorReported,
    /// There are none: variants are found by identifier.
    Identifiers,
}

/// Something odd in a file that can be used all the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Remark {
    /// The header speaks of another number of variants.
    #[error("the header tells of {told} variants, there are {rows} rows")]
    VariantsNumber {
        /// `variants_number`.
        told: u64,
        /// Rows.
        rows: u64,
    },
    /// Weights are said to be ratios, which do not add up.
    #[error("weights are of the type {0}: a ratio, not its logarithm; they are added as they stand")]
    Ratio(String),
}

/// How files are to be read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The build of the genotypes: of two sets of positions in a file, those of this build are taken.
    pub build: Option<Build>,
    /// How tables look.
    pub layout: Layout,
}

/// How a table looks.
#[derive(Clone, Debug)]
pub enum Layout {
    /// Columns have names: those of the PGS Catalog, or others that stand for these.
    Named(ColumnNames),
    /// Columns have numbers, as for `plink2 --score`.
    Numbered(TableColumns),
}

impl Default for Layout {
    fn default() -> Self {
        Self::Named(ColumnNames::default())
    }
}

/// Reads many files, on all threads; they come by name, in whatever order they were given.
///
/// # Errors
/// A file is refused, or two scores have one name.
pub fn read_all(paths: &[PathBuf], reading: &Reading) -> Result<Vec<ScoringFile>, ScoringSetError> {
    let mut paths = paths.to_vec();
    paths.sort();
    let results: Vec<_> = paths.par_iter().map(|path| read(path, reading)).collect();
    // The first broken file of the list is told, not the first that a thread met.
    let mut files = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    files.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    let scores = |file: &'_ ScoringFile| file.scores.iter().map(|score| score.name.clone()).collect();
    let names: Vec<(Vec<String>, &Path)> = files.iter().map(|file| (scores(file), &*file.path)).collect();
    check_names(names.iter().map(|(names, path)| (&names[..], *path)))?;
    Ok(files)
}

/// Holds the names of the scores of all files against one another.
///
/// # Errors
/// Two scores have one name.
pub fn check_names<'f>(
    files: impl IntoIterator<Item = (&'f [String], &'f Path)>,
) -> Result<(), ScoringSetError> {
    let mut seen: BTreeMap<&str, &Path> = BTreeMap::new();
    for (names, path) in files {
        for name in names {
            if let Some(first) = seen.insert(name, path) {
                let (first, second) = (first.to_owned(), path.to_owned());
                return Err(ScoringSetError::Twice { name: name.clone(), first, second });
            }
        }
    }
    Ok(())
}

/// Reads a file: plain, gzip, BGZF or Zstandard.
///
/// # Errors
/// It cannot be read, or something in it is wrong.
pub fn read(path: &Path, reading: &Reading) -> Result<ScoringFile, ScoringFileError> {
    let refused = |source: ScoringProblem| ScoringFileError { path: path.to_owned(), source };
    let mut reader = text::open(path).map_err(|error| refused(error.into()))?;
    parse(&mut *reader, path, reading).map_err(refused)
}

/// Reads the text of a file; `path` gives a name to a score that has none.
///
/// # Errors
/// It cannot be read, or something in it is wrong.
pub fn parse(
    reader: &mut dyn BufRead,
    path: &Path,
    reading: &Reading,
) -> Result<ScoringFile, ScoringProblem> {
    let mut file = match &reading.layout {
        Layout::Numbered(columns) => score_table::parse(reader, path, columns)?,
        Layout::Named(names) => parse_named(reader, path, reading.build, names)?,
    };
    if file.variants.is_empty() {
        return Err(ScoringProblem::Empty);
    }
    file.variants.shrink();
    file.scores.iter_mut().for_each(|score| score.weights.shrink_to_fit());
    file.remarks = file.remarks();
    Ok(file)
}

fn parse_named(
    reader: &mut dyn BufRead,
    path: &Path,
    build: Option<Build>,
    names: &ColumnNames,
) -> Result<ScoringFile, ScoringProblem> {
    let (mut line, mut number, mut header) = (Vec::new(), 0, Header::default());
    let mut place: Option<(Columns, ScoringFile)> = None;
    while text::read_line(reader, &mut line)? {
        number += 1;
        let of_row = |source: RowProblem| ScoringProblem::Row { line: number, source };
        let line = std::str::from_utf8(&line).map_err(|_| of_row(RowProblem::Text))?;
        // Spreadsheets write a mark before the first line.
        let line = if number == 1 { line.trim_start_matches('\u{feff}') } else { line };
        if line.starts_with('#') {
            header.take(line);
            continue;
        }
        match &mut place {
            _ if line.trim().is_empty() => {}
            Some((columns, file)) => columns.add(line, file).map_err(of_row)?,
            None => {
                let header = std::mem::take(&mut header);
                place = Some(begin(line, header, path, build, names)?);
            }
        }
    }
    place.map(|(_, file)| file).ok_or(ScoringProblem::Empty)
}

/// From the names of the columns: which of them to read.
fn begin(
    line: &str,
    header: Header,
    path: &Path,
    build: Option<Build>,
    names: &ColumnNames,
) -> Result<(Columns, ScoringFile), ScoringProblem> {
    let mut columns = Columns::of(line, names)?;
    let (harmonised, authors) = (header.harmonised_build(), header.genome_build());
    let can_be_harmonised = columns.has_harmonised() && header.get("HmPOS_build").is_some();
    let wants_authors = build.is_some() && harmonised != build && authors == build;
    let is_harmonised = can_be_harmonised && !(wants_authors && columns.has_authors_positions());
    columns.take_positions(is_harmonised);
    let id = header.score_id().map_or_else(|| stem(path), str::to_owned);
    let name = match header.get("HmPOS_build") {
        Some(build) if is_harmonised => format!("{id}_hmPOS_{build}"),
        _ => id,
    };
    let file = ScoringFile {
        path: path.to_owned(),
        scores: vec![Score { name: name.clone(), weights: Vec::new() }],
        name,
        header,
        coordinates: if is_harmonised { Coordinates::Harmonised } else { Coordinates::AuthorReported },
        build: if is_harmonised { harmonised } else { authors },
        variants: Variants::default(),
        by_dosage: Vec::new(),
        remarks: Vec::new(),
    };
    Ok((columns, file))
}

/// A file's name without its endings.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let mut stem: &str = &name;
    for ending in [".gz", ".bgz", ".zst", ".txt", ".tsv", ".scorefile", ".score"] {
        stem = stem.strip_suffix(ending).filter(|stem| !stem.is_empty()).unwrap_or(stem);
    }
    stem.to_owned()
}

/// A weight as it is written.
///
/// # Errors
/// It is no finite number.
pub(super) fn weight(text: &str) -> Result<f64, RowProblem> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| RowProblem::Weight(text.to_owned()))
}

impl ScoringFile {
    /// The build that its positions are said to be of, where that is none that norn knows.
    pub fn told_build(&self) -> Option<&str> {
        let key = match self.coordinates {
            Coordinates::Harmonised => "HmPOS_build",
            Coordinates::AuthorReported => "genome_build",
            Coordinates::Identifiers => return None,
        };
        let told = self.header.get(key)?.trim();
        let is_told = !["", "NR", "NA", "."].contains(&told) && build_of(told).is_none();
        is_told.then_some(told)
    }
}

/// What a row adds to a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// By copies of the effect allele and the [effect type](super::score_variants::EffectType).
    Single(f64),
    /// For 0, 1 and 2 copies.
    ByDosage([f64; 3]),
}

impl ScoringFile {
    /// The weight of a row in a score (both from 0).
    pub fn weight(&self, row: u32, score: usize) -> Option<Weight> {
        if let Ok(at) = self.by_dosage.binary_search_by_key(&row, |(row, _)| *row) {
            return Some(Weight::ByDosage(self.by_dosage[at].1));
        }
        Some(Weight::Single(*self.scores.get(score)?.weights.get(row as usize)?))
    }

    fn remarks(&self) -> Vec<Remark> {
        let rows = self.variants.len() as u64;
        let number = self.header.variants_number().filter(|told| *told != rows);
        let number = number.map(|told| Remark::VariantsNumber { told, rows });
        let ratio = self.header.weight_type().filter(|kind| {
            ["OR", "HR", "odds ratio", "hazard ratio"].iter().any(|ratio| kind.eq_ignore_ascii_case(ratio))
        });
        number.into_iter().chain(ratio.map(|kind| Remark::Ratio(kind.to_owned()))).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::score_table::FirstLine;
    use super::super::score_variants::{Complexity, EffectType};
    use super::*;

    const CATALOG: &str = "###PGS CATALOG SCORING FILE\n#pgs_id=PGS9\n#genome_build=GRCh37\n#variants_number=3\n\
        #weight_type=OR\n#HmPOS_build=GRCh38\n\
        rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\thm_chr\thm_pos\thm_inferOtherAllele\n\
        rs1\t1\t10\tA\tG\t-0\t1\t110\t\n\
        rs2\t1\t20\tA\t\t4.5e-5\tX\t120.0\tG\n\
        rs3\t1\t30\tA\t\t1\t\t\tG/T\n\
        rs4\t1\t40\t\"CT\"\tC\t1\t6_alt\t5\t\n";

    fn read_text(text: &str, build: Option<Build>) -> Result<ScoringFile, ScoringProblem> {
        let reading = Reading { build, ..Default::default() };
        parse(&mut text.as_bytes(), Path::new("dir/mine.txt.gz"), &reading)
    }

    fn told(text: &str) -> String {
        read_text(text, None).unwrap_err().to_string()
    }

    #[test]
    fn positions_are_those_of_the_build() {
        let harmonised = read_text(CATALOG, Some(Build::Grch38)).unwrap();
        assert_eq!(
            (harmonised.name.as_str(), harmonised.coordinates),
            ("PGS9_hmPOS_GRCh38", Coordinates::Harmonised)
        );
        let rows: Vec<_> = harmonised.variants.iter().map(|v| (v.contig, v.position)).collect();
        assert_eq!(rows, [("1", Some(110)), ("X", Some(120)), ("", None), ("6_alt", Some(5))]);
        let others: Vec<_> = harmonised.variants.iter().map(|v| v.alleles.other.as_deref()).collect();
        assert_eq!(others, [Some("G"), Some("G"), None, Some("C")]);
        assert_eq!(
            harmonised.remarks,
            [Remark::VariantsNumber { told: 3, rows: 4 }, Remark::Ratio("OR".to_owned())]
        );
        assert!(harmonised.scores[0].weights[0].is_sign_negative());
        assert_eq!(harmonised.weight(1, 0), Some(Weight::Single(4.5e-5)));

        let authors = read_text(CATALOG, Some(Build::Grch37)).unwrap();
        assert_eq!((authors.name.as_str(), authors.build), ("PGS9", Some(Build::Grch37)));
        assert_eq!(authors.variants.get(1).unwrap().position, Some(20));
        assert_eq!(authors.variants.get(1).unwrap().alleles.other, None);
    }

    #[test]
    fn effect_types_are_read() {
        let text = "chr_name\tchr_position\teffect_allele\teffect_weight\tis_dominant\tis_recessive\tis_haplotype\t\
            is_diplotype\tis_interaction\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight\n\
            1\t1\tA\t1\tTrue\tFalse\t\t\t\t\t\t\n1\t1\tA\t1\t0\tTRUE\t\t\t\t\t\t\n1\t1\tA\t\t\t\t\t\t\t0\t1\t-5\n\
            6\t\tHLA-A*24\t1\t\t\tTRUE\t\t\t\t\t\n1\t1\tA\t1\t\t\t\tTRUE\t\t\t\t\n1\t1\tA_x_G\t1\t\t\t\t\t1\t\t\t\n";
        let file = read_text(text, None).unwrap();
        let kinds: Vec<_> = file.variants.iter().map(|v| (v.effect_type, v.complexity)).collect();
        assert_eq!(
            kinds,
            [
                (EffectType::Dominant, None),
                (EffectType::Recessive, None),
                (EffectType::NonAdditive, None),
                (EffectType::Additive, Some(Complexity::Haplotype)),
                (EffectType::Additive, Some(Complexity::Diplotype)),
                (EffectType::Additive, Some(Complexity::Interaction)),
            ]
        );
        assert_eq!(file.weight(2, 0), Some(Weight::ByDosage([0.0, 1.0, -5.0])));
        assert_eq!((file.name.as_str(), file.coordinates), ("mine", Coordinates::AuthorReported));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, message) in [
            ("", "it has no variants"),
            ("effect_allele\teffect_weight\n", "it has no variants"),
            ("effect_weight\nA", "there is no column effect_allele"),
            ("effect_allele\tdosage_0_weight\nA\t1", "there is no column effect_weight"),
            ("effect_allele\teffect_weight\teffect_weight\nA", "there are two columns effect_weight"),
            ("#x\neffect_allele\teffect_weight\nA\t1\nA", "line 4: it has 1 cells, not 2"),
            ("effect_allele\teffect_weight\nA\tnan", "line 2: the weight \"nan\" is no finite number"),
            ("effect_allele\teffect_weight\nA\t-inf", "line 2: the weight \"-inf\" is no finite number"),
            ("effect_allele\teffect_weight\nA\t1e999", "line 2: the weight \"1e999\" is no finite number"),
            ("effect_allele\teffect_weight\nA\t", "line 2: the weight \"\" is no finite number"),
            ("effect_allele\teffect_weight\n\t1", "line 2: it has no effect allele"),
            (
                "effect_allele\teffect_weight\tis_dominant\nA\t1\tmaybe",
                "line 2: is_dominant is \"maybe\", neither true nor false",
            ),
            (
                "effect_allele\teffect_weight\tis_dominant\tis_recessive\nA\t1\t1\t1",
                "line 2: unknown effect type: is_dominant with is_recessive",
            ),
            (
                "effect_allele\teffect_weight\teffect_type\nA\t1\tcodominant",
                "line 2: unknown effect type: codominant",
            ),
            (
                "effect_allele\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight\nA\t1\t\t1",
                "line 2: it has weights for some of 0, 1 and 2 copies only",
            ),
            (
                "effect_allele\teffect_weight\tchr_position\nA\t1\t1e5",
                "line 2: the position \"1e5\" is no whole number of bases",
            ),
        ] {
            assert_eq!(told(text), message, "{text}");
        }
    }

    #[test]
    fn columns_may_have_other_names() {
        let names =
            [("effect_allele", "A1"), ("effect_weight", "BETA"), ("chr_name", "CHR"), ("chr_position", "BP")];
        let names: ColumnNames = names.map(|(name, own)| (name.to_owned(), own.to_owned())).into();
        let reading = Reading { build: None, layout: Layout::Named(names) };
        let text = "CHR\tBP\tA1\tBETA\n1\t5\tA\t0.5\n";
        let file = parse(&mut text.as_bytes(), Path::new("x"), &reading).unwrap();
        assert_eq!(file.variants.get(0).unwrap().position, Some(5));
        let error = parse(&mut "CHR\tA1\tBETA\nA".as_bytes(), Path::new("x"), &reading).unwrap_err();
        assert_eq!(error.to_string(), "there is no column BP");
    }

    #[test]
    fn many_files_come_by_name_and_each_score_once() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, id: &str| {
            let path = directory.path().join(name);
            let text = format!("#pgs_id={id}\neffect_allele\teffect_weight\nA\t1\n");
            let mut file =
                flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), Default::default());
            file.write_all(text.as_bytes()).unwrap();
            file.finish().unwrap();
            path
        };
        let (a, b, c) = (write("a.txt.gz", "PGS2"), write("b", "PGS1"), write("c.tsv", "PGS2"));
        let names = |paths: &[PathBuf]| {
            let files = read_all(paths, &Reading::default()).unwrap();
            files.into_iter().map(|file| file.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[a.clone(), b.clone()]), ["PGS1", "PGS2"]);
        assert_eq!(names(&[b, a.clone()]), ["PGS1", "PGS2"]);
        let twice = read_all(&[c, a.clone()], &Reading::default()).unwrap_err().to_string();
        assert!(twice.starts_with("the score PGS2 is in ") && twice.ends_with("/c.tsv"), "{twice}");

        let bytes = std::fs::read(&a).unwrap();
        std::fs::write(&a, &bytes[..bytes.len() - 9]).unwrap();
        let cut = read(&a, &Reading::default()).unwrap_err().to_string();
        assert!(cut.contains("a.txt.gz: the compressed data is truncated or corrupt"), "{cut}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_scores_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            rows in "([#ACG0-9.\tXe-]{0,12}\n){0,6}",
        ) {
            let table = TableColumns { weights: vec![3, 9], first_line: FirstLine::Names, ..Default::default() };
            let catalog = format!("{}{rows}", CATALOG.replace("rs4", ""));
            for layout in [Layout::default(), Layout::Numbered(table)] {
                let reading = Reading { build: Some(Build::Grch38), layout };
                for mut text in [&bytes[..], catalog.as_bytes(), rows.as_bytes()] {
                    let _ = parse(&mut text, Path::new(""), &reading);
                }
            }
        }
    }
}
