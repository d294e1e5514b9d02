//! The curves of a run as plots: what stands on the axes, where they end, and what is said about them.

use std::fmt::Write;

use super::super::curves::Curve;
use super::super::quality;
use super::super::results::{Results, mean_depth};
use super::input::{main_contigs, name};
use super::series::{Named, Points, at, at_least, distinct, end_of, filled, highest, shares, x_at_half};
use crate::genome::contigs::ContigRole;
use crate::report::axis::{ACROSS, Axis, UP};
use crate::report::html::Markup;
use crate::report::numbers::{decimal, percent, rounded, thousands, trimmed};
use crate::report::svg::{Guide, Mark, Plot, Series};

/// A depth beyond this many times the others' is cut off.
const MOST_TIMES: f64 = 2.0;
/// A depth has no line of its own where it lies closer to 0 than this share of the axis.
const LEAST_PLACE: f64 = 0.06;
/// Relative coverage above this is cut off.
const MOST_RELATIVE: f64 = 3.0;

/// A plot with its texts.
struct Figure {
    /// In-page name.
    id: String,
    title: String,
    /// How to read it.
    text: String,
    /// What the drawing leaves out.
    notes: Vec<String>,
    plot: Plot,
    /// What is shown at a place.
    readout: Box<dyn Fn(f64) -> String>,
}

/// All plots.
pub fn plots(results: &Results<'_>, curves: &[Curve]) -> Markup {
    let mut figures = Vec::new();
    for curve in curves {
        match curve.key {
            "coverage" => figures.extend(coverage(results, curve, &genome(results))),
            "target_coverage" => figures.extend(coverage(results, curve, &targets(results))),
            "depth" => {
                figures.extend(depth_by_contig(results));
                figures.push(depth(curve));
            }
            "insert_size" => figures.push(insert_size(results, curve)),
            "mean_quality_by_cycle" => figures.push(quality_by_cycle(results, curve)),
            "bases_by_cycle" => figures.push(bases_by_cycle(results, curve)),
            "quality_distribution" => figures.push(qualities(curve)),
            "gc_bias" => figures.push(gc_bias(results, curve)),
            _ => figures.push(other(curve)),
        }
    }
    let mut markup = Markup::new();
    if figures.is_empty() {
        markup.leaf("p", &[], "Nothing was measured that could be drawn.");
    }
    markup.element("div", &[("class", "plots")], |m| figures.iter().for_each(|figure| figure.write(m)));
    markup
}

impl Figure {
    fn write(&self, m: &mut Markup) {
        m.element("figure", &[("id", &format!("plot-{}", self.id))], |m| {
            m.element("figcaption", &[], |m| {
                m.leaf("h3", &[], &self.title);
                m.append(&self.plot.legend());
            });
            m.append(&self.plot.to_markup(&self.readout));
            let texts = [&self.text].into_iter().chain(&self.notes);
            let texts: Vec<&str> = texts.map(String::as_str).filter(|text| !text.is_empty()).collect();
            m.leaf("p", &[("class", "muted")], &texts.join(" "));
        });
        m.newline();
    }
}

/// What a plot of coverage is of.
struct Covered {
    /// The plot's title.
    title: &'static str,
    /// The positions.
    what: &'static str,
    /// Picard's table with the same filters, and what else they leave out.
    table: &'static str,
    mean: Option<f64>,
}

fn genome(results: &Results<'_>) -> Covered {
    let mean = results.wgs.as_ref().map(|row| row.MEAN_COVERAGE);
    Covered { title: "Coverage", what: "the genome", table: "wgs_metrics, N left out", mean }
}

fn targets(results: &Results<'_>) -> Covered {
    let mean = results.hs.as_ref().map(|row| row.MEAN_TARGET_COVERAGE);
    Covered { title: "Coverage of targets", what: "the targets", table: "hs_metrics", mean }
}

/// Positions by depth of good bases, and positions with at least a depth.
fn coverage(results: &Results<'_>, curve: &Curve, of: &Covered) -> [Figure; 2] {
    let (counts, notes) = distinct(curve);
    let end = depth_end(curve);
    let mean = of.mean;
    let mut guides = Vec::new();
    if let Some(mean) = mean.filter(|mean| *mean <= end) {
        guides.push(Guide::Place(mean, format!("mean {}x", rounded(mean))));
    }
    let shares: Vec<Named> = counts.iter().map(|(name, points)| (name.clone(), shares(points))).collect();
    let highest = |from: f64| {
        let points = shares.iter().flat_map(|(_, points)| points).filter(|(x, _)| *x >= from && *x <= end);
        points.fold(0.0, |highest: f64, point| highest.max(point.1))
    };
    let options = &results.context.options;
    let [mapq, baseq] = [options.min_mapq, options.min_baseq].map(|least| least.unwrap_or(20));
    let x = || depth_axis(&format!("depth of bases of quality {baseq} or more (x)"), end);
    let mut histogram_notes = notes.clone();
    // A flood of positions without bases (another target, another genome) would hide the rest.
    let at_zero = highest(0.0);
    let top = if at_zero > 2.0 * highest(1.0) && highest(1.0) > 0.0 {
        histogram_notes.push(format!("At depth 0 the curve is cut off: {}.", percent(at_zero)));
        highest(1.0)
    } else {
        at_zero
    };
    histogram_notes.push(tail_note("depth"));
    let series = drawn(&shares, end, |i| if i == 0 { Mark::Area } else { Mark::Line });
    let histogram = Figure {
        id: curve.key.into(),
        title: of.title.into(),
        text: format!(
            "Positions by depth as in {}: mapping quality {mapq} or more, no duplicates, mates counted once.",
            of.table
        ),
        notes: histogram_notes,
        readout: readout("depth", "x", &shares, counts_beside(&counts)),
        plot: Plot {
            description: format!(
                "Share of positions by depth. {}",
                mean.map_or_else(String::new, |mean| format!("The mean is {}x.", rounded(mean)))
            ),
            x: x(),
            y: Axis::round("share of positions (%)", 0.0, top, UP),
            series,
            guides,
        },
    };
    let (plot, readout) = cumulative(&counts, end, x());
    let text = format!("How much of {} has at least a given depth.", of.what);
    let (id, title) = (format!("{}-cumulative", curve.key), format!("{}, cumulative", of.title));
    [histogram, Figure { id, title, text, notes, plot, readout }]
}

/// Positions with at least a depth, by parts of the genome.
fn depth(curve: &Curve) -> Figure {
    let (counts, mut notes) = distinct(curve);
    let end = depth_end(curve);
    if let Some((name, points)) = counts.first() {
        let none = points.iter().find(|point| point.0 == 0.0).map_or(0.0, |point| point.1);
        let share = 100.0 * none / points.iter().map(|point| point.1).sum::<f64>();
        if share > 50.0 {
            notes.push(format!("{} of the positions of {name} have no read.", percent(share)));
        }
    }
    let (plot, readout) = cumulative(&counts, end, depth_axis("depth (x)", end));
    Figure {
        id: "depth".into(),
        title: "Depth, cumulative".into(),
        text: "How much of the genome has at least a given depth, as mosdepth counts it, N included.".into(),
        notes,
        plot,
        readout,
    }
}

/// Mean depth of the main contigs; a plot where there are two of them.
fn depth_by_contig(results: &Results<'_>) -> Option<Figure> {
    let depths = results.state.depth.as_ref()?.contigs();
    let contigs = &results.context.header.contigs;
    let shown = main_contigs(results);
    let means: Vec<(usize, f64)> = shown
        .iter()
        .filter_map(|&i| Some((i, mean_depth(&depths.get(i)?.histogram))))
        .filter(|(_, mean)| mean.is_finite())
        .collect();
    if means.len() < 2 {
        return None;
    }
    let role = |i: usize| ContigRole::of(&contigs[i].name);
    let is_mitochondrion = |i: usize| role(i) == ContigRole::Mitochondrion;
    let highest = |wanted: &dyn Fn(usize) -> bool| {
        means.iter().filter(|(i, _)| wanted(*i)).fold(0.0, |highest: f64, (_, mean)| highest.max(*mean))
    };
    // Cells have many mitochondria.
    let (nuclear, all) = (highest(&|i| !is_mitochondrion(i)), highest(&|_| true));
    let top = if nuclear > 0.0 && all > MOST_TIMES * nuclear { 1.25 * nuclear } else { all };
    let y = Axis::round("mean depth (x)", 0.0, top, UP);
    let mut notes = Vec::new();
    for (i, mean) in means.iter().filter(|(_, mean)| *mean > y.to) {
        notes.push(format!("{}: {}x, bar cut off.", name(&contigs[*i].name), decimal(*mean, 1)));
    }
    let others = contigs.len() - means.len();
    if others > 0 {
        notes.push(format!("{} other contigs are not shown.", thousands(others as u64)));
    }
    type Wanted = fn(ContigRole) -> bool;
    let parts: [(&str, u8, Wanted); 4] = [
        ("autosomes", 0, ContigRole::is_autosome),
        ("X and Y", 1, |role| matches!(role, ContigRole::X | ContigRole::Y)),
        ("mitochondrion", 4, |role| role == ContigRole::Mitochondrion),
        ("contigs", 0, |role| role == ContigRole::Other),
    ];
    let places = (0u32..).zip(&means);
    let series = parts.into_iter().map(|(part, style, wanted)| {
        let points = places.clone().filter(|(_, (i, _))| wanted(role(*i)));
        let points = points.map(|(place, (_, mean))| (f64::from(place), *mean)).collect();
        Series { name: part.into(), style, mark: Mark::Bars(0.7), points }
    });
    let series = series.filter(|series| !series.points.is_empty()).collect();
    let autosomes = results.depths_of(ContigRole::is_autosome).map(|depths| mean_depth(&depths));
    let guide = |mean: f64| Guide::Level(mean, String::new());
    let short =
        |name: &str| name.strip_prefix("chr").filter(|rest| !rest.is_empty()).unwrap_or(name).to_owned();
    let names = means.iter().map(|(i, _)| short(&contigs[*i].name)).collect();
    let texts: Vec<String> =
        means.iter().map(|(i, mean)| format!("{}: {}x", name(&contigs[*i].name), rounded(*mean))).collect();
    Some(Figure {
        id: "depth-by-contig".into(),
        title: "Depth by contig".into(),
        text: format!(
            "Mean depth as mosdepth counts it; contigs with many N stand lower.{}",
            autosomes.map_or_else(String::new, |mean| format!(
                " The dotted line is the autosomes': {}x.",
                rounded(mean)
            ))
        ),
        notes,
        plot: Plot {
            description: format!("Mean depth of {} contigs.", means.len()),
            x: Axis::named("contig", names),
            y,
            series,
            guides: autosomes.filter(|mean| *mean <= top).map(guide).into_iter().collect(),
        },
        readout: Box::new(move |place| texts.get(place.round() as usize).cloned().unwrap_or_default()),
    })
}

fn insert_size(results: &Results<'_>, curve: &Curve) -> Figure {
    let counts = filled(&curve.series);
    let end = end_of(counts.iter().flat_map(|(_, points)| points));
    let median = results.main_insert_size().map(|row| row.MEDIAN_INSERT_SIZE).filter(|median| *median <= end);
    let guides = median.map(|median| Guide::Place(median, format!("median {} bp", trimmed(median, 1))));
    let highest = highest(&counts, end);
    Figure {
        id: curve.key.into(),
        title: "Insert size".into(),
        text: "Pairs by the length of their fragment and by orientation (FR: inward), duplicates left out."
            .into(),
        notes: vec![tail_note("size")],
        plot: Plot {
            description: format!(
                "Pairs by insert size. {}",
                median.map_or_else(String::new, |median| format!("The median is {} bp.", trimmed(median, 1)))
            ),
            x: Axis::round(curve.x, 0.0, end, ACROSS),
            y: Axis::round(curve.y, 0.0, highest, UP),
            series: drawn(&counts, end, |_| Mark::Area),
            guides: guides.into_iter().collect(),
        },
        readout: readout("insert size", " bp", &counts, |_, _, pairs| format!("{} pairs", decimal(pairs, 0))),
    }
}

fn quality_by_cycle(results: &Results<'_>, curve: &Curve) -> Figure {
    let points = || curve.series.iter().flat_map(|(_, points)| points);
    let highest = points().fold(40.0, |highest: f64, point| highest.max(point.1));
    let lowest = points().fold(20.0, |lowest: f64, point| lowest.min(point.1));
    let from = if lowest < 20.0 { 0.0 } else { 15.0 };
    let second = second_read(results);
    let mut guides: Vec<Guide> =
        [20.0, 30.0].map(|quality| Guide::Level(quality, format!("Q{quality}"))).into();
    guides.extend(second.map(second_guide));
    Figure {
        id: curve.key.into(),
        title: "Mean quality by cycle".into(),
        text: "A fall towards the end of a read is usual; a dip within it is a fault of the run.".into(),
        notes: Vec::new(),
        plot: Plot {
            description: "Mean base quality by cycle.".into(),
            x: cycle_axis(curve),
            y: Axis::round(curve.y, from, highest, UP),
            series: by_read(curve, second, |_| 0),
            guides,
        },
        readout: cycle_readout(&curve.series, second, |quality| decimal(quality, 2)),
    }
}

fn bases_by_cycle(results: &Results<'_>, curve: &Curve) -> Figure {
    let second = second_read(results);
    let style = |name: &str| match name {
        "A" => 2,
        "C" => 0,
        "G" => 5,
        "T" => 1,
        _ => 4,
    };
    Figure {
        id: curve.key.into(),
        title: "Bases by cycle".into(),
        text:
            "Lines that are level mean an even library; waves in the first cycles come from its preparation."
                .into(),
        notes: Vec::new(),
        plot: Plot {
            description: "Share of A, C, G, T and N by cycle.".into(),
            x: cycle_axis(curve),
            y: Axis::round("share of bases (%)", 0.0, highest(&curve.series, f64::INFINITY), UP),
            series: by_read(curve, second, style),
            guides: second.map(second_guide).into_iter().collect(),
        },
        readout: cycle_readout(&curve.series, second, percent),
    }
}

fn qualities(curve: &Curve) -> Figure {
    let shares: Vec<Named> =
        curve.series.iter().map(|(name, points)| (name.clone(), shares(points))).collect();
    let last =
        curve.series.iter().flat_map(|(_, points)| points).fold(40.0, |last: f64, point| last.max(point.0));
    let series = drawn(&shares, last, |_| Mark::Bars(0.8));
    let text = "Instruments that report few classes of quality have few bars.";
    Figure {
        id: curve.key.into(),
        title: "Base qualities".into(),
        text: text.into(),
        notes: Vec::new(),
        plot: Plot {
            description: "Share of called bases by base quality.".into(),
            x: Axis::new(curve.x, 0.0, last + 1.0),
            y: Axis::round("share of called bases (%)", 0.0, highest(&shares, last), UP),
            series,
            guides: vec![Guide::Place(29.5, "Q30 →".into())],
        },
        readout: readout("quality", "", &shares, counts_beside(&curve.series)),
    }
}

/// Relative coverage by GC content, with one standard deviation by counting, over the windows of the reference.
fn gc_bias(results: &Results<'_>, curve: &Curve) -> Figure {
    let points: Points = curve.series.iter().flat_map(|(_, points)| points.clone()).collect();
    let details = results.gc_bias.as_ref().map(|(details, _)| &details[..]).unwrap_or_default();
    let shown: Vec<_> =
        details.iter().filter(|row| points.iter().any(|point| point.0 == row.GC as f64)).collect();
    let highest = points.iter().fold(2.0, |highest: f64, point| highest.max(point.1));
    let y = Axis::round(curve.y, 0.0, highest.min(MOST_RELATIVE), UP);
    let most_windows = details.iter().map(|row| row.WINDOWS).max().unwrap_or(0).max(1) as f64;
    let windows =
        details.iter().map(|row| (row.GC as f64, 0.45 * y.to * row.WINDOWS as f64 / most_windows)).collect();
    let side = |sign: f64| {
        shown.iter().map(move |row| (row.GC as f64, row.NORMALIZED_COVERAGE + sign * row.ERROR_BAR_WIDTH))
    };
    let band = side(1.0).chain(side(-1.0).rev()).collect();
    let series = vec![
        Series { name: "windows".into(), style: 4, mark: Mark::Shade, points: windows },
        Series { name: "± 1 SD".into(), style: 0, mark: Mark::Band, points: band },
        Series { name: "coverage".into(), style: 0, mark: Mark::Line, points },
    ];
    let mut notes = vec!["Contents with fewer than 100 windows are left out.".to_owned()];
    if highest > y.to {
        notes.push(format!("Coverage above {} is cut off.", trimmed(y.to, 1)));
    }
    let rows: Vec<(u64, u64, f64, f64, bool)> = details
        .iter()
        .map(|row| {
            let is_shown = shown.iter().any(|shown| shown.GC == row.GC);
            (row.GC, row.WINDOWS, row.NORMALIZED_COVERAGE, row.ERROR_BAR_WIDTH, is_shown)
        })
        .collect();
    Figure {
        id: curve.key.into(),
        title: "GC bias".into(),
        text: "Coverage of windows of 100 bases by their GC content: without bias it is 1 everywhere. SD by counting; how \
               many windows there are has a scale of its own."
            .into(),
        notes,
        plot: Plot {
            description: "Coverage relative to the mean by GC content.".into(),
            x: Axis::new(curve.x, 0.0, 100.0),
            y,
            series,
            guides: vec![Guide::Level(1.0, String::new())],
        },
        readout: Box::new(move |gc| {
            let row = rows.iter().find(|row| row.0 as f64 == gc);
            row.map_or_else(String::new, |(gc, windows, coverage, deviation, is_shown)| {
                let windows = format!("{gc} % GC\n{} windows", thousands(*windows));
                if !is_shown {
                    return windows;
                }
                format!("{windows}\ncoverage {} ± {}", decimal(*coverage, 3), decimal(*deviation, 3))
            })
        }),
    }
}

/// A curve that has no plot of its own.
fn other(curve: &Curve) -> Figure {
    let points = || curve.series.iter().flat_map(|(_, points)| points);
    let first = points().fold(f64::INFINITY, |first: f64, point| first.min(point.0));
    let last = points().fold(f64::NEG_INFINITY, |last: f64, point| last.max(point.0));
    let title = curve.key.replace('_', " ");
    Figure {
        id: curve.key.into(),
        text: String::new(),
        notes: Vec::new(),
        plot: Plot {
            description: format!("{title}: {} by {}.", curve.y, curve.x),
            x: Axis::new(curve.x, first, last),
            y: Axis::round(curve.y, 0.0, highest(&curve.series, last), UP),
            series: drawn(&curve.series, last, |_| Mark::Line),
            guides: Vec::new(),
        },
        readout: readout(curve.x, "", &curve.series, |_, _, y| trimmed(y, 3)),
        title,
    }
}

/// The plot of positions with at least a depth.
fn cumulative(counts: &[Named], end: f64, x: Axis) -> (Plot, Box<dyn Fn(f64) -> String>) {
    let shares: Vec<Named> = counts.iter().map(|(name, points)| (name.clone(), at_least(points))).collect();
    let highest = highest(&shares, end);
    let y = if highest > 50.0 { 100.0 } else { highest };
    // The text stands where the curves do not: below them at first, above them later.
    let half = x_at_half(shares.first().map_or(&[], |(_, points)| points));
    let guides = [15.0, 30.0].into_iter().filter(|depth| (LEAST_PLACE * end..=end).contains(depth));
    let guides = guides.map(|depth| {
        let text = format!("{depth}x");
        if depth < half { Guide::Foot(depth, text) } else { Guide::Place(depth, text) }
    });
    let guides = guides.collect();
    let plot = Plot {
        description: "Share of positions with at least a depth.".into(),
        x,
        y: Axis::round("share of positions (%)", 0.0, y, UP),
        series: drawn(&shares, end, |_| Mark::Line),
        guides,
    };
    (plot, readout("at least ", "x", &shares, |_, _, share| percent(share)))
}

/// The depth at which the axis ends: that of the autosomes, where there are any.
fn depth_end(curve: &Curve) -> f64 {
    let series = curve.series.iter().find(|(name, _)| name == "autosomes").or(curve.series.first());
    let covered = series.into_iter().flat_map(|(_, points)| points).filter(|point| point.0 >= 1.0);
    end_of(covered).max(10.0)
}

fn depth_axis(label: &str, end: f64) -> Axis {
    Axis::round(label, 0.0, end, ACROSS)
}

fn tail_note(of: &str) -> String {
    format!("The axis ends at the {of} that 99.9 % do not exceed.")
}

/// Series as they are drawn, up to the first point past the end.
fn drawn(series: &[Named], end: f64, mark: impl Fn(usize) -> Mark) -> Vec<Series> {
    let up_to_end = |points: &Points| {
        let shown = points.partition_point(|point| point.0 <= end);
        points[..(shown + 1).min(points.len())].to_vec()
    };
    (0u8..)
        .zip(series)
        .map(|(i, (name, points))| Series {
            name: name.clone(),
            style: i % 6,
            mark: mark(usize::from(i)),
            points: up_to_end(points),
        })
        .collect()
}

/// What is shown at a place: the place with its unit, and each series' value there.
fn readout(
    place: &str,
    unit: &'static str,
    series: &[Named],
    value: impl Fn(usize, f64, f64) -> String + 'static,
) -> Box<dyn Fn(f64) -> String> {
    let (place, series) = (place.to_owned(), series.to_vec());
    Box::new(move |x| {
        let space = if place.ends_with(' ') { "" } else { " " };
        let mut text = format!("{place}{space}{}{unit}", trimmed(x, 1));
        for (i, (name, points)) in series.iter().enumerate() {
            if let Some(y) = at(points, x) {
                // Writing to a String does not fail.
                let _ = match series.len() {
                    1 => write!(text, "\n{}", value(i, x, y)),
                    _ => write!(text, "\n{name}: {}", value(i, x, y)),
                };
            }
        }
        text
    })
}

/// A share with the count behind it.
fn counts_beside(counts: &[Named]) -> impl Fn(usize, f64, f64) -> String + use<> {
    let counts = counts.to_vec();
    move |i, x, share| {
        let count = counts.get(i).and_then(|(_, points)| at(points, x)).unwrap_or(0.0);
        format!("{} ({})", percent(share), decimal(count, 0))
    }
}

/// The first cycle of second reads, as the curves number them.
fn second_read(results: &Results<'_>) -> Option<f64> {
    let rows = quality::base_distribution(results.state.cycles.as_ref()?);
    let second = rows.iter().find(|row| row.READ_END == 2)?;
    (second.CYCLE > 1).then_some(second.CYCLE as f64)
}

fn second_guide(cycle: f64) -> Guide {
    Guide::Foot(cycle - 0.5, "second read".into())
}

fn cycle_axis(curve: &Curve) -> Axis {
    let last =
        curve.series.iter().flat_map(|(_, points)| points).fold(1.0, |last: f64, point| last.max(point.0));
    Axis::new(curve.x, 0.0, last)
}

/// The series, cut where the second reads begin: the two ends are not joined.
fn by_read(curve: &Curve, second: Option<f64>, style: impl Fn(&str) -> u8) -> Vec<Series> {
    let mut series = Vec::new();
    for (name, points) in &curve.series {
        let cut = second.map_or(points.len(), |second| points.partition_point(|point| point.0 < second));
        let (first, rest) = points.split_at(cut);
        for part in [first, rest].into_iter().filter(|part| !part.is_empty()) {
            let (name, style) = (name.clone(), style(name));
            series.push(Series { name, style, mark: Mark::Line, points: part.to_vec() });
        }
    }
    series
}

fn cycle_readout(
    series: &[Named],
    second: Option<f64>,
    value: impl Fn(f64) -> String + 'static,
) -> Box<dyn Fn(f64) -> String> {
    let inner = readout("cycle", "", series, move |_, _, y| value(y));
    Box::new(move |x| {
        let text = inner(x);
        match second.filter(|second| x >= *second) {
            Some(second) => format!("{text}\n(cycle {} of the second read)", trimmed(x - second + 1.0, 0)),
            None => text,
        }
    })
}
