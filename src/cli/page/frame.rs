//! The page around charts and tables. maud escapes what is put into it; only our own charts and our
//! own style sheet go in as they are.

use super::chart::{Svg, Tone};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// A whole page.
#[must_use]
pub fn page(title: &str, lead: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Whatever may have slipped in: nothing is loaded, nothing is run.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { h1 { (title) } p.lead { (lead) } }
                main { (body) }
            }
        }
    }
    .into_string()
}

/// A chart with what it shows; nothing where there is none. `kind` names it for tests and scripts.
#[must_use]
pub fn chart(kind: &str, caption: &str, legend: &[(Tone, String)], svg: Option<Svg>) -> Markup {
    let Some(Svg(svg)) = svg else {
        return html! {};
    };
    html! {
        figure data-chart=(kind) {
            figcaption { (caption) }
            @if !legend.is_empty() {
                p.legend {
                    @for (tone, name) in legend {
                        span class={ "key " (tone.class()) } { (name) }
                    }
                }
            }
            div.drawing role="img" aria-label=(caption) { (PreEscaped(svg)) }
        }
    }
}

/// Names and values.
#[must_use]
pub fn facts(pairs: &[(String, String)]) -> Markup {
    html! {
        @if !pairs.is_empty() {
            dl.facts {
                @for (name, value) in pairs {
                    dt { (name) }
                    dd { (value) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let hostile = "<script src='http://x'>\"&";
        let pairs = [(hostile.to_owned(), hostile.to_owned())];
        let legend = [(Tone::First, hostile.to_owned())];
        let drawn = chart(
            hostile,
            hostile,
            &legend,
            Some(Svg("<svg></svg>".to_owned())),
        );
        let body = html! { (facts(&pairs)) (drawn) };
        let page = page(hostile, hostile, &body);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("<svg></svg>"), "{page}");
        assert!(page.contains("&lt;script src='http://x'&gt;&quot;&amp;"));
    }

    #[test]
    fn a_chart_of_nothing_is_left_out() {
        assert_eq!(chart("x", "y", &[], None).into_string(), "");
    }
}
