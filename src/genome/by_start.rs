//! Ranges of one contig that may overlap one another, found by what they overlap or lie next to.

/// Something with a place on a contig.
pub trait Placed {
    /// Its first base and the one behind its last, 0-based.
    fn range(&self) -> (i64, i64);
}

/// Ranges by their starts, then their ends.
#[derive(Debug)]
pub struct ByStart<T> {
    list: Vec<T>,
    /// For each the greatest end of those up to it: those before the first that reaches a place cannot overlap it.
    greatest_ends: Vec<i64>,
}

impl<T: Placed> ByStart<T> {
    /// Puts ranges in order; those with the same range keep theirs.
    pub fn new(mut list: Vec<T>) -> Self {
        list.sort_by_key(Placed::range);
        let mut greatest = i64::MIN;
        let ends = list.iter().map(|one| {
            greatest = one.range().1.max(greatest);
            greatest
        });
        let greatest_ends = ends.collect();
        Self { list, greatest_ends }
    }

    /// All, by their starts.
    pub fn as_slice(&self) -> &[T] {
        &self.list
    }

    /// All, to be changed but for their places.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.list
    }

    /// Those that share a base with a range.
    pub fn overlapping(&self, start: i64, end: i64) -> impl Iterator<Item = &T> {
        let first = self.greatest_ends.partition_point(|greatest| *greatest <= start);
        let behind = self.beginning_before(end);
        self.list.get(first..behind).unwrap_or_default().iter().filter(move |one| one.range().1 > start)
    }

    /// Those next to a range that none overlaps, and how many bases away they are: 1 of one that adjoins, as in
    /// `bedtools closest -d`.
    pub fn nearest(&self, start: i64, end: i64) -> Option<(Vec<&T>, i64)> {
        let behind = self.beginning_before(end);
        let right = self.list.get(behind).map(|one| one.range().0 - end + 1);
        let left = behind.checked_sub(1).and_then(|last| self.greatest_ends.get(last));
        let left = left.map(|greatest| start - greatest + 1);
        let distance = [left, right].into_iter().flatten().min()?;
        let mut found = Vec::new();
        if left == Some(distance) {
            let greatest = start - distance + 1;
            // Those before the first with this greatest end cannot end there.
            let first = self.greatest_ends.partition_point(|end| *end < greatest);
            found.extend(self.list.get(first..behind)?.iter().filter(|one| one.range().1 == greatest));
        }
        if right == Some(distance) {
            let rest = self.list.get(behind..)?.iter();
            found.extend(rest.take_while(|one| one.range().0 - end + 1 == distance));
        }
        Some((found, distance))
    }

    fn beginning_before(&self, end: i64) -> usize {
        self.list.partition_point(|one| one.range().0 < end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Placed for (i64, i64) {
        fn range(&self) -> (i64, i64) {
            *self
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_all_of_them_say(
            ranges in prop::collection::vec((0_i64..40, 1_i64..15), 0..12),
            (start, length) in (0_i64..50, 1_i64..6),
        ) {
            let mut ranges: Vec<(i64, i64)> = ranges.iter().map(|(start, length)| (*start, start + length)).collect();
            let sorted = ByStart::new(ranges.clone());
            ranges.sort_unstable();
            let end = start + length;
            let overlapping: Vec<_> = ranges.iter().filter(|(from, to)| *from < end && start < *to).collect();
            prop_assert_eq!(sorted.overlapping(start, end).collect::<Vec<_>>(), overlapping.clone());
            if overlapping.is_empty() {
                let away = |(from, to): &(i64, i64)| (from - end + 1).max(start - to + 1);
                let least = ranges.iter().map(away).min();
                let expected = least.map(|least| (ranges.iter().filter(|one| away(one) == least).collect(), least));
                prop_assert_eq!(sorted.nearest(start, end), expected);
            }
        }
    }
}
