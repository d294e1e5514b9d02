//! Bases at known variable sites: what contamination and the fingerprint are made of.
//!
//! A base counts where its read is mapped, primary, no duplicate, not failed, of mapping quality 20 or the one asked
//! for, and its own quality is at least 13 (verifyBamID's default) or the one asked for. Where the mates of a pair both
//! cover a site, the better of the two bases counts; of equals, that of the mate that comes first in the file.

pub mod contamination;
pub mod fingerprint;
pub mod list;
mod mixture;

use std::collections::VecDeque;
use std::hash::Hasher;
use std::sync::Arc;

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs, Stretch};
use super::read::{BASE_A, BASE_C, BASE_G, BASE_T, Read};
use crate::formats::fasta::FastaError;
use list::{Site, SiteList};

/// Reads below this mapping quality do not count.
const MIN_MAPQ: u8 = 20;
/// Bases below this quality do not count.
const MIN_BASEQ: u8 = 13;
/// Unmapped, secondary, QC-failed, duplicate, supplementary.
const EXCLUDED_FLAGS: u16 = 0x4 | 0x100 | 0x200 | 0x400 | 0x800;
/// Higher qualities count as this one.
pub const MAX_QUALITY: u8 = 63;
/// The quality of bases that have none.
const NO_QUALITY: u8 = 255;

/// What a base at a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Allele {
    /// The reference's base.
    Reference = 0,
    /// The site's other base.
    Alternate = 1,
    /// A third base.
    Other = 2,
}

/// How many bases of one allele and quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// Allele and quality: `allele << 6 | quality`.
    key: u8,
    /// Bases.
    pub count: u32,
}

impl Bin {
    /// A bin; the quality is at most [`MAX_QUALITY`].
    pub fn new(allele: Allele, quality: u8, count: u32) -> Self {
        Self { key: key(allele, quality), count }
    }

    /// The allele.
    #[inline]
    pub fn allele(self) -> Allele {
        match self.key >> 6 {
            0 => Allele::Reference,
            1 => Allele::Alternate,
            _ => Allele::Other,
        }
    }

    /// The quality (Phred).
    #[inline]
    pub fn quality(self) -> u8 {
        self.key & MAX_QUALITY
    }
}

#[inline]
fn key(allele: Allele, quality: u8) -> u8 {
    (allele as u8) << 6 | quality.min(MAX_QUALITY)
}

/// Bases at the sites that have any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sites {
    counts: SiteCounts,
    min_mapq: u8,
    min_baseq: u8,
    #[serde(skip)]
    walk: Walk,
}

/// Bins by site: numbers ascending, the bins of a site ascending by allele and quality.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCounts {
    /// The site's number in the [`SiteList`], and how many bins it has.
    sites: Vec<(u32, u32)>,
    bins: Vec<Bin>,
}

impl SiteCounts {
    /// Adds the site that follows in the list.
    pub fn push(&mut self, number: u32, bins: impl IntoIterator<Item = Bin>) {
        let before = self.bins.len();
        self.bins.extend(bins);
        let added = (self.bins.len() - before) as u32;
        if added > 0 {
            self.sites.push((number, added));
        }
    }

    /// The sites that have bases, by number.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[Bin])> {
        let mut rest = &self.bins[..];
        self.sites.iter().map_while(move |&(number, n)| {
            let (bins, behind) = rest.split_at_checked(n as usize)?;
            rest = behind;
            Some((number as usize, bins))
        })
    }

    /// Adds the counts of another part of the file, or of another file.
    pub fn merge(&mut self, next: Self) {
        let follows = match (self.sites.last(), next.sites.first()) {
            (Some(last), Some(first)) => last.0 < first.0,
            _ => true,
        };
        if follows {
            self.sites.extend(next.sites);
            self.bins.extend(next.bins);
            return;
        }
        let mut sum = Self::default();
        {
            let (mut a, mut b) = (self.iter().peekable(), next.iter().peekable());
            while let Some(number) = match (a.peek(), b.peek()) {
                (Some(a), Some(b)) => Some(a.0.min(b.0)),
                (a, b) => a.or(b).map(|site| site.0),
            } {
                let x = a.next_if(|site| site.0 == number).map_or(&[][..], |site| site.1);
                let y = b.next_if(|site| site.0 == number).map_or(&[][..], |site| site.1);
                sum.push(number as u32, add(x, y));
            }
        }
        *self = sum;
    }
}

/// The sum of two sites' bins.
fn add(a: &[Bin], b: &[Bin]) -> Vec<Bin> {
    let mut all: Vec<Bin> = a.iter().chain(b).copied().collect();
    all.sort_by_key(|bin| bin.key);
    all.dedup_by(|next, last| {
        let same = next.key == last.key;
        if same {
            last.count = last.count.saturating_add(next.count);
        }
        same
    });
    all
}

/// What is open while reads go by.
#[derive(Clone, Debug, Default)]
struct Walk {
    list: Arc<SiteList>,
    /// Numbers of the sites of this stretch that are not done.
    numbers: std::ops::Range<usize>,
    /// Position of the first of them; `u32::MAX` where there is none.
    next: u32,
    /// The sites from there on that have bases or lie before one that has.
    open: VecDeque<OpenSite>,
    /// Emptied sites, whose memory is used again.
    spare: Vec<OpenSite>,
    /// Counts by key while a site is summed up.
    sums: Vec<u32>,
}

/// Bases of one site.
#[derive(Clone, Debug, Default)]
struct OpenSite {
    /// Keys of bases that no mate can cover as well.
    singles: Vec<u8>,
    /// Name and key of the others.
    pairs: Vec<(u64, u8)>,
}

impl Collector for Sites {
    fn unavailable(context: &Context) -> Option<&'static str> {
        match &context.options.sites {
            None => Some("no --sites are given"),
            Some(_) if !context.sorted => Some("the file is not sorted by coordinate"),
            Some(_) => None,
        }
    }

    fn needs(_: &Context) -> Needs {
        Needs { name: true, bases: true, quals: true, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        let options = &context.options;
        Self::over(options.sites.clone().unwrap_or_default(), options.min_mapq, options.min_baseq)
    }

    fn enter(&mut self, stretch: Stretch, _: &Context) {
        self.walk.enter(stretch);
    }

    fn lead_in(&mut self, read: &Read<'_>) {
        self.add(read);
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        if read.end > self.walk.next {
            self.add(read);
        }
    }

    fn leave(&mut self, _: &Context) -> Result<(), FastaError> {
        self.walk.close(u32::MAX, &mut self.counts);
        Ok(())
    }

    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        self.counts.merge(next.counts);
    }
}

impl Sites {
    fn over(list: Arc<SiteList>, min_mapq: Option<u8>, min_baseq: Option<u8>) -> Self {
        let walk = Walk { list, next: u32::MAX, ..Walk::default() };
        Self {
            counts: SiteCounts::default(),
            min_mapq: min_mapq.unwrap_or(MIN_MAPQ),
            min_baseq: min_baseq.unwrap_or(MIN_BASEQ),
            walk,
        }
    }

    /// The counts.
    pub fn counts(&self) -> &SiteCounts {
        &self.counts
    }

    fn add(&mut self, read: &Read<'_>) {
        if read.flags.0 & EXCLUDED_FLAGS != 0 || read.mapq < self.min_mapq || read.contig.is_none() {
            return;
        }
        let Self { counts, min_baseq, walk, .. } = self;
        walk.close(read.start, counts);
        if read.end > walk.next {
            walk.add(read, *min_baseq);
        }
    }
}

impl Walk {
    fn enter(&mut self, stretch: Stretch) {
        self.numbers = self.list.numbers(stretch.contig, stretch.start, stretch.end);
        self.open.clear();
        self.set_next();
    }

    fn set_next(&mut self) {
        let first = if self.numbers.is_empty() { None } else { self.list.get(self.numbers.start) };
        self.next = first.map_or(u32::MAX, |site| site.position);
    }

    /// Sums up the sites before `position`.
    fn close(&mut self, position: u32, counts: &mut SiteCounts) {
        while self.next < position {
            if let Some(mut site) = self.open.pop_front() {
                // 2^32 sites do not fit into a genome.
                counts.push(self.numbers.start as u32, site.sum(&mut self.sums));
                self.spare.push(site);
            } else {
                // None of those that follow has a base.
                let behind = |n: &usize| self.list.get(*n).is_some_and(|site| site.position < position);
                let skip = self.numbers.clone().take_while(behind).count();
                self.numbers.start += skip.max(1) - 1;
            }
            self.numbers.start += 1;
            self.set_next();
        }
    }

    /// Takes in the bases of a read that reaches the first site.
    fn add(&mut self, read: &Read<'_>, min_baseq: u8) {
        let name = may_meet_mate(read).then(|| hash(read.record.name()));
        let mut index = 0;
        for (at, start, length) in read.blocks() {
            let end = start.saturating_add(length);
            while let Some(site) = self.site(index).filter(|site| site.position < end) {
                if let Some(offset) = site.position.checked_sub(start) {
                    let at = at + offset as usize;
                    let (base, quality) = (read.bases.get(at), read.quals.get(at));
                    if let (Some(&base), Some(&quality)) = (base, quality)
                        && quality >= min_baseq
                        && quality != NO_QUALITY
                        && let Some(allele) = allele(base, &site)
                    {
                        self.put(index, name, key(allele, quality));
                    }
                }
                index += 1;
            }
        }
    }

    /// The site `index` places behind the first that is not done.
    fn site(&self, index: usize) -> Option<Site> {
        let number = self.numbers.start + index;
        if number < self.numbers.end { self.list.get(number).copied() } else { None }
    }

    fn put(&mut self, index: usize, name: Option<u64>, key: u8) {
        while self.open.len() <= index {
            self.open.push_back(self.spare.pop().unwrap_or_default());
        }
        let site = &mut self.open[index];
        match name {
            Some(name) => site.pairs.push((name, key)),
            None => site.singles.push(key),
        }
    }
}

impl OpenSite {
    /// The bins, one of each pair's bases counted; leaves the site empty.
    fn sum(&mut self, sums: &mut Vec<u32>) -> Vec<Bin> {
        sums.resize(3 << 6, 0);
        // Stable: within a name in the file's order.
        self.pairs.sort_by_key(|pair| pair.0);
        let best = |same: &[(u64, u8)]| {
            let better = |a: u8, b: u8| if b & MAX_QUALITY > a & MAX_QUALITY { b } else { a };
            same.iter().map(|pair| pair.1).reduce(better)
        };
        let keys = self.pairs.chunk_by(|a, b| a.0 == b.0).filter_map(best);
        for key in keys.chain(self.singles.iter().copied()) {
            if let Some(sum) = sums.get_mut(usize::from(key)) {
                *sum = sum.saturating_add(1);
            }
        }
        self.pairs.clear();
        self.singles.clear();
        let mut bins = Vec::new();
        for (key, sum) in sums.iter_mut().enumerate().filter(|(_, sum)| **sum > 0) {
            bins.push(Bin { key: key as u8, count: std::mem::take(sum) });
        }
        bins
    }
}

/// Whether the mate may cover the same site.
fn may_meet_mate(read: &Read<'_>) -> bool {
    let record = &read.record;
    read.flags.is_paired() && !read.flags.is_mate_unmapped() && record.ref_id() == record.mate_ref_id()
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    hasher.finish()
}

/// What a base (BAM's code) is at a site; `None` for N and other codes of several bases.
fn allele(code: u8, site: &Site) -> Option<Allele> {
    let base = match code {
        BASE_A => b'A',
        BASE_C => b'C',
        BASE_G => b'G',
        BASE_T => b'T',
        _ => return None,
    };
    Some(if base == site.reference {
        Allele::Reference
    } else if base == site.alternate {
        Allele::Alternate
    } else {
        Allele::Other
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
