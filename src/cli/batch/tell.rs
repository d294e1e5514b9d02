//! `norn batch report` and `purge`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::batch::audit;
use crate::batch::crate_metadata;
use crate::batch::ledger;
use crate::batch::lock::Lock;
use crate::batch::night::Night;
use crate::batch::purge::purge;
use crate::batch::relations::Relations;
use crate::batch::report::Report;
use crate::batch::run::read_state;
use crate::batch::run_dir::RunDir;
use crate::batch::status::Status;
use crate::batch::traces::Traces;

/// Write the report of a night: a page, tables, a table for MultiQC, and the run directory's metadata as an RO-Crate.
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// The run directory; the report lies in RUN_DIR/report
    #[arg(short, long, value_name = "RUN_DIR")]
    output: PathBuf,
}

/// Remove all that was made from a sample. The ledger says that it was done, and the sample is not processed again.
#[derive(Debug, Args)]
pub(super) struct PurgeArguments {
    /// The sample
    #[arg(value_name = "SAMPLE")]
    sample: String,

    /// The run directory
    #[arg(short, long, value_name = "RUN_DIR")]
    output: PathBuf,
}

impl ReportArguments {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let run_dir = RunDir::new(&self.output);
        let lines = ledger::read_all(&run_dir)?;
        let state = read_state(&run_dir)?;
        let night = Night::read(&run_dir)?.anew()?.without(state.purged.iter().map(String::as_str));
        let is_running = !Lock::holders(&run_dir)?.is_empty();
        let status = Status::of(&night, &run_dir, &state, is_running);
        let mut heads = Vec::new();
        for part in audit::parts(&run_dir)? {
            // While a run writes, its last line may not have its link yet.
            if let Ok(chain) = audit::verify(&run_dir, &part) {
                heads.push((part, chain.head().to_owned()));
            } else if !is_running {
                eprintln!("norn: the ledger was changed: norn batch verify tells where");
            }
        }
        let relations = Relations::read(&night, &run_dir)?;
        Report::new(&night, &run_dir, &status, relations, heads).write(&run_dir.report())?;
        crate_metadata::write(&night, &run_dir, &lines)?;
        for told in Traces::read(&run_dir)?.told(&night, &state) {
            eprintln!("norn: batch: {told}");
        }
        print(&format!("{}\n", run_dir.report().join("index.html").display()));
        Ok(ExitCode::SUCCESS)
    }
}

impl PurgeArguments {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let files = purge(&RunDir::new(&self.output), &self.sample)?;
        print(&format!("{files} files removed\n"));
        Ok(ExitCode::SUCCESS)
    }
}
