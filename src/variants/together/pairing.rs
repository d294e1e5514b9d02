//! Which records of a position belong together, as htslib's synchronised reader pairs them.
//!
//! Records with the same alleles are one variant. Variants go together where [`Pairing`] lets their kinds go together,
//! those that most files have first; two records of one file never do. Ties fall to what came first.

use rustc_hash::FxHashMap;

use super::walk::Line;
use crate::formats::vcf::record::{Column, Record};
use crate::formats::vcf::value::integer;
use crate::records::kinds::Kinds;

/// What goes together (bcftools' `--collapse`, `concat --rm-dups`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// The same alleles, in any order.
    Exact,
    /// SNPs and MNPs, whatever their alleles.
    Snps,
    /// Indels, whatever their alleles.
    Indels,
    /// SNPs with SNPs, indels with indels.
    Both,
    /// All with all.
    Any,
    /// Those that share an allele.
    Some,
    /// The same ID and the same alleles.
    Id,
}

impl Pairing {
    /// By bcftools' name.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "none" | "exact" => Self::Exact,
            "snps" => Self::Snps,
            "indels" => Self::Indels,
            "both" => Self::Both,
            "any" | "all" => Self::Any,
            "some" => Self::Some,
            "id" => Self::Id,
            _ => return None,
        })
    }
}

/// Kinds as the reader takes them, a bit each.
mod kind {
    pub const REFERENCE: u8 = 1;
    pub const SNP: u8 = 2;
    pub const INDEL: u8 = 4;
    pub const OTHER: u8 = 8;
}

/// Records with the same alleles, one a file.
struct Variant {
    /// `REF>ALT` of each alternate allele with commas between.
    alleles: Vec<u8>,
    alternates: usize,
    kinds: u8,
    /// The numbers of the lines.
    lines: Vec<usize>,
}

/// Variants that go together.
struct Set {
    variants: Vec<usize>,
    /// The groups of files that have one of them.
    groups: Vec<bool>,
    records: u32,
}

/// Rows of records that belong together: numbers of lines, one a file at most, in the files' order.
pub fn rows(lines: &[Line], pairing: Pairing) -> Vec<Vec<usize>> {
    let is_one_file = lines.windows(2).all(|pair| pair[0].file == pair[1].file);
    if is_one_file {
        return (0..lines.len()).map(|line| vec![line]).collect();
    }
    if pairing != Pairing::Id && are_all_the_same(lines) {
        return vec![(0..lines.len()).collect()];
    }
    let (variants, groups) = variants_of(lines, pairing);
    let mut sets: Vec<Set> = variants
        .iter()
        .enumerate()
        .map(|(number, variant)| Set {
            variants: vec![number],
            groups: groups.iter().map(|group| group.contains(&number)).collect(),
            records: variant.lines.len() as u32,
        })
        .collect();
    let mut rows = Vec::new();
    while !sets.is_empty() {
        let most = (1..sets.len())
            .fold(0, |most, set| if sets[most].records < sets[set].records { set } else { most });
        let (mut best, mut partner) = (0, None);
        for (number, set) in sets.iter().enumerate() {
            let share_a_file = sets[most].groups.iter().zip(&set.groups).any(|(a, b)| *a && *b);
            let score = if share_a_file { 0 } else { score(&variants, &sets[most], set, pairing) };
            if score > best {
                (best, partner) = (score, Some(number));
            }
        }
        match partner {
            Some(partner) => {
                let (first, second) = (most.min(partner), most.max(partner));
                let other = sets.remove(second);
                let set = &mut sets[first];
                set.variants.extend(other.variants);
                set.groups.iter_mut().zip(other.groups).for_each(|(a, b)| *a |= b);
                set.records += other.records;
            }
            None => {
                let set = sets.remove(most);
                let mut row: Vec<usize> = set
                    .variants
                    .iter()
                    .flat_map(|&variant| variants[variant].lines.iter().copied())
                    .collect();
                row.sort_unstable();
                rows.push(row);
            }
        }
    }
    rows
}

/// The common case: each file has one record, and all have the same alleles.
fn are_all_the_same(lines: &[Line]) -> bool {
    let first = &lines[0].record;
    let alleles = (first.reference(), first.column(Column::Alt));
    !alleles.1.contains(&b'<')
        && lines.windows(2).all(|pair| pair[0].file != pair[1].file)
        && lines[1..].iter().all(|line| (line.record.reference(), line.record.column(Column::Alt)) == alleles)
}

/// The variants in the order in which they come, and those of each group of files that have the same ones.
fn variants_of(lines: &[Line], pairing: Pairing) -> (Vec<Variant>, Vec<Vec<usize>>) {
    let mut variants: Vec<Variant> = Vec::new();
    let mut known: FxHashMap<Vec<u8>, usize> = FxHashMap::default();
    let mut groups: FxHashMap<Vec<Vec<u8>>, usize> = FxHashMap::default();
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut from = 0;
    while from < lines.len() {
        let file = lines[from].file;
        let to = from + lines[from..].iter().take_while(|line| line.file == file).count();
        let (mut texts, mut own) = (Vec::new(), Vec::new());
        for (number, line) in lines.iter().enumerate().take(to).skip(from) {
            let text = alleles_of(&line.record, pairing == Pairing::Id);
            // A second record with the same alleles in the same file is another variant, the same in all files.
            let (mut key, mut copy) = (text.clone(), 0);
            let variant = loop {
                match known.get(&key) {
                    None => break None,
                    Some(&variant) if variants[variant].lines.last().is_some_and(|&last| last < from) => {
                        break Some(variant);
                    }
                    Some(_) => {
                        key.truncate(text.len());
                        key.extend_from_slice(copy.to_string().as_bytes());
                        copy += 1;
                    }
                }
            };
            let variant = variant.unwrap_or_else(|| {
                known.insert(key, variants.len());
                let alternates = line.record.allele_count() - 1;
                let alleles = text.clone();
                variants.push(Variant { alleles, alternates, kinds: 0, lines: Vec::new() });
                variants.len() - 1
            });
            variants[variant].lines.push(number);
            variants[variant].kinds = kinds_of(&line.record);
            own.push(variant);
            texts.push(text);
        }
        texts.sort_unstable();
        groups.entry(texts).or_insert_with(|| {
            members.push(own);
            members.len() - 1
        });
        from = to;
    }
    (variants, members)
}

/// `A>C,A>G`; a symbolic allele with its END, because several can begin at one position.
fn alleles_of(record: &Record, with_id: bool) -> Vec<u8> {
    let mut text = Vec::new();
    if with_id {
        text.extend_from_slice(record.column(Column::Id));
        text.push(b':');
    }
    let mut has_alternate = false;
    for alternate in record.alternates() {
        if has_alternate {
            text.push(b',');
        }
        has_alternate = true;
        text.extend_from_slice(record.reference());
        text.push(b'>');
        text.extend_from_slice(alternate);
        if alternate.first() == Some(&b'<')
            && let Some(end) = record.info(b"END").and_then(integer).filter(|end| *end != 0)
        {
            text.extend_from_slice(format!("/{end}").as_bytes());
        }
    }
    if !has_alternate {
        text.extend_from_slice(record.reference());
        text.extend_from_slice(b">.");
    }
    text
}

fn kinds_of(record: &Record) -> u8 {
    let kinds = Kinds::of(record);
    if kinds == Kinds::REFERENCE {
        return kind::REFERENCE;
    }
    let bit = |of: Kinds, bit: u8| if kinds.meets(of) { bit } else { 0 };
    bit(Kinds::SNP.with(Kinds::MNP), kind::SNP)
        | bit(Kinds::INDEL, kind::INDEL)
        | bit(Kinds::OTHER, kind::OTHER)
}

/// How well two sets go together; 0 where they must not.
fn score(variants: &[Variant], a: &Set, b: &Set, pairing: Pairing) -> u32 {
    let mut least = u32::MAX;
    let of = |set: &Set| set.variants.iter().map(|&number| &variants[number]).collect::<Vec<_>>();
    let (a, b) = (of(a), of(b));
    for first in &a {
        for second in &b {
            let is_exact = first.kinds == second.kinds && first.alleles == second.alleles;
            if pairing == Pairing::Exact {
                if is_exact || first.kinds == second.kinds && have_same_alleles(first, second) {
                    return u32::MAX;
                }
                continue;
            }
            if is_exact || first.kinds & second.kinds != 0 && share_an_allele(first, second) {
                return u32::MAX;
            }
            let score = of_kinds(first.kinds, second.kinds, pairing);
            if score == 0 {
                return 0;
            }
            least = least.min(score);
        }
    }
    if pairing == Pairing::Exact {
        return 0;
    }
    let records: usize = a.iter().chain(&b).map(|variant| variant.lines.len()).sum();
    (1 << (28 + least)) + records as u32
}

/// How well kinds go together: the same kind best, then with no variant, then with anything where all goes.
fn of_kinds(a: u8, b: u8, pairing: Pairing) -> u32 {
    let (snps, indels) = match pairing {
        Pairing::Exact | Pairing::Some | Pairing::Id => (false, false),
        Pairing::Snps => (true, false),
        Pairing::Indels => (false, true),
        Pairing::Both | Pairing::Any => (true, true),
    };
    let is_any = pairing == Pairing::Any;
    let of_pair = |a: u8, b: u8| match (a, b) {
        (kind::SNP, kind::SNP) if snps => 3,
        (kind::INDEL, kind::INDEL) if indels => 3,
        (kind::SNP | kind::INDEL, kind::REFERENCE) | (kind::REFERENCE, kind::SNP | kind::INDEL) if is_any => {
            2
        }
        _ => u32::from(is_any),
    };
    if is_any {
        return of_pair(a, b);
    }
    let kinds = [kind::REFERENCE, kind::SNP, kind::INDEL, kind::OTHER];
    let mut best = 0;
    for first in kinds.iter().filter(|&&bit| a & bit != 0) {
        for second in kinds.iter().filter(|&&bit| b & bit != 0) {
            best = best.max(of_pair(*first, *second));
        }
    }
    best
}

/// The same alleles in another order or case.
fn have_same_alleles(a: &Variant, b: &Variant) -> bool {
    a.alternates == b.alternates
        && a.alleles.len() == b.alleles.len()
        && a.alleles.split(|&c| c == b',').all(|text| has_allele(b, text))
}

fn share_an_allele(a: &Variant, b: &Variant) -> bool {
    a.alleles.split(|&c| c == b',').any(|text| has_allele(b, text))
}

fn has_allele(variant: &Variant, wanted: &[u8]) -> bool {
    variant.alleles.split(|&c| c == b',').any(|text| text.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn records_go_together_by_alleles_or_kinds() {
        use Pairing::*;
        // As `bcftools isec -c` of 1.24 marks them. Each case: file and ID, REF, ALT of the lines.
        let snp_and_indel = "0 a A C|0 b A AT|1 a A G|1 b A AG";
        for (lines, pairing, expected) in [
            ("0 a A C|1 b A C", Exact, "01"),
            ("0 a A C|1 b A G", Exact, "0 1"),
            ("0 a A C,G|1 b A G,C", Exact, "01"),
            ("0 a A C,G|1 b A C", Exact, "0 1"),
            ("0 a A C,G|1 b A C", Some, "01"),
            ("0 a A C|1 b A G", Some, "0 1"),
            (snp_and_indel, Snps, "02 1 3"),
            (snp_and_indel, Indels, "0 13 2"),
            (snp_and_indel, Both, "02 13"),
            ("0 a A C|1 b A AT", Both, "0 1"),
            ("0 a A C|1 b A AT", Any, "01"),
            ("0 a A .|1 b A AT", Any, "01"),
            ("0 a A C|1 b A C", Id, "0 1"),
            ("0 a A C|1 a A C", Id, "01"),
            ("0 a A C|0 b A C|1 a A C", Exact, "02 1"),
            ("0 a A C|1 b A C|1 c A G|2 d A G", Exact, "01 23"),
        ] {
            let lines: Vec<Line> = lines
                .split('|')
                .map(|line| {
                    let words: Vec<&str> = line.split(' ').collect();
                    let text = format!("1\t5\t{}\t{}\t{}\t.\t.\t.", words[1], words[2], words[3]);
                    Line { file: words[0].parse().unwrap(), record: Record::parse(text.as_bytes()).unwrap() }
                })
                .collect();
            let row = |row: Vec<usize>| row.iter().map(usize::to_string).collect::<String>();
            let found: Vec<String> = rows(&lines, pairing).into_iter().map(row).collect();
            assert_eq!(found.join(" "), expected, "{pairing:?}");
        }
    }
}
