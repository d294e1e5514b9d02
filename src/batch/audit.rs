//! A chain of hashes over the ledger: each line holds the hash of the line before, the BLAKE3 of its line of the ledger, and a hash over all of itself, so
//! nothing can be changed, left out or put in between unseen.
//!
//! There is no secret in it. Who can write the files can make a whole chain anew, or cut both files off at the same line; that shows only against a head
//! that was noted elsewhere. The report has it.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ledger::{Event, LedgerError, Line};
use super::run_dir::RunDir;

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
    /// The hash of the line before.
    pub prev: String,
    /// BLAKE3 of this line with nothing between these quotes, without its newline.
    pub hash: String,
}

impl AuditLine {
    /// With its hash.
    pub fn sealed(mut self) -> Self {
        self.hash = self.hash_of_all();
        self
    }

    /// As it is written.
    pub fn text(&self) -> Vec<u8> {
        // A number and strings, which JSON can write.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn hash_of_all(&self) -> String {
        hash_of(&Self { hash: String::new(), ..self.clone() }.text())
    }
}

/// The hash of a line of the ledger.
pub fn hash_of(line: &[u8]) -> String {
    blake3::hash(line).to_hex().to_string()
}

/// A chain that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The hash of each line. Each was the head once.
    pub hashes: Vec<String>,
}

impl Chain {
    /// The hash of its last line.
    pub fn head(&self) -> &str {
        self.hashes.last().map_or(BEGINNING, String::as_str)
    }
}

/// Checks a chain against its ledger.
///
/// # Errors
/// A file cannot be read, or is not there; the first place where the chain does not hold.
pub fn verify(run_dir: &RunDir, part: &str) -> Result<Chain, LedgerError> {
    let (audit, ledger) = (run_dir.audit(part), run_dir.ledger(part));
    let (chain, events) = both(&audit, &ledger)?;
    let (chain, events) = (chain.unwrap_or_default(), events.unwrap_or_default());
    let events = lines(&events);
    let chain = linked(&audit, &lines(&chain), &ledger, &events)?;
    if events.len() > chain.hashes.len() {
        return Err(unknown(&ledger, chain.hashes.len()));
    }
    Ok(chain)
}

/// Checks what is there of a chain against its ledger, before something is added: gives the chain and, of the ledger, lines that a run which was cut off
/// has not linked any more. Behind the last newline is nothing that counts.
///
/// # Errors
/// As of [`verify`].
pub(super) fn check(run_dir: &RunDir, part: &str) -> Result<(Chain, Vec<Vec<u8>>), LedgerError> {
    let (audit, ledger) = (run_dir.audit(part), run_dir.ledger(part));
    let (chain, events) = both(&audit, &ledger)?;
    let (chain, events) = (chain.unwrap_or_default(), events.unwrap_or_default());
    let events = lines(whole(&events));
    let chain = linked(&audit, &lines(whole(&chain)), &ledger, &events)?;
    let (known, more) = events.split_at(chain.hashes.len());
    if !are_of_a_crash(known.last().copied(), more, known.len() as u64) {
        return Err(unknown(&ledger, known.len()));
    }
    Ok((chain, more.iter().map(|line| line.to_vec()).collect()))
}

/// Checks chains of other parts, and that there is a ledger where there is a night. A part that has a lock may be at work on another node, of whose
/// files this one sees now the one sooner, now the other: it looks after its own.
///
/// # Errors
/// As of [`verify`].
pub(super) fn check_others(run_dir: &RunDir, own: &str) -> Result<(), LedgerError> {
    let parts = parts(run_dir)?;
    if parts.is_empty() && run_dir.night().exists() {
        return Err(LedgerError::Gone { path: run_dir.ledger(""), beside: run_dir.night() });
    }
    for part in parts.iter().filter(|part| *part != own && !run_dir.lock(part).exists()) {
        let (audit, ledger) = (run_dir.audit(part), run_dir.ledger(part));
        let (chain, events) = both(&audit, &ledger)?;
        let (chain, events) = (chain.unwrap_or_default(), events.unwrap_or_default());
        linked(&audit, &lines(whole(&chain)), &ledger, &lines(whole(&events)))?;
    }
    Ok(())
}

/// The parts of which there is a ledger or a chain.
///
/// # Errors
/// The directory cannot be read.
pub fn parts(run_dir: &RunDir) -> Result<Vec<String>, LedgerError> {
    let error = |source| LedgerError::File { path: run_dir.root().to_owned(), source };
    let mut parts = run_dir.parts("ledger").map_err(error)?;
    parts.extend(run_dir.parts("audit").map_err(error)?);
    parts.sort();
    parts.dedup();
    Ok(parts)
}

type Bytes = Option<Vec<u8>>;

/// Reads the chain, and then the ledger, which is never behind it. One that has lines is not there without the other.
fn both(audit: &Path, ledger: &Path) -> Result<(Bytes, Bytes), LedgerError> {
    let (chain, events) = (read(audit)?, read(ledger)?);
    let gone = |path: &Path, beside: &Path| {
        Err(LedgerError::Gone { path: path.to_owned(), beside: beside.to_owned() })
    };
    match (&chain, &events) {
        (Some(lines), None) if !lines.is_empty() => gone(ledger, audit),
        (None, Some(lines)) if !lines.is_empty() => gone(audit, ledger),
        _ => Ok((chain, events)),
    }
}

fn read(path: &Path) -> Result<Bytes, LedgerError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LedgerError::File { path: path.to_owned(), source }),
    }
}

/// The chain, every line of which is right and has its line of the ledger; that may have more.
fn linked(audit: &Path, chain: &[&[u8]], ledger: &Path, events: &[&[u8]]) -> Result<Chain, LedgerError> {
    let wrong = |path: &Path, number: usize, what: &str| {
        Err(LedgerError::Line { path: path.to_owned(), line: number + 1, what: what.to_owned() })
    };
    let mut found = Chain::default();
    for (number, line) in chain.iter().enumerate() {
        let parsed: AuditLine = match serde_json::from_slice(line) {
            Ok(parsed) => parsed,
            Err(error) => return wrong(audit, number, &error.to_string()),
        };
        if parsed.seq != number as u64 || parsed.prev != found.head() {
            return wrong(
                audit,
                number,
                "it does not follow the line before: one of them was changed, or lines are missing",
            );
        }
        if parsed.text() != *line || parsed.hash != parsed.hash_of_all() {
            return wrong(audit, number, "it is not what it was when it was written");
        }
        match events.get(number) {
            Some(event) if hash_of(event) == parsed.ledger => {}
            Some(_) => return wrong(ledger, number, "it is not what it was when it was written"),
            None => return wrong(ledger, number, "it is missing"),
        }
        found.hashes.push(parsed.hash);
    }
    Ok(found)
}

fn unknown(ledger: &Path, number: usize) -> LedgerError {
    let what = "the audit chain knows nothing of it".to_owned();
    LedgerError::Line { path: ledger.to_owned(), line: number + 1, what }
}

/// Whether lines of a ledger without a link can be what a crash leaves: all of one run that did not end before them. A run that ends has both files on the
/// disk, so its end can lack a link alone.
fn are_of_a_crash(before: Option<&[u8]>, more: &[&[u8]], first: u64) -> bool {
    let Ok(more) = more.iter().map(|line| serde_json::from_slice(line)).collect::<Result<Vec<Line>, _>>()
    else {
        return false;
    };
    let Some(begun) = more.first() else { return true };
    let before: Option<Line> = before.and_then(|line| serde_json::from_slice(line).ok());
    let is_end = |line: &Line| matches!(line.event, Event::End { .. });
    let goes_on = match &before {
        Some(before) if before.turn == begun.turn => !is_end(before),
        _ => matches!(begun.event, Event::Begin { .. } | Event::Purging { .. }),
    };
    let is_in_order = (first..).zip(&more).all(|(seq, line)| line.seq == seq && line.turn == begun.turn);
    goes_on && is_in_order && (more.len() == 1 || !more.iter().any(is_end))
}

/// What is finished: up to the last newline.
pub(super) fn whole(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1)]
}

/// Lines without their newlines; what is behind the last newline is a line, too.
pub(super) fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() { Vec::new() } else { bytes.split(|&byte| byte == b'\n').collect() }
}
