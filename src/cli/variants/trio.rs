//! `norn variants trio`: Mendelian errors and de novo variants in one pass, with an account of each trio.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::family::{FamilyArguments, RulesArguments};
use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use super::trio_dnm2::ModelArguments;
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::output::AtomicFile;
use crate::formats::vcf::header::Header;
use crate::records::pipeline::Part;
use crate::variants::sex::{self, SexError};
use crate::variants::trio::Gate;
use crate::variants::trio::denovo::Denovo;
use crate::variants::trio::mendelian::{Judge, Modes};
use crate::variants::trio::rules::Rules;
use crate::variants::trio::summary;
use crate::variants::trio::survey::Survey;

/// Mendelian errors and de novo variants of a cohort of trios, in one pass.
#[derive(Debug, Args)]
pub struct TrioArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    condition: ConditionArguments,

    #[command(flatten)]
    family: FamilyArguments,

    #[command(flatten)]
    rules: RulesArguments,

    #[command(flatten)]
    model: ModelArguments,

    /// Where sons have one X: GRCh37, GRCh38 or regions [default: as --rules, else by the contigs' lengths]
    #[arg(short = 'X', long = "chrX", value_name = "LIST")]
    chr_x: Option<String>,

    /// Leave scores out that are lower than this, in phred
    #[arg(long, value_name = "NUM", default_value_t = 0.0)]
    min_score: f64,

    /// a adds INFO/MERR, d deletes genotypes of trios with an error; e, g and m keep sites with an error, a consistent trio, a
    /// missing genotype; E and M drop those, S drops sites that were not judged
    #[arg(short, long, value_name = "[adeEgmMS]", default_value = "a")]
    mode: String,

    /// Write the account of each trio, as JSON where the name ends in .json, else as a table; may be given twice
    #[arg(long, value_name = "FILE")]
    summary: Vec<PathBuf>,

    /// A variant that is new with this probability is counted as a candidate
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    candidate: f64,
}

impl TrioArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let modes = Modes::parse(&self.mode).ok().filter(|modes| !modes.counts).ok_or_else(|| {
            UsageError::new(format!("--mode: {:?} has other letters than a, d, e, E, g, m, M, S", self.mode))
        })?;
        if !(0.0..=1.0).contains(&self.candidate) {
            return Err(UsageError::new("--candidate: expected a probability".into()).into());
        }
        let to_stdout = |path: &Path| path == Path::new("-");
        let count = self.summary.iter().filter(|path| to_stdout(path)).count();
        if count + usize::from(to_stdout(&self.output.output)) > 1 {
            return Err(UsageError::new("--summary and -o cannot both be standard output".into()).into());
        }
        if self.rules.shown() {
            return Ok(ExitCode::SUCCESS);
        }
        let model = self.model.with_uses()?;
        let mut counted = None;
        let code = streams::run("trio", &self.input, &self.output, &Communicator::solo(), |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            let step = Arc::new(self.step(header, &model, modes.as_documented())?);
            counted = Some((Arc::clone(&step), header.clone()));
            Ok(Plan::new(step.header(header), vec![Part::Each(Box::new(step))]))
        })?;
        if let Some((step, header)) = counted {
            self.summary.iter().try_for_each(|path| write_summary(path, &step, &header))?;
        }
        Ok(code)
    }

    fn step(&self, header: &Header, model: &ModelArguments, modes: Modes) -> anyhow::Result<Survey> {
        let trios = self.family.trios(header)?;
        let build = self.rules.build()?.or_else(|| sex::build_of(header));
        let known = || build.ok_or(SexError::Build("--rules"));
        let rules = match self.rules.of_file()? {
            Some(rules) => rules,
            None => Rules::complete(known()?),
        };
        let x = match &self.chr_x {
            Some(x) => x.as_str(),
            None => known()?.name(),
        };
        let settings = model.settings(model.chosen_for(header), x, self.min_score, false)?;
        let denovo = Denovo::new(settings, trios.clone(), header)?;
        let judge = Judge::new(trios, rules, header)?;
        let gate = Gate::new(self.condition.compile(header)?);
        Ok(Survey::new(judge, denovo, gate, modes, self.candidate))
    }
}

/// Writes the account of each trio.
fn write_summary(path: &Path, step: &Survey, header: &Header) -> anyhow::Result<()> {
    let account = step.account();
    let text = match path.extension().is_some_and(|ending| ending == "json") {
        true => serde_json::to_string_pretty(&summary::json(&account, step.trios(), header))? + "\n",
        false => summary::table(&account, step.trios(), header),
    };
    if path == Path::new("-") {
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(());
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file.commit()?)
}
