//! What `norn variants compare` writes: decisions and tables.

use std::collections::BTreeMap;
use std::path::Path;

use super::{text, without_comments};

/// The decisions of both sides in an annotated VCF.
pub fn decisions(path: &Path) -> [Vec<String>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    for line in without_comments(&text(path)).lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        for (side, cell) in sides.iter_mut().zip(&columns[9..]) {
            let fields: Vec<&str> = cell.split(':').collect();
            if fields[4] != "NOCALL" {
                side.push(format!("{}:{}:{}", columns[1], fields[1], fields[2]));
            }
        }
    }
    sides
}

/// A row of a table by column.
pub type Row = BTreeMap<String, String>;

/// The rows of a CSV.
pub fn table(path: &Path) -> Vec<Row> {
    let text = text(path);
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().expect("header");
    lines.map(|line| names.iter().cloned().zip(line).collect()).collect()
}
