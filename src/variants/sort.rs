//! Sorting by contig, position and alleles, in bounded memory: sorted runs go to temporary files and are merged.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::{Ordered, RecordProblem};

/// So many records come out of a merge at a time.
const STEP: usize = 4096;
/// What a record takes beside its text.
const OVERHEAD: usize = 200;

/// Sorts all records.
pub struct Sort {
    header: Header,
    /// Bytes that may be held.
    memory: usize,
    /// Where runs are kept.
    directory: PathBuf,
    held: Vec<(Key, Record)>,
    bytes: usize,
    runs: Vec<Run>,
    /// The next record of each run, the least on top.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    is_merging: bool,
}

/// What records are sorted by: the contig's place in the header, POS, and REF and ALT with tabs between, as bcftools
/// compares them; then the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    contig: usize,
    position: i64,
    alleles: Vec<u8>,
    number: u64,
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let mine = (self.contig, self.position, &self.alleles, self.number);
        mine.cmp(&(other.contig, other.position, &other.alleles, other.number))
    }
}

/// A sorted file of lines, and the one that comes next.
struct Run {
    input: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

impl Sort {
    /// Sorts by the contigs of a header, in so many bytes of memory, with runs in a directory.
    pub fn new(header: Header, memory: usize, directory: PathBuf) -> Self {
        Self {
            header,
            memory,
            directory,
            held: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
            heads: BinaryHeap::new(),
            is_merging: false,
        }
    }

    fn key(&self, record: &Record, number: u64) -> Key {
        let contig = self.header.contig_number(record.chrom()).unwrap_or(usize::MAX);
        let mut alleles = record.reference().to_ascii_uppercase();
        for alternate in record.alternates() {
            alleles.push(b'\t');
            alleles.extend(alternate.to_ascii_uppercase());
        }
        Key { contig, position: record.position(), alleles, number }
    }

    /// Writes what is held as a run. The file has no name: it goes when it is closed, whatever happens.
    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut output = BufWriter::with_capacity(1 << 16, tempfile::tempfile_in(&self.directory)?);
        let mut line = Vec::new();
        for (_, record) in self.held.drain(..) {
            line.clear();
            record.write(&mut line);
            line.push(b'\n');
            output.write_all(&line)?;
        }
        let mut file = output.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(Run { input: BufReader::with_capacity(1 << 16, file), line: Vec::new(), number: 0 });
        self.bytes = 0;
        Ok(())
    }

    /// Takes the next line of a run into the heap.
    fn advance(&mut self, run: usize) -> Result<(), RecordProblem> {
        let Run { input, line, number } = &mut self.runs[run];
        line.clear();
        input.read_until(b'\n', line).map_err(|error| failed(&error))?;
        if line.pop().is_none() {
            return Ok(());
        }
        *number += 1;
        let number = *number;
        let record = Record::parse(line).map_err(|error| failed(&io::Error::other(error)))?;
        // Earlier runs hold what came earlier.
        let key = self.key(&record, (run as u64) << 40 | number);
        self.heads.push(Reverse((key, run)));
        Ok(())
    }

    fn merge(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if !self.is_merging {
            self.is_merging = true;
            for run in 0..self.runs.len() {
                self.advance(run)?;
            }
        }
        for _ in 0..STEP {
            let Some(Reverse((_, run))) = self.heads.pop() else { break };
            let record =
                Record::parse(&self.runs[run].line).map_err(|error| failed(&io::Error::other(error)))?;
            out.push(record);
            self.advance(run)?;
        }
        Ok(())
    }
}

fn failed(error: &io::Error) -> RecordProblem {
    RecordProblem { place: "sorting".to_owned(), what: format!("a temporary file cannot be used: {error}") }
}

impl Ordered for Sort {
    fn push(&mut self, records: Vec<Record>, _: &mut Vec<Record>) -> Result<(), RecordProblem> {
        for record in records {
            if self.header.contig_number(record.chrom()).is_none() {
                return Err(RecordProblem::at(
                    &record,
                    "the header does not have the contig, so it has no place in the order",
                ));
            }
            let number = self.held.len() as u64;
            let key = self.key(&record, number);
            self.bytes += record.size() + key.alleles.len() + OVERHEAD;
            self.held.push((key, record));
            if self.bytes >= self.memory {
                self.spill().map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if self.runs.is_empty() {
            self.held.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            out.extend(self.held.drain(..).map(|(_, record)| record));
            return Ok(());
        }
        if !self.held.is_empty() {
            self.spill().map_err(|error| failed(&error))?;
        }
        self.merge(out)
    }

    fn has_more(&self) -> bool {
        self.is_merging && !self.heads.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_merged_to_what_memory_gives() {
        let header = Header::parse(
            b"##fileformat=VCFv4.2\n##contig=<ID=b>\n##contig=<ID=a>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
        )
        .unwrap();
        let mut state = 7u64;
        let mut lines = Vec::new();
        for number in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (contig, position) = (["a", "b"][(state >> 40) as usize % 2], (state >> 33) % 300);
            let alternate = ["C", "c", "G", "<DEL>", "CT"][(state >> 50) as usize % 5];
            lines.push(format!("{contig}\t{position}\t{number}\tA\t{alternate}\t.\t.\t."));
        }
        let sorted = |memory: usize| {
            let mut sort = Sort::new(header.clone(), memory, std::env::temp_dir());
            let mut out = Vec::new();
            for lines in lines.chunks(700) {
                let records = lines.iter().map(|line| Record::parse(line.as_bytes()).unwrap()).collect();
                sort.push(records, &mut out).unwrap();
            }
            sort.finish(&mut out).unwrap();
            while sort.has_more() {
                sort.finish(&mut out).unwrap();
            }
            let text = |record: &Record| {
                let mut line = Vec::new();
                record.write(&mut line);
                String::from_utf8(line).unwrap()
            };
            out.iter().map(text).collect::<Vec<_>>()
        };
        let all = sorted(1 << 30);
        let key = |line: &String| {
            let columns: Vec<&str> = line.split('\t').collect();
            (
                columns[0] == "a",
                columns[1].parse::<u32>().unwrap(),
                columns[4].to_uppercase(),
                columns[2].parse::<u32>().unwrap(),
            )
        };
        let mut expected = lines.clone();
        expected.sort_by_key(key);
        assert_eq!(all, expected);
        assert_eq!(sorted(400_000), expected);
    }
}
