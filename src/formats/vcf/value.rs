//! Values as htslib reads and prints them: integers of 32 bits, reals of 32 bits, lists with commas.
//!
//! What is compared with bcftools' results must be read by its rules: a number may be followed by something else, an
//! integer out of range is missing, and a real has the precision of 32 bits.

use memchr::memchr;

/// The least integer that is no mark of BCF (BCF 2.2, section 6.3.3).
pub const LEAST_INTEGER: i64 = i32::MIN as i64 + 8;

/// An integer at the beginning of `text`; `None` where there is none, or one that does not fit into 32 bits.
#[inline]
pub fn integer(text: &[u8]) -> Option<i32> {
    let (digits, negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    let mut value = 0i64;
    let mut count = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            break;
        }
        value = (10 * value + i64::from(digit - b'0')).min(1 << 40);
        count += 1;
    }
    let value = if negative { -value } else { value };
    (count > 0 && value >= LEAST_INTEGER).then(|| i32::try_from(value).ok()).flatten()
}

/// A real at the beginning of `text`, rounded to 64 and then to 32 bits as htslib does; `None` where there is none.
#[inline]
pub fn real(text: &[u8]) -> Option<f32> {
    double(text).map(|value| value as f32)
}

/// Powers of ten that are exact in 64 bits.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

fn double(text: &[u8]) -> Option<f64> {
    // Most numbers are nothing but digits and a point.
    if let Some(value) = exact(text) {
        return Some(value);
    }
    let length = real_length(text);
    if length == 0 {
        let word = text.split(|b| !b.is_ascii_alphabetic() && *b != b'-' && *b != b'+').next()?;
        return std::str::from_utf8(word).ok()?.parse().ok();
    }
    let text = &text[..length];
    exact(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())
}

/// Short numbers: digits and power of ten are exact, so one division rounds correctly.
fn exact(text: &[u8]) -> Option<f64> {
    let (digits, negative) = match text {
        [b'-', rest @ ..] => (rest, true),
        rest => (rest, false),
    };
    if digits.len() > 17 {
        return None;
    }
    let (mut value, mut count, mut decimals, mut behind) = (0u64, 0, 0, false);
    for &b in digits {
        match b {
            b'0'..=b'9' => {
                value = 10 * value + u64::from(b - b'0');
                count += 1;
                decimals += usize::from(behind);
            }
            b'.' if !behind => behind = true,
            _ => return None,
        }
    }
    if count == 0 || value > 1 << 53 {
        return None;
    }
    let value = value as f64 / TENS[decimals];
    Some(if negative { -value } else { value })
}

/// How many bytes at the beginning of `text` are a decimal number, its exponent included.
pub fn real_length(text: &[u8]) -> usize {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let whole = digits(at);
    at += whole;
    let mut decimals = 0;
    if text.get(at) == Some(&b'.') {
        decimals = digits(at + 1);
        if whole + decimals > 0 {
            at += 1 + decimals;
        }
    }
    if whole + decimals == 0 {
        return 0;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'-' | b'+')));
        let exponent = digits((at + 1 + sign).min(text.len()));
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}

/// How many values stand in a list; one at least.
#[inline]
pub fn list_length(text: &[u8]) -> usize {
    1 + memchr::memchr_iter(b',', text).count()
}

/// The values of a list.
#[inline]
pub fn list(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match memchr(b',', text) {
            Some(at) => {
                rest = Some(&text[at + 1..]);
                Some(&text[..at])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_htslib_reads_them() {
        for (text, expected) in [
            ("12", Some(12)),
            ("-3", Some(-3)),
            ("12abc", Some(12)),
            (".", None),
            ("", None),
            ("-", None),
            ("2147483647", Some(i32::MAX)),
            ("2147483648", None),
            ("-2147483640", Some(-2_147_483_640)),
            ("-2147483641", None),
            ("99999999999999999999999999", None),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        }
        for (text, expected) in [
            ("0.1", Some(0.1f32)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e-3", Some(0.001)),
            ("1.5x", Some(1.5)),
            ("1e", Some(1.0)),
            ("inf", Some(f32::INFINITY)),
            (".", None),
            ("x", None),
            ("", None),
            ("-", None),
            ("-.", None),
            ("1.2.3", Some(1.2)),
            ("-0.5", Some(-0.5)),
            ("3.4028234663852886e38", Some(f32::MAX)),
        ] {
            assert_eq!(real(text.as_bytes()), expected, "{text}");
        }
    }
}
