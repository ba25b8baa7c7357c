//! The rows of latency.

use super::{ACKED_IN_MEMORY, Row, SAME_CORES, against, against_kafka, alone, one_of, turns};
use crate::latency_loads;
use crate::results::{Comparison, Goal};

const P50: &str = "latency_p50_ms";
const P99: &str = "latency_p99_ms";
const P999: &str = "latency_p999_ms";
const P9999: &str = "latency_p9999_ms";
const KEPT: &str = "rate_kept";
const HELD_UP: &str = "held_up_ms";
const CORE_HELD_UP: &str = "held_up_core_ms";
/// What any answer takes that comes over the loopback.
const PING_PONG: (&str, &str) = ("limit", "ping_pong_p50_ms");
/// And one of a thousand of them.
const PING_PONG_P999: (&str, &str) = ("limit", "ping_pong_p999_ms");

/// Producers at a rate.
pub const RATE_50K: Row = Row {
    name: "rate-50k",
    title: "producers at 50,000 records/s of 1 KiB",
    description: "Producers send 50,000 records a second, each when it is due, whatever the broker \
                  does: how late is the acknowledgement, once with lingering as in the other rows and \
                  once without?",
    shows_not: &[
        ACKED_IN_MEMORY,
        SAME_CORES,
        "With lingering a record waits in the producer until its batch leaves, and most of p50 is that wait.",
    ],
    measure: latency_loads::at_a_rate,
    comparisons: &[
        against_kafka("p99, ms", P99, one_of(10.0)),
        against_kafka("p99.9, ms", P999, one_of(10.0)),
        against_kafka("p99.99, ms", P9999, Goal::None),
        against_kafka("p50, ms", P50, Goal::None),
        against(
            "p50 over a ping-pong's, ms",
            ("klamm", P50),
            PING_PONG,
            Goal::None,
        ),
        against(
            "p50 with linger.ms=0 over a ping-pong's, ms",
            ("klamm-linger-0", P50),
            PING_PONG,
            Goal::None,
        ),
        against(
            "p99 with linger.ms=0, ms",
            ("klamm-linger-0", P99),
            ("kafka-linger-0", P99),
            Goal::None,
        ),
        against(
            "p99.9 with linger.ms=0, ms",
            ("klamm-linger-0", P999),
            ("kafka-linger-0", P999),
            Goal::None,
        ),
        against_kafka("of the rate that was kept", KEPT, Goal::None),
        against_kafka("broker CPU, s", "broker_cpu_s", Goal::None),
        alone(
            "the machine stood still, ms a run, klamm's runs",
            ("klamm", HELD_UP),
            Goal::None,
        ),
        alone("the same, Apache's", ("kafka", HELD_UP), Goal::None),
        alone(
            "the processor that was held up most, ms a run, klamm's runs",
            ("klamm", CORE_HELD_UP),
            Goal::None,
        ),
        alone("the same, Apache's", ("kafka", CORE_HELD_UP), Goal::None),
    ],
};

/// One record after the other.
pub const ONE_AT_A_TIME: Row = Row {
    name: "end-to-end-1",
    title: "end to end, one record of 100 B at a time",
    description: "One record is sent, and the next when a waiting consumer has it: the shortest way \
                  through the broker.",
    shows_not: &[
        ACKED_IN_MEMORY,
        "Nothing else is asked of the broker meanwhile: the row end-to-end has it under load.",
    ],
    measure: latency_loads::one_at_a_time,
    comparisons: &[
        against_kafka("p99, ms", P99, one_of(3.0)),
        against_kafka("p99.9, ms", P999, one_of(10.0)),
        against(
            "p50 over a ping-pong's, ms",
            ("klamm", P50),
            PING_PONG,
            Goal::MedianAtMost(3.5),
        ),
        against(
            "p99.9 over a ping-pong's, ms",
            ("klamm", P999),
            PING_PONG_P999,
            Goal::None,
        ),
        against_kafka("p50, ms", P50, Goal::None),
        against_kafka(
            "broker CPU, µs/record",
            "broker_cpu_us_per_record",
            Goal::None,
        ),
    ],
};

const fn p99(what: &'static str, klamm: &'static str, kafka: &'static str) -> Comparison {
    against(what, (klamm, P99), (kafka, P99), one_of(3.0))
}

const fn p999(what: &'static str, klamm: &'static str, kafka: &'static str) -> Comparison {
    against(what, (klamm, P999), (kafka, P999), one_of(10.0))
}

const fn p50(what: &'static str, klamm: &'static str, kafka: &'static str) -> Comparison {
    against(what, (klamm, P50), (kafka, P50), Goal::None)
}

/// Records that are due, at parts of what the slower system can do.
pub const END_TO_END: Row = Row {
    name: "end-to-end",
    title: "end to end, 1 KiB, open loop at 10, 50 and 80 % of the slower system's most",
    description: "How many records a second the slower broker delivers at most is measured first. Then \
                  both are sent 10, 50 and 80 % of it, each record when it is due, and timed until a \
                  consumer that waits at the broker has it.",
    shows_not: &[ACKED_IN_MEMORY, SAME_CORES, "The producer does not linger."],
    measure: latency_loads::end_to_end,
    comparisons: &[
        p99("p99 at 10 %, ms", "klamm-10", "kafka-10"),
        p999("p99.9 at 10 %, ms", "klamm-10", "kafka-10"),
        p99("p99 at 50 %, ms", "klamm-50", "kafka-50"),
        p999("p99.9 at 50 %, ms", "klamm-50", "kafka-50"),
        p99("p99 at 80 %, ms", "klamm-80", "kafka-80"),
        p999("p99.9 at 80 %, ms", "klamm-80", "kafka-80"),
        p50("p50 at 10 %, ms", "klamm-10", "kafka-10"),
        p50("p50 at 80 %, ms", "klamm-80", "kafka-80"),
        against(
            "p50 at 10 % over a ping-pong's, ms",
            ("klamm-10", P50),
            PING_PONG,
            Goal::MedianAtMost(3.5),
        ),
        against(
            "of the rate at 80 % that was kept",
            ("klamm-80", KEPT),
            ("kafka-80", KEPT),
            Goal::None,
        ),
        turns(
            "turns of a core at 10 %, p99.99 in ms",
            "klamm-10",
            Goal::None,
        ),
        turns(
            "turns of a core at 80 %, p99.99 in ms",
            "klamm-80",
            Goal::None,
        ),
        alone(
            "the machine stood still, ms a run at 50 %, klamm's runs",
            ("klamm-50", HELD_UP),
            Goal::None,
        ),
        alone("the same, Apache's", ("kafka-50", HELD_UP), Goal::None),
        alone(
            "the processor that was held up most, ms a run, klamm's runs",
            ("klamm-50", CORE_HELD_UP),
            Goal::None,
        ),
        alone("the same, Apache's", ("kafka-50", CORE_HELD_UP), Goal::None),
    ],
};

/// Ever more producers.
pub const PRODUCERS: Row = Row {
    name: "producers",
    title: "4, 50 and 400 keyed producers at 20,000 records/s of 1 KiB",
    description: "The same 20,000 records a second by 4, 50 and 400 producers, each record to the \
                  partition of its key: more producers are more and smaller batches. Is the rate kept, \
                  and how late are acknowledgements? Then 400 as fast as they can.",
    shows_not: &[
        ACKED_IN_MEMORY,
        SAME_CORES,
        "All producers are in one process.",
    ],
    measure: latency_loads::producers,
    comparisons: &[
        alone(
            "of the rate, kept with 400",
            ("klamm-400", KEPT),
            Goal::MedianAtLeast(0.9),
        ),
        against(
            "records/s of 400 without a rate",
            ("klamm-400-unbounded", "records_per_s"),
            ("kafka-400-unbounded", "records_per_s"),
            Goal::MedianAtLeast(2.0),
        ),
        against(
            "p99 with 4, ms",
            ("klamm-4", P99),
            ("kafka-4", P99),
            Goal::None,
        ),
        against(
            "p99 with 50, ms",
            ("klamm-50", P99),
            ("kafka-50", P99),
            Goal::None,
        ),
        against(
            "p99 with 400, ms",
            ("klamm-400", P99),
            ("kafka-400", P99),
            Goal::None,
        ),
        against(
            "p99 with 400 over p99 with 4, klamm",
            ("klamm-400", P99),
            ("klamm-4", P99),
            Goal::None,
        ),
        against(
            "p99 with 400 over p99 with 4, kafka",
            ("kafka-400", P99),
            ("kafka-4", P99),
            Goal::None,
        ),
        against(
            "of the rate, kept with 400",
            ("klamm-400", KEPT),
            ("kafka-400", KEPT),
            Goal::None,
        ),
        turns(
            "turns of a core with 400, p99.99 in ms",
            "klamm-400",
            Goal::None,
        ),
        alone(
            "the machine stood still, ms a run with 400, klamm's runs",
            ("klamm-400", HELD_UP),
            Goal::None,
        ),
        alone("the same, Apache's", ("kafka-400", HELD_UP), Goal::None),
        alone(
            "the processor that was held up most, ms a run, klamm's runs",
            ("klamm-400", CORE_HELD_UP),
            Goal::None,
        ),
        alone(
            "the same, Apache's",
            ("kafka-400", CORE_HELD_UP),
            Goal::None,
        ),
    ],
};

/// Readers of what is on disk beside producers.
pub const COLD: Row = Row {
    name: "cold",
    title: "producers at 10,000 records/s of 1 KiB beside readers of what is not in memory",
    description: "Four readers go through a history that is not in memory, beside producers at a fixed \
                  rate, and neither broker may have more than 2 GiB, page cache included: how much \
                  later are the producers' acknowledgements than without the readers?",
    shows_not: &[
        ACKED_IN_MEMORY,
        SAME_CORES,
        "The disk is the machine's only one, and takes reads and writes of both.",
    ],
    measure: latency_loads::cold,
    comparisons: &[
        alone(
            "p99 during over p99 before",
            ("klamm", "p99_growth"),
            Goal::MedianAtMost(1.5),
        ),
        against_kafka("p99 during over p99 before", "p99_growth", one_of(10.0)),
        against_kafka("p99 during, ms", P99, Goal::None),
        against_kafka("p99.9 during, ms", P999, Goal::None),
        against_kafka("p99 before, ms", "before_p99_ms", Goal::None),
        against_kafka("read meanwhile, MB/s", "read_mb_per_s", Goal::None),
    ],
};
