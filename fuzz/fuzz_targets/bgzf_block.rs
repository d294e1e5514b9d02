//! BGZF of any bytes: blocks are refused, or inflate to no more than a block may hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::formats::bgzf::{BlockReader, MAX_BLOCK_LENGTH};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = BlockReader::new(bytes, 0);
    let mut block = Vec::new();
    while let Ok(true) = reader.append_block(&mut block) {
        assert!(block.len() <= MAX_BLOCK_LENGTH);
        block.clear();
    }
});
