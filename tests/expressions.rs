//! Filter expressions and query formats beside bcftools 1.24, which pysam brings along.
//!
//! NORN_PYSAM names a Python that has pysam (0.24 or later); without it target/venv's is used. Every expression runs on
//! every input through `bcftools query` with -i and -e, which tells the sites and the samples that pass.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::variant_files::{thinned, variant_files};
use common::*;
use norn::formats::vcf::header::Header;
use norn::formats::vcf::record::Record;
use norn::records::expression::{Expression, Scratch};

/// So many records of a file are enough.
const RECORDS: usize = 1500;

/// Runs bcftools on every file for each line of its input, and prints the results as JSON, one list a line. It runs in
/// processes of their own, because bcftools ends the process on some errors; then the files behind go to another one.
const DRIVER: &str = r#"
import json, os, sys, tempfile
import pysam, pysam.bcftools, pysam.version
version = tuple(int(part) for part in pysam.version.__bcftools_version__.split(".")[:2])
if version < (1, 24):
    print("old")
    sys.exit(0)
print("ready")
for line in sys.stdin:
    run = json.loads(line)
    results = []
    while len(results) < len(run["files"]):
        with tempfile.NamedTemporaryFile() as out:
            child = os.fork()
            if child == 0:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                with open(out.name, "w") as file:
                    for path in run["files"][len(results):]:
                        try:
                            result = [True, pysam.bcftools.query(*run["arguments"], path)]
                        except BaseException as error:
                            result = [False, str(error)]
                        print(json.dumps(result), file=file, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            results += [json.loads(text) for text in out.read().decode().splitlines()]
            if len(results) < len(run["files"]):
                results.append([None, "it crashed"])
    print(json.dumps(results), flush=True)
"#;

/// What bcftools makes of its arguments: its output, its error, or nothing where it crashed.
#[derive(Debug, Clone, PartialEq)]
enum Peer {
    Done(String),
    Refused(String),
    Crashed,
}

/// `bcftools query` of 1.24 with many lists of arguments, each on all files; `None` where it is not there.
fn bcftools(runs: &[Vec<String>], files: &[PathBuf]) -> Option<Vec<Vec<Peer>>> {
    let python =
        std::env::var_os("NORN_PYSAM").map_or_else(|| root().join("target/venv/bin/python3"), PathBuf::from);
    let started = Command::new(&python)
        .args(["-c", DRIVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = started else {
        assert!(!is_ci(), "no Python with pysam");
        eprintln!("skipped: no Python with pysam (NORN_PYSAM)");
        return None;
    };
    let mut input = child.stdin.take().expect("stdin");
    let line = |run: &Vec<String>| serde_json::json!({ "arguments": run, "files": files }).to_string() + "\n";
    let lines: String = runs.iter().map(line).collect();
    let writer = std::thread::spawn(move || drop(input.write_all(lines.as_bytes())));
    let output = child.wait_with_output().expect("Python ends");
    writer.join().expect("writer");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    if lines.next() != Some("ready") {
        assert!(!is_ci(), "pysam 0.24 or later is not installed");
        eprintln!("skipped: pysam with bcftools 1.24 is not installed (NORN_PYSAM)");
        return None;
    }
    let result = |(is_done, text): (Option<bool>, String)| match is_done {
        Some(true) => Peer::Done(text),
        Some(false) => Peer::Refused(text),
        None => Peer::Crashed,
    };
    let results: Vec<Vec<Peer>> = lines
        .map(|line| serde_json::from_str::<Vec<(Option<bool>, String)>>(line).expect("JSON"))
        .map(|results| results.into_iter().map(result).collect())
        .collect();
    assert_eq!(results.len(), runs.len());
    Some(results)
}

/// A file with what real ones have: lists of wrong length, missing values, odd ploidies, breakends and symbols.
fn dirty() -> String {
    let mut text = String::from("##fileformat=VCFv4.2\n##contig=<ID=1,length=5000000>\n##contig=<ID=X>\n");
    for id in ["q10", "s50", "A", "B"] {
        text += &format!("##FILTER=<ID={id},Description=\"\">\n");
    }
    for (id, number, kind) in [
        ("DP", "1", "Integer"),
        ("AC", "A", "Integer"),
        ("AN", "1", "Integer"),
        ("AF", "A", "Float"),
        ("MQ", "1", "Float"),
        ("DP4", "4", "Integer"),
        ("DB", "0", "Flag"),
        ("S", "1", "String"),
        ("L", ".", "String"),
        ("AD", "R", "Integer"),
        ("END", "1", "Integer"),
        ("SVLEN", "A", "Integer"),
        ("Q2", "2", "Float"),
    ] {
        text += &format!("##INFO=<ID={id},Number={number},Type={kind},Description=\"\">\n");
    }
    for (id, number, kind) in [
        ("GT", "1", "String"),
        ("GQ", "1", "Integer"),
        ("FDP", "1", "Integer"),
        ("FAD", "R", "Integer"),
        ("ADF", "R", "Integer"),
        ("ADR", "R", "Integer"),
        ("PL", "G", "Integer"),
        ("GP", "G", "Float"),
        ("FT", "1", "String"),
        ("TL", ".", "String"),
        ("F4", "4", "Integer"),
        ("VAF", "A", "Float"),
    ] {
        text += &format!("##FORMAT=<ID={id},Number={number},Type={kind},Description=\"\">\n");
    }
    text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2\ts3\n";
    let full = "GT:GQ:FDP:FAD:ADF:ADR:PL:GP:FT:TL:F4:VAF";
    let rows = [
        "1 100 rs1 A C 50 PASS DP=10;AC=2;AN=6;AF=0.333;MQ=60;DP4=3,4,2,1;DB;S=abc;L=x,y;AD=7,3;Q2=0.5,1.5 F 0/1:30:12:7,5:4,2:3,3:30,0,40:0.1,0.8,0.1:PASS:a,b:3,4,2,3:0.417 0/0:20:9:9,0:5,0:4,0:0,20,90:0.9,0.1,0:.:c:5,4,0,0:0 1|0:.:7:3,4:1,2:2,2:50,0,20:0.2,0.7,0.1:LowQ:a:1,2,2,2:0.571",
        "1 101 rs2;rs3 A G 29.9999 q10 DP=9;AC=1;AN=2;AF=0.1;MQ=59.2;S=. F ./.:.:.:.:.:.:.:.:.:.:.:. 0/0:99:100:100,0:50,0:50,0:0,99,999:1,0,0:PASS:x,y,z:50,50,0,0:0 1/1:99:80:1,79:0,40:1,39:999,99,0:0,0,1:PASS:.:0,1,40,39:0.9875",
        "1 102 . A T . . DP=.;AC=.;AN=.;AF=.;MQ=.;DP4=.;L=. GT:GQ 0/1:5 . ./1:7",
        "1 103 rs4 AC A 1e3 q10;s50 DP=0;AC=0;AN=0;DB=1;L=a,,b;S=ABC GT 0/0 0/0 0/0",
        "1 104 . A AT 0 s50;q10 DP=16777217;AC=3;AN=6;AF=0.5;L=x GT:GQ:FAD 0/1:1:5,5 0/1:2:0,0 0/1:3:10,0",
        "1 105 . A C,G 33.25 A;B DP=5;AC=1,2;AN=6;AF=0.1667,0.3333;AD=1,2,3;DP4=1,2,3,4;L=p,q,r;S=x,y F 0/1:10:6:1,2,3:1,1,1:0,1,2:1,2,3,4,5,6:0.1,0.2,0.3,0.1,0.2,0.1:f:t1,t2,t3:1,1,1,1:0.33,0.5 1/2:20:5:0,2,3:0,1,2:0,1,1:9,8,7,6,5,4:.:.:.:.:0.4,0.6 2/2:30:4:0,0,4:0,0,2:0,0,2:.,.,.,.,.,.:.:g,h:u:2,2,2,2:0,1",
        "1 106 . AC GT 12 PASS DP=7,8;AC=1;AN=6 GT:FDP:GQ 0|1:.:4 0/0:3 .:5:6",
        "1 107 . ACG TC 7.5 B DP;AC=1;AN=6;DB GT:TL 0/1:a,b,c 0/0:a 0/1:.",
        "1 108 . A . 60 PASS DP=3;AN=6 GT:GQ 0/0:50 0/0:40 0/0:.",
        "1 109 sv1 N <DEL> 100 PASS END=200;SVLEN=-91;AC=1;AN=6 GT:GQ 0/1:50 0/0:9 ./.:0",
        "1 110 sv2 N <DUP:TANDEM> . A SVLEN=30;AC=1;AN=6 GT 0/1 0/0 1/1",
        "1 111 bnd A A[1:500[ 5 . AC=1;AN=6 GT 0/1 0/0 0/0",
        "1 112 . A *,T 5 . AC=1,1;AN=6 GT:FAD 0/1:5,1,. 0/2:4,.,2 0/0:9",
        "1 113 . A <*> 5 . DP=1 GT:FDP 0/0:3 0/0:4 0/0:5",
        "1 114 . G <NON_REF> . . END=120;DP=4 GT:GQ:FDP 0/0:3:4 0/0:2:5 ./.:.:.",
        "1 115 . A C 3.4028e38 PASS AF=1e-10;MQ=1e10;Q2=.,2 GT 0/1/1 0/0/0 ./0/1",
        "1 116 . A C -5 PASS AF=0.3;MQ=-1.5;Q2=1,2,3;DP=-3 GT 0 1 .",
        "1 117 . a A 5 PASS AC=1;AN=3;L=abc,ABC GT 0|0 1|1 .|.",
        "1 118 . A C 5 PASS DP=12abc;MQ=1.5x;AC=x;AN=4;S=a+b|c GT:GQ 0/1:11 ./0:12 1/.:13",
        "X 1 . AAC GC 5 PASS DP=2147483647;AC=2;AN=3;S=missense;L=missense,stop GT:GQ:FT 1:5:PASS 0:6:q,r 1:.:.",
        "X 2 . CAAC AAC,C 25 q10 DP=2147483648;AC=2,1;AN=5;AF=0.4,0.2;AD=5,4,.;L=.,x GT:FAD:F4 0/1:10,5,0:1,2,3,4 1/2:.,3,4:.,1,1,1 1:1:2",
        "X 3 . A C 5 PASS AC=7;AN=8;AF=0.875;L=rs1 GT:GQ 1/1:0 1/1:100 1/1:16777217",
        "X 4 rs5 A C 45 PASS . GT:GP:VAF 0/1:0.05,0.9,0.05:0.1 0/0:1,0,0:. 1/1:.:0.99999",
        "X 5 . A C 45 PASS DP4=0,0,0,0;Q2=0.1,0.2;AC=0;AN=6 GT:F4:ADF:ADR 0/0:0,0,0,0:0,0:0,0 0/0:10,0,0,10:10,0:0,10 0/1:5,5,5,5:5,5:5,5",
        "X 6 . A C 45 PASS DP=1 . . . .",
    ];
    for row in rows {
        text += &row.replace(" F ", &format!(" {full} ")).replace(' ', "\t");
        text.push('\n');
    }
    text
}

/// Expressions for every input, without comments; where a tag is not declared both must refuse.
fn expressions() -> Vec<&'static str> {
    include_str!("expressions.txt").lines().filter(|line| !line.starts_with('#')).collect()
}

/// Where bcftools takes values of another record, if a record does not have the tag or the genotypes: these are compared
/// on files of one record only.
const READS_OTHERS: &[&str] = &[
    "sMAX", "sMIN", "sSUM", "sMEAN", "sAVG", "sMEDIAN", "sSTDEV", "sCOUNT", "SMPL_", "smpl_", "COUNT(",
    "binom", "fisher", "GT]",
];

/// The dirty file's records, each in a file of its own.
fn dirty_records(directory: &Path) -> Vec<PathBuf> {
    let text = dirty();
    let (header, records): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    let write = |(number, record): (usize, &&str)| {
        let path = directory.join(format!("dirty.{number}.vcf"));
        fs::write(&path, format!("{}\n{record}\n", header.join("\n"))).expect("dirty");
        path
    };
    records.iter().enumerate().map(write).collect()
}

/// Real files in plain text, so many records of each.
fn real_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let files = variant_files(&[
        "HG002.chr20.TR.truth.vcf.gz",
        "PG_NA12878_hg38-chr21.vcf.gz",
        "CEUtrio.GRCh38.vcf.gz",
        "NA12878.g.vcf.gz",
        "1kg.sv.chr22_chrY.gatk.vcf.gz",
        "NO.bcftools.vcf.gz",
        "NO.freebayes.vcf.gz",
    ]);
    for file in files {
        let name = file.file_name().expect("name").to_string_lossy().replace(".gz", "");
        let path = directory.join(name);
        fs::write(&path, thinned(&text(&file), RECORDS)).expect("input");
        found.push(path);
    }
    found
}

/// A file in memory.
struct Loaded {
    header: Header,
    records: Vec<Record>,
}

fn load(path: &Path) -> Loaded {
    let bytes = fs::read(path).expect("input");
    let header = Header::parse(&bytes).expect("header");
    let lines = bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty() && line[0] != b'#');
    let records = lines.map(|line| Record::parse(line).expect("record")).collect();
    Loaded { header, records }
}

/// The sites that pass with their samples that do, as `query -f` of [`FORMAT`] prints them.
fn passing(expression: &str, file: &Loaded, excludes: bool) -> Result<String, String> {
    let expression = Expression::compile(expression, &file.header).map_err(|error| error.to_string())?;
    let (mut out, mut scratch) = (String::new(), Scratch::default());
    for record in &file.records {
        let verdict = expression.test(record, &mut scratch).map_err(|error| error.to_string())?;
        let samples: Option<Vec<bool>> = verdict
            .samples
            .map(|samples| samples.iter().map(|passes| passes != &(excludes && verdict.site)).collect());
        let site = match (&samples, excludes) {
            (Some(samples), true) if verdict.site => samples.contains(&true),
            (_, excludes) => verdict.site != excludes,
        };
        if !site {
            continue;
        }
        out += &format!("{}:{}", String::from_utf8_lossy(record.chrom()), record.position() + 1);
        for (number, sample) in file.header.samples().iter().enumerate() {
            let passes =
                samples.as_ref().is_none_or(|samples| samples[number]) || (excludes && !verdict.site);
            if passes {
                out += &format!(" {sample}");
            }
        }
        out.push('\n');
    }
    Ok(out)
}

const FORMAT: &str = "%CHROM:%POS[ %SAMPLE]\\n";

#[test]
fn expressions_select_what_bcftools_selects_of_odd_records() {
    let directory = tempfile::tempdir().expect("temporary directory");
    assert!(expressions().len() >= 150);
    compare(&expressions(), &dirty_records(directory.path()));
}

#[test]
fn expressions_select_what_bcftools_selects_of_real_files() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let reads_others = |expression: &&str| READS_OTHERS.iter().any(|part| expression.contains(part));
    let own: Vec<&str> = expressions().into_iter().filter(|expression| !reads_others(expression)).collect();
    assert!(own.len() >= 150);
    compare(&own, &real_files(directory.path()));
}

/// Where a record lacks the tags of `fisher` or of `binom` with two, bcftools takes what happens to stand in memory, or stops.
fn lacks_counts(expression: &str, file: &Loaded) -> bool {
    let is_test = expression.contains("fisher(") || expression.contains("binom(FAD[");
    let lacks = |tag: &str| file.records.iter().any(|record| record.format_index(tag.as_bytes()).is_none());
    is_test && ["F4", "FAD", "ADF"].iter().any(|tag| expression.contains(tag) && lacks(tag))
}

/// Compares what passes each expression in each file, with -i and -e.
fn compare(expressions: &[&str], files: &[PathBuf]) {
    let runs: Vec<(&str, bool)> =
        expressions.iter().flat_map(|expression| [(*expression, false), (*expression, true)]).collect();
    let arguments = |&(expression, excludes): &(&str, bool)| {
        let option = if excludes { "-e" } else { "-i" };
        [option, expression, "-f", FORMAT].map(str::to_owned).into()
    };
    let Some(theirs) = bcftools(&runs.iter().map(arguments).collect::<Vec<_>>(), files) else { return };
    let loaded: Vec<Loaded> = files.iter().map(|path| load(path)).collect();
    let (mut compared, mut refused, mut crashed) = (0, 0, Vec::new());
    let mut differences = Vec::new();
    for ((expression, excludes), theirs) in runs.iter().zip(theirs) {
        for ((path, file), theirs) in files.iter().zip(&loaded).zip(theirs) {
            let name = path.file_name().expect("name").to_string_lossy();
            let what = format!("{name} {} {expression}", if *excludes { "-e" } else { "-i" });
            if lacks_counts(expression, file) {
                continue;
            }
            match (theirs, passing(expression, file, *excludes)) {
                (Peer::Done(theirs), Ok(ours)) => {
                    compared += 1;
                    differences.extend(difference(&theirs, &ours).map(|text| format!("{what}: {text}")));
                }
                (Peer::Refused(_), Err(_)) => refused += 1,
                (Peer::Crashed, _) => crashed.push(what),
                (Peer::Refused(theirs), Ok(_)) => {
                    differences.push(format!("{what}: they refuse it: {theirs}"));
                }
                (Peer::Done(_), Err(ours)) => differences.push(format!("{what}: we refuse it: {ours}")),
            }
        }
    }
    eprintln!(
        "{compared} results compared, {refused} refused by both; bcftools crashes on {}",
        crashed.len()
    );
    assert!(compared > 1000, "{compared} results compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// Formats of query on the dirty file and the others; where a tag is not declared both must refuse.
const FORMATS: &[&[&str]] = &[
    &["-f", "%CHROM %POS %POS0 %END %END0 %ID %REF %ALT %QUAL %FILTER"],
    &["-f", "%FIRST_ALT %ALT{0} %ALT{1} %TYPE %IS_TS %_CHROM_POS_ID %VKX"],
    &["-f", "%INFO"],
    &["-f", "%INFO/DP %DP %AC %AC{0} %AC{1} %AF %AF{1} %MQ %DB %S %S{1} %L %L{2}"],
    &["-f", "%LINE"],
    &["-f", "%FORMAT"],
    &["-f", "[%SAMPLE %GT %TGT %IUPACGT;]"],
    &["-f", "[%GQ %FAD %FAD{1} %GP %FT %TL %TL{1} %VAF{0};]\\n"],
    &["-f", "[%CHROM %/POS %INFO/AC{0} %S\\n]"],
    &["-f", "%POS[\\t%SAMPLE=%GT]", "-H"],
    &["-f", "%POS[\\t%SAMPLE=%GT]\\n", "-HH"],
    &["-f", "[%POS %GT\\n]", "-H"],
    &["-f", "%POS %INFO %MAX(DP4) %ALT{0}[ %GT %TGT]", "-H"],
    &["-f", "%POS[ %GT]", "-H", "-i", "GT=\"het\""],
    &["-f", "%POS[ %GT]", "-H", "-i", "GT=\"het\"", "-F", "-"],
    &["-f", "%POS[ %GT:%GQ]", "-i", "GQ>10", "-F", "X"],
    &["-f", "%POS[ %SAMPLE]", "-e", "GQ>10"],
    &["-f", "%POS,", "-N"],
    &["-f", "%NOPE[ %NO]", "-u"],
    &["-f", "%NOPE"],
    &["-f", "[%NOPE]"],
    &["-f", "%GQ"],
    &["-f", "%N_PASS(GQ>10) %N_PASS(GT=\"alt\" & GQ>5)"],
    &["-f", "%MAX(DP4) %MIN(AF) %SUM(AC) %MEAN(DP4) %MEDIAN(DP4) %STDEV(DP4) %COUNT(L) %STRLEN(S) %ABS(DP)"],
    &["-f", "%MAX(FAD) %SUM(FAD) %COUNT(GT=\"het\")"],
    &["-f", "[%PBINOM(FAD) ]"],
    &["-f", "a\\tb\\\\c%%POS"],
    &["-f", "[%GT"],
    &["-f", "%"],
];

/// bcftools' probabilities of 1 are off by 1e-14, so that their logarithms are not 0.
fn without_noise(text: &str) -> String {
    let clean = |word: &str| match word.split_once("e-1") {
        Some((mantissa, _)) if mantissa.parse::<f64>().is_ok() => "0".to_owned(),
        _ => word.to_owned(),
    };
    text.lines().map(|line| line.split(' ').map(clean).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn query_prints_what_bcftools_prints() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut differences = Vec::new();
    let mut compared = 0;
    let mut files = dirty_records(directory.path());
    files.extend(real_files(directory.path()));
    let mut runs: Vec<Vec<String>> =
        FORMATS.iter().map(|options| options.iter().map(|&o| o.to_owned()).collect()).collect();
    for list in ["s3,s1", "^s1", "s2", "child,father", "^child"] {
        let format = "%POS %N_PASS(GT=\"alt\")[ %SAMPLE %GT]";
        runs.push(["-s", list, "-f", format].map(str::to_owned).into());
    }
    let Some(theirs) = bcftools(&runs, &files) else { return };
    for (run, theirs) in runs.iter().zip(theirs) {
        let is_noisy = run.iter().any(|word| word.contains("PBINOM"));
        for (path, theirs) in files.iter().zip(theirs) {
            let mut arguments = vec!["variants", "query", "--quiet"];
            arguments.extend(run.iter().map(String::as_str));
            arguments.push(path.to_str().expect("UTF-8"));
            let what = format!("{} {run:?}", path.file_name().expect("name").to_string_lossy());
            let output = norn(&arguments);
            let ours = String::from_utf8_lossy(&output.stdout).into_owned();
            match (theirs, output.status.success()) {
                (Peer::Done(theirs), true) => {
                    compared += 1;
                    let theirs = if is_noisy { without_noise(&theirs) } else { theirs };
                    differences.extend(difference(&theirs, &ours).map(|text| format!("{what}: {text}")));
                }
                (Peer::Refused(_), false) => {}
                (Peer::Crashed, _) => eprintln!("bcftools crashes: {what}"),
                (Peer::Refused(theirs), true) => {
                    differences.push(format!("{what}: they refuse it: {theirs}"));
                }
                (Peer::Done(_), false) => {
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    differences.push(format!("{what}: we refuse it: {said}"));
                }
            }
        }
    }
    eprintln!("{compared} outputs compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn view_selects_sites_at_any_number_of_threads() {
    let input = root().join("testdata/trio.truth.vcf.gz");
    let input = input.to_str().expect("UTF-8");
    let run = |options: &[&str]| {
        String::from_utf8_lossy(
            &norn_ok(&[&["variants", "view", "--quiet", "-H"], options, &[input]].concat()).stdout,
        )
        .into_owned()
    };
    let (kept, left, all) = (run(&["-i", "GT=\"het\""]), run(&["-e", "GT=\"het\""]), run(&[]));
    assert!(!kept.is_empty() && !left.is_empty());
    assert_eq!(kept.lines().count() + left.lines().count(), all.lines().count());
    for threads in ["1", "2", "7"] {
        assert_eq!(run(&["--threads", threads, "-i", "GT=\"het\""]), kept);
    }
    let explained = run(&["-i", "GT=\"het\"", "--explain-filter"]);
    assert!(explained.contains("FORMAT/GT"), "{explained}");
    let output = norn(&["variants", "view", "--quiet", "-i", "NOPE>1", input]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("NOPE") && said.contains("column 1") && said.trim_end().lines().count() == 1,
        "{said}"
    );
}
