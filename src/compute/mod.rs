//! Parallel machinery: ordered work, shards, several nodes, progress.

pub mod ordered;
