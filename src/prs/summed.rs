//! Sums as tables are written of them: those of all scores at once, or of tiles of scores, which wait in a file for one another.
//!
//! Weights of thousands of scores may be more than fits into the memory. Then scores are summed tile by tile, over all people,
//! and a table, which has a line for each person, is written when all tiles are there. What waits are the numbers that are
//! written, so tiles change no byte.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::kernel::{Counts, Sums};

/// Sums of some people and all scores of a table.
pub trait Summed: Sync {
    /// The people (0-based, of the genotypes).
    fn people(&self) -> Range<usize>;

    /// All scores of a person; none where there is no such person.
    fn of_person(&self, person: usize) -> Vec<f64>;

    /// A score of all people, in order; nothing where there is no such score.
    fn of_score(&self, score: usize) -> Vec<f64>;

    /// What the first group counts of a person.
    fn counts_of(&self, person: usize) -> Option<Counts>;

    /// DENOM of a score that is a group of its own.
    fn denominator_of(&self, score: usize, person: usize) -> Option<u64>;
}

impl Summed for Sums {
    fn people(&self) -> Range<usize> {
        self.samples()
    }

    fn of_person(&self, person: usize) -> Vec<f64> {
        self.sums_of(person).collect()
    }

    fn of_score(&self, score: usize) -> Vec<f64> {
        self.sums_over_samples(score)
    }

    fn counts_of(&self, person: usize) -> Option<Counts> {
        self.counts(0, person)
    }

    fn denominator_of(&self, score: usize, person: usize) -> Option<u64> {
        self.denominator(score, person)
    }
}

/// 64-bit numbers of a tile: its sums, then denominators, or the counts of its only group.
#[derive(Clone, Copy, Debug)]
struct Tile {
    /// Where its first number is in the file, in numbers.
    start: u64,
    scores: usize,
    groups: usize,
    has_counts: bool,
}

impl Tile {
    /// Numbers of a person.
    fn width(&self) -> usize {
        self.scores + if self.has_counts { 3 } else { self.groups }
    }
}

/// Sums of tiles of scores, in a file without a name that is gone with the process.
#[derive(Debug)]
pub struct Tiles {
    file: BufWriter<File>,
    people: usize,
    tiles: Vec<Tile>,
    written: u64,
}

impl Tiles {
    /// No tile yet of so many people; the file is on the disk of a directory.
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new(directory: &Path, people: usize) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(directory)?);
        Ok(Self { file, people, tiles: Vec::new(), written: 0 })
    }

    /// Adds people of a tile: from the first to the last, all before those of the next tile.
    ///
    /// # Errors
    /// Writing fails, or people are missing.
    pub fn add(&mut self, sums: &Sums) -> io::Result<()> {
        let people = sums.samples();
        if people.start == 0 {
            let has_counts = sums.groups() == 1 && sums.counts(0, 0).is_some();
            let (scores, groups) = (sums.scores(), sums.groups());
            self.tiles.push(Tile { start: self.written, scores, groups, has_counts });
        }
        let tile = self.tiles.last().copied();
        let tile = tile.filter(|tile| tile.start + (people.start * tile.width()) as u64 == self.written);
        let Some(tile) = tile else { return Err(io::Error::other("people of a tile come out of order")) };
        for person in people.clone() {
            for sum in sums.sums_of(person) {
                self.file.write_all(&sum.to_bits().to_le_bytes())?;
            }
            if tile.has_counts {
                let counts = sums.counts(0, person);
                let Counts { alleles, denominator, named_dosage } =
                    counts.unwrap_or(Counts { alleles: 0, denominator: 0, named_dosage: 0.0 });
                for number in [alleles, denominator, named_dosage.to_bits()] {
                    self.file.write_all(&number.to_le_bytes())?;
                }
            } else {
                for group in 0..tile.groups {
                    let denominator = sums.denominator(group, person).unwrap_or_default();
                    self.file.write_all(&denominator.to_le_bytes())?;
                }
            }
        }
        self.written += (people.len() * tile.width()) as u64;
        Ok(())
    }

    /// People that a number of bytes has room for when they are gathered, in ranges.
    pub fn batches(&self, bytes: u64) -> impl Iterator<Item = Range<usize>> + use<> {
        let numbers: usize = self.tiles.iter().map(Tile::width).sum();
        // As read, and once more while a tile is read.
        let width = usize::try_from(bytes / (16 * numbers.max(1) as u64)).unwrap_or(usize::MAX);
        let (people, width) = (self.people, width.clamp(4, self.people.max(4)));
        (0..people).step_by(width).map(move |start| start..(start + width).min(people))
    }

    /// All scores of some people.
    ///
    /// # Errors
    /// They were not added in all tiles, or reading fails.
    pub fn gather(&mut self, people: Range<usize>) -> io::Result<Gathered> {
        self.file.flush()?;
        let mut tiles = Vec::with_capacity(self.tiles.len());
        for tile in &self.tiles {
            let mut bytes = vec![0; 8 * people.len() * tile.width()];
            let start = 8 * (tile.start + (people.start * tile.width()) as u64);
            self.file.get_ref().read_exact_at(&mut bytes, start)?;
            let (numbers, _) = bytes.as_chunks::<8>();
            tiles.push((*tile, numbers.iter().map(|number| u64::from_le_bytes(*number)).collect()));
        }
        Ok(Gathered { people, tiles })
    }
}

/// Sums of some people, of all tiles.
#[derive(Debug)]
pub struct Gathered {
    people: Range<usize>,
    tiles: Vec<(Tile, Vec<u64>)>,
}

impl Gathered {
    /// A person's numbers in each tile.
    fn rows(&self, person: usize) -> impl Iterator<Item = (&Tile, &[u64])> {
        let local = person.checked_sub(self.people.start).filter(|local| *local < self.people.len());
        self.tiles.iter().filter_map(move |(tile, numbers)| {
            let width = tile.width();
            Some((tile, numbers.get(local? * width..(local? + 1) * width)?))
        })
    }

    /// The tile of a score, and the score's place in it.
    fn tile_of(&self, mut score: usize) -> Option<(usize, usize)> {
        for (number, (tile, _)) in self.tiles.iter().enumerate() {
            if score < tile.scores {
                return Some((number, score));
            }
            score -= tile.scores;
        }
        None
    }
}

impl Summed for Gathered {
    fn people(&self) -> Range<usize> {
        self.people.clone()
    }

    fn of_person(&self, person: usize) -> Vec<f64> {
        let sums = self.rows(person).flat_map(|(tile, numbers)| numbers.iter().take(tile.scores));
        sums.map(|sum| f64::from_bits(*sum)).collect()
    }

    fn of_score(&self, score: usize) -> Vec<f64> {
        let Some((number, place)) = self.tile_of(score) else { return Vec::new() };
        let Some((tile, numbers)) = self.tiles.get(number) else { return Vec::new() };
        numbers.iter().skip(place).step_by(tile.width()).map(|sum| f64::from_bits(*sum)).collect()
    }

    fn counts_of(&self, person: usize) -> Option<Counts> {
        // Scores of a table have the same counts, in all tiles.
        let (tile, numbers) = self.rows(person).next().filter(|(tile, _)| tile.has_counts)?;
        match numbers.get(tile.scores..)? {
            [alleles, denominator, named] => Some(Counts {
                alleles: *alleles,
                denominator: *denominator,
                named_dosage: f64::from_bits(*named),
            }),
            _ => None,
        }
    }

    fn denominator_of(&self, score: usize, person: usize) -> Option<u64> {
        let (number, place) = self.tile_of(score)?;
        let (tile, numbers) = self.rows(person).nth(number)?;
        numbers.get(tile.scores + place).copied()
    }
}
