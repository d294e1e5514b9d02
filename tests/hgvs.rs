//! Names of `norn annotate` held to what they name: parsed and applied they give the changed transcript and protein.

mod common;

use std::collections::BTreeMap;

use common::genes::*;

impl Model {
    /// The transcript's bases after a change of its contig; `None` where that reaches outside.
    fn changed(
        &self,
        (_, position, reference, alternate): &Change,
    ) -> Option<(Vec<u8>, std::ops::Range<usize>)> {
        let from = position.checked_sub(self.start)?;
        let to = from + reference.len();
        if to > self.sequence.len() {
            return None;
        }
        let (range, alternate) = if self.is_reverse {
            (self.sequence.len() - to..self.sequence.len() - from, reverse_complement(alternate.as_bytes()))
        } else {
            (from..to, alternate.clone().into_bytes())
        };
        let changed = [&self.sequence[..range.start], &alternate, &self.sequence[range.end..]].concat();
        Some((changed, range))
    }

    /// The bases after what a name says.
    fn applied(&self, name: &str) -> Option<Vec<u8>> {
        let change = name.split_once(":c.")?.1;
        let operation = ["delins", "del", "dup", "ins", "inv"]
            .iter()
            .find_map(|word| change.find(word).map(|at| (at, *word)));
        let place = |text: &str| self.names.iter().position(|name| name == text);
        let (at, word) = operation.or_else(|| change.find('>').map(|at| (at - 1, ">")))?;
        let (range, rest) = change.split_at(at);
        let (first, last) = range.split_once('_').unwrap_or((range, range));
        let (first, last) = (place(first)?, place(last)?);
        let kept = &self.sequence[first..=last];
        let middle: Vec<u8> = match word {
            ">" if rest.as_bytes()[0] == kept[0] => rest[2..].into(),
            "del" => Vec::new(),
            "delins" => rest[6..].into(),
            "dup" => [kept, kept].concat(),
            "inv" => reverse_complement(kept),
            "ins" if last == first + 1 => [&kept[..1], &rest.as_bytes()[3..], &kept[1..]].concat(),
            _ => return None,
        };
        Some([&self.sequence[..first], &middle, &self.sequence[last + 1..]].concat())
    }

    /// The bases from the start codon on, introns left out.
    fn bases_from_start(&self) -> Vec<u8> {
        let exonic = |place: &usize| !self.names[*place].trim_start_matches(['-', '*']).contains(['+', '-']);
        (self.coding[0]..self.sequence.len()).filter(exonic).map(|place| self.sequence[place]).collect()
    }
}

#[test]
fn names_on_transcripts_give_the_changed_sequence() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let changes = changes(&models, &reference);
    let ours = entries(&annotated(&reference, &genes, &vcf_of(&changes, &models, directory.path()), &[]));
    let (mut named, mut kinds) = (0, BTreeMap::<&str, u32>::new());
    for (change, (record, entries)) in changes.iter().zip(&ours) {
        let model = models.iter().find(|model| model.contig == change.0).expect("a model");
        let entry = &entries[&model.id];
        let name = &entry[field("HGVSc")];
        let Some((changed, _)) = model.changed(change) else { continue };
        if name.is_empty() {
            // Names that would move out of the transcript, or an insertion at its edge.
            assert!(change.2.len() != change.3.len(), "{record}: no name");
            continue;
        }
        // VEP names a base behind the transcript's last one where an insertion has moved there.
        let is_at_end = name.contains("ins") && model.is_reverse && model.applied(name).is_none();
        if is_at_end {
            continue;
        }
        assert_eq!(model.applied(name).as_deref(), Some(changed.as_slice()), "{record}: {name}");
        named += 1;
        let kind = ["delins", "del", "dup", "ins", "inv", ">"].into_iter().find(|word| name.contains(word));
        *kinds.entry(kind.expect("a kind")).or_default() += 1;
    }
    assert!(named > 15_000, "{named}");
    assert!(kinds.len() >= 5 && kinds.values().all(|count| *count > 10), "{kinds:?}");
}

/// Amino acids of three letters as one.
fn one_letter(names: &str) -> String {
    const NAMES: &str = "Ala Cys Asp Glu Phe Gly His Ile Lys Leu Met Asn Pro Gln Arg Ser Thr Val Trp Tyr Ter";
    let letter = |name: &[u8]| {
        let at = NAMES.split(' ').position(|known| known.as_bytes() == name);
        at.map_or('?', |at| char::from(b"ACDEFGHIKLMNPQRSTVWY*"[at]))
    };
    names.as_bytes().chunks(3).map(letter).collect()
}

/// A protein up to its first stop.
fn to_stop(protein: &str) -> &str {
    protein.find('*').map_or(protein, |at| &protein[..=at])
}

/// What a protein's name says of it: `(first, last, what becomes of them)`, from 1.
fn parsed(name: &str) -> Option<(String, usize, usize, &str)> {
    let change = name.split_once(":p.")?.1;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    // VEP names all amino acids of several codons that stay the same.
    let names = change.find(|letter: char| letter.is_ascii_digit())?;
    let first = &change[..3];
    let length = digits(&change[names..]);
    let start: usize = change[names..names + length].parse().ok()?;
    let rest = &change[names + length..];
    let Some(behind) = rest.strip_prefix('_') else { return Some((first.into(), start, start, rest)) };
    if behind.len() < 3 || behind.starts_with('?') {
        return Some((first.into(), start, start, rest));
    }
    let length = digits(&behind[3..]);
    Some((first.into(), start, behind[3..3 + length].parse().ok()?, &behind[3 + length..]))
}

#[test]
fn names_on_proteins_give_the_changed_protein() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (reference, genes, models) = made_genes(directory.path());
    let changes = changes(&models, &reference);
    let ours = entries(&annotated(&reference, &genes, &vcf_of(&changes, &models, directory.path()), &[]));
    let mut seen = BTreeMap::<&str, u32>::new();
    for (change, (record, entries)) in changes.iter().zip(&ours) {
        let model = models.iter().find(|model| model.contig == change.0).expect("a model");
        let entry = &entries[&model.id];
        let name = entry[field("HGVSp")].replace("%3D", "=");
        let Some((changed, range)) = model.changed(change) else { continue };
        // Only what changes coding bases of one exon, and no start codon.
        let is_inside = range.clone().all(|place| model.coding[3..].contains(&place))
            && range.clone().zip(range.clone().skip(1)).all(|(a, b)| {
                let order = |place| model.coding.iter().position(|coded| *coded == place);
                order(b).zip(order(a)).is_some_and(|(b, a)| b == a + 1)
            });
        // VEP takes some insertions beside a stop, or that make one, for a stop retained, and names them accordingly.
        let terms = &entry[field("Consequence")];
        let is_taken_for_kept = terms.contains("stop_retained") && change.2.len() != change.3.len();
        if !is_inside || name.is_empty() || is_taken_for_kept {
            continue;
        }
        let before = translate(&model.bases_from_start());
        let grown = changed.len() as i64 - model.sequence.len() as i64;
        let after = {
            let with = Model {
                sequence: changed.clone(),
                names: [
                    &model.names[..range.start],
                    &vec![String::from("1"); (range.len() as i64 + grown) as usize],
                    &model.names[range.end..],
                ]
                .concat(),
                id: String::new(),
                contig: String::new(),
                is_reverse: false,
                start: 0,
                coding: model.coding.clone(),
            };
            translate(&with.bases_from_start())
        };
        let (before, after) = (to_stop(&before), to_stop(&after));
        // Where the transcript ends before anything has changed, VEP names what is not there.
        if before != after && before.starts_with(after) {
            continue;
        }
        let Some((first, start, end, what)) = parsed(&name) else { panic!("{record}: {name}") };
        assert_eq!(one_letter(&first), before[start - 1..start], "{record}: {name}");
        let at = |protein: &str, from: usize, to: usize| {
            protein.get(from..to.min(protein.len())).unwrap_or("").to_owned()
        };
        let edited = |middle: &str| {
            to_stop(&format!("{}{middle}{}", at(before, 0, start - 1), at(before, end, before.len())))
                .to_owned()
        };
        let kind;
        if what == "=" {
            kind = "=";
            assert_eq!(before, after, "{record}: {name}");
        } else if let Some((amino_acid, count)) = what.split_once("fsTer") {
            kind = "fs";
            assert_eq!(at(before, 0, start - 1), at(after, 0, start - 1), "{record}: {name}");
            assert_eq!(one_letter(amino_acid), at(after, start - 1, start), "{record}: {name}");
            match count.parse::<usize>() {
                Ok(count) => assert_eq!(after.len(), start - 1 + count, "{record}: {name}"),
                Err(_) => assert!(!after.ends_with('*'), "{record}: {name}"),
            }
        } else if let Some((_, count)) = what.split_once("extTer") {
            kind = "ext";
            match count.parse::<usize>() {
                Ok(count) => assert_eq!(after.len(), before.len() + count, "{record}: {name}"),
                Err(_) => assert!(!after.ends_with('*') || after.len() <= before.len(), "{record}: {name}"),
            }
        } else if what == "del" {
            kind = "del";
            assert_eq!(edited(""), after, "{record}: {name}");
        } else if what == "dup" {
            kind = "dup";
            let copied = at(before, start - 1, end);
            assert_eq!(edited(&format!("{copied}{copied}")), after, "{record}: {name}");
        } else if let Some(inserted) = what.strip_prefix("delins") {
            kind = "delins";
            // Of a stop that is lost by one, VEP does not tell what is read behind it.
            let known =
                if terms.contains("stop_lost") { edited(&one_letter(inserted)).len() } else { after.len() };
            assert_eq!(edited(&one_letter(inserted)), at(after, 0, known), "{record}: {name}");
        } else if let Some(inserted) = what.strip_prefix("ins") {
            kind = "ins";
            assert_eq!(end, start + 1, "{record}: {name}");
            let kept = at(before, start - 1, end);
            assert_eq!(
                edited(&format!("{}{}{}", &kept[..1], one_letter(inserted), &kept[1..])),
                after,
                "{record}: {name}"
            );
        } else {
            kind = "substitution";
            assert_eq!(edited(&one_letter(what)), after, "{record}: {name}");
        }
        *seen.entry(kind).or_default() += 1;
    }
    assert!(seen.len() == 8 && seen.values().all(|count| *count > 20), "{seen:?}");
}
