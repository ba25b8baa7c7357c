//! Result files: one row each, in a folder, named so that they sort by time.

use super::row::Row;
use crate::cli::error::CliError;
use crate::runtime::disk::Disk;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Largest result file that is read.
const FILE_BYTES_MAX: usize = 64 << 20;
/// Most files of a folder.
const FILES_MAX: usize = 10_000;

/// The rows in a folder: of each row the newest, and the newest in which it ran against itself.
pub fn read(disk: &Disk, folder: &Path) -> Result<Vec<Row>, CliError> {
    let failed = |path: &Path, why: &dyn std::fmt::Display| {
        CliError::Failed(format!("{} cannot be rendered: {why}", path.display()))
    };
    let entries = disk.list(folder).map_err(|error| failed(folder, &error))?;
    let mut rows: Vec<Row> = Vec::new();
    for entry in entries.iter().take(FILES_MAX) {
        if entry.is_directory || !entry.name.ends_with(".json") {
            continue;
        }
        let path = folder.join(&entry.name);
        let content = disk
            .read(&path, FILE_BYTES_MAX)
            .map_err(|error| failed(&path, &error))?;
        let value: Value =
            serde_json::from_slice(&content).map_err(|error| failed(&path, &error))?;
        let row = Row::from_json(&value)
            .ok_or_else(|| failed(&path, &"it is no result of a bench (row and runs)"))?;
        let older = rows
            .iter()
            .position(|known| known.name == row.name && known.same == row.same);
        match older {
            // Files sort by time, so this one is newer.
            Some(position) => rows[position] = row,
            None => rows.push(row),
        }
    }
    if rows.is_empty() {
        let why = "it holds no result files (*.json)";
        return Err(failed(folder, &why));
    }
    Ok(rows)
}

/// Makes the folder, and finds out whether files can be written there.
pub fn prepare(disk: &Disk, folder: &Path) -> Result<(), CliError> {
    let made = disk.create_directories(folder);
    let probe = folder.join(".klamm-bench");
    made.and_then(|()| disk.write_atomically(&probe, b""))
        .and_then(|()| disk.remove_file(&probe))
        .map_err(|error| unwritable(folder, &error))
}

/// Writes a row, and says where.
pub fn write(disk: &Disk, folder: &Path, row: &Row) -> Result<PathBuf, CliError> {
    let time: String = row
        .started
        .chars()
        .filter(|letter| *letter != ':')
        .take(17)
        .map(|letter| if letter == 'T' { '-' } else { letter })
        .collect();
    let same = row
        .same
        .as_ref()
        .map_or(String::new(), |same| format!("-same-{same}"));
    let path = folder.join(format!("{time}-{}{same}.json", row.name));
    let mut text = serde_json::to_string_pretty(&row.to_json())
        .map_err(|error| CliError::Failed(format!("a result cannot be written: {error}")))?;
    text.push('\n');
    disk.write_atomically(&path, text.as_bytes())
        .map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Failed(format!(
        "the results cannot be written to {}: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_row_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::Native;
        prepare(&disk, folder.path()).unwrap();
        let empty = read(&disk, folder.path()).unwrap_err().to_string();
        assert!(empty.contains("no result files"), "{empty}");
        let row = |started: &str, same: Option<&str>| Row {
            name: "idle".to_owned(),
            started: started.to_owned(),
            same: same.map(str::to_owned),
            ..Row::default()
        };
        for row in [
            row("2026-11-28T12:00:00Z", None),
            row("2026-11-28T13:00:00Z", None),
            row("2026-11-28T11:00:00Z", Some("a")),
        ] {
            write(&disk, folder.path(), &row).unwrap();
        }
        let found = read(&disk, folder.path()).unwrap();
        assert_eq!(found.len(), 2);
        assert!(
            found
                .iter()
                .any(|row| row.started == "2026-11-28T13:00:00Z")
        );
        for bad in [&b"{"[..], b"[]", b"{\"row\": 3}"] {
            disk.write_atomically(&folder.path().join("x.json"), bad)
                .unwrap();
            let error = read(&disk, folder.path()).unwrap_err().to_string();
            assert!(error.contains("x.json cannot be rendered"), "{error}");
        }
    }
}
