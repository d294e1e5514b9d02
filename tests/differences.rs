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

/// bcftools 1.24 cuts the block at 30 where the record at 35 is, because the one at 10 has waited for its row.
#[test]
fn blocks_are_records_like_others_without_the_option_for_them() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let blocks = ["1 10 . A <NON_REF> . . END=20 GT 0/0", "1 30 . A <NON_REF> . . END=40 GT 0/0"];
    let a = write(directory.path(), "a", &blocks);
    let others = ["1 10 . A AC . . . GT 1/1", "1 10 . A G . . . GT 1/1", "1 35 . G T . . . GT 0/1"];
    let b = write(directory.path(), "b", &others);
    let rows = records(&["merge", &a, &b]);
    let behind: Vec<&String> = rows.iter().skip_while(|row| row.starts_with("1 10 ")).collect();
    assert_eq!(behind, ["1 30 . A <NON_REF> . . END=40 GT 0/0 ./.", "1 35 . G T . . . GT ./. 0/1"]);
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

/// Writes chunks of one sample; the words of a record are its position and genotype.
fn chunks(directory: &Path, chunks: &[&[(u64, &str)]]) -> Vec<String> {
    let chunk = |(number, records): (usize, &&[(u64, &str)])| {
        let records: Vec<String> = records
            .iter()
            .map(|(position, genotype)| format!("1 {position} . A C . . . GT {genotype}"))
            .collect();
        let file = write(directory, "s", &records.iter().map(String::as_str).collect::<Vec<_>>());
        let path = directory.join(format!("{number}.vcf"));
        fs::rename(&file, &path).expect("input");
        utf8(&path)
    };
    chunks.iter().enumerate().map(chunk).collect()
}

/// In each case the second of two overlapping chunks has the haplotypes of the first the other way round, so that its
/// genotypes are swapped and no others are.
#[test]
fn chunks_are_ligated_in_the_phase_of_the_first() {
    let directory = tempfile::tempdir().expect("temporary directory");
    for (name, option, files, expected) in [
        (
            // bcftools opens the file behind the gap together with the next, and takes all its sites for a bad overlap.
            "behind a gap",
            "-l",
            &[
                &[(10, "0|1")][..],
                &[(20, "0|1"), (30, "0|1"), (40, "1|0")],
                &[(30, "1|0"), (40, "0|1"), (50, "1|0")],
            ][..],
            "10 0|1:10, 20 0|1:10, 30 0|1:10, 40 1|0:99:10, 50 0|1:10",
        ),
        (
            // bcftools swaps the first file's site at 40, too.
            "one within another",
            "-l",
            &[&[(10, "0|1"), (20, "0|1"), (30, "0|1"), (40, "1|0")], &[(20, "1|0"), (30, "1|0")]],
            "10 0|1:10, 20 0|1:10, 30 0|1:99:10, 40 1|0:10",
        ),
        (
            // bcftools swaps the first file's site at 45, and not the second file's at 25.
            "sites that one file lacks",
            "--ligate-force",
            &[
                &[(10, "0|1"), (20, "0|1"), (30, "0|1"), (40, "0|1"), (45, "1|0"), (50, "1|0")],
                &[(20, "1|0"), (25, "1|0"), (40, "1|0"), (50, "0|1"), (60, "1|0")],
            ],
            "10 0|1:10, 20 0|1:10, 25 0|1:10, 30 0|1:10, 40 0|1:99:10, 45 1|0:10, 50 1|0:10, 60 0|1:10",
        ),
        (
            "the same, left out",
            "--ligate-warn",
            &[
                &[(10, "0|1"), (20, "0|1"), (30, "0|1"), (40, "0|1")],
                &[(20, "1|0"), (25, "1|0"), (40, "1|0")],
            ],
            "10 0|1:10, 20 0|1:10, 40 0|1:99:10",
        ),
        (
            // bcftools leaves such a site out without a word.
            "a site before the first that both have",
            "--ligate-warn",
            &[&[(10, "0|1"), (20, "0|1"), (40, "0|1")], &[(15, "1|0"), (20, "1|0"), (40, "1|0")]],
            "10 0|1:10, 20 0|1:10, 40 0|1:99:10",
        ),
    ] {
        let files = chunks(directory.path(), files);
        let words: Vec<&str> =
            ["concat", option].into_iter().chain(files.iter().map(String::as_str)).collect();
        let found: Vec<String> = records(&words)
            .iter()
            .map(|row| {
                let columns: Vec<&str> = row.split(' ').collect();
                format!("{} {}", columns[1], columns[9])
            })
            .collect();
        assert_eq!(found.join(", "), expected, "{name}");
    }
    let files = chunks(directory.path(), &[&[(10, "0|1"), (20, "0|1")], &[(15, "1|0"), (20, "1|0")]]);
    let output = norn(&["variants", "concat", "--quiet", "-l", &files[0], &files[1]]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("1:15") && said.contains("--ligate-force"), "{said}");
}
