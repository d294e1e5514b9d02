//! .
pub mod bed;
pub mod fai;
pub mod fasta;
pub mod gzi;
pub mod text;
