//! Made genes of both strands, changes at all of their bases, and what `norn annotate` says of them.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::made::Random;
use super::norn_ok;
use super::variant_files::utf8;

/// VEP 114's fields in the order of the oracle.
pub const FIELDS: &str = "Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|EXON|INTRON|HGVSc|HGVSp|cDNA_position|\
    CDS_position|Protein_position|Amino_acids|Codons|DISTANCE|STRAND|FLAGS|HGVS_OFFSET";

pub type Entries = Vec<(String, HashMap<String, Vec<String>>)>;

/// The entries of each record by transcript; a record is named by CHROM, POS, REF and ALT.
pub fn entries(vcf: &str) -> Entries {
    let mut all = Vec::new();
    for line in vcf.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let csq = columns[7].split(';').find_map(|field| field.strip_prefix("CSQ=")).unwrap_or_default();
        let parts = |entry: &str| entry.split('|').map(str::to_owned).collect::<Vec<_>>();
        let entries = csq.split(',').map(parts).filter(|parts| parts.len() > 6);
        let by_transcript = entries.map(|parts| (parts[6].clone(), parts)).collect();
        all.push((format!("{} {} {} {}", columns[0], columns[1], columns[3], columns[4]), by_transcript));
    }
    all
}

pub fn field(name: &str) -> usize {
    FIELDS.split('|').position(|known| known == name).expect("a field")
}

pub fn annotated(reference: &str, genes: &str, vcf: &str, more: &[&str]) -> String {
    let words = ["annotate", "-r", reference, "--gff", genes, "--quiet", vcf];
    String::from_utf8(norn_ok(&[&words, more].concat()).stdout).expect("UTF-8")
}

/// A transcript with what names are held to.
pub struct Model {
    pub id: String,
    pub contig: String,
    pub is_reverse: bool,
    /// First base on the contig, 1-based.
    pub start: usize,
    /// Its bases, introns included, in its own direction.
    pub sequence: Vec<u8>,
    /// The name of each of them (`-5`, `12`, `12+3`, `*4`).
    pub names: Vec<String>,
    /// Which are translated, in order.
    pub coding: Vec<usize>,
}

/// Genes on both strands with exons and introns of these lengths, coding from and to so many bases within.
pub fn made_genes(directory: &Path) -> (String, String, Vec<Model>) {
    let (mut fasta, mut gff, mut models) = (String::new(), "##gff-version 3\n".to_owned(), Vec::new());
    let mut random = Random::new(7);
    let shapes: [(&[usize], (usize, usize)); 4] = [
        (&[61, 40, 45, 33, 8, 60, 97], (22, 41)),
        (&[30, 50, 44, 71, 120], (45, 20)),
        (&[150], (12, 30)),
        (&[90, 64, 36], (0, 0)),
    ];
    for (number, (parts, (before, behind))) in shapes.iter().enumerate() {
        for is_reverse in [false, true] {
            let contig = format!("c{number}{}", u8::from(is_reverse));
            let length: usize = parts.iter().sum();
            let mut sequence: Vec<u8> = random.sequence(length).into_bytes();
            // Repeats make names move.
            for at in (0..length.saturating_sub(8)).step_by(11) {
                let unit = sequence[at..at + 2].to_vec();
                sequence[at + 2..at + 6].copy_from_slice(&[unit.clone(), unit].concat());
            }
            let (mut exons, mut at) = (Vec::new(), 0);
            for (part, length) in parts.iter().enumerate() {
                if part % 2 == 0 {
                    exons.push(at..at + length);
                }
                at += length;
            }
            let spliced: Vec<usize> = exons.iter().flat_map(Clone::clone).collect();
            let whole = (spliced.len() - before - behind) / 3 * 3;
            let coding = spliced[*before..before + whole].to_vec();
            let codons = coding.chunks(3).count();
            for (codon, places) in coding.chunks(3).enumerate() {
                let bases = match codon {
                    0 => b"ATG".to_vec(),
                    _ if codon + 1 == codons => b"TGA".to_vec(),
                    _ => {
                        let bases: Vec<u8> = places.iter().map(|place| sequence[*place]).collect();
                        if matches!(bases.as_slice(), b"TAA" | b"TAG" | b"TGA") {
                            b"CAG".to_vec()
                        } else {
                            bases
                        }
                    }
                };
                places.iter().zip(bases).for_each(|(place, base)| sequence[*place] = base);
            }
            let id = format!("T{number}{}", u8::from(is_reverse));
            let start = 301;
            let flank = |random: &mut Random| random.sequence(300);
            let oriented = if is_reverse { reverse_complement(&sequence) } else { sequence.clone() };
            let bases = format!(
                "{}{}{}",
                flank(&mut random),
                String::from_utf8(oriented).expect("bases"),
                flank(&mut random)
            );
            let _ = writeln!(fasta, ">{contig}\n{bases}");
            let strand = if is_reverse { '-' } else { '+' };
            let range = |first: usize, last: usize| {
                if is_reverse {
                    (start + length - 1 - last, start + length - 1 - first)
                } else {
                    (start + first, start + last)
                }
            };
            let mut line = |kind: &str, (from, to): (usize, usize), phase: &str, rest: &str| {
                let _ = writeln!(gff, "{contig}\tx\t{kind}\t{from}\t{to}\t.\t{strand}\t{phase}\t{rest}");
            };
            let whole_range = range(0, length - 1);
            line(
                "gene",
                whole_range,
                ".",
                &format!("ID=gene:G{id};Name=N{id};biotype=protein_coding;gene_id=G{id}"),
            );
            let rest =
                format!("ID=transcript:{id};Parent=gene:G{id};biotype=protein_coding;transcript_id={id}");
            line("mRNA", whole_range, ".", &rest);
            let mut coded = 0;
            for exon in &exons {
                line("exon", range(exon.start, exon.end - 1), ".", &format!("Parent=transcript:{id}"));
                let inside: Vec<usize> =
                    coding.iter().copied().filter(|place| exon.contains(place)).collect();
                if let (Some(first), Some(last)) = (inside.first(), inside.last()) {
                    let phase = ((3 - coded % 3) % 3).to_string();
                    let rest = format!("ID=CDS:P{id};Parent=transcript:{id};protein_id=P{id}");
                    line("CDS", range(*first, *last), &phase, &rest);
                    coded += inside.len();
                }
            }
            let names = names(length, &spliced, &coding);
            models.push(Model { id, contig, is_reverse, start, sequence, names, coding });
        }
    }
    let (reference, genes) = (directory.join("made.fa"), directory.join("made.gff3"));
    fs::write(&reference, fasta).expect("reference");
    fs::write(&genes, gff).expect("genes");
    (utf8(&reference), utf8(&genes), models)
}

/// The HGVS names of all bases of a transcript: of exons by the start and stop codon, of introns by the nearer exon.
pub fn names(length: usize, spliced: &[usize], coding: &[usize]) -> Vec<String> {
    let order: HashMap<usize, i64> =
        spliced.iter().enumerate().map(|(n, place)| (*place, n as i64 + 1)).collect();
    let (first, last) = (order[&coding[0]], order[coding.last().expect("coding")]);
    let of_exon = |n: i64| match n {
        n if n < first => format!("{}", n - first),
        n if n > last => format!("*{}", n - last),
        n => format!("{}", n - first + 1),
    };
    let name = |place: usize| {
        if let Some(n) = order.get(&place) {
            return of_exon(*n);
        }
        let before = (0..place).rev().find_map(|p| order.get(&p).map(|n| (*n, place - p))).expect("an exon");
        let behind = (place..length).find_map(|p| order.get(&p).map(|n| (*n, p - place))).expect("an exon");
        if before.1 <= behind.1 {
            format!("{}+{}", of_exon(before.0), before.1)
        } else {
            format!("{}-{}", of_exon(behind.0), behind.1)
        }
    };
    (0..length).map(name).collect()
}

/// The amino acids of the standard code; codons that are cut have none.
pub fn translate(bases: &[u8]) -> String {
    let index = |base: &u8| b"TCAG".iter().position(|letter| letter == base).expect("a base");
    let codon = |codon: &[u8]| {
        char::from(
            b"FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
                [16 * index(&codon[0]) + 4 * index(&codon[1]) + index(&codon[2])],
        )
    };
    bases.chunks_exact(3).map(codon).collect()
}

pub fn reverse_complement(bases: &[u8]) -> Vec<u8> {
    let other = |base: &u8| match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        _ => b'A',
    };
    bases.iter().rev().map(other).collect()
}

/// A record: contig, position (1-based), REF, ALT.
pub type Change = (String, usize, String, String);

/// Changes of all kinds at every base of the models and some around them.
pub fn changes(models: &[Model], reference: &str) -> Vec<Change> {
    let text = fs::read_to_string(reference).expect("reference");
    let contigs: HashMap<&str, &str> = text
        .split('>')
        .filter_map(|contig| contig.split_once('\n'))
        .map(|(name, bases)| (name, bases.trim()))
        .collect();
    let mut random = Random::new(11);
    let mut all = Vec::new();
    for model in models {
        let bases = contigs[model.contig.as_str()];
        for position in model.start - 12..model.start + model.sequence.len() + 12 {
            let at = position - 1;
            let base = &bases[at..=at];
            let mut add = |reference: &str, alternate: String| {
                if reference != alternate {
                    all.push((model.contig.clone(), position, reference.to_owned(), alternate));
                }
            };
            for other in ["A", "C", "G", "T"] {
                add(base, other.to_owned());
            }
            for _ in 0..2 {
                let length = 1 + random.below(6);
                add(base, format!("{base}{}", random.sequence(length)));
                // What follows, once more.
                add(base, format!("{base}{}", &bases[at + 1..at + 1 + length]));
                add(&bases[at..at + 1 + length], base.to_owned());
                let (old, new) = (1 + random.below(4), 1 + random.below(4));
                let first = if base == "A" { "C" } else { "A" };
                add(&bases[at..at + old], format!("{first}{}", random.sequence(new - 1)));
            }
        }
    }
    all
}

pub fn vcf_of(changes: &[Change], models: &[Model], directory: &Path) -> String {
    let mut text = "##fileformat=VCFv4.2\n".to_owned();
    models.iter().for_each(|model| {
        let _ = writeln!(text, "##contig=<ID={}>", model.contig);
    });
    text.push_str("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    for (contig, position, reference, alternate) in changes {
        let _ = writeln!(text, "{contig}\t{position}\t.\t{reference}\t{alternate}\t.\t.\t.");
    }
    let path = directory.join("changes.vcf");
    fs::write(&path, text).expect("VCF");
    utf8(&path)
}
