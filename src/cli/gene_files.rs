//! What `norn db genes` and `norn annotate --gff` read beside the gene file, and what is told of both.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::annotate::gene_file::PassedOver;
use crate::annotate::genes::Genes;
use crate::annotate::mane::{ManeSummary, Marked};
use crate::annotate::mature::MatureMirnas;
use crate::annotate::uniprot::UniProtTable;
use crate::formats::bases::Genome;

/// Files that tell more of transcripts than a gene file does.
#[derive(Debug, Args)]
pub struct BesideGenes {
    /// NCBI's summary of MANE (MANE.GRCh38.vX.summary.txt.gz): its transcripts and the accessions of their partners
    #[arg(long, value_name = "FILE")]
    mane_summary: Option<PathBuf>,

    /// Ensembl's table of UniProt (Homo_sapiens.GRCh38.N.uniprot.tsv.gz): SWISSPROT, TREMBL, UNIPARC, UNIPROT_ISOFORM
    #[arg(long, value_name = "FILE")]
    uniprot_table: Option<PathBuf>,

    /// miRBase's GFF3 (hsa.gff3): where mature miRNAs lie, for mature_miRNA_variant
    #[arg(long, value_name = "FILE")]
    mirbase: Option<PathBuf>,
}

impl BesideGenes {
    /// The files that are given.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.mane_summary, &self.uniprot_table, &self.mirbase]
            .into_iter()
            .filter_map(|file| file.as_deref())
    }

    /// Marks transcripts of a gene file; one rank tells what became of it.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn mark(&self, genes: &mut Genes, genome: &Genome, tells: bool) -> anyhow::Result<()> {
        let tell = |line: String| {
            if tells {
                eprintln!("norn: {line}");
            }
        };
        if let Some(path) = &self.mane_summary {
            let marked = ManeSummary::read(path)?.mark(genes);
            lines_of_mane(&marked).into_iter().for_each(tell);
        }
        if let Some(path) = &self.uniprot_table {
            tell(format!("UniProt: {} transcripts have an entry", UniProtTable::read(path)?.mark(genes)));
        }
        if let Some(path) = &self.mirbase {
            let marked = MatureMirnas::read(path, genome)?.mark(genes);
            tell(format!("miRBase: {marked} transcripts have mature miRNAs"));
        }
        Ok(())
    }
}

/// Tells what of the genes was passed over.
pub fn tell_genes(passed_over: &PassedOver) {
    let PassedOver { orphans, inconsistent, without_biotype, unknown_contigs, duplicates } = passed_over;
    for (count, what) in [
        (*orphans, "exons and CDS have a parent that is not in the file"),
        (*inconsistent, "transcripts contradict themselves"),
        (*without_biotype, "transcripts have no biotype"),
        (*duplicates, "features have an identifier that was there before"),
        (unknown_contigs.values().sum(), "transcripts are on contigs that the reference lacks"),
    ] {
        if count > 0 {
            eprintln!("norn: genes: {count} {what}; they are passed over");
        }
    }
}

fn lines_of_mane(marked: &Marked) -> Vec<String> {
    let Marked { select, plus_clinical, other_version, absent, unknown } = marked;
    let mut lines = vec![format!("MANE: {select} Select and {plus_clinical} Plus Clinical")];
    for (count, what) in [
        (other_version, "of its transcripts are among the genes in another version; they are not marked"),
        (absent, "of its transcripts are not among the genes"),
        (unknown, "transcripts are MANE by the gene file and not by the summary; they are not marked"),
    ] {
        if *count > 0 {
            lines.push(format!("MANE: {count} {what}"));
        }
    }
    lines
}
