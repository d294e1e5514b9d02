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

/// The chance to call a heterozygous SNV, from positions by depth and bases by quality (index 0 on). Not a number where
/// there are no bases.
pub fn of_counts(depths: &[u64], qualities: &[u64]) -> f64 {
    let shares = |counts: &[u64]| -> Vec<f64> {
        let all = counts.iter().sum::<u64>() as f64;
        counts.iter().map(|&n| n as f64 / all).collect()
    };
    het_snp_sensitivity(&shares(depths), &shares(qualities))
}

/// The same as a Phred score. Java makes 0 of what is not a number, and -1 of infinity: the lower half of the greatest
/// 64-bit number.
pub fn phred(sensitivity: f64) -> i64 {
    let phred = -10.0 * (1.0 - sensitivity).log10();
    if phred == f64::INFINITY { -1 } else { (phred + 0.5).floor() as i64 }
}

/// The same from the shares of positions and bases.
fn het_snp_sensitivity(depths: &[f64], qualities: &[f64]) -> f64 {
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

/// Draws indices by weight: a uniform index is taken with the weight as a share of the greatest, or the next is tried.
///
/// Every try takes two numbers of the generator, so what the n-th try gives does not depend on which draw it belongs to.
/// That lets many tries be made in a row without a branch: those that may hit, by the upper bits of their numbers, are
/// noted, and only these, one in forty, are looked at with the full numbers.
struct Wheel {
    /// The state of the first number's first step of the next try, in the upper 48 bits.
    state: u64,
    chances: Vec<f64>,
    /// One more than the chances as numbers of 26 bits, rounded up; 0 where there is none.
    bounds: [u32; 128],
    /// By the upper 12 bits of that state: 1 where an index can be drawn.
    can_hit: Box<[u8; 1 << 12]>,
    /// Tries since the last hit.
    misses: u64,
    /// What was drawn and not yet handed out, the next one last.
    drawn: Vec<u16>,
    /// The tries of a batch that may hit: their states, and in the lower 16 bits their numbers.
    may_hit: Box<[u64; BATCH]>,
}

const MASK: u64 = (1 << 48) - 1;
const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
/// Tries that are made in a row; their numbers fit into 16 bits.
const BATCH: usize = 1 << 13;
/// Tries whose states do not wait for one another: a multiplication has a latency of three cycles.
const LANES: usize = 4;
/// From the first step of a try's first number to the second number's, to the next try's, and to that [`LANES`] further.
const TO_SECOND: (u64, u64) = steps(2);
const TO_NEXT: (u64, u64) = steps(4);
const TO_NEXT_ROUND: (u64, u64) = steps(4 * LANES as u32);

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

/// A jump of a state that stands in the upper 48 bits, where the modulus of 2^48 is that of the register.
#[inline]
fn jump(state: u64, (a, c): (u64, u64)) -> u64 {
    state.wrapping_mul(a).wrapping_add(c << 16)
}

/// A step of a state that stands in the lower 48 bits.
fn step(state: u64) -> u64 {
    (state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT)) & MASK
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
        let bound =
            |chance: &f64| if *chance > 0.0 { (chance * f64::from(1u32 << 26)).ceil() as u32 + 1 } else { 0 };
        let bounds: [u32; 128] = std::array::from_fn(|i| chances.get(i).map_or(0, bound));
        // Numbers with these upper bits give the index at their lower end, at their upper end, or one between.
        let mut can_hit = Box::new([0; 1 << 12]);
        for (upper, can_hit) in can_hit.iter_mut().enumerate() {
            let (from, to) = (chances.len() * upper >> 12, chances.len() * (upper + 1) >> 12);
            *can_hit = u8::from((from..=to.min(127)).any(|index| bounds[index] > 0));
        }
        Some(Self {
            state: step((SEED ^ MULTIPLIER) & MASK) << 16,
            chances,
            bounds,
            can_hit,
            misses: 0,
            drawn: Vec::new(),
            may_hit: Box::new([0; BATCH]),
        })
    }

    #[inline]
    fn draw(&mut self) -> usize {
        loop {
            if let Some(index) = self.drawn.pop() {
                return usize::from(index);
            }
            self.fill();
        }
    }

    /// Makes a batch of tries.
    fn fill(&mut self) {
        const NUMBER: u64 = 0xffff;
        let chosen = self.choose();
        // By the second number: it is not above the chance; or the first lies at the border of two indices, where its
        // lower bits decide.
        const UPPER: u32 = 26;
        let n = self.chances.len() as u64;
        let mut count = 0;
        for i in 0..chosen.min(BATCH) {
            let noted = self.may_hit[i];
            let state = noted & !NUMBER;
            let scaled = (state >> (64 - UPPER)) * n;
            let index = scaled >> UPPER;
            let at_border = (scaled + n) >> UPPER != index;
            let second = jump(state, TO_SECOND) >> (64 - UPPER);
            let taken = second < u64::from(self.bounds[index as usize & 0x7f]);
            self.may_hit[count] = noted;
            count += usize::from(taken | at_border);
        }
        let mut made = 0;
        for i in 0..count {
            let (s1, number) = (self.may_hit[i] >> 16, self.may_hit[i] & NUMBER);
            let s2 = step(s1);
            let s3 = step(s2);
            let index = (n as f64 * double(s1, s2)) as usize;
            if double(s3, step(s3)) < self.chances[index] {
                self.misses += number - made;
                self.give_up();
                self.drawn.push(index as u16);
                self.misses = 0;
                made = number + 1;
            }
        }
        self.misses += BATCH as u64 - made;
        self.give_up();
        self.drawn.reverse();
    }

    /// Notes the tries of a batch whose first number can give an index with a chance; how many these are.
    ///
    /// This loop is most of the time of a draw: seven instructions a try.
    fn choose(&mut self) -> usize {
        let mut lanes = [self.state; LANES];
        for lane in 1..LANES {
            lanes[lane] = jump(lanes[lane - 1], TO_NEXT);
        }
        let mut chosen = 0;
        for round in 0..BATCH / LANES {
            for (lane, state) in lanes.iter_mut().enumerate() {
                self.may_hit[chosen & (BATCH - 1)] = *state | (round * LANES + lane) as u64;
                chosen += usize::from(self.can_hit[(*state >> 52) as usize]);
                *state = jump(*state, TO_NEXT_ROUND);
            }
        }
        self.state = lanes[0];
        chosen
    }

    /// A draw that has missed too often is 0.
    fn give_up(&mut self) {
        while self.misses >= u64::from(MAX_DRAWS) {
            self.drawn.push(0);
            self.misses -= u64::from(MAX_DRAWS);
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
            let mut state = (SEED ^ MULTIPLIER) & MASK;
            for _ in 0..5000 {
                assert_eq!(wheel.draw(), plain(&wheel.chances, &mut state));
            }
        }
    }
}
