//! Strict validation of a VCF against the specification, versions 4.1 to 4.5.
//!
//! Everywhere else records are read as leniently as they can be; here every line is held against the rules, and all that
//! break one are counted. What a rule demands follows the specification's text (hts-specs), by the version that the file
//! names. Not for BCF, whose form rules most of these errors out.

mod columns;
mod meta;
mod order;
mod reserved;
mod rules;
mod samples;
mod values;

use std::io::{self, BufRead, Read};

pub use self::rules::{Problem, Report, Rule};

use self::meta::Meta;
use self::order::Order;

/// A line may be this long; a longer one is an error, not an allocation.
const MAX_LINE: u64 = 1 << 31;

/// A version of the specification, 4.1 to 4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u8);

impl Version {
    /// 4.3 made the grammar strict: percent encoding, names of tags and contigs.
    const STRICT: Self = Self(3);
    /// 4.5 has local alleles and empty values.
    const LOCAL: Self = Self(5);

    /// Of `VCFv4.x`.
    fn parse(text: &[u8]) -> Option<Self> {
        match text {
            [b'V', b'C', b'F', b'v', b'4', b'.', minor @ b'1'..=b'5'] => Some(Self(minor - b'0')),
            _ => None,
        }
    }
}

/// Holds all lines of a VCF against the rules; of what breaks them the first `show` are kept with their lines. `allowed`
/// rules are not looked at.
///
/// # Errors
/// The text cannot be read, or a line is longer than 2 GiB.
pub fn validate(reader: &mut dyn BufRead, show: usize, allowed: Vec<Rule>) -> io::Result<Report> {
    let mut report = Report::new(show, allowed);
    let mut meta = Meta::default();
    let mut order = Order::default();
    let (mut line, mut number) = (Vec::new(), 0);
    let mut in_body = false;
    loop {
        line.clear();
        let taken = reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
        if taken == 0 {
            break;
        }
        number += 1;
        report.line = number;
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        } else if taken as u64 == MAX_LINE {
            return Err(io::Error::other(format!("line {number} is longer than {MAX_LINE} bytes")));
        } else {
            report.add(Rule::LastLine, || "the last line has no end".to_owned());
        }
        if in_body {
            if line.starts_with(b"#") {
                report.add(Rule::HeaderLine, || "a header line stands among the records".to_owned());
            } else {
                columns::check(&line, &meta, &mut order, &mut report);
            }
        } else if line.starts_with(b"##") {
            meta.read(&line, number == 1, &mut report);
        } else if line.starts_with(b"#") {
            meta.read_columns(&line, number == 1, &mut report);
            in_body = true;
        } else {
            report.add(Rule::MetaForm, || format!("{} is no ##key=value", quoted(&line)));
        }
    }
    if !in_body {
        report.line = number.max(1);
        report.add(Rule::HeaderLine, || "there is no #CHROM line".to_owned());
    }
    report.lines = number;
    Ok(report)
}

/// Text for a message: its beginning, in quotes, without control characters.
fn quoted(text: &[u8]) -> String {
    const MOST: usize = 40;
    let beginning = String::from_utf8_lossy(&text[..text.len().min(MOST)]);
    format!("{beginning:?}{}", if text.len() > MOST { "..." } else { "" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_judged_and_nothing_panics(
            meta in proptest::collection::vec("[ -~]{0,30}", 0..4),
            records in proptest::collection::vec("[ -~\t]{0,60}", 0..4),
        ) {
            let mut text = b"##fileformat=VCFv4.3\n".to_vec();
            for line in meta {
                text.extend_from_slice(format!("##{line}\n").as_bytes());
            }
            text.extend_from_slice(b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n");
            for line in records {
                text.extend_from_slice(format!("1\t5\t.\tA\tC,<DEL>\t{line}\n").as_bytes());
            }
            prop_assert!(validate(&mut &text[..], 3, Vec::new()).is_ok());
        }
    }
}
