//! `norn variants index` beside `bcftools index`: what is found through the index, and what it counts.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::variant_files::{thinned, utf8, variant_files};
use common::*;

/// Kinds of indices, and the form that has them.
const KINDS: &[(&str, &[&str])] = &[
    ("", &["vcf.gz", "bcf"]),
    ("-t", &["vcf.gz"]),
    ("-m 9", &["vcf.gz", "bcf"]),
    ("-m 20", &["vcf.gz", "bcf"]),
];

fn inputs() -> Vec<PathBuf> {
    variant_files(&[
        "HG002.chr20.TR.truth.vcf.gz",
        "CEUtrio.GRCh38.vcf.gz",
        "NA12878.g.vcf.gz",
        "1kg.sv.chr22_chrY.gatk.vcf.gz",
        "1kg.sites.z.vcf.gz",
    ])
}

/// Regions of many lengths, some over the borders of contigs' halves, between commas.
fn regions(text: &str) -> String {
    let places: Vec<(&str, u64)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?, columns.next()?.parse().ok()?))
        })
        .collect();
    let region = |number: usize| {
        let (contig, position) = places[(places.len() - 1) * number / 24];
        format!("{contig}:{position}-{}", position + [0, 300, 20_000, 3_000_000][number % 4])
    };
    (0..=24).map(region).collect::<Vec<_>>().join(",")
}

#[test]
fn records_are_found_and_counted_as_through_an_index_of_bcftools() {
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    for original in inputs() {
        let name = utf8(Path::new(original.file_name().expect("name")));
        let text = thinned(&peer("bcftools", &["view", "--no-version", &utf8(&original)]), 20_000);
        let plain = directory.path().join("plain.vcf");
        fs::write(&plain, &text).expect("input");
        let regions = regions(&text);
        for (ending, kind) in [("vcf.gz", "-Oz"), ("bcf", "-Ob")] {
            let file = utf8(&directory.path().join(format!("{name}.{ending}")));
            let index = |ending: &str| PathBuf::from(format!("{file}.{ending}"));
            peer("bcftools", &["view", "--no-version", kind, "-o", &file, &utf8(&plain)]);
            peer("bcftools", &["index", "-f", &file]);
            let found = || peer("bcftools", &["view", "-H", "-r", &regions, &file]);
            let counts = |options: &[&str]| peer("bcftools", &[&["index"], options, &[&file]].concat());
            let (expected, all) = (found(), counts(&["-s", "--all"]));
            let (by_contig, total) = (counts(&["-s"]), counts(&["-n"]));
            fs::remove_file(index("csi")).expect("index");
            for (options, _) in KINDS.iter().filter(|(_, forms)| forms.contains(&ending)) {
                let case = format!("{name} {ending} {options}");
                let extension = if *options == "-t" { "tbi" } else { "csi" };
                let mut first = None;
                for threads in ["1", "2", "7"] {
                    let mut words = vec!["variants", "index", "--quiet", "-f", "--threads", threads];
                    words.extend(options.split(' ').filter(|word| !word.is_empty()));
                    norn_ok(&[&words[..], &[&file]].concat());
                    let bytes = fs::read(index(extension)).expect("index");
                    assert_eq!(
                        first.get_or_insert_with(|| bytes.clone()),
                        &bytes,
                        "{case}, {threads} threads"
                    );
                }
                assert_eq!(difference(&expected, &found()), None, "{case}");
                assert_eq!((counts(&["-s"]), counts(&["-n"])), (by_contig.clone(), total.clone()), "{case}");
                let ours = |options: &[&str], file: &str| {
                    let output = norn_ok(&[&["variants", "index"], options, &[file]].concat());
                    String::from_utf8(output.stdout).expect("UTF-8")
                };
                let by_index = utf8(&index(extension));
                for (options, theirs) in [(&["-s"][..], &by_contig), (&["-s", "-a"], &all), (&["-n"], &total)]
                {
                    assert_eq!(&ours(options, &file), theirs, "{case} {options:?}");
                    assert_eq!(&ours(options, &by_index), theirs, "{case} {options:?}");
                }
                let own = norn_ok(&["variants", "view", "--quiet", "-H", "-r", &regions, &file]).stdout;
                let own = String::from_utf8(own).expect("UTF-8");
                assert_eq!(own.lines().count(), expected.lines().count(), "{case}");
                fs::remove_file(index(extension)).expect("index");
            }
        }
    }
}

#[test]
fn what_cannot_be_sought_in_is_refused() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let header = "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let record = |contig: &str, position: u64| format!("{contig}\t{position}\t.\tA\tC\t.\t.\t.\n");
    let write = |name: &str, records: &[(&str, u64)], kind: &str| {
        let plain = directory.path().join("plain.vcf");
        let records: String = records.iter().map(|(contig, position)| record(contig, *position)).collect();
        fs::write(&plain, format!("{header}{records}")).expect("input");
        let file = utf8(&directory.path().join(name));
        norn_ok(&["variants", "view", "--quiet", "--no-version", kind, "-o", &file, &utf8(&plain)]);
        file
    };
    let sound = write("sound.vcf.gz", &[("1", 5), ("2", 3)], "-Oz");
    let binary = write("sound.bcf", &[("1", 5), ("2", 3)], "-Ob");
    let plain = write("sound.vcf", &[("1", 5)], "-Ov");
    let unsorted = write("unsorted.vcf.gz", &[("1", 5), ("1", 4)], "-Oz");
    let unsorted_binary = write("unsorted.bcf", &[("1", 5), ("1", 4)], "-Ob");
    let split = write("split.vcf.gz", &[("1", 5), ("2", 4), ("1", 6)], "-Oz");
    let split_binary = write("split.bcf", &[("1", 5), ("2", 4), ("1", 6)], "-Ob");
    let far = write("far.vcf.gz", &[("1", 1 << 30)], "-Oz");
    let bytes = fs::read(&sound).expect("input");
    // Without the empty block of 28 bytes that ends it (SAM specification, section 4.1.2).
    let truncated = utf8(&directory.path().join("truncated.vcf.gz"));
    fs::write(&truncated, &bytes[..bytes.len() - 28]).expect("input");
    for (words, code, said) in [
        (&["-t", &binary][..], 3, "a BCF has no .tbi"),
        (&[&plain], 3, "only BGZF"),
        (&[&unsorted], 3, "1:4: the records are not sorted"),
        (&[&unsorted_binary], 3, "1:4: the records are not sorted"),
        (&[&split], 3, "1:6: its contig's records are not together"),
        (&[&split_binary], 3, "1:6: its contig's records are not together"),
        (&["-t", &far], 3, "it ends past 536870912"),
        (&[&truncated], 3, "may be truncated"),
        (&["-n", &sound], 3, "no index"),
        (&["-n", "-s", &sound], 2, "cannot be used with"),
        (&["-t", "-m", "14", &sound], 2, "cannot be used with"),
    ] {
        let output = norn(&[&["variants", "index", "--quiet"], words].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {error}");
        assert!(error.contains(said), "{words:?}: {error}");
    }
    let indices = fs::read_dir(directory.path()).expect("directory").filter(|entry| {
        let path = entry.as_ref().expect("entry").path();
        path.extension().is_some_and(|ending| ending == "csi" || ending == "tbi")
    });
    assert_eq!(indices.count(), 0, "a refused file got an index");
    norn_ok(&["variants", "index", "--quiet", "-f", &truncated]);
    norn_ok(&["variants", "index", "--quiet", &sound]);
    let output = norn(&["variants", "index", "--quiet", &sound]);
    assert_eq!(output.status.code(), Some(2), "an index that is there is not written over");
    let elsewhere = utf8(&directory.path().join("elsewhere.csi"));
    norn_ok(&["variants", "index", "--quiet", "-o", &elsewhere, &sound]);
    assert_eq!(fs::read(&elsewhere).expect("index"), fs::read(format!("{sound}.csi")).expect("index"));
}
