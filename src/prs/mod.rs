//! Polygenic scores: scoring files.

pub mod catalog_row;
pub mod chromosome;
pub mod score_header;
pub mod score_table;
pub mod score_variants;
pub mod scoring_file;
