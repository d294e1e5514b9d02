//! Rules for values of several records: `-i` for INFO, `-M` for what lists lack.

use crate::formats::vcf::header::{Header, Number, Type};
use crate::formats::vcf::number::{write_float, write_integer};
use crate::formats::vcf::value::{integer, list, real};

/// What becomes of several records' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Their sum, missing values as 0.
    Sum,
    /// Their mean, missing values as 0; of integers, cut to one.
    Mean,
    /// The least.
    Least,
    /// The greatest.
    Greatest,
    /// All of them behind one another.
    Join,
}

/// What is done with an INFO tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfoRule {
    /// The tag.
    pub tag: Vec<u8>,
    /// What becomes of its values.
    pub method: Method,
    /// Their type.
    pub kind: Type,
    /// How many there are.
    pub number: Number,
}

/// bcftools' defaults where INFO has the tag.
const DEFAULT: &[&str] = &["DP:sum", "DP4:sum"];
/// More of them for gVCFs.
const OF_BLOCKS: &[&str] = &["QS:sum", "MIN_DP:min", "MinDP:min", "I16:sum", "IDV:max", "IMF:max"];
/// More of them where there are no samples to count.
const OF_SITES: &[&str] = &["AN:sum", "AC:sum"];

/// Reads `TAG:METHOD,...`, or `-` for none; without, takes the defaults for the tags that the header has. The rules come
/// sorted by tag. A list that is joined has any number of values, so its line in the header is made anew at the end.
///
/// # Errors
/// A rule is no rule, or its tag is not declared or of a type that has no such rule.
pub fn info_rules(
    text: Option<&str>,
    with_blocks: bool,
    header: &mut Header,
) -> Result<Vec<InfoRule>, String> {
    let mut words: Vec<&str> = Vec::new();
    match text {
        Some("-") => {}
        Some(text) => words.extend(text.split(',')),
        None => {
            words.extend(DEFAULT);
            words.extend(OF_BLOCKS.iter().filter(|_| with_blocks));
            words.extend(OF_SITES.iter().filter(|_| header.samples().is_empty()));
            words.retain(|word| header.info(word.split(':').next().unwrap_or_default().as_bytes()).is_some());
        }
    }
    let mut rules = Vec::new();
    for word in words {
        rules.push(info_rule(word, header)?);
    }
    rules.sort_by(|a, b| a.tag.cmp(&b.tag));
    Ok(rules)
}

fn info_rule(word: &str, header: &mut Header) -> Result<InfoRule, String> {
    let (tag, method) =
        word.split_once(':').ok_or_else(|| format!("--info-rules: {word:?} is not TAG:METHOD"))?;
    let method = match method.to_ascii_lowercase().as_str() {
        "sum" => Method::Sum,
        "avg" => Method::Mean,
        "min" => Method::Least,
        "max" => Method::Greatest,
        "join" => Method::Join,
        _ => return Err(format!("--info-rules: {method:?} is none of sum, avg, min, max, join")),
    };
    let definition = header.info(tag.as_bytes());
    let definition = definition.ok_or_else(|| format!("--info-rules: no header declares INFO/{tag}"))?;
    let is_number = matches!(definition.kind, Type::Integer | Type::Float);
    if definition.kind == Type::Flag || !is_number && method != Method::Join {
        return Err(format!("--info-rules: INFO/{tag} is of a type that has no {word}"));
    }
    let is_listed = matches!(definition.number, Number::Alternates | Number::Alleles | Number::Genotypes);
    if !is_listed && !matches!(definition.number, Number::Count(_)) && method != Method::Join {
        return Err(format!("--info-rules: INFO/{tag} has any number of values, only join goes with that"));
    }
    if is_listed && method == Method::Join {
        let line = header.lines().iter().find(|line| line.key() == "INFO" && line.get("ID") == Some(tag));
        let text = line.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
        let number = line.and_then(|line| line.get("Number")).unwrap_or_default().to_owned();
        if let Some(text) = text {
            header.retain(|line| line.key() != "INFO" || line.get("ID") != Some(tag));
            header.add(&text.replacen(&format!("Number={number}"), "Number=.", 1));
        }
    }
    Ok(InfoRule { tag: tag.as_bytes().to_vec(), method, kind: definition.kind, number: definition.number })
}

/// The values of a tag of several records.
#[derive(Debug, Default)]
pub struct Values {
    numbers: Vec<Option<f64>>,
    text: Vec<u8>,
    records: usize,
    /// How many each record has.
    width: usize,
}

impl Values {
    /// Adds a record's values. `places` are those of a list that has one for each allele or genotype, among `width`.
    /// `false` where their number is wrong.
    pub fn add(&mut self, rule: &InfoRule, text: &[u8], places: Option<(&[usize], usize)>) -> bool {
        self.records += 1;
        if !matches!(rule.kind, Type::Integer | Type::Float) {
            if !self.text.is_empty() {
                self.text.push(b',');
            }
            self.text.extend_from_slice(text);
            return true;
        }
        let is_real = rule.kind == Type::Float;
        let number = |text| if is_real { real(text).map(f64::from) } else { integer(text).map(f64::from) };
        match places {
            Some((places, width)) => {
                let begin = self.numbers.len();
                self.numbers.resize(begin + width, None);
                self.width = width;
                let mut count = 0;
                for (text, &place) in list(text).zip(places) {
                    if let Some(slot) = self.numbers.get_mut(begin + place) {
                        *slot = number(text);
                    }
                    count += 1;
                }
                count == places.len() && list(text).count() == count
            }
            None => {
                let begin = self.numbers.len();
                self.numbers.extend(list(text).map(number));
                let width = self.numbers.len() - begin;
                let fits = self.records == 1 || width == self.width;
                self.width = width;
                fits
            }
        }
    }

    /// Writes what becomes of them; nothing where there is nothing.
    pub fn write(&self, rule: &InfoRule, out: &mut Vec<u8>) {
        if !matches!(rule.kind, Type::Integer | Type::Float) {
            out.extend_from_slice(&self.text);
            return;
        }
        let is_real = rule.kind == Type::Float;
        let results: Vec<Option<f64>> = match rule.method {
            Method::Join => self.numbers.iter().copied().filter(Option::is_some).collect(),
            _ => (0..self.width).map(|place| self.result(rule.method, place, is_real)).collect(),
        };
        for (i, value) in results.into_iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            match value {
                None => out.push(b'.'),
                Some(value) if is_real => write_float(f64::from(value as f32), out),
                Some(value) => write_integer(value as i64, out),
            }
        }
    }

    fn result(&self, method: Method, place: usize, is_real: bool) -> Option<f64> {
        let values = || self.numbers.iter().skip(place).step_by(self.width.max(1)).copied();
        let present = || values().flatten();
        match method {
            // Sums of 32-bit reals are rounded at each step, as bcftools rounds them.
            Method::Sum if is_real => Some(present().fold(0.0, |sum, v| f64::from((sum + v) as f32))),
            Method::Sum => Some(present().sum()),
            Method::Mean => {
                let mean = present().sum::<f64>() / self.records as f64;
                Some(if is_real { mean } else { mean.trunc() })
            }
            Method::Least => present().reduce(f64::min),
            Method::Greatest => present().reduce(f64::max),
            Method::Join => None,
        }
    }
}

/// What an allele or genotype that a record does not have gets in a list of the FORMAT field.
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// `.`.
    Dot,
    /// This value.
    Value(Vec<u8>),
    /// The greatest value of the list.
    Greatest,
}

/// Reads `-M`: `TAG:.`, `TAG:0`, `TAG:max`, or `-` for PL:.,AD:.; for gVCFs PL:max,AD:0 is the default.
///
/// # Errors
/// A rule is no rule, or its tag is not declared.
pub fn missing_rules(
    text: Option<&str>,
    with_blocks: bool,
    header: &Header,
) -> Result<Vec<(Vec<u8>, Missing)>, String> {
    let words = match text {
        Some("-") => "PL:.,AD:.",
        Some(text) => text,
        None if with_blocks => "PL:max,AD:0",
        None => return Ok(Vec::new()),
    };
    let mut rules = Vec::new();
    for word in words.split(',') {
        let wrong = || format!("--missing-rules: {word:?} is not TAG:METHOD");
        let (tag, method) = word.split_once(':').ok_or_else(wrong)?;
        let Some(definition) = header.format(tag.as_bytes()) else {
            if text.is_some() {
                return Err(format!("--missing-rules: no header declares FORMAT/{tag}"));
            }
            continue;
        };
        let rule = match method.to_ascii_lowercase().as_str() {
            "." => Missing::Dot,
            "max" => Missing::Greatest,
            value => {
                let value: f32 = value.parse().map_err(|_| wrong())?;
                let mut text = Vec::new();
                match definition.kind {
                    Type::Float => write_float(f64::from(value), &mut text),
                    _ => write_integer(value as i64, &mut text),
                }
                Missing::Value(text)
            }
        };
        rules.push((tag.as_bytes().to_vec(), rule));
    }
    Ok(rules)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_the_rule_says() {
        // By hand; mean of integers and missing values as bcftools 1.24 has them.
        for (word, values, expected) in [
            ("I:sum", vec!["1,2", "3,.", "5,6"], "9,8"),
            ("I:avg", vec!["1,2", "4,.", "5,6"], "3,2"),
            ("I:min", vec!["1,.", "0,."], "0,."),
            ("I:max", vec!["1,7", "0,."], "1,7"),
            ("I:join", vec!["1,7", "0,."], "1,7,0"),
            ("F:sum", vec!["0.5", "0.25"], "0.75"),
            ("F:avg", vec!["0.5", "0.25"], "0.375"),
            ("S:join", vec!["a", "b,c"], "a,b,c"),
        ] {
            let mut header = Header::parse(
                b"##fileformat=VCFv4.2\n##INFO=<ID=I,Number=2,Type=Integer,Description=\"\">\n\
                  ##INFO=<ID=F,Number=1,Type=Float,Description=\"\">\n\
                  ##INFO=<ID=S,Number=.,Type=String,Description=\"\">\n\
                  #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
            )
            .unwrap();
            let rules = info_rules(Some(word), false, &mut header).unwrap();
            let mut found = Values::default();
            for value in &values {
                assert!(found.add(&rules[0], value.as_bytes(), None), "{word}");
            }
            let mut out = Vec::new();
            found.write(&rules[0], &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{word} {values:?}");
        }
    }
}
