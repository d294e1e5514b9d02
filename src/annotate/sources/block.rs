//! A block of a source: some thousand alleles in the order of their places, and the texts of each field.
//!
//! | | |
//! |---|---|
//! | varint | alleles |
//! | varint | position of the first (0-based) |
//! | varint, bytes | keys: for each allele the distance to the one before and its bases: one byte for a substitution of one base (4 x REF + ALT by the order ACGT), else 16 and both sequences |
//! | for each field: varint, varint, bytes | length before and after deflate (0: not deflated), the distinct texts in the order in which they come, and for each allele the number of its text, of one or two bytes |
//!
//! An empty text is a missing value. Texts come back as they were.

use libdeflater::{CompressionLvl, Compressor, Decompressor};
use rustc_hash::FxHashMap;

/// Alleles of a block; a position is never cut, so a block can have more.
pub const ALLELES: usize = 2048;
/// No block has more: what says so is damaged.
const MOST: u64 = 1 << 20;

/// An allele: position (0-based), REF, ALT.
pub type Key = (i64, Vec<u8>, Vec<u8>);

/// A block that is filled.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    keys: Vec<Key>,
    /// For each field the distinct texts and the numbers.
    columns: Vec<Column>,
}

#[derive(Debug, Default)]
struct Column {
    texts: Vec<Vec<u8>>,
    numbers: Vec<u32>,
    known: FxHashMap<Vec<u8>, u32>,
}

impl BlockBuilder {
    /// An empty block of so many fields.
    pub fn new(fields: usize) -> Self {
        Self { keys: Vec::new(), columns: (0..fields).map(|_| Column::default()).collect() }
    }

    /// Whether it is full, and an allele at a position begins another.
    pub fn is_full_before(&self, position: i64) -> bool {
        self.keys.len() >= ALLELES && self.keys.last().is_some_and(|(last, ..)| *last != position)
    }

    /// The position of its first allele.
    pub fn first(&self) -> Option<i64> {
        self.keys.first().map(|(position, ..)| *position)
    }

    /// Adds an allele behind the others.
    pub fn push(&mut self, key: Key, values: &[Vec<u8>]) {
        self.keys.push(key);
        for (column, value) in self.columns.iter_mut().zip(values) {
            let next = column.texts.len() as u32;
            let number = *column.known.entry(value.clone()).or_insert_with(|| {
                column.texts.push(value.clone());
                next
            });
            column.numbers.push(number);
        }
    }

    /// The block's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(self.keys.len() as u64, &mut out);
        let mut last = self.first().unwrap_or(0);
        put(last as u64, &mut out);
        let mut keys = Vec::new();
        for (position, reference, alternate) in &self.keys {
            put((position - last) as u64, &mut keys);
            last = *position;
            match (reference.as_slice(), alternate.as_slice()) {
                (&[from], &[to]) if let (Some(from), Some(to)) = (index(from), index(to)) => {
                    keys.push(4 * from + to)
                }
                _ => {
                    keys.push(LONG);
                    for bases in [reference, alternate] {
                        put(bases.len() as u64, &mut keys);
                        keys.extend_from_slice(bases);
                    }
                }
            }
        }
        put(keys.len() as u64, &mut out);
        out.extend_from_slice(&keys);
        let mut compressor = Compressor::new(CompressionLvl::new(9).unwrap_or_default());
        for column in &self.columns {
            let raw = column.bytes();
            let mut deflated = vec![0; compressor.deflate_compress_bound(raw.len())];
            let length = compressor.deflate_compress(&raw, &mut deflated).unwrap_or(usize::MAX);
            put(raw.len() as u64, &mut out);
            if length < raw.len() {
                put(length as u64, &mut out);
                out.extend_from_slice(&deflated[..length]);
            } else {
                put(0, &mut out);
                out.extend_from_slice(&raw);
            }
        }
        out
    }
}

impl Column {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(self.texts.len() as u64, &mut out);
        for text in &self.texts {
            put(text.len() as u64, &mut out);
            out.extend_from_slice(text);
        }
        for number in &self.numbers {
            let bytes = number.to_le_bytes();
            out.extend_from_slice(&bytes[..width(self.texts.len())]);
        }
        out
    }
}

/// Bytes of the numbers of so many texts.
fn width(texts: usize) -> usize {
    match texts {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// The code of an allele that is no substitution of one base.
const LONG: u8 = 16;

fn index(base: u8) -> Option<u8> {
    b"ACGT".iter().position(|letter| *letter == base).map(|at| at as u8)
}

fn letter(code: u8) -> u8 {
    b"ACGT"[usize::from(code & 3)]
}

/// A block that is read.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    positions: Vec<i64>,
    alleles: Vec<Allele>,
    /// Where each field's column begins, how long it is, and how long it was before deflate.
    places: Vec<(usize, usize, usize)>,
    columns: Vec<Option<Texts>>,
}

#[derive(Clone, Copy, Debug)]
enum Allele {
    /// 4 x REF + ALT.
    Base(u8),
    /// Where REF begins and ends, and ALT.
    Long([usize; 4]),
}

/// The texts of a column.
#[derive(Debug)]
struct Texts {
    raw: Vec<u8>,
    ends: Vec<(usize, usize)>,
    numbers: usize,
}

impl Block {
    /// Reads the keys of a block; `None` where it is damaged.
    pub fn read(&mut self, bytes: Vec<u8>, fields: usize) -> Option<()> {
        self.bytes = bytes;
        self.positions.clear();
        self.alleles.clear();
        self.places.clear();
        self.columns.clear();
        let bytes = &self.bytes;
        let mut at = 0;
        let count = take(bytes, &mut at).filter(|count| *count <= MOST)?;
        let mut position = i64::try_from(take(bytes, &mut at)?).ok()?;
        let length = usize::try_from(take(bytes, &mut at)?).ok()?;
        let end = at.checked_add(length).filter(|end| *end <= bytes.len())?;
        let keys = &bytes[..end];
        for _ in 0..count {
            position = position.checked_add(i64::try_from(take(keys, &mut at)?).ok()?)?;
            let code = *keys.get(at)?;
            at += 1;
            let allele = if code < LONG {
                Allele::Base(code)
            } else {
                let mut sequence = || {
                    let length = usize::try_from(take(keys, &mut at)?).ok()?;
                    let begin = at;
                    at = at.checked_add(length).filter(|end| *end <= keys.len())?;
                    Some((begin, at))
                };
                let (from, border) = sequence()?;
                let (begin, end) = sequence()?;
                Allele::Long([from, border, begin, end])
            };
            self.alleles.push(allele);
            self.positions.push(position);
        }
        if at != end {
            return None;
        }
        for _ in 0..fields {
            let raw = usize::try_from(take(bytes, &mut at)?).ok()?;
            let deflated = usize::try_from(take(bytes, &mut at)?).ok()?;
            let length = if deflated == 0 { raw } else { deflated };
            let next = at.checked_add(length).filter(|next| *next <= bytes.len())?;
            // Deflate gains at most a factor of about a thousand.
            if raw / 1100 > length {
                return None;
            }
            self.places.push((at, length, raw));
            at = next;
        }
        self.columns.resize_with(fields, || None);
        (at == bytes.len()).then_some(())
    }

    /// The number of an allele.
    pub fn find(&self, position: i64, reference: &[u8], alternate: &[u8]) -> Option<usize> {
        let first = self.positions.partition_point(|known| *known < position);
        let same = self.positions.get(first..)?.iter().take_while(|known| **known == position).count();
        (first..first + same).find(|number| self.is(*number, reference, alternate))
    }

    /// The numbers of the alleles that begin in a range (0-based, half-open).
    pub fn within(&self, start: i64, end: i64) -> std::ops::Range<usize> {
        let first = self.positions.partition_point(|known| *known < start);
        first..self.positions.partition_point(|known| *known < end).max(first)
    }

    /// An allele by its number.
    pub fn key(&self, number: usize) -> Option<Key> {
        let (reference, alternate) = match *self.alleles.get(number)? {
            Allele::Base(code) => (vec![letter(code >> 2)], vec![letter(code)]),
            Allele::Long([from, border, begin, end]) => {
                (self.bytes.get(from..border)?.to_vec(), self.bytes.get(begin..end)?.to_vec())
            }
        };
        Some((*self.positions.get(number)?, reference, alternate))
    }

    fn is(&self, number: usize, reference: &[u8], alternate: &[u8]) -> bool {
        match self.alleles.get(number) {
            Some(Allele::Base(code)) => reference == [letter(code >> 2)] && alternate == [letter(*code)],
            Some(&Allele::Long([from, border, begin, end])) => {
                self.bytes.get(from..border) == Some(reference)
                    && self.bytes.get(begin..end) == Some(alternate)
            }
            None => false,
        }
    }

    /// The text of an allele's field; empty where it is missing, `None` where the block is damaged.
    pub fn value(&mut self, number: usize, field: usize) -> Option<&[u8]> {
        if self.columns.get(field)?.is_none() {
            let texts = self.texts(field)?;
            self.columns[field] = Some(texts);
        }
        let texts = self.columns.get(field)?.as_ref()?;
        let width = width(texts.ends.len());
        let at = texts.numbers + number * width;
        let mut index = [0; 4];
        index[..width].copy_from_slice(texts.raw.get(at..at + width)?);
        let &(from, to) = texts.ends.get(u32::from_le_bytes(index) as usize)?;
        texts.raw.get(from..to)
    }

    fn texts(&self, field: usize) -> Option<Texts> {
        let &(from, length, raw_length) = self.places.get(field)?;
        let bytes = self.bytes.get(from..from + length)?;
        let raw = if length == raw_length {
            bytes.to_vec()
        } else {
            let mut raw = vec![0; raw_length];
            let count = Decompressor::new().deflate_decompress(bytes, &mut raw).ok()?;
            (count == raw_length).then_some(raw)?
        };
        let mut at = 0;
        let count = take(&raw, &mut at).filter(|count| *count <= MOST)?;
        let mut ends = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let length = usize::try_from(take(&raw, &mut at)?).ok()?;
            let end = at.checked_add(length).filter(|end| *end <= raw.len())?;
            ends.push((at, end));
            at = end;
        }
        let is_whole = raw.len() == at + self.positions.len() * width(ends.len());
        is_whole.then_some(Texts { raw, ends, numbers: at })
    }
}

/// Writes a number in as many bytes as it needs (LEB128).
fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads such a number.
fn take(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let (mut number, mut shift) = (0u64, 0);
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
        if shift > 63 {
            return None;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(alleles: &[(u8, String, String, String)]) -> (BlockBuilder, Vec<(Key, Vec<u8>)>) {
        let (mut builder, mut position, mut all) = (BlockBuilder::new(2), 1_000_000, Vec::new());
        for (step, reference, alternate, value) in alleles {
            position += i64::from(*step);
            let key = (position, reference.clone().into_bytes(), alternate.clone().into_bytes());
            if all.iter().any(|(known, _)| *known == key) {
                continue;
            }
            builder.push(key.clone(), &[value.clone().into_bytes(), b"same".to_vec()]);
            all.push((key, value.clone().into_bytes()));
        }
        (builder, all)
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            alleles in prop::collection::vec((0u8..3, "[ACGT]{1,4}", "[ACGTN]{1,4}", "[0-9.e-]{0,9}"), 0..300),
            absent in "[ACGT]{5,6}",
        ) {
            let (builder, all) = made(&alleles);
            let mut block = Block::default();
            block.read(builder.bytes(), 2).unwrap();
            for ((position, reference, alternate), value) in &all {
                let number = block.find(*position, reference, alternate).unwrap();
                prop_assert_eq!(block.value(number, 0).unwrap(), value.as_slice());
                prop_assert_eq!(block.value(number, 1).unwrap(), b"same");
                prop_assert_eq!(block.key(number), Some((*position, reference.clone(), alternate.clone())));
                let range = block.within(position - 1, position + 1);
                let is_near = |(near, ..): &Key| (position - 1..position + 1).contains(near);
                prop_assert_eq!(range.len(), all.iter().filter(|(key, _)| is_near(key)).count());
                prop_assert!(range.contains(&number));
                prop_assert_eq!(block.find(*position, reference, absent.as_bytes()), None);
                prop_assert_eq!(block.value(number, 2), None);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(
            alleles in prop::collection::vec((0u8..3, "[ACGT]{1,4}", "[ACGTN]{1,4}", "[0-9.e-]{0,9}"), 1..40),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let (builder, all) = made(&alleles);
            let mut bytes = builder.bytes();
            changes.iter().for_each(|(at, byte)| { let at = at.index(bytes.len()); bytes[at] = *byte; });
            let length = cut.index(bytes.len() + 1);
            for bytes in [bytes.clone(), bytes[..length].to_vec()] {
                let mut block = Block::default();
                if block.read(bytes, 2).is_some() {
                    for (number, ((position, reference, alternate), _)) in all.iter().enumerate() {
                        let _ = block.find(*position, reference, alternate);
                        let _ = block.value(number, 0);
                        let _ = block.key(number);
                    }
                }
            }
        }
    }
}
