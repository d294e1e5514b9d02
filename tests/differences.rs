//! Where `concat`, `isec` and `merge` differ from bcftools 1.24 on purpose (the table in docs/variants.md). All expectations are
//! derived by hand, from what each record says of itself.

mod common;

use std::fs;
use std::path::Path;

use common::variant_files::utf8;
use common::*;

const HEADER: &str = "##fileformat=VCFv4.2\n##contig=<ID=1,length=1000>\n\
    ##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=XA,Number=A,Type=Float,Description=\"\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t";

/// Writes a file of one sample; words of its records apart by blanks.
fn write(directory: &Path, sample: &str, records: &[&str]) -> String {
    let path = directory.join(format!("{sample}.vcf"));
    let records: String = records.iter().map(|record| record.replace(' ', "\t") + "\n").collect();
    fs::write(&path, format!("{HEADER}{sample}\n{records}")).expect("input");
    utf8(&path)
}

/// What a command writes at each number of threads, without the header, words apart by blanks.
fn records(words: &[&str]) -> Vec<String> {
    let run = |threads| {
        let common = ["variants", words[0], "--quiet", "--threads", threads];
        let output = norn_ok(&[&common[..], &words[1..]].concat()).stdout;
        let text = String::from_utf8(output).expect("UTF-8");
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.replace('\t', " "))
            .collect::<Vec<_>>()
    };
    let one = run("1");
    assert_eq!((&run("2"), &run("7")), (&one, &one));
    one
}

#[test]
fn blocks_are_records_like_others_without_the_option_for_them() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let a = write(
        directory.path(),
        "a",
        &[
            "1 10 . A C . . . GT 0/1",
            "1 10 . A <NON_REF> . . END=20 GT 0/0",
            "1 30 . A <NON_REF> . . END=40 GT 0/0",
        ],
    );
    let b = write(directory.path(), "b", &["1 10 . A C . . . GT 1/1", "1 12 . G T . . . GT 0/1"]);
    // The block at 10 says nothing of b, nor of 12.
    let expected = [
        "1 10 . A C . . . GT 0/1 1/1",
        "1 10 . A <NON_REF> . . END=20 GT 0/0 ./.",
        "1 12 . G T . . . GT ./. 0/1",
        "1 30 . A <NON_REF> . . END=40 GT 0/0 ./.",
    ];
    assert_eq!(records(&["merge", "-m", "none", &a, &b]), expected);
}

#[test]
fn a_missing_value_of_the_unseen_allele_is_missing_for_others_too() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let a = write(directory.path(), "a", &["1 10 . A C,<*> . . . GT:AD 0/1:5,6,."]);
    let b = write(directory.path(), "b", &["1 10 . A G,<*> . . . GT:AD 0/1:7,8,0"]);
    let rows = records(&["merge", "-g", "-", &a, &b]);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    // G is for a what <*> is, and C for b: . and 0.
    let expected = match row.split(' ').nth(4) {
        Some("C,<*>,G") => "0/1:5,6,.,. 0/3:7,0,0,8",
        Some("C,G,<*>") => "0/1:5,6,.,. 0/2:7,0,8,0",
        other => panic!("ALT {other:?}"),
    };
    assert!(row.ends_with(expected), "{row}");
}

#[test]
fn alternate_alleles_get_the_value_of_the_unseen_one_of_their_own_sample() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let a = write(directory.path(), "a", &["1 10 . A C,<*> . . . GT:XA 0/1:0.5,0.125"]);
    let b = write(directory.path(), "b", &["1 10 . A G,<*> . . . GT:XA 0/1:0.75,0.25"]);
    let rows = records(&["merge", "-g", "-", &a, &b]);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let expected = match row.split(' ').nth(4) {
        Some("C,<*>,G") => "0/1:0.5,0.125,0.125 0/3:0.25,0.25,0.75",
        Some("C,G,<*>") => "0/1:0.5,0.125,0.125 0/2:0.25,0.75,0.25",
        other => panic!("ALT {other:?}"),
    };
    assert!(row.ends_with(expected), "{row}");
}

#[test]
fn each_record_of_a_position_is_in_targets_by_itself() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let both = ["1 10 . A C . . . GT 0/1", "1 10 . ACGT A . . . GT 0/1"];
    let (a, b) = (write(directory.path(), "a", &both), write(directory.path(), "b", &both));
    // The deletion has a base at 12, the SNV has not.
    for (overlap, expected) in [("0", &[][..]), ("1", &["1 10 ACGT A 11"]), ("2", &["1 10 ACGT A 11"])] {
        let words = ["isec", "-n", "=2", "-t", "1:12", "--targets-overlap", overlap, &a, &b];
        assert_eq!(records(&words), expected, "--targets-overlap {overlap}");
    }
}

#[test]
fn files_that_overlap_are_not_put_one_behind_another() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let a = write(directory.path(), "a", &["1 10 . A C . . . GT 0/1", "1 20 . A C . . . GT 0/1"]);
    let again = directory.path().join("b.vcf");
    fs::write(&again, text(Path::new(&a)).replace("\t20\t", "\t15\t")).expect("input");
    for options in [&["-G"][..], &[]] {
        let output = norn(&[&["variants", "concat", "--quiet"], options, &[&a, &utf8(&again)]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("b.vcf, 1:10: the records are not sorted"), "{said}");
    }
}

/// A file behind a gap is read alone. bcftools 1.24 then opens the one behind it, too, and takes all its sites for an
/// overlap that is not perfect.
#[test]
fn chunks_behind_a_gap_are_ligated() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let chunk = |name: &str, records: &[&str]| {
        let file = write(directory.path(), "s", records);
        let path = directory.path().join(name);
        fs::rename(&file, &path).expect("input");
        utf8(&path)
    };
    let first = chunk("1.vcf", &["1 10 . A C . . . GT 0|1"]);
    let second =
        chunk("2.vcf", &["1 20 . A C . . . GT 0|1", "1 30 . A C . . . GT 0|1", "1 40 . A C . . . GT 1|0"]);
    let third =
        chunk("3.vcf", &["1 30 . A C . . . GT 1|0", "1 40 . A C . . . GT 0|1", "1 50 . A C . . . GT 1|0"]);
    // The third has the haplotypes of the second the other way round.
    let expected = [
        "1 10 . A C . . . GT:PS 0|1:10",
        "1 20 . A C . . . GT:PS 0|1:10",
        "1 30 . A C . . . GT:PS 0|1:10",
        "1 40 . A C . . . GT:PQ:PS 1|0:99:10",
        "1 50 . A C . . . GT:PS 0|1:10",
    ];
    assert_eq!(records(&["concat", "-l", &first, &second, &third]), expected);
    // A site that the second lacks: at the beginning of an overlap bcftools leaves it out without a word.
    let third = chunk("3.vcf", &["1 25 . G T . . . GT 1|0", "1 30 . A C . . . GT 1|0"]);
    let output = norn(&["variants", "concat", "--quiet", "-l", &second, &third]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("1:25") && said.contains("--ligate-force"), "{said}");
    let kept = records(&["concat", "--ligate-force", &second, &third]);
    assert!(kept.iter().any(|row| row.starts_with("1 25 . G T")), "{kept:?}");
    let without = records(&["concat", "--ligate-warn", &second, &third]);
    assert!(!without.iter().any(|row| row.starts_with("1 25 . G T")), "{without:?}");
}
