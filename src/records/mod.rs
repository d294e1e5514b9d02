//! One pass over records of variants, and what every science that takes one needs: expressions, genotypes, alleles in their normal form.

pub mod align;
pub mod condition;
pub mod expression;
pub mod genotype;
pub mod kinds;
pub mod pipeline;
