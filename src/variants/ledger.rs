//! What each step of a chain took, changed and dropped: an account that adds up, because what one step gives the next
//! takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::formats::vcf::record::Record;
use crate::records::pipeline::{Each, Ordered, Part, RecordProblem};

/// The account of a step, which its threads add to.
#[derive(Debug, Default)]
struct Account {
    taken: AtomicU64,
    given: AtomicU64,
    changed: AtomicU64,
    /// Records of which nothing was given, and those that were given beside the first of one.
    dropped: AtomicU64,
    added: AtomicU64,
}

impl Account {
    fn counters(&self) -> [&AtomicU64; 5] {
        [&self.taken, &self.given, &self.changed, &self.dropped, &self.added]
    }
}

/// The accounts of all steps, in order.
#[derive(Debug, Default)]
pub struct Ledger {
    steps: Vec<(String, String, Arc<Account>)>,
}

/// A line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The step's number, from 1.
    pub step: usize,
    /// Its name.
    pub name: String,
    /// Records it took.
    #[serde(rename = "in")]
    pub taken: u64,
    /// Records it gave.
    #[serde(rename = "out")]
    pub given: u64,
    /// Of those given, how many had a column changed by it; not known (0) of steps that look at neighbours.
    pub changed: u64,
    /// Records that it dropped.
    pub dropped: u64,
    /// Records that it made beside those it took: `in - dropped + added = out`.
    pub added: u64,
    /// What it does.
    pub why: String,
}

impl Ledger {
    /// Puts a step, which may have several parts, under an account.
    pub fn keep(&mut self, name: &str, why: &str, parts: Vec<Part>) -> Vec<Part> {
        let account = Arc::new(Account::default());
        let last = parts.len().saturating_sub(1);
        let kept = parts.into_iter().enumerate().map(|(number, part)| {
            let role = Role { first: number == 0, last: number == last };
            let account = Arc::clone(&account);
            match part {
                Part::Each(inner) => Part::Each(Box::new(Kept { inner, account, role })),
                Part::Ordered(inner) => Part::Ordered(Box::new(Kept { inner, account, role })),
            }
        });
        let kept = kept.collect();
        self.steps.push((name.to_owned(), why.to_owned(), account));
        kept
    }

    /// What has been counted so far, for [`Self::merge`].
    pub fn counts(&self) -> Vec<[u64; 5]> {
        let load = |account: &Account| account.counters().map(|count| count.load(Ordering::Relaxed));
        self.steps.iter().map(|(_, _, account)| load(account)).collect()
    }

    /// Adds what another part of the records came to under the same steps.
    pub fn merge(&self, counts: &[[u64; 5]]) {
        for ((_, _, account), counts) in self.steps.iter().zip(counts) {
            for (mine, theirs) in account.counters().into_iter().zip(counts) {
                mine.fetch_add(*theirs, Ordering::Relaxed);
            }
        }
    }

    /// The entries; whole when the pipeline has ended.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |(number, (name, why, account)): (usize, &(String, String, Arc<Account>))| {
            let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
            let (taken, given, changed) = (of(&account.taken), of(&account.given), of(&account.changed));
            // Of parts that look at neighbours the difference alone is known.
            let (dropped, added) = (of(&account.dropped), of(&account.added));
            let dropped = dropped.max((taken + added).saturating_sub(given));
            let added = (given + dropped).saturating_sub(taken);
            Entry {
                step: number + 1,
                name: name.clone(),
                taken,
                given,
                changed,
                dropped,
                added,
                why: why.clone(),
            }
        };
        self.steps.iter().enumerate().map(entry).collect()
    }
}

/// The ledger as a table.
pub fn table(entries: &[Entry]) -> String {
    let mut text = "step\tname\tin\tout\tchanged\tdropped\tadded\twhy\n".to_owned();
    for entry in entries {
        let Entry { step, name, taken, given, changed, dropped, added, why } = entry;
        text += &format!("{step}\t{name}\t{taken}\t{given}\t{changed}\t{dropped}\t{added}\t{why}\n");
    }
    text
}

#[derive(Clone, Copy, Debug)]
struct Role {
    first: bool,
    last: bool,
}

/// A part under an account.
struct Kept<P> {
    inner: P,
    account: Arc<Account>,
    role: Role,
}

impl<P> Kept<P> {
    fn note(&self, taken: usize, given: usize, changed: usize) {
        if self.role.first {
            self.account.taken.fetch_add(taken as u64, Ordering::Relaxed);
        }
        if self.role.last {
            self.account.given.fetch_add(given as u64, Ordering::Relaxed);
        }
        if changed > 0 {
            self.account.changed.fetch_add(changed as u64, Ordering::Relaxed);
        }
    }
}

impl Each for Kept<Box<dyn Each>> {
    fn apply(&self, record: &mut Record, more: &mut Vec<Record>) -> Result<bool, RecordProblem> {
        let (changes, begin) = (record.change_count(), more.len());
        let is_kept = self.inner.apply(record, more)?;
        let given = usize::from(is_kept) + more.len() - begin;
        let has_changed = |record: &Record| record.change_count() != changes;
        let changed = usize::from(is_kept && has_changed(record))
            + more[begin..].iter().filter(|record| has_changed(record)).count();
        match given {
            0 => {
                self.account.dropped.fetch_add(1, Ordering::Relaxed);
            }
            1 => {}
            _ => {
                self.account.added.fetch_add(given as u64 - 1, Ordering::Relaxed);
            }
        }
        self.note(1, given, changed);
        Ok(is_kept)
    }
}

impl Ordered for Kept<Box<dyn Ordered>> {
    fn push(&mut self, records: Vec<Record>, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        let (taken, begin) = (records.len(), out.len());
        self.inner.push(records, out)?;
        self.note(taken, out.len() - begin, 0);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        let begin = out.len();
        self.inner.finish(out)?;
        self.note(0, out.len() - begin, 0);
        Ok(())
    }

    fn is_by_contig(&self) -> bool {
        self.inner.is_by_contig()
    }

    fn has_more(&self) -> bool {
        self.inner.has_more()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Doubles A, drops C, changes G.
    struct Odd;

    impl Each for Odd {
        fn apply(&self, record: &mut Record, more: &mut Vec<Record>) -> Result<bool, RecordProblem> {
            match record.reference() {
                b"A" => more.push(record.clone()),
                b"C" => return Ok(false),
                b"G" => record.set_info(b"X", None),
                _ => {}
            }
            Ok(true)
        }
    }

    #[test]
    fn the_account_adds_up() {
        let mut ledger = Ledger::default();
        let parts = ledger.keep("odd", "a test", vec![Part::Each(Box::new(Odd))]);
        let mut out = Vec::new();
        for reference in ["A", "C", "C", "C", "G", "T"] {
            let mut record = Record::parse(format!("1\t1\t.\t{reference}\t.\t.\t.\t.").as_bytes()).unwrap();
            for part in &parts {
                let Part::Each(each) = part else { unreachable!("one part") };
                each.apply(&mut record, &mut out).unwrap();
            }
        }
        let entries = ledger.entries();
        assert_eq!(
            entries,
            [Entry {
                step: 1,
                name: "odd".into(),
                taken: 6,
                given: 4,
                changed: 1,
                dropped: 3,
                added: 1,
                why: "a test".into()
            }]
        );
        assert!(table(&entries).ends_with("1\todd\t6\t4\t1\t3\t1\ta test\n"));
    }
}
