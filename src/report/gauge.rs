//! Where a value lies between its bounds: a strip of good, doubtful and bad, with a hand.

use std::fmt::Write;

use super::html::{Markup, Tone};

/// The strip's length, in units of the drawing.
const LENGTH: f64 = 132.0;
/// Beyond the bounds and the value the strip goes on by this share of what lies between them.
const MARGIN: f64 = 0.3;

/// Bounds of a value: where it becomes bad, doubtful, doubtful and bad, ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Bad below this.
    pub bad_below: Option<f64>,
    /// Doubtful below this.
    pub caution_below: Option<f64>,
    /// Doubtful above this.
    pub caution_above: Option<f64>,
    /// Bad above this.
    pub bad_above: Option<f64>,
}

/// The strip. No value is less than 0, or more than `most`. It says nothing that the bounds' texts do not: it is hidden
/// from those who do not see it.
pub fn gauge(value: f64, bounds: Bounds, most: f64) -> Markup {
    let mut markup = Markup::new();
    let ascending = [bounds.bad_below, bounds.caution_below, bounds.caution_above, bounds.bad_above];
    let all = || ascending.into_iter().flatten().chain([value]);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if !all().all(f64::is_finite) {
        return markup;
    }
    let margin = if high > low { MARGIN * (high - low) } else { high.abs().max(1.0) * MARGIN };
    let (from, to) = ((low - margin).max(low.min(0.0)), (high + margin).min(high.max(most)));
    let place = |at: f64| LENGTH * ((at - from) / (to - from).max(f64::MIN_POSITIVE));
    // What is below the lower bounds, between, and above the upper ones.
    let tones = [Tone::Bad, Tone::Caution, Tone::Good, Tone::Caution, Tone::Bad];
    let (mut ends, mut last) = ([from; 5], from);
    for i in 0..2 {
        last = ascending[i].unwrap_or(last).max(last);
        ends[i] = last;
    }
    let mut next = to;
    for i in [3, 2] {
        ends[i + 1] = next;
        next = ascending[i].unwrap_or(next).min(next);
    }
    ends[2] = next;
    let attributes = [("class", "gauge"), ("viewBox", "-4 0 140 16"), ("aria-hidden", "true")];
    markup.element("svg", &attributes, |m| {
        let mut start = from;
        for (end, tone) in ends.into_iter().zip(tones) {
            if end > start {
                let d = format!("M{:.1} 6H{:.1}V14H{:.1}z", place(start), place(end), place(start));
                m.empty("path", &[("class", tone.class()), ("d", &d)]);
                start = end;
            }
        }
        let mut d = String::new();
        // Writing to a String does not fail.
        let _ = write!(d, "M{x:.1} 16V5l-3 -4.5h6l-3 4.5", x = place(value));
        m.empty("path", &[("class", "hand"), ("d", &d)]);
    });
    markup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hand_lies_in_its_zone() {
        // Bounds from 10 to 20: the strip goes from 7 to 23, 132 units, 8.25 for one.
        let bounds = Bounds { bad_below: Some(10.0), caution_below: Some(12.0), ..Bounds::default() };
        let text = gauge(20.0, bounds, f64::INFINITY).as_str().to_owned();
        for part in [
            r#"class="bad" d="M0.0 6H24.8V14H0.0z""#,
            r#"class="caution" d="M24.8 6H41.2V14H24.8z""#,
            r#"class="good" d="M41.2 6H132.0V14H41.2z""#,
            r#"d="M107.2 16"#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        // A share does not go past 100 %.
        let text = gauge(100.0, bounds, 100.0).as_str().to_owned();
        assert!(text.contains(r#"d="M132.0 16"#) && text.contains("class=\"good\""), "{text}");
        // Upper bounds alone, and a value beyond them.
        let bounds = Bounds { caution_above: Some(5.0), bad_above: Some(20.0), ..Bounds::default() };
        let text = gauge(25.0, bounds, 100.0).as_str().to_owned();
        let order = ["good", "caution", "bad", "hand"].map(|class| text.find(&format!("class=\"{class}\"")));
        assert!(order.is_sorted() && order[0].is_some(), "{text}");
    }

    #[test]
    fn no_bounds_break_it() {
        let odd = [None, Some(0.0), Some(f64::MAX), Some(-5.0), Some(1e-300)];
        for a in odd {
            for b in odd {
                let bounds = Bounds { bad_below: a, bad_above: b, ..Bounds::default() };
                for value in [0.0, f64::NAN, f64::INFINITY, -1.0, f64::MAX] {
                    let text = gauge(value, bounds, 100.0).as_str().to_owned();
                    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
                }
            }
        }
    }
}
