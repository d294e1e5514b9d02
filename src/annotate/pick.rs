//! Which of many entries are told: VEP's `--pick` and its kin.
//!
//! The order is that of VEP 114: MANE Select, MANE Plus Clinical, canonical, APPRIS, transcript support level, protein-coding,
//! CCDS, the most severe consequence, length; then the source's order.

use super::effect::Effect;
use super::terms::Terms;

/// What one entry is picked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// All of a record.
    One,
    /// Those of an allele.
    PerAllele,
    /// Those of a gene.
    PerGene,
    /// Those of an allele and a gene.
    PerAlleleAndGene,
}

/// A criterion; what has less of it is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Criterion {
    ManeSelect,
    ManePlusClinical,
    Canonical,
    Appris,
    Tsl,
    Biotype,
    Ccds,
    Rank,
    Length,
}

impl Criterion {
    /// All, in VEP's order, with VEP's names.
    pub const ALL: [(Self, &str); 9] = [
        (Self::ManeSelect, "mane_select"),
        (Self::ManePlusClinical, "mane_plus_clinical"),
        (Self::Canonical, "canonical"),
        (Self::Appris, "appris"),
        (Self::Tsl, "tsl"),
        (Self::Biotype, "biotype"),
        (Self::Ccds, "ccds"),
        (Self::Rank, "rank"),
        (Self::Length, "length"),
    ];

    /// By VEP's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(criterion, _)| *criterion)
    }

    fn of(self, effect: &Effect<'_>) -> i64 {
        let transcript = effect.transcript;
        let tags = &transcript.tags;
        match self {
            Self::ManeSelect => i64::from(!tags.mane_select),
            Self::ManePlusClinical => i64::from(!tags.mane_plus_clinical),
            Self::Canonical => i64::from(!tags.canonical),
            Self::Appris => tags.appris.as_deref().map_or(UNKNOWN, appris_rank),
            Self::Tsl => tags.tsl.map_or(UNKNOWN, i64::from),
            Self::Biotype => i64::from(transcript.biotype != "protein_coding"),
            Self::Ccds => i64::from(tags.ccds.is_none()),
            Self::Rank => rank(effect.terms),
            Self::Length => {
                -transcript.coding.as_ref().map_or(transcript.length, |coding| coding.bases.len() as i64)
            }
        }
    }
}

/// Behind all that is known.
const UNKNOWN: i64 = 100;

/// `P1` to `P5` before `A1` and `A2`.
fn appris_rank(level: &str) -> i64 {
    let number = level.get(1..).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
    if level.starts_with('A') { number + 10 } else { number }
}

fn rank(terms: Terms) -> i64 {
    terms.most_severe().map_or(UNKNOWN, |term| term as i64)
}

/// Which of the entries of a record are picked. Each has the number of its allele; those without a transcript are alone.
pub fn picked(entries: &[(usize, Option<Effect<'_>>)], pick: Pick, order: &[Criterion]) -> Vec<bool> {
    let group = |(allele, effect): &(usize, Option<Effect<'_>>)| -> (Option<usize>, String) {
        let gene = || effect.as_ref().map_or_else(String::new, |effect| effect.transcript.gene.clone());
        match pick {
            Pick::One => (None, String::new()),
            Pick::PerAllele => (Some(*allele), String::new()),
            Pick::PerGene => (None, gene()),
            Pick::PerAlleleAndGene => (Some(*allele), gene()),
        }
    };
    let key = |(_, effect): &(usize, Option<Effect<'_>>)| -> Vec<i64> {
        let worst = || vec![i64::MAX; order.len()];
        effect
            .as_ref()
            .map_or_else(worst, |effect| order.iter().map(|criterion| criterion.of(effect)).collect())
    };
    let mut best: Vec<(_, Vec<i64>, usize)> = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let (group, key) = (group(entry), key(entry));
        match best.iter_mut().find(|(known, ..)| *known == group) {
            Some(known) if key < known.1 => (known.1, known.2) = (key, number),
            Some(_) => {}
            None => best.push((group, key, number)),
        }
    }
    let mut picked = vec![false; entries.len()];
    best.iter().for_each(|(.., number)| picked[*number] = true);
    picked
}
