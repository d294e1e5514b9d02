//! Hard and soft filters: what `bcftools filter` does.

mod gaps;

pub use gaps::{GapOptions, Gaps};

use super::regions::{Overlap, Regions};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Column, Record, parse_integer};
use crate::records::condition::{Choice, Condition, Outcome};
use crate::records::genotype;
use crate::records::pipeline::{RecordProblem, Revise};

/// What the genotypes of failed samples are set to (`-S`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedGenotypes {
    /// `.`
    Missing,
    /// `0`
    Reference,
}

/// What is done to records.
#[derive(Debug, Default)]
pub struct FilterOptions {
    /// `-i`, `-e`.
    pub condition: Option<Condition>,
    /// `--mask`: records in a region fail, or with `true` those outside.
    pub mask: Option<(Regions, bool, Overlap)>,
    /// `-s`: the name that failed records get in FILTER; without it they are dropped.
    pub soft_filter: Option<String>,
    /// `-m +`: the name is put beside the others.
    pub adds: bool,
    /// `-m x`: the FILTER of passing records becomes PASS.
    pub resets: bool,
    /// `-S`.
    pub genotypes: Option<FailedGenotypes>,
}

impl FilterOptions {
    /// Finds a name where `-s +` asks for one: the first of `Filter1`, `Filter2`, ... that is not declared.
    pub fn choose_name(&mut self, header: &Header) {
        if self.soft_filter.as_deref() == Some("+") {
            let mut names = (1u32..).map(|number| format!("Filter{number}"));
            self.soft_filter = names.find(|name| !header.has_filter(name.as_bytes()));
        }
    }

    /// The header with the filter declared; `expression` is the condition's text.
    pub fn header(&self, header: &Header, expression: Option<&str>) -> Header {
        let mut header = header.clone();
        if let Some(name) = &self.soft_filter {
            let description = match (&self.condition, expression) {
                (Some(condition), Some(text)) => {
                    let when = if condition.choice() == Choice::Include { "not true" } else { "true" };
                    format!("Set if {when}: {}", text.replace('"', "\\\""))
                }
                _ if self.mask.is_some() => "Record masked by region".to_owned(),
                _ => return header,
            };
            header.add_missing(&format!("##FILTER=<ID={name},Description=\"{description}\">"));
        }
        header
    }
}

/// Filters records by themselves.
pub struct Filter(pub FilterOptions);

impl Revise for Filter {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let options = &self.0;
        let mut outcome = Outcome { site: true, samples: None };
        if let Some(condition) = &options.condition {
            outcome = if options.genotypes.is_some() {
                condition.test(record)?
            } else {
                Outcome { site: condition.passes(record)?, samples: None }
            };
        }
        if let Some((regions, outside, overlap)) = &options.mask {
            outcome.site &= regions.contain(record, *overlap) == *outside;
        }
        if !outcome.site && options.soft_filter.is_none() && options.genotypes.is_none() {
            return Ok(false);
        }
        if outcome.site {
            if options.resets || record.column(Column::Filter) == b"." {
                record.set_column(Column::Filter, b"PASS");
            }
        } else if let Some(name) = &options.soft_filter {
            if options.adds {
                add_filter(record, name.as_bytes());
            } else {
                record.set_column(Column::Filter, name.as_bytes());
            }
        }
        if let Some(genotypes) = options.genotypes {
            self.set_genotypes(record, &outcome, genotypes);
        }
        Ok(true)
    }
}

impl Filter {
    /// Sets the genotypes of samples that fail, or of all where the site does; AC and AN follow where they are there.
    fn set_genotypes(&self, record: &mut Record, outcome: &Outcome, new: FailedGenotypes) {
        let includes =
            self.0.condition.as_ref().is_none_or(|condition| condition.choice() == Choice::Include);
        let fails = |sample: usize| match &outcome.samples {
            Some(samples) => samples.get(sample).copied().unwrap_or(false) != includes,
            None => !outcome.site,
        };
        let Some(field) = record.format_index(b"GT") else { return };
        if !(0..record.sample_texts().count()).any(fails) {
            return;
        }
        let mut total = record.info(b"AN").and_then(parse_integer);
        let counts = record.info(b"AC").map(|text| text.split(|&b| b == b',').map(parse_integer).collect());
        let counts: Option<Vec<i64>> = counts.flatten();
        let mut counts = counts.filter(|counts| counts.len() + 1 == record.allele_count());
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for (sample, cell) in record.cells(field).enumerate() {
            if fails(sample) {
                for (i, allele) in genotype::alleles(cell).enumerate() {
                    match allele {
                        Some(allele) => {
                            let count =
                                counts.as_mut().and_then(|counts| counts.get_mut(allele.checked_sub(1)?));
                            if let Some(count) = count {
                                *count -= 1;
                            }
                            total = total.map(|total| total - i64::from(new == FailedGenotypes::Missing));
                        }
                        None => {
                            total = total.map(|total| total + i64::from(new == FailedGenotypes::Reference))
                        }
                    }
                    if i > 0 {
                        text.push(b'/');
                    }
                    text.push(if new == FailedGenotypes::Missing { b'.' } else { b'0' });
                }
            } else {
                text.extend_from_slice(cell);
            }
            ends.push(text.len());
        }
        record.set_format(b"GT", &text, &ends);
        if let Some(total) = total {
            text.clear();
            write_integer(total, &mut text);
            record.set_info(b"AN", Some(&text));
        }
        if let Some(counts) = counts {
            text.clear();
            for (i, count) in counts.into_iter().enumerate() {
                if i > 0 {
                    text.push(b',');
                }
                write_integer(count, &mut text);
            }
            record.set_info(b"AC", Some(&text));
        }
    }
}

/// Puts a name behind the others of FILTER, in place of `.` or PASS, unless it is there.
pub fn add_filter(record: &mut Record, name: &[u8]) {
    match record.column(Column::Filter) {
        b"." | b"PASS" => record.set_column(Column::Filter, name),
        filters if filters.split(|&b| b == b';').any(|filter| filter == name) => {}
        filters => {
            let text = [filters, b";", name].concat();
            record.set_column(Column::Filter, &text);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_added_once() {
        for (before, after) in [(".", "q"), ("PASS", "q"), ("a", "a;q"), ("q;a", "q;a")] {
            let mut record = Record::parse(format!("1\t1\t.\tA\tC\t.\t{before}\t.").as_bytes()).unwrap();
            add_filter(&mut record, b"q");
            assert_eq!(record.column(Column::Filter), after.as_bytes());
        }
    }
}
