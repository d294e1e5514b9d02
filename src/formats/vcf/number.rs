//! Numbers as htslib writes them into VCF; how it reads them is in [`super::value`].

use crate::formats::c_format::general;

/// Writes a float with six significant digits, as htslib's `kputd` does: scaled to an integer and rounded there between
/// 0.0001 and 999,999, beyond as `%g`.
pub fn write_float(value: f64, out: &mut Vec<u8>) {
    if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
        return;
    }
    if value.is_nan() {
        out.extend_from_slice(if value.is_sign_negative() { b"-nan" } else { b"nan" });
        return;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    let value = value.abs();
    if value < 999_999.0 && value.fract() == 0.0 {
        write_integer(value as i64, out);
        return;
    }
    if !(0.0001..=999_999.0).contains(&value) {
        out.extend_from_slice(general(value, 6).as_bytes());
        return;
    }
    // Six significant digits as an integer with so many decimals.
    let (mut decimals, mut scale) = (9, 1e9);
    let mut limit = 0.001;
    while value >= limit && decimals > 0 {
        (decimals, scale, limit) = (decimals - 1, scale / 10.0, limit * 10.0);
    }
    let mut digits = (value * scale).round_ties_even() as u64;
    while decimals > 0 && digits.is_multiple_of(10) {
        (decimals, digits) = (decimals - 1, digits / 10);
    }
    let mut text = [b'0'; 24];
    let mut at = text.len();
    for place in 0.. {
        if place == decimals && decimals > 0 {
            at -= 1;
            text[at] = b'.';
        }
        if place > decimals && digits == 0 || at == 0 {
            break;
        }
        at -= 1;
        text[at] = b'0' + (digits % 10) as u8;
        digits /= 10;
    }
    out.extend_from_slice(&text[at..]);
}

/// Writes an integer.
pub fn write_integer(value: i64, out: &mut Vec<u8>) {
    let mut text = [0; 20];
    let mut at = text.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&text[at..]);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_htslib_writes_them() {
        // Expected: bcftools 1.24 view of these values. 1.015625 is a tie at the seventh digit.
        for (value, text) in [
            (0.0f32, "0"),
            (-0.0, "-0"),
            (0.5, "0.5"),
            (1.0, "1"),
            (100.0, "100"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (0.0001, "0.0001"),
            (0.00012345678, "0.000123457"),
            (0.00009, "9e-05"),
            (1.015625, "1.01562"),
            (12.34375, "12.3438"),
            (3_070.2, "3070.2"),
            (-18.78, "-18.78"),
            (999_999.4, "999999"),
            (99_999.95, "100000"),
            (0.1, "0.1"),
            (100.0625, "100.062"),
            (1_234_567.0, "1.23457e+06"),
            (29.999_999, "30"),
            (0.009_999_999, "0.01"),
            (6.02e23, "6.02e+23"),
        ] {
            let mut out = Vec::new();
            write_float(f64::from(value), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn integers_are_written() {
        for value in [0, 7, -7, 10, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_integer(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
