//! One header of several, by the rules of htslib's `bcf_hdr_merge`: what is declared stays, what is not is added.

use std::path::Path;

use super::TogetherError;
use crate::formats::vcf::header::{Header, MetaLine};

/// A header that has nothing but a version.
pub fn empty(version_of: &Header) -> Header {
    let (major, minor) = version_of.version();
    let mut header = Header::default();
    header.set_lines(vec![MetaLine::parse(format!("##fileformat=VCFv{major}.{minor}").as_bytes())]);
    header
}

/// Adds what another header declares and this one does not. Of lines without a structure the key decides: a second file's
/// are left out where the first ones have any of that key. Structured lines without an ID are left out.
pub fn add(header: &mut Header, other: &Header) {
    if other.version() > header.version() {
        let (major, minor) = other.version();
        let newer = format!("##fileformat=VCFv{major}.{minor}");
        header.map_lines(|line| (line.key() == "fileformat").then(|| newer.clone()));
    }
    let known: Vec<String> =
        header.lines().iter().filter(|line| !is_structured(line)).map(|line| line.key().to_owned()).collect();
    for line in other.lines() {
        let is_new = match (is_structured(line), line.get("ID")) {
            (true, id) => id.is_some(),
            (false, _) => !known.iter().any(|key| key == line.key()),
        };
        if is_new {
            header.add_missing(&String::from_utf8_lossy(line.as_bytes()));
        }
    }
}

/// Adds the samples of another file. A name that is there already is an error, or gets the file's number (from 1) and a
/// colon in front, as often as it takes.
///
/// # Errors
/// A name is there already.
pub fn add_samples(
    header: &mut Header,
    other: &Header,
    path: &Path,
    number: usize,
    force: bool,
) -> Result<(), TogetherError> {
    let mut samples = header.samples().to_vec();
    let mut known: std::collections::HashSet<String> = samples.iter().cloned().collect();
    for sample in other.samples() {
        let mut name = sample.clone();
        while known.contains(&name) {
            if !force {
                let what = format!("the sample {name} is in another file, too (--force-samples renames it)");
                return Err(TogetherError::Unlike { path: path.to_owned(), what });
            }
            name = format!("{number}:{name}");
        }
        known.insert(name.clone());
        samples.push(name);
    }
    header.set_samples(samples);
    Ok(())
}

/// Whether two files have the same samples in the same order.
///
/// # Errors
/// They have not.
pub fn same_samples(first: &Header, other: &Header, path: &Path) -> Result<(), TogetherError> {
    if first.samples() == other.samples() {
        return Ok(());
    }
    let what = if first.samples().len() == other.samples().len() {
        "its samples have other names, or another order (to put samples side by side: norn variants merge)"
            .into()
    } else {
        format!(
            "it has {} samples, the first file {} (to put samples side by side: norn variants merge)",
            other.samples().len(),
            first.samples().len()
        )
    };
    Err(TogetherError::Unlike { path: path.to_owned(), what })
}

fn is_structured(line: &MetaLine) -> bool {
    line.as_bytes().get(2 + line.key().len() + 1) == Some(&b'<')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

    #[test]
    fn what_is_missing_is_added_by_the_rules_of_bcf_hdr_merge() {
        let header = |version: &str, lines: &str| {
            Header::parse(format!("##fileformat=VCFv{version}\n{lines}{COLUMNS}\n").as_bytes()).unwrap()
        };
        let mut merged =
            header("4.1", "##source=a\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n");
        let other = header(
            "4.2",
            "##source=b\n##date=1\n##date=2\n##INFO=<ID=DP,Number=1,Type=Float,Description=\"y\">\n\
             ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"z\">\n##ALT=<ID=DEL,Description=\"d\">\n\
             ##PEDIGREE=<Child=a,Mother=b>\n##contig=<ID=1>\n",
        );
        add(&mut merged, &other);
        // As `bcftools concat` of 1.24 writes it for two such files.
        let expected = "##fileformat=VCFv4.2\n##FILTER=<ID=PASS,Description=\"All filters passed\">\n##source=a\n\
            ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n##date=1\n##date=2\n\
            ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"z\">\n##ALT=<ID=DEL,Description=\"d\">\n\
            ##contig=<ID=1>\n";
        assert_eq!(String::from_utf8(merged.to_text()).unwrap(), format!("{expected}{COLUMNS}\n"));
    }
}
