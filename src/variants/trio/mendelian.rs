//! Mendelian errors: genotypes that contradict the parents', counted, listed, marked or deleted as bcftools' `+mendelian2`
//! (1.23) does it.

use std::fmt::Write;

use super::gate::{Gate, Passing};
use super::inheritance::{Calls, ErrorKind, MOST_ALLELES, Verdict, as_haploid, judge};
use super::pedigree::Trio;
use super::rules::{Rules, RulesError};
use crate::compute::tallies::Tallies;
use crate::formats::vcf::extent;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::kinds::Kinds;
use crate::records::pipeline::{RecordProblem, Revise};

/// What becomes of records (`-m`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// `c`: counts are printed.
    pub counts: bool,
    /// `a`: INFO/MERR is the number of trios with an error.
    pub annotates: bool,
    /// `d`: genotypes of trios with an error are deleted.
    pub deletes: bool,
    /// `e`: sites with an error are kept, and others only if another letter keeps them.
    pub lists_errors: bool,
    /// `E`: sites with an error are dropped, whatever keeps them.
    pub drops_errors: bool,
    /// `g`: sites with a consistent trio are kept.
    pub lists_good: bool,
    /// `m`: sites with a missing genotype are kept.
    pub lists_missing: bool,
    /// `M`: sites with a missing genotype are dropped.
    pub drops_missing: bool,
    /// `s`: sites that were not judged are listed; as in bcftools this keeps no site, but turns the others off.
    pub lists_skipped: bool,
    /// `S`: sites that were not judged are kept, though bcftools' help says that they are dropped, as they are without it.
    pub keeps_skipped: bool,
}

impl Modes {
    /// Reads letters; also `+` for `g`, `x` for `e`, `u` for `m`. The letter that is none is given back.
    ///
    /// # Errors
    /// A letter is none of them.
    pub fn parse(text: &str) -> Result<Self, char> {
        let mut modes = Self::default();
        for letter in text.chars() {
            let mode = match letter {
                'c' => &mut modes.counts,
                'a' => &mut modes.annotates,
                'd' => &mut modes.deletes,
                'e' | 'x' => &mut modes.lists_errors,
                'E' => &mut modes.drops_errors,
                'g' | '+' => &mut modes.lists_good,
                'm' | 'u' => &mut modes.lists_missing,
                'M' => &mut modes.drops_missing,
                's' => &mut modes.lists_skipped,
                'S' => &mut modes.keeps_skipped,
                other => return Err(other),
            };
            *mode = true;
        }
        Ok(modes)
    }

    /// The same as bcftools' help has them: sites that were not judged are kept unless others are listed, and `S` drops them.
    pub fn as_documented(self) -> Self {
        Self { keeps_skipped: !self.keeps_skipped && !self.lists(), ..self }
    }

    /// Whether there is a text of counts and nothing else.
    pub fn is_counts_alone(self) -> bool {
        self == Self { counts: true, ..Self::default() }
    }

    fn lists(self) -> bool {
        self.lists_errors || self.lists_good || self.lists_missing || self.lists_skipped
    }

    /// Whether a site is written.
    pub(super) fn keep(self, site: &Site) -> bool {
        if site.is_skipped() {
            return self.keeps_skipped;
        }
        if self.counts || self.drops_errors && site.errors > 0 || self.drops_missing && site.has_missing {
            return false;
        }
        !self.lists()
            || self.lists_errors && site.errors > 0
            || self.lists_missing && site.has_missing
            || self.lists_good && site.has_good
    }
}

/// Why a site was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    /// There is no alternate allele.
    ReferenceOnly,
    /// There are more than [`MOST_ALLELES`].
    ManyAlleles,
    /// The gate is shut for all trios.
    Failed,
}

/// Why a site that was not skipped has no verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is no GT.
    NoGenotypes,
    /// A genotype has more than two alleles.
    NotDiploid,
}

/// What is said of the trios at a site.
#[derive(Debug, Default)]
pub(super) struct Site {
    skipped: Option<Skipped>,
    unread: Option<Unread>,
    /// For each trio; `None` where the gate is shut. Empty where nothing is said.
    pub verdicts: Vec<Option<Verdict>>,
    /// Trios with an error.
    pub errors: u32,
    has_missing: bool,
    has_good: bool,
}

impl Site {
    fn is_skipped(&self) -> bool {
        self.skipped.is_some()
    }

    fn add(&mut self, verdict: Option<Verdict>) {
        match verdict {
            Some(Verdict::Consistent { .. }) => self.has_good = true,
            Some(Verdict::Missing) => self.has_missing = true,
            Some(Verdict::Error { is_partial, .. }) => {
                self.errors += 1;
                self.has_missing |= is_partial;
            }
            Some(Verdict::NoRule) | None => {}
        }
        self.verdicts.push(verdict);
    }
}

/// Judges trios by rules.
#[derive(Debug)]
pub struct Judge {
    trios: Vec<Trio>,
    rules: Rules,
    /// For each trio the place of the child's sex among the rules' words.
    sexes: Vec<usize>,
    samples: usize,
    /// A son's `1/1` on X is one allele.
    folds: bool,
}

impl Judge {
    /// Judges these trios, children by the rules of their sexes (`1X`, `2X`). Homozygous genotypes where a child has one
    /// allele are taken as that one.
    ///
    /// # Errors
    /// The rules know nothing of a child's sex.
    pub fn new(trios: Vec<Trio>, rules: Rules, header: &Header) -> Result<Self, RulesError> {
        let sexes = trios.iter().map(|trio| rules.sex(trio.has_one_x)).collect::<Result<_, _>>()?;
        Ok(Self { trios, rules, sexes, samples: header.samples().len(), folds: true })
    }

    /// The same as bcftools does it: genotypes of two alleles are judged as such wherever they are. With `is_named` (`-p`)
    /// a child of two X has the first sex that the rules name and one of one X the second; the built-in rules name `1X`
    /// first, so that with them `-p` takes the rules of sons for a child without `1X:`.
    ///
    /// # Errors
    /// The rules know nothing of a child's sex.
    pub fn as_bcftools(
        trios: Vec<Trio>,
        rules: Rules,
        is_named: bool,
        header: &Header,
    ) -> Result<Self, RulesError> {
        let sexes = trios.iter().map(|trio| match is_named {
            true => Ok(usize::from(trio.has_one_x)),
            false => rules.sex(trio.has_one_x),
        });
        let sexes = sexes.collect::<Result<_, _>>()?;
        Ok(Self { trios, rules, sexes, samples: header.samples().len(), folds: false })
    }

    /// The trios.
    pub fn trios(&self) -> &[Trio] {
        &self.trios
    }

    /// Judges a record. `passing` is what the gate lets pass.
    pub(super) fn judge(
        &self,
        record: &Record,
        passing: impl FnOnce() -> Result<Passing, RecordProblem>,
    ) -> Result<Site, RecordProblem> {
        let skipped = |why| Ok(Site { skipped: Some(why), ..Site::default() });
        if Kinds::of(record) == Kinds::REFERENCE {
            return skipped(Skipped::ReferenceOnly);
        }
        if record.allele_count() > MOST_ALLELES {
            return skipped(Skipped::ManyAlleles);
        }
        let passing = passing()?;
        if passing == Passing::None {
            return skipped(Skipped::Failed);
        }
        let unread = |why| Ok(Site { unread: Some(why), ..Site::default() });
        let Some(calls) = Calls::read(record, self.samples)? else {
            return unread(Unread::NoGenotypes);
        };
        if calls.ploidy() > 2 {
            return unread(Unread::NotDiploid);
        }
        let mut site = Site { verdicts: Vec::with_capacity(self.trios.len()), ..Site::default() };
        let range = (record.position(), extent::end(record));
        let mut parents = Vec::new();
        for (number, (trio, &sex)) in self.trios.iter().zip(&self.sexes).enumerate() {
            if !passing.has(number) {
                site.add(None);
                continue;
            }
            while parents.len() <= sex {
                parents.push(self.rules.parents(record.chrom(), range, parents.len()));
            }
            let [child, father, mother] = trio.members().map(|sample| calls.calls()[sample]);
            let child = if self.folds { as_haploid(parents[sex], child) } else { child };
            site.add(Some(judge(parents[sex], child, father, mother)));
        }
        Ok(site)
    }
}

/// Sets INFO/MERR.
pub(super) fn annotate(record: &mut Record, site: &Site) {
    record.set_info(b"MERR", Some(site.errors.to_string().as_bytes()));
}

/// Declares INFO/MERR.
pub fn declare(header: &Header) -> Header {
    let mut header = header.clone();
    header.add_missing(
        "##INFO=<ID=MERR,Number=1,Type=Integer,Description=\"Number of trios with Mendelian errors\">",
    );
    header
}

/// Deletes the genotypes of trios with an error.
pub(super) fn delete(record: &mut Record, trios: &[Trio], site: &Site) {
    let Some(field) = record.format_index(b"GT").filter(|_| site.errors > 0) else { return };
    let is_wrong = |(_, verdict): &(&Trio, &Option<Verdict>)| matches!(verdict, Some(Verdict::Error { .. }));
    let mut members: Vec<usize> =
        trios.iter().zip(&site.verdicts).filter(is_wrong).flat_map(|(trio, _)| trio.members()).collect();
    members.sort_unstable();
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for (sample, cell) in record.cells(field).enumerate() {
        match (members.binary_search(&sample), cell.iter().any(|b| matches!(b, b'/' | b'|'))) {
            (Err(_), _) => text.extend_from_slice(cell),
            (Ok(_), true) => text.extend_from_slice(b"./."),
            (Ok(_), false) => text.push(b'.'),
        }
        ends.push(text.len());
    }
    record.set_format(b"GT", &text, &ends);
}

/// Counts of sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteCounts {
    /// Without an alternate allele.
    pub reference_only: u64,
    /// With more than 64 alleles.
    pub many_alleles: u64,
    /// Of which no trio passes the filter.
    pub failed: u64,
    /// Without GT.
    pub no_genotypes: u64,
    /// With a genotype of more than two alleles.
    pub not_diploid: u64,
    /// With a missing genotype in a trio.
    pub missing: u64,
    /// With an error in a trio.
    pub errors: u64,
    /// With a consistent trio.
    pub good: u64,
}

/// Counts of a trio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrioCounts {
    /// Consistent.
    pub good: u64,
    /// Of these, with another allele than REF.
    pub good_alternate: u64,
    /// Errors: novel alleles, none of the father, none of the mother.
    pub errors: [u64; 3],
    /// A genotype is missing.
    pub missing: u64,
    /// Filtered, at sites where another trio is not.
    pub failed: u64,
    /// The child has no alleles there.
    pub no_rule: u64,
}

/// Counts of sites and trios; those of parts of a file add up to those of the whole.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Of sites.
    pub sites: SiteCounts,
    /// Of trios, in their order.
    pub trios: Vec<TrioCounts>,
}

impl Counts {
    /// Nothing, for so many trios.
    pub fn new(trios: usize) -> Self {
        Self { sites: SiteCounts::default(), trios: vec![TrioCounts::default(); trios] }
    }

    /// Counts a site.
    pub(super) fn observe(&mut self, site: &Site) {
        let sites = &mut self.sites;
        match (site.skipped, site.unread) {
            (Some(Skipped::ReferenceOnly), _) => sites.reference_only += 1,
            (Some(Skipped::ManyAlleles), _) => sites.many_alleles += 1,
            (Some(Skipped::Failed), _) => sites.failed += 1,
            (_, Some(Unread::NoGenotypes)) => sites.no_genotypes += 1,
            (_, Some(Unread::NotDiploid)) => sites.not_diploid += 1,
            _ => {}
        }
        sites.missing += u64::from(site.has_missing);
        sites.errors += u64::from(site.errors > 0);
        sites.good += u64::from(site.has_good);
        for (counts, verdict) in self.trios.iter_mut().zip(&site.verdicts) {
            match verdict {
                None => counts.failed += 1,
                Some(Verdict::NoRule) => counts.no_rule += 1,
                Some(Verdict::Missing) => counts.missing += 1,
                Some(Verdict::Consistent { has_alternate }) => {
                    counts.good += 1;
                    counts.good_alternate += u64::from(*has_alternate);
                }
                Some(Verdict::Error { kind, is_partial }) => {
                    counts.missing += u64::from(*is_partial);
                    counts.errors[match kind {
                        ErrorKind::Novel => 0,
                        ErrorKind::NotFather => 1,
                        ErrorKind::NotMother => 2,
                    }] += 1;
                }
            }
        }
    }

    /// Adds counts of other records.
    pub fn merge(&mut self, other: &Self) {
        let SiteCounts {
            reference_only,
            many_alleles,
            failed,
            no_genotypes,
            not_diploid,
            missing,
            errors,
            good,
        } = &other.sites;
        let sites = &mut self.sites;
        sites.reference_only += reference_only;
        sites.many_alleles += many_alleles;
        sites.failed += failed;
        sites.no_genotypes += no_genotypes;
        sites.not_diploid += not_diploid;
        sites.missing += missing;
        sites.errors += errors;
        sites.good += good;
        for (counts, more) in self.trios.iter_mut().zip(&other.trios) {
            let TrioCounts { good, good_alternate, errors, missing, failed, no_rule } = more;
            counts.good += good;
            counts.good_alternate += good_alternate;
            counts.errors.iter_mut().zip(errors).for_each(|(count, more)| *count += more);
            counts.missing += missing;
            counts.failed += failed;
            counts.no_rule += no_rule;
        }
    }

    /// bcftools' table, the trios' names from the header.
    pub fn table(&self, trios: &[Trio], header: &Header) -> String {
        let sites = &self.sites;
        let mut text = "# Summary stats\n".to_owned();
        for (name, count, what) in [
            ("sites_ref_only", sites.reference_only, "sites skipped because there was no ALT allele"),
            ("sites_many_als", sites.many_alleles, "skipped because of too many ALT alleles"),
            ("sites_fail", sites.failed, "skipped because of failed -i/-e filter"),
            ("sites_no_GT", sites.no_genotypes, "skipped because of absent FORMAT/GT field"),
            ("sites_not_diploid", sites.not_diploid, "skipped because FORMAT/GT not formatted diploid"),
            ("sites_missing", sites.missing, "number of sites with at least one trio GT missing"),
            ("sites_merr", sites.errors, "number of sites with at least one Mendelian error"),
            ("sites_good", sites.good, "number of sites with at least one good trio"),
        ] {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}\t{count}\t# {what}");
        }
        text += "# Per-trio stats, each column corresponds to one trio. List of trios is below.\n\
            # The meaning of per-trio stats is the same as described above, ngood_alt is\n\
            # the number of good genotypes with at least one non-reference allele, and is\n\
            # included in the ngood counter\n";
        type Row = (&'static str, fn(&TrioCounts) -> u64);
        let rows: [Row; 5] = [
            ("ngood", |trio| trio.good),
            ("ngood_alt", |trio| trio.good_alternate),
            ("nmerr", |trio| trio.errors.iter().sum()),
            ("nmissing", |trio| trio.missing),
            ("nfail", |trio| trio.failed),
        ];
        for (name, count) in rows {
            text += name;
            for trio in &self.trios {
                let _ = write!(text, "\t{}", count(trio));
            }
            text.push('\n');
        }
        text += "# List of trios. Their ids are in the same order as the values listed in the stats lines above. For\n\
            # example, the values for the first trio (id=1) and the third trio (id=3) are in the 2nd and the 4th\n\
            # column and their stats can be obtained with the unix command\n\
            #     cat stats.txt | grep ^n | cut -f1,2,4\n\
            # TRIO\t[2]id\t[3]child\t[4]father\t[5]mother\n";
        for (number, trio) in trios.iter().enumerate() {
            let [child, father, mother] = trio.members().map(|sample| &header.samples()[sample]);
            let _ = writeln!(text, "TRIO\t{}\t{child}\t{father}\t{mother}", number + 1);
        }
        text
    }
}

/// The step of `mendelian2`.
#[derive(Debug)]
pub struct Mendelian {
    judge: Judge,
    gate: Gate,
    modes: Modes,
    tallies: Tallies<Counts>,
}

impl Mendelian {
    /// Judges the trios that the gate lets pass.
    pub fn new(judge: Judge, gate: Gate, modes: Modes) -> Self {
        Self { judge, gate, modes, tallies: Tallies::default() }
    }

    /// Judges and counts a record.
    ///
    /// # Errors
    /// It does not fit the header or the filter.
    fn observe(&self, record: &Record) -> Result<Site, RecordProblem> {
        let trios = self.judge.trios();
        let site = self.judge.judge(record, || self.gate.passing(record, trios))?;
        self.tallies.add(|| Counts::new(trios.len()), |counts| counts.observe(&site));
        Ok(site)
    }

    /// bcftools' table of what was counted.
    pub fn table(&self, header: &Header) -> String {
        let trios = self.judge.trios();
        self.tallies.total(Counts::new(trios.len()), Counts::merge).table(trios, header)
    }
}

impl Revise for Mendelian {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let site = self.observe(record)?;
        if !self.modes.keep(&site) {
            return Ok(false);
        }
        if !site.is_skipped() {
            if self.modes.deletes {
                delete(record, self.judge.trios(), &site);
            }
            if self.modes.annotates {
                annotate(record, &site);
            }
        }
        Ok(true)
    }
}
