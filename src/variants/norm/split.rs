//! `-m -`: a record of several alternate alleles becomes one for each, with the values that belong to it.

use std::sync::Arc;

use super::counts::{Counted, Counts};
use super::origin::{self, OriginTag};
use super::{Collapse, NormOptions};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::{Column, Record, cell, parse_integer};
use crate::records::genotype::renumber;
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;
use crate::variants::allele_lists::{Per, Tag, count, items, nth, places_with, ploidy_of, push_list};

/// Splits.
pub struct Split {
    header: Arc<Header>,
    which: Collapse,
    /// An allele of the others in a genotype is `0`, not `.`.
    others_are_reference: bool,
    /// Fields with a wrong number of values go, instead of an error.
    is_forced: bool,
    keep_sum: Vec<Vec<u8>>,
    origin: Option<OriginTag>,
    counts: Arc<Counts>,
}

/// What becomes of a FORMAT field.
#[derive(Clone, Copy, Debug)]
struct Field {
    number: usize,
    tag: Tag,
    is_genotype: bool,
    is_summed: bool,
    /// All samples have one value at the most, so nothing is known of its alleles.
    is_single: bool,
}

impl Split {
    /// Splits as the options have it.
    pub fn new(options: &NormOptions, which: Collapse, header: Arc<Header>, counts: Arc<Counts>) -> Self {
        Self {
            header,
            which,
            others_are_reference: options.others_are_reference,
            is_forced: options.force,
            keep_sum: options.keep_sum.iter().map(|tag| tag.as_bytes().to_vec()).collect(),
            origin: options.old_rec_tag.as_deref().map(OriginTag::new),
            counts,
        }
    }

    fn wants(&self, record: &Record) -> bool {
        record.allele_count() > 2
            && match self.which {
                Collapse::Snps => Kinds::of(record).meets(Kinds::SNP),
                Collapse::Indels => Kinds::of(record).meets(Kinds::INDEL),
                Collapse::Both | Collapse::Any => true,
            }
    }

    /// The FORMAT fields that stay, in order.
    fn fields(&self, record: &Record) -> Result<Vec<Field>, RecordProblem> {
        let alleles = record.allele_count();
        let mut fields = Vec::new();
        for (number, key) in record.format_keys().enumerate() {
            let tag = Tag::of_format(&self.header, key);
            let most = || record.cells(number).map(count).max().unwrap_or(1);
            let is_single = tag.is_number && tag.per != Per::Other && most() == 1;
            let is_genotype_list = |cell: &[u8]| cell == b"." || ploidy_of(count(cell), alleles).is_some();
            let fits = is_single
                || match tag.per {
                    Per::Genotype if !tag.is_number => record.cells(number).all(is_genotype_list),
                    _ if !tag.is_number => true,
                    Per::Alternate => most() == alleles - 1,
                    Per::Allele => most() == alleles,
                    Per::Genotype => ploidy_of(most(), alleles).is_some(),
                    _ => true,
                };
            if fits {
                let is_summed = self.keep_sum.iter().any(|summed| summed == key);
                fields.push(Field { number, tag, is_genotype: key == b"GT", is_summed, is_single });
            } else if !self.is_forced {
                return Err(wrong_number(record, "FORMAT", key, most()));
            }
        }
        Ok(fields)
    }

    /// Writes the line of one alternate allele (from 1).
    fn write(
        &self,
        record: &Record,
        fields: &[Field],
        allele: usize,
        line: &mut Vec<u8>,
    ) -> Result<(), RecordProblem> {
        for column in [Column::Chrom, Column::Pos, Column::Id, Column::Ref] {
            line.extend_from_slice(record.column(column));
            line.push(b'\t');
        }
        line.extend_from_slice(record.alternates().nth(allele - 1).unwrap_or(b"."));
        for column in [Column::Qual, Column::Filter] {
            line.push(b'\t');
            line.extend_from_slice(record.column(column));
        }
        line.push(b'\t');
        self.write_info(record, allele, line)?;
        if record.column(Column::Format).is_empty() {
            return Ok(());
        }
        line.push(b'\t');
        let keys = record.column(Column::Format);
        let key = |number: usize| keys.split(|&b| b == b':').nth(number).unwrap_or_default();
        let written = line.len();
        for field in fields {
            if line.len() > written {
                line.push(b':');
            }
            line.extend_from_slice(key(field.number));
        }
        if fields.is_empty() {
            line.push(b'.');
        }
        let list = record.format_index(b"LAA");
        for sample in record.sample_texts() {
            line.push(b'\t');
            let local = list.map(|number| cell(sample, number));
            for (i, field) in fields.iter().enumerate() {
                if i > 0 {
                    line.push(b':');
                }
                self.write_cell(
                    *field,
                    cell(sample, field.number),
                    record.allele_count(),
                    allele,
                    local,
                    line,
                );
            }
            if fields.is_empty() {
                line.push(b'.');
            }
        }
        Ok(())
    }

    fn write_info(&self, record: &Record, allele: usize, line: &mut Vec<u8>) -> Result<(), RecordProblem> {
        let (from, alleles) = (line.len(), record.allele_count());
        for (key, value) in record.info_fields() {
            let tag = Tag::of_info(&self.header, key);
            let value = value.map(|value| (value, count(value)));
            if let Some((_, found)) = value
                && tag.is_number
                && match tag.per {
                    Per::Alternate => found != alleles - 1,
                    Per::Allele => found != alleles,
                    Per::Genotype => ploidy_of(found, alleles).is_none(),
                    _ => false,
                }
            {
                if self.is_forced {
                    continue;
                }
                return Err(wrong_number(record, "INFO", key, found));
            }
            if line.len() > from {
                line.push(b';');
            }
            line.extend_from_slice(key);
            if let Some((value, found)) = value {
                line.push(b'=');
                let is_summed = self.keep_sum.iter().any(|summed| summed == key);
                match (tag.per, tag.is_number) {
                    (Per::Allele, true) if is_summed => write_sum(value, allele, line),
                    (Per::Alternate | Per::Allele | Per::Genotype, _) => {
                        let ploidy = if tag.is_number { ploidy_of(found, alleles).unwrap_or(2) } else { 2 };
                        write_part(value, tag.per, ploidy, allele, line);
                    }
                    _ => line.extend_from_slice(value),
                }
            }
        }
        if line.len() == from {
            line.push(b'.');
        }
        Ok(())
    }

    fn write_cell(
        &self,
        field: Field,
        value: &[u8],
        alleles: usize,
        allele: usize,
        local: Option<&[u8]>,
        line: &mut Vec<u8>,
    ) {
        if field.is_genotype {
            let other = self.others_are_reference.then_some(0);
            renumber(value, line, |a| match a {
                0 => Some(0),
                a if a == allele => Some(1),
                _ => other,
            });
            return;
        }
        if field.is_single {
            line.extend_from_slice(value);
            return;
        }
        match (field.tag.per, field.tag.is_number) {
            (Per::Allele, true) if field.is_summed => write_sum(value, allele, line),
            // The reference's value is kept, whatever is missing behind it.
            (Per::Allele, true) => {
                let of_allele = nth(value, allele).unwrap_or(b".");
                push_list(line, [nth(value, 0).unwrap_or(b"."), of_allele]);
            }
            (Per::Alternate | Per::Allele, _) => write_part(value, field.tag.per, 2, allele, line),
            (Per::Genotype, is_number) => match ploidy_of(count(value), alleles) {
                _ if value == b"." => line.push(b'.'),
                Some(ploidy) => write_part(value, Per::Genotype, ploidy, allele, line),
                // As if haploid, as far as there are values.
                None if is_number => {
                    push_list(
                        line,
                        [Some(0), Some(allele)].into_iter().flatten().map_while(|i| nth(value, i)),
                    );
                }
                None => line.push(b'.'),
            },
            (Per::Other, _) => line.extend_from_slice(value),
            (per, _) => write_local(value, per, local, allele, line),
        }
    }
}

impl Split {
    /// Puts what a record is split into behind those of `out`.
    ///
    /// # Errors
    /// A field has a wrong number of values.
    pub fn apply(&self, mut record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if !self.wants(&record) {
            out.push(record);
            return Ok(());
        }
        record.settle();
        let fields = self.fields(&record)?;
        let alternates = record.allele_count() - 1;
        let note = self
            .origin
            .as_ref()
            .filter(|tag| !tag.is_set(&record))
            .map(|tag| (tag, origin::describe(&record)));
        let mut line = Vec::with_capacity(record.column(Column::Info).len() + 64);
        for allele in 1..=alternates {
            line.clear();
            self.write(&record, &fields, allele, &mut line)?;
            let mut part = origin::reread(&record, &line)?;
            if let Some((tag, text)) = &note {
                tag.set(&mut part, &format!("{text}|{allele}"));
            }
            out.push(part);
        }
        self.counts.add(Counted::Split);
        self.counts.add_many(Counted::Added, alternates as u64 - 1);
        Ok(())
    }
}

fn wrong_number(record: &Record, column: &str, key: &[u8], found: usize) -> RecordProblem {
    let key = String::from_utf8_lossy(key);
    let alleles = record.allele_count();
    let what = format!(
        "{column}/{key} has {found} values, which is wrong for {alleles} alleles (--force drops such fields)"
    );
    RecordProblem::at(record, what)
}

/// Writes the values of REF and one allele, or `.` where the list does not have them.
fn write_part(value: &[u8], per: Per, ploidy: usize, allele: usize, line: &mut Vec<u8>) {
    let from = line.len();
    let push = |place: usize, line: &mut Vec<u8>| match nth(value, place).filter(|item| !item.is_empty()) {
        Some(item) => {
            if line.len() > from {
                line.push(b',');
            }
            line.extend_from_slice(item);
            true
        }
        None => false,
    };
    let is_whole = match per {
        Per::Alternate => push(allele - 1, line),
        Per::Allele => push(0, line) && push(allele, line),
        _ => places_with(allele, ploidy).all(|place| push(place, line)),
    };
    if !is_whole {
        line.truncate(from);
        line.push(b'.');
    }
}

/// Writes REF's value with those of the other alleles added to it, and the allele's.
fn write_sum(value: &[u8], allele: usize, line: &mut Vec<u8>) {
    let first = nth(value, 0).unwrap_or(b".");
    match parse_integer(first) {
        Some(first) => {
            let others = items(value).enumerate().filter(|&(i, _)| i > 0 && i != allele);
            let others = others.filter_map(|(_, item)| parse_integer(item));
            let sum = others.fold(first, i64::saturating_add);
            line.extend_from_slice(sum.to_string().as_bytes());
        }
        None => line.extend_from_slice(first),
    }
    line.push(b',');
    line.extend_from_slice(nth(value, allele).unwrap_or(b"."));
}

/// Writes what a sample's values of its local alleles hold of REF and one allele (VCF 4.5, section 1.6.2).
fn write_local(value: &[u8], per: Per, local: Option<&[u8]>, allele: usize, line: &mut Vec<u8>) {
    let Some(local) = local else { return line.extend_from_slice(value) };
    let mut numbers = items(local).filter_map(parse_integer);
    let place = numbers.position(|number| number == allele as i64).map(|place| place + 1);
    let alleles = 1 + items(local).filter(|item| parse_integer(item).is_some()).count();
    match (per, place) {
        (Per::LocalList, Some(_)) => line.push(b'1'),
        (Per::LocalAlternate, Some(place)) => line.extend_from_slice(nth(value, place - 1).unwrap_or(b".")),
        (Per::LocalAllele, Some(place)) => write_part(value, Per::Allele, 2, place, line),
        (Per::LocalGenotype, Some(place)) => match ploidy_of(count(value), alleles) {
            Some(ploidy) => write_part(value, Per::Genotype, ploidy, place, line),
            None => line.push(b'.'),
        },
        // The allele is not among the sample's: what is left is REF's.
        (Per::LocalAllele | Per::LocalGenotype, None) => {
            line.extend_from_slice(nth(value, 0).unwrap_or(b"."))
        }
        _ => line.push(b'.'),
    }
}
