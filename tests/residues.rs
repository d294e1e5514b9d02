//! `norn annotate --residues`: ClinVar's variants of the same residue, against what made genes' codons come to, and in hand-made
//! cases of its rules. There is no peer whose lists are open: InterVar and others keep their own.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::genes::{Model, annotated, made_genes, reverse_complement, translate};
use common::made::Random;
use common::variant_files::utf8;
use common::{norn, norn_ok, root};

const HEADER: &str = "##fileformat=VCFv4.1\n\
    ##ID=<Description=\"ClinVar Variation ID\">\n\
    ##INFO=<ID=CLNSIG,Number=.,Type=String,Description=\"Aggregate germline classification for this single variant\">\n\
    ##INFO=<ID=CLNREVSTAT,Number=.,Type=String,Description=\"ClinVar review status of germline classification\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

const CLASSES: [&str; 4] = [
    "Pathogenic",
    "Likely_pathogenic",
    "Uncertain_significance",
    "Conflicting_classifications_of_pathogenicity",
];
const REVIEWS: [&str; 4] = [
    "no_assertion_criteria_provided",
    "criteria_provided,_single_submitter",
    "criteria_provided,_multiple_submitters,_no_conflicts",
    "reviewed_by_expert_panel",
];

/// A database of ClinVar from records of CHROM, POS, ID, REF, ALT and INFO, sorted.
fn source(directory: &Path, records: &str, reference: &str) -> String {
    let (vcf, ndb) = (directory.join("clinvar.vcf"), utf8(&directory.join("clinvar.ndb")));
    fs::write(&vcf, format!("{HEADER}{records}")).expect("ClinVar");
    let fields = "--fields=ID,CLNSIG,CLNREVSTAT";
    norn_ok(&["db", "source", "ClinVar", "--vcf", &utf8(&vcf), fields, "-r", reference, "-o", &ndb]);
    ndb
}

/// A substitution of one transcript, in its direction.
struct Substitution {
    /// Number of the first base that is changed among those of the transcript.
    place: usize,
    bases: Vec<u8>,
    id: usize,
    class: &'static str,
    stars: usize,
}

/// What is compared: residue, amino acids, and whether a base is of a splice region.
fn missense(model: &Model, change: &Substitution) -> Option<(usize, char, char, bool)> {
    let mut sequence = model.sequence.clone();
    sequence[change.place..change.place + change.bases.len()].copy_from_slice(&change.bases);
    let protein = |sequence: &[u8]| {
        let coding: Vec<u8> = model.coding.iter().map(|place| sequence[*place]).collect();
        translate(&coding)
    };
    let (before, after) = (protein(&model.sequence), protein(&sequence));
    let mut differing =
        before.chars().zip(after.chars()).enumerate().filter(|(_, (one, other))| one != other);
    let (residue, (from, to)) = differing.next()?;
    let is_missense = residue > 0 && from != '*' && to != '*' && differing.next().is_none();
    let is_intron = |place: usize| model.names[place].contains('+') || model.names[place][1..].contains('-');
    let last = change.place + change.bases.len() - 1;
    let near = (change.place.saturating_sub(3)..=last + 3).filter(|place| *place < model.names.len());
    is_missense.then_some((residue + 1, from, to, near.into_iter().any(is_intron)))
}

fn line(model: &Model, change: &Substitution) -> (usize, String, String) {
    let reference = &model.sequence[change.place..change.place + change.bases.len()];
    let text = |bases: &[u8]| String::from_utf8(bases.to_vec()).expect("bases");
    let length = model.sequence.len();
    match model.is_reverse {
        false => (model.start + change.place, text(reference), text(&change.bases)),
        true => {
            let position = model.start + length - change.place - change.bases.len();
            (position, text(&reverse_complement(reference)), text(&reverse_complement(&change.bases)))
        }
    }
}

fn item(change: &Substitution, (residue, from, to, is_splice): (usize, char, char, bool)) -> String {
    const NAMES: &str = "Ala Cys Asp Glu Phe Gly His Ile Lys Leu Met Asn Pro Gln Arg Ser Thr Val Trp Tyr";
    let name =
        |letter: char| NAMES.split(' ').nth("ACDEFGHIKLMNPQRSTVWY".find(letter).expect("an amino acid"));
    let [from, to] = [from, to].map(|letter| name(letter).expect("a name"));
    let splice = if is_splice { ":splice" } else { "" };
    format!("{}:p.{from}{residue}{to}:{}:{}{splice}", change.id, change.class, change.stars)
}

/// All substitutions of all coding bases of genes on both strands, with codons that introns part, beside a made ClinVar of
/// substitutions of one to three bases: each list is what the codons come to.
#[test]
fn evidence_is_what_codons_come_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let (reference, genes, models) = made_genes(directory.path());
    let mut random = Random::new(23);
    let (mut known, mut records) = (BTreeMap::new(), String::new());
    let mut next = 100;
    for model in &models {
        let mut changes = Vec::new();
        for place in &model.coding {
            for base in b"ACGT" {
                if *base != model.sequence[*place] && random.below(4) == 0 {
                    changes.push((*place, vec![*base]));
                }
            }
            let length = 2 + random.below(2);
            let is_coding = (*place..place + length).all(|place| model.coding.contains(&place));
            let bases = random.sequence(length).into_bytes();
            // First and last base have to differ, or it is a shorter one.
            let old = &model.sequence[*place..(place + length).min(model.sequence.len())];
            if is_coding && random.below(6) == 0 && old[0] != bases[0] && old[length - 1] != bases[length - 1]
            {
                changes.push((*place, bases));
            }
        }
        let mut all: Vec<Substitution> = changes
            .into_iter()
            .map(|(place, bases)| {
                next += 1;
                let class = CLASSES[random.below(CLASSES.len())];
                Substitution { place, bases, id: next, class, stars: random.below(REVIEWS.len()) }
            })
            .collect();
        all.sort_by_key(|change| line(model, change));
        for change in &all {
            let (position, reference, alternate) = line(model, change);
            let (review, class) = (REVIEWS[change.stars], change.class);
            let _ = writeln!(
                records,
                "{}\t{position}\t{}\t{reference}\t{alternate}\t.\t.\tCLNREVSTAT={review};CLNSIG={class}",
                model.contig, change.id
            );
        }
        known.insert(model.id.clone(), all);
    }
    let residues = source(directory.path(), &records, &reference);
    let (mut queries, mut expected) = (Vec::new(), BTreeMap::new());
    for model in &models {
        for place in &model.coding {
            for base in b"ACGT".iter().filter(|base| **base != model.sequence[*place]) {
                let query = Substitution { place: *place, bases: vec![*base], id: 0, class: "", stars: 0 };
                let (position, reference, alternate) = line(model, &query);
                let mut lists: [Vec<String>; 3] = Default::default();
                if let Some((residue, from, to, _)) = missense(model, &query) {
                    for other in &known[&model.id] {
                        let Some(change) = missense(model, other) else { continue };
                        let is_itself = line(model, other) == line(model, &query);
                        if is_itself || (change.0, change.1) != (residue, from) {
                            continue;
                        }
                        let counts = other.stars >= 1 && other.class.to_lowercase().ends_with("pathogenic");
                        let list = if !counts { 2 } else { usize::from(change.2 != to) };
                        lists[list].push(item(other, change));
                    }
                }
                let record = format!("{}\t{position}\t.\t{reference}\t{alternate}", model.contig);
                expected.insert(record.clone(), lists.map(|list| list.join("&")));
                queries.push((model.contig.clone(), position, record));
            }
        }
    }
    queries.sort();
    let input = directory.path().join("queries.vcf");
    let text: String = queries.iter().map(|(.., record)| format!("{record}\t.\t.\t.\n")).collect();
    fs::write(&input, format!("{HEADER}{text}")).expect("VCF");
    let options = ["--residues", &residues, "--fields", "PS1,PM5,RESIDUE_OTHER"];
    let ours = annotated(&reference, &genes, &utf8(&input), &options);
    assert!(ours.contains("##norn_residues=<From=\"clinvar.vcf "), "the header names ClinVar's file");
    let mut counts = [0; 3];
    for line in ours.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let csq = columns[7].strip_prefix("CSQ=").expect("an entry");
        let parts: Vec<&str> = csq.split('|').collect();
        let expected = &expected[&columns[..5].join("\t")];
        assert_eq!(parts, expected.each_ref().map(String::as_str), "{line}");
        counts.iter_mut().zip(&parts).for_each(|(count, part)| *count += usize::from(!part.is_empty()));
    }
    assert!(counts.iter().all(|count| *count > 40), "{counts:?}");
    assert_eq!(
        ours,
        annotated(&reference, &genes, &utf8(&input), &[&options[..], &["--threads", "5"]].concat())
    );
}

/// ClinVar's records of residue 6 of T1, GAA, chr1:20016-20018 (the residue before it is GCA): POS, ID, REF, ALT, CLNSIG, review.
const GLUTAMATE: &str = "20015 1 AG GC Pathogenic criteria_provided,_single_submitter\n\
    20015 2 AG TT Pathogenic reviewed_by_expert_panel\n\
    20016 3 G A Likely_pathogenic criteria_provided,_multiple_submitters,_no_conflicts\n\
    20016 4 G C Pathogenic/Likely_pathogenic|risk_factor practice_guideline\n\
    20016 5 G T Pathogenic reviewed_by_expert_panel\n\
    20016 6 GA AT Pathogenic/Pathogenic,_low_penetrance criteria_provided,_single_submitter\n\
    20016 7 GAA G Pathogenic reviewed_by_expert_panel\n\
    20017 8 A C Pathogenic no_assertion_criteria_provided\n\
    20017 9 A G . no_classification_provided\n\
    20017 10 A T Conflicting_classifications_of_pathogenicity criteria_provided,_conflicting_classifications\n\
    20018 11 A C Pathogenic reviewed_by_expert_panel\n\
    20018 12 A G Pathogenic criteria_provided,_single_submitter\n\
    20018 13 A T Pathogenic criteria_provided,_single_submitter\n";

/// Expected lists: identifiers of PS1, PM5 and RESIDUE_OTHER.
const CASES: [(&str, &str, [&str; 3]); 9] = [
    // Asp by GAT is 13; Asp by GAC is the variant itself; Gln, Lys, Gln and Ile are others; 2 and 5 are stops, 12 is no change.
    ("20018 A C", "1", ["13", "1 3 4 6", "8 9 10"]),
    ("20018 A T", "1", ["11", "1 3 4 6", "8 9 10"]),
    ("20018 A T", "2", ["11", "3 4", "1 6 8 9 10"]),
    ("20018 A T", "0", ["11", "1 3 4 6 8", "9 10"]),
    // Gln by CAA, with and without the base before it.
    ("20016 G C", "1", ["1", "3 6 11 13", "8 9 10"]),
    // The same alleles with bases that say nothing.
    ("20015 AGAA ACAA", "1", ["1", "3 6 11 13", "8 9 10"]),
    ("20016 GAA ATA", "1", ["", "1 3 4 11 13", "8 9 10"]),
    // A stop and a synonymous change have none.
    ("20016 G T", "1", ["", "", ""]),
    ("20018 A G", "1", ["", "", ""]),
];

#[test]
fn each_rule_has_its_case() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&root().join(name));
    let (reference, genes) = (path("testdata/genome.fa"), path("testdata/genes.gff3"));
    let mut records = String::new();
    for line in GLUTAMATE.lines() {
        let [position, id, from, to, class, review] =
            line.split(' ').collect::<Vec<_>>().try_into().expect("six columns");
        // ClinVar's chromosomes have no chr.
        let _ =
            writeln!(records, "1\t{position}\t{id}\t{from}\t{to}\t.\t.\tCLNREVSTAT={review};CLNSIG={class}");
    }
    let residues = source(directory.path(), &records, &reference);
    let run = |line: &str, more: &[&str]| {
        let input = directory.path().join("in.vcf");
        let [position, from, to] = line.split(' ').collect::<Vec<_>>().try_into().expect("three columns");
        fs::write(&input, format!("{HEADER}chr1\t{position}\t.\t{from}\t{to}\t.\t.\t.\n")).expect("VCF");
        annotated(&reference, &genes, &utf8(&input), &[&["--residues", &residues], more].concat())
    };
    let fields = "PS1,PM5,RESIDUE_OTHER";
    for (line, stars, expected) in CASES {
        let ours = run(line, &["--residue-stars", stars, "--fields", fields]);
        let csq = ours.split("CSQ=").nth(1).expect("an entry").trim_end();
        let ids = csq.split('|').map(|list| {
            let ids = list.split('&').map(|item| item.split(':').next().unwrap_or_default());
            ids.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(ids.collect::<Vec<_>>(), expected, "{line} {stars}: {csq}");
    }
    // Whole items, and how tables, JSON and filters have them.
    let ours = run("20018 A C", &["--fields", fields]);
    let csq = "13:p.Glu6Asp:Pathogenic:1|1:p.Glu6Gln:Pathogenic:1&3:p.Glu6Lys:Likely_pathogenic:2&\
        4:p.Glu6Gln:Pathogenic/Likely_pathogenic+risk_factor:4&6:p.Glu6Ile:Pathogenic/Pathogenic+_low_penetrance:1|\
        8:p.Glu6Ala:Pathogenic:0&9:p.Glu6Gly:not_provided:0&\
        10:p.Glu6Val:Conflicting_classifications_of_pathogenicity:1";
    assert!(ours.ends_with(&format!("CSQ={csq}\n")), "{ours}");
    let json = run("20018 A C", &["--json"]);
    assert!(json.contains(r#""ps1":["13:p.Glu6Asp:Pathogenic:1"]"#), "{json}");
    let table = run("20018 A C", &["--tab", "--fields", "PS1,RESIDUE_OTHER"]);
    assert!(table.ends_with("13:p.Glu6Asp:Pathogenic:1\t8:p.Glu6Ala:Pathogenic:0,9:p.Glu6Gly:not_provided:0,10:p.Glu6Val:Conflicting_classifications_of_pathogenicity:1\n"), "{table}");
    for (line, count) in [("20018 A C", 1), ("20016 GAA ATA", 0)] {
        let kept = run(line, &["-i", "CSQ/PS1!=\".\""]);
        assert_eq!(kept.lines().filter(|line| !line.starts_with('#')).count(), count, "{line}");
    }
    // Both ends of a record with two alleles, and the default fields with what is added.
    let both = run("20018 A C,T", &[]);
    assert!(both.contains("|HGVS_OFFSET|PS1|PM5|RESIDUE_OTHER\""), "{both}");
    assert_eq!(both.matches(":p.Glu6Asp:Pathogenic:").count(), 2, "{both}");
}

#[test]
fn what_cannot_be_looked_up_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&root().join(name));
    let (reference, genes) = (path("testdata/genome.fa"), path("testdata/genes.gff3"));
    let input = utf8(&directory.path().join("in.vcf"));
    fs::write(&input, format!("{HEADER}chr1\t20018\t.\tA\tC\t.\t.\t.\n")).expect("VCF");
    let records = "1\t20018\t1\tA\tT\t.\t.\tCLNREVSTAT=practice_guideline;CLNSIG=Pathogenic\n";
    let residues = source(directory.path(), records, &reference);
    let vcf = utf8(&directory.path().join("clinvar.vcf"));
    let without = utf8(&directory.path().join("without.ndb"));
    norn_ok(&["db", "source", "ClinVar", "--vcf", &vcf, "--fields", "ID,CLNSIG", "-o", &without]);
    let (bed, regions) = (directory.path().join("r.bed"), utf8(&directory.path().join("r.ndb")));
    fs::write(&bed, "chr1\t1\t2\tx\n").expect("BED");
    norn_ok(&["db", "source", "x", "--bed", &utf8(&bed), "--fields", "4", "-o", &regions]);
    for (words, code, what) in [
        (&["--gff", &genes, "--residues", &without][..], 3, "no CLNREVSTAT"),
        (&["--gff", &genes, "--residues", &regions], 3, "no ID of alleles"),
        (&["--gff", &genes, "--fields", "PS1"], 2, "need --residues"),
        (&["--source", &residues, "--residues", &residues], 2, "needs --genes or --gff"),
        (&["--gff", &genes, "--residue-stars", "2"], 2, "--residues"),
    ] {
        let output = norn(&[&["annotate", "-r", &reference, "--quiet", &input], words].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {told}");
        assert!(told.contains(what), "{words:?}: {told}");
    }
}
