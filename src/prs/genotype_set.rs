//! Several files of genotypes as one set: the same people, other variants (one a chromosome), numbered one behind the other.

use std::path::{Path, PathBuf};

use super::kernel::Part;
use crate::formats::bgen::Bgen;
use crate::formats::genotypes::described::{Described, Undescribed};
use crate::formats::genotypes::sample_list::{Chosen, SampleList, choose};
use crate::formats::genotypes::samples::SampleTable;
use crate::formats::genotypes::selection::Selected;
use crate::formats::genotypes::vcf::{VcfGenotypeError, VcfGenotypes, Wanted};
use crate::formats::genotypes::{GenotypeError, GenotypeSource};
use crate::formats::plink::Fileset;

/// Genotypes of the same people in one or more files.
pub struct GenotypeSet {
    files: Vec<File>,
}

struct File {
    path: PathBuf,
    source: Box<dyn GenotypeSource>,
    /// The number of its first variant.
    first: usize,
}

/// Why files are no set.
#[derive(Debug, thiserror::Error)]
pub enum GenotypeSetError {
    /// A PLINK or BGEN file cannot be read.
    #[error(transparent)]
    Genotypes(#[from] GenotypeError),
    /// A VCF or BCF cannot be read.
    #[error(transparent)]
    Vcf(#[from] VcfGenotypeError),
    /// The name says no format.
    #[error("{path}: expected a .pgen, .bed, .bgen, .vcf, .vcf.gz or .bcf file", path = .0.display())]
    Form(PathBuf),
    /// Two files have other people.
    #[error("{second}: its samples are not those of {first}, in the same order", first = first.display(), second = second.display())]
    Samples {
        /// The first file.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// Nobody is left.
    #[error("{path}: nobody of its samples is chosen (--keep, --remove)", path = .0.display())]
    Nobody(PathBuf),
    /// There is no file.
    #[error("no genotypes are given")]
    Empty,
    /// There are more variants than numbers.
    #[error("there are more than 4,294,967,295 variants")]
    TooMany,
}

impl GenotypeSet {
    /// Opens files by what their names end with. Of VCF and BCF only what is wanted is kept.
    ///
    /// # Errors
    /// A file cannot be read, or has other samples than the first.
    pub fn open(paths: &[PathBuf], wanted: &Wanted<'_>) -> Result<Self, GenotypeSetError> {
        let (mut files, mut first): (Vec<File>, usize) = (Vec::new(), 0);
        for path in paths {
            let mut source = open(path, wanted)?;
            if let Some(known) = files.first()
                && !are_alike(known.source.samples(), source.samples())
            {
                return Err(GenotypeSetError::Samples { first: known.path.clone(), second: path.clone() });
            }
            source.settle_samples(files.first().map(|first| first.source.samples()));
            let count = source.sites().len();
            files.push(File { path: path.clone(), source, first });
            first = first.saturating_add(count);
        }
        match files.is_empty() {
            true => Err(GenotypeSetError::Empty),
            false if u32::try_from(first).is_err() => Err(GenotypeSetError::TooMany),
            false => Ok(Self { files }),
        }
    }

    /// The same genotypes with people as a table describes them (sexes, families, phenotypes).
    ///
    /// # Errors
    /// The table lacks somebody.
    pub fn describe(self, table: &SampleTable) -> Result<Self, Undescribed> {
        let mut files: Vec<File> = Vec::new();
        for file in self.files {
            let mut source = Box::new(Described::new(file.source, table)?);
            source.settle_samples(files.first().map(|first| first.source.samples()));
            files.push(File { source, ..file });
        }
        Ok(Self { files })
    }

    /// The same genotypes of those people alone who are on the one list, if there is one, and not on the other.
    ///
    /// # Errors
    /// Nobody is left.
    pub fn select(
        self,
        keep: Option<&SampleList>,
        remove: Option<&SampleList>,
    ) -> Result<(Self, Chosen), GenotypeSetError> {
        let chosen = choose(self.samples(), keep, remove);
        if chosen.samples.is_empty() {
            return Err(GenotypeSetError::Nobody(self.files[0].path.clone()));
        }
        if chosen.samples.len() == self.samples().len() {
            return Ok((self, chosen));
        }
        let mut files: Vec<File> = Vec::new();
        for file in self.files {
            let mut source = Box::new(Selected::new(file.source, &chosen.samples));
            source.settle_samples(files.first().map(|first| first.source.samples()));
            files.push(File { source, ..file });
        }
        Ok((Self { files }, chosen))
    }

    /// The people.
    pub fn samples(&self) -> &SampleTable {
        self.files[0].source.samples()
    }

    /// Bytes of people, sites and genotypes that it holds, about.
    pub fn held_bytes(&self) -> u64 {
        let of_sources = self.files.iter().map(|file| file.source.sites().bytes() + file.source.held_bytes());
        of_sources.sum::<u64>() + self.samples().bytes()
    }

    /// Variants of all files.
    pub fn variants(&self) -> usize {
        self.files.last().map_or(0, |file| file.first + file.source.sites().len())
    }

    /// The files, each with the number of its first variant.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.files.iter().map(|file| Part {
            source: file.source.as_ref(),
            first: file.first,
            frequencies: None,
        })
    }

    /// The number that a variant of a file (both from 0) has in the set.
    pub fn number(&self, file: u32, variant: u32) -> Option<u32> {
        let first = u32::try_from(self.files.get(file as usize)?.first).ok()?;
        first.checked_add(variant)
    }
}

fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Box<dyn GenotypeSource>, GenotypeSetError> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    Ok(if ends(&[".pgen", ".bed"]) {
        Box::new(Fileset::open(path)?)
    } else if ends(&[".bgen"]) {
        Box::new(Bgen::open(path, None)?)
    } else if ends(&[".vcf", ".vcf.gz", ".vcf.bgz", ".bcf"]) {
        Box::new(VcfGenotypes::read(path, wanted)?)
    } else {
        return Err(GenotypeSetError::Form(path.to_owned()));
    })
}

fn are_alike(one: &SampleTable, other: &SampleTable) -> bool {
    one.len() == other.len() && one.iter().zip(other.iter()).all(|(a, b)| a.individual == b.individual)
}
