//! What earlier nights were like, and what stands out against them.
//!
//! A figure stands out where it is more than [`LIMIT`] robust deviations from the median of earlier nights: the median absolute
//! deviation times 1.4826, which is a normal distribution's standard deviation (Iglewicz and Hoaglin 1993 take 3.5).

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use super::figures::FIGURES;

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
    /// Of the last nights, by the names of their run directories, in a directory; without the one named `own`.
    pub fn read(directory: &Path, most: usize, own: &Path) -> Self {
        let own = own.canonicalize().ok();
        let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut nights: Vec<_> = entries
            .filter(|path| path.canonicalize().ok() != own)
            .map(|path| path.join("report/samples.tsv"))
            .filter(|path| path.is_file())
            .collect();
        nights.sort();
        let nights = nights.split_off(nights.len().saturating_sub(most));
        let mut values: HashMap<&'static str, Vec<f64>> = HashMap::new();
        for night in &nights {
            for (key, value) in fs::read_to_string(night).map(|text| figures_of(&text)).unwrap_or_default() {
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
    }
}
