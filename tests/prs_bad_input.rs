//! What is wrong with genotypes and scores is told by `norn prs score` and `match` in one line, with exit code 3, and
//! leaves nothing; what the field expects in a scoring file is counted in the log.

mod common;

use std::fs;
use std::path::Path;

use common::plink::plink2;
use common::*;

const NAMES: &str = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight";
const VCF: &str = "##fileformat=VCFv4.2\n##contig=<ID=1>\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n\
    1\t100\t.\tG\tA\t.\t.\t.\tGT\t0/1\t1/1\n1\t200\t.\tT\tC\t.\t.\t.\tGT\t0/0\t0/1\n\
    1\t300\t.\tAT\tA\t.\t.\t.\tGT\t0/1\t0/1\n\
    1\t400\t.\tG\tC\t.\t.\t.\tGT\t0/1\t0/1\n";

fn score(rows: &str) -> String {
    format!("#pgs_id=PGS9\n#genome_build=GRCh38\n{NAMES}\n{rows}")
}

/// Runs a command of `norn prs`; its exit code and what it says.
fn run(command: &str, genotypes: &[&str], scores: &Path, out: &Path, more: &[&str]) -> (i32, String) {
    let (scores, out) = (scores.to_string_lossy(), out.to_string_lossy());
    let words =
        [&["prs", command, "--genotypes"], genotypes, &["--scores", &scores, "-o", &out], more].concat();
    let output = norn(&words);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("not killed"), told)
}

#[test]
fn scores_that_cannot_be_used_are_refused() {
    let directory = tempfile::tempdir().expect("directory");
    let (vcf, file, out) =
        (directory.path().join("g.vcf"), directory.path().join("s.txt"), directory.path().join("out"));
    fs::write(&vcf, VCF).expect("genotypes");
    let vcf = vcf.to_string_lossy();
    let good = "1\t100\tA\tG\t1\n";
    let with =
        |column: &str, value: &str| format!("#pgs_id=PGS9\n{NAMES}\t{column}\n1\t100\tA\tG\t1\t{value}\n");
    for (text, told) in [
        (score("1\t100\tA\tG\tNaN\n"), "s.txt: line 4: the weight \"NaN\" is no finite number"),
        (score("1\t100\tA\tG\tinf\n"), "s.txt: line 4: the weight \"inf\" is no finite number"),
        (score("1\t100\tA\tG\t-Infinity\n"), "line 4: the weight \"-Infinity\" is no finite number"),
        (score("1\t100\tA\tG\t\n"), "line 4: the weight \"\" is no finite number"),
        (score("1\t100\t\tG\t1\n"), "line 4: it has no effect allele"),
        (score("1\tx\tA\tG\t1\n"), "line 4: the position \"x\" is no whole number"),
        (score("1\t100\tA\tG\n"), "line 4: it has 4 cells, not 5"),
        (score(""), "s.txt: it has no variants"),
        (String::new(), "s.txt: it has no variants"),
        (with("effect_type", "multiplicative"), "line 3: unknown effect type: multiplicative"),
        (with("is_dominant", "maybe"), "line 3: is_dominant is \"maybe\", neither true nor false"),
        (score(good).replace("effect_weight", "beta"), "s.txt: there is no column effect_weight"),
        (score(good).replace("other_allele", "effect_allele"), "s.txt: there are two columns effect_allele"),
    ] {
        fs::write(&file, &text).expect("scores");
        for command in ["score", "match"] {
            let (code, said) = run(command, &[&vcf], &file, &out, &[]);
            assert!(
                code == 3 && said.contains(told) && said.lines().count() == 1,
                "{command} {told}: {code} {said}"
            );
            assert!(!out.exists(), "{told}");
        }
    }
}

#[test]
fn scores_that_do_not_fit_are_told_and_counted() {
    let directory = tempfile::tempdir().expect("directory");
    let (vcf, file, out) =
        (directory.path().join("g.vcf"), directory.path().join("s.txt"), directory.path().join("out"));
    fs::write(&vcf, VCF).expect("genotypes");
    let vcf = vcf.to_string_lossy();
    let log = |rows: &str, more: &[&str]| {
        fs::write(&file, score(rows)).expect("scores");
        let (code, said) = run("match", &[&vcf], &file, &out, more);
        let log = text(&out.join("g_log.csv.gz"));
        let last = |line: &str| line.rsplit(',').next().unwrap_or_default().to_owned();
        let reasons: Vec<String> = log.lines().skip(1).map(last).collect();
        (code, said, reasons)
    };
    // No variant, and positions of another build: chance meets, other alleles.
    let (code, said, reasons) = log("7\t1\tA\tG\t1\n7\t2\tA\tG\t1\n", &[]);
    assert!(code == 4 && said.contains("PGS9: 0 of 2 variants are matched"), "{said}");
    assert_eq!(reasons, ["no site", "no site"]);
    let (code, said, reasons) =
        log("1\t100\tT\tC\t1\n1\t200\tA\tT\t1\n1\t300\tC\tG\t1\n", &["--ignore-strand-flips"]);
    assert!(code == 4 && said.contains("are the genotypes of another build than GRCh38?"), "{said}");
    assert_eq!(reasons.iter().filter(|reason| *reason == "other alleles").count(), 2, "{reasons:?}");
    let (code, said) =
        run("score", &[&vcf], &file, &directory.path().join("none"), &["--ignore-strand-flips"]);
    assert!(code == 3 && said.contains("no score has enough variants in the genotypes"), "{said}");
    // IUPAC and symbols are no sequences, indels match as they stand, small letters are bases, `.` is found by
    // position.
    let rows = "1\t100\tR\tG\t1\n1\t200\t<DEL>\tT\t1\n1\t300\tA\tAT\t1\n1\t400\tc\tg\t1\n";
    let (code, _, reasons) = log(rows, &["--min-overlap", "0.5", "--keep-ambiguous"]);
    // C/G reads the same on the other strand, which is a candidate of its own.
    let expected = ["no sequence", "no sequence", "", "", "another is better"];
    assert_eq!((code, &reasons[..]), (0, &expected.map(str::to_owned)[..]));
    // -0 adds nothing, and a header that tells of other rows is told.
    let text_of =
        score("1\t100\tA\tG\t-0.0\n1\t200\tC\tT\t0.5\n").replace("#genome", "#variants_number=77\n#genome");
    fs::write(&file, text_of).expect("scores");
    let (code, said) = run("score", &[&vcf], &file, &out, &[]);
    assert!(code == 0 && said.contains("PGS9: the header tells of 77 variants, there are 2 rows"), "{said}");
    let sums = text(&out.join("aggregated_scores.txt.gz"));
    let sums: Vec<&str> = sums.lines().skip(1).filter_map(|line| line.split('\t').nth(4)).collect();
    assert_eq!(sums, ["0", "0.5"]);
}

#[test]
fn genotypes_that_cannot_be_used_are_refused() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    plink2(directory.path(), "--dummy 40 60 0.05 acgt --seed 3 --make-pgen --out x");
    plink2(directory.path(), "--pfile x --make-bed --out y");
    plink2(directory.path(), "--pfile x --export bgen-1.2 bits=8 ref-first --out z");
    // Every variant is asked for, so that the whole file is read.
    let pvar = fs::read_to_string(at("x.pvar")).expect("pvar");
    let rows: String = pvar
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|cells| format!("{}\t{}\t{}\t{}\t1\n", cells[0], cells[1], cells[4], cells[3]))
        .collect();
    let scores = directory.path().join("s.txt");
    fs::write(&scores, score(&rows)).expect("scores");
    let copy = |from: &str, to: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        fs::write(at(to), change(fs::read(at(from)).expect("a file"))).expect("a copy");
    };
    let cut = |share: usize| move |bytes: Vec<u8>| bytes[..bytes.len() * share / 10].to_vec();
    for (name, share) in [("cut9", 9), ("cut1", 1)] {
        for (table, of) in [("pvar", "x"), ("psam", "x"), ("bim", "y"), ("fam", "y"), ("sample", "z")] {
            copy(&format!("{of}.{table}"), &format!("{name}.{table}"), &|bytes| bytes);
        }
        copy("x.pgen", &format!("{name}.pgen"), &cut(share));
        copy("y.bed", &format!("{name}.bed"), &cut(share));
        copy("z.bgen", &format!("{name}.bgen"), &cut(share));
    }
    // The same person twice, and fewer people than genotypes.
    let twice = |text: Vec<u8>| String::from_utf8_lossy(&text).replace("per7\t", "per6\t").into_bytes();
    for (set, genotypes, variants, samples) in [("x", "pgen", "pvar", "psam"), ("y", "bed", "bim", "fam")] {
        for name in ["twice", "fewer"] {
            copy(&format!("{set}.{genotypes}"), &format!("{name}.{genotypes}"), &|bytes| bytes);
            copy(&format!("{set}.{variants}"), &format!("{name}.{variants}"), &|bytes| bytes);
        }
        copy(&format!("{set}.{samples}"), &format!("twice.{samples}"), &twice);
        copy(&format!("{set}.{samples}"), &format!("fewer.{samples}"), &|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.lines().take(30).map(|line| line.to_owned() + "\n").collect::<String>().into_bytes()
        });
    }
    fs::write(at("twice.vcf"), VCF.replace("\ta\tb\n", "\ta\ta\n")).expect("genotypes");
    copy("x.pgen", "text.pgen", &|_| b"hello, world\n".to_vec());
    copy("x.pvar", "text.pvar", &|bytes| bytes);
    copy("x.psam", "text.psam", &|bytes| bytes);
    plink2(directory.path(), "--pfile x --thin-indiv-count 20 --seed 1 --make-pgen --out fewer20");
    for (genotypes, told) in [
        (&["cut9.pgen"][..], "cut9.pgen"),
        (&["cut1.pgen"], "cut1.pgen"),
        (&["cut9.bed"], "cut9.bed"),
        (&["cut1.bed"], "cut1.bed"),
        (&["cut9.bgen"], "cut9.bgen"),
        (&["cut1.bgen"], "cut1.bgen"),
        (&["twice.pgen"], "a sample comes twice"),
        (&["twice.bed"], "a sample comes twice"),
        (&["twice.vcf"], "twice.vcf"),
        (&["fewer.pgen"], "fewer.pgen"),
        (&["fewer.bed"], "fewer.bed"),
        (&["text.pgen"], "text.pgen"),
        (&["x.pgen", "fewer20.pgen"], "fewer20.pgen: its samples are not those of"),
        (&["none.pgen"], "none"),
    ] {
        let names: Vec<String> = genotypes.iter().map(|name| at(name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let out = directory.path().join("out");
        let (code, said) = run("score", &names, &scores, &out, &["--keep-ambiguous"]);
        assert!(
            code == 3 && said.contains(told) && said.lines().count() == 1,
            "{genotypes:?}: {code} {said}"
        );
        assert!(!out.join("aggregated_scores.txt.gz").exists(), "{genotypes:?}");
        let _ = fs::remove_dir_all(&out);
    }
}
