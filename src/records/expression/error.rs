//! Why an expression is refused: what, and where in its text.

use thiserror::Error;

/// An expression that cannot be compiled.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expression {text:?}, column {column}: {problem}")]
pub struct ExpressionError {
    /// The expression.
    pub text: String,
    /// Where, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

impl ExpressionError {
    /// A problem at a byte of the text.
    pub(super) fn new(text: &str, at: usize, problem: Problem) -> Self {
        Self { text: text.to_owned(), column: at + 1, problem }
    }
}

/// What is wrong with an expression.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Problem {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// No token.
    #[error("this cannot be read")]
    Syntax,
    /// A quote that does not close.
    #[error("the quote is not closed")]
    Quote,
    /// A bracket without its other one.
    #[error("the brackets do not match")]
    Brackets,
    /// An operator or function without operands.
    #[error("{0} lacks an operand")]
    Operand(&'static str),
    /// Two operands with nothing between them.
    #[error("an operator is missing before this")]
    Operator,
    /// Perl.
    #[error("perl expressions are not supported")]
    Perl,
    /// `{}`.
    #[error("values from outside ({{}}) are not available here")]
    External,
    /// A name that is neither a column nor declared.
    #[error("the tag {0:?} is not declared in the header")]
    Undeclared(String),
    /// Declared, but not there.
    #[error("the header declares no {0}")]
    NoSuch(String),
    /// Declared twice.
    #[error("{0} is both an INFO and a FORMAT tag: write INFO/{0} or FORMAT/{0}")]
    Ambiguous(String),
    /// A subscript.
    #[error("the subscript [{0}] {1}")]
    Subscript(String, &'static str),
    /// A file.
    #[error("cannot read {0}: {1}")]
    File(String, String),
    /// A sample.
    #[error("no sample {0:?} in the header")]
    Sample(String),
    /// A filter.
    #[error("the header declares no filter {0:?}")]
    Filter(String),
    /// A regular expression.
    #[error("the regular expression {0:?}: {1}")]
    Regex(String, String),
    /// A type of variant.
    #[error("no type of variant {0:?}: indel, snp, mnp, ref, bnd, other or overlap")]
    VariantType(String),
    /// Types that do not go together.
    #[error("{0}")]
    Types(String),
}
