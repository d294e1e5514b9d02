//! `norn prs calibrate` beside the tables of pgscatalog-utils 2.0.4 for its own test panel.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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
