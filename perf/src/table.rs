//! The tables of docs/BENCHMARKS.md and README.md, made from the result files and from nothing else.

use crate::results::{self, median, short};
use crate::rows::Row;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Puts the newest full result of every row into the documents, between their markers: into the
/// README only what has a goal.
pub fn render(folder: &Path, document: &Path, readme: &Path, rows: &[Row]) -> Result<(), String> {
    let all = read_all(folder, rows)?;
    fill(readme, |text| brief(text, &all, rows))?;
    fill(document, |text| whole(text, &all, rows))
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

/// The README with its table.
fn brief(text: &str, all: &[Value], rows: &[Row]) -> Result<String, String> {
    let newest_results = newest(all, rows, None);
    replace(text, "bench-table", &lines(&newest_results, true))
}

/// docs/BENCHMARKS.md with its tables.
fn whole(text: &str, all: &[Value], rows: &[Row]) -> Result<String, String> {
    let newest_results = newest(all, rows, None);
    let text = replace(text, "results", &table(&newest_results))?;
    let text = replace(&text, "neutral", &neutral(&newest_results))?;
    let text = replace(&text, "drivers", &driver_costs(&newest_results))?;
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

/// Every result, oldest first, as it is told today.
fn read_all(folder: &Path, rows: &[Row]) -> Result<Vec<Value>, String> {
    let paths = results::files(folder)?;
    let read = paths.iter().map(|path| results::read(path));
    read.map(|result| result.map(|result| told(result, rows)))
        .collect()
}

/// A result as it is told today: what its runs have to say to the comparisons that the row makes now, by
/// today's words and goals. What the row no longer compares stays as the file has it.
fn told(mut result: Value, rows: &[Row]) -> Value {
    let Some(row) = rows.iter().find(|row| result["row"] == row.name) else {
        return result;
    };
    let is_same = !result["same"].is_null();
    let today = row.evaluate(&results::runs_of(&result), is_same);
    if today.is_empty() {
        return result;
    }
    let former = result["comparisons"].as_array().into_iter().flatten();
    let gone = former.filter(|one| !today.iter().any(|other| sides(one) == sides(other)));
    let comparisons: Vec<Value> = today.iter().chain(gone).cloned().collect();
    result["comparisons"] = Value::Array(comparisons);
    result["title"] = row.title.into();
    result
}

/// What is compared with what: no two comparisons of a row have the same.
fn sides(comparison: &Value) -> [&Value; 4] {
    let (subject, base) = (&comparison["subject"], &comparison["base"]);
    [
        &subject["contestant"],
        &subject["figure"],
        &base["contestant"],
        &base["figure"],
    ]
}

fn newest<'a>(all: &'a [Value], rows: &[Row], same: Option<&str>) -> Vec<&'a Value> {
    rows.iter()
        .filter_map(|row| {
            all.iter()
                .rev()
                .find(|result| result["quick"] == false && results::is_of(result, row.name, same))
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
        let title = result["title"].as_str().unwrap_or("");
        let mut title = format!("**{title}** ({})", made(result));
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

/// When a result was made, and of how many pairs.
fn made(result: &Value) -> String {
    let date = result["date"].as_str().unwrap_or("");
    let sittings = result["sittings"].as_array();
    let last = sittings.and_then(|all| all.last()?["started"].as_str()?.get(..10));
    let dates = match last {
        Some(last) if last != date => format!("{date} … {last}"),
        Some(_) | None => date.to_owned(),
    };
    match result["pairs"].as_u64() {
        Some(pairs) => format!("{dates}, {pairs} pairs"),
        None => dates,
    }
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
    use crate::rows::ROWS;
    use serde_json::json;

    /// A document of this repository is what it would be if it were drawn anew.
    fn is_drawn(name: &str, draw: impl Fn(&str) -> Result<String, String>) {
        let text = fs::read_to_string(crate::root().join(name)).expect("a document");
        let drawn = draw(&text).expect("its markers");
        for (found, wanted) in text.lines().zip(drawn.lines()) {
            assert_eq!(found, wanted, "{name}: cargo dev bench --render draws it");
        }
        assert!(text == drawn, "{name}: cargo dev bench --render draws it");
    }

    #[test]
    fn the_tables_are_drawn_from_the_results_that_are_kept() {
        let folder = crate::root().join("perf/results");
        let all = read_all(&folder, &ROWS).expect("results that can be read");
        is_drawn("docs/BENCHMARKS.md", |text| whole(text, &all, &ROWS));
        is_drawn("README.md", |text| brief(text, &all, &ROWS));
    }

    #[test]
    fn an_old_result_is_held_against_the_goals_of_today() {
        let cpu = "broker_cpu_s_per_gb";
        let run = |contestant: &str, value: f64| json!({"round": 0, "contestant": contestant, "figures": {cpu: value}});
        let comparison = |what: &str, figure: &str, goal: &str, met: Value| {
            json!({"what": what, "goal": goal, "met": met,
                   "subject": {"contestant": "klamm", "figure": figure, "median": 0.15},
                   "base": {"contestant": "kafka", "figure": figure, "median": 1.0},
                   "median": 0.15, "min": 0.15, "max": 0.15})
        };
        let result = json!({
            "row": "produce-100", "title": "as it was called", "date": "2026-11-22", "same": null,
            "pairs": 1, "runs": [run("kafka", 1.0), run("klamm", 0.15)],
            "comparisons": [
                comparison("CPU", cpu, "≤ 0.167", json!(true)),
                comparison("p99 of the client, ms", "latency_p99_ms", "", Value::Null),
            ],
        });
        let found = table(&[&told(result.clone(), &ROWS)]);
        assert!(
            found.contains(
                "| **produce 1 KiB, 100 partitions, acks=1** (2026-11-22, 1 pairs) | broker CPU, s/GB \
                 | klamm 0.150 | kafka 1.00 | 0.150 (0.150 … 0.150) | ≤ 0.100 | **missed** |"
            ),
            "{found}"
        );
        // The row compares it no longer: the file's own words are all there are.
        assert!(found.contains("|  | p99 of the client, ms | klamm 0.150 |"));
        assert_eq!(found.lines().count(), 4);
        // Nor does a row that there is no more.
        let found = table(&[&told(result, &[])]);
        assert!(found.contains("as it was called") && found.contains("≤ 0.167 | reached |"));
    }

    #[test]
    fn a_result_of_several_sittings_names_the_first_and_the_last() {
        let sitting = |started: &str| json!({"started": started});
        let sittings = [
            sitting("2026-11-30T01:00:00Z"),
            sitting("2026-12-02T01:00:00Z"),
        ];
        let result = json!({"date": "2026-11-30", "pairs": 10, "sittings": sittings});
        assert_eq!(made(&result), "2026-11-30 … 2026-12-02, 10 pairs");
        assert_eq!(made(&json!({"date": "2026-11-30"})), "2026-11-30");
    }

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
