//! Reads that begin with an Illumina adapter, by Picard's rule.

use std::sync::OnceLock;

use crate::qc::decode::BASE_CODES;
use crate::qc::read::{BASE_N, Read};

/// Bases that are compared.
const LENGTH: usize = 16;
/// Mismatches that are allowed, and N in a piece of adapter.
const MAX_ERRORS: usize = 1;

/// The adapters of single reads, pairs and index reads (Illumina document 1000000002694), both ends of each; N where the
/// index stands.
const ADAPTERS: [&str; 4] = [
    "AATGATACGGCGACCACCGAGATCTACACTCTTTCCCTACACGACGCTCTTCCGATCT",
    "AGATCGGAAGAGCTCGTATGCCGTCTTCTGCTTG",
    "AGATCGGAAGAGCGGTTCAGCAGGAATGCCGAGACCGATCTCGTATGCCGTCTTCTGCTTG",
    "AGATCGGAAGAGCACACGTCTGAACTCCAGTCACNNNNNNNNATCTCGTATGCCGTCTTCTGCTTG",
];

/// Whether the read, unmapped or of mapping quality 0, begins with a piece of an adapter on either strand.
#[inline]
pub fn is_adapter(read: &Read<'_>) -> bool {
    let mapped = !read.flags.is_unmapped();
    if mapped && read.mapq != 0 || read.bases.len() < LENGTH {
        return false;
    }
    let begin = if mapped && read.flags.is_reverse() {
        pack(read.bases.iter().rev().map(|&code| complement(code)))
    } else {
        pack(read.bases.iter().copied())
    };
    static PIECES: OnceLock<Vec<u64>> = OnceLock::new();
    PIECES.get_or_init(pieces).iter().any(|&piece| differ_in_one_at_most(piece, begin))
}

/// The first 16 codes as one number, four bits each.
fn pack(codes: impl Iterator<Item = u8>) -> u64 {
    codes.take(LENGTH).fold(0, |packed, code| packed << 4 | u64::from(code))
}

/// Whether at most one of the 16 codes differs.
#[inline]
fn differ_in_one_at_most(a: u64, b: u64) -> bool {
    let bits = a ^ b;
    let bits = bits | bits >> 2;
    let different = (bits | bits >> 1) & 0x1111_1111_1111_1111;
    different & different.wrapping_sub(1) == 0
}

/// All pieces of the adapters and their reverse complements.
fn pieces() -> Vec<u64> {
    let mut pieces = Vec::new();
    for adapter in ADAPTERS {
        let codes: Vec<u8> = adapter.bytes().map(|base| BASE_CODES[usize::from(base)]).collect();
        for piece in codes.windows(LENGTH) {
            if piece.iter().filter(|base| **base == BASE_N).count() <= MAX_ERRORS {
                pieces.push(pack(piece.iter().copied()));
                pieces.push(pack(piece.iter().rev().map(|&code| complement(code))));
            }
        }
    }
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// The complement of a BAM code: its four bits the other way round.
fn complement(code: u8) -> u8 {
    code.reverse_bits() >> 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_codes_differ_where_the_codes_do(
            a in proptest::array::uniform16(0u8..16), edits in proptest::collection::vec((0usize..16, 0u8..16), 0..4)
        ) {
            let mut b = a;
            edits.iter().for_each(|&(at, code)| b[at] = code);
            let count = a.iter().zip(&b).filter(|(a, b)| a != b).count();
            prop_assert_eq!(differ_in_one_at_most(pack(a.into_iter()), pack(b.into_iter())), count <= MAX_ERRORS);
        }
    }
}
