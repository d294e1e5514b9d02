//! The PGS Catalog's own tools, pgscatalog-utils 2.0.4 and fraposa-pgsc 1.0.2, and pyliftover 0.4.1.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{is_ci, root};

/// A program of their environment; `None`, said by name, where it is not there. CI must have it.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = root().join("target/pgs-venv/bin").join(name);
    assert!(path.is_file() || !is_ci(), "{name} is not installed");
    if !path.is_file() {
        eprintln!("skipped: {name} of pgscatalog-utils (make test installs it)");
    }
    path.is_file().then_some(path)
}

/// Scoring files by the build that they are matched in, each made into what pgscatalog-match takes.
pub fn format(scores: &[(&str, Vec<PathBuf>)], into: &Path) -> Option<Vec<PathBuf>> {
    let program = program("pgscatalog-format")?;
    for (build, files) in scores {
        run(Command::new(&program).args(["-t", build, "-o"]).arg(into).arg("-s").args(files));
    }
    let mut files: Vec<PathBuf> =
        fs::read_dir(into).expect("directory").map(|entry| entry.expect("entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension != "json"));
    files.sort();
    Some(files)
}

/// A scoring file in GRCh38 as pgscatalog-format writes it.
pub fn format_with(scores: &[PathBuf], into: &Path, options: &[&str]) -> Option<PathBuf> {
    let program = program("pgscatalog-format")?;
    fs::create_dir_all(into).expect("directory");
    run(Command::new(&program).args(["-t", "GRCh38", "-o"]).arg(into).args(options).arg("-s").args(scores));
    let files = fs::read_dir(into).expect("directory").map(|entry| entry.expect("entry").path());
    files.into_iter().find(|file| file.extension().is_some_and(|extension| extension != "json"))
}

/// The log and the summary of pgscatalog-match, lines as they are written but for those of names.
pub fn matched(
    scores: &[PathBuf],
    pvar: &Path,
    into: &Path,
    options: &[&str],
) -> Option<(Vec<String>, Vec<String>)> {
    let program = program("pgscatalog-match")?;
    let directory = tempfile::tempdir_in(into).expect("directory");
    // It fails where no score passes, but says all the same what became of each.
    let status = Command::new(program)
        .args(["-d", "set", "-t"])
        .arg(pvar)
        .arg("--outdir")
        .arg(directory.path())
        .args(options)
        .arg("-s")
        .args(scores)
        .stderr(Stdio::null())
        .status();
    status.expect("pgscatalog-match starts");
    let read = |name: &str| lines(&directory.path().join(name));
    Some((read("set_log.csv.gz"), read("set_summary.csv")))
}

fn lines(path: &Path) -> Vec<String> {
    let mut reader =
        norn::formats::text::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut line, mut lines) = (Vec::new(), Vec::new());
    while norn::formats::text::read_line(&mut *reader, &mut line).expect("line") {
        lines.push(String::from_utf8(line.clone()).expect("UTF-8"));
    }
    lines.split_off(1)
}

/// Where pyliftover has positions (0-based) in the other build; `-` for nowhere.
pub fn lifted(chains: &Path, positions: &[(&str, u64)]) -> Option<Vec<String>> {
    const SCRIPT: &str = "import sys, pyliftover\n\
        chains = pyliftover.LiftOver(sys.argv[1])\n\
        for line in sys.stdin:\n\
        \x20   contig, position = line.split()\n\
        \x20   found = chains.convert_coordinate(contig, int(position))\n\
        \x20   print('%s %d %s' % found[0][:3] if found else '-')\n";
    let mut child = Command::new(program("python3")?)
        .args(["-c", SCRIPT])
        .arg(chains)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let text: String = positions.iter().map(|(contig, position)| format!("{contig} {position}\n")).collect();
    let mut input = child.stdin.take().expect("stdin");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).expect("positions"));
    let output = child.wait_with_output().expect("Python ends");
    writer.join().expect("writer");
    assert!(output.status.success(), "pyliftover");
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn run(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
