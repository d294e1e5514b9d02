//! Alignment QC: every figure from one pass over the reads.

pub mod collector;
pub mod cycles;
pub mod decode;
pub mod flagstat;
pub mod idxstats;
pub mod pass;
pub mod read;
pub mod set;
pub mod stats;
pub mod window;

/// What the user asked of `norn qc`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The collectors that are asked for by name; all where it is empty.
    pub collectors: Vec<String>,
    /// Reads below this mapping quality do not count in depth figures (`--min-mapq`; Picard's default of 20).
    pub min_mapq: u8,
    /// Bases below this quality do not count in depth figures (`--min-baseq`; Picard's default of 20).
    pub min_baseq: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self { collectors: Vec::new(), min_mapq: 20, min_baseq: 20 }
    }
}

impl collector::Context {
    /// Whether a collector is asked for.
    pub fn wants(&self, name: &str) -> bool {
        let names = &self.options.collectors;
        names.is_empty() || names.iter().any(|n| n == name)
    }
}
