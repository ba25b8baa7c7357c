//! The tables of docs/BENCHMARKS.md and README.md, made from the result files and from nothing else.

use crate::results::{median, short};
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
    let text = replace(&text, "neutral", &neutral(newest_results))?;
    let text = replace(&text, "drivers", &driver_costs(newest_results))?;
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

/// What the drivers of one row may differ by, largest over smallest.
const AGREEMENT: f64 = 1.25;
const DRIVERS: [&str; 3] = ["klamm", "klamm-java", "klamm-rdkafka"];

/// The rows that ran with several drivers: what each of them says of klamm beside Kafka.
fn neutral(results: &[&Value]) -> String {
    let mut text = String::from(
        "| row | klamm / kafka | klamm's tool | Apache's tool | librdkafka's | |\n|---|---|---|---|---|---|\n",
    );
    let empty = text.len();
    for result in results {
        let title = result["title"].as_str().unwrap_or("");
        for (figure, what) in [
            ("broker_cpu_s_per_gb", "broker CPU per GB"),
            ("mb_per_s", "throughput"),
        ] {
            let ratios = DRIVERS.map(|driver| ratio(result, driver, figure));
            if let [Some(one), Some(java), Some(rdkafka)] = ratios {
                text.push_str(&format!(
                    "| {title} | {what} | {} | {} | {} | {} |\n",
                    short(one),
                    short(java),
                    short(rdkafka),
                    agreement(&[one, java, rdkafka])
                ));
            }
        }
    }
    if text.len() == empty {
        return "No run yet.\n".to_owned();
    }
    text
}

/// The median ratio of a contestant to the one of Kafka's by the same driver.
fn ratio(result: &Value, driver: &str, figure: &str) -> Option<f64> {
    let kafka = driver.replace("klamm", "kafka");
    let comparisons = result["comparisons"].as_array()?;
    let found = comparisons.iter().find(|one| {
        one["subject"]["contestant"] == driver
            && one["subject"]["figure"] == figure
            && one["base"]["contestant"] == kafka.as_str()
            && one["base"]["figure"] == figure
    });
    found?["median"].as_f64()
}

fn agreement(ratios: &[f64]) -> String {
    let most = ratios.iter().copied().fold(f64::MIN, f64::max);
    let least = ratios.iter().copied().fold(f64::MAX, f64::min);
    if most <= least * AGREEMENT {
        return "agree".to_owned();
    }
    format!("**apart by {:.0} %**", (most / least - 1.0) * 100.0)
}

/// How much cheaper klamm's tool must be than Apache's, so that it is not the limit of what it measures.
const TOOL_GOAL: f64 = 5.0;

/// The rows that ran with several drivers: what the drivers themselves cost, against the same broker.
fn driver_costs(results: &[&Value]) -> String {
    let mut text = format!(
        "| row | broker | klamm's tool | Apache's tool | librdkafka's | klamm's over Apache's (least … most) | goal: ≥ {TOOL_GOAL} |\n\
         |---|---|---|---|---|---|---|\n"
    );
    let empty = text.len();
    for result in results {
        let title = result["title"].as_str().unwrap_or("");
        for broker in ["klamm", "kafka"] {
            let [own, java, rdkafka] =
                DRIVERS.map(|driver| mb_per_client_cpu_s(result, &driver.replace("klamm", broker)));
            let mut ratios: Vec<f64> = own
                .iter()
                .zip(&java)
                .map(|(own, java)| own / java)
                .collect();
            let Some(ratio) = median(&ratios) else {
                continue;
            };
            ratios.sort_by(f64::total_cmp);
            let [own, java, rdkafka] =
                [own, java, rdkafka].map(|all| median(&all).map_or(String::new(), short));
            let met = if ratio >= TOOL_GOAL {
                "reached"
            } else {
                "**missed**"
            };
            text.push_str(&format!(
                "| {title} | {broker} | {own} | {java} | {rdkafka} | {} ({} … {}) | {met} |\n",
                short(ratio),
                short(ratios[0]),
                short(ratios[ratios.len() - 1]),
            ));
        }
    }
    if text.len() == empty {
        return "No run yet.\n".to_owned();
    }
    text
}

/// What a contestant's driver moved per second of its own CPU, in the order of the rounds.
fn mb_per_client_cpu_s(result: &Value, contestant: &str) -> Vec<f64> {
    let mut runs: Vec<(u64, f64)> = result["runs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|run| run["contestant"] == contestant)
        .filter_map(|run| {
            let figure = |name: &str| run["figures"][name].as_f64();
            let moved = figure("gb")? * 1e3 / figure("client_cpu_s")?;
            Some((run["round"].as_u64()?, moved))
        })
        .collect();
    runs.sort_by_key(|(round, _)| *round);
    runs.into_iter().map(|(_, moved)| moved).collect()
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

    #[test]
    fn drivers_that_disagree_are_marked() {
        let comparison = |driver: &str, figure: &str, median: f64| {
            json!({"subject": {"contestant": format!("klamm{driver}"), "figure": figure},
                   "base": {"contestant": format!("kafka{driver}"), "figure": figure}, "median": median})
        };
        let cpu = "broker_cpu_s_per_gb";
        let result = json!({"title": "produce", "comparisons": [
            comparison("", cpu, 0.1), comparison("-java", cpu, 0.11), comparison("-rdkafka", cpu, 0.12),
            comparison("", "mb_per_s", 3.0), comparison("-java", "mb_per_s", 1.5),
            comparison("-rdkafka", "mb_per_s", 2.0),
        ]});
        let found = neutral(&[&result]);
        assert!(found.contains("| produce | broker CPU per GB | 0.100 | 0.110 | 0.120 | agree |"));
        assert!(found.contains("| 3.00 | 1.50 | 2.00 | **apart by 100 %** |"));
        assert_eq!(neutral(&[&json!({"comparisons": []})]), "No run yet.\n");
    }

    #[test]
    fn a_tool_is_held_against_apaches_at_the_same_broker() {
        let run = |contestant: &str, round: u64, cpu: f64| {
            json!({"contestant": contestant, "round": round,
                   "figures": {"gb": 1.0, "client_cpu_s": cpu}})
        };
        let result = json!({"title": "produce", "runs": [
            run("klamm-java", 1, 10.0), run("klamm", 0, 0.5), run("klamm", 1, 1.0),
            run("klamm-java", 0, 10.0), run("klamm", 2, 1.0), run("klamm-java", 2, 12.0),
            run("kafka", 0, 4.0), run("kafka-java", 0, 8.0),
        ]});
        let found = driver_costs(&[&result]);
        assert!(
            found.contains("| produce | klamm | 1000 | 100 |  | 12.0 (10.0 … 20.0) | reached |")
        );
        assert!(
            found.contains("| produce | kafka | 250 | 125 |  | 2.00 (2.00 … 2.00) | **missed** |")
        );
        assert_eq!(driver_costs(&[&json!({"runs": []})]), "No run yet.\n");
    }
}
