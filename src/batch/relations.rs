//! Who of a night is related to whom, by the fingerprints of QC (`qc.sites`): samples that were swapped, or taken twice, stand out before
//! anyone reads their variants.

use std::path::PathBuf;

use super::config::Step;
use super::figures::ending_with;
use super::night::Night;
use super::run_dir::RunDir;
use super::sheet::Sample;
use crate::qc::relate::fingerprints::{FingerprintError, Fingerprints};
use crate::qc::relate::pedigree::{Pedigree, PedigreeError};
use crate::qc::relate::{self, Expected, Pair, Relation, text};

/// Pairs of a night's samples.
#[derive(Debug)]
pub struct Relations {
    /// All of them, in the columns of `norn relate`.
    pub table: String,
    /// How many there are.
    pub pairs: usize,
    /// Those that are not as the sheet and its pedigrees say.
    pub surprises: Vec<Surprise>,
}

/// Two samples that are related in another way than is expected of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// Their names.
    pub samples: [String; 2],
    /// What is expected; `None` where nothing is said of them and they are one person.
    pub expected: Option<Relation>,
    /// What the fingerprints say.
    pub found: Relation,
}

/// Why relations could not be told.
#[derive(Debug, thiserror::Error)]
pub enum RelationsError {
    /// A result of QC cannot be read.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// A pedigree of the sheet cannot.
    #[error(transparent)]
    Pedigree(#[from] PedigreeError),
}

impl Relations {
    /// Of the samples that have a fingerprint; `None` where fewer than two have.
    ///
    /// # Errors
    /// A fingerprint or a pedigree cannot be read.
    pub fn read(night: &Night, run_dir: &RunDir) -> Result<Option<Self>, RelationsError> {
        let with_files = night.samples.iter().filter_map(|sample| {
            let results = run_dir.results(&sample.name, Step::Qc);
            Some((sample, ending_with(&results, ".fingerprint.vcf.gz")?))
        });
        let (samples, files): (Vec<&Sample>, Vec<PathBuf>) = with_files.unzip();
        if samples.len() < 2 {
            return Ok(None);
        }
        let mut pedigrees: Vec<&PathBuf> = samples.iter().filter_map(|sample| sample.ped.as_ref()).collect();
        pedigrees.sort_unstable();
        pedigrees.dedup();
        let pedigrees =
            pedigrees.into_iter().map(|path| Pedigree::read(path)).collect::<Result<Vec<_>, _>>()?;
        let fingerprints = Fingerprints::read(&files)?;
        let mut pairs = relate::pairs(&fingerprints, None);
        let mut surprises = Vec::new();
        for pair in &mut pairs {
            // A fingerprint of QC has one sample.
            let (Some(a), Some(b)) = (samples.get(pair.a), samples.get(pair.b)) else { continue };
            pair.expected = expected(a, b, &pedigrees);
            surprises.extend(surprise(pair, a, b));
        }
        Ok(Some(Self { table: text::pairs(&fingerprints, &pairs), pairs: pairs.len(), surprises }))
    }

    /// What is to be said of a sample.
    pub fn of<'r>(&'r self, sample: &'r str) -> impl Iterator<Item = &'r Surprise> {
        self.surprises.iter().filter(move |surprise| surprise.samples.iter().any(|name| name == sample))
    }
}

/// Samples of one patient are one person; else what a pedigree says.
fn expected(a: &Sample, b: &Sample, pedigrees: &[Pedigree]) -> Option<Expected> {
    if a.patient == b.patient {
        return Some(Expected { relatedness: 1.0, relation: Relation::Identical });
    }
    pedigrees.iter().find_map(|pedigree| pedigree.expected(&a.name, &b.name))
}

fn surprise(pair: &Pair, a: &Sample, b: &Sample) -> Option<Surprise> {
    let is_surprise = match pair.expected {
        Some(_) => pair.is_mismatch() == Some(true),
        None => pair.relation == Relation::Identical,
    };
    let expected = pair.expected.map(|expected| expected.relation);
    is_surprise.then(|| Surprise {
        samples: [a.name.clone(), b.name.clone()],
        expected,
        found: pair.relation,
    })
}

impl Surprise {
    /// What is expected, in words.
    pub fn expected_words(&self) -> &'static str {
        self.expected.map_or("another person", Relation::name)
    }
}
