//! Genotypes whose people another table describes: sexes, families and phenotypes that their own file does not tell.

use rustc_hash::FxHashMap;

use super::samples::{Sample, SampleTable};
use super::sites::SiteTable;
use super::{Cursor, GenotypeSource};

/// Why a table does not describe the people of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{unknown} of {people} people of the genotypes are not in it, or not once ({example} for one)")]
pub struct Undescribed {
    /// People whom it lacks.
    pub unknown: usize,
    /// All.
    pub people: usize,
    /// One of them.
    pub example: String,
}

/// People in their order, as a table describes them: found by IID, or by FID and IID with `_` between them, as PLINK 2 writes names into
/// BGEN and VCF. A table of as many people none of whose names is known is taken in its order.
///
/// # Errors
/// The table lacks somebody, or has several of one name.
pub fn describe(people: &SampleTable, table: &SampleTable) -> Result<SampleTable, Undescribed> {
    let mut places: FxHashMap<String, Option<usize>> = FxHashMap::default();
    for (place, sample) in table.iter().enumerate() {
        let joined = format!("{}_{}", sample.family.as_deref().unwrap_or("0"), sample.individual);
        for name in [sample.individual.clone(), joined] {
            places.entry(name).and_modify(|known| *known = None).or_insert(Some(place));
        }
    }
    let find = |sample: &Sample| places.get(&sample.individual).copied().flatten();
    let found: Vec<Option<usize>> = people.iter().map(find).collect();
    let unknown = found.iter().filter(|place| place.is_none()).count();
    let are_in_order = unknown == people.len() && table.len() == people.len();
    if unknown > 0 && !are_in_order {
        let example = found.iter().zip(people.iter()).find(|(place, _)| place.is_none());
        let example = example.map(|(_, sample)| sample.individual.clone()).unwrap_or_default();
        return Err(Undescribed { unknown, people: people.len(), example });
    }
    let mut described = SampleTable::default();
    described.phenotypes.clone_from(&table.phenotypes);
    (described.has_families, described.has_sources) = (table.has_families, table.has_sources);
    // Oxford's tables have families of no name.
    described.has_families &= table.iter().any(|sample| sample.family.is_some());
    for (number, place) in found.into_iter().enumerate() {
        let Some(sample) = table.as_slice().get(place.unwrap_or(number)) else { continue };
        // Whom two names of the genotypes mean is there twice.
        if described.push(sample.clone()).is_err() {
            let example = sample.individual.clone();
            return Err(Undescribed { unknown: 1, people: people.len(), example });
        }
    }
    Ok(described)
}

/// A file's genotypes with other words on its people.
pub struct Described {
    source: Box<dyn GenotypeSource>,
    samples: SampleTable,
}

impl Described {
    /// Of a file whose people a table describes.
    ///
    /// # Errors
    /// As [`describe`].
    pub fn new(source: Box<dyn GenotypeSource>, table: &SampleTable) -> Result<Self, Undescribed> {
        let samples = describe(source.samples(), table)?;
        Ok(Self { source, samples })
    }
}

impl GenotypeSource for Described {
    fn samples(&self) -> &SampleTable {
        &self.samples
    }

    fn sites(&self) -> &SiteTable {
        self.source.sites()
    }

    fn settle_samples(&mut self, like: Option<&SampleTable>) {
        self.samples.settle(like);
    }

    fn held_bytes(&self) -> u64 {
        self.source.held_bytes() + self.source.samples().bytes()
    }

    fn cursor(&self) -> Box<dyn Cursor + '_> {
        self.source.cursor()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::samples::SampleSex;
    use super::*;

    fn table(people: &[(&str, &str, Option<SampleSex>)]) -> SampleTable {
        let mut table = SampleTable::default();
        table.has_families = true;
        for (family, individual, sex) in people {
            let family = Some(*family).filter(|family| !family.is_empty()).map(str::to_owned);
            let sample =
                Sample { family, individual: (*individual).to_owned(), sex: *sex, ..Sample::default() };
            table.push(sample).unwrap();
        }
        table
    }

    #[test]
    fn people_are_found_by_name_and_strangers_by_order() {
        const M: Option<SampleSex> = Some(SampleSex::Male);
        let by = table(&[("F", "a", None), ("F", "b", M), ("G", "c", None)]);
        for (names, expected) in [
            (&["b", "a"][..], Ok(vec!["b", "a"])),
            (&["F_b", "c"], Ok(vec!["b", "c"])),
            (&["x", "y", "z"], Ok(vec!["a", "b", "c"])),
            (&["x", "y"], Err(2)),
            (&["a", "y", "z"], Err(2)),
            (&["a", "F_a"], Err(1)),
        ] {
            let people: Vec<_> = names.iter().map(|name| ("", *name, None)).collect();
            let found = describe(&table(&people), &by);
            let names = found.as_ref().map(|found| found.iter().map(|s| s.individual.as_str()).collect());
            assert_eq!(names.map_err(|error| error.unknown), expected, "{people:?}");
            if let Ok(found) = found {
                assert!(found.iter().all(|sample| (sample.sex == M) == (sample.individual == "b")));
            }
        }
        let twice = table(&[("F", "a", None), ("G", "a", M)]);
        assert_eq!(describe(&table(&[("", "a", None)]), &twice).unwrap_err().example, "a");
        assert_eq!(describe(&table(&[("", "G_a", None)]), &twice).unwrap().as_slice()[0].sex, M);
    }
}
