//! `norn prs`: polygenic scores.

mod calibrate;
mod catalog;
mod liftover;
mod matches;
mod pca;
mod project;
mod report;
mod score;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::on_ranks;

/// Polygenic scores.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct PrsArguments {
    #[command(subcommand)]
    command: PrsCommand,
}

#[derive(Debug, Subcommand)]
enum PrsCommand {
    Score(Box<score::ScoreArguments>),
    Match(matches::MatchArguments),
    Pca(Box<pca::PcaArguments>),
    Project(project::ProjectArguments),
    Calibrate(calibrate::CalibrateArguments),
    Liftover(liftover::LiftoverArguments),
    Report(report::ReportArguments),
}

impl PrsArguments {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            PrsCommand::Score(arguments) => on_ranks(|ranks| arguments.run(ranks)),
            PrsCommand::Match(arguments) => arguments.run(),
            PrsCommand::Pca(arguments) => arguments.run(),
            PrsCommand::Project(arguments) => arguments.run(),
            PrsCommand::Calibrate(arguments) => arguments.run(),
            PrsCommand::Liftover(arguments) => arguments.run(),
            PrsCommand::Report(arguments) => arguments.run(),
        }
    }
}
