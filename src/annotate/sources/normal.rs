//! The normal form of alleles (Tan et al. 2015, doi:10.1093/bioinformatics/btv112): what is the same is written the same.

use super::block::Key;
use crate::formats::bases::{Bases, Genome};
use crate::formats::fasta::FastaError;
use crate::formats::vcf::record::Record;
use crate::records::align::{Sequence, Site};

/// Alleles that could move by so many bases or more stay where they are, on both sides.
const FURTHEST: i64 = 5_000;

/// An allele in the forms in which a source may have it; none for what is no sequence.
#[derive(Clone, Debug, Default)]
pub struct Forms {
    aligned: Option<Key>,
    /// As it is written, without what REF and ALT share, where that is another.
    trimmed: Option<Key>,
}

impl Forms {
    /// Those to look for, in this order: a source that is not aligned may have an allele as it was written.
    pub fn of(&self, is_aligned: bool) -> impl Iterator<Item = &Key> {
        let is_same = self.aligned.is_none();
        self.aligned.iter().chain(self.trimmed.iter().filter(move |_| is_same || !is_aligned))
    }
}

/// The forms of a record's alternate alleles.
///
/// # Errors
/// The reference cannot be read.
pub fn forms(record: &Record, genome: &Genome) -> Result<Vec<Forms>, FastaError> {
    let contig = genome.contig_like(record.chrom());
    let reference = record.reference().to_ascii_uppercase();
    let position = record.position();
    let mut forms: Vec<Forms> = record
        .alternates()
        .map(|allele| Forms {
            trimmed: key(position, &reference, &allele.to_ascii_uppercase(), None),
            aligned: None,
        })
        .collect();
    let is_base =
        |forms: &Forms| forms.trimmed.as_ref().is_none_or(|(_, from, to)| from.len() == 1 && to.len() == 1);
    let Some(contig) = contig.filter(|_| !forms.iter().all(is_base)) else {
        return Ok(forms);
    };
    genome.with(contig, |bases| {
        for (forms, allele) in forms.iter_mut().zip(record.alternates()) {
            let aligned = key(position, &reference, &allele.to_ascii_uppercase(), Some(&mut *bases));
            if aligned != forms.trimmed {
                forms.aligned = aligned;
            }
        }
    })?;
    Ok(forms)
}

/// The key of an allele; without bases it is trimmed and not moved.
pub fn key(position: i64, reference: &[u8], alternate: &[u8], bases: Option<&mut Bases<'_>>) -> Option<Key> {
    if !(is_sequence(reference) && is_sequence(alternate)) || reference == alternate {
        return None;
    }
    if reference.len() == 1 && alternate.len() == 1 {
        return Some((position, reference.to_vec(), alternate.to_vec()));
    }
    let Some(bases) = bases else { return Some(trimmed(position, reference, alternate)) };
    let alleles = [Sequence::Bases(reference), Sequence::Bases(alternate)];
    let site = Site { position, alleles: &alleles };
    let placement = site.left(0, FURTHEST, bases);
    let mut written = [Vec::new(), Vec::new()];
    for (number, out) in written.iter_mut().enumerate() {
        site.write(number, placement, bases, out);
    }
    let [reference, alternate] = written;
    Some((position + placement.offset, reference, alternate))
}

fn trimmed(position: i64, reference: &[u8], alternate: &[u8]) -> Key {
    let shortest = reference.len().min(alternate.len());
    let suffix = reference.iter().rev().zip(alternate.iter().rev()).take_while(|(a, b)| a == b).count();
    let suffix = suffix.min(shortest - 1);
    let (reference, alternate) =
        (&reference[..reference.len() - suffix], &alternate[..alternate.len() - suffix]);
    let shortest = reference.len().min(alternate.len());
    let prefix = reference.iter().zip(alternate).take_while(|(a, b)| a == b).count().min(shortest - 1);
    (position + prefix as i64, reference[prefix..].to_vec(), alternate[prefix..].to_vec())
}

fn is_sequence(allele: &[u8]) -> bool {
    !allele.is_empty()
        && allele.iter().all(|base| matches!(base.to_ascii_uppercase(), b'A' | b'C' | b'G' | b'T' | b'N'))
}
