//! CRAM and SAM through htslib, its records laid out as BAM bytes.

use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

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
    /// Where what comes through a pipe could not be read to its end, the reason.
    broken: Arc<Mutex<Option<io::Error>>>,
}

const ALL: Columns = Columns { names: true, bases: true, qualities: true, fields: true };

enum Inner {
    Whole(hts::Reader),
    Indexed(hts::IndexedReader),
}

impl HtsReader {
    /// The header alone.
    pub(super) fn header(path: &Path, reference: Option<&Path>) -> Result<Header, AlignmentError> {
        Self::open(path, reference, ALL)?.parsed_header()
    }

    fn parsed_header(&self) -> Result<Header, AlignmentError> {
        let Inner::Whole(inner) = &self.inner else { return Err(AlignmentError::UnknownFormat) };
        Header::parse(inner.header().as_bytes()).map_err(|error| AlignmentError::BadHeader(error.to_string()))
    }

    /// All records of a source that goes only forward, and its header. htslib opens files by their name alone, so the
    /// source's bytes go to it through a pipe, which has a name.
    pub(super) fn pipe(
        mut source: impl Read + Send + 'static,
        reference: Option<&Path>,
    ) -> Result<(Self, Header), AlignmentError> {
        let (outlet, mut inlet) = io::pipe()?;
        let broken: Arc<Mutex<Option<io::Error>>> = Arc::default();
        let told = Arc::clone(&broken);
        let feed = move || {
            // The reason is there before the inlet closes, so whoever meets the end finds it. That nobody reads any more
            // is none.
            if let Err(error) = io::copy(&mut source, &mut inlet)
                && error.kind() != io::ErrorKind::BrokenPipe
                && let Ok(mut told) = told.lock()
            {
                *told = Some(error);
            }
        };
        std::thread::Builder::new().name("standard input".into()).spawn(feed)?;
        // htslib opens the outlet anew; ours closes at the end of this function, so that the feeder sees it when htslib
        // has gone.
        let path = PathBuf::from(format!("/dev/fd/{}", outlet.as_raw_fd()));
        let reader = Self { broken, ..Self::open(&path, reference, ALL)? };
        let header = reader.parsed_header()?;
        Ok((reader, header))
    }

    /// Has the records that are still to come decoded in these columns only.
    pub(super) fn restrict(&mut self, columns: Columns) -> Result<(), AlignmentError> {
        match &mut self.inner {
            Inner::Whole(inner) => restrict(inner, columns),
            Inner::Indexed(inner) => restrict(inner, columns),
        }
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
        Ok(Self::new(Inner::Whole(inner)))
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
        Ok(Self::new(Inner::Indexed(inner)))
    }

    fn new(inner: Inner) -> Self {
        Self { inner, record: hts::Record::new(), bytes: Vec::new(), broken: Arc::default() }
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
            Some(Ok(())) => {}
            end => {
                if let Some(error) = self.broken.lock().map_or(None, |mut broken| broken.take()) {
                    return Err(error.into());
                }
                return end.transpose().map(|_| None).map_err(failed);
            }
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
