//! `norn annotate` beside what Ensembl VEP 115.2 (API 114) made of the variants of tests/vep: sequences, symbolic alleles and
//! breakends at the edges of testdata's genes, in VCF, tables and JSON. tests/vep/make-input.py says how.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::{norn_ok, root};
use serde_json::Value;

/// The parts of each entry by what it is of.
type Entries = BTreeMap<String, BTreeMap<String, String>>;

const COMMON: [&str; 10] = [
    "Allele",
    "Consequence",
    "IMPACT",
    "SYMBOL",
    "Gene",
    "Feature_type",
    "Feature",
    "BIOTYPE",
    "EXON",
    "INTRON",
];
const PLACES: [&str; 8] = [
    "cDNA_position",
    "CDS_position",
    "Protein_position",
    "Amino_acids",
    "Codons",
    "DISTANCE",
    "STRAND",
    "FLAGS",
];
const MORE: [&str; 4] = ["--allele-number", "--canonical", "--protein", "--hgvsg"];

/// Where ours is another on purpose: VEP's, ours. docs/annotate.md says why.
const DIFFERENCES: [(&str, &str); 7] = [
    // Names of frameshifts of the mitochondrion by its own code, not by the standard one.
    ("P8.1:p.Asp5IlefsTer3", "P8.1:p.Asp5IlefsTer12"),
    ("P8.1:p.Tyr6AspfsTer3", "P8.1:p.Tyr6AspfsTer12"),
    ("P8.1:p.Leu7Ter", "P8.1:p.Leu7TrpfsTer10"),
    ("P8.1:p.Leu7PhefsTer12", "P8.1:p.Leu7PhefsTer11"),
    ("P8.1:p.Ile8LeufsTer23", "P8.1:p.Ile8LeufsTer2"),
    // There is no amino acid 0.
    ("P7.1:p.Val0_Val1insProSer", ""),
    // What is lost is not retained.
    (
        "frameshift_variant start_lost feature_truncation start_retained_variant",
        "frameshift_variant start_lost feature_truncation",
    ),
];

fn of_vep(name: &str) -> String {
    fs::read_to_string(root().join("tests/vep").join(name)).expect("what VEP made")
}

fn annotated(input: &str, more: &[&str]) -> String {
    let path = |name: &str| root().join(name).to_string_lossy().into_owned();
    let (reference, genes) = (path("testdata/genome.fa"), path("testdata/genes.gff3"));
    let input = path(&format!("tests/vep/{input}"));
    let words = ["annotate", "-r", &reference, "--gff", &genes, "--quiet", &input];
    String::from_utf8(norn_ok(&[&words, more].concat()).stdout).expect("UTF-8")
}

/// Entries of lines of CHROM, POS, REF, ALT, CSQ.
fn entries_of_lines<'l>(lines: impl Iterator<Item = [&'l str; 5]>, fields: &[&str]) -> Entries {
    let mut all = Entries::new();
    for [contig, position, reference, alternate, csq] in lines {
        for entry in csq.split(',').filter(|entry| !entry.is_empty()) {
            let parts: BTreeMap<String, String> =
                fields.iter().zip(entry.split('|')).map(|(&name, part)| (name.into(), part.into())).collect();
            let what = format!(
                "{contig}:{position} {reference} {alternate} {} {}",
                parts["ALLELE_NUM"], parts["Feature"]
            );
            assert!(all.insert(what, parts).is_none());
        }
    }
    all
}

fn entries_of_vcf(text: &str, fields: &[&str]) -> Entries {
    let lines = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let csq = columns[7].split(';').find_map(|field| field.strip_prefix("CSQ="));
        [columns[0], columns[1], columns[3], columns[4], csq.unwrap_or_default()]
    });
    entries_of_lines(lines, fields)
}

fn entries_of_file(name: &str, fields: &[&str]) -> Entries {
    let text = of_vep(name);
    let lines = text.lines().map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        <[&str; 5]>::try_from(columns).expect("five columns")
    });
    entries_of_lines(lines, fields)
}

fn entries_of_table(text: &str) -> Entries {
    let mut lines = text.lines().filter(|line| !line.starts_with("##"));
    let names: Vec<&str> = lines.next().expect("names").trim_start_matches('#').split('\t').collect();
    let mut all = Entries::new();
    for line in lines {
        let parts: BTreeMap<String, String> =
            names.iter().zip(line.split('\t')).map(|(&name, part)| (name.into(), part.into())).collect();
        let what = format!("{} {} {}", parts["Uploaded_variation"], parts["ALLELE_NUM"], parts["Feature"]);
        assert!(all.insert(what, parts).is_none());
    }
    all
}

/// What JSON lines hold: a record's own values, and those of its entries.
fn entries_of_json(text: &str) -> Entries {
    let mut all = Entries::new();
    for line in text.lines() {
        let Value::Object(record) = serde_json::from_str(line).expect("JSON") else { panic!("{line}") };
        let what = record["input"].as_str().expect("a line").to_owned();
        let mut own = BTreeMap::new();
        for (key, value) in &record {
            let Some(list) = value.as_array() else {
                own.insert(key.clone(), value.to_string());
                continue;
            };
            for entry in list {
                let Value::Object(entry) = entry else { panic!("{line}") };
                let transcript = entry.get("transcript_id").and_then(Value::as_str).unwrap_or_default();
                let what = format!("{what} {} {transcript}", entry["allele_num"]);
                let parts = entry.iter().map(|(name, value)| (name.clone(), value.to_string()));
                assert!(all.insert(what, parts.collect()).is_none());
            }
        }
        all.insert(what, own);
    }
    all
}

/// All fields that both have are equal, but for those of `DIFFERENCES`. `alone` are fields that VEP has alone.
fn compare(name: &str, vep: &Entries, ours: &Entries, alone: &[&str]) {
    let [theirs, mine] = [vep, ours].map(|entries| entries.keys().collect::<BTreeSet<_>>());
    assert_eq!(theirs, mine, "{name}: entries");
    assert!(vep.len() > 100, "{name}: {} entries", vep.len());
    let mut differences = Vec::new();
    for (what, theirs) in vep {
        let mine = &ours[what];
        let names: BTreeSet<&String> = theirs.keys().chain(mine.keys()).collect();
        for field in names.into_iter().filter(|field| !alone.contains(&field.as_str())) {
            let [one, other] = [theirs, mine].map(|parts| parts.get(field).map_or("", String::as_str));
            if one != other && !DIFFERENCES.contains(&(&*plain(one), &*plain(other))) {
                differences.push(format!("({what:?}, {field:?}, {one:?}, {other:?}),"));
            }
        }
    }
    assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
}

/// A value without what VCF, tables and JSON put around and between its parts.
fn plain(value: &str) -> String {
    let value = if value == "-" { "" } else { value };
    value.trim_matches(['[', ']']).replace('"', "").replace(['&', ','], " ")
}

fn fields_of_csq() -> Vec<&'static str> {
    let fields = COMMON.into_iter().chain(["HGVSc", "HGVSp"]).chain(PLACES);
    fields.chain(["HGVS_OFFSET", "ALLELE_NUM", "CANONICAL", "ENSP", "HGVSg"]).collect()
}

#[test]
fn entries_of_vcf_are_those_of_vep() {
    let fields = fields_of_csq();
    let list = fields.join(",");
    for (name, more) in [("csq.tsv", "1"), ("unmoved.tsv", "0")] {
        let more = ["--fields", &list, "--shift-hgvs", more];
        let ours = annotated("input.vcf", &[&MORE[..], &more].concat());
        compare(name, &entries_of_file(name, &fields), &entries_of_vcf(&ours, &fields), &[]);
    }
}

#[test]
fn tables_are_those_of_vep() {
    let ours = annotated("input.vcf", &[&MORE[..], &["--tab"]].concat());
    let vep = of_vep("table.tsv");
    let alone = ["SYMBOL_SOURCE", "HGNC_ID", "SOURCE", "td.gff3.gz"];
    compare("table", &entries_of_table(&vep), &entries_of_table(&ours), &alone);
    let names = |text: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with("#Uploaded")).expect("names");
        line.split('\t').filter(|name| !alone.contains(name)).map(str::to_owned).collect()
    };
    assert_eq!(names(&ours), names(&vep));
}

#[test]
fn lines_of_json_are_those_of_vep() {
    let ours = entries_of_json(&annotated("input.vcf", &[&MORE[..], &["--json"]].concat()));
    let vep = entries_of_json(&of_vep("lines.json"));
    let lines: BTreeSet<&str> = vep.keys().map(|what| what.split(' ').next().unwrap_or_default()).collect();
    let is_there = |what: &String| lines.contains(what.split(' ').next().unwrap_or_default());
    let ours = ours.into_iter().filter(|(what, _)| is_there(what)).collect();
    compare("json", &vep, &ours, &["source"]);
}

/// Sections of statistics: counts by name.
fn sections(text: &str) -> Entries {
    let mut all = Entries::new();
    let mut title = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('[') {
            Some(rest) => title = rest.trim_end_matches(']').to_owned(),
            None => {
                let (name, count) = line.split_once('\t').expect("a name and a count");
                all.entry(title.clone()).or_default().insert(name.to_owned(), count.to_owned());
            }
        }
    }
    all
}

#[test]
fn statistics_are_those_of_vep() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = directory.path().join("out.vcf");
    let text = |ending: &str| {
        let path = directory.path().join(format!("out.vcf_summary.{ending}"));
        fs::read_to_string(path).expect("a summary")
    };
    annotated("input.vcf", &["-o", &output.to_string_lossy()]);
    let mut ours = sections(&text("txt"));
    ours.remove("VEP run statistics");
    let mut vep = sections(&of_vep("statistics.txt"));
    // What is lost is not retained.
    for section in ["Consequences (all)", "Coding consequences"] {
        let counts = vep.get_mut(section).expect("a section");
        assert_eq!(counts.insert("start_retained_variant".into(), "1".into()), Some("2".into()));
    }
    assert_eq!(ours, vep);
    // The other files say the same.
    let json: Value = serde_json::from_str(&text("json")).expect("JSON");
    for (name, count) in &vep["Consequences (all)"] {
        assert_eq!(json["consequences"][name].to_string(), *count);
        assert!(text("tsv").contains(&format!("consequence\t{name}\t{count}\n")));
        assert!(text("html").contains(&format!(">{name}<")));
    }
    assert!(text("tsv").contains("total\trecords\t330\n"));
    // The same counts at any number of threads, and none where none are wanted.
    let one = ["txt", "tsv", "json", "html"].map(text);
    annotated("input.vcf", &["-o", &output.to_string_lossy(), "--threads", "7"]);
    assert_eq!(one, ["txt", "tsv", "json", "html"].map(text));
    annotated("input.vcf", &["-o", "/dev/null"]);
    assert!(!Path::new("/dev/null_summary.txt").exists());
    let none = directory.path().join("none.vcf");
    annotated("input.vcf", &["-o", &none.to_string_lossy(), "--no-stats"]);
    assert!(!directory.path().join("none.vcf_summary.txt").exists());
}

#[test]
fn several_alleles_are_cut_as_vep_cuts_them() {
    let fields: Vec<&str> = COMMON.into_iter().chain(PLACES).chain(["ALLELE_NUM"]).collect();
    let list = fields.join(",");
    for (name, more) in [("several.tsv", &[][..]), ("minimal.tsv", &["--minimal"])] {
        let ours = annotated("several.vcf", &[&["--fields", &list], more].concat());
        compare(name, &entries_of_file(name, &fields), &entries_of_vcf(&ours, &fields), &[]);
    }
}

/// The consequences of an entry, and the rest of it.
fn split(entry: &BTreeMap<String, String>, without: &[&str]) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let terms = entry["Consequence"].split('&').map(str::to_owned).collect();
    let mut rest = entry.clone();
    rest.retain(|name, _| name != "Consequence" && !without.contains(&name.as_str()));
    (terms, rest)
}

/// Records stand in pairs that are each other's mates. VEP takes the consequences of a mate from the numbers of the record's own
/// place, whatever contig the mate is on; so ours are held to those that VEP has for the mate's own record. Of ends without a
/// mate VEP tells transcripts of all contigs, and no feature_truncation.
#[test]
fn breakends_are_those_of_vep_at_each_end() {
    let fields = fields_of_csq();
    let vep = entries_of_file("breakends.tsv", &fields);
    let list = fields.join(",");
    let ours = entries_of_vcf(&annotated("breakends.vcf", &["--fields", &list]), &fields);
    let number = |entry: &BTreeMap<String, String>| entry["ALLELE_NUM"].clone();
    let (mut own, mut contigs) = (BTreeMap::new(), BTreeMap::new());
    for (what, entry) in vep.iter().filter(|(_, entry)| number(entry) == "0") {
        let (contig, rest) = what.split_once(':').expect("a contig");
        let position: u64 = rest.split(' ').next().and_then(|at| at.parse().ok()).expect("a position");
        own.insert((format!("{contig}:{}", position + 1), entry["Feature"].clone()), entry);
        contigs.insert(entry["Feature"].clone(), contig.to_owned());
    }
    let truncation = "feature_truncation".to_owned();
    let mut counts = [0; 3];
    for (what, entry) in &ours {
        let theirs = vep.get(what).unwrap_or_else(|| panic!("{what}: VEP has none"));
        assert_eq!(entry["Allele"], theirs["Allele"], "{what}");
        let is_mate = entry["Allele"].contains(['[', ']']) && number(entry) != "0";
        let is_single = entry["Allele"] == "chromosome_breakpoint";
        counts[usize::from(is_mate) + 2 * usize::from(is_single)] += 1;
        let (mut without, mut model) = (vec![], theirs);
        if is_mate {
            let place = entry["Allele"].split(['[', ']']).nth(1).expect("a place").to_owned();
            model = own.get(&(place, entry["Feature"].clone())).expect("the mate's record");
            without = vec!["Allele", "ALLELE_NUM"];
            let [mine, other] = [entry, theirs].map(|entry| split(entry, &[]).0.contains(&truncation));
            assert_eq!(mine, other, "{what}: {truncation}");
        }
        let (terms, mut rest) = split(entry, &without);
        let (mut expected, mut others) = split(model, &without);
        // What is lost is not retained.
        if expected.contains("start_lost") {
            expected.remove("start_retained_variant");
        }
        if is_single && !terms.iter().any(|term| term.ends_with("stream_gene_variant")) {
            assert!(expected.insert(truncation.clone()), "{what}");
            // VEP's word for no consequence at all.
            expected.remove("intergenic_variant");
            [&mut rest, &mut others].into_iter().for_each(|parts| drop(parts.remove("IMPACT")));
            assert_eq!(entry["IMPACT"], "HIGH", "{what}");
        }
        assert_eq!(terms, expected, "{what}");
        assert_eq!(rest, others, "{what}");
    }
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
    for (what, entry) in vep.iter().filter(|(what, _)| !ours.contains_key(*what)) {
        let contig = what.split(':').next().unwrap_or_default();
        assert_eq!(entry["Allele"], "chromosome_breakpoint", "{what}");
        assert_ne!(contigs[&entry["Feature"]], contig, "{what}");
    }
    // What JSON says of the record itself, and of its entries but for their consequences.
    let vep = entries_of_json(&of_vep("breakends.json"));
    let ours = entries_of_json(&annotated("breakends.vcf", &["--json", "--allele-number"]));
    for (what, theirs) in vep.iter().filter(|(what, _)| ours.contains_key(*what)) {
        for name in ["allele_string", "start", "end", "id", "variant_allele", "allele_num", "gene_id"] {
            assert_eq!(ours[what].get(name), theirs.get(name), "{what}: {name}");
        }
    }
    assert!(vep.keys().filter(|what| ours.contains_key(*what)).count() > 100);
}
