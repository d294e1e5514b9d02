//! Where the variants of a file are: contig, position, identifier and alleles, some 20 bytes a variant and its texts.

use rustc_hash::FxHashMap;

/// A variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site<'t> {
    /// The contig as the file names it.
    pub contig: &'t str,
    /// The number of the contig in [`SiteTable::contigs`].
    pub contig_number: u32,
    /// Position, 1-based; 0 and below where PLINK 1 does not know it.
    pub position: i32,
    /// Identifier; `.` for none.
    pub id: &'t str,
    /// The reference allele, as far as the file knows: `.bim` has the second there, BGEN the first.
    pub reference: &'t str,
    alternates: &'t str,
}

impl<'t> Site<'t> {
    /// The alternate alleles in order; one that is not known is `.` or `0`.
    pub fn alternates(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        // BGEN may have no other allele than the first.
        let count = if self.alternates.is_empty() { 0 } else { usize::MAX };
        self.alternates.split(',').take(count)
    }
}

/// Variants in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct SiteTable {
    contigs: Vec<String>,
    numbers: FxHashMap<String, u32>,
    rows: Vec<Row>,
    text: String,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    contig: u32,
    position: i32,
    /// Where its texts begin: identifier, reference and alternates, a tab between.
    text: usize,
}

impl SiteTable {
    /// Adds a variant; alternates are separated by commas.
    ///
    /// # Errors
    /// A text has a tab, or the contigs are too many.
    pub fn push(
        &mut self,
        contig: &str,
        position: i32,
        id: &str,
        reference: &str,
        alternates: &str,
    ) -> Result<(), &'static str> {
        if [id, reference, alternates].iter().any(|text| text.contains('\t')) {
            return Err("a tab in a name or an allele");
        }
        let contig = self.number_of(contig)?;
        self.rows.push(Row { contig, position, text: self.text.len() });
        for (text, end) in [(id, "\t"), (reference, "\t"), (alternates, "")] {
            self.text.push_str(text);
            self.text.push_str(end);
        }
        Ok(())
    }

    fn number_of(&mut self, contig: &str) -> Result<u32, &'static str> {
        if let Some(last) = self.rows.last()
            && self.contigs.get(last.contig as usize).is_some_and(|name| name == contig)
        {
            return Ok(last.contig);
        }
        if let Some(number) = self.numbers.get(contig) {
            return Ok(*number);
        }
        let number = u32::try_from(self.contigs.len()).map_err(|_| "too many contigs")?;
        self.contigs.push(contig.to_owned());
        self.numbers.insert(contig.to_owned(), number);
        Ok(number)
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        (self.rows.capacity() * size_of::<Row>() + self.text.capacity()) as u64
    }

    /// Variants.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Contigs, in the order in which they come.
    pub fn contigs(&self) -> &[String] {
        &self.contigs
    }

    /// A variant (0-based).
    pub fn get(&self, variant: usize) -> Option<Site<'_>> {
        let row = self.rows.get(variant)?;
        let end = self.rows.get(variant + 1).map_or(self.text.len(), |next| next.text);
        let mut texts = self.text.get(row.text..end)?.splitn(3, '\t');
        Some(Site {
            contig: self.contigs.get(row.contig as usize)?,
            contig_number: row.contig,
            position: row.position,
            id: texts.next()?,
            reference: texts.next()?,
            alternates: texts.next()?,
        })
    }

    /// All variants, in order.
    pub fn iter(&self) -> impl Iterator<Item = Site<'_>> {
        (0..self.len()).filter_map(|variant| self.get(variant))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sites_come_back() {
        let mut table = SiteTable::default();
        table.push("1", 5, "rs1", "A", "C,GT").unwrap();
        table.push("X", -1, ".", "", "").unwrap();
        table.push("1", 7, "", "T", ".").unwrap();
        let site = table.get(0).unwrap();
        assert_eq!((site.contig, site.position, site.id, site.reference), ("1", 5, "rs1", "A"));
        assert_eq!(site.alternates().collect::<Vec<_>>(), ["C", "GT"]);
        assert_eq!(table.get(1).unwrap().alternates().count(), 0);
        let last = table.iter().last().unwrap();
        assert_eq!((last.contig, last.contig_number, last.id), ("1", 0, ""));
        assert_eq!(last.alternates().collect::<Vec<_>>(), ["."]);
        assert!(table.push("1", 1, "a\tb", "A", "C").is_err());
        assert!(table.get(3).is_none());
    }
}
