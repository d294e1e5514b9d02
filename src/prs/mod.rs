//! Polygenic scores: scoring files, and which variants of the genotypes they speak of.
//!
//! [`scoring_file`] reads what the PGS Catalog and PLINK write, [`target`] keeps those sites of the genotypes that any score
//! asks for, [`matching`] finds each score's variants among them by the rules of the PGS Catalog Calculator, [`match_log`]
//! writes down what became of each. [`liftover`] moves scores to another genome build.

pub mod catalog_row;
pub mod chromosome;
pub mod liftover;
pub mod match_log;
pub mod matching;
pub mod score_header;
pub mod score_problems;
pub mod score_table;
pub mod score_variants;
pub mod scoring_file;
pub mod target;
