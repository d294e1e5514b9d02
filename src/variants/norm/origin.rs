//! What a record was before: its place in the input, and the INFO tag that tells it (`--old-rec-tag`).

use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::{Column, Record};
use crate::records::pipeline::RecordProblem;

/// The tag that tells what a changed record was: `CHROM|POS|REF|ALT`, and of a split one `|` and the allele's number.
#[derive(Clone, Debug)]
pub struct OriginTag(Vec<u8>);

impl OriginTag {
    /// A tag of this name.
    pub fn new(name: &str) -> Self {
        Self(name.as_bytes().to_vec())
    }

    /// Declares the tag where it is not declared yet.
    pub fn declare(&self, header: &mut Header) {
        if header.info(&self.0).is_none() {
            header.add(&format!(
                "##INFO=<ID={},Number=1,Type=String,Description=\"Original variant. Format: CHR|POS|REF|ALT|USED_ALT_IDX\">",
                String::from_utf8_lossy(&self.0)
            ));
        }
    }

    /// Whether an earlier step has set it; then it stays.
    pub fn is_set(&self, record: &Record) -> bool {
        record.info(&self.0).is_some()
    }

    /// Sets it, unless an earlier step has.
    pub fn set(&self, record: &mut Record, text: &str) {
        if !self.is_set(record) {
            record.set_info(&self.0, Some(text.as_bytes()));
        }
    }
}

/// `CHROM|POS|REF|ALT` of a record.
pub fn describe(record: &Record) -> String {
    let text = |column| String::from_utf8_lossy(record.column(column));
    let alt = text(Column::Alt);
    let alt = if alt == "." { "" } else { &alt };
    format!("{}|{}|{}|{alt}", text(Column::Chrom), record.position() + 1, text(Column::Ref))
}

/// A record made of a line, in the place of another.
///
/// # Errors
/// The line is too long.
pub fn reread(record: &Record, line: &[u8]) -> Result<Record, RecordProblem> {
    let mut made = Record::parse(line).map_err(|error| RecordProblem::at(record, error.to_string()))?;
    made.set_origin(record.origin());
    Ok(made)
}
