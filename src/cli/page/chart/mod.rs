//! Charts as SVG, by plotters. A chart of nothing is `None`: it is left out, not drawn empty.
//!
//! Colours are fixed here and given their meaning by `style.css`, which knows them by their value
//! and has another set for dark screens; what must be told apart in print is dashed, too.

mod axis;
mod bars;
mod curves;

pub use bars::{Bar, RatioBar, bars, ratios};
pub use curves::{Curve, by_percentile, over_time};

use super::figure::short;
use crate::base::convert::{f64_from, u64_from};
use crate::cli::error::CliError;
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

/// Width of every chart, in the units of its SVG.
const WIDTH: u32 = 760;
/// Height of those with curves.
const HEIGHT: u32 = 300;
/// Size of its letters.
const TEXT_SIZE: f64 = 15.0;

const TEXT: RGBColor = RGBColor(0x33, 0x33, 0x30);
const AXIS: RGBColor = RGBColor(0x88, 0x88, 0x80);
const GRID: RGBColor = RGBColor(0xE1, 0xE0, 0xD8);

/// Whose a mark is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// The one that the page is about.
    First,
    /// The one that it is compared with.
    Second,
    /// A limit, or what is neither.
    Other,
}

impl Tone {
    fn color(self) -> RGBColor {
        match self {
            Tone::First => RGBColor(0x0B, 0x6E, 0x99),
            Tone::Second => RGBColor(0xC2, 0x5A, 0x00),
            Tone::Other => RGBColor(0x7A, 0x7A, 0x72),
        }
    }

    /// Its class in the style sheet, for legends.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Tone::First => "first",
            Tone::Second => "second",
            Tone::Other => "other",
        }
    }

    fn filled(self) -> ShapeStyle {
        self.color().filled()
    }
}

/// A drawn chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Svg(pub String);

/// What plotters could not draw.
fn undrawn(error: impl std::fmt::Display) -> CliError {
    CliError::Failed(format!("a chart could not be drawn: {error}"))
}

fn letters() -> TextStyle<'static> {
    ("sans-serif", TEXT_SIZE).into_font().color(&TEXT)
}

/// The place of the n-th of several, as a coordinate.
fn place(index: usize) -> f64 {
    f64_from(u64_from(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Curve {
        Curve {
            tone: Tone::First,
            is_bold: true,
            points: points.to_vec(),
        }
    }

    #[test]
    fn nothing_is_no_chart() {
        assert_eq!(by_percentile(&[], "records", "ms").unwrap(), None);
        assert_eq!(by_percentile(&[curve(&[])], "records", "ms").unwrap(), None);
        assert_eq!(over_time(&[], "MB/s").unwrap(), None);
        assert_eq!(bars(&[], "s").unwrap(), None);
        assert_eq!(ratios(&[], "first", "second").unwrap(), None);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let points = [(50.0, f64::NAN), (99.0, f64::INFINITY), (f64::NAN, 1.0)];
        assert_eq!(
            by_percentile(&[curve(&points)], "records", "ms").unwrap(),
            None
        );
        assert_eq!(over_time(&[curve(&points[..1])], "MB/s").unwrap(), None);
        let bar = Bar {
            label: "x".to_owned(),
            tone: Tone::First,
            values: vec![f64::NAN],
        };
        assert_eq!(bars(&[bar], "s").unwrap(), None);
    }

    #[test]
    fn a_chart_has_marks_axes_and_their_labels() {
        let points = [(0.0, 0.2), (50.0, 1.0), (99.0, 9.0), (99.99, 120.0)];
        let Svg(svg) = by_percentile(&[curve(&points)], "records", "latency, ms")
            .unwrap()
            .unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
        for wanted in ["<polyline", "99.9 %", "latency, ms", "#0B6E99"] {
            assert!(svg.contains(wanted), "{wanted} is not in {svg}");
        }
        let one = [(3.0, 7.0)];
        let Svg(svg) = over_time(&[curve(&one)], "MB/s").unwrap().unwrap();
        assert!(
            svg.contains("MB/s") && svg.contains("seconds since the start"),
            "{svg}"
        );
    }

    #[test]
    fn names_from_outside_are_escaped() {
        let bar = Bar {
            label: "<script>alert(1)</script>".to_owned(),
            tone: Tone::Second,
            values: vec![1.0, 3.0],
        };
        let Svg(svg) = bars(&[bar], "CPU s/GB").unwrap().unwrap();
        assert!(!svg.contains("<script"), "{svg}");
        assert!(svg.contains("&lt;script&gt;"), "{svg}");
    }

    #[test]
    fn a_ratio_stands_on_its_side_of_one() {
        let bar = |times: f64| RatioBar {
            label: "row".to_owned(),
            times,
            times_min: times / 1.2,
            times_max: times * 1.2,
            text: "x".to_owned(),
            tone: Tone::First,
        };
        let Svg(svg) = ratios(&[bar(8.0), bar(0.5)], "klamm", "kafka")
            .unwrap()
            .unwrap();
        assert!(
            svg.contains("klamm better") && svg.contains("kafka better"),
            "{svg}"
        );
    }
}
