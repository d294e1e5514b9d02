//! Tags of the user's own: `TAG=EXPR`, with the values of a filter expression (bcftools' `+fill-tags`).

use std::cell::RefCell;

use thiserror::Error;

use super::Group;
use crate::formats::vcf::header::{Header, Number, Type};
use crate::formats::vcf::number::{write_float, write_integer};
use crate::formats::vcf::record::Record;
use crate::records::expression::{Expression, ExpressionError, Scratch, is_absent};
use crate::records::pipeline::RecordProblem;

/// Why a tag cannot be made.
#[derive(Debug, Error)]
pub enum CustomError {
    /// It is not of the form `[INFO/|FORMAT/]TAG[:N]=EXPR`.
    #[error("{0:?} is not of the form TAG=EXPR or TAG:NUMBER=EXPR")]
    Form(String),
    /// The header declares it otherwise.
    #[error("the header declares {0} with another Number or Type")]
    Declared(String),
    /// The expression is none.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
}

/// A tag and what it is filled with, for all samples and for each group.
#[derive(Debug)]
pub struct Custom {
    is_info: bool,
    /// So many values; as many as there are without it.
    number: Option<usize>,
    is_integer: bool,
    /// What it is asked for by, for the header.
    text: String,
    /// For each group, and last for all samples.
    groups: Vec<OfGroup>,
}

#[derive(Debug)]
struct OfGroup {
    /// The tag's name, that of the group behind it.
    name: String,
    group: String,
    /// The samples that the expression sees; all without it.
    samples: Option<Vec<usize>>,
    expression: Expression,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Custom {
    /// Whether a word of a list of tags asks for such a one.
    pub fn is_meant(word: &str) -> bool {
        word.contains('=')
    }

    /// Reads `[INFO/|FORMAT/|FMT/]TAG[:N]=EXPR`; `int(...)` or `float(...)` around the expression is the tag's type.
    ///
    /// # Errors
    /// It cannot be read, or does not go with the header.
    pub fn compile(word: &str, groups: &[Group], header: &Header) -> Result<Self, CustomError> {
        let form = || CustomError::Form(word.to_owned());
        let (tag, text) = word.split_once('=').ok_or_else(form)?;
        let (scope, tag) = tag.split_once('/').unwrap_or(("INFO", tag));
        let is_info = scope.eq_ignore_ascii_case("info");
        if !is_info && !["format", "fmt"].iter().any(|name| scope.eq_ignore_ascii_case(name)) {
            return Err(form());
        }
        let (name, number) = match tag.split_once(':') {
            Some((name, number)) => (name, Some(number.parse().map_err(|_| form())?)),
            None => (tag, None),
        };
        if name.is_empty() || text.is_empty() || number.is_some_and(|number| number > LONGEST) {
            return Err(form());
        }
        let within = |function: &str| {
            let begin = text.get(..function.len()).filter(|begin| begin.eq_ignore_ascii_case(function))?;
            text[begin.len()..].strip_suffix(')')
        };
        let integer = within("int(").or_else(|| within("integer("));
        let inner = integer.or_else(|| within("float(")).unwrap_or(text);
        let everybody = std::iter::once((String::new(), None));
        let of_groups = groups.iter().map(|group| (group.name.clone(), Some(group.samples.clone())));
        let mut custom = Self {
            is_info,
            number,
            is_integer: integer.is_some(),
            text: word.to_owned(),
            groups: Vec::new(),
        };
        for (group, samples) in of_groups.chain(everybody) {
            let mut seen = header.clone();
            if let Some(samples) = &samples {
                seen.set_samples(
                    samples.iter().filter_map(|&place| header.samples().get(place).cloned()).collect(),
                );
            }
            let name = if group.is_empty() { name.to_owned() } else { format!("{name}_{group}") };
            custom.check(&name, header)?;
            let expression = Expression::compile(inner, &seen)?;
            custom.groups.push(OfGroup { name, group, samples, expression });
        }
        Ok(custom)
    }

    fn check(&self, name: &str, header: &Header) -> Result<(), CustomError> {
        let (declared, scope) = match self.is_info {
            true => (header.info(name.as_bytes()), "INFO"),
            false => (header.format(name.as_bytes()), "FORMAT"),
        };
        let Some(declared) = declared else { return Ok(()) };
        let number = match self.number {
            Some(number) => declared.number == Number::Count(number as u32),
            None => declared.number == Number::Unknown,
        };
        let kind = if self.is_integer { Type::Integer } else { Type::Float };
        if number && declared.kind == kind {
            Ok(())
        } else {
            Err(CustomError::Declared(format!("{scope}/{name}")))
        }
    }

    /// Declares the tag in a header.
    pub fn declare(&self, header: &mut Header) {
        let column = if self.is_info { "INFO" } else { "FORMAT" };
        let number = self.number.map_or(".".to_owned(), |number| number.to_string());
        let kind = if self.is_integer { "Integer" } else { "Float" };
        let text = self.text.replace('"', "\\\"");
        for OfGroup { name, group, .. } in &self.groups {
            let of = if group.is_empty() { String::new() } else { format!(" in {group}") };
            header.add_missing(&format!(
                "##{column}=<ID={name},Number={number},Type={kind},Description=\"Added by +fill-tags expression {text}{of}\">"
            ));
        }
    }

    /// How many groups there are, all samples among them.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Sets the tag of a group.
    ///
    /// # Errors
    /// The expression cannot be computed, or gives too few values for the samples.
    pub fn fill(&self, group: usize, record: &mut Record) -> Result<(), RecordProblem> {
        let OfGroup { name, samples, expression, .. } = &self.groups[group];
        let mut chosen = None;
        if let Some(samples) = samples {
            let record = chosen.insert(record.clone());
            record.select_samples(samples);
        }
        let seen = chosen.as_ref().unwrap_or(record);
        let (text, ends) = SCRATCH.with_borrow_mut(|scratch| {
            let found = expression.values(seen, scratch)?;
            let (mut text, mut ends) = (Vec::new(), Vec::new());
            if self.is_info {
                self.write(found.values, found.values.len(), &mut text);
                return Ok((text, ends));
            }
            let count = record.sample_texts().count();
            let width = found.width;
            if found.values.len() < width * samples.as_ref().map_or(count, Vec::len) {
                return Err(RecordProblem::at(
                    record,
                    format!("{}: a value for each sample is needed", self.text),
                ));
            }
            for place in 0..count {
                let column = match samples {
                    Some(samples) => samples.iter().position(|sample| *sample == place),
                    None => Some(place),
                };
                let values = column.map_or(&[][..], |column| &found.values[column * width..][..width]);
                self.write(values, width, &mut text);
                ends.push(text.len());
            }
            Ok((text, ends))
        })?;
        match self.is_info {
            // Without values the tag goes.
            true => record.update_info(&[(name.as_bytes(), Some(&text[..]).filter(|text| !text.is_empty()))]),
            false => record.set_format(name.as_bytes(), &text, &ends),
        }
        Ok(())
    }

    /// Writes values, missing ones where there are too few.
    fn write(&self, values: &[f64], width: usize, out: &mut Vec<u8>) {
        for place in 0..self.number.unwrap_or(width) {
            if place > 0 {
                out.push(b',');
            }
            match values.get(place).copied().filter(|value| !is_absent(*value)) {
                None => out.push(b'.'),
                Some(value) if self.is_integer => write_integer(i64::from(value as i32), out),
                Some(value) => write_float(f64::from(value as f32), out),
            }
        }
    }
}

/// More values than this nobody means.
const LONGEST: usize = 1 << 16;
