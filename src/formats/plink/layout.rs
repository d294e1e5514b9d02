//! Where the records of a `.bed` or `.pgen` file are, and of which type.
//!
//! Source: "Header" in pgen_spec of chrchang/plink-ng (draft). All storage modes are taken but sample-major `.bed` (0x00)
//! and the reserved ones; header and footer extensions (0x11, 0x21) are passed over. Types and lengths of records are
//! kept as they are stored, 2 to 5 bytes a variant, and the offset of each 64th record.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::formats::genotypes::bytes::{Bytes, integer};
use crate::formats::genotypes::{GenotypeError, GenotypeProblem};

/// Variants of a block, which has an offset of its own.
const BLOCK: usize = 1 << 16;
/// Every so many records an offset is kept.
const STRIDE: usize = 64;
/// More than this many samples or variants are not possible (2^31 - 2).
const MOST: u32 = 0x7fff_fffe;

/// The type of a record: in PLINK 2 its bits say which tracks it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordType {
    /// Two bits a sample, coded as in PLINK 1.
    Plink1,
    /// Bits of PLINK 2.
    Plink2(u8),
}

impl RecordType {
    /// Whether the calls are told as differences from the last record that is none of this kind.
    pub fn is_difference(self) -> bool {
        matches!(self, Self::Plink2(bits) if bits & 6 == 2)
    }
}

/// A record's type and bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its type.
    pub kind: RecordType,
    /// Its bytes in the file.
    pub bytes: Range<u64>,
}

/// Where all records are.
#[derive(Clone, Debug)]
pub struct Layout {
    variants: usize,
    samples: usize,
    records: Records,
}

#[derive(Clone, Debug)]
enum Records {
    Fixed {
        kind: RecordType,
        start: u64,
        width: u64,
    },
    Variable {
        kinds: Vec<u8>,
        lengths: Vec<u8>,
        /// Bytes of a length.
        width: usize,
        offsets: Vec<u64>,
        /// Alleles with the reference; empty where they are not stored.
        alleles: Vec<u32>,
    },
}

impl Layout {
    /// Reads the header of a file, or its index beside it (`.pgi`). The tables say how many samples and variants there
    /// must be.
    ///
    /// # Errors
    /// It cannot be read, is no such file, of other samples or variants, cut, or of a kind that is not supported.
    pub fn read(file: &File, path: &Path, samples: usize, variants: usize) -> Result<Self, GenotypeError> {
        let of = |problem: GenotypeProblem| problem.of(path);
        let size = file.metadata().map_err(|error| of(error.into()))?.len();
        let mut magic = [0; 3];
        if size >= 3 {
            file.read_exact_at(&mut magic, 0).map_err(|error| of(error.into()))?;
        }
        let [0x6c, 0x1b, mode] = magic else {
            return Err(of(damaged("it is no .bed or .pgen file (its first bytes are others)")));
        };
        let known = Known { samples, variants, size };
        match mode {
            0 => {
                Err(of(damaged("a .bed ordered by samples; make one ordered by variants: plink2 --make-bed")))
            }
            1 => known.fixed(RecordType::Plink1, 3, 0).map_err(of),
            2..=4 => {
                let header = read_at(file, 3, 9).map_err(of)?;
                known.fixed_of_header(mode, &header).map_err(of)
            }
            0x10 | 0x11 => known.variable(file, size).map_err(of),
            0x20 | 0x21 => {
                let mut name = path.to_owned().into_os_string();
                name.push(".pgi");
                let index = PathBuf::from(name);
                known.of_index(&index, mode).map_err(|problem| problem.of(&index))
            }
            _ => Err(of(damaged(&format!("storage mode {mode:#04x} of .pgen is not known")))),
        }
    }

    /// Variants.
    pub fn variants(&self) -> usize {
        self.variants
    }

    /// Samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Where a record is; `None` where there is no such variant.
    pub fn place(&self, variant: usize) -> Option<Place> {
        let kind = self.kind(variant)?;
        match &self.records {
            Records::Fixed { start, width, .. } => {
                let start = start + width * variant as u64;
                Some(Place { kind, bytes: start..start + width })
            }
            Records::Variable { lengths, width, offsets, .. } => {
                let known = variant / STRIDE;
                let mut start = *offsets.get(known)?;
                for length in lengths.get(known * STRIDE * width..variant * width)?.chunks_exact(*width) {
                    start += integer(length);
                }
                let length = integer(lengths.get(variant * width..(variant + 1) * width)?);
                Some(Place { kind, bytes: start..start + length })
            }
        }
    }

    /// The type of a record; `None` where there is no such variant.
    pub fn kind(&self, variant: usize) -> Option<RecordType> {
        match &self.records {
            Records::Fixed { kind, .. } => (variant < self.variants).then_some(*kind),
            Records::Variable { kinds, .. } => kinds.get(variant).map(|kind| RecordType::Plink2(*kind)),
        }
    }

    /// Alleles of a variant with the reference, where the file says.
    pub fn alleles(&self, variant: usize) -> Option<usize> {
        match &self.records {
            Records::Fixed { .. } => None,
            Records::Variable { alleles, .. } => alleles.get(variant).map(|count| *count as usize),
        }
    }

    /// The record that a variant's calls are told as differences from.
    pub fn base(&self, variant: usize) -> Option<usize> {
        let is_whole = |at: &usize| self.kind(*at).is_some_and(|kind| !kind.is_difference());
        (variant / BLOCK * BLOCK..variant).rev().find(is_whole)
    }
}

/// What is known before the header is read.
struct Known {
    samples: usize,
    variants: usize,
    /// Bytes of the file with the records.
    size: u64,
}

impl Known {
    fn fixed(&self, kind: RecordType, start: u64, dosage: usize) -> Result<Layout, GenotypeProblem> {
        let width = (self.samples.div_ceil(4) + dosage * self.samples) as u64;
        let expected = width.checked_mul(self.variants as u64).and_then(|bytes| bytes.checked_add(start));
        if expected != Some(self.size) {
            return Err(damaged(&format!(
                "it has {} bytes; {} samples and {} variants would have {}: cut, or not of these tables",
                self.size,
                self.samples,
                self.variants,
                expected.map_or("more".to_owned(), |bytes| bytes.to_string()),
            )));
        }
        let records = Records::Fixed { kind, start, width };
        Ok(Layout { variants: self.variants, samples: self.samples, records })
    }

    fn fixed_of_header(&self, mode: u8, header: &[u8]) -> Result<Layout, GenotypeProblem> {
        let control = self.check(header)?;
        if control & 0x3f != 0 {
            return Err(damaged("its header does not fit its storage mode"));
        }
        let flags = if control >> 6 == 3 { self.variants.div_ceil(8) as u64 } else { 0 };
        let (kind, dosage) = match mode {
            3 => (0x40, 2),
            4 => (0xc0, 4),
            _ => (0, 0),
        };
        self.fixed(RecordType::Plink2(kind), 12 + flags, dosage)
    }

    /// Holds the numbers of a header against the tables; gives the byte behind them.
    fn check(&self, header: &[u8]) -> Result<u8, GenotypeProblem> {
        let mut header = Bytes(header);
        let mut number = || header.integer(4).map_err(damaged);
        let (variants, samples) = (number()?, number()?);
        if variants > u64::from(MOST) || samples > u64::from(MOST) {
            return Err(damaged("its header has impossible numbers of variants or samples"));
        }
        for (what, ours, theirs) in
            [("variants", self.variants, variants), ("samples", self.samples, samples)]
        {
            if ours as u64 != theirs {
                return Err(damaged(&format!("it has {theirs} {what}, the table {ours}")));
            }
        }
        header.byte().map_err(damaged)
    }

    fn of_index(&self, path: &Path, mode: u8) -> Result<Layout, GenotypeProblem> {
        let index = File::open(path)?;
        let size = index.metadata()?.len();
        let magic = read_at(&index, 0, 3.min(size))?;
        if magic != [0x6c, 0x1b, mode | 0x10] {
            return Err(damaged("it is no index (.pgi) of this .pgen file"));
        }
        self.variable(&index, size)
    }

    /// Reads the header of records that differ in length from `index`, which has so many bytes.
    fn variable(&self, index: &File, index_size: u64) -> Result<Layout, GenotypeProblem> {
        let control = self.check(&read_at(index, 3, 9.min(index_size.saturating_sub(3)))?)?;
        if control & 8 != 0 {
            return Err(damaged(
                "its header has types and lengths fused (reserved in the specification); \
                 write it anew: plink2 --make-pgen",
            ));
        }
        let (is_wide, width) = (control & 4 != 0, usize::from(control & 3) + 1);
        let (allele_width, has_flags) = (usize::from(control >> 4 & 3), control >> 6 == 3);
        let blocks = self.variants.div_ceil(BLOCK);
        let kind_bytes = |count: usize| if is_wide { count } else { count.div_ceil(2) };
        let flag_bytes = |count: usize| if has_flags { count.div_ceil(8) } else { 0 };
        // Full blocks have an even number of variants, so the sum holds for all together.
        let body =
            kind_bytes(self.variants) + self.variants * (width + allele_width) + flag_bytes(self.variants);
        let length = (blocks * 8 + body) as u64;
        if index_size < 12 || index_size - 12 < length {
            return Err(damaged("its header is cut off"));
        }
        let bytes = read_at(index, 12, length)?;
        let mut bytes = Bytes(&bytes);
        let block_offsets = bytes.take(blocks * 8).map_err(damaged)?;
        let (mut kinds, mut lengths, mut offsets, mut alleles) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (block, offset) in block_offsets.chunks_exact(8).enumerate() {
            let count = BLOCK.min(self.variants - block * BLOCK);
            let stored = bytes.take(kind_bytes(count)).map_err(damaged)?;
            if is_wide {
                kinds.extend_from_slice(stored);
            } else {
                kinds.extend(stored.iter().flat_map(|both| [both & 15, both >> 4]).take(count));
            }
            let stored = bytes.take(count * width).map_err(damaged)?;
            lengths.extend_from_slice(stored);
            self.add_offsets(integer(offset), stored, width, &mut offsets)?;
            if allele_width > 0 {
                let stored = bytes.take(count * allele_width).map_err(damaged)?;
                alleles.extend(stored.chunks_exact(allele_width).map(|count| integer(count) as u32));
            }
            bytes.take(flag_bytes(count)).map_err(damaged)?;
            if kinds.get(block * BLOCK).is_some_and(|kind| RecordType::Plink2(*kind).is_difference()) {
                return Err(damaged("the first record of a block is told as differences from another"));
            }
        }
        let records = Records::Variable { kinds, lengths, width, offsets, alleles };
        Ok(Layout { variants: self.variants, samples: self.samples, records })
    }

    /// Keeps the offset of each 64th record of a block that begins at `offset`.
    fn add_offsets(
        &self,
        mut offset: u64,
        lengths: &[u8],
        width: usize,
        offsets: &mut Vec<u64>,
    ) -> Result<(), GenotypeProblem> {
        for some in lengths.chunks(STRIDE * width) {
            offsets.push(offset);
            let length: u64 = some.chunks_exact(width).map(integer).sum();
            offset = offset.checked_add(length).filter(|end| *end <= self.size).ok_or_else(|| {
                damaged("records lie behind the end of the file: it is cut off, or its header damaged")
            })?;
        }
        Ok(())
    }
}

fn damaged(what: &str) -> GenotypeProblem {
    GenotypeProblem::File(what.to_owned())
}

/// Bytes of a file; their number has been held against the file's.
fn read_at(file: &File, offset: u64, length: u64) -> Result<Vec<u8>, GenotypeProblem> {
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], samples: usize, variants: usize) -> Result<Layout, GenotypeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.pgen");
        std::fs::write(&path, bytes).unwrap();
        Layout::read(&File::open(&path).unwrap(), &path, samples, variants)
    }

    /// A head of so many variants and samples with its control byte.
    fn head(mode: u8, variants: u32, samples: u32, control: u8) -> Vec<u8> {
        [&[0x6c, 0x1b, mode][..], &variants.to_le_bytes(), &samples.to_le_bytes(), &[control]].concat()
    }

    #[test]
    fn records_are_found_by_types_lengths_and_alleles() {
        // Types of four bits, lengths of two bytes, allele counts of one, flags of the reference.
        let mut bytes = head(0x10, 3, 4, 0b1101_0001);
        bytes.extend(35u64.to_le_bytes());
        bytes.extend([0x24, 0x00, 2, 0, 1, 1, 0, 0, 2, 3, 2, 0b101]);
        assert_eq!(bytes.len(), 32);
        bytes.resize(35 + 259, 0);
        let layout = read(&bytes, 4, 3).unwrap();
        let places: Vec<_> = (0..4).map(|variant| layout.place(variant)).collect();
        let place = |kind, bytes| Some(Place { kind: RecordType::Plink2(kind), bytes });
        assert_eq!(places, [place(4, 35..37), place(2, 37..294), place(0, 294..294), None]);
        assert_eq!([0, 1, 2, 3].map(|variant| layout.alleles(variant)), [Some(2), Some(3), Some(2), None]);
        assert_eq!((layout.base(1), layout.base(0)), (Some(0), None));
        bytes.pop();
        assert!(read(&bytes, 4, 3).unwrap_err().to_string().contains("behind the end of the file"));
    }

    #[test]
    fn what_is_not_supported_is_said() {
        for (bytes, word) in [
            (vec![0x6c, 0x1b, 0], "ordered by samples"),
            (vec![0x6c, 0x1b, 0x05], "storage mode 0x05"),
            (vec![0x1f, 0x8b, 0x08], "its first bytes"),
            (head(0x10, 1, 1, 0x48), "fused"),
            (head(2, 1, 1, 0x41), "does not fit its storage mode"),
            (head(0x10, 0xffff_ffff, 1, 0x40), "impossible"),
            (head(0x10, 1, 1, 0x40), "its header is cut off"),
            ([head(0x10, 1, 1, 0x40), vec![22, 0, 0, 0, 0, 0, 0, 0, 2, 0]].concat(), "as differences"),
        ] {
            let error = read(&bytes, 1, 1).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200), small in prop::collection::vec(0u8..3, 0..300),
            mode in prop::sample::select(vec![0u8, 1, 2, 3, 4, 0x10, 0x11, 0x20, 0x99]), control in any::<u8>(),
            samples in 0u32..9, variants in 0u32..200, offset in 0u64..400,
        ) {
            let whole = [head(mode, variants, samples, control & 0xf7), offset.to_le_bytes().to_vec(), small].concat();
            for bytes in [bytes, whole] {
                if let Ok(layout) = read(&bytes, samples as usize, variants as usize) {
                    for variant in 0..=layout.variants() {
                        let place = layout.place(variant);
                        prop_assert_eq!(place.is_some(), variant < layout.variants());
                        prop_assert!(place.is_none_or(|place| place.bytes.end <= bytes.len() as u64));
                        prop_assert!(layout.base(variant).is_none_or(|base| base < variant));
                    }
                }
            }
        }
    }
}
