//! Lines of GFF3 and GTF: columns and attributes, without a view of what features mean.
//!
//! Source: GFF3 specification 1.26 (Sequence Ontology), GTF2.2.

use std::borrow::Cow;
use std::path::Path;

use super::text::{self, TextError};

/// A feature: a line that is no comment.
#[derive(Clone, Copy, Debug)]
pub struct Feature<'l> {
    /// The sequence's name.
    pub contig: &'l str,
    /// The type, column 3.
    pub kind: &'l str,
    /// First base, 1-based.
    pub start: i64,
    /// Last base, 1-based.
    pub end: i64,
    /// Whether on the reverse strand; `None` where there is no strand.
    pub is_reverse: Option<bool>,
    /// Bases to the next codon of a CDS, 0 to 2.
    pub phase: Option<u8>,
    attributes: &'l str,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GffProblem {
    /// It has not nine columns.
    #[error("it has {0} columns, not 9")]
    Columns(usize),
    /// Start and end are no numbers, or the end lies before the start.
    #[error("start and end are no range")]
    Range,
}

/// Gives the features of a file, plain or compressed, to `take`, which says what is wrong with one; sequences at the end
/// (`##FASTA`) are no features.
///
/// # Errors
/// Reading fails, or a line is broken or wrong.
pub fn for_each_feature(
    path: &Path,
    mut take: impl FnMut(&Feature<'_>) -> Result<(), String>,
) -> Result<(), TextError> {
    let mut is_over = false;
    text::for_each_line(path, |_, line| {
        is_over |= line.starts_with("##FASTA");
        if is_over {
            return Ok(());
        }
        match Feature::parse(line) {
            Ok(Some(feature)) => take(&feature),
            Ok(None) => Ok(()),
            Err(problem) => Err(problem.to_string()),
        }
    })
}

impl<'l> Feature<'l> {
    /// Reads a line; `None` for comments, directives and empty lines.
    ///
    /// # Errors
    /// The line is broken.
    pub fn parse(line: &'l str) -> Result<Option<Self>, GffProblem> {
        if line.is_empty() || line.starts_with('#') || line.starts_with('>') {
            return Ok(None);
        }
        let mut columns = [""; 9];
        let mut count = 0;
        for column in line.split('\t') {
            if let Some(place) = columns.get_mut(count) {
                *place = column;
            }
            count += 1;
        }
        if count != 9 {
            return Err(GffProblem::Columns(count));
        }
        let [contig, _, kind, start, end, _, strand, phase, attributes] = columns;
        let range = (start.parse::<i64>().ok(), end.parse::<i64>().ok());
        let (Some(start), Some(end)) = range else { return Err(GffProblem::Range) };
        if start < 1 || end < start || end > MAX_END {
            return Err(GffProblem::Range);
        }
        let is_reverse = match strand {
            "+" => Some(false),
            "-" => Some(true),
            _ => None,
        };
        let phase = phase.parse::<u8>().ok().filter(|phase| *phase < 3);
        Ok(Some(Self { contig, kind, start, end, is_reverse, phase, attributes }))
    }

    /// The value of an attribute, the first where there are several.
    pub fn get(&self, name: &str) -> Option<Cow<'l, str>> {
        self.all(name).next()
    }

    /// The whole value of an attribute, lists and all.
    pub fn whole(&self, name: &str) -> Option<Cow<'l, str>> {
        self.pairs().find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
    }

    /// All values of an attribute: those of a list in GFF3, those of repeated attributes in GTF.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = Cow<'l, str>> + use<'l, 'n> {
        self.pairs().filter(move |(key, _)| *key == name).flat_map(|(_, value)| value.split(',').map(decoded))
    }

    fn pairs(&self) -> impl Iterator<Item = (&'l str, &'l str)> + use<'l> {
        self.attributes.split(';').filter_map(|pair| {
            let pair = pair.trim();
            let at = pair.find(['=', ' '])?;
            Some((&pair[..at], pair[at + 1..].trim().trim_matches('"')))
        })
    }
}

/// Longer than any chromosome; keeps sums of positions far from the end of the numbers.
const MAX_END: i64 = 1 << 40;

/// A value without its escapes (`%3D` is `=`).
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match escape.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_are_read() {
        let gff3 = "1\tx\tCDS\t5\t9\t.\t-\t2\tID=CDS:P;Parent=transcript:A,transcript:B;note=a%3Db%25";
        let feature = Feature::parse(gff3).expect("a line").expect("a feature");
        assert_eq!((feature.contig, feature.kind, feature.start, feature.end), ("1", "CDS", 5, 9));
        assert_eq!((feature.is_reverse, feature.phase), (Some(true), Some(2)));
        assert_eq!(feature.all("Parent").collect::<Vec<_>>(), ["transcript:A", "transcript:B"]);
        assert_eq!(feature.get("note").as_deref(), Some("a=b%"));
        let gtf = "1\tx\texon\t5\t9\t.\t+\t.\tgene_id \"G\"; tag \"basic\"; tag \"CCDS\"; exon_number 2;";
        let feature = Feature::parse(gtf).expect("a line").expect("a feature");
        assert_eq!(feature.all("tag").collect::<Vec<_>>(), ["basic", "CCDS"]);
        assert_eq!(
            (feature.get("gene_id").as_deref(), feature.get("exon_number").as_deref()),
            (Some("G"), Some("2"))
        );
        assert_eq!((feature.get("x"), feature.phase), (None, None));
    }

    #[test]
    fn broken_lines_are_told() {
        for (line, problem) in [
            ("1\tx\texon\t5\t9\t.\t+\t.", GffProblem::Columns(8)),
            ("1\tx\texon\t0\t9\t.\t+\t.\t", GffProblem::Range),
            ("1\tx\texon\t9\t8\t.\t+\t.\t", GffProblem::Range),
            ("1\tx\texon\ta\t8\t.\t+\t.\t", GffProblem::Range),
            ("1\tx\texon\t1\t9223372036854775807\t.\t+\t.\t", GffProblem::Range),
        ] {
            assert_eq!(Feature::parse(line).err(), Some(problem), "{line}");
        }
        assert!(Feature::parse("#c").is_ok_and(|feature| feature.is_none()));
    }
}
