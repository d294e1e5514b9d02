//! A capture design: the targets that are to be read, and the baits that fish for them.
//!
//! Listed intervals that overlap or abut become one, as Picard makes them one before it counts. Intervals without a
//! position (start equal to end) are left out. All coordinates are 0-based half-open.

use std::cmp::Ordering;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::formats::bed::{self, BedError, BedRecord, Strand};
use crate::genome::contigs::Contigs;

/// Targets and baits on the contigs of a header.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Design {
    /// The baits' name: that of their file up to its first dot.
    pub bait_set: String,
    /// The targets.
    pub targets: Spans,
    /// The baits.
    pub baits: Spans,
    /// Name of each of [`Self::targets`]; the different names of what became one target, between bars.
    pub names: Vec<Box<str>>,
    /// Targets as they were listed.
    pub listed: usize,
}

/// Positions `start..end` of a contig, 0-based half-open; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First position.
    pub start: u32,
    /// One past the last position.
    pub end: u32,
}

impl Span {
    /// Number of positions.
    pub fn length(self) -> u32 {
        self.end - self.start
    }

    /// What it shares with `start..end`, if anything.
    #[inline]
    pub fn shared(self, start: u32, end: u32) -> Option<(u32, u32)> {
        let (start, end) = (self.start.max(start), self.end.min(end));
        (start < end).then_some((start, end))
    }
}

/// Disjoint spans that do not abut, contig by contig, ascending.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Spans {
    spans: Vec<Span>,
    /// Where the spans of each contig begin, and where the last one's end.
    borders: Vec<usize>,
}

impl Spans {
    /// All of them in order.
    pub fn all(&self) -> &[Span] {
        &self.spans
    }

    /// The indices of a contig's spans in [`Self::all`].
    pub fn on(&self, contig: usize) -> Range<usize> {
        match self.borders.get(contig..contig + 2) {
            Some(borders) => borders[0]..borders[1],
            None => 0..0,
        }
    }

    /// Number of positions.
    pub fn territory(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.length())).sum()
    }

    /// The spans with the contigs that they lie on.
    pub fn with_contigs(&self) -> impl Iterator<Item = (usize, Span)> {
        let contigs = self.borders.len().saturating_sub(1);
        (0..contigs).flat_map(|contig| self.spans[self.on(contig)].iter().map(move |&span| (contig, span)))
    }
}

impl Design {
    /// Reads targets and baits (BED or `interval_list`); the targets are their own baits where there is no such file.
    ///
    /// # Errors
    /// A file cannot be read, is malformed, names an unknown contig, or reaches past a contig's end.
    pub fn read(targets: &Path, baits: Option<&Path>, contigs: &Contigs) -> Result<Self, BedError> {
        let listed = bed::read_records(targets, contigs)?;
        let bait_set = set_name(baits.unwrap_or(targets));
        let baits = baits.map(|path| bed::read_records(path, contigs)).transpose()?;
        let count = listed.iter().filter(|(_, record)| record.start < record.end).count();
        let (targets, names) = joined(listed, contigs.len());
        let baits = baits.map_or_else(|| targets.clone(), |baits| joined(baits, contigs.len()).0);
        Ok(Self { bait_set, targets, baits, names, listed: count })
    }
}

/// A file's name up to its first dot, as Picard names a set of baits.
fn set_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// Sorts as Picard does, joins what overlaps or abuts, and joins the names of that.
fn joined(mut records: Vec<(usize, BedRecord)>, contigs: usize) -> (Spans, Vec<Box<str>>) {
    records.retain(|(_, record)| record.start < record.end);
    records.sort_by(by_position);
    let mut list: Vec<(usize, Span)> = Vec::new();
    let mut names: Vec<Box<str>> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    for (contig, record) in records {
        // Within the contig, as the reader has checked, so within 31 bits.
        let (start, end) = (record.start as u32, record.end as u32);
        let name = record.name.unwrap_or_else(|| NO_NAME.to_owned());
        match list.last_mut().filter(|(last, span)| *last == contig && start <= span.end) {
            Some((_, span)) => span.end = span.end.max(end),
            None => {
                if !list.is_empty() {
                    names.push(parts.join("|").into());
                }
                parts.clear();
                list.push((contig, Span { start, end }));
            }
        }
        if !parts.contains(&name) {
            parts.push(name);
        }
    }
    if !list.is_empty() {
        names.push(parts.join("|").into());
    }
    let borders = (0..=contigs).map(|contig| list.partition_point(|(on, _)| *on < contig)).collect();
    (Spans { spans: list.into_iter().map(|(_, span)| span).collect(), borders }, names)
}

/// What stands for a name that is missing, as Picard's BedToIntervalList writes it.
const NO_NAME: &str = ".";

/// By contig, start, end, strand (forward first) and name.
fn by_position((contig, a): &(usize, BedRecord), (other, b): &(usize, BedRecord)) -> Ordering {
    let is_reverse = |record: &BedRecord| record.strand == Some(Strand::Reverse);
    contig
        .cmp(other)
        .then(a.start.cmp(&b.start))
        .then(a.end.cmp(&b.end))
        .then(is_reverse(a).cmp(&is_reverse(b)))
        .then_with(|| a.name.cmp(&b.name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn record(start: u64, end: u64, name: Option<&str>, strand: Option<Strand>) -> BedRecord {
        BedRecord { contig: String::new(), start, end, name: name.map(str::to_owned), strand }
    }

    #[test]
    fn intervals_join_as_htsjdk_joins_them() {
        // Expected: htsjdk's IntervalList.uniqued(), by its documentation: overlapping and abutting intervals become
        // one, different names stand between bars in the order of start, end, strand and name.
        let listed = vec![
            (2, record(5, 9, Some("z"), None)),
            (0, record(40, 50, Some("d"), None)),
            (0, record(10, 20, Some("b"), None)),
            (0, record(10, 20, Some("a"), Some(Strand::Reverse))),
            (0, record(20, 30, None, None)),
            (0, record(31, 31, Some("empty"), None)),
            (0, record(12, 14, Some("b"), None)),
        ];
        let (spans, names) = joined(listed, 3);
        let expected: [(usize, Span); 3] = [
            (0, Span { start: 10, end: 30 }),
            (0, Span { start: 40, end: 50 }),
            (2, Span { start: 5, end: 9 }),
        ];
        assert_eq!(spans.with_contigs().collect::<Vec<_>>(), expected);
        assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["b|a|.", "d", "z"]);
        assert_eq!((spans.on(0), spans.on(1), spans.on(2), spans.on(3)), (0..2, 2..2, 2..3, 0..0));
        assert_eq!(spans.territory(), 34);
    }

    #[test]
    fn baits_are_named_by_their_file() {
        for (path, name) in [("a/kit.v6.bed.gz", "kit"), ("kit", "kit"), (".bed", "")] {
            assert_eq!(set_name(Path::new(path)), name);
        }
    }
}
