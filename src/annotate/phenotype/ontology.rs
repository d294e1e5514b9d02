//! The Human Phenotype Ontology from hp.obo: terms, what they are kinds of, and what stands for terms that are no more.
//!
//! Source: OBO Flat File Format 1.2 and 1.4, of which stanzas `[Term]` with `id`, `is_a`, `alt_id`, `is_obsolete`, `replaced_by`
//! and `consider` are read.

use std::io::BufRead;
use std::path::Path;

use rustc_hash::FxHashMap;

use super::error::{PhenotypeError, Problem, QueryError};
use super::term::HpoTerm;
use crate::formats::text;

/// Terms in the order of their numbers, known by their places in it.
#[derive(Debug, Default)]
pub struct Ontology {
    release: String,
    terms: Vec<HpoTerm>,
    parents: Vec<Vec<usize>>,
    /// Parents before their children.
    order: Vec<usize>,
    is_abnormality: Vec<bool>,
    /// Terms that are no more.
    retired: FxHashMap<HpoTerm, Retired>,
}

/// What a term that is no more says of itself.
#[derive(Debug, Default)]
struct Retired {
    replaced_by: Vec<HpoTerm>,
    consider: Vec<HpoTerm>,
}

/// How many replacements follow one another at most; more can only be a circle.
const REPLACEMENTS: usize = 16;

impl Ontology {
    /// Reads hp.obo, plain or compressed.
    ///
    /// # Errors
    /// The file cannot be read, is no ontology of phenotypes, is cut off, or has a term that is its own ancestor.
    pub fn read(path: &Path) -> Result<Self, PhenotypeError> {
        Self::read_from(text::open(path).map_err(PhenotypeError::io(path))?, path)
    }

    pub(super) fn read_from(mut reader: Box<dyn BufRead>, path: &Path) -> Result<Self, PhenotypeError> {
        let (mut draft, mut bytes, mut number) = (Draft::default(), Vec::new(), 0);
        while text::read_line(&mut reader, &mut bytes).map_err(PhenotypeError::io(path))? {
            number += 1;
            let line = std::str::from_utf8(&bytes).map_err(|_| Problem::Text);
            line.and_then(|line| draft.take(line.trim(), number))
                .map_err(|what| draft.tell(path, number, what))?;
        }
        draft.finish(path)
    }

    /// What the file calls itself (`data-version`).
    pub fn release(&self) -> &str {
        &self.release
    }

    /// How many terms there are that are not obsolete.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The term at a place.
    pub fn term(&self, place: usize) -> HpoTerm {
        self.terms[place]
    }

    /// All places, parents before their children.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The places of what a term is a kind of.
    pub fn parents(&self, place: usize) -> &[usize] {
        &self.parents[place]
    }

    /// Whether a term is a phenotypic abnormality.
    pub fn is_abnormality(&self, place: usize) -> bool {
        self.is_abnormality[place]
    }

    /// The place of a term, or of the one that stands for it.
    ///
    /// # Errors
    /// It is not known, or is obsolete and not one term stands for it.
    pub fn find(&self, term: HpoTerm) -> Result<usize, QueryError> {
        let mut current = term;
        for _ in 0..REPLACEMENTS {
            if let Ok(place) = self.terms.binary_search(&current) {
                return Ok(place);
            }
            match self.retired.get(&current).map(|retired| retired.replaced_by.as_slice()) {
                Some([one]) => current = *one,
                Some(_) => break,
                None => return Err(QueryError::Unknown(term)),
            }
        }
        let retired = self.retired.get(&current);
        let candidates =
            retired.map(|retired| [&retired.replaced_by[..], &retired.consider].concat()).unwrap_or_default();
        Err(QueryError::Obsolete { term, candidates })
    }

    /// A term with all that it is a kind of, marked by place.
    pub fn ancestors(&self, place: usize) -> Vec<bool> {
        let mut marked = vec![false; self.len()];
        let mut waiting = vec![place];
        while let Some(place) = waiting.pop() {
            if !std::mem::replace(&mut marked[place], true) {
                waiting.extend(&self.parents[place]);
            }
        }
        marked
    }
}

/// A term as its stanza has it.
#[derive(Default)]
struct Stanza {
    /// The line of `[Term]`.
    line: u64,
    id: Option<HpoTerm>,
    /// Whether it is a term of another ontology.
    is_foreign: bool,
    is_obsolete: bool,
    parents: Vec<(HpoTerm, u64)>,
    alternates: Vec<HpoTerm>,
    replaced_by: Vec<HpoTerm>,
    consider: Vec<HpoTerm>,
}

#[derive(Default)]
struct Draft {
    release: String,
    stanzas: FxHashMap<HpoTerm, Stanza>,
    current: Option<Stanza>,
}

impl Draft {
    /// Problems of a stanza as a whole are told at its first line.
    fn tell(&self, path: &Path, line: u64, what: Problem) -> PhenotypeError {
        let line = match (&what, &self.current) {
            (Problem::NoId | Problem::Twice(_), Some(stanza)) => stanza.line,
            _ => line,
        };
        PhenotypeError::at(path, line, what)
    }

    fn take(&mut self, line: &str, number: u64) -> Result<(), Problem> {
        if line.starts_with('[') {
            self.close()?;
            self.current = (line == "[Term]").then(|| Stanza { line: number, ..Stanza::default() });
            return Ok(());
        }
        let Some((tag, value)) = line.split_once(':') else { return Ok(()) };
        // Behind the value there may be qualifiers in braces and a comment behind `!`.
        let value = value.split([' ', '!', '{']).find(|word| !word.is_empty()).unwrap_or_default();
        let Some(stanza) = &mut self.current else {
            if tag == "data-version" && self.stanzas.is_empty() {
                value.clone_into(&mut self.release);
            }
            return Ok(());
        };
        let term = || HpoTerm::parse(value).ok_or_else(|| Problem::Term(value.to_owned()));
        match tag {
            "id" if value.starts_with("HP:") => stanza.id = Some(term()?),
            "id" if value.contains(':') => stanza.is_foreign = true,
            "id" => return Err(Problem::Term(value.to_owned())),
            "is_obsolete" => stanza.is_obsolete = value == "true",
            // Parents and replacements of other ontologies are none of ours.
            _ if !value.starts_with("HP:") => {}
            "is_a" => stanza.parents.push((term()?, number)),
            "alt_id" => stanza.alternates.push(term()?),
            "replaced_by" => stanza.replaced_by.push(term()?),
            "consider" => stanza.consider.push(term()?),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(stanza) = &self.current else { return Ok(()) };
        match stanza.id {
            _ if stanza.is_foreign => {}
            None => return Err(Problem::NoId),
            Some(id) if self.stanzas.contains_key(&id) => return Err(Problem::Twice(id)),
            Some(id) => self.stanzas.extend(self.current.take().map(|stanza| (id, stanza))),
        }
        self.current = None;
        Ok(())
    }

    fn finish(mut self, path: &Path) -> Result<Ontology, PhenotypeError> {
        self.close().map_err(|what| self.tell(path, 0, what))?;
        let mut all: Vec<(HpoTerm, Stanza)> = self.stanzas.into_iter().collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        let mut retired: FxHashMap<HpoTerm, Retired> = FxHashMap::default();
        for (id, stanza) in &all {
            if stanza.is_obsolete {
                let one = retired.entry(*id).or_default();
                one.replaced_by.extend(&stanza.replaced_by);
                one.consider.extend(&stanza.consider);
            }
            // A term that was merged is an alternate of the one that is left, with a stanza of its own or without.
            stanza.alternates.iter().for_each(|old| retired.entry(*old).or_default().replaced_by.push(*id));
        }
        for one in retired.values_mut() {
            one.replaced_by.sort_unstable();
            one.replaced_by.dedup();
        }
        all.retain(|(_, stanza)| !stanza.is_obsolete);
        let terms: Vec<HpoTerm> = all.iter().map(|(id, _)| *id).collect();
        let mut parents = Vec::with_capacity(terms.len());
        for (id, stanza) in &all {
            if stanza.parents.is_empty() && *id != HpoTerm::ROOT {
                return Err(PhenotypeError::at(path, stanza.line, Problem::NoParent(*id)));
            }
            let places = stanza.parents.iter().map(|(parent, line)| {
                let unknown = |_| Problem::UnknownParent { term: *id, parent: *parent };
                let place = terms.binary_search(parent);
                place.map_err(|missing| PhenotypeError::at(path, *line, unknown(missing)))
            });
            parents.push(places.collect::<Result<Vec<usize>, _>>()?);
        }
        let order = parents_first(&parents).map_err(|place| {
            let (id, stanza) = &all[place];
            PhenotypeError::at(path, stanza.line, Problem::Cycle(*id))
        })?;
        let top = terms.binary_search(&HpoTerm::ABNORMALITY);
        let top = top.map_err(|_| PhenotypeError::of(path, Problem::NoTop(HpoTerm::ABNORMALITY)))?;
        let mut is_abnormality = vec![false; terms.len()];
        for place in &order {
            is_abnormality[*place] =
                *place == top || parents[*place].iter().any(|parent| is_abnormality[*parent]);
        }
        Ok(Ontology { release: self.release, terms, parents, order, is_abnormality, retired })
    }
}

/// All places, parents before their children; else one that is its own ancestor.
fn parents_first(parents: &[Vec<usize>]) -> Result<Vec<usize>, usize> {
    let mut children = vec![Vec::new(); parents.len()];
    let mut missing: Vec<usize> = parents.iter().map(Vec::len).collect();
    for (place, parents) in parents.iter().enumerate() {
        parents.iter().for_each(|parent| children[*parent].push(place));
    }
    let mut order: Vec<usize> = (0..parents.len()).filter(|place| missing[*place] == 0).collect();
    let mut next = 0;
    while let Some(place) = order.get(next).copied() {
        next += 1;
        for child in &children[place] {
            missing[*child] -= 1;
            if missing[*child] == 0 {
                order.push(*child);
            }
        }
    }
    // Who goes up from what is left never leaves it, and comes to a circle.
    let Some(mut place) = (0..parents.len()).find(|place| missing[*place] > 0) else { return Ok(order) };
    let mut met = vec![false; parents.len()];
    while !std::mem::replace(&mut met[place], true) {
        let up = parents[place].iter().find(|parent| missing[**parent] > 0);
        place = up.copied().unwrap_or(place);
    }
    Err(place)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Ontology, PhenotypeError> {
        Ontology::read_from(Box::new(Cursor::new(text.as_bytes().to_vec())), Path::new("hp.obo"))
    }

    fn term(id: u32, more: &str) -> String {
        format!("[Term]\nid: {}\nname: x\n{more}\n", HpoTerm(id))
    }

    fn small() -> String {
        [
            "format-version: 1.2\ndata-version: hp/releases/2025-01-16\n\n".to_owned(),
            term(1, ""),
            term(5, "is_a: HP:0000001 ! All\n"),
            term(118, "is_a: HP:0000001 ! All\nalt_id: HP:0000900\n"),
            term(1250, "is_a: HP:0012638 {xref=\"x\"} ! later\nalt_id: HP:0000901\n"),
            term(12638, "is_a: HP:0000118\nis_a: UBERON:0001\n"),
            term(902, "is_obsolete: true\nreplaced_by: HP:0000903\n"),
            term(903, "is_obsolete: true\nreplaced_by: HP:0001250\n"),
            term(904, "is_obsolete: true\nreplaced_by: HP:0000005\nreplaced_by: HP:0001250\n"),
            term(905, "is_obsolete: true\nconsider: HP:0000118\n"),
            term(906, "is_obsolete: true\nreplaced_by: HP:0000907\n"),
            term(907, "is_obsolete: true\nreplaced_by: HP:0000906\n"),
            "[Term]\nid: UBERON:0001\n\n[Typedef]\nid: part_of\n".to_owned(),
        ]
        .concat()
    }

    #[test]
    fn terms_lead_to_their_place() {
        let ontology = read(&small()).unwrap();
        assert_eq!((ontology.release(), ontology.len()), ("hp/releases/2025-01-16", 5));
        let found = |id| ontology.find(HpoTerm(id)).map(|place| ontology.term(place).0);
        for (id, stands) in [(1250, 1250), (900, 118), (901, 1250), (902, 1250), (903, 1250)] {
            assert_eq!(found(id), Ok(stands));
        }
        assert_eq!(found(908), Err(QueryError::Unknown(HpoTerm(908))));
        assert_eq!(found(908).unwrap_err().to_string(), "HP:0000908 is not in hp.obo");
        assert_eq!(
            found(904).unwrap_err().to_string(),
            "HP:0000904 is obsolete: give one of HP:0000005, HP:0001250 instead"
        );
        assert_eq!(
            found(905).unwrap_err().to_string(),
            "HP:0000905 is obsolete: give one of HP:0000118 instead"
        );
        assert!(matches!(found(906), Err(QueryError::Obsolete { .. })));
        let abnormal: Vec<u32> = (0..ontology.len())
            .filter(|place| ontology.is_abnormality(*place))
            .map(|place| ontology.term(place).0)
            .collect();
        assert_eq!(abnormal, [118, 1250, 12638]);
        let ancestors = ontology.ancestors(ontology.find(HpoTerm(1250)).unwrap());
        assert_eq!(ancestors, [true, false, true, true, true]);
        for (at, place) in ontology.order().iter().enumerate() {
            assert!(ontology.parents(*place).iter().all(|parent| ontology.order()[..at].contains(parent)));
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        let small = small();
        let lines = small.lines().count();
        for (name, more, message) in [
            (
                "parent",
                term(2000, "is_a: HP:0009999"),
                format!("line {}: HP:0002000 is_a HP:0009999", lines + 4),
            ),
            ("orphan", term(2000, ""), format!("line {}: HP:0002000 has no is_a", lines + 1)),
            ("no id", "[Term]\nname: x\n".into(), format!("line {}: the term that begins here", lines + 1)),
            ("twice", term(118, "is_a: HP:0000001"), format!("line {}: HP:0000118 comes twice", lines + 1)),
            ("number", term(2000, "is_a: HP:12"), format!("line {}: \"HP:12\" is no HPO term", lines + 4)),
            (
                "circle",
                term(2000, "is_a: HP:0002001")
                    + &term(2001, "is_a: HP:0002000")
                    + &term(1999, "is_a: HP:0002000"),
                format!("line {}: HP:0002000 is its own ancestor", lines + 1),
            ),
        ] {
            let told = read(&format!("{small}{more}")).unwrap_err().to_string();
            assert!(told.starts_with(&format!("hp.obo, {message}")), "{name}: {told}");
        }
        let told = read("format-version: 1.2\n").unwrap_err().to_string();
        assert_eq!(told, "hp.obo: there is no HP:0000118, which all phenotypes are below: is it hp.obo?");
        let myself = format!("{small}{}", term(2000, "is_a: HP:0002000"));
        assert!(read(&myself).unwrap_err().to_string().ends_with("HP:0002000 is its own ancestor"));
    }

    #[test]
    fn a_cut_file_is_refused_where_parents_are_missing() {
        let small = small();
        // The parent of HP:0001250 stands behind it.
        let [first, last] = ["\nid: HP:0001250", "\nis_a: UBERON"].map(|text| small.find(text).unwrap());
        assert!(read(&small[..last]).is_ok());
        for cut in first..last {
            assert!(read(&small[..cut]).is_err(), "{:?}", &small[..cut]);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[a-z_]{0,9}[HP:0-9 !{\n]{0,80}") {
            let _ = Ontology::read_from(Box::new(Cursor::new(bytes)), Path::new("hp.obo"));
            let _ = read(&text);
        }

        #[test]
        fn any_parents_give_an_order_or_a_circle(edges in proptest::collection::vec((1u32..9, 1u32..9), 0..14)) {
            let mut text = term(1, "") + &term(118, "is_a: HP:0000001");
            for id in 2..9u32 {
                let parents = edges.iter().filter(|(child, _)| *child == id);
                let lines: Vec<String> =
                    parents.map(|(_, parent)| format!("is_a: {}\n", HpoTerm(*parent))).collect();
                text += &term(id, &format!("is_a: HP:0000001\n{}", lines.concat()));
            }
            match read(&text) {
                Ok(ontology) => prop_assert_eq!(ontology.order().len(), 9),
                Err(error) => prop_assert!(error.to_string().ends_with("is its own ancestor"), "{}", error),
            }
        }
    }
}
