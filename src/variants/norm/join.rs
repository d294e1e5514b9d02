//! `-m +`: records at one place become one with all their alternate alleles.
//!
//! ID and FILTER are those of all, QUAL is the highest; INFO and FORMAT have the fields of the first record, with the values
//! that the others have for their alleles.

use super::alleles::{self, Joined};
use super::counts::{Counted, Counts};
use super::genotypes;
use super::origin;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::{Column, Record, cell};
use crate::records::pipeline::RecordProblem;
use crate::variants::allele_lists::{
    Per, Tag, count, genotype_count, genotype_place, items, next_genotype, ploidy_of, push_list,
};

/// Joins records of one position, of which there are two at least.
///
/// # Errors
/// Their REFs are not of one reference, or a field has a wrong number of values.
pub fn join(
    mut records: Vec<Record>,
    header: &Header,
    is_strict: bool,
    is_forced: bool,
    counts: &Counts,
) -> Result<Record, RecordProblem> {
    records.iter_mut().for_each(Record::settle);
    let first = &records[0];
    let joined = alleles::join(&records)
        .ok_or_else(|| RecordProblem::at(first, "records to join have REFs that differ (-f checks them)"))?;
    let join = Join { records: &records, joined: &joined, header, is_forced };
    let mut line = Vec::new();
    for column in [Column::Chrom, Column::Pos] {
        line.extend_from_slice(first.column(column));
        line.push(b'\t');
    }
    join.write_ids(&mut line);
    line.push(b'\t');
    line.extend_from_slice(&joined.alleles[0]);
    line.push(b'\t');
    push_list(&mut line, joined.alleles[1..].iter().map(Vec::as_slice));
    if joined.alleles.len() == 1 {
        line.push(b'.');
    }
    line.push(b'\t');
    let mut best = first;
    for record in &records[1..] {
        if record.quality() > best.quality() {
            best = record;
        }
    }
    line.extend_from_slice(best.column(Column::Qual));
    line.push(b'\t');
    join.write_filters(is_strict, &mut line);
    line.push(b'\t');
    join.write_info(&mut line)?;
    join.write_samples(&mut line)?;
    let mut made = origin::reread(first, &line)?;
    made.set_origin(records.iter().map(Record::origin).min().unwrap_or(made.origin()));
    counts.add(Counted::Joined);
    Ok(made)
}

struct Join<'r> {
    records: &'r [Record],
    joined: &'r Joined,
    header: &'r Header,
    is_forced: bool,
}

impl Join<'_> {
    /// IDs, each once.
    fn write_ids(&self, line: &mut Vec<u8>) {
        let mut ids: Vec<&[u8]> = Vec::new();
        for (i, record) in self.records.iter().enumerate() {
            let id = record.column(Column::Id);
            let is_known = |id: &[u8], ids: &[&[u8]]| {
                ids.iter().flat_map(|known| known.split(|&b| b == b';')).any(|known| known == id)
            };
            if id != b"." && (i == 0 || !is_known(id, &ids)) {
                ids.push(id);
            }
        }
        for (i, id) in ids.iter().enumerate() {
            if i > 0 {
                line.push(b';');
            }
            line.extend_from_slice(id);
        }
        if ids.is_empty() {
            line.push(b'.');
        }
    }

    /// Filters of all; PASS only where all pass. With `is_strict`, a later record that passes makes PASS of those before it.
    fn write_filters(&self, is_strict: bool, line: &mut Vec<u8>) {
        let mut filters: Vec<&[u8]> = self.records[0].filters().collect();
        for record in &self.records[1..] {
            for filter in record.filters() {
                if filter == b"PASS" {
                    if is_strict {
                        filters = record.filters().collect();
                        break;
                    }
                    continue;
                }
                if filters.contains(&filter) {
                    continue;
                }
                if filters == [b"PASS"] {
                    filters.clear();
                }
                filters.push(filter);
            }
        }
        for (i, filter) in filters.iter().enumerate() {
            if i > 0 {
                line.push(b';');
            }
            line.extend_from_slice(filter);
        }
        if filters.is_empty() {
            line.push(b'.');
        }
    }

    fn write_info(&self, line: &mut Vec<u8>) -> Result<(), RecordProblem> {
        let from = line.len();
        for (key, value) in self.records[0].info_fields() {
            let begin = line.len();
            if begin > from {
                line.push(b';');
            }
            line.extend_from_slice(key);
            let Some(value) = value else { continue };
            line.push(b'=');
            let tag = Tag::of_info(self.header, key);
            if !matches!(tag.per, Per::Alternate | Per::Allele | Per::Genotype) {
                line.extend_from_slice(value);
                continue;
            }
            let values: Vec<Option<&[u8]>> = self.records.iter().map(|record| record.info(key)).collect();
            let wrong = values.iter().enumerate().find(|(i, value)| {
                let alleles = self.records[*i].allele_count();
                tag.is_number && value.is_some_and(|value| count(value) != expected(tag.per, alleles, 2))
            });
            if let Some((i, value)) = wrong {
                if self.is_forced {
                    line.truncate(begin);
                    continue;
                }
                return Err(self.wrong(i, "INFO", key, value.unwrap_or_default()));
            }
            let whole = self.whole(tag, 2, values.iter().copied());
            push_list(line, whole);
        }
        if line.len() == from {
            line.push(b'.');
        }
        Ok(())
    }

    fn wrong(&self, number: usize, column: &str, key: &[u8], value: &[u8]) -> RecordProblem {
        let (key, found) = (String::from_utf8_lossy(key), count(value));
        let record = &self.records[number];
        let alleles = record.allele_count();
        RecordProblem::at(
            record,
            format!("{column}/{key} has {found} values, which is wrong for {alleles} alleles"),
        )
    }

    /// The values of the joined record: of numbers the last record's that has an allele, of text the first's.
    fn whole<'v>(
        &self,
        tag: Tag,
        ploidy: usize,
        values: impl Iterator<Item = Option<&'v [u8]>>,
    ) -> Vec<&'v [u8]> {
        let alleles = self.joined.alleles.len();
        if expected(tag.per, alleles, ploidy) > MAX_VALUES {
            return vec![b"."];
        }
        let mut whole: Vec<&[u8]> = vec![b"."; expected(tag.per, alleles, ploidy)];
        for (number, value) in values.enumerate() {
            let Some(value) = value else { continue };
            let mut put = |place: Option<usize>, item: &'v [u8]| {
                if let Some(slot) = place.and_then(|place| whole.get_mut(place))
                    && (tag.is_number || (*slot == b"." && item != b"."))
                {
                    *slot = item;
                }
            };
            let map = &self.joined.maps[number];
            match tag.per {
                Per::Alternate => {
                    for (i, item) in items(value).enumerate() {
                        put(map.get(i + 1).map(|to| to - 1), item);
                    }
                }
                Per::Allele => items(value).enumerate().for_each(|(i, item)| put(map.get(i).copied(), item)),
                _ => {
                    let mut genotype = vec![0; ploidy];
                    for item in items(value) {
                        let mut there: Vec<usize> =
                            genotype.iter().filter_map(|&a| map.get(a).copied()).collect();
                        there.sort_unstable();
                        put(Some(genotype_place(there.into_iter())), item);
                        if !next_genotype(&mut genotype, map.len()) {
                            break;
                        }
                    }
                }
            }
        }
        whole
    }

    fn write_samples(&self, line: &mut Vec<u8>) -> Result<(), RecordProblem> {
        let first = &self.records[0];
        let keys = first.column(Column::Format);
        if keys.is_empty() {
            return Ok(());
        }
        line.push(b'\t');
        line.extend_from_slice(keys);
        let fields: Vec<Field<'_>> = keys.split(|&b| b == b':').map(|key| self.field(key)).collect();
        let mut samples: Vec<_> = self.records.iter().map(Record::sample_texts).collect();
        let list = fields.iter().find(|field| field.tag.per == Per::LocalList);
        let mut texts: Vec<&[u8]> = Vec::new();
        loop {
            texts.clear();
            let Some(text) = samples[0].next() else { return Ok(()) };
            texts.push(text);
            texts.extend(samples[1..].iter_mut().map(|sample| sample.next().unwrap_or_default()));
            let local = list.map(|list| list.values(&texts).map(|v| v.unwrap_or(b".")).collect::<Vec<_>>());
            line.push(b'\t');
            for (i, field) in fields.iter().enumerate() {
                if i > 0 {
                    line.push(b':');
                }
                let values: Vec<Option<&[u8]>> = field.values(&texts).collect();
                if field.key == b"GT" {
                    genotypes::join(&values, &self.joined.maps, line);
                } else {
                    self.write_cell(field, &values, local.as_deref(), line)?;
                }
            }
        }
    }

    fn field<'f>(&self, key: &'f [u8]) -> Field<'f> {
        let tag = Tag::of_format(self.header, key);
        let places: Vec<_> = self.records.iter().map(|record| record.format_index(key)).collect();
        let is_single =
            || places[0].is_none_or(|place| self.records[0].cells(place).all(|cell| count(cell) == 1));
        let is_blank = matches!(tag.per, Per::Alternate | Per::Allele) && (!tag.is_number || is_single());
        Field { tag, key, places, is_blank }
    }

    fn write_cell(
        &self,
        field: &Field<'_>,
        values: &[Option<&[u8]>],
        local: Option<&[&[u8]]>,
        line: &mut Vec<u8>,
    ) -> Result<(), RecordProblem> {
        let (tag, key, own) = (field.tag, field.key, values[0].unwrap_or(b"."));
        if tag.per == Per::Other || (is_local(tag.per) && local.is_none()) {
            line.extend_from_slice(own);
            return Ok(());
        }
        let known = values.iter().enumerate().filter_map(|(i, value)| Some((i, (*value)?)));
        let mut known = known.filter(|(_, value)| *value != b".");
        let Some((number, value)) = known.next() else {
            let length = if field.is_blank { expected(tag.per, self.joined.alleles.len(), 2) } else { 1 };
            push_list(line, std::iter::repeat_n(&b"."[..], length));
            return Ok(());
        };
        if let Some(local) = local.filter(|_| is_local(tag.per)) {
            super::local::join(tag.per, values, local, &self.joined.maps, line);
            return Ok(());
        }
        let alleles = self.records[number].allele_count();
        let ploidy = if tag.per == Per::Genotype { ploidy_of(count(value), alleles) } else { Some(2) };
        let Some(ploidy) = ploidy else { return Err(self.wrong(number, "FORMAT", key, value)) };
        for (i, value) in values.iter().enumerate() {
            let (Some(value), alleles) = (value, self.records[i].allele_count()) else { continue };
            let is_fine = *value == b"." || count(value) <= expected(tag.per, alleles, ploidy);
            if tag.is_number && !is_fine {
                return Err(self.wrong(i, "FORMAT", key, value));
            }
        }
        // A sample of which a record knows nothing takes nothing from it.
        let values =
            values.iter().map(|value| value.filter(|value| *value != b"." || tag.per == Per::Alternate));
        push_list(line, self.whole(tag, ploidy, values));
        Ok(())
    }
}

/// A FORMAT field.
struct Field<'f> {
    tag: Tag,
    key: &'f [u8],
    /// Its place in each record.
    places: Vec<Option<usize>>,
    /// A sample of which nothing is known has a `.` for each allele, as in bcftools.
    is_blank: bool,
}

impl Field<'_> {
    /// The values of a sample in each record.
    fn values<'t>(&self, texts: &[&'t [u8]]) -> impl Iterator<Item = Option<&'t [u8]>> {
        texts.iter().zip(&self.places).map(|(text, place)| place.map(|place| cell(text, place)))
    }
}

fn is_local(per: Per) -> bool {
    matches!(per, Per::LocalAlternate | Per::LocalAllele | Per::LocalGenotype | Per::LocalList)
}

/// A joined list of more values is left out (`.`): what it would take grows with a power of the alleles.
pub const MAX_VALUES: usize = 1 << 20;

/// Values of so many alleles.
pub fn expected(per: Per, alleles: usize, ploidy: usize) -> usize {
    match per {
        Per::Alternate => alleles - 1,
        Per::Allele => alleles,
        _ => genotype_count(alleles, ploidy),
    }
}
