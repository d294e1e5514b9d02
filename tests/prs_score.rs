//! `norn prs score` and `match` from end to end: scoring files and genotypes of any form in, tables out.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::*;

/// A real score over real genotypes, where they are.
fn real(name: &str) -> Option<PathBuf> {
    let data = shared_data();
    if data.is_none() {
        eprintln!("skipped: {name} (no NORN_SHARED_DATA)");
    }
    data.map(|data| data.join("prs").join(name))
}

/// Runs on one set of genotypes with the rules of the plink2 run; gives the lines of `aggregated_scores.txt` by person.
fn scored(genotypes: &Path, scores: &Path, more: &[&str], output: &Path) -> BTreeMap<String, Vec<String>> {
    let [genotypes, scores, out] =
        [genotypes, scores, output].map(|path| path.to_string_lossy().into_owned());
    let words =
        ["prs", "score", "--genotypes", &genotypes, "--scores", &scores, "--min-overlap", "0", "-o", &out];
    norn_ok(&[&words, more].concat());
    let text = decompressed(&output.join("aggregated_scores.txt.gz"));
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("sampleset\tFID\tIID\tPGS\tSUM\tDENOM\tAVG"));
    lines
        .map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>())
        .map(|columns| (format!("{} {}", columns[2], columns[3]), columns))
        .collect()
}

fn decompressed(path: &Path) -> String {
    let mut text = String::new();
    let file = fs::File::open(path).expect("a file");
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).expect("gzip");
    text
}

#[test]
fn sums_of_a_real_score_are_those_of_plink2_from_vcf_and_bgen() {
    let Some(vcf) = real("tiny1000G.vcf.gz") else { return };
    let [bgen, scores, expected] =
        ["tiny1000G.bgen", "PGS001229_hmPOS_GRCh38.txt.gz", "PGS001229.plink2.sscore.gz"]
            .map(|name| vcf.with_file_name(name));
    let directory = tempfile::tempdir().expect("a directory");
    let rules = ["--keep-ambiguous", "--ignore-strand-flips", "--build", "GRCh38"];
    let of_vcf = scored(&vcf, &scores, &rules, &directory.path().join("vcf"));
    let of_bgen = scored(&bgen, &scores, &rules, &directory.path().join("bgen"));
    let text = decompressed(&expected);
    let mut people = 0;
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let what = format!("{} PGS001229_hmPOS_GRCh38", columns[0]);
        let ours = &of_vcf[&what];
        assert_eq!(ours[5], columns[2], "{what}: DENOM");
        for (mine, theirs) in [(&ours[4], columns[5]), (&ours[6], columns[4])] {
            let (mine, theirs): (f64, f64) = (mine.parse().expect("number"), theirs.parse().expect("number"));
            // plink2 prints six digits.
            assert!((mine - theirs).abs() <= 5.1e-6 * theirs.abs(), "{what}: {mine} {theirs}");
        }
        // The files themselves have others on X of these two.
        if !["HG03511", "NA21144"].contains(&columns[0]) {
            assert_eq!(ours[3..], of_bgen[&what][3..], "{what}");
        }
        people += 1;
    }
    assert_eq!((people, of_vcf.len(), of_bgen.len()), (3202, 3202, 3202));
}

/// A score with all effect types over made genotypes; sums by hand.
const SCORE: &str = "#pgs_id=PGS9\n#pgs_name=made\n#genome_build=GRCh38\n#variants_number=5\n\
    chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tis_dominant\tis_recessive\n\
    1\t100\tA\tG\t0.5\tFalse\tFalse\n1\t200\tT\tC\t-0.25\tFalse\tFalse\n1\t300\tC\tA\t2\tTrue\tFalse\n\
    1\t400\tG\tA\t4\tFalse\tTrue\n2\t10\tA\tC\t8\tFalse\tFalse\n";
const GENOTYPES: &str = "##fileformat=VCFv4.2\n##contig=<ID=chr1>\n##contig=<ID=chr2>\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n##FORMAT=<ID=DS,Number=A,Type=Float,Description=\"\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n\
    chr1\t100\t.\tG\tA\t.\t.\t.\tGT:DS\t0/1:1\t1/1:1.5\t0/0:0\n\
    chr1\t150\t.\tG\tA\t.\t.\t.\tGT\t0/1\t1/1\t0/0\n\
    chr1\t200\t.\tT\tC\t.\t.\t.\tGT\t0/0\t0/1\t1/1\n\
    chr1\t300\t.\tA\tC\t.\t.\t.\tGT\t1/1\t0/1\t0/0\n\
    chr1\t400\t.\tA\tG\t.\t.\t.\tGT\t1/1\t0/1\t0/0\n\
    chr2\t10\t.\tC\tA\t.\t.\t.\tGT\t./.\t0/1\t0/1\n";

#[test]
fn effects_missing_genotypes_and_dosages_count_as_by_hand() {
    let directory = tempfile::tempdir().expect("a directory");
    let [score, vcf] = ["s.txt", "g.vcf"].map(|name| directory.path().join(name));
    fs::write(&score, SCORE).expect("written");
    fs::write(&vcf, GENOTYPES).expect("written");
    // Of chr2:10 half of the known alleles count, so a's missing genotype is one copy.
    let cases: [(&[&str], [f64; 3], [&str; 3]); 3] = [
        (&["--bad-freqs"], [0.5 - 0.5 + 2.0 + 4.0 + 8.0, 1.0 - 0.25 + 2.0 + 8.0, 8.0], ["10"; 3]),
        (&["--no-mean-imputation"], [0.5 - 0.5 + 2.0 + 4.0, 1.0 - 0.25 + 2.0 + 8.0, 8.0], ["8", "10", "10"]),
        (
            &["--dosage-field", "DS", "--bad-freqs"],
            [0.5 - 0.5 + 2.0 + 4.0 + 8.0, 0.75 - 0.25 + 2.0 + 8.0, 8.0],
            ["10"; 3],
        ),
    ];
    for (number, (more, sums, denominators)) in cases.into_iter().enumerate() {
        let output = directory.path().join(format!("o{number}"));
        let all = scored(&vcf, &score, more, &output);
        for ((person, sum), denominator) in ["a", "b", "c"].iter().zip(sums).zip(denominators) {
            let line = &all[&format!("{person} PGS9")];
            assert_eq!((line[4].parse(), &*line[5]), (Ok(sum), denominator), "{more:?} {person}");
            assert_eq!(line[0], "g");
        }
        let names = ["g_log.csv.gz", "g_summary.csv", "scores.run.json"];
        assert!(names.iter().all(|name| output.join(name).is_file()));
    }
}

#[test]
fn any_threads_memory_and_files_give_the_same_bytes() {
    let Some(vcf) = real("tiny1000G.vcf.gz") else { return };
    let data = vcf.parent().expect("a directory");
    let scores =
        ["PGS001229_hmPOS_GRCh38.txt.gz", "PGS000001_hmPOS_GRCh38.txt.gz", "PGS000002_hmPOS_GRCh38.txt.gz"]
            .map(|name| data.join(name).to_string_lossy().into_owned());
    let directory = tempfile::tempdir().expect("a directory");
    let run = |name: &str, genotypes: &Path, order: [usize; 3], more: &[&str]| {
        let out = directory.path().join(name);
        let (genotypes, text) =
            (genotypes.to_string_lossy().into_owned(), out.to_string_lossy().into_owned());
        let mut words =
            vec!["prs", "score", "--genotypes", &genotypes, "--min-overlap", "0", "-o", &text, "--scores"];
        words.extend(order.iter().map(|number| scores[*number].as_str()));
        norn_ok(&[&words, more].concat());
        ["aggregated_scores.txt.gz", "tiny1000G_log.csv.gz", "tiny1000G_summary.csv"]
            .map(|name| fs::read(out.join(name)).expect("a table"))
    };
    let one = run("one", &vcf, [0, 1, 2], &["--threads", "1"]);
    assert_eq!(one, run("seven", &vcf, [2, 0, 1], &["--threads", "7"]));
    let bgen = vcf.with_file_name("tiny1000G.bgen");
    let whole = run("bgen", &bgen, [0, 1, 2], &["--threads", "2"]);
    assert_eq!(whole, run("small", &bgen, [1, 2, 0], &["--threads", "3", "--memory", "1"]));
}

#[test]
fn what_cannot_be_scored_is_told_in_a_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_string_lossy().into_owned()
    };
    let (score, vcf) = (write("s.txt", SCORE), write("g.vcf", GENOTYPES));
    let other = write("other.txt", &SCORE.replace("PGS9", "PGS8").replace("1\t", "7\t"));
    let cut = write("cut.vcf", &GENOTYPES.replace("\t0/0\t0/1\t1/1\n", "\t0/0\t0/1\n"));
    let many = write("allele.vcf", &GENOTYPES.replace("1/1:1.5", "1/2:1.5"));
    let fewer = write("fewer.vcf", &GENOTYPES.replace("\ta\tb\tc\n", "\ta\tb\td\n"));
    let weight = write("weight.txt", &SCORE.replace("\t-0.25", "\tinf"));
    let genotypes = write("g.txt", "x");
    let elsewhere = write("elsewhere.txt", &SCORE.replace("1\t", "7\t").replace("2\t10", "8\t10"));
    let hg18 = write("hg18.txt", &SCORE.replace("GRCh38", "hg18"));
    let unknown = write("unknown.txt", &SCORE.replace("GRCh38", "NR"));
    let chain = |from: u64| format!("chain 1 1 {from} + 0 500 1 248956422 + 0 500 1\n500\n");
    let of_37 = write("37.chain", &chain(249_250_621));
    let frequencies = write("none.afreq", "#CHROM\tID\tREF\tALT\tALT_FREQS\tOBS_CT\n1\tx\tA\tG\t0.5\t9\n");
    for (genotypes, scores, more, code, message) in [
        (vec![&*vcf], vec![&*score], &[][..], 3, "genotypes are missing, and 3 people are too few"),
        (
            vec![&vcf],
            vec![&elsewhere],
            &[],
            3,
            "are the genotypes of another build, or their contigs of other names?",
        ),
        (
            vec![&vcf],
            vec![&elsewhere],
            &["--min-overlap", "0"],
            3,
            "no score has enough variants in the genotypes",
        ),
        (vec![&vcf], vec![&score], &["--read-freq", &frequencies], 3, "it has none of the 5 scored variants"),
        (
            vec![&vcf],
            vec![&hg18],
            &["--build", "GRCh38"],
            3,
            "its positions are of hg18, and not of GRCh37 or GRCh38",
        ),
        (vec![&vcf], vec![&hg18], &[], 3, "its positions are of hg18"),
        (vec![&vcf], vec![&hg18], &["--build", "GRCh38", "--chain", &of_37], 3, "its positions are of hg18"),
        (
            vec![&vcf],
            vec![&unknown],
            &["--build", "GRCh38", "--chain", &of_37],
            3,
            "it does not tell the build of its positions (norn prs liftover --from lifts it)",
        ),
        (
            vec![&vcf],
            vec![&score],
            &["--dosage-field", "GP"],
            3,
            "has a dosage in FORMAT/GP (--dosage-field)",
        ),
        (vec![&vcf], vec![&other], &[], 3, "PGS8: 1 of 5 variants are matched"),
        (vec![&vcf], vec![&score, &other], &["--bad-freqs"], 4, "PGS8: 1 of 5 variants are matched"),
        (vec![&cut], vec![&score], &[], 3, "chr1:200: it has not as many samples as the header"),
        (
            vec![&many],
            vec![&score],
            &[],
            3,
            "chr1:100: a genotype names an allele that the record does not have",
        ),
        (vec![&vcf, &fewer], vec![&score], &[], 3, "fewer.vcf: its samples are not those of"),
        (vec![&vcf], vec![&weight], &[], 3, "weight.txt"),
        (vec![&vcf], vec![&score, &score], &[], 3, "PGS9"),
        (vec![&genotypes], vec![&score], &[], 3, "expected a .pgen, .bed, .bgen, .vcf"),
        (
            vec![&vcf],
            vec![&score],
            &["--build", "GRCh37"],
            3,
            "its positions are not of GRCh37 (--chain lifts them)",
        ),
        (vec![&vcf], vec![&score], &["--min-overlap", "2"], 2, "--min-overlap"),
    ] {
        let out = directory.path().join("out").to_string_lossy().into_owned();
        let words =
            [&["prs", "score", "-o", &out, "--genotypes"], &*genotypes, &["--scores"], &*scores, more];
        let output = norn(&words.concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{message}: {told}");
        assert!(told.contains(message), "{message}: {told}");
    }
}
