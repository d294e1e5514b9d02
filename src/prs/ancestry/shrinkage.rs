//! How much nearer to the middle plain projection lays new people than the panel's own.
//!
//! Lee, Zou and Wright 2010 (doi:10.1214/10-AOS821): of p variants and n people let the population's covariance have a
//! few great
//! eigenvalues and be 1 in all other directions. Then an eigenvalue l of the population appears in the panel as
//! d = l (1 + g / (l - 1)) with g = p / n, and coordinates of new people are shorter than those of the panel by (l - 1)
//! / (l + g - 1).

/// What to divide projected coordinates by, for the first components: of singular values of p variants by n people,
/// standardised.
/// A component that does not stand out of what chance makes stays as it is (1).
pub fn of(singular_values: &[f64], components: usize, people: usize, variants: usize) -> Vec<f64> {
    let (n, p) = (people as f64, variants as f64);
    let ratio = p / n;
    let eigenvalues: Vec<f64> =
        singular_values.iter().take(components).map(|value| value * value / n).collect();
    // Variants have variance 1; what great components do not hold is spread over all directions.
    let mut unit = 1.0;
    let mut factors = vec![1.0; eigenvalues.len()];
    for _ in 0..ROUNDS {
        let found: Vec<Option<f64>> =
            eigenvalues.iter().map(|value| population(value / unit, ratio)).collect();
        let held: f64 = found.iter().flatten().map(|value| value * unit).sum();
        let great = found.iter().flatten().count() as f64;
        factors = found.iter().map(|l| l.map_or(1.0, |l| (l - 1.0) / (l + ratio - 1.0))).collect();
        let next = (p - held) / (p - great).max(1.0);
        let is_settled = (next - unit).abs() <= 1e-12 * unit;
        unit = next.max(f64::MIN_POSITIVE);
        if is_settled {
            break;
        }
    }
    factors
}

const ROUNDS: usize = 200;

/// The population's eigenvalue behind one of the panel's, the greater root of l² - (d + 1 - g) l + d = 0; none below
/// what noise reaches.
fn population(panel: f64, ratio: f64) -> Option<f64> {
    if panel <= (1.0 + ratio.sqrt()).powi(2) {
        return None;
    }
    let middle = panel + 1.0 - ratio;
    Some((middle + (middle * middle - 4.0 * panel).max(0.0).sqrt()) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_are_found_again() {
        // By hand: l = 100, g = 10: d = 100 (1 + 10 / 99).
        let panel = 100.0 * (1.0 + 10.0 / 99.0);
        assert!((population(panel, 10.0).expect("great") - 100.0).abs() < 1e-9);
        assert_eq!(population(17.0, 10.0), None);
        // 1,000 variants, 100 people, one great eigenvalue: the unit is (1000 - 100 unit) / 999.
        let unit: f64 = 1000.0 / 1099.0;
        let singular = (panel * unit * 100.0).sqrt();
        let found = of(&[singular, 1.0], 2, 100, 1000);
        assert!((found[0] - 99.0 / 109.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found[1], 1.0);
    }
}
