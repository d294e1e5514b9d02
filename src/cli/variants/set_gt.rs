//! `norn variants set-gt`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::streams::{self, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::variants::pipeline::Part;
use crate::variants::set_gt::{NewGenotype, SetGt, Target};

/// Set genotypes: missing to reference, partial to missing, phased, and more (bcftools +setGT).
#[derive(Debug, Args)]
pub struct SetGtArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// Which: ./. missing, ./x partly missing, . both, a all, b:TAG<P heterozygotes that fail a binomial test
    #[arg(long, value_name = "WHICH")]
    target_gt: String,

    /// To what: . missing, 0 reference, M or m most or second most frequent allele, X that with most reads, p phased,
    /// u unphased, i inverted, c:GT
    #[arg(short, long, value_name = "GT")]
    new_gt: String,
}

impl SetGtArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let target = Target::parse(&self.target_gt)
            .map_err(|error| UsageError::new(format!("--target-gt: {error}")))?;
        let new = NewGenotype::parse(&self.new_gt)
            .map_err(|error| UsageError::new(format!("--new-gt: {error}")))?;
        let tag = target.tag().map(str::to_owned);
        let step = Arc::new(SetGt::new(target, new, None));
        let shared = Arc::clone(&step);
        let code = streams::run("set-gt", &self.input, &self.output, |header| {
            if let Some(tag) = tag.filter(|tag| header.format(tag.as_bytes()).is_none()) {
                anyhow::bail!("the header does not declare FORMAT/{tag}, which --target-gt asks for");
            }
            Ok(Plan::new(SetGt::header(header), vec![Part::Each(Box::new(shared))]))
        })?;
        eprintln!("Filled {} alleles", step.changed());
        Ok(code)
    }
}
