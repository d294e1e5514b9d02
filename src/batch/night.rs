//! A night: settings and samples, as they are kept in the run directory.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::config::{Config, Step};
use super::consent::{Consents, is_code};
use super::problems::Problems;
use super::run_dir::RunDir;
use super::sheet::Sample;
use crate::formats::output::{AtomicFile, OutputError};

/// Settings and samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Night {
    /// The file that the settings stand in.
    pub config_path: std::path::PathBuf,
    /// Settings.
    pub config: Config,
    /// Samples that are processed.
    pub samples: Vec<Sample>,
    /// Samples that are not, for want of consent.
    pub left_out: Vec<LeftOut>,
}

/// A sample that is not processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The sample.
    pub sample: Sample,
    /// Why.
    pub why: String,
}

impl Night {
    /// Takes settings and samples together; samples without consent are left out.
    ///
    /// # Errors
    /// Everything that is wrong with the consent file; samples that no step can take.
    pub fn new(config_path: &Path, config: Config, samples: Vec<Sample>) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let consents = match &config.consent {
            None => Consents::default(),
            Some(settings) => {
                for purpose in settings.purposes.iter().filter(|purpose| !is_code(purpose)) {
                    let what = format_args!("{purpose:?} is no code like DUO:0000042");
                    problems.setting(config_path, "consent.purposes", what);
                }
                Consents::read(settings).unwrap_or_else(|others| {
                    problems.extend(others);
                    Consents::default()
                })
            }
        };
        let (mut taken, mut left_out) = (Vec::new(), Vec::new());
        for sample in samples {
            match consents.allows(config.consent.as_ref(), &sample) {
                Ok(()) if steps_of(&config, &sample).next().is_none() => {
                    let what = format_args!("sample in line {}: no step takes what it has", sample.line);
                    problems.file(config_path, what);
                }
                Ok(()) => taken.push(sample),
                Err(why) => left_out.push(LeftOut { sample, why }),
            }
        }
        let config_path = std::path::absolute(config_path).unwrap_or_else(|_| config_path.to_owned());
        let night = Self { config_path, config, samples: taken, left_out };
        if serde_json::to_value(&night).is_err() {
            problems.file(&night.config_path, "the path of a file is no UTF-8");
        }
        problems.or(night)
    }

    /// Without samples that were purged, of which nothing is known any more.
    pub fn without<'p>(mut self, purged: impl IntoIterator<Item = &'p str>) -> Self {
        let purged: HashSet<&str> = purged.into_iter().collect();
        self.samples.retain(|sample| !purged.contains(sample.name.as_str()));
        self.left_out.retain(|left_out| !purged.contains(left_out.sample.name.as_str()));
        self
    }

    /// Whether it knows a sample.
    pub fn has(&self, name: &str) -> bool {
        let left_out = self.left_out.iter().map(|left_out| &left_out.sample);
        self.samples.iter().chain(left_out).any(|sample| sample.name == name)
    }

    /// With consent as it is told now.
    ///
    /// # Errors
    /// Everything that is wrong with the consent file.
    pub fn anew(self) -> Result<Self, Problems> {
        let left_out = self.left_out.into_iter().map(|left_out| left_out.sample);
        let mut samples: Vec<_> = self.samples.into_iter().chain(left_out).collect();
        samples.sort_by_key(|sample| sample.line);
        Self::new(&self.config_path, self.config, samples)
    }

    /// Reads the night of a run directory.
    ///
    /// # Errors
    /// There is none.
    pub fn read(run_dir: &RunDir) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let path = run_dir.night();
        let read = fs::read(&path).map_err(|error| error.to_string());
        match read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string())) {
            Ok(night) => Ok(night),
            Err(error) => {
                problems.file(&path, format_args!("{error}: is this a run directory of norn batch?"));
                Err(problems)
            }
        }
    }

    /// Keeps the night in the run directory, by way of a directory of the run's own: parts of a job array write the same at once, and one
    /// that is killed leaves nothing where others look.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, run_dir: &RunDir, staging: &Path) -> Result<(), OutputError> {
        let (path, text) = (staging.join("night.json"), self.text());
        if fs::read(run_dir.night()).is_ok_and(|kept| kept == text.as_bytes()) {
            return Ok(());
        }
        let error = |source| OutputError { path: path.clone(), source };
        fs::create_dir_all(staging).map_err(error)?;
        let mut file = AtomicFile::create(&path)?;
        file.write_all(text.as_bytes()).map_err(error)?;
        file.commit()?;
        fs::rename(&path, run_dir.night()).map_err(error)
    }

    /// BLAKE3 of settings and samples.
    pub fn hash(&self) -> String {
        blake3::hash(self.text().as_bytes()).to_hex().to_string()
    }

    fn text(&self) -> String {
        // That it can be written was tried when it was made.
        let document = serde_json::to_value(self).unwrap_or_default();
        format!("{document:#}\n")
    }
}

/// The steps that a sample has the inputs for.
pub fn steps_of<'n>(config: &'n Config, sample: &'n Sample) -> impl Iterator<Item = Step> + 'n {
    config.steps.iter().copied().filter(|step| match step {
        Step::Qc => !sample.alignments.is_empty(),
        _ => sample.variants.is_some(),
    })
}
