//! Variants between the caller and the annotation: what bcftools does in a chain of processes, in one pass.

pub mod allele_counts;
pub mod allele_subset;
pub mod genotype;
pub mod kinds;
pub mod norm;
pub mod output;
pub mod pipeline;
pub mod regions;
pub mod samples;
pub mod view;
