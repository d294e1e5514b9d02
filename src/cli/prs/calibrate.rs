//! `norn prs calibrate`: scores against a reference panel.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::catalog;
use crate::prs::calibration::adjustment::{Comparer, Comparison, Model};
use crate::prs::calibration::panel::{Components, Panel, Scores};
use crate::prs::calibration::tables::{self, SampleSet};

/// Find whom of a reference panel people are most like, and where their scores stand (pgscatalog-ancestry-adjust).
#[derive(Debug, Args)]
pub(super) struct CalibrateArguments {
    /// Name of the people in --agg-scores
    #[arg(short, long, value_name = "NAME")]
    dataset: String,

    /// Name of the panel in --agg-scores
    #[arg(short, long, value_name = "NAME", default_value = "reference")]
    reference: String,

    /// Principal components of the panel: FID, IID, PC1, PC2, ...
    #[arg(long, alias = "ref_pcs", required = true, num_args = 1.., value_name = "FILE")]
    ref_pcs: Vec<PathBuf>,

    /// Principal components of the people, projected on the panel's
    #[arg(long, alias = "target_pcs", required = true, num_args = 1.., value_name = "FILE")]
    target_pcs: Vec<PathBuf>,

    /// The panel's populations (.psam)
    #[arg(long, value_name = "FILE")]
    psam: PathBuf,

    /// Members of the panel that are related to others: one a line
    #[arg(short = 'x', long, alias = "reference_related", value_name = "FILE")]
    reference_related: Option<PathBuf>,

    /// The column of populations
    #[arg(short, long, alias = "pop_label", value_name = "NAME", default_value = "SuperPop")]
    pop_label: String,

    /// Scores of panel and people (aggregated_scores.txt.gz)
    #[arg(short = 's', long, alias = "agg_scores", required = true, num_args = 1.., value_name = "FILE")]
    agg_scores: Vec<PathBuf>,

    /// How people are compared with populations
    #[arg(short = 'a', long, alias = "ancestry_method", value_name = "METHOD", value_enum, default_value_t)]
    method: MethodName,

    /// Components that people are compared by
    #[arg(long, alias = "n_popcomp", value_name = "1-20", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=20))]
    n_popcomp: u8,

    /// Components that scores are adjusted by
    #[arg(long, alias = "n_normalization", value_name = "1-20", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=20))]
    n_normalization: u8,

    /// Below this probability the most similar population is not sure [default: 1e-10 by Mahalanobis, 0.5 by RandomForest]
    #[arg(short = 't', long, alias = "pval_threshold", value_name = "P")]
    pval_threshold: Option<f64>,

    /// Directory for NAME_pgs.txt.gz, NAME_popsimilarity.txt.gz and NAME_info.json.gz
    #[arg(short, long, alias = "outdir", value_name = "DIR")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum MethodName {
    /// Mahalanobis distance from each population
    #[default]
    Mahalanobis,
    /// Votes of 100 trees
    RandomForest,
}

/// Components that tables tell, beside those that are asked for.
const MOST: usize = 10;

/// Fewer people tell nothing of how scores are spread.
const FEWEST_TEACHERS: usize = 50;

impl CalibrateArguments {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (compared, adjusted) = (usize::from(self.n_popcomp), usize::from(self.n_normalization));
        let count = compared.max(adjusted);
        let components = Components::read(&self.ref_pcs, count, MOST)?;
        // Tables tell as many components as both have.
        let width = components.values.first().map_or(count, Vec::len);
        let people = Components::read(&self.target_pcs, count, width)?;
        let panel = Panel::read(components, &self.psam, &self.pop_label, self.reference_related.as_deref())?;
        let teachers = panel.teachers(None).count();
        if teachers < FEWEST_TEACHERS {
            anyhow::bail!(
                "the panel has {teachers} unrelated members with components: at least {FEWEST_TEACHERS} are asked for, and some of \
                 each population"
            );
        }
        let scores = Scores::read(&self.agg_scores)?;
        let comparison = match self.method {
            MethodName::Mahalanobis => Comparison::Mahalanobis,
            MethodName::RandomForest => Comparison::RandomForest,
        };
        let unlikely = self.pval_threshold.unwrap_or_else(|| comparison.usual_threshold());
        let comparer = Comparer::learn(comparison, &panel, compared, unlikely)?;
        let (of_panel, of_people) = (comparer.compare(&panel.components), comparer.compare(&people));
        let sets = [
            SampleSet {
                name: &self.dataset,
                components: &people,
                similarity: &of_people,
                is_reference: false,
            },
            SampleSet {
                name: &self.reference,
                components: &panel.components,
                similarity: &of_panel,
                is_reference: true,
            },
        ];
        let names = scores.names(&self.dataset);
        if names.is_empty() {
            anyhow::bail!("there are no scores of {} in --agg-scores", self.dataset);
        }
        let missing =
            |set: &str, score: &str, person: &str| anyhow::anyhow!("{set}: {person} has no score {score}");
        let mut calibrated = Vec::new();
        for score in &names {
            let mut sums = Vec::new();
            for set in &sets {
                let found = scores.of(set.name, score, &set.components.names);
                sums.push(found.map_err(|(_, person)| missing(set.name, score, person))?);
            }
            for (set, sums) in sets.iter().zip(&sums) {
                let without = scores.people(set.name, score).saturating_sub(sums.len());
                if without > 0 && *score == names[0] {
                    eprintln!(
                        "norn: {}: {without} people with scores have no components, and are left out",
                        set.name
                    );
                }
            }
            let model = Model::learn(&panel, &sums[1], adjusted);
            // The panel's members are calibrated by their own population.
            let likes = [&of_people.most_similar, &panel.population];
            let values: Vec<_> = sets
                .iter()
                .zip(&sums)
                .zip(likes)
                .map(|((set, of_set), likes)| {
                    model.calibrate(&panel, &sums[1], set.components, of_set, likes)
                })
                .collect();
            calibrated.push((score.clone(), model, sums, values));
        }
        std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
        let path = |name: &str| self.output.join(format!("{}_{name}", self.dataset));
        catalog::compressed(&path("pgs.txt.gz"), |output| {
            tables::write_scores_header(output)?;
            for (score, _, sums, values) in &calibrated {
                for ((set, sums), values) in sets.iter().zip(sums).zip(values) {
                    tables::write_scores(output, set.name, &set.components.names, score, sums, values)?;
                }
            }
            Ok(())
        })?;
        catalog::compressed(&path("popsimilarity.txt.gz"), |output| {
            tables::write_similarity(output, &panel, &sets)
        })?;
        let models: Vec<_> = calibrated.into_iter().map(|(score, model, ..)| (score, model)).collect();
        let info = format!("{:#}\n", tables::info(&panel, &models));
        catalog::compressed(&path("info.json.gz"), |output| output.write_all(info.as_bytes()))?;
        Ok(ExitCode::SUCCESS)
    }
}
