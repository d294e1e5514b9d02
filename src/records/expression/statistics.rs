//! Exact tests of counts, two-sided.

/// The probability of counts as unequal as these where both are equally likely; `None` for no counts at all.
///
/// Twice the smaller tail, at most 1, as bcftools has it.
pub fn binomial(a: i64, b: i64) -> Option<f64> {
    let (smaller, larger) = (a.min(b), a.max(b));
    if (smaller, larger) == (0, 0) {
        return None;
    }
    if larger == smaller || (smaller >= 0 && larger - smaller == 1) {
        return Some(1.0);
    }
    if smaller < 0 {
        return Some(f64::NAN);
    }
    // P(X <= smaller) of n trials: the last term, and those before it by their ratios.
    let n = smaller + larger;
    let last = ln_choose(n, smaller) - n as f64 * std::f64::consts::LN_2;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in (1..=smaller).rev() {
        term *= k as f64 / (n - k + 1) as f64;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    Some((2.0 * sum * last.exp()).min(1.0))
}

/// Fisher's exact test of a table of two rows, `a b` and `c d`.
pub fn fisher(a: i64, b: i64, c: i64, d: i64) -> f64 {
    if a < 0 || b < 0 || c < 0 || d < 0 {
        return f64::NAN;
    }
    let (row, other, column) = (a + b, c + d, a + c);
    let (least, most) = ((column - other).max(0), row.min(column));
    let whole = ln_choose(row + other, column);
    let probability = |n: i64| (ln_choose(row, n) + ln_choose(other, column - n) - whole).exp();
    let observed = probability(a);
    // Tables that are as likely as the observed one up to rounding belong to it.
    let limit = observed * (1.0 + 1e-7);
    let mut sum = observed;
    // From the observed table outwards, each by its ratio to the one before.
    let mut add = |p: f64| {
        if p <= limit {
            sum += p;
        }
        p >= sum * 1e-18
    };
    let mut p = observed;
    for n in a..most {
        p *= (row - n) as f64 * (column - n) as f64 / ((n + 1) as f64 * (other - column + n + 1) as f64);
        if !add(p) {
            break;
        }
    }
    p = observed;
    for n in (least + 1..=a).rev() {
        p *= n as f64 * (other - column + n) as f64 / ((row - n + 1) as f64 * (column - n + 1) as f64);
        if !add(p) {
            break;
        }
    }
    sum.min(1.0)
}

fn ln_choose(n: i64, k: i64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// ln(n!): a product for small numbers, Stirling's series for others.
fn ln_factorial(n: i64) -> f64 {
    if n < 20 {
        return (2..=n).map(|n| n as f64).product::<f64>().ln();
    }
    let x = n as f64 + 1.0;
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse
        * (1.0 / 12.0
            - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs()
    }

    #[test]
    fn tests_give_the_values_of_r() {
        // R: binom.test(a, a + b)$p.value, which is the same where the distribution is symmetric.
        for (a, b, expected) in [
            (0, 1, 1.0),
            (0, 5, 0.0625),
            (1, 9, 0.021484375),
            (3, 3, 1.0),
            (7, 3, 0.34375),
            (0, 40, 1.818989403545857e-12),
        ] {
            assert!(near(binomial(a, b).unwrap(), expected), "{a} {b}: {:?}", binomial(a, b));
            assert_eq!(binomial(a, b), binomial(b, a));
        }
        assert_eq!(binomial(0, 0), None);
        // R: fisher.test(matrix(c(a, b, c, d), 2))$p.value; the second is Fisher's tea.
        for (table, expected) in [
            ([10, 10, 10, 10], 1.0),
            ([3, 1, 1, 3], 0.485714285714286),
            ([0, 5, 5, 0], 0.00793650793650794),
            ([1, 9, 11, 3], 0.00275945618522009),
            ([0, 0, 0, 0], 1.0),
        ] {
            let [a, b, c, d] = table;
            assert!(near(fisher(a, b, c, d), expected), "{table:?}: {}", fisher(a, b, c, d));
        }
    }
}
