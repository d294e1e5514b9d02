//! `norn variants sort`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::streams::{self, InputArguments, OutputArguments, Plan};
use crate::compute::communicator::Communicator;
use crate::records::pipeline::Part;
use crate::variants::sort::Sort;

/// Sort by contig (in the header's order), position and alleles (bcftools sort).
#[derive(Debug, Args)]
pub struct SortArguments {
    /// VCF or BCF, plain, gzipped or BGZF; `-` is standard input
    #[arg(default_value = "-", value_name = "IN.vcf.gz|IN.bcf|-")]
    input: PathBuf,

    #[command(flatten)]
    output: OutputArguments,

    /// Memory for records; beyond it sorted runs go to temporary files. K, M and G are 1000s
    #[arg(short, long, value_name = "N[kMG]", default_value = "768M", value_parser = bytes)]
    max_mem: usize,

    /// Where temporary files are kept [default: TMPDIR, else /tmp]
    #[arg(short = 'T', long, value_name = "DIR")]
    temp_dir: Option<PathBuf>,
}

impl SortArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let directory = self.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
        streams::run(
            "sort",
            &InputArguments::whole(&self.input),
            &self.output,
            &Communicator::solo(),
            |header| {
                let sort = Sort::new(header.clone(), self.max_mem, directory);
                // bcftools sort leaves the header as it is.
                let mut plan = Plan::new(header.clone(), vec![Part::Ordered(Box::new(sort))]);
                plan.adds_version = false;
                Ok(plan)
            },
        )
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1e0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        _ => return Err("expected a number and k, M or G".into()),
    };
    let number: f64 = digits.parse().map_err(|_| "expected a number and k, M or G".to_owned())?;
    if number > 0.0 { Ok((number * unit) as usize) } else { Err("expected more than 0".into()) }
}
