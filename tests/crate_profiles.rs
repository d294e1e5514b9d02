//! The RO-Crate of a night holds to the profiles that it names, by the validator of the profiles.

mod common;

use std::fs;
use std::process::Command;

use common::*;

/// Recommendations that a night cannot follow, and why.
const NOT_FOLLOWED: [(&str, &str); 6] = [
    ("process-run-crate-0.5_3.2", "norn has no address that it could tell"),
    ("process-run-crate-0.5_5.1", "for the same reason"),
    ("ro-crate-1.1_31.2", "nor has the institution, which the crate does not name"),
    ("workflow-ro-crate-1.0_6.1", "there is no README.md"),
    ("workflow-ro-crate-1.0_6.2", "there is no README.md"),
    ("workflow-ro-crate-1.0_8.1", "batch.toml has no creator to name, which Bioschemas' profile asks for"),
];

#[test]
fn a_night_is_a_workflow_run_crate() {
    let python = root().join("target/checks-venv/bin/python3");
    if !python.is_file() {
        assert!(!is_ci(), "roc-validator is not installed");
        eprintln!("skipped: roc-validator is not installed (.ci/setup.sh test)");
        return;
    }
    let directory = tempfile::tempdir().expect("directory");
    let [config, samples, night] =
        ["batch.toml", "samples.tsv", "night"].map(|name| directory.path().join(name));
    let testdata = root().join("testdata");
    let calls = directory.path().join("child.vcf.gz");
    let str = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    norn_ok(&[
        "variants",
        "view",
        "--quiet",
        "-s",
        "child",
        "-Oz",
        "-o",
        &str(&calls),
        &str(&testdata.join("trio.truth.vcf.gz")),
    ]);
    let text = format!(
        "reference = \"{0}/genome.fa\"\nsteps = [\"qc\", \"variants\", \"annotate\", \"prs\"]\n\
         [variants]\nchain = \"{1}/chain.toml\"\n[annotate]\ngff = \"{0}/genes.gff3\"\n\
         [prs]\nscores = [\"{1}/made-score.txt\"]\noptions = [\"--build\", \"GRCh38\"]\n",
        testdata.display(),
        root().join("examples/demo").display(),
    );
    fs::write(&config, text).expect("settings");
    let sheet = format!(
        "sample\tbam\tvcf\nchild\t{0}/child.bam\t{1}\nfather\t{0}/father.bam\t\n",
        testdata.display(),
        calls.display()
    );
    fs::write(&samples, sheet).expect("sheet");
    norn_ok(&["batch", "run", "-q", "-c", &str(&config), "-s", &str(&samples), "-o", &str(&night)]);
    norn_ok(&["batch", "report", "-o", &str(&night)]);
    let validate = |profile: &str, severity: &str| {
        let output = Command::new(&python)
            .arg(root().join("tests/crate_profiles.py"))
            .args([&night, std::path::Path::new(profile), std::path::Path::new(severity)])
            .output()
            .expect("python starts");
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
        assert!(out.contains(" checks, "), "{out}{err}");
        (output.status.success(), out)
    };
    for profile in
        ["ro-crate-1.1", "process-run-crate-0.5", "workflow-ro-crate-1.0", "workflow-run-crate-0.5"]
    {
        let (is_valid, said) = validate(profile, "REQUIRED");
        assert!(is_valid, "{said}");
    }
    let (_, said) = validate("workflow-run-crate-0.5", "RECOMMENDED");
    for issue in said.lines().filter(|line| line.starts_with("RE")) {
        let check = issue.split([' ', ':']).nth(1).expect("a check");
        assert!(NOT_FOLLOWED.iter().any(|(name, _)| *name == check), "{issue}");
    }
    // The validator finds what is wrong.
    let metadata = night.join("ro-crate-metadata.json");
    let text = fs::read_to_string(&metadata).expect("metadata");
    let broken = text.replacen("\"mainEntity\"", "\"mainEntities\"", 1);
    assert_ne!(text, broken);
    fs::write(&metadata, broken).expect("metadata");
    assert!(!validate("workflow-run-crate-0.5", "REQUIRED").0);
}
