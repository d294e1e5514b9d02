//! Settings, samples and room, as the commands of `norn batch` take them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::batch::config::{Config, Size};
use crate::batch::night::Night;
use crate::batch::plan::{self, Plan, Sizes};
use crate::batch::problems::Problems;
use crate::batch::read_groups::{Misnamed, misnamed};
use crate::batch::run_dir::RunDir;
use crate::batch::scan::Scan;
use crate::batch::schedule::Room;
use crate::batch::sheet;
use crate::cli::qc::{UsageError, default_threads};

/// Settings and samples.
#[derive(Debug, Args)]
pub(super) struct NightArguments {
    /// Settings (norn batch init prints them all)
    #[arg(short, long, value_name = "batch.toml")]
    config: PathBuf,

    /// The sample sheet: TSV or CSV with the columns of nf-core/sarek
    #[arg(short, long, value_name = "samples.tsv", required_unless_present = "scan")]
    samples: Option<PathBuf>,

    /// Take the BAM, CRAM, VCF and BCF files of a directory, and below, as samples named by their files
    #[arg(long, value_name = "DIR", conflicts_with = "samples")]
    scan: Option<PathBuf>,

    /// Names that --scan looks for, with * and ?
    #[arg(long, value_name = "PATTERN", requires = "scan")]
    pattern: Vec<String>,

    /// Files that were changed in the last so many seconds are still being copied: --scan leaves them for the next time
    #[arg(long, value_name = "SECONDS", default_value_t = 300, requires = "scan")]
    settled: u64,

    /// Know inputs by the BLAKE3 of all their bytes, as with checksum = true; the run directory remembers it
    #[arg(long)]
    checksum: bool,
}

/// What a node has.
#[derive(Debug, Args)]
pub(super) struct RoomArguments {
    /// Threads of a node for all tasks that run at once [default: SLURM_CPUS_PER_TASK, else the cores that may be used]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Memory of a node for all tasks that run at once, e.g. 64G [default: that of batch.toml, else what Slurm gives, else what
    /// is free]
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
}

impl NightArguments {
    /// Reads all of it.
    pub(super) fn night(&self) -> anyhow::Result<Night> {
        let mut problems = Problems::new();
        let config = Config::read(&self.config).map_err(|others| problems.extend(others));
        let config = config.map(|mut config| {
            config.run.checksum |= self.checksum;
            config
        });
        let samples = match (&self.samples, &self.scan) {
            (Some(path), _) => sheet::read(path).map(|(samples, others)| {
                if !others.is_empty() {
                    eprintln!("norn: {}: columns that are not used: {}", path.display(), others.join(", "));
                }
                samples
            }),
            (None, Some(directory)) => {
                let scan = Scan {
                    directory: directory.clone(),
                    patterns: self.pattern.clone(),
                    settled: Duration::from_secs(self.settled),
                };
                scan.run().map(|(samples, unsettled)| {
                    if unsettled > 0 {
                        eprintln!("norn: {}: {unsettled} files are still being written", directory.display());
                    }
                    samples
                })
            }
            (None, None) => Err(Problems::new()),
        };
        let samples = samples.map_err(|others| problems.extend(others));
        match (config, samples) {
            (Ok(config), Ok(samples)) => {
                let night = Night::new(&self.config, config, samples)?;
                self.check_options(&night)?;
                tell_misnamed(&night);
                Ok(night)
            }
            _ => Err(problems.into()),
        }
    }
}

impl NightArguments {
    /// Options that no command understands are told before anything starts, too.
    fn check_options(&self, night: &Night) -> Result<(), Problems> {
        let mut problems = Problems::new();
        let plan = Plan::sketch(night, &RunDir::new(Path::new(".")), Sizes::Files);
        for step in &night.config.steps {
            let Some(task) = plan.tasks.iter().find(|task| task.name.step == *step) else { continue };
            let filled = |word: &String| plan::filled(word, ".", "1", "-");
            let words: Vec<String> = task.words.iter().map(filled).collect();
            if let Err(what) = crate::cli::understood(words.iter().map(String::as_str)) {
                problems.setting(&self.config, &format!("{}.options", step.name()), what);
            }
        }
        problems.or(())
    }
}

/// A file of another sample may be a mistake of the sheet, and one that nothing else shows.
fn tell_misnamed(night: &Night) {
    const MOST: usize = 10;
    let misnamed = misnamed(&night.samples, &night.config.reference);
    for Misnamed { sample, file, named } in misnamed.iter().take(MOST) {
        eprintln!("norn: {sample}: {} is of {} by its read groups (SM)", file.display(), named.join(", "));
    }
    if misnamed.len() > MOST {
        eprintln!(
            "norn: and so are {} more files of other samples by their read groups",
            misnamed.len() - MOST
        );
    }
}

impl RoomArguments {
    /// What this node has, for one of `ranks_here` ranks on it.
    pub(super) fn room(&self, configured: Option<Size>) -> anyhow::Result<Room> {
        let threads = self.threads.map_or_else(default_threads, usize::from);
        let memory = self
            .memory
            .or(configured)
            .map(|size| size.0)
            .or_else(|| slurm_memory(threads))
            .or_else(free_memory);
        match memory {
            Some(0) => Err(UsageError::new("--memory: there is none".to_owned()).into()),
            Some(memory) => Ok(Room { threads, memory }),
            None => {
                Err(UsageError::new("--memory: the system does not tell how much is free".to_owned()).into())
            }
        }
    }
}

/// Slurm's share of the node for this rank, in MB there.
fn slurm_memory(threads: usize) -> Option<u64> {
    let number = |name: &str| std::env::var(name).ok()?.trim().parse::<u64>().ok().filter(|n| *n > 0);
    let ranks = number("OMPI_COMM_WORLD_LOCAL_SIZE").or_else(|| number("SLURM_NTASKS_PER_NODE")).unwrap_or(1);
    let of_node = number("SLURM_MEM_PER_NODE").map(|memory| memory / ranks);
    let megabytes = of_node.or_else(|| Some(number("SLURM_MEM_PER_CPU")? * threads as u64))?;
    Some(megabytes << 20)
}

/// Nine tenths of what is free on this machine, for one of the ranks on it.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    let ranks =
        std::env::var("OMPI_COMM_WORLD_LOCAL_SIZE").ok().and_then(|n| n.parse::<u64>().ok()).unwrap_or(1);
    Some((kibibytes << 10) / 10 * 9 / ranks.max(1))
}
