//! Regressions of a score on principal components: of its mean, and of its mean and variance together.

/// The lower triangle L of a symmetric positive matrix L L'.
#[derive(Clone, Debug)]
pub struct Cholesky(Vec<Vec<f64>>);

impl Cholesky {
    /// Of a matrix; `None` where it is not positive.
    pub fn of(matrix: &[Vec<f64>]) -> Option<Self> {
        let mut lower: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
        for (i, row) in matrix.iter().enumerate() {
            let mut of_row: Vec<f64> = Vec::with_capacity(i + 1);
            for (j, cell) in row.iter().enumerate().take(i + 1) {
                let above = if j == i { &of_row } else { &lower[j] };
                let sum: f64 = of_row.iter().zip(above).take(j).map(|(one, other)| one * other).sum();
                let rest = cell - sum;
                if j < i {
                    of_row.push(rest / lower[j][j]);
                } else if rest > 1e-12 * cell.abs() {
                    of_row.push(rest.sqrt());
                } else {
                    return None;
                }
            }
            lower.push(of_row);
        }
        Some(Self(lower))
    }

    /// The x for which the matrix times x is this.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution: Vec<f64> = Vec::with_capacity(right.len());
        for (row, value) in self.0.iter().zip(right) {
            let sum: f64 = row.iter().zip(&solution).map(|(one, other)| one * other).sum();
            solution.push((value - sum) / row[solution.len()]);
        }
        for i in (0..solution.len()).rev() {
            let sum: f64 = (i + 1..solution.len()).map(|j| self.0[j][i] * solution[j]).sum();
            solution[i] = (solution[i] - sum) / self.0[i][i];
        }
        solution
    }
}

/// An intercept and a slope for each predictor.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The intercept.
    pub intercept: f64,
    /// Slopes in the order of the predictors.
    pub slopes: Vec<f64>,
}

impl Line {
    /// What is predicted at a point.
    pub fn at(&self, point: &[f64]) -> f64 {
        self.intercept + self.slopes.iter().zip(point).map(|(slope, value)| slope * value).sum::<f64>()
    }

    /// By weighted least squares. `None` where predictors depend on one another.
    pub fn fit(points: &[&[f64]], values: &[f64], weights: Option<&[f64]>) -> Option<Self> {
        let width = points.first()?.len() + 1;
        let (mut matrix, mut right) = (vec![vec![0.0; width]; width], vec![0.0; width]);
        let mut row = vec![1.0; width];
        for (number, (point, value)) in points.iter().zip(values).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[number]);
            row[1..].copy_from_slice(point);
            for (i, one) in row.iter().enumerate() {
                matrix[i].iter_mut().zip(&row).for_each(|(cell, other)| *cell += weight * one * other);
                right[i] += weight * one * value;
            }
        }
        let solution = Cholesky::of(&matrix)?.solve(&right);
        let (intercept, slopes) = solution.split_first()?;
        Some(Self { intercept: *intercept, slopes: slopes.to_vec() })
    }

    fn moved(&self, to: &Self, by: f64) -> Self {
        let between = |from: f64, to: f64| from + by * (to - from);
        let slopes = self.slopes.iter().zip(&to.slopes).map(|(from, to)| between(*from, *to)).collect();
        Self { intercept: between(self.intercept, to.intercept), slopes }
    }
}

/// A normal distribution whose mean and logarithm of variance are lines (Khan et al., Nature Medicine 2022,
/// doi:10.1038/s41591-022-01869-1).
#[derive(Clone, Debug, PartialEq)]
pub struct MeanAndVariance {
    /// The mean.
    pub mean: Line,
    /// The logarithm of the variance.
    pub log_variance: Line,
}

/// Rounds of fitting, at most.
const ROUNDS: usize = 500;
/// A gain of the likelihood that ends it, as a share.
const ENOUGH: f64 = 1e-14;

impl MeanAndVariance {
    /// By greatest likelihood: mean and variance are fitted in turn, each by weighted least squares (Fisher scoring), with shorter steps where
    /// a whole one is too far. `None` where predictors depend on one another, or there is no variance.
    pub fn fit(points: &[&[f64]], values: &[f64]) -> Option<Self> {
        let mean = Line::fit(points, values, None)?;
        let rest: Vec<f64> = points.iter().zip(values).map(|(point, value)| value - mean.at(point)).collect();
        let variance = rest.iter().map(|rest| rest * rest).sum::<f64>() / rest.len() as f64;
        if variance <= 0.0 {
            return None;
        }
        let flat = Line { intercept: variance.ln(), slopes: vec![0.0; mean.slopes.len()] };
        let mut fit = Self { mean, log_variance: flat };
        let mut loss = fit.loss(points, values);
        for _ in 0..ROUNDS {
            let before = loss;
            let inverse: Vec<f64> = points.iter().map(|point| (-fit.log_variance.at(point)).exp()).collect();
            fit.mean = Line::fit(points, values, Some(&inverse))?;
            let working: Vec<f64> = points
                .iter()
                .zip(values)
                .zip(&inverse)
                .map(|((point, value), inverse)| {
                    fit.log_variance.at(point) + (value - fit.mean.at(point)).powi(2) * inverse - 1.0
                })
                .collect();
            let wanted = Line::fit(points, &working, None)?;
            let (start, mut by) = (fit.log_variance.clone(), 1.0);
            let here = fit.loss(points, values);
            loop {
                fit.log_variance = start.moved(&wanted, by);
                loss = fit.loss(points, values);
                if loss <= here || by < 1e-6 {
                    break;
                }
                by /= 2.0;
            }
            if before - loss <= ENOUGH * before.abs() {
                break;
            }
        }
        Some(fit)
    }

    /// How many deviations a value is from the mean at a point.
    pub fn deviations(&self, point: &[f64], value: f64) -> f64 {
        (value - self.mean.at(point)) / (self.log_variance.at(point) / 2.0).exp()
    }

    /// The negative logarithm of the likelihood, but for a constant.
    fn loss(&self, points: &[&[f64]], values: &[f64]) -> f64 {
        let one = |(point, value): (&&[f64], &f64)| {
            let log = self.log_variance.at(point);
            (log + (value - self.mean.at(point)).powi(2) * (-log).exp()) / 2.0
        };
        points.iter().zip(values).map(one).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let matrix = [vec![4.0, 2.0], vec![2.0, 3.0]];
        let found = Cholesky::of(&matrix).expect("positive").solve(&[8.0, 8.0]);
        assert!((found[0] - 1.0).abs() < 1e-12 && (found[1] - 2.0).abs() < 1e-12);
        assert!(Cholesky::of(&[vec![1.0, 1.0], vec![1.0, 1.0]]).is_none());
    }

    #[test]
    fn a_line_through_points_is_found() {
        let points: Vec<[f64; 2]> = (0..20).map(|n| [f64::from(n), f64::from(n * n % 7)]).collect();
        let points: Vec<&[f64]> = points.iter().map(|point| &point[..]).collect();
        let values: Vec<f64> = points.iter().map(|point| 3.0 + 2.0 * point[0] - point[1]).collect();
        let line = Line::fit(&points, &values, None).expect("a line");
        assert!((line.intercept - 3.0).abs() < 1e-9 && (line.slopes[1] + 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_gradient_vanishes_where_mean_and_variance_fit() {
        let points: Vec<[f64; 1]> = (0..200).map(|n| [f64::from(n % 17) / 8.0 - 1.0]).collect();
        let values: Vec<f64> =
            (0..200).map(|n| f64::from(n * 37 % 101) / 50.0 * (1.0 + points[n as usize][0].abs())).collect();
        let points: Vec<&[f64]> = points.iter().map(|point| &point[..]).collect();
        let fit = MeanAndVariance::fit(&points, &values).expect("a fit");
        let best = fit.loss(&points, &values);
        for (by, part) in
            [(1e-4, 0), (-1e-4, 0), (1e-4, 1), (-1e-4, 1), (1e-4, 2), (-1e-4, 2), (1e-4, 3), (-1e-4, 3)]
        {
            let mut other = fit.clone();
            match part {
                0 => other.mean.intercept += by,
                1 => other.mean.slopes[0] += by,
                2 => other.log_variance.intercept += by,
                _ => other.log_variance.slopes[0] += by,
            }
            assert!(other.loss(&points, &values) > best, "{part} {by}");
        }
    }
}
