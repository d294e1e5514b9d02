//! `norn prs calibrate` beside the tables of pgscatalog-utils 2.0.4 for its own test panel, its forest beside
//! scikit-learn's, and the chain
//! from a panel's genotypes to calibrated scores.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::ancestry::{made, oracle};
use common::*;

type Table = BTreeMap<String, BTreeMap<String, String>>;

fn table(path: &Path) -> Table {
    let mut text = String::new();
    let file = fs::File::open(path).expect("a table");
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).expect("gzip");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("names").split('\t').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), names.len(), "{line}");
            let row = names.iter().zip(&cells).map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned()));
            (cells[..3].join(" "), row.collect())
        })
        .collect()
}

fn panel() -> Option<PathBuf> {
    let data = shared_data();
    if data.is_none() {
        eprintln!("skipped: the panel of pgscatalog-utils (no NORN_SHARED_DATA)");
    }
    data.map(|data| data.join("prs"))
}

fn words(data: &Path, scores: &str, output: &str) -> Vec<String> {
    let at = |name: &str| data.join(name).to_string_lossy().into_owned();
    let mut words =
        ["prs", "calibrate", "-d", "hgdp", "-o", output, "-s", scores].map(str::to_owned).to_vec();
    for (option, name) in [
        ("--ref-pcs", "ref.pcs"),
        ("--target-pcs", "target.pcs"),
        ("--psam", "ref.psam"),
        ("-x", "ref.king.cutoff.id"),
    ] {
        words.extend([option.to_owned(), at(name)]);
    }
    words
}

#[test]
fn values_are_those_of_pgscatalog_utils() {
    let Some(data) = panel() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let scores = data.join("aggregated_scores.txt").to_string_lossy().into_owned();
    let words = words(&data, &scores, &directory.path().to_string_lossy());
    norn_ok(&words.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, people) in [("hgdp_pgs.txt.gz", 3504), ("hgdp_popsimilarity.txt.gz", 3504)] {
        let theirs = table(&data.join("calibrated").join(name));
        let ours = table(&directory.path().join(name));
        assert_eq!((theirs.len(), ours.len()), (people, people), "{name}");
        for (person, theirs) in &theirs {
            let ours = &ours[person];
            assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>(), "{name}");
            for (column, value) in theirs {
                let mine = &ours[column];
                if mine == value {
                    continue;
                }
                let numbers = (mine.parse::<f64>(), value.parse::<f64>());
                let (Ok(mine), Ok(value)) = numbers else { panic!("{person} {column}: {mine} {value}") };
                // Their optimiser of Z_norm2 ends 1e-8 away; what is near 0 is compared as it stands.
                let (relative, absolute) = if column == "Z_norm2" { (0.0, 1e-7) } else { (1e-10, 1e-300) };
                let allowed = (relative * value.abs()).max(absolute);
                assert!((mine - value).abs() <= allowed, "{person} {column}: {mine} {value}");
            }
        }
    }
}

#[test]
fn flat_scores_have_no_values_and_missing_ones_are_told() {
    let Some(data) = panel() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let text = fs::read_to_string(data.join("aggregated_scores.txt")).expect("scores");
    let flat = text.lines().enumerate().map(|(number, line)| {
        let mut cells: Vec<&str> = line.split('\t').collect();
        if number > 0 {
            cells[4] = "0.5";
        }
        cells.join("\t") + "\n"
    });
    fs::write(at("flat.txt"), flat.collect::<String>()).expect("written");
    let less: String =
        text.lines().filter(|line| !line.contains("HGDP00003")).map(|line| line.to_owned() + "\n").collect();
    fs::write(at("less.txt"), less).expect("written");
    fs::write(at("odd.txt"), text.replace("3.32596185", "x")).expect("written");
    let run = |scores: &str, more: &[&str]| {
        let words = words(&data, &at(scores), &at("out"));
        norn(&[&words.iter().map(String::as_str).collect::<Vec<_>>(), more].concat())
    };
    assert!(run("flat.txt", &[]).status.success());
    let row = &table(Path::new(&at("out/hgdp_pgs.txt.gz")))["hgdp HGDP00001 HGDP00001"];
    assert_eq!((&*row["SUM"], &*row["Z_norm2"], &*row["percentile_MostSimilarPop"]), ("0.5", "", ""));
    for (scores, more, message) in [
        ("less.txt", &[][..], "hgdp: HGDP00003 has no score PGS001229_hmPOS_GRCh38"),
        ("odd.txt", &[], "\"x\" is no number"),
        ("none.txt", &[], "none.txt"),
        ("flat.txt", &["--pop-label", "Country"], "there is no column Country"),
        ("flat.txt", &["--n-popcomp", "12"], "there is no column PC11"),
    ] {
        let output = run(scores, more);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains(message) && told.lines().count() == 1, "{message}: {told}");
    }
}

fn similarity(path: &Path, set: &str) -> BTreeMap<String, (Vec<f64>, String, String)> {
    let text = text(path);
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().expect("names");
    let place = |wanted: &str| names.iter().position(|name| *name == wanted).expect("a column");
    let votes: Vec<usize> = (0..names.len()).filter(|place| names[*place].contains("_P_")).collect();
    let (most, unsure) = (place("MostSimilarPop"), place("MostSimilarPop_LowConfidence"));
    lines
        .filter(|cells| cells[0] == set)
        .map(|cells| {
            let numbers = votes.iter().map(|place| cells[*place].parse().expect("a number")).collect();
            (cells[2].to_owned(), (numbers, cells[most].to_owned(), cells[unsure].to_owned()))
        })
        .collect()
}

/// scikit-learn's trees cannot be had without its random numbers: votes have to agree with the mean over 20 of its
/// seeds as well as those of
/// another seed do.
#[test]
fn forests_vote_as_those_of_scikit_learn() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: the panel of pgscatalog-utils (no NORN_SHARED_DATA)");
        return;
    };
    let folder = tempfile::tempdir().expect("a directory");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let real = |name: &str| data.join("prs").join(name).to_string_lossy().into_owned();
    let [panel, target, psam, related, scores] =
        ["ref.pcs", "target.pcs", "ref.psam", "ref.king.cutoff.id", "aggregated_scores.txt"].map(real);
    let Some(theirs) = oracle(&["forest", &panel, &target, &psam, &related]) else { return };
    let output = at("out");
    norn_ok(&[
        "prs",
        "calibrate",
        "-d",
        "hgdp",
        "--method",
        "RandomForest",
        "--ref-pcs",
        &panel,
        "--target-pcs",
        &target,
        "--psam",
        &psam,
        "-x",
        &related,
        "-s",
        &scores,
        "-o",
        &output,
    ]);
    let ours = similarity(&Path::new(&output).join("hgdp_popsimilarity.txt.gz"), "hgdp");
    assert!(ours.len() == 929 && ours.keys().eq(theirs.keys()));
    let (mut same, mut most, mut sum, mut sum_of_theirs) = (0, 0.0f64, 0.0, 0.0);
    for ((votes, name, unsure), theirs) in ours.values().zip(theirs.values()) {
        let (seed, mean) = theirs.split_at(5);
        let place =
            |votes: &[f64]| (0..5).rev().max_by(|a, b| votes[*a].total_cmp(&votes[*b])).expect("five");
        same += usize::from(place(votes) == place(seed));
        assert_eq!(name, ["AFR", "AMR", "EAS", "EUR", "SAS"][place(votes)]);
        assert_eq!(unsure == "True", votes[place(votes)] < 0.5);
        for ((one, other), mean) in votes.iter().zip(seed).zip(mean) {
            most = most.max((one - mean).abs());
            (sum, sum_of_theirs) = (sum + (one - mean).abs(), sum_of_theirs + (other - mean).abs());
        }
    }
    assert!(100 * same >= 99 * ours.len(), "{same}");
    // The vote of a hundred trees has a deviation of 0.05 at most.
    assert!(most < 0.15 && sum < 1.2 * sum_of_theirs, "{most} {sum} {sum_of_theirs}");
}

/// A scoring file's text; gzip, not BGZF.
fn decompressed(path: &Path) -> String {
    let mut text = String::new();
    let file = fs::File::open(path).expect("a file");
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).expect("gzip");
    text
}

/// Rows of scores that are matched, `row accession` each.
fn rows_matched(log: &Path) -> BTreeSet<String> {
    let text = text(log);
    let cells = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    cells.filter(|cells| cells[21] == "matched").map(|cells| format!("{} {}", cells[0], cells[1])).collect()
}

/// A scoring file without the rows that one of two sets lacks: sums over other variants do not compare.
fn rows_of_both(score: &str, name: &str, matched: &[BTreeSet<String>]) -> String {
    let (head, rows): (Vec<&str>, Vec<&str>) = score.lines().partition(|line| line.starts_with('#'));
    let kept = rows.iter().enumerate().filter(|(number, _)| {
        // The first one has the names.
        number
            .checked_sub(1)
            .is_none_or(|row| matched.iter().all(|set| set.contains(&format!("{row} {name}"))))
    });
    head.iter().chain(kept.map(|(_, row)| row)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn from_panel_to_calibrated_scores() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (bed, vcf, related) = (made("panel.bed"), made("cohort.vcf.gz"), made("panel.related.id"));
    let [components, loadings, places] = ["panel", "panel.loadings.gz", "cohort"].map(at);
    let regions = made("high-ld.bed");
    norn_ok(&[
        "prs",
        "pca",
        "--genotypes",
        &bed,
        "--remove",
        &related,
        "--exclude-regions",
        &regions,
        "-o",
        &components,
    ]);
    norn_ok(&["prs", "project", "--loadings", &loadings, "--genotypes", &vcf, "-o", &places]);
    let scores = ["PGS900001.txt.gz", "PGS900002_hmPOS_GRCh38.txt.gz", "PGS900003.txt.gz"].map(made);
    let sets = [("reference", bed), ("cohort", vcf)];
    let run = |command: &str, name: &str, genotypes: &str, scores: &[String], output: &str| {
        let words = ["prs", command, "--genotypes", genotypes, "--dataset", name, "-o", output, "--scores"];
        let files: Vec<&str> = scores.iter().map(String::as_str).collect();
        norn_ok(&[&words[..], &files].concat());
    };
    let mut matched: Vec<BTreeSet<String>> = Vec::new();
    for (name, genotypes) in &sets {
        let output = at(&format!("match.{name}"));
        run("match", name, genotypes, &scores, &output);
        matched.push(rows_matched(&Path::new(&output).join(format!("{name}_log.csv.gz"))));
    }
    let cut: Vec<String> = scores
        .iter()
        .map(|path| {
            let name = Path::new(path).file_name().expect("a name").to_string_lossy().replace(".txt.gz", "");
            let into = at(&format!("{name}.txt"));
            fs::write(&into, rows_of_both(&decompressed(Path::new(path)), &name, &matched)).expect("written");
            into
        })
        .collect();
    for (name, genotypes) in &sets {
        run("score", name, genotypes, &cut, &at(name));
    }
    let psam = fs::read_to_string(made("cohort.psam")).expect("people");
    let people: Vec<Vec<&str>> = psam.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    for method in ["Mahalanobis", "RandomForest"] {
        let [panel, cohort, of_panel, of_cohort, output] = [
            "panel.pcs",
            "cohort.pcs",
            "reference/aggregated_scores.txt.gz",
            "cohort/aggregated_scores.txt.gz",
            method,
        ]
        .map(at);
        norn_ok(&[
            "prs",
            "calibrate",
            "-d",
            "cohort",
            "--method",
            method,
            "--ref-pcs",
            &panel,
            "--target-pcs",
            &cohort,
            "--psam",
            &made("panel.psam"),
            "-x",
            &related,
            "-s",
            &of_panel,
            &of_cohort,
            "-o",
            &output,
        ]);
        let similar = similarity(&PathBuf::from(&output).join("cohort_popsimilarity.txt.gz"), "cohort");
        assert_eq!(similar.len(), 60);
        for person in &people {
            // The greatest part of everybody, and all of most.
            assert_eq!(similar[person[0]].1, person[2], "{method} {person:?}");
            assert!(
                method == "Mahalanobis" || person[4].contains(',') || similar[person[0]].2 == "False",
                "{person:?}"
            );
        }
        let text = text(&PathBuf::from(&output).join("cohort_pgs.txt.gz"));
        let mut values = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("cohort\t")) {
            let cells: Vec<&str> = line.split('\t').collect();
            let z: f64 = cells[7].parse().expect("Z_norm2");
            let is_whole = people.iter().any(|person| person[0] == cells[1] && !person[4].contains(','));
            values.entry(cells[3].to_owned()).or_insert_with(Vec::new).extend(is_whole.then_some(z));
        }
        assert_eq!(values.len(), 3);
        for (score, z) in values {
            // 50 people like the panel's: mean 0 and deviation 1, each within four standard errors.
            let mean = z.iter().sum::<f64>() / 50.0;
            let deviation = (z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / 50.0).sqrt();
            assert!(
                z.len() == 50 && mean.abs() < 0.57 && (0.6..1.4).contains(&deviation),
                "{score}: {mean} {deviation}"
            );
        }
    }
}
