//! The `.csi` or `.tbi` beside a file of variants: which stretches of the file hold the records of a region.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use noodles::core::Position;
use noodles::core::region::Interval;
use noodles::csi::BinningIndex;
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
            if !index.is_file() {
                continue;
            }
            let inner: io::Result<Box<dyn BinningIndex>> = match extension {
                ".csi" => csi::fs::read(&index).map(|index| Box::new(index) as _),
                _ => tabix::fs::read(&index).map(|index| Box::new(index) as _),
            };
            let inner = inner.map_err(|error| (index.clone(), error))?;
            let names = inner.header().map(|header| header.reference_sequence_names());
            let names = names.into_iter().flatten().map(|name| name.to_vec()).collect();
            return Ok(Some(Self { path: index, inner, names }));
        }
        Ok(None)
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
