//! Sums of samples and scores, as integers: they merge with those of other variants, and become real numbers at the end.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::places::Places;
use super::scale::Scale;

/// Sums of all scores over some samples: of the variants that were added so far.
///
/// Sums of other variants of the same samples, weights and settings [`merge`](Self::merge), in any order and grouping, to
/// the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    pub(super) scores: usize,
    pub(super) imputes: bool,
    /// Of scores, then of two columns a group.
    pub(super) scales: Vec<Scale>,
    pub(super) range: Range<usize>,
    /// Samples of a strip that were asked for.
    pub(super) strip: usize,
    pub(super) males: Vec<bool>,
    /// Lanes of a tile, and its sums: a row of lanes a place.
    pub(super) tiles: Vec<(usize, Vec<i64>)>,
    /// Alleles that each group counts, of others and of males.
    pub(super) denominators: Vec<[u64; 2]>,
}

/// Sums that do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sums of other samples, weights or settings cannot be added")]
pub struct Unlike;

/// What a group of scores counts of a sample, as PLINK 2 names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts {
    /// ALLELE_CT: alleles that are known.
    pub alleles: u64,
    /// DENOM: alleles that went into the sums, known or imputed.
    pub denominator: u64,
    /// NAMED_ALLELE_DOSAGE_SUM: copies of the counted alleles, of known genotypes.
    pub named_dosage: f64,
}

impl Sums {
    /// The samples (0-based, of the genotypes).
    pub fn samples(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Groups of scores.
    pub fn groups(&self) -> usize {
        self.denominators.len()
    }

    /// Scores.
    pub fn scores(&self) -> usize {
        self.scores
    }

    /// Adds the sums of other variants.
    ///
    /// # Errors
    /// They are of other samples, weights or settings.
    pub fn merge(&mut self, other: &Self) -> Result<(), Unlike> {
        let of = |sums: &Self| (sums.scores, sums.imputes, sums.range.clone(), sums.strip);
        if of(self) != of(other) || self.scales != other.scales || self.males != other.males {
            return Err(Unlike);
        }
        for ((_, sums), (_, more)) in self.tiles.iter_mut().zip(&other.tiles) {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.wrapping_add(*more));
        }
        self.add_denominators(&other.denominators);
        Ok(())
    }

    /// The sums in pieces of some megabytes, for [`Self::merge_piece`] of another process.
    pub fn pieces(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let first = self.denominators.iter().flatten().flat_map(|count| count.to_le_bytes()).collect();
        let tiles =
            self.tiles.iter().map(|(_, sums)| sums.iter().flat_map(|sum| sum.to_le_bytes()).collect());
        std::iter::once(first).chain(tiles)
    }

    /// How many pieces there are.
    pub fn piece_count(&self) -> usize {
        1 + self.tiles.len()
    }

    /// Adds a piece, by its number, of sums over other variants of the same samples, weights and settings.
    ///
    /// # Errors
    /// There is no such piece, or it has another length.
    pub fn merge_piece(&mut self, number: usize, bytes: &[u8]) -> Result<(), Unlike> {
        let (numbers, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Unlike);
        }
        let Some(tile) = number.checked_sub(1) else {
            let (pairs, rest) = numbers.as_chunks::<2>();
            if pairs.len() != self.denominators.len() || !rest.is_empty() {
                return Err(Unlike);
            }
            let more: Vec<[u64; 2]> = pairs.iter().map(|pair| pair.map(u64::from_le_bytes)).collect();
            self.add_denominators(&more);
            return Ok(());
        };
        let (_, sums) =
            self.tiles.get_mut(tile).filter(|(_, sums)| sums.len() == numbers.len()).ok_or(Unlike)?;
        for (sum, more) in sums.iter_mut().zip(numbers) {
            *sum = sum.wrapping_add(i64::from_le_bytes(*more));
        }
        Ok(())
    }

    pub(super) fn add_denominators(&mut self, more: &[[u64; 2]]) {
        for (sum, more) in self.denominators.iter_mut().zip(more) {
            *sum = [sum[0] + more[0], sum[1] + more[1]];
        }
    }

    pub(super) fn places(&self) -> Places {
        Places::new(self.range.len(), self.strip)
    }

    /// A score (0-based) of a sample (0-based, of the genotypes): PLINK's SCORE_SUM. `None` where there is none.
    pub fn sum(&self, score: usize, sample: usize) -> Option<f64> {
        (score < self.scores).then(|| self.value(score, sample))?
    }

    /// All scores of a sample, none where there is no such sample.
    pub fn sums_of(&self, sample: usize) -> impl Iterator<Item = f64> + '_ {
        let local = sample.checked_sub(self.range.start).filter(|local| *local < self.range.len());
        let place = local.map(|local| self.places().place(local));
        let rows = self.tiles.iter().flat_map(move |(lanes, sums)| {
            place.and_then(|place| sums.get(place * lanes..(place + 1) * lanes)).unwrap_or_default()
        });
        rows.zip(&self.scales).take(self.scores).map(|(units, scale)| scale.value(*units))
    }

    /// A score (0-based) of all samples, in order; nothing where there is no such score.
    pub fn sums_over_samples(&self, score: usize) -> Vec<f64> {
        let (Some(scale), true) = (self.scales.get(score), score < self.scores) else { return Vec::new() };
        let (places, mut first) = (self.places(), 0);
        for (lanes, sums) in &self.tiles {
            if let Some(lane) = score.checked_sub(first).filter(|lane| lane < lanes) {
                let units = |local| sums.get(places.place(local) * lanes + lane).copied().unwrap_or_default();
                return (0..self.range.len()).map(|local| scale.value(units(local))).collect();
            }
            first += lanes;
        }
        Vec::new()
    }

    /// DENOM of a group of scores for a sample.
    pub fn denominator(&self, group: usize, sample: usize) -> Option<u64> {
        if !self.imputes {
            return self.value(self.scores + 2 * group + 1, sample).map(|alleles| alleles as u64);
        }
        let [others, males] = *self.denominators.get(group)?;
        let is_male = *self.males.get(sample.checked_sub(self.range.start)?)?;
        Some(if is_male { males } else { others })
    }

    /// Whether anybody has a missing genotype that was imputed; false where weights are without counts.
    pub fn has_imputed(&self) -> bool {
        let has = |counts: Counts| counts.alleles < counts.denominator;
        let of = |group| self.range.clone().filter_map(move |sample| self.counts(group, sample)).any(has);
        self.imputes && (0..self.denominators.len()).any(of)
    }

    /// The counts of a group of scores for a sample; `None` where weights are without counts.
    pub fn counts(&self, group: usize, sample: usize) -> Option<Counts> {
        let column = self.scores + 2 * group;
        let alleles = self.value(column + 1, sample)? as u64;
        Some(Counts {
            alleles,
            denominator: self.denominator(group, sample)?,
            named_dosage: self.value(column, sample)?,
        })
    }

    fn value(&self, column: usize, sample: usize) -> Option<f64> {
        let scale = self.scales.get(column)?;
        let local = sample.checked_sub(self.range.start).filter(|local| *local < self.range.len())?;
        let place = self.places().place(local);
        let mut first = 0;
        for (lanes, sums) in &self.tiles {
            if column < first + lanes {
                return sums.get(place * lanes + column - first).map(|units| scale.value(*units));
            }
            first += lanes;
        }
        None
    }
}
