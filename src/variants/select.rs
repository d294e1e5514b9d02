//! Sites by an expression, and samples by their names.

use std::cell::RefCell;

use super::expression::{Expression, Scratch};
use super::pipeline::{Each, RecordProblem};
use crate::formats::vcf::record::Record;

thread_local! {
    /// Buffers of expressions, one set a thread; what they hold does not outlive a call.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Keeps the sites that pass an expression (`-i`), or those that do not (`-e`).
pub struct SelectSites {
    /// The expression.
    pub expression: Expression,
    /// Keeps those that do not pass.
    pub excludes: bool,
}

impl Each for SelectSites {
    fn apply(&self, record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        let passes = SCRATCH.with_borrow_mut(|scratch| self.expression.passes(&record, scratch))?;
        if passes != self.excludes {
            out.push(record);
        }
        Ok(())
    }
}

/// Keeps these samples, in this order.
pub struct SelectSamples(pub Vec<usize>);

impl Each for SelectSamples {
    fn apply(&self, mut record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        record.select_samples(&self.0);
        out.push(record);
        Ok(())
    }
}
