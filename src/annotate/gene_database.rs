//! Genes as a database: a directory of places, and transcripts that are read one by one when a variant asks for them. So a
//! file of all genes opens in milliseconds, and memory holds what the variants met.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::genes::{Genes, Transcript};
use crate::formats::fasta::Reference;
use crate::formats::ndb::{Head, MadeFrom, Ndb, NdbError, NdbWriter, Section};

/// The kind in the head.
pub const KIND: &str = "genes";
/// How transcripts are laid out; to be counted up with each change of [`Transcript`].
const LAYOUT: u64 = 5;

/// Transcripts in a file.
#[derive(Debug)]
pub struct Database {
    ndb: Ndb,
    transcripts: Section,
}

/// Where a transcript is: its range, and its bytes in the section.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) start: i64,
    pub(super) end: i64,
    offset: u64,
    length: u64,
}

/// Writes genes; `files` are what they were read from.
///
/// # Errors
/// The file cannot be written.
pub fn write(genes: &Genes, files: &[&Path], reference: &Reference, path: &Path) -> Result<(), NdbError> {
    let mut writer = NdbWriter::create(path)?;
    writer.begin("transcripts");
    let failed =
        |error: postcard::Error| NdbError::Damaged { path: path.to_owned(), what: error.to_string() };
    let mut directory: Vec<(String, Vec<Place>)> = Vec::new();
    for (contig, transcript) in genes.all() {
        let transcript = transcript?;
        let bytes = postcard::to_stdvec(transcript).map_err(failed)?;
        let offset = writer.write(&bytes)?;
        let place =
            Place { start: transcript.start, end: transcript.end, offset, length: bytes.len() as u64 };
        let contig = String::from_utf8_lossy(contig).into_owned();
        match directory.last_mut() {
            Some((last, places)) if *last == contig => places.push(place),
            _ => directory.push((contig, vec![place])),
        }
    }
    writer.begin("directory");
    writer.write(&postcard::to_stdvec(&directory).map_err(failed)?)?;
    let files = files.iter().copied().chain([reference.path()]);
    let made_from = files.map(MadeFrom::file).collect::<Result<_, _>>()?;
    writer.finish(Head {
        kind: KIND.to_owned(),
        name: "genes".to_owned(),
        norn: env!("CARGO_PKG_VERSION").to_owned(),
        made_from,
        contigs: reference.contigs().to_vec(),
        details: serde_json::json!({"transcripts": genes.count(), "layout": LAYOUT}),
        sections: Vec::new(),
    })
}

/// Opens genes that belong to a reference.
///
/// # Errors
/// The file is damaged, holds something else, or was made with another build.
pub fn open(path: &Path, reference: &Reference) -> Result<Genes, NdbError> {
    let ndb = Ndb::open(path)?;
    ndb.expect_kind(&[KIND])?;
    ndb.expect_contigs(reference.contigs(), reference.path())?;
    if ndb.head().details["layout"] != LAYOUT {
        return Err(ndb.damaged("another version of norn made it: make it again with norn db genes"));
    }
    let directory = ndb.read_checked(ndb.section("directory")?)?;
    let places: Vec<(String, Vec<Place>)> =
        postcard::from_bytes(&directory).map_err(|error| ndb.damaged(format!("directory: {error}")))?;
    let transcripts = ndb.section("transcripts")?.clone();
    Ok(Genes::of_database(&Arc::new(Database { ndb, transcripts }), places))
}

impl Database {
    pub(super) fn read(&self, place: &Place) -> Result<Transcript, NdbError> {
        let mut bytes = Vec::new();
        self.ndb.read(&self.transcripts, place.offset, place.length, &mut bytes)?;
        postcard::from_bytes(&bytes).map_err(|error| self.ndb.damaged(format!("a transcript: {error}")))
    }
}
