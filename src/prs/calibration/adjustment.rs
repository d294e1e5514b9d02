//! Scores as percentiles of the most similar population and as deviations: from its mean, from what components predict
//! of the
//! mean (Z_norm1: Khera et al., Circulation 2019, doi:10.1161/CIRCULATIONAHA.118.035658), and of mean and variance
//! (Z_norm2).

use super::mean_and_deviation;
use super::panel::{Components, Panel};
use super::random_forest::Forest;
use super::regression::{Line, MeanAndVariance};
use super::similarity::{Cloud, chi_squared_above};

/// How people are compared with populations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// Mahalanobis distance, and the probability of one as great.
    #[default]
    Mahalanobis,
    /// The share of a random forest's votes.
    RandomForest,
}

/// Whom people are most like.
#[derive(Clone, Debug)]
pub struct Similarity {
    /// How they were compared.
    pub comparison: Comparison,
    /// For each person the probability of each population.
    pub probabilities: Vec<Vec<f64>>,
    /// The number of the most similar population.
    pub most_similar: Vec<usize>,
    /// Whether even that is unlikely.
    pub is_unsure: Vec<bool>,
}

/// A score of people, calibrated. Nothing where the panel's scores do not differ.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibrated {
    /// The share of the most similar population below, in percent; half of those that are equal counts.
    pub percentile: Option<f64>,
    /// Deviations from the most similar population's mean.
    pub z_most_similar: Option<f64>,
    /// Deviations from the mean that components predict.
    pub z_norm1: Option<f64>,
    /// Deviations from the mean that components predict, in those that they predict.
    pub z_norm2: Option<f64>,
}

/// What one score's panel says, for reports.
#[derive(Clone, Debug)]
pub struct Model {
    /// For each population the mean, the deviation, and the 0th to 100th percentile.
    pub populations: Vec<Option<(f64, f64, Vec<f64>)>>,
    /// The panel's mean score, which regressions are of the difference to.
    pub offset: f64,
    /// The regression of the mean.
    pub mean: Option<Line>,
    /// That of mean and variance.
    pub both: Option<MeanAndVariance>,
    /// Mean and deviation of each component, by which they are standardised.
    pub components: Vec<(f64, f64)>,
}

/// Why people cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// A population is too small or flat.
    #[error("{0} of the panel has too few members that are not related for {1} components")]
    Population(String, usize),
}

impl Comparison {
    /// The probability below which a population is no sure choice, if nobody says.
    pub fn usual_threshold(self) -> f64 {
        match self {
            Self::Mahalanobis => 1e-10,
            Self::RandomForest => 0.5,
        }
    }
}

/// A panel's populations, as people are compared with them.
#[derive(Clone, Debug)]
pub struct Comparer<'p> {
    comparison: Comparison,
    panel: &'p Panel,
    populations: Populations,
    count: usize,
    unlikely: f64,
}

#[derive(Clone, Debug)]
enum Populations {
    Clouds(Vec<Cloud>),
    Forest(Forest),
}

impl<'p> Comparer<'p> {
    /// Learns a panel's populations by so many components. `unlikely` is the probability below which a population is no
    /// sure choice.
    ///
    /// # Errors
    /// A population is too small.
    pub fn learn(
        comparison: Comparison,
        panel: &'p Panel,
        count: usize,
        unlikely: f64,
    ) -> Result<Self, CalibrationError> {
        let populations = match comparison {
            Comparison::Mahalanobis => Populations::Clouds(clouds(panel, count)?),
            Comparison::RandomForest => {
                let teachers: Vec<usize> = panel.teachers(None).collect();
                let points: Vec<&[f64]> =
                    teachers.iter().map(|member| &panel.components.values[*member][..count]).collect();
                let classes: Vec<usize> = teachers.iter().map(|member| panel.population[*member]).collect();
                Populations::Forest(Forest::grow(&points, &classes, panel.populations.len()))
            }
        };
        Ok(Self { comparison, panel, populations, count, unlikely })
    }

    /// Compares people.
    pub fn compare(&self, people: &Components) -> Similarity {
        // Of populations that are as likely the first one: scikit-learn has them by name, the other way by their order
        // in the panel.
        let mut order: Vec<usize> = (0..self.panel.populations.len()).collect();
        if self.comparison == Comparison::RandomForest {
            order.sort_by_key(|number| &self.panel.populations[*number]);
        }
        let (mut probabilities, mut most_similar, mut is_unsure) = (Vec::new(), Vec::new(), Vec::new());
        for values in &people.values {
            let of_person = self.probabilities(&values[..self.count]);
            let better =
                |best: usize, number: usize| if of_person[number] > of_person[best] { number } else { best };
            let best = order.iter().copied().reduce(better).unwrap_or_default();
            is_unsure.push(of_person.get(best).is_none_or(|probability| *probability < self.unlikely));
            most_similar.push(best);
            probabilities.push(of_person);
        }
        Similarity { comparison: self.comparison, probabilities, most_similar, is_unsure }
    }

    fn probabilities(&self, values: &[f64]) -> Vec<f64> {
        match &self.populations {
            Populations::Clouds(clouds) => {
                // The degrees of freedom are pgscatalog-utils': one less than there are components.
                let degrees = self.count.saturating_sub(1).max(1);
                clouds.iter().map(|cloud| chi_squared_above(cloud.distance(values), degrees)).collect()
            }
            Populations::Forest(forest) => forest.probabilities(values),
        }
    }
}

/// Where each population is.
fn clouds(panel: &Panel, count: usize) -> Result<Vec<Cloud>, CalibrationError> {
    let clouds = panel.populations.iter().enumerate().map(|(number, name)| {
        let members = panel.teachers(Some(number)).map(|member| &panel.components.values[member][..count]);
        Cloud::of(members, count).ok_or_else(|| CalibrationError::Population(name.clone(), count))
    });
    clouds.collect()
}

impl Model {
    /// Learns a score from a panel: `scores` are its members'.
    pub fn learn(panel: &Panel, scores: &[f64], count: usize) -> Self {
        let of = |members: &mut dyn Iterator<Item = usize>| members.map(|member| scores[member]).collect();
        let populations = (0..panel.populations.len()).map(|number| {
            let mut values: Vec<f64> = of(&mut panel.teachers(Some(number)));
            values.sort_by(f64::total_cmp);
            let (mean, deviation) = mean_and_deviation(&values)?;
            let percentiles =
                (0..=100).map(|percent| percentile_value(&values, f64::from(percent))).collect();
            Some((mean, deviation, percentiles))
        });
        let all: Vec<f64> = of(&mut panel.teachers(None));
        let offset = mean_and_deviation(&all).map_or(0.0, |(mean, _)| mean);
        let components: Vec<(f64, f64)> = (0..count)
            .map(|number| {
                let values: Vec<f64> =
                    panel.teachers(None).map(|member| panel.components.values[member][number]).collect();
                mean_and_deviation(&values).unwrap_or((0.0, 1.0))
            })
            .collect();
        let mut model =
            Self { populations: populations.collect(), offset, mean: None, both: None, components };
        let points: Vec<Vec<f64>> =
            panel.teachers(None).map(|member| model.point(&panel.components.values[member])).collect();
        let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
        let centred: Vec<f64> = all.iter().map(|score| score - offset).collect();
        model.mean = Line::fit(&points, &centred, None);
        model.both = MeanAndVariance::fit(&points, &centred);
        model
    }

    /// Components, standardised.
    fn point(&self, values: &[f64]) -> Vec<f64> {
        values
            .iter()
            .zip(&self.components)
            .map(|(value, (mean, deviation))| (value - mean) / deviation)
            .collect()
    }

    /// Calibrates people's scores.
    pub fn calibrate(
        &self,
        panel: &Panel,
        of_panel: &[f64],
        people: &Components,
        scores: &[f64],
        most_similar: &[usize],
    ) -> Vec<Calibrated> {
        // A score that is the same for all says nothing.
        if mean_and_deviation(of_panel).is_none_or(|(_, deviation)| deviation == 0.0) {
            return vec![Calibrated::default(); scores.len()];
        }
        let sorted: Vec<Vec<f64>> = (0..panel.populations.len())
            .map(|number| {
                let mut values: Vec<f64> =
                    panel.teachers(Some(number)).map(|member| of_panel[member]).collect();
                values.sort_by(f64::total_cmp);
                values
            })
            .collect();
        let rest: Vec<f64> = match &self.mean {
            Some(line) => panel
                .teachers(None)
                .map(|member| {
                    of_panel[member] - self.offset - line.at(&self.point(&panel.components.values[member]))
                })
                .collect(),
            None => Vec::new(),
        };
        let deviation = mean_and_deviation(&rest).map(|(_, deviation)| deviation);
        let calibrated =
            people.values.iter().zip(scores).zip(most_similar).map(|((values, score), population)| {
                let point = self.point(values);
                let centred = score - self.offset;
                let own = self.populations.get(*population).and_then(Option::as_ref);
                Calibrated {
                    percentile: sorted.get(*population).map(|sorted| percentile_of(sorted, *score)),
                    z_most_similar: own.map(|(mean, deviation, _)| (score - mean) / deviation),
                    z_norm1: self
                        .mean
                        .as_ref()
                        .zip(deviation)
                        .map(|(line, deviation)| (centred - line.at(&point)) / deviation),
                    z_norm2: self.both.as_ref().map(|both| both.deviations(&point, centred)),
                }
            });
        calibrated.collect()
    }
}

/// The percentage of sorted values below a value, those that are equal by the mean of their ranks (SciPy's
/// `percentileofscore`).
fn percentile_of(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|known| *known < value);
    let up_to = sorted.partition_point(|known| *known <= value);
    (below + up_to + usize::from(below < up_to)) as f64 * (50.0 / sorted.len() as f64)
}

/// The value at a percentile of sorted values, in a line between neighbours (NumPy's default).
fn percentile_value(sorted: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_scipy_and_numpy() {
        let sorted = [1.0, 2.0, 2.0, 3.0, 4.0];
        // scipy.stats.percentileofscore, kind = "rank"
        for (value, expected) in
            [(0.0, 0.0), (1.0, 20.0), (2.0, 50.0), (2.5, 60.0), (4.0, 100.0), (9.0, 100.0)]
        {
            assert_eq!(percentile_of(&sorted, value), expected, "{value}");
        }
        for (percent, expected) in [(0.0, 1.0), (25.0, 2.0), (50.0, 2.0), (60.0, 2.4), (100.0, 4.0)] {
            assert!((percentile_value(&sorted, percent) - expected).abs() < 1e-12, "{percent}");
        }
    }
}
