//! What a `.pgen` record has behind its calls: other alternate alleles, phase and dosages.
//!
//! Source: "Multiallelic hard-calls", "Phased heterozygous hard-calls", "Dosage existence and values" and "Phased
//! dosages" in pgen_spec of chrchang/plink-ng. Dosages of several alternate alleles apart (tracks 5, 6, 9 and 10) are not
//! settled there, and no version of PLINK 2 writes them: they are refused.

use super::difflist;
use super::main_track::List;
use crate::formats::genotypes::bytes::{Bytes, Problem, integer};
use crate::formats::genotypes::calls::Calls;
use crate::formats::genotypes::{DosageOf, Dosages, OtherAlleles, Phase};

/// What one copy of an allele counts in a dosage.
const ONE: u64 = 16_384;
const MISSING: u64 = 65_535;

/// Reads which calls have other alternate alleles than the first, where there are `alleles` with the reference.
pub(super) fn read_other_alleles(
    bytes: &mut Bytes,
    alleles: usize,
    calls: &Calls,
    list: &mut List,
    others: &mut OtherAlleles,
) -> Result<(), Problem> {
    let alternates = u32::try_from(alleles).unwrap_or(u32::MAX) - 1;
    if alternates < 2 {
        return Err("it has calls of other alleles, but the variant has one alternate allele");
    }
    let forms = bytes.byte()?;
    read_patched(forms & 15, 1, bytes, calls, list)?;
    let width = width(alternates - 1, &[1, 2, 4, 16, 256, 65_536]);
    let values = bytes.take((list.samples.len() * width).div_ceil(8))?;
    for (at, &sample) in list.samples.iter().enumerate() {
        let other = value(values, at, width) + 2;
        others.with_reference.push((sample, within(other, alternates)?));
    }
    read_patched(forms >> 4, 2, bytes, calls, list)?;
    if alternates == 2 {
        let values = bytes.take(list.samples.len().div_ceil(8))?;
        for (at, &sample) in list.samples.iter().enumerate() {
            others.without_reference.push((sample, 1 + value(values, at, 1), 2));
        }
        return Ok(());
    }
    let width = self::width(alternates, &[0, 0, 4, 16, 256, 65_536]);
    let values = bytes.take((list.samples.len() * 2 * width).div_ceil(8))?;
    for (at, &sample) in list.samples.iter().enumerate() {
        let (first, second) = (value(values, 2 * at, width) + 1, value(values, 2 * at + 1, width) + 1);
        if first > second || second < 2 {
            return Err("the alleles of a call are out of order");
        }
        others.without_reference.push((sample, first, within(second, alternates)?));
    }
    Ok(())
}

/// The samples that have a call of `code` and other alleles.
fn read_patched(
    form: u8,
    code: u8,
    bytes: &mut Bytes,
    calls: &Calls,
    list: &mut List,
) -> Result<(), Problem> {
    match form {
        0 => {
            calls.samples_with(code, &mut list.samples);
            let bits = bytes.take(list.samples.len().div_ceil(8))?;
            keep_set(&mut list.samples, bits, 0);
            Ok(())
        }
        1 => {
            difflist::read(bytes, calls.count(), &mut list.samples, None)?;
            if list.samples.iter().any(|sample| calls.get(*sample as usize) != code) {
                return Err("a list of other alleles has samples with other calls");
            }
            Ok(())
        }
        15 => {
            list.samples.clear();
            Ok(())
        }
        _ => Err("its calls of other alleles are stored in a way that is not known"),
    }
}

fn within(allele: u32, alternates: u32) -> Result<u32, Problem> {
    if allele <= alternates { Ok(allele) } else { Err("it has an allele that the variant has not") }
}

/// Bits of a value that is one of `values`: the place of the first limit that is not below, as 0, 1, 2, 4, 8 or 16 bits.
fn width(values: u32, limits: &[u32; 6]) -> usize {
    let place = limits.iter().position(|limit| values <= *limit);
    [0, 1, 2, 4, 8, 16].get(place.unwrap_or(6)).copied().unwrap_or(24)
}

/// The value at a place among packed ones of 0, 1, 2, 4, 8, 16 or 24 bits.
fn value(packed: &[u8], at: usize, width: usize) -> u32 {
    if width < 8 {
        let bit = at * width;
        let byte = packed.get(bit / 8).copied().unwrap_or(0);
        return u32::from(byte >> (bit % 8)) & ((1 << width) - 1);
    }
    let width = width / 8;
    packed.get(at * width..(at + 1) * width).map_or(0, integer) as u32
}

fn is_set(bits: &[u8], at: usize) -> bool {
    bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
}

/// Keeps the samples whose bit is set; the first one's is that at `from`.
fn keep_set(samples: &mut Vec<u32>, bits: &[u8], from: usize) {
    let mut at = from;
    samples.retain(|_| {
        at += 1;
        is_set(bits, at - 1)
    });
}

/// Reads, or passes over, which heterozygous calls have a known phase.
pub(super) fn read_phase(
    bytes: &mut Bytes,
    calls: &Calls,
    others: &OtherAlleles,
    list: &mut List,
    phase: Option<&mut Phase>,
) -> Result<(), Problem> {
    let hets = || others.without_reference.iter().filter(|(_, a, b)| a != b).map(|(sample, ..)| *sample);
    let count = calls.counts()[1] + hets().count();
    let present = bytes.take(1 + count / 8)?;
    let is_explicit = is_set(present, 0);
    let phased = if is_explicit {
        let set = present.iter().map(|byte| byte.count_ones() as usize).sum::<usize>() - 1;
        if (count + 1..present.len() * 8).any(|at| is_set(present, at)) {
            return Err("it has phase of more calls than are heterozygous");
        }
        bytes.take(set.div_ceil(8))?
    } else {
        present
    };
    let Some(phase) = phase else { return Ok(()) };
    calls.samples_with(1, &mut list.samples);
    if !others.without_reference.is_empty() {
        list.samples.extend(hets());
        list.samples.sort_unstable();
    }
    if is_explicit {
        keep_set(&mut list.samples, present, 1);
    }
    let from = usize::from(!is_explicit);
    phase.calls.extend((from..).zip(&list.samples).map(|(at, sample)| (*sample, is_set(phased, at))));
    Ok(())
}

/// Reads dosages, and the phase of those that have one, of a record type that has them.
pub(super) fn read_dosages(
    kind: u8,
    bytes: &mut Bytes,
    count: usize,
    dosages: &mut Dosages,
    phase: Option<&mut Phase>,
) -> Result<(), Problem> {
    dosages.one = ONE;
    let is_for_all = kind & 0x60 == 0x40;
    match kind & 0x60 {
        0x20 => {
            dosages.of = DosageOf::Some;
            difflist::read(bytes, count, &mut dosages.samples, None)?;
        }
        0x40 => dosages.of = DosageOf::All,
        _ => {
            dosages.of = DosageOf::Some;
            let bits = bytes.take(count.div_ceil(8))?;
            for (byte, bits) in (0u32..).zip(bits) {
                let mut bits = *bits;
                while bits != 0 {
                    dosages.samples.push(byte * 8 + bits.trailing_zeros());
                    bits &= bits - 1;
                }
            }
            if dosages.samples.last().is_some_and(|last| *last as usize >= count) {
                return Err("it has the dosage of a sample that there is not");
            }
        }
    }
    let values = if is_for_all { count } else { dosages.samples.len() };
    for value in bytes.take(2 * values)?.chunks_exact(2).map(integer) {
        dosages.values.push(match value {
            MISSING if is_for_all => super::MISSING_DOSAGE,
            value if value <= 2 * ONE => value,
            _ => return Err("a dosage is greater than two copies"),
        });
    }
    let Some(phase) = phase.filter(|_| kind & 0x80 != 0) else { return Ok(()) };
    read_dosage_phase(bytes, is_for_all, dosages, phase)
}

fn read_dosage_phase(
    bytes: &mut Bytes,
    is_for_all: bool,
    dosages: &Dosages,
    phase: &mut Phase,
) -> Result<(), Problem> {
    let mut samples: Vec<u32> =
        if is_for_all { (0u32..).take(dosages.values.len()).collect() } else { dosages.samples.clone() };
    if !is_for_all {
        let bits = bytes.take(samples.len().div_ceil(8))?;
        keep_set(&mut samples, bits, 0);
    }
    for (sample, value) in samples.iter().zip(bytes.take(2 * samples.len())?.chunks_exact(2)) {
        let difference = i32::from(i16::from_le_bytes([value[0], value[1]]));
        // In the form for all, 0 is no phase, and the least number a missing dosage.
        if is_for_all && matches!(difference, 0 | -32_768) {
            continue;
        }
        if difference.unsigned_abs() > ONE as u32 {
            return Err("the dosages of two chromosomes differ by more than a copy");
        }
        phase.dosages.push((*sample, difference));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_specification() {
        // Alternates, bits of a value beside the reference, bits of each of two values.
        for (alternates, one, two) in [
            (2, 0, 1),
            (3, 1, 2),
            (4, 2, 2),
            (5, 2, 4),
            (6, 4, 4),
            (16, 4, 4),
            (17, 4, 8),
            (18, 8, 8),
            (256, 8, 8),
            (257, 8, 16),
            (258, 16, 16),
            (65_536, 16, 16),
            (65_537, 16, 24),
            (65_538, 24, 24),
        ] {
            assert_eq!(width(alternates - 1, &[1, 2, 4, 16, 256, 65_536]), one, "{alternates}");
            if alternates > 2 {
                assert_eq!(width(alternates, &[0, 0, 4, 16, 256, 65_536]), two, "{alternates}");
            }
        }
    }
}
