//! The share of a sample's reads that come from another person, from the bases at known sites.
//!
//! verifyBamID's sequence-only model (Jun et al. 2012, doi:10.1016/j.ajhg.2012.09.004): at each site the sample has a
//! genotype g1 and the contaminant g2, both drawn by Hardy-Weinberg from the population's frequency; a base comes from
//! the contaminant with probability alpha. The likelihood of alpha is the product over sites of the sum over g1 and g2.
//! A share of the listed sites, estimated with alpha, is taken to have no alternate base in anybody: lists hold variants
//! that are absent here (other populations' ones, errors of mapping), and each of them speaks for a contaminant without
//! one. In mixtures of simulated people 1 to 20 % that brings the bias from -0.1 to -1.0 percentage points within 0.12;
//! where all sites vary it costs nothing.
//! Neighbouring sites are inherited together, which the model leaves out: it makes the estimate less sure, not biased over
//! many people, and the standard error counts it. A contaminant who is a relative looks like less than it is.
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
/// Sites of one stretch of so many bases are not independent: haplotypes are about as long.
const CLUSTER: u32 = 100_000;
/// No base is surer than this (Phred): mapping and preparation go wrong too.
const MAX_USED_QUALITY: u8 = 40;
/// No list is useless beyond this.
const MAX_ABSENT: f64 = 0.9;
/// Turns between the two shares; five are usual.
const MOST_TURNS: usize = 30;
/// Where the search begins: the best of these.
const GRID: [f64; 16] =
    [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5];

/// A contamination estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contamination {
    /// Share of the reads that are another person's, 0 to 0.5; `None` where it cannot be told.
    pub share: Option<f64>,
    /// Its standard error, from the curvature of the log-likelihood at the estimate and the spread between clusters of
    /// sites (at 0: the share at which it falls by 0.5); `None` where neither can be had.
    pub standard_error: Option<f64>,
    /// Share of the sites that have no alternate base in anybody; 0 where there is no estimate.
    pub absent: f64,
    /// Usable sites: on autosomes, with a base, common enough.
    pub sites: usize,
}

/// A site that counts.
#[derive(Clone, Copy)]
struct Usable<'a> {
    /// Of the alternate base in the population.
    frequency: f64,
    bins: &'a [Bin],
    /// Contig and stretch.
    cluster: (usize, u32),
}

/// Logarithms of a base's probability, and what the derivatives by alpha are made of, for the nine pairs of genotypes.
#[derive(Clone, Copy, Default)]
struct Cell {
    log: [f64; 9],
    slope: [f64; 9],
    square: [f64; 9],
}

/// Log-likelihood with its derivatives by alpha and by the share of absent sites.
#[derive(Clone, Copy, Debug, Default)]
struct Likelihood {
    value: f64,
    slope: f64,
    curvature: f64,
    /// First and second derivative by the share of absent sites, and the one by both.
    absent: (f64, f64, f64),
    /// Sum over clusters of the square of their slope.
    spread: f64,
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
                let cluster = (contig, site.position / CLUSTER);
                sites.push(Usable { frequency: site.frequency, bins, cluster });
            }
        }
        Self::from_sites(&sites)
    }

    /// Estimates from usable sites, in this order.
    fn from_sites(sites: &[Usable<'_>]) -> Self {
        if sites.len() < LEAST_SITES {
            return Self { share: None, standard_error: None, absent: 0.0, sites: sites.len() };
        }
        // In turns: the likeliest alpha with the share of absent sites as it is, and the other way round.
        let (mut alpha, mut absent) = (maximise(&GRID, |alpha| likelihood(alpha, 0.0, sites)), 0.0);
        for _ in 0..MOST_TURNS {
            let before = (alpha, absent);
            absent = maximise_absent(alpha, absent, sites);
            alpha = maximise(&near(alpha), |alpha| likelihood(alpha, absent, sites));
            if (alpha - before.0).abs() < 1e-6 && (absent - before.1).abs() < 1e-5 {
                break;
            }
        }
        let here = likelihood(alpha, absent, sites);
        // The curvature along the ridge on which the share of absent sites follows alpha.
        let (_, own, cross) = here.absent;
        let curvature =
            if absent > 0.0 && own < 0.0 { here.curvature - cross * cross / own } else { here.curvature };
        let standard_error = if alpha > 0.0 && curvature < 0.0 {
            // The larger of what the curvature says and what clusters of sites, which go together, show (the sandwich of
            // Huber and White).
            let (model, clusters) = ((-curvature).sqrt().recip(), here.spread.sqrt() / -curvature);
            Some(model.max(clusters))
        } else {
            // At the border there is no curvature to go by: the share at which the likelihood falls as far as it does
            // one standard error from a maximum.
            let falls = |alpha: f64| here.value - likelihood(alpha, absent, sites).value >= 0.5;
            falls(MAX_SHARE).then(|| {
                let (mut low, mut high) = (0.0, MAX_SHARE);
                for _ in 0..40 {
                    let middle = (low + high) / 2.0;
                    if falls(middle) { high = middle } else { low = middle }
                }
                high
            })
        };
        Self { share: Some(alpha), standard_error, absent, sites: sites.len() }
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

/// Places around a share, within the borders, ascending.
fn near(alpha: f64) -> [f64; 3] {
    [(alpha / 1.5).min(alpha - 0.002).max(0.0), alpha, (alpha * 1.5).max(alpha + 0.002).min(MAX_SHARE)]
}

/// The alpha of the greatest likelihood: from the best place of a grid between its neighbours, where the slope goes
/// through zero, or at a border.
fn maximise(grid: &[f64], at: impl Fn(f64) -> Likelihood) -> f64 {
    let points: Vec<Likelihood> = grid.iter().map(|&alpha| at(alpha)).collect();
    let mut best = 0;
    for (i, point) in points.iter().enumerate() {
        if point.value > points[best].value {
            best = i;
        }
    }
    let (mut low, mut high) = (grid[best.saturating_sub(1)], grid[(best + 1).min(grid.len() - 1)]);
    let (mut alpha, mut here) = (grid[best], points[best]);
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
    alpha
}

/// The share of absent sites of the greatest likelihood, which has no other maximum: it is a mixture's weight.
fn maximise_absent(alpha: f64, begin: f64, sites: &[Usable<'_>]) -> f64 {
    let (mut low, mut high, mut absent) = (0.0, MAX_ABSENT, begin);
    for _ in 0..60 {
        let (slope, curvature, _) = likelihood(alpha, absent, sites).absent;
        if slope > 0.0 {
            low = absent;
        } else {
            high = absent;
        }
        let newton = absent - slope / curvature;
        let next = if curvature < 0.0 && newton > low && newton < high {
            newton
        } else if low == 0.0 && high < 1e-7 {
            0.0
        } else {
            (low + high) / 2.0
        };
        let step = (next - absent).abs();
        absent = next;
        if step < 1e-7 {
            break;
        }
    }
    absent
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

/// The log-likelihood of alpha and the share of absent sites, summed in the order of the sites.
fn likelihood(alpha: f64, absent: f64, sites: &[Usable<'_>]) -> Likelihood {
    let table = table(alpha);
    let mut sum = Likelihood::default();
    let (mut last, mut of_cluster) = (None, 0.0);
    for &Usable { frequency, bins, cluster } in sites {
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
        // Where nobody has the alternate base, alpha does not matter.
        let nobody = (cell.log[0] - most).exp();
        let mixed = (1.0 - absent) * total + absent * nobody;
        let by_absent = (nobody - total) / mixed;
        sum.absent.0 += by_absent;
        sum.absent.1 -= by_absent * by_absent;
        let of_both = -slope / mixed;
        let (slope, second) = ((1.0 - absent) * slope / mixed, (1.0 - absent) * second / mixed);
        sum.absent.2 += of_both - by_absent * slope;
        if last != Some(cluster) {
            sum.spread += of_cluster * of_cluster;
            (last, of_cluster) = (Some(cluster), 0.0);
        }
        of_cluster += slope;
        sum.value += mixed.ln() + most;
        sum.slope += slope;
        sum.curvature += second - slope * slope;
    }
    sum.spread += of_cluster * of_cluster;
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

    fn usable(sites: &[(f64, Vec<Bin>)]) -> Vec<Usable<'_>> {
        let sites = sites.iter().enumerate();
        sites.map(|(i, (frequency, bins))| Usable { frequency: *frequency, bins, cluster: (i, 0) }).collect()
    }

    fn estimate(sites: &[(f64, Vec<Bin>)]) -> Contamination {
        Contamination::from_sites(&usable(sites))
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
    fn sites_that_vary_in_nobody_do_not_hide_a_contaminant() {
        for (share, seed) in [(0.0, 11), (0.02, 12), (0.06, 13), (0.2, 14)] {
            let mut sites = mixture(share, 4000, 25, seed);
            // One in twenty is listed and absent: all bases are the reference's, whatever the frequency.
            for (_, bins) in sites.iter_mut().step_by(20) {
                *bins = vec![Bin::new(Allele::Reference, 37, 25)];
            }
            let found = estimate(&sites);
            let (alpha, error) = (found.share.unwrap(), found.standard_error.unwrap());
            assert!((alpha - share).abs() < 0.002f64.max(4.0 * error), "{share}: {found:?}");
            assert!((found.absent - 0.05).abs() < 0.02 && error < 0.01, "{share}: {found:?}");
        }
    }

    #[test]
    fn the_derivatives_are_those_of_the_likelihood() {
        let sites = mixture(0.05, 300, 12, 9);
        let sites = usable(&sites);
        for alpha in [0.01, 0.05, 0.2, 0.45] {
            let h = 1e-5;
            let at = |alpha, absent| likelihood(alpha, absent, &sites);
            let [before, here, behind] = [alpha - h, alpha, alpha + h].map(|alpha| at(alpha, 0.1));
            let slope = (behind.value - before.value) / (2.0 * h);
            let curvature = (behind.slope - before.slope) / (2.0 * h);
            assert!((slope - here.slope).abs() < 1e-3 * slope.abs().max(1.0), "{alpha}: {slope} {here:?}");
            assert!(
                (curvature - here.curvature).abs() < 1e-3 * curvature.abs().max(1.0),
                "{alpha}: {curvature} {here:?}"
            );
            let [less, more] = [0.1 - h, 0.1 + h].map(|absent| at(alpha, absent));
            for (found, expected) in [
                (here.absent.0, (more.value - less.value) / (2.0 * h)),
                (here.absent.1, (more.absent.0 - less.absent.0) / (2.0 * h)),
                (here.absent.2, (more.slope - less.slope) / (2.0 * h)),
            ] {
                assert!(
                    (found - expected).abs() < 1e-3 * expected.abs().max(1.0),
                    "{alpha}: {found} {expected}"
                );
            }
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
