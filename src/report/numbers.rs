//! Numbers as people read them: digits in groups of three, prefixes of size, shares in percent.

use crate::formats::c_format::general;

/// Digits in groups of three: `1,234,567`.
pub fn thousands(number: u64) -> String {
    grouped(&number.to_string())
}

/// So many decimals, the whole part in groups of three: `12,345.67`. What is not finite is `?`.
pub fn decimal(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "?".into();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// At most so many decimals, no zeros at their end.
pub fn trimmed(value: f64, decimals: usize) -> String {
    let text = decimal(value, decimals);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// At most two decimals; two significant digits where these would be 0 and it is not.
pub fn rounded(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.01 { general(value, 2) } else { trimmed(value, 2) }
}

/// Two decimals and the prefix of its size: `93.21 G`; a number below a million as it stands.
pub fn prefixed(number: u64) -> String {
    let sizes = [(1e12, "T"), (1e9, "G"), (1e6, "M")];
    match sizes.into_iter().find(|(size, _)| number as f64 >= *size) {
        None => thousands(number),
        Some((size, prefix)) => format!("{} {prefix}", decimal(number as f64 / size, 2)),
    }
}

/// A percentage with two decimals; more, or a bound, where these would make it 0 or 100 and it is not.
pub fn percent(value: f64) -> String {
    match value {
        v if v > 0.0 && v < 0.001 => "<0.001 %".into(),
        v if v > 99.999 && v < 100.0 => ">99.999 %".into(),
        v if (v > 0.0 && v < 0.01) || (v > 99.99 && v < 100.0) => format!("{} %", decimal(v, 3)),
        v => format!("{} %", decimal(v, 2)),
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded() {
        for (number, text, short) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1000, "1,000", "1,000"),
            (55_100, "55,100", "55,100"),
            (1_234_567, "1,234,567", "1.23 M"),
            (93_210_000_000, "93,210,000,000", "93.21 G"),
            (u64::MAX, "18,446,744,073,709,551,615", "18,446,744.07 T"),
        ] {
            assert_eq!((thousands(number).as_str(), prefixed(number).as_str()), (text, short));
        }
        for (value, decimals, fixed, short) in [
            (0.0, 2, "0.00", "0"),
            (-0.001, 2, "0.00", "0"),
            (-1234.5, 1, "-1,234.5", "-1,234.5"),
            (1e6, 0, "1,000,000", "1,000,000"),
            (100.0, 0, "100", "100"),
            (6.259, 2, "6.26", "6.26"),
            (999.999, 2, "1,000.00", "1,000"),
            (f64::NAN, 2, "?", "?"),
        ] {
            assert_eq!(
                (decimal(value, decimals).as_str(), trimmed(value, decimals).as_str()),
                (fixed, short)
            );
        }
    }

    #[test]
    fn what_is_not_0_is_not_shown_as_0() {
        for (value, text) in [
            (0.0, "0"),
            (6.259, "6.26"),
            (30.0, "30"),
            (0.01, "0.01"),
            (0.000_352, "0.00035"),
            (-0.001, "-0.001"),
        ] {
            assert_eq!(rounded(value), text, "{value}");
        }
    }

    #[test]
    fn a_percentage_is_0_or_100_only_where_it_is() {
        for (value, text) in [
            (0.0, "0.00 %"),
            (0.000_04, "<0.001 %"),
            (0.003_97, "0.004 %"),
            (0.235, "0.23 %"),
            (6.154_33, "6.15 %"),
            (99.994, "99.994 %"),
            (99.999_9, ">99.999 %"),
            (100.0, "100.00 %"),
        ] {
            assert_eq!(percent(value), text, "{value}");
        }
    }
}
