//! One task: a process of this binary, into a directory of its own, which gets its name when all is there.
//!
//! A process of its own costs some milliseconds. For that, a task that the system kills takes nothing else with it, its messages
//! go into its own log, and its seconds and memory are its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::ledger::{Effort, Failure, Input, Output};
use super::orphan;
use super::plan::stat;
use crate::formats::checksum::blake3_of;
use crate::report::run_file::host;

/// A task as it is handed to a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub task: usize,
    /// The words of the command.
    pub words: Vec<String>,
    /// The sample's files as they were when it was handed out.
    pub inputs: Vec<Input>,
    /// Whether inputs are known by all of their bytes.
    pub checksum: bool,
    /// Where it writes; removed before and after.
    pub staging: PathBuf,
    /// Directory that the results are to have, or the file that is its result.
    pub results: PathBuf,
    /// Whether the result is a file that the command itself keeps whole.
    pub is_state: bool,
    /// States that it reads or keeps; they are needed until the ledger says that it is done.
    pub states: Vec<PathBuf>,
    /// Where its messages go.
    pub log: PathBuf,
    /// The run directory, below which outputs are named.
    pub root: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its number.
    pub task: usize,
    /// How it went.
    pub effort: Effort,
    /// What it came to.
    pub ending: Ending,
}

/// What a task came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ending {
    /// Done, with these files.
    Done(Vec<Output>),
    /// Failed; why is the last thing in its log.
    Failed {
        /// In what.
        failure: Failure,
        /// Whether it may go better with more memory: the system has killed it.
        killed: bool,
    },
    /// Given up, because the run is to stop.
    Dropped,
}

/// Exit codes with which a command has done its work: 4 is below thresholds.
const DONE: [i32; 2] = [0, 4];

/// Runs a task to its end, or until `give_up` is set.
pub fn execute(order: &Order, give_up: &AtomicBool) -> Outcome {
    let begun = Instant::now();
    let mut effort = Effort { host: host().unwrap_or_default(), ..Effort::default() };
    let ending = attempt(order, give_up, &mut effort);
    // What could not be removed lies in work/, and is removed by the next run.
    let _ = fs::remove_dir_all(&order.staging);
    effort.seconds = (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let ending = ending.unwrap_or_else(|error| {
        say(&order.log, &error);
        Ending::Failed { failure: Failure::File, killed: false }
    });
    Outcome { task: order.task, effort, ending }
}

fn attempt(order: &Order, give_up: &AtomicBool, effort: &mut Effort) -> io::Result<Ending> {
    let named =
        |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    for parent in order.states.iter().map(PathBuf::as_path).chain([&*order.results]).filter_map(Path::parent)
    {
        fs::create_dir_all(parent).map_err(|error| named(parent, error))?;
    }
    let _ = fs::remove_dir_all(&order.staging);
    fs::create_dir_all(&order.staging).map_err(|error| named(&order.staging, error))?;
    let (status, seen) = run(order, give_up).map_err(|error| named(&order.log, error))?;
    let Some(status) = status else { return Ok(Ending::Dropped) };
    effort.exit = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    (effort.cpu_seconds, effort.peak_memory) = told_usage(&order.staging);
    effort.cpu_seconds = effort.cpu_seconds.or(seen);
    if !DONE.contains(&effort.exit) {
        // Slurm tells all processes of a job to stop, ours and those that we have started.
        if status.signal().is_some_and(|signal| [libc::SIGTERM, libc::SIGINT, libc::SIGHUP].contains(&signal))
        {
            return Ok(Ending::Dropped);
        }
        let killed = status.signal() == Some(libc::SIGKILL);
        if let Some(signal) = status.signal() {
            let more = if killed { ", mostly for want of memory" } else { "" };
            say(&order.log, format_args!("ended by signal {signal}{more}"));
            return Ok(Ending::Failed { failure: Failure::Killed, killed });
        }
        return Ok(Ending::Failed { failure: Failure::Command, killed });
    }
    for input in &order.inputs {
        let now = Fingerprint::of(&input.path, order.checksum).map_err(|error| named(&input.path, error))?;
        if now != input.fingerprint {
            say(&order.log, format_args!("{}: it was changed while it was read", input.path.display()));
            return Ok(Ending::Failed { failure: Failure::Changed, killed: false });
        }
    }
    let outputs = if order.is_state {
        vec![output(&order.results, &order.root).map_err(|error| named(&order.results, error))?]
    } else {
        publish(order)?
    };
    Ok(Ending::Done(outputs))
}

/// Runs the command; `None` if it was given up. And its CPU seconds, where it makes a state, beside which no run file tells them.
fn run(order: &Order, give_up: &AtomicBool) -> io::Result<(Option<ExitStatus>, Option<f64>)> {
    if let Some(directory) = order.log.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut log = OpenOptions::new().create(true).append(true).open(&order.log)?;
    log.write_all(format!("{BEGINNING}{}\n", order.words.join(" ")).as_bytes())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(&order.words).current_dir(&order.staging).env(orphan::RUN, std::process::id().to_string());
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    for (name, _) in std::env::vars_os() {
        // It is no rank of ours.
        if ["OMPI_", "PMIX_", "PMI_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let mut cpu_seconds = None;
    loop {
        if order.is_state {
            // A process that has ended keeps its figures until it is waited for.
            cpu_seconds = cpu_seconds_of(child.id()).or(cpu_seconds);
        }
        if let Some(status) = child.try_wait()? {
            return Ok((Some(status), cpu_seconds));
        }
        if give_up.load(Ordering::Relaxed) {
            child.kill()?;
            child.wait()?;
            return Ok((None, None));
        }
        // Late by a hundredth of what it took, at most.
        std::thread::sleep(
            (begun.elapsed() / 128).clamp(Duration::from_micros(200), Duration::from_millis(50)),
        );
    }
}

/// CPU seconds of a process and its threads so far, where the system has them under /proc.
fn cpu_seconds_of(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name is in parentheses and may hold anything; utime and stime are the 12th and 13th fields behind it, in hundredths.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// Gives the directory its name; what had it is gone before.
fn publish(order: &Order) -> io::Result<Vec<Output>> {
    let named =
        |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut paths = Vec::new();
    files_below(&order.staging, &mut paths).map_err(|error| named(&order.staging, error))?;
    if paths.is_empty() {
        return Err(io::Error::other("it has written nothing"));
    }
    // Beside the staging, which is this task's alone.
    let mut old = order.staging.clone().into_os_string();
    old.push(".old");
    let old = PathBuf::from(old);
    match fs::rename(&order.results, &old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(&order.results, error)),
        _ => {}
    }
    fs::rename(&order.staging, &order.results).map_err(|error| named(&order.results, error))?;
    let _ = fs::remove_dir_all(&old);
    if let Some(parent) = order.results.parent() {
        // File systems that know no such sync are left alone.
        let _ = File::open(parent).and_then(|directory| directory.sync_all());
    }
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let published = order.results.join(path.strip_prefix(&order.staging).unwrap_or(path));
            output(&published, &order.root).map_err(|error| named(&published, error))
        })
        .collect()
}

fn output(path: &Path, root: &Path) -> io::Result<Output> {
    let (size, modified) = stat(path)?;
    let (blake3, _) = blake3_of(path)?;
    Ok(Output { path: path.strip_prefix(root).unwrap_or(path).to_owned(), size, modified, blake3 })
}

fn files_below(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// CPU seconds and greatest memory, as the command has told them in its run file.
fn told_usage(directory: &Path) -> (Option<f64>, Option<u64>) {
    let mut files = Vec::new();
    let _ = files_below(directory, &mut files);
    let run_file = files.iter().find(|path| path.to_string_lossy().ends_with("run.json"));
    let document: Option<serde_json::Value> =
        run_file.and_then(|path| serde_json::from_slice(&fs::read(path).ok()?).ok());
    let Some(document) = document else { return (None, None) };
    (document["cpu_seconds"].as_f64(), document["peak_memory_bytes"].as_u64())
}

/// Before the words of a command in a log.
const BEGINNING: &str = "$ norn ";

/// Adds to a log what the command itself could not say.
pub(super) fn say(log: &Path, what: impl std::fmt::Display) {
    let file = OpenOptions::new().create(true).append(true).open(log);
    // On a full disk the ledger tells that it failed, and no more.
    let _ = file.and_then(|mut file| file.write_all(format!("norn: {what}\n").as_bytes()));
}

/// The last thing in a log that the last command there has said.
pub(super) fn last_said(log: &Path) -> Option<String> {
    let log = fs::read(log).ok()?;
    let tail = &log[log.len().saturating_sub(1 << 14)..];
    let text = String::from_utf8_lossy(tail);
    let lines = text.lines().rev().take_while(|line| !line.starts_with(BEGINNING));
    let mut said =
        lines.filter_map(|line| line.strip_prefix("norn: ").or_else(|| line.strip_prefix("error: ")));
    said.next().map(str::to_owned)
}
