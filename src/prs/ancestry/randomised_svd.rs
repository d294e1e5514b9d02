//! The greatest singular values of a panel's genotypes, from random directions.
//!
//! Directions that the matrix is applied to again and again turn to those of the greatest values (Halko, Martinsson and
//! Tropp
//! 2011, doi:10.1137/090771806). All that have been met on the way are kept and the best of what they span is taken
//! (block Krylov: Musco and Musco 2015, arXiv:1504.05477), which needs far fewer products; rounds go on until residuals
//! are small. The seed is fixed.

use super::call_matrix::CallMatrix;
use super::dense::{Dense, add_scaled, dot};
use super::symmetric::eigen;
use crate::compute::drand48::Drand48;

/// What a panel's genotypes are made of: X = U S V', variants by people.
#[derive(Clone, Debug)]
pub struct Decomposition {
    /// U: a row for each variant, a column for each component.
    pub loadings: Dense,
    /// S, falling.
    pub singular_values: Vec<f64>,
    /// V: a row for each person. The greatest loading of a component is positive.
    pub people: Dense,
    /// Rounds that it took.
    pub rounds: usize,
}

/// Why there is no decomposition.
#[derive(Debug, thiserror::Error)]
pub enum DecompositionError {
    /// Nothing differs.
    #[error("the panel's genotypes do not differ")]
    Flat,
    /// Rounds do not help.
    #[error("principal components do not settle: after {rounds} rounds they are off by {residual:e}")]
    Unsettled {
        /// Rounds.
        rounds: usize,
        /// The greatest residual, as a share of the greatest eigenvalue.
        residual: f64,
    },
}

/// The first `exact` of `count` components are found to rounding, the others as well as a few rounds allow.
///
/// # Errors
/// Nothing differs, or rounds do not help.
pub fn decompose(
    matrix: &CallMatrix,
    exact: usize,
    count: usize,
) -> Result<Decomposition, DecompositionError> {
    let width = (count + SPARE).min(matrix.samples());
    let mut start = random_signs(matrix.samples(), width);
    let mut rounds = 0;
    let (values, vectors) = loop {
        rounds += 1;
        let ritz = Ritz::of(matrix, &start);
        let greatest = ritz.values.first().copied().unwrap_or_default();
        if greatest <= 0.0 {
            return Err(DecompositionError::Flat);
        }
        let off = |range: std::ops::Range<usize>| {
            let residuals = ritz.residuals.get(range.start..range.end.min(ritz.residuals.len()));
            residuals.unwrap_or_default().iter().fold(0.0, |most: f64, one| most.max(*one)) / greatest
        };
        let residual = off(0..exact);
        if residual <= EXACT && off(exact..count) <= ENOUGH {
            break (ritz.values, ritz.vectors);
        }
        if rounds == ROUNDS {
            return Err(DecompositionError::Unsettled { rounds, residual });
        }
        start = ritz.vectors;
    };
    let greatest = values[0];
    let count = values.iter().take(count).take_while(|value| **value > greatest * RANK).count();
    let singular_values: Vec<f64> = values[..count].iter().map(|value| value.sqrt()).collect();
    let mut people = vectors.first_columns(count);
    let mut loadings = matrix.times(&people);
    for (column, length) in singular_values.iter().enumerate() {
        let greatest = (0..loadings.rows())
            .map(|row| loadings.get(row, column))
            .fold(0.0, |most: f64, value| if value.abs() > most.abs() { value } else { most });
        let sign = if greatest < 0.0 { -1.0 } else { 1.0 };
        for row in 0..loadings.rows() {
            loadings.row_mut(row)[column] *= sign / length;
        }
        for row in 0..people.rows() {
            people.row_mut(row)[column] *= sign;
        }
    }
    Ok(Decomposition { loadings, singular_values, people, rounds })
}

/// Directions beyond those that are asked for.
const SPARE: usize = 12;
/// Products of a round.
const DEPTH: usize = 4;
const ROUNDS: usize = 200;
/// Residuals of exact components and of others, as a share of the greatest eigenvalue.
const EXACT: f64 = 1e-10;
const ENOUGH: f64 = 1e-4;
/// Eigenvalues below this share of the greatest are rounding.
const RANK: f64 = 1e-10;
const SEED: i64 = 20_110_517;

fn random_signs(rows: usize, columns: usize) -> Dense {
    let mut random = Drand48::new(SEED);
    Dense::from_fn(rows, columns, |_, _| if random.next() < 0.5 { -1.0 } else { 1.0 })
}

/// The best approximations of X'X's eigenvectors among what some directions and their products span.
struct Ritz {
    /// Eigenvalues, falling.
    values: Vec<f64>,
    /// Unit vectors in columns, as many as directions that it began with.
    vectors: Dense,
    /// How far X'X moves each off its own direction.
    residuals: Vec<f64>,
}

impl Ritz {
    fn of(matrix: &CallMatrix, start: &Dense) -> Self {
        // Directions are rows here: each is a stretch of memory.
        let (mut basis, mut moved): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        let mut block = start.transposed();
        for _ in 0..DEPTH {
            let first = basis.len();
            for row in 0..block.rows() {
                extend(&mut basis, block.row(row), matrix.samples());
            }
            if basis.len() == first {
                break;
            }
            let fresh = Dense::from_fn(matrix.samples(), basis.len() - first, |row, column| {
                basis[first + column][row]
            });
            block = matrix.transposed_times(&matrix.times(&fresh)).transposed();
            moved.extend((0..block.rows()).map(|row| block.row(row).to_vec()));
        }
        let size = basis.len();
        let projected = Dense::from_fn(size, size, |row, column| {
            // Symmetric to the last bit, which products are not.
            let (low, high) = (row.min(column), row.max(column));
            dot(&basis[low], &moved[high])
        });
        let (values, turn) = eigen(&projected);
        let count = start.columns().min(size);
        let combine = |parts: &[Vec<f64>], column: usize| {
            let mut sum = vec![0.0; matrix.samples()];
            for (part, vector) in parts.iter().enumerate() {
                add_scaled(&mut sum, turn.get(column, part), vector);
            }
            sum
        };
        let mut vectors = Dense::zeros(matrix.samples(), count);
        let mut residuals = Vec::with_capacity(count);
        for (column, value) in values.iter().enumerate().take(count) {
            let (vector, mut off) = (combine(&basis, column), combine(&moved, column));
            add_scaled(&mut off, -value, &vector);
            residuals.push(dot(&off, &off).sqrt());
            vector.iter().enumerate().for_each(|(row, cell)| vectors.row_mut(row)[column] = *cell);
        }
        Self { values, vectors, residuals }
    }
}

/// Adds what of a direction is at right angles to all of a basis, as a unit vector, unless that is nothing.
fn extend(basis: &mut Vec<Vec<f64>>, direction: &[f64], most: usize) {
    if basis.len() >= most {
        return;
    }
    let mut rest = direction.to_vec();
    let mut length = dot(&rest, &rest).sqrt();
    // Twice is enough: what rounding leaves the first time, the second takes.
    for _ in 0..2 {
        if length == 0.0 {
            return;
        }
        rest.iter_mut().for_each(|value| *value /= length);
        for known in basis.iter() {
            let along = dot(known, &rest);
            add_scaled(&mut rest, -along, known);
        }
        length = dot(&rest, &rest).sqrt();
        if length < 1e-10 {
            return;
        }
    }
    rest.iter_mut().for_each(|value| *value /= length);
    basis.push(rest);
}
