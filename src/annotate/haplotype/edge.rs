//! Where an allele lies to a stretch of a transcript (a coding part, an untranslated one, an exon, all of it): inside,
//! across its edge, or at the splice site beside it, by the rules of `bcftools csq` 1.24.
//!
//! An allele and its reference are cut at the edge of the stretch; what is left of both goes on to the coding sequence.
//! Positions are 0-based and inclusive.

use super::consequence::Consequences;
use super::model::{Bases, Model};

/// The bases of an intron that are its donor or acceptor.
const SITE: i64 = 2;
/// The bases of an intron that are a splice region.
const REGION: i64 = 8;

/// Where an allele lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It changes nothing.
    SameAsReference,
    /// Beside the stretch.
    Outside,
    /// In it.
    Inside,
    /// Across its edge.
    Overlap,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checks {
    /// Splice sites, by the strand.
    pub(super) sites: bool,
    /// The stretch has the start codon.
    pub(super) start: bool,
    /// It has the stop codon.
    pub(super) stop: bool,
    /// There is an intron before it.
    pub(super) before: bool,
    /// There is an intron behind it.
    pub(super) behind: bool,
    /// Untranslated bases beside it are no splice sites.
    pub(super) untranslated: bool,
}

/// An allele.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allele<'a> {
    pub(super) position: i64,
    pub(super) reference: &'a [u8],
    pub(super) alternate: &'a [u8],
    /// Bases of the reference that it stands for.
    pub(super) extent: i64,
}

/// An allele at a stretch.
#[derive(Debug)]
pub(super) struct Edge<'a> {
    model: &'a Model,
    /// The transcript's bases, where changes are held against them.
    bases: Option<&'a Bases>,
    position: i64,
    reference: &'a [u8],
    alternate: &'a [u8],
    /// How many bases of the reference and the allele are left.
    lengths: (i64, i64),
    checks: Checks,
    /// Shared bases at the begin and the end that are cut off.
    cut: (i64, i64),
    /// What the allele is.
    pub(super) found: Consequences,
    /// The bases that matter.
    pub(super) first: i64,
    last: i64,
    /// The reference's bases, and the allele's, without what was cut off.
    pub(super) old: Option<Vec<u8>>,
    pub(super) new: Option<Vec<u8>>,
    /// What is to be told on the way, in order.
    pub(super) told: Vec<Consequences>,
}

impl<'a> Edge<'a> {
    pub(super) fn new(
        model: &'a Model,
        bases: Option<&'a Bases>,
        allele: Allele<'a>,
        checks: Checks,
        found: Consequences,
    ) -> Self {
        Self {
            model,
            bases,
            position: allele.position,
            reference: allele.reference,
            alternate: allele.alternate,
            lengths: (allele.extent, allele.alternate.len() as i64),
            checks,
            cut: (0, 0),
            found,
            first: 0,
            last: 0,
            old: None,
            new: None,
            told: Vec::new(),
        }
    }

    /// Where the allele lies to a stretch.
    pub(super) fn meet(&mut self, begin: i64, end: i64) -> Place {
        let (old, new) = self.lengths;
        let at = |bases: &[u8], place: i64| usize::try_from(place).ok().and_then(|n| bases.get(n).copied());
        let same = |one: i64, other: i64| at(self.reference, one) == at(self.alternate, other);
        let right = (0..old.min(new)).take_while(|n| same(old - 1 - n, new - 1 - n)).count() as i64;
        let left = (0..old.min(new) - right).take_while(|n| same(*n, *n)).count() as i64;
        self.cut = (left, right);
        let is_symbolic = self.alternate.first() == Some(&b'<');
        let is_complex = !is_symbolic && old - left - right > 1 && new - left - right > 1;
        if old == new {
            return self.substitution(begin, end);
        }
        if is_complex {
            self.found |= if old > new { Consequences::TRUNCATION } else { Consequences::ELONGATION };
            return self.substitution(begin, end);
        }
        if old < new { self.insertion(begin, end) } else { self.deletion(begin, end) }
    }

    fn tell(&mut self) {
        if !self.found.is_empty() {
            self.told.push(self.found);
        }
    }

    /// Tells of untranslated bases of the transcript within a range; false where there are none.
    fn tell_untranslated(&mut self, first: i64, last: i64) -> bool {
        let parts = &self.model.untranslated;
        let Some(part) = parts.iter().find(|part| part.first <= last && part.last >= first) else {
            return false;
        };
        let kind =
            if part.is_five_prime { Consequences::FIVE_PRIME_UTR } else { Consequences::THREE_PRIME_UTR };
        self.told.push(self.found | kind);
        true
    }

    /// Notes the splice site before the stretch, or behind it.
    fn note_site(&mut self, is_before: bool) {
        if self.checks.sites {
            let is_acceptor = is_before == self.model.is_forward;
            self.found |=
                if is_acceptor { Consequences::SPLICE_ACCEPTOR } else { Consequences::SPLICE_DONOR };
        }
    }

    /// Notes what lies at the begin of the stretch, or at its end.
    fn note_end(&mut self, is_begin: bool) {
        if if is_begin { self.checks.before } else { self.checks.behind } {
            self.found |= Consequences::SPLICE_REGION;
        }
        if is_begin == self.model.is_forward {
            if self.checks.start {
                self.found |= Consequences::START_LOST;
            }
        } else if self.checks.stop {
            self.found |= Consequences::STOP_LOST;
        }
    }

    /// Notes where the allele leaves `count` bases from `from` on as they are; none are known where nothing was built.
    fn note_same(&mut self, from: usize, count: usize) {
        if let (Some(old), Some(new)) = (&self.old, &self.new)
            && is_same(old, new, from, count)
        {
            self.found |= Consequences::SYNONYMOUS;
        }
    }

    /// Writes `length` bases from `begin` on, of the reference and with the allele.
    fn build(&mut self, begin: i64, length: i64) {
        let Some(bases) = self.bases else { return };
        let transcript = (self.model.first, self.model.last);
        // Exons and introns can be shorter than splice regions.
        let (begin, length) = if begin < transcript.0 { (transcript.0, 0) } else { (begin, length) };
        let end = self.position + self.lengths.0;
        let before = bases.slice(begin, self.position);
        let piece = |sequence: &[u8], from: i64, count: i64| -> Vec<u8> {
            let from = from.clamp(0, sequence.len() as i64) as usize;
            sequence.get(from..).unwrap_or_default().iter().take(count.max(0) as usize).copied().collect()
        };
        let fill = |sequence: &[u8], available: i64, behind: &dyn Fn(i64) -> i64| -> Option<Vec<u8>> {
            let mut built = None;
            let mut offset = begin - self.position;
            if begin < self.position {
                built = Some(before.to_vec());
                offset = 0;
            }
            let have = |built: &Option<Vec<u8>>| built.as_ref().map_or(0, |built| built.len() as i64);
            if offset < available && have(&built) < length {
                let count = (available - offset).min(length - have(&built));
                built.get_or_insert_default().extend(piece(sequence, offset, count));
                offset -= count;
            }
            let skipped = behind(offset);
            let missing = (length - have(&built)).min(transcript.1 + 1 - end - skipped);
            if missing > 0 && have(&built) < length {
                let from = end + skipped;
                built.get_or_insert_default().extend_from_slice(bases.slice(from, from + missing));
            }
            built
        };
        let old = fill(self.reference, self.lengths.0, &|_| 0);
        // Where the allele ends before the bases that are wanted begin, what lies between is passed over.
        let new = fill(self.alternate, self.lengths.1, &|offset| if offset < 0 { 0 } else { offset - 1 });
        (self.old, self.new) = (old, new);
    }

    fn insertion(&mut self, begin: i64, end: i64) -> Place {
        // The bases beside what is inserted.
        if self.cut.0 > 0 || self.reference.first() != self.alternate.first() {
            self.first = self.position + self.cut.0 - 1;
        } else {
            self.cut.1 = (self.cut.1 - 1).max(0);
            self.first = self.position;
        }
        self.last = self.position + self.lengths.0 - self.cut.1;
        if self.first >= end {
            return self.insertion_behind(end);
        }
        if self.last < begin || self.last == begin && !self.checks.before {
            return self.insertion_before(begin);
        }
        if self.first <= begin + 2 {
            self.note_end(true);
        }
        if self.last > end - 2 {
            self.note_end(false);
        }
        if self.bases.is_some() {
            if self.first < self.position {
                // Too much was cut off at the end.
                self.cut.0 += 1;
                if self.cut.0 + self.cut.1 == self.lengths.0 {
                    self.cut.1 -= 1;
                }
                self.first = self.position;
            }
            if self.last == begin {
                self.cut.1 -= 1;
            }
            self.build(self.first, self.lengths.1 - self.cut.1 - self.cut.0 + 1);
            self.lengths.0 -= self.cut.0 + self.cut.1 - 1;
            if let Some(old) = &mut self.old {
                old.truncate(self.lengths.0.max(0) as usize);
            }
        }
        self.tell();
        Place::Inside
    }

    fn insertion_behind(&mut self, end: i64) -> Place {
        let is_untranslated =
            self.checks.untranslated && self.tell_untranslated(self.first + 1, self.first + 1);
        if is_untranslated || !self.checks.behind {
            return Place::Outside;
        }
        self.build(end + 1, REGION);
        if self.first < end + REGION && self.last > end + SITE {
            self.found |= Consequences::SPLICE_REGION;
            self.note_same(0, REGION as usize);
        }
        if self.first < end + SITE {
            self.note_site(false);
            self.note_same(0, SITE as usize);
        }
        self.tell();
        Place::Outside
    }

    fn insertion_before(&mut self, begin: i64) -> Place {
        let is_untranslated =
            self.checks.untranslated && self.tell_untranslated(self.last - 1, self.last - 1);
        if is_untranslated || !self.checks.before {
            return Place::Outside;
        }
        self.build(begin - REGION, REGION);
        if self.last > begin - REGION && self.first < begin - SITE {
            self.found |= Consequences::SPLICE_REGION;
            self.note_same(0, REGION as usize);
        }
        if self.last > begin - SITE {
            self.note_site(true);
            self.note_same((REGION - SITE) as usize, SITE as usize);
        }
        self.tell();
        Place::Outside
    }

    /// Whether a deletion at the start codon leaves it there, because what moves up is the same.
    fn keeps_start(&self, begin: i64, end: i64) -> bool {
        let Some(bases) = self.bases else { return false };
        let (old, new) = (self.reference.len() as i64, self.alternate.len() as i64);
        let deleted = self.reference.get(new.max(0) as usize..).unwrap_or_default();
        let count = old - new;
        let from = if self.model.is_forward {
            let from = self.position + old - 2 * count;
            if self.position >= begin + 3 || from < 0 || super::model::PAD + from < begin {
                return false;
            }
            from
        } else {
            let last = self.position + old - 1;
            if self.position + self.lengths.0 + 2 <= end || last + count > self.model.last + super::model::PAD
            {
                return false;
            }
            last + 1
        };
        deleted == bases.slice(from, from + count)
    }

    fn deletion(&mut self, begin: i64, end: i64) -> Place {
        if self.checks.start && self.keeps_start(begin, end) {
            self.found |= Consequences::START_RETAINED;
            return Place::Overlap;
        }
        // The base before the deleted ones, and the last of those.
        self.first = self.position + self.cut.0 - 1;
        self.last = self.position + self.lengths.0 - self.cut.1 - 1;
        if self.first + 1 < begin {
            if self.checks.before
                && !(self.checks.untranslated && self.tell_untranslated(self.first, begin - 1))
            {
                self.build(begin - REGION, REGION);
                if self.last >= begin - REGION && self.first < begin - SITE {
                    self.found |= Consequences::SPLICE_REGION;
                    self.note_same(0, REGION as usize);
                }
                if self.last >= begin - SITE {
                    self.note_site(true);
                    let from = (REGION - SITE) as usize;
                    if [&self.old, &self.new]
                        .iter()
                        .all(|built| built.as_ref().is_some_and(|b| b.len() > from))
                    {
                        self.note_same(from, SITE as usize);
                    }
                }
            }
            if self.last >= begin {
                self.cut.0 = self.first - self.position + 1;
                self.first = begin - 1;
                if self.cut.0 + self.cut.1 == self.lengths.1 {
                    // It cannot be moved into the stretch.
                    if self.cut.1 == 0 {
                        self.found |= Consequences::CODING_SEQUENCE;
                        return Place::Overlap;
                    }
                    self.cut.1 -= 1;
                }
            }
        }
        if end < self.last {
            if self.checks.behind && !(self.checks.untranslated && self.tell_untranslated(end + 1, self.last))
            {
                self.build(end + 1, REGION);
                if self.first < end + REGION && self.last > end + SITE {
                    self.found |= Consequences::SPLICE_REGION;
                    self.note_same(0, REGION as usize);
                }
                if self.first < end + SITE {
                    self.note_site(false);
                    self.note_same((REGION - SITE) as usize, SITE as usize);
                }
            }
            if self.first < end {
                self.cut.1 = self.lengths.0 - (self.last - self.position + 1);
                self.last = end;
            }
        }
        if self.last < begin || self.first >= end {
            self.tell();
            return Place::Outside;
        }
        if self.first < begin + 2 {
            self.note_end(true);
        }
        if self.last > end - 3 {
            self.note_end(false);
        }
        if self.bases.is_some() && self.cut_deletion(begin, end) {
            return Place::Overlap;
        }
        self.tell();
        Place::Inside
    }

    /// Takes what is left of a deletion; true where it goes across an edge.
    fn cut_deletion(&mut self, begin: i64, end: i64) -> bool {
        self.cut.0 = (self.cut.0 - 1).max(0);
        let shared = self.cut.0 + self.cut.1;
        if self.lengths.0 > shared && self.lengths.1 > shared {
            self.lengths = (self.lengths.0 - shared, self.lengths.1 - shared);
        }
        self.take_rest();
        let is_across = |edge: i64| self.first + 1 < edge && self.last >= edge;
        if !(is_across(begin) || is_across(end)) {
            return false;
        }
        let first = self.first + self.lengths.1 - 1;
        if first < self.last {
            self.found |= if (self.last - first) % 3 == 0 {
                Consequences::INFRAME_DELETION
            } else {
                Consequences::FRAMESHIFT
            };
        }
        true
    }

    /// What is left behind what was cut off at the begin; zeros behind the end.
    fn take_rest(&mut self) {
        let rest = |bases: &[u8], length: i64| {
            let from = self.cut.0.clamp(0, bases.len() as i64) as usize;
            let mut rest: Vec<u8> =
                bases.get(from..).unwrap_or_default().iter().take(length.max(0) as usize).copied().collect();
            rest.resize(length.max(0) as usize, 0);
            Some(rest)
        };
        let (old, new) = (rest(self.reference, self.lengths.0), rest(self.alternate, self.lengths.1));
        (self.old, self.new) = (old, new);
    }

    fn substitution(&mut self, begin: i64, end: i64) -> Place {
        if self.cut.0 + self.cut.1 == self.lengths.0 {
            return Place::SameAsReference;
        }
        self.first = self.position + self.cut.0;
        self.last = self.position + self.lengths.0 - self.cut.1 - 1;
        let mut place = Place::Inside;
        if self.first < begin {
            if self.checks.before
                && !(self.checks.untranslated && self.tell_untranslated(self.first, begin - 1))
            {
                if self.last >= begin - REGION && self.first < begin - SITE {
                    self.found |= Consequences::SPLICE_REGION;
                }
                if self.last >= begin - SITE {
                    self.note_site(true);
                }
            }
            if self.last >= begin {
                self.cut.0 = self.first - self.position;
                self.first = begin;
                place = Place::Overlap;
            }
        }
        if end < self.last {
            if self.checks.behind && !(self.checks.untranslated && self.tell_untranslated(end + 1, self.last))
            {
                if self.first <= end + REGION && self.last > end + SITE {
                    self.found |= Consequences::SPLICE_REGION;
                }
                if self.first <= end + SITE {
                    self.note_site(false);
                }
            }
            if self.first <= end {
                self.cut.1 = self.lengths.0 - (self.last - self.position + 1);
                self.last = end;
                place = Place::Overlap;
            }
        }
        if self.last < begin || self.first > end {
            self.tell();
            return Place::Outside;
        }
        if self.first < begin + 3 {
            self.note_end(true);
        }
        if self.last > end - 3 {
            self.note_end(false);
        }
        if self.bases.is_some() {
            let shared = self.cut.0 + self.cut.1;
            self.lengths = (self.lengths.0 - shared, self.lengths.1 - shared);
            self.take_rest();
        }
        self.tell();
        place
    }
}

/// Whether `count` letters from `from` on are the same; both may end there.
fn is_same(one: &[u8], other: &[u8], from: usize, count: usize) -> bool {
    let letter = |bases: &[u8], place: usize| bases.get(place).copied().unwrap_or_default();
    for place in from..from + count {
        let (one, other) = (letter(one, place), letter(other, place));
        if one != other {
            return false;
        }
        if one == 0 {
            break;
        }
    }
    true
}
