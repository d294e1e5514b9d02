//! `norn prs project`: people onto a panel's principal components.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::catalog::{GenotypeArguments, Told};
use super::pca::{named, written};
use crate::cli::qc::{UsageError, default_threads};
use crate::prs::ancestry::loadings::Loadings;
use crate::prs::ancestry::oadp::Method;
use crate::prs::ancestry::overlap::{self, Places};
use crate::prs::ancestry::{pcs, projection};
use crate::report::run_file::{Run, RunFile};

/// Find where people are on the principal components of a reference panel.
///
/// Each person is placed alone: nobody's place depends on who else is in the file.
#[derive(Debug, Args)]
pub(super) struct ProjectArguments {
    /// Loadings of the panel (PREFIX.loadings.gz of norn prs pca)
    #[arg(long, value_name = "FILE")]
    loadings: PathBuf,

    #[command(flatten)]
    genotypes: GenotypeArguments,

    /// How people are placed
    #[arg(long, value_enum, default_value_t)]
    method: MethodName,

    /// Use variants that are the same on both strands (A/T, C/G)
    #[arg(long)]
    keep_ambiguous: bool,

    /// The share of the loadings' variants that the genotypes must have
    #[arg(long, value_name = "SHARE", default_value_t = 0.75)]
    min_overlap: f64,

    /// Threads [default: SLURM_CPUS_PER_TASK, else the cores we may run on]
    #[arg(short, long, value_name = "N")]
    threads: Option<u16>,

    /// What the names of PREFIX.pcs and PREFIX.run.json begin with
    #[arg(short, long, value_name = "PREFIX")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum MethodName {
    /// Online augmentation, decomposition, Procrustes: as FRAPOSA
    #[default]
    Oadp,
    /// Plain projection, which lays people too near to the middle
    Sp,
    /// Plain projection, divided by the shrinkage that the panel's size makes expect
    Ap,
}

impl ProjectArguments {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if !(0.0..=1.0).contains(&self.min_overlap) {
            return Err(UsageError::new("--min-overlap: expected a share from 0 to 1".to_owned()).into());
        }
        let threads = self.threads.map_or_else(default_threads, |threads| usize::from(threads.max(1)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build()?;
        pool.install(|| self.project(threads))
    }

    fn project(&self, threads: usize) -> anyhow::Result<ExitCode> {
        let run = Run::begin();
        let loadings = Loadings::read(&self.loadings)?;
        let places = Places::of(&loadings);
        let genotypes =
            self.genotypes.open(&|contig, position, _| places.row(contig, position).is_some(), Told::Here)?;
        let (pairs, counts) = overlap::find(&loadings, &places, &genotypes, self.keep_ambiguous);
        eprintln!(
            "norn: {} of {} variants of the loadings are in the genotypes",
            counts.found(),
            counts.loadings
        );
        if pairs.is_empty() || counts.share() < self.min_overlap {
            bail!(
                "{}: only {:.1} % of its variants are in the genotypes; are they of the same build? (--min-overlap {})",
                self.loadings.display(),
                100.0 * counts.share(),
                self.min_overlap
            );
        }
        let method = match self.method {
            MethodName::Oadp => Method::Oadp,
            MethodName::Sp => Method::Sp,
            MethodName::Ap => Method::Ap,
        };
        let coordinates = projection::project(&loadings, &genotypes, &pairs, method)?;
        let outputs = [named(&self.output, "pcs")];
        written(&outputs[0], |output| pcs::write(output, genotypes.samples().iter(), &coordinates))?;
        let inputs: Vec<PathBuf> =
            std::iter::once(&self.loadings).chain(&self.genotypes.genotypes).cloned().collect();
        let file = RunFile {
            command: "prs project",
            inputs: &inputs,
            checksum: false,
            parameters: json!({
                "method": method,
                "keep_ambiguous": self.keep_ambiguous,
                "min_overlap": self.min_overlap,
                "people": genotypes.samples().len(),
                "overlap": counts,
            }),
            outputs: &outputs,
            threads,
            ranks: 1,
        };
        run.write(&named(&self.output, "run.json"), &file)?;
        Ok(ExitCode::SUCCESS)
    }
}
