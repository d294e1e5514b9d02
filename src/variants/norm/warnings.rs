//! Lines about records whose REF or ALT is not as it must be (`-c w`), in the order of the reference, whatever thread
//! found them.

use std::collections::BTreeSet;
use std::sync::Mutex;

/// So many are kept, the first ones; the rest is only counted.
const MOST: usize = 100_000;

/// What was found: contig's number, position, text.
pub type Line = (usize, i64, String);

/// Warnings of all threads.
#[derive(Debug, Default)]
pub struct Warnings(Mutex<(BTreeSet<Line>, u64)>);

impl Warnings {
    /// Adds a line about a place.
    pub fn add(&self, contig: usize, position: i64, text: String) {
        // A thread that panicked in here has left a set that is whole.
        let mut inner = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.0.insert((contig, position, text));
        if inner.0.len() > MOST {
            inner.0.pop_last();
            inner.1 += 1;
        }
    }

    /// Takes what was found, for [`Self::merge`].
    pub fn take_found(&self) -> (BTreeSet<Line>, u64) {
        let mut inner = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::take(&mut *inner)
    }

    /// Adds what was found among other records.
    pub fn merge(&self, (lines, more): (BTreeSet<Line>, u64)) {
        lines.into_iter().for_each(|(contig, position, text)| self.add(contig, position, text));
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1 += more;
    }

    /// Takes the lines, and how many were too many.
    pub fn take(&self) -> (Vec<String>, u64) {
        let (lines, more) = self.take_found();
        (lines.into_iter().map(|(_, _, text)| text).collect(), more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_order() {
        let warnings = Warnings::default();
        for (contig, position) in [(1, 5), (0, 9), (0, 3)] {
            warnings.add(contig, position, format!("{contig}:{position}"));
        }
        assert_eq!(warnings.take(), (vec!["0:3".into(), "0:9".into(), "1:5".into()], 0));
        assert_eq!(warnings.take(), (Vec::new(), 0));
    }
}
