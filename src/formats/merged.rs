//! Several alignment files of one sample (lanes, nights) read as one, in coordinate order.
//!
//! The records are those that a merge of the files would hold: by contig and position, of equals those of the earlier
//! file first, reads without a position last. One file alone is passed through.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::alignment::{AlignmentError, AlignmentFile, Columns, Fetch, RecordReader};
use super::bam::Record;
use super::header::{Header, ReadGroup, SortOrder};

/// What is wrong with one of the files.
#[derive(Debug, Error)]
#[error("{path}: {source}", path = path.display())]
pub struct MergedError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: AlignmentError,
}

/// Alignment files of one sample, opened; at least one.
pub struct MergedFiles {
    files: Vec<AlignmentFile>,
    header: Header,
    read_groups: Vec<ReadGroupNumbers>,
}

/// The merged header's number of each read group's id in one file.
pub type ReadGroupNumbers = FxHashMap<Vec<u8>, usize>;

impl MergedFiles {
    /// Opens one file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path, reference: Option<&Path>) -> Result<Self, MergedError> {
        let file = AlignmentFile::open(path, reference);
        Self::new(vec![file.map_err(|source| MergedError { path: path.to_owned(), source })?])
    }

    /// Takes files together, which must have the same contigs.
    ///
    /// # Errors
    /// A file has other contigs than the first.
    pub fn new(files: Vec<AlignmentFile>) -> Result<Self, MergedError> {
        let (mut header, mut read_groups) = (Header::default(), Vec::new());
        for (number, file) in files.iter().enumerate() {
            let theirs = file.header();
            if number == 0 {
                header.contigs.clone_from(&theirs.contigs);
                header.sort_order = theirs.sort_order;
            }
            if let Err(what) = header.join_contigs(&theirs.contigs) {
                let what = format!("{what} of {}", files[0].path().display());
                return Err(failed(file, AlignmentError::BadHeader(what)));
            }
            if theirs.sort_order != SortOrder::Coordinate {
                header.sort_order = theirs.sort_order;
            }
            read_groups.push(join(&mut header.read_groups, &theirs.read_groups));
        }
        Ok(Self { files, header, read_groups })
    }

    /// The header that a merge of the files would have: the contigs and all read groups.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// For each file, the numbers of its read groups in [`Self::header`].
    pub fn read_groups(&self) -> &[ReadGroupNumbers] {
        &self.read_groups
    }

    /// The files.
    pub fn files(&self) -> &[AlignmentFile] {
        &self.files
    }

    /// The files, to be taken together with others.
    pub fn into_files(self) -> Vec<AlignmentFile> {
        self.files
    }

    /// Whether regions of all of them can be read.
    pub fn are_indexed(&self) -> bool {
        self.files.iter().all(|file| file.index().is_some())
    }

    /// Bytes of all files; unknown for a pipe.
    pub fn size(&self) -> Option<u64> {
        self.files.iter().map(AlignmentFile::size).sum()
    }

    /// A reader of all records. Of a pipe there is only one.
    ///
    /// # Errors
    /// A file cannot be opened again.
    pub fn records(&self, columns: Columns) -> Result<MergedReader<'_>, MergedError> {
        self.reader(|file| file.records(columns))
    }

    /// A reader for regions; stands nowhere until [`MergedReader::fetch`] is called.
    ///
    /// # Errors
    /// A file cannot be opened again, or has no index.
    pub fn region_reader(&self, columns: Columns) -> Result<MergedReader<'_>, MergedError> {
        self.reader(|file| file.region_reader(columns))
    }

    fn reader(
        &self,
        open: impl Fn(&AlignmentFile) -> Result<RecordReader, AlignmentError>,
    ) -> Result<MergedReader<'_>, MergedError> {
        let open = |file: &AlignmentFile| open(file).map_err(|source| failed(file, source));
        let readers = self.files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let heads = vec![Head::Unread; readers.len()];
        let by_position = self.header.sort_order == SortOrder::Coordinate;
        Ok(MergedReader { files: &self.files, readers, heads, by_position })
    }
}

/// Adds read groups that are not there yet; the numbers of all of them by their id. The same id with other tags is
/// another read group: its id gets a number behind it.
fn join(all: &mut Vec<ReadGroup>, theirs: &[ReadGroup]) -> ReadGroupNumbers {
    let mut numbers = ReadGroupNumbers::default();
    for group in theirs {
        let number = all.iter().position(|known| known == group).unwrap_or_else(|| {
            let is_taken = |id: &str| all.iter().any(|known| known.id == id);
            let mut id = group.id.clone();
            let mut copy = 1;
            while is_taken(&id) {
                copy += 1;
                id = format!("{}.{copy}", group.id);
            }
            all.push(ReadGroup { id, ..group.clone() });
            all.len() - 1
        });
        numbers.insert(group.id.clone().into_bytes(), number);
    }
    numbers
}

fn failed(file: &AlignmentFile, source: AlignmentError) -> MergedError {
    MergedError { path: file.path().to_owned(), source }
}

/// What a reader's newest record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// Given away, or none read yet.
    Unread,
    /// Not given away: contig and position, those without one last.
    At(u32, u32),
    /// There are no more.
    Ended,
}

/// Reads the records of all files.
pub struct MergedReader<'f> {
    files: &'f [AlignmentFile],
    readers: Vec<RecordReader>,
    heads: Vec<Head>,
    by_position: bool,
}

impl MergedReader<'_> {
    /// The number of the next record's file, and the record; `None` after the last. Records of a region may come with
    /// some that lie before it.
    ///
    /// # Errors
    /// A file is damaged.
    #[inline]
    pub fn next_record(&mut self) -> Result<Option<(usize, Record<'_>)>, MergedError> {
        if self.readers.len() != 1 {
            return self.next_of_many();
        }
        match self.readers[0].next_record() {
            Ok(record) => Ok(record.map(|record| (0, record))),
            Err(source) => Err(failed(&self.files[0], source)),
        }
    }

    fn next_of_many(&mut self) -> Result<Option<(usize, Record<'_>)>, MergedError> {
        let mut first: Option<(usize, (u32, u32))> = None;
        for (number, head) in self.heads.iter_mut().enumerate() {
            if *head == Head::Unread {
                let next = self.readers[number].next_record();
                *head = match next.map_err(|source| failed(&self.files[number], source))? {
                    // -1 becomes the greatest number.
                    Some(record) if self.by_position => Head::At(record.ref_id() as u32, record.pos() as u32),
                    Some(_) => Head::At(0, 0),
                    None => Head::Ended,
                };
            }
            if let Head::At(contig, position) = *head
                && first.is_none_or(|(_, least)| (contig, position) < least)
            {
                first = Some((number, (contig, position)));
            }
        }
        let Some((number, _)) = first else { return Ok(None) };
        self.heads[number] = Head::Unread;
        let record = self.readers[number].newest().map_err(|source| failed(&self.files[number], source))?;
        Ok(record.map(|record| (number, record)))
    }

    /// Goes to a region of all files.
    ///
    /// # Errors
    /// There is no index, or a file cannot be read there.
    pub fn fetch(&mut self, what: Fetch) -> Result<(), MergedError> {
        for (reader, file) in self.readers.iter_mut().zip(self.files) {
            reader.fetch(file, what).map_err(|source| failed(file, source))?;
        }
        self.heads.fill(Head::Unread);
        Ok(())
    }

    /// How many bytes of the files have been read, where that is known.
    pub fn offset(&self) -> u64 {
        self.readers.iter().map(RecordReader::offset).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_groups_of_one_id_are_told_apart() {
        let group = |id: &str, library: &str| ReadGroup {
            id: id.into(),
            library: Some(library.into()),
            ..ReadGroup::default()
        };
        let mut all = Vec::new();
        join(&mut all, &[group("1", "a"), group("2", "a")]);
        let numbers = join(&mut all, &[group("1", "b"), group("2", "a")]);
        assert_eq!(numbers[&b"1"[..]], 2);
        assert_eq!(numbers[&b"2"[..]], 1);
        let ids: Vec<_> = all.iter().map(|group| group.id.as_str()).collect();
        assert_eq!(ids, ["1", "2", "1.2"]);
    }
}
