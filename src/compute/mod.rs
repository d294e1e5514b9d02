//! Parallel machinery: ordered work, several nodes, exact sums, progress.

pub mod communicator;
pub mod drand48;
pub mod exact;
#[cfg(feature = "mpi")]
mod mpi_world;
pub mod ordered;
pub mod progress;
pub mod stages;
pub mod tallies;
