//! The templates of slurm/ on a real Slurm of two virtual nodes, which tests/slurm-cluster.sh starts.
//!
//! Skipped by name where there is no Slurm, or where we are not root.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::*;

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
            eprintln!("skipped: Slurm (its nodes do not come up here)");
            return None;
        }
        Some(cluster)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.0.path().join("slurm.conf")).env("NORN", env!("CARGO_BIN_EXE_norn"));
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command
    }

    /// Submits a template; the job's number.
    fn submit(&self, night: &Path, options: &[&str], template: &str, more: &[&str]) -> String {
        let output = self
            .command("sbatch")
            .args(["--parsable", "--cpus-per-task=1", "--mem-per-cpu=500M", "--output=job-%j.log"])
            .args(options)
            .arg(root().join("slurm").join(template))
            .args(more)
            .current_dir(night)
            .output()
            .expect("sbatch starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Waits until no job is left; a minute and a half at most.
    fn wait(&self, night: &Path) {
        for _ in 0..180 {
            let queue = self.command("squeue").arg("--noheader").output().expect("squeue starts").stdout;
            if queue.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        let queue = self.command("squeue").output().expect("squeue starts");
        panic!("jobs do not end:\n{}{}", String::from_utf8_lossy(&queue.stdout), logs(night));
    }
}

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

#[test]
fn a_night_by_slurm_is_a_night() {
    let Some(cluster) = Cluster::start() else { return };
    let directory = tempfile::tempdir().expect("directory");
    let night = directory.path();
    let testdata = root().join("testdata");
    let reference = testdata.join("genome.fa");
    fs::write(
        night.join("batch.toml"),
        format!("reference = {reference:?}\nsteps = [\"qc\"]\n[qc]\nsplit = \"1M\"\n"),
    )
    .expect("written");
    let rows: String = ["child", "father", "mother"]
        .map(|sample| format!("{sample}\t{}\n", testdata.join(format!("{sample}.bam")).display()))
        .concat();
    fs::write(night.join("samples.tsv"), format!("sample\tbam\n{rows}")).expect("written");
    let words = ["batch.toml", "samples.tsv"];
    let whole = night.join("whole");
    let whole_name = whole.to_str().expect("UTF-8");
    let (config, sheet) = (night.join("batch.toml"), night.join("samples.tsv"));
    norn_ok(&[
        "batch",
        "run",
        "-q",
        "-c",
        config.to_str().expect("UTF-8"),
        "-s",
        sheet.to_str().expect("UTF-8"),
        "-o",
        whole_name,
    ]);
    let expected = results(&whole.join("samples"));
    assert!(expected.len() > 40);

    let check = |name: &str| {
        let found = results(&night.join(name).join("samples"));
        assert!(found == expected, "{name}: {:?}\n{}", found.keys().collect::<Vec<_>>(), logs(night));
        norn_ok(&["batch", "verify", "-o", night.join(name).to_str().expect("UTF-8")]);
    };
    // An array of two tasks, and a report that waits for it.
    let job =
        cluster.submit(night, &["--array=1-2"], "batch-array.sbatch", &[&words[..], &["array"]].concat());
    let waiting = format!("--dependency=afterok:{job}");
    let norn = env!("CARGO_BIN_EXE_norn");
    let report = cluster
        .command("sbatch")
        .args([&waiting, "--output=report.log", &format!("--wrap={norn} batch report -o array")])
        .current_dir(night)
        .status();
    assert!(report.expect("sbatch starts").success());
    cluster.wait(night);
    check("array");

    // Requeued in the midst of it, and once more.
    let job =
        cluster.submit(night, &["--array=1-1"], "batch-array.sbatch", &[&words[..], &["requeued"]].concat());
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(1500));
        // A job that has ended cannot be requeued.
        let _ = cluster.command("scontrol").args(["requeue", &format!("{job}_1")]).output();
    }
    let _ = cluster.command("scontrol").args(["update", &format!("JobId={job}_1"), "StartTime=now"]).output();
    cluster.wait(night);
    check("requeued");

    if std::env::var_os("NORN_MPI").is_none() {
        eprintln!("skipped: MPI under Slurm (built without it; NORN_MPI=1 with --features mpi)");
        return;
    }
    // Two virtual nodes of one machine collide in PMIx's directory, so mpirun starts the ranks, and not srun.
    let launch = "NORN_LAUNCH=mpirun --mca plm isolated --mca ras ^slurm --oversubscribe -n 2";
    let export = format!("--export=ALL,{launch}");
    cluster.submit(
        night,
        &["--nodes=2", "--ntasks-per-node=1", &export],
        "batch-mpi.sbatch",
        &[&words[..], &["mpi"]].concat(),
    );
    cluster.wait(night);
    check("mpi");
}
