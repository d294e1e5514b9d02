//! The account of each trio as a table and as JSON.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::pedigree::Trio;
use super::survey::{Account, Candidates};
use crate::formats::vcf::header::Header;
use crate::variants::trio::mendelian::TrioCounts;

/// Columns of numbers, in the order of the table.
type Column = (&'static str, fn(&TrioCounts, &Candidates) -> u64);

/// The names say what is counted; `docs/variants.md` says it in full.
const COLUMNS: [Column; 16] = [
    ("sites", |trio, _| trio.good + trio.errors.iter().sum::<u64>()),
    ("consistent", |trio, _| trio.good),
    ("consistent_alt", |trio, _| trio.good_alternate),
    ("errors", |trio, _| trio.errors.iter().sum()),
    ("errors_novel", |trio, _| trio.errors[0]),
    ("errors_not_father", |trio, _| trio.errors[1]),
    ("errors_not_mother", |trio, _| trio.errors[2]),
    ("missing", |trio, _| trio.missing),
    ("filtered", |trio, _| trio.failed),
    ("not_inherited", |trio, _| trio.no_rule),
    ("weighed", |_, denovo| denovo.weighed),
    ("denovo", |_, denovo| denovo.by_kind.iter().sum()),
    ("denovo_snv", |_, denovo| denovo.by_kind[0]),
    ("denovo_indel", |_, denovo| denovo.by_kind[1]),
    ("denovo_other", |_, denovo| denovo.by_kind[2]),
    ("denovo_called", |_, denovo| denovo.called),
];

/// One row a trio, tabs between columns.
pub fn table(account: &Account, trios: &[Trio], header: &Header) -> String {
    let mut text = "#child\tfather\tmother\tsex".to_owned();
    for (name, _) in COLUMNS {
        text.push('\t');
        text += name;
    }
    text.push('\n');
    for (trio, (counts, candidates)) in trios.iter().zip(rows(account)) {
        let [child, father, mother] = trio.members().map(|sample| &header.samples()[sample]);
        // Writing to a string does not fail.
        let _ = write!(text, "{child}\t{father}\t{mother}\t{}", sex(trio));
        for (_, count) in COLUMNS {
            let _ = write!(text, "\t{}", count(counts, candidates));
        }
        text.push('\n');
    }
    text
}

/// The same with counts of sites.
pub fn json(account: &Account, trios: &[Trio], header: &Header) -> Json {
    let sites = &account.counts.sites;
    let of_trio = |(trio, (counts, candidates)): (&Trio, (&TrioCounts, &Candidates))| {
        let [child, father, mother] = trio.members().map(|sample| header.samples()[sample].as_str());
        let mut row = json!({ "child": child, "father": father, "mother": mother, "sex": sex(trio) });
        for (name, count) in COLUMNS {
            row[name] = count(counts, candidates).into();
        }
        row
    };
    json!({
        "sites": {
            "reference_only": sites.reference_only,
            "many_alleles": sites.many_alleles,
            "filtered": sites.failed,
            "no_genotypes": sites.no_genotypes,
            "not_diploid": sites.not_diploid,
            "missing": sites.missing,
            "errors": sites.errors,
            "consistent": sites.good,
        },
        "trios": trios.iter().zip(rows(account)).map(of_trio).collect::<Vec<_>>(),
    })
}

fn rows(account: &Account) -> impl Iterator<Item = (&TrioCounts, &Candidates)> {
    account.counts.trios.iter().zip(&account.candidates)
}

fn sex(trio: &Trio) -> &'static str {
    if trio.has_one_x { "1X" } else { "2X" }
}
