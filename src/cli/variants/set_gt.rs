//! `norn variants set-gt`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::records::pipeline::Part;
use crate::variants::set_gt::{self, Drawn, NewGenotype, SetGt, Target};

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
    /// that -i or -e chooses; r:SHARE, alone (of all) or beside another, that share of them at random
    #[arg(long, value_name = "WHICH", required = true)]
    target_gt: Vec<String>,

    /// To what: . missing, 0 reference, M or m most or second most frequent allele, X that with most reads, p phased,
    /// u unphased, i inverted, c:GT
    #[arg(short, long, value_name = "GT")]
    new_gt: String,

    /// What r: draws by
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: i64,
}

impl SetGtArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let (shares, targets): (Vec<&String>, Vec<&String>) =
            self.target_gt.iter().partition(|word| word.starts_with("r:"));
        let share = shares.last().map(|word| share(word)).transpose()?;
        let target = match targets[..] {
            [] => "a",
            [word] => word.as_str(),
            _ => return Err(UsageError::new("--target-gt: one beside r:, no more".into()).into()),
        };
        let is_chosen = matches!(target, "q" | "?");
        if is_chosen != self.condition.text().is_some() {
            return Err(UsageError::new("--target-gt q goes with -i or -e".into()).into());
        }
        let target = if is_chosen { Ok(Target::All) } else { Target::parse(target) };
        let target = target.map_err(|error| UsageError::new(format!("--target-gt: {error}")))?;
        let new = NewGenotype::parse(&self.new_gt)
            .map_err(|error| UsageError::new(format!("--new-gt: {error}")))?;
        let mut step = None;
        let code = streams::run("set-gt", &self.input, &self.output, ranks, |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            if let Some(tag) = target.tag().filter(|tag| header.format(tag.as_bytes()).is_none()) {
                anyhow::bail!("the header does not declare FORMAT/{tag}, which --target-gt asks for");
            }
            let filter = self.condition.compile(header)?.map(set_gt::chosen_by);
            let shared = step.insert(Arc::new(SetGt::new(target, new, filter)));
            let shared = Arc::clone(shared);
            let part = match share {
                Some(share) => Part::Ordered(Box::new(Drawn::new(shared, share, self.seed))),
                None => Part::Each(Box::new(shared)),
            };
            Ok(Plan::new(SetGt::header(header), vec![part]))
        })?;
        if let Some(step) = step
            && let Some(changed) = streams::gathered(ranks, &step.changed())?
        {
            eprintln!("Filled {} alleles", changed.iter().sum::<u64>());
        }
        Ok(code)
    }
}

fn share(word: &str) -> Result<f64, UsageError> {
    let share = word.trim_start_matches("r:").parse().ok().filter(|share| 0.0 < *share && *share < 1.0);
    share.ok_or_else(|| UsageError::new(format!("--target-gt {word}: expected a share between 0 and 1")))
}
