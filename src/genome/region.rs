//! Regions as people type them: `chr1:1,000-2,000`.
//!
//! Text is 1-based inclusive, as in samtools and bcftools; [`Region`] is 0-based half-open. Source: `samtools(1)`,
//! section REGIONS of `samtools view`, and htslib's `hts_parse_region`.

use std::{fmt, str::FromStr};

use super::{contigs::Contigs, intervals::Interval};

/// A stretch of a contig by name, 0-based half-open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Contig name.
    pub contig: String,
    /// First base, 0-based.
    pub start: u64,
    /// End, exclusive; `None` is the contig's end.
    pub end: Option<u64>,
}

/// Why a region could not be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// Not of the form `CONTIG`, `CONTIG:START`, `CONTIG:START-`, `CONTIG:START-END`.
    #[error("region {text:?}: {what}")]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong.
        what: &'static str,
    },
    /// No such contig.
    #[error("region {text:?}: no contig of that name in the file's header")]
    UnknownContig {
        /// The text.
        text: String,
    },
    /// The text is the name of one contig, and a range of another.
    #[error("region {text:?} can be read in two ways; write {{{text}}} for the contig of that name")]
    Ambiguous {
        /// The text.
        text: String,
    },
}

impl Region {
    /// Reads a region and looks its contig up: the contig's number and the interval, clipped at the contig's end.
    /// A name that itself ends like a range (`HLA-A*01:01`) needs no braces unless both readings exist.
    ///
    /// # Errors
    /// The text is malformed, the contig unknown, or both readings exist.
    pub fn resolve(text: &str, contigs: &Contigs) -> Result<(usize, Interval), RegionError> {
        let named = contigs.index_of(text);
        let parsed = text.parse::<Self>();
        let ranged =
            parsed.as_ref().ok().and_then(|region| Some((contigs.index_of(&region.contig)?, region)));
        let (number, start, end) = match (named, ranged) {
            (Some(_), Some((_, region))) if region.contig != text => {
                return Err(RegionError::Ambiguous { text: text.to_owned() });
            }
            (_, Some((number, region))) => (number, region.start, region.end),
            (Some(number), None) => (number, 0, None),
            (None, None) => {
                parsed?;
                return Err(RegionError::UnknownContig { text: text.to_owned() });
            }
        };
        let length = contigs.get(number).map_or(0, |contig| u64::from(contig.length));
        let end = end.unwrap_or(length).min(length);
        Ok((number, Interval { start: start.min(end), end }))
    }
}

impl FromStr for Region {
    type Err = RegionError;

    /// Reads `CONTIG`, `CONTIG:START`, `CONTIG:START-` (both to the contig's end, as in samtools), `CONTIG:-END` or
    /// `CONTIG:START-END`, 1-based inclusive, commas allowed in numbers; a name with colons in braces:
    /// `{HLA:01}:1-5`. Without braces the name ends at the last colon.
    ///
    /// ```
    /// use norn::genome::region::Region;
    /// let region: Region = "chr1:1,001-2,000".parse()?;
    /// assert_eq!((region.start, region.end), (1_000, Some(2_000)));
    /// # Ok::<(), norn::genome::region::RegionError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, RegionError> {
        let malformed = |what| RegionError::Malformed { text: text.to_owned(), what };
        let (contig, range) = match text.strip_prefix('{') {
            Some(rest) => {
                let (name, behind) =
                    rest.split_once('}').ok_or_else(|| malformed("the brace is not closed"))?;
                match behind.strip_prefix(':') {
                    Some(range) => (name, Some(range)),
                    None if behind.is_empty() => (name, None),
                    None => return Err(malformed("expected ':' behind the closing brace")),
                }
            }
            None => match text.rsplit_once(':') {
                Some((name, range)) => (name, Some(range)),
                None => (text, None),
            },
        };
        if contig.is_empty() {
            return Err(malformed("the contig's name is missing"));
        }
        let (start, end) = range.map_or(Ok((0, None)), parse_range).map_err(malformed)?;
        Ok(Self { contig: contig.to_owned(), start, end })
    }
}

impl fmt::Display for Region {
    /// Writes what [`Region::from_str`] reads, 1-based inclusive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.contig.contains(':') {
            write!(f, "{{{}}}", self.contig)?;
        } else {
            f.write_str(&self.contig)?;
        }
        match (self.start, self.end) {
            (0, None) => Ok(()),
            (start, None) => write!(f, ":{}-", start.saturating_add(1)),
            (start, Some(end)) => write!(f, ":{}-{end}", start.saturating_add(1)),
        }
    }
}

/// Reads `START`, `START-`, `-END`, `START-END` into 0-based half-open.
fn parse_range(range: &str) -> Result<(u64, Option<u64>), &'static str> {
    let (first, last) = range.split_once('-').unwrap_or((range, ""));
    if first.is_empty() && last.is_empty() {
        return Err("expected START-END behind the colon");
    }
    let start = if first.is_empty() { 1 } else { parse_number(first)? };
    let end = if last.is_empty() { None } else { Some(parse_number(last)?) };
    if start == 0 {
        return Err("positions begin at 1");
    }
    if end.is_some_and(|end| end < start) {
        return Err("the end lies before the start");
    }
    Ok((start - 1, end))
}

fn parse_number(text: &str) -> Result<u64, &'static str> {
    let digits = text.replace(',', "");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a position is not a number");
    }
    match digits.parse() {
        Ok(number) if number <= i64::MAX as u64 => Ok(number),
        _ => Err("a position is no number below 2^63"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::genome::contigs::Contig;

    #[test]
    fn regions_read_as_samtools_reads_them() {
        for (text, contig, start, end) in [
            ("chr1", "chr1", 0, None),
            ("chr1:100", "chr1", 99, None),
            ("chr1:100-", "chr1", 99, None),
            ("chr1:-200", "chr1", 0, Some(200)),
            ("chr1:1,000-2,000", "chr1", 999, Some(2000)),
            ("chr1:5-5", "chr1", 4, Some(5)),
            ("{HLA:01}:1-5", "HLA:01", 0, Some(5)),
            ("{HLA:01}", "HLA:01", 0, None),
            ("HLA-A*01:01:1-5", "HLA-A*01:01", 0, Some(5)),
        ] {
            let expected = Region { contig: contig.to_owned(), start, end };
            assert_eq!(text.parse::<Region>(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_region_is_refused() {
        for text in [
            "",
            ":",
            ":1-2",
            "chr1:",
            "chr1:-",
            "chr1:0-5",
            "chr1:5-4",
            "chr1:a-b",
            "chr1:+1-2",
            "{chr1",
            "{chr1}x",
            "{}:1-2",
            "chr1:1-99999999999999999999",
            "chr1:1-2-3",
            "chr1:,-5",
        ] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_with_colons_are_found_and_twofold_readings_told() {
        let list = ["a", "a:1-2", "HLA:01", "b:3"];
        let contig = |name: &&str| Contig { name: (*name).to_owned(), length: 10, md5: None };
        let contigs = Contigs::new(list.iter().map(contig).collect()).unwrap();
        let resolve = |text: &str| Region::resolve(text, &contigs).map(|(n, i)| (n, i.start, i.end));
        assert_eq!(resolve("HLA:01"), Ok((2, 0, 10)));
        assert_eq!(resolve("HLA:01:2-99"), Ok((2, 1, 10)));
        assert_eq!(resolve("a:50-60"), Ok((0, 10, 10)));
        assert_eq!(resolve("{a:1-2}"), Ok((1, 0, 10)));
        assert_eq!(resolve("b:3"), Ok((3, 0, 10)));
        assert!(matches!(resolve("a:1-2"), Err(RegionError::Ambiguous { .. })));
        assert!(matches!(resolve("c:1-2"), Err(RegionError::UnknownContig { .. })));
        assert!(matches!(resolve("c:x"), Err(RegionError::Malformed { .. })));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(contig in "[a-zA-Z0-9_.*:-]{1,12}", start in 0u64..1 << 40, len in prop::option::of(1u64..1 << 40)) {
            let region = Region { contig, start, end: len.map(|len| start + len) };
            prop_assert_eq!(region.to_string().parse::<Region>(), Ok(region));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<Region>();
            let _ = Region::resolve(&text, &Contigs::default());
        }
    }
}
