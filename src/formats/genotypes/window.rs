//! Stretches of a file in memory: what follows is read ahead, what is far is read alone.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// A stretch of a file.
pub struct Window<'f> {
    file: &'f File,
    /// Where the file ends.
    end: u64,
    ahead: u64,
    /// Where the stretch begins.
    start: u64,
    bytes: Vec<u8>,
}

impl<'f> Window<'f> {
    /// Nothing yet of a file of `size` bytes; where one range follows the other, `ahead` bytes are read at once.
    pub fn new(file: &'f File, size: u64, ahead: u64) -> Self {
        Self { file, end: size, ahead, start: 0, bytes: Vec::new() }
    }

    /// Bytes of the file.
    ///
    /// # Errors
    /// They lie outside of it, or cannot be read.
    pub fn get(&mut self, wanted: Range<u64>) -> io::Result<&[u8]> {
        if wanted.start > wanted.end || wanted.end > self.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let held = self.start..self.start + self.bytes.len() as u64;
        if wanted.start < held.start || wanted.end > held.end {
            let is_next = wanted.start >= held.start && wanted.start <= held.end;
            let length = wanted.end - wanted.start;
            let length = if is_next { length.max(self.ahead).min(self.end - wanted.start) } else { length };
            self.bytes.resize(length as usize, 0);
            self.start = wanted.start;
            if let Err(error) = self.file.read_exact_at(&mut self.bytes, wanted.start) {
                self.bytes.clear();
                return Err(error);
            }
        }
        let from = (wanted.start - self.start) as usize;
        Ok(self.bytes.get(from..from + (wanted.end - wanted.start) as usize).unwrap_or_default())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn any_range_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let bytes: Vec<u8> = (0..=255).collect();
        std::fs::write(&path, &bytes).unwrap();
        let file = File::open(&path).unwrap();
        let mut window = Window::new(&file, 256, 20);
        for (start, end) in
            [(0, 5), (5, 9), (3, 8), (100, 150), (150, 151), (151, 152), (0, 256), (255, 256), (256, 256)]
        {
            assert_eq!(window.get(start as u64..end as u64).unwrap(), &bytes[start..end]);
        }
        assert!(window.get(250..257).is_err());
        let mut window = Window::new(&file, 300, 20);
        assert!(window.get(250..257).is_err());
    }
}
