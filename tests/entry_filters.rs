//! Filters on entries: records and entries that pass are those for which a plain predicate holds on the unfiltered output.

mod common;

use std::fs;
use std::path::Path;

use common::{norn_ok, root};

/// An entry: its parts by the default fields, and the frequency of its allele.
struct Entry<'e> {
    parts: Vec<&'e str>,
    frequency: Option<f64>,
}

impl Entry<'_> {
    fn has(&self, term: &str) -> bool {
        self.parts[1].split('&').any(|known| known == term)
    }
}

/// Records as lines without CSQ, each with its entries.
fn records(text: &str) -> Vec<(String, Vec<Entry<'_>>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let info: Vec<&str> = columns[7].split(';').collect();
            let value = |tag: &str| info.iter().find_map(|field| field.strip_prefix(tag));
            let frequencies: Vec<&str> = value("F_AF=").unwrap_or_default().split(',').collect();
            let entries = value("CSQ=").unwrap_or_default().split(',').filter(|entry| !entry.is_empty());
            let entries = entries.map(|entry| {
                let parts: Vec<&str> = entry.split('|').collect();
                let number: usize = parts[21].parse().expect("ALLELE_NUM");
                let frequency = frequencies.get(number - 1).and_then(|text| text.parse().ok());
                Entry { parts, frequency }
            });
            (columns[..5].join("\t"), entries.collect())
        })
        .collect()
}

fn source(directory: &Path) -> String {
    let (vcf, ndb) = (directory.join("f.vcf"), directory.join("f.ndb"));
    let mut text = "##fileformat=VCFv4.2\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"\">\n".to_owned();
    for name in ["chr1", "chr2", "chrX", "chrY", "chrM"] {
        text += &format!("##contig=<ID={name}>\n");
    }
    text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    // Frequencies of all alleles of several.vcf, the second of each not known.
    let several = fs::read_to_string(root().join("tests/vep/several.vcf")).expect("several.vcf");
    for (number, line) in several.lines().filter(|line| !line.starts_with('#')).enumerate() {
        let columns: Vec<&str> = line.split('\t').collect();
        for (at, allele) in
            columns[4].split(',').enumerate().filter(|(at, allele)| *at != 1 && *allele != "*")
        {
            let frequency = if (number + at) % 3 == 0 { "0.2" } else { "0.001" };
            text += &format!(
                "{}\t{}\t.\t{}\t{allele}\t.\t.\tAF={frequency}\n",
                columns[0], columns[1], columns[3]
            );
        }
    }
    fs::write(&vcf, text).expect("written");
    let reference = root().join("testdata/genome.fa");
    let [vcf, ndb, reference] = [&vcf, &ndb, &reference].map(|path| path.to_string_lossy().into_owned());
    norn_ok(&["db", "source", "F", "--vcf", &vcf, "--fields", "AF", "-r", &reference, "-o", &ndb]);
    ndb
}

#[test]
fn what_passes_is_what_the_predicate_holds_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = source(directory.path());
    let path = |name: &str| root().join(name).to_string_lossy().into_owned();
    let [reference, genes, input] =
        ["testdata/genome.fa", "testdata/genes.gff3", "tests/vep/several.vcf"].map(path);
    let run = |more: &[&str]| {
        let words = [
            "annotate",
            "-r",
            &reference,
            "--gff",
            &genes,
            "--source",
            &source,
            "--allele-number",
            "--quiet",
            &input,
        ];
        String::from_utf8(norn_ok(&[&words, more].concat()).stdout).expect("UTF-8")
    };
    let all = run(&[]);
    let annotated = directory.path().join("annotated.vcf");
    fs::write(&annotated, &all).expect("written");
    let annotated = annotated.to_string_lossy().into_owned();
    let all = records(&all);
    type Predicate = fn(&Entry<'_>) -> bool;
    let cases: [(&str, &str, Predicate); 11] = [
        ("-i", "CSQ/IMPACT=\"HIGH\"", |e| e.parts[2] == "HIGH"),
        ("-e", "CSQ/IMPACT=\"HIGH\"", |e| e.parts[2] != "HIGH"),
        ("-i", "CSQ/Consequence=\"missense_variant\"", |e| e.has("missense_variant")),
        ("-i", "CSQ/Consequence~\"splice\"", |e| e.parts[1].contains("splice")),
        ("-i", "CSQ/Consequence~\"missense\" && CSQ/SYMBOL=\"GENE2\"", |e| {
            e.has("missense_variant") && e.parts[3] == "GENE2"
        }),
        ("-i", "CSQ/DISTANCE<20", |e| e.parts[17].parse().is_ok_and(|distance: i64| distance < 20)),
        ("-i", "CSQ/Protein_position<=100", |e| {
            e.parts[14].split('-').find_map(|n| n.parse::<i64>().ok()).is_some_and(|n| n <= 100)
        }),
        ("-i", "F_AF<0.01", |e| e.frequency.is_some_and(|f| f < 0.01)),
        ("-i", "CSQ/IMPACT!=\"MODIFIER\" && F_AF<0.01", |e| {
            e.parts[2] != "MODIFIER" && e.frequency.is_some_and(|f| f < 0.01)
        }),
        ("-i", "CSQ/STRAND=-1 || CSQ/BIOTYPE='lncRNA'", |e| e.parts[18] == "-1" || e.parts[7] == "lncRNA"),
        ("-i", "INFO/CSQ/Feature=\"T2\"", |e| e.parts[6] == "T2"),
    ];
    for (option, expression, predicate) in cases {
        let expected: Vec<_> = all.iter().filter(|(_, entries)| entries.iter().any(predicate)).collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{expression}: {}", expected.len());
        let found = run(&[option, expression]);
        let found: Vec<String> = records(&found).into_iter().map(|(line, _)| line).collect();
        assert_eq!(found, expected.iter().map(|(line, _)| line.clone()).collect::<Vec<_>>(), "{expression}");
        if !expression.contains("CSQ") {
            continue;
        }
        let only = run(&[option, expression, "--only-matched"]);
        // Entries that are there already are filtered alike.
        if !expression.contains("F_AF") {
            let again =
                ["annotate", "-r", &reference, "--quiet", &annotated, option, expression, "--only-matched"];
            let again = String::from_utf8(norn_ok(&again).stdout).expect("UTF-8");
            let body = |text: &str| -> Vec<String> {
                text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
            };
            assert_eq!(body(&again), body(&only), "{expression}");
        }
        let texts = |entries: &[Entry<'_>], is_wanted: &dyn Fn(&Entry<'_>) -> bool| -> Vec<String> {
            entries.iter().filter(|entry| is_wanted(entry)).map(|entry| entry.parts.join("|")).collect()
        };
        let found: Vec<_> =
            records(&only).iter().map(|(line, entries)| (line.clone(), texts(entries, &|_| true))).collect();
        let expected: Vec<_> =
            expected.iter().map(|(line, entries)| (line.clone(), texts(entries, &predicate))).collect();
        assert_eq!(found, expected, "{expression} --only-matched");
    }
}
