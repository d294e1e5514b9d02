//! A chain of hashes over the ledger: each line holds the BLAKE3 of the line before and of its line of the ledger, so nothing
//! can be changed, left out or put in between unseen. What was cut off at the end shows only against a head that was noted
//! elsewhere; the report has it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ledger::LedgerError;

/// What stands before the first line.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Number of the line, from 0, which is that of the ledger's.
    pub seq: u64,
    /// When, as RFC 3339.
    pub time: String,
    /// Who ran norn.
    pub user: String,
    /// Where.
    pub host: String,
    /// BLAKE3 of the ledger's line, without its newline.
    pub ledger: String,
    /// BLAKE3 of the line before, without its newline.
    pub prev: String,
}

/// The hash of a line.
pub fn hash_of(line: &[u8]) -> String {
    blake3::hash(line).to_hex().to_string()
}

/// What a chain comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Lines.
    pub lines: u64,
    /// BLAKE3 of the last.
    pub hash: String,
}

/// Checks a chain against its ledger.
///
/// # Errors
/// A file cannot be read; the first place where the chain does not hold.
pub fn verify(audit: &Path, ledger: &Path) -> Result<Head, LedgerError> {
    let read =
        |path: &Path| fs::read(path).map_err(|source| LedgerError::File { path: path.to_owned(), source });
    let (chain, events) = (read(audit)?, read(ledger)?);
    let wrong =
        |path: &Path, line: usize, what: String| LedgerError::Line { path: path.to_owned(), line, what };
    let (chain, events) = (lines(&chain), lines(&events));
    let mut prev = BEGINNING.to_owned();
    for (number, line) in chain.iter().enumerate() {
        let parsed: AuditLine =
            serde_json::from_slice(line).map_err(|error| wrong(audit, number + 1, error.to_string()))?;
        if parsed.seq != number as u64 || parsed.prev != prev {
            let what = "it does not follow the line before: one of them was changed, or lines are missing";
            return Err(wrong(audit, number + 1, what.to_owned()));
        }
        match events.get(number) {
            Some(event) if hash_of(event) == parsed.ledger => {}
            Some(_) => {
                let what = "it is not what it was when it was written".to_owned();
                return Err(wrong(ledger, number + 1, what));
            }
            None => return Err(wrong(ledger, number + 1, "it is missing".to_owned())),
        }
        prev = hash_of(line);
    }
    if events.len() > chain.len() {
        let what = "the audit chain knows nothing of it".to_owned();
        return Err(wrong(ledger, chain.len() + 1, what));
    }
    Ok(Head { lines: chain.len() as u64, hash: prev })
}

/// Lines without their newlines; what is behind the last newline is a line, too.
pub(super) fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() { Vec::new() } else { bytes.split(|&byte| byte == b'\n').collect() }
}
