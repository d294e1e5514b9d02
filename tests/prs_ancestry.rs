//! `norn prs pca` and `project` on the made panel, beside plink2, numpy and FRAPOSA.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::ancestry::{Table, made, oracle, table};
use common::pgscatalog::program;
use common::plink::plink2;
use common::*;

/// Runs `norn prs pca` on the made panel without relatives.
fn pca(prefix: &str, more: &[&str]) {
    let (genotypes, related) = (made("panel.bed"), made("panel.related.id"));
    let words = ["prs", "pca", "--genotypes", &genotypes, "--remove", &related, "-o", prefix];
    norn_ok(&[&words, more].concat());
}

fn project(prefix: &str, loadings: &str, genotypes: &str, more: &[&str]) -> Table {
    let words = ["prs", "project", "--loadings", loadings, "--genotypes", genotypes, "-o", prefix];
    norn_ok(&[&words, more].concat());
    table(&fs::read_to_string(format!("{prefix}.pcs")).expect("coordinates"))
}

/// Identifiers of the variants that loadings have, sorted.
fn variants(loadings: &str) -> Vec<String> {
    let text = text(Path::new(loadings));
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let mut names: Vec<String> = rows.filter_map(|line| line.split('\t').nth(2)).map(str::to_owned).collect();
    names.sort();
    names
}

/// The greatest difference of the first columns, of which each may have the other sign if `either` says so.
fn difference(ours: &Table, theirs: &Table, columns: usize, either: bool) -> f64 {
    assert!(ours.keys().eq(theirs.keys()));
    let mut most: f64 = 0.0;
    for column in 0..columns {
        let pairs = || ours.values().zip(theirs.values()).map(|(a, b)| (a[column], b[column]));
        let sign = if either && pairs().map(|(a, b)| a * b).sum::<f64>() < 0.0 { -1.0 } else { 1.0 };
        most = pairs().map(|(a, b)| (a - sign * b).abs()).fold(most, f64::max);
    }
    most
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }
}

#[test]
fn variants_are_those_that_plink2_keeps() {
    if !has("plink2") {
        return;
    }
    let folder = Folder::new();
    let regions = made("high-ld.bed");
    for (ours, theirs) in [
        ("--indep-pairwise 1000 50 0.05", "--maf 0.05 --geno 0.1 --hwe 1e-4 --indep-pairwise 1000 50 0.05"),
        ("--indep-pairwise 50 5 0.2", "--maf 0.05 --geno 0.1 --hwe 1e-4 --indep-pairwise 50 5 0.2"),
        ("--indep-pairwise 20 1 0.02", "--maf 0.05 --geno 0.1 --hwe 1e-4 --indep-pairwise 20 1 0.02"),
        ("--indep-pairwise 2 1 0.5", "--maf 0.05 --geno 0.1 --hwe 1e-4 --indep-pairwise 2 1 0.5"),
        (
            "--maf 0.2 --geno 0.01 --hwe-keep-fewhet --indep-pairwise 100 10 0.1 --exclude-regions REGIONS",
            "--maf 0.2 --geno 0.01 --hwe 1e-4 keep-fewhet --indep-pairwise 100 10 0.1 --exclude bed0 REGIONS",
        ),
        ("--maf 0 --geno 1 --hwe 0 --indep-pairwise 200 200 0.3", "--mac 1 --indep-pairwise 200 200 0.3"),
    ] {
        let words: Vec<&str> =
            ours.split(' ').map(|word| if word == "REGIONS" { &regions } else { word }).collect();
        let prefix = folder.at("ours");
        pca(&prefix, &[&words[..], &["--keep-ambiguous", "-k", "2"]].concat());
        let (panel, related) = (made("panel"), made("panel.related.id"));
        let theirs = theirs.replace("REGIONS", &regions);
        plink2(
            folder.0.path(),
            &format!("--bfile {panel} --remove {related} --autosome {theirs} --threads 1 --out theirs"),
        );
        let kept = fs::read_to_string(folder.at("theirs.prune.in")).expect("variants");
        let mut kept: Vec<&str> = kept.lines().collect();
        kept.sort_unstable();
        assert!(kept.len() > 500, "{}", kept.len());
        assert_eq!(variants(&format!("{prefix}.loadings.gz")), kept, "{ours}");
    }
}

#[test]
fn relatives_count_for_missing_genotypes_only_as_in_plink2() {
    if !has("plink2") {
        return;
    }
    // All of the panel, of whom ten have a parent in it.
    let folder = Folder::new();
    let (bed, panel, prefix) = (made("panel.bed"), made("panel"), folder.at("ours"));
    let words =
        ["prs", "pca", "--genotypes", &bed, "-o", &prefix, "-k", "2", "--keep-ambiguous", "--geno", "0.006"];
    norn_ok(&words);
    plink2(
        folder.0.path(),
        &format!(
            "--bfile {panel} --autosome --maf 0.05 --geno 0.006 --hwe 1e-4 --indep-pairwise 1000 50 0.05 --threads 1 --out theirs"
        ),
    );
    let kept = fs::read_to_string(folder.at("theirs.prune.in")).expect("variants");
    let mut kept: Vec<&str> = kept.lines().collect();
    kept.sort_unstable();
    assert_eq!(variants(&format!("{prefix}.loadings.gz")), kept);
}

#[test]
fn components_are_those_of_plink2() {
    if !has("plink2") {
        return;
    }
    // Without missing genotypes, which plink2 leaves out of its divisor.
    let folder = Folder::new();
    let mut bytes = fs::read(made("panel.bed")).expect("genotypes");
    for byte in &mut bytes[3..] {
        // 01 is missing, 11 two copies of the second allele.
        *byte |= (*byte & 0x55 & !(*byte >> 1)) << 1;
    }
    fs::write(folder.at("whole.bed"), bytes).expect("written");
    for name in ["bim", "fam"] {
        fs::copy(made(&format!("panel.{name}")), folder.at(&format!("whole.{name}"))).expect("copied");
    }
    let (bed, related, prefix) = (folder.at("whole.bed"), made("panel.related.id"), folder.at("ours"));
    norn_ok(&["prs", "pca", "--genotypes", &bed, "--remove", &related, "-o", &prefix]);
    let kept = variants(&format!("{prefix}.loadings.gz")).join("\n");
    fs::write(folder.at("kept"), kept).expect("written");
    plink2(
        folder.0.path(),
        &format!("--bfile whole --remove {related} --extract kept --pca 10 --threads 1 --out theirs"),
    );
    let numbers = |name: &str| -> Vec<f64> {
        let text = fs::read_to_string(folder.at(name)).expect("eigenvalues");
        text.lines().map(|line| line.parse().expect("a number")).collect()
    };
    let (ours, theirs) = (numbers("ours.eigenval"), numbers("theirs.eigenval"));
    assert_eq!((ours.len(), theirs.len()), (10, 10));
    for (one, other) in ours.iter().zip(&theirs) {
        // plink2 prints six digits.
        assert!((one - other).abs() <= 6e-6 * other, "{one} {other}");
    }
    // Theirs are of length 1, ours as long as their singular values.
    let mut ours = table(&fs::read_to_string(format!("{prefix}.pcs")).expect("coordinates"));
    let theirs = table(&fs::read_to_string(folder.at("theirs.eigenvec")).expect("coordinates"));
    for column in 0..10 {
        let length = ours.values().map(|row| row[column] * row[column]).sum::<f64>().sqrt();
        ours.values_mut().for_each(|row| row[column] /= length);
    }
    let off = difference(&ours, &theirs, 10, true);
    assert!(off < 1e-5, "{off}");
}

#[test]
fn components_and_places_are_those_of_numpy_and_fraposa() {
    let folder = Folder::new();
    let (panel, related) = (made("panel"), made("panel.related.id"));
    for scale in ["expected", "observed"] {
        let prefix = folder.at(scale);
        pca(&prefix, &["--scale", scale]);
        let loadings = format!("{prefix}.loadings.gz");
        let ours = table(&fs::read_to_string(format!("{prefix}.pcs")).expect("coordinates"));
        assert_eq!(ours.len(), 485);
        let Some(theirs) = oracle(&["svd", &loadings, &panel, &related, scale]) else { return };
        let off = difference(&ours, &theirs, 10, true);
        assert!(off < 1e-6, "{scale} {off}");
        // Signs: the greatest loading of a component is positive.
        let text = text(Path::new(&loadings));
        let rows: Vec<Vec<f64>> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('\t').skip(7).map(|cell| cell.parse().expect("a number")).collect())
            .collect();
        for column in 0..10 {
            let values = rows.iter().map(|row| row[column]);
            let greatest =
                values.fold(0.0, |most: f64, value| if value.abs() > most.abs() { value } else { most });
            assert!(greatest > 0.0, "{column}");
        }
    }
    let loadings = folder.at("expected.loadings.gz");
    // Everybody of the panel, by all variants.
    let ours = project(&folder.at("self"), &loadings, &made("panel.bed"), &[]);
    let theirs = oracle(&["oadp", &loadings, &panel, &related, &panel]).expect("Python");
    let off = difference(&ours, &theirs, 10, false);
    assert!(ours.len() == 500 && off < 1e-6, "{off}");
    if !has("plink2") {
        return;
    }
    // The cohort, which lacks some of them.
    let vcf = made("cohort.vcf.gz");
    let ours = project(&folder.at("cohort"), &loadings, &vcf, &[]);
    plink2(folder.0.path(), &format!("--vcf {vcf} --max-alleles 2 --output-chr 26 --make-bed --out bed"));
    let theirs = oracle(&["oadp", &loadings, &panel, &related, &folder.at("bed")]).expect("Python");
    let off = difference(&ours, &theirs, 10, false);
    assert!(ours.len() == 60 && off < 1e-6, "{off}");
    let bed = project(&folder.at("cohort.bed"), &loadings, &folder.at("bed.bed"), &[]);
    assert_eq!(ours, bed);
    let run: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.at("cohort.run.json")).expect("a run file")).expect("JSON");
    let overlap = &run["parameters"]["overlap"];
    let count = |name: &str| overlap[name].as_u64().expect("a count");
    let all = ["same", "swapped", "multiallelic", "absent"].map(count);
    assert!(all.iter().all(|count| *count > 0), "{overlap}");
    assert_eq!(all.iter().sum::<u64>(), count("loadings"));
}

/// FRAPOSA from files to files: it decomposes the panel itself, in single precision, and prints four decimals.
#[test]
fn fraposa_as_a_whole_says_the_same() {
    let Some(fraposa) = program("fraposa") else { return };
    if !has("plink2") {
        return;
    }
    let folder = Folder::new();
    pca(&folder.at("all"), &[]);
    let (panel, related, vcf) = (made("panel"), made("panel.related.id"), made("cohort.vcf.gz"));
    plink2(folder.0.path(), &format!("--vcf {vcf} --max-alleles 2 --make-just-pvar --out there"));
    let there = fs::read_to_string(folder.at("there.pvar")).expect("variants");
    let there: Vec<&str> = there.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    let both: Vec<String> =
        variants(&folder.at("all.loadings.gz")).into_iter().filter(|name| there.contains(&&**name)).collect();
    fs::write(folder.at("both"), both.join("\n")).expect("written");
    plink2(
        folder.0.path(),
        &format!("--bfile {panel} --remove {related} --extract both --make-bed --out ref"),
    );
    plink2(
        folder.0.path(),
        &format!(
            "--vcf {vcf} --extract both --max-alleles 2 --output-chr 26 --ref-allele force ref.bim 6 2 --make-bed --out study"
        ),
    );
    let status = Command::new(fraposa)
        .args(["ref", "--stu_filepref", "study", "--method", "oadp", "--dim_ref", "10", "--out", "placed"])
        .current_dir(folder.0.path())
        .output()
        .expect("FRAPOSA starts");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let (bed, prefix) = (folder.at("ref.bed"), folder.at("ours"));
    let filters = ["--maf", "0", "--geno", "1", "--hwe", "0", "--no-pruning", "--scale", "observed"];
    norn_ok(&[&["prs", "pca", "--genotypes", &bed, "-o", &prefix], &filters[..]].concat());
    let placed = project(&folder.at("new"), &format!("{prefix}.loadings.gz"), &folder.at("study.bed"), &[]);
    // All in one table, so that the panel tells the signs.
    let read = |name: &str| table(&fs::read_to_string(folder.at(name)).expect("coordinates"));
    let ours: Table = read("ours.pcs").into_iter().chain(placed).collect();
    let theirs: Table = read("ref.pcs").into_iter().chain(read("placed.pcs")).collect();
    let off = difference(&ours, &theirs, 10, true);
    assert!(ours.len() == 545 && off < 2e-4, "{off}");
}

#[test]
fn threads_and_forms_of_files_change_no_byte() {
    let folder = Folder::new();
    let read = |name: &str| fs::read(folder.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    for threads in ["1", "2", "5"] {
        pca(&folder.at(threads), &["--threads", threads, "-k", "4"]);
        for kind in ["loadings.gz", "pcs", "eigenval"] {
            assert!(read(&format!("1.{kind}")) == read(&format!("{threads}.{kind}")), "{threads} {kind}");
        }
        let prefix = folder.at(&format!("p{threads}"));
        project(&prefix, &folder.at("1.loadings.gz"), &made("cohort.vcf.gz"), &["--threads", threads]);
        assert!(read("p1.pcs") == read(&format!("p{threads}.pcs")), "{threads}");
    }
    if !has("plink2") {
        return;
    }
    let panel = made("panel");
    plink2(folder.0.path(), &format!("--bfile {panel} --make-pgen --out panel"));
    plink2(folder.0.path(), &format!("--bfile {panel} --autosome --export vcf bgz id-paste=iid --out panel"));
    let (related, pgen, vcf) = (made("panel.related.id"), folder.at("panel.pgen"), folder.at("panel.vcf.gz"));
    for (name, genotypes) in [("pgen", &pgen), ("vcf", &vcf)] {
        let prefix = folder.at(name);
        let words = ["prs", "pca", "--genotypes", genotypes, "--remove", &related, "-k", "4", "-o", &prefix];
        norn_ok(&words);
        assert!(read("1.loadings.gz") == read(&format!("{name}.loadings.gz")), "{name}");
    }
}

/// A third of the panel is held back, and placed by what the others make: the populations' means, against those of the
/// others. Plain
/// projection is short by what Lee, Zou and Wright 2010 expect; the other methods are not.
#[test]
fn new_people_lie_where_the_panel_lies() {
    let folder = Folder::new();
    let psam = fs::read_to_string(made("panel.psam")).expect("people");
    let people: Vec<&str> = psam.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let related = fs::read_to_string(made("panel.related.id")).expect("people");
    let related: Vec<&str> = related.lines().skip(1).collect();
    let held: Vec<&str> =
        people.iter().copied().skip(2).step_by(3).filter(|name| !related.contains(name)).collect();
    let out: Vec<&str> = related.iter().chain(&held).copied().collect();
    fs::write(folder.at("out.id"), out.join("\n")).expect("written");
    let (bed, list, prefix) = (made("panel.bed"), folder.at("out.id"), folder.at("ours"));
    norn_ok(&["prs", "pca", "--genotypes", &bed, "--remove", &list, "-o", &prefix]);
    let panel = table(&fs::read_to_string(format!("{prefix}.pcs")).expect("coordinates"));
    let loadings = format!("{prefix}.loadings.gz");
    for (method, from, to) in [("oadp", 0.97, 1.06), ("ap", 0.97, 1.06), ("sp", 0.0, 0.96)] {
        let placed = project(&folder.at(method), &loadings, &bed, &["--method", method]);
        // Four components tell five populations apart.
        for column in 0..4 {
            let (mut product, mut square) = (0.0, 0.0);
            for population in ["AFR", "AMR", "EAS", "EUR", "SAS"] {
                let mean = |all: &Table, is_one: &dyn Fn(&str) -> bool| {
                    let values: Vec<f64> = all
                        .iter()
                        .filter(|(name, _)| name.starts_with(population) && is_one(name))
                        .map(|(_, row)| row[column])
                        .collect();
                    values.iter().sum::<f64>() / values.len() as f64
                };
                let known = mean(&panel, &|_| true);
                product += known * mean(&placed, &|name| held.contains(&name));
                square += known * known;
            }
            let ratio = product / square;
            assert!((from..to).contains(&ratio), "{method} PC{}: {ratio}", column + 1);
        }
    }
}

#[test]
fn what_cannot_be_done_is_told_in_a_line() {
    let folder = Folder::new();
    let (bed, vcf, out) = (made("panel.bed"), made("cohort.vcf.gz"), folder.at("out"));
    let write = |name: &str, text: &str| {
        fs::write(folder.at(name), text).expect("written");
        folder.at(name)
    };
    pca(&folder.at("few"), &["-k", "2"]);
    let loadings = folder.at("few.loadings.gz");
    let whole = text(Path::new(&loadings));
    let moved: String = whole
        .lines()
        .map(|line| match line.split_once('\t') {
            Some((chromosome, rest)) if !line.starts_with('#') => format!("{chromosome}\t1{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    // Positions one digit longer may come out of order.
    let mut rows: Vec<&str> = moved.lines().filter(|line| line.starts_with("7\t")).collect();
    rows.sort_by_key(|line| line.split('\t').nth(1).and_then(|cell| cell.parse::<u64>().ok()));
    let head: String =
        moved.lines().filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let elsewhere = write("elsewhere.txt", &format!("{head}{}\n", rows.join("\n")));
    let cut = write("cut.txt", &whole[..whole.len() / 2]);
    let empty = write("empty.txt", "");
    let psam = fs::read_to_string(made("panel.psam")).expect("people");
    let all: Vec<&str> = psam.lines().skip(1).skip(8).filter_map(|line| line.split('\t').next()).collect();
    let most = write("most.id", &all.join("\n"));
    let odd = write("odd.bed", "chr1\tx\t3\n");
    for (words, code, message) in [
        (vec!["pca", "--genotypes", &bed, "--remove", &most], 3, "8 people are too few for 10 components"),
        (vec!["pca", "--genotypes", &bed, "--maf", "0.5"], 3, "4 variants pass the filters: too few"),
        (vec!["pca", "--genotypes", &bed, "--remove", "nobody.id"], 3, "nobody.id"),
        (vec!["pca", "--genotypes", &bed, "--exclude-regions", &odd], 3, "odd.bed, line 1"),
        (vec!["pca", "--genotypes", &bed, "--maf", "2"], 2, "--maf"),
        (vec!["pca", "--genotypes", &bed, "--indep-pairwise", "10", "20", "0.1"], 2, "--indep-pairwise"),
        (vec!["pca", "--genotypes", &bed, "--indep-pairwise", "10", "5", "1.5"], 2, "--indep-pairwise"),
        (vec!["project", "--loadings", &elsewhere, "--genotypes", &vcf], 3, "only 0.0 % of its variants"),
        (
            vec!["project", "--loadings", &loadings, "--genotypes", &vcf, "--min-overlap", "0.99"],
            3,
            "--min-overlap",
        ),
        (
            vec!["project", "--loadings", &loadings, "--genotypes", &vcf, "--min-overlap", "9"],
            2,
            "--min-overlap",
        ),
        (vec!["project", "--loadings", &cut, "--genotypes", &vcf], 3, "cut.txt: line "),
        (vec!["project", "--loadings", &empty, "--genotypes", &vcf], 3, "it is no file of loadings"),
        (vec!["project", "--loadings", &bed, "--genotypes", &vcf], 3, "panel.bed: "),
    ] {
        let output = norn(&[&["prs"], &words[..], &["-o", &out]].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {told}");
        assert!(told.lines().last().is_some_and(|line| line.contains(message)), "{message}: {told}");
        assert!(!Path::new(&format!("{out}.pcs")).exists(), "{words:?}");
    }
}
