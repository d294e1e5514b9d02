//! Removes what was made from a sample whose consent was withdrawn.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::journal::Journal;
use super::ledger::{Event, LedgerError};
use super::lock::{Lock, LockError};
use super::run_dir::RunDir;
use super::sheet::is_name;

/// Why a sample cannot be purged.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// A run works here.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file cannot be removed.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There is nothing of it.
    #[error("{0}: nothing was made from this sample here")]
    Unknown(String),
}

/// Removes results, states and logs of a sample, and the report, which tells of it; a line of the ledger says that it was done
/// and nothing of what there was. Gives the number of files.
///
/// # Errors
/// A run works here; nothing is there; a file cannot be removed.
pub fn purge(run_dir: &RunDir, sample: &str) -> Result<usize, PurgeError> {
    let unknown = || PurgeError::Unknown(sample.to_owned());
    if !is_name(sample) {
        return Err(unknown());
    }
    let _lock = Lock::take(run_dir, "")?;
    let mut files = 0;
    for path in [run_dir.samples().join(sample), run_dir.states(sample)] {
        files += remove_all(&path)?;
    }
    let entries = match fs::read_dir(run_dir.logs()) {
        Ok(entries) => entries,
        Err(_) => return Err(unknown()),
    };
    for entry in entries.flatten() {
        // SAMPLE.STEP.log or SAMPLE.STEP.I-of-N.log; samples' names may have dots, too.
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name.strip_prefix(sample).and_then(|rest| rest.strip_prefix('.'));
        let step = rest.and_then(|rest| rest.split('.').next()).unwrap_or_default();
        if super::config::Step::ALL.iter().any(|known| known.name() == step) {
            files += remove_all(&entry.path())?;
        }
    }
    if files == 0 {
        return Err(unknown());
    }
    remove_all(&run_dir.report())?;
    let mut journal = Journal::open(run_dir, "")?;
    journal.append(Event::Purge { sample: sample.to_owned(), files })?;
    journal.sync()?;
    Ok(files)
}

/// Removes a file or directory, if it is there; gives the number of files.
fn remove_all(path: &Path) -> Result<usize, PurgeError> {
    let error = |source| PurgeError::File { path: path.to_owned(), source };
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
