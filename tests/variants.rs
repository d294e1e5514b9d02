//! `norn variants` beside bcftools.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use common::variant_files::{thinned, utf8, variant_files};
use common::*;

/// VCFs of testdata and of the shared data.
fn inputs() -> Vec<PathBuf> {
    variant_files(&[
        "HG002.chr20.TR.truth.vcf.gz",
        "PG_NA12878_hg38-chr21.vcf.gz",
        "CEUtrio.GRCh38.vcf.gz",
        "NA12878.g.vcf.gz",
        "1kg.sv.chr22_chrY.gatk.vcf.gz",
        "NO.bcftools.vcf.gz",
    ])
}

/// Commands with their options, words apart by blanks; each runs on each input and gives what bcftools gives: pysam's,
/// or for plugins, which pysam does not have, Debian's. `{}` is the input; it is the last word where it does not stand.
const CASES: &[&str] = &[
    "view",
    "view -G",
    "view -h",
    "view -H",
    "view -a",
    "view -aI",
    "view -A",
    "view -AA",
    "view -c 1",
    "view -c 2:minor",
    "view -c 1:alt1 -I",
    "view -C 1",
    "view -C 3:nonmajor",
    "view -c 2:major",
    "view -q 0.3",
    "view -q 0.1:minor -Q 0.5:minor",
    "view -Q 0.4:alt1",
    "view -f PASS",
    "view -f .,q10",
    "view -g het",
    "view -g ^het",
    "view -g hom",
    "view -g miss",
    "view -g ^miss",
    "view -k",
    "view -n",
    "view -m 3",
    "view -m2 -M2",
    "view -p",
    "view -P",
    "view -u",
    "view -U",
    "view -v snps",
    "view -v indels,mnps",
    "view -V snps",
    "view -V other,bnd",
    "view -v ref",
    "view -s {first}",
    "view -s {last},{first}",
    "view -s ^{first}",
    "view -s {first} -I",
    "view -s {first} -a",
    "view -s {first} -x",
    "view -s {first} -X",
    "view -s {last} -c1 -G",
    "view -s nobody --force-samples",
    "view -r {region}",
    "view -r {region} --regions-overlap 0",
    "view -r {region} --regions-overlap 2",
    "view -t {region}",
    "view -t ^{region}",
    "view -t {region} --targets-overlap 1",
    "view -t {region} --targets-overlap 2",
    "view {} {region}",
    "view -R {bed}",
    "view -T {bed}",
    "view -T ^{bed}",
    "view -i QUAL>30",
    "view -e QUAL<30||N_ALT>1",
    "view -i GT=\"het\"",
    "view -s {first} -i GT=\"alt\"",
    "filter -i QUAL>30",
    "filter -e QUAL<30 -s LowQual",
    "filter -e QUAL<30 -s + -m +",
    "filter -i QUAL>50&&TYPE=\"snp\" -s F -m x",
    "filter -e TYPE=\"indel\" -s Indel -m +x",
    "filter -i FMT/GT=\"het\" -S .",
    "filter -e GT=\"hom\" -S 0",
    "filter -e QUAL<40 -S . -s Q",
    "filter -g 10",
    "filter -g 5:indel,other -s +",
    "filter -G 20",
    "filter -G 10 -s x -g 3",
    "filter -M {bed} -s Mask",
    "filter --mask ^{region} -s Mask -m +",
    "filter --mask {region} --mask-overlap 0 -s Mask -e QUAL<20",
    "filter -e QUAL<30 -r {region}",
    "filter -i N_MISSING=0 -t {region}",
    "query -f %CHROM\\t%POS\\t%REF\\t%ALT[\\t%GT]\\n",
    "query -f [%SAMPLE\\t%POS\\t%TGT\\n] -i GT=\"alt\"",
    "query -f %POS\\t%INFO\\n -r {region}",
    "query -f %POS\\t%REF[\\t%GT]\\n -v {list}",
    "annotate --set-id %CHROM\\_%POS\\_%REF\\_%FIRST_ALT",
    "annotate --set-id +%CHROM:%POS:%REF:%ALT",
    "annotate --rename-chrs {map}",
    "reheader -n {names} {plain}",
    "reheader -f {fai} {plain}",
    "sort {shuffled}",
    "sort -m 20k {shuffled}",
    "+fill-tags {} -- -t AN,AC,AF,MAF,NS,AC_Hom,AC_Het,AC_Hemi,HWE,ExcHet",
    "+fill-tags {} -- -d -t AN,AC,AC_Hemi",
    "+fill-tags {} -- -t VAF,VAF1",
    "+fill-tags {} -- -t SUM:1=int(sum(POS)),N=N_ALT",
    "+fill-tags {} -- -t SDP:1=int(sum(FORMAT/DP)),AC",
    "+fill-tags {} -- -t FMT/X:1=int(FMT/DP)",
    "+fill-tags {} -- -t HETS=N_PASS(GT=\"het\") -S {groups}",
    "+fill-tags {} -- -t MDP:1=avg(FMT/DP) -S {groups}",
    "+fill-tags {} -- -t AC,AN,AF,MAF,HWE,ExcHet,NS -S {groups}",
    "+setGT {} -- -t . -n 0",
    "+setGT {} -- -t ./. -n 0p",
    "+setGT {} -- -t ./x -n .",
    "+setGT {} -- -t a -n p",
    "+setGT {} -- -t a -n u",
    "+setGT {} -- -t . -n M",
    "+setGT {} -- -t a -n m",
    "+setGT {} -- -t a -n c:0/1",
    "+setGT {} -- -t a -n c:1",
    "+setGT {} -- -t a -n c:m|M",
    "+setGT {} -- -t b:AD<0.01 -n .",
    "+setGT {} -- -t q -n . -i QUAL<50",
    "+setGT {} -- -t q -n . -e QUAL>50",
    "+setGT {} -- -t q -n 0 -i GT=\"het\"",
    "+setGT {} -- -t q -n . -e GT=\"hom\"",
];

/// An input in the forms in which it is read: as bcftools has written it once, because it prints numbers anew.
struct Input {
    name: String,
    plain: PathBuf,
    packed: PathBuf,
    binary: PathBuf,
    /// Words for the braces of the cases.
    words: Vec<(&'static str, String)>,
}

impl Input {
    fn new(original: &Path, directory: &Path) -> Self {
        let name = utf8(Path::new(original.file_name().expect("name")));
        let [plain, packed, binary] =
            ["vcf", "vcf.gz", "bcf"].map(|ending| directory.join(format!("{name}.{ending}")));
        let original = utf8(original);
        let text = thinned(&peer("bcftools", &["view", "--no-version", &original]), 6_000);
        fs::write(&plain, &text).expect("input");
        for (form, file) in [("-Oz", &packed), ("-Ob", &binary)] {
            peer("bcftools", &["view", "--no-version", form, "-o", &utf8(file), &utf8(&plain)]);
            peer("bcftools", &["index", &utf8(file)]);
        }
        let columns = text.lines().find(|line| line.starts_with("#CHROM")).expect("columns");
        let samples: Vec<&str> = columns.split('\t').skip(9).collect();
        // Regions around the middle, from a record's position to another's.
        let records: Vec<(&str, u64)> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let mut columns = line.split('\t');
                Some((columns.next()?, columns.next()?.parse().ok()?))
            })
            .collect();
        let at = |share: usize| records[(records.len() - 1) * share / 100];
        let region = |share: usize| {
            let (contig, position) = at(share);
            format!("{contig}:{}-{}", position + 1, position + 20_000)
        };
        let bed = directory.join(format!("{name}.bed"));
        let line = |share: usize| format!("{}\t{}\t{}\n", at(share).0, at(share).1, at(share).1 + 3_000);
        fs::write(&bed, [line(10), line(11), line(60), line(90)].concat()).expect("BED");
        let groups = directory.join(format!("{name}.groups"));
        let group = |(i, sample): (usize, &&str)| format!("{sample}\t{}\n", ["A", "A,B", "B"][i % 3]);
        fs::write(&groups, samples.iter().enumerate().map(group).collect::<String>()).expect("groups");
        let mut contigs: Vec<&str> = records.iter().map(|(contig, _)| *contig).collect();
        contigs.dedup();
        let (map, fai) = (directory.join(format!("{name}.map")), directory.join(format!("{name}.fai")));
        let renamed = contigs.iter().map(|contig| format!("{contig} renamed_{contig}\n"));
        fs::write(&map, renamed.collect::<String>()).expect("map");
        let indexed = contigs.iter().map(|contig| format!("{contig}\t300000000\t6\t60\t61\n"));
        fs::write(&fai, indexed.chain(["other\t77\t6\t60\t61\n".to_owned()]).collect::<String>())
            .expect("fai");
        // Every seventh record, then every seventh from the second on, ...
        let shuffled = directory.join(format!("{name}.shuffled.vcf"));
        let (header, body): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
        let turns = (0..7).flat_map(|from| body.iter().skip(from).step_by(7));
        fs::write(&shuffled, header.iter().chain(turns).map(|line| format!("{line}\n")).collect::<String>())
            .expect("shuffled");
        let list = directory.join(format!("{name}.list"));
        fs::write(&list, format!("{0}\n{0}\n", plain.display())).expect("list");
        let words = vec![
            ("{list}", utf8(&list)),
            ("{shuffled}", utf8(&shuffled)),
            ("{groups}", utf8(&groups)),
            ("{plain}", utf8(&plain)),
            ("{names}", samples.iter().map(|name| format!("new{name}")).collect::<Vec<_>>().join(",")),
            ("{map}", utf8(&map)),
            ("{fai}", utf8(&fai)),
            ("{first}", samples.first().copied().unwrap_or("none").to_owned()),
            ("{last}", samples.last().copied().unwrap_or("none").to_owned()),
            ("{region}", [region(20), region(70)].join(",")),
            ("{bed}", utf8(&bed)),
        ];
        Self { name, plain, packed, binary, words }
    }

    /// The words of a case.
    fn fill(&self, case: &str) -> Vec<String> {
        let mut words = Vec::new();
        for word in case.split(' ') {
            let filled =
                self.words.iter().fold(word.to_owned(), |word, (brace, value)| word.replace(brace, value));
            words.push(filled);
        }
        if !["query", "sort", "reheader"].iter().any(|command| case.starts_with(command)) {
            words.insert(1, "--no-version".to_owned());
        }
        if !["{}", "{shuffled}", "{plain}", "{list}"].iter().any(|file| case.contains(file)) {
            words.push("{}".to_owned());
        }
        words
    }
}

fn with_file(words: &[String], file: &Path) -> Vec<String> {
    words.iter().map(|word| if word == "{}" { utf8(file) } else { word.clone() }).collect()
}

/// bcftools has some of our commands as options of `annotate`.
fn ours_of(mut words: Vec<String>) -> Vec<String> {
    if words[0] == "annotate" {
        words.remove(0);
        match words.iter().position(|word| word == "--set-id") {
            Some(at) => drop(words.remove(at)),
            None => words
                .iter_mut()
                .filter(|word| *word == "--rename-chrs")
                .for_each(|word| *word = "--map".to_owned()),
        }
        let command = if words.iter().any(|word| word == "--map") { "rename-contigs" } else { "set-id" };
        words.insert(0, command.to_owned());
    }
    words
}

#[test]
fn commands_are_those_of_bcftools() {
    let Some(python) = has("bcftools").then(bcftools::python).flatten() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut jobs = Vec::new();
    let mut cases = Vec::new();
    for original in inputs() {
        let input = Rc::new(Input::new(&original, directory.path()));
        // NORN_CASES=word runs those alone that have the word.
        let wanted = std::env::var("NORN_CASES").unwrap_or_default();
        for case in CASES.iter().filter(|case| case.contains(&wanted)) {
            let out = directory.path().join(format!("{}.out", jobs.len()));
            let words = input.fill(case);
            jobs.push(bcftools::Job { words: with_file(&words, &input.packed), out });
            cases.push((Rc::clone(&input), words));
        }
    }
    let results = bcftools::run(&python, &jobs);
    let mut failures = Vec::new();
    for (number, ((input, words), (job, result))) in cases.iter().zip(jobs.iter().zip(results)).enumerate() {
        // Inputs, forms and threads take turns: all meet all over the table.
        let is_behind_file = words.last().is_some_and(|word| word.contains(':') && word.contains('-'));
        let needs_index = is_behind_file || words.iter().any(|word| word == "-r" || word == "-R");
        let file = [&input.packed, &input.binary, &input.plain][number % if needs_index { 2 } else { 3 }];
        let threads = ["1", "2", "3", "7"][number % 4];
        let mut arguments = vec!["variants".to_owned()];
        arguments.extend(ours_of(with_file(words, file)));
        arguments.splice(2..2, ["--quiet".into(), "--threads".into(), threads.into()]);
        let ours = norn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let name = format!("{} {}", input.name, words.join(" "));
        match result {
            Some(_) if !ours.status.success() => {}
            Some(error) => failures.push(format!("{name}: bcftools refuses it: {error}")),
            None if !ours.status.success() => {
                failures.push(format!("{name}: {}", String::from_utf8_lossy(&ours.stderr)));
            }
            None => {
                let theirs = String::from_utf8_lossy(&fs::read(&job.out).expect("output")).into_owned();
                if let Some(difference) = difference(&theirs, &String::from_utf8_lossy(&ours.stdout)) {
                    failures.push(format!("{name} ({}, {threads} threads): {difference}", utf8(file)));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn forms_hold_the_same_records_and_have_an_index_that_bcftools_reads() {
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    for original in inputs() {
        let input = Input::new(&original, directory.path());
        let expected = text(&input.plain);
        for (form, ending, index) in [
            ("v", "vcf", ""),
            ("z", "vcf.gz", "csi"),
            ("z1", "vcf.gz", "tbi"),
            ("b", "bcf", "csi"),
            ("u", "bcf", ""),
        ] {
            for (threads, from) in [("1", &input.plain), ("3", &input.binary), ("2", &input.packed)] {
                let out = directory.path().join(format!("out.{ending}"));
                let _ = fs::remove_file(directory.path().join(format!("out.{ending}.{index}")));
                let write = format!("-W={index}");
                let mut arguments = vec![
                    "variants",
                    "view",
                    "--no-version",
                    "--quiet",
                    "--threads",
                    threads,
                    "-O",
                    form,
                    "-o",
                ];
                let (out, from) = (utf8(&out), utf8(from));
                arguments.extend([out.as_str(), from.as_str()]);
                if !index.is_empty() {
                    arguments.push(&write);
                }
                norn_ok(&arguments);
                let theirs = peer("bcftools", &["view", "--no-version", &out]);
                assert_eq!(difference(&expected, &theirs), None, "{} to {form} from {from}", input.name);
                if !index.is_empty() {
                    let region =
                        &input.words.iter().find(|(brace, _)| *brace == "{region}").expect("region").1;
                    let arguments = ["view", "--no-version", "-r", region.as_str()];
                    let theirs = peer("bcftools", &[&arguments[..], &[&out]].concat());
                    let expected = peer("bcftools", &[&arguments[..], &[&utf8(&input.packed)]].concat());
                    assert_eq!(difference(&expected, &theirs), None, "{} {form} {index}", input.name);
                }
                for file in ["vcf.gz.csi", "vcf.gz.tbi", "bcf.csi"] {
                    let _ = fs::remove_file(directory.path().join(format!("out.{file}")));
                }
            }
        }
    }
}

#[test]
fn records_pass_through_byte_for_byte() {
    for input in inputs() {
        let ours = norn_ok(&["variants", "view", "--quiet", "-H", input.to_str().expect("UTF-8")]).stdout;
        assert_eq!(difference(&without_comments(&text(&input)), &String::from_utf8_lossy(&ours)), None);
    }
}

#[test]
fn bad_files_are_told_in_a_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let good = fs::read(root().join("testdata/trio.truth.vcf.gz")).expect("testdata");
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("empty.vcf", Vec::new(), "empty"),
        ("text.vcf", b"hello\n".to_vec(), "no VCF"),
        ("columns.vcf", b"##fileformat=VCFv4.2\n".to_vec(), "#CHROM"),
        ("short.vcf", format!("{head}1\t5\t.\tA\n").into_bytes(), "line 3"),
        (
            "position.vcf",
            format!("{head}1\t5\t.\tA\tC\t.\t.\t.\n1\tx\t.\tA\tC\t.\t.\t.\n").into_bytes(),
            "line 4",
        ),
        ("truncated.vcf.gz", good[..good.len() / 2].to_vec(), "truncated"),
    ];
    for (name, bytes, expected) in cases {
        let (input, out) = (directory.path().join(name), directory.path().join("out.vcf"));
        fs::write(&input, bytes).expect("input");
        let arguments = [&input, &out].map(|path| path.to_str().expect("UTF-8"));
        let output = norn(&["variants", "view", "--quiet", "-o", arguments[1], arguments[0]]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {said}");
        assert!(said.contains(name) && said.contains(expected), "{name}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{name}: {said}");
        assert!(!out.exists(), "{name} leaves a result");
    }
}

/// Debian's bcftools has no random targets; the numbers are those that bcftools 1.23, built from its source, says, whose
/// output was compared byte for byte by hand.
#[test]
fn genotypes_are_drawn_as_bcftools_draws_them() {
    for (options, filled) in [
        ("-t r:0.3 -n .", 3409),
        ("-t r:0.5 -t . -n 0 -s 7", 111),
        ("-t r:0.9 -t q -n 0 -i GT=\"het\" -s 3", 4646),
    ] {
        for threads in ["1", "3"] {
            let mut arguments = vec!["variants", "+setGT", "--quiet", "--threads", threads];
            arguments.extend(["testdata/trio.truth.vcf.gz", "--"]);
            arguments.extend(options.split(' '));
            let output = norn(&arguments);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(said, format!("Filled {filled} alleles\n"), "{options}");
        }
    }
}
