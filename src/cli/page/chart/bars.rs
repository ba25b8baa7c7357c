//! Bars: figures side by side with a dot for each run, and ratios on a logarithmic scale around 1,
//! where twice as good and half as good are equally long.

use super::axis::{Axis, Linear, mark};
use super::{AXIS, GRID, Svg, TEXT, Tone, WIDTH, letters, place, undrawn};
use crate::cli::error::CliError;
use crate::cli::page::figure::{median, short, spread};
use plotters::coord::combinators::{BindKeyPoints, IntoLogRange};
use plotters::prelude::{
    ChartBuilder, Circle, IntoDrawingArea, PathElement, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, TRANSPARENT};

/// Height of a bar with the room around it.
const BAR_HEIGHT: u32 = 34;
/// Height of axis, its title, and margins.
const REST_HEIGHT: u32 = 74;
/// Width of the names beside the bars.
const NAMES_WIDTH: u32 = 250;
/// Longest name that is shown there, in characters.
const NAME_MAX: usize = 34;
/// Most bars of one chart.
const BARS_MAX: usize = 200;

/// Figures of one contestant.
#[derive(Clone, PartialEq, Debug)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Whose it is.
    pub tone: Tone,
    /// One of each run; the bar is their median.
    pub values: Vec<f64>,
}

/// A ratio: how many times better the first is.
#[derive(Clone, PartialEq, Debug)]
pub struct RatioBar {
    /// What is compared.
    pub label: String,
    /// Above 1 the first is better, below 1 the second.
    pub times: f64,
    /// The least of the pairs.
    pub times_min: f64,
    /// The largest of the pairs.
    pub times_max: f64,
    /// What is written beside the bar.
    pub text: String,
    /// Who is better, if that can be said.
    pub tone: Tone,
}

/// Bars from zero.
pub fn bars(all: &[Bar], x_title: &str) -> Result<Option<Svg>, CliError> {
    let drawn: Vec<(String, Tone, Vec<f64>, f64)> = all
        .iter()
        .filter_map(|bar| {
            let usable = |value: &f64| value.is_finite() && *value >= 0.0;
            let values: Vec<f64> = bar.values.iter().copied().filter(usable).collect();
            let middle = median(&values)?;
            Some((name(&bar.label), bar.tone, values, middle))
        })
        .take(BARS_MAX)
        .collect();
    let values: Vec<f64> = drawn.iter().flat_map(|bar| bar.2.clone()).collect();
    let Some((_, most)) = spread(&values) else {
        return Ok(None);
    };
    let x = Axis::from_zero(most, 6);
    let count = place(drawn.len());
    let mut svg = String::new();
    {
        let size = (WIDTH, height(drawn.len()));
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(70)
            .x_label_area_size(48)
            .y_label_area_size(NAMES_WIDTH)
            .build_cartesian_2d(
                Linear::new(x.from..x.to, x.marks),
                Linear::new(count..0.0, middles(drawn.len())),
            )
            .map_err(undrawn)?;
        chart
            .configure_mesh()
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .disable_y_mesh()
            .label_style(letters())
            .axis_desc_style(letters())
            .x_desc(x_title)
            .x_label_formatter(&|x| mark(*x))
            .y_label_formatter(&|y| at(&drawn, *y).map_or(String::new(), |bar| bar.0.clone()))
            .draw()
            .map_err(undrawn)?;
        for (index, (_, tone, values, middle)) in drawn.iter().enumerate() {
            let top = place(index) + 0.2;
            let corners = [(0.0, top), (*middle, top + 0.6)];
            let bar = Rectangle::new(corners, tone.filled());
            chart.draw_series([bar]).map_err(undrawn)?;
            if values.len() > 1 {
                let dots = values
                    .iter()
                    .map(|value| Circle::new((*value, place(index) + 0.5), 3, TEXT.filled()));
                chart.draw_series(dots).map_err(undrawn)?;
            }
            let right = values.iter().copied().fold(*middle, f64::max);
            let written = Text::new(
                format!("\u{a0}\u{a0}{}", short(*middle)),
                (right, place(index) + 0.5),
                letters().pos(Pos::new(HPos::Left, VPos::Center)),
            );
            chart.draw_series([written]).map_err(undrawn)?;
        }
        root.present().map_err(undrawn)?;
    }
    Ok(Some(Svg(svg)))
}

/// Bars to either side of 1.
pub fn ratios(all: &[RatioBar], first: &str, second: &str) -> Result<Option<Svg>, CliError> {
    let usable = |value: f64| value.is_finite() && value > 0.0;
    let drawn: Vec<(String, &RatioBar)> = all
        .iter()
        .filter(|bar| usable(bar.times) && usable(bar.times_min) && usable(bar.times_max))
        .take(BARS_MAX)
        .map(|bar| (name(&bar.label), bar))
        .collect();
    if drawn.is_empty() {
        return Ok(None);
    }
    // Both sides are equally long, and a third of each is left for what is written there.
    let longest = drawn
        .iter()
        .flat_map(|(_, bar)| [bar.times_max, 1.0 / bar.times_min])
        .fold(1.5, f64::max);
    let far = longest.powf(1.5) * 1.1;
    let marks: Vec<f64> = Axis::logarithmic(1.0 / far, far)
        .marks
        .into_iter()
        .filter(|mark| *mark >= 1.0 / far && *mark <= far)
        .collect();
    let count = place(drawn.len());
    let mut svg = String::new();
    {
        let size = (WIDTH, height(drawn.len()));
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(24)
            .x_label_area_size(48)
            .y_label_area_size(NAMES_WIDTH)
            .build_cartesian_2d(
                (1.0 / far..far).log_scale().with_key_points(marks),
                Linear::new(count..0.0, middles(drawn.len())),
            )
            .map_err(undrawn)?;
        chart
            .configure_mesh()
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .disable_y_mesh()
            .label_style(letters())
            .axis_desc_style(letters())
            .x_desc(format!("← {second} better  ·  times  ·  {first} better →"))
            .x_label_formatter(&|x| mark(*x))
            .y_label_formatter(&|y| at(&drawn, *y).map_or(String::new(), |bar| bar.0.clone()))
            .draw()
            .map_err(undrawn)?;
        for (index, (_, bar)) in drawn.iter().enumerate() {
            let (top, middle) = (place(index) + 0.2, place(index) + 0.5);
            let corners = [(1.0, top), (bar.times, top + 0.6)];
            let rectangle = Rectangle::new(corners, bar.tone.filled());
            chart.draw_series([rectangle]).map_err(undrawn)?;
            let ends = vec![(bar.times_min, middle), (bar.times_max, middle)];
            let whisker = PathElement::new(ends, TEXT.stroke_width(2));
            chart.draw_series([whisker]).map_err(undrawn)?;
            let (at, side, text) = if bar.times < 1.0 {
                (
                    bar.times_min.min(1.0),
                    HPos::Right,
                    format!("{}\u{a0}\u{a0}", bar.text),
                )
            } else {
                (
                    bar.times_max.max(1.0),
                    HPos::Left,
                    format!("\u{a0}\u{a0}{}", bar.text),
                )
            };
            let style = letters().pos(Pos::new(side, VPos::Center));
            let written = Text::new(text, (at, middle), style);
            chart.draw_series([written]).map_err(undrawn)?;
        }
        let line = PathElement::new(vec![(1.0, 0.0), (1.0, count)], TEXT.stroke_width(1));
        chart.draw_series([line]).map_err(undrawn)?;
        root.present().map_err(undrawn)?;
    }
    Ok(Some(Svg(svg)))
}

fn height(bars: usize) -> u32 {
    let bars = u32::try_from(bars.min(BARS_MAX)).expect("bounded by BARS_MAX");
    bars * BAR_HEIGHT + REST_HEIGHT
}

fn middles(count: usize) -> Vec<f64> {
    (0..count).map(|index| place(index) + 0.5).collect()
}

/// The bar whose middle that is.
fn at<T>(bars: &[T], middle: f64) -> Option<&T> {
    (0..bars.len())
        .find(|index| (place(*index) + 0.5 - middle).abs() < 0.25)
        .and_then(|index| bars.get(index))
}

fn name(label: &str) -> String {
    if label.chars().count() <= NAME_MAX {
        return label.to_owned();
    }
    let cut: String = label.chars().take(NAME_MAX - 1).collect();
    format!("{cut}…")
}
