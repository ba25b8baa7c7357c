//! What the name of a figure says of it. A figure's unit ends its name, so the unit decides which
//! way is better: more per second, less of everything else that is paid for.

use crate::base::convert::f64_from;

/// Which way a figure is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    /// The larger it is.
    More,
    /// The smaller it is.
    Less,
    /// The name does not say.
    Unsaid,
}

/// Endings of figures of which more is better.
const MORE: [&str; 5] = [
    "_per_s",
    "_per_broker_cpu_s",
    "_per_s_and_core",
    "_kept_percent",
    "rate_kept",
];

/// Endings of figures of which less is better.
const LESS: [&str; 12] = [
    "_ms",
    "_us",
    "_s",
    "_mb",
    "_kib",
    "_percent",
    "_bytes",
    "_per_gb",
    "_per_wire_gb",
    "_per_request",
    "_per_record",
    "_growth",
];

/// Which way a figure of that name is better.
#[must_use]
pub fn better(name: &str) -> Better {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&MORE) {
        Better::More
    } else if ends(&LESS) || name.starts_with("kib_per_") || name.starts_with("bytes_per_") {
        Better::Less
    } else {
        Better::Unsaid
    }
}

/// A number in three significant digits or so.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size >= 10_000_000.0 {
        format!("{:.1} M", value / 1e6)
    } else if size >= 10_000.0 {
        format!("{:.1} k", value / 1e3)
    } else if size >= 100.0 || value == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

/// The middle one, or the mean of the two in the middle.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        Some(upper)
    } else {
        Some((sorted[half - 1] + upper) / 2.0)
    }
}

/// The least and the largest.
#[must_use]
pub fn spread(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    let most = values.iter().copied().max_by(f64::total_cmp)?;
    Some((least, most))
}

/// Six significant digits: more than any of it is worth.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The percentiles of a curve: named ones, and what lies between, denser towards the end.
#[must_use]
pub fn percentiles() -> Vec<f64> {
    let mut percentiles = vec![0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0];
    for step in 1..40_u64 {
        let left = 10_f64.powf(-f64_from(step) / 10.0);
        let percentile = 100.0 * (1.0 - left);
        let is_far = |named: &f64| ((100.0 - named) / (100.0 - percentile) - 1.0).abs() > 0.05;
        if percentiles.iter().all(is_far) {
            percentiles.push(rounded(percentile));
        }
    }
    percentiles.sort_by(f64::total_cmp);
    percentiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_says_which_way_is_better() {
        for more in [
            "mb_per_s",
            "requests_per_s",
            "requests_per_broker_cpu_s",
            "records_per_s_and_core",
            "rate_kept",
        ] {
            assert_eq!(better(more), Better::More, "{more}");
        }
        for less in [
            "broker_cpu_s",
            "broker_cpu_s_per_gb",
            "broker_cpu_us_per_request",
            "latency_p99_ms",
            "cpu_percent",
            "rss_mb",
            "kib_per_member",
            "p99_growth",
        ] {
            assert_eq!(better(less), Better::Less, "{less}");
        }
        assert_eq!(better("heartbeats"), Better::Unsaid);
    }

    #[test]
    fn numbers_are_as_short_as_they_are_worth() {
        let written = [0.0, 0.0312, 1.5, 12.34, 123.4, 12_345.0, 98_765_432.0].map(short);
        let expected = ["0", "0.031", "1.50", "12.3", "123", "12.3 k", "98.8 M"];
        assert_eq!(written, expected);
        assert_eq!(short(f64::NAN), "–");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[1.0, 4.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(spread(&[2.0, 1.0]), Some((1.0, 2.0)));
    }

    #[test]
    fn a_curve_has_at_most_sixty_points() {
        let percentiles = percentiles();
        assert!(percentiles.len() <= 60, "{}", percentiles.len());
        assert!(percentiles.contains(&99.99));
        assert!(percentiles.is_sorted());
    }
}
