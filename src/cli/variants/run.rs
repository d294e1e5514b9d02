//! `norn variants run`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::norm;
use super::streams::{self, InputArguments, OutputArguments, Plan};
use crate::compute::communicator::Communicator;
use crate::formats::output::AtomicFile;
use crate::variants::chain::ChainFile;
use crate::variants::ledger;

/// Run a whole chain of steps from a TOML file in one pass.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The chain: reference and [[step]] list (docs/variants.md)
    #[arg(value_name = "CHAIN.toml")]
    chain: PathBuf,

    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// Reference, in place of the chain's
    #[arg(short, long, value_name = "FASTA")]
    fasta_ref: Option<PathBuf>,

    /// Print the steps and the columns that each touches, and stop
    #[arg(long)]
    explain: bool,

    /// Write what each step took, changed and dropped to NAME.tsv and NAME.json [default: OUTPUT.ledger, if that is a
    /// file]
    #[arg(long, value_name = "NAME")]
    ledger: Option<PathBuf>,
}

impl RunArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let (mut chain, hash) = ChainFile::read(&self.chain)?;
        if self.explain {
            print!("{}", chain.explain());
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(reference) = &self.fasta_ref {
            chain.set_reference(reference.clone());
        }
        let mut kept = None;
        let code = streams::run("run", &self.input, &self.output, ranks, |header| {
            let mut planned = chain.plan(header)?;
            planned.header.add(&format!("##norn_variants_runChain=BLAKE3:{hash}"));
            let can_be_shared = planned.told.reports.is_empty();
            kept = Some((planned.ledger, planned.told));
            let mut plan = Plan::new(planned.header, planned.parts);
            plan.can_be_shared = can_be_shared;
            Ok(plan)
        });
        let Some((ledger, told)) = kept else { return code };
        for (counts, warnings) in &told.normalised {
            // What was found before an error is told too.
            if code.is_err() || norm::gather(ranks, counts, warnings)? {
                norm::tell(counts, warnings);
            }
        }
        let code = code?;
        let Some(all) = streams::gathered(ranks, &ledger.counts())? else { return Ok(code) };
        all.iter().skip(1).for_each(|counts| ledger.merge(counts));
        for (path, stats) in told.reports {
            write_file(&path, stats.report(&[self.input.input.display().to_string()]).as_bytes())?;
        }
        if let Some(name) = self.ledger_name() {
            let entries = ledger.entries();
            write(&name, "tsv", ledger::table(&entries).as_bytes())?;
            write(&name, "json", format!("{:#}\n", serde_json::to_value(&entries)?).as_bytes())?;
        }
        Ok(code)
    }

    fn ledger_name(&self) -> Option<PathBuf> {
        self.ledger.clone().or_else(|| {
            let is_file = self.output.output != Path::new("-")
                && fs::metadata(&self.output.output).is_ok_and(|m| m.is_file());
            is_file.then(|| {
                let mut name = self.output.output.clone().into_os_string();
                name.push(".ledger");
                PathBuf::from(name)
            })
        })
    }
}

fn write(name: &Path, ending: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let mut path = name.to_owned().into_os_string();
    path.push(format!(".{ending}"));
    write_file(Path::new(&path), bytes)
}

fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).with_context(|| path.display().to_string())?;
    Ok(file.commit()?)
}
