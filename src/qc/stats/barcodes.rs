//! samtools stats' barcode sections: bases and qualities by position of the tags BC/QT, CR/CY, OX/BZ and RX/QX.

use serde::{Deserialize, Serialize};

use crate::formats::bam::{Record, Value};

/// The tags, each with the tag of its qualities.
const TAGS: [(&[u8; 2], &[u8; 2]); 4] = [(b"BC", b"QT"), (b"CR", b"CY"), (b"OX", b"BZ"), (b"RX", b"QX")];

/// One table a tag.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Barcodes {
    tags: [Barcode; 4],
}

/// The counts of one tag. Its length and separator are those of the first read that has it, as in samtools.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Barcode {
    /// A, C, G, T, N by position.
    pub bases: Vec<[u64; 5]>,
    /// Qualities by position.
    pub qualities: Vec<Vec<u64>>,
    /// Where the two halves of a dual barcode are joined.
    pub separator: Option<usize>,
    /// The highest quality seen.
    pub max_quality: Option<usize>,
}

impl Barcodes {
    /// Counts the barcodes of a first read.
    pub(super) fn observe(&mut self, record: &Record<'_>) {
        for (barcode, (tag, quality_tag)) in self.tags.iter_mut().zip(TAGS) {
            if let Some(text) = record.field(*tag).and_then(Value::as_string) {
                barcode.observe(text, record.field(*quality_tag).and_then(Value::as_string));
            }
        }
    }

    /// The tags that were seen: name of the tag, of its qualities, and the counts.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&'static str, &'static str, &Barcode)> {
        let names = |tag: &'static [u8; 2]| std::str::from_utf8(tag).unwrap_or_default();
        let tags = self.tags.iter().zip(TAGS).filter(|(barcode, _)| !barcode.bases.is_empty());
        tags.map(move |(barcode, (tag, quality_tag))| (names(tag), names(quality_tag), barcode))
    }

    /// Takes in the counts of the reads that follow.
    pub(super) fn merge(&mut self, next: Barcodes) {
        for (barcode, next) in self.tags.iter_mut().zip(next.tags) {
            if barcode.bases.is_empty() {
                *barcode = next;
                continue;
            }
            for (a, b) in barcode.bases.iter_mut().zip(next.bases) {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            }
            for (a, b) in barcode.qualities.iter_mut().zip(next.qualities) {
                a.resize(a.len().max(b.len()), 0);
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            }
            barcode.separator = barcode.separator.or(next.separator);
            barcode.max_quality = barcode.max_quality.max(next.max_quality);
        }
    }
}

impl Barcode {
    fn observe(&mut self, text: &[u8], qualities: Option<&[u8]>) {
        if self.bases.is_empty() {
            self.bases = vec![[0; 5]; text.len()];
            self.qualities = vec![Vec::new(); text.len()];
        }
        if text.len() > self.bases.len() {
            return;
        }
        for (i, (letter, counts)) in text.iter().zip(&mut self.bases).enumerate() {
            match b"ACGTN".iter().position(|base| base == letter) {
                Some(base) => counts[base] += 1,
                // A second separator elsewhere: samtools gives up on this barcode.
                None if *self.separator.get_or_insert(i) != i => return,
                None => {}
            }
        }
        let Some(qualities) = qualities.filter(|qualities| qualities.len() == text.len()) else { return };
        for (&letter, counts) in qualities.iter().zip(&mut self.qualities) {
            if let Some(quality) = letter.checked_sub(b'!').map(usize::from) {
                counts.resize(counts.len().max(quality + 1), 0);
                counts[quality] += 1;
                self.max_quality = self.max_quality.max(Some(quality));
            }
        }
    }
}
