//! Relatedness between fingerprints: are two files of one person, of relatives, of strangers, and is that as expected?
//!
//! The relation comes of genotype likelihoods (`joint`), so it is right at any depth; the limits between degrees are
//! KING's (Manichaikul et al. 2010, doi:10.1093/bioinformatics/btq559). Beside it stand somalier's figures (Pedersen et
//! al. 2020, doi:10.1186/s13073-020-00761-2), which count genotypes. Sites are those of chromosomes other than X, Y and
//! the mitochondrion; those of X are counted apart.

pub mod fingerprints;
pub mod joint;
pub mod pedigree;
pub mod text;

use fingerprints::{Fingerprints, Sample};
use joint::Joint;
use pedigree::Pedigree;

/// With fewer sites or heterozygous sites in either sample nothing is said of a pair's relation.
const LEAST_SITES: u32 = 100;
/// See [`LEAST_SITES`].
const LEAST_HETS: f64 = 20.0;
/// Where nothing is said of the relation: from this logarithm (base 10) of the odds on two files are of one person, and
/// below its negative they are not.
const SURE_ODDS: f64 = 3.0;
/// Frequencies nearer to 0 or 1 count as this: a person can have an allele that nobody had before.
const LEAST_FREQUENCY: f64 = 0.001;
/// From here on one person (KING: kinship 0.354, which is half of this).
const IDENTICAL: f64 = 0.708;
/// From here on first degree.
const FIRST_DEGREE: f64 = 0.354;
/// From here on second degree; below it no relation is told from none.
const SECOND_DEGREE: f64 = 0.177;
/// Parent and child share an allele everywhere, siblings lack one at a quarter of the sites where strangers do: the
/// border between them, as the share of the opposite homozygotes that strangers would have.
const PARENT_CHILD: f64 = 0.1;
/// Where the fingerprints have no frequencies: the border as opposite homozygotes to heterozygous sites.
const PARENT_CHILD_TO_HETS: f64 = 0.012;

/// How two samples are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// One person (or monozygotic twins).
    Identical,
    /// Parent and child.
    ParentChild,
    /// Full siblings.
    Sibling,
    /// Half siblings, grandparent, aunt or uncle.
    SecondDegree,
    /// No relation, or a more distant one.
    Unrelated,
    /// Too few sites.
    Unknown,
}

impl Relation {
    /// The word in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::ParentChild => "parent-child",
            Self::Sibling => "sibling",
            Self::SecondDegree => "second-degree",
            Self::Unrelated => "unrelated",
            Self::Unknown => "unknown",
        }
    }
}

/// Figures of a pair of samples. Counts are of sites where both have a genotype of quality and depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The first sample's place.
    pub a: usize,
    /// The second sample's place.
    pub b: usize,
    /// (shared_hets - 2 ibs0) / min(hets_a, hets_b) of the counts: 1 for one person, 0.5 in the first degree, 0 for
    /// strangers (and less for strangers of different origin).
    pub relatedness: f64,
    /// (shared_hom_alts - 2 ibs0) / min(hom_alts_a, hom_alts_b).
    pub hom_concordance: f64,
    /// Opposite homozygotes: no allele shared.
    pub ibs0: u32,
    /// The same genotype.
    pub ibs2: u32,
    /// Heterozygous in the first.
    pub hets_a: u32,
    /// Heterozygous in the second.
    pub hets_b: u32,
    /// Heterozygous in both.
    pub shared_hets: u32,
    /// Homozygous for the alternate allele in the first.
    pub hom_alts_a: u32,
    /// Homozygous for the alternate allele in the second.
    pub hom_alts_b: u32,
    /// Homozygous for the alternate allele in both.
    pub shared_hom_alts: u32,
    /// Sites.
    pub n: u32,
    /// Opposite homozygotes on X.
    pub x_ibs0: u32,
    /// Same genotypes on X.
    pub x_ibs2: u32,
    /// The same from the likelihoods of all sites, called or not.
    pub joint: Joint,
    /// Logarithm (base 10) of how much likelier the bases are of one person than of two strangers, where the sites are
    /// too few for a relation and have frequencies.
    pub odds: Option<f64>,
    /// What the likelihoods say.
    pub relation: Relation,
    /// What the pedigree says; `None` where it does not name both.
    pub expected: Option<Expected>,
}

/// What a pedigree says of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// The coefficient of relationship, 0 to 1.
    pub relatedness: f64,
    /// The relation.
    pub relation: Relation,
}

impl Pair {
    /// One allele shared.
    pub fn ibs1(&self) -> u32 {
        self.n - self.ibs0 - self.ibs2
    }

    /// Whether the figures are other than the pedigree says; `None` where one of them says nothing. Few sites can still
    /// tell whether two files are of one person.
    pub fn is_mismatch(&self) -> Option<bool> {
        let expected = self.expected?.relation;
        match (self.relation, expected) {
            (Relation::Unknown, Relation::Identical) => {
                self.odds.filter(|odds| odds.abs() >= SURE_ODDS).map(|odds| odds < 0.0)
            }
            (Relation::Unknown, _) => None,
            (relation, expected) => Some(relation != expected),
        }
    }
}

/// All pairs, in the samples' order.
pub fn pairs(fingerprints: &Fingerprints, pedigree: Option<&Pedigree>) -> Vec<Pair> {
    let samples = fingerprints.samples();
    let mut pairs = Vec::new();
    for (a, first) in samples.iter().enumerate() {
        for (b, second) in samples.iter().enumerate().skip(a + 1) {
            let mut pair = count(fingerprints, first, second);
            (pair.a, pair.b) = (a, b);
            pair.joint = Joint::estimate(first, second, fingerprints.autosomal());
            pair.relation = infer(fingerprints, first, second, &pair.joint);
            if pair.relation == Relation::Unknown {
                pair.odds = odds(fingerprints, first, second);
            }
            pair.expected = if first.name == second.name {
                Some(Expected { relatedness: 1.0, relation: Relation::Identical })
            } else {
                pedigree.and_then(|pedigree| pedigree.expected(&first.name, &second.name))
            };
            pairs.push(pair);
        }
    }
    pairs
}

fn count(fingerprints: &Fingerprints, a: &Sample, b: &Sample) -> Pair {
    let (autosomal, x) = (fingerprints.autosomal(), fingerprints.x());
    let sum = |mask: &[u64], of: &dyn Fn([u64; 3], [u64; 3]) -> u64| {
        let words = mask.iter().zip(&a.genotypes).zip(&b.genotypes);
        words.map(|((mask, a), b)| (mask & of(*a, *b)).count_ones()).sum::<u32>()
    };
    let known = |g: [u64; 3]| g[0] | g[1] | g[2];
    let opposite = |a: [u64; 3], b: [u64; 3]| a[0] & b[2] | a[2] & b[0];
    let same = |a: [u64; 3], b: [u64; 3]| a[0] & b[0] | a[1] & b[1] | a[2] & b[2];
    let ibs0 = sum(autosomal, &opposite);
    let (hets_a, hets_b) = (sum(autosomal, &|a, b| a[1] & known(b)), sum(autosomal, &|a, b| known(a) & b[1]));
    let shared_hets = sum(autosomal, &|a, b| a[1] & b[1]);
    let (hom_alts_a, hom_alts_b) =
        (sum(autosomal, &|a, b| a[2] & known(b)), sum(autosomal, &|a, b| known(a) & b[2]));
    let shared_hom_alts = sum(autosomal, &|a, b| a[2] & b[2]);
    let share = |shared: u32, a: u32, b: u32| {
        (f64::from(shared) - 2.0 * f64::from(ibs0)) / f64::from(a.min(b).max(1))
    };
    Pair {
        a: 0,
        b: 0,
        relatedness: share(shared_hets, hets_a, hets_b),
        hom_concordance: share(shared_hom_alts, hom_alts_a, hom_alts_b),
        ibs0,
        ibs2: sum(autosomal, &same),
        hets_a,
        hets_b,
        shared_hets,
        hom_alts_a,
        hom_alts_b,
        shared_hom_alts,
        n: sum(autosomal, &|a, b| known(a) & known(b)),
        x_ibs0: sum(x, &opposite),
        x_ibs2: sum(x, &same),
        joint: Joint::default(),
        odds: None,
        relation: Relation::Unknown,
        expected: None,
    }
}

fn infer(fingerprints: &Fingerprints, a: &Sample, b: &Sample, joint: &Joint) -> Relation {
    let sites = f64::from(joint.sites);
    let [hets_a, hets_b] = joint.hets().map(|share| share * sites);
    let (hets, relatedness) = (hets_a.min(hets_b), joint.relatedness());
    if joint.sites < LEAST_SITES || hets < LEAST_HETS {
        Relation::Unknown
    } else if relatedness >= IDENTICAL {
        Relation::Identical
    } else if relatedness >= FIRST_DEGREE {
        let shares_everywhere = match strangers_ibs0(fingerprints, a, b) {
            Some(strangers) => joint.ibs0() < PARENT_CHILD * strangers,
            None => joint.ibs0() * sites < PARENT_CHILD_TO_HETS * hets,
        };
        if shares_everywhere { Relation::ParentChild } else { Relation::Sibling }
    } else if relatedness >= SECOND_DEGREE {
        Relation::SecondDegree
    } else {
        Relation::Unrelated
    }
}

/// Likelihoods of two samples at the sites where both have some, with the frequency.
fn both<'a>(
    fingerprints: &'a Fingerprints,
    a: &'a Sample,
    b: &'a Sample,
) -> impl Iterator<Item = (f64, [f64; 3], [f64; 3])> + 'a {
    fingerprints.frequencies().iter().enumerate().filter_map(move |(place, frequency)| {
        let is_autosomal = fingerprints.autosomal().get(place / 64)? >> (place % 64) & 1 == 1;
        let (frequency, a, b) = ((*frequency)?, a.likelihoods_at(place)?, b.likelihoods_at(place)?);
        is_autosomal.then_some((frequency, a, b))
    })
}

/// The share of sites where two strangers would be opposite homozygotes: 2 p^2 (1 - p)^2 on average; `None` without
/// frequencies.
fn strangers_ibs0(fingerprints: &Fingerprints, a: &Sample, b: &Sample) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0u32);
    for (p, ..) in both(fingerprints, a, b) {
        sum += 2.0 * (p * (1.0 - p)).powi(2);
        n += 1;
    }
    (sum > 0.0).then(|| sum / f64::from(n))
}

/// See [`Pair::odds`]; genotypes by Hardy-Weinberg, sites independent.
fn odds(fingerprints: &Fingerprints, a: &Sample, b: &Sample) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0u32);
    for (p, a, b) in both(fingerprints, a, b) {
        let p = p.clamp(LEAST_FREQUENCY, 1.0 - LEAST_FREQUENCY);
        let prior = [(1.0 - p) * (1.0 - p), 2.0 * p * (1.0 - p), p * p];
        let total = |of: &dyn Fn(usize) -> f64| (0..3).map(|g| prior[g] * of(g)).sum::<f64>();
        sum += (total(&|g| a[g] * b[g]) / (total(&|g| a[g]) * total(&|g| b[g]))).log10();
        n += 1;
    }
    (n > 0).then_some(sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
