//! Names, constants and files of an expression, looked up in the header.

use rustc_hash::FxHashSet;

use super::error::Problem;
use super::subscript::{Chosen, Pick, Subscript, read_lines};
use crate::formats::vcf::header::{Header, Number, Type};

/// A tag of INFO.
#[derive(Clone, Debug)]
pub struct InfoTag {
    /// Its name.
    pub name: Vec<u8>,
    /// Its number among the tags that the expression names.
    pub place: usize,
}

/// Where an operand's values come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A quoted text.
    Text(Vec<u8>),
    /// A number.
    Number(f64),
    /// `"."` beside a number: the missing value.
    Missing,
    /// The words of a file (`@file`).
    File(FxHashSet<Vec<u8>>),
    /// QUAL.
    Quality,
    /// POS.
    Position,
    /// CHROM.
    Contig,
    /// ID.
    Id,
    /// FILTER.
    Filter,
    /// REF.
    Reference,
    /// ALT.
    Alternates(Pick),
    /// TYPE.
    VariantType,
    /// N_ALT.
    AlternateCount,
    /// ILEN.
    IndelLengths,
    /// N_MISSING, or F_MISSING as a fraction.
    MissingGenotypes {
        /// F_MISSING.
        is_fraction: bool,
    },
    /// AC, AN, AF, MAC or MAF, of INFO's AC and AN where the header declares both and a record has them, else of GT.
    Alleles(AlleleFigure, bool),
    /// An INFO tag.
    Info(InfoTag, InfoKind),
    /// A FORMAT tag.
    Format(Vec<u8>, Type, Pick),
    /// FORMAT/GT.
    Genotype(GenotypeView),
}

/// A figure of the alleles of all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlleleFigure {
    /// AC.
    Count,
    /// AN.
    Total,
    /// AF.
    Frequency,
    /// MAC.
    MinorCount,
    /// MAF.
    MinorFrequency,
}

/// How an INFO tag is read.
#[derive(Clone, Debug)]
pub enum InfoKind {
    /// Whether it is there.
    Flag,
    /// One number; it is an integer, else a real.
    OneNumber(bool),
    /// One text.
    OneText,
    /// A list of integers.
    Integers(Pick),
    /// A list of reals.
    Reals(Pick),
    /// A list of texts.
    Texts(Pick),
}

/// How a genotype is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenotypeView {
    /// As it is written.
    Text,
    /// `r`, `a`, `rr`, `ra`, `aa` or `aA`.
    Alleles,
    /// `hap`, `hom` or `het`.
    Zygosity,
    /// `mis`, `ref` or `alt`.
    Reference,
}

/// An operand.
#[derive(Clone, Debug)]
pub struct Operand {
    /// Where its values come from.
    pub source: Source,
    /// Which samples take part; `None` where it speaks of the site.
    pub samples: Option<Vec<bool>>,
    /// A text, not a number.
    pub is_text: bool,
    /// Its tag or column.
    pub tag: Option<String>,
    /// Declared with `Number=R`.
    pub is_per_allele: bool,
    /// An INFO or FORMAT tag of numbers, for which `"."` is the missing value; QUAL is such, too.
    pub has_missing: bool,
}

impl Operand {
    fn constant(source: Source, is_text: bool) -> Self {
        Self { source, samples: None, is_text, tag: None, is_per_allele: false, has_missing: false }
    }

    fn column(source: Source, is_text: bool, tag: &str) -> Self {
        let has_missing = matches!(source, Source::Quality);
        Self { tag: Some(tag.to_owned()), has_missing, ..Self::constant(source, is_text) }
    }

    /// A number.
    pub fn number(value: f64) -> Self {
        Self::constant(Source::Number(value), false)
    }

    /// The text of a quoted constant.
    pub fn as_text(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Looks up what a token says.
    ///
    /// # Errors
    /// The header does not have it, or it cannot be read.
    pub fn parse(token: &str, header: &Header) -> Result<Self, Problem> {
        if token.starts_with(['"', '\'']) {
            let text = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
            return Ok(Self::constant(Source::Text(text.as_bytes().to_vec()), true));
        }
        if let Some(name) = token.strip_prefix('@') {
            let word = |line: String| line.split_ascii_whitespace().next().unwrap_or("").as_bytes().to_vec();
            let words = read_lines(name)?.into_iter().map(word).collect();
            return Ok(Self::constant(Source::File(words), false));
        }
        let (scope, name) = prefixed(token);
        if scope.is_none()
            && let Some(column) = column(name, header)
        {
            return Ok(column);
        }
        tag(scope, name, header)
    }
}

/// The prefix and what follows: `Some(true)` for FORMAT, `Some(false)` for INFO.
fn prefixed(token: &str) -> (Option<bool>, &str) {
    for (prefix, is_format) in [("FMT/", true), ("FORMAT/", true), ("INFO/", false)] {
        if token.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix)) {
            return (Some(is_format), &token[prefix.len()..]);
        }
    }
    (None, token)
}

/// A column or a figure by its name in any case; the beginning of a name is enough, as in bcftools (`Q` is QUAL).
fn column(name: &str, header: &Header) -> Option<Operand> {
    const NAMES: [&str; 12] = [
        "QUAL",
        "TYPE",
        "FILTER",
        "ID",
        "CHROM",
        "POS",
        "REF",
        "ALT",
        "N_ALT",
        "N_SAMPLES",
        "N_MISSING",
        "F_MISSING",
    ];
    let is_it = |full: &&&str| full.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    let full = *NAMES.iter().find(is_it)?;
    let (source, is_text) = match full {
        "QUAL" => (Source::Quality, false),
        "TYPE" => (Source::VariantType, false),
        "FILTER" => (Source::Filter, false),
        "ID" => (Source::Id, false),
        "CHROM" => (Source::Contig, true),
        "POS" => (Source::Position, false),
        "REF" => (Source::Reference, true),
        "ALT" => (Source::Alternates(Pick::all()), true),
        "N_ALT" => (Source::AlternateCount, false),
        "N_SAMPLES" => return Some(Operand::number(header.samples().len() as f64)),
        "N_MISSING" => (Source::MissingGenotypes { is_fraction: false }, false),
        _ => (Source::MissingGenotypes { is_fraction: true }, false),
    };
    Some(Operand::column(source, is_text, full))
}

/// A tag, a figure that is counted where the header does not declare its name, or a number.
fn tag(scope: Option<bool>, text: &str, header: &Header) -> Result<Operand, Problem> {
    let (name, subscript) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, subscript)) => (name, Some(subscript)),
        None => (text, None),
    };
    let (info, format) = (header.info(name.as_bytes()), header.format(name.as_bytes()));
    let is_known = info.is_some() || format.is_some() || is_filter(name, header);
    let is_format = match scope {
        Some(is_format) => is_format,
        None if info.is_some() && format.is_some() => return Err(Problem::Ambiguous(name.to_owned())),
        None => format.is_some(),
    };
    if !is_known {
        return undeclared(is_format, name, subscript, header);
    }
    if is_format { format_tag(name, subscript, header) } else { info_tag(name, subscript, header) }
}

fn is_filter(name: &str, header: &Header) -> bool {
    header.lines().iter().any(|line| line.key() == "FILTER" && line.get("ID") == Some(name))
}

fn info_tag(name: &str, subscript: Option<&str>, header: &Header) -> Result<Operand, Problem> {
    let definition =
        header.info(name.as_bytes()).ok_or_else(|| Problem::NoSuch(format!("INFO tag {name}")))?;
    let pick = subscript.map(Subscript::of_site).transpose()?.map_or_else(Pick::all, |s| s.pick);
    let has_one = definition.number == Number::Count(1);
    let kind = match definition.kind {
        Type::Flag => InfoKind::Flag,
        Type::Integer if has_one => InfoKind::OneNumber(true),
        Type::Float if has_one => InfoKind::OneNumber(false),
        Type::Integer => InfoKind::Integers(pick),
        Type::Float => InfoKind::Reals(pick),
        _ if has_one => InfoKind::OneText,
        _ => InfoKind::Texts(pick),
    };
    let is_text = matches!(kind, InfoKind::OneText | InfoKind::Texts(_));
    let source = Source::Info(InfoTag { name: name.as_bytes().to_vec(), place: 0 }, kind);
    Ok(Operand {
        is_per_allele: definition.number == Number::Alleles,
        has_missing: matches!(definition.kind, Type::Integer | Type::Float),
        ..Operand::column(source, is_text, name)
    })
}

fn format_tag(name: &str, subscript: Option<&str>, header: &Header) -> Result<Operand, Problem> {
    let definition =
        header.format(name.as_bytes()).ok_or_else(|| Problem::NoSuch(format!("FORMAT tag {name}")))?;
    let has_one = definition.number == Number::Count(1);
    let count = header.samples().len();
    let subscript = match subscript {
        Some(text) => Subscript::of_samples(text, has_one, header)?,
        None => {
            let pick = if has_one { Pick::One(0) } else { Pick::all() };
            Subscript { pick, samples: Some(vec![true; count]) }
        }
    };
    let is_per_allele = definition.number == Number::Alleles;
    if subscript.pick == Pick::Genotype && !is_per_allele {
        return Err(Problem::Subscript("GT".into(), "can be used only with FORMAT tags of Number=R"));
    }
    let is_text = name == "GT" || !matches!(definition.kind, Type::Integer | Type::Float);
    let source = if name == "GT" {
        Source::Genotype(GenotypeView::Text)
    } else {
        Source::Format(name.as_bytes().to_vec(), definition.kind, subscript.pick)
    };
    Ok(Operand {
        samples: subscript.samples.filter(|samples| !samples.is_empty()),
        is_per_allele,
        has_missing: matches!(definition.kind, Type::Integer | Type::Float),
        ..Operand::column(source, is_text, name)
    })
}

/// ALT with a subscript, figures that are counted, and numbers.
fn undeclared(
    is_format: bool,
    name: &str,
    subscript: Option<&str>,
    header: &Header,
) -> Result<Operand, Problem> {
    let upper = name.to_ascii_uppercase();
    let figure = match upper.as_str() {
        _ if is_format => None,
        "AN" => Some(AlleleFigure::Total),
        "AC" => Some(AlleleFigure::Count),
        "MAC" => Some(AlleleFigure::MinorCount),
        "AF" => Some(AlleleFigure::Frequency),
        "MAF" => Some(AlleleFigure::MinorFrequency),
        _ => None,
    };
    let pick = || subscript.map(Subscript::of_site).transpose();
    if let Some(figure) = figure {
        // bcftools takes a subscript here and passes over it: AC and AF are those of all alternate alleles.
        pick()?;
        let is_integer = |tag: &[u8]| header.info(tag).is_some_and(|tag| tag.kind == Type::Integer);
        let uses_info = is_integer(b"AC") && is_integer(b"AN");
        return Ok(Operand::column(Source::Alleles(figure, uses_info), false, &upper));
    }
    if upper == "ALT" && !is_format {
        let pick = pick()?.map_or_else(|| Pick::Many(Chosen::all()), |subscript| subscript.pick);
        return Ok(Operand::column(Source::Alternates(pick), true, "ALT"));
    }
    if matches!(upper.as_str(), "ILEN" | "%ILEN") && !is_format {
        return Ok(Operand::column(Source::IndelLengths, false, "ILEN"));
    }
    match name.parse::<f64>() {
        Ok(value) if subscript.is_none() => Ok(Operand::number(value)),
        _ => Err(Problem::Undeclared(name.to_owned())),
    }
}
