//! `norn db source` and `norn annotate --source` beside bcftools annotate.

mod common;

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use common::made::Random;
use common::variant_files::utf8;
use common::*;

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("temporary file");
    utf8(&path)
}

/// A contig in which much repeats, so that indels have many places.
fn genome(directory: &Path, random: &mut Random) -> (String, String) {
    let mut bases = String::new();
    while bases.len() < 60_000 {
        let length = 1 + random.below(4);
        let unit = random.sequence(length);
        (0..1 + random.below(5)).for_each(|_| bases.push_str(&unit));
        let length = random.below(8);
        bases.push_str(&random.sequence(length));
    }
    (write(directory, "g.fa", &format!(">1\n{bases}\n")), bases)
}

/// An allele: position (1-based), REF, ALT.
type Allele = (usize, String, String);

fn alleles(random: &mut Random, bases: &str, count: usize) -> Vec<Allele> {
    let mut all = Vec::new();
    while all.len() < count {
        let at = 200 + random.below(bases.len() - 400);
        let base = &bases[at..=at];
        let (reference, alternate) = match random.below(4) {
            0 => (base.to_owned(), random.base().to_string()),
            1 => {
                let length = 1 + random.below(6);
                (base.to_owned(), format!("{base}{}", random.sequence(length)))
            }
            2 => (bases[at..at + 2 + random.below(6)].to_owned(), base.to_owned()),
            _ => {
                let (old, new) = (2 + random.below(3), 1 + random.below(4));
                (bases[at..at + old].to_owned(), random.sequence(new))
            }
        };
        if reference != alternate {
            all.push((at + 1, reference, alternate));
        }
    }
    all.sort();
    all.dedup();
    all
}

const HEADER: &str = "##fileformat=VCFv4.2\n##contig=<ID=1>\n\
    ##INFO=<ID=AF,Number=A,Type=Float,Description=\"Frequency\">\n\
    ##INFO=<ID=AC,Number=R,Type=Integer,Description=\"Counts\">\n\
    ##INFO=<ID=CLASS,Number=.,Type=String,Description=\"Class\">\n\
    ##INFO=<ID=SEEN,Number=0,Type=Flag,Description=\"Seen\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

/// The same allele written elsewhere in its repeat, or with bases that say nothing.
fn elsewhere(random: &mut Random, (position, reference, alternate): &Allele, bases: &str) -> Allele {
    let (mut at, mut reference, mut alternate) = (*position, reference.clone(), alternate.clone());
    for _ in 0..random.below(6) {
        let behind = bases.as_bytes()[at - 1 + reference.len()] as char;
        let before = bases.as_bytes()[at - 2] as char;
        match random.below(3) {
            // One more base on either side.
            0 => {
                reference.push(behind);
                alternate.push(behind);
            }
            1 => {
                reference.insert(0, before);
                alternate.insert(0, before);
                at -= 1;
            }
            // One place to the right: what is left out of both at the beginning comes at the end.
            _ => {
                if reference.as_bytes()[0] == alternate.as_bytes()[0]
                    && reference.len() > 1
                    && alternate.len() > 1
                {
                    reference.remove(0);
                    alternate.remove(0);
                    at += 1;
                }
            }
        }
    }
    (at, reference, alternate)
}

fn annotated(reference: &str, sources: &[&str], vcf: &str, more: &[&str]) -> String {
    let sources: Vec<&str> = sources.iter().flat_map(|source| ["--source", source]).collect();
    let words = [&["annotate", "-r", reference, "--quiet"], sources.as_slice(), &[vcf], more].concat();
    String::from_utf8(norn_ok(&words).stdout).expect("UTF-8")
}

fn rows(vcf: &str) -> Vec<Vec<String>> {
    let rows = vcf.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn info<'r>(row: &'r [String], tag: &str) -> &'r str {
    let prefix = format!("{tag}=");
    row[7].split(';').find_map(|field| field.strip_prefix(&prefix)).unwrap_or(".")
}

#[test]
fn an_allele_is_found_however_it_is_written() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut random = Random::new(3);
    let (reference, bases) = genome(directory.path(), &mut random);
    let known = alleles(&mut random, &bases, 9000);
    let mut text = HEADER.to_owned();
    for (number, (position, reference, alternate)) in known.iter().enumerate() {
        let _ = writeln!(
            text,
            "1\t{position}\trs{number}\t{reference}\t{alternate}\t.\tPASS\tAF=0.{number};AC=9,{number};CLASS=a,b{number};SEEN"
        );
    }
    let source = write(directory.path(), "source.vcf", &text);
    let database = utf8(&directory.path().join("source.ndb"));
    norn_ok(&[
        "db",
        "source",
        "S",
        "--vcf",
        &source,
        "--fields",
        "AF,AC,CLASS,SEEN,ID,FILTER",
        "--as",
        "AF=frequency",
        "-r",
        &reference,
        "-o",
        &database,
    ]);
    norn_ok(&["db", "verify", &database, "--against", &source]);
    // Each allele elsewhere in its repeat, and every twentieth in a record with others.
    let mut asked: Vec<(Allele, usize)> = known
        .iter()
        .enumerate()
        .map(|(number, allele)| (elsewhere(&mut random, allele, &bases), number))
        .collect();
    asked.sort();
    let mut text = HEADER.to_owned();
    for ((position, reference, alternate), number) in &asked {
        let other = if number % 20 == 0 { format!(",*,{alternate}N,<NON_REF>") } else { String::new() };
        let _ = writeln!(text, "1\t{position}\tn{number}\t{reference}\t{alternate}{other}\t.\t.\t.");
    }
    let vcf = write(directory.path(), "asked.vcf", &text);
    let found = annotated(&reference, &[&database], &vcf, &[]);
    // Alleles that are the same in the source: the first of them counts.
    // Of the whole sequence that an allele gives: alleles with the same are one.
    let changed = |(position, reference, alternate): &Allele| {
        let at = position - 1;
        let mut hasher = DefaultHasher::new();
        format!("{}{alternate}{}", &bases[..at], &bases[at + reference.len()..]).hash(&mut hasher);
        hasher.finish()
    };
    let mut first_of = HashMap::new();
    for (number, allele) in known.iter().enumerate() {
        first_of.entry(changed(allele)).or_insert(number);
    }
    for (row, (_, number)) in rows(&found).iter().zip(&asked) {
        let number = first_of[&changed(&known[*number])];
        let expected = [
            ("frequency", format!("0.{number}")),
            ("S_AC", number.to_string()),
            ("S_CLASS", format!("a&b{number}")),
            ("S_SEEN", "1".to_owned()),
            ("S_ID", format!("rs{number}")),
            ("S_FILTER", "PASS".to_owned()),
        ];
        for (tag, expected) in expected {
            let mut values = info(row, tag).split(',');
            assert_eq!(values.next(), Some(expected.as_str()), "{tag} {row:?}");
            assert!(values.all(|other| other == "."), "{tag} {row:?}");
        }
    }
    for threads in ["2", "3", "7"] {
        assert!(annotated(&reference, &[&database], &vcf, &["--threads", threads]) == found, "{threads}");
    }
}

#[test]
fn values_are_those_of_bcftools_annotate() {
    if !has("bcftools") {
        return;
    }
    let Some(shared) = shared_data() else {
        eprintln!("skipped: sources beside bcftools (no shared data)");
        return;
    };
    let directory = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| utf8(&shared.join(name));
    let reference = at("genome/GRCh38.chr21.slices.fa.gz");
    for (name, fields, asked) in [
        ("gnomad", "AF,EUR_AF", "annotate/clinvar.chr21.vcf.gz"),
        ("gnomad", "AFR_AF,SAS_AF", "annotate/vep114.chr21.vcf.gz"),
        ("clinvar", "CLNSIG", "annotate/gnomad.chr21.vcf.gz"),
        ("gnomad", "AF", "annotate/gnomad.chr21.vcf.gz"),
    ] {
        let source = at(&format!("annotate/{name}.chr21.vcf.gz"));
        let normal = utf8(&directory.path().join("normal.vcf.gz"));
        let source_normal = utf8(&directory.path().join("source.vcf.gz"));
        for (from, to) in [(at(asked), &normal), (source.clone(), &source_normal)] {
            norn_ok(&["variants", "norm", "--quiet", "-m-", "-f", &reference, "-W=tbi", "-o", to, &from]);
        }
        let database = utf8(&directory.path().join("source.ndb"));
        norn_ok(&[
            "db", "source", "S", "--vcf", &source, "--fields", fields, "-r", &reference, "-o", &database,
        ]);
        let columns: Vec<String> =
            fields.split(',').map(|field| format!("INFO/S_{field}:=INFO/{field}")).collect();
        let theirs = peer(
            "bcftools",
            &["annotate", "--pair-logic", "exact", "-a", &source_normal, "-c", &columns.join(","), &normal],
        );
        let (theirs, ours) = (rows(&theirs), rows(&annotated(&reference, &[&database], &normal, &[])));
        assert_eq!(theirs.len(), ours.len());
        let mut count = 0;
        // bcftools changes the order of records at one position, and annotates one of those that are the same.
        let place = |row: &Vec<String>| (row[1].clone(), row[3].clone(), row[4].clone());
        let mut by_place: HashMap<_, Vec<_>> = HashMap::new();
        theirs.iter().for_each(|row| by_place.entry(place(row)).or_default().push(row));
        for ours in &ours {
            for field in fields.split(',') {
                let tag = format!("S_{field}");
                let found = info(ours, &tag);
                let is_same = by_place[&place(ours)].iter().any(|theirs| {
                    let theirs = info(theirs, &tag).replace(',', "&");
                    theirs == found || theirs.parse::<f64>().is_ok_and(|value| found.parse() == Ok(value))
                });
                assert!(is_same, "{tag}: {:?} {ours:?}", by_place[&place(ours)]);
                count += u32::from(found != ".");
            }
        }
        assert!(count > 20, "{name} {asked}: {count}");
    }
}

#[test]
fn tables_and_regions_are_read() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let bases = "ACGTACGTACGTAAAAACGT".repeat(20);
    let reference = write(directory.path(), "g.fa", &format!(">chr1\n{bases}\n"));
    let table = write(
        directory.path(),
        "cadd.tsv",
        "## CADD\n#Chrom\tPos\tRef\tAlt\tRawScore\tPHRED\n1\t5\tA\tC\t-0.1\t3.10\n1\t5\tA\tG\t1e-3\t22\n1\t14\tA\tAA\t.\t7\n",
    );
    let odd = write(directory.path(), "odd.csv", "c,p,r,a,score\n1,5,A,T,0.5\n");
    let bed = write(
        directory.path(),
        "r.bed",
        "track x\nchr1\t0\t10\tfirst\nchr1\t4\t6\tsecond\nchr1\t4\t30\tfirst\n",
    );
    let at = |name: &str| utf8(&directory.path().join(name));
    for words in [
        vec!["CADD", "--tsv", &table, "--fields", "RawScore,PHRED", "-o", &at("cadd.ndb")],
        vec!["odd", "--tsv", &odd, "--fields", "score", "--columns", "c,p,r,a", "-o", &at("odd.ndb")],
        vec!["R", "--bed", &bed, "--fields", "4", "--as", "4=region", "-o", &at("r.ndb")],
    ] {
        norn_ok(&[&["db", "source"], words.as_slice()].concat());
    }
    let header = "##fileformat=VCFv4.2\n##contig=<ID=chr1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let vcf = write(
        directory.path(),
        "asked.vcf",
        &format!(
            "{header}chr1\t5\t.\tA\tC,G,T\t.\t.\tX=1\nchr1\t14\t.\tA\tAA\t.\t.\t.\nchr1\t40\t.\tT\tA\t.\t.\t.\n"
        ),
    );
    let twice =
        norn(&["annotate", "-r", &reference, "--source", &at("r.ndb"), "--source", &at("r.ndb"), &vcf]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&twice.stderr).contains("region would be written twice"));
    let found = annotated(&reference, &[&at("cadd.ndb"), &at("odd.ndb"), &at("r.ndb")], &vcf, &[]);
    let infos: Vec<String> = rows(&found).into_iter().map(|row| row[7].clone()).collect();
    assert_eq!(
        infos,
        [
            "X=1;CADD_RawScore=-0.1,1e-3,.;CADD_PHRED=3.10,22,.;odd_score=.,.,0.5;region=first,second",
            "CADD_PHRED=7;region=first",
            ".",
        ]
    );
    for line in
        ["ID=CADD_PHRED,Number=A,Type=Float", "ID=region,Number=.,Type=String", "##norn_source=<ID=CADD,"]
    {
        assert!(found.contains(line), "{line}\n{found}");
    }
}

#[test]
fn ids_go_into_their_column() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let reference = write(directory.path(), "g.fa", ">1\nACGTACGTACGT\n");
    let source = write(
        directory.path(),
        "s.vcf",
        &format!("{HEADER}1\t2\trs1\tC\tA\t.\t.\t.\n1\t2\trs2\tC\tG\t.\t.\t.\n"),
    );
    let database = utf8(&directory.path().join("s.ndb"));
    norn_ok(&["db", "source", "dbSNP", "--vcf", &source, "--fields", "ID", "--as", "ID=ID", "-o", &database]);
    let vcf = write(
        directory.path(),
        "a.vcf",
        &format!("{HEADER}1\t2\t.\tC\tG,A\t.\t.\t.\n1\t2\tmine\tC\tA\t.\t.\t.\n1\t3\t.\tG\tA\t.\t.\t.\n"),
    );
    let ids: Vec<String> =
        rows(&annotated(&reference, &[&database], &vcf, &[])).into_iter().map(|row| row[2].clone()).collect();
    assert_eq!(ids, ["rs2;rs1", "mine;rs1", "."]);
}

#[test]
fn chromosomes_match_under_all_of_their_names() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let bases = "ATGGCCTTTAAATGA".repeat(4);
    let genes = write(
        directory.path(),
        "g.gff3",
        "21\tx\tgene\t1\t60\t.\t+\t.\tID=gene:G;gene_id=G\n\
         21\tx\tmRNA\t1\t60\t.\t+\t.\tID=transcript:T;Parent=gene:G;biotype=protein_coding;transcript_id=T\n\
         21\tx\texon\t1\t60\t.\t+\t.\tParent=transcript:T\n21\tx\tCDS\t1\t15\t.\t+\t0\tParent=transcript:T;protein_id=P\n",
    );
    let name = |text: &str, contig: &str| {
        text.replace("##contig=<ID=1>", &format!("##contig=<ID={contig}>"))
            .replace("\n1\t", &format!("\n{contig}\t"))
    };
    let mut found = Vec::new();
    for (of_reference, of_source, of_calls) in [
        ("21", "21", "21"),
        ("chr21", "NC_000021.9", "chr21"),
        ("21", "chr21", "NC_000021.9"),
        ("chr21", "21", "21"),
    ] {
        let reference = write(directory.path(), "n.fa", &format!(">{of_reference}\n{bases}\n"));
        let _ = fs::remove_file(directory.path().join("n.fa.fai"));
        let source = write(
            directory.path(),
            "n.vcf",
            &name(&format!("{HEADER}1\t4\t.\tGC\tG\t.\t.\tAF=0.5\n"), of_source),
        );
        let vcf =
            write(directory.path(), "c.vcf", &name(&format!("{HEADER}1\t4\t.\tGC\tG\t.\t.\t.\n"), of_calls));
        let database = utf8(&directory.path().join("n.ndb"));
        norn_ok(&[
            "db", "source", "S", "--vcf", &source, "--fields", "AF", "-r", &reference, "-o", &database,
        ]);
        let out = annotated(&reference, &[&database], &vcf, &["--gff", &genes]);
        found.push(rows(&out)[0][7].clone());
    }
    assert!(found[0].contains("T:c.6del") && found[0].contains("S_AF=0.5"), "{found:?}");
    assert!(found.iter().all(|row| *row == found[0]), "{found:?}");
}

#[test]
fn bad_sources_are_told_in_a_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = |name: &str, text: &str| write(directory.path(), name, text);
    let unsorted = file("unsorted.vcf", &format!("{HEADER}1\t5\t.\tC\tA\t.\t.\t.\n1\t2\t.\tC\tG\t.\t.\t.\n"));
    let mixed = file(
        "mixed.vcf",
        &format!("{HEADER}1\t5\t.\tC\tA\t.\t.\t.\n2\t2\t.\tC\tG\t.\t.\t.\n1\t9\t.\tC\tG\t.\t.\t.\n"),
    );
    let fine = file("fine.vcf", HEADER);
    let no_names = file("none.tsv", "## only words\n");
    let no_alt = file("alt.tsv", "chrom\tpos\tref\tscore\n");
    let bad_position = file("position.tsv", "chrom\tpos\tref\talt\ts\n1\tx\tA\tC\t1\n");
    let bad_bed = file("bad.bed", "1\t9\t3\tx\n");
    let out = utf8(&directory.path().join("x.ndb"));
    for (words, code, said) in [
        (vec!["--vcf", &unsorted, "--fields", "AF"], 3, "1:2 stands behind 5: sort it"),
        (vec!["--vcf", &mixed, "--fields", "AF"], 3, "records of 1 do not stand together"),
        (vec!["--vcf", &fine, "--fields", "XX"], 3, "the header does not declare INFO XX"),
        (vec!["--tsv", &no_names, "--fields", "s"], 3, "it has no line of names"),
        (vec!["--tsv", &no_alt, "--fields", "score"], 3, "no column for the ALT"),
        (vec!["--tsv", &bad_position, "--fields", "s"], 3, "line 2: the position is no number"),
        (vec!["--bed", &bad_bed, "--fields", "4"], 3, "line 1: the end lies before the start"),
        (vec!["--bed", &bad_bed, "--fields", "name"], 3, "numbers of columns from 4 on"),
        (vec!["--vcf", &fine, "--fields", "AF", "--as", "X=Y"], 2, "is no FIELD=NAME"),
        (vec!["--tsv", &no_alt, "--fields", "s", "--columns", "a,b"], 2, "expected four names"),
    ] {
        let words = [&["db", "source", "S", "-o", &out], words.as_slice()].concat();
        let output = norn(&words);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {told}");
        assert!(told.contains(said) && told.lines().count() == 1, "{words:?}: {told}");
        assert!(!Path::new(&out).exists(), "{words:?} leaves nothing");
    }
}

#[test]
fn the_nearest_regions_are_those_of_a_search_through_all() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut random = Random::new(3);
    let bases = random.sequence(3000);
    let reference = write(directory.path(), "g.fa", &format!(">1\n{bases}\n"));
    let regions: Vec<(i64, i64)> = (0..60)
        .map(|_| {
            let start = random.below(2900) as i64;
            (start, start + 1 + random.below(20) as i64)
        })
        .collect();
    let lines = regions.iter().enumerate().map(|(n, (start, end))| format!("1\t{start}\t{end}\tr{n}\n"));
    let bed = write(directory.path(), "r.bed", &lines.collect::<String>());
    let ndb = utf8(&directory.path().join("r.ndb"));
    norn_ok(&["db", "source", "R", "--bed", &bed, "--fields", "4,DISTANCE", "--as", "4=region", "-o", &ndb]);
    let mut vcf =
        "##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n".to_owned();
    let ranges: Vec<(usize, usize)> = (0..2980).step_by(3).map(|at| (at, at + 1 + at % 4)).collect();
    for &(start, end) in &ranges {
        let _ = writeln!(vcf, "1\t{}\t.\t{}\t<X>\t.\t.\t.", start + 1, &bases[start..end]);
    }
    let vcf = write(directory.path(), "asked.vcf", &vcf);
    let found = annotated(&reference, &[&ndb], &vcf, &[]);
    for ((start, end), row) in ranges.iter().zip(rows(&found)) {
        let (start, end) = (*start as i64, *end as i64);
        // 0 where they overlap, 1 where they adjoin.
        let distance = |(from, to): &(i64, i64)| (from - end + 1).max(start - to + 1).max(0);
        let least = regions.iter().map(distance).min().expect("regions");
        let mut names: Vec<String> = regions
            .iter()
            .enumerate()
            .filter(|(_, region)| distance(region) == least)
            .map(|(number, _)| format!("r{number}"))
            .collect();
        names.sort();
        let values: HashMap<&str, &str> =
            row[7].split(';').filter_map(|field| field.split_once('=')).collect();
        let mut told: Vec<String> = values["region"].split(',').map(str::to_owned).collect();
        told.sort();
        assert_eq!((values["R_DISTANCE"], told), (&*least.to_string(), names), "{start}-{end}");
    }
}
