//! The variants of a score, held in 11 bytes each and 8 for a weight.
//!
//! Pairs of alleles are few, so each is kept once. Identifiers are kept only where variants are found by them.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::chromosome::Chromosome;
use crate::genome::strand::reverse_complement;

/// How copies of the effect allele become a contribution to the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectType {
    /// The weight for each copy.
    Additive,
    /// The weight where there is a copy.
    Dominant,
    /// The weight where there are two copies.
    Recessive,
    /// A weight of its own for 0, 1 and 2 copies.
    NonAdditive,
}

impl EffectType {
    /// The name in the PGS Catalog's tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::Dominant => "dominant",
            Self::Recessive => "recessive",
            Self::NonAdditive => "nonadditive",
        }
    }

    /// The type of a name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Additive, Self::Dominant, Self::Recessive, Self::NonAdditive]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Why a row of a scoring file is about more than one variant, so that no genotype of a variant scores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Complexity {
    /// Alleles on one chromosome together (`is_haplotype`).
    Haplotype,
    /// Alleles on both chromosomes together (`is_diplotype`).
    Diplotype,
    /// A product of dosages (`is_interaction`).
    Interaction,
}

/// A variant of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreVariant<'v> {
    /// Its place among the file's rows, from 0.
    pub row: u32,
    /// The chromosome by its plain name, another contig as the file names it; empty where there is none.
    pub contig: &'v str,
    /// The chromosome, where the contig is one.
    pub chromosome: Option<Chromosome>,
    /// Position, 1-based.
    pub position: Option<u32>,
    /// Identifier, where variants are found by it.
    pub id: Option<&'v str>,
    /// Alleles.
    pub alleles: &'v AllelePair,
    /// How copies count.
    pub effect_type: EffectType,
    /// Why it cannot be scored.
    pub complexity: Option<Complexity>,
}

/// The alleles of a variant, and those of the other strand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllelePair {
    /// The allele whose copies are counted.
    pub effect: Box<str>,
    /// The other allele, if it is known.
    pub other: Option<Box<str>>,
    /// The effect allele on the other strand; as it stands where it is no sequence of A, C, G and T.
    pub effect_flipped: Box<str>,
    /// The other allele on the other strand.
    pub other_flipped: Option<Box<str>>,
}

impl AllelePair {
    fn new(effect: &str, other: Option<&str>) -> Self {
        Self {
            effect: effect.into(),
            other: other.map(Into::into),
            effect_flipped: flipped(effect).into(),
            other_flipped: other.map(|other| flipped(other).into()),
        }
    }
}

/// Whether an allele is a sequence of A, C, G and T.
pub fn is_sequence(allele: &str) -> bool {
    !allele.is_empty() && allele.bytes().all(|base| matches!(base, b'A' | b'C' | b'G' | b'T'))
}

/// An allele on the other strand, read in its direction; one that is no sequence stays.
pub fn flipped(allele: &str) -> String {
    if !is_sequence(allele) {
        return allele.to_owned();
    }
    let mut bases = allele.as_bytes().to_vec();
    reverse_complement(&mut bases);
    bases.into_iter().map(char::from).collect()
}

/// A variant to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewVariant<'l> {
    /// The contig's name; empty for none.
    pub contig: &'l str,
    /// Position, 1-based; 0 for none.
    pub position: u32,
    /// Identifier, where variants are found by it: then all of a file have one.
    pub id: Option<&'l str>,
    /// The allele whose copies are counted.
    pub effect: &'l str,
    /// The other allele; empty where it is not known.
    pub other: &'l str,
    /// How copies count.
    pub effect_type: EffectType,
    /// Why it cannot be scored.
    pub complexity: Option<Complexity>,
}

/// The variants of a file, in its order.
#[derive(Clone, Debug, Default)]
pub struct Variants {
    /// A chromosome's number, or `OTHER` and more for `other_contigs`; 0 for none.
    contigs: Vec<u16>,
    /// 0 for none.
    positions: Vec<u32>,
    alleles: Vec<u32>,
    /// Effect type in bits 0 and 1, complexity in bits 2 and 3.
    kinds: Vec<u8>,
    pairs: Vec<AllelePair>,
    pair_numbers: FxHashMap<String, u32>,
    other_contigs: Vec<String>,
    ids: Option<Ids>,
}

#[derive(Clone, Debug, Default)]
struct Ids {
    text: String,
    ends: Vec<usize>,
}

/// There are more than a file can have: 2^32 rows or 65,000 contigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than 4,294,967,295 rows or 65,000 contigs")]
pub struct TooMany;

impl Variants {
    /// Adds one.
    ///
    /// # Errors
    /// There are too many rows or contigs.
    pub fn push(&mut self, new: NewVariant<'_>) -> Result<(), TooMany> {
        u32::try_from(self.len() + 1).map_err(|_| TooMany)?;
        let contig = self.contig_number(new.contig)?;
        let pair = self.pair_number(new.effect, new.other);
        self.contigs.push(contig);
        self.positions.push(new.position);
        self.alleles.push(pair);
        let complexity = new.complexity.map_or(0, |complexity| complexity as u8 + 1);
        self.kinds.push(new.effect_type as u8 | complexity << 2);
        if let Some(id) = new.id {
            let ids = self.ids.get_or_insert_default();
            ids.text.push_str(id);
            ids.ends.push(ids.text.len());
        }
        Ok(())
    }

    fn contig_number(&mut self, name: &str) -> Result<u16, TooMany> {
        if name.is_empty() {
            return Ok(0);
        }
        if let Some(chromosome) = Chromosome::of(name) {
            return Ok(chromosome.number().into());
        }
        let place = self.other_contigs.iter().position(|other| other == name).unwrap_or_else(|| {
            self.other_contigs.push(name.to_owned());
            self.other_contigs.len() - 1
        });
        u16::try_from(place + usize::from(OTHER)).map_err(|_| TooMany)
    }

    fn pair_number(&mut self, effect: &str, other: &str) -> u32 {
        let [effect, other] = [effect, other].map(upper_case);
        let key = format!("{effect}\t{other}");
        if let Some(number) = self.pair_numbers.get(&key) {
            return *number;
        }
        let number = self.pairs.len() as u32;
        self.pairs.push(AllelePair::new(&effect, (!other.is_empty()).then_some(&other)));
        self.pair_numbers.insert(key, number);
        number
    }

    /// Variants.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Whether they are found by identifier, not by position.
    pub fn has_ids(&self) -> bool {
        self.ids.is_some()
    }

    /// A variant (0-based).
    pub fn get(&self, row: usize) -> Option<ScoreVariant<'_>> {
        let contig = *self.contigs.get(row)?;
        let kind = *self.kinds.get(row)?;
        let chromosome = u8::try_from(contig).ok().and_then(Chromosome::from_number);
        let other = usize::from(contig).checked_sub(usize::from(OTHER));
        let other = other.and_then(|place| self.other_contigs.get(place)).map_or("", |name| name.as_str());
        let position = *self.positions.get(row)?;
        Some(ScoreVariant {
            row: row as u32,
            contig: chromosome.map_or(other, |chromosome| chromosome.name()),
            chromosome,
            position: (position > 0).then_some(position),
            id: self.ids.as_ref().and_then(|ids| ids.get(row)),
            alleles: self.pairs.get(*self.alleles.get(row)? as usize)?,
            effect_type: match kind & 3 {
                0 => EffectType::Additive,
                1 => EffectType::Dominant,
                2 => EffectType::Recessive,
                _ => EffectType::NonAdditive,
            },
            complexity: match kind >> 2 {
                1 => Some(Complexity::Haplotype),
                2 => Some(Complexity::Diplotype),
                3 => Some(Complexity::Interaction),
                _ => None,
            },
        })
    }

    /// All variants, in order.
    pub fn iter(&self) -> impl Iterator<Item = ScoreVariant<'_>> {
        (0..self.len()).filter_map(|row| self.get(row))
    }

    /// Moves a variant; `None` takes its position away.
    ///
    /// # Errors
    /// There are too many contigs.
    pub fn move_to(
        &mut self,
        row: usize,
        place: Option<(Chromosome, u32)>,
        flips: bool,
    ) -> Result<(), TooMany> {
        let Some(number) = self.alleles.get(row).copied() else { return Ok(()) };
        let (contig, position) =
            place.map_or((0, 0), |(chromosome, position)| (u16::from(chromosome.number()), position));
        self.contigs[row] = contig;
        self.positions[row] = position;
        if flips && let Some(pair) = self.pairs.get(number as usize) {
            let (effect, other) =
                (pair.effect_flipped.clone(), pair.other_flipped.clone().unwrap_or_default());
            self.alleles[row] = self.pair_number(&effect, &other);
        }
        Ok(())
    }

    /// Bytes that they take up, but for few pairs of alleles.
    pub fn bytes(&self) -> usize {
        let ids = self.ids.as_ref().map_or(0, |ids| ids.text.len() + 8 * ids.ends.len());
        11 * self.len() + ids
    }

    /// Gives back memory that was asked for in advance, once all are there.
    pub fn shrink(&mut self) {
        self.contigs.shrink_to_fit();
        self.positions.shrink_to_fit();
        self.alleles.shrink_to_fit();
        self.kinds.shrink_to_fit();
        if let Some(ids) = &mut self.ids {
            ids.text.shrink_to_fit();
            ids.ends.shrink_to_fit();
        }
    }
}

/// Behind all chromosomes.
const OTHER: u16 = 256;

impl Ids {
    fn get(&self, row: usize) -> Option<&str> {
        let start = if row == 0 { 0 } else { *self.ends.get(row - 1)? };
        self.text.get(start..*self.ends.get(row)?)
    }
}

/// Small letters of bases are bases; names of other alleles stay.
pub fn upper_case(allele: &str) -> Cow<'_, str> {
    if is_sequence(allele) {
        return Cow::Borrowed(allele);
    }
    let is_small = |base: u8| matches!(base, b'a' | b'c' | b'g' | b't');
    let is_bases = allele.bytes().all(|base| is_small(base) || is_small(base.to_ascii_lowercase()));
    if is_bases { allele.to_ascii_uppercase().into() } else { allele.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NEW: NewVariant<'_> = NewVariant {
        contig: "chr7",
        position: 5,
        id: None,
        effect: "a",
        other: "",
        effect_type: EffectType::Recessive,
        complexity: Some(Complexity::Interaction),
    };

    #[test]
    fn variants_come_back() {
        let mut variants = Variants::default();
        variants.push(NEW).unwrap();
        variants.push(NewVariant { contig: "6_alt", effect: "HLA-a", other: "CAT", ..NEW }).unwrap();
        variants.push(NewVariant { contig: "", position: 0, complexity: None, ..NEW }).unwrap();
        let rows: Vec<_> = variants.iter().collect();
        assert_eq!((rows[0].contig, rows[0].position), ("7", Some(5)));
        assert_eq!((&*rows[0].alleles.effect, &*rows[0].alleles.effect_flipped), ("A", "T"));
        assert_eq!(
            (rows[0].effect_type, rows[0].complexity),
            (EffectType::Recessive, Some(Complexity::Interaction))
        );
        assert_eq!((rows[1].contig, rows[1].chromosome), ("6_alt", None));
        assert_eq!(
            (&*rows[1].alleles.effect_flipped, rows[1].alleles.other_flipped.as_deref()),
            ("HLA-a", Some("ATG"))
        );
        assert_eq!((rows[2].contig, rows[2].position, rows[2].complexity), ("", None, None));
        assert_eq!(variants.pairs.len(), 2);
        assert_eq!(variants.bytes(), 33);
    }

    #[test]
    fn variants_move() {
        let mut variants = Variants::default();
        variants.push(NewVariant { other: "G", ..NEW }).unwrap();
        variants.move_to(0, Chromosome::of("X").map(|x| (x, 9)), true).unwrap();
        let moved = variants.get(0).unwrap();
        assert_eq!((moved.contig, moved.position), ("X", Some(9)));
        assert_eq!((&*moved.alleles.effect, moved.alleles.other.as_deref()), ("T", Some("C")));
        variants.move_to(0, None, false).unwrap();
        assert_eq!(variants.get(0).unwrap().position, None);
    }
}
