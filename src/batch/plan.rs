//! A night as tasks: each one command of this binary for one sample.
//!
//! Alignment files beyond `qc.split` are counted in parts, which nodes take by themselves, and a further task makes the results of
//! the parts' states; the bytes are those of one pass. Which parts there are does not count for whether a step is done.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::{Config, Step};
use super::fingerprint::{Fingerprint, modified};
use super::ledger::{Finished, Input, State, TaskName};
use super::night::{Night, steps_of};
use super::run_dir::RunDir;
use super::sheet::Sample;

/// Where a command's own words have the directory of its results.
pub const RESULTS: &str = "{results}";
/// Where they have the number of threads.
pub const THREADS: &str = "{threads}";
/// Where they have the calls that the step before has made.
pub const CALLS: &str = "{calls}";

/// A command's word with what stands for the directory, the threads and the calls filled in. Files' own names are left as they are.
pub fn filled(word: &str, results: &str, threads: &str, calls: &str) -> String {
    match word {
        RESULTS => results.to_owned(),
        THREADS => threads.to_owned(),
        CALLS => calls.to_owned(),
        word => match word.strip_prefix(RESULTS) {
            Some(rest) if rest.starts_with('/') => format!("{results}{rest}"),
            _ => word.to_owned(),
        },
    }
}

/// A command for one sample.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub name: TaskName,
    /// Words of the command, without the binary's.
    pub words: Vec<String>,
    /// The words that its result depends on: without those that say where states are, and how a file is cut.
    pub meaning: Vec<String>,
    /// The sample's files that it reads.
    pub inputs: Vec<PathBuf>,
    /// The task whose calls it reads.
    pub calls_of: Option<usize>,
    /// Tasks that have to be done before.
    pub after: Vec<usize>,
    /// The task that puts its state together with others, where it is a part.
    pub part_of: Option<usize>,
    /// What it makes.
    pub makes: Makes,
    /// Bytes that it reads, about.
    pub cost: u64,
    /// Threads that it asks for; 0 for all of a node.
    pub threads: usize,
    /// Bytes of memory that it asks for.
    pub memory: u64,
    /// Line of the sample in the sheet.
    pub line: u64,
}

/// What a task makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Makes {
    /// A directory of results; and states that are removed when the ledger has it.
    Results {
        /// The directory.
        directory: PathBuf,
        /// States of parts, or of a pass that was cut off.
        states: Vec<PathBuf>,
    },
    /// A state of a part.
    State(PathBuf),
}

/// All tasks, each behind those that it waits for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// What each step's settings and shared files come to.
    shared: HashMap<Step, String>,
    /// Whether inputs are known by all of their bytes.
    checksum: bool,
    sizes: Sizes,
}

/// Where the sizes of samples' files come from.
#[derive(Clone, Copy, Debug)]
pub enum Sizes {
    /// From the files.
    Files,
    /// There are no files: every alignment file, and every file of calls, has so many bytes, and an index.
    Told {
        /// Bytes of an alignment file.
        alignments: u64,
        /// Bytes of calls.
        variants: u64,
    },
}

impl Sizes {
    fn alignments(self, path: &Path) -> u64 {
        match self {
            Sizes::Files => size(path),
            Sizes::Told { alignments, .. } => alignments,
        }
    }

    fn variants(self, path: &Path) -> u64 {
        match self {
            Sizes::Files => size(path),
            Sizes::Told { variants, .. } => variants,
        }
    }

    fn has_index(self, path: &Path) -> bool {
        matches!(self, Sizes::Told { .. }) || has_index(path)
    }
}

/// Files that are smaller are not worth a state.
const WORTH_A_STATE: u64 = 1 << 30;

impl Plan {
    /// The tasks of a night.
    ///
    /// # Errors
    /// A shared file cannot be read.
    pub fn new(night: &Night, run_dir: &RunDir) -> io::Result<Self> {
        let checksum = night.config.run.checksum;
        let mut plan = Self { tasks: Vec::new(), shared: HashMap::new(), checksum, sizes: Sizes::Files };
        // Many steps share a reference: it is looked at once.
        let mut known: HashMap<PathBuf, String> = HashMap::new();
        for step in night.config.steps.iter().copied() {
            let mut text = env!("CARGO_PKG_VERSION").to_owned();
            for (name, path) in night.config.shared_files(step) {
                let key = match known.get(&path) {
                    Some(key) => key.clone(),
                    None => {
                        let error = |error: io::Error| {
                            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                        };
                        known
                            .entry(path.clone())
                            .or_insert(Fingerprint::of(&path, checksum).map_err(error)?.key())
                            .clone()
                    }
                };
                text += &format!("\n{name} {key}");
            }
            plan.shared.insert(step, text);
        }
        for sample in &night.samples {
            plan.add(&night.config, sample, run_dir);
        }
        Ok(plan)
    }

    /// The tasks without what decides their results: for a look, or a simulation of samples that are not there.
    pub fn sketch(night: &Night, run_dir: &RunDir, sizes: Sizes) -> Self {
        let mut plan = Self { tasks: Vec::new(), shared: HashMap::new(), checksum: false, sizes };
        night.samples.iter().for_each(|sample| plan.add(&night.config, sample, run_dir));
        plan
    }

    /// Only the samples of one part of a job array, from 1: every `of`-th.
    pub fn share(night: &Night, number: usize, of: usize) -> Night {
        let mut share = night.clone();
        share.samples = night
            .samples
            .iter()
            .enumerate()
            .filter(|(at, _)| at % of == number - 1)
            .map(|(_, s)| s.clone())
            .collect();
        share
    }

    /// The files of the sample that go into a task, as they are now.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn inputs(&self, task: &Task) -> io::Result<Vec<Input>> {
        let read = |path: &PathBuf| {
            let error =
                |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            Ok(Input {
                path: path.clone(),
                fingerprint: Fingerprint::of(path, self.checksum).map_err(error)?,
            })
        };
        task.inputs.iter().map(read).collect()
    }

    /// What decides a task's result: norn's version, the meaning of its words, its inputs, and files of the settings. `calls` is the BLAKE3 of calls
    /// that an earlier task has made.
    pub fn key(&self, task: &Task, inputs: &[Input], calls: Option<&str>) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(text.as_bytes());
            hasher.update(&[0]);
        };
        add(self.shared.get(&task.name.step).map_or("", String::as_str));
        task.meaning.iter().for_each(|word| add(word));
        inputs.iter().for_each(|input| add(&input.fingerprint.key()));
        add(calls.unwrap_or_default());
        hasher.finalize().to_hex().to_string()
    }

    /// Where the calls that a task reads are, or will be, if it reads those that another makes.
    pub fn calls_path(&self, task: &Task, run_dir: &RunDir) -> Option<PathBuf> {
        let made_by = &self.tasks[task.calls_of?].name;
        Some(run_dir.samples().join(&made_by.sample).join(calls_of(made_by)))
    }

    /// The task's command as one would type it, with one thread where it takes all.
    pub fn command(&self, task: &Task, run_dir: &RunDir) -> Vec<String> {
        let results = match &task.makes {
            Makes::Results { directory, .. } => word(directory),
            Makes::State(_) => String::new(),
        };
        let calls = self.calls_path(task, run_dir).map_or_else(String::new, |path| word(&path));
        let threads = task.threads.max(1).to_string();
        task.words.iter().map(|word| filled(word, &results, &threads, &calls)).collect()
    }

    /// The BLAKE3 of the calls that a task reads, once the task that makes them is done.
    pub fn calls_key<'s>(&self, task: &Task, state: &'s State) -> Option<&'s str> {
        let made_by = &self.tasks[task.calls_of?];
        let calls = calls_of(&made_by.name);
        let outputs = &state.finished(&made_by.name)?.outputs;
        outputs.iter().find(|output| output.path.ends_with(&calls)).map(|output| output.blake3.as_str())
    }

    fn add(&mut self, config: &Config, sample: &Sample, run_dir: &RunDir) {
        let mut calls_of: Option<usize> = None;
        let mut judged_by: Option<usize> = None;
        for step in steps_of(config, sample) {
            let directory = run_dir.results(&sample.name, step);
            let resources = config.resources(step);
            let mut task = Task {
                name: TaskName { sample: sample.name.clone(), step, part: String::new() },
                words: Vec::new(),
                meaning: Vec::new(),
                inputs: Vec::new(),
                calls_of: None,
                after: Vec::new(),
                part_of: None,
                makes: Makes::Results { directory, states: Vec::new() },
                cost: 0,
                threads: resources.threads,
                memory: resources.memory.0,
                line: sample.line,
            };
            if step == Step::Qc {
                self.add_qc(config, sample, run_dir, task);
                if config.qc.on_fail == super::config::OnFail::StopSample {
                    judged_by = Some(self.tasks.len() - 1);
                }
                continue;
            }
            let calls = match (calls_of, &sample.variants) {
                (Some(_), _) => CALLS.to_owned(),
                (None, Some(path)) => {
                    task.inputs.push(path.clone());
                    word(path)
                }
                (None, None) => continue,
            };
            task.calls_of = calls_of;
            task.after = calls_of.into_iter().chain(judged_by).collect();
            task.cost = sample.variants.as_deref().map_or(0, |path| self.sizes.variants(path));
            task.words = match step {
                Step::Variants => variants_words(config, sample, calls),
                Step::Annotate => annotate_words(config, sample, calls),
                _ => prs_words(config, sample, calls),
            };
            task.meaning = task.words.clone();
            if step == Step::Annotate {
                task.inputs.extend(sample.panel.clone());
            }
            self.tasks.push(task);
            if step != Step::Prs {
                calls_of = Some(self.tasks.len() - 1);
            }
        }
    }

    fn add_qc(&mut self, config: &Config, sample: &Sample, run_dir: &RunDir, mut whole: Task) {
        whole.inputs = sample.alignments.clone();
        whole.cost = sample.alignments.iter().map(|path| self.sizes.alignments(path)).sum();
        let is_indexed = sample.alignments.iter().all(|path| self.sizes.has_index(path));
        let (mut measure, mut finish) =
            (vec!["qc".to_owned(), "-q".into()], vec!["-o".to_owned(), RESULTS.into()]);
        measure.extend(["-r".into(), word(&config.reference), "-t".into(), THREADS.into()]);
        if let Some(thresholds) = &config.qc.thresholds {
            finish.extend(["--thresholds".into(), word(thresholds)]);
        }
        let mut options = Vec::new();
        for (name, path) in [("--sites", &config.qc.sites), ("--targets", &config.qc.targets)] {
            options.extend(path.iter().flat_map(|path| [name.to_owned(), word(path)]));
        }
        options.extend(config.qc.options.iter().cloned());
        if sample.alignments.len() > 1 {
            options.push("--merge".to_owned());
        }
        let files = sample.alignments.iter().map(|path| word(path));
        whole.meaning = [&measure[..], &finish, &options].concat();
        let keeps_states =
            !options.iter().any(|word| word.starts_with("--per-base") || word.starts_with("--quantize"));
        let split = config.qc.split.0.0;
        let parts = whole.cost.div_ceil(split.max(1)).min(512) as usize;
        let states = run_dir.states(&sample.name);
        if parts > 1 && keeps_states && is_indexed {
            let whole_at = self.tasks.len() + parts;
            let mut all = Vec::new();
            for part in 1..=parts {
                let state = states.join(format!("{part}-of-{parts}.qcstate"));
                let mut words = measure.clone();
                words.extend(options.iter().cloned());
                words.extend(["--part".into(), format!("{part}/{parts}"), "--state".into(), word(&state)]);
                words.extend(files.clone());
                self.tasks.push(Task {
                    meaning: words.clone(),
                    name: TaskName { part: format!("{part}/{parts}"), ..whole.name.clone() },
                    words,
                    part_of: Some(whole_at),
                    makes: Makes::State(state.clone()),
                    cost: whole.cost / parts as u64,
                    ..whole.clone()
                });
                all.push(state);
            }
            whole.after = (whole_at - parts..whole_at).collect();
            whole.words = [measure, finish].concat();
            whole.words.push("--from-states".into());
            whole.words.extend(all.iter().map(|path| word(path)));
            whole.cost = 1 << 20;
            if let Makes::Results { states, .. } = &mut whole.makes {
                *states = all;
            }
        } else {
            whole.words = [measure, finish, options].concat();
            if keeps_states
                && whole.cost >= WORTH_A_STATE
                && sample.alignments.iter().all(|path| has_index(path))
            {
                let state = states.join("whole.qcstate");
                whole.words.extend(["--state".into(), word(&state)]);
                if let Makes::Results { states, .. } = &mut whole.makes {
                    states.push(state);
                }
            }
            whole.words.extend(files);
        }
        self.tasks.push(whole);
    }
}

/// Whether what a finished task has made is still there as it was.
pub fn is_kept(finished: &Finished, run_dir: &RunDir) -> bool {
    finished.outputs.iter().all(|output| {
        let path = run_dir.root().join(&output.path);
        let Ok(now) = stat(&path) else { return false };
        // Times change where a directory is copied; then the bytes tell.
        now.0 == output.size
            && (now.1 == output.modified
                || crate::formats::checksum::blake3_of(&path).is_ok_and(|(hash, _)| hash == output.blake3))
    })
}

/// Bytes and time of change of a file.
pub(super) fn stat(path: &Path) -> io::Result<(u64, i64)> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.len(), modified(&metadata)?))
}

/// The calls that a step makes, in its directory.
pub fn calls_of(task: &TaskName) -> PathBuf {
    PathBuf::from(task.step.name()).join(calls_name(&task.sample))
}

fn calls_name(sample: &str) -> String {
    format!("{sample}.vcf.gz")
}

fn variants_words(config: &Config, sample: &Sample, calls: String) -> Vec<String> {
    let mut words: Vec<String> = vec!["variants".into(), "run".into()];
    words.extend(config.variants.chain.iter().map(|chain| word(chain)));
    words.extend(["-f".into(), word(&config.reference)]);
    words.extend(config.variants.options.iter().cloned());
    words.extend(written(sample));
    words.push(calls);
    words
}

fn annotate_words(config: &Config, sample: &Sample, calls: String) -> Vec<String> {
    let settings = &config.annotate;
    let mut words: Vec<String> = vec!["annotate".into(), "-r".into(), word(&config.reference)];
    let mut add = |name: &str, path: &Path| words.extend([name.to_owned(), word(path)]);
    settings.genes.iter().for_each(|path| add("--genes", path));
    settings.gff.iter().for_each(|path| add("--gff", path));
    settings.sources.iter().for_each(|path| add("--source", path));
    sample.panel.iter().for_each(|path| add("--panel", path));
    if !sample.hpo.is_empty() {
        settings.hp_obo.iter().for_each(|path| add("--hp-obo", path));
        settings.genes_to_phenotype.iter().for_each(|path| add("--genes-to-phenotype", path));
        if settings.hp_obo.is_some() {
            words.extend(["--hpo".into(), sample.hpo.join(",")]);
        }
    }
    words.extend(settings.options.iter().cloned());
    words.extend(written(sample));
    words.push(calls);
    words
}

fn prs_words(config: &Config, sample: &Sample, calls: String) -> Vec<String> {
    let mut words: Vec<String> =
        vec!["prs".into(), "score".into(), "--genotypes".into(), calls, "--scores".into()];
    words.extend(config.prs.scores.iter().map(|path| word(path)));
    words.extend(["--dataset".into(), sample.name.clone()]);
    words.extend(config.prs.options.iter().cloned());
    // One person's frequencies say nothing of a missing genotype.
    let says = |option: &str| config.prs.options.iter().any(|word| word.split('=').next() == Some(option));
    if !["--read-freq", "--no-mean-imputation", "--bad-freqs"].iter().any(|option| says(option)) {
        words.push("--no-mean-imputation".into());
    }
    words.extend(["-t".into(), THREADS.into(), "-o".into(), RESULTS.into()]);
    words
}

/// How calls are written, with an index.
fn written(sample: &Sample) -> [String; 6] {
    let file = format!("{RESULTS}/{}", calls_name(&sample.name));
    ["--threads".into(), THREADS.into(), "--quiet".into(), "-W".into(), "-o".into(), file]
}

fn word(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn has_index(path: &Path) -> bool {
    ["bai", "csi", "crai"].iter().any(|ending| {
        let mut longer = path.as_os_str().to_owned();
        longer.push(format!(".{ending}"));
        Path::new(&longer).is_file() || path.with_extension(ending).is_file()
    })
}
