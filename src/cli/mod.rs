//! The command line: arguments to a plan, a plan to one call.

mod annotate;
mod batch;
mod db;
mod gene_files;
mod haplotypes;
mod phenotypes;
mod prs;
mod qc;
mod relate;
mod residues;
mod slurm;
mod variants;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use crate::compute::communicator::Communicator;
use clap::{CommandFactory, Parser, Subcommand};

/// Exit codes of all commands.
mod exit {
    /// Something failed that is nobody's input: a disk, the network of a cluster.
    pub const FAILURE: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// An input is bad.
    pub const BAD_INPUT: u8 = 3;
    /// Done, but below the stated thresholds.
    pub const BELOW_THRESHOLDS: u8 = 4;
    /// Stopped as told; to be run again (EX_TEMPFAIL of sysexits.h).
    pub const TRY_AGAIN: u8 = 75;
}

/// Alignment QC, variant post-processing, annotation and polygenic scores for genome centres.
#[derive(Debug, Parser)]
#[command(name = "norn", version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Annotate(Box<annotate::AnnotateArguments>),
    Batch(batch::BatchArguments),
    Db(db::DbArguments),
    Prs(prs::PrsArguments),
    Qc(Box<qc::QcArguments>),
    Relate(relate::RelateArguments),
    Slurm(slurm::SlurmArguments),
    Variants(Box<variants::VariantsArguments>),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// Parses the command line, runs the command, and says how it ended.
pub fn run() -> ExitCode {
    crate::batch::orphan::end_with_run();
    let arguments = match Arguments::try_parse_from(plugin_words(std::env::args_os().collect())) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let result = match arguments.command {
        Command::Annotate(arguments) => on_ranks(|ranks| arguments.run(ranks)),
        Command::Batch(arguments) => on_ranks(|ranks| arguments.run(ranks)),
        Command::Db(arguments) => arguments.run(),
        Command::Prs(arguments) => arguments.run(),
        Command::Qc(arguments) => on_ranks(|ranks| arguments.run(ranks)),
        Command::Completions { shell } => completions(shell),
        Command::Man => manual(),
        Command::Relate(arguments) => arguments.run(),
        Command::Slurm(arguments) => arguments.run(),
        Command::Variants(arguments) => on_ranks(|ranks| arguments.run(ranks)),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("norn: {}", told(&error));
            ExitCode::from(code_of(&error))
        }
    }
}

/// Whether the words of a command, without the binary's, are a command line.
///
/// # Errors
/// What is wrong, in a line.
fn understood<'w>(words: impl Iterator<Item = &'w str>) -> Result<(), String> {
    let words = std::iter::once("norn").chain(words).map(OsString::from).collect();
    match Arguments::try_parse_from(plugin_words(words)) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Err(line.strip_prefix("error: ").unwrap_or(line).to_owned())
        }
    }
}

/// Short options of bcftools' plugins that mean something else among our other options, and the long ones for them.
const PLUGIN_OPTIONS: [(&str, &[(char, &str)]); 6] = [
    ("+fill-tags", &[('t', "--tags")]),
    (
        "+setGT",
        &[('t', "--target-gt"), ('n', "--new-gt"), ('s', "--seed"), ('i', "--include"), ('e', "--exclude")],
    ),
    // All of theirs are ours.
    ("+mendelian2", &[]),
    ("mendelian2", &[]),
    ("+trio-dnm2", &[]),
    ("trio-dnm2", &[]),
];

/// bcftools has plugins' options behind a `--`; ours stand among the others.
fn plugin_words(mut words: Vec<OsString>) -> Vec<OsString> {
    let plugin = words.get(2).and_then(|word| word.to_str());
    let options = PLUGIN_OPTIONS.iter().find(|(name, _)| Some(*name) == plugin).map(|(_, options)| *options);
    let (Some(options), Some(at)) = (options, words.iter().position(|word| word == "--")) else {
        return words;
    };
    if words.get(1).is_none_or(|word| word != "variants") {
        return words;
    }
    let behind = words.split_off(at + 1);
    words.pop();
    for word in behind {
        let mut letters = word.to_str().unwrap_or_default().chars();
        let long = match (letters.next(), letters.next()) {
            (Some('-'), Some(letter)) => {
                options.iter().find(|(short, _)| *short == letter).map(|(_, long)| *long)
            }
            _ => None,
        };
        match (long, letters.as_str()) {
            (Some(long), "") => words.push(long.into()),
            (Some(long), value) => words.push(format!("{long}={value}").into()),
            (None, _) => words.push(word),
        }
    }
    words
}

/// Runs a command on the ranks that the launcher started. An error of one rank ends all of them.
fn on_ranks(command: impl FnOnce(&Communicator) -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let ranks = Communicator::from_environment()?;
    match command(&ranks) {
        Err(error) if ranks.size() > 1 => {
            // What is wrong for all is told once, by rank 0.
            if !ranks.is_root() {
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
            ranks.fail(&told(&error), i32::from(code_of(&error)))
        }
        result => result,
    }
}

/// An error with its causes, but those that it tells itself.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "norn", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn manual() -> anyhow::Result<ExitCode> {
    clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// Errors of the inputs are 3; of the system, 1; of the command line, 2.
fn code_of(error: &anyhow::Error) -> u8 {
    use crate::batch::lock::LockError;
    use crate::batch::purge::PurgeError;
    use crate::batch::run::RunError;
    use crate::formats::indexed::IndexedError;
    use crate::formats::ndb::NdbError;
    use crate::formats::output::OutputError;
    use crate::qc::job::JobError;
    use crate::qc::outputs::OutputsError;
    use crate::records::pipeline::PipelineError;
    use crate::slurm::SlurmError;
    use crate::slurm::submit::SubmitError;
    if error.downcast_ref::<qc::UsageError>().is_some()
        || error.downcast_ref::<SlurmError>().is_some_and(SlurmError::is_usage)
    {
        exit::USAGE
    } else if matches!(
        error.downcast_ref(),
        Some(JobError::Outputs(OutputsError::Output(_) | OutputsError::Directory { .. }))
    ) || error.downcast_ref::<OutputError>().is_some()
        || matches!(error.downcast_ref(), Some(PipelineError::Write(IndexedError::Output(_))))
        || matches!(error.downcast_ref(), Some(IndexedError::Output(_)))
        || matches!(error.downcast_ref(), Some(NdbError::Output(_)))
        || error.downcast_ref::<RunError>().is_some_and(|error| !error.is_of_input())
        || matches!(error.downcast_ref(), Some(PurgeError::Lock(_)))
        || error.downcast_ref::<LockError>().is_some()
        || error.downcast_ref::<SubmitError>().is_some()
    {
        exit::FAILURE
    } else {
        exit::BAD_INPUT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_has_two_meanings() {
        // clap looks only where its assertions are built in, which the profiles of tests have.
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_of_plugins_are_found_behind_their_dashes() {
        for (typed, expected) in [
            (
                "norn variants +fill-tags in.vcf -t 1 -- -t AC -d",
                "norn variants +fill-tags in.vcf -t 1 --tags AC -d",
            ),
            (
                "norn variants +setGT in.vcf -- -tq -n .",
                "norn variants +setGT in.vcf --target-gt=q --new-gt .",
            ),
            ("norn variants +fill-tags in.vcf", "norn variants +fill-tags in.vcf"),
            (
                "norn variants +mendelian2 in.vcf -- -P ped -m a",
                "norn variants +mendelian2 in.vcf -P ped -m a",
            ),
            ("norn variants trio-dnm2 in.vcf -- -n", "norn variants trio-dnm2 in.vcf -n"),
            ("norn qc -- a", "norn qc -- a"),
        ] {
            let words: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            let found: Vec<String> =
                plugin_words(words).iter().map(|word| word.to_string_lossy().into_owned()).collect();
            assert_eq!(found.join(" "), expected);
        }
    }
}
