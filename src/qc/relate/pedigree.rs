//! Pedigrees (PED, as plink and GATK read them) and the relations that they say.

use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::{Expected, Relation};
use crate::formats::text;

/// Deeper pedigrees are cut: what is further back does not count in a relation.
const MAX_GENERATIONS: u32 = 12;

/// A person of a pedigree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Family.
    pub family: String,
    /// Father, if named.
    pub father: Option<String>,
    /// Mother, if named.
    pub mother: Option<String>,
    /// Sex as in the file: `1` male, `2` female, else unknown.
    pub sex: String,
    /// Phenotype as in the file.
    pub phenotype: String,
}

/// People by name.
#[derive(Clone, Debug, Default)]
pub struct Pedigree {
    people: FxHashMap<String, Person>,
}

/// Why a pedigree cannot be used. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum PedigreeError {
    /// The file could not be opened or read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not as it should be.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
}

impl Pedigree {
    /// Reads a PED file: family, person, father, mother, sex and, if there, phenotype, between tabs or blanks; `0`, `-9`
    /// and `.` for a parent that is not known; lines with `#` passed over.
    ///
    /// # Errors
    /// The file cannot be read, a line has too few columns, a person comes twice or is its own ancestor.
    pub fn read(path: &Path) -> Result<Self, PedigreeError> {
        let io_error = |source| PedigreeError::Io { path: path.to_owned(), source };
        let mut input = text::open(path).map_err(io_error)?;
        let (mut line, mut number) = (Vec::new(), 0u64);
        let mut pedigree = Self::default();
        let malformed = |line, what| PedigreeError::Malformed { path: path.to_owned(), line, what };
        while text::read_line(&mut *input, &mut line).map_err(io_error)? {
            number += 1;
            let line = std::str::from_utf8(&line).map_err(|_| malformed(number, "the line is not UTF-8"))?;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [family, name, father, mother, sex, ..] = columns[..] else {
                return Err(malformed(number, "a PED line has family, person, father, mother and sex"));
            };
            let parent = |name: &str| (!matches!(name, "0" | "-9" | ".")).then(|| name.to_owned());
            let person = Person {
                family: family.to_owned(),
                father: parent(father),
                mother: parent(mother),
                sex: sex.to_owned(),
                phenotype: columns.get(5).copied().unwrap_or("-9").to_owned(),
            };
            if pedigree.people.insert(name.to_owned(), person).is_some() {
                return Err(malformed(number, "this person is in the file already"));
            }
        }
        if pedigree.people.keys().any(|name| pedigree.descends_from(name, name, 0)) {
            return Err(malformed(number, "up to here, a person is its own ancestor"));
        }
        Ok(pedigree)
    }

    /// The person of this name.
    pub fn get(&self, name: &str) -> Option<&Person> {
        self.people.get(name)
    }

    /// The relation of two people, if both are in the pedigree.
    pub fn expected(&self, a: &str, b: &str) -> Option<Expected> {
        let (first, second) = (self.people.get(a)?, self.people.get(b)?);
        let relatedness = 2.0 * self.kinship(a, b, 0);
        let is_parent = |of: &Person, name: &str| {
            of.father.as_deref() == Some(name) || of.mother.as_deref() == Some(name)
        };
        let relation = if is_parent(first, b) || is_parent(second, a) {
            Relation::ParentChild
        } else if first.father.is_some()
            && first.mother.is_some()
            && (&first.father, &first.mother) == (&second.father, &second.mother)
        {
            Relation::Sibling
        } else if relatedness >= 0.25 {
            Relation::SecondDegree
        } else {
            Relation::Unrelated
        };
        Some(Expected { relatedness, relation })
    }

    fn parents(&self, name: &str) -> impl Iterator<Item = &str> {
        let person = self.people.get(name);
        person.into_iter().flat_map(|person| [&person.father, &person.mother]).flatten().map(String::as_str)
    }

    fn descends_from(&self, name: &str, ancestor: &str, generation: u32) -> bool {
        generation < MAX_GENERATIONS
            && self
                .parents(name)
                .any(|parent| parent == ancestor || self.descends_from(parent, ancestor, generation + 1))
    }

    /// The probability that an allele of one and an allele of the other are copies of the same one.
    fn kinship(&self, a: &str, b: &str, generation: u32) -> f64 {
        if generation > MAX_GENERATIONS {
            0.0
        } else if a == b {
            let [father, mother] = match self.people.get(a) {
                Some(Person { father: Some(father), mother: Some(mother), .. }) => [father, mother],
                _ => return 0.5,
            };
            0.5 * (1.0 + self.kinship(father, mother, generation + 1))
        } else {
            // The one who does not descend from the other stays; the other's parents stand for it.
            let (child, other) = if self.descends_from(b, a, 0) { (b, a) } else { (a, b) };
            if self.parents(child).next().is_none() && self.parents(other).next().is_some() {
                return self.kinship(other, child, generation + 1);
            }
            0.5 * self
                .parents(child)
                .map(|parent| self.kinship(parent, other, generation + 1))
                .fold(0.0, |a, b| a + b)
        }
    }
}
