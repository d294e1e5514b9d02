//! `norn prs liftover`: scoring files in another build.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::catalog::{self, BuildName};
use crate::prs::lifted_file;
use crate::prs::liftover::{self, Chains, Lift};
use crate::prs::scoring_file::{self, Coordinates, Reading, ScoringFile};

/// Write scoring files with positions of another build (hm_chr, hm_pos), by a chain file of UCSC.
///
/// Alleles turn with the strand. Variants that have no place there stay without a position, and are counted.
#[derive(Debug, Args)]
pub(super) struct LiftoverArguments {
    /// Scoring files of the PGS Catalog, or directories of them
    #[arg(required = true, value_name = "FILE|DIR")]
    scores: Vec<PathBuf>,

    /// Chain file (UCSC), plain or compressed
    #[arg(long, value_name = "CHAIN")]
    chain: PathBuf,

    /// The build that positions are wanted in
    #[arg(long, value_enum, value_name = "BUILD")]
    to: BuildName,

    /// The build of files that do not tell theirs
    #[arg(long, value_enum, value_name = "BUILD")]
    from: Option<BuildName>,

    /// The day to write as HmPOS_date, without which pgscatalog-utils takes no file for harmonised
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    date: Option<String>,

    /// Directory for ID_hmPOS_BUILD.txt.gz
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl LiftoverArguments {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let build = self.to.build();
        let paths = catalog::scoring_paths(&self.scores)?;
        let chains = catalog::chains_to(&self.chain, build)?;
        let reading = Reading { build: Some(build), ..Reading::default() };
        let mut files = scoring_file::read_all(&paths, &reading)?;
        let mut written: BTreeMap<String, PathBuf> = BTreeMap::new();
        for file in &files {
            let name = lifted_file::name_of(file, build);
            if let Some(other) = written.insert(name.clone(), file.path.clone()) {
                bail!("{} and {}: both would be {name}", other.display(), file.path.display());
            }
        }
        std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
        for file in &mut files {
            for remark in &file.remarks {
                eprintln!("norn: {}: {remark}", file.name);
            }
            let path = self.output.join(lifted_file::name_of(file, build));
            let lift = self.lift(file, &chains)?;
            catalog::compressed(&path, |output| {
                lifted_file::write(output, file, lift.as_ref(), build, self.date.as_deref())
            })?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Lifts a file that is not of the build yet, and tells what became of it.
    fn lift(&self, file: &mut ScoringFile, chains: &Chains) -> anyhow::Result<Option<Lift>> {
        let (path, to) = (file.path.display().to_string(), self.to.build());
        let Some(from) = file.build.or(self.from.map(BuildName::build)) else {
            bail!("{path}: it does not tell the build of its positions (--from does)");
        };
        let positions = match file.coordinates {
            Coordinates::Harmonised => "harmonised",
            Coordinates::AuthorReported => "the authors'",
            Coordinates::Identifiers => bail!("{path}: it has no positions"),
        };
        if from == to {
            eprintln!("norn: {}: {positions} positions are of {} already", file.name, to.name());
            return Ok(None);
        }
        if let [Some(left), _] = chains.builds()
            && left != from
        {
            let chain = self.chain.display();
            bail!("{path}: its positions are of {}, and {chain} leads from {}", from.name(), left.name());
        }
        let lift = liftover::lift(file, chains, to).with_context(|| path)?;
        let counts = lift.counts;
        eprintln!(
            "norn: {}: {} variants lifted from {} ({positions} positions), {} of them to the other strand; {} without a place \
             in {}: {} in no chain, {} on no chromosome, {} indels on the other strand; {} without a position before",
            file.name,
            counts.lifted,
            from.name(),
            counts.turned,
            counts.lost(),
            to.name(),
            counts.uncovered,
            counts.off_chromosomes,
            counts.indels_turned,
            counts.without_position,
        );
        Ok(Some(lift))
    }
}

/// A day as the PGS Catalog writes it.
fn day(text: &str) -> Result<String, String> {
    match humantime::parse_rfc3339(&format!("{text}T00:00:00Z")) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected a day such as 2026-01-31".to_owned()),
    }
}
