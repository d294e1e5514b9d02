//! CRAM and SAM through htslib, its records laid out as BAM bytes.

use std::path::Path;

use rust_htslib::bam::{self as hts, FetchDefinition, Read as _};
use rust_htslib::htslib::{
    hts_fmt_option_CRAM_OPT_DECODE_MD, hts_fmt_option_CRAM_OPT_REQUIRED_FIELDS, sam_fields_SAM_AUX,
    sam_fields_SAM_CIGAR, sam_fields_SAM_FLAG, sam_fields_SAM_MAPQ, sam_fields_SAM_PNEXT, sam_fields_SAM_POS,
    sam_fields_SAM_QNAME, sam_fields_SAM_QUAL, sam_fields_SAM_RGAUX, sam_fields_SAM_RNAME,
    sam_fields_SAM_RNEXT, sam_fields_SAM_SEQ, sam_fields_SAM_TLEN,
};

use super::alignment::{AlignmentError, Columns, Fetch};
use super::bam::{CORE_LENGTH, Record};
use super::header::Header;

/// Reads records of a CRAM or SAM file.
pub struct HtsReader {
    inner: Inner,
    record: hts::Record,
    /// The record as BAM lays it out.
    bytes: Vec<u8>,
}

enum Inner {
    Whole(hts::Reader),
    Indexed(hts::IndexedReader),
}

impl HtsReader {
    /// The header alone.
    pub(super) fn header(path: &Path, reference: Option<&Path>) -> Result<Header, AlignmentError> {
        let all = Columns { names: true, bases: true, qualities: true, fields: true };
        let reader = Self::open(path, reference, all)?;
        let Inner::Whole(inner) = &reader.inner else { return Err(AlignmentError::UnknownFormat) };
        Header::parse(inner.header().as_bytes()).map_err(|error| AlignmentError::BadHeader(error.to_string()))
    }

    /// All records.
    pub(super) fn open(
        path: &Path,
        reference: Option<&Path>,
        columns: Columns,
    ) -> Result<Self, AlignmentError> {
        prepare();
        let mut inner = hts::Reader::from_path(path).map_err(failed)?;
        if let Some(reference) = reference {
            inner.set_reference(reference).map_err(failed)?;
        }
        restrict(&mut inner, columns)?;
        Ok(Self { inner: Inner::Whole(inner), record: hts::Record::new(), bytes: Vec::new() })
    }

    /// Records of regions.
    pub(super) fn indexed(
        path: &Path,
        reference: Option<&Path>,
        columns: Columns,
    ) -> Result<Self, AlignmentError> {
        prepare();
        let mut inner = hts::IndexedReader::from_path(path).map_err(failed)?;
        if let Some(reference) = reference {
            inner.set_reference(reference).map_err(failed)?;
        }
        restrict(&mut inner, columns)?;
        Ok(Self { inner: Inner::Indexed(inner), record: hts::Record::new(), bytes: Vec::new() })
    }

    /// Goes to a region.
    pub(super) fn fetch(&mut self, what: Fetch) -> Result<(), AlignmentError> {
        let Inner::Indexed(inner) = &mut self.inner else { return Err(AlignmentError::NoIndex) };
        match what {
            Fetch::Region { contig, start, end } => {
                let contig = i32::try_from(contig).map_err(|_| AlignmentError::NoIndex)?;
                inner.fetch(FetchDefinition::Region(contig, i64::from(start), i64::from(end)))
            }
            Fetch::Unplaced => inner.fetch(FetchDefinition::Unmapped),
        }
        .map_err(failed)
    }

    /// The next record.
    pub(super) fn next_record(&mut self) -> Result<Option<Record<'_>>, AlignmentError> {
        let next = match &mut self.inner {
            Inner::Whole(inner) => inner.read(&mut self.record),
            Inner::Indexed(inner) => inner.read(&mut self.record),
        };
        match next {
            None => return Ok(None),
            Some(Err(error)) => return Err(failed(error)),
            Some(Ok(())) => {}
        }
        lay_out(&self.record, &mut self.bytes);
        self.newest()
    }

    /// The record that [`Self::next_record`] gave last; `None` before the first.
    pub(super) fn newest(&self) -> Result<Option<Record<'_>>, AlignmentError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        Record::new(&self.bytes).map(Some).map_err(|source| AlignmentError::Record { position: 0, source })
    }
}

/// Writes the record as BAM does: 32 bytes, then htslib's data, which has BAM's layout already, but for a CIGAR of more
/// operations than 16 bits count: that one goes into the `CG` field (SAMv1 section 4.2.2).
fn lay_out(record: &hts::Record, bytes: &mut Vec<u8>) {
    let inner = record.inner();
    let core = &inner.core;
    let data: &[u8] = if inner.l_data > 0 && !inner.data.is_null() {
        // SAFETY: htslib keeps `l_data` initialised bytes at `data` for as long as the record is not read into again,
        // and `record` is borrowed for all of this function.
        unsafe { std::slice::from_raw_parts(inner.data, inner.l_data as usize) }
    } else {
        &[]
    };
    let long = u16::try_from(core.n_cigar).is_err();
    bytes.clear();
    bytes.reserve(CORE_LENGTH + data.len() + 16);
    bytes.extend_from_slice(&core.tid.to_le_bytes());
    bytes.extend_from_slice(&(core.pos as i32).to_le_bytes());
    bytes.push(core.l_qname as u8);
    bytes.push(core.qual);
    bytes.extend_from_slice(&core.bin.to_le_bytes());
    bytes.extend_from_slice(&(if long { 2 } else { core.n_cigar as u16 }).to_le_bytes());
    bytes.extend_from_slice(&core.flag.to_le_bytes());
    bytes.extend_from_slice(&core.l_qseq.to_le_bytes());
    bytes.extend_from_slice(&core.mtid.to_le_bytes());
    bytes.extend_from_slice(&(core.mpos as i32).to_le_bytes());
    bytes.extend_from_slice(&(core.isize_ as i32).to_le_bytes());
    if !long {
        bytes.extend_from_slice(data);
        return;
    }
    let (name, rest) = data.split_at(usize::from(core.l_qname).min(data.len()));
    let (cigar, rest) = rest.split_at((core.n_cigar as usize * 4).min(rest.len()));
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(&((core.l_qseq as u32) << 4 | 4).to_le_bytes());
    bytes.extend_from_slice(&3u32.to_le_bytes());
    bytes.extend_from_slice(rest);
    bytes.extend_from_slice(b"CGBI");
    bytes.extend_from_slice(&((cigar.len() / 4) as u32).to_le_bytes());
    bytes.extend_from_slice(cigar);
}

/// Has a CRAM decode only these columns; other formats take no notice.
fn restrict<R: hts::Read>(reader: &mut R, columns: Columns) -> Result<(), AlignmentError> {
    let mut fields = sam_fields_SAM_FLAG
        | sam_fields_SAM_RNAME
        | sam_fields_SAM_POS
        | sam_fields_SAM_MAPQ
        | sam_fields_SAM_CIGAR
        | sam_fields_SAM_RNEXT
        | sam_fields_SAM_PNEXT
        | sam_fields_SAM_TLEN;
    for (wanted, field) in [
        (columns.names, sam_fields_SAM_QNAME),
        (columns.bases, sam_fields_SAM_SEQ),
        (columns.qualities, sam_fields_SAM_QUAL),
        (columns.fields, sam_fields_SAM_AUX | sam_fields_SAM_RGAUX),
    ] {
        if wanted {
            fields |= field;
        }
    }
    reader.set_cram_options(hts_fmt_option_CRAM_OPT_REQUIRED_FIELDS, fields).map_err(failed)?;
    reader.set_cram_options(hts_fmt_option_CRAM_OPT_DECODE_MD, u32::from(columns.fields)).map_err(failed)
}

fn failed(error: rust_htslib::errors::Error) -> AlignmentError {
    AlignmentError::Htslib(format!("htslib cannot read it ({error}); CRAM needs its reference (-r FASTA)"))
}

/// Has the C library keep the memory that htslib frees and asks for again with every slice of a CRAM: giving it back to
/// the system and getting it anew takes a quarter of the decoding. Measured with glibc 2.36; other C libraries have no
/// such setting.
fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            for (parameter, bytes) in [
                (libc::M_MMAP_THRESHOLD, 1 << 30),
                (libc::M_TRIM_THRESHOLD, 1 << 30),
                (libc::M_TOP_PAD, 16 << 20),
            ] {
                // SAFETY: mallopt sets a parameter of the allocator and touches nothing else.
                unsafe { libc::mallopt(parameter, bytes) };
            }
        });
    }
}

/// htslib writes to stderr on its own; our error says what is wrong in one line.
fn prepare() {
    keep_memory();
    // SAFETY: sets one global of htslib; an int store, which htslib reads without a lock everywhere.
    unsafe { rust_htslib::htslib::hts_set_log_level(rust_htslib::htslib::htsLogLevel_HTS_LOG_OFF) }
}
