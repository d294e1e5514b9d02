//! Regular expressions: POSIX basic ones with GNU's additions, which is what bcftools compiles.
//!
//! `+ ? | ( ) { }` stand for themselves and mean something only behind a backslash. `/i` at the end makes the letters'
//! case not matter. References back (`\1`) are not supported, because they cannot be matched in linear time.

use regex::bytes::{Regex, RegexBuilder};

use super::error::Problem;

/// A compiled expression may take so many bytes.
const SIZE_LIMIT: usize = 16 << 20;

/// Compiles a pattern.
///
/// # Errors
/// It is no regular expression.
pub fn compile(pattern: &[u8]) -> Result<Regex, Problem> {
    let text = String::from_utf8_lossy(pattern).into_owned();
    let (body, any_case) = match pattern {
        [body @ .., b'/', b'i'] if body.last().is_some_and(|&b| b != b'\\') => (body, true),
        body => (body, false),
    };
    let failed = |what: String| Problem::Regex(text.clone(), what);
    let translated = translate(body).map_err(|what| failed(what.into()))?;
    RegexBuilder::new(&translated)
        .unicode(false)
        .case_insensitive(any_case)
        .dot_matches_new_line(true)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| failed(error.to_string().lines().last().unwrap_or_default().to_owned()))
}

/// A POSIX basic expression in the words of the `regex` crate.
fn translate(pattern: &[u8]) -> Result<String, &'static str> {
    let mut out = String::new();
    let (mut at, mut depth) = (0, 0usize);
    // Whether an anchor or a literal star may stand here.
    let mut is_begin = true;
    while let Some(&b) = pattern.get(at) {
        let rest = &pattern[at + 1..];
        at += 1;
        let was_begin = std::mem::replace(&mut is_begin, false);
        match b {
            b'*' if was_begin => out.push_str("\\*"),
            b'*' => out.push('*'),
            b'.' => out.push('.'),
            b'^' if was_begin => {
                out.push('^');
                is_begin = true;
            }
            b'$' if rest.is_empty() || rest.starts_with(b"\\)") || rest.starts_with(b"\\|") => out.push('$'),
            b'[' => at += bracket(rest, &mut out)?,
            b'\\' => {
                let Some(&escaped) = rest.first() else { return Err("it ends with a backslash") };
                at += 1;
                match escaped {
                    b'(' => {
                        out.push('(');
                        depth += 1;
                        is_begin = true;
                    }
                    b')' => {
                        depth = depth.checked_sub(1).ok_or("its brackets do not match")?;
                        out.push(')');
                    }
                    b'|' => {
                        out.push('|');
                        is_begin = true;
                    }
                    b'+' | b'?' if was_begin => literal(escaped, &mut out),
                    b'+' | b'?' => out.push(char::from(escaped)),
                    b'{' => at += interval(&rest[1..], &mut out)?,
                    b'1'..=b'9' => return Err("references back are not supported"),
                    b'w' | b'W' | b's' | b'S' | b'b' | b'B' | b'<' | b'>' => {
                        out.push('\\');
                        out.push_str(match escaped {
                            b'<' => "b{start}",
                            b'>' => "b{end}",
                            b'w' => "w",
                            b'W' => "W",
                            b's' => "s",
                            b'S' => "S",
                            b'b' => "b",
                            _ => "B",
                        });
                    }
                    b'`' => out.push_str("\\A"),
                    b'\'' => out.push_str("\\z"),
                    other => literal(other, &mut out),
                }
            }
            other => literal(other, &mut out),
        }
    }
    if depth > 0 { Err("its brackets do not match") } else { Ok(format!("(?-u){out}")) }
}

fn literal(b: u8, out: &mut String) {
    if b.is_ascii_alphanumeric() || b == b'_' {
        out.push(char::from(b));
    } else {
        out.push_str(&format!("\\x{b:02x}"));
    }
}

/// What stands behind `\{`, up to `\}`; gives how many bytes that is.
fn interval(rest: &[u8], out: &mut String) -> Result<usize, &'static str> {
    let end = rest.windows(2).position(|pair| pair == b"\\}").ok_or("an interval is not closed")?;
    let inner = &rest[..end];
    if inner.is_empty() || !inner.iter().all(|b| b.is_ascii_digit() || *b == b',') {
        return Err("an interval is no pair of numbers");
    }
    let inner = String::from_utf8_lossy(inner);
    out.push('{');
    if inner.starts_with(',') {
        out.push('0');
    }
    out.push_str(&inner);
    out.push('}');
    Ok(end + 2)
}

/// What stands behind `[`, up to its `]`; gives how many bytes that is.
fn bracket(rest: &[u8], out: &mut String) -> Result<usize, &'static str> {
    let mut at = usize::from(rest.first() == Some(&b'^'));
    out.push_str(if at > 0 { "[^" } else { "[" });
    let first = at;
    loop {
        let b = *rest.get(at).ok_or("a bracket is not closed")?;
        match b {
            b']' if at > first => {
                out.push(']');
                return Ok(at + 1);
            }
            b'[' if rest.get(at + 1) == Some(&b':') => {
                let end =
                    rest[at..].windows(2).position(|pair| pair == b":]").ok_or("a class is not closed")?;
                let class = &rest[at..at + end + 2];
                if !class.iter().all(u8::is_ascii) {
                    return Err("a class is unknown");
                }
                out.push_str(&String::from_utf8_lossy(class));
                at += end + 1;
            }
            b'[' if matches!(rest.get(at + 1), Some(b'.' | b'=')) => {
                return Err("collating elements are not supported");
            }
            // A range's hyphen stands between two others.
            b'-' if at > first && rest.get(at + 1).is_some_and(|&next| next != b']') => out.push('-'),
            other => literal(other, out),
        }
        at += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_those_of_the_gnu_c_library() {
        // By the POSIX standard (XBD 9.3) and the manual of the GNU C library.
        for (pattern, text, matches) in [
            ("b", "abc", true),
            ("^b", "abc", false),
            ("a|x", "abc", false),
            ("a|x", "a|x", true),
            ("a\\|x", "xyz", true),
            ("ab+c", "abbc", false),
            ("ab\\+c", "abbc", true),
            ("a.c$", "xabc", true),
            ("*b", "a*b", true),
            ("x\\{2,3\\}", "axx", true),
            ("x\\{2,3\\}", "ax", false),
            ("\\(ab\\)\\{2\\}", "abab", true),
            ("[]x]", "]", true),
            ("[^a]", "a", false),
            ("[[:digit:]]", "a5", true),
            ("[a\\]", "\\", true),
            ("[a-c-]", "-", true),
            ("NEEDLE/i", "a needle", true),
            ("a/i", "xA", true),
            ("\\.", "0/0", false),
            ("\\.", "./0", true),
            ("a{2}", "a{2}", true),
            ("", "", true),
            ("é", "é", true),
        ] {
            assert_eq!(
                compile(pattern.as_bytes()).unwrap().is_match(text.as_bytes()),
                matches,
                "{pattern} {text}"
            );
        }
        for pattern in ["[a", "\\(a", "a\\)", "\\(a\\)\\1", "a\\", "x\\{2", "x\\{a\\}"] {
            assert!(compile(pattern.as_bytes()).is_err(), "{pattern}");
        }
    }
}
