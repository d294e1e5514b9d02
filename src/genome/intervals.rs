//! Sets of positions as sorted, disjoint intervals per contig: targets, baits, callable regions.
//!
//! All coordinates are 0-based half-open; contigs go by their number in [`Contigs`](super::contigs::Contigs).

/// Positions `start..end`, 0-based half-open. Empty if `start >= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// First position.
    pub start: u64,
    /// End, exclusive.
    pub end: u64,
}

impl Interval {
    /// Number of positions.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there is no position in it.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// A set of positions. Built from intervals in any order; overlapping and abutting ones become one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntervalSet {
    by_contig: Vec<Vec<Interval>>,
}

impl IntervalSet {
    /// Makes the set of all positions that lie in at least one of the intervals (contig number, interval).
    pub fn new(intervals: impl IntoIterator<Item = (usize, Interval)>) -> Self {
        let mut by_contig: Vec<Vec<Interval>> = Vec::new();
        for (contig, interval) in intervals {
            if interval.is_empty() {
                continue;
            }
            if by_contig.len() <= contig {
                by_contig.resize_with(contig + 1, Vec::new);
            }
            by_contig[contig].push(interval);
        }
        by_contig.iter_mut().for_each(merge);
        Self { by_contig }
    }

    /// Intervals of a contig: sorted, disjoint, not abutting, none empty.
    pub fn contig(&self, contig: usize) -> &[Interval] {
        self.by_contig.get(contig).map_or(&[], Vec::as_slice)
    }

    /// All intervals with their contig numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Interval)> + '_ {
        self.by_contig
            .iter()
            .enumerate()
            .flat_map(|(contig, list)| list.iter().map(move |&interval| (contig, interval)))
    }

    /// Number of disjoint intervals.
    pub fn count(&self) -> usize {
        self.by_contig.iter().map(Vec::len).sum()
    }

    /// Whether the set holds no position.
    pub fn is_empty(&self) -> bool {
        self.by_contig.iter().all(Vec::is_empty)
    }

    /// Number of positions in the set.
    pub fn total_length(&self) -> u64 {
        self.by_contig.iter().flatten().map(Interval::len).sum()
    }

    /// Whether a position is in the set. Logarithmic in the contig's intervals.
    pub fn contains(&self, contig: usize, position: u64) -> bool {
        self.overlapping(contig, Interval { start: position, end: position.saturating_add(1) })
            .next()
            .is_some()
    }

    /// Whether any position of `interval` is in the set. Logarithmic in the contig's intervals.
    pub fn overlaps(&self, contig: usize, interval: Interval) -> bool {
        self.overlapping(contig, interval).next().is_some()
    }

    /// The set's intervals that share a position with `interval`, whole (not clipped), in order.
    pub fn overlapping(&self, contig: usize, interval: Interval) -> impl Iterator<Item = Interval> + '_ {
        let list = self.contig(contig);
        let first = list.partition_point(|other| other.end <= interval.start);
        let behind = if interval.is_empty() { 0 } else { list.len() };
        list[first.min(behind)..behind].iter().copied().take_while(move |other| other.start < interval.end)
    }

    /// Positions in both sets. Linear in the number of intervals.
    pub fn intersection(&self, other: &Self) -> Self {
        let contigs = 0..self.by_contig.len().min(other.by_contig.len());
        Self::new(contigs.flat_map(|contig| {
            intersect(self.contig(contig), other.contig(contig)).into_iter().map(move |both| (contig, both))
        }))
    }

    /// Positions in at least one of the sets.
    pub fn union(&self, other: &Self) -> Self {
        Self::new(self.iter().chain(other.iter()))
    }

    /// Positions at most `by` away from one of the set, on both sides, clipped at 0 (not at the contig's end).
    pub fn padded(&self, by: u64) -> Self {
        Self::new(self.iter().map(|(contig, Interval { start, end })| {
            (contig, Interval { start: start.saturating_sub(by), end: end.saturating_add(by) })
        }))
    }
}

/// Sorts, and joins what overlaps or abuts.
fn merge(list: &mut Vec<Interval>) {
    list.sort_unstable();
    list.dedup_by(|next, last| {
        let joins = next.start <= last.end;
        if joins {
            last.end = last.end.max(next.end);
        }
        joins
    });
}

fn intersect(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    let (mut i, mut j, mut both) = (0, 0, Vec::new());
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let shared = Interval { start: x.start.max(y.start), end: x.end.min(y.end) };
        if !shared.is_empty() {
            both.push(shared);
        }
        if x.end <= y.end { i += 1 } else { j += 1 }
    }
    both
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn list() -> impl Strategy<Value = Vec<(usize, Interval)>> {
        let interval = (0usize..3, 0u64..60, 0u64..12);
        prop::collection::vec(interval.prop_map(|(c, s, l)| (c, Interval { start: s, end: s + l })), 0..20)
    }

    /// The set, position by position.
    fn positions(list: &[(usize, Interval)]) -> BTreeSet<(usize, u64)> {
        list.iter().flat_map(|&(contig, i)| (i.start..i.end).map(move |p| (contig, p))).collect()
    }

    fn members(set: &IntervalSet) -> BTreeSet<(usize, u64)> {
        positions(&set.iter().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn a_set_holds_the_positions_of_its_intervals(list in list(), probe in (0usize..4, 0u64..80, 0u64..9)) {
            let (set, model) = (IntervalSet::new(list.iter().copied()), positions(&list));
            prop_assert_eq!(members(&set), model.clone());
            prop_assert_eq!(set.total_length(), model.len() as u64);
            prop_assert_eq!(set.is_empty(), model.is_empty());
            for contig in 0..3 {
                prop_assert!(set.contig(contig).windows(2).all(|w| w[0].end < w[1].start));
            }
            let (contig, start, len) = probe;
            let probe = Interval { start, end: start + len };
            prop_assert_eq!(set.contains(contig, start), model.contains(&(contig, start)));
            prop_assert_eq!(set.overlaps(contig, probe), (start..start + len).any(|p| model.contains(&(contig, p))));
        }

        #[test]
        fn the_order_of_intervals_does_not_matter(list in list()) {
            let backwards = IntervalSet::new(list.iter().rev().copied());
            prop_assert_eq!(members(&backwards), members(&IntervalSet::new(list)));
        }

        #[test]
        fn intersection_union_and_padding_are_those_of_positions(a in list(), b in list(), by in 0u64..5) {
            let (x, y) = (positions(&a), positions(&b));
            let (a, b) = (IntervalSet::new(a), IntervalSet::new(b));
            prop_assert_eq!(a.intersection(&a), a.clone());
            prop_assert_eq!(members(&a.intersection(&b)), x.intersection(&y).copied().collect());
            prop_assert_eq!(members(&a.union(&b)), x.union(&y).copied().collect());
            let padded = x.iter().flat_map(|&(c, p)| (p.saturating_sub(by)..=p + by).map(move |p| (c, p))).collect();
            prop_assert_eq!(members(&a.padded(by)), padded);
        }
    }
}
