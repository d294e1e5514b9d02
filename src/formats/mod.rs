//! .
pub mod bed;
pub mod bgzf_writer;
pub mod binning;
pub mod fai;
pub mod fasta;
pub mod gzi;
pub mod indexed;
pub mod output;
pub mod text;
