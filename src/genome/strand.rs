//! The other strand of a sequence.

/// The other strand, in place; what is no base stays.
pub fn reverse_complement(bases: &mut [u8]) {
    bases.reverse();
    bases.iter_mut().for_each(|base| *base = complement(*base));
}

/// The base of the other strand; what is no base stays.
pub fn complement(base: u8) -> u8 {
    match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_strand_is_read_backwards() {
        let mut bases = b"AACGTN-".to_vec();
        reverse_complement(&mut bases);
        assert_eq!(bases, b"-NACGTT");
        reverse_complement(&mut bases);
        assert_eq!(bases, b"AACGTN-");
    }
}
