//! Bytes to records and back. Knows no science.

pub mod bam;
pub mod bgzf;
pub mod fasta;
pub mod header;
