//! How far people are from populations, in principal components: Mahalanobis distances and what chance allows.

use super::regression::Cholesky;

/// A population's centre and spread.
#[derive(Clone, Debug)]
pub struct Cloud {
    centre: Vec<f64>,
    spread: Cholesky,
}

impl Cloud {
    /// Of members' components, by mean and covariance (divided by their number, as scikit-learn's EmpiricalCovariance). `None` where they
    /// span fewer dimensions than there are.
    pub fn of<'m>(members: impl Iterator<Item = &'m [f64]> + Clone, dimensions: usize) -> Option<Self> {
        let count = members.clone().count() as f64;
        let mut centre = vec![0.0; dimensions];
        for member in members.clone() {
            centre.iter_mut().zip(member).for_each(|(sum, value)| *sum += value);
        }
        centre.iter_mut().for_each(|sum| *sum /= count);
        let mut covariance = vec![vec![0.0; dimensions]; dimensions];
        for member in members {
            let off: Vec<f64> = member.iter().zip(&centre).map(|(value, mean)| value - mean).collect();
            for (row, one) in covariance.iter_mut().zip(&off) {
                row.iter_mut().zip(&off).for_each(|(cell, other)| *cell += one * other / count);
            }
        }
        Some(Self { centre, spread: Cholesky::of(&covariance)? })
    }

    /// The squared Mahalanobis distance of a point.
    pub fn distance(&self, point: &[f64]) -> f64 {
        let off: Vec<f64> = point.iter().zip(&self.centre).map(|(value, mean)| value - mean).collect();
        self.spread.solve(&off).iter().zip(&off).map(|(one, other)| one * other).sum()
    }
}

/// The probability that a chi-squared variable of so many degrees of freedom (1 or more) is greater.
///
/// Abramowitz and Stegun, 26.4.4 and 26.4.5.
pub fn chi_squared_above(value: f64, degrees: usize) -> f64 {
    let half = value / 2.0;
    if value.is_nan() || value <= 0.0 {
        return if value.is_nan() { f64::NAN } else { 1.0 };
    }
    let (mut sum, mut term) = (0.0, 1.0);
    if degrees.is_multiple_of(2) {
        for k in 0..degrees / 2 {
            if k > 0 {
                term *= half / k as f64;
            }
            sum += term;
        }
        return (-half).exp() * sum;
    }
    term = (half / std::f64::consts::PI).sqrt() * 2.0;
    for k in 0..degrees / 2 {
        if k > 0 {
            term *= half / (k as f64 + 0.5);
        }
        sum += term;
    }
    libm::erfc(half.sqrt()) + (-half).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_tables() {
        // SciPy 1.17: scipy.stats.chi2.sf
        for (value, degrees, expected) in [
            (3.841458820694124, 1, 0.05),
            (5.991464547107979, 2, 0.05),
            (9.487729036781154, 4, 0.05),
            (11.07049769351635, 5, 0.05),
            (0.0, 4, 1.0),
            (700.0, 4, 3.4852862290889247e-150),
            (700.0, 5, 4.911986103573117e-149),
            (0.5, 3, 0.9188914116546758),
        ] {
            let found = chi_squared_above(value, degrees);
            assert!((found - expected).abs() <= 1e-9 * expected.max(found), "{value} {degrees} {found}");
        }
    }

    #[test]
    fn distances_count_in_deviations() {
        let members = [[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]];
        let cloud = Cloud::of(members.iter().map(|member| &member[..]), 2).expect("two dimensions");
        assert_eq!(cloud.distance(&[1.0, 2.0]), 0.0);
        assert!((cloud.distance(&[3.0, 6.0]) - 8.0).abs() < 1e-12);
        assert!(Cloud::of([[1.0, 1.0], [2.0, 2.0]].iter().map(|member| &member[..]), 2).is_none());
    }
}
