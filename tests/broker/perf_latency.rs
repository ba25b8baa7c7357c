//! What producer-perf says about latency against a truth: a broker between that holds answers back
//! for a known time. What is asserted are lower bounds: a slow machine makes nothing earlier.

use crate::between::{Asked, Between, PRODUCE};
use crate::command_line::{done, json};
use crate::perf_tools::topic;
use serde_json::Value;
use std::thread::sleep;
use std::time::Duration;

/// Runs the load and gives its figures.
fn measured(between: &Between, name: &str, settings: &str) -> Value {
    json(&done(
        &format!(
            "producer-perf --bootstrap-server {} --topic {name} --record-size 100 -o json {settings}",
            between.address
        ),
        "",
    ))
}

fn milliseconds(figures: &Value, kind: &str, name: &str) -> f64 {
    figures[kind][name].as_f64().expect("a number")
}

/// One answer comes a second late at 1,000 records a second. While it was waited for there was room for
/// some twenty records: only these are late by the time at which they were sent, and by the time
/// at which they were due all those of that second are. Of 1,700 they are more than half.
#[test]
fn a_stall_makes_all_records_late_that_were_due_in_it() {
    let (between, broker) = Between::start(&[], None, |asked: Asked, frame| {
        if asked.api_key == PRODUCE && asked.number == 20 {
            sleep(Duration::from_secs(1));
        }
        frame
    });
    let name = topic(&broker, "stall", 1);
    let figures = measured(
        &between,
        &name,
        "--num-records 1700 --throughput 1000 --command-property linger.ms=0 buffer.memory=2000 \
         max.in.flight.requests.per.connection=1",
    );
    assert_eq!(figures["records"], 1700);
    let due = milliseconds(&figures, "latency_from_due_ms", "p50");
    let sent = milliseconds(&figures, "latency_ms", "p50");
    assert!(due >= 100.0, "of 850 records, at least: {figures}");
    assert!(sent < due, "{figures}");
    for kind in ["latency_ms", "latency_from_due_ms"] {
        assert!(milliseconds(&figures, kind, "max") >= 1000.0, "{figures}");
    }
    let late = figures["rate"]["late_ms_max"].as_f64().expect("a number");
    assert!(late >= 900.0, "{figures}");
}

/// Each answer comes 40 ms late: no latency is less than that.
#[test]
fn a_known_delay_is_in_every_latency() {
    let (between, broker) = Between::start(&[], None, |asked: Asked, frame| {
        if asked.api_key == PRODUCE {
            sleep(Duration::from_millis(40));
        }
        frame
    });
    let name = topic(&broker, "delay", 1);
    for rate in ["", "--throughput 500"] {
        let figures = measured(&between, &name, &format!("--num-records 200 {rate}"));
        assert!(milliseconds(&figures, "latency_ms", "p50") >= 40.0);
        assert!(milliseconds(&figures, "latency_ms", "average") >= 40.0);
    }
}
