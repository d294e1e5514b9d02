//! `norn variants`: bcftools' subcommands under their names and options, to a chain and one pass.

mod compare;
mod concat;
mod fill_tags;
mod filter;
mod isec;
mod merge;
mod names;
mod norm;
mod query;
mod run;
mod set_gt;
mod several;
mod sort;
mod stats;
mod streams;
mod validate;
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
    View(Box<view::ViewArguments>),
    Filter(Box<filter::FilterArguments>),
    Norm(Box<norm::NormArguments>),
    Query(Box<query::QueryArguments>),
    Run(Box<run::RunArguments>),
    #[command(alias = "+fill-tags")]
    FillTags(Box<fill_tags::FillTagsArguments>),
    #[command(alias = "+setGT", alias = "setGT")]
    SetGt(Box<set_gt::SetGtArguments>),
    #[command(alias = "setid")]
    SetId(Box<names::SetIdArguments>),
    RenameContigs(Box<names::RenameArguments>),
    Reheader(Box<names::ReheaderArguments>),
    Sort(Box<sort::SortArguments>),
    Stats(Box<stats::StatsArguments>),
    Validate(validate::ValidateArguments),
    Concat(Box<concat::ConcatArguments>),
    Isec(Box<isec::IsecArguments>),
    Merge(Box<merge::MergeArguments>),
    Compare(Box<compare::CompareArguments>),
}

impl VariantsArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            VariantsCommand::View(arguments) => arguments.run(),
            VariantsCommand::Filter(arguments) => arguments.run(),
            VariantsCommand::Norm(arguments) => arguments.run(),
            VariantsCommand::Query(arguments) => arguments.run(),
            VariantsCommand::Run(arguments) => arguments.run(),
            VariantsCommand::FillTags(arguments) => arguments.run(),
            VariantsCommand::SetGt(arguments) => arguments.run(),
            VariantsCommand::SetId(arguments) => arguments.run(),
            VariantsCommand::RenameContigs(arguments) => arguments.run(),
            VariantsCommand::Reheader(arguments) => arguments.run(),
            VariantsCommand::Sort(arguments) => arguments.run(),
            VariantsCommand::Stats(arguments) => arguments.run(),
            VariantsCommand::Validate(arguments) => arguments.run(),
            VariantsCommand::Concat(arguments) => arguments.run(),
            VariantsCommand::Isec(arguments) => arguments.run(),
            VariantsCommand::Merge(arguments) => arguments.run(),
            VariantsCommand::Compare(arguments) => arguments.run(),
        }
    }
}
