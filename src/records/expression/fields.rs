//! The values of a record that an operand asks for; nothing else of the record is decoded.
//!
//! What bcftools makes of odd values is kept, because it decides what passes: a missing integer of an INFO list is the
//! number -2147483648, one that is picked by a subscript is -128, and an INFO list of one value gives it for any subscript.

use super::Expression;
use super::genotype;
use super::infos::Infos;
use super::operand::{AlleleFigure, GenotypeView, InfoKind, Operand, Source};
use super::slot::{END, MISSING, Slot, is_absent, is_end};
use super::subscript::{Chosen, Pick};
use crate::formats::vcf::header::Type;
use crate::formats::vcf::record::{Column, Record};
use crate::formats::vcf::value;
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;

/// What a missing integer is where a list of INFO is read whole.
const MISSING_IN_LIST: f64 = i32::MIN as f64;
/// What it is where it is the only one and picked by a subscript.
const MISSING_IF_PICKED: f64 = -128.0;

/// Puts what an operand asks for into a slot.
///
/// # Errors
/// The record has not as many samples as the header, or a genotype names no allele of it.
pub fn load(
    operand: &Operand,
    record: &Record,
    expression: &Expression,
    infos: &mut Infos,
    slot: &mut Slot,
) -> Result<(), RecordProblem> {
    let samples = expression.samples;
    match &operand.source {
        Source::Number(value) => slot.set(*value),
        Source::Missing => slot.set(MISSING),
        Source::Quality => {
            let quality = value::real(record.column(Column::Qual));
            slot.set(quality.map_or(MISSING, f64::from));
        }
        Source::Position => slot.set((record.position() + 1) as f64),
        Source::VariantType => slot.set(f64::from(Kinds::of(record).number())),
        Source::AlternateCount => slot.set((record.allele_count() - 1) as f64),
        Source::IndelLengths => indel_lengths(record, slot),
        Source::Alternates(pick) => alternates(record, pick, slot),
        Source::Info(tag, kind) => info(infos.value(record, &expression.infos, tag.place), kind, slot),
        Source::Alleles(figure, uses_info) => {
            slot.clear();
            let total = count_alleles(record, samples, *uses_info, &mut slot.values)?;
            allele_figure(*figure, total, slot);
        }
        Source::MissingGenotypes { is_fraction } => missing_genotypes(record, samples, *is_fraction, slot)?,
        Source::Format(tag, kind, pick) => {
            slot.clear();
            if let Some(field) = record.format_index(tag) {
                match kind {
                    Type::Integer | Type::Float => numbers(record, field, samples, *kind, slot)?,
                    _ => texts(record, field, samples, pick, slot)?,
                }
                if matches!(kind, Type::Integer | Type::Float) {
                    pick_numbers(record, samples, pick, *kind, slot);
                }
            }
        }
        Source::Genotype(view) => genotypes(record, samples, *view, slot)?,
        Source::Text(_)
        | Source::File(_)
        | Source::Contig
        | Source::Id
        | Source::Filter
        | Source::Reference => {}
    }
    Ok(())
}

/// The text of an operand that speaks of the site; empty where it is missing.
pub fn site_text<'t>(operand: &'t Operand, record: &'t Record, slot: &'t Slot) -> &'t [u8] {
    match &operand.source {
        Source::Text(text) => text,
        Source::Contig => record.chrom(),
        Source::Reference => record.reference(),
        Source::Alternates(pick) if pick.is_all() => match record.column(Column::Alt) {
            b"." => b"",
            alt => alt,
        },
        Source::Info(tag, InfoKind::OneText) => record.info(&tag.name).unwrap_or_default(),
        Source::Info(tag, InfoKind::Texts(pick)) if pick.is_all() => {
            record.info(&tag.name).unwrap_or_default()
        }
        _ => &slot.text,
    }
}

fn indel_lengths(record: &Record, slot: &mut Slot) {
    slot.values.clear();
    let reference = record.reference().len() as f64;
    slot.values.extend(record.alternates().map(|alternate| {
        if alternate.first() == Some(&b'<') { MISSING } else { alternate.len() as f64 - reference }
    }));
}

fn alternates(record: &Record, pick: &Pick, slot: &mut Slot) {
    slot.text.clear();
    match pick {
        Pick::One(number) => slot.text.extend_from_slice(record.alternates().nth(*number).unwrap_or(b".")),
        Pick::Many(chosen) if !chosen.is_all() => {
            // bcftools looks at so many alleles only, wherever those that are chosen stand.
            let looked_at = chosen.count().map_or(usize::MAX, |count| count + 1);
            let picked = record.alternates().enumerate().take(looked_at);
            join(picked.filter(|(number, _)| chosen.contains(*number)).map(|(_, text)| text), &mut slot.text);
        }
        _ => {}
    }
}

fn join<'t>(parts: impl Iterator<Item = &'t [u8]>, out: &mut Vec<u8>) {
    for (number, part) in parts.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(part);
    }
}

/// The value of an operand that has one number of the site at the most; `None` where the operand is of another kind.
#[inline]
pub fn single(
    operand: &Operand,
    record: &Record,
    expression: &Expression,
    infos: &mut Infos,
) -> Option<Option<f64>> {
    match &operand.source {
        Source::Number(value) => Some(Some(*value)),
        Source::Info(tag, InfoKind::OneNumber(is_integer)) => {
            let text = infos.value(record, &expression.infos, tag.place);
            Some(text.and_then(|text| one_number(text, *is_integer)))
        }
        _ => None,
    }
}

/// A number of INFO that is declared to be one: 0 where it has no value, or several.
fn one_number(text: &[u8], is_integer: bool) -> Option<f64> {
    if text.is_empty() || text.contains(&b',') {
        return Some(0.0);
    }
    if is_integer { value::integer(text).map(f64::from) } else { value::real(text).map(f64::from) }
}

/// Puts what is asked for of an INFO field into a slot; `text` is its value, if it is there.
fn info(text: Option<&[u8]>, kind: &InfoKind, slot: &mut Slot) {
    slot.values.clear();
    slot.text.clear();
    match (kind, text) {
        (InfoKind::Flag, text) => slot.values.push(f64::from(u8::from(text.is_some()))),
        (_, None) => {}
        (InfoKind::OneNumber(is_integer), Some(text)) => slot.values.extend(one_number(text, *is_integer)),
        (_, Some(b"")) => {}
        (InfoKind::Integers(Pick::One(n)), Some(text)) => pick_one(text, *n, true, slot),
        (InfoKind::Reals(Pick::One(n)), Some(text)) => pick_one(text, *n, false, slot),
        (InfoKind::Integers(pick), Some(text)) => slot
            .values
            .extend(picked(text, pick).map(|text| value::integer(text).map_or(MISSING_IN_LIST, f64::from))),
        (InfoKind::Reals(pick), Some(text)) => {
            slot.values.extend(picked(text, pick).map(|text| value::real(text).map_or(MISSING, f64::from)));
        }
        (InfoKind::Texts(Pick::One(n)), Some(text)) => {
            slot.text.extend_from_slice(value::list(text).nth(*n).unwrap_or_default());
        }
        (InfoKind::Texts(pick), Some(text)) if !pick.is_all() => join(picked(text, pick), &mut slot.text),
        (InfoKind::Texts(_) | InfoKind::OneText, Some(_)) => {}
    }
}

/// One number of a list; a list of one gives it for any subscript.
fn pick_one(text: &[u8], number: usize, is_integer: bool, slot: &mut Slot) {
    let is_single = memchr::memchr(b',', text).is_none();
    let Some(text) = value::list(text).nth(if is_single { 0 } else { number }) else { return };
    let found =
        if is_integer { value::integer(text).map(f64::from) } else { value::real(text).map(f64::from) };
    let missing = match (is_single, is_integer) {
        (true, true) => Some(MISSING_IF_PICKED),
        // Not marked as missing, but no number either: equal to nothing, not even to ".".
        (true, false) => Some(f64::NAN),
        (false, _) => None,
    };
    slot.values.extend(found.or(missing));
}

fn picked<'t>(text: &'t [u8], pick: &Pick) -> impl Iterator<Item = &'t [u8]> {
    let all = Chosen::all();
    let chosen = match pick {
        Pick::Many(chosen) => chosen.clone(),
        _ => all,
    };
    value::list(text).enumerate().filter(move |(number, _)| chosen.contains(*number)).map(|(_, text)| text)
}

fn wrong_samples(record: &Record, found: usize, expected: usize) -> RecordProblem {
    RecordProblem::at(record, format!("{found} samples where the header has {expected}"))
}

/// Reads the numbers of all samples, and fills up those that have fewer than others.
fn numbers(
    record: &Record,
    field: usize,
    samples: usize,
    kind: Type,
    slot: &mut Slot,
) -> Result<(), RecordProblem> {
    let parse = |text: &[u8]| match kind {
        Type::Integer => value::integer(text).map_or(MISSING, f64::from),
        _ => value::real(text).map_or(MISSING, f64::from),
    };
    slot.width = 1;
    let mut count = 0;
    record.cells(field).for_each(|cell| {
        let begin = slot.values.len();
        slot.values.extend(value::list(cell).map(parse));
        let mut length = slot.values.len() - begin;
        if length > slot.width && count > 0 {
            widen(slot, count, length);
        }
        slot.width = slot.width.max(length);
        while length < slot.width {
            slot.values.push(END);
            length += 1;
        }
        count += 1;
    });
    if count == samples { Ok(()) } else { Err(wrong_samples(record, count, samples)) }
}

/// Makes room in the first samples for as many values as one behind them has.
fn widen(slot: &mut Slot, count: usize, width: usize) {
    let old = slot.width;
    let behind = slot.values.split_off(count * old);
    slot.values.resize(count * width, END);
    for sample in (0..count).rev() {
        slot.values.copy_within(sample * old..(sample + 1) * old, sample * width);
        slot.values[sample * width + old..(sample + 1) * width].fill(END);
    }
    slot.values.extend(behind);
}

/// Keeps the numbers of each sample that are picked.
fn pick_numbers(record: &Record, samples: usize, pick: &Pick, kind: Type, slot: &mut Slot) {
    let width = slot.width;
    match pick {
        Pick::One(0) if width == 1 => {}
        Pick::One(number) => {
            for sample in 0..samples {
                let found = if *number < width { slot.values[sample * width + number] } else { MISSING };
                slot.values[sample] = found;
            }
            slot.values.truncate(samples);
            slot.width = 1;
        }
        Pick::Many(chosen) if chosen.is_all() => {}
        Pick::Many(chosen) => {
            let kept = chosen.count().unwrap_or(width).max(1);
            select(slot, samples, kept, |_, number| chosen.contains(number));
        }
        Pick::Genotype => {
            let Some(field) = record.format_index(b"GT") else { return slot.clear() };
            let mut cells = record.cells(field);
            let mut masks = vec![0u64; samples];
            for mask in &mut masks {
                for allele in crate::records::genotype::alleles(cells.next().unwrap_or_default()).flatten() {
                    // Beyond 63 alleles bcftools passes over the whole tag.
                    if allele > 63 {
                        return slot.clear();
                    }
                    *mask |= 1 << allele;
                }
            }
            if kind == Type::Integer {
                // BCF's marks for missing and for the end are taken for numbers here.
                for value in slot.values.iter_mut().filter(|value| is_absent(**value)) {
                    *value = if is_end(*value) { MISSING_IN_LIST + 1.0 } else { MISSING_IN_LIST };
                }
            }
            select(slot, samples, width, |sample, number| number < 64 && masks[sample] >> number & 1 == 1);
        }
    }
}

/// Keeps what is chosen in `kept` places a sample; a sample of which nothing is kept is missing.
fn select(slot: &mut Slot, samples: usize, kept: usize, is_chosen: impl Fn(usize, usize) -> bool) {
    let width = slot.width;
    let old = std::mem::take(&mut slot.values);
    slot.values.reserve(samples * kept);
    for (sample, values) in old.chunks_exact(width.max(1)).take(samples).enumerate() {
        let begin = slot.values.len();
        let chosen = values.iter().enumerate().filter(|(number, _)| is_chosen(sample, *number));
        slot.values.extend(chosen.take(kept).map(|(_, value)| *value));
        if slot.values.len() == begin {
            slot.values.push(MISSING);
        }
        slot.values.resize(begin + kept, END);
    }
    slot.width = kept;
}

fn texts(
    record: &Record,
    field: usize,
    samples: usize,
    pick: &Pick,
    slot: &mut Slot,
) -> Result<(), RecordProblem> {
    let genotype = if *pick == Pick::Genotype { record.format_index(b"GT") } else { None };
    if *pick == Pick::Genotype && genotype.is_none() {
        return Ok(());
    }
    let mut genotypes = genotype.map(|field| record.cells(field));
    record.cells(field).for_each(|cell| {
        let begin = slot.text.len();
        match pick {
            Pick::One(number) => slot.text.extend_from_slice(value::list(cell).nth(*number).unwrap_or(b".")),
            Pick::Many(chosen) if chosen.is_all() => slot.text.extend_from_slice(cell),
            Pick::Many(_) => join(picked(cell, pick), &mut slot.text),
            Pick::Genotype => {
                let genotype = genotypes.as_mut().and_then(Iterator::next).unwrap_or_default();
                let is_chosen =
                    |n: usize| crate::records::genotype::alleles(genotype).any(|allele| allele == Some(n));
                let parts = value::list(cell).enumerate();
                join(parts.filter(|(n, _)| is_chosen(*n)).map(|(_, text)| text), &mut slot.text);
            }
        }
        if slot.text.len() == begin {
            slot.text.push(b'.');
        }
        slot.end_sample();
    });
    let count = slot.ends.len();
    if count == samples { Ok(()) } else { Err(wrong_samples(record, count, samples)) }
}

fn genotypes(
    record: &Record,
    samples: usize,
    view: GenotypeView,
    slot: &mut Slot,
) -> Result<(), RecordProblem> {
    slot.clear();
    let Some(field) = record.format_index(b"GT") else { return Ok(()) };
    record.cells(field).for_each(|cell| {
        let text = match view {
            GenotypeView::Text => cell,
            view => genotype::class(cell, view),
        };
        slot.text.extend_from_slice(text);
        slot.end_sample();
    });
    let count = slot.ends.len();
    if count == samples { Ok(()) } else { Err(wrong_samples(record, count, samples)) }
}

fn missing_genotypes(
    record: &Record,
    samples: usize,
    is_fraction: bool,
    slot: &mut Slot,
) -> Result<(), RecordProblem> {
    slot.values.clear();
    if samples == 0 {
        slot.values.push(0.0);
        return Ok(());
    }
    let Some(field) = record.format_index(b"GT") else { return Ok(()) };
    let (mut count, mut missing) = (0, 0);
    record.cells(field).for_each(|cell| {
        count += 1;
        missing += usize::from(crate::records::genotype::alleles(cell).any(|allele| allele.is_none()));
    });
    if count != samples {
        return Err(wrong_samples(record, count, samples));
    }
    slot.values.push(if is_fraction { missing as f64 / samples as f64 } else { missing as f64 });
    Ok(())
}

/// Counts the alternate alleles, and gives how many alleles there are in all; 0 where nothing is known.
fn count_alleles(
    record: &Record,
    samples: usize,
    uses_info: bool,
    counts: &mut Vec<f64>,
) -> Result<f64, RecordProblem> {
    let alternates = record.allele_count() - 1;
    if uses_info
        && let (Some(total), Some(text)) = (record.info(b"AN"), record.info(b"AC"))
        && let Some(total @ 0..) = value::integer(total)
        && !text.is_empty()
    {
        counts.extend(value::list(text).map(|n| value::integer(n).map_or(MISSING_IF_PICKED, f64::from)));
        if counts.len() != alternates {
            return Ok(0.0);
        }
        if counts.iter().sum::<f64>() > f64::from(total) {
            return Err(RecordProblem::at(record, "AC is larger than AN"));
        }
        return Ok(f64::from(total));
    }
    counts.resize(alternates, 0.0);
    let Some(field) = record.format_index(b"GT") else { return Ok(0.0) };
    let (mut total, mut seen) = (0.0, 0);
    for cell in record.cells(field) {
        seen += 1;
        for allele in crate::records::genotype::alleles(cell).flatten() {
            total += 1.0;
            if allele > alternates {
                return Err(RecordProblem::at(
                    record,
                    format!("a genotype names allele {allele}, which is none"),
                ));
            }
            if allele > 0 {
                counts[allele - 1] += 1.0;
            }
        }
    }
    if seen == samples { Ok(total) } else { Err(wrong_samples(record, seen, samples)) }
}

/// Makes a figure of counts. The minor allele is the rarest of those that are there, the reference among them; where there is
/// one only, its count is 0.
fn allele_figure(figure: AlleleFigure, total: f64, slot: &mut Slot) {
    if figure == AlleleFigure::Total {
        return slot.set(total);
    }
    if total == 0.0 {
        return slot.values.clear();
    }
    if matches!(figure, AlleleFigure::MinorCount | AlleleFigure::MinorFrequency) {
        slot.values.push(total - slot.values.iter().sum::<f64>());
        slot.values.retain(|count| *count != 0.0);
        let rarest = slot.values.iter().copied().min_by(f64::total_cmp).filter(|_| slot.values.len() > 1);
        slot.set(rarest.unwrap_or(0.0));
    }
    if slot.values.is_empty() {
        slot.values.push(0.0);
    }
    if matches!(figure, AlleleFigure::Frequency | AlleleFigure::MinorFrequency) {
        slot.values.iter_mut().for_each(|count| *count /= total);
    }
}
