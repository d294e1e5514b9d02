//! IDs made of other columns: `bcftools annotate --set-id`.

use super::query::{Query, QueryError, QueryOptions};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::{Column, Record};
use crate::records::expression::Scratch;
use crate::records::pipeline::{RecordProblem, Revise};

/// Sets ID.
pub struct SetId {
    query: Query,
    /// Only where it is missing.
    only_missing: bool,
}

impl SetId {
    /// From a format of `query`'s (`%CHROM\_%POS`); a `+` in front sets only what is missing.
    ///
    /// # Errors
    /// The format cannot be read, or names what the header does not declare.
    pub fn new(format: &str, header: &Header) -> Result<Self, QueryError> {
        let (only_missing, format) = format.strip_prefix('+').map_or((false, format), |rest| (true, rest));
        let options = QueryOptions { leaves_line_open: true, ..QueryOptions::default() };
        let query = Query::compile(format, header, Vec::new(), &options)?;
        Ok(Self { query, only_missing })
    }
}

impl Revise for SetId {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        if !self.only_missing || record.column(Column::Id) == b"." {
            let mut id = Vec::new();
            self.query.print(record, None, &mut Scratch::default(), &mut id)?;
            // What would end the column stands for itself no more.
            id.iter_mut().filter(|byte| byte.is_ascii_whitespace()).for_each(|byte| *byte = b'_');
            record.set_column(Column::Id, if id.is_empty() { b"." } else { &id });
        }
        Ok(true)
    }
}
