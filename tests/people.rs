//! Who the reads are of: contamination against the truth of simulated samples, relations against pedigrees.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::*;

/// Runs `norn qc` at sites; the folder.
fn at_sites(reference: &Path, sites: &Path, tag: &str, inputs: &[PathBuf]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("temporary directory");
    let str = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let mut arguments = ["qc", "-q", "--collectors", "sites", "--sites-af", tag].map(str::to_owned).to_vec();
    arguments.extend([
        "-o".into(),
        str(directory.path()),
        "-r".into(),
        str(reference),
        "--sites".into(),
        str(sites),
    ]);
    arguments.extend(inputs.iter().map(|input| str(input)));
    norn_ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    directory
}

/// The shared simulated people at gnomAD's sites.
fn shared(names: &[&str]) -> Option<tempfile::TempDir> {
    let Some(data) = shared_data() else {
        eprintln!("skipped: shared people (no NORN_SHARED_DATA)");
        return None;
    };
    let inputs: Vec<_> = names.iter().map(|name| data.join("alignments").join(name)).collect();
    let reference = data.join("genome/GRCh38.chr21.slices.fa.gz");
    Some(at_sites(&reference, &data.join("annotate/gnomad.chr21.vcf.gz"), "EUR_AF", &inputs))
}

/// The file of a folder that ends so.
fn file(directory: &Path, ending: &str) -> PathBuf {
    let mut entries =
        std::fs::read_dir(directory).expect("directory").map(|entry| entry.expect("entry").path());
    entries.find(|path| path.to_string_lossy().ends_with(ending)).expect("file")
}

/// Share, standard error and number of sites of a folder's one contamination table; `None` for NA.
fn contamination(directory: &Path) -> (Option<f64>, Option<f64>, u32) {
    let table = text(&file(directory, ".contamination.tsv"));
    let row: Vec<&str> = table.lines().nth(1).expect("row").split('\t').collect();
    (row[1].parse().ok(), row[2].parse().ok(), row[3].parse().expect("sites"))
}

/// The fingerprints of a folder.
fn fingerprints(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("directory").map(|entry| entry.expect("entry").path());
    let mut prints: Vec<_> =
        entries.filter(|path| path.to_string_lossy().ends_with(".fingerprint.vcf.gz")).collect();
    prints.sort();
    prints
}

/// Runs `norn relate` on fingerprints; exit code, and the rows by column.
fn relate(prints: &[PathBuf], ped: Option<&Path>) -> (i32, Vec<BTreeMap<String, String>>) {
    let mut arguments = vec!["relate"];
    arguments.extend(prints.iter().map(|path| path.to_str().expect("UTF-8")));
    if let Some(ped) = ped {
        arguments.extend(["--ped", ped.to_str().expect("UTF-8")]);
    }
    let output = norn(&arguments);
    let table = String::from_utf8(output.stdout).expect("UTF-8");
    let mut lines = table.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().expect("head");
    let rows = lines.map(|row| head.iter().cloned().zip(row).collect()).collect();
    (output.status.code().expect("code"), rows)
}

#[test]
fn a_clean_sample_is_clean_and_a_contaminated_one_is_told() {
    let Some(clean) = shared(&["NO_child.bam"]) else { return };
    let (share, ..) = contamination(clean.path());
    assert!(share.expect("estimate") <= 0.005, "{share:?}");
    // 6.0 % of the reads are the contaminant's. Which ones is in their names: 6.2 % of the bases at the sites. But where
    // the child is homozygous they have 9 % fewer of the other allele than the frequencies promise, by chance; and with
    // some 350 such bases no estimate is surer than 0.4 percentage points. So the truth is held to be within three
    // standard errors; the half point is held in the mixtures below.
    let Some(contaminated) = shared(&["NO_contam.cram"]) else { return };
    let (share, error, _) = contamination(contaminated.path());
    let (share, error) = (share.expect("estimate"), error.expect("error"));
    assert!((share - 0.06).abs() <= 3.0 * error && error < 0.004, "{share} {error}");
}

#[test]
fn mixtures_of_two_people_are_found() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: mixtures of shared people (no NORN_SHARED_DATA)");
        return;
    };
    if !has("samtools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let str = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let reference = data.join("genome/GRCh38.chr21.slices.fa.gz");
    let part = |name: &str, share: f64, seed: u32| {
        let path = directory.path().join(format!("{name}.{seed}.bam"));
        let source = str(&data.join(format!("alignments/NO_{name}.cram")));
        let fraction = format!("{:.3}", f64::from(seed) + share);
        peer(
            "samtools",
            &["view", "-b", "-T", &str(&reference), "-s", &fraction, "-o", &str(&path), &source],
        );
        path
    };
    for (main, other) in [("father", "mother"), ("mother", "father")] {
        for (share, seed) in [(0.02, 1), (0.06, 2)] {
            let parts = [part(main, 1.0 - share, seed), part(other, share, seed + 10)];
            let [both, one] =
                ["both", "one"].map(|name| directory.path().join(format!("{main}.{seed}.{name}.bam")));
            peer("samtools", &["merge", &str(&both), &str(&parts[0]), &str(&parts[1])]);
            let group = ["addreplacerg", "-m", "overwrite_all", "-r", "ID:mix", "-r", "SM:mix"];
            peer("samtools", &[&group[..], &["-o", &str(&one), &str(&both)]].concat());
            let sites = data.join("annotate/gnomad.chr21.vcf.gz");
            let results = at_sites(&reference, &sites, "EUR_AF", &[one]);
            let (found, ..) = contamination(results.path());
            let found = found.expect("estimate");
            assert!((found - share).abs() <= 0.005, "{share} of {other} in {main}: {found}");
        }
    }
}

#[test]
fn few_sites_estimate_no_contamination() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let all = text(&root().join("testdata/sites.vcf.gz"));
    let testdata = |name: &str| root().join("testdata").join(name);
    // Of common sites of chr1: one too few, and enough.
    for (n, is_told) in [(99, false), (100, true)] {
        let head = all.lines().filter(|line| line.starts_with('#'));
        let is_common = |line: &&str| {
            let (_, frequency) = line.rsplit_once("AF=").expect("AF");
            (0.1..0.9).contains(&frequency.parse::<f64>().expect("AF")) && line.starts_with("chr1\t")
        };
        let text: String = head
            .chain(all.lines().filter(|line| !line.starts_with('#')).filter(is_common).take(n))
            .map(|line| format!("{line}\n"))
            .collect();
        let sites = directory.path().join(format!("{n}.vcf"));
        std::fs::write(&sites, text).expect("sites");
        let results = at_sites(&testdata("genome.fa"), &sites, "AF", &[testdata("child.bam")]);
        let (share, error, usable) = contamination(results.path());
        assert_eq!((share.is_some(), error.is_some(), usable), (is_told, is_told, n as u32));
    }
}

#[test]
fn relations_of_trios_are_found() {
    let testdata = |name: &str| root().join("testdata").join(name);
    let ours = at_sites(
        &testdata("genome.fa"),
        &testdata("sites.vcf.gz"),
        "AF",
        &["father.bam", "mother.bam", "child.bam"].map(testdata),
    );
    let shared = shared(&["NO_father.cram", "NO_mother.cram", "NO_child.bam"]);
    let ped = shared_data().map(|data| data.join("variants/NO.ped"));
    for (results, ped) in [(Some(ours), Some(testdata("trio.ped"))), (shared, ped)] {
        let Some(results) = results else { continue };
        let prints = fingerprints(results.path());
        let (code, rows) = relate(&prints, ped.as_deref());
        assert_eq!((code, rows.len()), (0, 3), "{rows:?}");
        for row in rows {
            let has_child = [&row["#sample_a"], &row["sample_b"]].iter().any(|name| name.ends_with("child"));
            let (relation, relatedness) = if has_child { ("parent-child", 0.5) } else { ("unrelated", 0.0) };
            assert_eq!((row["relation"].as_str(), row["verdict"].as_str()), (relation, "match"), "{row:?}");
            let found: f64 = row["ml_relatedness"].parse().expect("relatedness");
            assert!((found - relatedness).abs() < 0.06, "{row:?}");
        }
        // Father and child change names: mother and child, now called father, are not strangers.
        let swapped = results.path().join("swapped.vcf");
        let names = prints.iter().map(|path| text(path)).collect::<String>();
        let [child, father] = ["child", "father"].map(|end| {
            let name =
                names.lines().filter(|line| line.starts_with("#CHROM")).find(|line| line.ends_with(end));
            name.expect("sample").rsplit('\t').next().expect("name").to_owned()
        });
        let mut files = Vec::new();
        for (number, print) in prints.iter().enumerate() {
            let path = swapped.with_extension(format!("{number}.vcf"));
            let rename = |line: &str| match line.strip_prefix("#CHROM") {
                Some(rest) if rest.ends_with(&child) => line.replace(&child, &father),
                Some(rest) if rest.ends_with(&father) => line.replace(&father, &child),
                _ => line.to_owned(),
            };
            let text: String = text(print).lines().map(|line| rename(line) + "\n").collect();
            std::fs::write(&path, text).expect("swapped");
            files.push(path);
        }
        let (code, rows) = relate(&files, ped.as_deref());
        let mismatches = rows.iter().filter(|row| row["verdict"] == "MISMATCH").count();
        assert_eq!((code, mismatches), (4, 2), "{rows:?}");
    }
}

#[test]
fn five_sites_tell_two_people_apart() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: Picard's fingerprints (no NORN_SHARED_DATA)");
        return;
    };
    // Picard's haplotype map as a list of sites.
    let map = text(&data.join("qc/hg19.haplotype_database.subset.txt"));
    let mut list = String::from("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    for line in map.lines().filter(|line| !line.starts_with(['#', '@'])) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [contig, position, name, major, minor, frequency, ..] = columns[..] else { panic!("{line}") };
        list += &format!("{contig}\t{position}\t{name}\t{major}\t{minor}\t.\t.\tAF={frequency}\n");
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let sites = directory.path().join("sites.vcf");
    std::fs::write(&sites, list).expect("sites");
    // Made with other files: genotypes of the same people from an array.
    let array = text(&data.join("qc/NA12891andNA12892.fp.vcf"));
    let mut prints = Vec::new();
    for (name, column) in [("NA12891.fp.r1", 9), ("NA12891.fp.r2", 9), ("NA12892.fp.r1", 10)] {
        let out = directory.path().join(name);
        let (sites, out) = (sites.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
        let bam = data.join(format!("qc/{name}.bam"));
        norn_ok(&[
            "qc",
            "-q",
            "--collectors",
            "sites",
            "--sites",
            sites,
            "-o",
            out,
            bam.to_str().expect("UTF-8"),
        ]);
        let print = fingerprints(Path::new(out)).remove(0);
        let genotypes = text(&print);
        for line in array.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            let alternates = |column: &str| column.split(':').next().expect("GT").matches('1').count();
            let place = format!("{}\t{}\t", columns[0], columns[1]);
            let ours = genotypes.lines().find(|line| line.starts_with(&place)).expect("site");
            let ours = ours.split('\t').nth(9).expect("sample");
            assert_eq!(alternates(ours), alternates(columns[column]), "{name}: {line}");
        }
        prints.push(print);
    }
    // One person twice: five sites do not prove it, nor speak against it.
    let (code, rows) = relate(&prints[..2], None);
    let odds = |row: &BTreeMap<String, String>| row["log10_odds_identical"].parse::<f64>().expect("odds");
    assert_eq!((code, rows[0]["relation"].as_str()), (0, "unknown"));
    assert!(odds(&rows[0]) > 1.5, "{rows:?}");
    // Two people under one name.
    let renamed = directory.path().join("renamed.vcf");
    std::fs::write(&renamed, text(&prints[2]).replace("NA12892", "NA12891")).expect("renamed");
    let (code, rows) = relate(&[prints[0].clone(), renamed], None);
    assert_eq!((code, rows[0]["verdict"].as_str()), (4, "MISMATCH"));
    assert!(odds(&rows[0]) < -20.0, "{rows:?}");
}
