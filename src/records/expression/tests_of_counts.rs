//! `BINOM` and `FISHER` of tags: which values are the counts.

use super::evaluator::diploid;
use super::function::Function;
use super::operand::{Operand, Source};
use super::plan::{Step, StepKind};
use super::slot::{MISSING, Slot};
use super::subscript::Pick;
use super::summary;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::RecordProblem;

/// Puts the probability of the site, or of each sample, into `out`.
///
/// # Errors
/// A genotype names no allele of the record, or a list has more values than are compared.
pub fn call(
    step: &Step,
    steps: &[Step],
    (function, operands): (Function, &[usize]),
    record: &Record,
    before: &[Slot],
    out: &mut Slot,
) -> Result<(), RecordProblem> {
    let first = &before[operands[0]];
    let second = operands.get(1).map(|&number| &before[number]);
    let Some(samples) = &step.samples else {
        let table = site_table(function, &first.values, second.map(|slot| &slot.values[..]));
        out.set(table.map_or(MISSING, |table| test(function, table)));
        return Ok(());
    };
    out.width = 1;
    let by_genotype = match function {
        Function::Binomial => second.is_none(),
        _ => second.is_some() && chosen_values(steps, operands) != Some(4),
    };
    let is_per_allele = |number: &usize| operand(steps, *number).is_some_and(|operand| operand.is_per_allele);
    let is_of_alleles = operands.iter().all(is_per_allele);
    let genotypes = record.format_index(b"GT").filter(|_| by_genotype);
    let mut cells = genotypes.map(|field| record.cells(field));
    for (sample, takes_part) in samples.iter().enumerate() {
        let cell = cells.as_mut().and_then(Iterator::next);
        let (a, b) = (first.of_sample(sample), second.map_or(&[][..], |slot| slot.of_sample(sample)));
        let at = |values: &[f64], n: usize| values.get(n).copied().unwrap_or(MISSING);
        let table = match function {
            _ if !takes_part => None,
            Function::Fisher if second.is_some() && !is_of_alleles => None,
            _ if by_genotype => match cell.and_then(diploid) {
                Some((i, j)) if i.max(j) >= record.allele_count() => {
                    let what = format!("a genotype names allele {}, which is none", i.max(j));
                    return Err(RecordProblem::at(record, what));
                }
                Some((i, j)) => Some([at(a, i), at(a, j), at(b, i), at(b, j)]),
                None => None,
            },
            Function::Binomial if a.len() > 1 || b.len() > 1 => {
                let what = format!("BINOM takes one value of each tag, here are {} and {}", a.len(), b.len());
                return Err(RecordProblem::at(record, what));
            }
            Function::Binomial => Some([at(a, 0), at(b, 0), MISSING, MISSING]),
            _ if second.is_none() => (a.len() == 4).then(|| [at(a, 0), at(a, 1), at(a, 2), at(a, 3)]),
            _ => Some([at(a, 0), at(a, 1), at(b, 0), at(b, 1)]),
        };
        out.values.push(table.map_or(MISSING, |table| test(function, table)));
    }
    Ok(())
}

fn test(function: Function, table: [f64; 4]) -> f64 {
    match function {
        Function::Binomial => summary::binomial(table[0], table[1]),
        _ => summary::fisher(table),
    }
}

fn site_table(function: Function, a: &[f64], b: Option<&[f64]>) -> Option<[f64; 4]> {
    match (function, a, b) {
        (Function::Binomial, [a, b], None) | (Function::Binomial, [a], Some([b])) => {
            Some([*a, *b, MISSING, MISSING])
        }
        (Function::Fisher, [a, b, c, d], None) => Some([*a, *b, *c, *d]),
        // The columns of the table are the two tags.
        (Function::Fisher, [a, c, ..], Some([b, d, ..])) => Some([*a, *b, *c, *d]),
        _ => None,
    }
}

/// How many values two tags have by their subscripts, where both name them.
fn chosen_values(steps: &[Step], operands: &[usize]) -> Option<usize> {
    let count = |number: &usize| match &operand(steps, *number)?.source {
        Source::Format(_, _, Pick::Many(chosen)) => Some(chosen.count().unwrap_or(0)),
        Source::Format(_, _, _) => Some(0),
        _ => None,
    };
    operands.iter().map(count).sum()
}

fn operand(steps: &[Step], number: usize) -> Option<&Operand> {
    match &steps[number].kind {
        StepKind::Operand(operand) => Some(operand),
        _ => None,
    }
}
