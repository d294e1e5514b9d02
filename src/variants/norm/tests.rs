//! What must hold of any records, on small references full of repeats.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::formats::vcf::record::Column;

const HEAD: &str = "##fileformat=VCFv4.3\n\
    ##INFO=<ID=AC,Number=A,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=TXT,Number=A,Type=String,Description=\"\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";

/// A genome, and records on it, sorted.
#[derive(Clone, Debug)]
struct Input {
    genome: String,
    lines: Vec<String>,
}

/// Puts lines through a chain in batches of so many.
fn run(options: &NormOptions, lines: &[String], batch: usize) -> Vec<String> {
    let header = Header::parse(HEAD.as_bytes()).unwrap();
    let mut parts = chain(options, &header).unwrap().parts;
    let (Part::Ordered(mut last), Part::Each(first)) = (parts.pop().unwrap(), parts.pop().unwrap()) else {
        panic!("two parts")
    };
    let mut out = Vec::new();
    for lines in lines.chunks(batch) {
        let mut done = Vec::new();
        for line in lines {
            let (mut record, mut more) = (Record::parse(line.as_bytes()).unwrap(), Vec::new());
            if first.apply(&mut record, &mut more).unwrap() {
                done.push(record);
            }
            done.extend(more);
        }
        last.push(done, &mut out).unwrap();
    }
    last.finish(&mut out).unwrap();
    let text = |record: &Record| {
        let mut line = Vec::new();
        record.write(&mut line);
        String::from_utf8(line).unwrap()
    };
    out.iter().map(text).collect()
}

fn options(fasta: &Path) -> NormOptions {
    NormOptions { fasta_ref: Some(fasta.to_owned()), site_win: 0, ..NormOptions::default() }
}

fn fasta(genome: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("g.fa");
    std::fs::write(&path, format!(">1\n{genome}\n")).unwrap();
    (directory, path)
}

/// Random bases and short repeats in turn.
fn genomes() -> impl Strategy<Value = String> {
    let piece =
        ("[ACGT]{1,6}", "[AC]{1,3}", 1usize..12).prop_map(|(lead, unit, times)| lead + &unit.repeat(times));
    proptest::collection::vec(piece, 2..6).prop_map(|pieces| pieces.concat() + "GATTACAGATTACA")
}

/// A change: where, how many bases of REF, and what comes instead, as what is put behind some of REF.
type Change = (prop::sample::Index, usize, Vec<(usize, String)>, [usize; 4]);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let alt = (0usize..6, "[ACGT]{0,4}");
    let change =
        (any::<prop::sample::Index>(), 1usize..6, proptest::collection::vec(alt, 1..4), any::<[u8; 4]>());
    let change = change.prop_map(|(at, length, alts, calls)| (at, length, alts, calls.map(usize::from)));
    proptest::collection::vec(change, 1..12)
}

/// Records of changes, at most `most` at one position.
fn input(most: usize) -> impl Strategy<Value = Input> {
    (genomes(), changes()).prop_map(move |(genome, changes)| {
        let mut changes: Vec<_> =
            changes.iter().map(|change| (change.0.index(genome.len() - 6), change)).collect();
        changes.sort_by_key(|(at, _)| *at);
        let mut lines: Vec<String> = Vec::new();
        let mut here = (usize::MAX, 0);
        for (at, (_, length, alts, calls)) in changes {
            here = if here.0 == at { (at, here.1 + 1) } else { (at, 1) };
            let reference = &genome[at..at + length];
            let mut alleles = vec![reference.to_owned()];
            for (keep, inserted) in alts {
                let alt = format!("{}{inserted}", &reference[..(*keep).min(*length)]);
                if !alt.is_empty() && !alleles.contains(&alt) {
                    alleles.push(alt);
                }
            }
            if alleles.len() > 1 && here.1 <= most {
                let n = alleles.len();
                let counts: Vec<_> = (1..n).map(|i| i.to_string()).collect();
                let depths: Vec<_> = (0..n).map(|i| (i + 7).to_string()).collect();
                let row = [
                    format!(
                        "1\t{}\t.\t{reference}\t{}\t.\tPASS\tAC={}\tGT:AD:TXT",
                        at + 1,
                        alleles[1..].join(","),
                        counts.join(",")
                    ),
                    format!("{}|{}:{}:{}", calls[0] % n, calls[1] % n, depths.join(","), counts.join(",")),
                    format!("{}/{}:{}:{}", calls[2] % n, calls[3] % n, depths.join(","), counts.join(",")),
                ];
                lines.push(row.join("\t"));
            }
        }
        Input { genome, lines }
    })
}

fn position(line: &str) -> i64 {
    Record::parse(line.as_bytes()).unwrap().position()
}

/// The genome with the alternate allele of a biallelic record in it.
fn changed(genome: &str, line: &str) -> String {
    let record = Record::parse(line.as_bytes()).unwrap();
    let (at, reference) = (record.position() as usize, record.reference().len());
    let alt = String::from_utf8_lossy(record.column(Column::Alt)).into_owned();
    format!("{}{alt}{}", &genome[..at], &genome[at + reference..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn again_changes_nothing_and_batches_do_not_matter(input in input(9), batch in 1usize..5) {
        let (_directory, fasta) = fasta(&input.genome);
        let split = Multiallelics::Split(Collapse::Both);
        for options in [
            options(&fasta),
            NormOptions { multiallelics: split, ..options(&fasta) },
            NormOptions { multiallelics: split, sort: SortOrder::Lexical, ..options(&fasta) },
            NormOptions { multiallelics: split, remove_duplicates: Some(RemoveDuplicates::Exact), ..options(&fasta) },
            NormOptions { atomize: true, ..options(&fasta) },
            // With `*` a second pass would split that off.
            NormOptions { atomize: true, overlaps_are_star: false, multiallelics: split, ..options(&fasta) },
            NormOptions { multiallelics: Multiallelics::Join(Collapse::Any), do_not_normalize: true, ..options(&fasta) },
        ] {
            let once = run(&options, &input.lines, usize::MAX);
            prop_assert!(once.iter().map(|line| position(line)).is_sorted());
            prop_assert_eq!(&run(&options, &input.lines, batch), &once);
            prop_assert_eq!(&run(&options, &once, usize::MAX), &once);
        }
    }

    #[test]
    fn what_was_split_is_joined_again(input in input(1)) {
        let (_directory, fasta) = fasta(&input.genome);
        let base = NormOptions { do_not_normalize: true, ..options(&fasta) };
        let split = NormOptions { multiallelics: Multiallelics::Split(Collapse::Any), ..base.clone() };
        let join = NormOptions { multiallelics: Multiallelics::Join(Collapse::Any), ..base };
        let parts = run(&split, &input.lines, usize::MAX);
        prop_assert_eq!(run(&join, &parts, 2), input.lines);
    }

    #[test]
    fn haplotypes_stay_the_same(input in input(9)) {
        let (_directory, fasta) = fasta(&input.genome);
        let split = NormOptions { multiallelics: Multiallelics::Split(Collapse::Any), ..options(&fasta) };
        let only_split = NormOptions { do_not_normalize: true, ..split.clone() };
        for line in &input.lines {
            let one = std::slice::from_ref(line);
            let mut before: Vec<_> = run(&only_split, one, 1).iter().map(|l| changed(&input.genome, l)).collect();
            let mut after: Vec<_> = run(&split, one, 1).iter().map(|l| changed(&input.genome, l)).collect();
            before.sort();
            after.sort();
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn atoms_make_the_same_haplotype(input in input(9)) {
        let options = NormOptions {
            multiallelics: Multiallelics::Split(Collapse::Any), atomize: true, overlaps_are_star: false, ..NormOptions::default()
        };
        let split = NormOptions { atomize: false, ..options.clone() };
        for part in run(&split, &input.lines, usize::MAX) {
            let expected = changed(&input.genome, &part);
            let mut haplotype = input.genome.clone();
            // From the right; at one place the insertion or deletion, then the SNV.
            let mut atoms = run(&options, &[part], 1);
            atoms.sort_by_key(|line| (-position(line), line.split('\t').nth(4).unwrap_or("").len() == 1
                && line.split('\t').nth(3).unwrap_or("").len() == 1));
            for atom in atoms {
                let record = Record::parse(atom.as_bytes()).unwrap();
                let at = record.position() as usize;
                let (reference, alt) = (record.reference().len(), record.alternates().next().unwrap().to_vec());
                haplotype.replace_range(at..at + reference, std::str::from_utf8(&alt).unwrap());
            }
            prop_assert_eq!(haplotype, expected);
        }
    }
}

#[test]
fn no_line_makes_it_panic() {
    let (_directory, fasta) = fasta("ACGTACGTTTAAAAAAAAAACACACACACAGTNNNNNN");
    let header = Header::parse(HEAD.as_bytes()).unwrap();
    let alleles = [
        "",
        ".",
        "A",
        "*",
        "<DEL>",
        "<DUP>",
        "<",
        "A,",
        ",",
        ",,A",
        "[",
        "AC,A,ACC",
        "N",
        "a]",
        "ACGTACGTACGT",
    ];
    let tails = [
        "GT:AD:TXT\t0/9:1:2\t:",
        "AD:GT\t1,2,3,4,5,6\t.",
        "\t",
        ".\t.\t.",
        "GT\t999999999999999999999/1\t0",
        "GT",
        "LAA:AD\t9,x:1\t1,1,1:.,.,.",
    ];
    let positions = ["-5", "0", "1", "20", "37", "99", "999999999999999999"];
    let infos = ["AC=1,2;END=x;SVLEN=99999999999", "END=999999999999999999;SVLEN=-3,4", "AC"];
    for (multiallelics, atomize, set) in [
        (Multiallelics::Split(Collapse::Any), true, false),
        (Multiallelics::Split(Collapse::Any), false, true),
        (Multiallelics::Join(Collapse::Any), false, false),
    ] {
        let check_ref = CheckRef { set, ..CheckRef::default() };
        let options = NormOptions { multiallelics, atomize, check_ref, force: true, ..options(&fasta) };
        let mut parts = chain(&options, &header).unwrap().parts;
        for (reference, alt) in alleles.iter().flat_map(|r| alleles.iter().map(move |a| (r, a))) {
            for position in positions {
                for (tail, info) in tails.iter().flat_map(|t| infos.iter().map(move |i| (t, i))) {
                    let line = format!("1\t{position}\t.\t{reference}\t{alt}\t.\t.\t{info}\t{tail}");
                    drive(&mut parts, &line);
                }
            }
        }
    }
}

/// Puts one line twice through a chain; errors are fine.
fn drive(parts: &mut [Part], line: &str) {
    let (mut records, mut out) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Each(step) => {
                for _ in 0..2 {
                    let mut record = Record::parse(line.as_bytes()).unwrap();
                    if let Ok(true) = step.apply(&mut record, &mut records) {
                        records.push(record);
                    }
                }
            }
            Part::Ordered(stage) => {
                let _ = stage.push(std::mem::take(&mut records), &mut out);
                let _ = stage.finish(&mut out);
            }
        }
    }
}
