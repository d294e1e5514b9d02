//! A header for another: from a file, with other samples' names, or with the contigs of a FASTA index.

use std::collections::HashMap;

use thiserror::Error;

use crate::formats::vcf::header::{Header, HeaderError, MetaLine};

/// Why a header could not be changed.
#[derive(Debug, Error)]
pub enum ReheaderError {
    /// The new header cannot be read.
    #[error("the new header: {0}")]
    Header(#[from] HeaderError),
    /// Names for a file without samples.
    #[error("the file has no samples to be named")]
    NoSamples,
    /// Not as many names as samples.
    #[error("{names} names for {samples} samples")]
    Count {
        /// Names given.
        names: usize,
        /// Samples there.
        samples: usize,
    },
    /// Two samples of one name.
    #[error("two samples would be named {0}")]
    Twice(String),
    /// A line of an index.
    #[error("the FASTA index, line {0}: expected a name and a length")]
    Index(usize),
}

/// Names samples anew: pairs of an old and a new name, or a new one for each, in order. A blank in a name has a `\` before
/// it.
///
/// # Errors
/// There are no samples, not as many names, or a name twice.
pub fn name_samples(header: &mut Header, lines: &[String]) -> Result<(), ReheaderError> {
    if header.samples().is_empty() {
        return Err(ReheaderError::NoSamples);
    }
    let words: Vec<Vec<String>> =
        lines.iter().map(|line| words_of(line)).filter(|words| !words.is_empty()).collect();
    let names: Vec<String> = if words.iter().all(|words| words.len() >= 2) {
        let new: HashMap<&str, &str> =
            words.iter().map(|words| (words[0].as_str(), words[1].as_str())).collect();
        let renamed =
            |old: &String| new.get(old.as_str()).map_or_else(|| old.clone(), |new| (*new).to_owned());
        header.samples().iter().map(renamed).collect()
    } else {
        let names: Vec<String> = words.into_iter().filter_map(|words| words.into_iter().next()).collect();
        if names.len() != header.samples().len() {
            return Err(ReheaderError::Count { names: names.len(), samples: header.samples().len() });
        }
        names
    };
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ReheaderError::Twice(pair[0].clone()));
    }
    header.set_samples(names);
    Ok(())
}

fn words_of(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_escaped) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        if is_escaped {
            word.push(c);
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Takes names and lengths of contigs from a FASTA index: known contigs keep their other fields, those that it does not
/// have go, new ones stand behind.
///
/// # Errors
/// A line of the index has no name and length.
pub fn take_contigs(header: &mut Header, index: &str) -> Result<(), ReheaderError> {
    let mut contigs = Vec::new();
    for (number, line) in index.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let mut columns = line.split('\t');
        let length = columns.next().zip(columns.next().and_then(|length| length.parse::<u64>().ok()));
        contigs.push(length.ok_or(ReheaderError::Index(number + 1))?);
    }
    let length_of: HashMap<&str, u64> = contigs.iter().copied().collect();
    header
        .retain(|line| line.key() != "contig" || line.get("ID").is_some_and(|id| length_of.contains_key(id)));
    header.map_lines(|line| {
        let id = line.get("ID").filter(|_| line.key() == "contig")?;
        let others = line.fields().filter(|(key, _)| !matches!(*key, "ID" | "length"));
        let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
        let field = |(key, value): (&str, &str)| {
            let quote = if text.contains(&format!("{key}=\"")) { "\"" } else { "" };
            format!(",{key}={quote}{value}{quote}")
        };
        let others: String = others.map(field).collect();
        Some(format!("##contig=<ID={id},length={}{others}>", length_of.get(id)?))
    });
    for (name, length) in contigs {
        if header.contig_number(name.as_bytes()).is_none() {
            header.add(&format!("##contig=<ID={name},length={length}>"));
        }
    }
    Ok(())
}

/// The new header with the lines that BCF's records need and it lacks: their filters, tags and contigs by the old one.
pub fn complete(new: &mut Header, old: &Header) {
    let missing: Vec<MetaLine> = old
        .lines()
        .iter()
        .filter(|line| match (line.key(), line.get("ID")) {
            ("INFO", Some(id)) => new.info(id.as_bytes()).is_none(),
            ("FORMAT", Some(id)) => new.format(id.as_bytes()).is_none(),
            ("FILTER", Some(id)) => !new.has_filter(id.as_bytes()),
            ("contig", Some(id)) => new.contig_number(id.as_bytes()).is_none(),
            _ => false,
        })
        .cloned()
        .collect();
    for line in missing {
        new.add_missing(&String::from_utf8_lossy(line.as_bytes()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header::parse(
            b"##fileformat=VCFv4.2\n##contig=<ID=1,length=9,assembly=x>\n##contig=<ID=2>\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n",
        )
        .unwrap()
    }

    #[test]
    fn samples_are_named_in_order_or_by_pairs() {
        for (lines, expected) in [
            (vec!["x", "y z"], Some(vec!["x", "y"])),
            (vec!["b B", "q Q"], Some(vec!["a", "B"])),
            (vec!["a\\ 1", "b"], Some(vec!["a 1", "b"])),
            (vec!["x"], None),
            (vec!["x", "x"], None),
        ] {
            let mut header = header();
            let lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
            let done = name_samples(&mut header, &lines);
            assert_eq!(done.is_ok(), expected.is_some(), "{lines:?}");
            if let Some(expected) = expected {
                assert_eq!(header.samples(), expected, "{lines:?}");
            }
        }
    }

    #[test]
    fn contigs_are_those_of_the_index() {
        let mut header = header();
        take_contigs(&mut header, "3\t7\t1\t2\t3\n1\t10\t0\t0\t0\n").unwrap();
        let text = String::from_utf8(header.to_text()).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("##contig")).collect();
        assert_eq!(lines, ["##contig=<ID=1,length=10,assembly=x>", "##contig=<ID=3,length=7>"]);
        assert!(take_contigs(&mut header, "x\n").is_err());
    }
}
