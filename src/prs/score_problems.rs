//! What may be wrong with scoring files, and where.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::score_variants::TooMany;

/// Why a scoring file is refused.
#[derive(Debug, Error)]
#[error("{path}: {source}", path = path.display())]
pub struct ScoringFileError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: ScoringProblem,
}

/// What is wrong with a scoring file.
#[derive(Debug, Error)]
pub enum ScoringProblem {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// There is no row.
    #[error("it has no variants")]
    Empty,
    /// A column is missing without which there is no score.
    #[error("there is no column {0}")]
    NoColumn(String),
    /// A name stands for two columns.
    #[error("there are two columns {0}")]
    TwoColumns(String),
    /// Something in a row.
    #[error("line {line}: {source}")]
    Row {
        /// The line, from 1.
        line: u64,
        /// The cause.
        source: RowProblem,
    },
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RowProblem {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    Text,
    /// It has more or fewer cells than there are columns.
    #[error("it has {found} cells, not {expected}")]
    Cells {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// A weight that is no finite number.
    #[error("the weight {0:?} is no finite number")]
    Weight(String),
    /// A weight by dosage without the others.
    #[error("it has weights for some of 0, 1 and 2 copies only")]
    Dosages,
    /// A position that is no whole number below 2^32.
    #[error("the position {0:?} is no whole number of bases")]
    Position(String),
    /// A flag that is neither true nor false.
    #[error("{column} is {value:?}, neither true nor false")]
    Flag {
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// The flags of effect types contradict one another, or a type has no such name.
    #[error("unknown effect type: {0}")]
    EffectType(String),
    /// There is no effect allele.
    #[error("it has no effect allele")]
    NoAllele,
    /// More than can be numbered.
    #[error("{0}")]
    TooMany(#[from] TooMany),
}

/// Why files cannot be used together.
#[derive(Debug, Error)]
pub enum ScoringSetError {
    /// One is refused.
    #[error("{0}")]
    File(#[from] ScoringFileError),
    /// Two scores have one name.
    #[error("the score {name} is in {first} and in {second}", first = first.display(), second = second.display())]
    Twice {
        /// The score.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}
