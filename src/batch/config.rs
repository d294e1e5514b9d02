//! `batch.toml`: what is done with every sample of a night.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::problems::Problems;
use super::sheet::beside;

/// A commented file with all settings.
pub const EXAMPLE: &str = include_str!("../../examples/batch.toml");

/// What may be done with a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// `norn qc` of its alignments.
    Qc,
    /// `norn variants run` of its calls.
    Variants,
    /// `norn annotate` of its calls.
    Annotate,
    /// `norn prs score` of its calls.
    Prs,
}

impl Step {
    /// All of them.
    pub const ALL: [Step; 4] = [Step::Qc, Step::Variants, Step::Annotate, Step::Prs];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Step::Qc => "qc",
            Step::Variants => "variants",
            Step::Annotate => "annotate",
            Step::Prs => "prs",
        }
    }
}

/// All settings; paths are absolute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Reference FASTA.
    pub reference: PathBuf,
    /// The steps; each works on the calls that the last one before it has made.
    pub steps: Vec<Step>,
    /// How the night is run.
    #[serde(default)]
    pub run: RunSettings,
    /// Who has to have agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentSettings>,
    /// Of `norn qc`.
    #[serde(default)]
    pub qc: QcSettings,
    /// Of `norn variants run`.
    #[serde(default)]
    pub variants: VariantsSettings,
    /// Of `norn annotate`.
    #[serde(default)]
    pub annotate: AnnotateSettings,
    /// Of `norn prs score`.
    #[serde(default)]
    pub prs: PrsSettings,
}

/// How the night is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSettings {
    /// Memory of a node for all tasks that run at once, e.g. `64G`; by default what Slurm gives, else what is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// How often a task that the system has killed is tried again, with twice the memory.
    pub retries: u32,
    /// Seconds that tasks may go on for after the job was told to stop.
    pub grace_seconds: u64,
    /// Whether inputs are known by the BLAKE3 of all their bytes.
    pub checksum: bool,
    /// A directory of earlier nights' run directories, which the report compares with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<PathBuf>,
    /// How many of them, the last by name.
    pub history_nights: usize,
    /// A command for the shell at the end; it finds `NORN_RUN_DIR` and `NORN_OUTCOME` in its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_cmd: Option<String>,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            memory: None,
            retries: 1,
            grace_seconds: 20,
            checksum: false,
            history: None,
            history_nights: 14,
            notify_cmd: None,
        }
    }
}

/// Whose consent counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentSettings {
    /// Samples, status and purposes; the sheet may say it instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Whether samples that are not listed are left out.
    #[serde(default = "required")]
    pub required: bool,
    /// What the night is for, as codes of the Data Use Ontology; each must have been agreed to.
    #[serde(default)]
    pub purposes: Vec<String>,
}

fn required() -> bool {
    true
}

/// What happens to a sample's further steps when QC fails it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFail {
    /// They go on; the verdict stands in the report.
    #[default]
    GoOn,
    /// They are not run.
    StopSample,
}

/// What a step asks of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Threads of one task; 0 for all of the node.
    pub threads: usize,
    /// Memory of one task.
    pub memory: Size,
}

impl Default for Resources {
    fn default() -> Self {
        Self { threads: 1, memory: Size(1 << 30) }
    }
}

/// Settings of `norn qc`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QcSettings {
    /// Bounds of figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<PathBuf>,
    /// Sites of the contamination estimate and the fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<PathBuf>,
    /// Targets of a capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<PathBuf>,
    /// What a sample below its thresholds misses.
    pub on_fail: OnFail,
    /// Files of more bytes are cut into parts of about so many, which nodes take by themselves.
    pub split: Split,
    /// Further options, as on the command line.
    pub options: Vec<String>,
    /// What a task asks for.
    pub resources: Resources,
}

/// The size of parts of an alignment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Split(pub Size);

impl Default for Split {
    fn default() -> Self {
        Self(Size(16 << 30))
    }
}

/// Settings of `norn variants run`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VariantsSettings {
    /// The chain of steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<PathBuf>,
    /// Further options, as on the command line.
    pub options: Vec<String>,
    /// What a task asks for.
    pub resources: Resources,
}

/// Settings of `norn annotate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnnotateSettings {
    /// Database of genes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genes: Option<PathBuf>,
    /// Genes as GFF3 or GTF, in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gff: Option<PathBuf>,
    /// Databases of sources.
    pub sources: Vec<PathBuf>,
    /// The Human Phenotype Ontology, for samples with HPO terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hp_obo: Option<PathBuf>,
    /// HPO's phenotypes of genes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genes_to_phenotype: Option<PathBuf>,
    /// Further options, as on the command line.
    pub options: Vec<String>,
    /// What a task asks for.
    pub resources: Resources,
}

/// Settings of `norn prs score`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrsSettings {
    /// Scoring files, and directories of them.
    pub scores: Vec<PathBuf>,
    /// Further options, as on the command line.
    pub options: Vec<String>,
    /// What a task asks for.
    pub resources: Resources,
}

/// Bytes, written as `512M`, `4G` or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SizeText", into = "String")]
pub struct Size(pub u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum SizeText {
    Number(u64),
    Text(String),
}

impl TryFrom<SizeText> for Size {
    type Error = String;

    fn try_from(text: SizeText) -> Result<Self, String> {
        match text {
            SizeText::Number(bytes) => Ok(Self(bytes)),
            SizeText::Text(text) => text.parse(),
        }
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size like 512M or 4G");
        let text = text.trim();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let shift = match text[digits.len()..].trim_end_matches(['i', 'B', 'b']).to_ascii_uppercase().as_str()
        {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            _ => return Err(wrong()),
        };
        let bytes: u64 = digits.trim().parse().map_err(|_| wrong())?;
        bytes.checked_mul(1 << shift).map(Self).ok_or_else(wrong)
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
        let unit = units.iter().find(|(shift, _)| size.0 > 0 && size.0.is_multiple_of(1 << shift));
        unit.map_or_else(|| size.0.to_string(), |(shift, unit)| format!("{}{unit}", size.0 >> shift))
    }
}

impl Config {
    /// Reads a file, and looks whether what it names is there.
    ///
    /// # Errors
    /// Everything that is wrong with it; of the TOML itself the first.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                problems.file(path, error);
                return Err(problems);
            }
        };
        let mut config: Config = match toml::from_str(&text) {
            Ok(config) => config,
            Err(error) => {
                let line =
                    error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
                let line = line.map_or(String::new(), |line| format!("line {line}: "));
                problems.file(path, format_args!("{line}{}", error.message()));
                return Err(problems);
            }
        };
        config.resolve(path);
        config.check(path, &mut problems);
        problems.or(config)
    }

    /// The settings as TOML.
    pub fn to_toml(&self) -> String {
        // Settings are strings, numbers and tables of them, which TOML can write.
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Whether a step is on.
    pub fn has(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }

    /// What a task of a step asks for.
    pub fn resources(&self, step: Step) -> &Resources {
        match step {
            Step::Qc => &self.qc.resources,
            Step::Variants => &self.variants.resources,
            Step::Annotate => &self.annotate.resources,
            Step::Prs => &self.prs.resources,
        }
    }

    /// Further options of a step. Words that name a file beside `batch.toml` are its absolute path.
    pub fn options(&self, step: Step) -> &[String] {
        match step {
            Step::Qc => &self.qc.options,
            Step::Variants => &self.variants.options,
            Step::Annotate => &self.annotate.options,
            Step::Prs => &self.prs.options,
        }
    }

    /// Files that all samples of a step share, by the setting that names them.
    pub fn shared_files(&self, step: Step) -> BTreeMap<String, PathBuf> {
        let mut files = BTreeMap::new();
        let mut add = |name: &str, path: Option<&PathBuf>| {
            if let Some(path) = path {
                files.insert(name.to_owned(), path.clone());
            }
        };
        match step {
            Step::Qc => {
                add("reference", Some(&self.reference));
                add("qc.thresholds", self.qc.thresholds.as_ref());
                add("qc.sites", self.qc.sites.as_ref());
                add("qc.targets", self.qc.targets.as_ref());
            }
            Step::Variants => {
                add("reference", Some(&self.reference));
                add("variants.chain", self.variants.chain.as_ref());
            }
            Step::Annotate => {
                add("reference", Some(&self.reference));
                add("annotate.genes", self.annotate.genes.as_ref());
                add("annotate.gff", self.annotate.gff.as_ref());
                add("annotate.hp_obo", self.annotate.hp_obo.as_ref());
                add("annotate.genes_to_phenotype", self.annotate.genes_to_phenotype.as_ref());
                for (number, source) in self.annotate.sources.iter().enumerate() {
                    add(&format!("annotate.sources[{number}]"), Some(source));
                }
            }
            Step::Prs => {
                for (number, scores) in self.prs.scores.iter().enumerate() {
                    add(&format!("prs.scores[{number}]"), Some(scores));
                }
            }
        }
        for (number, word) in self.options(step).iter().enumerate().filter(|(_, word)| word.starts_with('/'))
        {
            let path = PathBuf::from(word);
            if path.is_file() {
                add(&format!("{}.options[{number}]", step.name()), Some(&path));
            }
        }
        files
    }

    fn resolve(&mut self, path: &Path) {
        let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let one = |path: &mut PathBuf| *path = beside(&file, path);
        one(&mut self.reference);
        let optional = [
            &mut self.qc.thresholds,
            &mut self.qc.sites,
            &mut self.qc.targets,
            &mut self.variants.chain,
            &mut self.annotate.genes,
            &mut self.annotate.gff,
            &mut self.annotate.hp_obo,
            &mut self.annotate.genes_to_phenotype,
            &mut self.run.history,
        ];
        optional.into_iter().flatten().for_each(one);
        if let Some(consent) = &mut self.consent {
            consent.file.iter_mut().for_each(one);
        }
        self.annotate.sources.iter_mut().for_each(one);
        self.prs.scores.iter_mut().for_each(one);
        let options = [
            &mut self.qc.options,
            &mut self.variants.options,
            &mut self.annotate.options,
            &mut self.prs.options,
        ];
        for word in options.into_iter().flatten() {
            let path = beside(&file, Path::new(word));
            if !word.starts_with('-') && path.is_file() {
                *word = path.to_string_lossy().into_owned();
            }
        }
    }

    fn check(&self, path: &Path, problems: &mut Problems) {
        if self.steps.is_empty() {
            problems.setting(path, "steps", "there is none");
        }
        for (number, step) in self.steps.iter().enumerate() {
            if self.steps[..number].contains(step) {
                problems.setting(path, "steps", format_args!("{} is there twice", step.name()));
            }
        }
        if self.has(Step::Variants) && self.variants.chain.is_none() {
            problems.setting(path, "variants.chain", "the step variants needs a chain (docs/variants.md)");
        }
        let genes = (self.annotate.genes.is_some(), self.annotate.gff.is_some());
        if self.has(Step::Annotate) && genes == (false, false) && self.annotate.sources.is_empty() {
            problems.setting(path, "annotate.genes", "the step annotate needs genes, gff or sources");
        }
        if genes == (true, true) {
            problems.setting(path, "annotate.gff", "there are annotate.genes, too: one of both");
        }
        if self.has(Step::Prs) && self.prs.scores.is_empty() {
            problems.setting(path, "prs.scores", "the step prs needs scoring files");
        }
        if self.qc.split.0.0 < 1 << 20 {
            problems.setting(path, "qc.split", "parts of less than 1M are not worth it");
        }
        let mut files = BTreeMap::from([("reference".to_owned(), self.reference.clone())]);
        for step in Step::ALL {
            if self.resources(step).memory.0 == 0 {
                problems.setting(path, &format!("{}.resources.memory", step.name()), "it is 0");
            }
            if self.has(step) {
                files.extend(self.shared_files(step));
            }
        }
        if let Some(history) = self.run.history.as_ref().filter(|history| !history.is_dir()) {
            problems.setting(path, "run.history", format_args!("{}: it is no directory", history.display()));
        }
        for (name, file) in files {
            if let Err(error) = fs::metadata(&file) {
                problems.setting(path, &name, format_args!("{}: {error}", file.display()));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_written() {
        for (text, bytes) in
            [("0", 0), ("512M", 512 << 20), ("4G", 4 << 30), ("1 T", 1 << 40), ("3KiB", 3 << 10)]
        {
            let size: Size = text.parse().unwrap();
            assert_eq!(size.0, bytes, "{text}");
            assert_eq!(String::from(size).parse::<Size>().unwrap(), size);
        }
        for text in ["", "G", "-1G", "1.5G", "99999999T", "4 parsecs"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("batch.toml");
        let told = |text: &str| {
            fs::write(&path, text).unwrap();
            let here = format!("{}/", directory.path().display());
            Config::read(&path).map_err(|problems| problems.to_string().replace(&here, ""))
        };
        let error = told(
            "reference = 'no.fa'\nsteps = ['qc', 'qc', 'variants', 'annotate', 'prs']\n[qc]\nsites = 'no.vcf'\n",
        );
        assert_eq!(
            error.unwrap_err().split("\nnorn: ").collect::<Vec<_>>(),
            [
                "batch.toml: steps: qc is there twice",
                "batch.toml: variants.chain: the step variants needs a chain (docs/variants.md)",
                "batch.toml: annotate.genes: the step annotate needs genes, gff or sources",
                "batch.toml: prs.scores: the step prs needs scoring files",
                "batch.toml: qc.sites: no.vcf: No such file or directory (os error 2)",
                "batch.toml: reference: no.fa: No such file or directory (os error 2)",
            ]
        );
        let error = told("reference = 'a.fa'\nsteps = ['qc']\n[qc]\nthreshold = 'x'\n").unwrap_err();
        assert!(error.starts_with("batch.toml: line 4: unknown field `threshold`"), "{error}");
    }

    #[test]
    fn the_example_is_understood() {
        let config: Config = toml::from_str(EXAMPLE).unwrap();
        assert_eq!(config.steps, Step::ALL);
        let again: Config = toml::from_str(&config.to_toml()).unwrap();
        assert_eq!(again, config);
    }
}
