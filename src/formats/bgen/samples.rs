//! Oxford's `.sample` files: names and covariates of the samples of a BGEN file that does not name them itself.
//!
//! Source: the `.sample` format as SNPTEST, QCTOOL and PLINK 2 describe it: a line of names, a line of types, a line a
//! sample, blanks or tabs between columns. The first column is a name (`ID_1`, taken as family where a second one, `ID_2`,
//! follows); `missing` is passed over; `sex` is 1 or M, 2 or F.

use std::path::Path;

use crate::formats::genotypes::samples::{Sample, SampleSex, SampleTable};
use crate::formats::genotypes::{GenotypeError, GenotypeProblem};
use crate::formats::text;

/// Reads a `.sample` file: plain, gzip, BGZF or Zstandard.
///
/// # Errors
/// It cannot be read, its header or a line is broken, or a sample comes twice.
pub fn read(path: &Path) -> Result<SampleTable, GenotypeError> {
    read_inner(path).map_err(|problem| problem.of(path))
}

fn read_inner(path: &Path) -> Result<SampleTable, GenotypeProblem> {
    let mut input = text::open(path)?;
    let (mut table, mut names, mut has_types, mut bytes) =
        (SampleTable::default(), Vec::new(), false, Vec::new());
    let mut line = 0;
    while text::read_line(input.as_mut(), &mut bytes)? {
        line += 1;
        let wrong = |what: &str| GenotypeProblem::Line { line, what: what.to_owned() };
        let row = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8"))?;
        let fields: Vec<&str> = row.split_ascii_whitespace().collect();
        if fields.is_empty() {
            continue;
        }
        if names.is_empty() {
            names = fields.iter().map(|name| (*name).to_owned()).collect();
            table.has_families = is_named(&names, 1, "ID_2");
            let other = names.iter().filter(|name| !is_own(name));
            table.phenotypes.extend(other.cloned());
        } else if fields.len() != names.len() {
            return Err(wrong("it has not as many columns as the first line"));
        } else if !has_types {
            if !fields.iter().all(|kind| matches!(*kind, "0" | "D" | "C" | "P" | "B")) {
                return Err(wrong("expected the types of the columns (0, D, C, P or B)"));
            }
            has_types = true;
        } else {
            table.push(sample(&names, &fields)).map_err(wrong)?;
        }
    }
    Ok(table)
}

fn sample(names: &[String], fields: &[&str]) -> Sample {
    let mut sample = Sample::default();
    for (place, (name, field)) in names.iter().zip(fields).enumerate() {
        match name.as_str() {
            _ if place == 0 => sample.individual = (*field).to_owned(),
            "ID_2" if place == 1 => {
                let family = std::mem::replace(&mut sample.individual, (*field).to_owned());
                sample.family = Some(family).filter(|family| family != "0");
            }
            "sex" => sample.sex = SampleSex::of(field),
            name if is_own(name) => {}
            _ => sample.phenotypes.push((*field).to_owned()),
        }
    }
    sample
}

fn is_named(names: &[String], place: usize, name: &str) -> bool {
    names.get(place).is_some_and(|found| found == name)
}

/// Whether a column is the format's own.
fn is_own(name: &str) -> bool {
    matches!(name, "ID" | "ID_1" | "ID_2" | "missing" | "sex")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(text: impl AsRef<[u8]>) -> Result<SampleTable, GenotypeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sample");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn both_kinds_are_read() {
        let first = table("ID_1 ID_2 missing sex bmi\n0 0 0 D P\nf a 0.1 1 20\n0 b NA NA 30\n").unwrap();
        assert_eq!(
            (first.len(), first.has_families, &first.phenotypes[..]),
            (2, true, &["bmi".to_owned()][..])
        );
        let [a, b] = first.as_slice() else { panic!("two samples") };
        assert_eq!(
            (a.family.as_deref(), a.individual.as_str(), a.sex),
            (Some("f"), "a", Some(SampleSex::Male))
        );
        assert_eq!((b.family.as_deref(), b.sex, &b.phenotypes[..]), (None, None, &["30".to_owned()][..]));
        let second = table("ID\tsex\r\n0\tD\r\na\tF\r\n").unwrap();
        assert_eq!((second.has_families, second.as_slice()[0].sex), (false, Some(SampleSex::Female)));
    }

    #[test]
    fn broken_ones_are_told_with_the_line() {
        for (text, line) in [
            ("ID_1 ID_2\n0 0\na a\nb\n", 4),
            ("ID_1 ID_2\na a\n", 2),
            ("ID\n0\na\na\n", 4),
            ("ID\n0\n0\n", 3),
        ] {
            let error = table(text).unwrap_err();
            assert!(
                matches!(error.source, GenotypeProblem::Line { line: found, .. } if found == line),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..99), text in "[ID_12 0\nsexa]{0,60}") {
            let _ = table(bytes);
            let _ = table(text);
        }
    }
}
