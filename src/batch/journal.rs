//! Writes the ledger and its audit chain.
//!
//! A line is one write at the end of the file. Lines are synced once a second and at the end, not one by one: what a power
//! failure takes is done again, and says nothing wrong.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::audit::{self, AuditLine};
use super::ledger::{self, Event, LedgerError, Line};
use super::run_dir::RunDir;
use crate::report::run_file::host;

/// A ledger that is open for writing.
#[derive(Debug)]
pub struct Journal {
    ledger: Appended,
    audit: Appended,
    next: u64,
    turn: u64,
    prev: String,
    user: String,
    host: String,
    synced: Instant,
}

const SYNC: Duration = Duration::from_secs(1);

impl Journal {
    /// Opens the ledger of a part, behind what was finished of it: a line that was cut off is cut away, those that the chain did not come to know before a
    /// crash get their links.
    ///
    /// # Errors
    /// The files cannot be opened, or a ledger is not what its chain says.
    pub fn open(run_dir: &RunDir, part: &str) -> Result<Self, LedgerError> {
        audit::check_others(run_dir, part)?;
        let (chain, more) = audit::check(run_dir, part)?;
        let ledger = Appended::open(&run_dir.ledger(part))?;
        let audit = Appended::open(&run_dir.audit(part))?;
        let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let turn = ledger::read_all(run_dir)?.last().map_or(0, |line| line.turn + 1);
        let mut journal = Self {
            turn,
            ledger,
            audit,
            next: chain.hashes.len() as u64,
            prev: chain.head().to_owned(),
            user: user.unwrap_or_else(|| "unknown".to_owned()),
            host: host().unwrap_or_default(),
            synced: Instant::now(),
        };
        if !more.is_empty() {
            let (path, count) = (run_dir.ledger(part), more.len());
            eprintln!("norn: {}: {count} of its lines had no link yet, as after a crash", path.display());
        }
        for event in &more {
            journal.link(event)?;
        }
        Ok(journal)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// It cannot be written: then part of it may be there, which [`open`](Self::open) cuts away.
    pub fn append(&mut self, event: Event) -> Result<(), LedgerError> {
        let line = Line { seq: self.next, turn: self.turn, time: now(), event };
        let mut text = serde_json::to_vec(&line).map_err(|error| self.ledger.error(error.into()))?;
        text.push(b'\n');
        self.ledger.append(&text)?;
        text.pop();
        self.link(&text)?;
        if self.synced.elapsed() >= SYNC {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes sure that all lines are on the disk.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn sync(&mut self) -> Result<(), LedgerError> {
        self.synced = Instant::now();
        [&self.ledger, &self.audit].into_iter().try_for_each(Appended::sync)
    }

    fn link(&mut self, event: &[u8]) -> Result<(), LedgerError> {
        let line = AuditLine {
            seq: self.next,
            time: now(),
            user: self.user.clone(),
            host: self.host.clone(),
            ledger: audit::hash_of(event),
            prev: std::mem::take(&mut self.prev),
            hash: String::new(),
        };
        let line = line.sealed();
        let mut text = line.text();
        text.push(b'\n');
        self.prev = line.hash;
        self.audit.append(&text)?;
        self.next += 1;
        Ok(())
    }
}

/// The time as it is written down.
pub(super) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// A file that is only added to.
#[derive(Debug)]
struct Appended {
    path: PathBuf,
    file: File,
}

impl Appended {
    fn open(path: &Path) -> Result<Self, LedgerError> {
        let error = |source| LedgerError::File { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(error)?;
        let bytes = fs::read(path).map_err(error)?;
        let whole = audit::whole(&bytes).len();
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(error)?;
        }
        file.seek(SeekFrom::Start(whole as u64)).map_err(error)?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        self.file.write_all(bytes).map_err(|error| self.error(error))
    }

    fn sync(&self) -> Result<(), LedgerError> {
        self.file.sync_data().map_err(|error| self.error(error))
    }

    fn error(&self, source: io::Error) -> LedgerError {
        LedgerError::File { path: self.path.clone(), source }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn left_out(sample: usize) -> Event {
        Event::LeftOut { sample: format!("S{sample}"), why: "withdrawn".to_owned() }
    }

    fn night(lines: usize) -> (tempfile::TempDir, RunDir) {
        let directory = tempfile::tempdir().unwrap();
        let run_dir = RunDir::new(directory.path());
        let mut journal = Journal::open(&run_dir, "").unwrap();
        for number in 0..lines {
            journal.append(left_out(number)).unwrap();
        }
        (directory, run_dir)
    }

    #[test]
    fn lines_come_back_after_any_cut() {
        let (_directory, run_dir) = night(3);
        let (ledger_bytes, audit_bytes) =
            (fs::read(run_dir.ledger("")).unwrap(), fs::read(run_dir.audit("")).unwrap());
        let last = |bytes: &[u8]| audit::lines(bytes).last().unwrap().len() + 1;
        // A job is killed, or a disk full, in the midst of the last line of either file.
        for (ledger_cut, audit_cut) in [(0, 0), (0, 1), (0, last(&audit_bytes)), (7, last(&audit_bytes))] {
            fs::write(run_dir.ledger(""), &ledger_bytes[..ledger_bytes.len() - ledger_cut]).unwrap();
            fs::write(run_dir.audit(""), &audit_bytes[..audit_bytes.len() - audit_cut]).unwrap();
            let mut journal = Journal::open(&run_dir, "").unwrap();
            journal.append(left_out(9)).unwrap();
            let lines = ledger::read(&run_dir.ledger("")).unwrap();
            let left = if ledger_cut == 0 { 3 } else { 2 };
            assert_eq!(lines.len(), left + 1);
            assert_eq!(lines.last().unwrap().seq, left as u64);
            assert_eq!(audit::verify(&run_dir, "").unwrap().hashes.len(), left + 1);
        }
    }

    #[test]
    fn any_change_is_found() {
        let (_directory, run_dir) = night(6);
        let paths = [run_dir.ledger(""), run_dir.audit("")];
        assert_eq!(audit::verify(&run_dir, "").unwrap().hashes.len(), 6);
        // What is changed is found when somebody looks, and nothing is added to it.
        let assert_found = |what: &str| {
            assert!(audit::verify(&run_dir, "").is_err(), "{what}");
            let before = paths.clone().map(|path| fs::read(path).ok());
            assert!(Journal::open(&run_dir, "").is_err(), "{what}");
            assert_eq!(before, paths.clone().map(|path| fs::read(path).ok()), "{what}");
        };
        for path in &paths {
            let bytes = fs::read(path).unwrap();
            // Any byte, the file, any line but the last gone, and two lines in each other's place.
            for at in 0..bytes.len() - 1 {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                fs::write(path, &changed).unwrap();
                assert_found(&format!("{} byte {at}", path.display()));
            }
            let lines: Vec<&[u8]> = audit::lines(&bytes);
            for number in 0..lines.len() - 1 {
                let (mut without, mut swapped) = (lines.clone(), lines.clone());
                without.remove(number);
                swapped.swap(number, number + 1);
                for changed in [without, swapped] {
                    fs::write(path, [changed.join(&b'\n'), vec![b'\n']].concat()).unwrap();
                    assert_found(&format!("{} line {number}", path.display()));
                }
            }
            fs::remove_file(path).unwrap();
            assert_found("a file is gone");
            fs::write(path, &bytes).unwrap();
        }
        // A line too many, of this run and of another, with or without what a run begins with.
        let bytes = fs::read(&paths[0]).unwrap();
        let end = Event::End { outcome: "done".into(), done: 0, kept: 0, failed: 0, waiting: 0 };
        for (turn, events) in
            [(1, vec![left_out(9)]), (0, vec![left_out(9), end.clone()]), (0, vec![left_out(9), left_out(9)])]
        {
            let mut more = bytes.clone();
            let is_a_crash = events.len() == 2 && !events.contains(&end);
            for (seq, event) in (6..).zip(events) {
                more.extend(serde_json::to_vec(&Line { seq, turn, time: now(), event }).unwrap());
                more.push(b'\n');
            }
            fs::write(&paths[0], more).unwrap();
            if !is_a_crash {
                assert_found("a line too many");
            }
        }
        Journal::open(&run_dir, "").unwrap().append(end).unwrap();
        assert_eq!(audit::verify(&run_dir, "").unwrap().hashes.len(), 9);
    }

    #[test]
    fn another_parts_chain_and_a_night_without_a_ledger_are_looked_at() {
        let (_directory, run_dir) = night(3);
        let bytes = fs::read(run_dir.ledger("")).unwrap();
        fs::write(run_dir.ledger(""), &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(Journal::open(&run_dir, "1-of-2"), Err(LedgerError::Line { .. })));
        // While it is at work, its files may not be seen as they are.
        fs::write(run_dir.lock(""), "").unwrap();
        assert!(Journal::open(&run_dir, "2-of-2").is_ok());
        fs::remove_file(run_dir.lock("")).unwrap();
        fs::remove_file(run_dir.ledger("2-of-2")).unwrap();
        fs::remove_file(run_dir.audit("2-of-2")).unwrap();
        for path in [run_dir.ledger(""), run_dir.audit("")] {
            fs::remove_file(path).unwrap();
        }
        fs::write(run_dir.night(), "{}").unwrap();
        assert!(matches!(Journal::open(&run_dir, ""), Err(LedgerError::Gone { .. })));
    }
}
