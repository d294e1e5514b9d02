//! `norn prs liftover` beside pyliftover and pgscatalog-format (pgscatalog-utils 2.0.4), and beside `--chain` of
//! the scores.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::made::Random;
use common::*;
use norn::formats::text::open;

/// Two stretches of chr1 move on, a third comes to lie on the other strand of chr2, a fourth off the chromosomes.
const CHAINS: &str = "chain 100 chr1 9000 + 1000 3500 chr1 9000 + 2000 4400 1\n1000 500 400\n1000\n\n\
    chain 90 chr1 9000 + 4000 5000 chr2 9000 - 3000 4000 2\n1000\n\n\
    chain 80 chr1 9000 + 6000 6500 chr1_KI270706v1_random 9000 + 0 500 3\n500\n";

const HEADER: &str = "###PGS CATALOG SCORING FILE - see https://www.pgscatalog.org/downloads/#dl_ftp_scoring for additional information\n\
    #format_version=2.0\n##POLYGENIC SCORE (PGS) INFORMATION\n#pgs_id=PGS000009\n#pgs_name=made\n#trait_reported=height\n\
    #trait_mapped=body height\n#trait_efo=EFO_0004339\n#genome_build=GRCh37\n#variants_number=408\n#weight_type=beta\n\
    ##SOURCE INFORMATION\n#pgp_id=PGP000009\n#citation=A et al. (2026). doi:10.1/x\n";

/// A row: position, effect allele, other allele.
type Row = (u64, String, String);

fn rows() -> Vec<Row> {
    let mut random = Random::new(5);
    let mut rows: Vec<Row> = (0..400u64)
        .map(|number| {
            let position = 500 + 17 * number;
            let effect = random.base();
            let other = ['A', 'C', 'G', 'T'].into_iter().find(|base| *base != effect).expect("another");
            let tail = match random.below(5) {
                0 => random.sequence(2),
                _ => String::new(),
            };
            let other = [other.to_string() + &tail, other.to_string()][random.below(2)].clone();
            (position, format!("{effect}{tail}"), other)
        })
        .collect();
    // The borders of the chains, and beyond.
    rows.extend([1000, 1001, 2000, 2001, 2501, 4001, 5000, 5001].map(|at| (at, "A".into(), "G".into())));
    rows
}

fn table(header: &str, rows: &[Row]) -> String {
    let rows = rows.iter().enumerate().map(|(number, (position, effect, other))| {
        format!("rs{number}\t1\t{position}\t{effect}\t{other}\t0.{number}\n")
    });
    let names = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight";
    format!("{header}{names}\n{}", rows.collect::<String>())
}

/// The lines of a scoring file's header, and its rows by column.
fn read(path: &Path) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut text = String::new();
    let mut reader = open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    reader.read_to_string(&mut text).expect("text");
    let (header, rows): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    let names: Vec<&str> = rows[0].split('\t').collect();
    let rows = rows[1..].iter().map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        assert_eq!(cells.len(), names.len(), "{row}");
        names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect()
    });
    (header.into_iter().map(str::to_owned).collect(), rows.collect())
}

fn turned(allele: &str) -> String {
    let other = |base| match base {
        'A' => 'T',
        'C' => 'G',
        'G' => 'C',
        'T' => 'A',
        base => panic!("{base}"),
    };
    allele.chars().rev().map(other).collect()
}

#[test]
fn rows_lie_where_pyliftover_and_pgscatalog_format_have_them() {
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name);
    let rows = rows();
    fs::write(at("PGS000009.txt"), table(HEADER, &rows)).expect("scores");
    fs::write(at("made.chain"), CHAINS).expect("chains");
    let [scores, chain, out] =
        ["PGS000009.txt", "made.chain", "out"].map(|name| at(name).to_string_lossy().into_owned());
    let output = norn_ok(&[
        "prs",
        "liftover",
        "--chain",
        &chain,
        "--to",
        "GRCh38",
        &scores,
        "--date",
        "2026-01-31",
        "-o",
        &out,
    ]);
    let (header, lifted) = read(&at("out/PGS000009_hmPOS_GRCh38.txt.gz"));
    let kept = format!("{HEADER}##HARMONIZATION DETAILS\n#HmPOS_build=GRCh38\n#HmPOS_date=2026-01-31\n");
    assert_eq!(header, kept.lines().collect::<Vec<_>>());
    assert_eq!(lifted.len(), rows.len());

    let positions: Vec<(&str, u64)> = rows.iter().map(|(position, ..)| ("chr1", position - 1)).collect();
    let Some(theirs) = pgscatalog::lifted(&at("made.chain"), &positions) else { return };
    let mut counts = [0; 4];
    for ((row, ours), theirs) in rows.iter().zip(&lifted).zip(&theirs) {
        let (position, effect, other) = row;
        let cell = |name: &str| ours[name].as_str();
        let authors = (cell("chr_name"), cell("chr_position"));
        let place = theirs.split(' ').collect::<Vec<_>>();
        let is_indel = effect.len() != other.len();
        match &*place {
            ["chr1", to, "+"] => {
                counts[0] += 1;
                let to: u64 = to.parse().expect("number");
                assert_eq!((cell("hm_chr"), cell("hm_pos")), ("1", &*(to + 1).to_string()), "{row:?}");
                assert_eq!((cell("effect_allele"), cell("other_allele")), (&**effect, &**other));
                assert_eq!((cell("hm_source"), authors), ("liftover", ("1", &*position.to_string())));
            }
            // The last base is the first one there; of an indel the base before it is another one.
            ["chr2", to, "-"] if !is_indel && position + effect.len() as u64 <= 5001 => {
                counts[1] += 1;
                let to = to.parse::<u64>().expect("number") + 2 - effect.len() as u64;
                assert_eq!((cell("hm_chr"), cell("hm_pos")), ("2", &*to.to_string()), "{row:?}");
                assert_eq!(
                    (cell("effect_allele"), cell("other_allele")),
                    (&*turned(effect), &*turned(other))
                );
                assert_eq!((cell("hm_source"), authors), ("liftover", ("", "")));
            }
            _ => {
                counts[2 + usize::from(theirs == "-")] += 1;
                assert_eq!(
                    (cell("hm_chr"), cell("hm_pos"), cell("hm_source")),
                    ("", "", "Unknown"),
                    "{row:?}"
                );
                assert_eq!((cell("effect_allele"), authors.0), (&**effect, "1"));
            }
        }
        assert_eq!(cell("rsID"), format!("rs{}", lifted.iter().position(|row| row == ours).expect("itself")));
    }
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    let expected = format!(
        "norn: PGS000009: {} variants lifted from GRCh37 (the authors' positions), {} of them to the other strand; {} without a \
         place in GRCh38: {} in no chain",
        counts[0] + counts[1],
        counts[1],
        counts[2] + counts[3],
        counts[3]
    );
    assert!(told.contains(&expected), "{told}\n{expected}");

    // Their own liftover, where it goes forward to a chromosome: it knows no strand, takes chr1_..._random for 1, and
    // refuses a file of which less than 95 % has a place, whatever its option says.
    let chains = at("chains");
    fs::create_dir(&chains).expect("directory");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, CHAINS.as_bytes()).expect("gzip");
    fs::write(chains.join("hg19ToHg38.over.chain.gz"), gzip.finish().expect("gzip")).expect("chains");
    let with_place: Vec<Row> = rows
        .iter()
        .zip(&lifted)
        .filter(|(_, row)| !row["hm_pos"].is_empty())
        .map(|(row, _)| row.clone())
        .collect();
    fs::write(at("placed.txt"), table(HEADER, &with_place)).expect("scores");
    let options = ["--liftover", "-c", &*chains.to_string_lossy()];
    let theirs = pgscatalog::format_with(&[at("placed.txt")], &at("theirs"), &options);
    // And they read what we wrote.
    let ours = pgscatalog::format_with(&[at("out/PGS000009_hmPOS_GRCh38.txt.gz")], &at("ours"), &[]);
    let (Some(theirs), Some(ours)) = (theirs, ours) else { return };
    let (theirs, ours) = (read(&theirs).1, read(&ours).1);
    assert_eq!((theirs.len(), ours.len()), (with_place.len(), rows.len()));
    let place = |row: &BTreeMap<String, String>| (row["chr_name"].clone(), row["chr_position"].clone());
    for (ours, lifted) in ours.iter().zip(&lifted) {
        assert_eq!(place(ours), (lifted["hm_chr"].clone(), lifted["hm_pos"].clone()));
        assert_eq!(ours["effect_allele"], lifted["effect_allele"]);
    }
    let forward = ours.iter().filter(|row| !row["chr_position"].is_empty()).zip(&theirs);
    let forward: Vec<_> = forward.filter(|(ours, _)| ours["chr_name"] == "1").collect();
    assert_eq!(forward.len(), counts[0]);
    assert!(forward.iter().all(|(ours, theirs)| place(ours) == place(theirs)));
}

#[test]
fn a_lifted_file_matches_as_the_same_chain_does_while_scoring() {
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    fs::write(at("PGS000009.txt"), table(HEADER, &rows())).expect("scores");
    fs::write(at("made.chain"), CHAINS).expect("chains");
    norn_ok(&[
        "prs",
        "liftover",
        "--chain",
        &at("made.chain"),
        "--to",
        "GRCh38",
        &at("PGS000009.txt"),
        "-o",
        &at("lifted"),
    ]);
    let lifted = at("lifted/PGS000009_hmPOS_GRCh38.txt.gz");
    // Every third lifted row is in the genotypes.
    let mut sites: Vec<(u64, u64, String, String)> = Vec::new();
    for row in read(Path::new(&lifted)).1.iter().filter(|row| !row["hm_pos"].is_empty()).step_by(3) {
        let number = |name: &str| row[name].parse().expect("number");
        sites.push((
            number("hm_chr"),
            number("hm_pos"),
            row["other_allele"].clone(),
            row["effect_allele"].clone(),
        ));
    }
    sites.sort();
    let lines = sites.iter().map(|(contig, position, reference, alternate)| {
        format!("{contig}\t{position}\t.\t{reference}\t{alternate}\t.\t.\t.\tGT\t0/1\n")
    });
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n";
    fs::write(at("g.vcf"), head.to_owned() + &lines.collect::<String>()).expect("genotypes");
    let log = |scores: &str, more: &[&str], out: &str| {
        let (vcf, out) = (at("g.vcf"), at(out));
        let words = [
            "prs",
            "match",
            "--genotypes",
            &vcf,
            "--min-overlap",
            "0",
            "--build",
            "GRCh38",
            "--keep-ambiguous",
        ];
        let words = [&words[..], &["--scores", scores, "-o", &out], more].concat();
        norn_ok(&words);
        text(&Path::new(&out).join("g_log.csv.gz")).replace("PGS000009_hmPOS_GRCh38", "PGS000009")
    };
    let by_chain = log(&at("PGS000009.txt"), &["--chain", &at("made.chain")], "chain");
    let by_file = log(&lifted, &[], "file");
    assert_eq!(difference(&by_chain, &by_file), None);
    assert!(by_chain.matches(",matched,").count() > 40);
}

#[test]
fn files_of_the_build_stay_and_others_are_refused() {
    let directory = tempfile::tempdir().expect("directory");
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let write = |name: &str, text: &str| fs::write(at(name), text).expect("input");
    let rows = [(1101, "A".to_owned(), "G".to_owned())];
    let header = HEADER.replace("=408", "=1");
    write("authors.txt", &table(&header, &rows));
    write("unknown.txt", &table(&header.replace("#genome_build=GRCh37\n", ""), &rows));
    let harmonised = header.clone()
        + "##HARMONIZATION DETAILS\n#HmPOS_build=GRCh38\n#HmPOS_date=2022-07-29\n\
        rsID\teffect_allele\teffect_weight\thm_source\thm_chr\thm_pos\thm_inferOtherAllele\nrs1\tA\t1\tENSEMBL\t1\t4101\tC/G\n";
    write("harmonised.txt", &harmonised);
    write("made.chain", CHAINS);
    // Of chr1: 249,250,621 bases in GRCh37, 248,956,422 in GRCh38.
    write("37to38.chain", "chain 1 chr1 249250621 + 0 9000 chr1 248956422 + 0 9000 1\n9000\n");
    // From GRCh38: the other strand of chr7, as far as these lengths are of a build at all.
    write("back.chain", "chain 1 chr1 9000 + 4000 5000 chr7 9000 - 0 1000 1\n1000\n");
    for (scores, more, chain, to, code, message) in [
        (
            "unknown.txt",
            &[][..],
            "made.chain",
            "GRCh38",
            3,
            "does not tell the build of its positions (--from does)",
        ),
        ("authors.txt", &[], "37to38.chain", "GRCh37", 3, "37to38.chain: it leads to GRCh38, not to GRCh37"),
        (
            "harmonised.txt",
            &["--from", "GRCh37"],
            "made.chain",
            "GRCh38",
            0,
            "harmonised positions are of GRCh38 already",
        ),
        ("authors.txt", &[], "back.chain", "GRCh37", 0, "the authors' positions are of GRCh37 already"),
        ("unknown.txt", &["--from", "GRCh37"], "made.chain", "GRCh38", 0, "1 variants lifted"),
        ("harmonised.txt", &[], "back.chain", "GRCh37", 0, "the authors' positions are of GRCh37"),
        ("authors.txt", &["--from", "GRCh38"], "no.chain", "GRCh38", 3, "no.chain"),
    ] {
        // What only harmonised positions are of is lifted from these.
        let message = if scores == "harmonised.txt" && to == "GRCh37" {
            "1 variants lifted from GRCh38"
        } else {
            message
        };
        let (chain, out) = (at(chain), at("out"));
        let scores = at(scores);
        let words = ["prs", "liftover", "--chain", &chain, "--to", to, &scores, "-o", &out];
        let output = norn(&[&words[..], more].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{scores}: {told}");
        assert!(told.contains(message) && told.lines().count() == 1, "{scores}: {message}: {told}");
    }
    // A file of the build already is as it was; one with the authors' positions of it alone has them twice.
    norn_ok(&[
        "prs",
        "liftover",
        "--chain",
        &at("made.chain"),
        "--to",
        "GRCh38",
        &at("harmonised.txt"),
        "-o",
        &at("out"),
    ]);
    assert_eq!(text(Path::new(&at("out/PGS000009_hmPOS_GRCh38.txt.gz"))), harmonised);
    norn_ok(&[
        "prs",
        "liftover",
        "--chain",
        &at("back.chain"),
        "--to",
        "GRCh37",
        &at("authors.txt"),
        "-o",
        &at("out"),
    ]);
    let (header, rows) = read(Path::new(&at("out/PGS000009_hmPOS_GRCh37.txt.gz")));
    assert_eq!(header.last().map(String::as_str), Some("#HmPOS_build=GRCh37"));
    assert_eq!(
        (&*rows[0]["hm_source"], &*rows[0]["hm_chr"], &*rows[0]["hm_pos"]),
        ("author-reported", "1", "1101")
    );
    // Lifted from harmonised positions to the other strand: all alleles that are told turn, the date is gone.
    norn_ok(&[
        "prs",
        "liftover",
        "--chain",
        &at("back.chain"),
        "--to",
        "GRCh37",
        &at("harmonised.txt"),
        "-o",
        &at("back"),
    ]);
    let (header, rows) = read(Path::new(&at("back/PGS000009_hmPOS_GRCh37.txt.gz")));
    assert!(
        header.contains(&"#HmPOS_build=GRCh37".to_owned())
            && !header.iter().any(|line| line.contains("HmPOS_date"))
    );
    assert_eq!((&*rows[0]["effect_allele"], &*rows[0]["hm_inferOtherAllele"]), ("T", "G/C"));
    // Base 100 from the chain's start is as far from the end of chr7.
    assert_eq!((&*rows[0]["hm_chr"], &*rows[0]["hm_pos"]), ("7", "8900"));
}
