//! `norn variants`: bcftools' subcommands under their names and options, to a chain and one pass.

mod norm;
mod streams;
mod view;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Variants between the caller and the annotation, with bcftools' options.
#[derive(Debug, Args)]
pub struct VariantsArguments {
    #[command(subcommand)]
    command: VariantsCommand,
}

#[derive(Debug, Subcommand)]
enum VariantsCommand {
    Norm(Box<norm::NormArguments>),
    View(Box<view::ViewArguments>),
}

impl VariantsArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            VariantsCommand::Norm(arguments) => arguments.run(),
            VariantsCommand::View(arguments) => arguments.run(),
        }
    }
}
