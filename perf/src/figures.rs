//! What comes out of a run: numbers by name, and where there are any, a curve of latencies, what
//! happened over time, and how busy each core was.

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

/// A curve has no more points, nor a series.
const POINTS_MAX: usize = 60;
const SERIES_MAX: usize = 120;
/// What a curve shows in any case.
const PERCENTILES: [f64; 9] = [0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0];

/// Figures by name; the unit ends the name.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    named: BTreeMap<String, f64>,
    /// Percentile and milliseconds, both rising.
    pub latency_ms: Vec<(f64, f64)>,
    /// By name, lists of one length; "s" is the time.
    pub series: BTreeMap<&'static str, Vec<f64>>,
    /// Of each core, the part of the time in which it was busy.
    pub core_busy: Vec<f64>,
    /// How long the turns of each of klamm's cores took: percentile and milliseconds, both rising.
    pub turns_ms: Vec<Vec<(f64, f64)>>,
}

impl Figures {
    /// None yet.
    pub fn new() -> Figures {
        Figures::default()
    }

    /// One of them; 0 where it is not there.
    pub fn of(&self, name: &str) -> f64 {
        self.named.get(name).copied().unwrap_or(0.0)
    }

    /// The usual percentiles of latencies in µs as figures in ms, and the curve.
    pub fn put_latencies(&mut self, latencies: &Histogram<u64>) {
        let ms = |micros: u64| crate::machine::real(micros) / 1e3;
        for (name, quantile) in [
            ("latency_p50_ms", 0.5),
            ("latency_p99_ms", 0.99),
            ("latency_p999_ms", 0.999),
            ("latency_p9999_ms", 0.9999),
            ("latency_max_ms", 1.0),
        ] {
            self.insert(name.into(), ms(latencies.value_at_quantile(quantile)));
        }
        self.latency_ms = latencies
            .iter_quantiles(5)
            .map(|step| {
                (
                    step.quantile_iterated_to() * 100.0,
                    ms(step.value_iterated_to()),
                )
            })
            .collect();
    }

    /// One run of the result file, figures rounded to what they are worth.
    pub fn json(&self, round: usize, contestant: &str) -> Value {
        let figures: BTreeMap<&String, f64> = self
            .named
            .iter()
            .map(|(name, value)| (name, rounded(*value)))
            .collect();
        let mut run = Map::new();
        run.insert("round".into(), json!(round));
        run.insert("contestant".into(), json!(contestant));
        run.insert("figures".into(), json!(figures));
        if !self.latency_ms.is_empty() {
            let points = points_json(&thinned(&self.latency_ms));
            run.insert("latency_ms".into(), points);
        }
        if !self.series.is_empty() {
            let series: BTreeMap<_, Vec<f64>> = self
                .series
                .iter()
                .map(|(name, values)| {
                    let first = values.iter().take(SERIES_MAX);
                    (name, first.map(|value| rounded(*value)).collect())
                })
                .collect();
            run.insert("series".into(), json!(series));
        }
        if !self.core_busy.is_empty() {
            let busy: Vec<f64> = self.core_busy.iter().map(|part| rounded(*part)).collect();
            run.insert("core_busy".into(), json!(busy));
        }
        if !self.turns_ms.is_empty() {
            let cores = self.turns_ms.iter().map(|core| points_json(core));
            run.insert("turns_ms".into(), cores.collect());
        }
        Value::Object(run)
    }
}

impl Deref for Figures {
    type Target = BTreeMap<String, f64>;

    fn deref(&self) -> &BTreeMap<String, f64> {
        &self.named
    }
}

impl DerefMut for Figures {
    fn deref_mut(&mut self) -> &mut BTreeMap<String, f64> {
        &mut self.named
    }
}

impl<const N: usize> From<[(String, f64); N]> for Figures {
    fn from(named: [(String, f64); N]) -> Figures {
        named.into_iter().collect()
    }
}

impl FromIterator<(String, f64)> for Figures {
    fn from_iter<T: IntoIterator<Item = (String, f64)>>(named: T) -> Figures {
        Figures {
            named: named.into_iter().collect(),
            ..Figures::default()
        }
    }
}

/// Room for latencies in µs, up to ten minutes; what is longer counts as that.
pub fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).expect("the bounds are sound")
}

/// Percentile and milliseconds out of a percentile distribution as HdrHistogram prints it:
///
/// ```text
///        Value     Percentile TotalCount 1/(1-Percentile)
///
///        0.512 0.500000000000      51200           2.00
/// #[Mean    = 0.612, StdDeviation   = 0.1]
/// ```
pub fn curve(distribution: &str) -> Vec<(f64, f64)> {
    distribution
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let ms = words.next()?.parse::<f64>().ok()?;
            let quantile = words.next()?.parse::<f64>().ok()?;
            Some((quantile * 100.0, ms))
        })
        .collect()
}

/// The curve at [`PERCENTILES`], each the value of the first point that reaches it, and what lies
/// between them as far as there is room.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut chosen: Vec<(f64, f64)> = PERCENTILES
        .iter()
        .filter_map(|wanted| {
            let point = points.iter().find(|(percentile, _)| percentile >= wanted);
            point.or(points.last()).map(|(_, ms)| (*wanted, *ms))
        })
        .collect();
    let stride = points.len().div_ceil(POINTS_MAX - PERCENTILES.len()).max(1);
    chosen.extend(points.iter().step_by(stride));
    chosen.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    chosen.dedup_by(|one, other| one.0 == other.0);
    chosen
}

/// Pairs of a percentile and milliseconds.
fn points_json(points: &[(f64, f64)]) -> Value {
    points
        .iter()
        .map(|(percentile, ms)| json!([percentile, rounded(*ms)]))
        .collect()
}

/// Six significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_becomes_a_curve_with_the_percentiles_that_are_asked_for() {
        let mut text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n".to_owned();
        for step in 0..=1000 {
            let quantile = f64::from(step) / 1000.0;
            text += &format!("{:12.3} {quantile:.12} {step:10} 2.00\n", quantile * 10.0);
        }
        text += "#[Mean    =        5.000, StdDeviation   =        1.000]\n";
        let points = curve(&text);
        assert_eq!(points.len(), 1001);
        let thin = thinned(&points);
        assert!(thin.len() <= POINTS_MAX, "{}", thin.len());
        for wanted in PERCENTILES {
            assert_eq!(thin.iter().filter(|point| point.0 == wanted).count(), 1);
        }
        assert!(thin.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        assert_eq!(thin.first(), Some(&(0.0, 0.0)));
        assert_eq!(thin.last(), Some(&(100.0, 10.0)));
    }

    #[test]
    fn long_latencies_are_told_as_they_are() {
        let mut histogram = latencies();
        for micros in [100, 200, 5_000_000] {
            histogram.saturating_record(micros);
        }
        let mut figures = Figures::new();
        figures.put_latencies(&histogram);
        assert_eq!(figures.of("latency_p50_ms"), 0.2);
        assert!((4_990.0..5_010.0).contains(&figures.of("latency_max_ms")));
    }

    #[test]
    fn a_run_says_only_what_it_has() {
        let mut figures = Figures::from([("mb_per_s".into(), 123.456_789)]);
        let plain = figures.json(1, "klamm");
        assert_eq!(plain["figures"]["mb_per_s"], 123.457);
        assert!(plain.get("latency_ms").is_none() && plain.get("series").is_none());
        figures.core_busy = vec![0.5, 1.0];
        figures.series.insert("s", vec![0.5, 1.0]);
        figures.latency_ms = vec![(50.0, 1.0)];
        figures.turns_ms = vec![vec![(50.0, 0.02), (100.0, 3.0)]];
        let whole = figures.json(1, "klamm");
        assert_eq!(whole["core_busy"], json!([0.5, 1.0]));
        assert_eq!(whole["series"]["s"], json!([0.5, 1.0]));
        assert_eq!(whole["latency_ms"][0], json!([0.0, 1.0]));
        assert_eq!(whole["turns_ms"], json!([[[50.0, 0.02], [100.0, 3.0]]]));
    }
}
