//! Variant tables of PLINK: `.pvar`, sites of a VCF, and `.bim`, which is one without a header.
//!
//! Source: "PVAR Format Specification" in pgen_spec of chrchang/plink-ng. Columns are separated by tabs or blanks.

use std::path::Path;

use crate::formats::genotypes::sites::SiteTable;
use crate::formats::genotypes::{GenotypeError, GenotypeProblem};
use crate::formats::text;

/// Reads a `.pvar` or `.bim` file, or a VCF's sites: plain, gzip, BGZF or Zstandard.
///
/// # Errors
/// It cannot be read, or its header or a line is broken.
pub fn read(path: &Path) -> Result<SiteTable, GenotypeError> {
    let mut table = SiteTable::default();
    for_each(path, &mut |contig, position, id, reference, alternates| {
        table.push(contig, position, id, reference, alternates)
    })?;
    Ok(table)
}

/// Takes a variant: contig, position, identifier, reference and alternates with commas between. What is wrong with it is
/// told with its line.
pub type TakeSite<'t> = dyn FnMut(&str, i32, &str, &str, &str) -> Result<(), &'static str> + 't;

/// Reads a table as [`read`] does, variant by variant.
///
/// # Errors
/// As for [`read`], or a variant is not taken.
pub fn for_each(path: &Path, take: &mut TakeSite<'_>) -> Result<(), GenotypeError> {
    for_each_inner(path, take).map_err(|problem| problem.of(path))
}

fn for_each_inner(path: &Path, take: &mut TakeSite<'_>) -> Result<(), GenotypeProblem> {
    let mut input = text::open(path)?;
    let (mut columns, mut bytes, mut line) = (None, Vec::new(), 0);
    while text::read_line(input.as_mut(), &mut bytes)? {
        line += 1;
        let wrong = |what: &str| GenotypeProblem::Line { line, what: what.to_owned() };
        let row = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8"))?;
        if row.starts_with('#') {
            if columns.is_some() {
                return Err(wrong("a header line among or behind the variants"));
            }
            if let Some(header) = row.strip_prefix('#').filter(|header| header.starts_with("CHROM")) {
                columns = Some(Columns::of_header(header).map_err(wrong)?);
            }
            continue;
        }
        if row.trim_ascii().is_empty() {
            continue;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None => columns.insert(Columns::of_bim(row).map_err(wrong)?),
        };
        columns.take(row, take).map_err(wrong)?;
    }
    Ok(())
}

/// Where the columns are.
struct Columns {
    position: usize,
    id: usize,
    reference: usize,
    alternates: usize,
    /// How many are needed.
    count: usize,
}

impl Columns {
    fn of_header(header: &str) -> Result<Self, &'static str> {
        let names: Vec<&str> = header.split_ascii_whitespace().take_while(|name| *name != "FORMAT").collect();
        let place = |wanted: &str| names.iter().position(|name| *name == wanted);
        let found = (place("POS"), place("ID"), place("REF"), place("ALT"));
        let (Some(position), Some(id), Some(reference), Some(alternates)) = found else {
            return Err("the header lacks one of the columns POS, ID, REF and ALT");
        };
        if names.first() != Some(&"CHROM") {
            return Err("the first column of the header is not CHROM");
        }
        Ok(Self::new(position, id, reference, alternates))
    }

    fn of_bim(row: &str) -> Result<Self, &'static str> {
        match row.split_ascii_whitespace().take(6).count() {
            6 => Ok(Self::new(3, 1, 5, 4)),
            5 => Ok(Self::new(2, 1, 4, 3)),
            _ => Err(
                "expected at least five columns (contig, id, position, alternate, reference), or a header",
            ),
        }
    }

    fn new(position: usize, id: usize, reference: usize, alternates: usize) -> Self {
        let count = position.max(id).max(reference).max(alternates) + 1;
        Self { position, id, reference, alternates, count }
    }

    fn take(&self, row: &str, take: &mut TakeSite<'_>) -> Result<(), &'static str> {
        let mut fields = [""; MOST_COLUMNS];
        let mut count = 0;
        // Of a VCF's genotypes nothing is looked at.
        let wanted = self.count.min(MOST_COLUMNS);
        for (place, field) in fields.iter_mut().zip(row.split_ascii_whitespace().take(wanted)) {
            *place = field;
            count += 1;
        }
        if count < self.count {
            return Err("fewer columns than the header or the first line has");
        }
        let position = fields[self.position].parse().map_err(|_| "the position is no number")?;
        take(fields[0], position, fields[self.id], fields[self.reference], fields[self.alternates])
    }
}

/// More than the format knows.
const MOST_COLUMNS: usize = 16;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(text: impl AsRef<[u8]>) -> Result<Vec<String>, GenotypeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.pvar");
        std::fs::write(&path, text).unwrap();
        let table = read(&path)?;
        let rows = table.iter().map(|site| {
            let alternates: Vec<_> = site.alternates().collect();
            format!(
                "{} {} {} {} {}",
                site.contig,
                site.position,
                site.id,
                site.reference,
                alternates.join("|")
            )
        });
        Ok(rows.collect())
    }

    #[test]
    fn tables_of_every_kind_are_read() {
        let expected = ["1 5 rs1 A C", "X 9 . GT G|<DEL>"];
        for text in [
            "1 rs1 0 5 C A\nX\t.\t0.5\t9\tG,<DEL>\tGT\textra\n\n",
            "1 rs1 5 C A\nX . 9  G,<DEL> GT\r\n",
            "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n1\t5\trs1\tA\tC\nX\t9\t.\tGT\tG,<DEL>\n",
            "#CHROM ID REF ALT POS\n1 rs1 A C 5\nX . GT G,<DEL> 9\n",
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tID\n1\t5\trs1\tA\tC\t.\t.\t.\tGT\t0/1\n\
             X\t9\t.\tGT\tG,<DEL>\t.\t.\t.\tGT\t1/2\n",
        ] {
            assert_eq!(table(text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(table("1 rs1 0 -5 0 A\n").unwrap(), ["1 -5 rs1 A 0"]);
    }

    #[test]
    fn broken_tables_are_told_with_the_line() {
        for (text, line) in [
            ("1 2 3 4\n", 1),
            ("#CHROM POS ID REF\n", 1),
            ("#CHROMOSOME POS ID REF ALT\n", 1),
            ("#CHROM POS ID REF ALT\n1 5 . A\n", 2),
            ("1 . 0 1 C A\n1 . 0 x C A\n", 2),
            ("1 . 0 1 C A\n1 . 0 99999999999 C A\n", 2),
            ("1 . 0 1 C A\n#CHROM\n", 2),
        ] {
            let error = table(text).unwrap_err();
            assert!(
                matches!(error.source, GenotypeProblem::Line { line: found, .. } if found == line),
                "{text:?}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..99),
            text in "(#CHROM( POS| ID| REF| ALT| CM){0,40}\n)?[a0 \t\n#,-]{0,60}",
        ) {
            let _ = table(bytes);
            let _ = table(text);
        }
    }
}
