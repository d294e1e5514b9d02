//! What lies where in a run directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::Step;
use super::ledger::TaskName;

/// The file that makes a directory one of a night.
pub const NIGHT: &str = "night.json";

/// The directory of a night.
#[derive(Clone, Debug)]
pub struct RunDir {
    root: PathBuf,
}

impl RunDir {
    /// At this path, which is made absolute.
    pub fn new(path: &Path) -> Self {
        Self { root: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) }
    }

    /// Makes the directories that all runs need.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn create(&self) -> io::Result<()> {
        [self.samples(), self.work(), self.logs()].iter().try_for_each(fs::create_dir_all)
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Settings and samples of the night.
    pub fn night(&self) -> PathBuf {
        self.root.join(NIGHT)
    }

    /// What was done: `ledger.jsonl`, or that of one part of a job array.
    pub fn ledger(&self, part: &str) -> PathBuf {
        self.root.join(named("ledger", part, "jsonl"))
    }

    /// The chain of hashes over it.
    pub fn audit(&self, part: &str) -> PathBuf {
        self.root.join(named("audit", part, "jsonl"))
    }

    /// Who works here.
    pub fn lock(&self, part: &str) -> PathBuf {
        self.root.join(named("lock", part, "json"))
    }

    /// The parts of which there are files of this kind (`ledger`, `audit` or `lock`), sorted.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn parts(&self, kind: &str) -> io::Result<Vec<String>> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(kind)?.strip_suffix(".jsonl"));
            let rest = rest.or_else(|| name.to_str()?.strip_prefix(kind)?.strip_suffix(".json"));
            match rest {
                Some("") => parts.push(String::new()),
                Some(part) => parts.extend(part.strip_prefix('.').map(str::to_owned)),
                None => {}
            }
        }
        parts.sort();
        Ok(parts)
    }

    /// All results of samples.
    pub fn samples(&self) -> PathBuf {
        self.root.join("samples")
    }

    /// The results of a step for a sample.
    pub fn results(&self, sample: &str, step: Step) -> PathBuf {
        self.samples().join(sample).join(step.name())
    }

    /// States of a sample's alignments: of parts, and of a pass that was cut off.
    pub fn states(&self, sample: &str) -> PathBuf {
        self.work().join("states").join(sample)
    }

    /// What is not finished, and states of parts.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Directories of runs in it, of those that are no more among them.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn stagings(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = super::traces::entries(&self.work())?;
        paths.retain(|path| !path.ends_with("states"));
        Ok(paths)
    }

    /// What tasks have said.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// What a task has said.
    pub fn log(&self, task: &TaskName) -> PathBuf {
        self.logs().join(format!("{}.log", task.file_name()))
    }

    /// The report.
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }

    /// A path below the directory as it is written down.
    pub fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

fn named(kind: &str, part: &str, ending: &str) -> String {
    if part.is_empty() { format!("{kind}.{ending}") } else { format!("{kind}.{part}.{ending}") }
}
