//! A row of the output: the records it is made of, and its columns up to FILTER.

use std::sync::Arc;

use super::alleles;
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Column, Record};
use crate::formats::vcf::value::real;

/// What a row's INFO/END is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As the records have it.
    AsItIs,
    /// There is none.
    Gone,
    /// This one, 1-based.
    At(i64),
}

/// A record of a row.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its file.
    pub file: usize,
    /// The record.
    pub record: Arc<Record>,
    /// For each of its alleles, REF first, the number among the row's.
    pub map: Arc<Vec<usize>>,
}

/// A row, as records and alleles.
#[derive(Clone, Debug)]
pub struct Row {
    /// POS - 1.
    pub position: i64,
    /// REF first. Some may belong to records of another row.
    pub alleles: Vec<Vec<u8>>,
    /// Its records, in the order of the files, one at least.
    pub parts: Vec<Part>,
    /// What END is.
    pub end: End,
}

impl Row {
    /// Keeps the alleles that its records have, and trims them.
    pub fn settle(&mut self) {
        let mut numbers = vec![None; self.alleles.len()];
        if let Some(first) = numbers.first_mut() {
            *first = Some(0);
        }
        let used = self.parts.iter().flat_map(|part| part.map.iter().skip(1));
        used.for_each(|&allele| numbers[allele] = Some(0));
        for (count, number) in numbers.iter_mut().flatten().enumerate() {
            *number = count;
        }
        let is_changed = numbers.iter().enumerate().any(|(i, number)| *number != Some(i));
        for part in self.parts.iter_mut().filter(|_| is_changed) {
            let map = Arc::make_mut(&mut part.map);
            map.iter_mut().for_each(|allele| *allele = numbers[*allele].unwrap_or(0));
        }
        let mut numbers = numbers.iter();
        self.alleles.retain(|_| numbers.next().is_some_and(Option::is_some));
        alleles::trim(&mut self.alleles);
    }

    /// Writes CHROM to FILTER, with a tab behind each.
    pub fn write_site(&self, pass_wins: bool, out: &mut Vec<u8>) {
        let records = || self.parts.iter().map(|part| &*part.record);
        out.extend_from_slice(self.parts[0].record.chrom());
        out.push(b'\t');
        write_integer(self.position + 1, out);
        out.push(b'\t');
        write_list(records().map(|record| record.column(Column::Id)), b';', out);
        out.push(b'\t');
        out.extend_from_slice(&self.alleles[0]);
        out.push(b'\t');
        write_list(self.alleles[1..].iter().map(Vec::as_slice), b',', out);
        out.push(b'\t');
        out.extend_from_slice(highest_quality(records()));
        out.push(b'\t');
        write_filters(records(), pass_wins, out);
        out.push(b'\t');
    }
}

/// Each text once; `.` is none.
fn write_list<'t>(texts: impl Iterator<Item = &'t [u8]>, separator: u8, out: &mut Vec<u8>) {
    let mut seen: Vec<&[u8]> = Vec::new();
    for text in texts {
        if text == b"." || seen.last() == Some(&text) || seen.contains(&text) {
            continue;
        }
        if !seen.is_empty() {
            out.push(separator);
        }
        out.extend_from_slice(text);
        seen.push(text);
    }
    if seen.is_empty() {
        out.push(b'.');
    }
}

fn highest_quality<'r>(records: impl Iterator<Item = &'r Record>) -> &'r [u8] {
    let mut best: Option<(f32, &[u8])> = None;
    for text in records.map(|record| record.column(Column::Qual)) {
        if best.is_some_and(|(_, known)| known == text) {
            continue;
        }
        if let Some(quality) = real(text).filter(|q| best.is_none_or(|(known, _)| known < *q)) {
            best = Some((quality, text));
        }
    }
    best.map_or(b".", |(_, text)| text)
}

/// All filters, PASS only where it is alone; or PASS alone where one record has passed.
fn write_filters<'r>(records: impl Iterator<Item = &'r Record> + Clone, pass_wins: bool, out: &mut Vec<u8>) {
    let has_passed = |record: &Record| matches!(record.column(Column::Filter), b"PASS" | b".");
    if pass_wins && records.clone().any(has_passed) {
        out.extend_from_slice(b"PASS");
        return;
    }
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut last: &[u8] = b"";
    for record in records {
        let text = record.column(Column::Filter);
        if text == last {
            continue;
        }
        last = text;
        for filter in record.filters() {
            if !seen.contains(&filter) {
                seen.push(filter);
            }
        }
    }
    if seen.len() > 1 {
        seen.retain(|filter| *filter != b"PASS");
    }
    write_list(seen.into_iter(), b';', out);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_joined_as_bcftools_joins_them() {
        // As `bcftools merge -m none` of 1.24 writes them.
        for (lines, pass_wins, expected) in [
            (["a\tA\tC\t5\tPASS", "b\tA\tC\t7.5\tPASS"], false, "a;b\tA\tC\t7.5\tPASS"),
            (["a\tA\tC\t.\tq10", ".\tA\tC\t.\tPASS"], false, "a\tA\tC\t.\tq10"),
            (["a\tA\tC\t10\tq10", "a\tA\tC\t9\ts50;q10"], false, "a\tA\tC\t10\tq10;s50"),
            (["a\tA\tC\t10\tq10", "a\tA\tC\t9\tPASS"], true, "a\tA\tC\t10\tPASS"),
            (["a\tA\tC\t10\t.", "a\tA\tC\t9\t."], false, "a\tA\tC\t10\t."),
        ] {
            let part = |(file, line): (usize, &&str)| Part {
                file,
                record: Arc::new(Record::parse(format!("1\t5\t{line}\t.").as_bytes()).unwrap()),
                map: Arc::new(vec![0, 1]),
            };
            let alleles = vec![b"A".to_vec(), b"C".to_vec()];
            let parts = lines.iter().enumerate().map(part).collect();
            let mut row = Row { position: 4, alleles, parts, end: End::AsItIs };
            row.settle();
            let mut out = Vec::new();
            row.write_site(pass_wins, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("1\t5\t{expected}\t"), "{lines:?}");
        }
    }
}
