//! Genotypes of a panel as a matrix of standardised reals, two bits a cell: variants in rows, people in columns.

use rayon::prelude::*;

use super::dense::{Dense, add_scaled};
use crate::formats::genotypes::calls::MISSING;

/// How copies of an allele become a value: (copies - mean) / deviation. A missing genotype is 0, the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standard {
    /// The mean of copies.
    pub mean: f64,
    /// What a unit is, in copies.
    pub deviation: f64,
}

/// What copies are divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// The deviation that an allele of this frequency has under Hardy-Weinberg equilibrium: sqrt(2p(1 - p)) (Patterson,
    /// Price and
    /// Reich 2006, doi:10.1371/journal.pgen.0020190; PLINK 2).
    #[default]
    Expected,
    /// The deviation that copies have in the panel (FRAPOSA).
    Observed,
}

impl Standard {
    /// Of counts of 0, 1 and 2 copies and missing genotypes. `None` where all are alike.
    pub fn of(counts: [usize; 4], scale: Scale) -> Option<Self> {
        let [_, one, two, _] = counts.map(|count| count as f64);
        let known = (counts[0] + counts[1] + counts[2]) as f64;
        let mean = (one + 2.0 * two) / known;
        let variance = match scale {
            Scale::Expected => mean * (1.0 - mean / 2.0),
            Scale::Observed => (one + 4.0 * two) / known - mean * mean,
        };
        (known > 0.0 && variance > 1e-12).then(|| Self { mean, deviation: variance.sqrt() })
    }

    /// The values of 0, 1 and 2 copies and of a missing genotype.
    pub fn values(&self) -> [f64; 4] {
        let value = |copies: f64| (copies - self.mean) / self.deviation;
        [value(0.0), value(1.0), value(2.0), 0.0]
    }
}

/// Standardised genotypes.
#[derive(Clone, Debug, Default)]
pub struct CallMatrix {
    samples: usize,
    packed: Vec<u8>,
    standards: Vec<Standard>,
}

/// Variants that are worked on at a time.
const BLOCK: usize = 64;

impl CallMatrix {
    /// No variants yet, of so many people.
    pub fn new(samples: usize) -> Self {
        Self { samples, ..Self::default() }
    }

    /// Adds a variant: calls packed as [`Calls::packed`](crate::formats::genotypes::calls::Calls::packed) has them.
    pub fn push(&mut self, packed: &[u8], standard: Standard) {
        let end = self.packed.len() + self.stride();
        self.packed.extend_from_slice(packed);
        self.packed.resize(end, 0);
        self.standards.push(standard);
    }

    /// People.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Variants.
    pub fn variants(&self) -> usize {
        self.standards.len()
    }

    /// How variants are standardised.
    pub fn standards(&self) -> &[Standard] {
        &self.standards
    }

    fn stride(&self) -> usize {
        self.samples.div_ceil(4)
    }

    /// The matrix times a matrix with a row for each person: a row for each variant.
    pub fn times(&self, people: &Dense) -> Dense {
        let width = people.columns();
        let mut product = Dense::zeros(self.variants(), width);
        if width == 0 || self.stride() == 0 {
            return product;
        }
        let blocks = product.values_mut().par_chunks_mut(BLOCK * width).enumerate();
        blocks.for_each(|(block, into)| {
            let mut values = vec![0.0; self.samples];
            for (offset, into) in into.chunks_mut(width).enumerate() {
                self.decode(block * BLOCK + offset, 0, &mut values);
                for (value, person) in values.iter().zip(0..) {
                    add_scaled(into, *value, people.row(person));
                }
            }
        });
        product
    }

    /// The matrix, rows for columns, times a matrix with a row for each variant: a row for each person. Every sum runs
    /// over variants in
    /// their order.
    pub fn transposed_times(&self, variants: &Dense) -> Dense {
        let width = variants.columns();
        let mut product = Dense::zeros(self.samples, width);
        if width == 0 || self.stride() == 0 {
            return product;
        }
        // A chunk of people begins with a byte of calls.
        let blocks = product.values_mut().par_chunks_mut(BLOCK * width).enumerate();
        blocks.for_each(|(block, into)| {
            let mut values = vec![0.0; into.len() / width];
            for variant in 0..self.variants() {
                self.decode(variant, block * BLOCK, &mut values);
                for (value, into) in values.iter().zip(into.chunks_mut(width)) {
                    add_scaled(into, *value, variants.row(variant));
                }
            }
        });
        product
    }

    /// The values of a variant for people from one on, whose number is a multiple of 4.
    fn decode(&self, variant: usize, first: usize, into: &mut [f64]) {
        let of_code = self.standards[variant].values();
        let packed = &self.packed[variant * self.stride() + first / 4..(variant + 1) * self.stride()];
        for (four, byte) in into.chunks_mut(4).zip(packed) {
            for (place, value) in four.iter_mut().enumerate() {
                *value = of_code[usize::from(byte >> (2 * place) & MISSING)];
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_matrix_written_out() {
        // Two variants of five people: 0, 1, 2, missing, 1 and 2, 2, 0, 1, missing.
        let mut matrix = CallMatrix::new(5);
        let first = Standard::of([1, 2, 1, 1], Scale::Expected).unwrap();
        let second = Standard::of([1, 1, 2, 1], Scale::Observed).unwrap();
        assert_eq!((first.mean, first.deviation), (1.0, 0.5f64.sqrt()));
        // numpy.std([2, 2, 0, 1])
        assert!((second.mean, (second.deviation - 0.82915619758885).abs() < 1e-14) == (1.25, true));
        matrix.push(&[0b1110_0100, 0b01], first);
        matrix.push(&[0b0100_1010, 0b11], second);
        let [half, rest] = [0.5f64.sqrt().recip(), 0.82915619758885f64.recip()];
        let written =
            [[-half, 0.0, half, 0.0, 0.0], [0.75 * rest, 0.75 * rest, -1.25 * rest, -0.25 * rest, 0.0]];
        let written = Dense::from_fn(2, 5, |row, column| written[row][column]);
        let people = Dense::from_fn(5, 3, |row, column| (row * 3 + column) as f64 - 4.0);
        let variants = Dense::from_fn(2, 2, |row, column| row as f64 - 2.0 * column as f64);
        for (found, expected) in [
            (matrix.times(&people), written.times(&people)),
            (matrix.transposed_times(&variants), written.transposed_times(&variants)),
        ] {
            for row in 0..expected.rows() {
                for (a, b) in found.row(row).iter().zip(expected.row(row)) {
                    assert!((a - b).abs() < 1e-12, "{found:?}");
                }
            }
        }
        assert_eq!(Standard::of([3, 0, 0, 2], Scale::Expected), None);
        assert_eq!(Standard::of([0, 3, 0, 0], Scale::Observed), None);
        assert_eq!(Standard::of([0, 0, 0, 4], Scale::Expected), None);
    }
}
