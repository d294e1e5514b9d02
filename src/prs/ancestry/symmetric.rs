//! Eigenvalues and eigenvectors of symmetric matrices.
//!
//! Householder's reflections make a matrix of three diagonals of it, QR steps with Wilkinson's shift one diagonal of
//! that (Golub and Van
//! Loan, Matrix Computations, 4th edition, 8.3).

use super::dense::{Dense, add_scaled, dot};

/// Eigenvalues, falling, and unit eigenvectors, a row each, of a symmetric matrix.
pub fn eigen(matrix: &Dense) -> (Vec<f64>, Dense) {
    let (mut diagonal, mut beside, mut vectors) = three_diagonals(matrix.clone());
    one_diagonal(&mut diagonal, &mut beside, &mut vectors);
    let size = diagonal.len();
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|a, b| diagonal[*b].total_cmp(&diagonal[*a]));
    let values = order.iter().map(|place| diagonal[*place]).collect();
    (values, Dense::from_fn(size, size, |row, column| vectors.get(order[row], column)))
}

/// The diagonal, what is beside it, and the turn that made them (rows, to be multiplied from the left).
fn three_diagonals(mut matrix: Dense) -> (Vec<f64>, Vec<f64>, Dense) {
    let size = matrix.rows();
    let mut turn = Dense::from_fn(size, size, |row, column| f64::from(u8::from(row == column)));
    let mut beside = vec![0.0; size.saturating_sub(1)];
    for (step, next) in beside.iter_mut().enumerate() {
        let first = step + 1;
        let mut mirror = matrix.row(step)[first..].to_vec();
        let length = dot(&mirror, &mirror).sqrt();
        if mirror[1..].iter().all(|value| *value == 0.0) {
            *next = mirror[0];
            continue;
        }
        *next = if mirror[0] > 0.0 { -length } else { length };
        mirror[0] -= *next;
        let by = 2.0 / dot(&mirror, &mirror);
        let mut moved: Vec<f64> =
            (first..size).map(|row| by * dot(&matrix.row(row)[first..], &mirror)).collect();
        let half = by / 2.0 * dot(&moved, &mirror);
        add_scaled(&mut moved, -half, &mirror);
        let mut along = vec![0.0; size];
        for (row, (one, other)) in (first..size).zip(mirror.iter().zip(&moved)) {
            let cells = &mut matrix.row_mut(row)[first..];
            add_scaled(cells, -one, &moved);
            add_scaled(cells, -other, &mirror);
            add_scaled(&mut along, by * one, turn.row(row));
        }
        (first..size).zip(&mirror).for_each(|(row, one)| add_scaled(turn.row_mut(row), -one, &along));
    }
    ((0..size).map(|place| matrix.get(place, place)).collect(), beside, turn)
}

/// Steps for each value, at most; two or three are enough.
const STEPS: usize = 60;

fn one_diagonal(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut Dense) {
    let is_nothing = |diagonal: &[f64], beside: &[f64], at: usize| {
        beside[at].abs() <= f64::EPSILON * (diagonal[at].abs() + diagonal[at + 1].abs())
    };
    let mut last = diagonal.len().saturating_sub(1);
    for _ in 0..STEPS * diagonal.len() {
        while last > 0 && is_nothing(diagonal, beside, last - 1) {
            last -= 1;
        }
        if last == 0 {
            return;
        }
        let mut first = last - 1;
        while first > 0 && !is_nothing(diagonal, beside, first - 1) {
            first -= 1;
        }
        step(diagonal, beside, vectors, first, last);
    }
}

/// One QR step of the block from `first` to `last`.
fn step(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut Dense, first: usize, last: usize) {
    let half = (diagonal[last - 1] - diagonal[last]) / 2.0;
    let corner = beside[last - 1];
    let root = half.hypot(corner);
    let shift = diagonal[last] - corner * corner / if half < 0.0 { half - root } else { half + root };
    let (mut x, mut z) = (diagonal[first] - shift, beside[first]);
    for at in first..last {
        let length = x.hypot(z);
        let (cosine, sine) = if length == 0.0 { (1.0, 0.0) } else { (x / length, z / length) };
        if at > first {
            beside[at - 1] = length;
        }
        let (one, between, other) = (diagonal[at], beside[at], diagonal[at + 1]);
        let (cc, cs, ss) = (cosine * cosine, cosine * sine, sine * sine);
        diagonal[at] = cc * one + 2.0 * cs * between + ss * other;
        diagonal[at + 1] = ss * one - 2.0 * cs * between + cc * other;
        beside[at] = cs * (other - one) + (cc - ss) * between;
        if at + 1 < last {
            (x, z) = (beside[at], sine * beside[at + 1]);
            beside[at + 1] *= cosine;
        }
        vectors.rotate_rows(at, at + 1, cosine, sine);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn eigenvectors_are_stretched_by_their_values(
            size in 1usize..12, rank in 0usize..12, cells in prop::collection::vec(-9i8..9, 150), twin in any::<bool>(),
        ) {
            let mut cells = cells.into_iter().map(f64::from).cycle();
            let part = Dense::from_fn(size, rank, |_, column| {
                let cell = cells.next().unwrap_or_default();
                if twin && column > 0 { 0.0 } else { cell }
            });
            let matrix = part.times(&part.transposed());
            let (values, vectors) = eigen(&matrix);
            prop_assert!(values.is_sorted_by(|a, b| a >= b));
            let moved = vectors.times(&matrix);
            let products = vectors.times(&vectors.transposed());
            for (row, value) in values.iter().enumerate() {
                for column in 0..size {
                    let stretched = value * vectors.get(row, column);
                    prop_assert!((moved.get(row, column) - stretched).abs() < 1e-10);
                    let expected = f64::from(u8::from(row == column));
                    prop_assert!((products.get(row, column) - expected).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn eigenvalues_are_those_of_a_chain() {
        // 2 in the diagonal, -1 beside it: 2 - 2 cos(pi j / (n + 1)).
        let matrix = Dense::from_fn(40, 40, |row, column| match row.abs_diff(column) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        });
        let (values, _) = eigen(&matrix);
        for (value, place) in values.iter().rev().zip(1..) {
            let expected = 2.0 - 2.0 * (std::f64::consts::PI * f64::from(place) / 41.0).cos();
            assert!((value - expected).abs() < 1e-13, "{place} {value} {expected}");
        }
    }
}
