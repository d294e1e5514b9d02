//! The head of a BGEN file, the names of its samples, and what each variant has before its genotypes.
//!
//! Source: the BGEN specification 1.1, 1.2 and 1.3 (well.ox.ac.uk/~gav/bgen_format). Integers are little-endian.

use std::borrow::Cow;
use std::fs::File;
use std::ops::Range;

use crate::formats::genotypes::bytes::{Bytes, Problem};
use crate::formats::genotypes::samples::{Sample, SampleTable};
use crate::formats::genotypes::window::Window;
use crate::formats::genotypes::{GenotypeError, GenotypeProblem, sites::SiteTable};

/// How the genotypes of a variant are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// They are not.
    None,
    /// zlib.
    Zlib,
    /// Zstandard (BGEN 1.3).
    Zstd,
}

/// How the genotypes of a variant are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutVersion {
    /// Three 16-bit probabilities a sample (BGEN 1.1).
    One,
    /// Any ploidy, number of alleles and bits (BGEN 1.2 and 1.3).
    Two,
}

/// The head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Variants.
    pub variants: u32,
    /// Samples.
    pub samples: u32,
    /// Compression.
    pub compression: Compression,
    /// Layout.
    pub layout: LayoutVersion,
    /// Whether the file names its samples.
    pub has_names: bool,
    /// Where the names begin.
    names: u64,
    /// Where the first variant begins.
    first: u64,
}

impl Head {
    /// Reads the head of a file.
    pub(super) fn read(window: &mut Window, size: u64) -> Result<Self, GenotypeProblem> {
        let bytes = window.get(0..size.min(24))?;
        let (first, length, variants, samples) = Self::numbers(Bytes(bytes)).map_err(damaged)?;
        let end = 4 + u64::from(length);
        if length < 20 || end > size || 4 + u64::from(first) < end || 4 + u64::from(first) > size {
            return Err(damaged("its head does not fit the file: it is no BGEN, or cut off"));
        }
        let flags = Bytes(window.get(end - 4..end)?).integer(4).map_err(damaged)?;
        let compression = match flags & 3 {
            0 => Compression::None,
            1 => Compression::Zlib,
            2 => Compression::Zstd,
            _ => return Err(damaged("it is compressed in a way that is not known")),
        };
        let layout = match flags >> 2 & 15 {
            1 => LayoutVersion::One,
            2 => LayoutVersion::Two,
            other => {
                return Err(damaged(format!("its layout is {other}; 1 and 2 are known (BGEN 1.1 to 1.3)")));
            }
        };
        if layout == LayoutVersion::One && compression == Compression::Zstd {
            return Err(damaged("layout 1 is never compressed by Zstandard"));
        }
        let has_names = flags >> 31 == 1;
        Ok(Self {
            variants,
            samples,
            compression,
            layout,
            has_names,
            names: end,
            first: 4 + u64::from(first),
        })
    }

    fn numbers(mut bytes: Bytes) -> Result<(u32, u32, u32, u32), Problem> {
        let mut number = || bytes.integer(4).map(|number| number as u32);
        let numbers = (number()?, number()?, number()?, number()?);
        match bytes.take(4)? {
            b"bgen" | [0, 0, 0, 0] => Ok(numbers),
            _ => Err("it is no BGEN file (its magic is another)"),
        }
    }

    /// Reads the names of the samples.
    pub(super) fn read_names(&self, window: &mut Window) -> Result<SampleTable, GenotypeProblem> {
        // The head holds before the first variant, so this is within the file.
        let mut bytes = Bytes(window.get(self.names..self.first)?);
        let length = bytes.integer(4).map_err(damaged)?;
        if u64::from(self.samples) != bytes.integer(4).map_err(damaged)? {
            return Err(damaged("its head and its names say different numbers of samples"));
        }
        if length < 8 || length - 8 > bytes.0.len() as u64 {
            return Err(damaged("the names of its samples reach into the variants"));
        }
        let mut table = SampleTable::default();
        for number in 1..=self.samples {
            let wrong = |what: Problem| damaged(format!("sample {number}: {what}"));
            let individual = bytes.text(2).map_err(wrong)?.into_owned();
            table.push(Sample { individual, ..Sample::default() }).map_err(wrong)?;
        }
        Ok(table)
    }
}

/// The variants of a file: their sites, and where their genotypes are.
pub(super) struct Scan {
    pub(super) sites: SiteTable,
    /// Bytes of the genotypes, with the sizes that stand before them.
    pub(super) genotypes: Vec<Range<u64>>,
}

/// So much is read of a variant, where its names and alleles are no longer.
const USUAL: u64 = 1 << 12;

impl Scan {
    /// Goes from variant to variant, passing over the genotypes.
    pub(super) fn read(head: &Head, file: &File, size: u64) -> Result<Self, GenotypeProblem> {
        let mut window = Window::new(file, size, USUAL);
        let mut scan = Self { sites: SiteTable::default(), genotypes: Vec::new() };
        let mut at = head.first;
        for number in 1..=u64::from(head.variants) {
            let wrong = |what: Problem| GenotypeProblem::Variant { variant: number, what: what.to_owned() };
            let mut wanted = USUAL;
            at = loop {
                let bytes = window.get(at..size.min(at.saturating_add(wanted)))?;
                let is_all = bytes.len() as u64 == size - at;
                match scan.read_variant(head, bytes) {
                    Ok((before, length)) => {
                        let start = at + before;
                        let end = start.checked_add(length).filter(|end| *end <= size);
                        let end =
                            end.ok_or_else(|| wrong("it reaches behind the end of the file: cut off"))?;
                        scan.genotypes.push(start..end);
                        break end;
                    }
                    Err(what) if is_all || what != crate::formats::genotypes::bytes::CUT => {
                        return Err(wrong(what));
                    }
                    Err(_) => wanted *= 8,
                }
            };
        }
        if at != size {
            return Err(damaged("it goes on behind its last variant"));
        }
        Ok(scan)
    }

    /// Reads names and alleles; gives where the genotypes begin in `bytes`, and how long they are.
    fn read_variant(&mut self, head: &Head, bytes: &[u8]) -> Result<(u64, u64), Problem> {
        let mut left = Bytes(bytes);
        if head.layout == LayoutVersion::One && left.integer(4)? != u64::from(head.samples) {
            return Err("it has another number of samples than the head");
        }
        let (id, name, contig) = (left.text(2)?, left.text(2)?, left.text(2)?);
        let position = i32::try_from(left.integer(4)?).map_err(|_| "its position is too great")?;
        let count = if head.layout == LayoutVersion::One { 2 } else { left.integer(2)? };
        if count == 0 {
            return Err("it has no alleles");
        }
        let reference = left.text(4)?;
        let mut alternates = String::new();
        for number in 1..count {
            let allele: Cow<str> = left.text(4)?;
            if allele.contains(',') || allele.is_empty() {
                return Err("an allele is empty or has a comma");
            }
            if number > 1 {
                alternates.push(',');
            }
            alternates += &allele;
        }
        let before = (bytes.len() - left.0.len()) as u64;
        let length = match (head.layout, head.compression) {
            (LayoutVersion::One, Compression::None) => 6 * u64::from(head.samples),
            _ => 4 + left.integer(4)?,
        };
        let name = if matches!(&*name, "" | ".") { id } else { name };
        self.sites.push(&contig, position, &name, &reference, &alternates)?;
        Ok((before, length))
    }
}

pub(super) fn damaged(what: impl Into<String>) -> GenotypeProblem {
    GenotypeProblem::File(what.into())
}

/// An error of the file when it is opened.
pub(super) fn opened<T>(
    path: &std::path::Path,
    result: Result<T, impl Into<GenotypeProblem>>,
) -> Result<T, GenotypeError> {
    result.map_err(|problem| problem.into().of(path))
}
