//! bcftools' filter expressions (`-i`, `-e`): compiled once against a header, then tested on records by many threads.
//!
//! ```
//! use norn::formats::vcf::{header::Header, record::Record};
//! use norn::records::expression::{Expression, Scratch};
//!
//! let header = b"##fileformat=VCFv4.2\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"\">\n\
//!                #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
//! let header = Header::parse(header)?;
//! let expression = Expression::compile("INFO/DP<10 || QUAL<30", &header)?;
//! let record = Record::parse(b"chr1\t100\t.\tA\tC\t50\tPASS\tDP=9")?;
//! assert!(expression.passes(&record, &mut Scratch::default())?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Only the columns and tags that an expression names are decoded, the cheap ones first, and those that no longer matter
//! not at all. The language is that of bcftools 1.24, with its surprises:
//!
//! - Operators of one precedence bind from the right: `10-5-2` is 7.
//! - Columns may be cut short: `Q` is QUAL, `F` is FILTER, `N` is N_ALT; a tag of such a name needs `INFO/`.
//! - Regular expressions are POSIX basic ones: `a|b` looks for the three signs, `a\|b` for one of two.
//! - Texts are compared in their case, whatever the manual says; `~ "x/i"` is not.
//! - `!~` holds for every text that is not `.`; with ID it is `~`. (FILTER, TYPE: as one expects.)
//! - A comma in a text stands between alternatives.
//! - A missing integer in an INFO list (`AC=.`, Number=A) is the number -2147483648, so `AC<5` holds and `AC="."` does not;
//!   picked by a subscript (`AC[0]`) it is -128. A missing real picked by a subscript is equal to nothing.
//! - A subscript of an INFO list of one value gives that value, whatever the number.
//! - An INFO number without a value, or with several where one is declared, is 0.
//! - AC and AF, where the header does not declare them, are those of all alternate alleles, whatever the subscript; MAC and
//!   MAF are of the rarest allele that is there, the reference among them.
//! - `STRLEN` of a FORMAT tag is the first sample's.
//! - A value or a function by itself never passes: `-i DP` selects nothing.
//!
//! Where bcftools reads memory that is not the record's (a subscript past a list's end, `sMAX` of a tag that a record does
//! not have, a remainder of 0), the value here is missing.

mod compare;
mod error;
mod evaluator;
mod explain;
mod fields;
mod function;
mod genotype;
mod infos;
mod lexer;
mod operand;
mod parser;
mod pattern;
mod plan;
mod slot;
mod statistics;
mod subscript;
mod summary;
mod tests_of_counts;

pub use error::{ExpressionError, Problem};
pub use slot::is_absent;
pub use statistics::binomial;

use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::RecordProblem;
use evaluator::State;
use infos::Infos;
use plan::Step;
use slot::Slot;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    /// Each after those whose values it takes; the last is the whole.
    steps: Vec<Step>,
    /// How many samples the header has.
    samples: usize,
    /// The INFO tags that it names.
    infos: Vec<Vec<u8>>,
}

/// Buffers of a thread, used again for every record.
#[derive(Debug, Default)]
pub struct Scratch {
    slots: Vec<Slot>,
    infos: Infos,
}

/// What an expression says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict<'s> {
    /// The site passes.
    pub site: bool,
    /// For each sample whether it passes; `None` where the expression speaks of the site alone.
    pub samples: Option<&'s [bool]>,
}

/// The values of an expression that is no comparison, such as `MAX(DP)`.
#[derive(Clone, Copy, Debug)]
pub struct Values<'s> {
    /// Of the site, or `width` of each sample; none where it has no value. See [`is_absent`].
    pub values: &'s [f64],
    /// So many of each sample.
    pub width: usize,
}

impl Expression {
    /// Compiles an expression: tags are looked up, files read, patterns compiled.
    ///
    /// # Errors
    /// It cannot be read, names what the header does not declare, or mixes types; the error tells the place in the text.
    pub fn compile(text: &str, header: &Header) -> Result<Self, ExpressionError> {
        let mut steps = plan::plan(text, parser::parse(text, header)?, header)?;
        let mut infos: Vec<Vec<u8>> = Vec::new();
        for step in &mut steps {
            let Some((tag, place)) = step.info_tag() else { continue };
            *place = infos.iter().position(|known| known == tag).unwrap_or_else(|| {
                infos.push(tag.clone());
                infos.len() - 1
            });
        }
        Ok(Self { steps, samples: header.samples().len(), infos })
    }

    /// The INFO tags that it names.
    pub fn info_tags(&self) -> &[Vec<u8>] {
        &self.infos
    }

    /// Whether the expression names FORMAT tags, so that samples pass one by one.
    pub fn has_samples(&self) -> bool {
        self.steps.last().is_some_and(|step| step.samples.is_some())
    }

    /// Whether any part of it reads the samples' columns.
    pub fn reads_samples(&self) -> bool {
        self.steps.iter().any(Step::reads_samples)
    }

    /// Whether the site passes, and which samples.
    ///
    /// # Errors
    /// The record has not as many samples as the header, lists of different lengths are compared, or a genotype names no
    /// allele.
    pub fn test<'s>(&self, record: &Record, scratch: &'s mut Scratch) -> Result<Verdict<'s>, RecordProblem> {
        let root = self.run(record, scratch, true)?;
        let samples = self.has_samples().then_some(&root.pass[..]);
        Ok(Verdict { site: root.site, samples })
    }

    /// Whether the site passes; samples are looked at only as far as that depends on them.
    ///
    /// # Errors
    /// As [`Self::test`].
    pub fn passes(&self, record: &Record, scratch: &mut Scratch) -> Result<bool, RecordProblem> {
        Ok(self.run(record, scratch, false)?.site)
    }

    /// The values of a record.
    ///
    /// # Errors
    /// As [`Self::test`].
    pub fn values<'s>(&self, record: &Record, scratch: &'s mut Scratch) -> Result<Values<'s>, RecordProblem> {
        let root = self.run(record, scratch, true)?;
        Ok(Values { values: &root.values, width: root.width })
    }

    /// The tree of steps with their scopes, for people (`--explain-filter`).
    pub fn explain(&self) -> String {
        explain::tree(&self.steps)
    }

    fn run<'s>(
        &self,
        record: &Record,
        scratch: &'s mut Scratch,
        wants_samples: bool,
    ) -> Result<&'s Slot, RecordProblem> {
        let count = self.steps.len();
        if scratch.slots.len() < count {
            scratch.slots.resize_with(count, Slot::default);
        }
        let root = count - 1;
        scratch.infos.forget();
        let state = State { slots: &mut scratch.slots[..count], infos: &mut scratch.infos };
        evaluator::run(self, record, state, root, wants_samples)?;
        let slot = &mut scratch.slots[root];
        if let (Some(samples), true) = (&self.steps[root].samples, slot.pass.is_empty()) {
            slot.pass.resize(samples.len(), false);
        }
        Ok(slot)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
