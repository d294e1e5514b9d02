//! PLINK 1 (`.bed`, `.bim`, `.fam`) and PLINK 2 (`.pgen`, `.pvar`, `.psam`) filesets, read only.
//!
//! Source: pgen_spec of chrchang/plink-ng (draft of the PGEN, PSAM and PVAR formats). Calls count alternate alleles; in a
//! `.bed` the first allele of the `.bim` is taken for the alternate one, as PLINK 2 does.

mod cursor;
mod difflist;
pub mod layout;
mod main_track;
pub mod record;
pub mod samples;
mod tracks;
pub mod variants;

use std::fs::File;
use std::path::{Path, PathBuf};

pub use cursor::PlinkCursor;
use layout::Layout;

use super::genotypes::samples::SampleTable;
use super::genotypes::sites::SiteTable;
use super::genotypes::{Cursor, GenotypeError, GenotypeProblem, GenotypeSource, MISSING_DOSAGE};

/// A fileset that is open.
#[derive(Debug)]
pub struct Fileset {
    path: PathBuf,
    file: File,
    size: u64,
    layout: Layout,
    samples: SampleTable,
    sites: SiteTable,
}

impl Fileset {
    /// Opens a `.bed` or `.pgen` file with the tables of the same name beside it: `.bim` and `.fam`, or `.pvar` and
    /// `.psam`, each also with `.zst` or `.gz` behind.
    ///
    /// # Errors
    /// A table is not there, or as [`Self::open_parts`].
    pub fn open(genotypes: &Path) -> Result<Self, GenotypeError> {
        let variants = Self::table_of_variants(genotypes)?;
        Self::open_parts(genotypes, &variants, &beside(genotypes, ["psam", "fam"])?)
    }

    /// The table of variants beside a `.bed` or `.pgen` file.
    ///
    /// # Errors
    /// There is none.
    pub fn table_of_variants(genotypes: &Path) -> Result<PathBuf, GenotypeError> {
        beside(genotypes, ["pvar", "bim"])
    }

    /// Opens the three files of a set.
    ///
    /// # Errors
    /// One cannot be read or is damaged, or they do not belong together.
    pub fn open_parts(genotypes: &Path, variants: &Path, samples: &Path) -> Result<Self, GenotypeError> {
        let io = |error: std::io::Error| GenotypeProblem::from(error).of(genotypes);
        let file = File::open(genotypes).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let (samples, sites) = (samples::read(samples)?, variants::read(variants)?);
        let layout = Layout::read(&file, genotypes, samples.len(), sites.len())?;
        let files = Self { path: genotypes.to_owned(), file, size, layout, samples, sites };
        for (variant, site) in files.sites.iter().enumerate() {
            let of_table = site.alternates().count() + 1;
            if let Some(of_file) = files.layout.alleles(variant).filter(|count| *count != of_table) {
                let what = format!("it has {of_file} alleles, in the table {of_table}");
                return Err(GenotypeProblem::Variant { variant: variant as u64 + 1, what }.of(genotypes));
            }
        }
        Ok(files)
    }

    /// A place in the file, for one thread.
    pub fn plink_cursor(&self) -> PlinkCursor<'_> {
        PlinkCursor::new(self)
    }

    /// Where the records are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Alleles of a variant with the reference, at least 2.
    fn alleles(&self, variant: usize) -> usize {
        let of_table = || self.sites.get(variant).map_or(2, |site| site.alternates().count() + 1);
        self.layout.alleles(variant).unwrap_or_else(of_table).max(2)
    }
}

impl GenotypeSource for Fileset {
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
        Box::new(self.plink_cursor())
    }
}

/// The table of the same name that is there.
fn beside(genotypes: &Path, mut extensions: [&str; 2]) -> Result<PathBuf, GenotypeError> {
    if genotypes.extension().is_some_and(|extension| extension == "bed") {
        extensions.reverse();
    }
    let with = |extension: &&str| {
        ["", ".zst", ".gz"].map(|end| genotypes.with_extension(format!("{extension}{end}")))
    };
    let found = extensions.iter().flat_map(with).find(|path| path.is_file());
    found.ok_or_else(|| {
        let what = format!("there is no .{} beside it", extensions.join(" or ."));
        GenotypeProblem::File(what).of(genotypes)
    })
}
