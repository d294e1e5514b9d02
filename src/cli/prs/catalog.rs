//! Scoring files of the PGS Catalog: read, lifted and matched, for `norn prs score` and `match`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value as Json, json};

use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::bgzf_writer::{BgzfWriter, Level};
use crate::formats::genotypes::sample_list::SampleList;
use crate::formats::genotypes::vcf::{DosageField, Wanted as WantedRecords};
use crate::formats::output::{AtomicFile, OutputError};
use crate::genome::contigs::Build;
use crate::prs::genotype_set::GenotypeSet;
use crate::prs::intersect;
use crate::prs::liftover::{self, Chains};
use crate::prs::match_log;
use crate::prs::matching::{Matched, Rules, match_file, match_shared};
use crate::prs::scoring_file::{self, Reading, ScoringFile};
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

    /// Only the people of these lists: an IID, or FID and IID, a line (plink2 --keep)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    keep: Vec<PathBuf>,

    /// Not the people of these lists (plink2 --remove)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    remove: Vec<PathBuf>,

    /// Memory for genotypes and sums, in MiB; more people than it holds are further passes
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    pub(super) memory: u64,
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
    /// What results depend on, for the run file.
    pub(super) fn parameters(&self) -> Json {
        let field = self.dosage_field.and_then(|field| field.to_possible_value());
        json!({
            "dosage_field": field.map(|field| field.get_name().to_owned()),
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
        let wanted = WantedRecords { is_wanted, dosage_field, memory: self.memory << 20 };
        let genotypes = GenotypeSet::open(&self.genotypes, &wanted)?;
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

impl MatchingArguments {
    /// Reads scoring files, lifted to the build of the genotypes.
    pub(super) fn read(&self, paths: &[PathBuf], told: Told) -> anyhow::Result<Vec<ScoringFile>> {
        if !(0.0..=1.0).contains(&self.min_overlap) {
            return Err(UsageError::new("--min-overlap: expected a share from 0 to 1".to_owned()).into());
        }
        let files = scoring_paths(paths)?;
        let build = self.build();
        let reading = Reading { build, ..Reading::default() };
        let mut files = scoring_file::read_all(&files, &reading)?;
        for file in &files {
            for remark in &file.remarks {
                told.tell(format_args!("{}: {remark}", file.name));
            }
        }
        if let (Some(path), Some(build)) = (&self.chain, build) {
            let chains = chains_to(path, build)?;
            for file in files.iter_mut().filter(|file| file.build != Some(build)) {
                let counts = liftover::lift(file, &chains, build)
                    .with_context(|| format!("{}: {}", file.path.display(), path.display()))?
                    .counts;
                let (lifted, lost) = (counts.lifted, counts.lost());
                told.tell(format_args!("{}: {lifted} variants lifted, {lost} lost", file.name));
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

    /// Matches all files.
    pub(super) fn matches<'a>(
        &self,
        files: &'a [ScoringFile],
        wanted: &Wanted,
        target: &'a Target<'a>,
    ) -> anyhow::Result<Vec<Matched<'a>>> {
        let rules = self.rules();
        if self.intersect.is_empty() {
            return Ok(files.par_iter().map(|file| match_file(file, target, rules)).collect());
        }
        let other = intersect::sites(wanted, &self.intersect)?;
        Ok(files.par_iter().map(|file| match_shared(file, target, &other, rules)).collect())
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

/// Writes the log and the summary of matches into a directory, and tells which scores are refused.
pub(super) fn write_matches(
    directory: &Path,
    dataset: &str,
    matched: &[Matched<'_>],
) -> anyhow::Result<Vec<PathBuf>> {
    let log = directory.join(format!("{dataset}_log.csv.gz"));
    let summary = directory.join(format!("{dataset}_summary.csv"));
    compressed(&log, |output| match_log::write_log(output, dataset, matched))?;
    let mut file = AtomicFile::create(&summary)?;
    let told = |source| OutputError { path: summary.clone(), source };
    {
        let mut output = BufWriter::new(&mut file);
        match_log::write_summary(&mut output, dataset, matched).map_err(told)?;
        output.flush().map_err(told)?;
    }
    file.commit()?;
    for refused in matched.iter().filter_map(|one| one.check().err()) {
        eprintln!("norn: {refused}");
    }
    Ok(vec![log, summary])
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
