//! Transitions and transversions by the values of an INFO tag of the user's choice (`-u`).

use super::StatsError;
use crate::formats::c_format::scientific;
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::record::Record;
use crate::formats::vcf::value;

/// So many bins are enough for anyone.
const MOST_BINS: usize = 10_000_000;

/// A tag and its bins.
#[derive(Clone, Debug, PartialEq)]
pub struct UserTag {
    name: String,
    /// Which of several values, from 0.
    subscript: usize,
    least: f32,
    most: f32,
    bins: usize,
}

impl UserTag {
    /// `TAG[SUBSCRIPT]:MIN:MAX:BINS`, of which all but the tag may be left out; the default is 0:1:100.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let (name, subscript) = match name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
            Some((name, subscript)) => (name, subscript.parse().ok()?),
            None => (name, 0),
        };
        let least = parts.next().map_or(Some(0.0), |text| text.parse().ok())?;
        let most = parts.next().map_or(Some(1.0), |text| text.parse().ok())?;
        let bins = parts.next().map_or(Some(100), |text| text.parse().ok())?;
        let is_sound = (1..=MOST_BINS).contains(&bins) && least < most;
        is_sound.then(|| Self { name: name.to_owned(), subscript, least, most, bins })
    }

    /// Whether the tag holds reals under a header.
    ///
    /// # Errors
    /// It is not declared, or holds no numbers.
    pub(super) fn is_real(&self, header: &Header) -> Result<bool, StatsError> {
        match header.info(self.name.as_bytes()).map(|declared| declared.kind) {
            Some(Type::Float) => Ok(true),
            Some(Type::Integer) => Ok(false),
            Some(_) => Err(StatsError::TagKind(self.name.clone())),
            None => Err(StatsError::NoTag(self.name.clone())),
        }
    }

    /// The bin of a record; `None` where it does not have the tag.
    fn bin(&self, record: &Record, is_real: bool) -> Option<usize> {
        let text = record.info(self.name.as_bytes()).filter(|text| !text.is_empty())?;
        let text = value::list(text).nth(self.subscript)?;
        let value = if is_real {
            value::real(text).filter(|value| !value.is_nan())?
        } else {
            // A missing integer is the least one.
            value::integer(text).unwrap_or(i32::MIN) as f32
        };
        Some(if value <= self.least {
            0
        } else if value >= self.most {
            self.bins - 1
        } else {
            ((value - self.least) / (self.most - self.least) * (self.bins - 1) as f32) as usize
        })
    }
}

/// Counts by the bins of a tag: transitions and transversions.
#[derive(Clone, Debug, Default)]
pub(super) struct UserCounts(Vec<[u64; 2]>);

impl UserCounts {
    /// Counts a record whose first alternate allele is a SNP.
    pub(super) fn observe(&mut self, tag: &UserTag, is_real: bool, record: &Record, is_transition: bool) {
        let Some(bin) = tag.bin(record, is_real) else { return };
        if self.0.len() <= bin {
            self.0.resize(bin + 1, [0; 2]);
        }
        self.0[bin][usize::from(!is_transition)] += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), [0; 2]);
        }
        for (counts, more) in self.0.iter_mut().zip(&other.0) {
            super::add(counts, more);
        }
    }

    /// The lines of a set.
    pub(super) fn lines(&self, tag: &UserTag, is_real: bool, set: usize, out: &mut String) {
        let UserTag { name, subscript, least, most, bins } = tag;
        for (bin, [transitions, transversions]) in self.0.iter().enumerate() {
            if transitions + transversions == 0 {
                continue;
            }
            let value = f64::from(least + (most - least) * bin as f32 / (bins - 1) as f32);
            let value = match value {
                // The only bin begins nowhere.
                value if value.is_nan() => "-nan".to_owned(),
                value if is_real => scientific(value),
                value => format!("{value:.0}"),
            };
            let all = transitions + transversions;
            *out +=
                &format!("USR:{name}/{subscript}\t{set}\t{value}\t{all}\t{transitions}\t{transversions}\n");
        }
    }

    /// The line before those of all sets.
    pub(super) fn heading(tag: &UserTag) -> String {
        let name = format!("{}/{}", tag.name, tag.subscript);
        format!(
            "# USR:{name}\t[2]id\t[3]{name}\t[4]number of SNPs\t[5]number of transitions (1st ALT)\t[6]number of transversions (1st ALT)\n"
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_parsed_and_values_find_their_bin() {
        let tag = UserTag::parse("PV4[1]:0:10:11").unwrap();
        for (info, is_real, bin) in [
            ("PV4=1,2.5", true, Some(2)),
            ("PV4=1,-1", true, Some(0)),
            ("PV4=1,99", true, Some(10)),
            ("PV4=1,.", true, None),
            ("PV4=1,.", false, Some(0)),
            ("PV4=1", true, None),
            ("PV4", true, None),
            (".", true, None),
        ] {
            let record = Record::parse(format!("1\t1\t.\tA\tC\t.\t.\t{info}").as_bytes()).unwrap();
            assert_eq!(tag.bin(&record, is_real), bin, "{info}");
        }
        for text in ["", ":1", "A[x]", "A[-1]", "A:x", "A:0:1:0", "A:2:1", "A:nan", "A:0:1:99999999999"] {
            assert_eq!(UserTag::parse(text), None, "{text}");
        }
    }
}
