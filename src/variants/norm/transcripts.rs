//! `-g`: where transcripts lie on the forward strand only, for HGVS' rule of the 3' end.
//!
//! A transcript is what `bcftools csq` takes as one in Ensembl's GFF3: a feature with an ID and a parent whose `biotype`, or
//! else type, is known, and which is no exon, CDS or untranslated region.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::formats::text;

/// Transcripts by contig.
#[derive(Debug, Default)]
pub struct Transcripts(FxHashMap<Vec<u8>, Contig>);

/// Transcripts of a contig in order of their starts.
#[derive(Debug, Default)]
struct Contig {
    /// Start and end (0-based, half-open), and whether on the reverse strand.
    spans: Vec<(i64, i64, bool)>,
    longest: i64,
}

/// Why a GFF could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The system failed.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A line is not GFF3.
    #[error("{path}, line {line}: start or end is no number", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
    },
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
        let io = |source| TranscriptError::Io { path: path.to_owned(), source };
        let mut reader: Box<dyn BufRead> = text::open(path).map_err(io)?;
        let (mut transcripts, mut line, mut number) = (Self::default(), Vec::new(), 0);
        while text::read_line(&mut reader, &mut line).map_err(io)? {
            number += 1;
            let is_fine = transcripts.add(&line);
            is_fine.ok_or_else(|| TranscriptError::Line { path: path.to_owned(), line: number })?;
        }
        if transcripts.0.is_empty() {
            return Err(TranscriptError::Empty { path: path.to_owned() });
        }
        for contig in transcripts.0.values_mut() {
            contig.spans.sort_unstable();
        }
        Ok(transcripts)
    }

    /// Takes a line; `None` where it is broken.
    fn add(&mut self, line: &[u8]) -> Option<()> {
        let columns: Vec<&[u8]> = line.split(|&b| b == b'\t').collect();
        let &[contig, _, kind, start, end, _, strand, _, attributes] = columns.as_slice() else {
            return Some(());
        };
        if line.starts_with(b"#") || strand == b"." || PARTS.contains(&kind) {
            return Some(());
        }
        let attribute =
            |name: &[u8]| attributes.split(|&b| b == b';').find_map(|field| field.strip_prefix(name));
        let (Some(id), Some(_)) = (attribute(b"ID="), attribute(b"Parent=")) else { return Some(()) };
        let biotype = attribute(b"biotype=").or_else(|| attribute(b"gene_biotype="));
        if id.starts_with(b"gene:") || !(biotype.is_some_and(is_known) || is_known(kind)) {
            return Some(());
        }
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
        let (start, end) = (number(start)?.checked_sub(1)?, number(end)?);
        let contig = self.0.entry(contig.to_vec()).or_default();
        contig.spans.push((start, end, strand == b"-"));
        contig.longest = contig.longest.max(end.saturating_sub(start));
        Some(())
    }

    /// Whether transcripts overlap `start..end` (0-based, half-open), and all of them are on the forward strand.
    pub fn are_forward(&self, contig: &[u8], start: i64, end: i64) -> bool {
        let Some(contig) = self.0.get(contig) else { return false };
        let first = contig.spans.partition_point(|span| span.0 < start.saturating_sub(contig.longest));
        let overlapping =
            contig.spans[first..].iter().take_while(|span| span.0 < end).filter(|span| span.1 > start);
        let mut is_any = false;
        for span in overlapping {
            if span.2 {
                return false;
            }
            is_any = true;
        }
        is_any
    }
}

/// Features that are parts of transcripts, or of nothing.
const PARTS: [&[u8]; 6] =
    [b"exon", b"CDS", b"three_prime_UTR", b"five_prime_UTR", b"biological_region", b"gene"];

/// How the biotypes of Ensembl and GENCODE begin that bcftools knows.
const BIOTYPES: &str = "protein_coding pseudogene processed_transcript processed_pseudogene polymorphic_pseudogene artifact \
    antisense ambiguous_orf IG_ TR_ Mt_ MRNA mRNA lincRNA lncRNA macro_lncRNA misc_RNA miRNA rRNA ribozyme retained_intron \
    retrotransposed snRNA sRNA scRNA scaRNA snoRNA sense_intronic sense_overlapping tRNA_pseudogene \
    transcribed_processed_pseudogene transcribed_unprocessed_pseudogene transcribed_unitary_pseudogene \
    translated_unprocessed_pseudogene translated_processed_pseudogene nonsense_mediated_decay non_stop_decay NMD \
    known_ncrna unitary_pseudogene unprocessed_pseudogene LRG_gene 3prime_overlapping_ncRNA 3_prime_overlapping_ncRNA \
    disrupted_domain vaultRNA bidirectional_promoter_lncRNA";

fn is_known(biotype: &[u8]) -> bool {
    BIOTYPES.split_ascii_whitespace().any(|known| biotype.starts_with(known.as_bytes()))
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
        assert!(matches!(Transcripts::read(&path), Err(TranscriptError::Line { line: 1, .. })));
        std::fs::write(&path, "#\n").unwrap();
        assert!(matches!(Transcripts::read(&path), Err(TranscriptError::Empty { .. })));
    }
}
