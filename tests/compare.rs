//! `norn variants compare` on cases made by hand, on shared data, and against itself.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::variant_files::utf8;
use common::*;

//                        1         11        21        31        41        51        61        71
const CONTIG: &str = "ACGTTGCATGCCAAAAAAAAGTCTCTCTCTGACGTAGCTAGGATCCTTAAGCAGTACGGTATTGCCAGTCAATTGCGCATA";

const HEAD: &str = "##fileformat=VCFv4.2\n##FILTER=<ID=low,Description=\"x\">\n##contig=<ID=1>\n##contig=<ID=X>\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

/// A folder with a reference of two contigs that have the same bases.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        fs::write(directory.path().join("r.fa"), format!(">1\n{CONTIG}\n>X\n{CONTIG}\n")).expect("written");
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A VCF of records `CONTIG POS REF ALT GT [QUAL [FILTER]]`, sorted here.
    fn vcf(&self, name: &str, records: &[&str]) -> String {
        let mut lines: Vec<Vec<&str>> = records.iter().map(|text| text.split(' ').collect()).collect();
        lines.sort_by_key(|columns| (columns[0] != "1", columns[1].parse::<u32>().expect("position")));
        let mut text = format!("{HEAD}\tFORMAT\ts\n");
        for columns in lines {
            let column = |number: usize| columns.get(number).copied().unwrap_or(".");
            text += &format!(
                "{}\t{}\t.\t{}\t{}\t{}\t{}\t.\tGT\t{}\n",
                columns[0],
                columns[1],
                columns[2],
                columns[3],
                column(5),
                column(6),
                columns[4]
            );
        }
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        utf8(&path)
    }

    /// Compares; gives the decisions of both sides as `POS:BD:BK`, in order.
    fn decisions(&self, truth: &[&str], query: &[&str], options: &[&str]) -> [Vec<String>; 2] {
        let (truth, query) = (self.vcf("truth.vcf", truth), self.vcf("query.vcf", query));
        let (reference, out) = (utf8(&self.path("r.fa")), utf8(&self.path("out")));
        let mut words = vec!["variants", "compare", &truth, &query, "-r", &reference, "-o", &out, "--quiet"];
        words.extend(options);
        norn_ok(&words);
        decisions(&self.path("out.vcf.gz"))
    }
}

/// The decisions of both sides in an annotated VCF.
fn decisions(path: &Path) -> [Vec<String>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    for line in without_comments(&text(path)).lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        for (side, cell) in sides.iter_mut().zip(&columns[9..]) {
            let fields: Vec<&str> = cell.split(':').collect();
            if fields[4] != "NOCALL" {
                side.push(format!("{}:{}:{}", columns[1], fields[1], fields[2]));
            }
        }
    }
    sides
}

/// A row of a table by column.
type Row = BTreeMap<String, String>;

fn table(path: &Path) -> Vec<Row> {
    let text = text(path);
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().expect("header");
    lines.map(|line| names.iter().cloned().zip(line).collect()).collect()
}

/// Whatever was said of each side's calls in short: `gm`, `am`, `lm` or `.`, where TP goes with gm and nothing else.
fn kinds(side: &[String]) -> String {
    let kind = |text: &String| {
        let fields: Vec<&str> = text.split(':').collect();
        assert_eq!(fields[2] == "gm", fields[1] == "TP", "{text}");
        fields[2].to_owned()
    };
    side.iter().map(kind).collect::<Vec<_>>().join(" ")
}

#[test]
fn one_pair_of_haplotypes_in_two_forms_matches() {
    let folder = Folder::new();
    // What each pair of haplotypes spells was written out by hand from the contig: (truth, query, kinds of both).
    let cases: &[(&str, &[&str], &[&str], &str, &str)] = &[
        ("the same", &["1 5 T A 0/1"], &["1 5 T A 0/1"], "gm", "gm"),
        (
            "phase is not asked for",
            &["1 5 T A 0|1", "1 7 C G 0|1"],
            &["1 5 T A 1|0", "1 7 C G 0|1"],
            "gm gm",
            "gm gm",
        ),
        ("two SNPs and an MNP", &["1 5 TG AC 0/1"], &["1 5 T A 0|1", "1 6 G C 0|1"], "gm", "gm gm"),
        (
            "SNPs that are an MNP on one haplotype only",
            &["1 5 TG AC 1/1"],
            &["1 5 T A 1/1", "1 6 G C 0/1"],
            "am",
            "am am",
        ),
        ("an indel anywhere in its run", &["1 12 CA C 0/1"], &["1 20 AG G 0/1"], "gm", "gm"),
        ("an insertion at both ends of a repeat", &["1 21 G GTC 1/1"], &["1 30 T TCT 1/1"], "gm", "gm"),
        (
            "a deletion of two, or two of one",
            &["1 12 CAA C 0/1"],
            &["1 12 CA C 0|1", "1 18 AA A 0|1"],
            "gm",
            "gm gm",
        ),
        ("split and joined", &["1 5 T A,C 1/2"], &["1 5 T A 1/0", "1 5 T C 0/1"], "gm", "gm gm"),
        ("split with a star", &["1 5 T A,C 1/2"], &["1 5 T A,* 1/2", "1 5 T C,* 2/1"], "gm", "gm gm"),
        ("homozygous and two heterozygous", &["1 5 T A 1/1"], &["1 5 T A 1|0", "1 5 T A 0|1"], "gm", "gm gm"),
        // ACGTTGCA: deletion of TG at 5-6 and insertion of TG... spelt as GCA -> the same as TG>GC, CA>... by hand below.
        (
            "deletion and insertion for a substitution",
            &["1 5 TG GA 0/1"],
            &["1 4 TT T 0|1", "1 6 G GA 0|1"],
            "gm",
            "gm gm",
        ),
        ("another genotype", &["1 5 T A 0/1"], &["1 5 T A 1/1"], "am", "am"),
        ("one of two alleles", &["1 5 T A,C 1/2"], &["1 5 T A 0/1"], "am", "am"),
        ("another allele", &["1 5 T A 0/1"], &["1 5 T C 0/1"], "lm", "lm"),
        ("nothing near", &["1 5 T A 0/1"], &["1 60 T C 0/1"], ".", "."),
        ("half a call spells the reference", &["1 5 T A 0/1"], &["1 5 T A ./1"], "gm", "gm"),
        ("haploid is homozygous", &["X 5 T A 1"], &["X 5 T A 1/1"], "gm", "gm"),
        ("haploid is not heterozygous", &["X 5 T A 1"], &["X 5 T A 0/1"], "am", "am"),
        // Both deletions take bases 13-15 on both haplotypes, so no pair of haplotypes has them; they are written alike.
        (
            "what contradicts itself, written alike",
            &["1 12 CAAA C 1/1", "1 13 AAA A 1/1"],
            &["1 12 CAAA C 1/1", "1 13 AAA A 1/1"],
            "gm gm",
            "gm gm",
        ),
        (
            "overlapping deletions on two haplotypes",
            &["1 12 CAAA C 0/1", "1 14 AAAAAAAG A 0/1"],
            &["1 12 CAAA C 1|0", "1 14 AAAAAAAG A,* 2|1"],
            "gm gm",
            "gm gm",
        ),
        (
            "changes that undo one another match nothing",
            &["1 12 CA C 1/1", "1 20 A AA 1/1"],
            &["1 40 A G 1/1"],
            "lm lm",
            "lm",
        ),
        ("nothing in one file", &["1 5 T A 0/1"], &[], ".", ""),
        ("nothing in the other", &[], &["1 5 T A 0/1"], "", "."),
        ("nothing at all", &[], &[], "", ""),
        (
            "an insertion before and a base behind a run",
            &["1 12 C CA 0|1", "1 20 A G 0|1"],
            &["1 20 A AG 0/1"],
            "gm gm",
            "gm",
        ),
    ];
    for (name, truth, query, of_truth, of_query) in cases {
        let [t, q] = folder.decisions(truth, query, &[]);
        assert_eq!(
            (kinds(&t), kinds(&q)),
            ((*of_truth).to_owned(), (*of_query).to_owned()),
            "{name}: {t:?} {q:?}"
        );
        let [q, t] = folder.decisions(query, truth, &[]);
        assert_eq!(
            (kinds(&t), kinds(&q)),
            ((*of_truth).to_owned(), (*of_query).to_owned()),
            "{name}, turned round"
        );
    }
}
