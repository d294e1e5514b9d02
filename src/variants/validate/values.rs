//! Values: numbers, characters, names.

use super::Version;
use crate::formats::vcf::header::Type;
use crate::formats::vcf::record::parse_integer;
use crate::formats::vcf::value::LEAST_INTEGER;

/// Whether a value, which may be missing, has a type.
pub(super) fn has_type(text: &[u8], kind: Type) -> bool {
    text == b"."
        || match kind {
            Type::Integer => is_integer(text),
            Type::Float => is_float(text),
            Type::Character => is_character(text),
            Type::String => !text.is_empty(),
            Type::Flag => matches!(text, b"" | b"0" | b"1"),
        }
}

/// A decimal integer that BCF can hold.
fn is_integer(text: &[u8]) -> bool {
    parse_integer(text).is_some_and(|value| (LEAST_INTEGER..=i64::from(i32::MAX)).contains(&value))
}

/// Digits with or without a point and an exponent, infinity, or not a number (VCF 4.3, section 1.3).
pub(super) fn is_float(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if [&b"inf"[..], b"infinity", b"nan"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, decimals) = match mantissa.iter().position(|b| *b == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (&mantissa[..0], mantissa),
    };
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let exponent =
        exponent.map(|text| text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text));
    digits(whole)
        && !decimals.is_empty()
        && digits(decimals)
        && exponent.is_none_or(|text| !text.is_empty() && digits(text))
}

/// One character, or one that is encoded as `%41`.
fn is_character(text: &[u8]) -> bool {
    let is_encoded = matches!(text, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    is_encoded || std::str::from_utf8(text).map_or(text.len() == 1, |text| text.chars().count() == 1)
}

/// Whether text has white space.
pub(super) fn has_space(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_whitespace)
}

/// The key of a tag. Up to 4.2 letters and digits, `_`, `.` and `-` in INFO, letters and digits alone in FORMAT; from 4.3
/// it begins with a letter or `_`.
pub(super) fn is_tag(text: &[u8], is_format: bool, version: Version) -> bool {
    if version < Version::STRICT {
        let is_other = |b: &u8| !is_format && matches!(b, b'_' | b'.' | b'-');
        return !text.is_empty() && text.iter().all(|b| b.is_ascii_alphanumeric() || is_other(b));
    }
    let Some((first, rest)) = text.split_first() else { return false };
    (first.is_ascii_alphabetic() || *first == b'_')
        && rest.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
        || (!is_format && text == b"1000G")
}

/// The name of a contig. From 4.3 as in SAM, so that `*` and `=` stand behind the first character only.
pub(super) fn is_contig(text: &[u8], version: Version) -> bool {
    if version < Version::STRICT {
        let is_bad = |b: &u8| !b.is_ascii_graphic() || matches!(b, b'<' | b'>' | b':' | b',' | b'[' | b']');
        return !text.is_empty() && !text.iter().any(is_bad);
    }
    let is_bad = |b: &u8| {
        !b.is_ascii_graphic()
            || matches!(
                b,
                b'\\' | b',' | b'"' | b'`' | b'\'' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>'
            )
    };
    !matches!(text.first(), None | Some(b'*' | b'=')) && !text.iter().any(is_bad)
}

/// Whether all are bases; `.` before or behind them marks a single breakend.
pub(super) fn are_bases(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|b| matches!(b.to_ascii_uppercase(), b'A' | b'C' | b'G' | b'T' | b'N'))
}

/// A CIGAR string: counts with operations.
pub(super) fn is_cigar(text: &[u8]) -> bool {
    let mut digits = 0;
    for b in text {
        match b {
            b'0'..=b'9' => digits += 1,
            b'M' | b'I' | b'D' | b'N' | b'S' | b'H' | b'P' | b'=' | b'X' if digits > 0 => digits = 0,
            _ => return false,
        }
    }
    !text.is_empty() && digits == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_types() {
        // By the expressions in sections 1.3 and 1.4 of VCF 4.3.
        for (text, kind, expected) in [
            ("-7", Type::Integer, true),
            ("-2147483640", Type::Integer, true),
            ("-2147483641", Type::Integer, false),
            ("2147483648", Type::Integer, false),
            ("1.0", Type::Integer, false),
            ("", Type::Integer, false),
            (".", Type::Integer, true),
            (".5", Type::Float, true),
            ("5.", Type::Float, false),
            ("-1e-5", Type::Float, true),
            ("1e", Type::Float, false),
            ("+INF", Type::Float, true),
            ("x", Type::Float, false),
            ("a", Type::Character, true),
            ("%2C", Type::Character, true),
            ("ab", Type::Character, false),
        ] {
            assert_eq!(has_type(text.as_bytes(), kind), expected, "{text} {kind:?}");
        }
        for (name, old, new) in [
            ("chr1", true, true),
            ("HLA-A*01:01", false, true),
            ("*", true, false),
            ("chr,1", false, false),
            ("a b", false, false),
            ("<1", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_contig(name.as_bytes(), Version(1)), old, "{name}");
            assert_eq!(is_contig(name.as_bytes(), Version(3)), new, "{name}");
        }
        assert!(is_cigar(b"10M2D") && !is_cigar(b"M") && !is_cigar(b"10") && !is_cigar(b""));
    }
}
