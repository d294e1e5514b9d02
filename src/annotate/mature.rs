//! Mature miRNAs from miRBase's GFF3 (`hsa.gff3`). RefSeq's gene files have their places; those of Ensembl and GENCODE have
//! transcripts of the biotype miRNA alone, and Ensembl VEP's caches take the places from the same source.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::genes::Genes;
use crate::formats::bases::Genome;
use crate::formats::gff;
use crate::formats::text::TextError;

/// First and last base, and whether on the reverse strand, by contig of the reference.
#[derive(Debug, Default)]
pub struct MatureMirnas(FxHashMap<Vec<u8>, Vec<(i64, i64, bool)>>);

/// The biotype whose transcripts mature miRNAs are cut from.
const BIOTYPE: &str = "miRNA";

impl MatureMirnas {
    /// Reads miRBase's lines of the type `miRNA`, plain or compressed; what is on contigs that the reference lacks is passed over.
    ///
    /// # Errors
    /// The file cannot be read, a line is broken, or there is no mature miRNA in it.
    pub fn read(path: &Path, genome: &Genome) -> Result<Self, TextError> {
        let mut found = Self::default();
        let mut count = 0_u64;
        gff::for_each_feature(path, |feature| {
            if feature.kind != "miRNA" {
                return Ok(());
            }
            let is_reverse = feature.is_reverse.ok_or("a miRNA without a strand")?;
            count += 1;
            if let Some(contig) = genome.contig_like(feature.contig.as_bytes()) {
                let name = genome.contig_name(contig).as_bytes().to_vec();
                found.0.entry(name).or_default().push((feature.start, feature.end, is_reverse));
            }
            Ok(())
        })?;
        if count == 0 {
            let what = "no miRNA from here on: is it miRBase's GFF3?".to_owned();
            return Err(TextError::Line { path: path.to_owned(), line: 1, what });
        }
        Ok(found)
    }

    /// Names the places on transcripts of the biotype miRNA that hold them within an exon; how many transcripts do.
    pub fn mark(&self, genes: &mut Genes) -> u64 {
        let mut marked = 0;
        genes.for_each_mut(|contig, transcript| {
            let Some(places) = self.0.get(contig).filter(|_| transcript.biotype == BIOTYPE) else { return };
            let is_within = |start: i64, end: i64| {
                transcript.exons.iter().any(|exon| exon.start <= start && end <= exon.end)
            };
            let mut mature: Vec<(i64, i64)> = places
                .iter()
                .filter(|(start, end, is_reverse)| {
                    *is_reverse == transcript.is_reverse && is_within(*start, *end)
                })
                .map(|(start, end, _)| (*start, *end))
                .collect();
            mature.sort_unstable();
            mature.dedup();
            marked += u64::from(!mature.is_empty());
            transcript.mature = mature;
        });
        marked
    }
}
