//! `norn db genes --mane-summary`: MANE's marks and partners, in hand-made gene files of Ensembl's and RefSeq's form and a summary of
//! NCBI's columns. What the fields hold is what Ensembl VEP's caches have: RefSeq's accession of an Ensembl transcript.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::variant_files::utf8;
use common::{norn, norn_ok, root};

/// Transcripts by Ensembl, RefSeq and status; the first four have genes below.
const SUMMARY: &str = "#NCBI_GeneID\tEnsembl_Gene\tHGNC_ID\tsymbol\tname\tRefSeq_nuc\tRefSeq_prot\tEnsembl_nuc\tEnsembl_prot\tMANE_status\tGRCh38_chr\tchr_start\tchr_end\tchr_strand\n\
    GeneID:1\tENSG01.3\tHGNC:5\tONE\tgene one\tNM_01.4\tNP_01.2\tENST01.8\tENSP01.2\tMANE Select\tNC_000001.11\t20001\t20300\t+\n\
    GeneID:1\tENSG01.3\tHGNC:5\tONE\tgene one\tNM_02.1\tNP_02.1\tENST02.2\tENSP02.1\tMANE Plus Clinical\tNC_000001.11\t20001\t20300\t+\n\
    GeneID:2\tENSG02.1\tHGNC:6\tTWO\tgene two\tNM_03.5\tNP_03.5\tENST03.7\tENSP03.1\tMANE Select\tNC_000001.11\t20001\t20300\t+\n\
    GeneID:3\tENSG03.1\tHGNC:7\tTHREE\tgene three\tNM_04.1\tNP_04.1\tENST04.1\tENSP04.1\tMANE Select\tNC_000001.11\t20001\t20300\t+\n\
    GeneID:4\tENSG04.1\tHGNC:8\tFOUR\tgene four\tNM_05.1\tNP_05.1\tENST05.1\tENSP05.1\tMANE Select\tNC_000002.12\t1\t9\t+\n";

/// Identifier of a transcript in the file, its attributes.
type Line = (&'static str, &'static str);

/// ENST03 is there in an older version; ENST04 without one; ENST09 has a tag that the summary does not confirm.
const ENSEMBL: [Line; 5] = [
    ("transcript:ENST01", "transcript_id=ENST01;version=8"),
    ("transcript:ENST02", "transcript_id=ENST02;version=2"),
    ("transcript:ENST03", "transcript_id=ENST03;version=6;tag=basic,Ensembl_canonical,MANE_Select"),
    ("transcript:ENST04", "transcript_id=ENST04"),
    ("transcript:ENST09", "transcript_id=ENST09;version=1;tag=MANE_Plus_Clinical"),
];
/// RefSeq's tags have spaces.
const REFSEQ: [Line; 3] = [
    ("rna-NM_01.4", "Name=NM_01.4;transcript_id=NM_01.4;tag=MANE Select"),
    ("rna-NM_02.1", "Name=NM_02.1;transcript_id=NM_02.1;tag=MANE Plus Clinical"),
    ("rna-NM_03.4", "Name=NM_03.4;transcript_id=NM_03.4"),
];

fn gff(lines: &[Line]) -> String {
    let mut text = "##gff-version 3\n".to_owned();
    for (id, attributes) in lines {
        for (kind, attributes) in [
            ("mRNA", format!("ID={id};biotype=protein_coding;gene_id=G;{attributes}")),
            ("exon", format!("Parent={id}")),
            ("CDS", format!("Parent={id};protein_id=P")),
        ] {
            let phase = if kind == "CDS" { "0" } else { "." };
            text.push_str(&format!("chr1\tx\t{kind}\t20001\t20300\t.\t+\t{phase}\t{attributes}\n"));
        }
    }
    text
}

/// MANE, MANE_SELECT and MANE_PLUS_CLINICAL by transcript, and what was told.
fn marks(lines: &[Line], summary: Option<&str>, directory: &Path) -> (BTreeMap<String, String>, String) {
    let path = |name: &str| utf8(&directory.join(name));
    let reference = utf8(&root().join("testdata/genome.fa"));
    let (genes, table, ndb, vcf) = (path("g.gff3"), path("mane.txt"), path("g.ndb"), path("in.vcf"));
    fs::write(&genes, gff(lines)).expect("genes");
    let mut words = vec!["db", "genes", "--gff", &genes, "-r", &reference, "-o", &ndb];
    if let Some(summary) = summary {
        fs::write(&table, summary).expect("a summary");
        words.extend(["--mane-summary", &table]);
    }
    let told = String::from_utf8(norn_ok(&words).stderr).expect("UTF-8");
    let text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t20018\t.\tA\tC\t.\t.\t.\n";
    fs::write(&vcf, text).expect("VCF");
    let fields = "--fields=Feature,MANE,MANE_SELECT,MANE_PLUS_CLINICAL";
    let output = norn_ok(&["annotate", "-r", &reference, "--genes", &ndb, "--quiet", fields, &vcf]);
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    let entries = output.trim_end().rsplit("CSQ=").next().unwrap_or_default().split(',');
    let entries = entries.filter_map(|entry| entry.split_once('|'));
    (entries.map(|(id, rest)| (id.to_owned(), rest.to_owned())).collect(), told)
}

fn expected(marks: &[(&str, &str)]) -> BTreeMap<String, String> {
    marks.iter().map(|(id, rest)| ((*id).to_owned(), (*rest).to_owned())).collect()
}

#[test]
fn transcripts_are_marked_with_their_partners() {
    let directory = tempfile::tempdir().expect("a directory");
    let (found, told) = marks(&ENSEMBL, Some(SUMMARY), directory.path());
    assert_eq!(
        found,
        expected(&[
            ("ENST01", "MANE_Select|NM_01.4|"),
            ("ENST02", "MANE_Plus_Clinical||NM_02.1"),
            ("ENST03", "||"),
            ("ENST04", "MANE_Select|NM_04.1|"),
            ("ENST09", "||"),
        ])
    );
    for line in [
        "2 Select and 1 Plus Clinical",
        "1 of its transcripts are among the genes in another version",
        "1 of its transcripts are not among the genes",
        "2 transcripts are MANE by the gene file and not by the summary",
    ] {
        assert!(told.contains(&format!("norn: MANE: {line}")), "{line}: {told}");
    }
    let (found, told) = marks(&REFSEQ, Some(SUMMARY), directory.path());
    let select = [
        ("NM_01.4", "MANE_Select|ENST01.8|"),
        ("NM_02.1", "MANE_Plus_Clinical||ENST02.2"),
        ("NM_03.4", "||"),
    ];
    assert_eq!(found, expected(&select));
    assert!(!told.contains("by the gene file"), "{told}");
    // The summary is one of the files that the database is made from.
    let path = |name: &str| utf8(&directory.path().join(name));
    norn_ok(&["db", "verify", &path("g.ndb"), "--against", &path("mane.txt"), &path("g.gff3")]);
}

#[test]
fn without_a_summary_tags_count() {
    let directory = tempfile::tempdir().expect("a directory");
    let (found, _) = marks(&REFSEQ, None, directory.path());
    let own =
        [("NM_01.4", "MANE_Select|NM_01.4|"), ("NM_02.1", "MANE_Plus_Clinical||NM_02.1"), ("NM_03.4", "||")];
    assert_eq!(found, expected(&own));
}

#[test]
fn what_is_no_summary_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&directory.path().join(name));
    let reference = utf8(&root().join("testdata/genome.fa"));
    fs::write(path("g.gff3"), gff(&ENSEMBL)).expect("genes");
    for (text, what) in [
        ("", "it is empty"),
        ("#chrom\tstart\n", "line 1: there is no column RefSeq_nuc"),
        (&SUMMARY.replace("MANE Plus Clinical", "x"), "line 3: MANE_status is \"x\""),
        (&SUMMARY.replace("NM_03.5", "NM_03"), "line 4: \"NM_03\" is no accession with a version"),
    ] {
        fs::write(path("mane.txt"), text).expect("a summary");
        let words =
            ["db", "genes", "--gff", &path("g.gff3"), "-r", &reference, "--mane-summary", &path("mane.txt")];
        let output = norn(&[&words[..], &["-o", &path("g.ndb")]].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{what}: {told}");
        assert!(told.contains(what), "{what}: {told}");
        assert!(!directory.path().join("g.ndb").exists(), "{what}");
    }
}
