//! What the variants of a haplotype come to: each stretch in which the frame is shifted or a codon is shared is told as one.

use std::fmt::Write;
use std::sync::Arc;

use super::buffer::Entry;
use super::consequence::Consequences;
use super::translate::{Part, Peptide, Reading};
use super::tree::{Node, ROOT, Tree};

/// A node on the way from the root to a leaf.
#[derive(Clone, Copy, Debug)]
struct Step {
    node: usize,
    /// The child that is next.
    child: usize,
    /// Bases of the haplotype up to here, from its first variant on.
    bases: usize,
    /// By how much the coding region is longer so far.
    longer: i64,
}

/// Variants that are told together: their places on the way.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    first: usize,
    last: usize,
    longer: i64,
    has_indel: bool,
}

/// A haplotype.
struct Haplotype<'t> {
    tree: &'t Tree,
    reading: Reading<'t>,
    way: &'t [Step],
    bases: &'t [u8],
}

/// Goes through all haplotypes of a transcript. `add` gives an entry to a record and tells the entry's number there.
pub(super) fn finish(tree: &mut Tree, mut add: impl FnMut(u64, Entry) -> usize) {
    let spliced = tree.spliced();
    let reading = Reading { spliced: &spliced, is_forward: tree.model.is_forward, table: tree.model.table };
    let mut way = vec![Step { node: ROOT, child: 0, bases: 0, longer: 0 }];
    let mut bases = Vec::new();
    while let Some(step) = way.last_mut() {
        let child = tree.nodes.get(step.node).and_then(|node| node.children.get(step.child)).copied();
        step.child += 1;
        let (length, longer) = (step.bases, step.longer);
        let Some((child, node)) = child.and_then(|child| Some((child, tree.nodes.get(child)?))) else {
            way.pop();
            continue;
        };
        bases.truncate(length);
        bases.extend_from_slice(&node.bases);
        way.push(Step { node: child, child: 0, bases: bases.len(), longer: longer + node.longer });
        if node.ends == 0 {
            continue;
        }
        let haplotype = Haplotype { tree, reading, way: &way, bases: &bases };
        let (mut entries, mut is_behind_stop) = (Vec::new(), false);
        for stretch in haplotype.stretches() {
            haplotype.tell(stretch, &mut is_behind_stop, &mut |record, entry| {
                entries.push((record, add(record, entry)));
            });
        }
        if let Some(node) = tree.nodes.get_mut(child) {
            node.entries = entries;
        }
    }
}

impl<'t> Haplotype<'t> {
    fn node(&self, place: usize) -> Option<&'t Node> {
        self.tree.nodes.get(self.way.get(place)?.node)
    }

    fn leaf(&self) -> Step {
        self.way.last().copied().unwrap_or(Step { node: ROOT, child: 0, bases: 0, longer: 0 })
    }

    /// One past a variant's last base among the bases of the haplotype.
    fn end(&self, place: usize) -> i64 {
        self.way.get(place).map_or(0, |step| step.bases as i64)
    }

    /// A variant's first base among the bases of the haplotype.
    fn begin(&self, place: usize) -> i64 {
        self.end(place) - self.node(place).map_or(0, |node| node.length + node.longer)
    }

    /// Where the bases of the haplotype begin in the coding region.
    fn offset(&self) -> i64 {
        self.node(1).map_or(0, |node| node.place)
    }

    /// Bases of the haplotype's coding region.
    fn length(&self) -> i64 {
        Tree::coding_length(self.reading.spliced) + self.leaf().longer
    }

    /// The stretches in the transcript's direction. One ends where the frame is what it was and the next variant lies in
    /// another codon.
    fn stretches(&self) -> Vec<Stretch> {
        let count = self.way.len().saturating_sub(1);
        let is_forward = self.reading.is_forward;
        let mut found = Vec::new();
        let (mut begin, mut longer, mut has_indel) = (None, 0, false);
        for number in 1..=count {
            let place = if is_forward { number } else { count + 1 - number };
            let Some(node) = self.node(place) else { break };
            longer += node.longer;
            has_indel |= node.longer != 0;
            let from = *begin.get_or_insert(place);
            let goes_on = longer % 3 != 0
                || if is_forward { self.shares_codon(place) } else { self.shares_codon_reversed(place) };
            if number < count && goes_on {
                continue;
            }
            found.push(Stretch { first: from.min(place), last: from.max(place), longer, has_indel });
            (begin, longer, has_indel) = (None, 0, false);
        }
        found
    }

    /// Whether the last base of a variant and the first of the next one are in one codon.
    fn shares_codon(&self, place: usize) -> bool {
        let Some(node) = self.node(place) else { return false };
        let here = self.offset() + self.begin(place) + node.longer.max(i64::from(node.longer < 0));
        here / 3 == (self.offset() + self.begin(place + 1)) / 3
    }

    /// The same for a transcript of the reverse strand, where the variant before is the next one.
    fn shares_codon_reversed(&self, place: usize) -> bool {
        let Some((node, next)) =
            place.checked_sub(1).and_then(|next| Some((self.node(place)?, self.node(next)?)))
        else {
            return false;
        };
        let last = self.length() - 1 - self.offset();
        let mut here = last - self.begin(place);
        match node.longer {
            longer if longer > 0 => here += longer - 1,
            longer => here -= longer,
        }
        let there = last - self.begin(place - 1) - next.longer.max(0);
        here / 3 == there / 3
    }

    /// Reference and haplotype of a stretch as amino acids.
    fn peptides(&self, stretch: Stretch) -> Option<[Peptide; 2]> {
        let (first, last) = (self.node(stretch.first)?, self.node(stretch.last)?);
        let reference = (first.place, last.place + last.length);
        let to_end = stretch.longer % 3 != 0 && !self.bases.is_empty();
        let piece = |bases: &'t [u8], from: i64, to: i64| {
            let place = |at: i64| at.clamp(0, bases.len() as i64) as usize;
            bases.get(place(from)..place(to)).unwrap_or_default()
        };
        let pad = super::model::PAD;
        let old = Part {
            bases: piece(self.reading.spliced, pad + reference.0, pad + reference.1),
            begin: reference.0,
            length: Tree::coding_length(self.reading.spliced),
            reference,
        };
        let begin = self.begin(stretch.first);
        let new = Part {
            bases: piece(self.bases, begin, self.end(stretch.last)),
            begin: self.offset() + begin,
            length: self.length(),
            reference,
        };
        Some([self.reading.peptide(old, to_end), self.reading.peptide(new, to_end)])
    }

    fn tell(&self, stretch: Stretch, is_behind_stop: &mut bool, add: &mut dyn FnMut(u64, Entry)) {
        let nodes = || (stretch.first..=stretch.last).filter_map(|place| self.node(place));
        let (Some(first), Some(last)) = (self.node(stretch.first), self.node(stretch.last)) else { return };
        let Some([mut old, mut new]) = self.peptides(stretch) else { return };
        let is_compound = stretch.first != stretch.last;
        let mut found = nodes().fold(Consequences::default(), |all, node| all | node.found);
        found = found.only(Consequences::COMPOUND);
        if stretch.longer == 0 && stretch.has_indel {
            found |= Consequences::INFRAME_ALTERING;
        }
        let was_behind_stop = *is_behind_stop;
        old.end_at_stop();
        *is_behind_stop |= new.end_at_stop();
        let (added, mut removed) = of_peptides(found, stretch.longer, &old, &new);
        found |= added;
        if is_compound && found.meets(Consequences::INFRAME) && new.last_mark() == b'*' {
            // The stop comes before the frame is what it was.
            removed |= Consequences::INFRAME;
            found |= Consequences::FRAMESHIFT | Consequences::STOP_GAINED;
        }
        // Without the start nobody knows where the protein begins.
        let is_start_lost = found.meets(Consequences::FRAMESHIFT) && found.meets(Consequences::START_LOST);
        if is_start_lost {
            removed |= Consequences::FRAMESHIFT;
        }
        if was_behind_stop {
            found |= Consequences::BEHIND_STOP;
        }
        found = found.without(removed);
        let entry = |found: Consequences, text: Option<Arc<str>>| Entry {
            found,
            model: Arc::clone(&self.tree.model),
            allele: 0,
            told_by: None,
            text,
        };
        let allele = self.tree.nodes.get(self.leaf().node).map_or(0, |leaf| leaf.allele);
        let told_at = if self.reading.is_forward { first } else { last };
        if is_start_lost && !is_compound {
            found |= first.found.without(removed);
            add(first.record.0, Entry { allele, ..entry(found, None) });
            return;
        }
        let mut text = String::new();
        if is_start_lost {
            text.push_str("||");
        } else {
            self.write_protein(stretch, found, &old, &new, &mut text);
        }
        for (number, node) in nodes().enumerate() {
            let plus = if number > 0 { "+" } else { "" };
            let _ = write!(text, "{plus}{}{}", node.record.1 + 1, node.text);
        }
        let text: Arc<str> = text.into();
        add(told_at.record.0, Entry { allele, ..entry(found, Some(Arc::clone(&text))) });
        for place in stretch.first..=stretch.last {
            let Some(node) = self.node(place) else { continue };
            let beside = node.found.without(Consequences::COMPOUND);
            if !beside.is_empty() {
                add(node.record.0, entry(beside.without(removed), Some(Arc::clone(&text))));
            }
            if !std::ptr::eq(node, told_at) && (found.meets(Consequences::COMPOUND) || beside.is_empty()) {
                add(node.record.0, Entry { told_by: Some(told_at.record), ..entry(node.found, None) });
            }
        }
    }

    /// `|12A>12V|`, or `|12A|` where nothing changes.
    fn write_protein(
        &self,
        stretch: Stretch,
        found: Consequences,
        old: &Peptide,
        new: &Peptide,
        out: &mut String,
    ) {
        let (Some(first), Some(last)) = (self.node(stretch.first), self.node(stretch.last)) else { return };
        let offset = self.offset();
        let (place, changed_place) = if self.reading.is_forward {
            (first.place, offset + self.begin(stretch.first))
        } else {
            let length = Tree::coding_length(self.reading.spliced);
            (length - last.place - last.length, self.length() - offset - self.end(stretch.last))
        };
        let letters = |peptide: &Peptide| String::from_utf8_lossy(peptide.text()).into_owned();
        let _ = write!(out, "|{}{}", place / 3 + 1, letters(old));
        if !found.meets(Consequences::SYNONYMOUS) {
            let _ = write!(out, ">{}{}", changed_place / 3 + 1, letters(new));
        }
        out.push('|');
    }
}

/// What the amino acids say beside what is known already, and what of that they take back.
pub(super) fn of_peptides(
    found: Consequences,
    longer: i64,
    old: &Peptide,
    new: &Peptide,
) -> (Consequences, Consequences) {
    let (mut added, mut removed) = (Consequences::default(), Consequences::default());
    let (last, new_last) = (old.last_mark(), new.last_mark());
    if found.meets(Consequences::STOP_LOST) {
        if last == b'*' {
            if new_last == b'*' {
                removed |= Consequences::STOP_LOST;
                added |= Consequences::STOP_RETAINED;
            }
        } else if new_last == b'*' {
            // The coding region had no stop at its end.
            removed |= Consequences::STOP_GAINED;
            added |= Consequences::STOP_RETAINED;
        } else {
            added |= Consequences::INCOMPLETE;
        }
    }
    if found.meets(Consequences::START_LOST) && last == b'M' && new_last == b'M' {
        removed |= Consequences::START_LOST;
        added |= Consequences::START_RETAINED;
    }
    if longer != 0 {
        added |= match longer {
            longer if longer % 3 != 0 => Consequences::FRAMESHIFT,
            ..0 => Consequences::INFRAME_DELETION,
            _ => Consequences::INFRAME_INSERTION,
        };
        if last != b'*' && new_last == b'*' {
            added |= Consequences::STOP_GAINED;
        }
        return (added, removed);
    }
    let mut is_changed = false;
    for place in 0..old.length() {
        let ((amino_acid, mark), (changed, changed_mark)) = (old.at(place), new.at(place));
        if amino_acid != changed {
            is_changed = true;
            added |= match (mark, changed_mark) {
                (b'*', _) => Consequences::STOP_LOST,
                (_, b'*') => Consequences::STOP_GAINED,
                _ => Consequences::MISSENSE,
            };
        }
    }
    if !is_changed {
        added |= Consequences::SYNONYMOUS;
    }
    (added, removed)
}
