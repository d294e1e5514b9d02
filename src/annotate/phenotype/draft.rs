//! What files say of genes and disorders, put together: a gene has disorders, a disorder has terms.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::Files;
use super::error::PhenotypeError;
use super::ontology::Ontology;
use super::orphanet::{self, orpha};
use super::table;
use super::term::{Disorder, HpoTerm};

/// Terms by their places in the ontology.
pub type Terms = BTreeSet<usize>;

/// What is known, before it is put in order.
#[derive(Default)]
pub struct Draft {
    /// Genes by their symbols in capitals.
    pub genes: FxHashMap<String, GeneDraft>,
    /// The terms of disorders.
    pub disorders: FxHashMap<Disorder, Terms>,
    /// Terms that the ontology does not know, and how often they are met.
    pub unknown: BTreeMap<HpoTerm, u64>,
}

/// A gene.
#[derive(Default)]
pub struct GeneDraft {
    /// The symbol as it was met first.
    pub symbol: String,
    /// Identifiers of other catalogues.
    pub ids: BTreeSet<String>,
    /// Its disorders with the terms that stand beside them; those of no disorder under `None`.
    pub disorders: BTreeMap<Option<Disorder>, Terms>,
}

impl Draft {
    /// Reads all files. Terms that are no phenotypic abnormality are not taken, nor those that are told not to be seen.
    ///
    /// # Errors
    /// A file cannot be used.
    pub fn read(files: &Files, ontology: &Ontology) -> Result<Self, PhenotypeError> {
        let mut draft = Self::default();
        if let Some(path) = &files.genes_to_phenotype {
            table::read_genes(path, |row| {
                let place = draft.place(ontology, row.term).filter(|_| !row.is_excluded);
                let gene = draft.gene(row.symbol);
                if !row.ncbi.is_empty() {
                    gene.ids.insert(row.ncbi.to_owned());
                }
                gene.disorders.entry(row.disorder).or_default().extend(place);
            })?;
        }
        if let Some(path) = &files.orpha_genes {
            orphanet::read_genes(path, |link| {
                let gene = draft.gene(&link.symbol);
                gene.ids.extend(link.ensembl.clone());
                gene.disorders.entry(Some(orpha(link.code))).or_default();
            })?;
        }
        if let Some(path) = &files.phenotype_hpoa {
            table::read_disorders(path, |row| draft.see(ontology, row))?;
        }
        if let Some(path) = &files.orpha_disorders {
            orphanet::read_phenotypes(path, |row| draft.see(ontology, row))?;
        }
        Ok(draft)
    }

    fn see(&mut self, ontology: &Ontology, row: &table::DisorderRow) {
        let place = self.place(ontology, row.term).filter(|_| !row.is_excluded);
        self.disorders.entry(row.disorder).or_default().extend(place);
    }

    fn gene(&mut self, symbol: &str) -> &mut GeneDraft {
        let gene = self.genes.entry(symbol.to_ascii_uppercase()).or_default();
        if gene.symbol.is_empty() {
            symbol.clone_into(&mut gene.symbol);
        }
        gene
    }

    /// The place of a term if it is a phenotypic abnormality; counts what is not known.
    fn place(&mut self, ontology: &Ontology, term: HpoTerm) -> Option<usize> {
        if ontology.is_empty() {
            return None;
        }
        match ontology.find(term) {
            Ok(place) => Some(place).filter(|place| ontology.is_abnormality(*place)),
            Err(_) => {
                *self.unknown.entry(term).or_default() += 1;
                None
            }
        }
    }
}
