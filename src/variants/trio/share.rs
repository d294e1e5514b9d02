//! The share of an allele among a sample's reads.

/// Percent of the reads that are of an allele, rounded half up; `None` where a number is missing or the list does not reach
/// the allele; 0 where there are no reads. `alleles` is how many the site has.
pub(super) fn percent(depths: &[i32], allele: usize, alleles: usize) -> Option<i32> {
    let counted = &depths[..alleles.min(depths.len())];
    let of_allele = *counted.get(allele)?;
    if counted.iter().any(|&depth| depth < 0) {
        return None;
    }
    let sum: i64 = counted.iter().map(|&depth| i64::from(depth)).sum();
    if sum == 0 {
        return Some(0);
    }
    Some((f64::from(of_allele) * 100.0 / sum as f64).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent() {
        for (depths, allele, alleles, expected) in [
            (&[3, 1][..], 1, 2, Some(25)),
            (&[7, 1], 1, 2, Some(13)),
            (&[0, 0], 1, 2, Some(0)),
            (&[0, 5, 5], 2, 3, Some(50)),
            (&[1, 1, 8], 1, 2, Some(50)),
            (&[1], 1, 2, None),
            (&[1, i32::MIN], 0, 2, None),
            (&[i32::MAX, i32::MAX], 1, 2, Some(50)),
            (&[], 0, 2, None),
        ] {
            assert_eq!(percent(depths, allele, alleles), expected, "{depths:?}");
        }
    }
}
