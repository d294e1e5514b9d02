//! Tables of coordinates: FID, IID, PC1, PC2, ..., as FRAPOSA writes them and `norn prs calibrate` reads them.

use std::io::{self, Write};

use super::dense::Dense;
use crate::formats::genotypes::samples::Sample;

/// Writes coordinates of people, a row each. Who has no family is one's own, as in tables of scores.
///
/// # Errors
/// The writer fails.
pub fn write<'s>(
    output: &mut dyn Write,
    people: impl Iterator<Item = &'s Sample>,
    coordinates: &Dense,
) -> io::Result<()> {
    write!(output, "FID\tIID")?;
    (1..=coordinates.columns()).try_for_each(|number| write!(output, "\tPC{number}"))?;
    writeln!(output)?;
    for (person, row) in people.zip(0..coordinates.rows()) {
        let family = person.family.as_deref().unwrap_or(&person.individual);
        write!(output, "{family}\t{}", person.individual)?;
        coordinates.row(row).iter().try_for_each(|value| write!(output, "\t{value:.8}"))?;
        writeln!(output)?;
    }
    Ok(())
}
