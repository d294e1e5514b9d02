//! `--memory`: people in passes, scores in tiles, and the same bytes.

mod common;

use std::fs;
use std::path::Path;

use common::made::Random;
use common::*;

/// Scores of made weights at sites of the panel, so many that a mebibyte is too little for all of them.
fn write_scores(directory: &Path, count: usize) {
    let sites = text(&root().join("testdata/panel/panel.bim"));
    let sites: Vec<Vec<&str>> = sites.lines().map(|line| line.split('\t').collect()).collect();
    let mut random = Random::new(11);
    fs::create_dir(directory).expect("directory");
    for number in 0..count {
        let rows: String = sites
            .iter()
            .filter_map(|site| {
                let weight = random.below(2_000) as f64 / 1e3 - 1.0;
                let row = format!("{}\t{}\t{}\t{}\t{weight}\n", site[0], site[3], site[4], site[5]);
                (random.below(3) == 0).then_some(row)
            })
            .collect();
        let head = format!(
            "#pgs_id=MADE{number:03}\n#genome_build=GRCh38\n\
             chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
        );
        // Their paths are not in the order of their names.
        fs::write(directory.join(format!("{}_{number}.txt", count - number)), head + &rows).expect("score");
    }
}

/// A table of as many scores as plink2 --score takes it.
fn write_table(path: &Path, scores: usize) {
    let mut random = Random::new(12);
    let names: String = (0..scores).map(|number| format!("\ts{number}")).collect();
    let sites = text(&root().join("testdata/panel/panel.bim"));
    let rows: String = sites
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let weights: String =
                (0..scores).map(|_| format!("\t{}", random.below(1_000) as f64 / 1e3)).collect();
            format!("{}\t{}{weights}\n", cells[1], cells[4])
        })
        .collect();
    fs::write(path, format!("ID\tA1{names}\n{rows}")).expect("table");
}

#[test]
fn little_memory_changes_no_byte() {
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    write_scores(&directory.path().join("scores"), 12);
    write_table(&directory.path().join("table"), 60);
    let panel = root().join("testdata/panel/panel.bed").to_string_lossy().into_owned();
    let start = ["prs", "score", "--genotypes", &panel];
    // The least memory, by which four people are a pass, takes long.
    for (name, more, little) in [
        (
            "scores",
            &["--scores", &at("scores"), "--build", "GRCh38", "--keep-ambiguous"][..],
            &[("1", "3")][..],
        ),
        (
            "observed",
            &["--scores", &at("scores"), "--no-mean-imputation", "--min-overlap", "0.5"],
            &[("1", "1")],
        ),
        ("table", &["--weights", &at("table")], &[("0", "2")]),
        (
            "table, some",
            &["--weights", &at("table"), "--score-col-nums", "4-31,40-62", "--columns", "+phenos"],
            &[("1", "3")],
        ),
    ] {
        let run = |memory: &str, threads: &str| {
            let out = at(&format!("{name}{memory}{threads}"));
            norn_ok(&[&start, more, &["--memory", memory, "-t", threads, "-o", &out]].concat());
            if !Path::new(&out).is_dir() {
                return vec![text(Path::new(&out))];
            }
            let of = |file: &str| text(&Path::new(&out).join(file));
            ["aggregated_scores.txt.gz", "panel_log.csv.gz", "panel_summary.csv"].map(of).to_vec()
        };
        let whole = run("2048", "2");
        assert!(whole[0].lines().count() > 500, "{name}");
        for (memory, threads) in little {
            assert!(run(memory, threads) == whole, "{name} {memory} {threads}");
        }
    }
}

/// A program's greatest memory in KiB, as the system counts it.
#[cfg(target_os = "linux")]
fn peak(arguments: &[&str]) -> u64 {
    let program = env!("CARGO_BIN_EXE_norn");
    let script = "import resource, subprocess, sys\n\
        subprocess.run(sys.argv[1:], check=True)\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let told = peer("python3", &[&["-c", script, program], arguments].concat());
    told.trim().parse().expect("a number")
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_what_was_asked_for() {
    if !has("plink2") {
        assert!(!is_ci(), "plink2 is not installed");
        eprintln!("skipped: plink2 is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    peer("plink2", &["--dummy", "20000", "40", "acgt", "--seed", "1", "--make-pgen", "--out", &at("p")]);
    let pvar = text(&directory.path().join("p.pvar"));
    let mut random = Random::new(3);
    let sites = pvar.lines().filter(|line| !line.starts_with('#'));
    let rows: String = sites
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let weights: String = (0..1000).map(|_| format!("\t{}", random.below(1_000))).collect();
            format!("{}\t{}{weights}\n", cells[2], cells[3])
        })
        .collect();
    let names: String = (0..1000).map(|number| format!("\ts{number}")).collect();
    fs::write(at("w"), format!("ID\tA1{names}\n{rows}")).expect("table");
    // Sums of all people are 160 MB.
    let genotypes = at("p.pgen");
    let weights = at("w");
    for memory in ["48", "96"] {
        let words = ["prs", "score", "--genotypes", &genotypes, "--weights", &weights, "--memory", memory];
        let kib = peak(&[&words[..], &["--columns", "scoresums", "-t", "2", "-o", "/dev/null"]].concat());
        let allowed = (memory.parse::<u64>().expect("a number") + 32) << 10;
        assert!(kib < allowed, "--memory {memory}: {kib} KiB");
    }
}
