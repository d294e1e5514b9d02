//! `-g`: where transcripts lie on the forward strand only, for HGVS' rule of the 3' end.
//!
//! A transcript is what `bcftools csq` takes as one in Ensembl's GFF3: a feature with an ID and a parent whose `biotype`, or
//! else type, is known, and which is no exon, CDS or untranslated region.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::formats::gff::{self, Feature};
use crate::formats::text::TextError;
use crate::genome::by_start::{ByStart, Placed};

/// Transcripts by contig.
#[derive(Debug, Default)]
pub struct Transcripts(FxHashMap<Vec<u8>, ByStart<Span>>);

/// Start and end (0-based, half-open), and whether on the reverse strand.
#[derive(Debug)]
struct Span(i64, i64, bool);

/// Why a GFF could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The file cannot be read, or a line is broken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Nothing in it is a transcript.
    #[error("{path}: no transcripts found (GFF3 as Ensembl has it is expected)", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Transcripts {
    /// Reads a GFF3, plain or compressed.
    ///
    /// # Errors
    /// It cannot be read, a line is broken, or there is no transcript in it.
    pub fn read(path: &Path) -> Result<Self, TranscriptError> {
        let mut spans: FxHashMap<Vec<u8>, Vec<Span>> = FxHashMap::default();
        gff::for_each_feature(path, |feature| {
            if let Some(is_reverse) = feature.is_reverse.filter(|_| is_transcript(feature)) {
                let span = Span(feature.start - 1, feature.end, is_reverse);
                spans.entry(feature.contig.as_bytes().to_vec()).or_default().push(span);
            }
            Ok(())
        })?;
        match spans.is_empty() {
            true => Err(TranscriptError::Empty { path: path.to_owned() }),
            false => {
                Ok(Self(spans.into_iter().map(|(contig, spans)| (contig, ByStart::new(spans))).collect()))
            }
        }
    }

    /// Whether transcripts overlap `start..end` (0-based, half-open), and all of them are on the forward strand.
    pub fn are_forward(&self, contig: &[u8], start: i64, end: i64) -> bool {
        let Some(spans) = self.0.get(contig) else { return false };
        let mut overlapping = spans.overlapping(start, end).peekable();
        overlapping.peek().is_some() && overlapping.all(|span| !span.2)
    }
}

impl Placed for Span {
    fn range(&self) -> (i64, i64) {
        (self.0, self.1)
    }
}

fn is_transcript(feature: &Feature<'_>) -> bool {
    let (Some(id), Some(_)) = (feature.get("ID"), feature.get("Parent")) else { return false };
    let biotype = feature.get("biotype").or_else(|| feature.get("gene_biotype"));
    let is_of_known_kind = biotype.is_some_and(|biotype| is_known(&biotype)) || is_known(feature.kind);
    !PARTS.contains(&feature.kind) && !id.starts_with("gene:") && is_of_known_kind
}

/// Features that are parts of transcripts, or of nothing.
const PARTS: [&str; 6] = ["exon", "CDS", "three_prime_UTR", "five_prime_UTR", "biological_region", "gene"];

/// How the biotypes of Ensembl and GENCODE begin that bcftools knows.
const BIOTYPES: &str = "protein_coding pseudogene processed_transcript processed_pseudogene polymorphic_pseudogene artifact \
    antisense ambiguous_orf IG_ TR_ Mt_ MRNA mRNA lincRNA lncRNA macro_lncRNA misc_RNA miRNA rRNA ribozyme retained_intron \
    retrotransposed snRNA sRNA scRNA scaRNA snoRNA sense_intronic sense_overlapping tRNA_pseudogene \
    transcribed_processed_pseudogene transcribed_unprocessed_pseudogene transcribed_unitary_pseudogene \
    translated_unprocessed_pseudogene translated_processed_pseudogene nonsense_mediated_decay non_stop_decay NMD \
    known_ncrna unitary_pseudogene unprocessed_pseudogene LRG_gene 3prime_overlapping_ncRNA 3_prime_overlapping_ncRNA \
    disrupted_domain vaultRNA bidirectional_promoter_lncRNA";

fn is_known(biotype: &str) -> bool {
    BIOTYPES.split_ascii_whitespace().any(|known| biotype.starts_with(known))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_places_where_all_transcripts_are_forward_count() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.gff3");
        let feature = |kind, start, end, strand, rest| {
            format!("1\te\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{rest}\n")
        };
        let text = [
            "##gff-version 3\n".to_owned(),
            feature("gene", 1, 900, "+", "ID=gene:G;biotype=protein_coding"),
            feature("mRNA", 100, 200, "+", "ID=transcript:A;Parent=gene:G;biotype=protein_coding"),
            feature("exon", 1, 900, "+", "ID=x;Parent=transcript:A"),
            feature("lnc_RNA", 180, 400, "-", "ID=transcript:B;Parent=gene:G;biotype=antisense"),
            feature("odd", 500, 600, "+", "ID=transcript:C;Parent=gene:G;biotype=odd"),
        ]
        .concat();
        std::fs::write(&path, text).unwrap();
        let transcripts = Transcripts::read(&path).unwrap();
        for (start, end, is_forward) in [
            (0, 99, false),
            (0, 100, true),
            (150, 151, true),
            (150, 190, false),
            (300, 301, false),
            (550, 551, false),
        ] {
            assert_eq!(transcripts.are_forward(b"1", start, end), is_forward, "{start}-{end}");
        }
        assert!(!transcripts.are_forward(b"2", 150, 151));
        std::fs::write(&path, "1\te\tmRNA\tx\t5\t.\t+\t.\tID=a;Parent=b\n").unwrap();
        assert!(matches!(
            Transcripts::read(&path),
            Err(TranscriptError::Text(TextError::Line { line: 1, .. }))
        ));
        std::fs::write(&path, "#\n").unwrap();
        assert!(matches!(Transcripts::read(&path), Err(TranscriptError::Empty { .. })));
    }
}
