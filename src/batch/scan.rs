//! Samples found in a directory instead of a sheet.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use regex::Regex;

use super::problems::Problems;
use super::run_dir::NIGHT;
use super::sheet::{Sample, is_name};

/// Which files are looked for.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Where, and below.
    pub directory: PathBuf,
    /// Names with `*` and `?`; by default BAM, CRAM, VCF and BCF.
    pub patterns: Vec<String>,
    /// Files that were changed since are still being copied.
    pub settled: Duration,
}

/// What names of files end in; the first that fits is cut off for the sample's name.
const ENDINGS: [(&str, bool); 6] = [
    (".bam", true),
    (".cram", true),
    (".vcf.gz", false),
    (".vcf.bgz", false),
    (".vcf", false),
    (".bcf", false),
];

/// Directories in directories that are followed.
const DEPTH: usize = 8;

impl Scan {
    /// Finds samples, sorted by name; files of one name are one sample's. Also tells how many files are not settled yet.
    ///
    /// # Errors
    /// The directory cannot be read, or has no such file; a pattern is none, two files claim to be the same.
    pub fn run(&self) -> Result<(Vec<Sample>, usize), Problems> {
        let mut problems = Problems::new();
        let default = ENDINGS.iter().map(|(ending, _)| format!("*{ending}")).collect();
        let names = if self.patterns.is_empty() { &default } else { &self.patterns };
        let patterns: Vec<Regex> = names.iter().filter_map(|pattern| as_regex(pattern)).collect();
        let directory = std::path::absolute(&self.directory).unwrap_or_else(|_| self.directory.clone());
        let mut files = Vec::new();
        walk(&directory, DEPTH, &mut files, &mut problems);
        files.sort();
        let mut samples: BTreeMap<String, Sample> = BTreeMap::new();
        let mut unsettled = 0;
        for path in files {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !patterns.iter().any(|pattern| pattern.is_match(name)) {
                continue;
            }
            let Some((ending, is_alignment)) = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending))
            else {
                problems.file(&path, "it is neither BAM, CRAM, VCF nor BCF by its name");
                continue;
            };
            if !self.is_settled(&path) {
                unsettled += 1;
                continue;
            }
            let stem = &name[..name.len() - ending.len()];
            if !is_name(stem) {
                problems.file(&path, "its name is no name of letters, digits, dots, hyphens and underscores");
                continue;
            }
            let sample = samples.entry(stem.to_owned()).or_insert_with(|| Sample {
                name: stem.to_owned(),
                patient: stem.to_owned(),
                ..Sample::default()
            });
            let before = if *is_alignment { sample.alignments.first() } else { sample.variants.as_ref() };
            if let Some(before) = before {
                problems.file(&path, format_args!("{} has the same sample's name", before.display()));
            } else if *is_alignment {
                sample.alignments.push(path);
            } else {
                sample.variants = Some(path);
            }
        }
        if samples.is_empty() && unsettled == 0 {
            let what = format_args!("there is no file {} in it: is the file system there?", names.join(", "));
            problems.file(&directory, what);
        }
        problems.or((samples.into_values().collect(), unsettled))
    }

    fn is_settled(&self, path: &Path) -> bool {
        // A time ahead of our clock was set by a copy: nobody writes in the future.
        let age = |time: SystemTime| SystemTime::now().duration_since(time).unwrap_or(Duration::MAX);
        fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|time| age(time) >= self.settled)
    }
}

fn walk(directory: &Path, depth: usize, files: &mut Vec<PathBuf>, problems: &mut Problems) {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            problems.file(directory, error);
            return;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match fs::metadata(&path) {
            // Results of a night are no samples of another.
            Ok(metadata) if metadata.is_dir() && path.join(NIGHT).is_file() => {}
            Ok(metadata) if metadata.is_dir() && depth > 0 => walk(&path, depth - 1, files, problems),
            Ok(metadata) if metadata.is_file() => files.push(path),
            _ => {}
        }
    }
}

/// `*` and `?` as the shell has them.
fn as_regex(pattern: &str) -> Option<Regex> {
    let mut text = String::from("^");
    for c in pattern.chars() {
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            c => text.push_str(&regex::escape(&c.to_string())),
        }
    }
    Regex::new(&(text + "$")).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_one_sample() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("run1/.hidden")).unwrap();
        for name in ["run1/A.bam", "run1/A.bam.bai", "A.vcf.gz", "B.cram", "notes.txt", "run1/.hidden/C.bam"]
        {
            fs::write(directory.path().join(name), b"x").unwrap();
        }
        let scan = |patterns: &[&str], settled| Scan {
            directory: directory.path().to_owned(),
            patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
            settled: Duration::from_secs(settled),
        };
        // A run directory is passed over, and a directory of nothing is a file system that is not there.
        fs::create_dir_all(directory.path().join("night/samples")).unwrap();
        fs::write(directory.path().join("night/night.json"), b"{}").unwrap();
        fs::write(directory.path().join("night/samples/A.vcf.gz"), b"x").unwrap();
        assert!(
            scan(&["*.nothing"], 0)
                .run()
                .unwrap_err()
                .to_string()
                .contains("there is no file *.nothing in it")
        );
        let (samples, unsettled) = scan(&[], 0).run().unwrap();
        let names: Vec<_> =
            samples.iter().map(|s| (s.name.as_str(), s.alignments.len(), s.variants.is_some())).collect();
        assert_eq!((names, unsettled), (vec![("A", 1, true), ("B", 1, false)], 0));
        assert_eq!(scan(&["?.c*m"], 0).run().unwrap().0.len(), 1);
        assert_eq!(scan(&[], 3600).run().unwrap(), (Vec::new(), 3));
        fs::write(directory.path().join("B.bam"), b"x").unwrap();
        assert!(scan(&[], 0).run().unwrap_err().to_string().contains("the same sample's name"));
        assert!(scan(&["*.txt"], 0).run().unwrap_err().to_string().contains("notes.txt"));
    }
}
