//! Compressed files one behind another, block by block: nothing is inflated but what holds the headers.
//!
//! The records must mean the same under the first header; for BCF that is so where all dictionaries are the same.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{TogetherError, headers};
use crate::formats::bgzf::{BlockReader, EOF_MARKER};
use crate::formats::bgzf_writer::{BgzfWriter, Level};
use crate::formats::output::{AtomicFile, OutputError};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::reader::{Form, VariantError, VariantProblem, VariantReader};

/// Whether the records of all files can stand under the first header.
///
/// # Errors
/// They cannot.
pub fn check(paths: &[PathBuf]) -> Result<(), TogetherError> {
    let mut first: Option<Header> = None;
    for path in paths {
        let header = VariantReader::open(path)?.header().clone();
        let Some(first) = &first else {
            first = Some(header);
            continue;
        };
        headers::same_samples(first, &header, path)?;
        let what = |line: &str| TogetherError::Unlike {
            path: path.clone(),
            what: format!("--naive: {line} is not declared as in the first file (try it without --naive)"),
        };
        let (mine, other) = (declarations(first), declarations(&header));
        if let Some((a, b)) = mine.iter().zip(&other).find(|(a, b)| a != b) {
            return Err(what(&format!("{a} or {b}")));
        }
        if mine.len() != other.len() {
            return Err(what(
                mine.iter().chain(&other).nth(mine.len().min(other.len())).map_or("a tag", |l| l),
            ));
        }
    }
    Ok(())
}

/// What a BCF has numbers for, in order.
fn declarations(header: &Header) -> Vec<String> {
    let numbered = |key: &str| ["FILTER", "INFO", "FORMAT", "contig"].contains(&key);
    let lines = header.lines().iter().filter(|line| numbered(line.key()));
    let mut names: Vec<String> =
        lines.filter_map(|line| Some(format!("{}/{}", line.key(), line.get("ID")?))).collect();
    // Contigs have numbers of their own.
    names.sort_by_key(|name| name.starts_with("contig/"));
    names
}

/// Writes the first header and the blocks of all files. `form` is what the output must be, where that is said.
///
/// # Errors
/// A file is no BGZF, the files are not of one form, or the output cannot be written.
pub fn concat(paths: &[PathBuf], output: &Path, form: Option<Form>) -> Result<(), TogetherError> {
    let mut writer: Box<dyn Sink> =
        if output == Path::new("-") { Box::new(io::stdout()) } else { Box::new(AtomicFile::create(output)?) };
    let mut form = form;
    let failed = |source| OutputError { path: output.to_owned(), source };
    for (number, path) in paths.iter().enumerate() {
        let refuse = |what: &str| TogetherError::Unlike { path: path.clone(), what: what.to_owned() };
        let of_this = VariantReader::open(path)?.form();
        if *form.get_or_insert(of_this) != of_this {
            return Err(refuse("--naive takes files of one form, VCF or BCF, and writes that form"));
        }
        let read = |source: VariantProblem| VariantError { path: path.clone(), source };
        let file = File::open(path).map_err(|error| read(error.into()))?;
        let mut blocks = BlockReader::new(file, 0);
        let mut text = Vec::new();
        let end = loop {
            let is_more = blocks
                .append_block(&mut text)
                .map_err(|_| refuse("--naive takes files compressed with bgzip, VCF or BCF"))?;
            match header_end(&text, of_this, !is_more) {
                Some(end) => break end,
                None if !is_more => return Err(refuse("it ends within its header")),
                None => {}
            }
        };
        let from = if number == 0 { 0 } else { end };
        let mut head = BgzfWriter::new(Vec::new(), Level::default());
        head.write_all(&text[from..]).and_then(|()| head.finish()).map_err(failed)?;
        let head = head.into_inner();
        writer.write_all(&head[..head.len() - EOF_MARKER.len()]).map_err(failed)?;
        copy_blocks(path, blocks.offset(), &mut *writer).map_err(|error| match error {
            Failure::Read(source) => VariantError { path: path.clone(), source: source.into() }.into(),
            Failure::Write(source) => TogetherError::from(failed(source)),
        })?;
    }
    writer.write_all(&EOF_MARKER).map_err(failed)?;
    writer.done()?;
    Ok(())
}

/// Where the records begin, if that can be seen yet.
fn header_end(text: &[u8], form: Form, is_all: bool) -> Option<usize> {
    if form == Form::Bcf {
        let length = text.get(5..9)?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let end = length.checked_add(9)?;
        return (end <= text.len()).then_some(end);
    }
    let mut at = 0;
    while text.get(at) == Some(&b'#') {
        at += memchr::memchr(b'\n', &text[at..])? + 1;
    }
    (at < text.len() || is_all).then_some(at)
}

enum Failure {
    Read(io::Error),
    Write(io::Error),
}

/// Copies the blocks from an offset on, without the empty ones that end files.
fn copy_blocks(path: &Path, offset: u64, out: &mut dyn Sink) -> Result<(), Failure> {
    use io::{BufReader, Seek, SeekFrom};
    let mut file = File::open(path).map_err(Failure::Read)?;
    file.seek(SeekFrom::Start(offset)).map_err(Failure::Read)?;
    let mut input = BufReader::with_capacity(1 << 18, file);
    let mut block = Vec::new();
    loop {
        block.clear();
        input.by_ref().take(18).read_to_end(&mut block).map_err(Failure::Read)?;
        if block.is_empty() {
            return Ok(());
        }
        let damaged = || Failure::Read(io::Error::new(io::ErrorKind::InvalidData, "a BGZF block is damaged"));
        if block.len() < 18 || block[..4] != EOF_MARKER[..4] || block[10..16] != EOF_MARKER[10..16] {
            return Err(damaged());
        }
        let size = usize::from(u16::from_le_bytes([block[16], block[17]])) + 1;
        let rest = size.checked_sub(18).ok_or_else(damaged)?;
        input.by_ref().take(rest as u64).read_to_end(&mut block).map_err(Failure::Read)?;
        if block.len() < size {
            return Err(damaged());
        }
        if block != EOF_MARKER {
            out.write_all(&block).map_err(Failure::Write)?;
        }
    }
}

/// Where blocks go.
trait Sink: Write {
    /// All is written.
    fn done(self: Box<Self>) -> Result<(), OutputError>;
}

impl Sink for io::Stdout {
    fn done(mut self: Box<Self>) -> Result<(), OutputError> {
        self.flush().map_err(|source| OutputError { path: PathBuf::from("-"), source })
    }
}

impl Sink for AtomicFile {
    fn done(self: Box<Self>) -> Result<(), OutputError> {
        self.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_header_is_seen_when_what_follows_is() {
        for (text, is_all, expected) in [
            ("##a\n#C", false, None),
            ("##a\n#C\n", false, None),
            ("##a\n#C\n", true, Some(7)),
            ("##a\n#C\n1\t", false, Some(7)),
        ] {
            assert_eq!(header_end(text.as_bytes(), Form::Text, is_all), expected, "{text:?}");
        }
        assert_eq!(header_end(b"BCF\x02\x02\x02\0\0\0a", Form::Bcf, false), None);
        assert_eq!(header_end(b"BCF\x02\x02\x02\0\0\0abc", Form::Bcf, false), Some(11));
        assert_eq!(header_end(b"BCF\x02\x02\xff\xff\xff\xff", Form::Bcf, true), None);
    }
}
