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
    fn from_start(&self) -> Vec<u8> {
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
        let before = translate(&model.from_start());
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
            translate(&with.from_start())
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
