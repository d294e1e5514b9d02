//! Genotypes as the kernel reads them: columns of codes that each stand for a number of units in every score.
//!
//! A variant is one column for each allele that is counted and each class of people that count in their own way. Whatever
//! is asked of an allele is a line through its values at 0, 1 and 2 copies, so a column knows no scores.

use std::ops::Range;

use super::places::Places;
use super::ploidy::{Class, People, Who};
use crate::formats::genotypes::calls::{Calls, MISSING, View};
use crate::formats::genotypes::{DosageOf, Genotypes, MISSING_DOSAGE};
use crate::prs::frequencies::AlleleCount;

/// In a dosage's highest byte: the sample counts nothing here.
pub(super) const NOBODY: u8 = 0xff;
/// Calls that fewer than one sample of so many has are stored alone.
const SPARSE: usize = 12;

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) form: Form,
    /// Samples of the pass that are missing, and counted in the class.
    pub(super) missing: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Two bits a sample; 3 is missing, or of another class unless the column is `whole`.
    Packed { codes: Vec<u8>, is_whole: bool },
    /// A call that all have but those samples, which have others.
    Sparse { common: u8, samples: Vec<u32>, codes: Vec<u8> },
    /// Dosages, byte by byte.
    Dosages(Vec<DosageBytes>),
}

impl Column {
    /// Bytes of it.
    pub(super) fn bytes(&self) -> usize {
        let of_form = match &self.form {
            Form::Packed { codes, .. } => codes.len(),
            Form::Sparse { samples, codes, .. } => size_of_val(&samples[..]) + codes.len(),
            Form::Dosages(streams) => streams.iter().map(|stream| stream.bytes.len()).sum(),
        };
        of_form + size_of_val(&self.missing[..]) + size_of::<Self>()
    }
}

/// Which part of the line through 0, 1 and 2 copies a dosage goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slope {
    /// All, where the line is straight.
    Both,
    /// From 0 to 1 copy.
    First,
    /// From 1 to 2.
    Second,
}

/// A byte of the dosages of all samples: it counts `256^byte / one` of a slope each.
#[derive(Clone, Debug)]
pub(super) struct DosageBytes {
    pub(super) slope: Slope,
    pub(super) one: u64,
    pub(super) byte: u32,
    /// The highest byte of the dosage, which may be [`NOBODY`].
    pub(super) is_highest: bool,
    /// By place.
    pub(super) bytes: Vec<u8>,
}

/// Genotypes of an allele of a variant, as calls or as dosages.
#[derive(Clone, Debug, Default)]
pub(super) struct AlleleReader {
    /// The allele's calls, where they are not those of the genotypes.
    calls: Calls,
    from: From,
    masked: Calls,
    packed: Vec<u8>,
    values: Vec<u64>,
}

/// Where an allele's copies are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum From {
    /// In the calls of the genotypes.
    #[default]
    Genotypes,
    /// In the reader's calls.
    Calls,
    /// In the reader's values, where one copy is so much.
    Values(u64),
}

/// Why an allele cannot be counted.
pub(super) type Refused = &'static str;

impl AlleleReader {
    /// Takes what genotypes say about an allele; 0 stands for all alternate alleles together.
    pub(super) fn read(&mut self, genotypes: &Genotypes, allele: u32) -> Result<(), Refused> {
        if genotypes.dosages.of != DosageOf::Nobody {
            if allele > 0 {
                return Err("dosages of one of several alternate alleles are not known");
            }
            return self.read_dosages(genotypes);
        }
        self.from = From::Genotypes;
        if allele > 0 {
            genotypes.copies_of(allele, &mut self.packed);
            self.calls.clear(genotypes.samples);
            self.calls.set_packed(&self.packed);
            self.from = From::Calls;
        }
        Ok(())
    }

    fn read_dosages(&mut self, genotypes: &Genotypes) -> Result<(), Refused> {
        let (dosages, values) = (&genotypes.dosages, &mut self.values);
        let one = dosages.one;
        values.clear();
        if dosages.of == DosageOf::All {
            values.extend_from_slice(&dosages.values);
        } else {
            genotypes.calls.packed(&mut self.packed);
            let codes = (0..genotypes.samples).map(|sample| self.packed[sample / 4] >> (sample % 4 * 2) & 3);
            values.extend(codes.map(
                |code| {
                    if code == MISSING { MISSING_DOSAGE } else { u64::from(code) * one }
                },
            ));
            for (sample, value) in dosages.samples.iter().zip(&dosages.values) {
                if let Some(known) = values.get_mut(*sample as usize) {
                    *known = *value;
                }
            }
        }
        for (value, ploidy) in values.iter_mut().zip(&genotypes.ploidies) {
            match ploidy {
                0 => *value = MISSING_DOSAGE,
                // Who has one copy counts as with two of the same, like in PLINK's files.
                1 if *value != MISSING_DOSAGE => *value *= 2,
                1 | 2 => {}
                _ => return Err("a sample has more than two copies of the contig"),
            }
        }
        if values.iter().any(|value| *value != MISSING_DOSAGE && *value > 2 * one) {
            return Err("a dosage is greater than two copies");
        }
        self.from = From::Values(one);
        // What are calls, is counted as such.
        let code_of = |value: u64| match value {
            MISSING_DOSAGE => Some(MISSING),
            0 => Some(0),
            value if value == one => Some(1),
            value if value == 2 * one => Some(2),
            _ => None,
        };
        self.packed.clear();
        for four in self.values.chunks(4) {
            let mut byte = 0;
            for (place, value) in four.iter().enumerate() {
                match code_of(*value) {
                    Some(code) => byte |= code << (2 * place),
                    None => return Ok(()),
                }
            }
            self.packed.push(byte);
        }
        self.calls.clear(genotypes.samples);
        self.calls.set_packed(&self.packed);
        self.from = From::Calls;
        Ok(())
    }

    /// Copies of the allele among the founders.
    pub(super) fn count(&mut self, genotypes: &Genotypes, classes: &[Class], people: &People) -> AlleleCount {
        let mut count = AlleleCount::default();
        let calls = if self.from == From::Genotypes { &genotypes.calls } else { &self.calls };
        for &(who, halves) in classes {
            let weight = if halves { 1 } else { 2 };
            if let From::Values(one) = self.from {
                for (sample, value) in self.values.iter().enumerate() {
                    if *value != MISSING_DOSAGE && people.is_member(who, sample) && people.is_founder(sample)
                    {
                        count.copies += weight * u128::from(*value);
                        count.known += weight * 2 * u128::from(one);
                    }
                }
                continue;
            }
            let [none, some, two, _] = if who == Who::All && people.all_are_founders {
                calls.counts()
            } else {
                calls.packed(&mut self.packed);
                let masked = self.packed.iter().enumerate();
                let masked = masked.map(|(at, byte)| byte | !(people.members(who, at) & people.founders(at)));
                self.masked.clear(people.samples);
                self.masked.set_packed_with(|into| into.extend(masked));
                self.masked.counts()
            };
            count.copies += weight * (some as u128 + 2 * two as u128);
            count.known += weight * 2 * (none + some + two) as u128;
        }
        count
    }

    /// The column of a class, for a range of samples that begins at a multiple of four; `is_straight` where no score wants
    /// anything but the dosage itself.
    pub(super) fn column(
        &mut self,
        genotypes: &Genotypes,
        (who, _): Class,
        people: &People,
        range: &Range<usize>,
        places: &Places,
        is_straight: bool,
    ) -> Column {
        let mut missing = Vec::new();
        if let From::Values(one) = self.from {
            let values = self.values.iter().enumerate().take(range.end).skip(range.start);
            let of_class = values.map(|(sample, value)| people.is_member(who, sample).then_some(*value));
            let counted: Vec<Option<u64>> = of_class.collect();
            let unknown = (0u32..).zip(&counted).filter(|(_, value)| **value == Some(MISSING_DOSAGE));
            missing.extend(unknown.map(|(sample, _)| sample));
            let known = |value: &Option<u64>| value.filter(|value| *value != MISSING_DOSAGE);
            let mut streams = Vec::new();
            if is_straight {
                let values = counted.iter().map(known);
                write_dosages(values, Slope::Both, one, 2 * one, places, &mut streams);
            } else {
                let first = counted.iter().map(|value| known(value).map(|value| value.min(one)));
                write_dosages(first, Slope::First, one, one, places, &mut streams);
                let second = counted.iter().map(|value| known(value).map(|value| value.saturating_sub(one)));
                write_dosages(second, Slope::Second, one, one, places, &mut streams);
            }
            return Column { form: Form::Dosages(streams), missing };
        }
        let calls = if self.from == From::Genotypes { &genotypes.calls } else { &self.calls };
        let start = range.start as u32;
        if who == Who::All
            && let View::Sparse { common, samples, codes } = calls.view()
            && samples.len() < people.samples / SPARSE
            && common != MISSING
        {
            let place = |sample: usize| samples.partition_point(|at| (*at as usize) < sample);
            let taken = place(range.start)..place(range.end);
            let samples: Vec<u32> = samples[taken.clone()].iter().map(|sample| sample - start).collect();
            let codes = codes[taken].to_vec();
            let unknown = samples.iter().zip(&codes).filter(|(_, code)| **code == MISSING);
            missing.extend(unknown.map(|(sample, _)| *sample));
            return Column { form: Form::Sparse { common, samples, codes }, missing };
        }
        let packed = match calls.view() {
            View::Packed(packed) => packed,
            _ => {
                calls.packed(&mut self.packed);
                &self.packed
            }
        };
        let bytes = range.start / 4..range.end.div_ceil(4);
        let mut codes = packed.get(bytes.clone()).unwrap_or_default().to_vec();
        find_missing(&codes, &mut missing);
        if who != Who::All {
            missing.retain(|sample| people.is_member(who, range.start + *sample as usize));
            bytes.zip(&mut codes).for_each(|(at, code)| *code |= !people.members(who, at));
        }
        Column { form: Form::Packed { codes, is_whole: who == Who::All }, missing }
    }
}

/// The samples whose packed calls are missing.
fn find_missing(packed: &[u8], into: &mut Vec<u32>) {
    let (words, rest) = packed.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    for (first, word) in (0u32..).step_by(32).zip(words.iter().chain([&last])) {
        let word = u64::from_le_bytes(*word);
        let mut both = word & word >> 1 & 0x5555_5555_5555_5555;
        while both != 0 {
            into.push(first + both.trailing_zeros() / 2);
            both &= both - 1;
        }
    }
}

/// Cuts values, none above `most`, into bytes.
fn write_dosages(
    values: impl Iterator<Item = Option<u64>>,
    slope: Slope,
    one: u64,
    most: u64,
    places: &Places,
    into: &mut Vec<DosageBytes>,
) {
    let mut count = 1;
    while most >> (8 * (count - 1)) >= u64::from(NOBODY) {
        count += 1;
    }
    let first = into.len();
    into.extend((0..count).map(|byte| {
        let is_highest = byte + 1 == count;
        DosageBytes { slope, one, byte, is_highest, bytes: vec![0; places.len()] }
    }));
    let streams = into.get_mut(first..).unwrap_or_default();
    for (sample, value) in values.enumerate() {
        let place = places.place(sample);
        for stream in &mut *streams {
            stream.bytes[place] = match value {
                Some(value) => (value >> (8 * stream.byte)) as u8,
                None if stream.is_highest => NOBODY,
                None => 0,
            };
        }
    }
}
