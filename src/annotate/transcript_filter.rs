//! VEP's `--transcript_filter`: conditions on transcripts in the language of filter_vep.
//!
//! A condition is a field, an operator and a value (`stable_id match N[MR]_`, `biotype is protein_coding`), or a field alone, which is true
//! where it has a value. `and` and `or` bind alike, from the left, as in Ensembl VEP 114 (FilterSet); `not` stands before a condition
//! or before parentheses.

use regex::{Regex, RegexBuilder};
use thiserror::Error;

use super::genes::Transcript;

/// A condition on transcripts.
#[derive(Clone, Debug)]
pub struct TranscriptFilter(Vec<Part>);

/// Why a condition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FilterError {
    /// The text ends too early, or goes on too long.
    #[error("{0:?} is not complete (FIELD OPERATOR VALUE, with and, or, not, parentheses)")]
    Incomplete(String),
    /// There is no such field.
    #[error("transcripts have no field {0:?} ({NAMES})")]
    Field(String),
    /// There is no such operator.
    #[error("there is no operator {0:?} (is, !=, <, <=, >, >=, match, nre, in, exists)")]
    Operator(String),
    /// The value is no pattern, or no number.
    #[error("{0:?} is no value for this operator")]
    Value(String),
}

/// The fields, for messages.
const NAMES: &str = "stable_id, biotype, gene, symbol, hgnc, strand, start, end, is_canonical, mane_select, ccds, tsl, appris";

#[derive(Clone, Debug)]
struct Part {
    /// Joined to those before it by `or`, not by `and`.
    is_or: bool,
    is_negated: bool,
    condition: Condition,
}

#[derive(Clone, Debug)]
enum Condition {
    All(TranscriptFilter),
    One(Field, Test),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    StableId,
    Biotype,
    Gene,
    Symbol,
    Hgnc,
    Strand,
    Start,
    End,
    Canonical,
    ManeSelect,
    Ccds,
    Tsl,
    Appris,
}

#[derive(Clone, Debug)]
enum Test {
    Exists,
    Equal(String),
    Unequal(String),
    Among(Vec<String>),
    Compare(fn(f64, f64) -> bool, f64),
    Match(Regex),
    NoMatch(Regex),
}

impl TranscriptFilter {
    /// Reads a condition.
    ///
    /// # Errors
    /// It is not complete, or names what there is not.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut rest = words.as_slice();
        let filter = parse_all(&mut rest, text, 0)?;
        if rest.is_empty() { Ok(filter) } else { Err(FilterError::Incomplete(text.to_owned())) }
    }

    /// Whether a transcript passes.
    pub fn passes(&self, transcript: &Transcript) -> bool {
        self.0.iter().fold(true, |all, part| {
            let holds = match &part.condition {
                Condition::All(filter) => filter.passes(transcript),
                Condition::One(field, test) => test.holds(&field.of(transcript)),
            } != part.is_negated;
            if part.is_or { all || holds } else { all && holds }
        })
    }
}

/// Parentheses within one another, at most.
const DEEPEST: usize = 64;

fn parse_all(rest: &mut &[&str], text: &str, depth: usize) -> Result<TranscriptFilter, FilterError> {
    let incomplete = || FilterError::Incomplete(text.to_owned());
    let (mut parts, mut is_or) = (Vec::new(), false);
    loop {
        let mut is_negated = false;
        while let Some(("not", behind)) = split(rest) {
            (is_negated, *rest) = (!is_negated, behind);
        }
        let (word, behind) = split(rest).ok_or_else(incomplete)?;
        *rest = behind;
        let condition = if word == "(" {
            if depth == DEEPEST {
                return Err(incomplete());
            }
            let inner = parse_all(rest, text, depth + 1)?;
            let Some((")", behind)) = split(rest) else { return Err(incomplete()) };
            *rest = behind;
            Condition::All(inner)
        } else {
            let field = Field::parse(word).ok_or_else(|| FilterError::Field(word.to_owned()))?;
            Condition::One(field, parse_test(rest, text)?)
        };
        parts.push(Part { is_or, is_negated, condition });
        match split(rest) {
            Some((word @ ("and" | "or"), behind)) => (is_or, *rest) = (word == "or", behind),
            _ => return Ok(TranscriptFilter(parts)),
        }
    }
}

fn split<'w, 't>(words: &'w [&'t str]) -> Option<(&'t str, &'w [&'t str])> {
    words.split_first().map(|(first, rest)| (*first, rest))
}

fn parse_test(rest: &mut &[&str], text: &str) -> Result<Test, FilterError> {
    let Some((operator, behind)) = split(rest).filter(|(word, _)| !matches!(*word, "and" | "or" | ")"))
    else {
        return Ok(Test::Exists);
    };
    *rest = behind;
    if matches!(operator, "exists" | "defined" | "ex") {
        return Ok(Test::Exists);
    }
    let mut value = || {
        let (word, behind) = split(rest)
            .filter(|(word, _)| !matches!(*word, "(" | ")"))
            .ok_or_else(|| FilterError::Incomplete(text.to_owned()))?;
        *rest = behind;
        Ok(word.to_owned())
    };
    let pattern = |value: String| {
        let built = RegexBuilder::new(&value).case_insensitive(true).size_limit(1 << 20).build();
        built.map_err(|_| FilterError::Value(value))
    };
    let number = |value: String| value.parse().map_err(|_| FilterError::Value(value));
    Ok(match operator {
        "is" | "=" | "eq" => Test::Equal(value()?),
        "!=" | "ne" => Test::Unequal(value()?),
        "in" => Test::Among(value()?.split(',').map(str::to_owned).collect()),
        "match" | "matches" | "regex" | "re" => Test::Match(pattern(value()?)?),
        "nre" => Test::NoMatch(pattern(value()?)?),
        "<" | "lt" => Test::Compare(|one, other| one < other, number(value()?)?),
        "<=" | "lte" => Test::Compare(|one, other| one <= other, number(value()?)?),
        ">" | "gt" => Test::Compare(|one, other| one > other, number(value()?)?),
        ">=" | "gte" => Test::Compare(|one, other| one >= other, number(value()?)?),
        other => return Err(FilterError::Operator(other.to_owned())),
    })
}

impl Field {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().trim_start_matches('_') {
            "stable_id" | "feature" => Self::StableId,
            "biotype" => Self::Biotype,
            "gene" | "gene_stable_id" => Self::Gene,
            "symbol" | "gene_symbol" => Self::Symbol,
            "hgnc" | "hgnc_id" | "gene_hgnc_id" => Self::Hgnc,
            "strand" => Self::Strand,
            "start" => Self::Start,
            "end" => Self::End,
            "is_canonical" | "canonical" => Self::Canonical,
            "mane_select" => Self::ManeSelect,
            "ccds" => Self::Ccds,
            "tsl" => Self::Tsl,
            "appris" => Self::Appris,
            _ => return None,
        })
    }

    /// Its value; nothing where there is none.
    fn of(self, transcript: &Transcript) -> String {
        let tags = &transcript.tags;
        let flag = |is_so: bool| if is_so { "1".to_owned() } else { String::new() };
        match self {
            Self::StableId => transcript.id.clone(),
            Self::Biotype => transcript.biotype.clone(),
            Self::Gene => transcript.gene.clone(),
            Self::Symbol => transcript.symbol.clone(),
            Self::Hgnc => tags.hgnc.map_or_else(String::new, |number| format!("HGNC:{number}")),
            Self::Strand => transcript.strand().to_string(),
            Self::Start => transcript.start.to_string(),
            Self::End => transcript.end.to_string(),
            Self::Canonical => flag(tags.canonical),
            Self::ManeSelect => flag(tags.mane_select),
            Self::Ccds => tags.ccds.clone().unwrap_or_default(),
            Self::Tsl => tags.tsl.map_or_else(String::new, |level| level.to_string()),
            Self::Appris => tags.appris.clone().unwrap_or_default(),
        }
    }
}

impl Test {
    /// Whether it holds of a value; of none only a test for what it is not.
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Exists => !value.is_empty(),
            _ if value.is_empty() => false,
            Self::Equal(wanted) => value == wanted,
            Self::Unequal(other) => value != other,
            Self::Among(list) => list.iter().any(|known| known == value),
            Self::Compare(holds, bound) => value.parse().is_ok_and(|number| holds(number, *bound)),
            Self::Match(pattern) => pattern.is_match(value),
            Self::NoMatch(pattern) => !pattern.is_match(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn transcript() -> Transcript {
        Transcript {
            id: "NM_000001".into(),
            name: "NM_000001.2".into(),
            gene: "ENSG1".into(),
            symbol: "ABC1".into(),
            biotype: "protein_coding".into(),
            start: 100,
            end: 900,
            is_reverse: true,
            exons: Vec::new(),
            introns: Vec::new(),
            has_frameshift_intron: false,
            mature: Vec::new(),
            length: 801,
            coding: None,
            tags: super::super::genes::Tags { canonical: true, ..Default::default() },
            order: 0,
        }
    }

    #[test]
    fn conditions_hold_as_in_filter_vep() {
        let transcript = transcript();
        for (text, expected) in [
            ("stable_id match N[MR]_", true),
            ("not stable_id match ^X._", true),
            ("biotype is protein_coding", true),
            ("biotype != protein_coding", false),
            ("biotype in lncRNA,protein_coding", true),
            ("symbol re abc", true),
            ("symbol nre abc", false),
            ("strand = -1 and start < 200", true),
            ("strand = 1 or end >= 900", true),
            // From the left, without precedence.
            ("biotype is protein_coding or symbol is X and strand = 1", false),
            ("biotype is protein_coding or (symbol is X and strand = 1)", true),
            ("not (is_canonical and ccds)", true),
            ("ccds != CCDS1", false),
            ("is_canonical", true),
            ("tsl exists", false),
        ] {
            let filter = TranscriptFilter::parse(text).expect(text);
            assert_eq!(filter.passes(&transcript), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (text, start) in [
            ("", "\"\" is not complete"),
            ("biotype is", "\"biotype is\" is not complete"),
            ("(biotype", "\"(biotype\" is not complete"),
            ("biotype is a b", "\"biotype is a b\" is not complete"),
            ("colour is red", "transcripts have no field \"colour\""),
            ("biotype like red", "there is no operator \"like\""),
            ("start < x", "\"x\" is no value"),
            ("symbol match [", "\"[\" is no value"),
        ] {
            let error = TranscriptFilter::parse(text).expect_err(text).to_string();
            assert!(error.starts_with(start), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z()<>=! 0-9]{0,60}") {
            if let Ok(filter) = TranscriptFilter::parse(&text) {
                filter.passes(&transcript());
            }
        }
    }
}
