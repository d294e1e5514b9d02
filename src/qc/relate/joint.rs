//! How two samples' genotypes go together, from their likelihoods: for files of any depth, without frequencies.
//!
//! Called genotypes mislead where depth is low: three bases show a heterozygote, seven do not yet show a homozygote, so
//! the sites where both samples have a genotype are those where both are heterozygous, and strangers look like relatives.
//! Here no genotype is called. The shares of the nine pairs of genotypes are those that make the likelihoods of all sites
//! likeliest (expectation maximisation), as in IBSrelate (Waples et al. 2019, doi:10.1111/mec.14954); the figures come of
//! those. Nothing is taken from population frequencies, so a list of another population does no harm.

use super::fingerprints::Sample;

/// When no share moves by more, the estimate stands.
const STEP: f64 = 1e-7;
/// At 1x about 100 are needed.
const MOST_ROUNDS: usize = 500;

/// Shares of the sites by the genotypes (0, 1, 2 alternate alleles) of the first and the second sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Joint {
    /// They add up to 1; all 0 without sites.
    pub shares: [[f64; 3]; 3],
    /// Sites where both samples have bases.
    pub sites: u32,
}

impl Joint {
    /// Estimates from the sites in `mask` where both samples have bases.
    pub fn estimate(a: &Sample, b: &Sample, mask: &[u64]) -> Self {
        let mut sure = [[0.0; 3]; 3];
        let mut unsure: Vec<[f64; 9]> = Vec::new();
        let mut sites = 0u32;
        for (word, &mask) in mask.iter().enumerate() {
            let (Some(of_a), Some(of_b)) = (a.sure.get(word), b.sure.get(word)) else { break };
            let any = |of: &[u64; 3]| of[0] | of[1] | of[2];
            for (i, of_a) in of_a.iter().enumerate() {
                for (j, of_b) in of_b.iter().enumerate() {
                    let n = (mask & of_a & of_b).count_ones();
                    sure[i][j] += f64::from(n);
                    sites += n;
                }
            }
            let mut rest = mask & !(any(of_a) & any(of_b));
            while rest != 0 {
                let place = word * 64 + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                if let (Some(x), Some(y)) = (a.likelihoods_at(place), b.likelihoods_at(place)) {
                    unsure.push(std::array::from_fn(|i| x[i / 3] * y[i % 3]));
                }
            }
        }
        let sites = sites + unsure.len() as u32;
        if sites == 0 { Self::default() } else { Self { shares: maximise(sure, &unsure), sites } }
    }

    /// Share of sites where both are heterozygous.
    pub fn shared_hets(&self) -> f64 {
        self.shares[1][1]
    }

    /// Share of opposite homozygotes.
    pub fn ibs0(&self) -> f64 {
        self.shares[0][2] + self.shares[2][0]
    }

    /// Shares of sites where the first and where the second sample is heterozygous.
    pub fn hets(&self) -> [f64; 2] {
        let of = &self.shares;
        [of[1].iter().sum(), of.iter().map(|row| row[1]).sum()]
    }

    /// (shared hets - 2 opposite homozygotes) / the fewer hets: twice KING's kinship between families. 1 for one person,
    /// 0.5 in the first degree, 0 for strangers; 0 where there are no hets.
    pub fn relatedness(&self) -> f64 {
        let [a, b] = self.hets();
        let hets = a.min(b);
        if hets > 0.0 { (self.shared_hets() - 2.0 * self.ibs0()) / hets } else { 0.0 }
    }
}

/// The likeliest shares: `sure` counts sites whose genotypes are known, `unsure` has the others' likelihoods.
fn maximise(sure: [[f64; 3]; 3], unsure: &[[f64; 9]]) -> [[f64; 3]; 3] {
    let mut shares = [1.0 / 9.0; 9];
    for _ in 0..MOST_ROUNDS {
        let mut sums: [f64; 9] = std::array::from_fn(|i| sure[i / 3][i % 3]);
        for likelihoods in unsure {
            let weights: [f64; 9] = std::array::from_fn(|i| shares[i] * likelihoods[i]);
            let scale = weights.iter().sum::<f64>().recip();
            // Likelihoods that all but vanish where the shares do say nothing.
            if scale.is_finite() {
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * scale);
            }
        }
        let total = sums.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut step = 0.0f64;
        for (share, sum) in shares.iter_mut().zip(sums) {
            let next = sum / total;
            step = step.max((next - *share).abs());
            *share = next;
        }
        if step < STEP {
            break;
        }
    }
    std::array::from_fn(|i| std::array::from_fn(|j| shares[3 * i + j]))
}
