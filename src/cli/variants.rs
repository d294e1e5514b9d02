//! `norn variants`: bcftools' subcommands under their names and options, to a chain and one pass.

mod compare;
mod concat;
mod family;
mod fill_tags;
mod filter;
mod index;
mod isec;
mod mendelian2;
mod merge;
mod names;
mod norm;
mod query;
mod run;
mod set_gt;
mod several;
mod sort;
mod stats;
pub(super) mod streams;
mod trio;
mod trio_dnm2;
mod validate;
mod view;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::compute::communicator::Communicator;

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
    Index(index::IndexArguments),
    Validate(validate::ValidateArguments),
    Concat(Box<concat::ConcatArguments>),
    Isec(Box<isec::IsecArguments>),
    Merge(Box<merge::MergeArguments>),
    #[command(alias = "+mendelian2")]
    Mendelian2(Box<mendelian2::Mendelian2Arguments>),
    #[command(alias = "+trio-dnm2")]
    TrioDnm2(Box<trio_dnm2::TrioDnm2Arguments>),
    Trio(Box<trio::TrioArguments>),
    Compare(Box<compare::CompareArguments>),
}

impl VariantsArguments {
    /// Runs the command on all ranks; those that cannot share the work leave it to rank 0.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        match &self.command {
            VariantsCommand::View(arguments) => arguments.run(ranks),
            VariantsCommand::Filter(arguments) => arguments.run(ranks),
            VariantsCommand::Norm(arguments) => arguments.run(ranks),
            VariantsCommand::Query(arguments) => arguments.run(ranks),
            VariantsCommand::Run(arguments) => arguments.run(ranks),
            VariantsCommand::FillTags(arguments) => arguments.run(ranks),
            VariantsCommand::SetGt(arguments) => arguments.run(ranks),
            VariantsCommand::SetId(arguments) => arguments.run(ranks),
            VariantsCommand::RenameContigs(arguments) => arguments.run(ranks),
            VariantsCommand::TrioDnm2(arguments) => arguments.run(ranks),
            _ if !ranks.is_root() => Ok(ExitCode::SUCCESS),
            VariantsCommand::Reheader(arguments) => arguments.run(),
            VariantsCommand::Sort(arguments) => arguments.run(),
            VariantsCommand::Stats(arguments) => arguments.run(),
            VariantsCommand::Index(arguments) => arguments.run(),
            VariantsCommand::Validate(arguments) => arguments.run(),
            VariantsCommand::Concat(arguments) => arguments.run(),
            VariantsCommand::Isec(arguments) => arguments.run(),
            VariantsCommand::Merge(arguments) => arguments.run(),
            VariantsCommand::Mendelian2(arguments) => arguments.run(),
            VariantsCommand::Trio(arguments) => arguments.run(),
            VariantsCommand::Compare(arguments) => arguments.run(),
        }
    }
}
