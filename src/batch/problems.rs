//! All that is wrong with the files that describe a night, told at once.

use std::fmt;
use std::path::Path;

/// What is wrong, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<String>);

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Something is wrong with a file as a whole.
    pub fn file(&mut self, path: &Path, what: impl fmt::Display) {
        self.0.push(format!("{}: {what}", path.display()));
    }

    /// Something is wrong in a line of a file, from 1, and in a column, by its name.
    pub fn cell(&mut self, path: &Path, line: u64, column: &str, what: impl fmt::Display) {
        self.0.push(format!("{}: line {line}, column {column}: {what}", path.display()));
    }

    /// Something is wrong with a setting.
    pub fn setting(&mut self, path: &Path, name: &str, what: impl fmt::Display) {
        self.0.push(format!("{}: {name}: {what}", path.display()));
    }

    /// Others, too.
    pub fn extend(&mut self, others: Problems) {
        self.0.extend(others.0);
    }

    /// The value, if nothing is wrong.
    ///
    /// # Errors
    /// Something is.
    pub fn or<T>(self, value: T) -> Result<T, Problems> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// One a line.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\nnorn: "))
    }
}
