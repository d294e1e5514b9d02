//! `norn variants mendelian2`: bcftools +mendelian2's options to a judge of trios.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::family::{FamilyArguments, RulesArguments};
use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, OutputKind, VariantWriter};
use crate::genome::contigs::Build;
use crate::records::pipeline::{self, Part};
use crate::variants::trio::Gate;
use crate::variants::trio::mendelian::{self, Judge, Mendelian, Modes};
use crate::variants::trio::rules::Rules;

/// Count, list, mark or delete genotypes that children cannot have from their parents (bcftools +mendelian2).
#[derive(Debug, Args)]
pub struct Mendelian2Arguments {
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

    /// c: a text of counts; or VCF: a adds INFO/MERR, d deletes genotypes of trios with an error, e, g and m keep sites with
    /// an error, a consistent trio, a missing genotype; E and M drop those; S keeps sites that were not judged
    #[arg(short, long, value_name = "c|[adeEgmMS]", default_value = "c")]
    mode: String,
}

impl Mendelian2Arguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let modes = Modes::parse(&self.mode).map_err(|letter| {
            UsageError::new(format!("--mode: {letter:?} is none of c, a, d, e, E, g, m, M, S"))
        })?;
        if self.rules.shown() {
            return Ok(ExitCode::SUCCESS);
        }
        if modes.is_counts_alone() {
            return self.count(modes);
        }
        let mut counted = None;
        let code = streams::run("mendelian2", &self.input, &self.output, &Communicator::solo(), |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            let step = Arc::new(self.step(header, modes)?);
            counted = Some((Arc::clone(&step), header.clone()));
            let header = if modes.annotates { mendelian::declare(header) } else { header.clone() };
            Ok(Plan::new(header, vec![Part::Each(Box::new(step))]))
        })?;
        if let Some((step, header)) = counted.filter(|_| modes.counts) {
            eprint!("{}", step.table(&header));
        }
        Ok(code)
    }

    /// Writes counts, and no records.
    fn count(&self, modes: Modes) -> anyhow::Result<ExitCode> {
        let (mut reader, mut chain) = self.input.open()?;
        let header = reader.header().clone();
        if self.condition.explained(&header)? {
            return Ok(ExitCode::SUCCESS);
        }
        let step = Arc::new(self.step(&header, modes)?);
        chain.push(Part::Each(Box::new(Arc::clone(&step))));
        let kind = OutputKind { is_bcf: false, level: None };
        let mut writer = VariantWriter::create(&self.output.output, kind, None, &Header::default())?;
        let (path, pool) = (&self.input.input, self.output.pool()?);
        let progress = self.output.progress(std::slice::from_ref(path), "norn variants mendelian2");
        let tick = |bytes, records| progress.add(bytes, records);
        let nothing = |_: &[Record]| Ok(Block::default());
        pipeline::run(path, &mut reader, chain, &nothing, &mut writer, &pool, &tick)?;
        writer.write_header(step.table(&header).as_bytes())?;
        writer.finish()?;
        Ok(ExitCode::SUCCESS)
    }

    fn step(&self, header: &Header, modes: Modes) -> anyhow::Result<Mendelian> {
        let trios = self.family.trios(header)?;
        let build = self.rules.build()?.unwrap_or(Build::Grch37);
        let rules = self.rules.of_file()?.unwrap_or_else(|| Rules::of_build(build));
        if self.family.is_named() {
            eprintln!(
                "norn: as bcftools 1.23 has it, -p judges a child by the first sex of the rules (built in: 1X), and \
                 one with 1X: by the second; -P judges by the sex itself"
            );
        }
        let judge = Judge::as_bcftools(trios, rules, self.family.is_named(), header)?;
        Ok(Mendelian::new(judge, Gate::new(self.condition.compile(header)?), modes))
    }
}
