//! norn's own databases: sections of bytes with a head that says what they are made from.
//!
//! | bytes | |
//! |---|---|
//! | 8 | `NORN.NDB` |
//! | 4 | version of this layout, little-endian |
//! | ... | sections, one behind the other |
//! | n | the head, JSON |
//! | 8 | n, little-endian |
//! | 32 | BLAKE3 of the head |
//! | 8 | `NORN.NDB` |
//!
//! Parts of sections are read where they are needed, not mapped: a file that is cut while it is read gives an error and
//! not a signal, on every file system. The head is always checked, sections by [`Ndb::verify`].

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checksum::blake3_of;
use super::output::{AtomicFile, OutputError};

const MAGIC: &[u8; 8] = b"NORN.NDB";
const VERSION: u32 = 1;
/// Magic and version.
const BEGIN: u64 = 12;
/// Length, checksum and magic.
const END: u64 = 48;
/// A head is small; what says otherwise is damaged.
const LONGEST_HEAD: u64 = 1 << 28;

/// What a database is and what it is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// What kind it is: `genes`, `alleles`, `intervals`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The version of norn that made it.
    pub norn: String,
    /// The files it is made from.
    pub made_from: Vec<MadeFrom>,
    /// Contigs with their lengths, where the reference was known.
    pub contigs: Vec<(String, u64)>,
    /// What the kind adds.
    pub details: serde_json::Value,
    /// Where the sections are.
    pub sections: Vec<Section>,
}

/// A file that a database is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFrom {
    /// Its name without directories.
    pub file: String,
    /// Its bytes.
    pub size: u64,
    /// Its checksum.
    pub blake3: String,
}

/// A section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// Its checksum.
    pub blake3: String,
}

/// Why a database could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NdbError {
    /// The system failed.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is something else, or damaged.
    #[error("{path}: {what}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// A database that is read.
#[derive(Debug)]
pub struct Ndb {
    path: PathBuf,
    file: File,
    head: Head,
}

impl Ndb {
    /// Opens a database and checks its head.
    ///
    /// # Errors
    /// It cannot be read, is no database, is damaged, or of a newer version.
    pub fn open(path: &Path) -> Result<Self, NdbError> {
        let io = |source| NdbError::Io { path: path.to_owned(), source };
        let damaged = |what: &str| NdbError::Damaged { path: path.to_owned(), what: what.to_owned() };
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let mut begin = [0; BEGIN as usize];
        if size < BEGIN + END {
            return Err(damaged("it is no database of norn, or cut off"));
        }
        file.read_exact_at(&mut begin, 0).map_err(io)?;
        let [magic @ .., a, b, c, d] = begin;
        if magic != *MAGIC {
            return Err(damaged("it is no database of norn"));
        }
        let version = u32::from_le_bytes([a, b, c, d]);
        if version > VERSION {
            let what =
                format!("it is of version {version}; this norn reads up to {VERSION}: use a newer one");
            return Err(damaged(&what));
        }
        let mut end = [0; END as usize];
        file.read_exact_at(&mut end, size - END).map_err(io)?;
        let (length, rest) = end.split_at(8);
        let (checksum, magic) = rest.split_at(32);
        let length = length.try_into().map_or(u64::MAX, u64::from_le_bytes);
        if magic != MAGIC || length > LONGEST_HEAD || length > size - BEGIN - END {
            return Err(damaged("it is cut off"));
        }
        let mut head = vec![0; length as usize];
        file.read_exact_at(&mut head, size - END - length).map_err(io)?;
        if blake3::hash(&head).as_bytes() != checksum {
            return Err(damaged("its head is damaged (checksum)"));
        }
        let head: Head = serde_json::from_slice(&head).map_err(|error| damaged(&error.to_string()))?;
        let last = size - END - length;
        let is_inside = |section: &Section| {
            section.offset >= BEGIN
                && section.offset.checked_add(section.length).is_some_and(|end| end <= last)
        };
        if !head.sections.iter().all(is_inside) {
            return Err(damaged("its sections lie outside of it"));
        }
        Ok(Self { path: path.to_owned(), file, head })
    }

    /// What it is.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An error of this file.
    pub fn damaged(&self, what: impl Into<String>) -> NdbError {
        NdbError::Damaged { path: self.path.clone(), what: what.into() }
    }

    /// Ends with an error where it is of another kind.
    ///
    /// # Errors
    /// It is.
    pub fn expect_kind(&self, kinds: &[&str]) -> Result<(), NdbError> {
        if kinds.contains(&self.head.kind.as_str()) {
            return Ok(());
        }
        Err(self.damaged(format!("it holds {}, not {}", self.head.kind, kinds.join(" or "))))
    }

    /// Ends with an error where a contig has another length than here.
    ///
    /// # Errors
    /// One has: another build.
    pub fn expect_contigs(&self, contigs: &[(String, u64)], reference: &Path) -> Result<(), NdbError> {
        for (name, length) in &self.head.contigs {
            if let Some((_, other)) = contigs.iter().find(|(known, _)| known == name)
                && other != length
            {
                let what = format!(
                    "{name} has {length} bases in it and {other} in {}: another build",
                    reference.display()
                );
                return Err(self.damaged(what));
            }
        }
        Ok(())
    }

    /// The section of a name.
    ///
    /// # Errors
    /// There is none.
    pub fn section(&self, name: &str) -> Result<&Section, NdbError> {
        let found = self.head.sections.iter().find(|section| section.name == name);
        found.ok_or_else(|| self.damaged(format!("it lacks the section {name}")))
    }

    /// Bytes of a section.
    ///
    /// # Errors
    /// They lie outside of it, or cannot be read.
    pub fn read(
        &self,
        section: &Section,
        offset: u64,
        length: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), NdbError> {
        if offset.checked_add(length).is_none_or(|end| end > section.length) {
            return Err(self.damaged(format!("what it refers to lies outside of {}", section.name)));
        }
        out.clear();
        out.resize(length as usize, 0);
        let read = self.file.read_exact_at(out, section.offset + offset);
        read.map_err(|source| NdbError::Io { path: self.path.clone(), source })
    }

    /// All of a section.
    ///
    /// # Errors
    /// It cannot be read, or its checksum is another.
    pub fn read_checked(&self, section: &Section) -> Result<Vec<u8>, NdbError> {
        let mut bytes = Vec::new();
        self.read(section, 0, section.length, &mut bytes)?;
        if blake3::hash(&bytes).to_hex().as_str() != section.blake3 {
            return Err(self.damaged(format!("its section {} is damaged (checksum)", section.name)));
        }
        Ok(bytes)
    }

    /// Holds all sections against their checksums.
    ///
    /// # Errors
    /// One is damaged, or cannot be read.
    pub fn verify(&self) -> Result<(), NdbError> {
        let mut buffer = Vec::new();
        for section in &self.head.sections {
            let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
            while at < section.length {
                let length = (section.length - at).min(1 << 20);
                self.read(section, at, length, &mut buffer)?;
                hasher.update(&buffer);
                at += length;
            }
            if hasher.finalize().to_hex().as_str() != section.blake3 {
                return Err(self.damaged(format!("its section {} is damaged (checksum)", section.name)));
            }
        }
        Ok(())
    }
}

impl MadeFrom {
    /// Reads a file for its checksum.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn file(path: &Path) -> Result<Self, NdbError> {
        let read = blake3_of(path);
        let (blake3, size) = read.map_err(|source| NdbError::Io { path: path.to_owned(), source })?;
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Self { file, size, blake3 })
    }
}

/// A database that is written, section by section. Nothing is there under its name until [`Self::finish`].
pub struct NdbWriter {
    path: PathBuf,
    file: AtomicFile,
    at: u64,
    sections: Vec<Section>,
    open: Option<(String, u64, blake3::Hasher)>,
}

impl NdbWriter {
    /// Begins a database.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> Result<Self, NdbError> {
        let file = AtomicFile::create(path)?;
        let mut writer = Self { path: path.to_owned(), file, at: 0, sections: Vec::new(), open: None };
        writer.put(MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    /// Begins a section; the one before ends.
    pub fn begin(&mut self, name: &str) {
        self.end();
        self.open = Some((name.to_owned(), self.at, blake3::Hasher::new()));
    }

    /// Writes bytes of the section; gives where they begin in it.
    ///
    /// # Errors
    /// Writing fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<u64, NdbError> {
        let from = self.open.as_ref().map_or(0, |(_, offset, _)| self.at - offset);
        self.put(bytes)?;
        if let Some((.., hasher)) = &mut self.open {
            hasher.update(bytes);
        }
        Ok(from)
    }

    /// Writes the head and gives the file its name.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(mut self, mut head: Head) -> Result<(), NdbError> {
        self.end();
        head.sections = std::mem::take(&mut self.sections);
        let failed =
            |source: serde_json::Error| OutputError { path: self.path.clone(), source: source.into() };
        let text = serde_json::to_vec(&head).map_err(failed)?;
        self.put(&text)?;
        self.put(&(text.len() as u64).to_le_bytes())?;
        self.put(blake3::hash(&text).as_bytes())?;
        self.put(MAGIC)?;
        Ok(self.file.commit()?)
    }

    fn end(&mut self) {
        if let Some((name, offset, hasher)) = self.open.take() {
            let blake3 = hasher.finalize().to_hex().to_string();
            self.sections.push(Section { name, offset, length: self.at - offset, blake3 });
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), NdbError> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| OutputError { path: self.path.clone(), source })?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            kind: "genes".into(),
            name: "x".into(),
            norn: "0".into(),
            made_from: Vec::new(),
            contigs: vec![("1".into(), 10)],
            details: serde_json::Value::Null,
            sections: Vec::new(),
        }
    }

    fn made(directory: &Path) -> PathBuf {
        let path = directory.join("x.ndb");
        let mut writer = NdbWriter::create(&path).unwrap();
        writer.begin("a");
        assert_eq!(writer.write(b"one").unwrap(), 0);
        assert_eq!(writer.write(b"two").unwrap(), 3);
        writer.begin("b");
        assert_eq!(writer.write(b"three").unwrap(), 0);
        writer.finish(head()).unwrap();
        path
    }

    #[test]
    fn sections_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let ndb = Ndb::open(&made(directory.path())).unwrap();
        let section = ndb.section("a").unwrap();
        let mut bytes = Vec::new();
        ndb.read(section, 3, 3, &mut bytes).unwrap();
        assert_eq!(bytes, b"two");
        assert!(ndb.read(section, 3, 4, &mut bytes).is_err());
        assert_eq!(ndb.read_checked(ndb.section("b").unwrap()).unwrap(), b"three");
        assert!(ndb.section("c").is_err());
        ndb.verify().unwrap();
        ndb.expect_kind(&["genes"]).unwrap();
        assert!(ndb.expect_kind(&["alleles"]).is_err());
        ndb.expect_contigs(&[("1".into(), 10), ("2".into(), 1)], Path::new("r")).unwrap();
        assert!(ndb.expect_contigs(&[("1".into(), 11)], Path::new("r")).is_err());
    }

    #[test]
    fn every_altered_byte_and_every_cut_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let whole = std::fs::read(made(directory.path())).unwrap();
        let path = directory.path().join("y.ndb");
        let is_fine = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Ndb::open(&path).and_then(|ndb| ndb.verify()).is_ok()
        };
        assert!(is_fine(&whole));
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            // A lower version number is read as this one.
            assert!(!is_fine(&bytes) || (8..12).contains(&at), "{at}");
            assert!(!is_fine(&whole[..at]), "{at}");
        }
        let mut newer = whole;
        newer[8] = 2;
        std::fs::write(&path, newer).unwrap();
        assert!(Ndb::open(&path).unwrap_err().to_string().contains("use a newer one"));
    }
}
