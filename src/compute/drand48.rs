//! The random numbers of POSIX's `drand48`, so that what is drawn by a seed is what other tools draw by it.

/// The 48-bit linear congruential generator of POSIX.1-2017.
#[derive(Clone, Debug)]
pub struct Drand48(u64);

const MASK: u64 = (1 << 48) - 1;

impl Drand48 {
    /// The generator as `srand48(seed)` leaves it: the seed's low 32 bits are its high ones.
    pub fn new(seed: i64) -> Self {
        Self((seed as u64) << 16 & MASK | 0x330e)
    }

    /// The next number, at least 0 and less than 1.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & MASK;
        self.0 as f64 / (MASK + 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_c_library() {
        // glibc 2.36: srand48(seed), then drand48() three times.
        for (seed, expected) in
            [(0, [0.170828036, 0.749901980, 0.096371656]), (1, [0.041630345, 0.454492445, 0.834817218])]
        {
            let mut numbers = Drand48::new(seed);
            for number in expected {
                assert!((numbers.next() - number).abs() < 1e-9, "{seed}");
            }
        }
    }
}
