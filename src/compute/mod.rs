//! .
pub mod communicator;
#[cfg(feature = "mpi")]
mod mpi_world;
pub mod progress;
