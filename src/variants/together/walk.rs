//! All files position by position.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::TogetherError;
use super::input::Input;
use crate::formats::vcf::record::Record;

/// A record and its file.
#[derive(Debug)]
pub struct Line {
    /// The number of the file.
    pub file: usize,
    /// The record.
    pub record: Record,
}

/// All records of a position.
#[derive(Debug)]
pub struct Position {
    /// The contig's rank among all files'.
    pub contig: usize,
    /// POS - 1.
    pub position: i64,
    /// The records, file by file, each file's in its order. There is one at least.
    pub lines: Vec<Line>,
}

/// Goes through all files. At most two batches a file are held.
pub struct Walk<'p> {
    inputs: Vec<Input>,
    pool: &'p ThreadPool,
    /// The places of the files' next records, the first on top.
    heads: BinaryHeap<Reverse<(usize, i64, usize)>>,
    is_begun: bool,
}

impl<'p> Walk<'p> {
    /// Begins at the first position.
    pub fn new(inputs: Vec<Input>, pool: &'p ThreadPool) -> Self {
        Self { inputs, pool, heads: BinaryHeap::new(), is_begun: false }
    }

    /// The next position; `None` after the last.
    ///
    /// # Errors
    /// A file is damaged or not sorted.
    pub fn advance(&mut self) -> Result<Option<Position>, TogetherError> {
        if !self.is_begun {
            self.is_begun = true;
            self.fill()?;
            for file in 0..self.inputs.len() {
                self.note_head(file);
            }
        }
        let Some(&Reverse((contig, position, _))) = self.heads.peek() else { return Ok(None) };
        let mut lines = Vec::new();
        while let Some(&Reverse((next_contig, next_position, file))) = self.heads.peek()
            && (next_contig, next_position) == (contig, position)
        {
            self.heads.pop();
            self.take(file, (contig, position), &mut lines)?;
            self.note_head(file);
        }
        Ok(Some(Position { contig, position, lines }))
    }

    /// Takes a file's records of a position.
    fn take(&mut self, file: usize, place: (usize, i64), lines: &mut Vec<Line>) -> Result<(), TogetherError> {
        loop {
            let input = &mut self.inputs[file];
            let is_here = |head: &super::input::Queued| (head.contig, head.record.position()) == place;
            while input.head().is_some_and(is_here) {
                lines.extend(input.pop().map(|queued| Line { file, record: queued.record }));
            }
            if !input.is_dry() {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn note_head(&mut self, file: usize) {
        if let Some(head) = self.inputs[file].head() {
            self.heads.push(Reverse((head.contig, head.record.position(), file)));
        }
    }

    /// Has all files that are low read on, each by a thread. The first file's error counts.
    fn fill(&mut self) -> Result<(), TogetherError> {
        let inputs = &mut self.inputs;
        let results: Vec<_> = self.pool.install(|| inputs.par_iter_mut().map(Input::fill).collect());
        results.into_iter().collect()
    }
}
