//! Bytes to records and back. Knows no science.

pub mod alignment;
pub mod alignment_index;
pub mod bam;
pub mod bam_reader;
pub mod bases;
pub mod bed;
pub mod bgen;
pub mod bgzf;
pub mod bgzf_writer;
pub mod binning;
pub mod c_format;
pub mod checksum;
pub mod fai;
pub mod fasta;
pub mod genotypes;
pub mod gff;
pub mod gzi;
pub mod header;
pub mod hts_reader;
pub mod indexed;
pub mod merged;
pub mod ndb;
pub mod output;
pub mod plink;
pub mod text;
pub mod vcf;
