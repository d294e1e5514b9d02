//! Genes as annotation needs them: transcripts by place, with exons, coding region and sequences.
//!
//! Positions are 1-based and inclusive, as in GFF, HGVS and VEP. Those on a transcript (cDNA) count from its first base in
//! its own direction.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::codons::CodonTable;

/// Transcripts of all contigs.
#[derive(Debug, Default)]
pub struct Genes(FxHashMap<Vec<u8>, Contig>);

/// Transcripts of a contig by their starts.
#[derive(Debug, Default)]
struct Contig {
    transcripts: Vec<Arc<Transcript>>,
    /// For each the greatest end of those up to it.
    ends: Vec<i64>,
}

/// A transcript.
#[derive(Debug)]
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
    /// What is known to be missing or special.
    pub tags: Tags,
}

/// An exon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exon {
    /// Its first base.
    pub start: i64,
    /// Its last base.
    pub end: i64,
    /// Its first base on the transcript.
    pub cdna_start: i64,
}

/// An intron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intron {
    /// Its first base.
    pub start: i64,
    /// Its last base.
    pub end: i64,
    /// Whether it is so short that it stands for a frameshift (Ensembl: up to 13 bases).
    pub is_frameshift: bool,
}

/// What of a transcript is translated.
#[derive(Debug)]
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
    pub five_prime: Vec<u8>,
    /// Its bases, with an `N` for each that is missing.
    pub bases: Vec<u8>,
    /// The untranslated bases behind it.
    pub three_prime: Vec<u8>,
    /// Its protein, without a stop at the end.
    pub peptide: Vec<u8>,
    /// The code.
    pub table: CodonTable,
}

/// What a source says of a transcript beside its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// In GENCODE's basic set.
    pub basic: bool,
    /// The transcript support level, 1 to 5.
    pub tsl: Option<u8>,
    /// APPRIS: P1 to P5, A1, A2.
    pub appris: Option<String>,
    /// The identifier in CCDS.
    pub ccds: Option<String>,
}

impl Genes {
    /// Puts transcripts in order.
    pub fn new(transcripts: impl IntoIterator<Item = (String, Transcript)>) -> Self {
        let mut genes = Self::default();
        for (contig, transcript) in transcripts {
            genes.0.entry(contig.into_bytes()).or_default().transcripts.push(Arc::new(transcript));
        }
        for contig in genes.0.values_mut() {
            contig.transcripts.sort_by(|a, b| (a.start, a.end, &a.id).cmp(&(b.start, b.end, &b.id)));
            let mut greatest = 0;
            let ends = contig.transcripts.iter().map(|transcript| {
                greatest = transcript.end.max(greatest);
                greatest
            });
            contig.ends = ends.collect();
        }
        genes
    }

    /// How many transcripts there are.
    pub fn count(&self) -> usize {
        self.0.values().map(|contig| contig.transcripts.len()).sum()
    }

    /// Whether there are transcripts on a contig.
    pub fn has_contig(&self, contig: &[u8]) -> bool {
        self.0.contains_key(contig)
    }

    /// The transcripts that overlap a range, by their starts.
    pub fn overlapping(&self, contig: &[u8], start: i64, end: i64) -> impl Iterator<Item = &Transcript> {
        let contig = self.0.get(contig);
        let transcripts = contig.map_or(&[][..], |contig| {
            let first = contig.ends.partition_point(|greatest| *greatest < start);
            let behind = contig.transcripts.partition_point(|transcript| transcript.start <= end);
            contig.transcripts.get(first..behind).unwrap_or_default()
        });
        transcripts.iter().map(AsRef::as_ref).filter(move |transcript| transcript.end >= start)
    }
}

impl Transcript {
    /// 1, or -1 on the reverse strand.
    pub fn strand(&self) -> i64 {
        if self.is_reverse { -1 } else { 1 }
    }
}

impl Exon {
    /// Its last base on the transcript.
    pub fn cdna_end(&self) -> i64 {
        self.cdna_start + self.end - self.start
    }
}
