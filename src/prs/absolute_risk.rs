//! The chance of a disease until an age, by a score.
//!
//! The model of iCARE (Pal Choudhury et al., PLoS ONE 2020, doi:10.1371/journal.pone.0228198): with z the score in deviations
//! of the population, the hazard at age t is λ(t|z) = λ₀(t) exp(βz), β the logarithm of the ratio for a deviation. The baseline
//! λ₀ is such that those who are still without the disease have the registry's incidence λₘ on average,
//!
//! λₘ(t) = λ₀(t) E[exp(βz) S(t|z)] / E[S(t|z)],  S(t|z) = exp(−Λ₀(t) exp(βz)),  z ~ N(0, 1),
//!
//! which is E[S(t|z)] = exp(−Λₘ(t)) for their integrals over age, and is solved so. With μ the mortality of all else, the risk
//! from age a to age b of who is alive and well at a is
//!
//! ∫ₐᵇ λ(t|z) exp(−∫ₐᵗ λ(u|z) + μ(u) du) dt.

/// Rates by age: bands of years, each with the events of a person in a year.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    bands: Vec<Band>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Band {
    start: f64,
    end: f64,
    rate: f64,
}

/// Why rates are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatesError {
    /// Not a rate for each age.
    #[error("there are {ages} ages and {rates} rates")]
    Count {
        /// Ages.
        ages: usize,
        /// Rates.
        rates: usize,
    },
    /// Ages are not in order.
    #[error("ages do not ascend from 0 to at most {OLDEST} years")]
    Ages,
    /// A rate is none.
    #[error("a rate is no number from 0 to 1 a year")]
    Rate,
}

/// Nobody is older, in years.
const OLDEST: f64 = 150.0;

impl Rates {
    /// Bands that begin at these ages, the last one ending at `end`, with the events of `per` people in a year.
    ///
    /// # Errors
    /// Ages do not ascend, or are not as many as rates; a rate is negative or above one a year.
    pub fn new(ages: &[f64], end: f64, per: f64, rates: &[f64]) -> Result<Self, RatesError> {
        if ages.len() != rates.len() || ages.is_empty() {
            return Err(RatesError::Count { ages: ages.len(), rates: rates.len() });
        }
        let borders: Vec<f64> = ages.iter().copied().chain([end]).collect();
        let ascend = borders.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascend || borders[0] < 0.0 || end > OLDEST {
            return Err(RatesError::Ages);
        }
        let bands = borders.windows(2).zip(rates);
        let bands: Vec<Band> =
            bands.map(|(pair, rate)| Band { start: pair[0], end: pair[1], rate: rate / per }).collect();
        match bands.iter().all(|band| (0.0..=1.0).contains(&band.rate)) {
            true => Ok(Self { bands }),
            false => Err(RatesError::Rate),
        }
    }

    /// The first age, in years.
    pub fn start(&self) -> f64 {
        self.bands.first().map_or(0.0, |band| band.start)
    }

    /// The age at which the last band ends.
    pub fn end(&self) -> f64 {
        self.bands.last().map_or(0.0, |band| band.end)
    }

    /// Events of a person from the first age to this one.
    pub fn cumulative(&self, age: f64) -> f64 {
        let within = |band: &Band| (age.min(band.end) - band.start).max(0.0);
        self.bands.iter().map(|band| band.rate * within(band)).sum()
    }

    /// Where bands begin and end.
    fn borders(&self) -> impl Iterator<Item = f64> + '_ {
        self.bands.iter().flat_map(|band| [band.start, band.end])
    }
}

/// A disease's hazard by age and score in a population of one sex.
#[derive(Clone, Debug)]
pub struct RiskModel {
    beta: f64,
    steps: Vec<Step>,
}

/// A time within which hazards do not change: baseline and mortality, integrated over it.
#[derive(Clone, Copy, Debug)]
struct Step {
    start: f64,
    end: f64,
    baseline: f64,
    mortality: f64,
}

/// Steps are no longer than this, in years.
const STEP: f64 = 0.25;

impl RiskModel {
    /// The model for a ratio of hazards by deviation, from the first to the last age of the incidence.
    pub fn new(incidence: &Rates, mortality: Option<&Rates>, ratio: f64) -> Self {
        let beta = ratio.ln();
        let population = Population::new(beta);
        let (first, last) = (incidence.start(), incidence.end());
        let even = (0..).map(|number| f64::from(number) * STEP).take_while(|age| *age <= last);
        let borders = mortality.into_iter().flat_map(Rates::borders).chain(incidence.borders());
        let mut ages: Vec<f64> = even.chain(borders).filter(|age| (first..=last).contains(age)).collect();
        ages.sort_by(f64::total_cmp);
        ages.dedup();
        let deaths = |age: f64| mortality.map_or(0.0, |rates| rates.cumulative(age));
        let mut reached = 0.0;
        let steps = ages.windows(2).map(|pair| {
            let [start, end] = [pair[0], pair[1]];
            let next = population.baseline(incidence.cumulative(end), reached);
            let baseline = next - std::mem::replace(&mut reached, next);
            Step { start, end, baseline, mortality: deaths(end) - deaths(start) }
        });
        Self { beta, steps: steps.collect() }
    }

    /// The chance of the disease from one age to another, of who is alive without it at the first: 0 to 1. `z` is the score in
    /// deviations.
    pub fn risk(&self, z: f64, from: f64, to: f64) -> f64 {
        let ratio = (self.beta * z).exp();
        let (mut risk, mut left) = (0.0, 1.0);
        for step in &self.steps {
            let share = (to.min(step.end) - from.max(step.start)) / (step.end - step.start);
            if share <= 0.0 {
                continue;
            }
            let (disease, death) = (step.baseline * ratio * share, step.mortality * share);
            let both = disease + death;
            if both > 0.0 {
                risk += left * disease / both * -(-both).exp_m1();
                left *= (-both).exp();
            }
        }
        risk
    }
}

/// Scores of a population, as weighted places of a standard normal distribution.
struct Population {
    /// The ratio of hazards at a place, and the place's weight.
    places: Vec<(f64, f64)>,
}

impl Population {
    /// By the trapezoid rule from -9 to 9: for what falls off so fast it errs by less than 1e-12.
    fn new(beta: f64) -> Self {
        let places = (-180..=180).map(|number| {
            let z = f64::from(number) / 20.0;
            ((beta * z).exp(), (-z * z / 2.0).exp())
        });
        let places: Vec<(f64, f64)> = places.collect();
        let all: f64 = places.iter().map(|(_, weight)| weight).sum();
        Self { places: places.into_iter().map(|(ratio, weight)| (ratio, weight / all)).collect() }
    }

    /// The integral of the baseline hazard at which as many are without the disease as after these events of a person;
    /// `start` is that of an earlier age.
    ///
    /// The logarithm of their share is convex in it and falls, so that Newton's steps from below do not pass the solution.
    fn baseline(&self, events: f64, start: f64) -> f64 {
        let mut found = start;
        for _ in 0..200 {
            let (mut well, mut hazard) = (0.0, 0.0);
            for (ratio, weight) in &self.places {
                let of_place = weight * (-found * ratio).exp();
                well += of_place;
                hazard += of_place * ratio;
            }
            let step = (well.ln() + events) * well / hazard;
            // Not a number where nobody is left.
            if step.is_nan() || step <= found * 1e-15 {
                break;
            }
            found += step;
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Norway's scale: few before 40, many at 70; in 100,000 people a year.
    fn incidence() -> Rates {
        Rates::new(&[0.0, 40.0, 50.0, 70.0], 90.0, 1e5, &[2.0, 120.0, 300.0, 350.0]).unwrap()
    }

    fn mortality() -> Rates {
        Rates::new(&[0.0, 60.0, 80.0], 90.0, 1000.0, &[1.0, 10.0, 80.0]).unwrap()
    }

    fn close(a: f64, b: f64, relative: f64) -> bool {
        (a - b).abs() <= relative * b.abs()
    }

    #[test]
    fn a_hand_made_case() {
        // Without an effect of the score, a rate of 0.01 and a mortality of 0.02 over 10 years:
        // 0.01 / 0.03 * (1 - exp(-0.3)) = 0.0863939264.
        let rates = |rate| Rates::new(&[20.0], 60.0, 1.0, &[rate]).unwrap();
        let model = RiskModel::new(&rates(0.01), Some(&rates(0.02)), 1.0);
        assert!(close(model.risk(1.7, 30.0, 40.0), 0.086_393_926_4, 1e-9));
        // Without mortality, 1 - exp(-0.1) = 0.0951625820, and from the middle of a step on as well.
        let model = RiskModel::new(&rates(0.01), None, 1.0);
        assert!(close(model.risk(-2.0, 30.1, 40.1), 0.095_162_582_0, 1e-9));
        assert_eq!(model.risk(0.0, 60.0, 70.0), 0.0);
    }

    /// The same by the differential equation of iCARE's paper, a day at a time, over quantiles of the population.
    fn by_days(
        incidence: &[(f64, f64)],
        mortality: &[(f64, f64)],
        ratio: f64,
        z: f64,
        from: f64,
        to: f64,
    ) -> f64 {
        let rate = |table: &[(f64, f64)], age: f64| {
            table.iter().rev().find(|(start, _)| *start <= age).map_or(0.0, |(_, rate)| *rate)
        };
        // 4,000 equally likely people; the inverse of the normal distribution by bisection of erfc.
        let quantile = |p: f64| {
            let (mut low, mut high) = (-9.0, 9.0);
            for _ in 0..60 {
                let middle: f64 = (low + high) / 2.0;
                let below = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
                if below < p { low = middle } else { high = middle }
            }
            low
        };
        let mut people: Vec<(f64, f64)> =
            (0..4000).map(|n| (ratio.powf(quantile((f64::from(n) + 0.5) / 4000.0)), 1.0)).collect();
        let day = 1.0 / 365.0;
        let (mut age, mut alive_and_well, mut ill) = (0.0, 1.0, 0.0);
        while age < to {
            let (well, hazard) = people.iter().fold((0.0, 0.0), |(a, b), (r, s)| (a + s, b + r * s));
            let baseline = rate(incidence, age) * well / hazard;
            people.iter_mut().for_each(|(r, s)| *s *= 1.0 - baseline * *r * day);
            if age >= from {
                let disease = baseline * ratio.powf(z) * day;
                ill += alive_and_well * disease;
                alive_and_well *= 1.0 - disease - rate(mortality, age) * day;
            }
            age += day;
        }
        ill
    }

    #[test]
    fn risks_are_those_of_the_differential_equation() {
        let incidence_table = [(0.0, 2e-5), (40.0, 120e-5), (50.0, 300e-5), (70.0, 350e-5)];
        let mortality_table = [(0.0, 0.001), (60.0, 0.01), (80.0, 0.08)];
        let (incidence, mortality) = (incidence(), mortality());
        for (ratio, z, from, to) in [(1.6, 1.5, 0.0, 80.0), (2.5, -1.0, 40.0, 85.0), (0.7, 2.0, 30.0, 70.0)] {
            let expected = by_days(&incidence_table, &mortality_table, ratio, z, from, to);
            let found = RiskModel::new(&incidence, Some(&mortality), ratio).risk(z, from, to);
            assert!(close(found, expected, 1e-3), "{ratio} {z}: {found} {expected}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        /// The population's risk is that of its incidence, however much the score spreads it.
        #[test]
        fn risks_of_all_average_to_the_populations(ratio in 0.3f64..4.0, years in 45u32..90, scale in 0.1f64..20.0) {
            let to = f64::from(years);
            let rates = [2.0, 120.0, 300.0, 350.0].map(|rate| rate * scale);
            let incidence = Rates::new(&[0.0, 40.0, 50.0, 70.0], 90.0, 1e5, &rates).unwrap();
            let mean = |mortality: Option<&Rates>| {
                let model = RiskModel::new(&incidence, mortality, ratio);
                let places = (-160..=160).map(|n| f64::from(n) / 20.0);
                let weighted = places.map(|z| ((-z * z / 2.0).exp(), model.risk(z, 0.0, to)));
                let (all, risk) = weighted.fold((0.0, 0.0), |(all, risk), (w, r)| (all + w, risk + w * r));
                risk / all
            };
            let expected = -(-incidence.cumulative(to)).exp_m1();
            prop_assert!(close(mean(None), expected, 1e-9), "{} {expected}", mean(None));
            // With mortality, that of a population of whom all have the same score.
            let expected = RiskModel::new(&incidence, Some(&mortality()), 1.0).risk(0.0, 0.0, to);
            prop_assert!(close(mean(Some(&mortality())), expected, 1e-4));
        }

        #[test]
        fn risks_rise_with_age_and_score(ratio in 1.01f64..4.0, z in -3.0f64..3.0, from in 0.0f64..60.0) {
            let model = RiskModel::new(&incidence(), Some(&mortality()), ratio);
            let risks: Vec<f64> = (0..6).map(|n| model.risk(z, from, from + 5.0 * f64::from(n))).collect();
            prop_assert!(risks.is_sorted() && risks[0] == 0.0 && risks[5] < 1.0);
            prop_assert!(model.risk(z + 0.1, from, 80.0) > model.risk(z, from, 80.0));
        }
    }
}
