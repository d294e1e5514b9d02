//! `norn batch simulate`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::inputs::RoomArguments;
use super::print;
use crate::batch::config::{Config, Size, Step};
use crate::batch::ledger::{Became, Finished};
use crate::batch::night::Night;
use crate::batch::plan::{Plan, Sizes};
use crate::batch::run::read_state;
use crate::batch::run_dir::RunDir;
use crate::batch::sheet::{self, Sample};
use crate::batch::simulate::{Rate, Simulation};
use crate::cli::qc::UsageError;

/// Predict how long a night would take on 1 to 256 nodes, by rates that were measured.
#[derive(Debug, Args)]
pub(super) struct SimulateArguments {
    /// Settings: steps, what they ask for, and how files are split
    #[arg(short, long, value_name = "batch.toml")]
    config: PathBuf,

    /// The sample sheet [default: --genomes of one size]
    #[arg(short, long, value_name = "samples.tsv")]
    samples: Option<PathBuf>,

    /// Number of genomes
    #[arg(long, value_name = "N", default_value_t = 96, conflicts_with = "samples", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    genomes: u32,

    /// Size of an alignment file
    #[arg(long, value_name = "SIZE", default_value = "80G", conflicts_with = "samples")]
    alignment_size: Size,

    /// Size of a file of calls
    #[arg(long, value_name = "SIZE", default_value = "300M", conflicts_with = "samples")]
    variants_size: Size,

    /// Take bytes a CPU second of each step from the ledger of a run
    #[arg(long, value_name = "RUN_DIR")]
    rates_from: Option<PathBuf>,

    /// Bytes a CPU second of a step, e.g. qc=60M; before those of --rates-from
    #[arg(long, value_name = "STEP=SIZE")]
    rate: Vec<String>,

    /// The share of a task's work that its threads do not share
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    serial: f64,

    /// Seconds that a task takes beside its work
    #[arg(long, value_name = "SECONDS", default_value_t = 0.01, value_parser = not_negative)]
    overhead: f64,

    /// Numbers of nodes
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16, 32, 64, 128, 256], value_parser = clap::value_parser!(u32).range(1..=100_000))]
    nodes: Vec<u32>,

    #[command(flatten)]
    room: RoomArguments,

    /// Failures of a node in 1,000 hours
    #[arg(long, value_name = "N", default_value_t = 0.0, value_parser = not_negative)]
    failures: f64,

    /// Seconds until the work of a failed node goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = not_negative)]
    repair: f64,

    /// Of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: i64,
}

impl SimulateArguments {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let config = Config::read(&self.config)?;
        let rates = self.rates(&config)?;
        let room = self.room.room(config.run.memory)?;
        // Nothing is written there, and nothing read.
        let nowhere = RunDir::new(Path::new("."));
        let plan = match &self.samples {
            Some(path) => Plan::new(&Night::new(&self.config, config, sheet::read(path)?.0)?, &nowhere)?,
            None => {
                let sizes = Sizes::Told { alignments: self.alignment_size.0, variants: self.variants_size.0 };
                let genome = |number: u32| Sample {
                    name: format!("G{number}"),
                    alignments: vec![PathBuf::from(format!("G{number}.bam"))],
                    variants: Some(PathBuf::from(format!("G{number}.vcf.gz"))),
                    ..Sample::default()
                };
                let samples = (0..self.genomes).map(genome).collect();
                Plan::sketch(&Night::new(&self.config, config, samples)?, &nowhere, sizes)
            }
        };
        let simulation = Simulation {
            overhead: self.overhead,
            failures_per_hour: self.failures / 1000.0,
            repair: self.repair,
            seed: self.seed,
            ..Simulation::of(&plan, rates, room)
        };
        print("nodes\tthreads\ttasks\tseconds\thours\tefficiency\tspeed-up\tlost\n");
        let mut first = None;
        for nodes in self.nodes.iter().map(|nodes| *nodes as usize) {
            let found = simulation.run(nodes);
            let one = *first.get_or_insert(found.seconds * nodes as f64);
            print(&format!(
                "{nodes}\t{}\t{}\t{:.2}\t{:.2}\t{:.3}\t{:.1}\t{}\n",
                nodes * room.threads,
                plan.tasks.len(),
                found.seconds,
                found.seconds / 3600.0,
                found.efficiency,
                one / found.seconds,
                found.lost
            ));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Bytes a second of each step of the settings.
    fn rates(&self, config: &Config) -> anyhow::Result<Vec<(Step, Rate)>> {
        let mut rates = Vec::new();
        if let Some(path) = &self.rates_from {
            let state = read_state(&RunDir::new(path))?;
            let finished: Vec<_> = state
                .tasks
                .iter()
                .filter_map(|(name, became)| match became {
                    Became::Done(finished) => Some((name, finished)),
                    _ => None,
                })
                .collect();
            let read = |finished: &Finished| {
                finished.inputs.iter().map(|input| input.fingerprint.size as f64).sum::<f64>()
            };
            // What reads another step's calls is as dear as the sample's first calls are large.
            let calls: HashMap<&str, f64> = finished
                .iter()
                .filter(|(name, of)| name.step != Step::Qc && !of.inputs.is_empty())
                .map(|(name, of)| (name.sample.as_str(), read(of)))
                .collect();
            // A part has read its share of the file, and what puts the parts together has read none of it.
            let in_parts: HashSet<(Step, &str)> = finished
                .iter()
                .filter(|(name, _)| !name.part.is_empty())
                .map(|(name, _)| (name.step, name.sample.as_str()))
                .collect();
            for step in &config.steps {
                let (mut bytes, mut seconds) = (0.0, 0.0);
                for (name, of) in finished.iter().filter(|(name, _)| name.step == *step) {
                    let size = if of.inputs.is_empty() {
                        calls.get(name.sample.as_str()).copied()
                    } else if let Some((_, parts)) = name.part.split_once('/') {
                        parts.parse::<f64>().ok().map(|parts| read(of) / parts)
                    } else if in_parts.contains(&(*step, name.sample.as_str())) {
                        None
                    } else {
                        Some(read(of))
                    };
                    bytes += size.unwrap_or(0.0);
                    seconds += of.effort.cpu_seconds.unwrap_or(of.effort.seconds);
                }
                if bytes > 0.0 && seconds > 0.0 {
                    rates.push((*step, bytes / seconds));
                }
            }
        }
        for text in &self.rate {
            let wrong = || UsageError::new(format!("--rate: {text:?} is no rate like qc=60M"));
            let (name, size) = text.split_once('=').ok_or_else(wrong)?;
            let step = Step::ALL.into_iter().find(|step| step.name() == name).ok_or_else(wrong)?;
            let size: Size = size.parse().map_err(|_| wrong())?;
            rates.retain(|(other, _)| *other != step);
            rates.push((step, size.0 as f64));
        }
        if let Some(step) =
            config.steps.iter().find(|step| !rates.iter().any(|(other, rate)| other == *step && *rate > 0.0))
        {
            let what = format!(
                "how fast is {}? Tell it with --rate {}=SIZE, or --rates-from",
                step.name(),
                step.name()
            );
            return Err(UsageError::new(what).into());
        }
        let serial = self.serial.clamp(0.0, 1.0);
        Ok(rates
            .into_iter()
            .map(|(step, bytes_per_second)| (step, Rate { bytes_per_second, serial }))
            .collect())
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "a number that is not negative is asked for".to_owned())
}
