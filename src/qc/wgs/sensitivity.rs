//! Picard's theoretical sensitivity for heterozygous SNVs, drawn with the very numbers that Picard draws.
//!
//! Picard samples sums of base qualities with java.util.Random from a fixed seed, so its result is a function of its
//! input; with the same generator (a 48-bit linear congruence, documented in the Java API) ours is the same number.

/// Sums that are drawn (Picard's SAMPLE_SIZE).
const SAMPLES: usize = 10_000;
/// Picard's seed.
const SEED: u64 = 51;
/// Log odds, base 10, that a call must reach.
const LOG_ODDS: f64 = 3.0;
/// After so many rejected draws the result is 0.
const MAX_DRAWS: u32 = 600;
/// Depths beyond this are not looked at.
const MAX_DEPTH: usize = 1000;

/// The chance to call a heterozygous SNV, from the shares of positions by depth and of bases by quality (index 0 on).
/// Not a number where there are no bases.
pub fn het_snp_sensitivity(depths: &[f64], qualities: &[f64]) -> f64 {
    let count = depths.len().min(MAX_DEPTH + 1);
    let Some(mut wheel) = Wheel::new(qualities) else { return f64::NAN };
    let highest = qualities.len() * count + 1;
    // reached[m][n]: share of the sums of m qualities that reach the threshold of depth n.
    let thresholds: Vec<f64> = (0..count).map(|n| 10.0 * (n as f64 * 2f64.log10() + LOG_ODDS)).collect();
    let mut sums = vec![0u32; SAMPLES * count];
    for sample in 0..SAMPLES {
        let mut sum = 0;
        for m in 0..count {
            sums[m * SAMPLES + sample] = sum;
            sum += wheel.draw();
        }
    }
    let mut counts = vec![0u32; highest];
    let mut reached = vec![0.0; count * count];
    for (m, sums) in sums.chunks_exact(SAMPLES).enumerate() {
        counts.fill(0);
        sums.iter().for_each(|&sum| counts[sum as usize] += 1);
        let (mut below, mut next) = (0u32, 0usize);
        for (n, &threshold) in thresholds.iter().enumerate() {
            while next < highest && (next as f64) < threshold {
                below += counts[next];
                next += 1;
            }
            reached[m * count + n] = f64::from(SAMPLES as u32 - below) / SAMPLES as f64;
        }
    }
    // The chance of m alternate reads among n is (n over m) / 2^n, row by row.
    let (mut row, mut result) = (Vec::<f64>::new(), 0.0);
    for n in 0..count {
        let mut next = vec![0.5f64.powi(n as i32); n + 1];
        for m in 1..n {
            next[m] = (n as f64 * 0.5 / m as f64) * row[m - 1];
        }
        for (m, share) in next.iter().enumerate() {
            result += depths[n] * share * reached[m * count + n];
        }
        row = next;
    }
    result
}

/// Draws indices by weight: a uniform index is taken with the weight as a share of the greatest.
struct Wheel {
    state: u64,
    chances: Vec<f64>,
}

const MASK: u64 = (1 << 48) - 1;
const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
/// Multiplier and increment of 4 steps at once: two numbers of 53 bits, one try.
const TRY: (u64, u64) = steps(4);
/// Tries that are looked at together.
const TOGETHER: usize = 4;

/// Multiplier and increment of `n` steps of the generator.
const fn steps(n: u32) -> (u64, u64) {
    let (mut a, mut c, mut i) = (1u64, 0u64, 0);
    while i < n {
        a = a.wrapping_mul(MULTIPLIER) & MASK;
        c = (c.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT)) & MASK;
        i += 1;
    }
    (a, c)
}

fn step(state: u64) -> u64 {
    state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK
}

/// java.util.Random's nextDouble from the states of its two steps.
fn double(first: u64, second: u64) -> f64 {
    (((first >> 22) << 27) + (second >> 21)) as f64 * (1.0 / (1u64 << 53) as f64)
}

impl Wheel {
    fn new(weights: &[f64]) -> Option<Self> {
        let greatest = weights.iter().copied().fold(0.0, f64::max);
        if greatest <= 0.0 || !greatest.is_finite() {
            return None;
        }
        let chances = weights.iter().map(|weight| weight / greatest).collect();
        Some(Self { state: (SEED ^ MULTIPLIER) & MASK, chances })
    }

    /// Most tries fall on an index of weight 0. Whether one does can be told from the upper 26 bits of its first number,
    /// unless those lie at the border of two indices; so several tries are looked at together and all skipped at once.
    fn draw(&mut self) -> u32 {
        let n = self.chances.len() as u64;
        let mut tries = 0;
        loop {
            let mut starts = [self.state; TOGETHER];
            for i in 1..TOGETHER {
                starts[i] = starts[i - 1].wrapping_mul(TRY.0).wrapping_add(TRY.1) & MASK;
            }
            let may_hit = |start: u64| {
                let scaled = (step(start) >> 22) * n;
                let at_border = (scaled & ((1 << 26) - 1)) + n > 1 << 26;
                at_border || self.chances[(scaled >> 26) as usize] > 0.0
            };
            let first = starts.iter().position(|&start| may_hit(start)).unwrap_or(TOGETHER) as u32;
            if tries + first >= MAX_DRAWS {
                let left = MAX_DRAWS - tries;
                for _ in 0..left {
                    self.state = self.state.wrapping_mul(TRY.0).wrapping_add(TRY.1) & MASK;
                }
                return 0;
            }
            tries += first;
            let start = match starts.get(first as usize) {
                Some(&start) => start,
                None => {
                    self.state = starts[TOGETHER - 1].wrapping_mul(TRY.0).wrapping_add(TRY.1) & MASK;
                    continue;
                }
            };
            let s1 = step(start);
            let s2 = step(s1);
            let s3 = step(s2);
            self.state = step(s3);
            tries += 1;
            let index = (n as f64 * double(s1, s2)) as usize;
            if double(s3, self.state) < self.chances[index] {
                return index as u32;
            }
            if tries >= MAX_DRAWS {
                return 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_javas() {
        // new java.util.Random(51): nextDouble() three times, printed by OpenJDK 17.
        let mut state = (SEED ^ MULTIPLIER) & MASK;
        let mut next = || {
            let first = step(state);
            state = step(first);
            double(first, state)
        };
        let drawn: Vec<f64> = (0..3).map(|_| next()).collect();
        assert_eq!(drawn, [0.7296240607935824, 0.7837023678833833, 0.19187875415120714]);
    }

    /// Plain drawing, one try after another.
    fn plain(chances: &[f64], state: &mut u64) -> u32 {
        let mut next = || {
            let first = step(*state);
            *state = step(first);
            double(first, *state)
        };
        for _ in 0..MAX_DRAWS {
            let index = (chances.len() as f64 * next()) as usize;
            if next() < chances[index] {
                return index as u32;
            }
        }
        0
    }

    #[test]
    fn skipping_tries_draws_what_plain_drawing_draws() {
        for weights in [vec![0.0, 0.1, 0.9], (0..127).map(|i| f64::from(u8::from(i % 40 == 37))).collect(), {
            let mut sparse = vec![0.0; 127];
            sparse[2] = 1e-3;
            sparse[126] = 1.0;
            sparse
        }] {
            let mut wheel = Wheel::new(&weights).expect("weights");
            let mut state = wheel.state;
            for _ in 0..5000 {
                assert_eq!(wheel.draw(), plain(&wheel.chances.clone(), &mut state));
                assert_eq!(wheel.state, state);
            }
        }
    }
}
