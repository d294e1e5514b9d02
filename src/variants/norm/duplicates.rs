//! `-d`: of records at one position that are the same, or of the same kind, the first stays.

use super::RemoveDuplicates;
use crate::formats::vcf::record::Record;
use crate::records::kinds::Kinds;
use crate::variants::allele_lists::nth;

/// What has been kept at a position.
#[derive(Debug)]
pub struct Duplicates {
    which: RemoveDuplicates,
    contig: Vec<u8>,
    position: Option<i64>,
    kinds: Kinds,
    alleles: Vec<Alleles>,
}

/// Alleles of a record, as they are compared.
#[derive(Debug, PartialEq, Eq)]
struct Alleles {
    reference: Vec<u8>,
    /// In order; a symbolic one with its SVLEN.
    alternates: Vec<Vec<u8>>,
}

impl Alleles {
    fn of(record: &Record) -> Self {
        let is_biallelic = record.allele_count() == 2;
        let mut alternates: Vec<Vec<u8>> = record.alternates().map(<[u8]>::to_vec).collect();
        if is_biallelic {
            alternates[0].make_ascii_lowercase();
            if alternates[0].starts_with(b"<")
                && let Some(length) = record.info(b"SVLEN").and_then(|list| nth(list, 0))
            {
                alternates[0].push(b'.');
                alternates[0].extend_from_slice(length);
            }
        }
        alternates.sort_unstable();
        Self { reference: record.reference().to_ascii_lowercase(), alternates }
    }
}

impl Duplicates {
    /// Duplicates of this sort.
    pub fn new(which: RemoveDuplicates) -> Self {
        let kinds = Kinds::REFERENCE;
        Self { which, contig: Vec::new(), position: None, kinds, alleles: Vec::new() }
    }

    /// Whether a record repeats one before it at its position; if not, it counts from now on. Records come in order.
    pub fn is_duplicate(&mut self, record: &Record) -> bool {
        let kinds = Kinds::of(record);
        let is_same_place = self.position == Some(record.position()) && self.contig == record.chrom();
        if !is_same_place {
            self.contig.clear();
            self.contig.extend_from_slice(record.chrom());
            (self.position, self.kinds) = (Some(record.position()), Kinds::REFERENCE);
            self.alleles.clear();
        }
        let both = |those: Kinds| kinds.meets(those) && self.kinds.meets(those);
        let is_small = || both(Kinds::SNP.with(Kinds::MNP));
        let is_indel = || both(Kinds::INDEL);
        let is_duplicate = is_same_place
            && match self.which {
                RemoveDuplicates::All => true,
                RemoveDuplicates::Snps => is_small(),
                RemoveDuplicates::Indels => is_indel(),
                RemoveDuplicates::Both => is_small() || is_indel(),
                RemoveDuplicates::Exact => self.alleles.contains(&Alleles::of(record)),
            };
        if !is_duplicate {
            self.kinds = self.kinds.with(kinds);
            if self.which == RemoveDuplicates::Exact {
                self.alleles.push(Alleles::of(record));
            }
        }
        is_duplicate
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_of_duplicate_is_found() {
        let records = [
            "1 A C .",
            "1 A G .",
            "1 A C .",
            "1 A AT .",
            "1 a AT .",
            "1 A <DEL> SVLEN=5",
            "1 A <DEL> SVLEN=6",
            "2 A C .",
        ];
        for (which, kept) in [
            (RemoveDuplicates::All, &[0, 7][..]),
            (RemoveDuplicates::Snps, &[0, 3, 4, 5, 6, 7]),
            (RemoveDuplicates::Indels, &[0, 1, 2, 3, 5, 6, 7]),
            (RemoveDuplicates::Both, &[0, 3, 5, 6, 7]),
            (RemoveDuplicates::Exact, &[0, 1, 3, 5, 6, 7]),
        ] {
            let mut duplicates = Duplicates::new(which);
            let found = records.iter().enumerate().filter(|(_, text)| {
                let fields: Vec<&str> = text.split(' ').collect();
                let line = format!("1\t{}\t.\t{}\t{}\t.\t.\t{}", fields[0], fields[1], fields[2], fields[3]);
                !duplicates.is_duplicate(&Record::parse(line.as_bytes()).unwrap())
            });
            assert_eq!(found.map(|(i, _)| i).collect::<Vec<_>>(), kept, "{which:?}");
        }
    }
}
