//! The tables of docs/BENCHMARKS.md and README.md, made from the result files and from nothing else.

use crate::results::short;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Puts the newest full result of every row into the documents, between their markers: into the
/// README only what has a goal.
pub fn render(results: &Path, document: &Path, readme: &Path, rows: &[&str]) -> Result<(), String> {
    let all = read_all(results)?;
    let newest_results = newest(&all, rows, None);
    fill(readme, |text| {
        replace(text, "bench-table", &lines(&newest_results, true))
    })?;
    fill(document, |text| whole(text, &all, &newest_results, rows))
}

fn fill(
    document: &Path,
    change: impl FnOnce(&str) -> Result<String, String>,
) -> Result<(), String> {
    let text = fs::read_to_string(document)
        .map_err(|error| format!("cannot read {}: {error}", document.display()))?;
    let text = change(&text).map_err(|why| format!("{}: {why}", document.display()))?;
    fs::write(document, text)
        .map_err(|error| format!("cannot write {}: {error}", document.display()))
}

fn whole(
    text: &str,
    all: &[Value],
    newest_results: &[&Value],
    rows: &[&str],
) -> Result<String, String> {
    let text = replace(text, "results", &table(newest_results))?;
    let mut noise = String::new();
    for system in ["klamm", "kafka"] {
        let found = newest(all, rows, Some(system));
        if !found.is_empty() {
            noise.push_str(&format!("{system} against itself:\n\n{}\n", table(&found)));
        }
    }
    if noise.is_empty() {
        noise.push_str("No run yet.\n");
    }
    replace(&text, "noise", &noise)
}

/// Every result, oldest first: the names begin with the date.
fn read_all(results: &Path) -> Result<Vec<Value>, String> {
    let mut paths: Vec<PathBuf> = fs::read_dir(results)
        .map_err(|error| format!("cannot list {}: {error}", results.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).map_err(|error| error.to_string());
            text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
                .map_err(|why| format!("cannot read {}: {why}", path.display()))
        })
        .collect()
}

fn newest<'a>(all: &'a [Value], rows: &[&str], same: Option<&str>) -> Vec<&'a Value> {
    rows.iter()
        .filter_map(|row| {
            all.iter().rev().find(|result| {
                result["row"] == **row
                    && result["quick"] == false
                    && result["same"].as_str() == same
            })
        })
        .collect()
}

/// One result's lines, or those of several.
pub fn table(results: &[&Value]) -> String {
    lines(results, false)
}

fn lines(results: &[&Value], only_goals: bool) -> String {
    if results.is_empty() {
        return "No run yet.\n".to_owned();
    }
    let mut text = String::from(
        "| row | figure | this | beside | ratio (least … most) | goal | |\n|---|---|---|---|---|---|---|\n",
    );
    for result in results {
        let mut title = format!(
            "**{}** ({})",
            result["title"].as_str().unwrap_or(""),
            result["date"].as_str().unwrap_or("")
        );
        for comparison in result["comparisons"].as_array().into_iter().flatten() {
            if only_goals && comparison["met"].is_null() {
                continue;
            }
            text.push_str(&line(&title, comparison));
            title.clear();
        }
    }
    text
}

fn line(title: &str, comparison: &Value) -> String {
    let number = |value: &Value| value.as_f64().map_or(String::new(), short);
    let side = |side: &Value| match side["contestant"].as_str() {
        Some(name) => format!("{name} {}", number(&side["median"])),
        None => String::new(),
    };
    let spread = format!(
        "{} … {}",
        number(&comparison["min"]),
        number(&comparison["max"])
    );
    let ratio = if comparison["base"].is_null() {
        format!("({spread})")
    } else {
        format!("{} ({spread})", number(&comparison["median"]))
    };
    let met = match comparison["met"].as_bool() {
        Some(true) => "reached",
        Some(false) => "**missed**",
        None => "",
    };
    format!(
        "| {title} | {} | {} | {} | {ratio} | {} | {met} |\n",
        comparison["what"].as_str().unwrap_or(""),
        side(&comparison["subject"]),
        side(&comparison["base"]),
        comparison["goal"].as_str().unwrap_or(""),
    )
}

/// The document with what stands between `<!-- name -->` and `<!-- /name -->` replaced.
fn replace(text: &str, name: &str, content: &str) -> Result<String, String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let parts = text
        .split_once(&open)
        .and_then(|(before, rest)| Some((before, rest.split_once(&close)?.1)));
    let (before, after) = parts.ok_or(format!("the document lacks {open} or {close}"))?;
    Ok(format!("{before}{open}\n\n{content}\n{close}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_becomes_lines_between_the_markers() {
        let result = json!({"title": "idle", "date": "2026-11-22", "comparisons": [
            {"what": "resident, MB", "subject": {"contestant": "klamm", "median": 12.34},
             "base": null, "median": 12.34, "min": 12.0, "max": 13.0, "goal": "every ≤ 20", "met": true},
            {"what": "CPU", "subject": {"contestant": "klamm", "median": 0.1},
             "base": {"contestant": "kafka", "median": 5.0}, "median": 0.02, "min": 0.01,
             "max": 0.03, "goal": "", "met": null},
        ]});
        let found = replace(
            "a\n<!-- x -->\nold\n<!-- /x -->\nb\n",
            "x",
            &table(&[&result]),
        )
        .expect("the markers are there");
        assert!(!found.contains("old"));
        assert!(found.contains("| klamm 12.3 |  | (12.0 … 13.0) | every ≤ 20 | reached |"));
        assert!(found.contains("| klamm 0.100 | kafka 5.00 | 0.020 (0.010 … 0.030) |  |  |"));
        assert!(found.ends_with("<!-- /x -->\nb\n"));
        assert!(replace("nothing", "x", "").is_err());
    }
}
