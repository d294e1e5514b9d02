//! Genotypes of some of the people of a file, as if the file held no others.

use super::calls::{Calls, View};
use super::samples::SampleTable;
use super::sites::SiteTable;
use super::{Cursor, DosageOf, GenotypeError, GenotypeSource, Genotypes};

/// A file's genotypes without those who are not chosen.
pub struct Selected {
    source: Box<dyn GenotypeSource>,
    samples: SampleTable,
    numbers: Numbers,
}

/// Who is chosen, by the numbers that samples have before and after.
#[derive(Clone, Debug, Default)]
struct Numbers {
    /// Consecutive samples: the first, and how many.
    runs: Vec<(usize, usize)>,
    /// For each sample its number among the chosen.
    after: Vec<Option<u32>>,
    count: usize,
}

impl Selected {
    /// Of a file the samples (0-based, ascending) of these numbers; others than it has are left out.
    pub fn new(source: Box<dyn GenotypeSource>, chosen: &[u32]) -> Self {
        let all = source.samples();
        let mut samples = SampleTable::default();
        samples.phenotypes.clone_from(&all.phenotypes);
        (samples.has_families, samples.has_sources) = (all.has_families, all.has_sources);
        let mut numbers = Numbers { after: vec![None; all.len()], ..Numbers::default() };
        for number in chosen.iter().map(|number| *number as usize) {
            let Some(sample) = all.as_slice().get(number) else { continue };
            // A part of a table without doubles has none.
            if samples.push(sample.clone()).is_ok() {
                numbers.push(number);
            }
        }
        Self { samples, numbers, source }
    }
}

impl GenotypeSource for Selected {
    fn samples(&self) -> &SampleTable {
        &self.samples
    }

    fn sites(&self) -> &SiteTable {
        self.source.sites()
    }

    fn settle_samples(&mut self, like: Option<&SampleTable>) {
        self.samples.settle(like);
    }

    fn held_bytes(&self) -> u64 {
        self.source.held_bytes() + self.source.samples().bytes()
    }

    fn cursor(&self) -> Box<dyn Cursor + '_> {
        let whole = Genotypes::default();
        Box::new(SelectedCursor { cursor: self.source.cursor(), whole, numbers: &self.numbers })
    }
}

struct SelectedCursor<'s> {
    cursor: Box<dyn Cursor + 's>,
    whole: Genotypes,
    numbers: &'s Numbers,
}

impl Cursor for SelectedCursor<'_> {
    fn read(&mut self, variant: usize, into: &mut Genotypes) -> Result<(), GenotypeError> {
        self.cursor.read(variant, &mut self.whole)?;
        self.numbers.select(&self.whole, into);
        Ok(())
    }
}

impl Numbers {
    fn push(&mut self, number: usize) {
        self.after[number] = u32::try_from(self.count).ok();
        self.count += 1;
        match self.runs.last_mut() {
            Some((first, length)) if *first + *length == number => *length += 1,
            _ => self.runs.push((number, 1)),
        }
    }

    fn of(&self, sample: u32) -> Option<u32> {
        self.after.get(sample as usize).copied().flatten()
    }

    fn select(&self, whole: &Genotypes, into: &mut Genotypes) {
        into.clear(self.count, whole.alleles);
        self.copy(&whole.ploidies, &mut into.ploidies);
        self.select_calls(&whole.calls, &mut into.calls);
        let (others, kept) = (&whole.others, &mut into.others);
        let with = others.with_reference.iter();
        kept.with_reference.extend(with.filter_map(|(sample, a)| Some((self.of(*sample)?, *a))));
        let without = others.without_reference.iter();
        kept.without_reference.extend(without.filter_map(|(sample, a, b)| Some((self.of(*sample)?, *a, *b))));
        (into.dosages.one, into.dosages.of) = (whole.dosages.one, whole.dosages.of);
        match whole.dosages.of {
            DosageOf::Nobody => {}
            DosageOf::All => self.copy(&whole.dosages.values, &mut into.dosages.values),
            DosageOf::Some => {
                for (sample, value) in whole.dosages.samples.iter().zip(&whole.dosages.values) {
                    if let Some(number) = self.of(*sample) {
                        into.dosages.samples.push(number);
                        into.dosages.values.push(*value);
                    }
                }
            }
        }
        let calls = whole.phase.calls.iter();
        into.phase.calls.extend(calls.filter_map(|(sample, phase)| Some((self.of(*sample)?, *phase))));
        let dosages = whole.phase.dosages.iter();
        into.phase.dosages.extend(dosages.filter_map(|(sample, split)| Some((self.of(*sample)?, *split))));
    }

    fn select_calls(&self, whole: &Calls, into: &mut Calls) {
        match whole.view() {
            View::Absent => {}
            View::Packed(packed) => into.set_packed_with(|bytes| self.gather(packed, bytes)),
            View::Sparse { common, samples, codes } => {
                let named = samples.iter().zip(codes);
                let (samples, codes): (Vec<u32>, Vec<u8>) =
                    named.filter_map(|(sample, code)| Some((self.of(*sample)?, *code))).unzip();
                into.set_common(common);
                into.patch(&samples, &codes);
            }
        }
    }

    /// Values, one a sample, of the chosen.
    fn copy<T: Copy>(&self, values: &[T], into: &mut Vec<T>) {
        for &(first, length) in &self.runs {
            into.extend_from_slice(values.get(first..first + length).unwrap_or_default());
        }
    }

    /// Fields of two bits of the chosen, packed, run by run.
    fn gather(&self, packed: &[u8], into: &mut Vec<u8>) {
        // Less than a byte waits, so that 28 samples more have room.
        let (mut waiting, mut bits) = (0u64, 0);
        for &(first, length) in &self.runs {
            let (mut at, end) = (first, first + length);
            while at < end {
                let count = (end - at).min(28);
                let field = word(packed, at / 4) >> (at % 4 * 2) & ((1 << (2 * count)) - 1);
                waiting |= field << bits;
                bits += 2 * count;
                into.extend_from_slice(&waiting.to_le_bytes()[..bits / 8]);
                waiting >>= bits / 8 * 8;
                bits %= 8;
                at += count;
            }
        }
        if bits > 0 {
            into.push(waiting as u8);
        }
    }
}

/// Eight bytes from a place on; 0 for those behind the last.
fn word(packed: &[u8], at: usize) -> u64 {
    let rest = packed.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => super::bytes::integer(rest),
    }
}
