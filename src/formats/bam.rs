//! The BAM record as it stands in the file: a view on its bytes, decoded field by field at first use.
//!
//! Layout and names are those of the SAM/BAM specification (SAMv1, section 4.2). A [`Record`] is checked once, when it
//! is made, so that every accessor after that is infallible and cheap. Not for writing, and not for SAM text.

use thiserror::Error;

/// Bytes in front of the read name: everything of fixed width but `block_size`.
pub const CORE_LENGTH: usize = 32;

/// Why the bytes are not a BAM record.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    /// Fewer bytes than the fixed part of a record.
    #[error("a BAM record of {0} bytes is shorter than its fixed part of 32")]
    TooShort(usize),
    /// Name, CIGAR, sequence and qualities reach past the record's end.
    #[error("a BAM record of {have} bytes says its name, CIGAR, sequence and qualities take {need}")]
    Overrun {
        /// Bytes that the record has.
        have: usize,
        /// Bytes that its length fields ask for.
        need: u64,
    },
    /// A read name of no bytes (even `*` takes two).
    #[error("a BAM record has a read name of length 0")]
    NoName,
    /// A CIGAR operation code above 8.
    #[error("a BAM record has the CIGAR operation code {0}, which is not defined")]
    CigarOp(u8),
}

/// SAM flags (SAMv1 section 1.4, FLAG).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Flags {
            $($(#[$doc])* #[inline] pub const fn $name(self) -> bool { self.0 & $bit != 0 })*
        }
    };
}

flags! {
    /// 0x1: template has several segments.
    is_paired = 0x1;
    /// 0x2: each segment properly aligned.
    is_proper_pair = 0x2;
    /// 0x4: the read is unmapped.
    is_unmapped = 0x4;
    /// 0x8: the mate is unmapped.
    is_mate_unmapped = 0x8;
    /// 0x10: the sequence is reverse complemented.
    is_reverse = 0x10;
    /// 0x20: the mate's sequence is reverse complemented.
    is_mate_reverse = 0x20;
    /// 0x40: first segment.
    is_first = 0x40;
    /// 0x80: last segment.
    is_last = 0x80;
    /// 0x100: secondary alignment.
    is_secondary = 0x100;
    /// 0x200: fails platform or vendor quality checks.
    is_qc_fail = 0x200;
    /// 0x400: PCR or optical duplicate.
    is_duplicate = 0x400;
    /// 0x800: supplementary alignment.
    is_supplementary = 0x800;
}

impl Flags {
    /// Neither secondary nor supplementary.
    #[inline]
    pub const fn is_primary(self) -> bool {
        self.0 & 0x900 == 0
    }
}

/// What a CIGAR operation does (SAMv1 section 1.4, CIGAR), in BAM's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OpKind {
    /// `M`: alignment match (can be a sequence match or mismatch).
    Match = 0,
    /// `I`: insertion to the reference.
    Insertion = 1,
    /// `D`: deletion from the reference.
    Deletion = 2,
    /// `N`: skipped region of the reference.
    Skip = 3,
    /// `S`: soft clip, bases present in SEQ.
    SoftClip = 4,
    /// `H`: hard clip, bases not in SEQ.
    HardClip = 5,
    /// `P`: padding.
    Pad = 6,
    /// `=`: sequence match.
    SequenceMatch = 7,
    /// `X`: sequence mismatch.
    SequenceMismatch = 8,
}

impl OpKind {
    const ALL: [OpKind; 9] = [
        OpKind::Match,
        OpKind::Insertion,
        OpKind::Deletion,
        OpKind::Skip,
        OpKind::SoftClip,
        OpKind::HardClip,
        OpKind::Pad,
        OpKind::SequenceMatch,
        OpKind::SequenceMismatch,
    ];

    /// `M`, `=` or `X`: read bases stand on reference bases.
    #[inline]
    pub const fn is_aligned(self) -> bool {
        matches!(self, OpKind::Match | OpKind::SequenceMatch | OpKind::SequenceMismatch)
    }

    /// The operation moves along the reference.
    #[inline]
    pub const fn consumes_reference(self) -> bool {
        self.is_aligned() || matches!(self, OpKind::Deletion | OpKind::Skip)
    }

    /// The operation moves along the read's bases.
    #[inline]
    pub const fn consumes_read(self) -> bool {
        self.is_aligned() || matches!(self, OpKind::Insertion | OpKind::SoftClip)
    }
}

/// One CIGAR operation with its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// How many bases it spans (28 bits in BAM).
    pub len: u32,
}

/// A view on the bytes of one BAM record, without the leading `block_size`.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
    cigar: u32,
    sequence: u32,
    qualities: u32,
    data: u32,
}

impl<'a> Record<'a> {
    /// Checks that the variable parts fit into `bytes` and keeps where they begin.
    pub fn new(bytes: &'a [u8]) -> Result<Self, RecordError> {
        if bytes.len() < CORE_LENGTH {
            return Err(RecordError::TooShort(bytes.len()));
        }
        let name_length = u64::from(bytes[8]);
        if name_length == 0 {
            return Err(RecordError::NoName);
        }
        let op_count = u64::from(u16_at(bytes, 12));
        let base_count = u64::from(u32_at(bytes, 16));
        let cigar = CORE_LENGTH as u64 + name_length;
        let sequence = cigar + 4 * op_count;
        let qualities = sequence + base_count.div_ceil(2);
        let data = qualities + base_count;
        if data > bytes.len() as u64 || data > u64::from(u32::MAX) {
            return Err(RecordError::Overrun { have: bytes.len(), need: data });
        }
        Ok(Self {
            bytes,
            cigar: cigar as u32,
            sequence: sequence as u32,
            qualities: qualities as u32,
            data: data as u32,
        })
    }

    /// All the record's bytes, without `block_size`.
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Index of the contig in the header, or -1 (none).
    #[inline]
    pub fn ref_id(&self) -> i32 {
        i32_at(self.bytes, 0)
    }

    /// 0-based leftmost position, or -1 (none).
    #[inline]
    pub fn pos(&self) -> i32 {
        i32_at(self.bytes, 4)
    }

    /// Mapping quality; 255 means not available.
    #[inline]
    pub fn mapq(&self) -> u8 {
        self.bytes[9]
    }

    /// The flags.
    #[inline]
    pub fn flags(&self) -> Flags {
        Flags(u16_at(self.bytes, 14))
    }

    /// Number of read bases (`l_seq`).
    #[inline]
    pub fn base_count(&self) -> usize {
        u32_at(self.bytes, 16) as usize
    }

    /// Contig index of the mate (`next_refID`), or -1.
    #[inline]
    pub fn mate_ref_id(&self) -> i32 {
        i32_at(self.bytes, 20)
    }

    /// 0-based position of the mate (`next_pos`), or -1.
    #[inline]
    pub fn mate_pos(&self) -> i32 {
        i32_at(self.bytes, 24)
    }

    /// Template length (`tlen`), signed as in SAM.
    #[inline]
    pub fn template_length(&self) -> i32 {
        i32_at(self.bytes, 28)
    }

    /// Read name without its terminating zero bytes.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        let name = &self.bytes[CORE_LENGTH..self.cigar as usize];
        // htslib pads names to a multiple of four; a well-formed name ends at its first zero.
        match name {
            [rest @ .., 0] if rest.last() != Some(&0) => rest,
            _ => &name[..name.iter().position(|&b| b == 0).unwrap_or(name.len())],
        }
    }

    /// Decodes the CIGAR into `ops` (cleared first). Takes it from the `CG` tag where more than 65,535 operations made
    /// the writer put it there (SAMv1 section 4.2.2).
    pub fn cigar_into(&self, ops: &mut Vec<Op>) -> Result<(), RecordError> {
        ops.clear();
        let raw = &self.bytes[self.cigar as usize..self.sequence as usize];
        let raw = match long_cigar(self, raw) {
            Some(long) => long,
            None => raw,
        };
        for op in raw.chunks_exact(4) {
            let op = u32::from_le_bytes([op[0], op[1], op[2], op[3]]);
            let kind = *OpKind::ALL.get((op & 15) as usize).ok_or(RecordError::CigarOp((op & 15) as u8))?;
            ops.push(Op { kind, len: op >> 4 });
        }
        Ok(())
    }

    /// The bases, two in a byte, the first in the high half: `=ACMGRSVTWYHKDBN` as 0 to 15.
    #[inline]
    pub fn packed_bases(&self) -> &'a [u8] {
        &self.bytes[self.sequence as usize..self.qualities as usize]
    }

    /// The base qualities (Phred, not ASCII); all 255 where they are missing.
    #[inline]
    pub fn qualities(&self) -> &'a [u8] {
        &self.bytes[self.qualities as usize..self.data as usize]
    }

    /// The auxiliary fields' bytes.
    #[inline]
    pub fn data(&self) -> &'a [u8] {
        &self.bytes[self.data as usize..]
    }

    /// The auxiliary fields in their order. Ends early at a malformed one.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        Fields { rest: self.data() }
    }

    /// The first auxiliary field with this tag.
    pub fn field(&self, tag: [u8; 2]) -> Option<Value<'a>> {
        self.fields().find(|(t, _)| *t == tag).map(|(_, value)| value)
    }
}

/// The value of an auxiliary field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `A`: a character.
    Character(u8),
    /// `c C s S i I`: any of the integer types.
    Integer(i64),
    /// `f`.
    Float(f32),
    /// `Z` or `H`, without the terminating zero.
    String(&'a [u8]),
    /// `B`: element type and the elements' bytes, little-endian.
    Array(u8, &'a [u8]),
}

impl<'a> Value<'a> {
    /// The value where it is an integer.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Value::Integer(n) => Some(n),
            _ => None,
        }
    }

    /// The value where it is a string.
    pub fn as_string(self) -> Option<&'a [u8]> {
        match self {
            Value::String(s) => Some(s),
            _ => None,
        }
    }
}

/// Iterator over auxiliary fields.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = ([u8; 2], Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&[t0, t1, kind], rest) = self.rest.split_first_chunk::<3>()?;
        let (value, length) = value(kind, rest)?;
        self.rest = &rest[length..];
        Some(([t0, t1], value))
    }
}

/// Decodes one value; `None` where the bytes end too early or the type is unknown.
#[inline]
fn value(kind: u8, rest: &[u8]) -> Option<(Value<'_>, usize)> {
    Some(match kind {
        b'Z' | b'H' => {
            let end = rest.iter().position(|&b| b == 0)?;
            (Value::String(&rest[..end]), end + 1)
        }
        b'C' => (Value::Integer(i64::from(*rest.first()?)), 1),
        b'c' => (Value::Integer(i64::from(*rest.first()? as i8)), 1),
        b'A' => (Value::Character(*rest.first()?), 1),
        b'S' => (Value::Integer(i64::from(u16::from_le_bytes(*rest.first_chunk()?))), 2),
        b's' => (Value::Integer(i64::from(i16::from_le_bytes(*rest.first_chunk()?))), 2),
        b'I' => (Value::Integer(i64::from(u32::from_le_bytes(*rest.first_chunk()?))), 4),
        b'i' => (Value::Integer(i64::from(i32::from_le_bytes(*rest.first_chunk()?))), 4),
        b'f' => (Value::Float(f32::from_le_bytes(*rest.first_chunk()?)), 4),
        b'B' => {
            let element = *rest.first()?;
            let count = u32::from_le_bytes(*rest.get(1..)?.first_chunk()?) as usize;
            let width = match element {
                b'c' | b'C' => 1,
                b's' | b'S' => 2,
                b'i' | b'I' | b'f' => 4,
                _ => return None,
            };
            let length = count.checked_mul(width)?;
            (Value::Array(element, rest.get(5..)?.get(..length)?), 5 + length)
        }
        _ => return None,
    })
}

/// The CIGAR of the `CG` field, where the record's own is the placeholder `<l_seq>S<n>N`.
fn long_cigar<'a>(record: &Record<'a>, raw: &[u8]) -> Option<&'a [u8]> {
    let placeholder: &[u8; 8] = raw.try_into().ok()?;
    let clip = u32_at(placeholder, 0);
    if clip & 15 != 4 || (clip >> 4) as usize != record.base_count() || u32_at(placeholder, 4) & 15 != 3 {
        return None;
    }
    match record.field(*b"CG") {
        Some(Value::Array(b'I', bytes)) => Some(bytes),
        _ => None,
    }
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
fn i32_at(bytes: &[u8], at: usize) -> i32 {
    u32_at(bytes, at) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(name: &[u8], ops: &[u32], bases: usize, data: &[u8]) -> Vec<u8> {
        let mut out = vec![0; CORE_LENGTH];
        out[0..4].copy_from_slice(&3i32.to_le_bytes());
        out[4..8].copy_from_slice(&99i32.to_le_bytes());
        out[8] = name.len() as u8;
        out[9] = 60;
        out[12..14].copy_from_slice(&(ops.len() as u16).to_le_bytes());
        out[14..16].copy_from_slice(&0x63u16.to_le_bytes());
        out[16..20].copy_from_slice(&(bases as u32).to_le_bytes());
        out.extend_from_slice(name);
        ops.iter().for_each(|op| out.extend_from_slice(&op.to_le_bytes()));
        out.extend(std::iter::repeat_n(0x12, bases.div_ceil(2)));
        out.extend(std::iter::repeat_n(30, bases));
        out.extend_from_slice(data);
        out
    }

    #[test]
    fn fields_are_decoded_in_place() {
        let data = b"NMC\x02RGZlane1\0BQBs\x02\0\0\0\x01\0\xff\xffXFf\0\0\x80\x3f";
        let bytes = record(b"r1\0", &[5 << 4], 5, data);
        let r = Record::new(&bytes).expect("valid");
        assert_eq!((r.ref_id(), r.pos(), r.mapq(), r.name()), (3, 99, 60, &b"r1"[..]));
        assert!(r.flags().is_proper_pair() && r.flags().is_mate_reverse() && r.flags().is_first());
        assert_eq!(r.field(*b"NM"), Some(Value::Integer(2)));
        assert_eq!(r.field(*b"RG"), Some(Value::String(b"lane1")));
        assert_eq!(r.field(*b"BQ"), Some(Value::Array(b's', b"\x01\0\xff\xff")));
        assert_eq!(r.field(*b"XF"), Some(Value::Float(1.0)));
        assert_eq!((r.packed_bases().len(), r.qualities().len()), (3, 5));
    }

    #[test]
    fn a_cigar_of_the_cg_field_replaces_the_placeholder() {
        let mut data = b"CGBI\x02\0\0\0".to_vec();
        data.extend_from_slice(&(3u32 << 4).to_le_bytes());
        data.extend_from_slice(&((2u32 << 4) | 1).to_le_bytes());
        let bytes = record(b"r\0", &[(5 << 4) | 4, (3 << 4) | 3], 5, &data);
        let mut ops = Vec::new();
        Record::new(&bytes).expect("valid").cigar_into(&mut ops).expect("valid");
        assert_eq!(ops, [Op { kind: OpKind::Match, len: 3 }, Op { kind: OpKind::Insertion, len: 2 }]);
    }

    #[test]
    fn padded_names_end_at_the_first_zero() {
        for (stored, name) in
            [(&b"ab\0\0"[..], &b"ab"[..]), (b"abc\0", b"abc"), (b"abc", b"abc"), (b"\0", b"")]
        {
            let bytes = record(stored, &[], 0, b"");
            assert_eq!(Record::new(&bytes).expect("valid").name(), name);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(r) = Record::new(&bytes) {
                let mut ops = Vec::new();
                let _ = r.cigar_into(&mut ops);
                let _ = (r.name(), r.packed_bases(), r.qualities(), r.fields().count());
            }
        }

        #[test]
        fn no_small_length_fields_make_it_panic(
            name in 0u8..8, ops in 0u16..6, bases in 0u32..40, tail in proptest::collection::vec(any::<u8>(), 0..120)
        ) {
            let mut bytes = vec![0; CORE_LENGTH];
            bytes[8] = name;
            bytes[12..14].copy_from_slice(&ops.to_le_bytes());
            bytes[16..20].copy_from_slice(&bases.to_le_bytes());
            bytes.extend(tail);
            if let Ok(r) = Record::new(&bytes) {
                let mut ops = Vec::new();
                let _ = r.cigar_into(&mut ops);
                let _ = (r.name(), r.packed_bases(), r.qualities(), r.fields().count());
            }
        }
    }
}
