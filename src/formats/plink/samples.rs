//! Sample tables of PLINK: `.psam`, and `.fam`, which is one without a header.
//!
//! Source: "PSAM Format Specification" in pgen_spec of chrchang/plink-ng. Columns are separated by tabs or blanks.

use std::path::Path;

use crate::formats::genotypes::samples::{Sample, SampleSex, SampleTable};
use crate::formats::genotypes::{GenotypeError, GenotypeProblem};
use crate::formats::text;

/// Reads a `.psam` or `.fam` file: plain, gzip, BGZF or Zstandard.
///
/// # Errors
/// It cannot be read, its header or a line is broken, or a sample comes twice.
pub fn read(path: &Path) -> Result<SampleTable, GenotypeError> {
    read_inner(path).map_err(|problem| problem.of(path))
}

fn read_inner(path: &Path) -> Result<SampleTable, GenotypeProblem> {
    let mut input = text::open(path)?;
    let (mut table, mut columns, mut bytes, mut line) = (SampleTable::default(), None, Vec::new(), 0);
    while text::read_line(input.as_mut(), &mut bytes)? {
        line += 1;
        let wrong = |what: &str| GenotypeProblem::Line { line, what: what.to_owned() };
        let row = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8"))?;
        if let Some(header) = row.strip_prefix('#') {
            let is_last = header.starts_with("FID") || header.starts_with("IID");
            if columns.is_some() {
                return Err(wrong("a header line among or behind the samples"));
            }
            if is_last {
                columns = Some(Columns::of_header(header, &mut table).map_err(wrong)?);
            }
            continue;
        }
        let fields: Vec<&str> = row.split_ascii_whitespace().collect();
        if fields.is_empty() {
            continue;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None => columns.insert(Columns::of_fam(fields.len(), &mut table).map_err(wrong)?),
        };
        let sample = columns.sample(&fields).map_err(wrong)?;
        table.push(sample).map_err(wrong)?;
    }
    Ok(table)
}

/// Where the columns are.
#[derive(Default)]
struct Columns {
    count: usize,
    family: Option<usize>,
    individual: usize,
    source: Option<usize>,
    father: Option<usize>,
    mother: Option<usize>,
    sex: Option<usize>,
    phenotypes: Vec<usize>,
}

impl Columns {
    fn of_header(header: &str, table: &mut SampleTable) -> Result<Self, &'static str> {
        let names: Vec<&str> = header.split_ascii_whitespace().collect();
        let mut columns = Self { count: names.len(), ..Self::default() };
        let mut individual = None;
        for (place, name) in names.iter().enumerate() {
            if names.iter().take(place).any(|before| before == name) {
                return Err("a column comes twice");
            }
            match *name {
                "FID" => columns.family = Some(place),
                "IID" => individual = Some(place),
                "SID" => columns.source = Some(place),
                "PAT" => columns.father = Some(place),
                "MAT" => columns.mother = Some(place),
                "SEX" => columns.sex = Some(place),
                name => {
                    columns.phenotypes.push(place);
                    table.phenotypes.push(name.to_owned());
                }
            }
        }
        columns.individual = individual.ok_or("the header has no column IID")?;
        table.has_families = columns.family.is_some();
        table.has_sources = columns.source.is_some();
        Ok(columns)
    }

    fn of_fam(count: usize, table: &mut SampleTable) -> Result<Self, &'static str> {
        if count < 5 {
            return Err("expected at least five columns (FID, IID, father, mother, sex), or a header");
        }
        table.has_families = true;
        let phenotypes = if count > 5 { vec![5] } else { Vec::new() };
        table.phenotypes.extend(phenotypes.iter().map(|_| "PHENO1".to_owned()));
        let place = Some;
        Ok(Self {
            count: count.min(6),
            family: place(0),
            individual: 1,
            source: None,
            father: place(2),
            mother: place(3),
            sex: place(4),
            phenotypes,
        })
    }

    fn sample(&self, fields: &[&str]) -> Result<Sample, &'static str> {
        if fields.len() < self.count {
            return Err("fewer columns than the header or the first line has");
        }
        let field = |place: usize| fields.get(place).copied().unwrap_or_default();
        let known = |place: Option<usize>| {
            place.map(field).filter(|value| !matches!(*value, "0" | "")).map(str::to_owned)
        };
        Ok(Sample {
            family: known(self.family),
            individual: field(self.individual).to_owned(),
            source: known(self.source),
            father: known(self.father),
            mother: known(self.mother),
            sex: self.sex.map(field).and_then(SampleSex::of),
            phenotypes: self.phenotypes.iter().map(|place| field(*place).to_owned()).collect(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(text: impl AsRef<[u8]>) -> Result<SampleTable, GenotypeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.psam");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn tables_with_and_without_header_are_read() {
        let fam = table("f1 a 0 0 1 -9\nf1\tb  a c\t2\t1.5 more\n\n").unwrap();
        assert_eq!(fam.phenotypes, ["PHENO1"]);
        let expected = Sample {
            family: Some("f1".into()),
            individual: "b".into(),
            source: None,
            father: Some("a".into()),
            mother: Some("c".into()),
            sex: Some(SampleSex::Female),
            phenotypes: vec!["1.5".into()],
        };
        assert_eq!((fam.len(), &fam.as_slice()[1]), (2, &expected));
        assert!(table("f a 0 0 0\n").unwrap().phenotypes.is_empty());

        let psam =
            table("##x\n#IID\tSID\tSEX\theight\tPopulation\r\n7\t0\tNA\t1\tCEU\r\n7\ts\tm\t2\tYRI\r\n")
                .unwrap();
        assert_eq!((psam.phenotypes.len(), psam.has_families), (2, false));
        let last = &psam.as_slice()[1];
        assert_eq!(
            (last.family.as_ref(), last.source.as_deref(), last.sex),
            (None, Some("s"), Some(SampleSex::Male))
        );
        assert_eq!(last.phenotypes, ["2", "YRI"]);
    }

    #[test]
    fn broken_tables_are_told_with_the_line() {
        for (text, line) in [
            ("f a 0 0\n", 1),
            ("#FID SEX\na 1\n", 1),
            ("#IID SEX SEX\n", 1),
            ("#IID SEX\na 1\nb\n", 3),
            ("#IID SEX\na 1\na 2\n", 3),
            ("#IID\n0\n", 2),
            ("#IID\na\n#IID\n", 3),
            ("#IID\n\u{e9}\n", 0),
        ] {
            match table(text) {
                Err(GenotypeError { source: GenotypeProblem::Line { line: found, .. }, .. }) => {
                    assert_eq!(found, line, "{text:?}");
                }
                other => assert!(line == 0 && other.is_ok(), "{text:?}"),
            }
        }
        assert!(table(b"#IID\n\xff\n").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..99), text in "(#[FI]ID)?[a0 \t\n#SEXID]{0,60}") {
            let _ = table(bytes);
            let _ = table(text);
        }
    }
}
