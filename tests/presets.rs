//! The commands of examples/annotate on small files of the shape that each source has: names of columns, words above them, names of
//! chromosomes. The values are made.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::variant_files::utf8;
use common::{norn_ok, root};

const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

/// Each database, the file that it is made from, what stands in that, and the INFO that comes of chr1:20018 A>C.
fn sources() -> [(&'static str, &'static str, String, &'static str); 7] {
    let vcf = |lines: &str, record: &str| format!("##fileformat=VCFv4.2\n{lines}\n{COLUMNS}{record}\n");
    [
        (
            "gnomad",
            "gnomad.genomes.v4.1.sites.chr1.vcf.bgz",
            vcf(
                "##INFO=<ID=AF,Number=A,Type=Float,Description=\"f\">\n##INFO=<ID=AF_grpmax,Number=A,Type=Float,Description=\"g\">\n\
                ##INFO=<ID=nhomalt,Number=A,Type=Integer,Description=\"h\">",
                "chr1\t20018\trs1\tA\tC\t.\tPASS\tAC=3;AF=2.1e-05;AF_grpmax=4.2e-05;nhomalt=0",
            ),
            "gnomAD_AF=2.1e-05;gnomAD_AF_grpmax=4.2e-05;gnomAD_nhomalt=0",
        ),
        (
            "clinvar",
            "clinvar.vcf.gz",
            vcf(
                "##INFO=<ID=CLNSIG,Number=.,Type=String,Description=\"c\">\n##INFO=<ID=CLNREVSTAT,Number=.,Type=String,Description=\"r\">",
                "1\t20018\t12345\tA\tC\t.\t.\tCLNREVSTAT=criteria_provided,_single_submitter;CLNSIG=Pathogenic",
            ),
            "ClinVar_ID=12345;ClinVar_CLNSIG=Pathogenic;ClinVar_CLNREVSTAT=criteria_provided&_single_submitter",
        ),
        (
            "dbsnp",
            "GCF_000001405.40.gz",
            vcf("##contig=<ID=NC_000001.11>", "NC_000001.11\t20018\trs77\tA\tC,G\t.\t.\tRS=77"),
            "",
        ),
        (
            "cadd",
            "whole_genome_SNVs.tsv.gz",
            "## CADD GRCh38-v1.7 (c) its owners\n#Chrom\tPos\tRef\tAlt\tRawScore\tPHRED\n1\t20018\tA\tC\t0.31\t5.9\n".into(),
            "CADD_PHRED=5.9",
        ),
        (
            "revel",
            "revel_with_transcript_ids",
            "chr,hg19_pos,grch38_pos,ref,alt,aaref,aaalt,REVEL,Ensembl_transcriptid\n1,9000,20019,C,G,P,A,0.4,T1\n\
            1,9001,.,A,C,E,D,0.9,T1\n1,9002,20018,A,C,E,D,0.027,T1;T2\n"
                .into(),
            "REVEL_REVEL=0.027",
        ),
        (
            "spliceai",
            "spliceai_scores.masked.snv.hg38.vcf.gz",
            vcf(
                "##INFO=<ID=SpliceAI,Number=.,Type=String,Description=\"SpliceAIv1.3 variant annotation. Format: ALLELE|SYMBOL|DS_AG\">",
                "1\t20018\t.\tA\tC\t.\t.\tSpliceAI=C|OR4F5|0.01|0.00|0.09|0.00|41|-2|-27|35",
            ),
            "SpliceAI=C|OR4F5|0.01|0.00|0.09|0.00|41|-2|-27|35",
        ),
        (
            "alphamissense",
            "AlphaMissense_hg38.tsv.gz",
            "# Copyright 2023 its owners\n#\n# Licensed under a licence\n#CHROM\tPOS\tREF\tALT\tgenome\tuniprot_id\ttranscript_id\tprotein_variant\t\
            am_pathogenicity\tam_class\nchr1\t20018\tA\tC\thg38\tQ8NH21\tENST00000335137.4\tE6D\t0.2937\tlikely_benign\n"
                .into(),
            "am_pathogenicity=0.2937;am_class=likely_benign",
        ),
    ]
}

/// A block of the page, run by a shell in a directory.
fn run(block: &str, directory: &Path) {
    let binary = Path::new(env!("CARGO_BIN_EXE_norn")).parent().expect("a directory");
    let path = format!("{}:{}", utf8(binary), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh").args(["-ec", block]).current_dir(directory).env("PATH", path).output();
    let output = output.expect("a shell");
    assert!(output.status.success(), "{block}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn presets_work_on_files_of_each_shape() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&directory.path().join(name));
    fs::copy(root().join("testdata/genome.fa"), path("GRCh38.fa")).expect("a reference");
    let sources = sources();
    for (_, file, text, _) in &sources {
        fs::write(path(file), text).expect("a source");
    }
    let page = fs::read_to_string(root().join("examples/annotate/README.md")).expect("the page");
    let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
    assert_eq!(blocks.len(), sources.len());
    blocks.iter().for_each(|block| run(block, directory.path()));
    let vcf = format!("##fileformat=VCFv4.2\n##contig=<ID=chr1>\n{COLUMNS}chr1\t20018\t.\tA\tC\t.\t.\t.\n");
    fs::write(path("in.vcf"), vcf).expect("VCF");
    let (reference, input) = (path("GRCh38.fa"), path("in.vcf"));
    for (name, _, _, expected) in &sources {
        let ndb = path(&format!("{name}.ndb"));
        let output = norn_ok(&["annotate", "-r", &reference, "--source", &ndb, "--quiet", &input]);
        let output = String::from_utf8(output.stdout).expect("UTF-8");
        let columns: Vec<&str> = output.lines().last().unwrap_or_default().split('\t').collect();
        let id = if *name == "dbsnp" { "rs77" } else { "." };
        let info = if expected.is_empty() { "." } else { expected };
        assert_eq!((columns[2], columns[7]), (id, info), "{name}");
    }
}
