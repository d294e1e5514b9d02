//! A place in little-endian bytes that does not go past their end.

/// What is wrong with the bytes of a record.
pub type Problem = &'static str;

/// There are fewer bytes than are asked for.
pub const CUT: Problem = "it ends too early";

/// The bytes that are still to be read.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'b>(pub &'b [u8]);

impl<'b> Bytes<'b> {
    /// So many bytes.
    ///
    /// # Errors
    /// There are fewer, as for all that follows.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'b [u8], Problem> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A byte.
    ///
    /// # Errors
    /// There is none.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, Problem> {
        let (&first, rest) = self.0.split_first().ok_or(CUT)?;
        self.0 = rest;
        Ok(first)
    }

    /// An integer of 1 to 8 bytes.
    ///
    /// # Errors
    /// There are fewer bytes.
    pub fn integer(&mut self, width: usize) -> Result<u64, Problem> {
        Ok(integer(self.take(width)?))
    }

    /// An integer of 7 bits a byte, the lowest first, of at most 32 bits.
    ///
    /// # Errors
    /// It does not end, or is greater.
    #[inline]
    pub fn varint(&mut self) -> Result<u32, Problem> {
        match self.0 {
            [byte @ 0..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u32::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u32, Problem> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| "a number is too great");
            }
        }
        Err("a number is too great")
    }

    /// A text behind its length of `width` bytes; bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// There are fewer bytes.
    pub fn text(&mut self, width: usize) -> Result<std::borrow::Cow<'b, str>, Problem> {
        let length = usize::try_from(self.integer(width)?).map_err(|_| CUT)?;
        Ok(String::from_utf8_lossy(self.take(length)?))
    }
}

/// A little-endian integer of at most 8 bytes.
#[inline]
pub fn integer(bytes: &[u8]) -> u64 {
    match bytes {
        [a, b] => u64::from(u16::from_le_bytes([*a, *b])),
        [a, b, c, d] => u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
        [a, b, c, d, e, f, g, h] => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        _ => bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_width_are_read() {
        let all = [0xf1, 2, 3, 4, 5, 6, 7, 0xf8];
        for width in 0..=8 {
            let expected: u64 =
                (0u32..).zip(&all[..width]).map(|(place, byte)| u64::from(*byte) << (8 * place)).sum();
            assert_eq!(integer(&all[..width]), expected);
        }
        let mut bytes =
            Bytes(&[0x88, 0x27, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x80]);
        assert_eq!((bytes.varint(), bytes.varint()), (Ok(5000), Ok(u32::MAX)));
        assert!(bytes.varint().is_err() && bytes.varint().is_err());
    }
}
