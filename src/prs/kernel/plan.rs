//! How work is cut so that it fits into a memory: people into passes over the genotypes, variants into blocks, and, by whoever
//! reads weights, scores into tiles.
//!
//! What grows with people, scores or variants is counted here, as the run counts it. What does not (the program, its
//! stacks, what the allocator keeps) is some 30 MB.

use std::ops::Range;

/// What a run holds or will hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// People of the genotypes.
    pub people: usize,
    /// 64-bit sums of a person: scores and counts, with the lanes that fill up tiles.
    pub lanes: usize,
    /// Threads.
    pub threads: usize,
    /// Bytes of all else: weights, people's names, sites, genotypes in memory.
    pub held: u64,
}

/// How the work is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// People of each pass over the genotypes.
    pub passes: Vec<Range<usize>>,
    /// Bytes of a block of variants, about; two blocks are held.
    pub block_bytes: usize,
    /// What the run holds at most, by this account.
    pub bytes: u64,
}

/// Tables, codes and rows of a table that a thread writes.
const OF_THREAD: u64 = 4 << 20;
/// A thread's reader, for each of all people: calls, a dosage before and after it is read, its place in the column.
const OF_READER: u64 = 40;
/// In a pass, for each person: what two blocks of the fewest variants have of dosages of two bytes.
const OF_BLOCKS: u64 = 2 * 16 * 2;
/// Of what is free, blocks get this part, up to [`MOST_OF_BLOCK`] each.
const BLOCKS: u64 = 16;
const MOST_OF_BLOCK: u64 = 12 << 20;
const LEAST_OF_BLOCK: u64 = 64 << 10;

impl Plan {
    /// The fewest passes that fit; where memory is too little for what is held, passes are of so many people as a quarter of it
    /// has sums of, four at least.
    pub fn new(load: &Load, memory: u64) -> Self {
        let threads = load.threads.max(1) as u64;
        let of_threads = threads * OF_THREAD + (threads + 1) * OF_READER * load.people as u64;
        let held = load.held.saturating_add(of_threads);
        let free = memory.saturating_sub(held).max(memory / 4);
        let block_bytes = (free / BLOCKS / 2).clamp(LEAST_OF_BLOCK, MOST_OF_BLOCK);
        let of_person = 8 * load.lanes.max(1) as u64 + OF_BLOCKS;
        let most = usize::try_from(free.saturating_sub(2 * block_bytes) / of_person).unwrap_or(usize::MAX);
        // Passes begin at a byte of calls.
        let most = (most / 4 * 4).clamp(4, load.people.next_multiple_of(4).max(4));
        let count = load.people.div_ceil(most).max(1);
        let width = load.people.div_ceil(count).next_multiple_of(4).clamp(4, most);
        let starts = (0..load.people).step_by(width);
        Self {
            passes: starts.map(|start| start..(start + width).min(load.people)).collect(),
            block_bytes: block_bytes as usize,
            bytes: held.saturating_add(2 * block_bytes).saturating_add(width as u64 * of_person),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Memory in MiB, people, scores, threads, MiB held, and how many passes there are.
    const PLANS: [(u64, usize, usize, usize, u64, usize); 8] = [
        (2048, 500_000, 5_000, 2, 256, 12),
        (2048, 500_000, 5_000, 32, 256, 19),
        (2048, 500_000, 100, 2, 256, 1),
        (2048, 20_000, 1_000, 2, 400, 1),
        (2048, 1, 5_000, 1, 0, 1),
        (8192, 500_000, 5_000, 2, 256, 3),
        (512, 500_000, 1_000, 2, 128, 13),
        (64, 3_202, 3, 2, 1, 1),
    ];

    #[test]
    fn plans_stay_within_the_memory() {
        for (memory, people, scores, threads, held, passes) in PLANS {
            let lanes = usize::next_multiple_of(scores, 16);
            let load = Load { people, lanes, threads, held: held << 20 };
            let plan = Plan::new(&load, memory << 20);
            assert_eq!(plan.passes.len(), passes, "{load:?} {memory}");
            assert!(plan.bytes <= memory << 20, "{load:?} {memory}: {}", plan.bytes);
        }
    }

    proptest! {
        #[test]
        fn everybody_is_in_one_pass(
            people in 0usize..1_000_000, lanes in 0usize..100_000, threads in 0usize..200,
            held in 0u64..1 << 34, memory in 0u64..1 << 40,
        ) {
            let load = Load { people, lanes, threads, held };
            let plan = Plan::new(&load, memory);
            prop_assert_eq!(plan.passes.first().map_or(0, |pass| pass.start), 0);
            prop_assert_eq!(plan.passes.last().map_or(0, |pass| pass.end), people);
            prop_assert!(plan.passes.windows(2).all(|two| two[0].end == two[1].start && two[1].start % 4 == 0));
            // Where a quarter of the memory is free, and passes are not of the fewest people, the account keeps to the memory.
            let width = plan.passes.first().map_or(0, |pass| pass.len().next_multiple_of(4)) as u64;
            let of_pass = 2 * plan.block_bytes as u64 + width * (8 * lanes.max(1) as u64 + OF_BLOCKS);
            let is_free = plan.bytes.saturating_sub(of_pass) <= memory / 4 * 3;
            prop_assert!(plan.bytes <= memory || width <= 4 || !is_free, "{} {memory}", plan.bytes);
        }
    }
}
