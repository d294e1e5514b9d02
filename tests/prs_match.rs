//! Matches of scores beside those of pgscatalog-match 0.4.0 (pgscatalog-utils 2.0.4), positions beside pyliftover's.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{pgscatalog, shared_data};
use norn::formats::genotypes::sites::SiteTable;
use norn::formats::text;
use norn::genome::contigs::Build;
use norn::prs::liftover::Chains;
use norn::prs::match_log::{write_log, write_summary};
use norn::prs::matching::{Matched, Rules, match_file};
use norn::prs::score_table::TableColumns;
use norn::prs::scoring_file::{Layout, Reading, ScoringFile, Weight, read, read_all};
use norn::prs::target::{Kept, Target, Wanted};

/// A site: contig, position, identifier, reference, alternates.
type SiteLine = (String, i64, String, String, String);

/// The sites of VCF or pvar.
fn sites(path: &Path) -> Vec<SiteLine> {
    let (mut reader, mut line, mut sites) = (text::open(path).expect("sites"), Vec::new(), Vec::new());
    while text::read_line(&mut *reader, &mut line).expect("line") {
        let line = String::from_utf8_lossy(&line);
        if !line.starts_with('#') {
            let cells: Vec<&str> = line.splitn(6, '\t').collect();
            let own = |at: usize| cells[at].to_owned();
            sites.push((own(0), cells[1].parse().expect("position"), own(2), own(3), own(4)));
        }
    }
    sites
}

/// Sites as the pvar file that the peer takes.
fn pvar(sites: &[SiteLine], into: &Path) -> PathBuf {
    let lines = sites.iter().map(|(contig, position, id, reference, alts)| {
        format!("{contig}\t{position}\t{id}\t{reference}\t{alts}\n")
    });
    let path = into.join("sites.pvar");
    fs::write(&path, format!("#CHROM\tPOS\tID\tREF\tALT\n{}", lines.collect::<String>())).expect("pvar");
    path
}

/// The sites that are wanted of several files, read one beside the other.
fn target<'w>(wanted: &'w Wanted, files: &[&[SiteLine]]) -> Target<'w> {
    let mut all = Kept::new(wanted);
    for (file, sites) in (0..).zip(files) {
        let (mut kept, mut table) = (Kept::new(wanted), SiteTable::default());
        for (contig, position, id, reference, alternates) in *sites {
            let position = i32::try_from(*position).expect("position");
            table.push(contig, position, id, reference, alternates).expect("site");
        }
        kept.observe_table(file, &table);
        all.merge(&kept);
    }
    all.finish()
}

/// Our log and summary, without the lines of names; of the log what the peer has.
fn ours(matched: &[Matched<'_>]) -> (Vec<String>, Vec<String>) {
    let (mut log, mut summary) = (Vec::new(), Vec::new());
    write_log(&mut log, "set", matched).expect("log");
    write_summary(&mut summary, "set", matched).expect("summary");
    let lines = |bytes: Vec<u8>| {
        String::from_utf8(bytes).expect("UTF-8").lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let without_reason = |line: String| line.rsplit_once(',').expect("reason").0.to_owned();
    (lines(log).into_iter().map(without_reason).collect(), lines(summary))
}

/// Lines in order, numbers as numbers; the last one, a percentage, but for its last digits.
fn comparable(lines: Vec<String>) -> Vec<String> {
    let number = |cell: &str| match cell.parse::<f64>() {
        Ok(number) if cell.contains(['.', 'e', 'E']) => format!("{number:?}"),
        _ => cell.to_owned(),
    };
    let line = |line: &String| {
        let mut cells: Vec<String> = line.split(',').map(number).collect();
        if let Some(Ok(percent)) = cells.last().map(|cell| cell.parse::<f64>()) {
            cells.pop();
            cells.push(format!("{percent:.9}"));
        }
        cells.join(",")
    };
    let mut lines: Vec<String> = lines.iter().map(line).collect();
    lines.sort();
    lines
}

fn assert_same(theirs: Vec<String>, ours: Vec<String>, what: &str) {
    let (theirs, ours) = (comparable(theirs), comparable(ours));
    let differing = theirs.iter().zip(&ours).find(|(theirs, ours)| theirs != ours);
    assert!(
        theirs == ours,
        "{what}: {} lines of theirs, {} of ours; {differing:#?}",
        theirs.len(),
        ours.len()
    );
}

/// Options of the peer and the rules that they mean.
fn options() -> Vec<(Vec<&'static str>, Rules)> {
    let rules = Rules { min_overlap: 0.01, ..Rules::default() };
    let all = Rules { keep_ambiguous: true, ignore_strand_flips: true, keep_multiallelic: true, ..rules };
    vec![
        (vec!["--min_overlap", "0.01"], rules),
        (vec!["--min_overlap", "0.01", "--keep_ambiguous"], Rules { keep_ambiguous: true, ..rules }),
        (
            vec!["--min_overlap", "0.01", "--ignore_strand_flips"],
            Rules { ignore_strand_flips: true, ..rules },
        ),
        (vec!["--min_overlap", "0.01", "--keep_multiallelic"], Rules { keep_multiallelic: true, ..rules }),
        (vec!["--min_overlap", "0.01", "--keep_first_match"], Rules { keep_first_match: true, ..rules }),
        (
            vec!["--min_overlap", "0.01", "--keep_ambiguous", "--ignore_strand_flips", "--keep_multiallelic"],
            all,
        ),
    ]
}

/// Holds scores, matched with all options, to the peer.
fn compare(
    scores: &[(&str, Vec<PathBuf>)],
    sites: &[SiteLine],
    directory: &Path,
    options: &[(Vec<&str>, Rules)],
) {
    let mut files: Vec<ScoringFile> = Vec::new();
    for (build, paths) in scores {
        let build = Some(if *build == "GRCh37" { Build::Grch37 } else { Build::Grch38 });
        files.extend(read_all(paths, &Reading { build, ..Default::default() }).expect("scores"));
    }
    let formatted = directory.join("formatted");
    fs::create_dir(&formatted).expect("directory");
    let Some(formatted) = pgscatalog::format(scores, &formatted) else { return };
    assert_eq!(formatted.len(), files.len());
    let pvar = pvar(sites, directory);
    let wanted = Wanted::of(&files);
    let target = target(&wanted, &[sites]);
    for (options, rules) in options {
        let matched: Vec<_> = files.iter().map(|file| match_file(file, &target, *rules)).collect();
        let Some((log, summary)) = pgscatalog::matched(&formatted, &pvar, directory, options) else { return };
        let (our_log, our_summary) = ours(&matched);
        assert_same(log, our_log, &format!("{options:?}: log"));
        assert_same(summary, our_summary, &format!("{options:?}: summary"));
    }
}

/// The text of a scoring file.
fn score_text(path: &Path) -> String {
    let (mut reader, mut line, mut text) = (text::open(path).expect("score"), Vec::new(), String::new());
    while text::read_line(&mut *reader, &mut line).expect("line") {
        text += &format!("{}\n", String::from_utf8_lossy(&line));
    }
    text
}

/// From the names of the columns and a row's cells, the row's cells as they shall be.
type Edit<'e> = &'e dyn Fn(&[&str], &[&str]) -> Vec<String>;

/// A table with other cells in each row; the line of names is one too.
fn edited(text: &str, edit: Edit<'_>) -> String {
    let (mut header, mut out) = (Vec::new(), String::new());
    for line in text.lines() {
        if line.starts_with('#') {
            out += &format!("{line}\n");
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        if header.is_empty() {
            header = cells.clone();
        }
        out += &(edit(&header, &cells).join("\t") + "\n");
    }
    out
}

#[test]
fn real_scores_match_as_in_the_catalogues_calculator() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: prs (no NORN_SHARED_DATA)");
        return;
    };
    let (data, directory) = (data.join("prs"), tempfile::tempdir().expect("directory"));
    // The peer wants a date, the authors' positions or rsIDs, and knows no weights by dosage.
    let taken = |name: &str, edit: Edit<'_>| {
        let text = score_text(&data.join(name))
            .replace("#HmPOS_build=GRCh38\n", "#HmPOS_build=GRCh38\n#HmPOS_date=2024-06-11\n");
        let path = directory.path().join(name.trim_end_matches(".gz"));
        fs::write(&path, edited(&text, edit)).expect("score");
        path
    };
    let with_positions = |header: &[&str], cells: &[&str]| {
        let places =
            ["hm_chr", "hm_pos"].map(|name| header.iter().position(|other| *other == name).expect("column"));
        let [chr, position] = places.map(|at| if cells[at].is_empty() { "1" } else { cells[at] }.to_owned());
        let named = if header == cells {
            ["chr_name".to_owned(), "chr_position".to_owned()]
        } else {
            [chr, position]
        };
        cells.iter().map(|cell| (*cell).to_owned()).chain(named).collect()
    };
    let without_dosages = |header: &[&str], cells: &[&str]| {
        let kept = header
            .iter()
            .zip(cells)
            .filter(|(name, _)| !["dosage_0_weight", "dosage_2_weight"].contains(*name));
        kept.map(|(_, cell)| cell.replace("dosage_1_weight", "effect_weight")).collect()
    };
    let scores = [
        (
            "GRCh38",
            vec![
                data.join("PGS000001_hmPOS_GRCh38.txt.gz"),
                data.join("PGS000002_hmPOS_GRCh38.txt.gz"),
                taken("PGS001229_hmPOS_GRCh38.txt.gz", &with_positions),
                taken("PGS004255_hmPOS_GRCh38.txt.gz", &without_dosages),
            ],
        ),
        ("GRCh37", vec![data.join("PGS000802_hmPOS_GRCh37.txt")]),
    ];
    compare(&scores, &sites(&data.join("tiny1000G.vcf.gz")), directory.path(), &options());
}

#[test]
fn matched_weights_are_those_that_plink2_scored() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: prs (no NORN_SHARED_DATA)");
        return;
    };
    let data = data.join("prs");
    let score = read(&data.join("PGS001229_hmPOS_GRCh38.txt.gz"), &Reading::default()).expect("score");
    assert_eq!((score.variants.len(), score.remarks.len()), (51_209, 0));
    assert_eq!(score.variants.bytes(), 11 * 51_209);
    let layout = Layout::Numbered(TableColumns::default());
    let table =
        read(&data.join("PGS001229.matched.plink.tsv"), &Reading { build: None, layout }).expect("table");
    let sites = sites(&data.join("tiny1000G.vcf.gz"));
    let files = [score, table];
    let wanted = Wanted::of(&files);
    let target = target(&wanted, &[&sites]);
    let rules =
        Rules { keep_ambiguous: true, ignore_strand_flips: true, min_overlap: 0.5, ..Rules::default() };
    let [by_position, by_id] = files.each_ref().map(|file| {
        let matched = match_file(file, &target, rules);
        let weights: BTreeMap<_, _> = matched
            .scored()
            .map(|(row, site, allele)| match file.weight(row, 0) {
                Some(Weight::Single(weight)) => ((site, allele), weight.to_bits()),
                other => panic!("{other:?}"),
            })
            .collect();
        (weights, matched.tally(), matched.check().map_err(|error| error.to_string()))
    });
    assert_eq!(by_position.0, by_id.0);
    assert_eq!((by_id.1.matched, by_id.1.rows, by_id.2), (983, 983, Ok(())));
    assert_eq!(
        by_position.2.expect_err("too few"),
        "PGS001229_hmPOS_GRCh38: 983 of 51209 variants are matched, fewer than the share of 0.5 that is asked for \
         (--min-overlap): 50195 have no site in the genotypes, 0 other alleles there, 3 are excluded, 28 cannot be scored"
    );
}

/// A small source of chance, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len() as u64) as usize]
    }
}

fn complement(allele: &str) -> String {
    let base = |base| match base {
        'A' => 'T',
        'C' => 'G',
        'G' => 'C',
        'T' => 'A',
        other => other,
    };
    allele.chars().map(base).collect()
}

/// A scoring file of a build, from rows of chromosome, position, effect and other allele.
fn score_of(name: &str, rows: &[(String, i64, String, String)], directory: &Path) -> PathBuf {
    let mut text = format!("#pgs_id={name}\n#trait_reported=made\n#genome_build=GRCh38\n");
    text += "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tis_dominant\tis_recessive\n";
    for (at, (contig, position, effect, other)) in rows.iter().enumerate() {
        let (dominant, recessive) = (at % 7 == 3, at % 7 == 5);
        text += &format!("{contig}\t{position}\t{effect}\t{other}\t0.{at}1\t{dominant}\t{recessive}\n");
    }
    let path = directory.join(format!("{name}.txt"));
    fs::write(&path, text).expect("score");
    path
}

#[test]
fn made_scores_match_as_in_the_catalogues_calculator() {
    let directory = tempfile::tempdir().expect("directory");
    let mut dice = Dice(5);
    // Alleles of several bases read the same from both ends: the peer does not turn them round.
    let alleles = ["A", "C", "G", "T", "A", "C", "G", "T", "AA", "CCC", "<DEL>"];
    let mut sites: Vec<SiteLine> = Vec::new();
    let mut two_at = Vec::new();
    for number in 0..1_500 {
        let (contig, position) =
            (["1", "10", "X"][usize::from(number > 400) + usize::from(number > 900)], 100 + 7 * number);
        let reference = dice.pick(&alleles[..10]).to_owned();
        let others: Vec<&str> = alleles.into_iter().filter(|allele| *allele != reference).collect();
        let alternate = dice.pick(&others);
        let site =
            (contig.to_owned(), position, format!("s{number}"), reference.clone(), alternate.to_owned());
        sites.push(site);
        if dice.roll(10) == 0 {
            let alternate = dice.pick(&others);
            sites.push((contig.to_owned(), position, format!("t{number}"), reference, alternate.to_owned()));
            two_at.push(position);
        }
    }
    let made = |name: &str, count: usize, dice: &mut Dice| {
        let (mut rows, mut taken) = (Vec::new(), Vec::new());
        while rows.len() < count {
            let (contig, position, _, reference, alternate) = &sites[dice.roll(sites.len() as u64) as usize];
            // Two rows for one of two sites are told below.
            if two_at.contains(position) && taken.contains(position) {
                continue;
            }
            taken.push(*position);
            let (mut effect, mut other) = (reference.clone(), alternate.clone());
            if dice.roll(2) == 0 {
                std::mem::swap(&mut effect, &mut other);
            }
            if dice.roll(3) == 0 {
                (effect, other) = (complement(&effect), complement(&other));
            }
            match dice.roll(8) {
                0 | 1 => other.clear(),
                2 => other = dice.pick(&alleles).to_owned(),
                _ => {}
            }
            let position = if dice.roll(12) == 0 { position + 1 } else { *position };
            rows.push((contig.clone(), position, effect, other));
        }
        score_of(name, &rows, directory.path())
    };
    let scores = vec![made("PGS1", 400, &mut dice), made("PGS2", 900, &mut dice), made("PGS3", 1, &mut dice)];
    let mut options = options();
    options.push((vec!["--min_overlap", "0.5"], Rules { min_overlap: 0.5, ..Rules::default() }));
    compare(&[("GRCh38", scores)], &sites, directory.path(), &options);
}

/// A case of tests/prs_match.txt.
#[derive(Default)]
struct Case {
    name: &'static str,
    /// Identifier, reference, alternates.
    sites: Vec<[&'static str; 3]>,
    /// Effect and other allele.
    rows: Vec<[&'static str; 2]>,
    /// What becomes of each row by the default rules and by lenient ones, here and there.
    ours: Vec<[&'static str; 2]>,
    peers: Vec<[&'static str; 2]>,
}

fn cases() -> Vec<Case> {
    let by_rules = |text: &'static str| {
        let (strict, lenient) = text.split_once(" | ").unwrap_or((text, text));
        [strict, lenient]
    };
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("prs_match.txt").lines().skip_while(|line| !line.is_empty()) {
        let Some(part) = line.strip_prefix("  ") else {
            if !line.is_empty() && !line.starts_with('#') {
                cases.push(Case { name: line, ..Case::default() });
            }
            continue;
        };
        let case = cases.last_mut().expect("a name");
        let (word, text) = part.split_once(' ').expect("a word");
        match word {
            "site" => {
                let parts: Vec<&str> = text.split(' ').collect();
                case.sites.push(parts.try_into().expect("three parts"));
            }
            "row" => {
                let (alleles, outcome) = text.split_once(" -> ").expect("an outcome");
                let (effect, other) = alleles.split_once(' ').unwrap_or((alleles, ""));
                case.rows.push([effect, other]);
                case.ours.push(by_rules(outcome));
                case.peers.push(by_rules(outcome));
            }
            "peer" => *case.peers.last_mut().expect("a row") = by_rules(text),
            _ => panic!("{line}"),
        }
    }
    cases
}

/// Status, type, identifier, alternate and counted allele of the best match of each row, and what else it is.
fn outcomes(log: &[String]) -> BTreeMap<usize, String> {
    let mut outcomes = BTreeMap::new();
    for line in log {
        // Within quotation marks there are lists of alleles.
        let quoted = line.split('"').enumerate();
        let joined: String = quoted
            .map(|(at, part)| if at % 2 == 1 { part.replace(',', "/") } else { part.to_owned() })
            .collect();
        let cells: Vec<&str> = joined.split(',').collect();
        let status = cells[21];
        if cells[16] != "true" && status != "unmatched" {
            continue;
        }
        let mut outcome = status.to_owned();
        for cell in [cells[12], cells[8], cells[10], cells[11]] {
            outcome += if cell.is_empty() { "" } else { " " };
            outcome += cell;
        }
        for (at, word) in [(13, " multiallelic"), (14, " ambiguous"), (18, " several"), (19, " duplicate")] {
            outcome += if cells[at] == "true" { word } else { "" };
        }
        assert_eq!(outcomes.insert(cells[0].parse().expect("row"), outcome), None, "{line}");
    }
    outcomes
}

#[test]
fn each_rule_has_its_case() {
    let directory = tempfile::tempdir().expect("directory");
    let cases = cases();
    assert!(cases.len() > 30);
    let (mut sites, mut rows, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for (case, position) in cases.iter().zip((100..).step_by(100)) {
        for [id, reference, alternates] in &case.sites {
            let id = if *id == "." { ".".to_owned() } else { format!("{position}{id}") };
            let reference = (*reference).to_owned();
            sites.push(("1".to_owned(), position, id, reference, (*alternates).to_owned()));
        }
        for (at, [effect, other]) in case.rows.iter().enumerate() {
            rows.push(("1".to_owned(), position, (*effect).to_owned(), (*other).to_owned()));
            expected.push((case, at, position));
        }
    }
    let score = score_of("CASES", &rows, directory.path());
    let files = [read(&score, &Reading::default()).expect("score")];
    let wanted = Wanted::of(&files);
    let target = target(&wanted, &[&sites]);
    let pvar = pvar(&sites, directory.path());
    let formatted = directory.path().join("formatted");
    fs::create_dir(&formatted).expect("directory");
    let formatted = pgscatalog::format(&[("GRCh38", vec![score])], &formatted);
    let strict = Rules { min_overlap: 0.01, ..Rules::default() };
    let lenient = Rules { keep_ambiguous: true, keep_multiallelic: true, ..strict };
    let mut failures = String::new();
    for (number, rules) in [strict, lenient].into_iter().enumerate() {
        let options = ["--min_overlap", "0.01", "--keep_ambiguous", "--keep_multiallelic"];
        let options = if number == 0 { &options[..2] } else { &options };
        let peer =
            formatted.as_ref().and_then(|files| pgscatalog::matched(files, &pvar, directory.path(), options));
        let peer = peer.map(|(log, _)| outcomes(&log));
        let ours = outcomes(&ours(&[match_file(&files[0], &target, rules)]).0);
        for (row, (case, at, position)) in expected.iter().enumerate() {
            let plain = |outcome: &String| outcome.replace(&format!(" {position}"), " ");
            let theirs = peer.as_ref().map(|peer| plain(&peer[&row]));
            for (who, found, wants) in
                [("ours", Some(plain(&ours[&row])), &case.ours), ("theirs", theirs, &case.peers)]
            {
                let want = wants[*at][number];
                if found.as_ref().is_some_and(|found| found != want) {
                    failures += &format!("{} {number} row {at} {who}: {found:?}, not {want:?}\n", case.name);
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn a_share_that_is_reached_exactly_is_enough() {
    let directory = tempfile::tempdir().expect("directory");
    let sites: Vec<SiteLine> =
        (1..=9).map(|at| ("1".to_owned(), at, format!("s{at}"), "A".to_owned(), "G".to_owned())).collect();
    let rows: Vec<_> = (1..=10).map(|at| ("1".to_owned(), at, "G".to_owned(), "A".to_owned())).collect();
    let score = score_of("NINE", &rows, directory.path());
    let files = [read(&score, &Reading::default()).expect("score")];
    let wanted = Wanted::of(&files);
    let target = target(&wanted, &[&sites]);
    let passes = |min_overlap| {
        match_file(&files[0], &target, Rules { min_overlap, ..Rules::default() }).check().is_ok()
    };
    // The peer takes 1 of 10 missing for more than 1 - 0.9.
    assert!(passes(0.9) && !passes(0.91));
}

#[test]
fn no_order_of_files_changes_a_match() {
    let directory = tempfile::tempdir().expect("directory");
    let site = |at: i64, id: &str, alternate: &str| {
        ("1".to_owned(), at, id.to_owned(), "A".to_owned(), alternate.to_owned())
    };
    let first = [site(1, "a", "G"), site(2, "b", "T,C"), site(5, "e", "C")];
    let second = [site(3, "c", "G"), site(1, "aa", "G"), site(1, "ab", "C")];
    let row = |at, effect: &str| ("1".to_owned(), at, effect.to_owned(), String::new());
    let paths = [
        score_of("ONE", &[row(1, "A"), row(1, "G"), row(2, "C"), row(9, "A")], directory.path()),
        score_of("TWO", &[row(3, "G"), row(1, "A")], directory.path()),
    ];
    let log = |paths: &[PathBuf], sites: &[&[SiteLine]]| {
        let files = read_all(paths, &Reading::default()).expect("scores");
        let wanted = Wanted::of(&files);
        let target = target(&wanted, sites);
        assert_eq!((target.seen(), target.len()), (6, 5));
        let matched: Vec<_> = files.iter().map(|file| match_file(file, &target, Rules::default())).collect();
        ours(&matched)
    };
    let expected = log(&paths, &[&first, &second]);
    assert_eq!(expected.0.len(), 12);
    let [one, two] = paths;
    assert_eq!(log(&[two, one], &[&second, &first]), expected);
}

#[test]
fn builds_that_do_not_fit_are_suspected() {
    let directory = tempfile::tempdir().expect("directory");
    let sites: Vec<SiteLine> =
        (1..=20).map(|at| ("chr1".to_owned(), at, ".".to_owned(), "A".to_owned(), "G".to_owned())).collect();
    let effect = |at| if at == 5 { "G" } else { "C" };
    let rows: Vec<_> =
        (1..=20).map(|at| ("1".to_owned(), at, effect(at).to_owned(), "A".to_owned())).collect();
    let files = [read(&score_of("S", &rows, directory.path()), &Reading::default()).expect("score")];
    let wanted = Wanted::of(&files);
    let target = target(&wanted, &[&sites]);
    let matched = match_file(&files[0], &target, Rules { keep_first_match: true, ..Rules::default() });
    let error = matched.check().expect_err("other alleles").to_string();
    assert!(error.ends_with("; are the genotypes of another build than GRCh38?"), "{error}");
}

#[test]
fn bases_are_lifted_as_by_pyliftover() {
    let directory = tempfile::tempdir().expect("directory");
    let (mut dice, mut text) = (Dice(11), String::new());
    // Chains that overlap, on both strands, with gaps on one side, the other and both.
    for chain in 0..60 {
        let (mut blocks, mut from, mut to) = (String::new(), 0, 0);
        let count = 1 + dice.roll(30);
        for block in 0..count {
            let size = 1 + dice.roll(40);
            (from, to) = (from + size, to + size);
            if block + 1 == count {
                blocks += &format!("{size}\n\n");
            } else {
                let gaps = [dice.roll(2) * dice.roll(30), dice.roll(2) * dice.roll(30)];
                blocks += &format!("{size}\t{}\t{}\n", gaps[0], gaps[1]);
                (from, to) = (from + gaps[0], to + gaps[1]);
            }
        }
        let (start, other) = (dice.roll(8_000), dice.roll(8_000));
        let contig = dice.pick(&["chr1", "chr22"]);
        let (onto, strand) = (dice.pick(&["chr1", "chrX", "chr1_KI_alt"]), dice.pick(&["+", "-"]));
        text += &format!(
            "chain {} {contig} 20000 + {start} {} {onto} 20000 {strand} {other} {} {chain}\n{blocks}",
            1_000 + 7 * (chain * 37 % 61),
            start + from,
            other + to,
        );
    }
    let path = directory.path().join("made.over.chain");
    fs::write(&path, text).expect("chains");
    let chains = Chains::read(&path).expect("chains");
    let positions: Vec<(&str, u64)> =
        (0..10_000).flat_map(|position| [("chr1", position), ("chr22", position)]).collect();
    let Some(theirs) = pgscatalog::lifted(&path, &positions) else { return };
    assert_eq!(theirs.len(), positions.len());
    let mut mapped = 0;
    for ((contig, position), theirs) in positions.into_iter().zip(theirs) {
        let ours = chains.lift(contig, position).map_or("-".to_owned(), |to| {
            mapped += 1;
            format!("{} {} {}", to.contig, to.position, if to.is_reverse { '-' } else { '+' })
        });
        assert_eq!(ours, theirs, "{contig} {position}");
    }
    assert!(mapped > 5_000);
}
