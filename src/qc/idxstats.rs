//! `samtools idxstats`: mapped and unmapped records by contig.

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs};
use super::read::Read;
use crate::genome::contigs::Contig;

/// Records by contig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idxstats {
    /// (mapped, unmapped but placed), one a contig.
    pub contigs: Vec<(u64, u64)>,
    /// Records without a contig.
    pub unplaced: u64,
}

impl Collector for Idxstats {
    fn needs(_: &Context) -> Needs {
        Needs::default()
    }

    fn new(context: &Context) -> Self {
        Self { contigs: vec![(0, 0); context.header.contigs.len()], unplaced: 0 }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        match read.contig {
            None => self.unplaced += 1,
            Some(contig) if read.flags.is_unmapped() => self.contigs[contig].1 += 1,
            Some(contig) => self.contigs[contig].0 += 1,
        }
    }

    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        for (a, b) in self.contigs.iter_mut().zip(next.contigs) {
            a.0 += b.0;
            a.1 += b.1;
        }
        self.unplaced += next.unplaced;
    }
}

impl Idxstats {
    /// The text that `samtools idxstats` prints: contig, length, mapped, unmapped.
    pub fn to_text(&self, contigs: &[Contig]) -> String {
        let mut text = String::new();
        for (contig, (mapped, unmapped)) in contigs.iter().zip(&self.contigs) {
            text.push_str(&format!("{}\t{}\t{mapped}\t{unmapped}\n", contig.name, contig.length));
        }
        text.push_str(&format!("*\t0\t0\t{}\n", self.unplaced));
        text
    }
}
