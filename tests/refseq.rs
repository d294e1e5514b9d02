//! FLAGS of transcripts whose sequence or frame is not the genome's, in hand-made lines with the words of NCBI's files.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::genes::annotated;
use common::root;
use common::variant_files::utf8;

const PROTEOMIC: &str = "exception=annotated by transcript or proteomic data";

#[test]
fn exceptions_of_refseq_are_flags() {
    // Attributes of the mRNA, its exon and its CDS, and FLAGS.
    let cases = [
        ("plain", "", "", "", ""),
        ("slips", "", "", "exception=ribosomal slippage", "ribosomal_slippage"),
        (
            "noted",
            "Note=The RefSeq transcript has 11 substitutions%2C 5 frameshifts compared to this genomic sequence",
            "",
            "",
            "genome_mismatch",
        ),
        ("exon", "", PROTEOMIC, "", "genome_mismatch"),
        (
            "model",
            "exception=unclassified transcription discrepancy",
            "",
            "Note=The sequence of the model RefSeq protein was modified relative to this genomic sequence",
            "genome_mismatch",
        ),
        ("protein", "", "", "exception=unclassified translation discrepancy", "genome_mismatch"),
        ("named", "", "", "exception=mismatches in translation", "genome_mismatch"),
        ("both", PROTEOMIC, "", "exception=ribosomal slippage", "ribosomal_slippage&genome_mismatch"),
        ("ends", "tag=cds_end_NF", "", "exception=ribosomal slippage", "cds_end_NF&ribosomal_slippage"),
        // Its protein begins otherwise; the bases are the genome's.
        (
            "start",
            "",
            "",
            "exception=alternative start codon;Note=non-AUG (CUG) translation initiation codon",
            "",
        ),
    ];
    let mut text = "##gff-version 3\n".to_owned();
    for (id, transcript, exon, cds, _) in cases {
        for (kind, phase, attributes) in [
            ("mRNA", ".", format!("ID=rna-{id};gbkey=mRNA;gene=G;transcript_id={id};{transcript}")),
            ("exon", ".", format!("ID=exon-{id}-1;Parent=rna-{id};{exon}")),
            ("CDS", "0", format!("ID=cds-{id};Parent=rna-{id};protein_id=P;{cds}")),
        ] {
            text.push_str(&format!("chr1\tBestRefSeq\t{kind}\t20001\t20300\t.\t+\t{phase}\t{attributes}\n"));
        }
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&directory.path().join(name));
    fs::write(path("g.gff3"), text).expect("genes");
    let vcf = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t20018\t.\tA\tC\t.\t.\t.\n";
    fs::write(path("in.vcf"), vcf).expect("VCF");
    let reference = utf8(&root().join("testdata/genome.fa"));
    let ours = annotated(&reference, &path("g.gff3"), &path("in.vcf"), &["--fields=Feature,FLAGS"]);
    let entries = ours.trim_end().rsplit("CSQ=").next().unwrap_or_default().split(',');
    let found: BTreeMap<&str, &str> = entries.filter_map(|entry| entry.split_once('|')).collect();
    assert_eq!(found, cases.iter().map(|(id, .., flags)| (*id, *flags)).collect());
}
