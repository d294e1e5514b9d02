//! The likelihood of a mixture of two people's reads at known sites, and where it is greatest.
//!
//! Three things are estimated together. The share of the contaminant's reads is what is wanted. The yield of alternate
//! bases beside the reference's (as a logarithm) is there because reads with an alternate base map less well: a
//! heterozygote out of balance looks like a mixture, and a contaminant's alternate bases are missed. The share of absent
//! sites, whose alternate base nobody has, is there because lists hold variants of other populations and errors of
//! mapping: each such site speaks for a contaminant without the alternate base.

use super::contamination::error_of;
use super::{Allele, Bin, MAX_QUALITY};

/// The largest share: beyond it, contaminant and sample change places.
pub const MAX_SHARE: f64 = 0.5;
/// The yield is between 1 and 2 times or half.
const MAX_YIELD: f64 = std::f64::consts::LN_2;
/// What the yield is taken to be without data: the logarithm is 0 give or take this (a heterozygote of 45 to 55 %).
const PRIOR_YIELD: f64 = 0.2;
/// No list is useless beyond this.
const MAX_ABSENT: f64 = 0.9;
/// A site where more of the bases are third ones has a third allele, not errors.
const MAX_THIRD: f64 = 0.1;
/// Where the search begins: the best of these.
const GRID: [f64; 16] =
    [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5];

/// A site that counts.
#[derive(Clone, Copy)]
pub struct Usable<'a> {
    /// Of the alternate base in the population, neither 0 nor 1.
    pub frequency: f64,
    /// Its bases.
    pub bins: &'a [Bin],
    /// Contig and stretch; sites of one stretch follow each other and are not independent.
    pub cluster: (usize, u32),
}

/// Where the likelihood is greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Share of the contaminant's reads, 0 to 0.5.
    pub share: f64,
    /// Its standard error, from the curvature of the log-likelihood at the estimate and the spread between clusters of
    /// sites (at 0: the share at which it falls by 0.5); `None` where neither can be had.
    pub standard_error: Option<f64>,
    /// Logarithm of how many alternate bases come for one reference base at a balanced heterozygote.
    pub yield_: f64,
    /// Share of the sites whose alternate base nobody has.
    pub absent: f64,
}

/// Logarithms of a base's probability in the nine pairs of genotypes, and their derivatives.
#[derive(Clone, Copy, Default)]
struct Cell {
    log: [f64; 9],
    /// By the share and by the yield.
    slope: [[f64; 9]; 2],
    /// By the share twice, by both, by the yield twice.
    second: [[f64; 9]; 3],
}

/// A site's part: logarithm of the likelihood where the alternate base exists, its derivatives (as in [`Cell`], of the
/// likelihood and divided by it), and the likelihood where it does not, divided by it.
#[derive(Clone, Copy)]
struct Term {
    log: f64,
    slope: [f64; 2],
    second: [f64; 3],
    absent: f64,
}

/// Log-likelihood and its derivatives by the share, the yield and the share of absent sites.
#[derive(Clone, Debug, Default)]
struct Likelihood {
    value: f64,
    absent: f64,
    slope: [f64; 3],
    second: [[f64; 3]; 3],
    /// The slopes of each cluster.
    clusters: Vec<[f64; 3]>,
}

/// Sites with what is known of their bases before anything is estimated.
pub struct Mixture<'a> {
    sites: &'a [Usable<'a>],
    /// How much more often bases are wrong than their qualities say.
    error: f64,
}

impl<'a> Mixture<'a> {
    /// Of these sites.
    pub fn new(sites: &'a [Usable<'a>]) -> Self {
        Self { sites, error: unstated_error(sites) }
    }

    /// Finds the maximum. Newton's steps from the best place of a grid; a step that leads down is halved.
    pub fn fit(&self) -> Fit {
        let (mut share, mut here) = (0.0, f64::NEG_INFINITY);
        for candidate in GRID {
            let value = self.value(candidate, 0.0);
            if value > here {
                (share, here) = (candidate, value);
            }
        }
        let mut at = [share, 0.0];
        let mut best = self.likelihood(at[0], at[1], None);
        for _ in 0..50 {
            let step = best.step(at);
            let mut scale = 1.0;
            let found = loop {
                let next = [
                    (at[0] + scale * step[0]).clamp(0.0, MAX_SHARE),
                    (at[1] + scale * step[1]).clamp(-MAX_YIELD, MAX_YIELD),
                ];
                let moved = (next[0] - at[0]).abs().max((next[1] - at[1]).abs());
                if moved < 1e-9 {
                    break None;
                }
                let there = self.likelihood(next[0], next[1], None);
                if there.value > best.value {
                    break Some((next, there));
                }
                scale /= 2.0;
            };
            let Some((next, there)) = found else { break };
            (at, best) = (next, there);
        }
        let [share, yield_] = at;
        let standard_error = best.standard_error(share).or_else(|| self.fall(share, yield_, best.value));
        Fit { share, standard_error, yield_, absent: best.absent }
    }

    /// At the border there is no curvature to go by: the share at which the likelihood falls as far as it does one
    /// standard error from a maximum.
    fn fall(&self, from: f64, yield_: f64, value: f64) -> Option<f64> {
        let falls = |share: f64| value - self.value(share, yield_) >= 0.5;
        if from > 0.0 || !falls(MAX_SHARE) {
            return None;
        }
        let (mut low, mut high) = (0.0, MAX_SHARE);
        for _ in 0..22 {
            let middle = (low + high) / 2.0;
            if falls(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    /// The log-likelihood with the likeliest share of absent sites.
    fn value(&self, share: f64, yield_: f64) -> f64 {
        let table = self.table(share, yield_);
        let terms: Vec<(f64, f64)> = self.sites.iter().map(|site| of_site(site, &table)).collect();
        let absent = likeliest_absent(&terms, |term| term.1);
        terms.iter().map(|(log, ratio)| log + (1.0 + absent * (ratio - 1.0)).ln()).sum::<f64>()
            + prior(yield_)
    }

    /// The log-likelihood and its derivatives, with this share of absent sites or the likeliest.
    fn likelihood(&self, share: f64, yield_: f64, absent: Option<f64>) -> Likelihood {
        let table = self.table(share, yield_);
        let terms: Vec<Term> = self.sites.iter().map(|site| Term::of(site, &table)).collect();
        let absent = absent.unwrap_or_else(|| likeliest_absent(&terms, |term| term.absent));
        let mut sum = Likelihood { absent, value: prior(yield_), ..Likelihood::default() };
        sum.slope[1] = -yield_ / (PRIOR_YIELD * PRIOR_YIELD);
        sum.second[1][1] = -1.0 / (PRIOR_YIELD * PRIOR_YIELD);
        let mut last = None;
        for (site, term) in self.sites.iter().zip(&terms) {
            if last != Some(site.cluster) {
                last = Some(site.cluster);
                sum.clusters.push([0.0; 3]);
            }
            sum.add(term);
        }
        sum
    }

    /// Cells by allele (reference, alternate) and quality.
    fn table(&self, share: f64, yield_: f64) -> Vec<Cell> {
        let mut table = vec![Cell::default(); 2 << 6];
        for quality in 0..=MAX_QUALITY {
            let error = (error_of(quality) + self.error).min(0.75);
            // Of a base's probability by that of the allele it was read from; an error shows each other base alike.
            let gain = 1.0 - 4.0 * error / 3.0;
            for i in 0..9 {
                let pair = [i / 3, i % 3].map(|alternates| alternates as f64 / 2.0);
                let (alternate, slope, second) = drawn(pair, share, yield_);
                let p = error / 3.0 + alternate * gain;
                for (row, p, gain) in [(0, 1.0 - 2.0 * error / 3.0 - p, -gain), (1, p, gain)] {
                    let cell = &mut table[row << 6 | usize::from(quality)];
                    let slope = slope.map(|slope| gain * slope / p);
                    let second = second.map(|second| gain * second / p);
                    cell.log[i] = p.ln();
                    (cell.slope[0][i], cell.slope[1][i]) = (slope[0], slope[1]);
                    cell.second[0][i] = second[0] - slope[0] * slope[0];
                    cell.second[1][i] = second[1] - slope[0] * slope[1];
                    cell.second[2][i] = second[2] - slope[1] * slope[1];
                }
            }
        }
        table
    }
}

impl Likelihood {
    fn add(&mut self, term: &Term) {
        let ratio = term.absent;
        let scale = 1.0 / (1.0 + self.absent * (ratio - 1.0));
        let exists = (1.0 - self.absent) * scale;
        let slope = [exists * term.slope[0], exists * term.slope[1], (ratio - 1.0) * scale];
        self.value += term.log - scale.ln();
        for i in 0..3 {
            self.slope[i] += slope[i];
            if let Some(cluster) = self.clusters.last_mut() {
                cluster[i] += slope[i];
            }
            for j in 0..3 {
                self.second[i][j] -= slope[i] * slope[j];
            }
        }
        for (i, j, second) in [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)] {
            self.second[i][j] += exists * term.second[second];
        }
        for i in 0..2 {
            // d/d absent of (1 - absent) slope / mixed, to which the product above has added a part.
            let cross = -term.slope[i] * ratio * scale * scale + slope[i] * slope[2];
            self.second[i][2] += cross;
            self.second[2][i] += cross;
        }
    }

    /// Second derivatives by share and yield along the ridge where the share of absent sites is the likeliest.
    fn along_ridge(&self) -> [[f64; 2]; 2] {
        let of = &self.second;
        let is_free = self.absent > 0.0 && self.absent < MAX_ABSENT && of[2][2] < 0.0;
        let follows = |i: usize, j: usize| if is_free { of[i][2] * of[2][j] / of[2][2] } else { 0.0 };
        [
            [of[0][0] - follows(0, 0), of[0][1] - follows(0, 1)],
            [of[1][0] - follows(1, 0), of[1][1] - follows(1, 1)],
        ]
    }

    /// Newton's step by share and yield; uphill by the slope where the likelihood does not curve downwards. A share at a
    /// border stays where the slope leads out.
    fn step(&self, at: [f64; 2]) -> [f64; 2] {
        let [[aa, ab], [_, bb]] = self.along_ridge();
        let uphill = |slope: f64, curvature: f64, most: f64| {
            if curvature < 0.0 { -slope / curvature } else { slope.signum() * most }
        };
        let leads_out =
            (at[0] <= 0.0 && self.slope[0] <= 0.0) || (at[0] >= MAX_SHARE && self.slope[0] >= 0.0);
        let determinant = aa * bb - ab * ab;
        if leads_out {
            [0.0, uphill(self.slope[1], bb, 0.1)]
        } else if aa < 0.0 && determinant > 0.0 {
            let [a, b] = [self.slope[0], self.slope[1]];
            [(ab * b - bb * a) / determinant, (ab * a - aa * b) / determinant]
        } else {
            [uphill(self.slope[0], aa, 0.05), uphill(self.slope[1], bb, 0.1)]
        }
    }

    /// The larger of what the curvature says and what clusters of sites, which go together, show (the sandwich of Huber
    /// and White); `None` at a border.
    fn standard_error(&self, share: f64) -> Option<f64> {
        let [[aa, ab], [_, bb]] = self.along_ridge();
        let curvature = aa - ab * ab / bb;
        if share <= 0.0 || !(bb < 0.0 && curvature < 0.0) {
            return None;
        }
        // What of a cluster's slopes by the other two goes with that by the share.
        let of = &self.second;
        let is_free = self.absent > 0.0 && self.absent < MAX_ABSENT && of[2][2] < 0.0;
        let by_yield = ab / bb;
        let by_absent = if is_free { (of[0][2] - by_yield * of[1][2]) / of[2][2] } else { 0.0 };
        let spread: f64 =
            self.clusters.iter().map(|[a, b, c]| (a - by_yield * b - by_absent * c).powi(2)).sum();
        Some((-curvature).sqrt().recip().max(spread.sqrt() / -curvature))
    }
}

impl Term {
    fn of(site: &Usable<'_>, table: &[Cell]) -> Self {
        let mut sum = Cell::default();
        for (n, of) in cells(site, table) {
            for i in 0..9 {
                sum.log[i] += n * of.log[i];
                for k in 0..2 {
                    sum.slope[k][i] += n * of.slope[k][i];
                }
                for k in 0..3 {
                    sum.second[k][i] += n * of.second[k][i];
                }
            }
        }
        let (log, weights) = weigh(site.frequency, &sum.log);
        let mut term = Self { log, slope: [0.0; 2], second: [0.0; 3], absent: (sum.log[0] - log).exp() };
        for (i, weight) in weights.into_iter().enumerate() {
            let (a, b) = (sum.slope[0][i], sum.slope[1][i]);
            term.slope[0] += weight * a;
            term.slope[1] += weight * b;
            term.second[0] += weight * (a * a + sum.second[0][i]);
            term.second[1] += weight * (a * b + sum.second[1][i]);
            term.second[2] += weight * (b * b + sum.second[2][i]);
        }
        term
    }
}

/// A site's `log` and `absent` as of [`Term`].
fn of_site(site: &Usable<'_>, table: &[Cell]) -> (f64, f64) {
    let mut logs = [0.0; 9];
    for (n, of) in cells(site, table) {
        logs.iter_mut().zip(of.log).for_each(|(sum, log)| *sum += n * log);
    }
    let (log, _) = weigh(site.frequency, &logs);
    (log, (logs[0] - log).exp())
}

/// How many of each kind of base, and its cell. A third base says nothing of either genotype.
fn cells<'a>(site: &Usable<'a>, table: &'a [Cell]) -> impl Iterator<Item = (f64, &'a Cell)> {
    site.bins.iter().filter_map(|bin| {
        let row = match bin.allele() {
            Allele::Reference => 0,
            Allele::Alternate => 1,
            Allele::Other => return None,
        };
        Some((f64::from(bin.count), table.get(row << 6 | usize::from(bin.quality()))?))
    })
}

/// The logarithm of the sum over pairs of genotypes, drawn by Hardy-Weinberg, and each one's part of it.
fn weigh(frequency: f64, logs: &[f64; 9]) -> (f64, [f64; 9]) {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let reference = 1.0 - frequency;
    let genotypes = [reference * reference, 2.0 * frequency * reference, frequency * frequency];
    let weights: [f64; 9] =
        std::array::from_fn(|i| genotypes[i / 3] * genotypes[i % 3] * (logs[i] - most).exp());
    let total: f64 = weights.iter().sum();
    (most + total.ln(), weights.map(|weight| weight / total))
}

/// The probability that a base is drawn from an alternate allele, where sample and contaminant have these shares of
/// alternate alleles; its first derivatives by share and yield, and the second ones.
fn drawn(pair: [f64; 2], share: f64, yield_: f64) -> (f64, [f64; 2], [f64; 3]) {
    let (alternate, by_share) = ((1.0 - share) * pair[0] + share * pair[1], pair[1] - pair[0]);
    let ratio = yield_.exp();
    let scale = 1.0 / (1.0 - alternate + ratio * alternate);
    let found = ratio * alternate * scale;
    let slope = ratio * scale * scale;
    let by_yield = found * (1.0 - found);
    (
        found,
        [slope * by_share, by_yield],
        [
            -2.0 * (ratio - 1.0) * scale * slope * by_share * by_share,
            slope * (1.0 - 2.0 * found) * by_share,
            by_yield * (1.0 - 2.0 * found),
        ],
    )
}

fn prior(yield_: f64) -> f64 {
    -0.5 * (yield_ / PRIOR_YIELD).powi(2)
}

/// The likeliest share of absent sites: a mixture's weight, so there is no other maximum.
fn likeliest_absent<T>(terms: &[T], ratio: impl Fn(&T) -> f64) -> f64 {
    let (mut low, mut high, mut absent) = (0.0, MAX_ABSENT, 0.0);
    for _ in 0..60 {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for term in terms {
            let more = ratio(term) - 1.0;
            let by_absent = more / (1.0 + absent * more);
            slope += by_absent;
            curvature -= by_absent * by_absent;
        }
        if slope > 0.0 {
            low = absent;
        } else {
            high = absent;
        }
        if high <= 0.0 {
            return 0.0;
        }
        let newton = absent - slope / curvature;
        let next = if newton > low && newton < high { newton } else { (low + high) / 2.0 };
        let step = (next - absent).abs();
        absent = next;
        if step < 1e-10 {
            break;
        }
    }
    absent
}

/// How much more often bases are wrong than their qualities say, told from third bases, which no genotype makes; 0 where
/// they are not more than stated.
fn unstated_error(sites: &[Usable<'_>]) -> f64 {
    let (mut third, mut stated, mut bases) = (0.0, 0.0, 0.0);
    for site in sites {
        let count = |is: fn(Allele) -> bool| -> f64 {
            site.bins.iter().filter(|bin| is(bin.allele())).map(|bin| f64::from(bin.count)).sum()
        };
        let (others, all) = (count(|allele| allele == Allele::Other), count(|_| true));
        if others > 1.0 && others > MAX_THIRD * all {
            continue;
        }
        third += others;
        bases += all;
        stated += site.bins.iter().map(|bin| f64::from(bin.count) * error_of(bin.quality())).sum::<f64>();
    }
    if bases > 0.0 { ((1.5 * third - stated) / bases).max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sites of all kinds of bases, as they come.
    fn bins() -> Vec<(f64, Vec<Bin>)> {
        let (r, a) = (Allele::Reference, Allele::Alternate);
        let of = |frequency, counts: [(Allele, u8, u32); 3]| {
            (frequency, counts.map(|(allele, quality, n)| Bin::new(allele, quality, n)).to_vec())
        };
        let mut sites = Vec::new();
        for i in 0..40u32 {
            sites.push(of(0.3, [(r, 30, 20 + i % 3), (r, 20, i % 4), (a, 30, u32::from(i % 9 == 0))]));
            sites.push(of(0.4, [(r, 37, 9 + i % 5), (a, 37, 11 - i % 4), (a, 14, 1)]));
            sites.push(of(0.7, [(r, 37, i % 3), (a, 37, 21 + i % 4), (a, 25, 1)]));
            sites.push(of(0.9, [(r, 37, 17), (r, 25, 3), (r, 14, 1)]));
        }
        sites
    }

    fn usable(sites: &[(f64, Vec<Bin>)]) -> Vec<Usable<'_>> {
        let sites = sites.iter().enumerate();
        sites
            .map(|(i, (frequency, bins))| Usable { frequency: *frequency, bins, cluster: (i / 3, 0) })
            .collect()
    }

    #[test]
    fn the_derivatives_are_those_of_the_likelihood() {
        let bins = bins();
        let sites = usable(&bins);
        let mixture = Mixture::new(&sites);
        let at = |x: [f64; 3]| mixture.likelihood(x[0], x[1], Some(x[2]));
        for x in [[0.01, 0.0, 0.1], [0.05, -0.2, 0.01], [0.2, 0.1, 0.5], [0.45, -0.05, 0.2]] {
            let here = at(x);
            let of_clusters = here.clusters.iter().map(|slopes| slopes[0]).sum::<f64>();
            assert!((of_clusters - here.slope[0]).abs() < 1e-6);
            for i in 0..3 {
                let h = 1e-5;
                let [mut less, mut more] = [x, x];
                (less[i], more[i]) = (x[i] - h, x[i] + h);
                let (less, more) = (at(less), at(more));
                let near =
                    |found: f64, expected: f64| (found - expected).abs() < 1e-3 * expected.abs().max(1.0);
                let slope = (more.value - less.value) / (2.0 * h);
                assert!(near(here.slope[i], slope), "{x:?} {i}: {slope} {here:?}");
                for j in 0..3 {
                    let second = (more.slope[j] - less.slope[j]) / (2.0 * h);
                    assert!(near(here.second[i][j], second), "{x:?} {i} {j}: {second} {here:?}");
                }
            }
        }
    }

    #[test]
    fn the_fit_is_a_maximum() {
        let bins = bins();
        let sites = usable(&bins);
        let mixture = Mixture::new(&sites);
        let fit = mixture.fit();
        assert!(fit.share > 0.001 && fit.absent > 0.1, "{fit:?}");
        let best = mixture.value(fit.share, fit.yield_);
        for (share, yield_) in
            [(1e-4, 0.0), (-1e-4, 0.0), (0.0, 1e-3), (0.0, -1e-3), (1e-4, 1e-3), (0.2, 0.0)]
        {
            let there = mixture.value(fit.share + share, fit.yield_ + yield_);
            assert!(there <= best, "{share} {yield_}: {there} > {best} {fit:?}");
        }
        for share in GRID {
            assert!(mixture.value(share, fit.yield_) <= best, "{share}");
        }
    }

    #[test]
    fn third_bases_tell_unstated_errors() {
        let site =
            |others| (0.3, vec![Bin::new(Allele::Reference, 40, 996), Bin::new(Allele::Other, 40, others)]);
        let error = |sites: &[(f64, Vec<Bin>)]| unstated_error(&usable(sites));
        // By hand: 4 third bases in 1000 are 6 errors, of which 0.1 are stated.
        assert!((error(&vec![site(4); 9]) - 0.0059).abs() < 1e-9);
        assert_eq!(error(&vec![site(0); 9]), 0.0);
        // A third allele is no error.
        assert_eq!(error(&[site(0), site(996), site(0)]), 0.0);
        assert_eq!(error(&[]), 0.0);
    }
}
