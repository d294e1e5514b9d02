//! Transcripts by their last base. Of several that end at one base it decides the order of entries which comes first; so
//! this is the heap of `bcftools csq`, whose order of equals is a matter of how it sinks and rises.

/// Keys by ends, the least first.
#[derive(Debug, Default)]
pub(super) struct Heap(Vec<(i64, usize)>);

impl Heap {
    pub(super) fn insert(&mut self, end: i64, key: usize) {
        self.0.push((end, key));
        let mut at = self.0.len() - 1;
        while at > 0 && end < self.0[(at - 1) / 2].0 {
            self.0.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    /// Takes the first one if it ends at `last` or before.
    pub(super) fn pop_until(&mut self, last: i64) -> Option<usize> {
        let (_, key) = self.0.first().copied().filter(|(end, _)| *end <= last)?;
        self.0.swap_remove(0);
        let mut at = 0;
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if self.0.get(child).is_some_and(|(end, _)| *end < self.0[least].0) {
                    least = child;
                }
            }
            if least == at {
                return Some(key);
            }
            self.0.swap(at, least);
            at = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_first_comes_first() {
        let mut heap = Heap::default();
        for (key, end) in [5, 3, 9, 3, 7, 1].into_iter().enumerate() {
            heap.insert(end, key);
        }
        let mut taken = Vec::new();
        while let Some(key) = heap.pop_until(7) {
            taken.push(key);
        }
        // Of the two that end at 3, the one that was put in last.
        assert_eq!(taken, [5, 3, 1, 0, 4]);
        assert_eq!((heap.pop_until(8), heap.pop_until(9), heap.pop_until(i64::MAX)), (None, Some(2), None));
    }
}
