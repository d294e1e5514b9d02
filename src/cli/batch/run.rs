//! `norn batch run` and `resume`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::Ordering;

use clap::Args;

use super::inputs::{NightArguments, RoomArguments};
use crate::batch::crew::{self, Crew};
use crate::batch::night::Night;
use crate::batch::plan::Plan;
use crate::batch::run::{Run, Stop, Tally, read_state};
use crate::batch::run_dir::RunDir;
use crate::batch::traces::Traces;
use crate::cli::exit;
use crate::cli::qc;
use crate::compute::communicator::Communicator;

/// Do what is not done yet of a night. Under mpirun or srun all ranks share the work; a job array shares it by --part.
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    night: NightArguments,

    #[command(flatten)]
    how: HowArguments,

    /// The run directory: results, ledger, logs
    #[arg(short, long, value_name = "RUN_DIR")]
    output: PathBuf,
}

/// Go on with a night as it was begun, with the settings and samples of its run directory.
#[derive(Debug, Args)]
pub(super) struct ResumeArguments {
    /// The run directory
    #[arg(short, long, value_name = "RUN_DIR")]
    output: PathBuf,

    #[command(flatten)]
    how: HowArguments,
}

#[derive(Debug, Args)]
struct HowArguments {
    #[command(flatten)]
    room: RoomArguments,

    /// Only every N-th sample from the I-th on, as a task of a job array [default: all; SLURM_ARRAY_TASK_ID is not looked at]
    #[arg(long, value_name = "I/N")]
    part: Option<String>,

    /// Do again what is done already
    #[arg(long)]
    force: bool,

    /// A command for the shell at the end; it finds NORN_RUN_DIR, NORN_OUTCOME (done, below, failures, stopped, error) and NORN_PART
    /// (3-of-8 with --part 3/8, else empty) in its environment
    #[arg(long, value_name = "COMMAND")]
    notify_cmd: Option<String>,

    /// No progress on stderr
    #[arg(short, long)]
    quiet: bool,
}

impl RunArguments {
    /// Runs the command.
    pub(super) fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let night = self.night.night()?;
        let run_dir = RunDir::new(&self.output);
        let night = without_purged(night, &run_dir)?;
        self.how.run(&night, &run_dir, ranks)
    }
}

impl ResumeArguments {
    /// Runs the command.
    pub(super) fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let run_dir = RunDir::new(&self.output);
        // Consent may have been withdrawn since.
        let night = without_purged(Night::read(&run_dir)?.anew()?, &run_dir)?;
        self.how.run(&night, &run_dir, ranks)
    }
}

impl HowArguments {
    fn run(&self, night: &Night, run_dir: &RunDir, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let stop = Stop::default();
        listen(&stop)?;
        let room = self.room.room(night.config.run.memory)?;
        if !ranks.is_root() {
            crew::serve(ranks, room)?;
            return Ok(ExitCode::SUCCESS);
        }
        let (share, part) = match self.part.as_deref().map(qc::part).transpose()? {
            None => (night.clone(), String::new()),
            Some((number, of)) => (Plan::share(night, number, of), format!("{number}-of-{of}")),
        };
        let crew = Crew::gather(ranks, room)?;
        let run = Run {
            night: &share,
            whole: night,
            run_dir,
            part: &part,
            force: self.force,
            quiet: self.quiet,
            stop,
        };
        let tell = |outcome: &str| {
            if let Some(command) = self.notify_cmd.as_ref().or(night.config.run.notify_cmd.as_ref()) {
                notify(command, run_dir.root(), &part, outcome);
            }
        };
        let tally = run.run(crew, ranks.size()).inspect_err(|_| tell("error"))?;
        let (outcome, code) = outcome(&tally);
        eprintln!(
            "norn: batch: {} done, {} kept, {} failed, {} not run{}",
            tally.done,
            tally.kept,
            tally.failed,
            tally.waiting,
            if tally.stopped { "; stopped as told, run it again to go on" } else { "" }
        );
        for told in Traces::read(run_dir)?.told(night, &read_state(run_dir)?) {
            eprintln!("norn: batch: {told}");
        }
        tell(outcome);
        Ok(code)
    }
}

/// A night without the samples that were purged in its run directory.
fn without_purged(night: Night, run_dir: &RunDir) -> anyhow::Result<Night> {
    if !run_dir.root().is_dir() {
        return Ok(night);
    }
    let state = read_state(run_dir)?;
    let count = state.purged.iter().filter(|sample| night.has(sample)).count();
    if count > 0 {
        eprintln!("norn: batch: {count} of the samples were purged here and are not processed again");
    }
    Ok(night.without(state.purged.iter().map(String::as_str)))
}

fn outcome(tally: &Tally) -> (&'static str, ExitCode) {
    if tally.stopped {
        ("stopped", ExitCode::from(exit::TRY_AGAIN))
    } else if tally.failed > 0 {
        ("failures", ExitCode::from(exit::FAILURE))
    } else if tally.below > 0 {
        ("below", ExitCode::from(exit::BELOW_THRESHOLDS))
    } else {
        ("done", ExitCode::SUCCESS)
    }
}

/// Signals of a user, of a terminal that closes, and of Slurm (SIGTERM at the end, whatever --signal says before it).
fn listen(stop: &Stop) -> std::io::Result<()> {
    let mut signals =
        signal_hook::iterator::Signals::new([libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1])?;
    let count = std::sync::Arc::clone(&stop.0);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    })?;
    Ok(())
}

fn notify(command: &str, run_dir: &Path, part: &str, outcome: &str) {
    let status = Command::new("/bin/sh")
        .args(["-c", command])
        .env("NORN_RUN_DIR", run_dir)
        .env("NORN_OUTCOME", outcome)
        .env("NORN_PART", part)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("norn: the command of notify_cmd ended with {status}"),
        Err(error) => eprintln!("norn: the command of notify_cmd: {error}"),
    }
}
