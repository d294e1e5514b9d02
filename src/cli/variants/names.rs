//! `norn variants set-id`, `rename-contigs` and `reheader`: other names for what stays as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::streams::{self, InputArguments, OutputArguments, Plan, WorkerArguments};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::reader::{Form, VariantReader};
use crate::records::pipeline::Part;
use crate::variants::reheader;
use crate::variants::rename::{Rename, RenameContigs};
use crate::variants::set_id::SetId;

/// Make IDs of other columns (bcftools annotate --set-id).
#[derive(Debug, Args)]
pub struct SetIdArguments {
    /// As query's, for example '%CHROM\_%POS\_%REF\_%FIRST_ALT'; + in front sets only what is missing
    #[arg(value_name = "[+]FORMAT")]
    format: String,

    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,
}

impl SetIdArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        streams::run("set-id", &self.input, &self.output, ranks, |header| {
            let step =
                SetId::new(&self.format, header).map_err(|error| UsageError::new(error.to_string()))?;
            Ok(Plan::new(header.clone(), vec![Part::Each(Box::new(step))]))
        })
    }
}

/// Rename contigs: with or without chr, or by a table (bcftools annotate --rename-chrs).
#[derive(Debug, Args)]
pub struct RenameArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// 1 becomes chr1 and MT chrM (add), or the other way (strip)
    #[arg(long, value_name = "add|strip", value_parser = ["add", "strip"], required_unless_present = "map")]
    chr: Option<String>,

    /// Old and new names in two columns
    #[arg(long, value_name = "FILE", conflicts_with = "chr")]
    map: Option<PathBuf>,
}

impl RenameArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let rename = match &self.map {
            Some(path) => Rename::read(path)?,
            None if self.chr.as_deref() == Some("add") => Rename::AddChr,
            None => Rename::StripChr,
        };
        streams::run("rename-contigs", &self.input, &self.output, ranks, |header| {
            let (step, header) = RenameContigs::new(rename, header)?;
            Ok(Plan::new(header, vec![Part::Each(Box::new(step))]))
        })
    }
}

/// Change the header: all of it, samples' names, or contigs (bcftools reheader).
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct ReheaderArguments {
    // -h is bcftools' new header.
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,

    /// VCF or BCF, plain or BGZF; `-` is standard input
    #[arg(default_value = "-", value_name = "IN.vcf.gz|IN.bcf|-")]
    input: PathBuf,

    /// The new header, a file
    #[arg(short = 'h', long, value_name = "FILE")]
    header: Option<PathBuf>,

    /// Contigs and their lengths are those of a FASTA index
    #[arg(short, long, value_name = "FILE.fai")]
    fai: Option<PathBuf>,

    /// New names of samples, in order
    #[arg(short = 'n', long, value_name = "NAME,...")]
    samples_list: Option<String>,

    /// New names of samples from a file: one a line, or an old and a new one
    #[arg(short = 'N', short_alias = 's', long, value_name = "FILE", conflicts_with = "samples_list")]
    samples_file: Option<PathBuf>,

    /// Where the output goes, in the input's form [default: standard output]
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    #[command(flatten)]
    workers: WorkerArguments,
}

impl ReheaderArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        if self.input == Path::new("-") {
            return Err(UsageError::new("reheader needs a file".into()).into());
        }
        let kind = match VariantReader::open(&self.input)? {
            reader if reader.form() == Form::Bcf => "b",
            reader if reader.is_compressed() => "z",
            _ => "v",
        };
        let output = OutputArguments::of(&self.output, kind, &self.workers);
        streams::run(
            "reheader",
            &InputArguments::whole(&self.input),
            &output,
            &Communicator::solo(),
            |header| {
                let mut made = self.changed(header)?;
                if kind == "b" {
                    reheader::complete(&mut made, header);
                }
                Ok(Plan::new(made, Vec::new()))
            },
        )
    }

    fn changed(&self, header: &Header) -> anyhow::Result<Header> {
        let read = |path: &PathBuf| fs::read(path).with_context(|| path.display().to_string());
        let mut made = match &self.header {
            Some(path) => {
                let text = read(path)?;
                Header::parse(&text).with_context(|| path.display().to_string())?
            }
            None => header.clone(),
        };
        if let Some(path) = &self.fai {
            let index = String::from_utf8_lossy(&read(path)?).into_owned();
            reheader::take_contigs(&mut made, &index)?;
        }
        let names: Option<Vec<String>> = match (&self.samples_list, &self.samples_file) {
            (Some(list), _) => Some(list.split(',').map(|name| name.replace(' ', "\\ ")).collect()),
            (_, Some(path)) => {
                Some(String::from_utf8_lossy(&read(path)?).lines().map(str::to_owned).collect())
            }
            _ => None,
        };
        if let Some(names) = names {
            reheader::name_samples(&mut made, &names)?;
        }
        if made.samples().len() != header.samples().len() {
            anyhow::bail!(
                "the new header has {} samples, the file {}",
                made.samples().len(),
                header.samples().len()
            );
        }
        Ok(made)
    }
}
