//! What there is of samples in a run directory: results, states, logs, and what killed runs have left in `work/`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::Step;
use super::ledger::State;
use super::night::Night;
use super::run_dir::RunDir;

/// Files and directories by the sample that they are of.
#[derive(Clone, Debug, Default)]
pub struct Traces(HashMap<String, Vec<PathBuf>>);

impl Traces {
    /// Looks through a run directory.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn read(run_dir: &RunDir) -> io::Result<Self> {
        let mut traces = Self::default();
        let states = run_dir.work().join("states");
        for directory in [run_dir.samples(), states] {
            for path in entries(&directory)? {
                let sample = name_of(&path);
                traces.add(&sample, path);
            }
        }
        for path in entries(&run_dir.logs())? {
            let name = name_of(&path);
            if let Some(sample) = name.strip_suffix(".log").and_then(owner_of) {
                traces.add(sample, path);
            }
        }
        for staging in run_dir.stagings()? {
            for path in entries(&staging)? {
                let name = name_of(&path);
                if let Some(sample) = owner_of(name.strip_suffix(".old").unwrap_or(&name)) {
                    traces.add(sample, path);
                }
            }
        }
        Ok(traces)
    }

    /// What there is of a sample.
    pub fn of(&self, sample: &str) -> &[PathBuf] {
        self.0.get(sample).map_or(&[], Vec::as_slice)
    }

    /// Lines that tell of results that should not be there: of samples that are left out now, and of those whose purge was cut off. They name no
    /// sample: what a run says is read by many.
    pub fn told(&self, night: &Night, state: &State) -> Vec<String> {
        let unfinished = match state.unfinished.len() {
            0 => None,
            count => Some(format!(
                "{count} of the purges in the ledger did not come to their end; norn batch purge SAMPLE finishes one"
            )),
        };
        self.without_consent(night).into_iter().chain(unfinished).collect()
    }

    fn without_consent(&self, night: &Night) -> Option<String> {
        let samples = night.left_out.iter().map(|left_out| &left_out.sample);
        let mut lines: Vec<u64> =
            samples.filter(|sample| !self.of(&sample.name).is_empty()).map(|sample| sample.line).collect();
        let count = lines.len();
        if count == 0 {
            return None;
        }
        lines.sort_unstable();
        let mut of = lines.iter().take(MOST).map(u64::to_string).collect::<Vec<_>>().join(", ");
        if count > MOST {
            of += ", ...";
        }
        let (noun, line) = if count == 1 { ("sample", "line") } else { ("samples", "lines") };
        Some(format!(
            "results of {count} {noun} without consent ({line} {of} of the sheet) are still there; norn batch purge SAMPLE removes them"
        ))
    }

    fn add(&mut self, sample: &str, path: PathBuf) {
        self.0.entry(sample.to_owned()).or_default().push(path);
    }
}

/// How many lines of a sheet are named in a line.
const MOST: usize = 10;

/// The sample of a task's name, SAMPLE.STEP or SAMPLE.STEP.I-of-N; names of samples may have dots, too.
fn owner_of(name: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_part = |text: &str| text.split_once("-of-").is_some_and(|(at, of)| is_number(at) && is_number(of));
    let name = match name.rsplit_once('.') {
        Some((whole, part)) if is_part(part) => whole,
        _ => name,
    };
    let (sample, step) = name.rsplit_once('.')?;
    Step::ALL.iter().any(|known| known.name() == step).then_some(sample)
}

/// What lies in a directory; nothing where there is none.
pub(super) fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(gone) if matches!(gone.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(other) => return Err(other),
    };
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tasks_tell_their_sample() {
        for (name, sample) in [
            ("x.qc", Some("x")),
            ("x.qc.3-of-12", Some("x")),
            ("x.qc.qc", Some("x.qc")),
            ("x.qc.1-of-2.qc", Some("x.qc.1-of-2")),
            ("x.qc.1-of-2.qc.1-of-2", Some("x.qc.1-of-2")),
            ("x.annotate.prs", Some("x.annotate")),
            ("x.qc.1-of-", None),
            ("x.qcs", None),
            ("x", None),
            ("qc", None),
        ] {
            assert_eq!(owner_of(name), sample, "{name}");
        }
    }
}
