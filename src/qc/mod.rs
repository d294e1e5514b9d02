//! Alignment QC: every figure from one pass over the reads.

pub mod alignment;
pub mod collector;
pub mod coverage;
pub mod curves;
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
pub mod idxstats;
pub mod insert_size;
pub mod job;
pub mod outputs;
pub mod page;
pub mod pass;
pub mod quality;
pub mod read;
pub mod relate;
pub mod results;
pub mod set;
pub mod sex;
pub mod sites;
pub mod stats;
pub mod thresholds;
pub mod wgs;
pub mod window;

use std::sync::Arc;

use depth::regions::RegionSpec;

/// What the user asked of `norn qc`.
#[derive(Clone, Debug, Default)]
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
    /// Bounds that the figures are held against (`--thresholds`).
    pub thresholds: Option<Arc<thresholds::Thresholds>>,
}

impl collector::Context {
    /// Whether a collector is asked for.
    pub fn wants(&self, name: &str) -> bool {
        let names = &self.options.collectors;
        let base = |of: &[&str]| names.iter().any(|n| of.contains(&n.as_str()));
        match name {
            "sites" if names.is_empty() => self.options.sites.is_some(),
            _ if names.is_empty() => true,
            "cycles" => base(&["stats", "quality", "wgs"]),
            name => base(&[name]),
        }
    }
}
