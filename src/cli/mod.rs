//! The command line: arguments to a plan, a plan to one call.

mod qc;
mod relate;
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
    Qc(Box<qc::QcArguments>),
    Relate(relate::RelateArguments),
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
    let arguments = match Arguments::try_parse_from(plugin_words(std::env::args_os().collect())) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let result = match arguments.command {
        Command::Qc(arguments) => on_ranks(|ranks| arguments.run(ranks)),
        Command::Completions { shell } => completions(shell),
        Command::Man => manual(),
        Command::Relate(arguments) => arguments.run(),
        Command::Variants(arguments) => arguments.run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("norn: {error:#}");
            ExitCode::from(code_of(&error))
        }
    }
}

/// bcftools has plugins' options behind a `--`; ours stand among the others.
fn plugin_words(mut words: Vec<OsString>) -> Vec<OsString> {
    let is_plugin = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with('+'));
    if words.get(1).is_some_and(|word| word == "variants")
        && words.get(2).is_some_and(is_plugin)
        && let Some(at) = words.iter().position(|word| word == "--")
    {
        let options = words.split_off(at + 1);
        words.pop();
        words.splice(3..3, options);
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
            ranks.fail(&format!("{error:#}"), i32::from(code_of(&error)))
        }
        result => result,
    }
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
    use crate::formats::indexed::IndexedError;
    use crate::formats::output::OutputError;
    use crate::qc::job::JobError;
    use crate::qc::outputs::OutputsError;
    use crate::variants::pipeline::PipelineError;
    if error.downcast_ref::<qc::UsageError>().is_some() {
        exit::USAGE
    } else if matches!(
        error.downcast_ref(),
        Some(JobError::Outputs(OutputsError::Output(_) | OutputsError::Directory { .. }))
    ) || error.downcast_ref::<OutputError>().is_some()
        || matches!(error.downcast_ref(), Some(PipelineError::Write(IndexedError::Output(_))))
        || matches!(error.downcast_ref(), Some(IndexedError::Output(_)))
    {
        exit::FAILURE
    } else {
        exit::BAD_INPUT
    }
}
