//! How many records the steps took, changed and dropped.
//!
//! Steps on many threads add to [`Counts`]; a [`Tally`] is what stands in it, and tallies of parts of a file add up.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counters that many threads add to.
#[derive(Debug, Default)]
pub struct Counts([AtomicU64; KINDS]);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Counted {
    /// Records that reached the last step.
    Arrived,
    /// Records with several alternate alleles that were split.
    Split,
    /// Records that were put in place of one, above that one.
    Added,
    /// Records made of several.
    Joined,
    /// Records with other alleles or another position after aligning and trimming.
    Realigned,
    /// Records taken apart into atoms.
    Atomised,
    /// Records dropped because REF or ALT is not as it must be (`-c x`).
    Mismatched,
    /// Records dropped as duplicates.
    Duplicates,
    /// Records left where they stand because they would move out of the sorting buffer.
    Unmoved,
    /// Records whose REF was looked at by `-c s`.
    Checked,
    /// Records whose REF and ALT were swapped by `-c s`.
    Swapped,
    /// Alleles set by `-c s`.
    Set,
    /// Records left as they are because of `-i` or `-e`.
    PassedOver,
    /// Records written.
    Written,
}

/// One more than the last of [`Counted`].
const KINDS: usize = Counted::Written as usize + 1;

impl Counts {
    /// Adds one.
    pub fn add(&self, what: Counted) {
        self.add_many(what, 1);
    }

    /// Adds so many.
    pub fn add_many(&self, what: Counted, n: u64) {
        self.0[what as usize].fetch_add(n, Ordering::Relaxed);
    }

    /// Adds what was counted of another part of the records.
    pub fn merge(&self, tally: &Tally) {
        for (mine, theirs) in self.0.iter().zip(tally.0) {
            mine.fetch_add(theirs, Ordering::Relaxed);
        }
    }

    /// What has been counted so far.
    pub fn tally(&self) -> Tally {
        Tally(std::array::from_fn(|i| self.0[i].load(Ordering::Relaxed)))
    }
}

/// Numbers of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Tally([u64; KINDS]);

impl Tally {
    /// One of the numbers.
    pub fn get(&self, what: Counted) -> u64 {
        self.0[what as usize]
    }

    /// Records that came in.
    pub fn total(&self) -> u64 {
        (self.get(Counted::Arrived) + self.get(Counted::Mismatched)).saturating_sub(self.get(Counted::Added))
    }

    /// The lines that `bcftools norm` prints at the end, of the form of its 1.24.
    pub fn summary(&self, is_fixed: bool) -> String {
        let mut text = format!(
            "Lines   total/split/joined/realigned/mismatch_removed/dup_removed/skipped:\t{}/{}/{}/{}/{}/{}/{}\n",
            self.total(),
            self.get(Counted::Split),
            self.get(Counted::Joined),
            self.get(Counted::Realigned),
            self.get(Counted::Mismatched),
            self.get(Counted::Duplicates),
            self.get(Counted::PassedOver),
        );
        if is_fixed {
            text += &format!(
                "REF/ALT total/modified/added:  \t{}/{}/{}\n",
                self.get(Counted::Checked),
                self.get(Counted::Swapped),
                self.get(Counted::Set),
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up() {
        let (a, b) = (Counts::default(), Counts::default());
        a.add_many(Counted::Arrived, 5);
        a.add(Counted::Split);
        a.add_many(Counted::Added, 2);
        b.add(Counted::Mismatched);
        a.merge(&b.tally());
        let tally = a.tally();
        assert_eq!((tally.total(), tally.get(Counted::Split)), (4, 1));
        assert!(tally.summary(false).contains("\t4/1/0/0/1/0/0\n"));
    }
}
