//! `--intersect`: scores of a panel and of a cohort rest on the same variants.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::made::Random;
use common::*;
use norn::formats::genotypes::sites::SiteTable;
use norn::prs::match_log::{write_log, write_summary};
use norn::prs::matching::{Matched, Rules, match_file, match_shared};
use norn::prs::scoring_file::{Reading, ScoringFile, read_all};
use norn::prs::target::{Kept, Target, Wanted};

/// What writes a table of matches.
type Write = fn(&mut dyn std::io::Write, &str, &[Matched<'_>]) -> std::io::Result<()>;

/// Position, reference, alternates.
type SiteLine<'l> = (i32, &'l str, &'l str);

fn target<'w>(wanted: &'w Wanted, sites: &[SiteLine]) -> Target<'w> {
    let (mut kept, mut table) = (Kept::new(wanted), SiteTable::default());
    for (position, reference, alternates) in sites {
        table.push("1", *position, ".", reference, alternates).expect("site");
    }
    kept.observe_table(0, &table);
    kept.finish()
}

/// A score of rows on chromosome 1: position, effect allele, other allele.
fn score(rows: &[SiteLine]) -> Vec<ScoringFile> {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("S.txt");
    let rows = rows.iter().map(|(at, effect, other)| format!("1\t{at}\t{effect}\t{other}\t0.5\n"));
    let head = "#pgs_id=S\n#genome_build=GRCh38\n\
        chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n";
    fs::write(&path, format!("{head}{}", rows.collect::<String>())).expect("score");
    read_all(&[path], &Reading::default()).expect("score")
}

/// What is scored: rows, the alleles of their sites in order, and the one that is counted.
fn scored(matched: &Matched<'_>) -> BTreeSet<(u32, Vec<String>, String)> {
    let of = |row: u32| matched.best().iter().find(|best| best.row == row).expect("a match").candidate;
    let rows = matched.scored().map(|(row, _, allele)| {
        let candidate = of(row);
        let site = matched.target().get(candidate.site).expect("a site");
        let numbers = match candidate.alternate {
            0 => (0..=site.alternates.split(',').count() as u16).collect(),
            alternate => vec![0, alternate],
        };
        let name = |number: u16| site.allele(number).expect("an allele").to_owned();
        let mut alleles: Vec<String> = numbers.into_iter().map(name).collect();
        alleles.sort();
        (row, alleles, name(allele))
    });
    rows.collect()
}

/// All rules there are.
fn all_rules() -> impl Iterator<Item = Rules> {
    (0..16).map(|bits| Rules {
        keep_ambiguous: bits & 1 > 0,
        keep_multiallelic: bits & 2 > 0,
        ignore_strand_flips: bits & 4 > 0,
        keep_first_match: bits & 8 > 0,
        min_overlap: 0.0,
    })
}

/// Sites of the cohort and the panel at position 5, a row there, and what the cohort's log says of it: status, match_IDs, reason.
const CASES: [(&str, SiteLine, Option<SiteLine>, (&str, &str), [&str; 3]); 8] = [
    ("same", (5, "A", "G"), Some((5, "A", "G")), ("A", "G"), ["matched", "true", ""]),
    ("either is the reference", (5, "A", "G"), Some((5, "G", "A")), ("A", "G"), ["matched", "true", ""]),
    ("either, no other allele", (5, "A", "G"), Some((5, "G", "A")), ("A", ""), ["matched", "true", ""]),
    ("no site", (5, "A", "G"), None, ("A", "G"), ["excluded", "false", "not shared"]),
    ("other alleles", (5, "A", "G"), Some((5, "A", "C")), ("A", ""), ["excluded", "false", "not shared"]),
    ("the other strand", (5, "A", "G"), Some((5, "T", "C")), ("A", "G"), ["excluded", "false", "not shared"]),
    (
        "multiallelic there",
        (5, "A", "G"),
        Some((5, "A", "G,T")),
        ("A", "G"),
        ["excluded", "true", "excluded in the other"],
    ),
    (
        "ambiguous and not there",
        (5, "A", "T"),
        None,
        ("A", "T"),
        ["excluded", "false", "ambiguous; not shared"],
    ),
];

#[test]
fn the_log_and_the_summary_tell_what_is_not_shared() {
    for (what, cohort, panel, (effect, other), expected) in CASES {
        let files = score(&[(5, effect, other)]);
        let wanted = Wanted::of(&files);
        let (cohort, panel) = (target(&wanted, &[cohort]), target(&wanted, panel.as_slice()));
        let matched = match_shared(&files[0], &cohort, &panel, Rules::default());
        let writers: [Write; 2] = [write_log, write_summary];
        let tables = writers.map(|write| {
            let mut table = Vec::new();
            write(&mut table, "set", std::slice::from_ref(&matched)).expect("table");
            let text = String::from_utf8(table).expect("UTF-8");
            let lines: Vec<Vec<String>> =
                text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
            assert_eq!(lines.len(), 2, "{what}");
            let of = |name: &str| {
                let place = lines[0].iter().position(|column| column == name);
                place.map_or(String::new(), |place| lines[1][place].clone())
            };
            ["match_status", "match_IDs", "reason", "count"].map(of)
        });
        assert_eq!(tables[0][..3], expected, "{what}");
        assert_eq!((&tables[1][..2], &*tables[1][3]), (&tables[0][..2], "1"), "{what}");
        let tally = matched.tally();
        assert_eq!(tally.matched + tally.excluded + tally.not_shared, 1, "{what}: {tally:?}");
        assert_eq!(tally.not_shared == 1, expected[0] == "excluded" && !expected[2].contains("ambiguous"));
    }
}

#[test]
fn whichever_is_scored_the_variants_are_the_same() {
    let mut random = Random::new(5);
    let (mut shared, mut lost) = (0, 0);
    for _ in 0..400 {
        let alleles = ["A", "C", "G", "T", "AC", "GT", "A,C", "T,G", "C,T,A"];
        let mut sites = |count: usize, most: usize| -> Vec<SiteLine> {
            let line = |random: &mut Random| {
                let position = 1 + random.below(4) as i32;
                (position, alleles[random.below(6)], alleles[random.below(most)])
            };
            (0..count).map(|_| line(&mut random)).collect()
        };
        let (one, two) = (sites(6, 9), sites(6, 9));
        let mut rows = sites(6, 6);
        rows.iter_mut().step_by(3).for_each(|row| row.2 = "");
        let files = score(&rows);
        let wanted = Wanted::of(&files);
        let (one, two) = (target(&wanted, &one), target(&wanted, &two));
        for rules in all_rules() {
            let of_one = match_shared(&files[0], &one, &two, rules);
            let of_two = match_shared(&files[0], &two, &one, rules);
            assert_eq!(scored(&of_one), scored(&of_two), "{rows:?} {rules:?}");
            assert_eq!(of_one.tally().matched, of_two.tally().matched);
            // Never more than without the other, and of that what both have.
            let [alone, other] = [&one, &two].map(|target| scored(&match_file(&files[0], target, rules)));
            let both: BTreeSet<_> = alone.intersection(&other).cloned().collect();
            assert_eq!(scored(&of_one), both, "{rows:?} {rules:?}");
            (shared, lost) = (shared + both.len(), lost + alone.len() - both.len());
        }
    }
    assert!(shared > 500 && lost > 500, "{shared} {lost}");
}

/// Rows of each score that a log has as matched, with their IDs.
fn rows_of(directory: &Path, dataset: &str) -> BTreeMap<(String, u32), String> {
    let log = text(&directory.join(format!("{dataset}_log.csv.gz")));
    let cells = log.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    cells
        .filter(|cells| cells[21] == "matched")
        .map(|cells| ((cells[1].to_owned(), cells[0].parse().expect("a row")), cells[8].to_owned()))
        .collect()
}

#[test]
fn a_panel_and_a_cohort_are_scored_over_the_same_variants() {
    let data = root().join("testdata/panel");
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let of_data = |name: &str| data.join(name).to_string_lossy().into_owned();
    let scores = ["PGS900001.txt.gz", "PGS900002_hmPOS_GRCh38.txt.gz", "PGS900003.txt.gz"].map(of_data);
    let run = |genotypes: &str, dataset: &str, more: &[&str], name: &str| -> PathBuf {
        let out = at(name);
        let words = ["prs", "score", "--genotypes", genotypes, "--dataset", dataset, "-o", &out, "--scores"];
        let mut words = words.to_vec();
        words.extend(scores.iter().map(String::as_str));
        norn_ok(&[&words, &["--build", "GRCh38", "--min-overlap", "0.5"][..], more].concat());
        PathBuf::from(out)
    };
    let (panel, cohort) = (of_data("panel.bed"), of_data("cohort.vcf.gz"));
    let of_panel = run(&panel, "panel", &["--intersect", &cohort], "of_panel");
    let of_cohort = run(&cohort, "cohort", &["--intersect", &of_data("panel.bim")], "of_cohort");
    let (rows, of_both) = (rows_of(&of_panel, "panel"), rows_of(&of_cohort, "cohort"));
    assert_eq!(rows.keys().collect::<Vec<_>>(), of_both.keys().collect::<Vec<_>>());
    // The cohort's maker left 18 of the second score's variants out.
    let of_score = |rows: &BTreeMap<(String, u32), String>| {
        rows.keys().filter(|(score, _)| score.contains("PGS900002")).count()
    };
    let alone = rows_of(&run(&panel, "panel", &[], "alone"), "panel");
    assert_eq!(of_score(&alone) - of_score(&rows), 18);
    assert!(alone.len() > rows.len());

    // Other forms of the same sites are the same.
    let sums = |directory: &Path| text(&directory.join("aggregated_scores.txt.gz"));
    let pvar: String = text(&data.join("panel.bim"))
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            format!("{}\t{}\t{}\t{}\t{}\n", cells[0], cells[3], cells[1], cells[5], cells[4])
        })
        .collect();
    fs::write(at("panel.pvar"), format!("#CHROM\tPOS\tID\tREF\tALT\n{pvar}")).expect("sites");
    for sites in [at("panel.pvar"), panel.clone()] {
        let again = run(&cohort, "cohort", &["--intersect", &sites], "again");
        assert_eq!(sums(&again), sums(&of_cohort), "{sites}");
    }
    let refused = norn(&[
        "prs",
        "match",
        "--genotypes",
        &cohort,
        "--scores",
        &scores[0],
        "--intersect",
        "x.tsv",
        "-o",
        &at("no"),
    ]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(3) && told.contains("x.tsv: expected a .pvar"), "{told}");

    // As if plink2 had taken all other variants away.
    if !has("plink2") {
        assert!(!is_ci(), "plink2 is not installed");
        eprintln!("skipped: plink2 is not installed");
        return;
    }
    let ids: String = rows.values().map(|id| format!("{id}\n")).collect();
    fs::write(at("shared.id"), ids).expect("list");
    for (input, dataset, expected) in
        [(["--bfile", &of_data("panel")], "panel", &of_panel), (["--vcf", &cohort], "cohort", &of_cohort)]
    {
        let out = at(dataset);
        let words = ["--extract", &at("shared.id"), "--make-pgen", "--out", &out];
        peer("plink2", &[&input[..], &words].concat());
        let cut = run(&format!("{out}.pgen"), dataset, &[], &format!("{dataset}_cut"));
        assert_eq!(sums(&cut), sums(expected), "{dataset}");
    }
    if has("bcftools") {
        peer("bcftools", &["view", "-G", "-Ob", "-o", &at("cohort.bcf"), &cohort]);
        let again = run(&panel, "panel", &["--intersect", &at("cohort.bcf")], "again");
        assert_eq!(sums(&again), sums(&of_panel));
    }
}
