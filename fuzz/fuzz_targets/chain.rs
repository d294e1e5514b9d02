//! A chain file of any bytes: it is refused, or positions can be lifted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::prs::liftover::Chains;

fuzz_target!(|bytes: &[u8]| {
    let Ok(chains) = Chains::parse(&mut &bytes[..]) else { return };
    for position in [0, 1, 100, 1 << 31, u64::MAX] {
        let _ = chains.lift("1", position);
    }
});
