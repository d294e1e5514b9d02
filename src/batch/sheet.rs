//! The sample sheet: a row a sample, or a row a lane of one.
//!
//! Columns are those of nf-core/sarek 3 (`patient`, `sample`, `lane`, `sex`, `status`, `bam`, `cram`, `bai`, `crai`, `vcf`) and
//! `panel`, `hpo`, `ped`, `consent`. Paths are relative to the sheet.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::consent::is_withdrawn;
use super::lanes;
use super::problems::Problems;
use super::table::Table;
use crate::qc::relate::pedigree::Pedigree;

/// What is known of a sample before anything is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its name, which names its files, too.
    pub name: String,
    /// Whose it is.
    pub patient: String,
    /// `XX`, `XY` or nothing.
    pub sex: Option<String>,
    /// 0 for normal, 1 for tumour.
    pub status: u8,
    /// BAM or CRAM, one a lane.
    pub alignments: Vec<PathBuf>,
    /// VCF or BCF.
    pub variants: Option<PathBuf>,
    /// Genes to look at.
    pub panel: Option<PathBuf>,
    /// HPO terms.
    pub hpo: Vec<String>,
    /// The family's pedigree, which tells the sex where the sheet does not.
    pub ped: Option<PathBuf>,
    /// What the sheet says of consent.
    pub consent: Option<String>,
    /// Line of the sheet, from 1; 0 for files that were found.
    pub line: u64,
}

const COLUMNS: [&str; 14] = [
    "patient", "sample", "lane", "sex", "status", "bam", "cram", "bai", "crai", "vcf", "panel", "hpo", "ped",
    "consent",
];

/// Reads a sheet; gives samples in its order, and columns that are not ours.
///
/// # Errors
/// Everything that is wrong with it, and every file that is not there.
pub fn read(path: &Path) -> Result<(Vec<Sample>, Vec<String>), Problems> {
    let mut problems = Problems::new();
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) => {
            problems.file(path, error);
            return Err(problems);
        }
    };
    let (samples, others) = parse(path, &text, &mut problems);
    problems.or((samples, others))
}

/// Whether a name can be the name of files on any system: letters, digits, `.`, `_`, `-`, not more than 100, no `.` first.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(['.', '-'])
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn parse(path: &Path, text: &[u8], problems: &mut Problems) -> (Vec<Sample>, Vec<String>) {
    let Some(table) = Table::read(path, text, &COLUMNS, problems) else { return (Vec::new(), Vec::new()) };
    let head = &table.head;
    if table.column("sample").is_none() {
        problems.file(path, "line 1: there is no column sample");
        return (Vec::new(), Vec::new());
    }
    let others = head.iter().filter(|name| !COLUMNS.contains(&name.as_str())).cloned().collect();
    let mut samples: Vec<Sample> = Vec::new();
    let mut lanes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut pedigree_lines: BTreeMap<String, u64> = BTreeMap::new();
    for &(line, ref row) in &table.rows {
        if let Some((name, _)) = head.iter().zip(row).find(|(_, cell)| cell.contains(char::is_control)) {
            problems.cell(path, line, name, "there is a tab or another control character in it");
            continue;
        }
        if row.len() > head.len() {
            let what = format_args!("line {line}: {} cells under {} columns", row.len(), head.len());
            problems.file(path, what);
            continue;
        }
        let row = Row { path, line, head, cells: row };
        let (sample, lane) = row.sample(problems);
        if sample.ped.is_some() {
            pedigree_lines.entry(sample.name.clone()).or_insert(line);
        }
        let seen = lanes.entry(sample.name.clone()).or_default();
        match samples.iter_mut().find(|other| other.name == sample.name) {
            None => samples.push(sample),
            Some(_) if lane.is_empty() || seen.contains(&lane) => {
                problems.cell(path, line, "sample", format_args!("{} is there twice", sample.name));
            }
            Some(other) => {
                if (&other.patient, &other.sex, other.status) != (&sample.patient, &sample.sex, sample.status)
                {
                    let what = format_args!("patient, sex and status are not those of line {}", other.line);
                    problems.cell(path, line, "lane", what);
                }
                if sample.variants.is_some() {
                    problems.cell(path, line, "vcf", "lanes have one VCF: in their first line");
                }
                lanes::join(other, &sample, &mut |column, what| problems.cell(path, line, column, what));
                other.alignments.extend(sample.alignments);
            }
        }
        seen.push(lane);
    }
    let mut pedigrees = BTreeMap::new();
    for sample in &mut samples {
        let line = pedigree_lines.get(&sample.name).copied().unwrap_or(sample.line);
        ask_pedigree(path, line, sample, &mut pedigrees, problems);
    }
    if samples.is_empty() {
        problems.file(path, "there are no samples");
    }
    check_alignments(path, &samples, problems);
    (samples, others)
}

/// Reads that are given twice would count twice, or for two people.
fn check_alignments(path: &Path, samples: &[Sample], problems: &mut Problems) {
    let mut seen: BTreeMap<PathBuf, &Sample> = BTreeMap::new();
    for sample in samples {
        for file in &sample.alignments {
            let file = file.canonicalize().unwrap_or_else(|_| file.clone());
            if let Some(other) = seen.insert(file.clone(), sample) {
                let what = format_args!("{} is the file of {}, too", file.display(), other.name);
                problems.cell(path, sample.line, "sample", what);
            }
        }
    }
}

struct Row<'r> {
    path: &'r Path,
    line: u64,
    head: &'r [String],
    cells: &'r csv::StringRecord,
}

impl Row<'_> {
    /// The sample of the row, and its lane.
    fn sample(&self, problems: &mut Problems) -> (Sample, String) {
        let name = self.cell("sample").to_owned();
        if !is_name(&name) {
            let what = format_args!("{name:?} is no name of letters, digits, dots, hyphens and underscores");
            problems.cell(self.path, self.line, "sample", what);
        }
        let patient = match self.cell("patient") {
            "" => name.clone(),
            patient => patient.to_owned(),
        };
        let sex = match self.cell("sex").to_ascii_uppercase().as_str() {
            "" | "NA" | "0" | "OTHER" | "UNKNOWN" => None,
            "XX" | "F" | "FEMALE" | "2" => Some("XX".to_owned()),
            "XY" | "M" | "MALE" | "1" => Some("XY".to_owned()),
            other => {
                problems.cell(self.path, self.line, "sex", format_args!("{other:?} is none of XX, XY, NA"));
                None
            }
        };
        let status = match self.cell("status") {
            "" | "0" => 0,
            "1" => 1,
            other => {
                problems.cell(self.path, self.line, "status", format_args!("{other:?} is neither 0 nor 1"));
                0
            }
        };
        let (bam, cram) = (self.file("bam", problems), self.file("cram", problems));
        if bam.is_some() && cram.is_some() {
            problems.cell(self.path, self.line, "cram", "there is a bam, too: one of both");
        }
        for (index, of) in [("bai", &bam), ("crai", &cram)] {
            let given = self.file(index, problems);
            if let (Some(index_path), Some(of)) = (given, of)
                && !is_index_of(&index_path, of, index)
            {
                let what = format_args!("an index is looked for beside its file: {}.{index}", of.display());
                problems.cell(self.path, self.line, index, what);
            }
        }
        let hpo: Vec<String> = self
            .cell("hpo")
            .split([',', ';', ' '])
            .filter(|term| !term.is_empty())
            .map(str::to_owned)
            .collect();
        for term in &hpo {
            let digits = term.strip_prefix("HP:").unwrap_or_default();
            if digits.len() != 7 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                problems.cell(
                    self.path,
                    self.line,
                    "hpo",
                    format_args!("{term:?} is no term like HP:0001250"),
                );
            }
        }
        let consent = Some(self.cell("consent")).filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(text) = consent.as_deref().filter(|text| is_withdrawn(text).is_none()) {
            let what = format_args!("{text:?} is neither given nor withdrawn");
            problems.cell(self.path, self.line, "consent", what);
        }
        let sample = Sample {
            name,
            patient,
            sex,
            status,
            alignments: bam.or(cram).into_iter().collect(),
            variants: self.file("vcf", problems),
            panel: self.file("panel", problems),
            hpo,
            ped: self.file("ped", problems),
            consent,
            line: self.line,
        };
        if sample.alignments.is_empty() && sample.variants.is_none() {
            let what = format_args!("line {}: neither bam, cram nor vcf", self.line);
            problems.file(self.path, what);
        }
        (sample, self.cell("lane").to_owned())
    }

    fn cell(&self, column: &str) -> &str {
        let at = self.head.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).unwrap_or_default()
    }

    /// The file of a column, which must be there.
    fn file(&self, column: &str, problems: &mut Problems) -> Option<PathBuf> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return None;
        }
        let path = beside(self.path, Path::new(cell));
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => {
                problems.cell(self.path, self.line, column, format_args!("{} is no file", path.display()))
            }
            Err(error) => {
                problems.cell(self.path, self.line, column, format_args!("{}: {error}", path.display()));
            }
        }
        Some(path)
    }
}

/// Holds the sample against its pedigree. Families share a file, which is read once.
fn ask_pedigree(
    path: &Path,
    line: u64,
    sample: &mut Sample,
    known: &mut BTreeMap<PathBuf, Option<Pedigree>>,
    problems: &mut Problems,
) {
    // That there is no file was told before.
    let Some(ped) = sample.ped.as_ref().filter(|path| path.is_file()) else { return };
    let mut tell = |column: &str, what: &str| problems.cell(path, line, column, what);
    let pedigree = known
        .entry(ped.clone())
        .or_insert_with(|| Pedigree::read(ped).map_err(|error| tell("ped", &error.to_string())).ok());
    let Some(pedigree) = pedigree else { return };
    let Some(person) = pedigree.get(&sample.name) else {
        tell("ped", &format!("{}: {} is not in it", ped.display(), sample.name));
        return;
    };
    let sex = match person.sex.as_str() {
        "1" => Some("XY".to_owned()),
        "2" => Some("XX".to_owned()),
        _ => None,
    };
    match (&sample.sex, &sex) {
        (Some(here), Some(there)) if here != there => {
            tell("sex", &format!("{here}, but {there} in {}", ped.display()));
        }
        (None, _) => sample.sex = sex,
        _ => {}
    }
}

/// A path as it is meant in a file: relative to the file's directory. It is absolute.
pub(super) fn beside(file: &Path, path: &Path) -> PathBuf {
    let directory = file.parent().unwrap_or(Path::new(""));
    let joined = directory.join(path);
    std::path::absolute(&joined).unwrap_or(joined)
}

/// Whether an index has one of the names by which readers find it.
fn is_index_of(index: &Path, of: &Path, ending: &str) -> bool {
    let mut longer = of.as_os_str().to_owned();
    longer.push(format!(".{ending}"));
    index == Path::new(&longer) || index == of.with_extension(ending)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Files a.bam, b.bam and c.vcf.gz with a sheet beside them.
    fn read_text(text: &str) -> Result<(Vec<Sample>, Vec<String>), Vec<String>> {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a.bam", "a.bam.bai", "b.bam", "c.vcf.gz", "d.cram", "bad.ped"] {
            fs::write(directory.path().join(name), b"x").unwrap();
        }
        fs::write(directory.path().join("f.ped"), "F A 0 0 1\nF B 0 0 2 1\nF C 0 0 0\n").unwrap();
        let path = directory.path().join("samples.tsv");
        fs::write(&path, text).unwrap();
        let here = format!("{}/", directory.path().display());
        read(&path).map_err(|problems| problems.lines().iter().map(|line| line.replace(&here, "")).collect())
    }

    #[test]
    fn sheets_of_sarek_are_read() {
        let (samples, others) =
            read_text("patient,sex,status,sample,lane,bam,bai,contact\nP1,XX,0,S1,L1,a.bam,a.bam.bai,me\nP1,XX,0,S1,L2,b.bam,,\n")
                .unwrap();
        assert_eq!(others, ["contact"]);
        assert_eq!(samples.len(), 1);
        assert_eq!((samples[0].patient.as_str(), samples[0].alignments.len()), ("P1", 2));
        assert!(samples[0].alignments[1].is_absolute());
        let (samples, _) =
            read_text("sample;vcf;hpo\n# a remark\n\"S-1\";c.vcf.gz;HP:0001250,HP:0000118\n").unwrap();
        assert_eq!((samples[0].name.as_str(), samples[0].hpo.len()), ("S-1", 2));
        let (samples, _) =
            read_text("sample\tvcf\thpo\n# a remark\n\"S-1\"\tc.vcf.gz\tHP:0001250,HP:0000118\n\n").unwrap();
        assert_eq!((samples[0].name.as_str(), samples[0].hpo.len(), samples[0].line), ("S-1", 2, 3));
    }

    #[test]
    fn a_pedigree_tells_the_sex_and_is_held_against_it() {
        let (samples, _) = read_text(
            "sample,sex,vcf,ped\nA,,c.vcf.gz,f.ped\nB,XX,c.vcf.gz,f.ped\nC,XY,c.vcf.gz,f.ped\nD,,c.vcf.gz,\n",
        )
        .unwrap();
        let sexes: Vec<_> = samples.iter().map(|sample| sample.sex.as_deref()).collect();
        assert_eq!(sexes, [Some("XY"), Some("XX"), Some("XY"), None]);
        let problems = read_text(
            "sample,sex,vcf,ped\nA,XX,c.vcf.gz,f.ped\nD,,c.vcf.gz,f.ped\nE,,c.vcf.gz,bad.ped\nF,,c.vcf.gz,bad.ped\n",
        );
        assert_eq!(
            problems.unwrap_err(),
            [
                "samples.tsv: line 2, column sex: XX, but XY in f.ped",
                "samples.tsv: line 3, column ped: f.ped: D is not in it",
                "samples.tsv: line 4, column ped: bad.ped, line 1: a PED line has family, person, father, mother and sex",
            ]
        );
    }

    #[test]
    fn rows_of_further_lanes_are_heard() {
        let head = "sample,lane,bam,consent,panel,hpo,ped\n";
        // Rows, and what comes of them: whether consent was withdrawn, whether there are a panel and a pedigree, and HPO terms.
        for (rows, expected) in [
            ("A,1,a.bam,given,,,\nA,2,b.bam,withdrawn,,,\n", (true, false, false, 0)),
            ("A,1,a.bam,withdrawn,,,\nA,2,b.bam,given,,,\n", (true, false, false, 0)),
            ("A,1,a.bam,,,,\nA,2,b.bam,no,c.vcf.gz,HP:0001250,f.ped\n", (true, true, true, 1)),
            ("A,1,a.bam,,c.vcf.gz,HP:0001250;HP:0000118,f.ped\nA,2,b.bam,,,,\n", (false, true, true, 2)),
            (
                "A,1,a.bam,,,HP:0001250;HP:0000118,\nA,2,b.bam,,,HP:0000118 HP:0001250,\n",
                (false, false, false, 2),
            ),
        ] {
            let (samples, _) = read_text(&format!("{head}{rows}")).unwrap();
            let sample = &samples[0];
            let is_out = sample.consent.as_deref().and_then(is_withdrawn) == Some(true);
            let found = (is_out, sample.panel.is_some(), sample.ped.is_some(), sample.hpo.len());
            assert_eq!((samples.len(), found), (1, expected), "{rows}");
            assert_eq!(sample.sex.is_some(), sample.ped.is_some(), "{rows}");
        }
        let wrong = "A,1,a.bam,,c.vcf.gz,HP:0001250,f.ped\nA,2,b.bam,perhaps,a.bam,HP:0000118,bad.ped\n";
        assert_eq!(
            read_text(&format!("{head}{wrong}")).unwrap_err(),
            [
                "samples.tsv: line 3, column consent: \"perhaps\" is neither given nor withdrawn",
                "samples.tsv: line 3, column panel: it is not that of line 2",
                "samples.tsv: line 3, column ped: it is not that of line 2",
                "samples.tsv: line 3, column hpo: it is not that of line 2",
            ]
        );
    }

    #[test]
    fn all_mistakes_are_told_with_line_and_column() {
        let problems = read_text(
            "sample\tsex\tstatus\tbam\tcram\tvcf\thpo\n\
             A\tXZ\t0\ta.bam\t\t\t\n\
             A\t\t2\tmissing.bam\t\t\t\n\
             ../B\t\t\t\t\t\tseizures\n\
             C\t\t\tb.bam\td.cram\tc.vcf.gz\t\n\
             D\t\t\ta.bam\t\t\t\tone more\n",
        )
        .unwrap_err();
        assert_eq!(
            problems,
            [
                "samples.tsv: line 2, column sex: \"XZ\" is none of XX, XY, NA",
                "samples.tsv: line 3, column status: \"2\" is neither 0 nor 1",
                "samples.tsv: line 3, column bam: missing.bam: No such file or directory (os error 2)",
                "samples.tsv: line 3, column sample: A is there twice",
                "samples.tsv: line 4, column sample: \"../B\" is no name of letters, digits, dots, hyphens and underscores",
                "samples.tsv: line 4, column hpo: \"seizures\" is no term like HP:0001250",
                "samples.tsv: line 4: neither bam, cram nor vcf",
                "samples.tsv: line 5, column cram: there is a bam, too: one of both",
                "samples.tsv: line 6: 8 cells under 7 columns",
            ]
        );
        for (text, what) in [
            ("", "it is empty"),
            ("name\nA\n", "no column sample"),
            ("sample\tbam\n", "no samples"),
            ("s\0a\0m\0", "save it as UTF-8"),
            ("sample,bam\nA,a.bam\nB,./a.bam\n", "line 3, column sample: a.bam is the file of A, too"),
            ("sample,lane,bam\nA,1,a.bam\nA,2,a.bam\n", "line 2, column sample: a.bam is the file of A, too"),
            (
                "sample,patient,vcf\nA,\"b\tc\",c.vcf.gz\n",
                "line 2, column patient: there is a tab or another",
            ),
        ] {
            let problems = read_text(text).unwrap_err();
            assert!(problems[0].contains(what), "{text:?} {problems:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let mut problems = Problems::new();
            parse(Path::new("samples.csv"), &bytes, &mut problems);
            let behind = [b"sample,bam,lane\n", &bytes[..]].concat();
            parse(Path::new("samples.csv"), &behind, &mut problems);
        }
    }
}
