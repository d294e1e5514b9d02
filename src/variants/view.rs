//! Choosing sites, samples and alleles: what `bcftools view` does to a record, in its order.

use super::allele_counts;
use super::allele_subset::keep_alleles;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::{Column, Record};
use crate::records::condition::{Choice, Condition};
use crate::records::genotype::{self, Zygosity};
use crate::records::kinds::Kinds;
use crate::records::pipeline::{RecordProblem, Revise};

/// The alleles that a count or frequency is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlleleClass {
    /// All but the reference.
    NonReference,
    /// The first alternate.
    FirstAlternate,
    /// The rarest.
    Minor,
    /// The most frequent.
    Major,
    /// All but the most frequent.
    NonMajor,
}

/// A bound for a count or a frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The bound, inclusive.
    pub value: f64,
    /// Of these alleles.
    pub of: AlleleClass,
}

impl Bound {
    /// `NUMBER[:nref|alt1|minor|major|nonmajor]`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, of) = text.split_once(':').unwrap_or((text, "nref"));
        let of = match of {
            "nref" => AlleleClass::NonReference,
            "alt1" => AlleleClass::FirstAlternate,
            "minor" => AlleleClass::Minor,
            "major" => AlleleClass::Major,
            "nonmajor" => AlleleClass::NonMajor,
            _ => return None,
        };
        Some(Self { value: number.parse().ok()?, of })
    }
}

/// What is chosen; the default is everything.
#[derive(Debug, Default)]
pub struct ViewOptions {
    /// `-f`: at least one of these in FILTER; `.` is none at all.
    pub filters: Vec<String>,
    /// `-m`, `-M`: alleles, the reference's included.
    pub alleles: (Option<usize>, Option<usize>),
    /// `-k`, `-n`: sites with an ID.
    pub known: Option<Choice>,
    /// `-v`, `-V`.
    pub kinds: Option<(Choice, Vec<Kinds>)>,
    /// `-i`, `-e`; it sees all samples.
    pub condition: Option<Condition>,
    /// `-s`: samples by their places.
    pub samples: Option<Vec<usize>>,
    /// `-I`: AC and AN stay as they are.
    pub no_update: bool,
    /// `-x`, `-X`: sites whose alternate alleles only the chosen samples have.
    pub private: Option<Choice>,
    /// `-g`: sites with such a genotype, or without any.
    pub genotype: Option<(Choice, GenotypeClass)>,
    /// `-c`, `-C`.
    pub count: (Option<Bound>, Option<Bound>),
    /// `-q`, `-Q`.
    pub frequency: (Option<Bound>, Option<Bound>),
    /// `-u`, `-U`: sites without a called genotype.
    pub uncalled: Option<Choice>,
    /// `-a`: alleles that no genotype has are removed.
    pub trim_alternates: bool,
    /// `-A`: `<*>` and `<NON_REF>` are removed at variant sites (1) or everywhere (2).
    pub trim_unseen: u8,
    /// `-p`, `-P`: sites where all genotypes are phased.
    pub phased: Option<Choice>,
    /// `-G`.
    pub drop_genotypes: bool,
}

/// Genotypes that `-g` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenotypeClass {
    /// Homozygous or haploid.
    Homozygous,
    /// Heterozygous.
    Heterozygous,
    /// Missing.
    Missing,
}

impl ViewOptions {
    /// Whether alleles must be counted.
    fn counts_alleles(&self) -> bool {
        self.trim_alternates
            || self.private.is_some()
            || self.uncalled.is_some()
            || [self.count, self.frequency].iter().any(|(least, most)| least.is_some() || most.is_some())
            || (self.samples.is_some() && !self.no_update)
    }

    /// The header of what comes out.
    pub fn header(&self, header: &Header) -> Header {
        let mut header = header.clone();
        if self.counts_alleles() && !self.no_update {
            header.add_missing(
                "##INFO=<ID=AC,Number=A,Type=Integer,Description=\"Allele count in genotypes\">",
            );
            header.add_missing(
                "##INFO=<ID=AN,Number=1,Type=Integer,Description=\"Total number of alleles in called genotypes\">",
            );
        }
        if let Some(samples) = &self.samples {
            let names = samples.iter().filter_map(|&place| header.samples().get(place).cloned()).collect();
            header.set_samples(names);
        }
        if self.drops_genotypes() {
            header.set_samples(Vec::new());
            header.retain(|line| line.key() != "FORMAT");
        }
        header
    }

    fn drops_genotypes(&self) -> bool {
        self.drop_genotypes || self.samples.as_ref().is_some_and(Vec::is_empty)
    }
}

/// The choice as a step of a chain: what it asks of a site as it came, and what it asks after the samples are chosen.
pub struct View {
    options: ViewOptions,
    header: Header,
}

impl View {
    /// A step for records under this header.
    pub fn new(options: ViewOptions, header: &Header) -> Self {
        Self { header: options.header(header), options }
    }

    /// What needs neither counts nor genotypes.
    fn takes_site(&self, record: &Record) -> bool {
        let options = &self.options;
        if !options.filters.is_empty() {
            let has = |wanted: &String| match wanted.as_str() {
                "." => record.column(Column::Filter) == b".",
                wanted => record.filters().any(|filter| filter == wanted.as_bytes()),
            };
            if !options.filters.iter().any(has) {
                return false;
            }
        }
        if let (Some(_), _) | (_, Some(_)) = options.alleles {
            let count = record.allele_count();
            let (least, most) = options.alleles;
            if least.is_some_and(|least| count < least) || most.is_some_and(|most| most > 0 && count > most) {
                return false;
            }
        }
        if options.known.is_some_and(|choice| !choice.takes(record.column(Column::Id) != b".")) {
            return false;
        }
        options.kinds.as_ref().is_none_or(|(choice, kinds)| {
            let of_record = Kinds::of(record);
            // A site that is of no kind is one of the reference.
            choice.takes(kinds.iter().any(|&kind| of_record.meets(kind) || of_record == kind))
        })
    }

    /// What is asked of allele counts.
    fn takes_counts(&self, counts: &[u64]) -> bool {
        let options = &self.options;
        let total: u64 = counts.iter().sum();
        let of = |class| match class {
            AlleleClass::NonReference => counts.iter().skip(1).sum(),
            AlleleClass::FirstAlternate => counts.get(1).copied().unwrap_or(0),
            AlleleClass::Minor => counts.iter().copied().min().unwrap_or(0),
            AlleleClass::Major => counts.iter().copied().max().unwrap_or(0),
            AlleleClass::NonMajor => total - counts.iter().copied().max().unwrap_or(0),
        } as f64;
        let (least, most) = options.count;
        if least.is_some_and(|bound| of(bound.of) < bound.value)
            || most.is_some_and(|bound| of(bound.of) > bound.value)
        {
            return false;
        }
        let (least, most) = options.frequency;
        if least.is_some() || most.is_some() {
            // The bounds are held as 32-bit floats by bcftools.
            let frequency = |class| of(class) / total as f64;
            let value = |bound: Bound| f64::from(bound.value as f32);
            if total == 0
                || least.is_some_and(|bound| frequency(bound.of) < value(bound))
                || most.is_some_and(|bound| frequency(bound.of) > value(bound))
            {
                return false;
            }
        }
        options.uncalled.is_none_or(|choice| choice.takes(total == 0))
    }

    fn takes_genotypes(&self, record: &Record) -> bool {
        let Some((choice, class)) = self.options.genotype else { return true };
        let Some(field) = record.format_index(b"GT") else { return true };
        let is_it = |cell| match Zygosity::of(cell) {
            Zygosity::Missing => class == GenotypeClass::Missing,
            Zygosity::Heterozygous => class == GenotypeClass::Heterozygous,
            Zygosity::Haploid | Zygosity::Homozygous => class == GenotypeClass::Homozygous,
        };
        let has_it = record.cells(field).any(is_it);
        choice.takes(has_it)
    }

    fn trim(&self, record: &mut Record) -> Result<(), RecordProblem> {
        if self.options.trim_alternates {
            let mut counts = Vec::new();
            if allele_counts::of_genotypes(record, &mut counts)? {
                let keep: Vec<bool> = counts.iter().map(|&count| count > 0).collect();
                keep_alleles(record, &self.header, &keep)?;
            }
        }
        let trims = match self.options.trim_unseen {
            0 => false,
            1 => record.allele_count() > 2,
            _ => true,
        };
        if trims {
            let is_unseen = |allele: &[u8]| matches!(allele, b"<*>" | b"<NON_REF>" | b"<X>");
            let unseen = record.alternates().position(is_unseen);
            if let Some(unseen) = unseen {
                let keep: Vec<bool> = (0..record.allele_count()).map(|allele| allele != unseen + 1).collect();
                keep_alleles(record, &self.header, &keep)?;
            }
        }
        Ok(())
    }
}

impl Revise for View {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        if !self.takes_site(record) {
            return Ok(false);
        }
        let options = &self.options;
        if let Some(condition) = &options.condition
            && !condition.passes(record)?
        {
            return Ok(false);
        }
        let counts_alleles = options.counts_alleles();
        let mut counts = Vec::new();
        if counts_alleles {
            allele_counts::of_info_or_genotypes(record, &mut counts)?;
        }
        let mut updates = counts_alleles && !options.no_update;
        if let Some(samples) = options.samples.as_ref().filter(|samples| !samples.is_empty()) {
            record.select_samples(samples);
            let before: u64 = counts.iter().skip(1).sum();
            if counts_alleles && record.format_index(b"GT").is_some() {
                allele_counts::of_genotypes(record, &mut counts)?;
                let now: u64 = counts.iter().skip(1).sum();
                if options.private.is_some_and(|choice| !choice.takes(now > 0 && now == before)) {
                    return Ok(false);
                }
            } else {
                updates = false;
            }
        }
        if !self.takes_genotypes(record) || (counts_alleles && !self.takes_counts(&counts)) {
            return Ok(false);
        }
        if updates {
            allele_counts::update(record, &counts);
        }
        self.trim(record)?;
        if options.phased.is_some_and(|choice| !choice.takes(is_phased(record))) {
            return Ok(false);
        }
        if options.drops_genotypes() {
            record.select_samples(&[]);
        }
        Ok(true)
    }
}

/// Whether all genotypes are phased: haploid ones are, and those with a `|` before an allele that is there.
fn is_phased(record: &Record) -> bool {
    let Some(field) = record.format_index(b"GT") else { return true };
    record.cells(field).all(|cell| {
        let mut alleles = genotype::phased_alleles(cell);
        // The first allele counts as phased if it is so in BCF: where no other is unphased.
        let others_are = genotype::phased_alleles(cell).skip(1).all(|(phased, _)| phased);
        let is_haploid = genotype::alleles(cell).count() == 1;
        is_haploid
            || alleles.next().is_some_and(|(_, allele)| allele.is_some() && others_are)
            || alleles.any(|(phased, allele)| phased && allele.is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_parsed() {
        assert_eq!(Bound::parse("5"), Some(Bound { value: 5.0, of: AlleleClass::NonReference }));
        assert_eq!(Bound::parse("0.05:minor"), Some(Bound { value: 0.05, of: AlleleClass::Minor }));
        assert_eq!(Bound::parse("x:minor"), None);
        assert_eq!(Bound::parse("1:nobody"), None);
    }
}
