//! Which allele of which site of the genotypes a score's variant is.
//!
//! Rules and names are those of the PGS Catalog Calculator (pgscatalog.match 0.4.0): every way in which alleles can agree is a
//! candidate, the first of [`MatchType`] is the best, and what is ambiguous, multiallelic, on the other strand or met by two
//! rows is excluded as [`Rules`] say. Where that program lets one site's alternate alleles stand for one another, here each
//! stands for itself: see `tests/prs_match.rs` for all that differs.

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::score_variants::{AllelePair, Complexity, ScoreVariant, flipped, is_sequence};
use super::scoring_file::ScoringFile;
use super::target::{SiteNumber, Target, TargetSite};

/// How alleles agree, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchType {
    /// The effect allele is the reference, the other allele the alternate.
    RefAlt,
    /// The effect allele is the alternate.
    AltRef,
    /// As [`MatchType::RefAlt`], on the other strand.
    RefAltFlip,
    /// As [`MatchType::AltRef`], on the other strand.
    AltRefFlip,
    /// No other allele is known, the effect allele is the reference.
    NoOaRef,
    /// No other allele is known, the effect allele is the alternate.
    NoOaAlt,
    /// As [`MatchType::NoOaRef`], on the other strand.
    NoOaRefFlip,
    /// As [`MatchType::NoOaAlt`], on the other strand.
    NoOaAltFlip,
}

use MatchType::*;

impl MatchType {
    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            RefAlt => "refalt",
            AltRef => "altref",
            RefAltFlip => "refalt_flip",
            AltRefFlip => "altref_flip",
            NoOaRef => "no_oa_ref",
            NoOaAlt => "no_oa_alt",
            NoOaRefFlip => "no_oa_ref_flip",
            NoOaAltFlip => "no_oa_alt_flip",
        }
    }

    /// Whether alleles agree on the other strand only.
    pub fn is_flipped(self) -> bool {
        matches!(self, RefAltFlip | AltRefFlip | NoOaRefFlip | NoOaAltFlip)
    }

    /// Whether the effect allele is the reference.
    pub fn effect_is_reference(self) -> bool {
        matches!(self, RefAlt | RefAltFlip | NoOaRef | NoOaRefFlip)
    }
}

/// What is let in, by the names of pgscatalog-match's options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Whether A/T and C/G, which read the same on both strands, are taken as they stand.
    pub keep_ambiguous: bool,
    /// Whether sites with several alternate alleles are taken.
    pub keep_multiallelic: bool,
    /// Whether alleles that agree on the other strand only are left out.
    pub ignore_strand_flips: bool,
    /// Whether of several rows for one variant the first is taken; else none is.
    pub keep_first_match: bool,
    /// The least share of rows that has to be matched, 0 to 1.
    pub min_overlap: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            keep_ambiguous: false,
            keep_multiallelic: false,
            ignore_strand_flips: false,
            keep_first_match: false,
            min_overlap: 0.75,
        }
    }
}

/// A way in which a row's alleles agree with a site's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// How.
    pub kind: MatchType,
    /// The site's place in the target.
    pub site: u32,
    /// The alternate allele that is meant, from 1; 0 where the effect allele is the reference of a site with several and no
    /// other allele is known.
    pub alternate: u16,
}

impl Candidate {
    /// The allele whose copies are counted; 0 is the reference.
    pub fn effect_allele(&self) -> u16 {
        if self.kind.effect_is_reference() { 0 } else { self.alternate }
    }
}

/// The best match of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The row, from 0.
    pub row: u32,
    /// What it is.
    pub candidate: Candidate,
    /// Whether another site or allele would have done as well; the first of the file is taken.
    pub is_one_of_several: bool,
    /// Whether another row of the score is best matched by the same alleles.
    pub is_duplicate: bool,
    /// Whether it is left out: by the rules, or since the other genotypes do not score it.
    pub is_excluded: bool,
    /// What other genotypes make of the row, where there are some.
    pub other: Option<Other>,
}

/// What other genotypes make of a row that is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// They have the same alleles, and score them.
    Shared,
    /// They have the same alleles, but the rules leave them out there.
    Excluded,
    /// They have no such site, or take the row for other alleles.
    NotShared,
}

/// Why a row that has no match has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unmatched {
    /// It is about several variants at once.
    Complex(Complexity),
    /// It has no position.
    NoPosition,
    /// Its contig is no chromosome.
    OtherContig,
    /// The genotypes have no site there.
    NoSite,
    /// The effect allele is no sequence of bases, and no site there has it.
    NoSequence,
    /// The site there has other alleles.
    OtherAlleles,
}

impl Unmatched {
    /// In a word or two, for the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Complex(Complexity::Haplotype) => "haplotype",
            Self::Complex(Complexity::Diplotype) => "diplotype",
            Self::Complex(Complexity::Interaction) => "interaction",
            Self::NoPosition => "no position",
            Self::OtherContig => "no chromosome",
            Self::NoSite => "no site",
            Self::NoSequence => "no sequence",
            Self::OtherAlleles => "other alleles",
        }
    }
}

/// What was found of a scoring file.
#[derive(Clone, Debug)]
pub struct Matched<'a> {
    /// The file.
    pub file: &'a ScoringFile,
    target: &'a Target<'a>,
    rules: Rules,
    /// By row, those that have one, excluded ones too.
    best: Vec<Match>,
    tally: Tally,
}

/// How many rows became what. They add up to [`Tally::rows`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows of the file.
    pub rows: u64,
    /// Those that are scored.
    pub matched: u64,
    /// Those that the rules leave out.
    pub excluded: u64,
    /// Those that the rules take, but other genotypes do not score.
    pub not_shared: u64,
    /// Those at a site with other alleles.
    pub other_alleles: u64,
    /// Those where the genotypes have no site.
    pub no_site: u64,
    /// Those that no site can match: without a position on a chromosome, or about several variants, or without bases.
    pub not_scorable: u64,
}

/// Too little of a score is in the genotypes.
#[derive(Clone, Debug, PartialEq, Error)]
#[error(
    "{name}: {matched} of {rows} variants are matched, fewer than the share of {min_overlap} that is asked for \
     (--min-overlap): {no_site} have no site in the genotypes, {other_alleles} other alleles there, {excluded} are excluded, \
     {not_scorable} cannot be scored{not_shared}{hint}",
    matched = tally.matched, rows = tally.rows, no_site = tally.no_site, other_alleles = tally.other_alleles,
    excluded = tally.excluded, not_scorable = tally.not_scorable, not_shared = self.not_shared(), hint = self.hint()
)]
pub struct OverlapError {
    /// The score.
    pub name: String,
    /// What became of its rows.
    pub tally: Tally,
    /// What was asked for.
    pub min_overlap: f64,
    /// The build of its positions, where that is known.
    pub build: Option<&'static str>,
}

impl OverlapError {
    fn not_shared(&self) -> String {
        match self.tally.not_shared {
            0 => String::new(),
            rows => format!(", {rows} are not scored in the other genotypes (--intersect)"),
        }
    }

    /// Positions of another build meet sites by chance, and their alleles mostly are not those.
    fn hint(&self) -> String {
        let Tally { matched, excluded, other_alleles, rows, not_scorable, no_site, .. } = self.tally;
        let is_by_chance = other_alleles > matched + excluded;
        match self.build {
            _ if not_scorable * 2 > rows => String::new(),
            Some(build) if is_by_chance => format!("; are the genotypes of another build than {build}?"),
            None if is_by_chance => "; are the genotypes of another build?".to_owned(),
            _ if matched + excluded == 0 && no_site > 0 => {
                "; are the genotypes of another build, or their contigs of other names?".to_owned()
            }
            _ => String::new(),
        }
    }
}

/// Finds the variants of a file.
pub fn match_file<'a>(file: &'a ScoringFile, target: &'a Target<'a>, rules: Rules) -> Matched<'a> {
    let mut best = Vec::new();
    let mut tally = Tally { rows: file.variants.len() as u64, ..Tally::default() };
    let mut candidates = Vec::new();
    for variant in file.variants.iter() {
        match find(&variant, target, &mut candidates) {
            Ok(first) => best.push(Match {
                row: variant.row,
                candidate: first,
                is_one_of_several: candidates.get(1).is_some_and(|next| next.kind == first.kind),
                is_duplicate: false,
                is_excluded: false,
                other: None,
            }),
            Err(Unmatched::NoSite) => tally.no_site += 1,
            Err(Unmatched::OtherAlleles) => tally.other_alleles += 1,
            Err(_) => tally.not_scorable += 1,
        }
    }
    best.shrink_to_fit();
    let mut matched = Matched { file, target, rules, best, tally };
    matched.mark_duplicates();
    matched.exclude();
    matched
}

/// Finds the variants of a file that other genotypes have too, by the same rules: rows are scored that both take for the
/// same alleles and that are excluded in neither. So scores of both rest on the same variants.
pub fn match_shared<'a>(
    file: &'a ScoringFile,
    target: &'a Target<'a>,
    other: &Target<'_>,
    rules: Rules,
) -> Matched<'a> {
    let mut matched = match_file(file, target, rules);
    matched.intersect(&match_file(file, other, rules));
    matched
}

/// All candidates of a variant, in order of preference; the first is the best.
///
/// # Errors
/// There is none.
pub(super) fn find(
    variant: &ScoreVariant<'_>,
    target: &Target<'_>,
    candidates: &mut Vec<Candidate>,
) -> Result<Candidate, Unmatched> {
    candidates.clear();
    if let Some(complexity) = variant.complexity {
        return Err(Unmatched::Complex(complexity));
    }
    let mut has_site = false;
    for site in target.at(variant) {
        has_site = true;
        if variant.id.is_some() {
            add_as_named(variant.alleles, &site, candidates);
        } else {
            add_all(variant.alleles, &site, candidates);
        }
    }
    candidates.sort();
    candidates.first().copied().ok_or_else(|| match variant {
        _ if !is_sequence(&variant.alleles.effect) => Unmatched::NoSequence,
        _ if has_site => Unmatched::OtherAlleles,
        ScoreVariant { id: Some(_), .. } => Unmatched::NoSite,
        ScoreVariant { position: None, .. } => Unmatched::NoPosition,
        ScoreVariant { chromosome: None, .. } => Unmatched::OtherContig,
        _ => Unmatched::NoSite,
    })
}

fn add_all(alleles: &AllelePair, site: &TargetSite<'_>, candidates: &mut Vec<Candidate>) {
    let reference = site.reference;
    let mut add = |kind, alternate| candidates.push(Candidate { kind, site: site.index, alternate });
    let Some((other, other_flipped)) = alleles.other.as_deref().zip(alleles.other_flipped.as_deref()) else {
        // The reference is one allele, however many alternates there are.
        let of_reference = u16::from(!site.is_multiallelic());
        for (effect, of_ref, of_alt) in
            [(&alleles.effect, NoOaRef, NoOaAlt), (&alleles.effect_flipped, NoOaRefFlip, NoOaAltFlip)]
        {
            if **effect == *reference {
                add(of_ref, of_reference);
            }
            alternates(site)
                .filter(|(_, alternate)| **effect == **alternate)
                .for_each(|(at, _)| add(of_alt, at));
        }
        return;
    };
    for (effect, other, of_ref, of_alt) in [
        (&*alleles.effect, other, RefAlt, AltRef),
        (&*alleles.effect_flipped, other_flipped, RefAltFlip, AltRefFlip),
    ] {
        if effect == reference {
            alternates(site).filter(|(_, alternate)| *alternate == other).for_each(|(at, _)| add(of_ref, at));
        }
        if other == reference {
            alternates(site)
                .filter(|(_, alternate)| *alternate == effect)
                .for_each(|(at, _)| add(of_alt, at));
        }
    }
}

/// A table that names a site and an allele means these, on the genotypes' strand, as plink2 does.
fn add_as_named(alleles: &AllelePair, site: &TargetSite<'_>, candidates: &mut Vec<Candidate>) {
    if *alleles.effect == *site.reference {
        let alternate = u16::from(!site.is_multiallelic());
        candidates.push(Candidate { kind: NoOaRef, site: site.index, alternate });
    }
    let named = alternates(site).filter(|(_, alternate)| *alleles.effect == **alternate);
    candidates.extend(named.map(|(alternate, _)| Candidate { kind: NoOaAlt, site: site.index, alternate }));
}

/// Alternate alleles and their numbers.
fn alternates<'t>(site: &TargetSite<'t>) -> impl Iterator<Item = (u16, &'t str)> + use<'t> {
    (1..=u16::MAX).zip(site.alternates.split(','))
}

/// Whether the alleles of a candidate read the same on both strands.
pub(super) fn is_ambiguous(candidate: &Candidate, site: &TargetSite<'_>) -> bool {
    let turned = flipped(site.reference);
    match candidate.alternate {
        0 => alternates(site).any(|(_, alternate)| alternate == turned),
        number => site.allele(number) == Some(&turned),
    }
}

/// Whether rules leave a candidate out for what it is, duplicates aside.
pub(super) fn is_barred(rules: &Rules, by_id: bool, candidate: &Candidate, site: &TargetSite<'_>) -> bool {
    !by_id
        && (!rules.keep_ambiguous && is_ambiguous(candidate, site)
            || !rules.keep_multiallelic && site.is_multiallelic()
            || rules.ignore_strand_flips && candidate.kind.is_flipped())
}

/// What a candidate is about, whichever allele is the reference.
#[derive(Debug, PartialEq, Eq)]
struct Alleles<'t> {
    /// Sorted.
    all: Vec<&'t str>,
    effect: &'t str,
}

impl<'t> Alleles<'t> {
    fn of(target: &'t Target<'_>, candidate: &Candidate) -> Option<Self> {
        let site = target.get(candidate.site)?;
        let mut all = vec![site.reference];
        match candidate.alternate {
            0 => all.extend(site.alternates.split(',')),
            number => all.push(site.allele(number)?),
        }
        all.sort_unstable();
        Some(Self { all, effect: site.allele(candidate.effect_allele())? })
    }
}

impl<'a> Matched<'a> {
    /// What two rows may not share: the alleles that they are about; in tables, the allele that they count.
    fn shared(&self, best: &Match) -> (u32, u16) {
        let candidate = &best.candidate;
        let by_id = self.file.variants.has_ids();
        (candidate.site, if by_id { candidate.effect_allele() } else { candidate.alternate })
    }

    fn mark_duplicates(&mut self) {
        let mut first: FxHashMap<(u32, u16), usize> = FxHashMap::default();
        for at in 0..self.best.len() {
            let earlier = *first.entry(self.shared(&self.best[at])).or_insert(at);
            if earlier == at {
                continue;
            }
            self.best[at].is_duplicate = true;
            self.best[at].is_excluded = true;
            self.best[earlier].is_duplicate = true;
            self.best[earlier].is_excluded = !self.rules.keep_first_match;
        }
    }

    fn exclude(&mut self) {
        let by_id = self.file.variants.has_ids();
        for best in &mut self.best {
            let Some(site) = self.target.get(best.candidate.site) else { continue };
            best.is_excluded |= is_barred(&self.rules, by_id, &best.candidate, &site);
        }
        self.tally.excluded = self.best.iter().filter(|best| best.is_excluded).count() as u64;
        self.tally.matched = self.best.len() as u64 - self.tally.excluded;
    }

    /// Leaves out what another match of the same file does not score.
    fn intersect(&mut self, other: &Matched<'_>) {
        let mut others = other.best.iter().peekable();
        for best in &mut self.best {
            while others.next_if(|other| other.row < best.row).is_some() {}
            let same = others.peek().filter(|theirs| {
                theirs.row == best.row
                    && Alleles::of(self.target, &best.candidate)
                        == Alleles::of(other.target, &theirs.candidate)
            });
            let made_of_it = match same {
                None => Other::NotShared,
                Some(theirs) if theirs.is_excluded => Other::Excluded,
                Some(_) => Other::Shared,
            };
            best.other = Some(made_of_it);
            if made_of_it != Other::Shared && !best.is_excluded {
                best.is_excluded = true;
                self.tally.not_shared += 1;
                self.tally.matched -= 1;
            }
        }
    }

    /// Best matches, those that are excluded too, by row.
    pub fn best(&self) -> &[Match] {
        &self.best
    }

    /// What is scored, by row: where the genotypes are, and the allele whose copies count (0 is the reference).
    pub fn scored(&self) -> impl Iterator<Item = (u32, SiteNumber, u16)> + '_ {
        self.best.iter().filter(|best| !best.is_excluded).filter_map(|best| {
            let site = self.target.get(best.candidate.site)?;
            Some((best.row, site.number, best.candidate.effect_allele()))
        })
    }

    /// What became of the rows.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Where the sites are.
    pub fn target(&self) -> &'a Target<'a> {
        self.target
    }

    /// By which rules it was matched.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The share of rows that are scored, 0 to 1.
    pub fn overlap(&self) -> f64 {
        if self.tally.rows == 0 { 0.0 } else { self.tally.matched as f64 / self.tally.rows as f64 }
    }

    /// Whether enough is matched.
    ///
    /// # Errors
    /// It is less than asked for.
    pub fn check(&self) -> Result<(), OverlapError> {
        if self.overlap() >= self.rules.min_overlap {
            return Ok(());
        }
        Err(OverlapError {
            name: self.file.name.clone(),
            tally: self.tally,
            min_overlap: self.rules.min_overlap,
            build: self.file.build.map(|build| build.name()),
        })
    }
}
