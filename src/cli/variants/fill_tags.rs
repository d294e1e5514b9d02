//! `norn variants fill-tags`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::streams::{self, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::vcf::header::Header;
use crate::genome::contigs::Build;
use crate::records::pipeline::Part;
use crate::variants::fill_tags::custom::Custom;
use crate::variants::fill_tags::{FillOptions, FillTags, parse_tags, words};
use crate::variants::groups;
use crate::variants::sex::{PloidyMap, read_sexes};

/// Make INFO and FORMAT tags anew from the genotypes (bcftools +fill-tags).
#[derive(Debug, Args)]
pub struct FillTagsArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// Tags, or all (but END and TYPE): F_MISSING AN AC NS AC_Hom AC_Het AC_Hemi AF MAF HWE ExcHet VAF VAF1 END TYPE;
    /// or TAG[:NUMBER]=EXPR, of INFO or FORMAT/: the values of a filter expression, in int(...) whole numbers
    #[arg(long, default_value = "all", value_name = "TAG,...")]
    tags: String,

    /// Groups of samples, told apart: sample and its groups (A,B) in two columns
    #[arg(short = 'S', long, value_name = "FILE")]
    samples_file: Option<PathBuf>,

    /// Half a genotype (./1) does not count as hemizygous
    #[arg(short, long)]
    drop_missing: bool,

    /// Sexes: a PED file, or sample and sex in two columns. X and Y of men count once, whatever is written, and women
    /// have no Y
    #[arg(long, alias = "ped", value_name = "FILE")]
    sex: Option<PathBuf>,

    /// GRCh37 or GRCh38, for where X and Y pair [default: by the contigs' lengths]
    #[arg(long, requires = "sex")]
    build: Option<String>,
}

impl FillTagsArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        streams::run("fill-tags", &self.input, &self.output, ranks, |header| {
            let step = FillTags::new(self.options(header)?, header.samples().len());
            Ok(Plan::new(step.header(header), vec![Part::Each(Box::new(step))]))
        })
    }

    fn options(&self, header: &Header) -> anyhow::Result<FillOptions> {
        let usage = |error: &dyn std::fmt::Display| UsageError::new(format!("--tags: {error}"));
        let (custom, tags): (Vec<&str>, Vec<&str>) =
            words(&self.tags).into_iter().partition(|word| Custom::is_meant(word));
        let tags = parse_tags(&tags).map_err(|error| usage(&error))?;
        let groups = self.samples_file.as_ref().map(|path| groups::read(path, header)).transpose()?;
        let groups = groups.unwrap_or_default();
        let custom = custom.iter().map(|word| Custom::compile(word, &groups, header));
        let custom = custom.collect::<Result<_, _>>().map_err(|error| usage(&error))?;
        let build = self.build.as_deref().map(|name| {
            let builds = [Build::Grch37, Build::Grch38];
            let build = builds.into_iter().find(|build| build.name().eq_ignore_ascii_case(name));
            build.ok_or_else(|| UsageError::new(format!("--build: {name:?} is neither GRCh37 nor GRCh38")))
        });
        let build = build.transpose()?;
        let ploidy = match &self.sex {
            Some(path) => Some(PloidyMap::new(header, &read_sexes(path)?, build)?),
            None => None,
        };
        Ok(FillOptions { tags, custom, groups, drop_missing: self.drop_missing, ploidy })
    }
}
