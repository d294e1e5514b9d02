//! How probable it is that a child's variant is new: one combination of genotypes against all.

use super::priors::{GENOTYPES, Priors, place};

/// The most alleles that are weighed; sites with more keep REF and the three best.
const MOST: usize = 4;

/// The reads' evidence on a trio; father, mother, child.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Natural logarithms of the genotypes' likelihoods, in the order of VCF; each sums to 1 unlogged.
    pub likelihoods: [Vec<f64>; 3],
    /// For each allele the logarithm of the chance that it is there by error; the lower the better supported. May be empty
    /// where nothing needs it.
    pub qualities: [Vec<f64>; 3],
}

/// The father in the arrays of three.
pub(super) const FATHER: usize = 0;
/// The mother.
pub(super) const MOTHER: usize = 1;
/// The child.
pub(super) const CHILD: usize = 2;

/// What is found out of a trio at a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Phred-scaled chance that the child has no new allele; infinite where it is lost in rounding, NaN where the evidence
    /// is none.
    pub phred: f64,
    /// The allele that is new in the most probable of the combinations with a new one.
    pub allele: usize,
}

/// Natural logarithm to phred, with bcftools' 4.3429 for 10 / ln 10.
fn phred_of_log(log: f64) -> f64 {
    (4.3429 * log).abs()
}

/// Phred to natural logarithm, by the same number.
pub(super) fn log_of_phred(phred: f64) -> f64 {
    -phred / 4.3429
}

/// `ln(1 - e^x)`
pub(super) fn log_of_rest(x: f64) -> f64 {
    (1.0 - x.exp()).ln()
}

/// Below this, `1 + e^x` is 1 in 64 bits: 2^-53 is e^-36.74.
const LOST: f64 = -37.0;

/// `ln(e^a + e^b)`
fn log_sum(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY && b == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let (greater, difference) = if a > b { (a, b - a) } else { (b, a - b) };
    // What is not seen in the sum need not be computed.
    if difference < LOST { greater } else { (1.0 + difference.exp()).ln() + greater }
}

/// The model that a trio is weighed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weighing {
    /// The parents' genotypes by the support of each allele.
    ByAllele {
        /// A new allele that a parent has reads of counts less.
        strictly_novel: bool,
    },
    /// As [`Self::ByAllele`], but the parents' genotypes by their likelihoods.
    ByGenotype {
        /// As above.
        strictly_novel: bool,
    },
    /// DeNovoGear's: all by likelihoods, and nothing taken off.
    DeNovoGear,
}

/// Weighs a trio at a site of two or more alleles.
pub(super) fn weigh(weighing: Weighing, priors: &Priors, alleles: usize, evidence: &mut Evidence) -> Score {
    let kept = (alleles > MOST).then(|| keep_best(alleles, evidence));
    let alleles = alleles.min(MOST);
    let genotypes = alleles * (alleles + 1) / 2;
    let strictly_novel = match weighing {
        Weighing::ByAllele { strictly_novel } | Weighing::ByGenotype { strictly_novel } => strictly_novel,
        Weighing::DeNovoGear => false,
    };
    let supports = [FATHER, MOTHER].map(|who| Support::of(&evidence.qualities[who], alleles));
    // For a child's genotype and a parent's.
    let parent = |who: usize, child: usize, parent: usize| match weighing {
        Weighing::ByAllele { .. } => supports[who].beside(child, parent),
        _ => evidence.likelihoods[who][parent],
    };
    let (mut sum, mut best, mut allele) = (f64::NEG_INFINITY, f64::NEG_INFINITY, 0);
    for child in 0..genotypes {
        let of_child = evidence.likelihoods[CHILD][child];
        let mut of_mother = [0.0; GENOTYPES.len()];
        for (mother, value) in of_mother.iter_mut().enumerate().take(genotypes) {
            *value = parent(MOTHER, child, mother);
        }
        for father in 0..genotypes {
            let of_father = parent(FATHER, child, father);
            for (mother, &of_mother) in of_mother.iter().enumerate().take(genotypes) {
                let prior = priors.of(father, mother, child);
                let value = of_child + of_father + of_mother + prior.log;
                sum = log_sum(sum, value);
                if let Some(new) = prior.denovo
                    && best < value
                {
                    (best, allele) = (value, new);
                }
            }
        }
    }
    if strictly_novel {
        (best, sum) = less_what_parents_have(&evidence.qualities, allele, best, sum);
    }
    let allele = kept.map_or(allele, |kept| kept[allele]);
    Score { phred: phred_of_log(log_of_rest(best - sum)), allele }
}

/// For each allele the logarithms of the chances that it is in a parent by error, and that it is not.
struct Support {
    chances: [(f64, f64); MOST],
    alleles: usize,
}

impl Support {
    fn of(qualities: &[f64], alleles: usize) -> Self {
        let mut chances = [(0.0, 0.0); MOST];
        for (chance, &quality) in chances.iter_mut().zip(qualities) {
            *chance = (quality, log_of_rest(quality));
        }
        Self { chances, alleles: alleles.min(qualities.len()) }
    }

    /// How well a parent's genotype goes with it, beside a child's: the alleles that the parent has should have support;
    /// those that it has not but the child has should have none, and no allele at all beside a homozygote's.
    fn beside(&self, child: usize, parent: usize) -> f64 {
        let (child, parent) = (GENOTYPES[child], GENOTYPES[parent]);
        let mut sum = 0.0;
        for (allele, &(absent, present)) in self.chances[..self.alleles].iter().enumerate() {
            let is_in = |(a, b): (usize, usize)| a == allele || b == allele;
            if is_in(parent) {
                sum += present;
            } else if is_in(child) || parent.0 == parent.1 {
                sum += absent;
            }
        }
        sum
    }
}

/// The best and the sum where the parents' reads of the new allele speak against it.
fn less_what_parents_have(qualities: &[Vec<f64>; 3], allele: usize, best: f64, sum: f64) -> (f64, f64) {
    let of = |who: usize| qualities[who].get(allele).copied().unwrap_or(0.0);
    let (mother, father) = (of(MOTHER), of(FATHER));
    if mother + father == 0.0 {
        return (best, sum);
    }
    let mut penalty = 0.0;
    for quality in [mother, father] {
        if quality != 0.0 {
            penalty += log_of_rest(quality);
        }
    }
    (best + penalty, log_sum(sum, penalty))
}

/// Keeps REF and the three alleles that are best supported in the trio, and says which they are.
fn keep_best(alleles: usize, evidence: &mut Evidence) -> [usize; MOST] {
    let mut support = vec![0.0; alleles];
    for qualities in &evidence.qualities {
        for (sum, quality) in support.iter_mut().zip(qualities) {
            *sum += quality;
        }
    }
    let mut order: Vec<usize> = (1..alleles).collect();
    // Stable: of equals the first, as bcftools has it. What is no number keeps its place.
    order.sort_by(|&a, &b| support[a].partial_cmp(&support[b]).unwrap_or(std::cmp::Ordering::Equal));
    let kept = [0, order[0], order[1], order[2]];
    for qualities in evidence.qualities.iter_mut().filter(|qualities| qualities.len() >= alleles) {
        *qualities = kept.map(|allele| qualities[allele]).to_vec();
    }
    for likelihoods in &mut evidence.likelihoods {
        *likelihoods = GENOTYPES.map(|(a, b)| likelihoods[place(kept[a], kept[b])]).to_vec();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::priors::{Pattern, PriorOptions};
    use super::*;

    fn priors() -> Priors {
        let options = PriorOptions { denovogear: false, strictly_novel: false, mutation_rate: 1e-8 };
        Priors::new(Pattern::Autosome, options)
    }

    fn likelihoods(phreds: &[f64]) -> Vec<f64> {
        let sum: f64 = phreds.iter().map(|phred| 10f64.powf(-0.1 * phred)).sum();
        phreds.iter().map(|phred| (10f64.powf(-0.1 * phred) / sum).ln()).collect()
    }

    #[test]
    fn a_clear_case_is_the_ratio_of_two_combinations() {
        // By hand: all other combinations are below 1e-50, so the chance of 00+00=01 against 00+00=00 with child's PL of
        // 100 and 0 is r / (1 + r), where r = 1e-8 / (1 - 1e-8) * 1e10.
        let sure = likelihoods(&[0.0, 1000.0, 1000.0]);
        let child = likelihoods(&[100.0, 0.0, 1000.0]);
        let mut evidence = Evidence { likelihoods: [sure.clone(), sure, child], ..Evidence::default() };
        let weighing = Weighing::ByGenotype { strictly_novel: false };
        let score = weigh(weighing, &priors(), 2, &mut evidence);
        let ratio: f64 = 1e-8 / (1.0 - 1e-8) * 1e10;
        let expected = 4.3429 * (1.0 + ratio).ln();
        assert!((score.phred - expected).abs() < 1e-6 && score.allele == 1, "{score:?} {expected}");
    }

    #[test]
    fn what_is_left_out_of_sums_is_not_seen() {
        assert_eq!(1.0 + LOST.exp(), 1.0);
        assert_eq!([log_sum(-5.0, f64::NEG_INFINITY), log_sum(f64::NEG_INFINITY, -5.0)], [-5.0; 2]);
        assert!((log_sum(2f64.ln(), 3f64.ln()) - 5f64.ln()).abs() < 1e-15);
        assert!(log_sum(f64::NAN, 0.0).is_nan() && log_sum(0.0, f64::NAN).is_nan());
    }

    #[test]
    fn the_best_alleles_are_kept() {
        let alleles = 6;
        let quality = |allele: usize| -[0.0, 1.0, 5.0, 2.0, 9.0, 5.0][allele];
        let qualities = [(); 3].map(|()| (0..alleles).map(quality).collect());
        let likelihoods = [(); 3].map(|()| (0..21).map(f64::from).collect());
        let mut evidence = Evidence { likelihoods, qualities };
        assert_eq!(keep_best(alleles, &mut evidence), [0, 4, 2, 5]);
        assert_eq!(evidence.qualities[1], [0.0, -9.0, -5.0, -5.0]);
        // Places of 00, 04, 44, 02, 24, 22, 05, 45, 25 and 55 among 21.
        assert_eq!(evidence.likelihoods[2], [0.0, 10.0, 14.0, 3.0, 12.0, 5.0, 15.0, 19.0, 17.0, 20.0]);
    }
}
