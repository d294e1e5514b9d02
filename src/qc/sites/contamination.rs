//! The share of a sample's reads that come from another person, from the bases at known sites.
//!
//! verifyBamID's sequence-only model (Jun et al. 2012, doi:10.1016/j.ajhg.2012.09.004): at each site the sample has a
//! genotype g1 and the contaminant g2, both drawn by Hardy-Weinberg from the population's frequency; a base comes from
//! the contaminant with probability alpha. The likelihood of alpha is the product over sites of the sum over g1 and g2.
//! Estimated with it are the share of listed sites whose alternate base nobody has, how well reads with an alternate base
//! are found, and how much more often than their qualities say bases are wrong (`mixture`); each of them left out makes a
//! bias of up to a fifth, and costs nothing where there is nothing of it.
//! Neighbouring sites are inherited together, which the model leaves out: it makes the estimate less sure, not biased over
//! many people, and the standard error counts it. A contaminant who is a relative looks like less than it is.
//! Not for tumours (their copy numbers look like contamination), nor where the list is of another population.

use std::fmt::Write;

use super::list::SiteList;
use super::mixture::{Fit, Mixture, Usable};
use super::{Allele, SiteCounts};
use crate::genome::contigs::Contig;
use crate::genome::contigs::ContigRole;

/// With fewer sites nothing is said.
pub const LEAST_SITES: usize = 100;
/// Sites whose alternate base is rarer than this, or more frequent than 1 less this, do not count.
const LEAST_FREQUENCY: f64 = 0.01;
/// Sites of one stretch of so many bases are not independent: haplotypes are about as long.
const CLUSTER: u32 = 100_000;
/// No base is surer than this (Phred): mapping and preparation go wrong too.
const MAX_USED_QUALITY: u8 = 40;

/// A contamination estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contamination {
    /// Share of the reads that are another person's, 0 to 0.5; `None` where it cannot be told.
    pub share: Option<f64>,
    /// Its standard error, from the curvature of the log-likelihood at the estimate and the spread between clusters of
    /// sites (at 0: the share at which it falls by 0.5); `None` where neither can be had.
    pub standard_error: Option<f64>,
    /// Usable sites: on autosomes, with a base, common enough.
    pub sites: usize,
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
            return Self { share: None, standard_error: None, sites: sites.len() };
        }
        let Fit { share, standard_error, .. } = Mixture::new(sites).fit();
        Self { share: Some(share), standard_error, sites: sites.len() }
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
pub(super) fn error_of(quality: u8) -> f64 {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Bin;
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

    /// A mixture of two people, as the model says but for what is set otherwise.
    #[derive(Clone, Copy, Debug)]
    struct Simulation {
        share: f64,
        sites: usize,
        depth: usize,
        /// Share of the sites where nobody has the alternate base.
        absent: f64,
        /// Alternate bases that come for one reference base at a heterozygote.
        ratio: f64,
        /// Probability of an error beyond that of the quality.
        error: f64,
        /// Sites that follow each other on the same haplotypes.
        linked: usize,
        /// How far the people's frequencies may be off the listed ones, up or down.
        off: f64,
    }

    const PLAIN: Simulation = Simulation {
        share: 0.0,
        sites: 4000,
        depth: 25,
        absent: 0.0,
        ratio: 1.0,
        error: 0.0,
        linked: 1,
        off: 0.0,
    };

    impl Simulation {
        /// Frequency and bins by site.
        fn make(&self, seed: u64) -> Vec<(f64, Vec<Bin>)> {
            let mut random = Random(seed);
            let mut sites: Vec<(f64, Vec<Bin>)> = Vec::new();
            let (mut frequency, mut genotypes, mut is_absent) = (0.0, [0; 2], false);
            for i in 0..self.sites {
                if i % self.linked == 0 {
                    frequency = 0.05 + 0.9 * random.next();
                    let real = (frequency + self.off * (2.0 * random.next() - 1.0)).clamp(0.0, 1.0);
                    is_absent = random.next() < self.absent;
                    genotypes = [random.genotype(real), random.genotype(real)];
                }
                let bases = (0..self.depth).map(|_| self.base(&mut random, genotypes, is_absent));
                sites.push((frequency, super::super::add(&bases.collect::<Vec<_>>(), &[])));
            }
            sites
        }

        fn base(&self, random: &mut Random, genotypes: [usize; 2], is_absent: bool) -> Bin {
            // A read with an alternate base that does not map is as if it had not been drawn.
            let mut alternate = loop {
                let genotype = genotypes[usize::from(random.next() < self.share)];
                let alternate = !is_absent && random.next() < genotype as f64 / 2.0;
                let yield_ = if alternate { self.ratio } else { 1.0 };
                if random.next() * self.ratio.max(1.0) < yield_ {
                    break alternate;
                }
            };
            let quality = [20, 30, 37][(random.next() * 3.0) as usize];
            let mut is_third = false;
            if random.next() < error_of(quality) + self.error {
                alternate = !alternate;
                is_third = random.next() > 1.0 / 3.0;
            }
            let allele = match (is_third, alternate) {
                (true, _) => Allele::Other,
                (false, true) => Allele::Alternate,
                (false, false) => Allele::Reference,
            };
            Bin::new(allele, quality, 1)
        }
    }

    /// Mean error of the estimate over eight mixtures, in percentage points, and how often the truth is within two
    /// standard errors.
    fn bias(simulation: Simulation) -> (f64, usize) {
        let (mut sum, mut within) = (0.0, 0);
        for seed in 0..8 {
            let found = estimate(&simulation.make(100 + seed));
            let (share, error) = (found.share.unwrap(), found.standard_error.unwrap());
            sum += 100.0 * (share - simulation.share) / 8.0;
            within += usize::from((share - simulation.share).abs() <= 2.0 * error);
        }
        (sum, within)
    }

    fn usable(sites: &[(f64, Vec<Bin>)]) -> Vec<Usable<'_>> {
        let sites = sites.iter().enumerate();
        sites
            .map(|(i, (frequency, bins))| Usable { frequency: *frequency, bins, cluster: (i / 4, 0) })
            .collect()
    }

    fn estimate(sites: &[(f64, Vec<Bin>)]) -> Contamination {
        Contamination::from_sites(&usable(sites))
    }

    #[test]
    fn simulated_mixtures_are_found() {
        for share in [0.0, 0.005, 0.02, 0.06, 0.2] {
            let plain = Simulation { share, ..PLAIN };
            for (what, simulation) in [
                ("plain", plain),
                // Lists hold variants that nobody here has.
                ("absent", Simulation { absent: 0.05, ..plain }),
                // Heterozygotes of 46 % alternate bases, as where reads are long of differences.
                ("yield", Simulation { ratio: 0.85, ..plain }),
                // As many errors as at quality 30, whatever is stated.
                ("error", Simulation { error: 0.001, ..plain }),
                ("all", Simulation { absent: 0.05, ratio: 0.85, error: 0.001, ..plain }),
            ] {
                let (bias, within) = bias(simulation);
                assert!(bias.abs() < 0.1 + 2.0 * share, "{share} {what}: {bias:.3} percentage points");
                assert!(within >= 6, "{share} {what}: {within} of 8 within two standard errors");
            }
        }
    }

    #[test]
    fn linked_sites_and_other_frequencies_make_the_estimate_less_sure_not_wrong() {
        for share in [0.0, 0.02, 0.06] {
            for simulation in
                [Simulation { share, linked: 4, ..PLAIN }, Simulation { share, off: 0.05, ..PLAIN }]
            {
                let (bias, _) = bias(simulation);
                assert!(bias.abs() < 0.1 + 5.0 * share, "{simulation:?}: {bias:.3} percentage points");
            }
        }
    }

    #[test]
    fn with_few_sites_nothing_is_said() {
        let few = Simulation { share: 0.05, sites: LEAST_SITES - 1, depth: 30, ..PLAIN };
        let found = estimate(&few.make(3));
        assert_eq!((found.share, found.sites), (None, LEAST_SITES - 1));
        assert_eq!(found.to_text("s").lines().last(), Some("s\tNA\tNA\t99"));
        assert!(found.reason().unwrap().contains("99 usable sites"));
        assert!(estimate(&Simulation { sites: LEAST_SITES, ..few }.make(3)).share.is_some());
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
