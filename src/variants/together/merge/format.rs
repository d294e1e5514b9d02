//! FORMAT and the samples of a row: every file's cells in turn, lists and genotypes by the row's alleles.

use super::info::Shape;
use super::local::{self, Local};
use super::row::{Part, Row};
use super::rules::Missing;
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::record::Column;
use crate::formats::vcf::value::{list, list_length, real};
use crate::records::genotype::renumber;

/// A field of the row.
struct Field {
    key: Vec<u8>,
    shape: Option<Shape>,
    is_text: bool,
    /// What lists get for alleles that the record does not have.
    missing: Missing,
    /// Its place in each part's FORMAT.
    at: Vec<Option<usize>>,
}

/// A field with more values in a row is left out: BCF has no room for it (bcftools does the same).
const MAX_VALUES: usize = (i32::MAX / 4) as usize;

/// Merges FORMAT and the samples.
pub struct FormatMerger<'h> {
    /// The headers of the files.
    pub headers: &'h [Header],
    /// `-M`.
    pub missing: &'h [(Vec<u8>, Missing)],
    /// Whether a sample without a record is 0/0.
    pub missing_is_reference: bool,
    /// Beyond so many alternate alleles lists are of each sample's own.
    pub local_alleles: Option<usize>,
}

/// How often an allele is there.
#[derive(Debug, Default)]
pub struct Counts {
    /// AN: all of them.
    pub all: u64,
    /// AC: each alternate allele.
    pub alternates: Vec<u64>,
}

impl FormatMerger<'_> {
    /// Writes FORMAT and the samples, a tab before each, and counts the alleles where there are genotypes.
    ///
    /// # Errors
    /// A list has a wrong number of values, or a genotype an allele that is not there.
    pub fn write(&self, row: &Row, out: &mut Vec<u8>) -> Result<Option<Counts>, String> {
        if self.headers.iter().all(|header| header.samples().is_empty()) {
            return Ok(None);
        }
        let alleles = row.alleles.len();
        let limit = self.local_alleles.filter(|&limit| alleles > limit + 1);
        let local = limit.map(|limit| Local::of(row, self.headers, limit)).transpose()?.flatten();
        let fields = self.fields(row, limit.filter(|_| local.is_some()));
        let local = local.filter(|_| fields.iter().any(|field| field.shape.is_some()));
        if let Some(field) = fields.iter().find(|f| local.is_some() && f.shape.is_some() && f.is_text) {
            return Err(format!("FORMAT/{} is text, which has no local alleles", name(&field.key)));
        }
        out.push(b'\t');
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                out.push(b':');
            }
            if local.is_some() && field.shape.is_some() {
                out.push(b'L');
            }
            out.extend_from_slice(&field.key);
        }
        if local.is_some() {
            out.extend_from_slice(b":LAA");
        }
        if fields.is_empty() {
            out.push(b'.');
        }
        let genotypes = fields.first().filter(|field| field.key == b"GT");
        let mut counts = Counts { all: 0, alternates: vec![0; alleles - 1] };
        let mut ploidy = 1;
        if let Some(field) = genotypes {
            for (part, at) in row.parts.iter().zip(&field.at) {
                let Some(at) = at else { continue };
                for cell in part.record.cells(*at) {
                    ploidy = ploidy.max(count(cell, &part.map, &mut counts)?);
                }
            }
        }
        let mut absent = self.absent(&fields, alleles, ploidy);
        if local.is_some() {
            absent.all.extend_from_slice(b":.");
        }
        if let Some(field) = genotypes.filter(|_| self.missing_is_reference) {
            counts.all += (self.samples_without(row, field) * ploidy) as u64;
        }
        let mut parts = row.parts.iter().enumerate().peekable();
        for (file, header) in self.headers.iter().enumerate() {
            match parts.next_if(|(_, part)| part.file == file) {
                Some((number, part)) => {
                    let (fields, absent, local) = (&fields, &absent, local.as_ref());
                    let writer = PartWriter { fields, number, part, alleles, absent, header, local };
                    writer.write(out)?;
                }
                None => {
                    for _ in header.samples() {
                        out.push(b'\t');
                        out.extend_from_slice(&absent.all);
                    }
                }
            }
        }
        Ok(genotypes.map(|_| counts))
    }

    /// The fields of all records: GT first, the others as they come. Lists may be of no more than `limit` alternate alleles.
    fn fields(&self, row: &Row, limit: Option<usize>) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        let mut same_as: Option<usize> = None;
        for (number, part) in row.parts.iter().enumerate() {
            let text = part.record.column(Column::Format);
            // All records of one caller have the same.
            if let Some(before) = same_as
                && row.parts[before].record.column(Column::Format) == text
            {
                fields.iter_mut().for_each(|field| field.at[number] = field.at[before]);
                continue;
            }
            same_as = Some(number);
            for (place, key) in part.record.format_keys().enumerate() {
                let known = fields.iter().position(|field| field.key == key);
                let field = known.unwrap_or_else(|| {
                    let at = if key == b"GT" { 0 } else { fields.len() };
                    fields.insert(at, self.field(key, part.file, row.parts.len()));
                    at
                });
                let definition = self.headers[part.file].format(key);
                let field = &mut fields[field];
                field.at[number] = Some(place);
                field.shape = field.shape.or(definition.and_then(|d| Shape::of(d.number)));
            }
        }
        fields.iter_mut().filter(|field| field.key == b"GT").for_each(|field| field.shape = None);
        let samples: usize = self.headers.iter().map(|header| header.samples().len()).sum();
        let alleles = limit.map_or(row.alleles.len(), |limit| limit + 1);
        fields.retain(|field| {
            let width = field.shape.map_or(1, |shape| shape.width(alleles));
            width > 0 && width.saturating_mul(samples) <= MAX_VALUES
        });
        fields
    }

    fn field(&self, key: &[u8], file: usize, parts: usize) -> Field {
        let kind = self.headers[file].format(key).map_or(Type::String, |definition| definition.kind);
        let missing = self.missing.iter().find(|(tag, _)| tag == key);
        Field {
            key: key.to_vec(),
            shape: None,
            is_text: !matches!(kind, Type::Integer | Type::Float),
            missing: missing.map_or(Missing::Dot, |(_, missing)| missing.clone()),
            at: vec![None; parts],
        }
    }

    /// Samples that have no genotype field.
    fn samples_without(&self, row: &Row, genotypes: &Field) -> usize {
        let all: usize = self.headers.iter().map(|header| header.samples().len()).sum();
        let with = row.parts.iter().zip(&genotypes.at).filter(|(_, at)| at.is_some());
        all - with.map(|(part, _)| self.headers[part.file].samples().len()).sum::<usize>()
    }

    fn absent(&self, fields: &[Field], alleles: usize, ploidy: usize) -> Absent {
        let mut absent = Absent::default();
        for field in fields {
            let mut cell = Vec::new();
            if field.key == b"GT" {
                let allele = if self.missing_is_reference { "0" } else { "." };
                cell.extend_from_slice(vec![allele; ploidy].join("/").as_bytes());
            } else if let Some(shape) = field.shape.filter(|_| field.is_text) {
                cell.extend_from_slice(vec!["."; shape.width(alleles)].join(",").as_bytes());
            } else {
                cell.push(b'.');
            }
            if !absent.cells.is_empty() {
                absent.all.push(b':');
            }
            absent.all.extend_from_slice(&cell);
            absent.cells.push(cell);
        }
        if fields.is_empty() {
            absent.all.push(b'.');
        }
        absent
    }
}

/// What a sample has of which nothing is known.
#[derive(Default)]
struct Absent {
    /// Each field.
    cells: Vec<Vec<u8>>,
    /// All of them with colons between.
    all: Vec<u8>,
}

/// Counts the alleles of a genotype; gives its ploidy.
fn count(cell: &[u8], map: &[usize], counts: &mut Counts) -> Result<usize, String> {
    let mut ploidy = 1;
    let (mut allele, mut has_digits) = (0usize, false);
    for &byte in cell.iter().chain(b"/") {
        match byte {
            b'0'..=b'9' => {
                allele = allele.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
                has_digits = true;
            }
            b'/' | b'|' => {
                ploidy += 1;
                if has_digits {
                    counts.all += 1;
                    let number = *map.get(allele).ok_or_else(|| no_allele(cell))?;
                    if let Some(count) = number.checked_sub(1).and_then(|at| counts.alternates.get_mut(at)) {
                        *count += 1;
                    }
                }
                (allele, has_digits) = (0, false);
            }
            _ => {}
        }
    }
    // A sign in front is a phase, not another allele (VCF 4.4).
    let prefix = usize::from(matches!(cell.first(), Some(b'/' | b'|')));
    Ok((ploidy - 1 - prefix).max(1))
}

fn no_allele(cell: &[u8]) -> String {
    format!("the genotype {} has an allele that the record does not have", String::from_utf8_lossy(cell))
}

/// Writes the samples of a record.
struct PartWriter<'w> {
    fields: &'w [Field],
    /// The record's number among the row's.
    number: usize,
    part: &'w Part,
    alleles: usize,
    absent: &'w Absent,
    header: &'w Header,
    local: Option<&'w Local>,
}

impl PartWriter<'_> {
    fn write(&self, out: &mut Vec<u8>) -> Result<(), String> {
        let map = &self.part.map;
        let differ = map.iter().enumerate().any(|(i, allele)| i != *allele);
        let are_lists_same = !differ && map.len() == self.alleles;
        let place = |field: &Field| field.at[self.number];
        let has_lists = self.fields.iter().any(|field| field.shape.is_some());
        let keys = match self.part.record.column(Column::Format) {
            b"" | b"." => 0,
            text => memchr::memchr_iter(b':', text).count() + 1,
        };
        let is_verbatim = !differ
            && self.local.is_none()
            && (are_lists_same || !has_lists)
            && keys == self.fields.len()
            && self.fields.iter().enumerate().all(|(i, field)| place(field) == Some(i));
        let mut written = 0;
        let mut cells: Vec<&[u8]> = Vec::new();
        for text in self.part.record.sample_texts().take(self.header.samples().len()) {
            let kept = self.local.map(|local| local.alleles(self.number, written));
            written += 1;
            out.push(b'\t');
            if is_verbatim {
                out.extend_from_slice(text);
                let colons = memchr::memchr_iter(b':', text).count();
                (colons + 1..keys).for_each(|_| out.extend_from_slice(b":."));
                continue;
            }
            cells.clear();
            cells.extend(text.split(|&b| b == b':'));
            let genotype = self.fields.first().filter(|field| field.key == b"GT");
            let genotype = genotype.and_then(|field| cells.get(place(field)?)).copied();
            let is_haploid = genotype.is_some_and(|cell| !cell.iter().any(|b| matches!(b, b'/' | b'|')));
            for (i, field) in self.fields.iter().enumerate() {
                if i > 0 {
                    out.push(b':');
                }
                let Some(place) = place(field) else {
                    out.extend_from_slice(&self.absent.cells[i]);
                    continue;
                };
                let cell = cells.get(place).copied().filter(|cell| !cell.is_empty()).unwrap_or(b".");
                match field.shape {
                    Some(shape) if kept.is_some() => {
                        local::write_list(shape, cell, kept.unwrap_or_default(), map.len(), out);
                    }
                    None if field.key == b"GT" && differ => renumber(cell, out, |n| Some(numbered(map, n))),
                    Some(shape) if !are_lists_same => self.write_list(field, shape, cell, is_haploid, out)?,
                    _ => out.extend_from_slice(cell),
                }
            }
            if self.fields.is_empty() {
                out.push(b'.');
            }
            if let Some(kept) = kept {
                out.push(b':');
                local::write_alleles(kept, map, out);
            }
        }
        for _ in written..self.header.samples().len() {
            out.push(b'\t');
            out.extend_from_slice(&self.absent.all);
        }
        Ok(())
    }

    /// A list in the order of the row's alleles.
    fn write_list(
        &self,
        field: &Field,
        shape: Shape,
        cell: &[u8],
        is_haploid: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let map = &self.part.map;
        if cell == b"." && !field.is_text {
            out.push(b'.');
            return Ok(());
        }
        let is_haploid = is_haploid && shape == Shape::Genotypes;
        if field.is_text && shape == Shape::Genotypes {
            return Err(format!("FORMAT/{} is text of Number=G, which cannot be merged", name(&field.key)));
        }
        let of_one = if is_haploid { Shape::Alleles } else { shape };
        let length = list_length(cell);
        if length > shape.width(map.len()).max(of_one.width(map.len())) {
            let alleles = map.len();
            return Err(format!("FORMAT/{} has {length} values for {alleles} alleles", name(&field.key)));
        }
        let rest = self.rest(field, of_one, cell);
        let mut values = vec![rest; of_one.width(self.alleles)];
        let mut places = Vec::new();
        of_one.places(map, &mut places);
        for (value, &place) in list(cell).zip(&places) {
            if let Some(slot) = values.get_mut(place) {
                *slot = value;
            }
        }
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(value);
        }
        Ok(())
    }

    /// What alleles get that the record does not have: the value of `<*>`, or what the rule says.
    fn rest<'c>(&self, field: &'c Field, shape: Shape, cell: &'c [u8]) -> &'c [u8] {
        if field.is_text {
            return b".";
        }
        let alternates = self.part.record.alternates().enumerate();
        let unknown =
            alternates.filter(|(_, allele)| matches!(*allele, b"<*>" | b"<NON_REF>" | b"<X>")).last();
        if let Some((number, _)) = unknown {
            let at = match shape {
                Shape::Alternates => number,
                Shape::Alleles => number + 1,
                Shape::Genotypes => (number + 2) * (number + 3) / 2 - 1,
            };
            return list(cell).nth(at).unwrap_or(b".");
        }
        match &field.missing {
            Missing::Dot => b".",
            Missing::Value(value) => value,
            Missing::Greatest => {
                let mut best: Option<(f32, &[u8])> = None;
                for text in list(cell) {
                    if let Some(value) = real(text).filter(|v| best.is_none_or(|(known, _)| known < *v)) {
                        best = Some((value, text));
                    }
                }
                best.map_or(b".", |(_, text)| text)
            }
        }
    }
}

/// The row's number of an allele; one that the record does not have stays.
fn numbered(map: &[usize], allele: usize) -> usize {
    map.get(allele).copied().unwrap_or(allele)
}

fn name(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_are_counted_and_renumbered() {
        let map = [0, 2, 1, 12];
        for (cell, ploidy, all, alternates, expected) in [
            ("0/1", 2, 2, [0, 1], "0/2"),
            ("2|1", 2, 2, [1, 1], "1|2"),
            ("./.", 2, 0, [0, 0], "./."),
            ("1", 1, 1, [0, 1], "2"),
            (".", 1, 0, [0, 0], "."),
            ("|0/1", 2, 2, [0, 1], "|0/2"),
            ("0/3/0", 3, 3, [0, 0], "0/12/0"),
        ] {
            let mut counts = Counts { all: 0, alternates: vec![0; 2] };
            assert_eq!(count(cell.as_bytes(), &map, &mut counts).unwrap(), ploidy, "{cell}");
            assert_eq!((counts.all, counts.alternates.as_slice()), (all, &alternates[..]), "{cell}");
            let mut out = Vec::new();
            renumber(cell.as_bytes(), &mut out, |n| Some(numbered(&map, n)));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{cell}");
        }
        assert!(count(b"0/9", &map, &mut Counts::default()).is_err());
    }
}
