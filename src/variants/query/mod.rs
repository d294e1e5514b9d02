//! `bcftools query`: records in a format of the user's (`-f`).
//!
//! A format is compiled once: text, fields of the site, and within `[ ]` fields that are printed for each sample. Numbers
//! are printed as bcftools prints them, reals with six digits of their 32 bits; texts as they stand.

mod parser;
mod print;
mod variant_key;

use thiserror::Error;

use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::expression::{Expression, ExpressionError, Scratch};
use crate::records::pipeline::RecordProblem;

/// Why a format is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// It cannot be read.
    #[error("format {text:?}, column {column}: {what}")]
    Syntax {
        /// The format.
        text: String,
        /// Where, from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// An expression in it cannot be read.
    #[error("format {text:?}: {source}")]
    Expression {
        /// The format.
        text: String,
        /// The cause.
        source: ExpressionError,
    },
}

/// What is printed at a place of the format.
#[derive(Debug)]
enum Field {
    /// These bytes.
    Text(Vec<u8>),
    /// Nothing: the end of a `[ ]`.
    End,
    Chrom,
    Pos,
    Pos0,
    End1,
    End0,
    Id,
    Ref,
    Alt,
    FirstAlt,
    Qual,
    Filter,
    Type,
    IsTransition,
    Mask,
    Line,
    ChromPosId,
    RsHex,
    VariantKey,
    /// INFO, whole.
    Info,
    /// An INFO tag.
    InfoTag(Vec<u8>),
    /// FORMAT and all samples.
    Format,
    /// A FORMAT tag of the sample.
    FormatTag(Vec<u8>),
    /// The sample's name.
    Sample,
    /// GT, its alleles by number.
    Genotype,
    /// GT, its alleles by their bases.
    TranslatedGenotype,
    /// GT as an IUPAC code.
    IupacGenotype,
    /// The consequences that a sample's haplotypes have, of INFO/BCSQ by the bits of FORMAT/BCSQ (bcftools csq).
    Consequences {
        /// `{*}`: both haplotypes as one list; otherwise a subscript chooses one.
        merged: bool,
    },
    /// The probability of a tag's counts of the two alleles, phred-scaled.
    Binomial(Vec<u8>),
    /// A tag that is not declared.
    Undeclared,
    /// How many samples pass.
    PassCount(Box<Expression>),
    /// The values of a function.
    Values(Box<Expression>),
}

/// A place of the format.
#[derive(Debug)]
struct Part {
    field: Field,
    /// Stands within `[ ]`.
    is_of_samples: bool,
    /// Its name in the header line.
    name: Option<String>,
    /// `{n}`.
    subscript: Option<usize>,
}

/// What a format does beyond its text.
#[derive(Clone, Debug, Default)]
pub struct QueryOptions {
    /// Print `.` for tags that are not declared (`-u`).
    pub allows_undeclared: bool,
    /// Do not end the line where the format does not (`-N`).
    pub leaves_line_open: bool,
    /// What is printed in place of the fields of samples that do not pass (`-F`).
    pub filtered: Option<String>,
}

/// A compiled format.
#[derive(Debug)]
pub struct Query {
    parts: Vec<Part>,
    header: Header,
    /// Samples in the order in which they are printed.
    samples: Vec<usize>,
    filtered: Option<String>,
}

impl Query {
    /// Compiles a format for samples in this order.
    ///
    /// # Errors
    /// It cannot be read, or names what the header does not declare.
    pub fn compile(
        text: &str,
        header: &Header,
        samples: Vec<usize>,
        options: &QueryOptions,
    ) -> Result<Self, QueryError> {
        let mut parts = parser::parse(text, header, options.allows_undeclared)?;
        let has_newline = |part: &Part| matches!(&part.field, Field::Text(text) if text.contains(&b'\n'));
        if !options.leaves_line_open && !parts.iter().any(has_newline) {
            parts.push(parser::plain(Field::Text(b"\n".to_vec()), false));
        }
        Ok(Self { parts, header: header.clone(), samples, filtered: options.filtered.clone() })
    }

    /// The line of names (`-H`); without the columns' numbers where `has_numbers` is false (`-HH`). `selects_samples` tells
    /// that samples are printed only where they pass, so that their names say nothing.
    pub fn header_line(&self, has_numbers: bool, selects_samples: bool) -> Vec<u8> {
        if self.parts.iter().any(|part| matches!(part.field, Field::Line)) {
            return Vec::new();
        }
        let names_samples = !selects_samples || self.filtered.is_some();
        let ends_line = |part: &Part| {
            part.is_of_samples && matches!(&part.field, Field::Text(text) if text.contains(&b'\n'))
        };
        let has_newline = !self.samples.is_empty() && self.parts.iter().any(ends_line);
        let mut out = vec![b'#'];
        let mut column = 0;
        let mut name = |part: &Part, sample: Option<&str>, out: &mut Vec<u8>| {
            column += 1;
            if has_numbers {
                out.extend_from_slice(format!("[{column}]").as_bytes());
            }
            if let Some(sample) = sample {
                out.extend_from_slice(sample.as_bytes());
                out.push(b':');
            }
            out.extend_from_slice(part.name.as_deref().unwrap_or("(null)").as_bytes());
        };
        for group in self.groups() {
            if !group[0].is_of_samples {
                match &group[0].field {
                    Field::Text(text) => out.extend_from_slice(text),
                    Field::End => {}
                    _ => name(&group[0], None, &mut out),
                }
                continue;
            }
            for &sample in &self.samples {
                let sample = self.header.samples().get(sample).map(String::as_str);
                let sample = sample.filter(|_| names_samples && !has_newline);
                for part in group {
                    match &part.field {
                        Field::Text(text) => out.extend(text.iter().filter(|&&b| b != b'\n')),
                        Field::End => {}
                        _ => name(part, sample, &mut out),
                    }
                }
                if has_newline {
                    break;
                }
            }
        }
        if has_newline {
            out.push(b'\n');
        }
        out
    }

    /// Prints a record; of `passing` samples only where some are told apart.
    ///
    /// # Errors
    /// An expression within the format cannot be computed.
    pub fn print(
        &self,
        record: &Record,
        passing: Option<&[bool]>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordProblem> {
        let passes =
            |sample: usize| passing.is_none_or(|passing| passing.get(sample).copied().unwrap_or(false));
        for group in self.groups() {
            if !group[0].is_of_samples {
                print::field(&group[0], record, &self.header, &self.samples, None, scratch, out)?;
                continue;
            }
            let columns: Vec<&[u8]> = record.sample_texts().collect();
            for &sample in &self.samples {
                if passes(sample) {
                    let column = columns.get(sample).copied().unwrap_or(b".");
                    let begin = out.len();
                    for part in group {
                        let (before, sample) = (out.len(), Some((sample, column)));
                        print::field(part, record, &self.header, &self.samples, sample, scratch, out)?;
                        // A sample without a consequence is left out whole, as in bcftools.
                        if matches!(part.field, Field::Consequences { .. }) && out.len() == before {
                            out.truncate(begin);
                            break;
                        }
                    }
                } else if let Some(filtered) = &self.filtered {
                    for part in group {
                        match &part.field {
                            Field::Text(text) => out.extend_from_slice(text),
                            _ => out.extend_from_slice(filtered.as_bytes()),
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Fields of the site one by one, those of samples as they stand together.
    fn groups(&self) -> impl Iterator<Item = &[Part]> {
        self.parts.chunk_by(|a, b| a.is_of_samples && b.is_of_samples)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn consequences_of_haplotypes_are_told_by_their_bits() {
        let text = "##fileformat=VCFv4.2\n##INFO=<ID=BCSQ,Number=.,Type=String,Description=\"\">\n\
            ##FORMAT=<ID=BCSQ,Number=.,Type=Integer,Description=\"\">\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n";
        let header = Header::parse(text.as_bytes()).unwrap();
        // a: the first consequence on the first haplotype, the second on the second; c: the first on both.
        let record = Record::parse(b"1\t9\t.\tA\tC\t.\t.\tBCSQ=x|A,y|B\tBCSQ\t9\t0\t3").unwrap();
        // By the manual of bcftools csq: bits of odd numbers are the first haplotype's.
        for (format, expected) in [
            ("[%SAMPLE %TBCSQ\\n]", "a x|A\ty|B\nc x|A\tx|A\n"),
            ("[%SAMPLE %TBCSQ{0}\\n]", "a x|A\nc x|A\n"),
            ("[%SAMPLE %TBCSQ{1}\\n]", "a y|B\nc x|A\n"),
            ("[%SAMPLE %TBCSQ{*}\\n]", "a x|A,y|B\nc x|A\n"),
        ] {
            let query = Query::compile(format, &header, vec![0, 1, 2], &QueryOptions::default()).unwrap();
            let mut out = Vec::new();
            query.print(&record, None, &mut Scratch::default(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{format}");
        }
    }

    #[test]
    fn formats_are_printed_or_refused_with_their_place() {
        let text = "##fileformat=VCFv4.2\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"\">\n\
            ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";
        let header = Header::parse(text.as_bytes()).unwrap();
        let record = Record::parse(b"1\t9\t.\tA\tC,G\t.\t.\tAF=0.50,0.125\tGT\t0/1\t1/2").unwrap();
        let options = QueryOptions::default();
        // By hand, from the manual's section on query.
        for (format, expected) in [
            ("%CHROM:%POS0-%END", "1:8-9\n"),
            ("%AF{1} %AF\\t%ALT{0}", "0.125 0.5,0.125\tC\n"),
            ("[%SAMPLE=%TGT;]", "a=A/C;b=C/G;\n"),
            ("[%IUPACGT\\n]", "M\nS\n"),
            ("%MAX(AF)", "0.5\n"),
            ("%N_PASS(GT=\"aA\")", "1\n"),
        ] {
            let query = Query::compile(format, &header, vec![0, 1], &options).unwrap();
            let mut out = Vec::new();
            query.print(&record, None, &mut Scratch::default(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{format}");
        }
        for (format, column, what) in [
            ("%NOPE", 1, "INFO/NOPE"),
            ("x[%NOPE]", 3, "FORMAT/NOPE"),
            ("%GT", 1, "square brackets"),
            ("[%GT", 1, "not closed"),
            ("a%", 2, "name"),
        ] {
            let Err(QueryError::Syntax { column: found, what: said, .. }) =
                Query::compile(format, &header, vec![0, 1], &options)
            else {
                panic!("{format} is taken")
            };
            assert_eq!(found, column, "{format}: {said}");
            assert!(said.contains(what), "{format}: {said}");
        }
    }
}
