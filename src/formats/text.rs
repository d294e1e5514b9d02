//! Lines of a text file, plain, gzip, BGZF or Zstandard, whatever its name.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use rust_htslib::bgzf;

/// Longest line in bytes that is taken; longer ones are an error, not an allocation.
pub const MAX_LINE: u64 = 1 << 24;

/// Why a text file cannot be used. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The system failed.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
}

/// Gives all lines of a file, as of [`open`] and [`read_line`], with their numbers to `take`, which says what is wrong with one.
///
/// # Errors
/// Reading fails, or a line is not UTF-8 or wrong.
pub fn for_each_line(
    path: &Path,
    mut take: impl FnMut(u64, &str) -> Result<(), String>,
) -> Result<(), TextError> {
    let io = |source| TextError::Io { path: path.to_owned(), source };
    let mut reader = open(path).map_err(io)?;
    let (mut line, mut number) = (Vec::new(), 0);
    while read_line(&mut *reader, &mut line).map_err(io)? {
        number += 1;
        let text = std::str::from_utf8(&line).map_err(|_| "it is not UTF-8".to_owned());
        text.and_then(|text| take(number, text)).map_err(|what| TextError::Line {
            path: path.to_owned(),
            line: number,
            what,
        })?;
    }
    Ok(())
}

/// Opens a text file for reading; gzip, BGZF and Zstandard are known by their first bytes and inflated.
///
/// # Errors
/// The file cannot be opened or its first bytes not read.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = File::open(path)?;
    let mut magic = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut magic)?;
    if !magic.starts_with(&[31, 139]) {
        // Chained, not rewound: a pipe is taken too.
        let is_zstd = magic == ZSTD;
        let whole = io::Cursor::new(magic).chain(file);
        if is_zstd {
            let mut inner = zstd::Decoder::new(whole)?;
            inner.window_log_max(ZSTD_WINDOW)?;
            return Ok(Box::new(BufReader::with_capacity(BUFFER, inner)));
        }
        return Ok(Box::new(BufReader::with_capacity(BUFFER, whole)));
    }
    // An absolute path: htslib takes what looks like `scheme:rest` for something else than a file.
    let path = path.canonicalize()?;
    let inner = bgzf::Reader::from_path(&path).map_err(io::Error::other)?;
    Ok(Box::new(BufReader::with_capacity(BUFFER, Inflated(inner))))
}

/// Reads the next line into `line` (replacing its content) without its end, `\n` or `\r\n`; false at the end of the
/// text.
///
/// # Errors
/// Reading fails, or the line is longer than [`MAX_LINE`].
pub fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let taken = reader.take(MAX_LINE).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if taken as u64 == MAX_LINE {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a line is longer than 16 MiB; is this text?",
        ));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(taken > 0)
}

const BUFFER: usize = 1 << 16;
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Zstandard files that want to look back further than 128 MiB are not taken: `zstd --long` goes so far.
const ZSTD_WINDOW: u32 = 27;

/// Gives htslib's failure a name.
struct Inflated(bgzf::Reader);

impl Read for Inflated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "the compressed data is truncated or corrupt")
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{io::Write, process::Command};

    use noodles::bgzf;

    use super::*;

    fn lines(path: &Path) -> io::Result<Vec<String>> {
        let (mut reader, mut line, mut all) = (open(path)?, Vec::new(), Vec::new());
        while read_line(&mut reader, &mut line)? {
            all.push(String::from_utf8_lossy(&line).into_owned());
        }
        Ok(all)
    }

    #[test]
    fn every_compression_gives_the_same_lines() {
        let dir = tempfile::tempdir().unwrap();
        let text: String =
            (0..9000).map(|n| format!("line {n}\r\n")).chain([String::from("\nlast")]).collect();
        let expected: Vec<_> = text.lines().map(str::to_owned).collect();
        let plain = dir.path().join("plain");
        std::fs::write(&plain, &text).unwrap();
        let bgzipped = dir.path().join("bgzipped");
        let mut writer = bgzf::io::Writer::new(File::create(&bgzipped).unwrap());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap();
        let gzipped = dir.path().join("gzipped");
        let gzip = Command::new("gzip").arg("-c").arg(&plain).output().unwrap();
        // Two members, one behind the other, are one file too.
        std::fs::write(&gzipped, [gzip.stdout.as_slice(), &gzip.stdout].concat()).unwrap();
        assert_eq!(lines(&plain).unwrap(), expected);
        assert_eq!(lines(&bgzipped).unwrap(), expected);
        assert_eq!(lines(&gzipped).unwrap().len(), 2 * expected.len() - 1);

        let zipped = dir.path().join("zstd");
        std::fs::write(&zipped, zstd::encode_all(text.as_bytes(), 3).unwrap()).unwrap();
        assert_eq!(lines(&zipped).unwrap(), expected);

        for path in [bgzipped, gzipped, zipped] {
            let bytes = std::fs::read(&path).unwrap();
            for cut in [bytes.len() / 3, 20] {
                std::fs::write(&path, &bytes[..cut]).unwrap();
                assert!(lines(&path).is_err(), "{path:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut endless = BufReader::new(io::repeat(b'x'));
        assert!(read_line(&mut endless, &mut Vec::new()).is_err());
    }

    #[test]
    fn an_empty_file_has_no_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(lines(file.path()).unwrap().is_empty());
    }
}
