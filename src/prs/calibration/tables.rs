//! Calibrated scores as pgscatalog-utils writes them: `_pgs.txt`, `_popsimilarity.txt`, and what was learned, as JSON.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::adjustment::{Calibrated, Comparison, Model, Similarity};
use super::panel::{Components, Name, Panel};
use super::regression::Line;

/// A sample set: its name, its people's components and whom they are like.
#[derive(Clone, Copy)]
pub struct SampleSet<'s> {
    /// The name.
    pub name: &'s str,
    /// The people.
    pub components: &'s Components,
    /// Whom they are like.
    pub similarity: &'s Similarity,
    /// The panel itself, if this is it.
    pub is_reference: bool,
}

/// Writes the line of names of `_pgs.txt`.
///
/// # Errors
/// The writer fails, as for all that follows.
pub fn write_scores_header(output: &mut dyn Write) -> io::Result<()> {
    output.write_all(
        b"sampleset\tFID\tIID\tPGS\tSUM\tZ_MostSimilarPop\tZ_norm1\tZ_norm2\tpercentile_MostSimilarPop\n",
    )
}

/// Writes the lines of a set's people for one score.
///
/// # Errors
/// As above.
pub fn write_scores(
    output: &mut dyn Write,
    set: &str,
    people: &[Name],
    score: &str,
    sums: &[f64],
    calibrated: &[Calibrated],
) -> io::Result<()> {
    for (((family, person), sum), values) in people.iter().zip(sums).zip(calibrated) {
        write!(output, "{set}\t{family}\t{person}\t{score}\t{sum}")?;
        for value in [values.z_most_similar, values.z_norm1, values.z_norm2, values.percentile] {
            match value.filter(|value| value.is_finite()) {
                Some(value) => write!(output, "\t{value}")?,
                None => write!(output, "\t")?,
            }
        }
        writeln!(output)?;
    }
    Ok(())
}

/// Writes `_popsimilarity.txt`: components, probabilities and the most similar population of all sets' people.
///
/// # Errors
/// As above.
pub fn write_similarity(output: &mut dyn Write, panel: &Panel, sets: &[SampleSet<'_>]) -> io::Result<()> {
    let width = panel.components.values.first().map_or(0, Vec::len);
    write!(output, "sampleset\tFID\tIID")?;
    (1..=width).try_for_each(|number| write!(output, "\tPC{number}"))?;
    write!(output, "\tUnrelated")?;
    let mut order: Vec<usize> = (0..panel.populations.len()).collect();
    let is_forest = sets.iter().any(|set| set.similarity.comparison == Comparison::RandomForest);
    let kind = if is_forest { "RF" } else { "Mahalanobis" };
    if is_forest {
        // scikit-learn has classes by name.
        order.sort_by_key(|number| &panel.populations[*number]);
    }
    order.iter().try_for_each(|number| write!(output, "\t{kind}_P_{}", panel.populations[*number]))?;
    writeln!(output, "\tMostSimilarPop\tMostSimilarPop_LowConfidence\tREFERENCE\tSuperPop")?;
    for set in sets {
        let people = set.components.names.iter().zip(&set.components.values).enumerate();
        for (number, ((family, person), values)) in people {
            write!(output, "{}\t{family}\t{person}", set.name)?;
            values.iter().try_for_each(|value| write!(output, "\t{value}"))?;
            write!(output, "\t{}", if set.is_reference { truth(panel.teaches[number]) } else { "" })?;
            let similarity = set.similarity;
            let probabilities = order.iter().map(|place| similarity.probabilities[number][*place]);
            match similarity.comparison {
                Comparison::Mahalanobis => {
                    probabilities.into_iter().try_for_each(|p| write!(output, "\t{p:e}"))?
                }
                Comparison::RandomForest => {
                    probabilities.into_iter().try_for_each(|p| write!(output, "\t{p}"))?
                }
            }
            let name = &panel.populations[similarity.most_similar[number]];
            let own = if set.is_reference { &panel.populations[panel.population[number]] } else { "" };
            let (unsure, is_reference) = (truth(similarity.is_unsure[number]), truth(set.is_reference));
            writeln!(output, "\t{name}\t{unsure}\t{is_reference}\t{own}")?;
        }
    }
    Ok(())
}

fn truth(is_so: bool) -> &'static str {
    if is_so { "True" } else { "False" }
}

/// What was learned of scores.
pub fn info(panel: &Panel, models: &[(String, Model)]) -> Value {
    let (mut empirical, mut regressions) = (Map::new(), Map::new());
    for (score, model) in models {
        let populations = panel.populations.iter().zip(&model.populations).filter_map(|(name, of)| {
            let (mean, deviation, percentiles) = of.as_ref()?;
            Some((name.clone(), json!({ "percentiles": percentiles, "mean": mean, "std": deviation })))
        });
        empirical.insert(score.clone(), Value::Object(populations.collect()));
        let line = |line: &Line| json!({ "intercept": line.intercept, "coef": line.slopes });
        regressions.insert(
            score.clone(),
            json!({
                "pgs_offset": model.offset,
                "Z_norm1": model.mean.as_ref().map(line),
                "Z_norm2": model.both.as_ref().map(|both| {
                    json!({ "mean": line(&both.mean), "log_variance": line(&both.log_variance) })
                }),
            }),
        );
    }
    let components: Map<String, Value> = models
        .iter()
        .take(1)
        .flat_map(|(_, model)| model.components.iter().enumerate())
        .map(|(number, (mean, deviation))| {
            (format!("PC{}", number + 1), json!({ "mean": mean, "pc_std": deviation }))
        })
        .collect();
    json!({ "pgs": { "dist_empirical": empirical, "adjust_pcs": { "norm_pcs": components, "PGS": regressions } } })
}
