//! What concat, isec and merge share: their files, and which of their records.

use std::path::{Path, PathBuf};

use clap::Args;

use super::streams;
use crate::cli::qc::UsageError;
use crate::formats::text;
use crate::variants::regions::{Overlap, Regions, Source};
use crate::variants::together::TogetherError;
use crate::variants::together::input::{self, Input, Sieve};

/// Several files, and regions of them.
#[derive(Debug, Args)]
pub struct SeveralArguments {
    /// VCF or BCF, plain, gzipped or BGZF
    #[arg(value_name = "A.vcf.gz B.vcf.gz ...")]
    files: Vec<PathBuf>,

    /// Only these regions, through the indices: chr, chr:pos, chr:from-to, chr:from-
    #[arg(short, long, value_name = "REGION,...")]
    regions: Option<String>,

    /// Only the regions of a file: BED, or contig, start and end as in VCF
    #[arg(short = 'R', long, value_name = "FILE", conflicts_with = "regions")]
    regions_file: Option<PathBuf>,

    /// A record is in a region if its POS is (0, pos), any of its bases (1, record), or a changed one (2, variant)
    #[arg(long, value_name = "0|1|2", default_value = "1")]
    regions_overlap: Overlap,
}

impl SeveralArguments {
    /// The files that are named, and those that a list names, one a line.
    pub fn paths(&self, list: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
        let mut paths = self.files.clone();
        if let Some(list) = list {
            paths.extend(listed(list)?);
        }
        if paths.is_empty() {
            return Err(UsageError::new("name the files, or a list of them".into()).into());
        }
        Ok(paths)
    }

    /// Whether regions are asked for.
    pub fn has_regions(&self) -> bool {
        self.regions.is_some() || self.regions_file.is_some()
    }

    /// The regions, if some are asked for.
    pub fn sieve(&self) -> anyhow::Result<Sieve> {
        let source = match (&self.regions, &self.regions_file) {
            (Some(list), _) => Some(Source::List(list)),
            (_, Some(path)) => Some(Source::File(path)),
            _ => None,
        };
        let regions = source.map(Regions::read).transpose()?;
        Ok(Sieve { regions: regions.map(|regions| (regions, self.regions_overlap)), ..Sieve::default() })
    }
}

/// The files that a list names, one a line.
pub fn listed(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut reader =
        text::open(list).map_err(|error| UsageError::new(format!("{}: {error}", list.display())))?;
    let (mut paths, mut line) = (Vec::new(), Vec::new());
    while text::read_line(&mut *reader, &mut line)? {
        let name = String::from_utf8_lossy(&line);
        let name = name.trim_end();
        if !name.is_empty() {
            paths.push(PathBuf::from(name));
        }
    }
    Ok(paths)
}

/// Opens files; for BCF output their headers declare what their first records have.
pub fn open(paths: &[PathBuf], is_bcf: bool) -> anyhow::Result<Vec<Input>> {
    let mut inputs = input::open(paths).map_err(plain)?;
    for input in inputs.iter_mut().filter(|_| is_bcf) {
        let mut header = input.header().clone();
        let path = input.path().to_owned();
        streams::declare_tags(&path, input.reader_mut(), &mut header)?;
        *input.header_mut() = header;
    }
    Ok(inputs)
}

/// The error that says how the command ends.
pub fn plain(error: TogetherError) -> anyhow::Error {
    match error {
        TogetherError::Pipeline(error) => error.into(),
        TogetherError::Option(what) => UsageError::new(what).into(),
        error => error.into(),
    }
}
