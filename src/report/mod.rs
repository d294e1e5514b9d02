//! Texts that people and other programs read.

pub mod c_format;
pub mod picard;
pub mod run_file;
