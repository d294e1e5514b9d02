//! Human genomes: contigs and builds, regions, intervals, pseudo-autosomal regions, Hardy-Weinberg proportions.
pub mod by_contig;
pub mod by_start;
pub mod contigs;
pub mod hardy_weinberg;
pub mod intervals;
pub mod region;
pub mod sex;
pub mod strand;
