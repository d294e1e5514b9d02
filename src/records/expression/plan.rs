//! From reverse Polish order to steps whose operands are known, typed and scoped.
//!
//! A step's operands stand before it. What can be decided once is decided here: which values are texts, which speak of
//! samples, what a genotype, a filter or a type of variant is compared with, and which side of `&` costs less.

use regex::bytes::Regex;

use super::error::{ExpressionError, Problem};
use super::function::{Function, Summary};
use super::lexer::Operator;
use super::operand::{GenotypeView, InfoKind, InfoTag, Operand, Source};
use super::parser::{Item, ItemKind};
use super::pattern;
use crate::formats::vcf::header::Header;
use crate::records::kinds::Kinds;

/// A step.
#[derive(Debug)]
pub struct Step {
    /// What is done.
    pub kind: StepKind,
    /// Which samples take part; `None` where it speaks of the site.
    pub samples: Option<Vec<bool>>,
    /// It gives texts.
    pub is_text: bool,
    /// What it costs beside others, for the order in which `&` and `|` look at their sides.
    pub cost: u32,
    /// Its first byte in the text.
    at: usize,
}

impl Step {
    /// The INFO tag that it reads, and where that tag's number goes.
    pub fn info_tag(&mut self) -> Option<(&Vec<u8>, &mut usize)> {
        let StepKind::Operand(operand) = &mut self.kind else { return None };
        match &mut operand.source {
            Source::Info(InfoTag { name, place }, _) => Some((name, place)),
            _ => None,
        }
    }

    /// Whether it reads the samples' columns itself.
    pub fn reads_samples(&self) -> bool {
        match &self.kind {
            StepKind::Operand(operand) => matches!(
                operand.source,
                Source::Format(..)
                    | Source::Genotype(_)
                    | Source::MissingGenotypes { .. }
                    | Source::Alleles(..)
            ),
            _ => false,
        }
    }
}

/// What is done.
#[derive(Debug)]
pub enum StepKind {
    /// Values of a record, or a constant.
    Operand(Box<Operand>),
    /// Of two numbers.
    Arithmetic(Operator, usize, usize),
    /// Two numbers.
    Numbers(Operator, usize, usize),
    /// Two texts.
    Texts(Operator, usize, usize),
    /// A text and a regular expression.
    Pattern(Operator, usize, Regex),
    /// A text and the words of a file: the text's step, the file's.
    File(Operator, usize, usize),
    /// FILTER and these filters.
    Filter(Operator, Vec<Vec<u8>>),
    /// ID and a text.
    Id(Operator, Vec<u8>),
    /// ID and a regular expression.
    IdPattern(Regex),
    /// ID and the words of a file.
    IdFile(Operator, usize),
    /// TYPE and a set of types.
    VariantType(Operator, Kinds),
    /// Both, or one of two.
    Logic(Operator, usize, usize),
    /// A function of one or two values.
    Function(Function, Vec<usize>),
}

/// Makes steps of what was parsed.
///
/// # Errors
/// Types or scopes do not go together.
pub fn plan(text: &str, items: Vec<Item>, header: &Header) -> Result<Vec<Step>, ExpressionError> {
    let mut planner = Planner { steps: Vec::new(), stack: Vec::new(), header };
    for Item { kind, at } in items {
        planner.item(kind, at).map_err(|problem| ExpressionError::new(text, at, problem))?;
    }
    if let [_, second, ..] = planner.stack[..] {
        return Err(ExpressionError::new(text, planner.first_byte(second), Problem::Operator));
    }
    planner.refuse_columns(&planner.stack).map_err(|problem| ExpressionError::new(text, 0, problem))?;
    Ok(planner.steps)
}

struct Planner<'p> {
    steps: Vec<Step>,
    /// Steps whose values are not taken yet.
    stack: Vec<usize>,
    header: &'p Header,
}

type Planned = Result<(), Problem>;

fn types(what: impl Into<String>) -> Problem {
    Problem::Types(what.into())
}

impl Planner<'_> {
    fn item(&mut self, kind: ItemKind, at: usize) -> Planned {
        match kind {
            ItemKind::Operand(operand) => {
                let (samples, is_text) = (operand.samples.clone(), operand.is_text);
                let cost = cost(&operand);
                self.push(Step { kind: StepKind::Operand(operand), samples, is_text, cost, at });
                Ok(())
            }
            ItemKind::Function(function, count) => {
                let lacks = Problem::Operand(function.name());
                let from = self.stack.len().checked_sub(count).ok_or(lacks)?;
                let operands = self.stack.split_off(from);
                self.function(function, operands, at)
            }
            ItemKind::Operator(operator) => {
                let lacks = || Problem::Operand(operator.name());
                let b = self.stack.pop().ok_or_else(lacks)?;
                let a = self.stack.pop().ok_or_else(lacks)?;
                use Operator::*;
                match operator {
                    And | AndSite | Or | OrSite => {
                        self.refuse_columns(&[a, b])?;
                        // The side that costs less is looked at first; neither result depends on the order.
                        let (first, second) =
                            if self.steps[b].cost < self.steps[a].cost { (b, a) } else { (a, b) };
                        self.binary(StepKind::Logic(operator, first, second), a, b, at);
                        Ok(())
                    }
                    Add | Subtract | Multiply | Divide | Remainder => {
                        self.refuse_columns(&[a, b])?;
                        self.numbers(&[a, b], operator.name())?;
                        self.binary(StepKind::Arithmetic(operator, a, b), a, b, at);
                        Ok(())
                    }
                    _ => self.comparison(operator, a, b, at),
                }
            }
        }
    }

    fn push(&mut self, step: Step) {
        self.stack.push(self.steps.len());
        self.steps.push(step);
    }

    fn binary(&mut self, kind: StepKind, a: usize, b: usize, at: usize) {
        let cost = self.steps[a].cost + self.steps[b].cost + 1;
        let samples = match (&self.steps[a].samples, &self.steps[b].samples) {
            (Some(a), Some(b)) if matches!(kind, StepKind::Numbers(..)) => {
                Some(a.iter().zip(b).map(|(a, b)| *a && *b).collect())
            }
            (Some(a), Some(b)) => Some(a.iter().zip(b).map(|(a, b)| *a || *b).collect()),
            (a, b) => a.as_ref().or(b.as_ref()).cloned(),
        };
        self.push(Step { kind, samples, is_text: false, cost, at });
    }

    /// Where the text of a step begins.
    fn first_byte(&self, number: usize) -> usize {
        let step = &self.steps[number];
        match &step.kind {
            StepKind::Arithmetic(_, a, b)
            | StepKind::Numbers(_, a, b)
            | StepKind::Texts(_, a, b)
            | StepKind::Logic(_, a, b) => self.first_byte(*a).min(self.first_byte(*b)),
            _ => step.at,
        }
    }

    fn operand(&self, number: usize) -> Option<&Operand> {
        match &self.steps[number].kind {
            StepKind::Operand(operand) => Some(operand),
            _ => None,
        }
    }

    fn text_of(&self, number: usize) -> Option<Vec<u8>> {
        self.operand(number).and_then(Operand::as_text).map(<[u8]>::to_vec)
    }

    /// FILTER, TYPE, GT and files can only be compared.
    fn refuse_columns(&self, operands: &[usize]) -> Planned {
        for operand in operands.iter().filter_map(|&number| self.operand(number)) {
            match operand.source {
                Source::Filter | Source::VariantType | Source::Genotype(_) => {
                    let tag = operand.tag.as_deref().unwrap_or_default();
                    return Err(types(format!("{tag} can only be compared with a quoted text")));
                }
                Source::File(_) => return Err(types("a file can only be compared with a text by = or !=")),
                _ => {}
            }
        }
        Ok(())
    }

    fn numbers(&self, operands: &[usize], name: &str) -> Planned {
        match operands.iter().find(|&&number| self.steps[number].is_text) {
            Some(_) => Err(types(format!("{name} takes numbers, not texts"))),
            None => Ok(()),
        }
    }

    fn comparison(&mut self, operator: Operator, a: usize, b: usize, at: usize) -> Planned {
        if matches!(operator, Operator::Equal | Operator::NotEqual) {
            self.missing(a, b)?;
        }
        let column = |number: usize| self.operand(number).map(|operand| operand.source.clone());
        match (column(a), column(b)) {
            (Some(Source::Filter), _) => return self.filter(operator, a, b, at),
            (_, Some(Source::Filter)) => return self.filter(operator, b, a, at),
            (Some(Source::VariantType), _) => return self.variant_type(operator, b, at),
            (_, Some(Source::VariantType)) => {
                return Err(types("TYPE stands before what it is compared with"));
            }
            (Some(Source::Genotype(_)), _) => self.genotype(operator, a, b)?,
            (_, Some(Source::Genotype(_))) => self.genotype(operator, b, a)?,
            (Some(Source::Id), other) => return self.id(operator, a, b, other, at),
            (other, Some(Source::Id)) => return self.id(operator, b, a, other, at),
            (Some(Source::File(_)), _) => return self.file(operator, b, a, at),
            (_, Some(Source::File(_))) => return self.file(operator, a, b, at),
            _ => {}
        }
        if matches!(operator, Operator::Like | Operator::NotLike) {
            let pattern = self.text_of(b).ok_or_else(|| types("behind ~ and !~ stands a quoted text"))?;
            if !self.steps[a].is_text {
                return Err(types("~ and !~ take texts, not numbers"));
            }
            let pattern = pattern::compile(&pattern)?;
            self.binary(StepKind::Pattern(operator, a, pattern), a, b, at);
            return Ok(());
        }
        match (self.steps[a].is_text, self.steps[b].is_text) {
            (true, true) if operator.is_equality() => {
                if self.steps[a].samples.is_some() && self.steps[b].samples.is_some() {
                    return Err(types("texts of samples cannot be compared with one another"));
                }
                self.binary(StepKind::Texts(operator, a, b), a, b, at);
                Ok(())
            }
            (true, true) => Err(types("texts are compared by =, !=, ~ and !~ only")),
            (false, false) => {
                self.binary(StepKind::Numbers(operator, a, b), a, b, at);
                Ok(())
            }
            _ => Err(types("a text cannot be compared with a number")),
        }
    }

    /// `"."` beside a tag of numbers is the missing value.
    fn missing(&mut self, a: usize, b: usize) -> Planned {
        let (dot, other) = if self.steps[b].is_text { (b, a) } else { (a, b) };
        if self.text_of(dot).as_deref() != Some(b".") {
            return Ok(());
        }
        match self.operand(other) {
            Some(operand) if operand.has_missing && !operand.is_text => {
                let step = &mut self.steps[dot];
                step.is_text = false;
                if let StepKind::Operand(operand) = &mut step.kind {
                    operand.source = Source::Missing;
                }
                Ok(())
            }
            Some(operand) if operand.tag.is_some() => Ok(()),
            _ => Err(types("\".\" can only be compared with a tag or column")),
        }
    }

    fn filter(&mut self, operator: Operator, column: usize, text: usize, at: usize) -> Planned {
        let text = self.text_of(text).filter(|_| operator.is_equality());
        let text = text.ok_or_else(|| types("FILTER is compared with a quoted text by =, !=, ~ or !~"))?;
        let mut names: Vec<Vec<u8>> =
            text.split(|&b| b == b';').filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect();
        let has_missing = names.iter().any(|name| name == b".");
        if has_missing && names.iter().any(|name| name != b".") {
            return Err(types("FILTER cannot be both missing and something"));
        }
        names.retain(|name| name != b".");
        for name in &names {
            let name = String::from_utf8_lossy(name);
            let declares = |id: &str| {
                self.header.lines().iter().any(|line| line.key() == "FILTER" && line.get("ID") == Some(id))
            };
            if name != "PASS" && !declares(&name) {
                return Err(Problem::Filter(name.into_owned()));
            }
        }
        self.site_step(StepKind::Filter(operator, names), column, at);
        Ok(())
    }

    fn variant_type(&mut self, operator: Operator, text: usize, at: usize) -> Planned {
        let text = self.text_of(text).filter(|_| operator.is_equality());
        let text = text.ok_or_else(|| types("TYPE is compared with a quoted text by =, !=, ~ or !~"))?;
        let kinds = Kinds::parse(&text)
            .ok_or_else(|| Problem::VariantType(String::from_utf8_lossy(&text).into_owned()))?;
        self.push(Step {
            kind: StepKind::VariantType(operator, kinds),
            samples: None,
            is_text: false,
            cost: 3,
            at,
        });
        Ok(())
    }

    /// The view that a genotype's text asks for: `GT="het"` in any case.
    fn genotype(&mut self, operator: Operator, column: usize, text: usize) -> Planned {
        let word = self.text_of(text).filter(|_| operator.is_equality());
        let word = word.ok_or_else(|| types("GT is compared with a quoted text by =, !=, ~ or !~"))?;
        let lower = word.to_ascii_lowercase();
        let (view, word) = match lower.as_slice() {
            b"hom" | b"het" | b"hap" => (GenotypeView::Zygosity, lower),
            b"mis" | b"ref" | b"alt" => (GenotypeView::Reference, lower),
            b"rr" | b"r" | b"a" => (GenotypeView::Alleles, lower),
            b"ra" | b"ar" => (GenotypeView::Alleles, b"ra".to_vec()),
            b"aa" if matches!(word.as_slice(), b"aA" | b"Aa") => (GenotypeView::Alleles, b"aA".to_vec()),
            b"aa" => (GenotypeView::Alleles, lower),
            _ => (GenotypeView::Text, word),
        };
        if let StepKind::Operand(operand) = &mut self.steps[column].kind {
            operand.source = Source::Genotype(view);
        }
        if let StepKind::Operand(operand) = &mut self.steps[text].kind {
            operand.source = Source::Text(word);
        }
        Ok(())
    }

    fn id(
        &mut self,
        operator: Operator,
        column: usize,
        other: usize,
        source: Option<Source>,
        at: usize,
    ) -> Planned {
        let is_pattern = matches!(operator, Operator::Like | Operator::NotLike);
        let kind = match source {
            Some(Source::Text(text)) if is_pattern && other > column => {
                StepKind::IdPattern(pattern::compile(&text)?)
            }
            Some(Source::Text(text)) if operator.is_equality() && !is_pattern && !text.is_empty() => {
                StepKind::Id(operator, text)
            }
            Some(Source::File(_)) if operator.is_equality() && !is_pattern => {
                StepKind::IdFile(operator, other)
            }
            _ => {
                return Err(types(
                    "ID is compared with a quoted text or a file by =, != or, with a text, ~, !~",
                ));
            }
        };
        self.site_step(kind, column, at);
        Ok(())
    }

    fn file(&mut self, operator: Operator, text: usize, file: usize, at: usize) -> Planned {
        if !matches!(operator, Operator::Equal | Operator::NotEqual) || !self.steps[text].is_text {
            return Err(types("a file can only be compared with a text by = or !="));
        }
        self.binary(StepKind::File(operator, text, file), text, file, at);
        Ok(())
    }

    fn site_step(&mut self, kind: StepKind, column: usize, at: usize) {
        let cost = self.steps[column].cost + 1;
        self.push(Step { kind, samples: None, is_text: false, cost, at });
    }

    fn function(&mut self, function: Function, operands: Vec<usize>, at: usize) -> Planned {
        self.refuse_columns(&operands)?;
        let first = operands[0];
        let is_of_samples = self.steps[first].samples.is_some();
        let name = function.name();
        match function {
            Function::PassCount | Function::PassFraction if !is_of_samples => {
                return Err(types(format!("{name} takes an expression with FORMAT tags")));
            }
            Function::All(Summary::Count) | Function::EachSample(Summary::Count) => {
                if self.steps[first].is_text && is_of_samples {
                    return Err(types(format!("{name} does not count texts of samples")));
                }
            }
            Function::TextLength | Function::PassCount | Function::PassFraction => {}
            _ => self.numbers(&operands, name)?,
        }
        if let [first, second] = operands[..]
            && self.steps[first].samples.is_some() != self.steps[second].samples.is_some()
        {
            return Err(types(format!("{name} takes two INFO tags or two FORMAT tags")));
        }
        let samples = match function {
            Function::EachSample(_)
            | Function::Abs
            | Function::Phred
            | Function::Binomial
            | Function::Fisher => self.steps[first].samples.clone(),
            _ => None,
        };
        let cost = operands.iter().map(|&number| self.steps[number].cost).sum::<u32>() + 2;
        self.push(Step { kind: StepKind::Function(function, operands), samples, is_text: false, cost, at });
        Ok(())
    }
}

fn cost(operand: &Operand) -> u32 {
    match &operand.source {
        Source::Text(_) | Source::Number(_) | Source::Missing | Source::File(_) => 0,
        Source::Info(_, InfoKind::Flag | InfoKind::OneNumber(_) | InfoKind::OneText) => 4,
        Source::Info(..) => 6,
        Source::Format(..) | Source::Genotype(_) => 100,
        Source::MissingGenotypes { .. } | Source::Alleles(..) => 100,
        _ => 1,
    }
}
