//! Hard calls of two bits: 0, 1 or 2 copies of alternate alleles, 3 missing.
//!
//! Packed as in PLINK 2: four samples a byte, the first in the lowest bits, the rest of the last byte 0. Where nearly all
//! samples have the same call, files name only the others, and so may calls here: whoever sums over samples then touches
//! those alone.

use super::bytes::integer;

/// The call of a sample whose genotype is not known.
pub const MISSING: u8 = 3;

/// Hard calls of all samples at a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    count: usize,
    form: Form,
    common: u8,
    packed: Vec<u8>,
    samples: Vec<u32>,
    codes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Absent,
    Packed,
    Sparse,
}

/// Hard calls as they lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View<'c> {
    /// There are none: the file has dosages only.
    Absent,
    /// Two bits a sample.
    Packed(&'c [u8]),
    /// The call of most samples, and the others.
    Sparse {
        /// The call of all samples that are not named.
        common: u8,
        /// The others (0-based, increasing).
        samples: &'c [u32],
        /// Their calls.
        codes: &'c [u8],
    },
}

impl Calls {
    /// The calls as they lie in memory.
    pub fn view(&self) -> View<'_> {
        match self.form {
            Form::Absent => View::Absent,
            Form::Packed => View::Packed(&self.packed),
            Form::Sparse => View::Sparse { common: self.common, samples: &self.samples, codes: &self.codes },
        }
    }

    /// Samples.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The calls, packed, in place of what `into` held. All missing where there are none.
    pub fn packed(&self, into: &mut Vec<u8>) {
        into.clear();
        match self.view() {
            View::Absent => fill(into, MISSING, self.count),
            View::Packed(packed) => into.extend_from_slice(packed),
            View::Sparse { common, samples, codes } => {
                fill(into, common, self.count);
                samples.iter().zip(codes).for_each(|(&sample, &code)| set(into, sample, code));
            }
        }
    }

    /// The call of a sample; missing where there is no such sample.
    pub fn get(&self, sample: usize) -> u8 {
        if sample >= self.count {
            return MISSING;
        }
        match self.view() {
            View::Absent => MISSING,
            View::Packed(packed) => {
                packed.get(sample / 4).map_or(MISSING, |byte| byte >> (sample % 4 * 2) & 3)
            }
            View::Sparse { common, samples, codes } => {
                let found = u32::try_from(sample).ok().and_then(|sample| samples.binary_search(&sample).ok());
                found.and_then(|at| codes.get(at)).copied().unwrap_or(common)
            }
        }
    }

    /// How many samples have each call.
    pub fn counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        match self.view() {
            View::Absent => counts[usize::from(MISSING)] = self.count,
            View::Packed(packed) => {
                let [low, high, both] = sums(packed);
                (counts[1], counts[2], counts[3]) = (low - both, high - both, both);
                counts[0] = self.count.saturating_sub(counts[1] + counts[2] + counts[3]);
            }
            View::Sparse { common, codes, samples } => {
                codes.iter().for_each(|code| counts[usize::from(code & 3)] += 1);
                counts[usize::from(common & 3)] += self.count.saturating_sub(samples.len());
            }
        }
        counts
    }

    /// The samples that have a call, increasing, in place of what `into` held.
    pub fn samples_with(&self, code: u8, into: &mut Vec<u32>) {
        into.clear();
        match self.view() {
            View::Absent => {}
            View::Packed(packed) => {
                let wanted = LOW * u64::from(code);
                for (place, chunk) in packed.chunks(8).enumerate() {
                    let mut word = [0xff; 8];
                    word[..chunk.len()].copy_from_slice(chunk);
                    let other = u64::from_le_bytes(word) ^ wanted;
                    let mut equal = !(other | other >> 1) & LOW;
                    while equal != 0 {
                        let sample = place * 32 + equal.trailing_zeros() as usize / 2;
                        if sample < self.count {
                            into.push(sample as u32);
                        }
                        equal &= equal - 1;
                    }
                }
            }
            View::Sparse { common, samples, .. } if common == code => {
                let mut from = 0;
                for &sample in samples.iter().chain([&(self.count as u32)]) {
                    into.extend(from..sample);
                    from = sample.saturating_add(1);
                }
                // A common call may be named too, where it differs from another variant's.
                into.extend(self.named(code));
                into.sort_unstable();
            }
            View::Sparse { .. } => into.extend(self.named(code)),
        }
    }

    fn named(&self, code: u8) -> impl Iterator<Item = u32> + '_ {
        let pairs = self.samples.iter().zip(&self.codes);
        pairs.filter(move |(_, named)| **named == code).map(|(sample, _)| *sample)
    }

    /// Has so many samples, and no calls.
    pub fn clear(&mut self, count: usize) {
        (self.count, self.form, self.common) = (count, Form::Absent, 0);
        self.packed.clear();
        self.samples.clear();
        self.codes.clear();
    }

    /// Takes packed calls: a quarter byte a sample. What is behind the last sample is taken for 0, what is missing too.
    pub fn set_packed(&mut self, packed: &[u8]) {
        self.set_packed_with(|into| into.extend_from_slice(packed));
    }

    /// As [`Self::set_packed`], with bytes that `write` puts into an empty buffer.
    pub fn set_packed_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.form = Form::Packed;
        self.packed.clear();
        write(&mut self.packed);
        self.packed.resize(self.count.div_ceil(4), 0);
        clear_end(&mut self.packed, self.count);
    }

    /// Gives all samples a call.
    pub fn set_common(&mut self, common: u8) {
        (self.form, self.common) = (Form::Sparse, common);
        self.samples.clear();
        self.codes.clear();
    }

    /// Gives samples (increasing, below the count) other calls.
    pub fn patch(&mut self, samples: &[u32], codes: &[u8]) {
        match self.form {
            Form::Absent => {}
            Form::Packed => {
                samples.iter().zip(codes).for_each(|(&sample, &code)| set(&mut self.packed, sample, code));
            }
            Form::Sparse if self.samples.is_empty() => {
                self.samples.extend_from_slice(samples);
                self.codes.extend_from_slice(codes);
            }
            Form::Sparse => self.merge(samples, codes),
        }
    }

    fn merge(&mut self, samples: &[u32], codes: &[u8]) {
        let (old_samples, old_codes) = (std::mem::take(&mut self.samples), std::mem::take(&mut self.codes));
        let mut old = old_samples.into_iter().zip(old_codes).peekable();
        for (&sample, &code) in samples.iter().zip(codes) {
            while let Some((before, kept)) = old.next_if(|(before, _)| *before <= sample) {
                if before < sample {
                    self.samples.push(before);
                    self.codes.push(kept);
                }
            }
            if code != self.common {
                self.samples.push(sample);
                self.codes.push(code);
            }
        }
        for (sample, code) in old {
            self.samples.push(sample);
            self.codes.push(code);
        }
    }

    /// Exchanges 0 and 2 copies.
    pub fn invert(&mut self) {
        invert(&mut self.packed, self.count);
        self.codes.iter_mut().for_each(|code| *code = inverted(*code));
        if self.form == Form::Sparse {
            self.common = inverted(self.common);
        }
    }
}

const LOW: u64 = 0x5555_5555_5555_5555;

/// How many samples have the lower bit, the higher, and both.
fn sums(packed: &[u8]) -> [usize; 3] {
    let mut sums = [0; 3];
    // Processors without an instruction for it count bits in bytes; a byte holds those of 63 words.
    for block in packed.chunks(63 * 8) {
        let mut bytes = [0u64; 3];
        let mut add = |word: u64| {
            let (low, high) = (word & LOW, word >> 1 & LOW);
            for (bytes, bits) in bytes.iter_mut().zip([low, high, low & high]) {
                let two = (bits + (bits >> 2)) & 0x3333_3333_3333_3333;
                *bytes += (two + (two >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
            }
        };
        let words = block.chunks_exact(8);
        let rest = integer(words.remainder());
        words.for_each(|word| add(integer(word)));
        add(rest);
        for (sum, bytes) in sums.iter_mut().zip(bytes) {
            *sum += bytes.to_le_bytes().into_iter().map(usize::from).sum::<usize>();
        }
    }
    sums
}

fn inverted(code: u8) -> u8 {
    if code & 1 == 0 { code ^ 2 } else { code }
}

fn fill(packed: &mut Vec<u8>, code: u8, count: usize) {
    packed.resize(count.div_ceil(4), code * 0x55);
    clear_end(packed, count);
}

fn clear_end(packed: &mut [u8], count: usize) {
    if let Some(last) = packed.last_mut().filter(|_| !count.is_multiple_of(4)) {
        *last &= 0xff >> (8 - count % 4 * 2);
    }
}

/// Gives a sample another call in packed calls; nothing where there is no such sample.
#[inline]
pub fn set(packed: &mut [u8], sample: u32, code: u8) {
    if let Some(byte) = packed.get_mut(sample as usize / 4) {
        let shift = sample % 4 * 2;
        *byte = *byte & !(3 << shift) | (code & 3) << shift;
    }
}

/// Exchanges 0 and 2 copies in packed calls of so many samples.
pub fn invert(packed: &mut [u8], count: usize) {
    packed.iter_mut().for_each(|byte| *byte ^= (!*byte & 0x55) << 1);
    clear_end(packed, count);
}

/// Makes all packed calls 0 but missing ones.
pub fn keep_missing_only(packed: &mut [u8]) {
    for byte in packed {
        let both = *byte & *byte >> 1 & 0x55;
        *byte = both | both << 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same calls in both forms.
    fn forms(codes: &[u8], common: u8) -> [Calls; 2] {
        let (mut packed, mut sparse) = (Calls::default(), Calls::default());
        packed.clear(codes.len());
        packed.set_packed(&vec![0xff; codes.len() / 4 + 1]);
        let all: Vec<u32> = (0..codes.len() as u32).collect();
        packed.patch(&all, codes);
        sparse.clear(codes.len());
        sparse.set_common(common);
        let (samples, named): (Vec<u32>, Vec<u8>) =
            all.iter().zip(codes).filter(|(_, code)| **code != common).map(|(s, c)| (*s, *c)).unzip();
        sparse.patch(&samples, &named);
        [packed, sparse]
    }

    proptest! {
        #[test]
        fn both_forms_say_the_same(
            codes in prop::collection::vec(0u8..4, 0..150), repeats in 1usize..20, common in 0u8..4,
            changes in prop::collection::btree_map(0u32..150, 0u8..4, 0..20),
        ) {
            let codes = codes.repeat(repeats);
            let mut expected = codes.clone();
            let (at, to): (Vec<u32>, Vec<u8>) =
                changes.into_iter().filter(|(at, _)| (*at as usize) < codes.len()).unzip();
            at.iter().zip(&to).for_each(|(at, to)| expected[*at as usize] = *to);
            for mut calls in forms(&codes, common) {
                calls.patch(&at, &to);
                for inverts in [false, true] {
                    if inverts {
                        calls.invert();
                        expected.iter_mut().for_each(|code| *code = [2, 1, 0, 3][usize::from(*code)]);
                    }
                    let (mut packed, mut samples) = (Vec::new(), Vec::new());
                    calls.packed(&mut packed);
                    prop_assert_eq!(packed.len(), expected.len().div_ceil(4));
                    for (sample, code) in expected.iter().enumerate() {
                        prop_assert_eq!(calls.get(sample), *code);
                        prop_assert_eq!(packed[sample / 4] >> (sample % 4 * 2) & 3, *code);
                    }
                    for code in 0..4 {
                        let with: Vec<u32> =
                            (0u32..).zip(&expected).filter(|(_, c)| **c == code).map(|(s, _)| s).collect();
                        calls.samples_with(code, &mut samples);
                        prop_assert_eq!(&samples, &with);
                        prop_assert_eq!(calls.counts()[usize::from(code)], with.len());
                    }
                }
                calls.invert();
                expected.iter_mut().for_each(|code| *code = [2, 1, 0, 3][usize::from(*code)]);
            }
        }
    }
}
