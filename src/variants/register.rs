//! A sites-only file for a register: no samples, no small counts, no header line that names people, paths or commands.

use crate::formats::vcf::header::{Header, MetaLine, Number};
use crate::formats::vcf::record::{Record, parse_integer};
use crate::records::pipeline::{RecordProblem, Revise};

/// Counts of carriers and what follows from them, by tag: masked together, for one can be had from the other.
const COUNTS: [&str; 8] = ["AC", "AC_Het", "AC_Hom", "AC_Hemi", "AF", "MAF", "HWE", "ExcHet"];

/// What leaves the house.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegisterOptions {
    /// Counts above 0 and under this are masked (`--min-ac-mask`); 0 masks nothing.
    pub least_count: u64,
    /// Header lines that name samples, paths or commands go (`--strip-header`).
    pub strips_header: bool,
}

impl RegisterOptions {
    /// The header: without samples and FORMAT, and stripped where that is asked for.
    pub fn header(&self, header: &Header) -> Header {
        let mut made = header.clone();
        let samples = header.samples().to_vec();
        made.set_samples(Vec::new());
        made.retain(|line| line.key() != "FORMAT" && !(self.strips_header && tells_too_much(line, &samples)));
        made
    }
}

/// Whether a header line could name somebody, a place in a file system, or what was typed. What is declared by the
/// specification's own lines stays; all else must be harmless to stay.
fn tells_too_much(line: &MetaLine, samples: &[String]) -> bool {
    match line.key() {
        "fileformat" | "fileDate" => return false,
        "SAMPLE" | "PEDIGREE" | "pedigreeDB" | "META" | "assembly" | "reference" => return true,
        _ => {}
    }
    let text = String::from_utf8_lossy(line.as_bytes());
    let is_declaration = matches!(line.key(), "INFO" | "FILTER" | "ALT" | "contig");
    let names_sample = samples.iter().any(|sample| is_word_of(&text, sample));
    let key = line.key().to_ascii_lowercase();
    let is_command =
        ["command", "cmd", "user", "host", "date", "version", "source"].iter().any(|word| key.contains(word));
    let has_path = text.contains('/') && !is_declaration;
    let contig_path = line.key() == "contig" && (text.contains("file:") || text.contains("URL="));
    names_sample || (is_command && !is_declaration) || has_path || contig_path
}

/// Whether a name stands in a text with no letter or digit beside it.
fn is_word_of(text: &str, name: &str) -> bool {
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + name.len()..].chars().next();
            ![before, behind].iter().flatten().any(|c| c.is_alphanumeric())
        })
}

/// Drops the samples and masks small counts.
pub struct SitesOnly {
    options: RegisterOptions,
    /// Tags with a value for each alternate allele, and those with one: which [`COUNTS`] are which, groups included.
    header: Header,
}

impl SitesOnly {
    /// A step for records under this header.
    pub fn new(options: RegisterOptions, header: &Header) -> Self {
        Self { options, header: header.clone() }
    }

    /// Masks what tells of few carriers, in the counts of all and of each group (`AC_NOR`): AC of the group says which
    /// alleles are rare.
    fn mask(&self, record: &mut Record) {
        let mut groups: Vec<(String, Vec<bool>)> = Vec::new();
        for (key, value) in record.info_fields() {
            let (Some(suffix), Some(value)) = (key.strip_prefix(b"AC"), value) else { continue };
            let is_group = suffix.is_empty() || (suffix.starts_with(b"_") && !self.is_kind(suffix));
            if !is_group {
                continue;
            }
            let rare = |text: &[u8]| {
                parse_integer(text)
                    .is_some_and(|count| count > 0 && (count as u64) < self.options.least_count)
            };
            let rare: Vec<bool> = value.split(|&b| b == b',').map(rare).collect();
            if rare.contains(&true) {
                groups.push((String::from_utf8_lossy(suffix).into_owned(), rare));
            }
        }
        for (suffix, rare) in groups {
            for tag in COUNTS {
                let name = format!("{tag}{suffix}");
                let Some(value) = record.info(name.as_bytes()) else { continue };
                let per_allele =
                    self.header.info(name.as_bytes()).is_none_or(|tag| tag.number == Number::Alternates);
                let values: Vec<&[u8]> = value.split(|&b| b == b',').collect();
                let masked: Vec<&[u8]> = if per_allele && values.len() == rare.len() {
                    values.iter().zip(&rare).map(|(value, rare)| if *rare { b"." } else { *value }).collect()
                } else {
                    values.iter().map(|_| &b"."[..]).collect()
                };
                let text = masked.join(&b',');
                record.set_info(name.as_bytes(), Some(&text));
            }
        }
    }

    /// `_Het`, `_Hom` and `_Hemi` are kinds of counts, not groups.
    fn is_kind(&self, suffix: &[u8]) -> bool {
        [&b"_Het"[..], b"_Hom", b"_Hemi"].iter().any(|kind| suffix.starts_with(kind))
    }
}

impl Revise for SitesOnly {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        if self.options.least_count > 0 {
            self.mask(record);
        }
        record.select_samples(&[]);
        Ok(true)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEADER: &str = "##fileformat=VCFv4.2\n##source=caller /home/me\n##SAMPLE=<ID=P1>\n##reference=file:///x.fa\n\
        ##INFO=<ID=AC,Number=A,Type=Integer,Description=\"Count/number\">\n\
        ##INFO=<ID=MAF,Number=1,Type=Float,Description=\"\">\n##INFO=<ID=P1,Number=1,Type=String,Description=\"of P1\">\n\
        ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n##contig=<ID=1,length=5>\n##bcftools_viewCommand=view a\n\
        ##note=P10 is fine\n##other=/data/x\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1\n";

    #[test]
    fn the_header_names_nobody() {
        let header = Header::parse(HEADER.as_bytes()).unwrap();
        let made = RegisterOptions { least_count: 0, strips_header: true }.header(&header);
        let text = String::from_utf8(made.to_text()).unwrap();
        let keys: Vec<&str> = text.lines().map(|line| line.split('=').next().unwrap()).collect();
        assert_eq!(
            keys,
            [
                "##fileformat",
                "##FILTER",
                "##INFO",
                "##INFO",
                "##contig",
                "##note",
                "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
            ]
        );
        let kept = RegisterOptions::default().header(&header);
        assert_eq!(kept.lines().len(), header.lines().len() - 1);
    }

    #[test]
    fn small_counts_are_masked_with_what_follows_from_them() {
        let header = Header::parse(HEADER.as_bytes()).unwrap();
        let step = SitesOnly::new(RegisterOptions { least_count: 5, strips_header: true }, &header);
        for (info, expected) in [
            ("AC=5,4,0;AN=100;AF=0.05,0.04,0;MAF=0.05", "AC=5,.,0;AN=100;AF=0.05,.,0;MAF=."),
            ("AC=5;AC_A=2;AC_Het_A=2;AF_A=0.1;AC_Het=5", "AC=5;AC_A=.;AC_Het_A=.;AF_A=.;AC_Het=5"),
            ("AC=9;X=1", "AC=9;X=1"),
        ] {
            let line = format!("1\t1\t.\tA\tC,G,T\t.\t.\t{info}\tGT\t0/1");
            let mut record = Record::parse(line.as_bytes()).unwrap();
            assert!(step.revise(&mut record).unwrap());
            let mut text = Vec::new();
            record.write(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), format!("1\t1\t.\tA\tC,G,T\t.\t.\t{expected}"));
        }
    }
}
