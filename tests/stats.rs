//! `norn variants stats` beside bcftools 1.24 of pysam.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::variant_files::{thinned, utf8, variant_files};
use common::*;

/// Options, words apart by blanks; each set runs on each input. `{..}` is filled in for the input.
const CASES: &[&str] = &[
    "",
    "-1",
    "-s -",
    "-s - -1",
    "-s {first}",
    "-S {names}",
    "-s - -I",
    "-I",
    "-s - -d 0,100,5",
    "-d 10,20,3",
    "--af-bins 0.1,0.5,1",
    "-s - --af-bins {bins}",
    "--af-tag AF",
    "-s - --af-tag AF --af-bins 0,0.01,0.05,0.5,1",
    "-i QUAL>30",
    "-e QUAL>30",
    "-s - -e GT=\"het\"",
    "-f PASS",
    "-f .,PASS",
    "-s - -E {exons}",
    "-E {exons} -1 -I",
    "-u DP:0:100:20",
    "-u DP -u AF[0]:0:1:10",
    "-u AF[1]:0:0.5:7",
    "-r {region}",
    "-s - -r {region} --regions-overlap 2",
    "-t {region}",
    "-t ^{region} -s -",
    "-T {bed}",
    "-R {bed} --regions-overlap 0",
    "-s - -F {fasta}",
    "-F {fasta} -I -1",
];

/// Options of two files, the second of which is the first one changed.
const OF_TWO: &[&str] = &[
    "",
    "-s -",
    "-s - -v",
    "-s - -c all",
    "-s - -c both -v",
    "-c snps",
    "-c indels",
    "-c some -s -",
    "-c none -s {first}",
    "-S {names} -1",
    "-s - --af-bins {bins} -d 0,100,5",
    "-s - --af-tag AF",
    "-s - -i QUAL>30",
    "-e QUAL>30",
    "-f PASS,.",
    "-s - -E {exons}",
    "-u DP:0:100:20",
    "-s - -r {region}",
    "-s - -R {bed} --regions-overlap 0",
    "-t {region}",
    "-T ^{bed} -s -",
    "-s - -F {fasta}",
];

/// Records that real files do not have: odd alleles, missing and contradictory values, every ploidy.
const ODD: &str = "##fileformat=VCFv4.2
##contig=<ID=demo1,length=150000>
##FILTER=<ID=q10,Description=\"\">
##INFO=<ID=DP,Number=1,Type=Integer,Description=\"\">
##INFO=<ID=AC,Number=A,Type=Integer,Description=\"\">
##INFO=<ID=AN,Number=1,Type=Integer,Description=\"\">
##INFO=<ID=AF,Number=A,Type=Float,Description=\"\">
##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"\">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"\">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2\ts3
demo1\t100\t.\tA\tG\t30\tPASS\tDP=10;AF=0.5\tGT:AD:DP\t0/1:5,5:10\t0/0:9,0:9\t1/1:0,7:7
demo1\t110\trs1\tA\tC,G\t30.05\tPASS\tDP=600;AF=0.1,0.9\tGT:AD:DP\t1/2:1,5,5:11\t0/2:3,0,4:7\t./.
demo1\t120\t.\tAC\tA\t.\t.\tDP=.\tGT:AD:DP\t0|1:5,5:10\t1:0,3:3\t.:.:.
demo1\t130\trs2\tA\tATTT,AT\t0\tq10\tDP=0\tGT:AD\t1/2:0,4,6\t1/1:1,9,0\t0/0:5,.,.
demo1\t140\t.\tAC\tGT\t99999.9\tPASS\tAC=3;AN=6\tGT\t0/1\t1/1\t0/0
demo1\t150\t.\tA\t.\t12.34\tPASS\tDP=5\tGT:DP\t0/0:5\t0/0:.\t./.:0
demo1\t160\t.\tA\t*\t100000\tPASS\tDP=5\tGT:AD\t0/1:2,3\t1/1:0,2\t0/0:4,0
demo1\t170\t.\tA\tG,*\t100001.7\tPASS\tDP=7\tGT:AD\t1/2:1,3,3\t0/2:1,0,2\t0/1:1,2,0
demo1\t180\t.\tN\tA\t5\tPASS\t.\tGT\t0/1\t0/0\t0/0
demo1\t190\t.\ta\tg\t5\tPASS\tAC=1;AN=6\tGT\t0/1\t0/0\t0/0
demo1\t200\t.\tACG\tATG\t5\tPASS\t.\tGT:AD\t0/1:3,4\t0/0:3,0\t0/0:2,0
demo1\t210\t.\tA\tC,ACC\t1e9\tPASS\tAC=2,1;AN=6\tGT\t1/2\t0/1\t0/0
demo1\t220\t.\tA\tG\t-3\tPASS\tAC=0;AN=0\tGT\t./.\t./.\t./.
demo1\t230\t.\tA\tG,T\t5\tPASS\tAC=2;AN=6\tGT\t0/1\t0/2\t0/0
demo1\t240\t.\tA\tG\t5\tPASS\tAC=.;AN=6\tGT\t0/1/1\t0\t1
demo1\t250\t.\tAGGG\tA,AG\t5\tPASS\tAF=0.25\tGT:AD\t0/1/2:1,2,3\t2/2:1,0,9\t0/2:1,0,0
demo1\t260\t.\tA\tT\tnan\tPASS\t.\tDP:AD\t4:1,3\t0:0,0\t.:.
demo1\t270\t.\tACT\tTCGA\t5\tPASS\tDP=1,2\tGT\t0/1\t1/1\t0/0
demo1\t280\t.\tA\tA\t5\tPASS\tDP=499\tGT\t0/1\t1/1\t0/0
demo1\t290\t.\tC\tT\t214748364.7\tPASS\tDP=500\tGT\t0/1\t1/1\t0/0
demo1\t300\t.\tC\tT\t3e9\tPASS\tDP=501\tGT\t0/0\t0/0\t0|1
";

/// An input in three forms, and what stands for the braces.
struct Input {
    name: String,
    forms: [PathBuf; 3],
    words: Vec<(&'static str, String)>,
    has_frequencies: bool,
    has_depths: bool,
    has_samples: bool,
}

fn inputs() -> Vec<PathBuf> {
    variant_files(&[
        "HG002.chr20.TR.truth.vcf.gz",
        "PG_NA12878_hg38-chr21.vcf.gz",
        "CEUtrio.GRCh38.vcf.gz",
        "NA12878.g.vcf.gz",
        "1kg.sites.z.vcf.gz",
        "NO.bcftools.vcf.gz",
        "NO.freebayes.vcf.gz",
        "threeSamples.MT.g.vcf.gz",
    ])
}

impl Input {
    /// At most 5,000 records, evenly taken.
    fn new(name: &str, text: &str, directory: &Path) -> Self {
        let text = thinned(text, 5_000);
        let forms = ["vcf", "vcf.gz", "bcf"].map(|ending| directory.join(format!("{name}.{ending}")));
        fs::write(&forms[0], &text).expect("input");
        for (form, file) in [("-Oz", &forms[1]), ("-Ob", &forms[2])] {
            peer("bcftools", &["view", "--no-version", form, "-o", &utf8(file), &utf8(&forms[0])]);
            peer("bcftools", &["index", &utf8(file)]);
        }
        let columns = text.lines().find(|line| line.starts_with("#CHROM")).expect("columns");
        let samples: Vec<&str> = columns.split('\t').skip(9).collect();
        let places: Vec<(&str, u64)> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let mut columns = line.split('\t');
                Some((columns.next()?, columns.next()?.parse().ok()?))
            })
            .collect();
        let at = |share: usize| places[(places.len() - 1) * share / 100];
        let region = |share: usize| format!("{}:{}-{}", at(share).0, at(share).1 + 1, at(share).1 + 20_000);
        let write = |ending: &str, text: String| {
            let path = directory.join(format!("{name}.{ending}"));
            fs::write(&path, text).expect("file");
            utf8(&path)
        };
        let bed = |share: usize| format!("{}\t{}\t{}\n", at(share).0, at(share).1, at(share).1 + 3_000);
        // Exons that begin before, at and behind every fifth record; some overlap, some abut.
        let mut exons = Vec::new();
        for (i, (contig, position)) in places.iter().enumerate().step_by(5) {
            let from = position.saturating_sub((i % 7) as u64).max(1);
            exons.push((*contig, from, from + (i % 11) as u64));
        }
        let exons: String = exons.iter().map(|(c, from, to)| format!("{c}\t{from}\t{to}\n")).collect();
        let packed = directory.join(format!("{name}.exons.gz"));
        let mut writer = noodles::bgzf::io::Writer::new(fs::File::create(&packed).expect("exons"));
        writer.write_all(exons.as_bytes()).expect("exons");
        writer.finish().expect("exons");
        let words = vec![
            ("{first}", samples.first().copied().unwrap_or("none").to_owned()),
            ("{names}", write("names", samples.iter().map(|name| format!("{name}\n")).collect())),
            ("{bins}", write("bins", "0.25\n0.5\n0.75\n".to_owned())),
            ("{region}", [region(20), region(70)].join(",")),
            ("{bed}", write("bed", [bed(10), bed(11), bed(60), bed(90)].concat())),
            ("{exons}", utf8(&packed)),
            ("{fasta}", utf8(&root().join("testdata/genome.fa"))),
        ];
        let declares = |what: &str, kind: &str| {
            let begin = format!("##INFO=<ID={what},");
            text.lines().any(|line| line.starts_with(&begin) && line.contains(&format!("Type={kind}")))
        };
        Self {
            name: name.to_owned(),
            forms,
            words,
            has_frequencies: declares("AF", "Float"),
            has_depths: declares("DP", "Integer"),
            has_samples: !samples.is_empty(),
        }
    }

    /// The words of a case; `None` where the input has not what it needs.
    fn fill(&self, case: &str) -> Option<Vec<String>> {
        let has_reference = self.name.starts_with("trio") || self.name.starts_with("sites");
        let lacks = (!self.has_samples && (case.contains("-s ") || case.contains("-S ")))
            || (!self.has_frequencies && case.contains("AF"))
            || (!self.has_depths && case.contains("DP"))
            || (!has_reference && case.contains("{fasta}"))
            || (self.words[0].1.is_empty() && case.contains("{first}"));
        let fill = |word: &str| {
            self.words.iter().fold(word.to_owned(), |word, (brace, value)| word.replace(brace, value))
        };
        (!lacks).then(|| case.split(' ').filter(|word| !word.is_empty()).map(fill).collect())
    }
}

/// All but the lines that name version and command.
fn comparable(text: &str) -> String {
    let is_named = |line: &&str| !line.starts_with("# This file was") && !line.starts_with("# The command");
    text.lines().filter(is_named).map(|line| format!("{line}\n")).collect()
}

/// A file that differs: each seventh record has other genotypes, each fifth is not there, and some have another ALT. Records
/// without an ALT go: with them what bcftools 1.24 counts depends on the record before.
fn changed(text: &str) -> String {
    let mut number = 0;
    let mut out = String::new();
    for line in text.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        number += usize::from(!line.starts_with('#'));
        let line = match columns[..] {
            _ if line.starts_with('#') => line.to_owned(),
            [_, _, _, _, ".", ..] => continue,
            _ if number % 5 == 0 => continue,
            _ if number % 7 == 0 => line.replace("0|1", "1|1").replace("0/1", "0/0").replace("1/1", "./."),
            [_, _, _, "C", "T", ..] if number % 11 < 4 => line.replacen("\tC\tT\t", "\tC\tA\t", 1),
            _ => line.to_owned(),
        };
        out += &line;
        out.push('\n');
    }
    out
}

/// An input and the words of a case for it, with a name.
type Case = (String, Vec<String>);

#[test]
fn counts_are_those_of_bcftools() {
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut all = vec![Input::new("odd", ODD, directory.path())];
    for original in inputs() {
        let name = utf8(Path::new(original.file_name().expect("name")));
        let text = peer("bcftools", &["view", "--no-version", &utf8(&original)]);
        all.push(Input::new(&name, &text, directory.path()));
    }
    let mut cases: Vec<Case> = Vec::new();
    for input in &all {
        for case in CASES {
            let Some(words) = input.fill(case) else { continue };
            // Forms and threads take turns.
            let needs_index = case.contains("-r ") || case.contains("-R ");
            let form = if needs_index { 1 + cases.len() % 2 } else { cases.len() % 3 };
            let words = [vec!["stats".to_owned()], words, vec![utf8(&input.forms[form])]].concat();
            cases.push((format!("{} {case}", input.name), words));
        }
    }
    for input in &all {
        let text = fs::read_to_string(&input.forms[0]).expect("input");
        let other = Input::new(&format!("other.{}", input.name), &changed(&text), directory.path());
        for case in OF_TWO {
            let Some(words) = input.fill(case) else { continue };
            let (form, form_of_other) = (1 + cases.len() % 2, 1 + cases.len() / 2 % 2);
            let files = vec![utf8(&input.forms[form]), utf8(&other.forms[form_of_other])];
            cases.push((
                format!("two {} {case}", input.name),
                [vec!["stats".to_owned()], words, files].concat(),
            ));
        }
    }
    compare(&cases, directory.path());
}

fn compare(cases: &[Case], directory: &Path) {
    let Some(python) = bcftools::python() else { return };
    let wanted = std::env::var("NORN_CASES").unwrap_or_default();
    let cases: Vec<&Case> = cases.iter().filter(|(name, _)| name.contains(&wanted)).collect();
    let out = |number: usize| directory.join(format!("{number}.out"));
    let job = |(number, case): (usize, &&Case)| bcftools::Job { words: case.1.clone(), out: out(number) };
    let jobs: Vec<_> = cases.iter().enumerate().map(job).collect();
    let results = bcftools::run(&python, &jobs);
    let mut failures = Vec::new();
    for (number, ((name, words), (job, result))) in
        cases.iter().map(|case| (&case.0, &case.1)).zip(jobs.iter().zip(results)).enumerate()
    {
        let mut arguments: Vec<&str> = vec!["variants"];
        arguments.extend(words.iter().map(String::as_str));
        arguments.splice(2..2, ["--quiet", "--threads", ["1", "2", "3", "7"][number % 4]]);
        let ours = norn(&arguments);
        match result {
            Some(_) if !ours.status.success() => {}
            Some(error) => failures.push(format!("{name}: bcftools refuses it: {error}")),
            None if !ours.status.success() => {
                failures.push(format!("{name}: {}", String::from_utf8_lossy(&ours.stderr)));
            }
            None => {
                let theirs = comparable(&String::from_utf8_lossy(&fs::read(&job.out).expect("output")));
                let ours = comparable(&String::from_utf8_lossy(&ours.stdout));
                failures.extend(difference(&theirs, &ours).map(|d| format!("{name}: {d}")));
            }
        }
    }
    eprintln!("{} cases beside bcftools stats", cases.len());
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Sites without an alternate allele have no genotypes to compare. bcftools 1.24 means to leave them out, but takes them
/// for indels of the frequency that the record before has. By hand: one SNP, at which both are heterozygous.
#[test]
fn genotypes_of_sites_without_an_alternate_allele_are_not_compared() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("one.vcf");
    let records: String =
        ODD.lines().filter(|line| line.starts_with('#')).map(|l| format!("{l}\n")).collect();
    let records = records
        + "demo1\t10\t.\tA\tG\t.\t.\t.\tGT\t0/1\t./.\t./.\ndemo1\t20\t.\tA\t.\t.\t.\t.\tGT\t0/0\t0/0\t0/0\n";
    fs::write(&path, records).expect("input");
    let file = utf8(&path);
    for threads in ["1", "2", "7"] {
        let words = ["variants", "stats", "--quiet", "-v", "--threads", threads, "-s", "s1", &file, &file];
        let report = norn_ok(&words).stdout;
        let report = String::from_utf8_lossy(&report);
        let lines = |tag: &str| report.lines().filter(|line| line.starts_with(tag)).collect::<Vec<_>>();
        assert_eq!(lines("PSD\t"), ["PSD\tdemo1\t10\t1\t0\t0.000000"]);
        let table = |counts: &str| format!("s1\t{counts}");
        let none = ["0"; 25].join("\t");
        let one = none.replacen("0\t0\t0\t0\t0\t0\t0", "0\t0\t0\t0\t0\t0\t1", 1);
        assert_eq!(lines("GCTs\t"), [format!("GCTs\t{}", table(&one))]);
        assert_eq!(lines("GCTi\t"), [format!("GCTi\t{}", table(&none))]);
    }
}

/// Depths of a sample are its own. bcftools 1.24 takes those of the sample that stands at its place in the file, so the
/// oracle is bcftools on a file that has these samples alone.
#[test]
fn depths_are_those_of_the_sample() {
    let Some(python) = has("bcftools").then(bcftools::python).flatten() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let whole = directory.path().join("odd.vcf");
    fs::write(&whole, ODD).expect("input");
    let chosen = directory.path().join("chosen.vcf");
    let text = peer("bcftools", &["view", "--no-version", "-I", "-s", "s3,s1", &utf8(&whole)]);
    // Frequencies are those of all samples, so records need AC and AN of the whole file: those without go.
    let keeps = |line: &&str| line.starts_with('#') || line.contains("AN=");
    let lines = |text: &str| text.lines().filter(keeps).map(|line| format!("{line}\n")).collect::<String>();
    fs::write(&chosen, lines(&text)).expect("input");
    fs::write(&whole, lines(ODD)).expect("input");
    let out = directory.path().join("theirs");
    let words = ["stats", "-s", "-", &utf8(&chosen)].map(str::to_owned).to_vec();
    assert_eq!(bcftools::run(&python, &[bcftools::Job { words, out: out.clone() }]), [None]);
    let theirs = fs::read_to_string(&out).expect("output");
    let is_of_genotypes = |line: &&str| ["PSC", "PSI", "VAF", "IDD"].iter().any(|tag| line.starts_with(tag));
    let of_genotypes =
        |text: &str| text.lines().filter(is_of_genotypes).map(str::to_owned).collect::<Vec<_>>();
    let ours = norn_ok(&["variants", "stats", "--quiet", "-s", "s3,s1", &utf8(&whole)]).stdout;
    assert_eq!(of_genotypes(&String::from_utf8_lossy(&ours)), of_genotypes(&theirs));
    // ^ leaves samples out, which bcftools stats refuses.
    let without = norn_ok(&["variants", "stats", "--quiet", "-s", "^s2", &utf8(&whole)]).stdout;
    let named = norn_ok(&["variants", "stats", "--quiet", "-s", "s1,s3", &utf8(&whole)]).stdout;
    assert_eq!(without, named);
}

#[test]
fn options_and_records_that_make_no_sense_are_refused() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("odd.vcf");
    fs::write(&path, ODD).expect("input");
    let file = utf8(&path);
    for (options, code, said) in [
        (&["-d", "5,1,1"][..], 2, "--depth"),
        (&["-d", "0,10,0"], 2, "--depth"),
        (&["--af-bins", "0.5,0.1"], 2, "--af-bins"),
        (&["--af-bins", "0,2"], 2, "--af-bins"),
        (&["--af-tag", "NOPE"], 3, "INFO/NOPE"),
        (&["-u", "NOPE"], 3, "INFO/NOPE"),
        (&["-u", "DP:1:0"], 2, "--user-tstv"),
        (&["-s", "nobody"], 2, "--samples"),
        (&["-I", &file], 2, "--split-by-ID"),
        (&["-c", "id", &file], 2, "--collapse"),
        (&["-E", "nowhere.tsv"], 3, "nowhere.tsv"),
        (&["-F", &utf8(&root().join("testdata/genome.fa"))], 3, "demo1:"),
    ] {
        let output = norn(&[&["variants", "stats", "--quiet"], options, &[&file]].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{options:?}: {error}");
        let is_of_clap = error.starts_with("error: ");
        let is_one_line = is_of_clap || error.trim_end().lines().count() == 1;
        assert!(error.contains(said) && is_one_line, "{options:?}: {error}");
    }
    // bcftools stops with a segmentation fault at a missing frequency; it counts as unknown.
    fs::write(&path, ODD.replace("AF=0.25", "AF=.,0.5")).expect("input");
    let report = norn_ok(&["variants", "stats", "--quiet", "--af-tag", "AF", &file]).stdout;
    assert!(String::from_utf8_lossy(&report).contains("SN\t0\tnumber of records:\t21\n"));
}

#[test]
fn multiqc_reads_the_report() {
    let multiqc = root().join("target/venv/bin/multiqc");
    if !multiqc.is_file() {
        assert!(!is_ci(), "multiqc is not installed");
        eprintln!("skipped: multiqc is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let (counts, report) = (directory.path().join("counts"), directory.path().join("report"));
    fs::create_dir(&counts).expect("directory");
    let input = utf8(&root().join("testdata/trio.truth.vcf.gz"));
    let out = utf8(&counts.join("trio.stats.txt"));
    norn_ok(&["variants", "stats", "--quiet", "-s", "-", "-o", &out, &input]);
    peer(&utf8(&multiqc), &["--quiet", "-o", &utf8(&report), &utf8(&counts)]);
    let read = fs::read_to_string(report.join("multiqc_data/multiqc_bcftools_stats.txt")).expect("MultiQC");
    let mut lines = read.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let records = names.iter().position(|name| *name == "number_of_records").expect("records");
    let theirs = peer("bcftools", &["view", "-H", &input]).lines().count();
    assert_eq!(values[records].parse::<f64>().expect("number"), theirs as f64);
}

#[test]
fn a_step_of_a_chain_counts_what_passes_it() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let [input, chain, counts, out, kept] =
        ["in.vcf", "chain.toml", "counts.txt", "out.vcf", "kept.vcf"].map(|name| directory.path().join(name));
    fs::write(&input, ODD).expect("input");
    let steps = format!(
        "[[step]]\ndo = \"include\"\nexpression = \"QUAL>10\"\n[[step]]\ndo = \"stats\"\noutput = {:?}\nsamples = \"-\"\n",
        utf8(&counts)
    );
    fs::write(&chain, steps).expect("chain");
    let files = [&chain, &input, &out, &kept].map(|path| utf8(path));
    norn_ok(&["variants", "run", "--quiet", "--no-version", "-o", &files[2], &files[0], &files[1]]);
    norn_ok(&["variants", "view", "--quiet", "--no-version", "-i", "QUAL>10", "-o", &files[3], &files[1]]);
    let passed = |path: &Path| without_comments(&fs::read_to_string(path).expect("output"));
    assert_eq!(difference(&passed(&kept), &passed(&out)), None);
    // The counts are those of the command on what passes.
    let alone = norn_ok(&["variants", "stats", "--quiet", "-s", "-", &files[3]]).stdout;
    let without_name = |text: &str| {
        text.lines()
            .filter(|line| !line.starts_with("ID\t"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let ours = fs::read_to_string(&counts).expect("counts");
    assert_eq!(difference(&without_name(&String::from_utf8_lossy(&alone)), &without_name(&ours)), None);
}
