//! Reference access against samtools on real sequence (NORN_SHARED_DATA, default ../shared/data).
#![allow(missing_docs, clippy::unwrap_used)]

use std::{path::PathBuf, process::Command};

use norn::formats::fasta::Reference;

#[test]
fn slices_and_m5_are_those_of_samtools() {
    let data = std::env::var_os("NORN_SHARED_DATA").map_or("../shared/data".into(), PathBuf::from);
    let (Ok(files), Ok(_)) =
        (std::fs::read_dir(data.join("genome")), Command::new("samtools").arg("--version").output())
    else {
        eprintln!("skipped: slices_and_m5_are_those_of_samtools (no shared data, or no samtools)");
        return;
    };
    let samtools = |arguments: &[&str]| {
        let output = Command::new("samtools").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let mut bases = Vec::new();
    for path in files.map(|file| file.unwrap().path()) {
        let name = path.to_str().unwrap();
        if !name.ends_with(".fa") && !name.ends_with(".fa.gz") {
            continue;
        }
        let reference = Reference::open(&path).unwrap();
        let dictionary = samtools(&["dict", name]);
        for (number, (contig, length)) in reference.contigs().iter().enumerate() {
            let line = format!("SN:{contig}\tLN:{length}\tM5:{}\t", reference.md5(number).unwrap());
            assert!(dictionary.contains(&line), "{name}: {line}");
            for (start, end) in [
                (0, 1),
                (59, 62),
                (length / 3, length / 3 + 70_000),
                (length - 1, *length),
                (length - 1, length + 9),
            ] {
                reference.fetch(number, start, end, &mut bases).unwrap();
                let expected = samtools(&["faidx", name, &format!("{contig}:{}-{end}", start + 1)]);
                let expected: String = expected.lines().skip(1).collect();
                assert_eq!(String::from_utf8_lossy(&bases), expected, "{name} {contig}:{start}-{end}");
            }
        }
    }
}
