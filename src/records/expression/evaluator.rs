//! Runs the steps of an expression on a record, only those whose results matter, and from the last one down.

use super::Expression;
use super::compare::{self, Side};
use super::fields;
use super::function::{Function, Summary};
use super::infos::Infos;
use super::lexer::Operator;
use super::operand::{Operand, Source};
use super::plan::{Step, StepKind};
use super::slot::{MISSING, Slot, is_absent};
use super::subscript::Pick;
use super::summary;
use crate::formats::vcf::record::{Column, Record};
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;

/// What steps work on.
pub struct State<'s> {
    /// The result of each step.
    pub slots: &'s mut [Slot],
    /// The record's INFO.
    pub infos: &'s mut Infos,
}

impl State<'_> {
    fn again(&mut self) -> State<'_> {
        State { slots: self.slots, infos: self.infos }
    }
}

/// Runs a step, after those that it needs. Where `wants_samples` is false only the site's result matters.
pub fn run(
    expression: &Expression,
    record: &Record,
    mut state: State<'_>,
    number: usize,
    wants_samples: bool,
) -> Result<(), RecordProblem> {
    let steps = &expression.steps;
    let step = &steps[number];
    let State { slots, infos } = state.again();
    // A value passes nothing and a verdict has no values, whatever another expression has left here.
    let slot = &mut slots[number];
    slot.site = false;
    slot.pass.clear();
    slot.values.clear();
    match &step.kind {
        StepKind::Operand(operand) => {
            fields::load(operand, record, expression, infos, &mut slots[number])?;
        }
        StepKind::Logic(operator, first, second) => {
            logic(expression, record, state, number, (*operator, *first, *second), wants_samples)?;
        }
        StepKind::Filter(operator, names) => {
            slots[number].site = compare::filters(*operator, filters(record), names);
        }
        StepKind::Id(operator, text) => {
            slots[number].site = ids(record).any(|id| id == text) == (*operator == Operator::Equal);
        }
        // bcftools' `!~` is `~` for ID (tested on 1.24); so it is here.
        StepKind::IdPattern(pattern) => slots[number].site = ids(record).any(|id| pattern.is_match(id)),
        StepKind::IdFile(operator, file) => {
            let found = words(steps, *file).is_some_and(|words| ids(record).any(|id| words.contains(id)));
            slots[number].site = found == (*operator == Operator::Equal);
        }
        StepKind::VariantType(operator, kinds) => {
            let found = Kinds::of(record);
            let shares = found.meets(*kinds) || (found == Kinds::REFERENCE && *kinds == Kinds::REFERENCE);
            slots[number].site = match operator {
                Operator::Equal => found == *kinds,
                Operator::NotEqual => found != *kinds,
                Operator::Like => shares,
                _ => !shares,
            };
        }
        StepKind::Numbers(operator, a, b)
            if let Some((a, b)) = single(expression, record, infos, *a)
                .and_then(|a| Some((a, single(expression, record, infos, *b)?))) =>
        {
            slots[number].site = compare::site_numbers(*operator, a.as_slice(), b.as_slice());
        }
        StepKind::Numbers(operator, a, b) => {
            run(expression, record, State { slots, infos }, *a, false)?;
            run(expression, record, State { slots, infos }, *b, false)?;
            numbers(step, steps, (*operator, *a, *b), slots, number)
                .map_err(|(a, b)| lengths(record, a, b))?;
        }
        StepKind::Texts(_, a, b) | StepKind::File(_, a, b) => {
            run(expression, record, State { slots, infos }, *a, false)?;
            run(expression, record, State { slots, infos }, *b, false)?;
            texts(step, steps, record, slots, number);
        }
        StepKind::Pattern(_, a, _) => {
            run(expression, record, State { slots, infos }, *a, false)?;
            texts(step, steps, record, slots, number);
        }
        StepKind::Arithmetic(operator, a, b) => {
            run(expression, record, State { slots, infos }, *a, false)?;
            run(expression, record, State { slots, infos }, *b, false)?;
            arithmetic(steps, (*operator, *a, *b), slots, number).map_err(|(a, b)| lengths(record, a, b))?;
        }
        StepKind::Function(function, operands) => {
            for operand in operands {
                run(expression, record, State { slots, infos }, *operand, true)?;
            }
            call(step, steps, (*function, operands), record, slots, number)?;
        }
    }
    Ok(())
}

/// See [`fields::single`].
fn single(expression: &Expression, record: &Record, infos: &mut Infos, number: usize) -> Option<Option<f64>> {
    fields::single(operand(&expression.steps, number)?, record, expression, infos)
}

fn lengths(record: &Record, a: usize, b: usize) -> RecordProblem {
    RecordProblem::at(record, format!("the expression compares or combines lists of {a} and {b} values"))
}

fn ids(record: &Record) -> impl Iterator<Item = &[u8]> {
    record.column(Column::Id).split(|&b| b == b';')
}

fn filters(record: &Record) -> impl Iterator<Item = &[u8]> + Clone {
    let column = record.column(Column::Filter);
    let column = if column == b"." { None } else { Some(column) };
    column.into_iter().flat_map(|column| column.split(|&b| b == b';'))
}

fn operand(steps: &[Step], number: usize) -> Option<&Operand> {
    match &steps[number].kind {
        StepKind::Operand(operand) => Some(operand),
        _ => None,
    }
}

fn words(steps: &[Step], number: usize) -> Option<&rustc_hash::FxHashSet<Vec<u8>>> {
    match operand(steps, number).map(|operand| &operand.source) {
        Some(Source::File(words)) => Some(words),
        _ => None,
    }
}

/// `&`, `&&`, `|` and `||`. The second side is not looked at where the first decides.
fn logic(
    expression: &Expression,
    record: &Record,
    mut state: State<'_>,
    number: usize,
    (operator, first, second): (Operator, usize, usize),
    wants_samples: bool,
) -> Result<(), RecordProblem> {
    let steps = &expression.steps;
    let of_samples = steps[number].samples.as_deref();
    // `&` needs the samples to tell whether one of them passes both sides.
    let both_have_samples = steps[first].samples.is_some() && steps[second].samples.is_some();
    let needs = wants_samples || (operator == Operator::And && both_have_samples);
    let is_and = matches!(operator, Operator::And | Operator::AndSite);
    run(expression, record, state.again(), first, needs)?;
    let slots = &mut *state.slots;
    let passes = slots[first].site;
    slots[number].site = passes;
    if let Some(samples) = of_samples {
        slots[number].pass.clear();
        slots[number].pass.resize(samples.len(), false);
    }
    if passes != is_and && (is_and || of_samples.is_none() || !wants_samples) {
        return Ok(());
    }
    run(expression, record, state.again(), second, needs)?;
    let slots = &mut *state.slots;
    let (before, from_here) = slots.split_at_mut(number);
    let (a, b, out) = (&before[first], &before[second], &mut from_here[0]);
    out.site = if is_and { a.site && b.site } else { a.site || b.site };
    let Some(samples) = of_samples.filter(|_| out.site && needs) else { return Ok(()) };
    let (a_samples, b_samples) = (steps[first].samples.is_some(), steps[second].samples.is_some());
    for (sample, _) in samples.iter().enumerate().filter(|(_, takes_part)| **takes_part) {
        let of = |slot: &Slot| slot.pass.get(sample).copied().unwrap_or(false);
        out.pass[sample] = match (a_samples, b_samples, operator) {
            // All samples, unless the site's own side failed.
            (true, false, Operator::OrSite) => b.site || of(a),
            (false, true, Operator::OrSite) => a.site || of(b),
            (_, _, Operator::OrSite) => true,
            (true, false, _) => of(a),
            (false, true, _) => of(b),
            (_, _, Operator::And) => of(a) && of(b),
            _ => of(a) || of(b),
        };
    }
    if operator == Operator::And && both_have_samples {
        out.site = out.pass.contains(&true);
    }
    Ok(())
}

fn numbers(
    step: &Step,
    steps: &[Step],
    (operator, a, b): (Operator, usize, usize),
    slots: &mut [Slot],
    number: usize,
) -> Result<(), (usize, usize)> {
    let (before, from_here) = slots.split_at_mut(number);
    let out = &mut from_here[0];
    let Some(samples) = &step.samples else {
        out.site = compare::site_numbers(operator, &before[a].values, &before[b].values);
        return Ok(());
    };
    let side = |number: usize| Side {
        slot: &before[number],
        is_of_samples: steps[number].samples.is_some(),
        stops_at_end: operand(steps, number)
            .is_some_and(|operand| matches!(operand.source, Source::Format(_, _, Pick::Genotype))),
    };
    out.clear();
    compare::sample_numbers(operator, side(a), side(b), samples, out)
}

/// Texts against texts, a regular expression or a file.
fn texts(step: &Step, steps: &[Step], record: &Record, slots: &mut [Slot], number: usize) {
    let (before, from_here) = slots.split_at_mut(number);
    let out = &mut from_here[0];
    out.clear();
    let of_site = |number: usize| {
        operand(steps, number).map_or(&b""[..], |operand| fields::site_text(operand, record, &before[number]))
    };
    let test = |text: &[u8], other: usize| match &step.kind {
        StepKind::Pattern(operator, _, pattern) => compare::pattern(*operator, text, pattern),
        StepKind::File(operator, _, file) => {
            let found = words(steps, *file)
                .is_some_and(|words| text.split(|&b| b == b',').any(|part| words.contains(part)));
            found == (*operator == Operator::Equal)
        }
        StepKind::Texts(operator, ..) => compare::texts(*operator, text, of_site(other)),
        _ => false,
    };
    let (a, b) = match &step.kind {
        StepKind::Texts(_, a, b) | StepKind::File(_, a, b) => (*a, *b),
        StepKind::Pattern(_, a, _) => (*a, *a),
        _ => return,
    };
    let (of_samples, other) = if steps[a].samples.is_some() { (a, b) } else { (b, a) };
    match &step.samples {
        None => out.site = test(of_site(a), b),
        Some(samples) => {
            out.pass.resize(samples.len(), false);
            for (sample, _) in samples.iter().enumerate().filter(|(_, takes_part)| **takes_part) {
                out.pass[sample] = test(before[of_samples].text_of(sample), other);
                out.site |= out.pass[sample];
            }
        }
    }
}

/// `+ - * / %`, value by value; what is missing on one side is missing in the result.
fn arithmetic(
    steps: &[Step],
    (operator, a, b): (Operator, usize, usize),
    slots: &mut [Slot],
    number: usize,
) -> Result<(), (usize, usize)> {
    let (before, from_here) = slots.split_at_mut(number);
    let (x, y, out) = (&before[a], &before[b], &mut from_here[0]);
    out.clear();
    if x.values.is_empty() || y.values.is_empty() {
        return Ok(());
    }
    let compute = |x: f64, y: f64| match operator {
        _ if is_absent(x) || is_absent(y) => MISSING,
        Operator::Add => x + y,
        Operator::Subtract => x - y,
        Operator::Multiply => x * y,
        Operator::Divide => x / y,
        // Of the integer parts; without a result where the divisor is 0.
        _ => (x as i32).checked_rem(y as i32).map_or(if y as i32 == 0 { MISSING } else { 0.0 }, f64::from),
    };
    let mut combine = |x: &[f64], y: &[f64]| {
        if x.len() != y.len() && x.len() != 1 && y.len() != 1 {
            return Err((x.len(), y.len()));
        }
        let at = |values: &[f64], n: usize| values[if values.len() > 1 { n } else { 0 }];
        out.values.extend((0..x.len().max(y.len())).map(|n| compute(at(x, n), at(y, n))));
        Ok(())
    };
    let samples = steps[a].samples.as_ref().or(steps[b].samples.as_ref()).map(Vec::len);
    let (x_samples, y_samples) = (steps[a].samples.is_some(), steps[b].samples.is_some());
    match samples {
        None => combine(&x.values, &y.values)?,
        Some(samples) => {
            let site = |has_samples: bool, slot: &Slot| !has_samples && slot.values.len() != 1;
            if site(x_samples, x) || site(y_samples, y) {
                return Err((x.values.len(), y.values.len()));
            }
            for sample in 0..samples {
                let of = |slot| Slot::of_sample(slot, sample);
                let x_values = if x_samples { of(x) } else { &x.values };
                let y_values = if y_samples { of(y) } else { &y.values };
                combine(x_values, y_values)?;
            }
            out.width = out.values.len() / samples.max(1);
        }
    }
    if out.values.iter().all(|value| is_absent(*value)) {
        out.values.clear();
    }
    Ok(())
}

fn call(
    step: &Step,
    steps: &[Step],
    (function, operands): (Function, &[usize]),
    record: &Record,
    slots: &mut [Slot],
    number: usize,
) -> Result<(), RecordProblem> {
    let (before, from_here) = slots.split_at_mut(number);
    let out = &mut from_here[0];
    out.clear();
    let first = operands[0];
    let (from, samples) = (&before[first], steps[first].samples.as_deref());
    match function {
        Function::All(Summary::Count) => out.values.push(count(steps, first, record, from)),
        Function::EachSample(kind) if samples.is_some() => {
            summary::each_sample(kind, from, samples.unwrap_or_default(), out);
        }
        Function::All(kind) | Function::EachSample(kind) => {
            summary::gather(from, samples, &mut out.values);
            let figure = summary::summary(kind, &mut out.values);
            out.values.clear();
            out.values.extend(figure);
        }
        Function::Abs | Function::Phred => summary::map(function, from, out),
        Function::TextLength => text_lengths(steps, first, record, from, out),
        Function::PassCount | Function::PassFraction => {
            let taking_part = samples.unwrap_or_default().iter().filter(|takes_part| **takes_part).count();
            let passing = from.pass.iter().filter(|passes| **passes).count();
            let is_fraction = function == Function::PassFraction;
            let divisor = if is_fraction { taking_part.max(1) } else { 1 };
            out.values.push(passing as f64 / divisor as f64);
        }
        Function::Binomial | Function::Fisher => {
            super::tests_of_counts::call(step, steps, (function, operands), record, before, out)?;
        }
    }
    Ok(())
}

/// `COUNT`: values of a tag, or samples that pass.
fn count(steps: &[Step], number: usize, record: &Record, from: &Slot) -> f64 {
    let step = &steps[number];
    match (operand(steps, number), &step.samples) {
        (Some(_), Some(samples)) => {
            let mut values = Vec::new();
            summary::gather(from, Some(samples), &mut values);
            values.iter().filter(|value| !is_absent(**value)).count() as f64
        }
        (None, Some(_)) => from.pass.iter().filter(|passes| **passes).count() as f64,
        (Some(operand), None) if step.is_text => match fields::site_text(operand, record, from) {
            b"" => 0.0,
            text => crate::formats::vcf::value::list_length(text) as f64,
        },
        _ => from.values.len() as f64,
    }
}

/// `STRLEN`: of each text of a list, of the first sample's where there are samples, as in bcftools.
fn text_lengths(steps: &[Step], number: usize, record: &Record, from: &Slot, out: &mut Slot) {
    let Some(operand) = operand(steps, number).filter(|operand| operand.is_text) else { return };
    let text = match &operand.samples {
        Some(_) => from.text_of(0),
        None => fields::site_text(operand, record, from),
    };
    if text.is_empty() {
        return;
    }
    use super::operand::InfoKind;
    let is_list = matches!(
        &operand.source,
        Source::Alternates(Pick::Many(_))
            | Source::Info(_, InfoKind::Texts(Pick::Many(_)))
            | Source::Format(_, _, Pick::Many(_))
    );
    if is_list {
        let text = text.strip_suffix(b",").unwrap_or(text);
        out.values.extend(crate::formats::vcf::value::list(text).map(|part| part.len() as f64));
    } else {
        out.values.push(if text == b"." { 0.0 } else { text.len() as f64 });
    }
}

/// The alleles of a diploid genotype; `None` where one is missing or there is one only.
pub fn diploid(cell: &[u8]) -> Option<(usize, usize)> {
    let mut alleles = crate::records::genotype::alleles(cell);
    Some((alleles.next()??, alleles.next()??))
}
