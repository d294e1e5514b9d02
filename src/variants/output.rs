//! The form in which records leave a command: text or BCF, with their places where an index is wanted.

use crate::formats::vcf::bcf::{self, Encoder, Scratch};
use crate::formats::vcf::extent;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, OutputKind, Place, WINDOW_SHIFT, Window};
use crate::records::pipeline::RecordProblem;

/// A form of output.
pub struct OutputForm {
    header: Header,
    /// For BCF.
    encoder: Option<Encoder>,
    /// Whether the records' places are noted, for an index.
    with_places: bool,
    /// Whether their windows are, for BGZF.
    with_windows: bool,
}

impl OutputForm {
    /// Records under this header, with their places where there is to be an index.
    pub fn new(header: Header, kind: OutputKind, with_places: bool) -> Self {
        let encoder = kind.is_bcf.then(|| Encoder::new(&header));
        Self { header, encoder, with_places, with_windows: kind.level.is_some() }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The header's bytes.
    pub fn header_bytes(&self) -> Vec<u8> {
        let Some(encoder) = &self.encoder else { return self.header.to_text() };
        let mut text = encoder.dictionary().number_lines(&self.header);
        text.push(0);
        let mut bytes = bcf::MAGIC.to_vec();
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&text);
        bytes
    }

    /// The bytes of records.
    ///
    /// # Errors
    /// BCF cannot hold one of them.
    pub fn block(&self, records: &[Record]) -> Result<Block, RecordProblem> {
        let (mut block, mut scratch) = (Block::default(), Scratch::default());
        for record in records {
            if self.with_windows {
                block.begin_window(record);
            }
            match &self.encoder {
                None => {
                    record.write(&mut block.bytes);
                    block.bytes.push(b'\n');
                }
                Some(encoder) => encoder
                    .encode(record, &mut scratch, &mut block.bytes)
                    .map_err(|error| RecordProblem::at(record, error.to_string()))?,
            }
            if self.with_places {
                block.add_place(record);
            }
        }
        Ok(block)
    }

    /// The bytes of records that are lines of text, each with its end.
    ///
    /// # Errors
    /// BCF cannot hold one of them.
    pub fn block_of_lines(&self, text: Vec<u8>) -> Result<Block, RecordProblem> {
        if self.encoder.is_none() && !self.with_places {
            return Ok(Block { bytes: text, ..Block::default() });
        }
        let lines = text.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        let records = lines.map(|line| {
            Record::parse(line)
                .map_err(|error| RecordProblem { place: "the output".to_owned(), what: error.to_string() })
        });
        self.block(&records.collect::<Result<Vec<_>, _>>()?)
    }
}

impl Block {
    /// Notes the window of the record that is written next.
    fn begin_window(&mut self, record: &Record) {
        let number = record.position() >> WINDOW_SHIFT;
        let is_same =
            |(_, (contig, last)): &(usize, Window)| *last == number && contig.as_slice() == record.chrom();
        if !self.windows.last().is_some_and(is_same) {
            self.windows.push((self.bytes.len(), (record.chrom().to_vec(), number)));
        }
    }

    /// Notes the place of the record that was written last.
    fn add_place(&mut self, record: &Record) {
        let name = record.chrom();
        let known = self.places.last().map(|place| place.contig);
        let contig = known.filter(|&(from, to)| &self.names[from..to] == name).unwrap_or_else(|| {
            let from = self.names.len();
            self.names.extend_from_slice(name);
            (from, self.names.len())
        });
        let start = u64::try_from(record.position()).unwrap_or(0);
        let end = u64::try_from(extent::end(record)).unwrap_or(0).max(start + 1);
        self.places.push(Place { end: self.bytes.len(), contig, positions: (start, end) });
    }
}
