//! bcftools 1.24 as pysam bundles it: many commands in one process.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{is_ci, root};

/// A command and where its standard output goes.
#[derive(Clone, Debug)]
pub struct Job {
    /// The words, the subcommand first.
    pub words: Vec<String>,
    /// The file.
    pub out: PathBuf,
}

/// The Python that has pysam; `None`, said by name, where there is none. CI must have it.
pub fn python() -> Option<PathBuf> {
    let python = root().join("target/venv/bin/python3");
    let has_pysam = python.is_file()
        && Command::new(&python)
            .args(["-c", "import pysam"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success());
    assert!(has_pysam || !is_ci(), "pysam is not installed");
    if !has_pysam {
        eprintln!("skipped: bcftools of pysam (make test installs it)");
    }
    has_pysam.then_some(python)
}

/// Runs all jobs, plugins by Debian's bcftools; for each what went wrong, if something did. What a plugin gives comes as
/// BCF and is printed by pysam's, because Debian's rounds ties up.
pub fn run(python: &Path, jobs: &[Job]) -> Vec<Option<String>> {
    let is_plugin = |job: &Job| job.words[0].starts_with('+');
    let mut plugins = Vec::new();
    let mut printed = Vec::new();
    for job in jobs {
        if is_plugin(job) {
            let binary = job.out.with_extension("bcf");
            plugins.push(run_plugin(job, &binary));
            let file = binary.to_str().expect("UTF-8").to_owned();
            printed
                .push(Job { words: vec!["view".into(), "--no-version".into(), file], out: job.out.clone() });
        } else {
            printed.push(job.clone());
        }
    }
    let mut plugins = plugins.into_iter();
    let mut results = run_in_one(python, &printed);
    for (job, result) in jobs.iter().zip(&mut results) {
        if is_plugin(job)
            && let Some(error) = plugins.next().flatten()
        {
            *result = Some(error);
        }
    }
    results
}

fn run_plugin(job: &Job, binary: &Path) -> Option<String> {
    let mut words = job.words.clone();
    words.splice(1..1, ["-Ou".to_owned(), "-o".to_owned(), binary.to_str().expect("UTF-8").to_owned()]);
    let output = Command::new("bcftools").args(&words).output().expect("bcftools starts");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn run_in_one(python: &Path, jobs: &[Job]) -> Vec<Option<String>> {
    let mut child = Command::new(python)
        .arg(root().join("tests/bcftools.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python starts");
    let mut input = child.stdin.take().expect("piped");
    let lines: String =
        jobs.iter().map(|job| serde_json::json!([job.words, job.out]).to_string() + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("python runs");
    let _ = writer.join();
    let results: Vec<Option<String>> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(results.len(), jobs.len(), "bcftools of pysam ended early at {:?}", jobs.get(results.len()));
    results
}
