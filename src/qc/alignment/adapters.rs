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
    let mut begin = [0; LENGTH];
    if mapped && read.flags.is_reverse() {
        let last = read.bases.iter().rev();
        begin.iter_mut().zip(last).for_each(|(base, &code)| *base = complement(code));
    } else {
        begin.copy_from_slice(&read.bases[..LENGTH]);
    }
    static PIECES: OnceLock<Vec<[u8; LENGTH]>> = OnceLock::new();
    let pieces = PIECES.get_or_init(pieces);
    pieces.iter().any(|piece| piece.iter().zip(&begin).filter(|(a, b)| a != b).count() <= MAX_ERRORS)
}

/// All pieces of the adapters and their reverse complements, as BAM codes.
fn pieces() -> Vec<[u8; LENGTH]> {
    let mut pieces = Vec::new();
    for adapter in ADAPTERS {
        let codes: Vec<u8> = adapter.bytes().map(|base| BASE_CODES[usize::from(base)]).collect();
        for piece in codes.windows(LENGTH) {
            if piece.iter().filter(|base| **base == BASE_N).count() <= MAX_ERRORS {
                let forward: [u8; LENGTH] = std::array::from_fn(|i| piece[i]);
                pieces.push(forward);
                pieces.push(std::array::from_fn(|i| complement(forward[LENGTH - 1 - i])));
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
