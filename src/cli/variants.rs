//! `norn variants`: bcftools' subcommands under their names and options, to a chain and one pass.

mod query;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::qc::{UsageError, default_threads};
use crate::compute::progress::Progress;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::reader::{Form, VariantReader};
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, OutputKind, VariantWriter};
use crate::variants::expression::Expression;
use crate::variants::pipeline::{self, Each, Part, RecordProblem};
use crate::variants::select::SelectSites;

/// Variants between the caller and the annotation, with bcftools' options.
#[derive(Debug, Args)]
pub struct VariantsArguments {
    #[command(subcommand)]
    command: VariantsCommand,
}

#[derive(Debug, Subcommand)]
enum VariantsCommand {
    View(ViewArguments),
    Query(query::QueryArguments),
}

impl VariantsArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            VariantsCommand::View(arguments) => arguments.run(),
            VariantsCommand::Query(arguments) => arguments.run(),
        }
    }
}

/// Print a VCF, or change its form: plain or compressed, with or without header and genotypes. Text only so far.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct ViewArguments {
    // -h is bcftools' header alone.
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,

    /// VCF, plain, gzipped or BGZF; `-` is standard input
    #[arg(default_value = "-", value_name = "IN.vcf[.gz]|-")]
    input: PathBuf,

    /// Where it goes [default: standard output]
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// v: plain, z: BGZF, z0 to z12: at this level [default: by the output's name]
    #[arg(short = 'O', long, value_name = "v|z[N]")]
    output_type: Option<String>,

    /// Leave out the genotypes
    #[arg(short = 'G', long)]
    drop_genotypes: bool,

    /// Print the header alone
    #[arg(short = 'h', long, conflicts_with = "no_header")]
    header_only: bool,

    /// Leave out the header
    #[arg(short = 'H', long)]
    no_header: bool,

    #[command(flatten)]
    filter: FilterArguments,

    /// Leave our line out of the header
    #[arg(long)]
    no_version: bool,

    /// Worker threads [default: SLURM_CPUS_PER_TASK, else the cores that may be used]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// No progress on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Which sites: an expression, and whether it selects or leaves out.
#[derive(Debug, Args)]
struct FilterArguments {
    /// Keep sites for which the expression is true, for example 'QUAL>30 && INFO/DP>10'
    #[arg(short, long, value_name = "EXPR", conflicts_with = "exclude")]
    include: Option<String>,

    /// Leave out sites for which the expression is true
    #[arg(short, long, value_name = "EXPR")]
    exclude: Option<String>,

    /// Print the expression as it is understood, and stop
    #[arg(long)]
    explain_filter: bool,
}

impl FilterArguments {
    /// The expression, and whether it leaves out.
    fn expression(&self, header: &Header) -> anyhow::Result<Option<(Expression, bool)>> {
        let (text, excludes) = match (&self.include, &self.exclude) {
            (Some(text), _) => (text, false),
            (None, Some(text)) => (text, true),
            (None, None) if self.explain_filter => {
                return Err(UsageError::new("--explain-filter explains -i or -e: give one".into()).into());
            }
            (None, None) => return Ok(None),
        };
        let expression = Expression::compile(text, header).map_err(|e| UsageError::new(e.to_string()))?;
        Ok(Some((expression, excludes)))
    }
}

impl ViewArguments {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let kind = match &self.output_type {
            Some(text) => OutputKind::parse(text)
                .ok_or_else(|| UsageError::new(format!("--output-type: no output of type {text:?}")))?,
            None => OutputKind::of_name(&self.output),
        };
        let mut reader = VariantReader::open(&self.input)?;
        if kind.is_bcf || reader.form() == Form::Bcf {
            return Err(
                UsageError::new("BCF is not read or written yet: give VCF, and -O v or z".into()).into()
            );
        }
        let filter = self.filter.expression(reader.header())?;
        if let Some((expression, _)) = filter.as_ref().filter(|_| self.filter.explain_filter) {
            print!("{}", expression.explain());
            return Ok(ExitCode::SUCCESS);
        }
        let header = self.header(reader.header());
        let mut writer = VariantWriter::create(&self.output, kind, None)?;
        if !self.no_header {
            writer.write_header(&header.to_text())?;
        }
        if !self.header_only {
            let threads = self.threads.map_or_else(default_threads, usize::from);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            let size = std::fs::metadata(&self.input).ok().filter(|m| m.is_file()).map(|m| m.len());
            let progress = Progress::new(size, "norn variants view", self.quiet);
            let tick = |bytes, records| progress.add(bytes, records);
            let mut chain = Vec::new();
            if let Some((expression, excludes)) = filter {
                chain.push(Part::Each(Box::new(SelectSites { expression, excludes })));
            }
            if self.drop_genotypes {
                chain.push(Part::Each(Box::new(DropGenotypes)));
            }
            pipeline::run(&self.input, &mut reader, chain, &lines, &mut writer, &pool, &tick)?;
        }
        writer.finish()?;
        Ok(ExitCode::SUCCESS)
    }

    fn header(&self, header: &Header) -> Header {
        let mut header = header.clone();
        if self.drop_genotypes {
            header.set_samples(Vec::new());
            header.retain(|line| line.key() != "FORMAT");
        }
        if !self.no_version {
            header.add(concat!("##norn_variants_viewVersion=", env!("CARGO_PKG_VERSION")));
        }
        header
    }
}

/// Leaves out FORMAT and the samples.
struct DropGenotypes;

impl Each for DropGenotypes {
    fn apply(&self, mut record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        record.select_samples(&[]);
        out.push(record);
        Ok(())
    }
}

/// Records as lines.
fn lines(records: &[Record]) -> Result<Block, RecordProblem> {
    let mut block = Block::default();
    for record in records {
        record.write(&mut block.bytes);
        block.bytes.push(b'\n');
    }
    Ok(block)
}
