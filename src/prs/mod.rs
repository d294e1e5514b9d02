//! Polygenic scores: scoring files, which variants of the genotypes they speak of, and sums over people.
//!
//! [`scoring_file`] reads what the PGS Catalog and PLINK write, [`target`] keeps those sites of the genotypes that any score
//! asks for, [`matching`] finds each score's variants among them by the rules of the PGS Catalog Calculator, [`intersect`]
//! tells which of them other genotypes have too, [`match_log`] writes down what became of each. [`liftover`] moves scores to another genome build. [`weights`] holds the matched weights
//! of all scores by variant, [`frequencies`] what missing genotypes are taken for, [`kernel`] the sums,
//! [`summed`] those of all scores where they are summed tile by tile. [`dense_table`] reads
//! tables of weights, [`sscore`] writes sums.

pub mod absolute_risk;
pub mod aggregated;
pub mod ancestry;
pub mod calibration;
pub mod catalog_row;
pub mod chromosome;
pub mod dense_table;
pub mod frequencies;
pub mod genotype_set;
pub mod intersect;
pub mod kernel;
pub mod lifted_file;
pub mod liftover;
pub mod match_log;
pub mod matching;
pub mod matrix;
pub mod report;
pub mod risk_file;
pub mod score_header;
pub mod score_problems;
pub mod score_set;
pub mod score_table;
pub mod score_variants;
pub mod scoring_file;
pub mod shares;
pub mod sscore;
pub mod summed;
pub mod target;
pub mod weights;
