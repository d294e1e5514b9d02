//! Runs of positions with one value, joined across the borders of flushes and shards.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Positions `start..end` of a contig (0-based, half-open) that share a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthRun {
    /// Index of the contig.
    pub contig: usize,
    /// First position.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// The value.
    pub value: u32,
}

/// Runs in order, no two neighbours alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunList {
    runs: VecDeque<DepthRun>,
}

impl RunList {
    /// Appends a run, or lengthens the last one by it.
    #[inline]
    pub fn push(&mut self, run: DepthRun) {
        match self.runs.back_mut() {
            Some(last) if (last.contig, last.end, last.value) == (run.contig, run.start, run.value) => {
                last.end = run.end
            }
            _ => self.runs.push_back(run),
        }
    }

    /// The last run.
    pub fn last(&self) -> Option<&DepthRun> {
        self.runs.back()
    }

    /// Appends the runs that follow.
    pub fn merge(&mut self, next: RunList) {
        let mut runs = next.runs.into_iter();
        if let Some(first) = runs.next() {
            self.push(first);
        }
        self.runs.extend(runs);
    }

    /// Hands over all runs, or all but the last, which may still grow.
    pub fn drain<E>(
        &mut self,
        finished: bool,
        mut take: impl FnMut(DepthRun) -> Result<(), E>,
    ) -> Result<(), E> {
        let keep = usize::from(!finished);
        while self.runs.len() > keep {
            if let Some(run) = self.runs.pop_front() {
                take(run)?;
            }
        }
        Ok(())
    }
}
