//! Standard input and compressed SAM give the bytes that the BAM file gives.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::*;
use noodles::bgzf;

const OPTIONS: [&str; 6] = ["-r", "testdata/genome.fa", "--by", "300", "--levels", "library"];

/// Runs `norn qc` in the crate's root with these bytes on standard input, given through a pipe.
fn with_input(arguments: &[&str], out: &Path, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_norn"))
        .args(["qc", "-q", "-o", str(out)])
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("norn starts");
    let mut pipe = child.stdin.take().expect("piped");
    let bytes = input.to_vec();
    // A first byte alone: what a reader gets at once may be less than a format's first bytes. Nobody reads an input to its
    // end that is damaged at its beginning.
    let feed = std::thread::spawn(move || {
        let _ = pipe.write_all(&bytes[..1]);
        let _ = pipe.flush();
        let _ = pipe.write_all(&bytes[1..]);
    });
    let output = child.wait_with_output().expect("norn ends");
    feed.join().expect("no panic");
    output
}

fn str(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn bytes_of(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    files(directory).into_iter().map(|(name, path)| (name, fs::read(path).expect("file"))).collect()
}

/// The child's reads in each form, by the name of a file of that form.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let of = |name: &str| fs::read(root().join("testdata").join(name)).expect("testdata");
    let sam = peer("samtools", &["view", "-h", str(&root().join("testdata/child.bam"))]).into_bytes();
    let mut writer = bgzf::io::Writer::new(Vec::new());
    writer.write_all(&sam).expect("in memory");
    let blocked = writer.finish().expect("in memory");
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut gzipped = vec![0; compressor.gzip_compress_bound(sam.len())];
    let length = compressor.gzip_compress(&sam, &mut gzipped).expect("room enough");
    gzipped.truncate(length);
    vec![
        ("child.bam", of("child.bam")),
        ("child.cram", of("child.cram")),
        ("child.sam", sam),
        ("child.bgzf.sam.gz", blocked),
        ("child.sam.gz", gzipped),
    ]
}

#[test]
fn every_form_gives_the_same_bytes_as_a_file_and_on_standard_input() {
    if !has("samtools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    let mut expected = None;
    for (number, (name, bytes)) in forms().into_iter().enumerate() {
        fs::write(path(name), &bytes).expect("file");
        for threads in ["1", "2"] {
            let options = [&OPTIONS[..], &["-t", threads]].concat();
            for (input, on_input) in [(str(&path(name)), &[][..]), ("-", &bytes)] {
                let out = path(&format!("out{number}{threads}{}", on_input.len()));
                let bytes = if on_input.is_empty() { &b"x"[..] } else { on_input };
                let output = with_input(&[&options[..], &[input]].concat(), &out, bytes);
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{name} as {input} -t {threads}: {said}");
                let found = bytes_of(&out);
                let expected = expected.get_or_insert_with(|| found.clone());
                assert!(expected.len() > 10);
                for (file, bytes) in expected.iter() {
                    assert!(found.get(file) == Some(bytes), "{name} as {input} -t {threads}: {file} differs");
                }
            }
        }
    }
}

#[test]
fn a_stream_that_ends_early_is_refused() {
    if !has("samtools") {
        return;
    }
    for (name, bytes) in forms().into_iter().filter(|(name, _)| *name != "child.sam") {
        for length in [10, bytes.len() / 2] {
            let out = tempfile::tempdir().expect("temporary directory");
            let output = with_input(&[&OPTIONS[..], &["-"]].concat(), out.path(), &bytes[..length]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{name}, {length} bytes: {said}");
            assert_eq!(said.trim_end().lines().count(), 1, "{name}, {length} bytes: {said}");
            assert_eq!(fs::read_dir(out.path()).expect("directory").count(), 0, "{name} leaves results");
        }
    }
}
