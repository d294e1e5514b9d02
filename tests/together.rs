//! `norn variants concat`, `isec` and `merge` beside bcftools.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::variant_files::utf8;
use common::*;

/// Files that go into a case: as bcftools has written them once, because it prints numbers anew.
struct Set {
    name: &'static str,
    packed: Vec<PathBuf>,
    binary: Vec<PathBuf>,
    /// Regions, and a BED of them.
    region: String,
    bed: PathBuf,
    is_gvcf: bool,
}

/// Odd records of files whose samples differ: alleles in another order or case, under a longer REF, symbolic, missing, of
/// one chromosome, more than once, with fields that another file lacks or declares otherwise.
const ODD: [&str; 3] = [
    "1\t10\ta\tA\tC\t5\tPASS\tDP=3;AF=0.25;TXT=x\tGT:AD:DP:PL\t0/1:5,3:8:10,0,20\t1/1:0,9:9:90,9,0\n\
     1\t20\t.\tACG\tA,AC\t50\tq10\tDP=5;AF=0.5,0.125\tGT:AD:PL\t1/2:1,2,3:1,2,3,4,5,6\t./.:.:.\n\
     1\t30\tb\tA\tC\t.\t.\tDP=.\tGT\t0|1\t1|0\n1\t30\tc\tA\tT\t7\t.\tDP=1\tGT\t0|1\t0|0\n\
     1\t30\td\tAT\tA\t8\t.\tDP=2\tGT:GL\t0/1:-1,0,-2\t0/0:0,-1,-2\n\
     1\t40\t.\tG\t<DEL>\t.\tPASS\tEND=60;SVTYPE=DEL\tGT\t0/1\t0/0\n1\t40\t.\tG\t<DEL>\t.\tPASS\tEND=80;SVTYPE=DEL\tGT\t0/0\t0/1\n\
     1\t50\t.\tT\t.\t3\t.\tDP=9\tGT:DP\t0/0:4\t0/0:5\n1\t60\t.\tC\tT\t3\tq10;s50\tDP=9;DB\tGT:FT:DP\t0:PASS:4\t1:q10:5\n\
     1\t70\t.\tAC\tGT\t3\tPASS\tDP=9\tGT\t0/1\t0/1\n1\t80\t.\tT\tTA,*\t1e+06\tPASS\tDP=9\tGT:AD\t1/2:1,2,3\t0/2:3,0,4\n\
     2\t5\t.\tA\tC\t3\tPASS\tDP=9\tGT\t0/1\t0/1\n2\t5\t.\tA\tC\t4\tPASS\tDP=8\tGT\t1/1\t0/1\n",
    "1\t10\ta\tA\tC\t6.5\tPASS\tDP=4;AF=0.5;TXT=y;DP4=1,2,3,4\tGT:AD:DP:PL\t0/1:5,3:8:10,0,20\n\
     1\t20\tz\tA\tAT,G\t5\tPASS\tDP=5;AF=0.5,0.25\tGT:AD:PL:TR\t0/2:1,2,3:1,2,3,4,5,6:a,b,c\n\
     1\t30\td\tA\tT,C\t9\tPASS\tDP=11\tGT:AD\t1/2:1,2,3\n1\t30\td\tA\tAT\t8\t.\tDP=2\tGT:GL\t0/1:-1,0,-2\n\
     1\t40\t.\tG\t<DEL>\t4\tPASS\tEND=60;SVTYPE=DEL\tGT\t1/1\n1\t50\t.\tT\tC\t3\t.\tDP=9\tGT:DP\t0/1:4\n\
     1\t60\t.\tC\tT\t3\tPASS\tDP4=5,6,7,8\tGT\t1\n1\t65\t.\tC\tT\t3\tPASS\tDP=3\tDP\t5\n\
     1\t70\t.\tAC\tG\t3\tPASS\tDP=9\tGT\t0/1\n1\t80\t.\tT\tTA\t3\tPASS\tDP=9\tGT:AD\t0/1:7,8\n\
     2\t5\t.\tA\tC\t5\tPASS\tDP=7\tGT\t0/1\n2\t9\t.\tN\tC[1:5[\t.\t.\tSVTYPE=BND\tGT\t0/1\n",
    "1\t10\tb\tA\tG\t.\tq10\tDP=.;AF=1;TXT=z\tGT:DP:AD:PL\t1/1:3:.:.\n1\t20\tz\tAC\tA\t5\tPASS\tDP=5;AF=0.0625\tGT:PL\t0/1:5,0,7\n\
     1\t30\t.\tA\tG\t9\tPASS\tDP=11\tGT:GL\t0/1:-1,0,-2\n1\t30\t.\tATT\tA\t9\tPASS\tDP=11\tGT:GL\t0/1:-3,0,-2\n\
     1\t40\t.\tG\tA,<DEL>\t4\tPASS\tEND=60\tGT\t1/2\n1\t60\t.\tC\tG\t3\tPASS\tDP=1\tGT:DP\t0/1:3\n\
     1\t70\t.\tA\tG\t3\tPASS\tDP=9\tGT\t0/1\n2\t9\t.\tN\tC[1:5[\t.\t.\tSVTYPE=BND\tGT\t0/1\n\
     3\t9\t.\tG\tT\t.\t.\t.\tGT\t./.\n",
];

/// Their headers: the last differs in order and has a contig more.
const ODD_LINES: &str = "##FILTER=<ID=q10,Description=\"x\">\n##FILTER=<ID=s50,Description=\"x\">\n\
    ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"x\">\n\
    ##INFO=<ID=DP4,Number=4,Type=Integer,Description=\"x\">\n##INFO=<ID=TXT,Number=1,Type=String,Description=\"x\">\n\
    ##INFO=<ID=DB,Number=0,Type=Flag,Description=\"x\">\n##INFO=<ID=END,Number=1,Type=Integer,Description=\"x\">\n\
    ##INFO=<ID=SVTYPE,Number=1,Type=String,Description=\"x\">\n##INFO=<ID=AN,Number=1,Type=Integer,Description=\"x\">\n\
    ##INFO=<ID=AC,Number=A,Type=Integer,Description=\"x\">\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"x\">\n##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n\
    ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"x\">\n##FORMAT=<ID=GL,Number=G,Type=Float,Description=\"x\">\n\
    ##FORMAT=<ID=TR,Number=R,Type=String,Description=\"x\">\n##FORMAT=<ID=FT,Number=1,Type=String,Description=\"x\">\n\
    ##contig=<ID=1,length=1000>\n##contig=<ID=2,length=1000>\n";

/// Commands with their options; `{}` are all files of a set, `{region}` and `{bed}` regions. Each runs on every set.
const CASES: &[&str] = &[
    "isec -n +1 {}",
    "isec -n =2 {}",
    "isec -n -1 {}",
    "isec -n +1 -c all {}",
    "isec -n +1 -c both {}",
    "isec -n +1 -c snps {}",
    "isec -n +1 -c indels {}",
    "isec -n +1 -c some {}",
    "isec -n +1 -c id -w 1 {}",
    "isec -n +2 -w 1 {}",
    "isec -n +1 -w 2 -c all {}",
    "isec -C -w 1 {}",
    "isec -n +1 -r {region} {}",
    "isec -n +1 -R {bed} {}",
    "isec -n +1 -t {region} {}",
    "isec -n +1 -f PASS,. {}",
    "isec -n +1 -e QUAL<10 {}",
    "merge {}",
    "merge -m none {}",
    "merge -m snps {}",
    "merge -m indels {}",
    "merge -m all {}",
    "merge -m snp-ins-del {}",
    "merge -m id {}",
    "merge -0 {}",
    "merge -F x {}",
    "merge -f PASS,. {}",
    "merge --print-header {}",
    "merge -i - {}",
    "merge -i DP:max {}",
    "merge -i DP:avg {}",
    "merge -i DP:min {}",
    "merge -i DP:join {}",
    "merge -r {region} {}",
    "merge -R {bed} {}",
    "merge --no-index {}",
    "merge -L 1 {}",
    "merge -L 2 -m all {}",
    "merge -L 3 --print-header {}",
];

/// Of gVCFs.
const OF_BLOCKS: &[&str] = &[
    "merge -g - {}",
    "merge -g - -m both,* {}",
    "merge -g - -m none,** {}",
    "merge -g - -m all {}",
    "merge -g - -0 {}",
    "merge -g - -r {region} {}",
    "merge -g - -M PL:.,AD:. {}",
    "merge -g - -L 1 {}",
    "merge -g - -L 2 -m all {}",
];

/// Of parts of one file.
const OF_PARTS: &[&str] = &[
    "concat {}",
    "concat -G {}",
    "concat -a {}",
    "concat -a -D {}",
    "concat -a -d all {}",
    "concat -a -d snps {}",
    "concat -a -r {region} {}",
    "concat -a -G -R {bed} {}",
    "isec -n +2 {}",
    "isec -n ~110 {}",
    "merge --force-samples {}",
];

/// Of chunks that overlap.
const OF_CHUNKS: &[&str] = &[
    "concat -l {}",
    "concat -l -c {}",
    "concat -l -q 100 {}",
    "concat -l -c -q 50 {}",
    "concat -l --ligate-warn {}",
    "concat -l --ligate-force {}",
    "concat -l --ligate-force -c -q 99 {}",
];

/// Chunks of the trio's contigs, each overlapping the next. Those with an odd number have the haplotypes of two samples the
/// other way round, of the third in each fifth record. With `holes` overlaps lack a site now and then, in one file or the
/// other.
fn chunks(name: &'static str, directory: &Path, holes: bool) -> Set {
    let text = first(&root().join("testdata/trio.truth.vcf.gz"), 20_000, None);
    let (header, records): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    let turned = |number: usize, line: &str| {
        let turn = |(place, cell): (usize, &str)| {
            let is_turned = place == 9 || place == 11 || place == 10 && number.is_multiple_of(5);
            match cell.split_once('|').filter(|_| is_turned) {
                Some((one, other)) => format!("{other}|{one}"),
                None => cell.to_owned(),
            }
        };
        line.split('\t').enumerate().map(turn).collect::<Vec<_>>().join("\t")
    };
    let mut texts = Vec::new();
    for contig in ["chr1", "chr2"] {
        let of_contig: Vec<&str> =
            records.iter().filter(|line| line.split('\t').next() == Some(contig)).copied().collect();
        let (size, overlap) = (of_contig.len() / 3, of_contig.len() / 10);
        for chunk in 0..3 {
            let (from, to) = (chunk * size, (chunk * size + size + overlap).min(of_contig.len()));
            let mut lines: Vec<String> = header.iter().map(|line| format!("{line}\n")).collect();
            for (number, line) in of_contig.iter().enumerate().take(to).skip(from) {
                // Not the first and the last sites of an overlap: there bcftools drops what lies before the next common one.
                let (into, left) = (number - from, to - number);
                let is_hole = holes && left > 2 && into > 2 && (number + 5 * chunk).is_multiple_of(13);
                let in_overlap = chunk > 0 && into < overlap || chunk < 2 && left <= overlap;
                if is_hole && in_overlap {
                    continue;
                }
                let line = if chunk == 1 { turned(number, line) } else { (*line).to_owned() };
                lines.push(line + "\n");
            }
            texts.push(lines.concat());
        }
    }
    set(name, &texts, directory, false)
}

/// Writes texts as bcftools writes them, BGZF and BCF, with indices.
fn set(name: &'static str, texts: &[String], directory: &Path, is_gvcf: bool) -> Set {
    let (mut packed, mut binary) = (Vec::new(), Vec::new());
    for (number, text) in texts.iter().enumerate() {
        let plain = directory.join(format!("{name}.{number}.vcf"));
        fs::write(&plain, text).expect("input");
        for (form, ending, files) in [("-Oz", "vcf.gz", &mut packed), ("-Ob", "bcf", &mut binary)] {
            let file = directory.join(format!("{name}.{number}.{ending}"));
            peer("bcftools", &["view", "--no-version", form, "-o", &utf8(&file), &utf8(&plain)]);
            peer("bcftools", &["index", &utf8(&file)]);
            files.push(file);
        }
    }
    let places: Vec<(String, u64)> = texts[0]
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?.to_owned(), columns.next()?.parse().ok()?))
        })
        .collect();
    let at = |share: usize| &places[(places.len() - 1) * share / 100];
    let region = [20, 70]
        .map(|share| format!("{}:{}-{}", at(share).0, at(share).1 + 1, at(share).1 + 9_000))
        .join(",");
    let bed = directory.join(format!("{name}.bed"));
    let line = |share: usize| format!("{}\t{}\t{}\n", at(share).0, at(share).1, at(share).1 + 3_000);
    fs::write(&bed, [line(10), line(60), line(90)].concat()).expect("BED");
    Set { name, packed, binary, region, bed, is_gvcf }
}

/// The first records of a file.
fn first(path: &Path, records: usize, samples: Option<&str>) -> String {
    let file = utf8(path);
    let mut arguments = vec!["view", "--no-version"];
    if let Some(samples) = samples {
        arguments.extend(["-s", samples]);
    }
    arguments.push(&file);
    let text = peer("bcftools", &arguments);
    let mut left = records;
    let mut is_kept = |line: &&str| {
        let is_record = !line.starts_with('#');
        let is_kept = !is_record || left > 0;
        left = left.saturating_sub(usize::from(is_record));
        is_kept
    };
    text.lines().filter(&mut is_kept).map(|line| format!("{line}\n")).collect()
}

/// A site of three alternate alleles in one file, in one of two, and in one of one; and one that three files make together.
fn many_alleles() -> [String; 3] {
    let lines = "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n\
        ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n\
        ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"x\">\n\
        ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"x\">\n##FORMAT=<ID=AF,Number=A,Type=Float,Description=\"x\">\n\
        ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n##contig=<ID=1,length=1000>\n";
    let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
    let file = |samples: &str, records: &[&str]| {
        let records: String = records.iter().map(|line| line.replace(' ', "\t") + "\n").collect();
        format!("##fileformat=VCFv4.2\n{lines}{columns}\t{samples}\n{records}")
    };
    [
        file(
            "a1\ta2",
            &[
                "1 10 . A C 5 PASS DP=1 GT:PL:AD:DP 0/1:10,0,20:5,6:11 1/1:90,9,0:0,9:9",
                "1 30 . A C,G,T 5 PASS DP=2 GT:PL:AD:AF 0/1:10,0,20,30,40,50,60,70,80,90:5,6,7,8:0.5,0,0 \
                 3/3:90,91,92,93,94,95,9,9,9,0:0,1,2,9:0,0,1",
            ],
        ),
        file(
            "b1",
            &[
                "1 10 . A G,T 5 PASS DP=1 GT:PL:AD 1/2:10,20,30,40,0,50:5,6,7",
                "1 30 . A T,C 5 PASS DP=1 GT:PL 0/1:40,0,9,50,60,70",
            ],
        ),
        file(
            "c1\tc2",
            &[
                "1 10 . A T 5 PASS DP=1 GT:PL:AD 0/1:10,0,20:5,6 ./.:.:.",
                "1 30 . A G 5 PASS DP=1 GT:PL 0/1:5,0,7 1/1:8,1,0",
            ],
        ),
    ]
}

fn sets(directory: &Path) -> (Vec<Set>, Vec<Set>) {
    let odd = |number: usize, samples: &str| {
        let more = if number == 2 { "##contig=<ID=3>\n##source=third\n" } else { "##source=x\n" };
        let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
        format!("##fileformat=VCFv4.2\n{ODD_LINES}{more}{columns}\t{samples}\n{}", ODD[number])
    };
    let odd = [odd(0, "a\tb"), odd(1, "c"), odd(2, "d")];
    let trio = root().join("testdata/trio.truth.vcf.gz");
    let columns = peer("bcftools", &["query", "-l", &utf8(&trio)]);
    let people: Vec<String> = columns.lines().map(|sample| first(&trio, 20_000, Some(sample))).collect();
    let mut sets = vec![set("odd", &odd, directory, false), set("trio", &people, directory, false)];
    sets.push(set("many", &many_alleles(), directory, false));
    let parts = |text: &str| {
        let (header, records): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
        let part = |from: usize, to: usize| -> String {
            header.iter().chain(&records[from..to]).map(|line| format!("{line}\n")).collect()
        };
        let n = records.len();
        [part(0, n / 3), part(n / 3, n / 2), part(n / 2, n)]
    };
    let mut of_parts = vec![set("parts", &parts(&first(&trio, 5_000, None)), directory, false)];
    match shared_data() {
        Some(data) => {
            let data = data.join("variants");
            let read = |names: &[&str], n| -> Vec<String> {
                names.iter().map(|name| first(&data.join(name), n, None)).collect()
            };
            let truth = ["NO_child.truth.vcf.gz", "NO_father.truth.vcf.gz", "NO_mother.truth.vcf.gz"];
            sets.push(set("truth", &read(&truth, 4_000), directory, false));
            let calls = read(&["NO.bcftools.vcf.gz", "NO.freebayes.vcf.gz"], 4_000);
            of_parts.push(set("calls", &calls, directory, false));
            let blocks = ["HG00187", "HG00190", "HG00308", "HG00313"]
                .map(|name| format!("gvcf_1kg_chr22/{name}.hg38.g.vcf.gz"));
            let blocks = read(&blocks.each_ref().map(String::as_str), 6_000);
            sets.push(set("gvcf", &blocks, directory, true));
        }
        None => eprintln!("skipped: shared variants (no NORN_SHARED_DATA)"),
    }
    (sets, of_parts)
}

/// The words of a case for the files of a set.
fn fill(case: &str, set: &Set, files: &[PathBuf]) -> Vec<String> {
    let mut words = Vec::new();
    for word in case.split(' ') {
        match word {
            "{}" => words.extend(files.iter().map(|file| utf8(file))),
            word => words.push(word.replace("{region}", &set.region).replace("{bed}", &utf8(&set.bed))),
        }
    }
    words.insert(1, "--no-version".to_owned());
    words
}

/// Runs all jobs, lists of isec by Debian's bcftools: pysam's leaves a part of them unwritten.
fn run(python: &Path, jobs: &[bcftools::Job]) -> Vec<Option<String>> {
    let is_isec = |job: &&bcftools::Job| job.words[0] == "isec" && !job.words.iter().any(|word| word == "-w");
    let others: Vec<_> = jobs.iter().filter(|job| !is_isec(job)).cloned().collect();
    let mut others = bcftools::run(python, &others).into_iter();
    let mut result = |job: &bcftools::Job| {
        if !is_isec(&job) {
            return others.next().expect("a result for each job");
        }
        let output = Command::new("bcftools").args(&job.words).output().expect("bcftools starts");
        fs::write(&job.out, &output.stdout).expect("output");
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    jobs.iter().map(&mut result).collect()
}

#[test]
fn commands_are_those_of_bcftools() {
    let Some(python) = has("bcftools").then(bcftools::python).flatten() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let (sets, of_parts) = sets(directory.path());
    // NORN_CASES=word runs those alone that have the word.
    let wanted = std::env::var("NORN_CASES").unwrap_or_default();
    let mut cases: Vec<(&Set, &str)> = Vec::new();
    for set in &sets {
        let more = if set.is_gvcf { OF_BLOCKS } else { &[] };
        cases.extend(CASES.iter().chain(more).map(|case| (set, *case)));
    }
    cases.extend(of_parts.iter().flat_map(|set| OF_PARTS.iter().map(move |case| (set, *case))));
    let of_chunks = [chunks("chunks", directory.path(), false), chunks("holes", directory.path(), true)];
    cases.extend(of_chunks.iter().flat_map(|set| OF_CHUNKS.iter().map(move |case| (set, *case))));
    // bcftools asks for the same contigs in all headers where there is no index, and with -G does not see that files
    // overlap.
    cases.retain(|(set, case)| (set.name, *case) != ("odd", "merge --no-index {}"));
    cases.retain(|(set, case)| (set.name, *case) != ("calls", "concat -G {}"));
    // Sites of imperfect overlaps have the phase of their file (tests/differences.rs).
    cases.retain(|(set, case)| set.name != "holes" || !case.contains("--ligate-force"));
    cases.retain(|(set, case)| format!("{} {case}", set.name).contains(&wanted));
    let mut jobs = Vec::new();
    for (number, (set, case)) in cases.iter().enumerate() {
        let out = directory.path().join(format!("{number}.out"));
        jobs.push(bcftools::Job { words: fill(case, set, &set.packed), out });
    }
    let results = run(&python, &jobs);
    let mut failures = Vec::new();
    for (number, ((set, case), (job, result))) in cases.iter().zip(jobs.iter().zip(results)).enumerate() {
        // Forms and threads take turns: all meet all over the table.
        let files = if number % 3 == 1 { &set.binary } else { &set.packed };
        let threads = ["1", "2", "3", "7"][number % 4];
        let mut arguments = vec!["variants".to_owned()];
        arguments.extend(fill(case, set, files));
        arguments.splice(2..2, ["--quiet".into(), "--threads".into(), threads.into()]);
        let ours = norn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let name = format!("{} {case}", set.name);
        let said = String::from_utf8_lossy(&ours.stderr);
        match result {
            Some(_) if !ours.status.success() => {}
            Some(error) => failures.push(format!("{name}: bcftools refuses it: {error}")),
            None if !ours.status.success() => failures.push(format!("{name}: {said}")),
            None => {
                let theirs = String::from_utf8_lossy(&fs::read(&job.out).expect("output")).into_owned();
                if let Some(difference) = difference(&theirs, &String::from_utf8_lossy(&ours.stdout)) {
                    failures.push(format!("{name} ({threads} threads): {difference}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn naive_concat_gives_the_records_of_all_files() {
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let (_, of_parts) = sets(directory.path());
    for set in of_parts.iter().filter(|set| set.name == "parts") {
        for files in [&set.packed, &set.binary] {
            let files: Vec<String> = files.iter().map(|file| utf8(file)).collect();
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            let out = directory.path().join("naive.out");
            norn_ok(&[&["variants", "concat", "-n", "--quiet", "-o", &utf8(&out)], &files[..]].concat());
            let theirs = peer("bcftools", &[&["concat", "--no-version"], &files[..]].concat());
            let ours = peer("bcftools", &["view", "--no-version", &utf8(&out)]);
            assert_eq!(difference(&theirs, &ours), None);
        }
        // A text and a BCF do not go together.
        let mixed = [utf8(&set.packed[0]), utf8(&set.binary[1])];
        let output = norn(&["variants", "concat", "--naive-force", "--quiet", &mixed[0], &mixed[1]]);
        assert_eq!(output.status.code(), Some(3));
    }
}

#[test]
fn isec_fills_a_directory_as_bcftools_does() {
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let (sets, _) = sets(directory.path());
    for set in sets.iter().filter(|set| set.name == "odd" || set.name == "trio") {
        let files: Vec<String> = set.packed.iter().map(|file| utf8(file)).collect();
        for (words, count) in [
            ("", 2),
            ("-w 1", 2),
            ("-c all", 2),
            ("-n +2", 3),
            ("-n ~101 -w 1,3", 3),
            ("-C -w 1", 2),
            ("-Oz", 2),
            ("-Ob -n +1", 3),
            ("-e QUAL<6 -e -", 2),
        ] {
            let run = |program: &str, first: &[&str]| {
                let prefix = utf8(&directory.path().join(program));
                let _ = fs::remove_dir_all(&prefix);
                let mut arguments = [first, &["isec", "--no-version", "-p", &prefix]].concat();
                arguments.extend(words.split(' ').filter(|word| !word.is_empty()));
                arguments.extend(files[..count].iter().map(String::as_str));
                let program = if program == "norn" { env!("CARGO_BIN_EXE_norn") } else { program };
                let output = Command::new(program).args(&arguments).output().expect("starts");
                assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
                let mut found: Vec<(String, String)> = fs::read_dir(&prefix)
                    .expect("directory")
                    .map(|entry| {
                        let path = entry.expect("entry").path();
                        let name = utf8(Path::new(path.file_name().expect("name")));
                        let text = match name.rsplit('.').next() {
                            Some("tbi" | "csi") => String::new(),
                            Some("vcf" | "gz" | "bcf") => {
                                peer("bcftools", &["view", "--no-version", &utf8(&path)])
                            }
                            // README.txt names the program and the folder.
                            _ => text(&path)
                                .lines()
                                .filter(|line| !line.contains("isec"))
                                .fold(String::new(), |text, line| {
                                    text + &line.replace(&prefix, "DIR") + "\n"
                                }),
                        };
                        (name, text)
                    })
                    .collect();
                found.sort();
                found
            };
            let (theirs, ours) = (run("bcftools", &[]), run("norn", &["variants"]));
            assert_eq!(theirs, ours, "{} {words}", set.name);
        }
    }
}

/// bcftools 1.24 reads in front of its table of fields where no record has a PL, and leaves out what the sample has. By
/// hand: lists stay whole there, because nothing says which alleles are the sample's.
#[test]
fn lists_stay_whole_where_no_likelihoods_say_which_alleles_are_local() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let texts = many_alleles().map(|text| {
        let is_first = |line: &&str| line.starts_with('#') || line.contains("\t10\t");
        text.lines().filter(is_first).map(|line| line.replace(":PL", ":XX") + "\n").collect::<String>()
    });
    let files: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let path = directory.path().join(format!("{number}.vcf"));
            fs::write(&path, text).expect("input");
            utf8(&path)
        })
        .collect();
    let words = ["variants", "merge", "--quiet", "-L", "1", &files[0], &files[1], &files[2]];
    let merged = norn_ok(&words).stdout;
    let merged = String::from_utf8_lossy(&merged);
    let row = merged.lines().last().expect("a row");
    assert!(row.contains("\tA\tC,G,T\t") && row.contains("\tGT:XX:AD:DP\t"), "{row}");
    assert!(row.contains("\t2/3:10,20,30,40,0,50:5,.,6,7:.\t"), "{row}");
}
