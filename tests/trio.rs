//! `norn variants mendelian2`, `trio-dnm2` and `trio` beside bcftools.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use common::made::{cohort, genotyped};
use common::variant_files::utf8;
use common::*;

fn write_to(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("temporary file");
    utf8(&path)
}

fn ours(words: &[&str]) -> String {
    let output = norn_ok(&[&["variants"], words, &["--quiet", "--no-version"]].concat());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Without lines that tell of versions and commands.
fn without_meta(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("##")).map(|line| format!("{line}\n")).collect()
}

/// Options of `+trio-dnm2` with which Debian's 1.16 gives what 1.23 gives: all but the default noise, which changed, and
/// likelihoods on sons' X.
const DEBIAN: &[&str] = &[
    "-t 1 -p s2,s0,s1 --use-DNG",
    "-t 1 -p s2,s0,s1 --ppl",
    "-t 1 -p s1,s2,s0 --dng-priors --ppl --dnm-tag P:phred",
    "-t 1 -p s2,s0,s1 --pn 0 --pns 0",
    "-t 1 -p s2,s0,s1 --pn 0 --pns 0 --mrate 1e-4 --dnm-tag P:prob --va A --vaf S",
    "-t 1 -p s2,s0,s1 --use-NAIVE",
    "-t 1 -p s2,s0,s1 --dnm-tag F:flag",
    "-t 1 -p s0,s1,s2 --ppl -m 3",
    "-t 1 -p s0,s1,s2 --ppl -i QUAL>50",
    "-t 1 -p s0,s1,s2 --ppl -e QUAL>50",
    "-t 1 -p s0,s1,s2 --ppl -i FMT/GQ>20",
    "-t 1 -p s0,s1,s2 --ppl -e FMT/GQ>80",
    "-t X -p 2X:s2,s0,s1 --use-DNG",
    "-t X -p 2X:s2,s0,s1 --ppl",
    "-t X -p 2X:s2,s0,s1 --ppl -X GRCh38",
    "-t X -p 1X:s2,s0,s1 --use-DNG",
    "-t X -p 1X:s2,s0,s1 --use-NAIVE",
];

#[test]
fn models_are_those_of_debians_bcftools() {
    let Some(python) = has("bcftools").then(bcftools::python).flatten() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = write_to(directory.path(), "random.vcf", &cohort(1, 3, 600));
    let words = |case: &str| {
        let mut words: Vec<String> = case.split(' ').map(str::to_owned).collect();
        words.insert(0, "+trio-dnm2".to_owned());
        words.push(file.clone());
        words
    };
    let job = |(number, case): (usize, &&str)| {
        let mut words = words(case);
        words.insert(1, "--no-version".to_owned());
        bcftools::Job { words, out: directory.path().join(format!("{number}.out")) }
    };
    let jobs: Vec<_> = DEBIAN.iter().enumerate().map(job).collect();
    for (case, (job, error)) in DEBIAN.iter().zip(jobs.iter().zip(bcftools::run(&python, &jobs))) {
        assert_eq!(error, None, "{case}");
        let words = words(case);
        let found = ours(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let theirs = fs::read_to_string(&job.out).expect("output");
        assert!(theirs.lines().any(|line| line.starts_with('1') || line.starts_with('X')), "{case}");
        assert_eq!(difference(&theirs, &found), None, "{case}");
    }
}

#[test]
fn scores_are_those_of_current_bcftools() {
    // trio.txt says of which and how.
    let text = fs::read_to_string(root().join("tests/trio.txt")).expect("trio.txt");
    let directory = tempfile::tempdir().expect("temporary directory");
    let is_vcf = |line: &&str| line.contains('\t') || line.starts_with("##");
    let records: String = text.lines().filter(is_vcf).map(|line| format!("{line}\n")).collect();
    let file = write_to(directory.path(), "cases.vcf", &records);
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !is_vcf(line) && !line.starts_with('%')) {
        match (line.strip_prefix("= "), blocks.last_mut()) {
            (Some(options), _) => blocks.push((options, Vec::new())),
            (None, Some((_, expected))) => expected.push(line),
            (None, None) => panic!("{line:?} stands before all options"),
        }
    }
    assert_eq!(blocks.len(), 7);
    for (options, expected) in blocks {
        let words: Vec<&str> =
            ["trio-dnm2"].into_iter().chain(options.split(' ')).chain([file.as_str()]).collect();
        let found: Vec<String> = without_comments(&ours(&words)).lines().map(added).collect();
        assert_eq!(found, expected, "{options}");
    }
}

/// What stands in a record's samples behind GT:PL:QS:AD.
fn added(line: &str) -> String {
    let cells = line.split('\t').skip(9).map(|cell| cell.splitn(5, ':').nth(4));
    cells.collect::<Option<Vec<_>>>().map_or("-".to_owned(), |cells| cells.join(" "))
}

#[test]
fn likelihoods_that_are_not_as_they_should_be() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let sure = "0/0:0,60,600:900,0:30,0";
    // By hand, from what options and files say: records are kept as they are, or refused.
    for (record, samples, options, expected) in [
        // Haploid likelihoods.
        (
            "X\t5\t.\tA\tC\t.\t.\t.\tGT:PL:QS:AD",
            "0:0,99:9,0:3,0\t0:0,99:9,0:3,0\t1:99,0:0,9:0,3",
            "",
            Err("diploid"),
        ),
        (
            "1\t5\t.\tA\tC\t.\t.\t.\tGT:QS:AD",
            "0/0:9,0:3,0\t0/0:9,0:3,0\t0/1:9,9:3,3",
            "",
            Err("PL is not there"),
        ),
        (
            "1\t5\t.\tA\tC\t.\t.\t.\tGT:PL:AD",
            "0/0:0,9,9:3,0\t0/0:0,9,9:3,0\t0/1:9,0,9:3,3",
            "",
            Err("QS is not there"),
        ),
        ("1\t5\t.\tA\tC\t.\t.\t.\tGT:PL:QS", "0/0:0,9,9:3\t0/0:0,9,9:3\t0/1:9,0,9:3", "", Err("QS has 1")),
        ("1\t5\t.\tA\tC\t.\t.\t.\tGT:PL", "0/0:0,9,9\t0/0:0,9,9", "", Err("2 samples, and 3")),
        // No alternate allele: nothing is weighed.
        ("1\t5\t.\tA\t<*>\t.\t.\t.\tGT", "0/0\t0/0\t0/0", "", Ok("")),
        // Neither QS nor AD to tell six alleles apart: bcftools drops the record.
        (
            "1\t5\t.\tA\tC,G,T,AC\t.\t.\t.\tGT:PL",
            "0/0:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14\t0/0:.\t0/0:.",
            "--with-pPL",
            Ok(""),
        ),
        // Of two new alleles the greater one.
        ("1\t5\t.\tA\tC,G\t.\t.\t.\tGT", "0/0\t0/0\t2/1", "--use-NAIVE", Ok(". . 1:2")),
        ("1\t5\t.\tA\tC,G,T,AC\t.\t.\t.\tGT", "0/0\t0/0\t4/1", "--use-NAIVE -n", Ok(". . 1:4")),
        ("1\t5\t.\tA\tC,G,T,AC\t.\t.\t.\tGT", "2/3\t3/4\t1/1", "--use-NAIVE -n", Ok(". . 1:1")),
        // Of five alleles as of two, REF is not new with -n.
        ("1\t5\t.\tA\tC,G,T,AC\t.\t.\t.\tGT", "1/2\t1/4\t0/1", "--use-NAIVE", Ok(". . 1:0")),
        ("1\t5\t.\tA\tC,G,T,AC\t.\t.\t.\tGT", "1/2\t1/4\t0/1", "--use-NAIVE -n", Ok("")),
        ("1\t5\t.\tA\tC,G,T,AC\t.\t.\t.\tGT", "2/3\t3/4\t1/2", "--use-NAIVE -n", Ok(". . 1:1")),
        // Called genotypes: the allele has its number, where bcftools has its place among those of the trio.
        ("1\t5\t.\tA\tC,G,T,AC\t.\t.\t.\tGT", "1/2\t1/1\t2/4", "--use-NAIVE", Ok(". . 1:4")),
        ("1\t5\t.\tA\tC\t.\t.\t.\tGT", "0/0/0\t0/0\t0/1", "--use-NAIVE", Err("3 alleles")),
        ("1\t5\t.\tA\tC\t.\t.\t.\tGT", "0/0\t0/0\t0/2", "--use-NAIVE", Err("allele 2")),
        ("1\t5\t.\tA\tC\t.\t.\t.\tGT", "0\t0\t1", "--use-NAIVE", Ok("")),
    ] {
        let file =
            write_to(directory.path(), "odd.vcf", &genotyped("f\tm\tc", &format!("{record}\t{samples}\n")));
        let mut words = vec!["variants", "trio-dnm2", "--quiet", "-p", "1X:c,f,m", &file];
        words.extend(options.split(' ').filter(|word| !word.is_empty()));
        let output = norn(&words);
        let said = String::from_utf8_lossy(&output.stderr);
        match expected {
            Err(what) => {
                assert_eq!(output.status.code(), Some(3), "{record}: {said}");
                assert!(said.contains(what) && said.contains(":5"), "{record}: {said}");
            }
            Ok(tags) => {
                let found = without_comments(&String::from_utf8_lossy(&output.stdout));
                let cells: Vec<&str> = samples.split('\t').collect();
                let tags: Vec<&str> = tags.split(' ').filter(|tag| !tag.is_empty()).collect();
                let cells: Vec<String> = cells
                    .iter()
                    .enumerate()
                    .map(|(i, cell)| match tags.get(i) {
                        Some(&".") => format!("{cell}:.:."),
                        Some(tag) => format!("{cell}:{tag}"),
                        None => (*cell).to_owned(),
                    })
                    .collect();
                let format = if tags.is_empty() { "" } else { ":DNM:VA" };
                assert_eq!(found, format!("{record}{format}\t{}\n", cells.join("\t")), "{said}");
            }
        }
    }
    // The same in trio: haploid likelihoods are weighed, and what cannot be is passed over.
    let rows = format!(
        "X\t3000000\t.\tA\tC\t.\t.\t.\tGT:PL:QS:AD\t0:0,99:900,0:30,0\t{sure}\t1:99,0:0,900:0,30\n\
         1\t5\t.\tA\tC\t.\t.\t.\tGT:PL:QS:AD\t{sure}\t{sure}\t./.:.:.:.\n1\t6\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0/0\t0/1\n"
    );
    let file = write_to(directory.path(), "odd.vcf", &genotyped("f\tm\tc", &rows));
    let summary = utf8(&directory.path().join("summary.tsv"));
    let found = ours(&["trio", "-p", "1X:c,f,m", "--rules", "GRCh37", "--summary", &summary, &file]);
    let records: Vec<&str> = found.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(records[0].contains("\tMERR=1\t") && records[0].contains("DNM:VA:VAF"), "{found}");
    assert!(!records[1].contains("DNM") && !records[2].contains("DNM"), "{found}");
    let table = fs::read_to_string(&summary).expect("summary");
    // Two sites are judged and both are errors with a novel allele, one has no child; one is weighed, and is a candidate.
    assert_eq!(
        table.lines().nth(1),
        Some("c\tf\tm\t1X\t2\t0\t0\t2\t2\t0\t0\t1\t0\t0\t1\t1\t1\t0\t0\t1"),
        "{table}"
    );
}

#[test]
fn errors_are_those_of_debians_mendelian() {
    // Debian's +mendelian is the older one; of diploid genotypes without missing alleles on autosomes both say the same.
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut inputs = vec![(write_to(directory.path(), "random.vcf", &cohort(2, 3, 400)), ["s2", "s0", "s1"])];
    match shared_data() {
        Some(data) => inputs.push((
            utf8(&data.join("variants/CEUtrio.GRCh38.vcf.gz")),
            ["NA12878x2_80", "NA12891_14", "NA12892_18"],
        )),
        None => eprintln!("skipped: CEUtrio.GRCh38.vcf.gz (no NORN_SHARED_DATA)"),
    }
    for (input, [child, father, mother]) in inputs {
        let whole = peer("bcftools", &["view", "--no-version", "-g", "^miss", "-c", "1", &input]);
        let is_autosome = |line: &&str| {
            line.starts_with('#') || !line.trim_start_matches("chr").starts_with(['X', 'Y', 'M'])
        };
        let text: String = whole.lines().filter(is_autosome).map(|line| format!("{line}\n")).collect();
        let file = write_to(directory.path(), "diploid.vcf", &text);
        let (theirs, names) = (format!("{mother},{father},{child}"), format!("1X:{child},{father},{mother}"));
        for (their_mode, mode) in [("x", "e"), ("+", "g"), ("a", "a"), ("d", "d"), ("x", "x"), ("+", "E")] {
            let expected = peer("bcftools", &["+mendelian", &file, "-t", &theirs, "-m", their_mode]);
            let found = ours(&["mendelian2", &file, "-p", &names, "-m", mode]);
            let (expected, found) = (without_meta(&expected), without_meta(&found));
            assert_eq!(difference(&expected, &found), None, "{input} -m {mode}");
        }
        let counts = peer("bcftools", &["+mendelian", &file, "-t", &theirs, "-m", "c"]);
        let counts: Vec<&str> = counts.lines().last().expect("counts").split('\t').collect();
        let found = ours(&["mendelian2", &file, "-p", &names]);
        for (name, count) in [("ngood", counts[0]), ("nmerr", counts[1]), ("nmissing", counts[2])] {
            assert!(found.contains(&format!("\n{name}\t{count}\n")), "{input} {name} {count}: {found}");
        }
    }
}

/// Two trios: a son and a daughter of the same parents, and a stranger.
const FAMILY: &str = "f\tson\tm\tdaughter\tx";
const PED: &str = "a son f m 1\na daughter f m 2\nb gone f m 1\n";

/// Sites, and by hand what is said of the son and the daughter: + consistent, e error, m missing, . no rule, s nothing.
const SITES: [(&str, &str, &str); 14] = [
    ("1\t10\t.\tA\tC", "0/0 0/0 0/0 0/0 ./.", "++"),
    ("1\t20\t.\tA\tC", "0/1 1/1 0/1 0/1 0", "++"),
    ("1\t30\t.\tA\tC", "0/0 0/1 0/0 0/0 0/0", "e+"),
    ("1\t40\t.\tA\tC", "0/0 1/1 ./. ./. 0/0", "em"),
    ("1\t50\t.\tA\tC", "./. 0/1 0/1 0/0 0/0", "mm"),
    ("1\t60\t.\tA\t.", "0/0 0/0 0/0 0/0 0/0", "ss"),
    ("1\t70\t.\tA\t<*>", "0/0 0/1 0/0 0/0 0/0", "ss"),
    ("1\t80\t.\tA\tC", "0/0/0 0/1 0/0 0/0 0/0", "ss"),
    ("X\t60000\t.\tA\tC", "1 1 0/1 0/1 0/0", "++"),
    ("X\t60001\t.\tA\tC", "1/1 1/1 0/0 0/1 0/0", "e+"),
    ("X\t2699521\t.\tA\tC", "1 1 0/0 0/1 0/0", "e+"),
    ("Y\t5000\t.\tA\tC", "1 1 . . 0", "+."),
    ("Y\t6000\t.\tA\tC", "1 0 . 0 0", "e."),
    ("MT\t100\t.\tA\tC", "0 1 1 0 0", "+e"),
];

fn family(directory: &Path) -> (String, String) {
    let mut rows = String::new();
    for (site, genotypes, _) in SITES {
        writeln!(rows, "{site}\t9\tPASS\t.\tGT\t{}", genotypes.replace(' ', "\t")).expect("string");
    }
    (write_to(directory, "family.vcf", &genotyped(FAMILY, &rows)), write_to(directory, "family.ped", PED))
}

#[test]
fn trios_are_judged_by_place_and_sex() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (file, ped) = family(directory.path());
    let is_kept = |mode: &str, verdicts: &str| {
        let has = |letter: char| verdicts.contains(letter);
        let lists =
            [('e', 'e'), ('g', '+'), ('m', 'm')].into_iter().filter(|(letter, _)| mode.contains(*letter));
        let lists: Vec<char> = lists.map(|(_, verdict)| verdict).collect();
        !(mode.contains('E') && has('e') || mode.contains('M') && has('m'))
            && (lists.is_empty() || lists.into_iter().any(has))
    };
    // The triploid site has no verdict, but is not skipped: only lists leave it out.
    for mode in ["a", "e", "g", "m", "E", "M", "eg", "em", "gM", "gE", "EM"] {
        let expected: Vec<&str> = SITES
            .iter()
            .filter(|(site, _, said)| {
                !(site.ends_with("\t.") || site.ends_with("<*>")) && is_kept(mode, said)
            })
            .map(|(site, _, _)| *site)
            .collect();
        let found = ours(&["mendelian2", &file, "-P", &ped, "-m", mode]);
        let found: Vec<&str> = found
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| &line[..line.find("\t9\tPASS").expect("QUAL")])
            .collect();
        assert_eq!(found, expected, "-m {mode}");
    }
    let skipped = ours(&["mendelian2", &file, "-P", &ped, "-m", "aS"]);
    assert!(skipped.contains("\n1\t60\t") && skipped.contains("\n1\t70\t.\tA\t<*>\t9\tPASS\t.\t"));
    // Errors, and what is deleted.
    let found = ours(&["mendelian2", &file, "-P", &ped, "-m", "ad"]);
    for line in [
        "1\t10\t.\tA\tC\t9\tPASS\tMERR=0\tGT\t0/0\t0/0\t0/0\t0/0\t./.",
        "1\t30\t.\tA\tC\t9\tPASS\tMERR=1\tGT\t./.\t./.\t./.\t0/0\t0/0",
        "1\t80\t.\tA\tC\t9\tPASS\tMERR=0\tGT\t0/0/0\t0/1\t0/0\t0/0\t0/0",
        "X\t2699521\t.\tA\tC\t9\tPASS\tMERR=1\tGT\t.\t.\t./.\t0/1\t0/0",
        "MT\t100\t.\tA\tC\t9\tPASS\tMERR=1\tGT\t.\t1\t.\t.\t0",
    ] {
        assert!(found.contains(&format!("\n{line}\n")), "{line}: {found}");
    }
    // Counts by hand, of the verdicts above; good ones with REF alone are the first, and the daughter's third.
    let counts = ours(&["mendelian2", &file, "-P", &ped]);
    for line in [
        "sites_ref_only\t2\t#",
        "sites_not_diploid\t1\t#",
        "sites_missing\t2\t#",
        "sites_merr\t6\t#",
        "sites_good\t8\t#",
        "ngood\t5\t6\n",
        "ngood_alt\t4\t4\n",
        "nmerr\t5\t1\n",
        "nmissing\t2\t2\n",
        "nfail\t0\t0\n",
        "TRIO\t1\tson\tf\tm\nTRIO\t2\tdaughter\tf\tm\n",
    ] {
        assert!(counts.contains(line), "{line}: {counts}");
    }
}

#[test]
fn trio_tells_errors_and_de_novo_variants() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (file, ped) = family(directory.path());
    let (table, json) = (utf8(&directory.path().join("s.tsv")), utf8(&directory.path().join("s.json")));
    let found =
        ours(&["trio", &file, "-P", &ped, "--rules", "GRCh37", "--summary", &table, "--summary", &json]);
    assert_eq!(without_comments(&found).lines().count(), SITES.len(), "sites that are not judged stay");
    let text = fs::read_to_string(&table).expect("summary");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&json).expect("summary")).expect("JSON");
    let of = |child: usize, name: &str| {
        let column = rows[0].iter().position(|column| *column == name).expect("column");
        let value: u64 = rows[1 + child][column].parse().expect("number");
        assert_eq!(json["trios"][child][name].as_u64(), Some(value), "{name}");
        value
    };
    // By hand, as above.
    for (name, son, daughter) in [
        ("sites", 10, 7),
        ("consistent", 5, 6),
        ("errors", 5, 1),
        ("errors_novel", 1, 0),
        ("errors_not_father", 2, 0),
        ("errors_not_mother", 2, 1),
        ("missing", 2, 2),
        ("not_inherited", 0, 2),
    ] {
        assert_eq!((of(0, name), of(1, name)), (son, daughter), "{name}: {text}");
    }
    assert_eq!(json["sites"]["errors"], 6);
    // The generator's de novo variants, of called genotypes.
    let (truth, ped) = ("testdata/trio.truth.vcf.gz", "testdata/trio.ped");
    let [truth, ped] = [truth, ped].map(|name| utf8(&root().join(name)));
    let found = ours(&["trio", &truth, "-P", &ped, "--rules", "GRCh38", "-m", "ae"]);
    let is_denovo = |line: &&str| line.to_lowercase().contains("denovo");
    let expected = text_of(&truth).lines().filter(is_denovo).count();
    let found = without_comments(&found);
    assert_eq!(found.lines().count(), expected, "{found}");
    assert!(
        found.lines().all(|line| is_denovo(&line) && line.contains("MERR=1") && line.ends_with(":1:1")),
        "{found}"
    );
}

fn text_of(path: &str) -> String {
    without_comments(&text(&PathBuf::from(path)))
}

#[test]
fn the_simulated_childs_de_novo_variants_are_found() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: NO.bcftools.vcf.gz (no NORN_SHARED_DATA)");
        return;
    };
    let data = |name: &str| utf8(&data.join("variants").join(name));
    // The truth that the reads were simulated from.
    let is_denovo = |line: &&str| line.contains("\tdenovo\t");
    let place = |line: &str| line.split('\t').take(2).collect::<Vec<_>>().join(":");
    let truth: Vec<String> =
        text_of(&data("NO_child.truth.vcf.gz")).lines().filter(is_denovo).map(place).collect();
    assert_eq!(truth.len(), 4);
    let found = ours(&["trio", "-P", &data("NO.ped"), &data("NO.bcftools.vcf.gz")]);
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = write_to(directory.path(), "found.vcf", &found);
    // The probability is at least one half.
    let query = ["variants", "query", "-i", "DNM>-0.693", "-f", "%CHROM:%POS\\n", &file];
    let found = String::from_utf8(norn_ok(&query).stdout).expect("UTF-8");
    assert_eq!(found.lines().collect::<Vec<_>>(), truth);
}

#[test]
fn trio_is_both_one_after_the_other() {
    // Of daughters and diploid genotypes both know the same rules.
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = write_to(directory.path(), "cohort.vcf", &cohort(5, 9, 400));
    let ped =
        write_to(directory.path(), "cohort.ped", "a s2 s0 s1 2\nb s5 s3 s4 2\nc s8 s6 s7 2\nd s8 s0 s4 2\n");
    for (condition, model) in
        [("", ""), ("-i FMT/GQ>5", "--with-pPL -n"), ("-e QUAL<50", "--use-DNG --dnm-tag P:phred")]
    {
        let run = |text: &str| ours(&text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>());
        let marked = run(&format!("mendelian2 {file} -P {ped} -m aS {condition}"));
        let marked = write_to(directory.path(), "marked.vcf", &marked);
        let expected = run(&format!("trio-dnm2 {marked} -P {ped} {condition} {model}"));
        let found = run(&format!("trio {file} -P {ped} --rules GRCh37 {condition} {model}"));
        assert!(found.contains("MERR=1") && found.contains(":VA:VAF"));
        assert_eq!(difference(&expected, &found), None, "{condition} {model}");
    }
}

#[test]
fn bytes_are_the_same_at_any_number_of_threads() {
    let directory = tempfile::tempdir().expect("temporary directory");
    // More than one batch.
    let plain = write_to(directory.path(), "cohort.vcf", &cohort(3, 10, 12_000));
    assert!(fs::metadata(&plain).expect("file").len() > 5 << 20);
    let binary = utf8(&directory.path().join("cohort.bcf"));
    norn_ok(&["variants", "view", "--quiet", "--no-version", "-Ob", "-o", &binary, &plain]);
    let ped = write_to(
        directory.path(),
        "cohort.ped",
        "a s2 s0 s1 1\nb s5 s3 s4 2\nc s8 s6 s7 0\nd s9 s0 s4 1\nd s9 s0 s99 1\n",
    );
    let summary = utf8(&directory.path().join("summary"));
    for command in
        ["mendelian2", "mendelian2 -m ad", "trio-dnm2", "trio-dnm2 --use-NAIVE", "trio --rules GRCh37"]
    {
        let run = |file: &str, threads: &str| {
            let mut words: Vec<&str> = command.split(' ').collect();
            words.extend(["-P", &ped, "--threads", threads, file]);
            let is_trio = words[0] == "trio";
            if is_trio {
                words.extend(["--summary", &summary]);
            }
            let mut bytes = ours(&words);
            if is_trio {
                bytes += &fs::read_to_string(&summary).expect("summary");
            }
            bytes
        };
        let expected = run(&plain, "1");
        for (file, threads) in [(&plain, "2"), (&plain, "7"), (&binary, "3")] {
            assert_eq!(
                difference(&expected, &run(file, threads)),
                None,
                "{command}, {threads} threads of {file}"
            );
        }
    }
}

#[test]
fn calls_of_bcftools_carry_over() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = write_to(directory.path(), "random.vcf", &cohort(4, 3, 60));
    let ped = write_to(directory.path(), "random.ped", "f s2 s0 s1 1\n");
    for (typed, plain) in [
        ("+mendelian2 FILE -- -P PED -m a", "mendelian2 FILE -P PED -m a"),
        ("+mendelian2 -m e -P PED FILE", "mendelian2 FILE -P PED -m e"),
        ("+trio-dnm2 FILE -- -p 1X:s2,s0,s1 --use-NAIVE -n", "trio-dnm2 -p 1X:s2,s0,s1 --use-NAIVE -n FILE"),
        ("trio-dnm2 -u tag=F:flag -v 3 -P PED FILE", "trio-dnm2 --dnm-tag F:flag -P PED FILE"),
    ] {
        let run = |text: &str| {
            let text = text.replace("FILE", &file).replace("PED", &ped);
            ours_in_order(&text.split(' ').collect::<Vec<_>>())
        };
        assert_eq!(run(typed), run(plain), "{typed}");
    }
    for (rules, expected) in [("list", "GRCh37\nGRCh38\n"), ("GRCh38?", "1X X:1-9999 M\n")] {
        let shown = ours_in_order(&["mendelian2", &file, "-P", &ped, "--rules", rules]);
        assert!(shown.starts_with(expected), "{shown}");
    }
}

/// The words as they stand, ours before the first.
fn ours_in_order(words: &[&str]) -> String {
    let output = norn_ok(&[&["variants", words[0], "--quiet", "--no-version"], &words[1..]].concat());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn what_cannot_be_done_is_told_in_a_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (file, ped) = family(directory.path());
    let bad_ped = write_to(directory.path(), "bad.ped", "a son f m boy\n");
    let rules = write_to(directory.path(), "rules", "1X X:1-100 M\n");
    let nowhere = write_to(
        directory.path(),
        "nowhere.vcf",
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tson\tf\tm\n",
    );
    for (words, code, what) in [
        ("mendelian2 FILE", 2, "--pfm"),
        ("mendelian2 FILE -P PED -p a,b,c", 2, "cannot be used with"),
        ("mendelian2 FILE -p a,b", 2, "names of child, father and mother"),
        ("mendelian2 FILE -p a,f,m", 3, "no sample a"),
        ("mendelian2 FILE -P BAD", 3, "line 1: the fifth column"),
        ("mendelian2 FILE -P NONE", 3, "NONE"),
        ("mendelian2 FILE -P PED -m z", 2, "'z'"),
        ("mendelian2 FILE -P PED --rules GRCh36", 2, "GRCh36"),
        ("mendelian2 FILE -P PED --rules-file RULES", 3, "say nothing of 2X"),
        ("mendelian2 FILE -P PED --rules-file PED", 3, "line 1: expected SEX"),
        ("trio-dnm2 NOWHERE -p son,f,m", 3, "FORMAT/PL"),
        ("trio-dnm2 NOWHERE -p son,f,m --use-NAIVE", 3, "FORMAT/GT"),
        ("trio-dnm2 FILE -p son,f,m --dnm-tag DNM:x", 2, "--dnm-tag"),
        ("trio-dnm2 FILE -p son,f,m --use-DNG --dnm-tag DNM:flag", 2, "--use-NAIVE"),
        ("trio-dnm2 FILE -p son,f,m --pn 2", 2, "between 0 and 1"),
        ("trio-dnm2 FILE -p son,f,m --mrate 2", 2, "--mrate"),
        ("trio-dnm2 FILE -p son,f,m -X X:5-4", 2, "--chrX"),
        ("trio-dnm2 FILE -p son,f,m -u more", 2, "--use"),
        ("trio NOWHERE -p son,f,m", 3, "--rules"),
        ("trio FILE -p son,f,m -m c", 2, "--mode"),
        ("trio FILE -p son,f,m --candidate 2", 2, "--candidate"),
        ("trio FILE -p son,f,m --summary -", 2, "standard output"),
    ] {
        let words: Vec<String> = words
            .split(' ')
            .map(|word| match word {
                "FILE" => file.clone(),
                "PED" => ped.clone(),
                "BAD" => bad_ped.clone(),
                "RULES" => rules.clone(),
                "NOWHERE" => nowhere.clone(),
                word => word.to_owned(),
            })
            .collect();
        let output =
            norn(&[&["variants"], &words.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(what), "{words:?}: {said}");
    }
}
