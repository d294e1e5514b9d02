//! Jobs of Slurm from templates: a script with `#SBATCH` lines, a cluster's settings, and what one asks for.
//!
//! [`template`] reads a template and fills it, [`cluster`] reads settings, [`submit`] hands the script to `sbatch`. Templates and settings of
//! slurm/ are part of the binary, so that one norn and its templates always fit each other.

pub mod cluster;
pub mod options;
pub mod submit;
pub mod template;

use std::io;
use std::path::PathBuf;

/// Why there is no script.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// Neither one of ours nor a file.
    #[error("no {what} {name:?}: there are {known}, or the path of a file")]
    Unknown {
        /// `template` or `cluster`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// Ours.
        known: String,
    },
    /// A file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is no template, or no settings of a cluster.
    #[error("{name}: {what}")]
    Content {
        /// The file, or the name of one of ours.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// An option of sbatch cannot stand in a script.
    #[error("option {name:?} of sbatch: {what}")]
    Option {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// There are too few arguments for the template.
    #[error("{template} takes at least {least} arguments behind --, there are {given}; as in: {usage}")]
    Arguments {
        /// The template.
        template: String,
        /// What it needs.
        least: usize,
        /// What it got.
        given: usize,
        /// Its own example.
        usage: String,
    },
    /// An argument cannot stand in a script.
    #[error("argument {number}: a line end or a zero byte cannot be in a script")]
    Argument {
        /// From 1.
        number: usize,
    },
}

impl SlurmError {
    /// Whether the command line is wrong, and not a file.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. } | Self::Option { .. } | Self::Arguments { .. } | Self::Argument { .. }
        )
    }
}

/// Reads one of ours, or the file of that path: its text, and what messages call it.
fn text_of(what: &'static str, ours: &[(&str, &'static str)], name: &str) -> Result<String, SlurmError> {
    if let Some((_, text)) = ours.iter().find(|(known, _)| *known == name) {
        return Ok((*text).to_owned());
    }
    let path = PathBuf::from(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        // A word without a slash or a dot was meant as one of ours.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !name.contains(['/', '.']) => {
            let known = ours.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
            Err(SlurmError::Unknown { what, name: name.to_owned(), known })
        }
        Err(source) => Err(SlurmError::File { path, source }),
    }
}
