//! `norn qc`: options to [`Options`] and one [`Job`] a sample.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::compute::communicator::Communicator;
use crate::formats::alignment::AlignmentFile;
use crate::formats::bed::{self, BedError};
use crate::formats::header::Header;
use crate::formats::merged::MergedFiles;
use crate::qc::depth::regions::RegionSpec;
use crate::qc::hs::design::Design;
use crate::qc::job::{Done, Job, KeepState, sample_name};
use crate::qc::levels::Level;
use crate::qc::sites::list::{SiteList, SiteListError};
use crate::qc::state::States;
use crate::qc::thresholds::{Status, Thresholds};
use crate::qc::{Options, document, figures, set};
use crate::report::run_file::{Run, RunFile};

/// A command line that cannot be meant.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    /// With this message.
    pub(super) fn new(message: String) -> Self {
        Self(message)
    }
}

/// Every alignment-QC figure from one pass over a BAM or CRAM.
#[derive(Debug, Args)]
pub struct QcArguments {
    /// BAM, CRAM or SAM files, each one sample; `-` is standard input
    #[arg(required_unless_present_any = ["schema", "list_figures", "from_states"], value_name = "SAMPLE.bam|cram|sam|-")]
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

    /// Rows of their own in Picard's tables: all, sample, library, read-group, separated by commas [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    levels: Vec<String>,

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

    /// Take files of one sample (lanes, nights) together, as if they were one
    #[arg(long)]
    merge: bool,

    /// Keep what was counted in a file while the pass goes on; a run that was killed goes on from there
    #[arg(long, value_name = "FILE.qcstate", conflicts_with_all = ["per_base", "quantize"])]
    state: Option<PathBuf>,

    /// Seconds after which --state is written anew
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "state")]
    state_interval: u64,

    /// Walk only the I-th of N parts of an indexed file, and keep its state, e.g. 3/8 (for --from-states)
    #[arg(long, value_name = "I/N", requires = "state")]
    part: Option<String>,

    /// Make the results of kept states instead of reading alignments: parts of a file, or lanes and nights of a sample
    #[arg(long, value_name = "FILE.qcstate", num_args = 1.., conflicts_with_all = ["inputs", "state", "merge", "by",
        "collectors", "levels", "per_base", "quantize", "fast_mode", "min_mapq", "min_baseq", "sites", "targets"])]
    from_states: Vec<PathBuf>,

    /// Take the BLAKE3 of all inputs into SAMPLE.run.json, which reads them once more
    #[arg(long)]
    checksum: bool,

    /// Print the effective parameters as TOML, and do nothing
    #[arg(long)]
    print_config: bool,

    /// Print the JSON schema of SAMPLE.qc.json
    #[arg(long)]
    schema: bool,

    /// Print all figures with key, unit, source and meaning, separated by tabs
    #[arg(long)]
    list_figures: bool,

    /// Worker threads [default: SLURM_CPUS_PER_TASK, else the cores that may be used]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Compressed bytes that a thread takes at a time [default: by the file's size]; no figure depends on it
    #[arg(long, value_name = "N", hide = true)]
    shard_bytes: Option<u64>,

    /// No progress on stderr
    #[arg(short, long)]
    quiet: bool,
}

impl QcArguments {
    /// Runs the command on all ranks.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        if self.schema || self.list_figures {
            let text = if self.schema { document::schema() } else { list_of_figures() };
            // A reader that has seen enough is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        self.check()?;
        let thresholds = self.thresholds.as_deref().map(Thresholds::read).transpose()?.map(Arc::new);
        if !self.from_states.is_empty() {
            let done = if ranks.is_root() { Some(self.run_states(thresholds)?) } else { None };
            return Ok(exit_code(done == Some(true)));
        }
        let samples = self.samples()?;
        // As many samples as ranks: each rank takes its own. Fewer: all ranks work on each.
        let alone = Communicator::solo();
        let each = ranks.size() > 1 && samples.len() >= ranks.size();
        let mut failed = false;
        for (number, files) in samples.iter().enumerate() {
            if each && number % ranks.size() != ranks.rank() {
                continue;
            }
            failed |= self.run_sample(files, thresholds.clone(), if each { &alone } else { ranks })?;
        }
        let failed = ranks.gather_bytes(&[u8::from(failed)])?.is_none_or(|all| all.concat().contains(&1));
        Ok(exit_code(failed && ranks.is_root()))
    }

    /// Runs one sample; whether it is below the thresholds.
    fn run_sample(
        &self,
        files: &MergedFiles,
        thresholds: Option<Arc<Thresholds>>,
        ranks: &Communicator,
    ) -> anyhow::Result<bool> {
        let run = Run::begin();
        let options = Options { thresholds, ..self.options(files.header())? };
        let parameters = self.parameters(&options);
        if self.print_config {
            if ranks.is_root() {
                let _ = std::io::stdout().write_all(toml::to_string_pretty(&parameters)?.as_bytes());
            }
            return Ok(false);
        }
        let Some(done) = self.job()?.run(files, options, ranks)? else { return Ok(false) };
        let inputs = files.files().iter().map(|file| file.path().to_owned()).collect();
        self.finish(done, &run, inputs, parameters, ranks.size())
    }

    /// Makes the results of kept states; whether they are below the thresholds.
    fn run_states(&self, thresholds: Option<Arc<Thresholds>>) -> anyhow::Result<bool> {
        let run = Run::begin();
        let states = States::read(&self.from_states)?;
        if states.had_reference() && self.reference.is_none() {
            let message = "the states were made with a reference: give it again (-r)";
            return Err(UsageError(message.into()).into());
        }
        let options = Options { thresholds, ..states.options().clone() };
        let parameters = self.parameters(&options);
        let done = self.job()?.run_states(states, options)?;
        self.finish(done, &run, self.from_states.clone(), parameters, 1)
    }

    /// Tells how a sample went; whether it is below the thresholds.
    fn finish(
        &self,
        done: Done,
        run: &Run,
        mut inputs: Vec<PathBuf>,
        parameters: Json,
        ranks: usize,
    ) -> anyhow::Result<bool> {
        for warning in done.warnings {
            eprintln!("norn: {warning}");
        }
        let by = self.by.as_ref().filter(|by| !is_number(by)).map(PathBuf::from);
        inputs.extend(
            [&self.reference, &self.targets, &self.baits, &self.sites, &self.thresholds, &by]
                .into_iter()
                .flatten()
                .cloned(),
        );
        let outputs: Vec<PathBuf> = done.files.values().cloned().collect();
        let path = self.output.join(format!("{}.run.json", done.sample));
        let file = RunFile {
            command: "qc",
            inputs: &inputs,
            checksum: self.checksum,
            parameters,
            outputs: &outputs,
            threads: self.threads(),
            ranks,
        };
        if done.files.contains_key("qc.json") {
            run.write(&path, &file)?;
        }
        let failed = done.verdict == Some(Status::Fail);
        if failed {
            let report = done.files.get("qc.json").map_or(&self.output, |path| path);
            eprintln!("norn: {}: below the thresholds: see {}", inputs[0].display(), report.display());
        }
        Ok(failed)
    }

    /// The files of each sample, in the order in which samples first come.
    fn samples(&self) -> anyhow::Result<Vec<MergedFiles>> {
        let mut samples: Vec<(String, Vec<AlignmentFile>)> = Vec::new();
        for input in &self.inputs {
            let files = MergedFiles::open(input, self.reference.as_deref())?;
            let sample = sample_name(files.header(), input);
            match samples.iter_mut().find(|(name, _)| *name == sample) {
                Some((_, all)) if self.merge => all.extend(files.into_files()),
                Some(_) => {
                    let message = format!(
                        "{}: the sample {sample} was given twice (--merge takes its files together)",
                        input.display()
                    );
                    return Err(UsageError(message).into());
                }
                None => samples.push((sample, files.into_files())),
            }
        }
        if self.state.is_some() && samples.len() > 1 {
            return Err(UsageError("--state takes the files of one sample".into()).into());
        }
        Ok(samples.into_iter().map(|(_, files)| MergedFiles::new(files)).collect::<Result<_, _>>()?)
    }

    fn job(&self) -> Result<Job, UsageError> {
        let part = self.part.as_deref().map(part).transpose()?;
        let interval = Duration::from_secs(self.state_interval);
        Ok(Job {
            reference: self.reference.clone(),
            directory: self.output.clone(),
            threads: self.threads(),
            quiet: self.quiet,
            shard_bytes: self.shard_bytes,
            state: self.state.clone().map(|path| KeepState { path, interval, part }),
        })
    }

    fn threads(&self) -> usize {
        self.threads.map_or_else(default_threads, usize::from)
    }

    /// The effective parameters, as the run file and --print-config have them.
    fn parameters(&self, options: &Options) -> Json {
        let collectors: &[String] = &options.collectors;
        let all: Vec<String> = set::NAMES.iter().map(|name| (*name).to_owned()).collect();
        let values = [
            ("reference", json!(self.reference)),
            ("output", json!(self.output)),
            ("collectors", json!(if collectors.is_empty() { &all } else { collectors })),
            ("levels", json!(level_names(&options.levels))),
            ("by", json!(self.by)),
            ("per_base", json!(options.per_base)),
            ("quantize", json!(self.quantize)),
            ("depth_thresholds", json!(options.depth_thresholds)),
            ("fast_mode", json!(options.fast_mode)),
            ("min_mapq", json!(options.min_mapq)),
            ("min_baseq", json!(options.min_baseq)),
            ("targets", json!(self.targets)),
            ("baits", json!(self.baits)),
            ("sites", json!(self.sites)),
            ("sites_af", json!(self.sites.as_ref().map(|_| &self.sites_af))),
            ("thresholds", json!(self.thresholds)),
            ("merge", json!(self.merge)),
            ("state", json!(self.state)),
            ("part", json!(self.part)),
            ("from_states", json!(self.from_states)),
        ];
        // TOML has no null: what is not set is left out.
        let set = values.into_iter().filter(|(_, value)| !value.is_null());
        Json::Object(set.map(|(key, value)| (key.to_owned(), value)).collect())
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
            levels: levels(&self.levels)?,
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

/// `I/N`, as --part has it.
pub(super) fn part(text: &str) -> Result<(usize, usize), UsageError> {
    let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    numbers
        .filter(|&(i, n): &(usize, usize)| 1 <= i && i <= n)
        .ok_or_else(|| UsageError(format!("--part: {text:?} is no part like 3/8")))
}

fn exit_code(failed: bool) -> ExitCode {
    if failed { ExitCode::from(super::exit::BELOW_THRESHOLDS) } else { ExitCode::SUCCESS }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
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
pub(super) fn default_threads() -> usize {
    let slurm = std::env::var("SLURM_CPUS_PER_TASK").ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    slurm.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// The levels of these names, each once, in Picard's order.
fn levels(names: &[String]) -> Result<Vec<Level>, UsageError> {
    let level = |name: &String| {
        let known = Level::NAMES.map(|(name, _)| name).join(", ");
        Level::named(name)
            .ok_or_else(|| UsageError(format!("--levels: no level {name:?}; there are {known}")))
    };
    let mut levels = names.iter().map(level).collect::<Result<Vec<_>, _>>()?;
    levels.push(Level::All);
    levels.sort_unstable();
    levels.dedup();
    Ok(levels)
}

fn level_names(levels: &[Level]) -> Vec<&'static str> {
    Level::NAMES.into_iter().filter(|(_, level)| levels.contains(level)).map(|(name, _)| name).collect()
}

/// A number is a window's length, anything else a BED file.
fn regions(by: &str, header: &Header) -> anyhow::Result<RegionSpec> {
    let lengths: Vec<u32> = header.contigs.iter().map(|contig| contig.length).collect();
    if is_number(by) {
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
