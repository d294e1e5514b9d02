//! The scripts of `examples/prs` do what their page says.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::pages::{references, tags};
use common::*;
use serde_json::Value as Json;

fn script(name: &str, arguments: &[&str], directory: &Path) {
    let output = Command::new("bash")
        .arg(root().join("examples/prs").join(name))
        .args(arguments)
        .env("NORN", env!("CARGO_BIN_EXE_norn"))
        .current_dir(directory)
        .output()
        .expect("bash starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

fn json(path: &Path) -> Json {
    serde_json::from_str(&text(path)).expect("JSON")
}

#[test]
fn a_genome_and_a_biobank_are_reported() {
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name);
    script("panel.sh", &["panel"], directory.path());
    script("one-genome.sh", &["panel", "C01", "genome"], directory.path());
    script("biobank.sh", &["panel", "biobank"], directory.path());

    let genome = json(&at("genome/report/genome_report.json"));
    let person = &genome["persons"][0];
    // The panel's maker drew C01 from EUR2 (testdata/panel/cohort.psam).
    assert_eq!((&person["person"], &person["most_similar"]), (&"C01".into(), &"EUR".into()));
    assert_eq!((&genome["people"], person["scores"].as_array().map(Vec::len)), (&1.into(), Some(3)));
    let risk = &person["scores"][0]["risks"][0];
    let last = risk["ages"].as_array().and_then(|ages| ages.last()).expect("ages");
    assert_eq!((&risk["from"], &last["age"]), (&45.0.into(), &80.0.into()));
    let chance = |name: &str| last[name].as_f64().expect("a chance");
    assert!(
        0.0 < chance("low")
            && chance("low") <= chance("risk")
            && chance("risk") <= chance("high")
            && chance("high") < 1.0
    );
    // A score above the mean means more risk than the population's.
    assert_eq!(risk["z"].as_f64() > Some(0.1), chance("risk") > chance("average"));

    let cohort = json(&at("biobank/report/cohort_report.json"));
    assert_eq!(cohort["people"], 59);
    assert!(fs::metadata(at("biobank/scores.parquet")).is_ok_and(|file| file.len() > 1000));
    let sums = text(&at("biobank/scores/aggregated_scores.txt.gz"));
    assert_eq!((sums.lines().count(), sums.contains("\tC02\t")), (1 + 3 * 59, false));
    // Who is alone has the place and the sums of who is among others, as far as no genotype is missing.
    let place = |file: &str| text(&at(file)).lines().find(|line| line.contains("C01")).map(str::to_owned);
    assert_eq!(place("genome/person.pcs"), place("biobank/cohort.pcs"));
    for page in [
        "genome/report/genome_report.html",
        "genome/report/genome_C01.html",
        "biobank/report/cohort_report.html",
    ] {
        let page = text(&at(page));
        tags(&page).expect("well formed");
        assert!(references(&page).is_empty() && page.len() < 2_000_000);
    }
}
