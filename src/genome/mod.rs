//! .
pub mod contigs;
pub mod intervals;
pub mod region;
pub mod sex;
