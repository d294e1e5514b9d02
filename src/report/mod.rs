//! Texts and pages that people and other programs read.

pub mod axis;
pub mod gauge;
pub mod html;
pub mod numbers;
pub mod picard;
pub mod run_file;
pub mod strip;
pub mod svg;
