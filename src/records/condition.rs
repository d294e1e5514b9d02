//! Conditions on records: `-i` and `-e`.

use std::cell::RefCell;

use super::expression::{Expression, Scratch};
use super::pipeline::{RecordProblem, Revise};
use crate::formats::vcf::record::Record;

/// A choice between what has something and what has it not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Only those.
    Include,
    /// All but those.
    Exclude,
}

impl Choice {
    /// Whether it takes what has it, or has it not.
    pub fn takes(self, has_it: bool) -> bool {
        (self == Self::Include) == has_it
    }
}

/// A condition on sites, and on samples where it speaks of them.
#[derive(Debug)]
pub struct Condition {
    expression: Expression,
    /// Whether what it is true of passes (`-i`) or fails (`-e`).
    choice: Choice,
}

/// What a condition says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the site passes.
    pub site: bool,
    /// For each sample whether the expression is true of it; `None` where it speaks of the site alone.
    pub samples: Option<Vec<bool>>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

impl Condition {
    /// Passes what the expression is true of, or all else.
    pub fn new(expression: Expression, choice: Choice) -> Self {
        Self { expression, choice }
    }

    /// The expression.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// Whether it is `-i` or `-e`.
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// Whether a site passes.
    ///
    /// # Errors
    /// The record does not fit the expression.
    pub fn passes(&self, record: &Record) -> Result<bool, RecordProblem> {
        SCRATCH.with_borrow_mut(|scratch| {
            let is_true = self.expression.passes(record, scratch)?;
            Ok(is_true == (self.choice == Choice::Include))
        })
    }

    /// Whether a site passes, and of which samples the expression is true.
    ///
    /// # Errors
    /// As [`Self::passes`].
    pub fn test(&self, record: &Record) -> Result<Outcome, RecordProblem> {
        SCRATCH.with_borrow_mut(|scratch| {
            let verdict = self.expression.test(record, scratch)?;
            let site = verdict.site == (self.choice == Choice::Include);
            Ok(Outcome { site, samples: verdict.samples.map(<[bool]>::to_vec) })
        })
    }
}

/// Records that a condition passes, and no others.
pub struct Keep(pub Condition);

impl Revise for Keep {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        self.0.passes(record)
    }
}
