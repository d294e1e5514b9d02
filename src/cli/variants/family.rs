//! What mendelian2, trio-dnm2 and trio share: who belongs together, and who has what from whom.

use std::path::PathBuf;

use clap::Args;

use crate::cli::qc::UsageError;
use crate::formats::vcf::header::Header;
use crate::genome::contigs::Build;
use crate::variants::trio::pedigree::{self, PedigreeError, Trio};
use crate::variants::trio::rules::{self, Rules};

/// The trios.
#[derive(Debug, Args)]
pub struct FamilyArguments {
    /// Names of child, father and mother; `1X:` for a child with one X [default: 2X:]
    #[arg(
        short,
        long,
        value_name = "[1X:|2X:]P,F,M",
        required_unless_present = "ped",
        conflicts_with = "ped"
    )]
    pfm: Option<String>,

    /// Trios of a PED file: family, child, father, mother, sex (1 male, 2 female)
    #[arg(short = 'P', long, value_name = "FILE")]
    ped: Option<PathBuf>,

    /// Taken and passed over, as other tools have it
    #[arg(short, long, value_name = "INT", hide = true)]
    verbosity: Option<i32>,
}

impl FamilyArguments {
    /// The trios that are in the header.
    pub fn trios(&self, header: &Header) -> anyhow::Result<Vec<Trio>> {
        match (&self.pfm, &self.ped) {
            (Some(names), _) => Ok(vec![pedigree::named(names, header).map_err(|error| match error {
                PedigreeError::Names(_) => UsageError::new(format!("--pfm: {error}")).into(),
                error => anyhow::Error::from(error),
            })?]),
            (_, Some(path)) => {
                let trios = pedigree::read(path, header)?;
                let plural = if trios.len() == 1 { "" } else { "s" };
                eprintln!("Identified {} complete trio{plural} in the VCF file", trios.len());
                Ok(trios)
            }
            _ => Err(UsageError::new("expected --pfm or --ped".into()).into()),
        }
    }

    /// Whether they are named in the command.
    pub fn is_named(&self) -> bool {
        self.pfm.is_some()
    }
}

/// From whom alleles come.
#[derive(Debug, Args)]
pub struct RulesArguments {
    /// Rules for X, Y and MT: GRCh37 or GRCh38; `list` names them, a `?` behind prints them
    #[arg(long, value_name = "BUILD[?]", conflicts_with = "rules_file")]
    rules: Option<String>,

    /// Rules from a file, each line SEX (1X or 2X), CONTIG:FROM-TO and from whom (M, F, MF, or `.` for nobody)
    #[arg(long, value_name = "FILE")]
    rules_file: Option<PathBuf>,
}

impl RulesArguments {
    /// Whether rules were to be shown, and have been.
    pub fn shown(&self) -> bool {
        let Some(word) = &self.rules else { return false };
        let (name, in_full) = word.strip_suffix('?').map_or((word.as_str(), false), |name| (name, true));
        let is_list = name.eq_ignore_ascii_case("list");
        if !is_list && !in_full {
            return false;
        }
        for build in BUILDS.into_iter().filter(|build| is_list || is_named(*build, name)) {
            if is_list {
                println!("{}", build.name());
            }
            if in_full {
                print!("{}", rules::text_of(build));
            }
        }
        true
    }

    /// The build that is named.
    pub fn build(&self) -> Result<Option<Build>, UsageError> {
        let Some(name) = &self.rules else { return Ok(None) };
        let build = BUILDS.into_iter().find(|build| is_named(*build, name));
        build
            .map(Some)
            .ok_or_else(|| UsageError::new(format!("--rules: {name:?} is neither GRCh37 nor GRCh38")))
    }

    /// The rules of a file, if one is given.
    pub fn of_file(&self) -> anyhow::Result<Option<Rules>> {
        Ok(self.rules_file.as_deref().map(Rules::read).transpose()?)
    }
}

const BUILDS: [Build; 2] = [Build::Grch37, Build::Grch38];

fn is_named(build: Build, name: &str) -> bool {
    build.name().eq_ignore_ascii_case(name)
}
