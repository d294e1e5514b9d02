//! `norn qc`: options to [`Options`] and one [`Job`] a sample.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use thiserror::Error;

use crate::formats::bed::{self, BedError};
use crate::formats::header::Header;
use crate::qc::depth::regions::RegionSpec;
use crate::qc::hs::design::Design;
use crate::qc::job::{Job, sample_name};
use crate::qc::sites::list::{SiteList, SiteListError};
use crate::qc::thresholds::{Status, Thresholds};
use crate::qc::{Options, document, figures, set};

/// A command line that cannot be meant.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct UsageError(String);

/// Every alignment-QC figure from one pass over a BAM or CRAM.
#[derive(Debug, Args)]
pub struct QcArguments {
    /// BAM, CRAM or SAM files, each one sample; `-` is standard input
    #[arg(required_unless_present_any = ["schema", "list_figures"], value_name = "SAMPLE.bam|cram|sam|-")]
    inputs: Vec<PathBuf>,

    /// Reference FASTA (plain or bgzipped): needed for CRAM, GC bias, WGS metrics and mismatches
    #[arg(short, long, value_name = "FASTA")]
    reference: Option<PathBuf>,

    /// Directory of the results; made where it is missing
    #[arg(short, long, value_name = "DIR", default_value = "qc")]
    output: PathBuf,

    /// Figures to make, separated by commas [default: all that the inputs allow]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    collectors: Vec<String>,

    /// Mean depth of windows of N bases, or of the regions of a BED file
    #[arg(long, value_name = "N|BED")]
    by: Option<String>,

    /// Depth of every position
    #[arg(long)]
    per_base: bool,

    /// Borders of depth classes, as mosdepth takes them, e.g. 0:1:5:150:
    #[arg(long, value_name = "BORDERS")]
    quantize: Option<String>,

    /// Depths for which to count the positions of each region of --by
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "by")]
    depth_thresholds: Vec<u32>,

    /// Depth from a read's start to its end, whatever its CIGAR and its mate (mosdepth -x)
    #[arg(long)]
    fast_mode: bool,

    /// Least mapping quality of reads that count in depth [default: each figure's own: Picard's 20, else 0]
    #[arg(long, value_name = "N")]
    min_mapq: Option<u8>,

    /// Least base quality of bases that count in depth [default: each figure's own: Picard's 20, else 0]
    #[arg(long, value_name = "N")]
    min_baseq: Option<u8>,

    /// Targets of a capture (BED or interval_list): Picard's HsMetrics and the coverage of each target
    #[arg(long, value_name = "BED")]
    targets: Option<PathBuf>,

    /// Baits of the capture [default: the targets]
    #[arg(long, value_name = "BED", requires = "targets")]
    baits: Option<PathBuf>,

    /// Known biallelic SNVs with population frequencies: contamination and a fingerprint are made at them
    #[arg(long, value_name = "VCF")]
    sites: Option<PathBuf>,

    /// INFO field of --sites with the frequency of the alternate base
    #[arg(long, value_name = "TAG", default_value = "AF", requires = "sites")]
    sites_af: String,

    /// Bounds of figures: PASS, WARN or FAIL for each, and exit code 4 on FAIL
    #[arg(long, value_name = "TOML")]
    thresholds: Option<PathBuf>,

    /// Print the JSON schema of SAMPLE.qc.json
    #[arg(long)]
    schema: bool,

    /// Print all figures with key, unit, source and meaning, separated by tabs
    #[arg(long)]
    list_figures: bool,

    /// Worker threads [default: SLURM_CPUS_PER_TASK, else the cores that may be used]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// No progress on stderr
    #[arg(short, long)]
    quiet: bool,
}

impl QcArguments {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if self.schema || self.list_figures {
            let text = if self.schema { document::schema() } else { list_of_figures() };
            // A reader that has seen enough is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        self.check()?;
        let thresholds = self.thresholds.as_deref().map(Thresholds::read).transpose()?.map(Arc::new);
        let mut failed = false;
        let mut samples = Vec::new();
        for input in &self.inputs {
            let job = Job {
                input: input.clone(),
                reference: self.reference.clone(),
                directory: self.output.clone(),
                threads: self.threads.map_or_else(default_threads, usize::from),
                quiet: self.quiet,
            };
            let file = job.open()?;
            let sample = sample_name(file.header(), input);
            if samples.contains(&sample) {
                return Err(
                    UsageError(format!("{}: the sample {sample} was given twice", input.display())).into()
                );
            }
            samples.push(sample);
            let options = Options { thresholds: thresholds.clone(), ..self.options(file.header())? };
            let done = job.run(&file, options)?;
            for warning in done.warnings {
                eprintln!("norn: {warning}");
            }
            if done.verdict == Some(Status::Fail) {
                failed = true;
                let report = done.files.get("qc.json").map_or(&self.output, |path| path);
                eprintln!("norn: {}: below the thresholds: see {}", input.display(), report.display());
            }
        }
        Ok(if failed { ExitCode::from(super::exit::BELOW_THRESHOLDS) } else { ExitCode::SUCCESS })
    }

    fn check(&self) -> Result<(), UsageError> {
        let is_known = |name: &str| name == "quality" || set::NAMES.contains(&name);
        match self.collectors.iter().find(|name| !is_known(name)) {
            Some(name) => Err(UsageError(format!(
                "--collectors: no collector {name:?}; there are {}",
                set::NAMES.join(", ")
            ))),
            None => Ok(()),
        }
    }

    fn options(&self, header: &Header) -> anyhow::Result<Options> {
        let mut depth_thresholds = self.depth_thresholds.clone();
        depth_thresholds.sort_unstable();
        Ok(Options {
            collectors: self.collectors.clone(),
            min_mapq: self.min_mapq,
            min_baseq: self.min_baseq,
            regions: self.by.as_deref().map(|by| regions(by, header)).transpose()?.map(Arc::new),
            per_base: self.per_base,
            quantize: self.quantize.as_deref().map(borders).transpose()?.unwrap_or_default(),
            depth_thresholds,
            fast_mode: self.fast_mode,
            sites: self.site_list(header)?.map(Arc::new),
            design: self.design(header)?.map(Arc::new),
            thresholds: None,
        })
    }
}

impl QcArguments {
    fn design(&self, header: &Header) -> Result<Option<Design>, BedError> {
        let read = |targets: &PathBuf| Design::read(targets, self.baits.as_deref(), &header.to_contigs());
        self.targets.as_ref().map(read).transpose()
    }

    fn site_list(&self, header: &Header) -> Result<Option<SiteList>, SiteListError> {
        let Some(path) = &self.sites else { return Ok(None) };
        let list = SiteList::read(path, &self.sites_af, &header.to_contigs())?;
        if let Some(warning) = list.warning() {
            eprintln!("norn: {}: {warning}", path.display());
        }
        Ok(Some(list))
    }
}

/// A line for each figure.
fn list_of_figures() -> String {
    let mut text = String::from("key\tunit\tsource\tmeaning\n");
    for figure in figures::catalogue() {
        text += &format!("{}\t{}\t{}\t{}\n", figure.key, figure.unit, figure.source, figure.meaning);
    }
    text
}

/// Slurm's share of the node, else the cores that this process may run on.
fn default_threads() -> usize {
    let slurm = std::env::var("SLURM_CPUS_PER_TASK").ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    slurm.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A number is a window's length, anything else a BED file.
fn regions(by: &str, header: &Header) -> anyhow::Result<RegionSpec> {
    let lengths: Vec<u32> = header.contigs.iter().map(|contig| contig.length).collect();
    if by.bytes().all(|b| b.is_ascii_digit()) {
        let window = by.parse().ok().filter(|n| *n > 0);
        let window = window.ok_or_else(|| UsageError(format!("--by: a window of {by} bases")))?;
        return Ok(RegionSpec { window: Some(window), lengths, listed: Vec::new() });
    }
    let mut listed = vec![Vec::new(); lengths.len()];
    for (contig, record) in bed::read_records(Path::new(by), &header.to_contigs())? {
        // Within the contig, as the reader has checked, so within 31 bits.
        listed[contig].push((record.start as u32, record.end as u32, record.name));
    }
    listed.iter_mut().for_each(|regions| regions.sort_by_key(|region| region.0));
    Ok(RegionSpec { window: None, lengths, listed })
}

/// mosdepth's `--quantize`: borders between colons, the first 0 and the last infinite where left out.
fn borders(text: &str) -> Result<Vec<u32>, UsageError> {
    let wrong = || UsageError(format!("--quantize: {text:?} is no list of depths like 0:1:5:150:"));
    let text = if text.contains(':') { text.to_owned() } else { format!(":{text}:") };
    let mut borders = Vec::new();
    let last = text.split(':').count() - 1;
    for (i, border) in text.split(':').enumerate() {
        borders.push(match border {
            "" if i == 0 => 0,
            "" if i == last => u32::MAX,
            border => border.parse().map_err(|_| wrong())?,
        });
    }
    borders.sort_unstable();
    Ok(borders)
}
