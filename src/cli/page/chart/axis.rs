//! Where axes begin, end, and have their marks.

use super::short;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use std::ops::Range;

/// The range of an axis and its marks.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Its marks.
    pub marks: Vec<f64>,
}

/// The steps of a decade.
const STEPS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];

/// Most marks of a logarithmic axis: above it only decades have one.
const LOG_MARKS_MAX: usize = 12;

/// Decades that a logarithmic axis has at most: what is further down is cut off.
const DECADES_MAX: i32 = 12;

impl Axis {
    /// A logarithmic axis around these values, which are above zero.
    pub fn logarithmic(least: f64, most: f64) -> Axis {
        let last = most.log10().ceil();
        let first = least.log10().floor().max(last - f64::from(DECADES_MAX));
        let mut marks = Vec::new();
        let mut decade = first;
        while decade <= last {
            marks.extend(STEPS[..3].iter().map(|step| step * 10_f64.powf(decade)));
            decade += 1.0;
        }
        // The marks around the values: the axis begins and ends at one.
        let below = marks
            .iter()
            .copied()
            .rfind(|mark| *mark <= least * 1.000_001);
        let above = marks.iter().copied().find(|mark| *mark >= most * 0.999_999);
        let from = below.unwrap_or(10_f64.powf(first));
        let mut to = above.unwrap_or(10_f64.powf(last));
        if to <= from {
            to = from * 2.0;
        }
        marks.retain(|mark| *mark >= from * 0.999_999 && *mark <= to * 1.000_001);
        if marks.len() > LOG_MARKS_MAX {
            marks.retain(|mark| (mark.log10() - mark.log10().round()).abs() < 1e-6);
        }
        Axis { from, to, marks }
    }

    /// A linear axis from zero to this value, which is not below it.
    pub fn from_zero(most: f64, mark_count: u32) -> Axis {
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / f64::from(mark_count.max(1));
        let decade = 10_f64.powf(rough.log10().floor());
        let step = STEPS
            .iter()
            .map(|step| step * decade)
            .find(|step| *step >= rough * 0.999_999)
            .unwrap_or(10.0 * decade);
        let mut marks = vec![0.0];
        let mut count = 1.0;
        while marks.last().is_some_and(|last| *last < most * 0.999_999) {
            marks.push(count * step);
            count += 1.0;
        }
        let to = marks.last().copied().unwrap_or(most);
        Axis {
            from: 0.0,
            to,
            marks,
        }
    }
}

/// A linear axis with marks of its own, for plotters: its own linear axis with marks cannot be given
/// a way to write them.
#[derive(Clone)]
pub struct Linear {
    inner: RangedCoordf64,
    marks: Vec<f64>,
}

impl Linear {
    /// From one end to the other, which may be the smaller one.
    pub fn new(range: Range<f64>, marks: Vec<f64>) -> Linear {
        Linear {
            inner: range.into(),
            marks,
        }
    }
}

impl Ranged for Linear {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.inner.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.inner.range()
    }
}

/// A mark as it is written: `0.1`, `20`, `1.5 k`.
pub fn mark(value: f64) -> String {
    let text = short(value);
    let (number, unit) = match text.split_once(' ') {
        Some((number, unit)) => (number, format!(" {unit}")),
        None => (text.as_str(), String::new()),
    };
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_their_values_between_marks() {
        let axis = Axis::logarithmic(0.3, 70.0);
        assert_eq!((axis.from, axis.to), (0.2, 100.0));
        assert!(axis.marks.len() > 3);
        let wide = Axis::logarithmic(0.001, 100_000.0);
        assert!(wide.marks.len() <= LOG_MARKS_MAX, "{wide:?}");
        let same = Axis::logarithmic(1.0, 1.0);
        assert!(same.to > same.from, "{same:?}");
        let huge = Axis::logarithmic(1e-300, 1e300);
        assert!(huge.marks.len() <= 20, "{huge:?}");
        let linear = Axis::from_zero(83.0, 5);
        assert_eq!((linear.from, linear.to), (0.0, 100.0));
        assert_eq!(Axis::from_zero(0.0, 5).to, 1.0);
    }

    #[test]
    fn marks_have_no_zeros_to_spare() {
        let marks = [0.0, 0.1, 0.25, 1.0, 20.0, 1500.0, 20_000.0].map(mark);
        let expected = ["0", "0.1", "0.25", "1", "20", "1500", "20 k"];
        assert_eq!(marks, expected);
    }
}
