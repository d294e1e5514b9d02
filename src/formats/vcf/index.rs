//! The `.csi` or `.tbi` beside a file of variants: which stretches of the file hold the records of a region.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use noodles::core::Position;
use noodles::core::region::Interval;
use noodles::csi::BinningIndex;
use noodles::csi::binning_index::ReferenceSequence;
use noodles::{csi, tabix};

/// An index.
pub struct VariantIndex {
    /// Its file.
    pub path: PathBuf,
    inner: Box<dyn BinningIndex>,
    /// Contigs by number; empty where the index has no names, as that of a BCF.
    names: Vec<Vec<u8>>,
}

/// A stretch of the file, by virtual offsets.
pub type Chunk = (u64, u64);

impl VariantIndex {
    /// Reads the index that lies beside a file; `None` where there is none.
    ///
    /// # Errors
    /// There is one, but it cannot be read.
    pub fn beside(path: &Path) -> Result<Option<Self>, (PathBuf, io::Error)> {
        for extension in [".csi", ".tbi"] {
            let mut name = OsString::from(path);
            name.push(extension);
            let index = PathBuf::from(name);
            if index.is_file() {
                return Self::read(&index).map(Some).map_err(|error| (index, error));
            }
        }
        Ok(None)
    }

    /// Reads an index, a `.tbi` or else a `.csi`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let inner: Box<dyn BinningIndex> = match path.extension() {
            Some(extension) if extension == "tbi" => Box::new(tabix::fs::read(path)?),
            _ => Box::new(csi::fs::read(path)?),
        };
        let names = inner.header().map(|header| header.reference_sequence_names());
        let names = names.into_iter().flatten().map(|name| name.to_vec()).collect();
        Ok(Self { path: path.to_owned(), inner, names })
    }

    /// How many records each contig has, by number; `None` where the index does not say.
    pub fn counts(&self) -> Vec<Option<u64>> {
        let count = |contig: &dyn ReferenceSequence| {
            contig.metadata().map(|m| m.mapped_record_count().saturating_add(m.unmapped_record_count()))
        };
        self.inner.reference_sequences().map(count).collect()
    }

    /// The contigs that the index names, in its order; none for a BCF's.
    pub fn names(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// The stretches that hold all records of these regions of one contig (0-based half-open; the last may reach to
    /// `u64::MAX`), sorted and disjoint. `number` is the contig's in the header, for an index without names.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn chunks(
        &self,
        contig: &[u8],
        number: Option<usize>,
        regions: impl Iterator<Item = (u64, u64)>,
    ) -> io::Result<Vec<Chunk>> {
        let number =
            if self.names.is_empty() { number } else { self.names.iter().position(|name| name == contig) };
        let Some(number) = number.filter(|number| *number < self.inner.reference_sequences().count()) else {
            return Ok(Vec::new());
        };
        let mut chunks = Vec::new();
        for (start, end) in regions {
            // The index may be shallower than the region reaches; an end that is left out is its own.
            let start =
                Position::try_from(usize::try_from(start).unwrap_or(usize::MAX).saturating_add(1).max(1))
                    .map_err(io::Error::other)?;
            let end = usize::try_from(end).ok().filter(|end| *end < 1 << 29).and_then(Position::new);
            let interval = match end {
                Some(end) => Interval::from(start..=end.max(start)),
                None => Interval::from(start..),
            };
            let found = match self.inner.query(number, interval) {
                Ok(found) => found,
                // Behind the greatest position that the index can hold there is nothing.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => continue,
                Err(error) => return Err(error),
            };
            chunks.extend(found.iter().map(|chunk| (u64::from(chunk.start()), u64::from(chunk.end()))));
        }
        chunks.sort_unstable();
        chunks.dedup_by(|next, last| {
            let joins = next.0 <= last.1;
            if joins {
                last.1 = last.1.max(next.1);
            }
            joins
        });
        Ok(chunks)
    }
}
