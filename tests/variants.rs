//! `norn variants` beside bcftools.

mod common;

use std::fs;
use std::path::PathBuf;

use common::*;

/// VCFs of testdata and of the shared data.
fn inputs() -> Vec<PathBuf> {
    let mut inputs: Vec<_> =
        ["trio.truth.vcf.gz", "sites.vcf.gz"].map(|name| root().join("testdata").join(name)).into();
    match shared_data() {
        Some(data) => inputs.extend(
            [
                "HG002.chr20.TR.truth.vcf.gz",
                "PG_NA12878_hg38-chr21.vcf.gz",
                "CEUtrio.GRCh38.vcf.gz",
                "NA12878.g.vcf.gz",
                "1kg.sv.chr22_chrY.gatk.vcf.gz",
                "NO.bcftools.vcf.gz",
            ]
            .map(|name| data.join("variants").join(name)),
        ),
        None => eprintln!("skipped: shared variants (no NORN_SHARED_DATA)"),
    }
    inputs
}

#[test]
fn view_is_bcftools_view() {
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    for input in inputs() {
        // bcftools prints numbers anew; what it has printed once is what both have from there on.
        let plain = directory.path().join("in.vcf");
        let plain = plain.to_str().expect("UTF-8");
        let input = input.to_str().expect("UTF-8");
        peer("bcftools", &["view", "--no-version", "-o", plain, input]);
        let packed = format!("{plain}.gz");
        peer("bcftools", &["view", "--no-version", "-Oz", "-o", &packed, input]);
        for options in [&["--no-version"][..], &["--no-version", "-G"], &["--no-version", "-h"], &["-H"]] {
            let theirs = peer("bcftools", &[&["view"], options, &[plain]].concat());
            for (threads, file) in [("1", plain), ("2", &packed), ("3", plain)] {
                let arguments = [&["variants", "view", "-q", "-t", threads], options, &[file]].concat();
                let ours = String::from_utf8_lossy(&norn_ok(&arguments).stdout).into_owned();
                assert_eq!(difference(&theirs, &ours), None, "{input} {options:?} -t {threads}");
            }
        }
        let out = directory.path().join("out.vcf.gz");
        norn_ok(&["variants", "view", "-q", "--no-version", "-o", out.to_str().expect("UTF-8"), plain]);
        assert_eq!(difference(&text(plain.as_ref()), &text(&out)), None, "{input} to vcf.gz");
    }
}

#[test]
fn records_pass_through_byte_for_byte() {
    for input in inputs() {
        let ours = norn_ok(&["variants", "view", "-q", "-H", input.to_str().expect("UTF-8")]).stdout;
        assert_eq!(difference(&without_comments(&text(&input)), &String::from_utf8_lossy(&ours)), None);
    }
}

#[test]
fn bad_files_are_told_in_a_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let good = fs::read(root().join("testdata/trio.truth.vcf.gz")).expect("testdata");
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("empty.vcf", Vec::new(), "empty"),
        ("text.vcf", b"hello\n".to_vec(), "no VCF"),
        ("columns.vcf", b"##fileformat=VCFv4.2\n".to_vec(), "#CHROM"),
        ("short.vcf", format!("{head}1\t5\t.\tA\n").into_bytes(), "line 3"),
        (
            "position.vcf",
            format!("{head}1\t5\t.\tA\tC\t.\t.\t.\n1\tx\t.\tA\tC\t.\t.\t.\n").into_bytes(),
            "line 4",
        ),
        ("truncated.vcf.gz", good[..good.len() / 2].to_vec(), "truncated"),
    ];
    for (name, bytes, expected) in cases {
        let (input, out) = (directory.path().join(name), directory.path().join("out.vcf"));
        fs::write(&input, bytes).expect("input");
        let arguments = [&input, &out].map(|path| path.to_str().expect("UTF-8"));
        let output = norn(&["variants", "view", "-q", "-o", arguments[1], arguments[0]]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {said}");
        assert!(said.contains(name) && said.contains(expected), "{name}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{name}: {said}");
        assert!(!out.exists(), "{name} leaves a result");
    }
}
