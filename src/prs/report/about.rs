//! What is known of scores and people together: results, headers of scoring files, risks, and what limits them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ReportError;
use super::results::{Chosen, Results, ScoreResults, Values, id_of};
use crate::formats::genotypes::samples::SampleSex;
use crate::prs::absolute_risk::RiskModel;
use crate::prs::calibration::panel::TableError;
use crate::prs::risk_file::{Risk, RiskFile};
use crate::prs::score_header::Header;
use crate::prs::scoring_file::stem;
use crate::report::numbers::{percent, thousands, trimmed};

/// All that a report is made of.
pub struct About<'r> {
    /// Scores and people.
    pub results: &'r Results,
    headers: BTreeMap<String, Header>,
    models: Vec<Models<'r>>,
}

/// The models of a risk for one sex.
struct Models<'r> {
    risk: &'r Risk,
    sex: SampleSex,
    of_score: RiskModel,
    /// For the ends of the ratio's interval.
    of_interval: Option<[RiskModel; 2]>,
    /// For all people alike.
    average: RiskModel,
}

/// The risk of a person by a score.
pub struct PersonRisk<'r> {
    /// What the file says.
    pub risk: &'r Risk,
    /// The sex that it is told for.
    pub sex: SampleSex,
    /// The age that it begins at, in years: the person is well then.
    pub from: f64,
    /// Which deviation is taken, and its value.
    pub deviation: (&'static str, f64),
    /// By age, the last one that it is told to; none where the person is older.
    pub ages: Vec<RiskAt>,
}

/// A risk up to an age. Chances from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskAt {
    /// The age in years.
    pub age: f64,
    /// The person's.
    pub risk: f64,
    /// Its interval by that of the ratio.
    pub interval: Option<(f64, f64)>,
    /// The population's of that sex.
    pub average: f64,
}

impl<'r> About<'r> {
    /// Puts results beside the headers of scoring files and the risks of a file.
    ///
    /// # Errors
    /// A scoring file cannot be read.
    pub fn new(
        results: &'r Results,
        scoring_files: &[PathBuf],
        risks: Option<&'r RiskFile>,
    ) -> Result<Self, ReportError> {
        let mut headers = BTreeMap::new();
        for path in scoring_files {
            let read = Header::read(path);
            let header = read.map_err(|source| TableError::Io { path: path.clone(), source })?;
            let stem = stem(path);
            headers.insert(header.score_id().unwrap_or(id_of(&stem)).to_owned(), header);
        }
        let is_used = |risk: &&Risk| results.scores.iter().any(|score| is_of(risk, &score.name));
        let used = risks.into_iter().flat_map(|file| &file.risks).filter(is_used);
        let models = used.flat_map(|risk| {
            let sexes = [SampleSex::Female, SampleSex::Male];
            sexes.into_iter().filter_map(move |sex| Models::new(risk, sex))
        });
        Ok(Self { results, headers, models: models.collect() })
    }

    /// The header of a score's file, where it was given.
    pub fn header(&self, score: &ScoreResults) -> Option<&Header> {
        self.headers.get(id_of(&score.name))
    }

    /// The risks of a score.
    pub fn risks(&self, score: &ScoreResults) -> Vec<&'r Risk> {
        let mut risks: Vec<&Risk> = Vec::new();
        for model in self.models.iter().filter(|model| is_of(model.risk, &score.name)) {
            if !risks.iter().any(|known| std::ptr::eq(*known, model.risk)) {
                risks.push(model.risk);
            }
        }
        risks
    }

    /// The risks of a person by a score: for the sex that is told, else for each.
    pub fn risks_of(&self, score: &ScoreResults, chosen: &Chosen, values: &Values) -> Vec<PersonRisk<'r>> {
        let Some(deviation) = values.best_deviation() else { return Vec::new() };
        let models = self.models.iter().filter(|model| is_of(model.risk, &score.name));
        let models = models.filter(|model| chosen.sex.is_none_or(|sex| sex == model.sex));
        models.map(|model| model.of_person(chosen, deviation)).collect()
    }

    /// How many people are most similar to each population, and of how many that is not sure.
    pub fn similar_people(&self) -> (Vec<u64>, u64) {
        let mut counts = vec![0; self.results.populations.len()];
        let mut unsure = 0;
        for place in self.results.people.iter().filter_map(|person| person.place.as_ref()) {
            if let Some(count) = counts.get_mut(place.most_similar) {
                *count += 1;
            }
            unsure += u64::from(place.is_unsure);
        }
        (counts, unsure)
    }

    /// The population that most people are most similar to.
    pub fn main_population(&self) -> Option<usize> {
        let (counts, _) = self.similar_people();
        let most = counts.iter().max().copied().filter(|most| *most > 0)?;
        counts.iter().position(|count| *count == most)
    }

    /// What limits a score's use for these people, a sentence each.
    pub fn limits(&self, score: &ScoreResults) -> Vec<String> {
        let mut limits = Vec::new();
        match &score.matched {
            None => limits.push("How many of its variants are matched is not known.".to_owned()),
            Some(matched) => {
                if matched.matched < matched.rows {
                    limits.push(format!(
                        "{} of {} variants ({}) are scored: {} are not in the genotypes, {} are left out, of which \
                         {} are ambiguous.",
                        thousands(matched.matched),
                        thousands(matched.rows),
                        percent(100.0 * matched.share()),
                        thousands(matched.unmatched),
                        thousands(matched.excluded),
                        thousands(matched.ambiguous),
                    ));
                }
            }
        }
        match self.header(score) {
            None => limits
                .push("The scoring file was not given: trait, weights and publication are not known.".into()),
            Some(header) => {
                if header.weight_type().is_none() {
                    limits.push("What kind of number its weights are is not told.".to_owned());
                }
                limits.push("In whom it was developed is not told in the scoring file.".to_owned());
            }
        }
        if self.results.populations.is_empty() {
            limits.push(
                "There is no reference panel: sums cannot be compared with those of others.".to_owned(),
            );
        }
        let (counts, unsure) = self.similar_people();
        if unsure > 0 {
            let all = thousands(self.results.people.len() as u64);
            let unsure = thousands(unsure);
            limits.push(format!("{unsure} of {all} people are not like any population of the panel."));
        }
        // A mixture has another mean than any of its parts.
        let is_one = |number: &usize| counts[*number] as f64 >= 0.9 * self.results.people.len() as f64;
        if let Some((name, group)) = self
            .main_population()
            .filter(is_one)
            .and_then(|number| Some((&self.results.populations[number], score.populations.get(number)?)))
            && group.moments.count > 0
        {
            let (of, deviation) = (&group.moments, group.moments.deviation());
            let shift = (score.people.moments.mean - of.mean) / deviation;
            if of.count < 100 {
                limits.push(format!("The panel has only {} unrelated members of {name}.", of.count));
            }
            if deviation > 0.0 && shift.abs() > 0.5 && score.people.moments.count > 1 {
                limits.push(format!(
                    "The people's mean lies {} deviations from that of {name}, whom most are similar to: genotyping \
                     may differ, or who was chosen.",
                    trimmed(shift, 2)
                ));
            }
        }
        limits
    }
}

fn is_of(risk: &Risk, score: &str) -> bool {
    risk.score == score || risk.score == id_of(score)
}

impl<'r> Models<'r> {
    fn new(risk: &'r Risk, sex: SampleSex) -> Option<Self> {
        let incidence = risk.incidence.of(sex)?;
        let mortality = risk.mortality.as_ref().and_then(|mortality| mortality.of(sex));
        let model = |ratio: f64| RiskModel::new(incidence, mortality, ratio);
        Some(Self {
            risk,
            sex,
            of_score: model(risk.per_sd),
            of_interval: risk.interval.map(|(low, high)| [model(low), model(high)]),
            average: model(1.0),
        })
    }

    fn of_person(&self, chosen: &Chosen, deviation: (&'static str, f64)) -> PersonRisk<'r> {
        let start = self.risk.incidence.of(self.sex).map_or(0.0, |rates| rates.start());
        let from = chosen.age.unwrap_or(start).max(start);
        let (to, z) = (self.risk.to_age, deviation.1);
        let fifths = (1..40).map(|number| f64::from(number) * 5.0).filter(|age| *age > from && *age < to);
        let ages = fifths.chain([to]).filter(|age| *age > from).map(|age| {
            let risk = self.of_score.risk(z, from, age);
            let interval = self.of_interval.as_ref().map(|models| {
                let ends = models.each_ref().map(|model| model.risk(z, from, age));
                // Near the mean a greater ratio may mean less risk.
                (ends[0].min(ends[1]).min(risk), ends[0].max(ends[1]).max(risk))
            });
            RiskAt { age, risk, interval, average: self.average.risk(0.0, from, age) }
        });
        PersonRisk { risk: self.risk, sex: self.sex, from, deviation, ages: ages.collect() }
    }
}

/// A sex in a word.
pub fn sex_name(sex: SampleSex) -> &'static str {
    match sex {
        SampleSex::Female => "female",
        SampleSex::Male => "male",
    }
}

/// The formula of an absolute risk, in a line.
pub fn formula(risk: &Risk) -> String {
    let mortality = if risk.mortality.is_some() { " + μ(u)" } else { "" };
    format!(
        "risk(a, b) = ∫ₐᵇ λ(t) exp(−∫ₐᵗ λ(u){mortality} du) dt, λ(t) = λ₀(t) exp(β z), β = ln {}, λ₀ such that those \
         still without the disease have the incidence of the table on average (iCARE, Pal Choudhury et al. 2020)",
        risk.per_sd
    )
}

/// The directory's scoring files that results are of, among all that are given.
pub fn scoring_files_of(results: &Results, paths: &[PathBuf]) -> Vec<PathBuf> {
    let is_of = |path: &Path| {
        let stem = stem(path);
        results.scores.iter().any(|score| id_of(&score.name) == id_of(&stem))
    };
    let named: Vec<PathBuf> = paths.iter().filter(|path| is_of(path)).cloned().collect();
    // Names say nothing where files are called otherwise than their scores.
    if named.len() < results.scores.len() { paths.to_vec() } else { named }
}
