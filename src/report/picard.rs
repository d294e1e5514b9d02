//! Picard's metrics files: a table of metrics, then histograms side by side.
//!
//! A metric's name, unit and meaning are declared once, by [`picard_metrics!`]; header, row and JSON are made from that.
//! Numbers are written as htsjdk's FormatUtil does: at most six decimals, halves rounded down, `?` for what is not a
//! number. Nothing that varies between runs stands in a file.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

/// A column of a metrics table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Picard's name.
    pub name: &'static str,
    /// What it says, with its unit.
    pub meaning: &'static str,
}

/// A row of a metrics table.
pub trait Metrics: Serialize {
    /// The Java class that MultiQC and others know the table by.
    const CLASS: &'static str;
    /// The columns in order.
    const COLUMNS: &'static [Column];
    /// The values in the columns' order.
    fn cells(&self) -> Vec<String>;
}

/// A value of a metrics table.
pub trait Cell {
    /// As htsjdk writes it.
    fn cell(&self) -> String;
}

impl Cell for u64 {
    fn cell(&self) -> String {
        self.to_string()
    }
}

impl Cell for i64 {
    fn cell(&self) -> String {
        self.to_string()
    }
}

impl Cell for f64 {
    fn cell(&self) -> String {
        real(*self)
    }
}

impl Cell for String {
    fn cell(&self) -> String {
        self.clone()
    }
}

impl<T: Cell> Cell for Option<T> {
    fn cell(&self) -> String {
        self.as_ref().map_or_else(String::new, Cell::cell)
    }
}

/// Declares a row type: its Java class, and for each column the meaning, name and type.
#[macro_export]
macro_rules! picard_metrics {
    ($(#[$doc:meta])* pub struct $name:ident($class:literal) { $(#[doc = $meaning:literal] $column:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[allow(non_snake_case)]
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
        pub struct $name {
            $(#[doc = $meaning] pub $column: $type,)*
        }

        impl $crate::report::picard::Metrics for $name {
            const CLASS: &'static str = $class;
            const COLUMNS: &'static [$crate::report::picard::Column] = &[
                $($crate::report::picard::Column { name: stringify!($column), meaning: $meaning.trim_ascii() },)*
            ];
            fn cells(&self) -> Vec<String> {
                vec![$($crate::report::picard::Cell::cell(&self.$column)),*]
            }
        }
    };
}

/// The text of a metrics file in the making.
#[derive(Clone, Debug)]
pub struct MetricsFile {
    text: String,
}

impl MetricsFile {
    /// A file as the Picard program `tool` writes it; MultiQC knows some files by that name alone.
    pub fn new(tool: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "## htsjdk.samtools.metrics.StringHeader\n# {tool} INPUT=reads (norn {version})\n\
             ## htsjdk.samtools.metrics.StringHeader\n# Started on: not recorded\n\n"
        );
        Self { text }
    }

    /// Adds the table of metrics.
    pub fn metrics<M: Metrics>(mut self, rows: &[M]) -> Self {
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "## METRICS CLASS\t{}", M::CLASS);
        let names: Vec<&str> = M::COLUMNS.iter().map(|column| column.name).collect();
        self.text += &names.join("\t");
        self.text.push('\n');
        for row in rows {
            self.text += &row.cells().join("\t");
            self.text.push('\n');
        }
        self.text.push('\n');
        self
    }

    /// Adds the table of histograms: keys of the Java class `class` under `bin`, and one column a histogram. A key that
    /// only some of them have is 0 in the others.
    pub fn histograms<K: Copy + Ord + Cell, V: Cell>(
        mut self,
        class: &str,
        bin: &str,
        columns: &[(String, BTreeMap<K, V>)],
    ) -> Self {
        let _ = write!(self.text, "## HISTOGRAM\tjava.lang.{class}\n{bin}");
        columns.iter().for_each(|(name, _)| self.text += &format!("\t{name}"));
        self.text.push('\n');
        let keys: std::collections::BTreeSet<K> =
            columns.iter().flat_map(|(_, histogram)| histogram.keys().copied()).collect();
        for key in keys {
            self.text += &key.cell();
            for (_, histogram) in columns {
                self.text.push('\t');
                self.text += &histogram.get(&key).map_or_else(|| "0".to_owned(), Cell::cell);
            }
            self.text.push('\n');
        }
        self.text.push('\n');
        self
    }

    /// The file's text.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// At most six decimals, no trailing zeros, halves rounded down; `?` for what is not finite.
pub fn real(value: f64) -> String {
    if !value.is_finite() {
        return "?".into();
    }
    // A tie at the seventh decimal can only be a number with few binary digits, which the scaling keeps exact.
    let scaled = value.abs() * 1e6;
    let text = if scaled.fract() == 0.5 && scaled < 9e15 {
        format!("{:.6}", scaled.floor() / 1e6 * value.signum())
    } else {
        format!("{value:.6}")
    };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() { "0".into() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_htsjdk_writes_them() {
        // Expected texts: java.text.DecimalFormat with six decimals and HALF_DOWN.
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (150.0, "150"),
            (0.074441, "0.074441"),
            (0.0078125, "0.007812"),
            (0.0234375, "0.023437"),
            (1.0 / 3.0, "0.333333"),
            (-2.5, "-2.5"),
            (f64::NAN, "?"),
        ] {
            assert_eq!(real(value), text, "{value}");
        }
    }
}
