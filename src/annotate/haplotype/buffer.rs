//! Records that wait for their transcripts, and the entries that they have so far.

use std::fmt::Write;
use std::sync::Arc;

use super::consequence::Consequences;
use super::genotypes::Genotypes;
use super::model::Model;
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::Record;

/// Bits of an integer that stand for entries.
const BITS: usize = 30;

/// A consequence of a transcript.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) found: Consequences,
    pub(super) model: Arc<Model>,
    /// The alternate allele; 0 where it does not matter.
    pub(super) allele: usize,
    /// The number and the position of the record that tells it.
    pub(super) told_by: Option<(u64, i64)>,
    /// The changes of protein and DNA.
    pub(super) text: Option<Arc<str>>,
}

/// A record.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) record: Record,
    /// It waits for transcripts up to here.
    pub(super) until: i64,
    entries: Vec<Entry>,
    /// Which entries each haplotype has: the same number of integers a sample.
    masks: Vec<u32>,
    /// So many of them are needed.
    used: usize,
}

/// How many entries masks can tell of.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaskSize {
    pub(super) samples: usize,
    /// Entries a haplotype.
    pub(super) entries: usize,
}

impl MaskSize {
    /// Integers a sample.
    fn width(self) -> usize {
        1 + (2 * self.entries - 1) / BITS
    }
}

impl Held {
    pub(super) fn new(record: Record) -> Self {
        Self { record, until: i64::MIN, entries: Vec::new(), masks: Vec::new(), used: 0 }
    }

    /// Adds an entry, or finds it where it is told already: its number, and whether it is new.
    pub(super) fn add(&mut self, mut entry: Entry) -> (usize, bool) {
        let mut found = entry.found;
        for (change, without) in [
            (Consequences::ELONGATION, Consequences::INFRAME_INSERTION),
            (Consequences::TRUNCATION, Consequences::INFRAME_DELETION),
            (Consequences::SPLICE_SITE, Consequences::SPLICE_REGION),
        ] {
            if found.meets(change) {
                found = found.without(without);
            }
        }
        entry.found = found;
        let place = if entry.told_by.is_some() {
            self.place_of_reference(&entry)
        } else if found.meets(Consequences::COMPOUND) {
            self.place_of_compound(&entry)
        } else {
            self.place_of_other(&entry)
        };
        if let Some(place) = place {
            return (place, false);
        }
        self.entries.push(entry);
        (self.entries.len() - 1, true)
    }

    fn place_of_reference(&mut self, entry: &Entry) -> Option<usize> {
        for (place, known) in self.entries.iter_mut().enumerate() {
            // Starts and stops are told once: where their compound is.
            if entry.found.meets(Consequences::START_STOP) && known.found.meets(Consequences::START_STOP) {
                *known = entry.clone();
                return Some(place);
            }
            if known.told_by.is_some() && known.told_by == entry.told_by {
                return Some(place);
            }
        }
        None
    }

    fn place_of_compound(&mut self, entry: &Entry) -> Option<usize> {
        let found = entry.found;
        for (place, known) in self.entries.iter_mut().enumerate() {
            let is_like = (known.model.is(&entry.model) || !(found | known.found).has_transcript())
                && known.model.biotype == entry.model.biotype
                && known.model.gene == entry.model.gene
                && known.allele == entry.allele
                && known.found.meets(Consequences::BEHIND_STOP) == found.meets(Consequences::BEHIND_STOP);
            if !is_like {
                continue;
            }
            match (&entry.text, &known.text) {
                (Some(one), Some(other)) if one != other => continue,
                (Some(_), None) | (None, Some(_)) => {
                    // The place of an indel can say what its sequence says again.
                    let both = Consequences::START_STOP;
                    if !(found.meets(both) && known.found.meets(both)) {
                        continue;
                    }
                    known.found |= found;
                    for (kept, lost) in [
                        (Consequences::STOP_RETAINED, Consequences::STOP_LOST),
                        (Consequences::START_RETAINED, Consequences::START_LOST),
                    ] {
                        if known.found.meets(kept) {
                            known.found = known.found.without(lost | Consequences::SYNONYMOUS);
                        }
                    }
                    if known.text.is_none() {
                        known.text.clone_from(&entry.text);
                    }
                    return Some(place);
                }
                _ => {}
            }
            known.found |= found;
            return Some(place);
        }
        None
    }

    fn place_of_other(&mut self, entry: &Entry) -> Option<usize> {
        let found = entry.found;
        for (place, known) in self.entries.iter_mut().enumerate() {
            let is_like = (known.model.is(&entry.model) || !(found | known.found).has_transcript())
                && known.model.biotype == entry.model.biotype;
            if !is_like {
                continue;
            }
            if !known.found.meets(Consequences::COMPOUND) {
                known.found |= found;
                return Some(place);
            }
            if known.found.covers(found) {
                return Some(place);
            }
        }
        None
    }

    /// Marks an entry as a haplotype's (0 or 1); false where there are more than masks can tell of.
    pub(super) fn mark(&mut self, entry: usize, sample: usize, haplotype: usize, size: MaskSize) -> bool {
        let bit = 2 * entry + haplotype;
        if bit >= 2 * size.entries {
            return false;
        }
        let width = size.width();
        if self.masks.is_empty() {
            self.masks.resize(size.samples * width, 0);
        }
        self.used = self.used.max(1 + bit / BITS);
        if let Some(mask) = self.masks.get_mut(sample * width + bit / BITS) {
            *mask |= 1 << (bit % BITS);
        }
        true
    }

    /// Adds an entry and marks it for all haplotypes that have its allele; false where a haplotype has too many.
    pub(super) fn tell(&mut self, entry: Entry, genotypes: Option<&Genotypes>, size: MaskSize) -> bool {
        let allele = entry.allele;
        let (place, _) = self.add(entry);
        let Some(genotypes) = genotypes.filter(|_| allele > 0) else { return true };
        let mut fits = true;
        for sample in 0..size.samples {
            for haplotype in 0..2 {
                if genotypes.allele(sample, haplotype) == Some(allele) {
                    fits &= self.mark(place, sample, haplotype, size);
                }
            }
        }
        fits
    }

    /// The record with its entries in INFO and, where a haplotype has one, in FORMAT.
    pub(super) fn finish(self, tag: &[u8], size: MaskSize) -> Record {
        let Self { mut record, entries, masks, used, .. } = self;
        if entries.is_empty() {
            if record.info(tag).is_some() {
                record.retain_info(|known| known != tag);
            }
        } else {
            let mut text = String::new();
            for entry in &entries {
                if !text.is_empty() {
                    text.push(',');
                }
                entry.write(&mut text);
            }
            record.set_info(tag, Some(text.as_bytes()));
        }
        if used > 0 {
            let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(size.samples));
            for masks in masks.chunks(size.width()) {
                for (number, mask) in masks.iter().take(used).enumerate() {
                    if number > 0 {
                        text.push(b',');
                    }
                    write_integer(i64::from(*mask), &mut text);
                }
                ends.push(text.len());
            }
            record.set_format(tag, &text, &ends);
        } else if record.format_index(tag).is_some() {
            record.retain_format(|known| known != tag);
        }
        record
    }
}

impl Entry {
    fn write(&self, out: &mut String) {
        let found = self.found.told();
        if let Some((_, position)) = self.told_by {
            let _ = write!(out, "@{}", position + 1);
            return;
        }
        let model = &self.model;
        if found.meets(Consequences::BEHIND_STOP) {
            out.push('*');
        }
        let decayed = model.biotype.is_decayed() && found.has_transcript();
        for (number, name) in found.names().chain(decayed.then_some("NMD_transcript")).enumerate() {
            if number > 0 {
                out.push('&');
            }
            out.push_str(name);
        }
        let id = if found.has_transcript() { model.id.as_str() } else { "" };
        let _ = write!(out, "|{}|{id}|{}", model.name, model.biotype.name);
        if found.has_strand() || self.text.is_some() {
            out.push_str(if model.is_forward { "|+" } else { "|-" });
        }
        out.push_str(self.text.as_deref().unwrap_or_default());
    }
}
