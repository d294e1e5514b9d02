//! Bytes to records and back. Knows no science.

pub mod alignment;
pub mod alignment_index;
pub mod bam;
pub mod bam_reader;
pub mod bgzf;
pub mod fasta;
pub mod header;
pub mod hts_reader;
