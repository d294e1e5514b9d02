//! The annotated VCF: a row for each call, or for a call of each side with one POS and REF, with what was decided (GA4GH
//! benchmarking, reference implementation, intermediate.md and outputs.md). What is counted is counted from these rows.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Plan;
use super::call::Call;
use super::classes::Class;
use super::counts::{Counts, Decision, Observation};
use super::matching::Verdict;
use super::strata::{ALL, BOUNDARY, CONTAINED, ContigStrata, Extent};
use crate::formats::bases::Bases;
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Column, Record};
use crate::genome::intervals::Interval;
use crate::records::genotype;

/// Header lines of the fields that rows have.
pub const HEADER: [&str; 9] = [
    "##INFO=<ID=BS,Number=1,Type=Integer,Description=\"Superlocus: where both sides stand on the reference before this call\">",
    "##INFO=<ID=Regions,Number=.,Type=String,Description=\"Confident regions (CONF) and strata\">",
    "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">",
    "##FORMAT=<ID=BD,Number=1,Type=String,Description=\"Decision for call (TP/FP/FN/UNK)\">",
    "##FORMAT=<ID=BK,Number=1,Type=String,Description=\"Sub-type for decision: gm (genotype), am (allele), lm (another call nearby)\">",
    "##FORMAT=<ID=BI,Number=1,Type=String,Description=\"Subtypes of the call\">",
    "##FORMAT=<ID=BVT,Number=1,Type=String,Description=\"High-level variant type (SNP|INDEL)\">",
    "##FORMAT=<ID=BLT,Number=1,Type=String,Description=\"High-level location type (het|hetalt|homalt|hemi|halfcall|nocall)\">",
    "##FORMAT=<ID=QQ,Number=1,Type=Float,Description=\"Variant quality for ROC creation\">",
];

/// A side that has no call.
const NO_CALL: &[u8] = b"./.:.:.:.:NOCALL:nocall:.";

/// Calls of a stretch with what was decided of them.
pub struct Judged<'j> {
    /// The records of both sides.
    pub records: &'j [Vec<Record>; 2],
    /// Their calls, sorted.
    pub calls: &'j [Vec<Call>; 2],
    /// What was decided of each.
    pub verdicts: &'j [Vec<Verdict>; 2],
}

/// A row.
struct Row {
    /// Calls of both sides by number; there is one at least.
    calls: [Option<usize>; 2],
    locus: i64,
    is_confident: bool,
    strata: Vec<usize>,
}

/// What rows of a superlocus share.
#[derive(Default)]
struct Locus<'r> {
    has_confident: bool,
    has_other: bool,
    /// The least score of its true positives.
    least: Option<(f64, &'r [u8])>,
    /// Filters that its true positives have failed.
    filters: Vec<&'r [u8]>,
}

impl Judged<'_> {
    fn record(&self, side: usize, call: usize) -> &Record {
        &self.records[side][self.calls[side][call].record]
    }

    /// Where a call changes the reference; as hap.py has it, an indel lies as far to the left as its record lets it.
    fn extent(&self, side: usize, call: usize) -> Option<Extent> {
        let call = &self.calls[side][call];
        let edits = call.edits.iter().zip(&call.slack);
        let extents = edits.map(|(edit, (left, _))| Extent::of(edit.start - left, edit.end - left));
        extents.reduce(Extent::joined)
    }

    /// Counts the calls of a cluster (ranges of both sides' calls), and gives its rows as text with their positions.
    pub fn finish(
        &self,
        cluster: [Range<usize>; 2],
        plan: &Plan,
        strata: &ContigStrata<'_>,
        bases: &mut Bases<'_>,
        counts: &mut Counts,
        lines: &mut Vec<(i64, Vec<u8>)>,
    ) {
        let widened: Vec<Interval> = cluster[0]
            .clone()
            .filter_map(|call| {
                let record = self.record(0, call);
                let start = record.position();
                let end = start.saturating_add(record.reference().len() as i64);
                strata.extended_by(start, end, self.extent(0, call)?)
            })
            .collect();
        let mut loci: BTreeMap<i64, Locus<'_>> = BTreeMap::new();
        let mut rows = Vec::new();
        for calls in self.pairs(&cluster) {
            let row = self.row(calls, strata, &widened, &mut loci);
            rows.push(row);
        }
        for call in cluster[1].clone() {
            let verdict = self.verdicts[1][call];
            if verdict.matched <= plan.rules.best() {
                let locus = loci.entry(verdict.locus).or_default();
                let record = self.record(1, call);
                if let Some(score) = plan.score.of(record, plan.samples[1])
                    && locus.least.is_none_or(|least| score.0 < least.0)
                {
                    locus.least = Some(score);
                }
                for filter in failed(record) {
                    if !locus.filters.contains(&filter) {
                        locus.filters.push(filter);
                    }
                }
            }
        }
        for row in &rows {
            self.write(row, plan, &loci, bases, counts, lines);
        }
    }

    /// Calls of both sides that share a row: one POS and REF, those that are alike first.
    fn pairs(&self, cluster: &[Range<usize>; 2]) -> Vec<[Option<usize>; 2]> {
        let key = |side: usize, call: usize| {
            let record = self.record(side, call);
            (record.position(), record.reference())
        };
        let mut order: Vec<(usize, usize)> =
            (0..2).flat_map(|side| cluster[side].clone().map(move |call| (side, call))).collect();
        order.sort_by(|a, b| key(a.0, a.1).cmp(&key(b.0, b.1)).then(a.cmp(b)));
        let mut pairs = Vec::with_capacity(order.len());
        for group in order.chunk_by(|a, b| key(a.0, a.1) == key(b.0, b.1)) {
            let of =
                |wanted: usize| group.iter().filter(move |(side, _)| *side == wanted).map(|(_, call)| *call);
            let (truth, mut query): (Vec<usize>, Vec<usize>) = (of(0).collect(), of(1).collect());
            let mut partners = vec![None; truth.len()];
            for is_alike in [true, false] {
                for (call, partner) in
                    truth.iter().zip(&mut partners).filter(|(_, partner)| partner.is_none())
                {
                    let fits = |other: &usize| {
                        !is_alike || self.calls[0][*call].unordered() == self.calls[1][*other].unordered()
                    };
                    *partner = query.iter().position(fits).map(|place| query.remove(place));
                }
            }
            pairs.extend(truth.into_iter().zip(partners).map(|(call, partner)| [Some(call), partner]));
            pairs.extend(query.into_iter().map(|call| [None, Some(call)]));
        }
        pairs
    }

    fn row<'r>(
        &'r self,
        calls: [Option<usize>; 2],
        strata: &ContigStrata<'_>,
        widened: &[Interval],
        loci: &mut BTreeMap<i64, Locus<'r>>,
    ) -> Row {
        let both = || calls.iter().enumerate().filter_map(|(side, call)| call.map(|call| (side, call)));
        let extents = both().filter_map(|(side, call)| self.extent(side, call));
        let extent = extents.reduce(Extent::joined).unwrap_or(Extent::of(0, 0));
        let locus = both().next().map_or(0, |(side, call)| self.verdicts[side][call].locus);
        let is_confident = strata.is_confident(extent, widened);
        let (strata, crosses) = strata.strata(extent);
        let shared = loci.entry(locus).or_default();
        shared.has_confident |= is_confident || crosses;
        shared.has_other |= !is_confident || crosses;
        Row { calls, locus, is_confident, strata }
    }

    fn write(
        &self,
        row: &Row,
        plan: &Plan,
        loci: &BTreeMap<i64, Locus<'_>>,
        bases: &mut Bases<'_>,
        counts: &mut Counts,
        lines: &mut Vec<(i64, Vec<u8>)>,
    ) {
        let best = plan.rules.best();
        let of_locus =
            |side: usize| row.calls[side].and_then(|call| loci.get(&self.verdicts[side][call].locus));
        let records = [0, 1].map(|side| row.calls[side].map(|call| self.record(side, call)));
        let mut subsets = vec![ALL];
        let shared = loci.get(&row.locus);
        match shared.map(|locus| (locus.has_confident, locus.has_other)) {
            Some((true, true)) if plan.strata.has_confident() => subsets.push(BOUNDARY),
            Some((true, false)) if plan.strata.has_confident() => subsets.push(CONTAINED),
            _ => {}
        }
        subsets.extend(&row.strata);
        let query_positive = row.calls[1].is_some_and(|call| self.verdicts[1][call].matched <= best);
        let own_score = records[1].and_then(|record| plan.score.of(record, plan.samples[1]));
        let own_pass = records[1].is_none_or(|record| failed(record).next().is_none());
        let mut cells: [Vec<u8>; 2] = [NO_CALL.to_vec(), NO_CALL.to_vec()];
        let alternates = self.alternates(&records, plan);
        let mut filters = records[1].map_or(b".".to_vec(), |record| record.column(Column::Filter).to_vec());
        for side in 0..2 {
            let (Some(call), Some(record)) = (row.calls[side], records[side]) else { continue };
            let verdict = self.verdicts[side][call];
            let is_positive = verdict.matched <= best;
            // What the truth has is found as surely, and passes, as that of the query with which it is matched.
            let (score, passes) = match (side, is_positive, query_positive) {
                (1, ..) | (_, true, true) => (own_score, own_pass),
                (_, true, false) => {
                    let locus = of_locus(0);
                    let failed = locus.map(|locus| locus.filters.join(&b';')).unwrap_or_default();
                    let passes = failed.is_empty();
                    if !passes && records[1].is_none() {
                        filters = failed;
                    }
                    (locus.and_then(|locus| locus.least), passes)
                }
                _ => (None, true),
            };
            let decision = match (side, is_positive, row.is_confident) {
                (0, _, false) => None,
                (0, true, _) => Some(Decision::TruthPositive),
                (0, false, _) => Some(Decision::FalseNegative),
                (_, _, false) => Some(Decision::Unknown),
                (_, true, _) => Some(Decision::QueryPositive),
                (_, false, _) => Some(Decision::FalsePositive),
            };
            let class = self.class(side, call, bases);
            if let Some(decision) = decision {
                let step = (score.map_or(0.0, |(score, _)| score) / plan.step).floor() as i64;
                counts.observe(
                    &subsets,
                    &Observation { decision, class, matched: verdict.matched, passes, step },
                );
            }
            if plan.with_rows {
                let cell = &mut cells[side];
                cell.clear();
                write_genotype(record, plan.samples[side], &alternates, cell);
                cell.push(b':');
                cell.extend_from_slice(match decision {
                    None | Some(Decision::Unknown) => b"UNK",
                    Some(Decision::TruthPositive | Decision::QueryPositive) => b"TP",
                    Some(Decision::FalseNegative) => b"FN",
                    Some(Decision::FalsePositive) => b"FP",
                });
                cell.push(b':');
                cell.extend_from_slice(verdict.matched.name().as_bytes());
                cell.push(b':');
                class.write_subtypes(cell);
                for text in [class.kind.name(), class.zygosity.name()] {
                    cell.push(b':');
                    cell.extend_from_slice(text.as_bytes());
                }
                cell.push(b':');
                cell.extend_from_slice(score.map_or(b".", |(_, text)| text));
            }
        }
        if plan.with_rows
            && let Some(first) = records[1].or(records[0])
        {
            let mut line = Vec::with_capacity(160);
            self.write_columns(first, &records, &alternates, &filters, &mut line);
            line.extend_from_slice(b"\tBS=");
            write_integer(row.locus + 1, &mut line);
            let names = subsets.iter().skip(1).map(|subset| plan.strata.name(*subset));
            let confident = (row.is_confident && plan.strata.has_confident()).then_some("CONF");
            let mut names: Vec<&str> = names.chain(confident).collect();
            names.sort_unstable();
            if !names.is_empty() {
                line.extend_from_slice(b";Regions=");
                line.extend_from_slice(names.join(",").as_bytes());
            }
            line.extend_from_slice(b"\tGT:BD:BK:BI:BVT:BLT:QQ");
            for cell in &cells {
                line.push(b'\t');
                line.extend_from_slice(cell);
            }
            line.push(b'\n');
            lines.push((first.position(), line));
        }
    }

    fn class(&self, side: usize, call: usize, bases: &mut Bases<'_>) -> Class {
        let call = &self.calls[side][call];
        call.edits
            .iter()
            .fold(Class::of(call), |class, edit| class.with(edit, bases.slice(edit.start, edit.end)))
    }

    /// The alternate alleles of the genotypes of a row's records.
    fn alternates<'r>(&self, records: &[Option<&'r Record>; 2], plan: &Plan) -> Vec<&'r [u8]> {
        let mut all: Vec<&[u8]> = Vec::new();
        if !plan.with_rows {
            return all;
        }
        for (record, sample) in records.iter().zip(plan.samples).filter_map(|(r, s)| Some(((*r)?, s))) {
            let Some(cell) = genotype_of(record, sample) else { continue };
            let mut numbers: Vec<usize> =
                genotype::alleles(cell).flatten().filter(|number| *number > 0).collect();
            numbers.sort_unstable();
            for allele in numbers.iter().filter_map(|number| record.alternates().nth(number - 1)) {
                if !all.contains(&allele) {
                    all.push(allele);
                }
            }
        }
        all
    }

    /// CHROM to FILTER.
    fn write_columns(
        &self,
        first: &Record,
        records: &[Option<&Record>; 2],
        alternates: &[&[u8]],
        filters: &[u8],
        line: &mut Vec<u8>,
    ) {
        let id =
            records.iter().rev().flatten().map(|record| record.column(Column::Id)).find(|id| *id != b".");
        let quality = records[1].map_or(&b"."[..], |record| record.column(Column::Qual));
        line.extend_from_slice(first.chrom());
        line.push(b'\t');
        write_integer(first.position() + 1, line);
        let alternates = alternates.join(&b',');
        for column in [id.unwrap_or(b"."), first.reference(), &alternates, quality, filters] {
            line.push(b'\t');
            line.extend_from_slice(column);
        }
    }
}

/// The sample's GT cell; `None` where the record has no GT or not so many samples.
pub fn genotype_of(record: &Record, sample: usize) -> Option<&[u8]> {
    record.cells(record.format_index(b"GT")?).nth(sample)
}

/// The filters that a record has failed.
pub fn failed(record: &Record) -> impl Iterator<Item = &[u8]> {
    record.filters().filter(|filter| *filter != b"PASS")
}

/// Writes a genotype with the numbers that its alleles have in a row.
fn write_genotype(record: &Record, sample: usize, alternates: &[&[u8]], out: &mut Vec<u8>) {
    genotype::renumber(genotype_of(record, sample).unwrap_or(b"."), out, |number| {
        if number == 0 {
            return Some(0);
        }
        let allele = record.alternates().nth(number - 1)?;
        alternates.iter().position(|other| *other == allele).map(|place| place + 1)
    });
}
