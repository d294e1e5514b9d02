//! Rows of a table whose columns have the PGS Catalog's names, or names that stand for these.

use std::collections::BTreeMap;

use super::score_problems::{RowProblem, ScoringProblem};
use super::score_variants::{Complexity, EffectType, NewVariant};
use super::scoring_file::{ScoringFile, weight};

/// Names of columns where they are not the PGS Catalog's: the catalogue's name, and that in the file
/// (`effect_allele` -> `A1`).
pub type ColumnNames = BTreeMap<String, String>;

/// Which columns are read, and where they are.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// For each column of the file, the column that it is.
    which: Vec<Option<Column>>,
    contig: Column,
    position: Column,
}

/// The columns that are read, by the catalogue's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    ChrName,
    ChrPosition,
    EffectAllele,
    OtherAllele,
    EffectWeight,
    Type,
    IsHaplotype,
    IsDiplotype,
    IsInteraction,
    IsDominant,
    IsRecessive,
    Dosage0,
    Dosage1,
    Dosage2,
    HmChr,
    HmPos,
    HmInferOtherAllele,
}

use Column::*;

const NAMES: [(&str, Column); 17] = [
    ("chr_name", ChrName),
    ("chr_position", ChrPosition),
    ("effect_allele", EffectAllele),
    ("other_allele", OtherAllele),
    ("effect_weight", EffectWeight),
    ("effect_type", Type),
    ("is_haplotype", IsHaplotype),
    ("is_diplotype", IsDiplotype),
    ("is_interaction", IsInteraction),
    ("is_dominant", IsDominant),
    ("is_recessive", IsRecessive),
    ("dosage_0_weight", Dosage0),
    ("dosage_1_weight", Dosage1),
    ("dosage_2_weight", Dosage2),
    ("hm_chr", HmChr),
    ("hm_pos", HmPos),
    ("hm_inferOtherAllele", HmInferOtherAllele),
];

impl Columns {
    /// From the line that names the columns.
    ///
    /// # Errors
    /// A column is named twice, or there is no effect allele or no weight.
    pub(super) fn of(line: &str, names: &ColumnNames) -> Result<Self, ScoringProblem> {
        let cells: Vec<&str> = line.split('\t').map(unquoted).collect();
        let mut which = vec![None; cells.len()];
        for (name, column) in NAMES {
            let given = names.get(name);
            let name = given.map_or(name, String::as_str);
            let mut places = cells.iter().enumerate().filter(|(_, cell)| **cell == name);
            match (places.next(), places.next()) {
                (Some(_), Some(_)) => return Err(ScoringProblem::TwoColumns(name.to_owned())),
                (Some((place, _)), None) => which[place] = Some(column),
                (None, _) if given.is_some() => return Err(ScoringProblem::NoColumn(name.to_owned())),
                (None, _) => {}
            }
        }
        let columns = Self { which, contig: ChrName, position: ChrPosition };
        if !columns.has(EffectAllele) {
            return Err(ScoringProblem::NoColumn("effect_allele".to_owned()));
        }
        if !columns.has(EffectWeight)
            && ![Dosage0, Dosage1, Dosage2].iter().all(|dosage| columns.has(*dosage))
        {
            return Err(ScoringProblem::NoColumn("effect_weight".to_owned()));
        }
        Ok(columns)
    }

    fn has(&self, column: Column) -> bool {
        self.which.contains(&Some(column))
    }

    /// Whether there are harmonised positions.
    pub(super) fn has_harmonised(&self) -> bool {
        self.has(HmChr) && self.has(HmPos)
    }

    /// Whether there are the authors' positions.
    pub(super) fn has_authors_positions(&self) -> bool {
        self.has(ChrName) && self.has(ChrPosition)
    }

    /// Whether harmonised positions are taken or those of the authors.
    pub(super) fn take_positions(&mut self, harmonised: bool) {
        (self.contig, self.position) = if harmonised { (HmChr, HmPos) } else { (ChrName, ChrPosition) };
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub(super) fn add(&self, line: &str, file: &mut ScoringFile) -> Result<(), RowProblem> {
        let row = Row::of(line, &self.which)?;
        let effect = row.get(EffectAllele);
        if effect.is_empty() {
            return Err(RowProblem::NoAllele);
        }
        let dosages = row.dosages()?;
        let effect_type = row.effect_type(dosages.is_some())?;
        file.variants.push(NewVariant {
            contig: row.get(self.contig),
            position: position(row.get(self.position))?,
            id: None,
            effect,
            other: row.other_allele(self.contig == HmChr),
            effect_type,
            complexity: row.complexity()?,
        })?;
        let value = match dosages {
            Some(weights) => {
                file.by_dosage.push((file.variants.len() as u32 - 1, weights));
                0.0
            }
            None => weight(row.get(EffectWeight))?,
        };
        file.scores.iter_mut().for_each(|score| score.weights.push(value));
        Ok(())
    }
}

/// The cells of a row that are read; empty where there is no such column.
struct Row<'l>([&'l str; NAMES.len()]);

impl<'l> Row<'l> {
    fn of(line: &'l str, which: &[Option<Column>]) -> Result<Self, RowProblem> {
        let (mut cells, mut found) = ([""; NAMES.len()], 0);
        for cell in line.split('\t') {
            if let Some(Some(column)) = which.get(found) {
                cells[*column as usize] = unquoted(cell);
            }
            found += 1;
        }
        if found != which.len() {
            return Err(RowProblem::Cells { found, expected: which.len() });
        }
        Ok(Self(cells))
    }

    fn get(&self, column: Column) -> &'l str {
        self.0[column as usize]
    }

    /// The other allele, if there is one alone: where dbSNP knows several, none of them is it.
    fn other_allele(&self, is_harmonised: bool) -> &'l str {
        let mut other = self.get(OtherAllele);
        if other.is_empty() && is_harmonised {
            other = self.get(HmInferOtherAllele);
        }
        if other.contains('/') || other == "." { "" } else { other }
    }

    /// Weights by dosage, where there is no other weight.
    fn dosages(&self) -> Result<Option<[f64; 3]>, RowProblem> {
        let cells = [Dosage0, Dosage1, Dosage2].map(|column| self.get(column));
        if !self.get(EffectWeight).is_empty() || cells.iter().all(|cell| cell.is_empty()) {
            return Ok(None);
        }
        if cells.iter().any(|cell| cell.is_empty()) {
            return Err(RowProblem::Dosages);
        }
        let [none, one, two] = cells.map(weight);
        Ok(Some([none?, one?, two?]))
    }

    fn effect_type(&self, by_dosage: bool) -> Result<EffectType, RowProblem> {
        let flags = (self.flag(IsDominant)?, self.flag(IsRecessive)?, by_dosage);
        let named = self.get(Type);
        let by_name = EffectType::of(named);
        match (flags, by_name) {
            ((false, false, false), None) if named.is_empty() => Ok(EffectType::Additive),
            // Their weights are by dosage, which are not there.
            ((false, false, false), Some(kind)) if kind != EffectType::NonAdditive => Ok(kind),
            ((true, false, false), None) if named.is_empty() => Ok(EffectType::Dominant),
            ((false, true, false), None) if named.is_empty() => Ok(EffectType::Recessive),
            ((false, false, true), None) if named.is_empty() => Ok(EffectType::NonAdditive),
            ((false, false, true), Some(EffectType::NonAdditive)) => Ok(EffectType::NonAdditive),
            ((dominant, recessive, by_dosage), _) => {
                let parts = [
                    dominant.then_some("is_dominant"),
                    recessive.then_some("is_recessive"),
                    by_dosage.then_some("weights by dosage"),
                    (!named.is_empty()).then_some(named),
                ];
                Err(RowProblem::EffectType(parts.into_iter().flatten().collect::<Vec<_>>().join(" with ")))
            }
        }
    }

    fn complexity(&self) -> Result<Option<Complexity>, RowProblem> {
        let kinds = [
            (IsHaplotype, Complexity::Haplotype),
            (IsDiplotype, Complexity::Diplotype),
            (IsInteraction, Complexity::Interaction),
        ];
        let mut complexity = None;
        for (column, kind) in kinds {
            if self.flag(column)? {
                complexity = complexity.or(Some(kind));
            }
        }
        Ok(complexity)
    }

    fn flag(&self, column: Column) -> Result<bool, RowProblem> {
        let value = self.get(column);
        let is_one_of = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        if value.is_empty() || is_one_of(&["false", "0", "no", "n", "f"]) {
            return Ok(false);
        }
        if is_one_of(&["true", "1", "yes", "y", "t"]) {
            return Ok(true);
        }
        let name = NAMES.iter().find(|(_, other)| *other == column).map_or("", |(name, _)| name);
        Err(RowProblem::Flag { column: name, value: value.to_owned() })
    }
}

/// A position from 1; 0 where there is none. Some tables have it as `12345.0`.
fn position(text: &str) -> Result<u32, RowProblem> {
    if matches!(text, "" | "NA" | ".") {
        return Ok(0);
    }
    let whole = text.strip_suffix(".0").unwrap_or(text);
    whole.parse().map_err(|_| RowProblem::Position(text.to_owned()))
}

/// A cell without blanks and quotation marks around it.
pub(super) fn unquoted(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(cell)
}
