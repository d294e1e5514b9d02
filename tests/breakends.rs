//! Breakends that Ensembl VEP does not read, or not so (docs/annotate.md), in hand-made records over testdata's genes; tests/vep.rs
//! holds the others to VEP.

mod common;

use std::fs;

use common::{norn_ok, root};

/// T1 is chr1:20001-25551 with coding bases to 21650, T4 chr2:30001-36448; nothing is near chr2:180000 and chrX:120000.
const CASES: [(&str, &str); 12] = [
    (
        "chr1 21522 G G[chr2:180000[,A .",
        "G.|feature_truncation&coding_sequence_variant|T1|0,A|missense_variant|T1|2",
    ),
    ("chr1 21523 N N[chr2:180000[ .", "N.|feature_truncation&coding_sequence_variant|T1|0"),
    (
        "chr1 21524 N <BND> SVTYPE=BND;CHR2=2;END=30100",
        "N.|feature_truncation&coding_sequence_variant|T1|0,N[2:30100[|feature_truncation&3_prime_UTR_variant|T4|1",
    ),
    (
        "chr1 21525 N N[2:30100[ SVTYPE=DEL;END=21600;SVLEN=100000000",
        "N.|feature_truncation&coding_sequence_variant|T1|0,N[2:30100[|feature_truncation&3_prime_UTR_variant|T4|1",
    ),
    ("chr1 21526 N N]chr1:200000000] .", "N.|feature_truncation&coding_sequence_variant|T1|0"),
    (
        "chr1 21527 N <DEL>,.N END=21537",
        "deletion|frameshift_variant&feature_truncation|T1|1,chromosome_breakpoint|feature_truncation&coding_sequence_variant|T1|2",
    ),
    ("chr2 180000 N N[chrX:120000[ .", "N.|intergenic_variant||0"),
    ("chr2 180001 N N. .", "chromosome_breakpoint|intergenic_variant||1"),
    ("chr2 180002 N N[<ctg>:12[ .", "N.|intergenic_variant||0"),
    ("chr2 180003 N N]chrX:150001] .", "N.|intergenic_variant||0"),
    ("chr2 180004 N <BND> SVTYPE=BND", "chromosome_breakpoint|intergenic_variant||1"),
    ("chr2 180005 N N[chrX:0 .", ""),
];

#[test]
fn breakends_of_all_kinds_have_entries() {
    let directory = tempfile::tempdir().expect("a directory");
    let input = directory.path().join("in.vcf");
    let mut text = "##fileformat=VCFv4.3\n##contig=<ID=chr1>\n##contig=<ID=chr2>\n".to_owned();
    text.push_str("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    for (line, _) in CASES {
        let [contig, position, reference, alternate, info] =
            line.split(' ').collect::<Vec<_>>().try_into().expect("five columns");
        text.push_str(&format!("{contig}\t{position}\t.\t{reference}\t{alternate}\t.\t.\t{info}\n"));
    }
    fs::write(&input, text).expect("VCF");
    let path = |name: &str| root().join(name).to_string_lossy().into_owned();
    let (reference, genes) = (path("testdata/genome.fa"), path("testdata/genes.gff3"));
    let input = input.to_string_lossy().into_owned();
    let list = "--fields=Allele,Consequence,Feature,ALLELE_NUM";
    let words =
        ["annotate", "-r", &reference, "--gff", &genes, "--quiet", "--max-sv-size=1000", list, &input];
    let output = norn_ok(&words);
    let ours = String::from_utf8(output.stdout).expect("UTF-8");
    let ours = ours.lines().filter(|line| !line.starts_with('#'));
    for ((line, expected), ours) in CASES.iter().zip(ours) {
        let csq = ours.split(['\t', ';']).find_map(|field| field.strip_prefix("CSQ=")).unwrap_or_default();
        assert_eq!(csq, *expected, "{line}");
    }
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(told.contains("2 breakends have a mate that the reference lacks"), "{told}");
}

/// Entries of another run, without the numbers of alleles.
#[test]
fn filters_read_entries_of_breakends() {
    let directory = tempfile::tempdir().expect("a directory");
    let input = directory.path().join("in.vcf");
    let text = "##fileformat=VCFv4.3\n##contig=<ID=chr1>\n\
        ##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Allele|Consequence\">\n\
        #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\
        chr1\t5\t.\tN\tN[chr2:7[,]chr2:9]N\t.\t.\tCSQ=.N|a,N[chr2:7[|b,]chr2:9]N|c\n";
    fs::write(&input, text).expect("VCF");
    let (input, reference) = (input.to_string_lossy(), root().join("testdata/genome.fa"));
    let reference = reference.to_string_lossy();
    for (expression, kept) in [
        ("CSQ/Allele=\"]chr2:9]N\"", "]chr2:9]N|c"),
        ("CSQ/Consequence=\"a\"", ".N|a"),
        ("CSQ/Consequence=\"b\" || CSQ/Consequence=\"c\"", "N[chr2:7[|b,]chr2:9]N|c"),
    ] {
        let words = ["annotate", "-r", &reference, "-i", expression, "--only-matched", "--quiet", &input];
        let ours = String::from_utf8(norn_ok(&words).stdout).expect("UTF-8");
        assert!(ours.contains(&format!("CSQ={kept}\n")), "{expression}: {ours}");
    }
}
