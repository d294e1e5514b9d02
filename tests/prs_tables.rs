//! Whom `norn prs score` scores (`--keep`, `--remove`) and what it writes (`--columns`, `--matrix`), beside plink2 and
//! pyarrow.

mod common;

use std::fs;
use std::path::Path;

use common::genotypes::Made;
use common::made::Random;
use common::plink::plink2;
use common::*;
use norn::formats::genotypes::selection::Selected;
use norn::formats::genotypes::{GenotypeSource, Genotypes};

/// Made genotypes in every form, of 70 people of whom some have families, with weights for all variants.
fn made(directory: &Path) {
    let make = "--dummy 70 150 0.05 acgt";
    plink2(directory, &format!("{make} dosage-freq=0.3 --seed 8 --make-pgen --out x"));
    plink2(directory, &format!("{make} --seed 6 --make-bed --out y"));
    plink2(directory, "--pfile x --export bgen-1.2 bits=8 ref-first --out z");
    plink2(directory, "--pfile x --export vcf vcf-dosage=DS --out z");
    let read = |name: &str| fs::read_to_string(directory.join(name)).expect("table");
    let psam: String = read("x.psam").lines().enumerate().fold(
        "#FID\tIID\tSID\tSEX\theight\n".to_owned(),
        |text, (row, line)| {
            let name = line.split('\t').next().unwrap_or_default();
            let family = ["0".to_owned(), format!("F{}", row % 9)][row % 2].clone();
            if row == 0 {
                text
            } else {
                format!("{text}{family}\t{name}\t0\t{}\t{}.5\n", 1 + row % 2, 150 + row)
            }
        },
    );
    fs::write(directory.join("x.psam"), psam).expect("table");
    let weights = read("x.pvar").lines().filter(|line| !line.starts_with('#')).enumerate().fold(
        "ID\tA\tone\ttwo\n".to_owned(),
        |text, (row, line)| {
            let cells: Vec<&str> = line.split('\t').collect();
            text + &format!("{}\t{}\t0.{}\t-{}\n", cells[2], cells[3 + row % 2], 100 + row, row % 7)
        },
    );
    fs::write(directory.join("w.tsv"), weights).expect("weights");
    let names: Vec<String> = (0..70).map(|number| format!("per{number}")).collect();
    let (odd, even): (Vec<_>, Vec<_>) = (1..=70).zip(&names).partition(|(row, _)| row % 2 == 1);
    // The table's first person is row 1: odd rows have families.
    let keep = odd.iter().take(30).map(|(row, name)| format!("F{} {name}\n", row % 9)).collect::<String>()
        + &even.iter().map(|(_, name)| format!("0 {name}\n")).collect::<String>();
    fs::write(directory.join("keep"), keep + "F1 nobody\n").expect("list");
    fs::write(directory.join("keep0"), names[5..68].join("\n") + "\nnobody\nno-one\n").expect("list");
    fs::write(directory.join("remove"), format!("#IID x\n{} 1\n{} 1\n", names[9], names[11])).expect("list");
}

/// Rows of tables are the same: text as it stands, numbers to plink2's six digits.
fn assert_same(theirs: &str, ours: &str, what: &str) {
    assert_eq!(theirs.lines().count(), ours.lines().count(), "{what}");
    let names: Vec<&str> = theirs.lines().next().unwrap_or_default().split('\t').collect();
    for (theirs, ours) in theirs.lines().zip(ours.lines()) {
        let (theirs, ours): (Vec<&str>, Vec<&str>) =
            (theirs.split('\t').collect(), ours.split('\t').collect());
        assert_eq!(theirs.len(), ours.len(), "{what}: {theirs:?} {ours:?}");
        for ((theirs, ours), name) in theirs.iter().zip(&ours).zip(&names) {
            let is_close = match (theirs.parse::<f64>(), ours.parse::<f64>()) {
                // plink2 2.00a3.5 writes 110.373046875 as 110.372 and 91.41748046875 as 91.417: thousandths here.
                (Ok(theirs), Ok(ours)) if *name == "NAMED_ALLELE_DOSAGE_SUM" => {
                    (theirs - ours).abs() < 1.1e-3
                }
                (Ok(theirs), Ok(ours)) => (theirs - ours).abs() <= 5.1e-6 * theirs.abs().max(1e-9),
                _ => theirs == ours,
            };
            assert!(is_close, "{what} {name}: {theirs} {ours}");
        }
    }
}

/// On X and Y it matters who is male, which a VCF does not tell and a BGEN's .sample file does.
#[test]
fn sexes_come_from_the_table_beside() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let read = |name: &str| fs::read_to_string(at(name)).expect("table");
    plink2(directory.path(), "--dummy 70 150 0.05 acgt --seed 6 --make-pgen --out q");
    let contig = |row: usize| ["1", "X", "Y"][row / 50 % 3];
    let (mut row, mut variants, mut weights) = (0, String::new(), "ID\tA\tone\n".to_owned());
    for line in read("q.pvar").lines() {
        let Some((_, rest)) = line.split_once('\t').filter(|_| !line.starts_with('#')) else {
            variants += &format!("{line}\n");
            continue;
        };
        // Behind the first pseudo-autosomal region.
        let cells: Vec<&str> = rest.split('\t').collect();
        let position = 5_000_000 + row;
        variants += &format!("{}\t{position}\t{}\n", contig(row), cells[1..].join("\t"));
        weights += &format!("{}\t{}\t0.{}\n", cells[1], cells[2 + row % 2], 100 + row);
        row += 1;
    }
    fs::write(at("q.pvar"), variants).expect("table");
    fs::write(at("w.tsv"), weights).expect("table");
    let people: String = (0..70).map(|n| format!("per{n}\t{}\n", 1 + n % 2)).collect();
    fs::write(at("q.psam"), format!("#IID\tSEX\n{people}")).expect("table");
    for form in ["vcf", "bgen-1.2 bits=8 ref-first"] {
        plink2(directory.path(), &format!("--pfile q --export {form} --out q"));
    }
    let (weights, psam, out) = (at("w.tsv"), at("q.psam"), at("ours.sscore"));
    for model in ["1", "2"] {
        for (input, genotypes, more) in [
            ("--pfile q", "q.pgen", &[][..]),
            ("--vcf q.vcf --psam q.psam", "q.vcf", &["--psam", &psam]),
            ("--bgen q.bgen ref-first --sample q.sample", "q.bgen", &[]),
        ] {
            let score = "--score w.tsv header-read cols=nallele,denom,scoresums";
            plink2(directory.path(), &format!("{input} --xchr-model {model} {score} --out o"));
            let genotypes = at(genotypes);
            let words = ["prs", "score", "--genotypes", &genotypes, "--weights", &weights, "-o", &out];
            let look = ["--xchr-model", model, "--columns", "nallele,denom,scoresums"];
            let output = norn_ok(&[&words[..], &look, more].concat());
            assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_same(&read("o.sscore"), &read("ours.sscore"), &format!("{genotypes} {model}"));
        }
    }
    let genotypes = at("q.vcf");
    let words = ["prs", "score", "--genotypes", &genotypes, "--weights", &weights, "-o", &out];
    let told = String::from_utf8_lossy(&norn_ok(&words).stderr).into_owned();
    assert!(
        told.contains("100 scored variants are on X or Y, and of 70 people the sex is not known"),
        "{told}"
    );
    fs::write(at("few.psam"), "#IID\tSEX\nper1\t1\n").expect("table");
    let few = at("few.psam");
    let told = norn(&[&words[..], &["--psam", &few]].concat());
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.code() == Some(3) && said.contains("69 of 70 people"), "{said}");
}

#[test]
fn chosen_people_are_scored_as_by_plink2() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("directory");
    made(directory.path());
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let cases = [
        // Ours, theirs, the list of whom to keep, and what is unknown of it.
        ("x.pgen", "--pfile x", "keep", "1 lines of --keep name nobody"),
        ("y.bed", "--bfile y", "keep0", "2 lines of --keep name nobody"),
        ("z.bgen", "--bgen z.bgen ref-first --sample z.sample", "keep0", "2 lines"),
        ("z.vcf", "--vcf z.vcf dosage=DS", "keep0", "2 lines"),
    ];
    for (genotypes, input, keep, unknown) in cases {
        let remove = if keep == "keep" { "" } else { " --remove remove" };
        let columns = "maybefid,maybesid,nallele,denom,dosagesum,scoreavgs,scoresums";
        plink2(
            directory.path(),
            &format!(
                "{input} --keep {keep}{remove} --bad-freqs --score w.tsv header-read cols={columns} --score-col-nums 3-4 --out o"
            ),
        );
        let (genotypes, weights, keep, remove) = (at(genotypes), at("w.tsv"), at(keep), at("remove"));
        let out = at("ours.sscore");
        let mut words = vec![
            "prs",
            "score",
            "--genotypes",
            &genotypes,
            "--weights",
            &weights,
            "--keep",
            &keep,
            "-o",
            &out,
        ];
        if genotypes.ends_with("vcf") {
            words.extend(["--dosage-field", "DS"]);
        }
        if !keep.ends_with("keep") {
            words.extend(["--remove", &remove]);
        }
        let output = norn_ok(&words);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(unknown) && told.contains(" of 70 people are chosen"), "{told}");
        assert_same(&text(Path::new(&at("o.sscore"))), &text(Path::new(&out)), &genotypes);
    }
    // Whoever is chosen: match takes the lists, too; nobody at all is refused.
    fs::write(at("none"), "nobody\n").expect("list");
    let (genotypes, weights, none, out) = (at("x.pgen"), at("w.tsv"), at("none"), at("none.sscore"));
    let words =
        ["prs", "score", "--genotypes", &genotypes, "--weights", &weights, "--keep", &none, "-o", &out];
    let output = norn(&words);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody of its samples is chosen"));
}

#[test]
fn columns_are_those_of_plink2() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("directory");
    made(directory.path());
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    for columns in [
        "maybefid,maybesid,phenos,nallele,dosagesum,scoreavgs",
        "fid,sid,pheno1,denom,scoresums",
        "scoresums",
        "nallele,denom,dosagesum",
    ] {
        let theirs =
            format!("--pfile x --score w.tsv header-read cols={columns} --score-col-nums 3-4 --out o");
        plink2(directory.path(), &theirs);
        let (genotypes, weights, out) = (at("x.pgen"), at("w.tsv"), at("ours.sscore"));
        let words = [
            "prs",
            "score",
            "--genotypes",
            &genotypes,
            "--weights",
            &weights,
            "--columns",
            columns,
            "-o",
            &out,
        ];
        norn_ok(&words);
        assert_same(&text(Path::new(&at("o.sscore"))), &text(Path::new(&out)), columns);
    }
    let (genotypes, weights, out) = (at("x.pgen"), at("w.tsv"), at("ours.sscore"));
    let words = [
        "prs",
        "score",
        "--genotypes",
        &genotypes,
        "--weights",
        &weights,
        "--columns",
        "-denom,+phenos",
        "-o",
        &out,
    ];
    norn_ok(&words);
    let header =
        "#FID\tIID\tSID\theight\tALLELE_CT\tNAMED_ALLELE_DOSAGE_SUM\tone_AVG\ttwo_AVG\tone_SUM\ttwo_SUM";
    assert_eq!(text(Path::new(&out)).lines().next(), Some(header));
}

#[test]
fn a_selection_is_the_file_without_the_others() {
    for seed in 0..20 {
        let made = Made::new(seed, 30 + 7 * seed as usize, 40);
        let mut random = Random::new(seed + 99);
        let share = 1 + random.below(9);
        let chosen: Vec<u32> = (0..made.samples.len() as u32).filter(|_| random.below(10) < share).collect();
        let selected = Selected::new(Box::new(made.clone()), &chosen);
        let names = |samples: &[norn::formats::genotypes::samples::Sample]| -> Vec<String> {
            samples.iter().map(|sample| sample.individual.clone()).collect()
        };
        let expected: Vec<String> = chosen
            .iter()
            .map(|number| made.samples.as_slice()[*number as usize].individual.clone())
            .collect();
        assert_eq!(names(selected.samples().as_slice()), expected);
        let mut part = made.clone();
        part.samples = selected.samples().clone();
        let (mut cursor, mut read) = (selected.cursor(), Genotypes::default());
        for variant in 0..made.genotypes.len() {
            cursor.read(variant, &mut read).expect("a variant");
            part.genotypes[variant] = read.clone();
            assert_eq!(read.samples, chosen.len());
            for allele in 0..read.alleles as u32 {
                for (after, before) in chosen.iter().enumerate() {
                    let whole = made.copies(variant, allele, *before as usize);
                    assert_eq!(
                        part.copies(variant, allele, after),
                        whole,
                        "{seed} {variant} {allele} {before}"
                    );
                }
            }
        }
    }
}

/// What pyarrow reads of a Parquet file: names of columns, then rows, numbers as they are.
const READ: &str = "import sys, pyarrow.parquet\n\
    table = pyarrow.parquet.read_table(sys.argv[1])\n\
    print('\\t'.join(table.column_names))\n\
    for row in zip(*(column.to_pylist() for column in table.columns)):\n\
    \x20   print('\\t'.join(repr(cell) if isinstance(cell, float) else cell for cell in row))\n";

/// What Python prints with pyarrow; `None`, said by name, where there is none. CI must have it.
fn pyarrow(file: &str) -> Option<String> {
    let python = root().join("target/venv/bin/python3");
    if !python.is_file() {
        assert!(!is_ci(), "pyarrow is not installed");
        eprintln!("skipped: pyarrow is not installed (make test installs it)");
        return None;
    }
    Some(peer(&python.to_string_lossy(), &["-c", READ, file]))
}

#[test]
fn the_matrix_has_the_sums_of_the_table() {
    let Some(data) = shared_data().map(|data| data.join("prs")) else {
        eprintln!("skipped: tiny1000G (no NORN_SHARED_DATA)");
        return;
    };
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let genotypes = data.join("tiny1000G.bgen").to_string_lossy().into_owned();
    let scores =
        ["PGS001229_hmPOS_GRCh38.txt.gz", "PGS000001_hmPOS_GRCh38.txt.gz", "PGS000002_hmPOS_GRCh38.txt.gz"]
            .map(|name| data.join(name).to_string_lossy().into_owned());
    let run = |name: &str, more: &[&str]| {
        let (out, matrix) = (at(name), at(&format!("{name}.parquet")));
        let words = [
            "prs",
            "score",
            "--genotypes",
            &genotypes,
            "--min-overlap",
            "0",
            "--matrix",
            &matrix,
            "-o",
            &out,
        ];
        let mut words = [&words[..], more, &["--scores"]].concat();
        words.extend(scores.iter().map(String::as_str));
        norn_ok(&words);
        fs::read(&matrix).expect("matrix")
    };
    let one = run("one", &["--threads", "1"]);
    assert_eq!(one, run("three", &["--threads", "3", "--no-aggregated"]));
    assert!(!Path::new(&at("three/aggregated_scores.txt.gz")).exists());
    let aggregated = text(Path::new(&at("one/aggregated_scores.txt.gz")));
    run("passes", &["--memory", "1"]);
    for name in ["one.parquet", "passes.parquet"] {
        let Some(read) = pyarrow(&at(name)) else { return };
        let mut lines = read.lines();
        let names: Vec<&str> = lines.next().expect("names").split('\t').collect();
        assert_eq!((names.len(), &names[..2]), (5, &["FID", "IID"][..]));
        let mut expected = aggregated.lines().skip(1);
        for line in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            for (score, sum) in names[2..].iter().zip(&cells[2..]) {
                let row: Vec<&str> = expected.next().expect("a row").split('\t').collect();
                assert_eq!((&row[1..3], row[3]), (&cells[..2], *score));
                assert_eq!(row[4].parse::<f64>(), sum.parse::<f64>(), "{line}");
            }
        }
        assert_eq!(expected.next(), None);
    }
    // A name for two columns is told before anything is summed.
    let weights = at("w.tsv");
    fs::write(&weights, "ID\tA\tIID\n10:418379:G:A\tA\t1\n").expect("weights");
    let (out, matrix) = (at("w.sscore"), at("w.parquet"));
    let words =
        ["prs", "score", "--genotypes", &genotypes, "--weights", &weights, "--matrix", &matrix, "-o", &out];
    let output = norn(&words);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && told.contains("two columns \"IID\""), "{told}");
    assert!(!Path::new(&matrix).exists() && !Path::new(&out).exists());
}
