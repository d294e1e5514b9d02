//! The `#key=value` lines in front of a scoring file's table.
//!
//! Source: PGS Catalog scoring files 2.0, pgscatalog.org/downloads.

use std::io;
use std::path::Path;

use crate::formats::text;
use crate::genome::contigs::Build;

/// Keys and values, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    entries: Vec<(String, String)>,
}

impl Header {
    /// Reads the lines in front of a file's table, and nothing else.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let (mut reader, mut line, mut header) = (text::open(path)?, Vec::new(), Self::default());
        while text::read_line(&mut *reader, &mut line)? && line.starts_with(b"#") {
            header.take(&String::from_utf8_lossy(&line));
        }
        Ok(header)
    }

    /// Takes a line that begins with `#`. Headings (`##`) and lines without `=` say nothing.
    pub fn take(&mut self, line: &str) {
        if line.starts_with("##") {
            return;
        }
        if let Some((key, value)) = line.trim_start_matches('#').split_once('=') {
            self.entries.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }

    /// All keys and their values as they stand.
    pub fn entries(&self) -> &[(String, String)] {
        &self.entries
    }

    /// The value of a key, the first where there are several; `None` where it is empty or `NR` (not reported).
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.entries.iter().find(|(name, _)| name == key)?;
        (!value.is_empty() && value != "NR").then_some(value)
    }

    /// The score's identifier: `pgs_id`, or that of OmicsPred or another catalogue.
    pub fn score_id(&self) -> Option<&str> {
        ["pgs_id", "omicspred_id", "score_id"].iter().find_map(|key| self.get(key))
    }

    /// The authors' name of the score.
    pub fn name(&self) -> Option<&str> {
        self.get("pgs_name")
    }

    /// The trait as the authors name it.
    pub fn reported_trait(&self) -> Option<&str> {
        self.get("trait_reported")
    }

    /// The trait's names in the ontology.
    pub fn mapped_traits(&self) -> Vec<&str> {
        self.list("trait_mapped")
    }

    /// The trait's identifiers in the ontology (`EFO_0000305`).
    pub fn trait_ids(&self) -> Vec<&str> {
        self.list("trait_efo")
    }

    /// What kind of number a weight is (`beta`, `log(OR)`, `OR`).
    pub fn weight_type(&self) -> Option<&str> {
        self.get("weight_type")
    }

    /// The publication.
    pub fn citation(&self) -> Option<&str> {
        self.get("citation")
    }

    /// The terms of use, where they are not the catalogue's own.
    pub fn license(&self) -> Option<&str> {
        self.get("license")
    }

    /// How many variants the file says that it has.
    pub fn variants_number(&self) -> Option<u64> {
        self.get("variants_number")?.parse().ok()
    }

    /// The build of the authors' positions.
    pub fn genome_build(&self) -> Option<Build> {
        build_of(self.get("genome_build")?)
    }

    /// The build of the harmonised positions.
    pub fn harmonised_build(&self) -> Option<Build> {
        build_of(self.get("HmPOS_build")?)
    }

    fn list(&self, key: &str) -> Vec<&str> {
        self.get(key).map_or_else(Vec::new, |value| value.split('|').map(str::trim).collect())
    }
}

/// The build of a name that scoring files use; `None` for older ones and for what is no build.
pub fn build_of(name: &str) -> Option<Build> {
    match name {
        "GRCh37" | "hg19" => Some(Build::Grch37),
        "GRCh38" | "hg38" => Some(Build::Grch38),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read() {
        let mut header = Header::default();
        for line in [
            "###PGS CATALOG SCORING FILE - see https://a?b=c",
            "#pgs_id=PGS000001",
            "#trait_efo=EFO_1|EFO_2",
            "#genome_build=hg19",
            "#weight_type=NR",
            "#variants_number=77",
            "#citation=A et al. doi:10.1/a=b",
            "#HmPOS_build=GRCh38",
            "#no key",
        ] {
            header.take(line);
        }
        assert_eq!(header.score_id(), Some("PGS000001"));
        assert_eq!(header.trait_ids(), ["EFO_1", "EFO_2"]);
        assert_eq!(header.genome_build(), Some(Build::Grch37));
        assert_eq!(header.harmonised_build(), Some(Build::Grch38));
        assert_eq!((header.weight_type(), header.variants_number()), (None, Some(77)));
        assert_eq!(header.citation(), Some("A et al. doi:10.1/a=b"));
        assert_eq!(header.entries().len(), 7);
    }
}
