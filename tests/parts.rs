//! Files cut, merged, kept as states and spread over ranks give the bytes that one thread gives of the whole.
//!
//! MPI cases run with the feature `mpi` and NORN_MPI=1 in the environment; else they are skipped by name.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::*;

const OPTIONS: [&str; 10] = [
    "--levels",
    "sample,library,read-group",
    "--by",
    "300",
    "--sites",
    "testdata/sites.vcf.gz",
    "--depth-thresholds",
    "2,8",
    "-r",
    "testdata/genome.fa",
];
const TRACKS: [&str; 3] = ["--per-base", "--quantize", "0:1:4:"];

type Bytes = BTreeMap<String, Vec<u8>>;

fn bytes_of(directory: &Path) -> Bytes {
    files(directory).into_iter().map(|(name, path)| (name, fs::read(path).expect("file"))).collect()
}

/// Runs our binary from the crate's root; what it writes into its folder.
fn qc(arguments: &[&str]) -> Bytes {
    let directory = tempfile::tempdir().expect("temporary directory");
    run(Command::new(env!("CARGO_BIN_EXE_norn")), directory.path(), arguments);
    bytes_of(directory.path())
}

fn run(mut command: Command, out: &Path, arguments: &[&str]) -> String {
    let output = command.args(["qc", "-q", "-o"]).arg(out).args(arguments).current_dir(root()).output();
    let output = output.expect("norn starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

fn assert_same(expected: &Bytes, found: &Bytes, what: &str) {
    assert!(expected.len() > 10, "{what}");
    let names = |bytes: &Bytes| bytes.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "{what}");
    for (name, bytes) in expected {
        assert!(*bytes == found[name], "{what}: {name} differs");
    }
}

/// `[a, b]` behind one another.
fn with<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<&'a str> {
    a.iter().chain(b).copied().collect()
}

/// A copy of a test file without its index.
fn without_index(directory: &Path, name: &str) -> String {
    let copy = directory.join(name);
    fs::copy(root().join("testdata").join(name), &copy).expect("copy");
    copy.to_str().expect("UTF-8").to_owned()
}

#[test]
fn small_shards_and_batches_change_nothing() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let options = with(&OPTIONS, &TRACKS);
    for name in ["child.bam", "mother.cram"] {
        let file = format!("testdata/{name}");
        let expected = qc(&with(&options, &["-t", "1", &file]));
        let bare = without_index(directory.path(), name);
        for (what, arguments) in [
            ("many shards", vec!["-t", "3", "--shard-bytes", "20000", &file]),
            ("shards of another size", vec!["-t", "2", "--shard-bytes", "77000", &file]),
            ("no index, one thread", vec!["-t", "1", &bare]),
            ("no index, three threads", vec!["-t", "3", &bare]),
        ] {
            assert_same(&expected, &qc(&with(&options, &arguments)), &format!("{name}: {what}"));
        }
    }
}

/// The records of a test file by read group, as indexed files of their own.
fn lanes(directory: &Path, name: &str) -> Vec<String> {
    let file = root().join("testdata").join(name);
    let header = peer("samtools", &["view", "-H", file.to_str().expect("UTF-8")]);
    let ids = header
        .lines()
        .filter_map(|line| line.strip_prefix("@RG\tID:"))
        .map(|rest| rest.split('\t').next().expect("id").to_owned());
    ids.map(|id| {
        let lane: PathBuf = directory.join(format!("{id}.bam"));
        let lane = lane.to_str().expect("UTF-8").to_owned();
        peer("samtools", &["view", "-r", &id, "-b", "-o", &lane, file.to_str().expect("UTF-8")]);
        peer("samtools", &["index", &lane]);
        lane
    })
    .collect()
}

#[test]
fn lanes_merged_are_the_file_they_came_from() {
    if !has("samtools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let lanes = lanes(directory.path(), "child.bam");
    assert!(lanes.len() > 1);
    let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
    let merged = directory.path().join("merged.bam");
    let merged = merged.to_str().expect("UTF-8");
    peer("samtools", &with(&["merge", "-o", merged], &lanes));
    let options = with(&OPTIONS, &TRACKS);
    let expected = qc(&with(&options, &["-t", "1", merged]));
    for arguments in [
        vec!["-t", "1", "--merge"],
        vec!["-t", "2", "--merge"],
        vec!["-t", "3", "--merge", "--shard-bytes", "30000"],
    ] {
        let found = qc(&with(&with(&options, &arguments), &lanes));
        assert_same(&expected, &found, &format!("{arguments:?}"));
    }
    // Without --merge two files of one sample are a mistake.
    let output = norn(&with(&["qc", "-q"], &lanes));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--merge"));

    // States of lanes: what can be told from both is the same, the rest is left out by name.
    let state = |number: usize| directory.path().join(format!("{number}.qcstate")).display().to_string();
    for (number, lane) in lanes.iter().enumerate() {
        qc(&with(&OPTIONS, &["--state", &state(number), lane]));
    }
    let states: Vec<String> = (0..lanes.len()).map(state).collect();
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    let out = tempfile::tempdir().expect("temporary directory");
    let norn = Command::new(env!("CARGO_BIN_EXE_norn"));
    let said = run(norn, out.path(), &with(&["-r", "testdata/genome.fa", "--from-states"], &states));
    assert!(said.contains("no depth, coverage, wgs"), "{said}");
    let found = bytes_of(out.path());
    for (name, bytes) in &found {
        match name.as_str() {
            "qc.json" | "qc.html" | "ga4gh.json" => {}
            "stats.txt" => {
                let lines = |bytes: &[u8]| {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    let kept =
                        text.lines().filter(|line| !line.starts_with("COV") && !line.starts_with("GCD"));
                    kept.map(str::to_owned).collect::<Vec<_>>()
                };
                assert_eq!(lines(&expected[name]), lines(bytes), "{name}");
            }
            _ => assert!(*bytes == expected[name], "{name} differs"),
        }
    }
    for name in ["flagstat.txt", "insert_size_metrics", "gc_bias.summary_metrics", "duplication_metrics"] {
        assert!(found.contains_key(name), "{name}");
    }
    for name in ["mosdepth.summary.txt", "coverage.tsv", "wgs_metrics"] {
        assert!(!found.contains_key(name), "{name}");
    }
}

#[test]
fn parts_and_killed_runs_are_the_whole() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let input = ["--shard-bytes", "20000", "testdata/child.bam"];
    let expected = qc(&with(&OPTIONS, &["-t", "1", "testdata/child.bam"]));
    let states = [path("1"), path("2"), path("3")];
    for (number, state) in states.iter().enumerate() {
        let part = format!("{}/3", number + 1);
        let found = qc(&with(&with(&OPTIONS, &["--state", state, "--part", &part]), &input));
        assert!(found.is_empty(), "a part has no results");
    }
    let from = |states: &[&str]| qc(&with(&["-r", "testdata/genome.fa", "--from-states"], states));
    assert_same(&expected, &from(&[&states[0], &states[1], &states[2]]), "parts");
    assert_same(&expected, &from(&[&states[2], &states[0], &states[1]]), "parts in another order");

    // The first part's state is what a run killed after a third leaves.
    let resumed = qc(&with(&with(&OPTIONS, &["-t", "2", "--state", &states[0]]), &input));
    assert_same(&expected, &resumed, "a run that was killed");
    // Now the state is complete: nothing is read again.
    let again = qc(&with(&with(&OPTIONS, &["--state", &states[0]]), &input));
    assert_same(&expected, &again, "a run that was done");
    assert_same(&expected, &from(&[&states[0]]), "a complete state");
    let every = qc(&with(&with(&OPTIONS, &["--state", &path("every"), "--state-interval", "0"]), &input));
    assert_same(&expected, &every, "a state written after every shard");
}

#[test]
fn a_run_killed_while_it_counts_goes_on_from_its_state() {
    let expected = qc(&with(&OPTIONS, &["-t", "1", "testdata/child.bam"]));
    // A run that ends before it can be killed is made longer: more shards, each followed by a state.
    let killed = ["20000", "5000", "1000", "100"].into_iter().find_map(|shard_bytes| {
        let directory = tempfile::tempdir().expect("temporary directory");
        let state = directory.path().join("child.qcstate");
        let arguments = ["-t", "1", "--shard-bytes", shard_bytes, "--state", state.to_str()?];
        let arguments = with(&with(&OPTIONS, &arguments), &["testdata/child.bam"]);
        let mut norn = Command::new(env!("CARGO_BIN_EXE_norn"));
        norn.args(["qc", "-q", "--state-interval", "0", "-o"]).arg(directory.path().join("out"));
        let mut child = norn.args(&arguments).current_dir(root()).spawn().expect("norn starts");
        while !state.exists() && child.try_wait().expect("child").is_none() {
            std::thread::yield_now();
        }
        // SIGKILL on Unix.
        child.kill().expect("killed or gone");
        child.wait().expect("child");
        let (head, _) = norn::qc::state::read(&state).expect("a whole state, old or new");
        (head.shards.1 < head.of).then(|| (directory, arguments.iter().map(ToString::to_string).collect()))
    });
    let (_directory, arguments): (_, Vec<String>) =
        killed.expect("one of the runs was killed while it counted");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_same(&expected, &qc(&arguments), "a run that was killed");
}

#[test]
fn states_that_cannot_be_used_are_refused() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (a, b, other, damaged, text) = (path("a"), path("b"), path("other"), path("damaged"), path("text"));
    let plain = ["--collectors", "flagstat", "--shard-bytes", "20000"];
    qc(&with(&plain, &["--state", &a, "--part", "1/2", "testdata/child.bam"]));
    qc(&with(&plain, &["--state", &b, "--part", "2/2", "testdata/child.bam"]));
    qc(&with(&plain, &["--state", &other, "testdata/father.bam"]));
    let mut bytes = fs::read(&a).expect("state");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&damaged, bytes).expect("state");
    fs::write(&text, "hello\n").expect("state");
    let cases: [(&[&str], i32, &str); 9] = [
        (&["--from-states", &a], 3, "in none of the states"),
        (&["--from-states", &b], 3, "in none of the states"),
        (&["--from-states", &a, &b, &b], 3, "in two states"),
        (&["--from-states", &a, &other], 3, "another sample"),
        (&["--from-states", &damaged], 3, "damaged"),
        (&["--from-states", &text], 3, "no state of norn qc"),
        (&["--collectors", "stats", "--state", &a, "testdata/child.bam"], 3, "other options"),
        (&["--state", &path("new"), "--part", "3/2", "testdata/child.bam"], 2, "--part"),
        (&["--state", &path("new"), "testdata/child.bam", "testdata/father.bam"], 2, "one sample"),
    ];
    for (arguments, code, part) in cases {
        let out = path("out");
        let output = Command::new(env!("CARGO_BIN_EXE_norn"))
            .args(["qc", "-q", "-o", &out])
            .args(arguments)
            .current_dir(root())
            .output()
            .expect("norn starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn ranks_give_the_bytes_of_one() {
    let options = with(&OPTIONS, &TRACKS);
    for name in ["testdata/child.bam", "testdata/father.cram"] {
        let expected = qc(&with(&options, &["-t", "1", name]));
        for ranks in ["1", "2", "3"] {
            let Some(command) = mpirun(ranks) else { return };
            let directory = tempfile::tempdir().expect("temporary directory");
            run(command, directory.path(), &with(&options, &["-t", "2", "--shard-bytes", "30000", name]));
            assert_same(&expected, &bytes_of(directory.path()), &format!("{name} on {ranks} ranks"));
        }
    }
    // Two samples on two ranks: one each. And a file without an index: rank 0 alone.
    let Some(command) = mpirun("2") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    run(
        command,
        directory.path(),
        &with(&options, &["-t", "1", "testdata/child.bam", "testdata/father.bam"]),
    );
    let names = fs::read_dir(directory.path()).expect("directory").count();
    assert_eq!(names, 2 * (qc(&with(&options, &["testdata/child.bam"])).len() + 1));
    let Some(command) = mpirun("2") else { return };
    let bare = without_index(directory.path(), "mother.bam");
    let out = directory.path().join("bare");
    run(command, &out, &with(&options, &["-t", "1", &bare]));
    assert_same(&qc(&with(&options, &["testdata/mother.bam"])), &bytes_of(&out), "no index on two ranks");
}

#[test]
fn a_bad_input_ends_all_ranks() {
    let Some(mut command) = mpirun("3") else { return };
    let output =
        command.args(["qc", "-q", "-o", "target/never", "testdata/genes.gff3"]).current_dir(root()).output();
    let output = output.expect("mpirun starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(said.lines().filter(|line| line.contains("genes.gff3")).count(), 1, "{said}");
}
