//! The form in which records leave a command: text or BCF, with their places where an index is wanted.

use super::pipeline::RecordProblem;
use crate::formats::vcf::bcf::{self, Encoder, Scratch};
use crate::formats::vcf::extent;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, Place};

/// A form of output.
pub struct OutputForm {
    header: Header,
    /// For BCF.
    encoder: Option<Encoder>,
    /// Whether the records' places are noted, for an index.
    with_places: bool,
}

impl OutputForm {
    /// Records under this header.
    pub fn new(header: Header, is_bcf: bool, with_places: bool) -> Self {
        let encoder = is_bcf.then(|| Encoder::new(&header));
        Self { header, encoder, with_places }
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
