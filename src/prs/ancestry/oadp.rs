//! Coordinates of new people among a panel's components, without the shrinkage that plain projection has.
//!
//! A person whose genotypes did not make the components lies nearer to the middle on them than one of the panel alike
//! would
//! (shrinkage). Online augmentation, decomposition and Procrustes (OADP; Zhang, Dey and Lee 2020,
//! doi:10.1093/bioinformatics/btaa152) adds the person to the panel, takes the components of both, and turns and scales
//! these so that the
//! panel's people come to lie where they were; there the person's coordinates are read.
//!
//! The panel's people are not needed for it. Their coordinates V are at right angles and have mean 0, since variants
//! were centred, so that
//! all that the method asks of them, sums of products, is known: with V'V = 1, matrices of people by components become
//! matrices of
//! components by components. Results are those of FRAPOSA (fraposa-pgsc 1.0.2) but for rounding, in a time that does
//! not
//! depend on the size of the panel.

use super::dense::{Dense, Svd, add_scaled, dot};
use super::symmetric::eigen;

/// How coordinates are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub enum Method {
    /// Online augmentation, decomposition, Procrustes.
    #[default]
    Oadp,
    /// The plain projection, which shrinks.
    Sp,
    /// The plain projection, divided by the shrinkage that is expected of the panel's size.
    Ap,
}

/// What a target's variants tell of a person: sums over the variants that loadings and target have.
#[derive(Clone, Copy, Debug)]
pub struct PersonSums<'p> {
    /// Loadings times standardised genotypes, by component.
    pub products: &'p [f64],
    /// The sum of squares of standardised genotypes.
    pub squares: f64,
}

/// Components that people are projected on.
#[derive(Clone, Debug)]
pub struct Frame {
    method: Method,
    reported: usize,
    /// Singular values of the panel's genotypes at the variants that the target has.
    singular_values: Vec<f64>,
    /// From sums of products to the components of those variants; none where they are the same.
    turn: Option<Dense>,
    /// Where the panel's people shall lie: components of those variants by reported ones.
    aim: Dense,
    /// The least squares fit of plain projection, and what it is divided by.
    plain: Dense,
    shrinkage: Vec<f64>,
}

/// Why people cannot be projected.
#[derive(Debug, thiserror::Error)]
#[error("the variants that are left do not tell {0} components apart")]
pub struct TooFew(pub usize);

/// Rounds of the Procrustes fit, and the change that ends it: FRAPOSA's.
const ROUNDS: usize = 10_000;
const SETTLED: f64 = 1e-6;

impl Frame {
    /// Of the panel's singular values and the products of loadings with one another, summed over the variants that the
    /// target has (all:
    /// then `overlap` is none).
    ///
    /// Where variants are missing, the panel's genotypes at the others are a matrix again: U S V' without some rows of
    /// U. Its own
    /// singular values and vectors are taken, and people are still laid where all variants had them.
    ///
    /// # Errors
    /// Too few variants are left.
    pub fn new(
        method: Method,
        reported: usize,
        singular_values: &[f64],
        overlap: Option<&Dense>,
        shrinkage: Vec<f64>,
    ) -> Result<Self, TooFew> {
        let count = singular_values.len();
        let mut frame = Self {
            method,
            reported,
            singular_values: singular_values.to_vec(),
            turn: None,
            aim: Dense::from_fn(
                count,
                reported,
                |row, column| if row == column { singular_values[row] } else { 0.0 },
            ),
            plain: Dense::from_fn(reported, reported, |row, column| f64::from(u8::from(row == column))),
            shrinkage,
        };
        if let Some(overlap) = overlap {
            let scaled = Dense::from_fn(count, count, |row, column| {
                singular_values[row] * overlap.get(row, column) * singular_values[column]
            });
            let (values, vectors) = eigen(&scaled);
            let is_some = |value: &f64| *value > 1e-10 * values[0];
            let kept = values.iter().take_while(|value| is_some(value)).count();
            if kept < reported {
                return Err(TooFew(reported));
            }
            frame.singular_values = values[..kept].iter().map(|value| value.sqrt()).collect();
            let turn = Dense::from_fn(kept, count, |row, column| {
                vectors.get(row, column) * singular_values[column] / frame.singular_values[row]
            });
            frame.aim = Dense::from_fn(kept, reported, |row, column| {
                vectors.get(row, column) * singular_values[column]
            });
            frame.turn = Some(turn);
            frame.plain = inverse(&overlap.corner(reported)).ok_or(TooFew(reported))?;
        }
        Ok(frame)
    }

    /// A person's coordinates.
    pub fn place(&self, person: PersonSums<'_>) -> Vec<f64> {
        if self.method != Method::Oadp {
            let products = &person.products[..self.reported];
            let fit = (0..self.reported).map(|row| dot(self.plain.row(row), products));
            let by = |column: usize| if self.method == Method::Ap { self.shrinkage[column] } else { 1.0 };
            return fit.enumerate().map(|(column, value)| value / by(column)).collect();
        }
        let turned: Vec<f64> = match &self.turn {
            Some(turn) => (0..turn.rows()).map(|row| dot(turn.row(row), person.products)).collect(),
            None => person.products.to_vec(),
        };
        let (panel, person) = self.augmented(&turned, person.squares);
        let (turn, scale) = fit(&self.aim, &panel);
        let mut place = vec![0.0; turn.columns()];
        person
            .iter()
            .enumerate()
            .for_each(|(row, value)| add_scaled(&mut place, *value * scale, turn.row(row)));
        place.truncate(self.reported);
        place
    }

    /// Coordinates of the panel's people, in units of V, and of the person, on the first components of both together:
    /// of the matrix
    /// (S V' and nothing, products and what is outside of the components), by the eigenvectors of its products with
    /// itself.
    fn augmented(&self, products: &[f64], squares: f64) -> (Dense, Vec<f64>) {
        let count = self.singular_values.len();
        let of_person = squares.max(dot(products, products));
        let together = Dense::from_fn(count + 1, count + 1, |row, column| {
            let (low, high) = (row.min(column), row.max(column));
            if low == count {
                of_person
            } else if high == count {
                self.singular_values[low] * products[low]
            } else if low == high {
                self.singular_values[low] * self.singular_values[low]
            } else {
                0.0
            }
        });
        let (values, vectors) = eigen(&together);
        // As many again as reported, as in FRAPOSA.
        let width = (2 * self.reported).min(count);
        let value = |column: usize| values[column].max(0.0).sqrt();
        let panel = Dense::from_fn(count, width, |row, column| vectors.get(column, row) * value(column));
        (panel, (0..width).map(|column| vectors.get(column, count) * value(column)).collect())
    }
}

/// The turn and the scale that lay one configuration on another, which has fewer columns: what the others shall be is
/// what they come to be
/// (Zhang, Dey and Lee 2020, "Procrustes of different dimensions").
fn fit(aim: &Dense, from: &Dense) -> (Dense, f64) {
    let width = from.columns();
    let mut whole =
        Dense::from_fn(
            aim.rows(),
            width,
            |row, column| {
                if column < aim.columns() { aim.get(row, column) } else { 0.0 }
            },
        );
    let size = from.squares();
    let (mut round, mut near) = (0, Dense::identity(width));
    loop {
        round += 1;
        let Svd { left, values, right } = whole.transposed_times(from).svd_from(&near);
        let turn = right.times(&left.transposed());
        let scale = values.iter().sum::<f64>() / size;
        if aim.columns() == width || round == ROUNDS {
            return (turn, scale);
        }
        let moved = from.times(&turn);
        let (mut change, mut squares) = (0.0, 0.0);
        for row in 0..whole.rows() {
            for (old, new) in whole.row_mut(row).iter_mut().zip(moved.row(row)).skip(aim.columns()) {
                let new = new * scale;
                change += (new - *old) * (new - *old);
                squares += new * new;
                *old = new;
            }
        }
        if change / squares < SETTLED {
            return (turn, scale);
        }
        near = right;
    }
}

/// The inverse of a symmetric positive matrix; `None` where it is not.
fn inverse(matrix: &Dense) -> Option<Dense> {
    let Svd { left, values, right } = matrix.svd();
    let size = values.len();
    if values.last().is_none_or(|least| *least <= 1e-10 * values[0]) {
        return None;
    }
    let scaled = Dense::from_fn(size, size, |row, column| right.get(row, column) / values[column]);
    Some(scaled.times(&left.transposed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_of_all_variants_is_one_of_a_part_that_is_all() {
        let values = [9.0, 5.0, 2.0, 1.5, 1.2, 1.0];
        let whole = Dense::from_fn(6, 6, |row, column| f64::from(u8::from(row == column)));
        let sums = PersonSums { products: &[4.0, -2.0, 0.5, 0.1, -0.3, 0.2], squares: 30.0 };
        for method in [Method::Oadp, Method::Sp] {
            let frame = |overlap| Frame::new(method, 2, &values, overlap, vec![1.0; 2]).expect("a frame");
            let (one, other) = (frame(None).place(sums), frame(Some(&whole)).place(sums));
            assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-9), "{one:?} {other:?}");
        }
        let part = Dense::from_fn(6, 6, |row, column| f64::from(u8::from(row == column && row == 0)));
        assert!(Frame::new(Method::Oadp, 2, &values, Some(&part), vec![1.0; 2]).is_err());
    }

    #[test]
    fn a_turn_is_found_again() {
        let from = Dense::from_fn(4, 2, |row, column| {
            [[1.0, 0.0], [0.0, 2.0], [-3.0, 0.5], [0.3, 0.3]][row][column]
        });
        let turn = Dense::from_fn(2, 2, |row, column| [[0.6, 0.8], [-0.8, 0.6]][row][column]);
        let product = from.times(&turn);
        let aim = Dense::from_fn(4, 2, |row, column| 2.5 * product.get(row, column));
        let (found, scale) = fit(&aim, &from);
        assert!((scale - 2.5).abs() < 1e-12);
        for row in 0..2 {
            assert!(
                found.row(row).iter().zip(turn.row(row)).all(|(a, b)| (a - b).abs() < 1e-12),
                "{found:?}"
            );
        }
    }
}
