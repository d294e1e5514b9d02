//! Contigs under other names: `chr1` for `1`, by a rule or a table.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::formats::text;
use crate::formats::vcf::header::{Header, MetaLine};
use crate::formats::vcf::record::{Column, Record};
use crate::genome::contigs::ContigRole;
use crate::records::pipeline::{RecordProblem, Revise};

/// How contigs are renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rename {
    /// `1` becomes `chr1`, MT `chrM`; only chromosomes, and not those that have it.
    AddChr,
    /// `chr1` becomes `1`, chrM `MT`.
    StripChr,
    /// Old names and new ones.
    Table(FxHashMap<String, String>),
}

/// Why a table could not be read.
#[derive(Debug, Error)]
pub enum RenameError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A line.
    #[error("{path}, line {line}: expected an old and a new name")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
    },
    /// Two contigs would have one name.
    #[error("the contigs {0} and {1} would both be {2}")]
    Same(String, String, String),
}

impl Rename {
    /// Reads a table: an old and a new name in each line.
    ///
    /// # Errors
    /// The file cannot be read, or a line has not two names.
    pub fn read(path: &Path) -> Result<Self, RenameError> {
        let name = path.display().to_string();
        let failed = |source| RenameError::Io { path: name.clone(), source };
        let mut reader = text::open(path).map_err(failed)?;
        let (mut line, mut number, mut table) = (Vec::new(), 0, FxHashMap::default());
        while text::read_line(&mut *reader, &mut line).map_err(failed)? {
            number += 1;
            let text = String::from_utf8_lossy(&line);
            let mut words = text.split_ascii_whitespace();
            match (words.next(), words.next()) {
                (None, _) => {}
                (Some(old), Some(new)) => drop(table.insert(old.to_owned(), new.to_owned())),
                (Some(_), None) => return Err(RenameError::Line { path: name, line: number }),
            }
        }
        Ok(Self::Table(table))
    }

    /// The new name, where there is one.
    pub fn new_name(&self, old: &str) -> Option<String> {
        let is_chromosome = !matches!(ContigRole::of(old), ContigRole::Other);
        match self {
            Self::AddChr if is_chromosome && !old.starts_with("chr") => {
                Some(if old == "MT" { "chrM".to_owned() } else { format!("chr{old}") })
            }
            Self::StripChr if is_chromosome => {
                let stripped = old.strip_prefix("chr")?;
                Some(if stripped == "M" { "MT".to_owned() } else { stripped.to_owned() })
            }
            Self::Table(table) => table.get(old).cloned(),
            _ => None,
        }
    }
}

/// Renames contigs in records.
pub struct RenameContigs {
    rename: Rename,
    /// What the header's contigs become.
    names: Arc<FxHashMap<Vec<u8>, Vec<u8>>>,
}

impl RenameContigs {
    /// A step, and the header with the new names.
    ///
    /// # Errors
    /// Two contigs would have one name.
    pub fn new(rename: Rename, header: &Header) -> Result<(Self, Header), RenameError> {
        let mut taken: FxHashMap<String, String> = FxHashMap::default();
        let mut names = FxHashMap::default();
        for (old, _) in header.contigs() {
            let new = rename.new_name(old);
            let becomes = new.clone().unwrap_or_else(|| old.clone());
            if let Some(other) = taken.insert(becomes.clone(), old.clone()) {
                return Err(RenameError::Same(other, old.clone(), becomes));
            }
            if let Some(new) = new {
                names.insert(old.as_bytes().to_vec(), new.into_bytes());
            }
        }
        let mut made = header.clone();
        made.map_lines(|line| renamed(line, &names));
        Ok((Self { rename, names: Arc::new(names) }, made))
    }
}

/// A contig's line with its new name.
fn renamed(line: &MetaLine, names: &FxHashMap<Vec<u8>, Vec<u8>>) -> Option<String> {
    let old = line.get("ID").filter(|_| line.key() == "contig")?;
    let new = String::from_utf8_lossy(names.get(old.as_bytes())?);
    let text = String::from_utf8_lossy(line.as_bytes());
    Some(text.replacen(&format!("ID={old}"), &format!("ID={new}"), 1))
}

impl Revise for RenameContigs {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let new = match self.names.get(record.chrom()) {
            Some(new) => Some(new.clone()),
            // A contig that the header does not have.
            None => self.rename.new_name(&String::from_utf8_lossy(record.chrom())).map(String::into_bytes),
        };
        if let Some(new) = new {
            record.set_column(Column::Chrom, &new);
        }
        Ok(true)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn chromosomes_are_renamed_and_others_are_not() {
        for (rename, old, new) in [
            (Rename::AddChr, "1", Some("chr1")),
            (Rename::AddChr, "MT", Some("chrM")),
            (Rename::AddChr, "chr1", None),
            (Rename::AddChr, "GL000191.1", None),
            (Rename::StripChr, "chrX", Some("X")),
            (Rename::StripChr, "chrM", Some("MT")),
            (Rename::StripChr, "chr1_gl000191_random", None),
            (Rename::StripChr, "X", None),
        ] {
            assert_eq!(rename.new_name(old).as_deref(), new, "{rename:?} {old}");
        }
    }

    #[test]
    fn header_and_records_follow() {
        let header = Header::parse(
            b"##fileformat=VCFv4.2\n##contig=<ID=1,length=9>\n##contig=<ID=X>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
        )
        .unwrap();
        let (step, made) = RenameContigs::new(Rename::AddChr, &header).unwrap();
        assert_eq!(made.contigs(), [("chr1".to_owned(), Some(9)), ("chrX".to_owned(), None)]);
        let mut out = Vec::new();
        for contig in ["1", "2", "other"] {
            let mut record = Record::parse(format!("{contig}\t5\t.\tA\tC\t.\t.\t.").as_bytes()).unwrap();
            assert!(step.revise(&mut record).unwrap());
            out.push(record);
        }
        let names: Vec<_> =
            out.iter().map(|record| String::from_utf8_lossy(record.chrom()).into_owned()).collect();
        assert_eq!(names, ["chr1", "chr2", "other"]);
        let table = Rename::Table([("1".to_owned(), "X".to_owned())].into_iter().collect());
        assert!(matches!(RenameContigs::new(table, &header), Err(RenameError::Same(..))));
    }
}
