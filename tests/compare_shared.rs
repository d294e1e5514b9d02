//! `norn variants compare` on shared data: beside vcfeval, at any number of threads, and against copies.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::compared::{decisions, table};
use common::variant_files::utf8;
use common::*;

/// The shared data's variants and reference, or none, said by name.
fn shared(variants: &[&str], reference: &str) -> Option<(Vec<String>, String)> {
    let Some(data) = shared_data() else {
        eprintln!("skipped: shared variants (no NORN_SHARED_DATA)");
        return None;
    };
    let file = |folder: &str, name: &str| utf8(&data.join(folder).join(name));
    Some((variants.iter().map(|name| file("variants", name)).collect(), file("genome", reference)))
}

/// Decisions by side and word, summed.
fn sums(path: &Path) -> BTreeMap<String, usize> {
    let mut sums = BTreeMap::new();
    for (side, decisions) in ["truth", "query"].iter().zip(decisions(path)) {
        for decision in decisions {
            let word = decision.split(':').nth(1).unwrap_or_default();
            *sums.entry(format!("{side} {word}")).or_default() += 1;
        }
    }
    sums
}

#[test]
fn simulated_people_are_compared_as_by_vcfeval() {
    let names = ["NO_child.truth.vcf.gz", "NO.bcftools.vcf.gz", "NO.freebayes.vcf.gz"];
    let Some((files, reference)) = shared(&names, "GRCh38.chr21.slices.fa.gz") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let out = directory.path().join("out");
    // From vcfeval of rtg-tools 3.12.1 (-m ga4gh --ref-overlap --all-records --sample NO_child,NO_child); the truth
    // against itself by reason.
    for (query, expected) in [
        (0, "query TP 1075, truth TP 1075"),
        (1, "query TP 1074, truth TP 1075"),
        (2, "query FP 2, query TP 364, truth FN 709, truth TP 366"),
    ] {
        let out = utf8(&out);
        norn_ok(&[
            "variants",
            "compare",
            &files[0],
            &files[query],
            "-r",
            &reference,
            "-o",
            &out,
            "--quiet",
            "--query-sample",
            "NO_child",
        ]);
        let found: Vec<String> = sums(Path::new(&format!("{out}.vcf.gz")))
            .iter()
            .map(|(word, count)| format!("{word} {count}"))
            .collect();
        assert_eq!(found.join(", "), expected, "{}", names[query]);
    }
}

#[test]
fn a_hard_region_ends_and_nothing_depends_on_threads_or_sides() {
    let names = ["HG002.chr20.TR.truth.vcf.gz", "HG002.chr20.assembly.vcf.gz"];
    let Some((files, reference)) = shared(&names, "GRCh38.chr20_1-1000000.fa.gz") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let compare = |name: &str, truth: &str, query: &str, threads: &str| {
        let out = utf8(&directory.path().join(name).join("x"));
        fs::create_dir(directory.path().join(name)).expect("folder");
        norn_ok(&[
            "variants",
            "compare",
            truth,
            query,
            "-r",
            &reference,
            "-o",
            &out,
            "--quiet",
            "-l",
            "chr20:1-1000000",
            "--threads",
            threads,
        ]);
        files_of(&directory.path().join(name))
    };
    let first = compare("one", &files[0], &files[1], "1");
    for threads in ["2", "7"] {
        let other = compare(threads, &files[0], &files[1], threads);
        assert_eq!(first.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        let differs = first.iter().find(|(name, bytes)| other[*name] != **bytes);
        assert_eq!(differs.map(|(name, _)| name), None, "{threads} threads");
    }
    compare("turned", &files[1], &files[0], "2");
    let (one, turned) =
        (sums(&directory.path().join("one/x.vcf.gz")), sums(&directory.path().join("turned/x.vcf.gz")));
    // The most calls of both sides are matched, whichever is the truth.
    assert_eq!(one["truth TP"] + one["query TP"], turned["truth TP"] + turned["query TP"]);
    assert_eq!(one["truth TP"] + one["truth FN"], turned["query TP"] + turned["query FP"]);
    assert_eq!(one["query TP"] + one["query FP"], turned["truth TP"] + turned["truth FN"]);
    compare("itself", &files[0], &files[0], "2");
    let itself = sums(&directory.path().join("itself/x.vcf.gz"));
    assert_eq!((itself.get("truth FN"), itself.get("query FP")), (None, None));
}

/// All files of a folder but the run file, by name.
fn files_of(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |path: PathBuf| fs::read(path).expect("file");
    files(directory).into_iter().map(|(name, path)| (name, read(path))).collect()
}

#[test]
fn a_truth_set_with_its_confident_regions_against_copies_of_itself() {
    let names = ["PG_NA12878_hg38-chr21.vcf.gz", "PG_Conf_hg38-chr21.bed.gz"];
    let Some((files, _)) = shared(&names, "GRCh38.chr21.slices.fa.gz") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    let records = text(Path::new(&files[0]));
    // A reference that has the bases that records name, and N elsewhere.
    let mut bases = vec![b'N'; 46_709_983];
    for line in records.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let start: usize = columns[1].parse::<usize>().expect("POS") - 1;
        bases[start..start + columns[3].len()].copy_from_slice(columns[3].as_bytes());
    }
    let mut fasta = b">chr21\n".to_vec();
    fasta.extend_from_slice(&bases);
    fasta.push(b'\n');
    fs::write(path("r.fa"), fasta).expect("written");
    let (reference, out) = (utf8(&path("r.fa")), utf8(&path("out")));
    let summary = |query: &str, options: &[&str]| {
        let mut words =
            vec!["variants", "compare", &files[0], query, "-r", &reference, "-o", &out, "--quiet"];
        words.extend(options);
        norn_ok(&words);
        let rows = table(&path("out.summary.csv"));
        let count = |kind: &str, name: &str| -> usize {
            let row = rows.iter().find(|row| row["Type"] == kind && row["Filter"] == "ALL").expect("row");
            row[name].parse().expect("count")
        };
        ["TRUTH.TP", "TRUTH.FN", "QUERY.FP", "QUERY.UNK"]
            .map(|name| [count("SNP", name), count("INDEL", name)])
    };
    let [found, missed, wrong, unknown] = summary(&files[0], &["-f", &files[1], "--usefiltered-truth"]);
    assert_eq!((missed, wrong), ([0, 0], [0, 0]));
    let regions: Vec<(usize, usize)> = text(Path::new(&files[1]))
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            (columns[1].parse().expect("start"), columns[2].parse().expect("end"))
        })
        .collect();
    // Confident by hap.py's rule: one of the record's bases lies in the regions, or, where it has a SNP and an insertion,
    // the base behind; or the first base is changed and lies behind an insertion that is confident.
    let (mut inside, mut outside, mut behind_insertion) = (0, 0, 0);
    for line in records.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let genotype = columns[9].split(':').next().expect("GT");
        let alternates: Vec<&str> = columns[4].split(',').collect();
        let called: Vec<&str> = genotype
            .split(['/', '|'])
            .filter_map(|number| alternates.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied())
            .collect();
        if called.is_empty() {
            continue;
        }
        let (start, length) = (columns[1].parse::<usize>().expect("POS") - 1, columns[3].len());
        let first = regions.partition_point(|(_, end)| *end <= start);
        let meets = |length: usize| regions.get(first).is_some_and(|(from, _)| *from < start + length);
        let inserts =
            called.iter().any(|allele| length == 1 && allele.len() > 1 && allele.starts_with(columns[3]));
        let changes_first = called.iter().any(|allele| !allele.starts_with(&columns[3][..1]));
        let is_in = meets(length + usize::from(inserts && changes_first));
        match is_in || (start == behind_insertion && changes_first) {
            true => inside += 1,
            false => outside += 1,
        }
        if inserts && meets(length) {
            behind_insertion = start + 1;
        }
    }
    assert_eq!((found[0] + found[1], unknown[0] + unknown[1]), (inside, outside));
    // Every tenth record dropped, every seventeenth of the others with another genotype: what was done is what is found.
    let (mut copy, mut number, mut dropped, mut changed) = (String::new(), 0, 0, 0);
    for line in records.lines() {
        let mut columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        if !line.starts_with('#') {
            // Those that failed a filter contradict one another.
            if columns[6] != "PASS" {
                continue;
            }
            number += 1;
            let genotype = columns[9].split(':').next().expect("GT").to_owned();
            // What becomes heterozygous comes in no neighbour's way.
            let other = if genotype.replace('|', "/") == "1/1" { "0/1" } else { "" };
            if number % 10 == 0 {
                dropped += usize::from(genotype.contains(['1', '2', '3']));
                continue;
            }
            if number % 17 == 0 && !other.is_empty() {
                columns[9] = columns[9].replacen(&genotype, other, 1);
                changed += 1;
            }
        }
        copy += &(columns.join("\t") + "\n");
    }
    fs::write(path("copy.vcf"), copy).expect("written");
    let [_, missed, wrong, _] = summary(&utf8(&path("copy.vcf")), &["--no-vcf", "--no-roc"]);
    assert_eq!((missed[0] + missed[1], wrong[0] + wrong[1]), (dropped + changed, changed));
}
