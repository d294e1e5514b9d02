//! A night as a Workflow Run RO-Crate (profile 0.5 on RO-Crate 1.1): `ro-crate-metadata.json` in the run directory.
//!
//! The workflow is `batch.toml`, each finished task an action with what went in and came out. Nothing in it depends on when it
//! is written: times are the ledger's.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::ledger::{Became, Event, Finished, Line, State, TaskName};
use super::night::Night;
use super::run_dir::RunDir;
use crate::formats::output::{AtomicFile, OutputError};

/// Name of the file that a crate is known by.
pub const NAME: &str = "ro-crate-metadata.json";

const PROFILES: [(&str, &str, &str); 3] = [
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"),
];

/// Writes `ro-crate-metadata.json`, and `batch.toml` with the settings as they were understood.
///
/// # Errors
/// They cannot be written.
pub fn write(night: &Night, run_dir: &RunDir, lines: &[Line]) -> Result<(), OutputError> {
    let document = document(night, run_dir, lines);
    for (name, text) in [("batch.toml", night.config.to_toml()), (NAME, format!("{document:#}\n"))] {
        let path = run_dir.root().join(name);
        let mut file = AtomicFile::create(&path)?;
        file.write_all(text.as_bytes()).map_err(|source| OutputError { path: path.clone(), source })?;
        file.commit()?;
    }
    Ok(())
}

fn document(night: &Night, run_dir: &RunDir, lines: &[Line]) -> Json {
    let state = State::of(lines.iter().cloned());
    // Whose consent was withdrawn, and who stands in the sheet no more, is not told of.
    let told: HashSet<&str> = night.samples.iter().map(|sample| sample.name.as_str()).collect();
    let mut tasks: Vec<(&TaskName, &Finished)> = state
        .tasks
        .iter()
        .filter_map(|(name, became)| match became {
            // Parts of a file are how a task was done, and no task of the workflow.
            Became::Done(finished) if name.part.is_empty() && told.contains(name.sample.as_str()) => {
                Some((name, &**finished))
            }
            _ => None,
        })
        .collect();
    tasks.sort_by_key(|(name, _)| *name);
    let begun = lines.first().map_or("1970-01-01T00:00:00Z", |line| line.time.as_str());
    let ended = lines.last().map_or(begun, |line| line.time.as_str());
    let version = lines.iter().rev().find_map(|line| match &line.event {
        Event::Begin { version, .. } => Some(version.as_str()),
        _ => None,
    });
    let version = version.unwrap_or(env!("CARGO_PKG_VERSION"));
    let mut graph = Graph::default();
    let mut actions = Vec::new();
    for (name, finished) in &tasks {
        actions.push(graph.action(name, finished));
    }
    let mut parts = vec![id("batch.toml")];
    for name in ["report/index.html", "report/samples.tsv"] {
        if run_dir.root().join(name).is_file() {
            graph.add(json!({"@id": name, "@type": "File", "name": format!("Report of the night ({name})"),
                "encodingFormat": if name.ends_with("html") { "text/html" } else { "text/tab-separated-values" }}));
            parts.push(id(name));
        }
    }
    parts.extend(graph.data.keys().map(|name| id(name)));
    let inputs: Vec<Json> = graph.inputs.keys().map(|name| id(name)).collect();
    let outputs: Vec<Json> = graph.data.keys().map(|name| id(name)).collect();
    let mut mentions = vec![id("#night")];
    mentions.extend(actions.iter().map(|action| id(action)));
    let profiles: Vec<Json> = PROFILES.iter().map(|(uri, ..)| id(uri)).collect();
    let mut all = vec![
        json!({"@id": NAME, "@type": "CreativeWork", "about": id("./"),
            "conformsTo": [id("https://w3id.org/ro/crate/1.1"), id("https://w3id.org/workflowhub/workflow-ro-crate/1.0")]}),
        json!({"@id": "./", "@type": "Dataset", "name": "A night of norn batch",
            "description": format!("{} samples through the steps {}: results, ledger and report.", night.samples.len(),
                night.config.steps.iter().map(|step| step.name()).collect::<Vec<_>>().join(", ")),
            "datePublished": ended, "license": id("#license"), "conformsTo": profiles,
            "author": id("#agent"), "publisher": id("#agent"), "mainEntity": id("batch.toml"), "hasPart": parts,
            "mentions": mentions}),
        json!({"@id": "#license", "@type": "CreativeWork", "name": "No licence",
            "description": "Data on people: for use within the responsible institution only."}),
        json!({"@id": "batch.toml", "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "Settings of the night", "description": "What norn batch does with each sample.",
            "encodingFormat": "application/toml", "programmingLanguage": id("#norn-batch"), "license": id("#license"),
            "version": version, "softwareRequirements": id("#norn")}),
        json!({"@id": "#norn-batch", "@type": "ComputerLanguage", "name": "norn batch", "version": version,
            "description": "Settings of norn batch (TOML)."}),
        json!({"@id": "#norn", "@type": "SoftwareApplication", "name": "norn", "softwareVersion": version,
            "description": "Alignment QC, variant post-processing, annotation and polygenic scores."}),
        json!({"@id": "#agent", "@type": "Organization", "name": "The institution that ran norn batch"}),
        json!({"@id": "#night", "@type": "CreateAction", "name": "The run of the night", "instrument": id("batch.toml"),
            "description": "All steps of all samples, as batch.toml has them.", "agent": id("#agent"),
            "startTime": iso_8601(begun), "endTime": iso_8601(ended), "object": one_or_all(inputs), "result": one_or_all(outputs),
            "actionStatus": status(lines)}),
    ];
    for (uri, name, version) in PROFILES {
        all.push(json!({"@id": uri, "@type": "CreativeWork", "name": name, "version": version}));
    }
    all.extend(graph.inputs.into_values());
    all.extend(graph.data.into_values());
    all.extend(graph.others);
    json!({"@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": all})
}

#[derive(Default)]
struct Graph {
    /// Files of samples, by identifier.
    inputs: BTreeMap<String, Json>,
    /// Directories and files of results, by path.
    data: BTreeMap<String, Json>,
    others: Vec<Json>,
}

impl Graph {
    fn add(&mut self, entity: Json) {
        self.others.push(entity);
    }

    /// Adds a task; gives its identifier.
    fn action(&mut self, name: &TaskName, finished: &Finished) -> String {
        let mut objects = Vec::new();
        for input in &finished.inputs {
            // They lie outside the crate, so they are told of and no part of it.
            let uri = format!("#input{}", encoded(&input.path));
            let file =
                input.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            self.inputs.entry(uri.clone()).or_insert_with(|| {
                json!({"@id": uri, "@type": "CreativeWork", "name": file, "identifier": input.path,
                    "description": format!("{} bytes; BLAKE3 of both ends {}", input.fingerprint.size, input.fingerprint.ends)})
            });
            objects.push(id(&uri));
        }
        let directory = format!("samples/{}/{}/", name.sample, name.step.name());
        let size: u64 = finished.outputs.iter().map(|output| output.size).sum();
        self.data.insert(
            directory.clone(),
            json!({"@id": directory, "@type": "Dataset", "name": format!("{} of {}", name.step.name(), name.sample),
                "description": format!("{} files, {size} bytes.", finished.outputs.len())}),
        );
        let action = format!("#{}.{}", name.sample, name.step.name());
        let seconds = std::time::Duration::try_from_secs_f64(finished.effort.seconds).unwrap_or_default();
        let ended = humantime::parse_rfc3339(&finished.time).ok();
        let begun = ended.and_then(|ended| ended.checked_sub(seconds));
        let begun = begun
            .map_or_else(|| finished.time.clone(), |time| humantime::format_rfc3339_millis(time).to_string());
        self.add(json!({"@id": action, "@type": "CreateAction", "name": format!("norn {} of {}", name.step.name(), name.sample),
            "description": format!("Step {} of sample {}, as batch.toml has it.", name.step.name(), name.sample),
            "instrument": id("#norn"), "agent": id("#agent"), "startTime": iso_8601(&begun), "endTime": iso_8601(&finished.time),
            "object": one_or_all(objects), "result": id(&directory),
            "actionStatus": "http://schema.org/CompletedActionStatus"}));
        action
    }
}

fn id(name: &str) -> Json {
    json!({"@id": name})
}

/// A property's values; one stands alone, as RO-Crate's JSON-LD wants it.
fn one_or_all(mut values: Vec<Json>) -> Json {
    if values.len() == 1 { values.remove(0) } else { Json::Array(values) }
}

/// A time of the ledger with its zone as an offset: the profiles' checks do not know `Z`.
fn iso_8601(time: &str) -> String {
    time.strip_suffix('Z').map_or_else(|| time.to_owned(), |time| format!("{time}+00:00"))
}

/// How the last run ended.
fn status(lines: &[Line]) -> &'static str {
    let last = lines.iter().rev().find_map(|line| match &line.event {
        Event::End { outcome, .. } => Some(outcome.as_str()),
        _ => None,
    });
    match last {
        Some("done") => "http://schema.org/CompletedActionStatus",
        Some("failures") => "http://schema.org/FailedActionStatus",
        _ => "http://schema.org/ActiveActionStatus",
    }
}

/// A path as part of an identifier.
fn encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|&byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
