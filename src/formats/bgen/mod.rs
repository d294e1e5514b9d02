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

use super::genotypes::described::describe;
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
    /// Opens a file, with the `.sample` file of its samples where one is given. Without, the names are those in the file, and of the `.sample`
    /// file of the same name beside it, which tells more of them.
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
            None if head.has_names => {
                let named = opened(path, head.read_names(&mut window))?;
                // The file beside it tells sexes and families, too, if it is of these people.
                let told = if beside.is_file() { samples::read(&beside).ok() } else { None };
                told.and_then(|told| describe(&named, &told).ok()).unwrap_or(named)
            }
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

    fn settle_samples(&mut self, like: Option<&SampleTable>) {
        self.samples.settle(like);
    }

    fn held_bytes(&self) -> u64 {
        // Where the record of each variant is.
        16 * self.sites.len() as u64
    }

    fn cursor(&self) -> Box<dyn Cursor + '_> {
        Box::new(self.bgen_cursor())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::genotypes::Genotypes;

    /// Opens a file of these bytes with two samples, and reads all of it.
    fn read(bytes: &[u8]) -> Result<Vec<Genotypes>, GenotypeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.bgen");
        std::fs::write(&path, bytes).unwrap();
        std::fs::write(path.with_extension("sample"), "ID\n0\na\nb\n").unwrap();
        let file = Bgen::open(&path, None)?;
        let mut cursor = file.bgen_cursor();
        let read = |variant| {
            let mut genotypes = Genotypes::default();
            cursor.read(variant, &mut genotypes).map(|()| genotypes)
        };
        (0..file.sites().len()).map(read).collect()
    }

    /// The head of a file of two samples.
    fn head(variants: u32, flags: u32) -> Vec<u8> {
        let numbers = [20, 20, variants, 2].map(u32::to_le_bytes).concat();
        [&numbers[..], b"bgen", &flags.to_le_bytes()].concat()
    }

    /// A variant of layout 2 without genotypes.
    fn variant(alleles: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in ["id", ".", "1"] {
            bytes.extend((text.len() as u16).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(7u32.to_le_bytes());
        bytes.extend((alleles.len() as u16).to_le_bytes());
        for allele in alleles {
            bytes.extend((allele.len() as u32).to_le_bytes());
            bytes.extend(allele.as_bytes());
        }
        bytes
    }

    #[test]
    fn a_hand_made_file_is_read() {
        // Three alleles, one of them longer than what is read of a variant at first; 8 bits, a haploid sample.
        let long = "A".repeat(10_000);
        let genotypes =
            [&[2, 0, 0, 0, 3, 0, 1, 2, 1, 2, 0, 8][..], &[55, 100], &[5, 50, 100, 30, 10]].concat();
        let length = (genotypes.len() as u32).to_le_bytes().to_vec();
        let bytes = [head(1, 2 << 2), variant(&["C", &long, "G"]), length, genotypes].concat();
        let read = read(&bytes).unwrap();
        let [Genotypes { ploidies, dosages, alleles: 3, .. }] = &read[..] else { panic!("one variant") };
        assert_eq!((&ploidies[..], &dosages.values[..]), (&[1, 2][..], &[200, 510 - 10 - 50 - 30][..]));
    }

    #[test]
    fn what_is_not_supported_is_said() {
        for (bytes, word) in [
            (head(0, 0), "its layout is 0"),
            (head(0, 3 << 2), "its layout is 3"),
            (head(0, 2 << 2 | 3), "compressed in a way that is not known"),
            (head(0, 1 << 2 | 2), "layout 1 is never"),
            (head(0, 2 << 2)[..23].to_vec(), "no BGEN, or cut off"),
            (b"##fileformat=VCFv4.2\n#CHROM\tPOS\n".to_vec(), "its magic is another"),
            ([head(1, 2 << 2), variant(&[])].concat(), "variant 1: it has no alleles"),
            (
                [head(1, 2 << 2), variant(&["A", "C,G"])].concat(),
                "variant 1: an allele is empty or has a comma",
            ),
            ([head(1, 2 << 2), variant(&["A", "C"])].concat(), "variant 1: it ends too early"),
        ] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..100), small in prop::collection::vec(0u8..9, 0..60),
            variants in 0u32..4, flags in 0u32..12,
        ) {
            let _ = read(&bytes);
            let _ = read(&[head(variants, flags), bytes].concat());
            let length = (small.len() as u32).to_le_bytes().to_vec();
            let _ = read(&[head(1, flags), variant(&["A", "C"]), length, small].concat());
        }
    }
}
