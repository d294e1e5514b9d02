//! Regions with values: all of them in memory, found by their starts.

use serde::{Deserialize, Serialize};

use super::SourceField;
use crate::formats::ndb::{Ndb, NdbError};
use crate::genome::by_contig::ByContig;

/// The field of regions that tells how far the nearest is.
pub const DISTANCE: &str = "DISTANCE";

/// A region: 0-based, half-open, with a value for each field.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interval {
    /// Its first base.
    pub start: i64,
    /// The base behind its last.
    pub end: i64,
    /// Its values.
    pub values: Vec<String>,
}

/// Regions by contig.
#[derive(Debug)]
pub struct Intervals(ByContig<(Vec<Interval>, Vec<i64>)>);

impl Intervals {
    /// Reads those of a database.
    ///
    /// # Errors
    /// It is damaged.
    pub fn read(ndb: &Ndb, fields: usize) -> Result<Self, NdbError> {
        let bytes = ndb.read_checked(ndb.section("intervals")?)?;
        let all: Vec<(String, Vec<Interval>)> =
            postcard::from_bytes(&bytes).map_err(|error| ndb.damaged(format!("intervals: {error}")))?;
        let mut found = Vec::with_capacity(all.len());
        for (contig, mut intervals) in all {
            if intervals.iter().any(|interval| interval.values.len() != fields) {
                return Err(ndb.damaged("an interval has another number of fields"));
            }
            intervals.sort_by_key(|interval| (interval.start, interval.end));
            let mut greatest = 0;
            let ends = intervals.iter().map(|interval| {
                greatest = interval.end.max(greatest);
                greatest
            });
            let ends = ends.collect();
            found.push((contig, (intervals, ends)));
        }
        Ok(Self(found.into_iter().collect()))
    }

    /// The distinct values of the regions that overlap a range (0-based, half-open), for each field. Where one of the fields
    /// is [`DISTANCE`], those of the nearest regions, and how far they are.
    pub fn values(
        &self,
        contig: &[u8],
        start: i64,
        end: i64,
        fields: &[SourceField],
        out: &mut [Vec<Vec<u8>>],
    ) {
        let Some((intervals, ends)) = self.0.get(contig) else { return };
        let first = ends.partition_point(|greatest| *greatest <= start);
        let behind = intervals.partition_point(|interval| interval.start < end);
        let among = intervals.get(first..behind).unwrap_or_default();
        let mut found: Vec<&Interval> = among.iter().filter(|interval| interval.end > start).collect();
        let is_distance = |field: &SourceField| field.from == DISTANCE;
        if let Some(number) = fields.iter().position(is_distance) {
            let mut distance = 0;
            if found.is_empty() {
                let Some((nearest, bases)) = nearest(intervals, ends, behind, start, end) else { return };
                (found, distance) = (nearest, bases);
            }
            if let Some(values) = out.get_mut(number) {
                values.push(distance.to_string().into_bytes());
            }
        }
        for interval in found {
            for (values, value) in out.iter_mut().zip(&interval.values) {
                let value = value.as_bytes();
                if !value.is_empty() && !values.iter().any(|known| known == value) {
                    values.push(value.to_vec());
                }
            }
        }
    }
}

/// The regions next to a range that none overlaps, and how many bases away they are: 1 of one that adjoins, as in
/// `bedtools closest -d`. `behind` is the first that begins behind the range.
fn nearest<'i>(
    intervals: &'i [Interval],
    ends: &[i64],
    behind: usize,
    start: i64,
    end: i64,
) -> Option<(Vec<&'i Interval>, i64)> {
    let right = intervals.get(behind).map(|interval| interval.start - end + 1);
    let left = behind.checked_sub(1).and_then(|last| ends.get(last)).map(|greatest| start - greatest + 1);
    let distance = [left, right].into_iter().flatten().min()?;
    let mut found = Vec::new();
    if left == Some(distance) {
        let greatest = start - distance + 1;
        // Those before the first with this greatest end cannot end there.
        let first = ends.partition_point(|end| *end < greatest);
        found.extend(intervals.get(first..behind)?.iter().filter(|interval| interval.end == greatest));
    }
    if right == Some(distance) {
        let rest = intervals.get(behind..)?.iter();
        found.extend(rest.take_while(|interval| interval.start - end + 1 == distance));
    }
    Some((found, distance))
}
