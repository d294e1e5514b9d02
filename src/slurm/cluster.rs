//! Settings of a cluster: what its jobs ask for.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::options::SbatchOptions;
use super::{SlurmError, text_of};

/// Clusters that we know settings for.
pub const CLUSTERS: [(&str, &str); 6] = [
    ("betzy", include_str!("../../slurm/clusters/betzy.toml")),
    ("colossus", include_str!("../../slurm/clusters/colossus.toml")),
    ("fram", include_str!("../../slurm/clusters/fram.toml")),
    ("lumi", include_str!("../../slurm/clusters/lumi.toml")),
    ("olivia", include_str!("../../slurm/clusters/olivia.toml")),
    ("saga", include_str!("../../slurm/clusters/saga.toml")),
];

/// What a cluster's jobs ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// What it is, in a line.
    pub about: String,
    /// What an account looks like there, or the account.
    pub account: Option<String>,
    /// Options of sbatch, in the file's order; an empty one takes the template's away.
    pub options: SbatchOptions,
    /// Modules that a job loads.
    pub modules: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    account: Option<String>,
    #[serde(default)]
    options: BTreeMap<String, Value>,
    #[serde(default)]
    modules: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(u64),
    Text(String),
}

impl Cluster {
    /// Reads one of ours by name, or a file.
    ///
    /// # Errors
    /// It is not there, or no settings.
    pub fn read(name: &str) -> Result<Self, SlurmError> {
        Self::parse(name, &text_of("cluster", &CLUSTERS, name)?)
    }

    fn parse(name: &str, text: &str) -> Result<Self, SlurmError> {
        let wrong = |what: String| SlurmError::Content { name: name.to_owned(), what };
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let line = at.map_or(String::new(), |line| format!("line {line}: "));
            wrong(format!("{line}{}", error.message()))
        })?;
        let mut options = SbatchOptions::default();
        for (option, value) in file.options {
            let value = match value {
                Value::Number(number) => number.to_string(),
                Value::Text(text) => text,
            };
            options.set(&option, &value).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(Self { about: file.about, account: file.account, options, modules: file.modules })
    }

    /// Whether an account is one that somebody has: ours have only its form.
    pub fn own_account(&self) -> Option<&str> {
        self.account.as_deref().filter(|account| !is_form(account))
    }
}

/// Whether an account is the form of one: nnXXXXk, pNN.
pub fn is_form(account: &str) -> bool {
    account.contains("NN") || account.contains("XX")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_understood() {
        for (name, _) in CLUSTERS {
            let cluster = Cluster::read(name).unwrap();
            assert!(!cluster.about.is_empty() && !cluster.about.contains('\n'), "{name}");
            assert!(cluster.account.is_some() && cluster.own_account().is_none(), "{name}");
            assert!(cluster.options.get("cpus-per-task").is_some(), "{name}");
        }
        assert_eq!(Cluster::read("saga").unwrap().options.get("cpus-per-task"), Some("20"));
    }

    #[test]
    fn what_is_wrong_is_told_in_a_line() {
        for (text, told) in [
            ("account = 'a'", "x: line 1: missing field `about`"),
            ("about = 'a'\noption = 1", "x: line 2: unknown field `option`"),
            ("about = 'a'\n[options]\nqos = [1]", "x: line 3: data did not match"),
            ("about = 'a'\n[options]\n\"p x\" = 1", "x: option \"p x\" of sbatch: it is no long option"),
        ] {
            let error = Cluster::parse("x", text).unwrap_err().to_string();
            assert!(error.starts_with(told) && !error.contains('\n'), "{error}");
        }
        let error = Cluster::read("sage").unwrap_err().to_string();
        assert!(error.starts_with("no cluster \"sage\": there are betzy, colossus, fram,"), "{error}");
    }
}
