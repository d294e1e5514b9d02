//! Variants between the caller and the annotation: what bcftools does in a chain of processes, in one pass.

pub mod allele_counts;
pub mod allele_subset;
pub mod chain;
pub mod expression;
pub mod fill_tags;
pub mod filter;
pub mod genotype;
pub mod genotype_scan;
pub mod groups;
pub mod hardy_weinberg;
pub mod kinds;
pub mod ledger;
pub mod norm;
pub mod output;
pub mod pipeline;
pub mod query;
pub mod regions;
pub mod register;
pub mod rename;
pub mod samples;
pub mod set_gt;
pub mod sex;
pub mod sort;
pub mod together;
pub mod view;
