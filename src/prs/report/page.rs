//! Pages that need nothing but themselves: one of all people, one of a person. Nothing in them varies between runs.

use super::about::{About, formula, sex_name};
use super::document::average;
use super::results::{Chosen, Person, ScoreResults, Values};
use super::standard::{self, ITEMS, Known};
use super::{NOTICE, plots};
use crate::report::html::{self, Markup, Tone, badge, numbers, section, sign, table, words};
use crate::report::numbers::{percent, rounded, thousands, trimmed};
use crate::report::strip::{Shown, strip};

/// Scores that are drawn: with more, a page would be larger than what mail and browsers like (2 MB).
const MOST_PLOTS: usize = 40;
/// Scores in a table.
const MOST_ROWS: usize = 1000;

/// A part of a page: its name in links, its head, and what is in it.
type Section<'a> = (&'static str, &'static str, Markup);

/// A fact of a page's head.
type Fact = (&'static str, String);

/// The page of all people.
pub fn of_people(about: &About<'_>) -> String {
    let results = about.results;
    let mut facts: Vec<Fact> = vec![
        ("People", thousands(results.people.len() as u64)),
        ("Scores", thousands(results.scores.len() as u64)),
    ];
    if !results.panel.is_empty() {
        let (members, populations) = (thousands(results.panel.len() as u64), results.populations.len());
        facts.push(("Panel", format!("{members} people of {populations} populations")));
    }
    facts.extend(results.comparison.clone().map(|comparison| ("Compared by", comparison)));
    let mut sections: Vec<Section<'_>> = vec![("scores", "Scores", score_table(about))];
    let drawn = results.scores.iter().take(MOST_PLOTS).map(|score| plots::distribution(about, score, None));
    sections.push(("distributions", "Distributions", in_grid(drawn)));
    sections.extend(ancestry_section(about, None));
    sections.push(("limits", "Limits", limits(about)));
    sections.push(("standard", "Reporting standard", items(about)));
    page(&results.dataset, "Polygenic scores", &facts, sections, &results.dataset)
}

/// The page of a person: a number among those that are reported.
pub fn of_person(about: &About<'_>, number: usize) -> Option<String> {
    let results = about.results;
    let chosen = results.chosen.get(number)?;
    let person = results.people.get(chosen.person)?;
    let scores = results.scores.iter().filter_map(|score| Some((score, score.values.get(number)?.as_ref()?)));
    let scores: Vec<(&ScoreResults, &Values)> = scores.collect();
    let mut facts: Vec<Fact> =
        vec![("Set", results.dataset.clone()), ("Scores", thousands(scores.len() as u64))];
    if let Some(place) = &person.place {
        let name = results.populations.get(place.most_similar).cloned().unwrap_or_default();
        let unsure = if place.is_unsure { " (not sure: like no population)" } else { "" };
        facts.push(("Most similar population", name + unsure));
    }
    facts.push(("Sex", chosen.sex.map_or("not told", sex_name).to_owned()));
    facts.push(("Age", chosen.age.map_or_else(|| "not told".to_owned(), |age| trimmed(age, 1))));
    let mut sections: Vec<Section<'_>> = vec![("scores", "Scores", person_table(about, person, &scores))];
    let drawn = scores.iter().take(MOST_PLOTS);
    let drawn = drawn.map(|(score, values)| plots::distribution(about, score, Some((person, values))));
    sections.push(("distributions", "Beside the reference", in_grid(drawn)));
    sections.extend(risk_section(about, chosen, &scores));
    sections.extend(ancestry_section(about, Some(person)));
    sections.push(("limits", "Limits", limits(about)));
    sections.push(("standard", "Reporting standard", items(about)));
    Some(page(&person.individual, "Polygenic scores of a person", &facts, sections, &results.dataset))
}

fn page(name: &str, kicker: &str, facts: &[Fact], sections: Vec<Section<'_>>, dataset: &str) -> String {
    let mut body = Markup::new();
    body.element("header", &[], |m| {
        m.leaf("p", &[("class", "kicker")], kicker);
        m.element("div", &[("class", "title")], |m| {
            m.element("h1", &[], |m| m.leaf("bdi", &[], name));
            badge(m, Tone::Caution, NOTICE);
        });
        m.element("ul", &[("class", "facts")], |m| {
            for (fact, value) in facts {
                m.element("li", &[], |m| {
                    m.text(fact);
                    m.text(" ");
                    m.leaf("b", &[], value);
                });
            }
        });
    });
    body.newline();
    body.element("nav", &[("aria-label", "Parts of the page")], |m| {
        m.element("ul", &[], |m| {
            for (id, title, _) in &sections {
                m.element("li", &[], |m| m.leaf("a", &[("href", &format!("#{id}"))], title));
            }
        });
    });
    body.newline();
    body.element("main", &[], |m| {
        for (id, title, content) in &sections {
            section(m, id, title, |m| m.append(content));
        }
    });
    body.element("footer", &[], |m| {
        m.text(NOTICE);
        m.text(" Made by norn prs report from the tables of norn prs score and calibrate. For programs: ");
        m.leaf("code", &[], &format!("{dataset}_report.json"));
        m.text("; what made them, when and where: ");
        m.leaf("code", &[], &format!("{dataset}_report.run.json"));
        m.text(".");
    });
    body.newline();
    html::page(&format!("{name}: polygenic scores"), &body)
}

/// A score's name, with its trait below.
fn score_cell(about: &About<'_>, score: &ScoreResults) -> Markup {
    let mut cell = Markup::of(&score.name);
    if let Some(reported) = about.header(score).and_then(|header| header.reported_trait()) {
        cell.text(" ");
        cell.leaf("small", &[], reported);
    }
    cell
}

/// The share of a score's variants that is scored.
fn matched_cell(about: &About<'_>, score: &ScoreResults) -> Markup {
    let Some(matched) = &score.matched else { return Markup::of("unknown") };
    let mut cell = strip(100.0 * matched.share(), Shown::Part(wanted_share(about)));
    cell.text(&percent(100.0 * matched.share()));
    if !matched.passes {
        sign(&mut cell, Tone::Bad, "too few");
    }
    cell
}

/// The share that was asked for, in percent.
fn wanted_share(about: &About<'_>) -> Option<f64> {
    let share = about.results.parameters.as_ref()?.get("matching")?.get("min_overlap")?.as_f64()?;
    Some(100.0 * share)
}

fn score_table(about: &About<'_>) -> Markup {
    let population = about.main_population();
    let columns = [
        words("Score"),
        numbers("Variants"),
        words("Matched"),
        numbers("Mean of the people"),
        numbers("Deviation"),
        numbers("Mean of the panel"),
        numbers("Deviation"),
    ];
    let rows: Vec<Vec<Markup>> = about
        .results
        .scores
        .iter()
        .take(MOST_ROWS)
        .map(|score| {
            let group = population.and_then(|number| score.populations.get(number));
            let group = group.filter(|group| group.moments.count > 0);
            let variants =
                score.matched.map_or_else(|| "unknown".to_owned(), |matched| thousands(matched.rows));
            let of = |value: Option<f64>| Markup::of(&value.map_or_else(|| "unknown".to_owned(), rounded));
            vec![
                score_cell(about, score),
                Markup::of(&variants),
                matched_cell(about, score),
                of(Some(score.people.moments.mean)),
                of(Some(score.people.moments.deviation())),
                of(group.map(|group| group.moments.mean)),
                of(group.map(|group| group.moments.deviation())),
            ]
        })
        .collect();
    let name = population.and_then(|number| about.results.populations.get(number));
    let caption = match name {
        Some(name) => format!("The panel's are of {name}, whom most people are most similar to."),
        None => "There is no panel to compare with.".to_owned(),
    };
    in_sheet(&caption, &columns, &rows, about.results.scores.len())
}

fn person_table(about: &About<'_>, person: &Person, scores: &[(&ScoreResults, &Values)]) -> Markup {
    let columns = [
        words("Score"),
        words("Percentile"),
        numbers("Z in the population"),
        numbers("Z_norm1"),
        numbers("Z_norm2"),
        numbers("Sum"),
        numbers("Average"),
        words("Matched"),
    ];
    let number = |value: Option<f64>| Markup::of(&value.map_or_else(|| "unknown".to_owned(), rounded));
    let rows: Vec<Vec<Markup>> = scores
        .iter()
        .take(MOST_ROWS)
        .map(|(score, values)| {
            let mut percentile = Markup::new();
            match values.percentile {
                Some(value) => {
                    percentile.append(&strip(value, Shown::Place));
                    percentile.text(&trimmed(value, 1));
                }
                None => percentile.text("unknown"),
            }
            vec![
                score_cell(about, score),
                percentile,
                number(values.z_most_similar),
                number(values.z_norm1),
                number(values.z_norm2),
                number(Some(values.sum)),
                number(average(values)),
                matched_cell(about, score),
            ]
        })
        .collect();
    let population =
        person.place.as_ref().and_then(|place| about.results.populations.get(place.most_similar));
    let caption = match population {
        Some(name) => {
            format!("Percentiles and deviations are those of {name}; Z_norm1 and Z_norm2 of the whole panel.")
        }
        None => "There is no panel to compare with.".to_owned(),
    };
    in_sheet(&caption, &columns, &rows, scores.len())
}

fn risk_section<'a>(
    about: &About<'_>,
    chosen: &Chosen,
    scores: &[(&ScoreResults, &Values)],
) -> Option<Section<'a>> {
    let risks = scores.iter().flat_map(|(score, values)| {
        about.risks_of(score, chosen, values).into_iter().map(|told| (score.name.clone(), told))
    });
    let risks: Vec<_> = risks.take(MOST_PLOTS).collect();
    if risks.is_empty() {
        return None;
    }
    let mut markup =
        in_grid(risks.iter().filter(|(_, told)| !told.ages.is_empty()).map(|(_, told)| plots::risk(told)));
    let columns = [
        words("Outcome"),
        words("Sex"),
        numbers("From age"),
        numbers("To age"),
        numbers("Risk"),
        words("By the ratio's interval (95 %)"),
        numbers("Population"),
        words("Made of"),
    ];
    let rows: Vec<Vec<Markup>> = risks
        .iter()
        .map(|(score, told)| {
            let last = told.ages.last();
            let share = |value: Option<f64>| {
                Markup::of(&value.map_or_else(|| "none".to_owned(), |v| percent(100.0 * v)))
            };
            let interval = last
                .and_then(|at| at.interval)
                .map(|(low, high)| format!("{} to {}", percent(100.0 * low), percent(100.0 * high)));
            let risk = told.risk;
            let made_of = format!(
                "{score}: {} {} = {}; {} {} for a deviation; incidence: {}; mortality: {}",
                told.deviation.0,
                "z",
                rounded(told.deviation.1),
                risk.effect.name(),
                risk.per_sd,
                risk.incidence.source.as_deref().unwrap_or("source not told"),
                risk.mortality.as_ref().map_or("not counted", |mortality| {
                    mortality.source.as_deref().unwrap_or("source not told")
                }),
            );
            vec![
                Markup::of(&risk.outcome),
                Markup::of(sex_name(told.sex)),
                Markup::of(&trimmed(told.from, 1)),
                Markup::of(&trimmed(risk.to_age, 1)),
                share(last.map(|at| at.risk)),
                Markup::of(&interval.unwrap_or_else(|| "not told".to_owned())),
                share(last.map(|at| at.average)),
                Markup::of(&made_of),
            ]
        })
        .collect();
    markup.append(&in_sheet(
        "Chance of the disease by that age, of who is alive without it at the first.",
        &columns,
        &rows,
        rows.len(),
    ));
    for (_, told) in risks.iter().take(1) {
        markup.leaf("p", &[("class", "muted")], &formula(told.risk));
    }
    markup.leaf(
        "p",
        &[("class", "muted")],
        "The interval is that of the ratio alone. Family, habits and treatment are not counted, and the ratio is taken to hold at all \
         ages and in this person's population.",
    );
    Some(("risk", "Absolute risk", markup))
}

fn ancestry_section<'a>(about: &About<'_>, person: Option<&Person>) -> Option<Section<'a>> {
    let plot = plots::ancestry(about, person)?;
    let mut markup = in_grid([plot].into_iter());
    let results = about.results;
    let (counts, unsure) = about.similar_people();
    let rows: Vec<Vec<Markup>> = match person.and_then(|person| person.place.as_ref()) {
        Some(place) => {
            let named = results.populations.iter().zip(&place.probabilities);
            let text = |value: f64| {
                if value > 0.0 && value < 1e-4 { format!("{value:.1e}") } else { rounded(value) }
            };
            named.map(|(name, value)| vec![Markup::of(name), Markup::of(&text(*value))]).collect()
        }
        None => {
            let named = results.populations.iter().zip(counts);
            named.map(|(name, count)| vec![Markup::of(name), Markup::of(&thousands(count))]).collect()
        }
    };
    let (caption, column) = match person {
        Some(_) => ("Probability of each population by the distance from it.".to_owned(), "Probability"),
        None => (
            format!("People by most similar population; of {} that is not sure.", thousands(unsure)),
            "People",
        ),
    };
    markup.append(&in_sheet(&caption, &[words("Population"), numbers(column)], &rows, rows.len()));
    Some(("ancestry", "Ancestry", markup))
}

fn limits(about: &About<'_>) -> Markup {
    let columns = [words("Score"), words("What limits its use here")];
    let scores = about.results.scores.iter().take(MOST_PLOTS);
    let rows: Vec<Vec<Markup>> = scores
        .map(|score| vec![Markup::of(&score.name), Markup::of(&about.limits(score).join(" "))])
        .collect();
    in_sheet(NOTICE, &columns, &rows, about.results.scores.len())
}

/// All items of the standard for each score, folded away.
fn items(about: &About<'_>) -> Markup {
    let mut markup = Markup::new();
    markup.leaf(
        "p",
        &[],
        "The 22 items of the Polygenic Risk Score Reporting Standards (PRS-RS; Wand et al., Nature 2021), with what is known.",
    );
    for score in about.results.scores.iter().take(MOST_PLOTS) {
        let told = standard::told(about, score);
        let count = told.iter().filter(|told| told.known != Known::Unknown).count();
        let columns = [numbers("Item"), words("Name"), words("Status"), words("What is known")];
        let rows: Vec<Vec<Markup>> = ITEMS
            .iter()
            .zip(&told)
            .map(|(item, told)| {
                let mut name = Markup::of(item.name);
                name.text(" ");
                name.leaf("small", &[], item.section);
                let status = told.known.name();
                vec![Markup::of(&item.number.to_string()), name, Markup::of(status), Markup::of(&told.text)]
            })
            .collect();
        markup.element("details", &[], |m| {
            m.element("summary", &[], |m| {
                m.text(&score.name);
                m.leaf("small", &[], &format!("{count} of {} items known or partly known", ITEMS.len()));
            });
            table(m, &score.name, &columns, &rows);
        });
        markup.newline();
    }
    markup
}

/// Figures side by side.
fn in_grid(figures: impl Iterator<Item = Markup>) -> Markup {
    let mut markup = Markup::new();
    markup.element("div", &[("class", "plots")], |m| figures.for_each(|figure| m.append(&figure)));
    markup
}

/// A table; what it leaves out of `all` rows is said.
fn in_sheet(caption: &str, columns: &[html::Column], rows: &[Vec<Markup>], all: usize) -> Markup {
    let mut markup = Markup::new();
    let left_out = all.saturating_sub(rows.len());
    let caption = match left_out {
        0 => caption.to_owned(),
        _ => format!("{caption} {} more are in the JSON and the tables.", thousands(left_out as u64)),
    };
    markup.element("div", &[("class", "sheet")], |m| table(m, &caption, columns, rows));
    markup
}
