//! What `norn prs score` and `norn prs calibrate` wrote, read back for a report: distributions of all people, values of some.
//!
//! Tables are read row by row, twice where a histogram needs to know its ends first, so that memory does not grow with people
//! times scores. Columns are found by name; those of pgscatalog-utils 2.0.4 are taken as well.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde_json::Value as Json;

use super::ReportError;
use super::distribution::{Histogram, Moments};
use super::table::{Table, number};
use crate::formats::genotypes::samples::SampleSex;

/// The tables of a set of people.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// `aggregated_scores.txt.gz`, of these people and perhaps of a panel.
    pub aggregated: Vec<PathBuf>,
    /// `NAME_pgs.txt.gz`.
    pub calibrated: Option<PathBuf>,
    /// `NAME_popsimilarity.txt.gz`.
    pub similarity: Option<PathBuf>,
    /// `NAME_summary.csv`.
    pub summary: Option<PathBuf>,
    /// `scores.run.json`.
    pub run: Option<PathBuf>,
}

impl Files {
    /// The tables that lie in some directories.
    ///
    /// # Errors
    /// There are no scores, or a table of these people lies in two of them.
    pub fn find(directories: &[PathBuf], dataset: &str) -> Result<Self, ReportError> {
        let find = |names: &[String]| {
            let all = directories.iter().flat_map(|directory| names.iter().map(|name| directory.join(name)));
            all.filter(|path| path.is_file()).collect::<Vec<PathBuf>>()
        };
        let one = |name: &str| {
            let names = ["", ".gz"].map(|ending| format!("{dataset}_{name}{ending}"));
            match &*find(&names) {
                [] => Ok(None),
                [path] => Ok(Some(path.clone())),
                [first, second, ..] => {
                    Err(ReportError::Twice { first: first.clone(), second: second.clone() })
                }
            }
        };
        let aggregated = ["aggregated_scores.txt", "aggregated_scores.txt.gz"].map(str::to_owned);
        let found = Self {
            aggregated: find(&aggregated),
            calibrated: one("pgs.txt")?,
            similarity: one("popsimilarity.txt")?,
            summary: one("summary.csv")?,
            run: find(&["scores.run.json".to_owned()]).into_iter().next(),
        };
        if found.aggregated.is_empty() && found.calibrated.is_none() {
            return Err(ReportError::NoScores(dataset.to_owned()));
        }
        Ok(found)
    }

    /// All of them.
    pub fn paths(&self) -> Vec<PathBuf> {
        let single = [&self.calibrated, &self.similarity, &self.summary, &self.run];
        self.aggregated.iter().chain(single.into_iter().flatten()).cloned().collect()
    }
}

/// Scores of people and of a panel.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The people's name.
    pub dataset: String,
    /// The people.
    pub people: Vec<Person>,
    /// Names of the panel's populations.
    pub populations: Vec<String>,
    /// How people were compared with populations: what precedes `_P_` in the names of probabilities.
    pub comparison: Option<String>,
    /// The panel's members.
    pub panel: Vec<Member>,
    /// Scores, by name.
    pub scores: Vec<ScoreResults>,
    /// People whose values are kept, by their places among all.
    pub chosen: Vec<Chosen>,
    /// What sums and matches depend on, as the run file tells it.
    pub parameters: Option<Json>,
}

/// A person.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// IID.
    pub individual: String,
    /// Where the person lies among the panel.
    pub place: Option<Place>,
}

/// Where someone lies among a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The first two principal components; 0 where there is no second.
    pub components: [f64; 2],
    /// The most similar population's number.
    pub most_similar: usize,
    /// Whether even that is unlikely.
    pub is_unsure: bool,
    /// The probabilities of all populations.
    pub probabilities: Vec<f64>,
}

/// A member of the panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The first two principal components.
    pub components: [f64; 2],
    /// The number of the population.
    pub population: usize,
    /// Whether calibration learned of it.
    pub teaches: bool,
}

/// A person whose values are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The place among all people.
    pub person: usize,
    /// Sex, where it is told.
    pub sex: Option<SampleSex>,
    /// Age in years, where it is told.
    pub age: Option<f64>,
}

/// A score over all people.
#[derive(Clone, Debug, Default)]
pub struct ScoreResults {
    /// The score's name.
    pub name: String,
    /// The people's sums.
    pub people: Group,
    /// The sums of each population's members that calibration learned of.
    pub populations: Vec<Group>,
    /// The values of chosen people.
    pub values: Vec<Option<Values>>,
    /// What became of its variants.
    pub matched: Option<MatchedRows>,
}

/// How sums are spread.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Mean, deviation, ends.
    pub moments: Moments,
    /// The shape; groups of a score have the same bins.
    pub histogram: Histogram,
}

/// A person's score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Values {
    /// The sum.
    pub sum: f64,
    /// Alleles that the sum is of.
    pub denominator: Option<f64>,
    /// The percentile in the most similar population.
    pub percentile: Option<f64>,
    /// Deviations from the most similar population's mean.
    pub z_most_similar: Option<f64>,
    /// Deviations from the mean that components predict.
    pub z_norm1: Option<f64>,
    /// The same, in the deviations that they predict.
    pub z_norm2: Option<f64>,
}

impl Values {
    /// The best of the deviations that are there, and its name.
    pub fn best_deviation(&self) -> Option<(&'static str, f64)> {
        let all =
            [("Z_norm2", self.z_norm2), ("Z_norm1", self.z_norm1), ("Z_MostSimilarPop", self.z_most_similar)];
        all.into_iter().find_map(|(name, z)| Some((name, z?)))
    }
}

/// What became of a score's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchedRows {
    /// All.
    pub rows: u64,
    /// Those that are scored.
    pub matched: u64,
    /// Of these, those that agree on the other strand only.
    pub flipped: u64,
    /// Those that rules leave out.
    pub excluded: u64,
    /// Of these, ambiguous ones.
    pub ambiguous: u64,
    /// Those without a match.
    pub unmatched: u64,
    /// Whether they were enough.
    pub passes: bool,
}

impl MatchedRows {
    /// The share that is scored, 0 to 1.
    pub fn share(&self) -> f64 {
        self.matched as f64 / self.rows.max(1) as f64
    }
}

/// Sex and age of people by IID.
pub type Facts = HashMap<String, (Option<SampleSex>, Option<f64>)>;

/// Reads a table of IID and SEX or AGE or both (`.psam` has SEX).
///
/// # Errors
/// It cannot be read, or has neither.
pub fn read_facts(path: &std::path::Path) -> Result<Facts, ReportError> {
    let table = Table::open(path, '\t')?;
    let (individual, sex, age) = (table.place("IID")?, table.find("SEX"), table.find("AGE"));
    if sex.is_none() && age.is_none() {
        table.place("SEX")?;
    }
    let mut facts = Facts::new();
    table.each(|cells| {
        let age = match age.map(|place| cells[place]) {
            None | Some("" | "NA" | ".") => None,
            Some(text) => {
                number(text)?.filter(|age| (0.0..=150.0).contains(age)).map(Some).ok_or("no age")?
            }
        };
        facts.insert(cells[individual].to_owned(), (sex.and_then(|place| SampleSex::of(cells[place])), age));
        Ok(())
    })?;
    Ok(facts)
}

/// Which scores and people are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Scores by name or identifier; all where there are none.
    pub scores: Vec<String>,
    /// People by IID whose values are kept.
    pub people: Vec<String>,
}

impl Wanted {
    fn has(&self, score: &str) -> bool {
        self.scores.is_empty() || self.scores.iter().any(|wanted| wanted == score || wanted == id_of(score))
    }
}

/// The identifier of a score's name: `PGS000001` of `PGS000001_hmPOS_GRCh38`.
pub fn id_of(name: &str) -> &str {
    name.split("_hmPOS_").next().unwrap_or(name)
}

impl Results {
    /// Reads the tables.
    ///
    /// # Errors
    /// One cannot be read, or a person or score that is wanted is not in them.
    pub fn read(files: &Files, dataset: &str, wanted: &Wanted, facts: &Facts) -> Result<Self, ReportError> {
        let mut reading = Reading {
            results: Self { dataset: dataset.to_owned(), ..Self::default() },
            ..Reading::default()
        };
        if let Some(path) = &files.similarity {
            reading.similarity(Table::open(path, '\t')?)?;
        }
        let tables: Vec<PathBuf> = match &files.calibrated {
            Some(path) => vec![path.clone()],
            None => files.aggregated.clone(),
        };
        for path in &tables {
            reading.moments(Table::open(path, '\t')?, wanted)?;
        }
        reading.choose(wanted, facts)?;
        for path in &tables {
            reading.values(Table::open(path, '\t')?)?;
        }
        for path in &files.aggregated {
            reading.denominators(Table::open(path, '\t')?)?;
        }
        let mut results = reading.results;
        if let Some(path) = &files.summary {
            let mut matched = read_summary(Table::open(path, ',')?)?;
            results.scores.iter_mut().for_each(|score| score.matched = matched.remove(&score.name));
        }
        if let Some(path) = &files.run {
            let read = std::fs::read(path);
            let text =
                read.map_err(|source| ReportError::Run { path: path.clone(), what: source.to_string() })?;
            let run: Json = serde_json::from_slice(&text)
                .map_err(|source| ReportError::Run { path: path.clone(), what: source.to_string() })?;
            results.parameters = run.get("parameters").filter(|parameters| parameters.is_object()).cloned();
        }
        results.scores.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(results)
    }
}

/// Results that are being read.
#[derive(Default)]
struct Reading {
    results: Results,
    /// People, members and scores by name.
    people: HashMap<String, usize>,
    members: HashMap<String, usize>,
    scores: HashMap<String, usize>,
    /// Places of chosen people by those among all.
    chosen: HashMap<usize, usize>,
}

/// FID and IID as one text, in place of what it held.
fn key(into: &mut String, family: &str, individual: &str) {
    into.clear();
    into.push_str(family);
    into.push('\t');
    into.push_str(individual);
}

impl Reading {
    fn similarity(&mut self, table: Table) -> Result<(), ReportError> {
        let [set, family, individual, first, most_similar] =
            ["sampleset", "FID", "IID", "PC1", "MostSimilarPop"].map(|name| table.place(name));
        let (set, family, individual, first, most_similar) =
            (set?, family?, individual?, first?, most_similar?);
        let [second, unsure, unrelated, own] =
            ["PC2", "MostSimilarPop_LowConfidence", "Unrelated", "SuperPop"].map(|name| table.find(name));
        let results = &mut self.results;
        let mut probabilities = Vec::new();
        for (place, name) in table.names().iter().enumerate() {
            if let Some((comparison, population)) = name.split_once("_P_") {
                results.comparison = Some(comparison.to_owned());
                results.populations.push(population.to_owned());
                probabilities.push(place);
            }
        }
        let (people, members) = (&mut self.people, &mut self.members);
        let mut name = String::new();
        table.each(|cells| {
            let component = |place: usize| number(cells[place]).map(Option::unwrap_or_default);
            let components = [component(first)?, second.map_or(Ok(0.0), component)?];
            key(&mut name, cells[family], cells[individual]);
            let mut population = |label: &str| {
                let known = results.populations.iter().position(|known| known == label);
                known.unwrap_or_else(|| {
                    results.populations.push(label.to_owned());
                    results.populations.len() - 1
                })
            };
            if cells[set] != results.dataset {
                let label = own.map(|place| cells[place]).filter(|label| !label.is_empty());
                let population = population(label.unwrap_or(cells[most_similar]));
                let teaches = unrelated.is_none_or(|place| cells[place] != "False");
                members.insert(name.clone(), results.panel.len());
                results.panel.push(Member { components, population, teaches });
                return Ok(());
            }
            let most_similar = population(cells[most_similar]);
            let is_unsure = unsure.is_some_and(|place| cells[place] == "True");
            let probabilities =
                probabilities.iter().map(|place| component(*place)).collect::<Result<_, _>>()?;
            let place = Place { components, most_similar, is_unsure, probabilities };
            people.insert(name.clone(), results.people.len());
            results.people.push(Person { individual: cells[individual].to_owned(), place: Some(place) });
            Ok(())
        })?;
        Ok(())
    }

    /// Where a row's person belongs; people whom no table named yet are new.
    fn group_of(&mut self, name: &str, set: &str, individual: &str) -> Option<Whose> {
        if set == self.results.dataset {
            if let Some(person) = self.people.get(name) {
                return Some(Whose::Person(*person));
            }
            self.people.insert(name.to_owned(), self.results.people.len());
            self.results.people.push(Person { individual: individual.to_owned(), place: None });
            return Some(Whose::Person(self.results.people.len() - 1));
        }
        let member = self.results.panel.get(*self.members.get(name)?)?;
        member.teaches.then_some(Whose::Population(member.population))
    }

    fn moments(&mut self, table: Table, wanted: &Wanted) -> Result<(), ReportError> {
        self.rows(table, |reading, score, whose, sum, _| {
            let number = match reading.scores.get(score) {
                Some(number) => *number,
                None if !wanted.has(score) => return Ok(()),
                None => {
                    let number = reading.results.scores.len();
                    reading.scores.insert(score.to_owned(), number);
                    let populations = vec![Group::default(); reading.results.populations.len()];
                    reading.results.scores.push(ScoreResults {
                        name: score.to_owned(),
                        populations,
                        ..ScoreResults::default()
                    });
                    number
                }
            };
            if let Some(group) = reading.results.scores[number].group(whose) {
                group.moments.add(sum);
            }
            Ok(())
        })?;
        // Scores of which these people have nothing are the panel's alone.
        Ok(())
    }

    /// Finds the people who are wanted, and gives each score the ends of its histograms.
    fn choose(&mut self, wanted: &Wanted, facts: &Facts) -> Result<(), ReportError> {
        let results = &mut self.results;
        results.scores.retain(|score| score.people.moments.count > 0);
        self.scores =
            results.scores.iter().enumerate().map(|(number, score)| (score.name.clone(), number)).collect();
        if let Some(name) = wanted.scores.iter().find(|wanted| {
            !results
                .scores
                .iter()
                .any(|score| score.name == **wanted || id_of(&score.name) == wanted.as_str())
        }) {
            return Err(ReportError::NoScore { dataset: results.dataset.clone(), score: name.clone() });
        }
        if results.scores.is_empty() {
            return Err(ReportError::NoScores(results.dataset.clone()));
        }
        for individual in &wanted.people {
            let mut named = (0..).zip(&results.people).filter(|(_, person)| person.individual == *individual);
            let (Some((person, _)), None) = (named.next(), named.next()) else {
                return Err(ReportError::Person {
                    dataset: results.dataset.clone(),
                    person: individual.clone(),
                });
            };
            let (sex, age) = facts.get(individual).copied().unwrap_or_default();
            // Who is wanted twice is shown once.
            self.chosen.entry(person).or_insert_with(|| {
                results.chosen.push(Chosen { person, sex, age });
                results.chosen.len() - 1
            });
        }
        for score in &mut results.scores {
            score.values = vec![None; results.chosen.len()];
            let mut groups: Vec<&mut Group> =
                std::iter::once(&mut score.people).chain(&mut score.populations).collect();
            let least = groups.iter().fold(f64::INFINITY, |least, group| least.min(group.moments.least));
            let greatest =
                groups.iter().fold(f64::NEG_INFINITY, |greatest, group| greatest.max(group.moments.greatest));
            groups.iter_mut().for_each(|group| group.histogram = Histogram::new(least, greatest));
        }
        Ok(())
    }

    fn values(&mut self, table: Table) -> Result<(), ReportError> {
        let places = ["percentile_MostSimilarPop", "Z_MostSimilarPop", "Z_norm1", "Z_norm2"]
            .map(|name| table.find(name));
        self.rows(table, |reading, score, whose, sum, cells| {
            let Some(score) = reading.scores.get(score).map(|number| &mut reading.results.scores[*number])
            else {
                return Ok(());
            };
            if let Some(group) = score.group(whose) {
                group.histogram.add(sum);
            }
            let Whose::Person(person) = whose else { return Ok(()) };
            let Some(chosen) = reading.chosen.get(&person) else { return Ok(()) };
            let cell = |place: Option<usize>| place.map_or(Ok(None), |place| number(cells[place]));
            let [percentile, z_most_similar, z_norm1, z_norm2] = places.map(cell);
            score.values[*chosen] = Some(Values {
                sum,
                denominator: None,
                percentile: percentile?,
                z_most_similar: z_most_similar?,
                z_norm1: z_norm1?,
                z_norm2: z_norm2?,
            });
            Ok(())
        })
    }

    fn denominators(&mut self, table: Table) -> Result<(), ReportError> {
        let Some(place) = table.find("DENOM") else { return Ok(()) };
        self.rows(table, |reading, score, whose, _, cells| {
            let Whose::Person(person) = whose else { return Ok(()) };
            let (Some(chosen), Some(score)) = (reading.chosen.get(&person), reading.scores.get(score)) else {
                return Ok(());
            };
            if let Some(Some(values)) = reading.results.scores[*score].values.get_mut(*chosen) {
                values.denominator = number(cells[place])?;
            }
            Ok(())
        })
    }

    /// Calls `take` with the score, the group and the sum of each row, and all of its cells.
    fn rows(
        &mut self,
        table: Table,
        mut take: impl FnMut(&mut Self, &str, Whose, f64, &[&str]) -> Result<(), String>,
    ) -> Result<(), ReportError> {
        let [set, family, individual, score, sum] =
            ["sampleset", "FID", "IID", "PGS", "SUM"].map(|name| table.place(name));
        let (set, family, individual, score, sum) = (set?, family?, individual?, score?, sum?);
        let mut name = String::new();
        table.each(|cells| {
            let Some(value) = number(cells[sum])? else { return Ok(()) };
            key(&mut name, cells[family], cells[individual]);
            match self.group_of(&name, cells[set], cells[individual]) {
                Some(whose) => take(self, cells[score], whose, value, cells),
                None => Ok(()),
            }
        })?;
        Ok(())
    }
}

/// Whose a row is.
#[derive(Clone, Copy)]
enum Whose {
    Person(usize),
    Population(usize),
}

impl ScoreResults {
    fn group(&mut self, whose: Whose) -> Option<&mut Group> {
        match whose {
            Whose::Person(_) => Some(&mut self.people),
            Whose::Population(number) => self.populations.get_mut(number),
        }
    }
}

/// The rows of each score by what became of them.
fn read_summary(table: Table) -> Result<BTreeMap<String, MatchedRows>, ReportError> {
    let [score, passes, status, ambiguous, flipped, count] =
        ["accession", "score_pass", "match_status", "ambiguous", "match_flipped", "count"]
            .map(|name| table.place(name));
    let (score, passes, status, ambiguous, flipped, count) =
        (score?, passes?, status?, ambiguous?, flipped?, count?);
    let mut all: BTreeMap<String, MatchedRows> = BTreeMap::new();
    table.each(|cells| {
        let rows: u64 = cells[count].parse().map_err(|_| format!("{:?} is no number", cells[count]))?;
        let matched = all.entry(cells[score].to_owned()).or_default();
        matched.passes = cells[passes] == "true";
        let is = |place: usize| cells[place] == "true";
        let counts: &mut [&mut u64] = match cells[status] {
            "matched" if is(flipped) => &mut [&mut matched.matched, &mut matched.flipped],
            "matched" => &mut [&mut matched.matched],
            "excluded" if is(ambiguous) => &mut [&mut matched.excluded, &mut matched.ambiguous],
            "excluded" => &mut [&mut matched.excluded],
            "unmatched" => &mut [&mut matched.unmatched],
            other => return Err(format!("{other:?} is no match_status")),
        };
        for count in counts.iter_mut().map(|count| &mut **count).chain([&mut matched.rows]) {
            *count = count.checked_add(rows).ok_or("there are too many rows")?;
        }
        Ok(())
    })?;
    Ok(all)
}
