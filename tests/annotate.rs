//! `norn annotate` beside Ensembl VEP's own output, and its names applied to the sequences that they name.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::made::Random;
use common::variant_files::utf8;
use common::*;

/// VEP 114's fields in the order of the oracle.
const FIELDS: &str = "Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|EXON|INTRON|HGVSc|HGVSp|cDNA_position|\
    CDS_position|Protein_position|Amino_acids|Codons|DISTANCE|STRAND|FLAGS|HGVS_OFFSET";

type Entries = Vec<(String, HashMap<String, Vec<String>>)>;

/// The entries of each record by transcript; a record is named by CHROM, POS, REF and ALT.
fn entries(vcf: &str) -> Entries {
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

fn field(name: &str) -> usize {
    FIELDS.split('|').position(|known| known == name).expect("a field")
}

fn annotated(reference: &str, genes: &str, vcf: &str, more: &[&str]) -> String {
    let words = ["annotate", "-r", reference, "--gff", genes, "--quiet", vcf];
    String::from_utf8(norn_ok(&[&words, more].concat()).stdout).expect("UTF-8")
}

/// Text without the number of amino acids to a stop.
fn without_count(name: &str) -> String {
    let at = ["fsTer", "extTer"].iter().find_map(|word| name.find(word).map(|at| at + word.len()));
    at.map_or_else(|| name.to_owned(), |at| name[..at].to_owned())
}

/// Where VEP differs: with `--gff` and `--fasta` it takes the untranslated bases behind a coding region of the reverse strand
/// from the mirrored place of its transcript (Utils::FastaSequence shifts the start of a slice whatever its strand), so that
/// it finds other stops there, or none.
fn is_mirrored_utr(theirs: &[String], ours: &[String]) -> bool {
    let (terms, names) = (field("Consequence"), field("HGVSp"));
    let differing: Vec<usize> = (0..theirs.len()).filter(|at| theirs[*at] != ours[*at]).collect();
    let is_reverse = theirs[field("STRAND")] == "-1";
    let is_stop = theirs[terms] == "stop_lost&3_prime_UTR_variant"
        && ours[terms] == "stop_retained_variant&3_prime_UTR_variant"
        && differing == [terms, field("IMPACT")];
    let is_count = differing == [names]
        && theirs[names].ends_with("Ter?")
        && (without_count(&theirs[names]) == without_count(&ours[names])
            // The first changed amino acid lies behind the stop that is lost.
            || theirs[terms].contains("stop_lost") && ours[names].contains("fsTer"));
    is_reverse && (is_stop || is_count)
}

#[test]
fn entries_are_those_of_vep() {
    let Some(shared) = shared_data() else {
        eprintln!("skipped: entries of VEP (no shared data)");
        return;
    };
    let at = |name: &str| utf8(&shared.join(name));
    let oracle = at("annotate/vep114.chr21.vcf.gz");
    let theirs = entries(&text(Path::new(&oracle)));
    let ours = annotated(
        &at("genome/GRCh38.chr21.slices.fa.gz"),
        &at("genome/GRCh38.chr21.ensembl84.gff3.gz"),
        &oracle,
        &[],
    );
    assert!(ours.contains(&format!("Format: {FIELDS}\"")), "the header names the fields");
    let ours = entries(&ours);
    assert_eq!(theirs.len(), ours.len());
    let (mut count, mut mirrored) = (0, 0);
    for ((record, theirs), (_, ours)) in theirs.iter().zip(&ours) {
        assert_eq!(theirs.len(), ours.len(), "{record}: transcripts");
        for (transcript, theirs) in theirs {
            let ours = &ours[transcript];
            count += 1;
            if theirs != ours {
                assert!(is_mirrored_utr(theirs, ours), "{record} {transcript}\n{theirs:?}\n{ours:?}");
                mirrored += 1;
            }
        }
    }
    assert_eq!((count, mirrored), (27_002, 57));
}

/// A transcript with what names are held to.
struct Model {
    id: String,
    contig: String,
    is_reverse: bool,
    /// First base on the contig, 1-based.
    start: usize,
    /// Its bases, introns included, in its own direction.
    sequence: Vec<u8>,
    /// The name of each of them (`-5`, `12`, `12+3`, `*4`).
    names: Vec<String>,
    /// Which are translated, in order.
    coding: Vec<usize>,
}

/// Genes on both strands with exons and introns of these lengths, coding from and to so many bases within.
fn made_genes(directory: &Path) -> (String, String, Vec<Model>) {
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
fn names(length: usize, spliced: &[usize], coding: &[usize]) -> Vec<String> {
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

fn reverse_complement(bases: &[u8]) -> Vec<u8> {
    let other = |base: &u8| match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        _ => b'A',
    };
    bases.iter().rev().map(other).collect()
}

/// A record: contig, position (1-based), REF, ALT.
type Change = (String, usize, String, String);

/// Changes of all kinds at every base of the models and some around them.
fn changes(models: &[Model], reference: &str) -> Vec<Change> {
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

fn vcf_of(changes: &[Change], models: &[Model], directory: &Path) -> String {
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

impl Model {
    /// The transcript's bases after a change of its contig; `None` where that reaches outside.
    fn changed(
        &self,
        (_, position, reference, alternate): &Change,
    ) -> Option<(Vec<u8>, std::ops::Range<usize>)> {
        let from = position.checked_sub(self.start)?;
        let to = from + reference.len();
        if to > self.sequence.len() {
            return None;
        }
        let (range, alternate) = if self.is_reverse {
            (self.sequence.len() - to..self.sequence.len() - from, reverse_complement(alternate.as_bytes()))
        } else {
            (from..to, alternate.clone().into_bytes())
        };
        let changed = [&self.sequence[..range.start], &alternate, &self.sequence[range.end..]].concat();
        Some((changed, range))
    }

    /// The bases after what a name says.
    fn applied(&self, name: &str) -> Option<Vec<u8>> {
        let change = name.split_once(":c.")?.1;
        let operation = ["delins", "del", "dup", "ins", "inv"]
            .iter()
            .find_map(|word| change.find(word).map(|at| (at, *word)));
        let place = |text: &str| self.names.iter().position(|name| name == text);
        let (at, word) = operation.or_else(|| change.find('>').map(|at| (at - 1, ">")))?;
        let (range, rest) = change.split_at(at);
        let (first, last) = range.split_once('_').unwrap_or((range, range));
        let (first, last) = (place(first)?, place(last)?);
        let kept = &self.sequence[first..=last];
        let middle: Vec<u8> = match word {
            ">" if rest.as_bytes()[0] == kept[0] => rest[2..].into(),
            "del" => Vec::new(),
            "delins" => rest[6..].into(),
            "dup" => [kept, kept].concat(),
            "inv" => reverse_complement(kept),
            "ins" if last == first + 1 => [&kept[..1], &rest.as_bytes()[3..], &kept[1..]].concat(),
            _ => return None,
        };
        Some([&self.sequence[..first], &middle, &self.sequence[last + 1..]].concat())
    }

    /// The bases from the start codon on, introns left out.
    fn bases_from_start(&self) -> Vec<u8> {
        let exonic = |place: &usize| !self.names[*place].trim_start_matches(['-', '*']).contains(['+', '-']);
        (self.coding[0]..self.sequence.len()).filter(exonic).map(|place| self.sequence[place]).collect()
    }
}

#[test]
fn names_on_transcripts_give_the_changed_sequence() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let changes = changes(&models, &reference);
    let ours = entries(&annotated(&reference, &genes, &vcf_of(&changes, &models, directory.path()), &[]));
    let (mut named, mut kinds) = (0, BTreeMap::<&str, u32>::new());
    for (change, (record, entries)) in changes.iter().zip(&ours) {
        let model = models.iter().find(|model| model.contig == change.0).expect("a model");
        let entry = &entries[&model.id];
        let name = &entry[field("HGVSc")];
        let Some((changed, _)) = model.changed(change) else { continue };
        if name.is_empty() {
            // Names that would move out of the transcript, or an insertion at its edge.
            assert!(change.2.len() != change.3.len(), "{record}: no name");
            continue;
        }
        // VEP names a base behind the transcript's last one where an insertion has moved there.
        let is_at_end = name.contains("ins") && model.is_reverse && model.applied(name).is_none();
        if is_at_end {
            continue;
        }
        assert_eq!(model.applied(name).as_deref(), Some(changed.as_slice()), "{record}: {name}");
        named += 1;
        let kind = ["delins", "del", "dup", "ins", "inv", ">"].into_iter().find(|word| name.contains(word));
        *kinds.entry(kind.expect("a kind")).or_default() += 1;
    }
    assert!(named > 15_000, "{named}");
    assert!(kinds.len() >= 5 && kinds.values().all(|count| *count > 10), "{kinds:?}");
}

/// The standard code by the order TCAG.
fn translate(bases: &[u8]) -> String {
    let index = |base: &u8| b"TCAG".iter().position(|letter| letter == base).expect("a base");
    let codon = |codon: &[u8]| {
        char::from(
            b"FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
                [16 * index(&codon[0]) + 4 * index(&codon[1]) + index(&codon[2])],
        )
    };
    bases.chunks_exact(3).map(codon).collect()
}

/// Amino acids of three letters as one.
fn one_letter(names: &str) -> String {
    const NAMES: &str = "Ala Cys Asp Glu Phe Gly His Ile Lys Leu Met Asn Pro Gln Arg Ser Thr Val Trp Tyr Ter";
    let letter = |name: &[u8]| {
        let at = NAMES.split(' ').position(|known| known.as_bytes() == name);
        at.map_or('?', |at| char::from(b"ACDEFGHIKLMNPQRSTVWY*"[at]))
    };
    names.as_bytes().chunks(3).map(letter).collect()
}

/// A protein up to its first stop.
fn to_stop(protein: &str) -> &str {
    protein.find('*').map_or(protein, |at| &protein[..=at])
}

/// What a protein's name says of it: `(first, last, what becomes of them)`, from 1.
fn parsed(name: &str) -> Option<(String, usize, usize, &str)> {
    let change = name.split_once(":p.")?.1;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    // VEP names all amino acids of several codons that stay the same.
    let names = change.find(|letter: char| letter.is_ascii_digit())?;
    let first = &change[..3];
    let length = digits(&change[names..]);
    let start: usize = change[names..names + length].parse().ok()?;
    let rest = &change[names + length..];
    let Some(behind) = rest.strip_prefix('_') else { return Some((first.into(), start, start, rest)) };
    if behind.len() < 3 || behind.starts_with('?') {
        return Some((first.into(), start, start, rest));
    }
    let length = digits(&behind[3..]);
    Some((first.into(), start, behind[3..3 + length].parse().ok()?, &behind[3 + length..]))
}

#[test]
fn names_on_proteins_give_the_changed_protein() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let changes = changes(&models, &reference);
    let ours = entries(&annotated(&reference, &genes, &vcf_of(&changes, &models, directory.path()), &[]));
    let mut seen = BTreeMap::<&str, u32>::new();
    for (change, (record, entries)) in changes.iter().zip(&ours) {
        let model = models.iter().find(|model| model.contig == change.0).expect("a model");
        let entry = &entries[&model.id];
        let name = entry[field("HGVSp")].replace("%3D", "=");
        let Some((changed, range)) = model.changed(change) else { continue };
        // Only what changes coding bases of one exon, and no start codon.
        let is_inside = range.clone().all(|place| model.coding[3..].contains(&place))
            && range.clone().zip(range.clone().skip(1)).all(|(a, b)| {
                let order = |place| model.coding.iter().position(|coded| *coded == place);
                order(b).zip(order(a)).is_some_and(|(b, a)| b == a + 1)
            });
        // VEP takes some insertions beside a stop, or that make one, for a stop retained, and names them accordingly.
        let terms = &entry[field("Consequence")];
        let is_taken_for_kept = terms.contains("stop_retained") && change.2.len() != change.3.len();
        if !is_inside || name.is_empty() || is_taken_for_kept {
            continue;
        }
        let before = translate(&model.bases_from_start());
        let grown = changed.len() as i64 - model.sequence.len() as i64;
        let after = {
            let with = Model {
                sequence: changed.clone(),
                names: [
                    &model.names[..range.start],
                    &vec![String::from("1"); (range.len() as i64 + grown) as usize],
                    &model.names[range.end..],
                ]
                .concat(),
                id: String::new(),
                contig: String::new(),
                is_reverse: false,
                start: 0,
                coding: model.coding.clone(),
            };
            translate(&with.bases_from_start())
        };
        let (before, after) = (to_stop(&before), to_stop(&after));
        // Where the transcript ends before anything has changed, VEP names what is not there.
        if before != after && before.starts_with(after) {
            continue;
        }
        let Some((first, start, end, what)) = parsed(&name) else { panic!("{record}: {name}") };
        assert_eq!(one_letter(&first), before[start - 1..start], "{record}: {name}");
        let at = |protein: &str, from: usize, to: usize| {
            protein.get(from..to.min(protein.len())).unwrap_or("").to_owned()
        };
        let edited = |middle: &str| {
            to_stop(&format!("{}{middle}{}", at(before, 0, start - 1), at(before, end, before.len())))
                .to_owned()
        };
        let kind;
        if what == "=" {
            kind = "=";
            assert_eq!(before, after, "{record}: {name}");
        } else if let Some((amino_acid, count)) = what.split_once("fsTer") {
            kind = "fs";
            assert_eq!(at(before, 0, start - 1), at(after, 0, start - 1), "{record}: {name}");
            assert_eq!(one_letter(amino_acid), at(after, start - 1, start), "{record}: {name}");
            match count.parse::<usize>() {
                Ok(count) => assert_eq!(after.len(), start - 1 + count, "{record}: {name}"),
                Err(_) => assert!(!after.ends_with('*'), "{record}: {name}"),
            }
        } else if let Some((_, count)) = what.split_once("extTer") {
            kind = "ext";
            match count.parse::<usize>() {
                Ok(count) => assert_eq!(after.len(), before.len() + count, "{record}: {name}"),
                Err(_) => assert!(!after.ends_with('*') || after.len() <= before.len(), "{record}: {name}"),
            }
        } else if what == "del" {
            kind = "del";
            assert_eq!(edited(""), after, "{record}: {name}");
        } else if what == "dup" {
            kind = "dup";
            let copied = at(before, start - 1, end);
            assert_eq!(edited(&format!("{copied}{copied}")), after, "{record}: {name}");
        } else if let Some(inserted) = what.strip_prefix("delins") {
            kind = "delins";
            // Of a stop that is lost by one, VEP does not tell what is read behind it.
            let known =
                if terms.contains("stop_lost") { edited(&one_letter(inserted)).len() } else { after.len() };
            assert_eq!(edited(&one_letter(inserted)), at(after, 0, known), "{record}: {name}");
        } else if let Some(inserted) = what.strip_prefix("ins") {
            kind = "ins";
            assert_eq!(end, start + 1, "{record}: {name}");
            let kept = at(before, start - 1, end);
            assert_eq!(
                edited(&format!("{}{}{}", &kept[..1], one_letter(inserted), &kept[1..])),
                after,
                "{record}: {name}"
            );
        } else {
            kind = "substitution";
            assert_eq!(edited(&one_letter(what)), after, "{record}: {name}");
        }
        *seen.entry(kind).or_default() += 1;
    }
    assert!(seen.len() == 8 && seen.values().all(|count| *count > 20), "{seen:?}");
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
