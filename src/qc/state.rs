//! States kept in files: what a pass has counted so far, to go on after a killed job, to join the parts of a file that
//! several jobs have walked, and to join lanes and nights of one sample.
//!
//! A file is `norn.qcstate`, the format's number, the length and BLAKE3 of what follows, and that, compressed: a
//! [`Head`] and a [`CollectorSet`]. It holds neither path nor time, so equal runs give equal bytes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Options;
use super::collector::{Collector, Context};
use super::set::CollectorSet;
use crate::formats::header::{Header, ReadGroup};
use crate::formats::merged::MergedFiles;
use crate::formats::output::{AtomicFile, OutputError};

/// Changes whenever a state of an older version would be misread.
const FORMAT: u32 = 2;
const MAGIC: &[u8] = b"norn.qcstate\0\0\0\0";
/// Magic, format, length, and digest.
const PREFIX: usize = 16 + 4 + 8 + 32;
/// Deflate packs no byte into less than 1/1032 of one.
const MAX_RATIO: u64 = 1032;

/// What a state is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The sample.
    pub sample: String,
    /// The merged header of its files.
    pub header: Header,
    /// Digest of the header and the files' sizes: states of one source are parts of one pass.
    pub source: [u8; 32],
    /// Whether a reference was given.
    pub has_reference: bool,
    /// The options as they were serialised.
    options: Vec<u8>,
    /// The shards that it holds, and how many the source has.
    pub shards: (usize, usize),
    /// See [`Self::shards`].
    pub of: usize,
}

/// Why a state cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// It cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is no state, of another format, or damaged.
    #[error("{path}: {what}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It does not go with the others.
    #[error("{path}: {what}: it cannot be joined with {first}", path = path.display(), first = first.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// The file it does not go with.
        first: PathBuf,
        /// Where they differ.
        what: String,
    },
    /// Parts are missing or given twice.
    #[error("{path}: {what}", path = path.display())]
    Parts {
        /// The first file of the source.
        path: PathBuf,
        /// Which shards.
        what: String,
    },
    /// The file for the state has one that this run does not go on from.
    #[error("{path}: this is the state of another file or of other options; give another name, or remove it", path = path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Head {
    /// The head of a state of nothing yet, of files with so many shards, which begins at one of them.
    pub fn new(sample: &str, files: &MergedFiles, context: &Context, first: usize, of: usize) -> Self {
        let sizes: Vec<Option<u64>> = files.files().iter().map(|file| file.size()).collect();
        // Numbers and words always have a form.
        let identity = postcard::to_stdvec(&(&context.header, sizes)).unwrap_or_default();
        Self {
            sample: sample.to_owned(),
            header: context.header.clone(),
            source: *blake3::hash(&identity).as_bytes(),
            has_reference: context.reference.is_some(),
            options: postcard::to_stdvec(&context.options).unwrap_or_default(),
            shards: (first, first),
            of,
        }
    }

    /// Whether the other is of the same pass and begins at the same shard, so that this one can go on from it.
    pub fn continues(&self, other: &Head) -> bool {
        let mut other = other.clone();
        other.shards.1 = self.shards.1;
        *self == other
    }
}

/// Writes a state.
///
/// # Errors
/// The disk.
pub fn write(path: &Path, head: &Head, set: &CollectorSet) -> Result<(), StateError> {
    let bytes = postcard::to_stdvec(&(head, set))
        .map_err(|error| StateError::Malformed { path: path.to_owned(), what: error.to_string() })?;
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
    let mut packed = vec![0; compressor.deflate_compress_bound(bytes.len())];
    // The buffer is as large as the library asks for.
    let length = compressor.deflate_compress(&bytes, &mut packed).unwrap_or(0);
    packed.truncate(length);
    let mut file = AtomicFile::create(path)?;
    let mut put =
        |bytes: &[u8]| file.write_all(bytes).map_err(|source| OutputError { path: path.to_owned(), source });
    put(MAGIC)?;
    put(&FORMAT.to_le_bytes())?;
    put(&(bytes.len() as u64).to_le_bytes())?;
    put(blake3::hash(&bytes).as_bytes())?;
    put(&packed)?;
    Ok(file.commit()?)
}

/// Reads a state.
///
/// # Errors
/// It cannot be read, is of another format, or is damaged.
pub fn read(path: &Path) -> Result<(Head, CollectorSet), StateError> {
    let bad = |what: &str| StateError::Malformed { path: path.to_owned(), what: what.to_owned() };
    let bytes = std::fs::read(path).map_err(|source| StateError::Io { path: path.to_owned(), source })?;
    let Some((prefix, packed)) =
        bytes.split_at_checked(PREFIX).filter(|(prefix, _)| prefix.starts_with(MAGIC))
    else {
        return Err(bad("this is no state of norn qc"));
    };
    let number = |at: usize| prefix[at..at + 8].iter().rev().fold(0u64, |n, &byte| n << 8 | u64::from(byte));
    let format = number(16) as u32;
    if format != FORMAT {
        return Err(bad(&format!("a state of format {format}; this norn reads {FORMAT} (make it anew)")));
    }
    let length = number(20);
    if length > (packed.len() as u64 + 1) * MAX_RATIO {
        return Err(bad("the state is damaged: its length cannot be"));
    }
    let mut payload = vec![0; length as usize];
    let inflated = libdeflater::Decompressor::new().deflate_decompress(packed, &mut payload);
    if inflated != Ok(payload.len()) || blake3::hash(&payload).as_bytes()[..] != prefix[28..] {
        return Err(bad("the state is damaged: its checksum is wrong"));
    }
    postcard::from_bytes(&payload).map_err(|error| bad(&format!("the state is damaged: {error}")))
}

/// States that together are one sample.
pub struct States {
    /// By source, each source's parts in order.
    sources: BTreeMap<[u8; 32], Vec<(Head, CollectorSet)>>,
    header: Header,
    options: Options,
}

impl States {
    /// Reads states and checks that they go together and that nothing is missing.
    ///
    /// # Errors
    /// A state cannot be read, is of another sample, genome or command, or parts are missing.
    pub fn read(paths: &[PathBuf]) -> Result<Self, StateError> {
        let mut sources: BTreeMap<[u8; 32], Vec<(Head, CollectorSet)>> = BTreeMap::new();
        let mut first_paths: BTreeMap<[u8; 32], &PathBuf> = BTreeMap::new();
        let mut first: Option<Head> = None;
        let mut read_groups: Vec<ReadGroup> = Vec::new();
        for path in paths {
            let (head, set) = read(path)?;
            let other = |what| StateError::Other { path: path.clone(), first: paths[0].clone(), what };
            let first = first.get_or_insert_with(|| head.clone());
            if let Some(what) = difference(first, &head) {
                return Err(other(what.to_owned()));
            }
            first.header.join_contigs(&head.header.contigs).map_err(other)?;
            add_read_groups(&mut read_groups, &head.header);
            first_paths.entry(head.source).or_insert(path);
            sources.entry(head.source).or_default().push((head, set));
        }
        for (source, parts) in &mut sources {
            parts.sort_by_key(|(head, _)| head.shards);
            if let Some(what) = gap(parts.iter().map(|(head, _)| head)) {
                return Err(StateError::Parts { path: first_paths[source].clone(), what });
            }
        }
        let header =
            Header { read_groups, ..first.as_ref().map(|head| head.header.clone()).unwrap_or_default() };
        let options = first.map(|head| postcard::from_bytes(&head.options)).transpose();
        let options = options.map_err(|error| StateError::Malformed {
            path: paths[0].clone(),
            what: format!("the state is damaged: {error}"),
        })?;
        Ok(Self { sources, header, options: options.unwrap_or_default() })
    }

    /// The sample.
    pub fn sample(&self) -> &str {
        self.sources.values().flatten().next().map_or("", |(head, _)| &head.sample)
    }

    /// The header of all sources.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The options that the passes had.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether the passes had a reference.
    pub fn had_reference(&self) -> bool {
        self.sources.values().flatten().any(|(head, _)| head.has_reference)
    }

    /// All of them as one, and the names of the collectors whose figures cannot be had from several sources.
    pub fn join(self, context: &Context) -> (CollectorSet, Vec<&'static str>) {
        let groups = &self.header.read_groups;
        let of_source = |parts: Vec<(Head, CollectorSet)>| {
            let number = |group: &ReadGroup| groups.iter().position(|known| known == group);
            let theirs = parts.first().map(|(head, _)| head.header.read_groups.clone()).unwrap_or_default();
            // The last is for reads without a read group.
            let numbers: Vec<usize> = theirs.iter().filter_map(number).chain([groups.len()]).collect();
            let mut set = CollectorSet::new(&Context {
                header: Header { read_groups: theirs, ..context.header.clone() },
                ..context.clone()
            });
            let of_something = parts.into_iter().filter(|(head, _)| head.shards.0 < head.shards.1);
            of_something.for_each(|(_, part)| set.merge(part));
            set.regroup(&numbers, groups.len() + 1);
            set
        };
        let mut sets = self.sources.into_values().map(of_source);
        let Some(first) = sets.next() else { return (CollectorSet::new(context), Vec::new()) };
        let before = first.names();
        let all = sets.fold(first, |all, next| all.and(next));
        let after = all.names();
        (all, before.into_iter().filter(|name| !after.contains(name)).collect())
    }
}

/// Where two states cannot go together.
fn difference(a: &Head, b: &Head) -> Option<&'static str> {
    if a.sample != b.sample {
        Some("it is of another sample")
    } else if a.options != b.options || a.has_reference != b.has_reference {
        Some("it was made with other options")
    } else if a.header.sort_order != b.header.sort_order {
        Some("it is sorted otherwise")
    } else {
        None
    }
}

/// What is missing between parts in order, or given twice.
fn gap<'h>(parts: impl Iterator<Item = &'h Head>) -> Option<String> {
    let (mut next, mut of) = (0, 0);
    for head in parts {
        let (from, to) = head.shards;
        if from > next {
            return Some(format!("shards {} to {from} of {} are in none of the states", next + 1, head.of));
        }
        if from < next {
            return Some(format!("shards {} to {} of {} are in two states", from + 1, next.min(to), head.of));
        }
        (next, of) = (to, head.of);
    }
    (next < of).then(|| format!("shards {} to {of} of {of} are in none of the states", next + 1))
}

/// Adds a header's read groups that are not there yet.
fn add_read_groups(all: &mut Vec<ReadGroup>, header: &Header) {
    for group in &header.read_groups {
        if !all.contains(group) {
            all.push(group.clone());
        }
    }
}
