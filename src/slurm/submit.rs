//! Hands a script to sbatch.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use super::options::SbatchOptions;

/// Why a job was not submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// There is no sbatch.
    #[error(
        "sbatch is not on the PATH: a login node of the cluster has it; --dry-run shows the script without it"
    )]
    NoSbatch,
    /// It cannot be started, or does not listen.
    #[error("sbatch: {0}")]
    Start(#[from] io::Error),
    /// It did not take the job.
    #[error("sbatch refuses: {0}")]
    Refused(String),
    /// It took the job, and said something else than a number.
    #[error("sbatch says {0:?}, where the number of a job was expected")]
    Answer(String),
}

/// A job that waits in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Its number.
    pub job: String,
    /// What sbatch had to say besides.
    pub warnings: Vec<String>,
}

/// Submits a script. Its options are on sbatch's command line, too: there they go before those of `SBATCH_` variables.
///
/// # Errors
/// There is no sbatch, or it does not take the job.
pub fn submit(script: &str, options: &SbatchOptions) -> Result<Submitted, SubmitError> {
    let mut sbatch = Command::new("sbatch");
    sbatch
        .arg("--parsable")
        .args(options.words())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = sbatch.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SubmitError::NoSbatch,
        _ => SubmitError::Start(error),
    })?;
    // One that refuses its options does not read the script; what it says tells more than a broken pipe.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<String> =
        said.lines().map(without_prefix).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if !output.status.success() {
        let why = if said.is_empty() { format!("it ended with {}", output.status) } else { said.join("; ") };
        return Err(SubmitError::Refused(why));
    }
    // The number, and the cluster behind a semicolon where there are several.
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let job = answer.split(';').next().unwrap_or_default().to_owned();
    if job.is_empty() || !job.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SubmitError::Answer(answer));
    }
    Ok(Submitted { job, warnings: said })
}

fn without_prefix(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix("sbatch: ").unwrap_or(line);
    line.strip_prefix("error: ").unwrap_or(line)
}
