//! Counts that many threads add to: each to one of its own, which are added up at the end.

use std::sync::{Mutex, PoisonError};

/// Tallies that no thread is adding to. Merging must not depend on the order.
#[derive(Debug)]
pub struct Tallies<T>(Mutex<Vec<T>>);

impl<T> Default for Tallies<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Tallies<T> {
    /// Adds to one of the tallies; `empty` makes one where all are in use.
    pub fn add<R>(&self, empty: impl FnOnce() -> T, count: impl FnOnce(&mut T) -> R) -> R {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut tally = idle.unwrap_or_else(empty);
        let result = count(&mut tally);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(tally);
        result
    }

    /// Adds all of them to `whole`.
    pub fn total(&self, mut whole: T, mut merge: impl FnMut(&mut T, &T)) -> T {
        for tally in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            merge(&mut whole, tally);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn all_threads_are_counted() {
        let tallies = Tallies::default();
        (0..1000u64).into_par_iter().for_each(|number| tallies.add(|| 0, |sum| *sum += number));
        for _ in 0..2 {
            assert_eq!(tallies.total(0, |sum, more| *sum += more), 499_500);
        }
    }
}
