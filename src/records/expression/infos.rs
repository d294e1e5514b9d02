//! The INFO fields of a record that an expression names, found in one walk at the first question for one of them.

use crate::formats::vcf::record::{InfoPlace, Record};

/// Where they stand.
#[derive(Debug, Default)]
pub struct Infos {
    places: Vec<Option<InfoPlace>>,
    is_known: bool,
}

impl Infos {
    /// Another record follows.
    pub fn forget(&mut self) {
        self.is_known = false;
    }

    /// The value of one of the tags: `None` where there is no such field, empty for a flag.
    pub fn value<'r>(&mut self, record: &'r Record, tags: &[Vec<u8>], number: usize) -> Option<&'r [u8]> {
        if !self.is_known {
            record.find_infos(tags, &mut self.places);
            self.is_known = true;
        }
        self.places.get(number).copied().flatten().map(|place| record.info_at(place))
    }
}
