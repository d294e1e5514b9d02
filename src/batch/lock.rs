//! One run at a time in a run directory, on file systems that nodes share.
//!
//! The lock is a file that is linked into place, which succeeds for one and no other on NFS, Lustre and BeeGFS alike. It names
//! its holder, who rewrites a counter in it every few seconds. Whether a holder on this host lives, the system tells; of another
//! host the counter is watched for a while, because clocks of two hosts cannot be compared. A job that Slurm has requeued is its
//! own holder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::journal::now;
use super::run_dir::RunDir;
use crate::report::run_file::host;

/// Why a run directory cannot be worked in.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else does.
    #[error(
        "{path}: a run works here: process {pid} on {host}{job}, since {since}",
        path = path.display(), pid = holder.pid, host = holder.host, since = holder.since,
        job = holder.slurm_job.as_ref().map_or(String::new(), |job| format!(", Slurm job {job}"))
    )]
    Held {
        /// The lock.
        path: PathBuf,
        /// Who.
        holder: Box<Holder>,
    },
    /// The lock cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The lock.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its host.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// When the process began, in the system's ticks: numbers of processes come again.
    pub begun: Option<u64>,
    /// Slurm's job.
    pub slurm_job: Option<String>,
    /// How often the job was requeued.
    pub slurm_restarts: u32,
    /// When the lock was taken.
    pub since: String,
    /// Grows while the holder lives.
    pub beat: u64,
}

/// A held lock; dropped, it is free.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    shared: Arc<(Mutex<Beating>, Condvar)>,
    heart: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Beating {
    holder: Holder,
    over: bool,
    lost: bool,
}

/// How often the counter grows, and how long it is watched.
#[derive(Clone, Copy, Debug)]
struct Pace {
    beat: Duration,
    watch: Duration,
}

const PACE: Pace = Pace { beat: Duration::from_secs(5), watch: Duration::from_secs(30) };

impl Lock {
    /// Takes the lock of a part of a job array, which excludes parts of arrays of another size, or of the whole run directory (`part` is empty), which
    /// excludes all parts.
    ///
    /// # Errors
    /// Somebody holds it, or a lock that excludes it.
    pub fn take(run_dir: &RunDir, part: &str) -> Result<Self, LockError> {
        let lock = Self::take_as(&run_dir.lock(part), this_process(), PACE)?;
        let file = |source| LockError::File { path: run_dir.root().to_owned(), source };
        remove_drafts(run_dir.root()).map_err(file)?;
        // Parts of one count have samples of their own.
        let count = |part: &str| part.split_once("-of-").map(|(_, count)| count.to_owned());
        let is_sibling = |other: &str| count(other).is_some_and(|of| count(part) == Some(of));
        Self::refuse_others(run_dir, |other| other != part && !is_sibling(other))?;
        Ok(lock)
    }

    /// Says who works in a run directory, without taking it.
    ///
    /// # Errors
    /// Somebody does; a lock cannot be read.
    pub fn refuse_if_held(run_dir: &RunDir) -> Result<(), LockError> {
        Self::refuse_others(run_dir, |_| true)
    }

    fn refuse_others(run_dir: &RunDir, excludes: impl Fn(&str) -> bool) -> Result<(), LockError> {
        let file = |source| LockError::File { path: run_dir.root().to_owned(), source };
        for other in run_dir.parts("lock").map_err(file)? {
            let path = run_dir.lock(&other);
            if excludes(&other)
                && let Some(holder) = read_or_torn(&path, PACE)?
                && is_alive(&path, &holder, &this_process(), PACE)?
            {
                return Err(LockError::Held { path, holder: Box::new(holder) });
            }
        }
        Ok(())
    }

    /// Who works in a run directory, as far as can be told at once.
    ///
    /// # Errors
    /// A lock cannot be read.
    pub fn holders(run_dir: &RunDir) -> Result<Vec<Holder>, LockError> {
        let file = |source| LockError::File { path: run_dir.root().to_owned(), source };
        let own = this_process();
        let mut holders = Vec::new();
        for part in run_dir.parts("lock").map_err(file)? {
            match read(&run_dir.lock(&part)) {
                // Nobody can be named.
                Err(error) if error.is_torn() => {}
                found => holders.extend(found?),
            }
        }
        holders.retain(|holder| {
            holder.host != own.host
                || begun(holder.pid).is_some_and(|at| holder.begun.is_none_or(|then| then == at))
        });
        Ok(holders)
    }

    /// Whether somebody has taken it away.
    pub fn is_lost(&self) -> bool {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).lost
    }

    fn take_as(path: &Path, own: Holder, pace: Pace) -> Result<Self, LockError> {
        while !place(path, &own)? {
            let Some(holder) = read_or_torn(path, pace)? else {
                remove_torn(path)?;
                continue;
            };
            if is_alive(path, &holder, &own, pace)? {
                return Err(LockError::Held { path: path.to_owned(), holder: Box::new(holder) });
            }
            eprintln!(
                "norn: {}: process {} on {} is gone; its lock is taken over",
                path.display(),
                holder.pid,
                holder.host
            );
            remove_of(path, &holder)?;
        }
        let shared =
            Arc::new((Mutex::new(Beating { holder: own, over: false, lost: false }), Condvar::new()));
        let heart = std::thread::Builder::new().name("lock".to_owned()).spawn({
            let (path, shared) = (path.to_owned(), Arc::clone(&shared));
            move || beat(&path, &shared, pace.beat)
        });
        // Without its thread the lock holds, but others on other hosts will think that we are gone.
        let heart = heart.map_err(|source| LockError::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), shared, heart: Some(heart) })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let lost = {
            let mut beating = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
            beating.over = true;
            beating.lost
        };
        self.shared.1.notify_all();
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
        if !lost {
            // A lock that stays behind is taken over: this process will be gone.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn beat(path: &Path, shared: &(Mutex<Beating>, Condvar), pace: Duration) {
    let mut beating = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        beating = shared
            .1
            .wait_timeout_while(beating, pace, |beating| !beating.over)
            .map_or_else(|poisoned| poisoned.into_inner().0, |(beating, _)| beating);
        if beating.over {
            return;
        }
        match read(path) {
            Ok(Some(holder)) if is_same(&holder, &beating.holder) => {
                beating.holder.beat += 1;
                // In place: other nodes see a changed file at once, a file that was replaced only after a while.
                let _ = OpenOptions::new()
                    .write(true)
                    .open(path)
                    .and_then(|mut file| file.write_all(&text(&beating.holder)));
            }
            // Emptied, by a disk that was full or by somebody: nobody takes it over before it is whole again.
            Err(error) if error.is_torn() => {
                let _ = OpenOptions::new()
                    .write(true)
                    .open(path)
                    .and_then(|mut file| file.write_all(&text(&beating.holder)));
            }
            // A lock that cannot be read just now is no lock that is lost.
            Err(_) => {}
            Ok(_) => {
                beating.lost = true;
                return;
            }
        }
    }
}

/// Puts the lock into its place; whether it was free.
fn place(path: &Path, own: &Holder) -> Result<bool, LockError> {
    let error = |source| LockError::File { path: path.to_owned(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Each its own: a draft that is written again would be the lock that another thread has linked to it.
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = path.with_file_name(format!(".{name}.{}.{}-{number}.tmp", own.host, own.pid));
    if let Err(full) = fs::write(&draft, text(own)) {
        let _ = fs::remove_file(&draft);
        return Err(error(full));
    }
    let linked = fs::hard_link(&draft, path);
    let removed = fs::remove_file(&draft);
    match linked {
        Ok(()) => {
            removed.map_err(error)?;
            Ok(true)
        }
        Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // A file system without links: it must know exclusive creation then.
        Err(_) => match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => file.write_all(&text(own)).map(|()| true).map_err(|full| {
                // An empty lock would be nobody's.
                let _ = fs::remove_file(path);
                error(full)
            }),
            Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(other) => Err(error(other)),
        },
    }
}

/// Removes drafts of processes of this host that are gone.
fn remove_drafts(directory: &Path) -> io::Result<()> {
    let middle = format!(".{}.", host().unwrap_or_default());
    for entry in fs::read_dir(directory)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(".lock").and_then(|name| {
            name.strip_suffix(".tmp")?.split_once(&middle)?.1.split('-').next()?.parse().ok()
        });
        if pid.is_some_and(|pid| begun(pid).is_none()) {
            // Another run may be faster.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Who holds a lock; `None` where nobody does.
fn read(path: &Path) -> Result<Option<Holder>, LockError> {
    let error = |source| LockError::File { path: path.to_owned(), source };
    // A lock is rewritten in place: it may be met halfway.
    for _ in 0..20 {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(other) => return Err(error(other)),
        };
        if let Ok(holder) = serde_json::from_slice(&bytes) {
            return Ok(Some(holder));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(error(io::Error::new(
        io::ErrorKind::InvalidData,
        "it is no lock of norn; remove it if no run works here",
    )))
}

/// Who holds a lock; `None` where nobody does. A lock that nobody can read, and that nobody has made whole for three beats, is nobody's.
fn read_or_torn(path: &Path, pace: Pace) -> Result<Option<Holder>, LockError> {
    let (mut bytes, mut begun) = (fs::read(path).ok(), Instant::now());
    loop {
        match read(path) {
            Err(error) if error.is_torn() => {
                let now = fs::read(path).ok();
                if now != bytes {
                    (bytes, begun) = (now, Instant::now());
                }
                if begun.elapsed() > 3 * pace.beat {
                    eprintln!(
                        "norn: {}: it names no holder, and nobody writes to it; it does not count",
                        path.display()
                    );
                    return Ok(None);
                }
            }
            found => return found,
        }
    }
}

/// Removes a lock that nobody can read, and no other that has come in between.
fn remove_torn(path: &Path) -> Result<(), LockError> {
    if matches!(read(path), Err(error) if error.is_torn()) {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LockError::File { path: path.to_owned(), source: error });
            }
            _ => {}
        }
    }
    Ok(())
}

impl LockError {
    fn is_torn(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::InvalidData)
    }
}

fn is_alive(path: &Path, holder: &Holder, own: &Holder, pace: Pace) -> Result<bool, LockError> {
    if holder.host == own.host {
        return Ok(begun(holder.pid).is_some_and(|begun| holder.begun.is_none_or(|then| then == begun)));
    }
    if holder.slurm_job.is_some()
        && holder.slurm_job == own.slurm_job
        && holder.slurm_restarts < own.slurm_restarts
    {
        return Ok(false);
    }
    eprintln!(
        "norn: {}: held by process {} on {}; watching whether it lives",
        path.display(),
        holder.pid,
        holder.host
    );
    let steps = 30;
    for _ in 0..steps {
        std::thread::sleep(pace.watch / steps);
        match read(path)? {
            Some(now) if now.beat == holder.beat && is_same(&now, holder) => {}
            Some(_) => return Ok(true),
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// Removes the lock of one holder, and of no other who has come in between.
fn remove_of(path: &Path, holder: &Holder) -> Result<(), LockError> {
    let error = |source| LockError::File { path: path.to_owned(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}.stale.tmp", std::process::id()));
    match fs::rename(path, &aside) {
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(error)?,
    }
    if let Some(moved) = read(&aside)?
        && !is_same(&moved, holder)
    {
        // Somebody was faster, and holds it now.
        let _ = fs::hard_link(&aside, path);
    }
    fs::remove_file(&aside).map_err(error)
}

fn is_same(one: &Holder, other: &Holder) -> bool {
    (&one.host, one.pid, one.begun, &one.since) == (&other.host, other.pid, other.begun, &other.since)
}

fn this_process() -> Holder {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    Holder {
        host: host().unwrap_or_default(),
        pid: std::process::id(),
        begun: begun(std::process::id()),
        slurm_job: variable("SLURM_JOB_ID"),
        slurm_restarts: variable("SLURM_RESTART_COUNT").and_then(|n| n.parse().ok()).unwrap_or(0),
        since: now(),
        beat: 0,
    }
}

/// When a process of this host began, in ticks since the system did: field 22 of its stat file (proc_pid_stat(5)).
fn begun(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in field 2 may have blanks and brackets.
    let behind = &stat[stat.rfind(')')? + 1..];
    let mut fields = behind.split_ascii_whitespace();
    // A zombie (field 3) works no more.
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Always of one length, so that a rewritten one covers the one before.
fn text(holder: &Holder) -> Vec<u8> {
    let mut text = serde_json::to_vec(holder).unwrap_or_default();
    text.resize(text.len().max(511), b' ');
    text.push(b'\n');
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const QUICK: Pace = Pace { beat: Duration::from_millis(20), watch: Duration::from_millis(300) };

    fn elsewhere(job: Option<&str>, restarts: u32) -> Holder {
        Holder {
            host: "elsewhere".into(),
            slurm_job: job.map(str::to_owned),
            slurm_restarts: restarts,
            ..this_process()
        }
    }

    #[test]
    fn one_of_many_gets_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock.json");
        let taken: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..16).map(|_| scope.spawn(|| Lock::take_as(&path, this_process(), QUICK))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.iter().filter(|lock| lock.is_ok()).count(), 1);
        let refused = taken.iter().find_map(|lock| lock.as_ref().err()).unwrap();
        assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
        drop(taken);
        assert!(!path.exists());
        assert!(Lock::take_as(&path, this_process(), QUICK).is_ok());
    }

    #[test]
    fn the_lock_of_the_dead_is_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock.json");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        for (number, holder) in [
            // A process that ended; another that has its number now; another host that is silent; the job before it was requeued.
            Holder { pid: dead, ..this_process() },
            Holder { begun: Some(1), ..this_process() },
            elsewhere(None, 0),
            elsewhere(Some("7"), 0),
        ]
        .into_iter()
        .enumerate()
        {
            fs::write(&path, text(&holder)).unwrap();
            let own = Holder { slurm_job: Some("7".into()), slurm_restarts: 1, ..this_process() };
            let lock = Lock::take_as(&path, own, QUICK);
            assert!(lock.is_ok(), "{number}: {:?}", lock.err());
        }
    }

    #[test]
    fn a_living_holder_on_another_host_is_seen_by_its_beat() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock.json");
        let held = Lock::take_as(&path, elsewhere(Some("7"), 0), QUICK).unwrap();
        assert!(matches!(Lock::take_as(&path, this_process(), QUICK), Err(LockError::Held { .. })));
        assert!(!held.is_lost());
        // Taken away by force, its holder comes to know.
        fs::write(&path, text(&this_process())).unwrap();
        let mut left = 100;
        while !held.is_lost() && left > 0 {
            std::thread::sleep(QUICK.beat);
            left -= 1;
        }
        assert!(held.is_lost());
        drop(held);
        assert!(path.exists());
    }

    #[test]
    fn an_emptied_lock_is_its_holders_or_nobodys() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock.json");
        for torn in ["", "{\"host\":\"a", "no lock\n"] {
            fs::write(&path, torn).unwrap();
            drop(Lock::take_as(&path, this_process(), QUICK).unwrap());
        }
        let held = Lock::take_as(&path, this_process(), QUICK).unwrap();
        fs::write(&path, "").unwrap();
        assert!(matches!(Lock::take_as(&path, this_process(), QUICK), Err(LockError::Held { .. })));
        assert!(!held.is_lost());
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn parts_and_the_whole_exclude_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let run_dir = RunDir::new(directory.path());
        let first = Lock::take(&run_dir, "1-of-2").unwrap();
        let second = Lock::take(&run_dir, "2-of-2").unwrap();
        assert!(matches!(Lock::take(&run_dir, ""), Err(LockError::Held { .. })));
        // Another size of the array cuts the night in another way.
        assert!(matches!(Lock::take(&run_dir, "1-of-3"), Err(LockError::Held { .. })));
        assert!(matches!(Lock::take(&run_dir, "3-of-3"), Err(LockError::Held { .. })));
        drop((first, second));
        drop(Lock::take(&run_dir, "1-of-3").unwrap());
        let whole = Lock::take(&run_dir, "").unwrap();
        assert!(matches!(Lock::take(&run_dir, "1-of-2"), Err(LockError::Held { .. })));
        drop(whole);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
