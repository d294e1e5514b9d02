//! Plots of a report: sums beside a reference, people among a panel, risks by age.

use super::about::{About, PersonRisk, sex_name};
use super::results::{Person, ScoreResults, Values};
use crate::report::axis::{Axis, UP};
use crate::report::html::Markup;
use crate::report::numbers::{percent, rounded, thousands};
use crate::report::svg::{Guide, Mark, Plot, Series};

/// Fewer people make no shape.
const FEWEST: u64 = 10;

/// The sums of a population of the panel and of the people, with a person's among them. The population is that which the
/// person, or else most people, are most similar to.
pub(super) fn distribution(
    about: &About<'_>,
    score: &ScoreResults,
    person: Option<(&Person, &Values)>,
) -> Markup {
    let own = person.and_then(|(person, _)| person.place.as_ref()).map(|place| place.most_similar);
    let population = own.or_else(|| about.main_population());
    let of_panel = population
        .and_then(|number| Some((about.results.populations.get(number)?, score.populations.get(number)?)))
        .filter(|(_, group)| group.moments.count >= FEWEST);
    let mut series = Vec::new();
    if let Some((name, group)) = of_panel {
        let points = group.histogram.shares();
        series.push(Series { name: format!("panel, {name}"), style: 0, mark: Mark::Area, points });
    }
    if score.people.moments.count >= FEWEST {
        let points = score.people.histogram.shares();
        series.push(Series { name: about.results.dataset.clone(), style: 1, mark: Mark::Line, points });
    }
    let bins = &score.people.histogram;
    let (from, to) = (bins.from, bins.from + bins.width * bins.counts.len() as f64);
    let highest = series
        .iter()
        .flat_map(|series| &series.points)
        .fold(0.0, |highest: f64, (_, share)| highest.max(*share));
    let guide = person.map(|(_, values)| Guide::Place(values.sum, format!("sum {}", rounded(values.sum))));
    let known = series.clone();
    let plot = Plot {
        description: format!("Sums of {}: {}", score.name, series_names(&series)),
        x: Axis::new("sum", from, to),
        y: Axis::round("share of people (%)", 0.0, highest, UP),
        series,
        guides: guide.into_iter().collect(),
    };
    let readout = move |place: f64| {
        let shares = known.iter().filter_map(|series| {
            let (_, share) = series.points.iter().find(|(x, _)| *x >= place)?;
            Some(format!("{}: {}", series.name, percent(*share)))
        });
        format!("sum {}\n{}", rounded(place), shares.collect::<Vec<_>>().join("\n"))
    };
    let note = match (&plot.series[..], person) {
        ([], _) => "There is nobody to compare with.".to_owned(),
        (_, Some((_, values))) => values.percentile.map_or_else(String::new, |percentile| {
            format!("{} of the population have a smaller sum.", percent(percentile))
        }),
        _ => String::new(),
    };
    figure(&score.name, &plot, readout, &note)
}

/// People and panel by their first two principal components; `None` where they are not known.
pub(super) fn ancestry(about: &About<'_>, person: Option<&Person>) -> Option<Markup> {
    let results = about.results;
    let mut series: Vec<Series> = Vec::new();
    for (number, name) in (0u8..).zip(&results.populations) {
        let members = results.panel.iter().filter(|member| member.population == usize::from(number));
        let points = members.map(|member| (member.components[0], member.components[1])).collect();
        series.push(Series { name: name.clone(), style: number % 12, mark: Mark::Points, points });
    }
    let place =
        |person: &Person| person.place.as_ref().map(|place| (place.components[0], place.components[1]));
    let points: Vec<(f64, f64)> = results.people.iter().filter_map(place).collect();
    match person {
        None => {
            series.push(Series { name: results.dataset.clone(), style: 4, mark: Mark::Crosses, points });
        }
        Some(person) => {
            let points = place(person).into_iter().collect();
            series.push(Series { name: person.individual.clone(), style: 1, mark: Mark::Star, points });
        }
    }
    series.retain(|series| !series.points.is_empty());
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let values = series.iter().flat_map(|series| &series.points).map(of);
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let margin = 0.03 * (high - low);
        (low - margin, high + margin)
    };
    if series.is_empty() {
        return None;
    }
    let ((left, right), (low, high)) = (ends(|point| point.0), ends(|point| point.1));
    let plot = Plot {
        description: format!("First two principal components: {}", series_names(&series)),
        x: Axis::new("PC1", left, right),
        y: Axis::new("PC2", low, high),
        series,
        guides: Vec::new(),
    };
    let members = thousands(results.panel.len() as u64);
    let note = format!(
        "{members} members of the panel by population. Points that cover one another are drawn once."
    );
    Some(figure("Among the panel", &plot, |_| String::new(), &note))
}

/// A person's risk by age, beside the population's.
pub(super) fn risk(told: &PersonRisk<'_>) -> Markup {
    let start = (told.from, 0.0);
    let line = |of: &dyn Fn(&super::about::RiskAt) -> f64| -> Vec<(f64, f64)> {
        std::iter::once(start).chain(told.ages.iter().map(|at| (at.age, 100.0 * of(at)))).collect()
    };
    let mut series = Vec::new();
    if told.risk.interval.is_some() {
        let low = line(&|at| at.interval.map_or(at.risk, |(low, _)| low));
        let high = line(&|at| at.interval.map_or(at.risk, |(_, high)| high));
        let points = low.into_iter().chain(high.into_iter().rev()).collect();
        series.push(Series { name: "by the ratio's interval".into(), style: 0, mark: Mark::Band, points });
    }
    let mine = line(&|at| at.risk);
    let population = line(&|at| at.average);
    let highest = series.iter().flat_map(|series| &series.points).chain(&mine).chain(&population);
    let highest = highest.fold(0.0, |highest: f64, (_, risk)| highest.max(*risk));
    let ages = told.ages.clone();
    series.push(Series { name: "population".into(), style: 4, mark: Mark::Line, points: population });
    series.push(Series { name: "this person".into(), style: 0, mark: Mark::Line, points: mine });
    let sex = sex_name(told.sex);
    let plot = Plot {
        description: format!("Risk of {} by age, {sex}", told.risk.outcome),
        x: Axis::new("age (years)", told.from, told.risk.to_age),
        y: Axis::round("risk (%)", 0.0, highest, UP),
        series,
        guides: Vec::new(),
    };
    let readout = move |age: f64| {
        let at = ages.iter().find(|at| at.age >= age);
        at.map_or_else(String::new, |at| {
            let (risk, average) = (percent(100.0 * at.risk), percent(100.0 * at.average));
            format!("to age {}: {risk}\npopulation: {average}", at.age)
        })
    };
    let note = format!("Of who is well at {} years.", told.from);
    figure(&format!("{}, {sex}", told.risk.outcome), &plot, readout, &note)
}

fn series_names(series: &[Series]) -> String {
    series.iter().map(|series| series.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn figure(title: &str, plot: &Plot, readout: impl Fn(f64) -> String, note: &str) -> Markup {
    let mut markup = Markup::new();
    markup.element("figure", &[], |m| {
        m.element("figcaption", &[], |m| {
            m.leaf("h3", &[], title);
            if !plot.series.is_empty() {
                m.append(&plot.legend());
            }
        });
        m.append(&plot.to_markup(readout));
        m.leaf("p", &[("class", "muted")], note);
    });
    markup.newline();
    markup
}
