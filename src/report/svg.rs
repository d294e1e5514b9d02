//! Plots as SVG that stands in a page: lines, areas, bars, bands and points over two axes, with what they say under the pointer.
//!
//! Colours, dashes and fonts are the page's style (`page.css`), by class; so a plot follows the reader's light or dark
//! screen, and paper. Every value is written to a tenth of a unit of the drawing, whose width is [`WIDTH`] of them.

use std::collections::HashSet;
use std::fmt::Write;

use super::axis::{ACROSS, Axis, UP};
use super::html::Markup;

/// The drawing's width, in its own units: about a pixel each.
const WIDTH: f64 = 560.0;
/// The height of the field of the data.
const FIELD: f64 = 208.0;
/// Above the field: the label of the vertical axis.
const TOP: f64 = 28.0;
/// Right of the field.
const RIGHT: f64 = 14.0;
/// Below the field: texts of the ticks, and the label of the horizontal axis.
const BOTTOM: f64 = 44.0;
/// No bar is wider.
const WIDEST_BAR: f64 = 36.0;
/// A letter of a tick's text is about so wide.
const LETTER: f64 = 6.6;
/// Names on an axis are cut to so many letters.
const LONGEST_NAME: usize = 16;
/// Points closer than this are drawn as their highest and lowest.
const COLUMN: f64 = 0.5;
/// Dots closer than this cover one another.
const DOT: f64 = 1.5;
/// What is shown under the pointer is for stripes at least so wide,
const STRIPE: f64 = 4.0;
/// and at most so wide to either side.
const REACH: f64 = 12.0;

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// A line through them.
    Line,
    /// A line, and the area below it.
    Area,
    /// The area below, without a line: a backdrop.
    Shade,
    /// A bar of this width, in units of the horizontal axis, on each.
    Bars(f64),
    /// The area between the first half of the points, ascending, and the second half, descending.
    Band,
    /// A dot at each, in any order; of those that cover one another, one. There is nothing under the pointer.
    Points,
    /// As [`Mark::Points`], small crosses in the colour of the text.
    Crosses,
    /// As [`Mark::Points`], a large diamond that stands out.
    Star,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its colour and dashes in the style: 0 to 5; dots from 6 to 11 are squares.
    pub style: u8,
    /// How it is drawn.
    pub mark: Mark,
    /// The points, x ascending where they are joined.
    pub points: Vec<(f64, f64)>,
}

/// A line across the field that says where something is.
#[derive(Clone, Debug, PartialEq)]
pub enum Guide {
    /// At a height.
    Level(f64, String),
    /// At a place of the horizontal axis, with its text at the upper end,
    Place(f64, String),
    /// or at the lower one.
    Foot(f64, String),
}

/// A plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// What those hear who do not see it.
    pub description: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, the first below the others.
    pub series: Vec<Series>,
    /// Lines across the field.
    pub guides: Vec<Guide>,
}

impl Plot {
    /// The drawing. `readout` is what is shown at a place of the horizontal axis.
    pub fn to_markup(&self, readout: impl Fn(f64) -> String) -> Markup {
        let frame = Frame::of(self);
        let view = format!("0 0 {} {}", number(WIDTH), number(frame.height()));
        let mut markup = Markup::new();
        let attributes =
            [("class", "plot"), ("viewBox", &view), ("role", "img"), ("aria-label", &self.description)];
        markup.element("svg", &attributes, |m| {
            self.axes(m, &frame);
            let (x, width) = (number(frame.left), number(frame.width));
            let field =
                [("x", x.as_str()), ("y", &number(TOP)), ("width", &width), ("height", &number(FIELD))];
            // An inner drawing cuts off what leads out of it.
            m.element("svg", &field, |m| {
                self.series.iter().for_each(|series| frame.series(m, series));
                self.guides.iter().for_each(|guide| frame.guide(m, guide));
                self.stripes(m, &frame, &readout);
            });
        });
        markup
    }

    /// The names of the series, each with its line or field; nothing where there is only one.
    pub fn legend(&self) -> Markup {
        let mut markup = Markup::new();
        if self.series.iter().all(|series| series.name == self.series[0].name) {
            return markup;
        }
        markup.element("ul", &[("class", "legend")], |m| {
            for (i, series) in self.series.iter().enumerate() {
                // Parts of a line have one name.
                if self.series[..i].iter().any(|before| before.name == series.name) {
                    continue;
                }
                m.element("li", &[], |m| {
                    m.element("svg", &[("viewBox", "0 0 26 10"), ("aria-hidden", "true")], |m| {
                        let (class, path) = match series.mark {
                            Mark::Line | Mark::Area => ("line", "M0 5H26"),
                            Mark::Bars(_) => ("bars", "M6 0H20V10H6z"),
                            Mark::Shade => ("shade", "M6 0H20V10H6z"),
                            Mark::Band => ("band", "M6 0H20V10H6z"),
                            Mark::Points => (dots(series.style), "M13 5h0"),
                            Mark::Crosses => ("crosses", "M11 5h4m-2 -2v4"),
                            Mark::Star => ("star", "M8 5L13 0L18 5L13 10z"),
                        };
                        m.empty("path", &[("class", &classes(class, series.style)), ("d", path)]);
                    });
                    m.text(&series.name);
                });
            }
        });
        markup
    }

    fn axes(&self, m: &mut Markup, frame: &Frame) {
        let (right, bottom) = (frame.left + frame.width, TOP + FIELD);
        let mut grid = String::new();
        m.element("g", &[("class", "ticks y")], |m| {
            for (value, text) in self.y.ticks(UP) {
                let y = TOP + frame.y(value);
                let _ = write!(grid, "M{} {}H{}", number(frame.left), number(y), number(right));
                m.leaf("text", &[("x", &number(frame.left - 6.0)), ("y", &number(y + 3.5))], &text);
            }
        });
        m.empty("path", &[("class", "grid"), ("d", &grid)]);
        let mut marks = format!("M{} {}H{}", number(frame.left), number(bottom), number(right));
        m.element("g", &[("class", if frame.slanted { "ticks x slanted" } else { "ticks x" })], |m| {
            for (value, text) in frame.x_ticks(self) {
                let x = number(frame.left + frame.x(value));
                let _ = write!(marks, "M{x} {}v4", number(bottom));
                let y = number(bottom + if frame.slanted { 12.0 } else { 17.0 });
                let turn = format!("rotate(-40 {x} {y})");
                let text = cut(&text);
                let attributes = [("x", x.as_str()), ("y", &y), ("transform", &turn)];
                m.leaf("text", if frame.slanted { &attributes } else { &attributes[..2] }, &text);
            }
        });
        m.empty("path", &[("class", "axis"), ("d", &marks)]);
        let middle = number(frame.left + frame.width / 2.0);
        let below = number(frame.height() - 6.0);
        m.leaf("text", &[("class", "label x"), ("x", &middle), ("y", &below)], &self.x.label);
        m.leaf("text", &[("class", "label y"), ("x", "2"), ("y", "13")], &self.y.label);
    }

    /// Stripes that show, under the pointer, what is there.
    fn stripes(&self, m: &mut Markup, frame: &Frame, readout: &impl Fn(f64) -> String) {
        let joined = self.series.iter().filter(|series| !series.mark.is_alone());
        let mut places: Vec<f64> = joined.flat_map(|series| &series.points).map(|point| point.0).collect();
        places.retain(|x| *x >= self.x.from && *x <= self.x.to);
        places.sort_unstable_by(f64::total_cmp);
        let mut kept: Vec<(f64, f64)> = Vec::new();
        for place in places {
            let x = frame.x(place);
            if kept.last().is_none_or(|last| x - last.1 >= STRIPE) {
                kept.push((place, x));
            }
        }
        let reach = if self.x.names.is_empty() { REACH } else { frame.width };
        m.element("g", &[("class", "hover")], |m| {
            for (i, &(place, x)) in kept.iter().enumerate() {
                let before = i.checked_sub(1).map_or(0.0, |i| (kept[i].1 + x) / 2.0).max(x - reach);
                let after = kept.get(i + 1).map_or(frame.width, |next| (x + next.1) / 2.0).min(x + reach);
                let d = format!("M{} 0V{FIELD}H{}V0z", number(before), number(after));
                m.element("path", &[("d", &d)], |m| m.leaf("title", &[], &readout(place)));
            }
        });
    }
}

/// Where the field of the data lies, and where values lie in it.
struct Frame {
    left: f64,
    width: f64,
    /// Whether the names below do not fit beside one another.
    slanted: bool,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn of(plot: &Plot) -> Self {
        let longest = |ticks: Vec<(f64, String)>| {
            ticks.iter().map(|(_, text)| cut(text).chars().count()).max().unwrap_or(0) as f64
        };
        let left = 12.0 + LETTER * longest(plot.y.ticks(UP));
        let width = WIDTH - RIGHT - left;
        let (x, y) = ((plot.x.from, plot.x.to), (plot.y.from, plot.y.to));
        let name = LETTER * longest(plot.x.ticks(ACROSS));
        let slanted = !plot.x.names.is_empty() && name > width / plot.x.names.len() as f64;
        let bottom = if slanted { BOTTOM + 0.6 * name } else { BOTTOM };
        Self { left, width, slanted, bottom, x, y }
    }

    /// Ticks whose texts have room beside one another.
    fn x_ticks(&self, plot: &Plot) -> Vec<(f64, String)> {
        let ticks = plot.x.ticks(ACROSS);
        let letters: usize = ticks.iter().map(|(_, text)| text.chars().count() + 1).sum();
        let is_crowded = plot.x.names.is_empty() && LETTER * letters as f64 > self.width;
        if is_crowded { plot.x.ticks(ACROSS / 2) } else { ticks }
    }

    fn height(&self) -> f64 {
        TOP + FIELD + self.bottom
    }

    /// From the field's left side.
    fn x(&self, value: f64) -> f64 {
        self.width * (value - self.x.0) / (self.x.1 - self.x.0)
    }

    /// From the field's upper side.
    fn y(&self, value: f64) -> f64 {
        FIELD * (self.y.1 - value) / (self.y.1 - self.y.0)
    }

    fn series(&self, m: &mut Markup, series: &Series) {
        let points = series.points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        let placed = points.map(|&(x, y)| (self.x(x), self.y(y)));
        let mut draw = |class: &str, d: String| {
            m.empty("path", &[("class", &classes(class, series.style)), ("d", &d)]);
        };
        match series.mark {
            Mark::Bars(width) => {
                let half = (self.x(self.x.0 + width) / 2.0).clamp(0.5, WIDEST_BAR / 2.0);
                let (mut d, mut cuts) = (String::new(), String::new());
                for (x, y) in placed {
                    let (left, right) = (number(x - half), number(x + half));
                    let _ = write!(d, "M{left} {FIELD}V{}H{right}V{FIELD}z", number(y));
                    if y < 0.0 {
                        let _ = write!(cuts, "M{left} 16L{right} 9");
                    }
                }
                draw("bars", d);
                if !cuts.is_empty() {
                    draw("cut", cuts);
                }
            }
            Mark::Band => draw("band", line(&placed.collect::<Vec<_>>()) + "z"),
            Mark::Points => draw(dots(series.style), scattered(placed, "h0")),
            Mark::Crosses => draw("crosses", scattered(placed, "m-2 0h4m-2 -2v4")),
            Mark::Star => draw("star", scattered(placed, "m-7 0l7 -7l7 7l-7 7z")),
            Mark::Line => draw("line", line(&thin(placed))),
            Mark::Area | Mark::Shade => {
                let points = thin(placed);
                let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
                let (first, last) = (number(first.0), number(last.0));
                let line = line(&points);
                let area = format!("{line}L{last} {FIELD}L{first} {FIELD}z");
                draw(if series.mark == Mark::Area { "area" } else { "shade" }, area);
                if series.mark == Mark::Area {
                    draw("line", line);
                }
            }
        }
    }

    fn guide(&self, m: &mut Markup, guide: &Guide) {
        let (d, x, y, anchor, label) = match guide {
            Guide::Level(value, label) => {
                let y = self.y(*value);
                // Above the line, or below where there is no room.
                let text = if y < 16.0 { y + 13.0 } else { y - 5.0 };
                (format!("M0 {}H{}", number(y), number(self.width)), self.width - 4.0, text, "end", label)
            }
            Guide::Place(value, label) | Guide::Foot(value, label) => {
                let x = self.x(*value);
                let is_right = x > self.width * 0.8;
                let (text, anchor) = if is_right { (x - 5.0, "end") } else { (x + 5.0, "start") };
                let y = if matches!(guide, Guide::Foot(..)) { FIELD - 8.0 } else { 12.0 };
                (format!("M{} 0V{FIELD}", number(x)), text, y, anchor, label)
            }
        };
        m.empty("path", &[("class", "guide"), ("d", &d)]);
        let attributes =
            [("class", "guide"), ("x", &*number(x)), ("y", &*number(y)), ("text-anchor", anchor)];
        m.leaf("text", &attributes, label);
    }
}

fn classes(class: &str, style: u8) -> String {
    format!("{class} c{}", style % 6)
}

/// The class of dots of a style.
fn dots(style: u8) -> &'static str {
    if style < 6 { "dots" } else { "dots square" }
}

impl Mark {
    /// Whether points are not joined to one another.
    fn is_alone(self) -> bool {
        matches!(self, Self::Points | Self::Crosses | Self::Star)
    }
}

/// The path of a shape at each point, one for all in a square of [`DOT`].
fn scattered(points: impl Iterator<Item = (f64, f64)>, shape: &str) -> String {
    let (mut d, mut taken) = (String::new(), HashSet::new());
    for (x, y) in points {
        if taken.insert(((x / DOT).floor() as i64, (y / DOT).floor() as i64)) {
            let _ = write!(d, "M{} {}{shape}", number(x), number(y));
        }
    }
    d
}

/// A name that is not too long.
fn cut(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

/// The path through points.
fn line(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (i, &(x, y)) in points.iter().enumerate() {
        let _ = write!(d, "{}{} {}", if i == 0 { 'M' } else { 'L' }, number(x), number(y));
    }
    d
}

/// Fewer points for the same drawing: of those in one column, the first, the lowest, the highest and the last.
fn thin(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    let place = |x: f64| (x / COLUMN).floor();
    let mut close = |column: &mut Vec<(f64, f64)>| {
        let extreme = |take: fn(f64, f64) -> bool| {
            let best = (0..column.len()).reduce(|a, b| if take(column[b].1, column[a].1) { b } else { a });
            best.unwrap_or(0)
        };
        let mut wanted = [0, extreme(|a, b| a < b), extreme(|a, b| a > b), column.len().saturating_sub(1)];
        wanted.sort_unstable();
        let mut last = None;
        for i in wanted {
            if last != Some(i) {
                kept.extend(column.get(i));
                last = Some(i);
            }
        }
        column.clear();
    };
    for point in points {
        if column.last().is_some_and(|last| place(last.0) != place(point.0)) {
            close(&mut column);
        }
        column.push(point);
    }
    close(&mut column);
    kept
}

/// A length in the drawing, to a tenth.
fn number(value: f64) -> String {
    // What lies far outside is not seen.
    let value = value.clamp(-9999.0, 9999.0);
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(mark: Mark, points: Vec<(f64, f64)>) -> Plot {
        let series = vec![Series { name: "a".into(), style: 0, mark, points }];
        let (x, y) = (Axis::new("depth (x)", 0.0, 10.0), Axis::new("share (%)", 0.0, 5.0));
        Plot { description: "<d>".into(), x, y, series, guides: Vec::new() }
    }

    #[test]
    fn points_lie_where_the_axes_say() {
        let plot = plot(Mark::Line, vec![(0.0, 0.0), (5.0, 5.0), (10.0, 2.5)]);
        let markup = plot.to_markup(|x| format!("depth {x}"));
        // One letter of tick text: 12 + 6.6 left, 14 right of a width of 560.
        let text = markup.as_str();
        assert!(text.contains(r#"<svg x="18.6" y="28" width="527.4" height="208">"#), "{text}");
        assert!(text.contains(r#"d="M0 208L263.7 0L527.4 104""#), "{text}");
        assert!(
            text.contains("aria-label=\"&lt;d&gt;\"") && text.contains("<title>depth 5</title>"),
            "{text}"
        );
    }

    #[test]
    fn thinning_keeps_the_shape() {
        // A peak of one point among 100,000 on 600 units, and the ends.
        let points: Vec<(f64, f64)> = (0..100_000)
            .map(|i| (f64::from(i) * 0.006, if i == 54_321 { 9.0 } else { f64::from(i % 7) }))
            .collect();
        let thinned = thin(points.iter().copied());
        assert!(thinned.len() <= 4 * 1200 && thinned.is_sorted_by(|a, b| a.0 <= b.0));
        assert!(thinned.iter().all(|point| points.contains(point)));
        let highest = |points: &[(f64, f64)]| points.iter().fold(0.0, |a: f64, p| a.max(p.1));
        assert_eq!((highest(&thinned), thinned[0], thinned.last()), (9.0, points[0], points.last()));
        // Points farther apart than a column all stay.
        let sparse: Vec<(f64, f64)> = (0..600).map(|i| (f64::from(i), f64::from(i * i % 13))).collect();
        assert_eq!(thin(sparse.iter().copied()), sparse);
        assert!(thin(std::iter::empty()).is_empty());
    }

    #[test]
    fn stripes_do_not_crowd_and_lie_side_by_side() {
        let plot = plot(Mark::Line, (0..=1000).map(|i| (f64::from(i) / 100.0, 1.0)).collect());
        let markup = plot.to_markup(|_| "<here>".into());
        let stripes = markup.as_str().matches("<title>&lt;here&gt;</title>").count();
        assert!((100..=152).contains(&stripes), "{stripes}");
    }

    #[test]
    fn points_that_cover_one_another_are_drawn_once() {
        let plot = plot(Mark::Points, vec![(5.0, 2.5), (5.001, 2.5), (0.0, 5.0), (5.0, 2.5)]);
        let text = plot.to_markup(|_| "x".into()).as_str().to_owned();
        assert!(
            text.contains(r#"class="dots c0" d="M263.7 104h0M0 0h0"/>"#) && !text.contains("<title>"),
            "{text}"
        );
    }

    #[test]
    fn no_point_breaks_a_drawing() {
        let odd = [f64::NAN, f64::INFINITY, f64::MIN, f64::MAX, 0.0, 1e-300];
        let marks =
            [Mark::Line, Mark::Area, Mark::Shade, Mark::Bars(0.8), Mark::Band, Mark::Points, Mark::Star];
        for mark in marks {
            for points in [vec![], odd.map(|x| (x, 1.0)).to_vec(), odd.map(|y| (1.0, y)).to_vec()] {
                let markup = plot(mark, points).to_markup(|x| x.to_string());
                assert!(!markup.as_str().contains("NaN\"") && !markup.as_str().contains("inf"), "{markup:?}");
            }
        }
    }
}
