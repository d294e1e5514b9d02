//! A chain of steps from a TOML file: everything between the caller and the annotation in one pass.
//!
//! Steps run in the order in which they are written; each is what the command of its name does, so a chain gives what
//! the commands give one after another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use super::fill_tags::custom::Custom;
use super::fill_tags::{FillOptions, FillTags, parse_tags, words};
use super::filter::{FailedGenotypes, Filter, FilterOptions, GapOptions, Gaps};
use super::groups;
use super::ledger::Ledger;
use super::norm::counts::Counts;
use super::norm::warnings::Warnings;
use super::norm::{self, CheckRef, Collapse, Multiallelics, NormOptions, RemoveDuplicates};
use super::register::{RegisterOptions, SitesOnly};
use super::rename::{Rename, RenameContigs};
use super::set_gt::{NewGenotype, SetGt, Target};
use super::set_id::SetId;
use super::sex::{PloidyMap, read_sexes};
use super::stats::{self, Stats, StatsOptions};
use crate::formats::vcf::header::Header;
use crate::records::condition::Choice;
use crate::records::condition::{Condition, Keep};
use crate::records::expression::Expression;
use crate::records::pipeline::Part;

/// A chain as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFile {
    /// The reference, FASTA with index.
    reference: Option<PathBuf>,
    /// The steps.
    #[serde(default, rename = "step")]
    steps: Vec<Step>,
}

/// A step as it is written: `do` is its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Step {
    /// REF against the reference; `mode` as norm's `-c`.
    CheckRef {
        #[serde(default = "default_check")]
        mode: String,
    },
    /// Contig names: `chr` is `add` or `strip`, or `map` is a table.
    Rename { chr: Option<String>, map: Option<PathBuf> },
    /// Multiallelic records apart.
    Split {
        #[serde(default = "any")]
        which: String,
    },
    /// Biallelic records of one position together.
    Join {
        #[serde(default = "any")]
        which: String,
    },
    /// Complex alleles apart.
    Atomise {},
    /// Left-aligned and trimmed.
    LeftAlign {},
    /// Duplicates out.
    Dedup {
        #[serde(default = "exact")]
        which: String,
    },
    /// IDs of other columns, as query's format; `+` in front sets what is missing.
    SetId { format: String },
    /// Genotypes set anew.
    SetGt { target: String, new: String, include: Option<String>, exclude: Option<String> },
    /// Tags from genotypes.
    FillTags {
        #[serde(default = "all")]
        tags: String,
        sex: Option<PathBuf>,
        groups: Option<PathBuf>,
        #[serde(default)]
        drop_missing: bool,
    },
    /// A soft filter, or with `genotypes` one on samples.
    Filter {
        name: Option<String>,
        include: Option<String>,
        exclude: Option<String>,
        #[serde(default)]
        mode: String,
        genotypes: Option<String>,
    },
    /// SNPs near indels (`snp`), clusters of indels (`indel`), in bases.
    Gaps {
        snp: Option<i64>,
        indel: Option<i64>,
        #[serde(default)]
        soft: bool,
    },
    /// Only sites for which the expression is true.
    Include { expression: String },
    /// All but those.
    Exclude { expression: String },
    /// Counts of the records as they pass, as `norn variants stats` makes them; `samples` is a list, or `-` for all.
    Stats { output: PathBuf, samples: Option<String> },
    /// No samples; small counts masked.
    SitesOnly {
        #[serde(default)]
        min_ac_mask: u64,
        #[serde(default)]
        strip_header: bool,
    },
}

fn default_check() -> String {
    "e".to_owned()
}

fn any() -> String {
    "any".to_owned()
}

fn exact() -> String {
    "exact".to_owned()
}

fn all() -> String {
    "all".to_owned()
}

/// Why a chain cannot be run.
#[derive(Debug, Error)]
pub enum ChainError {
    /// The file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is no chain.
    #[error("{path}: {what}", path = path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong, in a line.
        what: String,
    },
    /// It has no steps.
    #[error("{0}: there is no [[step]]")]
    Empty(String),
    /// A step.
    #[error("step {number} ({name}): {what}")]
    Step {
        /// Its number, from 1.
        number: usize,
        /// Its name.
        name: &'static str,
        /// What is wrong.
        what: String,
    },
}

/// A chain that is ready to run.
pub struct Chain {
    /// The parts for the pipeline.
    pub parts: Vec<Part>,
    /// The header of what comes out.
    pub header: Header,
    /// What each step does; whole when the pipeline has ended.
    pub ledger: Ledger,
    /// What its steps will have to tell; whole when the pipeline has ended.
    pub told: Told,
}

/// What steps have to tell beside the records that they give.
#[derive(Default)]
pub struct Told {
    /// Files of counts, and what is counted for them.
    pub reports: Vec<(PathBuf, Arc<Stats>)>,
    /// What normalising steps counted, and their lines about records that do not fit the reference.
    pub normalised: Vec<(Arc<Counts>, Arc<Warnings>)>,
}

impl ChainFile {
    /// Reads a chain; the hash is that of its bytes (BLAKE3).
    ///
    /// # Errors
    /// The file cannot be read, or is no chain.
    pub fn read(path: &Path) -> Result<(Self, String), ChainError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ChainError::Io { path: path.to_owned(), source })?;
        let chain: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            ChainError::Toml {
                path: path.to_owned(),
                what: format!("{line}{}", error.message().replace('\n', " ")),
            }
        })?;
        if chain.steps.is_empty() {
            return Err(ChainError::Empty(path.display().to_string()));
        }
        Ok((chain, blake3::hash(text.as_bytes()).to_hex().to_string()))
    }

    /// Takes another reference than the file's.
    pub fn set_reference(&mut self, reference: PathBuf) {
        self.reference = Some(reference);
    }

    /// The steps in order with the columns that each touches.
    pub fn explain(&self) -> String {
        let mut text = String::new();
        for (number, step) in self.steps.iter().enumerate() {
            let (reads, writes) = step.columns();
            text += &format!(
                "{}. {}: {}\n   reads {reads}; writes {writes}\n",
                number + 1,
                step.name(),
                step.why()
            );
        }
        text
    }

    /// Makes the steps for records under this header.
    ///
    /// # Errors
    /// A step cannot be made: its words are wrong, or it needs what the header or the chain does not have.
    pub fn plan(&self, header: &Header) -> Result<Chain, ChainError> {
        let mut chain = Chain {
            parts: Vec::new(),
            header: header.clone(),
            ledger: Ledger::default(),
            told: Told::default(),
        };
        for (number, step) in self.steps.iter().enumerate() {
            let failed = |what| ChainError::Step { number: number + 1, name: step.name(), what };
            let made = step.make(&chain.header, self.reference.as_ref(), &mut chain.told);
            let (parts, header) = made.map_err(failed)?;
            chain.parts.extend(chain.ledger.keep(step.name(), &step.why(), parts));
            chain.header = header;
        }
        Ok(chain)
    }
}

impl Step {
    fn name(&self) -> &'static str {
        match self {
            Self::CheckRef { .. } => "check-ref",
            Self::Rename { .. } => "rename",
            Self::Split { .. } => "split",
            Self::Join { .. } => "join",
            Self::Atomise {} => "atomise",
            Self::LeftAlign {} => "left-align",
            Self::Dedup { .. } => "dedup",
            Self::SetId { .. } => "set-id",
            Self::SetGt { .. } => "set-gt",
            Self::FillTags { .. } => "fill-tags",
            Self::Filter { .. } => "filter",
            Self::Gaps { .. } => "gaps",
            Self::Include { .. } => "include",
            Self::Exclude { .. } => "exclude",
            Self::Stats { .. } => "stats",
            Self::SitesOnly { .. } => "sites-only",
        }
    }

    /// What it does, in words.
    fn why(&self) -> String {
        match self {
            Self::CheckRef { mode } => format!("REF is held against the reference (mode {mode})"),
            Self::Rename { chr: Some(chr), .. } => format!("contig names: {chr} chr"),
            Self::Rename { .. } => "contig names by a table".to_owned(),
            Self::Split { which } => format!("records of several alternate alleles are split ({which})"),
            Self::Join { which } => format!("records of one position are joined ({which})"),
            Self::Atomise {} => "complex alleles are taken apart".to_owned(),
            Self::LeftAlign {} => "variants go as far left as they can and are trimmed".to_owned(),
            Self::Dedup { which } => format!("duplicates are dropped ({which})"),
            Self::SetId { format } => format!("ID is {format}"),
            Self::SetGt { target, new, .. } => format!("genotypes {target} become {new}"),
            Self::FillTags { tags, .. } => format!("tags from the genotypes: {tags}"),
            Self::Filter { name, include, exclude, genotypes, .. } => {
                let text = include.as_ref().map(|text| format!("not {text}")).or_else(|| exclude.clone());
                let what = match (name, genotypes) {
                    (_, Some(genotype)) => format!("genotypes become {genotype}"),
                    (Some(name), None) => format!("FILTER gets {name}"),
                    (None, None) => "dropped".to_owned(),
                };
                format!("{what} where {}", text.unwrap_or_default())
            }
            Self::Gaps { snp, indel, .. } => {
                let snp = snp.map(|gap| format!("SNPs within {gap} bases of an indel"));
                let indel = indel.map(|gap| format!("all but one of indels within {gap} bases"));
                snp.into_iter().chain(indel).collect::<Vec<_>>().join(", ")
            }
            Self::Include { expression } => format!("dropped where not {expression}"),
            Self::Exclude { expression } => format!("dropped where {expression}"),
            Self::Stats { output, .. } => format!("records are counted in {}", output.display()),
            Self::SitesOnly { min_ac_mask, .. } => format!("no samples; counts under {min_ac_mask} masked"),
        }
    }

    /// The columns it reads and writes.
    fn columns(&self) -> (&'static str, &'static str) {
        match self {
            Self::CheckRef { .. } => ("CHROM POS REF ALT", "REF"),
            Self::Rename { .. } => ("CHROM", "CHROM"),
            Self::Split { .. } => ("ALT, lists by allele", "ALT, lists by allele, genotypes"),
            Self::Join { .. } => ("CHROM POS REF ALT, all of records that meet", "all of records that meet"),
            Self::Atomise {} => ("REF ALT", "POS REF ALT, lists by allele, genotypes"),
            Self::LeftAlign {} => ("CHROM POS REF ALT", "POS REF ALT"),
            Self::Dedup { .. } => ("CHROM POS REF ALT", "nothing"),
            Self::SetId { .. } => ("what the format names", "ID"),
            Self::SetGt { .. } => ("GT, and what the condition names", "GT"),
            Self::FillTags { .. } => ("GT, AD for VAF", "the tags"),
            Self::Filter { genotypes: Some(_), .. } => ("what the condition names, GT", "FILTER GT AC AN"),
            Self::Filter { .. } => ("what the condition names", "FILTER"),
            Self::Gaps { .. } => ("CHROM POS REF ALT, QUAL AC of indels", "FILTER"),
            Self::Include { .. } | Self::Exclude { .. } => ("what the condition names", "nothing"),
            Self::Stats { .. } => ("all", "nothing"),
            Self::SitesOnly { .. } => ("INFO", "INFO FORMAT samples"),
        }
    }

    fn make(
        &self,
        header: &Header,
        reference: Option<&PathBuf>,
        told: &mut Told,
    ) -> Result<(Vec<Part>, Header), String> {
        let needs_reference =
            || reference.cloned().ok_or("it needs a reference (reference = \"FILE\", or -f)");
        let plain = NormOptions { check_ref: CheckRef::default(), ..NormOptions::default() };
        match self {
            Self::CheckRef { mode } => {
                let check_ref = CheckRef::parse(mode).ok_or("mode is made of the letters e, w, x and s")?;
                let fasta_ref = Some(needs_reference()?);
                normalised(
                    &NormOptions { fasta_ref, check_ref, do_not_normalize: true, check_only: true, ..plain },
                    header,
                    told,
                )
            }
            Self::LeftAlign {} => {
                let check_ref = CheckRef { exit: true, ..CheckRef::default() };
                normalised(
                    &NormOptions { fasta_ref: Some(needs_reference()?), check_ref, ..plain },
                    header,
                    told,
                )
            }
            Self::Split { which } => normalised(
                &NormOptions { multiallelics: Multiallelics::Split(collapse(which)?), ..plain },
                header,
                told,
            ),
            Self::Join { which } => normalised(
                &NormOptions { multiallelics: Multiallelics::Join(collapse(which)?), ..plain },
                header,
                told,
            ),
            Self::Atomise {} => normalised(&NormOptions { atomize: true, ..plain }, header, told),
            Self::Dedup { which } => {
                let which = match which.as_str() {
                    "snps" => RemoveDuplicates::Snps,
                    "indels" => RemoveDuplicates::Indels,
                    "both" => RemoveDuplicates::Both,
                    "all" | "any" => RemoveDuplicates::All,
                    "exact" => RemoveDuplicates::Exact,
                    _ => return Err("which is one of snps, indels, both, all, exact".to_owned()),
                };
                normalised(&NormOptions { remove_duplicates: Some(which), ..plain }, header, told)
            }
            Self::Rename { chr, map } => {
                let rename = match (chr.as_deref(), map) {
                    (Some("add"), None) => Rename::AddChr,
                    (Some("strip"), None) => Rename::StripChr,
                    (None, Some(path)) => Rename::read(path).map_err(|error| error.to_string())?,
                    _ => return Err("give chr = \"add\" or \"strip\", or map = \"FILE\"".to_owned()),
                };
                let (step, header) = RenameContigs::new(rename, header).map_err(|error| error.to_string())?;
                Ok((vec![Part::Each(Box::new(step))], header))
            }
            Self::SetId { format } => {
                let step = SetId::new(format, header).map_err(|error| error.to_string())?;
                Ok((vec![Part::Each(Box::new(step))], header.clone()))
            }
            Self::SetGt { target, new, include, exclude } => {
                let new = NewGenotype::parse(new).map_err(|error| error.to_string())?;
                let condition = condition(include.as_ref(), exclude.as_ref(), header)?;
                let (target, filter) = match (target.as_str(), condition) {
                    ("q", Some(condition)) => (Target::All, Some(super::set_gt::chosen_by(condition))),
                    ("q", None) | (_, Some(_)) => {
                        return Err("target = \"q\" goes with include or exclude".to_owned());
                    }
                    (target, None) => (Target::parse(target).map_err(|error| error.to_string())?, None),
                };
                let step = SetGt::new(target, new, filter);
                Ok((vec![Part::Each(Box::new(step))], SetGt::header(header)))
            }
            Self::FillTags { tags, sex, groups, drop_missing } => {
                let (own, tags): (Vec<&str>, Vec<&str>) =
                    words(tags).into_iter().partition(|word| Custom::is_meant(word));
                let tags = parse_tags(&tags).map_err(|error| error.to_string())?;
                let groups = groups.as_ref().map(|path| groups::read(path, header)).transpose();
                let groups = groups.map_err(|error| error.to_string())?.unwrap_or_default();
                let custom = own.iter().map(|word| Custom::compile(word, &groups, header));
                let custom = custom.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
                let ploidy = sex
                    .as_ref()
                    .map(|path| read_sexes(path).and_then(|sexes| PloidyMap::new(header, &sexes, None)));
                let ploidy = ploidy.transpose().map_err(|error| error.to_string())?;
                let options = FillOptions { tags, custom, groups, drop_missing: *drop_missing, ploidy };
                let step = FillTags::new(options, header.samples().len());
                let header = step.header(header);
                Ok((vec![Part::Each(Box::new(step))], header))
            }
            Self::Filter { name, include, exclude, mode, genotypes } => {
                let genotypes = match genotypes.as_deref() {
                    None => None,
                    Some(".") => Some(FailedGenotypes::Missing),
                    Some("0") => Some(FailedGenotypes::Reference),
                    Some(_) => return Err("genotypes is \".\" or \"0\"".to_owned()),
                };
                let condition = condition(include.as_ref(), exclude.as_ref(), header)?;
                let mut options = FilterOptions {
                    condition: Some(condition.ok_or("give include or exclude")?),
                    mask: None,
                    soft_filter: name.clone(),
                    adds: mode.contains('+'),
                    resets: mode.contains('x'),
                    genotypes,
                };
                options.choose_name(header);
                let header = options.header(header, include.as_deref().or(exclude.as_deref()));
                Ok((vec![Part::Each(Box::new(Filter(options)))], header))
            }
            Self::Gaps { snp, indel, soft } => {
                let snp = snp.map(|gap| (gap, vec![crate::records::kinds::Kinds::INDEL], "indel".to_owned()));
                let options = GapOptions { snp, indel: *indel, is_soft: *soft };
                let header = options.header(header);
                Ok((vec![Part::Ordered(Box::new(Gaps::new(options)))], header))
            }
            Self::Include { expression } => kept(expression, Choice::Include, header),
            Self::Exclude { expression } => kept(expression, Choice::Exclude, header),
            Self::Stats { output, samples } => {
                let stats = Arc::new(counted(samples.as_deref(), header)?);
                told.reports.push((output.clone(), Arc::clone(&stats)));
                Ok((vec![Part::Each(Box::new(stats))], header.clone()))
            }
            Self::SitesOnly { min_ac_mask, strip_header } => {
                let options = RegisterOptions { least_count: *min_ac_mask, strips_header: *strip_header };
                let made = options.header(header);
                Ok((vec![Part::Each(Box::new(SitesOnly::new(options, header)))], made))
            }
        }
    }
}

/// Counts of the records under a header, and of the genotypes of samples.
fn counted(samples: Option<&str>, header: &Header) -> Result<Stats, String> {
    let names: Vec<String> = samples.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
    let (samples, unknown) = stats::samples_of(header, &names, false);
    if let Some(name) = unknown.first() {
        return Err(format!("the header has no sample {name}"));
    }
    let options = StatsOptions { samples, ..StatsOptions::default() };
    Stats::new(options, header).map_err(|error| error.to_string())
}

fn normalised(
    options: &NormOptions,
    header: &Header,
    told: &mut Told,
) -> Result<(Vec<Part>, Header), String> {
    let chain = norm::chain(options, header).map_err(|error| error.to_string())?;
    told.normalised.push((chain.counts, chain.warnings));
    Ok((chain.parts, chain.header))
}

fn kept(expression: &str, choice: Choice, header: &Header) -> Result<(Vec<Part>, Header), String> {
    let expression = Expression::compile(expression, header).map_err(|error| error.to_string())?;
    Ok((vec![Part::Each(Box::new(Keep(Condition::new(expression, choice))))], header.clone()))
}

fn condition(
    include: Option<&String>,
    exclude: Option<&String>,
    header: &Header,
) -> Result<Option<Condition>, String> {
    let (text, choice) = match (include, exclude) {
        (Some(text), None) => (text, Choice::Include),
        (None, Some(text)) => (text, Choice::Exclude),
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err("give include or exclude, not both".to_owned()),
    };
    let expression = Expression::compile(text, header).map_err(|error| error.to_string())?;
    Ok(Some(Condition::new(expression, choice)))
}

fn collapse(which: &str) -> Result<Collapse, String> {
    match which {
        "snps" => Ok(Collapse::Snps),
        "indels" => Ok(Collapse::Indels),
        "both" => Ok(Collapse::Both),
        "any" => Ok(Collapse::Any),
        _ => Err("which is one of snps, indels, both, any".to_owned()),
    }
}
