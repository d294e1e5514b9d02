//! `norn prs score`: genotypes and weights to sums.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::catalog::{self, GenotypeArguments, MatchingArguments, Told};
use crate::cli::qc::{UsageError, default_threads};
use crate::compute::communicator::Communicator;
use crate::formats::genotypes::samples::SampleTable;
use crate::formats::output::{AtomicFile, OutputError};
use crate::prs::aggregated;
use crate::prs::dense_table::{DenseTable, VariantsById, column_numbers};
use crate::prs::frequencies::FrequencyTable;
use crate::prs::genotype_set::GenotypeSet;
use crate::prs::kernel::{Imputation, Kernel, Part, Settings, Sums, XModel};
use crate::prs::matching::Matched;
use crate::prs::matrix::MatrixWriter;
use crate::prs::score_set::ScoreSet;
use crate::prs::shares;
use crate::prs::sscore::{self, Columns, Look};
use crate::prs::target::Wanted;
use crate::prs::weights::{Effect, Weights};
use crate::report::run_file::{Run, RunFile};

/// Sum the weights of many scores over the genotypes of people.
///
/// Tables of weights, numbers and options are those of plink2 --score; sums are exact, and the same for any number of
/// threads and files.
#[derive(Debug, Args)]
pub(super) struct ScoreArguments {
    #[command(flatten)]
    genotypes: GenotypeArguments,

    /// Scoring files of the PGS Catalog, or directories of them; -o is a directory
    #[arg(long, num_args = 1.., value_name = "FILE|DIR", required_unless_present = "weights")]
    scores: Vec<PathBuf>,

    /// Weights as of plink2 --score: identifier, counted allele, a weight for each score; the first line has the names; -o is
    /// the .sscore file
    #[arg(long, value_name = "TABLE", conflicts_with = "scores")]
    weights: Option<PathBuf>,

    #[command(flatten)]
    matching: MatchingArguments,

    /// Columns of weights, from 1 [default: all from the third on]
    #[arg(long, value_name = "3-12,15")]
    score_col_nums: Option<String>,

    /// What the copies of an allele count
    #[arg(long, value_enum, default_value_t)]
    effect: EffectName,

    /// Allele frequencies (.afreq of plink2 --freq) [default: those of the founders]
    #[arg(long, alias = "freq", value_name = "AFREQ")]
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

    /// Columns of the .sscore by the names of plink2's cols=; with + and - before them they change the default
    #[arg(
        long,
        value_name = "LIST",
        allow_hyphen_values = true,
        default_value = "maybefid,maybesid,nallele,denom,dosagesum,scoreavgs,scoresums"
    )]
    columns: Columns,

    /// Significant digits [default: as many as the number has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: Option<u8>,

    /// Matrix of people and scores (SUM) in Apache Parquet, beside the table
    #[arg(long, value_name = "FILE.parquet")]
    matrix: Option<PathBuf>,

    /// No aggregated_scores.txt.gz: the matrix stands for it
    #[arg(long, requires = "matrix", conflicts_with = "weights")]
    no_aggregated: bool,

    /// Threads [default: SLURM_CPUS_PER_TASK, else the cores we may run on]
    #[arg(short, long, value_name = "N")]
    threads: Option<u16>,

    /// With --weights the table of sums (.sscore); with --scores a directory for aggregated_scores.txt.gz, the log and the summary of
    /// matches
    #[arg(short, long, value_name = "FILE|DIR")]
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

impl ScoreArguments {
    /// Runs the command.
    pub(super) fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
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
        // This thread is one of the pool's, and the one that messages of ranks go through.
        let code = match &self.weights {
            Some(weights) => self.score_table(weights, columns.as_deref(), ranks),
            None => self.score_catalog(threads, ranks),
        };
        drop(pool);
        code
    }

    /// Scores of a table, as plink2 sums them.
    fn score_table(
        &self,
        weights: &Path,
        columns: Option<&[usize]>,
        ranks: &Communicator,
    ) -> anyhow::Result<ExitCode> {
        let genotypes = self.genotypes.open(&|_, _, _| true, Told::by(ranks))?;
        let sites: Vec<_> = genotypes.parts().map(|part| part.source.sites()).collect();
        let effect = match self.effect {
            EffectName::Additive => Effect::Additive,
            EffectName::Dominant => Effect::Dominant,
            EffectName::Recessive => Effect::Recessive,
        };
        let table = DenseTable::read(weights, columns, effect, &VariantsById::new(&sites))?;
        if !ranks.is_root() {
            self.sums(&genotypes, &table.weights, ranks, |_| Ok(()))?;
            return Ok(ExitCode::SUCCESS);
        }
        if table.unmatched > 0 {
            eprintln!(
                "norn: {} of {} rows of {} are of no variant and allele of the genotypes",
                table.unmatched,
                table.matched + table.unmatched,
                weights.display()
            );
        }
        let look = Look { columns: self.columns, digits: self.digits.map(usize::from) };
        let mut file = AtomicFile::create(&self.output)?;
        let told = |source| OutputError { path: self.output.clone(), source };
        {
            let mut output = BufWriter::with_capacity(1 << 20, &mut file);
            let samples = genotypes.samples();
            let dataset = self.matching.dataset(&self.genotypes.genotypes);
            let mut matrix = self.open_matrix(&dataset, &table.names)?;
            sscore::write_header(&mut output, samples, &table.names, look).map_err(told)?;
            self.sums(&genotypes, &table.weights, ranks, |sums| {
                sscore::write_rows(&mut output, samples, sums, look).map_err(told)?;
                matrix.add(samples, sums)
            })?;
            output.flush().map_err(told)?;
            matrix.commit()?;
        }
        file.commit()?;
        Ok(ExitCode::SUCCESS)
    }

    /// Scores of the PGS Catalog.
    fn score_catalog(&self, threads: usize, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let run = Run::begin();
        let files = self.matching.read(&self.scores, Told::by(ranks))?;
        let wanted = Wanted::of(&files);
        let genotypes = self
            .genotypes
            .open(&|contig, position, id| wanted.contains(contig, position, id), Told::by(ranks))?;
        let target = catalog::target(&wanted, &genotypes);
        let matched = self.matching.matches(&files, &wanted, &target)?;
        let dataset = self.matching.dataset(&self.genotypes.genotypes);
        if !ranks.is_root() {
            if let Some(set) = score_set(&matched, &genotypes)? {
                self.sums(&genotypes, &set.weights, ranks, |_| Ok(()))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
        let mut outputs = catalog::write_matches(&self.output, &dataset, &matched)?;
        let Some(set) = score_set(&matched, &genotypes)? else {
            bail!("no score has enough variants in the genotypes");
        };
        let mut matrix = self.open_matrix(&dataset, &set.names)?;
        if self.no_aggregated {
            self.sums(&genotypes, &set.weights, ranks, |sums| matrix.add(genotypes.samples(), sums))?;
        } else {
            let path = self.output.join("aggregated_scores.txt.gz");
            self.write_aggregated(&path, &dataset, &genotypes, &set, ranks, &mut matrix)?;
            outputs.push(path);
        }
        matrix.commit()?;
        outputs.extend(self.matrix.clone());
        let inputs: Vec<PathBuf> = self
            .genotypes
            .genotypes
            .iter()
            .cloned()
            .chain(files.iter().map(|file| file.path.clone()))
            .chain(self.matching.inputs().iter().cloned())
            .collect();
        let file = RunFile {
            command: "prs score",
            inputs: &inputs,
            checksum: false,
            parameters: self.parameters(),
            outputs: &outputs,
            threads,
            ranks: ranks.size(),
        };
        run.write(&self.output.join("scores.run.json"), &file)?;
        let is_whole = matched.iter().all(|one| one.check().is_ok());
        Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(crate::cli::exit::BELOW_THRESHOLDS) })
    }

    /// Writes the table of all people and scores, and gives their sums to the matrix.
    fn write_aggregated(
        &self,
        path: &Path,
        dataset: &str,
        genotypes: &GenotypeSet,
        set: &ScoreSet,
        ranks: &Communicator,
        matrix: &mut MatrixFile,
    ) -> anyhow::Result<()> {
        let samples = genotypes.samples();
        let mut problem = None;
        catalog::compressed(path, |output| {
            aggregated::write_header(output)?;
            let summed = self.sums(genotypes, &set.weights, ranks, |sums| {
                aggregated::write_rows(output, dataset, samples, &set.names, sums)
                    .map_err(|source| OutputError { path: path.to_owned(), source })?;
                matrix.add(samples, sums)
            });
            // What is not written is told as it is.
            summed.map_err(|error| {
                problem = Some(error);
                std::io::Error::other("no sums")
            })
        })
        .map_err(|error| problem.unwrap_or(error))
    }

    fn open_matrix(&self, dataset: &str, names: &[String]) -> anyhow::Result<MatrixFile> {
        let Some(path) = &self.matrix else { return Ok(MatrixFile(None)) };
        let file = AtomicFile::create(path)?;
        let writer = MatrixWriter::new(file, dataset, names).with_context(|| path.display().to_string())?;
        Ok(MatrixFile(Some((path.clone(), writer))))
    }

    /// What the sums depend on, for the run file.
    fn parameters(&self) -> Json {
        let Settings { imputation, x_model, .. } = self.settings();
        json!({
            "genotypes": self.genotypes.parameters(),
            "matching": self.matching.parameters(),
            "imputation": imputation,
            "frequencies": self.read_freq,
            "x_model": x_model,
        })
    }

    /// Sums weights over all people, those that fit into the memory at a time; rank 0 gives what all ranks have to `take`.
    fn sums(
        &self,
        genotypes: &GenotypeSet,
        weights: &Weights,
        ranks: &Communicator,
        mut take: impl FnMut(&Sums) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let table = self.read_freq.as_deref().map(FrequencyTable::read).transpose()?;
        let parts: Vec<Part<'_>> = genotypes.parts().collect();
        let frequencies: Option<Vec<_>> =
            table.map(|table| parts.iter().map(|part| table.of(part.source.sites())).collect());
        let kernel = Kernel::new(weights, self.settings());
        let share = shares::variants_of(weights, ranks);
        for range in kernel.passes(genotypes.samples().len(), self.genotypes.memory << 20) {
            let mut sums = kernel.empty(genotypes.samples(), range);
            for (number, part) in parts.iter().enumerate() {
                let frequencies = frequencies.as_ref().and_then(|all| all.get(number)).map(Vec::as_slice);
                let part = Part { frequencies, ..*part };
                let (first, end) = (part.first as u32, (part.first + part.source.sites().len()) as u32);
                let variants = first.max(share.start)..end.min(share.end);
                if !variants.is_empty() {
                    kernel.add(&part, variants, &mut sums)?;
                }
            }
            shares::collect(ranks, &mut sums)?;
            if ranks.is_root() {
                take(&sums)?;
            }
        }
        Ok(())
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

/// The weights of the scores that match well enough; `None` where there is none.
fn score_set(matched: &[Matched<'_>], genotypes: &GenotypeSet) -> anyhow::Result<Option<ScoreSet>> {
    let passing: Vec<&Matched<'_>> = matched.iter().filter(|one| one.check().is_ok()).collect();
    Ok(if passing.is_empty() { None } else { Some(ScoreSet::new(&passing, genotypes)?) })
}

/// The matrix, where one is wanted.
struct MatrixFile(Option<(PathBuf, MatrixWriter<AtomicFile>)>);

impl MatrixFile {
    fn add(&mut self, samples: &SampleTable, sums: &Sums) -> anyhow::Result<()> {
        let Some((path, writer)) = &mut self.0 else { return Ok(()) };
        writer.add(samples, sums).with_context(|| path.display().to_string())
    }

    fn commit(self) -> anyhow::Result<()> {
        let Some((path, writer)) = self.0 else { return Ok(()) };
        Ok(writer.finish().with_context(|| path.display().to_string())?.commit()?)
    }
}
