//! INFO and FORMAT tags made anew from the genotypes: bcftools' `+fill-tags`, and with sexes known, right on X and Y too.

mod counts;
pub mod custom;
mod tags;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustc_hash::FxHashMap;

use super::sex::PloidyMap;
use crate::formats::vcf::extent;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::number::{write_float, write_integer};
use crate::formats::vcf::record::{Record, parse_integer};
use crate::genome::hardy_weinberg;
use crate::records::kinds::Kinds;
use crate::records::pipeline::{RecordProblem, Revise};
use counts::{AlleleCounts, Counting, GroupCounts};
use custom::Custom;
pub use tags::{Tag, TagError, parse_tags, words};

/// Samples whose tags are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, which follows the tag's behind a `_`.
    pub name: String,
    /// Its samples by their places.
    pub samples: Vec<usize>,
}

/// What is filled.
#[derive(Debug)]
pub struct FillOptions {
    /// The tags.
    pub tags: Vec<Tag>,
    /// The user's own; for the groups below.
    pub custom: Vec<Custom>,
    /// Groups beside all samples.
    pub groups: Vec<Group>,
    /// `-d`: half a genotype (`./1`) does not count as hemizygous.
    pub drop_missing: bool,
    /// What is haploid for whom; without it the genotypes alone say.
    pub ploidy: Option<PloidyMap>,
}

/// Buffers of a thread, used again for every record.
#[derive(Default)]
struct Scratch {
    counting: Counting,
    updates: Updates,
    memo: Memo,
}

/// What the tags of a single sample come to, by its genotype and the number of alleles: one person's file has few of them.
#[derive(Default)]
struct Memo {
    /// The step that has filled it.
    step: u64,
    known: FxHashMap<(u64, usize), Updates>,
}

impl Memo {
    /// More than this no file has that gains by it.
    const MOST: usize = 512;

    /// A genotype as a key, if it is short.
    fn key(genotype: &[u8], alleles: usize) -> Option<(u64, usize)> {
        let mut bytes = [0; 8];
        bytes.get_mut(..genotype.len()).filter(|_| genotype.len() < 8)?.copy_from_slice(genotype);
        Some((u64::from_le_bytes(bytes), alleles))
    }
}

/// INFO fields to be set: their values behind one another, and for each the place of its tag among the names, its group,
/// and where its value ends.
#[derive(Clone, Default)]
struct Updates {
    text: Vec<u8>,
    places: Vec<(usize, usize, usize)>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Fills tags.
pub struct FillTags {
    options: FillOptions,
    /// Which of the steps made so far it is.
    number: u64,
    /// For each tag that is filled its names, one a group; the last is that of all samples.
    names: Vec<(Tag, Vec<String>)>,
    /// For each sample the groups that it is in, without that of all.
    groups_of: Vec<Vec<usize>>,
    samples: usize,
    warned: AtomicBool,
}

impl FillTags {
    /// A step for records with so many samples.
    pub fn new(options: FillOptions, samples: usize) -> Self {
        let mut groups_of = vec![Vec::new(); samples];
        for (number, group) in options.groups.iter().enumerate() {
            for &sample in &group.samples {
                if let Some(groups) = groups_of.get_mut(sample) {
                    groups.push(number);
                }
            }
        }
        let names_of = |tag: &Tag| {
            let of_groups = options.groups.iter().map(|group| format!("{}_{}", tag.name(), group.name));
            (*tag, of_groups.chain([tag.name().to_owned()]).collect())
        };
        let names = options.tags.iter().map(names_of).collect();
        static STEPS: AtomicU64 = AtomicU64::new(1);
        let number = STEPS.fetch_add(1, Ordering::Relaxed);
        Self { options, number, names, groups_of, samples, warned: AtomicBool::new(false) }
    }

    /// The header with the tags declared.
    pub fn header(&self, header: &Header) -> Header {
        let mut header = header.clone();
        self.options.custom.iter().for_each(|custom| custom.declare(&mut header));
        for tag in Tag::IN_HEADER_ORDER.iter().filter(|tag| self.fills(**tag)) {
            for group in self.options.groups.iter().filter(|_| tag.is_by_group()) {
                header.add_missing(&tag.declaration(&group.name));
            }
            header.add_missing(&tag.declaration(""));
        }
        header
    }

    fn fills(&self, tag: Tag) -> bool {
        self.options.tags.contains(&tag)
    }

    /// Groups of samples, that of all among them.
    fn group_count(&self) -> usize {
        self.options.groups.len() + 1
    }

    /// Notes a tag for each group, as what `value` writes; an empty value removes it.
    fn set(&self, tag: Tag, updates: &mut Updates, mut value: impl FnMut(usize, &mut Vec<u8>)) {
        for group in 0..self.group_count() {
            self.set_one(tag, group, updates, |out| value(group, out));
        }
    }

    fn fill_counts(&self, is_variant: bool, groups: &[GroupCounts], updates: &mut Updates) {
        let alternates = |group: usize| groups[group].alleles.iter().skip(1);
        self.set(Tag::NumberOfSamples, updates, |group, out| {
            write_integer(groups[group].samples as i64, out)
        });
        self.set(Tag::AlleleNumber, updates, |group, out| write_integer(groups[group].total() as i64, out));
        // By group, as bcftools has them: AF and MAF of one, then of the next.
        for (group, counts) in groups.iter().enumerate() {
            self.set_one(Tag::AlleleFrequency, group, updates, |out| {
                list(counts.frequencies().skip(1), out, write_f32);
            });
            if is_variant {
                self.set_one(Tag::MinorAlleleFrequency, group, updates, |out| {
                    write_f32(counts.second_frequency(), out);
                });
            }
        }
        self.set(Tag::AlleleCount, updates, |group, out| {
            integers(alternates(group).map(AlleleCounts::total), out)
        });
        self.set(Tag::HeterozygousCount, updates, |group, out| {
            integers(alternates(group).map(|allele| allele.heterozygous), out);
        });
        self.set(Tag::HomozygousCount, updates, |group, out| {
            integers(alternates(group).map(|allele| allele.homozygous), out);
        });
        if is_variant {
            self.set(Tag::HemizygousCount, updates, |group, out| {
                integers(alternates(group).map(|allele| allele.hemizygous), out);
            });
        }
        if self.fills(Tag::HardyWeinberg) || self.fills(Tag::ExcessHeterozygosity) {
            for (group, counts) in groups.iter().enumerate() {
                let tests: Vec<_> = hardy_weinberg_of(counts).collect();
                self.set_one(Tag::HardyWeinberg, group, updates, |out| {
                    list(tests.iter().map(|test| test.0), out, write_f32);
                });
                self.set_one(Tag::ExcessHeterozygosity, group, updates, |out| {
                    list(tests.iter().map(|test| test.1), out, write_f32);
                });
            }
        }
    }

    /// The same for one group.
    fn set_one(&self, tag: Tag, group: usize, updates: &mut Updates, value: impl FnOnce(&mut Vec<u8>)) {
        if let Some(place) = self.names.iter().position(|(filled, _)| *filled == tag) {
            value(&mut updates.text);
            updates.places.push((place, group, updates.text.len()));
        }
    }

    /// Carries out what was noted.
    fn update(&self, record: &mut Record, updates: &Updates) {
        let mut from = 0;
        let value = |&(place, group, end): &(usize, usize, usize)| {
            let text = &updates.text[std::mem::replace(&mut from, end)..end];
            (self.names[place].1[group].as_bytes(), Some(text).filter(|text| !text.is_empty()))
        };
        let changes: Vec<(&[u8], Option<&[u8]>)> = updates.places.iter().map(value).collect();
        if !changes.is_empty() {
            record.update_info(&changes);
        }
    }

    /// Makes the tags of the genotypes, of all samples and of each group.
    fn fill_genotype_tags(&self, record: &mut Record, scratch: &mut Scratch) -> Result<(), RecordProblem> {
        let Scratch { counting, updates, memo } = scratch;
        let mut key = None;
        if self.samples == 1
            && self.options.ploidy.is_none()
            && let Some(field) = record.format_index(b"GT")
        {
            if memo.step != self.number {
                memo.known.clear();
                memo.step = self.number;
            }
            let genotype = record.cells(field).next().unwrap_or_default();
            key = Memo::key(genotype, record.allele_count());
            if let Some(known) = key.and_then(|key| memo.known.get(&key)) {
                self.update(record, known);
                return Ok(());
            }
        }
        updates.text.clear();
        updates.places.clear();
        let has_genotypes = self.count(record, counting)?;
        let groups = &counting.groups[..self.group_count()];
        self.set(Tag::MissingFraction, updates, |group, out| match has_genotypes {
            true => write_f32(groups[group].missing as f32 / groups[group].members.max(1) as f32, out),
            false => out.push(b'.'),
        });
        if has_genotypes {
            self.fill_counts(record.allele_count() > 1, groups, updates);
        }
        self.update(record, updates);
        if let Some(key) = key.filter(|_| memo.known.len() < Memo::MOST) {
            memo.known.insert(key, updates.clone());
        }
        Ok(())
    }

    /// Fractions of reads with alternate alleles, from FORMAT/AD.
    fn fill_read_fractions(&self, record: &mut Record) {
        let tags = [Tag::AlleleFraction, Tag::AlternateFraction].into_iter().filter(|tag| self.fills(*tag));
        let tags: Vec<Tag> = tags.collect();
        let alleles = record.allele_count();
        if tags.is_empty() || alleles < 2 {
            return;
        }
        let Some(field) = record.format_index(b"AD") else {
            if !self.warned.swap(true, Ordering::Relaxed) {
                eprintln!("norn: VAF needs FORMAT/AD, which is missing at some sites");
            }
            return;
        };
        let width = record.cells(field).map(|cell| 1 + memchr::memchr_iter(b',', cell).count()).max();
        if width != Some(alleles) {
            return;
        }
        for tag in tags {
            let (mut text, mut ends) = (Vec::new(), Vec::new());
            for cell in record.cells(field) {
                let depths: Option<Vec<i64>> = cell.split(|&b| b == b',').map(parse_integer).collect();
                match depths.filter(|depths| depths.len() == alleles) {
                    None => text.push(b'.'),
                    Some(depths) => {
                        let sum = depths.iter().fold(0.0f32, |sum, &depth| sum + depth as f32);
                        let share = |depth: f32| if sum == 0.0 { 0.0 } else { depth / sum };
                        if tag == Tag::AlternateFraction {
                            write_f32(share(sum - depths[0] as f32), &mut text);
                        } else {
                            list(depths[1..].iter().map(|&depth| share(depth as f32)), &mut text, write_f32);
                        }
                    }
                }
                ends.push(text.len());
            }
            record.set_format(tag.name().as_bytes(), &text, &ends);
        }
    }

    /// AF from INFO/AC and INFO/AN, where there are no samples.
    fn fill_frequency_from_info(&self, record: &mut Record) {
        let (Some(total), Some(counts)) = (record.info(b"AN").and_then(parse_integer), record.info(b"AC"))
        else {
            return;
        };
        let counts: Option<Vec<i64>> = counts.split(|&b| b == b',').map(parse_integer).collect();
        let Some(counts) = counts.filter(|counts| counts.len() + 1 == record.allele_count() && total != 0)
        else {
            return;
        };
        let mut text = Vec::new();
        list(counts.iter().map(|&count| (count as f64 / total as f64) as f32), &mut text, write_f32);
        record.set_info(b"AF", Some(&text));
    }
}

impl Revise for FillTags {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        for group in 0..self.group_count() {
            for custom in self.options.custom.iter().filter(|custom| group < custom.group_count()) {
                custom.fill(group, record)?;
            }
        }
        let needs_genotypes = self.options.tags.iter().any(|tag| tag.is_by_group());
        if needs_genotypes && self.samples > 0 {
            SCRATCH.with_borrow_mut(|scratch| self.fill_genotype_tags(record, scratch))?;
        } else if self.samples == 0 {
            if self.fills(Tag::MissingFraction) {
                record.set_info(b"F_MISSING", Some(b"0"));
            }
            if self.fills(Tag::AlleleFrequency) {
                self.fill_frequency_from_info(record);
            }
        }
        self.fill_read_fractions(record);
        if self.fills(Tag::End) {
            let mut text = Vec::new();
            write_integer(extent::end(record), &mut text);
            record.set_info(b"END", Some(&text));
        }
        if self.fills(Tag::VariantType) {
            let names: Vec<&str> = Kinds::of(record).names().collect();
            record.set_info(b"TYPE", Some(names.join(",").as_bytes()));
        }
        Ok(true)
    }
}

/// For each alternate allele the test's chances, 1 where it cannot be made. Genotypes of two alternates are taken as
/// bcftools takes them: each of the two as a heterozygote with the reference.
fn hardy_weinberg_of(group: &GroupCounts) -> impl Iterator<Item = (f32, f32)> {
    let heterozygotes: u64 = group.alleles.iter().map(|allele| allele.heterozygous).sum();
    let references = group.alleles[0].homozygous + heterozygotes;
    group.alleles.iter().skip(1).map(move |allele| {
        let alternates = allele.heterozygous + allele.homozygous;
        let references = references - allele.heterozygous;
        let test = (references > 0 && alternates > 0)
            .then(|| hardy_weinberg::test(references, alternates, allele.heterozygous))
            .flatten();
        test.map_or((1.0, 1.0), |test| (test.p as f32, test.excess_heterozygosity as f32))
    })
}

fn write_f32(value: f32, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.push(b'.');
    } else {
        write_float(f64::from(value), out);
    }
}

fn integers(values: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
    list(values, out, |value, out| write_integer(value as i64, out));
}

fn list<T>(values: impl Iterator<Item = T>, out: &mut Vec<u8>, write: impl Fn(T, &mut Vec<u8>)) {
    for (i, value) in values.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(value, out);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustc_hash::FxHashMap;

    use super::*;
    use crate::variants::sex::Sex;

    const HEADER: &str = "##fileformat=VCFv4.2\n##contig=<ID=chrX,length=156040895>\n\
        #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tm1\tm2\tm3\tf1\tf2\tf3\n";

    fn filled(tags: &str, sexes: bool, groups: Vec<Group>, line: &str) -> String {
        let header = Header::parse(HEADER.as_bytes()).unwrap();
        let sexes: FxHashMap<String, Sex> = header
            .samples()
            .iter()
            .filter(|_| sexes)
            .map(|name| (name.clone(), if name.starts_with('m') { Sex::Male } else { Sex::Female }))
            .collect();
        let ploidy = Some(PloidyMap::new(&header, &sexes, None).unwrap());
        let options = FillOptions {
            tags: parse_tags(&words(tags)).unwrap(),
            custom: Vec::new(),
            groups,
            drop_missing: false,
            ploidy,
        };
        let step = FillTags::new(options, header.samples().len());
        let mut record = Record::parse(line.as_bytes()).unwrap();
        assert!(step.revise(&mut record).unwrap());
        let mut text = Vec::new();
        record.write(&mut text);
        String::from_utf8_lossy(&text).split('\t').nth(7).unwrap().to_owned()
    }

    #[test]
    fn men_have_one_x_whatever_is_written() {
        // By hand: men 0/0, 1/1 and 0/1 (no genotype of a man), women 0/0, 0/1, 1/1.
        let line = |contig: &str, position: u32| {
            format!("{contig}\t{position}\t.\tA\tC\t.\t.\t.\tGT\t0/0\t1/1\t0/1\t0/0\t0/1\t1/1")
        };
        let tags = "AN,AC,NS,AC_Hom,AC_Het,AC_Hemi,HWE";
        for (sexes, contig, position, expected) in [
            (false, "chrX", 5_000_000, "NS=6;AN=12;AC=6;AC_Het=2;AC_Hom=4;AC_Hemi=0;HWE=0.567100"),
            (true, "chrX", 5_000_000, "NS=5;AN=8;AC=4;AC_Het=1;AC_Hom=2;AC_Hemi=1;HWE=1"),
            (true, "chrX", 2_000_000, "NS=6;AN=12;AC=6;AC_Het=2;AC_Hom=4;AC_Hemi=0;HWE=0.567100"),
            (true, "chrY", 5_000_000, "NS=2;AN=2;AC=1;AC_Het=0;AC_Hom=0;AC_Hemi=1;HWE=1"),
        ] {
            let found = filled(tags, sexes, Vec::new(), &line(contig, position));
            // 924 ways to pair 6 and 6: with 2 heterozygotes 360, with 0 20, with 4 480, with 6 64.
            assert_eq!(found, expected.replace("0.567100", "0.480519"), "{contig}:{position}");
        }
    }

    #[test]
    fn ends_kinds_and_missing_genotypes_are_told() {
        let groups = vec![Group { name: "A".to_owned(), samples: vec![0, 1] }];
        let line = "chr1\t10\t.\tAC\tA,GT\t.\t.\tAF=7;X\tGT\t0/0\t./1\t.\t0/1\t.|.\t1/2";
        // By hand; the tags stand where they stood, or behind the others.
        assert_eq!(filled("F_MISSING", false, groups, line), "AF=7;X;F_MISSING_A=0.5;F_MISSING=0.5");
        assert_eq!(filled("END,TYPE", false, Vec::new(), line), "AF=7;X;END=11;TYPE=MNP,INDEL");
        assert_eq!(filled("AF,MAF", false, Vec::new(), line), "AF=0.428571,0.142857;X;MAF=0.428571");
    }
}
