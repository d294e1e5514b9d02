//! How a file is known again without reading all of it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::formats::checksum::blake3_of;

/// What a file was like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Its bytes.
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970; it is compared, never ordered.
    pub modified: i64,
    /// BLAKE3 of its first and last 64 KiB.
    pub ends: String,
    /// BLAKE3 of all of it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
}

/// Bytes at each end that are looked at.
const END: usize = 1 << 16;

impl Fingerprint {
    /// Of a file, or of a directory: of the names and fingerprints of the files in it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path, checksum: bool) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            return Self::of_directory(path, checksum);
        }
        let modified = modified(&metadata)?;
        let blake3 = if checksum { Some(blake3_of(path)?.0) } else { None };
        Ok(Self { size: metadata.len(), modified, ends: ends(path, metadata.len())?, blake3 })
    }

    fn of_directory(path: &Path, checksum: bool) -> io::Result<Self> {
        let mut names: Vec<_> = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        names.sort_by_key(std::fs::DirEntry::file_name);
        let (mut hasher, mut size, mut modified) = (blake3::Hasher::new(), 0, 0);
        for entry in names {
            // Scores lie side by side; what lies deeper is not read.
            if !fs::metadata(entry.path())?.is_file() {
                continue;
            }
            let of = Self::of(&entry.path(), checksum)?;
            (size, modified) = (size + of.size, of.modified.max(modified));
            hasher.update(entry.file_name().as_encoded_bytes());
            hasher.update(of.key().as_bytes());
        }
        Ok(Self { size, modified, ends: hasher.finalize().to_hex().to_string(), blake3: None })
    }

    /// All of it as a word.
    pub fn key(&self) -> String {
        format!(
            "{} {} {} {}",
            self.size,
            self.modified,
            self.ends,
            self.blake3.as_deref().unwrap_or_default()
        )
    }
}

/// When a file was last changed, in nanoseconds since 1970.
///
/// # Errors
/// The system does not tell.
pub fn modified(metadata: &Metadata) -> io::Result<i64> {
    Ok(match metadata.modified()?.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i64,
        Err(before) => -(before.duration().as_nanos() as i64),
    })
}

fn ends(path: &Path, size: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut bytes = Vec::new();
    (&mut file).take(END as u64).read_to_end(&mut bytes)?;
    hasher.update(&bytes);
    if size > END as u64 {
        bytes.clear();
        file.seek(SeekFrom::Start(size.saturating_sub(END as u64).max(END as u64)))?;
        file.take(END as u64).read_to_end(&mut bytes)?;
        hasher.update(&bytes);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_a_file_changes_its_fingerprint() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut bytes = vec![7; 300_000];
        let write = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            // The same time for all: nothing but the bytes differs.
            File::open(&path).unwrap().set_modified(UNIX_EPOCH).unwrap();
            (Fingerprint::of(&path, false).unwrap(), Fingerprint::of(&path, true).unwrap())
        };
        let (quick, full) = write(&bytes);
        assert_eq!(write(&bytes), (quick.clone(), full.clone()));
        for (at, is_seen) in [(0, true), (65_535, true), (150_000, false), (299_999, true)] {
            bytes[at] ^= 1;
            let (other, other_full) = write(&bytes);
            assert_eq!(other != quick, is_seen, "byte {at}");
            assert_ne!(other_full, full);
            bytes[at] ^= 1;
        }
        assert_ne!(write(&bytes[1..]).0, quick);
        let touched = {
            write(&bytes);
            File::open(&path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
            Fingerprint::of(&path, false).unwrap()
        };
        assert_ne!(touched, quick);
        assert_ne!(Fingerprint::of(directory.path(), false).unwrap().key(), "");
    }
}
