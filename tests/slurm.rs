//! `norn slurm`, and the templates of slurm/ on a real Slurm of two virtual nodes, which tests/slurm-cluster.sh starts.
//!
//! Skipped by name where there is no Slurm, or where we are not root. Ranks run with the feature `mpi` and NORN_MPI=1 in the environment.
//! srun starts the ranks of one node; two virtual nodes of one machine collide in PMIx's directory, so mpirun starts those of both.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::made::Random;
use common::*;

/// What mpirun needs where it is to take the ranks of two virtual nodes for those of one machine.
const MPIRUN: &str = "mpirun --mca plm isolated --mca ras ^slurm --oversubscribe -n 2";

/// Two clusters at once are slow, and no better a test.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The cluster, which ends with the test.
struct Cluster(tempfile::TempDir);

impl Cluster {
    fn start() -> Option<Self> {
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        let programs = ["/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged"];
        if !is_root || !programs.iter().all(|program| Path::new(program).is_file()) {
            assert!(!is_ci(), "Slurm is not installed");
            eprintln!("skipped: Slurm (slurm-wlm and munge, as root)");
            return None;
        }
        let cluster = Self(tempfile::tempdir().expect("directory"));
        let started =
            Command::new(root().join("tests/slurm-cluster.sh")).arg("start").arg(cluster.0.path()).status();
        if !started.expect("bash starts").success() {
            assert!(!is_ci(), "the nodes of Slurm do not come up");
            eprintln!("skipped: Slurm (its nodes do not come up here)");
            return None;
        }
        Some(cluster)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.0.path().join("slurm.conf"));
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command
    }

    /// `norn slurm submit` in the directory of a night; `launch` is what starts ranks, else it is srun.
    fn norn_submit(&self, night: &Path, launch: Option<&str>, words: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_norn"));
        command.envs(launch.map(|launch| ("NORN_LAUNCH", launch)));
        command.args(["slurm", "submit"]).args(words).current_dir(night).output().expect("norn starts")
    }

    /// Submits a template for small tasks; the job's number.
    fn submit(&self, night: &Path, template: &str, options: &[&str], arguments: &[&str]) -> String {
        self.submit_with(None, night, template, options, arguments)
    }

    fn submit_with(
        &self,
        launch: Option<&str>,
        night: &Path,
        template: &str,
        options: &[&str],
        arguments: &[&str],
    ) -> String {
        let log = format!("--output=job-%j-{template}.log");
        let words = [&[template, "--cluster", "small.toml", &log], options, &["--"], arguments].concat();
        let output = self.norn_submit(night, launch, &words);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let job = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(job.bytes().all(|byte| byte.is_ascii_digit()) && !job.is_empty(), "{job}");
        job
    }

    /// State of a job and how often it was requeued, as scontrol has them; empty where it is forgotten.
    fn state(&self, job: &str) -> (String, usize) {
        let output = self.command("scontrol").args(["--oneliner", "show", "job", job]).output();
        let text = String::from_utf8_lossy(&output.expect("scontrol starts").stdout).into_owned();
        let field = |name: &str| {
            text.split_whitespace().find_map(|word| word.strip_prefix(name)).unwrap_or_default().to_owned()
        };
        (field("JobState="), field("Restarts=").parse().unwrap_or(0))
    }

    /// Waits until a job is in one of some states.
    fn wait_for(&self, night: &Path, job: &str, states: &[&str]) -> (String, usize) {
        let begun = Instant::now();
        loop {
            let found = self.state(job);
            if states.contains(&found.0.as_str()) {
                return found;
            }
            let is_over = ["FAILED", "TIMEOUT", "NODE_FAIL"].contains(&found.0.as_str());
            assert!(!is_over && begun.elapsed() < PATIENCE, "job {job} is {found:?}\n{}", logs(night));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until a job has come to its good end; how often it was requeued. A requeued job waits for two minutes; here it need not.
    fn finish(&self, night: &Path, job: &str) -> usize {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "job {job} does not end\n{}", logs(night));
            let (state, restarts) = self.wait_for(night, job, &["COMPLETED", "PENDING"]);
            if state == "COMPLETED" {
                return restarts;
            }
            self.go_on(job);
        }
    }

    /// Lets a requeued job begin. Slurm has its two minutes for a reason: until what was killed is gone (KillWait) nodes refuse the job, or
    /// take its new step for the old one.
    fn go_on(&self, job: &str) {
        std::thread::sleep(Duration::from_secs(4));
        self.scontrol(&["update", &format!("JobId={job}"), "StartTime=now"]);
    }

    /// Whether scontrol does it.
    fn scontrol(&self, words: &[&str]) -> bool {
        self.command("scontrol").args(words).output().expect("scontrol starts").status.success()
    }
}

/// No job of ours takes as long on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new(root().join("tests/slurm-cluster.sh")).arg("stop").arg(self.0.path()).status();
    }
}

fn logs(night: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(night).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "log") {
            text += &format!(
                "{}\n{}\n",
                entry.path().display(),
                fs::read_to_string(entry.path()).unwrap_or_default()
            );
        }
    }
    text
}

/// All files below a directory but run files, by name.
fn results(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else if !path.to_string_lossy().ends_with("run.json") {
                files.insert(
                    path.strip_prefix(directory).expect("below").to_owned(),
                    fs::read(path).expect("file"),
                );
            }
        }
    }
    files
}

/// The trio's night, of twelve tasks: each BAM in three parts, which are put together.
struct Night {
    directory: tempfile::TempDir,
    expected: BTreeMap<PathBuf, Vec<u8>>,
}

const TASKS: usize = 12;

impl Night {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("directory");
        let testdata = root().join("testdata");
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
        write(
            "batch.toml",
            &format!(
                "reference = {:?}\nsteps = [\"qc\"]\n[qc]\nsplit = \"1M\"\nresources = {{ threads = 1, memory = \"64M\" }}\n",
                testdata.join("genome.fa")
            ),
        );
        let rows: String = ["child", "father", "mother"]
            .map(|sample| format!("{sample}\t{}\n", testdata.join(format!("{sample}.bam")).display()))
            .concat();
        write("samples.tsv", &format!("sample\tbam\n{rows}"));
        write(
            "small.toml",
            "about = \"the cluster of this test\"\n[options]\ncpus-per-task = 1\nmem-per-cpu = \"500M\"\nnodes = 1\n",
        );
        let night = Self { directory, expected: BTreeMap::new() };
        let (config, sheet) = (night.path().join("batch.toml"), night.path().join("samples.tsv"));
        let whole = night.path().join("whole");
        norn_ok(&["batch", "run", "-q", "-c", utf8(&config), "-s", utf8(&sheet), "-o", utf8(&whole)]);
        let expected = results(&whole.join("samples"));
        assert!(expected.len() > 40);
        Self { expected, ..night }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What has a name that counts is whole.
    fn check_names(&self, out: &str, what: &str) {
        for (name, bytes) in results(&self.path().join(out).join("samples")) {
            assert!(self.expected.get(&name) == Some(&bytes), "{what}: {} is not whole", name.display());
        }
    }

    /// The results are those of an undisturbed night, and the ledgers tell the truth: every task was done once, none was begun again
    /// after it was done, and nothing half done lies about.
    fn check(&self, out: &str, what: &str) {
        let run_dir = self.path().join(out);
        let found = results(&run_dir.join("samples"));
        assert!(
            found == self.expected,
            "{what}: {:?}\n{}",
            found.keys().collect::<Vec<_>>(),
            logs(self.path())
        );
        norn_ok(&["batch", "verify", "-o", utf8(&run_dir)]);
        let done: usize = self.ledgers(out).iter().map(|ledger| done_once(ledger, what)).sum();
        assert_eq!(done, TASKS, "{what}");
        let work = results(&run_dir.join("work"));
        assert!(work.is_empty(), "{what}: {:?}", work.keys().collect::<Vec<_>>());
        for name in fs::read_dir(&run_dir).expect("run directory").flatten().map(|entry| entry.file_name()) {
            let name = name.to_string_lossy().into_owned();
            assert!(!name.starts_with("lock") && !name.ends_with(".tmp"), "{what}: {name}");
        }
    }

    fn ledgers(&self, out: &str) -> Vec<Vec<serde_json::Value>> {
        let entries = fs::read_dir(self.path().join(out)).expect("run directory").flatten();
        let paths = entries
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ledger")));
        let read = |path: PathBuf| {
            let text = fs::read_to_string(path).expect("ledger");
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        paths.map(read).collect()
    }
}

/// How the runs of a ledger ended.
fn outcomes(ledger: &[serde_json::Value]) -> Vec<String> {
    let ends = ledger.iter().filter(|line| line["event"] == "end");
    ends.map(|line| line["outcome"].as_str().unwrap_or_default().to_owned()).collect()
}

/// How many tasks a ledger has as done; each once, and not begun after that.
fn done_once(ledger: &[serde_json::Value], what: &str) -> usize {
    let mut done = BTreeSet::new();
    for (number, line) in ledger.iter().enumerate() {
        assert_eq!(line["seq"], number, "{what}");
        let task = line["task"].to_string();
        match line["event"].as_str() {
            Some("start") => assert!(!done.contains(&task), "{what}: {task} was begun after it was done"),
            Some("done") => assert!(done.insert(task), "{what}: done twice: {line}"),
            _ => {}
        }
    }
    done.len()
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

const NIGHT: [&str; 2] = ["batch.toml", "samples.tsv"];

#[test]
fn a_night_by_slurm_is_a_night() {
    let _one = ONE_AT_A_TIME.lock();
    let Some(cluster) = Cluster::start() else { return };
    let night = Night::new();
    let at = |out: &'static str| [NIGHT[0], NIGHT[1], out];

    // An array with a task a sample, and a report that waits for it.
    let job = cluster.submit(night.path(), "batch-array", &[], &at("array"));
    let waiting = format!("--dependency=afterok:{job}");
    let report = format!("--wrap={} batch report -o array", env!("CARGO_BIN_EXE_norn"));
    let report = cluster
        .command("sbatch")
        .args(["--parsable", &waiting, "--output=report.log", &report])
        .current_dir(night.path())
        .output()
        .expect("sbatch starts");
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    cluster.finish(night.path(), String::from_utf8_lossy(&report.stdout).trim());
    night.check("array", "an array");
    assert_eq!(night.ledgers("array").len(), 3, "a ledger for each task of the array");
    assert!(night.path().join("array/report/index.html").is_file(), "{}", logs(night.path()));

    // Requeued in the midst of it, and once more.
    let job = cluster.submit(night.path(), "batch-array", &["--array=1-1"], &at("requeued")) + "_1";
    for again in 0..2 {
        cluster.wait_for(night.path(), &job, &["RUNNING", "COMPLETED"]);
        std::thread::sleep(Duration::from_millis(200));
        // A job that has ended meanwhile is begun again, too.
        assert!(cluster.scontrol(&["requeue", &job]), "{:?}", cluster.state(&job));
        wait_until(|| cluster.state(&job) == ("PENDING".to_owned(), again + 1), "the job is requeued");
        cluster.go_on(&job);
    }
    assert_eq!(cluster.finish(night.path(), &job), 2);
    night.check("requeued", "requeued");

    // Cancelled by its user, it stays so, until he thinks better of it.
    let job = cluster.submit(night.path(), "batch-array", &["--array=1-1"], &at("cancelled")) + "_1";
    wait_until(|| night.path().join("cancelled/night.json").is_file(), "the job begins");
    assert!(cluster.command("scancel").arg(&job).status().expect("scancel starts").success());
    cluster.wait_for(night.path(), &job, &["CANCELLED"]);
    night.check_names("cancelled", "cancelled");
    assert_eq!(cluster.state(&job), ("CANCELLED".to_owned(), 0));
    assert!(cluster.scontrol(&["requeue", &job]));
    assert_eq!(cluster.finish(night.path(), &job), 1);
    night.check("cancelled", "cancelled");

    // Told that its time is nearly up, as --signal does it, it is requeued by its template.
    let job = cluster.submit(night.path(), "batch-array", &["--array=1-1"], &at("warned")) + "_1";
    wait_until(|| night.path().join("warned/night.json").is_file(), "the job begins");
    let warning = cluster.command("scancel").args(["--batch", "--signal=USR1", &job]).status();
    assert!(warning.expect("scancel starts").success());
    wait_until(|| cluster.state(&job) == ("PENDING".to_owned(), 1), "the job is requeued");
    night.check_names("warned", "warned");
    assert_eq!(cluster.finish(night.path(), &job), 1);
    night.check("warned", "warned");
    assert_eq!(outcomes(&night.ledgers("warned")[0]), ["stopped", "done"]);

    // What Slurm does not take is told in a line.
    let words = [&["batch-array", "--partition=none", "--"], &at("refused")[..]].concat();
    let refused = cluster.norn_submit(night.path(), None, &words);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.starts_with("norn: sbatch refuses: ") && told.contains("artition"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn every_template_does_what_its_command_does() {
    let _one = ONE_AT_A_TIME.lock();
    let Some(cluster) = Cluster::start() else { return };
    let night = Night::new();
    let testdata = root().join("testdata");
    let data = |name: &str| testdata.join(name).to_str().expect("UTF-8").to_owned();
    let at = |name: &str| night.path().join(name).to_str().expect("UTF-8").to_owned();
    let (reference, calls) = (data("genome.fa"), data("trio.truth.vcf.gz"));
    let score = root().join("examples/demo/made-score.txt");
    let write = |name: &str, text: &str| fs::write(night.path().join(name), text).expect("written");
    write("chain.toml", "[[step]]\ndo = \"split\"\n[[step]]\ndo = \"left-align\"\n");
    norn_ok(&["db", "genes", "-r", &reference, "-o", &at("genes.ndb"), "--gff", &data("genes.gff3")]);
    let mut list = String::new();
    for sample in ["child", "father"] {
        norn_ok(&["variants", "view", "-s", sample, "-o", &at(&format!("{sample}.vcf.gz")), &calls]);
        list += &format!("{}\n", at(&format!("{sample}.vcf.gz")));
    }
    write("calls.txt", &list);
    write("bams.txt", &format!("{}\n{}\n", data("child.bam"), data("father.bam")));
    // By Slurm: what an array does is there in any build, what ranks do in one with MPI; one rank is no ranks.
    let has_mpi = std::env::var_os("NORN_MPI").is_some();
    let ranks: &[&str] =
        if has_mpi { &["--sbatch=ntasks-per-node=2"] } else { &["--sbatch=ntasks-per-node=1"] };
    let genotypes = at("child.vcf.gz");
    let figures = ["--collectors", "flagstat,depth"];
    let both = [data("child.bam"), data("father.bam")];
    let submit = |template: &str, options: &[&str], arguments: &[&str]| {
        cluster.submit(night.path(), template, options, arguments)
    };
    let arrays = [
        submit("qc", &[], &[&["bams.txt", &reference, "qc"], &figures[..]].concat()),
        submit("variants", &[], &["calls.txt", "chain.toml", &reference, "variants"]),
    ];
    let jobs = [
        submit(
            "qc-mpi",
            ranks,
            &[&[reference.as_str(), "qc-mpi", &both[0], &both[1]], &figures[..]].concat(),
        ),
        submit("annotate-mpi", ranks, &[&calls, &reference, "genes.ndb", "annotated.vcf.gz", "--no-stats"]),
        submit("prs-mpi", ranks, &[&genotypes, utf8(&score), "prs", "--build", "GRCh38"]),
    ];
    let tasks = arrays.iter().flat_map(|job| ["_1", "_2"].map(|task| format!("{job}{task}")));
    for job in tasks.chain(jobs.iter().cloned()) {
        cluster.finish(night.path(), &job);
    }
    // By hand.
    for bam in ["child.bam", "father.bam"] {
        norn_ok(&[
            "qc",
            "-q",
            "-r",
            &reference,
            "-o",
            &at("by-hand-qc"),
            "--collectors",
            "flagstat,depth",
            &data(bam),
        ]);
    }
    norn_ok(&[
        "annotate",
        "--quiet",
        "-r",
        &reference,
        "--genes",
        &at("genes.ndb"),
        "--no-stats",
        "-o",
        &at("by-hand.vcf.gz"),
        &calls,
    ]);
    norn_ok(&[
        "prs",
        "score",
        "--genotypes",
        &genotypes,
        "--scores",
        utf8(&score),
        "-o",
        &at("by-hand-prs"),
        "--build",
        "GRCh38",
    ]);
    fs::remove_dir_all(night.path().join("qc/states")).expect("states of qc");
    for (job, hand) in [("qc", "by-hand-qc"), ("qc-mpi", "by-hand-qc"), ("prs", "by-hand-prs")] {
        let (job, hand) = (results(&night.path().join(job)), results(&night.path().join(hand)));
        assert!(
            !hand.is_empty() && job == hand,
            "{:?} {:?}\n{}",
            job.keys(),
            hand.keys(),
            logs(night.path())
        );
    }
    let bodies = |name: &str| without_comments(&text(&night.path().join(name)));
    assert_eq!(difference(&bodies("by-hand.vcf.gz"), &bodies("annotated.vcf.gz")), None);
    assert!(bodies("by-hand.vcf.gz").contains("CSQ="));
    for sample in ["child", "father"] {
        norn_ok(&[
            "variants",
            "run",
            &at("chain.toml"),
            "-f",
            &reference,
            "-o",
            &at("hand.vcf.gz"),
            &at(&format!("{sample}.vcf.gz")),
        ]);
        assert_eq!(difference(&bodies("hand.vcf.gz"), &bodies(&format!("variants/{sample}.vcf.gz"))), None);
        assert!(night.path().join(format!("variants/{sample}.vcf.gz.csi")).is_file());
    }
}

/// A verdict is no failure, a warning that the time is nearly up no end, and two results of one name are none.
#[test]
fn what_templates_make_of_codes_signals_and_names() {
    let _one = ONE_AT_A_TIME.lock();
    let Some(cluster) = Cluster::start() else { return };
    let night = Night::new();
    let testdata = root().join("testdata");
    let reference = testdata.join("genome.fa");
    let write = |name: &str, text: &str| fs::write(night.path().join(name), text).expect("written");
    let metric = "[[metric]]\nkey = \"stats.percent_mapped\"\nfail_above = 1.0\nrequired = true\n";
    write("bounds.toml", &format!("assay = \"none passes\"\nversion = \"1\"\n{metric}"));
    let figures = ["--collectors", "flagstat,stats", "--thresholds", "bounds.toml"];

    // The task waits for the other end of a pipe, which a file takes the place of before the next go.
    let input = night.path().join("child.bam");
    let made = Command::new("mkfifo").arg(&input).status().expect("mkfifo starts");
    assert!(made.success());
    write("bams.txt", "child.bam\n");
    let arguments = [&["bams.txt", utf8(&reference), "qc"], &figures[..]].concat();
    let job = cluster.submit(night.path(), "qc", &[], &arguments) + "_1";
    wait_until(|| night.path().join("qc/states").is_dir(), "the job begins");
    let warning = cluster.command("scancel").args(["--batch", "--signal=USR1", &job]).status();
    assert!(warning.expect("scancel starts").success());
    wait_until(|| cluster.state(&job) == ("PENDING".to_owned(), 1), "the job is requeued");
    fs::remove_file(&input).expect("the pipe goes");
    fs::copy(testdata.join("child.bam"), &input).expect("copied");
    assert_eq!(cluster.finish(night.path(), &job), 1);
    let told = fs::read_to_string(night.path().join("qc/child.qc.json")).expect("figures");
    assert!(told.contains("\"FAIL\""), "{told}");

    let arguments = [&[utf8(&reference), "qc-mpi", "child.bam"], &figures[..]].concat();
    let job = cluster.submit(night.path(), "qc-mpi", &["--sbatch=ntasks-per-node=1"], &arguments);
    cluster.finish(night.path(), &job);
    let results = |out: &str| fs::read(night.path().join(out).join("child.flagstat.txt")).expect("figures");
    assert_eq!(results("qc"), results("qc-mpi"));

    for name in ["a/x.vcf.gz", "b/x.bcf"] {
        fs::create_dir_all(night.path().join(&name[..1])).expect("directory");
        write(name, "");
    }
    write("calls.txt", "a/x.vcf.gz\nb/x.bcf\n");
    let arguments = ["calls.txt", "chain.toml", utf8(&reference), "variants"];
    let job = cluster.submit(night.path(), "variants", &[], &arguments);
    wait_until(|| cluster.state(&format!("{job}_2")).0 == "FAILED", "the job ends");
    let log = logs(night.path());
    assert!(log.contains("files of calls.txt would have one result, x.vcf.gz"), "{log}");
    assert!(!night.path().join("variants").exists());
}

/// The ranks of a job, by their numbers.
fn ranks_of(job: &str) -> BTreeMap<usize, String> {
    let mut ranks = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let words: Vec<String> = read("cmdline")
            .split(|&byte| byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        if words.first().is_none_or(|word| word != env!("CARGO_BIN_EXE_norn"))
            || words.get(1).is_none_or(|w| w != "batch")
        {
            continue;
        }
        let environment = read("environ");
        let value = |name: &str| {
            environment
                .split(|&byte| byte == 0)
                .find_map(|line| Some(String::from_utf8_lossy(line).strip_prefix(name)?.to_owned()))
        };
        if value("SLURM_JOB_ID=").is_some_and(|of| of == job)
            && let Some(rank) = value("OMPI_COMM_WORLD_RANK=")
                .or_else(|| value("PMIX_RANK="))
                .and_then(|rank| rank.parse().ok())
        {
            ranks.insert(rank, entry.file_name().to_string_lossy().into_owned());
        }
    }
    ranks
}

fn wait_until(mut is_so: impl FnMut() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: it does not come to pass");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ranks_that_are_killed_cost_what_was_not_finished() {
    if std::env::var_os("NORN_MPI").is_none() {
        eprintln!("skipped: MPI under Slurm (built without it; NORN_MPI=1 with --features mpi)");
        return;
    }
    let _one = ONE_AT_A_TIME.lock();
    let Some(cluster) = Cluster::start() else { return };
    let night = Night::new();
    // srun has two ranks of one node; mpirun one of each.
    let submit = |out: &str, is_srun: bool| {
        let (launch, options) = if is_srun {
            (None, ["--nodes=1", "--sbatch=ntasks-per-node=2"])
        } else {
            (Some(MPIRUN), ["--nodes=2", "--sbatch=ntasks-per-node=1"])
        };
        cluster.submit_with(launch, night.path(), "batch-mpi", &options, &[NIGHT[0], NIGHT[1], out])
    };
    // srun on one node, mpirun on two, undisturbed; and how long that takes from when the ranks are there.
    let mut took = Duration::ZERO;
    for (out, is_srun) in [("srun", true), ("mpirun", false)] {
        let job = submit(out, is_srun);
        wait_until(|| ranks_of(&job).len() == 2 || cluster.state(&job).0 == "COMPLETED", out);
        let begun = Instant::now();
        wait_until(|| ranks_of(&job).is_empty(), out);
        took = took.max(begun.elapsed());
        cluster.finish(night.path(), &job);
        night.check(out, out);
        let ledgers = night.ledgers(out);
        let begin = ledgers[0].iter().find(|line| line["event"] == "begin").expect("a beginning");
        assert_eq!((&begin["ranks"], begin["slurm_job"].as_str()), (&2.into(), Some(job.as_str())), "{out}");
        assert!(night.path().join(out).join("report/index.html").is_file(), "{out}");
    }
    // A warning reaches the ranks by way of their launcher, and the job goes on in another; a cancelled one does not.
    for (out, is_srun, signal) in [
        ("warned-srun", true, "--signal=USR1"),
        ("warned-mpirun", false, "--signal=USR1"),
        ("cancelled", true, ""),
    ] {
        let job = submit(out, is_srun);
        wait_until(|| night.path().join(out).join("night.json").is_file(), out);
        let mut scancel = cluster.command("scancel");
        if !signal.is_empty() {
            scancel.args(["--batch", signal]);
        }
        assert!(scancel.arg(&job).status().expect("scancel starts").success());
        if signal.is_empty() {
            cluster.wait_for(night.path(), &job, &["CANCELLED"]);
            assert!(cluster.scontrol(&["requeue", &job]));
        } else {
            wait_until(|| cluster.state(&job) == ("PENDING".to_owned(), 1), out);
        }
        night.check_names(out, out);
        assert_eq!(cluster.finish(night.path(), &job), 1, "{out}");
        night.check(out, out);
        if !signal.is_empty() {
            assert_eq!(outcomes(&night.ledgers(out)[0]), ["stopped", "done"], "{out}");
        }
    }
    // A rank is killed at a random moment, twenty times; the job is requeued by its template.
    let base = std::env::var("NORN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.subsec_nanos().into())
    });
    let interrupted = Mutex::new(0);
    let next = Mutex::new(0);
    let one = |number: u64| {
        let seed = base + number;
        let mut random = Random::new(seed);
        let out = format!("killed{number}");
        let is_srun = random.below(4) > 0;
        let job = submit(&out, is_srun);
        let moment = took.mul_f64(random.below(1000) as f64 / 1000.0);
        let mut ranks = BTreeMap::new();
        wait_until(
            || {
                ranks = ranks_of(&job);
                ranks.len() == 2 || cluster.state(&job).0 == "COMPLETED"
            },
            &out,
        );
        std::thread::sleep(moment);
        let victim = random.below(2);
        let what = format!("NORN_SEED={base}, the {number}th, rank {victim} after {moment:.2?}");
        if let Some(process) = ranks.get(&victim) {
            let _ = Command::new("kill").args(["-KILL", process]).output();
        }
        let (state, _) = cluster.wait_for(night.path(), &job, &["COMPLETED", "PENDING"]);
        night.check_names(&out, &what);
        if state == "PENDING" {
            *interrupted.lock().expect("no panic") += 1;
        }
        let restarts = cluster.finish(night.path(), &job);
        eprintln!("{what}: {}, requeued {restarts} times", if is_srun { "srun" } else { "mpirun" });
        night.check(&out, &what);
        let ledger = &night.ledgers(&out)[0];
        let begins = ledger.iter().filter(|line| line["event"] == "begin").count();
        // Killed before it could say that it began, a run has no line.
        assert!((1..=restarts + 1).contains(&begins), "{what}: {begins} beginnings, {restarts} requeues");
        assert_eq!(ledger.last().expect("a line")["outcome"], "done", "{what}");
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let number = {
                        let mut next = next.lock().expect("no panic");
                        *next += 1;
                        *next
                    };
                    if number > 20 {
                        break;
                    }
                    one(number);
                }
            });
        }
    });
    let interrupted = interrupted.into_inner().expect("no panic");
    assert!(interrupted >= 10, "{interrupted} of 20 were interrupted: the rest had ended before");
}

#[test]
fn a_dry_run_shows_the_script() {
    let directory = tempfile::tempdir().expect("directory");
    fs::write(directory.path().join("list.txt"), "a.bam\nb.bam\r\nc.bam\n").expect("written");
    for name in ["a.bam", "b.bam", "c.bam"] {
        fs::write(directory.path().join(name), "").expect("written");
    }
    let submit = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_norn"));
        let output = command
            .args(["slurm", "submit", "--dry-run"])
            .args(words)
            .current_dir(directory.path())
            .output()
            .expect("norn starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let words = [
        "qc",
        "--cluster",
        "saga",
        "--account",
        "nn1234k",
        "--time",
        "00:30:00",
        "--dependency=afterok:7",
        "--module",
        "OpenMPI/4.1.6",
        "--",
        "list.txt",
        "GRCh38 no alt.fa",
        "out",
        "--by",
        "500",
    ];
    // The template as it lies in slurm/, with some lines changed.
    let template = fs::read_to_string(root().join("slurm/qc.sbatch")).expect("template");
    let mut expected = template.clone();
    for (from, to) in [
        ("--account=nnXXXXk", "--account=nn1234k"),
        ("--time=02:00:00", "--time=00:30:00"),
        ("--cpus-per-task=8", "--cpus-per-task=20"),
        ("--mem-per-cpu=1G", "--mem-per-cpu=4G"),
    ] {
        assert!(expected.contains(&format!("#SBATCH {from}\n")), "{from}");
        expected = expected.replace(&format!("#SBATCH {from}\n"), &format!("#SBATCH {to}\n"));
    }
    let filled = format!(
        "#SBATCH --partition=normal\n#SBATCH --dependency=afterok:7\n#SBATCH --array=1-3\n# Filled in by norn slurm submit.\n\
         export NORN={}\nexport NORN_MODULES=OpenMPI/4.1.6\nset -- list.txt 'GRCh38 no alt.fa' out --by 500\n",
        env!("CARGO_BIN_EXE_norn")
    );
    expected = expected.replace("#NORN array=lines:1 arguments=3\n", &filled);
    assert_eq!(submit(&words), expected);
    // A path is as good as a name, and without an account there is no line of one.
    let path = root().join("slurm/qc.sbatch");
    let bare = submit(&[utf8(&path), "--array=2", "--", "list.txt", "b", "c"]);
    assert!(bare.contains("#SBATCH --array=2\n") && !bare.contains("--account"), "{bare}");
    // Every template fills to something that bash can read.
    for line in String::from_utf8_lossy(&norn_ok(&["slurm", "list"]).stdout).lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells[0] == "template" {
            let script = submit(&[cells[1], "--array=1-2", "--", "a", "b", "c", "it's"]);
            fs::write(directory.path().join("script"), &script).expect("written");
            let read = Command::new("bash").args(["-n", "script"]).current_dir(directory.path()).status();
            assert!(read.expect("bash starts").success(), "{script}");
            assert!(script.contains("\nset -- a b c 'it'\\''s'\n"), "{script}");
        } else {
            submit(&["qc", "--cluster", cells[1], "--", "list.txt", "b", "c"]);
        }
    }
    // What lies in slurm/ is what the binary has.
    let listed = String::from_utf8(norn_ok(&["slurm", "list"]).stdout).expect("UTF-8");
    for (folder, what, ending) in [("slurm", "template", "sbatch"), ("slurm/clusters", "cluster", "toml")] {
        for entry in fs::read_dir(root().join(folder)).expect("directory").flatten() {
            if entry.path().extension().is_some_and(|found| found == ending) {
                let name = entry.path().file_stem().expect("name").to_string_lossy().into_owned();
                assert!(listed.contains(&format!("{what}\t{name}\t")), "norn slurm list lacks {name}");
            }
        }
    }
}

#[test]
fn what_cannot_be_submitted_is_told_in_a_line() {
    let directory = tempfile::tempdir().expect("directory");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
    write("list.txt", "a.bam\n\nc.bam\n");
    write("none.txt", "");
    write("a.bam", "");
    write("lost.txt", "a.bam\nlost.bam\n");
    write("many.txt", &"a.bam\n".repeat(1001));
    write("sheet.tsv", "sample\tbam\nS\tmissing.bam\n");
    write("odd.toml", "about = 'x'\n[options]\nqos = [1]\n");
    // An sbatch that takes nothing, and one that talks.
    for (name, script) in [
        (
            "refuses",
            "#!/bin/sh\necho 'sbatch: error: Batch job submission failed: Invalid account' >&2\nexit 1\n",
        ),
        ("talks", "#!/bin/sh\ncat >/dev/null\necho hello\n"),
    ] {
        fs::create_dir(directory.path().join(name)).expect("directory");
        let path = directory.path().join(name).join("sbatch");
        fs::write(&path, script).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).expect("mode");
    }
    let bin = std::env::var("PATH").expect("PATH");
    for (path, words, code, told) in [
        ("", &["nigth", "--", "a"][..], 2, "norn: no template \"nigth\": there are annotate-mpi, "),
        ("", &["./none.sbatch", "--", "a"], 3, "norn: ./none.sbatch: No such file"),
        ("", &["list.txt", "--", "a"], 3, "norn: list.txt: it is no script"),
        (
            "",
            &["qc", "--", "list.txt", "b"],
            2,
            "norn: qc takes at least 3 arguments behind --, there are 2; as in: norn slurm submit qc -- ",
        ),
        (
            "",
            &["qc", "--cluster", "sage", "--", "list.txt", "b", "c"],
            2,
            "norn: no cluster \"sage\": there are betzy, ",
        ),
        ("", &["qc", "--cluster", "odd.toml", "--", "list.txt", "b", "c"], 3, "norn: odd.toml: line 3: "),
        (
            "",
            &["qc", "--time", "1\n2", "--", "list.txt", "b", "c"],
            2,
            "norn: option \"time\" of sbatch: control characters",
        ),
        (
            "",
            &["qc", "--sbatch=-t 1", "--", "list.txt", "b", "c"],
            2,
            "norn: option \"-t 1\" of sbatch: it is no long option",
        ),
        ("", &["qc", "--", "list.txt", "b", "c\nd"], 2, "norn: argument 3: "),
        ("", &["qc", "--", "list.txt", "b", "c"], 3, "norn: list.txt: line 2: it is empty"),
        ("", &["qc", "--", "none.txt", "b", "c"], 3, "norn: none.txt: it is empty"),
        ("", &["qc", "--", "gone.txt", "b", "c"], 3, "norn: gone.txt: No such file"),
        ("", &["qc", "--", "lost.txt", "b", "c"], 3, "norn: lost.txt: line 2: there is no file lost.bam"),
        (
            "",
            &["qc", "--", "many.txt", "b", "c"],
            3,
            "norn: many.txt: it has 1001 lines, and an array 1000 tasks",
        ),
        ("", &["batch-array", "--", "batch.toml", "sheet.tsv", "out"], 3, "norn: "),
        ("", &["qc", "--array=1", "--", "list.txt", "b", "c"], 1, "norn: sbatch is not on the PATH"),
        (
            "refuses",
            &["qc", "--array=1", "--", "list.txt", "b", "c"],
            1,
            "norn: sbatch refuses: Batch job submission failed: Invalid account\n",
        ),
        ("talks", &["qc", "--array=1", "--", "list.txt", "b", "c"], 1, "norn: sbatch says \"hello\", where "),
    ] {
        let path = match path {
            "" => String::new(),
            name => format!("{}:{bin}", directory.path().join(name).display()),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_norn"));
        let output = command
            .args(["slurm", "submit"])
            .args(words)
            .env("PATH", path)
            .current_dir(directory.path())
            .output()
            .expect("norn starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.starts_with(told), "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{words:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}
