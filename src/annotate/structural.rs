//! Symbolic alleles: deletions, duplications, insertions, inversions and copy number variants that are told by their ends, and
//! what [`super::breakend`] has.
//!
//! Classes, their names and the consequences are those of Ensembl VEP 114 (Parser::get_SO_term, Utils::VariationEffect).

use super::breakend;
use super::effect::Effect;
use super::terms::{Term, Terms};
use super::variant::Variant;
use crate::formats::vcf::record::Record;

/// What a symbolic allele is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `<DEL>`, `<CN0>`, and of a mobile element.
    Deletion(Mobile),
    /// `<INS>`, and of a mobile element.
    Insertion(Mobile),
    /// `<DUP>`, `<CN2>`.
    Duplication,
    /// `<DUP:TANDEM>`.
    TandemDuplication,
    /// `<INV>`.
    Inversion,
    /// `<CNV>`, and other numbers of copies.
    CopyNumber,
    /// `<CNV:TR>`: longer or shorter than the reference.
    TandemRepeat,
    /// An end of a breakend.
    Breakpoint,
}

/// Which mobile element it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mobile {
    No,
    Any,
    Alu,
    Herv,
    Line1,
    Sva,
}

/// Why a symbolic allele cannot be annotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is of no class that is known here: `<NON_REF>`, `*`.
    Class,
    /// Neither END nor SVLEN tells where it ends.
    End,
}

impl Class {
    /// Of an allele such as `<DEL:ME:ALU>`; an allele of no such name is what `svtype` (INFO/SVTYPE) says.
    pub fn parse(allele: &[u8], svtype: Option<&[u8]>) -> Option<Self> {
        let name = allele.strip_prefix(b"<")?.strip_suffix(b">")?;
        Self::of_name(name).or_else(|| Self::of_name(svtype?))
    }

    fn of_name(name: &[u8]) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let mut parts = name.split(|letter| *letter == b':');
        let (first, second, third) = (parts.next()?, parts.next(), parts.next());
        let mobile = || match (second, third) {
            (Some(b"ME"), None) => Mobile::Any,
            (Some(b"ME"), Some(element)) => Mobile::parse(element),
            _ => Mobile::No,
        };
        let copies = first.strip_prefix(b"CN").map(|copies| copies.strip_prefix(b"=").unwrap_or(copies));
        Some(match first {
            b"DEL" => Self::Deletion(mobile()),
            b"INS" => Self::Insertion(mobile()),
            b"DUP" if second == Some(b"TANDEM") => Self::TandemDuplication,
            b"DUP" => Self::Duplication,
            b"INV" => Self::Inversion,
            b"CNV" if second == Some(b"TR") => Self::TandemRepeat,
            b"CNV" => Self::CopyNumber,
            _ => match copies? {
                b"0" => Self::Deletion(Mobile::No),
                b"2" => Self::Duplication,
                copies if !copies.is_empty() && copies.iter().all(u8::is_ascii_digit) => Self::CopyNumber,
                _ => return None,
            },
        })
    }

    /// Its name in the Sequence Ontology.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deletion(Mobile::No) => "deletion",
            Self::Deletion(Mobile::Any) => "mobile_element_deletion",
            Self::Deletion(Mobile::Alu) => "Alu_deletion",
            Self::Deletion(Mobile::Herv) => "HERV_deletion",
            Self::Deletion(Mobile::Line1) => "LINE1_deletion",
            Self::Deletion(Mobile::Sva) => "SVA_deletion",
            Self::Insertion(Mobile::No) => "insertion",
            Self::Insertion(Mobile::Any) => "mobile_element_insertion",
            Self::Insertion(Mobile::Alu) => "Alu_insertion",
            Self::Insertion(Mobile::Herv) => "HERV_insertion",
            Self::Insertion(Mobile::Line1) => "LINE1_insertion",
            Self::Insertion(Mobile::Sva) => "SVA_insertion",
            Self::Duplication => "duplication",
            Self::TandemDuplication => "tandem_duplication",
            Self::Inversion => "inversion",
            Self::CopyNumber => "copy_number_variation",
            Self::TandemRepeat => "tandem_repeat",
            Self::Breakpoint => breakend::NAME,
        }
    }

    fn is_deletion(self) -> bool {
        matches!(self, Self::Deletion(_))
    }

    fn is_duplication(self) -> bool {
        matches!(self, Self::Duplication | Self::TandemDuplication)
    }

    fn is_insertion(self) -> bool {
        matches!(self, Self::Insertion(_))
    }
}

impl Mobile {
    fn parse(element: &[u8]) -> Self {
        match element {
            b"ALU" => Self::Alu,
            b"HERV" => Self::Herv,
            b"LINE1" | b"L1" => Self::Line1,
            b"SVA" => Self::Sva,
            _ => Self::Any,
        }
    }
}

impl<'a> Variant<'a> {
    /// An alternate allele of a record by its number, if it is symbolic.
    ///
    /// It begins behind POS, and ends where SVLEN says, else END. An insertion lies behind POS, whatever its length.
    ///
    /// # Errors
    /// It is no allele of a class that is known, or there is no end.
    pub fn structural(record: &Record, number: usize, allele: &[u8]) -> Result<Self, Unknown> {
        let class = Class::parse(allele, record.info(b"SVTYPE")).ok_or(Unknown::Class)?;
        let position = record.position() + 1;
        let (start, number_of) = (position + 1, |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok());
        let length = || -> Option<i64> {
            let lengths = record.info(b"SVLEN")?;
            let mut each = lengths.split(|letter| *letter == b',');
            let first = each.clone().next();
            number_of(each.nth(number).or(first)?)
        };
        let end = match class {
            Class::Insertion(_) => Some(position),
            _ => length()
                .and_then(|length| position.checked_add(length.checked_abs()?))
                .or_else(|| number_of(record.info(b"END")?)),
        };
        let is_insertion = matches!(class, Class::Insertion(_));
        let end = end.filter(|end| is_insertion || *end >= start).ok_or(Unknown::End)?;
        Ok(Self { start, end, reference: &[], alternate: &[], class: Some(class), breakend: None })
    }
}

impl Variant<'_> {
    /// The consequence for a transcript that it covers as a whole, if it loses or doubles it.
    pub fn of_whole(&self) -> Option<Term> {
        let is_shorter = self.alternate.len() < self.reference.len();
        match self.class {
            None => is_shorter.then_some(Term::TranscriptAblation),
            Some(class) if class.is_deletion() => Some(Term::TranscriptAblation),
            Some(class) => class.is_duplication().then_some(Term::TranscriptAmplification),
        }
    }
}

/// Consequences of a symbolic allele within a transcript, but for those that all alleles have alike.
pub fn add_terms(effect: &Effect<'_>, class: Class, in_cdna: bool, in_cds: bool, terms: &mut Terms) {
    let (variant, transcript, place) = (effect.variant, effect.transcript, effect.place);
    if class == Class::Breakpoint {
        terms.insert(Term::FeatureTruncation);
    }
    if place.covers {
        return;
    }
    let is_within = variant.start >= transcript.start && variant.end <= transcript.end;
    if in_cdna && is_within && (class.is_duplication() || class.is_insertion()) {
        terms.insert(Term::FeatureElongation);
    }
    if in_cdna && class.is_deletion() {
        terms.insert(Term::FeatureTruncation);
    }
    let Some(coding) = transcript.coding.as_ref().filter(|_| place.coding) else { return };
    let length = variant.end - variant.start + 1;
    let in_exon = transcript.exons.iter().any(|exon| variant.start >= exon.start && variant.end <= exon.end);
    let is_frameshift = class.is_deletion() && in_exon && length % 3 != 0;
    let is_inframe = class.is_deletion() && in_exon && length % 3 == 0 && effect.cds.is_one() && in_cds;
    if is_frameshift {
        terms.insert(Term::Frameshift);
    }
    if is_inframe {
        terms.insert(Term::InframeDeletion);
    }
    if in_cds && !(is_frameshift || is_inframe) {
        terms.insert(Term::CodingSequence);
    }
    let (first, last) = coding.region;
    let [start_codon, stop_codon] = if transcript.is_reverse {
        [(last - 2, last), (first, first + 2)]
    } else {
        [(first, first + 2), (last - 2, last)]
    };
    if class.is_deletion() && variant.overlaps(stop_codon.0, stop_codon.1) {
        terms.insert(Term::StopLost);
    }
    // VEP asks for both ends on the transcript, and adds start_retained_variant to what it tells as lost.
    let on_cdna = effect.cdna.start().zip(effect.cdna.end());
    let meets_start = on_cdna.is_some_and(|(start, end)| end >= coding.cdna.0 && start <= coding.cdna.0 + 2);
    if meets_start && !transcript.tags.cds_start_not_found && variant.overlaps(start_codon.0, start_codon.1) {
        terms.insert(Term::StartLost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_names_of_the_ontology() {
        for (allele, svtype, name) in [
            ("<DEL>", None, Some("deletion")),
            ("<DEL:ME>", None, Some("mobile_element_deletion")),
            ("<DEL:ME:L1>", None, Some("LINE1_deletion")),
            ("<INS:ME:ALU>", None, Some("Alu_insertion")),
            ("<INS:NOVEL>", None, Some("insertion")),
            ("<DUP:TANDEM>", None, Some("tandem_duplication")),
            ("<dup>", None, Some("duplication")),
            ("<CN0>", None, Some("deletion")),
            ("<CN=2>", None, Some("duplication")),
            ("<CN14>", None, Some("copy_number_variation")),
            ("<CNV:TR>", None, Some("tandem_repeat")),
            ("<INV>", Some("DEL"), Some("inversion")),
            ("<ALU>", Some("INS"), Some("insertion")),
            ("<NON_REF>", None, None),
            ("<CN>", None, None),
            ("<*>", None, None),
            ("N[21:1[", Some("BND"), None),
        ] {
            let class = Class::parse(allele.as_bytes(), svtype.map(str::as_bytes));
            assert_eq!(class.map(Class::name), name, "{allele} {svtype:?}");
        }
    }
}
