//! Sums of weights over many people and many scores, exact and fast.
//!
//! A weight is an integer of its score's unit (`scale.rs`), and so are all sums: they are the same for any order, number
//! of threads, ranks and tiles, and are rounded once, when they become real numbers. The calls of four variants of a
//! sample are a byte, for which a table has what it adds to 8 or 16 scores at once (`lookup.rs`, `values.rs`); a dosage is
//! some bytes that each have a table too. What few samples have is visited alone. Samples are cut into strips and scores
//! into tiles (`strip.rs`), which threads work on; samples that do not fit into the memory are another pass (`plan.rs`).
//!
//! Which numbers are summed follows PLINK 2's `--score`: missing genotypes count what is expected of the allele's
//! frequency, haploid ones half of a diploid genotype, chromosome Y is that of males.

mod block;
mod column;
mod lookup;
mod places;
mod plan;
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
pub use plan::{Load, Plan};
use ploidy::People;
pub use ploidy::{XModel, needs_sex};
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
    /// Samples of a strip at most: what a thread works on at a time; without, as many as the number of scores suggests. No
    /// result depends on it.
    pub strip: Option<usize>,
    /// Bytes of genotypes that are read at a time, about; twice as many are held. No result depends on it.
    pub block_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            imputation: Imputation::default(),
            x_model: XModel::default(),
            strip: None,
            block_bytes: 12 << 20,
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

/// Variants of the first block, and of every block where that many are small.
const FIRST_VARIANTS: usize = 64;
/// Variants of a block where each is large: with less, making tables is all the work.
const FEWEST_VARIANTS: usize = 16;
const MOST_VARIANTS: usize = 1 << 13;

/// Lanes of tables of 64 bits.
const WIDE: usize = 8;

/// Samples of a strip where tiles alone make too few jobs for many threads.
const SHORT_STRIP: usize = 4 << 10;
/// Samples of a strip where there are many tiles: tables are made anew for each strip, and 1,000 scores of 20,000 people took
/// 26.4 s in strips of 4,000 and 23.0 s in one. Sums of a tile are then some 1.5 MB, which are read and written once for 64 variants.
const LONG_STRIP: usize = 24 << 10;
/// So many tiles are many.
const MANY_TILES: usize = 8;

/// Weights that are ready to be summed.
#[derive(Clone, Debug)]
pub struct Kernel<'w> {
    weights: &'w Weights,
    settings: Settings,
    scales: Vec<Scale>,
    tiles: Vec<Tile>,
    tile_of: Vec<usize>,
    /// Samples of a strip.
    strip: usize,
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
        let by_tiles = if tiles.len() < MANY_TILES { SHORT_STRIP } else { LONG_STRIP };
        Self { weights, settings, scales, tiles, tile_of, strip: settings.strip.unwrap_or(by_tiles) }
    }

    /// 64-bit sums of a person, with the lanes that fill up tiles.
    pub fn lanes(&self) -> usize {
        self.tiles.iter().map(|tile| tile.lanes).sum()
    }

    /// Bytes of what it knows of the scores, without their weights.
    pub fn bytes(&self) -> u64 {
        (self.scales.len() * size_of::<Scale>() * 2 + self.tile_of.len() * size_of::<usize>()) as u64
    }

    /// The same, with blocks as a plan has them.
    pub fn with_plan(mut self, plan: &Plan) -> Self {
        self.settings.block_bytes = plan.block_bytes;
        self
    }

    /// No variants yet, for samples of a pass, or all.
    pub fn empty(&self, samples: &SampleTable, range: Range<usize>) -> Sums {
        let range = range.start / 4 * 4..range.end.min(samples.len());
        let people = samples.as_slice().get(range.clone()).unwrap_or_default();
        let is_male = |sample: &crate::formats::genotypes::samples::Sample| {
            sample.sex == Some(crate::formats::genotypes::samples::SampleSex::Male)
        };
        let places = Places::new(range.len(), self.strip);
        Sums {
            scores: self.weights.scores(),
            imputes: self.settings.imputation != Imputation::None,
            scales: self.scales.clone(),
            males: people.iter().map(is_male).collect(),
            strip: self.strip,
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
        if sums.scales != self.scales || sums.tiles.len() != self.tiles.len() || sums.strip != self.strip {
            return Err(Unlike.into());
        }
        let (people, range) = (People::new(part.source.samples()), sums.samples());
        let pass = Pass { people: &people, range: &range, places: sums.places() };
        let readers = Readers::new(part);
        let scratch = Scratches::default();
        let rows = self.weights.rows_of(variants);
        let read = |rows: Option<Range<usize>>| {
            rows.map(|rows| Block::read(self, &readers, &pass, rows)).transpose()
        };
        let first = self.cut(rows.clone(), FIRST_VARIANTS.min(self.variants_of(pass.range.len() / 2)));
        let mut end = first.as_ref().map_or(rows.end, |first| first.end);
        let mut next = read(first)?;
        while let Some(block) = next {
            // What a variant takes, calls or dosages, for few scores or many, the last block shows.
            let of_variant = block.bytes() / block.variants(self).max(1);
            let rows = self.cut(end..rows.end, self.variants_of(of_variant));
            end = rows.as_ref().map_or(end, |rows| rows.end);
            let (_, read) = rayon::join(|| self.add_block(&block, &pass, sums, &scratch), || read(rows));
            next = read?;
        }
        Ok(())
    }

    /// Variants of a block, where each takes so many bytes.
    fn variants_of(&self, bytes: usize) -> usize {
        let fit = self.settings.block_bytes / bytes.max(1);
        if fit < FIRST_VARIANTS { fit.max(FEWEST_VARIANTS) } else { (fit / 64 * 64).min(MOST_VARIANTS) }
    }

    /// The first rows of so many variants; `None` where there is none left.
    fn cut(&self, rows: Range<usize>, variants: usize) -> Option<Range<usize>> {
        let is_new = |row: &usize| {
            *row > rows.start && self.weights.variant_of(*row) != self.weights.variant_of(*row - 1)
        };
        let end = rows.clone().filter(is_new).nth(variants.saturating_sub(1)).unwrap_or(rows.end);
        Some(rows.start..end).filter(|rows| !rows.is_empty())
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
