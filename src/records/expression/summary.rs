//! Functions of the values of a step.

use super::function::{Function, Summary};
use super::slot::{MISSING, Slot, is_absent};
use super::statistics;

/// One figure of some values, which are put in order on the way; `None` where all are missing.
pub fn summary(summary: Summary, values: &mut Vec<f64>) -> Option<f64> {
    values.retain(|value| !is_absent(*value));
    let count = values.len();
    if count == 0 {
        return (summary == Summary::Count).then_some(0.0);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count as f64;
    Some(match summary {
        Summary::Maximum => values.iter().fold(f64::NEG_INFINITY, |most, value| most.max(*value)),
        Summary::Minimum => values.iter().fold(f64::INFINITY, |least, value| least.min(*value)),
        Summary::Mean => mean(values),
        Summary::Median => {
            values.sort_by(f64::total_cmp);
            if count % 2 == 1 { values[count / 2] } else { (values[count / 2 - 1] + values[count / 2]) * 0.5 }
        }
        Summary::Deviation => {
            let mean = mean(values);
            (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count as f64).sqrt()
        }
        Summary::Sum => values.iter().sum(),
        Summary::Count => count as f64,
    })
}

/// All values of the samples that take part, or of the site.
pub fn gather(from: &Slot, samples: Option<&[bool]>, into: &mut Vec<f64>) {
    into.clear();
    match samples {
        None => into.extend_from_slice(&from.values),
        Some(samples) => {
            for (sample, _) in samples.iter().enumerate().filter(|(_, takes_part)| **takes_part) {
                into.extend_from_slice(from.of_sample(sample));
            }
        }
    }
}

/// A figure of each sample.
pub fn each_sample(kind: Summary, from: &Slot, samples: &[bool], out: &mut Slot) {
    let mut values = std::mem::take(&mut out.values);
    let mut of_one = Vec::new();
    values.clear();
    for (sample, takes_part) in samples.iter().enumerate() {
        of_one.clear();
        if *takes_part {
            of_one.extend_from_slice(from.of_sample(sample));
        }
        values.push(summary(kind, &mut of_one).unwrap_or(MISSING));
    }
    (out.values, out.width) = (values, 1);
}

/// `ABS` or `PHRED` of every value.
pub fn map(function: Function, from: &Slot, out: &mut Slot) {
    out.values.clear();
    out.values.extend(from.values.iter().map(|&value| match function {
        _ if is_absent(value) => MISSING,
        Function::Abs => value.abs(),
        _ => -4.342_944_819_03 * value.ln(),
    }));
    out.width = from.width;
}

/// `BINOM` of two values; missing where one of them is, or both are 0.
pub fn binomial(a: f64, b: f64) -> f64 {
    if is_absent(a) || is_absent(b) {
        return MISSING;
    }
    statistics::binomial(a as i64, b as i64).unwrap_or(MISSING)
}

/// `FISHER` of a table; missing where one of its values is.
pub fn fisher(table: [f64; 4]) -> f64 {
    if table.iter().any(|value| is_absent(*value)) {
        return MISSING;
    }
    let [a, b, c, d] = table.map(|value| value as i64);
    statistics::fisher(a, b, c, d)
}
