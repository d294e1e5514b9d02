//! Runs a night: hands out what is not done yet, and writes down what came of it.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::config::{OnFail, Step};
use super::crew::Crew;
use super::execute::{self, Ending, Order, Outcome};
use super::journal::Journal;
use super::ledger::{self, Event, Failure, Finished, Input, LedgerError, State};
use super::lock::{Lock, LockError};
use super::night::Night;
use super::plan::{self, Makes, Plan, Task};
use super::run_dir::RunDir;
use super::schedule::{Item, Room, Schedule};
use crate::compute::communicator::CommunicatorError;
use crate::compute::progress::Progress;
use crate::report::run_file::host;

/// Why a night cannot be run.
#[derive(Debug, Error)]
pub enum RunError {
    /// Somebody else works in the run directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Ranks cannot talk.
    #[error(transparent)]
    Ranks(#[from] CommunicatorError),
    /// A file or directory cannot be read or made.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file that all samples share cannot be read.
    #[error(transparent)]
    Shared(io::Error),
    /// The settings of the night cannot be kept.
    #[error(transparent)]
    Output(#[from] crate::formats::output::OutputError),
    /// Somebody has taken the lock away.
    #[error("the lock of the run directory was taken away; stopping")]
    LockLost,
}

impl RunError {
    /// Whether it is about what the run was given, or found: files of the settings, a ledger that was changed.
    pub fn is_of_input(&self) -> bool {
        match self {
            Self::Shared(_) => true,
            Self::Ledger(error) => !matches!(error, LedgerError::File { .. }),
            _ => false,
        }
    }
}

/// How long signals and the lock may wait to be looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// Exit code of a command that has done its work on a sample below its thresholds.
pub const BELOW_THRESHOLDS: i32 = 4;

/// How a run is told to stop: signals count up.
#[derive(Clone, Debug, Default)]
pub struct Stop(pub Arc<AtomicUsize>);

impl Stop {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tasks that were done in this run.
    pub done: usize,
    /// Tasks that had been done before.
    pub kept: usize,
    /// Tasks that failed.
    pub failed: usize,
    /// Tasks that wait for one that failed or was stopped, or were not reached.
    pub waiting: usize,
    /// Samples that are below their thresholds.
    pub below: usize,
    /// Whether the run was told to stop.
    pub stopped: bool,
}

/// A run of a night.
#[derive(Debug)]
pub struct Run<'r> {
    /// Settings, and the samples of this part.
    pub night: &'r Night,
    /// Settings and all samples, as status and report want them.
    pub whole: &'r Night,
    /// Where.
    pub run_dir: &'r RunDir,
    /// `3-of-8` for a part of a job array.
    pub part: &'r str,
    /// Do again what is done already.
    pub force: bool,
    /// No progress on stderr.
    pub quiet: bool,
    /// Told to stop.
    pub stop: Stop,
}

impl Run<'_> {
    /// Runs what is not done yet on a crew.
    ///
    /// # Errors
    /// The run directory is somebody else's, or the ledger cannot be written. What is done stays done.
    pub fn run(&self, mut crew: Crew<'_>, ranks: usize) -> Result<Tally, RunError> {
        self.run_dir.create().map_err(|source| self.error(self.run_dir.root(), source))?;
        let lock = Lock::take(self.run_dir, self.part)?;
        let staging = self.clean_staging()?;
        let mut journal = Journal::open(self.run_dir, self.part)?;
        self.whole.write(self.run_dir, &staging)?;
        journal.append(Event::Begin {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: host().unwrap_or_default(),
            pid: std::process::id(),
            slurm_job: std::env::var("SLURM_JOB_ID").ok(),
            ranks,
            night: self.night.hash(),
        })?;
        let state = read_state(self.run_dir)?;
        for left_out in &self.night.left_out {
            let (sample, why) = (left_out.sample.name.clone(), left_out.why.clone());
            // Once is enough.
            if state.left_out.get(&sample) != Some(&why) {
                journal.append(Event::LeftOut { sample, why })?;
            }
        }
        let plan = Plan::new(self.night, self.run_dir).map_err(RunError::Shared)?;
        let mut shift = Shift::new(self, plan, crew.rooms(), staging, journal, state);
        let worked = shift.work(&mut crew, &lock);
        let gone_home = crew.go_home();
        let tally = worked?;
        gone_home?;
        shift.end(tally)?;
        let _ = fs::remove_dir_all(&shift.staging);
        Ok(tally)
    }

    /// Directories of runs that are no more are removed: by our lock all but those of other parts of this job array. Gives that of this run.
    fn clean_staging(&self) -> Result<PathBuf, RunError> {
        let work = self.run_dir.work();
        let siblings = self.part.split_once("-of-").map(|(_, of)| format!("-of-{of}"));
        for path in self.run_dir.stagings().map_err(|source| self.error(&work, source))? {
            let owner = path.file_stem().unwrap_or_default().to_string_lossy();
            if owner == self.part || !siblings.as_ref().is_some_and(|ending| owner.ends_with(ending)) {
                fs::remove_dir_all(&path).map_err(|source| self.error(&path, source))?;
            }
        }
        let owner = if self.part.is_empty() { "run" } else { self.part };
        Ok(work.join(format!("{owner}.{}", std::process::id())))
    }

    fn error(&self, path: &std::path::Path, source: io::Error) -> RunError {
        RunError::File { path: path.to_owned(), source }
    }
}

/// What all ledgers of a run directory come to.
///
/// # Errors
/// One cannot be read.
pub fn read_state(run_dir: &RunDir) -> Result<State, LedgerError> {
    Ok(State::of(ledger::read_all(run_dir)?))
}

/// Whether a finished task need not be done again.
pub fn is_up_to_date(key: &str, finished: Option<&Finished>, run_dir: &RunDir) -> bool {
    finished.is_some_and(|finished| finished.key == key && plan::is_kept(finished, run_dir))
}

/// A run at work.
struct Shift<'r> {
    run: &'r Run<'r>,
    plan: Plan,
    schedule: Schedule,
    state: State,
    journal: Journal,
    staging: PathBuf,
    /// Of tasks that were begun: what decides their result, and what went in.
    begun: Vec<Option<(String, Vec<Input>)>>,
    /// Tasks that were looked at when they became ready.
    looked_at: Vec<bool>,
    tries: Vec<u32>,
    memory: Vec<u64>,
    tally: Tally,
    progress: Progress,
}

impl<'r> Shift<'r> {
    fn new(
        run: &'r Run<'r>,
        plan: Plan,
        rooms: &[Room],
        staging: PathBuf,
        journal: Journal,
        state: State,
    ) -> Self {
        let item = |task: &Task| Item {
            cost: task.cost,
            room: Room { threads: task.threads, memory: task.memory },
            after: task.after.clone(),
        };
        let schedule = Schedule::new(plan.tasks.iter().map(item).collect(), rooms);
        let count = plan.tasks.len();
        let total = plan.tasks.iter().map(|task| task.cost).sum();
        let memory = plan.tasks.iter().map(|task| task.memory).collect();
        Self {
            run,
            plan,
            schedule,
            state,
            journal,
            staging,
            begun: vec![None; count],
            looked_at: vec![false; count],
            tries: vec![0; count],
            memory,
            tally: Tally { waiting: count, ..Tally::default() },
            progress: Progress::new(Some(total), "batch", run.quiet),
        }
    }

    fn work(&mut self, crew: &mut Crew<'_>, lock: &Lock) -> Result<Tally, RunError> {
        let mut told_at: Option<Instant> = None;
        let mut given_up = false;
        let grace = Duration::from_secs(self.run.night.config.run.grace_seconds);
        loop {
            if told_at.is_none() && self.run.stop.count() > 0 {
                told_at = Some(Instant::now());
                self.tally.stopped = true;
            }
            // Told twice, or nobody waits any longer.
            let over = told_at.is_some_and(|at| at.elapsed() >= grace || self.run.stop.count() > 1);
            if over && !given_up {
                crew.give_up()?;
                given_up = true;
            }
            if lock.is_lost() {
                crew.give_up()?;
                self.drain(crew)?;
                return Err(RunError::LockLost);
            }
            if told_at.is_none() {
                let handed = self.keep_what_is_done().and_then(|()| self.hand_out(crew));
                if let Err(error) = handed {
                    crew.give_up()?;
                    self.drain(crew)?;
                    return Err(error);
                }
            }
            if self.schedule.running() == 0 {
                return Ok(self.tally);
            }
            if let Some(outcome) = crew.came(PAUSE)?
                && let Err(error) = self.note(outcome)
            {
                crew.give_up()?;
                self.drain(crew)?;
                return Err(error);
            }
        }
    }

    /// Waits for what runs, and writes nothing down.
    fn drain(&mut self, crew: &mut Crew<'_>) -> Result<(), RunError> {
        while self.schedule.running() > 0 {
            if let Some(outcome) = crew.came(PAUSE)? {
                self.schedule.failed(outcome.task);
            }
        }
        Ok(())
    }

    /// Tasks that could start, and need not.
    fn keep_what_is_done(&mut self) -> Result<(), RunError> {
        loop {
            let ready: Vec<usize> = self.schedule.ready().filter(|&task| !self.looked_at[task]).collect();
            if ready.is_empty() {
                return Ok(());
            }
            for task in ready {
                self.looked_at[task] = true;
                if self.need_not(task) {
                    self.forget_states(task);
                    let goes_on = self.judge(task);
                    self.schedule.keep(task, goes_on);
                    self.tally.kept += 1;
                    self.tally.waiting -= 1;
                    self.progress.add(self.plan.tasks[task].cost, 0);
                }
            }
        }
    }

    /// Whether a task is done already; a part need not be done when what it is a part of is.
    fn need_not(&mut self, number: usize) -> bool {
        let task = &self.plan.tasks[number];
        // What cannot be read fails when it is handed out.
        let Ok(inputs) = self.plan.inputs(task) else { return false };
        let is_done = |of: &Task| {
            let key = self.plan.key(of, &inputs, self.plan.calls_key(of, &self.state));
            is_up_to_date(&key, self.state.finished(&of.name), self.run.run_dir)
        };
        !self.run.force
            && (is_done(task) || task.part_of.is_some_and(|whole| is_done(&self.plan.tasks[whole])))
    }

    fn hand_out(&mut self, crew: &mut Crew<'_>) -> Result<(), RunError> {
        while let Some((number, node)) = self.schedule.start() {
            let task = &self.plan.tasks[number];
            let inputs = match self.plan.inputs(task) {
                Ok(inputs) => inputs,
                Err(error) => {
                    execute::say(&self.run.run_dir.log(&task.name), error);
                    let ending = Ending::Failed { failure: Failure::File, killed: false };
                    self.note(Outcome { task: number, effort: ledger::Effort::default(), ending })?;
                    continue;
                }
            };
            let key = self.plan.key(task, &inputs, self.plan.calls_key(task, &self.state));
            let order = self.order(number, inputs.clone());
            self.journal.append(Event::Start { task: task.name.clone(), key: key.clone(), rank: node })?;
            self.begun[number] = Some((key, inputs));
            crew.hand(node, order)?;
        }
        Ok(())
    }

    fn order(&self, number: usize, inputs: Vec<Input>) -> Order {
        let (task, run_dir) = (&self.plan.tasks[number], self.run.run_dir);
        let threads = self.schedule.threads(number).to_string();
        let calls = self
            .plan
            .calls_path(task, run_dir)
            .map_or_else(String::new, |path| path.to_string_lossy().into_owned());
        // The command runs in the directory that it writes to.
        let filled = |word: &String| plan::filled(word, ".", &threads, &calls);
        let (results, is_state, states) = match &task.makes {
            Makes::Results { directory, states } => (directory.clone(), false, states.clone()),
            Makes::State(path) => (path.clone(), true, Vec::new()),
        };
        Order {
            task: number,
            words: task.words.iter().map(filled).collect(),
            inputs,
            checksum: self.run.night.config.run.checksum,
            staging: self.staging.join(task.name.file_name()),
            results,
            is_state,
            states,
            log: run_dir.log(&task.name),
            root: run_dir.root().to_owned(),
        }
    }

    /// Writes down what came of a task.
    fn note(&mut self, outcome: Outcome) -> Result<(), RunError> {
        let number = outcome.task;
        let task = &self.plan.tasks[number];
        let (key, inputs) = self.begun[number].clone().unwrap_or_default();
        let name = task.name.clone();
        match outcome.ending {
            Ending::Done(outputs) => {
                let effort = outcome.effort;
                self.journal.append(Event::Done {
                    task: name.clone(),
                    key: key.clone(),
                    inputs: inputs.clone(),
                    outputs: outputs.clone(),
                    effort: effort.clone(),
                })?;
                let finished = Finished { key, inputs, outputs, effort, time: String::new() };
                self.state.tasks.insert(name, ledger::Became::Done(Box::new(finished)));
                self.progress.add(task.cost, 0);
                self.tally.done += 1;
                self.tally.waiting -= 1;
                self.forget_states(number);
                if self.judge(number) {
                    self.schedule.done(number);
                } else {
                    self.schedule.failed(number);
                }
            }
            Ending::Failed { failure, killed } => {
                let effort = outcome.effort;
                self.journal.append(Event::Failed { task: name, key, failure, effort })?;
                self.tries[number] += 1;
                if killed && self.tries[number] <= self.run.night.config.run.retries {
                    self.memory[number] = self.memory[number].saturating_mul(2);
                    self.schedule.again(number, self.memory[number]);
                } else {
                    self.schedule.failed(number);
                    self.tally.failed += 1;
                    self.tally.waiting -= 1;
                    // Names of samples are in the ledger, and in no line of a log.
                    let step = task.name.step.name();
                    eprintln!(
                        "norn: batch: {step} of the sample in line {} failed; norn batch status tells why",
                        task.line
                    );
                }
            }
            Ending::Dropped => {
                self.journal.append(Event::Dropped { task: name })?;
                // A whole job is told to stop, our process not always first.
                std::thread::sleep(if self.run.stop.count() == 0 {
                    Duration::from_secs(1)
                } else {
                    Duration::ZERO
                });
                self.tries[number] += 1;
                if self.tries[number] <= self.run.night.config.run.retries {
                    self.schedule.again(number, self.memory[number]);
                } else {
                    self.schedule.failed(number);
                }
            }
        }
        Ok(())
    }

    /// Once the ledger has a sample's figures, the states that they were made of are not needed any more. Not sooner: when this run ends between
    /// the two, parts would have to be counted again.
    fn forget_states(&self, number: usize) {
        let task = &self.plan.tasks[number];
        if task.name.step == Step::Qc && task.part_of.is_none() {
            // Mostly there is none.
            let _ = fs::remove_dir_all(self.run.run_dir.states(&task.name.sample));
        }
    }

    /// Counts the verdict of a finished task; whether the sample goes on.
    fn judge(&mut self, number: usize) -> bool {
        let task = &self.plan.tasks[number];
        let is_verdict = task.name.step == Step::Qc && task.part_of.is_none();
        let exit = self.state.finished(&task.name).map_or(0, |finished| finished.effort.exit);
        if !is_verdict || exit != BELOW_THRESHOLDS {
            return true;
        }
        self.tally.below += 1;
        self.run.night.config.qc.on_fail == OnFail::GoOn
    }

    fn end(&mut self, tally: Tally) -> Result<(), LedgerError> {
        let outcome = if tally.stopped {
            "stopped"
        } else if tally.failed > 0 {
            "failures"
        } else {
            "done"
        };
        self.journal.append(Event::End {
            outcome: outcome.to_owned(),
            done: tally.done,
            kept: tally.kept,
            failed: tally.failed,
            waiting: tally.waiting,
        })?;
        self.journal.sync()
    }
}
