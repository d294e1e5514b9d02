//! Small matrices of reals: tens or hundreds of columns, in the memory row by row.
//!
//! Sums run in the order of the rows, so that results are the same on every machine and with any number of threads.

/// A matrix, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dense {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

/// U S V' of a matrix: singular values fall, and vectors are complete also where values are 0.
#[derive(Clone, Debug)]
pub struct Svd {
    /// Left vectors in columns.
    pub left: Dense,
    /// Singular values, falling.
    pub values: Vec<f64>,
    /// Right vectors in columns.
    pub right: Dense,
}

impl Dense {
    /// All zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// Each cell by its row and column.
    pub fn from_fn(rows: usize, columns: usize, mut cell: impl FnMut(usize, usize) -> f64) -> Self {
        let mut matrix = Self::zeros(rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                matrix.values[row * columns + column] = cell(row, column);
            }
        }
        matrix
    }

    /// Of cells row by row, as many as whole rows have.
    pub fn from_rows(columns: usize, values: Vec<f64>) -> Self {
        Self { rows: values.len() / columns.max(1), columns, values }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A row (0-based, below the count).
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// A row, to be changed.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// All cells, row by row, to be changed.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// A cell.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// Rows for columns.
    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |row, column| self.get(column, row))
    }

    /// The first columns.
    pub fn first_columns(&self, count: usize) -> Self {
        Self::from_fn(self.rows, count, |row, column| self.get(row, column))
    }

    /// The first rows of the first columns.
    pub fn corner(&self, size: usize) -> Self {
        Self::from_fn(size, size, |row, column| self.get(row, column))
    }

    /// This times another one, which has as many rows as this has columns.
    pub fn times(&self, other: &Self) -> Self {
        let mut product = Self::zeros(self.rows, other.columns);
        for row in 0..self.rows {
            let into = &mut product.values[row * other.columns..(row + 1) * other.columns];
            for (inner, value) in self.row(row).iter().enumerate() {
                add_scaled(into, *value, other.row(inner));
            }
        }
        product
    }

    /// This, rows for columns, times another one of as many rows.
    pub fn transposed_times(&self, other: &Self) -> Self {
        let mut product = Self::zeros(self.columns, other.columns);
        for row in 0..self.rows {
            for (inner, value) in self.row(row).iter().enumerate() {
                add_scaled(
                    &mut product.values[inner * other.columns..(inner + 1) * other.columns],
                    *value,
                    other.row(row),
                );
            }
        }
        product
    }

    /// The sum of the squares of all cells.
    pub fn squares(&self) -> f64 {
        self.values.iter().map(|value| value * value).sum()
    }

    /// Singular values and vectors, by rotating pairs of columns until all are at right angles (M. R. Hestenes, J. SIAM
    /// 6
    /// (1958), doi:10.1137/0106005): small values are as exact as great ones. The matrix has at least as many rows as
    /// columns.
    pub fn svd(&self) -> Svd {
        self.svd_from(&Self::identity(self.columns))
    }

    /// The same, beginning from right vectors that may be near.
    pub fn svd_from(&self, near: &Self) -> Svd {
        // Columns are rows here: a rotation runs over two stretches of memory.
        let mut turned = self.times(near).transposed();
        let mut right = near.transposed();
        for _ in 0..SWEEPS {
            if !sweep(&mut turned, &mut right) {
                break;
            }
        }
        let lengths: Vec<f64> =
            (0..self.columns).map(|column| dot(turned.row(column), turned.row(column)).sqrt()).collect();
        let mut order: Vec<usize> = (0..self.columns).collect();
        order.sort_by(|a, b| lengths[*b].total_cmp(&lengths[*a]));
        let least = lengths.iter().fold(0.0, |most: f64, length| most.max(*length)) * ZERO;
        let mut left = Self::zeros(self.columns, self.rows);
        let mut filled = 0;
        for &column in order.iter().filter(|column| lengths[**column] > least) {
            let length = lengths[column];
            left.row_mut(filled)
                .iter_mut()
                .zip(turned.row(column))
                .for_each(|(to, from)| *to = from / length);
            filled += 1;
        }
        left.complete_rows(filled);
        Svd {
            left: left.transposed(),
            values: order.iter().map(|column| lengths[*column]).collect(),
            right: Self::from_fn(self.columns, self.columns, |row, column| right.get(order[column], row)),
        }
    }

    /// Turns two rows (the first before the second) in their plane: they become c x + s y and c y - s x.
    pub fn rotate_rows(&mut self, first: usize, second: usize, cosine: f64, sine: f64) {
        let (before, behind) = self.values.split_at_mut(second * self.columns);
        let one = &mut before[first * self.columns..(first + 1) * self.columns];
        for (x, y) in one.iter_mut().zip(&mut behind[..self.columns]) {
            (*x, *y) = (cosine * *x + sine * *y, cosine * *y - sine * *x);
        }
    }

    /// Ones in the diagonal.
    pub fn identity(size: usize) -> Self {
        Self::from_fn(size, size, |row, column| f64::from(u8::from(row == column)))
    }

    /// Fills rows from one on with unit vectors at right angles to all before: what is left of axes.
    fn complete_rows(&mut self, from: usize) {
        let mut axis = 0;
        for row in from..self.rows {
            while axis < self.columns {
                let mut vector = vec![0.0; self.columns];
                vector[axis] = 1.0;
                axis += 1;
                for _ in 0..2 {
                    for before in 0..row {
                        let along = dot(self.row(before), &vector);
                        add_scaled(&mut vector, -along, self.row(before));
                    }
                }
                let length = dot(&vector, &vector).sqrt();
                // Of n axes at least one of those that are left has more than 1/n outside of what is spanned.
                if length * length > 0.5 / self.columns as f64 {
                    self.row_mut(row).iter_mut().zip(&vector).for_each(|(to, from)| *to = from / length);
                    break;
                }
            }
        }
    }
}

/// Sweeps over all pairs, at most; six to ten are enough.
const SWEEPS: usize = 60;
/// Columns whose cosine is below this are at right angles.
const RIGHT_ANGLE: f64 = 1e-15;
/// Values below this share of the greatest are 0.
const ZERO: f64 = 1e-14;

/// Rotates each pair of rows until they are at right angles; whether there was anything to do.
fn sweep(turned: &mut Dense, right: &mut Dense) -> bool {
    let mut rotated = false;
    for first in 0..turned.rows {
        for second in first + 1..turned.rows {
            let (one, other) = (turned.row(first), turned.row(second));
            let (a, b, c) = (dot(one, one), dot(other, other), dot(one, other));
            if c == 0.0 || c.abs() <= RIGHT_ANGLE * (a * b).sqrt() {
                continue;
            }
            rotated = true;
            let ratio = (b - a) / (2.0 * c);
            let tangent = ratio.signum() / (ratio.abs() + (1.0 + ratio * ratio).sqrt());
            let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
            for matrix in [&mut *turned, &mut *right] {
                matrix.rotate_rows(first, second, cosine, -cosine * tangent);
            }
        }
    }
    rotated
}

/// The sum of products, four at a time.
pub fn dot(one: &[f64], other: &[f64]) -> f64 {
    let (ones, others) = (one.chunks_exact(4), other.chunks_exact(4));
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 4];
    for (a, b) in ones.zip(others) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// Adds a multiple.
pub fn add_scaled(into: &mut [f64], by: f64, values: &[f64]) {
    into.iter_mut().zip(values).for_each(|(to, value)| *to += by * value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(one: &Dense, other: &Dense, within: f64) -> bool {
        let pairs = one.values.iter().zip(&other.values);
        (one.rows, one.columns) == (other.rows, other.columns) && { pairs }
            .all(|(a, b)| (a - b).abs() <= within)
    }

    #[test]
    fn singular_values_are_those_of_numpy() {
        // numpy.linalg.svd, 1.26.4: of the matrix of Golub and Reinsch (1970), whose values are sqrt(1248), 20,
        // sqrt(384), 0, 0.
        let cells: [[f64; 5]; 8] = [
            [22.0, 10.0, 2.0, 3.0, 7.0],
            [14.0, 7.0, 10.0, 0.0, 8.0],
            [-1.0, 13.0, -1.0, -11.0, 3.0],
            [-3.0, -2.0, 13.0, -2.0, 4.0],
            [9.0, 8.0, 1.0, -2.0, 4.0],
            [9.0, 1.0, -7.0, 5.0, -1.0],
            [2.0, -6.0, 6.0, 5.0, 1.0],
            [4.0, 5.0, 0.0, -2.0, 2.0],
        ];
        let found = Dense::from_fn(8, 5, |row, column| cells[row][column]).svd();
        for (value, expected) in found.values.iter().zip([1248f64.sqrt(), 20.0, 384f64.sqrt(), 0.0, 0.0]) {
            assert!((value - expected).abs() < 1e-12, "{:?}", found.values);
        }
    }

    proptest! {
        #[test]
        fn a_matrix_is_the_product_of_its_parts(
            rows in 1usize..9, less in 0usize..9, rank in 0usize..9, cells in prop::collection::vec(-9i8..9, 200),
        ) {
            let columns = rows.saturating_sub(less).max(1);
            let mut cells = cells.into_iter().map(f64::from).cycle();
            let mut any = |rows, columns| Dense::from_fn(rows, columns, |_, _| cells.next().unwrap_or_default());
            let (a, b) = (any(rows, rank), any(rank, columns));
            let matrix = a.times(&b);
            let Svd { left, values, right } = matrix.svd();
            let scaled = Dense::from_fn(rows, columns, |row, column| left.get(row, column) * values[column]);
            prop_assert!(near(&scaled.times(&right.transposed()), &matrix, 1e-10));
            prop_assert!(near(&left.transposed_times(&left), &Dense::identity(columns), 1e-12));
            prop_assert!(near(&right.transposed_times(&right), &Dense::identity(columns), 1e-12));
            prop_assert!(values.is_sorted_by(|a, b| a >= b));
        }
    }
}
