//! What is wrong with an input is said in one line, with exit code 3, and no result appears.

mod common;

use std::fs;
use std::path::Path;

use common::*;

/// Runs `norn qc` on a file; its exit code and what it says.
fn run(arguments: &[&str], input: &Path, out: &Path) -> (i32, String) {
    let mut all = vec!["qc", "-q", "-o", out.to_str().expect("UTF-8")];
    all.extend(arguments);
    all.push(input.to_str().expect("UTF-8"));
    let output = norn(&all);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("not killed"), said)
}

#[test]
fn damaged_files_are_refused() {
    let good = fs::read(root().join("testdata/child.bam")).expect("testdata");
    let cram = fs::read(root().join("testdata/child.cram")).expect("testdata");
    let mut bad_crc = good.clone();
    let middle = good.len() / 2;
    bad_crc[middle] ^= 0x55;
    let no_marker = good[..good.len() - 28].to_vec();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("truncated.bam", good[..middle].to_vec(), "truncated"),
        ("marker.bam", no_marker, "end-of-file marker"),
        ("corrupt.bam", bad_crc, "corrupt"),
        ("empty.bam", Vec::new(), "empty"),
        ("text.bam", b"hello, world\n".to_vec(), "not a BAM"),
        ("header.bam", good[..100].to_vec(), "truncated"),
        ("truncated.cram", cram[..cram.len() / 2].to_vec(), ""),
    ];
    for (name, bytes, expected) in cases {
        let directory = tempfile::tempdir().expect("temporary directory");
        let (input, out) = (directory.path().join(name), directory.path().join("out"));
        fs::write(&input, bytes).expect("input");
        let reference = root().join("testdata/genome.fa");
        let (code, said) = run(&["-r", reference.to_str().expect("UTF-8")], &input, &out);
        assert_eq!(code, 3, "{name}: {said}");
        assert!(said.contains(name) && said.contains(expected), "{name}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{name}: {said}");
        let left = fs::read_dir(&out).map(|entries| entries.count()).unwrap_or(0);
        assert_eq!(left, 0, "{name} leaves results");
    }
}

#[test]
fn inputs_that_do_not_fit_together_are_refused() {
    let child = root().join("testdata/child.bam");
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("input");
        path.to_str().expect("UTF-8").to_owned()
    };
    let other = file("other.fa", ">chr1\nACGT\n>chr2\nACGT\n>chrX\nA\n>chrY\nA\n>chrM\nA\n");
    let lacking = file("lacking.fa", ">chrZ\nACGT\n");
    let unknown = file("unknown.bed", "chr1\t0\t10\nchr9\t5\t10\n");
    let known = file("known.bed", "chr1\t0\t10\n");
    let past = file("past.bed", "chrM\t16000\t17000\n");
    let zero = file("other.interval_list", "@HD\tVN:1.6\nchr1\t0\t10\t+\tx\n");
    let cases: [(&[&str], i32, &str); 12] = [
        (&["-r", &other], 3, "another reference"),
        (&["-r", &lacking], 3, "no contig chr1"),
        (&["--by", &unknown], 3, "line 2"),
        (&["--by", &past], 3, "chrM"),
        (&["--collectors", "nonsense"], 2, "nonsense"),
        (&["--by", "0"], 2, "--by"),
        (&["--targets", &unknown], 3, "unknown.bed, line 2: no contig chr9"),
        (&["--targets", &past], 3, "past.bed, line 1: the interval ends at 17000"),
        (&["--targets", &known, "--baits", &past], 3, "past.bed, line 1"),
        (&["--targets", &zero], 3, "other.interval_list, line 2"),
        (&["--targets", "no/such.bed"], 3, "no/such.bed"),
        (&["--baits", &known], 2, "--targets"),
    ];
    for (arguments, expected, part) in cases {
        let (code, said) = run(arguments, &child, &directory.path().join("out"));
        assert_eq!(code, expected, "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn a_file_that_is_not_sorted_as_it_says_is_refused() {
    let header = "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:a\tLN:1000\n";
    let read = |position: u32| format!("r{position}\t0\ta\t{position}\t60\t5M\t*\t0\t0\tACGTA\tIIIII\n");
    let directory = tempfile::tempdir().expect("temporary directory");
    let input = directory.path().join("x.sam");
    fs::write(&input, format!("{header}{}{}", read(50), read(20))).expect("input");
    let (code, said) = run(&[], &input, &directory.path().join("out"));
    assert_eq!((code, said.contains("a:20")), (3, true), "{said}");
    // Without the claim, figures by position are left out with a warning.
    fs::write(&input, format!("{}{}{}", header.replace("coordinate", "unsorted"), read(50), read(20)))
        .expect("input");
    let (code, said) = run(&[], &input, &directory.path().join("out"));
    assert_eq!((code, said.contains("not sorted")), (0, true), "{said}");
    assert!(files(&directory.path().join("out")).contains_key("flagstat.txt"));
}

#[test]
fn the_contigs_of_every_merged_file_are_compared() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("input");
        path.to_str().expect("UTF-8").to_owned()
    };
    let reference = file("r.fa", ">a\nACGTACGTAC\n");
    let lane = |name: &str, length: u32, md5: &str| {
        let head = "@HD\tVN:1.6\tSO:coordinate\n@RG\tID:1\tSM:s\n";
        file(name, &format!("{head}@SQ\tSN:a\tLN:{length}{md5}\nr\t0\ta\t1\t60\t4M\t*\t0\t0\tACGT\tIIII\n"))
    };
    // printf ACGTACGTAC | md5sum
    let right = "\tM5:45aff2fecf7615d56bc0567dffab9fa8";
    let wrong = "\tM5:00000000000000000000000000000000";
    let plain = lane("plain.sam", 10, "");
    for (second, expected, parts) in [
        (lane("right.sam", 10, right), 0, ["", ""]),
        (lane("wrong.sam", 10, wrong), 3, ["wrong.sam was aligned to another reference", "contig a"]),
        (lane("longer.sam", 11, ""), 3, ["longer.sam", "its contigs are not those of"]),
    ] {
        let out = directory.path().join("out");
        let arguments = ["-r", &reference, "--merge", &plain];
        let (code, said) = run(&arguments, Path::new(&second), &out);
        assert_eq!(code, expected, "{second}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{second}: {said}");
    }
    // Two files that state different sequences.
    let right = lane("right.sam", 10, right);
    let wrong = lane("wrong.sam", 10, wrong);
    let (code, said) = run(&["--merge", &right], Path::new(&wrong), &directory.path().join("out"));
    assert_eq!((code, said.contains("another sequence (M5)")), (3, true), "{said}");
}
