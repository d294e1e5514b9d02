//! A number from 0 to 100 as a strip: a part that is filled, or a place that a hand shows.

use super::html::Markup;

/// The strip's length, in units of the drawing.
const LENGTH: f64 = 120.0;

/// How a number is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    /// The strip is filled so far; a mark stands at what is asked for, if something is.
    Part(Option<f64>),
    /// A hand stands there, quarters are marked.
    Place,
}

/// The strip of a percentage; nothing where it is none. It says nothing that the number beside it does not: it is hidden from
/// those who do not see it.
pub fn strip(value: f64, shown: Shown) -> Markup {
    let mut markup = Markup::new();
    if !value.is_finite() {
        return markup;
    }
    let place = |value: f64| LENGTH * value.clamp(0.0, 100.0) / 100.0;
    let attributes = [("class", "strip"), ("viewBox", "-4 0 128 16"), ("aria-hidden", "true")];
    markup.element("svg", &attributes, |m| {
        m.empty("path", &[("class", "ground"), ("d", &format!("M0 5H{LENGTH}V13H0z"))]);
        let marks: Vec<f64> = match shown {
            Shown::Part(wanted) => {
                m.empty("path", &[("class", "part"), ("d", &format!("M0 5H{:.1}V13H0z", place(value)))]);
                wanted.into_iter().collect()
            }
            Shown::Place => vec![25.0, 50.0, 75.0],
        };
        for mark in marks {
            m.empty("path", &[("class", "mark"), ("d", &format!("M{:.1} 3V15", place(mark)))]);
        }
        if shown == Shown::Place {
            m.empty(
                "path",
                &[("class", "hand"), ("d", &format!("M{:.1} 16V5l-3 -4.5h6l-3 4.5", place(value)))],
            );
        }
    });
    markup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_and_the_hand_are_where_the_number_says() {
        // 120 units for 100 %.
        let part = strip(75.0, Shown::Part(Some(50.0))).as_str().to_owned();
        assert!(
            part.contains(r#"class="part" d="M0 5H90.0V13H0z""#) && part.contains("M60.0 3V15"),
            "{part}"
        );
        let place = strip(25.0, Shown::Place).as_str().to_owned();
        assert!(place.contains(r#"class="hand" d="M30.0 16"#), "{place}");
        for odd in [f64::NAN, f64::INFINITY, -5.0, 1e300] {
            let text = strip(odd, Shown::Place).as_str().to_owned();
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}
