//! The header: meta lines as they stand, what they declare, and the samples.
//!
//! Order, duplicates and the line for PASS are handled as htslib does, so that a header passed through equals that of
//! `bcftools view --no-version`.

use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;

/// How many values a tag has (VCF 4.5 section 1.4.2, `Number`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// So many.
    Count(u32),
    /// `A`: one for each alternate allele.
    Alternates,
    /// `R`: one for each allele.
    Alleles,
    /// `G`: one for each genotype.
    Genotypes,
    /// `LA`: one for each local alternate allele.
    LocalAlternates,
    /// `LR`: one for each local allele.
    LocalAlleles,
    /// `LG`: one for each genotype of local alleles.
    LocalGenotypes,
    /// `P`: one for each allele of the genotype.
    Ploidy,
    /// `M`: one for each possible base modification.
    Modifications,
    /// `.`, or nothing known.
    Unknown,
}

impl Number {
    fn parse(text: &str) -> Self {
        match text {
            "A" => Self::Alternates,
            "R" => Self::Alleles,
            "G" => Self::Genotypes,
            "LA" => Self::LocalAlternates,
            "LR" => Self::LocalAlleles,
            "LG" => Self::LocalGenotypes,
            "P" => Self::Ploidy,
            "M" => Self::Modifications,
            n => n.parse().map_or(Self::Unknown, Self::Count),
        }
    }
}

/// The type of a tag's values (`Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `Integer`.
    Integer,
    /// `Float`.
    Float,
    /// `Flag`.
    Flag,
    /// `Character`.
    Character,
    /// `String`, or nothing known.
    String,
}

/// What is declared of an INFO or FORMAT tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// How many values.
    pub number: Number,
    /// Their type.
    pub kind: Type,
}

/// A line that begins with `##`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaLine {
    /// The whole line, without its end.
    text: Vec<u8>,
    /// What stands before the first `=`.
    key: String,
    /// The fields between `<` and `>`, values without their quotes; empty for a line without.
    fields: Vec<(String, String)>,
}

impl MetaLine {
    /// Parses a line, which begins with `##`; tolerant: a structure that does not close ends with the line.
    pub fn parse(text: &[u8]) -> Self {
        let line = String::from_utf8_lossy(text);
        let rest = line.strip_prefix("##").unwrap_or(&line);
        let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
        let fields = value.strip_prefix('<').map(|inner| fields_of(inner.trim_end())).unwrap_or_default();
        Self { text: text.to_vec(), key: key.to_owned(), fields }
    }

    /// The line's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// What stands before the first `=`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The fields of a structured line, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A field of a structured line.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// Two lines that declare the same thing.
    fn is_same_declaration(&self, other: &Self) -> bool {
        self.key == other.key
            && match (self.get("ID"), other.get("ID")) {
                (Some(a), Some(b)) => a == b,
                _ => self.text == other.text,
            }
    }
}

/// `k=v,k="v,v"` up to the closing `>`.
fn fields_of(inner: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = inner.strip_suffix('>').unwrap_or(inner);
    while let Some((name, value)) = rest.split_once('=') {
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.char_indices().find(|&(_, c)| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let end = end.map_or(quoted.len(), |(at, _)| at);
                (&quoted[..end], quoted.get(end + 1..).unwrap_or(""))
            }
            None => {
                let end = value.find(',').unwrap_or(value.len());
                (&value[..end], &value[end..])
            }
        };
        fields.push((name.trim().to_owned(), value.to_owned()));
        rest = behind.trim_start_matches([',', ' ']);
    }
    fields
}

/// Why a header is refused. Lines count from 1.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The first line is not `##fileformat=VCF...`, and no line is a column header.
    #[error("this is no VCF: it does not begin with ##fileformat=VCF")]
    NotVcf,
    /// No `#CHROM` line.
    #[error("the header ends without its #CHROM line")]
    NoColumns,
    /// The `#CHROM` line does not have the columns of VCF.
    #[error("line {0}: the #CHROM line does not have the eight columns of VCF")]
    Columns(usize),
    /// A sample twice.
    #[error("line {0}: the sample {1} is named twice")]
    SampleTwice(usize, String),
}

/// A header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    lines: Vec<MetaLine>,
    samples: Vec<String>,
    info: FxHashMap<Vec<u8>, Definition>,
    format: FxHashMap<Vec<u8>, Definition>,
    contigs: Vec<(String, Option<u64>)>,
    contig_numbers: FxHashMap<Vec<u8>, usize>,
}

/// The declaration that every header has.
pub const PASS: &str = "##FILTER=<ID=PASS,Description=\"All filters passed\">";

impl Header {
    /// Parses the lines of a header, the last of which is the `#CHROM` line.
    ///
    /// # Errors
    /// What follows cannot be read as VCF.
    pub fn parse(text: &[u8]) -> Result<Self, HeaderError> {
        let mut header = Self::default();
        let mut lines = Vec::new();
        let mut number = 0;
        for line in text.split(|&b| b == b'\n') {
            number += 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.starts_with(b"##") {
                lines.push(MetaLine::parse(line));
            } else if line.starts_with(b"#CHROM") {
                header.read_columns(line, number)?;
                header.set_lines(lines);
                return Ok(header);
            } else if !line.is_empty() {
                break;
            }
        }
        Err(if lines.is_empty() { HeaderError::NotVcf } else { HeaderError::NoColumns })
    }

    fn read_columns(&mut self, line: &[u8], number: usize) -> Result<(), HeaderError> {
        const COLUMNS: [&[u8]; 8] = [b"#CHROM", b"POS", b"ID", b"REF", b"ALT", b"QUAL", b"FILTER", b"INFO"];
        let columns: Vec<&[u8]> = line.split(|&b| b == b'\t').collect();
        if columns.len() < COLUMNS.len() || columns[..8] != COLUMNS {
            return Err(HeaderError::Columns(number));
        }
        let mut seen = FxHashSet::default();
        for sample in columns.iter().skip(9) {
            let sample = String::from_utf8_lossy(sample).into_owned();
            if !seen.insert(sample.clone()) {
                return Err(HeaderError::SampleTwice(number, sample));
            }
            self.samples.push(sample);
        }
        Ok(())
    }

    /// Replaces all meta lines; of lines that declare the same the first is kept, and PASS is declared.
    pub fn set_lines(&mut self, lines: Vec<MetaLine>) {
        self.lines.clear();
        let mut ids = FxHashSet::default();
        for line in lines {
            let identity = match line.get("ID") {
                Some(id) => format!("{}={id}", line.key),
                None => String::from_utf8_lossy(&line.text).into_owned(),
            };
            if ids.insert(identity) {
                self.lines.push(line);
            }
        }
        if !ids.contains("FILTER=PASS") {
            let at = usize::from(self.lines.first().is_some_and(|line| line.key == "fileformat"));
            self.lines.insert(at, MetaLine::parse(PASS.as_bytes()));
        }
        self.declare();
    }

    fn declare(&mut self) {
        self.info.clear();
        self.format.clear();
        self.contigs.clear();
        self.contig_numbers.clear();
        for line in &self.lines {
            let Some(id) = line.get("ID") else { continue };
            let definition = Definition {
                number: line.get("Number").map_or(Number::Unknown, Number::parse),
                kind: match line.get("Type") {
                    Some("Integer") => Type::Integer,
                    Some("Float") => Type::Float,
                    Some("Flag") => Type::Flag,
                    Some("Character") => Type::Character,
                    _ => Type::String,
                },
            };
            match line.key.as_str() {
                "INFO" => drop(self.info.insert(id.as_bytes().to_vec(), definition)),
                "FORMAT" => drop(self.format.insert(id.as_bytes().to_vec(), definition)),
                "contig" => {
                    self.contig_numbers.insert(id.as_bytes().to_vec(), self.contigs.len());
                    self.contigs.push((id.to_owned(), line.get("length").and_then(|n| n.parse().ok())));
                }
                _ => {}
            }
        }
    }

    /// The meta lines in order.
    pub fn lines(&self) -> &[MetaLine] {
        &self.lines
    }

    /// The samples in order.
    pub fn samples(&self) -> &[String] {
        &self.samples
    }

    /// Replaces the samples.
    pub fn set_samples(&mut self, samples: Vec<String>) {
        self.samples = samples;
    }

    /// What is declared of an INFO tag.
    pub fn info(&self, tag: &[u8]) -> Option<Definition> {
        self.info.get(tag).copied()
    }

    /// What is declared of a FORMAT tag.
    pub fn format(&self, tag: &[u8]) -> Option<Definition> {
        self.format.get(tag).copied()
    }

    /// Contigs with their lengths, in order.
    pub fn contigs(&self) -> &[(String, Option<u64>)] {
        &self.contigs
    }

    /// The number of a contig among [`Self::contigs`].
    pub fn contig_number(&self, name: &[u8]) -> Option<usize> {
        self.contig_numbers.get(name).copied()
    }

    /// `(4, 3)` for `##fileformat=VCFv4.3`; 4.2 where it is missing.
    pub fn version(&self) -> (u32, u32) {
        let line = self.lines.iter().find(|line| line.key == "fileformat");
        let text = line.map(|line| String::from_utf8_lossy(&line.text).into_owned()).unwrap_or_default();
        let version = text.rsplit_once("VCFv").and_then(|(_, version)| version.trim().split_once('.'));
        version.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?))).unwrap_or((4, 2))
    }

    /// Replaces the lines for which there is a new text.
    pub fn map_lines(&mut self, text: impl Fn(&MetaLine) -> Option<String>) {
        for line in &mut self.lines {
            if let Some(text) = text(line) {
                *line = MetaLine::parse(text.as_bytes());
            }
        }
        self.declare();
    }

    /// Adds a line behind the others, unless what it declares is declared.
    pub fn add_missing(&mut self, line: &str) {
        let new = MetaLine::parse(line.as_bytes());
        if !self.lines.iter().any(|known| known.is_same_declaration(&new)) {
            self.lines.push(new);
            self.declare();
        }
    }

    /// Whether a filter is declared.
    pub fn has_filter(&self, name: &[u8]) -> bool {
        let is_it =
            |line: &MetaLine| line.key == "FILTER" && line.get("ID").is_some_and(|id| id.as_bytes() == name);
        self.lines.iter().any(is_it)
    }

    /// Adds a line behind the others; one that declares what is declared already replaces that one where it stands.
    pub fn add(&mut self, line: &str) {
        let line = MetaLine::parse(line.as_bytes());
        match self.lines.iter_mut().find(|known| known.is_same_declaration(&line)) {
            Some(known) => *known = line,
            None => self.lines.push(line),
        }
        self.declare();
    }

    /// Keeps the lines for which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&MetaLine) -> bool) {
        self.lines.retain(keep);
        self.declare();
    }

    /// The text, the `#CHROM` line and its end included.
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for line in &self.lines {
            text.extend_from_slice(&line.text);
            text.push(b'\n');
        }
        text.extend_from_slice(b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO");
        if !self.samples.is_empty() {
            text.extend_from_slice(b"\tFORMAT");
        }
        for sample in &self.samples {
            text.push(b'\t');
            text.extend_from_slice(sample.as_bytes());
        }
        text.push(b'\n');
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

    #[test]
    fn declarations_are_found() {
        let text = format!(
            "##fileformat=VCFv4.5\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"a, \\\"b\\\" >\">\r\n\
             ##FORMAT=<ID=LAD,Number=LR,Type=Integer,Description=\"\">\n##contig=<ID=chr1,length=100>\n\
             ##contig=<ID=chr2>\n{COLUMNS}\tFORMAT\ta\tb\n"
        );
        let header = Header::parse(text.as_bytes()).unwrap();
        assert_eq!(header.version(), (4, 5));
        assert_eq!(header.samples(), ["a", "b"]);
        let af = header.info(b"AF").unwrap();
        assert_eq!((af.number, af.kind), (Number::Alternates, Type::Float));
        assert_eq!(header.format(b"LAD").unwrap().number, Number::LocalAlleles);
        assert_eq!(header.contigs(), [("chr1".into(), Some(100)), ("chr2".into(), None)]);
        assert_eq!(header.lines()[2].get("Description"), Some("a, \\\"b\\\" >"));
    }

    #[test]
    fn pass_is_declared_and_duplicates_go_as_htslib_has_it() {
        let text = format!(
            "##fileformat=VCFv4.2\n##x=1\n##x=1\n##x=2\n##FILTER=<ID=q,A=1>\n##FILTER=<ID=q,A=2>\n{COLUMNS}\n"
        );
        let header = Header::parse(text.as_bytes()).unwrap();
        let expected =
            format!("##fileformat=VCFv4.2\n{PASS}\n##x=1\n##x=2\n##FILTER=<ID=q,A=1>\n{COLUMNS}\n");
        assert_eq!(String::from_utf8(header.to_text()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for (text, error) in [
            ("", HeaderError::NotVcf),
            ("hello\n", HeaderError::NotVcf),
            ("##fileformat=VCFv4.2\n", HeaderError::NoColumns),
            ("##fileformat=VCFv4.2\n1\t1\n", HeaderError::NoColumns),
            ("##a=b\n#CHROM\tPOS\n", HeaderError::Columns(2)),
        ] {
            assert_eq!(Header::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        let twice = format!("##a=b\n{COLUMNS}\tFORMAT\ts\ts\n");
        assert_eq!(Header::parse(twice.as_bytes()), Err(HeaderError::SampleTwice(2, "s".into())));
    }
}
