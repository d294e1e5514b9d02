//! `norn prs score`: genotypes and weights to sums.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::catalog::{self, GenotypeArguments, MatchTables, MatchingArguments, Told};
use crate::cli::qc::{UsageError, default_threads};
use crate::compute::communicator::Communicator;
use crate::formats::genotypes::samples::SampleTable;
use crate::formats::output::{AtomicFile, OutputError};
use crate::formats::text;
use crate::prs::aggregated;
use crate::prs::dense_table::{DenseTable, VariantsById, column_numbers};
use crate::prs::frequencies::FrequencyTable;
use crate::prs::genotype_set::GenotypeSet;
use crate::prs::kernel::{Imputation, Kernel, Load, Part, Plan, Settings, Sums, XModel, needs_sex};
use crate::prs::matching::Matched;
use crate::prs::matrix::MatrixWriter;
use crate::prs::score_set::ScoreSet;
use crate::prs::shares;
use crate::prs::sscore::{self, Columns, Look};
use crate::prs::summed::{Summed, Tiles};
use crate::prs::target::Target;
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

    /// Take the frequencies of fewer than 50 people for missing genotypes
    #[arg(long, conflicts_with_all = ["read_freq", "no_mean_imputation"])]
    bad_freqs: bool,

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
        let look = Look { columns: self.columns, digits: self.digits.map(usize::from) };
        let dataset = self.matching.dataset(&self.genotypes.genotypes);
        let (names, mut scores) = self.weights_of_table(weights, columns, &genotypes, ranks)?;
        if !ranks.is_root() {
            self.each(&genotypes, &mut scores, ranks, &mut |_| Ok(()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut file = AtomicFile::create(&self.output)?;
        let told = |source| OutputError { path: self.output.clone(), source };
        {
            let mut output = BufWriter::with_capacity(1 << 20, &mut file);
            let samples = genotypes.samples();
            let mut matrix = self.open_matrix(&dataset, &names)?;
            sscore::write_header(&mut output, samples, &names, look).map_err(told)?;
            self.each(&genotypes, &mut scores, ranks, &mut |sums| {
                sscore::write_rows(&mut output, samples, sums, look).map_err(told)?;
                matrix.add(samples, sums)
            })?;
            output.flush().map_err(told)?;
            matrix.commit()?;
        }
        file.commit()?;
        Ok(ExitCode::SUCCESS)
    }

    /// Names and weights of a table: all at once, or, where they are too many, the sums of tiles of columns.
    fn weights_of_table(
        &self,
        path: &Path,
        columns: Option<&[usize]>,
        genotypes: &GenotypeSet,
        ranks: &Communicator,
    ) -> anyhow::Result<(Vec<String>, Scores)> {
        let sites: Vec<_> = genotypes.parts().map(|part| part.source.sites()).collect();
        let effect = match self.effect {
            EffectName::Additive => Effect::Additive,
            EffectName::Dominant => Effect::Dominant,
            EffectName::Recessive => Effect::Recessive,
        };
        let tiles = column_tiles(path, columns, genotypes.variants(), self.genotypes.bytes() / WEIGHTS)?;
        let mut names = Vec::new();
        let mut waiting = None;
        let count = tiles.len();
        for (number, columns) in tiles.into_iter().enumerate() {
            // What finds variants by identifiers goes before sums come.
            let table = DenseTable::read(path, columns.as_deref(), effect, &VariantsById::new(&sites))?;
            if table.unmatched > 0 && number == 0 {
                Told::by(ranks).tell(format_args!(
                    "{} of {} rows of {} are of no variant and allele of the genotypes",
                    table.unmatched,
                    table.matched + table.unmatched,
                    path.display()
                ));
            }
            names.extend(table.names);
            if count == 1 {
                return Ok((names, Scores::Once(table.weights)));
            }
            self.sum_tile(genotypes, &table.weights, 0, ranks, &mut waiting)?;
        }
        Ok((names, Scores::Tiled(waiting)))
    }

    /// Sums a tile of scores, which waits on rank 0 for the others.
    fn sum_tile(
        &self,
        genotypes: &GenotypeSet,
        weights: &Weights,
        held: u64,
        ranks: &Communicator,
        waiting: &mut Option<Tiles>,
    ) -> anyhow::Result<()> {
        if !ranks.is_root() {
            return self.sums(genotypes, weights, held, ranks, |_| Ok(()));
        }
        let tiles = self.waiting(waiting, genotypes)?;
        self.sums(genotypes, weights, held, ranks, |sums| Ok(tiles.add(sums)?))
    }

    /// Where tiles of scores wait, made for the first of them.
    fn waiting<'w>(
        &self,
        waiting: &'w mut Option<Tiles>,
        genotypes: &GenotypeSet,
    ) -> anyhow::Result<&'w mut Tiles> {
        if let Some(tiles) = waiting {
            return Ok(tiles);
        }
        let of_file = || self.output.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = if self.output.is_dir() { &self.output } else { of_file().unwrap_or(Path::new(".")) };
        let tiles = Tiles::new(directory, genotypes.samples().len());
        Ok(waiting.insert(tiles.with_context(|| directory.display().to_string())?))
    }

    /// Scores of the PGS Catalog.
    fn score_catalog(&self, threads: usize, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let run = Run::begin();
        let (tiles, wanted) =
            self.matching.tiles(&self.scores, self.genotypes.bytes() / WEIGHTS, Told::by(ranks))?;
        let paths: Vec<PathBuf> = tiles.paths().cloned().collect();
        let genotypes = self
            .genotypes
            .open(&|contig, position, id| wanted.contains(contig, position, id), Told::by(ranks))?;
        let target = catalog::target(&wanted, &genotypes);
        let other = self.matching.other(&wanted)?;
        let dataset = self.matching.dataset(&self.genotypes.genotypes);
        let mut tables = None;
        if ranks.is_root() {
            std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
            tables = Some(MatchTables::create(&self.output, &dataset)?);
        }
        // Counts tell who has missing genotypes.
        let imputes = self.settings().imputation != Imputation::None && !self.are_few(&genotypes);
        let held = target.bytes() + other.as_ref().map_or(0, Target::bytes);
        let (mut names, mut is_whole, mut is_anything, count) = (Vec::new(), true, false, tiles.len());
        let (mut once, mut waiting) = (None, None);
        for files in tiles.read(&self.matching, Told::by(ranks)) {
            let files = files?;
            let matched = self.matching.matches(&files, &target, other.as_ref());
            if let Some(tables) = &mut tables {
                tables.add(&matched)?;
            }
            let passing: Vec<&Matched<'_>> = matched.iter().filter(|one| one.check().is_ok()).collect();
            is_anything |= passing.iter().any(|one| one.overlap() > 0.0);
            is_whole &= passing.len() == matched.len();
            if passing.is_empty() {
                continue;
            }
            let set = ScoreSet::new(&passing, &genotypes, imputes)?;
            // Weights are all that is needed of the files.
            drop(passing);
            drop(matched);
            drop(files);
            names.extend(set.names);
            if count == 1 {
                once = Some(set.weights);
            } else {
                self.sum_tile(&genotypes, &set.weights, held, ranks, &mut waiting)?;
            }
        }
        let mut outputs = tables.map(MatchTables::commit).transpose()?.unwrap_or_default();
        drop((target, other));
        drop(wanted);
        if names.is_empty() || !is_anything {
            bail!("no score has enough variants in the genotypes");
        }
        let mut scores = once.map_or(Scores::Tiled(waiting), Scores::Once);
        if !ranks.is_root() {
            self.each(&genotypes, &mut scores, ranks, &mut |_| Ok(()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut matrix = self.open_matrix(&dataset, &names)?;
        if self.no_aggregated {
            self.each(&genotypes, &mut scores, ranks, &mut |sums| matrix.add(genotypes.samples(), sums))?;
        } else {
            let path = self.output.join("aggregated_scores.txt.gz");
            self.write_aggregated(&path, &dataset, &genotypes, &names, &mut scores, ranks, &mut matrix)?;
            outputs.push(path);
        }
        matrix.commit()?;
        outputs.extend(self.matrix.clone());
        let inputs: Vec<PathBuf> = self
            .genotypes
            .genotypes
            .iter()
            .cloned()
            .chain(paths)
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
        Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(crate::cli::exit::BELOW_THRESHOLDS) })
    }

    /// Writes the table of all people and scores, and gives their sums to the matrix.
    #[expect(clippy::too_many_arguments, reason = "two outputs of one pass")]
    fn write_aggregated(
        &self,
        path: &Path,
        dataset: &str,
        genotypes: &GenotypeSet,
        names: &[String],
        scores: &mut Scores,
        ranks: &Communicator,
        matrix: &mut MatrixFile,
    ) -> anyhow::Result<()> {
        let samples = genotypes.samples();
        let mut problem = None;
        catalog::compressed(path, |output| {
            aggregated::write_header(output)?;
            let summed = self.each(genotypes, scores, ranks, &mut |sums| {
                aggregated::write_rows(output, dataset, samples, names, sums)
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

    /// Gives the sums of all scores, of some people at a time, to rank 0.
    fn each(
        &self,
        genotypes: &GenotypeSet,
        scores: &mut Scores,
        ranks: &Communicator,
        take: &mut dyn FnMut(&dyn Summed) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match scores {
            Scores::Once(weights) => self.sums(genotypes, weights, 0, ranks, |sums| take(sums)),
            Scores::Tiled(None) => Ok(()),
            Scores::Tiled(Some(tiles)) => {
                let free = self.genotypes.bytes().saturating_sub(genotypes.held_bytes());
                for people in tiles.batches(free.max(self.genotypes.bytes() / 4) / 2) {
                    take(&tiles.gather(people)?)?;
                }
                Ok(())
            }
        }
    }

    /// Sums weights over all people, those that fit into the memory at a time beside the genotypes and what else is held; rank 0 gives
    /// what all ranks have to `take`.
    fn sums(
        &self,
        genotypes: &GenotypeSet,
        weights: &Weights,
        held: u64,
        ranks: &Communicator,
        mut take: impl FnMut(&Sums) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let parts: Vec<Part<'_>> = genotypes.parts().collect();
        let frequencies = self.frequencies(&parts, weights, Told::by(ranks))?;
        tell_sexless(genotypes, &parts, weights, Told::by(ranks));
        let are_few = self.are_few(genotypes);
        let kernel = Kernel::new(weights, self.settings());
        let of_frequencies = frequencies.as_ref().map_or(0, |_| OF_FREQUENCIES * genotypes.variants() as u64);
        let load = Load {
            people: genotypes.samples().len(),
            lanes: kernel.lanes(),
            // Passes are the same on all ranks.
            threads: shares::of_root(ranks, rayon::current_num_threads())?,
            held: held + of_frequencies + genotypes.held_bytes() + weights.bytes() + kernel.bytes(),
        };
        let plan = Plan::new(&load, self.genotypes.bytes());
        let kernel = kernel.with_plan(&plan);
        let share = shares::variants_of(weights, ranks);
        for range in plan.passes {
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
                if are_few && sums.has_imputed() {
                    bail!(
                        "genotypes are missing, and {} people are too few to tell what they are mostly: --read-freq (a panel's), \
                         --no-mean-imputation, or --bad-freqs to take these people's frequencies",
                        genotypes.samples().len()
                    );
                }
                take(&sums)?;
            }
        }
        Ok(())
    }

    /// Whether people are too few for their frequencies to stand for missing genotypes.
    fn are_few(&self, genotypes: &GenotypeSet) -> bool {
        self.read_freq.is_none() && !self.bad_freqs && genotypes.samples().len() < FEW_PEOPLE
    }

    /// Frequencies of a table for all variants of the parts, empty where it has none.
    fn frequencies(
        &self,
        parts: &[Part<'_>],
        weights: &Weights,
        told: Told,
    ) -> anyhow::Result<Option<Vec<Vec<Vec<f64>>>>> {
        let Some(path) = &self.read_freq else { return Ok(None) };
        let table = FrequencyTable::read(path)?;
        let all: Vec<_> = parts.iter().map(|part| table.of(part.source.sites())).collect();
        let is_known = |variant: u32| {
            let mut found = parts.iter().zip(&all);
            found.any(|(part, all)| {
                let local = (variant as usize).checked_sub(part.first);
                local.and_then(|local| all.get(local)).is_some_and(|of_variant| !of_variant.is_empty())
            })
        };
        let (mut known, mut unknown) = (0u64, 0u64);
        weights
            .variants()
            .for_each(|variant| *if is_known(variant) { &mut known } else { &mut unknown } += 1);
        if known == 0 && unknown > 0 {
            bail!(
                "{}: it has none of the {unknown} scored variants, by identifier or position, and alleles",
                path.display()
            );
        }
        if unknown > 0 {
            told.tell(format_args!(
                "{}: it lacks {unknown} of {} scored variants; missing genotypes of these are taken for what these people have",
                path.display(),
                known + unknown
            ));
        }
        Ok(Some(all))
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

/// Whose sex is not known counts as no male, which nobody may have meant.
fn tell_sexless(genotypes: &GenotypeSet, parts: &[Part<'_>], weights: &Weights, told: Told) {
    let sexless = genotypes.samples().iter().filter(|sample| sample.sex.is_none()).count();
    if sexless == 0 {
        return;
    }
    let is_on_x_or_y = |variant: &u32| {
        let of = |part: &Part| {
            part.source
                .sites()
                .get((*variant as usize).checked_sub(part.first)?)
                .map(|site| needs_sex(site.contig))
        };
        parts.iter().find_map(of) == Some(true)
    };
    let variants = weights.variants().filter(is_on_x_or_y).count();
    if variants > 0 {
        told.tell(format_args!(
            "{variants} scored variants are on X or Y, and of {sexless} people the sex is not known: they count as women (--psam tells sexes)"
        ));
    }
}

/// All scores: their weights, or what came of them tile by tile, which rank 0 has.
enum Scores {
    Once(Weights),
    Tiled(Option<Tiles>),
}

/// From so many people on their own frequencies stand for missing genotypes, as in PLINK 2.
const FEW_PEOPLE: usize = 50;
/// Weights of a tile take this part of the memory at most, while they are read.
const WEIGHTS: u64 = 4;
/// Frequencies of a variant's alleles, in a vector of its own.
const OF_FREQUENCIES: u64 = 64;

/// Columns of a table whose weights fit into so many bytes, tile by tile; the only tile has the columns as they were given.
fn column_tiles(
    path: &Path,
    columns: Option<&[usize]>,
    variants: usize,
    bytes: u64,
) -> anyhow::Result<Vec<Option<Vec<usize>>>> {
    let only = || vec![columns.map(<[usize]>::to_vec)];
    let failed = || path.display().to_string();
    let (mut input, mut line) = (text::open(path).with_context(failed)?, Vec::new());
    text::read_line(input.as_mut(), &mut line).with_context(failed)?;
    let of_line = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).count();
    let all = columns.map_or_else(|| (2..of_line).collect(), <[usize]>::to_vec);
    let fit = |rows: u64| usize::try_from(bytes / (8 * rows.max(1))).unwrap_or(usize::MAX).max(1);
    if all.len() <= fit(variants as u64) {
        return Ok(only());
    }
    // Not as many rows as variants, maybe.
    let mut rows = 0;
    while text::read_line(input.as_mut(), &mut line).with_context(failed)? {
        rows += 1;
    }
    let fit = fit(rows);
    Ok(if all.len() <= fit { only() } else { all.chunks(fit).map(|tile| Some(tile.to_vec())).collect() })
}

/// The matrix, where one is wanted.
struct MatrixFile(Option<(PathBuf, MatrixWriter<AtomicFile>)>);

impl MatrixFile {
    fn add(&mut self, samples: &SampleTable, sums: &dyn Summed) -> anyhow::Result<()> {
        let Some((path, writer)) = &mut self.0 else { return Ok(()) };
        writer.add(samples, sums).with_context(|| path.display().to_string())
    }

    fn commit(self) -> anyhow::Result<()> {
        let Some((path, writer)) = self.0 else { return Ok(()) };
        Ok(writer.finish().with_context(|| path.display().to_string())?.commit()?)
    }
}
