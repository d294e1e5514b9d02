//! `norn variants trio-dnm2`: bcftools +trio-dnm2's options to a search for de novo variants.

use std::process::ExitCode;

use clap::Args;

use super::family::FamilyArguments;
use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::vcf::header::Header;
use crate::records::pipeline::Part;
use crate::variants::trio::Gate;
use crate::variants::trio::denovo::{Denovo, Screen};
use crate::variants::trio::settings::{
    Model, NoiseLevels, ParentsBy, Scale, Settings, parse_tag, regions_of_x,
};

/// Find variants that are new in a child by likelihoods (bcftools +trio-dnm2).
#[derive(Debug, Args)]
pub struct TrioDnm2Arguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    condition: ConditionArguments,

    #[command(flatten)]
    family: FamilyArguments,

    #[command(flatten)]
    model: ModelArguments,

    /// Where sons have one X: GRCh37, GRCh38 or regions [default: GRCh37]
    #[arg(short = 'X', long = "chrX", value_name = "LIST")]
    chr_x: Option<String>,

    /// Leave scores out that are lower than this, in phred
    #[arg(short, long, value_name = "NUM", default_value_t = 0.0)]
    min_score: f64,
}

/// How de novo variants are looked for.
#[derive(Clone, Debug, Args)]
pub struct ModelArguments {
    /// Tag of the score, and what it is: log (of the probability, to 0), phred (0 to 255), prob (0 to 1), flag (1, of called
    /// genotypes) [default: DNM:log]
    #[arg(long, value_name = "TAG[:TYPE]")]
    dnm_tag: Option<String>,

    /// Tag of the new allele
    #[arg(long, value_name = "TAG", default_value = "VA")]
    va: String,

    /// Tag of its share of reads, in percent
    #[arg(long, value_name = "TAG", default_value = "VAF")]
    vaf: String,

    /// Take shares from AD though it has not one number for each allele
    #[arg(long = "force-AD")]
    force_ad: bool,

    /// DeNovoGear's priors
    #[arg(long)]
    dng_priors: bool,

    /// Mutations by site and generation
    #[arg(long, value_name = "NUM", default_value_t = 1e-8)]
    mrate: f64,

    /// What parents may have of an allele without having it: a fraction of QS, or a number of reads; of snv, indel or both
    /// [default: 0.005,0:snv and 0,0:indel]
    #[arg(long, value_name = "FRAC[,NUM][:TYPE]")]
    pn: Vec<String>,

    /// The same of alleles that one parent alone has reads of [default: 0.045,0:snv and 0,0:indel]
    #[arg(long, value_name = "FRAC[,NUM][:TYPE]")]
    pns: Vec<String>,

    /// Of what cannot be inherited, only alleles that neither parent has are new
    #[arg(short = 'n', long)]
    strictly_novel: bool,

    /// DeNovoGear's model and priors
    #[arg(long = "use-DNG", conflicts_with = "use_naive")]
    use_dng: bool,

    /// Called genotypes alone
    #[arg(long = "use-NAIVE")]
    use_naive: bool,

    /// Take the parents' AD where there is no QS
    #[arg(long = "with-pAD", alias = "with-pad")]
    with_pad: bool,

    /// Take the parents' PL, not their QS: more false positives, fewer misses
    #[arg(long = "with-pPL", aliases = ["with-ppl", "ppl"])]
    with_ppl: bool,

    /// The older form of these options: mrate=, pn=, pns=, DNG, dng-priors, ppl, tag=, vaf=, va=
    #[arg(short = 'u', long = "use", value_name = "OPTION[=VALUE]", hide = true)]
    uses: Vec<String>,
}

impl TrioDnm2Arguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let model = self.model.with_uses()?;
        streams::run("trio-dnm2", &self.input, &self.output, ranks, |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            let x = self.chr_x.as_deref().unwrap_or("GRCh37");
            let settings = model.settings(model.chosen(), x, self.min_score, true)?;
            let denovo = Denovo::new(settings, self.family.trios(header)?, header)?;
            if !denovo.has_depths() && !model.use_naive {
                eprintln!("norn: the header declares no FORMAT/AD, so there will be no FORMAT/{}", model.vaf);
            }
            let made = denovo.header(header);
            let gate = Gate::new(self.condition.compile(header)?);
            Ok(Plan::new(made, vec![Part::Each(Box::new(Screen::new(denovo, gate)))]))
        })
    }
}

impl ModelArguments {
    /// The model that is asked for.
    fn chosen(&self) -> Model {
        let has_flag =
            || self.dnm_tag.as_ref().is_some_and(|tag| tag.to_ascii_lowercase().ends_with(":flag"));
        match self {
            Self { use_naive: true, .. } => Model::Genotypes,
            Self { use_dng: true, .. } => Model::DeNovoGear,
            _ if has_flag() => Model::Genotypes,
            Self { with_ppl: true, .. } => Model::Alleles(ParentsBy::Likelihoods),
            Self { with_pad: true, .. } => Model::Alleles(ParentsBy::Depths),
            _ => Model::Alleles(ParentsBy::Qualities),
        }
    }

    /// The model that is asked for, or the best for which the header has tags.
    pub fn chosen_for(&self, header: &Header) -> Model {
        let has = |tag: &[u8]| header.format(tag).is_some();
        match self.chosen() {
            Model::Alleles(ParentsBy::Qualities) if !has(b"PL") => Model::Genotypes,
            Model::Alleles(ParentsBy::Qualities) if has(b"QS") => Model::Alleles(ParentsBy::Qualities),
            Model::Alleles(ParentsBy::Qualities) if has(b"AD") => Model::Alleles(ParentsBy::Depths),
            Model::Alleles(ParentsBy::Qualities) => Model::Alleles(ParentsBy::Likelihoods),
            model => model,
        }
    }

    /// All that is set; `x` is where sons have one X.
    pub fn settings(
        &self,
        model: Model,
        x: &str,
        least_score: f64,
        strict: bool,
    ) -> anyhow::Result<Settings> {
        let wrong =
            |option: &str, error: &dyn std::fmt::Display| UsageError::new(format!("{option}: {error}"));
        let (score_tag, scale) = match &self.dnm_tag {
            Some(text) => parse_tag(text).map_err(|error| wrong("--dnm-tag", &error))?,
            None if model == Model::Genotypes => ("DNM".to_owned(), Scale::Flag),
            None => ("DNM".to_owned(), Scale::Log),
        };
        if (model == Model::Genotypes) != (scale == Scale::Flag) {
            let what = "--dnm-tag: flag goes with --use-NAIVE, and nothing else does";
            return Err(UsageError::new(what.into()).into());
        }
        if !(0.0..1.0).contains(&self.mrate) {
            return Err(wrong("--mrate", &"expected a probability").into());
        }
        let mut noise = NoiseLevels::default();
        for (option, texts, is_single) in [("--pn", &self.pn, false), ("--pns", &self.pns, true)] {
            for text in texts {
                noise.set(text, is_single).map_err(|error| wrong(option, &error))?;
            }
        }
        for (option, tag) in [("--va", &self.va), ("--vaf", &self.vaf)] {
            parse_tag(tag)
                .ok()
                .filter(|_| !tag.contains(':'))
                .ok_or_else(|| wrong(option, &"this is no tag"))?;
        }
        Ok(Settings {
            model,
            denovogear_priors: self.dng_priors || self.use_dng,
            strictly_novel: self.strictly_novel,
            mutation_rate: self.mrate,
            noise,
            least_score,
            force_depths: self.force_ad,
            score_tag,
            scale,
            allele_tag: self.va.clone(),
            share_tag: self.vaf.clone(),
            x: regions_of_x(x).map_err(|error| wrong("--chrX", &error))?,
            strict,
        })
    }

    /// With what `-u` says.
    pub fn with_uses(&self) -> Result<Self, UsageError> {
        let mut made = self.clone();
        for text in &self.uses {
            let wrong = || UsageError::new(format!("--use: {text:?} is not understood"));
            let (option, value) =
                text.split_once('=').map_or((text.as_str(), None), |(option, value)| (option, Some(value)));
            let value = || value.map(str::to_owned).ok_or_else(wrong);
            match option.to_ascii_lowercase().as_str() {
                "mrate" => made.mrate = value()?.parse().map_err(|_| wrong())?,
                "pn" | "pnoise" => made.pn.push(value()?),
                "pns" => made.pns.push(value()?),
                "dng" => made.use_dng = true,
                "dng-priors" => made.dng_priors = true,
                "ppl" => made.with_ppl = true,
                "tag" => made.dnm_tag = Some(value()?),
                "vaf" => made.vaf = value()?,
                "va" => made.va = value()?,
                _ => return Err(wrong()),
            }
        }
        Ok(made)
    }
}
