//! Position-sorted text (BED, VCF) as `.gz` with its `.csi` or `.tbi`, in one streaming pass.
//!
//! The index is made while writing and takes its name together with the file.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    bgzf_writer::{BgzfWriter, Level},
    binning::{BinningError, IndexBuilder, Scheme, TextLayout},
    output::{AtomicFile, OutputError},
};

/// The kind of index to write beside the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// `.csi`, deep enough for contigs of this many bases.
    Csi {
        /// Length of the longest contig in bases; 0 if not known (then up to 2^29).
        longest_contig: u64,
    },
    /// `.tbi`, for positions below 2^29.
    Tbi,
}

/// Why indexed text could not be written.
#[derive(Debug, thiserror::Error)]
pub enum IndexedError {
    /// The file or its index could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A record that cannot be indexed.
    #[error("cannot index the record at {contig}:{position}: {source}")]
    Record {
        /// Its contig.
        contig: String,
        /// Its first position, 1-based.
        position: u64,
        /// Why.
        source: BinningError,
    },
    /// Records of a contig came again after those of another.
    #[error("records of contig {0} are not together, so the output cannot be indexed")]
    ContigSplit(String),
}

/// Writes `.gz` and index. Dropped before [`finish`](Self::finish), it leaves neither.
#[derive(Debug)]
pub struct IndexedWriter {
    path: PathBuf,
    writer: BgzfWriter<AtomicFile>,
    layout: Option<TextLayout>,
    kind: IndexKind,
    index: IndexBuilder,
    /// Contigs met so far, in order; of a binary format those of its header.
    names: Vec<String>,
    /// Contigs' numbers.
    numbers: HashMap<String, usize>,
    seen: HashSet<usize>,
    current: Option<usize>,
    /// Records whose place in the file is not known yet.
    waiting: VecDeque<Waiting>,
}

impl IndexedWriter {
    /// Opens `path` (which should end in `.gz`) for writing; the index will be `path` with `.csi` or `.tbi` appended.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(
        path: &Path,
        layout: TextLayout,
        kind: IndexKind,
        level: Level,
    ) -> Result<Self, IndexedError> {
        let scheme = match kind {
            IndexKind::Csi { longest_contig } => Scheme::csi(Scheme::CSI_SHIFT, longest_contig),
            IndexKind::Tbi => Scheme::TBI,
        };
        Ok(Self {
            path: path.to_owned(),
            writer: BgzfWriter::new(AtomicFile::create(path)?, level),
            layout: Some(layout),
            kind,
            index: IndexBuilder::new(scheme),
            names: Vec::new(),
            numbers: HashMap::new(),
            seen: HashSet::new(),
            current: None,
            waiting: VecDeque::new(),
        })
    }

    /// The same for a binary format, whose `.csi` goes by the numbers that its header gives to contigs.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create_binary(
        path: &Path,
        contigs: Vec<String>,
        longest_contig: u64,
        level: Level,
    ) -> Result<Self, IndexedError> {
        let index = IndexBuilder::with_contigs(Scheme::csi(Scheme::CSI_SHIFT, longest_contig), contigs.len());
        Ok(Self {
            layout: None,
            index,
            numbers: contigs.iter().cloned().zip(0..).collect(),
            names: contigs,
            ..Self::create(path, TextLayout::Vcf, IndexKind::Csi { longest_contig }, level)?
        })
    }

    /// Writes header lines, each beginning with `#` and ending in a newline.
    ///
    /// # Errors
    /// Writing fails.
    pub fn write_header(&mut self, text: &[u8]) -> Result<(), IndexedError> {
        self.put(text)
    }

    /// Writes one line (without its newline) that stands for `start..end` of `contig`, 0-based half-open. Contigs may
    /// come in any order, their records together and sorted by start.
    ///
    /// # Errors
    /// The record is out of order or too far for the index, or writing fails.
    pub fn write_record(
        &mut self,
        contig: &str,
        start: u64,
        end: u64,
        line: &[u8],
    ) -> Result<(), IndexedError> {
        self.write_parts(contig, start, end, &[line, b"\n"])
    }

    /// The same for a record that is whole: a line with its newline, or the bytes of a binary format.
    ///
    /// # Errors
    /// As [`Self::write_record`].
    pub fn write_bytes(
        &mut self,
        contig: &str,
        start: u64,
        end: u64,
        bytes: &[u8],
    ) -> Result<(), IndexedError> {
        self.write_parts(contig, start, end, &[bytes])
    }

    fn write_parts(
        &mut self,
        contig: &str,
        start: u64,
        end: u64,
        parts: &[&[u8]],
    ) -> Result<(), IndexedError> {
        let current = self.current_contig(contig)?;
        self.index.check(start, end).map_err(|source| IndexedError::Record {
            contig: contig.to_owned(),
            position: start.saturating_add(1),
            source,
        })?;
        let first = self.writer.content_len();
        for part in parts {
            self.put(part)?;
        }
        let behind = self.writer.content_len();
        self.waiting.push_back(Waiting { contig: current, start, end, first, behind });
        self.index_what_is_placed();
        Ok(())
    }

    /// The number of a record's contig in the index.
    fn current_contig(&mut self, contig: &str) -> Result<usize, IndexedError> {
        if let Some(current) = self.current.filter(|&current| self.names[current] == contig) {
            return Ok(current);
        }
        let number = match self.numbers.get(contig) {
            Some(&number) => {
                self.index.go_to_contig();
                number
            }
            None => {
                self.names.push(contig.to_owned());
                self.numbers.insert(contig.to_owned(), self.names.len() - 1);
                self.index.begin_contig();
                self.names.len() - 1
            }
        };
        if !self.seen.insert(number) {
            return Err(IndexedError::ContigSplit(contig.to_owned()));
        }
        self.current = Some(number);
        Ok(number)
    }

    /// What is written next begins a BGZF block.
    pub fn cut(&mut self) {
        self.writer.cut();
    }

    /// Ends a file that another one is to take in: what it holds so far is written, and stands in the file at this path
    /// as long as the writer lives.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish_part(&mut self) -> Result<PathBuf, IndexedError> {
        let failed = |source| OutputError { path: self.path.clone(), source };
        self.writer.write_pending().and_then(|()| self.writer.flush()).map_err(failed)?;
        self.index_what_is_placed();
        Ok(self.writer.get_ref().written_path().to_owned())
    }

    /// What a part has for the index of the whole: made by [`Self::finish_part`], taken by [`Self::append_index`].
    pub fn into_index(self) -> PartIndex {
        PartIndex { names: self.names, index: self.index, content: self.writer.content_len() }
    }

    /// The records of a part follow, whose blocks are then [`Self::append_blocks`]ed.
    ///
    /// # Errors
    /// The part's records are not those that may follow, or writing fails.
    pub fn append_index(&mut self, part: PartIndex) -> Result<(), IndexedError> {
        let failed = |source| OutputError { path: self.path.clone(), source };
        self.writer.write_pending().map_err(failed)?;
        self.index_what_is_placed();
        let has_records = |number: &usize| part.index.has_records(*number);
        let mut numbers = vec![0; part.names.len()];
        for number in (0..part.names.len()).filter(has_records) {
            numbers[number] = self.current_contig(&part.names[number])?;
        }
        self.index.append(part.index, &numbers, self.writer.compressed_len());
        Ok(())
    }

    /// Takes blocks of a part.
    ///
    /// # Errors
    /// Writing fails.
    pub fn append_blocks(&mut self, blocks: &[u8], content: u64) -> Result<(), IndexedError> {
        let written = self.writer.append_blocks(blocks, content);
        Ok(written.map_err(|source| OutputError { path: self.path.clone(), source })?)
    }

    /// Writes the rest and the index, and gives both their names. A device or pipe gets no index.
    ///
    /// # Errors
    /// Writing, syncing or renaming fails; then neither file has appeared.
    pub fn finish(mut self) -> Result<(), IndexedError> {
        self.writer.finish().map_err(|source| OutputError { path: self.path.clone(), source })?;
        self.index_what_is_placed();
        let file = self.writer.into_inner();
        if file.is_direct() {
            return Ok(file.commit()?);
        }
        let (extension, bytes) = match self.kind {
            IndexKind::Csi { .. } => (".csi", self.index.csi(self.layout, &self.names)),
            IndexKind::Tbi => (".tbi", self.index.tbi(self.layout.unwrap_or(TextLayout::Vcf), &self.names)),
        };
        let mut name = self.path.into_os_string();
        name.push(extension);
        let path = PathBuf::from(name);
        let mut index = BgzfWriter::new(AtomicFile::create(&path)?, Level::default());
        index
            .write_all(&bytes)
            .and_then(|()| index.finish())
            .map_err(|source| OutputError { path, source })?;
        Ok(file.commit_with_index(index.into_inner())?)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), IndexedError> {
        let written = self.writer.write_all(bytes);
        Ok(written.map_err(|source| OutputError { path: self.path.clone(), source })?)
    }

    fn index_what_is_placed(&mut self) {
        while let Some(&Waiting { contig, start, end, first, behind }) = self.waiting.front()
            && let Some(behind) = self.writer.virtual_position(behind)
            && let Some(first) = self.writer.virtual_position(first)
        {
            self.index.add(contig, start, end, first, behind);
            self.waiting.pop_front();
        }
    }
}

/// The index of a part of a file, for the index of the whole.
#[derive(Debug, Deserialize, Serialize)]
pub struct PartIndex {
    names: Vec<String>,
    index: IndexBuilder,
    content: u64,
}

impl PartIndex {
    /// Uncompressed bytes of the part.
    pub fn content_len(&self) -> u64 {
        self.content
    }
}

/// A record that is written but not placed: its interval, and its bytes by uncompressed offset.
#[derive(Debug)]
struct Waiting {
    contig: usize,
    start: u64,
    end: u64,
    first: u64,
    behind: u64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;

    const CSI: IndexKind = IndexKind::Csi { longest_contig: 0 };

    /// Stored, not deflated: the file is long enough for bins of every level.
    fn create(path: &Path, kind: IndexKind) -> IndexedWriter {
        IndexedWriter::create(path, TextLayout::Bed, kind, Level::new(0).unwrap()).unwrap()
    }

    fn is_installed(program: &str) -> bool {
        let installed = Command::new(program).arg("--version").output().is_ok();
        if !installed {
            eprintln!("skipped: {program} is not installed");
        }
        installed
    }

    fn run(program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && error.is_empty(), "{program} {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Records of every length, sorted, on three contigs: a few span many windows.
    fn records(scale: u64) -> Vec<(String, u64, u64)> {
        let mut state = 11u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut list = Vec::new();
        for contig in ["chr2", "chr1", "HLA:01"] {
            let mut starts: Vec<_> = (0..30_000).map(|_| random(100_000_000)).collect();
            starts.sort_unstable();
            for start in starts {
                let length = match random(100) {
                    0 => random(40_000_000),
                    1..=9 => random(50_000),
                    _ => random(200),
                };
                list.push((contig.to_owned(), start * scale, start * scale + length));
            }
        }
        list
    }

    #[test]
    fn tabix_finds_every_record() {
        if !is_installed("tabix") {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        for (name, kind, scale) in [
            ("a.bed.gz", CSI, 1),
            ("b.bed.gz", IndexKind::Tbi, 1),
            ("c.bed.gz", IndexKind::Csi { longest_contig: 2_100_000_000 }, 20),
        ] {
            let (path, records) = (dir.path().join(name), records(scale));
            let mut writer = create(&path, kind);
            writer.write_header(b"# header\n").unwrap();
            let line = |(contig, start, end): &(String, u64, u64)| format!("{contig}\t{start}\t{end}");
            for record in &records {
                writer.write_record(&record.0, record.1, record.2, line(record).as_bytes()).unwrap();
            }
            writer.finish().unwrap();
            let file = path.to_str().unwrap();
            run("bgzip", &["-t", file]);
            assert_eq!(run("tabix", &["-l", file]), "chr2\nchr1\nHLA:01\n");
            for step in 0..40 {
                let (contig, from) = (["chr1", "chr2"][step as usize % 2], step * 2_654_435 * scale);
                let to = from + [1, 300, 20_000, 3_000_000][step as usize % 4];
                let expected: String = records
                    .iter()
                    .filter(|(name, start, end)| {
                        name == contig && *start < to && *end.max(&(start + 1)) > from
                    })
                    .map(|record| line(record) + "\n")
                    .collect();
                let found = run("tabix", &[file, &format!("{contig}:{}-{to}", from + 1)]);
                assert_eq!(found, expected, "{name} {contig}:{from}-{to}");
            }
        }
    }

    #[test]
    fn bcftools_counts_and_finds_records_of_a_vcf() {
        if !is_installed("bcftools") {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.vcf.gz");
        let mut writer =
            IndexedWriter::create(&path, TextLayout::Vcf, IndexKind::Tbi, Level::default()).unwrap();
        writer
            .write_header(b"##fileformat=VCFv4.3\n##contig=<ID=1,length=9000000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
            .unwrap();
        for position in (0..9_000_000).step_by(1000) {
            let line = format!("1\t{}\t.\tA\tC\t.\t.\t.", position + 1);
            writer.write_record("1", position, position + 1, line.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let file = path.to_str().unwrap();
        assert_eq!(run("bcftools", &["index", "-n", file]), "9000\n");
        assert_eq!(run("bcftools", &["view", "-H", "-r", "1:8000000-8002001", file]).lines().count(), 3);
    }

    #[test]
    fn an_empty_file_has_an_index_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bed.gz");
        create(&path, CSI).finish().unwrap();
        assert!(dir.path().join("a.bed.gz.csi").is_file());
        if is_installed("tabix") {
            assert_eq!(run("tabix", &["-l", path.to_str().unwrap()]), "");
        }
    }

    #[test]
    fn what_is_out_of_order_is_told_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = create(&dir.path().join("a.bed.gz"), IndexKind::Tbi);
        writer.write_record("a", 10, 20, b"a\t10\t20").unwrap();
        let error = writer.write_record("a", 5, 6, b"a\t5\t6").unwrap_err();
        assert!(error.to_string().contains("a:6"), "{error}");
        writer.write_record("b", 0, 1, b"b\t0\t1").unwrap();
        assert!(matches!(writer.write_record("a", 50, 60, b"a\t50\t60"), Err(IndexedError::ContigSplit(_))));
        assert!(matches!(writer.write_record("b", 0, 1 << 30, b"b"), Err(IndexedError::Record { .. })));
        drop(writer);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
