//! `norn batch plan`, `status` and `verify`: what looks and changes nothing.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::inputs::NightArguments;
use super::print;
use crate::batch::audit;
use crate::batch::lock::Lock;
use crate::batch::night::Night;
use crate::batch::plan::Plan;
use crate::batch::run::{is_up_to_date, read_state};
use crate::batch::run_dir::RunDir;
use crate::batch::status::Status;
use crate::batch::traces::Traces;
use crate::cli::exit;

/// Check settings and samples, and print the tasks of the night: sample, step, part, bytes to read, whether it is done, and
/// the command.
#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    night: NightArguments,

    /// The run directory
    #[arg(short, long, value_name = "RUN_DIR")]
    output: PathBuf,
}

/// Tell how a night stands, also while it runs.
#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    /// The run directory
    #[arg(short, long, value_name = "RUN_DIR")]
    output: PathBuf,

    /// A line for each sample, too
    #[arg(long)]
    by_sample: bool,
}

/// Check the ledger against its chain of hashes, and all results against the ledger.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The run directory
    #[arg(short, long, value_name = "RUN_DIR")]
    output: PathBuf,

    /// A head that a report has told, now or earlier: a chain must have it. Of parts each has its own
    #[arg(long, value_name = "HASH")]
    head: Vec<String>,
}

impl PlanArguments {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let night = self.night.night()?;
        let run_dir = RunDir::new(&self.output);
        let state = if run_dir.root().is_dir() {
            read_state(&run_dir)?
        } else {
            crate::batch::ledger::State::default()
        };
        let purged: Vec<_> = state.purged.iter().filter(|sample| night.has(sample)).collect();
        let night = night.without(purged.iter().map(|sample| sample.as_str()));
        let plan = Plan::new(&night, &run_dir)?;
        let mut text = String::from("sample\tstep\tpart\tbytes\tstate\tcommand\n");
        for task in &plan.tasks {
            let whole = task.part_of.map_or(task, |whole| &plan.tasks[whole]);
            let inputs = plan.inputs(task)?;
            let calls = plan.calls_key(whole, &state);
            let waits = whole.calls_of.is_some() && calls.is_none();
            let is_done = !waits
                && is_up_to_date(&plan.key(whole, &inputs, calls), state.finished(&whole.name), &run_dir);
            text += &format!(
                "{}\t{}\t{}\t{}\t{}\tnorn {}\n",
                task.name.sample,
                task.name.step.name(),
                if task.name.part.is_empty() { "-" } else { &task.name.part },
                task.cost,
                if is_done { "done" } else { "to do" },
                plan.command(task, &run_dir).join(" ")
            );
        }
        for left_out in &night.left_out {
            text += &format!("{}\t-\t-\t0\tleft out: {}\t-\n", left_out.sample.name, left_out.why);
        }
        for sample in purged {
            text += &format!("{sample}\t-\t-\t0\tleft out: it was purged\t-\n");
        }
        print(&text);
        Ok(ExitCode::SUCCESS)
    }
}

impl StatusArguments {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let run_dir = RunDir::new(&self.output);
        let night = Night::read(&run_dir)?;
        // How a night stands is told whatever has become of the consent file.
        let night = night.clone().anew().unwrap_or_else(|problems| {
            eprintln!("norn: {problems}");
            night
        });
        let holders = Lock::holders(&run_dir)?;
        let state = read_state(&run_dir)?;
        let night = night.without(state.purged.iter().map(String::as_str));
        let status = Status::of(&night, &run_dir, &state, !holders.is_empty());
        let mut text = status.to_text(self.by_sample);
        for told in Traces::read(&run_dir)?.told(&night, &state) {
            text += &format!("{told}\n");
        }
        for holder in &holders {
            text += &format!("runs: process {} on {}, since {}\n", holder.pid, holder.host, holder.since);
        }
        print(&text);
        Ok(ExitCode::SUCCESS)
    }
}

impl VerifyArguments {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let run_dir = RunDir::new(&self.output);
        let parts = audit::parts(&run_dir)?;
        if parts.is_empty() {
            anyhow::bail!(
                "{}: there is no ledger: is this a run directory of norn batch?",
                run_dir.root().display()
            );
        }
        let mut text = String::new();
        let mut known: HashSet<String> = HashSet::new();
        for part in parts {
            let chain = audit::verify(&run_dir, &part)?;
            let ledger = run_dir.ledger(&part);
            text += &format!("{}\t{} lines\t{}\n", ledger.display(), chain.hashes.len(), chain.head());
            known.extend(chain.hashes);
        }
        if let Some(head) = self.head.iter().find(|head| !known.contains(*head)) {
            anyhow::bail!("no chain has {head}: lines were cut off, or all were written anew");
        }
        let state = read_state(&run_dir)?;
        let mut changed = 0;
        let mut finished: Vec<_> = state.tasks.keys().filter_map(|task| state.finished(task)).collect();
        finished.sort_by(|a, b| a.outputs.first().map(|o| &o.path).cmp(&b.outputs.first().map(|o| &o.path)));
        for output in finished.iter().flat_map(|finished| &finished.outputs) {
            let path = run_dir.root().join(&output.path);
            if path.starts_with(run_dir.work()) {
                continue;
            }
            match crate::formats::checksum::blake3_of(&path) {
                Ok((hash, _)) if hash == output.blake3 => {}
                Ok(_) => {
                    eprintln!("norn: {}: it is not what the ledger says", path.display());
                    changed += 1;
                }
                Err(error) => {
                    eprintln!("norn: {}: {error}", path.display());
                    changed += 1;
                }
            }
        }
        text +=
            &format!("{} results of {} tasks, {changed} of them changed\n", count(&finished), finished.len());
        print(&text);
        Ok(if changed > 0 { ExitCode::from(exit::BAD_INPUT) } else { ExitCode::SUCCESS })
    }
}

fn count(finished: &[&crate::batch::ledger::Finished]) -> usize {
    finished.iter().map(|finished| finished.outputs.len()).sum()
}
