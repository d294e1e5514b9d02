//! What earlier nights were like, and what stands out against them.
//!
//! A figure stands out where it is more than [`LIMIT`] robust deviations from the median of earlier nights: the median absolute
//! deviation times 1.4826, which is a normal distribution's standard deviation (Iglewicz and Hoaglin 1993 take 3.5).

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::figures::FIGURES;
use super::ledger::Line;
use super::run_dir::RunDir;

/// The table of a night's report.
const TABLE: &str = "report/samples.tsv";

/// Robust deviations beyond which a figure stands out.
pub const LIMIT: f64 = 3.5;
/// Samples without which nothing is said.
pub const LEAST: usize = 20;

/// The figures of earlier nights.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// How many nights there were.
    pub nights: usize,
    /// By figure: median, robust deviation, and number of samples.
    centres: HashMap<&'static str, (f64, f64, usize)>,
}

impl History {
    /// Of the last nights whose run directories are in a directory, by the times of their ledgers; without `own` and what came after it.
    pub fn read(directory: &Path, most: usize, own: &Path) -> Self {
        let (own_path, own_time) = (own.canonicalize().ok(), begun(own));
        let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut nights: Vec<_> = entries
            .filter(|path| path.canonicalize().ok() != own_path && path.join(TABLE).is_file())
            .map(|path| (begun(&path), path))
            .filter(|(time, _)| time.is_none() || own_time.is_none() || *time < own_time)
            .collect();
        nights.sort();
        let nights = nights.split_off(nights.len().saturating_sub(most));
        let mut values: HashMap<&'static str, Vec<f64>> = HashMap::new();
        for (_, night) in &nights {
            for (key, value) in
                fs::read_to_string(night.join(TABLE)).map(|text| figures_of(&text)).unwrap_or_default()
            {
                values.entry(key).or_default().push(value);
            }
        }
        let centres = values.into_iter().filter_map(|(key, values)| Some((key, centre(values)?))).collect();
        Self { nights: nights.len(), centres }
    }

    /// How many robust deviations a figure is away from earlier nights, where it stands out.
    pub fn stands_out(&self, key: &str, value: f64) -> Option<f64> {
        let &(median, deviation, count) = self.centres.get(key)?;
        let away = (value - median) / deviation;
        (count >= LEAST && deviation > 0.0 && away.abs() > LIMIT).then_some(away)
    }
}

/// When a night was begun: the time of the first line of its first ledger.
fn begun(night: &Path) -> Option<String> {
    let run_dir = RunDir::new(night);
    let first = |part: &String| {
        let mut line = String::new();
        BufReader::new(File::open(run_dir.ledger(part)).ok()?).read_line(&mut line).ok()?;
        Some(serde_json::from_str::<Line>(&line).ok()?.time)
    };
    run_dir.parts("ledger").ok()?.iter().filter_map(first).min()
}

/// The figures of a report's table.
fn figures_of(text: &str) -> Vec<(&'static str, f64)> {
    let mut lines = text.lines();
    let head: BTreeMap<usize, &'static str> = lines
        .next()
        .unwrap_or_default()
        .split('\t')
        .enumerate()
        .filter_map(|(at, name)| Some((at, FIGURES.iter().find(|figure| figure.key == name)?.key)))
        .collect();
    let cells = lines.flat_map(|line| line.split('\t').enumerate());
    let values = cells.filter_map(|(at, cell)| Some((*head.get(&at)?, cell.parse().ok()?)));
    values.filter(|(_, value): &(_, f64)| value.is_finite()).collect()
}

fn centre(mut values: Vec<f64>) -> Option<(f64, f64, usize)> {
    let count = values.len();
    let middle = median(&mut values)?;
    let mut away: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    Some((middle, 1.4826 * median(&mut away)?, count))
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unlike_earlier_nights_stands_out() {
        let directory = tempfile::tempdir().unwrap();
        // 1 to 9 in each of three nights: the median is 5, the median deviation 2.
        for night in ["1", "2", "3"] {
            let report = directory.path().join(night).join("report");
            fs::create_dir_all(&report).unwrap();
            let rows: String = (1..=9).map(|n| format!("S{n}\t{n}\tPASS\n")).collect();
            fs::write(report.join("samples.tsv"), format!("sample\tmean_coverage\tverdict\n{rows}")).unwrap();
        }
        let history = History::read(directory.path(), 14, &directory.path().join("none"));
        assert_eq!((history.nights, history.centres["mean_coverage"]), (3, (5.0, 1.4826 * 2.0, 27)));
        // 3.5 x 2.9652 = 10.378 away from 5.
        for (value, out) in [(5.0, false), (15.3, false), (15.4, true), (-5.3, false), (-5.4, true)] {
            assert_eq!(history.stands_out("mean_coverage", value).is_some(), out, "{value}");
        }
        assert_eq!(history.stands_out("pct_20x", 0.0), None);
        // Two nights are 18 samples: too few.
        let fewer = History::read(directory.path(), 14, &directory.path().join("2"));
        assert_eq!((fewer.nights, fewer.stands_out("mean_coverage", 99.0)), (2, None));
        assert_eq!(History::read(directory.path(), 1, Path::new("/")).nights, 1);
        // What came later is no earlier night, whatever its name.
        let begin = |night: &str, day: u32| {
            let event = "\"event\":\"dropped\",\"task\":{\"sample\":\"S\",\"step\":\"qc\",\"part\":\"\"}";
            let line = format!("{{\"seq\":0,\"turn\":0,\"time\":\"2026-11-{day:02}T20:00:00Z\",{event}}}\n");
            fs::write(directory.path().join(night).join("ledger.jsonl"), line).unwrap();
        };
        for (night, day) in [("1", 3), ("2", 2), ("3", 1)] {
            begin(night, day);
        }
        for (own, earlier) in [("1", 2), ("2", 1), ("3", 0)] {
            assert_eq!(History::read(directory.path(), 14, &directory.path().join(own)).nights, earlier);
        }
    }
}
