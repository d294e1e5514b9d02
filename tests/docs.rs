//! The documentation says what the binary says.

mod common;

use common::*;

#[test]
fn every_figure_is_documented() {
    let listed = String::from_utf8(norn_ok(&["qc", "--list-figures"]).stdout).expect("UTF-8");
    let documented = std::fs::read_to_string(root().join("docs/qc.md")).expect("docs/qc.md");
    for figure in listed.lines().skip(1) {
        let row = format!("| {} |", figure.replace('|', "\\|").replace('\t', " | "));
        assert!(documented.contains(&row), "docs/qc.md lacks: {row}");
    }
}

#[test]
fn multiqc_reads_the_folder_without_options() {
    let multiqc = root().join("target/venv/bin/multiqc");
    if !multiqc.is_file() {
        assert!(!is_ci(), "multiqc is not installed");
        eprintln!("skipped: multiqc is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let out = directory.path().join("qc");
    let reference = root().join("testdata/genome.fa");
    let thresholds = root().join("examples/thresholds.demo.toml");
    let input = root().join("testdata/child.bam");
    let str = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    norn_ok(&[
        "qc",
        "-q",
        "-r",
        &str(&reference),
        "--by",
        "500",
        "--thresholds",
        &str(&thresholds),
        "-o",
        &str(&out),
        &str(&input),
    ]);
    let report = directory.path().join("report");
    peer(&str(&multiqc), &["--quiet", "-o", &str(&report), &str(&out)]);
    let data = std::fs::read_to_string(report.join("multiqc_data/multiqc_sources.txt")).expect("sources");
    for module in
        ["flagstat", "idxstats", "stats", "AlignmentSummaryMetrics", "GcBias", "InsertSize", "WgsMetrics"]
    {
        assert!(data.contains(module), "MultiQC found no {module}:\n{data}");
    }
}
