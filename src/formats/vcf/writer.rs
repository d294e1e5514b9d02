//! Variants to a file or standard output: text or BCF, plain or BGZF, with an index that is made while writing.
//!
//! What is written comes as bytes that are final, with the place of each record; they are the same at any number of
//! threads. BGZF is cut at contigs and windows of 2^24 bases, so that parts that were made apart, by windows, are joined as
//! they are to the same bytes.

use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::header::Header;
use crate::formats::bgzf_writer::{BgzfWriter, Level};
use crate::formats::binning::TextLayout;
use crate::formats::indexed::{IndexKind, IndexedError, IndexedWriter, PartIndex};
use crate::formats::output::{AtomicFile, OutputError};

/// The form of the output (bcftools' `-O`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputKind {
    /// BCF, not text.
    pub is_bcf: bool,
    /// BGZF at this level; not compressed without one.
    pub level: Option<Level>,
}

impl OutputKind {
    /// `v`, `z`, `b`, `u`, or a level after `z` or `b` (0 to 12; bcftools has 0 to 9).
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, level) = text.split_at_checked(1)?;
        let level = match level {
            "" => Some(Level::default()),
            level => Some(Level::new(level.parse().ok()?)?),
        };
        match (kind, text.len()) {
            ("v", 1) => Some(Self { is_bcf: false, level: None }),
            ("z", _) => Some(Self { is_bcf: false, level }),
            ("b", _) => Some(Self { is_bcf: true, level }),
            ("u", 1) => Some(Self { is_bcf: true, level: None }),
            _ => None,
        }
    }

    /// By the ending of a file's name, as bcftools guesses it; text where it says nothing.
    pub fn of_name(path: &Path) -> Self {
        let name = path.to_string_lossy();
        let kind = if name.ends_with(".vcf.gz") || name.ends_with(".vcf.bgz") {
            "z"
        } else if name.ends_with(".bcf") {
            "b"
        } else {
            "v"
        };
        Self::parse(kind).unwrap_or(Self { is_bcf: false, level: None })
    }
}

/// The index that is written with the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexFormat {
    /// `.csi`.
    Csi,
    /// `.tbi`; a BCF has none, and gets a `.csi`.
    Tbi,
}

/// Where a record stands in a block of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// One past its last byte; it begins where the one before ends.
    pub end: usize,
    /// The range of its contig's name in [`Block::names`].
    pub contig: (usize, usize),
    /// The positions it stands for, 0-based half-open.
    pub positions: (u64, u64),
}

/// Windows by POS are of `1 << WINDOW_SHIFT` bases.
pub const WINDOW_SHIFT: u32 = 24;

/// A contig and the number of a window of it.
pub type Window = (Vec<u8>, i64);

/// Records in their final form.
#[derive(Debug, Default)]
pub struct Block {
    /// All of their bytes.
    pub bytes: Vec<u8>,
    /// Their places; needed for an index only.
    pub places: Vec<Place>,
    /// Names of contigs.
    pub names: Vec<u8>,
    /// The windows of the records in order, each with where its records begin among the bytes; needed for BGZF only.
    pub windows: Vec<(usize, Window)>,
}

/// What a rank tells of its part before the part itself.
#[derive(Debug, Deserialize, Serialize)]
pub struct PartHead {
    /// Bytes of the part.
    pub bytes: u64,
    /// The same before compression, where it is compressed.
    content: u64,
    index: Option<PartIndex>,
}

/// Writes a header and blocks of records.
pub struct VariantWriter {
    path: PathBuf,
    inner: Inner,
    /// That of the record written last.
    window: Option<Window>,
}

enum Inner {
    Plain(Box<dyn Write + Send>),
    File(AtomicFile),
    Stream(BgzfWriter<Box<dyn Write + Send>>),
    Compressed(BgzfWriter<AtomicFile>),
    Indexed(Box<IndexedWriter>),
}

impl VariantWriter {
    /// Opens a file, or standard output where `path` is `-`. An index needs a compressed file; of a BCF it is a `.csi`
    /// by the contigs of its header.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(
        path: &Path,
        kind: OutputKind,
        index: Option<IndexFormat>,
        header: &Header,
    ) -> Result<Self, IndexedError> {
        let is_stdout = path == Path::new("-");
        let longest_contig = header.contigs().iter().filter_map(|(_, length)| *length).max().unwrap_or(0);
        let inner = match (is_stdout, kind.level, index) {
            (true, None, _) => Inner::Plain(Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout()))),
            (true, Some(level), _) => Inner::Stream(BgzfWriter::new(Box::new(io::stdout()), level)),
            (false, None, _) => Inner::File(AtomicFile::create(path)?),
            (false, Some(level), None) => {
                Inner::Compressed(BgzfWriter::new(AtomicFile::create(path)?, level))
            }
            (false, Some(level), Some(_)) if kind.is_bcf => {
                let contigs = header.contigs().iter().map(|(name, _)| name.clone()).collect();
                Inner::Indexed(Box::new(IndexedWriter::create_binary(path, contigs, longest_contig, level)?))
            }
            (false, Some(level), Some(index)) => {
                let kind = match index {
                    IndexFormat::Csi => IndexKind::Csi { longest_contig },
                    IndexFormat::Tbi => IndexKind::Tbi,
                };
                Inner::Indexed(Box::new(IndexedWriter::create(path, TextLayout::Vcf, kind, level)?))
            }
        };
        Ok(Self { path: path.to_owned(), inner, window: None })
    }

    /// Writes the header's bytes.
    ///
    /// # Errors
    /// Writing fails.
    pub fn write_header(&mut self, bytes: &[u8]) -> Result<(), IndexedError> {
        match &mut self.inner {
            Inner::Indexed(writer) => writer.write_header(bytes)?,
            _ => self.put(bytes)?,
        }
        self.cut();
        Ok(())
    }

    /// Writes records.
    ///
    /// # Errors
    /// Writing fails, or an index is wanted and the records are not sorted.
    pub fn write(&mut self, block: &Block) -> Result<(), IndexedError> {
        let (mut place, mut from) = (0, 0);
        for (begin, window) in &block.windows {
            if self.window.as_ref() != Some(window) {
                self.write_range(block, from..*begin, &mut place)?;
                self.cut();
                (from, self.window) = (*begin, Some(window.clone()));
            }
        }
        self.write_range(block, from..block.bytes.len(), &mut place)
    }

    /// Writes the records of a range of a block's bytes; `place` is the number of the first, and then that of the next.
    fn write_range(
        &mut self,
        block: &Block,
        range: Range<usize>,
        place: &mut usize,
    ) -> Result<(), IndexedError> {
        let Inner::Indexed(writer) = &mut self.inner else { return self.put(&block.bytes[range]) };
        let mut from = range.start;
        while let Some(&Place { end, contig, positions }) = block.places.get(*place)
            && end <= range.end
        {
            let name = String::from_utf8_lossy(&block.names[contig.0..contig.1]);
            writer.write_bytes(&name, positions.0, positions.1, &block.bytes[from..end])?;
            from = end;
            *place += 1;
        }
        Ok(())
    }

    fn cut(&mut self) {
        match &mut self.inner {
            Inner::Plain(_) | Inner::File(_) => {}
            Inner::Stream(writer) => writer.cut(),
            Inner::Compressed(writer) => writer.cut(),
            Inner::Indexed(writer) => writer.cut(),
        }
    }

    /// Ends a part: all of it is in the file of this path, which lives as long as the writer. Not for standard output.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish_part(&mut self) -> Result<PathBuf, IndexedError> {
        let failed = |source| OutputError { path: self.path.clone(), source };
        match &mut self.inner {
            Inner::Plain(_) | Inner::Stream(_) => Ok(self.path.clone()),
            Inner::File(file) => {
                file.flush().map_err(failed)?;
                Ok(file.written_path().to_owned())
            }
            Inner::Compressed(writer) => {
                writer.write_pending().and_then(|()| writer.flush()).map_err(failed)?;
                Ok(writer.get_ref().written_path().to_owned())
            }
            Inner::Indexed(writer) => writer.finish_part(),
        }
    }

    /// What is to be told of a part, whose file can still be read where it is open.
    pub fn into_head(self, bytes: u64) -> PartHead {
        match self.inner {
            Inner::Compressed(writer) => PartHead { bytes, content: writer.content_len(), index: None },
            Inner::Indexed(writer) => {
                let index = writer.into_index();
                PartHead { bytes, content: index.content_len(), index: Some(index) }
            }
            _ => PartHead { bytes, content: bytes, index: None },
        }
    }

    /// A part follows; gives the length of its content, for the last of its pieces.
    ///
    /// # Errors
    /// Writing fails, or its records cannot stand behind those before.
    pub fn begin_part(&mut self, head: PartHead) -> Result<u64, IndexedError> {
        if let (Inner::Indexed(writer), Some(index)) = (&mut self.inner, head.index) {
            writer.append_index(index)?;
        }
        Ok(head.content)
    }

    /// Takes a piece of a part; `content` is 0 but for the last.
    ///
    /// # Errors
    /// Writing fails.
    pub fn append_piece(&mut self, piece: &[u8], content: u64) -> Result<(), IndexedError> {
        let written = match &mut self.inner {
            Inner::Indexed(writer) => return writer.append_blocks(piece, content),
            Inner::Compressed(writer) => writer.append_blocks(piece, content),
            Inner::Stream(writer) => writer.append_blocks(piece, content),
            Inner::Plain(_) | Inner::File(_) => return self.put(piece),
        };
        Ok(written.map_err(|source| OutputError { path: self.path.clone(), source })?)
    }

    /// Writes what is pending and gives the file its name, with its index.
    ///
    /// # Errors
    /// Writing fails; then no file has appeared.
    pub fn finish(self) -> Result<(), IndexedError> {
        let failed = |source| OutputError { path: self.path.clone(), source };
        match self.inner {
            Inner::Plain(mut inner) => Ok(inner.flush().map_err(failed)?),
            Inner::File(file) => Ok(file.commit()?),
            Inner::Stream(mut writer) => Ok(writer.finish().and_then(|()| writer.flush()).map_err(failed)?),
            Inner::Compressed(mut writer) => {
                writer.finish().map_err(failed)?;
                Ok(writer.into_inner().commit()?)
            }
            Inner::Indexed(writer) => writer.finish(),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), IndexedError> {
        let written = match &mut self.inner {
            Inner::Plain(inner) => inner.write_all(bytes),
            Inner::File(file) => file.write_all(bytes),
            Inner::Stream(writer) => writer.write_all(bytes),
            Inner::Compressed(writer) => writer.write_all(bytes),
            Inner::Indexed(_) => Ok(()),
        };
        Ok(written.map_err(|source| OutputError { path: self.path.clone(), source })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_bcftools() {
        for (text, is_bcf, level) in [
            ("v", false, None),
            ("z", false, Level::new(6)),
            ("z1", false, Level::new(1)),
            ("b9", true, Level::new(9)),
            ("u", true, None),
        ] {
            assert_eq!(OutputKind::parse(text), Some(OutputKind { is_bcf, level }), "{text}");
        }
        for text in ["", "x", "v1", "z99", "zz"] {
            assert_eq!(OutputKind::parse(text), None, "{text}");
        }
        for (name, is_bcf, is_plain) in
            [("a.vcf", false, true), ("a.vcf.gz", false, false), ("a.bcf", true, false)]
        {
            let kind = OutputKind::of_name(Path::new(name));
            assert_eq!((kind.is_bcf, kind.level.is_none()), (is_bcf, is_plain), "{name}");
        }
    }
}
