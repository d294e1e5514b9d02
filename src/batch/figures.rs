//! The figures of a sample that a night is judged by, from the results of its steps.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::config::Step;
use super::run_dir::RunDir;
use super::sheet::Sample;
use crate::report::numbers::{decimal, thousands};

/// A figure of the report.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its key in tables.
    pub key: &'static str,
    /// Its head on the page.
    pub name: &'static str,
    /// Its meaning, with the unit.
    pub meaning: &'static str,
    /// The step that gives it.
    pub step: Step,
    /// Where it stands in the step's document; the first that is there.
    path: &'static [&'static str],
    /// What it is multiplied by for the page, and decimals there.
    shown: (f64, usize),
}

/// All of them, in the order of the report.
pub const FIGURES: [Figure; 14] = [
    qc(
        "mean_coverage",
        "Coverage",
        "mean coverage (Picard's filters; without a reference mosdepth's), x",
        &["wgs.mean_coverage", "depth.mean_total"],
        (1.0, 1),
    ),
    qc(
        "pct_20x",
        "≥ 20x",
        "share of the genome covered at least 20 times, %",
        &["wgs.pct_20x", "depth.autosomes_20x"],
        (100.0, 1),
    ),
    qc("percent_mapped", "Mapped", "mapped reads, %", &["stats.percent_mapped"], (1.0, 2)),
    qc(
        "percent_duplication",
        "Duplicates",
        "share of duplicates, %",
        &["duplication.percent_duplication"],
        (100.0, 2),
    ),
    qc(
        "median_insert_size",
        "Insert size",
        "median insert size, bases",
        &["insert_size.median_insert_size"],
        (1.0, 0),
    ),
    qc("pct_q30", "Q30", "share of bases of quality 30 and more, %", &["yield.pct_pf_q30_bases"], (100.0, 1)),
    qc("error_rate", "Mismatches", "mismatches per mapped base, %", &["stats.error_rate"], (100.0, 2)),
    qc("at_dropout", "AT dropout", "Picard's AT dropout, %", &["gc_bias.at_dropout"], (1.0, 2)),
    qc("gc_dropout", "GC dropout", "Picard's GC dropout, %", &["gc_bias.gc_dropout"], (1.0, 2)),
    qc(
        "contamination",
        "Contamination",
        "share of reads of another person, %",
        &["contamination.share"],
        (100.0, 2),
    ),
    annotation("variants", "Variants", "annotated records", &["annotated"]),
    annotation("indels", "Indels", "insertions and deletions", &["classes.insertion", "classes.deletion"]),
    annotation("high_impact", "HIGH", "entries of impact HIGH", &["impacts.HIGH"]),
    annotation("moderate_impact", "MODERATE", "entries of impact MODERATE", &["impacts.MODERATE"]),
];

const fn qc(
    key: &'static str,
    name: &'static str,
    meaning: &'static str,
    path: &'static [&'static str],
    shown: (f64, usize),
) -> Figure {
    Figure { key, name, meaning, step: Step::Qc, path, shown }
}

const fn annotation(
    key: &'static str,
    name: &'static str,
    meaning: &'static str,
    path: &'static [&'static str],
) -> Figure {
    Figure { key, name, meaning, step: Step::Annotate, path, shown: (1.0, 0) }
}

impl Figure {
    /// As the page shows it.
    pub fn text(&self, value: f64) -> String {
        if self.step == Step::Annotate {
            thousands(value as u64)
        } else {
            decimal(value * self.shown.0, self.shown.1)
        }
    }

    fn of(&self, document: &Json) -> Option<f64> {
        if self.step == Step::Annotate {
            // A count of nothing is not written down.
            let of = |path: &str| {
                path.split('.').try_fold(document, |value, name| value.get(name)).and_then(Json::as_f64)
            };
            return Some(self.path.iter().filter_map(|path| of(path)).fold(0.0, |sum, count| sum + count));
        }
        let figures = document.get("figures")?;
        self.path.iter().find_map(|key| figures.get(key)?.as_f64())
    }
}

/// What the results of a sample say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleFigures {
    /// The verdict of QC, where it was held against thresholds.
    pub verdict: Option<String>,
    /// Figures that failed or warned: key, status.
    pub checks: Vec<(String, String)>,
    /// Inferred karyotypic sex.
    pub karyotype: Option<String>,
    /// Figures by key.
    pub values: BTreeMap<&'static str, f64>,
    /// Pages of the sample, below the run directory.
    pub pages: Vec<(&'static str, String)>,
}

impl SampleFigures {
    /// Reads what a sample's steps have written.
    pub fn read(sample: &Sample, run_dir: &RunDir) -> Self {
        let mut figures = Self::default();
        for step in [Step::Qc, Step::Annotate] {
            let directory = run_dir.results(&sample.name, step);
            let Some(path) =
                ending_with(&directory, if step == Step::Qc { ".qc.json" } else { "_summary.json" })
            else {
                continue;
            };
            let document: Option<Json> =
                fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let Some(document) = document else { continue };
            for figure in FIGURES.iter().filter(|figure| figure.step == step) {
                figures.values.extend(figure.of(&document).map(|value| (figure.key, value)));
            }
            if step == Step::Qc {
                figures.judge(&document);
            }
            let page = ending_with(&directory, if step == Step::Qc { ".qc.html" } else { "_summary.html" });
            if let Some(page) = page {
                let name = if step == Step::Qc { "QC" } else { "annotation" };
                figures.pages.push((name, run_dir.relative(&page).to_string_lossy().into_owned()));
            }
        }
        figures
    }

    fn judge(&mut self, document: &Json) {
        self.verdict = document["verdict"].as_str().filter(|_| has_checks(document)).map(str::to_owned);
        self.karyotype = document["figures"]["sex.karyotype"].as_str().map(str::to_owned);
        let checks = document["thresholds"].as_array().into_iter().flatten();
        self.checks = checks
            .filter_map(|check| {
                Some((check["key"].as_str()?.to_owned(), check["status"].as_str()?.to_owned()))
            })
            .filter(|(_, status)| status != "PASS")
            .collect();
    }

    /// Whether the inferred sex is not the sheet's.
    pub fn has_other_sex(&self, sample: &Sample) -> bool {
        match (&self.karyotype, &sample.sex) {
            (Some(found), Some(told)) => {
                !found.is_empty() && found != told && ["XX", "XY"].contains(&found.as_str())
            }
            _ => false,
        }
    }
}

fn has_checks(document: &Json) -> bool {
    document["thresholds"].as_array().is_some_and(|checks| !checks.is_empty())
}

/// The first file of a directory, by name, whose name ends so.
pub(super) fn ending_with(directory: &Path, ending: &str) -> Option<std::path::PathBuf> {
    let entries = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().ends_with(ending)).min()
}
