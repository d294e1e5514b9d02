//! Who the genotypes are of.

use std::collections::HashSet;
use std::sync::Arc;

/// The sex that a sample table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleSex {
    /// Male.
    Male,
    /// Female.
    Female,
}

impl SampleSex {
    /// What PLINK's and Oxford's tables say: 1 or M, 2 or F.
    pub fn of(text: &str) -> Option<Self> {
        match text {
            "1" | "M" | "m" => Some(Self::Male),
            "2" | "F" | "f" => Some(Self::Female),
            _ => None,
        }
    }
}

/// A sample. Identifiers are as they stand in the file; what the file has no column for, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Family (FID); `None` also for `0`.
    pub family: Option<String>,
    /// The person (IID).
    pub individual: String,
    /// Which of the person's samples (SID); `None` also for `0`.
    pub source: Option<String>,
    /// The father's IID; `None` also for `0`.
    pub father: Option<String>,
    /// The mother's IID; `None` also for `0`.
    pub mother: Option<String>,
    /// Sex; `None` where it is not known.
    pub sex: Option<SampleSex>,
    /// Phenotypes and covariates as they stand, by the names of [`SampleTable::phenotypes`].
    pub phenotypes: Vec<String>,
}

/// Samples in the order of the genotypes, no two with the same identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleTable {
    /// Names of phenotypes and covariates.
    pub phenotypes: Vec<String>,
    /// Whether the table says families.
    pub has_families: bool,
    /// Whether the table says sources (SID).
    pub has_sources: bool,
    samples: Arc<Vec<Sample>>,
    known: HashSet<(Option<String>, String, Option<String>)>,
}

impl SampleTable {
    /// Adds a sample.
    ///
    /// # Errors
    /// It has no name, or that of another one.
    pub fn push(&mut self, sample: Sample) -> Result<(), &'static str> {
        if matches!(sample.individual.as_str(), "" | "0") {
            return Err("a sample without a name (IID)");
        }
        let key = (sample.family.clone(), sample.individual.clone(), sample.source.clone());
        if !self.known.insert(key) {
            return Err("a sample comes twice");
        }
        Arc::make_mut(&mut self.samples).push(sample);
        Ok(())
    }

    /// Forgets what only new samples are compared with. Samples that are those of another table are held once: of half a
    /// million people in a file a chromosome, names would take gigabytes.
    pub fn settle(&mut self, like: Option<&Self>) {
        self.known = HashSet::new();
        if let Some(like) = like.filter(|like| like.samples == self.samples) {
            self.samples = Arc::clone(&like.samples);
        }
    }

    /// Bytes of it, about.
    pub fn bytes(&self) -> u64 {
        // A name of its own is what the allocator gives at least.
        let of_sample = size_of::<Sample>() + 2 * 32 + 56 * self.phenotypes.len();
        let of_known = size_of::<(Option<String>, String, Option<String>)>() + 2 * 32 + 1;
        (self.samples.len() * of_sample + self.known.capacity() * of_known) as u64
    }

    /// Samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// All, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Sample> {
        self.samples.iter()
    }

    /// The samples in order.
    pub fn as_slice(&self) -> &[Sample] {
        &self.samples
    }
}
