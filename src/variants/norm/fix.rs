//! `-c s`: REF is made that of the reference; alleles that are swapped are swapped back, with their genotypes.

use super::counts::{Counted, Counts};
use crate::formats::bases::concrete;
use crate::formats::vcf::record::{Column, Record, parse_integer};
use crate::records::genotype::renumber;
use crate::variants::allele_lists::{nth, push_list};

/// Whether there is a letter that is no base.
pub fn has_other_letters(allele: &[u8]) -> bool {
    !allele.iter().all(|b| matches!(b.to_ascii_uppercase(), b'A' | b'C' | b'G' | b'T' | b'N'))
}

/// Makes a record fit the reference, of which `bases` stand from POS on, as many as the longest allele has (fewer at the
/// contig's end). True where anything changed.
pub fn fix(record: &mut Record, bases: &[u8], counts: &Counts) -> bool {
    counts.add(Counted::Checked);
    let mut alleles: Vec<Vec<u8>> = vec![record.reference().to_vec()];
    alleles.extend(record.alternates().map(<[u8]>::to_vec));
    let length = alleles[0].len();
    let fits =
        |reference: &[u8]| bases.get(..length).is_some_and(|bases| bases.eq_ignore_ascii_case(reference));
    if bases.is_empty() {
        return false;
    }
    if alleles[0] == b"." {
        counts.add(Counted::Set);
        alleles[0] = vec![bases[0]];
        set(record, &alleles);
        return true;
    }
    let is_cleaned = clean(&mut alleles);
    if is_cleaned {
        counts.add(Counted::Set);
    }
    if !is_cleaned && fits(&alleles[0]) {
        return false;
    }
    let is_filled = !fits(&alleles[0]) && fill(&mut alleles, bases);
    if is_filled {
        counts.add(Counted::Set);
    }
    if fits(&alleles[0]) {
        set(record, &alleles);
        return true;
    }
    let is_reference =
        |alt: &Vec<u8>| bases.get(..alt.len()).is_some_and(|bases| bases.eq_ignore_ascii_case(alt));
    match alleles.iter().skip(1).position(is_reference).map(|found| found + 1) {
        Some(other) => {
            counts.add(Counted::Swapped);
            alleles.swap(0, other);
            set(record, &alleles);
            swap_genotypes(record, other);
        }
        None => {
            counts.add(Counted::Set);
            replace(&mut alleles, &bases[..length.min(bases.len())]);
            set(record, &alleles);
        }
    }
    true
}

fn set(record: &mut Record, alleles: &[Vec<u8>]) {
    record.set_column(Column::Ref, &alleles[0]);
    record.set_alternates(alleles[1..].iter().map(Vec::as_slice));
}

/// Makes bases of ambiguity codes and `N` of other letters; not in symbolic alleles, breakends and `*`.
fn clean(alleles: &mut [Vec<u8>]) -> bool {
    let mut is_changed = false;
    for letter in alleles.iter_mut().filter(is_sequence).flatten() {
        if has_other_letters(&[*letter]) {
            (*letter, is_changed) = (concrete(*letter), true);
        }
    }
    is_changed
}

fn is_sequence(allele: &&mut Vec<u8>) -> bool {
    allele.iter().all(u8::is_ascii_alphabetic)
}

/// Puts the reference's bases in place of the `N` of REF, and of ALT where REF has one there too.
fn fill(alleles: &mut [Vec<u8>], bases: &[u8]) -> bool {
    let mut is_changed = false;
    for (i, &base) in bases.iter().enumerate().take(alleles[0].len()) {
        if alleles[0][i] != b'N' || base == b'N' {
            continue;
        }
        for allele in alleles.iter_mut() {
            if let Some(letter @ b'N') = allele.get_mut(i) {
                (*letter, is_changed) = (base, true);
            }
        }
    }
    is_changed
}

/// Makes REF these bases; where an alternate allele has the old REF's base in its place, it takes the new one.
fn replace(alleles: &mut [Vec<u8>], bases: &[u8]) {
    let old = std::mem::replace(&mut alleles[0], bases.to_vec());
    for allele in alleles[1..].iter_mut().filter(|allele| !allele.starts_with(b"<")) {
        for ((letter, old), new) in allele.iter_mut().zip(&old).zip(bases) {
            if letter.eq_ignore_ascii_case(old) {
                *letter = *new;
            }
        }
    }
}

/// Exchanges REF and an alternate allele in the genotypes; AC of that one counts what was REF.
fn swap_genotypes(record: &mut Record, other: usize) {
    let Some(field) = record.format_index(b"GT") else { return };
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    let references = std::cell::Cell::new(0u64);
    for cell in record.cells(field) {
        renumber(cell, &mut text, |allele| {
            Some(match allele {
                0 => {
                    references.set(references.get() + 1);
                    other
                }
                allele if allele == other => 0,
                allele => allele,
            })
        });
        ends.push(text.len());
    }
    record.set_format(b"GT", &text, &ends);
    let Some(counted) = record.info(b"AC").map(<[u8]>::to_vec) else { return };
    if nth(&counted, other - 1).is_some_and(|value| parse_integer(value).is_some() || value == b".") {
        let now = references.get().to_string();
        let mut list = Vec::new();
        let values = crate::variants::allele_lists::items(&counted).enumerate();
        push_list(&mut list, values.map(|(i, value)| if i == other - 1 { now.as_bytes() } else { value }));
        record.set_info(b"AC", Some(&list));
    }
}

/// Drops alternate alleles that are REF; in genotypes they become 0.
pub fn drop_references(record: &mut Record) {
    let reference = record.reference().to_vec();
    let is_kept: Vec<bool> = record.alternates().map(|alt| !alt.eq_ignore_ascii_case(&reference)).collect();
    let kept: Vec<Vec<u8>> =
        record.alternates().filter(|alt| !alt.eq_ignore_ascii_case(&reference)).map(<[u8]>::to_vec).collect();
    record.set_alternates(kept.iter().map(Vec::as_slice));
    let Some(field) = record.format_index(b"GT") else { return };
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for cell in record.cells(field) {
        renumber(cell, &mut text, |allele| {
            let is_there = allele > 0 && is_kept.get(allele - 1) == Some(&true);
            Some(if is_there { is_kept[..allele].iter().filter(|kept| **kept).count() } else { 0 })
        });
        ends.push(text.len());
    }
    record.set_format(b"GT", &text, &ends);
}
