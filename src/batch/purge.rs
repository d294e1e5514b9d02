//! Removes what was made from a sample whose consent was withdrawn.
//!
//! The ledger bars the sample before anything is removed, and says afterwards that it was done: a purge that was cut off bars it as well, and the next
//! one finishes it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::crate_metadata;
use super::journal::Journal;
use super::ledger::{self, Event, LedgerError, State};
use super::lock::{Lock, LockError};
use super::night::Night;
use super::run_dir::RunDir;
use super::sheet::is_name;
use super::traces::Traces;
use crate::formats::output::OutputError;

/// Why a sample cannot be purged.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// A run works here.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The night cannot be written without the sample.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A file cannot be removed.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What there was is removed, but a ledger that was changed is not written to. No run goes on from it.
    #[error("{files} files removed, and the ledger does not say so: {source}")]
    NotBarred {
        /// How many files.
        files: usize,
        /// What is wrong with the ledger.
        source: LedgerError,
    },
    /// Nobody knows it.
    #[error("{0}: no such sample here")]
    Unknown(String),
}

/// Removes results, states and logs of a sample, what killed runs have left, and what tells of it: the report and the RO-Crate; the night forgets it.
/// Lines of the ledger say that it was done and nothing of what there was. Gives the number of files.
///
/// On a full disk nothing can be written before something is removed: then the sample's files go first, if no run works here.
///
/// # Errors
/// A run works here; nobody knows the sample; a file cannot be removed or written; the ledger was changed, which keeps no file from being removed.
pub fn purge(run_dir: &RunDir, sample: &str) -> Result<usize, PurgeError> {
    if !is_name(sample) {
        return Err(PurgeError::Unknown(sample.to_owned()));
    }
    match in_order(run_dir, sample) {
        Err(error) if error.is_full() => {
            Lock::refuse_if_held(run_dir)?;
            let files = remove(run_dir, sample)?;
            in_order(run_dir, sample).map(|more| files + more)
        }
        Err(PurgeError::Ledger(source @ (LedgerError::Line { .. } | LedgerError::Gone { .. }))) => {
            let _lock = Lock::take(run_dir, "")?;
            let files = remove(run_dir, sample)?;
            forget(run_dir, sample)?;
            Err(PurgeError::NotBarred { files, source })
        }
        other => other,
    }
}

fn in_order(run_dir: &RunDir, sample: &str) -> Result<usize, PurgeError> {
    let _lock = Lock::take(run_dir, "")?;
    let lines = ledger::read_all(run_dir)?;
    let is_named = lines.iter().any(|line| line.event.sample() == Some(sample));
    let state = State::of(lines);
    let is_of_night = read_night(run_dir)?.is_some_and(|night| night.has(sample));
    let traces = Traces::read(run_dir).map_err(|source| file(run_dir.root(), source))?;
    if !is_named && !is_of_night && traces.of(sample).is_empty() {
        return Err(PurgeError::Unknown(sample.to_owned()));
    }
    let was_finished = state.is_purged(sample) && !state.unfinished.contains(sample);
    let mut journal = Journal::open(run_dir, "")?;
    if !state.is_purged(sample) {
        journal.append(Event::Purging { sample: sample.to_owned() })?;
        journal.sync()?;
    }
    let files = remove(run_dir, sample)?;
    forget(run_dir, sample)?;
    if !was_finished || files > 0 {
        journal.append(Event::Purge { sample: sample.to_owned(), files })?;
        journal.sync()?;
    }
    Ok(files)
}

/// Removes all files that are of a sample or tell of it, but the night. Nobody else works here, so all in `work/` but states is left over.
fn remove(run_dir: &RunDir, sample: &str) -> Result<usize, PurgeError> {
    let read = |source| file(run_dir.root(), source);
    let mut files = 0;
    for path in Traces::read(run_dir).map_err(read)?.of(sample) {
        files += remove_all(path)?;
    }
    let crate_metadata = run_dir.root().join(crate_metadata::NAME);
    for path in run_dir.stagings().map_err(read)?.iter().chain([&run_dir.report(), &crate_metadata]) {
        remove_all(path)?;
    }
    Ok(files)
}

/// Takes the sample out of the night.
fn forget(run_dir: &RunDir, sample: &str) -> Result<(), PurgeError> {
    if let Some(night) = read_night(run_dir)?.filter(|night| night.has(sample)) {
        let staging = run_dir.work().join(format!("purge.{}", std::process::id()));
        night.without([sample]).write(run_dir, &staging)?;
        remove_all(&staging)?;
    }
    Ok(())
}

/// The night of the run directory; one that cannot be read is of no use to anyone, and nobody knows what it has.
fn read_night(run_dir: &RunDir) -> Result<Option<Night>, PurgeError> {
    if let Ok(night) = Night::read(run_dir) {
        return Ok(Some(night));
    }
    remove_all(&run_dir.night()).map(|_| None)
}

/// Removes a file or directory, if it is there; gives the number of files.
fn remove_all(path: &Path) -> Result<usize, PurgeError> {
    let error = |source| file(path, source);
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(other) => return Err(error(other)),
    };
    if !metadata.is_dir() {
        fs::remove_file(path).map_err(error)?;
        return Ok(1);
    }
    let mut files = 0;
    for entry in fs::read_dir(path).map_err(error)? {
        files += remove_all(&entry.map_err(error)?.path())?;
    }
    fs::remove_dir(path).map_err(error)?;
    Ok(files)
}

fn file(path: &Path, source: io::Error) -> PurgeError {
    PurgeError::File { path: path.to_owned(), source }
}

impl PurgeError {
    fn is_full(&self) -> bool {
        let source = match self {
            Self::Lock(LockError::File { source, .. })
            | Self::Ledger(LedgerError::File { source, .. })
            | Self::Output(OutputError { source, .. }) => source,
            _ => return false,
        };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_purge_that_was_cut_off_bars_the_sample_and_is_finished_by_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let run_dir = RunDir::new(directory.path());
        run_dir.create().unwrap();
        for name in ["samples/x/qc/x.txt", "logs/x.qc.log", "logs/x.qc.qc.log", "work/states/x/whole.qcstate"]
        {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        Journal::open(&run_dir, "").unwrap().append(Event::Purging { sample: "x".into() }).unwrap();
        let state = || State::of(ledger::read_all(&run_dir).unwrap());
        assert!(state().is_purged("x") && state().unfinished.contains("x"));
        assert_eq!(purge(&run_dir, "x").unwrap(), 3);
        assert!(state().is_purged("x") && state().unfinished.is_empty());
        assert!(run_dir.logs().join("x.qc.qc.log").is_file());
        assert_eq!((purge(&run_dir, "x").unwrap(), ledger::read_all(&run_dir).unwrap().len()), (0, 2));
        assert!(matches!(purge(&run_dir, "y"), Err(PurgeError::Unknown(_))));
    }
}
