//! Values with their units as people read them: shares in percent, digits in groups of three, decimals cut.
//!
//! For the page alone. Documents and tables for programs hold the values as they are.

use super::super::figures::Value;
use super::super::thresholds::Check;
use crate::report::numbers::{decimal, percent, prefixed, rounded, thousands, trimmed};

/// A value with its unit.
pub fn shown(value: &Value, unit: &str) -> String {
    match (value, unit) {
        (Value::Text(text), _) => text.clone(),
        (Value::Count(n), "bases" | "molecules") => format!("{} {unit}", prefixed(*n)),
        (Value::Count(n), _) => format!("{}{}", thousands(*n), suffix(unit)),
        (Value::Real(value), "%") => percent(*value),
        (Value::Real(value), "fraction") => percent(100.0 * value),
        (Value::Real(value), "ratio") => decimal(*value, 2),
        (Value::Real(value), "bp" | "Phred") => format!("{}{}", trimmed(*value, 1), suffix(unit)),
        (Value::Real(value), _) => format!("{}{}", rounded(*value), suffix(unit)),
    }
}

/// The same without a unit that goes without saying.
pub fn bare(value: &Value, unit: &str) -> String {
    match value {
        Value::Count(n) if unit == "reads" => thousands(*n),
        value => shown(value, unit),
    }
}

/// The value exactly as the JSON document has it, digits in groups.
pub fn exact(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Count(n) => thousands(*n),
        Value::Real(value) => {
            let text = value.to_string();
            let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            decimal(*value, decimals)
        }
    }
}

/// A bound with its unit.
pub fn bound(value: f64, unit: &str) -> String {
    format!("{}{}", trimmed(scaled(value, unit), DECIMALS), suffix(unit))
}

/// A check's value with its unit, with so many decimals that it lies on the same side of every bound as it does.
pub fn beside_bounds(check: &Check) -> Option<String> {
    let value = check.value.as_ref()?;
    let Value::Real(number) = value else { return Some(bare_count(value, check.unit)) };
    let number = scaled(*number, check.unit);
    let bounds = [check.fail_below, check.warn_below, check.warn_above, check.fail_above];
    let rounded = |value: f64, decimals: usize| format!("{value:.decimals$}").parse().unwrap_or(value);
    let holds = |decimals: &usize| {
        bounds.iter().flatten().all(|bound| {
            let bound: f64 = rounded(scaled(*bound, check.unit), DECIMALS);
            let shown: f64 = rounded(number, *decimals);
            shown.partial_cmp(&bound) == rounded(number, DECIMALS).partial_cmp(&bound)
        })
    };
    let least = if matches!(check.unit, "bp" | "Phred") { 1 } else { 2 };
    let decimals = (least..DECIMALS).find(holds).unwrap_or(DECIMALS);
    Some(format!("{}{}", decimal(number, decimals), suffix(check.unit)))
}

/// Values are known to nine digits.
const DECIMALS: usize = 9;

fn bare_count(value: &Value, unit: &str) -> String {
    format!("{}{}", exact(value), suffix(unit))
}

/// A share in percent, all else as it is.
fn scaled(value: f64, unit: &str) -> f64 {
    if unit == "fraction" { 100.0 * value } else { value }
}

fn suffix(unit: &str) -> String {
    match unit {
        "fraction" | "%" => " %".into(),
        "x" => "x".into(),
        "ratio" | "word" | "flag" => String::new(),
        unit => format!(" {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::thresholds::Status;
    use super::*;

    #[test]
    fn values_are_shown_as_people_read_them() {
        for (value, unit, text, as_is) in [
            (Value::Count(55_100), "reads", "55,100 reads", "55,100"),
            (Value::Count(93_210_000_000), "bases", "93.21 G bases", "93,210,000,000"),
            (Value::Real(6.259_037_32), "x", "6.26x", "6.25903732"),
            (Value::Real(6.0), "x", "6x", "6"),
            (Value::Real(0.000_352), "x", "0.00035x", "0.000352"),
            (Value::Real(0.885_438_96), "fraction", "88.54 %", "0.88543896"),
            (Value::Real(99.172_413_8), "%", "99.17 %", "99.1724138"),
            (Value::Real(260.0), "bp", "260 bp", "260"),
            (Value::Real(1234.5), "bp", "1,234.5 bp", "1,234.5"),
            (Value::Real(3.966_361_05e-5), "fraction", "0.004 %", "0.0000396636105"),
            (Value::Real(1.005_140_6), "ratio", "1.01", "1.0051406"),
            (Value::Text("XX".into()), "word", "XX", "XX"),
        ] {
            assert_eq!((shown(&value, unit).as_str(), exact(&value).as_str()), (text, as_is));
        }
    }

    #[test]
    fn a_value_is_shown_on_its_side_of_a_bound() {
        for (value, unit, bound, text) in [
            (Value::Real(0.061_543_285_9), "fraction", 0.05, "6.15 %"),
            (Value::Real(0.050_000_1), "fraction", 0.05, "5.00001 %"),
            (Value::Real(0.07), "fraction", 0.07, "7.00 %"),
            (Value::Real(29.999), "x", 30.0, "29.999x"),
            (Value::Real(30.0), "x", 30.0, "30.00x"),
            (Value::Count(999_999), "reads", 1e6, "999,999 reads"),
        ] {
            let check = Check {
                key: "a.b".into(),
                status: Status::Pass,
                value: Some(value),
                unit,
                reason: String::new(),
                warn_below: Some(bound),
                fail_below: None,
                warn_above: None,
                fail_above: None,
                note: None,
            };
            assert_eq!(beside_bounds(&check).as_deref(), Some(text));
        }
    }
}
