//! .
pub mod progress;
