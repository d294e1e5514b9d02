//! The share of a sample's reads that come from another person, from the bases at known sites.
//!
//! verifyBamID's sequence-only model (Jun et al. 2012, doi:10.1016/j.ajhg.2012.09.004): at each site the sample has a
//! genotype g1 and the contaminant g2, both drawn by Hardy-Weinberg from the population's frequency; a base comes from
//! the contaminant with probability alpha. The likelihood of alpha is the product over sites of the sum over g1 and g2.
//! Not for tumours (their copy numbers look like contamination), nor where the list is of another population.

use std::fmt::Write;

use super::list::SiteList;
use super::{Allele, Bin, MAX_QUALITY, SiteCounts};
use crate::formats::header::Contig;
use crate::genome::contigs::ContigRole;

/// With fewer sites nothing is said.
pub const LEAST_SITES: usize = 100;
/// Sites whose alternate base is rarer than this, or more frequent than 1 less this, do not count.
const LEAST_FREQUENCY: f64 = 0.01;
/// The largest share: beyond it, contaminant and sample change places.
const MAX_SHARE: f64 = 0.5;
/// No base is surer than this (Phred): mapping and preparation go wrong too.
const MAX_USED_QUALITY: u8 = 40;
/// Where the search begins: the best of these.
const GRID: [f64; 16] =
    [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5];

/// A contamination estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contamination {
    /// Share of the reads that are another person's, 0 to 0.5; `None` where it cannot be told.
    pub share: Option<f64>,
    /// Its standard error, from the curvature of the log-likelihood at the estimate (at 0: the share at which it falls
    /// by 0.5); `None` where neither can be had.
    pub standard_error: Option<f64>,
    /// Usable sites: on autosomes, with a base, common enough.
    pub sites: usize,
}

/// Logarithms of a base's probability, and what the derivatives by alpha are made of, for the nine pairs of genotypes.
#[derive(Clone, Copy, Default)]
struct Cell {
    log: [f64; 9],
    slope: [f64; 9],
    square: [f64; 9],
}

/// Log-likelihood with its first and second derivative by alpha.
#[derive(Clone, Copy, Debug, Default)]
struct Likelihood {
    value: f64,
    slope: f64,
    curvature: f64,
}

impl Contamination {
    /// Estimates from the counts at the list's sites; `contigs` are the alignment header's.
    pub fn estimate(counts: &SiteCounts, list: &SiteList, contigs: &[Contig]) -> Self {
        let autosomal: Vec<bool> =
            contigs.iter().map(|contig| ContigRole::of(&contig.name).is_autosome()).collect();
        let mut sites = Vec::new();
        let mut all = list.iter().enumerate();
        for (number, bins) in counts.iter() {
            let Some((_, (contig, site))) = all.find(|(n, _)| *n == number) else { break };
            let is_common = site.frequency > LEAST_FREQUENCY && site.frequency < 1.0 - LEAST_FREQUENCY;
            let has_base = bins.iter().any(|bin| bin.allele() != Allele::Other);
            if is_common && has_base && autosomal.get(contig) == Some(&true) {
                sites.push((site.frequency, bins));
            }
        }
        Self::from_sites(&sites)
    }

    /// Estimates from (frequency of the alternate base, bins) of each site, in this order.
    fn from_sites(sites: &[(f64, &[Bin])]) -> Self {
        if sites.len() < LEAST_SITES {
            return Self { share: None, standard_error: None, sites: sites.len() };
        }
        let at = |alpha: f64| likelihood(alpha, sites);
        let points = GRID.map(at);
        let mut best = 0;
        for (i, point) in points.iter().enumerate() {
            if point.value > points[best].value {
                best = i;
            }
        }
        // The maximum lies between the neighbours: where the slope goes through zero, or at a border.
        let (mut low, mut high) = (GRID[best.saturating_sub(1)], GRID[(best + 1).min(GRID.len() - 1)]);
        let (mut alpha, mut here) = (GRID[best], points[best]);
        for _ in 0..60 {
            if here.slope > 0.0 {
                low = alpha;
            } else {
                high = alpha;
            }
            let newton = alpha - here.slope / here.curvature;
            // What does not curve downwards, or leads out, is halved.
            let next = if here.curvature < 0.0 && newton > low && newton < high {
                newton
            } else if low == 0.0 && high < 1e-7 {
                0.0
            } else if high == MAX_SHARE && low > MAX_SHARE - 1e-7 {
                MAX_SHARE
            } else {
                (low + high) / 2.0
            };
            let step = (next - alpha).abs();
            (alpha, here) = (next, at(next));
            if step < 1e-9 {
                break;
            }
        }
        let standard_error = if alpha > 0.0 && here.curvature < 0.0 {
            Some((-here.curvature).sqrt().recip())
        } else {
            // At the border there is no curvature to go by: the share at which the likelihood falls as far as it does
            // one standard error from a maximum.
            let falls = |alpha: f64| here.value - at(alpha).value >= 0.5;
            falls(MAX_SHARE).then(|| {
                let (mut low, mut high) = (0.0, MAX_SHARE);
                for _ in 0..40 {
                    let middle = (low + high) / 2.0;
                    if falls(middle) { high = middle } else { low = middle }
                }
                high
            })
        };
        Self { share: Some(alpha), standard_error, sites: sites.len() }
    }

    /// Why there is no estimate, if so.
    pub fn reason(&self) -> Option<String> {
        let n = self.sites;
        let why = || format!("contamination not estimable: {n} usable sites, {LEAST_SITES} are needed");
        self.share.is_none().then(why)
    }

    /// The table SAMPLE.contamination.tsv: a head and one row, `NA` where there is no estimate.
    pub fn to_text(&self, sample: &str) -> String {
        let mut text = String::from("sample\tcontamination\tstandard_error\tsites\n");
        let cell = |value: Option<f64>| value.map_or_else(|| "NA".to_owned(), |value| format!("{value:.6}"));
        let (share, error) = (cell(self.share), cell(self.standard_error));
        // Writing to a String does not fail.
        let _ = writeln!(text, "{sample}\t{share}\t{error}\t{}", self.sites);
        text
    }
}

/// Probability of a wrong base.
fn error_of(quality: u8) -> f64 {
    10f64.powf(-f64::from(quality.min(MAX_USED_QUALITY)) / 10.0)
}

/// Probability of seeing an allele where the genotype has `alternates` (0 to 2) alternate bases. An error shows each of
/// the three other bases alike.
pub(super) fn base_probability(allele: Allele, alternates: usize, quality: u8) -> f64 {
    let error = error_of(quality);
    let share = alternates as f64 / 2.0;
    match allele {
        Allele::Reference => (1.0 - share) * (1.0 - error) + share * error / 3.0,
        Allele::Alternate => share * (1.0 - error) + (1.0 - share) * error / 3.0,
        Allele::Other => 2.0 * error / 3.0,
    }
}

/// The log-likelihood of alpha, summed in the order of the sites.
fn likelihood(alpha: f64, sites: &[(f64, &[Bin])]) -> Likelihood {
    let table = table(alpha);
    let mut sum = Likelihood::default();
    for &(frequency, bins) in sites {
        let mut cell = Cell::default();
        for bin in bins {
            // A third base says nothing of either genotype.
            let row = match bin.allele() {
                Allele::Reference => 0,
                Allele::Alternate => 1,
                Allele::Other => continue,
            };
            let of = &table[row << 6 | usize::from(bin.quality())];
            let n = f64::from(bin.count);
            for i in 0..9 {
                cell.log[i] += n * of.log[i];
                cell.slope[i] += n * of.slope[i];
                cell.square[i] += n * of.square[i];
            }
        }
        let most = cell.log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let genotypes = hardy_weinberg(frequency);
        let (mut total, mut slope, mut second) = (0.0, 0.0, 0.0);
        for i in 0..9 {
            let weight = genotypes[i / 3] * genotypes[i % 3] * (cell.log[i] - most).exp();
            total += weight;
            slope += weight * cell.slope[i];
            second += weight * (cell.slope[i] * cell.slope[i] - cell.square[i]);
        }
        let slope = slope / total;
        sum.value += total.ln() + most;
        sum.slope += slope;
        sum.curvature += second / total - slope * slope;
    }
    sum
}

/// Probabilities of 0, 1 and 2 alternate bases.
fn hardy_weinberg(frequency: f64) -> [f64; 3] {
    let reference = 1.0 - frequency;
    [reference * reference, 2.0 * frequency * reference, frequency * frequency]
}

/// Cells by allele (reference, alternate) and quality.
fn table(alpha: f64) -> Vec<Cell> {
    let mut table = vec![Cell::default(); 2 << 6];
    for (row, allele) in [Allele::Reference, Allele::Alternate].into_iter().enumerate() {
        for quality in 0..=MAX_QUALITY {
            let cell = &mut table[row << 6 | usize::from(quality)];
            for i in 0..9 {
                let own = base_probability(allele, i / 3, quality);
                let other = base_probability(allele, i % 3, quality);
                let mixed = (1.0 - alpha) * own + alpha * other;
                let slope = (other - own) / mixed;
                cell.log[i] = mixed.ln();
                cell.slope[i] = slope;
                cell.square[i] = slope * slope;
            }
        }
    }
    table
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A generator of numbers in 0..1 (Knuth's MMIX constants).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }

        fn genotype(&mut self, frequency: f64) -> usize {
            usize::from(self.next() < frequency) + usize::from(self.next() < frequency)
        }
    }

    /// Bins of `n` sites at a depth, a share of the reads from another person; as the model says.
    fn mixture(share: f64, n: usize, depth: usize, seed: u64) -> Vec<(f64, Vec<Bin>)> {
        let mut random = Random(seed);
        let mut sites = Vec::new();
        for _ in 0..n {
            let frequency = 0.05 + 0.9 * random.next();
            let genotypes = [random.genotype(frequency), random.genotype(frequency)];
            let mut bins = Vec::new();
            for _ in 0..depth {
                let genotype = genotypes[usize::from(random.next() < share)];
                let mut alternate = random.next() < genotype as f64 / 2.0;
                let quality = [20, 30, 37][(random.next() * 3.0) as usize];
                let mut allele = if alternate { Allele::Alternate } else { Allele::Reference };
                if random.next() < error_of(quality) {
                    alternate = !alternate;
                    let third = random.next() > 1.0 / 3.0;
                    allele = match (third, alternate) {
                        (true, _) => Allele::Other,
                        (false, true) => Allele::Alternate,
                        (false, false) => Allele::Reference,
                    };
                }
                bins = super::super::add(&bins, &[Bin::new(allele, quality, 1)]);
            }
            sites.push((frequency, bins));
        }
        sites
    }

    fn estimate(sites: &[(f64, Vec<Bin>)]) -> Contamination {
        let sites: Vec<_> = sites.iter().map(|(frequency, bins)| (*frequency, &bins[..])).collect();
        Contamination::from_sites(&sites)
    }

    #[test]
    fn simulated_mixtures_are_found() {
        for (share, seed) in [(0.0, 1), (0.005, 2), (0.01, 3), (0.02, 4), (0.05, 5), (0.1, 6), (0.3, 7)] {
            let found = estimate(&mixture(share, 4000, 25, seed));
            let (alpha, error) = (found.share.unwrap(), found.standard_error.unwrap());
            assert!((alpha - share).abs() < 0.002f64.max(4.0 * error), "{share}: {found:?}");
            assert!(error < 0.01, "{share}: {found:?}");
        }
    }

    #[test]
    fn the_derivatives_are_those_of_the_likelihood() {
        let sites = mixture(0.05, 300, 12, 9);
        let sites: Vec<_> = sites.iter().map(|(frequency, bins)| (*frequency, &bins[..])).collect();
        for alpha in [0.01, 0.05, 0.2, 0.45] {
            let h = 1e-5;
            let [before, here, behind] = [alpha - h, alpha, alpha + h].map(|alpha| likelihood(alpha, &sites));
            let slope = (behind.value - before.value) / (2.0 * h);
            let curvature = (behind.slope - before.slope) / (2.0 * h);
            assert!((slope - here.slope).abs() < 1e-3 * slope.abs().max(1.0), "{alpha}: {slope} {here:?}");
            assert!(
                (curvature - here.curvature).abs() < 1e-3 * curvature.abs().max(1.0),
                "{alpha}: {curvature} {here:?}"
            );
        }
    }

    #[test]
    fn with_few_sites_nothing_is_said() {
        let found = estimate(&mixture(0.05, LEAST_SITES - 1, 30, 3));
        assert_eq!((found.share, found.sites), (None, LEAST_SITES - 1));
        assert_eq!(found.to_text("s").lines().last(), Some("s\tNA\tNA\t99"));
        assert!(found.reason().unwrap().contains("99 usable sites"));
        assert!(estimate(&mixture(0.05, LEAST_SITES, 30, 3)).share.is_some());
    }

    #[test]
    fn great_depth_and_odd_counts_give_numbers() {
        let deep: Vec<_> =
            (0..200).map(|i| (0.3, vec![Bin::new(Allele::Reference, 40, 1_000_000 + i)])).collect();
        let found = estimate(&deep);
        assert!(found.share.unwrap() < 1e-4, "{found:?}");
        let wrong: Vec<_> = (0..200).map(|_| (0.5, vec![Bin::new(Allele::Alternate, 0, 1)])).collect();
        let found = estimate(&wrong);
        assert!(found.share.unwrap().is_finite(), "{found:?}");
    }
}
