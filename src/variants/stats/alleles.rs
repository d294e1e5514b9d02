//! What the alleles of a record are: kinds, lengths, first bases, and the bins of their frequencies.

use super::bins::FrequencyBins;
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::record::Record;
use crate::formats::vcf::value;
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;
use crate::variants::allele_counts;

/// The alleles of a record, the reference first. Its buffers are used again for the next record.
#[derive(Debug, Default)]
pub(super) struct Alleles {
    /// Kind and length of each.
    pub(super) kinds: Vec<(Kinds, i64)>,
    /// The first base of each, 0 to 3 for A, C, G and T.
    pub(super) bases: Vec<Option<u8>>,
    /// The bin of the frequency of each; of the reference 0.
    pub(super) bins: Vec<usize>,
    /// The kinds of all together.
    pub(super) all: Kinds,
    counts: Vec<u64>,
}

/// Where frequencies come from.
#[derive(Debug)]
pub(super) enum FrequencySource {
    /// INFO/AN and INFO/AC; where they are missing, genotypes if `genotypes` says so.
    Counts { genotypes: bool },
    /// An INFO tag, which is read only where it is declared to hold reals.
    Tag { name: Vec<u8>, is_real: bool },
}

impl FrequencySource {
    /// The source under a header.
    pub(super) fn new(tag: Option<&str>, has_samples: bool, header: &Header) -> Self {
        let Some(tag) = tag else { return Self::Counts { genotypes: has_samples } };
        let is_real = header.info(tag.as_bytes()).is_some_and(|declared| declared.kind == Type::Float);
        Self::Tag { name: tag.as_bytes().to_vec(), is_real }
    }
}

impl Alleles {
    /// Takes those of a record.
    pub(super) fn read(
        &mut self,
        record: &Record,
        source: &FrequencySource,
        bins: &FrequencyBins,
    ) -> Result<(), RecordProblem> {
        let reference = record.reference();
        self.kinds.clear();
        self.kinds.push((Kinds::REFERENCE, 0));
        self.kinds.extend(record.alternates().map(|alt| Kinds::with_length(reference, alt)));
        self.bases.clear();
        self.bases.push(first_base(reference));
        self.bases.extend(record.alternates().map(first_base));
        self.all = self.kinds.iter().fold(Kinds::REFERENCE, |all, (kind, _)| all.with(*kind));
        self.bins.clear();
        self.bins.resize(self.kinds.len(), 0);
        match source {
            FrequencySource::Tag { name, is_real } => self.read_tag(record, name, *is_real, bins),
            FrequencySource::Counts { genotypes } => self.read_counts(record, *genotypes, bins)?,
        }
        Ok(())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    fn read_tag(&mut self, record: &Record, name: &[u8], is_real: bool, bins: &FrequencyBins) {
        let Some(text) = record.info(name).filter(|text| is_real && !text.is_empty()) else { return };
        if value::list_length(text) + 1 == self.kinds.len() {
            for (bin, text) in self.bins[1..].iter_mut().zip(value::list(text)) {
                *bin = value::real(text).map_or(0, |frequency| bins.bin(frequency));
            }
        }
    }

    fn read_counts(
        &mut self,
        record: &Record,
        genotypes: bool,
        bins: &FrequencyBins,
    ) -> Result<(), RecordProblem> {
        let has_total = record.info(b"AN").and_then(value::integer).is_some_and(|total| total >= 0);
        let is_known = if has_total && record.info(b"AC").is_some() {
            allele_counts::of_info_or_genotypes(record, &mut self.counts)?
        } else {
            genotypes && allele_counts::of_genotypes(record, &mut self.counts)?
        };
        if !is_known {
            return Ok(());
        }
        let total: u64 = self.counts.iter().sum();
        for (bin, &count) in self.bins.iter_mut().zip(&self.counts).skip(1) {
            *bin = match count {
                1 => 0,
                _ if total == 0 => 1,
                count => bins.bin(count as f32 / total as f32),
            };
        }
        Ok(())
    }
}

fn first_base(allele: &[u8]) -> Option<u8> {
    Some(match allele.first()?.to_ascii_uppercase() {
        b'A' => 0,
        b'C' => 1,
        b'G' => 2,
        b'T' => 3,
        _ => return None,
    })
}
