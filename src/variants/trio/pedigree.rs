//! Which samples are a child and its parents: a PED file, or three names.

use std::io;
use std::path::Path;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::formats::text;
use crate::formats::vcf::header::Header;

/// A child and its parents, by their places in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trio {
    /// The child.
    pub child: usize,
    /// Its father.
    pub father: usize,
    /// Its mother.
    pub mother: usize,
    /// The child has one X: sex 1 of a PED, or `1X:` before its name.
    pub has_one_x: bool,
}

impl Trio {
    /// Child, father and mother.
    pub fn members(&self) -> [usize; 3] {
        [self.child, self.father, self.mother]
    }
}

/// Why there are no trios.
#[derive(Debug, Error)]
pub enum PedigreeError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A line of the file.
    #[error("{path}, line {line}: {what}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A trio stands in it twice.
    #[error("{path}: the trio of {child} is listed twice")]
    Twice {
        /// The file.
        path: String,
        /// The child.
        child: String,
    },
    /// No line has three samples of the header.
    #[error("{0}: no trio of which all three are in the header")]
    NoTrio(String),
    /// Not three names.
    #[error("expected the names of child, father and mother, not {0:?}")]
    Names(String),
    /// A name is not in the header.
    #[error("the header has no sample {0}")]
    Unknown(String),
}

/// The trio of `[1X:|2X:]CHILD,FATHER,MOTHER`.
///
/// # Errors
/// There are not three names, or one is not in the header.
pub fn named(text: &str, header: &Header) -> Result<Trio, PedigreeError> {
    let names: Vec<&str> = text.split(',').collect();
    let [child, father, mother] = names[..] else { return Err(PedigreeError::Names(text.to_owned())) };
    let place = |name: &str| header.samples().iter().position(|sample| sample == name);
    let known = |name: &str| place(name).ok_or_else(|| PedigreeError::Unknown(name.to_owned()));
    // A sample of that very name goes before a prefix.
    let (child, has_one_x) = match (place(child), child.get(..3), child.get(3..)) {
        (Some(child), ..) => (child, false),
        (None, Some("1X:" | "1x:"), Some(name)) => (known(name)?, true),
        (None, Some("2X:" | "2x:"), Some(name)) => (known(name)?, false),
        _ => return Err(PedigreeError::Unknown(child.to_owned())),
    };
    Ok(Trio { child, father: known(father)?, mother: known(mother)?, has_one_x })
}

/// The trios of a PED file (family, child, father, mother and, if there, sex: 1 male, 2 female) of which all three are in
/// the header, in the order of their first samples there.
///
/// # Errors
/// The file cannot be read, a line is malformed, a trio is listed twice, or there is none.
pub fn read(path: &Path, header: &Header) -> Result<Vec<Trio>, PedigreeError> {
    let name = path.display().to_string();
    let failed = |source| PedigreeError::Io { path: name.clone(), source };
    let places: FxHashMap<&str, usize> =
        header.samples().iter().enumerate().map(|(place, sample)| (sample.as_str(), place)).collect();
    let mut reader = text::open(path).map_err(failed)?;
    let (mut line, mut number, mut trios) = (Vec::new(), 0, Vec::new());
    while text::read_line(&mut *reader, &mut line).map_err(failed)? {
        number += 1;
        let wrong = |what| PedigreeError::Line { path: name.clone(), line: number, what };
        let text = String::from_utf8_lossy(&line);
        let columns: Vec<&str> = text.split_ascii_whitespace().collect();
        if columns.first().is_none_or(|first| first.starts_with('#')) {
            continue;
        }
        let [_, child, father, mother, ..] = columns[..] else {
            return Err(wrong("expected family, child, father and mother"));
        };
        let [Some(&child), Some(&father), Some(&mother)] =
            [child, father, mother].map(|name| places.get(name))
        else {
            continue;
        };
        let sex = columns.get(4).map(|text| text.parse::<i64>()).transpose();
        let sex = sex.map_err(|_| wrong("the fifth column, sex, is no number"))?;
        trios.push(Trio { child, father, mother, has_one_x: sex == Some(1) });
    }
    trios.sort_by_key(|trio| trio.child.min(trio.father).min(trio.mother));
    if let Some(pair) = trios.windows(2).find(|pair| pair[0].members() == pair[1].members()) {
        return Err(PedigreeError::Twice { path: name, child: header.samples()[pair[0].child].clone() });
    }
    if trios.is_empty() {
        return Err(PedigreeError::NoTrio(name));
    }
    Ok(trios)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn header() -> Header {
        let text =
            "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td\t2X:a\n";
        Header::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn trios_are_named() {
        let trio = |child, has_one_x| Trio { child, father: 1, mother: 2, has_one_x };
        for (text, expected) in [
            ("a,b,c", trio(0, false)),
            ("1X:a,b,c", trio(0, true)),
            ("1x:a,b,c", trio(0, true)),
            ("2X:a,b,c", trio(4, false)),
            ("2x:a,b,c", trio(0, false)),
        ] {
            assert_eq!(named(text, &header()).unwrap(), expected, "{text}");
        }
        for text in ["", "a,b", "a,b,c,d", "3X:a,b,c", "a,b,x", "1X:x,b,c", "1X,b,c", "æ,b,c"] {
            assert!(named(text, &header()).is_err(), "{text}");
        }
    }

    #[test]
    fn trios_of_a_pedigree_are_in_the_order_of_the_header() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ped");
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path, &header())
        };
        let trios = of("#family\tchild\nf d c b 1\n\nf x a b 1 0\nf a b c male?\n")
            .map_err(|error| error.to_string());
        assert!(trios.unwrap_err().contains("line 5: the fifth column"));
        let trios = of("f d c b 1\nf x a b male\nf a b c\nf c b a 0 -9\n").unwrap();
        let found: Vec<_> = trios.iter().map(|trio| (trio.members(), trio.has_one_x)).collect();
        assert_eq!(found, [([0, 1, 2], false), ([2, 1, 0], false), ([3, 2, 1], true)]);
        for (text, what) in [
            ("", "no trio"),
            ("f a b\n", "line 1: expected"),
            ("f a b c\nf a b c 1\n", "the trio of a is listed twice"),
            ("f x b c\n", "no trio"),
        ] {
            assert!(of(text).unwrap_err().to_string().contains(what), "{text}");
        }
    }
}
