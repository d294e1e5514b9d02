//! `norn relate`: fingerprints to pairs.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::exit;
use crate::formats::output::{AtomicFile, OutputError};
use crate::qc::relate::fingerprints::Fingerprints;
use crate::qc::relate::pedigree::Pedigree;
use crate::qc::relate::{self, text};

/// Relatedness between fingerprints: one person, relatives or strangers, and whether that is as expected.
///
/// Exit code 4 if a pair is not related as the pedigree says, or two samples of one name are not one person.
#[derive(Debug, Args)]
pub struct RelateArguments {
    /// Fingerprints (SAMPLE.fingerprint.vcf.gz of norn qc --sites), or other VCFs with the same sites
    #[arg(required = true, value_name = "FINGERPRINT.vcf.gz")]
    inputs: Vec<PathBuf>,

    /// Writes PREFIX.pairs.tsv and PREFIX.samples.tsv [default: the pairs on standard output]
    #[arg(short, long, value_name = "PREFIX")]
    output: Option<PathBuf>,

    /// Pedigree (PED) with the expected relations
    #[arg(long, value_name = "PED")]
    ped: Option<PathBuf>,
}

impl RelateArguments {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let fingerprints = Fingerprints::read(&self.inputs)?;
        let pedigree = self.ped.as_deref().map(Pedigree::read).transpose()?;
        let pairs = relate::pairs(&fingerprints, pedigree.as_ref());
        let table = text::pairs(&fingerprints, &pairs);
        match &self.output {
            Some(prefix) => {
                let samples = text::samples(&fingerprints, pedigree.as_ref());
                let mut files = Vec::new();
                for (name, text) in [("pairs.tsv", table), ("samples.tsv", samples)] {
                    let mut path = OsString::from(prefix);
                    path.push(format!(".{name}"));
                    let path = PathBuf::from(path);
                    let mut file = AtomicFile::create(&path)?;
                    file.write_all(text.as_bytes()).map_err(|source| OutputError { path, source })?;
                    files.push(file);
                }
                for file in files {
                    file.commit()?;
                }
            }
            None => {
                let written = std::io::stdout().lock().write_all(table.as_bytes());
                written.map_err(|source| OutputError { path: PathBuf::from("-"), source })?;
            }
        }
        let mismatches = pairs.iter().filter(|pair| pair.is_mismatch() == Some(true)).count();
        if mismatches > 0 {
            eprintln!("norn: {mismatches} of {} pairs are not related as expected (MISMATCH)", pairs.len());
            return Ok(ExitCode::from(exit::BELOW_THRESHOLDS));
        }
        Ok(ExitCode::SUCCESS)
    }
}
