//! Genes by how like a patient's phenotype is to that of their disorders.
//!
//! Two terms are as alike as the most informative of what both are kinds of tells (Resnik 1995). A patient and a disorder are as
//! alike as the mean of two best-match averages, that of the patient's terms with the disorder's and the other way round
//! (Köhler et al. 2009, AJHG 85:457, the symmetric form). A gene has the score of the disorder that is most alike.

use rustc_hash::FxHashMap;

use super::information::Information;
use super::ontology::Ontology;
use super::term::{Disorder, HpoTerm};
use super::{Gene, Model};

/// Genes by rank, with what was made of the patient's terms.
#[derive(Debug, Default)]
pub struct GeneRanking {
    /// Genes by rank, those of one rank by symbol.
    pub genes: Vec<RankedGene>,
    /// The terms that were compared, in the order of their numbers.
    pub terms: Vec<HpoTerm>,
    /// Terms that are no more, with those that were taken for them.
    pub replaced: Vec<(HpoTerm, HpoTerm)>,
    /// Terms that are no phenotypic abnormality, and were not compared.
    pub left_out: Vec<HpoTerm>,
    /// Places in `genes` by the gene's place among all.
    by_gene: FxHashMap<usize, usize>,
}

/// A gene with its rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedGene {
    /// Its symbol.
    pub symbol: String,
    /// How alike.
    pub score: Information,
    /// From 1; genes of one score have the same rank, and the next has one more than there are before it.
    pub rank: usize,
    /// The disorder that is most alike, where terms are told by disorder; the first by catalogue and number of equals.
    pub disorder: Option<Disorder>,
    /// For each of the patient's terms the disorder's that is most like it.
    pub matches: Vec<Match>,
}

/// Two terms that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The patient's.
    pub query: HpoTerm,
    /// The disorder's.
    pub term: HpoTerm,
    /// The most informative of what both are kinds of.
    pub ancestor: HpoTerm,
    /// What it tells.
    pub information: Information,
}

/// A likeness: what it tells, and the place of the term that both are kinds of.
type Likeness = (Information, usize);

impl GeneRanking {
    /// Ranks genes by places of the patient's terms, which come once each.
    pub(super) fn of(
        genes: &[Gene],
        query: &[usize],
        ontology: &Ontology,
        information: &[Information],
    ) -> Self {
        let likenesses: Vec<_> = query.iter().map(|place| like(*place, ontology, information)).collect();
        let scored = |(at, gene): (usize, _)| best(gene, &likenesses).map(|best| (at, best));
        let mut found: Vec<_> = genes.iter().enumerate().filter_map(scored).collect();
        // Genes are in the order of their symbols, and stay so among equals.
        found.sort_by_key(|(_, (score, _))| std::cmp::Reverse(*score));
        let mut ranking =
            Self { terms: query.iter().map(|place| ontology.term(*place)).collect(), ..Self::default() };
        for (number, (at, (score, model))) in found.into_iter().enumerate() {
            let rank = match ranking.genes.last() {
                Some(last) if last.score == score => last.rank,
                _ => number + 1,
            };
            let matches = query.iter().zip(&likenesses).filter_map(|(query, likeness)| {
                let term = closest(likeness, &model.terms)?;
                let (information, ancestor) = likeness[term];
                let [query, term, ancestor] = [*query, term, ancestor].map(|place| ontology.term(place));
                Some(Match { query, term, ancestor, information })
            });
            let (symbol, disorder, matches) = (genes[at].symbol.clone(), model.disorder, matches.collect());
            ranking.by_gene.insert(at, number);
            ranking.genes.push(RankedGene { symbol, score, rank, disorder, matches });
        }
        ranking
    }

    /// The gene at a place among all.
    pub(super) fn gene(&self, at: usize) -> Option<&RankedGene> {
        self.by_gene.get(&at).and_then(|place| self.genes.get(*place))
    }
}

/// The disorder of a gene that is most alike, the first of equals.
fn best<'g>(gene: &'g Gene, likenesses: &[Vec<Likeness>]) -> Option<(Information, &'g Model)> {
    let models = gene.models.iter().filter(|model| !model.terms.is_empty());
    models
        .map(|model| (score(likenesses, &model.terms), model))
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
}

/// How like a term is to every other: the most informative of what both are kinds of, the first of equals.
pub(super) fn like(place: usize, ontology: &Ontology, information: &[Information]) -> Vec<Likeness> {
    let ancestors = ontology.ancestors(place);
    let mut likenesses: Vec<Option<Likeness>> = vec![None; ontology.len()];
    for place in ontology.order() {
        let itself = ancestors[*place].then(|| (information[*place], *place));
        let above = ontology.parents(*place).iter().filter_map(|parent| likenesses[*parent]);
        likenesses[*place] =
            above.chain(itself).max_by_key(|(information, at)| (*information, std::cmp::Reverse(*at)));
    }
    // All meet in the root.
    likenesses.into_iter().map(Option::unwrap_or_default).collect()
}

/// The mean of both best-match averages, rounded to a unit.
pub(super) fn score(likenesses: &[Vec<Likeness>], terms: &[usize]) -> Information {
    let best = |pairs: &mut dyn Iterator<Item = Information>| pairs.max().unwrap_or_default().0;
    let of_query: u64 =
        likenesses.iter().map(|likeness| best(&mut terms.iter().map(|term| likeness[*term].0))).sum();
    let of_terms: u64 =
        terms.iter().map(|term| best(&mut likenesses.iter().map(|likeness| likeness[*term].0))).sum();
    let [of_query, of_terms, queries, terms] =
        [of_query, of_terms, likenesses.len() as u64, terms.len() as u64].map(u128::from);
    let both = 2 * queries * terms;
    if both == 0 {
        return Information::default();
    }
    Information(((of_query * terms + of_terms * queries + both / 2) / both) as u64)
}

/// The term that is most alike, the first of equals.
fn closest(likeness: &[Likeness], terms: &[usize]) -> Option<usize> {
    terms.iter().copied().min_by_key(|term| (std::cmp::Reverse(likeness[*term].0), *term))
}
