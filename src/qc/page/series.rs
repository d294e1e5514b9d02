//! What plots are made of: counts with the zeros between them, shares, cumulative shares, and where an axis ends.

use super::super::curves::Curve;

/// Axes of counts end where this share of them is seen; the rest is a long tail.
const SHOWN_SHARE: f64 = 0.999;

/// Points, x ascending.
pub type Points = Vec<(f64, f64)>;
/// A series: its name and points.
pub type Named = (String, Points);

/// Where a falling curve has come to half of where it began.
pub fn x_at_half(points: &[(f64, f64)]) -> f64 {
    let first = points.first().map_or(0.0, |point| point.1);
    points.iter().find(|point| point.1 < first / 2.0).map_or(f64::INFINITY, |point| point.0)
}

/// The curves of a plot that differ, and what is said of the others.
pub fn distinct(curve: &Curve) -> (Vec<Named>, Vec<String>) {
    let (mut kept, mut notes): (Vec<Named>, Vec<String>) = (Vec::new(), Vec::new());
    for (name, points) in filled(&curve.series) {
        match kept.iter().find(|(_, others)| *others == points) {
            Some((same, _)) => notes.push(format!("The curve of {name} is that of {same}.")),
            None => kept.push((name, points)),
        }
    }
    (kept, notes)
}

/// Where [`SHOWN_SHARE`] of the counts has been seen.
pub fn end_of<'p>(counts: impl Iterator<Item = &'p (f64, f64)>) -> f64 {
    let mut counts: Points = counts.copied().collect();
    counts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = counts.iter().map(|point| point.1).sum();
    let mut seen = 0.0;
    let is_last = |point: &&(f64, f64)| {
        seen += point.1;
        seen >= SHOWN_SHARE * all
    };
    counts.iter().find(is_last).map_or(1.0, |point| point.0)
}

/// Counts with the zeros that lie between them.
pub fn filled(series: &[Named]) -> Vec<Named> {
    let fill = |points: &Points| {
        let mut all: Points = Vec::with_capacity(points.len());
        for &(x, y) in points {
            if let Some(&(last, _)) = all.last() {
                if x > last + 1.0 {
                    all.push((last + 1.0, 0.0));
                }
                if x > last + 2.0 {
                    all.push((x - 1.0, 0.0));
                }
            }
            all.push((x, y));
        }
        all
    };
    series.iter().map(|(name, points)| (name.clone(), fill(points))).collect()
}

/// Counts as shares of their sum, in percent.
pub fn shares(counts: &Points) -> Points {
    let all: f64 = counts.iter().map(|point| point.1).sum();
    counts.iter().map(|&(x, n)| (x, 100.0 * n / all)).collect()
}

/// The share of the counts at each value or above it, in percent; 0 left out, where it is all of them.
pub fn at_least(counts: &Points) -> Points {
    let all: f64 = counts.iter().map(|point| point.1).sum();
    let mut above = all;
    let mut points = Vec::with_capacity(counts.len() + 1);
    for &(x, n) in counts {
        if x > 0.0 {
            points.push((x, 100.0 * above / all));
        }
        above -= n;
    }
    if let Some(&(last, _)) = counts.last() {
        points.push((last + 1.0, 0.0));
    }
    points
}

/// The highest value up to an end.
pub fn highest(series: &[Named], end: f64) -> f64 {
    let points = series.iter().flat_map(|(_, points)| points).filter(|(x, y)| *x <= end && y.is_finite());
    points.fold(0.0, |highest: f64, point| highest.max(point.1))
}

/// The value at a place.
pub fn at(points: &Points, x: f64) -> Option<f64> {
    points.binary_search_by(|point| point.0.total_cmp(&x)).ok().map(|i| points[i].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Points {
        let number = |text: &str| text.parse().unwrap_or(f64::NAN);
        text.split_whitespace()
            .filter_map(|point| point.split_once(':'))
            .map(|(x, y)| (number(x), number(y)))
            .collect()
    }

    #[test]
    fn counts_become_what_is_drawn() {
        // Made by hand.
        for (counts, with_zeros, as_shares, cumulative) in [
            ("0:1 1:1 2:2", "0:1 1:1 2:2", "0:25 1:25 2:50", "1:75 2:50 3:0"),
            ("1:3 3:1", "1:3 2:0 3:1", "1:75 3:25", "1:100 3:25 4:0"),
            ("2:1 9:1", "2:1 3:0 8:0 9:1", "2:50 9:50", "2:100 9:50 10:0"),
            ("0:8", "0:8", "0:100", "1:0"),
            ("", "", "", ""),
        ] {
            let counts = points(counts);
            let filled = filled(&[("a".to_owned(), counts.clone())]);
            assert_eq!(filled[0].1, points(with_zeros));
            assert_eq!(shares(&counts), points(as_shares));
            assert_eq!(at_least(&counts), points(cumulative));
        }
    }

    #[test]
    fn an_axis_of_counts_ends_before_the_tail() {
        for (counts, end) in [
            ("1:500 2:498 3:1 900:1", 3.0),
            ("1:500 2:498 900:2", 900.0),
            ("5:7", 5.0),
            ("", 1.0),
            ("1:0 2:0", 1.0),
        ] {
            assert_eq!(end_of(points(counts).iter()), end, "{counts}");
        }
    }

    #[test]
    fn equal_curves_are_drawn_once() {
        let series = [("all", "0:1 2:3"), ("autosomes", "0:1 2:3"), ("X", "0:1 2:2")];
        let series = series.map(|(name, text)| (name.to_owned(), points(text))).into();
        let (kept, notes) = distinct(&Curve { key: "depth", x: "depth", y: "positions", series });
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            (names, notes),
            (vec!["all", "X"], vec!["The curve of autosomes is that of all.".to_owned()])
        );
    }

    #[test]
    fn a_falling_curve_has_a_middle() {
        for (curve, half) in
            [("1:100 2:60 3:49 4:1", 3.0), ("1:100 2:50", f64::INFINITY), ("", f64::INFINITY)]
        {
            assert_eq!(x_at_half(&points(curve)), half, "{curve}");
        }
    }
}
