//! `norn batch`: what a night makes is what its commands make, once, whatever happens in between.
//!
//! MPI cases run with the feature `mpi` and NORN_MPI=1 in the environment; else they are skipped by name.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::made::Random;
use common::*;

/// Settings, a sheet and calls of the trio, in a directory of their own.
struct Night {
    directory: tempfile::TempDir,
}

const SAMPLES: [&str; 3] = ["child", "father", "mother"];

impl Night {
    fn new() -> Self {
        let night = Self { directory: tempfile::tempdir().expect("directory") };
        let testdata = root().join("testdata");
        let mut sheet = String::from("patient\tsample\tsex\tbam\tvcf\n");
        for sample in SAMPLES {
            let calls = night.path(&format!("{sample}.vcf.gz"));
            let truth = testdata.join("trio.truth.vcf.gz");
            norn_ok(&["variants", "view", "-s", sample, "-o", utf8(&calls), utf8(&truth)]);
            let sex = if sample == "father" { "XY" } else { "XX" };
            sheet += &format!(
                "{sample}\t{sample}\t{sex}\t{}\t{sample}.vcf.gz\n",
                testdata.join(format!("{sample}.bam")).display()
            );
        }
        night.write("samples.tsv", &sheet);
        night.write("chain.toml", "[[step]]\ndo = \"split\"\n[[step]]\ndo = \"left-align\"\n");
        night.settle("", "");
        night
    }

    /// Writes batch.toml; `first` stands before the tables, `qc` in that of QC.
    fn settle(&self, first: &str, qc: &str) {
        let testdata = root().join("testdata");
        let at = |name: &str| testdata.join(name).display().to_string();
        self.write(
            "batch.toml",
            &format!(
                "reference = {:?}\nsteps = [\"qc\", \"variants\", \"annotate\"]\n{first}\n[qc]\n\
                 options = [\"--collectors\", \"flagstat,depth,stats\"]\nresources = {{ threads = 1, memory = \"64M\" }}\n{qc}\n\
                 [variants]\nchain = \"chain.toml\"\n[annotate]\ngff = {:?}\n",
                at("genome.fa"),
                at("genes.gff3")
            ),
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_norn"));
        command.arg("batch").args(words).current_dir(self.directory.path());
        command
    }

    /// `norn batch run` into a run directory.
    fn run(&self, out: &str, more: &[&str]) -> Output {
        let words =
            [&["run", "-q", "-c", "batch.toml", "-s", "samples.tsv", "-o", out, "-t", "2"], more].concat();
        self.command(&words).output().expect("norn starts")
    }

    fn run_ok(&self, out: &str, more: &[&str]) -> String {
        let output = self.run(out, more);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    fn start(&self, out: &str) -> Child {
        let words = ["run", "-q", "-c", "batch.toml", "-s", "samples.tsv", "-o", out, "-t", "2"];
        let mut command = self.command(&words);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        command.spawn().expect("norn starts")
    }

    /// All results but run files, by name.
    fn results(&self, out: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        walk(&self.path(out).join("samples"), &mut |path| {
            if !utf8(path).ends_with("run.json") {
                let name = path.strip_prefix(self.path(out)).expect("below").display().to_string();
                files.insert(name, fs::read(path).expect("file"));
            }
        });
        files
    }

    fn ledger(&self, out: &str) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.path(out).join("ledger.jsonl")).expect("ledger");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// How many lines of the ledger tell of an event.
    fn events(&self, out: &str, event: &str) -> usize {
        self.ledger(out).iter().filter(|line| line["event"] == event).count()
    }

    /// The chain holds, the results are what the ledger says, and nothing half done lies about.
    fn check(&self, out: &str) {
        let output = self.command(&["verify", "-o", out]).output().expect("norn starts");
        assert!(output.status.success(), "{}", said(&output));
        let mut leftovers = Vec::new();
        walk(&self.path(out), &mut |path| {
            let name = path.file_name().expect("name").to_string_lossy().into_owned();
            if name.ends_with(".tmp")
                || path.starts_with(self.path(out).join("work"))
                || name.starts_with("lock")
            {
                leftovers.push(path.to_owned());
            }
        });
        assert!(leftovers.is_empty(), "{leftovers:?}");
    }
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn said(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn walk(directory: &Path, see: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().expect("type").is_dir() {
            walk(&entry.path(), see);
        } else {
            see(&entry.path());
        }
    }
}

fn assert_same(expected: &BTreeMap<String, Vec<u8>>, found: &BTreeMap<String, Vec<u8>>, what: &str) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "{what}");
    for (name, bytes) in expected {
        assert!(*bytes == found[name], "{what}: {name} differs");
    }
}

/// Kills a whole process group.
fn kill_group(child: &mut Child, signal: &str) {
    let _ =
        Command::new("kill").args([signal, "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
}

#[test]
fn a_night_is_what_its_commands_make() {
    let night = Night::new();
    night.run_ok("run", &[]);
    night.check("run");
    let out = night.path("by-hand");
    fs::create_dir_all(&out).expect("directory");
    let testdata = root().join("testdata");
    let (reference, bam) = (testdata.join("genome.fa"), testdata.join("child.bam"));
    let qc = [
        "qc",
        "-q",
        "-r",
        utf8(&reference),
        "--collectors",
        "flagstat,depth,stats",
        "-o",
        utf8(&out),
        utf8(&bam),
    ];
    norn_ok(&qc);
    let mut compared = 0;
    walk(&out, &mut |path| {
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        if !name.ends_with("run.json") {
            let ours = fs::read(night.path("run/samples/child/qc").join(&name)).expect("the same file");
            assert!(ours == fs::read(path).expect("file"), "{name}");
            compared += 1;
        }
    });
    assert!(compared >= 5);
    // Calls: records are those of the chain and of annotate; the header tells the command, which has other paths.
    let (split, annotated) = (out.join("split.vcf"), out.join("annotated.vcf"));
    let (chain, calls, gff) =
        (night.path("chain.toml"), night.path("child.vcf.gz"), testdata.join("genes.gff3"));
    norn_ok(&["variants", "run", utf8(&chain), "-f", utf8(&reference), "-o", utf8(&split), utf8(&calls)]);
    norn_ok(&[
        "annotate",
        "-r",
        utf8(&reference),
        "--gff",
        utf8(&gff),
        "--no-stats",
        "-o",
        utf8(&annotated),
        utf8(&split),
    ]);
    for (step, by_hand) in [("variants", split), ("annotate", annotated)] {
        let ours = night.path(&format!("run/samples/child/{step}/child.vcf.gz"));
        assert!(without_comments(&text(&ours)).lines().count() > 1000);
        assert_eq!(
            difference(&without_comments(&text(&by_hand)), &without_comments(&text(&ours))),
            None,
            "{step}"
        );
        assert!(ours.with_extension("gz.csi").is_file());
    }
}

#[test]
fn only_what_changed_is_done_again() {
    let night = Night::new();
    let counts = |text: &str| {
        text.lines().find_map(|line| line.strip_prefix("norn: batch: ").map(str::to_owned)).expect("counts")
    };
    assert_eq!(counts(&night.run_ok("run", &[])), "9 done, 0 kept, 0 failed, 0 not run");
    let first = night.results("run");
    let ledger = night.ledger("run").len();
    assert_eq!(counts(&night.run_ok("run", &[])), "0 done, 9 kept, 0 failed, 0 not run");
    assert_eq!(night.ledger("run").len(), ledger + 2);
    // What is done to the night, and how much is done again.
    let remove = |name: &str| fs::remove_file(night.path(name)).expect("removed");
    let touch = |name: &str| {
        fs::File::open(night.path(name))
            .and_then(|file| file.set_modified(std::time::SystemTime::now()))
            .expect("touched");
    };
    type Change<'c> = (&'c str, Box<dyn Fn() + 'c>, usize);
    let changes: Vec<Change<'_>> = vec![
        // The calls come out as they were, so they are not annotated again.
        ("touched calls", Box::new(|| touch("child.vcf.gz")), 1),
        ("a result is gone", Box::new(|| remove("run/samples/mother/annotate/mother.vcf.gz.csi")), 1),
        (
            "a result was changed",
            Box::new(|| night.write("run/samples/mother/qc/mother.flagstat.txt", "none")),
            1,
        ),
        (
            "other settings of a step",
            Box::new(|| night.settle("", "split = \"12G\"\non_fail = \"stop-sample\"")),
            0,
        ),
    ];
    for (what, change, again) in changes {
        change();
        let told = night.run_ok("run", &[]);
        assert_eq!(counts(&told), format!("{again} done, {} kept, 0 failed, 0 not run", 9 - again), "{what}");
        assert_same(&first, &night.results("run"), what);
        night.check("run");
    }
    // Other calls are annotated again.
    night.write("chain.toml", "[[step]]\ndo = \"split\"\n");
    assert_eq!(counts(&night.run_ok("run", &[])), "6 done, 3 kept, 0 failed, 0 not run");
    assert_eq!(counts(&night.run_ok("run", &["--force"])), "9 done, 0 kept, 0 failed, 0 not run");
    let resumed = night.command(&["resume", "-q", "-o", "run"]).output().expect("norn starts");
    assert_eq!(counts(&said(&resumed)), "0 done, 9 kept, 0 failed, 0 not run");
}

#[test]
fn a_change_in_the_midst_of_a_file_is_seen_by_all_of_its_bytes() {
    let night = Night::new();
    // Larger than what is looked at otherwise: 64 KiB at each end. What is changed is a remark in the header.
    let calls = text(&night.path("child.vcf.gz"));
    let (first, rest) = calls.split_once('\n').expect("header");
    let filling = "##filling=0123456789\n".repeat(8_000);
    let (one, other) =
        (filling.clone() + "##remark=A\n" + &filling, filling.clone() + "##remark=B\n" + &filling);
    let write = |middle: &str| {
        night.write("calls.vcf", &format!("{first}\n{middle}{rest}"));
        // The same time for all: nothing but the bytes differs.
        fs::File::open(night.path("calls.vcf"))
            .and_then(|file| file.set_modified(std::time::UNIX_EPOCH))
            .expect("set");
    };
    night.write("samples.tsv", "sample\tvcf\nS\tcalls.vcf\n");
    write(&one);
    night.run_ok("quick", &[]);
    night.run_ok("full", &["--checksum"]);
    for (out, options) in [("quick", &[][..]), ("full", &["--checksum"])] {
        let again = night.run_ok(out, options);
        assert!(again.contains("0 done, 2 kept"), "{out}: {again}");
    }
    write(&other);
    assert!(night.run_ok("quick", &[]).contains("0 done, 2 kept"));
    // The run directory remembers it.
    let resumed = night.command(&["resume", "-q", "-o", "full"]).output().expect("norn starts");
    assert!(said(&resumed).contains("2 done, 0 kept"), "{}", said(&resumed));
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_end() {
    let night = Night::new();
    let begun = Instant::now();
    night.run_ok("whole", &[]);
    let (took, whole) = (begun.elapsed(), night.results("whole"));
    let mut interrupted = 0;
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let out = format!("killed{seed}");
        for signal in ["-KILL", "-KILL", "-TERM"] {
            let mut child = night.start(&out);
            std::thread::sleep(took.mul_f64(0.7 * random.below(1000) as f64 / 1000.0));
            kill_group(&mut child, signal);
            let status = child.wait().expect("ended");
            interrupted += usize::from(!status.success());
            assert!(
                status.success()
                    || status.signal() == Some(9)
                    || status.code() == Some(75)
                    || status.signal() == Some(15),
                "{signal}: {status}"
            );
        }
        // Nothing but whole results has a name that counts.
        for (name, bytes) in night.results(&out) {
            assert!(whole[&name] == bytes, "seed {seed}: {name} is not whole");
        }
        night.run_ok(&out, &[]);
        assert_same(&whole, &night.results(&out), &format!("seed {seed}"));
        night.check(&out);
        // The ledger tells the truth: each task was done, and none was done twice for the same reason.
        assert_eq!(night.events(&out, "done"), 9, "seed {seed}");
    }
    assert!(interrupted >= 20, "{interrupted}");
}

#[test]
fn a_run_that_is_told_to_stop_stops_and_says_try_again() {
    let night = Night::new();
    night.settle("[run]\ngrace_seconds = 0\n", "");
    // All figures, so that it takes a while.
    let settings = fs::read_to_string(night.path("batch.toml")).expect("settings");
    night.write("batch.toml", &settings.replace("\"--collectors\", \"flagstat,depth,stats\"", ""));
    let mut child = night.start("run");
    while !fs::read_to_string(night.path("run/ledger.jsonl")).is_ok_and(|text| text.contains("\"start\"")) {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The run alone, as a user does it; its tasks are its own matter.
    Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert_eq!(child.wait().expect("ended").code(), Some(75));
    assert!(night.events("run", "dropped") > 0 && night.events("run", "done") < 9);
    assert_eq!(night.ledger("run").last().expect("a line")["outcome"], "stopped");
    night.check("run");
    night.run_ok("run", &[]);
    assert_eq!(night.events("run", "done"), 9);
}

#[test]
fn a_task_that_the_system_kills_takes_nothing_with_it() {
    let night = Night::new();
    night.settle("", "");
    let mut child = night.start("run");
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let victim = loop {
        let mut tasks = Vec::new();
        // Children belong to the threads that started them.
        walk_tasks(child.id(), &mut tasks);
        if let Some(task) = tasks.first() {
            break task.clone();
        }
        assert!(child.try_wait().expect("state").is_none(), "{children}: no task was seen");
    };
    Command::new("kill").args(["-KILL", &victim]).status().expect("kill");
    assert!(child.wait().expect("ended").success());
    let failed: Vec<_> = night.ledger("run").into_iter().filter(|line| line["event"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["failure"], "killed", "{failed:?}");
    let mut logs = String::new();
    walk(&night.path("run/logs"), &mut |path| logs += &fs::read_to_string(path).expect("log"));
    assert_eq!(logs.matches("norn: ended by signal 9, mostly for want of memory").count(), 1, "{logs}");
    assert_eq!(failed[0]["exit"], 137);
    assert_eq!(night.events("run", "done"), 9);
    night.check("run");
}

fn walk_tasks(pid: u32, tasks: &mut Vec<String>) {
    for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        tasks.extend(children.split_whitespace().map(str::to_owned));
    }
}

#[test]
fn a_sample_that_fails_stops_alone() {
    let night = Night::new();
    let bam = night.path("father.bam");
    let bytes = fs::read(root().join("testdata/father.bam")).expect("BAM");
    fs::write(&bam, &bytes[..bytes.len() / 2]).expect("written");
    let sheet = fs::read_to_string(night.path("samples.tsv")).expect("sheet");
    night.write("samples.tsv", &sheet.replace(utf8(&root().join("testdata/father.bam")), "father.bam"));
    let output = night.run("run", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("8 done, 0 kept, 1 failed, 0 not run"), "{}", said(&output));
    // No sample's name in what is said: a log is read by many.
    assert!(
        said(&output).contains("qc of the sample in line 3 failed") && !said(&output).contains("father"),
        "{}",
        said(&output)
    );
    let status = said(&night.command(&["status", "-o", "run", "--by-sample"]).output().expect("norn starts"));
    assert!(status.contains("failed: father (line 3) qc: "), "{status}");
    assert!(status.contains("truncated") || status.contains("ends"), "{status}");
    assert!(
        status.contains("father\tfailed\tdone\tdone") && status.contains("child\tdone\tdone\tdone"),
        "{status}"
    );
    night.check("run");
    // What a command says can have words of the sample's files: it is in the log, and goes with it.
    let why = status.lines().find_map(|line| line.split_once(" qc: ")).expect("why").1;
    let holders = || {
        let mut holders = Vec::new();
        walk(&night.path("run"), &mut |path| {
            if String::from_utf8_lossy(&fs::read(path).expect("file")).contains(why) {
                holders.push(path.strip_prefix(night.path("run")).expect("below").display().to_string());
            }
        });
        holders
    };
    assert_eq!(holders(), ["logs/father.qc.log"]);
    assert!(night.command(&["purge", "father", "-o", "run"]).status().expect("norn starts").success());
    assert!(holders().is_empty());
}

#[test]
fn qc_can_stop_a_sample() {
    let night = Night::new();
    let thresholds = "assay = \"a\"\n[[metric]]\nkey = \"sex.y_ratio\"\nfail_above = 0.1\n";
    night.write("bounds.toml", thresholds);
    for (on_fail, done, waiting) in [("go-on", 9, 0), ("stop-sample", 7, 2)] {
        night.settle("", &format!("thresholds = \"bounds.toml\"\non_fail = \"{on_fail}\""));
        // Of the trio only the father has a Y.
        for again in [false, true] {
            let output = night.run(on_fail, &[]);
            assert_eq!(output.status.code(), Some(4), "{}", said(&output));
            let counts = if again { format!("0 done, {done} kept") } else { format!("{done} done, 0 kept") };
            assert!(
                said(&output).contains(&format!("{counts}, 0 failed, {waiting} not run")),
                "{}",
                said(&output)
            );
        }
        assert!(night.command(&["report", "-o", on_fail]).status().expect("norn starts").success());
        let table = fs::read_to_string(night.path(on_fail).join("report/samples.tsv")).expect("table");
        let father = table.lines().find(|line| line.starts_with("father")).expect("row");
        assert!(father.starts_with("father\tfather\tFAIL\tXY\tXY\t.\tsex.y_ratio"), "{father}");
        assert!(table.lines().any(|line| line.starts_with("child\tchild\tPASS\tXX")), "{table}");
    }
}

#[test]
fn large_files_are_cut_and_nothing_is_seen_of_it() {
    let night = Night::new();
    night.run_ok("whole", &[]);
    night.settle("", "split = \"1M\"");
    let told = night.run_ok("cut", &[]);
    assert!(told.contains("18 done, 0 kept, 0 failed"), "{told}");
    assert_same(&night.results("whole"), &night.results("cut"), "parts of a megabyte");
    // A rate is bytes over CPU seconds. Of parts as of wholes: with a CPU second for a million bytes, and none to put parts together, a
    // simulation comes out the same.
    let simulated = |run: &str| {
        let mut lines = night.ledger(run);
        for line in lines.iter_mut().filter(|line| line["event"] == "done") {
            assert!(line["cpu_seconds"].as_f64().is_some(), "{line}");
            let bytes: f64 =
                line["inputs"].as_array().expect("inputs").iter().filter_map(|i| i["size"].as_f64()).sum();
            let part =
                line["task"]["part"].as_str().and_then(|part| part.split_once('/')?.1.parse::<f64>().ok());
            let is_joined = run == "cut" && part.is_none() && line["task"]["step"] == "qc";
            line["cpu_seconds"] = if is_joined { 0.0 } else { bytes / part.unwrap_or(1.0) / 1e6 }.into();
        }
        let told = format!("told-{run}");
        fs::create_dir_all(night.path(&told)).expect("directory");
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        night.write(&format!("{told}/ledger.jsonl"), &(lines.join("\n") + "\n"));
        let words = [
            "simulate",
            "-c",
            "batch.toml",
            "-s",
            "samples.tsv",
            "--rates-from",
            &told,
            "--rate=annotate=1M",
            "--nodes=1,2",
            "-t",
            "1",
            "--overhead",
            "0",
        ];
        let output = night.command(&words).output().expect("norn starts");
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let whole = simulated("whole");
    assert_eq!(whole, simulated("cut"));
    // The trio's eight megabytes, about, in eight seconds on one thread.
    let bytes: u64 = SAMPLES
        .iter()
        .map(|sample| fs::metadata(root().join(format!("testdata/{sample}.bam"))).expect("BAM").len())
        .sum();
    let seconds: f64 =
        whole.lines().nth(1).and_then(|row| row.split('\t').nth(3)?.parse().ok()).expect("seconds");
    let expected = bytes as f64 / 1e6;
    // Three joins of a mebibyte, and calls.
    assert!(seconds > expected && seconds < expected + 3.5, "{seconds} for {expected}");
    night.check("cut");
    assert!(night.run_ok("cut", &[]).contains("0 done, 18 kept"));
    // How a file is cut does not count for whether it is done.
    night.settle("", "");
    assert!(night.run_ok("cut", &[]).contains("0 done, 9 kept"));
}

#[test]
fn all_mistakes_are_told_before_anything_starts() {
    let night = Night::new();
    let settings = fs::read_to_string(night.path("batch.toml")).expect("settings");
    let sheet = fs::read_to_string(night.path("samples.tsv")).expect("sheet");
    // What is changed in the settings and in the sheet, and all lines that are told.
    for (change, in_sheet, told) in [
        (
            ("\"--collectors\"", "\"--colectors\""),
            ("", ""),
            &["batch.toml: qc.options: unexpected argument '--colectors' found"][..],
        ),
        (
            ("chain.toml", "no.toml"),
            ("father.vcf.gz", "nobody.vcf.gz"),
            &["batch.toml: variants.chain: ", "samples.tsv: line 3, column vcf: "],
        ),
        (
            ("[qc]", "[qcc]"),
            ("mother\tXX", "mother\tXZ"),
            &["batch.toml: line 4: ", "samples.tsv: line 4, column sex: "],
        ),
    ] {
        night.write("batch.toml", &settings.replacen(change.0, change.1, 1));
        night.write("samples.tsv", &sheet.replacen(in_sheet.0, in_sheet.1, 1));
        let output = night.run("run", &[]);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let lines = said(&output);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), told.len(), "{lines:?}");
        for (line, told) in lines.iter().zip(told) {
            assert!(line.starts_with(&format!("norn: {told}")), "{line}");
        }
        assert!(!night.path("run").exists());
    }
}

#[test]
fn one_run_at_a_time() {
    let night = Night::new();
    let mut child = night.start("run");
    while !night.path("run/lock.json").is_file() {
        assert!(child.try_wait().expect("state").is_none());
    }
    let output = night.run("run", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains(&format!("a run works here: process {} on ", child.id())),
        "{}",
        said(&output)
    );
    assert!(child.wait().expect("ended").success());
    night.check("run");
}

#[test]
fn a_job_array_shares_a_night() {
    let night = Night::new();
    night.run_ok("whole", &[]);
    let parts: Vec<_> = ["1/2", "2/2"]
        .map(|part| {
            let words = [
                "run",
                "-q",
                "-c",
                "batch.toml",
                "-s",
                "samples.tsv",
                "-o",
                "run",
                "--part",
                part,
                "-t",
                "1",
            ];
            night.command(&words).stderr(Stdio::null()).spawn().expect("norn starts")
        })
        .into_iter()
        .map(|mut child| child.wait().expect("ended").success())
        .collect();
    assert_eq!(parts, [true, true]);
    assert_same(&night.results("whole"), &night.results("run"), "two parts");
    night.check("run");
    // All samples are told of, and the night goes on without its settings being named again.
    for (words, told) in [
        (&["status", "--by-sample", "-o", "run"][..], "child\tdone\tdone\tdone"),
        (&["report", "-o", "run"], "index.html"),
    ] {
        let output = night.command(words).output().expect("norn starts");
        assert!(output.status.success() && said(&output).contains(told), "{}", said(&output));
    }
    assert_eq!(
        fs::read_to_string(night.path("run/report/samples.tsv")).expect("table").lines().count(),
        1 + SAMPLES.len()
    );
    let resumed = night.command(&["resume", "-q", "-o", "run"]).output().expect("norn starts");
    assert!(said(&resumed).contains("0 done, 9 kept"), "{}", said(&resumed));
    let told = night.run_ok("run", &[]);
    assert!(told.contains("0 done, 9 kept"), "{told}");
    for wrong in ["0/2", "3/2", "a/b", "1"] {
        assert_eq!(night.run("run", &["--part", wrong]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn an_input_that_changes_while_it_is_read_is_told() {
    let night = Night::new();
    let (bam, sheet) =
        (night.path("child.bam"), fs::read_to_string(night.path("samples.tsv")).expect("sheet"));
    fs::copy(root().join("testdata/child.bam"), &bam).expect("copied");
    fs::copy(root().join("testdata/child.bam.bai"), night.path("child.bam.bai")).expect("copied");
    night.write("samples.tsv", &sheet.replace(utf8(&root().join("testdata/child.bam")), "child.bam"));
    let mut child = night.start("run");
    while child.try_wait().expect("state").is_none() {
        fs::File::open(&bam)
            .and_then(|file| file.set_modified(std::time::SystemTime::now()))
            .expect("touched");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(child.wait().expect("ended").code(), Some(1));
    let failed = night.ledger("run").into_iter().find(|line| line["event"] == "failed").expect("a failure");
    assert_eq!(failed["failure"], "changed", "{failed}");
    let status = said(&night.command(&["status", "-o", "run"]).output().expect("norn starts"));
    assert!(status.contains("child.bam: it was changed while it was read"), "{status}");
    assert!(!night.path("run/samples/child/qc").exists());
    night.run_ok("run", &[]);
    night.check("run");
}

/// What it is; patient, sample and whose reads it has; pairs that are a surprise.
type Case<'c> = (&'c str, Vec<(&'c str, &'c str, &'c str)>, &'c [&'c str]);

/// The sheet says who the samples are of; fingerprints tell whether they are.
#[test]
fn samples_that_were_swapped_stand_out() {
    let night = Night::new();
    let testdata = root().join("testdata");
    let at = |name: &str| testdata.join(name).display().to_string();
    night.write(
        "batch.toml",
        &format!(
            "reference = {:?}\nsteps = [\"qc\"]\n[qc]\nsites = {:?}\nresources = {{ threads = 1, memory = \"64M\" }}\n",
            at("genome.fa"),
            at("sites.vcf.gz")
        ),
    );
    // Of a surprise: both samples, what is expected and what is found.
    let trio = [("C", "child", "child"), ("F", "father", "father"), ("M", "mother", "mother")];
    let cases: [Case<'_>; 4] = [
        ("as they are", trio.to_vec(), &[]),
        (
            "child and father",
            vec![("C", "child", "father"), ("F", "father", "child"), ("M", "mother", "mother")],
            &["child mother parent-child unrelated", "father mother unrelated parent-child"],
        ),
        (
            "one person twice",
            vec![("C", "child", "child"), ("N", "neighbour", "child")],
            &["child neighbour another identical"],
        ),
        (
            "tumour and normal",
            vec![("C", "tumour", "child"), ("C", "normal", "mother")],
            &["tumour normal identical parent-child"],
        ),
    ];
    for (number, (what, samples, expected)) in cases.iter().enumerate() {
        let mut sheet = String::from("patient\tsample\tbam\tped\n");
        for (patient, sample, reads) in samples {
            let is_of_family = SAMPLES.contains(sample);
            let ped = if is_of_family { at("trio.ped") } else { String::new() };
            // A file of each sample's own, also where reads are another's.
            for ending in ["bam", "bam.bai"] {
                let of_sample = night.path(&format!("{sample}.{ending}"));
                fs::copy(testdata.join(format!("{reads}.{ending}")), of_sample).expect("copied");
            }
            sheet += &format!("{patient}\t{sample}\t{sample}.bam\t{ped}\n");
        }
        night.write("samples.tsv", &sheet);
        let out = format!("run{number}");
        let said = night.run_ok(&out, &[]);
        for (_, sample, reads) in samples {
            let told = format!(
                "norn: {sample}: {} is of {reads} by its read groups",
                utf8(&night.path(&format!("{sample}.bam")))
            );
            assert_eq!(said.contains(&told), sample != reads, "{told}: {said}");
        }
        let plan = night.command(&["plan", "-c", "batch.toml", "-s", "samples.tsv", "-o", &out]).output();
        let plan = String::from_utf8(plan.expect("norn starts").stdout).expect("UTF-8");
        assert!(
            plan.contains(&format!("-t 1 -o {}", utf8(&night.path(&out)))) && !plan.contains('{'),
            "{plan}"
        );
        assert!(night.command(&["report", "-o", &out]).status().expect("norn starts").success());
        let read = |name: &str| fs::read_to_string(night.path(&out).join("report").join(name)).expect(name);
        let page = read("index.html");
        let people = &page[page.find("id=\"people\"").expect("people")..];
        let people = &people[..people.find("</section>").expect("an end")];
        for surprise in *expected {
            let words: Vec<&str> = surprise.split(' ').collect();
            let row = people.split("<tr").find(|row| words[..2].iter().all(|word| row.contains(word)));
            assert!(
                row.is_some_and(|row| row.contains(words[2]) && row.contains(words[3])),
                "{what}: {people}"
            );
        }
        assert_eq!(
            people.matches("<tr").count(),
            if expected.is_empty() { 0 } else { expected.len() + 1 },
            "{what}: {people}"
        );
        let table = read("samples.tsv");
        let failed = table.lines().skip(1).filter(|line| line.split('\t').nth(2) == Some("FAIL")).count();
        let named: std::collections::BTreeSet<&str> =
            expected.iter().flat_map(|words| words.split(' ').take(2)).collect();
        assert_eq!(failed, named.len(), "{what}: {table}");
        assert_eq!(read("pairs.tsv").lines().count(), 1 + samples.len() * (samples.len() - 1) / 2);
    }
}

#[test]
fn consent_decides_and_a_purge_leaves_nothing() {
    let night = Night::new();
    night.write("consent.tsv", "sample\tstatus\tpurposes\tdate\nchild\tgiven\tDUO:0000042\t2026-01-01\nfather\tgiven\tDUO:0000042\t2026-01-01\n");
    night.settle("[consent]\nfile = \"consent.tsv\"\npurposes = [\"DUO:0000042\"]\n", "");
    let told = night.run_ok("run", &[]);
    assert!(told.contains("6 done"), "{told}");
    assert!(!night.path("run/samples/mother").exists());
    assert_eq!(night.events("run", "left-out"), 1);
    let purge = |sample: &str| night.command(&["purge", sample, "-o", "run"]).output().expect("norn starts");
    for unknown in ["..", "fath", "father.qc"] {
        assert_eq!(purge(unknown).status.code(), Some(3), "{unknown}");
    }
    assert!(night.command(&["report", "-o", "run"]).status().expect("norn starts").success());
    // What killed runs leave, of a job array, too.
    for name in ["work/1-of-2.1/father.qc/father.stats.txt", "work/run.1/night.json", "logs/father.qc.qc.log"]
    {
        fs::create_dir_all(night.path("run").join(name).parent().expect("parent")).expect("directory");
        night.write(&format!("run/{name}"), "x");
    }
    assert!(purge("father").status.success());
    let (mut left, mut paths) = (Vec::new(), Vec::new());
    walk(&night.path("run"), &mut |path| {
        let name = path.strip_prefix(night.path("run")).expect("below").display().to_string();
        if String::from_utf8_lossy(&fs::read(path).expect("file")).contains("father") {
            left.push(name.clone());
        }
        paths.push(name);
    });
    assert_eq!(left, ["ledger.jsonl"]);
    paths.retain(|name| ["father", "report", "work", "ro-crate"].iter().any(|word| name.contains(word)));
    // The log of another sample, father.qc.
    assert_eq!(paths, ["logs/father.qc.qc.log"]);
    night.check("run");
    let ledger = night.ledger("run").len();
    assert!(said(&purge("father")).contains("0 files removed"));
    assert_eq!(night.ledger("run").len(), ledger);
    // A sample of which there is nothing yet is barred all the same.
    assert!(said(&purge("mother")).contains("0 files removed"));
    night.write("consent.tsv", "sample\tstatus\tpurposes\nchild\tgiven\tDUO:0000042\nfather\tgiven\tDUO:0000042\nmother\tgiven\tDUO:0000042\n");
    let plan = night.command(&["plan", "-c", "batch.toml", "-s", "samples.tsv", "-o", "run"]).output();
    assert_eq!(said(&plan.expect("norn starts")).matches("left out: it was purged").count(), 2);
    // Consent given anew is another night's matter.
    assert!(night.run_ok("run", &[]).contains("0 done, 3 kept"));
    let resumed = night.command(&["resume", "-q", "-o", "run"]).output().expect("norn starts");
    assert!(said(&resumed).contains("0 done, 3 kept"), "{}", said(&resumed));
    assert_eq!(night.events("run", "left-out"), 1);
    assert!(!fs::read_to_string(night.path("run/night.json")).expect("night").contains("father"));
}

#[test]
fn what_was_changed_is_found_and_not_gone_on_from() {
    let night = Night::new();
    fs::create_dir_all(night.path("empty")).expect("directory");
    let verify = |out: &str, heads: &[&str]| {
        let heads: Vec<&str> = heads.iter().flat_map(|head| ["--head", head]).collect();
        let words = [&["verify", "-o", out], &heads[..]].concat();
        let output = night.command(&words).output().expect("norn starts");
        (output.status.code(), said(&output))
    };
    for out in ["empty", "nowhere"] {
        assert_eq!(verify(out, &[]).0, Some(3), "{out}");
    }
    night.run_ok("run", &[]);
    let (code, told) = verify("run", &[]);
    assert_eq!(code, Some(0), "{told}");
    let first = told.lines().next().and_then(|line| line.split('\t').nth(2)).expect("head").to_owned();
    night.run_ok("run", &[]);
    // A head stays one of the chain, which grows.
    let (_, told) = verify("run", &[]);
    let second = told.lines().next().and_then(|line| line.split('\t').nth(2)).expect("head").to_owned();
    assert_ne!(first, second);
    assert_eq!(verify("run", &[&first, &second]).0, Some(0));
    let (code, told) = verify("run", &[&first, &"0".repeat(64)]);
    assert!(code == Some(3) && told.contains("no chain has"), "{told}");
    let [ledger, audit, state] =
        ["ledger.jsonl", "audit.jsonl", "night.json"].map(|name| night.path("run").join(name));
    let kept = [&ledger, &audit].map(|path| fs::read(path).expect("file"));
    let without_last = |bytes: &[u8], lines: usize| {
        let mut left: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        left.truncate(left.len() - lines);
        left.concat()
    };
    // What somebody does to a ledger and its chain, whether verify and a run find it, and whether the second head tells.
    type Change<'c> = (&'c str, Option<Vec<u8>>, Option<Vec<u8>>, bool);
    let forged = [
        &kept[0][..],
        br#"{"seq":99,"turn":9,"time":"2026-01-01T00:00:00Z","event":"left-out","sample":"child","why":"-"}"#,
        b"\n",
    ]
    .concat();
    let user = String::from_utf8_lossy(&kept[1]).replacen("\"user\":\"", "\"user\":\"x", 1).into_bytes();
    let last = String::from_utf8_lossy(&kept[1])
        .trim_end()
        .rsplit_once("\"user\":\"")
        .map(|(a, b)| format!("{a}\"user\":\"x{b}\n"));
    let changes: Vec<Change<'_>> = vec![
        ("the ledger is gone", None, Some(kept[1].clone()), true),
        ("the chain is gone", Some(kept[0].clone()), None, true),
        ("both are gone", None, None, true),
        ("a line more", Some(forged), Some(kept[1].clone()), true),
        ("a line of the ledger less", Some(without_last(&kept[0], 1)), Some(kept[1].clone()), true),
        ("two lines of the chain less", Some(kept[0].clone()), Some(without_last(&kept[1], 2)), true),
        ("an empty chain", Some(kept[0].clone()), Some(Vec::new()), true),
        ("another user", Some(kept[0].clone()), Some(user), true),
        ("another user in the last line", Some(kept[0].clone()), last.map(String::into_bytes), true),
        ("both are cut", Some(without_last(&kept[0], 1)), Some(without_last(&kept[1], 1)), false),
    ];
    assert!(state.is_file());
    for (what, events, chain, is_found) in changes {
        for (path, bytes) in [(&ledger, &events), (&audit, &chain)] {
            let _ = fs::remove_file(path);
            bytes.iter().for_each(|bytes| fs::write(path, bytes).expect("written"));
        }
        let (code, told) = verify("run", &[]);
        assert_eq!(code, Some(if is_found { 3 } else { 0 }), "{what}: {told}");
        assert_eq!(verify("run", &[&second]).0, Some(3), "{what}");
        if is_found {
            for output in
                [night.run("run", &[]), night.command(&["resume", "-qo", "run"]).output().expect("starts")]
            {
                assert_eq!(output.status.code(), Some(3), "{what}: {}", said(&output));
                assert_eq!(said(&output).lines().count(), 1, "{what}: {}", said(&output));
            }
        }
    }
    // A purge removes what there is all the same.
    fs::write(&ledger, &kept[0]).expect("written");
    fs::write(&audit, &kept[1][1..]).expect("written");
    let purge = night.command(&["purge", "father", "-o", "run"]).output().expect("norn starts");
    assert!(
        purge.status.code() == Some(3)
            && said(&purge).contains("files removed, and the ledger does not say so")
    );
    assert!(!night.path("run/samples/father").exists());
    // A crash cuts off a last line, or its link.
    for (at, cut) in [(0, 9), (1, 9), (1, kept[1].len() - without_last(&kept[1], 1).len())] {
        let mut now = kept.clone();
        now[at].truncate(kept[at].len() - cut);
        if at == 0 {
            now[1] = without_last(&kept[1], 1);
        }
        fs::write(&ledger, &now[0]).expect("written");
        fs::write(&audit, &now[1]).expect("written");
        let told = night.run_ok("run", &[]);
        assert_eq!(told.contains("had no link yet"), at == 1, "{told}");
        assert_eq!(verify("run", &[]).0, Some(0));
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let night = Night::new();
    night.run_ok("run", &[]);
    for words in [
        &["init"][..],
        &["plan", "-c", "batch.toml", "-s", "samples.tsv", "-o", "run"],
        &["status", "-o", "run"],
        &["verify", "-o", "run"],
        &["report", "-o", "run"],
        &["simulate", "-c", "batch.toml", "--rate=qc=1M", "--rate=variants=1M", "--rate=annotate=1M"],
        &["purge", "father", "-o", "run"],
    ] {
        let mut command = night.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("norn starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ended");
        assert!(
            output.status.success() && !said(&output).contains("panicked"),
            "{words:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn a_task_ends_with_its_run() {
    let night = Night::new();
    // All figures, so that it takes a while.
    let settings = fs::read_to_string(night.path("batch.toml")).expect("settings");
    night.write("batch.toml", &settings.replace("\"--collectors\", \"flagstat,depth,stats\"", ""));
    let mut child = night.start("run");
    let mut tasks = Vec::new();
    while tasks.is_empty() {
        assert!(child.try_wait().expect("state").is_none());
        walk_tasks(child.id(), &mut tasks);
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let begun = Instant::now();
    for task in tasks {
        let lives = || {
            fs::read_to_string(format!("/proc/{task}/stat"))
                .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z")))
        };
        while lives() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{task} lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    // What it left is nobody's by now, whoever left it.
    for name in ["work/2-of-3.1/child.qc/child.stats.txt", "work/2-of-3.1/night.json"] {
        fs::create_dir_all(night.path("run").join(name).parent().expect("parent")).expect("directory");
        night.write(&format!("run/{name}"), "x");
    }
    night.run_ok("run", &[]);
    night.check("run");
}

#[test]
fn a_withdrawal_counts_wherever_it_is_told() {
    let night = Night::new();
    let sheet = fs::read_to_string(night.path("samples.tsv")).expect("sheet");
    let with = |consent: &str| {
        let rows = sheet.lines().map(|line| match line.split('\t').nth(1) {
            Some("sample") => format!("{line}\tconsent\n"),
            Some("father") => format!("{line}\t{consent}\n"),
            _ => format!("{line}\t\n"),
        });
        night.write("samples.tsv", &rows.collect::<String>());
    };
    let say = |words: &[&str]| said(&night.command(words).output().expect("norn starts"));
    with("perhaps");
    let output = night.run("run", &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("line 3, column consent: \"perhaps\""), "{}", said(&output));
    with("given");
    assert!(night.run_ok("run", &[]).contains("9 done"));
    assert!(!say(&["status", "-o", "run"]).contains("without consent"));
    // No settings ask for consent; what was made is pointed at wherever somebody looks.
    with("withdrawn");
    let told = "results of 1 sample without consent (line 3 of the sheet) are still there; norn batch purge SAMPLE removes them";
    assert!(night.run_ok("run", &[]).contains(told));
    for words in [["resume", "-qo", "run"], ["status", "-o", "run"], ["report", "-o", "run"]] {
        let said = say(&words);
        assert!(said.contains(told) && !said.contains("father"), "{said}");
    }
    for name in
        ["ro-crate-metadata.json", "report/index.html", "report/samples.tsv", "report/norn_batch_mqc.tsv"]
    {
        let text = fs::read_to_string(night.path("run").join(name)).expect(name);
        assert!(text.contains("mother") && !text.contains("father"), "{name}");
    }
    assert!(night.command(&["purge", "father", "-o", "run"]).status().expect("norn starts").success());
    assert!(!say(&["status", "-o", "run"]).contains("without consent"));
    // A consent file is read anew by what only looks, too.
    night.write("consent.tsv", "sample\tstatus\nmother\tgiven\nchild\tgiven\n");
    night.settle("[consent]\nfile = \"consent.tsv\"\n", "");
    assert!(night.run_ok("file", &[]).contains("6 done"));
    night.write("consent.tsv", "sample\tstatus\nmother\twithdrawn\nchild\tgiven\n");
    assert!(say(&["status", "-o", "file"]).contains("results of 1 sample without consent (line 4"));
    assert!(say(&["report", "-o", "file"]).contains("results of 1 sample without consent (line 4"));
    let table = fs::read_to_string(night.path("file/report/samples.tsv")).expect("table");
    assert!(table.contains("child") && !table.contains("mother"), "{table}");
    // A line that swallows others, and one that cannot be yet.
    for (text, told) in [
        ("sample\tstatus\nmother\t\"given\nchild\twithdrawn\n", "line 2: a quote opens here"),
        (
            "sample\tstatus\tdate\nmother\tgiven\t2999-01-01\n",
            "line 2, column date: 2999-01-01 is yet to come",
        ),
    ] {
        night.write("consent.tsv", text);
        let plan = ["plan", "-c", "batch.toml", "-s", "samples.tsv", "-o", "other"];
        assert!(say(&plan).contains(told), "{}", say(&plan));
        assert_eq!(night.run("other", &[]).status.code(), Some(3));
    }
}

#[test]
fn a_thousand_samples_are_kept_in_order() {
    let night = Night::new();
    let text = text(&night.path("child.vcf.gz"));
    let few: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .chain(text.lines().filter(|l| !l.starts_with('#')).take(3))
        .collect();
    night.write("few.vcf", &(few.join("\n") + "\n"));
    let rows: String = (0..1000).map(|n| format!("S{n}\tfew.vcf\n")).collect();
    night.write("samples.tsv", &format!("sample\tvcf\n{rows}"));
    let begun = Instant::now();
    assert!(night.run_ok("run", &[]).contains("2000 done"));
    let first = begun.elapsed();
    let begun = Instant::now();
    assert!(night.run_ok("run", &[]).contains("0 done, 2000 kept"));
    eprintln!("1,000 samples: {first:.2?}, again {:.2?}", begun.elapsed());
    let results = night.results("run");
    // The same calls give the same files, of each sample.
    let of = |sample: &str| {
        let prefix = format!("samples/{sample}/");
        let files = results
            .iter()
            .filter_map(|(name, bytes)| Some((name.strip_prefix(&prefix)?.replace(sample, "S"), bytes)));
        files.collect::<BTreeMap<_, _>>()
    };
    let first = of("S0");
    assert!(
        first.contains_key("variants/S.vcf.gz") && first.contains_key("annotate/S.vcf.gz.csi"),
        "{:?}",
        first.keys()
    );
    assert_eq!(results.len(), 1000 * first.len());
    assert!(
        (1..1000).all(|number| of(&format!("S{number}"))["annotate/S.vcf.gz"] == first["annotate/S.vcf.gz"])
    );
    night.check("run");
}

/// A file system of so many bytes; `None`, said by name, where we may not have one.
fn small_disk(night: &Night, bytes: &str) -> Option<Disk> {
    let disk = Disk(night.path("disk"));
    fs::create_dir_all(&disk.0).expect("directory");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
        .arg(&disk.0)
        .output();
    if mounted.is_ok_and(|output| output.status.success()) {
        return Some(disk);
    }
    eprintln!("skipped: a small tmpfs (needs the right to mount)");
    std::mem::forget(disk);
    None
}

struct Disk(PathBuf);

impl Disk {
    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).status();
        assert!(status.expect("mount starts").success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_costs_what_was_not_finished() {
    let night = Night::new();
    night.run_ok("whole", &[]);
    let Some(disk) = small_disk(&night, "200K") else { return };
    for size in [200, 300, 400, 500, 700] {
        disk.remount(&format!("size={size}K"));
        let output = night.run("disk/run", &[]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", said(&output));
        if output.status.code() == Some(1) {
            assert!(!said(&output).contains("panicked"), "{}", said(&output));
        }
    }
    disk.remount("size=100M");
    night.run_ok("disk/run", &[]);
    assert_same(&night.results("whole"), &night.results("disk/run"), "after a full disk");
    night.check("disk/run");
    disk.remount("ro");
    // A night that is there, and one that is not.
    for out in ["disk/run", "disk/other"] {
        let output = night.run(out, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("Read-only file system"), "{}", said(&output));
        assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
    }
    assert_same(&night.results("whole"), &night.results("disk/run"), "after it could not be written");
}

#[test]
fn a_purge_makes_room_on_a_full_disk() {
    let night = Night::new();
    let Some(disk) = small_disk(&night, "8M") else { return };
    night.run_ok("disk/run", &[]);
    let mut filling = fs::File::create(disk.0.join("filling")).expect("file");
    while std::io::Write::write_all(&mut filling, &[0; 512]).is_ok() {}
    let purge = night.command(&["purge", "father", "-o", "disk/run"]).output().expect("norn starts");
    assert!(purge.status.success(), "{}", said(&purge));
    assert!(!night.path("disk/run/samples/father").exists());
    night.check("disk/run");
    fs::remove_file(disk.0.join("filling")).expect("removed");
    assert!(night.run_ok("disk/run", &[]).contains("0 done, 6 kept"));
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    if !has("faketime") {
        return;
    }
    let night = Night::new();
    let words = ["batch", "run", "-q", "-c", "batch.toml", "-s", "samples.tsv", "-o", "run", "--part", "1/1"];
    let ahead = Command::new("faketime")
        .args(["-f", "+400d", env!("CARGO_BIN_EXE_norn")])
        .args(words)
        .current_dir(night.directory.path())
        .output()
        .expect("faketime starts");
    assert!(ahead.status.success(), "{}", said(&ahead));
    let told = night.run_ok("run", &[]);
    assert!(told.contains("0 done, 9 kept"), "{told}");
    night.write("chain.toml", "[[step]]\ndo = \"split\"\n");
    assert!(night.run_ok("run", &[]).contains("6 done, 3 kept"));
    night.check("run");
}

#[test]
fn ranks_share_a_night() {
    let night = Night::new();
    let Some(command) = mpirun("3") else { return };
    night.settle("", "split = \"1M\"");
    night.run_ok("whole", &[]);
    let whole = night.results("whole");
    let start = |mut command: Command, out: &str| {
        command.args([
            "batch",
            "run",
            "-q",
            "-c",
            "batch.toml",
            "-s",
            "samples.tsv",
            "-o",
            out,
            "-t",
            "1",
            "--memory",
            "1G",
        ]);
        command
            .current_dir(night.directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        command.spawn().expect("mpirun starts")
    };
    assert!(start(command, "ranks").wait().expect("ended").success());
    assert_same(&whole, &night.results("ranks"), "three ranks");
    night.check("ranks");
    let ranks: std::collections::BTreeSet<u64> =
        night.ledger("ranks").iter().filter_map(|line| line["rank"].as_u64()).collect();
    assert_eq!(ranks.len(), 3, "all ranks work");
    // A rank dies at a random moment: the job ends, and what was finished stays.
    for seed in 0..20 {
        let mut random = Random::new(100 + seed);
        let out = format!("lost{seed}");
        let mut job = start(mpirun("3").expect("it was there"), &out);
        std::thread::sleep(Duration::from_millis(400 + random.below(900) as u64));
        let mut ranks = Vec::new();
        walk_tasks(job.id(), &mut ranks);
        if !ranks.is_empty() {
            let victim = &ranks[random.below(ranks.len())];
            Command::new("kill").args(["-KILL", victim]).stderr(Stdio::null()).status().expect("kill");
        }
        job.wait().expect("the job ends");
        // What a lost node leaves running is the system's to clear away; here it is ours. mpirun gives ranks groups of their own.
        kill_group(&mut job, "-KILL");
        for rank in &ranks {
            let _ = Command::new("kill").args(["-KILL", rank]).stderr(Stdio::null()).status();
            let state = || fs::read_to_string(format!("/proc/{rank}/stat")).unwrap_or_default();
            let begun = Instant::now();
            while state().rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z")) {
                assert!(begun.elapsed() < Duration::from_secs(60), "rank {rank} cannot be killed");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        night.run_ok(&out, &[]);
        assert_same(&whole, &night.results(&out), &format!("seed {seed}"));
        night.check(&out);
    }
}
