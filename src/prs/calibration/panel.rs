//! What calibration is made of: components of panel and people, populations, relatives, and scores.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::formats::genotypes::GenotypeError;
use crate::formats::genotypes::sample_list::SampleList;
use crate::formats::text;

/// A person's identifiers.
pub type Name = (String, String);

/// Principal components of people, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Components {
    /// FID and IID.
    pub names: Vec<Name>,
    /// As many for each as were asked for, or the file has.
    pub values: Vec<Vec<f64>>,
}

/// A reference panel.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Members and their components.
    pub components: Components,
    /// Names of populations, in the order in which they come.
    pub populations: Vec<String>,
    /// The number of each member's population.
    pub population: Vec<usize>,
    /// Whether each member teaches: those that are related to another do not.
    pub teaches: Vec<bool>,
}

/// Sums of scores by sample set, score and person.
#[derive(Clone, Debug, Default)]
pub struct Scores(BTreeMap<String, HashMap<(String, Name), f64>>);

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A list of people cannot be read.
    #[error(transparent)]
    List(#[from] GenotypeError),
    /// It cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A column is missing.
    #[error("{path}: there is no column {column}", path = path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A line is not as it must be.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Nobody is in it.
    #[error("{path}: {what}", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What there is none of.
        what: &'static str,
    },
}

/// Calls `take` with each line's wanted cells, after the line of names.
fn read_table(
    path: &Path,
    wanted: &[&str],
    mut take: impl FnMut(&[&str]) -> Result<(), String>,
) -> Result<(), TableError> {
    let io = |source| TableError::Io { path: path.to_owned(), source };
    let mut reader = text::open(path).map_err(io)?;
    let (mut line, mut number, mut places) = (Vec::new(), 0u64, Vec::new());
    while text::read_line(&mut reader, &mut line).map_err(io)? {
        number += 1;
        let row = String::from_utf8_lossy(&line);
        let cells: Vec<&str> = row.trim_end_matches('\r').split('\t').collect();
        if places.is_empty() {
            for name in wanted {
                let found = cells.iter().position(|cell| cell.trim_start_matches('#') == *name);
                let column = || TableError::Column { path: path.to_owned(), column: (*name).to_owned() };
                places.push(found.ok_or_else(column)?);
            }
            continue;
        }
        if row.is_empty() {
            continue;
        }
        let wrong = |what: String| TableError::Line { path: path.to_owned(), line: number, what };
        let found: Option<Vec<&str>> = places.iter().map(|place| cells.get(*place).copied()).collect();
        take(&found.ok_or_else(|| wrong("it has too few columns".into()))?).map_err(wrong)?;
    }
    Ok(())
}

/// How many components a table has.
fn components_of(path: &Path) -> Result<usize, TableError> {
    let io = |source| TableError::Io { path: path.to_owned(), source };
    let (mut reader, mut line) = (text::open(path).map_err(io)?, Vec::new());
    text::read_line(&mut reader, &mut line).map_err(io)?;
    let names = String::from_utf8_lossy(&line).into_owned();
    let has = |number: &usize| names.trim_end().split('\t').any(|name| name == format!("PC{number}"));
    Ok((1..).take_while(has).count())
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("{text:?} is no number"))
}

impl Components {
    /// Reads tables of FID, IID, PC1, PC2, ..., as fraposa_pgsc writes them: `most` components where all have them, `least` at least.
    ///
    /// # Errors
    /// A table cannot be read, or has fewer components.
    pub fn read(paths: &[PathBuf], least: usize, most: usize) -> Result<Self, TableError> {
        let mut count = most.max(least);
        for path in paths {
            count = count.min(components_of(path)?.max(least));
        }
        let names: Vec<String> = (1..=count).map(|number| format!("PC{number}")).collect();
        let mut wanted = vec!["FID", "IID"];
        wanted.extend(names.iter().map(String::as_str));
        let mut all = Self::default();
        let mut known = HashSet::new();
        for path in paths {
            read_table(path, &wanted, |cells| {
                let name = (cells[0].to_owned(), cells[1].to_owned());
                if !known.insert(name.clone()) {
                    return Err(format!("{} comes twice", name.1));
                }
                all.values.push(cells[2..].iter().map(|cell| number(cell)).collect::<Result<_, _>>()?);
                all.names.push(name);
                Ok(())
            })?;
        }
        Ok(all)
    }
}

impl Panel {
    /// Components with the populations of a .psam's column; members that it does not name are left out. `related` lists those that do
    /// not teach.
    ///
    /// # Errors
    /// A table cannot be read, or nobody has a population.
    pub fn read(
        components: Components,
        psam: &Path,
        label: &str,
        related: Option<&Path>,
    ) -> Result<Self, TableError> {
        let mut labels: HashMap<String, String> = HashMap::new();
        read_table(psam, &["IID", label], |cells| {
            labels.insert(cells[0].to_owned(), cells[1].to_owned());
            Ok(())
        })?;
        let mut list = SampleList::default();
        related.map(|path| list.add_file(path)).transpose()?;
        let relatives = list.individuals();
        let mut panel = Self {
            components: Components::default(),
            populations: Vec::new(),
            population: Vec::new(),
            teaches: Vec::new(),
        };
        for (name, values) in components.names.into_iter().zip(components.values) {
            let Some(label) = labels.get(&name.1) else { continue };
            let known = panel.populations.iter().position(|known| known == label);
            panel.population.push(known.unwrap_or_else(|| {
                panel.populations.push(label.clone());
                panel.populations.len() - 1
            }));
            panel.teaches.push(!relatives.contains(&*name.1));
            panel.components.names.push(name);
            panel.components.values.push(values);
        }
        match panel.teaches.contains(&true) {
            true => Ok(panel),
            false => Err(TableError::Empty {
                path: psam.to_owned(),
                what: "nobody of the components has a population",
            }),
        }
    }

    /// The members that teach, of one population or all.
    pub fn teachers(&self, population: Option<usize>) -> impl Iterator<Item = usize> + Clone + '_ {
        let is_wanted =
            move |member: &usize| population.is_none_or(|wanted| self.population[*member] == wanted);
        (0..self.teaches.len()).filter(|member| self.teaches[*member]).filter(is_wanted)
    }
}

impl Scores {
    /// Reads tables of aggregated scores.
    ///
    /// # Errors
    /// A table cannot be read, or a person has a score twice.
    pub fn read(paths: &[PathBuf]) -> Result<Self, TableError> {
        let mut all = Self::default();
        for path in paths {
            read_table(path, &["sampleset", "FID", "IID", "PGS", "SUM"], |cells| {
                let key = (cells[3].to_owned(), (cells[1].to_owned(), cells[2].to_owned()));
                let set = all.0.entry(cells[0].to_owned()).or_default();
                match set.insert(key, number(cells[4])?) {
                    Some(_) => Err(format!("{} of {} comes twice", cells[3], cells[2])),
                    None => Ok(()),
                }
            })?;
        }
        Ok(all)
    }

    /// The scores of a sample set, by name.
    pub fn names(&self, set: &str) -> Vec<String> {
        let names =
            self.0.get(set).into_iter().flat_map(|scores| scores.keys().map(|(name, _)| name.clone()));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.dedup();
        names
    }

    /// How many people of a set have a score.
    pub fn people(&self, set: &str, score: &str) -> usize {
        let of_set = self.0.get(set).into_iter().flat_map(HashMap::keys);
        of_set.filter(|(name, _)| name == score).count()
    }

    /// A score of people of a set; the first person without it is the error.
    ///
    /// # Errors
    /// Somebody has no such score.
    pub fn of<'n>(&self, set: &str, score: &str, people: &'n [Name]) -> Result<Vec<f64>, &'n Name> {
        let known = self.0.get(set);
        let value = |person: &'n Name| {
            let key = (score.to_owned(), person.clone());
            known.and_then(|known| known.get(&key)).copied().ok_or(person)
        };
        people.iter().map(value).collect()
    }
}
