//! Sums of weights over many people and many scores, exact and fast.
//!
//! A weight is an integer of its score's unit (`scale.rs`), and so are all sums: they are the same for any order, number
//! of threads, ranks and tiles, and are rounded once, when they become real numbers. The calls of four variants of a
//! sample are a byte, for which a table has what it adds to 8 or 16 scores at once (`lookup.rs`, `values.rs`); a dosage is
//! some bytes that each have a table too. What few samples have is visited alone. Samples are cut into strips and scores
//! into tiles (`strip.rs`), which threads work on; samples that do not fit into the memory are another pass.
//!
//! Which numbers are summed follows PLINK 2's `--score`: missing genotypes count what is expected of the allele's
//! frequency, haploid ones half of a diploid genotype, chromosome Y is that of males.

mod block;
mod column;
mod lookup;
mod places;
mod ploidy;
mod scale;
mod strip;
mod sums;
mod values;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use block::{Block, Pass, Readers};
use lookup::NARROW;
use places::Places;
use ploidy::People;
pub use ploidy::XModel;
use scale::{Scale, Survey};
use strip::{Job, Scratch};
pub use sums::{Counts, Sums, Unlike};

use super::weights::Weights;
use crate::formats::genotypes::samples::SampleTable;
use crate::formats::genotypes::{GenotypeError, GenotypeSource};

/// What a missing genotype counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Imputation {
    /// Nothing, and its alleles are not in the denominator (PLINK's `no-mean-imputation`).
    None,
    /// As in PLINK 2: the expected copies; for dominant and recessive effects the frequency of the allele. What PLINK does
    /// not know (dosages' own weights) is expected by Hardy and Weinberg.
    #[default]
    Plink2,
    /// What is expected under Hardy-Weinberg equilibrium.
    HardyWeinberg,
}

/// How scores are summed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Missing genotypes.
    pub imputation: Imputation,
    /// Chromosome X.
    pub x_model: XModel,
    /// Samples of a strip: what a thread works on at a time. No result depends on it.
    pub strip: usize,
    /// Bytes of genotypes that are held at a time, about. No result depends on it.
    pub block_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            imputation: Imputation::default(),
            x_model: XModel::default(),
            strip: 4096,
            block_bytes: 6 << 20,
        }
    }
}

/// Genotypes of some of the variants: a file of several.
#[derive(Clone, Copy)]
pub struct Part<'p> {
    /// The genotypes.
    pub source: &'p dyn GenotypeSource,
    /// The number of the first variant among all, as weights have them.
    pub first: usize,
    /// For each variant of the source the frequencies of all alleles, empty where they are not known; without, they are
    /// counted.
    pub frequencies: Option<&'p [Vec<f64>]>,
}

/// Why scores could not be summed.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The genotypes cannot be read.
    #[error(transparent)]
    Genotypes(#[from] GenotypeError),
    /// Weights of a variant that the part does not hold.
    #[error("there is no variant {0} in the genotypes")]
    NoSuchVariant(u32),
    /// What is asked of a variant is not possible.
    #[error("{contig}:{position} ({id}): {what}")]
    Variant {
        /// Its number among all.
        variant: u32,
        /// Its identifier.
        id: String,
        /// Its contig.
        contig: String,
        /// Its position, 1-based.
        position: i32,
        /// What is wrong.
        what: String,
    },
    /// Sums of other weights or settings.
    #[error(transparent)]
    Unlike(#[from] Unlike),
}

/// Consecutive scores whose sums lie side by side.
#[derive(Clone, Debug)]
struct Tile {
    scores: Range<usize>,
    lanes: usize,
}

/// Lanes of tables of 64 bits.
const WIDE: usize = 8;

/// Weights that are ready to be summed.
#[derive(Clone, Debug)]
pub struct Kernel<'w> {
    weights: &'w Weights,
    settings: Settings,
    scales: Vec<Scale>,
    tiles: Vec<Tile>,
    tile_of: Vec<usize>,
}

impl<'w> Kernel<'w> {
    /// Finds each score's unit.
    pub fn new(weights: &'w Weights, settings: Settings) -> Self {
        let mut surveys = vec![Survey::default(); weights.columns()];
        for row in (0..weights.rows()).filter_map(|row| weights.row(row)) {
            for (score, weight) in row.iter() {
                if let Some(survey) = surveys.get_mut(score) {
                    survey.see(weight);
                }
            }
        }
        let scales: Vec<Scale> = surveys.iter().map(Survey::scale).collect();
        let (mut tiles, mut tile_of) = (Vec::new(), Vec::new());
        while let Some(next) = scales.get(tile_of.len()..).filter(|left| !left.is_empty()) {
            let are_short = next.iter().take(NARROW).all(Scale::is_short);
            let lanes = if are_short { NARROW } else { WIDE };
            let scores = tile_of.len()..tile_of.len() + lanes.min(next.len());
            tile_of.resize(scores.end, tiles.len());
            tiles.push(Tile { scores, lanes });
        }
        Self { weights, settings, scales, tiles, tile_of }
    }

    /// Cuts so many samples into passes whose sums take no more than some bytes each, as far as that is possible.
    pub fn passes(&self, samples: usize, memory: u64) -> Vec<Range<usize>> {
        let lanes: usize = self.tiles.iter().map(|tile| tile.lanes).sum();
        // Two blocks are held, as read and as codes, of all of a pass' samples.
        let of_sample = 8 * lanes as u64;
        let for_sums = memory.saturating_sub(6 * self.settings.block_bytes as u64).max(memory / 4);
        let most =
            usize::try_from(for_sums / of_sample.max(1)).unwrap_or(usize::MAX).clamp(4, samples.max(4));
        let count = samples.div_ceil(most).max(1);
        let width = samples.div_ceil(count).next_multiple_of(4).max(4);
        (0..samples).step_by(width).map(|start| start..(start + width).min(samples)).collect()
    }

    /// No variants yet, for samples of a pass, or all.
    pub fn empty(&self, samples: &SampleTable, range: Range<usize>) -> Sums {
        let range = range.start / 4 * 4..range.end.min(samples.len());
        let people = samples.as_slice().get(range.clone()).unwrap_or_default();
        let is_male = |sample: &crate::formats::genotypes::samples::Sample| {
            sample.sex == Some(crate::formats::genotypes::samples::SampleSex::Male)
        };
        let places = Places::new(range.len(), self.settings.strip);
        Sums {
            scores: self.weights.scores(),
            imputes: self.settings.imputation != Imputation::None,
            scales: self.scales.clone(),
            males: people.iter().map(is_male).collect(),
            strip: self.settings.strip,
            tiles: self.tiles.iter().map(|tile| (tile.lanes, vec![0; tile.lanes * places.len()])).collect(),
            denominators: vec![[0; 2]; self.weights.groups()],
            range,
        }
    }

    /// Adds variants of a part, all of its samples having the order of the sums'. Threads are those of the rayon pool that
    /// the caller is in.
    ///
    /// # Errors
    /// A variant is not in the part or cannot be read, what weights ask of it is not possible, or the sums are of another
    /// kernel.
    pub fn add(&self, part: &Part, variants: Range<u32>, sums: &mut Sums) -> Result<(), KernelError> {
        if sums.scales != self.scales
            || sums.tiles.len() != self.tiles.len()
            || sums.strip != self.settings.strip
        {
            return Err(Unlike.into());
        }
        let (people, range) = (People::new(part.source.samples()), sums.samples());
        let pass = Pass { people: &people, range: &range, places: sums.places() };
        let readers = Readers::new(part);
        let scratch = Scratches::default();
        let mut blocks = self.blocks(variants, &pass).into_iter();
        let read = |rows: Option<Range<usize>>| {
            rows.map(|rows| Block::read(self, &readers, &pass, rows)).transpose()
        };
        let mut next = read(blocks.next())?;
        while let Some(block) = next {
            let rows = blocks.next();
            let (_, read) = rayon::join(|| self.add_block(&block, &pass, sums, &scratch), || read(rows));
            next = read?;
        }
        Ok(())
    }

    /// Rows of as many variants as make a block.
    fn blocks(&self, variants: Range<u32>, pass: &Pass) -> Vec<Range<usize>> {
        let bytes = pass.range.len().div_ceil(4).max(1);
        let most = (self.settings.block_bytes / bytes / 64 * 64).clamp(64, 1 << 13);
        let rows = self.weights.rows_of(variants);
        let (mut blocks, mut start, mut count) = (Vec::new(), rows.start, 0);
        for row in rows.clone() {
            let is_new =
                row == rows.start || self.weights.variant_of(row) != self.weights.variant_of(row - 1);
            if is_new && count == most {
                blocks.push(start..row);
                (start, count) = (row, 0);
            }
            count += usize::from(is_new);
        }
        blocks.push(start..rows.end);
        blocks.retain(|rows| !rows.is_empty());
        blocks
    }

    fn add_block(&self, block: &Block, pass: &Pass, sums: &mut Sums, scratch: &Scratches) {
        sums.add_denominators(&block.denominators);
        let places = pass.places;
        let tiles = sums.tiles.iter_mut().enumerate();
        let jobs: Vec<(Job, &mut [i64])> = tiles
            .filter(|(tile, _)| block.uses.get(*tile).is_some_and(|uses| !uses.is_empty()))
            .flat_map(|(tile, (lanes, sums))| {
                let strips = sums.chunks_mut(places.width() * *lanes).enumerate();
                strips.map(move |(strip, sums)| (Job { kernel: self, block, places, tile, strip }, sums))
            })
            .collect();
        jobs.into_par_iter().for_each(|(job, sums)| {
            if self.tiles[job.tile].lanes == NARROW {
                let (sums, _) = sums.as_chunks_mut::<NARROW>();
                with_scratch(&scratch.narrow, |scratch| strip::run(&job, scratch, sums));
            } else {
                let (sums, _) = sums.as_chunks_mut::<WIDE>();
                with_scratch(&scratch.wide, |scratch| strip::run(&job, scratch, sums));
            }
        });
    }
}

/// Tables that no thread is at.
#[derive(Default)]
struct Scratches {
    narrow: Mutex<Vec<Scratch<NARROW>>>,
    wide: Mutex<Vec<Scratch<WIDE>>>,
}

fn with_scratch<const L: usize>(all: &Mutex<Vec<Scratch<L>>>, work: impl FnOnce(&mut Scratch<L>)) {
    let idle = all.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut scratch = idle.unwrap_or_default();
    work(&mut scratch);
    all.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
}
