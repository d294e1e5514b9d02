//! Bases in two bits each, for databases; what has other letters than A, C, G and T stays as it is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many letters there are, and the bytes that stand for them.
#[derive(Serialize, Deserialize)]
struct Packed {
    length: u64,
    bytes: Vec<u8>,
}

/// Writes bases.
///
/// # Errors
/// Writing fails.
pub fn serialize<S: Serializer>(bases: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let code = |base: &u8| b"ACGT".iter().position(|letter| letter == base);
    let packed: Option<Vec<u8>> = bases
        .chunks(4)
        .map(|four| {
            four.iter()
                .enumerate()
                .try_fold(0, |byte, (at, base)| Some(byte | (code(base)? as u8) << (2 * at)))
        })
        .collect();
    let bytes = packed.unwrap_or_else(|| bases.to_vec());
    Packed { length: bases.len() as u64, bytes }.serialize(serializer)
}

/// Reads bases.
///
/// # Errors
/// They are damaged.
pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let Packed { length, bytes } = Packed::deserialize(deserializer)?;
    // A letter alone is as long either way, but no small number.
    if bytes.len() as u64 == length && bytes.iter().all(u8::is_ascii_alphabetic) {
        return Ok(bytes);
    }
    let is_packed = bytes.len() as u64 == length.div_ceil(4);
    if !is_packed {
        return Err(serde::de::Error::custom("bases have another length"));
    }
    let letters =
        bytes.iter().flat_map(|byte| (0..4).map(move |at| b"ACGT"[usize::from(byte >> (2 * at) & 3)]));
    Ok(letters.take(length as usize).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Holder(#[serde(with = "super")] Vec<u8>);

    proptest! {
        #[test]
        fn bases_come_back(bases in "[ACGT]{0,40}|[ACGTN]{0,9}") {
            let bytes = postcard::to_stdvec(&Holder(bases.clone().into_bytes())).expect("bytes");
            let back: Holder = postcard::from_bytes(&bytes).expect("bases");
            prop_assert_eq!(back.0, bases.into_bytes());
        }
    }
}
