//! Units of reads that have rows of their own in Picard's tables: all reads, samples, libraries and read groups (Picard's
//! METRIC_ACCUMULATION_LEVEL).
//!
//! Counts of reads are kept by read group ([`ByReadGroup`]) and added up for each unit at the end, so that a read counts
//! once however many units it is of. Where only all reads are asked for there is a single count.

use serde::{Deserialize, Serialize};

use super::collector::Context;
use crate::formats::header::{Header, ReadGroup};

/// What stands for a name that a read group does not have.
const UNKNOWN: &str = "unknown";

/// By what reads are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Not at all.
    All,
    /// By `SM`.
    Sample,
    /// By `LB`.
    Library,
    /// By `PU`, as Picard tells read groups apart.
    ReadGroup,
}

impl Level {
    /// The levels by the names of the command line.
    pub const NAMES: [(&str, Level); 4] = [
        ("all", Level::All),
        ("sample", Level::Sample),
        ("library", Level::Library),
        ("read-group", Level::ReadGroup),
    ];

    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, level)| level)
    }

    fn name_of(self, group: &ReadGroup) -> Option<&str> {
        match self {
            Level::All => None,
            Level::Sample => group.sample.as_deref(),
            Level::Library => group.library.as_deref(),
            Level::ReadGroup => group.platform_unit.as_deref(),
        }
    }
}

/// Reads that have rows of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// By what its reads were told apart from others.
    pub level: Level,
    /// Its sample, from the level of samples on.
    pub sample: Option<String>,
    /// Its library, from the level of libraries on.
    pub library: Option<String>,
    /// Its read group's platform unit, at the level of read groups.
    pub read_group: Option<String>,
    /// Whether it is of reads without a name at its level. Such a unit has rows only where it has reads.
    pub is_unknown: bool,
    /// The header's numbers of its read groups, and the number of read groups where it has the reads without one.
    groups: Vec<usize>,
}

impl Unit {
    /// What its columns are called by: its most special name.
    pub fn name(&self) -> &str {
        let names = [&self.read_group, &self.library, &self.sample];
        names.into_iter().flatten().next().map_or("All_Reads", String::as_str)
    }

    /// Whether it has the reads of a read group (the number of read groups: those without one).
    pub fn has(&self, read_group: usize) -> bool {
        self.level == Level::All || self.groups.contains(&read_group)
    }

    /// Its value of the column SAMPLE, LIBRARY and READ_GROUP.
    pub fn columns(&self) -> (Option<String>, Option<String>, Option<String>) {
        (self.sample.clone(), self.library.clone(), self.read_group.clone())
    }

    fn new(level: Level, sample: Option<&str>, library: Option<&str>, read_group: Option<&str>) -> Self {
        let at = |least: Level, name: Option<&str>| name.filter(|_| level >= least).map(str::to_owned);
        Self {
            level,
            sample: at(Level::Sample, sample),
            library: at(Level::Library, library),
            read_group: at(Level::ReadGroup, read_group),
            is_unknown: false,
            groups: Vec::new(),
        }
    }
}

/// The units of a header in the order in which Picard lists them: all reads, then level by level in the read groups'
/// order. Of read groups with one name the first gives the other columns; what has no name comes last.
pub fn units(header: &Header, levels: &[Level]) -> Vec<Unit> {
    let mut units = vec![Unit::new(Level::All, None, None, None)];
    for level in [Level::Sample, Level::Library, Level::ReadGroup] {
        if levels.contains(&level) {
            units.extend(units_at(level, &header.read_groups));
        }
    }
    units
}

fn units_at(level: Level, groups: &[ReadGroup]) -> Vec<Unit> {
    let mut units: Vec<(Option<&str>, Unit)> = Vec::new();
    let mut nameless = vec![groups.len()];
    for (number, group) in groups.iter().enumerate() {
        let name = level.name_of(group);
        let at = units.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            let (sample, library) = (group.sample.as_deref(), group.library.as_deref());
            units.push((name, Unit::new(level, sample, library, group.platform_unit.as_deref())));
            units.len() - 1
        });
        // A read group without a name has a row, but its reads count as unknown, as in Picard.
        match name {
            Some(_) => units[at].1.groups.push(number),
            None => nameless.push(number),
        }
    }
    match units.iter_mut().find(|(name, _)| *name == Some(UNKNOWN)) {
        Some((_, unit)) => unit.groups.extend(nameless),
        None => {
            let unknown = Unit::new(level, Some(UNKNOWN), Some(UNKNOWN), Some(UNKNOWN));
            units.push((None, Unit { is_unknown: true, groups: nameless, ..unknown }));
        }
    }
    units.into_iter().map(|(_, unit)| unit).collect()
}

/// Counts that can be added up.
pub trait Tally: Clone + Default {
    /// Adds the counts of other reads.
    fn add(&mut self, other: &Self);
}

/// Counts by read group; one for all where no level but [`Level::All`] is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ByReadGroup<T> {
    /// One for each read group, and the last for reads without one.
    parts: Vec<T>,
    is_split: bool,
}

impl<T: Tally> ByReadGroup<T> {
    /// Counts of nothing yet.
    pub fn new(context: &Context) -> Self {
        let is_split = is_split(context);
        let count = if is_split { context.header.read_groups.len() + 1 } else { 1 };
        Self { parts: vec![T::default(); count], is_split }
    }

    /// The counts that a read of this read group is of.
    #[inline]
    pub fn of(&mut self, read_group: usize) -> &mut T {
        // Where there is one for all, that is the last.
        let last = self.parts.len() - 1;
        &mut self.parts[read_group.min(last)]
    }

    /// The counts of a unit's reads.
    pub fn sum(&self, unit: &Unit) -> T {
        let mut sum = T::default();
        let parts = self.parts.iter().enumerate().filter(|(number, _)| unit.has(*number));
        parts.for_each(|(_, part)| sum.add(part));
        sum
    }

    /// The counts of all reads.
    pub fn all(&self) -> T {
        self.sum(&Unit::new(Level::All, None, None, None))
    }

    /// Takes in the counts of other reads of the same read groups.
    pub fn merge(&mut self, next: &Self) {
        self.parts.iter_mut().zip(&next.parts).for_each(|(a, b)| a.add(b));
    }

    /// As [`Collector::regroup`](super::collector::Collector::regroup).
    pub fn regroup(&mut self, numbers: &[usize], count: usize) {
        if !self.is_split {
            return;
        }
        let mut parts = vec![T::default(); count];
        for (&number, part) in numbers.iter().zip(&self.parts) {
            parts[number].add(part);
        }
        self.parts = parts;
    }
}

/// Whether reads are told apart by their read groups.
pub fn is_split(context: &Context) -> bool {
    context.options.levels.iter().any(|level| *level != Level::All)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_listed_as_picard_lists_them() {
        // Expected: the order and columns that Picard 2.27.5 writes for such a header (tests/levels.rs runs it).
        let group = |id: &str, library: Option<&str>, unit: Option<&str>| ReadGroup {
            id: id.into(),
            sample: Some("s".into()),
            library: library.map(Into::into),
            platform_unit: unit.map(Into::into),
            platform: None,
        };
        let header = Header {
            read_groups: vec![
                group("1", Some("b"), Some("u1")),
                group("2", None, None),
                group("3", Some("a"), Some("u1")),
                group("4", Some("b"), Some("u4")),
            ],
            ..Header::default()
        };
        let found: Vec<_> = units(&header, &[Level::ReadGroup, Level::Library, Level::All])
            .into_iter()
            .map(|unit| (unit.name().to_owned(), unit.library.unwrap_or_default(), unit.groups))
            .collect();
        let expected: [(&str, &str, &[usize]); 8] = [
            ("All_Reads", "", &[]),
            ("b", "b", &[0, 3]),
            ("s", "", &[]),
            ("a", "a", &[2]),
            ("unknown", "unknown", &[4, 1]),
            ("u1", "b", &[0, 2]),
            ("s", "", &[]),
            ("u4", "b", &[3]),
        ];
        for (found, (name, library, groups)) in found.iter().zip(expected) {
            assert_eq!((&*found.0, &*found.1, &*found.2), (name, library, groups));
        }
        assert_eq!(found.len(), 9);
        assert_eq!(found[8].0, "unknown");
    }

    #[test]
    fn counts_move_with_their_read_groups() {
        #[derive(Clone, Debug, Default, PartialEq)]
        struct Count(u64);
        impl Tally for Count {
            fn add(&mut self, other: &Self) {
                self.0 += other.0;
            }
        }
        // A file's groups a, b and none become those of b, c, a and none.
        let parts = [3, 5, 7].map(Count).to_vec();
        let mut split = ByReadGroup { parts, is_split: true };
        split.regroup(&[2, 0, 3], 4);
        assert_eq!(split.parts, [5, 0, 3, 7].map(Count));
        assert_eq!(split.all(), Count(15));
        let mut whole = ByReadGroup { parts: vec![Count(9)], is_split: false };
        whole.regroup(&[2, 0, 3], 4);
        whole.of(3).0 += 1;
        assert_eq!(whole.parts, [Count(10)]);
    }
}
