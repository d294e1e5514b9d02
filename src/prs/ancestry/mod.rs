//! Where people stand among a reference panel: principal components of the panel, and others projected on them.
//!
//! [`reference_panel`] takes the panel's variants ([`ld_pruning`]), [`call_matrix`] holds its genotypes,
//! [`randomised_svd`] finds
//! components, [`loadings`] keeps them in a file that tells nothing of a single person. [`overlap`] finds a target's
//! variants
//! among the loadings, [`projection`] sums them over people, and [`oadp`] makes coordinates of the sums
//! ([`shrinkage`] for the plain projection), [`pcs`] writes them. [`dense`] and [`symmetric`] are small linear algebra.

pub mod call_matrix;
pub mod dense;
pub mod ld_pruning;
pub mod loadings;
pub mod oadp;
pub mod overlap;
pub mod pcs;
pub mod projection;
pub mod randomised_svd;
pub mod reference_panel;
pub mod shrinkage;
pub mod symmetric;
