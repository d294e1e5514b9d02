//! The report of a night: a page, tables for people and programs, and a table for MultiQC.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::config::Step;
use super::figures::{FIGURES, SampleFigures};
use super::history::History;
use super::night::Night;
use super::relations::Relations;
use super::run_dir::RunDir;
use super::sheet::Sample;
use super::status::{Now, Status};
use crate::formats::output::{AtomicFile, OutputError};
use crate::report::html::{self, Markup, Tone, badge, numbers, section, table_head, table_row, words};
use crate::report::numbers::thousands;

/// All that a report tells.
#[derive(Debug)]
pub struct Report<'r> {
    night: &'r Night,
    status: &'r Status,
    rows: Vec<Row<'r>>,
    history: History,
    relations: Option<Relations>,
    /// Heads of the audit chains: part, hash.
    heads: Vec<(String, String)>,
}

#[derive(Debug)]
struct Row<'r> {
    sample: &'r Sample,
    figures: SampleFigures,
    /// Figures that stand out against earlier nights, with their robust deviations.
    outliers: Vec<(&'static str, f64)>,
    verdict: Verdict,
}

/// What a sample comes to, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Pass,
    Warn,
    Fail,
    /// A step failed, or was not run.
    Incomplete,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::Warn => "WARN",
            Verdict::Fail => "FAIL",
            Verdict::Incomplete => "INCOMPLETE",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Verdict::Pass => Tone::Good,
            Verdict::Warn => Tone::Caution,
            Verdict::Fail => Tone::Bad,
            Verdict::Incomplete => Tone::Plain,
        }
    }
}

impl<'r> Report<'r> {
    /// Of a night that stands so.
    pub fn new(
        night: &'r Night,
        run_dir: &RunDir,
        status: &'r Status,
        relations: Option<Relations>,
        heads: Vec<(String, String)>,
    ) -> Self {
        let run = &night.config.run;
        let history = run.history.as_deref();
        let history =
            history.map(|path| History::read(path, run.history_nights, run_dir.root())).unwrap_or_default();
        let row = |sample: &'r Sample| {
            let figures = SampleFigures::read(sample, run_dir);
            let out = |(&key, &value): (&&'static str, &f64)| Some((key, history.stands_out(key, value)?));
            let outliers: Vec<_> = figures.values.iter().filter_map(out).collect();
            let is_other = relations.as_ref().is_some_and(|all| all.of(&sample.name).next().is_some());
            let verdict = verdict(sample, &figures, &outliers, is_other, status);
            Row { sample, figures, outliers, verdict }
        };
        let rows = night.samples.iter().map(row).collect();
        Self { night, status, rows, history, relations, heads }
    }

    /// Writes `index.html`, `samples.tsv`, `summary.txt`, `norn_batch_mqc.tsv` and, with fingerprints, `pairs.tsv`.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), OutputError> {
        fs::create_dir_all(directory).map_err(|source| OutputError { path: directory.to_owned(), source })?;
        let pairs = self.relations.as_ref().map(|relations| ("pairs.tsv", relations.table.clone()));
        let files = [
            ("samples.tsv", self.table()),
            ("norn_batch_mqc.tsv", self.multiqc()),
            ("summary.txt", self.summary()),
            ("index.html", self.page()),
        ];
        for (name, text) in files.into_iter().chain(pairs) {
            let path = directory.join(name);
            let mut file = AtomicFile::create(&path)?;
            file.write_all(text.as_bytes()).map_err(|source| OutputError { path: path.clone(), source })?;
            file.commit()?;
        }
        Ok(())
    }

    /// A line a sample.
    fn table(&self) -> String {
        let steps: Vec<Step> = self.status.steps.iter().map(|(step, _)| *step).collect();
        let mut text =
            String::from("sample\tpatient\tverdict\tkaryotype\tsex_told\tstands_out\tbelow_thresholds");
        steps.iter().for_each(|step| text += &format!("\t{}", step.name()));
        FIGURES.iter().for_each(|figure| text += &format!("\t{}", figure.key));
        text.push('\n');
        for row in &self.rows {
            let listed = |names: Vec<&str>| if names.is_empty() { ".".to_owned() } else { names.join(",") };
            text += &[
                row.sample.name.clone(),
                row.sample.patient.clone(),
                row.verdict.word().to_owned(),
                row.figures.karyotype.clone().unwrap_or_else(|| ".".to_owned()),
                row.sample.sex.clone().unwrap_or_else(|| ".".to_owned()),
                listed(row.outliers.iter().map(|(key, _)| *key).collect()),
                listed(row.figures.checks.iter().map(|(key, _)| key.as_str()).collect()),
            ]
            .join("\t");
            for step in &steps {
                text += &format!("\t{}", self.of(row.sample, *step).map_or(".", Now::word));
            }
            for figure in &FIGURES {
                let value = row.figures.values.get(figure.key);
                text += &value.map_or("\t.".to_owned(), |value| format!("\t{value}"));
            }
            text.push('\n');
        }
        text
    }

    /// MultiQC's custom content: a table of its own.
    fn multiqc(&self) -> String {
        let mut text = String::from(
            "# id: norn_batch\n# section_name: norn batch\n# description: Verdicts of the night and the figures that they rest on.\n\
             # plot_type: table\n# pconfig:\n#   id: norn_batch_table\n#   title: \"norn batch: samples\"\n",
        );
        let told: Vec<_> = FIGURES.iter().filter(|figure| self.has(figure.key)).collect();
        text += "Sample\tVerdict";
        told.iter().for_each(|figure| text += &format!("\t{}", figure.key));
        text.push('\n');
        for row in &self.rows {
            text += &format!("{}\t{}", row.sample.name, row.verdict.word());
            for figure in &told {
                text +=
                    &row.figures.values.get(figure.key).map_or("\t".to_owned(), |value| format!("\t{value}"));
            }
            text.push('\n');
        }
        text
    }

    /// Some lines for a mail.
    fn summary(&self) -> String {
        let mut text = format!("{} samples", self.rows.len());
        for verdict in [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Incomplete] {
            text += &format!(", {} {}", self.count(verdict), verdict.word());
        }
        text += &format!("; {} left out for want of consent\n", self.night.left_out.len());
        text + &self.status.to_text(false)
    }

    fn page(&self) -> String {
        let mut body = Markup::new();
        body.element("header", &[], |m| self.header(m));
        body.newline();
        body.element("main", &[], |m| {
            section(m, "samples", "Samples", |m| self.samples(m));
            if !self.status.failures.is_empty() {
                section(m, "failures", "What failed", |m| self.failures(m));
            }
            if let Some(relations) = &self.relations {
                section(m, "people", "People", |m| people(m, relations));
            }
            section(m, "steps", "Steps", |m| self.steps(m));
        });
        body.element("footer", &[], |m| {
            m.text("Made by norn batch. Figures are defined in docs/qc.md and docs/annotate.md. ");
            for (part, head) in &self.heads {
                let part = if part.is_empty() { String::new() } else { format!(" of part {part}") };
                m.text(&format!("Head of the audit chain{part}: {head}. "));
            }
        });
        html::page("A night of norn batch", &body)
    }

    fn header(&self, m: &mut Markup) {
        m.leaf("p", &[("class", "kicker")], "Batch");
        m.element("div", &[("class", "title")], |m| {
            m.leaf("h1", &[], "The night");
            let worst = self.rows.iter().map(|row| row.verdict).max().unwrap_or(Verdict::Pass);
            badge(m, worst.tone(), worst.word());
        });
        m.element("ul", &[("class", "facts")], |m| {
            let mut fact = |what: &str, value: String| {
                m.element("li", &[], |m| {
                    m.text(what);
                    m.text(" ");
                    m.leaf("b", &[], &value);
                });
            };
            fact("Samples", thousands(self.rows.len() as u64));
            for verdict in [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Incomplete] {
                fact(verdict.word(), thousands(self.count(verdict) as u64));
            }
            if !self.night.left_out.is_empty() {
                fact("Left out for want of consent", thousands(self.night.left_out.len() as u64));
            }
            if self.history.nights > 0 {
                fact("Earlier nights compared with", thousands(self.history.nights as u64));
            }
        });
    }

    fn samples(&self, m: &mut Markup) {
        let told: Vec<_> = FIGURES.iter().filter(|figure| self.has(figure.key)).collect();
        let mut columns = vec![words("sample"), words("verdict"), words("what to look at"), words("sex")];
        columns.extend(told.iter().map(|figure| numbers(figure.name)));
        columns.push(words("pages"));
        let mut rows: Vec<&Row<'_>> = self.rows.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.verdict));
        m.element("div", &[("class", "scroll")], |m| {
            m.element("table", &[], |m| {
                let meanings: Vec<_> =
                    told.iter().map(|figure| format!("{}: {}", figure.name, figure.meaning)).collect();
                m.leaf("caption", &[], &format!("Worst first. {}.", meanings.join("; ")));
                table_head(m, &columns);
                m.element("tbody", &[], |m| {
                    for row in rows {
                        let mut cells = vec![
                            bdi(&row.sample.name),
                            Markup::new(),
                            Markup::of(&self.remarks(row)),
                            sex(row),
                        ];
                        badge(&mut cells[1], row.verdict.tone(), row.verdict.word());
                        for figure in &told {
                            let value = row.figures.values.get(figure.key);
                            cells.push(Markup::of(&value.map_or(String::new(), |value| figure.text(*value))));
                        }
                        let mut pages = Markup::new();
                        for (name, path) in &row.figures.pages {
                            pages.leaf("a", &[("href", &format!("../{path}"))], name);
                            pages.text(" ");
                        }
                        cells.push(pages);
                        table_row(m, &[], &columns, 0, &cells);
                    }
                });
            });
        });
    }

    fn remarks(&self, row: &Row<'_>) -> String {
        let mut remarks: Vec<String> = row
            .figures
            .checks
            .iter()
            .map(|(key, status)| format!("{key} {}", status.to_lowercase()))
            .collect();
        for (key, away) in &row.outliers {
            remarks.push(format!("{key} is {:+.1} deviations from earlier nights", away));
        }
        if row.figures.has_other_sex(row.sample) {
            remarks.push("sex is not the sheet's".to_owned());
        }
        for surprise in self.relations.iter().flat_map(|relations| relations.of(&row.sample.name)) {
            let other = surprise.samples.iter().find(|name| **name != row.sample.name);
            let other = other.map_or("another", String::as_str);
            remarks.push(format!("to {other} {}, not {}", surprise.found.name(), surprise.expected_words()));
        }
        for (step, _) in &self.status.steps {
            if let Some(now) = self.of(row.sample, *step).filter(|now| *now != Now::Done) {
                remarks.push(format!("{} {}", step.name(), now.word()));
            }
        }
        remarks.join("; ")
    }

    fn failures(&self, m: &mut Markup) {
        let columns = [words("sample"), words("step"), words("why")];
        let rows: Vec<Vec<Markup>> = self
            .status
            .failures
            .iter()
            .map(|failure| vec![bdi(&failure.sample), Markup::of(&failure.step), Markup::of(&failure.why)])
            .collect();
        html::table(m, "Messages of the commands are in logs/.", &columns, &rows);
    }

    fn steps(&self, m: &mut Markup) {
        let columns = [
            words("step"),
            numbers("done"),
            numbers("waiting"),
            numbers("failed"),
            numbers("GB read"),
            numbers("CPU s"),
            numbers("most memory, MB"),
        ];
        let rows: Vec<Vec<Markup>> = self
            .status
            .steps
            .iter()
            .map(|(step, status)| {
                let [done, running, waiting, failed] = status.counts;
                [
                    step.name().to_owned(),
                    thousands(done as u64),
                    thousands((waiting + running) as u64),
                    thousands(failed as u64),
                    format!("{:.2}", status.bytes.0 as f64 / 1e9),
                    format!("{:.1}", status.cpu_seconds),
                    thousands(status.peak_memory >> 20),
                ]
                .map(|text| Markup::of(&text))
                .to_vec()
            })
            .collect();
        html::table(m, "Tasks of each step; large files are several tasks.", &columns, &rows);
    }

    fn of(&self, sample: &Sample, step: Step) -> Option<Now> {
        let (_, steps) = self.status.samples.iter().find(|(name, _)| *name == sample.name)?;
        steps.get(&step).copied()
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }

    fn has(&self, key: &str) -> bool {
        self.rows.iter().any(|row| row.figures.values.contains_key(key))
    }
}

/// Pairs that are not as expected.
fn people(m: &mut Markup, relations: &Relations) {
    let columns = [words("sample"), words("sample"), words("expected"), words("found")];
    let row = |surprise: &super::relations::Surprise| {
        let [a, b] = &surprise.samples;
        vec![bdi(a), bdi(b), Markup::of(surprise.expected_words()), Markup::of(surprise.found.name())]
    };
    let rows: Vec<Vec<Markup>> = relations.surprises.iter().map(row).collect();
    let pairs = thousands(relations.pairs as u64);
    if rows.is_empty() {
        m.leaf("p", &[], &format!("All {pairs} pairs are as expected, by fingerprints (pairs.tsv)."));
        return;
    }
    let count = thousands(rows.len() as u64);
    let caption = format!("{count} of {pairs} pairs are not as expected, by fingerprints (pairs.tsv).");
    html::table(m, &caption, &columns, &rows);
}

fn verdict(
    sample: &Sample,
    figures: &SampleFigures,
    outliers: &[(&str, f64)],
    is_other: bool,
    status: &Status,
) -> Verdict {
    let steps = status.samples.iter().find(|(name, _)| *name == sample.name).map(|(_, steps)| steps);
    let is_complete = steps.is_some_and(|steps| steps.values().all(|now| *now == Now::Done));
    match figures.verdict.as_deref() {
        Some("FAIL") => Verdict::Fail,
        _ if is_other => Verdict::Fail,
        _ if !is_complete => Verdict::Incomplete,
        Some("WARN") => Verdict::Warn,
        _ if !outliers.is_empty() || figures.has_other_sex(sample) => Verdict::Warn,
        _ => Verdict::Pass,
    }
}

fn sex(row: &Row<'_>) -> Markup {
    let found = row.figures.karyotype.as_deref().unwrap_or_default();
    match &row.sample.sex {
        Some(told) if row.figures.has_other_sex(row.sample) => Markup::of(&format!("{found}, not {told}")),
        _ => Markup::of(found),
    }
}

fn bdi(text: &str) -> Markup {
    let mut markup = Markup::new();
    markup.leaf("bdi", &[], text);
    markup
}
