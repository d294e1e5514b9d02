//! `norn variants`: bcftools' subcommands under their names and options, to a chain and one pass.

mod fill_tags;
mod norm;
mod set_gt;
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
    #[command(alias = "+fill-tags")]
    FillTags(Box<fill_tags::FillTagsArguments>),
    #[command(alias = "+setGT", alias = "setGT")]
    SetGt(Box<set_gt::SetGtArguments>),
}

impl VariantsArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            VariantsCommand::Norm(arguments) => arguments.run(),
            VariantsCommand::View(arguments) => arguments.run(),
            VariantsCommand::FillTags(arguments) => arguments.run(),
            VariantsCommand::SetGt(arguments) => arguments.run(),
        }
    }
}
