//! `norn prs score`: genotypes and weights to sums.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::cli::qc::{UsageError, default_threads};
use crate::formats::bgen::Bgen;
use crate::formats::genotypes::GenotypeSource;
use crate::formats::output::{AtomicFile, OutputError};
use crate::formats::plink::Fileset;
use crate::prs::dense_table::{DenseTable, VariantsById, column_numbers};
use crate::prs::frequencies::FrequencyTable;
use crate::prs::kernel::{Imputation, Kernel, Part, Settings, XModel};
use crate::prs::sscore::{self, Look};
use crate::prs::weights::Effect;

/// Sum the weights of many scores over the genotypes of people.
///
/// Tables of weights, numbers and options are those of plink2 --score; sums are exact, and the same for any number of
/// threads and files.
#[derive(Debug, Args)]
pub(super) struct ScoreArguments {
    /// Genotypes (.pgen, .bed or .bgen); several files hold the same people at other variants
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    genotypes: Vec<PathBuf>,

    /// Weights: identifier, counted allele, a weight for each score; the first line has the names
    #[arg(long, value_name = "TABLE")]
    weights: PathBuf,

    /// Columns of weights, from 1 [default: all from the third on]
    #[arg(long, value_name = "3-12,15")]
    score_col_nums: Option<String>,

    /// What the copies of an allele count
    #[arg(long, value_enum, default_value_t)]
    effect: EffectName,

    /// Allele frequencies (.afreq of plink2 --freq) [default: those of the founders]
    #[arg(long, value_name = "AFREQ")]
    read_freq: Option<PathBuf>,

    /// Missing genotypes count nothing, and their alleles are not in the denominator
    #[arg(long, conflicts_with = "impute")]
    no_mean_imputation: bool,

    /// What missing genotypes count
    #[arg(long, value_enum, default_value_t)]
    impute: ImputeName,

    /// Chromosome X: 0 leaves it out, 1 counts one copy in males, 2 counts two
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=2))]
    xchr_model: u8,

    /// Columns of scores
    #[arg(long, value_enum, value_delimiter = ',', default_value = "averages,sums")]
    columns: Vec<ColumnName>,

    /// Significant digits [default: as many as the number has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: Option<u8>,

    /// Memory for genotypes and sums, in MiB; more people than it holds are further passes
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    memory: u64,

    /// Threads [default: SLURM_CPUS_PER_TASK, else the cores we may run on]
    #[arg(short, long, value_name = "N")]
    threads: Option<u16>,

    /// The table of sums (.sscore)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum EffectName {
    #[default]
    Additive,
    Dominant,
    Recessive,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ImputeName {
    /// What plink2 takes
    #[default]
    Plink2,
    /// What is expected by Hardy and Weinberg
    Hwe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColumnName {
    /// NAME_AVG
    Averages,
    /// NAME_SUM
    Sums,
}

impl ScoreArguments {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let columns = match &self.score_col_nums {
            Some(text) => Some(column_numbers(text).filter(|columns| columns[0] > 1).ok_or_else(|| {
                UsageError::new(format!(
                    "--score-col-nums {text}: expected columns such as 3-12,15, increasing"
                ))
            })?),
            None => None,
        };
        let threads = self.threads.map_or_else(default_threads, |threads| usize::from(threads.max(1)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build()?;
        pool.install(|| self.score(columns.as_deref()))
    }

    fn score(&self, columns: Option<&[usize]>) -> anyhow::Result<ExitCode> {
        let sources = self.genotypes.iter().map(|path| open(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let samples = sources[0].samples();
        for (source, path) in sources.iter().zip(&self.genotypes).skip(1) {
            let names = |source: &dyn GenotypeSource| -> Vec<String> {
                source.samples().iter().map(|sample| sample.individual.clone()).collect()
            };
            if names(source.as_ref()) != names(sources[0].as_ref()) {
                bail!(
                    "{}: its samples are not those of {}, in the same order",
                    path.display(),
                    self.genotypes[0].display()
                );
            }
        }
        let frequencies = match &self.read_freq {
            Some(path) => {
                let table = FrequencyTable::read(path)?;
                Some(sources.iter().map(|source| table.of(source.sites())).collect::<Vec<_>>())
            }
            None => None,
        };
        let effect = match self.effect {
            EffectName::Additive => Effect::Additive,
            EffectName::Dominant => Effect::Dominant,
            EffectName::Recessive => Effect::Recessive,
        };
        let sites: Vec<_> = sources.iter().map(|source| source.sites()).collect();
        let table = DenseTable::read(&self.weights, columns, effect, &VariantsById::new(&sites))?;
        if table.unmatched > 0 {
            eprintln!(
                "norn: {} of {} rows of {} are of no variant and allele of the genotypes",
                table.unmatched,
                table.matched + table.unmatched,
                self.weights.display()
            );
        }
        let kernel = Kernel::new(&table.weights, self.settings());
        let look = Look {
            averages: self.columns.contains(&ColumnName::Averages),
            sums: self.columns.contains(&ColumnName::Sums),
            digits: self.digits.map(usize::from),
        };
        let mut file = AtomicFile::create(&self.output)?;
        let told = |source| OutputError { path: self.output.clone(), source };
        {
            let mut output = BufWriter::with_capacity(1 << 20, &mut file);
            sscore::write_header(&mut output, samples, &table.names, look).map_err(told)?;
            for range in kernel.passes(samples.len(), self.memory << 20) {
                let mut sums = kernel.empty(samples, range);
                let mut first = 0;
                for (number, source) in sources.iter().enumerate() {
                    let frequencies = frequencies.as_ref().and_then(|all| all.get(number)).map(Vec::as_slice);
                    let part = Part { source: source.as_ref(), first, frequencies };
                    let end = first + source.sites().len();
                    kernel.add(&part, first as u32..end as u32, &mut sums)?;
                    first = end;
                }
                sscore::write_rows(&mut output, samples, &sums, look).map_err(told)?;
            }
            output.flush().map_err(told)?;
        }
        file.commit()?;
        Ok(ExitCode::SUCCESS)
    }

    fn settings(&self) -> Settings {
        let imputation = match self.impute {
            _ if self.no_mean_imputation => Imputation::None,
            ImputeName::Plink2 => Imputation::Plink2,
            ImputeName::Hwe => Imputation::HardyWeinberg,
        };
        let x_model = [XModel::Skip, XModel::Haploid, XModel::Diploid][usize::from(self.xchr_model)];
        Settings { imputation, x_model, ..Settings::default() }
    }
}

/// Opens genotypes by what their name ends with.
fn open(path: &Path) -> anyhow::Result<Box<dyn GenotypeSource>> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("pgen" | "bed") => Ok(Box::new(Fileset::open(path)?)),
        Some("bgen") => Ok(Box::new(Bgen::open(path, None)?)),
        _ => Err(anyhow::anyhow!("expected a .pgen, .bed or .bgen file"))
            .with_context(|| path.display().to_string()),
    }
}
