//! BLAKE3 of whole files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The checksum of a file, in hexadecimal, and its bytes.
///
/// # Errors
/// It cannot be read.
pub fn blake3_of(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut hasher, mut buffer, mut size) = (blake3::Hasher::new(), vec![0; 1 << 18], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hasher.finalize().to_hex().to_string(), size)),
            count => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
        }
    }
}

/// A file as a header names it: its name without directories, and its checksum.
///
/// # Errors
/// It cannot be read.
pub fn name_and_blake3(path: &Path) -> io::Result<String> {
    let (checksum, _) = blake3_of(path)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().replace('"', "'"));
    Ok(format!("{name} {checksum}"))
}
