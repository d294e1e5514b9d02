//! In which order the samples of a pass lie in memory.
//!
//! Samples are cut into strips, which are worked on alone. Within a strip the first samples of all bytes of packed calls
//! come first, then the second, third and fourth ones: so calls of several variants are put together byte by byte.

use std::ops::Range;

/// The places of the samples of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    samples: usize,
    /// Samples of a strip, a multiple of four; the last strip may have less.
    width: usize,
}

impl Places {
    /// So many samples in strips of about `width`.
    pub(super) fn new(samples: usize, width: usize) -> Self {
        let strips = samples.div_ceil(width.max(4)).max(1);
        let width = samples.div_ceil(strips).next_multiple_of(4).max(4);
        Self { samples, width }
    }

    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    pub(super) fn strips(&self) -> usize {
        self.samples.div_ceil(self.width)
    }

    /// Places of a full strip.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// All places; up to three at the end are nobody's.
    pub(super) fn len(&self) -> usize {
        self.samples.next_multiple_of(4)
    }

    /// The samples of a strip.
    pub(super) fn strip(&self, strip: usize) -> Range<usize> {
        let start = strip * self.width;
        start..(start + self.width).min(self.samples)
    }

    /// The place of a sample within its strip.
    pub(super) fn within(&self, sample: usize) -> usize {
        let strip = self.strip(sample / self.width);
        let local = sample - strip.start;
        local % 4 * strip.len().div_ceil(4) + local / 4
    }

    /// The place of a sample.
    pub(super) fn place(&self, sample: usize) -> usize {
        sample / self.width * self.width + self.within(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_has_a_place_of_its_own() {
        for (samples, width) in [(1, 100), (7, 4), (100, 32), (103, 32), (64, 64), (65, 1), (4, 9)] {
            let places = Places::new(samples, width);
            let mut taken = vec![false; places.len()];
            for sample in 0..samples {
                let place = places.place(sample);
                assert!(!std::mem::replace(&mut taken[place], true), "{samples} {width} {sample}");
                assert!(places.strip(sample / places.width()).contains(&sample));
            }
            assert_eq!((0..places.strips()).map(|strip| places.strip(strip).len()).sum::<usize>(), samples);
        }
    }
}
