//! A page in a real browser: what of its charts is seen, and that it loads nothing.

use crate::command_line::json;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Looks at each chart as it was laid out, and says what it saw, and what the page loaded.
const LOOK: &str = r##"<script>
const seen = [...document.querySelectorAll('figure[data-chart]')].map((figure) => {
  const svg = figure.querySelector('svg');
  const box = svg ? svg.getBoundingClientRect() : {width: 0, height: 0};
  const visible = (mark) => { const m = mark.getBoundingClientRect(); return m.width + m.height > 1; };
  const texts = svg ? [...svg.querySelectorAll('text')] : [];
  const inside = (text) => {
    const t = text.getBoundingClientRect();
    return t.left >= box.left - 1 && t.right <= box.right + 1 && t.top >= box.top - 1 && t.bottom <= box.bottom + 1;
  };
  const drawn = svg ? [...svg.querySelectorAll('[stroke="#0B6E99"], [fill="#0B6E99"], [stroke="#C25A00"], [fill="#C25A00"], [stroke="#7A7A72"], [fill="#7A7A72"]')] : [];
  return {
    kind: figure.dataset.chart,
    caption: figure.querySelector('figcaption').textContent,
    width: box.width, height: box.height,
    marks: drawn.filter(visible).length,
    labels: texts.map((text) => text.textContent.trim()).filter((text) => text !== ''),
    outside: texts.filter((text) => !inside(text)).map((text) => text.textContent.trim()),
  };
});
const loaded = performance.getEntriesByType('resource').map((entry) => entry.name);
const pre = document.createElement('pre');
pre.id = 'seen';
pre.textContent = btoa(unescape(encodeURIComponent(JSON.stringify({seen, loaded}))));
document.body.appendChild(pre);
</script></body>"##;

/// Opens a page in headless Chromium, where no name can be resolved, and gives what was seen.
pub fn look_at(page: &str, folder: &Path) -> Value {
    for load in [
        "src=",
        "@import",
        "url(",
        "href=\"http",
        "<script",
        "<iframe",
    ] {
        assert!(!page.contains(load), "the page has {load}");
    }
    // The page's own rule forbids scripts: the one that looks at it needs it gone.
    let rule = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    assert!(page.contains(rule), "the page forbids nothing");
    let looked = page.replace(rule, "").replacen("</body>", LOOK, 1);
    let path = folder.join("looked-at.html");
    std::fs::write(&path, looked).expect("a writable temporary folder");
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
        ])
        .args(["--no-first-run", "--disable-background-networking"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg("--window-size=1100,900")
        .arg(format!(
            "--user-data-dir={}",
            folder.join("browser").display()
        ))
        .arg(format!("file://{}", path.display()))
        .stdin(Stdio::null())
        .output()
        .expect("chromium is not there: run `cargo dev install`");
    let dom = String::from_utf8_lossy(&output.stdout);
    let encoded = dom
        .split_once("<pre id=\"seen\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .unwrap_or_else(|| panic!("{}\n{dom}", String::from_utf8_lossy(&output.stderr)))
        .0;
    let decoded = STANDARD.decode(encoded).expect("base64");
    json(&String::from_utf8(decoded).expect("JSON is UTF-8"))
}

/// Every chart that was drawn has a size, marks and labelled axes; gives their kinds.
pub fn sound_charts(seen: &Value) -> Vec<String> {
    assert_eq!(
        seen["loaded"],
        serde_json::json!([]),
        "the page loads something"
    );
    let charts = seen["seen"].as_array().expect("a list of charts");
    let mut kinds = Vec::new();
    for chart in charts {
        let number = |key: &str| chart[key].as_f64().unwrap_or(0.0);
        assert!(
            number("width") > 300.0 && number("height") > 80.0,
            "{chart}"
        );
        assert!(number("marks") > 0.0, "nothing is drawn: {chart}");
        let labels = chart["labels"].as_array().expect("labels");
        assert!(labels.len() > 4, "axes without labels: {chart}");
        let has_title = |label: &Value| {
            let label = label.as_str().unwrap_or_default();
            label
                .chars()
                .filter(|letter| letter.is_alphabetic())
                .count()
                > 3
        };
        assert!(
            labels.iter().any(has_title),
            "no axis says what it is: {chart}"
        );
        assert_eq!(chart["outside"], serde_json::json!([]), "cut off: {chart}");
        kinds.push(chart["kind"].as_str().expect("a kind").to_owned());
    }
    kinds
}

/// Everything that is written in the charts of a kind.
pub fn labels(seen: &Value, kind: &str) -> Vec<String> {
    let charts = seen["seen"].as_array().expect("a list of charts");
    charts
        .iter()
        .filter(|chart| chart["kind"] == kind)
        .flat_map(|chart| chart["labels"].as_array().expect("labels"))
        .map(|label| label.as_str().expect("text").to_owned())
        .collect()
}
