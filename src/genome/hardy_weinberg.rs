//! The exact test of Hardy-Weinberg proportions (Wigginton, Cutler and Abecasis 2005, PMID 15789306).

/// The two chances, as bcftools' `+fill-tags` gives them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardyWeinberg {
    /// Of a distribution that is as unlikely as the observed one or more so.
    pub p: f64,
    /// Of as many heterozygotes as observed or more.
    pub excess_heterozygosity: f64,
}

/// From the alleles of diploid genotypes: how many are the reference, how many are not, and how many genotypes have
/// one of each. `None` where no genotypes have such counts.
///
/// Operations are in the order of bcftools', so that the last digit is the same.
pub fn test(references: u64, alternates: u64, heterozygotes: u64) -> Option<HardyWeinberg> {
    let total = references + alternates;
    let rare = references.min(alternates) as usize;
    let observed = usize::try_from(heterozygotes).ok()?;
    if !total.is_multiple_of(2) || rare % 2 != observed % 2 || observed > rare || total > 1 << 32 {
        return None;
    }
    let genotypes = total / 2;
    // Chances by the number of heterozygotes, relative to that in the middle; only every second number is possible.
    let mut middle = (rare as f64 * (total - rare as u64) as f64 / total as f64) as usize;
    middle += usize::from(middle % 2 != rare % 2);
    let mut chances = vec![0.0f64; rare / 2 + 1];
    let at = |heterozygotes: usize| heterozygotes / 2;
    let homozygotes = || {
        let rare_ones = ((rare - middle) / 2) as f64;
        (rare_ones, genotypes as f64 - middle as f64 - rare_ones)
    };
    chances[at(middle)] = 1.0;
    let mut sum = 1.0;
    let (mut rare_ones, mut common_ones) = homozygotes();
    let mut n = middle;
    while n > 1 {
        let chance =
            chances[at(n)] * n as f64 * (n as f64 - 1.0) / (4.0 * (rare_ones + 1.0) * (common_ones + 1.0));
        chances[at(n - 2)] = chance;
        sum += chance;
        (rare_ones, common_ones, n) = (rare_ones + 1.0, common_ones + 1.0, n - 2);
    }
    let (mut rare_ones, mut common_ones) = homozygotes();
    let mut n = middle;
    while n + 2 <= rare {
        let chance = chances[at(n)] * 4.0 * rare_ones * common_ones / ((n as f64 + 2.0) * (n as f64 + 1.0));
        chances[at(n + 2)] = chance;
        sum += chance;
        (rare_ones, common_ones, n) = (rare_ones - 1.0, common_ones - 1.0, n + 2);
    }
    chances.iter_mut().for_each(|chance| *chance /= sum);
    let of_observed = chances[at(observed)];
    let excess_heterozygosity = chances[at(observed)..].iter().fold(0.0, |sum, chance| sum + chance);
    let p = chances.iter().filter(|chance| **chance <= of_observed).fold(0.0, |sum, chance| sum + chance);
    Some(HardyWeinberg { p: p.min(1.0), excess_heterozygosity })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_those_of_all_genotypes() {
        // By counting all ways to pair the alleles of 5 diploids with 4 alternates: 0, 2 or 4 heterozygotes have
        // 10, 120 and 80 of 210 ways.
        for (heterozygotes, p, excess) in [(0, 10.0, 210.0), (2, 210.0, 200.0), (4, 90.0, 80.0)] {
            let found = test(6, 4, heterozygotes).unwrap();
            assert!((found.p - p / 210.0).abs() < 1e-12, "{found:?}");
            assert!((found.excess_heterozygosity - excess / 210.0).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(test(6, 4, 1), None);
        assert_eq!(test(5, 4, 1), None);
        assert_eq!(test(8, 2, 4), None);
    }
}
