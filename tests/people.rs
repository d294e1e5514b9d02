//! Who the reads are of: contamination against the truth of simulated samples, relations against pedigrees.

mod common;

use std::path::{Path, PathBuf};

use common::*;

/// Runs `norn qc` at sites; the folder.
fn at_sites(reference: &Path, sites: &Path, tag: &str, inputs: &[PathBuf]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("temporary directory");
    let str = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let mut arguments = ["qc", "-q", "--collectors", "sites", "--sites-af", tag].map(str::to_owned).to_vec();
    arguments.extend([
        "-o".into(),
        str(directory.path()),
        "-r".into(),
        str(reference),
        "--sites".into(),
        str(sites),
    ]);
    arguments.extend(inputs.iter().map(|input| str(input)));
    norn_ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    directory
}

/// The shared simulated people at gnomAD's sites.
fn shared(names: &[&str]) -> Option<tempfile::TempDir> {
    let Some(data) = shared_data() else {
        eprintln!("skipped: shared people (no NORN_SHARED_DATA)");
        return None;
    };
    let inputs: Vec<_> = names.iter().map(|name| data.join("alignments").join(name)).collect();
    let reference = data.join("genome/GRCh38.chr21.slices.fa.gz");
    Some(at_sites(&reference, &data.join("annotate/gnomad.chr21.vcf.gz"), "EUR_AF", &inputs))
}

/// The file of a folder that ends so.
fn file(directory: &Path, ending: &str) -> PathBuf {
    let mut entries =
        std::fs::read_dir(directory).expect("directory").map(|entry| entry.expect("entry").path());
    entries.find(|path| path.to_string_lossy().ends_with(ending)).expect("file")
}

#[test]
fn contamination_is_near_the_truth() {
    // The truth is the simulation's: none, and 6 % of another person. Sites of one small region are few and go together,
    // which the standard error counts.
    for (name, truth) in [("NO_child.bam", 0.0), ("NO_contam.cram", 0.06)] {
        let Some(results) = shared(&[name]) else { return };
        let table = text(&file(results.path(), ".contamination.tsv"));
        let row: Vec<&str> = table.lines().nth(1).expect("row").split('\t').collect();
        let (share, error): (f64, f64) = (row[1].parse().expect("share"), row[2].parse().expect("error"));
        assert!((share - truth).abs() <= 3.0 * error, "{name}: {table}");
        assert!(error < 0.005, "{name}: {table}");
    }
}

#[test]
fn relations_of_trios_are_found() {
    let testdata = |name: &str| root().join("testdata").join(name);
    let ours = at_sites(
        &testdata("genome.fa"),
        &testdata("sites.vcf.gz"),
        "AF",
        &["father.bam", "mother.bam", "child.bam"].map(testdata),
    );
    let shared = shared(&["NO_father.cram", "NO_mother.cram", "NO_child.bam"]);
    for results in [Some(ours), shared].into_iter().flatten() {
        let mut prints: Vec<PathBuf> = std::fs::read_dir(results.path())
            .expect("directory")
            .map(|entry| entry.expect("entry").path())
            .filter(|path| path.to_string_lossy().ends_with(".fingerprint.vcf.gz"))
            .collect();
        prints.sort();
        let mut arguments = vec!["relate"];
        arguments.extend(prints.iter().map(|path| path.to_str().expect("UTF-8")));
        let table = String::from_utf8(norn_ok(&arguments).stdout).expect("UTF-8");
        let mut lines = table.lines();
        let head: Vec<&str> = lines.next().expect("head").split('\t').collect();
        let relation = head.iter().position(|name| *name == "relation").expect("relation");
        for line in lines {
            let row: Vec<&str> = line.split('\t').collect();
            let has_child = row[..2].iter().any(|name| name.to_lowercase().contains("child"));
            let expected = if has_child { "parent-child" } else { "unrelated" };
            assert_eq!(row[relation], expected, "{table}");
        }
    }
}
