//! How much terms tell: the information content, after Resnik 1995 (IJCAI 14:448).
//!
//! IC(t) = -ln(n(t) / N), where N are the genes or disorders that have any phenotype, and n(t) those that have t or a kind of it.
//! It is kept as a whole number of 2^-24 nats, so that sums do not depend on their order and equal scores are equal.

use std::fmt;

use super::ontology::Ontology;

/// Information in units of 2^-24 nats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Information(pub u64);

impl Information {
    const UNIT: f64 = (1u64 << 24) as f64;

    /// Of what `some` of `all` have; nothing is known of what none has, so it tells nothing.
    fn of(some: usize, all: usize) -> Self {
        if some == 0 {
            return Self(0);
        }
        Self((-(some as f64 / all as f64).ln() * Self::UNIT).round() as u64)
    }

    /// In nats.
    pub fn nats(self) -> f64 {
        self.0 as f64 / Self::UNIT
    }
}

impl fmt::Display for Information {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.4}", self.nats())
    }
}

/// The information of each term, by place, and how many genes or disorders were counted.
pub fn of_terms<'t, T>(ontology: &Ontology, annotated: impl Iterator<Item = T>) -> (Vec<Information>, usize)
where
    T: IntoIterator<Item = &'t usize>,
{
    let (mut counts, mut all) = (vec![0; ontology.len()], 0);
    // Who has seen a term last, so that none counts twice.
    let mut seen = vec![0; ontology.len()];
    let mut waiting = Vec::new();
    for terms in annotated {
        waiting.extend(terms);
        all += usize::from(!waiting.is_empty());
        while let Some(place) = waiting.pop() {
            if seen[place] != all {
                seen[place] = all;
                counts[place] += 1;
                waiting.extend(ontology.parents(place));
            }
        }
    }
    (counts.into_iter().map(|count| Information::of(count, all)).collect(), all)
}
