//! The rules by name, and what was found to break them.

use std::collections::BTreeMap;

/// A rule of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // TABLE says what each demands
pub enum Rule {
    FileFormat,
    MetaForm,
    MetaStructure,
    MetaId,
    MetaNumber,
    MetaType,
    MetaDescription,
    MetaFields,
    MetaReserved,
    MetaDuplicate,
    MetaUrl,
    HeaderLine,
    SampleName,
    ColumnCount,
    Chrom,
    Pos,
    Id,
    Ref,
    Alt,
    Qual,
    Filter,
    InfoKey,
    InfoType,
    InfoNumber,
    InfoRange,
    FormatKey,
    SampleFields,
    Genotype,
    SampleType,
    SampleNumber,
    Contiguous,
    Sorted,
    Duplicate,
    LastLine,
    BcfRecord,
    BcfDictionary,
    BcfSamples,
    BcfType,
}

/// Each rule with its name and what it demands.
const TABLE: [(Rule, &str, &str); 38] = [
    (Rule::FileFormat, "fileformat", "the first line is ##fileformat=VCFv4.1 to VCFv4.5"),
    (Rule::MetaForm, "meta-form", "a meta line is ##key=value, neither of them empty"),
    (
        Rule::MetaStructure,
        "meta-structure",
        "<...> holds key=value between commas; brackets and quotes are closed",
    ),
    (Rule::MetaId, "meta-id", "ID comes first and has no character that its place in records cannot hold"),
    (Rule::MetaNumber, "meta-number", "Number is a count, or A, G, R, . and what the version has besides"),
    (Rule::MetaType, "meta-type", "Type is Integer, Float, Flag (INFO), Character or String"),
    (Rule::MetaDescription, "meta-description", "Description is in double quotes"),
    (Rule::MetaFields, "meta-fields", "the fields that a line must have stand in their order"),
    (Rule::MetaReserved, "meta-reserved", "a reserved tag has the Number and Type that are reserved for it"),
    (Rule::MetaDuplicate, "meta-duplicate", "an ID is declared once"),
    (Rule::MetaUrl, "meta-url", "assembly and pedigreeDB are URLs"),
    (
        Rule::HeaderLine,
        "header-line",
        "one #CHROM line with the columns' names between tabs stands before the records",
    ),
    (Rule::SampleName, "sample-name", "samples have names, each once"),
    (Rule::ColumnCount, "columns", "a record has as many columns as the #CHROM line"),
    (Rule::Chrom, "chrom", "CHROM is the name of a contig, or one in angle brackets"),
    (Rule::Pos, "pos", "POS is an integer from 0 on"),
    (Rule::Id, "id", "ID is . or names between semicolons, each once, without white space"),
    (Rule::Ref, "ref", "REF is one or more of A, C, G, T and N"),
    (Rule::Alt, "alt", "an ALT is bases, *, a symbol in angle brackets, or a breakend; . stands alone"),
    (Rule::Qual, "qual", "QUAL is . or a number from 0 on"),
    (Rule::Filter, "filter", "FILTER is ., PASS, or names between semicolons, each once; 0 is reserved"),
    (
        Rule::InfoKey,
        "info-key",
        "INFO is . or key[=value] between semicolons, each key once, without white space",
    ),
    (Rule::InfoType, "info-type", "an INFO value has the declared or reserved Type"),
    (
        Rule::InfoNumber,
        "info-number",
        "an INFO field has as many values as the declared or reserved Number says",
    ),
    (
        Rule::InfoRange,
        "info-range",
        "counts, depths, positions and frequencies are not negative; CIGAR is one",
    ),
    (Rule::FormatKey, "format-key", "FORMAT is keys between colons, each once, GT first"),
    (Rule::SampleFields, "sample-fields", "a sample has at most as many fields as FORMAT"),
    (Rule::Genotype, "genotype", "GT is alleles of the record or . with / or | between them"),
    (Rule::SampleType, "sample-type", "a FORMAT value has the declared or reserved Type"),
    (
        Rule::SampleNumber,
        "sample-number",
        "a FORMAT field has as many values as the declared or reserved Number says",
    ),
    (Rule::Contiguous, "contiguous", "the records of a contig stand together"),
    (Rule::Sorted, "sorted", "positions of a contig ascend"),
    (Rule::Duplicate, "duplicate", "no two records have the same variant, however it is written"),
    (Rule::LastLine, "last-line", "the last line ends as the others do"),
    (Rule::BcfRecord, "bcf-record", "a BCF's magic, lengths and types are sound, to the end of the file"),
    (
        Rule::BcfDictionary,
        "bcf-dictionary",
        "numbers of contigs, filters and tags stand for names of the header, each for one",
    ),
    (Rule::BcfSamples, "bcf-samples", "a BCF's record has as many samples as the header"),
    (Rule::BcfType, "bcf-type", "a BCF's value is stored as the header declares it"),
];

impl Rule {
    /// The rule's name.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|(rule, ..)| *rule == self).map_or("", |(_, name, _)| name)
    }

    /// What it demands.
    pub fn demand(self) -> &'static str {
        TABLE.iter().find(|(rule, ..)| *rule == self).map_or("", |(.., demand)| demand)
    }

    /// The rule of a name.
    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, known, _)| *known == name).map(|(rule, ..)| *rule)
    }

    /// All rules with their names and demands.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        TABLE.iter().map(|(_, name, demand)| (*name, *demand))
    }
}

/// What breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// The rule.
    pub rule: Rule,
    /// What is there.
    pub what: String,
}

/// All that breaks a rule, counted; and the first of it.
#[derive(Debug)]
pub struct Report {
    /// By rule.
    pub counts: BTreeMap<Rule, u64>,
    /// The first, in the order of lines.
    pub problems: Vec<Problem>,
    /// Lines that were read.
    pub lines: u64,
    /// The line that is looked at.
    pub(super) line: u64,
    show: usize,
    allowed: Vec<Rule>,
}

impl Report {
    pub(super) fn new(show: usize, allowed: Vec<Rule>) -> Self {
        Self { counts: BTreeMap::new(), problems: Vec::new(), lines: 0, line: 0, show, allowed }
    }

    /// Counts that the present line breaks a rule.
    pub(super) fn add(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        if self.allowed.contains(&rule) {
            return;
        }
        *self.counts.entry(rule).or_default() += 1;
        if self.problems.len() < self.show {
            self.problems.push(Problem { line: self.line, rule, what: what() });
        }
    }

    /// How often rules are broken.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}
