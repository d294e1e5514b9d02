//! Alignment QC: every figure from one pass over the reads.

pub mod collector;
pub mod read;
pub mod window;

/// What the user asked of `norn qc`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Reads below this mapping quality do not count in depth figures (`--min-mapq`; Picard's default of 20).
    pub min_mapq: u8,
    /// Bases below this quality do not count in depth figures (`--min-baseq`; Picard's default of 20).
    pub min_baseq: u8,
}
