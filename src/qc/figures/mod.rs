//! The figures of a finished run, each declared once: key, unit, meaning and source. JSON, thresholds, the page and the
//! table in the documentation are made from the declarations.
//!
//! A key never changes its meaning. A figure that could not be measured is absent; it is never 0.

mod table;

use std::borrow::Cow;

use serde::Serialize;

use super::results::Results;
use crate::report::picard::Metrics;

/// A figure's value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A count.
    Count(u64),
    /// A real number; always finite.
    Real(f64),
    /// A word.
    Text(String),
}

impl Value {
    /// A real number, where it is one: rounded to nine significant digits, so that the last bits of a host's
    /// mathematical library do not show.
    pub fn real(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        format!("{value:.8e}").parse().ok().map(Value::Real)
    }

    /// The number; words have none.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Count(n) => Some(*n as f64),
            Value::Real(value) => Some(*value),
            Value::Text(_) => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Count(n) => write!(f, "{n}"),
            Value::Real(value) => f.write_str(&crate::formats::c_format::general(*value, 6)),
            Value::Text(text) => f.write_str(text),
        }
    }
}

type Get = Box<dyn Fn(&Results<'_>) -> Option<Value>>;

/// What a figure is.
pub struct Definition {
    /// Its name: `group.figure`, stable.
    pub key: Cow<'static, str>,
    /// Its unit: `reads`, `bp`, `%`, `fraction`, ...
    pub unit: &'static str,
    /// What it says.
    pub meaning: Cow<'static, str>,
    /// The tool and field that it equals, or what it is defined by.
    pub source: Cow<'static, str>,
    get: Get,
}

/// A figure of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// As [`Definition::key`].
    pub key: Cow<'static, str>,
    /// Its value.
    pub value: Value,
    /// As [`Definition::unit`].
    pub unit: &'static str,
    /// As [`Definition::meaning`].
    pub meaning: Cow<'static, str>,
}

/// All figures there are, in order.
pub fn catalogue() -> Vec<Definition> {
    let mut list = Catalogue(Vec::new());
    table::declare(&mut list);
    list.0
}

/// The figures that the run has, in the catalogue's order.
pub fn of(results: &Results<'_>) -> Vec<Figure> {
    let measured = |definition: Definition| {
        let value = (definition.get)(results)?;
        let Definition { key, unit, meaning, .. } = definition;
        Some(Figure { key, value, unit, meaning })
    };
    catalogue().into_iter().filter_map(measured).collect()
}

/// The catalogue in the making.
struct Catalogue(Vec<Definition>);

impl Catalogue {
    fn add(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        unit: &'static str,
        meaning: impl Into<Cow<'static, str>>,
        source: impl Into<Cow<'static, str>>,
        get: impl Fn(&Results<'_>) -> Option<Value> + 'static,
    ) {
        let (key, meaning, source, get) = (key.into(), meaning.into(), source.into(), Box::new(get));
        self.0.push(Definition { key, unit, meaning, source, get });
    }

    /// All columns of a Picard table, as `group.column`; columns of words are left out.
    fn picard<M: Metrics + Default>(
        &mut self,
        group: &str,
        tool: &str,
        row: impl Fn(&Results<'_>) -> Option<M> + Copy + 'static,
    ) {
        for column in M::COLUMNS.iter().filter(|column| !WORDS.contains(&column.name)) {
            let name = column.name;
            let key = format!("{group}.{}", name.to_lowercase());
            self.add(
                key,
                picard_unit(name),
                column.meaning,
                format!("Picard {tool} {name}"),
                move |results| {
                    let row = serde_json::to_value(row(results)?).ok()?;
                    let number = row.get(name)?;
                    number.as_u64().map(Value::Count).or_else(|| Value::real(number.as_f64()?))
                },
            );
        }
    }
}

/// Columns that name what a row is of.
const WORDS: [&str; 8] = [
    "CATEGORY",
    "SAMPLE",
    "LIBRARY",
    "READ_GROUP",
    "PAIR_ORIENTATION",
    "BAIT_SET",
    "ACCUMULATION_LEVEL",
    "READS_USED",
];

/// The unit of a Picard column, by Picard's way of naming.
fn picard_unit(column: &str) -> &'static str {
    let has = |parts: &[&str]| parts.iter().any(|part| column.contains(part));
    match column {
        _ if has(&["DROPOUT"]) => "%",
        "HET_SNP_Q" => "Phred",
        "ZERO_CVG_TARGETS_PCT" | "ON_BAIT_VS_SELECTED" => "fraction",
        _ if has(&["PCT_", "PERCENT_DUP", "RATE", "BALANCE", "SENSITIVITY", "BAIT_DESIGN_EFFICIENCY"]) => {
            "fraction"
        }
        _ if has(&["FOLD_", "PENALTY", "GC_NC"]) => "ratio",
        _ if has(&["COVERAGE"]) => "x",
        "ESTIMATED_LIBRARY_SIZE" | "HS_LIBRARY_SIZE" => "molecules",
        _ if has(&[
            "LENGTH",
            "INSERT_SIZE",
            "WIDTH_OF",
            "STANDARD_DEVIATION",
            "ABSOLUTE_DEVIATION",
            "TERRITORY",
        ]) =>
        {
            "bp"
        }
        _ if has(&["PAIR_DUPLICATES", "PAIRS_EXAMINED", "READ_PAIRS", "OPTICAL", "PAIRS"])
            && !has(&["IN_PAIRS", "IMPROPER"]) =>
        {
            "pairs"
        }
        "BAD_CYCLES" => "cycles",
        _ if has(&["MISMATCHES"]) => "bases",
        _ if has(&["READS", "RDS", "READ_DUPLICATES"]) => "reads",
        _ if has(&["BASES", "YIELD"]) => "bases",
        "GENOME_SIZE" => "bp",
        "TOTAL_CLUSTERS" => "pairs",
        "WINDOW_SIZE" => "bp",
        _ => "1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_figure_has_a_key_of_its_own_a_unit_a_meaning_and_a_source() {
        let all = catalogue();
        let keys: BTreeSet<_> = all.iter().map(|definition| definition.key.clone()).collect();
        assert_eq!(keys.len(), all.len(), "keys are used twice");
        for definition in &all {
            let (key, meaning) = (&definition.key, &definition.meaning);
            assert!(
                key.contains('.')
                    && key
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b)),
                "{key}"
            );
            assert!(!definition.meaning.is_empty() && !definition.source.is_empty(), "{key}");
            assert!(definition.unit != "1", "{key} has no unit");
            // It is read by itself, on the page and in the schema.
            let leans = ["The same", "Of the", "Their ", "All of", "At least"]
                .map(|start| meaning.starts_with(start));
            assert!(!leans.contains(&true) && !meaning.contains("of the same."), "{key}: {meaning}");
        }
    }

    #[test]
    fn values_are_finite_and_rounded_to_nine_digits() {
        assert_eq!(Value::real(f64::NAN), None);
        assert_eq!(Value::real(1.0 / 3.0), Some(Value::Real(0.333333333)));
        assert_eq!(Value::real(0.1 + 0.2), Some(Value::Real(0.3)));
        assert_eq!(Value::Count(3).number(), Some(3.0));
    }
}
