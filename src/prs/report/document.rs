//! A report for programs: JSON with all that is known, and two tables: items of PRS-RS by score, values by person.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::NOTICE;
use super::about::{About, PersonRisk, formula, sex_name};
use super::results::{Group, ScoreResults, Values, id_of};
use super::standard::{self, ITEMS};

/// Everything, as JSON.
pub fn to_json(about: &About<'_>) -> Json {
    let results = about.results;
    let (counts, unsure) = about.similar_people();
    json!({
        "dataset": results.dataset,
        "notice": NOTICE,
        "people": results.people.len(),
        "comparison": results.comparison,
        "most_similar": results.populations.iter().zip(counts).map(|(name, count)| (name.clone(), Json::from(count)))
            .collect::<serde_json::Map<_, _>>(),
        "low_confidence": unsure,
        "parameters": results.parameters,
        "scores": results.scores.iter().map(|score| score_json(about, score)).collect::<Vec<_>>(),
        "persons": results.chosen.iter().enumerate().map(|(number, _)| person_json(about, number)).collect::<Vec<_>>(),
    })
}

fn score_json(about: &About<'_>, score: &ScoreResults) -> Json {
    let header = about.header(score);
    let text =
        |get: fn(&crate::prs::score_header::Header) -> Option<&str>| header.and_then(get).map(str::to_owned);
    let populations = about.results.populations.iter().zip(&score.populations);
    let items = ITEMS.iter().zip(standard::told(about, score)).map(|(item, told)| {
        json!({
            "item": item.number, "section": item.section, "name": item.name,
            "status": told.known.name(), "text": told.text,
        })
    });
    json!({
        "name": score.name,
        "id": id_of(&score.name),
        "score_name": text(|header| header.name()),
        "citation": text(|header| header.citation()),
        "trait_reported": text(|header| header.reported_trait()),
        "trait_mapped": header.map(|header| header.mapped_traits()),
        "trait_efo": header.map(|header| header.trait_ids()),
        "weight_type": text(|header| header.weight_type()),
        "genome_build": text(|header| header.get("genome_build")),
        "harmonised_build": text(|header| header.get("HmPOS_build")),
        "license": text(|header| header.license()),
        "variants_number": header.and_then(|header| header.variants_number()),
        "matched": score.matched.map(|matched| json!({
            "rows": matched.rows, "matched": matched.matched, "share": matched.share(), "flipped": matched.flipped,
            "excluded": matched.excluded, "ambiguous": matched.ambiguous, "unmatched": matched.unmatched,
            "passes": matched.passes,
        })),
        "people": group_json(&score.people),
        "panel": populations.map(|(name, group)| (name.clone(), group_json(group))).collect::<serde_json::Map<_, _>>(),
        "limits": about.limits(score),
        "prs_rs": items.collect::<Vec<_>>(),
    })
}

fn group_json(group: &Group) -> Json {
    let (moments, histogram) = (&group.moments, &group.histogram);
    if moments.count == 0 {
        return Json::Null;
    }
    json!({
        "count": moments.count, "mean": moments.mean, "deviation": moments.deviation(),
        "least": moments.least, "greatest": moments.greatest,
        "histogram": { "from": histogram.from, "width": histogram.width, "counts": histogram.counts },
    })
}

fn person_json(about: &About<'_>, number: usize) -> Json {
    let results = about.results;
    let Some((chosen, person)) =
        results.chosen.get(number).and_then(|chosen| Some((chosen, results.people.get(chosen.person)?)))
    else {
        return Json::Null;
    };
    let place = person.place.as_ref();
    let scores = results.scores.iter().filter_map(|score| Some((score, score.values.get(number)?.as_ref()?)));
    let scores = scores.map(|(score, values)| {
        let risks = about.risks_of(score, chosen, values);
        json!({
            "name": score.name,
            "sum": values.sum,
            "denominator": values.denominator,
            "average": average(values),
            "percentile_MostSimilarPop": values.percentile,
            "Z_MostSimilarPop": values.z_most_similar,
            "Z_norm1": values.z_norm1,
            "Z_norm2": values.z_norm2,
            "risks": risks.iter().map(risk_json).collect::<Vec<_>>(),
        })
    });
    json!({
        "person": person.individual,
        "sex": chosen.sex.map(sex_name),
        "age": chosen.age,
        "most_similar": place.and_then(|place| results.populations.get(place.most_similar)),
        "low_confidence": place.map(|place| place.is_unsure),
        "probabilities": place.map(|place| {
            let named = results.populations.iter().zip(&place.probabilities);
            named.map(|(name, probability)| (name.clone(), Json::from(*probability))).collect::<serde_json::Map<_, _>>()
        }),
        "scores": scores.collect::<Vec<_>>(),
    })
}

fn risk_json(told: &PersonRisk<'_>) -> Json {
    let ages = told.ages.iter().map(|at| {
        json!({
            "age": at.age, "risk": at.risk, "low": at.interval.map(|(low, _)| low), "high": at.interval.map(|(_, high)| high),
            "average": at.average,
        })
    });
    let risk = told.risk;
    json!({
        "outcome": risk.outcome,
        "sex": sex_name(told.sex),
        "from": told.from,
        "to": risk.to_age,
        "deviation": told.deviation.0,
        "z": told.deviation.1,
        "effect": risk.effect.name(),
        "per_sd": risk.per_sd,
        "interval": risk.interval.map(|(low, high)| [low, high]),
        "source": risk.source,
        "incidence_source": risk.incidence.source,
        "mortality_source": risk.mortality.as_ref().map(|mortality| &mortality.source),
        "formula": formula(risk),
        "ages": ages.collect::<Vec<_>>(),
    })
}

/// The sum by allele.
pub fn average(values: &Values) -> Option<f64> {
    values.denominator.filter(|denominator| *denominator > 0.0).map(|denominator| values.sum / denominator)
}

/// Writes a line for each item of each score.
///
/// # Errors
/// Writing fails, as for all that follows.
pub fn write_items(output: &mut dyn Write, about: &About<'_>) -> io::Result<()> {
    writeln!(output, "dataset\tPGS\titem\tsection\tname\tstatus\ttext")?;
    for score in &about.results.scores {
        for (item, told) in ITEMS.iter().zip(standard::told(about, score)) {
            let (number, section, name) = (item.number, item.section, item.name);
            let (dataset, status) = (&about.results.dataset, told.known.name());
            let text = cell(&told.text);
            writeln!(output, "{dataset}\t{}\t{number}\t{section}\t{name}\t{status}\t{text}", score.name)?;
        }
    }
    Ok(())
}

/// Writes a line for each score of each person who is reported, and each risk by it.
///
/// # Errors
/// As above.
pub fn write_persons(output: &mut dyn Write, about: &About<'_>) -> io::Result<()> {
    writeln!(
        output,
        "IID\tPGS\tSUM\tDENOM\tMostSimilarPop\tLowConfidence\tpercentile_MostSimilarPop\tZ_MostSimilarPop\tZ_norm1\tZ_norm2\t\
         outcome\tsex\tfrom_age\tto_age\trisk\trisk_low\trisk_high\trisk_average"
    )?;
    let results = about.results;
    for (number, chosen) in results.chosen.iter().enumerate() {
        let Some(person) = results.people.get(chosen.person) else { continue };
        for score in &results.scores {
            let Some(Some(values)) = score.values.get(number) else { continue };
            let optional = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
            let place = person.place.as_ref();
            let similar = place.and_then(|place| results.populations.get(place.most_similar));
            let mut cells = vec![
                cell(&person.individual),
                cell(&score.name),
                values.sum.to_string(),
                optional(values.denominator),
                similar.cloned().unwrap_or_default(),
                place.map_or_else(String::new, |place| place.is_unsure.to_string()),
            ];
            cells.extend(
                [values.percentile, values.z_most_similar, values.z_norm1, values.z_norm2].map(optional),
            );
            let risks = about.risks_of(score, chosen, values);
            let lines = risks.iter().filter_map(|told| {
                let last = told.ages.last()?;
                let interval = last.interval.unzip();
                let numbers = [
                    Some(told.from),
                    Some(last.age),
                    Some(last.risk),
                    interval.0,
                    interval.1,
                    Some(last.average),
                ];
                let words = [cell(&told.risk.outcome), sex_name(told.sex).to_owned()];
                Some(words.into_iter().chain(numbers.map(optional)).collect::<Vec<_>>())
            });
            let mut lines: Vec<Vec<String>> = lines.collect();
            if lines.is_empty() {
                lines.push(vec![String::new(); 8]);
            }
            for line in lines {
                writeln!(output, "{}\t{}", cells.join("\t"), line.join("\t"))?;
            }
        }
    }
    Ok(())
}

/// A text in a cell: what would end it becomes a blank.
fn cell(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}
