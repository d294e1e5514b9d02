//! Regions with values: all of them in memory, found by their starts.

use serde::{Deserialize, Serialize};

use super::SourceField;
use crate::formats::ndb::{Ndb, NdbError};
use crate::genome::by_contig::ByContig;
use crate::genome::by_start::{ByStart, Placed};

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
pub struct Intervals(ByContig<ByStart<Interval>>);

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
        for (contig, intervals) in all {
            if intervals.iter().any(|interval| interval.values.len() != fields) {
                return Err(ndb.damaged("an interval has another number of fields"));
            }
            found.push((contig, ByStart::new(intervals)));
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
        let Some(intervals) = self.0.get(contig) else { return };
        let mut found: Vec<&Interval> = intervals.overlapping(start, end).collect();
        let is_distance = |field: &SourceField| field.from == DISTANCE;
        if let Some(number) = fields.iter().position(is_distance) {
            let mut distance = 0;
            if found.is_empty() {
                let Some((nearest, bases)) = intervals.nearest(start, end) else { return };
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

impl Placed for Interval {
    fn range(&self) -> (i64, i64) {
        (self.start, self.end)
    }
}
