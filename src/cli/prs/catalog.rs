//! Scoring files of the PGS Catalog: read, lifted and matched, for `norn prs score` and `match`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value as Json, json};

use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::bgen;
use crate::formats::bgzf_writer::{BgzfWriter, Level};
use crate::formats::genotypes::sample_list::SampleList;
use crate::formats::genotypes::vcf::{DosageField, Wanted as WantedRecords};
use crate::formats::output::{AtomicFile, OutputError};
use crate::formats::plink;
use crate::genome::contigs::Build;
use crate::prs::genotype_set::GenotypeSet;
use crate::prs::intersect;
use crate::prs::liftover::{self, Chains};
use crate::prs::match_log::{self, Table};
use crate::prs::matching::{Matched, Rules, match_file, match_shared};
use crate::prs::scoring_file::{self, Coordinates, Reading, ScoringFile};
use crate::prs::target::{Kept, Target, Wanted};

/// Which genotypes.
#[derive(Debug, Args)]
pub(super) struct GenotypeArguments {
    /// Genotypes (.pgen, .bed, .bgen, .vcf, .vcf.gz, .bcf); several files hold the same people at other variants
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub(super) genotypes: Vec<PathBuf>,

    /// Dosages of VCF and BCF: DS, GP or HDS [default: the hard calls of GT]
    #[arg(long, value_enum, value_name = "FIELD")]
    dosage_field: Option<DosageName>,

    /// Sexes, families and phenotypes of the people: .psam, .fam or Oxford's .sample. By IID (or FID_IID), or in the order of the genotypes
    /// where no name of theirs is in it
    #[arg(long, value_name = "FILE")]
    psam: Option<PathBuf>,

    /// Only the people of these lists: an IID, or FID and IID, a line (plink2 --keep)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    keep: Vec<PathBuf>,

    /// Not the people of these lists (plink2 --remove)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    remove: Vec<PathBuf>,

    /// Memory for genotypes, weights and sums, in MiB; more people than it holds are further passes over the genotypes, more
    /// scores tiles that wait on the disk of -o
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    memory: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
enum DosageName {
    /// Dosage of the alternate allele
    Ds,
    /// Probabilities of the genotypes
    Gp,
    /// Dosages of both chromosomes
    Hds,
}

/// How scoring files are read and matched.
#[derive(Debug, Args)]
pub(super) struct MatchingArguments {
    /// The build of the genotypes: of a file's positions those of this build are taken
    #[arg(long, value_enum)]
    build: Option<BuildName>,

    /// Chain file (UCSC) from the scores' build to --build, for files of another build
    #[arg(long, value_name = "CHAIN", requires = "build")]
    chain: Option<PathBuf>,

    /// Keep variants that are the same on both strands (A/T, C/G)
    #[arg(long)]
    keep_ambiguous: bool,

    /// Keep variants at sites of several alternate alleles
    #[arg(long)]
    keep_multiallelic: bool,

    /// Do not look for alleles on the other strand
    #[arg(long)]
    ignore_strand_flips: bool,

    /// Of rows that match one variant keep the first, not none
    #[arg(long)]
    keep_first_match: bool,

    /// Only variants that these genotypes have too, by position and both alleles in either order: a panel's for a cohort, the
    /// cohort's for the panel (.pvar, .bim, .vcf, .vcf.gz, .bcf, .pgen, .bed, .bgen; several files are one set)
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "scores")]
    intersect: Vec<PathBuf>,

    /// The share of a score's variants that must be matched
    #[arg(long, value_name = "SHARE", default_value_t = 0.75)]
    min_overlap: f64,

    /// The name of the people in tables [default: that of the first file]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
}

/// A build by its names.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum BuildName {
    #[value(name = "GRCh37", alias = "hg19")]
    Grch37,
    #[value(name = "GRCh38", alias = "hg38")]
    Grch38,
}

impl BuildName {
    /// The build.
    pub(super) fn build(self) -> Build {
        match self {
            Self::Grch37 => Build::Grch37,
            Self::Grch38 => Build::Grch38,
        }
    }
}

impl GenotypeArguments {
    /// Bytes of --memory.
    pub(super) fn bytes(&self) -> u64 {
        self.memory.saturating_mul(1 << 20)
    }

    /// What results depend on, for the run file.
    pub(super) fn parameters(&self) -> Json {
        let field = self.dosage_field.and_then(|field| field.to_possible_value());
        json!({
            "dosage_field": field.map(|field| field.get_name().to_owned()),
            "psam": self.psam,
            "keep": self.keep,
            "remove": self.remove,
        })
    }

    /// Opens the files for the people who are chosen; of VCF only records that are wanted are kept.
    pub(super) fn open(
        &self,
        is_wanted: &(dyn Fn(&str, i64, &str) -> bool + Sync),
        told: Told,
    ) -> anyhow::Result<GenotypeSet> {
        let dosage_field = self.dosage_field.map(|field| match field {
            DosageName::Ds => DosageField::Ds,
            DosageName::Gp => DosageField::Gp,
            DosageName::Hds => DosageField::Hds,
        });
        let (keep, remove) = (sample_list(&self.keep)?, sample_list(&self.remove)?);
        // The other half is for sums.
        let wanted = WantedRecords { is_wanted, dosage_field, memory: self.bytes() / 2 };
        let mut genotypes = GenotypeSet::open(&self.genotypes, &wanted)?;
        if let Some(path) = &self.psam {
            let is_oxford = path.extension().is_some_and(|ending| ending == "sample");
            let table = if is_oxford { bgen::samples::read(path)? } else { plink::samples::read(path)? };
            genotypes = genotypes.describe(&table).with_context(|| path.display().to_string())?;
        }
        if keep.is_none() && remove.is_none() {
            return Ok(genotypes);
        }
        let all = genotypes.samples().len();
        let (genotypes, chosen) = genotypes.select(keep.as_ref(), remove.as_ref())?;
        for (option, unknown) in [("--keep", chosen.unknown_keep), ("--remove", chosen.unknown_remove)] {
            if unknown > 0 {
                told.tell(format_args!("{unknown} lines of {option} name nobody of the genotypes"));
            }
        }
        told.tell(format_args!("{} of {all} people are chosen", chosen.samples.len()));
        Ok(genotypes)
    }
}

/// The people of some lists together; none where no list is given.
fn sample_list(paths: &[PathBuf]) -> anyhow::Result<Option<SampleList>> {
    let mut list = SampleList::default();
    for path in paths {
        list.add_file(path)?;
    }
    Ok((!paths.is_empty()).then_some(list))
}

/// Who says on standard error what all ranks come to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// This process.
    Here,
    /// Another rank.
    Elsewhere,
}

impl Told {
    pub(super) fn by(ranks: &Communicator) -> Self {
        if ranks.is_root() { Self::Here } else { Self::Elsewhere }
    }

    pub(super) fn tell(self, what: std::fmt::Arguments<'_>) {
        if self == Self::Here {
            eprintln!("norn: {what}");
        }
    }
}

/// Scoring files, cut into tiles that fit into a part of the memory.
pub(super) struct ScoreTiles {
    /// By name, as the files of a tile are, and tiles.
    tiles: Vec<Vec<PathBuf>>,
    /// The files of the only tile.
    held: Option<Vec<ScoringFile>>,
}

/// What is kept of a file that is read again.
struct Surveyed {
    name: String,
    path: PathBuf,
    scores: Vec<String>,
    bytes: u64,
}

/// A row of a scoring file while it is matched and becomes a weight: itself, its match, its weight before and after sorting.
const OF_ROW: u64 = 136;
/// The same for each further score of the row.
const OF_FURTHER_SCORE: u64 = 64;

impl Surveyed {
    fn of(file: &ScoringFile) -> Self {
        let rows = file.variants.len() as u64;
        let further = file.scores.len().saturating_sub(1) as u64;
        Self {
            name: file.name.clone(),
            path: file.path.clone(),
            scores: file.scores.iter().map(|score| score.name.clone()).collect(),
            bytes: rows * (OF_ROW + OF_FURTHER_SCORE * further),
        }
    }
}

impl ScoreTiles {
    /// Every path, in the order of tiles.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.tiles.iter().flatten()
    }

    /// How many tiles there are.
    pub(super) fn len(&self) -> usize {
        self.tiles.len()
    }

    /// The files of each tile, one tile after the other.
    pub(super) fn read<'t>(
        mut self,
        matching: &'t MatchingArguments,
        told: Told,
    ) -> impl Iterator<Item = anyhow::Result<Vec<ScoringFile>>> + 't {
        let held = self.held.take();
        let tiles = if held.is_some() { Vec::new() } else { self.tiles };
        held.into_iter().map(Ok).chain(tiles.into_iter().map(move |paths| matching.read(&paths, true, told)))
    }
}

impl MatchingArguments {
    /// Reads scoring files and cuts them into tiles, which take no more than some bytes until they are weights, or are a file
    /// each. A single tile is held, others are read again. With them come the places of all.
    pub(super) fn tiles(
        &self,
        paths: &[PathBuf],
        bytes: u64,
        told: Told,
    ) -> anyhow::Result<(ScoreTiles, Wanted)> {
        if !(0.0..=1.0).contains(&self.min_overlap) {
            return Err(UsageError::new("--min-overlap: expected a share from 0 to 1".to_owned()).into());
        }
        let mut paths = scoring_paths(paths)?;
        paths.sort();
        let (mut held, mut all) = (Some(Vec::new()), Vec::new());
        let (mut wanted, mut sum) = (Wanted::default(), 0u64);
        for paths in paths.chunks(2 * rayon::current_num_threads()) {
            let files = self.read(paths, false, told)?;
            for file in &files {
                wanted.add(file);
                let surveyed = Surveyed::of(file);
                sum = sum.saturating_add(surveyed.bytes);
                all.push(surveyed);
            }
            held = held.filter(|_| sum <= bytes);
            if let Some(held) = &mut held {
                held.extend(files);
            }
        }
        all.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        scoring_file::check_names(all.iter().map(|file| (&file.scores[..], &*file.path)))?;
        let (mut tiles, mut room): (Vec<Vec<PathBuf>>, u64) = (Vec::new(), 0);
        for file in all {
            match tiles.last_mut().filter(|_| file.bytes <= room) {
                Some(tile) => tile.push(file.path),
                None => {
                    tiles.push(vec![file.path]);
                    room = bytes;
                }
            }
            room = room.saturating_sub(file.bytes);
        }
        if let Some(held) = &mut held {
            held.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
            self.tell(held, told);
        }
        Ok((ScoreTiles { tiles, held }, wanted.finish()))
    }

    fn tell(&self, files: &[ScoringFile], told: Told) {
        for file in files {
            for remark in &file.remarks {
                told.tell(format_args!("{}: {remark}", file.name));
            }
        }
    }

    /// Reads scoring files, lifted to the build of the genotypes.
    fn read(&self, files: &[PathBuf], tells: bool, told: Told) -> anyhow::Result<Vec<ScoringFile>> {
        let build = self.build();
        let reading = Reading { build, ..Reading::default() };
        let mut files = scoring_file::read_all(files, &reading)?;
        if tells {
            self.tell(&files, told);
        }
        let chains = match (&self.chain, build) {
            (Some(path), Some(build)) => Some((path, build, chains_to(path, build)?)),
            _ => None,
        };
        // What is no build of ours can come by a chain from such a one; without a word on the build there is none to go by.
        let leads_from = chains.as_ref().map(|(_, _, chains)| chains.builds()[0]);
        for file in files.iter().filter(|file| file.build.is_none()) {
            let path = file.path.display();
            match (file.told_build(), leads_from) {
                (Some(told), None | Some(Some(_))) => anyhow::bail!(
                    "{path}: its positions are of {told}, and not of GRCh37 or GRCh38 (a chain from {told} lifts them: --chain)"
                ),
                (None, Some(_)) if file.coordinates != Coordinates::Identifiers => anyhow::bail!(
                    "{path}: it does not tell the build of its positions (norn prs liftover --from lifts it)"
                ),
                _ => {}
            }
        }
        if let Some((path, build, chains)) = chains {
            for file in files.iter_mut().filter(|file| file.build != Some(build)) {
                let counts = liftover::lift(file, &chains, build)
                    .with_context(|| format!("{}: {}", file.path.display(), path.display()))?
                    .counts;
                if !tells {
                    let (lifted, lost) = (counts.lifted, counts.lost());
                    told.tell(format_args!("{}: {lifted} variants lifted, {lost} lost", file.name));
                }
            }
        }
        let other = files.iter().find(|file| build.is_some() && file.build.is_some() && file.build != build);
        if let (Some(file), Some(build)) = (other, build) {
            anyhow::bail!(
                "{}: its positions are not of {} (--chain lifts them)",
                file.path.display(),
                build.name()
            );
        }
        Ok(files)
    }

    fn build(&self) -> Option<Build> {
        self.build.map(BuildName::build)
    }

    fn rules(&self) -> Rules {
        Rules {
            keep_ambiguous: self.keep_ambiguous,
            keep_multiallelic: self.keep_multiallelic,
            ignore_strand_flips: self.ignore_strand_flips,
            keep_first_match: self.keep_first_match,
            min_overlap: self.min_overlap,
        }
    }

    /// What matches depend on, for the run file.
    pub(super) fn parameters(&self) -> Json {
        json!({
            "build": self.build().map(Build::name),
            "chain": self.chain,
            "keep_ambiguous": self.keep_ambiguous,
            "keep_multiallelic": self.keep_multiallelic,
            "ignore_strand_flips": self.ignore_strand_flips,
            "keep_first_match": self.keep_first_match,
            "intersect": self.intersect,
            "min_overlap": self.min_overlap,
        })
    }

    /// The name of the people.
    pub(super) fn dataset(&self, genotypes: &[PathBuf]) -> String {
        let of_file = || {
            let name = genotypes.first().and_then(|path| path.file_name());
            let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.split('.').next().unwrap_or_default().to_owned()
        };
        self.dataset.clone().unwrap_or_else(of_file)
    }

    /// Genotypes of which sites alone are read.
    pub(super) fn inputs(&self) -> &[PathBuf] {
        &self.intersect
    }

    /// Sites of the other genotypes, if there are some.
    pub(super) fn other<'w>(&self, wanted: &'w Wanted) -> anyhow::Result<Option<Target<'w>>> {
        let are_none = self.intersect.is_empty();
        Ok(if are_none { None } else { Some(intersect::sites(wanted, &self.intersect)?) })
    }

    /// Matches files.
    pub(super) fn matches<'a>(
        &self,
        files: &'a [ScoringFile],
        target: &'a Target<'a>,
        other: Option<&Target<'_>>,
    ) -> Vec<Matched<'a>> {
        let rules = self.rules();
        let of_file = |file| match other {
            Some(other) => match_shared(file, target, other, rules),
            None => match_file(file, target, rules),
        };
        files.par_iter().map(of_file).collect()
    }
}

/// Scoring files: those that are named, and all of a directory.
pub(super) fn scoring_paths(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = path.read_dir().with_context(|| path.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| path.display().to_string())?.path();
            if entry.is_file() && is_score(&entry) {
                files.push(entry);
            }
        }
    }
    if files.is_empty() {
        anyhow::bail!("there are no scoring files (.txt, .tsv, .csv, also .gz, .bgz and .zst)");
    }
    Ok(files)
}

/// Reads chains, which must lead to this build as far as their chromosomes' lengths tell.
pub(super) fn chains_to(path: &Path, build: Build) -> anyhow::Result<Chains> {
    let chains = Chains::read(path)?;
    match chains.builds() {
        [_, Some(to)] if to != build => {
            anyhow::bail!("{}: it leads to {}, not to {}", path.display(), to.name(), build.name())
        }
        _ => Ok(chains),
    }
}

/// The sites of a set that scores ask for.
pub(super) fn target<'w>(wanted: &'w Wanted, genotypes: &GenotypeSet) -> Target<'w> {
    let mut kept = Kept::new(wanted);
    for (number, part) in (0..).zip(genotypes.parts()) {
        kept.observe_table(number, part.source.sites());
    }
    kept.finish()
}

/// The log and the summary of matches, tile by tile.
pub(super) struct MatchTables {
    dataset: String,
    log: (PathBuf, BgzfWriter<AtomicFile>),
    summary: (PathBuf, AtomicFile),
}

impl MatchTables {
    /// Begins both in a directory.
    pub(super) fn create(directory: &Path, dataset: &str) -> anyhow::Result<Self> {
        let log = directory.join(format!("{dataset}_log.csv.gz"));
        let summary = directory.join(format!("{dataset}_summary.csv"));
        let mut of_log = BgzfWriter::new(AtomicFile::create(&log)?, Level::default());
        let mut of_summary = AtomicFile::create(&summary)?;
        match_log::write_names(&mut of_log, Table::Log).map_err(told(&log))?;
        match_log::write_names(&mut of_summary, Table::Summary).map_err(told(&summary))?;
        Ok(Self { dataset: dataset.to_owned(), log: (log, of_log), summary: (summary, of_summary) })
    }

    /// Adds scores, which come behind those before by name, and tells which are refused.
    pub(super) fn add(&mut self, matched: &[Matched<'_>]) -> anyhow::Result<()> {
        let (path, log) = &mut self.log;
        match_log::write_log_rows(log, &self.dataset, matched).map_err(told(path))?;
        let (path, summary) = &mut self.summary;
        match_log::write_summary_rows(summary, &self.dataset, matched).map_err(told(path))?;
        for refused in matched.iter().filter_map(|one| one.check().err()) {
            eprintln!("norn: {refused}");
        }
        Ok(())
    }

    /// Gives both their names.
    pub(super) fn commit(self) -> anyhow::Result<Vec<PathBuf>> {
        let (log, mut of_log) = self.log;
        of_log.finish().map_err(told(&log))?;
        of_log.into_inner().commit()?;
        let (summary, of_summary) = self.summary;
        of_summary.commit()?;
        Ok(vec![log, summary])
    }
}

fn told(path: &Path) -> impl FnOnce(std::io::Error) -> OutputError + use<> {
    let path = path.to_owned();
    |source| OutputError { path, source }
}

/// Writes a gzip file.
pub(super) fn compressed(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let told = |source| OutputError { path: path.to_owned(), source };
    let mut output = BgzfWriter::new(AtomicFile::create(path)?, Level::default());
    write(&mut output).map_err(told)?;
    output.finish().map_err(told)?;
    output.into_inner().commit()?;
    Ok(())
}

/// Whether a file of a directory is taken for a scoring file.
fn is_score(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let plain = [".gz", ".bgz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    !name.starts_with('.') && [".txt", ".tsv", ".csv"].iter().any(|ending| plain.ends_with(ending))
}
