//! `norn prs report`: pages, JSON and tables of scores.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::catalog;
use crate::formats::output::{AtomicFile, OutputError, file_name};
use crate::prs::report::about::{About, scoring_files_of};
use crate::prs::report::results::{Facts, Files, Results, Wanted, read_facts};
use crate::prs::report::{document, page};
use crate::prs::risk_file::RiskFile;
use crate::report::run_file::{Run, RunFile};

/// Report scores as a page, JSON and tables, with the items of PRS-RS; and people, with absolute risks where a table of incidence
/// is given.
///
/// Not for clinical use without validation.
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Directories of norn prs score and norn prs calibrate
    #[arg(required = true, value_name = "DIR")]
    results: Vec<PathBuf>,

    /// Name of the people in the tables
    #[arg(short, long, value_name = "NAME")]
    dataset: String,

    /// Scoring files, or directories of them, for what their headers tell
    #[arg(long, num_args = 1.., value_name = "FILE|DIR")]
    scores: Vec<PathBuf>,

    /// Only these scores, by name or identifier
    #[arg(long, num_args = 1.., value_name = "PGS")]
    pgs: Vec<String>,

    /// People who get a page of their own, by IID
    #[arg(long, num_args = 1.., value_name = "IID")]
    person: Vec<String>,

    /// Sex and age (years) of people: columns IID, SEX, AGE; a .psam has SEX
    #[arg(long, value_name = "FILE", requires = "person")]
    people: Option<PathBuf>,

    /// Incidence by age and sex, mortality, and the ratio for a deviation of a score
    #[arg(long, value_name = "TOML")]
    risk: Option<PathBuf>,

    /// Directory for NAME_report.html, NAME_PERSON.html, NAME_report.json, NAME_prs_rs.tsv and NAME_people.tsv
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl ReportArguments {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let run = Run::begin();
        let files = Files::find(&self.results, &self.dataset)?;
        let facts = self.people.as_deref().map_or_else(|| Ok(Facts::new()), read_facts)?;
        let wanted = Wanted { scores: self.pgs.clone(), people: self.person.clone() };
        let results = Results::read(&files, &self.dataset, &wanted, &facts)?;
        let risks = self.risk.as_deref().map(RiskFile::read).transpose()?;
        let scoring_files = match self.scores.is_empty() {
            true => Vec::new(),
            false => scoring_files_of(&results, &catalog::scoring_paths(&self.scores)?),
        };
        let about = About::new(&results, &scoring_files, risks.as_ref())?;
        if let (Some(path), Some(risks)) = (&self.risk, &risks) {
            let has_risk = |score: &str| {
                results.scores.iter().any(|known| risks.of(&known.name).any(|risk| risk.score == score))
            };
            for risk in risks.risks.iter().filter(|risk| !has_risk(&risk.score)) {
                eprintln!("norn: {}: there is no score {} of {}", path.display(), risk.score, self.dataset);
            }
        }

        std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
        let mut outputs = Vec::new();
        let mut write = |name: String, text: &[u8]| -> anyhow::Result<()> {
            let path = self.output.join(name);
            write_file(&path, text)?;
            outputs.push(path);
            Ok(())
        };
        let dataset = file_name(&self.dataset);
        write(format!("{dataset}_report.html"), page::of_people(&about).as_bytes())?;
        let mut known = HashSet::from(["report".to_owned()]);
        for (number, name) in self.person.iter().enumerate() {
            let Some(text) = page::of_person(&about, number) else { continue };
            let name = file_name(name);
            if !known.insert(name.clone()) {
                bail!("two people would be on the page {dataset}_{name}.html");
            }
            write(format!("{dataset}_{name}.html"), text.as_bytes())?;
        }
        write(format!("{dataset}_report.json"), format!("{:#}\n", document::to_json(&about)).as_bytes())?;
        let mut items = Vec::new();
        document::write_items(&mut items, &about)?;
        write(format!("{dataset}_prs_rs.tsv"), &items)?;
        if !self.person.is_empty() {
            let mut people = Vec::new();
            document::write_persons(&mut people, &about)?;
            write(format!("{dataset}_people.tsv"), &people)?;
        }
        let more = [&self.risk, &self.people];
        let inputs: Vec<PathBuf> = files
            .paths()
            .into_iter()
            .chain(scoring_files)
            .chain(more.into_iter().flatten().cloned())
            .collect();
        let file = RunFile {
            command: "prs report",
            inputs: &inputs,
            checksum: false,
            parameters: json!({ "dataset": self.dataset, "scores": self.pgs }),
            outputs: &outputs,
            threads: 1,
            ranks: 1,
        };
        run.write(&self.output.join(format!("{dataset}_report.run.json")), &file)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn write_file(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text).map_err(|source| OutputError { path: path.to_owned(), source })?;
    Ok(file.commit()?)
}
