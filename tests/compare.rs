//! `norn variants compare` on cases made by hand.

mod common;

use std::fs;
use std::path::PathBuf;

use common::compared::{Row, decisions, table};
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

/// Whatever was said of each side's calls in short: `gm`, `am`, `lm` or `.`, where TP goes with gm and nothing else.
fn kinds(side: &[String]) -> String {
    let kind = |text: &String| {
        let fields: Vec<&str> = text.split(':').collect();
        assert_eq!(fields[2] == "gm", fields[1] == "TP", "{text}");
        fields[2].to_owned()
    };
    side.iter().map(kind).collect::<Vec<_>>().join(" ")
}

/// A name, records of truth and query, and what is said of each.
type Case = (&'static str, &'static [&'static str], &'static [&'static str], &'static str, &'static str);

#[test]
fn one_pair_of_haplotypes_in_two_forms_matches() {
    let folder = Folder::new();
    // What each pair of haplotypes spells was written out by hand from the contig: (truth, query, kinds of both).
    let cases: &[Case] = &[
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

#[test]
fn options_change_what_matches() {
    let folder = Folder::new();
    // By hand: with alleles alone zygosity does not matter; with phases as written the SNP at 5 is on another haplotype.
    for (truth, query, option, of_truth, of_query) in [
        (&["1 5 T A 0/1"][..], &["1 5 T A 1/1"][..], "--squash-ploidy", "5:TP:am", "5:TP:am"),
        (&["1 5 T A,C 1/2"], &["1 5 T A 0/1"], "--squash-ploidy", "5:TP:am", "5:TP:am"),
        (&["1 5 T A 0/1"], &["1 5 T C 0/1"], "--squash-ploidy", "5:FN:lm", "5:FP:lm"),
        (
            &["1 5 T A 0|1", "1 7 C G 0|1"],
            &["1 5 T A 1|0", "1 7 C G 0|1"],
            "--obey-phase",
            "5:FN:am 7:TP:gm",
            "5:FP:am 7:TP:gm",
        ),
        (&["1 5 T A 0/1"], &["1 9 T C 0/1"], "--loose-match-distance=4", "5:FN:lm", "9:FP:lm"),
        (&["1 5 T A 0/1"], &["1 9 T C 0/1"], "--loose-match-distance=3", "5:FN:.", "9:FP:."),
        (&["1 5 T A 0/1 9 low"], &["1 5 T A 0/1 9 low"], "--pass-only", "", ""),
        (&["1 5 T A 0/1 9 low"], &["1 5 T A 0/1 9 low"], "--usefiltered-truth", "5:TP:gm", "5:TP:gm"),
    ] {
        let [t, q] = folder.decisions(truth, query, &[option]);
        assert_eq!((t.join(" "), q.join(" ")), (of_truth.to_owned(), of_query.to_owned()), "{option}");
    }
}

/// A folder with a case in which everything that is counted occurs, and its words.
fn counted(folder: &Folder) -> Vec<String> {
    let truth = ["1 5 T A 0/1", "1 7 C T 1/1", "1 12 CA C 0/1", "1 34 G A 0/1", "1 60 T C 1/1"];
    let query = [
        "1 5 T A 0/1 50 PASS",
        "1 7 C T 0/1 40 PASS",
        "1 20 AG G 0/1 30 low",
        "1 45 C T 1/1 20 PASS",
        "1 60 T C 1/1 60 PASS",
        "1 70 C G 0/1 10 PASS",
    ];
    let (truth, query) = (folder.vcf("truth.vcf", &truth), folder.vcf("query.vcf", &query));
    fs::write(folder.path("conf.bed"), "1\t0\t50\n").expect("written");
    fs::write(folder.path("left.bed"), "1\t0\t10\n1\t48\t52\n").expect("written");
    fs::write(folder.path("strata.tsv"), "left\tleft.bed\n").expect("written");
    let word = |name: &str| utf8(&folder.path(name));
    let mut words: Vec<String> = ["variants", "compare"].map(str::to_owned).into();
    words.extend([truth, query]);
    for (option, name) in [("-r", "r.fa"), ("-f", "conf.bed"), ("--strata", "strata.tsv"), ("-o", "out")] {
        words.extend([option.to_owned(), word(name)]);
    }
    words.extend(["--loose-match-distance=5", "--quiet"].map(str::to_owned));
    words
}

fn run(words: &[String]) {
    norn_ok(&words.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn tables_have_what_is_counted() {
    let folder = Folder::new();
    run(&counted(&folder));
    let row = |rows: &[Row], wanted: &[(&str, &str)]| -> Row {
        let is_it = |row: &&Row| wanted.iter().all(|(name, value)| row[*name] == *value);
        let found: Vec<&Row> = rows.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{wanted:?}");
        found[0].clone()
    };
    let check = |row: &Row, expected: &str| {
        for text in expected.split_ascii_whitespace() {
            let (name, value) = text.split_once('=').expect("name and value");
            assert_eq!(row[name], value, "{name} of {row:?}");
        }
    };
    // All by hand from the records above: 60 and 70 lie outside the confident regions, 7 has another genotype, the
    // deletion is the same in another place and its filter has failed.
    let summary = table(&folder.path("out.summary.csv"));
    assert_eq!(summary.len(), 4);
    let snps = "TRUTH.TOTAL=3 TRUTH.TP=1 TRUTH.FN=2 QUERY.TOTAL=5 QUERY.FP=2 QUERY.UNK=2 FP.gt=1 FP.al=0 \
        METRIC.Recall=0.333333 METRIC.Precision=0.333333 METRIC.Frac_NA=0.4 METRIC.F1_Score=0.333333 \
        TRUTH.TOTAL.TiTv_ratio=2.0 QUERY.TOTAL.TiTv_ratio=1.5 TRUTH.TOTAL.het_hom_ratio=2.0 \
        QUERY.TOTAL.het_hom_ratio=1.5";
    check(&row(&summary, &[("Type", "SNP"), ("Filter", "ALL")]), snps);
    check(&row(&summary, &[("Type", "SNP"), ("Filter", "PASS")]), snps);
    check(
        &row(&summary, &[("Type", "INDEL"), ("Filter", "ALL")]),
        "TRUTH.TOTAL=1 TRUTH.TP=1 TRUTH.FN=0 QUERY.TOTAL=1 QUERY.FP=0 METRIC.Recall=1.0 METRIC.F1_Score=1.0 \
         TRUTH.TOTAL.TiTv_ratio= TRUTH.TOTAL.het_hom_ratio=",
    );
    check(
        &row(&summary, &[("Type", "INDEL"), ("Filter", "PASS")]),
        "TRUTH.TOTAL=1 TRUTH.TP=0 TRUTH.FN=1 QUERY.TOTAL=0 QUERY.FP=0 METRIC.Recall=0.0 METRIC.Precision=0.0 \
         METRIC.Frac_NA=0.0 METRIC.F1_Score=",
    );
    let extended = table(&folder.path("out.extended.csv"));
    // Ten rows of subtypes for indels, one for SNPs; four subsets; two filters.
    assert_eq!(extended.len(), 11 * 4 * 2);
    let of = |kind: &str, subtype: &str, subset: &str| {
        let wanted = [("Type", kind), ("Subtype", subtype), ("Subset", subset), ("Filter", "ALL")];
        row(&extended, &wanted)
    };
    let bases = 2 * CONTIG.len();
    check(
        &of("SNP", "*", "*"),
        &format!(
            "Subset.Size={bases} Subset.IS_CONF.Size=50 TRUTH.TP.tv=1 TRUTH.FN.ti=2 TRUTH.FN.homalt=1 \
             QUERY.TP=1 QUERY.FP.het=1 QUERY.FP.homalt=1 QUERY.UNK.ti=1 QUERY.UNK.tv=1 QQ.Field=QUAL QQ=*"
        ),
    );
    check(
        &of("SNP", "*", "left"),
        "Subset.Size=14 Subset.IS_CONF.Size=12 TRUTH.TOTAL=2 TRUTH.TP=1 QUERY.FP=1 QUERY.UNK=0",
    );
    check(&of("SNP", "*", "TS_contained"), "Subset.Size=50 TRUTH.TOTAL=3 QUERY.FP=2 QUERY.UNK=0");
    check(&of("SNP", "*", "TS_boundary"), "TRUTH.TOTAL=0 QUERY.TOTAL=0");
    check(&of("INDEL", "D1_5", "*"), "TRUTH.TP=1 QUERY.TP=1 TRUTH.TP.ti=.");
    check(&of("INDEL", "I1_5", "*"), "TRUTH.TOTAL=0 QUERY.TOTAL=0");
    // Scores of the query: 50 true; 40 and 20 false; 60 and 10 unknown. A threshold keeps what reaches it.
    let curve = table(&folder.path("out.roc.Locations.SNP.csv.gz"));
    let points: Vec<String> = curve
        .iter()
        .map(|row| {
            let columns = ["QQ", "TRUTH.TP", "TRUTH.FN", "QUERY.TP", "QUERY.FP", "QUERY.UNK"];
            columns.map(|name| row[name].as_str()).join(" ")
        })
        .collect();
    assert_eq!(
        points,
        ["10.0 1 2 1 2 2", "20.0 1 2 1 2 1", "40.0 1 2 1 1 1", "50.0 1 2 1 0 1", "60.0 0 3 0 0 1"]
    );
    let all = table(&folder.path("out.roc.all.csv.gz"));
    assert_eq!(all.len(), extended.len() + 2 * curve.len() + 1);
    let json: serde_json::Value = serde_json::from_str(&text(&folder.path("out.json"))).expect("JSON");
    assert_eq!(json["summary"][2]["TRUTH.TOTAL"], 3);
    assert_eq!(json["query"]["compared"], 6);
}

#[test]
fn rows_say_what_was_decided() {
    let folder = Folder::new();
    run(&counted(&folder));
    let rows = without_comments(&text(&folder.path("out.vcf.gz")));
    // By hand; the truth's deletion has the score and the filter of the query's with which it is matched.
    let expected = "\
        1\t5\t.\tT\tA\t50\tPASS\tBS=5;Regions=CONF,TS_contained,left\tGT:BD:BK:BI:BVT:BLT:QQ\t0/1:TP:gm:tv:SNP:het:50\t0/1:TP:gm:tv:SNP:het:50\n\
        1\t7\t.\tC\tT\t40\tPASS\tBS=7;Regions=CONF,TS_contained,left\tGT:BD:BK:BI:BVT:BLT:QQ\t1/1:FN:am:ti:SNP:homalt:.\t0/1:FP:am:ti:SNP:het:40\n\
        1\t12\t.\tCA\tC\t.\tlow\tBS=13;Regions=CONF,TS_contained\tGT:BD:BK:BI:BVT:BLT:QQ\t0/1:TP:gm:d1_5:INDEL:het:30\t./.:.:.:.:NOCALL:nocall:.\n\
        1\t20\t.\tAG\tG\t30\tlow\tBS=13;Regions=CONF,TS_contained\tGT:BD:BK:BI:BVT:BLT:QQ\t./.:.:.:.:NOCALL:nocall:.\t0/1:TP:gm:d1_5:INDEL:het:30\n\
        1\t34\t.\tG\tA\t.\t.\tBS=34;Regions=CONF,TS_contained\tGT:BD:BK:BI:BVT:BLT:QQ\t0/1:FN:.:ti:SNP:het:.\t./.:.:.:.:NOCALL:nocall:.\n\
        1\t45\t.\tC\tT\t20\tPASS\tBS=45;Regions=CONF,TS_contained\tGT:BD:BK:BI:BVT:BLT:QQ\t./.:.:.:.:NOCALL:nocall:.\t1/1:FP:.:ti:SNP:homalt:20\n\
        1\t60\t.\tT\tC\t60\tPASS\tBS=60\tGT:BD:BK:BI:BVT:BLT:QQ\t1/1:UNK:gm:ti:SNP:homalt:60\t1/1:UNK:gm:ti:SNP:homalt:60\n\
        1\t70\t.\tC\tG\t10\tPASS\tBS=70\tGT:BD:BK:BI:BVT:BLT:QQ\t./.:.:.:.:NOCALL:nocall:.\t0/1:UNK:.:tv:SNP:het:10\n";
    assert_eq!(difference(expected, &rows), None);
    assert!(folder.path("out.vcf.gz.tbi").is_file() && folder.path("out.run.json").is_file());
}

#[test]
fn what_cannot_be_compared_is_an_error_or_left_out() {
    let folder = Folder::new();
    let good = folder.vcf("good.vcf", &["1 5 T A 0/1"]);
    let path = |name: &str, text: String| {
        fs::write(folder.path(name), text).expect("written");
        utf8(&folder.path(name))
    };
    let two = path("two.vcf", format!("{HEAD}\tFORMAT\ta\tb\n1\t5\t.\tT\tA\t.\t.\t.\tGT\t0/1\t0/0\n"));
    let none = path("none.vcf", format!("{HEAD}\n1\t5\t.\tT\tA\t.\t.\t.\n"));
    let contig = path(
        "contig.vcf",
        format!("{HEAD}\tFORMAT\ts\n2\t5\t.\tT\tA\t.\t.\t.\tGT\t0/1\n")
            .replace("##contig=<ID=X>", "##contig=<ID=2>"),
    );
    let build = folder.vcf("build.vcf", &["1 5 G A 0/1", "1 6 A G 0/1", "1 7 C T 0/1"]);
    let allele = folder.vcf("allele.vcf", &["1 5 T A 0/2"]);
    let unsorted = path(
        "unsorted.vcf",
        format!("{HEAD}\tFORMAT\ts\n1\t7\t.\tC\tA\t.\t.\t.\tGT\t0/1\n1\t5\t.\tT\tA\t.\t.\t.\tGT\t0/1\n"),
    );
    let (reference, out) = (utf8(&folder.path("r.fa")), utf8(&folder.path("out")));
    for (query, option, code, says) in [
        (&two, "", 2, "2 samples"),
        (&two, "--query-sample=c", 2, "no sample c"),
        (&two, "--query-sample=a", 0, ""),
        (&none, "", 2, "0 samples"),
        (&contig, "", 3, "no contig 2"),
        (&build, "", 3, "another build"),
        (&allele, "", 3, "allele 2"),
        (&unsorted, "", 3, "not sorted"),
        (&good, "--roc=INFO/", 2, "--roc"),
        (&good, "--roc-delta=0", 2, "--roc-delta"),
        (&good, "--confident=no/such.bed", 3, "no/such.bed"),
    ] {
        let mut words = vec!["variants", "compare", &good, query, "-r", &reference, "-o", &out, "--quiet"];
        words.extend((!option.is_empty()).then_some(option));
        let _ = fs::remove_file(folder.path("out.summary.csv"));
        let output = norn(&words);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{query} {option}: {told}");
        assert!(told.contains(says), "{query} {option}: {told}");
        assert_eq!(folder.path("out.summary.csv").is_file(), code == 0);
    }
    // One record of two has another REF, one a symbolic allele: they are told and left out.
    let odd = ["1 5 T A 0/1", "1 7 G T 0/1", "1 34 G <DEL> 0/1", "1 36 A G 0/1/1", "1 40 A C 0/0"];
    let [t, q] = folder.decisions(&["1 5 T A 0/1"], &odd, &[]);
    assert_eq!((t, q), (vec!["5:TP:gm".to_owned()], vec!["5:TP:gm".to_owned()]));
    let json: serde_json::Value = serde_json::from_str(&text(&folder.path("out.json"))).expect("JSON");
    let left_out = serde_json::json!({
        "no_variant": 1, "symbolic": 1, "ploidy": 1, "reference_mismatch": 1, "filtered": 0
    });
    assert_eq!(json["query"]["left_out"], left_out);
}
