//! Our files beside those of samtools 1.16, mosdepth 0.3.3 and Picard 2.27 on the same input.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::*;

/// An alignment file with its reference, where that is there.
struct Input {
    path: PathBuf,
    reference: Option<PathBuf>,
}

impl Input {
    fn name(&self) -> String {
        self.path.file_name().expect("name").to_string_lossy().into_owned()
    }

    fn is_cram(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "cram")
    }

    fn str(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    /// Runs `norn qc` on it with these options; the results' folder.
    fn qc(&self, options: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("temporary directory");
        let mut arguments = vec!["qc", "-q", "-o", directory.path().to_str().expect("UTF-8")];
        if let Some(reference) = &self.reference {
            arguments.extend(["-r", reference.to_str().expect("UTF-8")]);
        }
        arguments.extend(options);
        arguments.push(self.str());
        norn_ok(&arguments);
        directory
    }
}

fn testdata() -> Vec<Input> {
    let reference = Some(root().join("testdata/genome.fa"));
    let names = ["child.bam", "child.cram", "father.bam", "mother.cram"];
    names.map(|name| Input { path: root().join("testdata").join(name), reference: reference.clone() }).into()
}

/// The real NA12878 and HCC1954 files and the simulated trio; their references are not all there.
fn shared() -> Vec<Input> {
    let Some(data) = shared_data() else {
        eprintln!("skipped: shared alignments (no NORN_SHARED_DATA)");
        return Vec::new();
    };
    let slices = data.join("genome/GRCh38.chr21.slices.fa.gz");
    [
        ("NA12878.GRCh38.chr22.wgs.bam", false),
        ("NA12878.b37.chr20.first8000.bam", false),
        ("NA12878.chrM.bam", false),
        ("NA12878.hg19.chrM.bam", false),
        ("NA12878.GRCh37.chr22tiny.bam", false),
        ("HCC1954.tumour.GRCh37.bam", false),
        ("HCC1954.normal.GRCh37.bam", false),
        ("NO_child.bam", true),
        ("NO_father.cram", true),
    ]
    .map(|(name, sliced)| Input {
        path: data.join("alignments").join(name),
        reference: sliced.then(|| slices.clone()),
    })
    .into()
}

fn all() -> Vec<Input> {
    testdata().into_iter().chain(shared()).collect()
}

/// Reports all failures at once.
fn assert_none(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn samtools_texts_are_equal() {
    if !has("samtools") {
        return;
    }
    let mut failures = Vec::new();
    for input in all() {
        for threads in ["1", "2"] {
            let results = input.qc(&["-t", threads, "--collectors", "flagstat,idxstats,stats,coverage"]);
            let files = files(results.path());
            let mut stats = vec!["stats", input.str()];
            if let Some(reference) = &input.reference {
                let reference = reference.to_str().expect("UTF-8");
                stats.splice(1..1, ["-r", reference, "--reference", reference]);
            }
            let mut check = |file: &str, theirs: String, ours: String| {
                if let Some(difference) = difference(&theirs, &ours) {
                    failures.push(format!("{} -t {threads} {file}: {difference}", input.name()));
                }
            };
            let ours = |file: &str| text(&files[file]);
            check("flagstat.txt", peer("samtools", &["flagstat", input.str()]), ours("flagstat.txt"));
            check("idxstats.txt", peer("samtools", &["idxstats", input.str()]), ours("idxstats.txt"));
            let stats = without_comments(&peer("samtools", &stats));
            check("stats.txt", stats, without_comments(&ours("stats.txt")));
            // samtools 1.16 gives a mean base quality of 255 on CRAM: it does not ask for the qualities.
            if !input.is_cram() {
                check("coverage.tsv", peer("samtools", &["coverage", input.str()]), ours("coverage.tsv"));
            }
        }
    }
    assert_none(failures);
}

#[test]
fn stats_without_a_reference_are_equal() {
    if !has("samtools") {
        return;
    }
    let path = root().join("testdata/child.bam");
    let input = Input { path, reference: None };
    let results = input.qc(&["-t", "2", "--collectors", "stats"]);
    let ours = without_comments(&text(&files(results.path())["stats.txt"]));
    let theirs = without_comments(&peer("samtools", &["stats", input.str()]));
    assert_eq!(difference(&theirs, &ours), None);
}

#[test]
fn mosdepth_files_are_equal() {
    if !has("mosdepth") {
        return;
    }
    let bed = root().join("testdata/targets.bed");
    let bed = bed.to_str().expect("UTF-8");
    let cases: [(&[&str], &[&str]); 3] = [
        (
            &["--by", "500", "-q", "0:1:5:150:", "-T", "1,10,20,30"],
            &["--by", "500", "--quantize", "0:1:5:150:", "--depth-thresholds", "1,10,20,30", "--per-base"],
        ),
        (&["-n", "-x", "--by", "200"], &["--fast-mode", "--by", "200"]),
        (&["-n", "--by", bed], &["--by", bed]),
    ];
    let mut failures = Vec::new();
    for input in all() {
        let is_ours = input.path.starts_with(root().join("testdata"));
        for (theirs, ours) in cases {
            if theirs.contains(&bed) && !is_ours {
                continue;
            }
            let directory = tempfile::tempdir().expect("temporary directory");
            let prefix = directory.path().join("p");
            let mut command = Command::new("mosdepth");
            if let Some(reference) = &input.reference {
                command.arg("-f").arg(reference);
            }
            let output =
                command.args(theirs).arg(&prefix).arg(&input.path).output().expect("mosdepth starts");
            assert!(output.status.success(), "mosdepth: {}", String::from_utf8_lossy(&output.stderr));
            for threads in ["1", "2"] {
                let mut options = vec!["-t", threads, "--collectors", "depth"];
                options.extend(ours);
                let results = input.qc(&options);
                let ours = files(results.path());
                for (name, path) in files(directory.path()) {
                    if name.ends_with(".csi") {
                        continue;
                    }
                    let ours = ours.get(&name).map(|path| text(path)).unwrap_or_default();
                    if let Some(difference) = difference(&text(&path), &ours) {
                        failures
                            .push(format!("{} {theirs:?} -t {threads} {name}: {difference}", input.name()));
                    }
                }
            }
        }
    }
    assert_none(failures);
}

#[test]
fn picard_numbers_are_equal() {
    // Picard draws charts and refuses to start without R.
    if !(has("PicardCommandLine") && has("Rscript") && has("samtools")) {
        return;
    }
    let mut failures = Vec::new();
    let wanted = |input: &Input| ["child.bam", "father.bam", "NO_child.bam"].contains(&input.name().as_str());
    for input in all().into_iter().filter(wanted) {
        let directory = tempfile::tempdir().expect("temporary directory");
        let out = |name: &str| format!("{}/{name}", directory.path().display());
        let reference = picard_reference(input.reference.as_deref().expect("reference"));
        let common = [format!("R={}", reference.display()), format!("I={}", input.str())];
        let programs = [
            "CollectAlignmentSummaryMetrics",
            "CollectInsertSizeMetrics",
            "QualityScoreDistribution",
            "MeanQualityByCycle",
            "CollectBaseDistributionByCycle",
            "CollectGcBiasMetrics",
            "CollectQualityYieldMetrics",
        ];
        let mut multiple =
            vec!["CollectMultipleMetrics".to_owned(), format!("O={}", out("p")), "PROGRAM=null".into()];
        multiple.extend(programs.map(|program| format!("PROGRAM={program}")));
        let runs = [
            multiple,
            vec!["CollectDuplicateMetrics".into(), format!("M={}", out("p.duplication_metrics"))],
            vec!["CollectWgsMetrics".into(), format!("O={}", out("p.wgs_metrics"))],
        ];
        for run in runs {
            let arguments: Vec<&str> = run
                .iter()
                .chain(&common)
                .map(String::as_str)
                .chain(["VALIDATION_STRINGENCY=SILENT"])
                .collect();
            peer("PicardCommandLine", &arguments);
        }
        for threads in ["1", "2"] {
            let results = input.qc(&["-t", threads]);
            let ours = files(results.path());
            for (name, path) in files(directory.path()) {
                if !name.ends_with("metrics") {
                    continue;
                }
                let Some(ours) = ours.get(&name) else {
                    failures.push(format!("{} -t {threads}: no {name}", input.name()));
                    continue;
                };
                for difference in picard_differences(&text(&path), &text(ours)) {
                    failures.push(format!("{} -t {threads} {name}: {difference}", input.name()));
                }
            }
        }
    }
    assert_none(failures);
}

#[test]
fn every_file_is_the_same_at_any_number_of_threads_and_as_cram() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let of_slices = directory.path().join("slices.bed");
    let starts = (0..400).map(|i| 24_985_000 + i * 2_500);
    let lines = starts.map(|start| format!("21\t{start}\t{}\n", start + 1 + start % 900));
    fs::write(&of_slices, lines.collect::<String>()).expect("BED");
    let ours = root().join("testdata/targets.bed");
    let [ours, of_slices] = [&ours, &of_slices].map(|path| path.to_str().expect("UTF-8"));
    let mut options = vec!["--by", "300", "--per-base", "--quantize", "0:1:4:", "--depth-thresholds", "2,8"];
    options.extend(["--levels", "sample,library,read-group"]);
    let mut inputs = testdata();
    if let Some(data) = shared_data() {
        let reference = Some(data.join("genome/GRCh38.chr21.slices.fa.gz"));
        inputs.push(Input { path: data.join("alignments/NO_child.bam"), reference });
    }
    for input in inputs {
        let is_ours = input.path.starts_with(root().join("testdata"));
        let run = |threads: &str| {
            let mut with_threads = vec!["-t", threads];
            with_threads.extend(&options);
            with_threads.extend(["--targets", if is_ours { ours } else { of_slices }]);
            let results = input.qc(&with_threads);
            let bytes = |path: PathBuf| fs::read(path).expect("file");
            files(results.path()).into_iter().map(|(name, path)| (name, bytes(path))).collect::<Vec<_>>()
        };
        let one = run("1");
        assert!(one.len() > 10);
        for threads in ["2", "3", "7"] {
            for ((name, expected), (_, found)) in one.iter().zip(run(threads)) {
                assert!(*expected == found, "{} -t {threads}: {name} differs from -t 1", input.name());
            }
        }
    }
    // Without targets: CRAM makes M of = and X, and Picard clips those differently where mates overlap.
    let [bam, cram] = ["child.bam", "child.cram"].map(|name| {
        let path = root().join("testdata").join(name);
        Input { path, reference: Some(root().join("testdata/genome.fa")) }.qc(&options)
    });
    let cram = files(cram.path());
    for (name, path) in files(bam.path()) {
        assert!(
            fs::read(&path).expect("file") == fs::read(&cram[&name]).expect("file"),
            "{name} differs between BAM and CRAM"
        );
    }
}

#[test]
fn the_comparators_see_differences() {
    for (a, b, same) in [
        ("1", "1", true),
        ("1", "2", false),
        ("0.333333", "0.333334", true),
        ("0.333333", "0.333336", false),
        ("1000000.5", "1000000.9", true),
        ("150", "150.0", true),
        ("?", "0", false),
    ] {
        assert_eq!(same_value(a, b), same, "{a} {b}");
    }
    let file = "## METRICS CLASS\tx\nA\tB\n1\t0.5\n\n## HISTOGRAM\ty\nbin\tn\n1\t2\n\n";
    assert!(picard_differences(file, file).is_empty());
    assert_eq!(picard_differences(file, &file.replace("0.5", "0.6")).len(), 1);
    assert_eq!(picard_differences(file, &file.replace("1\t2", "1\t3")).len(), 1);
    assert_eq!(picard_differences(file, "").len(), 2);
    assert!(difference("a\nb\n", "a\nc\n").is_some());
}
