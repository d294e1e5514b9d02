//! Reserved INFO and FORMAT tags with the Number and Type that the specification gives them (tables 1 and 2 of VCF 4.3,
//! with the local alleles of 4.5; for 4.1 and 4.2 those of the same tables that these name).

use super::Version;
use crate::formats::vcf::header::{Definition, Number, Type};

/// A reserved tag: its name, Number, Type where one is reserved, and the version from which it is.
type Reserved = (&'static str, Number, Option<Type>, Version);

const FIRST: Version = Version(1);
const STRICT: Version = Version::STRICT;
const LOCAL: Version = Version::LOCAL;
const ONE: Number = Number::Count(1);
const INTEGER: Option<Type> = Some(Type::Integer);
const FLOAT: Option<Type> = Some(Type::Float);
const STRING: Option<Type> = Some(Type::String);
const FLAG: Option<Type> = Some(Type::Flag);

const INFO: [Reserved; 20] = [
    ("AA", ONE, STRING, FIRST),
    ("AC", Number::Alternates, INTEGER, FIRST),
    ("AD", Number::Alleles, INTEGER, STRICT),
    ("ADF", Number::Alleles, INTEGER, STRICT),
    ("ADR", Number::Alleles, INTEGER, STRICT),
    ("AF", Number::Alternates, FLOAT, FIRST),
    ("AN", ONE, INTEGER, FIRST),
    ("BQ", ONE, FLOAT, FIRST),
    ("CIGAR", Number::Alternates, STRING, FIRST),
    ("DB", Number::Count(0), FLAG, FIRST),
    ("DP", ONE, INTEGER, FIRST),
    ("END", ONE, INTEGER, FIRST),
    ("H2", Number::Count(0), FLAG, FIRST),
    ("H3", Number::Count(0), FLAG, FIRST),
    ("MQ", ONE, None, FIRST),
    ("MQ0", ONE, INTEGER, FIRST),
    ("NS", ONE, INTEGER, FIRST),
    ("SOMATIC", Number::Count(0), FLAG, FIRST),
    ("VALIDATED", Number::Count(0), FLAG, FIRST),
    ("1000G", Number::Count(0), FLAG, FIRST),
];

const FORMAT: [Reserved; 20] = [
    ("AD", Number::Alleles, INTEGER, STRICT),
    ("ADF", Number::Alleles, INTEGER, STRICT),
    ("ADR", Number::Alleles, INTEGER, STRICT),
    ("DP", ONE, INTEGER, FIRST),
    ("EC", Number::Alternates, INTEGER, FIRST),
    ("FT", ONE, STRING, FIRST),
    ("GL", Number::Genotypes, FLOAT, FIRST),
    ("GP", Number::Genotypes, FLOAT, FIRST),
    ("GQ", ONE, INTEGER, FIRST),
    ("GT", ONE, STRING, FIRST),
    ("HQ", Number::Count(2), INTEGER, FIRST),
    ("MQ", ONE, INTEGER, FIRST),
    ("PL", Number::Genotypes, INTEGER, FIRST),
    ("PQ", ONE, INTEGER, FIRST),
    ("PS", ONE, INTEGER, FIRST),
    ("LAD", Number::LocalAlleles, INTEGER, LOCAL),
    ("LADF", Number::LocalAlleles, INTEGER, LOCAL),
    ("LADR", Number::LocalAlleles, INTEGER, LOCAL),
    ("LEC", Number::LocalAlternates, INTEGER, LOCAL),
    ("LPL", Number::LocalGenotypes, INTEGER, LOCAL),
];

/// Genotype likelihoods of any ploidy, which 4.1 and 4.2 reserve alone.
const GLE: Reserved = ("GLE", Number::Genotypes, STRING, FIRST);

/// What is reserved for an INFO tag; the type is `None` where any will do.
pub(super) fn info(tag: &[u8], version: Version) -> Option<(Number, Option<Type>)> {
    find(&INFO, tag, version)
}

/// What is reserved for a FORMAT tag.
pub(super) fn format(tag: &[u8], version: Version) -> Option<(Number, Option<Type>)> {
    if version < Version::STRICT && tag == GLE.0.as_bytes() {
        return Some((GLE.1, GLE.2));
    }
    find(&FORMAT, tag, version)
}

/// What a tag that is not declared holds, if that is reserved.
pub(super) fn implied((number, kind): (Number, Option<Type>)) -> Option<Definition> {
    kind.map(|kind| Definition { number, kind })
}

/// INFO tags whose values are not negative.
pub(super) fn is_not_negative(tag: &[u8]) -> bool {
    matches!(tag, b"AC" | b"AF" | b"AN" | b"DP" | b"END" | b"MQ0" | b"NS")
}

fn find(table: &[Reserved], tag: &[u8], version: Version) -> Option<(Number, Option<Type>)> {
    let found = table.iter().find(|(name, .., since)| name.as_bytes() == tag && *since <= version);
    found.map(|(_, number, kind, _)| (*number, *kind))
}
