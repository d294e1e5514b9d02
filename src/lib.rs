//! `norn`: alignment QC, variant post-processing, annotation and polygenic scores for genome centres.
//!
//! Layers, imports go down only: [`cli`] → [`batch`], [`slurm`] → sciences ([`qc`], [`variants`], [`annotate`], [`prs`]) → [`records`], [`report`] → [`compute`], [`formats`], [`genome`].

pub mod annotate;
pub mod batch;
pub mod cli;
pub mod compute;
pub mod formats;
pub mod genome;
pub mod prs;
pub mod qc;
pub mod records;
pub mod report;
pub mod slurm;
pub mod variants;
