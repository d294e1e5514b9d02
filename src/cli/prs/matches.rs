//! `norn prs match`: which variants of scores the genotypes have.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::catalog::{self, GenotypeArguments, MatchTables, MatchingArguments, Told};
use crate::cli::qc::default_threads;

/// Find the variants of scoring files in genotypes, and write down what became of each.
///
/// Rules, names and tables are those of pgscatalog-match.
#[derive(Debug, Args)]
pub(super) struct MatchArguments {
    #[command(flatten)]
    genotypes: GenotypeArguments,

    /// Scoring files of the PGS Catalog, or directories of them
    #[arg(long, required = true, num_args = 1.., value_name = "FILE|DIR")]
    scores: Vec<PathBuf>,

    #[command(flatten)]
    matching: MatchingArguments,

    /// Threads [default: SLURM_CPUS_PER_TASK, else the cores we may run on]
    #[arg(short, long, value_name = "N")]
    threads: Option<u16>,

    /// Directory for NAME_log.csv.gz and NAME_summary.csv
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl MatchArguments {
    /// Runs the command; the code is 4 where a score has too few matches.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let threads = self.threads.map_or_else(default_threads, |threads| usize::from(threads.max(1)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build()?;
        pool.install(|| self.matches())
    }

    fn matches(&self) -> anyhow::Result<ExitCode> {
        let (tiles, wanted) = self.matching.tiles(&self.scores, self.genotypes.bytes() / 2, Told::Here)?;
        let genotypes =
            self.genotypes.open(&|contig, position, id| wanted.contains(contig, position, id), Told::Here)?;
        let target = catalog::target(&wanted, &genotypes);
        let other = self.matching.other(&wanted)?;
        std::fs::create_dir_all(&self.output)?;
        let dataset = self.matching.dataset(&self.genotypes.genotypes);
        let mut tables = MatchTables::create(&self.output, &dataset)?;
        let mut all_pass = true;
        for files in tiles.read(&self.matching, Told::Here) {
            let files = files?;
            let matched = self.matching.matches(&files, &target, other.as_ref());
            tables.add(&matched)?;
            all_pass &= matched.iter().all(|one| one.check().is_ok());
        }
        tables.commit()?;
        Ok(if all_pass { ExitCode::SUCCESS } else { ExitCode::from(crate::cli::exit::BELOW_THRESHOLDS) })
    }
}
