//! Trios: genotypes that a child cannot have from its parents, and variants that are new in it.
//!
//! [`mendelian`] judges called genotypes by rules of inheritance (bcftools' `+mendelian2`), [`denovo`] weighs likelihoods
//! against priors and a mutation rate (bcftools' `+trio-dnm2`), [`survey`] does both in one walk and keeps an account of
//! each trio. All take a cohort of trios; a record is read once whatever their number.

pub mod denovo;
mod gate;
pub mod inheritance;
mod likelihoods;
pub mod mendelian;
pub mod pedigree;
mod posterior;
mod priors;
pub mod rules;
pub mod settings;
mod share;
pub mod summary;
pub mod survey;

pub use gate::Gate;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
