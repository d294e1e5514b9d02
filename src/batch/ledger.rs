//! The ledger: what was begun, what came of it. One JSON object a line, only ever added to.
//!
//! Times are for people: nothing is decided by them, so a clock that goes back does no harm. The order is that of the lines.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::Step;
use super::fingerprint::Fingerprint;
use super::run_dir::RunDir;

/// Why a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The ledger.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is not there, though something says that it was.
    #[error("{path}: it is gone, and {beside} is there", path = path.display(), beside = beside.display())]
    Gone {
        /// The file.
        path: PathBuf,
        /// What says so.
        beside: PathBuf,
    },
    /// A line is no event.
    #[error("{path}: line {line}: {what}", path = path.display())]
    Line {
        /// The ledger.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Number of the line, from 0.
    pub seq: u64,
    /// Number of the run that has written it, higher than those of all runs before it, whatever ledger they wrote.
    pub turn: u64,
    /// When, as RFC 3339 with milliseconds.
    pub time: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run began.
    Begin {
        /// Version of norn.
        version: String,
        /// Where rank 0 is.
        host: String,
        /// Its process.
        pid: u32,
        /// Slurm's job, and how often it was requeued.
        #[serde(skip_serializing_if = "Option::is_none")]
        slurm_job: Option<String>,
        /// Number of ranks.
        ranks: usize,
        /// BLAKE3 of settings and samples.
        night: String,
    },
    /// A task was handed to a node.
    Start {
        /// The task.
        task: TaskName,
        /// What decides its result.
        key: String,
        /// Which rank has it.
        rank: usize,
    },
    /// A task is done, and its results have their names.
    Done {
        /// The task.
        task: TaskName,
        /// What decides its result.
        key: String,
        /// Files of the sample that went in.
        inputs: Vec<Input>,
        /// Files that came out, below the run directory.
        outputs: Vec<Output>,
        /// How it went.
        #[serde(flatten)]
        effort: Effort,
    },
    /// A task failed.
    Failed {
        /// The task.
        task: TaskName,
        /// What decides its result.
        key: String,
        /// In what; why is in its log, which has the words of the sample's files and goes with them.
        #[serde(default)]
        failure: Failure,
        /// How it went.
        #[serde(flatten)]
        effort: Effort,
    },
    /// A task was given up because the run was to stop; it will be done again.
    Dropped {
        /// The task.
        task: TaskName,
    },
    /// A run ended.
    End {
        /// `done`, `failures` or `stopped`.
        outcome: String,
        /// Tasks that were done in this run.
        done: usize,
        /// Tasks that had been done before.
        kept: usize,
        /// Tasks that failed.
        failed: usize,
        /// Tasks that wait for one that failed, or were not reached.
        waiting: usize,
    },
    /// A sample was left out for want of consent.
    LeftOut {
        /// The sample.
        sample: String,
        /// Why.
        why: String,
    },
    /// A sample is not processed any more, and all that was made from it is about to be removed.
    Purging {
        /// The sample.
        sample: String,
    },
    /// All that was made from a sample was removed.
    Purge {
        /// The sample.
        sample: String,
        /// How many files that were.
        files: usize,
    },
}

impl Event {
    /// The sample that it is about.
    pub fn sample(&self) -> Option<&str> {
        match self {
            Event::Start { task, .. }
            | Event::Done { task, .. }
            | Event::Failed { task, .. }
            | Event::Dropped { task } => Some(&task.sample),
            Event::LeftOut { sample, .. } | Event::Purging { sample } | Event::Purge { sample, .. } => {
                Some(sample)
            }
            Event::Begin { .. } | Event::End { .. } => None,
        }
    }
}

/// In what a task failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The command said so by its exit code.
    #[default]
    Command,
    /// The system ended it by a signal.
    Killed,
    /// A file that goes in was changed while it was read.
    Changed,
    /// A file could not be read or written.
    File,
}

impl Failure {
    /// In words, for where there is no log.
    pub fn told(self) -> &'static str {
        match self {
            Failure::Command => "the command failed",
            Failure::Killed => "it was ended by a signal",
            Failure::Changed => "a file was changed while it was read",
            Failure::File => "a file could not be read or written",
        }
    }
}

/// A task by its sample, step and part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskName {
    /// The sample.
    pub sample: String,
    /// The step.
    pub step: Step,
    /// `3/8` for a part of a file; nothing for a whole step.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
}

impl TaskName {
    /// As files are named by it: SAMPLE.STEP, or SAMPLE.STEP.I-of-N for a part.
    pub fn file_name(&self) -> String {
        let mut name = format!("{}.{}", self.sample, self.step.name());
        if !self.part.is_empty() {
            name += &format!(".{}", self.part.replace('/', "-of-"));
        }
        name
    }
}

/// A file that went in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Where it is.
    pub path: PathBuf,
    /// What it was like.
    #[serde(flatten)]
    pub fingerprint: Fingerprint,
}

/// A file that came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Where it is, below the run directory.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// When it was written, in nanoseconds since 1970.
    pub modified: i64,
    /// BLAKE3 of all of it.
    pub blake3: String,
}

/// How a task went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// The command's exit code, or 128 and the signal that ended it.
    pub exit: i32,
    /// Seconds from beginning to end.
    pub seconds: f64,
    /// CPU seconds, where the command tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Greatest resident memory in bytes, where the command tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// Where.
    pub host: String,
}

/// Reads a ledger; what stands behind its last newline was never finished, and is left out.
///
/// # Errors
/// It cannot be read, or a line is no event.
pub fn read(path: &Path) -> Result<Vec<Line>, LedgerError> {
    let file = |source| LedgerError::File { path: path.to_owned(), source };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file(error)),
    };
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n').enumerate();
    lines
        .map(|(number, line)| {
            serde_json::from_slice(line).map_err(|error| LedgerError::Line {
                path: path.to_owned(),
                line: number + 1,
                what: error.to_string(),
            })
        })
        .collect()
}

/// The lines of all ledgers of a run directory, in the order of runs; those that ran at once have nothing to do with each other.
///
/// # Errors
/// One cannot be read.
pub fn read_all(run_dir: &RunDir) -> Result<Vec<Line>, LedgerError> {
    let file = |source| LedgerError::File { path: run_dir.root().to_owned(), source };
    let mut lines = Vec::new();
    for part in run_dir.parts("ledger").map_err(file)? {
        lines.extend(read(&run_dir.ledger(&part))?);
    }
    lines.sort_by_key(|line: &Line| line.turn);
    Ok(lines)
}

/// What the lines of all ledgers come to.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The last thing that became of each task.
    pub tasks: HashMap<TaskName, Became>,
    /// Samples whose results were removed, or are to be; they are not processed again.
    pub purged: BTreeSet<String>,
    /// Those of them of which it is not known whether all was removed.
    pub unfinished: BTreeSet<String>,
    /// Samples that were left out when they were last looked at, and why.
    pub left_out: HashMap<String, String>,
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Became {
    /// Begun; whether it goes on is not known.
    Started {
        /// When.
        time: String,
    },
    /// Done.
    Done(Box<Finished>),
    /// Failed.
    Failed {
        /// In what.
        failure: Failure,
        /// How it went.
        effort: Effort,
    },
    /// Given up.
    Dropped,
}

/// A task that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// What decides its result.
    pub key: String,
    /// What went in.
    pub inputs: Vec<Input>,
    /// What came out.
    pub outputs: Vec<Output>,
    /// How it went.
    pub effort: Effort,
    /// When, as RFC 3339.
    pub time: String,
}

impl State {
    /// Of lines in their order.
    pub fn of(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut state = Self::default();
        for line in lines {
            state.observe(line);
        }
        // A purge counts for all ledgers: parts of a job array have their own.
        let purged = &state.purged;
        state.tasks.retain(|task, _| !purged.contains(&task.sample));
        state
    }

    fn observe(&mut self, line: Line) {
        let time = line.time;
        match line.event {
            Event::Start { task, .. } => {
                self.left_out.remove(&task.sample);
                // A task that is begun again has no results under its name any more only when it is done.
                if !matches!(self.tasks.get(&task), Some(Became::Done(_))) {
                    self.tasks.insert(task, Became::Started { time });
                }
            }
            Event::Done { task, key, inputs, outputs, effort } => {
                let finished = Finished { key, inputs, outputs, effort, time };
                self.tasks.insert(task, Became::Done(Box::new(finished)));
            }
            Event::Failed { task, failure, effort, .. } => {
                self.tasks.insert(task, Became::Failed { failure, effort });
            }
            Event::Dropped { task } => {
                if !matches!(self.tasks.get(&task), Some(Became::Done(_))) {
                    self.tasks.insert(task, Became::Dropped);
                }
            }
            Event::Purging { sample } => {
                self.unfinished.insert(sample.clone());
                self.purged.insert(sample);
            }
            Event::Purge { sample, .. } => {
                self.unfinished.remove(&sample);
                self.purged.insert(sample);
            }
            Event::LeftOut { sample, why } => {
                self.left_out.insert(sample, why);
            }
            Event::Begin { .. } | Event::End { .. } => {}
        }
    }

    /// Whether a sample is not processed again.
    pub fn is_purged(&self, sample: &str) -> bool {
        self.purged.contains(sample)
    }

    /// The task as it was finished.
    pub fn finished(&self, task: &TaskName) -> Option<&Finished> {
        match self.tasks.get(task) {
            Some(Became::Done(finished)) => Some(finished),
            _ => None,
        }
    }
}
