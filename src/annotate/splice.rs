//! Which parts of introns a variant touches: splice sites, their regions, the polypyrimidine tract.
//!
//! Ranges are those of Ensembl VEP 114 (BaseTranscriptVariationAllele): site 1-2, fifth base 5, donor region 3-6, polypyrimidine
//! tract 3-17 before the acceptor, region 3-8 of the intron and 1-3 of the exon.

use super::genes::{Intron, Transcript};
use super::variant::Variant;

/// What is touched, in the transcript's direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Splice {
    /// The first two bases of an intron.
    pub donor: bool,
    /// The last two.
    pub acceptor: bool,
    /// The fifth.
    pub fifth_base: bool,
    /// The third to the sixth.
    pub donor_region: bool,
    /// The 17th to the third from the end.
    pub polypyrimidine: bool,
    /// Beside a splice site.
    pub region: bool,
    /// An intron between its splice sites.
    pub intron: bool,
    /// An intron that stands for a frameshift.
    pub frameshift_intron: bool,
}

impl Splice {
    /// What a variant touches.
    pub fn of(variant: &Variant<'_>, transcript: &Transcript) -> Self {
        let mut found = Ends::default();
        let bounds = variant.bounds();
        let touched = |intron: &&Intron| intron.start - BESIDE <= bounds.1 && intron.end + BESIDE >= bounds.0;
        let introns: Vec<&Intron> = transcript.introns.iter().filter(touched).collect();
        if introns.is_empty() {
            return Self::default();
        }
        variant.for_each_difference(|start, end| {
            introns.iter().for_each(|intron| found.add(intron, start, end, bounds))
        });
        let [at_start, at_end] = [found.start, found.end];
        let (five, three) = if transcript.is_reverse { (at_end, at_start) } else { (at_start, at_end) };
        Self {
            donor: five.site,
            acceptor: three.site,
            fifth_base: five.fifth_base,
            donor_region: five.donor_region,
            polypyrimidine: three.polypyrimidine,
            region: found.region,
            intron: found.intron,
            frameshift_intron: found.frameshift,
        }
    }
}

/// Exonic bases that belong to a splice region.
const BESIDE: i64 = 3;

/// Both ends of introns on the genome.
#[derive(Default)]
struct Ends {
    start: End,
    end: End,
    region: bool,
    intron: bool,
    frameshift: bool,
}

/// What would be touched if this end were the donor's, or the acceptor's.
#[derive(Clone, Copy, Default)]
struct End {
    site: bool,
    fifth_base: bool,
    donor_region: bool,
    polypyrimidine: bool,
}

impl Ends {
    /// Adds a range of differing bases, an insertion where it ends before it starts. `bounds` are those of the variant.
    fn add(&mut self, intron: &Intron, start: i64, end: i64, bounds: (i64, i64)) {
        let meets = |from: i64, to: i64| end >= from && start <= to;
        let is_insertion = start == end + 1;
        let (first, last) = (intron.start, intron.end);
        if intron.is_frameshift && meets(first, last) {
            self.frameshift = true;
            return;
        }
        if meets(first + 2, last - 2) || is_insertion && (start == first + 2 || end == last - 2) {
            self.intron = true;
        }
        // Here an insertion counts with the bases on both sides.
        let (low, high) = (start.min(end), start.max(end));
        let touches = |from: i64, to: i64| high >= from && low <= to;
        self.end.polypyrimidine |= touches(last - 16, last - 2);
        self.start.polypyrimidine |= touches(first + 2, first + 16);
        let is_near = |from: i64, to: i64| bounds.1 >= from && bounds.0 <= to;
        if !(is_near(first - 3, first + 7) || is_near(last - 7, last + 3)) {
            return;
        }
        self.start.site |= meets(first, first + 1);
        self.end.site |= meets(last - 1, last);
        self.start.fifth_base |= meets(first + 4, first + 4);
        self.end.fifth_base |= meets(last - 4, last - 4);
        self.start.donor_region |= meets(first + 2, first + 5);
        self.end.donor_region |= meets(last - 5, last - 2);
        // The range that is looked at last decides.
        if !(self.start.site || self.end.site) {
            self.region = meets(first + 2, first + 7)
                || meets(last - 7, last - 2)
                || meets(first - 3, first - 1)
                || meets(last + 1, last + 3)
                || is_insertion && (start == first || end == last || start == first + 2 || end == last - 2);
        }
    }
}
