//! Allele frequencies: what missing genotypes are taken for.
//!
//! Those of the data are counted where the genotypes are read, from the founders: exact integers, divided once. Others are
//! read from a table that `plink2 --freq` wrote.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::chromosome::Chromosome;
use crate::formats::genotypes::sites::SiteTable;
use crate::formats::text;

/// Copies of an allele among the known ones: parts of the same size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlleleCount {
    /// The allele's.
    pub copies: u128,
    /// All.
    pub known: u128,
}

impl AlleleCount {
    /// The frequency. Where nothing is known, all of the variant's alleles are as frequent, as in PLINK 2.
    pub fn frequency(self, alleles: usize) -> f64 {
        if self.known == 0 { 1.0 / alleles.max(1) as f64 } else { self.copies as f64 / self.known as f64 }
    }
}

/// Why a table of frequencies is not taken.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct FrequencyError {
    /// The table.
    pub path: PathBuf,
    /// The cause.
    pub source: FrequencyProblem,
}

/// What is wrong with a table of frequencies.
#[derive(Debug, thiserror::Error)]
pub enum FrequencyProblem {
    /// The system failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line, from 1.
    #[error("line {line}: {what}")]
    Line {
        /// The line.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// Frequencies of alternate alleles by a variant's identifier, or its position, and alleles.
#[derive(Clone, Debug, Default)]
pub struct FrequencyTable {
    rows: Vec<Vec<(String, f64)>>,
    by_id: FxHashMap<String, Vec<u32>>,
    by_position: FxHashMap<(Chromosome, i32), Vec<u32>>,
}

/// Where a table has what.
#[derive(Clone, Copy, Debug)]
struct Places {
    id: usize,
    reference: usize,
    alternates: usize,
    /// Frequencies; or counts, and the column of all alleles that were seen.
    values: usize,
    seen: Option<usize>,
    position: Option<[usize; 2]>,
}

impl Places {
    fn of(fields: &[&str]) -> Option<Self> {
        let place = |wanted: &str| fields.iter().position(|name| *name == wanted);
        let (values, seen) = match (place("ALT_FREQS"), place("ALT_CTS"), place("OBS_CT")) {
            (Some(values), _, _) => (values, None),
            (None, Some(values), Some(seen)) => (values, Some(seen)),
            _ => return None,
        };
        let position = place("CHROM").zip(place("POS")).map(|(contig, position)| [contig, position]);
        Some(Self {
            id: place("ID")?,
            reference: place("REF")?,
            alternates: place("ALT")?,
            values,
            seen,
            position,
        })
    }
}

impl FrequencyTable {
    /// Reads what `plink2 --freq` writes: columns ID, REF, ALT and ALT_FREQS, which has a value for each alternate allele, or ALT_CTS and
    /// OBS_CT (`--freq counts`); with CHROM and POS variants are found by position, too. Plain, gzip, BGZF or Zstandard.
    ///
    /// # Errors
    /// It cannot be read, lacks a column or a line's value, or a frequency is not within 0 to 1.
    pub fn read(path: &Path) -> Result<Self, FrequencyError> {
        Self::read_inner(path).map_err(|source| FrequencyError { path: path.to_owned(), source })
    }

    fn read_inner(path: &Path) -> Result<Self, FrequencyProblem> {
        let mut input = text::open(path)?;
        let (mut table, mut places, mut bytes, mut line) = (Self::default(), None, Vec::new(), 0);
        while text::read_line(input.as_mut(), &mut bytes)? {
            line += 1;
            let wrong = |what| FrequencyProblem::Line { line, what };
            let row = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8"))?;
            if row.starts_with("##") || row.is_empty() {
                continue;
            }
            let fields: Vec<&str> = row.trim_start_matches('#').split('\t').collect();
            match &places {
                Some(places) => table.add(places, &fields).map_err(wrong)?,
                None => {
                    places = Some(Places::of(&fields).ok_or_else(|| {
                        wrong("the header lacks one of the columns ID, REF, ALT and ALT_FREQS (or ALT_CTS and OBS_CT)")
                    })?);
                }
            }
        }
        Ok(table)
    }

    fn add(&mut self, places: &Places, fields: &[&str]) -> Result<(), &'static str> {
        let field = |place: usize| fields.get(place).copied().unwrap_or_default();
        let (id, alternates, values) = (field(places.id), field(places.alternates), field(places.values));
        if id.is_empty() || values.is_empty() {
            return Err("fewer columns than the header has");
        }
        let seen = match places.seen.map(|place| field(place).parse::<f64>()) {
            None => 1.0,
            Some(Ok(seen)) => seen,
            Some(Err(_)) => return Err("OBS_CT is no number"),
        };
        let mut alleles = vec![(field(places.reference).to_owned(), 1.0)];
        if alternates.split(',').count() != values.split(',').count() {
            return Err("not as many frequencies as alternate alleles");
        }
        for (allele, value) in alternates.split(',').zip(values.split(',')) {
            // PLINK writes `nan` where nothing is known: the variant is as if it were not here.
            let Ok(value) = value.parse::<f64>() else { return Err("a frequency is no number") };
            let frequency = value / seen;
            if frequency.is_nan() {
                return Ok(());
            }
            if !(0.0..=1.0).contains(&frequency) {
                return Err("a frequency is not within 0 to 1");
            }
            alleles.push((allele.to_owned(), frequency));
        }
        alleles[0].1 = (1.0 - alleles.iter().skip(1).map(|(_, frequency)| frequency).sum::<f64>()).max(0.0);
        let number = u32::try_from(self.rows.len()).map_err(|_| "more lines than can be numbered")?;
        if id != "." {
            self.by_id.entry(id.to_owned()).or_default().push(number);
        }
        if let Some([contig, position]) = places.position
            && let Some(place) = Chromosome::of(field(contig)).zip(field(position).parse().ok())
        {
            self.by_position.entry(place).or_default().push(number);
        }
        self.rows.push(alleles);
        Ok(())
    }

    /// The frequencies of each variant's alleles, the reference first; empty where the table does not have a variant of
    /// that identifier, or that position, and these alleles. Which is the reference does not matter.
    pub fn of(&self, sites: &SiteTable) -> Vec<Vec<f64>> {
        let find = |site: crate::formats::genotypes::sites::Site| {
            let alleles: Vec<&str> = std::iter::once(site.reference).chain(site.alternates()).collect();
            let of_row = |number: &u32| {
                let row = self.rows.get(*number as usize).filter(|row| row.len() == alleles.len())?;
                let of =
                    |allele: &&str| row.iter().find(|(name, _)| name == *allele).map(|(_, value)| *value);
                alleles.iter().map(of).collect::<Option<Vec<f64>>>()
            };
            let of_rows = |rows: Option<&Vec<u32>>| rows.and_then(|rows| rows.iter().find_map(of_row));
            of_rows(self.by_id.get(site.id)).or_else(|| {
                let place = (Chromosome::of(site.contig)?, site.position);
                of_rows(self.by_position.get(&place))
            })
        };
        sites.iter().map(|site| find(site).unwrap_or_default()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FrequencyTable, FrequencyError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.afreq");
        std::fs::write(&path, text).unwrap();
        FrequencyTable::read(&path)
    }

    #[test]
    fn frequencies_are_found_by_alleles() {
        let head = "#CHROM\tID\tREF\tALT\tALT_FREQS\tOBS_CT\n";
        let table =
            read(&format!("{head}1\ta\tA\tC\t0.25\t8\n1\tb\tG\tT,C\t0.5,0.25\t8\n1\tc\tA\tT\tnan\t0\n"))
                .unwrap();
        let mut sites = SiteTable::default();
        for (id, reference, alternates) in
            [("a", "A", "C"), ("a", "C", "A"), ("a", "A", "G"), ("b", "G", "C,T"), ("c", "A", "T")]
        {
            sites.push("1", 1, id, reference, alternates).unwrap();
        }
        let expected = [vec![0.75, 0.25], vec![0.25, 0.75], vec![], vec![0.25, 0.25, 0.5], vec![]];
        assert_eq!(table.of(&sites), expected);
        for (text, line) in [
            ("ID\tREF\tALT\n", 1),
            (&*format!("{head}1\ta\tA\tC\t1.5\t8\n"), 2),
            (&*format!("{head}1\ta\tA\tC\t0.5,0.5\t8\n"), 2),
            (&*format!("{head}1\ta\tA\n"), 2),
        ] {
            let found = read(text).unwrap_err().source;
            assert!(matches!(found, FrequencyProblem::Line { line: at, .. } if at == line), "{found}");
        }
    }

    #[test]
    fn frequencies_are_found_by_position_and_made_of_counts() {
        let head = "#CHROM\tPOS\tID\tREF\tALT\tALT_CTS\tOBS_CT\n";
        let table = read(&format!(
            "{head}chr1\t7\t.\tA\tC\t2\t8\nchrX\t9\tx\tG\tT,C\t4,2\t8\nchr2\t3\tz\tG\tT\t0\t0\n"
        ));
        let mut sites = SiteTable::default();
        for (contig, position, id, reference, alternates) in [
            ("1", 7, "other", "A", "C"),
            ("1", 7, "other", "A", "G"),
            ("23", 9, ".", "T", "G,C"),
            ("1", 9, "x", "G", "C,T"),
            ("2", 3, "z", "G", "T"),
        ] {
            sites.push(contig, position, id, reference, alternates).unwrap();
        }
        let expected = [vec![0.75, 0.25], vec![], vec![0.5, 0.25, 0.25], vec![0.25, 0.25, 0.5], vec![]];
        assert_eq!(table.unwrap().of(&sites), expected);
        let found = read(&format!("{head}1\t7\ta\tA\tC\t9\t8\n")).unwrap_err().source;
        assert!(matches!(found, FrequencyProblem::Line { line: 2, .. }), "{found}");
    }

    #[test]
    fn what_is_not_known_is_as_frequent_as_the_other_alleles() {
        assert_eq!(AlleleCount::default().frequency(2), 0.5);
        assert_eq!(AlleleCount { copies: 1, known: 4 }.frequency(2), 0.25);
    }
}
