//! Those sites of the genotypes that a score asks for.
//!
//! [`Wanted`] are the places of all scores, 8 bytes each. The genotypes' sites stream by [`Kept`] once, on as many threads
//! as one likes, and what is wanted stays. [`Target`] finds sites by place.

use rustc_hash::FxHasher;
use std::hash::Hasher;

use super::chromosome::Chromosome;
use super::score_variants::{ScoreVariant, upper_case};
use super::scoring_file::ScoringFile;
use crate::formats::genotypes::sites::SiteTable;

/// A variant of the genotypes, as readers have it.
#[derive(Clone, Copy, Debug)]
pub struct Site<'t> {
    /// The contig's name.
    pub contig: &'t str,
    /// Position, 1-based; 0 and below where it is not known.
    pub position: i64,
    /// Identifier; `.` or empty for none.
    pub id: &'t str,
    /// The reference allele.
    pub reference: &'t str,
}

/// Where the genotypes of a variant are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteNumber {
    /// The variant's place in its file, from 0.
    pub variant: u32,
    /// The file's place among those that were given, from 0.
    pub file: u32,
}

/// The places that scores ask for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Sorted, each once.
    places: Vec<u64>,
    with_ids: bool,
    /// How many of the places are sorted, once each.
    settled: usize,
}

impl Wanted {
    /// The places of all variants of these files.
    pub fn of(files: &[ScoringFile]) -> Self {
        let mut wanted = Self::default();
        files.iter().for_each(|file| wanted.add(file));
        wanted.finish()
    }

    /// Adds the places of a file; [`Self::finish`] has to come before anything is asked.
    pub fn add(&mut self, file: &ScoringFile) {
        self.with_ids |= file.variants.has_ids();
        self.places.extend(file.variants.iter().filter_map(|variant| place_of(&variant)));
        // Thousands of scores share most of their places: memory is twice what is distinct.
        if self.places.len() > 2 * self.settled + ROOM {
            self.settle();
        }
    }

    /// All of them.
    pub fn finish(mut self) -> Self {
        self.settle();
        self.places.shrink_to_fit();
        self
    }

    fn settle(&mut self) {
        self.places.sort_unstable();
        self.places.dedup();
        self.settled = self.places.len();
    }

    fn find(&self, place: u64) -> Option<u32> {
        self.places.binary_search(&place).ok().map(|at| at as u32)
    }

    /// Whether scores ask for a site.
    pub fn contains(&self, contig: &str, position: i64, id: &str) -> bool {
        self.places_of(contig, position, id).iter().any(Option::is_some)
    }

    /// The places of a site by position and by identifier, where scores ask for them.
    fn places_of(&self, contig: &str, position: i64, id: &str) -> [Option<u32>; 2] {
        let position = u32::try_from(position).ok().filter(|position| *position > 0);
        let by_position = Chromosome::of(contig).zip(position).map(|(c, position)| place(c, position));
        let by_id = (self.with_ids && id != ".").then(|| place_of_id(id));
        [by_position, by_id].map(|place| self.find(place?))
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Places that are gathered before they are sorted for the first time.
const ROOM: usize = 1 << 20;

/// The sites that were wanted, of a part of the genotypes.
#[derive(Clone, Debug)]
pub struct Kept<'w> {
    wanted: &'w Wanted,
    sites: Vec<KeptSite>,
    text: String,
    seen: u64,
}

#[derive(Clone, Copy, Debug)]
struct KeptSite {
    place: u32,
    number: SiteNumber,
    /// Identifier, reference and alternates, a tab between; in [`Kept::text`].
    start: usize,
    end: usize,
}

impl<'w> Kept<'w> {
    /// Nothing yet.
    pub fn new(wanted: &'w Wanted) -> Self {
        Self { wanted, sites: Vec::new(), text: String::new(), seen: 0 }
    }

    /// Keeps a site if it is wanted.
    pub fn observe<'a>(
        &mut self,
        number: SiteNumber,
        site: Site<'_>,
        alternates: impl IntoIterator<Item = &'a str>,
    ) {
        self.seen += 1;
        let places = self.wanted.places_of(site.contig, site.position, site.id);
        if places.iter().all(Option::is_none) {
            return;
        }
        let start = self.text.len();
        self.text.extend([site.id, "\t", &upper_case(site.reference), "\t"]);
        for (number, alternate) in alternates.into_iter().enumerate() {
            self.text.push_str(if number == 0 { "" } else { "," });
            self.text.push_str(&upper_case(alternate));
        }
        let end = self.text.len();
        let sites = places.into_iter().flatten().map(|place| KeptSite { place, number, start, end });
        self.sites.extend(sites);
    }

    /// Keeps the sites of a file of genotypes that are wanted.
    pub fn observe_table(&mut self, file: u32, table: &SiteTable) {
        for (variant, site) in (0..).zip(table.iter()) {
            let place = Site {
                contig: site.contig,
                position: site.position.into(),
                id: site.id,
                reference: site.reference,
            };
            self.observe(SiteNumber { variant, file }, place, site.alternates());
        }
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: &Self) {
        let by = self.text.len();
        self.text.push_str(&other.text);
        let moved =
            other.sites.iter().map(|site| KeptSite { start: site.start + by, end: site.end + by, ..*site });
        self.sites.extend(moved);
        self.seen += other.seen;
    }

    /// All that is to be had.
    pub fn finish(mut self) -> Target<'w> {
        let text = &self.text;
        // Sites of one place in the order of their file; the names of the files, and which came first, mean nothing.
        self.sites.sort_by(|a, b| {
            let key = |site: &KeptSite| {
                (site.place, site.number.variant, &text[site.start..site.end], site.number.file)
            };
            key(a).cmp(&key(b))
        });
        let mut starts = vec![0; self.wanted.len() + 1];
        for site in &self.sites {
            starts[site.place as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Target { wanted: self.wanted, starts, sites: self.sites, text: self.text, seen: self.seen }
    }
}

/// The sites that scores ask for, by place.
#[derive(Clone, Debug)]
pub struct Target<'w> {
    wanted: &'w Wanted,
    /// Where the sites of each place begin, and where those of the last one end.
    starts: Vec<u32>,
    /// By place; those of one place in the order in which they are preferred.
    sites: Vec<KeptSite>,
    text: String,
    seen: u64,
}

/// A site of the genotypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetSite<'t> {
    /// Its place in the target.
    pub index: u32,
    /// Where its genotypes are.
    pub number: SiteNumber,
    /// Identifier; `.` for none.
    pub id: &'t str,
    /// The reference allele.
    pub reference: &'t str,
    /// Alternate alleles, with commas between.
    pub alternates: &'t str,
}

impl<'t> TargetSite<'t> {
    /// Whether there is more than one alternate allele.
    pub fn is_multiallelic(&self) -> bool {
        self.alternates.contains(',')
    }

    /// An allele: 0 is the reference.
    pub fn allele(&self, number: u16) -> Option<&'t str> {
        match number.checked_sub(1) {
            None => Some(self.reference),
            Some(place) => self.alternates.split(',').nth(place.into()),
        }
    }
}

impl Target<'_> {
    /// How many sites the genotypes have.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Bytes of it and of the places that are wanted.
    pub fn bytes(&self) -> u64 {
        let of_sites = size_of_val(&self.sites[..]) + size_of_val(&self.starts[..]) + self.text.len();
        (of_sites + size_of_val(&self.wanted.places[..])) as u64
    }

    /// How many of them are wanted.
    pub fn len(&self) -> usize {
        self.sites.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// A site of the target.
    pub fn get(&self, index: u32) -> Option<TargetSite<'_>> {
        let site = self.sites.get(index as usize)?;
        let mut texts = self.text.get(site.start..site.end)?.splitn(3, '\t');
        let (id, reference, alternates) = (texts.next()?, texts.next()?, texts.next()?);
        Some(TargetSite { index, number: site.number, id, reference, alternates })
    }

    /// The sites where a variant may be: those of its identifier where it has one, else those of its position.
    pub fn at<'t>(&'t self, variant: &ScoreVariant<'t>) -> impl Iterator<Item = TargetSite<'t>> {
        let place = place_of(variant).and_then(|place| self.wanted.find(place));
        let range = place.and_then(|place| self.starts.get(place as usize..place as usize + 2));
        let range = range.map_or(0..0, |range| range[0]..range[1]);
        let id = variant.id;
        range.filter_map(|index| self.get(index)).filter(move |site| id.is_none_or(|id| id == site.id))
    }
}

fn place_of(variant: &ScoreVariant<'_>) -> Option<u64> {
    match variant.id {
        Some(id) => Some(place_of_id(id)),
        None => Some(place(variant.chromosome?, variant.position?)),
    }
}

fn place(chromosome: Chromosome, position: u32) -> u64 {
    u64::from(chromosome.number()) << 32 | u64::from(position)
}

/// Two identifiers may share a place, so what is found has to be compared.
fn place_of_id(id: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(id.as_bytes());
    hasher.finish() | 1 << 63
}
