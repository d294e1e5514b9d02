//! `norn variants run`: a chain gives what its steps give one after another, ours and bcftools', and its ledger adds up.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::bcftools::{self, Job};
use common::variant_files::utf8;
use common::*;

/// A chain for any calls with QUAL and GT.
const CHAIN: &str = r#"
[[step]]
do = "check-ref"
mode = "x"
[[step]]
do = "split"
[[step]]
do = "left-align"
[[step]]
do = "dedup"
[[step]]
do = "set-gt"
target = "./x"
new = "."
[[step]]
do = "fill-tags"
tags = "AN,AC,AF,NS,HWE,ExcHet"
[[step]]
do = "filter"
name = "LowQual"
exclude = "QUAL<30"
mode = "+"
[[step]]
do = "exclude"
expression = "AC=0"
"#;

/// The same steps as commands; `R` is the reference. bcftools checks REF only where it aligns; that all is aligned again
/// after the split makes it one. bcftools' exact duplicates are `-d exact`.
const STEPS: [&str; 8] = [
    "norm -c x -f R",
    "norm -m -any",
    "norm -f R",
    "norm -d exact",
    "+setGT {} -- -t ./x -n .",
    "+fill-tags {} -- -t AN,AC,AF,NS,HWE,ExcHet",
    "filter -e QUAL<30 -s LowQual -m +",
    "view -e AC=0",
];

/// Calls with their reference.
fn inputs() -> Vec<(PathBuf, PathBuf)> {
    let testdata = root().join("testdata");
    let mut inputs = vec![(testdata.join("trio.truth.vcf.gz"), testdata.join("genome.fa"))];
    match shared_data() {
        Some(data) => {
            let reference = data.join("genome/GRCh38.chr21.slices.fa.gz");
            inputs.push((data.join("variants/NO.bcftools.vcf.gz"), reference.clone()));
            inputs.push((data.join("variants/NO.freebayes.vcf.gz"), reference));
        }
        None => eprintln!("skipped: shared calls (no NORN_SHARED_DATA)"),
    }
    inputs
}

/// The words of a step with its input and reference.
fn words(step: &str, input: &Path, reference: &Path) -> Vec<String> {
    let mut words: Vec<String> = step
        .split(' ')
        .map(|word| match word {
            "R" => utf8(reference),
            "{}" => utf8(input),
            word => word.to_owned(),
        })
        .collect();
    words.insert(1, "--no-version".to_owned());
    if !step.contains("{}") {
        words.push(utf8(input));
    }
    words
}

struct Ran {
    records: String,
    ledger: Vec<Vec<String>>,
}

fn run(chain: &Path, input: &Path, reference: &Path, threads: &str, directory: &Path) -> Ran {
    let out = directory.join(format!("chain.{threads}.vcf.gz"));
    let (chain, reference, input, path) = (utf8(chain), utf8(reference), utf8(input), utf8(&out));
    norn_ok(&[
        "variants",
        "run",
        "--no-version",
        "--quiet",
        "--threads",
        threads,
        "-W",
        "-f",
        &reference,
        "-o",
        &path,
        &chain,
        &input,
    ]);
    let table = fs::read_to_string(format!("{path}.ledger.tsv")).expect("ledger");
    let ledger = table.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    assert!(
        Path::new(&format!("{path}.csi")).is_file() && Path::new(&format!("{path}.ledger.json")).is_file()
    );
    Ran { records: without_comments(&text(&out)), ledger }
}

#[test]
fn a_chain_is_its_steps_one_after_another() {
    let python = has("bcftools").then(bcftools::python).flatten();
    for (input, reference) in inputs() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let directory = directory.path();
        let chain = directory.join("chain.toml");
        fs::write(&chain, CHAIN).expect("chain");
        // Numbers as bcftools prints them, and here and there a REF that is not the reference's.
        let first = directory.join("in.vcf");
        if has("bcftools") {
            peer("bcftools", &["view", "--no-version", "-o", &utf8(&first), &utf8(&input)]);
        } else {
            fs::write(&first, text(&input)).expect("input");
        }
        fs::write(&first, with_wrong_references(&text(&first))).expect("input");
        let in_one = run(&chain, &first, &reference, "1", directory);
        for threads in ["2", "3", "7"] {
            let again = run(&chain, &first, &reference, threads, directory);
            assert_eq!(difference(&in_one.records, &again.records), None, "{threads} threads");
            assert_eq!(in_one.ledger, again.ledger, "{threads} threads");
        }

        let (mut ours, mut counts) = (first.clone(), vec![records(&first)]);
        for (number, step) in STEPS.iter().enumerate() {
            let out = directory.join(format!("ours.{number}.vcf"));
            let words = words(step, &ours, &reference);
            let arguments = ["variants".to_owned()].into_iter().chain(words);
            let arguments: Vec<String> = arguments.collect();
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let out_name = utf8(&out);
            arguments.splice(2..2, ["--quiet", "-o", &out_name]);
            norn_ok(&arguments);
            counts.push(records(&out));
            ours = out;
        }
        let name = input.display();
        assert_eq!(difference(&without_comments(&text(&ours)), &in_one.records), None, "{name}: our steps");
        assert!(counts.last() > Some(&100), "{name}: {counts:?}");

        assert!(counts[1] < counts[0], "{name}: records whose REF does not fit go");
        // What one step gives the next takes, and each account adds up.
        for (number, row) in in_one.ledger.iter().enumerate() {
            let of = |column: usize| row[column].parse::<usize>().expect("a count");
            assert_eq!((of(2), of(3)), (counts[number], counts[number + 1]), "{name}: {row:?}");
            assert_eq!(of(2) - of(5) + of(6), of(3), "{name}: {row:?}");
        }

        let Some(python) = &python else { continue };
        let mut theirs = first;
        for (number, step) in STEPS.iter().enumerate() {
            let out = directory.join(format!("theirs.{number}.vcf"));
            let job = Job { words: words(step, &theirs, &reference), out: out.clone() };
            assert_eq!(bcftools::run(python, &[job]), [None], "{name}: {step}");
            theirs = out;
        }
        assert_eq!(difference(&without_comments(&text(&theirs)), &in_one.records), None, "{name}: bcftools");
    }
}

/// Another base than the reference's in every 100th line, where REF is one base.
fn with_wrong_references(text: &str) -> String {
    let changed = text.lines().enumerate().map(|(number, line)| {
        let mut columns: Vec<&str> = line.split('\t').collect();
        if !line.starts_with('#') && number % 100 == 0 && columns[3].len() == 1 {
            columns[3] = if columns[3] == "A" { "C" } else { "A" };
        }
        columns.join("\t") + "\n"
    });
    changed.collect()
}

fn records(path: &Path) -> usize {
    text(path).lines().filter(|line| !line.starts_with('#')).count()
}

#[test]
fn examples_are_chains() {
    for name in ["variants-chain", "gatk-snp-indel", "dragen", "deepvariant"] {
        let path = utf8(&root().join(format!("examples/{name}.toml")));
        let explained = norn_ok(&["variants", "run", "--explain", &path]).stdout;
        let steps = String::from_utf8_lossy(&explained).matches("reads ").count();
        assert_eq!(steps, fs::read_to_string(&path).expect("example").matches("[[step]]").count(), "{name}");
    }
}

#[test]
fn a_bad_chain_is_told_in_a_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let input = utf8(&root().join("testdata/trio.truth.vcf.gz"));
    for (text, what) in [
        ("", "no [[step]]"),
        ("[[step]]\ndo = \"nothing\"\n", "line 2"),
        ("[[step]]\ndo = \"split\"\nwich = \"any\"\n", "wich"),
        ("[[step]]\ndo = \"left-align\"\n", "step 1 (left-align): it needs a reference"),
        ("[[step]]\ndo = \"split\"\n[[step]]\ndo = \"include\"\nexpression = \"XX>1\"\n", "step 2 (include)"),
        ("[[step]]\ndo = \"filter\"\nname = \"a\"\n", "give include or exclude"),
        ("[[step]]\ndo = \"fill-tags\"\ntags = \"ZZ\"\n", "ZZ"),
    ] {
        let path = directory.path().join("chain.toml");
        fs::write(&path, text).expect("chain");
        let output = norn(&["variants", "run", "--quiet", &utf8(&path), &input]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(3) && error.lines().count() == 1 && error.contains(what),
            "{text}: {error}"
        );
        assert!(output.stdout.is_empty(), "{text}");
    }
}

#[test]
fn a_reference_that_does_not_fit_is_told_as_norm_tells_it() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (chain, input) = (directory.path().join("chain.toml"), directory.path().join("in.vcf"));
    fs::write(&chain, "[[step]]\ndo = \"check-ref\"\nmode = \"w\"\n").expect("chain");
    let text = text(&root().join("testdata/trio.truth.vcf.gz"));
    fs::write(&input, with_wrong_references(&text)).expect("input");
    let (chain, input, reference) = (utf8(&chain), utf8(&input), utf8(&root().join("testdata/genome.fa")));
    let told = |arguments: &[&str]| {
        let output =
            norn_ok(&[&["variants"], arguments, &["--quiet", "-f", &reference, "-o", "/dev/null"]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().filter(|line| !line.starts_with("Lines")).map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = told(&["norm", "-c", "w", &input]);
    assert!(lines.len() > 2, "{lines:?}");
    assert_eq!(told(&["run", &chain, &input]), lines);
}

#[test]
fn a_register_export_names_nobody() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (chain, out) = (directory.path().join("chain.toml"), directory.path().join("register.vcf"));
    let steps = "[[step]]\ndo = \"fill-tags\"\ntags = \"AN,AC,AF\"\n[[step]]\ndo = \"sites-only\"\nmin_ac_mask = 2\nstrip_header = true\n";
    fs::write(&chain, steps).expect("chain");
    let input = root().join("testdata/trio.truth.vcf.gz");
    norn_ok(&["variants", "run", "--quiet", "-o", &utf8(&out), &utf8(&chain), &utf8(&input)]);
    let made = text(&out);
    for word in ["father", "mother", "child", "/"] {
        assert!(
            !made.lines().filter(|line| !line.starts_with("##INFO")).any(|line| line.contains(word)),
            "{word}"
        );
    }
    let carriers = made.lines().filter(|line| !line.starts_with('#'));
    let columns: Vec<Vec<&str>> = carriers.map(|line| line.split('\t').collect()).collect();
    let has = |columns: &[&str], field: &str| columns[7].split(';').any(|other| other == field);
    assert!(columns.iter().all(|columns| columns.len() == 8 && !has(columns, "AC=1")));
    assert!(columns.iter().any(|columns| has(columns, "AC=.")));
}
