//! Things of contigs that are found under any name of a chromosome.

use rustc_hash::FxHashMap;

use super::contigs::ContigRole;

/// Something for each contig.
#[derive(Debug)]
pub struct ByContig<T> {
    all: FxHashMap<Vec<u8>, T>,
    /// The name under which a chromosome is there.
    roles: FxHashMap<ContigRole, Vec<u8>>,
}

impl<T> FromIterator<(String, T)> for ByContig<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(items: I) -> Self {
        let (mut all, mut roles) = (FxHashMap::default(), FxHashMap::default());
        for (name, item) in items {
            let role = ContigRole::of(&name);
            if role != ContigRole::Other {
                roles.entry(role).or_insert_with(|| name.clone().into_bytes());
            }
            all.insert(name.into_bytes(), item);
        }
        Self { all, roles }
    }
}

impl<T> ByContig<T> {
    /// What belongs to a contig of this name, or to the same chromosome under another (`chr1`, `1`, `NC_000001.11`).
    pub fn get(&self, name: &[u8]) -> Option<&T> {
        self.all.get(name).or_else(|| {
            let role = ContigRole::of(std::str::from_utf8(name).ok()?);
            self.all.get(self.roles.get(&role)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chromosomes_have_many_names() {
        let all: ByContig<u8> = [("chr1", 1), ("MT", 2), ("NC_000002.12", 3), ("un", 4), ("1", 5)]
            .map(|(name, item)| (name.to_owned(), item))
            .into_iter()
            .collect();
        for (name, item) in [
            ("chr1", Some(1)),
            ("1", Some(5)),
            ("NC_000001.11", Some(1)),
            ("chrM", Some(2)),
            ("2", Some(3)),
            ("chr2", Some(3)),
            ("un", Some(4)),
            ("chrun", None),
            ("3", None),
        ] {
            assert_eq!(all.get(name.as_bytes()).copied(), item, "{name}");
        }
    }
}
