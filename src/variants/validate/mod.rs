//! Strict validation of a VCF against the specification, versions 4.1 to 4.5.
//!
//! Everywhere else records are read as leniently as they can be; here every line is held against the rules, and all that
//! break one are counted. What a rule demands follows the specification's text (hts-specs), by the version that the file
//! names. A BCF is held against its own rules, and the text that it stands for against these.

mod binary;
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

/// Holds all lines of a VCF, or all of a BCF, inflated, against the rules; of what breaks them the first `show` are kept
/// with their lines. `allowed` rules are not looked at.
///
/// # Errors
/// The text cannot be read, or a line is longer than 2 GiB.
pub fn validate(reader: &mut dyn BufRead, show: usize, allowed: Vec<Rule>) -> io::Result<Report> {
    let mut judge = Judge {
        report: Report::new(show, allowed),
        meta: Meta::default(),
        order: Order::default(),
        in_body: false,
    };
    // Text begins with ##.
    if reader.fill_buf()?.starts_with(b"BC") {
        binary::validate(reader, &mut judge)?;
        return Ok(judge.report);
    }
    let mut line = Vec::new();
    loop {
        line.clear();
        let taken = reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
        if taken == 0 {
            break;
        }
        if taken as u64 == MAX_LINE && line.last() != Some(&b'\n') {
            let number = judge.report.lines + 1;
            return Err(io::Error::other(format!("line {number} is longer than {MAX_LINE} bytes")));
        }
        judge.line(&line);
    }
    judge.header_ends();
    Ok(judge.report)
}

/// What is known of the lines that were held against the rules.
struct Judge {
    report: Report,
    meta: Meta,
    order: Order,
    /// Whether the `#CHROM` line was there.
    in_body: bool,
}

impl Judge {
    /// The next line is looked at.
    fn begin_line(&mut self) {
        self.report.lines += 1;
        self.report.line = self.report.lines;
    }

    /// There was no next line.
    fn end_of_lines(&mut self) {
        self.report.lines -= 1;
    }

    /// Takes a line with its end.
    fn line(&mut self, line: &[u8]) {
        self.begin_line();
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => {
                self.report.add(Rule::LastLine, || "the last line has no end".to_owned());
                line
            }
        };
        let is_first = self.report.line == 1;
        if self.in_body {
            self.record(line);
        } else if line.starts_with(b"##") {
            self.meta.read(line, is_first, &mut self.report);
        } else if line.starts_with(b"#") {
            self.meta.read_columns(line, is_first, &mut self.report);
            self.in_body = true;
        } else {
            self.report.add(Rule::MetaForm, || format!("{} is no ##key=value", quoted(line)));
        }
    }

    /// Takes a line behind the header.
    fn record(&mut self, line: &[u8]) {
        if line.starts_with(b"#") {
            self.report.add(Rule::HeaderLine, || "a header line stands among the records".to_owned());
        } else {
            columns::check(line, &self.meta, &mut self.order, &mut self.report);
        }
    }

    /// No line of the header follows.
    fn header_ends(&mut self) {
        if !self.in_body {
            self.report.line = self.report.lines.max(1);
            self.report.add(Rule::HeaderLine, || "there is no #CHROM line".to_owned());
        }
    }
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

        #[test]
        fn any_bytes_of_a_bcf_are_judged_and_nothing_panics(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            lengths in any::<(u8, u8)>(),
        ) {
            let header = b"##fileformat=VCFv4.3\n##contig=<ID=1>\n##INFO=<ID=X,Number=1,Type=Integer,Description=\"\">\n\
                #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n\0";
            let mut file = b"BCF\x02\x02".to_vec();
            file.extend((header.len() as u32).to_le_bytes());
            file.extend(header);
            file.extend([lengths.0, 0, 0, 0, lengths.1, 0, 0, 0, 0, 0, 0, 0]);
            file.extend(&bytes);
            prop_assert!(validate(&mut &file[..], 3, Vec::new()).is_ok());
            prop_assert!(validate(&mut &[b"BC".as_slice(), &bytes].concat()[..], 3, Vec::new()).is_ok());
        }
    }
}
