//! Random access to a reference FASTA, plain or BGZF-compressed.
//!
//! For fetching slices of known contigs from many threads. Not for streaming through reads or proteins.
//!
//! ```no_run
//! use norn::formats::fasta::Reference;
//!
//! let reference = Reference::open("GRCh38.fa".as_ref())?;
//! let chr20 = reference.contig_index("chr20").ok_or("no chr20")?;
//! let mut bases = Vec::new();
//! reference.fetch(chr20, 60_000, 61_000, &mut bases)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use md5::{Digest, Md5};
use rayon::prelude::*;

use super::{
    fai::{self, FaiProblem, FaiRecord},
    gzi::{BlockFile, GziError},
};

/// Why a reference could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum FastaError {
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file that was read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The FASTA text or its `.fai` is malformed.
    #[error("{path}: {source}", path = path.display())]
    Malformed {
        /// The FASTA or the index.
        path: PathBuf,
        /// Which line and why.
        source: FaiProblem,
    },
    /// The compressed file or its `.gzi` is malformed.
    #[error(transparent)]
    Compressed(#[from] GziError),
    /// The index says where lines end, and the text has something else there.
    #[error("{path}: the index does not fit the text of contig {contig}; remake it (samtools faidx)", path = path.display())]
    StaleIndex {
        /// The FASTA.
        path: PathBuf,
        /// The contig where it showed.
        contig: String,
    },
    /// A contig number outside the list.
    #[error("{path}: no contig number {contig}, there are {count}", path = path.display())]
    NoSuchContig {
        /// The FASTA.
        path: PathBuf,
        /// What was asked for, 0-based.
        contig: usize,
        /// How many contigs there are.
        count: usize,
    },
}

/// An open reference. All methods take `&self` and may be called from many threads at once: reads carry their own
/// offset (`pread`), and nothing is cached beyond the operating system's page cache.
#[derive(Debug)]
pub struct Reference {
    path: PathBuf,
    text: Text,
    records: Vec<FaiRecord>,
    contigs: Vec<(String, u64)>,
    by_name: HashMap<String, usize>,
}

impl Reference {
    /// Opens a FASTA with the `.fai` (and `.gzi`) beside it. An index that is missing is built in memory by one scan
    /// of the file; nothing is ever written beside it.
    ///
    /// # Errors
    /// The file cannot be read, is gzip but not BGZF, is not FASTA with even lines, or an index does not fit it.
    pub fn open(path: &Path) -> Result<Self, FastaError> {
        let text = Text::open(path)?;
        let mut index_path = path.as_os_str().to_owned();
        index_path.push(".fai");
        let index_path = PathBuf::from(index_path);
        let records = match std::fs::read(&index_path) {
            Ok(bytes) => fai::parse(&bytes, text.len())
                .map_err(|source| FastaError::Malformed { path: index_path, source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => fai::build(&mut text.reader())
                .map_err(|source| FastaError::Io { path: path.to_owned(), source })?
                .map_err(|source| FastaError::Malformed { path: path.to_owned(), source })?,
            Err(source) => return Err(FastaError::Io { path: index_path, source }),
        };
        let contigs: Vec<_> = records.iter().map(|record| (record.name.clone(), record.length)).collect();
        let by_name = contigs.iter().enumerate().map(|(number, (name, _))| (name.clone(), number)).collect();
        let reference = Self { path: path.to_owned(), text, records, contigs, by_name };
        reference.check_borders()?;
        Ok(reference)
    }

    /// Names and lengths in bases, in the order of the index.
    pub fn contigs(&self) -> &[(String, u64)] {
        &self.contigs
    }

    /// Number of the contig of this name, for [`Reference::fetch`].
    pub fn contig_index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The file this was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the content of `out` by bases `start..end` (0-based, half-open) of a contig, upper and lower case as
    /// in the file, clipped at the contig's end. A buffer used again and again costs no allocation.
    ///
    /// # Errors
    /// No such contig, a failed read, a corrupt block, or an index that does not fit the text.
    pub fn fetch(&self, contig: usize, start: u64, end: u64, out: &mut Vec<u8>) -> Result<(), FastaError> {
        let record = self.records.get(contig).ok_or_else(|| FastaError::NoSuchContig {
            path: self.path.clone(),
            contig,
            count: self.records.len(),
        })?;
        let end = end.min(record.length);
        if start >= end {
            out.clear();
            return Ok(());
        }
        let at = self.text.read(&self.path, record.offset_of(start), record.offset_of(end - 1) + 1, out)?;
        let bases = (end - start) as usize;
        if !close_lines(out, at, (start % record.line_bases) as usize, bases, record) {
            return Err(self.stale(record));
        }
        out.truncate(bases);
        Ok(())
    }

    /// Bases of all contigs that are not `N`, counted by the threads of the pool it is called in.
    ///
    /// # Errors
    /// As [`Reference::fetch`].
    pub fn known_bases(&self) -> Result<u64, FastaError> {
        let slices = self.contigs.iter().enumerate().flat_map(|(contig, (_, length))| {
            (0..*length).step_by(MD5_SLICE).map(move |start| (contig, start))
        });
        let count = |buffer: &mut Vec<u8>, (contig, start): (usize, u64)| {
            self.fetch(contig, start, start + MD5_SLICE as u64, buffer)?;
            Ok(buffer.iter().filter(|base| !matches!(base, b'N' | b'n')).count() as u64)
        };
        slices.collect::<Vec<_>>().into_par_iter().map_init(Vec::new, count).sum()
    }

    /// MD5 of a contig as 32 lower-case hexadecimal digits: bases in upper case, nothing outside `!`..`~`, as the
    /// tag `M5` of `@SQ` has it (SAM specification, section 1.3.2).
    ///
    /// # Errors
    /// As [`Reference::fetch`].
    pub fn md5(&self, contig: usize) -> Result<String, FastaError> {
        let mut digest = Md5::new();
        let mut bases = Vec::new();
        for start in (0..).step_by(MD5_SLICE) {
            self.fetch(contig, start, start + MD5_SLICE as u64, &mut bases)?;
            if bases.is_empty() {
                break;
            }
            bases.retain(u8::is_ascii_graphic);
            bases.make_ascii_uppercase();
            digest.update(&bases);
        }
        Ok(digest.finalize().iter().fold(String::with_capacity(32), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }

    /// Looks at the bytes around contigs: a name line must end before, and a line after. For compressed files only at
    /// the first and the last contig, because each look inflates a block.
    fn check_borders(&self) -> Result<(), FastaError> {
        let step = match self.text {
            Text::Plain { .. } => 1,
            Text::Bgzf(_) => self.records.len().saturating_sub(1).max(1),
        };
        let mut byte = Vec::new();
        for record in self.records.iter().step_by(step) {
            let mut byte_at = |offset: u64| -> Result<Option<u8>, FastaError> {
                let at = self.text.read(&self.path, offset, offset + 1, &mut byte)?;
                Ok(byte.get(at).copied())
            };
            let before = record.offset == 0 || byte_at(record.offset - 1)? == Some(b'\n');
            if !before || !matches!(byte_at(record.end_offset())?, None | Some(b'\n' | b'\r' | b'>')) {
                return Err(self.stale(record));
            }
        }
        Ok(())
    }

    fn stale(&self, record: &FaiRecord) -> FastaError {
        FastaError::StaleIndex { path: self.path.clone(), contig: record.name.clone() }
    }
}

/// Bases hashed at a time.
const MD5_SLICE: usize = 1 << 20;

/// The uncompressed text, by offset.
#[derive(Debug)]
enum Text {
    Plain { file: File, len: u64 },
    Bgzf(BlockFile),
}

impl Text {
    fn open(path: &Path) -> Result<Self, FastaError> {
        let io = |source| FastaError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let mut magic = [0; 2];
        let is_gzip = file.read_at(&mut magic, 0).map_err(io)? == 2 && magic == [31, 139];
        if is_gzip {
            return Ok(Self::Bgzf(BlockFile::open(path)?));
        }
        let len = file.metadata().map_err(io)?.len();
        Ok(Self::Plain { file, len })
    }

    fn len(&self) -> u64 {
        match self {
            Self::Plain { len, .. } => *len,
            Self::Bgzf(blocks) => blocks.uncompressed_len(),
        }
    }

    /// Puts at least bytes `start..end`, clipped at the end of the text, into `out`; returns where `start` is in it.
    fn read(&self, path: &Path, start: u64, end: u64, out: &mut Vec<u8>) -> Result<usize, FastaError> {
        match self {
            Self::Bgzf(blocks) => Ok(blocks.read_blocks(start, end, out)?),
            Self::Plain { file, len } => {
                let end = end.min(*len);
                // Not cleared first: what is there need not be zeroed again.
                out.resize(end.saturating_sub(start) as usize, 0);
                file.read_exact_at(out, start)
                    .map_err(|source| FastaError::Io { path: path.to_owned(), source })?;
                Ok(0)
            }
        }
    }

    /// The whole text from its start, for the scan that builds an index.
    fn reader(&self) -> BufReader<TextReader<'_>> {
        BufReader::with_capacity(1 << 20, TextReader { text: self, at: 0, inflated: Vec::new() })
    }
}

/// [`Text`] from start to end.
struct TextReader<'a> {
    text: &'a Text,
    at: u64,
    inflated: Vec<u8>,
}

impl Read for TextReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = match self.text {
            Text::Plain { file, .. } => file.read_at(buffer, self.at)?,
            Text::Bgzf(blocks) => {
                let start = blocks
                    .read_blocks(self.at, self.at + buffer.len() as u64, &mut self.inflated)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                let piece = &self.inflated[start..];
                let taken = piece.len().min(buffer.len());
                buffer[..taken].copy_from_slice(&piece[..taken]);
                taken
            }
        };
        self.at += taken as u64;
        Ok(taken)
    }
}

/// Moves `bases` bases that stand at `text[at..]` in lines, the first beginning at `column`, to the front of `text`.
/// False if a line does not end where the index says. In place: the slice is in the cache once, not twice.
fn close_lines(text: &mut [u8], at: usize, column: usize, bases: usize, record: &FaiRecord) -> bool {
    let (line, gap) = (record.line_bases as usize, record.terminator_len() as usize);
    let (mut from, mut to, mut column) = (at, 0, column);
    loop {
        let length = (line - column).min(bases - to);
        if from + length > text.len() {
            return false;
        }
        text.copy_within(from..from + length, to);
        (from, to, column) = (from + length + gap, to + length, 0);
        if to == bases {
            return true;
        }
        if text.get(from - 1) != Some(&b'\n') {
            return false;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use noodles::bgzf;
    use proptest::prelude::*;

    use super::*;

    /// Writes the sequences as plain and as BGZF FASTA with lines of `width`.
    fn fasta(sequences: &[Vec<u8>], width: usize, end: &str) -> (tempfile::TempDir, [PathBuf; 2]) {
        let mut text = Vec::new();
        for (number, bases) in sequences.iter().enumerate() {
            write!(text, ">c{number} description{end}").unwrap();
            for line in bases.chunks(width) {
                text.extend_from_slice(line);
                text.extend_from_slice(end.as_bytes());
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("r.fa"), dir.path().join("r.fa.gz")];
        std::fs::write(&paths[0], &text).unwrap();
        let mut writer = bgzf::io::Writer::new(File::create(&paths[1]).unwrap());
        for piece in text.chunks(101) {
            writer.write_all(piece).unwrap();
            writer.flush().unwrap();
        }
        writer.finish().unwrap();
        (dir, paths)
    }

    fn bases() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(b"ACGTNacgtn".to_vec()), 0..700)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_slice_is_the_slice_of_the_sequence(
            sequences in prop::collection::vec(bases(), 1..4), width in 1usize..90, crlf in any::<bool>(),
            contig in 0usize..4, a in 0u64..800, b in 0u64..800,
        ) {
            let (_dir, paths) = fasta(&sequences, width, if crlf { "\r\n" } else { "\n" });
            for path in &paths {
                let reference = Reference::open(path).unwrap();
                prop_assert_eq!(reference.contigs().len(), sequences.len());
                let contig = contig % sequences.len();
                prop_assert_eq!(reference.contig_index(&format!("c{contig}")), Some(contig));
                let whole = &sequences[contig];
                let (start, end) = (a.min(b), a.max(b));
                let mut out = b"left over".to_vec();
                reference.fetch(contig, start, end, &mut out).unwrap();
                let clip = |x: u64| (x as usize).min(whole.len());
                prop_assert_eq!(&out, &whole[clip(start)..clip(end)]);
            }
        }
    }

    #[test]
    fn m5_is_that_of_the_specification() {
        // SAM specification, section 1.3.2, of upper-cased bases: `printf ACGTNACGT | md5sum`
        let (_dir, paths) = fasta(&[b"acgtNACGT".to_vec(), Vec::new()], 4, "\n");
        for path in &paths {
            let reference = Reference::open(path).unwrap();
            assert_eq!(reference.md5(0).unwrap(), "1614297c8c8fab5c60fa10e5f27127a5");
            assert_eq!(reference.md5(1).unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
        }
    }

    #[test]
    fn a_stale_index_is_told() {
        let (_dir, paths) = fasta(&[vec![b'A'; 50], vec![b'C'; 50]], 10, "\n");
        let index = |text: &str| std::fs::write(paths[0].with_extension("fa.fai"), text).unwrap();
        index("c0\t50\t16\t10\t11\nc1\t50\t87\t10\t11\n");
        assert!(Reference::open(&paths[0]).is_ok());
        index("c0\t40\t16\t9\t10\n");
        assert!(matches!(Reference::open(&paths[0]), Err(FastaError::StaleIndex { .. })));
        index("c0\t45\t16\t15\t17\n");
        let reference = Reference::open(&paths[0]);
        let stale = |r: Reference| r.fetch(0, 0, 45, &mut Vec::new());
        assert!(matches!(reference.and_then(stale), Err(FastaError::StaleIndex { .. })));
        index("c0\t500\t16\t10\t11\n");
        assert!(matches!(Reference::open(&paths[0]), Err(FastaError::Malformed { .. })));
    }

    #[test]
    fn plain_gzip_and_a_missing_contig_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.fa.gz");
        std::fs::write(&path, [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        let error = Reference::open(&path).unwrap_err();
        assert!(error.to_string().contains("bgzip"), "{error}");
        let (_dir, paths) = fasta(&[b"ACGT".to_vec()], 4, "\n");
        let reference = Reference::open(&paths[0]).unwrap();
        assert!(matches!(
            reference.fetch(1, 0, 1, &mut Vec::new()),
            Err(FastaError::NoSuchContig { contig: 1, count: 1, .. })
        ));
    }
}
