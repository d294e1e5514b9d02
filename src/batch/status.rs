//! How a night stands, also while it runs: from the ledgers, and of what failed from its log.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use super::config::Step;
use super::execute::last_said;
use super::ledger::{Became, State};
use super::night::Night;
use super::plan::{Plan, Sizes, Task};
use super::run_dir::RunDir;

/// What becomes of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Now {
    /// Done, and its results are there.
    Done,
    /// Begun.
    Running,
    /// Not begun, or given up.
    Waiting,
    /// Failed.
    Failed,
}

/// A step over all samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepStatus {
    /// Tasks by what becomes of them: done, running, waiting, failed.
    pub counts: [usize; 4],
    /// Bytes that done tasks have read, and all.
    pub bytes: (u64, u64),
    /// Seconds that done tasks took, taken together.
    pub seconds: f64,
    /// CPU seconds of them, as far as they are known.
    pub cpu_seconds: f64,
    /// Greatest memory of a task.
    pub peak_memory: u64,
}

/// A night.
#[derive(Clone, Debug)]
pub struct Status {
    /// By step, in the order of the settings.
    pub steps: Vec<(Step, StepStatus)>,
    /// Failed tasks: line of the sheet, sample, step, part, why, log.
    pub failures: Vec<Failure>,
    /// By sample: what becomes of each of its steps.
    pub samples: Vec<(String, BTreeMap<Step, Now>)>,
    /// Seconds until the rest is done, going by the bytes that were read while tasks ran.
    pub left: Option<Duration>,
}

/// A failed task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Line of the sheet.
    pub line: u64,
    /// The sample.
    pub sample: String,
    /// The step, with the part.
    pub step: String,
    /// Why.
    pub why: String,
}

impl Status {
    /// Of a run directory.
    pub fn of(night: &Night, run_dir: &RunDir, state: &State, is_running: bool) -> Self {
        let plan = Plan::sketch(night, run_dir, Sizes::Files);
        let mut steps: Vec<(Step, StepStatus)> =
            night.config.steps.iter().map(|&step| (step, StepStatus::default())).collect();
        let mut samples: BTreeMap<String, BTreeMap<Step, Now>> = BTreeMap::new();
        let mut failures = Vec::new();
        let mut spans = Vec::new();
        for task in &plan.tasks {
            let now = now_of(task, &plan, state, is_running);
            let Some((_, status)) = steps.iter_mut().find(|(step, _)| *step == task.name.step) else {
                continue;
            };
            status.counts[now as usize] += 1;
            status.bytes.1 += task.cost;
            if now == Now::Done {
                status.bytes.0 += task.cost;
            }
            match state.tasks.get(&task.name) {
                Some(Became::Done(finished)) => {
                    status.seconds += finished.effort.seconds;
                    status.cpu_seconds += finished.effort.cpu_seconds.unwrap_or(0.0);
                    status.peak_memory = status.peak_memory.max(finished.effort.peak_memory.unwrap_or(0));
                    let ended = humantime::parse_rfc3339(&finished.time).ok();
                    let begun = ended.and_then(|at| {
                        at.checked_sub(Duration::try_from_secs_f64(finished.effort.seconds).ok()?)
                    });
                    spans.extend(begun.zip(ended));
                }
                Some(Became::Failed { failure, .. }) if now == Now::Failed => failures.push(Failure {
                    line: task.line,
                    sample: task.name.sample.clone(),
                    step: format!("{} {}", task.name.step.name(), task.name.part).trim_end().to_owned(),
                    why: last_said(&run_dir.log(&task.name)).unwrap_or_else(|| failure.told().to_owned()),
                }),
                _ => {}
            }
            let of_sample = samples.entry(task.name.sample.clone()).or_default();
            let worst = of_sample.entry(task.name.step).or_insert(now);
            *worst = (*worst).max(now);
        }
        let bytes = steps.iter().fold((0, 0), |sum, (_, step)| (sum.0 + step.bytes.0, sum.1 + step.bytes.1));
        let worked = covered(spans);
        let left = Some(worked).filter(|_| is_running && bytes.0 > 0).and_then(|worked| {
            Duration::try_from_secs_f64(worked.as_secs_f64() / bytes.0 as f64 * (bytes.1 - bytes.0) as f64)
                .ok()
        });
        let samples = night.samples.iter().filter_map(|sample| samples.remove_entry(&sample.name)).collect();
        Self { steps, failures, samples, left }
    }

    /// Whether nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|(_, step)| step.counts[1..] == [0, 0, 0])
    }

    /// A table by step, the failures, and by sample where `by_sample`.
    pub fn to_text(&self, by_sample: bool) -> String {
        let mut text = format!(
            "{:10}{:>8}{:>9}{:>9}{:>8}{:>10}{:>10}{:>11}{:>9}\n",
            "step", "done", "running", "waiting", "failed", "GB done", "of GB", "CPU s", "peak MB"
        );
        for (step, status) in &self.steps {
            let [done, running, waiting, failed] = status.counts;
            let giga = |bytes: u64| bytes as f64 / 1e9;
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:10}{done:>8}{running:>9}{waiting:>9}{failed:>8}{:>10.2}{:>10.2}{:>11.1}{:>9}",
                step.name(),
                giga(status.bytes.0),
                giga(status.bytes.1),
                status.cpu_seconds,
                status.peak_memory >> 20
            );
        }
        if let Some(left) = self.left {
            let _ = writeln!(
                text,
                "about {} left",
                humantime::format_duration(Duration::from_secs(left.as_secs()))
            );
        }
        for failure in &self.failures {
            let _ = writeln!(
                text,
                "failed: {} (line {}) {}: {}",
                failure.sample, failure.line, failure.step, failure.why
            );
        }
        if by_sample {
            let _ = writeln!(
                text,
                "\nsample\t{}",
                self.steps.iter().map(|(step, _)| step.name()).collect::<Vec<_>>().join("\t")
            );
            for (sample, steps) in &self.samples {
                let words = self.steps.iter().map(|(step, _)| steps.get(step).map_or("-", |now| now.word()));
                let _ = writeln!(text, "{sample}\t{}", words.collect::<Vec<_>>().join("\t"));
            }
        }
        text
    }
}

impl Now {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Now::Done => "done",
            Now::Running => "running",
            Now::Waiting => "waiting",
            Now::Failed => "failed",
        }
    }
}

/// The time in which at least one of the spans went on.
fn covered(mut spans: Vec<(SystemTime, SystemTime)>) -> Duration {
    spans.sort();
    let (mut sum, mut until) = (Duration::ZERO, SystemTime::UNIX_EPOCH);
    for (begin, end) in spans {
        sum += end.duration_since(begin.max(until)).unwrap_or_default();
        until = until.max(end);
    }
    sum
}

/// What becomes of a task; parts of what is done are done.
fn now_of(task: &Task, plan: &Plan, state: &State, is_running: bool) -> Now {
    let whole = task.part_of.map(|whole| &plan.tasks[whole].name);
    if whole.is_some_and(|whole| state.finished(whole).is_some()) {
        return Now::Done;
    }
    match state.tasks.get(&task.name) {
        Some(Became::Done(_)) => Now::Done,
        Some(Became::Failed { .. }) => Now::Failed,
        Some(Became::Started { .. }) if is_running => Now::Running,
        _ => Now::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_not_worked() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (spans, seconds) in [
            (&[][..], 0),
            (&[(10, 20)], 10),
            (&[(10, 20), (12, 15), (15, 25)], 15),
            (&[(100, 101), (10, 20)], 11),
            (&[(5, 3)], 0),
        ] {
            let spans = spans.iter().map(|&(begin, end)| (at(begin), at(end))).collect();
            assert_eq!(covered(spans), Duration::from_secs(seconds));
        }
    }
}
