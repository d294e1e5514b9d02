//! Matched weights of many scores, by variant: what a table of dense scores and thousands of sparse ones become.
//!
//! A row is a variant, an allele and a way to count it, with a weight for some of the scores. Where a row has a weight
//! for each of consecutive scores, they are stored without the scores' numbers: 8 bytes a weight, else 12. Rows are
//! sorted, so what is summed does not depend on the order in which weights were given.

use std::ops::Range;

/// What the copies of the counted allele, 0 to 2, count in a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// The copies themselves.
    Additive,
    /// 1 where there is a copy; of a dosage, at most 1 of it.
    Dominant,
    /// 1 where there are two copies; of a dosage, what is above 1.
    Recessive,
    /// 1 where there is no copy (`dosage_0_weight` of the PGS Catalog), in a straight line to 0 at one copy.
    NoCopy,
    /// 1 where there is one copy (`dosage_1_weight`), in straight lines to 0 at none and two.
    OneCopy,
    /// 1 where there are two copies (`dosage_2_weight`): as [`Self::Recessive`].
    TwoCopies,
    /// The copies of any allele: 2, whatever the genotype is, unless it is missing.
    Observed,
}

impl Effect {
    /// What 0, 1 and 2 copies count; between them lie straight lines.
    pub fn knots(self) -> [i64; 3] {
        match self {
            Self::Additive => [0, 1, 2],
            Self::Dominant => [0, 1, 1],
            Self::Recessive | Self::TwoCopies => [0, 0, 1],
            Self::NoCopy => [1, 0, 0],
            Self::OneCopy => [0, 1, 0],
            Self::Observed => [2, 2, 2],
        }
    }

    /// Whether the effect makes sense for who has one copy of the contig.
    pub fn takes_haploids(self) -> bool {
        matches!(self, Self::Additive | Self::Observed)
    }
}

/// Why weights are not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WeightsError {
    /// A weight is NaN or infinite.
    #[error("score {score}: the weight of variant {variant} is {weight}, not a number to count with")]
    NotFinite {
        /// The score, 0-based.
        score: usize,
        /// The variant, 0-based.
        variant: u32,
        /// The weight.
        weight: f64,
    },
    /// There is no such score or group of scores.
    #[error("there is no score {0}")]
    NoSuchScore(usize),
    /// More scores than can be told apart.
    #[error("{0} scores at once; at most {MOST_SCORES} are taken")]
    TooManyScores(usize),
    /// An allele with a greater number than is taken.
    #[error("variant {variant}: allele {allele}; at most {MOST_ALLELES} alternate alleles are taken")]
    TooManyAlleles {
        /// The variant, 0-based.
        variant: u32,
        /// The allele.
        allele: u32,
    },
}

const SCORE_BITS: u32 = 20;
const EFFECT_BITS: u32 = 3;
const ALLELE_BITS: u32 = 9;
/// Scores, and two columns of counts for each group of scores.
const MOST_SCORES: usize = 1 << SCORE_BITS;
const MOST_ALLELES: u32 = (1 << ALLELE_BITS) - 1;
const EFFECTS: [Effect; 7] = [
    Effect::Additive,
    Effect::Dominant,
    Effect::Recessive,
    Effect::NoCopy,
    Effect::OneCopy,
    Effect::TwoCopies,
    Effect::Observed,
];

/// Variant, allele, effect and score, in this order: from the highest bits down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u64);

impl Key {
    fn new(variant: u32, allele: u32, effect: Effect, score: usize) -> Self {
        let of_row = u64::from(variant) << ALLELE_BITS | u64::from(allele);
        Self((of_row << EFFECT_BITS | effect as u64) << SCORE_BITS | score as u64)
    }

    fn score(self) -> u32 {
        (self.0 & (MOST_SCORES as u64 - 1)) as u32
    }

    /// The key without its score.
    fn row(self) -> u64 {
        self.0 >> SCORE_BITS
    }

    fn variant(self) -> u32 {
        (self.row() >> (EFFECT_BITS + ALLELE_BITS)) as u32
    }

    fn allele(self) -> u32 {
        (self.row() >> EFFECT_BITS) as u32 & MOST_ALLELES
    }

    fn effect(self) -> Effect {
        EFFECTS.get((self.row() & 7) as usize).copied().unwrap_or(Effect::Observed)
    }
}

/// Takes weights in any order.
#[derive(Clone, Debug)]
pub struct WeightsBuilder {
    scores: usize,
    groups: usize,
    has_counts: bool,
    entries: Vec<(Key, f64)>,
    /// Rows of consecutive scores: key of the first, and where its values are.
    dense: Vec<(Key, Range<usize>)>,
    values: Vec<f64>,
}

impl WeightsBuilder {
    /// No weights yet of so many scores. Each of the `groups` of scores, those of one table, has its own counts of
    /// alleles (PLINK's ALLELE_CT, DENOM and NAMED_ALLELE_DOSAGE_SUM).
    ///
    /// # Errors
    /// They are too many.
    pub fn new(scores: usize, groups: usize) -> Result<Self, WeightsError> {
        match groups.checked_mul(2).and_then(|counts| counts.checked_add(scores)) {
            Some(columns) if columns <= MOST_SCORES => {
                let (entries, dense, values) = (Vec::new(), Vec::new(), Vec::new());
                Ok(Self { scores, groups, has_counts: true, entries, dense, values })
            }
            _ => Err(WeightsError::TooManyScores(scores.saturating_add(groups))),
        }
    }

    /// Of groups, denominators alone are wanted, which are the same for all people where missing genotypes are imputed: nothing is
    /// counted person by person, which takes the time and the memory of two more scores a group.
    pub fn without_counts(mut self) -> Self {
        self.has_counts = false;
        self
    }

    /// Adds a weight of a score for an allele (0 is the reference) of a variant (0-based). Several for the same add up.
    ///
    /// # Errors
    /// There is no such score, the allele's number is too great, or the weight is no finite number.
    pub fn add(
        &mut self,
        score: usize,
        variant: u32,
        allele: u32,
        effect: Effect,
        weight: f64,
    ) -> Result<(), WeightsError> {
        self.check(score..score + 1, variant, allele, &[weight])?;
        self.entries.push((Key::new(variant, allele, effect, score), weight));
        Ok(())
    }

    /// Adds weights of consecutive scores.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn add_row(
        &mut self,
        first: usize,
        variant: u32,
        allele: u32,
        effect: Effect,
        weights: &[f64],
    ) -> Result<(), WeightsError> {
        self.check(first..first.saturating_add(weights.len()), variant, allele, weights)?;
        let from = self.values.len();
        self.values.extend_from_slice(weights);
        self.dense.push((Key::new(variant, allele, effect, first), from..self.values.len()));
        Ok(())
    }

    /// Has a group count an allele of a variant: once for each line of a table of scores.
    ///
    /// # Errors
    /// There is no such group, or the allele's number is too great.
    pub fn count(
        &mut self,
        group: usize,
        variant: u32,
        allele: u32,
        effect: Effect,
    ) -> Result<(), WeightsError> {
        if group >= self.groups {
            return Err(WeightsError::NoSuchScore(group));
        }
        self.check(0..0, variant, allele, &[])?;
        let first = self.scores + 2 * group;
        let named = match effect {
            Effect::Dominant | Effect::Recessive => effect,
            _ => Effect::Additive,
        };
        if self.has_counts {
            self.entries.push((Key::new(variant, allele, named, first), 1.0));
        }
        self.entries.push((Key::new(variant, allele, Effect::Observed, first + 1), 1.0));
        Ok(())
    }

    fn check(
        &self,
        scores: Range<usize>,
        variant: u32,
        allele: u32,
        weights: &[f64],
    ) -> Result<(), WeightsError> {
        if scores.end > self.scores {
            return Err(WeightsError::NoSuchScore(scores.end - 1));
        }
        if allele > MOST_ALLELES {
            return Err(WeightsError::TooManyAlleles { variant, allele });
        }
        match weights.iter().position(|weight| !weight.is_finite()) {
            Some(at) => {
                Err(WeightsError::NotFinite { score: scores.start + at, variant, weight: weights[at] })
            }
            None => Ok(()),
        }
    }

    /// Sorts all of them.
    pub fn finish(mut self) -> Weights {
        // By the weight too: those of one allele in one score may come in any order.
        self.entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let Self { scores, groups, has_counts, entries, dense, values } = self;
        let mut weights = Weights {
            scores,
            groups,
            has_counts,
            rows: Vec::new(),
            numbers: Vec::with_capacity(entries.len()),
            listed: Vec::with_capacity(entries.len()),
            values,
        };
        for (key, range) in dense {
            weights.rows.push(StoredRow {
                key,
                is_listed: false,
                from: range.start,
                count: range.len() as u32,
            });
        }
        for row in entries.chunk_by(|a, b| a.0.row() == b.0.row()) {
            let from = weights.listed.len();
            weights.numbers.extend(row.iter().map(|(key, _)| key.score()));
            weights.listed.extend(row.iter().map(|(_, weight)| *weight));
            if let Some((key, _)) = row.first() {
                weights.rows.push(StoredRow { key: *key, is_listed: true, from, count: row.len() as u32 });
            }
        }
        // Rows of one variant, allele and effect may come in any order too.
        let rows = std::mem::take(&mut weights.rows);
        let mut sorted = rows;
        sorted.sort_by(|a, b| {
            let of_values = |row: &StoredRow| weights.at(row).values;
            (a.key, a.is_listed).cmp(&(b.key, b.is_listed)).then_with(|| {
                let pairs = of_values(a).iter().zip(of_values(b));
                pairs
                    .map(|(a, b)| a.total_cmp(b))
                    .find(|order| order.is_ne())
                    .unwrap_or(a.count.cmp(&b.count))
            })
        });
        weights.rows = sorted;
        weights
    }
}

#[derive(Clone, Copy, Debug)]
struct StoredRow {
    key: Key,
    is_listed: bool,
    from: usize,
    count: u32,
}

/// Weights of all scores, sorted by variant, allele and effect.
#[derive(Clone, Debug)]
pub struct Weights {
    scores: usize,
    groups: usize,
    has_counts: bool,
    rows: Vec<StoredRow>,
    numbers: Vec<u32>,
    listed: Vec<f64>,
    values: Vec<f64>,
}

/// Weights of one allele of one variant, counted in one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'w> {
    /// The variant, 0-based among all.
    pub variant: u32,
    /// The allele; 0 is the reference.
    pub allele: u32,
    /// What its copies count.
    pub effect: Effect,
    /// Which scores have a weight.
    pub scores: Scores<'w>,
    /// Their weights.
    pub values: &'w [f64],
}

/// Scores of a row. Behind the scores proper come two columns for each group: the dosages of its named alleles, and its
/// observed alleles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scores<'w> {
    /// This one and those behind it.
    From(u32),
    /// These, increasing; one may come several times.
    Listed(&'w [u32]),
}

impl Weights {
    /// Scores.
    pub fn scores(&self) -> usize {
        self.scores
    }

    /// Groups of scores that have counts.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Scores and columns of counts, where these are summed.
    pub fn columns(&self) -> usize {
        self.scores + if self.has_counts { 2 * self.groups } else { 0 }
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        let of_rows = size_of_val(&self.rows[..]) + size_of_val(&self.numbers[..]);
        (of_rows + size_of_val(&self.listed[..]) + size_of_val(&self.values[..])) as u64
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// A row (below [`Self::rows`]).
    pub fn row(&self, row: usize) -> Option<Row<'_>> {
        self.rows.get(row).map(|row| self.at(row))
    }

    /// The rows of a range of variants.
    pub fn rows_of(&self, variants: Range<u32>) -> Range<usize> {
        let place = |variant: u32| self.rows.partition_point(|row| row.key.variant() < variant);
        place(variants.start)..place(variants.end)
    }

    /// The variant of a row.
    pub fn variant_of(&self, row: usize) -> Option<u32> {
        self.rows.get(row).map(|row| row.key.variant())
    }

    /// Variants that any score has a weight for, increasing.
    pub fn variants(&self) -> impl Iterator<Item = u32> + '_ {
        self.rows.chunk_by(|a, b| a.key.variant() == b.key.variant()).map(|rows| rows[0].key.variant())
    }

    fn at(&self, row: &StoredRow) -> Row<'_> {
        let range = row.from..row.from + row.count as usize;
        let (scores, values) = if row.is_listed {
            let numbers = self.numbers.get(range.clone()).unwrap_or_default();
            (Scores::Listed(numbers), self.listed.get(range))
        } else {
            (Scores::From(row.key.score()), self.values.get(range))
        };
        Row {
            variant: row.key.variant(),
            allele: row.key.allele(),
            effect: row.key.effect(),
            scores,
            values: values.unwrap_or_default(),
        }
    }
}

impl<'w> Row<'w> {
    /// Scores and their weights.
    pub fn iter(&self) -> impl Iterator<Item = (usize, f64)> + use<'w> {
        let (scores, values) = (self.scores, self.values);
        values.iter().enumerate().map(move |(at, weight)| match scores {
            Scores::From(first) => (first as usize + at, *weight),
            Scores::Listed(numbers) => (numbers.get(at).map_or(0, |number| *number as usize), *weight),
        })
    }

    /// The weights of a range among its own.
    pub fn cut(&self, wanted: Range<usize>) -> Self {
        let scores = match self.scores {
            Scores::From(first) => Scores::From(first + wanted.start as u32),
            Scores::Listed(numbers) => Scores::Listed(numbers.get(wanted.clone()).unwrap_or_default()),
        };
        Self { scores, values: self.values.get(wanted).unwrap_or_default(), ..*self }
    }

    /// The part of the weights that are of a range of scores.
    pub fn part(&self, wanted: Range<usize>) -> Self {
        match self.scores {
            Scores::From(first) => {
                let first = first as usize;
                let from = wanted.start.saturating_sub(first).min(self.values.len());
                let to = wanted.end.saturating_sub(first).clamp(from, self.values.len());
                Self {
                    scores: Scores::From((first + from) as u32),
                    values: self.values.get(from..to).unwrap_or_default(),
                    ..*self
                }
            }
            Scores::Listed(numbers) => {
                let from = numbers.partition_point(|number| (*number as usize) < wanted.start);
                let to = numbers.partition_point(|number| (*number as usize) < wanted.end).max(from);
                Self {
                    scores: Scores::Listed(numbers.get(from..to).unwrap_or_default()),
                    values: self.values.get(from..to).unwrap_or_default(),
                    ..*self
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn all(weights: &Weights) -> Vec<(u32, u32, Effect, usize, f64)> {
        let rows = (0..weights.rows()).filter_map(|row| weights.row(row));
        rows.flat_map(|row| row.iter().map(move |(score, w)| (row.variant, row.allele, row.effect, score, w)))
            .collect()
    }

    #[test]
    fn weights_come_back_sorted_whatever_their_order() {
        let mut builder = WeightsBuilder::new(5, 1).unwrap();
        builder.add(3, 70_000, 1, Effect::Additive, 0.5).unwrap();
        builder.add_row(1, 2, 511, Effect::Dominant, &[1.0, 2.0, 3.0]).unwrap();
        builder.add(0, 2, 0, Effect::NoCopy, -1.0).unwrap();
        builder.add(3, 70_000, 1, Effect::Additive, 0.25).unwrap();
        builder.count(0, 2, 511, Effect::Dominant).unwrap();
        let weights = builder.finish();
        let expected = [
            (2, 0, Effect::NoCopy, 0, -1.0),
            (2, 511, Effect::Dominant, 1, 1.0),
            (2, 511, Effect::Dominant, 2, 2.0),
            (2, 511, Effect::Dominant, 3, 3.0),
            (2, 511, Effect::Dominant, 5, 1.0),
            (2, 511, Effect::Observed, 6, 1.0),
            (70_000, 1, Effect::Additive, 3, 0.25),
            (70_000, 1, Effect::Additive, 3, 0.5),
        ];
        assert_eq!(all(&weights), expected);
        assert_eq!(weights.variants().collect::<Vec<_>>(), [2, 70_000]);
        assert_eq!((weights.rows_of(0..3), weights.rows_of(3..9).len()), (0..4, 0));
        let parts: Vec<_> = [0..2, 2..4, 4..7]
            .into_iter()
            .flat_map(|range| weights.row(1).unwrap().part(range).iter().collect::<Vec<_>>())
            .collect();
        assert_eq!(parts, [(1, 1.0), (2, 2.0), (3, 3.0)]);
    }

    #[test]
    fn what_cannot_be_counted_with_is_refused() {
        let mut builder = WeightsBuilder::new(2, 0).unwrap();
        for weight in [f64::NAN, f64::INFINITY] {
            let error = builder.add_row(0, 7, 1, Effect::Additive, &[0.0, weight]).unwrap_err();
            assert!(error.to_string().starts_with("score 1: the weight of variant 7 is"), "{error}");
        }
        assert_eq!(builder.add(2, 0, 0, Effect::Additive, 1.0), Err(WeightsError::NoSuchScore(2)));
        assert_eq!(builder.count(0, 0, 0, Effect::Additive), Err(WeightsError::NoSuchScore(0)));
        assert!(builder.add(0, 0, 512, Effect::Additive, 1.0).is_err());
        assert!(WeightsBuilder::new(1 << 20, 1).is_err());
        assert_eq!(builder.finish().rows(), 0);
    }
}
