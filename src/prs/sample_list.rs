//! Lists of people, one a line, as PLINK writes them.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use crate::formats::text;

/// The people (IID) of a list: columns `#IID`, `#FID IID` or, without a line of names, a person alone or behind the
/// family.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> io::Result<HashSet<String>> {
    let (mut reader, mut line) = (text::open(path)?, Vec::new());
    let (mut people, mut column) = (HashSet::new(), None);
    while text::read_line(&mut reader, &mut line)? {
        let row = String::from_utf8_lossy(&line);
        let cells: Vec<&str> = row.split_ascii_whitespace().collect();
        if cells.first().is_some_and(|cell| cell.starts_with('#')) {
            column = cells.iter().position(|cell| cell.trim_start_matches('#') == "IID");
            continue;
        }
        let place = column.unwrap_or(usize::from(cells.len() > 1));
        people.extend(cells.get(place).map(|cell| (*cell).to_owned()));
    }
    Ok(people)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_in_lists_of_every_kind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.id");
        for text in
            ["#IID\na\nb\n", "#FID\tIID\nf\ta\nf\tb\n", "a\n\nb\r\n", "f a\nf\tb\n", "#IID SID\na x\nb y\n"]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap(), HashSet::from(["a".to_owned(), "b".to_owned()]), "{text:?}");
        }
    }
}
