//! Matched scores as weights over a set of genotypes, each score with its own counts of alleles.

use super::genotype_set::GenotypeSet;
use super::matching::Matched;
use super::score_variants::EffectType;
use super::scoring_file::Weight;
use super::weights::{Effect, Weights, WeightsBuilder, WeightsError};

/// Scores that are ready to be summed.
#[derive(Debug)]
pub struct ScoreSet {
    /// The scores' names, in the order of the weights.
    pub names: Vec<String>,
    /// The weights; group n are the counts of score n.
    pub weights: Weights,
}

impl ScoreSet {
    /// The weights of all scores of these files. What is not matched, is left out. Where missing genotypes are imputed, nothing is
    /// counted person by person.
    ///
    /// # Errors
    /// There are too many scores.
    pub fn new(
        matched: &[&Matched<'_>],
        genotypes: &GenotypeSet,
        imputes: bool,
    ) -> Result<Self, WeightsError> {
        let names: Vec<String> =
            matched.iter().flat_map(|one| one.file.scores.iter().map(|score| score.name.clone())).collect();
        let mut builder = WeightsBuilder::new(names.len(), names.len())?;
        if imputes {
            builder = builder.without_counts();
        }
        let mut first = 0;
        for one in matched {
            for (row, site, allele) in one.scored() {
                let Some(variant) = genotypes.number(site.file, site.variant) else { continue };
                let Some(effect) =
                    one.file.variants.get(row as usize).map(|variant| effect(variant.effect_type))
                else {
                    continue;
                };
                for number in 0..one.file.scores.len() {
                    let (score, allele) = (first + number, u32::from(allele));
                    match one.file.weight(row, number) {
                        Some(Weight::Single(weight)) => {
                            builder.add(score, variant, allele, effect, weight)?
                        }
                        Some(Weight::ByDosage(weights)) => {
                            let effects = [Effect::NoCopy, Effect::OneCopy, Effect::TwoCopies];
                            for (effect, weight) in effects.into_iter().zip(weights) {
                                builder.add(score, variant, allele, effect, weight)?;
                            }
                        }
                        None => continue,
                    }
                    builder.count(score, variant, allele, effect)?;
                }
            }
            first += one.file.scores.len();
        }
        Ok(Self { names, weights: builder.finish() })
    }
}

fn effect(kind: EffectType) -> Effect {
    match kind {
        EffectType::Additive | EffectType::NonAdditive => Effect::Additive,
        EffectType::Dominant => Effect::Dominant,
        EffectType::Recessive => Effect::Recessive,
    }
}
