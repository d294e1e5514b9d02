//! A record with fewer alternate alleles: every list that has a value for each allele or genotype follows.
//!
//! What becomes of lists is as in htslib's `bcf_remove_allele_set`: fields of Number=A, R and G are cut, and those of
//! local alleles (VCF 4.5) by the sample's `LAA`, which is renumbered; in GT alleles are renumbered, and what was taken away
//! is missing; a list that is missing as a whole stays so.

use super::allele_lists::{Per, Tag, count, items, next_genotype, ploidy_of};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Record, parse_integer};
use crate::records::genotype::{self, renumber};
use crate::records::pipeline::RecordProblem;

/// Keeps the alleles for which `keep` is true, the reference always.
///
/// # Errors
/// A list has not as many values as the header and the alleles ask for, or a genotype has an allele that is not there.
pub fn keep_alleles(record: &mut Record, header: &Header, keep: &[bool]) -> Result<(), RecordProblem> {
    let old: Vec<Vec<u8>> = record.alternates().map(<[u8]>::to_vec).collect();
    let is_kept = |allele: usize| allele == 0 || keep.get(allele).copied().unwrap_or(false);
    if (1..=old.len()).all(is_kept) {
        return Ok(());
    }
    let kept = old.iter().enumerate().filter(|(i, _)| is_kept(i + 1)).map(|(_, allele)| allele.as_slice());
    record.set_alternates(kept);
    let alleles: Vec<usize> = (0..=old.len()).collect();
    let mut changes = Vec::new();
    for (key, value) in record.info_fields() {
        let Some(value) = value else { continue };
        let per = Tag::of_info(header, key).per;
        if !matches!(per, Per::Alternate | Per::Allele | Per::Genotype) {
            continue;
        }
        let mut text = Vec::new();
        if cut(value, per, &alleles, is_kept, &mut text).ok_or_else(|| wrong_length(record, "INFO", key))? {
            changes.push((key.to_vec(), text));
        }
    }
    for (key, text) in changes {
        if text.is_empty() {
            record.retain_info(|other| other != key);
        } else {
            record.set_info(&key, Some(&text));
        }
    }

    // New numbers; what is taken away has none.
    let numbers: Vec<Option<usize>> = alleles
        .iter()
        .scan(0, |next, &allele| {
            *next += usize::from(is_kept(allele));
            Some(is_kept(allele).then_some(*next - 1))
        })
        .collect();
    let local = record.format_index(b"LAA").map(|field| record.cells(field).map(local_alleles).collect());
    let local: Option<Vec<Vec<usize>>> = local;
    let mut changes = Vec::new();
    for (field, key) in record.format_keys().enumerate() {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        let per = Tag::of_format(header, key).per;
        let is_local =
            matches!(per, Per::LocalAlternate | Per::LocalAllele | Per::LocalGenotype | Per::LocalList);
        if key != b"GT" && (per == Per::Other || (is_local && local.is_none())) {
            continue;
        }
        for (sample, cell) in record.cells(field).enumerate() {
            let begin = text.len();
            let known = local.as_ref().filter(|_| is_local).and_then(|local| local.get(sample));
            if key == b"GT" {
                if genotype::alleles(cell).flatten().any(|allele| allele >= numbers.len()) {
                    let what = "a genotype has an allele that the record does not have";
                    return Err(RecordProblem::at(record, what));
                }
                renumber(cell, &mut text, |allele| numbers.get(allele).copied().flatten());
            } else if per == Per::LocalList {
                let kept = known.into_iter().flatten().skip(1).filter_map(|&allele| *numbers.get(allele)?);
                for (i, number) in kept.enumerate() {
                    if i > 0 {
                        text.push(b',');
                    }
                    write_integer(number as i64, &mut text);
                }
            } else {
                let was_cut = cut(cell, per, known.unwrap_or(&alleles), is_kept, &mut text);
                if !was_cut.ok_or_else(|| wrong_length(record, "FORMAT", key))? {
                    text.extend_from_slice(cell);
                }
            }
            if text.len() == begin {
                text.push(b'.');
            }
            ends.push(text.len());
        }
        changes.push((key.to_vec(), text, ends));
    }
    for (key, text, ends) in changes {
        record.set_format(&key, &text, &ends);
    }
    Ok(())
}

/// REF and the alleles of a sample's `LAA`.
fn local_alleles(list: &[u8]) -> Vec<usize> {
    let numbers = items(list).filter_map(parse_integer).filter_map(|number| usize::try_from(number).ok());
    std::iter::once(0).chain(numbers).collect()
}

fn wrong_length(record: &Record, column: &str, key: &[u8]) -> RecordProblem {
    let key = String::from_utf8_lossy(key);
    RecordProblem::at(record, format!("{column}/{key} has not one value for each allele or genotype"))
}

/// Appends the values that stay of a list for these alleles; false where the list is missing and stays as it is, `None`
/// where its length is wrong. How many chromosomes a list of genotypes is for, its length tells.
fn cut(
    list: &[u8],
    per: Per,
    alleles: &[usize],
    is_kept: impl Fn(usize) -> bool,
    out: &mut Vec<u8>,
) -> Option<bool> {
    if list == b"." || list.is_empty() {
        return Some(false);
    }
    let is_kept = |place: usize| alleles.get(place).is_some_and(|&allele| is_kept(allele));
    let (first, mut genotype) = match per {
        Per::Alternate | Per::LocalAlternate => (1, Vec::new()),
        Per::Allele | Per::LocalAllele => (0, Vec::new()),
        _ => (0, vec![0; ploidy_of(count(list), alleles.len())?]),
    };
    if genotype.is_empty() && count(list) + first != alleles.len() {
        return None;
    }
    let begin = out.len();
    for (i, value) in items(list).enumerate() {
        let stays = if genotype.is_empty() {
            is_kept(i + first)
        } else {
            genotype.iter().all(|&place| is_kept(place))
        };
        if !genotype.is_empty() {
            next_genotype(&mut genotype, alleles.len());
        }
        if stays {
            if out.len() > begin {
                out.push(b',');
            }
            out.extend_from_slice(value);
        }
    }
    Some(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_follow_the_alleles() {
        let header = Header::parse(
            b"##fileformat=VCFv4.2\n##INFO=<ID=AC,Number=A,Type=Integer,Description=\"\">\n\
            ##INFO=<ID=AD,Number=R,Type=Integer,Description=\"\">\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
            ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"\">\n##FORMAT=<ID=LAA,Number=.,Type=Integer,Description=\"\">\n\
            ##FORMAT=<ID=LAD,Number=LR,Type=Integer,Description=\"\">\n##FORMAT=<ID=LPL,Number=LG,Type=Integer,Description=\"\">\n\
            ##FORMAT=<ID=LEC,Number=LA,Type=Integer,Description=\"\">\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n",
        )
        .unwrap();
        for (line, keep, expected) in [
            // Expected: bcftools 1.24 view -a -I.
            (
                "A\tC,G,T\t.\t.\tAD=9,1,2,3\tGT:PL\t0/2:0,1,2,3,4,5,6,7,8,9\t2|2:.\t0:1,2,3,4",
                &[true, false, true, false][..],
                "A\tG\t.\t.\tAD=9,2\tGT:PL\t0/1:0,3,5\t1|1:.\t0:1,3",
            ),
            (
                "A\tC,G\t.\t.\tAD=.\tGT\t0/0\t./.\t0",
                &[true, false, false],
                "A\t.\t.\t.\tAD=.\tGT\t0/0\t./.\t0",
            ),
            (
                "A\tC,G\t.\t.\t.\tGT:LAA:LAD:LPL:LEC\t0/2:2:7,8:0,1,2:5\t0/0:1,2:5,6,7:0,1,2,3,4,5:3,4\t0/0:.:9:0:.",
                &[true, false, true],
                "A\tG\t.\t.\t.\tGT:LAA:LAD:LPL:LEC\t0/1:1:7,8:0,1,2:5\t0/0:1:5,7:0,3,5:4\t0/0:.:9:0:.",
            ),
            (
                "A\tC,G\t.\t.\t.\tGT:LAA:LAD\t0/2:1,2:1,2,3\t0/0:1:5,6\t2/2:2:1,2",
                &[true, false, true],
                "A\tG\t.\t.\t.\tGT:LAA:LAD\t0/1:1:1,3\t0/0:.:5\t1/1:1:1,2",
            ),
            // By hand: an allele that a genotype has is taken away, and three chromosomes.
            (
                "A\tC,G\t.\t.\tAC=1,2\tGT:PL\t1|2:.\t0/2/2:0,1,2,3,4,5,6,7,8,9\t.",
                &[true, false, true],
                "A\tG\t.\t.\tAC=2\tGT:PL\t.|1:.\t0/1/1:0,4,7,9\t.:.",
            ),
        ] {
            let mut record = Record::parse(format!("1\t5\t.\t{line}").as_bytes()).unwrap();
            keep_alleles(&mut record, &header, keep).unwrap();
            let mut text = Vec::new();
            record.write(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), format!("1\t5\t.\t{expected}"));
        }
        let mut record = Record::parse(b"1\t5\t.\tA\tC,G\t.\t.\tAC=1\tGT\t0\t0\t0").unwrap();
        let error = keep_alleles(&mut record, &header, &[true, true, false]).unwrap_err().to_string();
        assert_eq!(error, "1:5: INFO/AC has not one value for each allele or genotype");
    }
}
