//! How often each allele of a record occurs: by its genotypes, or as INFO/AN and INFO/AC say.

use super::genotype_scan::{Genotype, MISSING, scan};
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Record, parse_integer};
use crate::records::genotype;
use crate::records::pipeline::RecordProblem;

/// Counts the alleles of the genotypes into `counts`, the reference first; false where the record has no GT.
///
/// # Errors
/// A genotype has an allele that the record does not have.
pub fn of_genotypes(record: &Record, counts: &mut Vec<u64>) -> Result<bool, RecordProblem> {
    counts.clear();
    counts.resize(record.allele_count(), 0);
    let mut unknown = None;
    let has_genotypes = scan(record, |_, genotype| {
        let mut count = |allele: usize| match counts.get_mut(allele) {
            Some(count) => *count += 1,
            None => unknown = Some(allele),
        };
        match genotype {
            Genotype::Pair(a, b) => {
                for allele in [a, b].into_iter().filter(|allele| *allele != MISSING) {
                    count(usize::from(allele));
                }
            }
            Genotype::Other(cell) => genotype::alleles(cell).flatten().for_each(count),
        }
    });
    match unknown {
        Some(allele) => Err(no_such_allele(record, allele)),
        None => Ok(has_genotypes),
    }
}

fn no_such_allele(record: &Record, allele: usize) -> RecordProblem {
    RecordProblem::at(record, format!("a genotype has allele {allele}, which the record does not have"))
}

/// Takes the counts from INFO/AN and INFO/AC, or where these are missing from the genotypes. Where INFO/AC has not one
/// number for each alternate allele, all are 0, as in bcftools.
///
/// # Errors
/// As [`of_genotypes`], or AN is smaller than the sum of AC.
pub fn of_info_or_genotypes(record: &Record, counts: &mut Vec<u64>) -> Result<bool, RecordProblem> {
    let total = record.info(b"AN").and_then(parse_integer).and_then(|n| u64::try_from(n).ok());
    let (Some(total), Some(alternates)) = (total, record.info(b"AC")) else {
        return of_genotypes(record, counts);
    };
    counts.clear();
    counts.resize(record.allele_count(), 0);
    let alternates = alternates.split(|&b| b == b',');
    if alternates.clone().count() != record.allele_count() - 1 {
        return Ok(false);
    }
    let mut rest = total;
    for (count, text) in counts[1..].iter_mut().zip(alternates) {
        *count = parse_integer(text).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        rest = rest
            .checked_sub(*count)
            .ok_or_else(|| RecordProblem::at(record, "INFO/AN is less than INFO/AC"))?;
    }
    counts[0] = rest;
    Ok(true)
}

/// Sets INFO/AC and INFO/AN.
pub fn update(record: &mut Record, counts: &[u64]) {
    let mut text = Vec::new();
    for (i, &count) in counts.iter().skip(1).enumerate() {
        if i > 0 {
            text.push(b',');
        }
        write_integer(count as i64, &mut text);
    }
    if text.is_empty() {
        record.retain_info(|key| key != b"AC");
    } else {
        record.set_info(b"AC", Some(&text));
    }
    text.clear();
    write_integer(counts.iter().sum::<u64>() as i64, &mut text);
    record.set_info(b"AN", Some(&text));
}
