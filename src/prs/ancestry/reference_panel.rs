//! Which of a panel's variants components are made of: PLINK 2's filters, as the PGS Catalog Calculator asks for them.
//!
//! Frequencies, Hardy-Weinberg tests and correlations are those of founders, missing genotypes are counted among all,
//! as in
//! PLINK 2.

use std::collections::HashMap;

use rayon::prelude::*;

use super::call_matrix::{CallMatrix, Scale, Standard};
use super::ld_pruning::{Planes, Pruning, prune};
use crate::formats::genotypes::calls::{self, MISSING};
use crate::formats::genotypes::samples::Sample;
use crate::formats::genotypes::sites::Site;
use crate::formats::genotypes::{GenotypeError, Genotypes};
use crate::genome::contigs::ContigRole;
use crate::genome::hardy_weinberg;
use crate::genome::intervals::IntervalSet;
use crate::genome::strand::complement;
use crate::prs::chromosome::Chromosome;
use crate::prs::genotype_set::GenotypeSet;
use crate::prs::kernel::Part;

/// Which variants are taken.
#[derive(Clone, Debug)]
pub struct Filters {
    /// The least frequency of the less frequent allele.
    pub maf: f64,
    /// The greatest share of missing genotypes.
    pub geno: f64,
    /// The least probability in a Hardy-Weinberg test; 0 for no test.
    pub hwe: f64,
    /// Whether variants with too few heterozygotes, as structure makes them, stay.
    pub keep_fewhet: bool,
    /// Whether variants that are the same on both strands (A/T, C/G) stay.
    pub keep_ambiguous: bool,
    /// Regions that are left out, by [`Chromosome::number`].
    pub excluded: IntervalSet,
    /// Of near variants that tell the same only one stays.
    pub pruning: Option<Pruning>,
    /// How genotypes are standardised.
    pub scale: Scale,
}

/// A variant of the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelSite {
    /// The chromosome.
    pub chromosome: Chromosome,
    /// Position, 1-based.
    pub position: u32,
    /// Identifier; `.` for none.
    pub id: String,
    /// The reference allele.
    pub reference: String,
    /// The alternate allele, whose copies count.
    pub alternate: String,
}

/// How many variants each filter took, in the order in which they are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct FilterCounts {
    /// All.
    pub variants: usize,
    /// Not of chromosomes 1 to 22.
    pub not_autosomal: usize,
    /// Not of two alleles of one base each.
    pub not_biallelic_snv: usize,
    /// A/T or C/G.
    pub ambiguous: usize,
    /// Several at one position.
    pub duplicate: usize,
    /// In excluded regions.
    pub in_excluded_region: usize,
    /// Too many missing genotypes.
    pub missing: usize,
    /// Off Hardy-Weinberg proportions.
    pub hardy_weinberg: usize,
    /// Too rare, or the same in all.
    pub rare: usize,
    /// Like another one.
    pub pruned: usize,
    /// What is left.
    pub kept: usize,
}

/// The variants and genotypes that components are made of, in the order of the genome.
#[derive(Clone, Debug)]
pub struct ReferencePanel {
    /// Variants, a row of the matrix each.
    pub sites: Vec<PanelSite>,
    /// Genotypes.
    pub matrix: CallMatrix,
    /// What became of the others.
    pub counts: FilterCounts,
}

/// Why a variant is not taken.
#[derive(Clone, Copy)]
enum Refusal {
    NotAutosomal,
    NotBiallelicSnv,
    Ambiguous,
    Duplicate,
    InExcludedRegion,
    Missing,
    HardyWeinberg,
    Rare,
}

/// A variant that passed all but pruning.
struct Candidate {
    site: PanelSite,
    packed: Vec<u8>,
}

impl ReferencePanel {
    /// Reads genotypes and takes what passes.
    ///
    /// # Errors
    /// Genotypes cannot be read.
    pub fn read(genotypes: &GenotypeSet, filters: &Filters) -> Result<Self, GenotypeError> {
        let samples = genotypes.samples().as_slice();
        let is_founder = |sample: &Sample| sample.father.is_none() && sample.mother.is_none();
        let founders: Vec<usize> =
            (0..samples.len()).filter(|number| is_founder(&samples[*number])).collect();
        let places = occupied(genotypes);
        let choice = Choice { people: samples.len(), founders: &founders, filters, places: &places };
        let (mut counts, mut candidates) = (FilterCounts::default(), Vec::new());
        for part in genotypes.parts() {
            let count = part.source.sites().len();
            let chunks: Vec<_> =
                (0..count).step_by(CHUNK).map(|from| from..(from + CHUNK).min(count)).collect();
            let read = |range: std::ops::Range<usize>| choice.read(&part, range);
            for found in chunks.into_par_iter().map(read).collect::<Result<Vec<_>, _>>()? {
                for found in found {
                    counts.variants += 1;
                    match found {
                        Ok(candidate) => candidates.push(candidate),
                        Err(refusal) => counts.add(refusal),
                    }
                }
            }
        }
        candidates.sort_by_key(|candidate| (candidate.site.chromosome, candidate.site.position));
        if let Some(pruning) = filters.pruning {
            let before = candidates.len();
            candidates = pruned(candidates, &founders, pruning);
            counts.pruned = before - candidates.len();
        }
        let mut panel = Self { sites: Vec::new(), matrix: CallMatrix::new(samples.len()), counts };
        for Candidate { site, packed } in candidates {
            // Founders differ, so all do; but where nobody is a founder, nothing was counted.
            match Standard::of(counts_of(&packed, samples.len()), filters.scale) {
                Some(standard) => {
                    panel.matrix.push(&packed, standard);
                    panel.sites.push(site);
                }
                None => panel.counts.rare += 1,
            }
        }
        panel.counts.kept = panel.sites.len();
        Ok(panel)
    }
}

/// Variants that a task reads.
const CHUNK: usize = 1024;
/// What PLINK takes for rounding: 2^-44.
const EPSILON: f64 = 5.684_341_886_080_802e-14;

/// How many variants there are at each position.
fn occupied(genotypes: &GenotypeSet) -> HashMap<(Chromosome, i32), u32> {
    let mut places = HashMap::new();
    for part in genotypes.parts() {
        for site in part.source.sites().iter() {
            if let Some(chromosome) = Chromosome::of(site.contig) {
                *places.entry((chromosome, site.position)).or_insert(0) += 1;
            }
        }
    }
    places
}

struct Choice<'c> {
    people: usize,
    founders: &'c [usize],
    filters: &'c Filters,
    places: &'c HashMap<(Chromosome, i32), u32>,
}

impl Choice<'_> {
    fn read(
        &self,
        part: &Part<'_>,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<Result<Candidate, Refusal>>, GenotypeError> {
        let (mut cursor, mut genotypes) = (part.source.cursor(), Genotypes::default());
        let mut found = Vec::with_capacity(range.len());
        for variant in range {
            let Some(site) = part.source.sites().get(variant) else { continue };
            let site = match self.site(site) {
                Ok(site) => site,
                Err(refusal) => {
                    found.push(Err(refusal));
                    continue;
                }
            };
            cursor.read(variant, &mut genotypes)?;
            let mut packed = Vec::new();
            genotypes.hard_calls(&mut packed);
            found.push(match self.refusal(&packed) {
                Some(refusal) => Err(refusal),
                None => Ok(Candidate { site, packed }),
            });
        }
        Ok(found)
    }

    /// What is told without genotypes.
    fn site(&self, site: Site<'_>) -> Result<PanelSite, Refusal> {
        let chromosome = Chromosome::of(site.contig).filter(|_| ContigRole::of(site.contig).is_autosome());
        let position = u32::try_from(site.position).ok().filter(|position| *position > 0);
        let (Some(chromosome), Some(position)) = (chromosome, position) else {
            return Err(Refusal::NotAutosomal);
        };
        let mut alternates = site.alternates();
        let (reference, alternate) = (base(site.reference), alternates.next().and_then(base));
        let (Some(reference), Some(alternate), None) = (reference, alternate, alternates.next()) else {
            return Err(Refusal::NotBiallelicSnv);
        };
        if !self.filters.keep_ambiguous && complement(reference) == alternate {
            return Err(Refusal::Ambiguous);
        }
        if self.places.get(&(chromosome, site.position)).is_some_and(|count| *count > 1) {
            return Err(Refusal::Duplicate);
        }
        if self.filters.excluded.contains(usize::from(chromosome.number()), u64::from(position) - 1) {
            return Err(Refusal::InExcludedRegion);
        }
        let letter = |base: u8| char::from(base).to_string();
        let (reference, alternate) = (letter(reference), letter(alternate));
        Ok(PanelSite { chromosome, position, id: site.id.to_owned(), reference, alternate })
    }

    /// What genotypes tell.
    fn refusal(&self, packed: &[u8]) -> Option<Refusal> {
        let missing = counts_of(packed, self.people)[usize::from(MISSING)];
        if missing as f64 > self.filters.geno * (1.0 + EPSILON) * self.people as f64 {
            return Some(Refusal::Missing);
        }
        let of_founders = subset(packed, self.founders);
        let [none, one, two, _] = counts_of(&of_founders, self.founders.len()).map(|count| count as u64);
        let too_few = self.filters.keep_fewhet && one * one <= 4 * none * two;
        if self.filters.hwe > 0.0 && !too_few {
            let test = hardy_weinberg::test(2 * none + one, 2 * two + one, one);
            if test.is_some_and(|test| test.p < self.filters.hwe) {
                return Some(Refusal::HardyWeinberg);
            }
        }
        let alleles = (2 * (none + one + two)).max(1) as f64;
        let minor = (2 * none + one).min(2 * two + one) as f64 / alleles;
        (minor < self.filters.maf * (1.0 - EPSILON) || minor == 0.0).then_some(Refusal::Rare)
    }
}

impl FilterCounts {
    fn add(&mut self, refusal: Refusal) {
        *match refusal {
            Refusal::NotAutosomal => &mut self.not_autosomal,
            Refusal::NotBiallelicSnv => &mut self.not_biallelic_snv,
            Refusal::Ambiguous => &mut self.ambiguous,
            Refusal::Duplicate => &mut self.duplicate,
            Refusal::InExcludedRegion => &mut self.in_excluded_region,
            Refusal::Missing => &mut self.missing,
            Refusal::HardyWeinberg => &mut self.hardy_weinberg,
            Refusal::Rare => &mut self.rare,
        } += 1;
    }
}

/// An allele of one base, as a capital letter.
fn base(allele: &str) -> Option<u8> {
    match allele.as_bytes() {
        [base] => Some(base.to_ascii_uppercase()).filter(|base| b"ACGT".contains(base)),
        _ => None,
    }
}

/// The calls of some people, packed.
fn subset(packed: &[u8], people: &[usize]) -> Vec<u8> {
    let mut into = vec![0; people.len().div_ceil(4)];
    for (to, from) in (0u32..).zip(people) {
        let code = packed.get(from / 4).map_or(MISSING, |byte| byte >> (from % 4 * 2) & 3);
        calls::set(&mut into, to, code);
    }
    into
}

/// How many people have each call.
fn counts_of(packed: &[u8], people: usize) -> [usize; 4] {
    let mut calls = calls::Calls::default();
    calls.clear(people);
    calls.set_packed(packed);
    calls.counts()
}

/// Those of candidates, which are in the order of the genome, that no other one stands for.
fn pruned(candidates: Vec<Candidate>, founders: &[usize], pruning: Pruning) -> Vec<Candidate> {
    let planes: Vec<Planes> = candidates
        .par_iter()
        .map(|candidate| Planes::of(&subset(&candidate.packed, founders), founders.len()))
        .collect();
    let mut chromosomes: Vec<Vec<Planes>> = Vec::new();
    let mut last = None;
    for (candidate, planes) in candidates.iter().zip(planes) {
        let chromosome = Some(candidate.site.chromosome);
        match chromosomes.last_mut().filter(|_| last == chromosome) {
            Some(variants) => variants.push(planes),
            None => chromosomes.push(vec![planes]),
        }
        last = chromosome;
    }
    let kept = prune(&chromosomes, pruning).into_iter().flatten();
    candidates.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(candidate, _)| candidate).collect()
}
