//! The calls of a record: no, first alternate or other copies of the reference, in the ways that a `.pgen` stores them.
//!
//! Source: "Main data track" in pgen_spec of chrchang/plink-ng; type 5 (all have the reference) as its reader has it.

use super::difflist;
use crate::formats::genotypes::bytes::{Bytes, Problem, integer};
use crate::formats::genotypes::calls::Calls;

/// Samples of a list and their codes, kept for the next list.
#[derive(Default)]
pub(super) struct List {
    pub(super) samples: Vec<u32>,
    pub(super) codes: Vec<u8>,
}

/// Reads calls of PLINK 1, where 0 are two copies of the first allele, 1 is missing, 2 one copy, 3 none.
pub(super) fn read_plink1(bytes: &mut Bytes, calls: &mut Calls) -> Result<(), Problem> {
    let packed = bytes.take(calls.count().div_ceil(4))?;
    calls.set_packed_with(|into| {
        into.extend(packed.iter().map(|byte| {
            let (low, high) = (byte & 0x55, byte >> 1 & 0x55);
            (!high & 0x55) << 1 | (high ^ low)
        }));
    });
    Ok(())
}

/// Reads calls of a type (its three lowest bits count); `base` has those of the last record that is told in full.
pub(super) fn read(
    kind: u8,
    bytes: &mut Bytes,
    base: &Calls,
    list: &mut List,
    calls: &mut Calls,
) -> Result<(), Problem> {
    let count = calls.count();
    match kind & 7 {
        0 => {
            calls.set_packed(bytes.take(count.div_ceil(4))?);
            return Ok(());
        }
        1 => read_one_bit(bytes, calls)?,
        2 | 3 => {
            if base.count() != count {
                return Err("it is told as differences from no record");
            }
            calls.clone_from(base);
        }
        5 => {
            calls.set_common(0);
            return Ok(());
        }
        common => calls.set_common(common & 3),
    }
    difflist::read(bytes, count, &mut list.samples, Some(&mut list.codes))?;
    calls.patch(&list.samples, &list.codes);
    if kind & 7 == 3 {
        calls.invert();
    }
    Ok(())
}

/// One bit a sample: which of the two most common calls it has.
fn read_one_bit(bytes: &mut Bytes, calls: &mut Calls) -> Result<(), Problem> {
    let pair = bytes.byte()?;
    let (lower, step) = (pair >> 2, pair & 3);
    if step == 0 || lower + step > 3 {
        return Err("its two most common calls are not told");
    }
    let bits = bytes.take(calls.count().div_ceil(8))?;
    let (step, lower) = (u64::from(step), u64::from(lower) * LOW);
    calls.set_packed_with(|into| {
        into.resize(bits.len().next_multiple_of(4) * 2, 0);
        for (codes, four) in into.chunks_exact_mut(8).zip(bits.chunks(4)) {
            codes.copy_from_slice(&(spread(integer(four) as u32) * step + lower).to_le_bytes());
        }
    });
    Ok(())
}

const LOW: u64 = 0x5555_5555_5555_5555;

/// Bits with a zero above each.
fn spread(bits: u32) -> u64 {
    let mut bits = u64::from(bits);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & LOW
}
