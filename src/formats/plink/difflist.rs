//! Difflists: some samples, increasing, with two bits each or without.
//!
//! Source: "Difflists" in pgen_spec of chrchang/plink-ng. Samples stand in groups of 64: the first of each group in full,
//! then lengths of the groups, then codes, then the steps from sample to sample.

use crate::formats::genotypes::bytes::{Bytes, Problem, integer};

/// Samples of a group.
const GROUP: usize = 64;

/// Reads a difflist of samples below `count` into `samples` and, where it has them, their codes into `codes`.
pub(super) fn read(
    bytes: &mut Bytes,
    count: usize,
    samples: &mut Vec<u32>,
    codes: Option<&mut Vec<u8>>,
) -> Result<(), Problem> {
    samples.clear();
    let length = bytes.varint()? as usize;
    if length > count {
        return Err("a list has more samples than there are");
    }
    let groups = length.div_ceil(GROUP);
    let width = id_width(count);
    let firsts = bytes.take(groups * width)?;
    bytes.take(groups.saturating_sub(1))?;
    if let Some(codes) = codes {
        let packed = bytes.take(length.div_ceil(4))?;
        codes.clear();
        codes.resize(4 * packed.len(), 0);
        for (four, byte) in codes.chunks_exact_mut(4).zip(packed) {
            four.copy_from_slice(&[byte & 3, byte >> 2 & 3, byte >> 4 & 3, byte >> 6]);
        }
        codes.truncate(length);
    }
    samples.reserve(length);
    let mut least = 0;
    for (group, first) in firsts.chunks_exact(width).enumerate() {
        let mut sample = integer(first);
        let steps = (length - group * GROUP).min(GROUP) - 1;
        if sample < least {
            return Err("the samples of a list do not increase");
        }
        samples.push(sample as u32);
        for _ in 0..steps {
            let step = bytes.varint()?;
            if step == 0 {
                return Err("the samples of a list do not increase");
            }
            sample += u64::from(step);
            samples.push(sample as u32);
        }
        // The last sample of a group is its greatest, and far from the end of the numbers.
        if sample >= count as u64 {
            return Err("a list has a sample that there is not");
        }
        least = sample + 1;
    }
    Ok(())
}

/// Bytes of a sample's number where there are so many samples.
fn id_width(count: usize) -> usize {
    match count {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        0x1_0001..=0x100_0000 => 3,
        _ => 4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The example of the specification: 79 samples 5,000, 10,000, ... of 488,377.
    #[test]
    fn the_specifications_example_is_read() {
        let mut bytes = vec![0x4f, 0x88, 0x13, 0x00, 0x88, 0xf5, 0x04, 0x3f];
        bytes.extend([0b11_10_01_00; 20]);
        bytes.extend([0x88, 0x27].repeat(77));
        let (mut left, mut samples, mut codes) = (Bytes(&bytes), Vec::new(), Vec::new());
        read(&mut left, 488_377, &mut samples, Some(&mut codes)).unwrap();
        assert!(left.0.is_empty());
        assert_eq!(samples, (1..=79).map(|n| n * 5000).collect::<Vec<u32>>());
        assert_eq!((codes.len(), codes[78]), (79, 2));
        assert!(read(&mut Bytes(&bytes), 395_000, &mut samples, Some(&mut codes)).is_err());
        assert!(read(&mut Bytes(&bytes[..100]), 488_377, &mut samples, Some(&mut codes)).is_err());
        read(&mut Bytes(&[0]), 488_377, &mut samples, None).unwrap();
        assert!(samples.is_empty());
    }
}
