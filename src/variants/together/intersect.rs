//! Which sites are in which files (bcftools isec).

use rayon::ThreadPool;

use super::input::{self, Input, Sieve};
use super::pairing::{self, Pairing};
use super::walk::{Position, Walk};
use super::{TogetherError, drive, in_file};
use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::{Column, Record};
use crate::formats::vcf::writer::Block;
use crate::records::condition::Condition;
use crate::variants::output::OutputForm;

/// In how many files, or in which, a site must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// `=N`.
    Exactly(usize),
    /// `+N`.
    AtLeast(usize),
    /// `-N`.
    AtMost(usize),
    /// `~BITS`: in these and no others.
    These(Vec<bool>),
    /// In the first alone.
    FirstAlone,
    /// Of two files, what is in one and in both goes to different outputs.
    Venn,
}

impl Presence {
    /// bcftools' `--nfiles`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok();
        match text.as_bytes().first()? {
            b'=' => Some(Self::Exactly(number(&text[1..])?)),
            b'+' => Some(Self::AtLeast(number(&text[1..])?)),
            b'-' => Some(Self::AtMost(number(&text[1..])?)),
            b'~' => {
                let bits = text[1..].bytes().map(|bit| match bit {
                    b'0' => Some(false),
                    b'1' => Some(true),
                    _ => None,
                });
                Some(Self::These(bits.collect::<Option<_>>()?))
            }
            b'0'..=b'9' => Some(Self::Exactly(number(text)?)),
            _ => None,
        }
    }

    fn holds(&self, present: &[bool]) -> bool {
        let count = present.iter().filter(|is_here| **is_here).count();
        match self {
            Self::Exactly(n) => count == *n,
            Self::AtLeast(n) => count >= *n,
            Self::AtMost(n) => count <= *n,
            Self::These(these) => present == these.as_slice(),
            Self::FirstAlone => count == 1 && present.first() == Some(&true),
            Self::Venn => true,
        }
    }
}

/// Where a record goes: file, and whether a Venn diagram's other half has it, too.
pub type Route<'r> = dyn Fn(usize, bool) -> Option<usize> + Sync + 'r;

/// What is asked.
pub struct Question<'q> {
    /// What goes together.
    pub pairing: Pairing,
    /// Which sites.
    pub presence: Presence,
    /// Sites of each file that count.
    pub conditions: Vec<Option<Condition>>,
    /// The outputs of records; their forms.
    pub forms: &'q [OutputForm],
    /// To which of them a record goes.
    pub route: &'q Route<'q>,
}

/// What a stretch of positions gives.
#[derive(Debug, Default)]
pub struct Found {
    /// Lines of CHROM, POS, REF, ALT and a digit a file.
    pub sites: Vec<u8>,
    /// Records for each output.
    pub blocks: Vec<Block>,
}

/// Goes through all files and hands what is found to `commit` in order.
///
/// # Errors
/// A file is damaged or not sorted, or the output cannot be written.
pub fn intersect(
    mut inputs: Vec<Input>,
    sieve: Sieve,
    question: &Question<'_>,
    pool: &ThreadPool,
    commit: impl FnMut(Found) -> Result<(), TogetherError>,
) -> Result<(), TogetherError> {
    input::align(&mut inputs, &std::sync::Arc::new(sieve))?;
    let paths: Vec<_> = inputs.iter().map(|input| input.path().to_owned()).collect();
    let mut walk = Walk::new(inputs, pool);
    let work = |positions: Vec<Position>| {
        let mut sites = Vec::new();
        let mut outputs: Vec<Vec<Record>> = question.forms.iter().map(|_| Vec::new()).collect();
        for position in positions {
            let rows = pairing::rows(&position.lines, question.pairing);
            let mut lines: Vec<Option<(usize, Record)>> =
                position.lines.into_iter().map(|line| Some((line.file, line.record))).collect();
            for row in rows {
                let mut members = Vec::new();
                let mut present = vec![false; paths.len()];
                for line in row {
                    let Some((file, record)) = lines[line].take() else { continue };
                    let passes = match &question.conditions.get(file) {
                        Some(Some(condition)) => {
                            condition.passes(&record).map_err(|source| in_file(&paths[file], source))?
                        }
                        _ => true,
                    };
                    if passes {
                        present[file] = true;
                        members.push((file, record));
                    }
                }
                if members.is_empty() || !question.presence.holds(&present) {
                    continue;
                }
                write_site(&members[0].1, &present, &mut sites);
                let is_shared = members.len() > 1;
                for (file, record) in members {
                    if let Some(output) = (question.route)(file, is_shared) {
                        outputs[output].push(record);
                    }
                }
            }
        }
        let blocks = question.forms.iter().zip(&outputs).map(|(form, records)| form.block(records));
        Ok(Found { sites, blocks: blocks.collect::<Result<_, _>>()? })
    };
    drive(pool, || walk.advance(), work, commit)
}

fn write_site(record: &Record, present: &[bool], out: &mut Vec<u8>) {
    out.extend_from_slice(record.chrom());
    out.push(b'\t');
    write_integer(record.position() + 1, out);
    out.push(b'\t');
    out.extend_from_slice(record.reference());
    out.push(b'\t');
    out.extend_from_slice(record.column(Column::Alt));
    out.push(b'\t');
    out.extend(present.iter().map(|is_here| b'0' + u8::from(*is_here)));
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_is_read_and_holds() {
        for (text, present, expected) in [
            ("=2", [true, true, false], Some(true)),
            ("2", [true, true, true], Some(false)),
            ("+2", [true, true, true], Some(true)),
            ("-1", [true, true, false], Some(false)),
            ("~110", [true, true, false], Some(true)),
            ("~111", [true, true, false], Some(false)),
            ("x", [true; 3], None),
            ("~12", [true; 3], None),
            ("+", [true; 3], None),
        ] {
            assert_eq!(Presence::parse(text).map(|presence| presence.holds(&present)), expected, "{text}");
        }
    }
}
