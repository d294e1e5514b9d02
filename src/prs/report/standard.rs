//! The items of the Polygenic Risk Score Reporting Standards (PRS-RS: Wand et al., Nature 2021, doi:10.1038/s41586-021-03243-6),
//! with what is known of each for a score and the people that it was summed for.
//!
//! Nothing is guessed: what neither tables, scoring file nor run file tells is called unknown, with where it would stand.

use super::NOTICE;
use super::about::About;
use super::results::{ScoreResults, id_of};
use crate::prs::score_header::Header;
use crate::report::numbers::{percent, rounded, thousands};

/// An item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// From 1.
    pub number: u8,
    /// The part of the standard.
    pub section: &'static str,
    /// Its name there.
    pub name: &'static str,
}

/// How much of an item is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// All.
    Whole,
    /// Some.
    Partly,
    /// Nothing.
    Unknown,
}

impl Known {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "known",
            Self::Partly => "partly known",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known of an item, or why nothing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How much.
    pub known: Known,
    /// In sentences.
    pub text: String,
}

const BACKGROUND: &str = "Background";
const POPULATION: &str = "Study population";
const DEVELOPMENT: &str = "Risk model development";
const EVALUATION: &str = "Risk model evaluation";
const INTERPRETATION: &str = "Limitations and clinical implications";
const AVAILABILITY: &str = "Data availability";

/// All items, in order.
pub const ITEMS: [Item; 22] = {
    const fn item(number: u8, section: &'static str, name: &'static str) -> Item {
        Item { number, section, name }
    }
    [
        item(1, BACKGROUND, "Study type"),
        item(2, BACKGROUND, "Risk model purpose and predicted outcome"),
        item(3, POPULATION, "Study design and recruitment"),
        item(4, POPULATION, "Participant demographic and clinical characteristics"),
        item(5, POPULATION, "Ancestry"),
        item(6, POPULATION, "Genetic data"),
        item(7, POPULATION, "Non-genetic variables"),
        item(8, POPULATION, "Outcome of interest"),
        item(9, POPULATION, "Missing data"),
        item(10, DEVELOPMENT, "Polygenic risk score construction and estimation"),
        item(11, DEVELOPMENT, "Risk model type"),
        item(12, DEVELOPMENT, "Integrated risk model description and fitting"),
        item(13, EVALUATION, "Risk score distribution"),
        item(14, EVALUATION, "Risk model predictive ability"),
        item(15, EVALUATION, "Risk model discrimination"),
        item(16, EVALUATION, "Risk model calibration"),
        item(17, EVALUATION, "Subgroup analyses"),
        item(18, INTERPRETATION, "Risk model interpretation"),
        item(19, INTERPRETATION, "Limitations"),
        item(20, INTERPRETATION, "Generalizability"),
        item(21, INTERPRETATION, "Risk model intended uses"),
        item(22, AVAILABILITY, "Data transparency and availability"),
    ]
};

/// What is known of each item, in the order of [`ITEMS`].
pub fn told(about: &About<'_>, score: &ScoreResults) -> [Told; ITEMS.len()] {
    let of = Score { about, score, header: about.header(score) };
    [
        whole(format!(
            "A score of others is summed for {} people; none is developed or evaluated here.",
            of.people()
        )),
        of.outcome(),
        unknown(
            "Who the people are and how they were found is not in the tables; of the score's development, see its publication.",
        ),
        unknown("Sex, age and health of the people are not in the tables."),
        of.ancestry(),
        of.genetic_data(),
        match of.has_risk() {
            true => whole("Age and sex, in the absolute risk."),
            false => whole("None: the score is of genotypes alone."),
        },
        of.outcome_of_people(),
        of.missing_data(),
        of.construction(),
        of.model_type(),
        of.integrated_model(),
        of.distribution(),
        of.predictive_ability(),
        unknown("Not evaluated: there are no outcomes in the tables."),
        match of.has_risk() {
            true => partly(
                "The mean risk of the population is that of the table of incidence by construction; outcomes of these people were \
                 not compared.",
            ),
            false => unknown("Not evaluated: there are no outcomes in the tables."),
        },
        unknown("None are made."),
        of.interpretation(),
        whole(about.limits(score).join(" ")),
        of.generalizability(),
        whole(format!("Research. {NOTICE}")),
        of.availability(),
    ]
}

fn whole(text: impl Into<String>) -> Told {
    Told { known: Known::Whole, text: text.into() }
}

fn partly(text: impl Into<String>) -> Told {
    Told { known: Known::Partly, text: text.into() }
}

fn unknown(text: impl Into<String>) -> Told {
    Told { known: Known::Unknown, text: text.into() }
}

/// A score with what is known of it.
struct Score<'a> {
    about: &'a About<'a>,
    score: &'a ScoreResults,
    header: Option<&'a Header>,
}

const NO_FILE: &str = "The scoring file was not given.";

impl Score<'_> {
    fn people(&self) -> String {
        thousands(self.score.people.moments.count)
    }

    fn has_risk(&self) -> bool {
        !self.about.risks(self.score).is_empty()
    }

    fn outcome(&self) -> Told {
        let Some(header) = self.header else { return unknown(NO_FILE) };
        let Some(reported) = header.reported_trait() else {
            return unknown("The scoring file tells no trait.");
        };
        match (header.mapped_traits().join(", "), header.trait_ids().join(", ")) {
            (name, ids) if !name.is_empty() || !ids.is_empty() => {
                whole(format!("Prediction of {reported} (ontology: {}).", [name, ids].join(" ").trim()))
            }
            _ => partly(format!("Prediction of {reported}; no term of an ontology is told.")),
        }
    }

    fn ancestry(&self) -> Told {
        let training = "In whom the score was developed is not told in the scoring file.";
        let (counts, unsure) = self.about.similar_people();
        if counts.iter().all(|count| *count == 0) {
            return unknown(format!("The people were not compared with a reference panel. {training}"));
        }
        let names = self.about.results.populations.iter().zip(counts).filter(|(_, count)| *count > 0);
        let counts: Vec<String> = names.map(|(name, count)| format!("{name} {}", thousands(count))).collect();
        partly(format!(
            "Most similar population of the panel, by principal components: {}; not sure for {}. {training}",
            counts.join(", "),
            thousands(unsure)
        ))
    }

    fn genetic_data(&self) -> Told {
        let missing = "How people were genotyped and imputed is not told.";
        let Some(matched) = &self.score.matched else { return unknown(missing) };
        let build = self.parameter("matching", "build");
        let build = build.map_or_else(String::new, |build| format!(" in {build}"));
        partly(format!(
            "{} of {} variants of the score are in the genotypes{build} and scored ({}), {} of them by the other strand. \
             {missing}",
            thousands(matched.matched),
            thousands(matched.rows),
            percent(100.0 * matched.share()),
            thousands(matched.flipped),
        ))
    }

    fn outcome_of_people(&self) -> Told {
        let outcomes: Vec<&str> =
            self.about.risks(self.score).iter().map(|risk| risk.outcome.as_str()).collect();
        match (self.header.and_then(Header::reported_trait), outcomes.is_empty()) {
            (_, false) => partly(format!(
                "Absolute risk of {}; its definition is that of the tables.",
                outcomes.join(", ")
            )),
            (Some(reported), true) => partly(format!(
                "{reported}, as the authors define it; outcomes of these people are not told."
            )),
            (None, true) => unknown("No outcome is told."),
        }
    }

    fn missing_data(&self) -> Told {
        match self.parameter("imputation", "").as_deref() {
            Some("None") => {
                whole("Missing genotypes count nothing, and their alleles are not in the denominator.")
            }
            Some("Plink2") => {
                whole("Missing genotypes count what is expected of the allele's frequency, as in plink2.")
            }
            Some("HardyWeinberg") => {
                whole("Missing genotypes count what is expected under Hardy-Weinberg equilibrium.")
            }
            _ => unknown("What missing genotypes count is not told (scores.run.json tells)."),
        }
    }

    fn construction(&self) -> Told {
        let Some(header) = self.header else { return unknown(NO_FILE) };
        let named = |name: &str, value: Option<&str>| format!("{name}: {}", value.unwrap_or("not told"));
        let variants = header.variants_number().map(thousands);
        let parts = [
            named("identifier", header.score_id()),
            named("name", header.name()),
            named("variants", variants.as_deref()),
            named("weights", header.weight_type()),
            named("the authors' build", header.get("genome_build")),
            named("publication", header.citation()),
        ];
        partly(format!(
            "{}. How variants and weights were chosen stands in the publication.",
            parts.join("; ")
        ))
    }

    fn model_type(&self) -> Told {
        if self.has_risk() {
            return whole(
                "Absolute risk by age and sex with competing mortality where it is given; percentile and deviations.",
            );
        }
        match self.about.results.populations.is_empty() {
            true => whole("A sum of weights; neither relative nor absolute risk."),
            false => whole("Percentile and deviations in a reference panel; no absolute risk."),
        }
    }

    fn integrated_model(&self) -> Told {
        let risks = self.about.risks(self.score);
        if risks.is_empty() {
            return whole("None.");
        }
        let texts = risks.iter().map(|risk| {
            let source = risk.incidence.source.as_deref().unwrap_or("not told");
            format!("{}: score, age and sex; source of the incidence: {source}.", risk.outcome)
        });
        whole(texts.collect::<Vec<_>>().join(" "))
    }

    fn distribution(&self) -> Told {
        let of = |name: &str, group: &super::results::Group| {
            let moments = &group.moments;
            let (mean, deviation) = (rounded(moments.mean), rounded(moments.deviation()));
            format!("{name}: mean {mean}, deviation {deviation}, of {}", thousands(moments.count))
        };
        let mut texts = vec![of("the people", &self.score.people)];
        let populations = self.about.results.populations.iter().zip(&self.score.populations);
        let populations = populations.filter(|(_, group)| group.moments.count > 0);
        texts.extend(populations.map(|(name, group)| of(&format!("panel, {name}"), group)));
        whole(format!("Sums: {}.", texts.join("; ")))
    }

    fn predictive_ability(&self) -> Told {
        let risks = self.about.risks(self.score);
        if risks.is_empty() {
            return unknown("Not evaluated: there are no outcomes in the tables.");
        }
        let texts = risks.iter().map(|risk| {
            let interval =
                risk.interval.map_or_else(String::new, |(low, high)| format!(" (95 % {low} to {high})"));
            let source = risk.source.as_deref().unwrap_or("not told");
            format!(
                "{}: {} for a deviation {}{interval}; source: {source}.",
                risk.outcome,
                risk.effect.name(),
                risk.per_sd
            )
        });
        partly(format!("{} Not evaluated in these people.", texts.collect::<Vec<_>>().join(" ")))
    }

    fn interpretation(&self) -> Told {
        match self.about.results.populations.is_empty() {
            true => partly(
                "A greater sum goes with more of the trait as the authors define it; how much is not known.",
            ),
            false => whole(
                "A percentile is the share of the most similar population's members whose sum is less. Z_norm1 is the distance \
                 from the mean that principal components predict, Z_norm2 also counts it in the deviation that they predict.",
            ),
        }
    }

    fn generalizability(&self) -> Told {
        let (counts, unsure) = self.about.similar_people();
        if counts.iter().all(|count| *count == 0) {
            return unknown("The people were not compared with a reference panel.");
        }
        partly(format!(
            "{} people are not like any population of the panel. In whom the score predicts, and how well, stands in its \
             publications.",
            thousands(unsure)
        ))
    }

    fn availability(&self) -> Told {
        let Some(header) = self.header else { return unknown(NO_FILE) };
        let license = header.license().unwrap_or("that of the catalogue");
        match header.score_id() {
            Some(id) if id.starts_with("PGS") => whole(format!(
                "Weights: {id} of the PGS Catalog (licence: {license}). Genotypes and sums are the owner's."
            )),
            Some(id) => partly(format!("Weights: {id} (licence: {license}).")),
            None => partly(format!("Weights: the file {} (licence: {license}).", id_of(&self.score.name))),
        }
    }

    /// A parameter of the run, as text.
    fn parameter(&self, group: &str, name: &str) -> Option<String> {
        let value = self.about.results.parameters.as_ref()?.get(group)?;
        let value = if name.is_empty() { value } else { value.get(name)? };
        value.as_str().map(str::to_owned)
    }
}
