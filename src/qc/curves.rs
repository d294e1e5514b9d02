//! The distributions of a finished run, as the JSON document keeps them and the page draws them.

use super::quality;
use super::results::Results;
use crate::genome::contigs::ContigRole;

/// A distribution: one or more series over the same axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Its name in the document.
    pub key: &'static str,
    /// What stands on the horizontal axis, with its unit.
    pub x: &'static str,
    /// What stands on the vertical axis, with its unit.
    pub y: &'static str,
    /// Name and points (x ascending) of each series.
    pub series: Vec<(String, Vec<(f64, f64)>)>,
}

/// The curves that the run has.
pub fn of(results: &Results<'_>) -> Vec<Curve> {
    [
        coverage(results),
        depth(results),
        targets(results),
        insert_size(results),
        quality_by_cycle(results),
        bases_by_cycle(results),
        qualities(results),
        gc_bias(results),
    ]
    .into_iter()
    .flatten()
    .filter(|curve| !curve.series.is_empty())
    .collect()
}

/// Positions by depth of good bases.
fn coverage(results: &Results<'_>) -> Option<Curve> {
    let wgs = results.state.wgs.as_ref()?;
    let series = [("all contigs", false), ("autosomes", true)]
        .into_iter()
        .map(|(name, autosomes)| (name, wgs.depths(autosomes)))
        .filter(|(_, depths)| depths.count() > 0)
        .map(|(name, depths)| (name.to_owned(), points(depths.iter())))
        .collect();
    Some(Curve { key: "coverage", x: "depth of bases of quality 20 or more", y: "positions", series })
}

/// Positions by depth, as mosdepth counts it.
fn depth(results: &Results<'_>) -> Option<Curve> {
    type Wanted = fn(ContigRole) -> bool;
    let parts: [(&str, Wanted); 5] = [
        ("all contigs", |_| true),
        ("autosomes", ContigRole::is_autosome),
        ("X", |role| role == ContigRole::X),
        ("Y", |role| role == ContigRole::Y),
        ("mitochondrion", |role| role == ContigRole::Mitochondrion),
    ];
    results.state.depth.as_ref()?;
    let series = parts
        .into_iter()
        .filter_map(|(name, wanted)| {
            let depths = results.depths_of(wanted)?;
            let seen = (0u64..).zip(depths).filter(|(_, n)| *n > 0);
            Some((name.to_owned(), points(seen)))
        })
        .collect();
    Some(Curve { key: "depth", x: "depth", y: "positions", series })
}

/// Positions of targets by depth of good bases.
fn targets(results: &Results<'_>) -> Option<Curve> {
    let (hs, row) = results.state.hs.as_ref().map(|hs| &hs.all).zip(results.hs.as_ref())?;
    let depths = hs.target_depths(row.TARGET_TERRITORY);
    let series =
        if depths.count() == 0 { Vec::new() } else { vec![("targets".to_owned(), points(depths.iter()))] };
    Some(Curve { key: "target_coverage", x: "depth of bases of quality 20 or more", y: "positions", series })
}

fn insert_size(results: &Results<'_>) -> Option<Curve> {
    let series = results.insert_size.iter();
    let series = series.map(|(row, sizes)| (row.PAIR_ORIENTATION.clone(), points(sizes.iter()))).collect();
    Some(Curve { key: "insert_size", x: "insert size (bp)", y: "pairs", series })
}

fn quality_by_cycle(results: &Results<'_>) -> Option<Curve> {
    let means = quality::mean_by_cycle(results.state.cycles.as_ref()?);
    let points: Vec<_> = means.into_iter().map(|(cycle, mean)| (cycle as f64, mean)).collect();
    let series = if points.is_empty() { Vec::new() } else { vec![("mean quality".to_owned(), points)] };
    Some(Curve { key: "mean_quality_by_cycle", x: CYCLE, y: "mean quality (Phred)", series })
}

/// Cycles are numbered as Picard does.
const CYCLE: &str = "cycle (those of the second read follow the first's)";

fn bases_by_cycle(results: &Results<'_>) -> Option<Curve> {
    let rows = quality::base_distribution(results.state.cycles.as_ref()?);
    type Share = fn(&quality::BaseDistributionByCycleMetrics) -> f64;
    let columns: [(&str, Share); 5] = [
        ("A", |row| row.PCT_A),
        ("C", |row| row.PCT_C),
        ("G", |row| row.PCT_G),
        ("T", |row| row.PCT_T),
        ("N", |row| row.PCT_N),
    ];
    let points = |get: Share| rows.iter().map(|row| (row.CYCLE as f64, get(row))).collect();
    let series = columns.into_iter().map(|(name, get)| (name.to_owned(), points(get)));
    let series = if rows.is_empty() { Vec::new() } else { series.collect() };
    Some(Curve { key: "bases_by_cycle", x: CYCLE, y: "bases (%)", series })
}

fn qualities(results: &Results<'_>) -> Option<Curve> {
    let counts = quality::distribution(results.state.cycles.as_ref()?);
    let series =
        if counts.is_empty() { Vec::new() } else { vec![("bases".to_owned(), points(counts.into_iter()))] };
    Some(Curve { key: "quality_distribution", x: "base quality (Phred)", y: "called bases", series })
}

/// Coverage and windows of the reference by GC content; contents with few windows say little and are left out.
fn gc_bias(results: &Results<'_>) -> Option<Curve> {
    let (details, _) = results.gc_bias.as_ref()?;
    let rows = details.iter().filter(|row| row.WINDOWS >= LEAST_WINDOWS);
    let points: Vec<_> = rows.map(|row| (row.GC as f64, row.NORMALIZED_COVERAGE)).collect();
    let series =
        if points.is_empty() { Vec::new() } else { vec![("normalised coverage".to_owned(), points)] };
    let x = "GC content of windows of 100 bp (%)";
    Some(Curve { key: "gc_bias", x, y: "coverage relative to the mean", series })
}

/// Fewer windows make a coverage that is mostly chance.
const LEAST_WINDOWS: u64 = 100;

fn points(counts: impl Iterator<Item = (u64, u64)>) -> Vec<(f64, f64)> {
    counts.map(|(value, count)| (value as f64, count as f64)).collect()
}
