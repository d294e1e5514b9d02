//! Reads and inflates the genotypes of variants.

use std::io::Read;

use libdeflater::Decompressor;

use super::Bgen;
use super::header::{Compression, LayoutVersion};
use super::probabilities::Probabilities;
use crate::formats::genotypes::bytes::{Bytes, Problem};
use crate::formats::genotypes::window::Window;
use crate::formats::genotypes::{Cursor, DosageOf, GenotypeError, GenotypeProblem, Genotypes};

/// So much is read at once where variants follow one another.
const AHEAD: u64 = 1 << 18;
/// zlib makes no more than this of a byte; what says that it grows to more, is inflated bit by bit.
const MOST_GROWTH: usize = 1032;

/// A place in a file, for one thread.
pub struct BgenCursor<'f> {
    file: &'f Bgen,
    window: Window<'f>,
    inflate: Inflate,
    read: Probabilities,
}

impl<'f> BgenCursor<'f> {
    pub(super) fn new(file: &'f Bgen) -> Self {
        let inflate = Inflate { zlib: Decompressor::new(), zstd: None };
        Self {
            file,
            window: Window::new(&file.file, file.size, AHEAD),
            inflate,
            read: Probabilities::default(),
        }
    }

    /// Reads the probabilities of a variant's genotypes.
    ///
    /// # Errors
    /// There is no such variant, the file cannot be read or is damaged.
    pub fn probabilities(&mut self, variant: usize) -> Result<&Probabilities, GenotypeError> {
        self.read_inner(variant).map_err(|problem| problem.of(&self.file.path))?;
        Ok(&self.read)
    }

    fn read_inner(&mut self, variant: usize) -> Result<(), GenotypeProblem> {
        let told =
            |what: Problem| GenotypeProblem::Variant { variant: variant as u64 + 1, what: what.to_owned() };
        let (file, head) = (self.file, &self.file.head);
        let place = file.genotypes.get(variant).ok_or_else(|| told("there is no such variant"))?;
        let mut stored = Bytes(self.window.get(place.clone())?);
        let samples = head.samples as usize;
        match head.layout {
            LayoutVersion::One => {
                if head.compression != Compression::None {
                    stored.take(4).map_err(told)?;
                }
                self.inflate
                    .read(head.compression, stored.0, 6 * samples, &mut self.read.data)
                    .map_err(told)?;
                self.read.take_layout_1(samples).map_err(told)
            }
            LayoutVersion::Two => {
                stored.take(4).map_err(told)?;
                let length = match head.compression {
                    Compression::None => stored.0.len(),
                    _ => stored.integer(4).map_err(told)? as usize,
                };
                self.inflate.read(head.compression, stored.0, length, &mut self.read.data).map_err(told)?;
                let alleles = file.sites.get(variant).map_or(0, |site| 1 + site.alternates().count());
                self.read.take_layout_2(samples, alleles).map_err(told)
            }
        }
    }
}

impl Cursor for BgenCursor<'_> {
    fn read(&mut self, variant: usize, into: &mut Genotypes) -> Result<(), GenotypeError> {
        self.probabilities(variant)?;
        let read = &self.read;
        into.clear(read.samples(), read.alleles());
        into.ploidies.extend(read.uneven_ploidies());
        into.dosages.of = DosageOf::All;
        let counted = read.dosages_of_others(&mut into.dosages);
        counted.map_err(|what| {
            let problem = GenotypeProblem::Variant { variant: variant as u64 + 1, what: what.to_owned() };
            problem.of(&self.file.path)
        })
    }
}

/// Decompressors, kept from variant to variant.
struct Inflate {
    zlib: Decompressor,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl Inflate {
    /// Inflates to `length` bytes. The memory is bounded by what is stored, or by what comes of it.
    fn read(
        &mut self,
        compression: Compression,
        stored: &[u8],
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        const DAMAGED: Problem = "its compressed genotypes are damaged";
        let is_usual = length / MOST_GROWTH <= stored.len();
        into.clear();
        let written = match compression {
            Compression::None => {
                into.extend_from_slice(stored);
                stored.len()
            }
            Compression::Zlib if !is_usual => return Err(DAMAGED),
            Compression::Zlib => {
                into.resize(length, 0);
                self.zlib.zlib_decompress(stored, into).map_err(|_| DAMAGED)?
            }
            Compression::Zstd if is_usual => {
                into.resize(length, 0);
                let zstd = match &mut self.zstd {
                    Some(zstd) => zstd,
                    None => self.zstd.insert(zstd::bulk::Decompressor::new().map_err(|_| DAMAGED)?),
                };
                zstd.decompress_to_buffer(stored, into.as_mut_slice()).map_err(|_| DAMAGED)?
            }
            Compression::Zstd => {
                let inner = zstd::Decoder::with_buffer(stored).map_err(|_| DAMAGED)?;
                inner.take(length as u64 + 1).read_to_end(into).map_err(|_| DAMAGED)?
            }
        };
        if written == length { Ok(()) } else { Err("its genotypes are not as long as is said") }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use flate2::write::ZlibEncoder;

    use super::*;

    #[test]
    fn what_grows_much_is_read_and_what_lies_about_its_length_is_refused() {
        let mut inflate = Inflate { zlib: Decompressor::new(), zstd: None };
        for content in [vec![7; 20_000_000], (0..=255).collect()] {
            let mut zlib = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            zlib.write_all(&content).unwrap();
            let zstd = zstd::encode_all(&content[..], 3).unwrap();
            for (compression, stored) in [
                (Compression::None, &content),
                (Compression::Zlib, &zlib.finish().unwrap()),
                (Compression::Zstd, &zstd),
            ] {
                let (mut read, length) = (Vec::new(), content.len());
                inflate.read(compression, stored, length, &mut read).unwrap();
                assert!(read == content);
                for wrong in [0, length - 1, length + 1, 0xffff_ffff] {
                    assert!(inflate.read(compression, stored, wrong, &mut read).is_err());
                    assert!(read.capacity() < 1 << 26);
                }
                assert!(inflate.read(compression, &stored[..stored.len() / 2], length, &mut read).is_err());
            }
        }
    }
}
