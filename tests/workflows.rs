//! The pipelines of workflows/ do what the commands of norn do.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::*;

/// A program of a Python environment below target/, which .ci/setup.sh makes.
fn of_environment(environment: &str, program: &str) -> Option<PathBuf> {
    let path = root().join("target").join(environment).join("bin").join(program);
    if !path.is_file() {
        assert!(!is_ci(), "{program} is not installed");
        eprintln!("skipped: {program} is not installed (.ci/setup.sh test)");
        return None;
    }
    Some(path)
}

fn str(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// A sheet of the sample trio with each one's own calls; the settings of the pipeline.
fn settings(directory: &Path) -> Vec<String> {
    let mut sheet = String::from("patient\tsample\tsex\tbam\tvcf\n");
    for (sample, sex) in [("child", "XX"), ("father", "XY"), ("mother", "XX")] {
        let calls = format!("{sample}.vcf.gz");
        let output = str(&directory.join(&calls));
        let truth = str(&root().join("testdata/trio.truth.vcf.gz"));
        norn_ok(&["variants", "view", "--quiet", "-s", sample, "-Oz", "-o", &output, &truth]);
        let reads = root().join("testdata").join(format!("{sample}.bam"));
        sheet += &format!("trio\t{sample}\t{sex}\t{}\t{calls}\n", reads.display());
    }
    fs::write(directory.join("samples.tsv"), sheet).expect("sheet");
    let file = |name: &str| str(&root().join(name));
    vec![
        format!("norn={}", env!("CARGO_BIN_EXE_norn")),
        format!("samples={}", str(&directory.join("samples.tsv"))),
        format!("reference={}", file("testdata/genome.fa")),
        format!("sites={}", file("testdata/sites.vcf.gz")),
        format!("thresholds={}", file("examples/thresholds.demo.toml")),
        format!("ped={}", file("testdata/trio.ped")),
        format!("gff={}", file("testdata/genes.gff3")),
        format!("genotypes=[{}]", file("testdata/panel/cohort.vcf.gz")),
        format!("scores=[{}]", file("testdata/panel")),
    ]
}

fn snakemake(program: &Path, profile: &str, directory: &Path, settings: &[String], more: &[&str]) -> Output {
    let flow = root().join("workflows/snakemake");
    let output = Command::new(program)
        .arg("--snakefile")
        .arg(flow.join("Snakefile"))
        .arg("--profile")
        .arg(flow.join("profiles").join(profile))
        .arg("--directory")
        .arg(directory)
        .args(more)
        .arg("--config")
        .args(settings)
        .env("XDG_CACHE_HOME", directory.join("cache"))
        .output()
        .expect("snakemake starts");
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "snakemake {profile}:\n{out}{err}");
    output
}

/// The bytes of all files below a directory, but run files, which hold times.
fn tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.expect("entry").path();
            let name = str(path.strip_prefix(directory).expect("below it"));
            if path.is_dir() {
                left.push(path);
            } else if !name.ends_with("run.json") && !name.ends_with(".snakemake_timestamp") {
                files.insert(name, fs::read(&path).expect("file"));
            }
        }
    }
    files
}

/// The commands of the pipeline, typed by hand.
fn by_hand(directory: &Path, calls: &Path, chain: Option<&str>) {
    let file = |name: &str| str(&root().join(name));
    let [reference, sites, ped] =
        ["testdata/genome.fa", "testdata/sites.vcf.gz", "testdata/trio.ped"].map(file);
    let norn = |expected: i32, words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_norn"))
            .current_dir(directory)
            .args(words)
            .output()
            .expect("norn");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected), "norn {words:?}: {said}");
    };
    for name in ["results/variants", "results/stats", "results/annotated"] {
        fs::create_dir_all(directory.join(name)).expect("directory");
    }
    norn(
        0,
        &["db", "genes", "--gff", &file("testdata/genes.gff3"), "-r", &reference, "-o", "results/genes.ndb"],
    );
    for sample in ["child", "father", "mother"] {
        let (thresholds, reads) =
            (file("examples/thresholds.demo.toml"), file(&format!("testdata/{sample}.bam")));
        let qc = format!("results/qc/{sample}");
        // 0: all three are within the thresholds of the demo.
        norn(
            0,
            &[
                "qc",
                "-q",
                "-r",
                &reference,
                "--sites",
                &sites,
                "--thresholds",
                &thresholds,
                "-o",
                &qc,
                &reads,
            ],
        );
        let calls = str(&calls.join(format!("{sample}.vcf.gz")));
        let ready = format!("results/variants/{sample}.vcf.gz");
        let output = ["-f", &reference, "-W", "-Oz", "-o", &ready];
        match chain {
            Some(chain) => {
                norn(0, &[&["variants", "run", "--quiet"], &output[..], &[chain, &calls]].concat())
            }
            None => norn(0, &[&["variants", "norm", "--quiet", "-m-"], &output[..], &[&calls]].concat()),
        }
        let stats = format!("results/stats/{sample}.txt");
        norn(0, &["variants", "stats", "--quiet", "-F", &reference, "-s", "-", "-o", &stats, &ready]);
        let annotated = format!("results/annotated/{sample}.vcf.gz");
        let genes = ["-r", &reference, "--genes", "results/genes.ndb", "-W", "-Oz", "-o", &annotated];
        norn(0, &[&["annotate", "--quiet"], &genes[..], &[&ready]].concat());
    }
    let fingerprints = ["child", "father", "mother"]
        .map(|sample| format!("results/qc/{sample}/{sample}.fingerprint.vcf.gz"));
    let mut words = vec!["relate", "--ped", &ped, "-o", "results/relate"];
    words.extend(fingerprints.iter().map(String::as_str));
    norn(0, &words);
    let [genotypes, scores] = ["testdata/panel/cohort.vcf.gz", "testdata/panel"].map(file);
    norn(
        0,
        &[
            "prs",
            "score",
            "--genotypes",
            &genotypes,
            "--scores",
            &scores,
            "--build",
            "GRCh38",
            "-o",
            "results/prs",
        ],
    );
}

#[test]
fn snakemake_gives_what_the_commands_give() {
    let Some(program) = of_environment("snakemake-venv", "snakemake") else { return };
    let directory = tempfile::tempdir().expect("directory");
    let mut settings = settings(directory.path());
    let chain = str(&root().join("examples/demo/chain.toml"));
    for (name, chain) in [("norm", None), ("chain", Some(chain.as_str()))] {
        settings.extend(chain.map(|chain| format!("chain={chain}")));
        let [flow, hand] = ["flow", "hand"].map(|side| directory.path().join(format!("{name}-{side}")));
        fs::create_dir_all(&hand).expect("directory");
        snakemake(&program, "local", &flow, &settings, &["--cores", "2", "--quiet", "all"]);
        by_hand(&hand, directory.path(), chain);
        let [theirs, ours] = [&flow, &hand].map(|side| tree(&side.join("results")));
        assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>(), "{name}: files");
        for (file, bytes) in &ours {
            assert!(theirs[file] == *bytes, "{name}: {file} differs");
        }
        // A finished pipeline has nothing to do.
        let again = snakemake(&program, "local", &flow, &settings, &["--cores", "2", "--dry-run"]);
        let said =
            String::from_utf8_lossy(&again.stdout).into_owned() + &String::from_utf8_lossy(&again.stderr);
        assert!(said.contains("Nothing to be done"), "{said}");
    }
}

#[test]
fn each_job_has_its_share_under_slurm() {
    let Some(program) = of_environment("snakemake-venv", "snakemake") else { return };
    let directory = tempfile::tempdir().expect("directory");
    let settings = settings(directory.path());
    let chain = format!("chain={}", str(&root().join("examples/demo/chain.toml")));
    for (settings, changed) in [(settings.clone(), "norm"), ([settings, vec![chain]].concat(), "chain")] {
        // A dry run bounds threads by the cores of this machine, jobs of Slurm do not.
        let output = snakemake(
            &program,
            "slurm",
            &directory.path().join("flow"),
            &settings,
            &["--dry-run", "--cores", "64"],
        );
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let jobs: Vec<&str> = said.split("\n\n").collect();
        for (rule, count, threads, memory, minutes) in [
            ("qc", 3, 8, 4000, 120),
            (changed, 3, 4, 2000, 60),
            ("annotate", 3, 8, 6000, 120),
            ("prs", 1, 16, 16000, 240),
            ("genes", 1, 1, 4000, 30),
            ("relate", 1, 1, 1000, 30),
            ("stats", 3, 1, 1000, 30),
        ] {
            let of_rule: Vec<&&str> =
                jobs.iter().filter(|job| job.contains(&format!("rule {rule}:\n"))).collect();
            assert_eq!(of_rule.len(), count, "{rule}:\n{said}");
            for job in of_rule {
                for wanted in
                    [format!("mem_mb={memory},"), format!("runtime={minutes}"), "slurm_account=".into()]
                {
                    assert!(job.contains(&wanted), "{rule}: no {wanted}:\n{job}");
                }
                assert!(
                    threads == 1 || job.contains(&format!("threads: {threads}\n")),
                    "{rule}: threads\n{job}"
                );
            }
        }
    }
}

#[test]
fn nextflow_modules_say_what_they_do_and_do_it() {
    let Some(python) = of_environment("checks-venv", "python3") else { return };
    let script = root().join("tests/nextflow.py");
    let output =
        Command::new(python).arg(script).arg(env!("CARGO_BIN_EXE_norn")).output().expect("python starts");
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{out}{err}");
}

#[test]
fn easybuild_reads_the_easyconfig_with_every_crate() {
    let Some(python) = of_environment("checks-venv", "python3") else { return };
    let directory = tempfile::tempdir().expect("directory");
    let output =
        Command::new("python3").arg(root().join("slurm/packaging/easyconfig.py")).output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = directory.path().join("norn-0.1.0-foss-2025b.eb");
    fs::write(&file, output.stdout).expect("easyconfig");
    let output = Command::new(python)
        .arg(root().join("tests/easyconfig.py"))
        .arg(&file)
        .env("HOME", directory.path())
        .output()
        .expect("python starts");
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{out}{err}");
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let crates = lock.matches("\nchecksum = ").count();
    // The archive of norn itself has no checksum, but a place among them.
    assert_eq!(out.lines().last(), Some(format!("{crates} {} 7", crates + 1).as_str()), "{out}");
    let version = format!("version = '{}'", env!("CARGO_PKG_VERSION"));
    let text = fs::read_to_string(&file).expect("easyconfig");
    assert!(text.contains(&version), "the easyconfig is of another version");
}
