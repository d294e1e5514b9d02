//! Reports of scores: what is known of each and of its people, as pages, JSON and tables.
//!
//! [`results`] reads what scoring and calibration wrote, [`about`] puts it beside the headers of scoring files and risks,
//! [`standard`] has the items that the field wants reported (PRS-RS), [`document`] writes JSON and tables, [`page`] pages.

pub mod about;
pub mod distribution;
pub mod document;
pub mod page;
mod plots;
pub mod results;
pub mod standard;
mod table;

use std::path::PathBuf;

use super::calibration::panel::TableError;

/// What stands on every page and in every document.
pub const NOTICE: &str = "Not for clinical use without validation.";

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A table cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A table lies in two places.
    #[error("{first} and {second}: which of them is meant?", first = first.display(), second = second.display())]
    Twice {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// There are no scores of these people.
    #[error("there are no scores of {0} (aggregated_scores.txt.gz or {0}_pgs.txt.gz)")]
    NoScores(String),
    /// A score that is asked for is not there.
    #[error("there is no score {score} of {dataset}")]
    NoScore {
        /// The people.
        dataset: String,
        /// The score.
        score: String,
    },
    /// A person who is asked for is not there, or there are two.
    #[error("there is not one person {person} in {dataset}")]
    Person {
        /// The people.
        dataset: String,
        /// The person.
        person: String,
    },
    /// The run file is none.
    #[error("{path}: {what}", path = path.display())]
    Run {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}
