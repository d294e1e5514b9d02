//! How many bases have each quality.
//!
//! A counter that is raised again before the last raise has reached the cache costs five cycles, and neighbouring bases
//! have the same quality more often than not. So neighbours count in banks of their own.

use serde::{Deserialize, Serialize};

const BANKS: usize = 8;

/// Bases by quality.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QualityCounts {
    banks: Vec<[u32; BANKS]>,
    /// Bases counted in the banks since they were emptied.
    pending: u32,
    total: Vec<u64>,
}

impl Default for QualityCounts {
    fn default() -> Self {
        Self { banks: vec![[0; BANKS]; 256], pending: 0, total: vec![0; 256] }
    }
}

impl QualityCounts {
    /// Counts bases.
    #[inline]
    pub fn add(&mut self, quals: &[u8]) {
        if quals.len() as u64 > u64::from(u32::MAX - self.pending) {
            self.settle();
        }
        self.pending += quals.len() as u32;
        let Ok(banks) = <&mut [[u32; BANKS]; 256]>::try_from(&mut self.banks[..]) else { return };
        for eight in quals.chunks(BANKS) {
            for (bank, &quality) in eight.iter().enumerate() {
                banks[usize::from(quality)][bank] += 1;
            }
        }
    }

    /// Counts one base.
    pub fn add_one(&mut self, quality: u8) {
        self.total[usize::from(quality)] += 1;
    }

    /// Takes in other counts.
    pub fn merge(&mut self, mut next: Self) {
        next.settle();
        self.total.iter_mut().zip(next.total).for_each(|(a, b)| *a += b);
    }

    /// How many bases have the quality.
    pub fn get(&self, quality: usize) -> u64 {
        self.total[quality] + self.banks[quality].iter().map(|&n| u64::from(n)).sum::<u64>()
    }

    fn settle(&mut self) {
        for (total, banks) in self.total.iter_mut().zip(&mut self.banks) {
            *total += banks.iter_mut().map(|n| u64::from(std::mem::take(n))).sum::<u64>();
        }
        self.pending = 0;
    }
}
