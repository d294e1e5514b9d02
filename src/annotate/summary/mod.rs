//! What was annotated, in numbers: variants by class, contig and most severe consequence; entries by consequence, impact and
//! biotype; genes and transcripts that are met; how often sources had a value.
//!
//! Sections and names of [`text`] are those of Ensembl VEP 114's statistics, which MultiQC reads. A summary is a monoid: those of
//! threads and ranks merge into that of the whole.

mod page;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::terms::{Impact, Term, Terms};
use super::variant::Variant;
use crate::formats::vcf::record::Record;

pub use page::page;
pub use text::{table, vep_text};

/// Counts of records and entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Records that were looked at.
    pub records: u64,
    /// Records that were annotated.
    pub annotated: u64,
    /// Those by what they are.
    pub classes: BTreeMap<String, u64>,
    /// The same by their most severe consequence.
    pub most_severe: BTreeMap<String, u64>,
    /// Entries by consequence; one with several counts with each.
    pub consequences: BTreeMap<String, u64>,
    /// Entries by impact.
    pub impacts: BTreeMap<String, u64>,
    /// Entries by biotype of the transcript.
    pub biotypes: BTreeMap<String, u64>,
    /// Annotated records by contig and million bases.
    pub contigs: BTreeMap<String, BTreeMap<u64, u64>>,
    /// Entries in coding bases by the tenth of the protein.
    pub protein: [u64; 10],
    /// Genes of entries.
    pub genes: BTreeSet<String>,
    /// Transcripts of entries.
    pub transcripts: BTreeSet<String>,
    /// Records that a source had a value for, by its name.
    pub sources: BTreeMap<String, u64>,
}

/// Summaries of threads, so that none waits for another.
#[derive(Debug)]
pub struct Summaries(Vec<Mutex<Summary>>);

impl Summary {
    /// Counts an annotated record. `alleles` are those of its alternate ones that were looked at.
    pub fn observe_record(&mut self, record: &Record, contig: &str, alleles: &[Variant<'_>], all: Terms) {
        self.annotated += 1;
        let position = record.position() + 1;
        add(&mut self.classes, class(alleles, record.alternates().count()), 1);
        add(&mut self.most_severe, all.most_severe().unwrap_or(Term::Intergenic).name(), 1);
        let million = u64::try_from(position / 1_000_000).unwrap_or(0);
        if !self.contigs.contains_key(contig) {
            self.contigs.insert(contig.to_owned(), BTreeMap::new());
        }
        if let Some(places) = self.contigs.get_mut(contig) {
            *places.entry(million).or_default() += 1;
        }
    }

    /// Counts an entry, of a transcript or between genes.
    pub fn observe_entry(&mut self, effect: Option<&Effect<'_>>) {
        let Some(effect) = effect else {
            add(&mut self.consequences, Term::Intergenic.name(), 1);
            return add(&mut self.impacts, Impact::Modifier.name(), 1);
        };
        if effect.terms.is_empty() {
            add(&mut self.consequences, Term::SequenceVariant.name(), 1);
        }
        effect.terms.iter().for_each(|term| add(&mut self.consequences, term.name(), 1));
        let transcript = effect.transcript;
        add(&mut self.impacts, effect.terms.impact().name(), 1);
        add(&mut self.biotypes, &transcript.biotype, 1);
        for (set, name) in [(&mut self.genes, &transcript.gene), (&mut self.transcripts, &transcript.id)] {
            if !set.contains(name) {
                set.insert(name.clone());
            }
        }
        let length = transcript.coding.as_ref().map_or(0, |coding| coding.peptide.len() as i64);
        if let Some(first) = effect.protein.start().filter(|_| effect.place.coding && length > 0) {
            // The last tenth has its end.
            let tenth = usize::try_from(10 * first / length).unwrap_or(0).min(self.protein.len() - 1);
            self.protein[tenth] += 1;
        }
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.annotated += other.annotated;
        for (mine, theirs) in [
            (&mut self.classes, &other.classes),
            (&mut self.most_severe, &other.most_severe),
            (&mut self.consequences, &other.consequences),
            (&mut self.impacts, &other.impacts),
            (&mut self.biotypes, &other.biotypes),
            (&mut self.sources, &other.sources),
        ] {
            theirs.iter().for_each(|(name, count)| add(mine, name, *count));
        }
        for (contig, theirs) in &other.contigs {
            let mine = self.contigs.entry(contig.clone()).or_default();
            theirs.iter().for_each(|(million, count)| *mine.entry(*million).or_default() += count);
        }
        self.protein.iter_mut().zip(other.protein).for_each(|(mine, theirs)| *mine += theirs);
        self.genes.extend(other.genes.iter().cloned());
        self.transcripts.extend(other.transcripts.iter().cloned());
    }

    /// All of it as JSON; genes and transcripts are told by their numbers.
    pub fn to_json(&self) -> serde_json::Value {
        let contigs: BTreeMap<&str, u64> =
            self.contigs.iter().map(|(name, places)| (name.as_str(), places.values().sum())).collect();
        serde_json::json!({
            "records": self.records,
            "annotated": self.annotated,
            "genes": self.genes.len(),
            "transcripts": self.transcripts.len(),
            "classes": self.classes,
            "most_severe": self.most_severe,
            "consequences": self.consequences,
            "impacts": self.impacts,
            "biotypes": self.biotypes,
            "contigs": contigs,
            "million_bases": self.contigs,
            "protein_tenths": self.protein,
            "sources": self.sources,
        })
    }
}

impl Summaries {
    /// For so many threads.
    pub fn of_threads(threads: usize) -> Self {
        Self((0..threads.max(1)).map(|_| Mutex::default()).collect())
    }

    /// Lets the calling thread count.
    pub fn observe(&self, count: impl FnOnce(&mut Summary)) {
        let number = rayon::current_thread_index().unwrap_or(0) % self.0.len();
        if let Some(summary) = self.0.get(number) {
            count(&mut summary.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// That of all threads.
    pub fn merged(&self) -> Summary {
        let mut all = Summary::default();
        self.0.iter().for_each(|one| all.merge(&one.lock().unwrap_or_else(PoisonError::into_inner)));
        all
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    match counts.get_mut(name) {
        Some(known) => *known += count,
        None => {
            counts.insert(name.to_owned(), count);
        }
    }
}

/// What a record is by its alleles and how many it has, as Ensembl names it (Utils::Sequence, SO_variation_class).
fn class(alleles: &[Variant<'_>], count: usize) -> &'static str {
    if let Some(class) = alleles.iter().find_map(|variant| variant.class) {
        return class.name();
    }
    let Some(first) = alleles.first().filter(|_| alleles.len() == count) else {
        return "sequence_alteration";
    };
    let all = |is_so: fn(usize, usize) -> bool| {
        alleles.iter().all(|variant| is_so(variant.reference.len(), variant.alternate.len()))
    };
    if all(|reference, alternate| reference == 1 && alternate == 1) {
        "SNV"
    } else if first.is_insertion() {
        "insertion"
    } else if all(|_, alternate| alternate == 0) {
        "deletion"
    } else if all(|reference, alternate| reference == alternate) {
        "substitution"
    } else if all(|_, alternate| alternate > 0) {
        "indel"
    } else {
        "sequence_alteration"
    }
}
