//! FASTA index (`.fai`): read from a file, or built by one scan of the sequence text.
//!
//! Knows where bases stand in the text, not how the text is fetched: see [`crate::formats::fasta`].
//! Source: `faidx(5)` of samtools.

use std::{collections::HashSet, io::BufRead};

/// Where one contig stands in the (uncompressed) FASTA text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaiRecord {
    /// Name up to the first blank.
    pub name: String,
    /// Length in bases.
    pub length: u64,
    /// Offset of the first base in bytes, 0-based.
    pub offset: u64,
    /// Bases on each full line.
    pub line_bases: u64,
    /// Bytes of each full line with its terminator.
    pub line_width: u64,
}

impl FaiRecord {
    /// Offset in the text of base `position` (0-based, at most the length): where it stands, or would.
    pub fn offset_of(&self, position: u64) -> u64 {
        match position.checked_div(self.line_bases) {
            Some(line) => self.offset + line * self.line_width + position % self.line_bases,
            None => self.offset,
        }
    }

    /// Offset of the byte behind the last base.
    pub fn end_offset(&self) -> u64 {
        if self.length == 0 { self.offset } else { self.offset_of(self.length - 1) + 1 }
    }

    /// Bytes of the line terminator (1 or 2).
    pub fn terminator_len(&self) -> u64 {
        self.line_width - self.line_bases
    }
}

/// What is wrong in an index or a FASTA text, and on which line (1-based).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct FaiProblem {
    /// Line number, from 1.
    pub line: u64,
    /// What is wrong there.
    pub what: &'static str,
}

/// Parses the text of a `.fai` file for a FASTA of `text_len` uncompressed bytes.
///
/// # Errors
/// A line lacks a column, a number is no number, a name comes twice, or a contig reaches past `text_len`.
pub fn parse(index: &[u8], text_len: u64) -> Result<Vec<FaiRecord>, FaiProblem> {
    let mut records = Vec::new();
    let mut seen = HashSet::new();
    for (number, line) in (1..).zip(index.split(|&byte| byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let problem = |what| FaiProblem { line: number, what };
        let record = parse_line(line).ok_or_else(|| {
            problem("expected name, length, offset, bases a line and bytes a line, separated by tabs")
        })?;
        if !fits(&record, text_len) {
            return Err(problem("the contig does not fit the FASTA file; remake the index (samtools faidx)"));
        }
        if !seen.insert(record.name.clone()) {
            return Err(problem("the contig name comes twice"));
        }
        records.push(record);
    }
    if records.is_empty() { Err(FaiProblem { line: 1, what: "the index is empty" }) } else { Ok(records) }
}

/// Builds the index of a FASTA text by one scan; memory does not depend on the length of lines.
///
/// # Errors
/// `Ok(Err(_))` if the text is not FASTA with lines of equal length (a contig's last line may be shorter) and
/// unique names; `Err(_)` if reading fails.
pub fn build(text: &mut impl BufRead) -> std::io::Result<Result<Vec<FaiRecord>, FaiProblem>> {
    let mut scan = Scan::default();
    loop {
        let chunk = text.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            let (piece, ended) = match rest.iter().position(|&byte| byte == b'\n') {
                Some(at) => (&rest[..at], true),
                None => (rest, false),
            };
            let taken = piece.len() + usize::from(ended);
            if let Err(problem) = scan.piece(piece, ended) {
                return Ok(Err(problem));
            }
            rest = &rest[taken..];
        }
        let taken = chunk.len();
        text.consume(taken);
    }
    Ok(scan.finish())
}

fn parse_line(line: &[u8]) -> Option<FaiRecord> {
    let line = std::str::from_utf8(line).ok()?;
    let mut fields = line.split('\t');
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let mut number = || fields.next()?.parse::<u64>().ok();
    let (length, offset, line_bases, line_width) = (number()?, number()?, number()?, number()?);
    Some(FaiRecord { name, length, offset, line_bases, line_width })
}

/// Whether the numbers agree with each other and with the length of the text, without overflow.
fn fits(record: &FaiRecord, text_len: u64) -> bool {
    if record.length == 0 {
        return record.offset <= text_len && record.line_width >= record.line_bases;
    }
    let one_line = record.length <= record.line_bases;
    if record.line_bases == 0
        || record.line_width < record.line_bases
        || record.line_width - record.line_bases > 2
        || (record.line_width == record.line_bases && !one_line)
    {
        return false;
    }
    let last = record.length - 1;
    (last / record.line_bases)
        .checked_mul(record.line_width)
        .and_then(|bytes| bytes.checked_add(last % record.line_bases + 1))
        .and_then(|bytes| bytes.checked_add(record.offset))
        .is_some_and(|end| end <= text_len)
}

/// State of the scan: fed with pieces of lines.
#[derive(Default)]
struct Scan {
    records: Vec<FaiRecord>,
    seen: HashSet<String>,
    /// Bytes before the current line.
    line_start: u64,
    /// Bytes of the current line so far, without `\n`.
    line_len: u64,
    line_number: u64,
    /// The current line's name line, if it is one.
    header: Option<Vec<u8>>,
    last_byte: u8,
    /// A line shorter than the first was met: only a new contig may follow.
    short: bool,
}

impl Scan {
    fn piece(&mut self, piece: &[u8], ended: bool) -> Result<(), FaiProblem> {
        if self.line_len == 0 && piece.first() == Some(&b'>') {
            self.header = Some(Vec::new());
        }
        if let Some(header) = &mut self.header {
            header.extend_from_slice(piece);
        }
        self.line_len += piece.len() as u64;
        self.last_byte = piece.last().copied().unwrap_or(self.last_byte);
        if ended { self.end_line(1) } else { Ok(()) }
    }

    fn finish(mut self) -> Result<Vec<FaiRecord>, FaiProblem> {
        if self.line_len > 0 {
            self.end_line(0)?;
        }
        if self.records.is_empty() {
            return Err(FaiProblem { line: 1, what: "no sequence: expected a line that begins with '>'" });
        }
        Ok(self.records)
    }

    /// Takes in the line that just ended, with `newline` bytes of `\n` behind it.
    fn end_line(&mut self, newline: u64) -> Result<(), FaiProblem> {
        self.line_number += 1;
        let cr = u64::from(self.line_len > 0 && self.last_byte == b'\r');
        let next = self.line_start + self.line_len + newline;
        let result = match self.header.take() {
            Some(header) => self.name_line(&header, next),
            None => self.sequence_line(self.line_len - cr, cr + newline),
        };
        self.line_start = next;
        self.line_len = 0;
        result.map_err(|what| FaiProblem { line: self.line_number, what })
    }

    fn name_line(&mut self, header: &[u8], next: u64) -> Result<(), &'static str> {
        let name = header[1..].split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let name = std::str::from_utf8(name).map_err(|_| "the contig name is not UTF-8")?.to_owned();
        if name.is_empty() {
            return Err("a contig without a name");
        }
        if !self.seen.insert(name.clone()) {
            return Err("the contig name comes twice");
        }
        self.short = false;
        self.records.push(FaiRecord { name, length: 0, offset: next, line_bases: 0, line_width: 0 });
        Ok(())
    }

    fn sequence_line(&mut self, bases: u64, terminator: u64) -> Result<(), &'static str> {
        let Some(record) = self.records.last_mut() else {
            return if bases == 0 { Ok(()) } else { Err("expected a line that begins with '>'") };
        };
        if bases == 0 {
            self.short = true;
            return Ok(());
        }
        if self.short {
            return Err("lines of unequal length within a contig");
        }
        if record.length == 0 {
            record.line_bases = bases;
            record.line_width = bases + terminator.max(1);
        } else if bases > record.line_bases
            || (terminator > 0 && terminator != record.line_width - record.line_bases)
        {
            return Err("lines of unequal length within a contig");
        }
        self.short = bases < record.line_bases;
        record.length += bases;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn scan(text: &str) -> Result<Vec<FaiRecord>, FaiProblem> {
        // A buffer of 3 bytes cuts every line somewhere.
        build(&mut BufReader::with_capacity(3, text.as_bytes())).unwrap()
    }

    fn record(name: &str, length: u64, offset: u64, line_bases: u64, line_width: u64) -> FaiRecord {
        FaiRecord { name: name.to_owned(), length, offset, line_bases, line_width }
    }

    #[test]
    fn a_scan_finds_what_samtools_faidx_writes() {
        // Figures of samtools 1.16 faidx for these texts.
        for (text, expected) in [
            (">a x y\nACGT\nAC\n>b\nAC\n", vec![record("a", 6, 7, 4, 5), record("b", 2, 18, 2, 3)]),
            (">a\r\nACGT\r\nAC\r\n", vec![record("a", 6, 4, 4, 6)]),
            (">a\nACGT\nAC", vec![record("a", 6, 3, 4, 5)]),
            ("\n>a\nACGT\n\n>b\nA\n", vec![record("a", 4, 4, 4, 5), record("b", 1, 13, 1, 2)]),
        ] {
            assert_eq!(scan(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn texts_that_are_not_fasta_are_refused_with_the_line() {
        for (text, line) in [
            ("", 1),
            ("ACGT\n", 1),
            (">a\nAC\nACG\n", 3),
            (">a\nACG\nA\nACG\n", 4),
            (">\nA\n", 1),
            (">a\n>a\n", 2),
            (">a\nAC\n\nAC\n", 4),
        ] {
            assert_eq!(scan(text).unwrap_err().line, line, "{text:?}");
        }
    }

    #[test]
    fn an_index_that_does_not_fit_is_refused() {
        for (name, index) in [
            ("too few columns", "a\t6\t3\t4\n"),
            ("not a number", "a\tsix\t3\t4\t5\n"),
            ("past the end", "a\t600\t3\t4\t5\n"),
            ("overflow", "a\t18446744073709551615\t3\t1\t2\n"),
            ("no bases a line", "a\t6\t3\t0\t1\n"),
            ("width below bases", "a\t6\t3\t4\t3\n"),
            ("twice", "a\t1\t3\t4\t5\na\t1\t3\t4\t5\n"),
            ("empty", ""),
        ] {
            assert!(parse(index.as_bytes(), 100).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, 1000);
            let _ = build(&mut bytes.as_slice());
        }

        #[test]
        fn any_numbers_are_taken_only_if_they_fit(n in prop::array::uniform4(any::<u64>()), small in prop::array::uniform4(0u64..9)) {
            for n in [n, small] {
                let line = format!("a\t{}\t{}\t{}\t{}\n", n[0], n[1], n[2], n[3]);
                if let Ok(records) = parse(line.as_bytes(), 1000) {
                    prop_assert!(records[0].end_offset() <= 1000);
                }
            }
        }
    }
}
