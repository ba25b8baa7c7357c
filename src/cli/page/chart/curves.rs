//! Curves: latencies by percentile, and what was measured over time.

use super::axis::{Axis, Linear, mark};
use super::{AXIS, GRID, HEIGHT, Svg, Tone, WIDTH, letters, undrawn};
use crate::cli::error::CliError;
use plotters::coord::combinators::{BindKeyPoints, IntoLogRange};
use plotters::prelude::{
    ChartBuilder, DashedLineSeries, IntoDrawingArea, LineSeries, SVGBackend, ShapeStyle,
};
use plotters::style::{Color, TRANSPARENT};

/// The percentiles that the axis names; between them it is logarithmic in what is left to 100.
const NAMED: [f64; 6] = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99];

/// One curve.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Whose it is.
    pub tone: Tone,
    /// Whether it is the one to look at, or one of the runs that it stands for.
    pub is_bold: bool,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    fn style(&self) -> ShapeStyle {
        let color = self.tone.color();
        if self.is_bold {
            color.stroke_width(2)
        } else {
            color.mix(0.3).stroke_width(1)
        }
    }

    /// The curve as far as it can be drawn.
    fn within(&self, keep: impl Fn(f64, f64) -> Option<(f64, f64)>) -> Curve {
        let finite = |&(x, y): &(f64, f64)| (x.is_finite() && y.is_finite()).then_some((x, y));
        let points = self.points.iter().filter_map(finite);
        Curve {
            points: points.filter_map(|(x, y)| keep(x, y)).collect(),
            ..self.clone()
        }
    }
}

/// Where a percentile stands: 0 at 1, 90 at 10, 99 at 100.
fn distance(percentile: f64) -> f64 {
    1.0 / (1.0 - percentile / 100.0)
}

/// How long things took, by percentile, both axes logarithmic: points are (percentile, value). `things`
/// are what the percentiles are of.
pub fn by_percentile(
    curves: &[Curve],
    things: &str,
    y_title: &str,
) -> Result<Option<Svg>, CliError> {
    let far = distance(NAMED[NAMED.len() - 1]);
    let curves: Vec<Curve> = curves
        .iter()
        .map(|curve| {
            curve.within(|percentile, value| {
                let is_drawn = (0.0..100.0).contains(&percentile) && value > 0.0;
                let x = distance(percentile.min(99.999));
                (is_drawn && x <= far * 1.001).then_some((x, value))
            })
        })
        .filter(|curve| curve.points.len() > 1)
        .collect();
    let Some((least, most)) = bounds(&curves) else {
        return Ok(None);
    };
    let y = Axis::logarithmic(least, most);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let marks = NAMED.map(distance).to_vec();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(40)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(
                (1.0..far).log_scale().with_key_points(marks),
                (y.from..y.to).log_scale().with_key_points(y.marks),
            )
            .map_err(undrawn)?;
        chart
            .configure_mesh()
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(letters())
            .axis_desc_style(letters())
            .x_desc(format!("percentile of the {things}"))
            .y_desc(y_title)
            .x_label_formatter(&|x| format!("{} %", percentile_text(*x)))
            .y_label_formatter(&|y| mark(*y))
            .draw()
            .map_err(undrawn)?;
        for curve in &curves {
            draw(&mut chart, curve)?;
        }
        root.present().map_err(undrawn)?;
    }
    Ok(Some(Svg(svg)))
}

/// What was measured over time: points are (seconds, value).
pub fn over_time(curves: &[Curve], y_title: &str) -> Result<Option<Svg>, CliError> {
    let curves: Vec<Curve> = curves
        .iter()
        .map(|curve| curve.within(|x, y| (x >= 0.0 && y >= 0.0).then_some((x, y))))
        .filter(|curve| !curve.points.is_empty())
        .map(lengthened)
        .collect();
    let Some((_, most)) = bounds(&curves) else {
        return Ok(None);
    };
    let points = curves.iter().flat_map(|curve| &curve.points);
    let last = points.map(|(x, _)| *x).fold(0.0, f64::max);
    let mut x = Axis::from_zero(last, 8);
    x.marks.retain(|mark| *mark <= last);
    let y = Axis::from_zero(most, 5);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(40)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(
                Linear::new(0.0..last.max(1e-3), x.marks),
                Linear::new(y.from..y.to, y.marks),
            )
            .map_err(undrawn)?;
        chart
            .configure_mesh()
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(letters())
            .axis_desc_style(letters())
            .x_desc("seconds since the start")
            .y_desc(y_title)
            .x_label_formatter(&|x| mark(*x))
            .y_label_formatter(&|y| mark(*y))
            .draw()
            .map_err(undrawn)?;
        for curve in &curves {
            draw(&mut chart, curve)?;
        }
        root.present().map_err(undrawn)?;
    }
    Ok(Some(Svg(svg)))
}

/// One point alone is no line: it is drawn from the start on.
fn lengthened(mut curve: Curve) -> Curve {
    if let [(x, y)] = curve.points[..] {
        curve.points = vec![(0.0, y), (x, y)];
    }
    curve
}

/// Second's curves are dashed: in print without colours they are told apart still.
fn draw<'c, 's, X, Y>(
    chart: &mut plotters::chart::ChartContext<
        'c,
        SVGBackend<'s>,
        plotters::coord::cartesian::Cartesian2d<X, Y>,
    >,
    curve: &Curve,
) -> Result<(), CliError>
where
    X: plotters::coord::ranged1d::Ranged<ValueType = f64>,
    Y: plotters::coord::ranged1d::Ranged<ValueType = f64>,
{
    let points = curve.points.iter().copied();
    let style = curve.style();
    let drawn = match curve.tone {
        Tone::Second => {
            let dashed = DashedLineSeries::new(points, 9, 5, style);
            chart.draw_series(dashed).map(drop)
        }
        Tone::First | Tone::Other => chart.draw_series(LineSeries::new(points, style)).map(drop),
    };
    drawn.map_err(undrawn)
}

/// Least and largest of all values.
fn bounds(curves: &[Curve]) -> Option<(f64, f64)> {
    let values = curves.iter().flat_map(|curve| &curve.points);
    values
        .map(|(_, y)| *y)
        .fold(None, |bounds, y| match bounds {
            None => Some((y, y)),
            Some((least, most)) => Some((f64::min(least, y), f64::max(most, y))),
        })
}

fn percentile_text(x: f64) -> String {
    let percentile = 100.0 * (1.0 - 1.0 / x);
    let text = format!("{percentile:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
