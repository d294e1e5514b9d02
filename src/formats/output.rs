//! Result files that are either there whole or not at all.
//!
//! An [`AtomicFile`] is written under a temporary name in the target's directory; [`AtomicFile::commit`] flushes,
//! syncs and renames. A job killed at any moment leaves the old result or the new one. Standard output (`-`) is the
//! caller's matter.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A result could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}", path = path.display())]
pub struct OutputError {
    /// The target, or its temporary name where that says more.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A file that appears under its name only when complete; dropped without [`commit`](Self::commit), it leaves
/// nothing. Writes are buffered. New files have the mode that the umask gives.
#[derive(Debug)]
pub struct AtomicFile {
    writer: BufWriter<File>,
    target: PathBuf,
    /// `None` if the target is a device or pipe, which is written to directly, or once renamed.
    temporary: Option<PathBuf>,
}

impl AtomicFile {
    /// Opens a temporary file beside `target`. A target that is a symbolic link stays one: what it points to is
    /// replaced. A target that exists and is no regular file (`/dev/null`, a named pipe) is written to directly.
    ///
    /// # Errors
    /// The directory is missing or not writable, or `target` is a directory.
    pub fn create(target: &Path) -> Result<Self, OutputError> {
        let error = |source| OutputError { path: target.to_owned(), source };
        let (target, is_special) = match fs::metadata(target) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(error(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")));
            }
            Ok(metadata) if metadata.is_file() => (target.canonicalize().map_err(error)?, false),
            Ok(_) => (target.to_owned(), true),
            Err(_) => (target.to_owned(), false),
        };
        let (file, temporary) = if is_special {
            (OpenOptions::new().write(true).open(&target).map_err(error)?, None)
        } else {
            let (file, temporary) = create_temporary(&target).map_err(error)?;
            (file, Some(temporary))
        };
        Ok(Self { writer: BufWriter::with_capacity(1 << 16, file), target, temporary })
    }

    /// Whether the target is a device or pipe, so that there is no file to rename or to lay an index beside.
    pub fn is_direct(&self) -> bool {
        self.temporary.is_none()
    }

    /// Where the bytes are until then.
    pub fn written_path(&self) -> &Path {
        self.temporary.as_deref().unwrap_or(&self.target)
    }

    /// Flushes, syncs, and gives the file its name, replacing what had it.
    ///
    /// # Errors
    /// Writing, syncing or renaming fails; then the target is as it was and the temporary file is gone.
    pub fn commit(mut self) -> Result<(), OutputError> {
        self.sync()?;
        self.rename()?;
        sync_directory(&self.target)
    }

    /// Gives a file and its index their names, so that at no moment an index stands beside a file it does not
    /// belong to: both are synced, the old index is removed, then the file is renamed, then its index.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn commit_with_index(mut self, mut index: Self) -> Result<(), OutputError> {
        self.sync()?;
        index.sync()?;
        if index.temporary.is_some()
            && let Err(source) = fs::remove_file(&index.target)
            && source.kind() != io::ErrorKind::NotFound
        {
            return Err(OutputError { path: index.target.clone(), source });
        }
        self.rename()?;
        index.rename()?;
        sync_directory(&self.target)
    }

    fn sync(&mut self) -> Result<(), OutputError> {
        let synced = self.writer.flush().and_then(|()| match self.temporary {
            Some(_) => self.writer.get_ref().sync_all(),
            None => Ok(()),
        });
        synced.map_err(|source| OutputError { path: self.target.clone(), source })
    }

    fn rename(&mut self) -> Result<(), OutputError> {
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary, &self.target)
                .map_err(|source| OutputError { path: self.target.clone(), source })?;
            self.temporary = None;
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing is left to tell if this fails: the name says that it is a leftover.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// A text as the name of a file: all but letters, digits, `.`, `-` and `_` become `_`, and a first point too, so that it
/// neither leads to another directory nor hides.
pub fn file_name(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut name: String =
        text.chars().map(|c| if is_plain(c) { c } else { '_' }).take(LONGEST_NAME).collect();
    if name.is_empty() || name.starts_with('.') {
        name.replace_range(..name.len().min(1), "_");
    }
    name
}

/// Letters of a name that came from a text: with four bytes each there is room for endings below the 255 of a name.
const LONGEST_NAME: usize = 50;

/// Makes a new file `.NAME.PID.N.tmp` beside the target.
fn create_temporary(target: &Path) -> io::Result<(File, PathBuf)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name"))?;
    // Short enough to leave room below the 255 bytes of a name.
    let name: String = name.to_string_lossy().chars().take(40).collect();
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = target.with_file_name(format!(".{name}.{}.{number}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            // A leftover of another process of the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (file, path)),
        }
    }
}

/// Makes renames in the target's directory last. File systems that know no such sync are left alone.
fn sync_directory(target: &Path) -> Result<(), OutputError> {
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(source) if source.kind() == io::ErrorKind::StorageFull => {
            Err(OutputError { path: directory.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("result.txt");
        fs::write(&target, "old").unwrap();

        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(names(dir.path()).len(), 2);
        drop(file);
        assert_eq!(names(dir.path()), ["result.txt"]);

        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["result.txt"]);
    }

    #[test]
    fn the_mode_is_that_of_any_new_file() {
        let dir = tempfile::tempdir().unwrap();
        AtomicFile::create(&dir.path().join("a")).unwrap().commit().unwrap();
        File::create(dir.path().join("b")).unwrap();
        let mode = |name| fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("a"), mode("b"));
    }

    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        symlink(&real, &link).unwrap();
        let mut file = AtomicFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");

        let mut file = AtomicFile::create(Path::new("/dev/null")).unwrap();
        assert!(file.is_direct());
        file.write_all(b"gone").unwrap();
        file.commit().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told() {
        let dir = tempfile::tempdir().unwrap();
        for target in [dir.path().to_owned(), dir.path().join("no/such"), PathBuf::from("/")] {
            let error = AtomicFile::create(&target).unwrap_err();
            assert!(error.to_string().contains(&target.display().to_string()), "{error}");
        }
        assert!(AtomicFile::create(&dir.path().join("x".repeat(250))).unwrap().commit().is_ok());
    }

    #[test]
    fn no_text_leads_out_of_the_directory() {
        for (text, name) in [
            ("PGS000001_hmPOS_GRCh38", "PGS000001_hmPOS_GRCh38"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            (".hidden", "_hidden"),
            ("", "_"),
            ("a b\0c<d>", "a_b_c_d_"),
            ("Åse", "Åse"),
        ] {
            assert_eq!(file_name(text), name, "{text}");
        }
        assert!(file_name(&"å".repeat(300)).len() <= 200);
    }

    #[test]
    fn an_index_is_renamed_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let (data, index) = (dir.path().join("a.gz"), dir.path().join("a.gz.csi"));
        fs::write(&index, "old index").unwrap();
        let (mut file, mut beside) =
            (AtomicFile::create(&data).unwrap(), AtomicFile::create(&index).unwrap());
        file.write_all(b"data").unwrap();
        beside.write_all(b"index").unwrap();
        file.commit_with_index(beside).unwrap();
        assert_eq!(
            (fs::read(&data).unwrap(), fs::read(&index).unwrap()),
            (b"data".to_vec(), b"index".to_vec())
        );
        assert_eq!(names(dir.path()).len(), 2);
    }
}
