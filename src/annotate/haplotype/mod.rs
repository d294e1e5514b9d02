//! Variants of one haplotype taken together: INFO/BCSQ and FORMAT/BCSQ, as `bcftools csq` 1.24 writes them.
//!
//! Each transcript has a tree of haplotypes (`tree`) that grows with the records that meet its coding region. When the
//! records are behind the transcript, each haplotype is read in stretches (`compound`) and its consequences go back to
//! the records, which wait until then (`buffer`). What lies beside coding regions is told at once (`sites`).

mod biotype;
mod buffer;
mod compound;
mod consequence;
mod edge;
mod genotypes;
mod heap;
mod local;
mod model;
mod sites;
mod translate;
mod tree;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;

use super::genes::Genes;
use crate::formats::bases::Genome;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::{Ordered, RecordProblem};
use buffer::{Held, MaskSize};
use heap::Heap;
use model::Model;
use tree::Tree;

/// The name of both fields.
const TAG: &str = "BCSQ";

/// So many models are kept before those behind are looked for.
const MODELS: usize = 256;

/// What is done with heterozygous genotypes that are not phased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `a`: they are taken as if they were.
    AsIs,
    /// `m`: all alternate alleles go into the first haplotype, too, whatever the phase.
    Merge,
    /// `r`: they are an error.
    Require,
    /// `R`: both haplotypes get what is not the reference.
    NonReference,
    /// `s`: they are passed over.
    Skip,
}

impl Phase {
    /// By the letter that bcftools gives it.
    pub fn parse(letter: &str) -> Option<Self> {
        Some(match letter {
            "a" => Self::AsIs,
            "m" => Self::Merge,
            "r" => Self::Require,
            "R" => Self::NonReference,
            "s" => Self::Skip,
            _ => return None,
        })
    }
}

/// How haplotypes are made and told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What is done with genotypes that are not phased.
    pub phase: Phase,
    /// How many consequences of a haplotype FORMAT/BCSQ can tell of, at least 1.
    pub entries: usize,
    /// Whether each variant is taken by itself.
    pub is_local: bool,
}

/// Adds consequences of haplotypes to records.
pub struct Haplotypes {
    genes: Arc<Genes>,
    genome: Genome,
    options: Options,
    size: MaskSize,
    contig: Contig,
    /// The position of the last record.
    last: i64,
    /// Records that wait, and the number of the first of them.
    held: VecDeque<Held>,
    first: u64,
    /// Transcripts near the last record by their order.
    models: FxHashMap<u32, Option<Arc<Model>>>,
    /// Transcripts with haplotypes, by the same.
    trees: FxHashMap<u32, Tree>,
    ends: Heap,
    crowded: Arc<AtomicU64>,
}

/// Where records are.
#[derive(Debug, Default)]
struct Contig {
    /// As records name it.
    name: Vec<u8>,
    /// Its number in the reference.
    number: Option<usize>,
}

impl Haplotypes {
    /// For the samples of a header.
    pub fn new(genes: Arc<Genes>, genome: Genome, header: &Header, options: Options) -> Self {
        Self {
            genes,
            genome,
            options,
            size: MaskSize { samples: header.samples().len(), entries: options.entries.max(1) },
            contig: Contig::default(),
            last: i64::MIN,
            held: VecDeque::new(),
            first: 0,
            models: FxHashMap::default(),
            trees: FxHashMap::default(),
            ends: Heap::default(),
            crowded: Arc::default(),
        }
    }

    /// The header with both fields declared.
    pub fn header(header: &Header) -> Header {
        let has_samples = !header.samples().is_empty();
        let mut header = header.clone();
        header.retain(|line| !(matches!(line.key(), "INFO" | "FORMAT") && line.get("ID") == Some(TAG)));
        header.add(&format!(
            "##INFO=<ID={TAG},Number=.,Type=String,Description=\"Haplotype-aware consequences from norn annotate, as \
            BCFtools/csq writes them. Format: \
            Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change\">"
        ));
        if has_samples {
            header.add(&format!(
                "##FORMAT=<ID={TAG},Number=.,Type=Integer,Description=\"Bitmask of indexes to INFO/{TAG}, with \
                interleaved first/second haplotype. Use \\\"bcftools query -f'[%CHROM\\t%POS\\t%SAMPLE\\t%T{TAG}\\n]'\\\" \
                to translate.\">"
            ));
        }
        header
    }

    /// How many records have more consequences than FORMAT/BCSQ can tell of; to be read when all are through.
    pub fn crowded(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.crowded)
    }

    fn note_crowded(&self, fits: bool) {
        if !fits {
            self.crowded.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&mut self, record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if record.chrom() != self.contig.name {
            self.finish_until(i64::MAX, out);
            self.models.clear();
            let name = record.chrom().to_vec();
            self.contig = Contig { number: self.genome.contig_like(&name), name };
            self.last = i64::MIN;
        }
        let position = record.position();
        if position < self.last {
            return Err(RecordProblem::at(
                &record,
                "not in order (norn variants sort puts records in order)",
            ));
        }
        self.last = position;
        let mut held = Held::new(record);
        let fits = self.look(&mut held)?;
        self.note_crowded(fits);
        self.held.push_back(held);
        self.finish_until(position - 1, out);
        Ok(())
    }

    /// Finishes transcripts that end here or before, and lets go of records that wait for nothing else.
    fn finish_until(&mut self, last: i64, out: &mut Vec<Record>) {
        while let Some(key) = self.ends.pop_until(last) {
            let Some(tree) = u32::try_from(key).ok().and_then(|key| self.trees.remove(&key)) else {
                continue;
            };
            if tree.has_variants() {
                self.finish_tree(tree);
            }
        }
        let count = self.held.iter().take_while(|held| held.until <= last).count();
        self.first += count as u64;
        out.extend(self.held.drain(..count).map(|held| held.finish(TAG.as_bytes(), self.size)));
    }

    fn finish_tree(&mut self, mut tree: Tree) {
        let (first, size) = (self.first, self.size);
        let held = &mut self.held;
        let place = |record: u64| usize::try_from(record.wrapping_sub(first)).unwrap_or(usize::MAX);
        compound::finish(&mut tree, |record, entry| {
            held.get_mut(place(record)).map_or(0, |held| held.add(entry).0)
        });
        if size.samples == 0 {
            return;
        }
        let mut crowded = 0;
        for (number, leaf) in tree.leaves.iter().enumerate() {
            let Some(node) = tree.nodes.get(*leaf) else { continue };
            for (record, entry) in &node.entries {
                let Some(held) = held.get_mut(place(*record)) else { continue };
                if !held.mark(*entry, number / 2, number % 2, size) {
                    crowded += 1;
                    break;
                }
            }
        }
        self.crowded.fetch_add(crowded, Ordering::Relaxed);
    }
}

impl Ordered for Haplotypes {
    fn push(&mut self, records: Vec<Record>, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        records.into_iter().try_for_each(|record| self.take(record, out))
    }

    fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        self.finish_until(i64::MAX, out);
        Ok(())
    }

    fn is_by_contig(&self) -> bool {
        true
    }
}
