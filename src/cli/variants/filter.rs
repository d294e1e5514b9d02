//! `norn variants filter`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::records::kinds::Kinds;
use crate::records::pipeline::Part;
use crate::variants::filter::{FailedGenotypes, Filter, FilterOptions, GapOptions, Gaps};
use crate::variants::regions::{Overlap, Regions, Source};

/// Filter sites and genotypes by expressions, regions and neighbours (bcftools filter).
#[derive(Debug, Args)]
pub struct FilterArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    condition: ConditionArguments,

    /// SNPs within N bases of an indel fail, or of other kinds: indel, mnp, bnd, other, overlap
    #[arg(short = 'g', long = "SnpGap", value_name = "N[:KIND,...]")]
    snp_gap: Option<String>,

    /// Of indels within N bases only one passes
    #[arg(short = 'G', long = "IndelGap", value_name = "N")]
    indel_gap: Option<i64>,

    /// Records in these regions fail, or with ^ outside
    #[arg(long, value_name = "[^]REGION,...", requires = "soft_filter")]
    mask: Option<String>,

    /// The same from a file
    #[arg(short = 'M', long, value_name = "[^]FILE", conflicts_with = "mask", requires = "soft_filter")]
    mask_file: Option<String>,

    /// As --regions-overlap
    #[arg(long, value_name = "0|1|2", default_value = "1")]
    mask_overlap: Overlap,

    /// +: add to the other filters; x: PASS for what passes
    #[arg(short, long, value_name = "[+x]")]
    mode: Option<String>,

    /// Failed records stay and get this name in FILTER; + finds one
    #[arg(short, long, value_name = "NAME")]
    soft_filter: Option<String>,

    /// Genotypes of failed samples become missing (.) or reference (0)
    #[arg(short = 'S', long = "set-GTs", value_name = ".|0")]
    set_gts: Option<String>,
}

impl FilterArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let gaps = GapOptions {
            snp: self.snp_gap.as_deref().map(snp_gap).transpose()?,
            indel: self.indel_gap.filter(|gap| *gap != 0),
            is_soft: self.soft_filter.is_some(),
        };
        let genotypes = match self.set_gts.as_deref() {
            None => None,
            Some(".") => Some(FailedGenotypes::Missing),
            Some("0") => Some(FailedGenotypes::Reference),
            Some(other) => {
                return Err(UsageError::new(format!("--set-GTs: {other:?} is neither . nor 0")).into());
            }
        };
        let mask = match (&self.mask, &self.mask_file) {
            (Some(text), _) => {
                let (outside, text) =
                    text.strip_prefix('^').map_or((false, text.as_str()), |rest| (true, rest));
                Some((Regions::read(Source::List(text))?, outside, self.mask_overlap))
            }
            (_, Some(text)) => {
                let (outside, text) =
                    text.strip_prefix('^').map_or((false, text.as_str()), |rest| (true, rest));
                let path = PathBuf::from(text);
                Some((Regions::read(Source::File(&path))?, outside, self.mask_overlap))
            }
            _ => None,
        };
        let has = |letter| self.mode.as_ref().is_some_and(|mode| mode.contains(letter));
        streams::run("filter", &self.input, &self.output, ranks, |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            let mut options = FilterOptions {
                condition: self.condition.compile(header)?,
                mask,
                soft_filter: self.soft_filter.clone(),
                adds: has('+'),
                resets: has('x'),
                genotypes,
            };
            options.choose_name(header);
            let header = gaps.header(&options.header(header, self.condition.text()));
            let mut plan = Plan::new(header, vec![Part::Each(Box::new(Filter(options)))]);
            if gaps.is_needed() {
                plan.chain.push(Part::Ordered(Box::new(Gaps::new(gaps))));
            }
            Ok(plan)
        })
    }
}

fn snp_gap(text: &str) -> Result<(i64, Vec<Kinds>, String), UsageError> {
    let (gap, names) = text.split_once(':').unwrap_or((text, "indel"));
    let wrong = || UsageError::new(format!("--SnpGap: {text:?} is not N or N:KIND,..."));
    let kind = |name: &str| match name.to_ascii_lowercase().as_str() {
        "indel" => Ok(Kinds::INDEL),
        "mnp" => Ok(Kinds::MNP),
        "bnd" => Ok(Kinds::BREAKEND),
        "other" => Ok(Kinds::OTHER),
        "overlap" => Ok(Kinds::OVERLAP),
        _ => Err(wrong()),
    };
    let kinds = names.split(',').map(kind).collect::<Result<_, _>>()?;
    Ok((gap.parse().map_err(|_| wrong())?, kinds, names.to_owned()))
}
