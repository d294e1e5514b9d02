//! FORMAT and the samples.

use rustc_hash::FxHashSet;

use super::meta::Meta;
use super::rules::{Report, Rule};
use super::values::{has_type, is_tag};
use super::{Version, quoted};
use crate::formats::vcf::header::{Definition, Number, Type};

/// Holds the samples of a record against the rules.
pub(super) fn check(format: &[u8], samples: &[&[u8]], alternates: usize, meta: &Meta, report: &mut Report) {
    let keys: Vec<&[u8]> = if format == b"." { Vec::new() } else { format.split(|b| *b == b':').collect() };
    let mut seen = FxHashSet::default();
    for (place, key) in keys.iter().enumerate() {
        // Up to 4.2 keys are letters and digits, but callers have long declared others.
        let is_key = is_tag(key, true, meta.version)
            || (is_tag(key, false, meta.version) && meta.declares_format(key));
        if !is_key || !seen.insert(key) || (*key == b"GT" && place > 0) {
            report.add(Rule::FormatKey, || format!("FORMAT key {}", quoted(key)));
        }
    }
    let declared: Vec<Option<Definition>> = keys.iter().map(|key| meta.format(key)).collect();
    let local = keys.iter().position(|key| *key == b"LAA");
    for sample in samples {
        check_sample(sample, &keys, &declared, (alternates, local), meta, report);
    }
}

fn check_sample(
    sample: &[u8],
    keys: &[&[u8]],
    declared: &[Option<Definition>],
    (alternates, local): (usize, Option<usize>),
    meta: &Meta,
    report: &mut Report,
) {
    let fields: Vec<&[u8]> = sample.split(|b| *b == b':').collect();
    if fields.len() > keys.len().max(1) {
        report.add(Rule::SampleFields, || format!("{} fields, FORMAT has {}", fields.len(), keys.len()));
    }
    let may_be_empty = meta.version >= Version::LOCAL;
    let mut ploidy = 2;
    let local = local.map(|place| match fields.get(place).copied() {
        None | Some(b"." | b"") => 0,
        Some(text) => text.split(|b| *b == b',').count(),
    });
    for ((&key, declared), &text) in keys.iter().zip(declared).zip(&fields) {
        if key == b"GT" {
            match genotype(text, alternates, meta.version) {
                Ok(chromosomes) => ploidy = chromosomes,
                Err(what) => report.add(Rule::Genotype, || format!("GT {}: {what}", quoted(text))),
            }
            continue;
        }
        if text == b"." || (text.is_empty() && may_be_empty) {
            continue;
        }
        let name = || String::from_utf8_lossy(key).into_owned();
        let Some(Definition { number, kind }) = *declared else {
            if text.is_empty() {
                report.add(Rule::SampleType, || format!("{} is empty", name()));
            }
            continue;
        };
        let kind = if kind == Type::Flag { Type::String } else { kind };
        if let Some(bad) = text.split(|b| *b == b',').find(|text| !has_type(text, kind)) {
            report.add(Rule::SampleType, || format!("{} {} is no {kind:?}", name(), quoted(bad)));
            continue;
        }
        let count = text.split(|b| *b == b',').count();
        let expected = match number {
            Number::Count(count) => Some(count as usize),
            Number::Alternates => Some(alternates).filter(|count| *count > 0),
            Number::Alleles => Some(alternates + 1).filter(|_| alternates > 0),
            Number::Genotypes => genotypes(alternates + 1, ploidy).filter(|_| alternates > 0),
            Number::LocalAlternates => local,
            Number::LocalAlleles => local.map(|local| local + 1),
            Number::LocalGenotypes => local.and_then(|local| genotypes(local + 1, ploidy)),
            Number::Ploidy => Some(ploidy),
            Number::Modifications | Number::Unknown => None,
        };
        if let Some(expected) = expected.filter(|expected| *expected != count) {
            report.add(Rule::SampleNumber, || format!("{} has {count} values, not {expected}", name()));
        }
    }
}

/// How many chromosomes a genotype has.
fn genotype(text: &[u8], alternates: usize, version: Version) -> Result<usize, &'static str> {
    // From 4.4 a phase may stand before the first allele.
    let inner = match text {
        [b'/' | b'|', inner @ ..] if version >= Version(4) => inner,
        text => text,
    };
    let mut chromosomes = 0;
    for allele in inner.split(|b| matches!(b, b'/' | b'|')) {
        chromosomes += 1;
        if allele == b"." {
            continue;
        }
        if allele.is_empty() || !allele.iter().all(u8::is_ascii_digit) {
            return Err("an allele is no number");
        }
        let number = std::str::from_utf8(allele).ok().and_then(|text| text.parse::<usize>().ok());
        // An ALT that is missing may still have been called.
        if number.is_none_or(|number| number > alternates.max(1)) {
            return Err("the record has no such allele");
        }
    }
    Ok(chromosomes)
}

/// How many genotypes so many chromosomes can have; `None` where the number is beyond all measure.
fn genotypes(alleles: usize, ploidy: usize) -> Option<usize> {
    let mut count = 1usize;
    for chromosome in 1..=ploidy {
        count = count.checked_mul(alleles.checked_add(chromosome)? - 1)? / chromosome;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_are_counted() {
        // Section 1.6.2 of VCF 4.3: alleles + ploidy - 1 over ploidy.
        for (alleles, ploidy, count) in [(2, 2, 3), (3, 2, 6), (2, 1, 2), (3, 3, 10), (1, 0, 1)] {
            assert_eq!(genotypes(alleles, ploidy), Some(count));
        }
        assert_eq!(genotypes(usize::MAX, 9), None);
    }
}
