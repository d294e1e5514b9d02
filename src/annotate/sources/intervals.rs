//! Regions with values: all of them in memory, found by their starts.

use serde::{Deserialize, Serialize};

use crate::formats::ndb::{Ndb, NdbError};
use crate::genome::by_contig::ByContig;

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

    /// The distinct values of the regions that overlap a range (0-based, half-open), for each field.
    pub fn values(&self, contig: &[u8], start: i64, end: i64, out: &mut [Vec<Vec<u8>>]) {
        let Some((intervals, ends)) = self.0.get(contig) else { return };
        let first = ends.partition_point(|greatest| *greatest <= start);
        let behind = intervals.partition_point(|interval| interval.start < end);
        for interval in
            intervals.get(first..behind).unwrap_or_default().iter().filter(|interval| interval.end > start)
        {
            for (values, value) in out.iter_mut().zip(&interval.values) {
                let value = value.as_bytes();
                if !value.is_empty() && !values.iter().any(|known| known == value) {
                    values.push(value.to_vec());
                }
            }
        }
    }
}
