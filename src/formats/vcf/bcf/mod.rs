//! BCF 2.2: a record as typed binary values whose names are numbers of the header (VCF specification, section 6).
//!
//! The text line is the form that commands work on; here it is made from BCF and made into BCF.

mod decode;
mod encode;

pub use decode::{FieldOf, Kind, decode, field_kinds};
pub use encode::{EncodeError, Encoder, Scratch};

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::header::Header;

/// The first bytes of a file.
pub const MAGIC: &[u8; 5] = b"BCF\x02\x02";

/// Why a BCF record cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BcfError {
    /// It ends before its values do.
    #[error("the record ends within its values")]
    Short,
    /// A contig's number is not in the header.
    #[error("the header has no contig number {0}")]
    Contig(i32),
    /// A FILTER's, INFO's or FORMAT's number is not in the header.
    #[error("the header has no FILTER, INFO or FORMAT number {0}")]
    Tag(i64),
    /// A value's type is none of the specification's.
    #[error("a value has the type {0}, which BCF does not have")]
    Type(u8),
    /// The number of samples is not the header's.
    #[error("the record has {0} samples, the header {1}")]
    Samples(usize, usize),
}

/// The numbers that a header gives to names: in order of appearance, or as `IDX` has it.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// FILTER, INFO and FORMAT; `PASS` is 0.
    tags: Names,
    contigs: Names,
    samples: usize,
    /// Whether a phase may stand before the first allele (VCF 4.4 on).
    has_first_phase: bool,
}

/// Names by number and numbers by name.
#[derive(Clone, Debug, Default)]
struct Names {
    names: Vec<Option<Vec<u8>>>,
    numbers: FxHashMap<Vec<u8>, usize>,
}

/// `IDX` beyond this is not believed.
const MAX_NUMBER: usize = 1 << 24;

impl Names {
    fn add(&mut self, name: &str, number: Option<usize>) {
        if self.numbers.contains_key(name.as_bytes()) {
            return;
        }
        let number = number.filter(|number| *number < MAX_NUMBER).unwrap_or(self.names.len());
        if number >= self.names.len() {
            self.names.resize(number + 1, None);
        }
        self.names[number] = Some(name.as_bytes().to_vec());
        self.numbers.insert(name.as_bytes().to_vec(), number);
    }

    fn name(&self, number: usize) -> Option<&[u8]> {
        self.names.get(number)?.as_deref()
    }
}

impl Dictionary {
    /// The numbers of a header.
    pub fn new(header: &Header) -> Self {
        let mut dictionary = Self {
            samples: header.samples().len(),
            has_first_phase: header.version() >= (4, 4),
            ..Self::default()
        };
        dictionary.tags.add("PASS", Some(0));
        for line in header.lines() {
            let Some(id) = line.get("ID") else { continue };
            let number = line.get("IDX").and_then(|number| number.parse().ok());
            match line.key() {
                "FILTER" | "INFO" | "FORMAT" => dictionary.tags.add(id, number),
                "contig" => dictionary.contigs.add(id, number),
                _ => {}
            }
        }
        dictionary
    }
}

impl Dictionary {
    /// The contig of this number.
    pub fn contig(&self, number: usize) -> Option<&[u8]> {
        self.contigs.name(number)
    }

    /// One past the greatest number of a contig.
    pub fn contig_count(&self) -> usize {
        self.contigs.names.len()
    }

    /// The header's text with the numbers as `IDX`.
    pub fn number_lines(&self, header: &Header) -> Vec<u8> {
        let mut numbered = header.clone();
        numbered.map_lines(|line| {
            let id = line.get("ID")?;
            let names = match line.key() {
                "FILTER" | "INFO" | "FORMAT" => &self.tags,
                "contig" => &self.contigs,
                _ => return None,
            };
            let number = names.numbers.get(id.as_bytes())?;
            let text = String::from_utf8_lossy(line.as_bytes());
            Some(format!("{},IDX={number}>", text.trim_end().strip_suffix('>')?))
        });
        numbered.to_text()
    }

    /// The header without `IDX`.
    pub fn unnumber_lines(header: &mut Header) {
        header.map_lines(|line| {
            let number = line.get("IDX")?;
            let text = String::from_utf8_lossy(line.as_bytes());
            Some(text.replacen(&format!(",IDX={number}"), "", 1))
        });
    }
}

/// The types of values.
mod kind {
    pub const NULL: u8 = 0;
    pub const INT8: u8 = 1;
    pub const INT16: u8 = 2;
    pub const INT32: u8 = 3;
    pub const FLOAT: u8 = 5;
    pub const CHAR: u8 = 7;
}

/// A missing float, and the one that ends a shorter vector.
const FLOAT_MISSING: u32 = 0x7f80_0001;
const FLOAT_END: u32 = 0x7f80_0002;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::record::Record;
    use super::*;

    const HEADER: &str = "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=chrUn_2,length=9>\n\
        ##FILTER=<ID=q10,Description=\"\">\n##FILTER=<ID=s50,Description=\"\">\n\
        ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"\">\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"\">\n\
        ##INFO=<ID=DB,Number=0,Type=Flag,Description=\"\">\n##INFO=<ID=AA,Number=1,Type=String,Description=\"\">\n\
        ##INFO=<ID=XA,Number=.,Type=Integer,Description=\"\">\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
        ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"\">\n##FORMAT=<ID=GL,Number=G,Type=Float,Description=\"\">\n\
        ##FORMAT=<ID=FT,Number=1,Type=String,Description=\"\">\n\
        #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";

    /// Lines whose numbers stand as htslib prints them.
    const LINES: [&str; 9] = [
        "1\t5\t.\tA\t.\t.\t.\t.\tGT\t./.\t.",
        "1\t5\trs1\tA\tC,<DEL>,*\t30.5\tPASS\tDP=10;AF=0.5,0.25,.;DB;AA=x y\tGT:DP:GL:FT\t0/1:7:-0.5,.,0:ab\t1|2:300:.:.",
        "chrUn_2\t2147483646\t.\tAC\tA\t0\tq10;s50\tDP=-70000\tGT\t0|1|2\t1",
        "1\t0\t.\tN\tA\t1e-05\t.\tXA=1,.,-3,127,128,-120,-121,32767,-32760,-32761,70000\tDP\t.\t-7",
        "1\t1\ta;b\tACGTACGTACGTACGTACGT\tA\t1e+10\t.\tDP=.;AA=.\tGT:GL\t1:1,2,3\t0/0:.",
        "1\t7\t.\tA\tC\t.\t.\tDB\tFT:DP\tlonger:1\ts:70000",
        "1\t7\t.\tA\tC\t.\tPASS\t.\tGT\t130/131\t.|0",
        "1\t7\t.\tA\t<NON_REF>\t.\t.\tDP=1\tGT:DP\t0/0:.\t./.:.",
        "1\t9\t.\tA\tC\t50\tPASS\tXA=-2147483640,2147483647\tGT\t0/1\t0/1",
    ];

    fn round_trip(header: &Header, line: &str) -> String {
        let encoder = Encoder::new(header);
        let (mut bytes, mut text) = (Vec::new(), Vec::new());
        encoder
            .encode(&Record::parse(line.as_bytes()).unwrap(), &mut Scratch::default(), &mut bytes)
            .unwrap();
        let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(length(0) + length(4) + 8, bytes.len());
        decode(&bytes, encoder.dictionary(), &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_line_comes_back_from_bcf_as_it_was() {
        let header = Header::parse(HEADER.as_bytes()).unwrap();
        for line in LINES {
            assert_eq!(round_trip(&header, line), line);
        }
        // Columns of nothing are as missing ones.
        let line = round_trip(&header, "1\t5\t\tA\t\t.\t.\tDP=1\tGT\t0\t1");
        assert_eq!(line, "1\t5\t.\tA\t.\t.\t.\tDP=1\tGT\t0\t1");
    }

    #[test]
    fn a_phase_before_the_first_allele_is_kept_from_vcf_4_4_on() {
        let header = Header::parse(HEADER.replace("VCFv4.2", "VCFv4.4").as_bytes()).unwrap();
        for cells in ["|0/1\t/0|1", "/1\t1", "0/1\t0|1", "|.\t.", "0|1/2\t|0/1|2"] {
            let line = format!("1\t7\t.\tA\tC,G\t.\t.\t.\tGT\t{cells}");
            assert_eq!(round_trip(&header, &line), line);
        }
    }

    #[test]
    fn a_tag_that_is_not_declared_is_refused() {
        let encoder = Encoder::new(&Header::parse(HEADER.as_bytes()).unwrap());
        for (line, what) in [
            ("2\t7\t.\tA\tC\t.\t.\t.\tGT\t0\t0", "contig 2"),
            ("1\t7\t.\tA\tC\t.\tzz\t.\tGT\t0\t0", "FILTER zz"),
            ("1\t7\t.\tA\tC\t.\t.\tZZ=1\tGT\t0\t0", "INFO ZZ"),
            ("1\t7\t.\tA\tC\t.\t.\t.\tZZ\t0\t0", "FORMAT ZZ"),
        ] {
            let record = Record::parse(line.as_bytes()).unwrap();
            let error = encoder.encode(&record, &mut Scratch::default(), &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            line in 0..LINES.len(),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let encoder = Encoder::new(&Header::parse(HEADER.as_bytes()).unwrap());
            let mut bytes = Vec::new();
            let record = Record::parse(LINES[line].as_bytes()).unwrap();
            encoder.encode(&record, &mut Scratch::default(), &mut bytes).unwrap();
            for (index, value) in changes {
                let at = index.index(bytes.len());
                bytes[at] = value;
            }
            let _ = decode(&bytes, encoder.dictionary(), &mut Vec::new());
            let _ = decode(&bytes[..cut.index(bytes.len())], encoder.dictionary(), &mut Vec::new());
        }

        #[test]
        fn no_line_makes_it_panic(line in "(1|2)\t[0-9]{1,12}\t[.a]\t[ACN.<>]{0,4}\t[ACN.,<>]{0,6}\t[0-9.e-]{0,6}\t[a-z0-9;.]{0,5}\t[A-Z=;0-9,.-]{0,20}\t[GTDPFL:]{0,8}\t[0-9/|:,.-]{0,12}") {
            let header = Header::parse(HEADER.as_bytes()).unwrap();
            if let Ok(record) = Record::parse(line.as_bytes()) {
                let _ = Encoder::new(&header).encode(&record, &mut Scratch::default(), &mut Vec::new());
            }
        }
    }
}
