//! `norn variants validate`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::cli::qc::UsageError;
use crate::formats::text;
use crate::variants::validate::{self, Report, Rule};

/// Exit code of a file that breaks a rule.
const BROKEN: u8 = 3;

/// Hold a VCF or BCF against the specification (4.1 to 4.5); every rule that it breaks is named.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// VCF or BCF, plain, gzipped or BGZF; `-` is standard input
    #[arg(default_value = "-", value_name = "IN.vcf.gz|-")]
    input: PathBuf,

    /// Print so many of the places where rules are broken; all are counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    show: usize,

    /// Do not look at these rules
    #[arg(long, value_name = "RULE,...", value_delimiter = ',')]
    allow: Vec<String>,

    /// Print the rules and stop
    #[arg(long)]
    rules: bool,
}

impl ValidateArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        if self.rules {
            let rules: String = Rule::all().map(|(name, demand)| format!("{name}\t{demand}\n")).collect();
            io::stdout().write_all(rules.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let rule = |name: &String| {
            let unknown =
                || UsageError::new(format!("--allow: there is no rule {name:?} (--rules lists them)"));
            Rule::parse(name).ok_or_else(unknown)
        };
        let allowed = self.allow.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        let name = self.input.display().to_string();
        let path = if name == "-" { Path::new("/dev/stdin") } else { &self.input };
        let mut reader = text::open(path).with_context(|| name.clone())?;
        let report = validate::validate(&mut *reader, self.show, allowed).with_context(|| name.clone())?;
        io::stdout().write_all(printed(&report, &name).as_bytes())?;
        Ok(if report.total() == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
    }
}

/// The first places, then how often each rule is broken.
fn printed(report: &Report, name: &str) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        out += &format!("{name}, line {}: {}: {}\n", problem.line, problem.rule.name(), problem.what);
    }
    for (rule, count) in &report.counts {
        out += &format!("{count}\t{}\t{}\n", rule.name(), rule.demand());
    }
    if report.total() == 0 {
        out += &format!("{name}: {} lines, no rule is broken\n", report.lines);
    }
    out
}
