//! The options of `norn annotate --residues`.

use std::path::PathBuf;

use clap::Args;

use crate::annotate::residues::Residues;
use crate::annotate::sources::Source;
use crate::formats::fasta::Reference;

/// ClinVar's missense variants of the same residue.
#[derive(Debug, Args)]
pub struct ResidueArguments {
    /// Also PS1, PM5 and RESIDUE_OTHER of missense variants, from ClinVar: a database of `norn db source` with ID, CLNSIG and
    /// CLNREVSTAT
    #[arg(long, value_name = "FILE.ndb")]
    residues: Option<PathBuf>,

    /// How many stars of review a pathogenic variant needs to count for PS1 and PM5
    #[arg(long, value_name = "STARS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=4), requires = "residues")]
    residue_stars: u8,
}

impl ResidueArguments {
    /// Whether they are looked up.
    pub fn is_wanted(&self) -> bool {
        self.residues.is_some()
    }

    /// The database, if there is one.
    pub fn open(&self, reference: &Reference) -> anyhow::Result<Option<Residues>> {
        let Some(path) = &self.residues else { return Ok(None) };
        Ok(Some(Residues::new(Source::open(path, reference)?, self.residue_stars)?))
    }
}
