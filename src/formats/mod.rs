//! .
pub mod bed;
pub mod bgzf_writer;
pub mod fai;
pub mod fasta;
pub mod gzi;
pub mod output;
pub mod text;
