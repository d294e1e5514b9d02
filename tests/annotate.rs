//! `norn annotate` beside Ensembl VEP's own output and bcftools csq; its options, and what it does with bad input.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::genes::*;
use common::variant_files::utf8;
use common::*;

/// Where VEP differs: with `--gff` and `--fasta` it takes the untranslated bases behind a coding region of the reverse strand
/// from the mirrored place of the last exon in its transcript (Utils::FastaSequence shifts the start of a slice whatever its
/// strand). These are the transcripts of the oracle that have such: their untranslated bases, and the mirrored place.
const MIRRORED: [(&str, std::ops::RangeInclusive<usize>, usize); 2] = [
    ("ENST00000352957", 25_585_656..=25_585_706, 25_607_419),
    ("ENST00000307301", 25_585_656..=25_585_750, 25_607_419),
];

/// The one of its differences that is no name: without the bases behind it, a stop that comes again is lost.
const LOST: (&str, &str) = ("21 25585705 TATT T", "ENST00000352957");

#[test]
fn entries_are_those_of_vep() {
    let Some(shared) = shared_data() else {
        eprintln!("skipped: entries of VEP (no shared data)");
        return;
    };
    let at = |name: &str| utf8(&shared.join(name));
    let oracle = at("annotate/vep114.chr21.vcf.gz");
    let (reference, genes) =
        (at("genome/GRCh38.chr21.slices.fa.gz"), at("genome/GRCh38.chr21.ensembl84.gff3.gz"));
    let theirs = entries(&text(Path::new(&oracle)));
    let ours = annotated(&reference, &genes, &oracle, &[]);
    assert!(ours.contains(&format!("Format: {FIELDS}\"")), "the header names the fields");
    let ours = entries(&ours);
    assert_eq!(theirs.len(), ours.len());
    // What we say where those bases are what VEP reads.
    let directory = tempfile::tempdir().expect("temporary directory");
    let fasta = text(Path::new(&reference));
    let (name, bases) = fasta.split_once('\n').expect("a contig");
    let bases: Vec<u8> = bases.bytes().filter(|byte| *byte != b'\n').collect();
    let mirrored = MIRRORED.map(|(transcript, untranslated, from)| {
        let mut bases = bases.clone();
        let length = untranslated.clone().count();
        bases.copy_within(from - 1..from - 1 + length, untranslated.start() - 1);
        let path = directory.path().join(format!("{transcript}.fa"));
        fs::write(&path, [name.as_bytes(), b"\n", &bases, b"\n"].concat()).expect("reference");
        (transcript, entries(&annotated(&utf8(&path), &genes, &oracle, &[])))
    });
    let (mut count, mut explained, mut lost) = (0, 0, 0);
    for (number, ((record, theirs), (_, ours))) in theirs.iter().zip(&ours).enumerate() {
        assert_eq!(theirs.len(), ours.len(), "{record}: transcripts");
        for (transcript, theirs) in theirs {
            let ours = &ours[transcript];
            count += 1;
            if theirs == ours {
                continue;
            }
            if (record.as_str(), transcript.as_str()) == LOST {
                let terms = |entry: &[String]| entry[field("Consequence")].clone();
                assert_eq!(terms(theirs), "stop_lost&3_prime_UTR_variant");
                assert_eq!(terms(ours), "stop_retained_variant&3_prime_UTR_variant");
                lost += 1;
                continue;
            }
            let of_mirrored = mirrored.iter().find(|(known, _)| known == transcript);
            let of_mirrored = of_mirrored.map(|(_, all)| &all[number].1[transcript]);
            assert_eq!(of_mirrored, Some(theirs), "{record} {transcript}: {ours:?}");
            explained += 1;
        }
    }
    assert_eq!((count, lost), (27_002, 1));
    assert!(explained > 0, "VEP differs nowhere: its error need not be told any more");
}

/// One record of the made genes, with the values of fields.
fn values(reference: &str, genes: &str, record: &str, options: &str, directory: &Path) -> String {
    let contig = record.split('\t').next().expect("CHROM");
    let text = format!(
        "##fileformat=VCFv4.2\n##contig=<ID={contig}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{record}\t.\t.\t.\n"
    );
    let path = directory.join("one.vcf");
    fs::write(&path, text).expect("VCF");
    let options: Vec<&str> = options.split_ascii_whitespace().collect();
    let found = annotated(reference, genes, &utf8(&path), &options);
    let info = found.lines().last().and_then(|line| line.split('\t').nth(7)).expect("INFO").to_owned();
    info.strip_prefix("CSQ=").unwrap_or(&info).to_owned()
}

/// T20 is one exon at 301 to 450, coding from its 13th base on, 108 bases; T21 the same on the reverse strand.
#[test]
fn options_are_those_of_vep() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let base = |id: &str, place: usize| {
        let model = models.iter().find(|model| model.id == id).expect("a model");
        char::from(if model.is_reverse {
            reverse_complement(&model.sequence)[place]
        } else {
            model.sequence[place]
        })
    };
    let (start, third) = (base("T20", 12), base("T20", 14));
    assert_eq!((start, third), ('A', 'G'));
    for (record, options, expected) in [
        (
            "c20\t313\t.\tA\tC",
            "--fields Consequence,IMPACT,cDNA_position,CDS_position,Protein_position --total-length",
            "start_lost|HIGH|13/150|1/108|1/35",
        ),
        (
            "c20\t315\t.\tG\tA",
            "--fields Codons,Amino_acids,HGVSc,HGVSp",
            "atG/atA|M/I|T20:c.3G>A|PT20.1:p.Met1?",
        ),
        ("c20\t315\t.\tG\tA,C", "--fields ALLELE_NUM,Allele,Consequence", "1|A|start_lost,2|C|start_lost"),
        ("c20\t315\t.\tG\tA,C", "--fields ALLELE_NUM --pick", "1"),
        ("c20\t315\t.\tG\tA,C", "--fields ALLELE_NUM --pick-allele", "1,2"),
        ("c20\t315\t.\tG\tA,C", "--fields ALLELE_NUM,PICK --flag-pick", "1|1,2|"),
        ("c20\t315\t.\tG\tA,*,<DEL>,GT", "--fields ALLELE_NUM,Allele", "1|A,4|GT"),
        ("c20\t315\t.\tG\tA", "--most-severe", "start_lost"),
        ("c20\t300\t.\tA\tC", "--fields Consequence,DISTANCE,STRAND,EXON", "upstream_gene_variant|1|1|"),
        ("c20\t300\t.\tA\tC", "--fields Consequence --distance 0", "intergenic_variant"),
        ("c20\t300\t.\tA\tC", "--fields Consequence --distance 0 --no-intergenic", "."),
        ("c20\t460\t.\tA\tC", "--fields Consequence,DISTANCE", "downstream_gene_variant|10"),
        ("c21\t460\t.\tA\tC", "--fields Consequence,STRAND", "upstream_gene_variant|-1"),
        (
            "c20\t302\t.\tA\tC",
            "--fields Consequence,EXON,BIOTYPE,SYMBOL,Gene,Feature",
            "5_prime_UTR_variant|1/1|protein_coding|NT20|GT20|T20",
        ),
        ("c20\t302\t.\tA\tC", "--fields Consequence --coding-only", "."),
        ("c20\t302\t.\tA\tC", "--fields Consequence --gencode-basic", "intergenic_variant"),
    ] {
        // The letters of REF that do not matter to a row are those of the reference.
        let columns: Vec<&str> = record.split('\t').collect();
        let at = columns[1].parse::<usize>().expect("POS");
        let contig = peer_base(&reference, columns[0], at);
        let other = if contig == columns[4] { "G".to_owned() } else { columns[4].to_owned() };
        let record = format!("{}\t{at}\t.\t{contig}\t{other}", columns[0]);
        let found = values(&reference, &genes, &record, options, directory.path());
        assert_eq!(found, expected, "{record} {options}");
    }
}

/// The base of a FASTA of one line a contig.
fn peer_base(reference: &str, contig: &str, position: usize) -> String {
    let text = fs::read_to_string(reference).expect("reference");
    let bases = text.split('>').find_map(|part| part.strip_prefix(&format!("{contig}\n"))).expect("contig");
    bases[position - 1..position].to_owned()
}

/// The same genes as GTF: no CDS of the stop codon, which has lines of its own.
fn as_gtf(genes: &str) -> String {
    let mut out = String::new();
    for line in genes.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let get = |name: &str| columns[8].split(';').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let id = get("transcript_id")
            .or_else(|| get("Parent").map(|parent| parent.trim_start_matches("transcript:")));
        let rest = match columns[2] {
            "gene" => format!(
                "gene_id \"{}\"; gene_name \"{}\"; gene_biotype \"protein_coding\";",
                get("gene_id").expect("gene"),
                get("Name").expect("name")
            ),
            _ => {
                let id = id.expect("transcript");
                let protein = get("protein_id")
                    .map_or_else(String::new, |protein| format!(" protein_id \"{protein}\";"));
                format!(
                    "gene_id \"G{id}\"; transcript_id \"{id}\"; gene_name \"N{id}\"; transcript_biotype \"protein_coding\";{protein}"
                )
            }
        };
        let kind = if columns[2] == "mRNA" { "transcript" } else { columns[2] };
        let _ = writeln!(out, "{}\t{}\t{kind}\t{}\t{rest}", columns[0], columns[1], columns[3..8].join("\t"));
    }
    out
}

#[test]
fn gtf_databases_and_any_number_of_threads_give_the_same() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let vcf = vcf_of(&changes(&models, &reference), &models, directory.path());
    let expected = annotated(&reference, &genes, &vcf, &["--threads", "1"]);
    for threads in ["2", "3", "7"] {
        assert!(annotated(&reference, &genes, &vcf, &["--threads", threads]) == expected, "{threads}");
    }
    let database = utf8(&directory.path().join("made.ndb"));
    norn_ok(&["db", "genes", "--gff", &genes, "-r", &reference, "-o", &database]);
    norn_ok(&["db", "verify", &database, "--against", &genes, &reference]);
    let info = norn_ok(&["db", "info", &database]).stdout;
    assert!(String::from_utf8(info).expect("UTF-8").contains("transcripts: 8"));
    for threads in ["1", "3"] {
        let words =
            ["annotate", "-r", &reference, "--genes", &database, "--quiet", &vcf, "--threads", threads];
        let found = String::from_utf8(norn_ok(&words).stdout).expect("UTF-8");
        assert!(found == expected, "a database, {threads} threads");
    }
    let gtf = utf8(&directory.path().join("made.gtf"));
    fs::write(&gtf, as_gtf(&fs::read_to_string(&genes).expect("GFF3"))).expect("GTF");
    assert!(annotated(&reference, &gtf, &vcf, &[]) == expected, "GTF");
}

#[test]
fn bad_input_is_told_in_a_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, _) = made_genes(directory.path());
    let good = fs::read_to_string(&genes).expect("GFF3");
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("file");
        utf8(&path)
    };
    let header = "##fileformat=VCFv4.2\n##contig=<ID=c00>\n##contig=<ID=u>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let fine = write("fine.vcf", header);
    let base = peer_base(&reference, "c00", 400);
    let wrong = if base == "A" { "C" } else { "A" };
    let other_ref = write("ref.vcf", &format!("{header}c00\t400\t.\t{wrong}\tT\t.\t.\t.\n"));
    let unknown = write("unknown.vcf", &format!("{header}u\t400\t.\tA\tT\t.\t.\t.\n"));
    let orphan = write("orphan.gff3", &good.replace("ID=transcript:T00;", "ID=transcript:other;"));
    let no_phase = write("phase.gff3", &good.replace("\t2\tID=CDS", "\t.\tID=CDS"));
    let odd = write("odd.gff3", &good.replacen("\tCDS\t480\t487", "\tCDS\t480\t486", 1));
    let broken = write("broken.gff3", "c00\tx\tgene\tx\t9\t.\t+\t.\tID=a\n");
    let empty = write("empty.gff3", "##gff-version 3\n");
    let long = write(
        "long.gff3",
        &good
            .replace("\tmRNA\t301\t", "\tmRNA\t1\t")
            .replace("c00\tx\tmRNA\t1\t644", "c00\tx\tmRNA\t1\t999999"),
    );
    for (genes, vcf, options, code, said) in [
        (&genes, &other_ref, "", 0, "1 records have another REF than the reference"),
        (&genes, &other_ref, "--strict", 3, "c00:400: REF is not what"),
        (&genes, &unknown, "", 0, "1 records are on u, which the reference lacks"),
        (&orphan, &fine, "", 0, "have a parent that is not in the file"),
        (&no_phase, &fine, "", 0, ""),
        (&odd, &fine, "", 0, ""),
        (&broken, &fine, "", 3, "line 1: start and end are no range"),
        (&empty, &fine, "", 3, "no transcripts with exons found"),
        (&long, &fine, "", 3, "behind the contig's end"),
        (&genes, &fine, "--fields Nothing", 2, "there is no \"Nothing\""),
        (&genes, &fine, "--pick-order nothing", 2, "there is no \"nothing\""),
        (&genes, &fine, "--vcf-info-field a=b", 2, "is no name of a tag"),
    ] {
        let mut words = vec!["annotate", "-r", &reference, "--gff", genes, "--quiet", vcf];
        words.extend(options.split_ascii_whitespace());
        let output = norn(&words);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {told}");
        assert!(told.contains(said) && told.lines().count() <= 1, "{words:?}: {told}");
    }
}

#[test]
fn bad_databases_are_told_in_a_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let vcf = vcf_of(&changes(&models[..1], &reference), &models, directory.path());
    let at = |name: &str| utf8(&directory.path().join(name));
    let database = at("made.ndb");
    norn_ok(&["db", "genes", "--gff", &genes, "-r", &reference, "-o", &database]);
    let bytes = fs::read(&database).expect("database");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(at(name), bytes).expect("file");
        at(name)
    };
    let cut = write("cut.ndb", &bytes[..bytes.len() - 1]);
    let altered = write(
        "altered.ndb",
        &[&bytes[..20], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", &bytes[30..]].concat(),
    );
    let newer = write("newer.ndb", &[&bytes[..8], &[9, 0, 0, 0], &bytes[12..]].concat());
    let other = at("other.fa");
    let text = fs::read_to_string(&reference).expect("reference").replacen(">c00\n", ">c00\nA", 1);
    fs::write(&other, text).expect("reference");
    for (words, said) in [
        (vec!["annotate", "-r", &reference, "--genes", &cut, &vcf], "cut off"),
        (vec!["annotate", "-r", &reference, "--genes", &altered, &vcf], "altered.ndb"),
        (vec!["annotate", "-r", &reference, "--genes", &newer, &vcf], "use a newer one"),
        (vec!["annotate", "-r", &reference, "--genes", &genes, &vcf], "no database of norn"),
        (vec!["annotate", "-r", &other, "--genes", &database, &vcf], "another build"),
        (vec!["db", "verify", &altered], "damaged (checksum)"),
        (vec!["db", "verify", &database, "--against", &vcf], "it is not made from"),
        (vec!["db", "info", &genes], "no database of norn"),
    ] {
        let output = norn(&words);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{words:?}: {told}");
        let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("norn: ")).collect();
        assert!(lines.len() == 1 && lines[0].contains(said), "{words:?}: {told}");
    }
}

/// bcftools csq names consequences of single bases in its own words.
#[test]
fn coding_consequences_are_those_of_bcftools_csq() {
    if !has("bcftools") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let snvs: Vec<Change> = changes(&models, &reference)
        .into_iter()
        .filter(|(_, _, reference, alternate)| reference.len() == 1 && alternate.len() == 1)
        .collect();
    let vcf = vcf_of(&snvs, &models, directory.path());
    let theirs = peer("bcftools", &["csq", "-l", "-p", "a", "-f", &reference, "-g", &genes, &vcf]);
    let ours = entries(&annotated(&reference, &genes, &vcf, &["--distance", "0"]));
    let (mut count, mut lines) = (0, theirs.lines().filter(|line| !line.starts_with('#')));
    for (record, entries) in &ours {
        let line = lines.next().expect("a record");
        let info = line.split('\t').nth(7).expect("INFO");
        let Some(entry) = entries.values().find(|entry| entry[field("Feature")].starts_with('T')) else {
            continue;
        };
        let theirs: Vec<&str> = info
            .strip_prefix("BCSQ=")
            .unwrap_or_default()
            .split(',')
            .flat_map(|entry| entry.split('|').next().unwrap_or_default().split('&'))
            .collect();
        let ours = &entry[field("Consequence")];
        for (their_word, our_word) in [
            ("missense", "missense_variant"),
            ("stop_gained", "stop_gained"),
            ("stop_lost", "stop_lost"),
            ("start_lost", "start_lost"),
            ("splice_donor", "splice_donor_variant"),
            ("splice_acceptor", "splice_acceptor_variant"),
        ] {
            let is_theirs = theirs.contains(&their_word);
            let is_ours = ours.split('&').any(|word| word == our_word);
            assert_eq!(is_theirs, is_ours, "{record}: {theirs:?} {ours}");
            count += u32::from(is_ours);
        }
    }
    assert!(count > 800, "{count}");
}
