//! Lists of people, as `plink2 --keep` and `--remove` take them, and who of a table is meant.
//!
//! A line names a person by IID, or by FID and IID; other columns are of no matter. A first line that begins with `#` names
//! the columns. FID `0` is no family. An IID alone is the person of any family: plink2 takes it for a person without one.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::samples::SampleTable;
use super::{GenotypeError, GenotypeProblem};
use crate::formats::text;

/// People who are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleList {
    asked: Vec<Asked>,
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    /// The family, where the list has families: `None` within for none.
    family: Option<Option<String>>,
    individual: String,
}

/// Whom lists mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Samples (0-based) of the table, ascending.
    pub samples: Vec<u32>,
    /// Lines of the list to keep that name nobody.
    pub unknown_keep: usize,
    /// Lines of the list to remove that name nobody.
    pub unknown_remove: usize,
}

impl SampleList {
    /// Adds the people of a file.
    ///
    /// # Errors
    /// It cannot be read, or its first line names columns without IID.
    pub fn add_file(&mut self, path: &Path) -> Result<(), GenotypeError> {
        self.add(path).map_err(|problem| problem.of(path))
    }

    fn add(&mut self, path: &Path) -> Result<(), GenotypeProblem> {
        let (mut reader, mut bytes, mut line) = (text::open(path)?, Vec::new(), 0);
        // Columns of FID and IID, where the first line tells.
        let mut named: Option<(Option<usize>, usize)> = None;
        while text::read_line(&mut *reader, &mut bytes)? {
            line += 1;
            let wrong = |what: &str| GenotypeProblem::Line { line, what: what.to_owned() };
            let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8"))?;
            let cells: Vec<&str> = text.split_ascii_whitespace().collect();
            match &*cells {
                [] => continue,
                [first, ..] if line == 1 && first.starts_with('#') => {
                    let place =
                        |name: &str| cells.iter().position(|cell| cell.trim_start_matches('#') == name);
                    let individual = place("IID").ok_or_else(|| wrong("it names columns, but not IID"))?;
                    named = Some((place("FID"), individual));
                    continue;
                }
                _ => {}
            }
            let (family, individual) =
                named.unwrap_or(if cells.len() > 1 { (Some(0), 1) } else { (None, 0) });
            let cell =
                |place: usize| cells.get(place).copied().ok_or_else(|| wrong("it has too few columns"));
            let family = family.map(cell).transpose()?;
            self.asked.push(Asked {
                family: family.map(|family| (family != "0").then(|| family.to_owned())),
                individual: cell(individual)?.to_owned(),
            });
        }
        Ok(())
    }

    /// The individual names (IID), whatever the family.
    pub fn individuals(&self) -> HashSet<&str> {
        self.asked.iter().map(|asked| asked.individual.as_str()).collect()
    }

    /// The samples that are meant, by table order, and how many lines mean nobody.
    fn find(&self, table: &SampleTable) -> (Vec<bool>, usize) {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, sample) in table.iter().enumerate() {
            by_name.entry(&sample.individual).or_default().push(number);
        }
        let (mut is_meant, mut unknown) = (vec![false; table.len()], 0);
        for asked in &self.asked {
            let mut is_found = false;
            for &number in by_name.get(&*asked.individual).into_iter().flatten() {
                let family = &table.as_slice()[number].family;
                if asked.family.as_ref().is_none_or(|asked| asked == family) {
                    (is_meant[number], is_found) = (true, true);
                }
            }
            unknown += usize::from(!is_found);
        }
        (is_meant, unknown)
    }
}

/// Those who are kept and not removed; all are kept where there is no list of whom to keep.
pub fn choose(table: &SampleTable, keep: Option<&SampleList>, remove: Option<&SampleList>) -> Chosen {
    let (kept, unknown_keep) = keep.map_or_else(|| (vec![true; table.len()], 0), |list| list.find(table));
    let (removed, unknown_remove) =
        remove.map_or_else(|| (vec![false; table.len()], 0), |list| list.find(table));
    let chosen = kept.iter().zip(removed).map(|(kept, removed)| *kept && !removed);
    let samples = (0..).zip(chosen).filter(|(_, is_chosen)| *is_chosen).map(|(number, _)| number).collect();
    Chosen { samples, unknown_keep, unknown_remove }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::Sample;
    use super::*;

    fn list(text: &[u8]) -> Result<SampleList, GenotypeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list");
        std::fs::write(&path, text).unwrap();
        let mut list = SampleList::default();
        list.add_file(&path).map(|()| list)
    }

    fn table() -> SampleTable {
        let mut table = SampleTable::default();
        for (family, individual) in [(Some("F1"), "a"), (None, "a"), (Some("F2"), "b"), (None, "c")] {
            let (family, individual) = (family.map(str::to_owned), individual.to_owned());
            table.push(Sample { family, individual, ..Sample::default() }).unwrap();
        }
        table
    }

    #[test]
    fn people_are_found_by_their_names() {
        // As plink2 has it, but for an IID alone, which there is a person without a family.
        let cases: [(&str, &[u32], usize); 9] = [
            ("a\nc\n", &[0, 1, 3], 0),
            ("F1 a\n", &[0], 0),
            ("0\ta\n", &[1], 0),
            ("a a\nF2 b\n", &[2], 1),
            ("#IID\nb\nnobody\n", &[2], 1),
            ("#FID IID\nF1 a\n", &[0], 0),
            ("#IID FID x\nb F2 1\nb F3 1\n", &[2], 1),
            ("F1 a 2 male\n\n", &[0], 0),
            ("", &[], 0),
        ];
        for (text, expected, unknown) in cases {
            let list = list(text.as_bytes()).unwrap();
            assert!(list.individuals().is_subset(&HashSet::from(["a", "b", "c", "nobody"])), "{text}");
            let chosen = choose(&table(), Some(&list), None);
            assert_eq!((&*chosen.samples, chosen.unknown_keep), (expected, unknown), "{text}");
            let rest: Vec<u32> = (0..4).filter(|number| !expected.contains(number)).collect();
            let chosen = choose(&table(), None, Some(&list));
            assert_eq!((chosen.samples, chosen.unknown_remove), (rest, unknown), "{text}");
        }
        let keep = list(b"a\nb\n").unwrap();
        assert_eq!(choose(&table(), Some(&keep), Some(&list(b"b\nc\n").unwrap())).samples, [0, 1]);
        assert!(
            list(b"#x y\na b\n").unwrap_err().to_string().ends_with("line 1: it names columns, but not IID")
        );
        assert!(list(b"#FID IID\na\n").unwrap_err().to_string().ends_with("line 2: it has too few columns"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = list(&bytes).map(|list| choose(&table(), Some(&list), Some(&list)));
        }
    }
}
