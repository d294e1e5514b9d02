//! Numbers as C's printf writes them, for the formats of tools that are written in C.

/// `%e`: one digit, six decimals, an exponent of at least two digits.
pub fn scientific(value: f64) -> String {
    let text = format!("{value:.6e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => with_exponent(mantissa, exponent.parse().unwrap_or(0)),
        None => text,
    }
}

/// `%.{precision}g`: so many significant digits, no trailing zeros, an exponent where the value is very large or small.
pub fn general(value: f64, precision: usize) -> String {
    let precision = precision.max(1);
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { format!("{value}").to_lowercase() };
    }
    let rounded = format!("{value:.*e}", precision - 1);
    let Some((mantissa, exponent)) = rounded.split_once('e') else { return rounded };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        with_exponent(without_zeros(mantissa), exponent)
    } else {
        let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
        without_zeros(&format!("{value:.decimals$}")).to_owned()
    }
}

fn with_exponent(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_printf_writes_them() {
        // Expected texts: printf of the GNU C library.
        for (value, e, g6, g3) in [
            (0.0, "0.000000e+00", "0", "0"),
            (1.0, "1.000000e+00", "1", "1"),
            (0.00123456789, "1.234568e-03", "0.00123457", "0.00123"),
            (0.0000123456789, "1.234568e-05", "1.23457e-05", "1.23e-05"),
            (123456789.0, "1.234568e+08", "1.23457e+08", "1.23e+08"),
            (999999.5, "9.999995e+05", "1e+06", "1e+06"),
            (99.95, "9.995000e+01", "99.95", "100"),
            (19.7351, "1.973510e+01", "19.7351", "19.7"),
        ] {
            assert_eq!(
                (scientific(value).as_str(), general(value, 6).as_str(), general(value, 3).as_str()),
                (e, g6, g3)
            );
        }
    }
}
