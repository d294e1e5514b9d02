//! Files of variants to compare on.

use std::path::{Path, PathBuf};

use super::{root, shared_data};

/// A path as a word of a command.
pub fn utf8(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// Those of testdata, and of the shared data the ones that are named.
pub fn variant_files(shared: &[&str]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["trio.truth.vcf.gz", "sites.vcf.gz"].map(|name| root().join("testdata").join(name)).into();
    match shared_data() {
        Some(data) => files.extend(shared.iter().map(|name| data.join("variants").join(name))),
        None => eprintln!("skipped: shared variants (no NORN_SHARED_DATA)"),
    }
    files
}

/// The header, and of the records every n-th, so that at most so many are left.
pub fn thinned(text: &str, most: usize) -> String {
    let records = text.lines().filter(|line| !line.starts_with('#')).count();
    let step = records.div_ceil(most).max(1);
    let mut number = 0;
    let mut is_kept = |line: &&str| {
        number += usize::from(!line.starts_with('#'));
        line.starts_with('#') || number % step == 0
    };
    text.lines().filter(&mut is_kept).map(|line| format!("{line}\n")).collect()
}
