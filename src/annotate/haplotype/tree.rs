//! The haplotypes of a transcript: a tree whose nodes are variants, so that samples share what they have in common.

use std::sync::Arc;

use super::consequence::Consequences;
use super::edge::{Allele, Checks, Edge, Place};
use super::model::{Bases, Model, PAD};
use super::translate::is_start;
use crate::genome::strand::reverse_complement;

/// The node without variants.
pub(super) const ROOT: usize = 0;

/// A record that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'r> {
    /// Its number in the pass.
    pub(super) number: u64,
    /// 0-based.
    pub(super) position: i64,
    /// The alleles as they stand there, the reference's first.
    pub(super) texts: &'r [Vec<u8>],
    /// The same in upper case.
    pub(super) alleles: &'r [Vec<u8>],
    /// Bases of the reference that it stands for.
    pub(super) extent: i64,
}

impl<'r> Site<'r> {
    /// An alternate allele that is a sequence.
    pub(super) fn sequence(&self, number: usize) -> Option<Allele<'r>> {
        let alternate = self.alleles.get(number)?;
        let is_sequence = !matches!(alternate.first(), Some(b'<' | b'*'));
        is_sequence.then_some(())?;
        let reference = self.alleles.first()?;
        Some(Allele { position: self.position, reference, alternate, extent: reference.len() as i64 })
    }

    /// The numbers of the alternate alleles.
    pub(super) fn alternates(&self) -> std::ops::Range<usize> {
        1..self.alleles.len()
    }
}

/// A variant on a haplotype.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The coding bases from the end of the variant before to the end of this one.
    pub(super) bases: Vec<u8>,
    /// `REF>ALT`.
    pub(super) text: String,
    pub(super) found: Consequences,
    /// By how much it makes the coding region longer.
    pub(super) longer: i64,
    /// Its first base on the contig.
    pub(super) begin: i64,
    /// Bases of the reference that it takes the place of.
    pub(super) length: i64,
    /// Where it begins in the reference's coding region.
    pub(super) place: i64,
    /// The part of the coding region.
    pub(super) segment: usize,
    /// Its record: number and position.
    pub(super) record: (u64, i64),
    pub(super) allele: usize,
    pub(super) children: Vec<usize>,
    /// The record of the children that were added last, and the child of each allele.
    newest: Option<(u64, Vec<Option<usize>>)>,
    /// How many haplotypes end here.
    pub(super) ends: usize,
    /// The entries of a haplotype that ends here: record and number of the entry.
    pub(super) entries: Vec<(u64, usize)>,
}

/// What comes of a variant for a haplotype.
#[derive(Debug)]
pub(super) enum Step {
    /// The haplotype goes on with it.
    Taken,
    /// It has to do with splicing or the ends of coding parts only.
    Beside(Consequences),
    /// It overlaps the one before.
    Overlaps,
    /// There is nothing to tell.
    Nothing,
}

/// A transcript with its haplotypes.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) model: Arc<Model>,
    bases: Bases,
    pub(super) nodes: Vec<Node>,
    /// The last node of each haplotype, two a sample.
    pub(super) leaves: Vec<usize>,
}

/// A variant that was put behind another, and what is to be told of it on the way.
pub(super) struct Joined {
    pub(super) step: Result<Node, Step>,
    pub(super) told: Vec<Consequences>,
}

impl Tree {
    pub(super) fn new(model: Arc<Model>, bases: Bases, haplotypes: usize) -> Self {
        let root = Node { ends: haplotypes, ..Node::default() };
        Self { model, bases, nodes: vec![root], leaves: vec![ROOT; haplotypes] }
    }

    /// Whether any haplotype has a variant.
    pub(super) fn has_variants(&self) -> bool {
        self.nodes.len() > 1
    }

    /// The coding region with bases beyond both ends.
    pub(super) fn spliced(&self) -> Vec<u8> {
        self.bases.spliced(&self.model)
    }

    /// Has a haplotype go on with an allele; what is to be told on the way goes behind `told`.
    pub(super) fn extend(
        &mut self,
        haplotype: usize,
        segment: usize,
        site: &Site<'_>,
        allele: usize,
        told: &mut Vec<Consequences>,
    ) -> Step {
        let Some(&parent) = self.leaves.get(haplotype) else { return Step::Nothing };
        let known = |node: &Node| match &node.newest {
            Some((record, children)) if *record == site.number => children.get(allele).copied().flatten(),
            _ => None,
        };
        if let Some(child) = self.nodes.get(parent).and_then(known) {
            self.move_on(haplotype, parent, child);
            return Step::Taken;
        }
        let joined = self.join(parent, segment, site, allele);
        told.extend(joined.told);
        let node = match joined.step {
            Ok(node) => node,
            Err(step) => return step,
        };
        let child = self.nodes.len();
        self.nodes.push(node);
        if let Some(node) = self.nodes.get_mut(parent) {
            node.children.push(child);
            let newest = match &mut node.newest {
                Some(newest) if newest.0 == site.number => newest,
                newest => newest.insert((site.number, vec![None; site.alleles.len()])),
            };
            if let Some(place) = newest.1.get_mut(allele) {
                *place = Some(child);
            }
        }
        self.move_on(haplotype, parent, child);
        Step::Taken
    }

    fn move_on(&mut self, haplotype: usize, parent: usize, child: usize) {
        if let Some(leaf) = self.leaves.get_mut(haplotype) {
            *leaf = child;
        }
        if let Some(node) = self.nodes.get_mut(parent) {
            node.ends = node.ends.saturating_sub(1);
        }
        if let Some(node) = self.nodes.get_mut(child) {
            node.ends += 1;
        }
    }

    fn checks(&self, segment: usize) -> Checks {
        let (model, count) = (&self.model, self.model.coding.len());
        let is_end = |is_first: bool| if is_first { segment == 0 } else { segment + 1 == count };
        let mut checks = Checks {
            sites: true,
            start: !model.is_cut_at_start && is_end(model.is_forward),
            stop: !model.is_cut_at_end && is_end(!model.is_forward),
            before: segment != 0,
            behind: segment + 1 != count,
            untranslated: true,
        };
        if checks.start
            && let Some(part) = model.coding.get(segment)
        {
            // Coding regions that begin with something else are incomplete.
            let from = if model.is_forward { part.begin } else { part.last() - 2 };
            let mut codon = self.bases.slice(from, from + 3).to_vec();
            if !model.is_forward {
                reverse_complement(&mut codon);
            }
            checks.start = <[u8; 3]>::try_from(codon).is_ok_and(|codon| is_start(model.table, codon));
        }
        checks
    }

    /// Puts an allele behind a node.
    pub(super) fn join(&self, parent: usize, segment: usize, site: &Site<'_>, allele: usize) -> Joined {
        let nothing = |told| Joined { step: Err(Step::Nothing), told };
        let (Some(sequence), Some(part)) = (site.sequence(allele), self.model.coding.get(segment)) else {
            return nothing(Vec::new());
        };
        let mut edge = Edge::new(
            &self.model,
            Some(&self.bases),
            sequence,
            self.checks(segment),
            Consequences::default(),
        );
        let place = edge.meet(part.begin, part.last());
        let told = std::mem::take(&mut edge.told);
        match place {
            Place::SameAsReference => return nothing(told),
            Place::Outside | Place::Overlap if edge.found.is_empty() => return nothing(told),
            Place::Outside | Place::Overlap => {
                return Joined { step: Err(Step::Beside(edge.found)), told };
            }
            Place::Inside => {}
        }
        let mut found = edge.found.without(Consequences::SYNONYMOUS);
        let (old, new) = (edge.old.unwrap_or_default(), edge.new.unwrap_or_default());
        let outside = (part.begin - edge.first).max(0);
        let begin = edge.first + outside;
        let length = (old.len() as i64 - outside).max(0);
        let Some(mut bases) = self.between(parent, segment, begin) else {
            return Joined { step: Err(Step::Overlaps), told };
        };
        let new = new.get(outside as usize..).unwrap_or_default();
        bases.extend(new.iter().take_while(|base| **base != 0));
        if begin + length > part.last() + 1 {
            // The end of the part is gone.
            if found.is_empty() {
                found = Consequences::CODING_SEQUENCE;
            }
            return Joined { step: Err(Step::Beside(found)), told };
        }
        let text = |number: usize| site.texts.get(number).map(|text| String::from_utf8_lossy(text));
        let node = Node {
            bases,
            text: format!("{}>{}", text(0).unwrap_or_default(), text(allele).unwrap_or_default()),
            found,
            longer: sequence.alternate.len() as i64 - sequence.reference.len() as i64,
            begin,
            length,
            place: part.place + begin - part.begin,
            segment,
            record: (site.number, site.position),
            allele,
            ..Node::default()
        };
        Joined { step: Ok(node), told }
    }

    /// The coding bases from the end of a variant up to a position in a part; `None` where that is within the variant.
    fn between(&self, parent: usize, segment: usize, begin: i64) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        let (Some(node), true) = (self.nodes.get(parent), parent != ROOT) else { return Some(found) };
        let end = node.begin + node.length;
        if node.segment == segment {
            if begin < end {
                return None;
            }
            found.extend_from_slice(self.bases.slice(end, begin));
            return Some(found);
        }
        let coding = &self.model.coding;
        if let Some(part) = coding.get(node.segment) {
            found.extend_from_slice(self.bases.slice(end, part.last() + 1));
        }
        for part in coding.get(node.segment + 1..segment).unwrap_or_default() {
            found.extend_from_slice(self.bases.slice(part.begin, part.last() + 1));
        }
        if let Some(part) = coding.get(segment) {
            found.extend_from_slice(self.bases.slice(part.begin, begin));
        }
        Some(found)
    }

    /// Bases of the coding region without those beyond its ends.
    pub(super) fn coding_length(spliced: &[u8]) -> i64 {
        spliced.len() as i64 - 2 * PAD
    }
}
