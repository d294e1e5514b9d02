//! Comparisons of values that may be several or missing, by bcftools' rules: one value that fits is enough.
//!
//! Numbers are compared as reals of 32 bits, so that `AF=0.1` holds for what a file says of 0.1, unless one of them is
//! above 2^24, where positions would run together.

use regex::bytes::Regex;

use super::lexer::Operator;
use super::slot::{Slot, is_absent, is_end};
use crate::formats::vcf::value;

/// Above this, integers do not fit into a real of 32 bits.
const EXACT: f64 = 16_777_216.0;

/// What an operator makes of missing values.
#[derive(Clone, Copy)]
struct Missing {
    /// `=` and `!=`: missing values are looked at.
    matters: bool,
    /// One side is missing.
    one: bool,
    /// Both are.
    both: bool,
}

impl Missing {
    fn of(operator: Operator) -> Self {
        let is_equal = matches!(operator, Operator::Equal | Operator::Like);
        let is_unequal = matches!(operator, Operator::NotEqual | Operator::NotLike);
        Self { matters: is_equal || is_unequal, one: is_unequal, both: is_equal }
    }

    /// The result where so many sides, one or two, are missing.
    fn result(self, count: usize) -> bool {
        if count == 2 { self.both } else { self.one }
    }
}

#[inline]
fn holds(operator: Operator, a: f64, b: f64) -> bool {
    let (a, b) = if a > EXACT || b > EXACT { (a, b) } else { (f64::from(a as f32), f64::from(b as f32)) };
    match operator {
        Operator::Equal => a == b,
        Operator::NotEqual => a != b,
        Operator::Less => a < b,
        Operator::LessEqual => a <= b,
        Operator::Greater => a > b,
        _ => a >= b,
    }
}

/// Two values, each of which may be missing.
#[inline]
fn fits(operator: Operator, missing: Missing, a: f64, b: f64) -> bool {
    match usize::from(is_absent(a)) + usize::from(is_absent(b)) {
        0 => holds(operator, a, b),
        count => missing.result(count),
    }
}

/// Numbers of a site.
pub fn site_numbers(operator: Operator, a: &[f64], b: &[f64]) -> bool {
    let missing = Missing::of(operator);
    match (a, b) {
        ([a], [b]) => fits(operator, missing, *a, *b),
        ([], []) => missing.both,
        ([], values) | (values, []) => {
            values.iter().any(|value| if is_absent(*value) { missing.both } else { missing.one })
        }
        _ => a.iter().any(|a| b.iter().any(|b| fits(operator, missing, *a, *b))),
    }
}

/// One side of a comparison of samples.
#[derive(Clone, Copy)]
pub struct Side<'s> {
    /// Its values.
    pub slot: &'s Slot,
    /// Each sample has its own.
    pub is_of_samples: bool,
    /// Values past a sample's end are not looked at (`[GT]`).
    pub stops_at_end: bool,
}

impl<'s> Side<'s> {
    /// The values of a sample.
    fn values(self, sample: usize) -> std::slice::Iter<'s, f64> {
        if self.is_of_samples { self.slot.of_sample(sample).iter() } else { [].iter() }
    }
}

/// Numbers of samples, or of samples and a site, into `out.pass` of the samples that take part.
///
/// # Errors
/// The samples have lists of different lengths; both lengths are given.
pub fn sample_numbers(
    operator: Operator,
    a: Side<'_>,
    b: Side<'_>,
    taking_part: &[bool],
    out: &mut Slot,
) -> Result<(), (usize, usize)> {
    let missing = Missing::of(operator);
    out.pass.resize(taking_part.len(), false);
    let (a_values, b_values) = (&a.slot.values, &b.slot.values);
    if a_values.is_empty() || b_values.is_empty() {
        let known = if a_values.is_empty() { b } else { a };
        for (sample, _) in taking_part.iter().enumerate().filter(|(_, takes_part)| **takes_part) {
            let is_missing = if known.slot.values.is_empty() {
                true
            } else if known.is_of_samples {
                known.slot.of_sample(sample).iter().any(|value| is_absent(*value))
            } else {
                known.slot.values.iter().any(|value| is_absent(*value))
            };
            out.pass[sample] = missing.result(1 + usize::from(is_missing));
        }
        out.site = out.pass.contains(&true);
        return Ok(());
    }
    if a.is_of_samples && b.is_of_samples && a.slot.width != b.slot.width {
        return Err((a.slot.width, b.slot.width));
    }
    for (sample, _) in taking_part.iter().enumerate().filter(|(_, takes_part)| **takes_part) {
        out.pass[sample] = match (a.is_of_samples, b.is_of_samples) {
            (true, true) => {
                let stops =
                    |(x, y): &(&f64, &f64)| !(a.stops_at_end && is_end(**x) || b.stops_at_end && is_end(**y));
                let pairs = a.values(sample).zip(b.values(sample)).take_while(stops);
                pairs
                    .filter(|(x, _)| missing.matters || !is_absent(**x))
                    .any(|(x, y)| fits(operator, missing, *x, *y))
            }
            (true, false) => a
                .values(sample)
                .take_while(|x| !(a.stops_at_end && is_end(**x)))
                .filter(|x| missing.matters || !is_absent(**x))
                .any(|x| b_values.iter().any(|y| fits(operator, missing, *x, *y))),
            // Values past the end are looked at here even for `[GT]`.
            _ => b
                .values(sample)
                .filter(|y| missing.matters || !is_absent(**y))
                .any(|y| a_values.iter().any(|x| fits(operator, missing, *x, *y))),
        };
        out.site |= out.pass[sample];
    }
    Ok(())
}

/// The parts of a text between its commas; nothing behind the last comma is no part.
fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b",").unwrap_or(text);
    let is_empty = text.is_empty();
    value::list(text).filter(move |_| !is_empty)
}

fn has_missing(text: &[u8]) -> bool {
    parts(text).any(|part| part == b".")
}

/// Two texts; an empty one is missing.
pub fn texts(operator: Operator, a: &[u8], b: &[u8]) -> bool {
    let missing = Missing::of(operator);
    match (a, b) {
        (b"", b"") => missing.both,
        (b"", text) | (text, b"") => missing.result(1 + usize::from(has_missing(text))),
        _ if !a.contains(&b',') && !b.contains(&b',') => single_texts(operator, missing, a, b),
        _ => parts(a).any(|a| parts(b).any(|b| single_texts(operator, missing, a, b))),
    }
}

/// Two texts without commas.
#[inline]
fn single_texts(operator: Operator, missing: Missing, a: &[u8], b: &[u8]) -> bool {
    match usize::from(a == b".") + usize::from(b == b".") {
        0 => (a == b) == (operator == Operator::Equal),
        count => missing.result(count),
    }
}

/// A text and a regular expression; an empty text is missing.
///
/// bcftools' `!~` holds for every value that is not `.`, whatever the expression (tested on 1.24); so it does here.
pub fn pattern(operator: Operator, text: &[u8], pattern: &Regex) -> bool {
    if text.is_empty() {
        return Missing::of(operator).one;
    }
    match operator {
        Operator::Like => parts(text).any(|part| pattern.is_match(part)),
        _ => parts(text).any(|part| part != b"." || !pattern.is_match(part)),
    }
}

/// Whether a filter column has these filters.
pub fn filters<'f>(
    operator: Operator,
    found: impl Iterator<Item = &'f [u8]> + Clone,
    wanted: &[Vec<u8>],
) -> bool {
    let count = found.clone().count();
    let has_all = wanted.iter().all(|name| found.clone().any(|found| found == name));
    match operator {
        Operator::Equal => count == wanted.len() && has_all,
        Operator::NotEqual => !(count == wanted.len() && has_all),
        Operator::Like if wanted.is_empty() => count == 0,
        Operator::Like => count > 0 && has_all,
        _ if wanted.is_empty() => count > 0,
        _ => count == 0 || !has_all,
    }
}
