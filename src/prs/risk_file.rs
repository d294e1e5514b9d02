//! Tables of incidence and what a deviation of a score is worth, for absolute risks: a TOML file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::absolute_risk::{Rates, RatesError};
use crate::formats::genotypes::samples::SampleSex;

/// A file's risks, checked.
#[derive(Clone, Debug)]
pub struct RiskFile {
    /// In the order of the file.
    pub risks: Vec<Risk>,
}

/// How a score goes with a disease.
#[derive(Clone, Debug)]
pub struct Risk {
    /// The score, by its identifier.
    pub score: String,
    /// The disease.
    pub outcome: String,
    /// What `per_sd` is.
    pub effect: Effect,
    /// The ratio for one deviation more, and its interval of 95 %.
    pub per_sd: f64,
    /// Low and high.
    pub interval: Option<(f64, f64)>,
    /// Where these come from.
    pub source: Option<String>,
    /// The age to which the risk is told, in years.
    pub to_age: f64,
    /// How often the disease comes.
    pub incidence: BySex,
    /// How often people die of something else.
    pub mortality: Option<BySex>,
}

/// What a ratio is of. Both are taken for that of hazards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Effect {
    /// Odds; close to hazards where the disease is rare.
    #[serde(rename = "odds ratio")]
    OddsRatio,
    /// Hazards.
    #[serde(rename = "hazard ratio")]
    HazardRatio,
}

impl Effect {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::OddsRatio => "odds ratio",
            Self::HazardRatio => "hazard ratio",
        }
    }
}

/// Rates by sex; a sex that has none does not get the disease, or is not told.
#[derive(Clone, Debug)]
pub struct BySex {
    /// Of women.
    pub female: Option<Rates>,
    /// Of men.
    pub male: Option<Rates>,
    /// Where they come from.
    pub source: Option<String>,
}

impl BySex {
    /// Those of a sex.
    pub fn of(&self, sex: SampleSex) -> Option<&Rates> {
        match sex {
            SampleSex::Female => self.female.as_ref(),
            SampleSex::Male => self.male.as_ref(),
        }
    }
}

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct RiskFileError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: RiskProblem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum RiskProblem {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is no TOML, or has other keys.
    #[error("{0}")]
    Toml(String),
    /// It says nothing.
    #[error("it has no [[risk]]")]
    Empty,
    /// Rates of a risk, from 1.
    #[error("risk {number}, {table}: {source}")]
    Rates {
        /// Which risk.
        number: usize,
        /// `incidence` or `mortality`, and the sex.
        table: &'static str,
        /// The cause.
        source: RatesError,
    },
    /// A value of a risk, from 1.
    #[error("risk {number}: {what}")]
    Value {
        /// Which risk.
        number: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl RiskProblem {
    /// Where the text is wrong, and what, in one line.
    fn of(error: &toml::de::Error) -> Self {
        let text = error.to_string();
        let place = text.lines().next().unwrap_or_default();
        Self::Toml(format!("{place}: {}", error.message().replace('\n', " ")))
    }
}

impl RiskFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong.
    pub fn read(path: &Path) -> Result<Self, RiskFileError> {
        let text = std::fs::read_to_string(path).map_err(RiskProblem::from);
        text.and_then(|text| Self::parse(&text))
            .map_err(|source| RiskFileError { path: path.to_owned(), source })
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn parse(text: &str) -> Result<Self, RiskProblem> {
        let written: WrittenFile = toml::from_str(text).map_err(|error| RiskProblem::of(&error))?;
        let risks: Vec<Risk> =
            (1..).zip(written.risk).map(|(number, risk)| risk.checked(number)).collect::<Result<_, _>>()?;
        if risks.is_empty() { Err(RiskProblem::Empty) } else { Ok(Self { risks }) }
    }

    /// What the file says of a score: by its name, or by its identifier alone (`PGS000001` of
    /// `PGS000001_hmPOS_GRCh38`).
    pub fn of<'f>(&'f self, score: &'f str) -> impl Iterator<Item = &'f Risk> {
        let id = score.split("_hmPOS_").next().unwrap_or(score);
        self.risks.iter().filter(move |risk| risk.score == score || risk.score == id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    #[serde(default)]
    risk: Vec<WrittenRisk>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRisk {
    score: String,
    outcome: String,
    effect: Effect,
    per_sd: f64,
    interval: Option<[f64; 2]>,
    source: Option<String>,
    to_age: f64,
    incidence: WrittenRates,
    mortality: Option<WrittenRates>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRates {
    /// Where bands of age begin; the last one ends at `end`.
    ages: Vec<f64>,
    end: f64,
    /// Rates are those of so many people in a year.
    per: f64,
    female: Option<Vec<f64>>,
    male: Option<Vec<f64>>,
    source: Option<String>,
}

impl WrittenRisk {
    fn checked(self, number: usize) -> Result<Risk, RiskProblem> {
        let wrong = |what| RiskProblem::Value { number, what };
        let is_ratio = |ratio: f64| ratio.is_finite() && (0.01..=100.0).contains(&ratio);
        let bounds = self.interval.map(|[low, high]| (low, high));
        if !is_ratio(self.per_sd) {
            return Err(wrong("per_sd is no ratio from 0.01 to 100"));
        }
        if bounds.is_some_and(|(low, high)| {
            !is_ratio(low) || !is_ratio(high) || low > self.per_sd || high < self.per_sd
        }) {
            return Err(wrong("interval is no range of ratios around per_sd"));
        }
        let incidence = self.incidence.checked(number, ["incidence, female", "incidence, male"])?;
        let mortality =
            self.mortality.map(|rates| rates.checked(number, ["mortality, female", "mortality, male"]));
        let mortality = mortality.transpose()?;
        let sexes = [SampleSex::Female, SampleSex::Male];
        if sexes.iter().all(|sex| incidence.of(*sex).is_none()) {
            return Err(wrong("incidence is of neither sex"));
        }
        for rates in sexes.iter().filter_map(|sex| incidence.of(*sex)) {
            if !(self.to_age > rates.start() && self.to_age <= rates.end()) {
                return Err(wrong("to_age is not within the ages of the incidence"));
            }
        }
        if let Some(mortality) = &mortality {
            for sex in sexes {
                let Some(rates) = incidence.of(sex) else { continue };
                let covers = |deaths: &Rates| deaths.start() <= rates.start() && deaths.end() >= self.to_age;
                if !mortality.of(sex).is_some_and(covers) {
                    return Err(wrong(
                        "mortality does not cover the sexes and ages of the incidence up to to_age",
                    ));
                }
            }
        }
        Ok(Risk {
            score: self.score,
            outcome: self.outcome,
            effect: self.effect,
            per_sd: self.per_sd,
            interval: bounds,
            source: self.source,
            to_age: self.to_age,
            incidence,
            mortality,
        })
    }
}

impl WrittenRates {
    fn checked(self, number: usize, tables: [&'static str; 2]) -> Result<BySex, RiskProblem> {
        let of = |rates: Option<Vec<f64>>, table: &'static str| {
            let rates = rates.map(|rates| Rates::new(&self.ages, self.end, self.per, &rates));
            rates.transpose().map_err(|source| RiskProblem::Rates { number, table, source })
        };
        let [female, male] = tables;
        Ok(BySex { female: of(self.female, female)?, male: of(self.male, male)?, source: self.source })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "[[risk]]\nscore = \"PGS000001\"\noutcome = \"breast cancer\"\neffect = \"odds ratio\"\n\
        per_sd = 1.55\n\
        interval = [1.52, 1.58]\nto_age = 80\n[risk.incidence]\nages = [0, 40]\nend = 90\n\
        per = 100000\nfemale = [5, 200.5]\n\
        [risk.mortality]\nages = [0]\nend = 100\nper = 1000\nfemale = [5]\nmale = [7]\n";

    #[test]
    fn a_file_is_read() {
        let file = RiskFile::parse(FILE).unwrap();
        assert_eq!((file.of("PGS000001_hmPOS_GRCh38").count(), file.of("PGS000001").count()), (1, 1));
        assert_eq!(file.of("PGS00000").count(), 0);
        let risk = &file.risks[0];
        assert_eq!((risk.effect, risk.interval), (Effect::OddsRatio, Some((1.52, 1.58))));
        assert!(risk.incidence.of(SampleSex::Male).is_none());
        // 40 years of 5 and 10 of 200.5 in 100,000.
        let rates = risk.incidence.of(SampleSex::Female).unwrap();
        assert!((rates.cumulative(50.0) - (200.0 + 2005.0) / 1e5).abs() < 1e-15);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (from, to, told) in [
            ("per_sd = 1.55", "per_sd = -1", "risk 1: per_sd is no ratio from 0.01 to 100"),
            ("per_sd = 1.55", "per_sd = nan", "risk 1: per_sd is no ratio from 0.01 to 100"),
            ("per_sd = 1.55", "per_sd = 2", "risk 1: interval is no range of ratios around per_sd"),
            ("to_age = 80", "to_age = 91", "risk 1: to_age is not within the ages of the incidence"),
            ("female = [5, 200.5]", "", "risk 1: incidence is of neither sex"),
            ("[5, 200.5]", "[5]", "risk 1, incidence, female: there are 2 ages and 1 rates"),
            ("[5, 200.5]", "[5, -1]", "risk 1, incidence, female: a rate is no number from 0 to 1 a year"),
            (
                "[0, 40]",
                "[40, 40]",
                "risk 1, incidence, female: ages do not ascend from 0 to at most 150 years",
            ),
            (
                "per = 1000\n",
                "per = 0\n",
                "risk 1, mortality, female: a rate is no number from 0 to 1 a year",
            ),
            (
                "end = 100",
                "end = 70",
                "risk 1: mortality does not cover the sexes and ages of the incidence up to to_age",
            ),
            (
                "end = 100\nper = 1000\nfemale = [5]",
                "end = 100\nper = 1000",
                "risk 1: mortality does not cover the sexes",
            ),
        ] {
            let text = FILE.replace(from, to);
            assert_ne!(text, FILE, "{from}");
            let error = RiskFile::parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        assert_eq!(RiskFile::parse("").unwrap_err().to_string(), "it has no [[risk]]");
        for text in ["[[risk]]\nscore = 5\n", "x = 1\n", &FILE.replace("odds ratio", "x")] {
            let error = RiskFile::parse(text).unwrap_err();
            assert!(matches!(error, RiskProblem::Toml(_)) && !error.to_string().contains('\n'), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}", line in 0usize..20, value in "[-0-9.e\\[\\]a-z,]{0,12}") {
            let _ = RiskFile::parse(&text);
            let lines: Vec<&str> = FILE.lines().collect();
            let key = lines[line % lines.len()].split('=').next().unwrap();
            let changed = FILE.replace(lines[line % lines.len()], &format!("{key}={value}"));
            let _ = RiskFile::parse(&changed);
        }
    }
}
