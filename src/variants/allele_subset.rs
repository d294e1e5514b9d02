//! A record with fewer alternate alleles: every list that has a value for each allele or genotype follows.
//!
//! What becomes of lists is as in htslib's `bcf_remove_allele_set`: fields of Number=A, R and G are cut; in GT alleles
//! are renumbered, and what was taken away is missing; a list that is missing as a whole stays so. FORMAT/LAA and the
//! local lists (VCF 4.5) are left to alleles by their numbers.

use super::genotype;
use super::pipeline::RecordProblem;
use crate::formats::vcf::header::{Header, Number};
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::Record;

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
    let lists = Lists { alleles: old.len() + 1, is_kept: &is_kept };

    let mut changes = Vec::new();
    for (key, value) in record.info_fields() {
        let (Some(value), Some(definition)) = (value, header.info(key)) else { continue };
        let Some(shape) = Shape::of(definition.number) else { continue };
        let mut text = Vec::new();
        if lists.cut(value, shape, &mut text).ok_or_else(|| wrong_length(record, "INFO", key))? {
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

    let mut changes = Vec::new();
    let mut numbers = vec![None; old.len() + 1];
    let mut next = 0;
    for (allele, number) in numbers.iter_mut().enumerate() {
        if is_kept(allele) {
            *number = Some(next);
            next += 1;
        }
    }
    for (field, key) in record.format_keys().enumerate() {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        if key == b"GT" {
            for cell in record.cells(field) {
                renumber(cell, &numbers, &mut text).ok_or_else(|| {
                    RecordProblem::at(record, "a genotype has an allele that the record does not have")
                })?;
                ends.push(text.len());
            }
        } else {
            let Some(shape) = header.format(key).and_then(|definition| Shape::of(definition.number)) else {
                continue;
            };
            for cell in record.cells(field) {
                let begin = text.len();
                let was_cut = lists.cut(cell, shape, &mut text);
                if !was_cut.ok_or_else(|| wrong_length(record, "FORMAT", key))? {
                    text.extend_from_slice(cell);
                } else if text.len() == begin {
                    text.push(b'.');
                }
                ends.push(text.len());
            }
        }
        changes.push((key.to_vec(), text, ends));
    }
    for (key, text, ends) in changes {
        record.set_format(&key, &text, &ends);
    }
    Ok(())
}

fn wrong_length(record: &Record, column: &str, key: &[u8]) -> RecordProblem {
    let key = String::from_utf8_lossy(key);
    RecordProblem::at(record, format!("{column}/{key} has not one value for each allele or genotype"))
}

/// What the values of a list belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Alternates,
    Alleles,
    Genotypes,
}

impl Shape {
    fn of(number: Number) -> Option<Self> {
        match number {
            Number::Alternates => Some(Self::Alternates),
            Number::Alleles => Some(Self::Alleles),
            Number::Genotypes => Some(Self::Genotypes),
            _ => None,
        }
    }
}

struct Lists<'k> {
    /// How many alleles there were.
    alleles: usize,
    is_kept: &'k dyn Fn(usize) -> bool,
}

impl Lists<'_> {
    /// Appends the values that stay; false where the list is missing and stays as it is, `None` where its length is
    /// wrong. A list for genotypes may be that of a haploid: one value for each allele.
    fn cut(&self, list: &[u8], shape: Shape, out: &mut Vec<u8>) -> Option<bool> {
        if list == b"." || list.is_empty() {
            return Some(false);
        }
        let count = 1 + memchr::memchr_iter(b',', list).count();
        let genotypes = self.alleles * (self.alleles + 1) / 2;
        let shape = match shape {
            Shape::Genotypes if count == self.alleles && count != genotypes => Shape::Alleles,
            shape => shape,
        };
        let expected = match shape {
            Shape::Alternates => self.alleles - 1,
            Shape::Alleles => self.alleles,
            Shape::Genotypes => genotypes,
        };
        if count != expected {
            return None;
        }
        // Genotypes are in the order 0/0, 0/1, 1/1, 0/2, ... (section 1.6.2).
        let (mut low, mut high) = (0, 0);
        let begin = out.len();
        for (i, value) in list.split(|&b| b == b',').enumerate() {
            let is_kept = match shape {
                Shape::Alternates => (self.is_kept)(i + 1),
                Shape::Alleles => (self.is_kept)(i),
                Shape::Genotypes => (self.is_kept)(low) && (self.is_kept)(high),
            };
            (low, high) = if low == high { (0, high + 1) } else { (low + 1, high) };
            if is_kept {
                if out.len() > begin {
                    out.push(b',');
                }
                out.extend_from_slice(value);
            }
        }
        Some(true)
    }
}

/// Appends a genotype with new numbers for its alleles.
fn renumber(cell: &[u8], numbers: &[Option<usize>], out: &mut Vec<u8>) -> Option<()> {
    if let Some(prefix @ (b'/' | b'|')) = cell.first() {
        out.push(*prefix);
    }
    for (i, (phased, allele)) in genotype::phased_alleles(cell).enumerate() {
        if i > 0 {
            out.push(if phased { b'|' } else { b'/' });
        }
        match allele {
            Some(allele) => match numbers.get(allele)? {
                Some(number) => write_integer(*number as i64, out),
                None => out.push(b'.'),
            },
            None => out.push(b'.'),
        }
    }
    Some(())
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
            ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"\">\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n",
        )
        .unwrap();
        // Expected: bcftools 1.24 view -a of the same lines.
        for (line, keep, expected) in [
            (
                "1\t5\t.\tA\tC,G,T\t.\t.\tAC=1,2,3;X=7;AD=9,1,2,3\tGT:PL\t0/2:0,1,2,3,4,5,6,7,8,9\t2|3:.\t1:1,2,3,4",
                [true, false, true, false],
                "1\t5\t.\tA\tG\t.\t.\tAC=2;X=7;AD=9,2\tGT:PL\t0/1:0,3,5\t1|.:.\t.:1,3",
            ),
            (
                "1\t5\t.\tA\tC,G,T\t.\t.\tAC=.\tGT\t0/0\t./.\t0",
                [true, false, false, false],
                "1\t5\t.\tA\t.\t.\t.\tAC=.\tGT\t0/0\t./.\t0",
            ),
        ] {
            let mut record = Record::parse(line.as_bytes()).unwrap();
            keep_alleles(&mut record, &header, &keep).unwrap();
            let mut text = Vec::new();
            record.write(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
        let mut record = Record::parse(b"1\t5\t.\tA\tC,G\t.\t.\tAC=1\tGT\t0\t0\t0").unwrap();
        let error = keep_alleles(&mut record, &header, &[true, true, false]).unwrap_err().to_string();
        assert_eq!(error, "1:5: INFO/AC has not one value for each allele or genotype");
    }
}
