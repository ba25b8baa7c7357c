//! `klamm tune --apply` and `--undo`: what was is on the disk before the first setting is touched,
//! so that neither a crash nor Ctrl-C between two of them leaves anything that cannot be undone.

use super::judge::Change;
use super::machine::Tree;
use super::record::{Record, RecordError};
use std::collections::VecDeque;
use std::io;
use std::path::Path;

/// What became of one setting.
#[derive(Debug)]
pub struct Outcome {
    /// The file, what it held, and what it was to hold.
    pub change: Change,
    /// Whether it holds it now; `None` where there was nothing to do.
    pub result: Option<io::Result<()>>,
    /// What the user should know beside.
    pub note: Option<String>,
}

/// Changes that are remembered, and made one by one.
#[derive(Debug)]
pub struct Applying<'a> {
    tree: Tree<'a>,
    pending: VecDeque<Change>,
    _record: Record<'a>,
}

/// Which of the files this process may not write, with the kernel's answer.
#[must_use]
pub fn forbidden(tree: Tree<'_>, changes: &[Change]) -> Vec<(Change, io::Error)> {
    let tried = changes
        .iter()
        .filter_map(|change| Some((change.clone(), tree.may_write(&change.file).err()?)));
    tried.collect()
}

impl<'a> Applying<'a> {
    /// Writes what is to the record. From here on [`undo`] restores it, whatever happens.
    pub fn begin(
        tree: Tree<'a>,
        path: &Path,
        changes: Vec<Change>,
    ) -> Result<Applying<'a>, RecordError> {
        let mut record = Record::hold(tree, path)?;
        record.remember(&changes)?;
        Ok(Applying {
            tree,
            pending: VecDeque::from(changes),
            _record: record,
        })
    }
}

impl Iterator for Applying<'_> {
    type Item = Outcome;

    /// Makes the next change.
    fn next(&mut self) -> Option<Outcome> {
        let change = self.pending.pop_front()?;
        let result = self.tree.set(&change.file, &change.set);
        Some(Outcome {
            change,
            result: Some(result),
            note: None,
        })
    }
}

/// Restores what the record says, the last change first, and forgets it when all is as it was. What
/// cannot be restored stays in the record.
pub fn undo(tree: Tree<'_>, path: &Path) -> Result<Vec<Outcome>, RecordError> {
    // Where nothing was recorded, nothing is to be locked or made either.
    let seen = Record::look(tree, path)?;
    if !seen.is_there {
        return Ok(Vec::new());
    }
    let mut record = Record::hold(tree, path)?;
    let outcomes: Vec<Outcome> = record
        .entries
        .iter()
        .rev()
        .map(|entry| restore(tree, entry))
        .collect();
    let is_whole = |outcome: &Outcome| !matches!(outcome.result, Some(Err(_)));
    if outcomes.iter().all(is_whole) {
        record.forget()?;
    }
    Ok(outcomes)
}

fn restore(tree: Tree<'_>, entry: &Change) -> Outcome {
    let outcome = |found: &str, result, note| Outcome {
        change: Change {
            name: entry.name.clone(),
            file: entry.file.clone(),
            before: found.to_owned(),
            set: entry.before.clone(),
        },
        result,
        note,
    };
    match tree.value(&entry.file) {
        Ok(found) if found == entry.before => outcome(&found, None, None),
        Ok(found) => {
            let note = (found != entry.set)
                .then(|| format!("somebody had made it {found} since klamm set {}", entry.set));
            let result = tree.set(&entry.file, &entry.before);
            outcome(&found, Some(result), note)
        }
        // A disk that was pulled has taken its settings along.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let note = "its device is gone".to_owned();
            outcome("", None, Some(note))
        }
        Err(error) => outcome("", Some(Err(error)), None),
    }
}
