//! `norn batch`: a night's samples.

mod inputs;
mod look;
mod run;
mod simulate;
mod tell;

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::compute::communicator::Communicator;

/// Take a night's samples through QC, variants, annotation and scores, and keep a ledger of what was done.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct BatchArguments {
    #[command(subcommand)]
    command: BatchCommand,
}

#[derive(Debug, Subcommand)]
enum BatchCommand {
    /// Print a batch.toml with all settings
    Init,
    Plan(look::PlanArguments),
    Run(run::RunArguments),
    Resume(run::ResumeArguments),
    Status(look::StatusArguments),
    Report(tell::ReportArguments),
    Verify(look::VerifyArguments),
    Purge(tell::PurgeArguments),
    Simulate(simulate::SimulateArguments),
}

impl BatchArguments {
    /// Runs the command.
    pub fn run(self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        match self.command {
            BatchCommand::Run(arguments) => arguments.run(ranks),
            BatchCommand::Resume(arguments) => arguments.run(ranks),
            // What only looks is for one.
            _ if !ranks.is_root() => Ok(ExitCode::SUCCESS),
            BatchCommand::Init => {
                print(crate::batch::config::EXAMPLE);
                Ok(ExitCode::SUCCESS)
            }
            BatchCommand::Plan(arguments) => arguments.run(),
            BatchCommand::Status(arguments) => arguments.run(),
            BatchCommand::Report(arguments) => arguments.run(),
            BatchCommand::Verify(arguments) => arguments.run(),
            BatchCommand::Purge(arguments) => arguments.run(),
            BatchCommand::Simulate(arguments) => arguments.run(),
        }
    }
}

/// Writes to standard output. A reader that has seen enough is no failure.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
