//! `norn variants norm` beside bcftools 1.24, and where it is right and bcftools is not.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::bcftools::{self, Job};
use common::made::{self, Made};
use common::*;

/// Options with which a file is normalised; `R` is its reference.
const WITH_REFERENCE: [&str; 25] = [
    "-f R",
    "-f R -c w",
    "-f R -c x",
    "-f R -c s",
    "-f R -c ws --old-rec-tag OLD",
    "-f R -c x -m -",
    "-f R -c x -m -any --old-rec-tag OLD",
    "-f R -c x -m -snps",
    "-f R -c x -m -indels --multi-overlaps .",
    "-f R -c x -m - -S lex",
    "-f R -c x -m - -d exact",
    "-f R -c x -m - -d snps",
    "-f R -c x -m - -d indels",
    "-f R -c x -d both",
    "-f R -c x -d all",
    "-f R -c x -D",
    "-f R -N -c s",
    "-f R -N -c x -m -",
    "-f R -c x -m +",
    "-f R -c x -m +any",
    "-f R -c x -m - -w 100",
    "-f R -c x -m - -i TYPE=\"snp\"",
    "-f R -c x -m - -e TYPE=\"indel\" -d exact",
    "-f R -c ws -i POS%2==0",
    "-f R -c x -m +any -e N_ALT>1",
];

/// The same without a reference.
const WITHOUT_REFERENCE: [&str; 16] = [
    "-m -",
    "-m -snps --multi-overlaps .",
    "-m -indels",
    "-m - --force --old-rec-tag OLD",
    "-m +",
    "-m +any",
    "-m +snps -s",
    "-m +indels",
    "-d all",
    "-d exact",
    "-a",
    "-a --atom-overlaps . --old-rec-tag OLD",
    "-a -m -",
    "-m - -S lex -d none",
    "-a -m - -e QUAL<30",
    "-m +both -i TYPE=\"snp\"",
];

/// One comparison.
struct Case {
    input: PathBuf,
    words: Vec<String>,
    /// Their output is normalised again: ours has in one pass what they have in two.
    is_twice: bool,
}

impl Case {
    fn new(input: &Path, options: &str, reference: Option<&Path>) -> Self {
        let reference = reference.map(|path| path.display().to_string()).unwrap_or_default();
        let words = options.split(' ').map(|word| if word == "R" { reference.clone() } else { word.into() });
        Self { input: input.into(), words: words.collect(), is_twice: false }
    }

    fn name(&self) -> String {
        let input = self.input.file_name().expect("name").to_string_lossy();
        format!("{input} {}", self.words.join(" "))
    }
}

/// Has bcftools print the files' numbers as it prints them, so that both begin with the same text.
fn printed(python: &Path, inputs: &[PathBuf], directory: &Path) -> Vec<PathBuf> {
    let out = |input: &PathBuf| {
        let name = input.file_name().expect("name").to_string_lossy().replace(".gz", "");
        directory.join(format!("printed.{name}"))
    };
    let words =
        |input: &PathBuf| ["view", "--no-version", &input.display().to_string()].map(str::to_owned).into();
    let jobs: Vec<_> = inputs.iter().map(|input| Job { words: words(input), out: out(input) }).collect();
    for (job, failed) in jobs.iter().zip(bcftools::run(python, &jobs)) {
        assert_eq!(failed, None, "{:?}", job.words);
    }
    jobs.into_iter().map(|job| job.out).collect()
}

fn norm_job(words: &[String], input: &Path, out: PathBuf) -> Job {
    let head = ["norm", "--no-version"].map(str::to_owned);
    let words = head.into_iter().chain(words.iter().cloned()).chain([input.display().to_string()]);
    Job { words: words.collect(), out }
}

/// Runs ours; the exit code and what is on stdout.
fn ours(words: &[String], input: &Path, threads: usize) -> (i32, String, String) {
    let threads = threads.to_string();
    let input = input.display().to_string();
    let mut arguments = vec!["variants", "norm", "--quiet", "--no-version", "--threads", &threads];
    arguments.extend(words.iter().map(String::as_str));
    arguments.push(&input);
    let output = norn(&arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("it ended by itself"), text(&output.stdout), text(&output.stderr))
}

/// Compares all cases byte for byte, at 1, 2, 3 and 7 threads in turn; what bcftools refuses must be refused.
fn compare(python: &Path, cases: &[Case], directory: &Path) {
    let out = |i: usize, pass: usize| directory.join(format!("{i}.{pass}.vcf"));
    let jobs: Vec<_> =
        cases.iter().enumerate().map(|(i, case)| norm_job(&case.words, &case.input, out(i, 1))).collect();
    let failed = bcftools::run(python, &jobs);
    let again: Vec<_> = (cases.iter().enumerate().filter(|(i, case)| case.is_twice && failed[*i].is_none()))
        .map(|(i, case)| norm_job(&case.words, &out(i, 1), out(i, 2)))
        .collect();
    for (job, failed) in again.iter().zip(bcftools::run(python, &again)) {
        assert_eq!(failed, None, "{:?}", job.words);
    }
    let mut differing = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let (code, found, error) = ours(&case.words, &case.input, [1, 2, 3, 7][i % 4]);
        let report = match &failed[i] {
            Some(theirs) => (code != 3).then(|| format!("theirs fails ({theirs}), ours ends with {code}")),
            None if code != 0 => Some(format!("ours fails: {error}")),
            None => difference(&text(&out(i, if case.is_twice { 2 } else { 1 })), &found),
        };
        differing.extend(report.map(|report| format!("{}: {report}", case.name())));
    }
    assert!(differing.is_empty(), "{} of {} cases:\n{}", differing.len(), cases.len(), differing.join("\n"));
}

/// Files with their references.
fn inputs() -> Vec<(PathBuf, PathBuf)> {
    let testdata = root().join("testdata");
    let mut inputs: Vec<_> = ["trio.truth.vcf.gz", "sites.vcf.gz"]
        .map(|name| (testdata.join(name), testdata.join("genome.fa")))
        .into();
    if let Some(data) = shared_data() {
        inputs.extend(
            [
                ("HG002.chr20.TR.truth.vcf.gz", "GRCh38.chr20_1-1000000.fa.gz"),
                ("1kg.sites.z.vcf.gz", "GRCh37.chr20.1Mb.z.fa.gz"),
                ("NA12878.GRCh37.chr22tiny.freebayes.vcf.gz", "GRCh37.chr22tiny.fa"),
                ("NO.bcftools.vcf.gz", "GRCh38.chr21.slices.fa.gz"),
                ("NO.freebayes.vcf.gz", "GRCh38.chr21.slices.fa.gz"),
            ]
            .map(|(file, reference)| (data.join("variants").join(file), data.join("genome").join(reference))),
        );
    } else {
        eprintln!("skipped: shared variants (no NORN_SHARED_DATA)");
    }
    inputs
}

#[test]
fn real_files_are_normalised_as_by_bcftools() {
    let Some(python) = bcftools::python() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let inputs = inputs();
    let files: Vec<_> = inputs.iter().map(|(file, _)| file.clone()).collect();
    let mut cases = Vec::new();
    for (file, (_, reference)) in printed(&python, &files, directory.path()).iter().zip(&inputs) {
        for options in
            ["-f R -c x", "-f R -c w -m -any", "-f R -c x -m +any", "-f R -c x -m - -d exact -S lex"]
        {
            cases.push(Case::new(file, options, Some(reference)));
        }
        for options in ["-m -", "-m + -s", "-a --old-rec-tag OLD"] {
            cases.push(Case::new(file, options, None));
        }
    }
    compare(&python, &cases, directory.path());
}

#[test]
fn random_variants_in_repeats_are_normalised_as_by_bcftools() {
    let Some(python) = bcftools::python() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut cases = Vec::new();
    for seed in 1..=4 {
        let is_joined = seed % 2 == 0;
        let Made { vcf, fasta, .. } = made::random(seed, 400, is_joined, directory.path());
        let printed = printed(&python, &[vcf], directory.path());
        let is_meant = |options: &&str| is_joined || !options.contains("-m +");
        for options in WITH_REFERENCE.into_iter().filter(is_meant) {
            cases.push(Case::new(&printed[0], options, Some(&fasta)));
        }
        for options in WITHOUT_REFERENCE.into_iter().filter(is_meant) {
            cases.push(Case::new(&printed[0], options, None));
        }
    }
    assert!(cases.len() >= 120, "{}", cases.len());
    compare(&python, &cases, directory.path());
}

#[test]
fn atoms_are_aligned_in_the_same_pass() {
    let Some(python) = bcftools::python() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut cases = Vec::new();
    for seed in 11..=13 {
        let Made { vcf, fasta, .. } = made::random(seed, 300, false, directory.path());
        let printed = printed(&python, &[vcf], directory.path());
        for options in [
            "-f R -c x -a -m - --atom-overlaps . -S lex -d exact",
            "-f R -c x -a -m - --atom-overlaps . -S lex --old-rec-tag OLD",
        ] {
            cases.push(Case { is_twice: true, ..Case::new(&printed[0], options, Some(&fasta)) });
        }
    }
    compare(&python, &cases, directory.path());
}

#[test]
fn odd_records_are_handled_as_by_bcftools() {
    let Some(python) = bcftools::python() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let Made { vcf, fasta, gff } = made::odd(directory.path());
    let printed = printed(&python, &[vcf], directory.path());
    let mut cases: Vec<_> =
        WITH_REFERENCE.iter().map(|options| Case::new(&printed[0], options, Some(&fasta))).collect();
    // See below why their atoms are not to be compared with where an SNV stands beside an insertion.
    let without = WITHOUT_REFERENCE.iter().filter(|options| !options.starts_with("-a"));
    cases.extend(without.map(|options| Case::new(&printed[0], options, None)));
    cases.push(Case::new(&printed[0], "-m - --keep-sum AD", None));
    cases.push(Case::new(&printed[0], "-m - --keep-sum AD --multi-overlaps .", None));
    let with_gff = format!("-f R -c x -g {}", gff.display());
    cases.push(Case::new(&printed[0], &with_gff, Some(&fasta)));
    cases.push(Case::new(&printed[0], &format!("{with_gff} -m - --old-rec-tag OLD"), Some(&fasta)));
    compare(&python, &cases, directory.path());
}

/// Writes a file and gives its path.
fn file(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).expect("temporary file");
    path
}

/// Our records, as `CHROM:POS REF ALT` and the columns from INFO on.
fn records(options: &str, vcf: &Path, fasta: &Path) -> Vec<String> {
    let case = Case::new(vcf, options, Some(fasta));
    let (code, found, error) = ours(&case.words, vcf, 2);
    assert_eq!(code, 0, "{error}");
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let lines = found.lines().filter(|line| !line.starts_with('#')).map(columns);
    lines.map(|c| format!("{}:{} {} {} {}", c[0], c[1], c[3], c[4], c[7..].join(" "))).collect()
}

const HEAD: &str = "##fileformat=VCFv4.5\n##contig=<ID=1>\n\
    ##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=SVLEN,Number=A,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=AF,Number=A,Type=Float,Description=\"\">\n\
    ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=SG,Number=G,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=LAA,Number=.,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=LAD,Number=LR,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=LPL,Number=LG,Type=Integer,Description=\"\">\n";
const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

/// bcftools sorts within a window of `-w` (1000) bases and aligns further, so its output is unsorted (and cannot be indexed).
#[test]
fn however_far_an_indel_shifts_the_output_is_sorted() {
    let directory = tempfile::tempdir().expect("temporary directory");
    for unit in ["A", "CA", "CCG"] {
        let tract = unit.repeat(60_000 / unit.len());
        let sequence = format!("TGT{tract}{}", "TTGACGTT".repeat(40));
        let fasta = file(directory.path(), "long.fa", &format!(">1\n{sequence}\n"));
        let mut text = format!("{HEAD}{COLUMNS}\n");
        let base = |at: usize| &sequence[at - 1..at];
        for position in (5..59_000).step_by(500) {
            text += &format!("1\t{position}\t.\t{}\tT\t.\t.\t.\n", base(position));
        }
        let deleted = &sequence[59_399..59_400 + unit.len()];
        text += &format!("1\t59400\t.\t{deleted}\t{}\t.\t.\t.\n", &deleted[..1]);
        text += &format!("1\t60050\t.\t{}\tG\t.\t.\t.\n", base(60_050));
        let vcf = file(directory.path(), "long.vcf", &text);
        let found = records("-f R -w 10", &vcf, &fasta);
        assert!(found[0].starts_with("1:3 "), "{unit}: {}", found[0]);
        assert_eq!(found.len(), text.lines().filter(|line| !line.starts_with('#')).count());
        let position = |line: &String| line[2..].split(' ').next().and_then(|n| n.parse::<u64>().ok());
        assert!(found.iter().map(position).is_sorted(), "{unit}");
    }
}

/// bcftools up to 1.23 writes END = POS for a duplication that moved (samtools/bcftools#2500); 1.24 has it as here, but
/// does not move one that has END alone.
#[test]
fn end_moves_with_a_duplication() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let sequence = format!("TGTC{}{}", "A".repeat(300), "GATTACA".repeat(20));
    let fasta = file(directory.path(), "a.fa", &format!(">1\n{sequence}\n"));
    let rows = "1\t200\t.\tA\t<DUP>\t.\t.\tEND=250;SVLEN=50\n1\t210\t.\tA\t<DEL>\t.\t.\tEND=250;SVLEN=40\n\
        1\t220\t.\tA\t<DUP>\t.\t.\tEND=230\n1\t230\t.\tA\t<INV>\t.\t.\tEND=250\n";
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\n{rows}"));
    let expected = [
        "1:4 C <DUP> END=54;SVLEN=50",
        "1:4 C <DEL> END=44;SVLEN=40",
        "1:4 C <DUP> END=14",
        "1:230 A <INV> END=250",
    ];
    assert_eq!(records("-f R", &vcf, &fasta), expected);
}

/// bcftools copies values of local alleles to all parts of a split record as they stand; by hand from VCF 4.5.
#[test]
fn local_alleles_are_renumbered_when_records_are_split_and_joined() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let fasta = file(directory.path(), "a.fa", ">1\nACGTACGTACGT\n");
    let row = "1\t5\t.\tA\tC,G,T\t.\t.\t.\tGT:LAA:LAD:LPL\t0/2:2:9,5:30,0,40\t1/3:1,3:2,6,7:9,8,7,6,5,4\t0/0:.:8:0\n";
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\tFORMAT\ta\tb\tc\n{row}"));
    let split = records("-f R -m -", &vcf, &fasta);
    assert_eq!(
        split,
        [
            "1:5 A C . GT:LAA:LAD:LPL 0/0:.:9:30 1/0:1:2,6:9,8,7 0/0:.:8:0",
            "1:5 A G . GT:LAA:LAD:LPL 0/1:1:9,5:30,0,40 0/0:.:2:9 0/0:.:8:0",
            "1:5 A T . GT:LAA:LAD:LPL 0/0:.:9:30 0/1:1:2,7:9,6,4 0/0:.:8:0",
        ]
    );
    let lines: String = split
        .iter()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("1\t5\t.\t{}\t{}\t.\t.\t{}\n", words[1], words[2], words[3..].join("\t"))
        })
        .collect();
    let vcf = file(directory.path(), "b.vcf", &format!("{HEAD}{COLUMNS}\tFORMAT\ta\tb\tc\n{lines}"));
    // The genotype of two alleles that were in different records cannot come back.
    let joined = ["1:5 A C,G,T . GT:LAA:LAD:LPL 0/2:2:9,5:30,0,40 1/3:1,3:2,6,7:9,8,7,6,.,4 0/0:.:8:0"];
    assert_eq!(records("-f R -m +", &vcf, &fasta), joined);
}

/// bcftools has an error for likelihoods of more than two chromosomes; by hand from the order of genotypes.
#[test]
fn likelihoods_of_polyploids_are_split() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let fasta = file(directory.path(), "a.fa", ">1\nACGTACGTACGT\n");
    let row = "1\t5\t.\tA\tC,G\t.\t.\t.\tGT:PL\t0/1/2:0,1,2,3,4,5,6,7,8,9\t.:.\n";
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\tFORMAT\ta\tb\n{row}"));
    let expected = ["1:5 A C . GT:PL 0/1/0:0,1,2,3 .:.", "1:5 A G . GT:PL 0/0/1:0,4,7,9 .:."];
    assert_eq!(records("-f R -m -", &vcf, &fasta), expected);
}

/// bcftools leaves the samples behind one without a value as they were, where a Number=G tag is text: `g,h,i` of both parts.
#[test]
fn each_sample_is_split_by_itself() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let fasta = file(directory.path(), "a.fa", ">1\nACGTACGTACGT\n");
    let row =
        "1\t5\t.\tA\tC,G\t.\t.\t.\tGT:AF:SG\t1/2:0.25,0.5:a,b,c,d,e,f\t./.:.:.\t0/1:0.1,0.2:g,h,i,j,k,l\n";
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\tFORMAT\ta\tb\tc\n{row}"));
    let expected = [
        "1:5 A C . GT:AF:SG 1/0:0.25:a,b,c ./.:.:. 0/1:0.1:g,h,i",
        "1:5 A G . GT:AF:SG 0/1:0.5:a,d,f ./.:.:. 0/0:0.2:g,j,l",
    ];
    assert_eq!(records("-f R -m -", &vcf, &fasta), expected);
}

/// Where one record knows nothing of a sample, bcftools cuts the values of the other (`1`, `.,4,.` and `8` here) and takes
/// the phase from `0|1`.
#[test]
fn what_one_record_knows_of_a_sample_is_kept_when_joined() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let rows = "1\t5\t.\tA\tC\t.\t.\t.\tGT:AD\t.:.\t0/1:3,4\t0/0:.\n1\t5\t.\tA\tG\t.\t.\t.\tGT:AD\t0|1:1,2\t.:.\t0/1:8,9\n";
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\tFORMAT\ta\tb\tc\n{rows}"));
    let expected = ["1:5 A C,G . GT:AD 0|2:1,.,2 0/1:3,4,. 0/2:8,.,9"];
    assert_eq!(records("-m +", &vcf, &vcf), expected);
}

/// bcftools reads a base of the reference twice at each 100 bases, and stops at 1:106.
#[test]
fn to_the_right_a_variant_goes_to_the_end_of_its_repeat() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let sequence = format!("ACGTC{}GATTACAGATTACA", "CAT".repeat(100));
    let fasta = file(directory.path(), "a.fa", &format!(">1\n{sequence}\n"));
    let transcript = "1\tx\tmRNA\t1\t310\t.\t+\t.\tID=transcript:A;Parent=gene:A;biotype=protein_coding\n";
    let gff = file(directory.path(), "a.gff3", transcript);
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\n1\t5\t.\tCCAT\tC\t.\t.\t.\n"));
    assert_eq!(records(&format!("-f R -g {}", gff.display()), &vcf, &fasta), ["1:302 TCAT T ."]);
}

/// bcftools does not forget that an atom stood beside an SNV: what the second record becomes depends on the first. As
/// bcftools 1.24 has it where the second record is alone.
#[test]
fn atoms_do_not_depend_on_records_before_them() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let second = "1\t5\t.\tTGC\tT,TGCTGC\t.\t.\t.\tGT\t1/2\n";
    let expected = ["1:5 T TGCT,* . GT 2/1", "1:5 TGC T,* . GT 1/2"];
    for first in ["", "1\t2\t.\tC\tGGG,CT\t.\t.\t.\tGT\t1/2\n"] {
        let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\tFORMAT\ta\n{first}{second}"));
        let found = records("-a", &vcf, &vcf);
        assert_eq!(found[found.len() - 2..], expected);
    }
}

/// In a file with diploids bcftools makes a diploid of a haploid whose calls contradict, and leaves its PL haploid.
#[test]
fn a_haploid_stays_haploid_when_records_are_joined() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let rows =
        "1\t5\t.\tA\tC\t.\t.\t.\tGT:PL\t0/1:9,0,9\t1:9,0\n1\t5\t.\tA\tG\t.\t.\t.\tGT:PL\t0/0:0,9,9\t1:9,0\n";
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\tFORMAT\ta\tb\n{rows}"));
    assert_eq!(records("-m +", &vcf, &vcf), ["1:5 A C,G . GT:PL 0/1:0,0,9,9,.,9 1:9,0,0"]);
}

/// Batches are of a MiB, so this file has some; the order of ties is that of the input at any number of threads.
#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let Made { vcf, fasta, .. } = made::random(21, 12_000, true, directory.path());
    for options in ["-f R -c wx -m -", "-f R -c x -m +any", "-f R -c s -a -d exact --old-rec-tag OLD"] {
        let case = Case::new(&vcf, options, Some(&fasta));
        let one = ours(&case.words, &vcf, 1);
        assert_eq!(one.0, 0, "{}", one.2);
        for threads in [2, 3, 7] {
            assert!(ours(&case.words, &vcf, threads) == one, "{options} at {threads} threads");
        }
    }
}

/// bcftools ends with an error on a file without contigs in its header; `view` passes it.
#[test]
fn contigs_and_tags_that_the_header_does_not_have_are_passed() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let fasta = file(directory.path(), "a.fa", ">1\nACGTAAAAAAGT\n");
    let row = "1\t8\t.\tAA\tA,AC\t.\tnew\tODD=1,2\tGT:XX\t1|2:3,4\n";
    let vcf = file(directory.path(), "a.vcf", &format!("##fileformat=VCFv4.2\n{COLUMNS}\tFORMAT\ta\n{row}"));
    let expected = ["1:4 TA T ODD=1,2 GT:XX 1|0:3,4", "1:9 A C ODD=1,2 GT:XX 0|1:3,4"];
    assert_eq!(records("-f R -m -", &vcf, &fasta), expected);
}

/// The last line of bcftools on the same file.
#[test]
fn the_summary_is_that_of_bcftools() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let fasta = file(directory.path(), "a.fa", ">1\nACGTAAAAAAGT\n");
    let rows = "1\t2\t.\tC\tG\t.\t.\t.\n1\t2\t.\tC\tG\t.\t.\t.\n1\t3\t.\tT\tG\t.\t.\t.\n1\t8\t.\tAA\tA,AC\t.\t.\t.\n";
    let vcf = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\n{rows}"));
    let words: Vec<String> = ["-f", fasta.to_str().expect("UTF-8"), "-c", "wx", "-m", "-", "-d", "exact"]
        .map(str::to_owned)
        .into();
    let (code, _, error) = ours(&words, &vcf, 1);
    assert_eq!(code, 0);
    assert_eq!(
        error,
        "REF_MISMATCH\t1\t3\tT\tG\nLines   total/split/joined/realigned/mismatch_removed/dup_removed/skipped:\t4/1/0/2/1/1/0\n"
    );
}

#[test]
fn what_cannot_be_meant_and_what_is_bad_is_told() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let fasta = file(directory.path(), "a.fa", ">1\nACGTAAAAAAGT\n");
    let good = file(directory.path(), "a.vcf", &format!("{HEAD}{COLUMNS}\n1\t3\t.\tT\tG\t.\t.\t.\n"));
    let other = file(directory.path(), "b.vcf", &format!("{HEAD}{COLUMNS}\n2\t3\t.\tT\tG\t.\t.\t.\n"));
    for (input, options, expected, what) in [
        (&good, "-N", 2, "nothing to do"),
        (&good, "-m x", 2, "expected + or -"),
        (&good, "-m - -g x", 2, "--fasta-ref"),
        (&good, "-m - --keep-sum XX", 2, "XX"),
        (&good, "-f R", 3, "1:3: REF_MISMATCH: T where the reference has G"),
        (&good, "-f nowhere.fa", 3, "nowhere.fa"),
        (&other, "-f R", 3, "the contig is not in"),
    ] {
        let case = Case::new(input, options, Some(&fasta));
        let (code, _, error) = ours(&case.words, input, 1);
        assert_eq!(code, expected, "{options}: {error}");
        assert!(error.contains(what), "{options}: {error}");
    }
}
