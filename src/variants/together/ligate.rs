//! Chunks of phased genotypes, each overlapping the next, to one file (bcftools concat --ligate).

use std::path::Path;

use rayon::ThreadPool;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::input::{self, Input, Sieve};
use super::pairing::{self, Pairing};
use super::phase::{Ligated, Phase};
use super::walk::Line;
use super::{TogetherError, drive, in_file};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::VariantWriter;
use crate::variants::output::OutputForm;

/// What becomes of a site of an overlap that one of the two files does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imperfect {
    /// It is an error.
    Refuse,
    /// It is left out.
    Drop,
    /// It is kept as it is.
    Keep,
}

/// How files are ligated.
#[derive(Clone, Copy, Debug)]
pub struct LigateOptions {
    /// What becomes of sites that an overlap has in one file alone.
    pub imperfect: Imperfect,
    /// PS is written where it changes, not in each record.
    pub compact_sets: bool,
    /// Below this phasing quality a phase set ends.
    pub least_quality: i32,
}

/// Declares PQ and PS.
pub fn declare(header: &mut Header) {
    for line in [
        "##FORMAT=<ID=PQ,Number=1,Type=Integer,Description=\"Phasing Quality (bigger is better)\">",
        "##FORMAT=<ID=PS,Number=1,Type=Integer,Description=\"Phase Set\">",
    ] {
        header.add_missing(line);
    }
}

/// Writes the records of all files. Gives how many sites were left out.
///
/// # Errors
/// The files do not follow one another, an overlap has a site in one file alone, a file is damaged, or the output cannot be
/// written.
pub fn ligate(
    mut inputs: Vec<Input>,
    options: LigateOptions,
    form: &OutputForm,
    writer: &mut VariantWriter,
    pool: &ThreadPool,
) -> Result<u64, TogetherError> {
    input::align(&mut inputs, &std::sync::Arc::new(Sieve::default()))?;
    let mut ligation = Ligation::new(inputs, options, form.header().samples().len(), pool)?;
    let output = Path::new("the output");
    let work = |ligated: Vec<Ligated>| {
        let records: Vec<Record> = ligated.into_iter().map(Ligated::finished).collect();
        form.block(&records).map_err(|source| in_file(output, source))
    };
    drive(pool, || ligation.advance(), work, |block| Ok(pool.install(|| writer.write(&block))?))?;
    Ok(ligation.dropped)
}

/// Rank of a contig, and POS - 1.
type Place = (usize, i64);

struct Ligation<'p> {
    pool: &'p ThreadPool,
    inputs: Vec<Input>,
    /// Where each begins.
    starts: Vec<Place>,
    imperfect: Imperfect,
    /// The files that are being read, in order. Those from the third on wait.
    active: Vec<usize>,
    /// The next file.
    upcoming: usize,
    phase: Phase,
    contig: Option<usize>,
    contigs: FxHashSet<usize>,
    /// The contig and the position of the record that was given last.
    last: (Vec<u8>, i64),
    dropped: u64,
}

impl<'p> Ligation<'p> {
    fn new(
        mut inputs: Vec<Input>,
        options: LigateOptions,
        samples: usize,
        pool: &'p ThreadPool,
    ) -> Result<Self, TogetherError> {
        let filled: Vec<_> = pool.install(|| inputs.par_iter_mut().map(Input::fill).collect());
        filled.into_iter().collect::<Result<(), _>>()?;
        inputs.retain(|input| input.head().is_some());
        let starts: Vec<Place> = inputs.iter().filter_map(place_of).collect();
        for (input, pair) in inputs.iter().skip(1).zip(starts.windows(2)) {
            if pair[0].0 == pair[1].0 && pair[1].1 < pair[0].1 {
                let what = "it begins before the file in front of it".into();
                return Err(TogetherError::Unlike { path: input.path().to_owned(), what });
            }
        }
        Ok(Self {
            pool,
            inputs,
            starts,
            imperfect: options.imperfect,
            active: Vec::new(),
            upcoming: 0,
            phase: Phase::new(samples, options.compact_sets, options.least_quality),
            contig: None,
            contigs: FxHashSet::default(),
            last: (Vec::new(), i64::MIN),
            dropped: 0,
        })
    }

    fn advance(&mut self) -> Result<Option<Ligated>, TogetherError> {
        loop {
            if let Some(ligated) = self.phase.pop() {
                return self.in_order(ligated).map(Some);
            }
            if !self.step()? {
                return Ok(None);
            }
        }
    }

    fn in_order(&mut self, ligated: Ligated) -> Result<Ligated, TogetherError> {
        if ligated.contig() != self.last.0 {
            self.last.0 = ligated.contig().to_vec();
        } else if ligated.position() < self.last.1 {
            return Err(self.unsorted(ligated.contig(), ligated.position()));
        }
        self.last.1 = ligated.position();
        Ok(ligated)
    }

    fn unsorted(&self, contig: &[u8], position: i64) -> TogetherError {
        let file = self.active.first().copied().unwrap_or(self.inputs.len().saturating_sub(1));
        TogetherError::Unsorted {
            path: self.inputs.get(file).map(|input| input.path().to_owned()).unwrap_or_default(),
            place: format!("{}:{}", String::from_utf8_lossy(contig), position + 1),
            advice: " from file to file (name the files in their order)",
        }
    }

    /// Works on the next position; false behind the last.
    fn step(&mut self) -> Result<bool, TogetherError> {
        if self.active.is_empty() {
            if self.upcoming == self.inputs.len() {
                return Ok(false);
            }
            self.active.push(self.upcoming);
            self.upcoming += 1;
        }
        self.fill()?;
        let Some(place) = self.next_place() else {
            self.phase.end_overlap();
            self.active.clear();
            return Ok(true);
        };
        let mut was_retired = false;
        while self.active.len() > 1 && self.is_done(0, place.0) {
            self.retire(0)?;
            was_retired = true;
        }
        while self.active.len() > 1 && self.is_done(1, place.0) {
            self.retire(1)?;
        }
        while let Some(start) = self.starts.get(self.upcoming)
            && start.0 == place.0
            && *start <= place
        {
            self.active.push(self.upcoming);
            self.upcoming += 1;
            was_retired = false;
        }
        let place = self.next_place().unwrap_or(place);
        let lines = self.lines_of(place)?;
        // The first record behind an overlap of three files stands alone.
        self.take_position(place, lines, was_retired)?;
        Ok(true)
    }

    /// Has the active files read on, each by a thread, where one has nothing left. The first file's error counts.
    fn fill(&mut self) -> Result<(), TogetherError> {
        let Self { inputs, active, pool, .. } = self;
        if !active.iter().any(|&file| inputs[file].is_dry()) {
            return Ok(());
        }
        let active = inputs.par_iter_mut().enumerate().filter(|(file, _)| active.contains(file));
        let results: Vec<_> = pool.install(|| active.map(|(_, input)| input.fill()).collect());
        results.into_iter().collect()
    }

    fn next_place(&self) -> Option<Place> {
        self.active.iter().filter_map(|&file| place_of(&self.inputs[file])).min()
    }

    /// Whether a file has no more records of a contig.
    fn is_done(&self, slot: usize, contig: usize) -> bool {
        let place = self.active.get(slot).and_then(|&file| place_of(&self.inputs[file]));
        place.is_none_or(|place| place.0 != contig)
    }

    /// Ends the first of the active files, or the second one within it.
    fn retire(&mut self, slot: usize) -> Result<(), TogetherError> {
        match slot {
            0 => self.phase.end_overlap(),
            _ => self.phase.end_inner(),
        }
        let input = &self.inputs[self.active.remove(slot)];
        match input.head() {
            None => Ok(()),
            Some(_) => {
                let what = "it goes on with another contig behind its overlap with the next file".into();
                Err(TogetherError::Unlike { path: input.path().to_owned(), what })
            }
        }
    }

    /// The records of all active files at a position; their files are slots of `active`.
    fn lines_of(&mut self, place: Place) -> Result<Vec<Line>, TogetherError> {
        let mut lines = Vec::new();
        for (slot, &file) in self.active.iter().enumerate() {
            let input = &mut self.inputs[file];
            loop {
                while place_of(input) == Some(place) {
                    lines.extend(input.pop().map(|queued| Line { file: slot, record: queued.record }));
                }
                if !input.is_dry() {
                    break;
                }
                input.fill()?;
            }
        }
        Ok(lines)
    }

    fn take_position(
        &mut self,
        place: Place,
        lines: Vec<Line>,
        mut is_alone: bool,
    ) -> Result<(), TogetherError> {
        let rows = pairing::rows(&lines, Pairing::Exact);
        let contig = lines.first().map(|line| line.record.chrom().to_vec()).unwrap_or_default();
        let last_row =
            |slot: usize| rows.iter().rposition(|row| row.iter().any(|&line| lines[line].file == slot));
        let last_rows: Vec<Option<usize>> = (0..self.active.len()).map(last_row).collect();
        let mut lines: Vec<Option<Line>> = lines.into_iter().map(Some).collect();
        let mut retired = 0;
        for (number, row) in rows.into_iter().enumerate() {
            let mut members: Vec<Line> = row.into_iter().filter_map(|line| lines[line].take()).collect();
            let mut of = |slot: usize| {
                let at = members.iter().position(|line| line.file == slot)?;
                Some(members.swap_remove(at).record)
            };
            let is_over = |ligation: &Self, retired: usize, slot: usize| {
                let is_last =
                    last_rows.get(retired + slot).copied().flatten().is_none_or(|last| last < number);
                is_last && ligation.is_done(slot, place.0)
            };
            let mut first = of(retired);
            while first.is_none() && self.active.len() > 1 && is_over(self, retired, 0) {
                self.retire(0)?;
                retired += 1;
                is_alone = true;
                first = of(retired);
            }
            let second = of(retired + 1);
            let is_lacking =
                first.is_none() || (self.active.len() > 1 && second.is_none() && !is_over(self, retired, 1));
            if is_lacking && self.imperfect != Imperfect::Keep {
                self.leave_out(&contig, place.1)?;
            } else {
                self.begin(place, &contig)?;
                match first {
                    Some(record) if self.active.len() < 2 || is_alone => self.phase.take(record),
                    first => self.phase.take_overlap([first, second]),
                }
            }
            is_alone = false;
        }
        Ok(())
    }

    fn leave_out(&mut self, contig: &[u8], position: i64) -> Result<(), TogetherError> {
        if self.imperfect == Imperfect::Drop {
            self.dropped += 1;
            return Ok(());
        }
        let contig = String::from_utf8_lossy(contig);
        let path =
            self.active.get(1).or(self.active.first()).map(|&file| self.inputs[file].path().to_owned());
        let what = format!(
            "the site {contig}:{} of its overlap is in one file alone (--ligate-warn leaves such sites out, --ligate-force \
            keeps them)",
            position + 1
        );
        Err(TogetherError::Unlike { path: path.unwrap_or_default(), what })
    }

    /// Begins the contig of a place, if it is another one.
    fn begin(&mut self, place: Place, contig: &[u8]) -> Result<(), TogetherError> {
        if self.contig == Some(place.0) {
            return Ok(());
        }
        if !self.contigs.insert(place.0) {
            return Err(self.unsorted(contig, place.1));
        }
        self.contig = Some(place.0);
        self.phase.begin_contig(place.1);
        Ok(())
    }
}

fn place_of(input: &Input) -> Option<Place> {
    input.head().map(|head| (head.contig, head.record.position()))
}
