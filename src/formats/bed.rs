//! BED files, and Picard's `interval_list`, as input: plain, gzip or BGZF.
//!
//! Sources: GA4GH BED specification 1.0 (0-based half-open); Picard's `IntervalList` (1-based inclusive behind a SAM
//! header). Records leave here 0-based half-open, whichever they came from.

use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
};

use super::text;
use crate::genome::{
    contigs::Contigs,
    intervals::{Interval, IntervalSet},
};

/// Why a BED file could not be read. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum BedError {
    /// The file could not be opened or read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no BED line.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A contig that the other input does not have.
    #[error("{path}, line {line}: no contig {contig} in the alignment's or reference's header; is it for another build?", path = path.display())]
    UnknownContig {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The contig's name.
        contig: String,
    },
    /// An interval reaches past the contig's end.
    #[error("{path}, line {line}: the interval ends at {end}, but {contig} has {length} bases; is it for another build?", path = path.display())]
    PastEnd {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The contig's name.
        contig: String,
        /// The interval's end.
        end: u64,
        /// The contig's length in bases.
        length: u64,
    },
}

/// The strand of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strand {
    /// `+`
    Forward,
    /// `-`
    Reverse,
}

/// One line of a BED file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BedRecord {
    /// Contig name.
    pub contig: String,
    /// First position, 0-based.
    pub start: u64,
    /// End, exclusive, not below `start`.
    pub end: u64,
    /// Name (column 4; of an `interval_list`, column 5), as it stands, so `.` too.
    pub name: Option<String>,
    /// Strand (column 6; of an `interval_list`, column 4); `None` if absent or anything but `+` and `-`.
    pub strand: Option<Strand>,
}

/// Reads records one by one. Skips blank lines, comments (`#`), `track` and `browser` lines; takes tabs or blanks
/// between columns, and CRLF. A file that begins with `@` is read as an `interval_list`.
pub struct BedReader {
    path: PathBuf,
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
    is_interval_list: bool,
}

impl BedReader {
    /// Opens a BED file or `interval_list`.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, BedError> {
        let input = text::open(path).map_err(|source| BedError::Io { path: path.to_owned(), source })?;
        Ok(Self::new(path, input))
    }

    /// Reads from `input`, which stands at the first byte of the file of this name.
    pub fn new(path: &Path, input: Box<dyn BufRead>) -> Self {
        Self { path: path.to_owned(), input, line: Vec::new(), number: 0, is_interval_list: false }
    }

    /// Number of the line read last, from 1.
    pub fn line_number(&self) -> u64 {
        self.number
    }

    fn next_record(&mut self) -> Result<Option<BedRecord>, BedError> {
        let io = |source| BedError::Io { path: self.path.clone(), source };
        while text::read_line(&mut self.input, &mut self.line).map_err(io)? {
            self.number += 1;
            if self.line.first() == Some(&b'@') && (self.number == 1 || self.is_interval_list) {
                self.is_interval_list = true;
                continue;
            }
            let parsed = match std::str::from_utf8(&self.line) {
                Ok(line) if is_skipped(line) => continue,
                Ok(line) => parse(line, self.is_interval_list),
                Err(_) => Err("the line is not UTF-8"),
            };
            return parsed.map(Some).map_err(|what| BedError::Malformed {
                path: self.path.clone(),
                line: self.number,
                what,
            });
        }
        Ok(None)
    }
}

impl Iterator for BedReader {
    type Item = Result<BedRecord, BedError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

/// Reads a whole BED file, each record with the number of its contig in `contigs`.
///
/// # Errors
/// The file cannot be read, a line is malformed, names an unknown contig, or reaches past a contig's end.
pub fn read_records(path: &Path, contigs: &Contigs) -> Result<Vec<(usize, BedRecord)>, BedError> {
    let mut reader = BedReader::open(path)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        let (path, line) = (&reader.path, reader.number);
        let Some(number) = contigs.index_of(&record.contig) else {
            return Err(BedError::UnknownContig { path: path.clone(), line, contig: record.contig });
        };
        let length = contigs.get(number).map_or(0, |contig| u64::from(contig.length));
        if record.end > length {
            let BedRecord { contig, end, .. } = record;
            return Err(BedError::PastEnd { path: path.clone(), line, contig, end, length });
        }
        records.push((number, record));
    }
    Ok(records)
}

/// Reads a whole BED file into the set of its positions, contigs numbered as in `contigs`.
///
/// # Errors
/// As [`read_records`].
pub fn read_interval_set(path: &Path, contigs: &Contigs) -> Result<IntervalSet, BedError> {
    let records = read_records(path, contigs)?.into_iter();
    Ok(IntervalSet::new(
        records.map(|(number, BedRecord { start, end, .. })| (number, Interval { start, end })),
    ))
}

fn is_skipped(line: &str) -> bool {
    let first = line.split_ascii_whitespace().next();
    first.is_none_or(|word| word.starts_with('#') || word == "track" || word == "browser")
}

fn parse(line: &str, is_interval_list: bool) -> Result<BedRecord, &'static str> {
    if line.contains('\t') {
        parse_columns(line.split('\t'), is_interval_list)
    } else {
        parse_columns(line.split_ascii_whitespace(), is_interval_list)
    }
}

fn parse_columns<'a>(
    mut columns: impl Iterator<Item = &'a str>,
    is_interval_list: bool,
) -> Result<BedRecord, &'static str> {
    let contig = columns.next().filter(|contig| !contig.is_empty()).ok_or("the contig's name is missing")?;
    let start = position(columns.next())?;
    let end = position(columns.next())?;
    let (start, name, strand) = if is_interval_list {
        let start = start.checked_sub(1).ok_or("positions of an interval_list begin at 1")?;
        let strand = columns.next();
        (start, columns.next(), strand)
    } else {
        let name = columns.next();
        (start, name, columns.nth(1))
    };
    if start > end {
        return Err("the end lies before the start");
    }
    let strand = match strand.map(str::trim_ascii) {
        Some("+") => Some(Strand::Forward),
        Some("-") => Some(Strand::Reverse),
        _ => None,
    };
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(BedRecord { contig: contig.to_owned(), start, end, name, strand })
}

fn position(column: Option<&str>) -> Result<u64, &'static str> {
    let text = column.ok_or("expected at least three columns: contig, start, end")?.trim_ascii();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse().ok() } else { None };
    number.filter(|&number| number <= i64::MAX as u64).ok_or("start or end is not a position")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::genome::contigs::Contig;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        file
    }

    fn read(text: &str) -> Result<Vec<BedRecord>, BedError> {
        BedReader::open(file(text.as_bytes()).path())?.collect()
    }

    fn record(contig: &str, start: u64, end: u64, name: Option<&str>, strand: Option<Strand>) -> BedRecord {
        BedRecord { contig: contig.to_owned(), start, end, name: name.map(str::to_owned), strand }
    }

    #[test]
    fn lines_of_every_habit_are_read() {
        for (text, expected) in [
            ("chr1\t10\t20\n", record("chr1", 10, 20, None, None)),
            ("chr1 10   20 exon", record("chr1", 10, 20, Some("exon"), None)),
            (
                "chr1\t10\t20\tan exon\t0\t-\textra\r\n",
                record("chr1", 10, 20, Some("an exon"), Some(Strand::Reverse)),
            ),
            (
                "#c\n\n \t \ntrack name=x\nbrowser position\ntrack1\t5\t5\t.\t.\t.\n",
                record("track1", 5, 5, Some("."), None),
            ),
            (
                "@HD\tVN:1.6\n@SQ\tSN:1\tLN:9\n1\t1\t9\t+\tt1\n",
                record("1", 0, 9, Some("t1"), Some(Strand::Forward)),
            ),
        ] {
            assert_eq!(read(text).unwrap(), [expected], "{text:?}");
        }
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_is_no_bed_is_told_with_its_line() {
        for text in [
            "\nchr1\t10\n",
            "#\nchr1\t20\t10\n",
            "#\nchr1\t-1\t10\n",
            "#\nchr1\tx\t10\n",
            "#\n\t1\t2\n",
            "#\nc\t1e6\t2e6\n",
            "#\nc\t1\t99999999999999999999\n",
            "@HD\n1\t0\t5\t+\tx\n",
            "#\n@HD\n",
        ] {
            let error = read(text).unwrap_err();
            assert!(matches!(error, BedError::Malformed { line: 2, .. }), "{text:?}: {error}");
            assert!(error.to_string().contains("line 2"));
        }
        assert!(BedReader::open(file(b"c\t1\t2\n\xff\t1\t2\n").path()).unwrap().nth(1).unwrap().is_err());
        assert!(matches!(BedReader::open("no/such/file".as_ref()), Err(BedError::Io { .. })));
    }

    #[test]
    fn a_set_is_made_against_the_contigs() {
        let contig = |name: &str, length| Contig { name: name.to_owned(), length, md5: None };
        let contigs = Contigs::new(vec![contig("a", 100), contig("b", 50)]).unwrap();
        let read = |text: &str| read_interval_set(file(text.as_bytes()).path(), &contigs);
        let set = read("b\t10\t20\na\t0\t100\nb\t20\t50\n").unwrap();
        assert_eq!((set.total_length(), set.contig(1)), (140, &[Interval { start: 10, end: 50 }][..]));
        assert!(matches!(read("a\t1\t2\nc\t1\t2\n"), Err(BedError::UnknownContig { line: 2, .. })));
        assert!(matches!(read("b\t1\t51\n"), Err(BedError::PastEnd { line: 1, end: 51, length: 50, .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[@#]?[a-z0-9\t\n\r .+-]{0,90}"
        ) {
            for bytes in [bytes, text.into_bytes()] {
                let reader = BedReader::new("any.bed".as_ref(), Box::new(std::io::Cursor::new(bytes)));
                for record in reader.map_while(Result::ok) {
                    prop_assert!(record.start <= record.end);
                }
            }
        }

        #[test]
        fn any_line_is_read_or_refused(line in "[a-z0-9\t .+#@-]{0,40}", list in any::<bool>()) {
            if let Ok(record) = parse(&line, list) {
                prop_assert!(record.start <= record.end);
            }
        }
    }
}
