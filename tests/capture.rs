//! Figures of a capture beside those of Picard 2.27.5 (CollectHsMetrics with PER_TARGET_COVERAGE).

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::*;

/// A file with its targets and baits, as BED.
struct Case {
    name: &'static str,
    input: PathBuf,
    reference: PathBuf,
    targets: String,
    /// The targets are their own baits where there are none.
    baits: Option<String>,
}

fn testdata(name: &str) -> PathBuf {
    root().join("testdata").join(name)
}

/// Lines of two tables whose cells differ.
fn table_differences(theirs: &str, ours: &str) -> Vec<String> {
    let is_same = |a: &str, b: &str| {
        a.split('\t').count() == b.split('\t').count()
            && a.split('\t').zip(b.split('\t')).all(|(a, b)| same_value(a, b))
    };
    let mut differences = Vec::new();
    if theirs.lines().count() != ours.lines().count() {
        differences.push(format!(
            "{} lines of theirs, {} of ours",
            theirs.lines().count(),
            ours.lines().count()
        ));
    }
    let pairs = theirs.lines().zip(ours.lines()).filter(|(a, b)| !is_same(a, b));
    differences.extend(pairs.map(|(a, b)| format!("theirs {a:?}\n  ours   {b:?}")));
    differences
}

/// Runs both on a case; all differences.
fn differences(case: &Case, with_reference: bool) -> Vec<String> {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("UTF-8").to_owned();
    let write = |name: &str, text: &str| {
        fs::write(path(name), text).expect("file");
        path(name)
    };
    let input = case.input.to_str().expect("UTF-8");
    let header = peer("samtools", &["view", "-H", input]);
    let targets = write("targets.bed", &case.targets);
    let target_list = write("targets.interval_list", &interval_list(&case.targets, &header));
    let baits = case.baits.as_ref().map(|baits| write("baits.v1.bed", baits));
    let bait_list = case
        .baits
        .as_ref()
        .map(|baits| write("baits.interval_list", &interval_list(baits, &header)))
        .unwrap_or_else(|| target_list.clone());
    let mut arguments = vec![
        "CollectHsMetrics".to_owned(),
        format!("I={input}"),
        format!("O={}", path("hs_metrics")),
        format!("TARGET_INTERVALS={target_list}"),
        format!("BAIT_INTERVALS={bait_list}"),
        "VALIDATION_STRINGENCY=SILENT".into(),
    ];
    if with_reference {
        arguments.push(format!("R={}", picard_reference(&case.reference).display()));
        arguments.push(format!("PER_TARGET_COVERAGE={}", path("per_target_coverage")));
    }
    peer("PicardCommandLine", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let mut failures = Vec::new();
    for (threads, targets) in [("1", &targets), ("2", &targets), ("2", &target_list)] {
        let out = path(&format!("out{threads}"));
        let mut ours =
            vec!["qc", "-q", "-t", threads, "--collectors", "hs", "--targets", targets, "-o", &out];
        if let Some(baits) = &baits {
            ours.extend(["--baits", baits]);
        }
        let reference = case.reference.to_str().expect("UTF-8");
        if with_reference {
            ours.extend(["-r", reference]);
        }
        ours.push(input);
        norn_ok(&ours);
        let ours = files(Path::new(&out));
        let theirs = |name: &str| text(Path::new(&path(name)));
        let mut found = picard_differences(&theirs("hs_metrics"), &text(&ours["hs_metrics"]));
        if with_reference {
            found.extend(table_differences(
                &theirs("per_target_coverage"),
                &text(&ours["per_target_coverage"]),
            ));
        }
        failures
            .extend(found.into_iter().map(|difference| format!("{} -t {threads}: {difference}", case.name)));
    }
    failures
}

fn assert_equal(cases: &[Case], with_reference: bool) {
    if !(has("PicardCommandLine") && has("samtools")) {
        return;
    }
    let failures: Vec<String> = cases.iter().flat_map(|case| differences(case, with_reference)).collect();
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn of_testdata(name: &'static str) -> Case {
    Case {
        name,
        input: testdata(name),
        reference: testdata("genome.fa"),
        targets: text(&testdata("targets.bed")),
        baits: Some(text(&testdata("baits.bed"))),
    }
}

#[test]
fn captures_of_the_test_data_are_equal() {
    assert_equal(&["child.bam", "father.bam", "child.cram"].map(of_testdata), true);
}

#[test]
fn without_a_reference_they_are_equal() {
    assert_equal(&[of_testdata("child.bam")], false);
}

#[test]
fn a_capture_of_many_targets_is_equal() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: shared alignments (no NORN_SHARED_DATA)");
        return;
    };
    // The slices of chr21 that the simulated reads come from, and some positions beside them.
    let mut targets = String::new();
    let mut index = 0u32;
    for (from, to) in [(24_984_000, 26_026_000), (43_757_000, 43_896_000)] {
        for start in (from..to).step_by(2_717) {
            let length = [60, 150, 400, 1_200, 3_000, 1][index as usize % 6];
            targets += &format!("21\t{start}\t{}\tt{}\n", start + length, index % 7);
            index += 1;
        }
    }
    let case = Case {
        name: "NO_child.bam",
        input: data.join("alignments/NO_child.bam"),
        reference: data.join("genome/GRCh38.chr21.slices.fa.gz"),
        targets,
        baits: None,
    };
    assert_equal(&[case], true);
}

/// Targets around [`odd_reads`].
const ODD_TARGETS: &str = "chr1\t1000\t1100\tt1\nchr1\t1100\t1150\tt2\nchr1\t1140\t1200\tt1\nchr1\t1300\t1301\tone\n\
                           chr1\t5600\t5700\nchr1\t5000\t5200\tdeep\nchr2\t100\t400\tc\t0\t-\nchr2\t100\t400\tb\t0\t-\n\
                           chr2\t100\t400\ta\t0\t+\nchr1\t299900\t300000\tend\nchrM\t0\t100\tbegin\n";
const ODD_BAITS: &str = "chr1\t950\t1210\nchr1\t5000\t5200\nchr2\t650\t700\nchrM\t0\t120\n";

/// Reads of every kind that the rules tell apart: name, flags, contig, position, mapping quality, CIGAR, mate's contig
/// and position.
const ODD_READS: &str = "\
same_start 99 chr1 1050 60 100M = 1050
same_start 147 chr1 1050 60 100M = 1050
overlap 99 chr1 1000 60 150M = 1080
overlap 147 chr1 1080 60 150M = 1000
soft_clip 99 chr1 1001 60 100M20S = 1060
hard_clip 99 chr1 1001 60 100M20S10H = 1060
only_hard 99 chr1 1001 60 5H95M5H = 1060
pad 99 chr1 1001 60 50M2P50M = 1040
equal 99 chr1 1001 60 50=1X49= = 1020
equal2 99 chr1 1001 60 50=1X49= = 1052
insertion 99 chr1 1001 60 50M3I50M = 1040
insertion2 99 chr1 1001 60 50M3I50M = 1051
insertion3 99 chr1 1001 60 50M3I50M = 1052
deletion 99 chr1 1001 60 50M10D50M = 1055
skip 99 chr1 950 60 50M200N50M = 2000
skip_all 99 chr1 990 60 5M250N50M100N5M = 1280
ends_in_insertion 99 chr1 1001 60 60M40I = 1030
other_contig_behind 97 chr1 1000 60 100M chr2 1040
other_contig_before 97 chr1 1010 60 100M chr2 20
mate_before 163 chr1 1020 60 100M = 1010
second_only 129 chr1 1030 60 100M = 1050
neither 1 chr1 1030 60 100M = 1030
both 193 chr1 1030 60 100M = 1030
supplementary 2147 chr1 1020 60 40S60M = 1050
supplementary2 2147 chr1 1290 60 40S60M = 1350
secondary 355 chr1 1030 60 100M = 1400
duplicate 1123 chr1 1010 60 100M = 1200
duplicate2 1123 chr1 1010 60 100M = 1200
duplicate_off 1123 chr1 90010 60 100M = 90200
qc_fail 611 chr1 1010 60 100M = 1200
mapq19 99 chr1 1010 19 100M = 1200
mapq20 99 chr1 1010 20 100M = 1200
mapq0 99 chr1 1010 0 100M = 1200
adapter 99 chr1 1010 0 100M = 1200
adapter_dup 1123 chr1 1010 0 100M = 1200
adapter_mapq1 99 chr1 1010 1 100M = 1200
unpaired 0 chr1 1010 60 100M * 0
unpaired_reverse 16 chr1 1195 60 100M * 0
mate_unmapped 73 chr1 1110 60 100M = 1110
mate_unmapped 133 chr1 1110 0 * = 1110
off_target 99 chr1 80000 60 100M = 80050
off_target 147 chr1 80050 60 100M = 80000
near_target 99 chr1 1250 60 100M = 1500
no_name 99 chr1 5590 60 100M = 5800
at_the_end 99 chr1 299901 60 100M = 299901
strands 99 chr2 150 60 100M = 350
bait_out_of_reach 99 chr2 301 60 100M = 900
bait_in_reach 99 chr2 302 60 100M = 900
bait_behind_in_reach 99 chr2 950 60 100M = 1900
bait_behind_out_of_reach 99 chr2 951 60 100M = 1900
at_the_beginning 99 chrM 1 60 20S80M = 200
unplaced 77 * 0 0 * * 0
unplaced 141 * 0 0 * * 0
";

/// A SAM file of [`ODD_READS`], a pile that is deeper than Picard's cap of 200 with qualities in a changing order, and
/// one of good bases alone, in which no SNV would be missed.
fn odd_reads() -> String {
    let mut lines: Vec<(usize, u64, String)> = Vec::new();
    let deep: String =
        (0..260).map(|i| format!("deep{i} 99 chr1 {} 60 100M = 5400\n", 4_990 + i / 3)).collect();
    let clean: String = (0..300).map(|i| format!("clean{i} 99 chrX 951 60 100M = 5400\n")).collect();
    let contigs = ["chr1", "chr2", "chrX", "chrY", "chrM", "*"];
    for (number, line) in ODD_READS.lines().chain(deep.lines()).chain(clean.lines()).enumerate() {
        let [name, flags, contig, position, mapq, cigar, mate_contig, mate_position] =
            line.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("{line}");
        };
        let length = read_length(cigar);
        let start = if name.starts_with("adapter") { "AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC" } else { "" };
        let bases: String = start.chars().chain("ACGT".chars().cycle()).take(length).collect();
        // Qualities from 0 to 60 or so, around all that rules ask for.
        let quality = |i: usize| match name.starts_with("clean") {
            true => 60,
            false => [37, 20, 19, 2, 3, 1, 0, 40, 60, 93][(i / 3 + number * 7) % 10],
        };
        let qualities: String = (0..length).map(|i| char::from(33 + quality(i))).collect();
        let line = format!(
            "{name}\t{flags}\t{contig}\t{position}\t{mapq}\t{cigar}\t{mate_contig}\t{mate_position}\t0\t{bases}\t{qualities}\n"
        );
        let contig = contigs.iter().position(|c| *c == contig).expect("contig");
        lines.push((contig, position.parse().expect("position"), line));
    }
    lines.sort_by_key(|line| (line.0, line.1));
    let header = peer("samtools", &["view", "-H", testdata("child.bam").to_str().expect("UTF-8")]);
    let header = header.lines().filter(|line| line.starts_with("@HD") || line.starts_with("@SQ"));
    header.map(|line| format!("{line}\n")).chain(lines.into_iter().map(|line| line.2)).collect()
}

/// Bases that a CIGAR takes from the read; 50 where there is none.
fn read_length(cigar: &str) -> usize {
    let mut length = 0;
    let mut number = 0;
    for c in cigar.chars() {
        match c.to_digit(10) {
            Some(digit) => number = number * 10 + digit as usize,
            None => {
                length += if "MIS=X".contains(c) { number } else { 0 };
                number = 0;
            }
        }
    }
    if cigar == "*" { 50 } else { length }
}

#[test]
fn captures_of_odd_reads_are_equal() {
    if !has("samtools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let (sam, bam) = (directory.path().join("odd.sam"), directory.path().join("odd.bam"));
    fs::write(&sam, odd_reads()).expect("SAM");
    let str = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    peer("samtools", &["view", "--no-PG", "-b", "-o", &str(&bam), &str(&sam)]);
    peer("samtools", &["index", &str(&bam)]);
    let case = |name, targets: &str, baits: Option<&str>| Case {
        name,
        input: bam.clone(),
        reference: testdata("genome.fa"),
        targets: targets.to_owned(),
        baits: baits.map(str::to_owned),
    };
    assert_equal(
        &[
            case("odd reads", ODD_TARGETS, Some(ODD_BAITS)),
            case("one position", "chr1\t1050\t1051\tone\n", None),
            case("one deep target", "chr1\t5040\t5060\tdeep\n", None),
            case("one target without doubt", "chrX\t960\t1000\tclean\n", None),
        ],
        true,
    );
}
