//! What files beside the gene file tell: UniProt's entries by Ensembl's table, mature miRNAs by miRBase's or RefSeq's lines. The
//! database has the same as the gene file read at once.

mod common;

use std::fs;
use std::path::Path;

use common::variant_files::utf8;
use common::{norn, norn_ok, root};

const ENSEMBL: &str = "##gff-version 3\n\
    chr1\tx\tmiRNA\t20001\t20080\t.\t+\t.\tID=transcript:M;Parent=gene:G;biotype=miRNA;transcript_id=M;version=2\n\
    chr1\tx\tncRNA_gene\t20001\t20080\t.\t+\t.\tID=gene:G;biotype=miRNA;gene_id=G\n\
    chr1\tx\texon\t20001\t20080\t.\t+\t.\tParent=transcript:M\n\
    chr1\tx\tlnc_RNA\t20001\t20080\t.\t+\t.\tID=transcript:L;Parent=gene:G;biotype=lncRNA;transcript_id=L\n\
    chr1\tx\texon\t20001\t20080\t.\t+\t.\tParent=transcript:L\n";
/// Inside the exon; on the other strand; across the exon's end; on a contig that the reference lacks.
const MIRBASE: &str = "# hsa.gff3\n\
    chr1\t.\tmiRNA_primary_transcript\t20001\t20080\t.\t+\t.\tID=MI1;Name=hsa-mir-1\n\
    1\t.\tmiRNA\t20010\t20031\t.\t+\t.\tID=MIMAT1;Name=hsa-miR-1-5p;Derives_from=MI1\n\
    chr1\t.\tmiRNA\t20050\t20070\t.\t-\t.\tID=MIMAT2;Name=hsa-miR-2-5p;Derives_from=MI2\n\
    chr1\t.\tmiRNA\t20075\t20095\t.\t+\t.\tID=MIMAT3;Name=hsa-miR-3-5p;Derives_from=MI3\n\
    chrUn_1\t.\tmiRNA\t20075\t20095\t.\t+\t.\tID=MIMAT4;Name=hsa-miR-4-5p;Derives_from=MI4\n";
/// RefSeq has the mature ones as transcripts of their own, too.
const REFSEQ: &str = "##gff-version 3\n\
    chr1\tBestRefSeq\tprimary_transcript\t20001\t20080\t.\t+\t.\tID=rna-M;gbkey=precursor_RNA;gene=G;transcript_id=M\n\
    chr1\tBestRefSeq\texon\t20001\t20080\t.\t+\t.\tID=e1;Parent=rna-M\n\
    chr1\tBestRefSeq\tmiRNA\t20010\t20031\t.\t+\t.\tID=rna-L;Parent=rna-M;gbkey=ncRNA;gene=G;transcript_id=L\n\
    chr1\tBestRefSeq\texon\t20010\t20031\t.\t+\t.\tID=e2;Parent=rna-L\n";

const EXON: &str = "non_coding_transcript_exon_variant";
const MATURE: &str = "mature_miRNA_variant";

/// POS, REF and ALT of the reference by first and last base (a deletion has its base before), and what M is told.
const PLACES: [(usize, usize, &str); 8] = [
    (20009, 20009, EXON),
    (20010, 20010, MATURE),
    (20031, 20031, MATURE),
    (20032, 20032, EXON),
    (20005, 20009, EXON),
    (20005, 20010, MATURE),
    (20055, 20055, EXON),
    (20078, 20078, EXON),
];

fn bases(start: usize, end: usize) -> String {
    let text = fs::read_to_string(root().join("testdata/genome.fa")).expect("the genome");
    let contig = text.split('>').find_map(|part| part.strip_prefix("chr1\n")).expect("chr1");
    contig
        .bytes()
        .filter(u8::is_ascii_alphabetic)
        .map(char::from)
        .skip(start - 1)
        .take(end - start + 1)
        .collect()
}

fn record(start: usize, end: usize) -> String {
    if start == end {
        let base = bases(start, start);
        let other = if base == "A" { "C" } else { "A" };
        return format!("chr1\t{start}\t.\t{base}\t{other}\t.\t.\t.\n");
    }
    let all = bases(start - 1, end);
    format!("chr1\t{}\t.\t{all}\t{}\t.\t.\t.\n", start - 1, &all[..1])
}

/// Entries of both ways to give genes, which must be the same.
fn both_ways(
    directory: &Path,
    genes: &str,
    beside: &[&str],
    records: &str,
    fields: &str,
) -> Vec<Vec<String>> {
    let path = |name: &str| utf8(&directory.join(name));
    let reference = utf8(&root().join("testdata/genome.fa"));
    fs::write(path("g.gff3"), genes).expect("genes");
    let vcf = format!("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{records}");
    fs::write(path("in.vcf"), vcf).expect("VCF");
    let [gff, ndb, vcf] = ["g.gff3", "g.ndb", "in.vcf"].map(path);
    norn_ok(&[&["db", "genes", "--gff", &gff, "-r", &reference, "-o", &ndb], beside].concat());
    let fields = format!("--fields={fields}");
    let entries = |words: &[&str]| {
        let shared = ["annotate", "-r", &reference, "--quiet", "--no-version", &fields, &vcf];
        String::from_utf8(norn_ok(&[&shared[..], words].concat()).stdout).expect("UTF-8")
    };
    let direct = entries(&[&["--gff", &gff], beside].concat());
    let records = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(records(&entries(&["--genes", &ndb])), records(&direct));
    let of_record = |line: &String| -> Vec<String> {
        let csq = line.rsplit("CSQ=").next().unwrap_or_default();
        csq.split(',').map(str::to_owned).collect()
    };
    records(&direct).iter().map(of_record).collect()
}

#[test]
fn mature_mirnas_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let mirbase = utf8(&directory.path().join("hsa.gff3"));
    fs::write(&mirbase, MIRBASE).expect("miRBase");
    let records: String = PLACES.iter().map(|(start, end, _)| record(*start, *end)).collect();
    for (genes, beside) in [(ENSEMBL, &["--mirbase", mirbase.as_str()][..]), (REFSEQ, &[])] {
        let found = both_ways(directory.path(), genes, beside, &records, "Feature,Consequence");
        for ((start, end, expected), entries) in PLACES.iter().zip(&found) {
            assert!(entries.contains(&format!("M|{expected}")), "{start}-{end}: {entries:?}");
            assert!(!entries.contains(&format!("L|{MATURE}")), "{start}-{end}: {entries:?}");
        }
        assert_eq!(found.len(), PLACES.len());
    }
    // Without miRBase's lines nothing of Ensembl's is known to be mature.
    let found = both_ways(directory.path(), ENSEMBL, &[], &records, "Feature,Consequence");
    assert!(found.iter().flatten().all(|entry| !entry.contains(MATURE)));
}

const UNIPROT: &str = "gene_stable_id\ttranscript_stable_id\tprotein_stable_id\txref\tdb_name\tinfo_type\n\
    G\tM\tP\tP04637\tUniprot/SWISSPROT\tDIRECT\n\
    G\tM\tP\tP04637-2\tUniprot_isoform\tDIRECT\n\
    G\tM\tP\tQ00001\tUniprot/SPTREMBL\tSEQUENCE_MATCH\n\
    G\tM\tP\tQ00001\tUniprot/SPTREMBL\tDIRECT\n\
    G\tM\tP\tK7PPA8\tUniprot/SPTREMBL\tDIRECT\n\
    G\tM\tP\tUPI000002ED67\tUniParc\tCHECKSUM\n\
    G\tX\tP\tP00000\tUniprot/SWISSPROT\tDIRECT\n\
    G\tL\tP\tGO:1\tother\tDIRECT\n";

#[test]
fn entries_of_uniprot_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&directory.path().join(name));
    let table = path("uniprot.tsv");
    fs::write(&table, UNIPROT).expect("a table");
    let records = record(20040, 20040);
    let fields = "Feature,SWISSPROT,TREMBL,UNIPARC,UNIPROT_ISOFORM";
    let found = both_ways(directory.path(), ENSEMBL, &["--uniprot-table", &table], &records, fields);
    assert_eq!(found, [["L||||", "M|P04637|Q00001&K7PPA8|UPI000002ED67|P04637-2"]]);

    let [reference, genes, vcf] = [utf8(&root().join("testdata/genome.fa")), path("g.ndb"), path("in.vcf")];
    let words = ["annotate", "-r", &reference, "--genes", &genes, "--quiet", "--uniprot", "--json", &vcf];
    let line: serde_json::Value = serde_json::from_slice(&norn_ok(&words).stdout).expect("JSON");
    let entries = line["transcript_consequences"].as_array().expect("entries");
    let entry = entries.iter().find(|entry| entry["transcript_id"] == "M").expect("an entry");
    assert_eq!(entry["trembl"], serde_json::json!(["Q00001", "K7PPA8"]));
    assert_eq!(entry["swissprot"], serde_json::json!(["P04637"]));
}

#[test]
fn what_is_not_such_a_file_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&directory.path().join(name));
    let reference = utf8(&root().join("testdata/genome.fa"));
    fs::write(path("g.gff3"), ENSEMBL).expect("genes");
    for (option, text, told) in [
        ("--uniprot-table", "a\tb\n", "line 1: there is no column transcript_stable_id"),
        ("--uniprot-table", "", "line 1: it is empty"),
        ("--mirbase", "chr1\t.\tmiRNA\t20010\n", "line 1: it has 4 columns, not 9"),
        ("--mirbase", "#\nchr1\t.\tmiRNA\t1\t2\t.\t.\t.\tID=a\n", "line 2: a miRNA without a strand"),
        ("--mirbase", "#\n#\n", "line 1: no miRNA from here on"),
        ("--mane-summary", "", "line 1: it is empty"),
    ] {
        fs::write(path("beside"), text).expect("a file");
        let [genes, beside, out] = ["g.gff3", "beside", "g.ndb"].map(path);
        let words = ["db", "genes", "--gff", &genes, "-r", &reference, option, &beside, "-o", &out];
        let output = norn(&words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{option}: {said}");
        assert!(said.contains(told), "{option}: {said}");
        assert!(!Path::new(&out).exists());
    }
    let words = ["annotate", "-r", &reference, "--genes", "g.ndb", "--mirbase", "x", "in.vcf"];
    assert_eq!(norn(&words).status.code(), Some(2));
}
