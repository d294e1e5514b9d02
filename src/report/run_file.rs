//! SAMPLE.run.json: what a result was made by, from what, when and where. All that varies between runs stands here and
//! nowhere else.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::formats::checksum::blake3_of;
use crate::formats::output::{AtomicFile, OutputError};

/// Why a run file could not be made.
#[derive(Debug, Error)]
pub enum RunFileError {
    /// An input could not be read for its checksum.
    #[error("{path}: {source}", path = path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// A run, from its beginning on.
#[derive(Clone, Debug)]
pub struct Run {
    begun: SystemTime,
    clock: Instant,
}

/// What is told of a finished run.
#[derive(Debug)]
pub struct RunFile<'r> {
    /// The subcommand, e.g. `qc`.
    pub command: &'r str,
    /// The files that were read.
    pub inputs: &'r [PathBuf],
    /// Whether the inputs' BLAKE3 is taken, which reads them once more.
    pub checksum: bool,
    /// The effective parameters.
    pub parameters: Json,
    /// The files that were written.
    pub outputs: &'r [PathBuf],
    /// Worker threads of each rank.
    pub threads: usize,
    /// Ranks.
    pub ranks: usize,
}

impl Run {
    /// The run begins now.
    pub fn begin() -> Self {
        Self { begun: SystemTime::now(), clock: Instant::now() }
    }

    /// Writes the run file.
    ///
    /// # Errors
    /// An input cannot be read, or the file cannot be written.
    pub fn write(&self, path: &Path, run: &RunFile<'_>) -> Result<(), RunFileError> {
        let inputs =
            run.inputs.iter().map(|path| input(path, run.checksum)).collect::<Result<Vec<_>, _>>()?;
        let time = |time: SystemTime| humantime::format_rfc3339_seconds(time).to_string();
        let usage = usage();
        let document = json!({
            "tool": "norn",
            "version": env!("CARGO_PKG_VERSION"),
            "command": run.command,
            "command_line": std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>(),
            "working_directory": std::env::current_dir().ok(),
            "parameters": run.parameters,
            "inputs": inputs,
            "outputs": run.outputs,
            "threads": run.threads,
            "ranks": run.ranks,
            "started": time(self.begun),
            "finished": time(SystemTime::now()),
            "wall_seconds": (self.clock.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            "cpu_seconds": usage.0,
            "peak_memory_bytes": usage.1,
            "host": host(),
            "slurm_job": std::env::var("SLURM_JOB_ID").ok(),
        });
        let mut file = AtomicFile::create(path)?;
        file.write_all(format!("{document:#}\n").as_bytes())
            .map_err(|source| OutputError { path: path.to_owned(), source })?;
        Ok(file.commit()?)
    }
}

fn input(path: &Path, checksum: bool) -> Result<Json, RunFileError> {
    let Ok(metadata) = fs::metadata(path).map(|metadata| metadata.is_file().then_some(metadata)) else {
        return Ok(json!({"path": path}));
    };
    let Some(metadata) = metadata else { return Ok(json!({"path": path})) };
    let modified = metadata.modified().ok().map(|time| humantime::format_rfc3339_seconds(time).to_string());
    let mut input = json!({"path": path, "bytes": metadata.len(), "modified": modified});
    if checksum {
        let (hash, _) =
            blake3_of(path).map_err(|source| RunFileError::Input { path: path.to_owned(), source })?;
        input["blake3"] = hash.into();
    }
    Ok(input)
}

/// CPU seconds of all threads, and the greatest resident memory in bytes, of this process.
fn usage() -> (f64, u64) {
    // SAFETY: an all-zero rusage is a valid one, and getrusage writes to nothing but it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    // Linux counts in KiB.
    (seconds(usage.ru_utime) + seconds(usage.ru_stime), (usage.ru_maxrss as u64).saturating_mul(1024))
}

/// The name of this machine, where the system tells.
pub fn host() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_names_inputs_with_size_and_checksum() {
        let directory = tempfile::tempdir().unwrap();
        let (input, file) = (directory.path().join("in"), directory.path().join("x.run.json"));
        fs::write(&input, b"abc").unwrap();
        let inputs = [input, PathBuf::from("-")];
        let run = RunFile {
            command: "qc",
            inputs: &inputs,
            checksum: true,
            parameters: json!({"by": 500}),
            outputs: &[],
            threads: 2,
            ranks: 1,
        };
        Run::begin().write(&file, &run).unwrap();
        let read: Json = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(read["inputs"][0]["bytes"], 3);
        // BLAKE3's published test vector style: `printf abc | b3sum`.
        let abc = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        assert_eq!(read["inputs"][0]["blake3"], abc);
        assert_eq!(read["inputs"][1], json!({"path": "-"}));
        assert!(read["started"].as_str().unwrap().ends_with('Z'));
    }
}
