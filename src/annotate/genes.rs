//! Genes as annotation needs them: transcripts by place, with exons, coding region and sequences.
//!
//! Positions are 1-based and inclusive, as in GFF, HGVS and VEP. Those on a transcript (cDNA) count from its first base in
//! its own direction.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::codons::CodonTable;
use super::gene_database::{Database, Place};
use crate::formats::ndb::NdbError;
use crate::genome::by_start::{ByStart, Placed};

/// Transcripts of all contigs.
#[derive(Debug, Default)]
pub struct Genes(FxHashMap<Vec<u8>, ByStart<Slot>>);

/// A transcript that is there, or is read when it is asked for.
#[derive(Debug)]
struct Slot {
    start: i64,
    end: i64,
    source: Source,
}

#[derive(Debug)]
enum Source {
    There(Box<Transcript>),
    In(Arc<Database>, Place, OnceLock<Box<Transcript>>),
}

/// A transcript.
#[derive(Debug, Serialize, Deserialize)]
pub struct Transcript {
    /// Its identifier without a version.
    pub id: String,
    /// The identifier as HGVS names it, with a version where there is one.
    pub name: String,
    /// The gene's identifier.
    pub gene: String,
    /// The gene's symbol.
    pub symbol: String,
    /// The biotype.
    pub biotype: String,
    /// First and last base.
    pub start: i64,
    /// The last base.
    pub end: i64,
    /// Whether on the reverse strand.
    pub is_reverse: bool,
    /// Exons in the transcript's direction.
    pub exons: Vec<Exon>,
    /// Introns in the transcript's direction.
    pub introns: Vec<Intron>,
    /// Whether an intron is too short to be one, and stands for a frameshift.
    pub has_frameshift_intron: bool,
    /// Bases of all exons.
    pub length: i64,
    /// What is translated.
    pub coding: Option<Coding>,
    /// Where the mature miRNAs lie that are cut from it: first and last bases, within exons.
    pub mature: Vec<(i64, i64)>,
    /// What is known to be missing or special.
    pub tags: Tags,
    /// How many transcripts stand before it in the source.
    pub order: u32,
}

/// An exon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exon {
    /// Its first base.
    pub start: i64,
    /// Its last base.
    pub end: i64,
    /// Its first base on the transcript.
    pub cdna_start: i64,
}

/// An intron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intron {
    /// Its first base.
    pub start: i64,
    /// Its last base.
    pub end: i64,
    /// Whether it is so short that it stands for a frameshift (Ensembl: up to 13 bases).
    pub is_frameshift: bool,
}

/// What of a transcript is translated.
#[derive(Debug, Serialize, Deserialize)]
pub struct Coding {
    /// The protein as HGVS names it.
    pub protein: String,
    /// First and last base of the coding region on the genome.
    pub region: (i64, i64),
    /// The same on the transcript.
    pub cdna: (i64, i64),
    /// Bases of its first codon that are missing before it.
    pub phase: i64,
    /// The untranslated bases before it.
    #[serde(with = "super::packed")]
    pub five_prime: Vec<u8>,
    /// Its bases, with an `N` for each that is missing.
    #[serde(with = "super::packed")]
    pub bases: Vec<u8>,
    /// The untranslated bases behind it.
    #[serde(with = "super::packed")]
    pub three_prime: Vec<u8>,
    /// Its protein, without a stop at the end.
    pub peptide: Vec<u8>,
    /// Amino acids that are not those of the code.
    pub recoded: Vec<Recoded>,
    /// The code.
    pub table: CodonTable,
}

/// An amino acid that the code does not tell: selenocysteine at a stop codon, the first one of another start than ATG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recoded {
    /// Its number in the protein, from 1.
    pub number: i64,
    /// The amino acid.
    pub amino_acid: u8,
}

/// What a source says of a transcript beside its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// The coding sequence begins before the transcript.
    pub cds_start_not_found: bool,
    /// The coding sequence ends behind it.
    pub cds_end_not_found: bool,
    /// The gene's canonical transcript.
    pub canonical: bool,
    /// MANE Select.
    pub mane_select: bool,
    /// MANE Plus Clinical.
    pub mane_plus_clinical: bool,
    /// The transcript of the other side that MANE pairs it with: RefSeq's of Ensembl's, and the other way round.
    pub mane_partner: Option<String>,
    /// The ribosome slips: behind that place the frame, and so codons and names, are not those of the protein.
    pub ribosomal_slippage: bool,
    /// The source's own sequence (RefSeq) differs from the genome, whose bases are read here.
    pub genome_mismatch: bool,
    /// In GENCODE's basic set.
    pub basic: bool,
    /// The transcript support level, 1 to 5.
    pub tsl: Option<u8>,
    /// APPRIS: P1 to P5, A1, A2.
    pub appris: Option<String>,
    /// The identifier in CCDS.
    pub ccds: Option<String>,
    /// The gene's number in HGNC.
    pub hgnc: Option<u32>,
    /// Its protein's entries in UniProt.
    pub uniprot: UniProt,
}

/// Entries of a protein in UniProt, in the order of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniProt {
    /// Accessions of what curators have reviewed.
    pub swissprot: Vec<String>,
    /// Accessions of the others.
    pub trembl: Vec<String>,
    /// Accessions of sequences in UniParc.
    pub uniparc: Vec<String>,
    /// Isoforms of reviewed entries.
    pub isoforms: Vec<String>,
}

impl Genes {
    /// Puts transcripts in order.
    pub fn new(transcripts: impl IntoIterator<Item = (String, Transcript)>) -> Self {
        let mut all: FxHashMap<Vec<u8>, Vec<Transcript>> = FxHashMap::default();
        for (contig, transcript) in transcripts {
            all.entry(contig.into_bytes()).or_default().push(transcript);
        }
        let in_order = all.into_iter().map(|(contig, mut transcripts)| {
            transcripts.sort_by_cached_key(|transcript| transcript.id.clone());
            let slot = |transcript: Transcript| Slot {
                start: transcript.start,
                end: transcript.end,
                source: Source::There(Box::new(transcript)),
            };
            (contig, ByStart::new(transcripts.into_iter().map(slot).collect()))
        });
        Self(in_order.collect())
    }

    /// Transcripts of a database, which are read when they are asked for; they stand in the order of [`Self::new`].
    pub(super) fn of_database(database: &Arc<Database>, places: Vec<(String, Vec<Place>)>) -> Self {
        let slot = |place: Place| Slot {
            start: place.start,
            end: place.end,
            source: Source::In(Arc::clone(database), place, OnceLock::new()),
        };
        let contig = |(contig, places): (String, Vec<Place>)| {
            (contig.into_bytes(), ByStart::new(places.into_iter().map(slot).collect()))
        };
        Self(places.into_iter().map(contig).collect())
    }

    /// Changes what is known of each transcript, of a contig, that was read from a gene file; not of those of a database.
    pub(super) fn for_each_mut(&mut self, mut change: impl FnMut(&[u8], &mut Transcript)) {
        for (name, contig) in &mut self.0 {
            for slot in contig.as_mut_slice() {
                if let Source::There(transcript) = &mut slot.source {
                    change(name, transcript);
                }
            }
        }
    }

    /// How many transcripts there are.
    pub fn count(&self) -> usize {
        self.0.values().map(|contig| contig.as_slice().len()).sum()
    }

    /// Whether there are transcripts on a contig.
    pub fn has_contig(&self, contig: &[u8]) -> bool {
        self.0.contains_key(contig)
    }

    /// All transcripts by contig, each contig's by their starts.
    ///
    /// # Errors
    /// A database is damaged.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], Result<&Transcript, NdbError>)> {
        let mut contigs: Vec<_> = self.0.iter().collect();
        contigs.sort_by_key(|(name, _)| *name);
        contigs.into_iter().flat_map(|(name, contig)| {
            contig.as_slice().iter().map(move |slot| (name.as_slice(), slot.load()))
        })
    }

    /// The transcripts that overlap a range, by their starts.
    ///
    /// # Errors
    /// A database is damaged.
    pub fn overlapping(
        &self,
        contig: &[u8],
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = Result<&Transcript, NdbError>> {
        self.0
            .get(contig)
            .into_iter()
            .flat_map(move |slots| slots.overlapping(start - 1, end))
            .map(Slot::load)
    }
}

impl Placed for Slot {
    fn range(&self) -> (i64, i64) {
        (self.start - 1, self.end)
    }
}

impl Slot {
    fn load(&self) -> Result<&Transcript, NdbError> {
        match &self.source {
            Source::There(transcript) => Ok(transcript),
            Source::In(database, place, cell) => match cell.get() {
                Some(transcript) => Ok(transcript),
                None => {
                    let transcript = Box::new(database.read(place)?);
                    // Another thread may have been faster; it has read the same.
                    Ok(cell.get_or_init(|| transcript))
                }
            },
        }
    }
}

impl Transcript {
    /// Where a base of the transcript (cDNA) is on the contig.
    pub fn on_contig(&self, cdna: i64) -> Option<i64> {
        let exon = self.exons.iter().find(|exon| exon.cdna_start <= cdna && cdna <= exon.cdna_end())?;
        let along = cdna - exon.cdna_start;
        Some(if self.is_reverse { exon.end - along } else { exon.start + along })
    }

    /// 1, or -1 on the reverse strand.
    pub fn strand(&self) -> i64 {
        if self.is_reverse { -1 } else { 1 }
    }
}

impl Coding {
    /// The amino acids of the coding region, also behind the stop if bases follow.
    pub fn amino_acids(&self) -> Vec<u8> {
        let mut amino_acids = self.table.translate(&self.bases);
        for recoded in &self.recoded {
            let place = usize::try_from(recoded.number - 1).ok();
            if let Some(one) = place.and_then(|place| amino_acids.get_mut(place)) {
                *one = recoded.amino_acid;
            }
        }
        amino_acids
    }

    /// The codon of an amino acid, by its number from 1.
    pub fn codon(&self, number: i64) -> Option<&[u8]> {
        let from = usize::try_from(number - 1).ok()?.checked_mul(3)?;
        self.bases.get(from..from.checked_add(3)?)
    }
}

impl Exon {
    /// Its last base on the transcript.
    pub fn cdna_end(&self) -> i64 {
        self.cdna_start + self.end - self.start
    }
}

/// An accession and its version, `NM_000546.6`; `None` where it has none.
pub(super) fn versioned(accession: &str) -> Option<(&str, &str)> {
    let (id, version) = accession.rsplit_once('.')?;
    let is_version = !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit());
    is_version.then_some((id, version))
}
