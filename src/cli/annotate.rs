//! `norn annotate`: VEP's options to one pass over variants.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError};

use clap::Args;

use super::qc::UsageError;
use super::variants::streams::{self, InputArguments, OutputArguments, Plan};
use crate::annotate::csq::Field;
use crate::annotate::gene_file::{self, PassedOver};
use crate::annotate::{Annotator, LeftOut, Options};
use crate::compute::communicator::Communicator;
use crate::formats::bases::Genome;
use crate::formats::fasta::Reference;
use crate::variants::pipeline::Part;

/// Tell what variants do to genes, and their HGVS names, as Ensembl VEP does (INFO/CSQ).
#[derive(Debug, Args)]
#[command(mut_arg("regions", |regions| regions.short(None)))]
#[command(after_long_help = "Examples:\n  \
    norn annotate -r GRCh38.fa --gff Homo_sapiens.GRCh38.114.gff3.gz -o annotated.vcf.gz -W calls.vcf.gz\n  \
    norn annotate -r GRCh38.fa --gff genes.gff3.gz --fields Consequence,SYMBOL,Feature,HGVSc,HGVSp calls.bcf\n\n\
    Fields: Allele Consequence IMPACT SYMBOL Gene Feature_type Feature BIOTYPE EXON INTRON HGVSc HGVSp cDNA_position\n  \
    CDS_position Protein_position Amino_acids Codons DISTANCE STRAND FLAGS HGVS_OFFSET")]
pub struct AnnotateArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// Reference, plain or bgzipped
    #[arg(short, long, alias = "fasta", value_name = "FASTA")]
    reference: PathBuf,

    /// Genes: GFF3 of Ensembl, GENCODE or RefSeq, or GTF
    #[arg(long, alias = "gtf", value_name = "FILE")]
    gff: PathBuf,

    /// Parts of the entries, in this order [default: all]
    #[arg(long, value_name = "FIELD,...")]
    fields: Option<String>,

    /// Name of the INFO field
    #[arg(long, value_name = "TAG", default_value = "CSQ")]
    vcf_info_field: String,

    /// How far from a transcript variants are told as up- or downstream
    #[arg(long, value_name = "BASES", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    distance: u32,

    /// A REF that is not the reference's is an error
    #[arg(long)]
    strict: bool,
}

impl AnnotateArguments {
    /// Runs the command, and tells at the end what could not be annotated.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let options = self.options()?;
        let reference = Arc::new(Reference::open(&self.reference)?);
        let (genes, passed_over) = gene_file::read(&self.gff, &reference)?;
        if ranks.is_root() {
            tell_genes(&passed_over);
        }
        let annotator = Annotator::new(Arc::new(genes), Genome::new(reference), options);
        let left_out = annotator.left_out();
        let code = streams::run("annotate", &self.input, &self.output, ranks, |header| {
            Ok(Plan::new(annotator.header(header), vec![Part::Each(Box::new(annotator))]))
        })?;
        let mine = left_out.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(all) = streams::gathered(ranks, &mine)? {
            let mut whole = LeftOut::default();
            all.iter().for_each(|one| whole.merge(one));
            tell(&whole);
        }
        Ok(code)
    }

    fn options(&self) -> anyhow::Result<Options> {
        let fields = match &self.fields {
            None => Field::ALL.iter().map(|(field, _)| *field).collect(),
            Some(list) => {
                let field = |name| {
                    Field::parse(name)
                        .ok_or_else(|| UsageError::new(format!("--fields: there is no {name:?}")))
                };
                list.split(',').map(field).collect::<Result<_, _>>()?
            }
        };
        let tag = self.vcf_info_field.clone();
        let is_tag = !tag.is_empty()
            && tag.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_.".contains(&letter));
        if !is_tag {
            return Err(UsageError::new(format!("--vcf-info-field: {tag:?} is no name of a tag")).into());
        }
        Ok(Options { tag, fields, distance: i64::from(self.distance), is_strict: self.strict })
    }
}

/// Tells what of the genes was passed over.
fn tell_genes(passed_over: &PassedOver) {
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

fn tell(left_out: &LeftOut) {
    if left_out.mismatches > 0 {
        eprintln!(
            "norn: {} records have another REF than the reference; they are not annotated",
            left_out.mismatches
        );
    }
    for (contig, count) in &left_out.unknown_contigs {
        eprintln!("norn: {count} records are on {contig}, which the reference lacks; they are not annotated");
    }
    for (contig, count) in &left_out.contigs_without_genes {
        eprintln!("norn: {count} records are on {contig}, of which there are no genes");
    }
}
