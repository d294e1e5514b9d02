//! Whether files are of the samples that they are given for, as far as their read groups tell.

use std::path::{Path, PathBuf};

use super::sheet::Sample;
use crate::formats::alignment::AlignmentFile;

/// Reads of another name than their sample's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misnamed {
    /// The sample.
    pub sample: String,
    /// Its file.
    pub file: PathBuf,
    /// The samples that its read groups name (SM).
    pub named: Vec<String>,
}

/// Files whose read groups name samples, and not theirs alone. What cannot be read is left to the task that reads it.
pub fn misnamed(samples: &[Sample], reference: &Path) -> Vec<Misnamed> {
    let files = samples.iter().flat_map(|sample| sample.alignments.iter().map(move |file| (sample, file)));
    files
        .filter_map(|(sample, file)| {
            let opened = AlignmentFile::open(file, Some(reference)).ok()?;
            let named: Vec<String> = opened.header().samples().into_iter().map(str::to_owned).collect();
            let is_its_own = named.iter().all(|name| *name == sample.name);
            (!is_its_own).then(|| Misnamed { sample: sample.name.clone(), file: file.clone(), named })
        })
        .collect()
}
