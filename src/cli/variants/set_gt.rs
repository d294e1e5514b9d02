//! `norn variants set-gt`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::variants::pipeline::Part;
use crate::variants::set_gt::{self, NewGenotype, SetGt, Target};

/// Set genotypes: missing to reference, partial to missing, phased, and more (bcftools +setGT).
#[derive(Debug, Args)]
pub struct SetGtArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    condition: ConditionArguments,

    /// Which: ./. missing, ./x partly missing, . both, a all, b:TAG<P heterozygotes that fail a binomial test, q those
    /// that -i or -e chooses
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
        let is_chosen = matches!(self.target_gt.as_str(), "q" | "?");
        if is_chosen != self.condition.text().is_some() {
            return Err(UsageError::new("--target-gt q goes with -i or -e".into()).into());
        }
        let target = if is_chosen { Ok(Target::All) } else { Target::parse(&self.target_gt) };
        let target = target.map_err(|error| UsageError::new(format!("--target-gt: {error}")))?;
        let new = NewGenotype::parse(&self.new_gt)
            .map_err(|error| UsageError::new(format!("--new-gt: {error}")))?;
        let mut step = None;
        let code = streams::run("set-gt", &self.input, &self.output, |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            if let Some(tag) = target.tag().filter(|tag| header.format(tag.as_bytes()).is_none()) {
                anyhow::bail!("the header does not declare FORMAT/{tag}, which --target-gt asks for");
            }
            let filter = self.condition.compile(header)?.map(set_gt::chosen_by);
            let shared = step.insert(Arc::new(SetGt::new(target, new, filter)));
            Ok(Plan::new(SetGt::header(header), vec![Part::Each(Box::new(Arc::clone(shared)))]))
        })?;
        if let Some(step) = step {
            eprintln!("Filled {} alleles", step.changed());
        }
        Ok(code)
    }
}
