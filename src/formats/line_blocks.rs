//! Blocks of whole lines of a text: one thread reads the next while others work on the lines of this one.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use super::text::MAX_LINE;

/// Bytes of a block, about.
const SIZE: usize = 4 << 20;

/// Lines that lie behind one another.
#[derive(Debug, Default)]
pub struct LineBlock {
    bytes: Vec<u8>,
    lines: Vec<Range<usize>>,
}

impl LineBlock {
    /// The lines without their ends, `\n` or `\r\n`.
    pub fn lines(&self) -> &[Range<usize>] {
        &self.lines
    }

    /// The bytes of one of them.
    pub fn line(&self, place: &Range<usize>) -> &[u8] {
        self.bytes.get(place.clone()).unwrap_or_default()
    }
}

/// Cuts a text into blocks.
pub struct LineBlocks<'r> {
    reader: &'r mut dyn BufRead,
    /// Read beyond the last block's lines.
    rest: Vec<u8>,
    size: usize,
}

impl<'r> LineBlocks<'r> {
    /// Takes what is left of a reader.
    pub fn new(reader: &'r mut dyn BufRead) -> Self {
        Self { reader, rest: Vec::new(), size: SIZE }
    }

    /// Reads the next lines in place of those that a block held; false where there are none.
    ///
    /// # Errors
    /// Reading fails, or a line is longer than [`MAX_LINE`].
    pub fn next(&mut self, block: &mut LineBlock) -> io::Result<bool> {
        block.lines.clear();
        block.bytes.clear();
        block.bytes.append(&mut self.rest);
        let mut is_over = false;
        let end = loop {
            if !is_over {
                let wanted = self.size.saturating_sub(block.bytes.len()).max(self.size / 4);
                let read = (&mut *self.reader).take(wanted as u64).read_to_end(&mut block.bytes)?;
                is_over = read < wanted;
            }
            match memchr::memrchr(b'\n', &block.bytes) {
                _ if is_over => break block.bytes.len(),
                Some(last) => break last + 1,
                None if block.bytes.len() as u64 > MAX_LINE => {
                    let what = "a line is longer than 16 MiB; is this text?";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
                None => {}
            }
        };
        self.rest.extend_from_slice(block.bytes.get(end..).unwrap_or_default());
        block.bytes.truncate(end);
        let mut start = 0;
        while start < end {
            let rest = block.bytes.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..length).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            block.lines.push(start..start + line.len());
            start += length + 1;
        }
        Ok(!block.lines.is_empty())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::text;
    use super::*;

    proptest! {
        #[test]
        fn lines_are_those_of_one_at_a_time(text in "[ab\r\n]{0,60}", size in 1_usize..20) {
            let (mut reader, mut line, mut expected) = (text.as_bytes(), Vec::new(), Vec::new());
            while text::read_line(&mut reader, &mut line).unwrap() {
                expected.push(line.clone());
            }
            let mut reader = text.as_bytes();
            let mut blocks = LineBlocks { size: size.next_multiple_of(4), ..LineBlocks::new(&mut reader) };
            let (mut block, mut found) = (LineBlock::default(), Vec::new());
            while blocks.next(&mut block).unwrap() {
                found.extend(block.lines().iter().map(|place| block.line(place).to_vec()));
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        assert!(LineBlocks::new(&mut endless).next(&mut LineBlock::default()).is_err());
    }
}
