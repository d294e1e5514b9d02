//! Which samples are kept: `-s` and `-S`, as bcftools takes them.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use thiserror::Error;

use crate::formats::text;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::{RecordProblem, Revise};

/// Why samples could not be chosen.
#[derive(Debug, Error)]
pub enum SamplesError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A name is not in the header.
    #[error("the header has no sample {0} (--force-samples passes over it)")]
    Unknown(String),
    /// A name stands twice in the list.
    #[error("the sample {0} is named twice")]
    Twice(String),
}

/// Keeps these samples, in this order.
pub struct SelectSamples(pub Vec<usize>);

impl Revise for SelectSamples {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        record.select_samples(&self.0);
        Ok(true)
    }
}

/// The places of the chosen samples in the header, in the order of the list: `a,b`, or without those of `^a,b`. From a
/// file, one name a line. Names that the header does not have are an error, or passed over and given back.
///
/// # Errors
/// The file cannot be read, or a name is unknown.
pub fn choose(
    header: &Header,
    list: &str,
    is_file: bool,
    force: bool,
) -> Result<(Vec<usize>, Vec<String>), SamplesError> {
    let (is_exclusion, list) = list.strip_prefix('^').map_or((false, list), |rest| (true, rest));
    let names =
        if is_file { lines_of(Path::new(list))? } else { list.split(',').map(str::to_owned).collect() };
    let place = |name: &String| header.samples().iter().position(|sample| sample == name);
    let (mut places, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        match place(&name) {
            Some(place) if places.contains(&place) => return Err(SamplesError::Twice(name)),
            Some(place) => places.push(place),
            None if force => unknown.push(name),
            None => return Err(SamplesError::Unknown(name)),
        }
    }
    if is_exclusion {
        let excluded: HashSet<usize> = places.into_iter().collect();
        places = (0..header.samples().len()).filter(|place| !excluded.contains(place)).collect();
    }
    Ok((places, unknown))
}

/// The first column of each line.
fn lines_of(path: &Path) -> Result<Vec<String>, SamplesError> {
    let failed = |source| SamplesError::Io { path: path.display().to_string(), source };
    let mut reader = text::open(path).map_err(failed)?;
    let (mut line, mut names) = (Vec::new(), Vec::new());
    while text::read_line(&mut *reader, &mut line).map_err(failed)? {
        let name = String::from_utf8_lossy(&line);
        let name = name.split_ascii_whitespace().next().unwrap_or_default();
        if !name.is_empty() {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_order_and_exclusions_the_headers() {
        let header = Header::parse(
            b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n",
        )
        .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list");
        std::fs::write(&path, "c\textra\n\nb\n").unwrap();
        let path = path.to_str().unwrap();
        for (list, is_file, places) in
            [("c,a", false, vec![2, 0]), ("^b", false, vec![0, 2]), (path, true, vec![2, 1])]
        {
            assert_eq!(choose(&header, list, is_file, false).unwrap(), (places, Vec::new()), "{list}");
        }
        assert_eq!(choose(&header, "x,b", false, true).unwrap(), (vec![1], vec!["x".to_owned()]));
        assert!(choose(&header, "x,b", false, false).is_err());
        assert!(choose(&header, "b,b", false, false).is_err());
    }
}
