//! `.sscore` tables, as `plink2 --score cols=` writes them.

use std::io::{self, Write};
use std::str::FromStr;

use rayon::prelude::*;

use super::summed::Summed;
use crate::formats::c_format;
use crate::formats::genotypes::samples::SampleTable;

/// Samples that are written at a time.
const BATCH: usize = 64;
/// Scores of these together, about: 1 MB.
const ROWS: usize = 1 << 14;

/// Columns by the names that plink2's `cols=` has for them, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    MaybeFid,
    Fid,
    MaybeSid,
    Sid,
    Pheno1,
    Phenos,
    Nallele,
    Denom,
    DosageSum,
    ScoreAvgs,
    ScoreSums,
}

use Column::*;

const NAMES: [(&str, Column); 11] = [
    ("maybefid", MaybeFid),
    ("fid", Fid),
    ("maybesid", MaybeSid),
    ("sid", Sid),
    ("pheno1", Pheno1),
    ("phenos", Phenos),
    ("nallele", Nallele),
    ("denom", Denom),
    ("dosagesum", DosageSum),
    ("scoreavgs", ScoreAvgs),
    ("scoresums", ScoreSums),
];

/// Which columns a table has, beside IID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns([bool; NAMES.len()]);

/// Why names of columns are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// There is no such column.
    #[error("{0:?} is none of {known}", known = NAMES.map(|(name, _)| name).join(", "))]
    Unknown(String),
    /// Some are added or taken away, others not.
    #[error("either all columns begin with + or -, or none does")]
    Mixed,
}

impl Default for Columns {
    /// Families and sources where the samples have them, all counts, averages and sums.
    fn default() -> Self {
        Self::of(&[MaybeFid, MaybeSid, Nallele, Denom, DosageSum, ScoreAvgs, ScoreSums])
    }
}

impl FromStr for Columns {
    type Err = ColumnsError;

    /// As `cols=` of plink2: `fid,denom` are all, `+fid,-denom` change the default.
    fn from_str(text: &str) -> Result<Self, ColumnsError> {
        let is_change = text.starts_with(['+', '-']);
        let mut columns = if is_change { Self::default() } else { Self::of(&[]) };
        for word in text.split(',') {
            let (name, is_wanted) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
                (Some(name), _) => (name, true),
                (_, Some(name)) => (name, false),
                _ => (word, true),
            };
            if is_change != (name.len() < word.len()) {
                return Err(ColumnsError::Mixed);
            }
            let known = NAMES.iter().find(|(known, _)| *known == name);
            let (_, column) = known.ok_or_else(|| ColumnsError::Unknown(name.to_owned()))?;
            columns.0[*column as usize] = is_wanted;
        }
        Ok(columns)
    }
}

impl Columns {
    fn of(wanted: &[Column]) -> Self {
        Self(NAMES.map(|(_, column)| wanted.contains(&column)))
    }

    fn has(self, column: Column) -> bool {
        self.0[column as usize]
    }

    /// How many of the samples' phenotypes there are.
    fn phenotypes(self, samples: &SampleTable) -> usize {
        match (self.has(Phenos), self.has(Pheno1)) {
            (true, _) => samples.phenotypes.len(),
            (false, true) => samples.phenotypes.len().min(1),
            (false, false) => 0,
        }
    }

    fn has_families(self, samples: &SampleTable) -> bool {
        self.has(Fid) || self.has(MaybeFid) && samples.has_families
    }

    fn has_sources(self, samples: &SampleTable) -> bool {
        self.has(Sid) || self.has(MaybeSid) && samples.has_sources
    }
}

/// How a table looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Its columns.
    pub columns: Columns,
    /// Significant digits; as few as tell the number from all others where there is no number of digits.
    pub digits: Option<usize>,
}

/// Writes the line of names.
///
/// # Errors
/// The writer fails.
pub fn write_header(
    output: &mut dyn Write,
    samples: &SampleTable,
    names: &[String],
    look: Look,
) -> io::Result<()> {
    let columns = look.columns;
    let mut text = if columns.has_families(samples) { "#FID\tIID" } else { "#IID" }.to_owned();
    let mut add = |name: &str, end: &str| {
        text.push('\t');
        text += name;
        text += end;
    };
    if columns.has_sources(samples) {
        add("SID", "");
    }
    samples.phenotypes.iter().take(columns.phenotypes(samples)).for_each(|name| add(name, ""));
    let counts = [(Nallele, "ALLELE_CT"), (Denom, "DENOM"), (DosageSum, "NAMED_ALLELE_DOSAGE_SUM")];
    counts.iter().filter(|(column, _)| columns.has(*column)).for_each(|(_, name)| add(name, ""));
    for (column, end) in [(ScoreAvgs, "_AVG"), (ScoreSums, "_SUM")] {
        names.iter().filter(|_| columns.has(column)).for_each(|name| add(name, end));
    }
    text.push('\n');
    output.write_all(text.as_bytes())
}

/// Writes the samples of sums whose scores are all of the first group.
///
/// # Errors
/// The writer fails.
pub fn write_rows(
    output: &mut (dyn Write + Send),
    samples: &SampleTable,
    sums: &dyn Summed,
    look: Look,
) -> io::Result<()> {
    let rows_of = |batch: &[usize]| -> Vec<Vec<u8>> {
        let row_of = |sample: &usize| {
            let mut row = Vec::new();
            // Writing into memory does not fail.
            let _ = write_row(&mut row, samples, sums, *sample, look);
            row
        };
        batch.par_iter().map(row_of).collect()
    };
    let numbers: Vec<usize> = sums.people().collect();
    // Rows of two batches are in memory: less people where there are many scores.
    let scores = numbers.first().map_or(0, |person| sums.of_person(*person).len());
    let of_thread = (ROWS / scores.max(1)).clamp(1, BATCH);
    let mut batches = numbers.chunks(of_thread * rayon::current_num_threads());
    let mut rows = batches.next().map(rows_of).unwrap_or_default();
    while !rows.is_empty() {
        let batch = batches.next();
        let (next, written) = rayon::join(
            || batch.map(rows_of).unwrap_or_default(),
            || rows.iter().try_for_each(|row| output.write_all(row)),
        );
        written?;
        rows = next;
    }
    Ok(())
}

fn write_row(
    row: &mut Vec<u8>,
    samples: &SampleTable,
    sums: &dyn Summed,
    sample: usize,
    look: Look,
) -> io::Result<()> {
    let (Some(of), Some(counts)) = (samples.as_slice().get(sample), sums.counts_of(sample)) else {
        return Ok(());
    };
    let columns = look.columns;
    if columns.has_families(samples) {
        write!(row, "{}\t", of.family.as_deref().unwrap_or("0"))?;
    }
    write!(row, "{}", of.individual)?;
    if columns.has_sources(samples) {
        write!(row, "\t{}", of.source.as_deref().unwrap_or("0"))?;
    }
    for value in of.phenotypes.iter().take(columns.phenotypes(samples)) {
        // plink2 writes its missing value so.
        write!(row, "\t{}", if value == "-9" { "NA" } else { value })?;
    }
    for (column, count) in [(Nallele, counts.alleles), (Denom, counts.denominator)] {
        if columns.has(column) {
            write!(row, "\t{count}")?;
        }
    }
    let number = |row: &mut Vec<u8>, value: f64| match look.digits {
        Some(digits) => write!(row, "\t{}", c_format::general(value, digits)),
        None => {
            row.push(b'\t');
            let mut buffer = zmij::Buffer::new();
            let text = if value.is_nan() { "nan" } else { buffer.format(value) };
            row.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
            Ok(())
        }
    };
    if columns.has(DosageSum) {
        number(row, counts.named_dosage)?;
    }
    let values = sums.of_person(sample);
    if columns.has(ScoreAvgs) {
        values.iter().try_for_each(|sum| number(row, sum / counts.denominator as f64))?;
    }
    if columns.has(ScoreSums) {
        values.iter().try_for_each(|sum| number(row, *sum))?;
    }
    row.write_all(b"\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::formats::genotypes::samples::Sample;

    #[test]
    fn columns_are_chosen_as_in_plink2() {
        let mut samples = SampleTable::default();
        (samples.has_families, samples.phenotypes) = (true, vec!["a".into(), "b".into()]);
        samples.push(Sample { individual: "x".into(), ..Sample::default() }).unwrap();
        for (text, expected) in [
            (
                "maybefid,maybesid,phenos,nallele,dosagesum,scoreavgs",
                "#FID IID a b ALLELE_CT NAMED_ALLELE_DOSAGE_SUM S_AVG",
            ),
            ("fid,denom,phenos,scoresums", "#FID IID a b DENOM S_SUM"),
            ("sid,pheno1,nallele", "#IID SID a ALLELE_CT"),
            ("maybesid,scoreavgs", "#IID S_AVG"),
            ("+pheno1,-scoreavgs,-denom", "#FID IID a ALLELE_CT NAMED_ALLELE_DOSAGE_SUM S_SUM"),
        ] {
            let look = Look { columns: text.parse().unwrap(), digits: None };
            let mut header = Vec::new();
            write_header(&mut header, &samples, &["S".to_owned()], look).unwrap();
            assert_eq!(String::from_utf8(header).unwrap().trim().replace('\t', " "), expected, "{text}");
        }
        assert_eq!("+fid,denom".parse::<Columns>(), Err(ColumnsError::Mixed));
        assert_eq!("fid,-denom".parse::<Columns>(), Err(ColumnsError::Mixed));
        assert_eq!("sums".parse::<Columns>(), Err(ColumnsError::Unknown("sums".into())));
    }
}
