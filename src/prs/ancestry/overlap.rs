//! Which variant of the genotypes is which of the loadings.
//!
//! By chromosome, position and both alleles, in either order, as the PGS Catalog Calculator intersects a target with
//! its reference:
//! sites of several alternate alleles, variants that are the same on both strands, and what two records of the target
//! could be, are left out.

use std::collections::HashMap;

use super::loadings::Loadings;
use crate::genome::strand::complement;
use crate::prs::chromosome::Chromosome;
use crate::prs::genotype_set::GenotypeSet;

/// A variant of the loadings in the genotypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its row in the loadings.
    pub row: usize,
    /// The file of the set.
    pub part: usize,
    /// The variant in that file.
    pub variant: usize,
    /// Whether reference and alternate allele are exchanged.
    pub is_swapped: bool,
}

/// How many variants were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct OverlapCounts {
    /// Variants of the loadings.
    pub loadings: usize,
    /// Found with the same reference allele.
    pub same: usize,
    /// Found with the alleles exchanged.
    pub swapped: usize,
    /// The same on both strands.
    pub ambiguous: usize,
    /// Sites with several alternate alleles.
    pub multiallelic: usize,
    /// Found twice.
    pub duplicate: usize,
    /// Found with other alleles.
    pub other_alleles: usize,
    /// Not there.
    pub absent: usize,
}

impl OverlapCounts {
    /// Variants that are used.
    pub fn found(&self) -> usize {
        self.same + self.swapped
    }

    /// Their share of the loadings.
    pub fn share(&self) -> f64 {
        self.found() as f64 / self.loadings.max(1) as f64
    }
}

/// The places of loadings, for questions whether a record is wanted.
#[derive(Clone, Debug)]
pub struct Places(HashMap<(Chromosome, u32), usize>);

impl Places {
    /// Of loadings.
    pub fn of(loadings: &Loadings) -> Self {
        Self(
            loadings
                .sites
                .iter()
                .zip(0..)
                .map(|(site, row)| ((site.chromosome, site.position), row))
                .collect(),
        )
    }

    /// The row of a place (1-based) under any name of its contig.
    pub fn row(&self, contig: &str, position: i64) -> Option<usize> {
        let position = u32::try_from(position).ok()?;
        self.0.get(&(Chromosome::of(contig)?, position)).copied()
    }
}

/// What a row of the loadings met.
#[derive(Clone, Copy, Debug)]
enum Met {
    Nothing,
    OtherAlleles,
    Multiallelic,
    Once(Pair),
    Twice,
}

/// Finds loadings in genotypes: pairs in the order of the loadings.
pub fn find(
    loadings: &Loadings,
    places: &Places,
    genotypes: &GenotypeSet,
    keep_ambiguous: bool,
) -> (Vec<Pair>, OverlapCounts) {
    let mut met = vec![Met::Nothing; loadings.sites.len()];
    for (part, of_part) in genotypes.parts().enumerate() {
        for (variant, site) in of_part.source.sites().iter().enumerate() {
            let Some(row) = places.row(site.contig, site.position.into()) else { continue };
            let wanted = &loadings.sites[row];
            let mut alternates = site.alternates();
            let alternate = alternates.next().unwrap_or_default();
            let is = |one: &str, other: &str| {
                site.reference.eq_ignore_ascii_case(one) && alternate.eq_ignore_ascii_case(other)
            };
            let (same, swapped) =
                (is(&wanted.reference, &wanted.alternate), is(&wanted.alternate, &wanted.reference));
            met[row] = match met[row] {
                Met::Once(_) | Met::Twice if same || swapped => Met::Twice,
                known @ (Met::Once(_) | Met::Twice) => known,
                _ if alternates.next().is_some() => Met::Multiallelic,
                _ if same || swapped => Met::Once(Pair { row, part, variant, is_swapped: swapped }),
                Met::Multiallelic => Met::Multiallelic,
                Met::Nothing | Met::OtherAlleles => Met::OtherAlleles,
            };
        }
    }
    let mut counts = OverlapCounts { loadings: loadings.sites.len(), ..OverlapCounts::default() };
    let mut pairs = Vec::new();
    for (met, site) in met.into_iter().zip(&loadings.sites) {
        let count = match met {
            Met::Nothing => &mut counts.absent,
            Met::OtherAlleles => &mut counts.other_alleles,
            Met::Multiallelic => &mut counts.multiallelic,
            Met::Twice => &mut counts.duplicate,
            Met::Once(_) if !keep_ambiguous && is_ambiguous(&site.reference, &site.alternate) => {
                &mut counts.ambiguous
            }
            Met::Once(pair) => {
                pairs.push(pair);
                if pair.is_swapped { &mut counts.swapped } else { &mut counts.same }
            }
        };
        *count += 1;
    }
    (pairs, counts)
}

fn is_ambiguous(reference: &str, alternate: &str) -> bool {
    matches!((reference.as_bytes(), alternate.as_bytes()), ([one], [other]) if complement(*one) == *other)
}
