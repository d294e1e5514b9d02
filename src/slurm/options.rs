//! Options of sbatch, by their long names, in an order.

use super::SlurmError;

/// Options with their values; of each name the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbatchOptions(Vec<(String, String)>);

/// Slurm takes one of these.
const EITHER: [&str; 3] = ["mem", "mem-per-cpu", "mem-per-gpu"];

impl SbatchOptions {
    /// Sets an option. An empty value takes the option away; memory that is asked for in one way is not asked for in another.
    ///
    /// # Errors
    /// A name that is none, or a value that would end the line.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SlurmError> {
        let error = |what: &str| SlurmError::Option { name: name.to_owned(), what: what.to_owned() };
        let is_name =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if name.is_empty() || name.starts_with('-') || !is_name {
            return Err(error("it is no long option of sbatch"));
        }
        if value.contains(|c: char| c.is_control() || c == '"' || c == '\\') {
            return Err(error("control characters, quotes and backslashes cannot be in an option"));
        }
        if EITHER.contains(&name) && !value.is_empty() {
            for other in EITHER.iter().filter(|other| **other != name) {
                self.set(other, "")?;
            }
        }
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
        Ok(())
    }

    /// Sets an option as it is written: `--name=value`, `name=value`, or `name` alone for one without a value.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_written(&mut self, text: &str) -> Result<(), SlurmError> {
        let text = text.strip_prefix("--").unwrap_or(text);
        match text.split_once('=') {
            Some((name, value)) => self.set(name, value),
            None => self.set(text, NO_VALUE),
        }
    }

    /// All of another's options, too; theirs count.
    pub fn extend(&mut self, others: &Self) {
        for (name, value) in &others.0 {
            // They were looked at when they were set there.
            let _ = self.set(name, value);
        }
    }

    /// The value of an option, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Names and values in the order in which they were first set; an empty value takes the option away.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The options as words of sbatch.
    pub fn words(&self) -> Vec<String> {
        let there = self.iter().filter(|(_, value)| !value.is_empty());
        there.map(|(name, value)| written(name, value)).collect()
    }
}

/// Stands for the value of an option that has none, `--requeue`: no value on a command line is a space.
const NO_VALUE: &str = " ";

/// An option as a word.
pub(super) fn written(name: &str, value: &str) -> String {
    if value == NO_VALUE { format!("--{name}") } else { format!("--{name}={value}") }
}

/// An option as it stands in a line of a script.
pub(super) fn in_script(name: &str, value: &str) -> String {
    if value != NO_VALUE && value.contains(char::is_whitespace) {
        format!("--{name}=\"{value}\"")
    } else {
        written(name, value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts_and_memory_is_asked_for_once() {
        let mut options = SbatchOptions::default();
        for text in ["--time=1:00:00", "mem-per-cpu=1G", "requeue", "--time=2:00:00", "comment=a night"] {
            options.set_written(text).unwrap();
        }
        assert_eq!(options.words(), ["--time=2:00:00", "--mem-per-cpu=1G", "--requeue", "--comment=a night"]);
        options.set("mem", "8G").unwrap();
        assert_eq!(options.words(), ["--time=2:00:00", "--mem=8G", "--requeue", "--comment=a night"]);
        assert_eq!(in_script("comment", "a night"), "--comment=\"a night\"");
        for wrong in ["", "--", "-t=1", "Time=1", "time=1\n#SBATCH --uid=0", "comment=a\"b", "a b=1"] {
            assert!(options.set_written(wrong).is_err(), "{wrong:?}");
        }
    }
}
