//! Probabilities of the genotypes of one variant: integers over `2^bits - 1`.
//!
//! Source: "Variant data blocks" of the BGEN specification, layouts 1 and 2.

use super::header::LayoutVersion;
use crate::formats::genotypes::bytes::{Bytes, Problem, integer};
use crate::formats::genotypes::{Dosages, MISSING_DOSAGE};

/// A sample has no more genotypes than this at a variant.
const MOST_GENOTYPES: usize = 1 << 16;
/// What 1 is in layout 1.
const ONE_OF_LAYOUT_1: u64 = 32_768;
const MISSING: u8 = 0x80;
const PLOIDY: u8 = 0x3f;
const ABOVE_ONE: Problem = "the probabilities of a sample are more than 1 together";

/// The genotypes of one variant.
#[derive(Clone, Debug, Default)]
pub struct Probabilities {
    /// The inflated bytes.
    pub(super) data: Vec<u8>,
    alleles: usize,
    is_phased: bool,
    bits: usize,
    one: u64,
    layout_1: bool,
    /// The same for all samples.
    ploidy: Option<u8>,
    /// A byte a sample: ploidy, and whether its genotype is missing.
    kinds: Vec<u8>,
    /// Where the probabilities begin in the bytes.
    begin: usize,
    /// By ploidy, how many probabilities are stored of a sample.
    stored: Vec<usize>,
}

impl Probabilities {
    /// Takes the inflated bytes of a variant, of so many samples and alleles (layout 1 has two).
    ///
    /// # Errors
    /// The bytes are damaged, or of other samples or alleles.
    pub fn new(
        data: Vec<u8>,
        layout: LayoutVersion,
        samples: usize,
        alleles: usize,
    ) -> Result<Self, Problem> {
        let mut read = Self { data, ..Self::default() };
        match layout {
            LayoutVersion::One => read.take_layout_1(samples)?,
            LayoutVersion::Two => read.take_layout_2(samples, alleles)?,
        }
        Ok(read)
    }

    /// Samples.
    pub fn samples(&self) -> usize {
        self.kinds.len()
    }

    /// Alleles.
    pub fn alleles(&self) -> usize {
        self.alleles
    }

    /// Whether probabilities are those of the alleles of each chromosome, not of genotypes.
    pub fn is_phased(&self) -> bool {
        self.is_phased
    }

    /// Bits of a probability.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// What 1 is: `2^bits - 1`, in layout 1 it is 32,768.
    pub fn one(&self) -> u64 {
        self.one
    }

    /// How many copies of the contig a sample (0-based) has.
    pub fn ploidy(&self, sample: usize) -> Option<u8> {
        self.kinds.get(sample).map(|kind| kind & PLOIDY)
    }

    /// Whether the genotype of a sample (0-based) is missing.
    pub fn is_missing(&self, sample: usize) -> bool {
        self.kinds.get(sample).is_none_or(|kind| kind & MISSING != 0)
    }

    /// The ploidy of each sample, where they are not all diploid.
    pub(super) fn uneven_ploidies(&self) -> impl Iterator<Item = u8> + '_ {
        let count = if self.ploidy == Some(2) { 0 } else { self.kinds.len() };
        self.kinds.iter().take(count).map(|kind| kind & PLOIDY)
    }

    /// Takes the bytes for three probabilities a sample.
    pub(super) fn take_layout_1(&mut self, samples: usize) -> Result<(), Problem> {
        if self.data.len() != 6 * samples {
            return Err("its genotypes are not as long as they must be");
        }
        (self.alleles, self.is_phased, self.bits, self.one) = (2, false, 16, ONE_OF_LAYOUT_1);
        (self.layout_1, self.ploidy, self.begin) = (true, Some(2), 0);
        self.stored.clear();
        self.stored.resize(64, 3);
        self.kinds.clear();
        self.kinds.extend(self.data.chunks_exact(6).map(|all| if all == [0; 6] { 2 | MISSING } else { 2 }));
        Ok(())
    }

    /// Takes the bytes for a block of layout 2 of so many samples and alleles.
    pub(super) fn take_layout_2(&mut self, samples: usize, alleles: usize) -> Result<(), Problem> {
        let mut bytes = Bytes(&self.data);
        if bytes.integer(4)? != samples as u64 || bytes.integer(2)? != alleles as u64 {
            return Err("its genotypes are of other samples or alleles than it says");
        }
        let (least, most) = (bytes.byte()?, bytes.byte()?);
        self.kinds.clear();
        self.kinds.extend_from_slice(bytes.take(samples)?);
        if least > most || most > PLOIDY {
            return Err("its ploidies are impossible");
        }
        if self.kinds.iter().any(|kind| !(least..=most).contains(&(kind & PLOIDY)) || kind & 0x40 != 0) {
            return Err("a sample has another ploidy than is said");
        }
        self.ploidy = (least == most).then_some(least);
        self.is_phased = match bytes.byte()? {
            0 => false,
            1 => true,
            _ => return Err("it does not say whether it is phased"),
        };
        self.bits = usize::from(bytes.byte()?);
        if !(1..=32).contains(&self.bits) {
            return Err("its probabilities have no or more than 32 bits");
        }
        (self.alleles, self.one, self.layout_1) = (alleles, (1 << self.bits) - 1, false);
        self.begin = self.data.len() - bytes.0.len();
        self.stored.clear();
        for ploidy in 0..=usize::from(most) {
            let count =
                if ploidy < usize::from(least) { Some(0) } else { stored(ploidy, alleles, self.is_phased) };
            self.stored.push(count.ok_or("a sample has more genotypes than is taken")?);
        }
        let count = |kind: &u8| self.stored.get(usize::from(kind & PLOIDY)).copied().unwrap_or(0);
        let bits: usize = self.kinds.iter().map(count).sum::<usize>() * self.bits;
        if bits.div_ceil(8) != self.data.len() - self.begin {
            return Err("its probabilities are not as long as they must be");
        }
        Ok(())
    }

    /// Gives the samples (0-based) that are not missing with all probabilities, also those that follow from the others:
    /// of genotypes in the order of VCF (`00 01 11 02 12 22`), or, where it is phased, of each chromosome's alleles.
    ///
    /// # Errors
    /// Those of a sample are more than 1 together.
    pub fn for_each(&self, mut see: impl FnMut(usize, &[u64])) -> Result<(), Problem> {
        let (mut all, mut at) = (Vec::new(), 0);
        for (sample, kind) in self.kinds.iter().enumerate() {
            let ploidy = usize::from(kind & PLOIDY);
            let count = self.stored.get(ploidy).copied().unwrap_or(0);
            let first = at;
            at += count;
            if kind & MISSING != 0 {
                continue;
            }
            all.clear();
            if self.layout_1 {
                all.extend((0..3).map(|place| self.value(first + place)));
            } else {
                let parts = if self.is_phased { ploidy } else { 1 };
                let of_part = count.checked_div(parts).unwrap_or(0);
                for part in 0..parts {
                    let mut rest = self.one;
                    for place in 0..of_part {
                        let value = self.value(first + part * of_part + place);
                        rest = rest.checked_sub(value).ok_or(ABOVE_ONE)?;
                        all.push(value);
                    }
                    all.push(rest);
                }
            }
            see(sample, &all);
        }
        Ok(())
    }

    /// The dosage of an allele (0-based) for all samples, in place of what `into` held. In layout 1, where probabilities
    /// may be less than 1 together, it is the nearest integer to their share.
    ///
    /// # Errors
    /// The probabilities of a sample are more than 1 together.
    pub fn dosages(&self, allele: usize, into: &mut Dosages) -> Result<(), Problem> {
        self.clear(into);
        if self.layout_1 {
            return self.of_layout_1(into, [[2, 1, 0], [0, 1, 2]].get(allele).copied().unwrap_or_default());
        }
        if self.is_plain() {
            let others = 2 * self.one;
            return match allele {
                0 => self.of_pairs(into, |first| first),
                1 => self.of_pairs(into, |first| others - first),
                _ => self.of_pairs(into, |_| 0),
            };
        }
        let (alleles, mut genotype) = (self.alleles, Vec::new());
        self.for_each(|sample, all| {
            let dosage = if self.is_phased {
                all.chunks(alleles).filter_map(|part| part.get(allele)).sum()
            } else {
                let ploidy = self.ploidy(sample).unwrap_or(0);
                genotype.clear();
                genotype.resize(usize::from(ploidy), 0);
                let mut sum = 0;
                for probability in all {
                    sum += probability * genotype.iter().filter(|one| **one == allele).count() as u64;
                    next_genotype(&mut genotype, alleles);
                }
                sum
            };
            if let Some(value) = into.values.get_mut(sample) {
                *value = dosage;
            }
        })
    }

    /// The dosage of all alleles but the first, as [`Self::dosages`].
    pub(super) fn dosages_of_others(&self, into: &mut Dosages) -> Result<(), Problem> {
        if self.alleles == 2 {
            return self.dosages(1, into);
        }
        self.dosages(0, into)?;
        for (value, kind) in
            into.values.iter_mut().zip(&self.kinds).filter(|(value, _)| **value != MISSING_DOSAGE)
        {
            *value = (self.one * u64::from(kind & PLOIDY)).saturating_sub(*value);
        }
        Ok(())
    }

    fn clear(&self, into: &mut Dosages) {
        into.clear();
        into.one = self.one;
        into.of = crate::formats::genotypes::DosageOf::All;
        into.values.resize(self.kinds.len(), MISSING_DOSAGE);
    }

    /// Whether all samples have two probabilities, of two alleles on two chromosomes.
    fn is_plain(&self) -> bool {
        self.ploidy == Some(2) && self.alleles == 2
    }

    /// Dosages of the first allele, made into those that are wanted, where [`Self::is_plain`].
    fn of_pairs(&self, into: &mut Dosages, wanted: impl Fn(u64) -> u64) -> Result<(), Problem> {
        let stored = self.data.get(self.begin..).unwrap_or_default();
        let pairs = self.kinds.iter().zip(&mut into.values).enumerate();
        let (one, is_phased) = (self.one, self.is_phased);
        let dosage = |a: u64, b: u64| match (is_phased, a + b <= one) {
            (true, _) => Ok(a + b),
            (false, true) => Ok(2 * a + b),
            (false, false) => Err(ABOVE_ONE),
        };
        // Nearly all files have 8 or 16 bits.
        for (sample, (kind, value)) in pairs {
            if kind & MISSING != 0 {
                continue;
            }
            let (a, b) = match self.bits {
                8 => stored
                    .get(2 * sample..2 * sample + 2)
                    .map_or((0, 0), |two| (two[0].into(), two[1].into())),
                16 => stored
                    .get(4 * sample..4 * sample + 4)
                    .map_or((0, 0), |four| (integer(&four[..2]), integer(&four[2..]))),
                _ => (self.value(2 * sample), self.value(2 * sample + 1)),
            };
            *value = wanted(dosage(a, b)?);
        }
        Ok(())
    }

    fn of_layout_1(&self, into: &mut Dosages, weights: [u64; 3]) -> Result<(), Problem> {
        self.for_each(|sample, all| {
            let total: u64 = all.iter().sum();
            let dosage: u64 = all.iter().zip(weights).map(|(probability, weight)| probability * weight).sum();
            if let Some(value) = into.values.get_mut(sample) {
                *value = (2 * dosage * self.one + total) / (2 * total);
            }
        })
    }

    /// A stored value (0-based).
    fn value(&self, at: usize) -> u64 {
        let bit = at * self.bits;
        let from = self.begin + bit / 8;
        let bytes = self.data.get(from..).unwrap_or_default();
        let word = integer(bytes.get(..8).unwrap_or(bytes));
        word >> (bit % 8) & ((1 << self.bits) - 1)
    }
}

/// How many probabilities are stored of a sample; `None` where there are more than is taken.
fn stored(ploidy: usize, alleles: usize, is_phased: bool) -> Option<usize> {
    let others = alleles.checked_sub(1)?;
    if is_phased {
        return Some(ploidy * others).filter(|count| *count <= MOST_GENOTYPES);
    }
    // Genotypes: ways to choose `ploidy` of the alleles with repeats.
    let mut genotypes = 1usize;
    for chosen in 1..=ploidy {
        genotypes = genotypes.checked_mul(others + chosen)? / chosen;
        if genotypes > MOST_GENOTYPES {
            return None;
        }
    }
    Some(genotypes - 1)
}

/// The genotype behind one in the order of VCF: alleles increase, and the last one counts most.
fn next_genotype(genotype: &mut [usize], alleles: usize) {
    for place in 0..genotype.len() {
        let limit = genotype.get(place + 1).copied().unwrap_or(alleles);
        if genotype[place] < limit {
            genotype[place] += 1;
            genotype[..place].fill(0);
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn genotypes_come_in_the_order_of_vcf() {
        let mut genotype = vec![0, 0];
        let mut all = Vec::new();
        for _ in 0..6 {
            all.push((genotype[0], genotype[1]));
            next_genotype(&mut genotype, 3);
        }
        assert_eq!(all, [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)]);
        for (ploidy, alleles, is_phased, count) in [
            (2, 2, false, 2),
            (2, 2, true, 2),
            (1, 2, false, 1),
            (0, 3, false, 0),
            (2, 3, false, 5),
            (3, 3, false, 9),
            (3, 3, true, 6),
            (2, 1, false, 0),
        ] {
            assert_eq!(stored(ploidy, alleles, is_phased), Some(count));
        }
        assert_eq!((stored(63, 60, false), stored(2, 0, false)), (None, None));
    }

    /// A block of layout 2 with values of any number of bits.
    fn block(
        alleles: u16,
        kinds: &[u8],
        ploidies: (u8, u8),
        is_phased: bool,
        bits: u8,
        values: &[u64],
    ) -> Probabilities {
        let mut data = (kinds.len() as u32).to_le_bytes().to_vec();
        data.extend(alleles.to_le_bytes());
        data.extend([ploidies.0, ploidies.1]);
        data.extend(kinds);
        data.extend([u8::from(is_phased), bits]);
        let begin = data.len();
        data.resize(begin + (values.len() * usize::from(bits)).div_ceil(8), 0);
        for (at, value) in values.iter().enumerate() {
            for bit in 0..usize::from(bits) {
                let place = at * usize::from(bits) + bit;
                data[begin + place / 8] |= ((value >> bit & 1) as u8) << (place % 8);
            }
        }
        Probabilities::new(data, LayoutVersion::Two, kinds.len(), usize::from(alleles)).unwrap()
    }

    fn dosages(read: &Probabilities, allele: usize) -> Vec<u64> {
        let mut into = Dosages::default();
        read.dosages(allele, &mut into).unwrap();
        into.values
    }

    #[test]
    fn ploidies_alleles_and_missing_samples_are_told_apart() {
        // Three alleles; 10 bits; a haploid, a triploid, a missing diploid and a diploid sample.
        let values = [&[100, 200][..], &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[0; 5], &[10, 20, 30, 40, 50]].concat();
        let read = block(3, &[1, 3, 0x82, 2], (1, 3), false, 10, &values);
        let rest = 1023 - 45;
        // 000 001 011 111 002 012 112 022 122 222
        let first = [
            3 + 2 * 2 + 3 + 2 * 5 + 6 + 8,
            2 + 2 * 3 + 3 * 4 + 6 + 2 * 7 + 9,
            5 + 6 + 7 + 2 * 8 + 2 * 9 + 3 * rest,
        ];
        let last = 1023 - 150;
        assert_eq!(dosages(&read, 0), [100, first[0], MISSING_DOSAGE, 20 + 20 + 40]);
        assert_eq!(dosages(&read, 1), [200, first[1], MISSING_DOSAGE, 20 + 60 + 50]);
        assert_eq!(dosages(&read, 2), [723, first[2], MISSING_DOSAGE, 40 + 50 + 2 * last]);
        let mut others = Dosages::default();
        read.dosages_of_others(&mut others).unwrap();
        assert_eq!(others.values[0], 923);
        assert_eq!((read.ploidy(1), read.is_missing(2), read.is_missing(3)), (Some(3), true, false));

        // Phased: two alleles of each chromosome are stored.
        let read = block(3, &[2, 1], (1, 2), true, 3, &[1, 2, 3, 4, 5, 1]);
        assert_eq!(
            (dosages(&read, 0), dosages(&read, 1), dosages(&read, 2)),
            (vec![4, 5], vec![6, 1], vec![4, 1])
        );
    }

    #[test]
    fn more_than_one_together_is_refused() {
        for bits in [8, 16, 7] {
            let most = (1 << bits) - 1;
            let read = block(2, &[2], (2, 2), false, bits, &[most, 1]);
            assert_eq!(read.dosages(1, &mut Dosages::default()), Err(ABOVE_ONE));
            let phased = block(2, &[2], (2, 2), true, bits, &[most, 1]);
            assert_eq!(dosages(&phased, 0), [most + 1]);
        }
        assert_eq!(
            block(3, &[2], (2, 2), false, 8, &[255, 1, 0, 0, 0]).dosages(1, &mut Dosages::default()),
            Err(ABOVE_ONE)
        );
    }

    proptest! {
        #[test]
        fn plain_dosages_are_those_of_all_probabilities(
            pairs in prop::collection::vec((any::<u32>(), any::<u32>(), any::<bool>()), 1..9),
            bits in 1u8..33, is_phased in any::<bool>(),
        ) {
            let one = (1u64 << bits) - 1;
            let mut values = Vec::new();
            for (a, b, _) in &pairs {
                let a = u64::from(*a) & one;
                values.push(a);
                values.push(if is_phased { u64::from(*b) & one } else { (u64::from(*b) & one).min(one - a) });
            }
            let kinds: Vec<u8> = pairs.iter().map(|(.., missing)| if *missing { 0x82 } else { 2 }).collect();
            let read = block(2, &kinds, (2, 2), is_phased, bits, &values);
            let mut expected = vec![MISSING_DOSAGE; kinds.len()];
            read.for_each(|sample, all| {
                expected[sample] = if is_phased { all[1] + all[3] } else { all[1] + 2 * all[2] };
            }).unwrap();
            prop_assert_eq!(dosages(&read, 1), expected.clone());
            let first: Vec<u64> = expected.iter()
                .map(|value| if *value == MISSING_DOSAGE { *value } else { 2 * one - value }).collect();
            prop_assert_eq!(dosages(&read, 0), first);
        }

        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..60), samples in 0usize..5, alleles in 0usize..4,
            fits in any::<bool>(), least in 0u8..4, bits in 0u8..34,
        ) {
            let mut data = bytes;
            if fits {
                let head = [&(samples as u32).to_le_bytes()[..], &(alleles as u16).to_le_bytes(), &[least, 3]].concat();
                let kinds: Vec<u8> = (0..samples as u8).map(|n| least.max(n % 4).min(3) | n << 7).collect();
                data = [head, kinds, vec![u8::from(bits > 9), bits], data].concat();
            }
            for _ in 0..60 {
                for layout in [LayoutVersion::One, LayoutVersion::Two] {
                    if let Ok(read) = Probabilities::new(data.clone(), layout, samples, alleles) {
                        let _ = read.dosages(0, &mut Dosages::default());
                        let _ = read.dosages_of_others(&mut Dosages::default());
                    }
                }
                data.pop();
            }
        }
    }
}
