//! Why phenotype files or terms could not be used.

use std::io;
use std::path::{Path, PathBuf};

use super::term::HpoTerm;

/// Why a file could not be used. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum PhenotypeError {
    /// The system failed, or compressed data are damaged.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A line is broken.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: Problem,
    },
    /// The file as a whole is not what it should be.
    #[error("{path}: {what}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: Problem,
    },
}

impl PhenotypeError {
    pub(super) fn at(path: &Path, line: u64, what: Problem) -> Self {
        Self::Line { path: path.to_owned(), line, what }
    }

    pub(super) fn of(path: &Path, what: Problem) -> Self {
        Self::File { path: path.to_owned(), what }
    }

    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Io { path: path.to_owned(), source }
    }
}

/// What is wrong with a line or a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    Text,
    /// No identifier of an HPO term.
    #[error("{0:?} is no HPO term (HP: and seven digits)")]
    Term(String),
    /// No identifier of a disorder.
    #[error("{0:?} is no disorder (such as OMIM:607208 or ORPHA:33069)")]
    Disorder(String),
    /// A row with too few or too many cells.
    #[error("it has {has} cells, the line of names has {names}: is the file cut off?")]
    Cells {
        /// Of the row.
        has: usize,
        /// Of the line of names.
        names: usize,
    },
    /// The line of names lacks a column.
    #[error("it is no line of names with the column {0}: is it another file?")]
    Column(&'static str),
    /// There is no line of names.
    #[error("it has no line of names")]
    NoNames,
    /// A row without a gene's symbol.
    #[error("it has no gene symbol")]
    NoSymbol,
    /// A stanza of a term without an identifier.
    #[error("the term that begins here has no id: is the file cut off?")]
    NoId,
    /// A term that is neither the root nor obsolete, and has no parent.
    #[error("{0} has no is_a: is the file cut off?")]
    NoParent(HpoTerm),
    /// A parent that is not in the file.
    #[error("{term} is_a {parent}, which is not in the file: is it cut off?")]
    UnknownParent {
        /// The child.
        term: HpoTerm,
        /// Its parent.
        parent: HpoTerm,
    },
    /// A term that is its own ancestor.
    #[error("{0} is its own ancestor")]
    Cycle(HpoTerm),
    /// A term that was there before.
    #[error("{0} comes twice")]
    Twice(HpoTerm),
    /// The ontology lacks the term that all phenotypes are below.
    #[error("there is no {0}, which all phenotypes are below: is it hp.obo?")]
    NoTop(HpoTerm),
    /// The XML is broken.
    #[error("{0}")]
    Xml(String),
    /// An element's content is missing or not what it should be.
    #[error("<{element}> has {text:?}")]
    Content {
        /// The element.
        element: &'static str,
        /// What it has.
        text: String,
    },
    /// Nothing was found that the file is for.
    #[error("there is no {0} in it: is it another file?")]
    Nothing(&'static str),
}

/// Why a patient's terms could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Not in the ontology.
    #[error("{0} is not in hp.obo")]
    Unknown(HpoTerm),
    /// Obsolete, and nothing stands for it, or several do.
    #[error("{term} is obsolete{}", instead(candidates))]
    Obsolete {
        /// The term.
        term: HpoTerm,
        /// Terms that can stand for it.
        candidates: Vec<HpoTerm>,
    },
    /// None of the terms is a phenotypic abnormality.
    #[error("none of the terms is a phenotypic abnormality (below {})", HpoTerm::ABNORMALITY)]
    Empty,
    /// No gene has a term, so there is nothing to rank.
    #[error(
        "no gene has an HPO term: give --genes-to-phenotype, or --orpha-genes with --orpha-disorders or --phenotype-hpoa"
    )]
    NoGenes,
}

fn instead(candidates: &[HpoTerm]) -> String {
    let names: Vec<String> = candidates.iter().map(HpoTerm::to_string).collect();
    if names.is_empty() {
        " and has no replacement".to_owned()
    } else {
        format!(": give one of {} instead", names.join(", "))
    }
}
