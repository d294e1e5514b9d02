//! The tree of an expression for people: one step a line, with its scope and type.

use std::fmt::Write;

use super::operand::{InfoKind, Operand, Source};
use super::plan::{Step, StepKind};
use super::subscript::Pick;
use crate::formats::vcf::header::Type;

/// The tree, the whole expression first; what is looked at first stands first.
pub fn tree(steps: &[Step]) -> String {
    let mut out = String::new();
    if let Some(root) = steps.len().checked_sub(1) {
        branch(steps, root, 0, &mut out);
    }
    out
}

fn branch(steps: &[Step], number: usize, depth: usize, out: &mut String) {
    let step = &steps[number];
    let scope = match &step.samples {
        None => "site".to_owned(),
        Some(samples) if samples.iter().all(|takes_part| *takes_part) => "samples".to_owned(),
        Some(samples) => {
            let count = samples.iter().filter(|takes_part| **takes_part).count();
            format!("{count} of {} samples", samples.len())
        }
    };
    let what = what(&step.kind);
    // Writing to a text does not fail.
    let _ = writeln!(out, "{:indent$}{what}  [{scope}]", "", indent = 2 * depth);
    let operands: Vec<usize> = match &step.kind {
        StepKind::Arithmetic(_, a, b)
        | StepKind::Numbers(_, a, b)
        | StepKind::Texts(_, a, b)
        | StepKind::File(_, a, b)
        | StepKind::Logic(_, a, b) => vec![*a, *b],
        StepKind::Pattern(_, a, _) => vec![*a],
        StepKind::IdFile(_, file) => vec![*file],
        StepKind::Function(_, operands) => operands.clone(),
        _ => Vec::new(),
    };
    for operand in operands {
        branch(steps, operand, depth + 1, out);
    }
}

fn what(kind: &StepKind) -> String {
    let joined = |names: &[Vec<u8>]| {
        let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
        if names.is_empty() { ".".into() } else { names.join(";") }
    };
    match kind {
        StepKind::Operand(operand) => describe(operand),
        StepKind::Arithmetic(operator, ..)
        | StepKind::Numbers(operator, ..)
        | StepKind::Texts(operator, ..)
        | StepKind::Logic(operator, ..) => operator.name().into(),
        StepKind::File(operator, ..) => format!("{} (any word of the file)", operator.name()),
        StepKind::Pattern(operator, _, pattern) => format!("{} /{}/", operator.name(), pattern.as_str()),
        StepKind::Filter(operator, names) => format!("FILTER {} {}", operator.name(), joined(names)),
        StepKind::Id(operator, text) => format!("ID {} {:?}", operator.name(), String::from_utf8_lossy(text)),
        StepKind::IdPattern(pattern) => format!("ID ~ /{}/", pattern.as_str()),
        StepKind::IdFile(operator, _) => format!("ID {} any word of the file", operator.name()),
        StepKind::VariantType(operator, kinds) => {
            let names: Vec<_> = kinds.names().collect();
            format!("TYPE {} {}", operator.name(), names.join(",").to_lowercase())
        }
        StepKind::Function(function, _) => format!("{}()", function.name()),
    }
}

fn describe(operand: &Operand) -> String {
    let tag = operand.tag.as_deref().unwrap_or_default();
    match &operand.source {
        Source::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Source::Number(value) => format!("{value}"),
        Source::Missing => "missing".into(),
        Source::File(words) => format!("file of {} words", words.len()),
        Source::Info(_, kind) => {
            let (kind, which) = match kind {
                InfoKind::Flag => ("flag", String::new()),
                InfoKind::OneNumber(true) => ("integer", String::new()),
                InfoKind::OneNumber(false) => ("real", String::new()),
                InfoKind::OneText => ("text", String::new()),
                InfoKind::Integers(pick) => ("integers", picked(pick)),
                InfoKind::Reals(pick) => ("reals", picked(pick)),
                InfoKind::Texts(pick) => ("texts", picked(pick)),
            };
            format!("INFO/{tag}{which}, {kind}")
        }
        Source::Format(_, kind, pick) => {
            let kind = match kind {
                Type::Integer => "integers",
                Type::Float => "reals",
                _ => "texts",
            };
            format!("FORMAT/{tag}{}, {kind}", picked(pick))
        }
        Source::Genotype(_) => "FORMAT/GT".into(),
        Source::Alleles(_, uses_info) => {
            let source = if *uses_info { "from INFO/AC and AN, else from GT" } else { "from GT" };
            format!("{tag}, counted {source}")
        }
        _ => tag.to_owned(),
    }
}

fn picked(pick: &Pick) -> String {
    match pick {
        Pick::One(number) => format!(", value {number}"),
        Pick::Genotype => ", values of the genotype's alleles".into(),
        Pick::Many(chosen) if chosen.is_all() => String::new(),
        Pick::Many(chosen) => {
            let numbers: Vec<_> = (0..chosen.flags.len()).filter(|&n| chosen.contains(n)).collect();
            let open = if chosen.is_open { " and larger" } else { "" };
            format!(", values {numbers:?}{open}")
        }
    }
}
