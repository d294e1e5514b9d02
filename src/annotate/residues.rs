//! ClinVar's missense variants of the residue that a missense variant changes: what ACMG's PS1 and PM5 rest on.
//!
//! PS1 asks for a pathogenic variant with the same amino-acid change by another nucleotide change, PM5 for another pathogenic
//! missense change of the residue (Richards et al. 2015, doi:10.1038/gim.2015.30). ClinVar's alleles come from a source
//! ([`super::sources`]); which of them are missense, and of which residue, is decided on the transcript of the entry, by the
//! bases of its codon. So both sides are always read with the same genes, and transcripts agree that share a codon.

use std::fmt::Write;
use std::ops::Range;

use super::codons::three_letters;
use super::effect::Effect;
use super::genes::Transcript;
use super::sources::block::Key;
use super::sources::normal;
use super::sources::{Source, SourceAllele};
use super::terms::Term;
use super::variant::Variant;
use crate::formats::ndb::NdbError;

/// ClinVar's alleles, and which of them count.
pub struct Residues {
    source: Source,
    /// The numbers of its fields ID, CLNSIG and CLNREVSTAT.
    fields: [usize; 3],
    fewest_stars: u8,
}

/// What ClinVar has of a residue, in the order of places: items of the identifier, the change, its class, stars, and `splice`
/// where the bases are of a splice region, too, with `:` between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Pathogenic, the same change by other bases.
    pub same_change: Vec<String>,
    /// Pathogenic, another missense change.
    pub same_residue: Vec<String>,
    /// Missense changes of other classes, or with too few stars.
    pub other: Vec<String>,
}

/// The longest substitution that is one change of a residue.
const CODON: i64 = 3;

impl Residues {
    /// The fields that the source needs.
    pub const FIELDS: [&str; 3] = ["ID", "CLNSIG", "CLNREVSTAT"];

    /// Over a source of ClinVar; variants with fewer stars of review do not count as pathogenic.
    ///
    /// # Errors
    /// The source lacks a field, or has no alleles.
    pub fn new(source: Source, fewest_stars: u8) -> Result<Self, NdbError> {
        let lacks = |field: &str| {
            let fields = Self::FIELDS.join(",");
            source.ndb().damaged(format!(
                "it has no {field} of alleles: make it with norn db source ClinVar --vcf clinvar.vcf.gz --fields {fields}"
            ))
        };
        let mut fields = [0; 3];
        for (number, name) in fields.iter_mut().zip(Self::FIELDS) {
            *number = source.field(name).filter(|_| source.is_by_allele()).ok_or_else(|| lacks(name))?;
        }
        Ok(Self { source, fields, fewest_stars })
    }

    /// The line of a header that tells what it is made from.
    pub fn header_line(&self) -> String {
        let made_from = &self.source.ndb().head().made_from;
        let files: Vec<_> = made_from.iter().map(|file| format!("{} {}", file.file, file.blake3)).collect();
        format!("##norn_residues=<From=\"{}\",Stars={}>", files.join(", "), self.fewest_stars)
    }

    /// What there is of the residue that an allele changes; nothing where it is not missense of one residue.
    ///
    /// # Errors
    /// The source cannot be read, or is damaged.
    pub fn evidence(&self, contig: &[u8], effect: &Effect<'_>) -> Result<Evidence, NdbError> {
        let mut found = Evidence::default();
        let Some(change) = Change::of(effect) else { return Ok(found) };
        let (variant, transcript) = (&effect.variant, effect.transcript);
        let own = normal::key(variant.start - 1, variant.reference, variant.alternate, None);
        let mut seen: Vec<Key> = own.into_iter().collect();
        for range in codon(transcript, change.residue) {
            // 0-based; a substitution of three bases begins two before the last that it changes.
            let starts = (range.start - CODON, range.end - 1);
            for SourceAllele { key, texts } in self.source.alleles_within(contig, starts, &self.fields)? {
                if seen.contains(&key) {
                    continue;
                }
                if let Some(other) = Change::of_key(&key, transcript).filter(|other| other.is_of(&change)) {
                    self.sort_in(&other, &change, &texts, &mut found);
                }
                seen.push(key);
            }
        }
        Ok(found)
    }

    fn sort_in(&self, other: &Change, change: &Change, texts: &[Vec<u8>], found: &mut Evidence) {
        let [id, class, review] = texts else { return };
        let stars = stars(review);
        let list = match is_pathogenic(class) && stars >= self.fewest_stars {
            false => &mut found.other,
            true if other.to == change.to => &mut found.same_change,
            true => &mut found.same_residue,
        };
        let [id, class] = [id, class].map(|text| String::from_utf8_lossy(text));
        // These stand between items and parts of entries.
        let class =
            if class.is_empty() { "not_provided".to_owned() } else { class.replace(['&', '|', ':'], "+") };
        let (from, to) = (three_letters(other.from), three_letters(other.to));
        let mut item = format!("{id}:p.{from}{}{to}:{class}:{stars}", other.residue);
        if other.is_near_splice {
            let _ = item.write_str(":splice");
        }
        list.push(item);
    }
}

/// A missense change of one residue.
struct Change {
    /// From 1.
    residue: i64,
    from: u8,
    to: u8,
    /// Its bases belong to a splice region or site.
    is_near_splice: bool,
}

impl Change {
    fn of(effect: &Effect<'_>) -> Option<Self> {
        if !effect.terms.contains(Term::Missense) {
            return None;
        }
        let [reference, alternate] = effect.coding.as_ref()?.peptides.as_ref()?;
        let mut differing =
            reference.iter().zip(alternate).enumerate().filter(|(_, (one, other))| one != other);
        let (at, (from, to)) = differing.next()?;
        if differing.next().is_some() || reference.len() != alternate.len() {
            return None;
        }
        let is_splice = |term: Term| effect.terms.contains(term);
        Some(Self {
            residue: effect.protein.start()? + at as i64,
            from: *from,
            to: *to,
            is_near_splice: SPLICE.into_iter().any(is_splice),
        })
    }

    /// That of an allele of the source on a transcript.
    fn of_key((position, reference, alternate): &Key, transcript: &Transcript) -> Option<Self> {
        let length = reference.len() as i64;
        if reference.len() != alternate.len() || length > CODON {
            return None;
        }
        let variant = Variant {
            start: position + 1,
            end: position + length,
            reference,
            alternate,
            class: None,
            breakend: None,
        };
        Self::of(&Effect::new(variant, transcript, 0))
    }

    fn is_of(&self, other: &Self) -> bool {
        self.residue == other.residue && self.from == other.from
    }
}

const SPLICE: [Term; 5] = [
    Term::SpliceAcceptor,
    Term::SpliceDonor,
    Term::SpliceDonor5thBase,
    Term::SpliceDonorRegion,
    Term::SpliceRegion,
];

/// The stretches of a residue's codon on the contig (1-based, half-open), from the left; several where exons part it.
fn codon(transcript: &Transcript, residue: i64) -> Vec<Range<i64>> {
    let Some(coding) = &transcript.coding else { return Vec::new() };
    let first = coding.cdna.0 - coding.phase + CODON * (residue - 1);
    let mut places: Vec<i64> = (first..first + CODON).filter_map(|cdna| transcript.on_contig(cdna)).collect();
    places.sort_unstable();
    let mut ranges: Vec<Range<i64>> = Vec::new();
    for place in places {
        match ranges.last_mut() {
            Some(last) if last.end == place => last.end += 1,
            _ => ranges.push(place..place + 1),
        }
    }
    ranges
}

/// Whether a class of ClinVar (CLNSIG) is pathogenic or likely so, all submitters taken together. What conflicts is not.
fn is_pathogenic(class: &[u8]) -> bool {
    // What follows a bar is beside the classification (drug_response, risk_factor).
    let germline = class.split(|letter| *letter == b'|').next().unwrap_or_default();
    let mut classes = germline.split(|letter| *letter == b'/');
    classes.any(|class| class.starts_with(b"Pathogenic") || class.starts_with(b"Likely_pathogenic"))
}

/// ClinVar's stars of a status of review (CLNREVSTAT, commas written as `&`).
fn stars(review: &[u8]) -> u8 {
    match review {
        b"practice_guideline" => 4,
        b"reviewed_by_expert_panel" => 3,
        b"criteria_provided&_multiple_submitters&_no_conflicts"
        | b"criteria_provided&_multiple_submitters" => 2,
        review if review.starts_with(b"criteria_provided") => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of CLNSIG in ClinVar's VCF, as sources hold them.
    #[test]
    fn classes_are_read_as_clinvar_writes_them() {
        for (class, expected) in [
            ("Pathogenic", true),
            ("Likely_pathogenic", true),
            ("Pathogenic/Likely_pathogenic", true),
            ("Pathogenic/Likely_pathogenic|risk_factor", true),
            ("Pathogenic/Likely_risk_allele", true),
            ("Likely_pathogenic&_low_penetrance", true),
            ("Pathogenic/Pathogenic&_low_penetrance|other", true),
            ("Conflicting_classifications_of_pathogenicity", false),
            ("Conflicting_interpretations_of_pathogenicity|risk_factor", false),
            ("Uncertain_significance", false),
            ("Uncertain_significance/Uncertain_risk_allele", false),
            ("Likely_benign", false),
            ("Benign/Likely_benign", false),
            ("risk_factor", false),
            ("drug_response", false),
            ("association|Pathogenic", false),
            ("not_provided", false),
            ("", false),
        ] {
            assert_eq!(is_pathogenic(class.as_bytes()), expected, "{class}");
        }
    }

    /// https://www.ncbi.nlm.nih.gov/clinvar/docs/review_status/
    #[test]
    fn stars_are_those_of_clinvar() {
        for (review, expected) in [
            ("practice_guideline", 4),
            ("reviewed_by_expert_panel", 3),
            ("criteria_provided&_multiple_submitters&_no_conflicts", 2),
            ("criteria_provided&_multiple_submitters", 2),
            ("criteria_provided&_conflicting_classifications", 1),
            ("criteria_provided&_conflicting_interpretations", 1),
            ("criteria_provided&_single_submitter", 1),
            ("no_assertion_criteria_provided", 0),
            ("no_classification_for_the_single_variant", 0),
            ("", 0),
        ] {
            assert_eq!(stars(review.as_bytes()), expected, "{review}");
        }
    }
}
