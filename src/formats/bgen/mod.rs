//! BGEN 1.1, 1.2 and 1.3 files, read only: probabilities of genotypes as the integers that they are stored as.
//!
//! Source: the BGEN specification (well.ox.ac.uk/~gav/bgen_format). The format does not say which allele is the
//! reference: the first is given as such, and writers differ. Opening goes over all variants once, passing over their
//! genotypes; a `.bgi` index is not needed.

mod cursor;
pub mod header;
pub mod probabilities;
pub mod samples;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use cursor::BgenCursor;
use header::{Head, Scan, damaged, opened};

use super::genotypes::samples::SampleTable;
use super::genotypes::sites::SiteTable;
use super::genotypes::window::Window;
use super::genotypes::{Cursor, GenotypeError, GenotypeSource};

/// A file that is open.
#[derive(Debug)]
pub struct Bgen {
    path: PathBuf,
    file: File,
    size: u64,
    head: Head,
    samples: SampleTable,
    sites: SiteTable,
    genotypes: Vec<Range<u64>>,
}

impl Bgen {
    /// Opens a file, with the `.sample` file of its samples where one is given. Without, the names are those in the file,
    /// or of the `.sample` file of the same name beside it.
    ///
    /// # Errors
    /// A file cannot be read or is damaged, samples have no names, or are not as many as the head says.
    pub fn open(path: &Path, sample_file: Option<&Path>) -> Result<Self, GenotypeError> {
        let file = opened(path, File::open(path))?;
        let size = opened(path, file.metadata())?.len();
        let mut window = Window::new(&file, size, 0);
        let head = opened(path, Head::read(&mut window, size))?;
        let beside = path.with_extension("sample");
        let samples = match sample_file {
            Some(given) => samples::read(given)?,
            None if head.has_names => opened(path, head.read_names(&mut window))?,
            None if beside.is_file() => samples::read(&beside)?,
            None => {
                let what = "it does not name its samples, and there is no .sample file beside it";
                return Err(damaged(what).of(path));
            }
        };
        if samples.len() as u64 != u64::from(head.samples) {
            let what = format!("it has {} samples, the .sample file {}", head.samples, samples.len());
            return Err(damaged(what).of(path));
        }
        let Scan { sites, genotypes } = opened(path, Scan::read(&head, &file, size))?;
        Ok(Self { path: path.to_owned(), file, size, head, samples, sites, genotypes })
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Where the genotypes of a variant are in the file, with the sizes that stand before them.
    pub fn place(&self, variant: usize) -> Option<Range<u64>> {
        self.genotypes.get(variant).cloned()
    }

    /// A place in the file, for one thread.
    pub fn bgen_cursor(&self) -> BgenCursor<'_> {
        BgenCursor::new(self)
    }
}

impl GenotypeSource for Bgen {
    fn samples(&self) -> &SampleTable {
        &self.samples
    }

    fn sites(&self) -> &SiteTable {
        &self.sites
    }

    fn cursor(&self) -> Box<dyn Cursor + '_> {
        Box::new(self.bgen_cursor())
    }
}
