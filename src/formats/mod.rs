//! .
pub mod fai;
pub mod fasta;
pub mod gzi;
