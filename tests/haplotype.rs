//! `norn annotate --haplotype` beside `bcftools csq` 1.24 of pysam: INFO/BCSQ and FORMAT/BCSQ of made and real phased variants
//! are the same to the byte. And on their own: the protein of a compound is the translation of the haplotype.
//!
//! What differs, and is kept out of what is compared or told below:
//! - bcftools takes untranslated regions from lines of their own; ours are what exons have beside the coding region. The
//!   made genes get such lines.
//! - Parts of transcripts that begin and end alike are told in the order of the part's lines by bcftools, by us in that of
//!   the transcripts' lines; lines with several parents are nobody's there. The genes of chromosome 21 are put in
//!   Ensembl's order, from which they were sorted, and have a line for each parent.
//! - bcftools ends at an assertion where a variant goes on behind a lost start, and at some others (`CRASHES`).

mod common;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::genes::*;
use common::made::Random;
use common::variant_files::utf8;
use common::*;

/// A record: CHROM, POS, REF and ALT, INFO/BCSQ, FORMAT/BCSQ of all samples.
type Told = (String, String, Vec<String>);

fn told(vcf: &str) -> Vec<Told> {
    let mut all = Vec::new();
    for line in vcf.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let info = columns[7].split(';').find_map(|field| field.strip_prefix("BCSQ=")).unwrap_or_default();
        let place = columns.get(8).and_then(|keys| keys.split(':').position(|key| key == "BCSQ"));
        let cell = |sample: &&str| sample.split(':').nth(place.unwrap_or(0)).unwrap_or(".").to_owned();
        let masks = columns.iter().skip(9).map(cell).filter(|_| place.is_some()).collect();
        let key = format!("{} {} {} {}", columns[0], columns[1], columns[3], columns[4]);
        all.push((key, info.to_owned(), masks));
    }
    all
}

/// A reference, its genes, and variants.
struct Case<'c> {
    reference: &'c str,
    genes: &'c str,
    vcf: &'c str,
}

impl Case<'_> {
    /// What bcftools makes of it; nothing where it ends early. A process each: it keeps its place from one run to the next.
    fn theirs(&self, python: &Path, options: &[&str]) -> Option<Vec<Told>> {
        let script = "import sys, pysam.bcftools\npysam.bcftools.csq(*sys.argv[1:], catch_stdout=False)";
        let output = Command::new(python)
            .args(["-c", script, "-f", self.reference, "-g", self.genes, "-v", "0"])
            .args(options)
            .arg(self.vcf)
            .stderr(Stdio::null())
            .output()
            .expect("Python starts");
        output.status.success().then(|| told(&String::from_utf8_lossy(&output.stdout)))
    }

    fn text(&self, options: &[&str]) -> String {
        let words =
            ["annotate", "-r", self.reference, "--gff", self.genes, "--haplotype", "--quiet", "--no-stats"];
        let output = norn_ok(&[&words[..], options, &[self.vcf]].concat());
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Both must say the same; how many records have consequences, or nothing where bcftools ends early.
    fn compare(&self, python: &Path, options: &[&str]) -> Option<usize> {
        let theirs = self.theirs(python, options)?;
        let ours = told(&self.text(options));
        assert_eq!(theirs.len(), ours.len(), "{options:?}");
        for (number, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
            assert_eq!(theirs, ours, "{options:?}, record {number} of {}", self.vcf);
        }
        Some(theirs.iter().filter(|(_, info, _)| !info.is_empty()).count())
    }
}

/// The lines of genes with untranslated regions as exons and coding regions have them.
fn with_untranslated(genes: &str) -> String {
    let mut text = String::new();
    let (mut exons, mut coding) =
        (HashMap::<String, Vec<Vec<&str>>>::new(), HashMap::<String, (u64, u64)>::new());
    let mut parents = Vec::new();
    let parse = |text: &str| text.parse::<u64>().expect("a position");
    for line in genes.lines().filter(|line| !line.contains("_prime_UTR\t")) {
        let _ = writeln!(text, "{line}");
        let columns: Vec<&str> = line.split('\t').collect();
        let parent =
            columns.last().and_then(|rest| rest.split(';').find_map(|word| word.strip_prefix("Parent=")));
        let (Some(parent), true) = (parent, columns.len() == 9) else { continue };
        if columns[2] == "exon" {
            exons.entry(parent.to_owned()).or_default().push(columns);
        } else if columns[2] == "CDS" {
            let (first, last) = (parse(columns[3]), parse(columns[4]));
            let range = coding.entry(parent.to_owned()).or_insert_with(|| {
                parents.push(parent.to_owned());
                (first, last)
            });
            *range = (range.0.min(first), range.1.max(last));
        }
    }
    for parent in parents {
        let (first, last) = coding[&parent];
        for exon in &exons[&parent] {
            let (from, to) = (parse(exon[3]), parse(exon[4]));
            let mut add = |is_left: bool, from: u64, to: u64| {
                let side = if is_left == (exon[6] == "+") { "five" } else { "three" };
                let _ = writeln!(
                    text,
                    "{}\tx\t{side}_prime_UTR\t{from}\t{to}\t.\t{}\t.\tParent={parent}",
                    exon[0], exon[6]
                );
            };
            if from < first {
                add(true, from, to.min(first - 1));
            }
            if to > last {
                add(false, from.max(last + 1), to);
            }
        }
    }
    text
}

/// Makes variants of samples, many of them beside one another.
struct Maker {
    random: Random,
    samples: usize,
    /// Indels among ten.
    indels: usize,
    /// Bases up to the next variant, at the most.
    gap: usize,
    is_phased: bool,
}

impl Maker {
    fn record(&mut self, bases: &str, at: usize) -> (String, Vec<String>) {
        let random = &mut self.random;
        let rest = bases.len() - at;
        let mut reference = bases[at..=at].to_owned();
        let mut alternates = Vec::new();
        let count = if random.below(6) == 0 { 2 } else { 1 };
        let is_indel = random.below(10) < self.indels;
        if is_indel && random.below(2) == 0 && rest > 8 {
            reference = bases[at..at + 2 + random.below(6)].to_owned();
        } else if random.below(8) == 0 && rest > 4 {
            reference = bases[at..at + 2 + random.below(2)].to_owned();
        }
        for _ in 0..count {
            let alternate = match random.below(4) {
                0 if reference.len() > 1 => {
                    let first = random.base();
                    let length = if is_indel { random.below(4) } else { reference.len() - 1 };
                    format!("{first}{}", random.sequence(length))
                }
                _ if reference.len() > 1 && is_indel => {
                    reference[..1 + random.below(reference.len() - 1)].to_owned()
                }
                _ if is_indel => {
                    let length = 1 + random.below(6);
                    format!("{reference}{}", random.sequence(length))
                }
                _ => {
                    let mut changed = reference.clone().into_bytes();
                    let place = random.below(changed.len());
                    changed[place] = random.base() as u8;
                    String::from_utf8(changed).expect("bases")
                }
            };
            let alternate = match random.below(60) {
                0 => "*".to_owned(),
                1 => "<NON_REF>".to_owned(),
                2 => "<DEL>".to_owned(),
                3 => "<INS>".to_owned(),
                _ => alternate,
            };
            if alternate != reference && !alternates.contains(&alternate) {
                alternates.push(alternate);
            }
        }
        (reference, alternates)
    }

    /// The text of a VCF with variants from `ranges` (contig, its bases, first and last base, 1-based).
    fn vcf(&mut self, ranges: &[(&str, &str, usize, usize)]) -> String {
        let mut text =
            "##fileformat=VCFv4.2\n##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n".to_owned();
        for (contig, bases, ..) in ranges {
            let line = format!("##contig=<ID={contig},length={}>\n", bases.len());
            if !text.contains(&line) {
                text += &line;
            }
        }
        text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
        if self.samples > 0 {
            text += "\tFORMAT";
        }
        (0..self.samples).for_each(|sample| text += &format!("\ts{sample}"));
        text += "\n";
        for (contig, bases, first, last) in ranges {
            let mut at = *first;
            while at <= *last {
                let (reference, alternates) = self.record(bases, at - 1);
                if !alternates.is_empty() {
                    let info = match alternates[0].as_str() {
                        "<DEL>" => format!("END={}", at + self.random.below(40)),
                        _ => ".".to_owned(),
                    };
                    let _ = write!(
                        text,
                        "{contig}\t{at}\t.\t{reference}\t{}\t.\t.\t{info}",
                        alternates.join(",")
                    );
                    if self.samples > 0 {
                        text += "\tGT";
                    }
                    for _ in 0..self.samples {
                        let mut allele = || match self.random.below(40) {
                            0 => ".".to_owned(),
                            n if n < 22 => "0".to_owned(),
                            _ => (1 + self.random.below(alternates.len())).to_string(),
                        };
                        let (one, other) = (allele(), allele());
                        let phase = if self.is_phased || self.random.below(2) == 0 { '|' } else { '/' };
                        let _ = match self.random.below(30) {
                            0 => write!(text, "\t{one}"),
                            _ => write!(text, "\t{one}{phase}{other}"),
                        };
                    }
                    text += "\n";
                }
                // Records may overlap, and stand at one position.
                at +=
                    self.random.below(self.gap) + if self.random.below(4) == 0 { 0 } else { reference.len() };
            }
        }
        text
    }
}

/// The contigs of a FASTA.
fn contigs(reference: &str) -> BTreeMap<String, String> {
    let text = text(Path::new(reference));
    let contigs = text.split('>').filter_map(|contig| contig.split_once('\n'));
    let name = |head: &str| head.split_whitespace().next().unwrap_or_default().to_owned();
    contigs.map(|(head, bases)| (name(head), bases.replace('\n', ""))).collect()
}

#[test]
fn made_haplotypes_are_told_as_by_bcftools() {
    let Some(python) = bcftools::python() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let path = directory.path().join("whole.gff3");
    fs::write(&path, with_untranslated(&text(Path::new(&genes)))).expect("genes");
    let genes = utf8(&path);
    let contigs = contigs(&reference);
    let (mut compared, mut crashed, mut runs) = (0, 0, 0);
    for seed in 0..std::env::var("NORN_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3) {
        for (number, model) in models.iter().enumerate() {
            let bases = contigs[&model.contig].as_str();
            let range =
                (model.contig.as_str(), bases, model.start - 12, model.start + model.sequence.len() + 12);
            let mut maker = Maker {
                random: Random::new(100 * seed + number as u64),
                samples: [3, 5, 1, 0][(seed as usize + number) % 4],
                indels: [0, 3, 6, 2][(seed as usize + number / 2) % 4],
                gap: [3, 9, 30][seed as usize % 3],
                is_phased: number % 3 > 0,
            };
            let vcf = directory.path().join("made.vcf");
            fs::write(&vcf, maker.vcf(&[range])).expect("VCF");
            let vcf = utf8(&vcf);
            let case = Case { reference: &reference, genes: &genes, vcf: &vcf };
            for options in
                [&["-p", "a"][..], &["-p", "R", "-n", "2"], &["-p", "m", "-n", "40"], &["-p", "s"], &["-l"]]
            {
                runs += 1;
                match case.compare(&python, options) {
                    Some(count) => compared += count,
                    None => crashed += 1,
                }
            }
        }
    }
    eprintln!("{compared} records, {crashed} of {runs} runs ended early");
    assert!(compared > 4 * crashed);
}

/// Genes in Ensembl's order: each with its transcripts, each of these with its parts; a line for each parent.
fn grouped(genes: &str) -> String {
    let (mut order, mut below) = (Vec::new(), HashMap::<String, Vec<String>>::new());
    let mut transcripts = HashMap::<String, Vec<String>>::new();
    for line in genes.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, attributes)) = line.rsplit_once('\t') else { continue };
        let value = |name: &str| attributes.split(';').find_map(|word| word.strip_prefix(name));
        match (value("ID="), value("Parent=")) {
            (Some(id), None) if id.starts_with("gene:") => order.push((id.to_owned(), line.to_owned())),
            (Some(id), Some(parent)) if id.starts_with("transcript:") => {
                transcripts.entry(parent.to_owned()).or_default().push(id.to_owned());
                below.entry(id.to_owned()).or_default().insert(0, line.to_owned());
            }
            (_, Some(parents)) => {
                for parent in parents.split(',') {
                    let line = line.replace(parents, parent);
                    below.entry(parent.to_owned()).or_default().push(line);
                }
            }
            _ => {}
        }
    }
    let mut text = "##gff-version 3\n".to_owned();
    for (id, line) in order {
        text += &(line + "\n");
        for transcript in transcripts.get(&id).into_iter().flatten() {
            below[transcript].iter().for_each(|line| text += &format!("{line}\n"));
        }
    }
    text
}

#[test]
fn the_trio_is_told_as_by_bcftools() {
    let Some(python) = bcftools::python() else { return };
    let at = |name: &str| utf8(&root().join("testdata").join(name));
    let (reference, genes, vcf) = (at("genome.fa"), at("genes.gff3"), at("trio.truth.vcf.gz"));
    let case = Case { reference: &reference, genes: &genes, vcf: &vcf };
    // All of its genotypes are phased.
    for options in [&[][..], &["-p", "a"]] {
        assert!(case.compare(&python, options).expect("bcftools ends well") > 50);
    }
    let (one, many) = (case.text(&["-t", "1"]), case.text(&["-t", "3"]));
    assert_eq!(one, many);
}

#[test]
fn chromosome_21_is_told_as_by_bcftools() {
    let Some(python) = bcftools::python() else { return };
    let Some(shared) = shared_data() else {
        eprintln!("skipped: haplotypes of chromosome 21 (no shared data)");
        return;
    };
    let directory = tempfile::tempdir().expect("temporary directory");
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("file");
        utf8(&path)
    };
    let genes = grouped(&text(&shared.join("genome/GRCh38.chr21.ensembl84.gff3.gz")));
    let genes = write("genes.gff3", &with_untranslated(&genes));
    let reference = write("chr21.fa", &text(&shared.join("genome/GRCh38.chr21.slices.fa.gz")));
    let contigs = contigs(&reference);
    let bases = contigs["21"].as_str();
    let mut count = 0;
    for name in ["NO_child.truth", "NO_father.truth", "NO_mother.truth", "PG_NA12878_hg38-chr21"] {
        let vcf = text(&shared.join(format!("variants/{name}.vcf.gz")));
        // Of the reference there are slices.
        let is_there = |line: &&str| {
            let columns: Vec<&str> = line.split('\t').collect();
            let at = columns[1].parse::<usize>().expect("POS") - 1;
            bases.get(at..at + columns[3].len()).is_some_and(|there| there.eq_ignore_ascii_case(columns[3]))
        };
        let lines = vcf.lines().filter(|line| line.starts_with('#') || is_there(line));
        let rename =
            |line: &str| line.strip_prefix("chr").unwrap_or(line).replace("ID=chr21,", "ID=21,") + "\n";
        let vcf = write("real.vcf", &lines.map(rename).collect::<String>());
        let case = Case { reference: &reference, genes: &genes, vcf: &vcf };
        count += case.compare(&python, &["-p", "a"]).expect("bcftools ends well");
        // With a database, and any number of threads.
        let base = utf8(&directory.path().join("genes.ndb"));
        if !Path::new(&base).exists() {
            norn_ok(&["db", "genes", "--gff", &genes, "-r", &reference, "-o", &base]);
        }
        let of_database = norn_ok(&[
            "annotate",
            "-r",
            &reference,
            "--genes",
            &base,
            "--haplotype",
            "-p",
            "a",
            "--quiet",
            "--no-stats",
            "-t",
            "2",
            &vcf,
        ]);
        let of_file = case.text(&["-p", "a", "-t", "1"]);
        assert!(of_file.as_bytes() == of_database.stdout, "{name}");
    }
    let sites = utf8(&shared.join("annotate/vep114.chr21.vcf.gz"));
    let case = Case { reference: &reference, genes: &genes, vcf: &sites };
    count += case.compare(&python, &[]).expect("bcftools ends well");
    // Genes with many transcripts of both strands.
    let ranges = [(25_585_700, 25_607_500), (43_719_000, 43_762_000), (25_734_500, 25_738_000)];
    for (number, (first, last)) in ranges.into_iter().enumerate() {
        let mut maker =
            Maker { random: Random::new(number as u64), samples: 4, indels: 4, gap: 12, is_phased: true };
        let ranges = (first..last).step_by(700).map(|at| ("21", bases, at, at + 400));
        let ranges: Vec<_> =
            ranges.filter(|(_, bases, from, to)| !bases[from - 1..to + 10].contains('N')).collect();
        let vcf = write("made.vcf", &maker.vcf(&ranges));
        let case = Case { reference: &reference, genes: &genes, vcf: &vcf };
        count += case.compare(&python, &["-p", "a", "-n", "60"]).expect("bcftools ends well");
    }
    eprintln!("{count} records");
    assert!(count > 13_000);
}

/// Where bcftools ends at an assertion, or without assertions loses what follows: a haplotype that ends with a lost start,
/// and one that goes on. We tell of the second what bcftools does when it is alone.
#[test]
fn a_lost_start_hides_nothing_behind_it() {
    let Some(python) = bcftools::python() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let model = models.iter().find(|model| !model.is_reverse).expect("a model");
    let bases = &contigs(&reference)[&model.contig];
    let start = model.start + model.coding[0];
    let at = |position: usize| &bases[position - 1..position];
    let other = if at(start + 12) == "A" { "C" } else { "A" };
    let vcf = |first: &str, second: &str| {
        let path = directory.path().join("start.vcf");
        let text = format!(
            "##fileformat=VCFv4.2\n##contig=<ID={contig}>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n\
            {contig}\t{start}\t.\tATG\tA\t.\t.\t.\tGT\t{first}\t0|1\n\
            {contig}\t{}\t.\t{}\t{other}\t.\t.\t.\tGT\t{second}\t0|1\n",
            start + 12,
            at(start + 12),
            contig = model.contig,
        );
        fs::write(&path, text).expect("VCF");
        utf8(&path)
    };
    let alone = vcf("0|0", "0|0");
    let case = Case { reference: &reference, genes: &genes, vcf: &alone };
    assert_eq!(case.compare(&python, &[]), Some(2));
    let alone = told(&case.text(&[]));
    let together = vcf("0|1", "0|0");
    let case = Case { reference: &reference, genes: &genes, vcf: &together };
    let (theirs, ours) = (case.theirs(&python, &[]), told(&case.text(&[])));
    assert_ne!(theirs.as_ref(), Some(&ours), "bcftools does not differ any more");
    assert_eq!(ours[0].1, alone[0].1, "{ours:?}");
    assert_eq!(ours[1].1, alone[1].1, "{ours:?}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| utf8(&root().join("testdata").join(name));
    let (reference, genes) = (at("genome.fa"), at("genes.gff3"));
    let bases = &contigs(&reference)["chr1"];
    let write = |records: &[(usize, &str)]| {
        let mut text = "##fileformat=VCFv4.2\n##contig=<ID=chr1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tpatient\n"
            .to_owned();
        for (position, genotype) in records {
            let reference = &bases[position - 1..*position];
            let alternate = if reference == "A" { "C" } else { "A" };
            let _ = writeln!(text, "chr1\t{position}\t.\t{reference}\t{alternate}\t.\t.\t.\tGT\t{genotype}");
        }
        let path = directory.path().join("bad.vcf");
        fs::write(&path, text).expect("VCF");
        utf8(&path)
    };
    let run = |vcf: &str, options: &[&str]| {
        let words = ["annotate", "-r", &reference, "--haplotype", "--quiet", vcf];
        let output = norn(&[&words[..], options].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let vcf = write(&[(20_100, "0/1")]);
    let (code, message) = run(&vcf, &["--gff", &genes]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("chr1:20100") && message.contains("--phase"), "{message}");
    assert!(!message.contains("patient"), "{message}");
    assert_eq!(run(&vcf, &["--gff", &genes, "--phase", "a"]).0, Some(0));
    // More than two alleles, alleles that are not there, and no genotype at all have no haplotypes.
    for genotype in ["0|1|1", "0|7", ".", "", "x|y"] {
        let (code, message) = run(&write(&[(20_100, genotype)]), &["--gff", &genes]);
        assert_eq!(code, Some(0), "{genotype}: {message}");
    }
    let odd = directory.path().join("odd.vcf");
    let head = "##fileformat=VCFv4.2\n##contig=<ID=chr1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
    let (long, end) = (&bases[20_090..20_400], &bases[25_540..25_560]);
    let lines = [
        ("0", "N", "A"),
        ("20001", &bases[20_000..20_001], ",,G"),
        ("20001", "", "A"),
        ("20002", &bases[20_001..20_003], "<DEL>,*,A]chr2:5],."),
        ("20004", &bases[20_003..20_005], "n"),
        ("20091", long, "A"),
        ("20092", &bases[20_091..20_092], &bases[20_091..20_500]),
        ("25541", end, "TTTTTTTT"),
        ("300000", "A", "<INS>"),
        ("300001", "AC", "A"),
        ("999999999999", "A", "C"),
    ];
    let lines = lines.map(|(at, old, new)| format!("chr1\t{at}\t.\t{old}\t{new}\t.\t.\t.\tGT\t1|2\n"));
    fs::write(&odd, head.to_owned() + &lines.concat()).expect("VCF");
    for options in [&[][..], &["-l"]] {
        let (code, message) = run(&utf8(&odd), &[&["--gff", &genes], options].concat());
        assert_eq!(code, Some(0), "{message}");
    }
    let (code, message) = run(&write(&[(20_100, "0|1"), (20_090, "0|1")]), &["--gff", &genes]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("not in order"), "{message}");
    for options in [&["--source", "x.ndb"][..], &["--gff", &genes, "--tab"], &["--gff", &genes, "-p", "x"]] {
        let (code, message) = run(&vcf, options);
        assert_ne!(code, Some(0), "{options:?}: {message}");
    }
}

/// `12AB` as 12 and AB.
fn placed(text: &str) -> (usize, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (text[..digits].parse().expect("a place"), &text[digits..])
}

/// What entries say of a protein is what the haplotype with all of its variants says.
#[test]
fn compounds_are_translations_of_the_haplotype() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let contigs = contigs(&reference);
    let (mut checked, mut compounds, mut restored, mut behind_stops, mut apart) = (0, 0, 0, 0, 0);
    for seed in 0..25 {
        for model in &models {
            let bases = &contigs[&model.contig];
            let length = model.sequence.len();
            let position = |place: usize| {
                if model.is_reverse { model.start + length - 1 - place } else { model.start + place }
            };
            // Coding bases, but starts, stops and splice sites.
            let inner = &model.coding[3..model.coding.len() - 3];
            let is_inner = |place: &usize| (place - 3..=place + 3).all(|near| model.coding.contains(&near));
            let mut free: Vec<usize> =
                inner.iter().filter(|place| is_inner(place)).map(|place| position(*place)).collect();
            free.sort_unstable();
            let mut random = Random::new(1000 + seed);
            let mut changed: BTreeMap<usize, String> = BTreeMap::new();
            let mut records = Vec::new();
            let mut at = free[random.below(8)];
            while let Some(&next) = free.iter().find(|place| **place >= at) {
                let mut old = 1;
                let first = &bases[next - 1..next];
                let mut new = first.to_owned();
                match random.below(4) {
                    0 => {
                        let length = 1 + random.below(4);
                        new += &random.sequence(length);
                    }
                    1 => old += 1 + random.below(4),
                    _ => new = random.base().to_string(),
                }
                // Indels are as far left as they go: bcftools takes others for what they are not.
                let is_left = (old == 1 || first != &bases[next + old - 2..next + old - 1])
                    && (new.len() == 1 || !new.ends_with(first));
                if is_left
                    && (next..next + old).all(|place| free.contains(&place))
                    && bases[next - 1..next - 1 + old] != new
                {
                    changed.insert(next, new.clone());
                    (next + 1..next + old).for_each(|place| drop(changed.insert(place, String::new())));
                    records.push((next, bases[next - 1..next - 1 + old].to_owned(), new));
                }
                at = next + old + random.below(6);
            }
            let vcf = directory.path().join("one.vcf");
            let mut text = format!(
                "##fileformat=VCFv4.2\n##contig=<ID={}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n",
                model.contig
            );
            for (at, old, new) in &records {
                let _ = writeln!(text, "{}\t{at}\t.\t{old}\t{new}\t.\t.\t.\tGT\t0|1", model.contig);
            }
            fs::write(&vcf, text).expect("VCF");
            // The haplotype's coding bases, each with the variants that made it or end beside it.
            let touching = |at: usize| -> Vec<usize> {
                let near =
                    |(first, old, _): &&(usize, String, String)| (*first..=*first + old.len()).contains(&at);
                records.iter().filter(near).map(|(first, ..)| *first).collect()
            };
            let mut haplotype: Vec<(u8, Vec<usize>)> = Vec::new();
            for place in &model.coding {
                let at = position(*place);
                let now = changed.get(&at).cloned().unwrap_or_else(|| bases[at - 1..at].to_owned());
                let now =
                    if model.is_reverse { reverse_complement(now.as_bytes()) } else { now.into_bytes() };
                haplotype.extend(now.into_iter().map(|base| (base, touching(at))));
            }
            let coding: Vec<u8> = model.coding.iter().map(|place| model.sequence[*place]).collect();
            let changed: Vec<u8> = haplotype.iter().map(|(base, _)| *base).collect();
            let (before, after) = (translate(&coding), translate(&changed));
            let vcf = utf8(&vcf);
            let case = Case { reference: &reference, genes: &genes, vcf: &vcf };
            for (record, info, _) in told(&case.text(&[])) {
                for entry in info.split(',').filter(|entry| !entry.starts_with('@')) {
                    let parts: Vec<&str> = entry.split('|').collect();
                    let (Some(protein), Some(dna)) = (parts.get(5), parts.get(6)) else { continue };
                    let (old, new) = protein.split_once('>').unwrap_or((protein, ""));
                    let (place, amino_acids) = placed(old);
                    assert!(before[place - 1..].starts_with(amino_acids), "{record}: {entry}");
                    if !new.is_empty() {
                        let (place, amino_acids) = placed(new);
                        let own: Vec<usize> = dna.split('+').map(|change| placed(change).0).collect();
                        for (number, amino_acid) in amino_acids.chars().enumerate() {
                            let codon = place - 1 + number;
                            if after[codon..].starts_with(amino_acid) {
                                continue;
                            }
                            // bcftools has not seen that another variant lies in the codon.
                            let mut touched =
                                haplotype[3 * codon..3 * codon + 3].iter().flat_map(|(_, by)| by);
                            assert!(
                                touched.any(|by| !own.contains(by)),
                                "{record}: {entry}\n{after}\n{records:?}\n{:?}",
                                &haplotype[3 * codon - 6..3 * codon + 9]
                            );
                            apart += 1;
                        }
                    }
                    checked += 1;
                    compounds += usize::from(dna.contains('+'));
                    restored += usize::from(parts[0].contains("inframe"));
                    behind_stops += usize::from(entry.starts_with('*'));
                }
            }
        }
    }
    eprintln!(
        "{checked} entries, {compounds} compounds, {restored} in frame, {behind_stops} behind a stop, {apart} apart"
    );
    assert!(checked > 1000 && compounds > 300 && restored > 50 && behind_stops > 50 && 50 * apart < checked);
}

/// The mitochondrion has its own code with us, and codons with an unknown base are X or what all choices agree on; for
/// bcftools there is one code, and the place of an N in a codon decides which other one it is read as.
#[test]
fn codes_and_unknown_bases_differ_from_bcftools() {
    let Some(python) = bcftools::python() else { return };
    let directory = tempfile::tempdir().expect("temporary directory");
    let genes = utf8(&root().join("testdata/genes.gff3"));
    let mut contigs = contigs(&utf8(&root().join("testdata/genome.fa")));
    // T8 begins at chrM:3301, T1 at chr1:20001.
    let mut put = |contig: &str, at: usize, bases: &str| {
        contigs.get_mut(contig).expect("a contig").replace_range(at - 1..at - 1 + bases.len(), bases);
    };
    put("chrM", 3331, "ATA");
    put("chr1", 20_031, "NNTCTNGTNANT");
    let fasta: String = contigs.iter().map(|(name, bases)| format!(">{name}\n{bases}\n")).collect();
    let reference = directory.path().join("changed.fa");
    fs::write(&reference, fasta).expect("reference");
    let records = [
        "chr1\t20033\t.\tT\tC",
        "chr1\t20035\t.\tT\tC",
        "chr1\t20037\t.\tG\tC",
        "chr1\t20040\t.\tA\tG",
        "chrM\t3333\t.\tA\tG",
    ];
    let mut text = "##fileformat=VCFv4.2\n##contig=<ID=chr1>\n##contig=<ID=chrM>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n".to_owned();
    records.iter().for_each(|record| text += &format!("{record}\t.\t.\t.\n"));
    let vcf = directory.path().join("changed.vcf");
    fs::write(&vcf, text).expect("VCF");
    let (reference, vcf) = (utf8(&reference), utf8(&vcf));
    let case = Case { reference: &reference, genes: &genes, vcf: &vcf };
    let protein = |told: Vec<Told>| -> Vec<String> {
        told.iter().map(|(_, info, _)| info.split('|').nth(5).unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(protein(told(&case.text(&[]))), ["11X", "12L>12P", "13V>13L", "14X", "11M"]);
    let theirs = protein(case.theirs(&python, &[]).expect("bcftools ends well"));
    assert_eq!(theirs, ["11X", "12L>12P", "13V>13L", "14H>14Y", "11I>11M"]);
}
