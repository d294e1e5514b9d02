//! `norn variants view`.

use std::process::ExitCode;

use clap::Args;

use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::vcf::header::Header;
use crate::records::condition::Choice;
use crate::records::kinds::Kinds;
use crate::records::pipeline::Part;
use crate::variants::register::{RegisterOptions, SitesOnly};
use crate::variants::samples;
use crate::variants::view::{Bound, GenotypeClass, View, ViewOptions};

/// Convert between VCF and BCF; choose sites, samples and alleles (bcftools view).
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub struct ViewArguments {
    // -h is bcftools' header alone.
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,

    #[command(flatten)]
    input: InputArguments,

    /// Only these regions, through the index
    #[arg(value_name = "REGION", conflicts_with_all = ["regions", "regions_file"])]
    within: Vec<String>,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    condition: ConditionArguments,

    /// Leave out the genotypes, after the samples are chosen
    #[arg(short = 'G', long)]
    drop_genotypes: bool,

    /// Print the header alone
    #[arg(short = 'h', long, conflicts_with = "no_header")]
    header_only: bool,

    /// Leave out the header
    #[arg(short = 'H', long)]
    no_header: bool,

    /// Remove alleles that no genotype has
    #[arg(short = 'a', long)]
    trim_alt_alleles: bool,

    /// Remove <*> and <NON_REF> at variant sites, or (-AA) at all
    #[arg(short = 'A', long, action = clap::ArgAction::Count)]
    trim_unseen_allele: u8,

    /// Leave INFO/AC and INFO/AN as they are
    #[arg(short = 'I', long)]
    no_update: bool,

    /// Samples to keep, in this order, or with ^ to leave out
    #[arg(short, long, value_name = "[^]NAME,...")]
    samples: Option<String>,

    /// The same from a file, one a line
    #[arg(short = 'S', long, value_name = "[^]FILE", conflicts_with = "samples")]
    samples_file: Option<String>,

    /// Pass over samples that the header does not have
    #[arg(long)]
    force_samples: bool,

    /// Least count of the non-reference alleles (nref), the first (alt1), rarest (minor), most frequent (major), or all
    /// but that (nonmajor)
    #[arg(short = 'c', long, value_name = "N[:CLASS]", value_parser = bound)]
    min_ac: Option<Bound>,

    /// Greatest count
    #[arg(short = 'C', long, value_name = "N[:CLASS]", value_parser = bound)]
    max_ac: Option<Bound>,

    /// At least one of these in FILTER; `.` is none
    #[arg(short = 'f', long, value_name = "FILTER,...")]
    apply_filters: Option<String>,

    /// Only sites with a genotype that is hom, het or miss; with ^, without any
    #[arg(short = 'g', long, value_name = "[^]hom|het|miss")]
    genotype: Option<String>,

    /// Only sites with an ID
    #[arg(short, long, conflicts_with = "novel")]
    known: bool,

    /// Only sites without an ID
    #[arg(short, long)]
    novel: bool,

    /// Least number of alleles, the reference's included
    #[arg(short, long, value_name = "N")]
    min_alleles: Option<usize>,

    /// Greatest number of alleles
    #[arg(short = 'M', long, value_name = "N")]
    max_alleles: Option<usize>,

    /// Only sites where all genotypes are phased
    #[arg(short, long, conflicts_with = "exclude_phased")]
    phased: bool,

    /// Only sites where some genotype is not phased
    #[arg(short = 'P', long)]
    exclude_phased: bool,

    /// Least frequency, of the alleles as with --min-ac
    #[arg(short = 'q', long, value_name = "F[:CLASS]", value_parser = bound)]
    min_af: Option<Bound>,

    /// Greatest frequency
    #[arg(short = 'Q', long, value_name = "F[:CLASS]", value_parser = bound)]
    max_af: Option<Bound>,

    /// Only sites without a called genotype
    #[arg(short, long, conflicts_with = "exclude_uncalled")]
    uncalled: bool,

    /// Only sites with one
    #[arg(short = 'U', long)]
    exclude_uncalled: bool,

    /// Only these: snps, indels, mnps, ref, bnd, other
    #[arg(short = 'v', long, value_name = "KIND,...", conflicts_with = "exclude_types")]
    types: Option<String>,

    /// All but these
    #[arg(short = 'V', long, value_name = "KIND,...")]
    exclude_types: Option<String>,

    /// With -G: counts above 0 and under N are masked, with the frequencies that go with them
    #[arg(long, value_name = "N", requires = "drop_genotypes", default_value_t = 0)]
    min_ac_mask: u64,

    /// With -G: header lines that name samples, paths or commands go
    #[arg(long, requires = "drop_genotypes")]
    strip_header: bool,

    /// Only sites whose alternate alleles no other than the chosen samples have
    #[arg(short = 'x', long, conflicts_with = "exclude_private")]
    private: bool,

    /// All but those
    #[arg(short = 'X', long)]
    exclude_private: bool,
}

fn bound(text: &str) -> Result<Bound, String> {
    Bound::parse(text)
        .ok_or_else(|| "expected a number, and behind a colon nref, alt1, minor, major or nonmajor".into())
}

fn choice(include: bool, exclude: bool) -> Option<Choice> {
    if include { Some(Choice::Include) } else { exclude.then_some(Choice::Exclude) }
}

impl ViewArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        streams::run("view", &self.input.within(&self.within), &self.output, ranks, |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            let options = self.options(header)?;
            let register =
                RegisterOptions { least_count: self.min_ac_mask, strips_header: self.strip_header };
            // Samples that are chosen away are named no more than the others.
            let mut made = options.header(header);
            if self.drop_genotypes {
                made.set_samples(header.samples().to_vec());
                made = register.header(&made);
            }
            let mut plan = Plan::new(made, Vec::new());
            let masks = SitesOnly::new(register, &plan.header);
            plan.chain.push(Part::Each(Box::new(View::new(options, header))));
            if self.min_ac_mask > 0 {
                plan.chain.push(Part::Each(Box::new(masks)));
            }
            plan.with_header = !self.no_header;
            plan.with_records = !self.header_only;
            Ok(plan)
        })
    }

    fn options(&self, header: &Header) -> anyhow::Result<ViewOptions> {
        let list = self.samples.as_ref().or(self.samples_file.as_ref());
        let samples = match list {
            Some(list) => {
                let is_file = self.samples_file.is_some();
                let (places, unknown) = samples::choose(header, list, is_file, self.force_samples)?;
                if !unknown.is_empty() {
                    eprintln!("norn: {} of the samples are not in the header and passed over", unknown.len());
                }
                Some(places)
            }
            None => None,
        };
        let kinds = match (&self.types, &self.exclude_types) {
            (Some(list), _) => Some((Choice::Include, kinds(list)?)),
            (_, Some(list)) => Some((Choice::Exclude, kinds(list)?)),
            _ => None,
        };
        let genotype = self.genotype.as_ref().map(|text| genotype(text)).transpose()?;
        let filters = self.apply_filters.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
        Ok(ViewOptions {
            filters,
            alleles: (self.min_alleles, self.max_alleles),
            known: choice(self.known, self.novel),
            kinds,
            condition: self.condition.compile(header)?,
            samples,
            no_update: self.no_update,
            private: choice(self.private, self.exclude_private),
            genotype,
            count: (self.min_ac, self.max_ac),
            frequency: (self.min_af, self.max_af),
            uncalled: choice(self.uncalled, self.exclude_uncalled),
            trim_alternates: self.trim_alt_alleles,
            trim_unseen: self.trim_unseen_allele,
            phased: choice(self.phased, self.exclude_phased),
            drop_genotypes: self.drop_genotypes,
        })
    }
}

fn kinds(list: &str) -> Result<Vec<Kinds>, UsageError> {
    let kind = |name| match name {
        "snps" => Ok(Kinds::SNP),
        "indels" => Ok(Kinds::INDEL),
        "mnps" => Ok(Kinds::MNP),
        "other" => Ok(Kinds::OTHER),
        "ref" => Ok(Kinds::REFERENCE),
        "bnd" => Ok(Kinds::BREAKEND),
        _ => {
            Err(UsageError::new(format!("--types: {name:?} is none of snps, indels, mnps, ref, bnd, other")))
        }
    };
    list.split(',').map(kind).collect()
}

fn genotype(text: &str) -> Result<(Choice, GenotypeClass), UsageError> {
    let (choice, class) =
        text.strip_prefix('^').map_or((Choice::Include, text), |rest| (Choice::Exclude, rest));
    let class = match class {
        "hom" => GenotypeClass::Homozygous,
        "het" => GenotypeClass::Heterozygous,
        "miss" => GenotypeClass::Missing,
        _ => return Err(UsageError::new(format!("--genotype: {text:?} is none of hom, het, miss"))),
    };
    Ok((choice, class))
}
