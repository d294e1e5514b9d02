//! A laboratory's bounds for figures, and what a run comes to by them.
//!
//! The file is TOML: `assay`, `version`, and a `[[metric]]` for each figure with `key`, at least one of `warn_below`,
//! `fail_below`, `warn_above`, `fail_above`, and, where wanted, `required` and `note`. Bounds are in the figure's unit;
//! a value equal to a bound is within it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::Spanned;

use super::figures::{self, Figure, Value};

/// What a figure comes to, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Within all bounds.
    Pass,
    /// Beyond a warning bound, or not measured.
    Warn,
    /// Beyond a failing bound, or not measured though required.
    Fail,
}

impl Status {
    /// `PASS`, `WARN` or `FAIL`.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pass => "PASS",
            Status::Warn => "WARN",
            Status::Fail => "FAIL",
        }
    }
}

/// Bounds for many figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// What they are for.
    pub assay: Option<String>,
    /// The laboratory's version of them.
    pub version: Option<String>,
    /// The bounds, in the file's order.
    pub bounds: Vec<Bounds>,
}

/// Bounds of one figure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The figure.
    pub key: String,
    /// Warn below this.
    pub warn_below: Option<f64>,
    /// Fail below this.
    pub fail_below: Option<f64>,
    /// Warn above this.
    pub warn_above: Option<f64>,
    /// Fail above this.
    pub fail_above: Option<f64>,
    /// Fail where it was not measured; otherwise that is a warning.
    pub required: bool,
    /// The laboratory's remark.
    pub note: Option<String>,
}

/// What one figure came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The figure.
    pub key: String,
    /// What it came to.
    pub status: Status,
    /// Its value, where it was measured.
    pub value: Option<Value>,
    /// Its unit.
    pub unit: &'static str,
    /// Why.
    pub reason: String,
    /// As [`Bounds::warn_below`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_below: Option<f64>,
    /// As [`Bounds::fail_below`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_below: Option<f64>,
    /// As [`Bounds::warn_above`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_above: Option<f64>,
    /// As [`Bounds::fail_above`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_above: Option<f64>,
    /// As [`Bounds::note`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why a file of thresholds is refused.
#[derive(Debug, Error)]
pub enum ThresholdsError {
    /// It cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}: line {line}: {message}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    assay: Option<String>,
    version: Option<String>,
    #[serde(default)]
    metric: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    key: Spanned<String>,
    warn_below: Option<f64>,
    fail_below: Option<f64>,
    warn_above: Option<f64>,
    fail_above: Option<f64>,
    #[serde(default)]
    required: bool,
    note: Option<String>,
}

impl Thresholds {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, ThresholdsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ThresholdsError::Io { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|(line, message)| ThresholdsError::Content {
            path: path.to_owned(),
            line,
            message,
        })
    }

    /// Checks a file's text; an error is the line, from 1, and what is wrong.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let line_of = |at: usize| 1 + text.bytes().take(at).filter(|&b| b == b'\n').count();
        let file: File = toml::from_str(text).map_err(|error| {
            (line_of(error.span().map_or(0, |span| span.start)), error.message().replace('\n', " "))
        })?;
        let units: std::collections::BTreeMap<_, _> =
            figures::catalogue().into_iter().map(|definition| (definition.key, definition.unit)).collect();
        let mut seen = BTreeSet::new();
        let mut bounds = Vec::new();
        for metric in file.metric {
            let line = line_of(metric.key.span().start);
            let metric = Bounds {
                key: metric.key.into_inner(),
                warn_below: metric.warn_below,
                fail_below: metric.fail_below,
                warn_above: metric.warn_above,
                fail_above: metric.fail_above,
                required: metric.required,
                note: metric.note,
            };
            let message = match units.get(metric.key.as_str()) {
                None => Some(unknown(&metric.key, units.keys())),
                Some(&"word") => Some(format!("the figure {} is a word and has no bounds", metric.key)),
                Some(_) if !seen.insert(metric.key.clone()) => {
                    Some(format!("the figure {} has bounds twice", metric.key))
                }
                Some(_) => metric.contradiction().map(|what| format!("{}: {what}", metric.key)),
            };
            if let Some(message) = message {
                return Err((line, message));
            }
            bounds.push(metric);
        }
        if bounds.is_empty() {
            return Err((1, "there is no [[metric]] with bounds".into()));
        }
        Ok(Self { assay: file.assay, version: file.version, bounds })
    }

    /// Holds the figures of a run against the bounds.
    pub fn check(&self, measured: &[Figure]) -> Vec<Check> {
        let units = figures::catalogue();
        self.bounds
            .iter()
            .map(|bounds| {
                let figure = measured.iter().find(|figure| figure.key == bounds.key);
                let unit =
                    units.iter().find(|figure| figure.key == bounds.key).map_or("", |figure| figure.unit);
                let value = figure.map(|figure| figure.value.clone());
                let (status, reason) = bounds.judge(value.as_ref(), unit);
                Check {
                    key: bounds.key.clone(),
                    status,
                    value,
                    unit,
                    reason,
                    warn_below: bounds.warn_below,
                    fail_below: bounds.fail_below,
                    warn_above: bounds.warn_above,
                    fail_above: bounds.fail_above,
                    note: bounds.note.clone(),
                }
            })
            .collect()
    }
}

/// The worst of the checks.
pub fn verdict(checks: &[Check]) -> Option<Status> {
    checks.iter().map(|check| check.status).max()
}

impl Bounds {
    fn contradiction(&self) -> Option<&'static str> {
        let all = [self.fail_below, self.warn_below, self.warn_above, self.fail_above];
        let mut set = all.into_iter().flatten();
        let ascending = all.into_iter().flatten().collect::<Vec<_>>().is_sorted();
        if set.clone().next().is_none() {
            Some("it needs warn_below, fail_below, warn_above or fail_above")
        } else if set.any(|bound| !bound.is_finite()) {
            Some("a bound is not a number")
        } else if !ascending {
            Some("fail_below <= warn_below <= warn_above <= fail_above must hold")
        } else {
            None
        }
    }

    fn judge(&self, value: Option<&Value>, unit: &str) -> (Status, String) {
        let Some((value, number)) = value.and_then(|value| Some((value, value.number()?))) else {
            return match self.required {
                true => (Status::Fail, "not measured, but required".into()),
                false => (Status::Warn, "not measured".into()),
            };
        };
        let with_unit =
            |text: String| if unit == "%" || unit == "fraction" { text } else { format!("{text} {unit}") };
        let beyond = [
            (Status::Fail, self.fail_below.filter(|bound| number < *bound), "below"),
            (Status::Fail, self.fail_above.filter(|bound| number > *bound), "above"),
            (Status::Warn, self.warn_below.filter(|bound| number < *bound), "below"),
            (Status::Warn, self.warn_above.filter(|bound| number > *bound), "above"),
        ];
        for (status, bound, side) in beyond {
            if let Some(bound) = bound {
                return (status, format!("{value} is {side} {}", with_unit(bound.to_string())));
            }
        }
        (Status::Pass, "within bounds".into())
    }
}

/// Says which key was probably meant.
fn unknown<'a>(key: &str, known: impl Iterator<Item = &'a std::borrow::Cow<'static, str>>) -> String {
    let (group, name) = key.split_once('.').unwrap_or(("", key));
    let near = known
        .filter(|known| {
            !key.is_empty() && known.split_once('.').is_some_and(|(g, n)| g == group || n.ends_with(name))
        })
        .min_by_key(|known| distance(known, key));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("there is no figure {key:?}{near} (norn qc --list-figures names them)")
}

/// Edits that turn one word into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let cost = if x == y { diagonal } else { 1 + diagonal.min(row[j]).min(row[j + 1]) };
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}

/// The table of PASS, WARN and FAIL as MultiQC's custom content.
pub fn multiqc(sample: &str, checks: &[Check], thresholds: &Thresholds) -> serde_json::Value {
    use serde_json::{Map, json};
    let rules = json!({
        "pass": [{"s_eq": "PASS"}],
        "warn": [{"s_eq": "WARN"}],
        "fail": [{"s_eq": "FAIL"}],
    });
    let header = |title: &str, description: &str| json!({"title": title, "description": description, "scale": false, "cond_formatting_rules": rules});
    let mut headers = Map::new();
    let mut row = Map::new();
    headers.insert("verdict".into(), header("Verdict", "The worst of the statuses"));
    row.insert("verdict".into(), json!(verdict(checks).map(Status::name)));
    for check in checks {
        headers.insert(
            check.key.clone(),
            header(&check.key, &format!("Status of {} by the laboratory's bounds", check.key)),
        );
        row.insert(check.key.clone(), json!(check.status.name()));
    }
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "unnamed".into());
    let description = format!(
        "Figures of norn qc against the laboratory's thresholds (assay: {}, version: {}).",
        named(&thresholds.assay),
        named(&thresholds.version)
    );
    let mut data = Map::new();
    data.insert(sample.to_owned(), row.into());
    json!({
        "id": "norn_qc_thresholds",
        "section_name": "norn qc: thresholds",
        "description": description,
        "plot_type": "table",
        "pconfig": {"id": "norn_qc_thresholds_table", "title": "norn qc: thresholds", "no_violin": true},
        "headers": headers,
        "data": data,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn figure(key: &'static str, value: f64) -> Figure {
        Figure { key: key.into(), value: Value::Real(value), unit: "x", meaning: "".into() }
    }

    #[test]
    fn a_value_is_held_against_the_bounds() {
        let text =
            "[[metric]]\nkey = \"wgs.mean_coverage\"\nfail_below = 20\nwarn_below = 30.0\nwarn_above = 60\n";
        let thresholds = Thresholds::parse(text).unwrap();
        for (value, status, reason) in [
            (19.9, Status::Fail, "19.9 is below 20 x"),
            (20.0, Status::Warn, "20 is below 30 x"),
            (30.0, Status::Pass, "within bounds"),
            (60.0, Status::Pass, "within bounds"),
            (60.1, Status::Warn, "60.1 is above 60 x"),
        ] {
            let checks = thresholds.check(&[figure("wgs.mean_coverage", value)]);
            assert_eq!((checks[0].status, checks[0].reason.as_str()), (status, reason), "{value}");
        }
        let checks = thresholds.check(&[]);
        assert_eq!((checks[0].status, checks[0].reason.as_str()), (Status::Warn, "not measured"));
        let checks = Thresholds::parse(&format!("{text}required = true")).unwrap().check(&[]);
        assert_eq!(
            (checks[0].status, checks[0].reason.as_str()),
            (Status::Fail, "not measured, but required")
        );
        assert_eq!(verdict(&checks), Some(Status::Fail));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, message) in [
            ("[[metric]]\nkey = \"wgs.mean_coverag\"\nwarn_below = 1", 2, "did you mean wgs.mean_coverage?"),
            ("assay = \"x\"\n\n[[metric]]\nkey = \"wgs.mean_coverage\"", 4, "it needs warn_below"),
            ("[[metric]]\nkey = \"wgs.mean_coverage\"\nwarn_below = 1\nfail_below = 2", 2, "must hold"),
            ("[[metric]]\nkey = \"wgs.mean_coverage\"\nwarn_below = nan", 2, "not a number"),
            ("[[metric]]\nkey = \"wgs.mean_coverage\"\nwarn_belo = 1", 3, "unknown field"),
            ("[[metric]]\nkey = \"wgs.mean_coverage\"\nwarn_below = \"x\"", 3, "invalid type"),
            ("[[metric]]\nkey = \"insert_size.pair_orientation\"\nwarn_below = 1", 2, "is a word"),
            ("assay = \"x\"", 1, "no [[metric]]"),
            ("[[metric]\n", 1, ""),
        ] {
            let (at, what) = Thresholds::parse(text).unwrap_err();
            assert!(at == line && what.contains(message), "{text}: line {at}: {what}");
        }
        let twice = "[[metric]]\nkey = \"wgs.mean_coverage\"\nwarn_below = 1\n".repeat(2);
        assert!(Thresholds::parse(&twice).unwrap_err().1.contains("twice"));
    }
}
