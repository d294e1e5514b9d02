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
    // A sum reaches the thresholds of all depths below `depths_reached[sum]`.
    let thresholds: Vec<f64> = (0..count).map(|n| 10.0 * (n as f64 * 2f64.log10() + LOG_ODDS)).collect();
    let greatest_sum = qualities.len() * count;
    let depths_reached: Vec<u16> =
        (0..=greatest_sum).map(|sum| thresholds.partition_point(|t| *t <= sum as f64) as u16).collect();
    // Sums of m qualities by the depths that they reach.
    let width = count + 1;
    let mut reaching = vec![0u32; count * width];
    for _ in 0..SAMPLES {
        let mut sum = 0;
        for row in reaching.chunks_exact_mut(width) {
            row[usize::from(depths_reached[sum])] += 1;
            sum += wheel.draw();
        }
    }
    // reached[m][n]: share of the sums of m qualities that reach the threshold of depth n.
    let mut reached = vec![0.0; count * count];
    for (row, reaching) in reached.chunks_exact_mut(count).zip(reaching.chunks_exact(width)) {
        let mut sums = 0;
        for n in (0..count).rev() {
            sums += reaching[n + 1];
            row[n] = f64::from(sums) / SAMPLES as f64;
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
    /// The chances as numbers of 26 bits, rounded up; 0 where there is none.
    bounds: [u32; 128],
}

const MASK: u64 = (1 << 48) - 1;
const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
/// Steps of one try: two numbers, each of two steps.
const TRY: u32 = 4;
/// Tries that are looked at together.
const TOGETHER: usize = 8;
/// From a state to the upper halves of the two numbers of each of the next tries.
const NUMBERS: [[(u64, u64); 2]; TOGETHER] = {
    let mut table = [[(0, 0); 2]; TOGETHER];
    let mut i = 0;
    while i < TOGETHER {
        table[i] = [steps(TRY * i as u32 + 1), steps(TRY * i as u32 + 3)];
        i += 1;
    }
    table
};
/// From a state to the one after so many tries.
const TRIES: [(u64, u64); TOGETHER + 1] = {
    let mut table = [(0, 0); TOGETHER + 1];
    let mut i = 0;
    while i <= TOGETHER {
        table[i] = steps(TRY * i as u32);
        i += 1;
    }
    table
};

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

#[inline]
fn jump(state: u64, (a, c): (u64, u64)) -> u64 {
    state.wrapping_mul(a).wrapping_add(c) & MASK
}

fn step(state: u64) -> u64 {
    jump(state, (MULTIPLIER, INCREMENT))
}

/// java.util.Random's nextDouble from the states of its two steps.
fn double(first: u64, second: u64) -> f64 {
    (((first >> 22) << 27) + (second >> 21)) as f64 * (1.0 / (1u64 << 53) as f64)
}

impl Wheel {
    fn new(weights: &[f64]) -> Option<Self> {
        let greatest = weights.iter().copied().fold(0.0, f64::max);
        if greatest <= 0.0 || !greatest.is_finite() || weights.len() > 128 {
            return None;
        }
        let chances: Vec<f64> = weights.iter().map(|weight| weight / greatest).collect();
        let bound = |chance: &f64| (chance * f64::from(1u32 << 26)).ceil() as u32;
        let bounds = std::array::from_fn(|i| chances.get(i).map_or(0, bound));
        Some(Self { state: (SEED ^ MULTIPLIER) & MASK, chances, bounds })
    }

    /// Most tries are rejected, and nearly always the upper 26 bits of their two numbers tell so: those of the first
    /// choose an index, those of the second are above its chance. So some tries are looked at together and skipped
    /// at once up to the first that may hit; whether it does, the full numbers say.
    fn draw(&mut self) -> usize {
        let n = self.chances.len() as u64;
        let mut tries = 0;
        while tries < MAX_DRAWS {
            let mut may_hit = 0u32;
            for (i, [first, second]) in NUMBERS.iter().enumerate() {
                let scaled = (jump(self.state, *first) >> 22) * n;
                let at_border = (scaled & ((1 << 26) - 1)) + n > 1 << 26;
                let chance = self.bounds[(scaled >> 26) as usize & 0x7f];
                let taken = (jump(self.state, *second) >> 22) as u32 <= chance && chance > 0;
                may_hit |= u32::from(taken | at_border) << i;
            }
            let skipped = may_hit.trailing_zeros().min(TOGETHER as u32).min(MAX_DRAWS - tries);
            self.state = jump(self.state, TRIES[skipped as usize]);
            tries += skipped;
            if skipped == TOGETHER as u32 || tries == MAX_DRAWS {
                continue;
            }
            let s1 = step(self.state);
            let s2 = step(s1);
            let s3 = step(s2);
            self.state = step(s3);
            tries += 1;
            let index = (n as f64 * double(s1, s2)) as usize;
            if double(s3, self.state) < self.chances[index] {
                return index;
            }
        }
        0
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
    fn plain(chances: &[f64], state: &mut u64) -> usize {
        let mut next = || {
            let first = step(*state);
            *state = step(first);
            double(first, *state)
        };
        for _ in 0..MAX_DRAWS {
            let index = (chances.len() as f64 * next()) as usize;
            if next() < chances[index] {
                return index;
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
