//! Polygenic scores: scoring files, and which variants of the genotypes they speak of.

pub mod catalog_row;
pub mod chromosome;
pub mod match_log;
pub mod matching;
pub mod score_header;
pub mod score_table;
pub mod score_variants;
pub mod scoring_file;
pub mod target;
