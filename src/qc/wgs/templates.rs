//! Reads of one template that overlap: which bases of earlier records with the same name count at the same positions.
//!
//! Every record that may still overlap a later one is kept with its name and its counting bases. A later record is
//! looked up by a small table that counts names by their hash: nearly all records end there, at any depth.

/// Slots of the table for each record that is kept.
const SLOTS_PER_RECORD: usize = 16;
const LEAST_SLOTS: usize = 1 << 12;

/// Records that reach past the start of the newest one.
#[derive(Clone, Debug)]
pub struct Templates {
    records: Vec<Kept>,
    names: Vec<u8>,
    /// One byte a base on the reference: 1 where it counts.
    bases: Vec<u8>,
    blocks: Vec<Block>,
    /// Records by the low bits of their name's hash.
    slots: Vec<u16>,
    /// Records are looked over for ended ones when there are so many.
    crowded: usize,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    hash: u32,
    end: u32,
    /// Ranges of `names` and `blocks`.
    name: (u32, u32),
    blocks: (u32, u32),
}

/// A run of bases on the reference.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: u32,
    length: u32,
    /// Where its bases stand in `bases`.
    at: u32,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            names: Vec::new(),
            bases: Vec::new(),
            blocks: Vec::new(),
            slots: vec![0; LEAST_SLOTS],
            crowded: 64,
        }
    }
}

impl Templates {
    /// Forgets all records.
    pub fn clear(&mut self) {
        self.records.clear();
        self.names.clear();
        self.bases.clear();
        self.blocks.clear();
        self.slots.fill(0);
    }

    /// Begins a record that starts at `start`; records that end before it are forgotten now and then.
    #[inline]
    pub fn begin(&mut self, name: &[u8], start: u32, end: u32) {
        if self.records.len() >= self.crowded {
            self.forget(start);
        }
        let hash = libdeflater::crc32(name);
        let name_at = self.names.len() as u32;
        self.names.extend_from_slice(name);
        let blocks = self.blocks.len() as u32;
        let name = (name_at, self.names.len() as u32);
        self.records.push(Kept { hash, end, name, blocks: (blocks, blocks) });
    }

    /// Calls `each` for every earlier record of the newest one's template and each of its blocks: the position of the
    /// block's first base and its bases.
    #[inline]
    pub fn earlier(&self, start: u32, mut each: impl FnMut(u32, &[u8])) {
        let Some((newest, earlier)) = self.records.split_last() else { return };
        if self.slots[self.slot(newest.hash)] == 0 {
            return;
        }
        let name = |kept: &Kept| &self.names[kept.name.0 as usize..kept.name.1 as usize];
        for kept in earlier.iter().filter(|kept| kept.hash == newest.hash && kept.end > start) {
            if name(kept) == name(newest) {
                for block in &self.blocks[kept.blocks.0 as usize..kept.blocks.1 as usize] {
                    each(block.start, &self.bases[block.at as usize..(block.at + block.length) as usize]);
                }
            }
        }
    }

    /// Adds a block of the newest record: a byte a base, 1 where it counts.
    #[inline]
    pub fn add_block(&mut self, start: u32, bases: &[u8]) {
        let at = self.bases.len() as u32;
        self.bases.extend_from_slice(bases);
        self.blocks.push(Block { start, length: bases.len() as u32, at });
    }

    /// Ends the newest record: later ones find it.
    #[inline]
    pub fn end(&mut self) {
        let blocks = self.blocks.len() as u32;
        if let Some(newest) = self.records.last_mut() {
            newest.blocks.1 = blocks;
            let hash = newest.hash;
            let slot = self.slot(hash);
            self.slots[slot] = self.slots[slot].saturating_add(1);
        }
    }

    #[inline]
    fn slot(&self, hash: u32) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    /// Drops records that end at or before `start`, closes the gaps, and makes the table fit.
    fn forget(&mut self, start: u32) {
        let (mut names, mut bases, mut blocks) = (0, 0, 0);
        let Self { records, names: all_names, bases: all_bases, blocks: all_blocks, .. } = self;
        records.retain_mut(|kept| {
            if kept.end <= start {
                return false;
            }
            let length = (kept.name.1 - kept.name.0) as usize;
            all_names.copy_within(kept.name.0 as usize..kept.name.1 as usize, names);
            kept.name = (names as u32, (names + length) as u32);
            names += length;
            let first = blocks;
            for i in kept.blocks.0 as usize..kept.blocks.1 as usize {
                let Block { start, length, at } = all_blocks[i];
                all_bases.copy_within(at as usize..(at + length) as usize, bases);
                all_blocks[blocks] = Block { start, length, at: bases as u32 };
                bases += length as usize;
                blocks += 1;
            }
            kept.blocks = (first as u32, blocks as u32);
            true
        });
        all_names.truncate(names);
        all_bases.truncate(bases);
        all_blocks.truncate(blocks);
        self.crowded = (2 * self.records.len()).max(64);
        let slots = (SLOTS_PER_RECORD * self.crowded).next_power_of_two().max(LEAST_SLOTS);
        if slots == self.slots.len() {
            self.slots.fill(0);
        } else {
            self.slots = vec![0; slots];
        }
        for i in 0..self.records.len() {
            let slot = self.slot(self.records[i].hash);
            self.slots[slot] = self.slots[slot].saturating_add(1);
        }
    }
}
