//! Alignment QC: every figure from one pass over the reads.

pub mod alignment;
pub mod batches;
pub mod collector;
pub mod coverage;
pub mod curves;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod cut_walk;
pub mod cycles;
pub mod decode;
pub mod depth;
pub mod document;
pub mod duplication;
pub mod figures;
pub mod flagstat;
pub mod ga4gh;
pub mod gc_bias;
pub mod histogram;
pub mod hs;
pub mod idxstats;
pub mod insert_size;
pub mod job;
pub mod levels;
pub mod outputs;
pub mod page;
pub mod pass;
pub mod quality;
pub mod read;
pub mod relate;
pub mod results;
pub mod sensitivity;
pub mod set;
pub mod sex;
pub mod shards;
pub mod sites;
pub mod state;
pub mod stats;
pub mod thresholds;
pub mod wgs;
pub mod window;
pub mod worker;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use depth::regions::RegionSpec;

/// What the user asked of `norn qc`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Options {
    /// The collectors that are asked for by name; all where it is empty.
    pub collectors: Vec<String>,
    /// Reads below this mapping quality do not count in depth figures; each figure has its peer's default without it.
    pub min_mapq: Option<u8>,
    /// Bases below this quality do not count in depth figures; each figure has its peer's default without it.
    pub min_baseq: Option<u8>,
    /// Regions whose mean depth is wanted (`--by`).
    pub regions: Option<Arc<RegionSpec>>,
    /// Whether the depth of every position is wanted (`--per-base`).
    pub per_base: bool,
    /// Borders of depth classes, ascending (`--quantize`); empty: not wanted.
    pub quantize: Vec<u32>,
    /// Depths for which the positions of each region are counted, ascending (`--depth-thresholds`).
    pub depth_thresholds: Vec<u32>,
    /// Depth by a read's start and end alone, mates counted twice (`--fast-mode`).
    pub fast_mode: bool,
    /// Known variable sites (`--sites`), on the contigs of the header.
    pub sites: Option<Arc<sites::list::SiteList>>,
    /// Targets and baits (`--targets`, `--baits`), on the contigs of the header.
    pub design: Option<Arc<hs::design::Design>>,
    /// Units that have rows of their own in Picard's tables (`--levels`); those of all reads are always there.
    pub levels: Vec<levels::Level>,
    /// Bounds that the figures are held against (`--thresholds`).
    #[serde(skip)]
    pub thresholds: Option<Arc<thresholds::Thresholds>>,
}

impl Options {
    /// Asks for these collectors no more.
    pub fn leave_out(&mut self, names: &[&str]) {
        if self.collectors.is_empty() {
            self.collectors =
                set::NAMES.iter().chain(&["quality", "ga4gh"]).map(|n| (*n).to_owned()).collect();
        }
        self.collectors.retain(|name| !names.contains(&name.as_str()));
    }
}

impl collector::Context {
    /// Whether a collector is asked for.
    pub fn wants(&self, name: &str) -> bool {
        let names = &self.options.collectors;
        let base = |of: &[&str]| names.iter().any(|n| of.contains(&n.as_str()));
        match name {
            "sites" if names.is_empty() => self.options.sites.is_some(),
            "hs" if names.is_empty() => self.options.design.is_some(),
            _ if names.is_empty() => true,
            "cycles" => base(&["stats", "quality", "wgs"]),
            name => base(&[name]),
        }
    }
}
