//! Variants between the caller and the annotation: what bcftools does in a chain of processes, in one pass.

pub mod allele_counts;
pub mod allele_subset;
pub mod fill_tags;
pub mod genotype;
pub mod genotype_scan;
pub mod groups;
pub mod hardy_weinberg;
pub mod kinds;
pub mod norm;
pub mod output;
pub mod pipeline;
pub mod regions;
pub mod samples;
pub mod set_gt;
pub mod sex;
pub mod view;
