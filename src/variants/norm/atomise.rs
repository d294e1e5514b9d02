//! `-a`: MNVs and other complex alleles become records of single changes, with the genotypes that follow.

use std::sync::Arc;

use super::NormOptions;
use super::atoms::{Part, Row, rows};
use super::counts::{Counted, Counts};
use super::fix::has_other_letters;
use super::origin::{self, OriginTag};
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Column, Record, cell, parse_integer};
use crate::records::genotype::renumber;
use crate::records::pipeline::RecordProblem;
use crate::variants::allele_lists::{Per, Tag, count, nth, places_with, ploidy_of, push_list};

/// So many alternate alleles are taken apart together; all are compared with all.
const MAX_ALTERNATES: usize = 4096;

/// Takes apart.
pub struct Atomise {
    header: Arc<Header>,
    /// Overlapping alleles are `*`, not missing.
    has_star: bool,
    origin: Option<OriginTag>,
    counts: Arc<Counts>,
}

impl Atomise {
    /// As the options have it.
    pub fn new(options: &NormOptions, header: Arc<Header>, counts: Arc<Counts>) -> Self {
        Self {
            header,
            has_star: options.overlaps_are_star,
            origin: options.old_rec_tag.as_deref().map(OriginTag::new),
            counts,
        }
    }

    fn write(
        &self,
        record: &Record,
        row: &Row,
        fields: &[(usize, Tag)],
        line: &mut Vec<u8>,
    ) -> Result<(), RecordProblem> {
        let is_starred = self.has_star && row.is_overlapped;
        line.extend_from_slice(record.chrom());
        let position = record.position().saturating_add(row.atom.begin as i64).saturating_add(1);
        line.extend_from_slice(format!("\t{position}\t").as_bytes());
        line.extend_from_slice(record.column(Column::Id));
        line.push(b'\t');
        line.extend_from_slice(&row.atom.reference);
        line.push(b'\t');
        line.extend_from_slice(&row.atom.alt);
        if is_starred {
            line.extend_from_slice(b",*");
        }
        for column in [Column::Qual, Column::Filter] {
            line.push(b'\t');
            line.extend_from_slice(record.column(column));
        }
        line.push(b'\t');
        self.write_info(record, row, is_starred, line);
        if record.column(Column::Format).is_empty() {
            return Ok(());
        }
        line.push(b'\t');
        let keys = record.column(Column::Format);
        let key = |number: usize| keys.split(|&b| b == b':').nth(number).unwrap_or_default();
        for (i, (number, _)) in fields.iter().enumerate() {
            if i > 0 {
                line.push(b':');
            }
            line.extend_from_slice(key(*number));
        }
        if fields.is_empty() {
            line.push(b'.');
        }
        for sample in record.sample_texts() {
            line.push(b'\t');
            for (i, &(number, tag)) in fields.iter().enumerate() {
                if i > 0 {
                    line.push(b':');
                }
                let value = cell(sample, number);
                match key(number) {
                    b"GT" => self.write_genotype(record, row, is_starred, value, line)?,
                    key => {
                        let is_summed = is_summed(key)
                            && self.header.format(key).is_some_and(|d| d.kind == Type::Integer);
                        write_value(tag, value, record.allele_count(), row, is_starred, is_summed, line);
                    }
                }
            }
            if fields.is_empty() {
                line.push(b'.');
            }
        }
        Ok(())
    }

    fn write_genotype(
        &self,
        record: &Record,
        row: &Row,
        is_starred: bool,
        value: &[u8],
        line: &mut Vec<u8>,
    ) -> Result<(), RecordProblem> {
        let is_bad = std::cell::Cell::new(false);
        renumber(value, line, |allele| match allele.checked_sub(1).map(|i| row.parts.get(i)) {
            None => Some(0),
            Some(Some(Part::Reference)) => Some(0),
            Some(Some(Part::Atom)) => Some(1),
            Some(Some(Part::Overlap)) => is_starred.then_some(2),
            Some(None) => {
                is_bad.set(true);
                None
            }
        });
        if is_bad.get() {
            return Err(RecordProblem::at(record, "a genotype has an allele that ALT does not have"));
        }
        Ok(())
    }

    fn write_info(&self, record: &Record, row: &Row, is_starred: bool, line: &mut Vec<u8>) {
        let (from, alleles) = (line.len(), record.allele_count());
        for (key, value) in record.info_fields() {
            let tag = Tag::of_info(&self.header, key);
            let is_wrong = value.is_some_and(|value| {
                let found = count(value);
                match tag.per {
                    Per::Alternate => tag.is_number && found != alleles - 1,
                    Per::Allele => tag.is_number && found != alleles,
                    Per::Other => false,
                    _ => true,
                }
            });
            if is_wrong {
                continue;
            }
            if line.len() > from {
                line.push(b';');
            }
            line.extend_from_slice(key);
            if let Some(value) = value {
                line.push(b'=');
                let is_summed =
                    is_summed(key) && self.header.info(key).is_some_and(|d| d.kind == Type::Integer);
                write_value(tag, value, alleles, row, is_starred, is_summed, line);
            }
        }
        if line.len() == from {
            line.push(b'.');
        }
    }

    /// The FORMAT fields that stay: those whose values can be told for atoms.
    fn fields(&self, record: &Record) -> Vec<(usize, Tag)> {
        let alleles = record.allele_count();
        let keys = record.format_keys().enumerate();
        let fields = keys.map(|(number, key)| (number, Tag::of_format(&self.header, key)));
        fields
            .filter(|&(number, tag)| {
                let most = || record.cells(number).map(count).max().unwrap_or(1);
                match (tag.per, tag.is_number) {
                    (Per::Other, _) | (Per::Alternate | Per::Allele, false) => true,
                    (Per::Alternate, true) => most() == alleles - 1,
                    (Per::Allele, true) => most() == alleles,
                    (Per::Genotype, true) => ploidy_of(most(), alleles).is_some(),
                    _ => false,
                }
            })
            .collect()
    }

    fn wants(&self, record: &Record) -> bool {
        let is_sequence = |allele: &[u8]| !allele.is_empty() && !has_other_letters(allele);
        let mut alternates = record.alternates();
        let is_snv = record.reference().len() == 1
            && record.allele_count() == 2
            && alternates.clone().all(|alt| alt.len() == 1);
        !is_snv && record.allele_count() > 1 && is_sequence(record.reference()) && alternates.all(is_sequence)
    }
}

impl Atomise {
    /// Puts the atoms of a record behind those of `out`.
    ///
    /// # Errors
    /// It has too many alleles.
    pub fn apply(&self, mut record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if !self.wants(&record) {
            // An SNV is its own atom, and is told so.
            if let Some(tag) = &self.origin
                && record.allele_count() == 2
                && !tag.is_set(&record)
                && record.alternates().all(|alt| alt.len() == 1 && !has_other_letters(alt))
                && record.reference().len() == 1
                && !has_other_letters(record.reference())
            {
                let text = format!("{}|1", origin::describe(&record));
                tag.set(&mut record, &text);
            }
            out.push(record);
            return Ok(());
        }
        record.settle();
        let alternates: Vec<&[u8]> = record.alternates().collect();
        if alternates.len() > MAX_ALTERNATES {
            return Err(RecordProblem::at(
                &record,
                format!("over {MAX_ALTERNATES} alternate alleles (-m - splits them)"),
            ));
        }
        let rows = rows(record.reference(), &alternates);
        let fields = self.fields(&record);
        let mut line = Vec::new();
        for row in &rows {
            line.clear();
            self.write(&record, row, &fields, &mut line)?;
            let mut atom = origin::reread(&record, &line)?;
            if let Some(tag) = self.origin.as_ref().filter(|tag| !tag.is_set(&record)) {
                let mut text = origin::describe(&record).into_bytes();
                text.push(b'|');
                let used = row.parts.iter().enumerate().filter(|(_, part)| **part == Part::Atom);
                for (i, (number, _)) in used.enumerate() {
                    if i > 0 {
                        text.push(b',');
                    }
                    write_integer((number + 1) as i64, &mut text);
                }
                tag.set(&mut atom, &String::from_utf8_lossy(&text));
            }
            out.push(atom);
        }
        if rows.len() > 1 {
            self.counts.add(Counted::Atomised);
        }
        self.counts.add_many(Counted::Added, (rows.len() as u64).saturating_sub(1));
        Ok(())
    }
}

/// Tags whose values of alleles add up where alleles share an atom.
fn is_summed(key: &[u8]) -> bool {
    matches!(key, b"AD" | b"QS")
}

/// Writes the values of a tag in the record of an atom; those of `*` are missing.
fn write_value(
    tag: Tag,
    value: &[u8],
    alleles: usize,
    row: &Row,
    is_starred: bool,
    is_summed: bool,
    line: &mut Vec<u8>,
) {
    let allele = row.atom.allele;
    let item = |number: usize| nth(value, number).filter(|item| !item.is_empty()).unwrap_or(b".");
    match tag.per {
        Per::Alternate => line.extend_from_slice(item(allele - 1)),
        // Numbers that end before this allele say nothing of it.
        Per::Allele if tag.is_number && nth(value, allele).is_none() => {
            line.extend_from_slice(item(0));
            return;
        }
        Per::Allele => {
            push_list(line, [item(0)]);
            line.push(b',');
            let others = row.parts.iter().enumerate().skip(allele).filter(|(_, part)| **part == Part::Atom);
            let others = others.filter_map(|(i, _)| parse_integer(item(i + 1)));
            match parse_integer(item(allele)) {
                Some(first) if is_summed => {
                    line.extend_from_slice(others.fold(first, i64::saturating_add).to_string().as_bytes());
                }
                _ => line.extend_from_slice(item(allele)),
            }
        }
        Per::Genotype if value == b"." => {
            line.push(b'.');
            return;
        }
        Per::Genotype => {
            let Some(ploidy) = ploidy_of(count(value), alleles) else { return line.push(b'.') };
            push_list(line, places_with(allele, ploidy).map(item));
            if is_starred {
                // Genotypes with `*` come behind the others.
                let more = crate::variants::allele_lists::genotype_count(3, ploidy)
                    - crate::variants::allele_lists::genotype_count(2, ploidy);
                line.extend(b",.".repeat(more));
            }
            return;
        }
        _ => {
            line.extend_from_slice(value);
            return;
        }
    }
    if is_starred {
        line.extend_from_slice(b",.");
    }
}
