//! `norn prs pca`: a reference panel to principal components.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::catalog::{self, GenotypeArguments, Told};
use crate::cli::qc::{UsageError, default_threads};
use crate::formats::bed::BedReader;
use crate::formats::output::{AtomicFile, OutputError};
use crate::genome::contigs::ContigRole;
use crate::genome::intervals::{Interval, IntervalSet};
use crate::prs::ancestry::call_matrix::Scale;
use crate::prs::ancestry::dense::Dense;
use crate::prs::ancestry::ld_pruning::Pruning;
use crate::prs::ancestry::loadings::Loadings;
use crate::prs::ancestry::pcs;
use crate::prs::ancestry::randomised_svd::decompose;
use crate::prs::ancestry::reference_panel::{Filters, ReferencePanel};
use crate::prs::chromosome::Chromosome;
use crate::report::run_file::{Run, RunFile};

/// Find the principal components of a reference panel, and loadings to project others on.
///
/// Variants are chosen by the filters of plink2, as in the PGS Catalog Calculator.
#[derive(Debug, Args)]
pub(super) struct PcaArguments {
    #[command(flatten)]
    genotypes: GenotypeArguments,

    /// Components
    #[arg(short = 'k', long, value_name = "1-50", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=50))]
    components: u8,

    /// The least frequency of the less frequent allele
    #[arg(long, value_name = "FREQUENCY", default_value_t = 0.05)]
    maf: f64,

    /// The greatest share of missing genotypes
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    geno: f64,

    /// The least probability in the exact Hardy-Weinberg test; 0 for no test
    #[arg(long, value_name = "P", default_value_t = 1e-4)]
    hwe: f64,

    /// Keep variants with too few heterozygotes, as a panel of several populations has them
    #[arg(long)]
    hwe_keep_fewhet: bool,

    /// Window and step in variants, and the squared correlation above which one of two variants goes
    #[arg(long, num_args = 3, value_names = ["WINDOW", "STEP", "R2"], default_values = ["1000", "50", "0.05"])]
    indep_pairwise: Vec<f64>,

    /// Do not look for variants that tell the same
    #[arg(long)]
    no_pruning: bool,

    /// Regions that are left out (BED), as those of long linkage
    #[arg(long, value_name = "BED")]
    exclude_regions: Option<PathBuf>,

    /// Keep variants that are the same on both strands (A/T, C/G)
    #[arg(long)]
    keep_ambiguous: bool,

    /// What genotypes are divided by
    #[arg(long, value_enum, default_value_t)]
    scale: ScaleName,

    /// Threads [default: SLURM_CPUS_PER_TASK, else the cores we may run on]
    #[arg(short, long, value_name = "N")]
    threads: Option<u16>,

    /// What the names of PREFIX.loadings.gz, PREFIX.pcs, PREFIX.eigenval and PREFIX.run.json begin with
    #[arg(short, long, value_name = "PREFIX")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ScaleName {
    /// sqrt(2p(1 - p)), as in plink2
    #[default]
    Expected,
    /// The standard deviation in the panel, as in FRAPOSA
    Observed,
}

/// Components that loadings hold for one that is reported: FRAPOSA's decomposition of a panel with a new person takes
/// as many.
const WIDER: usize = 4;

impl PcaArguments {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let filters = self.filters()?;
        let threads = self.threads.map_or_else(default_threads, |threads| usize::from(threads.max(1)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build()?;
        pool.install(|| self.decompose(&filters, threads))
    }

    fn decompose(&self, filters: &Filters, threads: usize) -> anyhow::Result<ExitCode> {
        let run = Run::begin();
        let genotypes =
            self.genotypes.open(&|contig, _, _| ContigRole::of(contig).is_autosome(), Told::Here)?;
        let people = genotypes.samples().as_slice();
        let reported = usize::from(self.components);
        if people.len() <= reported {
            bail!("{} people are too few for {reported} components", people.len());
        }
        let panel = ReferencePanel::read(&genotypes, filters)?;
        if panel.sites.len() < reported {
            bail!("{} variants pass the filters: too few for {reported} components", panel.sites.len());
        }
        let found = decompose(&panel.matrix, reported, WIDER * reported)?;
        if found.singular_values.len() < reported {
            bail!("the panel has no more than {} components", found.singular_values.len());
        }
        let variants = panel.sites.len();
        let loadings = Loadings {
            people: people.len(),
            reported,
            singular_values: found.singular_values,
            standards: panel.matrix.standards().to_vec(),
            sites: panel.sites,
            values: found.loadings,
        };
        let outputs = ["loadings.gz", "pcs", "eigenval"].map(|ending| named(&self.output, ending));
        catalog::compressed(&outputs[0], |output| loadings.write(output))?;
        let coordinates = Dense::from_fn(people.len(), reported, |row, column| {
            found.people.get(row, column) * loadings.singular_values[column]
        });
        written(&outputs[1], |output| pcs::write(output, people.iter(), &coordinates))?;
        written(&outputs[2], |output| {
            // As plink2 --pca: of the matrix of relations, which is divided by variants.
            let values = loadings.singular_values[..reported].iter();
            values
                .map(|value| value * value / variants as f64)
                .try_for_each(|value| writeln!(output, "{value}"))
        })?;
        eprintln!(
            "norn: {} components of {} people and {variants} of {} variants",
            reported,
            people.len(),
            panel.counts.variants
        );
        let inputs: Vec<PathBuf> =
            self.genotypes.genotypes.iter().chain(&self.exclude_regions).cloned().collect();
        let file = RunFile {
            command: "prs pca",
            inputs: &inputs,
            checksum: false,
            parameters: json!({
                "components": reported,
                "maf": filters.maf,
                "geno": filters.geno,
                "hwe": filters.hwe,
                "hwe_keep_fewhet": filters.keep_fewhet,
                "indep_pairwise": if self.no_pruning { None } else { Some(&self.indep_pairwise) },
                "keep_ambiguous": filters.keep_ambiguous,
                "scale": format!("{:?}", self.scale).to_lowercase(),
                "people": people.len(),
                "variants": panel.counts,
                "rounds": found.rounds,
            }),
            outputs: &outputs,
            threads,
            ranks: 1,
        };
        run.write(&named(&self.output, "run.json"), &file)?;
        Ok(ExitCode::SUCCESS)
    }

    fn filters(&self) -> anyhow::Result<Filters> {
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        if !is_share(self.maf) || !is_share(self.geno) || !is_share(self.hwe) {
            return Err(
                UsageError::new("--maf, --geno and --hwe: expected numbers from 0 to 1".into()).into()
            );
        }
        let [window, step, threshold] = self.indep_pairwise[..] else {
            bail!("--indep-pairwise: expected three numbers")
        };
        let is_count = |value: f64| value.fract() == 0.0 && (1.0..=1e9).contains(&value);
        if !is_count(window)
            || window < 2.0
            || !is_count(step)
            || step > window
            || !(0.0..1.0).contains(&threshold)
        {
            let what =
                "--indep-pairwise: expected 2 or more variants, a step of 1 to as many, and a share below 1";
            return Err(UsageError::new(what.into()).into());
        }
        let pruning = Pruning { window: window as usize, step: step as usize, threshold };
        Ok(Filters {
            maf: self.maf,
            geno: self.geno,
            hwe: self.hwe,
            keep_fewhet: self.hwe_keep_fewhet,
            keep_ambiguous: self.keep_ambiguous,
            excluded: self.exclude_regions.as_deref().map(regions).transpose()?.unwrap_or_default(),
            pruning: (!self.no_pruning).then_some(pruning),
            scale: match self.scale {
                ScaleName::Expected => Scale::Expected,
                ScaleName::Observed => Scale::Observed,
            },
        })
    }
}

/// Regions by the number of their chromosome; those of other contigs mean nothing here.
fn regions(path: &Path) -> anyhow::Result<IntervalSet> {
    let mut intervals = Vec::new();
    for record in BedReader::open(path)? {
        let record = record?;
        if let Some(chromosome) = Chromosome::of(&record.contig) {
            let interval = Interval { start: record.start, end: record.end };
            intervals.push((usize::from(chromosome.number()), interval));
        }
    }
    Ok(IntervalSet::new(intervals))
}

/// A file whose name begins with a prefix.
pub(super) fn named(prefix: &Path, ending: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Writes a text.
pub(super) fn written(
    path: &Path,
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut file = AtomicFile::create(path)?;
    write(&mut file).map_err(|source| OutputError { path: path.to_owned(), source })?;
    file.commit()?;
    Ok(())
}
