//! Groups of samples from a file: a sample, and behind blanks its groups, a comma between them.

use std::io;
use std::path::Path;

use thiserror::Error;

use super::fill_tags::Group;
use crate::formats::text;
use crate::formats::vcf::header::Header;

/// Why groups could not be read.
#[derive(Debug, Error)]
pub enum GroupsError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A line of the file.
    #[error("{path}, line {line}: expected a sample and its groups")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
    },
    /// There are none.
    #[error("{0}: no group has a sample that the header has")]
    Empty(String),
}

/// Reads groups, in the order in which they are named. Samples that the header does not have are passed over.
///
/// # Errors
/// The file cannot be read, or has no groups.
pub fn read(path: &Path, header: &Header) -> Result<Vec<Group>, GroupsError> {
    let name = path.display().to_string();
    let failed = |source| GroupsError::Io { path: name.clone(), source };
    let mut reader = text::open(path).map_err(failed)?;
    let (mut line, mut number, mut groups) = (Vec::new(), 0, Vec::<Group>::new());
    while text::read_line(&mut *reader, &mut line).map_err(failed)? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let Some((sample, names)) = text.rsplit_once(|c: char| c.is_ascii_whitespace()) else {
            return Err(GroupsError::Line { path: name, line: number });
        };
        let sample = sample.trim();
        let Some(place) = header.samples().iter().position(|known| known == sample) else { continue };
        for group in names.split(',') {
            let at = groups.iter().position(|known| known.name == group).unwrap_or_else(|| {
                groups.push(Group { name: group.to_owned(), samples: Vec::new() });
                groups.len() - 1
            });
            if !groups[at].samples.contains(&place) {
                groups[at].samples.push(place);
            }
        }
    }
    if groups.is_empty() {
        return Err(GroupsError::Empty(name));
    }
    Ok(groups)
}
