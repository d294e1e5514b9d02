//! Which records of a position become one row, by `-m`.
//!
//! Two steps, again and again until no record is left: those that may go together with the first are found and their
//! alleles put under one REF; of them each file gives one, those with the most frequent allele first. The order of
//! steps decides what ties become, and is that of bcftools.

use std::sync::Arc;

use super::alleles;
use super::row::{End, Part, Row};
use crate::formats::vcf::extent;
use crate::formats::vcf::record::{Column, Record};
use crate::formats::vcf::value::integer;
use crate::records::kinds::Kinds;
use crate::variants::together::walk::Line;

/// What may become multiallelic (bcftools' `--merge`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collapse {
    /// SNPs and MNPs.
    pub snps: bool,
    /// Indels.
    pub indels: bool,
    /// Insertions with insertions, deletions with deletions.
    pub snp_ins_del: bool,
    /// All with all.
    pub any: bool,
    /// Records with the same ID, whatever they are.
    pub by_id: bool,
}

/// Kinds of alleles, a bit each.
mod kind {
    pub const REFERENCE: u32 = 1;
    pub const SNP: u32 = 2;
    pub const INDEL: u32 = 4;
    pub const OTHER: u32 = 8;
    pub const BREAKEND: u32 = 16;
    pub const OVERLAP: u32 = 32;
    pub const INSERTION: u32 = 64;
    pub const DELETION: u32 = 128;
    pub const MNP: u32 = 256;
    /// SNPs and MNPs are one for `-m`.
    pub const SUBSTITUTION: u32 = SNP | MNP;
}

/// What has become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is in a row.
    Done,
    /// It does not go with those of this row.
    Apart,
    /// It may be in this row.
    Fits,
}

/// A record at this position.
#[derive(Clone, Debug)]
pub struct Slot {
    record: Arc<Record>,
    /// REF first.
    alleles: Vec<Vec<u8>>,
    kinds: Vec<u32>,
    all_kinds: u32,
    state: State,
    map: Arc<Vec<usize>>,
}

/// The records of a file at this position, or its block that spans it.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// The file's number.
    pub file: usize,
    slots: Vec<Slot>,
    is_block: bool,
    kinds: u32,
}

impl Slot {
    /// A record; `is_block` says that it stands for a stretch of reference, too.
    pub fn new(record: Arc<Record>, is_block: bool) -> Self {
        let alleles = alleles_of(&record);
        let mut kinds = vec![kind::REFERENCE];
        kinds.extend(alleles[1..].iter().map(|allele| kind_of(&alleles[0], allele)));
        let mut all_kinds = kinds[1..].iter().fold(0, |all, kind| all | kind);
        if all_kinds & !kind::REFERENCE != 0 {
            // No variant is a kind of the record only where there is nothing else.
            all_kinds &= !kind::REFERENCE;
        }
        if all_kinds == 0 || is_block {
            all_kinds |= kind::REFERENCE;
        }
        Self { record, alleles, kinds, all_kinds, state: State::Apart, map: Arc::default() }
    }
}

impl Buffer {
    /// The records of a file.
    pub fn of_records(file: usize, slots: Vec<Slot>) -> Self {
        Self { file, slots, is_block: false, kinds: 0 }
    }

    /// The base at this position that the first record has.
    pub fn base(buffers: &[Self]) -> Option<u8> {
        let mut records = buffers.iter().filter(|buffer| !buffer.is_block);
        records.find_map(|buffer| buffer.slots[0].alleles[0].first().copied())
    }

    /// A block that spans the position, with the alleles that it has there.
    pub fn of_block(file: usize, record: Arc<Record>, alleles: Vec<Vec<u8>>) -> Self {
        let mut slot = Slot::new(record, true);
        (slot.alleles, slot.all_kinds) = (alleles, kind::REFERENCE);
        Self { file, slots: vec![slot], is_block: true, kinds: 0 }
    }
}

/// The alleles of a record, REF first.
pub fn alleles_of(record: &Record) -> Vec<Vec<u8>> {
    std::iter::once(record.reference()).chain(record.alternates()).map(<[u8]>::to_vec).collect()
}

fn kind_of(reference: &[u8], allele: &[u8]) -> u32 {
    let kinds = Kinds::of_allele(reference, allele);
    let with_direction = if allele.len() > reference.len() { kind::INSERTION } else { kind::DELETION };
    match kinds {
        Kinds::REFERENCE => kind::REFERENCE,
        Kinds::SNP => kind::SNP,
        Kinds::MNP => kind::MNP,
        Kinds::INDEL => kind::INDEL | with_direction,
        Kinds::BREAKEND => kind::BREAKEND,
        Kinds::OVERLAP => kind::OVERLAP,
        _ => kind::OTHER,
    }
}

/// Whether a record stands for a stretch of reference (gVCF): longer than its REF, with no alleles or one for all others.
pub fn is_block(record: &Record) -> bool {
    let length = extent::end(record) - record.position();
    length > 1
        && length != record.reference().len() as i64
        && (record.allele_count() == 1
            || record.alternates().any(|allele| matches!(allele, b"<*>" | b"<NON_REF>" | b"<X>")))
}

/// Records of which none has a partner to choose: each file has one, and all have the same alleles.
pub fn simple(lines: Vec<Line>, position: i64, end: End) -> Result<Row, Vec<Line>> {
    let Some(first) = lines.first() else { return Err(lines) };
    let (reference, alternates) = (first.record.reference(), first.record.column(Column::Alt));
    let count = first.record.allele_count();
    let is_plain = !alternates.contains(&b'<')
        && (lines.len() == 1 || count <= 2)
        && lines.windows(2).all(|pair| pair[0].file != pair[1].file)
        && lines[1..].iter().all(|line| {
            line.record.reference() == reference && line.record.column(Column::Alt) == alternates
        });
    if !is_plain {
        return Err(lines);
    }
    let alleles = alleles_of(&first.record);
    let map = Arc::new((0..count).collect());
    let parts = lines.into_iter().map(|line| Part {
        file: line.file,
        record: Arc::new(line.record),
        map: Arc::clone(&map),
    });
    Ok(Row { position, alleles, parts: parts.collect(), end })
}

/// What the records of a row have in common so far.
#[derive(Default)]
struct Merged {
    alleles: Vec<Vec<u8>>,
    kinds: Vec<u32>,
    /// How many records have an allele.
    counts: Vec<u32>,
}

impl Merged {
    fn add(&mut self, slot: &mut Slot) -> Result<(), String> {
        if self.alleles.is_empty() {
            self.alleles = slot.alleles.clone();
            self.kinds = slot.kinds.clone();
            self.counts = vec![1; self.alleles.len()];
            slot.map = Arc::new((0..self.alleles.len()).collect());
            return Ok(());
        }
        let map = alleles::add(&slot.alleles, &mut self.alleles);
        let map = map.ok_or_else(|| {
            let text = |allele: &[u8]| String::from_utf8_lossy(allele).into_owned();
            format!("the REFs {} and {} differ", text(&slot.alleles[0]), text(&self.alleles[0]))
        })?;
        slot.map = Arc::new(map);
        self.kinds.resize(self.alleles.len(), 0);
        self.counts.resize(self.alleles.len(), 0);
        self.counts[0] += 1;
        for (allele, &number) in slot.map.iter().enumerate().skip(1) {
            self.kinds[number] = slot.kinds[allele];
            self.counts[number] += 1;
        }
        Ok(())
    }
}

/// What was chosen so far: kinds, and END where there is a symbolic allele.
#[derive(Default)]
struct Chosen {
    kinds: u32,
    end: Option<i32>,
}

/// The rows of a position, in order.
///
/// # Errors
/// Records that go together have REFs that do not.
pub fn rows(buffers: &mut [Buffer], collapse: Collapse, position: i64, end: End) -> Result<Vec<Row>, String> {
    let first_base = Buffer::base(buffers);
    for buffer in buffers.iter_mut().filter(|buffer| buffer.is_block) {
        if let (Some(base), Some(own)) = (first_base, buffer.slots[0].alleles[0].first_mut()) {
            *own = base;
        }
    }
    let mut rows = Vec::new();
    while let Some(all_kinds) = begin(buffers) {
        let merged = fit(buffers, collapse)?;
        let chosen = choose(buffers, collapse, &merged, all_kinds);
        let mut parts = Vec::new();
        for (buffer, slot) in chosen {
            let file = buffers[buffer].file;
            let slot = &mut buffers[buffer].slots[slot];
            slot.state = State::Done;
            parts.push(Part { file, record: Arc::clone(&slot.record), map: Arc::clone(&slot.map) });
        }
        rows.push(Row { position, alleles: merged.alleles, parts, end });
    }
    Ok(rows)
}

/// Sets out to make a row; the kinds of all that is left, or `None` where nothing is.
fn begin(buffers: &mut [Buffer]) -> Option<u32> {
    let (mut all, mut is_left) = (0, false);
    for buffer in buffers {
        buffer.kinds = 0;
        for slot in &mut buffer.slots {
            if slot.state == State::Done && !buffer.is_block {
                continue;
            }
            slot.state = State::Apart;
            buffer.kinds |= slot.all_kinds;
            is_left |= !buffer.is_block;
        }
        all |= buffer.kinds;
    }
    is_left.then_some(all)
}

/// Finds what may be in the row.
fn fit(buffers: &mut [Buffer], collapse: Collapse) -> Result<Merged, String> {
    let (mut merged, mut chosen) = (Merged::default(), Chosen::default());
    let left = |slot: &&Slot| slot.state != State::Done;
    let mut records = buffers.iter().filter(|buffer| !buffer.is_block).flat_map(|buffer| &buffer.slots);
    let id = records.find(left).map(|slot| slot.record.column(Column::Id).to_vec());
    for buffer in buffers {
        for slot in &mut buffer.slots {
            if buffer.is_block {
                merged.add(slot)?;
                chosen.kinds |= kind::REFERENCE;
                continue;
            }
            let fits = slot.state != State::Done
                && if collapse.by_id {
                    id.as_deref() == Some(slot.record.column(Column::Id))
                } else {
                    is_compatible(slot, &mut chosen, &merged, collapse)
                };
            if fits {
                chosen.kinds |= slot.all_kinds;
                slot.state = State::Fits;
                merged.add(slot)?;
            }
        }
    }
    Ok(merged)
}

fn is_compatible(slot: &Slot, chosen: &mut Chosen, merged: &Merged, collapse: Collapse) -> bool {
    let kinds = slot.all_kinds;
    let end = if kinds & kind::OTHER != 0 { slot.record.info(b"END").and_then(integer) } else { None };
    if chosen.kinds == 0 {
        chosen.end = end;
        chosen.kinds = kinds;
        return true;
    }
    let both = |kind: u32| kinds & kind != 0 && chosen.kinds & kind != 0;
    if collapse.any
        || chosen.kinds == kind::REFERENCE
        || kinds == kind::REFERENCE
        || (collapse.snps || collapse.snp_ins_del) && both(kind::SUBSTITUTION)
        || collapse.indels && both(kind::INDEL)
        || collapse.snp_ins_del && (both(kind::INSERTION) || both(kind::DELETION))
    {
        return true;
    }
    // Otherwise they must share kinds and an allele.
    let shared = kinds & chosen.kinds;
    let Some(reference) = merged.alleles.first() else { return true };
    if shared == 0
        || shared != kinds && shared != chosen.kinds
        || !alleles::references_fit(reference, &slot.alleles[0])
    {
        return false;
    }
    let is_known = |allele: &Vec<u8>| {
        merged.alleles[1..].iter().any(|known| alleles::are_same(known, reference, allele, &slot.alleles[0]))
    };
    let mut variants = slot.alleles.iter().zip(&slot.kinds).skip(1);
    variants.any(|(allele, kind)| *kind != kind::REFERENCE && is_known(allele))
        && !(both(kind::OTHER) && chosen.end != end)
}

/// Takes one record of each file that has a suitable one: numbers of buffers and of their slots.
fn choose(buffers: &[Buffer], collapse: Collapse, merged: &Merged, all_kinds: u32) -> Vec<(usize, usize)> {
    let mut most: Option<usize> = None;
    for allele in 1..merged.alleles.len() {
        let is_more = most.is_none_or(|most| merged.counts[most] < merged.counts[allele]);
        if merged.kinds[allele] & kind::REFERENCE == 0 && is_more {
            most = Some(allele);
        }
    }
    let wanted = most.map_or(kind::REFERENCE, |most| merged.kinds[most]);
    let mut chosen = Vec::new();
    let mut has_record = false;
    for (number, buffer) in buffers.iter().enumerate() {
        let mut slot = buffer.slots.iter().position(|slot| {
            if slot.state != State::Fits && !buffer.is_block {
                return false;
            }
            if collapse.by_id {
                return true;
            }
            if wanted & buffer.kinds != 0 && wanted & slot.all_kinds == 0 {
                return false;
            }
            wanted & buffer.kinds == 0 && slot.all_kinds & kind::REFERENCE != 0
                || wanted == kind::REFERENCE
                || most.is_some_and(|most| slot.map.contains(&most))
        });
        let is_exact = collapse == Collapse::default() || collapse.by_id;
        if slot.is_none() && !is_exact {
            slot = buffer
                .slots
                .iter()
                .position(|slot| slot.state == State::Fits && makes_multiallelic(slot, collapse, all_kinds));
        }
        if let Some(slot) = slot {
            has_record |= !buffer.is_block;
            chosen.push((number, slot));
        }
    }
    if !has_record {
        // Whatever happens, a record goes at each turn.
        let fits = |buffer: &Buffer| buffer.slots.iter().position(|slot| slot.state == State::Fits);
        let first = buffers.iter().enumerate().find_map(|(number, buffer)| Some((number, fits(buffer)?)));
        chosen.extend(first);
        chosen.sort_unstable();
    }
    chosen
}

/// Whether `-m` lets a record join others with other alleles.
fn makes_multiallelic(slot: &Slot, collapse: Collapse, all_kinds: u32) -> bool {
    let options = [
        (kind::SUBSTITUTION, collapse.snps),
        (kind::INDEL, collapse.indels),
        (kind::INSERTION, collapse.snp_ins_del),
        (kind::DELETION, collapse.snp_ins_del),
    ];
    let kinds = slot.all_kinds;
    let is_reference = kinds & kind::REFERENCE != 0;
    let with_reference = all_kinds & kind::REFERENCE != 0;
    let has_option = |of: u32| options.iter().any(|&(kind, is_on)| is_on && of & kind != 0);
    if collapse.any || has_option(all_kinds & kinds) {
        return true;
    }
    match is_reference {
        true => with_reference || has_option(all_kinds),
        false => with_reference && has_option(kinds),
    }
}
