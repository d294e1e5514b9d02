//! The made panel of testdata/, and what Python's tools say of panels.

use std::collections::BTreeMap;
use std::process::Command;

use super::pgscatalog::program;
use super::root;

/// A file of the made panel.
pub fn made(name: &str) -> String {
    root().join("testdata/panel").join(name).to_string_lossy().into_owned()
}

/// Numbers by person.
pub type Table = BTreeMap<String, Vec<f64>>;

/// A table of FID, IID and numbers.
pub fn table(text: &str) -> Table {
    let rows = text.lines().filter(|line| !line.starts_with("FID") && !line.starts_with('#'));
    rows.map(|line| {
        let mut cells = line.split('\t').skip(1);
        let person = cells.next().expect("IID").to_owned();
        (person, cells.map(|cell| cell.parse().expect("a number")).collect())
    })
    .collect()
}

/// What Python says (`tests/ancestry_oracle.py`); `None` where it is not there.
pub fn oracle(words: &[&str]) -> Option<Table> {
    let python = program("python3")?;
    let output = Command::new(python)
        .arg(root().join("tests/ancestry_oracle.py"))
        .args(words)
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(table(&String::from_utf8_lossy(&output.stdout)))
}
