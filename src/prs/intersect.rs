//! Sites of other genotypes, a reference panel's say, that a score must have too.
//!
//! Sums of a cohort are compared with those of a panel, so both have to rest on the same variants. A row of a score is
//! matched with both, by the same rules, and scored where both take it for the same alleles, whichever of them is the
//! reference (`matching.rs`): so it does not matter which of both is scored and which is told. Of the other set sites
//! alone are read.

use std::path::{Path, PathBuf};

use super::target::{Kept, Site, SiteNumber, Target, Wanted};
use crate::formats::bgen::Bgen;
use crate::formats::genotypes::{GenotypeError, GenotypeSource};
use crate::formats::plink::{Fileset, variants};
use crate::formats::vcf::reader::{VariantError, VariantReader};
use crate::formats::vcf::record::Column;

/// Why sites cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IntersectError {
    /// A table of sites or a BGEN file cannot be read.
    #[error(transparent)]
    Sites(#[from] GenotypeError),
    /// A BCF cannot be read.
    #[error(transparent)]
    Bcf(#[from] VariantError),
    /// A record of a BCF is damaged.
    #[error("{path}: {what}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        what: String,
    },
    /// The name says no format.
    #[error("{path}: expected a .pvar, .bim, .vcf, .vcf.gz, .bcf, .pgen, .bed or .bgen file (--intersect)", path = .0.display())]
    Form(PathBuf),
}

/// The wanted sites of files, which are one set.
///
/// # Errors
/// A file cannot be read.
pub fn sites<'w>(wanted: &'w Wanted, paths: &[PathBuf]) -> Result<Target<'w>, IntersectError> {
    let mut kept = Kept::new(wanted);
    for (file, path) in (0..).zip(paths) {
        observe(path, file, &mut kept)?;
    }
    Ok(kept.finish())
}

fn observe(path: &Path, file: u32, kept: &mut Kept<'_>) -> Result<(), IntersectError> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    // As wide as `GenotypeSet::open`: what is scored on one side is named on the other.
    if ends(&[".bgen"]) {
        kept.observe_table(file, Bgen::open(path, None)?.sites());
    } else if ends(&[".bcf"]) {
        observe_bcf(path, file, kept)?;
    } else if ends(&[".pgen", ".bed"]) {
        observe_table(&Fileset::table_of_variants(path)?, file, kept)?;
    } else if ends(&[".pvar", ".pvar.zst", ".bim", ".vcf", ".vcf.gz", ".vcf.bgz"]) {
        observe_table(path, file, kept)?;
    } else {
        return Err(IntersectError::Form(path.to_owned()));
    }
    Ok(())
}

/// A panel's table may have many times the sites that scores ask for: none but these stay.
fn observe_table(path: &Path, file: u32, kept: &mut Kept<'_>) -> Result<(), IntersectError> {
    let mut variant = 0;
    variants::for_each(path, &mut |contig, position, id, reference, alternates| {
        let site = Site { contig, position: position.into(), id, reference };
        kept.observe(SiteNumber { variant, file }, site, alternates.split(','));
        variant = variant.checked_add(1).ok_or("more than 4,294,967,295 variants")?;
        Ok(())
    })?;
    Ok(())
}

fn observe_bcf(path: &Path, file: u32, kept: &mut Kept<'_>) -> Result<(), IntersectError> {
    let failed = |what: String| IntersectError::Record { path: path.to_owned(), what };
    let mut reader = VariantReader::open(path)?;
    let dictionary = reader.dictionary();
    let mut variant = 0u32;
    while let Some(batch) = reader.next_batch()? {
        let records = batch.records(dictionary.as_deref()).map_err(|problem| failed(problem.to_string()))?;
        for record in &records {
            let contig = String::from_utf8_lossy(record.chrom());
            let id = String::from_utf8_lossy(record.column(Column::Id));
            let reference = String::from_utf8_lossy(record.reference());
            let alternates: Vec<_> = record.alternates().map(String::from_utf8_lossy).collect();
            let site =
                Site { contig: &contig, position: record.position() + 1, id: &id, reference: &reference };
            kept.observe(SiteNumber { variant, file }, site, alternates.iter().map(|allele| &**allele));
            variant =
                variant.checked_add(1).ok_or_else(|| failed("more than 4,294,967,295 variants".into()))?;
        }
    }
    Ok(())
}
