//! Human genomes: contigs and builds, regions, intervals, pseudo-autosomal regions.
pub mod by_contig;
pub mod contigs;
pub mod intervals;
pub mod region;
pub mod sex;
pub mod strand;
