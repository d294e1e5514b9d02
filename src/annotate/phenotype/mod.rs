//! Phenotypes: which genes cause disorders that are like what a patient has.
//!
//! [`ontology`] reads terms, [`table`] and [`orphanet`] what is known of genes and disorders, [`information`] weighs terms,
//! [`ranking`] puts genes in order, [`tags`] writes into records.

mod draft;
mod error;
pub mod information;
pub mod ontology;
mod orphanet;
pub mod ranking;
mod table;
pub mod tags;
mod term;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustc_hash::FxHashMap;

use draft::Draft;
pub use error::{PhenotypeError, Problem, QueryError};
use information::Information;
use ontology::Ontology;
use ranking::GeneRanking;
pub use term::{Catalogue, Disorder, HpoTerm};

/// Files of phenotypes, plain or compressed.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// hp.obo; without it there are disorders of genes, but no terms.
    pub ontology: Option<PathBuf>,
    /// genes_to_phenotype.txt.
    pub genes_to_phenotype: Option<PathBuf>,
    /// phenotype.hpoa.
    pub phenotype_hpoa: Option<PathBuf>,
    /// Orphanet's product 4.
    pub orpha_disorders: Option<PathBuf>,
    /// Orphanet's product 6.
    pub orpha_genes: Option<PathBuf>,
}

/// A gene with its disorders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gene {
    /// Its symbol.
    pub symbol: String,
    /// Its disorders in their order, before them what is told of no disorder.
    pub models: Vec<Model>,
}

/// A disorder of a gene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The disorder, where terms are told by disorder.
    pub disorder: Option<Disorder>,
    /// The places of its terms, in order.
    pub terms: Vec<usize>,
}

/// What the information of terms was counted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// So many genes.
    Genes(usize),
    /// So many disorders.
    Disorders(usize),
}

/// What is known of genes, disorders and phenotypes.
#[derive(Debug)]
pub struct Phenotypes {
    ontology: Ontology,
    /// By symbol.
    genes: Vec<Gene>,
    /// Places of genes by symbol in capitals, and by identifiers.
    names: FxHashMap<String, usize>,
    information: Vec<Information>,
    counted: Counted,
    unknown: BTreeMap<HpoTerm, u64>,
}

impl Phenotypes {
    /// Reads files. Information is counted over OMIM's disorders where there is a phenotype.hpoa, else over genes.
    ///
    /// # Errors
    /// A file cannot be used.
    pub fn read(files: &Files) -> Result<Self, PhenotypeError> {
        let ontology = files.ontology.as_deref().map(Ontology::read).transpose()?.unwrap_or_default();
        let draft = Draft::read(files, &ontology)?;
        let all = Self::of(ontology, draft, files.phenotype_hpoa.is_some());
        match &files.phenotype_hpoa {
            Some(path) if all.counted == Counted::Disorders(0) => {
                Err(PhenotypeError::of(path, Problem::Nothing("phenotype of an OMIM disorder")))
            }
            _ => Ok(all),
        }
    }

    fn of(ontology: Ontology, draft: Draft, over_disorders: bool) -> Self {
        let Draft { genes: drafts, disorders, unknown } = draft;
        let mut drafts: Vec<_> = drafts.into_iter().collect();
        drafts.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (mut genes, mut names) = (Vec::with_capacity(drafts.len()), FxHashMap::default());
        for (capitals, mut draft) in drafts {
            for (disorder, terms) in &mut draft.disorders {
                terms.extend(disorder.and_then(|disorder| disorders.get(&disorder)).into_iter().flatten());
            }
            let model =
                |(disorder, terms): (_, draft::Terms)| Model { disorder, terms: terms.into_iter().collect() };
            // A symbol goes before an identifier, and the first gene that has an identifier keeps it.
            draft.ids.into_iter().for_each(|id| {
                names.entry(id).or_insert(genes.len());
            });
            names.insert(capitals, genes.len());
            genes.push(Gene {
                symbol: draft.symbol,
                models: draft.disorders.into_iter().map(model).collect(),
            });
        }
        let (information, counted) = if over_disorders {
            let omim = disorders.iter().filter(|(disorder, _)| disorder.catalogue == Catalogue::Omim);
            let (information, count) = information::of_terms(&ontology, omim.map(|(_, terms)| terms));
            (information, Counted::Disorders(count))
        } else {
            let terms = genes.iter().map(|gene: &Gene| gene.models.iter().flat_map(|model| &model.terms));
            let (information, count) = information::of_terms(&ontology, terms);
            (information, Counted::Genes(count))
        };
        Self { ontology, genes, names, information, counted, unknown }
    }

    /// The terms.
    pub fn ontology(&self) -> &Ontology {
        &self.ontology
    }

    /// All genes by symbol.
    pub fn genes(&self) -> &[Gene] {
        &self.genes
    }

    /// What the information of terms was counted over.
    pub fn counted(&self) -> Counted {
        self.counted
    }

    /// Terms of the files that the ontology does not know, and how often they were met: another release?
    pub fn unknown_terms(&self) -> &BTreeMap<HpoTerm, u64> {
        &self.unknown
    }

    /// What a term tells.
    ///
    /// # Errors
    /// It is not known, or obsolete without one that stands for it.
    pub fn information(&self, term: HpoTerm) -> Result<Information, QueryError> {
        Ok(self.information[self.ontology.find(term)?])
    }

    /// How alike two terms are: what the most informative term tells that both are kinds of (Resnik).
    ///
    /// # Errors
    /// One is not known, or obsolete without one that stands for it.
    pub fn term_likeness(&self, one: HpoTerm, other: HpoTerm) -> Result<Information, QueryError> {
        let (one, other) = (self.ontology.find(one)?, self.ontology.find(other)?);
        Ok(ranking::like(one, &self.ontology, &self.information)[other].0)
    }

    /// How alike two sets of terms are: the mean of both best-match averages.
    ///
    /// # Errors
    /// A term is not known, or obsolete without one that stands for it.
    pub fn likeness(&self, some: &[HpoTerm], others: &[HpoTerm]) -> Result<Information, QueryError> {
        let places = |terms: &[HpoTerm]| {
            let mut places =
                terms.iter().map(|term| self.ontology.find(*term)).collect::<Result<Vec<_>, _>>()?;
            places.sort_unstable();
            places.dedup();
            Ok(places)
        };
        let like = |place| ranking::like(place, &self.ontology, &self.information);
        let likenesses: Vec<_> = places(some)?.into_iter().map(like).collect();
        Ok(ranking::score(&likenesses, &places(others)?))
    }

    /// Ranks all genes that have terms by a patient's.
    ///
    /// # Errors
    /// A term is not known, or obsolete without one that stands for it; or none is a phenotypic abnormality, or no
    /// gene has terms.
    pub fn rank(&self, terms: &[HpoTerm]) -> Result<GeneRanking, QueryError> {
        let (mut query, mut replaced, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for term in terms {
            let place = self.ontology.find(*term)?;
            let found = self.ontology.term(place);
            if found != *term {
                replaced.push((*term, found));
            }
            if self.ontology.is_abnormality(place) {
                query.push(place);
            } else {
                left_out.push(*term);
            }
        }
        query.sort_unstable();
        query.dedup();
        if query.is_empty() {
            return Err(QueryError::Empty);
        }
        let mut ranking = GeneRanking::of(&self.genes, &query, &self.ontology, &self.information);
        if ranking.genes.is_empty() {
            return Err(QueryError::NoGenes);
        }
        (ranking.replaced, ranking.left_out) = (replaced, left_out);
        Ok(ranking)
    }

    /// The place of a gene by its symbol, or else its identifier.
    fn place(&self, symbol: &str, id: &str) -> Option<usize> {
        let by_symbol = || self.names.get(symbol).or_else(|| self.names.get(&symbol.to_ascii_uppercase()));
        let id = id.split('.').next().unwrap_or_default();
        by_symbol().or_else(|| self.names.get(id)).copied()
    }

    /// A gene by its symbol, or else its identifier (Ensembl's, without a version, or NCBI's).
    pub fn gene(&self, symbol: &str, id: &str) -> Option<&Gene> {
        self.place(symbol, id).and_then(|place| self.genes.get(place))
    }
}

impl Gene {
    /// Its disorders in a catalogue, by number.
    pub fn disorders(&self, catalogue: Catalogue) -> impl Iterator<Item = Disorder> {
        let all = self.models.iter().filter_map(|model| model.disorder);
        all.filter(move |disorder| disorder.catalogue == catalogue)
    }
}
