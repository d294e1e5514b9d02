//! Breakends: what is joined to a place of the genome, or to nothing that is known (VCF 4.4, section 5.4).
//!
//! As Ensembl VEP 115 has it, the end at the record's own place is told once a record (`G.` or `.G`, allele number 0) and each
//! mate by itself (`G]17:198982]`). The own end is the base behind POS, a mate the base that ALT states. VEP takes a mate's
//! consequences, but for feature_truncation, from the own place; here they are those of the mate's place.

use crate::formats::vcf::record::{Record, parse_integer};

/// One end that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakend {
    /// Which.
    pub end: End,
    /// As CSQ tells it; of an end without a mate it is the class.
    pub text: String,
    /// The number of the alternate allele from 1; 0 of the record's own end.
    pub number: usize,
}

/// Where an end lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Behind the record's POS.
    Here,
    /// At a position (1-based) of a contig. Telomeres are 0 and one base behind the contig.
    Mate {
        /// The contig's name; in angle brackets it is of an assembly file.
        contig: Vec<u8>,
        /// The base.
        position: i64,
    },
}

/// The class of breakends in the Sequence Ontology.
pub const NAME: &str = "chromosome_breakpoint";

impl Breakend {
    /// The ends of a record's breakends: its own first, then the mates by their alleles. None of other records.
    pub fn all(record: &Record) -> Vec<Self> {
        let (mut ends, mut has_mate, mut is_left) = (Vec::new(), false, false);
        for (allele, number) in record.alternates().zip(1..) {
            if is_single(allele) {
                ends.push(Self { end: End::Here, text: NAME.to_owned(), number });
            } else if let Some(mate) = Mate::parse(allele) {
                (has_mate, is_left) = (true, is_left || mate.is_left);
                let end = End::Mate { contig: mate.contig.to_vec(), position: mate.position };
                ends.push(Self { end, text: String::from_utf8_lossy(allele).into_owned(), number });
            } else if is_symbolic(allele) {
                match mate_of_info(record) {
                    Some((contig, position)) => {
                        has_mate = true;
                        let text = format!("N[{}:{position}[", String::from_utf8_lossy(&contig));
                        ends.push(Self { end: End::Mate { contig, position }, text, number });
                    }
                    None => ends.push(Self { end: End::Here, text: NAME.to_owned(), number }),
                }
            }
        }
        if has_mate {
            let text = own_text(record.reference(), is_left);
            ends.insert(0, Self { end: End::Here, text, number: 0 });
        }
        ends
    }
}

/// Whether an alternate allele is a breakend of any form.
pub fn is_breakend(allele: &[u8]) -> bool {
    is_single(allele) || is_symbolic(allele) || Mate::parse(allele).is_some()
}

/// `G.` or `.G`: what it is joined to is not known.
pub fn is_single(allele: &[u8]) -> bool {
    let bases = allele.strip_prefix(b".").or_else(|| allele.strip_suffix(b"."));
    bases.is_some_and(|bases| !bases.is_empty() && bases.iter().all(u8::is_ascii_alphabetic))
}

/// `<BND>`, and what older callers write for it.
fn is_symbolic(allele: &[u8]) -> bool {
    [&b"<BND>"[..], b"<TRA>"].iter().any(|name| allele.eq_ignore_ascii_case(name))
}

/// What an allele with brackets says.
#[derive(Debug, PartialEq, Eq)]
struct Mate<'a> {
    contig: &'a [u8],
    position: i64,
    /// The mate is joined before the record's base.
    is_left: bool,
}

impl<'a> Mate<'a> {
    fn parse(allele: &'a [u8]) -> Option<Self> {
        let first = allele.iter().position(|letter| matches!(letter, b'[' | b']'))?;
        let (before, rest) = allele.split_at(first);
        let (bracket, rest) = rest.split_first()?;
        let last = rest.iter().position(|letter| letter == bracket)?;
        let (place, behind) = (&rest[..last], &rest[last + 1..]);
        let is_sequence = |bases: &[u8]| bases.iter().all(|base| base.is_ascii_alphabetic() || *base == b'.');
        if !(before.is_empty() || behind.is_empty()) || !is_sequence(before) || !is_sequence(behind) {
            return None;
        }
        // Names of contigs may have colons, too.
        let colon = place.iter().rposition(|letter| *letter == b':').filter(|colon| *colon > 0)?;
        let position = parse_integer(&place[colon + 1..]).filter(|position| *position >= 0)?;
        Some(Self { contig: &place[..colon], position, is_left: before.is_empty() })
    }
}

/// The mate of `<BND>`: INFO/CHR2 with END2, or else END.
fn mate_of_info(record: &Record) -> Option<(Vec<u8>, i64)> {
    let contig = record.info(b"CHR2").filter(|contig| !matches!(contig, [] | [b'.']))?;
    let position = record.info(b"END2").or_else(|| record.info(b"END"))?;
    Some((contig.to_vec(), parse_integer(position).filter(|position| *position >= 0)?))
}

/// VEP's text of a record's own end: REF where it is of plain bases, and a full stop on the side of the mate.
fn own_text(reference: &[u8], is_left: bool) -> String {
    let bases = reference.to_ascii_uppercase();
    let is_plain = !bases.is_empty() && bases.iter().all(|base| b"ACGTN".contains(base));
    let bases = if is_plain { String::from_utf8_lossy(&bases) } else { "N".into() };
    if is_left { format!(".{bases}") } else { format!("{bases}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(line: &str) -> Vec<String> {
        let record = Record::parse(line.replace(' ', "\t").as_bytes()).expect("a record");
        let text = |end: Breakend| match end.end {
            End::Here => format!("{} {}", end.number, end.text),
            End::Mate { contig, position } => {
                format!("{} {} {} {position}", end.number, end.text, String::from_utf8_lossy(&contig))
            }
        };
        Breakend::all(&record).into_iter().map(text).collect()
    }

    /// The forms of VCF 4.4, section 5.4, and those of callers.
    #[test]
    fn ends_are_read_in_all_forms() {
        for (alleles, info, expected) in [
            ("G G]17:198982]", ".", &["0 G.", "1 G]17:198982] 17 198982"][..]),
            ("T ]13:123456]T", ".", &["0 .T", "1 ]13:123456]T 13 123456"]),
            ("A A[chr2:321681[", ".", &["0 A.", "1 A[chr2:321681[ chr2 321681"]),
            ("C [17:198983[CA", ".", &["0 .C", "1 [17:198983[CA 17 198983"]),
            ("T C[2:321682[,]17:1]T", ".", &["0 .T", "1 C[2:321682[ 2 321682", "2 ]17:1]T 17 1"]),
            ("t t[<ctg1>:7[", ".", &["0 T.", "1 t[<ctg1>:7[ <ctg1> 7"]),
            ("N .[13:1[", ".", &["0 N.", "1 .[13:1[ 13 1"]),
            ("R R[HLA-A*01:02:7[", ".", &["0 N.", "1 R[HLA-A*01:02:7[ HLA-A*01:02 7"]),
            ("G G.", ".", &["1 chromosome_breakpoint"]),
            ("G .TGCA", ".", &["1 chromosome_breakpoint"]),
            ("G A,<BND>", "CHR2=7;END=9", &["0 G.", "2 N[7:9[ 7 9"]),
            ("G <TRA>", "CHR2=7;END=8;END2=9", &["0 G.", "1 N[7:9[ 7 9"]),
            ("G <BND>", "END=9", &["1 chromosome_breakpoint"]),
            ("G .", ".", &[]),
            ("G <DEL>,*,GA", "END=9", &[]),
            ("G G[17:x[", ".", &[]),
            ("G G[17:5]", ".", &[]),
            ("G G[:5[", ".", &[]),
            ("G A[17:5[A", ".", &[]),
            ("G G[17:-5[", ".", &[]),
            ("G G[17:99999999999999999999[", ".", &[]),
        ] {
            let (reference, alternate) = alleles.split_once(' ').expect("two alleles");
            let line = format!("1 10 . {reference} {alternate} . . {info}");
            assert_eq!(ends(&line), expected, "{line}");
        }
    }
}
