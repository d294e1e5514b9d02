//! Confident regions and strata: what of the genome is counted, and what of it apart.
//!
//! A call lies where its alleles change the reference, as hap.py has it: from the first to the last base that differs; of
//! an insertion the bases before and behind it. It is in a region if one base is, but an insertion alone only if both are.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::formats::bed::{BedError, BedReader, BedRecord};
use crate::formats::text;
use crate::genome::intervals::Interval;
use crate::variants::regions::Regions;

/// Why strata could not be read.
#[derive(Debug, Error)]
pub enum StrataError {
    /// A BED is malformed, or cannot be read.
    #[error(transparent)]
    Bed(#[from] BedError),
    /// The list cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The list.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A line of the list.
    #[error("{path}, line {line}: expected a name and a BED with a tab between", path = path.display())]
    Line {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// A name twice, or one that is taken.
    #[error("{path}: the name {name} is given twice, or stands for something else", path = path.display())]
    Name {
        /// The list.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

/// The subset of everything.
pub const ALL: usize = 0;
/// Calls of superloci that cross a border of the confident regions.
pub const BOUNDARY: usize = 1;
/// Calls of superloci within them.
pub const CONTAINED: usize = 2;
/// The first stratum.
const FIRST: usize = 3;

/// Confident regions and strata.
#[derive(Debug, Default)]
pub struct Strata {
    confident: Option<Regions>,
    named: Vec<(String, Regions)>,
}

/// A subset as tables name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset {
    /// Its number among the counts.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Its bases, where it is a stratum or the confident regions.
    pub size: Option<u64>,
    /// Those of its bases that are confident, where regions are given.
    pub confident: Option<u64>,
}

impl Strata {
    /// Reads the confident regions (BED) and a list of strata: a name and a BED a line, its path relative to the list's.
    ///
    /// # Errors
    /// A file cannot be read or is malformed, or a name stands twice.
    pub fn read(confident: Option<&Path>, list: Option<&Path>) -> Result<Self, StrataError> {
        let confident = confident.map(read_bed).transpose()?;
        let named = list.map(read_list).transpose()?.unwrap_or_default();
        Ok(Self { confident, named })
    }

    /// Whether there are confident regions.
    pub fn has_confident(&self) -> bool {
        self.confident.is_some()
    }

    /// How many subsets there are.
    pub fn count(&self) -> usize {
        FIRST + self.named.len()
    }

    /// The name of a stratum by the subset's number.
    pub fn name(&self, subset: usize) -> &str {
        match subset {
            ALL => "*",
            BOUNDARY => "TS_boundary",
            CONTAINED => "TS_contained",
            _ => self.named.get(subset - FIRST).map_or("", |(name, _)| name),
        }
    }

    /// The subsets that tables have, by name.
    pub fn subsets(&self) -> Vec<Subset> {
        let confident = self.confident.as_ref().map(Regions::total_length);
        let subset = |number: usize| {
            let size = match number {
                ALL | BOUNDARY => None,
                CONTAINED => confident,
                _ => self.named.get(number - FIRST).map(|(_, regions)| regions.total_length()),
            };
            let shared = match number {
                ALL | BOUNDARY | CONTAINED => confident,
                _ => {
                    let regions = self.named.get(number - FIRST).map(|(_, regions)| regions);
                    self.confident.as_ref().zip(regions).map(|(a, b)| a.shared_length(b))
                }
            };
            Subset { number, name: self.name(number).to_owned(), size, confident: shared }
        };
        let is_there = |number: &usize| confident.is_some() || !matches!(*number, BOUNDARY | CONTAINED);
        let mut subsets: Vec<_> = (0..self.count()).filter(is_there).map(subset).collect();
        subsets.sort_by(|a, b| a.name.cmp(&b.name));
        subsets
    }

    /// Those of a contig.
    pub fn of_contig(&self, contig: &[u8]) -> ContigStrata<'_> {
        ContigStrata {
            confident: self.confident.as_ref().map(|regions| regions.of_contig(contig)),
            named: self.named.iter().map(|(_, regions)| regions.of_contig(contig)).collect(),
        }
    }
}

fn read_bed(path: &Path) -> Result<Regions, BedError> {
    let region =
        |record: BedRecord| (record.contig.into_bytes(), Interval { start: record.start, end: record.end });
    let regions: Result<Vec<_>, _> = BedReader::open(path)?.map(|record| record.map(region)).collect();
    Ok(Regions::new(regions?))
}

fn read_list(path: &Path) -> Result<Vec<(String, Regions)>, StrataError> {
    let failed = |source| StrataError::Io { path: path.to_owned(), source };
    let mut reader = text::open(path).map_err(failed)?;
    let (mut line, mut number) = (Vec::new(), 0);
    let mut named: Vec<(String, Regions)> = Vec::new();
    while text::read_line(&mut *reader, &mut line).map_err(failed)? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let wrong = || StrataError::Line { path: path.to_owned(), line: number };
        let (name, bed) = text.split_once('\t').ok_or_else(wrong)?;
        let is_taken =
            ["", "*", "CONF", "TS_boundary", "TS_contained"].contains(&name) || name.contains([',', ';']);
        if is_taken || named.iter().any(|(known, _)| known == name) {
            return Err(StrataError::Name { path: path.to_owned(), name: name.to_owned() });
        }
        let bed = path.parent().unwrap_or(Path::new("")).join(bed);
        named.push((name.to_owned(), read_bed(&bed)?));
    }
    Ok(named)
}

/// Where a row's alleles change the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First base, 0-based.
    pub start: i64,
    /// End, exclusive.
    pub end: i64,
    /// Whether all of it are insertions.
    pub is_insertion: bool,
}

impl Extent {
    /// Of a change: an insertion is between its neighbours.
    pub fn of(start: i64, end: i64) -> Self {
        match end > start {
            true => Self { start, end, is_insertion: false },
            false => Self { start: start - 1, end: start + 1, is_insertion: true },
        }
    }

    /// Both together.
    pub fn joined(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
            is_insertion: self.is_insertion && other.is_insertion,
        }
    }

    fn interval(self) -> Interval {
        let clipped = |position: i64| u64::try_from(position).unwrap_or(0);
        Interval { start: clipped(self.start), end: clipped(self.end) }
    }
}

/// How an extent lies in regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// Outside.
    Outside,
    /// Across a border.
    Across,
    /// Within.
    Within,
}

impl Lies {
    fn of(extent: Extent, regions: &[Interval]) -> Self {
        let interval = extent.interval();
        let first = regions.partition_point(|region| region.end <= interval.start);
        match regions.get(first) {
            Some(region) if region.start <= interval.start && interval.end <= region.end => Self::Within,
            // An insertion that only touches a region is outside.
            Some(region) if region.start < interval.end && !extent.is_insertion => Self::Across,
            _ => Self::Outside,
        }
    }
}

/// Confident regions and strata of a contig.
pub struct ContigStrata<'s> {
    confident: Option<&'s [Interval]>,
    named: Vec<&'s [Interval]>,
}

impl ContigStrata<'_> {
    /// Whether an extent is confident: in the regions, or in those of the truth's records that are. Without regions
    /// everything is.
    pub fn is_confident(&self, extent: Extent, truth: &[Interval]) -> bool {
        let Some(regions) = self.confident else { return true };
        let is_in = |regions: &[Interval]| Lies::of(extent, regions) != Lies::Outside;
        is_in(regions) || truth.iter().any(|record| is_in(std::slice::from_ref(record)))
    }

    /// The bases that a record of the truth (`start..end`) makes confident: where its alleles change the reference, if one of
    /// its own is in the regions (hap.py's `--adjust-conf-regions`).
    pub fn extended_by(&self, start: i64, end: i64, extent: Extent) -> Option<Interval> {
        let own = Extent { start, end, is_insertion: false };
        let is_in = self.confident.is_some_and(|regions| Lies::of(own, regions) != Lies::Outside);
        is_in.then(|| extent.interval())
    }

    /// The strata in which an extent lies, by subset number, and whether it crosses a border of one.
    pub fn strata(&self, extent: Extent) -> (Vec<usize>, bool) {
        let (mut subsets, mut crosses) = (Vec::new(), false);
        for (number, regions) in self.named.iter().enumerate() {
            let lies = Lies::of(extent, regions);
            if lies != Lies::Outside {
                subsets.push(FIRST + number);
                crosses |= lies == Lies::Across;
            }
        }
        (subsets, crosses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_those_of_happy() {
        let regions = [Interval { start: 10, end: 20 }, Interval { start: 30, end: 31 }];
        // By hand, from hap.py's manual: an insertion needs both neighbours, anything else one base.
        for (start, end, expected) in [
            (9, 10, Lies::Outside),
            (10, 11, Lies::Within),
            (19, 20, Lies::Within),
            (20, 21, Lies::Outside),
            (8, 11, Lies::Across),
            (19, 23, Lies::Across),
            (15, 31, Lies::Across),
            (10, 10, Lies::Outside),
            (11, 11, Lies::Within),
            (19, 19, Lies::Within),
            (20, 20, Lies::Outside),
            (30, 31, Lies::Within),
            (30, 30, Lies::Outside),
            (31, 31, Lies::Outside),
        ] {
            assert_eq!(Lies::of(Extent::of(start, end), &regions), expected, "{start} {end}");
        }
    }

    #[test]
    fn the_truths_records_widen_confident_regions() {
        let strata = ContigStrata { confident: Some(&[Interval { start: 10, end: 20 }]), named: Vec::new() };
        // An insertion behind base 19, whose record is that base alone.
        let insertion = Extent::of(20, 20);
        assert!(!strata.is_confident(insertion, &[]));
        let widened = strata.extended_by(19, 20, insertion);
        assert_eq!(widened, Some(Interval { start: 19, end: 21 }));
        assert!(strata.is_confident(insertion, &widened.into_iter().collect::<Vec<_>>()));
        assert_eq!(strata.extended_by(20, 21, Extent::of(21, 21)), None);
    }
}
