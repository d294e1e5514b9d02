//! `norn variants` on several ranks gives the bytes of one: records, indices, reports and what is told.
//!
//! Runs with the feature `mpi` and NORN_MPI=1 in the environment; else it is skipped by name.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::made::{self, Made};
use common::*;

/// Commands on a file `{}` with a reference `R` and a chain `C`, and the name of what they write.
const CASES: &[(&str, &str)] = &[
    ("view {}", "out.vcf.gz"),
    ("view -W {}", "out.vcf.gz"),
    ("view -W=tbi {}", "out.vcf.gz"),
    ("view -W {}", "out.bcf"),
    ("view -Ou {}", "out.bcf"),
    ("view -i QUAL>200 -v snps {}", "out.vcf"),
    ("view -H -r {region} {}", "out.vcf"),
    ("filter -e QUAL<300 -s Low -W {}", "out.vcf.gz"),
    ("filter -g 5 {}", "out.vcf.gz"),
    ("norm -m- -W {}", "out.vcf.gz"),
    ("norm -m- -f R -c ws -W {}", "out.vcf.gz"),
    ("norm -f R -c x -d exact {}", "out.bcf"),
    ("query -H -f %CHROM\\t%POS[\\t%GT]\\n {}", "out.txt"),
    ("query -l {}", "out.txt"),
    ("fill-tags -W {}", "out.vcf.gz"),
    ("set-gt --target-gt . -n 0 {}", "out.vcf.gz"),
    ("set-gt --target-gt r:0.5 -n . {}", "out.vcf.gz"),
    ("set-id %CHROM:%POS {}", "out.vcf.gz"),
    ("run C -f R -W {}", "out.vcf.gz"),
    ("sort {}", "out.vcf.gz"),
];

/// Three steps of which two look at neighbours.
const CHAIN: &str = "[[step]]\ndo = \"split\"\n\n[[step]]\ndo = \"check-ref\"\nmode = \"x\"\n\n\
    [[step]]\ndo = \"left-align\"\n\n[[step]]\ndo = \"fill-tags\"\ntags = \"AC,AN\"\n";

/// What a run has written, by name, and said.
type Found = (BTreeMap<String, Vec<u8>>, Vec<String>);

fn run(mut command: Command, words: &[String], output: &str, directory: &Path) -> Found {
    fs::create_dir_all(directory).expect("directory");
    let path = directory.join(output);
    command.args(["variants", &words[0], "--quiet"]).args(&words[1..]).arg("-o").arg(&path);
    let result = command.current_dir(root()).output().expect("norn starts");
    let said = String::from_utf8_lossy(&result.stderr).into_owned();
    assert!(result.status.success(), "{words:?}: {said}");
    let files = fs::read_dir(directory).expect("directory").map(|entry| entry.expect("entry").path());
    let files = files.filter(|path| !path.to_string_lossy().ends_with(".run.json"));
    let bytes = files.map(|path| {
        (path.file_name().expect("name").to_string_lossy().into_owned(), fs::read(&path).expect("file"))
    });
    (bytes.collect(), said.lines().map(str::to_owned).collect())
}

/// A file of the records of another, spread over far places, so that contigs are of many windows; and its index.
fn spread(vcf: &Path, directory: &Path) -> PathBuf {
    let text = fs::read_to_string(vcf).expect("VCF");
    let lines = text.lines().map(|line| {
        if line.starts_with('#') {
            return line.replace("length=4000", "length=40000000") + "\n";
        }
        let mut columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let position: u64 = columns[1].parse().expect("POS");
        columns[1] = (position * 10_000).to_string();
        columns.join("\t") + "\n"
    });
    let plain = directory.join("spread.vcf");
    fs::write(&plain, lines.collect::<String>()).expect("VCF");
    indexed(&plain, &directory.join("spread.vcf.gz"))
}

fn indexed(vcf: &Path, to: &Path) -> PathBuf {
    let norn = Command::new(env!("CARGO_BIN_EXE_norn"))
        .args(["variants", "view", "--quiet", "-W", "-o"])
        .args([to, vcf])
        .status()
        .expect("norn starts");
    assert!(norn.success());
    to.to_owned()
}

#[test]
fn ranks_give_the_bytes_of_one() {
    let Some(_) = mpirun("2") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| directory.path().join(name);
    let Made { vcf, fasta, .. } = made::random(3, 3000, false, directory.path());
    let chain = at("chain.toml");
    fs::write(&chain, CHAIN).expect("chain");
    let close = indexed(&vcf, &at("close.vcf.gz"));
    let far = spread(&vcf, directory.path());
    let binary = indexed(&far, &at("far.bcf"));
    let mut count = 0;
    for input in [&close, &far, &binary] {
        let has_reference = input == &close;
        for (number, (case, output)) in CASES.iter().enumerate() {
            if case.contains(" R ") && !has_reference {
                continue;
            }
            let words: Vec<String> = case
                .split(' ')
                .map(|word| match word {
                    "{}" => input.display().to_string(),
                    "R" => fasta.display().to_string(),
                    "C" => chain.display().to_string(),
                    word => word.replace("{region}", "chr1,chr2:1-1000"),
                })
                .collect();
            let norn = || Command::new(env!("CARGO_BIN_EXE_norn"));
            let name = input.file_name().expect("name").to_string_lossy().into_owned();
            let place = |ranks: &str| at(&format!("{name}.{number}.{ranks}"));
            let expected = run(norn(), &words, output, &place("one"));
            // Starting ranks takes most of the time.
            for ranks in if number % 5 == 1 { &["2", "3", "7"][..] } else { &["3"] } {
                let Some(command) = mpirun(ranks) else { return };
                let found = run(command, &words, output, &place(ranks));
                assert_eq!(
                    expected.0.keys().collect::<Vec<_>>(),
                    found.0.keys().collect::<Vec<_>>(),
                    "{words:?}"
                );
                for (name, bytes) in &expected.0 {
                    assert!(*bytes == found.0[name], "{words:?}: {name} of {ranks} ranks differs");
                }
                assert_eq!(expected.1, found.1, "{words:?}: what {ranks} ranks say");
                count += 1;
            }
        }
    }
    assert!(count >= 70, "{count}");
}

#[test]
fn a_bad_record_of_one_share_ends_all_ranks() {
    let Some(_) = mpirun("2") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let text = "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n\
        #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n\
        1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n2\t7\t.\tA\tC\t.\t.\t.\tGT\t0/9\n";
    let plain = directory.path().join("bad.vcf");
    fs::write(&plain, text).expect("VCF");
    let input = indexed(&plain, &directory.path().join("bad.vcf.gz"));
    let out = directory.path().join("out.vcf.gz");
    let mut command = mpirun("2").expect("MPI");
    let result = command
        .args(["variants", "fill-tags", "--quiet", "-o"])
        .args([&out, &input])
        .output()
        .expect("mpirun starts");
    let said = String::from_utf8_lossy(&result.stderr);
    assert_eq!(result.status.code(), Some(3), "{said}");
    assert!(said.contains("2:7"), "{said}");
    assert!(!out.exists());
}

#[test]
fn annotation_over_ranks_is_that_of_one() {
    let Some(_) = mpirun("2") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| directory.path().join(name);
    let Made { vcf, fasta, .. } = made::random(4, 3000, false, directory.path());
    let input = indexed(&vcf, &at("close.vcf.gz"));
    let contigs = fs::read_to_string(&fasta).expect("reference");
    let mut genes = String::new();
    for (number, line) in contigs.lines().filter(|line| line.starts_with('>')).enumerate() {
        let contig = line[1..].split(' ').next().expect("name");
        for (strand, start, end) in [('+', 100, 1500), ('-', 1200, 3300)] {
            let id = format!("T{number}{start}");
            for (kind, rest) in [
                (
                    "mRNA",
                    format!("ID=transcript:{id};biotype=protein_coding;transcript_id={id};gene_id=G{id}"),
                ),
                ("exon", format!("Parent=transcript:{id}")),
                ("CDS", format!("Parent=transcript:{id};protein_id=P{id}")),
            ] {
                genes += &format!("{contig}\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t0\t{rest}\n");
            }
        }
    }
    fs::write(at("genes.gff3"), genes).expect("genes");
    let run = |mut command: Command, out: &str| {
        let result = command
            .args(["annotate", "--quiet", "-W", "-r"])
            .arg(&fasta)
            .arg("--gff")
            .arg(at("genes.gff3"))
            .arg("-o")
            .args([&at(out), &input])
            .output()
            .expect("norn starts");
        let said = String::from_utf8_lossy(&result.stderr).into_owned();
        assert!(result.status.success(), "{said}");
        (fs::read(at(out)).expect("output"), fs::read(at(&format!("{out}.csi"))).expect("index"), said)
    };
    let expected = run(Command::new(env!("CARGO_BIN_EXE_norn")), "one.vcf.gz");
    for ranks in ["2", "3"] {
        let Some(command) = mpirun(ranks) else { return };
        assert!(run(command, &format!("{ranks}.vcf.gz")) == expected, "{ranks} ranks");
    }
}

/// Genotypes in each format, Catalog scores and tables of weights: over ranks they come to the bytes of one, and it is told once.
#[test]
fn scores_over_ranks_are_those_of_one() {
    let Some(_) = mpirun("2") else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| directory.path().join(name);
    let panel = root().join("testdata/panel");
    let weights = at("weights.tsv");
    let bim = fs::read_to_string(panel.join("panel.bim")).expect("variants");
    let mut table = "ID\tA1\ta\tb\n".to_owned();
    for (number, line) in bim.lines().enumerate() {
        let columns: Vec<&str> = line.split('\t').collect();
        let (one, other) = (number as f64 / 7.0 - 3.0, 1e-9 * number as f64);
        table += &format!("{}\t{}\t{one}\t{other}\n", columns[1], columns[4 + number % 2]);
    }
    fs::write(&weights, table).expect("weights");
    let mut inputs = vec![panel.join("panel.bed"), panel.join("cohort.vcf.gz")];
    if has("plink2") {
        for (format, made) in [("--make-pgen", "x.pgen"), ("--export bgen-1.3", "x.bgen")] {
            let mut plink = Command::new("plink2");
            plink.arg("--bfile").arg(panel.join("panel")).args(format.split(' ')).arg("--out").arg(at("x"));
            assert!(plink.output().expect("plink2").status.success(), "{format}");
            inputs.push(at(made));
        }
    }
    let scores = ["PGS900001.txt.gz", "PGS900002_hmPOS_GRCh38.txt.gz", "PGS900003.txt.gz"];
    let run = |mut command: Command, input: &Path, words: &[&str], out: &Path| {
        command.args(["prs", "score", "--genotypes"]).arg(input).args(words).arg("-o").arg(out);
        let result = command.current_dir(&panel).output().expect("norn starts");
        let said = String::from_utf8_lossy(&result.stderr).into_owned();
        // Scores that match too few variants are told by 4.
        assert!(matches!(result.status.code(), Some(0 | 4)), "{words:?}: {said}");
        let mut files = BTreeMap::new();
        if out.is_dir() {
            for entry in fs::read_dir(out).expect("a directory") {
                let path = entry.expect("a file").path();
                files.insert(path.file_name().expect("a name").to_owned(), fs::read(&path).expect("bytes"));
            }
            files.retain(|name, _| name != "scores.run.json");
        } else {
            files.insert("sscore".into(), fs::read(out).expect("sums"));
        }
        (files, said.lines().filter(|line| line.starts_with("norn: ")).map(str::to_owned).collect::<Vec<_>>())
    };
    let table = weights.to_str().expect("UTF-8");
    let catalog = [&["--scores"][..], &scores, &["--min-overlap", "0.1", "--build", "GRCh38"]].concat();
    for (number, input) in inputs.iter().enumerate() {
        for (kind, words) in [("table", &["--weights", table][..]), ("catalog", &catalog)] {
            let place = |ranks: &str| at(&format!("{number}.{kind}.{ranks}"));
            let expected = run(Command::new(env!("CARGO_BIN_EXE_norn")), input, words, &place("one"));
            assert!(expected.0.values().all(|bytes| !bytes.is_empty()));
            for ranks in ["1", "2", "3"] {
                let Some(command) = mpirun(ranks) else { return };
                let found = run(command, input, words, &place(ranks));
                assert!(
                    found == expected,
                    "{input:?} {kind} over {ranks} ranks: {:?}, {:?}",
                    found.1,
                    expected.1
                );
            }
        }
    }
}
