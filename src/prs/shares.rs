//! Scores over ranks: each sums a share of the variants, and rank 0 adds up what they have. Sums are integers, so the result is
//! that of one rank, to the bit.

use std::ops::Range;

use super::kernel::{Sums, Unlike};
use super::weights::Weights;
use crate::compute::communicator::{Communicator, CommunicatorError};

/// Why shares could not be brought together.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// A message failed.
    #[error(transparent)]
    Message(#[from] CommunicatorError),
    /// Ranks have read other weights or people.
    #[error("rank {rank}: {source}")]
    Unlike {
        /// The rank.
        rank: usize,
        /// What does not fit.
        source: Unlike,
    },
}

/// The variants of a rank, by their numbers: each rank has about as many rows of weights.
pub fn variants_of(weights: &Weights, ranks: &Communicator) -> Range<u32> {
    share(weights, ranks.rank(), ranks.size())
}

fn share(weights: &Weights, rank: usize, size: usize) -> Range<u32> {
    // A variant's rows stay together.
    let border = |rank: usize| match rank {
        0 => 0,
        _ if rank == size => u32::MAX,
        _ => weights
            .variant_of((weights.rows() as u64 * rank as u64 / size as u64) as usize)
            .unwrap_or(u32::MAX),
    };
    border(rank)..border(rank + 1)
}

/// A number that rank 0 has, for all; all ranks must call it.
///
/// # Errors
/// A message fails.
pub fn of_root(ranks: &Communicator, number: usize) -> Result<usize, ShareError> {
    let bytes = ranks.broadcast_bytes((number as u64).to_le_bytes().to_vec())?;
    let number = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    Ok(usize::try_from(number).unwrap_or(1).max(1))
}

/// Adds all ranks' sums to those of rank 0, a piece at a time; all ranks must call it.
///
/// # Errors
/// A message fails, or ranks have summed something else.
pub fn collect(ranks: &Communicator, sums: &mut Sums) -> Result<(), ShareError> {
    if !ranks.is_root() {
        for piece in sums.pieces() {
            ranks.send_bytes(0, &piece)?;
        }
        return Ok(());
    }
    for rank in 1..ranks.size() {
        for number in 0..sums.piece_count() {
            let (_, piece) = ranks.receive_bytes(Some(rank))?;
            sums.merge_piece(number, &piece).map_err(|source| ShareError::Unlike { rank, source })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::weights::{Effect, WeightsBuilder};
    use super::*;

    proptest! {
        #[test]
        fn each_variant_is_of_one_rank(
            variants in prop::collection::vec(0_u32..50, 0..40),
            size in 1_usize..9,
        ) {
            let mut builder = WeightsBuilder::new(1, 1).expect("one score");
            for (number, variant) in variants.iter().enumerate() {
                builder.add(0, *variant, number as u32 % 3, Effect::Additive, 1.0).expect("a weight");
            }
            let weights = builder.finish();
            let shares: Vec<Range<u32>> = (0..size).map(|rank| share(&weights, rank, size)).collect();
            prop_assert_eq!(shares[0].start, 0);
            prop_assert_eq!(shares[size - 1].end, u32::MAX);
            prop_assert!(shares.windows(2).all(|pair| pair[0].end == pair[1].start));
            // No share has more than its part and the rows of a variant.
            let most = weights.rows().div_ceil(size) + 3;
            prop_assert!(shares.iter().all(|share| weights.rows_of(share.clone()).len() <= most));
        }
    }
}
