//! Variants by themselves, whatever haplotype they are on (`--local-csq`).

use std::fmt::Write;
use std::sync::Arc;

use super::buffer::Entry;
use super::compound::of_peptides;
use super::consequence::Consequences;
use super::model::PAD;
use super::translate::{Part, Reading};
use super::tree::{Node, ROOT, Site, Step, Tree};

/// What each allele does to a coding region, in order. Consequences of the place come first, those of the protein behind.
pub(super) fn entries(tree: &Tree, segment: usize, site: &Site<'_>) -> Vec<Entry> {
    let spliced = tree.spliced();
    let mut entries = Vec::new();
    for allele in site.alternates().filter(|allele| site.sequence(*allele).is_some()) {
        let joined = tree.join(ROOT, segment, site, allele);
        let entry = |found: Consequences, text: Option<Arc<str>>| Entry {
            found,
            model: Arc::clone(&tree.model),
            allele,
            told_by: None,
            text,
        };
        entries.extend(joined.told.into_iter().map(|found| entry(found, None)));
        let node = match joined.step {
            Ok(node) => node,
            Err(Step::Beside(found)) => {
                entries.push(entry(found, None));
                continue;
            }
            Err(_) => continue,
        };
        let Some((found, text)) = of_node(tree, &spliced, &node, site) else {
            // The place has told of the lost start.
            entries.push(entry(Consequences::default(), None));
            continue;
        };
        let (compound, beside) = (found.only(Consequences::COMPOUND), found.without(Consequences::COMPOUND));
        entries.push(entry(compound, Some(text.into())));
        if !beside.is_empty() {
            entries.push(entry(beside, None));
        }
    }
    entries
}

/// What a variant is, and the changes of protein and DNA; nothing where a shifted frame has lost its start.
fn of_node(tree: &Tree, spliced: &[u8], node: &Node, site: &Site<'_>) -> Option<(Consequences, String)> {
    let reading = Reading { spliced, is_forward: tree.model.is_forward, table: tree.model.table };
    let length = Tree::coding_length(spliced);
    let reference = (node.place, node.place + node.length);
    let to_end = node.longer % 3 != 0 && !node.bases.is_empty();
    let place = |at: i64| (at + PAD).clamp(0, spliced.len() as i64) as usize;
    let bases = spliced.get(place(reference.0)..place(reference.1)).unwrap_or_default();
    let old = Part { bases, begin: node.place, length, reference };
    let new = Part { bases: &node.bases, begin: node.place, length: length + node.longer, reference };
    let (mut old, mut new) = (reading.peptide(old, to_end), reading.peptide(new, to_end));
    old.end_at_stop();
    new.end_at_stop();
    let start = node.found.only(Consequences::START_LOST);
    let rest = node.found.without(Consequences::START_LOST);
    let (added, removed) = of_peptides(rest, node.longer, &old, &new);
    let mut found = rest.without(removed) | added;
    if old.at(0).1 == b'M' {
        found |= start;
    }
    if found.meets(Consequences::START_LOST) && found.meets(Consequences::FRAMESHIFT) {
        return None;
    }
    let (first, changed) = if reading.is_forward {
        (node.place, node.place)
    } else {
        let last = length - node.place;
        (last - node.length, last + node.longer - node.bases.len() as i64)
    };
    let letters = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let mut text = format!("|{}{}", first / 3 + 1, letters(old.text()));
    if !found.meets(Consequences::SYNONYMOUS) {
        let _ = write!(text, ">{}{}", changed / 3 + 1, letters(new.text()));
    }
    let _ = write!(text, "|{}{}", site.position + 1, node.text);
    Some((found, text))
}
