//! From the text of a format to its parts.

use super::{Expression, Field, Part, QueryError};
use crate::formats::vcf::header::Header;

/// A part that is no tag.
pub fn plain(field: Field, is_of_samples: bool) -> Part {
    Part { field, is_of_samples, name: None, subscript: None }
}

/// Reads a format.
///
/// # Errors
/// It cannot be read, or names what the header does not declare.
pub fn parse(text: &str, header: &Header, allows_undeclared: bool) -> Result<Vec<Part>, QueryError> {
    let mut parser = Parser { text, header, allows_undeclared, at: 0, parts: Vec::new(), bracket: None };
    while let Some(&b) = text.as_bytes().get(parser.at) {
        match b {
            b'[' => {
                parser.bracket = Some(parser.at);
                parser.at += 1;
            }
            b']' => {
                parser.bracket = None;
                parser.parts.push(plain(Field::End, false));
                parser.at += 1;
            }
            b'%' => parser.tag()?,
            _ => parser.separator(),
        }
    }
    match parser.bracket {
        Some(at) => Err(parser.failed(at, "the square bracket is not closed")),
        None => Ok(parser.parts),
    }
}

struct Parser<'p> {
    text: &'p str,
    header: &'p Header,
    allows_undeclared: bool,
    at: usize,
    parts: Vec<Part>,
    /// Where the open `[` stands.
    bracket: Option<usize>,
}

impl Parser<'_> {
    fn failed(&self, at: usize, what: impl Into<String>) -> QueryError {
        QueryError::Syntax { text: self.text.to_owned(), column: at + 1, what: what.into() }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn separator(&mut self) {
        let mut text = Vec::new();
        let bytes = self.text.as_bytes();
        while let Some(&b) = bytes.get(self.at).filter(|b| !matches!(b, b'[' | b']' | b'%')) {
            self.at += 1;
            if b != b'\\' {
                text.push(b);
                continue;
            }
            let Some(&escaped) = bytes.get(self.at) else { break };
            self.at += 1;
            text.push(match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                other => other,
            });
        }
        self.parts.push(plain(Field::Text(text), self.bracket.is_some()));
    }

    /// Letters, digits, `_` and `.`.
    fn name(&mut self, begin: usize) -> Result<String, QueryError> {
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
        let length = self.rest().bytes().take_while(is_part).count();
        if length == 0 {
            return Err(self.failed(begin, "a name is missing"));
        }
        let name = self.rest()[..length].to_owned();
        self.at += length;
        Ok(name)
    }

    fn subscript(&mut self) -> Option<usize> {
        let inner = self.rest().strip_prefix('{')?;
        let end = inner.find('}')?;
        let number = if end == 0 { 0 } else { inner[..end].parse().ok()? };
        self.at += end + 2;
        Some(number)
    }

    fn tag(&mut self) -> Result<(), QueryError> {
        let begin = self.at;
        self.at += 1;
        let is_column = self.rest().starts_with('/');
        self.at += usize::from(is_column);
        let name_at = self.at;
        let name = self.name(begin)?;
        let is_of_samples = self.bracket.is_some();
        if self.rest().starts_with('(')
            && let Some(part) = self.function(&name, name_at, begin, is_of_samples)?
        {
            self.parts.push(part);
            return Ok(());
        }
        let mut shown = Some(name.clone());
        let field = match (name.as_str(), is_of_samples && !is_column) {
            ("INFO", _) if self.rest().starts_with('/') => {
                self.at += 1;
                let name = self.name(begin)?;
                shown = Some(name.clone());
                self.info(&name, begin)?
            }
            ("INFO", false) => {
                shown = None;
                Field::Info
            }
            ("INFO", true) => return Err(self.failed(begin, "INFO cannot be printed whole within brackets")),
            ("FORMAT", false) => {
                shown = None;
                Field::Format
            }
            ("SAMPLE", true) => Field::Sample,
            ("GT", true) => self.genotype(Field::Genotype, begin)?,
            ("TGT" | "IUPACGT", true) => {
                shown = Some("GT".into());
                let is_iupac = name == "IUPACGT";
                let field = if is_iupac { Field::IupacGenotype } else { Field::TranslatedGenotype };
                self.genotype(field, begin)?
            }
            ("TBCSQ", true) => {
                shown = Some("BCSQ".into());
                if self.header.format(b"BCSQ").is_none() || self.header.info(b"BCSQ").is_none() {
                    self.undeclared("FORMAT", "BCSQ", begin)?
                } else {
                    let merged = self.rest().starts_with("{*}");
                    self.at += if merged { 3 } else { 0 };
                    Field::Consequences { merged }
                }
            }
            ("TBCSQ", false) => {
                return Err(self.failed(begin, "TBCSQ stands in square brackets: [ %TBCSQ]"));
            }
            ("N_PASS", true) => return Err(self.failed(begin, "N_PASS() stands outside the square brackets")),
            (name, true) if self.header.format(name.as_bytes()).is_some() => {
                Field::FormatTag(name.as_bytes().to_vec())
            }
            (name, is_of_samples) => match column(name) {
                Some(field) => field,
                None if is_column && self.bracket.is_some() => {
                    return Err(self.failed(begin, format!("no column {name}")));
                }
                None if is_of_samples && self.header.info(name.as_bytes()).is_some() => {
                    Field::InfoTag(name.as_bytes().to_vec())
                }
                None if is_of_samples => self.undeclared("FORMAT", name, begin)?,
                None => self.info(name, begin)?,
            },
        };
        let takes_subscript =
            matches!(field, Field::Alt | Field::InfoTag(_) | Field::FormatTag(_) | Field::Undeclared)
                || matches!(field, Field::Consequences { merged: false });
        let subscript = if takes_subscript { self.subscript() } else { None };
        self.parts.push(Part { field, is_of_samples, name: shown, subscript });
        Ok(())
    }

    fn info(&self, name: &str, begin: usize) -> Result<Field, QueryError> {
        match self.header.info(name.as_bytes()) {
            Some(_) => Ok(Field::InfoTag(name.as_bytes().to_vec())),
            None => self.undeclared("INFO", name, begin),
        }
    }

    fn genotype(&self, field: Field, begin: usize) -> Result<Field, QueryError> {
        match self.header.format(b"GT") {
            Some(_) => Ok(field),
            None => self.undeclared("FORMAT", "GT", begin),
        }
    }

    fn undeclared(&self, scope: &str, name: &str, begin: usize) -> Result<Field, QueryError> {
        // Without samples nothing in brackets is ever printed.
        if self.allows_undeclared || (scope == "FORMAT" && self.header.samples().is_empty()) {
            return Ok(Field::Undeclared);
        }
        let is_format = scope == "INFO" && self.header.format(name.as_bytes()).is_some();
        let hint = if is_format {
            format!("; FORMAT tags stand in square brackets: [ %{name}]")
        } else {
            String::new()
        };
        Err(self.failed(begin, format!("the header declares no {scope}/{name}{hint}")))
    }

    /// A function with its brackets; `None` where there is no such function.
    fn function(
        &mut self,
        name: &str,
        name_at: usize,
        begin: usize,
        is_of_samples: bool,
    ) -> Result<Option<Part>, QueryError> {
        let open = self.at;
        let inner = &self.text[open + 1..];
        let upper = name.to_ascii_uppercase();
        let part =
            |field, name: &str| Part { field, is_of_samples, name: Some(name.to_owned()), subscript: None };
        match (name, is_of_samples) {
            ("PBINOM", false) => Err(self.failed(begin, "PBINOM() stands within square brackets")),
            ("PBINOM", true) => {
                let end = inner.find(')').ok_or_else(|| self.failed(begin, "a bracket is not closed"))?;
                let tag = &inner[..end];
                if self.header.format(tag.as_bytes()).is_none() {
                    return Err(self.failed(begin, format!("the header declares no FORMAT/{tag}")));
                }
                self.at = open + end + 2;
                Ok(Some(part(Field::Binomial(tag.as_bytes().to_vec()), tag)))
            }
            ("N_PASS", false) => {
                let mut depth = 1;
                let is_end = |c: char| {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    depth == 0
                };
                let end = inner.find(is_end).ok_or_else(|| self.failed(begin, "a bracket is not closed"))?;
                let expression = self.expression(&inner[..end])?;
                self.at = open + end + 2;
                Ok(Some(part(Field::PassCount(Box::new(expression)), &inner[..end])))
            }
            _ if is_function(&upper) => {
                let end = inner.find(')').ok_or_else(|| self.failed(begin, "a bracket is not closed"))?;
                let text = &self.text[name_at..open + end + 2];
                let expression = self.expression(text)?;
                self.at = open + end + 2;
                Ok(Some(part(Field::Values(Box::new(expression)), text)))
            }
            _ => Ok(None),
        }
    }

    fn expression(&self, text: &str) -> Result<Expression, QueryError> {
        Expression::compile(text, self.header)
            .map_err(|source| QueryError::Expression { text: self.text.to_owned(), source })
    }
}

/// A function of expressions that can be printed.
fn is_function(upper: &str) -> bool {
    let summary = upper.strip_prefix("SMPL_").or_else(|| upper.strip_prefix('S')).unwrap_or(upper);
    let is_summary =
        |name: &str| matches!(name, "MAX" | "MIN" | "MEAN" | "MEDIAN" | "AVG" | "SUM" | "COUNT" | "STDEV");
    is_summary(upper) || is_summary(summary) || matches!(upper, "ABS" | "STRLEN" | "BINOM" | "PHRED")
}

fn column(name: &str) -> Option<Field> {
    Some(match name {
        "CHROM" => Field::Chrom,
        "POS" => Field::Pos,
        "POS0" => Field::Pos0,
        "END" => Field::End1,
        "END0" => Field::End0,
        "ID" => Field::Id,
        "REF" => Field::Ref,
        "ALT" => Field::Alt,
        "FIRST_ALT" => Field::FirstAlt,
        "QUAL" => Field::Qual,
        "FILTER" => Field::Filter,
        "TYPE" => Field::Type,
        "IS_TS" => Field::IsTransition,
        "MASK" => Field::Mask,
        "LINE" => Field::Line,
        "_CHROM_POS_ID" => Field::ChromPosId,
        "RSX" => Field::RsHex,
        "VKX" => Field::VariantKey,
        _ => return None,
    })
}
