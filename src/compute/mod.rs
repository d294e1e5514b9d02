//! .
pub mod communicator;
pub mod exact;
#[cfg(feature = "mpi")]
mod mpi_world;
pub mod progress;
