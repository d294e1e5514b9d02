//! What is counted of sites, without their samples.

use super::add;
use super::alleles::Alleles;
use super::bins::QualityCounts;
use super::exons::Frame;
use super::repeats::{LONGEST, Repeat};
use crate::records::kinds::Kinds;

/// Indels longer than this, in bases, count as so long.
pub(super) const LONGEST_INDEL: usize = 60;

/// Alleles of one bin of frequencies.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ByFrequency {
    pub(super) transitions: u64,
    pub(super) transversions: u64,
    /// Indels: consistent with their repeat, not consistent, not in a repeat.
    pub(super) indels: [u64; 3],
}

/// Counts of sites and their alleles.
#[derive(Clone, Debug)]
pub(super) struct Sites {
    pub(super) records: u64,
    pub(super) without_alternates: u64,
    /// Records with a SNP, MNP, indel, anything else.
    pub(super) snps: u64,
    pub(super) mnps: u64,
    pub(super) indels: u64,
    pub(super) others: u64,
    pub(super) multiallelic: u64,
    pub(super) multiallelic_snps: u64,
    pub(super) by_frequency: Vec<ByFrequency>,
    /// Transitions and transversions of the first alternate allele.
    pub(super) first: [u64; 2],
    /// Qualities of transitions and transversions of the first alternate allele, and of indels.
    pub(super) qualities: [QualityCounts; 3],
    /// By length, from 1.
    pub(super) insertions: [u64; LONGEST_INDEL],
    pub(super) deletions: [u64; LONGEST_INDEL],
    /// By [`Frame`]; and those of the first alternate allele.
    pub(super) frames: [u64; 3],
    pub(super) first_frames: [u64; 3],
    /// Four times the base of the reference and that of the allele.
    pub(super) substitutions: [u64; 16],
    /// By the length of the unit, from 1: consistent and inconsistent deletions, then insertions.
    pub(super) repeats: [[u64; 4]; LONGEST],
    pub(super) without_repeat: u64,
    /// By the bin of INFO/DP.
    pub(super) depths: Vec<u64>,
}

impl Sites {
    /// Nothing counted, with so many bins of frequencies and depths.
    pub(super) fn new(frequencies: usize, depths: usize) -> Self {
        Self {
            records: 0,
            without_alternates: 0,
            snps: 0,
            mnps: 0,
            indels: 0,
            others: 0,
            multiallelic: 0,
            multiallelic_snps: 0,
            by_frequency: vec![ByFrequency::default(); frequencies],
            first: [0; 2],
            qualities: Default::default(),
            insertions: [0; LONGEST_INDEL],
            deletions: [0; LONGEST_INDEL],
            frames: [0; 3],
            first_frames: [0; 3],
            substitutions: [0; 16],
            repeats: [[0; 4]; LONGEST],
            without_repeat: 0,
            depths: vec![0; depths],
        }
    }

    /// Counts a record by the kinds of its alleles.
    pub(super) fn observe(&mut self, alleles: &Alleles) {
        let all = alleles.all;
        self.records += 1;
        self.without_alternates += u64::from(all == Kinds::REFERENCE);
        self.snps += u64::from(all.meets(Kinds::SNP));
        self.mnps += u64::from(all.meets(Kinds::MNP));
        self.indels += u64::from(all.meets(Kinds::INDEL));
        self.others += u64::from(all.meets(Kinds::OTHER));
        if alleles.len() > 2 {
            self.multiallelic += 1;
            self.multiallelic_snps += u64::from(all == Kinds::SNP);
        }
    }

    /// Counts a SNP: the allele's number, the bases of reference and allele, whether that is a transition.
    pub(super) fn observe_snp(
        &mut self,
        allele: usize,
        bases: (u8, u8),
        is_transition: bool,
        bin: usize,
        quality: Option<f32>,
    ) {
        self.substitutions[usize::from(bases.0 << 2 | bases.1)] += 1;
        let of_bin = &mut self.by_frequency[bin];
        let count = if is_transition { &mut of_bin.transitions } else { &mut of_bin.transversions };
        *count += 1;
        if allele == 1 {
            let which = usize::from(!is_transition);
            self.first[which] += 1;
            self.qualities[which].observe(quality);
        }
    }

    /// Counts an indel: the allele's number, its length (deletions negative), what it does to the frame, and its
    /// repeat, if that was looked at.
    pub(super) fn observe_indel(
        &mut self,
        allele: usize,
        length: i64,
        frame: Frame,
        repeat: Option<Repeat>,
        bin: usize,
    ) {
        let by_length = if length < 0 { &mut self.deletions } else { &mut self.insertions };
        let place = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX).clamp(1, LONGEST_INDEL);
        by_length[place - 1] += 1;
        self.frames[frame as usize] += 1;
        self.first_frames[frame as usize] += u64::from(allele == 1);
        let agreement = match repeat {
            None => 2,
            Some(Repeat::None) => {
                self.without_repeat += 1;
                2
            }
            Some(Repeat::Unit { length: unit, is_consistent }) => {
                let column = 2 * usize::from(length > 0) + usize::from(!is_consistent);
                self.repeats[unit - 1][column] += 1;
                usize::from(!is_consistent)
            }
        };
        self.by_frequency[bin].indels[agreement] += 1;
    }

    /// Adds what was counted of other records.
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.records, other.records),
            (&mut self.without_alternates, other.without_alternates),
            (&mut self.snps, other.snps),
            (&mut self.mnps, other.mnps),
            (&mut self.indels, other.indels),
            (&mut self.others, other.others),
            (&mut self.multiallelic, other.multiallelic),
            (&mut self.multiallelic_snps, other.multiallelic_snps),
            (&mut self.without_repeat, other.without_repeat),
        ] {
            *count += more;
        }
        for (bin, more) in self.by_frequency.iter_mut().zip(&other.by_frequency) {
            bin.transitions += more.transitions;
            bin.transversions += more.transversions;
            add(&mut bin.indels, &more.indels);
        }
        for (counts, more) in self.qualities.iter_mut().zip(&other.qualities) {
            counts.merge(more);
        }
        for (counts, more) in self.repeats.iter_mut().zip(&other.repeats) {
            add(counts, more);
        }
        add(&mut self.first, &other.first);
        add(&mut self.insertions, &other.insertions);
        add(&mut self.deletions, &other.deletions);
        add(&mut self.frames, &other.frames);
        add(&mut self.first_frames, &other.first_frames);
        add(&mut self.substitutions, &other.substitutions);
        add(&mut self.depths, &other.depths);
    }
}
