//! VariantKey: a variant in 64 bits (Asuni and Wilder, doi 10.1101/473744): 5 of the contig, 28 of the position, 31 of the
//! alleles, which are kept as they are where they have 11 bases at most, and hashed otherwise.

/// The key of a variant; the position is 0-based.
pub fn encode(contig: &[u8], position: u64, reference: &[u8], alternate: &[u8]) -> u64 {
    u64::from(contig_code(contig)) << 59 | position << 31 | u64::from(allele_code(reference, alternate))
}

/// 1 to 22, 23 for X, 24 for Y, 25 for M; 0 for others.
fn contig_code(contig: &[u8]) -> u8 {
    let name = match contig {
        [c, h, r, rest @ ..] if !rest.is_empty() && [*c, *h, *r].eq_ignore_ascii_case(b"chr") => rest,
        name => name,
    };
    match name {
        [first, rest @ ..] if first.is_ascii_digit() => {
            if !rest.iter().all(u8::is_ascii_digit) {
                return 0;
            }
            name.iter().fold(0u8, |code, digit| code.wrapping_mul(10).wrapping_add(digit - b'0'))
        }
        [letter] | [letter, b'T' | b't'] => match letter.to_ascii_uppercase() {
            b'X' => 23,
            b'Y' => 24,
            b'M' => 25,
            _ => 0,
        },
        _ => 0,
    }
}

fn allele_code(reference: &[u8], alternate: &[u8]) -> u32 {
    if reference.len() + alternate.len() <= 11
        && let Some(code) = reversible(reference, alternate)
    {
        return code;
    }
    let mut hash = mix(hash(alternate), mix(3, hash(reference)));
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^= hash >> 16;
    hash >> 1 | 1
}

/// Both lengths and two bits a base.
fn reversible(reference: &[u8], alternate: &[u8]) -> Option<u32> {
    let mut code = (reference.len() as u32) << 27 | (alternate.len() as u32) << 23;
    let mut bit = 23;
    for base in reference.iter().chain(alternate) {
        bit -= 2;
        code |= match base.to_ascii_uppercase() {
            b'A' => 0,
            b'C' => 1,
            b'G' => 2,
            b'T' => 3,
            _ => return None,
        } << bit;
    }
    Some(code)
}

/// One round of MurmurHash3, with the paper's rotations.
fn mix(word: u32, hash: u32) -> u32 {
    let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    (hash ^ word).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

/// Six letters at a time, five bits each.
fn hash(text: &[u8]) -> u32 {
    text.chunks(6).fold(0, |hash, letters| {
        let packed = letters.iter().zip([26, 21, 16, 11, 6, 1]);
        mix(packed.fold(0, |word, (letter, bit)| word ^ letter_code(*letter) << bit), hash)
    })
}

fn letter_code(letter: u8) -> u32 {
    match letter {
        ..b'A' => 27,
        b'a'.. => u32::from(letter - b'a') + 1,
        _ => u32::from(letter - b'A') + 1,
    }
}
