//! Rows of samples, libraries and read groups (`--levels`) beside those of Picard 2.27.5.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::*;

/// Columns that Picard makes of the depths of all units up to the row's, so that they hang on the units' order: below
/// the level of all reads ours are held to Picard's on the unit's reads alone.
const OF_EARLIER_UNITS: [&str; 10] = [
    "MEDIAN_TARGET_COVERAGE",
    "FOLD_80_BASE_PENALTY",
    "HET_SNP_SENSITIVITY",
    "HET_SNP_Q",
    "HS_PENALTY_10X",
    "HS_PENALTY_20X",
    "HS_PENALTY_30X",
    "HS_PENALTY_40X",
    "HS_PENALTY_50X",
    "HS_PENALTY_100X",
];

fn have_peers() -> bool {
    has("PicardCommandLine") && has("Rscript") && has("samtools")
}

fn str(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn picard(program: &str, input: &Path, levels: &[&str], more: &[String]) {
    let mut arguments =
        vec![program.to_owned(), format!("I={}", str(input)), "VALIDATION_STRINGENCY=SILENT".into()];
    // Without null the default level, that of all reads, stays.
    arguments.extend(levels.iter().map(|level| format!("METRIC_ACCUMULATION_LEVEL={level}")));
    arguments.extend_from_slice(more);
    peer("PicardCommandLine", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The reference of the test data as Picard takes it.
fn reference() -> String {
    format!("R={}", str(&picard_reference(&root().join("testdata/genome.fa"))))
}

/// Our files of an input, with the reference of the test data.
fn ours(input: &Path, out: &Path, options: &[&str]) -> BTreeMap<String, String> {
    let reference = root().join("testdata/genome.fa");
    ours_of(input, out, &[&["-r", str(&reference)], options].concat())
}

fn ours_of(input: &Path, out: &Path, options: &[&str]) -> BTreeMap<String, String> {
    let mut arguments = vec!["qc", "-q", "-o", str(out)];
    arguments.extend(options);
    arguments.push(str(input));
    norn_ok(&arguments);
    files(out)
        .into_iter()
        .filter(|(_, path)| !path.is_dir())
        .map(|(name, path)| (name, text(&path)))
        .collect()
}

/// The first child's file with a read group that lacks a platform unit, one that lacks a library, one of another sample,
/// a library that is called unknown, two read groups of one unit, and reads without a read group.
fn odd(directory: &Path) -> std::path::PathBuf {
    let child = root().join("testdata/child.bam");
    let mut sam = String::new();
    for (number, line) in peer("samtools", &["view", "-h", str(&child)]).lines().enumerate() {
        let line = match line.split('\t').nth(1) {
            Some("ID:child.L1") if line.starts_with("@RG") => {
                "@RG\tID:child.L1\tSM:child\tLB:lib1".to_owned()
            }
            Some("ID:child.L2") if line.starts_with("@RG") => {
                "@RG\tID:child.L2\tSM:child\tPU:unit".to_owned()
            }
            Some("ID:child.L3") if line.starts_with("@RG") => [
                "@RG\tID:child.L3\tSM:other\tLB:unknown\tPU:unit",
                "@RG\tID:child.L4\tSM:child\tLB:lib1\tPU:unit.4",
            ]
            .join("\n"),
            _ if line.starts_with('@') => line.to_owned(),
            _ if number % 11 == 0 => line.replace("\tRG:Z:child.L1", ""),
            _ if number % 7 == 0 => line.replace("RG:Z:child.L1", "RG:Z:child.L4"),
            _ => line.to_owned(),
        };
        sam += &line;
        sam.push('\n');
    }
    let (text, bam) = (directory.join("odd.sam"), directory.join("odd.bam"));
    fs::write(&text, sam).expect("SAM");
    peer("samtools", &["view", "-b", "-o", str(&bam), str(&text)]);
    peer("samtools", &["index", str(&bam)]);
    bam
}

#[test]
fn tables_of_reads_are_equal() {
    if !have_peers() {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let odd = odd(directory.path());
    let testdata = |name: &str| root().join("testdata").join(name);
    let mut failures = Vec::new();
    for (input, theirs, levels) in [
        (testdata("child.bam"), &["SAMPLE", "LIBRARY", "READ_GROUP"][..], "all,sample,library,read-group"),
        (testdata("father.bam"), &["LIBRARY"], "library"),
        (odd, &["SAMPLE", "LIBRARY", "READ_GROUP"], "read-group,library,sample"),
    ] {
        let name = input.file_name().expect("name").to_string_lossy().into_owned();
        let out = tempfile::tempdir().expect("temporary directory");
        let mut more = vec![format!("O={}/p", str(out.path())), "PROGRAM=null".into()];
        let programs = ["CollectAlignmentSummaryMetrics", "CollectInsertSizeMetrics", "CollectGcBiasMetrics"];
        more.extend(programs.map(|program| format!("PROGRAM={program}")));
        more.push(reference());
        picard("CollectMultipleMetrics", &input, theirs, &more);
        for options in [["-t", "1"], ["-t", "2"]] {
            let collectors = ["--levels", levels, "--collectors", "alignment,insert_size,gc_bias"];
            let ours = ours(&input, &out.path().join("ours"), &[&collectors[..], &options[..]].concat());
            let tables = files(out.path()).into_iter().filter(|(file, _)| file.ends_with("metrics"));
            let tables: Vec<_> = tables.collect();
            assert_eq!(tables.len(), 4);
            for (file, path) in &tables {
                let differences = picard_differences(&text(path), &ours[file]);
                failures.extend(differences.iter().map(|d| format!("{name} {options:?} {file}: {d}")));
            }
        }
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn tables_without_a_reference_are_equal() {
    if !have_peers() {
        return;
    }
    // The real file has two libraries and six read groups; its reference is not there.
    let real = shared_data().map(|data| data.join("alignments/HCC1954.normal.GRCh37.bam"));
    let mut failures = Vec::new();
    for input in [root().join("testdata/child.bam")].into_iter().chain(real) {
        let name = input.file_name().expect("name").to_string_lossy().into_owned();
        let out = tempfile::tempdir().expect("temporary directory");
        let mut more = vec![format!("O={}/p", str(out.path())), "PROGRAM=null".into()];
        let programs = ["CollectAlignmentSummaryMetrics", "CollectInsertSizeMetrics"];
        more.extend(programs.map(|program| format!("PROGRAM={program}")));
        picard("CollectMultipleMetrics", &input, &["SAMPLE", "LIBRARY", "READ_GROUP"], &more);
        let options =
            ["--levels", "sample,library,read-group", "--collectors", "alignment,insert_size", "-t", "2"];
        let ours = ours_of(&input, &out.path().join("ours"), &options);
        for file in ["alignment_summary_metrics", "insert_size_metrics"] {
            let theirs = text(&files(out.path())[file]);
            let differences = picard_differences(&theirs, &ours[file]);
            failures.extend(differences.iter().map(|difference| format!("{name} {file}: {difference}")));
        }
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

/// Targets and baits of the test data, and its reference, as Picard takes them.
fn design(directory: &Path) -> Vec<String> {
    let header = peer("samtools", &["view", "-H", str(&root().join("testdata/child.bam"))]);
    let lists = [("TARGET_INTERVALS", "targets"), ("BAIT_INTERVALS", "baits")].map(|(option, name)| {
        let list = directory.join(format!("{name}.interval_list"));
        let bed = text(&root().join("testdata").join(format!("{name}.bed")));
        fs::write(&list, interval_list(&bed, &header)).expect("interval list");
        format!("{option}={}", str(&list))
    });
    lists.into_iter().chain([reference()]).collect()
}

#[test]
fn tables_of_a_capture_are_equal_but_for_picards_running_depths() {
    if !have_peers() {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    let (targets, baits) = (root().join("testdata/targets.bed"), root().join("testdata/baits.bed"));
    let capture = ["--collectors", "hs", "--targets", str(&targets), "--baits", str(&baits)];
    let child = root().join("testdata/child.bam");
    for input in [child.clone(), odd(directory.path())] {
        let mut more = design(directory.path());
        // The drawn sensitivity is not compared here, and drawing it takes most of Picard's time.
        more.extend([format!("O={}", str(&path("hs_metrics"))), "SAMPLE_SIZE=1".into()]);
        picard("CollectHsMetrics", &input, &["SAMPLE", "LIBRARY", "READ_GROUP"], &more);
        let theirs = parse_picard(&text(&path("hs_metrics")));
        for threads in ["1", "2"] {
            let options = [&capture[..], &["--levels", "sample,library,read-group", "-t", threads]].concat();
            let ours = parse_picard(&ours(&input, &path(&format!("ours{threads}")), &options)["hs_metrics"]);
            assert_eq!(theirs.metrics.len(), ours.metrics.len());
            assert_eq!(theirs.histogram[0], ours.histogram[0]);
            for (number, (theirs, ours)) in theirs.metrics.iter().zip(&ours.metrics).enumerate() {
                for (column, value) in theirs {
                    if OF_EARLIER_UNITS.contains(&column.as_str()) {
                        continue;
                    }
                    assert!(
                        same_value(value, &ours[column]),
                        "row {number} {column}: {value} {}",
                        ours[column]
                    );
                }
            }
        }
    }
    // Every column of a unit: Picard on that unit's reads alone.
    let all = parse_picard(
        &ours(&child, &path("all"), &[&capture[..], &["--levels", "library,read-group"]].concat())["hs_metrics"],
    );
    for (row, of_reads) in [(1, ["-l", "lib1"]), (4, ["-r", "child.L2"])] {
        let (part, metrics) = (path("part.bam"), path("part.hs_metrics"));
        peer("samtools", &[&["view", "-b", "-o", str(&part)], &of_reads[..], &[str(&child)]].concat());
        let mut more = design(directory.path());
        more.push(format!("O={}", str(&metrics)));
        picard("CollectHsMetrics", &part, &[], &more);
        let alone = parse_picard(&text(&metrics));
        for (column, value) in &alone.metrics[0] {
            let ours = &all.metrics[row][column];
            let is_name = ["SAMPLE", "LIBRARY", "READ_GROUP"].contains(&column.as_str());
            assert!(is_name || same_value(value, ours), "{of_reads:?} {column}: theirs {value}, ours {ours}");
        }
        for (theirs, ours) in alone.histogram.iter().zip(&all.histogram) {
            assert_eq!(theirs[1..3], ours[1 + 2 * row..3 + 2 * row], "{of_reads:?} {}", theirs[0]);
        }
    }
}

#[test]
fn other_reports_stay_those_of_all_reads() {
    let child = root().join("testdata/child.bam");
    let directory = tempfile::tempdir().expect("temporary directory");
    let plain = ours(&child, &directory.path().join("a"), &[]);
    let by_unit = ours(&child, &directory.path().join("b"), &["--levels", "sample,library,read-group"]);
    assert!(plain.len() > 10);
    for (file, text) in &plain {
        let has_units = ["alignment_summary_metrics", "insert_size_metrics"].contains(&file.as_str())
            || file.starts_with("gc_bias.");
        assert_eq!(*text == by_unit[file], !has_units, "{file}");
    }
    let wrong = norn(&["qc", "--levels", "lane", str(&child)]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no level \"lane\""));
}
