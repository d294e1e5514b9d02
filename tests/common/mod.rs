#![allow(dead_code)] // each test file uses its part

//! Running our binary and its peers, and comparing what they write.

pub mod ancestry;
pub mod bcftools;
pub mod compared;
pub mod genes;
pub mod genotypes;
pub mod made;
pub mod pages;
pub mod pgscatalog;
pub mod plink;
pub mod variant_files;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use noodles::bgzf;

/// The crate's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The shared data, where they are: NORN_SHARED_DATA, else beside the project.
pub fn shared_data() -> Option<PathBuf> {
    let path =
        std::env::var_os("NORN_SHARED_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    path.is_dir().then_some(path)
}

/// mpirun with so many ranks of our binary.
pub fn mpirun(ranks: &str) -> Option<Command> {
    if std::env::var_os("NORN_MPI").is_none() {
        eprintln!("skipped: MPI (built without it; NORN_MPI=1 with --features mpi)");
        return None;
    }
    let mut command = Command::new("mpirun");
    command.args(["--oversubscribe", "-n", ranks]).arg(env!("CARGO_BIN_EXE_norn"));
    for name in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] {
        command.env(name, "1");
    }
    Some(command)
}

/// Whether this is CI, where every peer must be there.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Whether a program is on the PATH. Missing peers are skipped by name, but not in CI.
pub fn has(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()));
    assert!(found || !is_ci(), "{program} is not installed");
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

/// Runs our binary.
pub fn norn(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_norn")).args(arguments).output().expect("norn starts")
}

/// Runs our binary, which must succeed.
pub fn norn_ok(arguments: &[&str]) -> Output {
    let output = norn(arguments);
    assert!(output.status.success(), "norn {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What a peer prints on stdout.
pub fn peer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("peer starts");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A file's text, decompressed where its name ends in `.gz`.
pub fn text(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut text = String::new();
    bgzf::io::Reader::new(&bytes[..]).read_to_string(&mut text).expect("BGZF");
    text
}

/// All files of a folder but the run file and temporary ones, by name without the sample's.
pub fn files(directory: &Path) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("directory") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        if let Some((_, kind)) = name.split_once('.')
            && kind != "run.json"
        {
            files.insert(kind.to_owned(), path);
        }
    }
    files
}

/// Lines that do not begin with `#`.
pub fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// The first lines in which two texts differ; `None` where they are equal.
pub fn difference(theirs: &str, ours: &str) -> Option<String> {
    if theirs == ours {
        return None;
    }
    let mut report = format!("{} lines of theirs, {} of ours", theirs.lines().count(), ours.lines().count());
    let pairs = theirs.lines().zip(ours.lines()).enumerate().filter(|(_, (a, b))| a != b);
    for (i, (a, b)) in pairs.take(4) {
        report += &format!("\n  line {}:\n    theirs {a}\n    ours   {b}", i + 1);
    }
    Some(report)
}

/// Uncompressed reference with its dictionary, as Picard wants it, kept under target/.
pub fn picard_reference(reference: &Path) -> PathBuf {
    // Tests that run at once make it once.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().expect("no test has failed in here");
    let directory = root().join("target/peers");
    fs::create_dir_all(&directory).expect("directory");
    let stem = reference.file_name().expect("name").to_string_lossy().replace(".gz", "");
    let plain = directory.join(&stem);
    let dictionary = plain.with_extension("dict");
    if !dictionary.is_file() {
        let contigs = fs::read_to_string(format!("{}.fai", reference.display())).expect("fai");
        let names: Vec<&str> = contigs.lines().filter_map(|line| line.split('\t').next()).collect();
        let mut arguments = vec!["faidx", reference.to_str().expect("UTF-8")];
        arguments.extend(names);
        fs::write(&plain, peer("samtools", &arguments)).expect("reference");
        let plain = plain.to_str().expect("UTF-8");
        peer("samtools", &["faidx", plain]);
        peer("samtools", &["dict", "-o", dictionary.to_str().expect("UTF-8"), plain]);
    }
    plain
}

/// BED as Picard takes it: 1-based, behind the alignment's header.
pub fn interval_list(bed: &str, header: &str) -> String {
    let mut text: String = header
        .lines()
        .filter(|line| line.starts_with("@HD") || line.starts_with("@SQ"))
        .map(|l| format!("{l}\n"))
        .collect();
    for line in bed.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let start: u64 = columns[1].parse().expect("start");
        let name = columns.get(3).unwrap_or(&".");
        let strand = columns.get(5).unwrap_or(&"+");
        text += &format!("{}\t{}\t{}\t{strand}\t{name}\n", columns[0], start + 1, columns[2]);
    }
    text
}

/// A Picard metrics file: the rows of the metrics table by column, and the histogram's header and rows.
#[derive(Debug, Default, PartialEq)]
pub struct PicardFile {
    pub metrics: Vec<BTreeMap<String, String>>,
    pub histogram: Vec<Vec<String>>,
}

/// Parses a Picard metrics file.
pub fn parse_picard(text: &str) -> PicardFile {
    let mut file = PicardFile::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let cells = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
        if line.starts_with("## METRICS CLASS") {
            let names = cells(lines.next().unwrap_or_default());
            for row in lines.by_ref().take_while(|row| !row.is_empty()) {
                let mut values = cells(row);
                values.resize(names.len(), String::new());
                file.metrics.push(names.iter().cloned().zip(values).collect());
            }
        } else if line.starts_with("## HISTOGRAM") {
            file.histogram = lines.by_ref().take_while(|row| !row.is_empty()).map(cells).collect();
        }
    }
    file
}

/// Whether two values are the same: integers equal, reals within 1e-6 relative, or the half unit of the sixth decimal
/// that Picard prints.
pub fn same_value(theirs: &str, ours: &str) -> bool {
    if theirs == ours {
        return true;
    }
    if !theirs.contains('.') && !ours.contains('.') {
        return false;
    }
    match (theirs.parse::<f64>(), ours.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1.1e-6f64.max(1e-6 * a.abs().max(b.abs())),
        _ => false,
    }
}

/// All differences between two Picard files, one a line.
pub fn picard_differences(theirs: &str, ours: &str) -> Vec<String> {
    let (theirs, ours) = (parse_picard(theirs), parse_picard(ours));
    let mut differences = Vec::new();
    if theirs.metrics.len() != ours.metrics.len() {
        differences.push(format!("{} rows of theirs, {} of ours", theirs.metrics.len(), ours.metrics.len()));
    }
    for (i, (a, b)) in theirs.metrics.iter().zip(&ours.metrics).enumerate() {
        for (name, value) in a {
            let ours = b.get(name).map_or("no such column", String::as_str);
            if !same_value(value, ours) {
                differences.push(format!("row {i} {name}: theirs {value}, ours {ours}"));
            }
        }
    }
    if theirs.histogram.len() != ours.histogram.len() {
        let (a, b) = (theirs.histogram.len(), ours.histogram.len());
        differences.push(format!("histogram: {a} rows of theirs, {b} of ours"));
    }
    for (a, b) in theirs.histogram.iter().zip(&ours.histogram) {
        if a.len() != b.len() || !a.iter().zip(b).all(|(a, b)| same_value(a, b)) {
            differences.push(format!("histogram: theirs {a:?}, ours {b:?}"));
        }
    }
    differences
}
