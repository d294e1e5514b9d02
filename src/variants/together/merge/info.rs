//! INFO of a row: the first record's value of each tag, lists by alleles, and what rules say.

use rustc_hash::FxHashMap;

use super::row::{End, Part, Row};
use super::rules::{InfoRule, Values};
use crate::formats::vcf::header::{Header, Number, Type};
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::value::list;

/// A list that has a value for each allele or genotype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Number=A.
    Alternates,
    /// Number=R.
    Alleles,
    /// Number=G.
    Genotypes,
}

impl Shape {
    /// By the header's number.
    pub fn of(number: Number) -> Option<Self> {
        match number {
            Number::Alternates => Some(Self::Alternates),
            Number::Alleles => Some(Self::Alleles),
            Number::Genotypes => Some(Self::Genotypes),
            _ => None,
        }
    }

    /// How many values there are of so many alleles, REF among them; genotypes of two chromosomes.
    pub fn width(self, alleles: usize) -> usize {
        match self {
            Self::Alternates => alleles.saturating_sub(1),
            Self::Alleles => alleles,
            Self::Genotypes => alleles * (alleles + 1) / 2,
        }
    }

    /// For each value of a record's list its place in the row's.
    pub fn places(self, map: &[usize], out: &mut Vec<usize>) {
        out.clear();
        match self {
            Self::Alternates => out.extend(map.iter().skip(1).map(|allele| allele.saturating_sub(1))),
            Self::Alleles => out.extend_from_slice(map),
            Self::Genotypes => {
                for (i, &a) in map.iter().enumerate() {
                    out.extend(map[..=i].iter().map(|&b| genotype(a, b)));
                }
            }
        }
    }
}

/// The place of a genotype in a list of Number=G.
fn genotype(a: usize, b: usize) -> usize {
    let (low, high) = (a.min(b), a.max(b));
    high * (high + 1) / 2 + low
}

/// Where a tag's values go.
#[derive(Clone, Copy)]
enum Way {
    /// The first record's stay.
    First,
    /// By a rule.
    Rule(usize),
    /// By alleles.
    List(usize),
    /// Counted anew.
    Counted,
}

/// A tag of the row.
struct Entry<'r> {
    key: &'r [u8],
    way: Way,
}

/// A list of the row.
struct List<'r> {
    key: &'r [u8],
    shape: Shape,
    is_text: bool,
    values: Vec<Option<&'r [u8]>>,
}

/// Merges INFO.
pub struct InfoMerger<'h> {
    /// The headers of the files.
    pub headers: &'h [Header],
    /// That of the output; AN and AC are written where it declares them.
    pub header: &'h Header,
    /// Sorted by tag.
    pub rules: &'h [InfoRule],
    /// Whether AC and AN are merged as other tags, not counted.
    pub keeps_counts: bool,
}

impl InfoMerger<'_> {
    /// Writes INFO; `counts` is AN and AC, where there are genotypes.
    ///
    /// # Errors
    /// A list has a wrong number of values.
    pub fn write(&self, row: &Row, counts: Option<(u64, &[u64])>, out: &mut Vec<u8>) -> Result<(), String> {
        let begin = out.len();
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let mut known: FxHashMap<&[u8], usize> = FxHashMap::default();
        let mut lists: Vec<List<'_>> = Vec::new();
        let mut ruled: Vec<Values> = self.rules.iter().map(|_| Values::default()).collect();
        let mut places = Vec::new();
        for part in &row.parts {
            // Records of one caller have their tags in the same order.
            let mut guess = 0;
            for (key, value) in part.record.info_fields() {
                let seen = entries.get(guess).is_some_and(|entry| entry.key == key).then_some(guess);
                let seen = seen.or_else(|| known.get(key).copied());
                let way = match seen {
                    Some(number) => {
                        guess = number + 1;
                        entries[number].way
                    }
                    None => {
                        let way = self.way(part, key, row, &mut lists);
                        known.insert(key, entries.len());
                        entries.push(Entry { key, way });
                        guess = entries.len();
                        way
                    }
                };
                match way {
                    Way::First if seen.is_none() => write_first(key, value, row.end, begin, out),
                    Way::First | Way::Counted => {}
                    Way::Rule(number) => {
                        let rule = &self.rules[number];
                        let shape = self.headers[part.file].info(key).and_then(|d| Shape::of(d.number));
                        let places = shape.map(|shape| {
                            places_of(shape, part, row.alleles.len(), value.unwrap_or_default(), &mut places)
                        });
                        if !ruled[number].add(rule, value.unwrap_or_default(), places) {
                            return Err(wrong(key));
                        }
                    }
                    Way::List(number) => {
                        fill(&mut lists[number], part, value.unwrap_or_default(), &mut places)?
                    }
                }
            }
        }
        for (rule, values) in self.rules.iter().zip(&ruled) {
            let mut text = Vec::new();
            values.write(rule, &mut text);
            if !text.is_empty() {
                write_key(&rule.tag, begin, out);
                out.extend_from_slice(&text);
            }
        }
        for list in lists.iter().filter(|list| !list.values.is_empty()) {
            write_key(list.key, begin, out);
            for (i, value) in list.values.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(value.unwrap_or(b"."));
            }
        }
        if let (End::At(end), false) = (row.end, known.contains_key(&b"END"[..])) {
            write_key(b"END", begin, out);
            write_integer(end, out);
        }
        if let Some((all, alternates)) = counts.filter(|_| !self.keeps_counts) {
            if self.header.info(b"AN").is_some() {
                write_key(b"AN", begin, out);
                write_integer(all as i64, out);
            }
            let alternates = if self.header.info(b"AC").is_some() { alternates } else { &[] };
            for (i, &count) in alternates.iter().enumerate() {
                if i == 0 {
                    write_key(b"AC", begin, out);
                } else {
                    out.push(b',');
                }
                write_integer(count as i64, out);
            }
        }
        if out.len() == begin {
            out.push(b'.');
        }
        Ok(())
    }

    fn way<'r>(&self, part: &Part, key: &'r [u8], row: &Row, lists: &mut Vec<List<'r>>) -> Way {
        if !self.keeps_counts && matches!(key, b"AC" | b"AN") {
            return Way::Counted;
        }
        if let Ok(rule) = self.rules.binary_search_by(|rule| rule.tag.as_slice().cmp(key)) {
            return Way::Rule(rule);
        }
        let definition = self.headers[part.file].info(key);
        let Some((definition, shape)) = definition.and_then(|d| Some((d, Shape::of(d.number)?))) else {
            return Way::First;
        };
        let is_text = !matches!(definition.kind, Type::Integer | Type::Float);
        lists.push(List { key, shape, is_text, values: vec![None; shape.width(row.alleles.len())] });
        Way::List(lists.len() - 1)
    }
}

fn wrong(key: &[u8]) -> String {
    format!("INFO/{} has a wrong number of values", String::from_utf8_lossy(key))
}

fn write_key(key: &[u8], begin: usize, out: &mut Vec<u8>) {
    if out.len() > begin {
        out.push(b';');
    }
    out.extend_from_slice(key);
    out.push(b'=');
}

fn write_first(key: &[u8], value: Option<&[u8]>, end: End, begin: usize, out: &mut Vec<u8>) {
    if key == b"END" && end != End::AsItIs {
        if let End::At(end) = end {
            write_key(key, begin, out);
            write_integer(end, out);
        }
        return;
    }
    if out.len() > begin {
        out.push(b';');
    }
    out.extend_from_slice(key);
    if let Some(value) = value {
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// The places of a record's list, and how long the row's is. Genotypes of one chromosome are as many as alleles.
fn places_of<'p>(
    shape: Shape,
    part: &Part,
    alleles: usize,
    text: &[u8],
    places: &'p mut Vec<usize>,
) -> (&'p [usize], usize) {
    let is_haploid = shape == Shape::Genotypes && part.map.len() > 1 && list(text).count() == part.map.len();
    let shape = if is_haploid { Shape::Alleles } else { shape };
    shape.places(&part.map, places);
    (places, shape.width(alleles))
}

/// Puts a record's values into the row's list: numbers over those before, texts where there is none.
fn fill<'r>(into: &mut List<'r>, part: &Part, text: &'r [u8], places: &mut Vec<usize>) -> Result<(), String> {
    into.shape.places(&part.map, places);
    let mut count = 0;
    for (value, &place) in list(text).zip(places.iter()) {
        count += 1;
        let Some(slot) = into.values.get_mut(place) else { continue };
        if value != b"." && !(into.is_text && slot.is_some()) {
            *slot = Some(value);
        }
    }
    if into.is_text && count < places.len() {
        return Err(wrong(into.key));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_alleles() {
        for (shape, map, expected) in [
            (Shape::Alternates, vec![0, 2], vec![1]),
            (Shape::Alleles, vec![0, 2], vec![0, 2]),
            // 0/0, 0/2, 2/2 of 0/0, 0/1, 1/1, 0/2, 1/2, 2/2.
            (Shape::Genotypes, vec![0, 2], vec![0, 3, 5]),
            (Shape::Genotypes, vec![0, 2, 1], vec![0, 3, 5, 1, 4, 2]),
        ] {
            let mut found = Vec::new();
            shape.places(&map, &mut found);
            assert_eq!(found, expected, "{shape:?} {map:?}");
        }
    }
}
